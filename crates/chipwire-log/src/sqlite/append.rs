//! What an append or a commit writes: frames, state, positions, all in the transaction that it is given.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    panic,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rusqlite::{Connection, OptionalExtension};

use super::{
    Clock,
    failure::{Failure, Outcome},
    frame::{Frame, Packer, Place, pack_one},
    tables::{self, Head, Owner, Position, Topic},
};
use crate::{Error, PartitionId, Record};

/// From this size on, uncompressed, several threads pack the partitions of an append. Compressing takes most of its time, and
/// starting a thread takes as long as compressing a hundredth of this.
const SHARED_BYTES: usize = 128 << 10;

/// More threads than this would wait for the one that writes.
const MOST_PACKERS: usize = 4;

/// Who packs: one packer for every thread.
pub(super) struct Packers {
    own: Packer,
    /// Made when an append is large enough for them.
    others: Vec<Packer>,
}

impl Packers {
    pub(super) fn new() -> Outcome<Self> {
        Ok(Self { own: Packer::new()?, others: Vec::new() })
    }

    /// Packs each of `parts`, in their order.
    fn pack(&mut self, parts: &[Part<'_>], size_bytes: usize) -> Outcome<Vec<PackedPartition>> {
        let helpers = if size_bytes < SHARED_BYTES { 0 } else { most_helpers().min(parts.len().saturating_sub(1)) };
        while self.others.len() < helpers {
            self.others.push(Packer::new()?);
        }
        let next = AtomicUsize::new(0);
        let work = |packer: &mut Packer| -> Outcome<Vec<(usize, PackedPartition)>> {
            let mut packed = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(part) = parts.get(index) else { return Ok(packed) };
                packed.push((index, part.pack(packer)?));
            }
        };
        let mut packed = thread::scope(|scope| {
            // Where no thread can be had, the caller's own does it all.
            let start = |packer| thread::Builder::new().name("log-packer".into()).spawn_scoped(scope, || work(packer));
            let others: Vec<_> = self.others.iter_mut().take(helpers).filter_map(|packer| start(packer).ok()).collect();
            let mut packed = work(&mut self.own)?;
            for other in others {
                packed.extend(other.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked))?);
            }
            Ok::<_, Failure>(packed)
        })?;
        packed.sort_unstable_by_key(|(index, _)| *index);
        Ok(packed.into_iter().map(|(_, packed)| packed).collect())
    }
}

fn most_helpers() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MOST_PACKERS) - 1
}

/// What an append writes to one partition.
struct Part<'r> {
    topic: Arc<Topic>,
    partition: PartitionId,
    records: Vec<&'r Record>,
}

impl Part<'_> {
    fn pack(&self, packer: &mut Packer) -> Outcome<PackedPartition> {
        Ok(PackedPartition {
            topic: Arc::clone(&self.topic),
            partition: self.partition.clone(),
            frames: packer.pack(self.records.iter().copied())?,
            latest: if self.topic.is_compact() { latest(&self.records)? } else { Vec::new() },
        })
    }
}

/// Records ready to be written, packed by the caller's own thread and others that help it.
#[derive(Default)]
pub(super) struct Packed {
    partitions: Vec<PackedPartition>,
    pub(super) size_bytes: usize,
}

struct PackedPartition {
    topic: Arc<Topic>,
    partition: PartitionId,
    frames: Vec<Frame>,
    latest: Vec<Latest>,
}

/// The last record of a key of a state topic.
struct Latest {
    key: Vec<u8>,
    /// Counted from the first record of this append in its partition.
    index: i64,
    /// `None` is a tombstone.
    data: Option<Vec<u8>>,
}

