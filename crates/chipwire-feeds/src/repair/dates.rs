//! The dates of a feed and its items. What one of them leaves open, the others and the language of the feed may settle.

use chipwire_events::Timestamp;

use super::{Repairs, Stage, names::When};
use crate::{
    date::{self, Doubt, Habits, Order},
    text::{cap_bytes, cap_chars, collapse},
};

/// A date longer than this, in bytes, is cut.
const MAX_DATE_BYTES: usize = 120;

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
    doubt: Option<Doubt>,
    shows: Option<Order>,
    rank: u8,
}

impl Dates {
    /// Takes a date. One that can be read is better than one that cannot, then the element that is meant for it is better
    /// than another one, and then the later in the document.
    pub(crate) fn take(&mut self, when: When, rank: u8, text: &str, problems: &mut Problems, repairs: &mut Repairs) {
        let raw = cap_bytes(text.trim(), MAX_DATE_BYTES);
        if raw.is_empty() {
            return;
        }
        let slot = match when {
            When::Published => &mut self.published,
            When::Updated => &mut self.updated,
        };
        let reading = date::read(raw);
        let time = reading.map(|reading| reading.time);
        if slot.as_ref().is_none_or(|known| (known.time.is_some(), known.rank) <= (time.is_some(), rank)) {
            let (doubt, shows) = reading.map_or((None, None), |reading| (reading.doubt, reading.shows));
            *slot = Some(Dated { raw: raw.to_owned(), time, doubt, shows, rank });
        }
        if reading.is_none() {
            problems.note("that cannot be read", raw, repairs);
        }
    }

    fn each(&self) -> impl Iterator<Item = &Dated> {
        self.published.iter().chain(&self.updated)
    }
}

/// What is said of dates that are not clear, with the first of each kind.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<(&'static str, String)>);

impl Problems {
    /// `problem` in words that follow "a date".
    fn note(&mut self, problem: &'static str, raw: &str, repairs: &mut Repairs) {
        let known = self.0.iter().position(|(known, _)| *known == problem);
        let at = known.unwrap_or_else(|| {
            let example = collapse(cap_chars(raw, 40));
            self.0.push((problem, format!("a date {problem}, such as `{example}`")));
            self.0.len() - 1
        });
        if let Some((_, what)) = self.0.get(at) {
            repairs.note(Stage::Dates, what);
        }
    }

