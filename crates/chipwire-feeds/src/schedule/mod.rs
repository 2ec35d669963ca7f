//! When a feed is polled next: [`plan`], a pure function of what is known, what came and the time; and [`Schedule`], the
//! queue of all feeds with the spacing of their hosts.
//!
//! A feed that can be read is polled as often as its own rhythm makes it worth (`pace`), never more often than the
//! configuration, the feed, its server and its reader allow. One that cannot is asked at growing intervals. Jitter is a hash
//! of the feed's id and the time: the same in every run, and different for two feeds that would else be polled in the same
//! second for ever.

mod pace;
mod queue;
mod rest;

use std::hash::{DefaultHasher, Hash, Hasher};

use chipwire_events::{FeedError, FeedId, FeedState, Timestamp, Timing};
use jiff::SignedDuration;

pub use self::{
    queue::{Due, Schedule, Standing, resume_at},
    rest::Rest,
};
use crate::{config::FetchConfig, headers::MAX_RETRY_AFTER_S};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// A feed that refuses this client is not asked more often than this, in seconds.
const REFUSED_INTERVAL_S: i64 = 4 * HOUR_S;

/// A feed that cannot be read for so long is taken for dead and asked weekly ...
const DEAD_S: i64 = 14 * DAY_S;

/// ... and after this monthly.
const LONG_DEAD_S: i64 = 90 * DAY_S;

const WEEKLY_S: i64 = 7 * DAY_S;
const MONTHLY_S: i64 = 30 * DAY_S;

/// The part by which a pause after a failure is made shorter or longer at most.
const FAILURE_JITTER: f64 = 0.2;

/// The interval of a feed whose pace is not known, in seconds.
const UNKNOWN_INTERVAL_S: u32 = 1_800;

/// The part of an interval by which it is made longer at most.
const JITTER: f64 = 0.1;

/// What came of a poll, as far as the schedule cares.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// 304.
    NotModified {
        /// How long the stored answer stays fresh, in seconds; None if the server does not say.
        fresh_s: Option<u32>,
    },
    /// A document.
    Read(Document<'a>),
    /// Anything else.
    Failed(Failure),
}

/// A document, as far as the schedule cares.
#[derive(Debug, Default, Clone, Copy)]
pub struct Document<'a> {
    /// How long it stays fresh by its HTTP headers, in seconds; None if the server does not say.
    pub fresh_s: Option<u32>,
    /// `ttl` or `sy:updatePeriod`, in seconds.
    pub ttl_s: Option<u32>,
    /// Hours of the day (UTC) at which it asks not to be polled.
    pub skip_hours: &'a [u8],
    /// Days of the week, from Monday as 1, at which it asks not to be polled.
    pub skip_days: &'a [u8],
    /// When its entries were published, where that is known.
    pub entries: &'a [Timestamp],
    /// When those that are new were published, or else the time of this poll.
    pub new: &'a [Timestamp],
}

/// What a failure is, as far as the schedule cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Failures in a row, this one included.
    pub count: u32,
    /// Answers of 410 in a row, this one included.
    pub gone: u32,
    /// The first of the failures.
    pub since: Timestamp,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
}

/// What [`plan`] decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is known now.
    pub timing: Timing,
    /// Not polled before this time; [`Timestamp::MAX`] if it is not polled any more.
    pub next_poll: Timestamp,
    /// The interval that a successful poll leads to, in seconds, before jitter and rest; None after a failure.
    pub interval_s: Option<u32>,
}

