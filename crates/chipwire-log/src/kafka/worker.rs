//! A member of a group: its share of the partitions, and commits of outputs together with positions.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};

use super::{
    cluster::{Cluster, ids, list},
    config::unusable,
    context::Context,
    intake::{Intake, Watchdog, drop_partitions},
    transaction::{Offsets, Outcome, Transactions},
};
use crate::{Batch, Error, Limit, PartitionId, Positions, Record, Result, Step, Worker};

/// A worker that has more to read and gets nothing for this long is to be opened anew. Longer than a transaction that a dead
/// worker left open can hold up the readers, by default.
const STALL: Duration = Duration::from_secs(60);

/// How long to rest before a commit is tried with the group's new generation.
const GENERATION_PAUSE: Duration = Duration::from_millis(10);

pub(super) struct KafkaWorker {
    cluster: Arc<Cluster>,
    consumer: BaseConsumer<WorkerContext>,
    transactions: Transactions,
    group: String,
    intake: Intake,
    /// What was read before an assignment changed in the same call, and not touched by it.
    held: Option<Batch>,
    watchdog: Watchdog,
    topics: Vec<String>,
    /// When the brokers were last known to be there.
    looked_at: Instant,
    /// An error that ends reading, kept because librdkafka would skip what it could not read.
    broken: bool,
}

impl KafkaWorker {
    /// Joins `group` and fences the older worker of this name.
    pub(super) fn open(cluster: Arc<Cluster>, group: &str, member: &str, topics: &[&str]) -> Result<Self> {
        let partitions = cluster.partitions_of(topics)?;
        let name = format!("{group}/{member}");
        let transactions = Transactions::open(Arc::clone(&cluster), &format!("worker/{name}"), &name)?;
        let context = Context::default();
        let intake = Intake::new(Arc::clone(&cluster), context.clone());
        let context = WorkerContext { context, ..WorkerContext::default() };
        let consumer: BaseConsumer<WorkerContext> =
            cluster.config.worker(group, &cluster.security).create_with_context(context).map_err(unusable)?;
        if cluster.holds_back(&consumer, group, &partitions)? {
            end_left_open(&transactions, &consumer, &partitions)?;
        }
        consumer
            .subscribe(topics)
            .map_err(|error| Error::Backend { action: format!("join group `{group}`"), source: Box::new(error) })?;
        Ok(Self {
            cluster,
            consumer,
            transactions,
            group: group.to_owned(),
            intake,
            held: None,
            watchdog: Watchdog::default(),
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            looked_at: Instant::now(),
            broken: false,
        })
    }

    /// The next change of the assignment, if there is one.
    fn change(&mut self) -> Result<Option<Step>> {
        let Some(change) = self.consumer.context().front() else {
            return Ok(None);
        };
        let step = match change {
            Change::Assigned(partitions) => {
                // Stays in the queue when it fails: the group waits for it, and the next call tries again.
                let positions = self.start(&partitions)?;
                self.intake.add(positions.clone());
                Step::Assigned(positions)
            }
            Change::Revoked(partitions) => {
                self.intake.remove(&partitions);
                if let Some(held) = &mut self.held {
                    drop_partitions(held, &partitions);
                }
                Step::Revoked(partitions)
            }
        };
        self.consumer.context().pop();
        Ok(Some(step))
    }

    /// Starts reading newly assigned partitions where the group stands, or at their beginning.
    fn start(&self, partitions: &[PartitionId]) -> Result<Positions> {
        let mut positions =
            self.cluster.offsets(partitions, Offset::Beginning, self.cluster.config.request_timeout())?;
        positions.extend(self.cluster.committed_through(&self.consumer, &self.group, partitions)?);
        let assignment = list(positions.iter().map(|(id, &position)| (id, Offset::Offset(position))))?;
        self.consumer.incremental_assign(&assignment).map_err(|error| Error::Backend {
            action: format!("take partitions of group `{}`", self.group),
            source: Box::new(error),
        })?;
        Ok(positions)
    }

