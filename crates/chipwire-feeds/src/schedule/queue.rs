//! The feeds that wait for their next poll, by host.
//!
//! A host is asked by one poll at a time, and polls of one host start at some distance from each other: at least the
//! configured spacing, and where many feeds lie on a host, half of what would spread them evenly over their intervals. So a
//! herd that came into step, after an outage or an import, is dispersed when it has been round once.
//!
//! A million feeds take about a hundred bytes each: feeds and hosts are kept as numbers, their names nowhere.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use chipwire_events::{FeedId, FeedState, Timestamp};

use super::{Rest, fraction, later_ms, longest_wait_s};
use crate::{config::FetchConfig, headers::MAX_RETRY_AFTER_S};

/// Overdue feeds are spread over this time after a start, in seconds.
const RESUME_SPREAD_S: i64 = 300;

/// The feeds of one host are kept apart by this at most, in milliseconds, unless the configuration says more.
const LONGEST_GAP_MS: i64 = 30_000;

/// A clock that goes back by more than this, in milliseconds, was wrong before.
const CLOCK_SLACK_MS: i64 = 60_000;

/// Hosts that are kept before those that nobody needs any more are looked for.
const KEPT_HOSTS: usize = 1_024;

/// What the queue has to know of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Not polled before this time.
    pub next_poll: Timestamp,
    /// The time between two polls, in seconds; 0 if nobody knows.
    pub interval_s: u32,
    /// When it rests.
    pub rest: Rest,
    /// Until when the server asked to be left in peace.
    pub retry_at: Option<Timestamp>,
    /// The longest time to the next poll that can have been planned, in seconds.
    pub longest_s: i64,
}

impl Standing {
    /// As the feed's state says. `reader_s` is the shortest interval that the reader wants, in seconds.
    pub fn of(config: &FetchConfig, reader_s: Option<u32>, state: &FeedState) -> Self {
        Self {
            longest_s: longest_wait_s(config, reader_s, state),
            next_poll: state.next_poll,
            interval_s: state.interval_s.unwrap_or(0),
            rest: Rest::new(&state.timing.skip_hours, &state.timing.skip_days),
            retry_at: state.timing.retry_at,
        }
    }
}

/// A feed whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The feed.
    pub feed: FeedId,
    /// Since when it could have been polled.
    pub since: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    at_ms: i64,
    host: u32,
    interval_s: u32,
    rest: Rest,
}

#[derive(Debug, Default, Clone, Copy)]
struct Host {
    name: u64,
    /// Feeds that wait.
    waiting: u32,
    /// Whether one is being polled.
    busy: bool,
    /// The sum of the intervals of those that wait, in seconds.
    intervals_s: u64,
    /// No poll before this time.
    free_ms: i64,
    /// Under which time it stands in `ready`.
    ready_ms: Option<i64>,
    /// The last feed that was asked to retry later, and when.
    retry: Option<(u64, i64)>,
}

impl Host {
    /// Whether nothing has to be known of it any more.
    fn is_unused(&self, now_ms: i64) -> bool {
        let retries = self.retry.is_some_and(|(_, until_ms)| until_ms > now_ms);
        self.waiting == 0 && !self.busy && self.free_ms <= now_ms && !retries
    }
}

/// The feeds that wait for their next poll.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    spacing_ms: i64,
    /// The latest time that the caller has named.
    now_ms: i64,
    slots: BTreeMap<u64, Slot>,
    /// Feeds that are being polled, with their hosts.
    polled: HashMap<u64, u32>,
    hosts: Vec<Host>,
    numbers: HashMap<u64, u32>,
    /// Numbers in `hosts` that nobody uses.
    unused: Vec<u32>,
    /// With so many hosts, those that nobody needs any more are looked for.
    sweep_at: usize,
    /// Host, time, feed.
    by_host: BTreeSet<(u32, i64, u64)>,
    /// Hosts that have something to do and are not busy, by the time at which they may.
    ready: BTreeSet<(i64, u32)>,
    /// Feeds whose ids are not those that chipwire makes.
    odd: HashMap<u64, FeedId>,
}

