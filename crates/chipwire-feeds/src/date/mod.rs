//! Dates as feeds write them.
//!
//! One lenient reader over tables of words: RFC 822 and its mutations, ISO 8601 with weeks and ordinals, RFC 3339 and W3CDTF,
//! `asctime`, American, European and East Asian notations, months in the languages of most feeds, and Unix times. A date
//! without a zone is taken as UTC, Korean ones as Korean time; one that cannot exist (30 February) is none. What may have
//! been meant otherwise is read with a [`Doubt`], never silently.

mod months;
mod parts;
mod words;

use jiff::{Timestamp, fmt::rfc2822};

use self::{parts::Parts, words::fold};

/// Longer texts are no dates.
const MAX_BYTES: usize = 120;

/// A date that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What it most probably means.
    pub time: Timestamp,
    /// Why it may mean something else.
    pub doubt: Option<Doubt>,
    /// The order of day and month that it cannot have but on purpose: `25/3/2026`.
    pub(crate) shows: Option<Order>,
}

/// Which of two numbers is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    DayFirst,
    MonthFirst,
}

/// What is known of the dates of a feed besides their own words.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Habits<'a> {
    pub(crate) order: Option<Order>,
    /// A BCP 47 tag in small letters.
    pub(crate) language: Option<&'a str>,
}

/// Why a date may mean something else than was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Day and month, or day and year, may be the other way round: `3/5/2026`, `26-03-05`.
    Order,
    /// The word for the month means another month in another language: `listopada` is November in Polish and October in
    /// Croatian.
    Month,
    /// The name of the zone has several meanings: `CST` is in America or in China.
    Zone,
    /// There is a word at the end that is no known zone: taken as UTC.
    Word,
}

impl Doubt {
    /// In words, to follow "a date".
    pub fn words(self) -> &'static str {
        match self {
            Doubt::Order => "whose day and month, or year, may be the other way round",
            Doubt::Month => "whose month is another one in another language",
            Doubt::Zone => "with a zone that has several meanings",
            Doubt::Word => "with a zone that is not known, read as UTC",
        }
    }
}

/// Reads a date, whatever doubt there is. Times of day are optional and then midnight.
pub fn parse(text: &str) -> Option<Timestamp> {
    read(text).map(|reading| reading.time)
}

/// Reads a date. None if it is none, or one that cannot be.
pub fn read(text: &str) -> Option<Reading> {
    read_by(text, Habits::default())
}

/// As [`read`], where more is known than the date itself.
pub(crate) fn read_by(text: &str, habits: Habits<'_>) -> Option<Reading> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_BYTES {
        return None;
    }
    if let Some(time) = unix_time(text).or_else(|| standard(text)) {
        return Some(Reading { time, doubt: None, shows: None });
    }
    tabular(text, habits)
}

/// Reads what is written as RFC 822 and RFC 3339 want it, as most feeds do: the tables would say the same, and take longer.
fn standard(text: &str) -> Option<Timestamp> {
    static RFC_822: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new();
    match text.as_bytes() {
        // Of other zones the tables know more.
        [_, _, _, b',', .., b'G', b'M', b'T'] => RFC_822.parse_timestamp(text).ok(),
        [_, _, _, b',', .., b'+' | b'-', b'0', _, _, _] => RFC_822.parse_timestamp(text).ok(),
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', _, _, b'Z'] => text.parse().ok(),
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', _, _, b'+' | b'-', b'0', _, b':', _, _] => {
            text.parse().ok()
        }
        _ => None,
    }
}

/// Reads any date by the tables.
fn tabular(text: &str, habits: Habits<'_>) -> Option<Reading> {
    let spaced = normalised(&fold(text));
    let mut parts = Parts::new(habits);
    if !text.is_ascii() && (text.contains(['년', '월']) || text.contains("오전") || text.contains("오후")) {
        parts.home_min = Some(9 * 60);
    }
    for token in spaced.split_whitespace() {
        parts.token(token)?;
    }
    parts.reading()
}

