//! Feeds: what a user asked for, and what chipwire knows about each.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::FeedId;

/// Where the wish to follow a feed came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeedOrigin {
    /// The configuration or the OPML list that it names: gone from there, gone from chipwire.
    Config,
    /// `chipwire feeds add`, `feeds import` or the API: stays until it is removed.
    User,
    /// Not polled: the name under which imported articles are kept.
    Import,
}

/// A feed that somebody follows. Payload of `chipwire.feed.subscribed.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Feed {
    /// A hash of the address under which it was first added.
    pub id: FeedId,
    /// The address under which it was added.
    pub url: String,
    /// The name that the user gave it; else the feed's own title is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The folders it lies in, outermost first, as in OPML.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folder: Vec<String>,
    /// The shortest time between two polls, in seconds, if the user set one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u32>,
    /// Not polled while true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Where the wish to follow it came from.
    pub origin: FeedOrigin,
}

impl Feed {
    /// A feed followed under `url`, with nothing else said about it.
    pub fn new(url: impl Into<String>, origin: FeedOrigin) -> Self {
        let url = url.into();
        Self { id: FeedId::of(&url), url, title: None, folder: Vec::new(), interval_s: None, paused: false, origin }
    }
}

/// What identifies an item of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IdentityPolicy {
    /// Its guid or id.
    #[default]
    Guid,
    /// Its canonical link, for feeds whose guids repeat or change.
    Link,
    /// A hash of title and date, for feeds that have neither.
    Hash,
}

/// An item that was seen in a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemState {
    /// A hash of its stable identity.
    pub id: String,
    /// The last revision that was published.
    pub revision: u32,
    /// The content hash of that revision.
    pub content_hash: String,
    /// A hash of its canonical link, by which it is known again when the feed changes its guids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// When it was last in the feed.
    #[schemars(with = "String")]
    pub last_seen: Timestamp,
}

/// A permanent move that the server announces and that has not held for long enough to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedMove {
    /// The new address.
    pub to: String,
    /// Polls in a row that were sent there and could be read.
    pub polls: u32,
    /// The first of them.
    #[schemars(with = "String")]
    pub since: Timestamp,
}

/// Why a feed cannot be read just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedError {
    /// A short stable name for counting: `dns`, `connect`, `timeout`, `http`, `too_large`, `not_a_feed`, `parse`, ...
    pub class: String,
    /// What happened and what can be done, for people.
    pub message: String,
    /// The first failure in a row.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Failures in a row.
    pub count: u32,
}

/// What chipwire knows about a feed after its last poll. Payload of `chipwire.feed.polled.v1`; the latest per feed counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedState {
    /// The feed.
    pub feed: FeedId,
    /// The address it is fetched from now: differs from [`Feed::url`] after a permanent move.
    pub url: String,
    /// The feed's own title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `ETag` of the last full answer, opaque (RFC 9110 section 8.8.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// `Last-Modified` of the last full answer, opaque (RFC 9110 section 8.8.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// The last poll, whatever came of it.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_polled: Option<Timestamp>,
    /// The last poll that could be read or was answered with 304.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ok: Option<Timestamp>,
    /// Not polled before this time.
    #[schemars(with = "String")]
    pub next_poll: Timestamp,
    /// The time between two polls that the last full answer asked for, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u32>,
    /// Set while the server announces a permanent move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<FeedMove>,
    /// The status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Set while the feed cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<FeedError>,
    /// What had to be repaired in the last full answer, for the feed's owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What identifies an item of this feed.
    #[serde(default)]
    pub identity: IdentityPolicy,
    /// Articles published from this feed so far, revisions not counted.
    #[serde(default)]
    pub articles: u64,
    /// The items that were seen lately, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemState>,
}
