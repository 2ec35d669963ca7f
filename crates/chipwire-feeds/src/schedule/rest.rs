//! The hours and days at which a feed asks not to be polled.

use chipwire_events::Timestamp;

use super::{DAY_S, HOUR_S, later_ms};

const HOURS: u32 = 24;

/// The hours (UTC) and days of the week at which a feed asks not to be polled, in 31 bits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rest(u32);

impl Rest {
    /// From `skipHours` (0 to 23) and `skipDays` (Monday is 1). What is no hour and no day is passed over, and a feed that
    /// would never be polled does not rest at all.
    pub fn new(hours: &[u8], days: &[u8]) -> Self {
        let hours = hours.iter().filter(|hour| u32::from(**hour) < HOURS).fold(0, |bits, hour| bits | 1 << hour);
        let days = days.iter().filter(|day| (1..=7).contains(*day)).fold(0, |bits, day| bits | 1 << (day - 1));
        if hours == (1 << HOURS) - 1 || days == 0b111_1111 {
            return Self::default();
        }
        Self(hours | days << HOURS)
    }

    /// Whether the feed rests at `time`.
    pub fn covers(self, time: Timestamp) -> bool {
        if self.0 == 0 {
            return false;
        }
        let (hour, day) = hour_and_day(time.as_second());
        self.0 & (1 << hour | 1 << (HOURS + day)) != 0
    }

    /// The first time from `time` on at which the feed does not rest, at the same minute of its hour: feeds that wait for the
    /// same hour do not all come at its beginning.
    pub fn next_allowed(self, time: Timestamp) -> Timestamp {
        let mut next = time;
        // Not all hours and not all days are covered, so that a week is enough.
        for _ in 0..7 * HOURS {
            if !self.covers(next) {
                return next;
            }
            next = later_ms(next, HOUR_S * 1_000);
        }
        next
    }
}

/// The hour of the day (UTC) and the day of the week, Monday as 0.
pub(super) fn hour_and_day(second: i64) -> (u32, u32) {
    let hour = second.rem_euclid(DAY_S) / HOUR_S;
    // The first day of Unix time was a Thursday.
    let day = (second.div_euclid(DAY_S) + 3).rem_euclid(7);
    (u32::try_from(hour).unwrap_or(0), u32::try_from(day).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hours: &[u8], days: &[u8], time: &str, expected: &str) {
        let rest = Rest::new(hours, days);
        let time: Timestamp = time.parse().unwrap();
        let next = rest.next_allowed(time);
        assert_eq!(next.to_string(), expected);
        assert_eq!(rest.covers(time), next != time);
        assert!(!rest.covers(next));
    }

    #[test]
    fn feeds_rest_when_they_ask_for_it() {
        // The first of March 2026 is a Sunday.
        check(&[], &[], "2026-03-01T12:30:00Z", "2026-03-01T12:30:00Z");
        check(&[12, 13, 14], &[], "2026-03-01T12:30:00Z", "2026-03-01T15:30:00Z");
        check(&[12, 13, 14], &[], "2026-03-01T15:00:00Z", "2026-03-01T15:00:00Z");
        check(&[22, 23, 0, 1], &[], "2026-03-01T22:10:05Z", "2026-03-02T02:10:05Z");
        check(&[], &[7], "2026-03-01T12:30:00Z", "2026-03-02T00:30:00Z");
        check(&[0, 1], &[6, 7], "2026-02-28T12:30:00Z", "2026-03-02T02:30:00Z");
        let all: Vec<u8> = (0..24).collect();
        check(&all, &[1], "2026-03-01T12:30:00Z", "2026-03-01T12:30:00Z");
        check(&[24, 200], &[0, 8], "2026-03-01T12:30:00Z", "2026-03-01T12:30:00Z");
    }
}
