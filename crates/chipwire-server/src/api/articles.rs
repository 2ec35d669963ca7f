//! `/v1/articles`: search, and single articles.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use chipwire_events::Timestamp;
use chipwire_index::{Document, DocumentEntity, FacetCount, Hit, SearchRequest, Sort};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{limit, tagged_json};
use crate::{app::Ctx, cursor, problem::Problem, search};

/// The parameters of a search.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// What to look for, in the query language; nothing or `*` finds all.
    #[serde(default)]
    q: String,
    /// `best` first, which is the default if there is a query, or `newest`.
    #[param(inline)]
    sort: Option<SortParam>,
    /// The most hits, from 1 to 100. Default 20.
    limit: Option<usize>,
    /// The `next` of the answer before, for the hits that follow it.
    cursor: Option<String>,
    /// For each kind of entity, the most entities to count, up to 100. Default 10.
    facets: Option<usize>,
}

/// The order of hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SortParam {
    /// Best first.
    Best,
    /// Newest first.
    Newest,
}

impl SortParam {
    /// The order that was asked for; without a query all articles are as good, and the newest come first.
    pub(crate) fn or_default(asked: Option<Self>, query: &str) -> Sort {
        match asked {
            Some(Self::Best) => Sort::Best,
            Some(Self::Newest) => Sort::Newest,
            None if matches!(query.trim(), "" | "*") => Sort::Newest,
            None => Sort::Best,
        }
    }
}

/// What a search found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchAnswer {
    /// All articles that match.
    total: u64,
    /// The time that the search took, in milliseconds.
    took_ms: f64,
    /// The hits asked for.
    hits: Vec<HitView>,
    /// For each kind of entity, the entities that most of the matching articles mention.
    facets: BTreeMap<String, Vec<FacetView>>,
    /// The cursor to the hits that follow, if there are any within the first 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An article that matches.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HitView {
    /// The article's id.
    id: String,
    /// Plain text.
    title: String,
    /// The address of the article's page.
    url: Option<String>,
    /// Who published it.
    source: String,
    /// When it was published, or else first seen.
    #[schema(value_type = String, format = DateTime)]
    published: Timestamp,
    /// How well it matches (BM25); 0 when the newest come first.
    score: f32,
    /// The part of the text that matches best, as plain text.
    snippet: String,
    /// Ranges of `snippet` that match, as first byte and one past the last, in UTF-8.
    #[schema(value_type = Vec<Vec<usize>>)]
    highlights: Vec<(usize, usize)>,
    /// The entities that it mentions, the most salient first.
    mentions: Vec<MentionView>,
}

/// An entity that an article mentions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MentionView {
    /// `company`, `chip`, `policy`, ...
    kind: String,
    /// The entity's id within its kind.
    entity: String,
    /// Its canonical name.
    name: String,
    /// The number of mentions.
    count: u32,
}

/// How many articles mention an entity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetView {
    /// The entity's id within its kind.
    entity: String,
    /// Its canonical name.
    name: String,
    /// Articles.
    count: u64,
}

impl From<DocumentEntity> for MentionView {
    fn from(entity: DocumentEntity) -> Self {
        Self { kind: entity.kind, entity: entity.entity, name: entity.name, count: entity.count }
    }
}

impl From<FacetCount> for FacetView {
    fn from(facet: FacetCount) -> Self {
        Self { entity: facet.entity, name: facet.name, count: facet.count }
    }
}

impl From<Hit> for HitView {
    fn from(hit: Hit) -> Self {
        let document = hit.document;
        Self {
            id: document.id,
            title: document.title,
            url: document.url,
            source: document.source,
            published: document.published,
            score: hit.score,
            snippet: hit.snippet.text,
            highlights: hit.snippet.highlights,
            mentions: document.entities.into_iter().map(MentionView::from).collect(),
        }
    }
}

