//! What the parser does not keep or does not read well, and is taken from the document on the way.

use chipwire_events::Timestamp;
use url::Url;

use super::names::{Ns, When};
use crate::{date, text::cap_bytes};

/// A date longer than this, in bytes, is cut.
const MAX_DATE_BYTES: usize = 120;

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

/// The dates of a feed or an item.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Dates {
    pub(crate) published: Option<Dated>,
    pub(crate) updated: Option<Dated>,
}

/// A date as it is written, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dated {
    pub(crate) raw: String,
    pub(crate) time: Option<Timestamp>,
    rank: u8,
}

impl Dates {
    /// Takes a date. One that can be read is better than one that cannot, then the element that is meant for it is better
    /// than another one, and then the later in the document. Answers what is wrong with it, in words that follow "a date".
    pub(crate) fn take(&mut self, when: When, rank: u8, text: &str) -> Option<&'static str> {
        let raw = cap_bytes(text.trim(), MAX_DATE_BYTES);
        if raw.is_empty() {
            return None;
        }
        let slot = match when {
            When::Published => &mut self.published,
            When::Updated => &mut self.updated,
        };
        let reading = date::read(raw);
        let time = reading.map(|reading| reading.time);
        if slot.as_ref().is_none_or(|known| (known.time.is_some(), known.rank) <= (time.is_some(), rank)) {
            *slot = Some(Dated { raw: raw.to_owned(), time, rank });
        }
        match reading {
            Some(reading) => reading.doubt.map(date::Doubt::words),
            None => Some("that cannot be read"),
        }
    }
}

/// An element whose text is taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum Captured {
    Ttl,
    Hour,
    Day,
    Period,
    Frequency,
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
}

impl Head {
    /// Keeps what was taken, dates excepted.
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
            Captured::Date(..) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_date_is_kept() {
        let mut dates = Dates::default();
        let kept = |dates: &Dates| dates.published.as_ref().map(|date| date.raw.clone()).unwrap_or_default();
        assert_eq!(dates.take(When::Published, 1, " "), None);
        assert_eq!(dates.published, None);
        assert!(dates.take(When::Published, 3, "soon").is_some());
        assert_eq!(kept(&dates), "soon");
        for (rank, text, expected) in
            [(1, "2026-03-05", "2026-03-05"), (3, "2026-03-06", "2026-03-06"), (1, "2026-03-07", "2026-03-06")]
        {
            assert_eq!(dates.take(When::Published, rank, text), None);
            assert_eq!(kept(&dates), expected);
        }
        assert_eq!(dates.take(When::Published, 3, "2026-03-08"), None);
        assert_eq!(kept(&dates), "2026-03-08");
    }
}
