//! From the bytes of a feed to its entries: repair, the strict parser, and what it gets wrong set right.

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
};

use chipwire_events::{Markup, Timestamp};
use feed_rs::model;
use url::Url;

use crate::{
    error::ParseError,
    identity, json,
    repair::{
        Repair, Repairs, Stage,
        canonical::{self, Canonical, Family, Item, Told},
        decode,
        entities::Declared,
        head::Head,
        names::relation,
        root::{self, Document},
        salvage::{Salvaged, salvage},
    },
    text,
};

/// Items that are read where no configuration says otherwise.
const MAX_ITEMS: usize = 2_000;

/// Names and categories longer than this, in characters, are cut.
const MAX_NAME_CHARS: usize = 200;

/// Names or categories of one entry.
const MAX_NAMES: usize = 100;

/// A feed as it was read.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ParsedFeed {
    /// Its own id, in Atom.
    pub id: Option<String>,
    /// Its title as plain text.
    pub title: Option<String>,
    /// The names of its authors or editors.
    pub authors: Vec<String>,
    /// When it was published, as it says.
    pub published: Option<Timestamp>,
    /// When it was changed, as it says.
    pub updated: Option<Timestamp>,
    /// The address of the site.
    pub link: Option<String>,
    /// Its language as a BCP 47 tag.
    pub language: Option<String>,
    /// How long it may be kept before it is asked for again, in seconds: the longer of `ttl` and `sy:updatePeriod`.
    pub ttl_s: Option<u32>,
    /// Hours of the day (UTC) at which it asks not to be polled.
    pub skip_hours: Vec<u8>,
    /// Days of the week, from Monday as 1 to Sunday as 7, at which it asks not to be polled.
    pub skip_days: Vec<u8>,
    /// Its entries in its order.
    pub entries: Vec<Entry>,
    /// The document breaks off before its end.
    pub cut_off: bool,
    /// What had to be repaired, in the order of the steps.
    pub repairs: Vec<Repair>,
}

/// An entry of a feed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The guid, or else what identifies the entry best: see [`identity::stable_id`].
    pub id: String,
    /// The guid or id that the feed gives.
    pub guid: Option<String>,
    /// The address of its page, http or https, without tracking parameters.
    pub link: Option<String>,
    /// The title as plain text.
    pub title: String,
    /// When it was published, as the feed says: not checked against any clock.
    pub published: Option<Timestamp>,
    /// The date of publication in the feed's own words, whether it could be read or not.
    pub published_raw: Option<String>,
    /// When it was changed, as the feed says.
    pub updated: Option<Timestamp>,
    /// The authors' names.
    pub authors: Vec<String>,
    /// The categories.
    pub categories: Vec<String>,
    /// The language as a BCP 47 tag, where the entry names one of its own.
    pub language: Option<String>,
    /// The summary, HTML or plain, links absolute.
    pub summary: Option<String>,
    /// The feed says that the summary is plain text.
    pub summary_is_text: bool,
    /// The content, HTML or plain, links absolute.
    pub content: Option<String>,
    /// The feed says that the content is plain text.
    pub content_is_text: bool,
}

impl Entry {
    /// The longer of content and summary, and what its characters mean.
    pub fn body(&self) -> (&str, Markup) {
        let content = self.content.as_deref().unwrap_or_default();
        let summary = self.summary.as_deref().unwrap_or_default();
        let (body, is_text) = match summary.len() > content.len() {
            true => (summary, self.summary_is_text),
            false => (content, self.content_is_text),
        };
        (body, if is_text { Markup::Plain } else { text::markup_of(body) })
    }

    /// The longer of content and summary as HTML that is safe to show: see [`text::sanitized`].
    pub fn display_html(&self) -> String {
        match self.body() {
            (body, Markup::Html) => text::sanitized(body, None),
            (body, Markup::Plain) => body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        }
    }

    /// Cuts everything to size and gives it an id.
    pub(crate) fn finished(mut self) -> Self {
        self.title = text::cap_chars(&self.title, text::MAX_TITLE_CHARS).trim_end().to_owned();
        self.guid = self.guid.map(|guid| guid.trim().to_owned()).filter(|guid| !guid.is_empty());
        for body in [&mut self.summary, &mut self.content] {
            *body = body.take().map(trimmed).filter(|body| !body.is_empty());
        }
        for names in [&mut self.authors, &mut self.categories] {
            let mut kept: Vec<String> = Vec::new();
            for name in names.drain(..).map(|name| text::plain_of_html(&name)) {
                let name = text::cap_chars(&name, MAX_NAME_CHARS).to_owned();
                if !name.is_empty() && !kept.contains(&name) && kept.len() < MAX_NAMES {
                    kept.push(name);
                }
            }
            *names = kept;
        }
        self.id = match &self.guid {
            Some(guid) => guid.clone(),
            None => identity::stable_id(chipwire_events::IdentityPolicy::Guid, &self),
        };
        self
    }
}

