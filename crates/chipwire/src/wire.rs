//! Between the vocabulary and the log: the only place where a message becomes a record and a record an event.

use std::{process, sync::Arc, thread, time::Duration};

use chipwire_events::{Covers, Envelope, Event, Message, Timestamp, Topic};
use chipwire_log::{Error, EventLog, PartitionId, Positions, Record, StoredRecord, TopicSpec};

/// How often a write is tried that others of the same name keep interrupting.
const SHARED_ATTEMPTS: u64 = 40;

/// A log together with the prefix of its topics.
#[derive(Clone)]
pub struct Log {
    backend: Arc<dyn EventLog>,
    prefix: Arc<str>,
    names: Arc<[Arc<str>]>,
    retention: Option<Duration>,
}

impl Log {
    /// The topics of chipwire, under `prefix`, in `backend`.
    pub fn new(backend: Arc<dyn EventLog>, prefix: &str) -> Self {
        let names = Topic::ALL.iter().map(|topic| Arc::from(format!("{prefix}{}", topic.name()))).collect();
        Self { backend, prefix: Arc::from(prefix), names, retention: None }
    }

    /// As it is, with articles and dead letters that may be removed when they are older than `retention`.
    pub fn with_retention(self, retention: Option<Duration>) -> Self {
        Self { retention, ..self }
    }

    /// The backend.
    pub fn backend(&self) -> &dyn EventLog {
        &*self.backend
    }

    /// What stands before the names of its topics.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The full name of a topic.
    #[expect(clippy::indexing_slicing, reason = "`new` makes one name for every topic")]
    pub fn name(&self, topic: Topic) -> &Arc<str> {
        &self.names[topic as usize]
    }

    /// The topic of a full name.
    pub fn topic(&self, name: &str) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| &**self.name(*topic) == name)
    }

    /// Creates the topics that are missing.
    pub fn ensure(&self) -> chipwire_log::Result<()> {
        let specs: Vec<TopicSpec> = Topic::ALL
            .into_iter()
            .map(|topic| TopicSpec {
                name: Arc::clone(self.name(topic)),
                partitions: topic.partitions(),
                cleanup: match topic.cleanup() {
                    chipwire_events::Cleanup::Compact => chipwire_log::Cleanup::Compact,
                    chipwire_events::Cleanup::Keep => chipwire_log::Cleanup::Delete { retention: None },
                    chipwire_events::Cleanup::Expire => chipwire_log::Cleanup::Delete { retention: self.retention },
                },
            })
            .collect();
        self.backend.ensure(&specs)
    }

    /// A partition of a topic.
    pub fn partition(&self, topic: Topic, partition: u32) -> PartitionId {
        PartitionId::new(Arc::clone(self.name(topic)), partition)
    }

    /// The record of a message.
    pub fn record(&self, message: Message) -> Record {
        Record {
            topic: Arc::clone(self.name(message.topic)),
            partition: message.partition,
            key: message.key.into_bytes(),
            headers: message.headers,
            value: message.value,
        }
    }

    /// The record of an event.
    pub fn encode(
        &self,
        event: &Event,
        time: Timestamp,
        covers: Option<Covers>,
    ) -> Result<Record, chipwire_events::Error> {
        event.encode(time, covers).map(|message| self.record(message))
    }

    /// Appends `records` as the writer `name`, which other processes may be at the same time: who was fenced, or does not know
    /// whether it wrote, writes again. Only for what may be written twice: the latest values of state topics.
    pub fn append_among_others(&self, name: &str, records: &[Record]) -> chipwire_log::Result<()> {
        let mut attempt = 1;
        loop {
            let result = self.backend.writer(name).and_then(|mut writer| writer.append(records));
            match result {
                Err(Error::Fenced { .. } | Error::Indeterminate { .. }) if attempt < SHARED_ATTEMPTS => {
                    // Those who began in the same moment go on at different ones.
                    let own = u64::from(process::id()) * attempt % 97;
                    thread::sleep(Duration::from_millis(10 * attempt + own));
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// The positions of `topic` within `positions`, by partition number.
    pub fn positions_of(&self, topic: Topic, positions: &Positions) -> impl Iterator<Item = (u32, i64)> {
        let name = Arc::clone(self.name(topic));
        positions
            .iter()
            .filter(move |(id, _)| id.topic == name)
            .map(|(id, position)| (id.partition, *position))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// One past the newest record of every partition of `topic`, as positions.
    pub fn end_of(&self, topic: Topic) -> chipwire_log::Result<Positions> {
        let bounds = self.backend.bounds(self.name(topic))?;
        Ok((0..).zip(bounds).map(|(partition, bounds)| (self.partition(topic, partition), bounds.high)).collect())
    }
}

/// The event in a stored record.
pub fn decode(stored: &StoredRecord) -> Result<(Envelope, Event), chipwire_events::Error> {
    decode_record(&stored.record)
}

/// The event in a record.
pub fn decode_record(record: &Record) -> Result<(Envelope, Event), chipwire_events::Error> {
    Event::decode(&record.headers, record.value.as_deref())
}

/// The key of a record as text.
pub fn key(stored: &StoredRecord) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(&stored.record.key)
}

#[cfg(test)]
mod tests {
    use chipwire_events::{Feed, FeedOrigin};
    use chipwire_log::memory::MemoryLog;

    use super::*;

    #[test]
    fn writers_of_one_name_do_not_stop_each_other() {
        let log = Log::new(Arc::new(MemoryLog::default()), "");
        log.ensure().unwrap();
        thread::scope(|scope| {
            for worker in 0..4 {
                let log = log.clone();
                scope.spawn(move || {
                    for number in 0..20 {
                        let feed = Feed::new(format!("https://example.org/{worker}/{number}"), FeedOrigin::Config);
                        let record = log.encode(&Event::FeedSubscribed(feed), Timestamp::UNIX_EPOCH, None).unwrap();
                        log.append_among_others("feeds-config", &[record]).unwrap();
                    }
                });
            }
        });
        assert_eq!(log.backend().state(log.name(Topic::Feeds), None).unwrap().records.len(), 80);
    }
}
