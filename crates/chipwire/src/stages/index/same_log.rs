//! Whether the log is still the one that an index was made from.
//!
//! The genesis tells logs apart and not a log from its own past: a backup that was put back, or a topic that was made anew, has
//! the same one, and once it has grown past the index's position the index would take what is new for what it has seen.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chipwire_events::Topic;
use chipwire_index::{Checkpoint, LastEvent};
use chipwire_log::{Error, Limit, Positions, Result, StoredRecord};

use crate::{stages::WAIT, wire::Log};

/// Few, as one of each partition is all that is wanted.
const LIMIT: Limit = Limit { records: 64, size_bytes: 1 << 20 };

/// How long the log may take to show what it has.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a checkpoint remembers of an event.
pub(super) fn last_event(stored: &StoredRecord) -> LastEvent {
    let id = stored.record.headers.iter().find(|(name, _)| name == "ce_id");
    LastEvent {
        offset: stored.offset,
        timestamp_ms: stored.timestamp_ms,
        event: id.map(|(_, id)| id.clone()).unwrap_or_default(),
    }
}

/// What shows that `checkpoint` is not of `log` as it is now; `None` if it is. A checkpoint that was written before one of
/// these things was noted passes for what it does not say.
pub fn difference(log: &Log, checkpoint: &Checkpoint) -> Result<Option<String>> {
    if let Some(prefix) = checkpoint.prefix.as_deref().filter(|prefix| *prefix != log.prefix()) {
        let what = format!(
            "it is of topics that begin with `{prefix}`, and `log.prefix` is `{}`; set it back, name another data directory, or",
            log.prefix()
        );
        return Ok(Some(what));
    }
    let mut wanted = BTreeMap::new();
    let mut from = Positions::new();
    for (partition, bounds) in (0..).zip(log.backend().bounds(log.name(Topic::ArticlesTagged))?) {
        let id = log.partition(Topic::ArticlesTagged, partition);
        let position = checkpoint.positions.get(&partition).copied().unwrap_or(bounds.low);
        if position > bounds.high {
            let what = format!(
                "it has come to offset {position} of {id}, which ends at {}: the log went back, as one does that is restored from a \
                 backup or made anew;",
                bounds.high
            );
            return Ok(Some(what));
        }
        if position < bounds.low {
            let what = format!(
                "it has come to offset {position} of {id}, and what was there before offset {} was removed since;",
                bounds.low
            );
            return Ok(Some(what));
        }
        let last = checkpoint.last.get(&partition).filter(|last| last.offset >= bounds.low);
        from.insert(id, last.map_or(bounds.high, |last| last.offset));
        wanted.extend(last.map(|last| (partition, last)));
    }
    compare(log, &from, wanted)
}

fn compare(log: &Log, from: &Positions, mut wanted: BTreeMap<u32, &LastEvent>) -> Result<Option<String>> {
    let changed = |log: &Log, partition: u32, last: &LastEvent| {
        let id = log.partition(Topic::ArticlesTagged, partition);
        format!(
            "at offset {} of {id} is another event than when it was indexed: the log went back and has grown anew, as one does that \
             is restored from a backup, or whose topic is made anew;",
            last.offset
        )
    };
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut reader = log.backend().reader(&[log.name(Topic::ArticlesTagged)], from)?;
    let deadline = Instant::now() + PATIENCE;
    while !wanted.is_empty() {
        let batch = reader.next(LIMIT, WAIT)?;
        for stored in &batch.records {
            let partition = stored.record.partition;
            if let Some(last) = wanted.remove(&partition)
                && last_event(stored) != *last
            {
                return Ok(Some(changed(log, partition, last)));
            }
        }
        let (missing, is_late) = (wanted.first_key_value(), Instant::now() > deadline);
        match missing {
            Some((partition, last)) if batch.at_end => return Ok(Some(changed(log, *partition, last))),
            Some((partition, _)) if is_late => {
                let reason = format!("no event came from partition {partition} for {} s", PATIENCE.as_secs());
                return Err(Error::Unavailable { target: log.name(Topic::ArticlesTagged).to_string(), reason });
            }
            _ => {}
        }
    }
    Ok(None)
}
