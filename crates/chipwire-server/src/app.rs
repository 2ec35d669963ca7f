//! What the server is given, and its routes.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    middleware,
    routing::{MethodRouter, delete, get},
};
use chipwire_events::{Feed, FeedId, Rule, RuleId, Timestamp};
use chipwire_index::Searcher;
use futures::future::BoxFuture;
use thiserror::Error;
use tokio::sync::Semaphore;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

use crate::{Access, Board, ServerConfig, api, guard, hub, page, problem::Problem};

/// Gives the searcher of the current index, or `None` while there is none to search. Called for every request, so that a
/// rebuilt index is used from the next one on.
pub type SearchHandle = Arc<dyn Fn() -> Option<Searcher> + Send + Sync>;

/// Carries out a command; `Ok` once it is written to the log.
pub type Commands = Arc<dyn Fn(Command) -> BoxFuture<'static, Result<(), CommandError>> + Send + Sync>;

/// Answers a hub that asks or sends (WebSub). `None` while hubs have no business here.
pub type HubDesk = Arc<dyn Fn(HubRequest) -> BoxFuture<'static, HubAnswer> + Send + Sync>;

/// A request at the callback address of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubRequest {
    /// The feed that the address names.
    pub feed: FeedId,
    /// What makes the address one that nobody can guess.
    pub token: String,
    /// What is wanted.
    pub ask: HubAsk,
}

/// What a hub wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubAsk {
    /// To know whether the subscription is wanted (GET): the parameters of the request.
    Intent(Vec<(String, String)>),
    /// To deliver what is new (POST).
    Content {
        /// `X-Hub-Signature`.
        signature: Option<String>,
        /// `Content-Type`.
        content_type: Option<String>,
        /// The document.
        body: Bytes,
    },
}

/// What a hub is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, plain text.
    pub body: String,
}

/// A wish of a user that changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Follow a feed.
    AddFeed(Feed),
    /// No longer follow it.
    RemoveFeed(FeedId),
    /// Add a rule, or replace the one with its id.
    SaveRule(Rule),
    /// Remove a rule.
    RemoveRule(RuleId),
}

/// A command that was not carried out, for instance because the log cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct CommandError(pub String);

/// How the process is, as `/livez` and `/readyz` tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Why it is not ready; empty when it is.
    pub reasons: Vec<String>,
    /// What hangs in it; empty when it is alive.
    pub hung: Vec<String>,
}

/// All that the server needs of the process that it runs in. It knows neither the log nor the other stages.
#[derive(Clone)]
pub struct App {
    /// The index.
    pub search: SearchHandle,
    /// Feeds, rules, alerts and the live stream.
    pub board: Arc<Board>,
    /// Carries out what users ask for; `None` makes the server read-only.
    pub commands: Option<Commands>,
    /// Answers hubs; `None` if none are subscribed to.
    pub hubs: Option<HubDesk>,
    /// The names of the sinks that rules may name.
    pub sinks: Vec<String>,
    /// How the process is.
    pub health: Arc<dyn Fn() -> Health + Send + Sync>,
    /// Figures in the OpenMetrics text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// Limits.
    pub config: ServerConfig,
    /// Who may ask: from [`ServerConfig::access`].
    pub access: Access,
}

/// What handlers share.
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) requests: Semaphore,
    pub(crate) streams: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.app.config.timeout_ms)
    }
}

/// The state of every handler.
pub(crate) type Ctx = axum::extract::State<Arc<Shared>>;

/// The table of the API's routes: every path is described in `/openapi.json`, which a test holds against this table.
pub(crate) fn api_routes() -> Vec<(&'static str, MethodRouter<Arc<Shared>>)> {
    vec![
        ("/v1/articles", get(api::articles::search)),
        ("/v1/articles/{id}", get(api::articles::article)),
        ("/v1/entities", get(api::entities::entities)),
        ("/v1/feeds", get(api::feeds::list).post(api::feeds::add)),
        ("/v1/feeds/{id}", delete(api::feeds::remove)),
        ("/v1/rules", get(api::rules::list).post(api::rules::save)),
        ("/v1/rules/{id}", delete(api::rules::remove)),
        ("/v1/alerts", get(api::alerts::list)),
        ("/v1/stream", get(api::stream::stream)),
        ("/livez", get(api::health::livez)),
        ("/readyz", get(api::health::readyz)),
        ("/metrics", get(api::health::metrics)),
        ("/openapi.json", get(api::openapi::document)),
    ]
}

/// The whole server as a router.
pub fn router(app: App) -> Router {
    let mut router = Router::new()
        .route("/", get(page::search::page))
        .route("/articles/{id}", get(page::article::page))
        .route("/static/{file}", get(page::assets::file))
        .route("/websub/{feed}/{token}", hub::route());
    for (path, methods) in api_routes() {
        router = router.route(path, methods);
    }
    let body_limit = app.config.max_body_bytes;
    let shared = Arc::new(Shared {
        requests: Semaphore::new(app.config.max_requests),
        streams: Arc::new(Semaphore::new(app.config.max_streams)),
        app,
    });
    // From the inside out: the last one sees a request first.
    router
        .fallback(async || Problem::not_found("there is nothing at this address"))
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(shared.clone(), guard::limit))
        .layer(middleware::from_fn_with_state(shared.clone(), guard::admit))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(middleware::from_fn(guard::explain))
        .layer(middleware::from_fn(guard::harden))
        .with_state(shared)
}
