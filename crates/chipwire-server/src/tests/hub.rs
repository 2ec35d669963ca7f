use std::sync::{Arc, Mutex};

use axum::{body::Body, http::header};
use chipwire_events::FeedId;

use super::{Server, request};
use crate::{HubAnswer, HubAsk, HubRequest};

/// A server that asks everybody else for a token, and what hubs have said to it.
fn server() -> (Server, Arc<Mutex<Vec<HubRequest>>>) {
    let mut server = Server::with_token("0123456789abcdef");
    server.app.access.hosts = Some(vec!["localhost".to_owned()]);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    server.app.hubs = Some(Arc::new(move |asked: HubRequest| {
        let known = asked.token == "known";
        told.lock().unwrap().push(asked);
        let body = if known { "<challenge>".to_owned() } else { String::new() };
        Box::pin(std::future::ready(HubAnswer { status: if known { 200 } else { 404 }, body }))
    }));
    (server, heard)
}

#[tokio::test]
async fn hubs_are_heard_without_token_and_under_any_name() {
    let (server, heard) = server();
    let asked = request("GET", "/websub/f1/known?hub.mode=subscribe&hub.topic=https%3A%2F%2Fx.org%2F%3Fa%26b");
    let asked = asked.header(header::HOST, "public.host").body(Body::empty()).unwrap();
    let answer = server.send(asked).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "<challenge>"));
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");

    let sent = request("POST", "/websub/f1/known")
        .header(header::HOST, "public.host")
        .header(header::ORIGIN, "https://hub.org")
        .header(header::CONTENT_TYPE, "application/rss+xml")
        .header("x-hub-signature", "sha256=00");
    assert_eq!(server.send(sent.body(Body::from("<rss/>")).unwrap()).await.status, 200);
    let (feed, token) = (FeedId::from_string("f1"), "known".to_owned());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let intent = HubAsk::Intent(vec![pair("hub.mode", "subscribe"), pair("hub.topic", "https://x.org/?a&b")]);
    let content = HubAsk::Content {
        signature: Some("sha256=00".to_owned()),
        content_type: Some("application/rss+xml".to_owned()),
        body: "<rss/>".into(),
    };
    let expected = [intent, content].map(|ask| HubRequest { feed: feed.clone(), token: token.clone(), ask });
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[tokio::test]
async fn the_callback_opens_nothing_else() {
    let (mut server, heard) = server();
    server.get("/websub/f1/unknown").await.problem(404);
    server.get("/v1/feeds").await.problem(401);
    server.get("/websub/f1/known/../../../v1/feeds").await.problem(404);
    let large = request("POST", "/websub/f1/known").body(Body::from(vec![b' '; (1 << 20) + 1])).unwrap();
    server.send(large).await.problem(413);
    assert_eq!(heard.lock().unwrap().len(), 1);
    server.app.hubs = None;
    server.get("/websub/f1/known").await.problem(404);
}
