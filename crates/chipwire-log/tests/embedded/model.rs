//! The same random operations on sqlite and on memory have the same outcome.
//!
//! Not on Kafka: a broker takes milliseconds for each operation and seconds for a group, and its offsets have holes. It runs
//! the conformance suite instead, in `tests/kafka`.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Duration};

use chipwire_log::{
    EventLog, Limit, Positions, Record, Result, State, Step, StoredRecord, Worker, Writer, memory::MemoryLog,
};
use proptest::{collection::vec, option, prelude::*};

use crate::script::{drain, open, read_all, spec, state_spec};

/// Topics and their partitions; one more of each is asked for than there is.
const TOPICS: [(&str, u32); 3] = [("events", 2), ("state", 2), ("missing", 0)];

#[derive(Debug, Clone)]
enum Op {
    OpenWriter(usize),
    Append(usize, Vec<Rec>),
    OpenWorker(usize),
    /// Lets a worker read some, and keeps what it read for the commit.
    Work(usize, usize),
    Commit(usize, Vec<Rec>),
    /// Closes everything, and opens the log anew.
    Reopen,
    /// Reads from the given position of every partition.
    Read(i64),
    State(Option<Vec<u32>>),
    Ensure(u32),
}

#[derive(Debug, Clone)]
struct Rec {
    topic: usize,
    partition: u32,
    key: u8,
    value: Option<u16>,
}

fn rec() -> impl Strategy<Value = Rec> {
    // Mostly records that can be written.
    let place = prop_oneof![30 => (0..2_usize, 0..2_u32), 1 => (0..3_usize, 0..3_u32)];
    (place, 0..4_u8, option::weighted(0.8, any::<u16>())).prop_map(|((topic, partition), key, value)| Rec {
        topic,
        partition,
        key,
        value,
    })
}

fn op() -> impl Strategy<Value = Op> {
    // Slots 0 and 1 have one name, so that they fence each other; slot 2 another.
    prop_oneof![
        2 => (0..3_usize).prop_map(Op::OpenWriter),
        6 => (0..3_usize, vec(rec(), 0..8)).prop_map(|(slot, records)| Op::Append(slot, records)),
        2 => (0..3_usize).prop_map(Op::OpenWorker),
        4 => (0..3_usize, 1..9_usize).prop_map(|(slot, limit)| Op::Work(slot, limit)),
        4 => (0..3_usize, vec(rec(), 0..4)).prop_map(|(slot, records)| Op::Commit(slot, records)),
        1 => Just(Op::Reopen),
        2 => (-1..12_i64).prop_map(Op::Read),
        2 => option::of(vec(0..3_u32, 0..3)).prop_map(Op::State),
        1 => (1..4_u32).prop_map(Op::Ensure),
    ]
}

impl Rec {
    fn record(&self) -> Record {
        Record {
            topic: Arc::from(TOPICS[self.topic].0),
            partition: self.partition,
            key: vec![self.key],
            headers: self.value.iter().map(|value| ("n".into(), value.to_string())).collect(),
            value: self.value.map(|value| value.to_string().repeat(usize::from(value % 50)).into_bytes()),
        }
    }
}

/// A log, and who uses it.
struct Subject {
    log: Box<dyn EventLog>,
    writers: BTreeMap<usize, Box<dyn Writer>>,
    workers: BTreeMap<usize, (Box<dyn Worker>, Positions)>,
}

fn name(slot: usize) -> &'static str {
    ["same", "same", "other"][slot]
}

/// Everything but the time of writing.
fn plain(records: Vec<StoredRecord>) -> Vec<(i64, Record)> {
    let mut records: Vec<_> = records.into_iter().map(|stored| (stored.offset, stored.record)).collect();
    records.sort_by_key(|(offset, record)| (Arc::clone(&record.topic), record.partition, *offset));
    records
}

fn plain_state(state: State) -> String {
    let records: Vec<_> = state.records.into_iter().map(|(key, stored)| (key, stored.offset, stored.record)).collect();
    format!("{records:?} {:?}", state.positions)
}

impl Subject {
    fn new(log: Box<dyn EventLog>) -> Self {
        Self { log, writers: BTreeMap::new(), workers: BTreeMap::new() }
    }

    /// What the operation answers, as text.
    fn apply(&mut self, op: &Op, reopen: &dyn Fn() -> Box<dyn EventLog>) -> String {
        let answer = self.answer(op, reopen);
        answer.unwrap_or_else(|error| error.to_string())
    }

