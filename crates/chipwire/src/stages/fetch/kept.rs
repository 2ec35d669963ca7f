//! What is kept of a feed between its polls: with a million of them every byte counts.

use std::sync::Arc;

use chipwire_events::{Event, FeedId, FeedItems, FeedState, ItemState, Topic, partition_of};
use chipwire_log::{Record, StoredRecord};

use crate::wire::{self, Log};

/// Where the state of a feed is, and the items that were seen of it.
#[derive(Clone)]
pub(super) enum Kept {
    /// It was never polled.
    Nowhere,
    /// In the log, from where they are read when they are needed.
    InLog,
    /// Here, since the log cannot find one record among many; the items as they lie in the log.
    Here {
        /// The state, without items.
        state: Arc<FeedState>,
        /// The record of [`FeedItems`], if there is any.
        items: Option<Arc<Record>>,
    },
}

impl Kept {
    /// Keeps what was read from a log.
    pub(super) fn new(log: &Log, state: &FeedState, items: Option<StoredRecord>) -> Self {
        if log.backend().finds_keys() {
            return Kept::InLog;
        }
        Kept::Here { state: Arc::new(state.clone()), items: items.map(|stored| Arc::new(stored.record)) }
    }

    /// Keeps what a poll has left, which stands in the log by now. Items that the poll had no need of are as they were.
    pub(super) fn then(self, log: &Log, mut state: FeedState) -> Self {
        if log.backend().finds_keys() {
            return Kept::InLog;
        }
        let (feed, items) = (state.feed.clone(), std::mem::take(&mut state.items));
        let written = match items.is_empty() {
            true => None,
            false => log.encode(&Event::FeedRead(FeedItems { feed, items }), state.next_poll, None).ok().map(Arc::new),
        };
        let before = if let Kept::Here { items, .. } = self { items } else { None };
        Kept::Here { state: Arc::new(state), items: written.or(before) }
    }

    /// The state. It has items in it only if it was written before they had a record of their own.
    pub(super) fn state(&self, log: &Log, feed: &FeedId) -> chipwire_log::Result<Option<FeedState>> {
        match self {
            Kept::Nowhere => Ok(None),
            Kept::Here { state, .. } => Ok(Some(FeedState::clone(state))),
            Kept::InLog => state_in_log(log, feed),
        }
    }

    /// The items that were seen lately, the latest first.
    pub(super) fn items(&self, log: &Log, feed: &FeedId) -> Result<Vec<ItemState>, String> {
        let record = match self {
            Kept::Nowhere => None,
            Kept::Here { items, .. } => items.clone(),
            Kept::InLog => {
                let stored = in_log(log, feed, &FeedItems::key_of(feed)).map_err(|error| error.to_string())?;
                stored.map(|stored| Arc::new(stored.record))
            }
        };
        let Some(record) = record else { return Ok(Vec::new()) };
        match wire::decode_record(&record) {
            Ok((_, Event::FeedRead(read))) => Ok(read.items),
            Ok((envelope, _)) => Err(format!("the log has a {} in its place", envelope.event_type)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The latest state of a feed in a log that finds keys.
pub(super) fn state_in_log(log: &Log, feed: &FeedId) -> chipwire_log::Result<Option<FeedState>> {
    Ok(in_log(log, feed, feed.as_str())?.as_ref().and_then(state_in))
}

fn in_log(log: &Log, feed: &FeedId, key: &str) -> chipwire_log::Result<Option<StoredRecord>> {
    let partition = partition_of(feed.as_str(), Topic::FeedStates.partitions());
    log.backend().latest(log.name(Topic::FeedStates), partition, key.as_bytes())
}

/// The state in a record.
pub(super) fn state_in(stored: &StoredRecord) -> Option<FeedState> {
    match wire::decode(stored) {
        Ok((_, Event::FeedPolled(state))) => Some(state),
        _ => None,
    }
}