/// Spaces where separators are only decoration, East Asian notation as ISO, `t` between date and time as a space.
fn normalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let digit_before = before.is_ascii_digit();
        let digit_follows = rest.peek().is_some_and(char::is_ascii_digit);
        match c {
            '年' | '월' | '년' | '月' if digit_before => {
                // Spaces are common between the parts: 2026년 3월 5일.
                while rest.next_if(|c| c.is_whitespace()).is_some() {}
                out.push('-');
            }
            '日' | '号' | '일' if digit_before => out.push(' '),
            '时' | '時' | '点' | '시' if digit_before => {
                while rest.next_if(|c| c.is_whitespace()).is_some() {}
                out.push(':');
            }
            '分' | '분' if digit_before => match rest.next_if(|c| c.is_whitespace()).or(rest.peek().copied()) {
                Some(next) if next.is_ascii_digit() || next.is_whitespace() => out.push(':'),
                _ => out.push(' '),
            },
            '秒' | '초' if digit_before => out.push(' '),
            ',' | ';' | '(' | ')' | '[' | ']' | '\u{a0}' | '_' | '（' | '）' | '，' | '、' => out.push(' '),
            '：' => out.push(':'),
            '−' | '–' | '—' => out.push('-'),
            't' if digit_before && digit_follows => out.push(' '),
            'h' if digit_before && digit_follows => out.push(':'),
            _ if c.is_whitespace() || c.is_control() => out.push(' '),
            _ => out.push(c),
        }
        before = c;
    }
    if !text.is_ascii() {
        for half in ["上午", "下午", "午前", "午後", "오전", "오후"] {
            if out.contains(half) {
                out = out.replace(half, &format!(" {half} "));
            }
        }
    }
    // `10:20:` of a time without seconds.
    out.split_whitespace().map(|token| token.trim_end_matches(':')).collect::<Vec<_>>().join(" ")
}

