//! What the laws are written with.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::Fixture;
use crate::{
    Batch, Cleanup, EventLog, Limit, PartitionId, Positions, Reader, Record, Step, StoredRecord, TopicSpec, Worker,
};

/// How long one poll waits: short, so that a deadline is noticed, and long enough not to spin.
pub(super) const POLL: Duration = Duration::from_millis(100);

/// A moment by which something must have happened.
pub(super) struct Deadline {
    at: Instant,
    what: String,
}

impl Deadline {
    pub(super) fn new(fixture: &dyn Fixture, what: impl Into<String>) -> Self {
        Self { at: Instant::now() + fixture.deadline(), what: what.into() }
    }

    /// Fails when the moment has passed.
    pub(super) fn check(&self) {
        assert!(Instant::now() < self.at, "did not happen in time: {}", self.what);
    }
}

/// Creates a topic with a name of its own.
pub(super) fn topic(fixture: &dyn Fixture, log: &dyn EventLog, name: &str, partitions: u32) -> Arc<str> {
    ensure(fixture, log, name, partitions, Cleanup::Delete { retention: None })
}

/// Creates a state topic with a name of its own.
pub(super) fn state_topic(fixture: &dyn Fixture, log: &dyn EventLog, name: &str, partitions: u32) -> Arc<str> {
    ensure(fixture, log, name, partitions, Cleanup::Compact)
}

fn ensure(fixture: &dyn Fixture, log: &dyn EventLog, name: &str, partitions: u32, cleanup: Cleanup) -> Arc<str> {
    let name: Arc<str> = fixture.unique(name).into();
    log.ensure(&[TopicSpec { name: Arc::clone(&name), partitions, cleanup }]).unwrap();
    name
}

/// A record with a short text as key and value.
pub(super) fn record(topic: &Arc<str>, partition: u32, key: &str, value: &str) -> Record {
    Record { topic: Arc::clone(topic), partition, key: key.into(), headers: Vec::new(), value: Some(value.into()) }
}

/// A record that removes `key`.
pub(super) fn tombstone(topic: &Arc<str>, partition: u32, key: &str) -> Record {
    Record { value: None, ..record(topic, partition, key, "") }
}

/// The value as text, for messages and comparisons.
pub(super) fn text(stored: &StoredRecord) -> String {
    stored.record.value.as_deref().map_or("(tombstone)".to_owned(), |value| String::from_utf8_lossy(value).into_owned())
}

/// The values by partition, in order.
pub(super) fn by_partition(records: &[StoredRecord]) -> BTreeMap<PartitionId, Vec<String>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for stored in records {
        found.entry(stored.partition_id()).or_default().push(text(stored));
    }
    found
}

/// Sorted values.
pub(super) fn values(records: &[StoredRecord]) -> Vec<String> {
    let mut values: Vec<_> = records.iter().map(text).collect();
    values.sort();
    values
}

/// Checks what holds for every batch, and appends it.
pub(super) fn take(batch: Batch, limit: Limit, into: &mut Vec<StoredRecord>, positions: &mut Positions) {
    let size_bytes: usize = batch.records.iter().map(|stored| size_bytes(&stored.record)).sum();
    assert!(batch.records.len() <= limit.records.max(1), "{} records, limit {limit:?}", batch.records.len());
    assert!(batch.records.len() <= 1 || size_bytes <= limit.size_bytes, "{size_bytes} bytes, limit {limit:?}");
    for stored in &batch.records {
        let partition = stored.partition_id();
        let from = positions.get(&partition).copied().unwrap_or(0);
        assert!(stored.offset >= from, "{partition} offset {} after position {from}", stored.offset);
        let after = batch.positions.get(&partition).copied();
        assert!(after > Some(stored.offset), "{partition} offset {}, position after it {after:?}", stored.offset);
        positions.insert(partition, stored.offset + 1);
    }
    positions.extend(batch.positions);
    into.extend(batch.records);
}

/// Key and value together, as [`Limit`] counts them.
pub(super) fn size_bytes(record: &Record) -> usize {
    record.key.len() + record.value.as_ref().map_or(0, Vec::len)
}

/// Reads until the reader says that it is at the end.
pub(super) fn drain(fixture: &dyn Fixture, reader: &mut dyn Reader) -> (Vec<StoredRecord>, Positions) {
    let deadline = Deadline::new(fixture, "a reader at the end");
    let (mut records, mut positions) = (Vec::new(), Positions::new());
    loop {
        let batch = reader.next(Limit::default(), POLL).unwrap();
        let at_end = batch.at_end;
        take(batch, Limit::default(), &mut records, &mut positions);
        if at_end {
            return (records, positions);
        }
        deadline.check();
    }
}

/// Everything in `topics` from `from`, through a reader of its own.
pub(super) fn read_from(
    fixture: &dyn Fixture,
    log: &dyn EventLog,
    topics: &[&str],
    from: &Positions,
) -> Vec<StoredRecord> {
    drain(fixture, log.reader(topics, from).unwrap().as_mut()).0
}

/// Everything in `topics`.
pub(super) fn read_all(fixture: &dyn Fixture, log: &dyn EventLog, topics: &[&str]) -> Vec<StoredRecord> {
    read_from(fixture, log, topics, &Positions::new())
}

/// What a worker was given so far.
#[derive(Default)]
pub(super) struct Work {
    /// The partitions it has now, with the positions they were assigned at.
    pub(super) assigned: Positions,
    /// What it read.
    pub(super) records: Vec<StoredRecord>,
    /// Its positions.
    pub(super) positions: Positions,
}

impl Work {
    /// One step of `worker`.
    pub(super) fn step(&mut self, worker: &mut dyn Worker, limit: Limit) {
        match worker.next(limit, POLL).unwrap() {
            Step::Assigned(positions) => {
                self.positions.extend(positions.clone());
                self.assigned.extend(positions);
            }
            Step::Revoked(partitions) => self.assigned.retain(|partition, _| !partitions.contains(partition)),
            Step::Batch(batch) => {
                for stored in &batch.records {
                    let partition = stored.partition_id();
                    assert!(self.assigned.contains_key(&partition), "a record of {partition}, which is not assigned");
                }
                take(batch, limit, &mut self.records, &mut self.positions);
            }
        }
    }

    /// Steps until `count` partitions are assigned and `records` records were read.
    pub(super) fn until(fixture: &dyn Fixture, worker: &mut dyn Worker, partitions: usize, records: usize) -> Self {
        let deadline = Deadline::new(fixture, format!("{partitions} partitions assigned and {records} records read"));
        let mut work = Self::default();
        while work.assigned.len() < partitions || work.records.len() < records {
            work.step(worker, Limit::default());
            deadline.check();
        }
        work
    }
}
