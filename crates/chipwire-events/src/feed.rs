//! Feeds: what a user asked for, and what chipwire knows about each.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FeedId, hash_hex};

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
    /// What else a list says of these folders, one by one, as it was kept before there was [`FeedList`] for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folder_outlines: Vec<BTreeMap<String, String>>,
    /// The other folders it lies in, in alphabetical order: a list may name it in several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_in: Vec<Vec<String>>,
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
            folder_outlines: Vec::new(),
            also_in: Vec::new(),
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
    /// The hash of its identity now, where the feed has given it another one since it was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The content hash of the revision before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// A hash of everything that the feed said of it, markup included: while that stays the same, nothing else is looked
    /// at. Kept for the items of the last document, as are the next two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// A hash of its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A hash of its host and the article number in its address, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The publication date of the last revision.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// What came of its page.
    #[serde(default, skip_serializing_if = "is_default")]
    pub page: ItemPage,
}

/// What came of the page of an item, where it was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ItemPage {
    /// The last revision that was published has its text.
    #[serde(default, skip_serializing_if = "is_default")]
    pub read: bool,
    /// It could not be had, and is asked for by the first poll after this.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Timestamp>,
    /// How often it was asked for in vain.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tries: u32,
}

/// How often a feed publishes, and at what times. Older articles count less: half as much after about ten days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pace {
    /// Everything until then is counted in.
    #[schemars(with = "String")]
    pub updated: Timestamp,
    /// The time over which articles were counted, older time counting less, in seconds.
    pub observed_s: u32,
    /// Articles by hour of the day (UTC), in millionths.
    pub hours_micro: [u64; 24],
    /// Articles by day of the week from Monday, in millionths.
    pub days_micro: [u64; 7],
    /// When the newest article was published.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// The usual time between two articles as of the last full answer, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_s: Option<u32>,
}

/// What the schedule knows about a feed: a poll that is answered with 304 changes only what the 304 says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    /// How often it publishes. None before it was read for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Box<Pace>>,
    /// For how long an answer stays fresh, by the last one that said so, in seconds (RFC 9111 section 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_s: Option<u32>,
    /// `ttl` or `sy:updatePeriod` of the last document, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u32>,
    /// Hours of the day (UTC) at which the last document asks not to be polled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip_hours: Vec<u8>,
    /// Days of the week, from Monday as 1 to Sunday as 7, at which the last document asks not to be polled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip_days: Vec<u8>,
    /// The last answer that was no 304.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_full: Option<Timestamp>,
    /// The last time that the whole feed was asked for although there were validators.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probed: Option<Timestamp>,
    /// Until then the server asked to be left in peace (`Retry-After`).
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
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

/// A subscription at a hub that pushes what is new in a feed (WebSub). Its secret is not in here: it is made anew from a key
/// that is in no log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subscription {
    /// The hub's address.
    pub hub: String,
    /// The address under which the hub knows the feed (`rel="self"`).
    pub topic: String,
    /// When the hub is asked next: for the first time, once more after a failure, or to renew.
    #[schemars(with = "String")]
    pub ask_at: Timestamp,
    /// Requests in a row that failed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failures: u32,
    /// Until when the hub has promised to push.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The hub has pushed, and no poll has found anything since that it had left out: one poll a day is enough.
    #[serde(default, skip_serializing_if = "is_default")]
    pub relied_on: bool,
    /// Why there is none, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What the lists of feeds say besides the feeds. Payload of `chipwire.list.imported.v1`: kept for the next export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedList {
    /// Whether it is the list of the configuration, or what a user has imported, all lists together.
    pub origin: FeedOrigin,
    /// The elements of the list's head, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub head: Vec<HeadElement>,
    /// The folders, those without feeds included, in the order of the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<ListFolder>,
}

/// An element of the head of a list, such as `title` or `ownerName` (opml.org/spec2.opml, "What is a `<head>`?").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeadElement {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Its attributes, with the declarations of their prefixes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// A folder of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListFolder {
    /// Its name, and before it those of the folders it lies in, outermost first.
    pub path: Vec<String>,
    /// What else is said of it: its title, where that is not its name, and attributes that mean nothing to chipwire.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outline: BTreeMap<String, String>,
    /// Its place in the list: the position of the first feed after its start.
    pub position: u32,
}

impl FeedList {
    /// A list that says nothing but its feeds.
    pub fn new(origin: FeedOrigin) -> Self {
        Self { origin, head: Vec::new(), folders: Vec::new() }
    }

