//! FETCH: polls the feeds and publishes what is new.
//!
//! - reads `feeds`, with what hubs have pushed, and the state of its feeds in `feed-states`
//! - writes `articles.raw`: one event per new article or revision, and `feed-states`: what is known after a poll, and the items
//!   that were seen, when the feed was read; removes from `feeds` what hubs have pushed and was taken in
//! - group `fetch`; any number of workers share the feeds by partitions
//! - position: a feed's state is stored with the articles that its poll brought, in one transaction, so that no article is
//!   published twice or passed over
//! - on failure: a feed that cannot be read keeps its error in its state and is tried again later; what is too large for the
//!   log is cut to fit; while the log has no room, polling pauses; anything else ends the worker, and a new one takes up the
//!   stored states

mod account;
mod fitting;
mod kept;
mod pushes;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chipwire_events::{
    Event, Feed, FeedId, FeedItems, FeedOrigin, FeedPush, FeedState, Timestamp, Topic, partition_of,
};
use chipwire_feeds::{
    Fetcher, Outcome, Poll, Schedule,
    pages::{self, Pages},
    poll_recalling,
    schedule::{Rest, Standing},
    websub,
};
use chipwire_log::{Batch, Limit, Positions, Record, Step, Worker};
use tokio::sync::mpsc;
use url::Url;

use self::kept::{Kept, state_in, state_in_log};
use super::{WAIT, max_event_bytes};
use crate::{
    runner::{Context, StageError},
    wire,
};

/// The stage's name and group.
pub const STAGE: &str = "fetch";

/// How long the stage waits before it tries to write again when the log has no room.
const FULL_PAUSE: Duration = Duration::from_secs(1);

/// What is published in one transaction is no more than this, in bytes, and what one poll brings.
const COMMIT_BYTES: usize = 8 << 20;

/// What the stage is told.
#[derive(Clone)]
pub struct Settings {
    /// The HTTP side.
    pub fetcher: Arc<Fetcher>,
    /// Feeds that are polled at the same time.
    pub max_concurrent: usize,
}

/// Runs until it is asked to stop.
pub fn run(context: &Context, settings: &Settings) -> Result<(), StageError> {
    let log = &context.log;
    let worker = log.backend().worker(STAGE, &context.member, &[log.name(Topic::Feeds)])?;
    let mut polling = Polling::new(context, settings, worker);
    while !context.shutdown.requested() {
        polling.step()?;
    }
    Ok(())
}

/// What is kept of a feed while it waits: with a million of them every byte counts.
struct Followed {
    /// The definition as JSON.
    feed: Box<[u8]>,
    state: Kept,
}

/// A poll under way.
struct UnderWay {
    /// Its number: what comes back under another is about a time when the feed was not this worker's.
    flight: u64,
    /// The definition that it started from.
    feed: Feed,
    started: Timestamp,
    /// What is taken in, where it was not asked for.
    push: Option<FeedPush>,
}

/// What comes back from a poll, or from taking in what was pushed.
struct Landed {
    flight: u64,
    feed: FeedId,
    /// Nothing, if it has panicked.
    came: Option<(Poll, Pages)>,
}

struct Polling<'a> {
    context: &'a Context,
    settings: &'a Settings,
    worker: Box<dyn Worker>,
    /// The feeds of the partitions that belong to this worker.
    feeds: BTreeMap<FeedId, Followed>,
    failing: HashSet<FeedId>,
    schedule: Schedule,
    in_flight: HashMap<FeedId, UnderWay>,
    flights: u64,
    /// What hubs have said about feeds while they are polled: taken in behind the poll, whose state it goes on from.
    held: HashMap<FeedId, Vec<FeedPush>>,
    /// Feeds of which hubs have said more than is held, until they are polled: soon.
    missed: HashSet<FeedId>,
    /// How far the partitions of this worker were read. Stored anew with every poll: only their owner can do that.
    positions: Positions,
    sender: mpsc::UnboundedSender<Landed>,
    receiver: mpsc::UnboundedReceiver<Landed>,
}

