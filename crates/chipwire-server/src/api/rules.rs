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
    let id = new.id.as_deref().map_or_else(|| Ok(id_from(&name)), read_id)?;
    let known = shared.app.board.rule(&id);
    let version = match &known {
        Some(_) if new.id.is_none() => {
            let detail = format!("there is a rule `{id}` already: choose another name, or send `id` to replace it");
            return Err(Problem::conflict(detail));
        }
        Some(known) if known.query == new.query => known.version,
        Some(known) => known.version.saturating_add(1),
        None => 1,
    };
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
    let good = (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    match good {
        true => Ok(RuleId::from_string(id)),
        false => Err(Problem::bad_request("`id` must be from 1 to 64 lower-case letters, digits and hyphens")),
    }
}

/// `China & H20` becomes `china-h20`; a name without Latin letters and digits becomes a hash.
fn id_from(name: &str) -> RuleId {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut id = words.collect::<Vec<_>>().join("-");
    id.truncate(64);
    match id.trim_matches('-') {
        "" => RuleId::from_string(format!("rule-{}", chipwire_events::hash_hex(4, &["rule", name]))),
        id => RuleId::from_string(id),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_from_names() {
        for (name, id) in [
            ("China & H20", "china-h20"),
            ("  TSMC:  N2 ", "tsmc-n2"),
            ("出口管制", "rule-a0"),
            (&"x ".repeat(100), &"x-".repeat(32)[..63]),
        ] {
            let made = id_from(name);
            assert!(made.as_str().starts_with(id) || id == "rule-a0" && made.as_str().starts_with("rule-"), "{made}");
            assert!(read_id(made.as_str()).is_ok());
        }
    }
}