    /// The key under which it lies in the log, next to those of the feeds.
    pub fn key(&self) -> String {
        Self::key_of(self.origin)
    }

    /// The key under which the list of this origin lies in the log.
    pub fn key_of(origin: FeedOrigin) -> String {
        let origin = match origin {
            FeedOrigin::Config => "config",
            FeedOrigin::User => "user",
            FeedOrigin::Import => "import",
        };
        format!("list/{origin}")
    }

    /// Adds what another list says: of what both say, the other one's word counts.
    pub fn add(&mut self, other: FeedList) {
        for element in other.head {
            match self.head.iter_mut().find(|known| known.name == element.name) {
                Some(known) => *known = element,
                None => self.head.push(element),
            }
        }
        for folder in other.folders {
            match self.folders.iter_mut().find(|known| known.path == folder.path) {
                Some(known) => known.outline.extend(folder.outline),
                None => self.folders.push(folder),
            }
        }
    }
}

/// What a hub sent to chipwire about a feed. Payload of `chipwire.feed.pushed.v1`: removed once it was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedPush {
    /// The feed.
    pub feed: FeedId,
    /// When it came.
    #[schemars(with = "String")]
    pub received: Timestamp,
    /// What it is.
    pub news: HubNews,
}

impl FeedPush {
    /// The key under which it lies in the log: one of its own, next to that of its feed.
    pub fn key(&self) -> String {
        let digest = match &self.news {
            HubNews::Verified { topic, lease_s } => hash_hex(8, &["verified", topic, &lease_s.to_string()]),
            HubNews::Denied { reason } => hash_hex(8, &["denied", reason]),
            HubNews::Content { content_type, body_base64 } => {
                hash_hex(8, &["content", content_type.as_deref().unwrap_or_default(), body_base64])
            }
        };
        format!("{}/push/{digest}", self.feed)
    }
}

/// What a hub says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum HubNews {
    /// It has asked whether chipwire wants the subscription, and was told so.
    Verified {
        /// The address under which it knows the feed.
        topic: String,
        /// For how long it promises to push, in seconds.
        lease_s: u32,
    },
    /// It does not want to push.
    Denied {
        /// Why not, in its words.
        reason: String,
    },
    /// The feed, or the part of it that is new. Its signature was right.
    Content {
        /// `Content-Type`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// The body in base64.
        body_base64: String,
    },
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
    /// Answers in a row that said that the feed is gone for good (410); an answer of another kind ends the row, none at all
    /// does not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub gone: u32,
}

impl FeedError {
    /// So many answers of 410 in a row are believed.
    pub const GONE_CONFIRMED: u32 = 2;
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    /// The address that gave these two, where it is another than `url`: the target of a redirect. They are sent to no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validators_url: Option<String>,
    /// The length of the last document in bytes, if it lacked its end: one that lacks it at the same place again is all that
    /// the server has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_at: Option<u64>,
    /// After this the pages of some of its items are asked for again, as soon as the feed changes or a day after it was last read as a
    /// whole.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages_at: Option<Timestamp>,
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
    /// The time between the last successful poll and the next, as it was planned, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u32>,
    /// What the schedule knows about it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub timing: Timing,
    /// Set while the feed names a hub that pushes what is new, and chipwire can be reached by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websub: Option<Box<Subscription>>,
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
    /// The items that were seen lately, the latest first. Not written with the state, which changes with every poll: they have
    /// an event of their own ([`FeedItems`]), and are here when that has to be written. Read where an event has them.
    #[serde(default, skip_serializing)]
    pub items: Vec<ItemState>,
}

impl FeedState {
    /// The server has confirmed that the feed is gone for good: it is not polled any more, until its definition is written
    /// anew after the last poll (`chipwire feeds resume`, or an edit).
    pub fn is_gone(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.gone >= FeedError::GONE_CONFIRMED)
    }
}

/// The items of a feed that were seen lately, by which those of the next poll are told apart. Payload of
/// `chipwire.feed.read.v1`, written when a poll has read the feed; the latest per feed counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedItems {
    /// The feed.
    pub feed: FeedId,
    /// The items, the latest first.
    pub items: Vec<ItemState>,
}

impl FeedItems {
    /// The key under which the items of `feed` lie in the log, next to its state.
    pub fn key_of(feed: &FeedId) -> String {
        format!("{feed}/items")
    }
}
