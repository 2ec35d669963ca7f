//! When a feed is polled next: pure rules, and the queue of all feeds.
//!
//! A feed that can be read is polled about twice as often as it publishes, never more often than the configuration, the
//! feed, its server and its reader allow. One that cannot is asked at growing intervals. Jitter is a hash of the feed's id:
//! the same in every run, and different for two feeds that would else be polled in the same second for ever.

use std::collections::{BTreeSet, HashMap};

use chipwire_events::{FeedId, FeedState, Timestamp, hash_hex};
use jiff::SignedDuration;

use crate::config::FetchConfig;

/// The interval of a feed that gives no dates, in seconds.
const UNKNOWN_INTERVAL_S: u32 = 1_800;

/// Entries that the pace of a feed is taken from.
const PACE_ENTRIES: usize = 20;

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// A feed that refuses this client is not asked more often than this, in seconds.
const REFUSED_INTERVAL_S: i64 = 4 * HOUR_S;

/// Overdue feeds are spread over this time after a start, in seconds.
const RESUME_SPREAD_S: i64 = 300;

/// What has a say in the interval between two polls; all in seconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// From the feed's own pace: [`adaptive_s`].
    pub adaptive_s: Option<u32>,
    /// How long the answer stays fresh by its HTTP headers.
    pub fresh_s: Option<u32>,
    /// `ttl` or `sy:updatePeriod`.
    pub ttl_s: Option<u32>,
    /// What the reader set for this feed.
    pub reader_s: Option<u32>,
}

/// The interval that the pace of a feed asks for: half the usual gap between its entries, longer when it is silent.
/// None without at least two dates.
pub fn adaptive_s(published: &[Timestamp], now: Timestamp) -> Option<u32> {
    let mut seconds: Vec<i64> = published.iter().filter(|time| **time <= now).map(|time| time.as_second()).collect();
    seconds.sort_unstable_by(|a, b| b.cmp(a));
    seconds.truncate(PACE_ENTRIES);
    let (newest, oldest) = (*seconds.first()?, *seconds.last()?);
    let mut gaps: Vec<i64> =
        seconds.iter().zip(seconds.iter().skip(1)).map(|(later, earlier)| later - earlier).collect();
    gaps.sort_unstable();
    let median = *gaps.get(gaps.len() / 2)?;
    // Entries that come in batches have a median gap of nothing.
    let mean = (newest - oldest) / i64::try_from(gaps.len()).ok()?;
    let silence = now.as_second() - newest;
    let interval = (median.max(mean / 4) / 2).max(silence / 12);
    u32::try_from(interval).ok()
}

/// The interval between two polls, in seconds: the longest that anyone wishes, within the bounds of the configuration.
/// Only the reader may ask for more than the upper bound.
pub fn interval_s(config: &FetchConfig, wishes: Wishes) -> u32 {
    let wished = wishes.adaptive_s.unwrap_or(UNKNOWN_INTERVAL_S).max(wishes.fresh_s.unwrap_or(0));
    let wished = wished.max(wishes.ttl_s.unwrap_or(0));
    wished.clamp(config.min_interval_s, config.max_interval_s).max(wishes.reader_s.unwrap_or(0))
}

/// The time of the next poll after one that could be read: the interval and up to a tenth of it more, moved out of the
/// hours (UTC) and days (Monday is 1) at which the feed asks for rest.
pub fn after_success(feed: &FeedId, interval_s: u32, skip_hours: &[u8], skip_days: &[u8], now: Timestamp) -> Timestamp {
    let jitter = f64::from(interval_s) * 0.1 * fraction(&["interval", feed.as_str()]);
    let mut next = later_ms(now, i64::from(interval_s) * 1_000 + (jitter * 1_000.0) as i64);
    for _ in 0..7 * 24 {
        let hour = next.as_second().rem_euclid(DAY_S) / HOUR_S;
        // The first day of Unix time was a Thursday.
        let day = (next.as_second().div_euclid(DAY_S) + 3).rem_euclid(7) + 1;
        let rests = skip_hours.iter().any(|skip| i64::from(*skip) == hour)
            || skip_days.iter().any(|skip| i64::from(*skip) == day);
        if !rests {
            return next;
        }
        next = later_ms(next, HOUR_S * 1_000);
    }
    // A feed that rests at all hours is polled once a week.
    next
}

/// What a failure is, as far as the schedule cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Failures in a row, this one included.
    pub count: u32,
    /// The first of them.
    pub since: Timestamp,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
}

