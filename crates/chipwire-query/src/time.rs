//! Dates in queries: a point in time that may be as wide as a year or relative to now, and ranges of them.

use std::fmt;

use jiff::{Timestamp, civil, tz::TimeZone};

/// Milliseconds since 1970 (UTC), rounded down: the precision of every comparison of times in queries.
pub fn unix_ms(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond().div_euclid(1_000_000)).unwrap_or(i64::MAX)
}

/// The unit of a distance from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// `s`
    Second,
    /// `m`
    Minute,
    /// `h`
    Hour,
    /// `d`: 24 hours.
    Day,
    /// `w`: 7 days.
    Week,
}

impl TimeUnit {
    fn letter(self) -> char {
        match self {
            Self::Second => 's',
            Self::Minute => 'm',
            Self::Hour => 'h',
            Self::Day => 'd',
            Self::Week => 'w',
        }
    }

    fn of(letter: char) -> Option<Self> {
        [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week].into_iter().find(|unit| unit.letter() == letter)
    }

    fn ms(self) -> i64 {
        1000 * match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
            Self::Week => 604_800,
        }
    }
}

/// A point in time as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimePoint {
    /// `2026`: a whole year, in UTC.
    Year(i16),
    /// `2026-01`: a whole month, in UTC; the date is its first day.
    Month(civil::Date),
    /// `2026-01-31`: a whole day, in UTC.
    Day(civil::Date),
    /// `2026-01-31T08:00:00Z`, or with another offset; without one it is UTC.
    Instant(Timestamp),
    /// `now`, `now-24h`, `now+1d`.
    Now {
        /// How many units after now; negative before.
        amount: i32,
        /// The unit.
        unit: TimeUnit,
    },
}

impl TimePoint {
    /// Reads a point in time; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(distance) = text.strip_prefix("now") {
            if distance.is_empty() {
                return Some(Self::Now { amount: 0, unit: TimeUnit::Second });
            }
            let mut digits = distance.chars();
            let unit = TimeUnit::of(digits.next_back()?)?;
            let (sign, number) = digits.as_str().split_at_checked(1)?;
            let number = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse::<i32>().ok())??;
            return match sign {
                "-" => Some(Self::Now { amount: -number, unit }.canonical()),
                "+" => Some(Self::Now { amount: number, unit }.canonical()),
                _ => None,
            };
        }
        let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        match shape.as_str() {
            "0000" => civil::Date::new(text.parse().ok()?, 1, 1).ok().map(|first| Self::Year(first.year())),
            "0000-00" => format!("{text}-01").parse().ok().map(Self::Month),
            "0000-00-00" => text.parse().ok().map(Self::Day),
            shape if shape.starts_with("0000-00-00T") || shape.starts_with("0000-00-00t") => {
                let instant = text.parse::<Timestamp>().ok();
                let in_utc = || text.parse::<civil::DateTime>().ok()?.to_zoned_datetime(TimeZone::UTC).ok();
                instant.or_else(|| in_utc().map(|zoned| zoned.timestamp())).map(Self::Instant)
            }
            _ => None,
        }
    }

    /// The one form of several that mean the same: no unit where the distance is nothing, a month by its first day.
    pub(crate) fn canonical(self) -> Self {
        match self {
            Self::Now { amount: 0, .. } => Self::Now { amount: 0, unit: TimeUnit::Second },
            Self::Month(day) => Self::Month(day.first_of_month()),
            other => other,
        }
    }

    /// The milliseconds that it covers: the first, and the first after it.
    pub fn resolve(self, now: Timestamp) -> (i64, i64) {
        match self {
            Self::Year(year) => (
                start_of(civil::Date::new(year, 1, 1).ok()),
                start_of(civil::Date::new(year.saturating_add(1), 1, 1).ok()),
            ),
            Self::Month(first) => (start_of(Some(first)), start_of(first.last_of_month().tomorrow().ok())),
            Self::Day(day) => (start_of(Some(day)), start_of(day.tomorrow().ok())),
            Self::Instant(time) => (unix_ms(time), unix_ms(time).saturating_add(1)),
            Self::Now { amount, unit } => {
                let ms = unix_ms(now).saturating_add(i64::from(amount).saturating_mul(unit.ms()));
                (ms, ms.saturating_add(1))
            }
        }
    }
}

/// The first millisecond of a day; the end of time when the calendar has no such day.
fn start_of(day: Option<civil::Date>) -> i64 {
    day.and_then(|day| day.to_zoned_datetime(TimeZone::UTC).ok()).map_or(i64::MAX, |zoned| unix_ms(zoned.timestamp()))
}

impl fmt::Display for TimePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(first) => write!(f, "{:04}-{:02}", first.year(), first.month()),
            Self::Day(day) => write!(f, "{day}"),
            Self::Instant(time) => write!(f, "{time}"),
            Self::Now { amount: 0, .. } => f.write_str("now"),
            Self::Now { amount, unit } => write!(f, "now{amount:+}{}", unit.letter()),
        }
    }
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeBound {
    /// Where it ends. A whole day, month or year belongs to the range as a whole or not at all.
    pub point: TimePoint,
    /// True when the point belongs to the range.
    pub inclusive: bool,
}

/// A range of times; an end that is missing is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TimeRange {
    /// The earlier end.
    pub from: Option<TimeBound>,
    /// The later end.
    pub to: Option<TimeBound>,
}

impl TimeRange {
    /// The range in milliseconds since 1970: the first that belongs to it, and the first after it.
    pub fn resolve(&self, now: Timestamp) -> (i64, i64) {
        let from = self.from.map_or(i64::MIN, |bound| {
            let (start, end) = bound.point.resolve(now);
            if bound.inclusive { start } else { end }
        });
        let to = self.to.map_or(i64::MAX, |bound| {
            let (start, end) = bound.point.resolve(now);
            if bound.inclusive { end } else { start }
        });
        (from, to)
    }

    /// True when `time` belongs to the range.
    pub fn contains(&self, time: Timestamp, now: Timestamp) -> bool {
        let (from, to) = self.resolve(now);
        (from..to).contains(&unix_ms(time))
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (Some(from), None) => write!(f, "{}{}", if from.inclusive { ">=" } else { ">" }, from.point),
            (None, Some(to)) => write!(f, "{}{}", if to.inclusive { "<=" } else { "<" }, to.point),
            (None, None) => f.write_str("[* TO *]"),
            (Some(from), Some(to)) => {
                let (open, close) = (if from.inclusive { '[' } else { '{' }, if to.inclusive { ']' } else { '}' });
                write!(f, "{open}{} TO {}{close}", from.point, to.point)
            }
        }
    }
}
