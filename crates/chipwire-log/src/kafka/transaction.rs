//! One transactional producer: all or nothing, and what each failure means.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{RecvTimeoutError, bounded};
use rdkafka::{
    TopicPartitionList,
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
    producer::{BaseProducer, Producer},
};

use super::{
    cluster::Cluster,
    config::unusable,
    context::Context,
    failure::{Meaning, code_of, meaning},
    record::to_message,
};
use crate::{Error, PartitionId, Record, Result};

/// How often a call that blocks is looked after. A longer poll would add its whole length to every transaction.
const TICK: Duration = Duration::from_millis(1);
/// What a transaction call is given beyond its own time-out before it counts as hung.
const GRACE: Duration = Duration::from_secs(2);

/// A producer whose id is its own: opening it fenced every older one.
pub(super) struct Transactions {
    cluster: Arc<Cluster>,
    producer: Arc<BaseProducer<Context>>,
    context: Context,
    name: String,
    ended: Option<Ended>,
}

/// Why a producer is of no more use.
enum Ended {
    Fenced,
    Indeterminate(String),
}

/// Group positions that are to be stored in the same transaction.
pub(super) struct Offsets {
    pub(super) positions: TopicPartitionList,
    pub(super) group: ConsumerGroupMetadata,
}

/// What became of a transaction that is no error in itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Committed,
    /// Aborted, because the group's generation changed. It may do with the new one.
    Stale,
}

/// How far a transaction had come when it failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not begun.
    Begin,
    /// Begun; nothing has asked the broker to commit.
    Open,
    /// The broker was asked to commit.
    Commit,
}

/// Where and how a transaction failed; `None` stands for a call that did not return.
type Failed = (Stage, Option<KafkaError>);

impl Transactions {
    /// `id` tells producers apart, `name` is what messages call it. What the brokers may have left open of older transactions of this
    /// name is ended first.
    ///
    /// A coordinator of Kafka 4.4 that is killed while it ends a transaction may take it for ended when it comes back, and the
    /// marks that end it in the partitions are never written. It has the id of this producer, so that a mark of this one ends
    /// it too. It must be an abort, and come before any commit, which would make visible what was aborted.
    pub(super) fn open(cluster: Arc<Cluster>, id: &str, name: &str) -> Result<Self> {
        let mut opened = Self::begin(Arc::clone(&cluster), id, name)?;
        for partitions in cluster.undecided()?.chunk_by(|one, next| one.topic == next.topic) {
            tracing::debug!(name, ?partitions, "something is not decided; what is left of this writer is ended");
            if !opened.end_left_open(partitions)? {
                opened = Self::begin(Arc::clone(&cluster), id, name)?;
            }
        }
        Ok(opened)
    }

    /// A new producer, before its first transaction.
    fn begin(cluster: Arc<Cluster>, id: &str, name: &str) -> Result<Self> {
        cluster.id()?;
        let context = Context::default();
        let producer: BaseProducer<Context> =
            cluster.config.producer(id, &cluster.security).create_with_context(context.clone()).map_err(unusable)?;
        let opened = Self { cluster, producer: Arc::new(producer), context, name: name.to_owned(), ended: None };

        let doing = || format!("open writer `{name}`");
        let timeout = opened.cluster.config.request_timeout();
        match opened.watched(timeout, |producer, timeout| producer.init_transactions(timeout)) {
            Some(Ok(())) => Ok(opened),
            Some(Err(error)) => Err(opened.opening(doing(), error)),
            None => Err(opened.unavailable(&doing(), Code::OperationTimedOut)),
        }
    }

    /// Writes `records` and stores `offsets`, both or neither.
    pub(super) fn run(&mut self, records: &[Record], offsets: Option<Offsets>) -> Result<Outcome> {
        if let Some(ended) = &self.ended {
            return Err(ended.error(&self.name));
        }
        self.check(records)?;
        match self.attempt(records, offsets) {
            Ok(()) => Ok(Outcome::Committed),
            Err((stage, error)) => self.resolve(stage, error),
        }
    }

    /// Ends what is left open of this name in `partitions`, which are of one topic. False if this writer may not write there, so that nothing of
    /// it can be open; then the client counts on a transaction that never began, and a new producer has to go on.
    fn end_left_open(&self, partitions: &[PartitionId]) -> Result<bool> {
        let mark = |id: &PartitionId| Record {
            topic: Arc::clone(&id.topic),
            partition: id.partition,
            // A topic that is compacted takes none without a key.
            key: b"aborted".to_vec(),
            headers: Vec::new(),
            value: None,
        };
        let marks: Vec<Record> = partitions.iter().map(mark).collect();
        match self.fill(&marks, None) {
            Err((_, Some(error))) if self.is_refused(&error) => Ok(false),
            filled => self.abort(filled).map(|()| true),
        }
    }

