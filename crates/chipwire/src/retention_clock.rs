//! The clock of retention, which follows the machine's and takes no leap with it.
//!
//! What retention removes does not come back, and by a clock that was set months ahead everything is old at once. So this one
//! goes ahead by six hours at most from one look to the next, and daemons look once an hour: whoever puts the clock right within
//! hours has lost hours of the oldest events and no more. After a long pause retention catches up at that pace as well. How far
//! it has come lies in the data directory, since a daemon may be started anew beneath a wrong clock.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use chipwire_events::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

/// How far it goes ahead at a look.
const STEP: Duration = Duration::from_hours(6);

/// Looks that follow sooner change nothing: a daemon that is started again and again must not push it ahead.
const BETWEEN: Duration = Duration::from_mins(30);

/// The clock, as it lies in a file.
pub struct RetentionClock {
    path: PathBuf,
    last: Option<Look>,
}

/// The last look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    /// When that was, by the machine's clock.
    at: Timestamp,
    /// What time it has been taken for.
    taken_for: Timestamp,
}

impl RetentionClock {
    /// Goes on as the file at `path` says, if it is there and says something.
    pub fn open(path: PathBuf) -> Self {
        let last = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { path, last }
    }

    /// The time to go by where the machine's clock says `now`; `None` if it was asked for a moment ago.
    pub fn look(&mut self, now: Timestamp) -> Option<Timestamp> {
        let look = next(self.last, now)?;
        if look.taken_for < now {
            tracing::warn!(
                clock = %now, taken_for = %look.taken_for,
                "the clock has leapt ahead, or nothing ran for long: retention follows it by {} hours at a time",
                STEP.as_secs() / 3_600
            );
        }
        self.last = Some(look);
        if let Err(error) = self.store(&look) {
            tracing::warn!(path = %self.path.display(), %error, "the clock of retention is not stored");
        }
        Some(look.taken_for)
    }

    fn store(&self, look: &Look) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(self.path.parent().unwrap_or(&self.path))?;
        file.write_all(&serde_json::to_vec(look)?)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

fn next(last: Option<Look>, now: Timestamp) -> Option<Look> {
    let Some(last) = last else { return Some(Look { at: now, taken_for: now }) };
    let later = |time: Timestamp, by| time.checked_add(by).unwrap_or(Timestamp::MAX);
    // A clock that was put back is believed.
    if last.at <= now && now < later(last.at, BETWEEN) {
        return None;
    }
    Some(Look { at: now, taken_for: now.min(later(last.taken_for, STEP)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_leap_is_followed_in_steps_and_a_clock_that_was_put_back_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("retention.json");
        let mut clock = RetentionClock::open(path.clone());
        for (now, taken_for) in [
            ("2026-03-01T12:00:00Z", Some("2026-03-01T12:00:00Z")),
            ("2026-03-01T12:10:00Z", None),
            ("2026-03-01T13:00:00Z", Some("2026-03-01T13:00:00Z")),
            ("2026-06-01T13:00:00Z", Some("2026-03-01T19:00:00Z")),
            ("2026-06-01T13:01:00Z", None),
            ("2026-06-01T14:00:00Z", Some("2026-03-02T01:00:00Z")),
            ("2026-03-01T16:00:00Z", Some("2026-03-01T16:00:00Z")),
            ("2026-03-01T17:00:00Z", Some("2026-03-01T17:00:00Z")),
        ] {
            assert_eq!(clock.look(at(now)), taken_for.map(at), "{now}");
            // As after a start.
            clock = RetentionClock::open(path.clone());
        }
        fs::write(&path, "{").unwrap();
        assert_eq!(RetentionClock::open(path).look(at("2026-06-01T13:00:00Z")), Some(at("2026-06-01T13:00:00Z")));
    }
}
