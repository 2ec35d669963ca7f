//! Asking the index.

use std::sync::Arc;

use axum::http::StatusCode;
use chipwire_events::Timestamp;
use chipwire_index::{Document, SearchRequest, SearchResponse, Searcher};
use chipwire_query::{ParseError, Query};

use crate::{app::Shared, problem::Problem};

/// Hits beyond this one cannot be asked for.
pub(crate) const REACH: usize = chipwire_index::MAX_WINDOW;

/// The query of `text`; nothing asks for everything.
pub(crate) fn parse(text: &str) -> Result<Query, ParseError> {
    if text.trim().is_empty() { Ok(Query::all()) } else { chipwire_query::parse(text) }
}

/// As [`parse`], with the error as an answer.
pub(crate) fn read_query(text: &str) -> Result<Query, Problem> {
    parse(text).map_err(|error| Problem {
        problem_type: "urn:chipwire:problem:query",
        offset: u32::try_from(error.offset).ok(),
        length: u32::try_from(error.len).ok(),
        suggestion: error.suggestion.map(String::into_boxed_str),
        ..Problem::new(StatusCode::BAD_REQUEST, error.message)
    })
}

/// `limit` hits from `offset` on, as far as the index reaches.
pub(crate) fn clamp(offset: usize, limit: usize) -> usize {
    limit.min(REACH.saturating_sub(offset))
}

/// Whether there are hits from `end` on that can be asked for.
pub(crate) fn has_more(end: usize, total: u64) -> bool {
    (end as u64) < total && end < REACH
}

/// Runs a search off the threads that serve connections.
pub(crate) async fn search(shared: &Arc<Shared>, request: SearchRequest) -> Result<SearchResponse, Problem> {
    let now = (shared.app.now)();
    ask(shared, move |searcher| searcher.search(&request, now)).await
}

/// The article with this id.
pub(crate) async fn document(shared: &Arc<Shared>, id: String) -> Result<Document, Problem> {
    let found = ask(shared, move |searcher| searcher.get(&id)).await?;
    found.ok_or_else(|| Problem::not_found("there is no article with this id"))
}

async fn ask<T: Send + 'static>(
    shared: &Arc<Shared>,
    question: impl FnOnce(&Searcher) -> chipwire_index::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let searcher =
        (shared.app.search)().ok_or_else(|| Problem::unavailable("the index is not open yet; `/readyz` says why"))?;
    let answer = tokio::task::spawn_blocking(move || question(&searcher)).await;
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Problem::internal(&error)),
        Err(error) => Err(Problem::internal(&error)),
    }
}

/// Whether a search for `query` would find the document.
pub(crate) fn matches(query: &Query, document: &Document, now: Timestamp) -> bool {
    chipwire_query::matches(query, &document.fields(), now)
}