/// Without white space at its ends, and not too long. Most bodies are so, and are not copied.
fn trimmed(body: String) -> String {
    let kept = text::cap_bytes(body.trim(), text::MAX_BODY_BYTES);
    if kept.len() == body.len() { body } else { kept.to_owned() }
}

/// Reads a feed of any format. `content_type` is the header's value, `url` the address it came from, against which
/// relative links are resolved.
pub fn parse_feed(bytes: &[u8], content_type: Option<&str>, url: Option<&Url>) -> Result<ParsedFeed, ParseError> {
    parse_at_most(bytes, content_type, url, MAX_ITEMS)
}

/// As [`parse_feed`], with a limit on the number of items.
pub(crate) fn parse_at_most(
    bytes: &[u8],
    content_type: Option<&str>,
    url: Option<&Url>,
    max_items: usize,
) -> Result<ParsedFeed, ParseError> {
    let mut repairs = Repairs::default();
    let text = decode::decode(bytes, content_type, &mut repairs);
    let (document, declared) = root::find(&text, url, &mut repairs)?;
    let from = Source { url, max_items, declared };
    let mut feed = match document {
        Document::Json(text) => json::parse(text, url, max_items, &mut repairs)?,
        Document::Rss(text) => parse_xml(text, Family::Rss, &from, &mut repairs)?,
        Document::Atom(text) => parse_xml(text, Family::Atom, &from, &mut repairs)?,
    };
    feed.repairs = repairs.into_vec();
    Ok(feed)
}

/// What an XML document is read with.
struct Source<'a> {
    url: Option<&'a Url>,
    max_items: usize,
    declared: Declared<'a>,
}

fn parse_xml(text: &str, family: Family, from: &Source<'_>, repairs: &mut Repairs) -> Result<ParsedFeed, ParseError> {
    let url = from.url;
    let document = canonical::write(text, family, url, from.max_items, &from.declared, repairs);
    let damaged = |what: &str| {
        let (line, what) = document.fault.clone().unwrap_or((1, what.to_owned()));
        ParseError::Damaged { line, what }
    };
    let base = document.head.base.as_ref();
    let whole = read(&document.xml, base).filter(|feed| feed.entries.len() == document.items.len());
    let Salvaged { feed, entries } = match whole {
        Some(mut feed) => {
            let entries = std::mem::take(&mut feed.entries).into_iter().map(Some).collect();
            Salvaged { feed, entries }
        }
        None => {
            let salvaged = salvage(&document, |part| read(part, base)).ok_or_else(|| damaged("it cannot be parsed"))?;
            repairs.note(Stage::Salvage, "parsed item by item");
            for (index, _) in salvaged.entries.iter().enumerate().filter(|(_, entry)| entry.is_none()) {
                repairs.about(Some(index + 1));
                repairs.note(Stage::Salvage, "an item that could not be saved");
            }
            repairs.about(None);
            salvaged
        }
    };
    // A feed without items is one; a feed that ends before its items is none.
    if entries.iter().all(Option::is_none) && (document.cut_off || !entries.is_empty()) {
        return Err(damaged("no item can be parsed"));
    }
    Ok(convert(&document, feed, entries, url))
}

/// Runs the third-party parser, which may panic on remote bytes.
fn read(xml: &str, base: Option<&Url>) -> Option<model::Feed> {
    let parse = || {
        feed_rs::parser::Builder::new()
            .base_uri(base.map(Url::as_str))
            .sanitize_content(false)
            .id_generator(|_, _, _| String::new())
            .build()
            .parse(xml.as_bytes())
            .ok()
    };
    catch_unwind(AssertUnwindSafe(parse)).ok().flatten()
}

fn convert(
    document: &Canonical,
    feed: model::Feed,
    entries: Vec<Option<model::Entry>>,
    url: Option<&Url>,
) -> ParsedFeed {
    let head = &document.head;
    let said = head.base.as_ref();
    let link = page_link(&feed.links, document.family).and_then(|link| text::web_url(link, said.or(url)));
    // Where the feed does not say what relative links are relative to, its site is the best guess: the feed itself may come
    // from anywhere.
    let base = said.or(link.as_ref()).or(url);
    let feed_authors = names(&feed.authors);
    let entries = entries
        .into_iter()
        .zip(&document.items)
        .filter_map(|(entry, item)| Some(convert_entry(entry?, item, document.family, base, &feed_authors)))
        .collect();
    let language = feed.language.as_deref().and_then(text::language_tag).or_else(|| head.language.clone());
    let authors = if feed.authors.is_empty() { names(&feed.contributors) } else { feed_authors };
    ParsedFeed {
        id: Some(feed.id.trim().to_owned()).filter(|id| !id.is_empty()),
        cut_off: document.cut_off,
        published: head.dates.published.as_ref().and_then(|date| date.time),
        updated: head.dates.updated.as_ref().and_then(|date| date.time),
        authors,
        title: feed.title.map(|title| plain(&title, document.family)).filter(|title| !title.is_empty()),
        link: link.map(String::from),
        language,
        ttl_s: ttl_s(head),
        skip_hours: head.skip_hours.clone(),
        skip_days: head.skip_days.iter().filter_map(|day| weekday(day)).collect(),
        entries,
        repairs: Vec::new(),
    }
}

