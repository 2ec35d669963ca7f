//! `/v1/feeds`: what is followed and how it fares.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
};
use chipwire_events::{ArticlePages, Feed, FeedId, FeedOrigin, FeedState, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::command;
use crate::{
    app::{Command, Ctx},
    problem::Problem,
};

/// The feeds, by address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Feeds {
    feeds: Vec<FeedView>,
}

/// A feed and what is known about it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FeedView {
    /// The feed's id.
    pub(crate) id: String,
    /// The address under which it was added.
    pub(crate) url: String,
    /// The address it is fetched from now, if it has moved for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moved_to: Option<String>,
    /// The name that the user gave it, or else its own.
    pub(crate) title: Option<String>,
    /// The folders it lies in, outermost first.
    pub(crate) folder: Vec<String>,
    /// Its tags.
    pub(crate) tags: Vec<String>,
    /// The shortest time between two polls, in seconds, if the user set one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interval_s: Option<u32>,
    /// `never`, `auto` or `always`: whether its articles' pages are fetched, if the user said so.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) article_pages: Option<ArticlePages>,
    /// `config`, `user` or `import`.
    #[schema(value_type = String)]
    pub(crate) origin: FeedOrigin,
    /// How it fares.
    #[schema(inline)]
    pub(crate) status: FeedStatus,
    /// Articles from this feed so far.
    pub(crate) articles: u64,
    /// The last poll, whatever came of it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) last_polled: Option<Timestamp>,
    /// The last poll that could be read.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) last_ok: Option<Timestamp>,
    /// Not polled before this time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) next_poll: Option<Timestamp>,
    /// The HTTP status of the last answer.
    pub(crate) http_status: Option<u16>,
    /// Why it cannot be read just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<FeedErrorView>,
    /// What had to be repaired in it.
    pub(crate) warnings: Vec<String>,
}

/// How a feed fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FeedStatus {
    /// Not polled yet.
    New,
    /// Read at the last poll.
    Ok,
    /// Not read at the last poll: see `error`.
    Error,
    /// Not polled on purpose.
    Paused,
}

/// Why a feed cannot be read.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FeedErrorView {
    /// A short stable name: `dns`, `timeout`, `http`, `not_a_feed`, ...
    pub(crate) class: String,
    /// What happened and what can be done.
    pub(crate) message: String,
    /// The first failure in a row.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since: Timestamp,
    /// Failures in a row.
    pub(crate) count: u32,
}

impl FeedView {
    pub(crate) fn new(feed: Feed, state: Option<FeedState>) -> Self {
        let status = match &state {
            _ if feed.paused || feed.origin == FeedOrigin::Import => FeedStatus::Paused,
            Some(state) if state.error.is_some() => FeedStatus::Error,
            Some(state) if state.last_polled.is_some() => FeedStatus::Ok,
            _ => FeedStatus::New,
        };
        let view = Self {
            id: feed.id.to_string(),
            url: feed.url,
            moved_to: None,
            title: feed.title,
            folder: feed.folder,
            tags: feed.tags,
            interval_s: feed.interval_s,
            article_pages: feed.article_pages,
            origin: feed.origin,
            status,
            articles: 0,
            last_polled: None,
            last_ok: None,
            next_poll: None,
            http_status: None,
            error: None,
            warnings: Vec::new(),
        };
        let Some(state) = state else { return view };
        let next_poll = (!state.is_gone()).then_some(state.next_poll);
        Self {
            moved_to: (state.url != view.url).then_some(state.url),
            title: view.title.or(state.title),
            articles: state.articles,
            last_polled: state.last_polled,
            last_ok: state.last_ok,
            next_poll,
            http_status: state.http_status,
            error: state.error.map(|error| FeedErrorView {
                class: error.class,
                message: error.message,
                since: error.since,
                count: error.count,
            }),
            warnings: state.warnings,
            ..view
        }
    }
}

/// Feeds
///
/// The feeds that are followed, with status, error and warnings.
#[utoipa::path(get, path = "/v1/feeds", operation_id = "listFeeds", tag = "feeds", responses((status = 200, description = "The feeds", body = Feeds)))]
pub(crate) async fn list(State(shared): Ctx) -> Json<Feeds> {
    let feeds = shared.app.board.feeds();
    Json(Feeds { feeds: feeds.into_iter().map(|(feed, state)| FeedView::new(feed, state)).collect() })
}