    /// The same of group positions: aborts a transaction that stores `offsets`.
    pub(super) fn end_left_open_positions(&self, offsets: Offsets) -> Result<()> {
        self.abort(self.fill(&[], Some(offsets)))
    }

    /// Whether a transaction takes no partition of a topic. Why, the client does not tell: it clears its queue.
    fn is_refused(&self, error: &KafkaError) -> bool {
        let fatal = self.producer.client().fatal_error();
        code_of(error) == Code::PurgeQueue && fatal.is_none_or(|(code, _)| meaning(code) != Meaning::Fenced)
    }

    /// Aborts the transaction that was `filled`.
    fn abort(&self, filled: Result<(), Failed>) -> Result<()> {
        let timeout = self.cluster.config.request_timeout();
        let aborted = self.watched(timeout, |producer, timeout| producer.abort_transaction(timeout));
        let doing = || format!("end what is left open of `{}`", self.name);
        match (filled, aborted) {
            (Ok(()), Some(Ok(()))) => Ok(()),
            (Err((_, Some(error))), _) | (_, Some(Err(error))) => Err(self.opening(doing(), error)),
            (Err((_, None)), _) | (_, None) => Err(self.unavailable(&doing(), Code::OperationTimedOut)),
        }
    }

    /// The error of a producer that does not come to its first transaction.
    fn opening(&self, action: String, error: KafkaError) -> Error {
        match meaning(code_of(&error)) {
            Meaning::Fenced => Error::Fenced { name: self.name.clone() },
            Meaning::Away => self.unavailable(&action, code_of(&error)),
            _ => Error::Backend { action, source: Box::new(error) },
        }
    }

    /// From now on every transaction is refused.
    pub(super) fn fence(&mut self) -> Error {
        self.end(Ended::Fenced)
    }

    /// librdkafka would wait for an unknown partition to appear.
    fn check(&self, records: &[Record]) -> Result<()> {
        for record in records {
            if record.partition >= self.cluster.partitions(&record.topic)? {
                return Err(Error::UnknownPartition(PartitionId::new(Arc::clone(&record.topic), record.partition)));
            }
        }
        Ok(())
    }

    fn attempt(&self, records: &[Record], offsets: Option<Offsets>) -> Result<(), Failed> {
        self.fill(records, offsets)?;
        fail::fail_point!("before-fsync");
        let timeout = self.cluster.config.transaction_timeout();
        self.watched(timeout, |producer, timeout| producer.commit_transaction(timeout))
            .ok_or((Stage::Commit, None))?
            .map_err(|error| (Stage::Commit, Some(error)))?;
        fail::fail_point!("after-fsync");
        Ok(())
    }

    /// Begins a transaction and puts everything into it.
    fn fill(&self, records: &[Record], offsets: Option<Offsets>) -> Result<(), Failed> {
        let timeout = self.cluster.config.transaction_timeout();
        let open = |error| (Stage::Open, Some(error));
        // Of an earlier, aborted transaction.
        self.context.take_undelivered();
        self.producer.begin_transaction().map_err(|error| (Stage::Begin, Some(error)))?;
        fail::fail_point!("before-append");
        self.send(records, Instant::now() + timeout + GRACE).map_err(open)?;
        fail::fail_point!("after-append");
        if let Some(offsets) = offsets {
            // The call can overlook its time-out.
            self.watched(timeout, move |producer, timeout| {
                producer.send_offsets_to_transaction(&offsets.positions, &offsets.group, timeout)
            })
            .ok_or((Stage::Open, None))?
            .map_err(open)?;
        }
        Ok(())
    }

    /// Sends and waits until every record is delivered. `commit_transaction` would wait too, but in steps of 100 ms.
    fn send(&self, records: &[Record], deadline: Instant) -> KafkaResult<()> {
        let late = || Err(KafkaError::Flush(Code::OperationTimedOut));
        for record in records {
            let mut message = to_message(record);
            while let Err((error, refused)) = self.producer.send(message) {
                if code_of(&error) != Code::QueueFull {
                    return Err(error);
                }
                if Instant::now() > deadline {
                    return late();
                }
                self.producer.poll(TICK);
                message = refused;
            }
        }
        while self.producer.in_flight_count() > 0 {
            if Instant::now() > deadline {
                return late();
            }
            self.producer.poll(TICK);
        }
        match self.context.take_undelivered() {
            Some(code) => Err(KafkaError::MessageProduction(code)),
            None => Ok(()),
        }
    }

