//! The JSON Schema of every type of event and the AsyncAPI document, generated from the Rust types.

use serde_json::{Value, json};

use crate::{
    Alert, Article, DeadLetter, Delivery, Feed, FeedItems, FeedList, FeedPush, FeedState, Rejected, Replayed, Rule,
    TaggedArticle, Topic,
};

/// Every type of event with the topic it lies in and the JSON Schema (draft 2020-12) of its payload.
pub fn schemas() -> Vec<(&'static str, Topic, Value)> {
    vec![
        ("chipwire.feed.subscribed.v1", Topic::Feeds, schemars::schema_for!(Feed).to_value()),
        ("chipwire.feed.polled.v1", Topic::FeedStates, schemars::schema_for!(FeedState).to_value()),
        ("chipwire.feed.read.v1", Topic::FeedStates, schemars::schema_for!(FeedItems).to_value()),
        ("chipwire.feed.pushed.v1", Topic::Feeds, schemars::schema_for!(FeedPush).to_value()),
        ("chipwire.list.imported.v1", Topic::Feeds, schemars::schema_for!(FeedList).to_value()),
        ("chipwire.article.fetched.v1", Topic::ArticlesRaw, schemars::schema_for!(Article).to_value()),
        ("chipwire.article.tagged.v1", Topic::ArticlesTagged, schemars::schema_for!(TaggedArticle).to_value()),
        ("chipwire.article.rejected.v1", Topic::ArticlesTagged, schemars::schema_for!(Rejected).to_value()),
        ("chipwire.rule.saved.v1", Topic::Rules, schemars::schema_for!(Rule).to_value()),
        ("chipwire.alert.raised.v1", Topic::Alerts, schemars::schema_for!(Alert).to_value()),
        ("chipwire.delivery.changed.v1", Topic::Deliveries, schemars::schema_for!(Delivery).to_value()),
        ("chipwire.event.rejected.v1", Topic::DeadLetters, schemars::schema_for!(DeadLetter).to_value()),
        ("chipwire.event.replayed.v1", Topic::DeadLetters, schemars::schema_for!(Replayed).to_value()),
    ]
}

/// The AsyncAPI 3.0 document: every topic, every type of event, and the headers that all of them have.
pub fn asyncapi() -> Value {
    let mut channels = serde_json::Map::new();
    let mut operations = serde_json::Map::new();
    let mut messages = serde_json::Map::new();
    for topic in Topic::ALL {
        let in_topic: serde_json::Map<String, Value> = schemas()
            .into_iter()
            .filter(|(_, of, _)| *of == topic)
            .map(|(name, _, _)| (name.to_owned(), json!({ "$ref": format!("#/components/messages/{name}") })))
            .collect();
        channels.insert(
            topic.name().to_owned(),
            json!({
                "address": format!("chipwire.{}", topic.name()),
                "messages": in_topic,
                "bindings": { "kafka": { "partitions": topic.partitions() } },
            }),
        );
        operations.insert(
            format!("receive-{}", topic.name()),
            json!({ "action": "receive", "channel": { "$ref": format!("#/channels/{}", topic.name()) } }),
        );
    }
    for (name, _, schema) in schemas() {
        messages.insert(
            name.to_owned(),
            json!({
                "name": name,
                "contentType": "application/json",
                "headers": { "$ref": "#/components/schemas/headers" },
                "payload": schema,
            }),
        );
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "chipwire events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "CloudEvents 1.0 in binary content mode; the value of every record is the payload as JSON.",
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": {
                "headers": {
                    "type": "object",
                    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"],
                    "properties": {
                        "content-type": { "const": "application/json" },
                        "ce_specversion": { "const": "1.0" },
                        "ce_id": { "type": "string", "description": "deterministic: the same fact has the same id" },
                        "ce_type": { "type": "string" },
                        "ce_source": { "type": "string", "format": "uri-reference" },
                        "ce_time": { "type": "string", "format": "date-time" },
                        "ce_covers": {
                            "type": "string",
                            "pattern": "^[0-9]+:-?[0-9]+:[0-9]+$",
                            "description": "outcomes of enrichment only: partition:from:to, the raw records in (from, to]",
                        },
                    },
                },
            },
        },
    })
}