/// The time of the next poll of `feed` after one that ended at `now` with `answer`. `reader_s` is the shortest interval that
/// the reader wants, in seconds. Pure: nothing else has a say.
pub fn plan(
    config: &FetchConfig,
    feed: &FeedId,
    reader_s: Option<u32>,
    mut timing: Timing,
    answer: Answer<'_>,
    now: Timestamp,
) -> Plan {
    timing.retry_at = None;
    match answer {
        Answer::NotModified { fresh_s } => {
            // A 304 updates the freshness of the stored answer where it says something (RFC 9111 section 4.3.4).
            timing.fresh_s = fresh_s.or(timing.fresh_s);
            after_success(config, feed, reader_s, timing, now)
        }
        Answer::Read(document) => {
            timing.fresh_s = document.fresh_s;
            timing.ttl_s = document.ttl_s;
            timing.skip_hours = document.skip_hours.to_vec();
            timing.skip_days = document.skip_days.to_vec();
            timing.last_full = Some(now);
            let pace = timing.pace.take().map(|pace| *pace);
            timing.pace = Some(Box::new(pace::observe(pace, document.entries, document.new, now)));
            after_success(config, feed, reader_s, timing, now)
        }
        Answer::Failed(failure) => {
            // Gone for good (RFC 9110 section 15.5.11), and confirmed.
            if failure.status == Some(410) && failure.gone >= FeedError::GONE_CONFIRMED {
                return Plan { timing, next_poll: Timestamp::MAX, interval_s: None };
            }
            let wait_s = i64::from(failure.retry_after_s.unwrap_or(0));
            timing.retry_at = (wait_s > 0).then(|| later_ms(now, wait_s * 1_000));
            let least_ms = i64::from(config.min_interval_s.max(reader_s.unwrap_or(0))) * 1_000;
            let pause_ms = failure_pause_ms(config, feed, failure, now).max(least_ms);
            let next = later_ms(now, pause_ms.max(wait_s * 1_000));
            let next_poll = Rest::new(&timing.skip_hours, &timing.skip_days).next_allowed(next);
            Plan { timing, next_poll, interval_s: None }
        }
    }
}

fn after_success(config: &FetchConfig, feed: &FeedId, reader_s: Option<u32>, timing: Timing, now: Timestamp) -> Plan {
    let own_s = match &timing.pace {
        Some(pace) => pace::interval_s(pace, now, config.max_interval_s),
        // Its state is from a time when this was not kept.
        None => UNKNOWN_INTERVAL_S,
    };
    let asked_s = timing.fresh_s.unwrap_or(0).max(timing.ttl_s.unwrap_or(0));
    let bounded = |wish_s: u32| wish_s.clamp(config.min_interval_s, config.max_interval_s);
    // Only the reader may ask for more than the upper bound.
    let interval_s = bounded(own_s.max(asked_s)).max(reader_s.unwrap_or(0));
    let (interval_ms, least_ms, longest_ms) = (
        i64::from(interval_s) * 1_000,
        i64::from(bounded(asked_s).max(reader_s.unwrap_or(0))) * 1_000,
        i64::from(config.max_interval_s.max(interval_s)) * 1_000,
    );
    let most_jitter_ms = (interval_ms as f64 * JITTER) as i64;
    // Near the upper bound the jitter takes away as well, as far as nobody has asked for all of it.
    let (low_ms, high_ms) = match interval_ms + most_jitter_ms {
        later_ms if later_ms <= longest_ms => (interval_ms, later_ms),
        _ => ((interval_ms - most_jitter_ms).max(least_ms), longest_ms),
    };
    let pause_ms = low_ms + ((high_ms - low_ms) as f64 * fraction(feed, now.as_second())) as i64;
    let next = later_ms(now, pause_ms);
    let next_poll = Rest::new(&timing.skip_hours, &timing.skip_days).next_allowed(next);
    Plan { timing, next_poll, interval_s: Some(interval_s) }
}

/// The pause after a failure: twice the last, give or take a fifth, up to the longest interval; weekly after two weeks and
/// monthly after three months, whatever the failure is. Feeds do come back.
fn failure_pause_ms(config: &FetchConfig, feed: &FeedId, failure: Failure, now: Timestamp) -> i64 {
    let doublings = failure.count.saturating_sub(1).min(20);
    let longest = i64::from(config.max_interval_s);
    let doubled = i64::from(config.min_interval_s.max(1)).saturating_mul(1 << doublings).min(longest);
    // The rung, and what the jitter must not get below and above.
    let (pause, least, most) = match (rung_s(failure.since, now), failure.status) {
        // Asked once more, a day later.
        (_, Some(410)) => (longest, 0, longest),
        (Some(rung), _) => (rung, 0, i64::MAX),
        (None, Some(401 | 403 | 451)) => {
            let refused = REFUSED_INTERVAL_S.min(longest);
            (doubled.max(refused), refused, longest)
        }
        (None, _) => (doubled, 0, longest),
    };
    let low = (least as f64 / pause as f64).max(1.0 - FAILURE_JITTER);
    let high = (most as f64 / pause as f64).min(1.0 + FAILURE_JITTER);
    let factor = low + (high - low) * fraction(feed, i64::from(failure.count));
    (pause as f64 * 1_000.0 * factor) as i64
}

