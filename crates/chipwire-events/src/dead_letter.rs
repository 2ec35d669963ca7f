//! What could not be processed, kept whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::EventId;

/// The header of a record that was put back: which attempt it is. An extension attribute of CloudEvents.
pub const ATTEMPT_HEADER: &str = "ce_attempt";

/// The header of a tagged article that was put back: for the sake of which stage. An extension attribute of CloudEvents.
pub const STAGE_HEADER: &str = "ce_stage";

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
    /// Headers and value are left out, since they would make this larger than an event may be: they are where they were read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left_out: bool,
    /// The version of chipwire that gave up.
    pub version: String,
    /// How often it has been tried, this time included: more than once after a replay.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub attempts: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_false(left_out: &bool) -> bool {
    !left_out
}

fn one() -> u32 {
    1
}

fn is_one(attempts: &u32) -> bool {
    *attempts == 1
}

/// A dead letter's record was put back into the topic it was read from, to be tried once more. Payload of
/// `chipwire.event.replayed.v1`, written in one transaction with that record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replayed {
    /// The id of the dead letter's event.
    pub dead_letter: EventId,
    /// The topic it was put back into, without prefix.
    pub topic: String,
    /// The partition.
    pub partition: u32,
    /// Which attempt that makes, the first one included.
    pub attempt: u32,
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
