//! Transactions that are open, aborted, or left open by a broker.

use std::sync::Arc;

use chipwire_log::{
    Error, EventLog, Limit, PartitionId, Positions, Step,
    conformance::Fixture,
    kafka::{KafkaConfig, KafkaLog},
};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminOptions, AlterConfig, ResourceSpecifier},
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};

use crate::{DEADLINE, Kafka, WAIT, block_on, broker::Broker, drain, protocol, read_all, record, take_over, until};

#[test]
fn aborted_and_open_transactions_are_invisible() {
    let kafka = Kafka::shared();
    let log = kafka.log();
    let topic = kafka.topic(&log, 1);
    let partition = PartitionId::new(Arc::clone(&topic), 0);
    let mut reader = log.reader(&[&topic], &Positions::new()).unwrap();

    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.broker.bootstrap())
        .set("transactional.id", kafka.unique("foreign"))
        .create()
        .unwrap();
    producer.init_transactions(DEADLINE).unwrap();
    let send = |value: &str| {
        producer.send(BaseRecord::<(), str>::to(&topic).partition(0).payload(value)).unwrap();
        producer.flush(DEADLINE).unwrap();
    };

    producer.begin_transaction().unwrap();
    send("open");
    // Nothing to see, and no end either: what others have been acknowledged may stand behind it.
    let batch = reader.next(Limit::default(), WAIT).unwrap();
    assert_eq!(batch, chipwire_log::Batch::default());

    producer.abort_transaction(DEADLINE).unwrap();
    // The end lies behind the aborted record and the mark of the abort; nothing but the position shows it.
    let (values, positions) = drain(reader.as_mut());
    assert_eq!((values, positions[&partition]), (vec![], 2));
    assert_eq!(log.bounds(&topic).unwrap()[0].high, 2);

    producer.begin_transaction().unwrap();
    send("committed");
    producer.commit_transaction(DEADLINE).unwrap();
    let (values, positions) = drain(reader.as_mut());
    assert_eq!((values, positions[&partition]), (vec!["committed".to_owned()], 4));
    // A state is read past such records too.
    assert_eq!(log.state(&topic, None).unwrap().positions[&partition], 4);
}

#[test]
fn positions_that_an_open_transaction_holds_back_are_told_apart() {
    let kafka = Kafka::shared();
    let log = KafkaLog::connect(KafkaConfig { request_timeout_ms: 1_500, ..kafka.config() }).unwrap();
    let topic = kafka.topic(&log, 1);
    let partition = PartitionId::new(Arc::clone(&topic), 0);
    let group = kafka.unique("group");
    let mut writer = log.writer(&kafka.unique("writer")).unwrap();
    writer.append(&[record(&topic, 0, 0), record(&topic, 0, 1)]).unwrap();
    let mut worker = log.worker(&group, "member", &[&topic]).unwrap();
    take_over(worker.as_mut(), 1);
    worker.commit(&[], &Positions::from([(partition.clone(), 1)])).unwrap();
    drop(worker);

    let client = || {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", kafka.broker.bootstrap());
        config
    };
    let producer: BaseProducer = client().set("transactional.id", kafka.unique("foreign")).create().unwrap();
    producer.init_transactions(DEADLINE).unwrap();
    producer.begin_transaction().unwrap();
    let outside: BaseConsumer = client().set("group.id", format!("chipwire.{group}")).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Offset(2)).unwrap();
    producer.send_offsets_to_transaction(&list, &outside.group_metadata().unwrap(), DEADLINE).unwrap();

    let told = |error: Error| {
        assert!(error.is_transient(), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("chipwire.{group}")) && text.contains("was left open"), "{text}");
    };
    told(log.committed(&group, &[&topic]).unwrap_err());
    let mut worker = log.worker(&group, "member", &[&topic]).unwrap();
    told(until("an error", || worker.next(Limit::default(), WAIT).err()));

    // It goes on where the last transaction that was committed says.
    producer.abort_transaction(DEADLINE).unwrap();
    let positions = until("positions", || match worker.next(Limit::default(), WAIT) {
        Ok(Step::Assigned(positions)) => Some(positions),
        Ok(_) => None,
        Err(error) => panic!("{error}"),
    });
    assert_eq!(positions, Positions::from([(partition, 1)]));
}

