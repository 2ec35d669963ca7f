//! The sample feeds and the local origin that serves them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context as _, Result};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chipwire_events::{ArticlePages, Feed, FeedId, FeedOrigin, Rule, RuleId, Timestamp};
use rust_embed::RustEmbed;
use serde::Deserialize;
use tokio::net::TcpListener;

#[derive(RustEmbed)]
#[folder = "demo/"]
struct Files;

/// A sample feed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    path: String,
    file: String,
    /// What is served after the origin was edited.
    v2: Option<String>,
    content_type: String,
    title: String,
    folder: String,
}

#[derive(Debug, Deserialize)]
struct Samples {
    feed: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct SampleRules {
    rule: Vec<SampleRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SampleRule {
    id: String,
    name: String,
    query: String,
}

/// The local origin of the sample feeds.
pub struct Origin {
    address: SocketAddr,
    samples: Vec<Sample>,
    edited: Arc<AtomicBool>,
}

struct Served {
    feeds: BTreeMap<String, Sample>,
    edited: Arc<AtomicBool>,
}

impl Origin {
    /// Starts to serve the sample feeds on this machine: on `port`, if it is given and free, or else on any free one.
    pub async fn start(port: Option<u16>) -> Result<Self> {
        let samples: Samples = toml::from_str(&text("feeds.toml")?).context("failed to read the sample feeds' list")?;
        let listener = match TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind(("127.0.0.1", 0)).await.context("failed to listen on 127.0.0.1")?,
        };
        let address = listener.local_addr()?;
        let edited = Arc::new(AtomicBool::new(false));
        let feeds = samples.feed.iter().map(|sample| (sample.path.clone(), sample.clone())).collect();
        let served = Arc::new(Served { feeds, edited: Arc::clone(&edited) });
        let router = Router::new().route("/{*path}", get(serve)).with_state(served);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, samples: samples.feed, edited })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sample feeds as a user would follow them.
    pub fn feeds(&self) -> Vec<Feed> {
        self.samples
            .iter()
            .map(|sample| Feed {
                // The port differs from run to run, the feed does not.
                id: FeedId::of(&format!("demo:{}", sample.path)),
                title: Some(sample.title.clone()),
                folder: vec![sample.folder.clone()],
                // There is no network to fetch them from.
                article_pages: Some(ArticlePages::Never),
                ..Feed::new(format!("http://{}{}", self.address, sample.path), FeedOrigin::User)
            })
            .collect()
    }

    /// The feeds that change with [`Self::edit`].
    pub fn changing(&self) -> Vec<FeedId> {
        self.samples
            .iter()
            .filter(|sample| sample.v2.is_some())
            .map(|sample| FeedId::of(&format!("demo:{}", sample.path)))
            .collect()
    }

    /// From now on, serves the second version of the feeds that have one.
    pub fn edit(&self) {
        self.edited.store(true, Ordering::SeqCst);
    }
}

/// The sample rules.
pub fn rules(now: Timestamp) -> Result<Vec<Rule>> {
    let rules: SampleRules = toml::from_str(&text("rules.toml")?).context("failed to read the sample rules")?;
    Ok(rules
        .rule
        .into_iter()
        .map(|rule| Rule {
            id: RuleId::from_string(rule.id),
            version: 1,
            name: rule.name,
            query: rule.query,
            sinks: vec![chipwire_alerts::TERMINAL.to_owned()],
            saved: now,
        })
        .collect())
}

/// The articles of the sample feeds, each with the name of its feed and its title, as one text.
pub fn texts() -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for file in Files::iter().filter(|file| file.starts_with("feeds/")) {
        let Some(content) = Files::get(&file) else { continue };
        let feed = chipwire_feeds::parse_feed(&content.data, None, None)
            .with_context(|| format!("failed to read sample feed `{file}`"))?;
        for entry in feed.entries {
            texts.push((format!("{file}: {}", entry.title), format!("{}\n\n{}", entry.title, entry.display_html())));
        }
    }
    Ok(texts)
}

fn text(file: &str) -> Result<String> {
    let file = Files::get(file).with_context(|| format!("sample file `{file}` is missing"))?;
    Ok(String::from_utf8(file.data.into_owned())?)
}

async fn serve(State(served): State<Arc<Served>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some(sample) = served.feeds.get(&format!("/{path}")) else { return StatusCode::NOT_FOUND.into_response() };
    let file = match &sample.v2 {
        Some(v2) if served.edited.load(Ordering::SeqCst) => v2,
        _ => &sample.file,
    };
    let Some(content) = Files::get(&format!("feeds/{file}")) else { return StatusCode::NOT_FOUND.into_response() };
    let etag = format!("\"{:02x?}\"", content.metadata.sha256_hash()).replace([' ', ',', '[', ']'], "");
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { content.data.into_owned().into_response() };
    for (name, value) in [(header::ETAG, &etag), (header::CONTENT_TYPE, &sample.content_type)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
