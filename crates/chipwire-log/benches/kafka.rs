//! The log on Kafka against bare rdkafka, on a broker of its own: `cargo bench -p chipwire-log --features kafka --bench kafka`,
//! after `tests/kafka/fetch`.
//!
//! - *commit*: a worker's transaction of 100 events of 2 KB and the group's positions, against the same with rdkafka alone, once
//!   as it is done well, with the producer's queue polled empty before the commit, and once as it is done first; in turns.
//! - *stage*: a worker that passes on what it reads, against a bare loop that consumes and produces with transactions of as many
//!   events; in turns.
//!
//! `-- --rounds N` takes another number of commits (200), `-- --events N` of events to pass on (40000).

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark prints its table and may panic"
)]

#[path = "../../../tests/support/broker.rs"]
mod broker;
mod support;

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use broker::Broker;
use chipwire_log::{
    Cleanup, EventLog, Limit, Positions, Record, Step, TopicSpec, Worker,
    kafka::{KafkaConfig, KafkaLog},
};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};

use support::{Times, event, print_at_least, print_at_most};

const PARTITIONS: u32 = 4;
const DEADLINE: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_millis(100);
/// As the log does.
const TICK: Duration = Duration::from_millis(1);
/// Events in a transaction of the stage.
const BATCH: usize = 500;
const WARM_UP: usize = 20;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let value = |name: &str, usual: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(usual, |at| arguments[at + 1].parse().unwrap())
    };
    let broker = Broker::start();
    let log = KafkaLog::connect(KafkaConfig { brokers: broker.bootstrap(), ..KafkaConfig::default() }).unwrap();
    commit(&broker, &log, value("--rounds", 200));
    stage(&broker, &log, value("--events", 40_000));
}

fn topic(log: &KafkaLog, name: &str) -> Arc<str> {
    let name: Arc<str> = name.into();
    let cleanup = Cleanup::Delete { retention: None };
    log.ensure(&[TopicSpec { name: Arc::clone(&name), partitions: PARTITIONS, cleanup }]).unwrap();
    name
}

/// A worker that has all partitions, and where they stand.
fn worker(log: &KafkaLog, group: &str, input: &str) -> (Box<dyn Worker>, Positions) {
    let mut worker = log.worker(group, "bench", &[input]).unwrap();
    let mut positions = Positions::new();
    let deadline = Instant::now() + DEADLINE;
    while positions.len() < PARTITIONS as usize {
        assert!(Instant::now() < deadline, "no partitions in {DEADLINE:?}");
        if let Step::Assigned(assigned) = worker.next(Limit { records: 1, ..Limit::default() }, WAIT).unwrap() {
            positions.extend(assigned);
        }
    }
    (worker, positions)
}

/// A consumer and a producer of rdkafka with the settings that the log has.
struct Bare {
    consumer: BaseConsumer,
    producer: BaseProducer,
}

impl Bare {
    fn open(broker: &Broker, group: &str, input: &str) -> Self {
        let config = |settings: &[(&str, &str)]| {
            let mut config = ClientConfig::new();
            config.set("bootstrap.servers", broker.bootstrap()).set("socket.nagle.disable", "true");
            for (key, value) in settings {
                config.set(*key, *value);
            }
            config
        };
        let consumer: BaseConsumer = config(&[
            ("group.id", group),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("isolation.level", "read_committed"),
            ("auto.offset.reset", "earliest"),
            ("check.crcs", "true"),
            ("queued.max.messages.kbytes", "16384"),
            ("fetch.queue.backoff.ms", "10"),
            ("partition.assignment.strategy", "cooperative-sticky"),
        ])
        .create()
        .unwrap();
        consumer.subscribe(&[input]).unwrap();
        let producer: BaseProducer = config(&[
            ("transactional.id", group),
            ("linger.ms", "1"),
            ("compression.type", "zstd"),
            ("queue.buffering.max.kbytes", "65536"),
            ("message.max.bytes", "16777216"),
        ])
        .create()
        .unwrap();
        producer.init_transactions(DEADLINE).unwrap();
        Self { consumer, producer }
    }

    fn send(&self, topic: &str, partition: u32, key: &[u8], value: &[u8]) {
        let mut record = BaseRecord::to(topic).partition(i32::try_from(partition).unwrap()).key(key).payload(value);
        while let Err((_, refused)) = self.producer.send(record) {
            self.producer.poll(TICK);
            record = refused;
        }
    }

    fn empty_the_queue(&self) {
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(TICK);
        }
    }

    fn commit(&self, positions: &TopicPartitionList) {
        let group = self.consumer.group_metadata().unwrap();
        self.producer.send_offsets_to_transaction(positions, &group, DEADLINE).unwrap();
        self.producer.commit_transaction(DEADLINE).unwrap();
    }
}