#[test]
fn what_the_brokers_left_open_of_a_worker_ends_when_it_comes_back() {
    let broker = Broker::start();
    let kafka = Kafka { broker: &broker };
    let log = kafka.log();
    let [input, output] = [(); 2].map(|()| PartitionId::new(kafka.topic(&log, 1), 0));
    let mut writer = log.writer("writer").unwrap();
    writer.append(&[record(&input.topic, 0, 0), record(&input.topic, 0, 1)]).unwrap();
    let mut worker = log.worker("group", "member", &[&input.topic]).unwrap();
    take_over(worker.as_mut(), 1);
    worker.commit(&[record(&output.topic, 0, "first")], &Positions::from([(input.clone(), 1)])).unwrap();
    drop(worker);

    let mut trusting = AlterConfig::new(ResourceSpecifier::Broker(1));
    trusting = trusting.set("transaction.partition.verification.enable", "false");
    block_on(kafka.admin().alter_configs([&trusting], &AdminOptions::new())).unwrap()[0].as_ref().unwrap();
    until("a broker that takes transactions without a coordinator", || {
        let id = "chipwire.worker/group/member";
        protocol::leave_open(&broker.bootstrap(), id, (&output, "left open"), "chipwire.group", (&input, 2)).ok()
    });
    let impatient = KafkaLog::connect(KafkaConfig { request_timeout_ms: 2_000, ..kafka.config() }).unwrap();
    let held_back = impatient.committed("group", &[&input.topic]).unwrap_err().to_string();
    assert!(held_back.contains("was left open"), "{held_back}");
    let mut reader = log.reader(&[&output.topic], &Positions::new()).unwrap();
    let batch = until("records", || {
        let batch = reader.next(Limit::default(), WAIT).unwrap();
        (!batch.records.is_empty()).then_some(batch)
    });
    assert!(!batch.at_end);

    // Neither its record nor its position counts, whatever is committed after it.
    let log = kafka.log();
    log.bounds(&output.topic).unwrap();
    let mut worker = log.worker("group", "member", &[&input.topic]).unwrap();
    assert_eq!(log.committed("group", &[&input.topic]).unwrap(), Positions::from([(input.clone(), 1)]));
    take_over(worker.as_mut(), 1);
    worker.commit(&[record(&output.topic, 0, "second")], &Positions::from([(input.clone(), 2)])).unwrap();
    assert_eq!(drain(reader.as_mut()).0, ["second"]);
    assert_eq!(log.committed("group", &[&input.topic]).unwrap(), Positions::from([(input, 2)]));
}

#[test]
fn a_topic_that_may_not_be_written_to_holds_up_no_writer() {
    let broker = Broker::start();
    let kafka = Kafka { broker: &broker };
    let log = KafkaLog::connect(KafkaConfig { request_timeout_ms: 2_000, ..kafka.config() }).unwrap();
    let [own, other] = [(); 2].map(|()| PartitionId::new(kafka.topic(&log, 1), 0));
    let foreign: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("transactional.id", "foreign")
        .create()
        .unwrap();
    foreign.init_transactions(DEADLINE).unwrap();
    foreign.begin_transaction().unwrap();
    foreign.send(BaseRecord::<(), str>::to(&other.topic).partition(0).payload("undecided")).unwrap();
    foreign.flush(DEADLINE).unwrap();
    protocol::deny_writing(&broker.bootstrap(), &other);

    // Whether something of its own is left open there need not be known: nothing can be.
    let mut writer = log.writer("writer").unwrap();
    writer.append(&[record(&own.topic, 0, "written")]).unwrap();
    assert_eq!(read_all(&log, &own.topic), ["written"]);
}
