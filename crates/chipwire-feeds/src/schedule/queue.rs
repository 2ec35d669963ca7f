//! The feeds that wait for their next poll, by host.
//!
//! A host is asked by one poll at a time, and polls of one host start at some distance from each other: at least the
//! configured spacing, and where many feeds lie on a host, half of what would spread them evenly over their intervals. So a
//! herd that came into step, after an outage or an import, is dispersed when it has been round once.
//!
//! A million feeds take about a hundred bytes each: feeds and hosts are kept as numbers, their names nowhere. What waits stands
//! in heaps, one for each host and one of the hosts. Nothing is taken out of the middle of a heap: an entry that is not true any
//! more is dropped when it comes to the top, or when most of a heap is such.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use chipwire_events::{FeedId, FeedState, Timestamp};
use rustc_hash::FxHashMap;

use super::{Rest, fraction, later_ms, longest_wait_s};
use crate::{config::FetchConfig, headers::MAX_RETRY_AFTER_S};

/// Overdue feeds are spread over this time after a start, in seconds: a power of two.
const RESUME_SPREAD_S: i64 = 256;

/// The feeds of one host are kept apart by this at most, in milliseconds, unless the configuration says more.
const LONGEST_GAP_MS: i64 = 30_000;

/// A clock that goes back by more than this, in milliseconds, was wrong before.
const CLOCK_SLACK_MS: i64 = 60_000;

/// Entries of a heap that may be stale however few are true.
const STALE_KEPT: usize = 16;

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

