//! Looking for damage, and counting.

use std::collections::VecDeque;

use rusqlite::{Connection, OptionalExtension};

use super::{
    failure::{Failure, Outcome},
    frame::{Place, Unpacker},
    schema, state,
    tables::{self, Head, Topic},
};
use crate::{Bounds, Error, PartitionId};

/// What is in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStats {
    /// Which one.
    pub partition: PartitionId,
    /// Its bounds.
    pub bounds: Bounds,
    /// Records that are kept.
    pub records: u64,
    /// Rows that hold them.
    pub frames: u64,
    /// The size of the records as they are stored, compressed. Pages, indexes and state come on top.
    pub stored_bytes: u64,
    /// When its oldest record was written, in milliseconds since 1970-01-01 UTC.
    pub oldest_ms: Option<i64>,
    /// When its newest record was written, in milliseconds since 1970-01-01 UTC.
    pub newest_ms: Option<i64>,
}

/// A place that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Topic, partition and offsets, as far as they are known.
    pub place: String,
    /// What does not fit.
    pub reason: String,
}

/// What a whole check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Frames that were unpacked and found right.
    pub frames: u64,
    /// Records in them.
    pub records: u64,
    /// What is not right; empty in a good log.
    pub damage: Vec<Damage>,
}

/// Every partition's first and last frame, every head, the small tables: what can be looked at before every start.
pub(super) fn ends(snapshot: &Connection) -> Outcome<()> {
    let topics = tables::topics(snapshot)?;
    tables::positions(snapshot, "", &[])?;
    for topic in topics.values() {
        for (partition, head) in topic.partitions().zip(Head::load_all(snapshot, topic)?) {
            partition_ends(snapshot, topic, &partition, head)?;
        }
    }
    Ok(())
}

fn partition_ends(snapshot: &Connection, topic: &Topic, partition: &PartitionId, head: Head) -> Outcome<()> {
    let place = || format!("{partition} offsets {}..{}", head.low, head.next);
    let sql = |order: &str| {
        format!(
            "SELECT first_offset, last_offset, written_ms, checksum, data FROM frames \
             WHERE topic_id = ?1 AND partition = ?2 ORDER BY first_offset {order} LIMIT 1"
        )
    };
    let frame = |order: &str| {
        snapshot
            .prepare_cached(&sql(order))?
            .query_row((topic.id, partition.partition), |row| {
                let place = Place { partition, first: row.get(0)?, last: row.get(1)?, written_ms: row.get(2)? };
                Ok((place, row.get::<_, i64>(3)?, row.get::<_, Vec<u8>>(4)?))
            })
            .optional()
            .map_err(|error| Failure::Sqlite(error).at(place))
    };
    let (low, next) = match (frame("ASC")?, frame("DESC")?) {
        (Some((first, ..)), Some((last, checksum, data))) => {
            last.seal("frames", &data).check(checksum, || last.to_string())?;
            (first.first, last.last + 1)
        }
        _ => (head.next, head.next),
    };
    if (low, next) != (head.low, head.next) {
        return Err(Failure::damaged(place(), format!("the records that are there are {low}..{next}")));
    }
    Ok(())
}

/// Everything. Goes on after damage as far as it can; fails only where nothing can be read.
pub(super) fn all(snapshot: &Connection) -> Outcome<CheckReport> {
    let mut report = CheckReport::default();
    let mut note = |failure: Failure| match failure.at(|| "the file".into()) {
        Failure::Damaged { place, reason } => {
            report.damage.push(Damage { place, reason });
            Ok(())
        }
        other => Err(other),
    };
    let (mut frames, mut records) = (0, 0);
    pages(snapshot).or_else(&mut note)?;
    schema::genesis(snapshot).map(|_| ()).or_else(&mut note)?;
    tables::positions(snapshot, "", &[]).map(|_| ()).or_else(&mut note)?;
    match tables::topics(snapshot) {
        Err(failure) => note(failure)?,
        Ok(topics) => {
            let mut topics: Vec<_> = topics.into_values().collect();
            topics.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
            for topic in topics {
                for partition in topic.partitions() {
                    let found = partition_frames(snapshot, &topic, &partition, &mut note, &mut frames, &mut records);
                    found.or_else(&mut note)?;
                    if topic.is_compact() {
                        let state = state::each(snapshot, &topic, std::slice::from_ref(&partition), &mut |_| {});
                        state.map(|_| ()).or_else(&mut note)?;
                    }
                }
            }
        }
    }
    Ok(CheckReport { frames, records, ..report })
}

