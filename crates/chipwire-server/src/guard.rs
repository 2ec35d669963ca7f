//! What every request passes on its way in, and every answer on its way out.

use std::{any::Any, sync::Arc};

use axum::{
    body::{self, Body},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    Access,
    app::Shared,
    hub, page,
    problem::{self, Problem},
};

/// Nothing but own files, no script in the page, no frame around it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Puts the headers on every answer that keep a browser from doing more with it than it should.
pub(crate) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    response
}

/// Gives every error one form, whoever made it: a page for people, problem details for programs.
pub(crate) async fn explain(request: Request, next: Next) -> Response {
    let for_people = wants_page(request.uri().path(), request.headers());
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_problem = content_type == Some(&problem::CONTENT_TYPE);
    // Without a type or as plain text: an answer of the framework. Anything else was made with care.
    let is_bare = content_type.is_none_or(|value| value.as_bytes().starts_with(b"text/plain"));
    let is_to_be_shown = is_problem && for_people;
    if !(is_bare || is_to_be_shown) {
        return response;
    }
    let (mut parts, content) = response.into_parts();
    let content = body::to_bytes(content, 64 * 1024).await.unwrap_or_default();
    let detail = match serde_json::from_slice::<serde_json::Value>(&content) {
        Ok(value) if is_problem => {
            value.get("detail").and_then(|detail| detail.as_str()).unwrap_or_default().to_owned()
        }
        _ => String::from_utf8_lossy(&content).trim().to_owned(),
    };
    let detail = if detail.is_empty() { default_detail(status).to_owned() } else { detail };
    let problem = Problem::new(status, detail);
    let (made, made_body) = if for_people { page::error(&problem) } else { problem.into_response() }.into_parts();
    // Keeps what the first answer said besides, such as `Allow`.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_ENCODING);
    for (name, value) in &made.headers {
        parts.headers.insert(name.clone(), value.clone());
    }
    Response::from_parts(parts, made_body)
}

fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let accepts_html = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    accepts_html && !path.starts_with("/v1/") && path != "/openapi.json" && path != "/metrics"
}

fn default_detail(status: StatusCode) -> &'static str {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => "this address does not take this method; `Allow` names those that it takes",
        StatusCode::PAYLOAD_TOO_LARGE => "the body of the request is too large",
        _ => "the request could not be answered",
    }
}

/// Turns a panic into an answer; the stack is in the log.
pub(crate) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    Problem::internal(&text.unwrap_or("panic")).into_response()
}

/// Lets in who may ask.
pub(crate) async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    match check(&shared.app.access, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let unauthorized = problem.status() == StatusCode::UNAUTHORIZED;
            let mut response = problem.into_response();
            if unauthorized {
                let headers = response.headers_mut();
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"chipwire\""));
                headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"chipwire\""));
            }
            response
        }
    }
}

fn check(access: &Access, request: &Request<Body>) -> Result<(), Problem> {
    // A hub knows no token, calls by the name under which the server is known outside, and sends what it likes.
    if request.uri().path().starts_with(hub::PREFIX) {
        return Ok(());
    }
    let headers = request.headers();
    let host = text(headers, &header::HOST).or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    if let Some(hosts) = &access.hosts {
        let name = host.map(host_name).unwrap_or_default().to_ascii_lowercase();
        if !hosts.contains(&name) {
            let detail = "this server does not answer under this name; `allowed_hosts` in `[server]` adds names";
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail));
        }
    }
    let open = is_probe(request);
    if let Some(token) = access.token.as_deref().filter(|_| !open)
        && !carries(headers, token)
    {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "the token is missing or wrong: send `Authorization: Bearer TOKEN`",
        ));
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    // A browser names the page that a change comes from. Programs send no Origin and are not affected.
    let same_origin = match text(headers, &header::ORIGIN) {
        Some(origin) => origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host),
        None => !headers.contains_key(header::ORIGIN),
    };
    let same_site = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    if !same_origin || !same_site {
        return Err(Problem::new(StatusCode::FORBIDDEN, "changes are only taken from pages of this server"));
    }
    let is_json = text(headers, &header::CONTENT_TYPE).is_some_and(|value| {
        value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    });
    if *request.method() == Method::POST && !is_json {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send `Content-Type: application/json`"));
    }
    Ok(())
}

/// Whether somebody looks after the process: answered without token and however busy it is.
fn is_probe(request: &Request<Body>) -> bool {
    matches!(request.uri().path(), "/livez" | "/readyz")
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `host` without its port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        // The colons of an IPv6 address are within brackets.
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    }
}

/// Whether the request carries the token: as a bearer token (RFC 6750), or as the password of any user (RFC 7617), which
/// is what a browser can ask for.
fn carries(headers: &HeaderMap, token: &str) -> bool {
    let Some((scheme, credentials)) = text(headers, &header::AUTHORIZATION).and_then(|value| value.split_once(' '))
    else {
        return false;
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        same(credentials.trim().as_bytes(), token.as_bytes())
    } else if scheme.eq_ignore_ascii_case("basic") {
        let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, credentials.trim());
        let password = decoded.ok().and_then(|decoded| {
            let colon = decoded.iter().position(|byte| *byte == b':')?;
            decoded.get(colon + 1..).map(<[u8]>::to_vec)
        });
        password.is_some_and(|password| same(&password, token.as_bytes()))
    } else {
        false
    }
}

/// Compares in a time that does not tell where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Takes no more requests at a time than can be worked on, and none for longer than the time for an answer.
pub(crate) async fn limit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if is_probe(&request) {
        return next.run(request).await;
    }
    let Ok(_permit) = shared.requests.try_acquire() else {
        return Problem::unavailable("too many requests at the same time; try again in a moment").into_response();
    };
    match tokio::time::timeout(shared.timeout(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("the answer took too long").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_told_from_ports() {
        for (host, name) in [
            ("localhost", "localhost"),
            ("localhost:80", "localhost"),
            ("[::1]", "[::1]"),
            ("[::1]:80", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(host_name(host), name);
        }
    }

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"", b"a"));
    }
}