#[derive(Debug, Default, Clone)]
struct Host {
    name: u64,
    /// Those that wait, the first on top: time, feed.
    queue: BinaryHeap<Reverse<(i64, u64)>>,
    /// Feeds that wait.
    waiting: u32,
    /// Whether one is being polled.
    busy: bool,
    /// The sum of the intervals of those that wait, in seconds.
    intervals_s: u64,
    /// No poll before this time.
    free_ms: i64,
    /// Under which time it stands in [`Schedule::ready`].
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
    slots: FxHashMap<u64, Slot>,
    /// Feeds that are being polled, with their hosts.
    polled: FxHashMap<u64, u32>,
    hosts: Vec<Host>,
    numbers: FxHashMap<u64, u32>,
    /// Numbers in `hosts` that nobody uses.
    unused: Vec<u32>,
    /// With so many hosts, those that nobody needs any more are looked for.
    sweep_at: usize,
    /// Hosts that have something to do and are not busy, the first on top: the time at which they may, host.
    ready: BinaryHeap<Reverse<(i64, u32)>>,
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
        let Reverse((at_ms, _)) = self.ready.peek()?;
        Timestamp::from_millisecond(*at_ms).ok()
    }

    /// Takes out the first feed whose time has come and whose host is free. Its host is busy until the caller says that the
    /// poll is [`finished`](Self::finished); to be polled again, the feed has to be added again.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Due> {
        self.note_time(now);
        let now_ms = now.as_millisecond();
        loop {
            let Reverse((since_ms, number)) = *self.ready.peek()?;
            if since_ms > now_ms {
                return None;
            }
            let Reverse((_, feed)) = *self.hosts.get(number as usize)?.queue.peek()?;
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
        self.slots.insert(feed, slot);
        self.change(slot.host, |host| {
            host.queue.push(Reverse((slot.at_ms, feed)));
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
        self.change(slot.host, |host| {
            host.waiting = host.waiting.saturating_sub(1);
            host.intervals_s = host.intervals_s.saturating_sub(u64::from(slot.interval_s));
        });
    }

    /// Changes a host, and its place in `ready` with it. Afterwards the entries on top are true.
    fn change(&mut self, number: u32, change: impl FnOnce(&mut Host)) {
        let Some(host) = self.hosts.get_mut(number as usize) else { return };
        change(host);
        let waits = |Reverse((at_ms, feed)): &Reverse<(i64, u64)>| {
            self.slots.get(feed).is_some_and(|slot| slot.at_ms == *at_ms && slot.host == number)
        };
        drop_stale(&mut host.queue, host.waiting as usize, waits);
        let ready_ms = host.queue.peek().filter(|_| !host.busy).map(|Reverse((at_ms, _))| (*at_ms).max(host.free_ms));
        if ready_ms == host.ready_ms {
            return;
        }
        host.ready_ms = ready_ms;
        if let Some(ready_ms) = ready_ms {
            self.ready.push(Reverse((ready_ms, number)));
        }
        let hosts = &self.hosts;
        drop_stale(&mut self.ready, hosts.len(), |Reverse((at_ms, number))| {
            hosts.get(*number as usize).is_some_and(|host| host.ready_ms == Some(*at_ms))
        });
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
        self.hosts.iter_mut().for_each(|host| host.queue.clear());
        for (feed, slot) in &self.slots {
            if let Some(host) = self.hosts.get_mut(slot.host as usize) {
                host.queue.push(Reverse((slot.at_ms, *feed)));
            }
        }
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
        if plain_number(feed).is_none() {
            self.odd.insert(number, feed.clone());
        }
        number
    }

    fn id(&self, number: u64) -> FeedId {
        self.odd.get(&number).cloned().unwrap_or_else(|| id_of(number))
    }
}

/// Drops entries that are not true from the top of a heap; all of them where they are more than the `true_ones` can be.
fn drop_stale<T: Ord>(heap: &mut BinaryHeap<T>, true_ones: usize, is_true: impl Fn(&T) -> bool) {
    while heap.peek().is_some_and(|top| !is_true(top)) {
        heap.pop();
    }
    if heap.len() > 2 * true_ones + STALE_KEPT {
        heap.retain(&is_true);
    }
}

/// The values of hexadecimal digits in small letters; of all other bytes, [`NO_DIGIT`].
#[expect(clippy::indexing_slicing, reason = "computed when it is compiled")]
const DIGITS: [u8; 256] = {
    let (mut digits, mut value) = ([NO_DIGIT; 256], 0);
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};
const NO_DIGIT: u8 = 0x80;

/// The number of an id that [`id_of`] makes.
fn plain_number(feed: &FeedId) -> Option<u64> {
    let id: &[u8; 16] = feed.as_str().as_bytes().try_into().ok()?;
    // Without a branch for each digit, which nobody could foresee.
    let (number, seen) = id.iter().fold((0, 0), |(number, seen), byte| {
        let digit = DIGITS.get(usize::from(*byte)).copied().unwrap_or(NO_DIGIT);
        (number << 4 | u64::from(digit & 0xf), seen | digit)
    });
    (seen < NO_DIGIT).then_some(number)
}

fn number_of(feed: &FeedId) -> u64 {
    plain_number(feed).unwrap_or_else(|| {
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
///
/// The moment of an overdue feed comes again and again on the clock, so that whoever takes the feed over meanwhile comes to the
/// same one: were it counted from the start, workers that follow one on another in seconds would put the feed off for ever.
pub fn resume_at(feed: &FeedId, standing: Option<&Standing>, now: Timestamp) -> Timestamp {
    let Some(standing) = standing else { return now };
    let overdue_s = now.as_second() - standing.next_poll.as_second();
    if overdue_s < 1 {
        let latest = standing.rest.next_allowed(later_ms(now, standing.longest_s.saturating_mul(1_000)));
        return standing.next_poll.min(latest);
    }
    // No feed waits for longer than it does between two polls.
    let interval_s = if standing.interval_s > 0 { i64::from(standing.interval_s) } else { RESUME_SPREAD_S };
    // Powers of two: the moments of a longer spread are among those of a shorter one.
    let spread_ms = 1_000 << overdue_s.min(RESUME_SPREAD_S).min(interval_s).ilog2();
    let own_ms = (RESUME_SPREAD_S as f64 * 1_000.0 * fraction(feed, 0)) as i64;
    later_ms(now, (own_ms - now.as_millisecond()).rem_euclid(spread_ms))
}

#[cfg(test)]
mod tests;
