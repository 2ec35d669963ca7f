//! `/v1/stream`: what happens, as it happens, by Server-Sent Events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use chipwire_query::Query as SearchQuery;
use futures::{Stream, stream};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use super::{alerts::AlertNews, articles::ArticleNews};
use crate::{
    app::{Ctx, Shared},
    live::{Follower, News, Step, StreamItem},
    problem::Problem,
    search,
};

/// A comment is sent when nothing else was for so long, so that a dead connection is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What to follow.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamParams {
    /// Only articles that this query finds, and no alerts.
    query: Option<String>,
}

/// The live stream
///
/// Events are named `article` and `alert`; `gap` says that some were missed and cannot be had again. The id of an event is
/// its position in the log: sent back as `Last-Event-ID`, the stream goes on behind it.
#[utoipa::path(
    get,
    path = "/v1/stream",
    operation_id = "followStream",
    tag = "stream",
    params(StreamParams, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen")),
    responses(
        (status = 200, description = "The stream", body = String, content_type = "text/event-stream"),
        (status = 400, description = "The query is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many streams are open", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn stream(
    State(shared): Ctx,
    Query(params): Query<StreamParams>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let query = params.query.as_deref().map(search::read_query).transpose()?;
    let permit = shared
        .streams
        .clone()
        .try_acquire_owned()
        .map_err(|_| Problem::unavailable("too many live streams are open"))?;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let follower = shared.app.board.live().follow(last_id);
    let following = Following { follower, query, shared, _permit: permit };
    let events = stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok(event), following))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// An open stream.
struct Following {
    follower: Follower,
    query: Option<SearchQuery>,
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Following {
    async fn next(&mut self) -> Option<Event> {
        loop {
            match self.follower.next(self.shared.app.board.live()).await? {
                Step::Gap => return Some(Event::default().event("gap").data("{}")),
                Step::Item(item) => {
                    if let Some(event) = self.event(&item) {
                        return Some(event);
                    }
                }
            }
        }
    }

    /// The item as an event, if it is asked for.
    fn event(&self, item: &StreamItem) -> Option<Event> {
        let event = match &item.news {
            News::Article(document) => {
                let wanted = |query| search::matches(query, document, (self.shared.app.now)());
                if !self.query.as_ref().is_none_or(wanted) {
                    return None;
                }
                Event::default().event("article").json_data(ArticleNews::from(document.as_ref()))
            }
            News::Alert(_) if self.query.is_some() => return None,
            News::Alert(alert) => Event::default().event("alert").json_data(AlertNews::from(alert.as_ref().clone())),
        };
        match event {
            // A line break in an id would end the field; such an id is left out rather than the event.
            Ok(event) if item.id.contains(['\r', '\n', '\0']) => Some(event),
            Ok(event) => Some(event.id(&item.id)),
            Err(error) => {
                tracing::error!(%error, "failed to write an event of the live stream");
                None
            }
        }
    }
}
