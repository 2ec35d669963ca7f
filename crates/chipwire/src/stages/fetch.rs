//! FETCH: polls the feeds and publishes what is new.
//!
//! - reads `feeds`, with what hubs have pushed, and the state of its feeds in `feed-states`
//! - writes `articles.raw`: one event per new article or revision, and `feed-states`: what is known after a poll, and the items
//!   that were seen, when the feed was read; removes from `feeds` what hubs have pushed and was taken in
//! - group `fetch`; any number of workers share the feeds by partitions
//! - position: a feed's state is stored with the articles that its poll brought, in one transaction, so that no article is
//!   published twice or passed over
//! - on failure: a feed that cannot be read keeps its error in its state and is tried again later; while the log has no
//!   room, polling pauses; anything else ends the worker, and a new one takes up the stored states

mod kept;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chipwire_events::{
    Event, Feed, FeedId, FeedItems, FeedOrigin, FeedPush, FeedState, HubNews, Message, Timestamp, Topic, partition_of,
};
use chipwire_feeds::{
    Fetcher, Poll, Schedule,
    pages::{self, Pages},
    poll_recalling,
    schedule::{Rest, Standing},
    websub::{self, take_push},
};
use chipwire_log::{Limit, Positions, Record, Step, Worker};
use tokio::sync::mpsc;
use url::Url;

use self::kept::{Kept, state_in, state_in_log};
use super::WAIT;
use crate::{
    health::{OutcomeLabel, StageLabel, StatusLabel},
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
        schedule: Schedule::new(settings.fetcher.config().host_spacing_ms),
        in_flight: HashMap::new(),
        held: HashMap::new(),
        positions: Positions::new(),
        sender,
        receiver,
    }
    .run()
}

/// What is kept of a feed while it waits: with a million of them every byte counts.
struct Followed {
    /// The definition as JSON.
    feed: Box<[u8]>,
    state: Kept,
}

/// A poll under way.
struct UnderWay {
    /// The definition that it started from.
    feed: Feed,
    started: Timestamp,
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
    /// What hubs have said about feeds while they are polled: taken in behind the poll, whose state it goes on from.
    held: HashMap<FeedId, Vec<FeedPush>>,
    /// How far the partitions of this worker were read. Stored anew with every poll: only their owner can do that.
    positions: Positions,
    sender: mpsc::UnboundedSender<(Poll, Pages)>,
    receiver: mpsc::UnboundedReceiver<(Poll, Pages)>,
}

