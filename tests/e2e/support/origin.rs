//! An origin that serves feeds whose items the test chooses.

use std::{
    collections::BTreeMap,
    fmt::Write,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::runtime;

/// An item of a feed.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Item {
    pub(crate) fn new(id: usize, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { id: format!("item-{id}"), title: title.into(), text: text.into() }
    }

    fn number(&self) -> usize {
        self.id.trim_start_matches("item-").parse().unwrap()
    }
}

#[derive(Default)]
struct Served {
    items: Vec<Item>,
    /// Answers to other paths: content type and body.
    raw: BTreeMap<String, (String, Vec<u8>)>,
    requests: u64,
    /// Path and headers of every request.
    seen: Vec<(String, HeaderMap)>,
}

/// The origin; it goes on for as long as the test runs.
pub(crate) struct Origin {
    address: SocketAddr,
    served: Arc<Mutex<Served>>,
}

impl Origin {
    pub(crate) fn start() -> Self {
        let served = Arc::new(Mutex::new(Served::default()));
        let router = Router::new().route("/{path}", get(serve)).with_state(Arc::clone(&served));
        let listener = runtime().block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime().spawn(async move { axum::serve(listener, router).await });
        Self { address, served }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Adds items to `/feed.xml`, as the newest. `/0-of-8.xml` has those whose numbers give 0 modulo 8, and so on.
    pub(crate) fn publish(&self, items: impl IntoIterator<Item = Item>) {
        self.served.lock().unwrap().items.extend(items);
    }

    /// Keeps the newest `count` items of `/feed.xml`.
    pub(crate) fn keep(&self, count: usize) {
        let items = &mut self.served.lock().unwrap().items;
        items.drain(..items.len().saturating_sub(count));
    }

    /// Changes an item of `/feed.xml`.
    pub(crate) fn edit(&self, id: usize, change: impl FnOnce(&mut Item)) {
        let mut served = self.served.lock().unwrap();
        change(served.items.iter_mut().find(|item| item.id == format!("item-{id}")).unwrap());
    }

    /// Serves `body` under `path`.
    pub(crate) fn serve(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        self.served.lock().unwrap().raw.insert(path.to_owned(), (content_type.to_owned(), body.into()));
    }

    /// The values with which a header came in requests for `path`.
    pub(crate) fn header_of(&self, path: &str, name: &str) -> Vec<String> {
        let served = self.served.lock().unwrap();
        let of_path = served.seen.iter().filter(|(seen, _)| seen == path);
        of_path.filter_map(|(_, headers)| Some(headers.get(name)?.to_str().unwrap().to_owned())).collect()
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.served.lock().unwrap().requests
    }
}

async fn serve(State(served): State<Arc<Mutex<Served>>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let mut served = served.lock().unwrap();
    served.requests += 1;
    served.seen.push((format!("/{path}"), headers.clone()));
    if let Some((content_type, body)) = served.raw.get(&format!("/{path}")) {
        if content_type == "endless" {
            let chunk = axum::body::Bytes::from(vec![b'x'; 1 << 16]);
            let endless = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
            return ([(header::CONTENT_TYPE, "application/xml")], Body::from_stream(endless)).into_response();
        }
        return ([(header::CONTENT_TYPE, content_type.clone())], body.clone()).into_response();
    }
    let Some((feed, feeds)) = (if path == "feed.xml" { Some((0, 1)) } else { share(&path) }) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let body = rss(served.items.iter().filter(|item| item.number() % feeds == feed));
    let etag = format!("\"{}\"", chipwire_events::hash_hex(8, &[&body]));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([(header::CONTENT_TYPE, "application/rss+xml".to_owned()), (header::ETAG, etag)], body).into_response()
}

/// The feed and the number of feeds in `FEED-of-FEEDS.xml`.
fn share(path: &str) -> Option<(usize, usize)> {
    let (feed, feeds) = path.strip_suffix(".xml")?.split_once("-of-")?;
    Some((feed.parse().ok()?, feeds.parse().ok()?))
}

fn rss<'a>(items: impl DoubleEndedIterator<Item = &'a Item>) -> String {
    let mut out = "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Test Wire</title>\
                   <link>https://wire.example.org/</link><description>for tests</description>"
        .to_owned();
    for item in items.rev() {
        let Item { id, title, text } = item;
        write!(
            out,
            "<item><title>{title}</title><link>https://wire.example.org/{id}</link><guid isPermaLink=\"false\">{id}</guid>\
             <pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate><description>{text}</description></item>"
        )
        .unwrap();
    }
    out.push_str("</channel></rss>");
    out
}