    fn read(&mut self, limit: Limit, wait: Duration) -> Result<Step> {
        let context = Arc::clone(self.consumer.context());
        let mut haul = self.intake.read(&self.consumer, limit, wait, false, || context.has_change())?;
        if !context.has_change() {
            let batch = self.intake.settle(&self.consumer, haul);
            self.watch(&batch)?;
            return Ok(Step::Batch(batch));
        }
        // What is gone is dropped before positions are told; the rest follows after the change.
        if let Some(Change::Revoked(partitions)) = context.front() {
            haul.remove(&partitions);
            self.intake.remove(&partitions);
        }
        let batch = self.intake.settle(&self.consumer, haul);
        if !batch.records.is_empty() || !batch.positions.is_empty() {
            self.held = Some(batch);
        }
        self.change()?.map_or_else(|| Ok(Step::Batch(Batch::default())), Ok)
    }
}

impl KafkaWorker {
    /// Fails when a worker without partitions no longer reaches any broker, which nothing else would tell: the client may have
    /// forgotten all of them (see `Cluster`), and the group would share out partitions without it for ever.
    fn look_for_brokers(&mut self) -> Result<()> {
        if self.looked_at.elapsed() < STALL {
            return Ok(());
        }
        self.looked_at = Instant::now();
        let topic = self.topics.first().map(String::as_str);
        self.consumer.fetch_metadata(topic, self.cluster.config.request_timeout()).map(drop).map_err(|error| {
            self.broken = true;
            self.cluster.error(format!("ask for brokers as a worker of group `{}`", self.group), error)
        })
    }

    /// Fails when there is more to read and nothing comes: the client is to be replaced, which opening the worker anew does.
    fn watch(&mut self, batch: &Batch) -> Result<()> {
        if self.intake.stand().is_empty() {
            self.watchdog.rest();
            return self.look_for_brokers();
        }
        self.looked_at = Instant::now();
        if self.watchdog.barks(batch, Instant::now(), STALL) {
            self.broken = true;
            return Err(Error::Unavailable {
                target: self.cluster.config.brokers.clone(),
                reason: format!(
                    "there is more to read in {}, but nothing came for {} s",
                    self.intake.place(),
                    STALL.as_secs()
                ),
            });
        }
        Ok(())
    }
}

impl Worker for KafkaWorker {
    fn next(&mut self, limit: Limit, wait: Duration) -> Result<Step> {
        if self.broken {
            let action = format!("read on as a worker of group `{}`", self.group);
            return Err(Error::Backend { action, source: "it ended with an error; open it anew".into() });
        }
        if let Some(step) = self.change()? {
            return Ok(step);
        }
        if let Some(batch) = self.held.take() {
            return Ok(Step::Batch(batch));
        }
        let step = self.read(limit, wait);
        self.broken |= step.as_ref().is_err_and(|error| !error.is_transient());
        step
    }

    fn commit(&mut self, outputs: &[Record], upto: &Positions) -> Result<()> {
        if outputs.is_empty() && upto.is_empty() {
            return Ok(());
        }
        if upto.keys().any(|id| !self.intake.stand().contains_key(id)) {
            return Err(self.transactions.fence());
        }
        let deadline = Instant::now() + self.cluster.config.transaction_timeout();
        loop {
            let offsets = self.offsets(upto)?;
            match self.transactions.run(outputs, offsets)? {
                Outcome::Committed => return Ok(()),
                // A member joined or left. Partitions leave this worker only in `next`, so those of `upto` are still its
                // own under the new generation, which the client learns in a moment. If it was thrown out of the group
                // instead, the client learns that.
                Outcome::Stale if Instant::now() < deadline => thread::sleep(GENERATION_PAUSE),
                Outcome::Stale => return Err(self.transactions.fence()),
            }
        }
    }
}

impl KafkaWorker {
    /// `upto` with the proof of membership that the broker checks.
    fn offsets(&mut self, upto: &Positions) -> Result<Option<Offsets>> {
        let group = self.consumer.group_metadata();
        // In this order: a client that lost its membership forgets its member id and generation, and to the broker a
        // commit without both is that of a program outside of the group, which it lets pass.
        if self.consumer.assignment_lost() {
            return Err(self.transactions.fence());
        }
        let group = match proof(group, upto) {
            Ok(Some(group)) => group,
            Ok(None) => return Ok(None),
            Err(NoMember) => return Err(self.transactions.fence()),
        };
        let positions = list(upto.iter().map(|(id, &position)| (id, Offset::Offset(position))))?;
        Ok(Some(Offsets { positions, group }))
    }
}