    /// Reads once more what may have been meant otherwise, now that all dates are known, and notes what is still not clear.
    pub(crate) fn settle<'d>(
        &mut self,
        of_feed: &mut Dates,
        of_items: impl Iterator<Item = &'d mut Dates>,
        language: Option<&str>,
        repairs: &mut Repairs,
    ) {
        let mut all: Vec<(Option<usize>, &mut Dates)> = vec![(None, of_feed)];
        all.extend(of_items.enumerate().map(|(index, dates)| (Some(index + 1), dates)));
        if all.iter().flat_map(|(_, dates)| dates.each()).all(|date| date.doubt.is_none()) {
            return;
        }
        let shown: Vec<Order> = all.iter().flat_map(|(_, dates)| dates.each()).filter_map(|date| date.shows).collect();
        // A feed that writes both orders settles nothing.
        let order = shown.first().copied().filter(|first| shown.iter().all(|other| other == first));
        let habits = Habits { order, language };
        for (item, dates) in all {
            repairs.about(item);
            let Dates { published, updated } = dates;
            for date in [published, updated].into_iter().flatten().filter(|date| date.doubt.is_some()) {
                if let Some(reading) = date::read_by(&date.raw, habits) {
                    (date.time, date.doubt) = (Some(reading.time), reading.doubt);
                }
                if let Some(doubt) = date.doubt {
                    self.note(doubt.words(), &date.raw, repairs);
                }
            }
        }
        repairs.about(None);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::noted::in_words, *};

    #[test]
    fn the_best_date_is_kept() {
        let (mut dates, mut problems, mut repairs) = (Dates::default(), Problems::default(), Repairs::default());
        for (rank, text, expected) in [
            (1, " ", ""),
            (3, "soon", "soon"),
            (1, "2026-03-05", "2026-03-05"),
            (3, "2026-03-06", "2026-03-06"),
            (1, "2026-03-07", "2026-03-06"),
            (3, "2026-03-08", "2026-03-08"),
        ] {
            dates.take(When::Published, rank, text, &mut problems, &mut repairs);
            assert_eq!(dates.published.as_ref().map(|date| date.raw.as_str()).unwrap_or_default(), expected);
        }
        assert_eq!(in_words(repairs), ["a date that cannot be read, such as `soon`"]);
    }

    fn check(language: Option<&str>, texts: &[&str], expected: &[&str], noted: &[&str]) {
        let (mut problems, mut repairs) = (Problems::default(), Repairs::default());
        let mut of_feed = Dates::default();
        let mut items = vec![Dates::default(); texts.len()];
        for (item, text) in items.iter_mut().zip(texts) {
            item.take(When::Published, 1, text, &mut problems, &mut repairs);
        }
        problems.settle(&mut of_feed, items.iter_mut(), language, &mut repairs);
        let read = items.iter().flat_map(Dates::each).filter_map(|date| date.time);
        assert_eq!(read.map(|time| time.to_string()).collect::<Vec<_>>(), expected, "{texts:?}");
        assert_eq!(in_words(repairs), noted, "{texts:?}");
    }

    #[test]
    fn other_dates_settle_the_order() {
        const ORDER: &str = "a date whose day and month, or year, may be the other way round, such as";
        let day_first = ["2026-05-03T00:00:00Z", "2026-03-25T00:00:00Z"];
        check(None, &["3/5/2026", "25/3/2026"], &day_first, &[]);
        check(None, &["03-05-2026", "25-03-2026"], &day_first, &[]);
        check(None, &["03-05-2026", "03-25-2026"], &["2026-03-05T00:00:00Z", "2026-03-25T00:00:00Z"], &[]);
        check(None, &["3/5/2026", "3/25/2026"], &["2026-03-05T00:00:00Z", "2026-03-25T00:00:00Z"], &[]);
        check(
            None,
            &["3/5/2026", "25.3.2026"],
            &["2026-03-05T00:00:00Z", "2026-03-25T00:00:00Z"],
            &[&format!("{ORDER} `3/5/2026` (item 1)")],
        );
        check(
            None,
            &["25/3/2026", "3/25/2026", "3/5/2026"],
            &["2026-03-25T00:00:00Z", "2026-03-25T00:00:00Z", "2026-03-05T00:00:00Z"],
            &[&format!("{ORDER} `3/5/2026` (item 3)")],
        );
    }

    #[test]
    fn the_language_settles_months_and_zones() {
        const MONTH: &str = "a date whose month is another one in another language, such as";
        const ZONE: &str = "a date with a zone that has several meanings, such as";
        let (october, november) = (["2026-10-05T00:00:00Z"], ["2026-11-05T00:00:00Z"]);
        check(Some("hr"), &["5. listopada 2026."], &october, &[]);
        check(Some("hr-hr"), &["5. lis 2026."], &october, &[]);
        check(Some("pl-pl"), &["5 listopada 2026"], &november, &[]);
        check(None, &["5 listopada 2026"], &november, &[&format!("{MONTH} `5 listopada 2026` (item 1)")]);
        check(Some("en"), &["5 lis 2026"], &november, &[&format!("{MONTH} `5 lis 2026` (item 1)")]);
        let text = "Thu, 05 Mar 2026 10:20:30 CST";
        check(Some("zh-cn"), &[text], &["2026-03-05T02:20:30Z"], &[]);
        check(Some("en-us"), &[text], &["2026-03-05T16:20:30Z"], &[]);
        check(None, &[text], &["2026-03-05T16:20:30Z"], &[&format!("{ZONE} `{text}` (item 1)")]);
    }
}