impl Packed {
    /// Packs `records`; `topic` finds a topic by its name.
    pub(super) fn new(
        packers: &mut Packers,
        records: &[Record],
        topic: impl Fn(&str) -> Result<Arc<Topic>, Error>,
    ) -> Outcome<Self> {
        let mut by_partition = BTreeMap::<(&str, u32), Part<'_>>::new();
        let mut size_bytes = 0;
        for record in records {
            size_bytes += record.size_bytes();
            match by_partition.entry((&*record.topic, record.partition)) {
                Entry::Occupied(mut entry) => entry.get_mut().records.push(record),
                Entry::Vacant(entry) => {
                    let topic = topic(&record.topic)?;
                    let partition = topic.partition(record.partition);
                    if record.partition >= topic.spec.partitions {
                        return Err(Error::UnknownPartition(partition).into());
                    }
                    entry.insert(Part { topic, partition, records: vec![record] });
                }
            }
        }
        let parts: Vec<_> = by_partition.into_values().collect();
        let partitions = packers.pack(&parts, size_bytes)?;
        let size_bytes = partitions.iter().flat_map(|part| &part.frames).map(|frame| frame.data.len()).sum();
        Ok(Self { partitions, size_bytes })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Writes them at the end of their partitions.
    pub(super) fn write(&self, connection: &Connection, written_ms: i64) -> Outcome<()> {
        for part in &self.partitions {
            part.write(connection, written_ms).map_err(|failure| failure.at(|| part.partition.to_string()))?;
        }
        Ok(())
    }
}

fn latest(records: &[&Record]) -> Outcome<Vec<Latest>> {
    let mut by_key = BTreeMap::new();
    for (index, record) in (0..).zip(records) {
        by_key.insert(&record.key, (index, *record));
    }
    let pack = |(key, (index, record)): (&Vec<u8>, (i64, &Record))| {
        let data = record.value.is_some().then(|| pack_one(record)).transpose()?;
        Ok(Latest { key: key.clone(), index, data })
    };
    by_key.into_iter().map(pack).collect()
}

impl PackedPartition {
    fn write(&self, connection: &Connection, written_ms: i64) -> Outcome<()> {
        let mut head = Head::load(connection, &self.topic, &self.partition)?;
        let start = head.next;
        let mut insert = connection.prepare_cached(
            "INSERT INTO frames (topic_id, partition, first_offset, last_offset, written_ms, checksum, data) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for frame in &self.frames {
            let (first, last) = (head.next, head.next + frame.records - 1);
            let place = Place { partition: &self.partition, first, last, written_ms };
            let checksum = place.seal("frames", &frame.data).sum();
            let partition = self.partition.partition;
            insert.execute((self.topic.id, partition, first, last, written_ms, checksum, &frame.data))?;
            head.next = last + 1;
        }
        for latest in &self.latest {
            self.write_latest(connection, latest, start + latest.index, written_ms, &mut head)?;
        }
        head.store(connection, &self.topic, &self.partition)
    }

    fn write_latest(
        &self,
        connection: &Connection,
        latest: &Latest,
        offset: i64,
        written_ms: i64,
        head: &mut Head,
    ) -> Outcome<()> {
        let row = (self.topic.id, self.partition.partition, &latest.key);
        let old = connection
            .prepare_cached("SELECT checksum FROM state WHERE topic_id = ?1 AND partition = ?2 AND key = ?3")?
            .query_row(row, |row| row.get(0))
            .optional()?;
        if let Some(checksum) = old {
            head.state.remove(checksum);
        }
        let Some(data) = &latest.data else {
            connection
                .prepare_cached("DELETE FROM state WHERE topic_id = ?1 AND partition = ?2 AND key = ?3")?
                .execute(row)?;
            return Ok(());
        };
        let place = Place { partition: &self.partition, first: offset, last: offset, written_ms };
        let checksum = place.seal("state", data).sum();
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO state (topic_id, partition, key, record_offset, written_ms, checksum, data) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((self.topic.id, self.partition.partition, &latest.key, offset, written_ms, checksum, data))?;
        head.state.add(checksum);
        Ok(())
    }
}

/// One transaction of a writer or a worker.
pub(super) struct Request {
    pub(super) owner: Owner,
    pub(super) token: i64,
    /// Who asks, for errors.
    pub(super) label: String,
    pub(super) packed: Packed,
    pub(super) positions: Vec<Position>,
    /// Stamps the records.
    pub(super) clock: Clock,
}

impl Request {
    pub(super) fn apply(&self, connection: &Connection) -> Outcome<()> {
        self.owner.check(connection, self.token, &self.label)?;
        fail::fail_point!("before-append");
        self.packed.write(connection, (self.clock)())?;
        fail::fail_point!("after-append");
        tables::store_positions(connection, &self.positions).map_err(|failure| failure.at(|| "table positions".into()))
    }
}