/// The time of the next poll after one that failed: twice the last pause, give or take a fifth, up to the longest interval;
/// weekly after two weeks and monthly after three months. Feeds do come back.
pub fn after_failure(config: &FetchConfig, feed: &FeedId, failure: Failure, now: Timestamp) -> Timestamp {
    let doublings = failure.count.saturating_sub(1).min(20);
    let longest = i64::from(config.max_interval_s);
    let mut pause = i64::from(config.min_interval_s.max(1)).saturating_mul(1 << doublings).min(longest);
    let failing_s = now.as_second() - failure.since.as_second();
    pause = match failure.status {
        // Gone for good (RFC 9110 section 15.5.11), once it was said twice.
        Some(410) if failure.count >= 2 => 30 * DAY_S,
        Some(410) => longest,
        Some(401 | 403 | 451) => pause.max(REFUSED_INTERVAL_S.min(longest)),
        _ if failing_s > 90 * DAY_S => 30 * DAY_S,
        _ if failing_s > 14 * DAY_S => 7 * DAY_S,
        _ => pause,
    };
    let factor = 0.8 + 0.4 * fraction(&["failure", feed.as_str(), &failure.count.to_string()]);
    let pause_ms = (pause as f64 * 1_000.0 * factor) as i64;
    later_ms(now, pause_ms.max(i64::from(failure.retry_after_s.unwrap_or(0)) * 1_000))
}

/// When to poll a feed after a start: at the stored time; a feed that is overdue within the first five minutes, each at its
/// own moment; one that was never polled, now.
pub fn resume_at(feed: &FeedId, state: Option<&FeedState>, now: Timestamp) -> Timestamp {
    let Some(state) = state else { return now };
    let overdue_s = now.as_second() - state.next_poll.as_second();
    if overdue_s < 1 {
        return state.next_poll;
    }
    let spread_s = RESUME_SPREAD_S.min(overdue_s);
    later_ms(now, (spread_s as f64 * 1_000.0 * fraction(&["resume", feed.as_str()])) as i64)
}

/// A number in [0, 1) that looks random and is not.
fn fraction(parts: &[&str]) -> f64 {
    let bits = u32::from_str_radix(&hash_hex(4, parts), 16).unwrap_or(0);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

fn later_ms(time: Timestamp, ms: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX)
}

/// The feeds that wait for their next poll, by time.
#[derive(Debug, Default, Clone)]
pub struct Schedule {
    queue: BTreeSet<(Timestamp, FeedId)>,
    due: HashMap<FeedId, Timestamp>,
}

impl Schedule {
    /// Adds a feed, or moves it to another time.
    pub fn upsert(&mut self, feed: FeedId, at: Timestamp) {
        self.remove(&feed);
        self.queue.insert((at, feed.clone()));
        self.due.insert(feed, at);
    }

    /// Takes a feed out; nothing happens if it is not there.
    pub fn remove(&mut self, feed: &FeedId) {
        if let Some(at) = self.due.remove(feed) {
            self.queue.remove(&(at, feed.clone()));
        }
    }

