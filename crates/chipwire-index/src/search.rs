//! Finding documents.

use std::{collections::BTreeMap, time::Instant};

use chipwire_query::Query;
use jiff::Timestamp;
use serde::Deserialize;
use tantivy::{
    DocAddress, Order, Score, TantivyDocument, Term,
    collector::{
        Count, TopDocs,
        sort_key::{SortBySimilarityScore, SortByStaticFastValue, SortByString},
    },
    query::{AllQuery, Query as EngineQuery, TermQuery},
    schema::{IndexRecordOption, Value},
};

use crate::{
    Document, EntityCount, Error, FacetCount, Hit, Result, SearchRequest, SearchResponse, Sort,
    compile::compile,
    facets::{self, FacetCollector},
    schema::{self, SchemaFields},
    snippet::Highlighter,
};

/// The most hits of one search.
pub const MAX_HITS: usize = 1000;
/// No hit further down than this can be asked for.
pub const MAX_WINDOW: usize = 10_000;

/// A view of one commit of the index.
#[derive(Clone)]
pub struct Searcher {
    engine: tantivy::Searcher,
    fields: SchemaFields,
}

impl Searcher {
    pub(crate) fn new(engine: tantivy::Searcher, fields: SchemaFields) -> Self {
        Self { engine, fields }
    }

    pub(crate) fn engine(&self) -> &tantivy::Searcher {
        &self.engine
    }