/// The interval of a feed that has failed for long, in seconds.
fn rung_s(since: Timestamp, now: Timestamp) -> Option<i64> {
    match now.as_second() - since.as_second() {
        failing_s if failing_s > LONG_DEAD_S => Some(MONTHLY_S),
        failing_s if failing_s > DEAD_S => Some(WEEKLY_S),
        _ => None,
    }
}

/// The longest time to the next poll, in seconds, that can have been planned for a feed in this state, but for the hours and
/// days at which it rests. A stored time that lies further ahead is from a clock that was wrong.
pub fn longest_wait_s(config: &FetchConfig, reader_s: Option<u32>, state: &FeedState) -> i64 {
    let usual_s = i64::from(config.max_interval_s.max(reader_s.unwrap_or(0)));
    let planned_s = match &state.error {
        Some(error) => {
            // Both by the clock of that time.
            let rung_s = state.last_polled.and_then(|polled| rung_s(error.since, polled)).unwrap_or(0);
            usual_s.max(rung_s).max(MAX_RETRY_AFTER_S)
        }
        None if state.websub.is_some() => usual_s.max(DAY_S),
        None => state.interval_s.map_or(usual_s, i64::from),
    };
    planned_s + planned_s / 5
}

/// Whether to ask for the whole feed although there are validators, since some servers answer 304 for ever: only for a feed
/// that is silent for over three times its usual gap, and at most once a day; less often the longer the silence lasts.
pub fn wants_probe(timing: &Timing, now: Timestamp) -> bool {
    let Some(pace) = &timing.pace else { return false };
    let silence_s = pace.newest.map_or(0, |newest| now.as_second() - newest.as_second());
    is_past_whole(timing, DAY_S.max(silence_s / 8), now) && pace::is_oddly_silent(pace, now)
}

/// Whether there may be a reason to ask for the whole feed although there are validators: at most once a day.
pub(crate) fn may_probe(timing: &Timing, now: Timestamp) -> bool {
    is_past_whole(timing, DAY_S, now)
}

/// Whether the whole feed was asked for, or came, at least `pause_s` seconds ago.
fn is_past_whole(timing: &Timing, pause_s: i64, now: Timestamp) -> bool {
    let last = timing.last_full.max(timing.probed);
    last.is_none_or(|last| now.as_second() - last.as_second() >= pause_s)
}

