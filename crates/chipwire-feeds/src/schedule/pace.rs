//! How often a feed publishes and at what times, and what interval follows from it.
//!
//! A feed is taken for a stream of articles whose rate depends on the hour of the day and the day of the week. The next poll
//! comes when the time that articles are expected to have waited until then, all together, reaches a constant: then one more
//! poll of any feed saves as much waiting as one more poll of any other, which is the best use of a number of requests. With
//! a constant rate the interval is the square root of `2 * WORTH_S / rate`.

use chipwire_events::{Pace, Timestamp};

use super::rest::hour_and_day;

/// Waiting that a poll is worth: articles times seconds.
const WORTH_S: f64 = 30.0;

/// What is this old counts 1/e, in seconds.
const MEMORY_S: f64 = 14.0 * 86_400.0;

/// What every feed is credited with before anything is known: this many articles ...
const PRIOR_ARTICLES: f64 = 0.5;

/// ... in this time, in seconds.
const PRIOR_S: f64 = 6.0 * 3_600.0;

/// Articles that the distribution over the hours of the day starts from, evenly spread; and over the days of the week.
const PRIOR_HOURS: f64 = 6.0;
const PRIOR_DAYS: f64 = 7.0;

/// Entries that the usual gap of a feed is taken from.
const GAP_ENTRIES: usize = 20;

const HOUR_S: f64 = 3_600.0;
const MICRO: f64 = 1_000_000.0;

/// Counts what a document brought: the articles that are `new`, by their publication, and before the first time all that it
/// holds. `entries` are the times of all entries of the document. Times after `now` count as `now`.
pub(super) fn observe(pace: Option<Pace>, entries: &[Timestamp], new: &[Timestamp], now: Timestamp) -> Pace {
    let mut pace = match pace {
        Some(mut pace) => {
            age(&mut pace, now);
            // What was published long ago and comes only now says little about what is to come.
            new.iter().for_each(|time| count(&mut pace, *time, now, weight_of(*time, now)));
            pace
        }
        None => from_document(entries, now),
    };
    let newest = new.iter().chain(entries).filter(|time| **time <= now).max().copied();
    pace.newest = pace.newest.max(newest);
    if let Some(gap_s) = usual_gap_s(entries, now) {
        pace.gap_s = Some(gap_s);
    }
    pace
}

/// A feed that was never read before: its first document stands for the time since its oldest entry.
fn from_document(entries: &[Timestamp], now: Timestamp) -> Pace {
    let mut pace =
        Pace { updated: now, observed_s: 0, hours_micro: [0; 24], days_micro: [0; 7], newest: None, gap_s: None };
    let Some(oldest) = entries.iter().filter(|time| **time <= now).min() else { return pace };
    pace.observed_s = (MEMORY_S * (1.0 - weight_of(*oldest, now))) as u32;
    // The oldest only opens the time that is looked at: n articles have n - 1 gaps.
    let mut past: Vec<&Timestamp> = entries.iter().filter(|time| **time <= now).collect();
    past.sort_unstable();
    for time in past.iter().skip(1) {
        count(&mut pace, **time, now, weight_of(**time, now));
    }
    pace
}

/// What an article counts at `now`.
fn weight_of(time: Timestamp, now: Timestamp) -> f64 {
    (-((now.as_second() - time.as_second()).max(0) as f64) / MEMORY_S).exp()
}

/// Lets the hours pass that have passed. Whole hours only, so that frequent polls do not round everything away.
fn age(pace: &mut Pace, now: Timestamp) {
    let hours = (now.as_second() - pace.updated.as_second()) / 3_600;
    if hours < 1 {
        return;
    }
    let left = (-(hours as f64) * HOUR_S / MEMORY_S).exp();
    for micro in pace.hours_micro.iter_mut().chain(&mut pace.days_micro) {
        *micro = (*micro as f64 * left) as u64;
    }
    pace.observed_s = (f64::from(pace.observed_s) * left + MEMORY_S * (1.0 - left)) as u32;
    let updated = pace.updated.as_second() + hours * 3_600;
    pace.updated = Timestamp::from_second(updated).unwrap_or(now);
}

fn count(pace: &mut Pace, time: Timestamp, now: Timestamp, weight: f64) {
    let (hour, day) = hour_and_day(time.min(now).as_second());
    let micro = (weight * MICRO) as u64;
    if let Some(slot) = pace.hours_micro.get_mut(hour as usize) {
        *slot = slot.saturating_add(micro);
    }
    if let Some(slot) = pace.days_micro.get_mut(day as usize) {
        *slot = slot.saturating_add(micro);
    }
}

