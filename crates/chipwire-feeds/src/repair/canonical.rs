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
