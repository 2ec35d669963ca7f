//! `/v1/entities`: what is written about most.

use axum::{
    Json,
    extract::{Query, State},
};
use chipwire_index::{SearchRequest, Sort};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::limit;
use crate::{app::Ctx, problem::Problem, search};

/// Which entities to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntityParams {
    /// Only those of this kind: `company`, `chip`, `policy`.
    kind: Option<String>,
    /// Counts only articles that this query finds.
    #[serde(default)]
    q: String,
    /// The most entities of each kind, from 1 to 1,000. Default 100.
    limit: Option<usize>,
}

/// The entities, those in most articles first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Entities {
    entities: Vec<EntityView>,
}

/// An entity and how many articles mention it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntityView {
    /// `company`, `chip`, `policy`, ...
    kind: String,
    /// Its id within its kind.
    entity: String,
    /// Its canonical name.
    name: String,
    /// Articles that mention it.
    count: u64,
}

/// Entities
///
/// The entities that articles mention, with the number of articles, the most mentioned first.
#[utoipa::path(
    get,
    path = "/v1/entities",
    operation_id = "listEntities",
    tag = "entities",
    params(EntityParams),
    responses(
        (status = 200, description = "The entities", body = Entities),
        (status = 400, description = "A parameter or the query is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The index cannot be searched just now", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn entities(
    State(shared): Ctx,
    Query(params): Query<EntityParams>,
) -> Result<Json<Entities>, Problem> {
    let facets = limit(params.limit, 100, 1_000)?;
    let query = search::read_query(&params.q)?;
    let request = SearchRequest { query, sort: Sort::Newest, limit: 0, offset: 0, facets };
    let answer = search::search(&shared, request).await?;
    let mut entities: Vec<EntityView> = answer
        .facets
        .into_iter()
        .filter(|(kind, _)| params.kind.as_ref().is_none_or(|wanted| wanted == kind))
        .flat_map(|(kind, counts)| {
            counts.into_iter().map(move |count| EntityView {
                kind: kind.clone(),
                entity: count.entity,
                name: count.name,
                count: count.count,
            })
        })
        .collect();
    entities.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.kind, &a.entity).cmp(&(&b.kind, &b.entity))));
    Ok(Json(Entities { entities }))
}