/// The median gap between the newest entries of a document, in seconds; the mean where most come in batches.
fn usual_gap_s(entries: &[Timestamp], now: Timestamp) -> Option<u32> {
    let mut seconds: Vec<i64> = entries.iter().filter(|time| **time <= now).map(|time| time.as_second()).collect();
    seconds.sort_unstable_by(|a, b| b.cmp(a));
    seconds.truncate(GAP_ENTRIES);
    let (newest, oldest) = (*seconds.first()?, *seconds.last()?);
    let mut gaps: Vec<i64> =
        seconds.iter().zip(seconds.iter().skip(1)).map(|(later, earlier)| later - earlier).collect();
    gaps.sort_unstable();
    let median = *gaps.get(gaps.len() / 2)?;
    let mean = (newest - oldest) / i64::try_from(gaps.len()).ok()?;
    u32::try_from(median.max(mean / 4)).ok()
}

/// The rate of a feed by hour of the day and day of the week, in articles per second.
struct Rates {
    mean: f64,
    hours: [f64; 24],
    days: [f64; 7],
}

impl Rates {
    fn of(pace: &Pace, now: Timestamp) -> Self {
        // Hours that have passed since are ones in which nothing came.
        let passed_s = (now.as_second() - pace.updated.as_second()).max(0) as f64;
        let left = (-passed_s / MEMORY_S).exp();
        let articles = pace.days_micro.iter().map(|micro| *micro as f64 / MICRO).sum::<f64>();
        let observed_s = f64::from(pace.observed_s) * left + MEMORY_S * (1.0 - left);
        let mean = (articles * left + PRIOR_ARTICLES) / (observed_s + PRIOR_S);
        let around = |hour: usize| pace.hours_micro.get(hour % 24).map_or(0.0, |micro| *micro as f64 / MICRO);
        let hours = std::array::from_fn(|hour| {
            let smooth = (around(hour + 23) + 2.0 * around(hour) + around(hour + 1)) / 4.0;
            (smooth * 24.0 + PRIOR_HOURS) / (articles + PRIOR_HOURS)
        });
        let days = std::array::from_fn(|day| {
            let day = pace.days_micro.get(day).map_or(0.0, |micro| *micro as f64 / MICRO);
            (day * 7.0 + PRIOR_DAYS) / (articles + PRIOR_DAYS)
        });
        Self { mean, hours, days }
    }

    /// How much more than the mean is published at `second`.
    fn shape(&self, second: i64) -> f64 {
        let (hour, day) = hour_and_day(second);
        let of = |shares: &[f64], at: u32| shares.get(at as usize).copied().unwrap_or(1.0);
        of(&self.hours, hour) * of(&self.days, day)
    }
}

/// The interval, in seconds, after which the articles that are expected until then have waited as long as a poll is worth;
/// at most `longest_s`.
pub(super) fn interval_s(pace: &Pace, now: Timestamp, longest_s: u32) -> u32 {
    let rates = Rates::of(pace, now);
    let start = now.as_second();
    let end = start.saturating_add(i64::from(longest_s));
    let (mut at, mut expected, mut waited) = (start, 0.0_f64, 0.0_f64);
    while at < end {
        let next = (at.div_euclid(3_600) * 3_600 + 3_600).min(end);
        let length = (next - at) as f64;
        let rate = rates.mean * rates.shape(at);
        let more = expected * length + rate * length * length / 2.0;
        if waited + more >= WORTH_S {
            // The moment within this hour: rate / 2 * t^2 + expected * t = what is missing.
            let missing = WORTH_S - waited;
            let root = (expected * expected + 2.0 * rate * missing).sqrt();
            let t = 2.0 * missing / (expected + root);
            return u32::try_from(at - start).unwrap_or(longest_s).saturating_add(t as u32).min(longest_s);
        }
        waited += more;
        expected += rate * length;
        at = next;
    }
    longest_s
}

