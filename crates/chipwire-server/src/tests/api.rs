use axum::{body::Body, http::header};
use chipwire_events::{Event, Feed, FeedHeader, FeedId, FeedOrigin, RuleId};
use serde_json::json;

use super::{HOSTILE, Server, no_log, request};
use crate::{
    Command,
    testing::{alert, now, rule},
};

fn ids(value: &serde_json::Value) -> Vec<&str> {
    value["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn articles_are_found() {
    let server = Server::new();
    let found = server.get("/v1/articles?q=company%3Anvidia+h20").await.json();
    assert_eq!(found["total"], 1);
    assert!(found["took_ms"].is_number());
    let hit = &found["hits"][0];
    assert_eq!(hit["id"], "a1");
    assert_eq!(hit["title"], "Nvidia resumes H20 sales");
    assert_eq!(hit["url"], "https://example.org/a1");
    assert_eq!(hit["source"], "Example News");
    assert_eq!(hit["published"], "2026-11-20T12:30:00Z");
    assert!(hit["score"].as_f64().unwrap() > 0.0);
    assert_eq!(hit["mentions"][0], json!({"kind": "company", "entity": "nvidia", "name": "NVIDIA", "count": 1}));
    let snippet = hit["snippet"].as_str().unwrap();
    let marked = hit["highlights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|range| &snippet[range[0].as_u64().unwrap() as usize..range[1].as_u64().unwrap() as usize]);
    assert!(marked.into_iter().any(|text| text == "H20"), "{hit}");
    assert_eq!(found["facets"]["company"][0], json!({"entity": "nvidia", "name": "NVIDIA", "count": 1}));
    assert!(found.get("next").is_none());
}

#[tokio::test]
async fn without_a_query_the_newest_come_first() {
    let server = Server::new();
    for uri in ["/v1/articles", "/v1/articles?q=", "/v1/articles?q=*", "/v1/articles?q=*&sort=newest"] {
        assert_eq!(ids(&server.get(uri).await.json()), ["a1", "a2", "x1"], "{uri}");
    }
    let none = server.get("/v1/articles?facets=0").await.json();
    assert_eq!(none["facets"], json!({}));
}

#[tokio::test]
async fn cursors_lead_from_page_to_page() {
    let server = Server::new();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/v1/articles?limit=1{cursor}")).await.json();
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["a1", "a2", "x1"]);
    let detail = server.get(&format!("/v1/articles?q=nvidia{cursor}")).await.problem(400);
    assert_eq!(detail, "`cursor` belongs to another search: use it with the same `q` and `sort`");
    server.get("/v1/articles?cursor=x").await.problem(400);
    server.get("/v1/articles?limit=0").await.problem(400);
    server.get("/v1/articles?limit=101").await.problem(400);
    server.get("/v1/articles?facets=101").await.problem(400);
}

#[tokio::test]
async fn a_wrong_query_is_told_with_its_place() {
    let server = Server::new();
    for uri in ["/v1/articles?q=nvidia+(china", "/v1/entities?q=nvidia+(china", "/v1/stream?query=nvidia+(china"] {
        let answer = server.get(uri).await;
        answer.problem(400);
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:chipwire:problem:query");
        assert_eq!(problem["offset"], 7, "{problem}");
        assert!(problem["length"].is_u64(), "{problem}");
        assert_eq!(problem["suggestion"], "nvidia (china)", "{problem}");
    }
}

#[tokio::test]
async fn an_article_is_told_whole_and_once() {
    let server = Server::new();
    let answer = server.get("/v1/articles/a1").await;
    let article = answer.json();
    assert_eq!(article["body"], "Nvidia will sell the H20 in China again.\n\nTSMC makes the chip.");
    assert_eq!(article["revision"], 1);
    assert_eq!(article["spans"][1], json!({"field": "body", "start": 21, "end": 24, "kind": "chip", "entity": "h20"}));
    let tag = answer.headers[header::ETAG].clone();
    let again = request("GET", "/v1/articles/a1").header(header::IF_NONE_MATCH, tag.clone());
    let again = server.send(again.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""));
    assert_eq!(again.headers[header::ETAG], tag);
    let other = request("GET", "/v1/articles/a2").header(header::IF_NONE_MATCH, tag);
    assert_eq!(server.send(other.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn an_index_that_is_not_open_is_no_crash() {
    let mut server = Server::new();
    server.app.search = std::sync::Arc::new(|| None);
    let detail = server.get("/v1/articles").await.problem(503);
    assert_eq!(detail, "the index is not open yet; `/readyz` says why");
    server.get("/v1/articles/a1").await.problem(503);
    let page = server.browse("/").await;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("The search failed"));
}

#[tokio::test]
async fn entities_are_counted() {
    let server = Server::new();
    let all = server.get("/v1/entities").await.json();
    assert_eq!(all["entities"][0], json!({"kind": "company", "entity": "nvidia", "name": "NVIDIA", "count": 2}));
    assert_eq!(all["entities"].as_array().unwrap().len(), 4);
    let chips = server.get("/v1/entities?kind=chip").await.json();
    assert_eq!(chips["entities"], json!([{"kind": "chip", "entity": "h20", "name": "H20", "count": 1}]));
    let companies = server.get("/v1/entities?kind=company&limit=1").await.json();
    assert_eq!(companies["entities"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/v1/entities?kind=planet").await.json()["entities"], json!([]));
}

#[tokio::test]
async fn feeds_are_told_with_what_is_wrong_with_them() {
    let feeds = Server::new().get("/v1/feeds").await.json();
    assert_eq!(feeds["feeds"][0]["status"], "new");
    let expected = serde_json::json!(
    {
      "articles": 7,
      "error": {
        "class": "not_a_feed",
        "count": 3,
        "message": "this is a web page and no feed",
        "since": "2026-11-20T14:30:00Z"
      },
      "folder": [],
            "tags": [],
      "http_status": 200,
      "id": "a173f0f10eb68ccb",
      "last_ok": null,
      "last_polled": "2026-11-20T14:30:00Z",
      "next_poll": "2026-11-20T14:30:00Z",
      "origin": "user",
      "status": "error",
      "title": "Example",
      "url": "https://example.org/b.xml",
      "warnings": [
        "a bare `&` was escaped"
      ]
    });
    assert_eq!(feeds["feeds"][1], expected);
}

#[tokio::test]
async fn a_feed_is_added_and_removed() {
    let server = Server::new();
    let answer = server
        .post("/v1/feeds", r#"{"url":" HTTPS://Example.org/new.xml#top","title":"New","folder":["Chips"]}"#)
        .await;
    assert_eq!(answer.status, 201);
    let id = FeedId::of("https://example.org/new.xml");
    assert_eq!(answer.headers[header::LOCATION].to_str().unwrap(), format!("/v1/feeds/{id}"));
    assert_eq!(answer.json()["url"], "https://example.org/new.xml");
    let known = FeedId::of("https://example.org/a.xml");
    assert_eq!(server.delete(&format!("/v1/feeds/{known}")).await.status, 204);
    let feed = Feed {
        title: Some("New".to_owned()),
        folder: vec!["Chips".to_owned()],
        ..Feed::new("https://example.org/new.xml", FeedOrigin::User)
    };
    assert_eq!(server.told(), [Command::AddFeed(feed), Command::RemoveFeed(known)]);
}

/// What a request cannot say stays, and the values of headers are in no answer.
#[tokio::test]
async fn a_feed_keeps_its_headers_to_itself() {
    let server = Server::new();
    let header = FeedHeader { name: "X-Key".to_owned(), value: "hush".to_owned() };
    let known = Feed {
        headers: vec![header],
        interval_s: Some(900),
        ..Feed::new("https://example.org/secret.xml", FeedOrigin::User)
    };
    server.app.board.apply(&Event::FeedSubscribed(known.clone()));
    let list = server.get("/v1/feeds").await.json();
    assert!(list.to_string().contains("secret.xml") && !list.to_string().contains("hush"), "{list}");
    let answer = server.post("/v1/feeds", r#"{"url":"https://example.org/secret.xml","tags":["a","b"]}"#).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["tags"], json!(["a", "b"]));
    assert!(!answer.json().to_string().contains("hush"));
    assert_eq!(server.told(), [Command::AddFeed(Feed { tags: vec!["a".to_owned(), "b".to_owned()], ..known })]);
    server.post("/v1/feeds", r#"{"url":"https://example.org/x.xml","tags":["a,b"]}"#).await.problem(400);
}

#[tokio::test]
async fn what_is_no_feed_is_refused() {
    let server = Server::new();
    let configured = Feed::new("https://example.org/configured.xml", FeedOrigin::Config);
    server.app.board.apply(&Event::FeedSubscribed(configured.clone()));
    for url in ["", "example.org/feed", "ftp://example.org/feed", "file:///etc/passwd", "javascript:alert(1)"] {
        let detail = server.post("/v1/feeds", &json!({"url": url}).to_string()).await.problem(400);
        assert_eq!(detail, "`url` must be an absolute http or https address");
    }
    let url = r#"{"url":"https://user:geheim@example.org/feed"}"#;
    let detail = server.post("/v1/feeds", url).await.problem(400);
    assert!(detail.starts_with("`url` must not carry a user name or a password") && !detail.contains("geheim"));
    server.post("/v1/feeds", r#"{"url":"https://example.org/configured.xml"}"#).await.problem(409);
    server.delete(&format!("/v1/feeds/{}", configured.id)).await.problem(409);
    server.delete("/v1/feeds/none").await.problem(404);
    assert_eq!(server.told(), []);
}

#[tokio::test]
async fn a_rule_is_saved_replaced_and_removed() {
    let server = Server::new();
    let answer = server.post("/v1/rules", r#"{"name":"China & H20","query":"chip:h20 china","sinks":["ops"]}"#).await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.json(),
        json!({
            "id": "china-h20", "version": 1, "name": "China & H20", "query": "chip:h20 china", "sinks": ["ops"], "saved": now()
        })
    );
    // A changed query is a new version, a changed name is not; without sinks it goes to the terminal.
    let answer = server.post("/v1/rules", r#"{"id":"h20","name":"h20","query":"h20"}"#).await;
    assert_eq!((answer.status.as_u16(), answer.json()["version"].as_u64()), (200, Some(2)));
    assert_eq!(answer.json()["sinks"], json!(["terminal"]));
    let answer = server.post("/v1/rules", r#"{"id":"h20","name":"The H20","query":"chip:nvidia-h20"}"#).await;
    assert_eq!((answer.status.as_u16(), answer.json()["version"].as_u64()), (200, Some(1)));
    assert_eq!(server.delete("/v1/rules/h20").await.status, 204);
    let told = server.told();
    assert_eq!(told.len(), 4);
    assert_eq!(told[3], Command::RemoveRule(RuleId::from_string("h20")));
    assert_eq!(server.get("/v1/rules").await.json()["rules"][0]["query"], rule("h20", "chip:nvidia-h20").query);
}

#[tokio::test]
async fn what_is_no_rule_is_refused() {
    let server = Server::new();
    let post = async |body: serde_json::Value| server.post("/v1/rules", &body.to_string()).await;
    let answer = post(json!({"name": "r", "query": "nvidia ("})).await;
    answer.problem(400);
    assert_eq!(answer.json()["offset"], 7);
    let detail = post(json!({"name": "r", "query": "nvidia", "sinks": ["pager"]})).await.problem(400);
    assert_eq!(detail, "there is no sink `pager`; there are ops, terminal");
    post(json!({"name": " ", "query": "nvidia"})).await.problem(400);
    post(json!({"name": "r", "query": "nvidia", "id": "No/Good"})).await.problem(400);
    let detail = post(json!({"name": "H20", "query": "nvidia"})).await.problem(409);
    assert_eq!(detail, "there is a rule `h20` already: choose another name, or send `id` to replace it");
    server.delete("/v1/rules/none").await.problem(404);
    assert_eq!(server.told(), []);
}

#[tokio::test]
async fn a_server_without_commands_is_read_only() {
    let mut server = Server::new();
    server.app.commands = None;
    let detail = server.post("/v1/feeds", r#"{"url":"https://example.org/new.xml"}"#).await.problem(403);
    assert_eq!(detail, "this server is read-only");
    server.delete("/v1/rules/h20").await.problem(403);
    server.app.commands = Some(std::sync::Arc::new(no_log));
    let detail = server.delete("/v1/rules/h20").await.problem(503);
    assert_eq!(detail, "the log cannot be written just now");
}

#[tokio::test]
async fn alerts_are_told_with_their_deliveries() {
    let server = Server::new();
    let delivery = chipwire_events::Delivery {
        alert: alert(2),
        sink: "ops".to_owned(),
        status: chipwire_events::DeliveryStatus::Pending,
        attempts: 1,
        next_attempt: Some(now()),
        error: Some("the receiver answered 500 Internal Server Error".to_owned()),
    };
    server.app.board.apply(&Event::DeliveryChanged(delivery));
    let alerts = server.get("/v1/alerts?limit=1").await.json();
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1);
    let latest = &alerts["alerts"][0];
    assert_eq!(latest["id"], alert(2).id.as_str());
    assert_eq!(latest["title"], "Alert 2");
    assert_eq!(latest["deliveries"]["ops"]["status"], "pending");
    assert_eq!(latest["deliveries"]["ops"]["attempts"], 1);
    server.get("/v1/alerts?limit=1001").await.problem(400);
}

#[tokio::test]
async fn json_is_safe_to_look_at_in_a_browser() {
    let answer = Server::new().browse("/v1/articles/x1").await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.json()["title"], HOSTILE);
}
