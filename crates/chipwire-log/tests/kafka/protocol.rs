//! Requests that no client library sends, in Kafka's own words.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use chipwire_log::PartitionId;
use kafka_protocol::{
    messages::{
        CreateAclsRequest, InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProducerId, RequestHeader,
        TopicName, TransactionalId, TxnOffsetCommitRequest,
        create_acls_request::AclCreation,
        produce_request::{PartitionProduceData, TopicProduceData},
        txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
    },
    protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes},
    records::{
        Compression, NO_PARTITION_LEADER_EPOCH, NO_SEQUENCE, Record, RecordBatchEncoder, RecordEncodeOptions,
        TimestampType,
    },
};

/// Of before the brokers took part in transactions by themselves.
const INIT_PRODUCER_ID: i16 = 4;
const PRODUCE: i16 = 9;
const TXN_OFFSET_COMMIT: i16 = 3;
const CREATE_ACLS: i16 = 2;

/// A record and a position of a transaction of which the coordinator knows nothing: the state in which one is left whose end
/// was lost. The broker takes it only with `transaction.partition.verification.enable=false`; otherwise the error is its code.
pub(crate) fn leave_open(
    broker: &str,
    transactional_id: &str,
    record: (&PartitionId, &'static str),
    group: &str,
    position: (&PartitionId, i64),
) -> Result<(), i16> {
    let mut broker = TcpStream::connect(broker).unwrap();
    let transactional_id = TransactionalId(text(transactional_id));
    let request = InitProducerIdRequest::default()
        .with_transactional_id(Some(transactional_id.clone()))
        .with_transaction_timeout_ms(30_000);
    let producer = ask(&mut broker, &request, INIT_PRODUCER_ID);
    refused(producer.error_code)?;

    produce(&mut broker, Some(&transactional_id), &producer, record)?;

    let (id, offset) = position;
    let partition =
        TxnOffsetCommitRequestPartition::default().with_partition_index(number(id)).with_committed_offset(offset);
    let topic =
        TxnOffsetCommitRequestTopic::default().with_name(TopicName(text(&id.topic))).with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(transactional_id)
        .with_group_id(text(group).into())
        .with_producer_id(producer.producer_id)
        .with_producer_epoch(producer.producer_epoch)
        .with_topics(vec![topic]);
    refused(ask(&mut broker, &request, TXN_OFFSET_COMMIT).topics[0].partitions[0].error_code)
}

/// Takes the right to write to a topic from everybody, and waits until the broker knows.
pub(crate) fn deny_writing(broker: &str, id: &PartitionId) {
    const TOPIC: i8 = 2;
    const LITERAL: i8 = 3;
    const ALL: i8 = 2;
    const WRITE: i8 = 4;
    const DENY: i8 = 2;
    const ALLOW: i8 = 3;
    const TOPIC_AUTHORIZATION_FAILED: i16 = 29;
    let mut broker = TcpStream::connect(broker).unwrap();
    let acls = [(ALL, ALLOW), (WRITE, DENY)].map(|(operation, permission)| {
        AclCreation::default()
            .with_resource_type(TOPIC)
            .with_resource_name(text(&id.topic))
            .with_resource_pattern_type(LITERAL)
            .with_principal(text("User:*"))
            .with_host(text("*"))
            .with_operation(operation)
            .with_permission_type(permission)
    });
    let request = CreateAclsRequest::default().with_creations(acls.to_vec());
    let created = ask(&mut broker, &request, CREATE_ACLS);
    assert!(created.results.iter().all(|result| result.error_code == 0), "{created:?}");
    // A producer without an id of its own.
    let nobody = InitProducerIdResponse::default().with_producer_id(ProducerId(-1)).with_producer_epoch(-1);
    let deadline = Instant::now() + Duration::from_secs(60);
    while produce(&mut broker, None, &nobody, (id, "before it was denied")) != Err(TOPIC_AUTHORIZATION_FAILED) {
        assert!(Instant::now() < deadline, "the broker does not deny it");
    }
}

/// Writes a record, in a transaction if one is named.
fn produce(
    broker: &mut TcpStream,
    transactional_id: Option<&TransactionalId>,
    producer: &InitProducerIdResponse,
    (id, value): (&PartitionId, &'static str),
) -> Result<(), i16> {
    let record = Record {
        transactional: transactional_id.is_some(),
        control: false,
        delete_horizon: false,
        partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
        producer_id: producer.producer_id.0,
        producer_epoch: producer.producer_epoch,
        timestamp_type: TimestampType::Creation,
        offset: 0,
        sequence: if transactional_id.is_some() { 0 } else { NO_SEQUENCE },
        timestamp: 1_000_000_000_000,
        key: Some(Bytes::from_static(b"key")),
        value: Some(Bytes::from_static(value.as_bytes())),
        headers: Default::default(),
    };
    let mut batch = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut batch, [&record], &options).unwrap();
    let data = PartitionProduceData::default().with_index(number(id)).with_records(Some(batch.freeze()));
    let topic = TopicProduceData::default().with_name(TopicName(text(&id.topic))).with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_transactional_id(transactional_id.cloned())
        .with_acks(-1)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![topic]);
    refused(ask(broker, &request, PRODUCE).responses[0].partition_responses[0].error_code)
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn number(id: &PartitionId) -> i32 {
    id.partition.try_into().unwrap()
}

fn refused(code: i16) -> Result<(), i16> {
    if code == 0 { Ok(()) } else { Err(code) }
}

fn ask<R: Request>(broker: &mut TcpStream, request: &R, version: i16) -> R::Response {
    let header = RequestHeader::default().with_request_api_key(R::KEY).with_request_api_version(version);
    let mut bytes = BytesMut::new();
    header.encode(&mut bytes, R::header_version(version)).unwrap();
    request.encode(&mut bytes, version).unwrap();
    broker.write_all(&u32::try_from(bytes.len()).unwrap().to_be_bytes()).unwrap();
    broker.write_all(&bytes).unwrap();

    let mut size = [0; 4];
    broker.read_exact(&mut size).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(size).try_into().unwrap()];
    broker.read_exact(&mut answer).unwrap();
    let mut answer = Bytes::from(answer);
    kafka_protocol::messages::ResponseHeader::decode(&mut answer, R::Response::header_version(version)).unwrap();
    R::Response::decode(&mut answer, version).unwrap()
}
