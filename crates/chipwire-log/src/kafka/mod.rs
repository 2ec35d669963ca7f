//! The log on Apache Kafka, for a pipeline that runs on several machines.
//!
//! | file | holds |
//! | --- | --- |
//! | `config` | [`KafkaConfig`] and the settings of every kind of client |
//! | `security` | TLS and SASL: their settings, their files and passwords |
//! | `cluster` | what is asked of the brokers: topics, partitions, bounds, committed offsets |
//! | `ensure` | creating topics, and checking those that are there |
//! | `transaction` | one transactional producer: all or nothing, and what each failure means |
//! | `reader`, `worker`, `writer` | the three traits of the port |
//! | `intake` | a client's messages cut into batches, with positions |
//! | `context`, `failure`, `record` | log lines and error codes of librdkafka, and messages, in the words of the port |
//!
//! How the laws are kept:
//! - A writer is a transactional producer whose transactional id is made from the writer's name; opening it fences the
//!   older one. A worker is a group member with such a producer; the group's offsets travel in the same transaction as the
//!   outputs, and the broker checks them against the member's generation.
//! - Everything reads with `read_committed`. Transactions leave control records in a partition, so offsets have holes, and
//!   a position after a batch is what the consumer says, never the last record's offset + 1.
//! - Where nothing is stored a group starts at the beginning; a stored position that is gone is an error
//!   ([`Error::OutOfRange`]), never a silent jump (`auto.offset.reset=error`).
//! - Two transaction calls cannot be trusted with their own time-out, so every such call is watched from outside.
//!
//! - A commit is acknowledged a moment before it can be read. Ends (`at_end`, [`Bounds::high`]) therefore count what is not
//!   decided yet: whoever has read up to there has read everything that was acknowledged. A writer that died may leave a
//!   transaction open, and nobody reads past it until its time-out or until the writer is opened anew: open writers and
//!   workers before states are read.
//! - A broker that is killed while it ends a transaction may forget to (`transaction::Transactions` says how). Whoever opens a writer or
//!   a worker of the same name aborts what is left of it before anything else.
//!
//! The genesis is the cluster id: it tells clusters apart, not a topic from its successor of the same name. A topic that
//! was deleted and created again shows as a position out of range; once it has grown past the position, only the record before
//! it shows it, which a projection has to remember.

mod cluster;
mod config;
mod context;
mod ensure;
mod failure;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]
mod fake;
mod intake;
mod reader;
mod record;
mod security;
mod transaction;
mod worker;
mod writer;

use std::sync::Arc;

pub use config::KafkaConfig;
pub use ensure::Difference;
pub use security::{Mechanism, SaslConfig, TlsConfig};

use self::{cluster::Cluster, reader::KafkaReader, worker::KafkaWorker, writer::KafkaWriter};
use crate::{
    Bounds, Error, EventLog, PartitionId, Positions, Reader, Result, State, StoredRecord, TopicSpec, Worker, Writer,
};

/// A log on a Kafka cluster. Cheap to keep, and shared between threads.
pub struct KafkaLog {
    cluster: Arc<Cluster>,
}

impl KafkaLog {
    /// Those of the partitions of a topic that are asked for: all, where nothing is said.
    fn wanted(&self, topic: &str, partitions: Option<&[u32]>) -> Result<Vec<PartitionId>> {
        let mut wanted = self.cluster.partitions_of(&[topic])?;
        if let Some(numbers) = partitions {
            if let Some(&missing) = numbers.iter().find(|number| wanted.iter().all(|id| id.partition != **number)) {
                return Err(Error::UnknownPartition(PartitionId::new(topic, missing)));
            }
            wanted.retain(|id| numbers.contains(&id.partition));
        }
        Ok(wanted)
    }

    /// Checks the settings, and reads the files and environment variables that they name. The brokers need not be there yet:
    /// operations answer [`Error::Unavailable`] as long as they are not.
    ///
    /// # Errors
    /// [`Error::Setting`] when a setting cannot be used.
    pub fn connect(config: KafkaConfig) -> Result<Self> {
        Ok(Self { cluster: Arc::new(Cluster::new(config)?) })
    }

    /// How those of `topics` that exist are set otherwise than they would be made here. `ensure` says it in the log.
    ///
    /// # Errors
    /// [`Error::TopicSetting`] as with [`ensure`](EventLog::ensure).
    pub fn differences(&self, topics: &[TopicSpec]) -> Result<Vec<Difference>> {
        let mut there = Vec::new();
        for spec in topics {
            there.extend(self.cluster.describe(&spec.name)?.map(|found| (spec, found.replicas)));
        }
        ensure::differences(&self.cluster, &there)
    }
}

impl EventLog for KafkaLog {
    fn genesis(&self) -> Result<String> {
        self.cluster.id().map(str::to_owned)
    }

    fn max_record_bytes(&self) -> Option<usize> {
        // A message has a frame around it.
        usize::try_from(self.cluster.config.max_record_bytes).ok().map(|bytes| bytes.saturating_sub(512))
    }

    fn ensure(&self, topics: &[TopicSpec]) -> Result<()> {
        ensure::ensure(&self.cluster, topics)
    }

    fn bounds(&self, topic: &str) -> Result<Vec<Bounds>> {
        let partitions = self.cluster.partitions_of(&[topic])?;
        let bounds = self.cluster.bounds(&partitions)?;
        Ok(bounds.into_values().collect())
    }

    fn reader(&self, topics: &[&str], from: &Positions) -> Result<Box<dyn Reader>> {
        let partitions = self.cluster.partitions_of(topics)?;
        // Positions of topics that are not read are of no matter.
        let of_these = |id: &&PartitionId| topics.contains(&&*id.topic);
        if let Some(wrong) = from.keys().filter(of_these).find(|id| !partitions.contains(id)) {
            return Err(Error::UnknownPartition(wrong.clone()));
        }
        Ok(Box::new(KafkaReader::open(Arc::clone(&self.cluster), &partitions, from)?))
    }

    fn worker(&self, group: &str, member: &str, topics: &[&str]) -> Result<Box<dyn Worker>> {
        Ok(Box::new(KafkaWorker::open(Arc::clone(&self.cluster), group, member, topics)?))
    }

    fn writer(&self, name: &str) -> Result<Box<dyn Writer>> {
        Ok(Box::new(KafkaWriter::open(Arc::clone(&self.cluster), name)?))
    }

    fn state(&self, topic: &str, partitions: Option<&[u32]>) -> Result<State> {
        let wanted = self.wanted(topic, partitions)?;
        KafkaReader::open(Arc::clone(&self.cluster), &wanted, &Positions::new())?.into_state()
    }

    fn each_latest(
        &self,
        topic: &str,
        partitions: Option<&[u32]>,
        visit: &mut dyn FnMut(StoredRecord),
    ) -> Result<Positions> {
        KafkaReader::each_latest(&self.cluster, &self.wanted(topic, partitions)?, visit)
    }

    fn committed(&self, group: &str, topics: &[&str]) -> Result<Positions> {
        let partitions = self.cluster.partitions_of(topics)?;
        self.cluster.committed(group, &partitions)
    }
}
