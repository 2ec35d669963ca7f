//! Readers: a read-only connection of their own, and one snapshot for each batch.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{
    committer::Signal,
    failure::{Failure, Outcome},
    frame::{Place, Unpacker},
    tables::{Head, Topic},
};
use crate::{Batch, Error, Limit, PartitionId, Positions, Reader, Result, StoredRecord};

/// Reads partitions in order of their offsets.
pub(super) struct SqliteReader {
    path: PathBuf,
    connection: Connection,
    signal: Arc<Signal>,
    /// How often it looks, while it waits, whether another process has written.
    look_every: Duration,
    unpacker: Unpacker,
    topics: Vec<Arc<Topic>>,
    cursors: Vec<Cursor>,
    /// The cursor to begin with, so that a busy partition does not starve the others.
    turn: usize,
    /// SQLite's number of the file's state when everything had been read; `None` when there may be more.
    at_end_of: Option<i64>,
}

struct Cursor {
    topic: usize,
    id: PartitionId,
    /// Of the next record to hand out.
    position: i64,
    /// Unpacked and not handed out, from `position` on.
    pending: VecDeque<StoredRecord>,
}

/// A batch that is being filled.
struct Filling {
    limit: Limit,
    size_bytes: usize,
    batch: Batch,
}

impl Filling {
    /// Takes a record unless the limit forbids it.
    fn take(&mut self, pending: &mut VecDeque<StoredRecord>) -> Option<i64> {
        let record = &pending.front()?.record;
        let size = record.key.len() + record.value.as_ref().map_or(0, Vec::len);
        let fits = self.batch.records.len() < self.limit.records
            && self.size_bytes.saturating_add(size) <= self.limit.size_bytes;
        if !self.batch.records.is_empty() && !fits {
            return None;
        }
        self.size_bytes += size;
        let stored = pending.pop_front()?;
        let offset = stored.offset;
        self.batch.records.push(stored);
        Some(offset)
    }
}

impl SqliteReader {
    /// A reader of `topics` from `from`, or from the beginning where it says nothing.
    pub(super) fn new(
        path: PathBuf,
        connection: Connection,
        signal: Arc<Signal>,
        look_every: Duration,
        topics: Vec<Arc<Topic>>,
        from: &Positions,
    ) -> Outcome<Self> {
        let unpacker = Unpacker::new()
            .map_err(|error| Error::Backend { action: "prepare to unpack frames".into(), source: Box::new(error) })?;
        let mut cursors = Vec::new();
        for (index, topic) in topics.iter().enumerate() {
            let heads = Head::load_all(&connection, topic)?;
            for (id, head) in topic.partitions().zip(heads) {
                let position = from.get(&id).copied().unwrap_or(head.low);
                check_range(&id, position, head)?;
                cursors.push(Cursor { topic: index, id, position, pending: VecDeque::new() });
            }
            let beyond = from.keys().find(|id| id.topic == topic.spec.name && id.partition >= topic.spec.partitions);
            if let Some(id) = beyond {
                return Err(Error::UnknownPartition(id.clone()).into());
            }
        }
        Ok(Self { path, connection, signal, look_every, unpacker, topics, cursors, turn: 0, at_end_of: None })
    }

    /// The positions of the next records.
    pub(super) fn positions(&self) -> Positions {
        self.cursors.iter().map(|cursor| (cursor.id.clone(), cursor.position)).collect()
    }

    /// The number in the file of the topic of `id`, if it is read here.
    pub(super) fn topic_id(&self, id: &PartitionId) -> Option<i64> {
        let topic = self.topics.iter().find(|topic| topic.spec.name == id.topic)?;
        (id.partition < topic.spec.partitions).then_some(topic.id)
    }

    /// What is there now.
    fn read(&mut self, limit: Limit) -> Outcome<Batch> {
        let version = self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.at_end_of == Some(version) {
            return Ok(Batch { at_end: true, ..Batch::default() });
        }
        let mut filling = Filling { limit, size_bytes: 0, batch: Batch::default() };
        // One snapshot for all partitions. It must be taken after the version was read: then what is committed in between
        // is read now or shows as another version next time.
        let snapshot = self.connection.unchecked_transaction()?;
        let mut heads = Vec::new();
        for topic in &self.topics {
            heads.extend(Head::load_all(&snapshot, topic)?);
        }
        let count = self.cursors.len();
        let mut at_end = true;
        for step in 0..count {
            let index = (self.turn + step) % count;
            let (Some(cursor), Some(head)) = (self.cursors.get_mut(index), heads.get(index)) else { continue };
            let Some(topic) = self.topics.get(cursor.topic) else { continue };
            let begin = cursor.position;
            let complete = cursor.fill(&snapshot, &mut self.unpacker, topic.id, *head, &mut filling)?;
            if cursor.position > begin {
                filling.batch.positions.insert(cursor.id.clone(), cursor.position);
            }
            if !complete {
                at_end = false;
                self.turn = index + 1;
                break;
            }
        }
        drop(snapshot);
        self.at_end_of = at_end.then_some(version);
        filling.batch.at_end = at_end;
        Ok(filling.batch)
    }

