//! Articles as they were fetched, and as they were tagged.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ArticleId, Entity, EntityRef, Error, EventId, FeedId, Findings, Mention};

/// What the characters of an article's body mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Markup {
    /// HTML as the feed gave it: hostile, to be sanitised before it is shown.
    Html,
    /// Plain text.
    Plain,
}

/// One revision of one article, as a feed or an import gave it. Payload of `chipwire.article.fetched.v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Article {
    /// The same for all revisions of the article.
    pub id: ArticleId,
    /// 1 for an article that was not seen before, one more with every edit.
    pub revision: u32,
    /// A hash of all that counts as a change: see [`Article::content_hash_of`].
    pub content_hash: String,
    /// The feed it came from.
    pub feed: FeedId,
    /// Who published it, for people and for `source:` queries: the feed's title or what an import names.
    pub source: String,
    /// The address of the article's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The title as plain text.
    pub title: String,
    /// The longest text that the feed gave: content, or else summary. Byte offsets of mentions point into this string.
    pub body: String,
    /// What the characters of `body` mean.
    pub markup: Markup,
    /// The authors' names, in the feed's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// The feed's own categories, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// The language as a BCP 47 tag, where the feed or the import names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// When it was published, as the feed says and where that can be true.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// The date of publication in the feed's own words, whether it could be read and believed or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_raw: Option<String>,
    /// When it was last changed, as the feed says.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// When chipwire first saw this revision.
    #[schemars(with = "String")]
    pub first_seen: Timestamp,
}

impl Article {
    /// The hash that tells an edit from an unchanged item: over title, body, address and publication time, not over
    /// `updated` (which many feeds change at every build) nor `first_seen`. Of an item of a feed the text without its markup
    /// and the address without scheme and tracking are taken: another spelling of either is no edit.
    pub fn content_hash_of(title: &str, body: &str, url: Option<&str>, published: Option<Timestamp>) -> String {
        let published = published.map(|time| time.to_string()).unwrap_or_default();
        crate::hash_hex(16, &["content", title, body, url.unwrap_or_default(), &published])
    }

    /// The time by which the article is sorted and searched: published, or else first seen.
    pub fn time(&self) -> Timestamp {
        self.published.unwrap_or(self.first_seen)
    }

    /// The id of the event that carries this revision.
    pub fn event_id(&self) -> EventId {
        EventId::of("chipwire.article.fetched.v1", &[self.id.as_str(), &self.revision.to_string(), &self.content_hash])
    }
}

/// An article with what enrichment found in it. Payload of `chipwire.article.tagged.v1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaggedArticle {
    /// The article as it was fetched.
    pub article: Article,
    /// Every mention, by field and then by position.
    pub mentions: Vec<Mention>,
    /// Every entity that is mentioned, the most salient first.
    pub entities: Vec<Entity>,
    /// What else it says: amounts, and what is told of the entities.
    #[serde(default, skip_serializing_if = "Findings::is_empty")]
    pub findings: Findings,
    /// The digest of the gazetteer and the version of the tagger: the same article and digest give the same bytes.
    pub gazetteer: String,
}

impl TaggedArticle {
    /// The id of the event that carries this result.
    pub fn event_id(&self) -> EventId {
        EventId::of("chipwire.article.tagged.v1", &[self.article.event_id().as_str(), &self.gazetteer])
    }

    /// The entities as `kind:id`, the form in which queries name them.
    pub fn entity_refs(&self) -> impl Iterator<Item = EntityRef> + '_ {
        self.entities.iter().map(Entity::reference)
    }
}

/// The outcome of a raw event that could not be enriched. Payload of `chipwire.article.rejected.v1`; the original is in
/// `dead-letters`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// The id of the dead letter that holds the original bytes.
    pub dead_letter: EventId,
    /// Why, for people.
    pub reason: String,
}

/// The raw records that one tagged or rejected event answers: those of `partition` with an offset in `(from, to]`.
///
/// Written as the CloudEvents extension attribute `covers` in the form `partition:from:to`. It stands in the envelope and
/// not in the payload because offsets differ between logs and payloads do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covers {
    /// The partition of `articles.raw`.
    pub partition: u32,
    /// The last raw offset that the previous event covered, or -1.
    pub from: i64,
    /// The raw offset that this event answers.
    pub to: i64,
}

impl fmt::Display for Covers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.partition, self.from, self.to)
    }
}

impl FromStr for Covers {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let mut parts = text.split(':');
            let covers = Self {
                partition: parts.next()?.parse().ok()?,
                from: parts.next()?.parse().ok()?,
                to: parts.next()?.parse().ok()?,
            };
            (parts.next().is_none() && covers.from < covers.to).then_some(covers)
        };
        parse().ok_or_else(|| Error::Header {
            name: "ce_covers",
            value: text.to_owned(),
            expected: "partition:from:to with from < to",
        })
    }
}
