//! FETCH: polls the feeds and publishes what is new.
//!
//! - reads `feeds`, and the state of its feeds in `feed-states`
//! - writes `articles.raw`: one event per new article or revision, and `feed-states`: what is known after a poll
//! - group `fetch`; any number of workers share the feeds by partitions
//! - position: a feed's state is stored with the articles that its poll brought, in one transaction, so that no article is
//!   published twice or passed over
//! - on failure: a feed that cannot be read keeps its error in its state and is tried again later; while the log has no
//!   room, polling pauses; anything else ends the worker, and a new one takes up the stored states

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chipwire_events::{Event, Feed, FeedId, FeedOrigin, FeedState, Timestamp, Topic, partition_of};
use chipwire_feeds::{Fetcher, Poll, Schedule, schedule::resume_at};
use chipwire_log::{Limit, Positions, Record, Step, Worker};
use tokio::sync::mpsc;

use super::WAIT;
use crate::{
    health::{OutcomeLabel, StageLabel},
    runner::{Context, StageError},
    wire,
};

/// The stage's name and group.
pub const STAGE: &str = "fetch";

/// How long the stage waits before it tries to write again when the log has no room.
const FULL_PAUSE: Duration = Duration::from_secs(1);

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
    let (sender, receiver) = mpsc::unbounded_channel();
    Polling {
        context,
        settings,
        worker,
        feeds: BTreeMap::new(),
        failing: HashSet::new(),
        schedule: Schedule::default(),
        in_flight: HashMap::new(),
        sender,
        receiver,
    }
    .run()
}

struct Followed {
    feed: Feed,
    state: Option<FeedState>,
}

struct Polling<'a> {
    context: &'a Context,
    settings: &'a Settings,
    worker: Box<dyn Worker>,
    /// The feeds of the partitions that belong to this worker.
    feeds: BTreeMap<FeedId, Followed>,
    failing: HashSet<FeedId>,
    schedule: Schedule,
    /// Feeds that are being polled, with the definition that the poll started from.
    in_flight: HashMap<FeedId, Feed>,
    sender: mpsc::UnboundedSender<Poll>,
    receiver: mpsc::UnboundedReceiver<Poll>,
}

