//! A copy of a damaged log with all that can still be read.
//!
//! Offsets stay as they are: positions, intervals of the chain and indexes name them. Where records are lost, others stand in
//! their place that say so and are no events, so that whoever reads them passes over them as over any event that cannot be
//! read, and the chain shows what has to be enriched again.

use std::collections::{BTreeMap, VecDeque};

use rusqlite::{Connection, OptionalExtension};

use super::{
    check::Damage,
    failure::{Failure, Kind, Outcome, kind},
    frame::{Packer, Place, Unpacker, pack_one, unpack_one},
    schema,
    seal::Tally,
    state,
    tables::{self, Head, Topic},
};
use crate::{Error, PartitionId, Record, StoredRecord};

/// The name of the header of a record that stands in the place of one that is lost.
pub const LOST_HEADER: &str = "chipwire-lost";

/// What a repair keeps and what it gives up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repair {
    /// Records that are kept.
    pub kept: u64,
    /// Records that are lost.
    pub lost: u64,
    /// What is given up, and why.
    pub given_up: Vec<Damage>,
}

/// The columns of a frame.
struct Row {
    topic_id: i64,
    partition: u32,
    first: i64,
    last: i64,
    written_ms: i64,
    checksum: i64,
    data: Vec<u8>,
}

/// Good frames: their last offset and their id, by partition and first offset.
type Good = BTreeMap<(i64, u32), BTreeMap<i64, (i64, i64)>>;

/// Reads all of `source` and writes what is good to `target`, an empty log, if there is one.
pub(super) fn salvage(source: &Connection, target: Option<&Connection>) -> Outcome<Repair> {
    let mut salvage =
        Salvage { source, target, repair: Repair::default(), unpacker: unpacker()?, packer: Packer::new()? };
    salvage.genesis()?;
    let topics = salvage.topics()?;
    let good = salvage.good_frames(&topics)?;
    for topic in &topics {
        for partition in topic.partitions() {
            let frames = good.get(&(topic.id, partition.partition));
            salvage.partition(topic, &partition, frames.unwrap_or(&BTreeMap::new()))?;
        }
    }
    salvage.positions(&topics)?;
    Ok(salvage.repair)
}

fn unpacker() -> Outcome<Unpacker> {
    Unpacker::new()
        .map_err(|error| Error::Backend { action: "prepare to unpack frames".into(), source: Box::new(error) }.into())
}

struct Salvage<'a> {
    source: &'a Connection,
    target: Option<&'a Connection>,
    repair: Repair,
    unpacker: Unpacker,
    packer: Packer,
}

