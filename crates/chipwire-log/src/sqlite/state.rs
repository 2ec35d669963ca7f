//! State topics: the latest record of every key.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rusqlite::{Connection, Row};

use super::{
    Shared,
    failure::{Failure, Outcome},
    frame::{Place, unpack_one},
    seal::Tally,
    tables::{Head, Topic},
};
use crate::{Limit, PartitionId, Positions, Reader, Result, State, StoredRecord};

/// Shows `visit` the state of `partitions` in one snapshot, row by row, and gives its positions.
pub(super) fn each(
    snapshot: &Connection,
    topic: &Topic,
    partitions: &[PartitionId],
    visit: &mut dyn FnMut(StoredRecord),
) -> Outcome<Positions> {
    let mut positions = Positions::new();
    for partition in partitions {
        let head = Head::load(snapshot, topic, partition)?;
        let place = || format!("the state of {partition}");
        let mut tally = Tally::default();
        let mut statement = snapshot.prepare_cached(
            "SELECT key, record_offset, written_ms, checksum, data FROM state WHERE topic_id = ?1 AND partition = ?2",
        )?;
        let mut rows = statement.query((topic.id, partition.partition))?;
        while let Some(row) = rows.next().map_err(|error| Failure::Sqlite(error).at(place))? {
            let (stored, checksum) = unpack(row, partition, place)?;
            tally.add(checksum);
            visit(stored);
        }
        head.state.check(tally, place)?;
        positions.insert(partition.clone(), head.next);
    }
    Ok(positions)
}

/// The record of one key. That none is missing is only found out by [`each`].
pub(super) fn find(
    snapshot: &Connection,
    topic: &Topic,
    partition: &PartitionId,
    key: &[u8],
) -> Outcome<Option<StoredRecord>> {
    let place = || format!("the state of {partition}");
    let mut statement = snapshot.prepare_cached(
        "SELECT key, record_offset, written_ms, checksum, data FROM state \
         WHERE topic_id = ?1 AND partition = ?2 AND key = ?3",
    )?;
    let mut rows = statement.query((topic.id, partition.partition, key))?;
    let Some(row) = rows.next().map_err(|error| Failure::Sqlite(error).at(place))? else { return Ok(None) };
    Ok(Some(unpack(row, partition, place)?.0))
}

/// The record in a row, and its checksum.
fn unpack(row: &Row<'_>, partition: &PartitionId, place: impl Fn() -> String) -> Outcome<(StoredRecord, i64)> {
    let read = || -> rusqlite::Result<_> {
        let (key, offset): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
        let place = Place { partition, first: offset, last: offset, written_ms: row.get(2)? };
        Ok((key, place, row.get(3)?, row.get_ref(4)?.as_blob()?))
    };
    let (key, found, checksum, data) = read().map_err(|error| Failure::Sqlite(error).at(place))?;
    found.seal("state", data).check(checksum, || format!("the state of {found}"))?;
    let stored = unpack_one(found, data)?;
    if stored.record.key != key {
        return Err(Failure::damaged(format!("the state of {found}"), "it stands under another key"));
    }
    Ok((stored, checksum))
}

/// The same of a topic that is not kept as state: by reading it from beginning to end.
pub(super) fn replay(shared: &Arc<Shared>, topic: &Topic, partitions: &[PartitionId]) -> Result<State> {
    let mut reader = shared.reader(&[&topic.spec.name], &Positions::new())?;
    let mut state = State { positions: reader.positions(), ..State::default() };
    // Each partition by itself: a tombstone removes nothing from another.
    let mut latest = BTreeMap::new();
    loop {
        let batch = reader.next(Limit::default(), Duration::ZERO)?;
        state.positions.extend(batch.positions);
        for stored in batch.records {
            if !partitions.contains(&stored.partition_id()) {
                continue;
            }
            let key = (stored.record.partition, stored.record.key.clone());
            match &stored.record.value {
                Some(_) => latest.insert(key, stored),
                None => latest.remove(&key),
            };
        }
        if batch.at_end {
            state.records = latest.into_iter().map(|((_, key), stored)| (key, stored)).collect();
            state.positions.retain(|partition, _| partitions.contains(partition));
            return Ok(state);
        }
    }
}
