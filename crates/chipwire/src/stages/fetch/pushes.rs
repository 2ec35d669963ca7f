//! What hubs have pushed, on its way from the log into the state of its feed.

use std::{collections::HashSet, panic::resume_unwind, sync::Arc};

use chipwire_events::{Feed, FeedId, FeedPush, FeedState, HubNews, Message, Topic, partition_of};
use chipwire_feeds::{
    Poll, pages,
    websub::{self, take_push},
};
use chipwire_log::{Positions, Record};

use super::{Polling, STAGE, kept::Kept};
use crate::runner::StageError;

/// Pushes about one feed that wait in memory until it has been polled. A hub that sends more of them has its feed polled
/// soon instead: that finds what was in them.
const MAX_HELD: usize = 8;

impl Polling<'_> {
    /// How far the partitions of these feeds were read: a commit that names them is refused to a worker that has lost them
    /// and does not know it yet.
    pub(super) fn positions_of<'f>(&self, feeds: impl Iterator<Item = &'f FeedId>) -> Positions {
        let partitions: HashSet<u32> =
            feeds.map(|feed| partition_of(feed.as_str(), Topic::Feeds.partitions())).collect();
        let named = self.positions.iter().filter(|(id, _)| partitions.contains(&id.partition));
        named.map(|(id, position)| (id.clone(), *position)).collect()
    }

    /// The record that removes from the log what was taken in.
    pub(super) fn taken(&self, push: &FeedPush) -> Record {
        let partition = partition_of(push.feed.as_str(), Topic::Feeds.partitions());
        self.context.log.record(Message { partition, ..Message::tombstone(Topic::Feeds, &push.key()) })
    }

    /// Takes in what hubs have pushed and removes it from the log, in one transaction with `positions`. Content is taken in at
    /// the side, as a poll is, and what is about a feed that is under way waits for that; both stay in the log until then.
    pub(super) fn take_pushes(&mut self, pushes: Vec<FeedPush>, positions: &Positions) -> Result<(), StageError> {
        let mut outputs: Vec<Record> = Vec::new();
        let mut polls: Vec<Poll> = Vec::new();
        let mut owned: HashSet<FeedId> = HashSet::new();
        for push in pushes {
            let earlier = polls.iter().rev().find(|poll| poll.state.feed == push.feed);
            // What is written about the feed in this very transaction has to stand in the log first.
            let waits = earlier.is_some() && matches!(push.news, HubNews::Content { .. });
            if waits || self.in_flight.contains_key(&push.feed) {
                let held = self.held.entry(push.feed.clone()).or_default();
                if held.len() < MAX_HELD {
                    held.push(push);
                } else {
                    outputs.push(self.taken(&push));
                    owned.insert(push.feed.clone());
                    self.missed.insert(push.feed);
                }
                continue;
            }
            self.context.health.metrics.pushes.inc();
            let followed = self.feeds.get(&push.feed);
            let definition = followed.and_then(|followed| serde_json::from_slice::<Feed>(&followed.feed).ok());
            let state = match (earlier, followed) {
                (Some(earlier), _) => Some(earlier.state.clone()),
                (None, Some(followed)) => followed.state.state(&self.context.log, &push.feed)?,
                (None, None) => None,
            };
            let (Some(followed), Some(feed), Some(state)) = (followed, definition, state) else {
                outputs.push(self.taken(&push));
                owned.insert(push.feed);
                continue;
            };
            let fetcher = &self.settings.fetcher;
            let poll = match push.news {
                HubNews::Content { .. } if !feed.paused => {
                    let kept = followed.state.clone();
                    self.take_content(feed, state, kept, push);
                    continue;
                }
                HubNews::Content { .. } => websub::passed_over(fetcher, &feed, state, push.received),
                _ => take_push(fetcher, &feed, Some(&state), &push),
            };
            self.write_out(&poll, push.received, &mut outputs)?;
            outputs.push(self.taken(&push));
            owned.insert(push.feed);
            polls.push(poll);
        }
        if !(outputs.is_empty() && positions.is_empty()) {
            let owned = self.positions_of(owned.iter());
            self.commit(&outputs, if positions.is_empty() { &owned } else { positions })?;
        }
        for poll in polls {
            self.account(&poll);
            let feed = poll.state.feed.clone();
            self.wait_again(poll.state);
            if let Some(held) = self.held.remove(&feed) {
                self.take_pushes(held, &Positions::new())?;
            }
        }
        Ok(())
    }

    /// Parses what was pushed and fetches the pages of its articles, as a poll does.
    fn take_content(&mut self, feed: Feed, mut state: FeedState, kept: Kept, push: FeedPush) {
        let (fetcher, log) = (Arc::clone(&self.settings.fetcher), self.context.log.clone());
        let (of, news, now) = (feed.clone(), push.clone(), push.received);
        let parsing = move || {
            let recalled = if state.items.is_empty() { kept.items(&log, &of.id).map(Some) } else { Ok(None) };
            let poll = match recalled {
                Ok(items) => {
                    state.items = items.unwrap_or(state.items);
                    take_push(&fetcher, &of, Some(&state), &news)
                }
                // A poll will find what was in it, and say what is wrong where its readers look.
                Err(reason) => {
                    tracing::info!(stage = STAGE, feed = %of.id, "passed over a push: {reason}");
                    websub::passed_over(&fetcher, &of, state, now)
                }
            };
            (fetcher, of, poll)
        };
        let started = (self.context.now)();
        self.launch(feed, Some(push), started, async move {
            let (fetcher, of, mut poll) = match tokio::task::spawn_blocking(parsing).await {
                Ok(parsed) => parsed,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    // The process ends.
                    Err(_) => std::future::pending().await,
                },
            };
            let pages = pages::complete(&fetcher, &of, &mut poll, now).await;
            (poll, pages)
        });
    }
}
