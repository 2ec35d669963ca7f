//! Dropping what is older than its topic's retention, and what newer records of a state topic have replaced.

use std::{sync::Arc, time::Duration};

use rusqlite::{Connection, OptionalExtension};

use super::{
    failure::{Failure, Outcome},
    tables::{self, Head, Topic},
};
use crate::{Cleanup, Expiry, PartitionId};

/// Replaced records of state topics stay this long, so that a reader that follows is not thrown off.
const REPLACED_FOR: Duration = Duration::from_hours(7 * 24);

/// Removes frames from the beginning of each partition; answers how many records they held.
pub(super) fn expire(connection: &Connection, expiry: &Expiry) -> Outcome<i64> {
    let now_ms = expiry.now_ms;
    let needed = |partition: &PartitionId| expiry.needed.get(partition).copied().unwrap_or(i64::MAX);
    let mut records = 0;
    let topics = tables::topics(connection)?;
    for topic in topics.values() {
        let kept = match topic.spec.cleanup {
            Cleanup::Delete { retention: None } => continue,
            Cleanup::Delete { retention: Some(retention) } => retention,
            Cleanup::Compact => REPLACED_FOR,
        };
        for partition in topic.partitions() {
            // A clock that is ahead must not make everything old at once.
            let now_ms = now_ms.min(newest_ms(connection, topic, &partition)?);
            let before_ms = now_ms.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
            let expired = |frame: &Oldest| frame.written_ms < before_ms;
            records += expire_partition(connection, topic, &partition, needed(&partition), expired)
                .map_err(|failure| failure.at(|| partition.to_string()))?;
        }
    }
    if let Some(max_bytes) = expiry.max_bytes {
        let stored = "SELECT coalesce(sum(length(data)), 0) FROM frames";
        let stored: i64 = connection.prepare_cached(stored)?.query_row([], |row| row.get(0))?;
        let over = stored.saturating_sub(i64::try_from(max_bytes).unwrap_or(i64::MAX));
        records += shrink(connection, topics.values(), over, needed)?;
    }
    Ok(records)
}

/// When the newest record of a partition was written, by its own stamp.
fn newest_ms(connection: &Connection, topic: &Topic, partition: &PartitionId) -> Outcome<i64> {
    let newest = connection
        .prepare_cached(
            "SELECT written_ms FROM frames WHERE topic_id = ?1 AND partition = ?2 ORDER BY first_offset DESC LIMIT 1",
        )?
        .query_row((topic.id, partition.partition), |row| row.get(0))
        .optional()?;
    Ok(newest.unwrap_or(i64::MIN))
}

/// Removes the oldest frames of topics that have a retention until `over` bytes are gone, one partition's as far as another's.
fn shrink<'t>(
    connection: &Connection,
    topics: impl Iterator<Item = &'t Arc<Topic>>,
    mut over: i64,
    needed: impl Fn(&PartitionId) -> i64,
) -> Outcome<i64> {
    let with_retention = |topic: &&Arc<Topic>| matches!(topic.spec.cleanup, Cleanup::Delete { retention: Some(_) });
    let mut partitions: Vec<(&Topic, PartitionId)> = topics
        .filter(with_retention)
        .flat_map(|topic| topic.partitions().map(|partition| (&**topic, partition)))
        .collect();
    let mut records = 0;
    while over > 0 {
        // The partition with the oldest frame that may go.
        let mut oldest: Option<(usize, Oldest)> = None;
        let mut at = 0;
        while let Some((topic, partition)) = partitions.get(at) {
            let first = Oldest::of(connection, topic, partition)?;
            match first.filter(|first| first.last < needed(partition)) {
                Some(first) => {
                    if oldest.as_ref().is_none_or(|(_, oldest)| first.frame_id < oldest.frame_id) {
                        oldest = Some((at, first));
                    }
                    at += 1;
                }
                None => {
                    partitions.swap_remove(at);
                }
            }
        }
        let Some((topic, partition, frame)) =
            oldest.and_then(|(at, frame)| partitions.get(at).map(|(topic, partition)| (*topic, partition, frame)))
        else {
            break;
        };
        over -= frame.size_bytes;
        let is_it = |found: &Oldest| found.frame_id == frame.frame_id;
        records += expire_partition(connection, topic, partition, i64::MAX, is_it)
            .map_err(|failure| failure.at(|| partition.to_string()))?;
    }
    Ok(records)
}

/// The first frame of a partition.
struct Oldest {
    frame_id: i64,
    first: i64,
    last: i64,
    written_ms: i64,
    size_bytes: i64,
}

impl Oldest {
    fn of(connection: &Connection, topic: &Topic, partition: &PartitionId) -> Outcome<Option<Self>> {
        let mut statement = connection.prepare_cached(
            "SELECT frame_id, first_offset, last_offset, written_ms, length(data) FROM frames \
             WHERE topic_id = ?1 AND partition = ?2 ORDER BY first_offset LIMIT 1",
        )?;
        let found = statement.query_row((topic.id, partition.partition), |row| {
            Ok(Self {
                frame_id: row.get(0)?,
                first: row.get(1)?,
                last: row.get(2)?,
                written_ms: row.get(3)?,
                size_bytes: row.get(4)?,
            })
        });
        Ok(found.optional()?)
    }
}

/// Removes frames from the beginning of a partition for as long as they are `expired` and before `needed`.
fn expire_partition(
    connection: &Connection,
    topic: &Topic,
    partition: &PartitionId,
    needed: i64,
    expired: impl Fn(&Oldest) -> bool,
) -> Outcome<i64> {
    let mut head = Head::load(connection, topic, partition)?;
    let key = (topic.id, partition.partition);
    let upto = if topic.is_compact() {
        connection
            .prepare_cached("SELECT min(record_offset) FROM state WHERE topic_id = ?1 AND partition = ?2")?
            .query_row(key, |row| row.get::<_, Option<i64>>(0))?
            .unwrap_or(head.next)
    } else {
        head.next
    };
    let upto = upto.min(needed);
    let low = head.low;
    while head.low < head.next {
        let first = Oldest::of(connection, topic, partition)?;
        let Some(frame) = first.filter(|frame| frame.first == head.low && frame.last >= frame.first) else {
            return Err(Failure::damaged(format!("{partition} offset {}", head.low), "the record is missing"));
        };
        if !expired(&frame) || frame.last >= upto {
            break;
        }
        connection.prepare_cached("DELETE FROM frames WHERE frame_id = ?1")?.execute([frame.frame_id])?;
        head.low = frame.last + 1;
    }
    if head.low > low {
        head.store(connection, topic, partition)?;
    }
    Ok(head.low - low)
}
