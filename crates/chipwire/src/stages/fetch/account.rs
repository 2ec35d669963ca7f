//! What is counted of polls.

use chipwire_events::FeedId;
use chipwire_feeds::{Poll, pages::Pages};

use super::{Polling, STAGE};
use crate::health::{OutcomeLabel, StageLabel, StatusLabel};

impl Polling<'_> {
    pub(super) fn account_pages(&self, pages: Pages) {
        for (outcome, count) in [("read", pages.read), ("failed", pages.failed), ("skipped", pages.skipped)] {
            if count > 0 {
                let label = OutcomeLabel { outcome: outcome.to_owned() };
                self.context.health.metrics.article_pages.get_or_create(&label).inc_by(count as u64);
            }
        }
    }

    pub(super) fn account(&mut self, poll: &Poll) {
        let metrics = &self.context.health.metrics;
        metrics.polls.get_or_create(&OutcomeLabel { outcome: poll.outcome.to_string() }).inc();
        if poll.asked() {
            metrics.responses.get_or_create(&StatusLabel::of(poll.state.http_status)).inc();
        }
        metrics.poll_bytes.inc_by(poll.bytes);
        metrics.articles.inc_by(poll.articles.len() as u64);
        metrics.feed_duplicates.inc_by(poll.duplicates as u64);
        metrics.window_overruns.inc_by(u64::from(poll.overrun));
        // The articles of a first poll are as old as they are.
        for article in poll.articles.iter().filter(|article| !poll.first_read && article.revision == 1) {
            if let Some(published) = article.published {
                let delay = article.first_seen.duration_since(published).as_secs_f64();
                metrics.discovery_delay_seconds.observe(delay.max(0.0));
            }
        }
        metrics.events.get_or_create(&StageLabel { stage: STAGE }).inc_by(poll.articles.len() as u64);
        for stage in &poll.repairs {
            metrics.feed_repairs.get_or_create(&StageLabel { stage }).inc();
        }
        self.note_failing(&poll.state.feed, poll.state.error.is_some());
    }

    /// Counts a feed among those that cannot be read, or no longer.
    pub(super) fn note_failing(&mut self, feed: &FeedId, fails: bool) {
        match fails {
            true => self.failing.insert(feed.clone()),
            false => self.failing.remove(feed),
        };
        self.context.health.metrics.feeds_failing.set(self.failing.len() as i64);
    }
}
