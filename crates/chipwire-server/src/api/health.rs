//! `/livez`, `/readyz`, `/metrics`: for those who operate it.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::Ctx, problem::Problem};

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    ready: bool,
    /// Why not.
    reasons: Vec<String>,
}

/// Is the process alive?
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "isAlive",
    tag = "health",
    responses(
        (status = 200, description = "It is", body = String),
        (status = 503, description = "A part of it hangs: start it anew", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn livez(State(shared): Ctx) -> (StatusCode, String) {
    let hung = (shared.app.health)().hung;
    if hung.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, hung.join("\n") + "\n")
    }
}

/// Can the process do its work?
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "isReady",
    tag = "health",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It cannot, for these reasons", body = Readiness),
    )
)]
pub(crate) async fn readyz(State(shared): Ctx) -> (StatusCode, Json<Readiness>) {
    let reasons = (shared.app.health)().reasons;
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, reasons }))
}

/// Figures
///
/// In the OpenMetrics text format.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "health",
    responses((status = 200, description = "The figures", body = String, content_type = "application/openmetrics-text"))
)]
pub(crate) async fn metrics(State(shared): Ctx) -> ([(HeaderName, &'static str); 1], String) {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], (shared.app.metrics)())
}
