//! DELIVER: brings every alert to its sinks.
//!
//! - reads `alerts`
//! - writes `deliveries` (state: how far each delivery has come) and `dead-letters`, and sends to the sinks
//! - group `deliver`; any number of workers share the partitions
//! - position: stored with the deliveries that the alerts ask for, in one transaction; from there on `deliveries` remembers
//! - on failure: a sink that does not take an alert is tried again with growing pauses over about three days, across
//!   restarts; what it refuses for good is marked as failed. An alert that cannot be read becomes a dead letter. A crash between
//!   sending and remembering sends again: delivery is at least once, with the alert's id as the idempotency key
//! - memory: of the deliveries that wait it holds the most urgent ones, and reads the others from the log in their time

mod pending;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chipwire_alerts::{DeliverError, Retry, Sinks, backoff};
use chipwire_events::{Alert, Delivery, DeliveryStatus, ErrorClass, Event, Timestamp, Topic};
use chipwire_log::{Limit, Positions, Record, Step, StoredRecord, Worker};
use tokio::sync::mpsc;

use self::pending::{LONGEST_WAIT, Pending};
use super::{WAIT, dead_letter, max_event_bytes};
use crate::{
    health::{SinkLabel, StageLabel},
    runner::{self, Context, StageError},
    wire,
};

/// The stage's name and group.
pub const STAGE: &str = "deliver";

const LIMIT: Limit = Limit { records: 500, size_bytes: 4 << 20 };

/// Deliveries that are on their way at the same time.
const MAX_IN_FLIGHT: usize = 32;

/// Those of them that are on their way to one sink: one that is slow holds up no other.
const MAX_PER_SINK: usize = 16;

/// What the deliveries that wait may take in memory.
const MAX_PENDING_BYTES: usize = 64 << 20;

/// How long deliveries that are on their way may hold up the end of the stage.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs until it is asked to stop.
pub fn run(context: &Context, sinks: &Arc<Sinks>) -> Result<(), StageError> {
    run_within(context, sinks, MAX_PENDING_BYTES)
}

fn run_within(context: &Context, sinks: &Arc<Sinks>, max_pending_bytes: usize) -> Result<(), StageError> {
    let log = &context.log;
    let worker = log.backend().worker(STAGE, &context.member, &[log.name(Topic::Alerts)])?;
    let (sender, receiver) = mpsc::unbounded_channel();
    Deliveries {
        context,
        sinks,
        worker,
        partitions: HashSet::new(),
        pending: Pending::new(max_pending_bytes),
        in_flight: HashMap::new(),
        now: (context.now)(),
        sender,
        receiver,
    }
    .run()
}

/// The key of a delivery, and what came of it.
type Sent = (String, Result<(), DeliverError>);

struct Deliveries<'a> {
    context: &'a Context,
    sinks: &'a Arc<Sinks>,
    worker: Box<dyn Worker>,
    /// Those that belong to this worker.
    partitions: HashSet<u32>,
    /// What is still to be sent.
    pending: Pending,
    /// By key: the sink.
    in_flight: HashMap<String, String>,
    /// When it looked at the clock last.
    now: Timestamp,
    sender: mpsc::UnboundedSender<Sent>,
    receiver: mpsc::UnboundedReceiver<Sent>,
}