    /// The time of the first feed.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes out the first feed if its time has come. It is polled by the caller and added again with its next time.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<FeedId> {
        if self.next_due()? > now {
            return None;
        }
        let (_, feed) = self.queue.pop_first()?;
        self.due.remove(&feed);
        Some(feed)
    }

    /// Feeds that wait.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether no feed waits.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn seconds(from: Timestamp, to: Timestamp) -> i64 {
        to.as_second() - from.as_second()
    }

    #[test]
    fn the_pace_of_a_feed_sets_its_interval() {
        let now = at("2026-03-01T12:00:00Z");
        let every = |gap_s: i64, count: i64, silence_s: i64| -> Vec<Timestamp> {
            (0..count).map(|i| Timestamp::from_second(now.as_second() - silence_s - i * gap_s).unwrap()).collect()
        };
        assert_eq!(adaptive_s(&[], now), None);
        assert_eq!(adaptive_s(&every(60, 1, 0), now), None);
        assert_eq!(adaptive_s(&every(3_600, 30, 0), now), Some(1_800));
        assert_eq!(adaptive_s(&every(3_600, 30, 3 * 86_400), now), Some(21_600), "silence makes it longer");
        assert_eq!(adaptive_s(&every(0, 30, 0), now), Some(0));
        assert_eq!(adaptive_s(&every(-3_600, 5, 0), now), None, "the future has no say");
    }

    #[test]
    fn the_longest_wish_counts_within_bounds() {
        let config = FetchConfig::default();
        let check = |adaptive_s, fresh_s, ttl_s, reader_s, expected| {
            assert_eq!(interval_s(&config, Wishes { adaptive_s, fresh_s, ttl_s, reader_s }), expected);
        };
        check(None, None, None, None, 1_800);
        check(Some(10), None, None, None, 300);
        check(Some(10), Some(900), None, None, 900);
        check(Some(10), Some(900), Some(3_600), None, 3_600);
        check(Some(10), Some(10_000_000), None, None, 86_400);
        check(Some(10), None, None, Some(60), 300);
        check(Some(10), None, None, Some(200_000), 200_000);
    }

    #[test]
    fn feeds_rest_when_they_ask_for_it() {
        let feed = FeedId::of("https://example.org/feed");
        // A Sunday.
        let now = at("2026-03-01T12:30:00Z");
        let next = |hours: &[u8], days: &[u8]| after_success(&feed, 600, hours, days, now);
        assert!((600..=660).contains(&seconds(now, next(&[], &[]))));
        assert_eq!(next(&[12, 13, 14], &[]).to_string().get(..13), Some("2026-03-01T15"));
        assert_eq!(next(&[], &[7]).to_string().get(..10), Some("2026-03-02"));
        let never: Vec<u8> = (0..24).collect();
        assert!(seconds(now, next(&never, &[])) >= 7 * 86_400);
    }

    #[test]
    fn pauses_double_and_end_in_weeks() {
        let config = FetchConfig::default();
        let feed = FeedId::of("https://example.org/feed");
        let now = at("2026-03-01T12:00:00Z");
        let check = |status, count, since: &str, retry_after_s, low: i64, high: i64| {
            let failure = Failure { status, count, since: at(since), retry_after_s };
            let pause = seconds(now, after_failure(&config, &feed, failure, now));
            assert!((low..=high).contains(&pause), "{failure:?}: {pause}");
        };
        let lately = "2026-03-01T11:00:00Z";
        check(None, 1, lately, None, 240, 360);
        check(None, 2, lately, None, 480, 720);
        check(Some(500), 5, lately, None, 3_840, 5_760);
        check(None, 4_000_000_000, lately, None, 69_120, 103_680);
        check(Some(429), 1, lately, Some(7_200), 7_200, 7_200);
        check(Some(403), 1, lately, None, 11_520, 17_280);
        check(Some(410), 1, lately, None, 69_120, 103_680);
        check(Some(410), 2, lately, None, 24 * 86_400, 36 * 86_400);
        check(Some(404), 30, "2026-02-01T12:00:00Z", None, 5 * 86_400, 9 * 86_400);
        check(Some(404), 90, "2025-02-01T12:00:00Z", None, 24 * 86_400, 36 * 86_400);
    }

    #[test]
    fn a_start_is_no_storm() {
        let now = at("2026-03-01T12:00:00Z");
        let mut moments = BTreeSet::new();
        for i in 0..1_000 {
            let feed = FeedId::of(&format!("https://example.org/{i}"));
            let mut state =
                crate::poll::fresh_state(&chipwire_events::Feed::new("x", chipwire_events::FeedOrigin::User), now);
            state.next_poll = at("2026-03-01T06:00:00Z");
            let resumed = resume_at(&feed, Some(&state), now);
            assert!((0..=RESUME_SPREAD_S).contains(&seconds(now, resumed)));
            moments.insert(seconds(now, resumed));
            state.next_poll = at("2026-03-01T13:00:00Z");
            assert_eq!(resume_at(&feed, Some(&state), now), state.next_poll);
            assert_eq!(resume_at(&feed, None, now), now);
        }
        assert!(moments.len() > 250, "spread over {} seconds only", moments.len());
    }

    #[test]
    fn the_queue_hands_out_what_is_due_in_order() {
        let [a, b, c] = ["a", "b", "c"].map(FeedId::of);
        let now = at("2026-03-01T12:00:00Z");
        let mut schedule = Schedule::default();
        schedule.upsert(a.clone(), at("2026-03-01T11:00:00Z"));
        schedule.upsert(b.clone(), at("2026-03-01T10:00:00Z"));
        schedule.upsert(c.clone(), at("2026-03-01T13:00:00Z"));
        schedule.upsert(a.clone(), at("2026-03-01T09:00:00Z"));
        assert_eq!((schedule.len(), schedule.next_due()), (3, Some(at("2026-03-01T09:00:00Z"))));
        assert_eq!(schedule.pop_due(now), Some(a));
        schedule.remove(&b);
        schedule.remove(&b);
        assert_eq!(schedule.pop_due(now), None);
        assert_eq!(schedule.pop_due(at("2026-03-01T13:00:00Z")), Some(c));
        assert!(schedule.is_empty() && schedule.next_due().is_none());
    }
}
