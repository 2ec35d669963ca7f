//! What is asked of the brokers: topics, partitions, bounds, committed offsets.

use std::{
    collections::BTreeMap,
    env,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode as Code},
    topic_partition_list::TopicPartitionListElem,
};

use super::{
    config::{KafkaConfig, unusable},
    context::{Context, Denial},
    failure::{Meaning, code_of, meaning},
    security::Security,
};
use crate::{Bounds, Error, PartitionId, Positions, Result};

/// The pause before a broker is asked again that has not heard of its duty yet.
const LEADER_PAUSE: Duration = Duration::from_millis(20);
/// How long a question may take that is asked only to tell more of an error.
const SECOND_QUESTION: Duration = Duration::from_secs(3);
/// How often it is looked, before the first answer, whether the brokers turn the client away.
const GLANCE: Duration = Duration::from_millis(20);

/// How long brokers are given that close connections before they have answered anything: they may expect TLS or a password.
const CLOSED_PATIENCE: Duration = Duration::from_secs(2);

/// A cluster, and a client for questions. It reads nothing and is in no group.
pub(super) struct Cluster {
    pub(super) config: KafkaConfig,
    pub(super) security: Security,
    /// Replaced after it got no answer: librdkafka (2.12) forgets all brokers, its bootstrap ones too, and never connects again
    /// when a broker that has just started says that there are none (librdkafka #5301).
    client: Mutex<Arc<BaseConsumer<Context>>>,
    /// For the one question that has another answer for those who read only what is decided. Made when it is asked.
    decided: Mutex<Option<BaseConsumer<Context>>>,
    /// What all clients for questions have heard.
    context: Context,
    id: OnceLock<String>,
    /// Partition counts never change, so each is asked for once.
    partitions: Mutex<BTreeMap<Arc<str>, u32>>,
    /// Clients for questions about groups: each can ask about one only, and making and closing one takes a tenth of a
    /// second.
    groups: Mutex<BTreeMap<String, Arc<BaseConsumer<Context>>>>,
}

/// A topic as the brokers describe it.
pub(super) struct Described {
    pub(super) partitions: u32,
    /// Whether every partition has a leader, and so can be used.
    pub(super) led: bool,
    /// Copies of the partition that has the fewest.
    pub(super) replicas: usize,
}

impl Cluster {
    pub(super) fn new(config: KafkaConfig) -> Result<Self> {
        config.check()?;
        let security = Security::read(&config, &|name| env::var(name).ok())?;
        let context = Context::default();
        let client = config.questions(&security).create_with_context(context.clone()).map_err(unusable)?;
        Ok(Self {
            config,
            security,
            client: Mutex::new(Arc::new(client)),
            decided: Mutex::default(),
            context,
            id: OnceLock::new(),
            partitions: Mutex::default(),
            groups: Mutex::default(),
        })
    }

