//! What the parser does not keep or does not read well, and is taken from the document on the way.

use url::Url;

use super::{
    dates::Dates,
    names::{Ns, When},
};
use crate::text::language_tag;

/// What the feed says about itself and the parser does not keep.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) base: Option<Url>,
    pub(crate) language: Option<String>,
    pub(crate) ttl_min: Option<u32>,
    pub(crate) skip_hours: Vec<u8>,
    pub(crate) skip_days: Vec<String>,
    pub(crate) update_period: Option<String>,
    pub(crate) update_frequency: Option<u32>,
    pub(crate) dates: Dates,
}

/// An element whose text is taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum Captured {
    Ttl,
    Hour,
    Day,
    Period,
    Frequency,
    Language,
    /// What else is said of an item, and how well it stands in for a summary.
    Summary(u8),
    SourceAuthor,
    /// A date, and how well the element is meant for it.
    Date(When, u8),
}

impl Captured {
    /// What is taken of an element of the feed itself.
    pub(super) fn of_feed(ns: Ns, local: &str) -> Option<Self> {
        match (ns, local) {
            (Ns::Rss, "ttl") => Some(Captured::Ttl),
            (Ns::Rss, "hour") => Some(Captured::Hour),
            (Ns::Rss, "day") => Some(Captured::Day),
            (Ns::Syndication, "updateperiod") => Some(Captured::Period),
            (Ns::Syndication, "updatefrequency") => Some(Captured::Frequency),
            _ => None,
        }
    }

    /// What is taken of an element of an item. `in_source` if it is inside `source`.
    pub(super) fn of_item(ns: Ns, local: &str, in_source: bool) -> Option<Self> {
        match (ns, local) {
            (Ns::Itunes, "summary") => Some(Captured::Summary(3)),
            (Ns::Media, "description") => Some(Captured::Summary(2)),
            (Ns::Itunes, "subtitle") => Some(Captured::Summary(1)),
            (Ns::Dc, "language") => Some(Captured::Language),
            (Ns::Atom, "name") if in_source => Some(Captured::SourceAuthor),
            _ => None,
        }
    }
}

impl Head {
    /// Keeps what was taken of the feed itself, dates excepted.
    pub(super) fn store(&mut self, what: Captured, text: &str) {
        let text = text.trim();
        match what {
            Captured::Ttl => self.ttl_min = text.parse().ok(),
            Captured::Hour => {
                // Both 0 and 24 stand for midnight in feeds.
                self.skip_hours.extend(text.parse::<u8>().ok().filter(|hour| *hour <= 24).map(|hour| hour % 24));
            }
            Captured::Day => self.skip_days.push(text.to_ascii_lowercase()),
            Captured::Period => self.update_period = Some(text.to_ascii_lowercase()),
            Captured::Frequency => self.update_frequency = text.parse().ok(),
            Captured::Language => self.language = language_tag(text).or(self.language.take()),
            Captured::Date(..) | Captured::Summary(_) | Captured::SourceAuthor => {}
        }
    }
}
