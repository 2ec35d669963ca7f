//! `/v1/rules`: saved queries that raise alerts.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
};
use chipwire_events::{Rule, RuleId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command;
use crate::{
    app::{Command, Ctx},
    problem::Problem,
    search,
};

/// The rules, by id.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rules {
    rules: Vec<RuleView>,
}

/// A saved query that raises an alert for every new article that matches it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleView {
    /// Lower-case letters, digits and hyphens.
    id: String,
    /// 1 when it is added, one more with every change of the query.
    version: u32,
    /// For people.
    name: String,
    /// In the query language of search.
    query: String,
    /// The sinks that its alerts go to.
    sinks: Vec<String>,
    /// When this version was saved.
    #[schema(value_type = String, format = DateTime)]
    saved: Timestamp,
}

impl From<Rule> for RuleView {
    fn from(rule: Rule) -> Self {
        Self {
            id: rule.id.to_string(),
            version: rule.version,
            name: rule.name,
            query: rule.query,
            sinks: rule.sinks,
            saved: rule.saved,
        }
    }
}

/// Rules
#[utoipa::path(get, path = "/v1/rules", operation_id = "listRules", tag = "rules", responses((status = 200, description = "The rules", body = Rules)))]
pub(crate) async fn list(State(shared): Ctx) -> Json<Rules> {
    Json(Rules { rules: shared.app.board.rules().into_iter().map(RuleView::from).collect() })
}

/// A rule to save.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRule {
    /// The id of the rule to replace, or of the new one. By default made from the name.
    id: Option<String>,
    /// For people.
    name: String,
    /// In the query language of search.
    query: String,
    /// The sinks that its alerts go to. Default `terminal`.
    #[serde(default)]
    sinks: Vec<String>,
}

/// Save a rule
///
/// Adds a rule, or replaces the one with this `id`. A changed query makes a new version, which raises alerts of its own.
#[utoipa::path(
    post,
    path = "/v1/rules",
    operation_id = "saveRule",
    tag = "rules",
    request_body = NewRule,
    responses(
        (status = 200, description = "The rule is replaced", body = RuleView),
        (status = 201, description = "The rule is added", body = RuleView),
        (status = 400, description = "The query or another part of the rule is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The server is read-only", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The id made from the name is taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn save(
    State(shared): Ctx,
    Json(new): Json<NewRule>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<RuleView>), Problem> {
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Problem::bad_request("`name` must have from 1 to 200 characters"));
    }
    search::read_query(&new.query)?;
    let sinks = read_sinks(new.sinks, &shared.app.sinks)?;
    let id = new.id.as_deref().map_or_else(|| Ok(RuleId::from_name(&name)), read_id)?;
    let known = shared.app.board.rule(&id);
    if known.is_some() && new.id.is_none() {
        let detail = format!("there is a rule `{id}` already: choose another name, or send `id` to replace it");
        return Err(Problem::conflict(detail));
    }
    let version = Rule::version_after(known.as_ref(), &new.query);
    let rule = Rule { id, version, name, query: new.query, sinks, saved: (shared.app.now)() };
    command(&shared, Command::SaveRule(rule.clone())).await?;
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let location = [(header::LOCATION, format!("/v1/rules/{}", rule.id))];
    Ok((status, location, Json(RuleView::from(rule))))
}

/// Remove a rule
///
/// The alerts that it raised stay.
#[utoipa::path(
    delete,
    path = "/v1/rules/{id}",
    operation_id = "removeRule",
    tag = "rules",
    params(("id" = String, Path, description = "The rule's id")),
    responses(
        (status = 204, description = "The rule is removed"),
        (status = 403, description = "The server is read-only", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such rule", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(State(shared): Ctx, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = RuleId::from_string(id);
    if shared.app.board.rule(&id).is_none() {
        return Err(Problem::not_found("there is no rule with this id"));
    }
    command(&shared, Command::RemoveRule(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read_id(id: &str) -> Result<RuleId, Problem> {
    RuleId::checked(id)
        .ok_or_else(|| Problem::bad_request("`id` must be from 1 to 64 lower-case letters, digits and hyphens"))
}

fn read_sinks(asked: Vec<String>, known: &[String]) -> Result<Vec<String>, Problem> {
    let mut sinks = asked;
    if sinks.is_empty() {
        sinks.push(chipwire_alerts::TERMINAL.to_owned());
    }
    sinks.sort();
    sinks.dedup();
    match sinks.iter().find(|sink| !known.contains(sink)) {
        None => Ok(sinks),
        Some(sink) => Err(Problem::bad_request(format!("there is no sink `{sink}`; there are {}", known.join(", ")))),
    }
}
