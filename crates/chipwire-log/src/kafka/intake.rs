//! A client's messages cut into batches, with positions.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    Message, Offset,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::KafkaError,
    message::BorrowedMessage,
};

use super::{
    cluster::{Cluster, entries, remaining},
    context::Context,
    failure::{Meaning, code_of, meaning},
    record,
};
use crate::{Batch, Bounds, Error, Limit, PartitionId, Positions, Result, StoredRecord};

/// How often it is looked whether only control records came, which no poll reports.
const GLANCE: Duration = Duration::from_millis(10);
/// What is waited at least for an answer about the end, even by those who do not want to wait for records.
const LEAST_PATIENCE: Duration = Duration::from_secs(1);
/// No wait is longer; keeps the arithmetic of times in range.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Where a reader or worker stands.
pub(super) struct Intake {
    cluster: Arc<Cluster>,
    /// What the client that reads has said.
    context: Context,
    /// For every partition that is read, the position that the caller was told last.
    stand: Positions,
    /// A record that did not fit into the last batch.
    carried: Option<StoredRecord>,
    /// What had been read when a call ended with an error that may pass. The client does not give it out again.
    kept: Haul,
}

/// Notices when there is more to read and nothing comes.
#[derive(Default)]
pub(super) struct Watchdog {
    /// Since when.
    waiting_since: Option<Instant>,
}

impl Watchdog {
    /// True when nothing has moved for `patience`, and there was more to read all the time.
    pub(super) fn barks(&mut self, batch: &Batch, now: Instant, patience: Duration) -> bool {
        if batch.at_end || !batch.positions.is_empty() {
            self.waiting_since = None;
            return false;
        }
        let stalled = now.saturating_duration_since(*self.waiting_since.get_or_insert(now)) > patience;
        if stalled {
            self.waiting_since = None;
        }
        stalled
    }

    /// Nothing is to be read just now.
    pub(super) fn rest(&mut self) {
        self.waiting_since = None;
    }
}

/// What a round of reading gave, before positions are settled.
#[derive(Default)]
pub(super) struct Haul {
    pub(super) records: Vec<StoredRecord>,
    size_bytes: usize,
    pub(super) at_end: bool,
}

impl Intake {
    /// `context` is that of the client that reads.
    pub(super) fn new(cluster: Arc<Cluster>, context: Context) -> Self {
        Self { cluster, context, stand: Positions::new(), carried: None, kept: Haul::default() }
    }

    /// These partitions are read from now on.
    pub(super) fn add(&mut self, positions: Positions) {
        self.stand.extend(positions);
    }

    /// These partitions are read no longer.
    pub(super) fn remove(&mut self, partitions: &[PartitionId]) {
        self.stand.retain(|id, _| !partitions.contains(id));
        self.carried.take_if(|record| partitions.contains(&record.partition_id()));
        self.kept.remove(partitions);
    }

    /// Forgets what was read and not told.
    pub(super) fn rewind(&mut self) {
        self.carried = None;
        self.kept = Haul::default();
    }

    pub(super) fn stand(&self) -> &Positions {
        &self.stand
    }