impl Salvage<'_> {
    /// Notes damage; other failures end the repair.
    fn note(&mut self, failure: Failure) -> Outcome<()> {
        match failure.at(|| "the file".into()) {
            Failure::Damaged { place, reason } => {
                self.repair.given_up.push(Damage { place, reason });
                Ok(())
            }
            other => Err(other),
        }
    }

    fn genesis(&mut self) -> Outcome<()> {
        match (schema::genesis(self.source), self.target) {
            (Ok(genesis), Some(target)) => schema::set_genesis(target, &genesis),
            (Ok(_), None) => Ok(()),
            // A log of its own then: every index is to be built anew.
            (Err(failure), _) => self.note(failure),
        }
    }

    fn topics(&mut self) -> Outcome<Vec<Topic>> {
        let mut topics = Vec::new();
        let mut failures = Vec::new();
        let (mut found, mut written) = (Tally::default(), Tally::default());
        let read = tables::each_topic(self.source, |row| {
            match row {
                Ok((topic, checksum)) => {
                    found.add(checksum);
                    topics.push(topic);
                }
                Err(failure) => failures.push(failure),
            }
            Ok(())
        });
        failures.extend(read.err());
        let tally = Tally::load(self.source, "topics").and_then(|tally| tally.check(found, || "table topics".into()));
        failures.extend(tally.err());
        failures.into_iter().try_for_each(|failure| self.note(failure))?;
        topics.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        if let Some(target) = self.target {
            for topic in &topics {
                written.add(topic.store(target)?);
            }
            written.store(target, "topics")?;
        }
        Ok(topics)
    }

    /// Looks at every frame by its id: a tree that is damaged on the way to one may lead to another.
    fn good_frames(&mut self, topics: &[Topic]) -> Outcome<Good> {
        let end = |which: &str| {
            let found = self.source.query_row(&format!("SELECT {which}(frame_id) FROM frames"), [], |row| row.get(0));
            found.map_err(Failure::Sqlite)
        };
        let first: Option<i64> = unless_damaged(end("min"))?.flatten();
        let last: Option<i64> = match unless_damaged(end("max"))? {
            Some(last) => last,
            // Every frame that was ever written holds a record at least.
            None => Some(self.records_ever(topics)?),
        };
        let names: BTreeMap<i64, &Topic> = topics.iter().map(|topic| (topic.id, topic)).collect();
        let mut good = Good::new();
        let mut unpacked = VecDeque::new();
        for id in first.unwrap_or(1)..=last.unwrap_or(0) {
            let Some(row) = unless_damaged(self.row(id))?.flatten() else { continue };
            let Some(topic) = names.get(&row.topic_id).filter(|topic| row.partition < topic.spec.partitions) else {
                continue;
            };
            let partition = topic.partition(row.partition);
            let place = Place { partition: &partition, first: row.first, last: row.last, written_ms: row.written_ms };
            unpacked.clear();
            if row.last >= row.first
                && self.unpacker.unpack(place, row.checksum, &row.data, row.first, &mut unpacked).is_ok()
            {
                good.entry((row.topic_id, row.partition)).or_default().insert(row.first, (row.last, id));
            }
        }
        Ok(good)
    }

    fn records_ever(&self, topics: &[Topic]) -> Outcome<i64> {
        let mut records = 0;
        for topic in topics {
            for partition in topic.partitions() {
                let head = unless_damaged(Head::load(self.source, topic, &partition))?;
                records += head.map_or(0, |head| head.next);
            }
        }
        Ok(records)
    }

    fn row(&self, id: i64) -> Outcome<Option<Row>> {
        let mut statement = self.source.prepare_cached(
            "SELECT topic_id, partition, first_offset, last_offset, written_ms, checksum, data FROM frames \
             WHERE frame_id = ?1",
        )?;
        let row = statement.query_row([id], |row| {
            Ok(Row {
                topic_id: row.get(0)?,
                partition: row.get(1)?,
                first: row.get(2)?,
                last: row.get(3)?,
                written_ms: row.get(4)?,
                checksum: row.get(5)?,
                data: row.get(6)?,
            })
        });
        Ok(row.optional()?)
    }

    fn partition(&mut self, topic: &Topic, partition: &PartitionId, frames: &BTreeMap<i64, (i64, i64)>) -> Outcome<()> {
        let after = frames.values().map(|(last, _)| last + 1).max();
        let (low, next) = match Head::load(self.source, topic, partition) {
            Ok(head) => (head.low, head.next.max(after.unwrap_or(head.next))),
            Err(failure) => {
                self.note(failure)?;
                (frames.keys().next().copied().unwrap_or(0), after.unwrap_or(0))
            }
        };
        let mut latest = if topic.is_compact() { self.state(topic, partition)? } else { BTreeMap::new() };
        let mut head = Head { low, next: low, ..Head::default() };
        let mut written_ms = 0;
        for (&first, &(last, id)) in frames.range(low..) {
            // One that lies over another.
            if first < head.next {
                continue;
            }
            self.stand_in(topic, partition, &mut head, first, written_ms)?;
            let Some(row) = self.row(id)? else { continue };
            written_ms = row.written_ms;
            if topic.is_compact() {
                self.replay(partition, &row, &mut latest)?;
            }
            self.insert(topic, partition, (first, last), &row)?;
            self.repair.kept += (last - first + 1).unsigned_abs();
            head.next = last + 1;
        }
        self.stand_in(topic, partition, &mut head, next, written_ms)?;
        let Some(target) = self.target else { return Ok(()) };
        for (key, (offset, written_ms, data)) in latest {
            let Some(data) = data else { continue };
            let place = Place { partition, first: offset, last: offset, written_ms };
            let checksum = place.seal("state", &data).sum();
            target
                .prepare_cached(
                    "INSERT INTO state (topic_id, partition, key, record_offset, written_ms, checksum, data) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute((topic.id, partition.partition, key, offset, written_ms, checksum, data))?;
            head.state.add(checksum);
        }
        head.store(target, topic, partition)
    }

    fn insert(&self, topic: &Topic, partition: &PartitionId, offsets: (i64, i64), row: &Row) -> Outcome<()> {
        let Some(target) = self.target else { return Ok(()) };
        target
            .prepare_cached(
                "INSERT INTO frames (topic_id, partition, first_offset, last_offset, written_ms, checksum, data) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((topic.id, partition.partition, offsets.0, offsets.1, row.written_ms, row.checksum, &row.data))?;
        Ok(())
    }

    /// Puts records that say that others are lost into the places up to `to`.
    fn stand_in(
        &mut self,
        topic: &Topic,
        partition: &PartitionId,
        head: &mut Head,
        to: i64,
        written_ms: i64,
    ) -> Outcome<()> {
        if to <= head.next {
            return Ok(());
        }
        let place = format!("{partition} offsets {}..={}", head.next, to - 1);
        self.repair.given_up.push(Damage { place, reason: "the records are damaged or missing".into() });
        self.repair.lost += (to - head.next).unsigned_abs();
        if self.target.is_some() {
            let record = Record {
                topic: partition.topic.clone(),
                partition: partition.partition,
                key: Vec::new(),
                headers: vec![(LOST_HEADER.to_owned(), "damaged, and given up by a repair".to_owned())],
                value: Some(Vec::new()),
            };
            for frame in self.packer.pack((head.next..to).map(|_| &record))? {
                let (first, last) = (head.next, head.next + frame.records - 1);
                let place = Place { partition, first, last, written_ms };
                let checksum = place.seal("frames", &frame.data).sum();
                let row = Row {
                    topic_id: topic.id,
                    partition: partition.partition,
                    first,
                    last,
                    written_ms,
                    checksum,
                    data: frame.data,
                };
                self.insert(topic, partition, (first, last), &row)?;
                head.next = last + 1;
            }
        }
        head.next = to;
        Ok(())
    }

    /// The rows of a state that are good.
    fn state(&mut self, topic: &Topic, partition: &PartitionId) -> Outcome<Latest> {
        let mut latest = Latest::new();
        // Says what is wrong with the whole.
        if let Err(failure) = state::each(self.source, topic, std::slice::from_ref(partition), &mut |_| {}) {
            self.note(failure)?;
        }
        let mut read = || -> Outcome<()> {
            let mut statement = self.source.prepare_cached(
                "SELECT key, record_offset, written_ms, checksum, data FROM state \
                 WHERE topic_id = ?1 AND partition = ?2",
            )?;
            let mut rows = statement.query((topic.id, partition.partition))?;
            while let Some(row) = rows.next()? {
                let read = || -> rusqlite::Result<_> {
                    Ok((
                        row.get::<_, Vec<u8>>(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get::<_, i64>(3)?,
                        row.get::<_, Vec<u8>>(4)?,
                    ))
                };
                let Ok((key, offset, written_ms, checksum, data)) = read() else { continue };
                let place = Place { partition, first: offset, last: offset, written_ms };
                let is_good = place.seal("state", &data).sum() == checksum
                    && unpack_one(place, &data).is_ok_and(|stored| stored.record.key == key);
                if is_good {
                    latest.insert(key, (offset, written_ms, Some(data)));
                }
            }
            Ok(())
        };
        unless_damaged(read())?;
        Ok(latest)
    }

    /// Takes what a frame says of keys: a row of the state that is lost is made anew.
    fn replay(&mut self, partition: &PartitionId, row: &Row, latest: &mut Latest) -> Outcome<()> {
        let place = Place { partition, first: row.first, last: row.last, written_ms: row.written_ms };
        let mut records = VecDeque::<StoredRecord>::new();
        self.unpacker.unpack(place, row.checksum, &row.data, row.first, &mut records)?;
        for stored in records {
            let is_newer = latest.get(&stored.record.key).is_none_or(|(offset, ..)| *offset < stored.offset);
            if is_newer {
                let data = stored.record.value.is_some().then(|| pack_one(&stored.record)).transpose()?;
                latest.insert(stored.record.key, (stored.offset, stored.timestamp_ms, data));
            }
        }
        Ok(())
    }

    fn positions(&mut self, topics: &[Topic]) -> Outcome<()> {
        let mut good = Vec::new();
        let mut failures = Vec::new();
        let mut found = Tally::default();
        let read = tables::each_position(self.source, |row| {
            match row {
                Ok((position, checksum)) => {
                    found.add(checksum);
                    good.push(position);
                }
                Err(failure) => failures.push(failure),
            }
            Ok(())
        });
        failures.extend(read.err());
        let tally =
            Tally::load(self.source, "positions").and_then(|tally| tally.check(found, || "table positions".into()));
        failures.extend(tally.err());
        failures.into_iter().try_for_each(|failure| self.note(failure))?;
        let Some(target) = self.target else { return Ok(()) };
        good.retain(|position| topics.iter().any(|topic| topic.id == position.topic_id));
        tables::store_positions(target, &good)
    }
}

/// By key: offset, stamp, and the packed record, none for a tombstone.
type Latest = BTreeMap<Vec<u8>, (i64, i64, Option<Vec<u8>>)>;

/// `None` for what is damaged.
fn unless_damaged<T>(outcome: Outcome<T>) -> Outcome<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(Failure::Damaged { .. }) => Ok(None),
        Err(Failure::Sqlite(error)) if kind(&error) == Kind::Damaged => Ok(None),
        Err(other) => Err(other),
    }
}
