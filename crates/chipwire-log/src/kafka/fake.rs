//! A broker that says what a real one says only for a moment: that there are no brokers, as one may that has just started.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    messages::{
        ApiKey, ApiVersionsResponse, BrokerId, MetadataResponse, ResponseHeader, TopicName,
        api_versions_response::ApiVersion,
        metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
    },
    protocol::{Encodable, StrBytes, decode_request_header_from_buffer},
};

const METADATA_VERSION: i16 = 4;
const BROKER: BrokerId = BrokerId(1);
const UNSUPPORTED_VERSION: i16 = 35;
const LEADER_NOT_AVAILABLE: i16 = 5;

/// Answers questions about itself and about topic `t` of one partition, until the process ends.
pub(super) struct FakeBroker {
    port: u16,
    forgetful: Arc<AtomicBool>,
}

impl FakeBroker {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let forgetful = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&forgetful);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let told = Arc::clone(&told);
                // A client that closes a connection ends its thread.
                thread::spawn(move || while answer(&connection, port, &told).is_ok() {});
            }
        });
        Self { port, forgetful }
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Whether it says that there are no brokers.
    pub(super) fn forget(&self, forgets: bool) {
        self.forgetful.store(forgets, Ordering::SeqCst);
    }
}

/// Reads a request and answers it.
fn answer(mut connection: &TcpStream, port: u16, forgetful: &AtomicBool) -> std::io::Result<()> {
    let mut size = [0; 4];
    connection.read_exact(&mut size)?;
    let mut request = vec![0; u32::from_be_bytes(size) as usize];
    connection.read_exact(&mut request)?;
    let header = decode_request_header_from_buffer(&mut Bytes::from(request)).unwrap();
    let mut response = BytesMut::new();
    let answered = ResponseHeader::default().with_correlation_id(header.correlation_id);
    answered.encode(&mut response, 0).unwrap();
    match ApiKey::try_from(header.request_api_key).unwrap() {
        ApiKey::ApiVersions => {
            let known = [(ApiKey::Metadata, METADATA_VERSION), (ApiKey::ApiVersions, 0)];
            let known = known.map(|(key, highest)| {
                ApiVersion::default().with_api_key(key as i16).with_min_version(0).with_max_version(highest)
            });
            // A client that asks in newer words asks again in these.
            let refused = if header.request_api_version == 0 { 0 } else { UNSUPPORTED_VERSION };
            let versions = ApiVersionsResponse::default().with_error_code(refused).with_api_keys(known.to_vec());
            versions.encode(&mut response, 0).unwrap();
        }
        ApiKey::Metadata => {
            metadata(port, forgetful.load(Ordering::SeqCst)).encode(&mut response, METADATA_VERSION).unwrap();
        }
        other => panic!("nobody asks for {other:?} here"),
    }
    connection.write_all(&u32::try_from(response.len()).unwrap().to_be_bytes())?;
    connection.write_all(&response)
}

fn metadata(port: u16, forgetful: bool) -> MetadataResponse {
    let broker = MetadataResponseBroker::default()
        .with_node_id(BROKER)
        .with_host(StrBytes::from_static_str("127.0.0.1"))
        .with_port(port.into());
    let partition = MetadataResponsePartition::default()
        .with_leader_id(BROKER)
        .with_replica_nodes(vec![BROKER])
        .with_isr_nodes(vec![BROKER]);
    let topic = MetadataResponseTopic::default().with_name(Some(TopicName(StrBytes::from_static_str("t"))));
    let answer =
        MetadataResponse::default().with_cluster_id(Some(StrBytes::from_static_str("fake"))).with_controller_id(BROKER);
    if forgetful {
        answer.with_topics(vec![topic.with_error_code(LEADER_NOT_AVAILABLE)])
    } else {
        answer.with_brokers(vec![broker]).with_topics(vec![topic.with_partitions(vec![partition])])
    }
}
