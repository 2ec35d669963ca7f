//! From the tokens of a date to its parts, and from the parts to a time.

use jiff::{Timestamp, civil};

use super::{
    Doubt, Habits, Order, Reading,
    words::{afternoon, is_filler, is_weekday, may_be_day, month, month_in, zone, zone_in},
};

/// What is known of a date so far.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Parts<'a> {
    year: Option<i16>,
    month: Option<i8>,
    /// The month came from a word that may be the name of a day as well.
    month_may_be_day: bool,
    day: Option<i8>,
    /// Seconds of the day, up to 24 hours.
    seconds: Option<i64>,
    nanosecond: i32,
    afternoon: Option<bool>,
    offset_min: Option<i32>,
    /// The offset where the text names none: its language is spoken in one zone only.
    pub(super) home_min: Option<i32>,
    habits: Habits<'a>,
    doubt: Option<Doubt>,
    /// The offset is that of a name with several meanings.
    doubtful_zone: bool,
    shows: Option<Order>,
}

/// `10:20:30` in seconds of the day. None if there is no such time; `60` seconds are a leap second (RFC 5322 section 3.3).
fn clock(hour: i64, minute: i64, second: i64) -> Option<i64> {
    let exists = (0..=24).contains(&hour) && (0..=59).contains(&minute) && (0..=60).contains(&second);
    (exists && (hour < 24 || minute + second == 0)).then(|| hour * 3_600 + minute * 60 + second.min(59))
}

/// The fields of a text of digits and separators. None if something else is in it.
fn fields<'a>(text: &'a str, separators: &[char]) -> Option<Vec<&'a str>> {
    let fields: Vec<&str> = text.split(separators).collect();
    let digits = |field: &&str| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
    fields.iter().all(digits).then_some(fields)
}

impl<'a> Parts<'a> {
    pub(super) fn new(habits: Habits<'a>) -> Self {
        Self { habits, ..Self::default() }
    }

    /// One token of a date. None if there is something in it that cannot be.
    pub(super) fn token(&mut self, token: &str) -> Option<()> {
        let bare = token.trim_matches('.');
        if self.seconds.is_none() && is_filler(bare) {
            return Some(());
        }
        if self.year.is_none() && self.iso_date(bare)? {
            return Some(());
        }
        // `gmt+8`, `utc-05:00`.
        if let Some(at) = bare.find(['+', '-'])
            && let Some((name, rest)) = bare.split_at_checked(at)
            && zone(name) == Some(0)
        {
            return self.offset(rest);
        }
        if bare.starts_with(['+', '-']) && (self.day.is_some() || self.seconds.is_some()) {
            return self.offset(bare);
        }
        if bare.contains(':') {
            return self.time(bare);
        }
        if let Some(afternoon) = afternoon(bare) {
            self.afternoon = Some(afternoon);
            return Some(());
        }
        if bare.contains(['-', '/', '.']) && bare.starts_with(char::is_alphanumeric) {
            return self.joined(bare);
        }
        match bare.starts_with(|c: char| c.is_ascii_digit()) {
            true => self.number(bare),
            false => self.word(bare),
        }
    }

    /// ISO 8601 and what looks like it: `2026-03-05`, `20260305`, `2026-03`, `2026-064`, `2026-W10-4`, `2026/3/5`, `2026`,
    /// `26-03-05`, `260305`. False if it is something else, None if it is a date that cannot be.
    fn iso_date(&mut self, token: &str) -> Option<bool> {
        let digits = token.bytes().take_while(u8::is_ascii_digit).count();
        let alone = digits == token.len();
        let (year, rest) = match digits {
            4 if !alone || self.day.is_none() => token.split_at(4),
            8 | 14 if alone => token.split_at(4),
            6 if alone && self.day.is_none() => token.split_at(2),
            7 if alone && self.day.is_none() => token.split_at(4),
            _ => return Some(false),
        };
        let full_year = year_of(year)?;
        let rest = rest.trim_matches(['-', '/', '.']);
        if rest.is_empty() {
            self.year = Some(full_year);
            return Some(true);
        }
        // `10:20` and the like, or a date whose other parts are there already.
        if self.day.is_some() || self.month.is_some() || rest.contains(':') {
            return Some(false);
        }
        if let Some(week) = rest.strip_prefix('w') {
            let date = week_date(full_year, week)?;
            (self.year, self.month, self.day) = (Some(date.year()), Some(date.month()), Some(date.day()));
            return Some(true);
        }
        let date = if alone {
            self.dense(full_year, rest)?
        } else {
            match self.fields_after_year(full_year, rest) {
                Some(date) => date,
                // A year at the start of something else, such as a name.
                None if rest.contains(char::is_alphabetic) => return Some(false),
                None => return None,
            }
        };
        self.year = Some(full_year);
        (self.month, self.day) = (Some(date.0), Some(date.1));
        Some(true)
    }

