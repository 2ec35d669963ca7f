//! What goes into the index, what is asked of it and what it answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far the index has come. Written as the payload of every commit, with the documents that it covers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The identity of the log that the index is a projection of.
    pub genesis: String,
    /// The offset of the next event to read, by partition of `articles.tagged`.
    pub positions: BTreeMap<u32, i64>,
    /// The last raw offset that was covered, by partition of `articles.raw`.
    pub covered: BTreeMap<u32, i64>,
    /// What stands before the names of the log's topics; older checkpoints do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The last event that was read, by partition of `articles.tagged`: by it the log is known again, which may have gone back
    /// and grown anew since. Older checkpoints do not have it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub last: BTreeMap<u32, LastEvent>,
}

/// An event as it stood in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEvent {
    /// Its offset.
    pub offset: i64,
    /// When the log wrote it, in milliseconds since 1970-01-01 UTC: the same event may be written again at the same offset.
    pub timestamp_ms: i64,
    /// Its id; empty if it had none.
    pub event: String,
}

/// One article as it is indexed: the latest revision replaces older ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The article's id: the key of the upsert.
    pub id: String,
    /// The revision that these fields are of.
    pub revision: u32,
    /// The title as plain text.
    pub title: String,
    /// The body as plain text: paragraphs are separated by an empty line.
    pub body: String,
    /// The address of the article's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who published it.
    pub source: String,
    /// The feed's id.
    pub feed: String,
    /// The authors' names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// The language as a BCP 47 tag, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// When it was published, or else first seen.
    pub published: Timestamp,
    /// When chipwire first saw this revision.
    pub first_seen: Timestamp,
    /// What it mentions, the most salient first.
    pub entities: Vec<DocumentEntity>,
    /// Where in `title` and `body` it mentions them, in order of field and position.
    pub mentions: Vec<DocumentMention>,
}

/// An entity that a document mentions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DocumentEntity {
    /// `company`, `chip`, `policy`, ...
    pub kind: String,
    /// The entity's id within its kind.
    pub entity: String,
    /// Its canonical name.
    pub name: String,
    /// The number of mentions.
    pub count: u32,
    /// How much the article is about it, from 0 to 1.
    pub score: f64,
}

/// A place in a document that names an entity, for highlighting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentMention {
    /// True for the title, false for the body.
    pub in_title: bool,
    /// First byte in the plain text of the field.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The kind of entity.
    pub kind: String,
    /// The entity's id within its kind.
    pub entity: String,
}

/// The order of hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Best first: BM25, the title counting three times.
    #[default]
    Best,
    /// Newest first, by `published`.
    Newest,
}

/// A search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRequest {
    /// What to look for.
    pub query: chipwire_query::Query,
    /// The order of hits.
    pub sort: Sort,
    /// The most hits to return, at most 1,000.
    pub limit: usize,
    /// Hits to pass over; `offset + limit` is at most 10,000.
    pub offset: usize,
    /// For each kind of entity, the most entities to count; 0 counts none.
    pub facets: usize,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchResponse {
    /// All documents that match.
    pub total: u64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// The hits asked for.
    pub hits: Vec<Hit>,
    /// For each kind of entity, the entities that most of the matching documents mention.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<String, Vec<FacetCount>>,
}

/// A document that matches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The document.
    #[serde(skip)]
    pub document: Document,
    /// The BM25 score; 0 when sorted by time.
    pub score: f32,
    /// The part of the body that matches best.
    pub snippet: Snippet,
}

/// A piece of a document's body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// Plain text.
    pub text: String,
    /// The byte ranges of `text` that the query's terms match, in order and apart.
    pub highlights: Vec<(usize, usize)>,
}

/// How many of the matching documents mention an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FacetCount {
    /// The entity's id within its kind.
    pub entity: String,
    /// Its canonical name.
    pub name: String,
    /// Documents.
    pub count: u64,
}

/// An entity and how many documents mention it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntityCount {
    /// The kind of entity.
    pub kind: String,
    /// The entity's id within its kind.
    pub entity: String,
    /// Its canonical name.
    pub name: String,
    /// Documents.
    pub count: u64,
}

impl Document {
    /// What queries can ask about it, for `chipwire_query::matches`.
    pub fn fields(&self) -> chipwire_query::Fields {
        let fields = chipwire_query::Fields::new(self.published)
            .with_text(&self.title, &self.body)
            .with_origin(&self.source, &self.feed)
            .with_language(self.language.as_deref());
        self.entities.iter().fold(fields, |fields, entity| fields.with_entity(&entity.kind, &entity.entity))
    }
}
