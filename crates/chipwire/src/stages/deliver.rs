//! DELIVER: brings every alert to its sinks.
//!
//! - reads `alerts`
//! - writes `deliveries` (state: how far each delivery has come), and sends to the sinks
//! - group `deliver`; any number of workers share the partitions
//! - position: stored with the deliveries that the alerts ask for, in one transaction; from there on `deliveries` remembers
//! - on failure: a sink that does not take an alert is tried again with growing pauses over about three days, across
//!   restarts; what it refuses for good is marked as failed. A crash between sending and remembering sends again: delivery is
//!   at least once, with the alert's id as the idempotency key

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chipwire_alerts::{DeliverError, Retry, Sinks, backoff};
use chipwire_events::{Alert, Delivery, DeliveryStatus, Event, Timestamp, Topic};
use chipwire_log::{Limit, Positions, Step, Worker};
use tokio::sync::mpsc;

use super::WAIT;
use crate::{
    health::SinkLabel,
    runner::{Context, StageError},
    wire,
};

/// The stage's name and group.
pub const STAGE: &str = "deliver";

const LIMIT: Limit = Limit { records: 500, size_bytes: 4 << 20 };

/// Deliveries that are on their way at the same time.
const MAX_IN_FLIGHT: usize = 32;

/// How long deliveries that are on their way may hold up the end of the stage.
const DRAIN: Duration = Duration::from_secs(5);

/// No attempt is put off for longer: one that stands further ahead was planned by a clock that was wrong.
const LONGEST_WAIT: Duration = Duration::from_secs(48 * 60 * 60);

/// A clock that goes back by no more is being adjusted.
const CLOCK_SLACK: Duration = Duration::from_secs(5);

/// Runs until it is asked to stop.
pub fn run(context: &Context, sinks: &Arc<Sinks>) -> Result<(), StageError> {
    let log = &context.log;
    let worker = log.backend().worker(STAGE, &context.member, &[log.name(Topic::Alerts)])?;
    let (sender, receiver) = mpsc::unbounded_channel();
    let (pending, in_flight, now) = (BTreeMap::new(), HashSet::new(), (context.now)());
    Deliveries { context, sinks, worker, pending, in_flight, now, sender, receiver }.run()
}

/// The key of a delivery, and what came of it.
type Sent = (String, Result<(), DeliverError>);