    /// `0305`, `0305102030` or `064` after the year.
    fn dense(&mut self, year: i16, rest: &str) -> Option<(i8, i8)> {
        if rest.len() == 3 {
            return ordinal(year, rest);
        }
        let part = |from: usize| rest.get(from..from + 2)?.parse::<i64>().ok();
        if rest.len() == 10 {
            self.seconds = Some(clock(part(4)?, part(6)?, part(8)?)?);
        }
        Some((i8::try_from(part(0)?).ok()?, i8::try_from(part(2)?).ok()?))
    }

    /// `03-05`, `3/5`, `03`, `064`, `marz-05` after the year and a separator.
    fn fields_after_year(&mut self, year: i16, rest: &str) -> Option<(i8, i8)> {
        let separators = ['-', '/', '.'];
        if let Some((name, day)) = rest.split_once(separators)
            && let Some(month) = month(name)
        {
            return Some((month, day.parse().ok()?));
        }
        match fields(rest, &separators)?.as_slice() {
            [number] if number.len() == 3 => ordinal(year, number),
            [month] => Some((month.parse().ok()?, 1)),
            [month, day] => Some((month.parse().ok()?, day.parse().ok()?)),
            _ => None,
        }
    }

    /// `10:20`, `10:20:30`, `10:20:30.123z`, `10:20+01:00`, `10:20pm`.
    fn time(&mut self, token: &str) -> Option<()> {
        let end = token.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.'))).unwrap_or(token.len());
        let (text, rest) = token.split_at(end);
        let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
        let text = text.strip_suffix(':').unwrap_or(text);
        let numbers: Option<Vec<i64>> = fields(text, &[':'])?.iter().map(|field| field.parse().ok()).collect();
        self.seconds = match (self.seconds, numbers?.as_slice()) {
            // A second time of day: which of the two is it?
            (Some(_), _) => return None,
            (None, [hour, minute]) => Some(clock(*hour, *minute, 0)?),
            (None, [hour, minute, second]) => Some(clock(*hour, *minute, *second)?),
            _ => return None,
        };
        if !fraction.is_empty() {
            let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
            self.nanosecond = nine.parse().ok()?;
        }
        if rest.is_empty() {
            return Some(());
        }
        if let Some(afternoon) = afternoon(rest) {
            self.afternoon = Some(afternoon);
            return Some(());
        }
        match rest.starts_with(['+', '-']) {
            true => self.offset(rest),
            false => self.word(rest),
        }
    }

