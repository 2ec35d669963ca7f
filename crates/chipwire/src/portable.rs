//! The log as lines of text: one CloudEvent in the JSON event format (CloudEvents 1.0, JSON event format, section 3) a line.

use base64::{Engine, engine::general_purpose::STANDARD};
use chipwire_events::Topic;
use chipwire_log::{Record, StoredRecord};
use serde_json::{Map, Value, json};

use crate::{
    feed_list,
    wire::{self, Log},
};

/// Whether the values of feeds' own headers, which may be passwords, are in what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// Left out.
    Hidden,
    /// As they are.
    Shown,
}

/// A record as a CloudEvent, with its place in the log. What is not JSON is in `data_base64`; a tombstone has no data.
pub fn cloud_event(log: &Log, stored: &StoredRecord, secrets: Secrets) -> Value {
    let record = &stored.record;
    let mut event = Map::new();
    for (name, value) in &record.headers {
        match name.strip_prefix("ce_") {
            Some(attribute) => event.insert(attribute.to_owned(), json!(value)),
            None if name == "content-type" => event.insert("datacontenttype".to_owned(), json!(value)),
            None => None,
        };
    }
    let topic = match log.topic(&record.topic) {
        Some(topic) => topic.name().to_owned(),
        None => record.topic.to_string(),
    };
    event.insert("partitionkey".to_owned(), json!(wire::key(stored)));
    event.insert("topic".to_owned(), json!(topic));
    event.insert("partition".to_owned(), json!(record.partition));
    event.insert("offset".to_owned(), json!(stored.offset));
    let Some(value) = &record.value else {
        return Value::Object(event);
    };
    match serde_json::from_slice::<Value>(value) {
        Ok(mut data) => {
            let is_feed =
                event.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("chipwire.feed."));
            if is_feed && secrets == Secrets::Hidden {
                feed_list::hide_headers(&mut data);
            }
            event.insert("data".to_owned(), data);
        }
        Err(_) => {
            event.insert("data_base64".to_owned(), json!(STANDARD.encode(value)));
        }
    }
    Value::Object(event)
}

/// The record of a line that [`cloud_event`] wrote, to be appended to the topic and partition that it names.
///
/// # Errors
/// What is wrong with the line, for people.
pub fn record(log: &Log, line: &str) -> Result<(Topic, Record), String> {
    let event: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let text = |name: &str| event.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is missing"));
    let name = text("topic")?;
    let topic = Topic::from_name(name).ok_or_else(|| format!("there is no topic `{name}`"))?;
    let partition = event.get("partition").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let partition = partition.filter(|partition| *partition < topic.partitions());
    let partition =
        partition.ok_or_else(|| format!("`partition` is none of the {} of `{name}`", topic.partitions()))?;
    let value = match (event.get("data"), event.get("data_base64").and_then(Value::as_str)) {
        (Some(data), _) => Some(data.to_string().into_bytes()),
        (None, Some(base64)) => Some(STANDARD.decode(base64).map_err(|error| format!("`data_base64`: {error}"))?),
        (None, None) => None,
    };
    let mut headers = Vec::new();
    if let Some(kind) = event.get("datacontenttype").and_then(Value::as_str) {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    for (name, value) in &event {
        let is_ours = ["partitionkey", "topic", "partition", "offset", "data", "data_base64", "datacontenttype"];
        if let (false, Some(value)) = (is_ours.contains(&name.as_str()), value.as_str()) {
            headers.push((format!("ce_{name}"), value.to_owned()));
        }
    }
    let key = text("partitionkey")?.as_bytes().to_vec();
    Ok((topic, Record { topic: log.name(topic).clone(), partition, key, headers, value }))
}

/// Whether the events of a topic come from outside or say what was done: those of the others are made from them again.
pub fn is_source(topic: Topic) -> bool {
    !matches!(topic, Topic::ArticlesTagged | Topic::DeadLetters)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use chipwire_events::{Event, Feed, FeedHeader, FeedOrigin, Timestamp};
    use chipwire_log::{Limit, Positions, memory::MemoryLog};

    use super::*;

    fn log() -> Log {
        let log = Log::new(Arc::new(MemoryLog::default()), "test.");
        log.ensure().unwrap();
        log
    }

    fn stored(log: &Log, records: &[Record]) -> Vec<StoredRecord> {
        log.backend().writer("test").unwrap().append(records).unwrap();
        let names: Vec<&str> = Topic::ALL.iter().map(|topic| &**log.name(*topic)).collect();
        let mut reader = log.backend().reader(&names, &Positions::new()).unwrap();
        reader.next(Limit::default(), Duration::ZERO).unwrap().records
    }

    #[test]
    fn what_is_written_is_read() {
        let log = log();
        let mut feed = Feed::new("https://example.org/feed", FeedOrigin::User);
        feed.headers = vec![FeedHeader { name: "Authorization".to_owned(), value: "Bearer secret".to_owned() }];
        let event = Event::FeedSubscribed(feed.clone());
        let record_of = |event: &Event| log.encode(event, Timestamp::UNIX_EPOCH, None).unwrap();
        let good = record_of(&event);
        let poison = Record { value: Some(b"\xff{".to_vec()), headers: Vec::new(), ..good.clone() };
        let tombstone = Record { value: None, headers: Vec::new(), ..good.clone() };
        for stored in stored(&log, &[good, poison, tombstone]) {
            let line = cloud_event(&log, &stored, Secrets::Shown).to_string();
            let (topic, mut again) = record(&log, &line).unwrap();
            assert_eq!(topic, Topic::Feeds);
            let mut expected = stored.record.clone();
            // Names of headers and of fields may stand in another order.
            again.headers.sort();
            expected.headers.sort();
            let json =
                |record: &Record| serde_json::from_slice::<Value>(record.value.as_deref().unwrap_or_default()).ok();
            assert_eq!(json(&again), json(&expected));
            if json(&expected).is_some() {
                again.value.clone_from(&expected.value);
            }
            assert_eq!(again, expected);
            assert!(!cloud_event(&log, &stored, Secrets::Hidden).to_string().contains("Bearer secret"));
        }
    }

    #[test]
    fn lines_that_are_none_are_named() {
        let log = log();
        for (line, expected) in [
            ("", "EOF while parsing"),
            ("[]", "invalid type"),
            ("{}", "`topic` is missing"),
            (r#"{"topic":"gossip"}"#, "there is no topic `gossip`"),
            (r#"{"topic":"rules","partition":-1}"#, "`partition` is none of the"),
            (r#"{"topic":"rules","partition":4000}"#, "`partition` is none of the"),
            (r#"{"topic":"rules","partition":0}"#, "`partitionkey` is missing"),
            (r#"{"topic":"rules","partition":0,"partitionkey":"x","data_base64":"?"}"#, "`data_base64`: "),
        ] {
            let error = record(&log, line).unwrap_err();
            assert!(error.starts_with(expected), "{line}: {error}");
        }
    }
}
