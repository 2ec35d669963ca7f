//! The whole server, asked as a client asks it.

mod api;
mod guard;
mod hub;
mod openapi;
mod page;
mod stream;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use chipwire_events::Event;
use serde_json::Value;
use tower::ServiceExt;

use crate::{
    Access, App, Board, Command, CommandError, Health, ServerConfig, router,
    testing::{alert, document, feed, feed_state, index, now, rule},
};

/// A server with a few articles, and what it was told to do.
pub(super) struct Server {
    pub(super) app: App,
    pub(super) commands: Arc<Mutex<Vec<Command>>>,
}

impl Server {
    pub(super) fn new() -> Self {
        let commands = Arc::new(Mutex::new(Vec::new()));
        let told = commands.clone();
        let board = Arc::new(Board::new());
        for event in [
            Event::FeedSubscribed(feed("https://example.org/a.xml")),
            Event::FeedSubscribed(feed("https://example.org/b.xml")),
            Event::FeedPolled(feed_state("https://example.org/b.xml")),
            Event::RuleSaved(rule("h20", "chip:nvidia-h20")),
            Event::AlertRaised(alert(1)),
            Event::AlertRaised(alert(2)),
        ] {
            board.apply(&event);
        }
        let app = App {
            search: index(&documents()),
            board,
            commands: Some(Arc::new(move |command| {
                told.lock().unwrap().push(command);
                Box::pin(std::future::ready(Ok(())))
            })),
            hubs: None,
            sinks: vec!["ops".to_owned(), "terminal".to_owned()],
            health: Arc::new(Health::default),
            metrics: Arc::new(|| "chipwire_articles_total 3\n# EOF\n".to_owned()),
            now,
            config: ServerConfig::default(),
            access: ServerConfig::default().access(|_| None).unwrap(),
        };
        Self { app, commands }
    }

    /// The same server, but asking for this token and open to the network.
    pub(super) fn with_token(token: &str) -> Self {
        let mut server = Self::new();
        server.app.access = Access { token: Some(token.to_owned()), hosts: None };
        server
    }

    pub(super) fn router(&self) -> Router {
        router(self.app.clone())
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.router().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(super) async fn get(&self, uri: &str) -> Answer {
        self.send(request("GET", uri).body(Body::empty()).unwrap()).await
    }

    /// As a browser asks for a page.
    pub(super) async fn browse(&self, uri: &str) -> Answer {
        let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
        self.send(request("GET", uri).header(header::ACCEPT, accept).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn post(&self, uri: &str, body: &str) -> Answer {
        let request = request("POST", uri).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(super) async fn delete(&self, uri: &str) -> Answer {
        self.send(request("DELETE", uri).body(Body::empty()).unwrap()).await
    }

    pub(super) fn told(&self) -> Vec<Command> {
        self.commands.lock().unwrap().clone()
    }
}

pub(super) fn request(method: &str, uri: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(uri).header(header::HOST, "localhost:8080")
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Checks that this is a problem, and gives its detail.
    #[track_caller]
    pub(super) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        let value = self.json();
        assert_eq!(value["status"], status);
        assert!(value["type"].is_string() && value["title"].is_string());
        value["detail"].as_str().unwrap().to_owned()
    }
}

/// Escaped where it is shown, or this runs.
pub(super) const HOSTILE: &str = "<script>alert(1)</script> \"><img src=x onerror=alert(2)> &amp; 'x'";

fn documents() -> Vec<chipwire_index::Document> {
    let mut hostile = document("x1", HOSTILE, &format!("{HOSTILE} hostile"), "2026-11-18T10:00:00Z", &[]);
    hostile.url = Some("javascript:alert(document.cookie)".to_owned());
    hostile.source = HOSTILE.to_owned();
    hostile.authors = vec![HOSTILE.to_owned()];
    hostile.language = Some("\"><script>".to_owned());
    vec![
        document(
            "a1",
            "Nvidia resumes H20 sales",
            "Nvidia will sell the H20 in China again.\n\nTSMC makes the chip.",
            "2026-11-20T12:30:00Z",
            &["company:nvidia", "chip:h20", "company:tsmc"],
        ),
        document(
            "a2",
            "New export controls",
            "The bureau announced export controls on memory. Nvidia fell.",
            "2026-11-19T10:00:00Z",
            &["policy:bis", "company:nvidia"],
        ),
        hostile,
    ]
}

fn no_log(_: Command) -> futures::future::BoxFuture<'static, Result<(), CommandError>> {
    Box::pin(std::future::ready(Err(CommandError("the log cannot be written just now".to_owned()))))
}