    /// Searches. `now` is what relative dates of the query count from. Hits that score alike, or are of the same
    /// millisecond, are in order of time, newest first, and then of id.
    ///
    /// # Errors
    /// [`Error::TooDeep`] when the request goes beyond [`MAX_HITS`] or [`MAX_WINDOW`].
    pub fn search(&self, request: &SearchRequest, now: Timestamp) -> Result<SearchResponse> {
        let started = Instant::now();
        if request.limit > MAX_HITS || request.offset.saturating_add(request.limit) > MAX_WINDOW {
            return Err(Error::TooDeep { limit: MAX_HITS, window: MAX_WINDOW });
        }
        let query = compile(&request.query, &self.fields, now);
        let facets = FacetCollector { enabled: request.facets > 0 };
        let (total, top, counted) = if request.limit == 0 {
            let (total, counted) = self.engine.search(&query, &(Count, facets))?;
            (total, Vec::new(), counted)
        } else {
            let range = TopDocs::with_limit(request.limit).and_offset(request.offset);
            let newest = (SortByStaticFastValue::<i64>::for_field(schema::PUBLISHED), Order::Desc);
            let by_id = (SortByString::for_field(schema::ID), Order::Asc);
            match request.sort {
                Sort::Best => {
                    let order = range.order_by(((SortBySimilarityScore, Order::Desc), newest, by_id));
                    let (total, top, counted) = self.engine.search(&query, &(Count, order, facets))?;
                    (total, top.into_iter().map(|((score, ..), at)| (score, at)).collect(), counted)
                }
                Sort::Newest => {
                    let order = range.order_by((newest, by_id));
                    let (total, top, counted) = self.engine.search(&query, &(Count, order, facets))?;
                    (total, top.into_iter().map(|(_, at)| (0.0, at)).collect(), counted)
                }
            }
        };
        let highlighter = Highlighter::new(&request.query);
        let hit = |(score, at): (Score, DocAddress)| {
            let document = self.document(at)?;
            let snippet = highlighter.snippet(&document);
            Ok(Hit { document, score, snippet })
        };
        let hits = top.into_iter().map(hit).collect::<Result<Vec<Hit>>>()?;
        let mut by_kind: BTreeMap<String, Vec<FacetCount>> = BTreeMap::new();
        for EntityCount { kind, entity, name, count } in facets::entities(&counted) {
            let of_kind = by_kind.entry(kind).or_default();
            if of_kind.len() < request.facets {
                of_kind.push(FacetCount { entity, name, count });
            }
        }
        let took_ms = (started.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        Ok(SearchResponse { total: total as u64, took_ms, hits, facets: by_kind })
    }

    /// How many documents match `query`.
    pub fn count(&self, query: &Query, now: Timestamp) -> Result<u64> {
        Ok(self.engine.search(&compile(query, &self.fields, now), &Count)? as u64)
    }

    /// How many documents there are.
    pub fn len(&self) -> u64 {
        self.engine.num_docs()
    }

    /// True when there is no document.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The document with this id.
    pub fn get(&self, id: &str) -> Result<Option<Document>> {
        let term = Term::from_field_text(self.fields.id, id);
        let query = TermQuery::new(term, IndexRecordOption::Basic);
        let found = self.first(&query)?;
        found.map(|at| self.document(at)).transpose()
    }

    /// Entities and how many documents mention them, most first: all, or those of one kind; all, or those whose id, or
    /// a word of whose name, starts with `prefix`.
    pub fn entities(&self, kind: Option<&str>, prefix: &str, limit: usize) -> Result<Vec<EntityCount>> {
        let counted = self.engine.search(&AllQuery, &FacetCollector { enabled: true })?;
        let prefix = prefix.trim();
        let wanted = |entity: &EntityCount| {
            kind.is_none_or(|kind| entity.kind == kind) && (prefix.is_empty() || starts_with(entity, prefix))
        };
        let mut entities = facets::entities(&counted);
        entities.retain(wanted);
        entities.truncate(limit);
        Ok(entities)
    }

    /// Calls `visit` with every document, in no particular order, until it returns an error.
    pub fn each_document<E: From<Error>>(&self, mut visit: impl FnMut(Document) -> Result<(), E>) -> Result<(), E> {
        self.each_stored(|stored| visit(serde_json::from_slice(stored).map_err(Error::from)?))
    }

    /// A hash over all documents, in order of their ids: two indexes of the same articles have the same one, however
    /// they came to be.
    pub fn digest(&self) -> Result<String> {
        let mut hashes = Vec::new();
        self.each_stored(|stored| {
            let OnlyId { id } = serde_json::from_slice(stored)?;
            let text = String::from_utf8_lossy(stored);
            hashes.push((id, chipwire_events::hash_hex(16, &[&text])));
            Ok::<(), Error>(())
        })?;
        hashes.sort();
        let parts: Vec<&str> = hashes.iter().map(|(_, hash)| hash.as_str()).collect();
        Ok(chipwire_events::hash_hex(16, &parts))
    }

    fn each_stored<E: From<Error>>(&self, mut visit: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        for segment in self.engine.segment_readers() {
            let store = segment.get_store_reader(1).map_err(|error| Error::Engine(error.into()))?;
            for stored in store.iter::<TantivyDocument>(segment.alive_bitset()) {
                let stored = stored.map_err(Error::Engine)?;
                visit(self.json(&stored))?;
            }
        }
        Ok(())
    }

    fn first(&self, query: &dyn EngineQuery) -> Result<Option<DocAddress>> {
        let order = TopDocs::with_limit(1).order_by_score();
        Ok(self.engine.search(query, &order)?.first().map(|(_, at)| *at))
    }

    fn document(&self, at: DocAddress) -> Result<Document> {
        let stored: TantivyDocument = self.engine.doc(at)?;
        Ok(serde_json::from_slice(self.json(&stored))?)
    }

    fn json<'d>(&self, stored: &'d TantivyDocument) -> &'d [u8] {
        stored.get_first(self.fields.doc).and_then(|value| value.as_bytes()).unwrap_or_default()
    }
}

/// The one field of a stored document that is needed to put it in order.
#[derive(Deserialize)]
struct OnlyId {
    id: String,
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searcher").field("documents", &self.len()).finish_non_exhaustive()
    }
}

/// True when the id, or the words of the name from some word on, start with `prefix`.
fn starts_with(entity: &EntityCount, prefix: &str) -> bool {
    let pattern = chipwire_query::Pattern::prefix(prefix);
    entity.entity.starts_with(&prefix.to_lowercase())
        || pattern.matches(&chipwire_query::TermPositions::of(&entity.name))
}
