//! A webhook receiver that checks signatures.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Instant,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::Value;

use super::{PATIENCE, SECRET, runtime};

/// An alert as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    pub(crate) id: String,
    pub(crate) body: Value,
}

struct Taken {
    sender: mpsc::Sender<Hook>,
    refuse: Arc<AtomicU64>,
}

/// The receiver.
pub(crate) struct Receiver {
    address: SocketAddr,
    hooks: mpsc::Receiver<Hook>,
    refuse: Arc<AtomicU64>,
    pub(crate) seen: Vec<Hook>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let (sender, hooks) = mpsc::channel();
        let refuse = Arc::new(AtomicU64::new(0));
        let taken = Arc::new(Taken { sender, refuse: Arc::clone(&refuse) });
        let router = Router::new().route("/hook", post(take)).with_state(taken);
        let listener = runtime().block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime().spawn(async move { axum::serve(listener, router).await });
        Self { address, hooks, refuse, seen: Vec::new() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next `count` requests with 503.
    pub(crate) fn refuse(&self, count: u64) {
        self.refuse.store(count, Ordering::SeqCst);
    }

    /// Waits until alerts for all of `titles` have come in.
    pub(crate) fn until(&mut self, titles: &BTreeSet<String>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen: BTreeSet<String> = self.seen.iter().map(Hook::title).collect();
            let Some(missing) = titles.difference(&seen).next() else { return };
            let left = deadline.saturating_duration_since(Instant::now());
            match self.hooks.recv_timeout(left) {
                Ok(hook) => self.seen.push(hook),
                Err(error) => panic!("no alert for `{missing}`: {error}"),
            }
        }
    }
}

impl Hook {
    pub(crate) fn title(&self) -> String {
        self.body["data"]["title"].as_str().unwrap().to_owned()
    }
}

async fn take(State(taken): State<Arc<Taken>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let refuse = taken.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if refuse.is_ok() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let secret = chipwire_alerts::Secret::parse(SECRET).unwrap();
    let expected = chipwire_alerts::sign(&[secret], &id, timestamp.parse().unwrap(), &body);
    if header("webhook-signature") != expected {
        return StatusCode::UNAUTHORIZED;
    }
    let body = serde_json::from_slice(&body).unwrap();
    let _ = taken.sender.send(Hook { id, body });
    StatusCode::NO_CONTENT
}
