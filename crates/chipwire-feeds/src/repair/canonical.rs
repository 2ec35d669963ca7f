//! Writing a feed anew: whatever RSS or Atom came in, one plain and well-formed form goes out.
//!
//! All RSS becomes RSS 2.0 with every item in one channel, all Atom becomes Atom 1.0 with every text escaped. Elements that
//! nobody reads here are left out, so that the strict parser that comes next never sees them. Tags that do not match are
//! mended, a document type never gets through, and what the parser does not keep (`xml:base`, `isPermaLink`, `skipHours`,
//! `sy:updatePeriod`) is collected on the way.

use std::ops::Range;

use url::Url;

use super::{
    Repairs,
    dates::Dates,
    entities::{Declared, has_odd_characters},
    head::Head,
    writer::Writer,
};

pub(super) const RSS_PROLOG: &str = "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
                          xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel>";
pub(super) const RSS_EPILOG: &str = "</channel></rss>";
pub(super) const ATOM_PROLOG: &str = "<feed xmlns=\"http://www.w3.org/2005/Atom\">";
pub(super) const ATOM_EPILOG: &str = "</feed>";

/// Which of the two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Rss,
    Atom,
}

/// A feed in its plain form.
#[derive(Debug)]
pub(crate) struct Canonical {
    pub(crate) family: Family,
    /// The document.
    pub(crate) xml: String,
    pub(crate) items: Vec<Item>,
    pub(crate) head: Head,
    /// The document ended before its root did.
    pub(crate) cut_off: bool,
    /// The line and kind of the first damage to the structure.
    pub(crate) fault: Option<(usize, String)>,
}

/// An item, and what the parser does not keep of it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Where it stands in the document.
    pub(crate) span: Range<usize>,
    /// What its relative addresses are relative to, as far as the document says.
    pub(crate) base: Option<Url>,
    pub(crate) summary: Told,
    pub(crate) content: Told,
    /// Its guid is, as far as it says, the address of its page.
    pub(crate) guid_is_link: bool,
    pub(crate) dates: Dates,
    /// Its own language, as a BCP 47 tag.
    pub(crate) language: Option<String>,
    /// The authors of the feed that it was taken from.
    pub(crate) source_authors: Vec<String>,
    /// The address of what comes with it, or is its content.
    pub(crate) spare_link: Spare<Url>,
    /// What is said of its media.
    pub(crate) spare_summary: Spare<String>,
}

/// What the document says of a text of an item.
#[derive(Debug, Default, Clone)]
pub(crate) struct Told {
    /// What relative links in it are relative to.
    pub(crate) base: Option<Url>,
    /// It says that it is plain text. Where it says nothing, it may be HTML all the same.
    pub(crate) is_text: bool,
}

/// What may stand in for something that an item lacks, the best of several.
#[derive(Debug, Clone)]
pub(crate) struct Spare<T>(Option<(u8, T)>);

impl<T> Default for Spare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Spare<T> {
    /// The higher the rank the better; of two alike the first is kept.
    pub(super) fn take(&mut self, rank: u8, value: T) {
        if self.0.as_ref().is_none_or(|(known, _)| *known < rank) {
            self.0 = Some((rank, value));
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }
}

impl Item {
    pub(super) fn new(start: usize, base: Option<Url>) -> Self {
        Self {
            span: start..start,
            base,
            summary: Told::default(),
            content: Told::default(),
            guid_is_link: true,
            dates: Dates::default(),
            language: None,
            source_authors: Vec::new(),
            spare_link: Spare::default(),
            spare_summary: Spare::default(),
        }
    }
}

impl Canonical {
    /// A document with this one item only, or with none.
    pub(crate) fn part(&self, item: Option<&Item>) -> String {
        let start = self.items.first().map_or(self.xml.len(), |first| first.span.start);
        let epilog = match self.family {
            Family::Rss => RSS_EPILOG,
            Family::Atom => ATOM_EPILOG,
        };
        match item {
            Some(item) => {
                let prolog = match self.family {
                    Family::Rss => RSS_PROLOG,
                    Family::Atom => ATOM_PROLOG,
                };
                let body = self.xml.get(item.span.clone()).unwrap_or_default();
                format!("{prolog}{body}{epilog}")
            }
            None if self.items.is_empty() => self.xml.clone(),
            None => format!("{}{epilog}", self.xml.get(..start).unwrap_or_default()),
        }
    }
}

/// Writes the feed that begins at the start of `text` anew. `url` is where it came from, `declared` what its document type
/// says.
pub(crate) fn write(
    text: &str,
    family: Family,
    url: Option<&Url>,
    max_items: usize,
    declared: &Declared<'_>,
    repairs: &mut Repairs,
) -> Canonical {
    repairs.sound = !has_odd_characters(text);
    let mut writer = Writer::new(text, family, url, max_items, declared, repairs);
    writer.run();
    writer.finish()
}

/// For the tests of what writes it: what stands between prolog and epilog, an item a line, and what is noted. Two items are
/// read.
#[cfg(test)]
pub(super) fn told(text: &str) -> String {
    let name = text.split(['<', ':', '>', ' ']).find(|name| name.len() > 1).unwrap_or_default();
    let family = if matches!(name, "feed" | "entry") { Family::Atom } else { Family::Rss };
    let (mut repairs, url) = (Repairs::default(), Url::parse("http://example.org/feed").ok());
    let written = write(text, family, url.as_ref(), 2, &Declared::default(), &mut repairs);
    let (prolog, epilog) = match family {
        Family::Rss => (RSS_PROLOG, RSS_EPILOG),
        Family::Atom => (ATOM_PROLOG, ATOM_EPILOG),
    };
    let inside = written.xml.strip_prefix(prolog).unwrap().strip_suffix(epilog).unwrap();
    let lines = inside.replace("<item", "\n<item").replace("<entry", "\n<entry");
    let notes = super::noted::in_words(repairs).iter().map(|note| format!("\n! {note}")).collect::<String>();
    (lines + &notes).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, family: Family) -> Canonical {
        let url = Url::parse("http://example.org/feed").ok();
        write(text, family, url.as_ref(), 10, &Declared::default(), &mut Repairs::default())
    }