    /// The client for questions. Takes a line out of the queue in which log lines and errors wait; nothing else empties it.
    fn client(&self) -> Arc<BaseConsumer<Context>> {
        let client = Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner));
        drop(client.poll(Duration::ZERO));
        client
    }

    /// From now on a new client asks.
    fn replace_client(&self) {
        if let Ok(new) = self.config.questions(&self.security).create_with_context(self.context.clone()) {
            // The old one ends when the last who asks by it is done, and not while others wait for the lock.
            let new = Arc::new(new);
            let old = std::mem::replace(&mut *self.client.lock().unwrap_or_else(PoisonError::into_inner), new);
            drop(old);
        }
    }

    /// The cluster's own id.
    ///
    /// Every broker's first answer brings it, so everything else asks for this first: a client that is turned away, which
    /// every other question takes for a broker that is away, hears of it at once.
    pub(super) fn id(&self) -> Result<&str> {
        if let Some(id) = self.id.get() {
            return Ok(id);
        }
        let started = Instant::now();
        let client = self.client();
        loop {
            if let Some(id) = client.client().fetch_cluster_id(GLANCE) {
                return Ok(self.id.get_or_init(|| id));
            }
            drop(client.poll(Duration::from_millis(1)));
            let waited = started.elapsed();
            let closed = self.context.was_closed() && waited >= CLOSED_PATIENCE;
            if closed || self.context.denial().is_some() || waited >= self.config.request_timeout() {
                return Err(self.unavailable("ask for the cluster id", Code::OperationTimedOut));
            }
        }
    }

    /// All partitions of `topics`, in order.
    pub(super) fn partitions_of(&self, topics: &[&str]) -> Result<Vec<PartitionId>> {
        let mut all = Vec::new();
        for topic in topics {
            let count = self.partitions(topic)?;
            let topic: Arc<str> = Arc::from(*topic);
            all.extend((0..count).map(|partition| PartitionId { topic: Arc::clone(&topic), partition }));
        }
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// The number of partitions of a topic.
    pub(super) fn partitions(&self, topic: &str) -> Result<u32> {
        if let Some(&count) = self.known().get(topic) {
            return Ok(count);
        }
        match self.describe(topic)? {
            Some(described) => {
                self.remember(topic, described.partitions);
                Ok(described.partitions)
            }
            None => Err(Error::UnknownTopic(topic.to_owned())),
        }
    }

    /// Keeps in mind how many partitions a topic has.
    pub(super) fn remember(&self, topic: &str, partitions: u32) {
        self.known().insert(Arc::from(topic), partitions);
    }

    /// Asks the brokers about a topic; `None` when there is none of this name.
    pub(super) fn describe(&self, topic: &str) -> Result<Option<Described>> {
        if !is_topic_name(topic) {
            return Ok(None);
        }
        self.id()?;
        let client = self.client();
        let asking = || format!("describe topic `{topic}`");
        let metadata = client
            .fetch_metadata(Some(topic), self.config.request_timeout())
            .map_err(|error| self.error(asking(), error))?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
            return Ok(None);
        };
        if let Some(code) = found.error().map(Code::from) {
            return match meaning(code) {
                Meaning::Unknown => Ok(None),
                Meaning::Away => Err(self.unavailable(&asking(), code)),
                _ => Err(Error::Backend { action: asking(), source: Box::new(code) }),
            };
        }
        Ok(Some(Described {
            partitions: u32::try_from(found.partitions().len()).unwrap_or(u32::MAX),
            led: found.partitions().iter().all(|partition| partition.leader() >= 0),
            replicas: found.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or(0),
        }))
    }

    /// The oldest kept offset and the end of every one of `partitions`.
    pub(super) fn bounds(&self, partitions: &[PartitionId]) -> Result<BTreeMap<PartitionId, Bounds>> {
        let timeout = self.config.request_timeout();
        let lows = self.offsets(partitions, Offset::Beginning, timeout)?;
        let highs = self.offsets(partitions, Offset::End, timeout)?;
        Ok(lows
            .into_iter()
            .filter_map(|(id, low)| highs.get(&id).copied().map(|high| (id, Bounds { low, high })))
            .collect())
    }

    /// Where `partitions` begin or end just now. One round trip to each leader.
    ///
    /// The end counts records of transactions that are not decided yet. A commit is acknowledged a moment before the mark
    /// that makes it visible is in the partition, and an acknowledged record may stand behind an open transaction of
    /// somebody else: only who has read up to this end has read everything that was acknowledged.
    pub(super) fn offsets(&self, partitions: &[PartitionId], at: Offset, timeout: Duration) -> Result<Positions> {
        if partitions.is_empty() {
            return Ok(Positions::new());
        }
        self.offsets_through(&self.client(), partitions, at, timeout)
    }

    /// Those partitions of the topics that were asked for so far, or ensured, in which something is not decided: a transaction
    /// that goes on, or one that was left open. Everything behind its first record is held back from readers.
    pub(super) fn undecided(&self) -> Result<Vec<PartitionId>> {
        let mut partitions = Vec::new();
        for (topic, &count) in &*self.known() {
            partitions.extend((0..count).map(|partition| PartitionId { topic: Arc::clone(topic), partition }));
        }
        let timeout = self.config.request_timeout();
        // In this order: what is written between the two questions does not count.
        let ends = self
            .offsets(&partitions, Offset::End, timeout)
            .and_then(|ends| Ok((self.decided_ends(&partitions, timeout)?, ends)));
        match ends {
            Ok((decided, mut ends)) => {
                ends.retain(|id, end| decided.get(id).is_some_and(|decided| decided < end));
                Ok(ends.into_keys().collect())
            }
            // One was deleted. Whoever uses it hears of that.
            Err(Error::UnknownTopic(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Where `partitions` end for those who read only what is decided.
    fn decided_ends(&self, partitions: &[PartitionId], timeout: Duration) -> Result<Positions> {
        if partitions.is_empty() {
            return Ok(Positions::new());
        }
        let kept = || self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept().take();
        let client = match known {
            Some(client) => client,
            None => self
                .config
                .decided_questions(&self.security)
                .create_with_context(self.context.clone())
                .map_err(unusable)?,
        };
        drop(client.poll(Duration::ZERO));
        let ends = self.offsets_through(&client, partitions, Offset::End, timeout)?;
        // One that got no answer is not asked again, as with `client`.
        *kept() = Some(client);
        Ok(ends)
    }

    fn offsets_through(
        &self,
        client: &BaseConsumer<Context>,
        partitions: &[PartitionId],
        at: Offset,
        timeout: Duration,
    ) -> Result<Positions> {
        let asking = || format!("ask for offsets of {}", names(partitions));
        // A broker may be told that it leads a partition a moment after everybody else: after a start, and when a topic is new.
        let deadline = Instant::now() + timeout;
        let entries = loop {
            let asked = client
                .offsets_for_times(list(partitions.iter().map(|id| (id, at)))?, timeout)
                .and_then(|list| entries(&list));
            match asked {
                Ok(entries) => break entries,
                Err(error) if not_leading_yet(&error) && Instant::now() < deadline => thread::sleep(LEADER_PAUSE),
                Err(error) => return Err(self.partition_error(asking(), partitions, error)),
            }
        };
        let mut positions = Positions::new();
        for (id, offset) in entries {
            match offset {
                Offset::Offset(offset) => positions.insert(id, offset),
                _ => return Err(self.unavailable(&asking(), Code::LeaderNotAvailable)),
            };
        }
        Ok(positions)
    }

    /// The stored positions of `group`; partitions for which nothing is stored are absent.
    pub(super) fn committed(&self, group: &str, partitions: &[PartitionId]) -> Result<Positions> {
        if partitions.is_empty() {
            return Ok(Positions::new());
        }
        let consumer = self.group(group)?;
        // Takes a log line, as `client` does.
        drop(consumer.poll(Duration::ZERO));
        let positions = self.committed_through(&consumer, group, partitions);
        if positions.is_err() {
            self.groups.lock().unwrap_or_else(PoisonError::into_inner).remove(group);
        }
        positions
    }

    fn group(&self, group: &str) -> Result<Arc<BaseConsumer<Context>>> {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(consumer) = groups.get(group) {
            return Ok(Arc::clone(consumer));
        }
        let consumer: BaseConsumer<Context> = self
            .config
            .group_consumer(group, &self.security)
            .create_with_context(Context::default())
            .map_err(unusable)?;
        let consumer = Arc::new(consumer);
        groups.insert(group.to_owned(), Arc::clone(&consumer));
        Ok(consumer)
    }

    /// The same, asked by a client that has the group's name.
    pub(super) fn committed_through<C: rdkafka::consumer::ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        group: &str,
        partitions: &[PartitionId],
    ) -> Result<Positions> {
        match self.ask_committed(consumer, group, partitions, self.config.request_timeout()) {
            Ok(positions) => Ok(positions),
            Err(NotCommitted::LeftOpen) => Err(self.left_open(group)),
            Err(NotCommitted::Other(error)) => Err(error),
        }
    }

    fn ask_committed<C: rdkafka::consumer::ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        group: &str,
        partitions: &[PartitionId],
        timeout: Duration,
    ) -> Result<Positions, NotCommitted> {
        let asked = consumer.committed_offsets(nowhere(partitions)?, timeout).and_then(|list| entries(&list));
        let stored = asked.map_err(|error| {
            if meaning(code_of(&error)) == Meaning::Away && self.has_open_transaction(group, partitions) {
                return NotCommitted::LeftOpen;
            }
            NotCommitted::Other(self.partition_error(asking_for(&self.config.id(group)), partitions, error))
        })?;
        Ok(stored
            .into_iter()
            .filter_map(|(id, offset)| match offset {
                Offset::Offset(offset) => Some((id, offset)),
                _ => None,
            })
            .collect())
    }

    /// Whether a transaction holds back the positions of `group` for longer than one that goes on would.
    pub(super) fn holds_back<C: rdkafka::consumer::ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        group: &str,
        partitions: &[PartitionId],
    ) -> Result<bool> {
        let deadline = Instant::now() + self.config.request_timeout();
        let timeout = self.config.request_timeout().min(SECOND_QUESTION);
        loop {
            match self.ask_committed(consumer, group, partitions, timeout) {
                Ok(_) => return Ok(false),
                Err(NotCommitted::LeftOpen) => return Ok(true),
                // Who coordinates a group may not know it yet, after a start and when it is the first of its cluster.
                Err(NotCommitted::Other(error)) if error.is_transient() && Instant::now() < deadline => {
                    thread::sleep(LEADER_PAUSE);
                }
                Err(NotCommitted::Other(error)) => return Err(error),
            }
        }
    }

    /// Whether only a transaction that has not ended holds back the positions of `group`: the brokers wait for its end
    /// unless they are told that what comes of it does not matter.
    fn has_open_transaction(&self, group: &str, partitions: &[PartitionId]) -> bool {
        let mut config = self.config.group_consumer(group, &self.security);
        config.set("isolation.level", "read_uncommitted");
        let timeout = self.config.request_timeout().min(SECOND_QUESTION);
        config.create_with_context(Context::default()).is_ok_and(|consumer: BaseConsumer<Context>| {
            nowhere(partitions)
                .is_ok_and(|list| consumer.committed_offsets(list, timeout).is_ok_and(|list| entries(&list).is_ok()))
        })
    }

    /// The error for positions that a transaction holds back.
    fn left_open(&self, group: &str) -> Error {
        let doing = asking_for(&self.config.id(group));
        let reason = format!(
            "failed to {doing}: a transaction that stores them was left open. The brokers end it {} s after it began, or the \
             worker whose it is when it opens again; if it stays, `kafka-transactions.sh find-hanging` of Kafka shows it, \
             and `abort` ends it",
            self.config.transaction_timeout().as_secs()
        );
        Error::Unavailable { target: self.config.brokers.clone(), reason }
    }

    /// Any error of a question.
    pub(super) fn error(&self, action: String, error: KafkaError) -> Error {
        let code = code_of(&error);
        match meaning(code) {
            Meaning::Away => self.unavailable(&action, code),
            _ => Error::Backend { action, source: Box::new(error) },
        }
    }

    /// The brokers do not answer. The client's own words, such as "connection refused", are in the reason.
    pub(super) fn unavailable(&self, doing: &str, code: Code) -> Error {
        drop(self.client().poll(Duration::from_millis(1)));
        self.replace_client();
        self.unavailable_to(&self.context, doing, code)
    }

    /// The same, as another client sees it.
    pub(super) fn unavailable_to(&self, context: &Context, doing: &str, code: Code) -> Error {
        if let Some(denied) = self.denied(context) {
            return denied;
        }
        let mut reason = format!("failed to {doing}: {code}");
        if let Some(heard) = context.last_error() {
            reason += &format!("; last heard: {heard}");
        }
        if context.was_closed() && self.id.get().is_none() {
            reason += "; check whether `tls` and `sasl` are set as the broker expects it at that port";
        }
        Error::Unavailable { target: self.config.brokers.clone(), reason }
    }

    /// The error for a client that is turned away, if this one is, or if the one for questions is.
    pub(super) fn denied(&self, context: &Context) -> Option<Error> {
        let Denial { reason, check } = context.denial().or_else(|| self.context.denial())?;
        Some(Error::Denied { target: self.config.brokers.clone(), reason, check })
    }

    fn partition_error(&self, action: String, partitions: &[PartitionId], error: KafkaError) -> Error {
        match partitions.first() {
            // The topic was deleted meanwhile, and may come back with other partitions.
            Some(first) if meaning(code_of(&error)) == Meaning::Unknown => {
                for id in partitions {
                    self.known().remove(&id.topic);
                }
                Error::UnknownTopic(first.topic.to_string())
            }
            _ => self.error(action, error),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<Arc<str>, u32>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no answer about positions.
enum NotCommitted {
    /// A transaction that has not ended holds them back.
    LeftOpen,
    Other(Error),
}

impl From<Error> for NotCommitted {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

fn asking_for(group: &str) -> String {
    format!("ask for the positions of group `{group}`")
}

/// Kafka's rule for topic names; librdkafka takes it badly to be asked about others.
pub(super) fn is_topic_name(topic: &str) -> bool {
    (1..=249).contains(&topic.len())
        && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// A list for librdkafka to put positions into.
fn nowhere(partitions: &[PartitionId]) -> Result<TopicPartitionList> {
    list(partitions.iter().map(|id| (id, Offset::Invalid)))
}

/// A list for librdkafka.
pub(super) fn list<'a>(partitions: impl Iterator<Item = (&'a PartitionId, Offset)>) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (id, offset) in partitions {
        let number = i32::try_from(id.partition).map_err(|_| Error::UnknownPartition(id.clone()))?;
        list.add_partition(&id.topic, number)
            .set_offset(offset)
            .map_err(|error| Error::Backend { action: format!("use a position of {id}"), source: Box::new(error) })?;
    }
    Ok(list)
}

/// Whether a broker only has to hear of its new duty, or this client of the broker's: one that has been there since before a
/// broker came back asks for an older term of the leader once, and learns of the new one by the answer.
fn not_leading_yet(error: &KafkaError) -> bool {
    matches!(
        code_of(error),
        Code::NotLeaderForPartition
            | Code::LeaderNotAvailable
            | Code::UnknownTopicOrPartition
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
    )
}

/// A list from librdkafka, or the first error in it.
pub(super) fn entries(list: &TopicPartitionList) -> Result<Vec<(PartitionId, Offset)>, KafkaError> {
    list.elements().into_iter().map(|entry| entry.error().map(|()| (id(&entry), entry.offset()))).collect()
}

/// The partitions of a list from librdkafka.
pub(super) fn ids(list: &TopicPartitionList) -> Vec<PartitionId> {
    list.elements().iter().map(id).collect()
}

fn id(entry: &TopicPartitionListElem<'_>) -> PartitionId {
    PartitionId::new(entry.topic(), u32::try_from(entry.partition()).unwrap_or_default())
}

/// The topics of `partitions`, for messages.
fn names(partitions: &[PartitionId]) -> String {
    let mut names: Vec<&str> = partitions.iter().map(|id| &*id.topic).collect();
    names.dedup();
    format!("`{}`", names.join("`, `"))
}

/// What is left of the time until `deadline`.
pub(super) fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::{super::fake::FakeBroker, *};

    #[test]
    fn brokers_are_found_again_after_one_said_that_there_are_none() {
        let broker = FakeBroker::start();
        let config = KafkaConfig { brokers: broker.address(), request_timeout_ms: 2_000, ..KafkaConfig::default() };
        let cluster = Cluster::new(config).unwrap();
        assert_eq!(cluster.describe("t").unwrap().unwrap().partitions, 1);
        // Not each time does the client lose all of them.
        for _ in 0..8 {
            broker.forget(true);
            for topic in [None, Some("t")] {
                drop(cluster.client().fetch_metadata(topic, cluster.config.request_timeout()));
            }
            broker.forget(false);
            // One question may go unanswered, and not all that follow.
            assert!((0..3).any(|_| cluster.describe("t").is_ok()));
        }
    }

    #[test]
    fn a_leader_of_another_term_is_asked_again_and_a_client_that_is_turned_away_is_told() {
        let again = |code| not_leading_yet(&KafkaError::OffsetFetch(code));
        for code in [Code::FencedLeaderEpoch, Code::UnknownLeaderEpoch, Code::NotLeaderForPartition] {
            assert!(again(code), "{code:?}");
        }
        for code in [Code::TopicAuthorizationFailed, Code::OperationTimedOut, Code::OffsetOutOfRange] {
            assert!(!again(code), "{code:?}");
        }
    }
}
