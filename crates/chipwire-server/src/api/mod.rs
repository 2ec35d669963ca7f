//! The JSON API: one file per noun.

pub(crate) mod alerts;
pub(crate) mod articles;
pub(crate) mod entities;
pub(crate) mod feeds;
pub(crate) mod health;
pub(crate) mod openapi;
pub(crate) mod rules;
pub(crate) mod stream;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    app::{Command, Shared},
    problem::Problem,
};

/// Carries a command out, or says why not.
async fn command(shared: &Shared, command: Command) -> Result<(), Problem> {
    let Some(commands) = &shared.app.commands else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "this server is read-only"));
    };
    commands(command).await.map_err(|error| Problem::unavailable(error.to_string()))
}

/// The answer with an `ETag` over its bytes, or 304 where the asker has them already (RFC 9110 section 13.1.2).
pub(crate) fn tagged(asked: &HeaderMap, content_type: &'static str, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", chipwire_events::hash_hex(8, &[&String::from_utf8_lossy(&body)]));
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|list| {
        list.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*")
    });
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// As [`tagged`], for a value that is written as JSON.
fn tagged_json<T: Serialize>(asked: &HeaderMap, value: &T) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value).map_err(|error| Problem::internal(&error))?;
    Ok(tagged(asked, "application/json", body))
}

/// A `limit` between 1 and `most`.
fn limit(asked: Option<usize>, default: usize, most: usize) -> Result<usize, Problem> {
    match asked.unwrap_or(default) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(Problem::bad_request(format!("`limit` must be from 1 to {most}"))),
    }
}
