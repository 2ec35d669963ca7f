//! Dates as feeds write them.
//!
//! One lenient reader for RFC 822 and its mutations, ISO 8601 / RFC 3339, `asctime`, American, German and Chinese notations,
//! and Unix times. A date without a zone is taken as UTC; one that cannot exist (30 February) is none.

use jiff::{Timestamp, civil};

/// Longer texts are no dates.
const MAX_BYTES: usize = 120;

/// Names of months, by their first letters; the longest that fits wins.
const MONTHS: &[(&str, i8)] = &[
    ("jan", 1),
    ("feb", 2),
    ("mar", 3),
    ("mär", 3),
    ("mrz", 3),
    ("apr", 4),
    ("avr", 4),
    ("may", 5),
    ("mai", 5),
    ("jun", 6),
    ("juin", 6),
    ("jul", 7),
    ("juil", 7),
    ("aug", 8),
    ("aoû", 8),
    ("sep", 9),
    ("oct", 10),
    ("okt", 10),
    ("nov", 11),
    ("dec", 12),
    ("dez", 12),
    ("déc", 12),
];

const WEEKDAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Names of zones, as minutes east of Greenwich.
const ZONES: &[(&str, i32)] = &[
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("wet", 0),
    ("est", -300),
    ("edt", -240),
    ("et", -300),
    ("cst", -360),
    ("cdt", -300),
    ("ct", -360),
    ("mst", -420),
    ("mdt", -360),
    ("mt", -420),
    ("pst", -480),
    ("pdt", -420),
    ("pt", -480),
    ("akst", -540),
    ("akdt", -480),
    ("hst", -600),
    ("ast", -240),
    ("adt", -180),
    ("nst", -210),
    ("ndt", -150),
    ("brt", -180),
    ("art", -180),
    ("bst", 60),
    ("west", 60),
    ("cet", 60),
    ("met", 60),
    ("mez", 60),
    ("cest", 120),
    ("mest", 120),
    ("mesz", 120),
    ("eet", 120),
    ("sast", 120),
    ("eest", 180),
    ("msk", 180),
    ("gst", 240),
    ("ist", 330),
    ("ict", 420),
    ("hkt", 480),
    ("sgt", 480),
    ("awst", 480),
    ("jst", 540),
    ("kst", 540),
    ("acst", 570),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
];

#[derive(Debug, Default, Clone, Copy)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    /// Seconds of the day, up to 24 hours.
    seconds: Option<i64>,
    nanosecond: i32,
    afternoon: Option<bool>,
    offset_min: Option<i32>,
}

/// Reads a date. Times of day are optional and then midnight.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_BYTES {
        return None;
    }
    if let Some(time) = unix_time(text) {
        return Some(time);
    }
    let mut parts = Parts::default();
    let spaced = normalised(text);
    let mut tokens = spaced.split_whitespace().peekable();
    if let Some(first) = tokens.peek()
        && iso_date(first, &mut parts)
    {
        tokens.next();
    }
    for token in tokens {
        read_token(token, &mut parts)?;
    }
    parts.timestamp()
}

/// Spaces where separators are only decoration, Chinese notation as ISO, `T` between date and time as a space.
fn normalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let digit_follows = rest.peek().is_some_and(char::is_ascii_digit);
        match c {
            '年' | '月' => out.push('-'),
            '日' | '号' | ',' | ';' | '(' | ')' | '\u{a0}' | '_' => out.push(' '),
            '时' | '時' | '点' | '：' => out.push(':'),
            '分' => out.push(' '),
            '−' | '–' => out.push('-'),
            'T' | 't' if before.is_ascii_digit() && digit_follows => out.push(' '),
            _ => out.push(c),
        }
        before = c;
    }
    out.replace("上午", " am ").replace("下午", " pm ")
}

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