    fn answer(&mut self, op: &Op, reopen: &dyn Fn() -> Box<dyn EventLog>) -> Result<String> {
        match op {
            Op::OpenWriter(slot) => {
                self.writers.insert(*slot, self.log.writer(name(*slot))?);
            }
            Op::Append(slot, records) => {
                let Some(writer) = self.writers.get_mut(slot) else { return Ok("no writer".into()) };
                writer.append(&records.iter().map(Rec::record).collect::<Vec<_>>())?;
            }
            Op::OpenWorker(slot) => {
                let worker = self.log.worker(name(*slot), "member", &["events"])?;
                self.workers.insert(*slot, (worker, Positions::new()));
            }
            Op::Work(slot, records) => {
                let Some((worker, read)) = self.workers.get_mut(slot) else { return Ok("no worker".into()) };
                let limit = Limit { records: *records, size_bytes: 500 };
                return Ok(match worker.next(limit, Duration::ZERO)? {
                    Step::Batch(batch) => {
                        read.extend(batch.positions.clone());
                        format!("{:?} {:?} {}", plain(batch.records), batch.positions, batch.at_end)
                    }
                    other => format!("{other:?}"),
                });
            }
            Op::Commit(slot, records) => {
                let Some((worker, read)) = self.workers.get_mut(slot) else { return Ok("no worker".into()) };
                worker.commit(&records.iter().map(Rec::record).collect::<Vec<_>>(), read)?;
                read.clear();
            }
            Op::Reopen => {
                self.writers.clear();
                self.workers.clear();
                self.log = Box::new(MemoryLog::new());
                self.log = reopen();
            }
            Op::Read(position) => {
                let topics: Vec<_> = TOPICS[..2].iter().map(|(topic, _)| *topic).collect();
                let from = topics.iter().map(|topic| (chipwire_log::PartitionId::new(*topic, 1), *position)).collect();
                let mut reader = self.log.reader(&topics, &from)?;
                return Ok(format!("{:?}", plain(drain(reader.as_mut())?)));
            }
            Op::State(partitions) => {
                // One that is kept as state and one that is not.
                let state = self.log.state("state", partitions.as_deref())?;
                let replayed = self.log.state("events", partitions.as_deref())?;
                return Ok(plain_state(state) + &plain_state(replayed));
            }
            Op::Ensure(partitions) => self.log.ensure(&[spec("new", 2), spec("events", *partitions)])?,
        }
        Ok("done".into())
    }

    fn everything(&self) -> String {
        let records = plain(read_all(self.log.as_ref(), &["events", "state"]).unwrap());
        let state = plain_state(self.log.state("state", None).unwrap());
        let committed = ["same", "other"].map(|group| self.log.committed(group, &["events"]).unwrap());
        format!("{records:?} {state} {committed:?} {:?}", self.log.bounds("events").unwrap())
    }
}

fn subject(log: impl EventLog + 'static) -> Subject {
    log.ensure(&[spec("events", 2), state_spec("state", 2)]).unwrap();
    Subject::new(Box::new(log))
}

/// A log with the topics, closed, as it is at the beginning of every case.
fn beginning(path: &Path) -> Vec<u8> {
    drop(subject(open(path)));
    fs::read(path).unwrap()
}

fn run(path: &Path, ops: &[Op]) -> Result<(), TestCaseError> {
    let memory = MemoryLog::new();
    let mut model = subject(memory.clone());
    let mut sqlite = Subject::new(Box::new(open(path)));
    for (index, op) in ops.iter().enumerate() {
        let expected = model.apply(op, &|| Box::new(memory.clone()));
        let found = sqlite.apply(op, &|| Box::new(open(path)));
        prop_assert_eq!(found, expected, "operation {}: {:?}", index, op);
    }
    prop_assert_eq!(sqlite.everything(), model.everything());
    Ok(())
}

/// Others with `PROPTEST_CASES`.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000)
}

#[test]
fn sqlite_does_what_memory_does() {
    // In memory where the machine offers it: this is not about the disk.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = folder.path().join("log.db");
    let beginning = beginning(&path);
    let config = ProptestConfig { cases: cases(), source_file: Some(file!()), ..ProptestConfig::default() };
    proptest!(config, |(ops in vec(op(), 1..20))| {
        // Nothing is left of the last case but the file: who closes a log last tidies up.
        fs::write(&path, &beginning).unwrap();
        run(&path, &ops)?;
    });
}
