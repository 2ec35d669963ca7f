//! Alerts, and how far their delivery has come.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AlertId, ArticleId, RuleId};

/// A rule matched an article. Payload of `chipwire.alert.raised.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// A hash of rule, version and article: the same match raises the same alert, also when it is raised twice.
    pub id: AlertId,
    /// The rule that matched.
    pub rule: RuleId,
    /// Its version.
    pub rule_version: u32,
    /// Its name at that version.
    pub rule_name: String,
    /// The sinks that it goes to.
    pub sinks: Vec<String>,
    /// The article that matched.
    pub article: ArticleId,
    /// The revision that matched.
    pub revision: u32,
    /// The article's title.
    pub title: String,
    /// The article's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who published it.
    pub source: String,
    /// When it was published, or else first seen.
    #[schemars(with = "String")]
    pub published: Timestamp,
    /// What it mentions, as `kind:id`, the most salient first.
    pub entities: Vec<String>,
    /// When chipwire first saw the article.
    #[schemars(with = "String")]
    pub raised: Timestamp,
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatus {
    /// To be sent, at once or again.
    Pending,
    /// The sink took it.
    Delivered,
    /// Given up: the sink refused for good, or the last retry failed.
    Failed,
}

/// The state of one alert's delivery to one sink. Payload of `chipwire.delivery.changed.v1`; the latest per key counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// The alert itself, so that a retry needs nothing else.
    pub alert: Alert,
    /// The sink's name.
    pub sink: String,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// Attempts so far.
    pub attempts: u32,
    /// Not sent before this time.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// What the last attempt said, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Delivery {
    /// The key in the `deliveries` topic: alert and sink.
    pub fn key(&self) -> String {
        format!("{}/{}", self.alert.id, self.sink)
    }
}
