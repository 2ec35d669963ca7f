//! What could not be processed, kept whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::EventId;

/// Why an event could not be processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The bytes are no event that this version knows.
    Decode,
    /// It is larger than a stage takes.
    TooLarge,
    /// A stage panicked on it.
    Panic,
}

impl ErrorClass {
    /// The class as it is written in events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::TooLarge => "too_large",
            Self::Panic => "panic",
        }
    }
}

/// A record that a stage could not process, with its original bytes. Payload of `chipwire.event.rejected.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// The stage that gave up: `enrich`, `index`, `alert`.
    pub stage: String,
    /// The topic it was read from, without prefix.
    pub topic: String,
    /// The partition it was read from.
    pub partition: u32,
    /// The offset it was read from.
    pub offset: i64,
    /// Why.
    pub class: ErrorClass,
    /// Why, for people.
    pub message: String,
    /// The record's key.
    pub key: String,
    /// The record's headers.
    pub headers: Vec<(String, String)>,
    /// The record's value, in base64 (RFC 4648 section 4).
    pub value_base64: String,
    /// The version of chipwire that gave up.
    pub version: String,
}

impl DeadLetter {
    /// The id of the event that carries it: a hash of the place.
    pub fn event_id(&self) -> EventId {
        EventId::of(
            "chipwire.event.rejected.v1",
            &[&self.stage, &self.topic, &self.partition.to_string(), &self.offset.to_string(), &self.key],
        )
    }
}