impl Polling<'_> {
    fn run(mut self) -> Result<(), StageError> {
        while !self.context.shutdown.requested() {
            let wait = if self.in_flight.is_empty() { WAIT.min(self.until_next()) } else { Duration::from_millis(10) };
            match self.worker.next(Limit::default(), wait)? {
                Step::Assigned(positions) => self.take_over(&positions)?,
                Step::Revoked(partitions) => {
                    let gone: HashSet<u32> = partitions.iter().map(|id| id.partition).collect();
                    self.forget(|feed| gone.contains(&partition_of(feed.as_str(), Topic::Feeds.partitions())));
                }
                Step::Batch(batch) if !batch.records.is_empty() => {
                    for stored in &batch.records {
                        match wire::decode(stored) {
                            Ok((_, Event::FeedSubscribed(feed))) => self.follow(feed, None),
                            _ if stored.record.value.is_none() => {
                                let id = FeedId::from_string(wire::key(stored));
                                self.forget(|feed| *feed == id);
                            }
                            _ => {
                                tracing::warn!(stage = STAGE, offset = stored.offset, "passed over an unreadable feed")
                            }
                        }
                    }
                    self.worker.commit(&[], &batch.positions)?;
                }
                Step::Batch(_) => {}
            }
            self.publish()?;
            self.poll_due();
        }
        Ok(())
    }

    /// Takes over the feeds of partitions that are new to this worker, where their last owner left them.
    fn take_over(&mut self, positions: &Positions) -> Result<(), StageError> {
        let log = &self.context.log;
        let partitions: Vec<u32> = positions.keys().map(|id| id.partition).collect();
        let feeds = log.backend().state(log.name(Topic::Feeds), Some(&partitions))?;
        let states = log.backend().state(log.name(Topic::FeedStates), Some(&partitions))?;
        for (key, stored) in &feeds.records {
            if let Ok((_, Event::FeedSubscribed(feed))) = wire::decode(stored) {
                let state = states.records.get(key).and_then(|stored| match wire::decode(stored) {
                    Ok((_, Event::FeedPolled(state))) => Some(state),
                    _ => None,
                });
                self.follow(feed, state);
            }
        }
        self.context.health.well(STAGE);
        Ok(())
    }

    fn follow(&mut self, feed: Feed, state: Option<FeedState>) {
        let id = feed.id.clone();
        let state = state.or_else(|| self.feeds.remove(&id).and_then(|followed| followed.state));
        if feed.paused || feed.origin == FeedOrigin::Import {
            self.schedule.remove(&id);
        } else {
            let now = (self.context.now)();
            self.schedule.upsert(id.clone(), resume_at(&id, state.as_ref(), now));
        }
        self.feeds.insert(id, Followed { feed, state });
    }

    fn forget(&mut self, gone: impl Fn(&FeedId) -> bool) {
        let schedule = &mut self.schedule;
        self.feeds.retain(|id, _| {
            let keep = !gone(id);
            if !keep {
                schedule.remove(id);
            }
            keep
        });
    }

    fn until_next(&self) -> Duration {
        let Some(next) = self.schedule.next_due() else { return WAIT };
        let wait = (self.context.now)().duration_until(next);
        Duration::try_from(wait).unwrap_or(Duration::ZERO)
    }

    fn poll_due(&mut self) {
        let now = (self.context.now)();
        while self.in_flight.len() < self.settings.max_concurrent.max(1) {
            let Some(id) = self.schedule.pop_due(now) else { return };
            let Some(followed) = self.feeds.get(&id) else { continue };
            // When its definition changed meanwhile, it is scheduled anew as soon as this poll is back.
            if self.in_flight.contains_key(&id) {
                continue;
            }
            self.in_flight.insert(id, followed.feed.clone());
            let (feed, state) = (followed.feed.clone(), followed.state.clone());
            let (fetcher, sender) = (Arc::clone(&self.settings.fetcher), self.sender.clone());
            self.context.runtime.spawn(async move {
                let mut poll = chipwire_feeds::poll(&fetcher, &feed, state.as_ref(), now).await;
                chipwire_feeds::pages::complete(&fetcher, &feed, &mut poll.articles, now).await;
                // The stage is gone: nothing was published, and the next owner polls again.
                let _ = sender.send(poll);
            });
        }
    }

    /// Publishes what the finished polls brought.
    fn publish(&mut self) -> Result<(), StageError> {
        let mut polls = Vec::new();
        while let Ok(poll) = self.receiver.try_recv() {
            let started_from = self.in_flight.remove(&poll.state.feed);
            // Gone when it was removed or went to another worker meanwhile; polled again when its definition changed.
            match self.feeds.get(&poll.state.feed) {
                Some(followed) if Some(&followed.feed) == started_from.as_ref() => polls.push(poll),
                Some(followed) => {
                    let next = followed.state.as_ref().map_or((self.context.now)(), |state| state.next_poll);
                    self.schedule.upsert(poll.state.feed, next);
                }
                None => {}
            }
        }
        if polls.is_empty() {
            self.context.health.tick(STAGE);
            return Ok(());
        }
        let mut outputs: Vec<Record> = Vec::new();
        for poll in &polls {
            for article in &poll.articles {
                let event = Event::ArticleFetched(article.clone());
                outputs.push(self.context.log.encode(&event, article.first_seen, None)?);
            }
            let polled: Timestamp = poll.state.last_polled.unwrap_or_else(self.context.now);
            outputs.push(self.context.log.encode(&Event::FeedPolled(poll.state.clone()), polled, None)?);
        }
        self.commit(&outputs)?;
        for poll in polls {
            self.account(&poll);
            if let Some(followed) = self.feeds.get_mut(&poll.state.feed) {
                if !followed.feed.paused {
                    self.schedule.upsert(poll.state.feed.clone(), poll.state.next_poll);
                }
                followed.state = Some(poll.state);
            }
        }
        Ok(())
    }

    /// Commits, and as long as the log has no room waits and tries again: no new poll starts meanwhile.
    fn commit(&mut self, outputs: &[Record]) -> Result<(), StageError> {
        loop {
            match self.worker.commit(outputs, &Positions::new()) {
                Err(error @ chipwire_log::Error::Full { .. }) => {
                    tracing::warn!(stage = STAGE, "polling pauses: {error}");
                    self.context.health.trouble(STAGE, format!("polling pauses: {error}"));
                    if self.context.shutdown.wait(FULL_PAUSE) {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    self.context.health.well(STAGE);
                    return Ok(());
                }
            }
        }
    }

    fn account(&mut self, poll: &Poll) {
        let metrics = &self.context.health.metrics;
        metrics.polls.get_or_create(&OutcomeLabel { outcome: poll.outcome.to_string() }).inc();
        metrics.poll_bytes.inc_by(poll.bytes);
        metrics.articles.inc_by(poll.articles.len() as u64);
        metrics.events.get_or_create(&StageLabel { stage: STAGE }).inc_by(poll.articles.len() as u64);
        if poll.state.error.is_some() {
            self.failing.insert(poll.state.feed.clone());
        } else {
            self.failing.remove(&poll.state.feed);
        }
        metrics.feeds_failing.set(self.failing.len() as i64);
    }
}