/// A token that begins with a year: `2026-03-05`, `20260305`, `2026-03`, `2026-064`, `2026/3/5`, `2026`.
fn iso_date(token: &str, parts: &mut Parts) -> bool {
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    let (year, rest) = match digits {
        4 => token.split_at(4),
        8 | 14 if token.len() == digits => token.split_at(4),
        _ => return false,
    };
    let Ok(year) = year.parse::<i16>() else { return false };
    let fields: Vec<&str> = rest.split(['-', '/', '.']).filter(|field| !field.is_empty()).collect();
    let numbers: Option<Vec<i64>> = fields.iter().map(|field| field.parse().ok()).collect();
    let Some(numbers) = numbers else { return false };
    let (month, day) = match (fields.as_slice(), numbers.as_slice()) {
        ([], []) => (1, 1),
        ([compact], [number]) if digits == 8 && compact.len() == 4 => (number / 100, number % 100),
        ([compact], [number]) if digits == 14 => {
            let time = number % 1_000_000;
            parts.seconds = Some(time / 10_000 * 3_600 + time / 100 % 100 * 60 + (time % 100).min(59));
            (number / 100_000_000, number / 1_000_000 % 100)
        }
        ([ordinal], [number]) if ordinal.len() == 3 => {
            let Ok(first) = civil::Date::new(year, 1, 1) else { return false };
            if *number < 1 || *number > i64::from(first.days_in_year()) {
                return false;
            }
            let date = first.saturating_add(jiff::Span::new().days(number - 1));
            (i64::from(date.month()), i64::from(date.day()))
        }
        (_, [month]) => (*month, 1),
        (_, [month, day]) => (*month, *day),
        _ => return false,
    };
    parts.year = Some(year);
    parts.month = i8::try_from(month).ok();
    parts.day = i8::try_from(day).ok();
    true
}

fn read_token(token: &str, parts: &mut Parts) -> Option<()> {
    let lower = token.to_lowercase();
    let bare = lower.trim_matches('.');
    if bare.is_empty() || bare == "-" || bare == "|" || bare == "at" || bare == "um" || bare == "uhr" || bare == "de" {
        return Some(());
    }
    // `gmt+8`, `utc-05:00`.
    if let Some(at) = bare.find(['+', '-'])
        && let Some((zone, rest)) = bare.split_at_checked(at)
        && zone_of(zone) == Some(0)
    {
        parts.offset_min = Some(offset(rest)?);
        return Some(());
    }
    if bare.starts_with(['+', '-']) && (parts.day.is_some() || parts.seconds.is_some()) {
        parts.offset_min = Some(offset(bare)?);
        return Some(());
    }
    if bare.contains(':') {
        return read_time(bare, parts);
    }
    match bare {
        "am" | "a.m" => parts.afternoon = Some(false),
        "pm" | "p.m" => parts.afternoon = Some(true),
        _ if bare.contains(['-', '/', '.']) && bare.starts_with(|c: char| c.is_alphanumeric()) => {
            read_joined(bare, parts)?;
        }
        _ if bare.starts_with(|c: char| c.is_ascii_digit()) => read_number(bare, parts)?,
        _ => read_word(bare, parts),
    }
    Some(())
}

/// `10:20`, `10:20:30`, `10:20:30.123Z`, `10:20+01:00`, `10:20pm`.
fn read_time(token: &str, parts: &mut Parts) -> Option<()> {
    let end = token.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.'))).unwrap_or(token.len());
    let (clock, rest) = token.split_at(end);
    let mut fields = clock.trim_end_matches(['.', ':']).split(':');
    let hour: i64 = fields.next()?.parse().ok()?;
    let minute: i64 = fields.next()?.parse().ok()?;
    let (second, fraction) = match fields.next().map(|field| field.split_once('.').unwrap_or((field, ""))) {
        Some((second, fraction)) => (second.parse::<i64>().ok()?, fraction),
        None => (0, ""),
    };
    if hour > 24 || minute > 59 || second > 61 || (hour == 24 && minute > 0) {
        return None;
    }
    parts.seconds = Some(hour * 3_600 + minute * 60 + second.min(59));
    if !fraction.is_empty() {
        let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
        parts.nanosecond = nine.parse().ok()?;
    }
    match rest {
        "" => {}
        "am" => parts.afternoon = Some(false),
        "pm" => parts.afternoon = Some(true),
        _ if rest.starts_with(['+', '-']) => parts.offset_min = Some(offset(rest)?),
        _ => read_word(rest, parts),
    }
    Some(())
}

/// `05-Mar-2026`, `3/5/2026`, `05.03.2026`.
fn read_joined(token: &str, parts: &mut Parts) -> Option<()> {
    let fields: Vec<&str> = token.split(['-', '/', '.']).filter(|field| !field.is_empty()).collect();
    if token.chars().any(char::is_alphabetic) {
        // A date with the month's name, or a region such as `europe/berlin`.
        for field in fields {
            match field.starts_with(|c: char| c.is_ascii_digit()) {
                true => read_number(field, parts)?,
                false => read_word(field, parts),
            }
        }
        return Some(());
    }
    let [a, b, c] = fields.as_slice() else { return None };
    let (a, b): (i8, i8) = (a.parse().ok()?, b.parse().ok()?);
    // With slashes the American order, unless it cannot be; else the day comes first.
    let (day, month) = if (token.contains('/') && a <= 12) || b > 12 { (b, a) } else { (a, b) };
    parts.day = Some(day);
    parts.month = Some(month);
    parts.year = Some(year_of(c)?);
    Some(())
}