impl<'a> Polling<'a> {
    fn new(context: &'a Context, settings: &'a Settings, worker: Box<dyn Worker>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            context,
            settings,
            worker,
            feeds: BTreeMap::new(),
            failing: HashSet::new(),
            schedule: Schedule::new(settings.fetcher.config().host_spacing_ms),
            in_flight: HashMap::new(),
            flights: 0,
            held: HashMap::new(),
            missed: HashSet::new(),
            positions: Positions::new(),
            sender,
            receiver,
        }
    }

    /// Takes in what the log has to say, publishes what came back, and polls what is due.
    fn step(&mut self) -> Result<(), StageError> {
        let wait = if self.in_flight.is_empty() { WAIT.min(self.until_next()) } else { Duration::from_millis(10) };
        match self.worker.next(Limit::default(), wait)? {
            Step::Assigned(positions) => self.take_over(&positions)?,
            Step::Revoked(partitions) => {
                let gone: HashSet<u32> = partitions.iter().map(|id| id.partition).collect();
                self.positions.retain(|id, _| !gone.contains(&id.partition));
                self.forget(|feed| gone.contains(&partition_of(feed.as_str(), Topic::Feeds.partitions())));
            }
            Step::Batch(batch) if !batch.records.is_empty() => self.take_in(&batch)?,
            Step::Batch(_) => {}
        }
        self.publish()?;
        self.poll_due()
    }

    /// Follows feeds that were added or changed, forgets those that were removed, and takes in what hubs have pushed.
    fn take_in(&mut self, batch: &Batch) -> Result<(), StageError> {
        let mut pushes = Vec::new();
        for stored in &batch.records {
            match wire::decode(stored) {
                Ok((envelope, Event::FeedSubscribed(feed))) => self.follow_anew(&feed, envelope.time)?,
                Ok((_, Event::FeedPushed(push))) => pushes.push(push),
                Ok((_, Event::ListImported(_))) => {}
                _ if stored.record.value.is_none() => {
                    let id = FeedId::from_string(wire::key(stored));
                    // What was pushed is removed once it was taken in, and is no feed.
                    if self.feeds.contains_key(&id) {
                        // Taken in for nobody, which removes it.
                        pushes.extend(self.held.remove(&id).unwrap_or_default());
                        self.forget(|feed| *feed == id);
                    }
                }
                _ => tracing::warn!(stage = STAGE, offset = stored.offset, "passed over an unreadable feed"),
            }
        }
        self.positions.extend(batch.positions.clone());
        self.take_pushes(pushes, &batch.positions)
    }

    /// Takes over the feeds of partitions that are new to this worker, where their last owner left them. One partition after
    /// the other, and one feed after the other where the log finds them: the states of all feeds together may be large.
    fn take_over(&mut self, positions: &Positions) -> Result<(), StageError> {
        let log = &self.context.log;
        let mut pushes = Vec::new();
        for partition in positions.keys().map(|id| id.partition) {
            let feeds = log.backend().state(log.name(Topic::Feeds), Some(&[partition]))?;
            let finds_keys = log.backend().finds_keys();
            let mut states = match finds_keys {
                true => BTreeMap::new(),
                false => log.backend().state(log.name(Topic::FeedStates), Some(&[partition]))?.records,
            };
            for (key, stored) in &feeds.records {
                let event = wire::decode(stored);
                // One that the last owner read and did not take in. Should it be read again, that changes nothing.
                if let Ok((_, Event::FeedPushed(push))) = event {
                    pushes.push(push);
                } else if let Ok((envelope, Event::FeedSubscribed(feed))) = event {
                    let state = match finds_keys {
                        true => state_in_log(log, &feed.id)?,
                        false => states.remove(key).as_ref().and_then(state_in),
                    };
                    let items = states.remove(FeedItems::key_of(&feed.id).as_bytes());
                    let kept = state.as_ref().map_or(Kept::Nowhere, |state| Kept::new(log, state, items));
                    self.follow(&feed, envelope.time, state.as_ref(), kept);
                }
            }
            self.context.health.tick(STAGE);
        }
        self.positions.extend(positions.clone());
        self.take_pushes(pushes, &Positions::new())?;
        self.context.health.well(STAGE);
        Ok(())
    }

    /// A feed was added, or its definition was changed at `written`.
    fn follow_anew(&mut self, feed: &Feed, written: Timestamp) -> Result<(), StageError> {
        let log = &self.context.log;
        let kept = match self.feeds.remove(&feed.id) {
            Some(followed) => followed.state,
            // It may have been followed before.
            None if log.backend().finds_keys() => Kept::InLog,
            None => Kept::Nowhere,
        };
        let state = kept.state(log, &feed.id)?;
        self.follow(feed, written, state.as_ref(), kept);
        Ok(())
    }

    /// Follows a feed whose definition was written at `written`.
    fn follow(&mut self, feed: &Feed, written: Timestamp, state: Option<&FeedState>, kept: Kept) {
        // A feed that is gone is polled again when somebody has said so since: by whatever way that came here.
        let gone = state.filter(|state| state.is_gone());
        let given_up = gone.is_some_and(|state| state.last_polled.is_some_and(|polled| written <= polled));
        if feed.paused || feed.origin == FeedOrigin::Import || given_up {
            self.schedule.remove(&feed.id);
        } else {
            let host = host_of(state.map_or(&feed.url, |state| &state.url));
            let config = self.settings.fetcher.config();
            let standing = state.filter(|_| gone.is_none()).map(|state| Standing::of(config, feed.interval_s, state));
            self.schedule.resume(&feed.id, &host, standing, (self.context.now)());
        }
        let fails = !feed.paused && state.is_some_and(|state| state.error.is_some());
        self.note_failing(&feed.id, fails);
        let definition = serde_json::to_vec(feed).unwrap_or_default().into_boxed_slice();
        self.feeds.insert(feed.id.clone(), Followed { feed: definition, state: kept });
    }

    fn forget(&mut self, gone: impl Fn(&FeedId) -> bool) {
        let (schedule, in_flight, held) = (&mut self.schedule, &mut self.in_flight, &mut self.held);
        let (failing, missed) = (&mut self.failing, &mut self.missed);
        let metrics = &self.context.health.metrics;
        self.feeds.retain(|id, _| {
            let keep = !gone(id);
            if !keep {
                schedule.remove(id);
                // Who owns the feed next polls it anew, and takes in what was pushed.
                in_flight.remove(id);
                held.remove(id);
                missed.remove(id);
                failing.remove(id);
            }
            keep
        });
        metrics.feeds_failing.set(failing.len() as i64);
    }

    fn until_next(&self) -> Duration {
        let Some(next) = self.schedule.next_due() else { return WAIT };
        let wait = (self.context.now)().duration_until(next);
        Duration::try_from(wait).unwrap_or(Duration::ZERO)
    }

    fn poll_due(&mut self) -> Result<(), StageError> {
        let now = (self.context.now)();
        while self.in_flight.len() < self.settings.max_concurrent.max(1) {
            let Some(due) = self.schedule.pop_due(now) else { break };
            let metrics = &self.context.health.metrics;
            metrics.schedule_lag_seconds.observe(now.duration_since(due.since).as_secs_f64().max(0.0));
            // What is just being taken in is put back into the queue after that.
            let followed = self.feeds.get(&due.feed).filter(|_| !self.in_flight.contains_key(&due.feed));
            let definition = followed.and_then(|followed| serde_json::from_slice::<Feed>(&followed.feed).ok());
            let (Some(followed), Some(feed)) = (followed, definition) else {
                self.schedule.finished(&due.feed, now);
                continue;
            };
            let kept = followed.state.clone();
            let state = kept.state(&self.context.log, &due.feed)?;
            let (log, id) = (self.context.log.clone(), due.feed);
            let recall = move || kept.items(&log, &id);
            let (fetcher, of) = (Arc::clone(&self.settings.fetcher), feed.clone());
            self.missed.remove(&of.id);
            self.launch(feed, None, now, async move {
                fail::fail_point!("before-fetch");
                let mut poll = poll_recalling(&fetcher, &of, state, recall, now).await;
                let pages = pages::complete(&fetcher, &of, &mut poll, now).await;
                fail::fail_point!("after-fetch");
                (poll, pages)
            });
        }
        Ok(())
    }

    /// Lets `work` be done, of which [`publish`](Self::publish) hears when it is done.
    fn launch(
        &mut self,
        feed: Feed,
        push: Option<FeedPush>,
        started: Timestamp,
        work: impl Future<Output = (Poll, Pages)> + Send + 'static,
    ) {
        self.flights += 1;
        let (flight, id, sender) = (self.flights, feed.id.clone(), self.sender.clone());
        self.in_flight.insert(id.clone(), UnderWay { flight, feed, started, push });
        let working = self.context.runtime.spawn(work);
        self.context.runtime.spawn(async move {
            // If the stage is gone, nothing was published, and the next owner does it again.
            let _ = sender.send(Landed { flight, feed: id, came: working.await.ok() });
        });
    }

    /// Publishes what the finished polls brought.
    fn publish(&mut self) -> Result<(), StageError> {
        while self.publish_some()? && !self.context.shutdown.requested() {}
        Ok(())
    }

    /// Publishes what some of the finished polls brought, in one transaction, and says whether there may be more.
    fn publish_some(&mut self) -> Result<bool, StageError> {
        let (mut polls, mut held, mut outputs, mut size_bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
        let mut more = true;
        while size_bytes < COMMIT_BYTES {
            let Ok(Landed { flight, feed: id, came }) = self.receiver.try_recv() else {
                more = false;
                break;
            };
            let now = (self.context.now)();
            // Gone when it was removed or went to another worker meanwhile, even if it has come back.
            let under_way = match self.in_flight.remove(&id) {
                Some(under_way) if under_way.flight == flight => under_way,
                Some(other) => {
                    self.in_flight.insert(id, other);
                    continue;
                }
                None => {
                    self.schedule.finished(&id, now);
                    continue;
                }
            };
            self.schedule.finished(&id, now);
            held.extend(self.held.remove(&id).unwrap_or_default());
            let Some((mut poll, pages)) = came else {
                tracing::error!(stage = STAGE, feed = %id, "a poll has failed inside chipwire");
                outputs.extend(under_way.push.as_ref().map(|push| self.taken(push)));
                self.put_off(&id, now);
                continue;
            };
            self.account_pages(pages);
            if under_way.push.is_none() {
                // What a server allows counts from its answer, not from the question.
                let took = now.duration_since(under_way.started);
                let timing = &mut poll.state.timing;
                for time in timing.retry_at.iter_mut().chain([&mut poll.state.next_poll]) {
                    *time = time.checked_add(took).unwrap_or(*time);
                }
            }
            // Done again when what it is polled by has changed.
            let followed = self.feeds.get(&id).and_then(|followed| serde_json::from_slice::<Feed>(&followed.feed).ok());
            match under_way.push {
                // It was not asked: nothing is to be remembered but when it may be.
                None if poll.outcome == Outcome::Deferred => {
                    self.account(&poll);
                    self.wait_for(&poll.state);
                }
                push if followed.is_some_and(|followed| is_polled_alike(&followed, &under_way.feed)) => {
                    let time = push.as_ref().map_or(poll.state.last_polled, |push| Some(push.received));
                    let before = outputs.len();
                    self.write_out(&poll, time.unwrap_or(now), &mut outputs)?;
                    size_bytes += outputs.iter().skip(before).map(Record::size_bytes).sum::<usize>();
                    outputs.extend(push.iter().map(|push| self.taken(push)));
                    polls.push(poll);
                }
                Some(push) => held.insert(0, push),
                None => {}
            }
        }
        self.context.health.tick(STAGE);
        if !outputs.is_empty() {
            self.commit(&outputs, &self.positions_of(polls.iter().map(|poll| &poll.state.feed)))?;
        }
        for poll in polls {
            self.account(&poll);
            self.wait_again(poll.state);
        }
        self.take_pushes(held, &Positions::new())?;
        Ok(more)
    }

    /// Polls a feed again much later that could not be dealt with.
    fn put_off(&mut self, id: &FeedId, now: Timestamp) {
        self.schedule.finished(id, now);
        self.in_flight.remove(id);
        let Some(followed) = self.feeds.get(id) else { return };
        let definition = serde_json::from_slice::<Feed>(&followed.feed).ok();
        let Some(feed) = definition.filter(|feed| !feed.paused) else { return };
        let interval_s = self.settings.fetcher.config().max_interval_s;
        let at = now.checked_add(Duration::from_secs(u64::from(interval_s))).unwrap_or(Timestamp::MAX);
        self.schedule.upsert(id, &host_of(&feed.url), at, interval_s, Rest::default());
    }

    /// The records of what a poll or a push brought: its articles, and the state after it.
    fn write_out(&self, poll: &Poll, time: Timestamp, outputs: &mut Vec<Record>) -> Result<(), StageError> {
        let (log, max_bytes) = (&self.context.log, max_event_bytes(&self.context.log));
        for article in &poll.articles {
            outputs.extend(fitting::article(log, article, max_bytes)?);
        }
        let mut state = poll.state.clone();
        let items = std::mem::take(&mut state.items);
        let feed = state.feed.clone();
        outputs.extend(fitting::state(log, state, time, max_bytes)?);
        if !items.is_empty() {
            outputs.extend(fitting::items(log, FeedItems { feed, items }, time, max_bytes)?);
        }
        Ok(())
    }

    /// Puts a feed that was polled back into the queue, and keeps its state.
    fn wait_again(&mut self, mut state: FeedState) {
        let id = state.feed.clone();
        if self.missed.contains(&id)
            && let Some(feed) = self.definition(&id)
        {
            state = websub::passed_over(&self.settings.fetcher, &feed, state, (self.context.now)()).state;
        }
        self.wait_for(&state);
        if let Some(followed) = self.feeds.get_mut(&id) {
            followed.state = std::mem::replace(&mut followed.state, Kept::Nowhere).then(&self.context.log, state);
        }
    }

    /// Puts a feed back into the queue, unless it is not polled any more.
    fn wait_for(&mut self, state: &FeedState) {
        let id = &state.feed;
        if self.definition(id).is_none_or(|feed| feed.paused) {
            return;
        }
        // Somebody may have put it back meanwhile.
        if state.is_gone() {
            return;
        }
        let (host, interval_s) = (host_of(&state.url), state.interval_s.unwrap_or(0));
        let rest = Rest::new(&state.timing.skip_hours, &state.timing.skip_days);
        if let Some(until) = state.timing.retry_at {
            self.schedule.retry_later(id, &host, until, (self.context.now)());
        }
        self.schedule.upsert(id, &host, state.next_poll, interval_s, rest);
    }

    fn definition(&self, id: &FeedId) -> Option<Feed> {
        self.feeds.get(id).and_then(|followed| serde_json::from_slice(&followed.feed).ok())
    }

    /// Commits, and as long as the log has no room waits and tries again: no new poll starts meanwhile.
    fn commit(&mut self, outputs: &[Record], upto: &Positions) -> Result<(), StageError> {
        loop {
            fail::fail_point!("before-commit");
            match self.worker.commit(outputs, upto) {
                Err(error @ chipwire_log::Error::Full { .. }) => {
                    tracing::warn!(stage = STAGE, "polling pauses: {error}");
                    self.context.health.trouble(STAGE, format!("polling pauses: {error}"));
                    if self.context.shutdown.wait(FULL_PAUSE) {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    fail::fail_point!("after-commit");
                    self.context.health.well(STAGE);
                    return Ok(());
                }
            }
        }
    }
}

/// Whether two definitions of a feed are polled in the same way: what else they say is for people.
fn is_polled_alike(one: &Feed, other: &Feed) -> bool {
    let polled = |feed: &Feed| (feed.interval_s, feed.article_pages, feed.paused);
    one.url == other.url && one.headers == other.headers && polled(one) == polled(other)
}

/// The host of an address; of none, the address itself.
fn host_of(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| url.to_owned())
}