    /// Reads until there are records and no more at hand, the limit is reached, `wait` is over or `interrupted` says so;
    /// also, when `stop_at_end`, when there is nothing more to read.
    pub(super) fn read<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        limit: Limit,
        wait: Duration,
        stop_at_end: bool,
        interrupted: impl Fn() -> bool,
    ) -> Result<Haul> {
        let mut haul = Haul { at_end: false, ..std::mem::take(&mut self.kept) };
        let filled = self.fill(consumer, limit, wait, stop_at_end, &interrupted, &mut haul);
        self.unless_failed(haul, filled)
    }

    /// The haul, or the error, after which the next call begins with what was read.
    fn unless_failed(&mut self, haul: Haul, filled: Result<()>) -> Result<Haul> {
        match filled {
            Ok(()) => Ok(haul),
            Err(error) => {
                self.kept = haul;
                Err(error)
            }
        }
    }

    fn fill<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        limit: Limit,
        wait: Duration,
        stop_at_end: bool,
        interrupted: &impl Fn() -> bool,
        haul: &mut Haul,
    ) -> Result<()> {
        let deadline = Instant::now() + wait.min(LONGEST_WAIT);
        let mut ends = None;
        let mut silence = None;
        loop {
            let full = self.drain(consumer, limit, haul, interrupted)?;
            if full || interrupted() {
                break;
            }
            // Asked once: who reaches an end of this call has read everything that was acknowledged before it.
            if ends.is_none() && !self.stand.is_empty() {
                match self.ask_for_ends(deadline) {
                    Ok(found) => (ends, silence) = (Some(found), None),
                    Err(error @ Error::Unavailable { .. }) => silence = Some(error),
                    Err(error) => return Err(error),
                }
            }
            haul.at_end = ends.as_ref().is_some_and(|ends| self.passed(consumer, ends));
            let left = remaining(deadline);
            if !haul.records.is_empty() || left.is_zero() || (stop_at_end && haul.at_end) {
                break;
            }
            let pause = if haul.at_end { left } else { left.min(GLANCE) };
            if let Some(record) = self.poll(consumer, pause)? {
                haul.push(record);
            }
        }
        // Who has nothing to read yet asks no broker about it, and would wait for ever for a group that turns it away.
        if self.stand.is_empty()
            && let Some(denied) = self.cluster.denied(&self.context)
        {
            return Err(denied);
        }
        match silence {
            Some(error) if haul.records.is_empty() && !interrupted() => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes what is at hand; true when the limit is reached.
    fn drain<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        limit: Limit,
        haul: &mut Haul,
        interrupted: &impl Fn() -> bool,
    ) -> Result<bool> {
        while haul.records.len() < limit.records.max(1) && haul.size_bytes < limit.size_bytes.max(1) {
            if interrupted() {
                return Ok(false);
            }
            let Some(record) = self.poll(consumer, Duration::ZERO)? else {
                return Ok(false);
            };
            let size_bytes = haul.size_bytes + record::size_bytes(&record);
            if size_bytes > limit.size_bytes && !haul.records.is_empty() {
                self.carried = Some(record);
                return Ok(true);
            }
            haul.push(record);
        }
        Ok(true)
    }

    fn poll<C: ConsumerContext>(&mut self, consumer: &BaseConsumer<C>, wait: Duration) -> Result<Option<StoredRecord>> {
        if let Some(record) = self.carried.take() {
            return Ok(Some(record));
        }
        match consumer.poll(wait) {
            Some(Ok(message)) => Ok(self.record(&message)),
            Some(Err(error)) => self.judge(error).map(|()| None),
            None => Ok(None),
        }
    }

    /// The message as a record, unless its partition is not read any more.
    fn record(&self, message: &BorrowedMessage<'_>) -> Option<StoredRecord> {
        let partition = u32::try_from(message.partition()).ok()?;
        let (id, _) = self.stand.get_key_value(&PartitionId::new(message.topic(), partition))?;
        Some(record::from_message(&id.topic, message))
    }

    /// What an error between messages means. Most are told for information, while librdkafka goes on trying.
    fn judge(&self, error: KafkaError) -> Result<()> {
        let code = code_of(&error);
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            return Err(Error::Backend { action: format!("read {}", self.place()), source: Box::new(code) });
        }
        match meaning(code) {
            Meaning::OutOfRange => Err(self.out_of_range()?),
            Meaning::Damaged => Err(Error::Corrupt {
                path: self.cluster.config.brokers.clone().into(),
                place: self.place(),
                reason: code.to_string(),
            }),
            Meaning::Other if code != rdkafka::error::RDKafkaErrorCode::PollExceeded => {
                Err(Error::Backend { action: format!("read {}", self.place()), source: Box::new(code) })
            }
            _ => {
                tracing::debug!(%error, "reading goes on");
                Ok(())
            }
        }
    }

    /// librdkafka does not say which partition an error belongs to: these are all that may be.
    pub(super) fn place(&self) -> String {
        let places: Vec<String> = self.stand.iter().map(|(id, position)| format!("{id} from {position}")).collect();
        places.join(", ")
    }

    fn out_of_range(&self) -> Result<Error> {
        let partitions: Vec<PartitionId> = self.stand.keys().cloned().collect();
        let bounds = self.cluster.bounds(&partitions)?;
        let outside = self.stand.iter().find_map(|(id, &position)| outside(id, position, bounds.get(id)?));
        Ok(outside.unwrap_or_else(|| Error::Backend {
            action: format!("read {}", self.place()),
            source: Box::new(rdkafka::error::RDKafkaErrorCode::OffsetOutOfRange),
        }))
    }

    fn ask_for_ends(&self, deadline: Instant) -> Result<Positions> {
        let partitions: Vec<PartitionId> = self.stand.keys().cloned().collect();
        let patience = remaining(deadline).max(LEAST_PATIENCE).min(self.cluster.config.request_timeout());
        self.cluster.offsets(&partitions, Offset::End, patience)
    }

    /// Whether everything before `ends` was read.
    fn passed<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>, ends: &Positions) -> bool {
        let reached = self.reached(consumer);
        ends.iter().all(|(id, end)| reached.get(id).is_some_and(|position| position >= end))
    }

    /// The positions after everything that was polled, control records included, except what is carried.
    fn reached<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) -> Positions {
        let mut reached = self.stand.clone();
        let polled = consumer.position().and_then(|list| entries(&list)).unwrap_or_default();
        for (id, offset) in polled {
            if let (Offset::Offset(offset), Some(position)) = (offset, reached.get_mut(&id)) {
                *position = offset.max(*position);
            }
        }
        if let Some(record) = &self.carried {
            reached.insert(record.partition_id(), record.offset);
        }
        reached
    }

    /// Makes a batch and tells its positions.
    pub(super) fn settle<C: ConsumerContext>(&mut self, consumer: &BaseConsumer<C>, haul: Haul) -> Batch {
        let reached = self.reached(consumer);
        let positions: Positions =
            reached.iter().filter(|(id, position)| self.stand.get(id) != Some(position)).map(to_owned).collect();
        self.stand = reached;
        Batch { records: haul.records, positions, at_end: haul.at_end }
    }
}

