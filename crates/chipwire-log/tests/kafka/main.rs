//! The log on a real Kafka broker.

#![cfg(feature = "kafka")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

#[path = "../../../../tests/support/broker.rs"]
mod broker;
mod protocol;
mod transactions;

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use broker::Broker;
use chipwire_log::{
    Cleanup, Error, EventLog, Limit, PartitionId, Positions, Reader, Record, Step, StoredRecord, TopicSpec, Worker,
    Writer,
    conformance::{self, Fixture},
    kafka::{KafkaConfig, KafkaLog},
};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    client::DefaultClientContext,
    producer::{BaseProducer, BaseRecord, Producer},
};

const WAIT: Duration = Duration::from_millis(100);
const DEADLINE: Duration = Duration::from_secs(60);

/// A broker with a log on it, and names that nobody else has.
struct Kafka<'a> {
    broker: &'a Broker,
}

impl Kafka<'static> {
    fn shared() -> Self {
        Self { broker: Broker::shared() }
    }
}

impl Kafka<'_> {
    fn config(&self) -> KafkaConfig {
        KafkaConfig { brokers: self.broker.bootstrap(), ..KafkaConfig::default() }
    }

    fn log(&self) -> KafkaLog {
        KafkaLog::connect(self.config()).unwrap()
    }

    fn topic(&self, log: &KafkaLog, partitions: u32) -> Arc<str> {
        let name: Arc<str> = self.unique("topic").into();
        let cleanup = Cleanup::Delete { retention: None };
        log.ensure(&[TopicSpec { name: Arc::clone(&name), partitions, cleanup }]).unwrap();
        name
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", self.broker.bootstrap()).create().unwrap()
    }
}

impl Fixture for Kafka<'_> {
    fn open(&self) -> Box<dyn EventLog> {
        Box::new(self.log())
    }

    fn unique(&self, name: &str) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        format!("{name}-{}", COUNT.fetch_add(1, Ordering::SeqCst))
    }

    fn deadline(&self) -> Duration {
        DEADLINE
    }
}

fn record(topic: &Arc<str>, partition: u32, value: impl ToString) -> Record {
    Record {
        topic: Arc::clone(topic),
        partition,
        key: b"key".to_vec(),
        headers: vec![("ce_id".into(), "1".into())],
        value: Some(value.to_string().into_bytes()),
    }
}

fn text(stored: &StoredRecord) -> String {
    String::from_utf8(stored.record.value.clone().unwrap()).unwrap()
}

/// Everything up to the end.
fn drain(reader: &mut dyn Reader) -> (Vec<String>, Positions) {
    let deadline = Instant::now() + DEADLINE;
    let (mut values, mut positions) = (Vec::new(), Positions::new());
    loop {
        let batch = reader.next(Limit::default(), WAIT).unwrap();
        values.extend(batch.records.iter().map(text));
        positions.extend(batch.positions);
        if batch.at_end {
            return (values, positions);
        }
        assert!(Instant::now() < deadline, "no end in sight");
    }
}

fn read_all(log: &KafkaLog, topic: &str) -> Vec<String> {
    drain(log.reader(&[topic], &Positions::new()).unwrap().as_mut()).0
}

/// Calls `attempt` until it gives something.
fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < deadline, "did not happen in time: {what}");
    }
}

/// Waits for a future of the admin client, which completes it from a thread of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    until("an answer to the admin client", || match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => {
            thread::yield_now();
            None
        }
    })
}

#[test]
fn laws_hold() {
    let kafka = Kafka::shared();
    let laws = conformance::all();
    let next = AtomicUsize::new(0);
    let failures: Vec<String> = thread::scope(|scope| {
        let run = || {
            let mut failures = Vec::new();
            while let Some((name, law)) = laws.get(next.fetch_add(1, Ordering::SeqCst)) {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| law(&kafka))) {
                    let said = panic.downcast_ref::<String>().cloned();
                    failures.push(format!("{name}: {}", said.unwrap_or_else(|| "panicked".into())));
                }
            }
            failures
        };
        // Laws mostly wait for the broker.
        let runners: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        runners.into_iter().flat_map(|runner| runner.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "laws that do not hold:\n{}", failures.join("\n"));
}