/// SQLite's own check of pages and indexes.
fn pages(snapshot: &Connection) -> Outcome<()> {
    let found: String = snapshot.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Failure::damaged("the file's pages", found)) }
}

fn partition_frames(
    snapshot: &Connection,
    topic: &Topic,
    partition: &PartitionId,
    note: &mut impl FnMut(Failure) -> Outcome<()>,
    frames: &mut u64,
    records: &mut u64,
) -> Outcome<()> {
    let head = Head::load(snapshot, topic, partition)?;
    let mut unpacker = Unpacker::new()
        .map_err(|error| Error::Backend { action: "prepare to unpack frames".into(), source: Box::new(error) })?;
    let mut expected = head.low;
    let mut unpacked = VecDeque::new();
    let place = |from: i64| format!("{partition} offsets {from}..{}", head.next);
    let mut statement = snapshot.prepare_cached(
        "SELECT first_offset, last_offset, written_ms, checksum, data FROM frames \
         WHERE topic_id = ?1 AND partition = ?2 ORDER BY first_offset",
    )?;
    let mut rows = statement.query((topic.id, partition.partition))?;
    while let Some(row) = rows.next().map_err(|error| Failure::Sqlite(error).at(|| place(expected)))? {
        let read = || -> rusqlite::Result<_> {
            let place = Place { partition, first: row.get(0)?, last: row.get(1)?, written_ms: row.get(2)? };
            Ok((place, row.get(3)?, row.get_ref(4)?.as_blob()?))
        };
        let (found, checksum, data) = read().map_err(|error| Failure::Sqlite(error).at(|| place(expected)))?;
        if found.first != expected {
            note(Failure::damaged(place(expected), format!("the next records are {found}")))?;
        }
        unpacked.clear();
        match unpacker.unpack(found, checksum, data, found.first, &mut unpacked) {
            Ok(()) => {
                *frames += 1;
                *records += unpacked.len() as u64;
            }
            Err(failure) => note(failure)?,
        }
        expected = found.last.saturating_add(1);
    }
    if expected != head.next {
        note(Failure::damaged(place(expected), "the records are missing, or there are more than there should be"))?;
    }
    Ok(())
}

fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let count: i64 = row.get(column)?;
    u64::try_from(count).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, count))
}

/// Counts without unpacking.
pub(super) fn stats(snapshot: &Connection) -> Outcome<Vec<PartitionStats>> {
    let mut topics: Vec<_> = tables::topics(snapshot)?.into_values().collect();
    topics.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    let mut stats = Vec::new();
    for topic in topics {
        for (partition, head) in topic.partitions().zip(Head::load_all(snapshot, &topic)?) {
            let counted = snapshot
                .prepare_cached(
                    "SELECT count(*), coalesce(sum(last_offset - first_offset + 1), 0), \
                     coalesce(sum(length(data)), 0), min(written_ms), max(written_ms) FROM frames WHERE topic_id = ?1 AND partition = ?2",
                )?
                .query_row((topic.id, partition.partition), |row| {
                    Ok(PartitionStats {
                        partition: partition.clone(),
                        bounds: head.bounds(),
                        frames: count(row, 0)?,
                        records: count(row, 1)?,
                        stored_bytes: count(row, 2)?,
                        oldest_ms: row.get(3)?,
                        newest_ms: row.get(4)?,
                    })
                })
                .map_err(|error| Failure::Sqlite(error).at(|| partition.to_string()))?;
            stats.push(counted);
        }
    }
    Ok(stats)
}
