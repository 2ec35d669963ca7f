//! Dropping what is older than its topic's retention, and what newer records of a state topic have replaced.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::{
    failure::{Failure, Outcome},
    tables::{self, Head, Topic},
};
use crate::{Cleanup, PartitionId};

/// Replaced records of state topics stay this long, so that a reader that follows is not thrown off.
const REPLACED_FOR: Duration = Duration::from_hours(7 * 24);

/// Removes frames from the beginning of each partition; answers how many records they held.
pub(super) fn expire(connection: &Connection, now_ms: i64) -> Outcome<i64> {
    let mut records = 0;
    for topic in tables::topics(connection)?.into_values() {
        let kept = match topic.spec.cleanup {
            Cleanup::Delete { retention: None } => continue,
            Cleanup::Delete { retention: Some(retention) } => retention,
            Cleanup::Compact => REPLACED_FOR,
        };
        let before_ms = now_ms.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
        for partition in topic.partitions() {
            records += expire_partition(connection, &topic, &partition, before_ms)
                .map_err(|failure| failure.at(|| partition.to_string()))?;
        }
    }
    Ok(records)
}

fn expire_partition(connection: &Connection, topic: &Topic, partition: &PartitionId, before_ms: i64) -> Outcome<i64> {
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
    let low = head.low;
    while head.low < head.next {
        let first = connection
            .prepare_cached(
                "SELECT frame_id, first_offset, last_offset, written_ms FROM frames \
                 WHERE topic_id = ?1 AND partition = ?2 ORDER BY first_offset LIMIT 1",
            )?
            .query_row(key, |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
            })
            .optional()?;
        let Some((frame_id, first, last, written_ms)) =
            first.filter(|(_, first, last, _)| *first == head.low && last >= first)
        else {
            return Err(Failure::damaged(format!("{partition} offset {}", head.low), "the record is missing"));
        };
        if written_ms >= before_ms || last >= upto {
            break;
        }
        connection.prepare_cached("DELETE FROM frames WHERE frame_id = ?1")?.execute([frame_id])?;
        debug_assert_eq!(first, head.low, "frames follow each other");
        head.low = last + 1;
    }
    if head.low > low {
        head.store(connection, topic, partition)?;
    }
    Ok(head.low - low)
}
