//! The event log: one port, [`EventLog`], and its backends.
//!
//! A log holds *topics*; a topic has *partitions*; a partition is an ordered sequence of *records*, each at an *offset*.
//! Offsets grow and may have holes: nobody may count on density. Positions are always the offset of the **next** record to
//! read.
//!
//! | backend | for |
//! | --- | --- |
//! | [`sqlite`] | one machine: a file in the data directory, shared by several processes |
//! | [`kafka`] (cargo feature `kafka`) | many machines |
//! | [`memory`] | tests, and the model that the others are held against |
//!
//! Laws, each a test in [`conformance`] that every backend runs:
//! 1. [`Writer::append`] and [`Worker::commit`] are all or nothing over all topics and positions, and durable when they
//!    return `Ok`.
//! 2. A reader sees only committed records, in order within a partition.
//! 3. Opening a writer or a worker fences the older one of the same name.
//! 4. [`Error::Indeterminate`] has one recovery: drop the writer or worker, open it anew, go on from the stored positions.
//! 5. A state topic answers the latest value per key, and a tombstone removes the key.
//! 6. Corruption is loud: a damaged record is an error that names the place, never a silently shorter log.
//!
//! The port is blocking: SQLite and librdkafka's transactions block, and each stage owns a thread anyway.
//!
//! Refuses: knowing what a record means.

mod clock;
pub mod conformance;
mod error;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod memory;
mod port;
pub mod sqlite;

pub use error::{Error, Result};
pub use port::{
    Batch, Bounds, Cleanup, EventLog, Expiry, Limit, PartitionId, Positions, Reader, Record, State, Step, StoredRecord,
    TopicSpec, Worker, Writer,
};