impl Polling<'_> {
    fn run(mut self) -> Result<(), StageError> {
        while !self.context.shutdown.requested() {
            let wait = if self.in_flight.is_empty() { WAIT.min(self.until_next()) } else { Duration::from_millis(10) };
            match self.worker.next(Limit::default(), wait)? {
                Step::Assigned(positions) => self.take_over(&positions)?,
                Step::Revoked(partitions) => {
                    let gone: HashSet<u32> = partitions.iter().map(|id| id.partition).collect();
                    self.positions.retain(|id, _| !gone.contains(&id.partition));
                    self.forget(|feed| gone.contains(&partition_of(feed.as_str(), Topic::Feeds.partitions())));
                }
                Step::Batch(batch) if !batch.records.is_empty() => {
                    let mut pushes = Vec::new();
                    for stored in &batch.records {
                        match wire::decode(stored) {
                            Ok((_, Event::FeedSubscribed(feed))) => self.follow_anew(&feed)?,
                            Ok((_, Event::FeedPushed(push))) => pushes.push(push),
                            _ if stored.record.value.is_none() => {
                                let id = FeedId::from_string(wire::key(stored));
                                // What was pushed is removed once it was taken in, and is no feed.
                                if self.feeds.contains_key(&id) {
                                    // Taken in for nobody, which removes it.
                                    pushes.extend(self.held.remove(&id).unwrap_or_default());
                                    self.forget(|feed| *feed == id);
                                }
                            }
                            _ => {
                                tracing::warn!(stage = STAGE, offset = stored.offset, "passed over an unreadable feed")
                            }
                        }
                    }
                    self.positions.extend(batch.positions.clone());
                    self.take_pushes(pushes, &batch.positions)?;
                }
                Step::Batch(_) => {}
            }
            self.publish()?;
            self.poll_due()?;
        }
        Ok(())
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
                } else if let Ok((_, Event::FeedSubscribed(feed))) = event {
                    let state = match finds_keys {
                        true => state_in_log(log, &feed.id)?,
                        false => states.remove(key).as_ref().and_then(state_in),
                    };
                    let items = states.remove(FeedItems::key_of(&feed.id).as_bytes());
                    let kept = state.as_ref().map_or(Kept::Nowhere, |state| Kept::new(log, state, items));
                    self.follow(&feed, state.as_ref(), kept);
                }
            }
            self.context.health.tick(STAGE);
        }
        self.positions.extend(positions.clone());
        self.take_pushes(pushes, &Positions::new())?;
        self.context.health.well(STAGE);
        Ok(())
    }

    /// A feed was added, or its definition was changed.
    fn follow_anew(&mut self, feed: &Feed) -> Result<(), StageError> {
        let log = &self.context.log;
        let kept = match self.feeds.remove(&feed.id) {
            Some(followed) => followed.state,
            // It may have been followed before.
            None if log.backend().finds_keys() => Kept::InLog,
            None => Kept::Nowhere,
        };
        let state = kept.state(log, &feed.id)?;
        self.follow(feed, state.as_ref(), kept);
        Ok(())
    }

    fn follow(&mut self, feed: &Feed, state: Option<&FeedState>, kept: Kept) {
        if feed.paused || feed.origin == FeedOrigin::Import {
            self.schedule.remove(&feed.id);
        } else {
            let host = host_of(state.map_or(&feed.url, |state| &state.url));
            let standing = state.map(Standing::of);
            self.schedule.resume(&feed.id, &host, standing, (self.context.now)());
        }
        let definition = serde_json::to_vec(feed).unwrap_or_default().into_boxed_slice();
        self.feeds.insert(feed.id.clone(), Followed { feed: definition, state: kept });
    }

    fn forget(&mut self, gone: impl Fn(&FeedId) -> bool) {
        let (schedule, in_flight, held) = (&mut self.schedule, &mut self.in_flight, &mut self.held);
        let failing = &mut self.failing;
        self.feeds.retain(|id, _| {
            let keep = !gone(id);
            if !keep {
                schedule.remove(id);
                // Who owns the feed next polls it anew, and takes in what was pushed.
                in_flight.remove(id);
                held.remove(id);
                failing.remove(id);
            }
            keep
        });
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
            let Some(followed) = self.feeds.get(&due.feed) else {
                self.schedule.finished(&due.feed, now);
                continue;
            };
            let kept = followed.state.clone();
            let Ok(feed) = serde_json::from_slice::<Feed>(&followed.feed) else {
                self.schedule.finished(&due.feed, now);
                continue;
            };
            let state = kept.state(&self.context.log, &due.feed)?;
            self.in_flight.insert(due.feed, UnderWay { feed: feed.clone(), started: now });
            let (fetcher, sender) = (Arc::clone(&self.settings.fetcher), self.sender.clone());
            let (log, id) = (self.context.log.clone(), feed.id.clone());
            let recall = move || kept.items(&log, &id);
            self.context.runtime.spawn(async move {
                let mut poll = poll_recalling(&fetcher, &feed, state, recall, now).await;
                let pages = pages::complete(&fetcher, &feed, &mut poll.articles, now).await;
                // The stage is gone: nothing was published, and the next owner polls again.
                let _ = sender.send((poll, pages));
            });
        }
        Ok(())
    }

    /// Publishes what the finished polls brought.
    fn publish(&mut self) -> Result<(), StageError> {
        let mut polls = Vec::new();
        let mut held = Vec::new();
        while let Ok((mut poll, pages)) = self.receiver.try_recv() {
            self.account_pages(pages);
            let now = (self.context.now)();
            let id = poll.state.feed.clone();
            self.schedule.finished(&id, now);
            // Gone when it was removed or went to another worker meanwhile, even if it has come back.
            let Some(under_way) = self.in_flight.remove(&id) else { continue };
            held.extend(self.held.remove(&id).unwrap_or_default());
            // What a server allows counts from its answer, not from the question.
            let took = now.duration_since(under_way.started);
            let timing = &mut poll.state.timing;
            for time in timing.retry_at.iter_mut().chain([&mut poll.state.next_poll]) {
                *time = time.checked_add(took).unwrap_or(*time);
            }
            // Polled again when what it is polled by has changed.
            let followed = self.feeds.get(&id).and_then(|followed| serde_json::from_slice::<Feed>(&followed.feed).ok());
            if followed.is_some_and(|followed| is_polled_alike(&followed, &under_way.feed)) {
                polls.push(poll);
            }
        }
        if polls.is_empty() {
            self.context.health.tick(STAGE);
            return self.take_pushes(held, &Positions::new());
        }
        let mut outputs: Vec<Record> = Vec::new();
        for poll in &polls {
            let polled: Timestamp = poll.state.last_polled.unwrap_or_else(self.context.now);
            self.write_out(poll, polled, &mut outputs)?;
        }
        self.commit(&outputs, &self.positions_of(polls.iter().map(|poll| &poll.state.feed)))?;
        for poll in polls {
            self.account(&poll);
            self.wait_again(poll.state);
        }
        self.take_pushes(held, &Positions::new())
    }

    /// The records of what a poll or a push brought: its articles, and the state after it.
    fn write_out(&self, poll: &Poll, time: Timestamp, outputs: &mut Vec<Record>) -> Result<(), StageError> {
        for article in &poll.articles {
            let event = Event::ArticleFetched(article.clone());
            outputs.push(self.context.log.encode(&event, article.first_seen, None)?);
        }
        let mut state = poll.state.clone();
        let items = std::mem::take(&mut state.items);
        let feed = state.feed.clone();
        outputs.push(self.context.log.encode(&Event::FeedPolled(state), time, None)?);
        if !items.is_empty() {
            outputs.push(self.context.log.encode(&Event::FeedRead(FeedItems { feed, items }), time, None)?);
        }
        Ok(())
    }

    /// How far the partitions of these feeds were read: a commit that names them is refused to a worker that has lost them
    /// and does not know it yet.
    fn positions_of<'f>(&self, feeds: impl Iterator<Item = &'f FeedId>) -> Positions {
        let partitions: HashSet<u32> =
            feeds.map(|feed| partition_of(feed.as_str(), Topic::Feeds.partitions())).collect();
        let named = self.positions.iter().filter(|(id, _)| partitions.contains(&id.partition));
        named.map(|(id, position)| (id.clone(), *position)).collect()
    }

    /// Takes in what hubs have pushed, and removes it from the log, in one transaction with `positions`. What is about a feed
    /// that is being polled stays where it is until the poll is done.
    fn take_pushes(&mut self, mut pushes: Vec<FeedPush>, positions: &Positions) -> Result<(), StageError> {
        let in_flight = &self.in_flight;
        for push in pushes.extract_if(.., |push| in_flight.contains_key(&push.feed)) {
            self.held.entry(push.feed.clone()).or_default().push(push);
        }
        if pushes.is_empty() && positions.is_empty() {
            return Ok(());
        }
        let mut outputs: Vec<Record> = Vec::new();
        let mut polls: Vec<Poll> = Vec::new();
        for push in &pushes {
            let partition = partition_of(push.feed.as_str(), Topic::Feeds.partitions());
            let taken = Message { partition, ..Message::tombstone(Topic::Feeds, &push.key()) };
            outputs.push(self.context.log.record(taken));
            let Some(followed) = self.feeds.get(&push.feed) else { continue };
            let Ok(feed) = serde_json::from_slice::<Feed>(&followed.feed) else { continue };
            let state = match polls.iter().rev().find(|poll| poll.state.feed == feed.id) {
                Some(earlier) => Some(earlier.state.clone()),
                None => followed.state.state(&self.context.log, &feed.id)?,
            };
            let Some(mut state) = state else { continue };
            let mut passed_over = feed.paused.then(|| "the feed is paused".to_owned());
            if matches!(push.news, HubNews::Content { .. }) && state.items.is_empty() && passed_over.is_none() {
                match followed.state.items(&self.context.log, &feed.id) {
                    Ok(items) => state.items = items,
                    Err(reason) => passed_over = Some(reason),
                }
            }
            let fetcher = &self.settings.fetcher;
            let poll = match passed_over {
                None => take_push(fetcher, &feed, Some(&state), push),
                Some(reason) => {
                    // A poll will find what was in it, and say what is wrong where its readers look.
                    tracing::info!(stage = STAGE, feed = %feed.id, "passed over a push: {reason}");
                    websub::passed_over(fetcher, &feed, state, push.received)
                }
            };
            self.write_out(&poll, push.received, &mut outputs)?;
            polls.push(poll);
        }
        let owned = self.positions_of(pushes.iter().map(|push| &push.feed));
        self.commit(&outputs, if positions.is_empty() { &owned } else { positions })?;
        self.context.health.metrics.pushes.inc_by(pushes.len() as u64);
        for poll in polls {
            self.account(&poll);
            self.wait_again(poll.state);
        }
        Ok(())
    }

    /// Puts a feed that was polled back into the queue.
    fn wait_again(&mut self, state: FeedState) {
        let id = state.feed.clone();
        let paused = match self.feeds.get(&id) {
            Some(followed) => serde_json::from_slice::<Feed>(&followed.feed).is_ok_and(|feed| feed.paused),
            None => return,
        };
        if !paused {
            let (host, interval_s) = (host_of(&state.url), state.interval_s.unwrap_or(0));
            let rest = Rest::new(&state.timing.skip_hours, &state.timing.skip_days);
            if let Some(until) = state.timing.retry_at {
                self.schedule.retry_later(&id, &host, until, (self.context.now)());
            }
            self.schedule.upsert(&id, &host, state.next_poll, interval_s, rest);
        }
        if let Some(followed) = self.feeds.get_mut(&id) {
            followed.state = std::mem::replace(&mut followed.state, Kept::Nowhere).then(&self.context.log, state);
        }
    }

    /// Commits, and as long as the log has no room waits and tries again: no new poll starts meanwhile.
    fn commit(&mut self, outputs: &[Record], upto: &Positions) -> Result<(), StageError> {
        loop {
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
                    self.context.health.well(STAGE);
                    return Ok(());
                }
            }
        }
    }

    fn account_pages(&self, pages: Pages) {
        for (outcome, count) in [("read", pages.read), ("failed", pages.failed), ("skipped", pages.skipped)] {
            if count > 0 {
                let label = OutcomeLabel { outcome: outcome.to_owned() };
                self.context.health.metrics.article_pages.get_or_create(&label).inc_by(count as u64);
            }
        }
    }

    fn account(&mut self, poll: &Poll) {
        let metrics = &self.context.health.metrics;
        metrics.polls.get_or_create(&OutcomeLabel { outcome: poll.outcome.to_string() }).inc();
        if poll.asked() {
            metrics.responses.get_or_create(&StatusLabel::of(poll.state.http_status)).inc();
        }
        metrics.poll_bytes.inc_by(poll.bytes);
        metrics.articles.inc_by(poll.articles.len() as u64);
        metrics.feed_duplicates.inc_by(poll.duplicates as u64);
        metrics.window_overruns.inc_by(u64::from(poll.overrun));
        // The articles of a first poll are as old as they are.
        for article in poll.articles.iter().filter(|article| !poll.first_read && article.revision == 1) {
            if let Some(published) = article.published {
                let delay = article.first_seen.duration_since(published).as_secs_f64();
                metrics.discovery_delay_seconds.observe(delay.max(0.0));
            }
        }
        metrics.events.get_or_create(&StageLabel { stage: STAGE }).inc_by(poll.articles.len() as u64);
        if poll.state.error.is_some() {
            self.failing.insert(poll.state.feed.clone());
        } else {
            self.failing.remove(&poll.state.feed);
        }
        metrics.feeds_failing.set(self.failing.len() as i64);
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