fn to_owned((id, position): (&PartitionId, &i64)) -> (PartitionId, i64) {
    (id.clone(), *position)
}

impl Haul {
    fn push(&mut self, record: StoredRecord) {
        self.size_bytes += record::size_bytes(&record);
        self.records.push(record);
    }

    /// Drops the records of partitions that went away.
    pub(super) fn remove(&mut self, partitions: &[PartitionId]) {
        let partitions: BTreeSet<&PartitionId> = partitions.iter().collect();
        self.records.retain(|record| !partitions.contains(&record.partition_id()));
        self.size_bytes = self.records.iter().map(record::size_bytes).sum();
    }
}

/// Drops what a batch says of partitions that went away.
pub(super) fn drop_partitions(batch: &mut Batch, partitions: &[PartitionId]) {
    batch.records.retain(|record| !partitions.contains(&record.partition_id()));
    batch.positions.retain(|id, _| !partitions.contains(id));
}

/// The error for a position that is not in its partition.
pub(super) fn outside(id: &PartitionId, position: i64, bounds: &Bounds) -> Option<Error> {
    let Bounds { low, high } = *bounds;
    (position < low || position > high).then(|| Error::OutOfRange { partition: id.clone(), position, low, high })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::{Record, kafka::KafkaConfig};

    fn id(partition: u32) -> PartitionId {
        PartitionId::new("t", partition)
    }

    fn stored(partition: u32, offset: i64) -> StoredRecord {
        let record =
            Record { topic: "t".into(), partition, key: b"k".to_vec(), headers: Vec::new(), value: Some(vec![0; 9]) };
        StoredRecord { offset, timestamp_ms: 0, record }
    }

    #[test]
    fn what_is_revoked_is_dropped_wherever_it_waits() {
        let mut intake = Intake::new(Arc::new(Cluster::new(KafkaConfig::default()).unwrap()), Context::default());
        intake.add(Positions::from([(id(0), 5), (id(1), 7)]));
        let mut haul = Haul::default();
        for record in [stored(0, 5), stored(1, 7), stored(0, 6), stored(1, 8)] {
            haul.push(record);
        }
        intake.carried = Some(stored(1, 9));

        haul.remove(&[id(1)]);
        intake.remove(&[id(1)]);
        assert_eq!(haul.records, [stored(0, 5), stored(0, 6)]);
        assert_eq!((intake.carried.clone(), intake.stand()), (None, &Positions::from([(id(0), 5)])));

        intake.carried = Some(stored(0, 7));
        intake.remove(&[id(1)]);
        assert_eq!(intake.carried, Some(stored(0, 7)));
    }

    /// The client has given it out and goes on behind it: what is not handed on now would be passed over for good.
    #[test]
    fn what_was_read_before_an_error_comes_with_the_next_call() {
        let mut intake = Intake::new(Arc::new(Cluster::new(KafkaConfig::default()).unwrap()), Context::default());
        intake.add(Positions::from([(id(0), 5), (id(1), 7)]));
        let away = || Error::Unavailable { target: "brokers".to_owned(), reason: "gone".to_owned() };
        let mut haul = Haul::default();
        haul.push(stored(0, 5));
        haul.push(stored(1, 7));
        assert!(intake.unless_failed(haul, Err(away())).is_err());

        let nobody: BaseConsumer = rdkafka::ClientConfig::new().set("group.id", "g").create().unwrap();
        let limit = Limit { records: 2, size_bytes: 1_000 };
        let haul = intake.read(&nobody, limit, Duration::ZERO, false, || false).unwrap();
        assert_eq!(haul.records, [stored(0, 5), stored(1, 7)]);

        // Unless its partition went away, or everything is read anew.
        assert!(intake.unless_failed(haul, Err(away())).is_err());
        intake.remove(&[id(0)]);
        assert_eq!(intake.kept.records, [stored(1, 7)]);
        intake.rewind();
        assert!(intake.kept.records.is_empty());
    }

    #[test]
    fn a_batch_that_is_held_loses_what_is_revoked() {
        let positions = Positions::from([(id(0), 6), (id(1), 8)]);
        let mut batch = Batch { records: vec![stored(0, 5), stored(1, 7)], positions, at_end: false };
        drop_partitions(&mut batch, &[id(1)]);
        assert_eq!((batch.records, batch.positions), (vec![stored(0, 5)], Positions::from([(id(0), 6)])));
    }

    #[test]
    fn the_watchdog_minds_only_who_waits_for_what_is_there() {
        let (begin, patience) = (Instant::now(), Duration::from_secs(30));
        let at = |seconds| begin + Duration::from_secs(seconds);
        let nothing = Batch::default();
        let end = Batch { at_end: true, ..Batch::default() };
        let moved = Batch { positions: Positions::from([(id(0), 1)]), ..Batch::default() };
        let mut watchdog = Watchdog::default();
        assert!([0, 20, 30].iter().all(|&seconds| !watchdog.barks(&nothing, at(seconds), patience)));
        assert!(watchdog.barks(&nothing, at(31), patience));
        for (seconds, batch) in
            [(40, &nothing), (60, &end), (80, &nothing), (100, &moved), (120, &nothing), (150, &nothing)]
        {
            assert!(!watchdog.barks(batch, at(seconds), patience), "{seconds}");
        }
        watchdog.rest();
        assert!(!watchdog.barks(&nothing, at(151), patience));
        assert!(watchdog.barks(&nothing, at(182), patience));
    }

    #[test]
    fn the_limit_counts_keys_and_values() {
        let mut haul = Haul::default();
        haul.push(stored(0, 1));
        haul.push(stored(0, 2));
        assert_eq!(haul.size_bytes, 20);
    }

    #[test]
    fn both_bounds_are_inside() {
        let bounds = Bounds { low: 3, high: 8 };
        let refused: Vec<i64> = (0..12).filter(|&position| outside(&id(0), position, &bounds).is_some()).collect();
        assert_eq!(refused, [0, 1, 2, 9, 10, 11]);
    }
}