impl Deliveries<'_> {
    fn run(mut self) -> Result<(), StageError> {
        while !self.context.shutdown.requested() {
            let wait = if self.in_flight.is_empty() { WAIT } else { Duration::from_millis(10) };
            match self.worker.next(LIMIT, wait)? {
                Step::Assigned(positions) => {
                    let new: Vec<u32> = positions.keys().map(|id| id.partition).collect();
                    self.partitions.extend(&new);
                    // What the last owner of these partitions had not finished.
                    self.read_pending(&new)?;
                }
                Step::Revoked(partitions) => {
                    self.partitions.retain(|own| !partitions.iter().any(|id| id.partition == *own));
                    let partitions = &self.partitions;
                    self.pending.retain(|alert| partitions.contains(&partition_of(alert)));
                }
                Step::Batch(batch) if !batch.records.is_empty() => self.accept(&batch.records)?,
                Step::Batch(_) => {}
            }
            self.settle(Vec::new())?;
            self.send_due()?;
            self.context.health.well(STAGE);
        }
        // What is on its way would be sent again after a restart: give it a moment to arrive.
        let deadline = Instant::now() + DRAIN;
        while !self.in_flight.is_empty() && Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            let runtime = &self.context.runtime;
            let receiver = &mut self.receiver;
            // Made inside, where there is a clock.
            let first = runtime.block_on(async { tokio::time::timeout(left, receiver.recv()).await });
            if let Ok(Some(first)) = first {
                // With all that has come by now: a commit may take as long as a delivery.
                self.settle(vec![first])?;
            }
        }
        Ok(())
    }

    /// Reads what is pending in `partitions`.
    fn read_pending(&mut self, partitions: &[u32]) -> Result<(), StageError> {
        let (log, now) = (&self.context.log, (self.context.now)());
        let mut read = 0_u64;
        log.backend().each_latest(log.name(Topic::Deliveries), Some(partitions), &mut |stored| {
            read += 1;
            if read.is_multiple_of(10_000) {
                self.context.health.tick(STAGE);
            }
            match wire::decode(&stored) {
                Ok((_, Event::DeliveryChanged(delivery))) if delivery.status == DeliveryStatus::Pending => {
                    let key = delivery.key();
                    self.pending.insert(delivery, now);
                    if self.in_flight.contains_key(&key) {
                        self.pending.hold(&key);
                    }
                }
                Ok((_, Event::DeliveryChanged(_))) => {}
                _ => tracing::warn!(stage = STAGE, key = %wire::key(&stored), "passed over an unreadable delivery"),
            }
        })?;
        Ok(())
    }

    fn accept(&mut self, records: &[StoredRecord]) -> Result<(), StageError> {
        let (log, now) = (&self.context.log, (self.context.now)());
        let (mut outputs, mut accepted) = (Vec::new(), Vec::new());
        for stored in records {
            let alert = match wire::decode(stored) {
                Ok((_, Event::AlertRaised(alert))) => alert,
                Ok((envelope, _)) => {
                    let message = format!("an event of type `{}` does not belong here", envelope.event_type);
                    outputs.push(self.reject(stored, message)?);
                    continue;
                }
                Err(error) => {
                    outputs.push(self.reject(stored, runner::chain(&error))?);
                    continue;
                }
            };
            for sink in &alert.sinks {
                let delivery = Delivery {
                    alert: alert.clone(),
                    sink: sink.clone(),
                    status: DeliveryStatus::Pending,
                    attempts: 0,
                    next_attempt: None,
                    error: None,
                };
                outputs.push(log.encode(&Event::DeliveryChanged(delivery.clone()), now, None)?);
                accepted.push(delivery);
            }
        }
        let upto: Positions = records.iter().map(|stored| (stored.partition_id(), stored.offset + 1)).collect();
        self.worker.commit(&outputs, &upto)?;
        let letters = outputs.len() - accepted.len();
        let label = StageLabel { stage: STAGE };
        self.context.health.metrics.dead_letters.get_or_create(&label).inc_by(letters as u64);
        for delivery in accepted {
            self.pending.insert(delivery, now);
        }
        Ok(())
    }

    /// The dead letter of an alert that cannot be read.
    fn reject(&self, stored: &StoredRecord, message: String) -> Result<Record, StageError> {
        tracing::warn!(stage = STAGE, partition = stored.record.partition, offset = stored.offset, "{message}");
        let log = &self.context.log;
        let letter = dead_letter(STAGE, Topic::Alerts, stored, ErrorClass::Decode, message, max_event_bytes(log));
        let time = Timestamp::from_millisecond(stored.timestamp_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(log.encode(&Event::EventRejected(letter), time, None)?)
    }

    fn send_due(&mut self) -> Result<(), StageError> {
        let now = (self.context.now)();
        let before = std::mem::replace(&mut self.now, now);
        self.pending.set_clock(before, now);
        if self.pending.is_to_be_read_again(now) {
            self.pending.begin_reading();
            let partitions: Vec<u32> = self.partitions.iter().copied().collect();
            self.read_pending(&partitions)?;
        }
        while self.in_flight.len() < MAX_IN_FLIGHT {
            let in_flight = &self.in_flight;
            let may_have = |sink: &str| in_flight.values().filter(|to| *to == sink).count() < MAX_PER_SINK;
            let Some((key, delivery)) = self.pending.take_due(now, may_have) else { break };
            let (sinks, sender) = (Arc::clone(self.sinks), self.sender.clone());
            let (sink, alert) = (delivery.sink.clone(), delivery.alert.clone());
            self.in_flight.insert(key.clone(), sink.clone());
            let sending = self.context.runtime.spawn(async move {
                fail::fail_point!("before-send");
                let result = sinks.deliver(&sink, &alert, now).await;
                fail::fail_point!("after-send");
                result
            });
            self.context.runtime.spawn(async move {
                let result = sending.await.unwrap_or_else(|_| {
                    let message = "sending it has failed inside chipwire".to_owned();
                    Err(DeliverError { message, retry: Retry::Later(None) })
                });
                // The stage is gone: the delivery is still pending in the log and will be sent again.
                let _ = sender.send((key, result));
            });
        }
        Ok(())
    }

    /// Remembers what came of the deliveries that were on their way: `results`, and what has come by now.
    fn settle(&mut self, mut results: Vec<Sent>) -> Result<(), StageError> {
        while let Ok(result) = self.receiver.try_recv() {
            results.push(result);
        }
        let mut settled = Vec::new();
        for (key, result) in results {
            self.in_flight.remove(&key);
            // Gone when its partition went to another worker in the meantime.
            if let Some(delivery) = self.pending.get(&key) {
                settled.push(self.outcome(delivery.clone(), result));
            }
        }
        if settled.is_empty() {
            return Ok(());
        }
        let now = (self.context.now)();
        let outputs = settled
            .iter()
            .map(|delivery| self.context.log.encode(&Event::DeliveryChanged(delivery.clone()), now, None))
            .collect::<Result<Vec<_>, _>>()?;
        self.worker.commit(&outputs, &Positions::new())?;
        for delivery in settled {
            if delivery.status == DeliveryStatus::Pending {
                self.pending.insert(delivery, now);
            } else {
                self.pending.remove(&delivery.key());
            }
        }
        Ok(())
    }

    fn outcome(&self, mut delivery: Delivery, result: Result<(), DeliverError>) -> Delivery {
        delivery.attempts += 1;
        delivery.next_attempt = None;
        let outcome = match result {
            Ok(()) => {
                delivery.status = DeliveryStatus::Delivered;
                delivery.error = None;
                "delivered"
            }
            Err(error) => {
                delivery.next_attempt = self.next_attempt(&delivery, &error.retry);
                delivery.error = Some(error.message);
                if delivery.next_attempt.is_none() {
                    delivery.status = DeliveryStatus::Failed;
                    "failed"
                } else {
                    "again"
                }
            }
        };
        if let Some(error) = &delivery.error {
            tracing::warn!(stage = STAGE, alert = %delivery.alert.id, sink = delivery.sink, outcome, "{error}");
        }
        let label = SinkLabel { sink: delivery.sink.clone(), outcome };
        self.context.health.metrics.deliveries.get_or_create(&label).inc();
        delivery
    }

    fn next_attempt(&self, delivery: &Delivery, retry: &Retry) -> Option<Timestamp> {
        let Retry::Later(asked) = retry else { return None };
        let pause = backoff(delivery.attempts, &delivery.alert.id)?;
        let pause = asked.map_or(pause, |asked| pause.max(asked)).min(LONGEST_WAIT);
        (self.context.now)().checked_add(pause).ok()
    }
}

fn partition_of(alert: &Alert) -> u32 {
    chipwire_events::partition_of(alert.rule.as_str(), Topic::Alerts.partitions())
}