fn convert_entry(
    entry: model::Entry,
    item: &Item,
    family: Family,
    base: Option<&Url>,
    feed_authors: &[String],
) -> Entry {
    let item_base = item.base.as_ref().or(base);
    let guid = Some(entry.id).filter(|id| !id.trim().is_empty());
    let link = page_link(&entry.links, family)
        .and_then(|link| text::web_url(link, item_base))
        .or_else(|| text::web_url(guid.as_deref().filter(|_| item.guid_is_link)?, None))
        .or_else(|| item.spare_link.get().cloned())
        .map(|link| identity::without_tracking(&link).into());
    let absolute = |body: String, told: &Told| match text::absolute_links(&body, told.base.as_ref().or(item_base)) {
        Cow::Owned(absolute) if !told.is_text => absolute,
        _ => body,
    };
    let mut authors = names(&entry.authors);
    if authors.is_empty() {
        let of_source = item.source_authors.iter().map(|name| text::bare_name(name).to_owned());
        authors = of_source.filter(|name| !name.is_empty()).collect();
    }
    if authors.is_empty() {
        authors = feed_authors.to_vec();
    }
    let mut summary_is_text = item.summary.is_text;
    let mut summary = entry.summary.map(|summary| absolute(summary.content, &item.summary));
    let content = entry.content.and_then(|content| content.body).map(|body| absolute(body, &item.content));
    if [&summary, &content].into_iter().flatten().all(|body| body.trim().is_empty()) {
        summary = item.spare_summary.get().map(|spare| absolute(spare.clone(), &Told::default()));
        summary_is_text = false;
    }
    Entry {
        id: String::new(),
        guid,
        link,
        title: entry.title.map(|title| plain(&title, family)).unwrap_or_default(),
        published: item.dates.published.as_ref().and_then(|date| date.time),
        published_raw: item.dates.published.as_ref().map(|date| date.raw.clone()),
        updated: item.dates.updated.as_ref().and_then(|date| date.time),
        authors,
        categories: entry.categories.into_iter().map(|category| category.label.unwrap_or(category.term)).collect(),
        language: item.language.clone(),
        summary,
        summary_is_text,
        content,
        content_is_text: item.content.is_text,
    }
    .finished()
}

/// A title as plain text. In Atom a text of type `text` means just what it says; in RSS nobody knows, and HTML is common.
fn plain(title: &model::Text, family: Family) -> String {
    match family {
        Family::Atom if title.content_type.essence().to_string() == "text/plain" => text::collapse(&title.content),
        _ => text::plain_of_html(&title.content),
    }
}

fn page_link(links: &[model::Link], family: Family) -> Option<&str> {
    let of_rel =
        |wanted: &'static str| links.iter().filter(move |link| link.rel.as_deref().map(relation) == Some(wanted));
    let link = match family {
        Family::Rss => links.iter().rfind(|link| link.target.is_none() && link.rel.is_none() && !link.href.is_empty()),
        Family::Atom => of_rel("alternate")
            .find(|link| link.media_type.as_deref().is_none_or(|kind| kind.contains("html")))
            .or_else(|| of_rel("alternate").next())
            .or_else(|| of_rel("related").next()),
    };
    link.map(|link| link.href.as_str())
}

fn names(people: &[model::Person]) -> Vec<String> {
    people
        .iter()
        .filter_map(|person| {
            let name = person.name.as_deref().map(text::bare_name).filter(|name| !name.is_empty());
            name.or(person.email.as_deref()).map(str::to_owned)
        })
        .collect()
}

fn ttl_s(head: &Head) -> Option<u32> {
    let period = head.update_period.as_deref().and_then(|period| match period {
        "hourly" => Some(3_600),
        "daily" => Some(86_400),
        "weekly" => Some(7 * 86_400),
        "monthly" => Some(30 * 86_400),
        "yearly" => Some(365 * 86_400),
        _ => None,
    });
    let syndication = period.map(|period: u32| period / head.update_frequency.unwrap_or(1).max(1));
    head.ttl_min.map(|minutes| minutes.saturating_mul(60)).max(syndication).filter(|seconds| *seconds > 0)
}

fn weekday(name: &str) -> Option<u8> {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let index = days.iter().position(|day| name.starts_with(day))?;
    u8::try_from(index + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_parser_is_caught() {
        // What `repair` keeps away from it, given to it as it is.
        let author =
            "<rss version='2.0'><channel><item><author>editor@example.com（张三）</author></item></channel></rss>";
        let npt = "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><item>\
                   <itunes:duration>99999999999999999999999999</itunes:duration></item></channel></rss>";
        for xml in [author, npt] {
            let outer = catch_unwind(|| feed_rs::parser::parse(xml.as_bytes()).is_ok());
            assert!(outer.is_err(), "the parser no longer panics here: {xml}");
            assert!(read(xml, None).is_none());
        }
    }
}