/// A worker that doubles numbers, for as long as `go_on` says so with the number of records that it answered.
fn double(log: &KafkaLog, group: &str, member: &str, topics: [&Arc<str>; 2], go_on: &(dyn Fn(usize) -> bool + Sync)) {
    let [input, output] = topics;
    let mut worker = log.worker(group, member, &[input]).unwrap();
    let mut answered = 0;
    while go_on(answered) {
        let Step::Batch(batch) = worker.next(Limit { records: 7, ..Limit::default() }, WAIT).unwrap() else {
            continue;
        };
        let answers: Vec<_> = batch
            .records
            .iter()
            .map(|stored| record(output, stored.record.partition, text(stored).parse::<u64>().unwrap() * 2))
            .collect();
        worker.commit(&answers, &batch.positions).unwrap();
        answered += answers.len();
    }
}

#[test]
fn two_workers_share_and_the_dropped_ones_share_goes_to_the_other() {
    const ROUND: usize = 40;
    let kafka = Kafka::shared();
    let log = kafka.log();
    let (input, output) = (kafka.topic(&log, 4), kafka.topic(&log, 4));
    let topics = [&input, &output];
    let group = kafka.unique("group");
    let mut writer = log.writer(&kafka.unique("writer")).unwrap();
    let mut reader = log.reader(&[&output], &Positions::new()).unwrap();
    let answered = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let (left, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let (mut sent, mut found) = (0, Vec::<usize>::new());
    thread::scope(|scope| {
        let (log, group, answered, left, done) = (&log, &group, &answered, &left, &done);
        scope.spawn(move || {
            double(log, group, "first", topics, &|count| {
                answered[0].store(count, Ordering::SeqCst);
                !done.load(Ordering::SeqCst)
            });
        });
        scope.spawn(move || {
            double(log, group, "second", topics, &|count| {
                answered[1].store(count, Ordering::SeqCst);
                // Goes away when both have answered something.
                let both = answered.iter().all(|count| count.load(Ordering::SeqCst) > 0);
                !both && !done.load(Ordering::SeqCst)
            });
            left.store(true, Ordering::SeqCst);
        });
        // Work comes for as long as it takes the two to get into the group and one to leave it, and once more after that.
        let deadline = Instant::now() + DEADLINE;
        let mut last = false;
        while !last && Instant::now() < deadline {
            last = left.load(Ordering::SeqCst);
            let numbers = sent..sent + ROUND;
            sent = numbers.end;
            let records = numbers.map(|n| record(&input, u32::try_from(n % 4).unwrap(), n));
            writer.append(&records.collect::<Vec<_>>()).unwrap();
            while found.len() < sent && Instant::now() < deadline {
                let batch = reader.next(Limit::default(), WAIT).unwrap();
                found.extend(batch.records.iter().map(|stored| text(stored).parse::<usize>().unwrap()));
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    found.sort_unstable();
    assert_eq!(found, (0..sent).map(|n| n * 2).collect::<Vec<_>>(), "nothing lost, nothing doubled");
    assert!(answered.iter().all(|count| count.load(Ordering::SeqCst) > 0), "both had a share: {answered:?}");
}

/// Steps until all of `partitions` partitions are assigned, and returns what was read by then.
fn take_over(worker: &mut dyn Worker, partitions: usize) -> (Positions, Vec<String>) {
    let (mut assigned, mut values) = (Positions::new(), Vec::new());
    until("partitions assigned", || {
        match worker.next(Limit::default(), WAIT).unwrap() {
            Step::Assigned(positions) => assigned.extend(positions),
            Step::Revoked(gone) => assigned.retain(|id, _| !gone.contains(id)),
            Step::Batch(batch) => values.extend(batch.records.iter().map(text)),
        }
        (assigned.len() == partitions).then_some(())
    });
    (assigned, values)
}

#[test]
fn a_worker_that_does_not_come_back_in_time_cannot_commit() {
    let kafka = Kafka::shared();
    let mut config = kafka.config();
    for key in ["max.poll.interval.ms", "session.timeout.ms"] {
        config.properties.insert(key.into(), "6000".into());
    }
    let log = KafkaLog::connect(config).unwrap();
    let (input, output) = (kafka.topic(&log, 2), kafka.topic(&log, 1));
    let group = kafka.unique("group");
    log.writer(&kafka.unique("writer")).unwrap().append(&[record(&input, 0, "a"), record(&input, 1, "b")]).unwrap();

    let mut slow = log.worker(&group, "slow", &[&input]).unwrap();
    let (mut upto, _) = take_over(slow.as_mut(), 2);
    for position in upto.values_mut() {
        *position += 1;
    }
    // Says nothing for longer than the group has patience, so the other gets everything, from the beginning.
    let mut quick = log.worker(&group, "quick", &[&input]).unwrap();
    let (assigned, _) = take_over(quick.as_mut(), 2);
    assert!(assigned.values().all(|&position| position == 0), "{assigned:?}");

    for _ in 0..2 {
        let late = slow.commit(&[record(&output, 0, "late")], &upto);
        assert!(matches!(late, Err(Error::Fenced { .. })), "{late:?}");
    }
    assert_eq!(log.committed(&group, &[&input]).unwrap(), Positions::new());
    assert_eq!(read_all(&log, &output), Vec::<String>::new());
    quick.commit(&[record(&output, 0, "quick")], &upto).unwrap();
    assert_eq!(read_all(&log, &output), ["quick"]);
}

#[test]
fn a_stored_position_that_is_gone_is_an_error() {
    let kafka = Kafka::shared();
    let log = kafka.log();
    let topic = kafka.topic(&log, 1);
    let partition = PartitionId::new(Arc::clone(&topic), 0);
    let group = kafka.unique("group");
    let mut writer = log.writer(&kafka.unique("writer")).unwrap();
    for n in 0..5 {
        writer.append(&[record(&topic, 0, n)]).unwrap();
    }
    let mut worker = log.worker(&group, "member", &[&topic]).unwrap();
    take_over(worker.as_mut(), 1);
    worker.commit(&[], &Positions::from([(partition.clone(), 2)])).unwrap();
    drop(worker);
    let mut reader = log.reader(&[&topic], &Positions::new()).unwrap();
    assert_eq!(drain(reader.as_mut()).0.len(), 5);

    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Offset(6)).unwrap();
    block_on(kafka.admin().delete_records(&list, &AdminOptions::new())).unwrap();
    assert_eq!(log.bounds(&topic).unwrap()[0].low, 6);

    let is_gone = |error: Error| match error {
        Error::OutOfRange { partition: named, position: 2, low: 6, high: 10 } => assert_eq!(named, partition),
        other => panic!("expected a position out of range, got {other}"),
    };
    is_gone(log.reader(&[&topic], &Positions::from([(partition.clone(), 2)])).err().unwrap());
    let mut worker = log.worker(&group, "member", &[&topic]).unwrap();
    is_gone(until("an error", || worker.next(Limit::default(), WAIT).err()));
    assert!(worker.next(Limit::default(), WAIT).is_err(), "the error stays");
    // Who stands behind the gap, and who starts at the beginning, is not disturbed.
    writer.append(&[record(&topic, 0, "more")]).unwrap();
    assert_eq!(drain(reader.as_mut()).0, ["more"]);
    assert_eq!(read_all(&log, &topic), ["3", "4", "more"]);
}

#[test]
fn topics_get_their_settings_and_are_not_made_by_asking() {
    let kafka = Kafka::shared();
    let log = kafka.log();
    let names: [Arc<str>; 3] = std::array::from_fn(|_| kafka.unique("settings").into());
    let spec = |name: &Arc<str>, cleanup| TopicSpec { name: Arc::clone(name), partitions: 1, cleanup };
    log.ensure(&[
        spec(&names[0], Cleanup::Delete { retention: None }),
        spec(&names[1], Cleanup::Delete { retention: Some(Duration::from_secs(3_600)) }),
        spec(&names[2], Cleanup::Compact),
    ])
    .unwrap();
    let resources: Vec<_> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    let found = block_on(kafka.admin().describe_configs(&resources, &AdminOptions::new())).unwrap();
    let settings: Vec<BTreeMap<String, String>> = found
        .into_iter()
        .map(|topic| {
            topic
                .unwrap()
                .entries
                .into_iter()
                .filter_map(|entry| entry.value.map(|value| (entry.name, value)))
                .collect()
        })
        .collect();
    for (number, cleanup, retention_ms) in [(0, "delete", "-1"), (1, "delete", "3600000"), (2, "compact", "604800000")]
    {
        let settings = &settings[number];
        assert_eq!((&*settings["cleanup.policy"], &*settings["retention.ms"]), (cleanup, retention_ms));
        assert_eq!(settings["message.timestamp.type"], "LogAppendTime");
        assert_eq!(settings["max.message.bytes"], (16 << 20).to_string());
    }

    // Others may have made them, or changed them since.
    let all = |cleanup| [TopicSpec { name: Arc::clone(&names[1]), partitions: 1, cleanup }];
    let hour = Cleanup::Delete { retention: Some(Duration::from_secs(3_600)) };
    assert!(log.differences(&all(hour)).unwrap().is_empty());
    let found = log.differences(&all(Cleanup::Delete { retention: None })).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].setting, &*found[0].found, &*found[0].expected), ("retention.ms", "3600000", "-1"));
    log.ensure(&all(Cleanup::Delete { retention: None })).unwrap();
    assert!(matches!(log.ensure(&all(Cleanup::Compact)), Err(Error::TopicSetting { setting: "cleanup.policy", .. })));

    let never: Arc<str> = kafka.unique("never").into();
    for _ in 0..2 {
        assert!(matches!(log.bounds(&never), Err(Error::UnknownTopic(_))));
        assert!(matches!(log.worker("group", "member", &[&never]).err().unwrap(), Error::UnknownTopic(_)));
    }
    for name in ["", "no spaces", "no\0zeros", &"long".repeat(100)] {
        assert!(matches!(log.bounds(name), Err(Error::UnknownTopic(_))), "{name:?}");
    }
}

#[test]
fn a_record_may_have_many_megabytes_but_not_any_number() {
    let kafka = Kafka::shared();
    let log = kafka.log();
    let topic = kafka.topic(&log, 1);
    // Bytes that no compression makes smaller (xorshift64).
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = |size_bytes: usize| -> Vec<u8> {
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .flatten()
        .take(size_bytes)
        .collect()
    };
    let mut writer = log.writer(&kafka.unique("writer")).unwrap();
    let mut of = |size_bytes| Record { value: Some(random(size_bytes)), ..record(&topic, 0, "") };
    let too_large = writer.append(&[record(&topic, 0, "together with"), of(17 << 20)]);
    assert!(matches!(too_large, Err(Error::Backend { .. })), "{too_large:?}");
    let large = of(15 << 20);
    writer.append(std::slice::from_ref(&large)).unwrap();

    let mut reader = log.reader(&[&topic], &Positions::new()).unwrap();
    let read = until("the record", || reader.next(Limit::default(), WAIT).unwrap().records.pop());
    assert!(read.record == large, "it came back otherwise");
}

#[test]
fn brokers_that_are_not_there_are_named_soon() {
    let log = KafkaLog::connect(KafkaConfig {
        // Port 1 is free everywhere.
        brokers: "127.0.0.1:1".into(),
        request_timeout_ms: 1_000,
        ..KafkaConfig::default()
    })
    .unwrap();
    let spec = TopicSpec { name: "t".into(), partitions: 1, cleanup: Cleanup::Compact };
    let calls: [(&str, &dyn Fn() -> Option<Error>); 7] = [
        ("genesis", &|| log.genesis().err()),
        ("ensure", &|| log.ensure(std::slice::from_ref(&spec)).err()),
        ("bounds", &|| log.bounds("t").err()),
        ("reader", &|| log.reader(&["t"], &Positions::new()).err()),
        ("worker", &|| log.worker("g", "m", &["t"]).err()),
        ("writer", &|| log.writer("w").err()),
        ("state", &|| log.state("t", None).err()),
    ];
    for (name, call) in calls {
        let started = Instant::now();
        let error = call().unwrap();
        let took = started.elapsed();
        assert!(matches!(error, Error::Unavailable { .. }) && error.is_transient(), "{name}: {error:?}");
        let message = error.to_string();
        assert!(message.contains("`127.0.0.1:1`") && message.contains("refused"), "{name}: {message}");
        assert!(took < Duration::from_secs(5), "{name} took {took:?}");
    }
}

/// Appends, opening the writer anew when it was ended, until it succeeds.
fn append_at_last(log: &KafkaLog, name: &str, mut writer: Option<Box<dyn Writer>>, record: &Record) -> Box<dyn Writer> {
    until("an append", || {
        let mut opened = match writer.take() {
            Some(opened) => opened,
            None => match log.writer(name) {
                Ok(opened) => opened,
                Err(Error::Unavailable { .. }) => return None,
                Err(error) => panic!("{error}"),
            },
        };
        match opened.append(std::slice::from_ref(record)) {
            Ok(()) => Some(opened),
            // A broker that is slow to come back ends what takes it too long, and takes a beginning that is asked for again for
            // another one: the name is free then.
            Err(Error::Unavailable { .. } | Error::Indeterminate { .. } | Error::Fenced { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    })
}

#[test]
fn a_broker_may_be_killed_and_come_back() {
    let broker = Broker::start();
    let kafka = Kafka { broker: &broker };
    // Longer than the first transaction of a new broker takes on a busy machine: one that takes longer is ended by the broker,
    // and its producer is fenced.
    let mut config = KafkaConfig { transaction_timeout_ms: 10_000, request_timeout_ms: 1_000, ..kafka.config() };
    // A member that could not say goodbye is remembered for this long.
    config.properties.insert("session.timeout.ms".into(), "6000".into());
    let log = KafkaLog::connect(config).unwrap();
    // The first use of a new broker makes its inner topics, which takes it more than a second.
    let writer = until("a writer", || log.writer("w").ok());
    let (input, output) = (kafka.topic(&log, 1), kafka.topic(&log, 1));
    let mut writer = append_at_last(&log, "w", Some(writer), &record(&input, 0, "before"));
    let mut reader = log.reader(&[&input], &Positions::new()).unwrap();
    assert_eq!(drain(reader.as_mut()).0, ["before"]);
    let mut worker = log.worker("g", "m", &[&input]).unwrap();
    let (_, mut worked) = take_over(worker.as_mut(), 1);
    let genesis = log.genesis().unwrap();

    broker.kill9();
    let error = writer.append(&[record(&input, 0, "lost")]).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. } | Error::Indeterminate { .. }), "{error:?}");
    let error = log.writer("w").err().unwrap();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let error = until("an error of the reader", || reader.next(Limit::default(), WAIT).err());
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    // The group may have lost patience with it meanwhile, as far as the worker can tell.
    let error = worker.commit(&[record(&output, 0, "lost")], &Positions::new()).unwrap_err();
    let ended = matches!(error, Error::Fenced { .. });
    assert!(ended || matches!(error, Error::Unavailable { .. } | Error::Indeterminate { .. }), "{error:?}");

    broker.restart();
    let _writer = append_at_last(&log, "w", None, &record(&input, 0, "after"));
    let after = until("the reader to go on", || match reader.next(Limit::default(), WAIT) {
        Ok(batch) => (!batch.records.is_empty()).then_some(batch.records),
        Err(Error::Unavailable { .. }) => None,
        Err(error) => panic!("{error}"),
    });
    assert_eq!(after.iter().map(text).collect::<Vec<_>>(), ["after"]);

    // A worker is opened anew: the group stored nothing, so everything comes again.
    drop(worker);
    worked.clear();
    let mut worker = until("a worker", || log.worker("g", "m", &[&input]).ok());
    let mut upto = Positions::new();
    until("both records", || {
        match worker.next(Limit::default(), WAIT) {
            Ok(Step::Batch(batch)) => {
                worked.extend(batch.records.iter().map(text));
                upto.extend(batch.positions);
            }
            Ok(_) | Err(Error::Unavailable { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        (worked.len() >= 2).then_some(())
    });
    assert_eq!(worked, ["before", "after"]);
    worker.commit(&[record(&output, 0, "out")], &upto).unwrap();
    assert_eq!(read_all(&log, &output), ["out"]);
    assert_eq!(log.genesis().unwrap(), genesis);
    assert_ne!(genesis, Kafka::shared().log().genesis().unwrap(), "another cluster is another log");
}

#[test]
fn a_damaged_record_is_told_and_not_passed() {
    let broker = Broker::start();
    let kafka = Kafka { broker: &broker };
    let log = kafka.log();
    let topic = kafka.topic(&log, 1);
    let mut config = kafka.config();
    config.properties.insert("compression.type".into(), "none".into());
    let mut writer = KafkaLog::connect(config).unwrap().writer("w").unwrap();
    for value in ["good one", "bad one", "good two"] {
        writer.append(&[record(&topic, 0, value)]).unwrap();
    }
    // In good order, or the broker would check its files when it starts and cut them off.
    broker.stop();
    let segment = broker.data().join(format!("{topic}-0/00000000000000000000.log"));
    let mut bytes = fs::read(&segment).unwrap();
    let place = bytes.windows(7).position(|window| window == b"bad one").unwrap();
    bytes[place] ^= 1;
    fs::write(&segment, bytes).unwrap();
    broker.restart();

    let corrupt = |error: Error| match error {
        Error::Corrupt { place, .. } => assert!(place.contains(&*topic), "{place}"),
        other => panic!("expected damage, got {other}"),
    };
    let mut reader = log.reader(&[&topic], &Positions::new()).unwrap();
    for _ in 0..2 {
        corrupt(until("an error of the reader", || match reader.next(Limit::default(), WAIT) {
            Ok(batch) => {
                assert!(batch.records.iter().all(|stored| text(stored) == "good one"), "{batch:?}");
                None
            }
            Err(Error::Unavailable { .. }) => None,
            Err(error) => Some(error),
        }));
    }
    corrupt(log.state(&topic, None).unwrap_err());
    let mut worker = log.worker("g", "m", &[&topic]).unwrap();
    corrupt(until("an error of the worker", || worker.next(Limit::default(), WAIT).err()));
    assert!(worker.next(Limit::default(), WAIT).is_err(), "the error stays");
}

/// `cargo test -p chipwire-log --features kafka --test kafka -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stderr, reason = "a measurement is for reading")]
fn time_of_a_commit() {
    let kafka = Kafka::shared();
    let log = kafka.log();
    let (input, output) = (kafka.topic(&log, 1), kafka.topic(&log, 1));
    let median = |name: &str, mut once: Box<dyn FnMut() + '_>| {
        let mut times: Vec<Duration> = (0..120)
            .map(|_| {
                let started = Instant::now();
                once();
                started.elapsed()
            })
            // The first ones meet a cold broker.
            .skip(20)
            .collect();
        times.sort();
        eprintln!("{name}: median {:?}, p99 {:?}", times[times.len() / 2], times[times.len() - 2]);
    };
    let records: Vec<_> = (0..100).map(|n| record(&output, 0, format!("{n:0>2048}"))).collect();

    for linger_ms in ["0", "1", "5"] {
        let mut config = kafka.config();
        config.properties.insert("linger.ms".into(), linger_ms.into());
        let log = KafkaLog::connect(config).unwrap();
        let mut writer = log.writer(&kafka.unique("writer")).unwrap();
        median(&format!("append, linger {linger_ms} ms"), Box::new(|| writer.append(&records).unwrap()));
        let mut worker = log.worker(&kafka.unique("group"), "member", &[&input]).unwrap();
        let (upto, _) = take_over(worker.as_mut(), 1);
        median(&format!("commit, linger {linger_ms} ms"), Box::new(|| worker.commit(&records, &upto).unwrap()));
    }

    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.broker.bootstrap())
        .set("transactional.id", kafka.unique("plain"))
        .create()
        .unwrap();
    producer.init_transactions(DEADLINE).unwrap();
    median(
        "plain commit_transaction",
        Box::new(|| {
            producer.begin_transaction().unwrap();
            for record in &records {
                let value = record.value.as_deref().unwrap();
                producer.send(BaseRecord::to(&output).partition(0).key(&record.key).payload(value)).unwrap();
            }
            producer.commit_transaction(DEADLINE).unwrap();
        }),
    );
    median("the bounds of a topic", Box::new(|| drop(log.bounds(&output).unwrap())));
    median("an empty state", Box::new(|| drop(log.state(&input, None).unwrap())));
}