    /// Cleans up after a failure and says what it means.
    fn resolve(&mut self, stage: Stage, error: Option<KafkaError>) -> Result<Outcome> {
        if let Some(error) = self.fatal() {
            return Err(error);
        }
        let Some(error) = error else {
            return Err(self.end(Ended::Indeterminate("a call of the Kafka client did not return".to_owned())));
        };
        let code = code_of(&error);
        if stage == Stage::Begin {
            return Err(self.aborted(error));
        }
        let requires_abort = matches!(&error, KafkaError::Transaction(error) if error.txn_requires_abort());
        if stage == Stage::Commit && !requires_abort && !matches!(error, KafkaError::Flush(_)) {
            // The broker may have committed it and the answer was lost. Asking again with the same producer is what the
            // client offers; only a new one gives certainty.
            return Err(self.end(Ended::Indeterminate(error.to_string())));
        }
        // Shorter than the rest: when the brokers are away, the time for that was spent already.
        let timeout = self.cluster.config.request_timeout();
        match self.watched(timeout, |producer, timeout| producer.abort_transaction(timeout)) {
            Some(Ok(())) => {}
            Some(Err(abort)) => {
                let fatal = self.fatal();
                let reason = format!("{error}; then the transaction could not be aborted: {abort}");
                return Err(fatal.unwrap_or_else(|| self.end(Ended::Indeterminate(reason))));
            }
            None => {
                let reason = format!("{error}; then aborting the transaction did not return");
                return Err(self.end(Ended::Indeterminate(reason)));
            }
        }
        match meaning(code) {
            Meaning::Stale => Ok(Outcome::Stale),
            Meaning::Fenced => Err(self.fence()),
            _ => Err(self.aborted(error)),
        }
    }

    /// Nothing was written, and the producer is good for another try.
    fn aborted(&self, error: KafkaError) -> Error {
        let doing = format!("write a transaction of `{}`", self.name);
        match meaning(code_of(&error)) {
            Meaning::Away => self.unavailable(&doing, code_of(&error)),
            _ => Error::Backend { action: doing, source: Box::new(error) },
        }
    }

    /// Ends the producer when the client says that it is beyond use.
    fn fatal(&mut self) -> Option<Error> {
        let (code, reason) = self.producer.client().fatal_error()?;
        Some(match meaning(code) {
            Meaning::Fenced => self.fence(),
            _ => self.end(Ended::Indeterminate(reason)),
        })
    }

    fn end(&mut self, ended: Ended) -> Error {
        let error = ended.error(&self.name);
        self.ended = Some(ended);
        error
    }

    fn unavailable(&self, doing: &str, code: Code) -> Error {
        self.producer.poll(TICK);
        self.cluster.unavailable_to(&self.context, doing, code)
    }

    /// Runs a call that blocks on a thread of its own and serves the producer meanwhile: calls wait for delivery reports,
    /// which only a poll takes. `None` when it does not return in time; the thread then keeps the producer until it does.
    fn watched(
        &self,
        timeout: Duration,
        call: impl FnOnce(&BaseProducer<Context>, Duration) -> KafkaResult<()> + Send + 'static,
    ) -> Option<KafkaResult<()>> {
        let (tell, told) = bounded(1);
        let producer = Arc::clone(&self.producer);
        thread::Builder::new()
            .name("kafka-transaction".to_owned())
            .spawn(move || {
                let result = call(&producer, timeout);
                // Given back first, so that whoever is told can drop the last one.
                drop(producer);
                // Nobody listens any more when it took too long.
                drop(tell.send(result));
            })
            .ok()?;
        let deadline = Instant::now() + timeout + GRACE;
        loop {
            match told.recv_timeout(TICK) {
                Ok(result) => return Some(result),
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => self.producer.poll(Duration::ZERO),
                Err(_) => return None,
            }
        }
    }
}

impl Ended {
    fn error(&self, name: &str) -> Error {
        let name = name.to_owned();
        match self {
            Self::Fenced => Error::Fenced { name },
            Self::Indeterminate(reason) => Error::Indeterminate { name, reason: reason.clone() },
        }
    }
}