    /// As [`Reader::next`]; `still_ours` is asked before every look at the log.
    pub(super) fn next_while(
        &mut self,
        limit: Limit,
        wait: Duration,
        still_ours: impl Fn(&Connection) -> Outcome<()>,
    ) -> Result<Batch> {
        let started = Instant::now();
        loop {
            let generation = self.signal.generation();
            let batch = still_ours(&self.connection).and_then(|()| self.read(limit));
            let batch = batch.map_err(|failure| failure.into_error(&self.path, || "read from the log".into()))?;
            let waited = started.elapsed();
            if !batch.records.is_empty() || waited >= wait {
                return Ok(batch);
            }
            self.signal.wait(generation, self.look_every.min(wait - waited));
        }
    }
}

impl Reader for SqliteReader {
    fn next(&mut self, limit: Limit, wait: Duration) -> Result<Batch> {
        self.next_while(limit, wait, |_| Ok(()))
    }
}

fn check_range(id: &PartitionId, position: i64, head: Head) -> Outcome<()> {
    if (head.low..=head.next).contains(&position) {
        return Ok(());
    }
    Err(Failure::Refused(Error::OutOfRange { partition: id.clone(), position, low: head.low, high: head.next }))
}

impl Cursor {
    /// Fills the batch up to the partition's end; false when the limit came first.
    fn fill(
        &mut self,
        snapshot: &Connection,
        unpacker: &mut Unpacker,
        topic_id: i64,
        head: Head,
        filling: &mut Filling,
    ) -> Outcome<bool> {
        if self.pending.is_empty() {
            check_range(&self.id, self.position, head)?;
        }
        self.hand_out(filling);
        if !self.pending.is_empty() {
            return Ok(false);
        }
        if self.position == head.next {
            return Ok(true);
        }
        let id = self.id.clone();
        let place = |from: i64| format!("{id} offsets {from}..={}", head.next - 1);
        let mut expected = self.first_offset(snapshot, topic_id)?;
        let mut statement = snapshot.prepare_cached(
            "SELECT first_offset, last_offset, written_ms, checksum, data FROM frames \
             WHERE topic_id = ?1 AND partition = ?2 AND first_offset >= ?3 ORDER BY first_offset",
        )?;
        let mut rows = statement.query((topic_id, self.id.partition, expected))?;
        while self.position < head.next {
            let row = rows.next().map_err(|error| Failure::Sqlite(error).at(|| place(expected)))?;
            let row = row.ok_or_else(|| Failure::damaged(place(expected), "the records are missing"))?;
            let read = || -> rusqlite::Result<_> {
                let place = Place { partition: &id, first: row.get(0)?, last: row.get(1)?, written_ms: row.get(2)? };
                Ok((place, row.get(3)?, row.get_ref(4)?.as_blob()?))
            };
            let (found, checksum, data) = read().map_err(|error| Failure::Sqlite(error).at(|| place(expected)))?;
            if found.first != expected {
                return Err(Failure::damaged(place(expected), format!("the next records are {found}")));
            }
            unpacker.unpack(found, checksum, data, self.position, &mut self.pending)?;
            expected = found.last + 1;
            if expected > head.next || expected <= self.position {
                return Err(Failure::damaged(found.to_string(), format!("the partition ends at {}", head.next)));
            }
            self.hand_out(filling);
            if !self.pending.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn hand_out(&mut self, filling: &mut Filling) {
        while let Some(offset) = filling.take(&mut self.pending) {
            self.position = offset + 1;
        }
    }

    /// The first offset of the frame that holds the position.
    fn first_offset(&self, snapshot: &Connection, topic_id: i64) -> Outcome<i64> {
        let place = || format!("{} offset {}", self.id, self.position);
        snapshot
            .prepare_cached(
                "SELECT first_offset FROM frames WHERE topic_id = ?1 AND partition = ?2 AND first_offset <= ?3 \
                 ORDER BY first_offset DESC LIMIT 1",
            )?
            .query_row((topic_id, self.id.partition, self.position), |row| row.get(0))
            .map_err(|error| match error {
                rusqlite::Error::QueryReturnedNoRows => Failure::damaged(place(), "the record is missing"),
                error => Failure::Sqlite(error).at(place),
            })
    }
}
