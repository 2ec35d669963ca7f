//! Kafka messages as records, and back.

use std::{panic::AssertUnwindSafe, sync::Arc};

use rdkafka::{
    Message,
    message::{BorrowedMessage, Header, Headers, OwnedHeaders},
    producer::BaseRecord,
};

use crate::{Record, StoredRecord};

/// A message to be sent. The partition is always explicit: which one a key goes to is the domain's business.
pub(super) fn to_message(record: &Record) -> BaseRecord<'_, [u8], [u8]> {
    let headers =
        record.headers.iter().fold(OwnedHeaders::new_with_capacity(record.headers.len()), |headers, (name, value)| {
            headers.insert(Header { key: name, value: Some(value.as_bytes()) })
        });
    let message = BaseRecord::to(&record.topic)
        .partition(i32::try_from(record.partition).unwrap_or(i32::MAX))
        .key(record.key.as_slice())
        .headers(headers);
    match &record.value {
        Some(value) => message.payload(value.as_slice()),
        None => message,
    }
}

/// A message as it was read from `topic`.
pub(super) fn from_message(topic: &Arc<str>, message: &BorrowedMessage<'_>) -> StoredRecord {
    StoredRecord {
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or_default(),
        record: Record {
            topic: Arc::clone(topic),
            partition: u32::try_from(message.partition()).unwrap_or_default(),
            key: message.key().unwrap_or_default().to_vec(),
            headers: headers(message),
            value: message.payload().map(<[u8]>::to_vec),
        },
    }
}

/// Header values that are not UTF-8 are repaired. Header *names* that are not make the binding panic; other programs may
/// write to the topic too, so such a record is given without its headers, and whoever needs them refuses it.
fn headers(message: &BorrowedMessage<'_>) -> Vec<(String, String)> {
    let read = || match message.headers() {
        Some(headers) => headers
            .iter()
            .map(|header| {
                (header.key.to_owned(), String::from_utf8_lossy(header.value.unwrap_or_default()).into_owned())
            })
            .collect(),
        None => Vec::new(),
    };
    std::panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        tracing::warn!(
            topic = message.topic(),
            partition = message.partition(),
            offset = message.offset(),
            "a header name is not UTF-8; the record is read without its headers"
        );
        Vec::new()
    })
}

/// What counts against a limit.
pub(super) fn size_bytes(record: &StoredRecord) -> usize {
    record.record.key.len() + record.record.value.as_ref().map_or(0, Vec::len)
}