/// A feed to follow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFeed {
    /// Its address, `http` or `https`.
    url: String,
    /// A name for it; else its own title is shown.
    title: Option<String>,
    /// The folders it lies in, outermost first.
    #[serde(default)]
    folder: Vec<String>,
    /// Its tags, without commas.
    #[serde(default)]
    tags: Vec<String>,
}

/// Follow a feed
///
/// A feed that is followed already gets the new title, folder and tags.
#[utoipa::path(
    post,
    path = "/v1/feeds",
    operation_id = "addFeed",
    tag = "feeds",
    request_body = NewFeed,
    responses(
        (status = 201, description = "The feed is followed", body = FeedView),
        (status = 400, description = "This is no address of a feed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The server is read-only", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The feed stands in the configuration", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(
    State(shared): Ctx,
    Json(new): Json<NewFeed>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<FeedView>), Problem> {
    let url = read_url(&new.url)?;
    if new.folder.len() > 8 || new.title.iter().chain(&new.folder).any(|name| name.chars().count() > 200) {
        return Err(Problem::bad_request(
            "`title` and the names in `folder` are at most 200 characters, folders at most 8",
        ));
    }
    if new.tags.len() > 50 || new.tags.iter().any(|tag| tag.contains(',') || tag.chars().count() > 200) {
        return Err(Problem::bad_request("`tags` are at most 50, without commas and of at most 200 characters each"));
    }
    let one_line = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = new.title.map(|title| one_line(&title)).filter(|title| !title.is_empty());
    let folder = new.folder.iter().map(|name| one_line(name)).collect();
    let feed = Feed { title, folder, tags: new.tags, ..Feed::new(url, FeedOrigin::User) };
    let known = shared.app.board.feed(&feed.id);
    refuse_configured(known.as_ref())?;
    // What this request cannot say stays as it is.
    let feed = match known {
        Some(mut known) => {
            if known.folder != feed.folder {
                known.folder_outlines.clear();
            }
            Feed { title: feed.title, folder: feed.folder, tags: feed.tags, ..known }
        }
        None => feed,
    };
    command(&shared, Command::AddFeed(feed.clone())).await?;
    let location = [(header::LOCATION, format!("/v1/feeds/{}", feed.id))];
    Ok((StatusCode::CREATED, location, Json(FeedView::new(feed, None))))
}

/// Stop following a feed
///
/// Its articles stay.
#[utoipa::path(
    delete,
    path = "/v1/feeds/{id}",
    operation_id = "removeFeed",
    tag = "feeds",
    params(("id" = String, Path, description = "The feed's id")),
    responses(
        (status = 204, description = "The feed is no longer followed"),
        (status = 403, description = "The server is read-only", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such feed", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The feed stands in the configuration", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove(State(shared): Ctx, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = FeedId::from_string(id);
    let known = shared.app.board.feed(&id);
    refuse_configured(known.as_ref())?;
    if known.is_none() {
        return Err(Problem::not_found("there is no feed with this id"));
    }
    command(&shared, Command::RemoveFeed(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn refuse_configured(known: Option<&Feed>) -> Result<(), Problem> {
    match known.map(|feed| feed.origin) {
        Some(FeedOrigin::Config) => {
            Err(Problem::conflict("this feed stands in the configuration or its list of feeds: change it there"))
        }
        Some(FeedOrigin::Import) => Err(Problem::conflict("this is the name of imported articles and no feed")),
        Some(FeedOrigin::User) | None => Ok(()),
    }
}

/// The address in its normal form, without fragment.
fn read_url(text: &str) -> Result<String, Problem> {
    let wrong = || Problem::bad_request("`url` must be an absolute http or https address");
    let mut url = Url::parse(text.trim()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.as_str().len() > 2_000 {
        return Err(wrong());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Problem::bad_request(
            "`url` must not carry a user name or a password: give them as a header, in the configuration or with `chipwire feeds edit`",
        ));
    }
    url.set_fragment(None);
    Ok(url.into())
}