fn commit(broker: &Broker, log: &KafkaLog, rounds: usize) {
    let (input, output) = (topic(log, "commit-in"), topic(log, "commit-out"));
    let events: Vec<Record> = (0..100).map(|seed| event(&output, seed as u32 % PARTITIONS, seed)).collect();
    let (mut worker, upto) = worker(log, "commit-worker", &input);
    let bares = ["commit-polled", "commit-plain"].map(|group| Bare::open(broker, group, &input));
    for bare in &bares {
        let deadline = Instant::now() + DEADLINE;
        while bare.consumer.assignment().unwrap().count() == 0 {
            assert!(Instant::now() < deadline, "no partitions in {DEADLINE:?}");
            assert!(bare.consumer.poll(WAIT).is_none(), "there is nothing to read");
        }
    }
    let mut positions = TopicPartitionList::new();
    for (id, position) in &upto {
        let partition = i32::try_from(id.partition).unwrap();
        positions.add_partition_offset(&id.topic, partition, Offset::Offset(*position)).unwrap();
    }
    let mut times = [Times::default(), Times::default(), Times::default()];
    for round in 0..WARM_UP + rounds {
        if round == WARM_UP {
            times.iter_mut().for_each(Times::forget);
        }
        // Each comes first in its turn.
        for turn in 0..3 {
            let which = (round + turn) % 3;
            let started = Instant::now();
            if which == 0 {
                worker.commit(&events, &upto).unwrap();
            } else {
                let bare = &bares[which - 1];
                bare.producer.begin_transaction().unwrap();
                for event in &events {
                    bare.send(&output, event.partition, &event.key, event.value.as_ref().unwrap());
                }
                if which == 1 {
                    bare.empty_the_queue();
                }
                bare.commit(&positions);
            }
            times[which].add(started.elapsed());
        }
        // The group's members are to stay so; there is nothing to read.
        for bare in &bares {
            assert!(bare.consumer.poll(Duration::ZERO).is_none());
        }
        drop(worker.next(Limit::default(), Duration::ZERO).unwrap());
    }
    println!("a transaction of 100 events of 2 KB and the group's positions, {rounds} times in turns");
    let [ours, polled, plain] = times;
    ours.print("worker");
    polled.print("rdkafka, queue polled empty before the commit");
    plain.print("rdkafka, commit_transaction alone");
    let ratio = |of: &Times, to: &Times| of.median().as_secs_f64() / to.median().as_secs_f64();
    print_at_most("worker : polled empty", ratio(&ours, &polled), 1.3);
    print_at_least("commit_transaction alone : worker", ratio(&plain, &ours), 4.0);
}

fn stage(broker: &Broker, log: &KafkaLog, events: usize) {
    const ROUNDS: usize = 3;
    let (input, output) = (topic(log, "stage-in"), topic(log, "stage-out"));
    let mut writer = log.writer("stage").unwrap();
    for from in (0..events).step_by(BATCH) {
        let batch = from..events.min(from + BATCH);
        let records: Vec<Record> = batch.map(|seed| event(&input, seed as u32 % PARTITIONS, seed)).collect();
        writer.append(&records).unwrap();
    }
    println!("\n{events} events of 2 KB passed on, at most {BATCH} in a transaction, {ROUNDS} rounds in turns");
    let mut times = [Times::default(), Times::default()];
    for round in 0..ROUNDS {
        for turn in 0..2 {
            let which = (round + turn) % 2;
            let group = format!("stage-{which}-{round}");
            let (time, transactions) = match which {
                0 => pass_on(log, &group, [&input, &output], events),
                _ => pass_on_bare(broker, &group, [&input, &output], events),
            };
            let name = ["worker", "rdkafka"][which];
            let rate = events as f64 / time.as_secs_f64();
            println!("{name:<52} {rate:>9.0} events/s   in {transactions} transactions");
            times[which].add(time);
        }
    }
    let [ours, bare] = times;
    print_at_least("worker : rdkafka", bare.total().as_secs_f64() / ours.total().as_secs_f64(), 0.8);
}

/// Time from the first event, and transactions.
fn pass_on(log: &KafkaLog, group: &str, [input, output]: [&Arc<str>; 2], events: usize) -> (Duration, usize) {
    let mut worker = log.worker(group, "bench", &[input]).unwrap();
    let (mut started, mut passed, mut transactions) = (None, 0, 0);
    while passed < events {
        let limit = Limit { records: BATCH, ..Limit::default() };
        let Step::Batch(mut batch) = worker.next(limit, WAIT).unwrap() else { continue };
        if batch.records.is_empty() {
            continue;
        }
        started.get_or_insert_with(Instant::now);
        let outputs: Vec<Record> =
            batch.records.drain(..).map(|stored| Record { topic: Arc::clone(output), ..stored.record }).collect();
        worker.commit(&outputs, &batch.positions).unwrap();
        passed += outputs.len();
        transactions += 1;
    }
    (started.unwrap().elapsed(), transactions)
}

fn pass_on_bare(broker: &Broker, group: &str, [input, output]: [&Arc<str>; 2], events: usize) -> (Duration, usize) {
    let bare = Bare::open(broker, group, input);
    let (mut started, mut passed, mut transactions) = (None, 0, 0);
    while passed < events {
        // What is there, as a worker takes it.
        let Some(first) = bare.consumer.poll(WAIT) else { continue };
        started.get_or_insert_with(Instant::now);
        bare.producer.begin_transaction().unwrap();
        let mut positions = TopicPartitionList::new();
        let mut count = 0;
        let mut next = Some(first);
        while let Some(message) = next {
            let message = message.unwrap();
            bare.send(output, message.partition() as u32, message.key().unwrap(), message.payload().unwrap());
            let offset = Offset::Offset(message.offset() + 1);
            match positions.find_partition(input, message.partition()) {
                Some(mut known) => known.set_offset(offset).unwrap(),
                None => positions.add_partition_offset(input, message.partition(), offset).unwrap(),
            }
            count += 1;
            next = if count < BATCH { bare.consumer.poll(Duration::ZERO) } else { None };
        }
        bare.empty_the_queue();
        bare.commit(&positions);
        passed += count;
        transactions += 1;
    }
    (started.unwrap().elapsed(), transactions)
}
