//! Requests that no client library sends, in Kafka's own words.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use bytes::{Bytes, BytesMut};
use chipwire_log::PartitionId;
use kafka_protocol::{
    messages::{
        InitProducerIdRequest, ProduceRequest, RequestHeader, TopicName, TransactionalId, TxnOffsetCommitRequest,
        produce_request::{PartitionProduceData, TopicProduceData},
        txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
    },
    protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes},
    records::{Compression, NO_PARTITION_LEADER_EPOCH, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType},
};

/// Of before the brokers took part in transactions by themselves.
const INIT_PRODUCER_ID: i16 = 4;
const PRODUCE: i16 = 9;
const TXN_OFFSET_COMMIT: i16 = 3;

/// A record and a position of a transaction of which the coordinator knows nothing: the state in which one is left whose end
/// was lost. The broker takes it only with `transaction.partition.verification.enable=false`; otherwise the error is its code.
pub(super) fn leave_open(
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

    let (id, value) = record;
    let records = Record {
        transactional: true,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
        producer_id: producer.producer_id.0,
        producer_epoch: producer.producer_epoch,
        timestamp_type: TimestampType::Creation,
        offset: 0,
        sequence: 0,
        timestamp: 1_000_000_000_000,
        key: Some(Bytes::from_static(b"key")),
        value: Some(Bytes::from_static(value.as_bytes())),
        headers: Default::default(),
    };
    let mut batch = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut batch, [&records], &options).unwrap();
    let data = PartitionProduceData::default().with_index(number(id)).with_records(Some(batch.freeze()));
    let topic = TopicProduceData::default().with_name(TopicName(text(&id.topic))).with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_transactional_id(Some(transactional_id.clone()))
        .with_acks(-1)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![topic]);
    refused(ask(&mut broker, &request, PRODUCE).responses[0].partition_responses[0].error_code)?;

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
