//! A log in memory: the simplest thing that keeps the laws. For tests, and the model that the other backends are held
//! against. Nothing survives the last handle.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hasher},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    Batch, Bounds, Error, EventLog, Limit, PartitionId, Positions, Reader, Record, Result, State, Step, StoredRecord,
    TopicSpec, Worker, Writer, clock,
};

/// A log in memory. Clones are handles on the same log.
#[derive(Debug, Clone)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    genesis: String,
    content: Mutex<Content>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Content {
    topics: BTreeMap<Arc<str>, Topic>,
    /// By group and partition.
    positions: BTreeMap<(String, PartitionId), i64>,
    /// How often each name was opened: whoever holds a smaller number was replaced.
    epochs: HashMap<Owner, u64>,
}

#[derive(Debug)]
struct Topic {
    spec: TopicSpec,
    /// A record's offset is its index.
    partitions: Vec<Vec<StoredRecord>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Writer(String),
    Group(String),
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty log.
    pub fn new() -> Self {
        // The standard library's hash keys are random, which is all that tells one log from another.
        let part = || RandomState::new().build_hasher().finish();
        let genesis = format!("{:016x}{:016x}", part(), part());
        Self { shared: Arc::new(Shared { genesis, content: Mutex::default(), changed: Condvar::new() }) }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Content> {
        // Nothing here panics between two changes that belong together.
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn topic(&self, topic: &str) -> Result<&Topic> {
        self.topics.get(topic).ok_or_else(|| Error::UnknownTopic(topic.to_owned()))
    }

    fn partition(&self, id: &PartitionId) -> Result<&Vec<StoredRecord>> {
        let partition = self.topic(&id.topic)?.partitions.get(id.partition as usize);
        partition.ok_or_else(|| Error::UnknownPartition(id.clone()))
    }

    fn take(&mut self, owner: Owner) -> u64 {
        let epoch = self.epochs.entry(owner).or_default();
        *epoch += 1;
        *epoch
    }

    fn check_owner(&self, owner: &Owner, epoch: u64, label: &str) -> Result<()> {
        if self.epochs.get(owner) == Some(&epoch) { Ok(()) } else { Err(Error::Fenced { name: label.to_owned() }) }
    }

    /// Fails when one of `records` has no place.
    fn check_places(&self, records: &[Record]) -> Result<()> {
        let place = |record: &Record| PartitionId::new(Arc::clone(&record.topic), record.partition);
        records.iter().try_for_each(|record| self.partition(&place(record)).map(|_| ()))
    }

    fn append(&mut self, records: &[Record]) {
        let timestamp_ms = clock::now_ms();
        for record in records {
            let topic = self.topics.get_mut(&record.topic);
            if let Some(partition) = topic.and_then(|topic| topic.partitions.get_mut(record.partition as usize)) {
                partition.push(StoredRecord { offset: end(partition), timestamp_ms, record: record.clone() });
            }
        }
    }

    /// The positions that reading `topics` from `from` starts at.
    fn start(&self, topics: &[&str], from: &Positions) -> Result<Positions> {
        let mut start = Positions::new();
        for topic in topics {
            let topic = self.topic(topic)?;
            for (number, partition) in (0..).zip(&topic.partitions) {
                let id = PartitionId::new(Arc::clone(&topic.spec.name), number);
                let position = from.get(&id).copied().unwrap_or(0);
                let high = end(partition);
                if !(0..=high).contains(&position) {
                    return Err(Error::OutOfRange { partition: id, position, low: 0, high });
                }
                start.insert(id, position);
            }
            let wrong = from.keys().find(|id| id.topic == topic.spec.name && !start.contains_key(*id));
            if let Some(id) = wrong {
                return Err(Error::UnknownPartition(id.clone()));
            }
        }
        Ok(start)
    }

    fn committed(&self, group: &str, topics: &[&str]) -> Positions {
        let of_group = self.positions.iter().filter(|((name, id), _)| name == group && topics.contains(&&*id.topic));
        of_group.map(|((_, id), position)| (id.clone(), *position)).collect()
    }
}

fn end(partition: &[StoredRecord]) -> i64 {
    i64::try_from(partition.len()).unwrap_or(i64::MAX)
}

impl EventLog for MemoryLog {
    fn genesis(&self) -> Result<String> {
        Ok(self.shared.genesis.clone())
    }

    fn ensure(&self, topics: &[TopicSpec]) -> Result<()> {
        let mut content = self.shared.lock();
        for spec in topics {
            if let Some(topic) = content.topics.get(&spec.name) {
                spec.check(topic.spec.partitions, topic.spec.cleanup)?;
            }
        }
        for spec in topics {
            content.topics.entry(Arc::clone(&spec.name)).or_insert_with(|| Topic {
                spec: spec.clone(),
                partitions: (0..spec.partitions).map(|_| Vec::new()).collect(),
            });
        }
        Ok(())
    }

    fn bounds(&self, topic: &str) -> Result<Vec<Bounds>> {
        let content = self.shared.lock();
        Ok(content.topic(topic)?.partitions.iter().map(|partition| Bounds { low: 0, high: end(partition) }).collect())
    }

    fn reader(&self, topics: &[&str], from: &Positions) -> Result<Box<dyn Reader>> {
        let positions = self.shared.lock().start(topics, from)?;
        Ok(Box::new(MemoryReader { shared: Arc::clone(&self.shared), positions, turn: 0 }))
    }

    fn worker(&self, group: &str, member: &str, topics: &[&str]) -> Result<Box<dyn Worker>> {
        let mut content = self.shared.lock();
        let positions = content.start(topics, &content.committed(group, topics))?;
        let owner = Owner::Group(group.to_owned());
        let epoch = content.take(owner.clone());
        drop(content);
        // Others of the group may be waiting for records: let them notice that they were replaced.
        self.shared.changed.notify_all();
        Ok(Box::new(MemoryWorker {
            reader: MemoryReader { shared: Arc::clone(&self.shared), positions, turn: 0 },
            group: group.to_owned(),
            label: format!("{group}/{member}"),
            owner,
            epoch,
            announced: false,
        }))
    }

    fn writer(&self, name: &str) -> Result<Box<dyn Writer>> {
        let owner = Owner::Writer(name.to_owned());
        let epoch = self.shared.lock().take(owner.clone());
        Ok(Box::new(MemoryWriter { shared: Arc::clone(&self.shared), name: name.to_owned(), owner, epoch }))
    }

    fn state(&self, topic: &str, partitions: Option<&[u32]>) -> Result<State> {
        let content = self.shared.lock();
        let topic = content.topic(topic)?;
        let numbers: BTreeSet<u32> = partitions
            .map_or_else(|| (0..topic.spec.partitions).collect(), |numbers| numbers.iter().copied().collect());
        let mut state = State::default();
        for number in numbers {
            let id = PartitionId::new(Arc::clone(&topic.spec.name), number);
            let records = content.partition(&id)?;
            // Each partition by itself: a tombstone removes nothing from another.
            let mut latest = BTreeMap::new();
            for stored in records {
                match &stored.record.value {
                    Some(_) => latest.insert(stored.record.key.clone(), stored.clone()),
                    None => latest.remove(&stored.record.key),
                };
            }
            state.records.append(&mut latest);
            state.positions.insert(id, end(records));
        }
        Ok(state)
    }

    fn finds_keys(&self) -> bool {
        true
    }

    fn latest(&self, topic: &str, partition: u32, key: &[u8]) -> Result<Option<StoredRecord>> {
        let content = self.shared.lock();
        let id = PartitionId::new(Arc::clone(&content.topic(topic)?.spec.name), partition);
        let last = content.partition(&id)?.iter().rev().find(|stored| stored.record.key == key);
        Ok(last.filter(|stored| stored.record.value.is_some()).cloned())
    }

    fn committed(&self, group: &str, topics: &[&str]) -> Result<Positions> {
        let content = self.shared.lock();
        topics.iter().try_for_each(|topic| content.topic(topic).map(|_| ()))?;
        Ok(content.committed(group, topics))
    }
}

struct MemoryReader {
    shared: Arc<Shared>,
    positions: Positions,
    /// The partition to begin with, so that a busy one does not starve the others.
    turn: usize,
}

impl MemoryReader {
    fn read(&mut self, content: &Content, limit: Limit) -> Result<Batch> {
        let mut batch = Batch { at_end: true, ..Batch::default() };
        let mut size_bytes = 0;
        let count = self.positions.len();
        'partitions: for step in 0..count {
            let index = (self.turn + step) % count;
            let Some((id, position)) = self.positions.iter_mut().nth(index) else { break };
            for stored in content.partition(id)?.iter().skip(usize::try_from(*position).unwrap_or(usize::MAX)) {
                let size = stored.record.key.len() + stored.record.value.as_ref().map_or(0, Vec::len);
                let fits = batch.records.len() < limit.records && size_bytes + size <= limit.size_bytes;
                if !batch.records.is_empty() && !fits {
                    batch.at_end = false;
                    self.turn = index + 1;
                    break 'partitions;
                }
                size_bytes += size;
                *position = stored.offset + 1;
                batch.positions.insert(id.clone(), *position);
                batch.records.push(stored.clone());
            }
        }
        Ok(batch)
    }

    /// Waits until there is something, `wait` is over, or `still_ours` fails.
    fn next_while(
        &mut self,
        limit: Limit,
        wait: Duration,
        still_ours: impl Fn(&Content) -> Result<()>,
    ) -> Result<Batch> {
        let shared = Arc::clone(&self.shared);
        let started = Instant::now();
        let mut content = shared.lock();
        loop {
            still_ours(&content)?;
            let batch = self.read(&content, limit)?;
            let waited = started.elapsed();
            if !batch.records.is_empty() || waited >= wait {
                return Ok(batch);
            }
            content = shared.changed.wait_timeout(content, wait - waited).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Reader for MemoryReader {
    fn next(&mut self, limit: Limit, wait: Duration) -> Result<Batch> {
        self.next_while(limit, wait, |_| Ok(()))
    }
}

struct MemoryWorker {
    reader: MemoryReader,
    group: String,
    /// Group and member, for errors.
    label: String,
    owner: Owner,
    epoch: u64,
    announced: bool,
}

impl Worker for MemoryWorker {
    fn next(&mut self, limit: Limit, wait: Duration) -> Result<Step> {
        if !self.announced {
            self.announced = true;
            return Ok(Step::Assigned(self.reader.positions.clone()));
        }
        let Self { reader, owner, epoch, label, .. } = self;
        reader.next_while(limit, wait, |content| content.check_owner(owner, *epoch, label)).map(Step::Batch)
    }

    fn commit(&mut self, outputs: &[Record], upto: &Positions) -> Result<()> {
        if outputs.is_empty() && upto.is_empty() {
            return Ok(());
        }
        if !upto.keys().all(|id| self.reader.positions.contains_key(id)) {
            return Err(Error::Fenced { name: self.label.clone() });
        }
        let shared = &self.reader.shared;
        let mut content = shared.lock();
        content.check_places(outputs)?;
        content.check_owner(&self.owner, self.epoch, &self.label)?;
        content.append(outputs);
        for (id, position) in upto {
            content.positions.insert((self.group.clone(), id.clone()), *position);
        }
        drop(content);
        shared.changed.notify_all();
        Ok(())
    }
}

struct MemoryWriter {
    shared: Arc<Shared>,
    name: String,
    owner: Owner,
    epoch: u64,
}

impl Writer for MemoryWriter {
    fn append(&mut self, records: &[Record]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let mut content = self.shared.lock();
        content.check_places(records)?;
        content.check_owner(&self.owner, self.epoch, &self.name)?;
        content.append(records);
        drop(content);
        self.shared.changed.notify_all();
        Ok(())
    }
}
