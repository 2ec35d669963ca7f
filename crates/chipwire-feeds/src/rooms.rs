//! How many large answers are in memory at the same time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::FetchConfig;

/// Answers up to this size need no room, in bytes.
pub(crate) const SMALL_BYTES: usize = 256 * 1024;

/// A place for a large answer, and for what is made of it; free when all copies are dropped.
#[derive(Debug, Clone)]
pub struct Room {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// The places there are: as many as the largest answers go into `fetch.max_large_bytes`, one at least. Those for pages are others
/// than those for feeds: a feed keeps its own while it waits for the pages of its articles.
pub(crate) struct Rooms {
    feeds: Arc<Semaphore>,
    pages: Arc<Semaphore>,
}

impl Rooms {
    pub(crate) fn new(config: &FetchConfig) -> Self {
        let count = (config.max_large_bytes / config.max_body_bytes.max(1)).clamp(1, Semaphore::MAX_PERMITS);
        let rooms = || Arc::new(Semaphore::new(count));
        Self { feeds: rooms(), pages: rooms() }
    }

    /// Waits for a place for a feed.
    pub(crate) async fn for_feed(&self) -> Option<Room> {
        take(&self.feeds).await
    }

    /// Waits for a place for a page.
    pub(crate) async fn for_page(&self) -> Option<Room> {
        take(&self.pages).await
    }
}

/// There is one in the end, since nobody closes the semaphore.
async fn take(rooms: &Arc<Semaphore>) -> Option<Room> {
    let permit = Arc::clone(rooms).acquire_owned().await.ok()?;
    Some(Room { _permit: Arc::new(permit) })
}