impl Schedule {
    /// An empty one. `host_spacing_ms` is the time from the end of a poll to the next one of the same host.
    pub fn new(host_spacing_ms: u64) -> Self {
        let spacing_ms = i64::try_from(host_spacing_ms).unwrap_or(i64::MAX / 4);
        Self { spacing_ms, now_ms: i64::MIN / 2, sweep_at: KEPT_HOSTS, ..Self::default() }
    }

    /// Adds a feed of `host`, or moves it to another time.
    pub fn upsert(&mut self, feed: &FeedId, host: &str, at: Timestamp, interval_s: u32, rest: Rest) {
        let number = self.number(feed);
        self.take(number);
        let host = self.host(host);
        self.put(number, Slot { at_ms: at.as_millisecond(), host, interval_s, rest });
    }

    /// Adds a feed as its state says, after a start at `now`: at the stored time, or if that has passed, soon. Its host is
    /// left in peace as it was left in peace before.
    pub fn resume(&mut self, feed: &FeedId, host: &str, standing: Option<Standing>, now: Timestamp) {
        self.note_time(now);
        let at = resume_at(feed, standing.as_ref(), now);
        let Some(standing) = standing else { return self.upsert(feed, host, at, 0, Rest::default()) };
        self.upsert(feed, host, at, standing.interval_s, standing.rest);
        if let Some(retry_at) = standing.retry_at {
            // No server can have asked for more.
            self.retry_later(feed, host, retry_at.min(later_ms(now, MAX_RETRY_AFTER_S * 1_000)), now);
        }
        // A poll that was under way when the last run ended left no trace: it may have been a moment ago.
        let number = self.host(host);
        let spacing_ms = self.spacing_ms;
        self.change(number, |host| host.free_ms = host.free_ms.max(now.as_millisecond() + spacing_ms));
    }

    /// Takes a feed out; nothing happens if it is not there.
    pub fn remove(&mut self, feed: &FeedId) {
        let number = number_of(feed);
        self.take(number);
        if !self.polled.contains_key(&number) {
            self.odd.remove(&number);
        }
    }

    /// The time at which the first feed can be polled. None while nothing waits for anything but a poll under way.
    pub fn next_due(&self) -> Option<Timestamp> {
        let (at_ms, _) = self.ready.first()?;
        Timestamp::from_millisecond(*at_ms).ok()
    }

