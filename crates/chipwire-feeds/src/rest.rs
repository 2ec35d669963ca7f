//! Pauses that servers ask for (`Retry-After`, RFC 9110 section 10.2.3), beyond the feed that was told of it.
//!
//! A pause holds for the URL. When two different URLs of a host ask for one, it is the host that has trouble, and it is left in
//! peace as a whole.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chipwire_events::Timestamp;
use jiff::SignedDuration;
use url::Url;

use crate::headers::MAX_RETRY_AFTER_S;

/// Hosts that are remembered before those whose pauses are over are forgotten.
const REMEMBERED_HOSTS: usize = 4_096;

/// A pause that is over is remembered for so long: once it was waited for, a redirect is followed.
const REMEMBERED_HOURS: i64 = 24;

/// URLs of a host that are remembered: with the second the pause is the host's.
const REMEMBERED_URLS: usize = 8;

/// The pauses of all hosts.
#[derive(Default)]
pub(crate) struct Rests {
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Default)]
struct Host {
    /// Until when each URL is left in peace, the latest answer last.
    urls: Vec<(String, Timestamp)>,
}

impl Host {
    /// Until when a request to `url` has to wait.
    fn until(&self, url: &str, now: Timestamp) -> Option<Timestamp> {
        // No server can have asked for more than a day: what is further ahead was noted by a clock that was wrong.
        let latest = now.checked_add(SignedDuration::from_secs(MAX_RETRY_AFTER_S)).unwrap_or(Timestamp::MAX);
        let resting = self.urls.iter().filter(|(_, until)| *until > now && *until <= latest);
        match resting.clone().count() {
            0 => None,
            1 => resting.filter(|(known, _)| known == url).map(|(_, until)| *until).next(),
            _ => resting.map(|(_, until)| *until).max(),
        }
    }
}

impl Rests {
    /// Remembers that `url` asked for a pause.
    pub(crate) fn ask(&self, url: &Url, wait_s: u32, now: Timestamp) {
        let Some(name) = url.host_str() else { return };
        let Ok(until) = now.checked_add(SignedDuration::from_secs(i64::from(wait_s))) else { return };
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= REMEMBERED_HOSTS && !hosts.contains_key(name) {
            hosts.retain(|_, host| host.urls.iter().any(|(_, until)| *until > now));
            if hosts.len() >= REMEMBERED_HOSTS {
                return;
            }
        }
        let host = hosts.entry(name.to_owned()).or_default();
        let day = SignedDuration::from_hours(REMEMBERED_HOURS);
        host.urls.retain(|(known, until)| known != url.as_str() && now.duration_since(*until) < day);
        if host.urls.len() >= REMEMBERED_URLS {
            host.urls.remove(0);
        }
        host.urls.push((url.as_str().to_owned(), until));
    }

    /// Whether `url` asked for a pause before, over or not.
    pub(crate) fn knows(&self, url: &Url) -> bool {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = url.host_str().and_then(|name| hosts.get(name));
        host.is_some_and(|host| host.urls.iter().any(|(known, _)| known == url.as_str()))
    }

    /// How long a request to `url` has to wait, in seconds, rounded up.
    pub(crate) fn wait_s(&self, url: &Url, now: Timestamp) -> Option<u32> {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let until = hosts.get(url.host_str()?)?.until(url.as_str(), now)?;
        let wait_ms = now.duration_until(until).as_millis();
        u32::try_from(wait_ms.div_euclid(1_000) + i128::from(wait_ms.rem_euclid(1_000) > 0)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_url_that_asks_makes_it_the_hosts() {
        let rests = Rests::default();
        let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let [a, b, c, other] = ["http://x.org/a", "http://x.org/b", "http://x.org/c", "http://y.org/a"]
            .map(|url| Url::parse(url).unwrap());
        let later = |seconds: i64| start + SignedDuration::from_secs(seconds);
        let check = |at: i64, expected: [Option<u32>; 4]| {
            assert_eq!([&a, &b, &c, &other].map(|url| rests.wait_s(url, later(at))), expected, "after {at} s");
        };
        check(0, [None; 4]);
        rests.ask(&a, 600, start);
        check(0, [Some(600), None, None, None]);
        check(600, [None; 4]);
        rests.ask(&a, 900, start);
        check(599, [Some(301), None, None, None]);
        rests.ask(&b, 1_200, start);
        check(0, [Some(1_200), Some(1_200), Some(1_200), None]);
        check(899, [Some(301), Some(301), Some(301), None]);
        check(900, [None, Some(300), None, None]);
        check(1_200, [None; 4]);
        // The one before is over: again one URL only.
        rests.ask(&c, 60, later(2_000));
        check(2_000, [None, None, Some(60), None]);
        assert!(rests.knows(&c) && rests.knows(&a), "it was waited for");
        rests.ask(&c, 60, later(100_000));
        assert!(!rests.knows(&a));
        let later = |seconds: i64| later(seconds + 98_000);
        assert_eq!(rests.wait_s(&c, later(2_000) + SignedDuration::from_millis(59_100)), Some(1));
        assert_eq!(rests.wait_s(&c, start), None, "noted by a clock that was a day ahead");
    }

    #[test]
    fn memory_is_bounded() {
        let rests = Rests::default();
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for number in 0..2 * REMEMBERED_HOSTS {
            rests.ask(&Url::parse(&format!("http://{number}.org/")).unwrap(), 60, now);
            rests.ask(&Url::parse(&format!("http://one.org/{number}")).unwrap(), 60, now);
        }
        let hosts = rests.hosts.lock().unwrap();
        assert!(hosts.len() <= REMEMBERED_HOSTS);
        assert!(hosts.values().all(|host| host.urls.len() <= REMEMBERED_URLS));
    }
}