struct Deliveries<'a> {
    context: &'a Context,
    sinks: &'a Arc<Sinks>,
    worker: Box<dyn Worker>,
    /// By key: what is still to be sent.
    pending: BTreeMap<String, Delivery>,
    in_flight: HashSet<String>,
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
                Step::Assigned(positions) => self.take_over(&positions)?,
                Step::Revoked(partitions) => {
                    let gone: HashSet<u32> = partitions.iter().map(|id| id.partition).collect();
                    self.pending.retain(|_, delivery| !gone.contains(&partition_of(&delivery.alert)));
                }
                Step::Batch(batch) if !batch.records.is_empty() => self.accept(&batch.records)?,
                Step::Batch(_) => {}
            }
            self.settle(Vec::new())?;
            self.send_due();
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

    /// Goes on with what the last owner of these partitions had not finished.
    fn take_over(&mut self, positions: &Positions) -> Result<(), StageError> {
        let log = &self.context.log;
        let partitions: Vec<u32> = positions.keys().map(|id| id.partition).collect();
        let state = log.backend().state(log.name(Topic::Deliveries), Some(&partitions))?;
        for stored in state.records.values() {
            if let Ok((_, Event::DeliveryChanged(delivery))) = wire::decode(stored)
                && delivery.status == DeliveryStatus::Pending
            {
                self.pending.insert(delivery.key(), delivery);
            }
        }
        Ok(())
    }

    fn accept(&mut self, records: &[chipwire_log::StoredRecord]) -> Result<(), StageError> {
        let mut outputs = Vec::new();
        let mut accepted = Vec::new();
        for stored in records {
            let Ok((_, Event::AlertRaised(alert))) = wire::decode(stored) else { continue };
            for sink in &alert.sinks {
                let delivery = Delivery {
                    alert: alert.clone(),
                    sink: sink.clone(),
                    status: DeliveryStatus::Pending,
                    attempts: 0,
                    next_attempt: None,
                    error: None,
                };
                let event = Event::DeliveryChanged(delivery.clone());
                outputs.push(self.context.log.encode(&event, (self.context.now)(), None)?);
                accepted.push(delivery);
            }
        }
        let upto: Positions = records.iter().map(|stored| (stored.partition_id(), stored.offset + 1)).collect();
        self.worker.commit(&outputs, &upto)?;
        self.pending.extend(accepted.into_iter().map(|delivery| (delivery.key(), delivery)));
        Ok(())
    }

    fn send_due(&mut self) {
        let now = (self.context.now)();
        let before = std::mem::replace(&mut self.now, now);
        put_back(self.pending.values_mut().filter_map(|delivery| delivery.next_attempt.as_mut()), before, now);
        for (key, delivery) in &self.pending {
            if self.in_flight.len() >= MAX_IN_FLIGHT {
                return;
            }
            if !is_due(delivery.next_attempt, now) || !self.in_flight.insert(key.clone()) {
                continue;
            }
            let (sinks, sender) = (Arc::clone(self.sinks), self.sender.clone());
            let (key, sink, alert) = (key.clone(), delivery.sink.clone(), delivery.alert.clone());
            self.context.runtime.spawn(async move {
                fail::fail_point!("before-send");
                let result = sinks.deliver(&sink, &alert, now).await;
                fail::fail_point!("after-send");
                // The stage is gone: the delivery is still pending in the log and will be sent again.
                let _ = sender.send((key, result));
            });
        }
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
            let key = delivery.key();
            if delivery.status == DeliveryStatus::Pending {
                self.pending.insert(key, delivery);
            } else {
                self.pending.remove(&key);
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

/// When a clock that was ahead is put right, what was planned by it is moved back with it: it would else wait until the clock
/// has come to that time again.
fn put_back<'d>(planned: impl Iterator<Item = &'d mut Timestamp>, before: Timestamp, now: Timestamp) {
    // Negative when it has gone on.
    let Ok(back) = Duration::try_from(before.duration_since(now)) else { return };
    if back <= CLOCK_SLACK {
        return;
    }
    for next in planned {
        *next = next.checked_sub(back).unwrap_or(now);
    }
}

fn is_due(next_attempt: Option<Timestamp>, now: Timestamp) -> bool {
    next_attempt.is_none_or(|next| next <= now || now.checked_add(LONGEST_WAIT).is_ok_and(|latest| next > latest))
}

fn partition_of(alert: &Alert) -> u32 {
    chipwire_events::partition_of(alert.rule.as_str(), Topic::Alerts.partitions())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_ahead_holds_up_no_delivery() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let now = at("2026-03-01T12:00:00Z");
        for (next, due) in [
            (None, true),
            (Some(now), true),
            (Some(at("2026-03-01T12:00:01Z")), false),
            (Some(at("2026-03-02T14:00:00Z")), false),
            (Some(at("2031-03-01T12:00:00Z")), true),
        ] {
            assert_eq!(is_due(next, now), due, "{next:?}");
        }
    }

    #[test]
    fn a_clock_that_is_put_right_takes_what_was_planned_with_it() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        for (before, now, planned) in [
            ("2026-03-01T15:00:00Z", "2026-03-01T15:00:01Z", "2026-03-01T15:00:10Z"),
            ("2026-03-01T15:00:00Z", "2026-03-01T14:59:59Z", "2026-03-01T15:00:10Z"),
            ("2026-03-01T15:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:10Z"),
        ] {
            let mut next = at("2026-03-01T15:00:10Z");
            put_back([&mut next].into_iter(), at(before), at(now));
            assert_eq!(next, at(planned), "{now}");
        }
    }
}
