//! Feeds: what a user asked for, and what chipwire knows about each.

use std::{collections::BTreeMap, fmt};

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

/// Whether the pages of a feed's articles are fetched for their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArticlePages {
    /// Never: what the feed gives is all there is.
    Never,
    /// Where the feed gives only the first words of an article, or none.
    #[default]
    Auto,
    /// For every article.
    Always,
}

impl ArticlePages {
    /// `never`, `auto` or `always`.
    pub fn name(self) -> &'static str {
        match self {
            ArticlePages::Never => "never",
            ArticlePages::Auto => "auto",
            ArticlePages::Always => "always",
        }
    }
}

/// A header that is sent with the requests for a feed.
///
/// The value is often a secret: `Debug` leaves it out, and whoever shows a feed to people shows only the name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedHeader {
    /// The header's name (RFC 9110 section 5.1).
    pub name: String,
    /// The value; `${NAME}` in it stands for an environment variable of the process that fetches.
    pub value: String,
}

impl fmt::Debug for FeedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedHeader").field("name", &self.name).finish_non_exhaustive()
    }
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
    /// The user's tags, without commas, in the order in which they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The address of the site, if the user's list names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Its place in the list that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// What else the list says of it: attributes of its outline that mean nothing to chipwire and are kept for the next
    /// export.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outline: BTreeMap<String, String>,
    /// The shortest time between two polls, in seconds, if the user set one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u32>,
    /// Headers that are sent to the feed's own origin, and nowhere else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<FeedHeader>,
    /// Whether the articles' pages are fetched; if the user did not say, what the configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article_pages: Option<ArticlePages>,
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
        Self {
            id: FeedId::of(&url),
            url,
            title: None,
            folder: Vec::new(),
            tags: Vec::new(),
            site: None,
            position: None,
            outline: BTreeMap::new(),
            interval_s: None,
            headers: Vec::new(),
            article_pages: None,
            paused: false,
            origin,
        }
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
