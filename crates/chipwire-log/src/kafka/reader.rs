//! Reading by positions, outside of any group.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset,
    consumer::{BaseConsumer, Consumer},
};

use super::{
    cluster::{Cluster, list},
    config::unusable,
    context::Context,
    intake::{Intake, Watchdog, outside},
};
use crate::{Batch, Error, Limit, PartitionId, Positions, Reader, Record, Result, State, StoredRecord};

/// A client that has more to read and gets nothing for this long is replaced: some stall after a broker was restarted.
const STALL: Duration = Duration::from_secs(30);

pub(super) struct KafkaReader {
    cluster: Arc<Cluster>,
    context: Context,
    intake: Intake,
    /// Absent after an error that ends a client, until the next call makes a new one.
    consumer: Option<BaseConsumer<Context>>,
    watchdog: Watchdog,
}

impl KafkaReader {
    /// Reads `partitions` from `from`, or from their beginning.
    pub(super) fn open(cluster: Arc<Cluster>, partitions: &[PartitionId], from: &Positions) -> Result<Self> {
        let lows = cluster.offsets(partitions, Offset::Beginning, cluster.config.request_timeout())?;
        let start = lows.into_iter().map(|(id, low)| {
            let position = from.get(&id).copied().unwrap_or(low);
            (id, position)
        });
        let context = Context::default();
        let mut intake = Intake::new(Arc::clone(&cluster), context.clone());
        intake.add(start.collect());
        let consumer = connect(&cluster, context.clone(), intake.stand())?;
        Ok(Self { cluster, context, intake, consumer: Some(consumer), watchdog: Watchdog::default() })
    }

    /// Reads to the end and keeps the latest record of every key.
    pub(super) fn into_state(mut self) -> Result<State> {
        let mut records = BTreeMap::new();
        self.read_to_end(|record| {
            if record.record.value.is_some() {
                records.insert(record.record.key.clone(), record);
            } else {
                records.remove(&record.record.key);
            }
        })?;
        Ok(State { records, positions: self.intake.stand().clone() })
    }

    /// Reads twice to the end: once to know where the latest record of every key is, and once to show these, one at a time.
    pub(super) fn each_latest(
        cluster: &Arc<Cluster>,
        partitions: &[PartitionId],
        visit: &mut dyn FnMut(StoredRecord),
    ) -> Result<Positions> {
        let mut latest: HashMap<(u32, Vec<u8>), i64> = HashMap::new();
        let mut first = Self::open(Arc::clone(cluster), partitions, &Positions::new())?;
        first.read_to_end(|stored| {
            let key = (stored.record.partition, stored.record.key);
            match stored.record.value {
                Some(_) => latest.insert(key, stored.offset),
                None => latest.remove(&key),
            };
        })?;
        let mut second = Self::open(Arc::clone(cluster), partitions, &Positions::new())?;
        second.read_to_end(|stored| {
            let StoredRecord { offset, timestamp_ms, mut record } = stored;
            let key = (record.partition, std::mem::take(&mut record.key));
            if latest.get(&key) == Some(&offset) {
                visit(StoredRecord { offset, timestamp_ms, record: Record { key: key.1, ..record } });
            }
        })?;
        // What the second saw beyond that was not shown.
        Ok(first.intake.stand().clone())
    }

    fn read_to_end(&mut self, mut visit: impl FnMut(StoredRecord)) -> Result<()> {
        let patience = self.cluster.config.request_timeout();
        loop {
            let batch = self.read(Limit::default(), patience, true)?;
            batch.records.into_iter().for_each(&mut visit);
            if batch.at_end {
                return Ok(());
            }
            if batch.positions.is_empty() {
                return Err(Error::Unavailable {
                    target: self.cluster.config.brokers.clone(),
                    reason: format!(
                        "there is more to read in {}, but nothing came for {} ms; a writer that died may have left a \
                         transaction open, which ends by itself",
                        self.intake.place(),
                        patience.as_millis()
                    ),
                });
            }
        }
    }

    fn read(&mut self, limit: Limit, wait: Duration, stop_at_end: bool) -> Result<Batch> {
        if self.intake.stand().is_empty() {
            return Ok(Batch { at_end: true, ..Batch::default() });
        }
        let consumer = match self.consumer.take() {
            Some(consumer) => consumer,
            None => connect(&self.cluster, self.context.clone(), self.intake.stand())?,
        };
        // An error leaves no client behind: some end it, and others make it skip what it could not read. The next one
        // starts where the caller stands, and meets the same again if it is still there.
        let haul = match self.intake.read(&consumer, limit, wait, stop_at_end, || false) {
            Ok(haul) => haul,
            Err(error @ Error::Unavailable { .. }) => {
                self.consumer = Some(consumer);
                return Err(error);
            }
            Err(error) => {
                self.intake.rewind();
                return Err(error);
            }
        };
        let batch = self.intake.settle(&consumer, haul);
        if self.watchdog.barks(&batch, Instant::now(), STALL) {
            tracing::warn!("there is more to read, but nothing came for {STALL:?}: starting a new client");
        } else {
            self.consumer = Some(consumer);
        }
        Ok(batch)
    }
}

impl Reader for KafkaReader {
    fn next(&mut self, limit: Limit, wait: Duration) -> Result<Batch> {
        self.read(limit, wait, false)
    }
}

/// A client that starts at `positions`, all of which must be inside of their partitions.
fn connect(cluster: &Cluster, context: Context, positions: &Positions) -> Result<BaseConsumer<Context>> {
    let partitions: Vec<PartitionId> = positions.keys().cloned().collect();
    let bounds = cluster.bounds(&partitions)?;
    if let Some(error) = positions.iter().find_map(|(id, &position)| outside(id, position, bounds.get(id)?)) {
        return Err(error);
    }
    let consumer: BaseConsumer<Context> =
        cluster.config.group_consumer("reader", &cluster.security).create_with_context(context).map_err(unusable)?;
    let assignment = list(positions.iter().map(|(id, &position)| (id, Offset::Offset(position))))?;
    consumer
        .assign(&assignment)
        .map_err(|error| Error::Backend { action: "start reading".to_owned(), source: Box::new(error) })?;
    Ok(consumer)
}
