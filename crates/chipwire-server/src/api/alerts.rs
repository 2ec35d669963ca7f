//! `/v1/alerts`: what was raised, and how far its delivery has come.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
};
use chipwire_events::{Alert, DeliveryStatus, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::limit;
use crate::{app::Ctx, board::DeliveryEntry, problem::Problem};

/// How many alerts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertParams {
    /// The most alerts, from 1 to 1,000. Default 100.
    limit: Option<usize>,
}

/// The latest alerts, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alerts {
    alerts: Vec<AlertView>,
}

/// An alert with its deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertView {
    #[serde(flatten)]
    alert: AlertNews,
    /// How far its delivery has come, by sink.
    deliveries: BTreeMap<String, DeliveryView>,
}

/// A rule matched an article.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertNews {
    /// A hash of rule, version and article: the key by which a receiver tells the same alert.
    id: String,
    /// The rule that matched.
    rule: String,
    /// Its version.
    rule_version: u32,
    /// Its name at that version.
    rule_name: String,
    /// The article that matched.
    article: String,
    /// Its title.
    title: String,
    /// The address of its page.
    url: Option<String>,
    /// Who published it.
    source: String,
    /// When it was published, or else first seen.
    #[schema(value_type = String, format = DateTime)]
    published: Timestamp,
    /// What it mentions, as `kind:id`, the most salient first.
    entities: Vec<String>,
    /// When the alert was raised.
    #[schema(value_type = String, format = DateTime)]
    raised: Timestamp,
}

impl From<Alert> for AlertNews {
    fn from(alert: Alert) -> Self {
        Self {
            id: alert.id.to_string(),
            rule: alert.rule.to_string(),
            rule_version: alert.rule_version,
            rule_name: alert.rule_name,
            article: alert.article.to_string(),
            title: alert.title,
            url: alert.url,
            source: alert.source,
            published: alert.published,
            entities: alert.entities,
            raised: alert.raised,
        }
    }
}

/// How far a delivery has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// `pending`, `delivered` or `failed`.
    #[schema(value_type = String)]
    status: DeliveryStatus,
    /// Attempts so far.
    attempts: u32,
    /// Not sent before this time.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt: Option<Timestamp>,
    /// What the last attempt said, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl From<DeliveryEntry> for DeliveryView {
    fn from(entry: DeliveryEntry) -> Self {
        Self { status: entry.status, attempts: entry.attempts, next_attempt: entry.next_attempt, error: entry.error }
    }
}

/// Alerts
#[utoipa::path(
    get,
    path = "/v1/alerts",
    operation_id = "listAlerts",
    tag = "alerts",
    params(AlertParams),
    responses(
        (status = 200, description = "The latest alerts", body = Alerts),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(shared): Ctx, Query(params): Query<AlertParams>) -> Result<Json<Alerts>, Problem> {
    let limit = limit(params.limit, 100, 1_000)?;
    let alerts = shared.app.board.alerts(limit).into_iter().map(|entry| AlertView {
        alert: entry.alert.into(),
        deliveries: entry.deliveries.into_iter().map(|(sink, delivery)| (sink, delivery.into())).collect(),
    });
    Ok(Json(Alerts { alerts: alerts.collect() }))
}