/// Search
///
/// Finds articles by the query language: `nvidia "export controls" -earnings company:tsmc published:>now-24h`.
#[utoipa::path(
    get,
    path = "/v1/articles",
    operation_id = "searchArticles",
    tag = "articles",
    params(SearchParams),
    responses(
        (status = 200, description = "What the search found", body = SearchAnswer),
        (status = 400, description = "A parameter or the query is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The index cannot be searched just now", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn search(
    State(shared): Ctx,
    Query(params): Query<SearchParams>,
) -> Result<Json<SearchAnswer>, Problem> {
    let limit = limit(params.limit, 20, 100)?;
    let facets = params.facets.unwrap_or(10);
    if facets > 100 {
        return Err(Problem::bad_request("`facets` must be from 0 to 100"));
    }
    let sort = SortParam::or_default(params.sort, &params.q);
    let of = search_of(&params.q, sort);
    let offset = params.cursor.as_deref().map_or(Ok(0), |cursor| cursor::decode(cursor, &of))?;
    let query = search::read_query(&params.q)?;
    let request = SearchRequest { query, sort, limit: search::clamp(offset, limit), offset, facets };
    let answer = search::search(&shared, request).await?;
    let end = offset + answer.hits.len();
    let next = search::has_more(end, answer.total).then(|| cursor::encode(end, &of));
    Ok(Json(SearchAnswer {
        total: answer.total,
        took_ms: answer.took_ms,
        hits: answer.hits.into_iter().map(HitView::from).collect(),
        facets: answer
            .facets
            .into_iter()
            .map(|(kind, counts)| (kind, counts.into_iter().map(FacetView::from).collect()))
            .collect(),
        next,
    }))
}

/// All that the hits of a search depend on.
pub(crate) fn search_of(query: &str, sort: Sort) -> String {
    format!("{sort:?} {query}")
}

/// An article with all that chipwire knows about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ArticleView {
    /// The article's id.
    id: String,
    /// The revision that these fields are of, from 1.
    revision: u32,
    /// Plain text.
    title: String,
    /// Plain text; paragraphs are separated by an empty line.
    body: String,
    /// The address of the article's page.
    url: Option<String>,
    /// Who published it.
    source: String,
    /// The id of the feed that it came from.
    feed: String,
    /// The authors' names.
    authors: Vec<String>,
    /// The language as a BCP 47 tag, where it is known.
    language: Option<String>,
    /// When it was published, or else first seen.
    #[schema(value_type = String, format = DateTime)]
    published: Timestamp,
    /// When chipwire first saw this revision.
    #[schema(value_type = String, format = DateTime)]
    first_seen: Timestamp,
    /// The entities that it mentions, the most salient first.
    mentions: Vec<MentionView>,
    /// Where it mentions them.
    spans: Vec<SpanView>,
}

/// A place that mentions an entity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SpanView {
    /// `title` or `body`.
    field: &'static str,
    /// First byte in the field, in UTF-8.
    start: usize,
    /// One past the last byte.
    end: usize,
    /// The kind of entity.
    kind: String,
    /// The entity's id within its kind.
    entity: String,
}

impl From<Document> for ArticleView {
    fn from(document: Document) -> Self {
        let spans = document.mentions.into_iter().map(|mention| SpanView {
            field: if mention.in_title { "title" } else { "body" },
            start: mention.start,
            end: mention.end,
            kind: mention.kind,
            entity: mention.entity,
        });
        Self {
            id: document.id,
            revision: document.revision,
            title: document.title,
            body: document.body,
            url: document.url,
            source: document.source,
            feed: document.feed,
            authors: document.authors,
            language: document.language,
            published: document.published,
            first_seen: document.first_seen,
            mentions: document.entities.into_iter().map(MentionView::from).collect(),
            spans: spans.collect(),
        }
    }
}

/// One article
///
/// The latest revision, with an `ETag`.
#[utoipa::path(
    get,
    path = "/v1/articles/{id}",
    operation_id = "getArticle",
    tag = "articles",
    params(("id" = String, Path, description = "The article's id")),
    responses(
        (status = 200, description = "The article", body = ArticleView),
        (status = 304, description = "The article is as `If-None-Match` says"),
        (status = 404, description = "There is no such article", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn article(
    State(shared): Ctx,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let document = search::document(&shared, id).await?;
    tagged_json(&headers, &ArticleView::from(document))
}

/// What a hit and an article on the stream have in common: used where there is no snippet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ArticleNews {
    /// The article's id.
    id: String,
    /// Plain text.
    title: String,
    /// The address of the article's page.
    url: Option<String>,
    /// Who published it.
    source: String,
    /// When it was published, or else first seen.
    #[schema(value_type = String, format = DateTime)]
    published: Timestamp,
    /// The entities that it mentions, the most salient first.
    mentions: Vec<MentionView>,
}

impl From<&Document> for ArticleNews {
    fn from(document: &Document) -> Self {
        Self {
            id: document.id.clone(),
            title: document.title.clone(),
            url: document.url.clone(),
            source: document.source.clone(),
            published: document.published,
            mentions: document.entities.iter().cloned().map(MentionView::from).collect(),
        }
    }
}