/// A number in [0, 1) that looks random and is not.
fn fraction(feed: &FeedId, salt: i64) -> f64 {
    let mut hasher = DefaultHasher::new();
    (feed.as_str(), salt).hash(&mut hasher);
    // 53 bits are what a float holds.
    (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64
}

fn later_ms(time: Timestamp, ms: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn pause_s(from: Timestamp, plan: &Plan) -> i64 {
        plan.next_poll.as_second() - from.as_second()
    }

    /// Articles every `gap_s` seconds until `now`.
    fn entries(gap_s: i64, now: Timestamp) -> Vec<Timestamp> {
        (0..20).map(|i| Timestamp::from_second(now.as_second() - i * gap_s).unwrap()).collect()
    }

    fn read(config: &FetchConfig, reader_s: Option<u32>, document: Document<'_>, now: Timestamp) -> Plan {
        let feed = FeedId::of("https://example.org/feed");
        plan(config, &feed, reader_s, Timing::default(), Answer::Read(document), now)
    }

    #[test]
    fn the_longest_wish_counts_within_bounds() {
        let config = FetchConfig::default();
        let now = at("2026-03-04T12:00:00Z");
        let busy = entries(10, now);
        let check = |fresh_s, ttl_s, reader_s, expected: i64| {
            let document = Document { fresh_s, ttl_s, entries: &busy, ..Document::default() };
            let plan = read(&config, reader_s, document, now);
            assert_eq!(plan.interval_s.map(i64::from), Some(expected));
            let pause_s = pause_s(now, &plan);
            assert!((expected..=expected + expected / 10).contains(&pause_s), "{expected}: {pause_s}");
        };
        check(None, None, None, 300);
        check(Some(900), None, None, 900);
        check(Some(900), Some(3_600), None, 3_600);
        check(Some(0), None, None, 300);
        check(Some(10_000_000), None, None, 86_400);
        check(None, None, Some(60), 300);
        check(None, None, Some(200_000), 200_000);
    }

    #[test]
    fn a_304_forgets_nothing_that_the_feed_asked_for() {
        let config = FetchConfig::default();
        let feed = FeedId::of("https://example.org/feed");
        // A Sunday.
        let now = at("2026-03-01T12:30:00Z");
        let busy = entries(10, now);
        let document = Document {
            fresh_s: Some(600),
            ttl_s: Some(1_200),
            skip_hours: &[13, 14],
            skip_days: &[1],
            entries: &busy,
            ..Document::default()
        };
        let mut known = read(&config, None, document, now);
        assert_eq!(known.timing.last_full, Some(now));
        for (time, fresh_s, expected_s, next) in [
            ("2026-03-01T12:50:00Z", None, 1_200, "2026-03-01T15"),
            ("2026-03-01T15:10:00Z", Some(7_200), 7_200, "2026-03-01T17"),
            ("2026-03-01T17:10:00Z", None, 7_200, "2026-03-01T19"),
            ("2026-03-01T22:00:00Z", Some(0), 1_200, "2026-03-01T22"),
            ("2026-03-01T23:50:00Z", None, 1_200, "2026-03-03T00"),
        ] {
            let answer = Answer::NotModified { fresh_s };
            known = plan(&config, &feed, None, known.timing, answer, at(time));
            assert_eq!(known.interval_s, Some(expected_s), "{time}");
            assert_eq!(known.next_poll.to_string().get(..13), Some(next), "{time}");
        }
    }

    #[test]
    fn pauses_double_and_end_in_weeks() {
        let config = FetchConfig::default();
        let feed = FeedId::of("https://example.org/feed");
        let now = at("2026-03-01T12:00:00Z");
        let check = |status, count, since: &str, retry_after_s, low: i64, high: i64| {
            let failure = Failure { status, count, gone: 1, since: at(since), retry_after_s };
            let planned = plan(&config, &feed, None, Timing::default(), Answer::Failed(failure), now);
            let pause = pause_s(now, &planned);
            assert!((low..=high).contains(&pause), "{failure:?}: {pause}");
        };
        let lately = "2026-03-01T11:00:00Z";
        check(None, 1, lately, None, 240, 360);
        check(None, 2, lately, None, 480, 720);
        check(Some(500), 5, lately, None, 3_840, 5_760);
        check(None, 4_000_000_000, lately, None, 69_120, 86_400);
        check(Some(429), 1, lately, Some(7_200), 7_200, 7_200);
        check(Some(410), 7, lately, None, 69_120, 86_400);
        for status in [None, Some(401), Some(403), Some(404), Some(451), Some(500)] {
            check(status, 30, "2026-02-01T12:00:00Z", None, 5 * 86_400, 9 * 86_400);
            check(status, 90, "2025-02-01T12:00:00Z", None, 24 * 86_400, 36 * 86_400);
        }
    }

    #[test]
    fn jitter_stays_within_the_longest_interval_and_the_pause_of_who_refuses() {
        let config = FetchConfig::default();
        let now = at("2026-03-04T12:00:00Z");
        // The shortest and the longest pause of many feeds.
        let range = |status, count| {
            let failure = Answer::Failed(Failure { status, count, gone: 1, since: now, retry_after_s: None });
            let of = |number: u32| {
                let feed = FeedId::of(&format!("https://example.org/{number}"));
                pause_s(now, &plan(&config, &feed, None, Timing::default(), failure, now))
            };
            let pauses: Vec<i64> = (0..500).map(of).collect();
            (*pauses.iter().min().unwrap(), *pauses.iter().max().unwrap())
        };
        for status in [401, 403, 451] {
            let (least, most) = range(Some(status), 1);
            assert!((14_400..14_600).contains(&least) && (17_000..=17_280).contains(&most), "{least} to {most}");
        }
        for (status, count) in [(Some(403), 40), (None, 40), (Some(410), 1)] {
            let (least, most) = range(status, count);
            assert!((69_120..70_000).contains(&least) && (86_000..=86_400).contains(&most), "{least} to {most}");
        }
        // Of a feed that would be polled less often than the upper bound allows, and of one that asks for all of it itself.
        let config = FetchConfig { max_interval_s: 7_200, ..FetchConfig::default() };
        let range = |fresh_s, reader_s| {
            let document = Document { entries: &[at("2025-03-01T00:00:00Z")], fresh_s, ..Document::default() };
            let of = |number: u32| {
                let feed = FeedId::of(&format!("https://example.org/{number}"));
                plan(&config, &feed, reader_s, Timing::default(), Answer::Read(document), now)
            };
            let plans: Vec<Plan> = (0..500).map(of).collect();
            assert!(plans.iter().all(|plan| plan.interval_s == Some(reader_s.unwrap_or(7_200))));
            let pauses = plans.iter().map(|plan| pause_s(now, plan));
            (pauses.clone().min().unwrap(), pauses.max().unwrap())
        };
        let (least, most) = range(None, None);
        assert!((6_480..6_500).contains(&least) && (7_190..=7_200).contains(&most), "{least} to {most}");
        assert_eq!(range(Some(100_000), None), (7_200, 7_200));
        let (least, most) = range(Some(7_000), None);
        assert!(least >= 7_000 && most <= 7_200, "{least} to {most}");
        assert_eq!(range(None, Some(9_000)), (9_000, 9_000));
    }

    #[test]
    fn a_feed_that_is_gone_is_asked_twice_and_no_more() {
        let config = FetchConfig::default();
        let feed = FeedId::of("https://example.org/feed");
        let now = at("2026-03-04T12:00:00Z");
        let next = |status, gone| {
            let failure = Failure { status, count: 9, gone, since: at("2025-03-04T12:00:00Z"), retry_after_s: None };
            plan(&config, &feed, None, Timing::default(), Answer::Failed(failure), now).next_poll
        };
        assert!(next(Some(410), 1) <= at("2026-03-05T12:00:00Z"), "the first, whatever failed before it");
        assert_eq!(next(Some(410), 2), Timestamp::MAX);
        assert!(next(None, 2) < Timestamp::MAX, "no answer confirms nothing");
    }

    #[test]
    fn a_silent_feed_is_asked_for_everything_once_a_day_at_most() {
        let config = FetchConfig::default();
        let feed = FeedId::of("https://example.org/feed");
        let start = at("2026-03-01T00:00:00Z");
        let document = Document { entries: &entries(3_600, start), ..Document::default() };
        let mut timing = read(&config, None, document, start).timing;
        let mut probes = Vec::new();
        for hour in 1..=24 * 30 {
            let now = Timestamp::from_second(start.as_second() + hour * 3_600).unwrap();
            if wants_probe(&timing, now) {
                probes.push(hour);
                timing.probed = Some(now);
            }
            timing = plan(&config, &feed, None, timing, Answer::NotModified { fresh_s: None }, now).timing;
        }
        assert!(probes.windows(2).all(|pair| pair[1] - pair[0] >= 24), "{probes:?}");
        assert!((5..=20).contains(&probes.len()), "{probes:?}");
        assert!(probes[0] >= 24, "a full answer a day ago is no lie: {probes:?}");
        // As soon as it publishes again, nothing is odd.
        let now = Timestamp::from_second(start.as_second() + 40 * 86_400).unwrap();
        assert!(wants_probe(&timing, now));
        let document = Document { entries: &entries(3_600, now), new: &[now], ..Document::default() };
        let timing = plan(&config, &feed, None, timing, Answer::Read(document), now).timing;
        assert!(!wants_probe(&timing, now));
    }

    #[test]
    fn a_failure_asks_for_no_shorter_pause_than_reader_and_configuration_allow() {
        let config = FetchConfig::default();
        let now = at("2026-03-04T12:00:00Z");
        let failure = Failure { status: Some(500), count: 1, gone: 0, since: now, retry_after_s: None };
        // The pause is given or taken a fifth, by the feed: never to less than the least.
        let pauses = |reader_s: Option<u32>| {
            let of = move |number: u32| {
                let feed = FeedId::of(&format!("https://example.org/{number}"));
                plan(&FetchConfig::default(), &feed, reader_s, Timing::default(), Answer::Failed(failure), now)
            };
            (0..200).map(of).map(|plan| pause_s(now, &plan)).min().unwrap()
        };
        assert_eq!(pauses(None), i64::from(config.min_interval_s));
        assert_eq!(pauses(Some(40_000)), 40_000);
    }
}