fn read_number(token: &str, parts: &mut Parts) -> Option<()> {
    let end = token.find(|c: char| !c.is_ascii_digit()).unwrap_or(token.len());
    let (digits, suffix) = token.split_at(end);
    if suffix == "z" {
        parts.offset_min = Some(0);
    } else if !matches!(suffix, "" | "st" | "nd" | "rd" | "th") {
        return None;
    }
    if digits.len() <= 2 && parts.day.is_none() {
        parts.day = Some(digits.parse().ok()?);
    } else if parts.year.is_none() {
        parts.year = Some(year_of(digits)?);
    } else if digits.len() <= 2 && parts.seconds.is_none() {
        parts.seconds = Some(digits.parse::<i64>().ok().filter(|hour| *hour < 24)? * 3_600);
    } else if digits.len() == 4 && parts.seconds.is_none() {
        let clock: i64 = digits.parse().ok()?;
        parts.seconds = Some(clock / 100 * 3_600 + clock % 100 * 60).filter(|seconds| *seconds < 86_400);
    } else if digits.len() == 6 && parts.seconds.is_none() {
        let clock: i64 = digits.parse().ok()?;
        let seconds = clock / 10_000 * 3_600 + clock / 100 % 100 * 60 + clock % 100;
        parts.seconds = Some(seconds).filter(|seconds| *seconds < 86_400);
    } else if digits.len() == 4 && parts.offset_min.is_none() {
        parts.offset_min = Some(offset(digits)?);
    } else {
        return None;
    }
    Some(())
}

fn read_word(word: &str, parts: &mut Parts) {
    let is_weekday = WEEKDAYS.iter().any(|day| word.starts_with(day));
    let month = MONTHS.iter().filter(|(name, _)| word.starts_with(name)).max_by_key(|(name, _)| name.len());
    if let Some(minutes) = zone_of(word) {
        // An offset in digits is more exact than the name in brackets after it.
        parts.offset_min.get_or_insert(minutes);
    } else if let Some((_, month)) = month
        && parts.month.is_none()
        && !is_weekday
    {
        parts.month = Some(*month);
    }
    // Other words are names of days in some language, or of zones that are taken as UTC.
}

fn zone_of(word: &str) -> Option<i32> {
    ZONES.iter().find(|(name, _)| *name == word).map(|(_, minutes)| *minutes)
}

/// `+01:00`, `+0100`, `-8`, `+1:00`, in minutes. None beyond a day.
fn offset(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.trim_start_matches(['+', '-']);
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
        None => (digits, "0"),
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 24 && minutes <= 59 && hours >= 0 && minutes >= 0).then_some(sign * (hours * 60 + minutes))
}

/// RFC 2822 section 4.3: 00 to 49 is this century.
fn year_of(digits: &str) -> Option<i16> {
    let year: i16 = digits.parse().ok()?;
    match digits.len() {
        2 if year < 50 => Some(2000 + year),
        2 | 3 => Some(1900 + year),
        4 => Some(year),
        _ => None,
    }
}

impl Parts {
    fn timestamp(self) -> Option<Timestamp> {
        let date = civil::Date::new(self.year?, self.month?, self.day.unwrap_or(1)).ok()?;
        let mut seconds = self.seconds.unwrap_or(0);
        match self.afternoon {
            Some(true) if seconds < 12 * 3_600 => seconds += 12 * 3_600,
            Some(false) if (12 * 3_600..13 * 3_600).contains(&seconds) => seconds -= 12 * 3_600,
            _ => {}
        }
        let midnight = date.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
        let second = midnight + seconds - i64::from(self.offset_min.unwrap_or(0)) * 60;
        Timestamp::new(second, self.nanosecond).ok()
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
        ] {
            let parsed = parse(text).map(|time| time.to_string());
            assert_eq!(parsed.as_deref(), Some(expected), "{text}");
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
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"1".repeat(500)), None);
    }
}