    #[test]
    fn items_can_be_taken_out_one_by_one() {
        let rss =
            written("<rss><title>T</title><item><guid>1</guid></item><item><guid>2</guid></item></rss>", Family::Rss);
        let atom = written("<feed><id>T</id><entry><id>1</id></entry></feed>", Family::Atom);
        let none = written("<feed><id>T</id></feed>", Family::Atom);
        for (document, item, expected) in [
            (&rss, Some(1), format!("{RSS_PROLOG}<item><guid>2</guid></item>{RSS_EPILOG}")),
            (&rss, None, format!("{RSS_PROLOG}<title>T</title>{RSS_EPILOG}")),
            (&atom, Some(0), format!("{ATOM_PROLOG}<entry><id>1</id></entry>{ATOM_EPILOG}")),
            (&atom, None, format!("{ATOM_PROLOG}<id>T</id>{ATOM_EPILOG}")),
            (&none, None, none.xml.clone()),
        ] {
            assert_eq!(document.part(item.map(|at: usize| &document.items[at])), expected);
        }
    }

    #[test]
    fn what_the_parser_does_not_keep_is_known() {
        let document = written(
            "<feed xml:base='/f/' xml:lang='de'><entry xml:base='e/' xml:lang='fr'><content xml:base='/c/' type='text'>x</content><summary>y</summary><link rel='enclosure' href='m'/></entry><entry><source><author><name>N</name></author></source></entry></feed>",
            Family::Atom,
        );
        let [first, second] = document.items.as_slice() else { panic!("{:?}", document.items) };
        let said = |url: Option<&Url>| url.map_or("-", Url::path).to_owned();
        for (found, expected) in [
            (said(document.head.base.as_ref()), "/f/"),
            (said(first.base.as_ref()), "/f/e/"),
            (said(first.content.base.as_ref()), "/c/"),
            (said(first.summary.base.as_ref()), "/f/e/"),
            (said(second.base.as_ref()), "/f/"),
            (said(second.content.base.as_ref()), "-"),
            (said(first.spare_link.get()), "/f/e/m"),
            (said(second.spare_link.get()), "-"),
            (first.language.clone().unwrap_or_default(), "fr"),
            (document.head.language.clone().unwrap_or_default(), "de"),
            (second.source_authors.join(" "), "N"),
        ] {
            assert_eq!(found, expected);
        }
        assert!(first.content.is_text && !first.summary.is_text);
        let document = written(
            "<rss><dc:language>de</dc:language><image><language>fr</language></image><ttl>30</ttl><skipDays><day>Sunday</day></skipDays><sy:updatePeriod>Daily</sy:updatePeriod><item><guid isPermaLink=' False '>1</guid></item><item><guid>2</guid></item><item><itunes:subtitle>a</itunes:subtitle><media:description>b</media:description><media:description>c</media:description></item></rss>",
            Family::Rss,
        );
        assert_eq!((document.head.ttl_min, document.head.update_period.as_deref()), (Some(30), Some("daily")));
        assert_eq!(document.head.skip_days, ["sunday"]);
        assert_eq!(document.head.language.as_deref(), Some("de"));
        assert_eq!(document.items.iter().map(|item| item.guid_is_link).collect::<Vec<_>>(), [false, true, true]);
        assert_eq!(document.items[2].spare_summary.get().map(String::as_str), Some("b"));
    }
}
