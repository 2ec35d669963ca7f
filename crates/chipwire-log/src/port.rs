//! The port that every backend implements.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use crate::{Error, Result};

/// What happens to old records of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Kept for at least this long; `None` is for ever.
    Delete {
        /// The time after which a record may be removed.
        retention: Option<Duration>,
    },
    /// A state topic: at least the latest record of every key is kept.
    Compact,
}

impl Cleanup {
    /// In Kafka's words.
    pub fn policy(self) -> &'static str {
        match self {
            Cleanup::Delete { .. } => "delete",
            Cleanup::Compact => "compact",
        }
    }
}

/// A topic as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its full name, prefix included.
    pub name: Arc<str>,
    /// The number of partitions. Fixed when the topic is made.
    pub partitions: u32,
    /// What happens to old records.
    pub cleanup: Cleanup,
}

impl TopicSpec {
    /// Fails when a topic that exists with `found` must not be used as this one.
    pub(crate) fn check(&self, found_partitions: u32, found: Cleanup) -> Result<()> {
        if found_partitions != self.partitions {
            return Err(Error::TopicMismatch {
                topic: self.name.to_string(),
                found: found_partitions,
                expected: self.partitions,
            });
        }
        if found.policy() == self.cleanup.policy() {
            return Ok(());
        }
        Err(Error::TopicSetting {
            topic: self.name.to_string(),
            setting: "cleanup.policy",
            found: found.policy().to_owned(),
            expected: self.cleanup.policy().to_owned(),
            advice: "it was made for something else: use another prefix or another log",
        })
    }
}

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId {
    /// The topic's full name.
    pub topic: Arc<str>,
    /// From 0.
    pub partition: u32,
}

impl PartitionId {
    /// Partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: u32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// For each partition the offset of the next record to read. A partition that is not in it is read from its beginning.
pub type Positions = BTreeMap<PartitionId, i64>;

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The topic's full name.
    pub topic: Arc<str>,
    /// The partition, chosen by the writer.
    pub partition: u32,
    /// The key: orders nothing by itself, but names the record in a state topic.
    pub key: Vec<u8>,
    /// Names and values; names may repeat.
    pub headers: Vec<(String, String)>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

impl Record {
    /// The bytes of key, headers and value together.
    pub fn size_bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.key.len() + headers + self.value.as_ref().map_or(0, Vec::len)
    }
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Where it stands.
    pub offset: i64,
    /// When it was written, in milliseconds since 1970-01-01 UTC, by the log's clock. For people and retention only.
    pub timestamp_ms: i64,
    /// The record.
    pub record: Record,
}

impl StoredRecord {
    /// The partition it was read from.
    pub fn partition_id(&self) -> PartitionId {
        PartitionId { topic: Arc::clone(&self.record.topic), partition: self.record.partition }
    }
}

/// The most that one call may return. At least one record is returned when there is one, however large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Records.
    pub records: usize,
    /// Bytes of keys and values together.
    pub size_bytes: usize,
}

impl Default for Limit {
    fn default() -> Self {
        Self { records: 1_000, size_bytes: 8 << 20 }
    }
}

/// Committed records, in order within each partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The records, those of one partition in order of their offsets.
    pub records: Vec<StoredRecord>,
    /// For every partition that advanced, the position after this batch. It may lie behind the last record's offset + 1,
    /// where offsets have holes.
    pub positions: Positions,
    /// True when, at some moment during the call, there was nothing more to read in any partition.
    pub at_end: bool,
}

/// What a worker has to deal with next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// These partitions now belong to this worker. Reading goes on at the group's stored positions, which are given (the
    /// beginning, where nothing is stored).
    Assigned(Positions),
    /// These partitions no longer belong to this worker: what was done for them and not committed is void.
    Revoked(Vec<PartitionId>),
    /// Records of the assigned partitions; empty when the wait was over before anything came.
    Batch(Batch),
}

/// The bounds of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The offset of the oldest record that is kept.
    pub low: i64,
    /// One past the offset of the newest committed record.
    pub high: i64,
}

/// The latest record of every key of a state topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// By key; keys whose latest record is a tombstone are absent.
    pub records: BTreeMap<Vec<u8>, StoredRecord>,
    /// A reader that starts here sees exactly what came after.
    pub positions: Positions,
}

/// An append-only log of records with transactions.
pub trait EventLog: Send + Sync {
    /// The identity of this very log, made when it was created: a projection of another one must not be used with it.
    fn genesis(&self) -> Result<String>;

