//! Times for people.

use chipwire_events::Timestamp;

/// A time as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// `2 h ago`, or the date when it is longer ago than a week.
    pub(crate) short: String,
    /// `2026-11-20 14:00 UTC`.
    pub(crate) long: String,
    /// For the `datetime` attribute.
    pub(crate) machine: String,
}

impl When {
    pub(crate) fn new(time: Timestamp, now: Timestamp) -> Self {
        let minutes = now.duration_since(time).as_secs().div_euclid(60);
        let short = match minutes {
            ..-5 => time.strftime("%-d %b %Y, %H:%M").to_string(),
            -5..1 => "just now".to_owned(),
            1..60 => format!("{minutes} min ago"),
            60..1_440 => format!("{} h ago", minutes / 60),
            1_440..10_080 => format!("{} d ago", minutes / 1_440),
            _ => time.strftime("%-d %b %Y").to_string(),
        };
        Self { short, long: time.strftime("%Y-%m-%d %H:%M UTC").to_string(), machine: time.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_distance() {
        let now: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        for (time, short) in [
            ("2026-11-20T14:00:00Z", "just now"),
            ("2026-11-20T14:03:00Z", "just now"),
            ("2026-11-21T14:03:00Z", "21 Nov 2026, 14:03"),
            ("2026-11-20T13:58:01Z", "1 min ago"),
            ("2026-11-20T12:59:00Z", "1 h ago"),
            ("2026-11-18T12:59:00Z", "2 d ago"),
            ("2026-01-02T12:59:00Z", "2 Jan 2026"),
        ] {
            assert_eq!(When::new(time.parse().unwrap(), now).short, short, "{time}");
        }
    }
}