/// Whether the feed has been silent for over three times its usual gap, in which, by the hours at which it publishes, it
/// would usually have published three articles.
pub(super) fn is_oddly_silent(pace: &Pace, now: Timestamp) -> bool {
    let (Some(newest), Some(gap_s)) = (pace.newest, pace.gap_s) else { return false };
    let silence_s = now.as_second() - newest.as_second();
    let gap_s = i64::from(gap_s.max(60));
    if silence_s <= 3 * gap_s {
        return false;
    }
    if silence_s > 14 * 86_400 {
        return true;
    }
    let rates = Rates::of(pace, now);
    let (mut at, mut expected) = (newest.as_second(), 0.0);
    while at < now.as_second() {
        let next = (at + 3_600).min(now.as_second());
        expected += rates.shape(at) * (next - at) as f64 / gap_s as f64;
        at = next;
    }
    expected > 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST_S: u32 = 86_400;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn every(gap_s: i64, count: i64, silence_s: i64, now: Timestamp) -> Vec<Timestamp> {
        (0..count).map(|i| Timestamp::from_second(now.as_second() - silence_s - i * gap_s).unwrap()).collect()
    }

    fn interval_of(entries: &[Timestamp], now: Timestamp) -> u32 {
        interval_s(&observe(None, entries, &[], now), now, LONGEST_S)
    }

    #[test]
    fn more_articles_mean_more_polls_by_the_square_root() {
        // A Wednesday. Gaps that go through all hours of the day.
        let now = at("2026-03-04T12:00:00Z");
        let [hourly, daily, weekly] =
            [3_700, 90_000, 600_000].map(|gap_s| interval_of(&every(gap_s, 400, 0, now), now));
        let ratio = f64::from(daily) / f64::from(hourly);
        assert!((3.0..6.5).contains(&ratio), "{hourly} {daily} {weekly}");
        assert!(hourly < daily && daily < weekly && weekly < LONGEST_S, "{hourly} {daily} {weekly}");
        let unknown = interval_of(&[], now);
        assert!((600..7_200).contains(&unknown), "{unknown}");
    }

    #[test]
    fn silence_makes_the_interval_longer() {
        let now = at("2026-03-04T12:00:00Z");
        let mut last = 0;
        for days in [0, 3, 10, 30, 90, 365] {
            let interval_s = interval_of(&every(3_600, 40, days * 86_400, now), now);
            assert!(interval_s >= last, "{days} days: {interval_s} < {last}");
            last = interval_s;
        }
        assert!(last > 3 * 3_600, "{last}");
    }

    #[test]
    fn a_feed_of_office_hours_is_asked_at_office_hours() {
        // Every working day at 9, 10, ... 16 o'clock, for three weeks until Friday.
        let friday = at("2026-03-06T17:00:00Z").as_second();
        let days = (0..21).filter(|day| !matches!(day % 7, 0 | 1)).map(|day| friday - (20 - day) * 86_400);
        let entries: Vec<Timestamp> = days
            .flat_map(|day| (1..=8).map(move |hour| Timestamp::from_second(day - hour * 3_600).unwrap()))
            .filter(|time| time.as_second() <= friday)
            .collect();
        let pace = observe(None, &entries, &[], at("2026-03-06T17:00:00Z"));
        let after = |time: &str| interval_s(&pace, at(time), LONGEST_S);
        let [morning, night, weekend] =
            ["2026-03-09T09:00:00Z", "2026-03-09T20:00:00Z", "2026-03-07T10:00:00Z"].map(after);
        assert!(night > 2 * morning && weekend > morning, "{morning} {night} {weekend}");
    }

    #[test]
    fn what_is_new_counts_and_what_is_old_fades() {
        let start = at("2026-03-04T12:00:00Z");
        let mut pace = observe(None, &every(86_400, 10, 0, start), &[], start);
        let quiet = interval_s(&pace, start, LONGEST_S);
        let mut now = start;
        for _ in 0..48 {
            now = Timestamp::from_second(now.as_second() + 1_800).unwrap();
            pace = observe(Some(pace), &[], &[now], now);
        }
        let busy = interval_s(&pace, now, LONGEST_S);
        assert!(busy * 2 < quiet, "{busy} {quiet}");
        // Small steps forget as much as large ones.
        let month = 30 * 86_400;
        let end = Timestamp::from_second(now.as_second() + month).unwrap();
        let at_once = observe(Some(pace.clone()), &[], &[], end);
        for step in (0..month).step_by(700) {
            pace = observe(Some(pace), &[], &[], Timestamp::from_second(now.as_second() + step).unwrap());
        }
        pace = observe(Some(pace), &[], &[], end);
        let (one, many) = (interval_s(&at_once, end, LONGEST_S), interval_s(&pace, end, LONGEST_S));
        assert!(one.abs_diff(many) * 50 < one, "{one} {many}");
    }

    #[test]
    fn an_archive_that_comes_all_at_once_changes_little() {
        let now = at("2026-03-04T12:00:00Z");
        let pace = observe(None, &every(90_000, 20, 0, now), &[], now);
        let before = interval_s(&pace, now, LONGEST_S);
        let after = interval_s(&observe(Some(pace), &[], &every(86_400, 1_000, 90 * 86_400, now), now), now, LONGEST_S);
        assert!(after <= before && after * 5 > before * 4, "{before} {after}");
    }

    #[test]
    fn only_an_unusual_silence_is_odd() {
        let now = at("2026-03-04T12:00:00Z");
        let check = |gap_s, count, silence_s, expected| {
            let entries = every(gap_s, count, silence_s, now);
            let pace = observe(None, &entries, &[], now);
            assert_eq!(is_oddly_silent(&pace, now), expected, "{gap_s} {count} {silence_s}");
        };
        check(3_600, 40, 3_600, false);
        check(3_600, 40, 3 * 3_600, false);
        check(3_600, 40, 5 * 3_600, true);
        check(86_400, 20, 2 * 86_400, false);
        check(86_400, 20, 5 * 86_400, true);
        check(3_600, 1, 90 * 86_400, false);
        assert!(!is_oddly_silent(&observe(None, &[], &[], now), now));
    }
}