    /// Takes out the first feed whose time has come and whose host is free. Its host is busy until the caller says that the
    /// poll is [`finished`](Self::finished); to be polled again, the feed has to be added again.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Due> {
        self.note_time(now);
        let now_ms = now.as_millisecond();
        loop {
            let (since_ms, number) = *self.ready.first()?;
            if since_ms > now_ms {
                return None;
            }
            let (_, _, feed) = *self.by_host.range((number, i64::MIN, 0)..=(number, i64::MAX, u64::MAX)).next()?;
            let slot = *self.slots.get(&feed)?;
            // Waiting for the host has taken it into hours at which it rests; or it was added anew during its own poll.
            let rests = slot.rest.covers(now);
            if rests || self.polled.contains_key(&feed) {
                let later = if rests { slot.rest.next_allowed(now) } else { later_ms(now, 1_000) };
                self.take_slot(feed, slot);
                self.put(feed, Slot { at_ms: later.as_millisecond(), ..slot });
                continue;
            }
            let gap_ms = self.hosts.get(number as usize).map_or(0, |host| self.gap_ms(host));
            self.take_slot(feed, slot);
            self.polled.insert(feed, number);
            self.change(number, |host| {
                host.busy = true;
                host.free_ms = host.free_ms.max(now_ms.saturating_add(gap_ms));
            });
            let since = Timestamp::from_millisecond(since_ms).unwrap_or(now);
            return Some(Due { feed: self.id(feed), since });
        }
    }

    /// The poll of a feed is over, whatever came of it: its host is free again after the spacing.
    pub fn finished(&mut self, feed: &FeedId, now: Timestamp) {
        let number = number_of(feed);
        self.note_time(now);
        let Some(host) = self.polled.remove(&number) else { return };
        let free_ms = now.as_millisecond().saturating_add(self.spacing_ms);
        self.change(host, |host| {
            host.busy = false;
            host.free_ms = host.free_ms.max(free_ms);
        });
        self.forget_if_unused(host);
    }

    /// The server of a feed asked to be left in peace until `until`: when it says so of a second feed as well, it is taken to
    /// speak for the whole host, and no other feed of it is polled before.
    pub fn retry_later(&mut self, feed: &FeedId, host: &str, until: Timestamp, now: Timestamp) {
        let (feed, until_ms, now_ms) = (number_of(feed), until.as_millisecond(), now.as_millisecond());
        if until_ms <= now_ms {
            return;
        }
        let number = self.host(host);
        self.change(number, |host| {
            if let Some((_, other_ms)) = host.retry.filter(|(other, at_ms)| *other != feed && *at_ms > now_ms) {
                host.free_ms = host.free_ms.max(until_ms.max(other_ms));
            }
            host.retry = Some((feed, until_ms));
        });
        self.forget_if_unused(number);
    }

    /// Feeds that wait.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no feed waits.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The distance between the starts of two polls of a host.
    fn gap_ms(&self, host: &Host) -> i64 {
        let feeds = i64::from(host.waiting.max(1));
        let mean_ms = i64::try_from(host.intervals_s).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000) / feeds;
        (mean_ms / (2 * feeds)).min(LONGEST_GAP_MS).max(self.spacing_ms)
    }

    fn put(&mut self, feed: u64, slot: Slot) {
        self.by_host.insert((slot.host, slot.at_ms, feed));
        self.slots.insert(feed, slot);
        self.change(slot.host, |host| {
            host.waiting += 1;
            host.intervals_s += u64::from(slot.interval_s);
        });
    }

    fn take(&mut self, feed: u64) {
        if let Some(slot) = self.slots.get(&feed).copied() {
            self.take_slot(feed, slot);
            self.forget_if_unused(slot.host);
        }
    }

    fn take_slot(&mut self, feed: u64, slot: Slot) {
        self.slots.remove(&feed);
        self.by_host.remove(&(slot.host, slot.at_ms, feed));
        self.change(slot.host, |host| {
            host.waiting = host.waiting.saturating_sub(1);
            host.intervals_s = host.intervals_s.saturating_sub(u64::from(slot.interval_s));
        });
    }

    /// Changes a host, and its place in `ready` with it.
    fn change(&mut self, number: u32, change: impl FnOnce(&mut Host)) {
        let Some(host) = self.hosts.get_mut(number as usize) else { return };
        change(host);
        let first = self.by_host.range((number, i64::MIN, 0)..=(number, i64::MAX, u64::MAX)).next();
        let ready_ms = first.filter(|_| !host.busy).map(|(_, at_ms, _)| (*at_ms).max(host.free_ms));
        if ready_ms != host.ready_ms {
            if let Some(before_ms) = host.ready_ms {
                self.ready.remove(&(before_ms, number));
            }
            if let Some(ready_ms) = ready_ms {
                self.ready.insert((ready_ms, number));
            }
            host.ready_ms = ready_ms;
        }
    }

    fn host(&mut self, name: &str) -> u32 {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        // Two hosts with one hash would be spaced as one: no harm.
        let name = hasher.finish();
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        if self.numbers.len() >= self.sweep_at {
            self.sweep();
        }
        let number = self.unused.pop().unwrap_or_else(|| {
            self.hosts.push(Host::default());
            u32::try_from(self.hosts.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(host) = self.hosts.get_mut(number as usize) {
            *host = Host { name, free_ms: i64::MIN / 2, ..Host::default() };
        }
        self.numbers.insert(name, number);
        number
    }

    /// A host without feeds is forgotten, unless it is to be left in peace still: then [`sweep`](Self::sweep) finds it later.
    fn forget_if_unused(&mut self, number: u32) {
        let Some(host) = self.hosts.get(number as usize) else { return };
        if host.is_unused(self.now_ms) && self.numbers.get(&host.name) == Some(&number) {
            self.numbers.remove(&host.name);
            self.unused.push(number);
        }
    }

    /// Forgets hosts without feeds. Looks at all of them, and so only when there are twice as many as after the last time.
    fn sweep(&mut self) {
        let (hosts, unused, now_ms) = (&self.hosts, &mut self.unused, self.now_ms);
        self.numbers.retain(|_, number| {
            let stays = hosts.get(*number as usize).is_none_or(|host| !host.is_unused(now_ms));
            if !stays {
                unused.push(*number);
            }
            stays
        });
        self.sweep_at = (2 * self.numbers.len()).max(KEPT_HOSTS);
    }

    /// Notes what time it is. When a clock that was ahead is put right, everything is moved back with it: what was planned by
    /// it would else wait until it comes to that time again.
    fn note_time(&mut self, now: Timestamp) {
        let now_ms = now.as_millisecond();
        let back_ms = self.now_ms.saturating_sub(now_ms);
        self.now_ms = now_ms;
        if back_ms <= CLOCK_SLACK_MS {
            return;
        }
        for slot in self.slots.values_mut() {
            slot.at_ms = slot.at_ms.saturating_sub(back_ms);
        }
        self.by_host = self.slots.iter().map(|(feed, slot)| (slot.host, slot.at_ms, *feed)).collect();
        for number in 0..u32::try_from(self.hosts.len()).unwrap_or(u32::MAX) {
            self.change(number, |host| {
                if host.free_ms > now_ms {
                    host.free_ms = host.free_ms.saturating_sub(back_ms);
                }
                host.retry = host.retry.map(|(feed, until_ms)| (feed, until_ms.saturating_sub(back_ms)));
            });
        }
    }

    fn number(&mut self, feed: &FeedId) -> u64 {
        let number = number_of(feed);
        if !is_plain(feed) {
            self.odd.insert(number, feed.clone());
        }
        number
    }

    fn id(&self, number: u64) -> FeedId {
        self.odd.get(&number).cloned().unwrap_or_else(|| id_of(number))
    }
}

/// Whether an id is one that [`id_of`] makes.
fn is_plain(feed: &FeedId) -> bool {
    let id = feed.as_str().as_bytes();
    id.len() == 16 && id.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn number_of(feed: &FeedId) -> u64 {
    let plain = is_plain(feed).then(|| u64::from_str_radix(feed.as_str(), 16).ok()).flatten();
    plain.unwrap_or_else(|| {
        let mut hasher = DefaultHasher::new();
        feed.hash(&mut hasher);
        hasher.finish()
    })
}

fn id_of(number: u64) -> FeedId {
    FeedId::from_string(format!("{number:016x}"))
}

/// When to poll a feed after a start: at the stored time; a feed that is overdue within the first five minutes, each at its
/// own moment; one that was never polled, now. A stored time that no clock that goes right can have led to is brought down to
/// the longest that one can.
pub fn resume_at(feed: &FeedId, standing: Option<&Standing>, now: Timestamp) -> Timestamp {
    let Some(standing) = standing else { return now };
    let overdue_s = now.as_second() - standing.next_poll.as_second();
    if overdue_s < 1 {
        let latest = standing.rest.next_allowed(later_ms(now, standing.longest_s.saturating_mul(1_000)));
        return standing.next_poll.min(latest);
    }
    let spread_s = RESUME_SPREAD_S.min(overdue_s);
    later_ms(now, (spread_s as f64 * 1_000.0 * fraction(feed, 0)) as i64)
}

#[cfg(test)]
mod tests;