    /// Creates the topics that are missing.
    ///
    /// # Errors
    /// [`Error::TopicMismatch`](crate::Error::TopicMismatch) when one exists with another number of partitions,
    /// [`Error::TopicSetting`](crate::Error::TopicSetting) when one is a state topic that should be none, or the other way round.
    fn ensure(&self, topics: &[TopicSpec]) -> Result<()>;

    /// The bounds of every partition of a topic, by partition number.
    fn bounds(&self, topic: &str) -> Result<Vec<Bounds>>;

    /// Reads all partitions of `topics` from `from`, independently of any group.
    fn reader(&self, topics: &[&str], from: &Positions) -> Result<Box<dyn Reader>>;

    /// Joins `group` as `member` to share the partitions of `topics` with the group's other members. Where a backend has no
    /// groups of several members, the newest worker of a group owns all partitions and fences the others.
    fn worker(&self, group: &str, member: &str, topics: &[&str]) -> Result<Box<dyn Worker>>;

    /// Opens the writer `name`.
    fn writer(&self, name: &str) -> Result<Box<dyn Writer>>;

    /// The latest record per key of a state topic, in the given partitions or in all, as of now.
    fn state(&self, topic: &str, partitions: Option<&[u32]>) -> Result<State>;

    /// Shows `visit` what [`state`](Self::state) gives, one record after the other and in no order that means anything, and gives
    /// its positions: of many records no more are held in memory than the backend has to, which here is all of them. After an
    /// error, what was shown is void.
    fn each_latest(
        &self,
        topic: &str,
        partitions: Option<&[u32]>,
        visit: &mut dyn FnMut(StoredRecord),
    ) -> Result<Positions> {
        let State { records, positions } = self.state(topic, partitions)?;
        records.into_values().for_each(visit);
        Ok(positions)
    }

    /// The largest record that can be written, by [`Record::size_bytes`]; none where the backend sets no limit.
    fn max_record_bytes(&self) -> Option<usize> {
        None
    }

    /// Whether [`latest`](Self::latest) finds a record among many without reading the others.
    fn finds_keys(&self) -> bool {
        false
    }

    /// The latest record of `key` in a partition of a state topic; `None` if there is none, or a tombstone.
    fn latest(&self, topic: &str, partition: u32, key: &[u8]) -> Result<Option<StoredRecord>> {
        Ok(self.state(topic, Some(&[partition]))?.records.remove(key))
    }

    /// The stored positions of `group`. Partitions for which nothing is stored are absent.
    fn committed(&self, group: &str, topics: &[&str]) -> Result<Positions>;

    /// Removes what retention and compaction no longer keep, and returns the number of records removed. To be called now and
    /// then; a backend that does this by itself does nothing.
    fn expire(&self, _expiry: &Expiry) -> Result<u64> {
        Ok(0)
    }
}

/// What [`EventLog::expire`] may remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expiry {
    /// The time, in milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// Beyond this size of all records together, as they are stored, the oldest go too, whatever their age.
    pub max_bytes: Option<u64>,
    /// Somebody still has to read from these positions on: records there stay. Partitions that are not named have no reader.
    pub needed: Positions,
}

/// Reads committed records.
pub trait Reader: Send {
    /// The next records. Waits at most `wait` for the first; an empty batch means that nothing came.
    fn next(&mut self, limit: Limit, wait: Duration) -> Result<Batch>;
}

/// Reads the partitions it is assigned and commits what comes of them.
pub trait Worker: Send {
    /// The next step. Waits at most `wait`; an empty batch means that nothing came.
    ///
    /// Assignments change only during this call: whoever commits every batch before asking for the next never has to
    /// throw work away.
    fn next(&mut self, limit: Limit, wait: Duration) -> Result<Step>;

    /// Writes `outputs` and stores `upto` as the group's positions, both or neither. Either may be empty.
    ///
    /// # Errors
    /// [`Error::Fenced`](crate::Error::Fenced) when the worker was replaced or a partition of `upto` is no longer its own,
    /// [`Error::Indeterminate`](crate::Error::Indeterminate) when it is not known whether it happened; both end the worker.
    fn commit(&mut self, outputs: &[Record], upto: &Positions) -> Result<()>;
}

/// Appends records.
pub trait Writer: Send {
    /// Writes all of `records` or none.
    ///
    /// # Errors
    /// [`Error::Fenced`](crate::Error::Fenced) when a newer writer of this name was opened,
    /// [`Error::Indeterminate`](crate::Error::Indeterminate) when it is not known whether it happened; both end the writer.
    /// [`Error::Full`](crate::Error::Full) when the disk is full: nothing was written, and it can be tried again.
    fn append(&mut self, records: &[Record]) -> Result<()>;
}
