//! What hubs have pushed, on its way from the log into the state of its feed.

use std::collections::HashSet;

use chipwire_events::{Feed, FeedId, FeedPush, HubNews, Message, Topic, partition_of};
use chipwire_feeds::{
    Poll,
    websub::{self, take_push},
};
use chipwire_log::{Positions, Record};

use super::{Polling, STAGE};
use crate::runner::StageError;

impl Polling<'_> {
    /// How far the partitions of these feeds were read: a commit that names them is refused to a worker that has lost them
    /// and does not know it yet.
    pub(super) fn positions_of<'f>(&self, feeds: impl Iterator<Item = &'f FeedId>) -> Positions {
        let partitions: HashSet<u32> =
            feeds.map(|feed| partition_of(feed.as_str(), Topic::Feeds.partitions())).collect();
        let named = self.positions.iter().filter(|(id, _)| partitions.contains(&id.partition));
        named.map(|(id, position)| (id.clone(), *position)).collect()
    }

    /// Takes in what hubs have pushed, and removes it from the log, in one transaction with `positions`. What is about a feed
    /// that is being polled stays where it is until the poll is done.
    pub(super) fn take_pushes(&mut self, mut pushes: Vec<FeedPush>, positions: &Positions) -> Result<(), StageError> {
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
}