    /// `05-mar-2026`, `3/5/2026`, `05.03.2026`, `etc/gmt`.
    fn joined(&mut self, token: &str) -> Option<()> {
        let separators = ['-', '/', '.'];
        if token.contains(char::is_alphabetic) {
            for field in token.split(separators).filter(|field| !field.is_empty()) {
                match field.starts_with(|c: char| c.is_ascii_digit()) {
                    true => self.number(field)?,
                    false => self.word(field)?,
                }
            }
            return Some(());
        }
        // `5.` is a day, `05.03.` one with its month.
        let fields = fields(token.trim_end_matches('.'), &separators)?;
        let [a, b, c] = fields.as_slice() else { return None };
        if self.year.is_some() || self.day.is_some() || self.month.is_some() {
            return None;
        }
        let (first, second): (i8, i8) = (a.parse().ok()?, b.parse().ok()?);
        // Two digits and hyphens: the year comes first, as ISO 8601 had it until 2000.
        if token.contains('-') && c.len() == 2 {
            self.doubt = Some(Doubt::Order);
            self.year = Some(year_of(a)?);
            (self.month, self.day) = (Some(second), Some(c.parse().ok()?));
            return Some(());
        }
        // With dots the day comes first, unless that cannot be. With slashes and hyphens nobody knows: as the other dates of
        // the feed have it, else slashes are American.
        let dots = !token.contains(['/', '-']);
        let usual = if token.contains('/') { Order::MonthFirst } else { Order::DayFirst };
        let order = match (first > 12, second > 12) {
            (false, false) if dots => Order::DayFirst,
            (false, false) => {
                if self.habits.order.is_none() && first != second {
                    self.doubt = Some(Doubt::Order);
                }
                self.habits.order.unwrap_or(usual)
            }
            (_, true) => Order::MonthFirst,
            (true, false) => Order::DayFirst,
        };
        if !dots && first.max(second) > 12 {
            self.shows = Some(order);
        }
        let (day, month) = if order == Order::DayFirst { (first, second) } else { (second, first) };
        self.day = Some(day);
        self.month = Some(month);
        self.year = Some(year_of(c)?);
        Some(())
    }

    fn number(&mut self, token: &str) -> Option<()> {
        let end = token.find(|c: char| !c.is_ascii_digit()).unwrap_or(token.len());
        let (digits, suffix) = token.split_at(end);
        match suffix {
            "" | "st" | "nd" | "rd" | "th" | "er" | "re" | "º" | "ª" | "º." => {}
            "z" => self.offset_min = Some(0),
            // `3pm`
            _ if digits.len() <= 2 && self.day.is_some() && self.seconds.is_none() => {
                self.afternoon = Some(afternoon(suffix)?);
                self.seconds = clock(digits.parse().ok()?, 0, 0);
                return self.seconds.map(|_| ());
            }
            _ => return None,
        }
        if digits.len() <= 2 && self.day.is_none() {
            self.day = Some(digits.parse().ok()?);
        } else if self.year.is_none() && (digits.len() == 4 || self.day.is_some()) {
            self.year = Some(year_of(digits)?);
        } else if self.year.is_some() && self.seconds.is_none() {
            let part = |from: usize| digits.get(from..from + 2).map_or(Some(0), |part| part.parse::<i64>().ok());
            self.seconds = match digits.len() {
                1 | 2 => Some(clock(digits.parse().ok()?, 0, 0)?),
                4 | 6 => Some(clock(part(0)?, part(2)?, part(4)?)?),
                _ => return None,
            };
        } else if digits.len() == 4 && self.offset_min.is_none() {
            return self.offset(digits);
        } else {
            return None;
        }
        Some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let month = month_in(word, self.habits.language);
        if self.seconds.is_some() {
            // An offset in digits is more exact than the name in brackets after it.
            if self.named_zone(word).is_some() {
                return Some(());
            }
            if is_filler(word) {
                return Some(());
            }
        }
        match month {
            Some((month, sure)) if self.month.is_none() || self.month_may_be_day => {
                self.month = Some(month);
                self.doubt = self.doubt.or((!sure).then_some(Doubt::Month));
                self.month_may_be_day = may_be_day(word);
            }
            Some(_) if may_be_day(word) => {}
            // Two dates.
            Some(_) => return None,
            // In front of the date it is the name of a day, in whatever language.
            None if is_weekday(word) || (self.day.is_none() && self.year.is_none() && self.month.is_none()) => {}
            // In it, something else is meant than a date.
            None if self.day.is_none() || self.year.is_none() || self.month.is_none() => return None,
            // After it, nothing but a zone can be meant.
            None => {
                if self.named_zone(word).is_none() && self.offset_min.is_none() {
                    self.doubt = Some(Doubt::Word);
                }
            }
        }
        Some(())
    }