/// Ends what the brokers may have left open of an older transaction of this worker, so that it holds back no positions any
/// more (see `Transactions::open`). By a program outside of the group, as this one is until it joins.
fn end_left_open(
    transactions: &Transactions,
    consumer: &BaseConsumer<WorkerContext>,
    partitions: &[PartitionId],
) -> Result<()> {
    let Some(group) = consumer.group_metadata() else {
        return Ok(());
    };
    let positions = list(partitions.iter().map(|id| (id, Offset::Offset(0))))?;
    transactions.end_left_open_positions(Offsets { positions, group })
}

/// A worker that the client calls no member of its group.
#[derive(Debug, PartialEq, Eq)]
struct NoMember;

/// What a commit of `upto` has to show the broker; nothing when there are no positions in it. Without it outputs would be
/// committed and positions not, and the same would be done again.
fn proof<G>(group: Option<G>, upto: &Positions) -> Result<Option<G>, NoMember> {
    if upto.is_empty() { Ok(None) } else { group.map(Some).ok_or(NoMember) }
}

impl Drop for KafkaWorker {
    /// Leaves the group, so that its partitions go to others at once.
    fn drop(&mut self) {
        let context = Arc::clone(self.consumer.context());
        context.closing.store(true, Ordering::SeqCst);
        // The group waits for an answer to what is still queued, and the client would never close.
        while let Some(change) = context.front() {
            if let Change::Assigned(partitions) = change {
                let assignment = list(partitions.iter().map(|id| (id, Offset::End)));
                let answered = assignment.map(|assignment| self.consumer.incremental_assign(&assignment));
                tracing::debug!(?answered, "partitions were assigned to a worker that closes");
            }
            context.pop();
        }
    }
}

/// A change of the assignment that the caller has not heard of.
#[derive(Debug, Clone)]
enum Change {
    Assigned(Vec<PartitionId>),
    Revoked(Vec<PartitionId>),
}

/// Takes what the group says, on the thread that polls.
#[derive(Default)]
struct WorkerContext {
    context: Context,
    changes: Mutex<VecDeque<Change>>,
    closing: AtomicBool,
}

impl WorkerContext {
    fn has_change(&self) -> bool {
        !self.changes().is_empty()
    }

    fn front(&self) -> Option<Change> {
        self.changes().front().cloned()
    }

    fn pop(&self) {
        self.changes().pop_front();
    }

    fn changes(&self) -> std::sync::MutexGuard<'_, VecDeque<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConsumerContext for WorkerContext {
    /// A revocation is answered at once: nobody may read on. An assignment is answered in `next`, where asking for the
    /// group's positions may fail and be tried again; the group waits that long.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let assigned = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let named = ids(partitions);
        let answered: KafkaResult<()> = match assigned {
            true if self.closing.load(Ordering::SeqCst) || named.is_empty() => consumer.incremental_assign(partitions),
            true => Ok(()),
            false => consumer.incremental_unassign(partitions),
        };
        if let Err(error) = answered {
            tracing::warn!(%error, "the group's assignment could not be answered");
        }
        if !named.is_empty() {
            let change = if assigned { Change::Assigned(named) } else { Change::Revoked(named) };
            self.changes().push_back(change);
        }
    }
}

impl ClientContext for WorkerContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.context.stats_raw(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_not_committed_without_a_proof_of_membership_nor_left_out() {
        let upto = Positions::from([(PartitionId::new("t", 0), 5)]);
        assert_eq!(proof(Some("member"), &upto), Ok(Some("member")));
        assert_eq!(proof(None::<()>, &upto), Err(NoMember));
        assert_eq!(proof(None::<()>, &Positions::new()), Ok(None));
        assert_eq!(proof(Some("member"), &Positions::new()), Ok(None));
    }
}
