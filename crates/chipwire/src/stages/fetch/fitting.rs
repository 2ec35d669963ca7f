//! Records that fit into the log, whose limit on their size may be narrower than what is read of a feed.
//!
//! What is too large for it would be refused each time it is written, and hold up all feeds with it: it is cut instead.

use chipwire_events::{Article, Event, FeedItems, FeedState, Timestamp};
use chipwire_feeds::text;
use chipwire_log::Record;

use super::STAGE;
use crate::wire::Log;

/// The record of an article; its body is cut where it is too large, and then the rest that is not needed to find it. None if
/// there is still no room for it.
pub(super) fn article(
    log: &Log,
    article: &Article,
    max_bytes: usize,
) -> Result<Option<Record>, chipwire_events::Error> {
    let time = article.first_seen;
    let record = log.encode(&Event::ArticleFetched(article.clone()), time, None)?;
    if record.size_bytes() <= max_bytes {
        return Ok(Some(record));
    }
    tracing::warn!(
        stage = STAGE, feed = %article.feed, article = %article.id, bytes = record.size_bytes(), max_bytes,
        "an article is too large for the log, and is cut"
    );
    let mut cut = article.clone();
    let mut size = record.size_bytes();
    // In JSON a character may take six times as many bytes: what is taken away is at least what is too much, in its part of
    // the whole.
    while !cut.body.is_empty() {
        let share = max_bytes as f64 / size.max(1) as f64;
        let kept = (cut.body.len() as f64 * share * 0.95) as usize;
        cut.body = text::cap_bytes(&cut.body, kept.min(cut.body.len() - 1)).to_owned();
        let record = log.encode(&Event::ArticleFetched(cut.clone()), time, None)?;
        size = record.size_bytes();
        if size <= max_bytes {
            return Ok(Some(record));
        }
    }
    cut.authors.clear();
    cut.categories.clear();
    cut.published_raw = None;
    let record = log.encode(&Event::ArticleFetched(cut), time, None)?;
    Ok(unless_too_large(record, max_bytes))
}

/// The record of a state, without its warnings where these make it too large.
pub(super) fn state(
    log: &Log,
    state: FeedState,
    time: Timestamp,
    max_bytes: usize,
) -> Result<Option<Record>, chipwire_events::Error> {
    let record = log.encode(&Event::FeedPolled(state.clone()), time, None)?;
    if record.size_bytes() <= max_bytes {
        return Ok(Some(record));
    }
    let cut = FeedState { warnings: Vec::new(), title: None, ..state };
    Ok(unless_too_large(log.encode(&Event::FeedPolled(cut), time, None)?, max_bytes))
}

/// The record of the items that were seen: of the latest for which there is room.
pub(super) fn items(
    log: &Log,
    mut items: FeedItems,
    time: Timestamp,
    max_bytes: usize,
) -> Result<Option<Record>, chipwire_events::Error> {
    loop {
        let record = log.encode(&Event::FeedRead(items.clone()), time, None)?;
        let size = record.size_bytes();
        if size <= max_bytes || items.items.is_empty() {
            return Ok(unless_too_large(record, max_bytes));
        }
        let kept = (items.items.len() as f64 * max_bytes as f64 / size as f64 * 0.95) as usize;
        items.items.truncate(kept.min(items.items.len() - 1));
    }
}

fn unless_too_large(record: Record, max_bytes: usize) -> Option<Record> {
    if record.size_bytes() <= max_bytes {
        return Some(record);
    }
    let key = String::from_utf8_lossy(&record.key);
    tracing::error!(stage = STAGE, %key, bytes = record.size_bytes(), max_bytes, "an event is too large for the log");
    None
}
