//! Rules: saved queries that raise alerts.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::RuleId;

/// A saved query that raises an alert for every new article that matches it. Payload of `chipwire.rule.saved.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Unique; the key in the `rules` topic.
    pub id: RuleId,
    /// 1 when it is added, one more with every change of the query.
    pub version: u32,
    /// For people.
    pub name: String,
    /// In the query language of search.
    pub query: String,
    /// The names of the sinks that its alerts go to: `terminal`, or a sink of the configuration.
    pub sinks: Vec<String>,
    /// When this version was saved.
    #[schemars(with = "String")]
    pub saved: Timestamp,
}

impl Rule {
    /// The version of a rule that is saved with `query` where `before` was: a changed query makes a new one, which raises alerts
    /// of its own.
    pub fn version_after(before: Option<&Rule>, query: &str) -> u32 {
        match before {
            Some(before) if before.query == query => before.version,
            Some(before) => before.version.saturating_add(1),
            None => 1,
        }
    }
}
