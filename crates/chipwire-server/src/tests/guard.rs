use axum::{
    body::Body,
    http::{Method, header},
};

use super::{HOSTILE, Server, request};
use crate::Health;

#[tokio::test]
async fn every_answer_is_hardened() {
    let server = Server::new();
    for uri in ["/", "/v1/articles", "/nothing", "/static/style.css", "/livez", "/v1/articles?limit=x"] {
        let headers = server.get(uri).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{uri}: {policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{uri}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{uri}");
    }
}

#[tokio::test]
async fn every_error_is_a_problem() {
    let server = Server::new();
    assert_eq!(server.get("/nothing").await.problem(404), "there is nothing at this address");
    assert_eq!(server.get("/v1/articles/none").await.problem(404), "there is no article with this id");
    assert_eq!(server.get("/static/none.css").await.problem(404), "there is no such file");
    let answer = server.delete("/v1/articles").await;
    assert_eq!(answer.problem(405), "this address does not take this method; `Allow` names those that it takes");
    assert_eq!(answer.headers[header::ALLOW], "GET,HEAD");
    let detail = server.get("/v1/articles?limit=many").await.problem(400);
    assert!(detail.contains("limit: invalid digit"), "{detail}");
    let detail = server.get("/v1/articles?colour=red").await.problem(400);
    assert!(detail.contains("unknown field `colour`"), "{detail}");
    assert!(server.get("/v1/articles/%ff").await.problem(400).contains("UTF-8"));
    let detail = server.post("/v1/feeds", "{").await.problem(400);
    assert!(detail.contains("EOF while parsing"), "{detail}");
    let detail = server.post("/v1/feeds", "{}").await.problem(422);
    assert!(detail.contains("missing field `url`"), "{detail}");
    let large = format!(r#"{{"url":"{}"}}"#, "x".repeat(100_000));
    assert!(!server.post("/v1/feeds", &large).await.problem(413).is_empty());
}

#[tokio::test]
async fn people_get_a_page_instead() {
    let server = Server::new();
    for (uri, status) in [("/nothing", 404), ("/articles/none", 404), ("/articles/%ff", 400)] {
        let answer = server.browse(uri).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(answer.body.contains("<h1>"), "{}", answer.body);
    }
    server.browse("/v1/articles/none").await.problem(404);
}

#[tokio::test]
async fn a_local_server_answers_to_its_own_names_only() {
    let server = Server::new();
    let ask = async |host: &str| {
        let request = axum::http::Request::builder().uri("/v1/rules").header(header::HOST, host);
        server.send(request.body(Body::empty()).unwrap()).await
    };
    for host in ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(ask(host).await.status, 200, "{host}");
    }
    for host in
        ["rebound.example.org", "rebound.example.org:8080", "localhost.example.org", "127.0.0.1.example.org", ""]
    {
        ask(host).await.problem(421);
    }
    let without = axum::http::Request::builder().uri("/v1/rules").body(Body::empty()).unwrap();
    server.send(without).await.problem(421);
}

#[tokio::test]
async fn names_can_be_added() {
    let mut server = Server::new();
    server.app.config.allowed_hosts = vec!["News.example.org".to_owned()];
    server.app.access = server.app.config.access(|_| None).unwrap();
    let request = axum::http::Request::builder().uri("/v1/rules").header(header::HOST, "news.example.org");
    assert_eq!(server.send(request.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn the_token_opens_as_bearer_and_as_password() {
    let server = Server::with_token("0123456789abcdef");
    let ask = async |authorization: &str| {
        let request = request("GET", "/v1/rules").header(header::AUTHORIZATION, authorization);
        server.send(request.body(Body::empty()).unwrap()).await
    };
    // The second is `me:0123456789abcdef`.
    for good in ["Bearer 0123456789abcdef", "Basic bWU6MDEyMzQ1Njc4OWFiY2RlZg=="] {
        assert_eq!(ask(good).await.status, 200, "{good}");
    }
    for bad in ["Bearer 0123456789abcdeg", "Bearer", "Bearer ", "Basic bWU=", "Basic !", "Digest 0123456789abcdef", ""]
    {
        let answer = ask(bad).await;
        answer.problem(401);
        let schemes: Vec<_> = answer.headers.get_all(header::WWW_AUTHENTICATE).iter().collect();
        assert_eq!(schemes, ["Bearer realm=\"chipwire\"", "Basic realm=\"chipwire\""]);
    }
    for uri in ["/", "/v1/articles", "/v1/stream", "/metrics", "/openapi.json", "/static/style.css"] {
        server.get(uri).await.problem(401);
    }
    for uri in ["/livez", "/readyz"] {
        assert_eq!(server.get(uri).await.status, 200, "{uri}");
    }
}

#[tokio::test]
async fn changes_are_taken_from_own_pages_and_programs_only() {
    let server = Server::new();
    let send = async |method: Method, headers: &[(&str, &str)]| {
        let uri = if method == Method::POST { "/v1/feeds" } else { "/v1/rules/h20" };
        let mut request = request(method.as_str(), uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        server.send(request.body(Body::from(r#"{"url":"https://example.org/new.xml"}"#)).unwrap()).await
    };
    let json = ("content-type", "application/json; charset=utf-8");
    assert_eq!(send(Method::POST, &[json]).await.status, 201);
    assert_eq!(send(Method::POST, &[json, ("origin", "http://localhost:8080")]).await.status, 201);
    for origin in ["http://example.org", "http://localhost:9090", "http://localhost", "null", "localhost:8080"] {
        send(Method::POST, &[json, ("origin", origin)]).await.problem(403);
        send(Method::DELETE, &[("origin", origin)]).await.problem(403);
    }
    send(Method::POST, &[json, ("sec-fetch-site", "cross-site")]).await.problem(403);
    send(Method::POST, &[]).await.problem(415);
    send(Method::POST, &[("content-type", "text/plain")]).await.problem(415);
    send(Method::POST, &[("content-type", "application/x-www-form-urlencoded")]).await.problem(415);
    assert_eq!(server.told().len(), 2);
}

#[tokio::test]
async fn too_many_requests_are_turned_away() {
    let mut server = Server::new();
    server.app.config.max_requests = 0;
    let answer = server.get("/v1/rules").await;
    answer.problem(503);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    // Whoever watches over the process must still reach it.
    assert_eq!(server.get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let mut server = Server::new();
    server.app.config.timeout_ms = 1;
    server.app.commands = Some(std::sync::Arc::new(|_| Box::pin(std::future::pending())));
    let answer = server.post("/v1/feeds", r#"{"url":"https://example.org/new.xml"}"#).await;
    assert_eq!(answer.problem(503), "the answer took too long");
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let mut server = Server::new();
    server.app.metrics = std::sync::Arc::new(|| panic!("{HOSTILE}"));
    let detail = server.get("/metrics").await.problem(500);
    assert_eq!(detail, "the request failed; the log of the server says why");
}

#[tokio::test]
async fn health_is_told() {
    let mut server = Server::new();
    assert_eq!(server.get("/livez").await.body, "ok\n");
    assert_eq!(server.get("/readyz").await.json(), serde_json::json!({"ready": true, "reasons": []}));
    server.app.health =
        std::sync::Arc::new(|| Health { reasons: vec!["no broker answers".to_owned()], hung: Vec::new() });
    let answer = server.get("/readyz").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json(), serde_json::json!({"ready": false, "reasons": ["no broker answers"]}));
    assert_eq!(server.get("/livez").await.status, 200);
    let hung = vec!["enrich: no sign of life for 61 s".to_owned()];
    server.app.health = std::sync::Arc::new(move || Health { reasons: hung.clone(), hung: hung.clone() });
    assert_eq!(server.get("/livez").await.problem(503), "enrich: no sign of life for 61 s");
    let answer = server.get("/metrics").await;
    assert_eq!(answer.body, "chipwire_articles_total 3\n# EOF\n");
    assert!(answer.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("application/openmetrics-text"));
}

#[tokio::test]
async fn answers_are_compressed_on_request() {
    let server = Server::new();
    let request = request("GET", "/static/style.css").header(header::ACCEPT_ENCODING, "gzip");
    let answer = server.router();
    let response = tower::ServiceExt::oneshot(answer, request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
}
