//! Appending.

use std::sync::Arc;

use super::{
    cluster::Cluster,
    transaction::{Outcome, Transactions},
};
use crate::{Record, Result, Writer};

pub(super) struct KafkaWriter {
    transactions: Transactions,
}

impl KafkaWriter {
    /// Opens the writer `name` and fences the older one of this name.
    pub(super) fn open(cluster: Arc<Cluster>, name: &str) -> Result<Self> {
        let transactions = Transactions::open(cluster, &format!("writer/{name}"), name)?;
        Ok(Self { transactions })
    }
}

impl Writer for KafkaWriter {
    fn append(&mut self, records: &[Record]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        match self.transactions.run(records, None)? {
            Outcome::Committed => Ok(()),
            // A transaction without group positions has no generation.
            Outcome::Stale => Err(self.transactions.fence()),
        }
    }
}
