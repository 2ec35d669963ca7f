//! The callback address of subscriptions at hubs (WebSub, sections 5.3 and 7). No part of the API: whoever knows the address of
//! a subscription was told it, and what is sent there is signed. Neither token nor name of the server are asked for.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use chipwire_events::FeedId;

use crate::{
    app::{Ctx, HubAsk, HubRequest, Shared},
    problem::Problem,
};

/// Where the addresses of subscriptions lie.
pub(crate) const PREFIX: &str = "/websub/";

/// The largest document that a hub may send, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

pub(crate) fn route() -> MethodRouter<Arc<Shared>> {
    get(intent).post(content).layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

async fn intent(
    State(shared): Ctx,
    Path((feed, token)): Path<(String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    answer(&shared, feed, token, HubAsk::Intent(query)).await
}

async fn content(
    State(shared): Ctx,
    Path((feed, token)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let signature = text(&HeaderName::from_static("x-hub-signature"));
    answer(&shared, feed, token, HubAsk::Content { signature, content_type: text(&header::CONTENT_TYPE), body }).await
}

async fn answer(shared: &Shared, feed: String, token: String, ask: HubAsk) -> Response {
    let nothing = || Problem::not_found("there is nothing at this address").into_response();
    let Some(desk) = &shared.app.hubs else { return nothing() };
    let answer = desk(HubRequest { feed: FeedId::from_string(feed), token, ask }).await;
    match StatusCode::from_u16(answer.status) {
        Ok(StatusCode::NOT_FOUND) => nothing(),
        Ok(status) => (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], answer.body).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}