    /// The name of a zone, where no offset is known yet. None if it is none.
    fn named_zone(&mut self, word: &str) -> Option<()> {
        let (minutes, sure) = zone_in(word, self.habits.language)?;
        if self.offset_min.is_none() {
            self.offset_min = Some(minutes);
            self.doubtful_zone = !sure;
        }
        Some(())
    }

    /// `+01:00`, `+0100`, `-8`, `+1:00`. None beyond the zones of the world, which end at +14.
    fn offset(&mut self, text: &str) -> Option<()> {
        let sign = if text.starts_with('-') { -1 } else { 1 };
        let digits = text.trim_start_matches(['+', '-']);
        let (digits, zone) = match digits.find(|c: char| !(c.is_ascii_digit() || c == ':')) {
            Some(at) => digits.split_at(at),
            None => (digits, ""),
        };
        let (hours, minutes) = match digits.split_once(':') {
            Some((hours, minutes)) => (hours, minutes),
            None if digits.len() > 2 => digits.split_at_checked(digits.len() - 2)?,
            None => (digits, "0"),
        };
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        if !zone.is_empty() || hours > 14 || minutes > 59 {
            return None;
        }
        self.offset_min = Some(sign * (hours * 60 + minutes));
        self.doubtful_zone = false;
        Some(())
    }

    pub(super) fn reading(self) -> Option<Reading> {
        // A year alone is its first day (W3CDTF), a month without a day its first.
        let year_alone = self.month.is_none() && self.day.is_none() && self.seconds.is_none();
        let month = if year_alone { 1 } else { self.month? };
        let date = civil::Date::new(self.year?, month, self.day.unwrap_or(1)).ok()?;
        let mut seconds = self.seconds.unwrap_or(0);
        match self.afternoon {
            // 13:00 pm is said, 13:00 am is not meant.
            Some(true) if seconds < 12 * 3_600 => seconds += 12 * 3_600,
            Some(false) if (12 * 3_600..13 * 3_600).contains(&seconds) => seconds -= 12 * 3_600,
            Some(false) if seconds >= 13 * 3_600 => return None,
            _ => {}
        }
        let midnight = date.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
        let offset_min = self.offset_min.or(self.home_min.filter(|_| self.seconds.is_some())).unwrap_or(0);
        let time = Timestamp::new(midnight + seconds - i64::from(offset_min) * 60, self.nanosecond).ok()?;
        let doubt = self.doubt.or(self.doubtful_zone.then_some(Doubt::Zone));
        Some(Reading { time, doubt, shows: self.shows })
    }
}

/// The day of a week: `10-4`, `104`, `10` (ISO 8601 section 4.1.4).
fn week_date(year: i16, text: &str) -> Option<civil::Date> {
    let digits = fields(text, &['-'])?.concat();
    let (week, day) = match digits.len() {
        2 => (digits.as_str(), "1"),
        3 => digits.split_at(2),
        _ => return None,
    };
    let weekday = jiff::civil::Weekday::from_monday_one_offset(day.parse().ok()?).ok()?;
    Some(civil::ISOWeekDate::new(year, week.parse().ok()?, weekday).ok()?.date())
}

/// The day of a year: `064`.
fn ordinal(year: i16, text: &str) -> Option<(i8, i8)> {
    let number: i64 = text.parse().ok()?;
    let first = civil::Date::new(year, 1, 1).ok()?;
    if number < 1 || number > i64::from(first.days_in_year()) {
        return None;
    }
    let date = first.checked_add(jiff::Span::new().days(number - 1)).ok()?;
    Some((date.month(), date.day()))
}

/// RFC 5322 section 4.3: 00 to 49 is this century, three digits count from 1900.
fn year_of(digits: &str) -> Option<i16> {
    let year: i16 = digits.parse().ok()?;
    match digits.len() {
        2 if year < 50 => Some(2000 + year),
        2 | 3 => Some(1900 + year),
        4 => Some(year),
        _ => None,
    }
}
