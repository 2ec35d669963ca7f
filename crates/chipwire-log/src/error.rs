//! What can go wrong with a log.

use std::path::PathBuf;

use crate::PartitionId;

/// The result of a log operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A newer writer or worker has the name, or a partition was given to another worker.
    #[error("`{name}` was replaced by a newer one")]
    Fenced {
        /// The writer, or group and member.
        name: String,
    },
    /// It is not known whether the write happened. Drop the writer or worker, open it anew, go on from the stored positions.
    #[error("it is not known whether the last write of `{name}` happened: {reason}")]
    Indeterminate {
        /// The writer, or group and member.
        name: String,
        /// What happened.
        reason: String,
    },
    /// No space left; nothing was written.
    #[error("no space left for log `{path}`: free some, writing goes on by itself")]
    Full {
        /// The log's file.
        path: PathBuf,
    },
    /// Bytes that are not as they were written.
    #[error(
        "log `{path}` is damaged at {place}: {reason}; restore the file from a backup or rebuild it from its sources"
    )]
    Corrupt {
        /// The log's file, or the broker.
        path: PathBuf,
        /// Topic, partition and offsets, as far as they are known.
        place: String,
        /// What does not fit.
        reason: String,
    },
    /// The log's file was written by another version.
    #[error("log `{path}` has schema version {found}, this version of chipwire reads {expected}: {}", advice(*found, *expected))]
    SchemaVersion {
        /// The log's file.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The version that is read.
        expected: i64,
    },
    /// A topic that was never created.
    #[error("topic `{0}` does not exist")]
    UnknownTopic(String),
    /// A topic exists with other partitions than wanted.
    #[error("topic `{topic}` has {found} partitions, expected {expected}")]
    TopicMismatch {
        /// The topic.
        topic: String,
        /// The partitions that it has.
        found: u32,
        /// The partitions that were asked for.
        expected: u32,
    },
    /// A topic exists with a setting under which what it holds would not be kept as it must.
    #[error("topic `{topic}` has `{setting}` {found}, expected {expected}; {advice}")]
    TopicSetting {
        /// The topic.
        topic: String,
        /// The setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        expected: String,
        /// What to do.
        advice: &'static str,
    },
    /// A record for a partition that the topic does not have.
    #[error("topic has no partition {0}")]
    UnknownPartition(PartitionId),
    /// The position lies before the oldest record that is kept, or after the newest.
    #[error("position {position} of {partition} is outside of {low}..={high}")]
    OutOfRange {
        /// The partition.
        partition: PartitionId,
        /// The position asked for.
        position: i64,
        /// The oldest that is kept.
        low: i64,
        /// One past the newest.
        high: i64,
    },
    /// The log cannot be reached just now; trying again later is right.
    #[error("log `{target}` cannot be reached: {reason}")]
    Unavailable {
        /// The brokers, or the file.
        target: String,
        /// What happened.
        reason: String,
    },
    /// The brokers turn this client away, or it does not trust them. Waiting does not help.
    #[error("log `{target}` cannot be used: {reason}; check {check}")]
    Denied {
        /// The brokers.
        target: String,
        /// What happened, and at which of them.
        reason: String,
        /// The settings that may be wrong.
        check: &'static str,
    },
    /// Writing ended with an I/O error. What the disk holds beyond the last success is not known, so nothing more is written
    /// until the log is opened again, best by a new process.
    #[error("log `{path}` stopped writing: {reason}; check the disk, then start again")]
    Stopped {
        /// The log's file.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// The log's file or folder cannot be opened.
    #[error("failed to open log `{path}`")]
    Open {
        /// The log's file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A setting of the backend that cannot be used.
    #[error("setting `{key}` cannot be used: {reason}")]
    Setting {
        /// The setting.
        key: String,
        /// What is wrong, or what is expected.
        reason: String,
    },
    /// Anything else that the backend says; what was being done is named.
    #[error("failed to {action}")]
    Backend {
        /// What was being done.
        action: String,
        /// What the backend says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What to do about a file of schema version `found`.
fn advice(found: i64, expected: i64) -> &'static str {
    if found > expected {
        "a newer chipwire has written it; use that one, or put back a backup from before"
    } else {
        "run a command that writes to it once, such as `chipwire run`, which brings it up to date; a version that has no way from \
         there says this again"
    }
}

impl Error {
    /// Whether waiting can help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Full { .. } | Error::Unavailable { .. } | Error::Indeterminate { .. })
    }
}