/// Seconds or milliseconds since 1970.
fn unix_time(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        9 | 10 => Timestamp::from_second(text.parse().ok()?).ok(),
        13 => Timestamp::from_millisecond(text.parse().ok()?).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_feeds_write_them() {
        for (text, expected) in [
            ("Thu, 05 Mar 2026 10:20:30 GMT", "2026-03-05T10:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 +0000", "2026-03-05T10:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 +0800", "2026-03-05T02:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 -0500 (EST)", "2026-03-05T15:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 EST", "2026-03-05T15:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 PDT", "2026-03-05T17:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 Z", "2026-03-05T10:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 UTC", "2026-03-05T10:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30", "2026-03-05T10:20:30Z"),
            ("Thu, 05 Mar 2026 10:20", "2026-03-05T10:20:00Z"),
            ("Thu, 05 Mar 2026", "2026-03-05T00:00:00Z"),
            ("Thursday, 5 March 2026 10:20:30 GMT", "2026-03-05T10:20:30Z"),
            ("Thurs, 5 Mar 2026 10:20:30 GMT", "2026-03-05T10:20:30Z"),
            ("Mon, 05 Mar 2026 10:20:30 GMT", "2026-03-05T10:20:30Z"),
            ("05 Mar 2026 10:20:30 GMT", "2026-03-05T10:20:30Z"),
            ("5 Mar 26 10:20 GMT", "2026-03-05T10:20:00Z"),
            ("5 Mar 99 10:20 GMT", "1999-03-05T10:20:00Z"),
            ("Thu,05 Mar 2026 9:05:03 GMT", "2026-03-05T09:05:03Z"),
            ("Thu, 05 Mar 2026 24:00:00 GMT", "2026-03-06T00:00:00Z"),
            ("Thu, 05 Mar 2026 23:59:60 GMT", "2026-03-05T23:59:59Z"),
            ("Thu, 05 Mar 2026 10:20:30 GMT+8", "2026-03-05T02:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 GMT+0800", "2026-03-05T02:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 UTC-05:00", "2026-03-05T15:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 +08:00", "2026-03-05T02:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 XYZ", "2026-03-05T10:20:30Z"),
            ("Thu, 05-Mar-2026 10:20:30 GMT", "2026-03-05T10:20:30Z"),
            ("Thu, March 5, 2026 10:20 AM", "2026-03-05T10:20:00Z"),
            ("March 5, 2026", "2026-03-05T00:00:00Z"),
            ("March 5th, 2026 at 12:30 am EST", "2026-03-05T05:30:00Z"),
            ("Mar 5 2026 1:20:30 PM", "2026-03-05T13:20:30Z"),
            ("Mar 5 2026 12:20PM", "2026-03-05T12:20:00Z"),
            ("Thu Mar  5 10:20:30 2026", "2026-03-05T10:20:30Z"),
            ("Thu Mar 5 10:20:30 +0800 2026", "2026-03-05T02:20:30Z"),
            ("Thu Mar 05 10:20:30 PST 2026", "2026-03-05T18:20:30Z"),
            ("Do, 05 Mär 2026 10:20:30 +0100", "2026-03-05T09:20:30Z"),
            ("jeu., 05 juil. 2026 10:20:30 +0200", "2026-07-05T08:20:30Z"),
            ("2026-03-05T10:20:30Z", "2026-03-05T10:20:30Z"),
            ("2026-03-05T10:20:30z", "2026-03-05T10:20:30Z"),
            ("2026-03-05t10:20:30.25Z", "2026-03-05T10:20:30.25Z"),
            ("2026-03-05T10:20:30.1234567891234Z", "2026-03-05T10:20:30.123456789Z"),
            ("2026-03-05T10:20:30+08:00", "2026-03-05T02:20:30Z"),
            ("2026-03-05T10:20:30+0800", "2026-03-05T02:20:30Z"),
            ("2026-03-05T10:20:30+08", "2026-03-05T02:20:30Z"),
            ("2026-03-05T10:20:30-05:30", "2026-03-05T15:50:30Z"),
            ("2026-03-05T10:20+01:00", "2026-03-05T09:20:00Z"),
            ("2026-03-05T10:20:30", "2026-03-05T10:20:30Z"),
            ("2026-03-05 10:20:30 +0800", "2026-03-05T02:20:30Z"),
            ("2026-03-05 10:20:30 UTC", "2026-03-05T10:20:30Z"),
            ("2026-03-05 10:20:30 EST", "2026-03-05T15:20:30Z"),
            ("2026-03-05", "2026-03-05T00:00:00Z"),
            ("2026-03", "2026-03-01T00:00:00Z"),
            ("2026", "2026-01-01T00:00:00Z"),
            ("20260305", "2026-03-05T00:00:00Z"),
            ("20260305102030", "2026-03-05T10:20:30Z"),
            ("20260305T102030Z", "2026-03-05T10:20:30Z"),
            ("2026-064", "2026-03-05T00:00:00Z"),
            ("2026/03/05 10:20", "2026-03-05T10:20:00Z"),
            ("2026.03.05 10:20", "2026-03-05T10:20:00Z"),
            ("3/5/2026 10:20:30 AM", "2026-03-05T10:20:30Z"),
            ("25/3/2026", "2026-03-25T00:00:00Z"),
            ("05.03.2026 10:20 Uhr", "2026-03-05T10:20:00Z"),
            ("2026年3月5日 10:20", "2026-03-05T10:20:00Z"),
            ("2026年3月5日 下午1:20", "2026-03-05T13:20:00Z"),
            ("1772706030", "2026-03-05T10:20:30Z"),
            ("1772706030000", "2026-03-05T10:20:30Z"),
            ("  Thu, 05 Mar 2026\n 10:20:30 GMT ", "2026-03-05T10:20:30Z"),
            // ISO 8601: weeks, ordinals, basic forms, two digits, an extra zero.
            ("2026-W10-4", "2026-03-05T00:00:00Z"),
            ("2026W104T102030Z", "2026-03-05T10:20:30Z"),
            ("2020-W01-1", "2019-12-30T00:00:00Z"),
            ("2026-064T10:20:30Z", "2026-03-05T10:20:30Z"),
            ("2026064", "2026-03-05T00:00:00Z"),
            ("26-03-05", "2026-03-05T00:00:00Z"),
            ("260305", "2026-03-05T00:00:00Z"),
            ("2026-003-05T10:20:30+00:00", "2026-03-05T10:20:30Z"),
            ("2024-02-29T18:14:55-08:00", "2024-03-01T02:14:55Z"),
            ("2026-03-05T10:20:30.5+0000", "2026-03-05T10:20:30.5Z"),
            ("2026-03-05 10:20:30.0 -00:20", "2026-03-05T10:40:30Z"),
            ("2026-03-05 10:20:30 +0000 UTC", "2026-03-05T10:20:30Z"),
            ("2026-03-05T10:20:30 +0200", "2026-03-05T08:20:30Z"),
            // Orders, dots, ordinals, halves of the day.
            ("2026 Mar 5 10:20", "2026-03-05T10:20:00Z"),
            ("Thu, 2026/03/05 10:20:30 EDT", "2026-03-05T14:20:30Z"),
            ("Thu Mar 05 2026 10:20:30 +0200", "2026-03-05T08:20:30Z"),
            ("Thu, 05 Mar, 2026 10:20:30 UTC", "2026-03-05T10:20:30Z"),
            ("Sat 25 Apr 2026", "2026-04-25T00:00:00Z"),
            ("6 Jun. 2026", "2026-06-06T00:00:00Z"),
            ("1st of April 2026", "2026-04-01T00:00:00Z"),
            ("Friday, December 22, 2025 - 3:09pm", "2025-12-22T15:09:00Z"),
            ("Dec 22, 2025 3 PM", "2025-12-22T15:00:00Z"),
            ("Dec 22, 2025 3pm EST", "2025-12-22T20:00:00Z"),
            ("12/22/2025 3:09:05 p.m.", "2025-12-22T15:09:05Z"),
            ("25.12.25 10:20", "2025-12-25T10:20:00Z"),
            ("5 mars 2026 10h20", "2026-03-05T10:20:00Z"),
            // Zones in every form.
            ("Thu, 05 Mar 2026 10:20:30 Etc/GMT", "2026-03-05T10:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 GMT-01:01", "2026-03-05T11:21:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 MEST", "2026-03-05T08:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 AT", "2026-03-05T14:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30 +0100 (CET)", "2026-03-05T09:20:30Z"),
            ("Thu, 05 Mar 2026 10:20:30.000 -0500", "2026-03-05T15:20:30Z"),
            // Languages.
            ("Donnerstag, 5. März 2026 10:20 MEZ", "2026-03-05T09:20:00Z"),
            ("5. Jänner 2026", "2026-01-05T00:00:00Z"),
            ("mar. 3 févr. 2026 10:20:30 +0100", "2026-02-03T09:20:30Z"),
            ("mar, 05 mar 2026 10:20:30 +0100", "2026-03-05T09:20:30Z"),
            ("jueves, 5 de marzo de 2026 10:20", "2026-03-05T10:20:00Z"),
            ("giovedì 5 giugno 2026", "2026-06-05T00:00:00Z"),
            ("Qui, 05 Março 2026 10:20:30 -0300", "2026-03-05T13:20:30Z"),
            ("do 05 mrt 2026 10:20:30 +0100", "2026-03-05T09:20:30Z"),
            ("tors, 5 maj 2026", "2026-05-05T00:00:00Z"),
            ("5. lokakuuta 2026 klo 10.20", "none"),
            ("Чт, 05 мар 2026 10:20:30 +0300", "2026-03-05T07:20:30Z"),
            ("5 мая 2026 г. 10:20", "2026-05-05T10:20:00Z"),
            ("czw., 05 paź 2026 10:20:30 +0200", "2026-10-05T08:20:30Z"),
            ("5. října 2026", "2026-10-05T00:00:00Z"),
            ("sub., 5. ožujka 2026. 10:20", "2026-03-05T10:20:00Z"),
            ("5. kolovoza 2026.", "2026-08-05T00:00:00Z"),
            ("Πέμ, 05 Μαρ 2026 10:20:30 EET", "2026-03-05T08:20:30Z"),
            ("Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00Z"),
            ("2026-július-13T9:15-05:00", "2026-07-13T14:15:00Z"),
            ("2026. március 5. 10:20", "2026-03-05T10:20:00Z"),
            ("5 Ağustos 2026", "2026-08-05T00:00:00Z"),
            ("5 août 2026", "2026-08-05T00:00:00Z"),
            ("٥ مارس ٢٠٢٦", "2026-03-05T00:00:00Z"),
            ("5 मार्च 2026", "2026-03-05T00:00:00Z"),
            ("2026-05-25 오후 11:23:17", "2026-05-25T14:23:17Z"),
            ("2026년 05월 28일  01:31:15", "2026-05-27T16:31:15Z"),
            ("2026年3月5日(木) 10時20分", "2026-03-05T10:20:00Z"),
            ("2026年03月05日 10:20:30", "2026-03-05T10:20:30Z"),
            ("２０２６年３月５日", "2026-03-05T00:00:00Z"),
        ] {
            let parsed = parse(text).map(|time| time.to_string());
            assert_eq!(parsed.as_deref().unwrap_or("none"), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            " ",
            "yesterday",
            "Thu, 30 Feb 2026 10:20:30 GMT",
            "2026-02-30",
            "2026-13-01",
            "Thu, 05 Mar 2026 25:00:00 GMT",
            "Thu, 05 Mar 2026 10:61:00 GMT",
            "Mar",
            "10:20:30",
            "99999999999999999999",
            "2026-03-05T10:20:30+99:99",
            "::::",
            "+-+-",
            "5 Mar 123456",
            "2026-99999999999999999999-1",
            "Thu, 05 zzz 2026 10:20:30 GMT",
            "Thu, Mar x 2026 10:20:30 GMT",
            "Thu, 05 Mar zz 10:20:30 GMT",
            "Thu, 05 Mar 2026 1:2:3:4 GMT",
            "Thu, 05 Mar 2026 10:20:30 +zz:00",
            "Thu, 05 Mar 2026 10:20:30 +00:zz",
            "Thu, 99 Mar 2026 10:20:30 GMT",
            "2026-03-05T10:20:61Z",
            "2026-03-05T10:61:00Z",
            "2026-03-05T09:xx:00Z",
            "2026-xx-05",
            "2026-03-05-01",
            "2026-03-05T10:20:30-06:00Textra",
            "9999-12-31T23:59:59-99:99",
            "2026-03-05 9223372036854775807:00",
            "2026-W54-1",
            "2026-W\u{fffd}",
            "2026-W10-8",
            "2026-366",
            "13:20 am 5 Mar 2026",
            "5 Mar 2026 6 Apr 2026",
            "2026 edition",
            "5 Mar 2026 10:20 11:30",
            // Forms that ISO 8601 has withdrawn, and that may mean anything.
            "22013",
            "013",
            "-0312",
            "-03-12",
            "03335",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"1".repeat(500)), None);
    }

    #[test]
    fn what_is_standard_needs_no_tables() {
        for text in ["Thu, 05 Mar 2026 10:20:30 GMT", "Thu, 5 Mar 2026 10:20:30 +0800", "2026-03-05T10:20:30-05:00"] {
            assert!(standard(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_may_be_meant_otherwise_is_doubted() {
        for (text, doubt) in [
            ("Thu, 05 Mar 2026 10:20:30 XYZ", Some(Doubt::Word)),
            ("Thu, 05 Mar 2026 10:20:30 Europe/Nowhere", Some(Doubt::Word)),
            ("Thu, 05 Mar 2026 10:20:30 +0100 XYZ", None),
            ("Thu, 05 Mar 2026 10:20:30 GMT", None),
            ("3/5/2026", Some(Doubt::Order)),
            ("5/5/2026", None),
            ("25/3/2026", None),
            ("05.03.2026", None),
            ("03-05-2026", Some(Doubt::Order)),
            ("05-05-2026", None),
            ("25-03-2026", None),
            ("05-Mar-2026", None),
            ("5 listopada 2026", Some(Doubt::Month)),
            ("5 lip 2026", Some(Doubt::Month)),
            ("5 lipca 2026", None),
            ("Thu, 05 Mar 2026 10:20:30 IST", Some(Doubt::Zone)),
            ("Thu, 05 Mar 2026 10:20:30 BST", Some(Doubt::Zone)),
            ("Thu, 05 Mar 2026 10:20:30 CST", Some(Doubt::Zone)),
            ("Thu, 05 Mar 2026 10:20:30 -0600 (CST)", None),
            ("Thu, 05 Mar 2026 10:20:30 EST", None),
            ("26-03-05", Some(Doubt::Order)),
            ("2026-03-05", None),
        ] {
            assert_eq!(read(text).unwrap().doubt, doubt, "{text}");
        }
    }

    #[test]
    fn what_is_known_of_the_feed_counts() {
        let known = |order, language| Habits { order, language };
        let (none, day_first) = (known(None, None), known(Some(Order::DayFirst), None));
        for (text, habits, expected) in [
            ("3/5/2026", none, "2026-03-05T00:00:00Z"),
            ("3/5/2026", day_first, "2026-05-03T00:00:00Z"),
            ("3-5-2026", none, "2026-05-03T00:00:00Z"),
            ("3-5-2026", known(Some(Order::MonthFirst), None), "2026-03-05T00:00:00Z"),
            // What cannot be is not tried, and with dots there is one order.
            ("3/25/2026", day_first, "2026-03-25T00:00:00Z"),
            ("3.5.2026", known(Some(Order::MonthFirst), None), "2026-05-03T00:00:00Z"),
            ("5 lip 2026", known(None, Some("hr")), "2026-06-05T00:00:00Z"),
            ("5 lip 2026", known(None, Some("pl")), "2026-07-05T00:00:00Z"),
            ("5 Mar 2026 10:20 IST", known(None, Some("he")), "2026-03-05T08:20:00Z"),
            ("5 Mar 2026 10:20 IST", known(None, Some("en-ie")), "2026-03-05T09:20:00Z"),
            ("5 Mar 2026 10:20 IST", known(None, Some("en-in")), "2026-03-05T04:50:00Z"),
            ("5 Mar 2026 10:20 BST", known(None, Some("bn")), "2026-03-05T04:20:00Z"),
            ("5 Mar 2026 10:20 +0000 CST", known(None, Some("zh")), "2026-03-05T10:20:00Z"),
        ] {
            let time = read_by(text, habits).map(|reading| reading.time.to_string());
            assert_eq!(time.as_deref(), Some(expected), "{text}");
        }
        for (text, order) in [
            ("25/3/2026", Some(Order::DayFirst)),
            ("3/25/2026", Some(Order::MonthFirst)),
            ("25-3-2026", Some(Order::DayFirst)),
            ("25.3.2026", None),
            ("3/5/2026", None),
            ("2026-03-25", None),
        ] {
            assert_eq!(read(text).and_then(|reading| reading.shows), order, "{text}");
        }
    }

    /// A date in many notations, and the notations that have no time of day.
    fn printed(time: Timestamp) -> (Vec<String>, Vec<String>) {
        let (date, clock) = {
            let moment = jiff::tz::TimeZone::UTC.to_datetime(time);
            (moment.date(), moment.time())
        };
        let (year, month, day) = (date.year(), date.month(), date.day());
        let hms = format!("{:02}:{:02}:{:02}", clock.hour(), clock.minute(), clock.second());
        let half = if clock.hour() < 12 { "AM" } else { "pm" };
        let twelve = format!("{}:{:02}:{:02}", (clock.hour() + 11) % 12 + 1, clock.minute(), clock.second());
        let weekday = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
            [usize::try_from(date.weekday().to_monday_zero_offset()).unwrap()];
        let english = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            [usize::try_from(month - 1).unwrap()];
        let week = date.iso_week_date();
        let week_day = week.weekday().to_monday_one_offset();
        let seconds = vec![
            time.to_string(),
            format!("{weekday}, {day:02} {english} {year} {hms} GMT"),
            format!("{weekday}, {day} {english} {year} {hms} +0000"),
            format!("{day} {english} {year} {twelve} {half}"),
            format!("{english} {day}, {year} {twelve}{half} UTC"),
            format!("{weekday} {english} {day:>2} {hms} {year}"),
            format!("{weekday} {english} {day:02} {hms} UTC {year}"),
            format!("{year}-{month:02}-{day:02} {hms}"),
            format!("{year}{month:02}{day:02}T{}Z", hms.replace(':', "")),
            format!("{year}-W{:02}-{week_day}T{hms}Z", week.week()).replacen(
                &year.to_string(),
                &week.year().to_string(),
                1,
            ),
            format!("{year}-{:03}T{hms}Z", date.day_of_year()),
            format!("{day:02}.{month:02}.{year} {hms}"),
            format!("{month}/{day}/{year} {twelve} {half}"),
            format!("{year}年{month}月{day}日 {hms}"),
            format!("{year}년 {month}월 {day}일 {hms} +0000"),
        ];
        let mut days = vec![format!("{year}-{month:02}-{day:02}"), format!("{year}{month:02}{day:02}")];
        for (_, months) in months::MONTHS {
            for form in months[usize::try_from(month - 1).unwrap()].split('|') {
                days.push(format!("{day}. {form} {year}"));
                days.push(format!("{form} {day}, {year}"));
                days.push(format!("{day}-{form}-{year}"));
                days.push(format!("Xday, {day} {} {year}", form.to_uppercase()));
            }
        }
        (seconds, days)
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..proptest::prelude::ProptestConfig::with_cases(300) })]

        #[test]
        fn what_is_standard_is_read_as_the_tables_read_it(
            (year, month, day) in (0..10_000, 0..14, 0..33),
            (hour, minute, second) in (0..26, 0..62, 0..62),
            (weekday, zone, offset) in (0_usize..7, 0_usize..5, -1_600_i32..1_600),
        ) {
            let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
            let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Xxx"];
            let name = months[usize::try_from(month).unwrap() % 13];
            let time = format!("{hour:02}:{minute:02}:{second:02}");
            let zone = ["GMT".to_owned(), "EST".to_owned(), "XYZ".to_owned(), format!("{offset:+05}"), "+0000".to_owned()]
                [zone].clone();
            let written = format!("{}, {day:02} {name} {year:04} {time} {zone}", names[weekday]);
            let offset = format!("{}:{:02}", format!("{:+05}", offset).get(..3).unwrap(), offset.abs() % 100);
            let zones = ["Z", &offset];
            for text in [written, format!("{year:04}-{month:02}-{day:02}T{time}{}", zones[weekday % 2])] {
                if let Some(time) = standard(&text) {
                    let table = tabular(&text, Habits::default());
                    proptest::prop_assert_eq!(table, Some(Reading { time, doubt: None, shows: None }), "{}", text);
                }
            }
        }

        #[test]
        fn what_is_printed_is_read(second in 0_i64..4_102_444_800) {
            let time = Timestamp::from_second(second).unwrap();
            let (seconds, days) = printed(time);
            for text in seconds {
                proptest::prop_assert_eq!(parse(&text), Some(time), "{}", text);
            }
            let midnight = Timestamp::from_second(second - second % 86_400).unwrap();
            for text in days {
                proptest::prop_assert_eq!(parse(&text), Some(midnight), "{}", text);
            }
        }
    }
}
