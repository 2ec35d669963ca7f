//! What just happened, for those who follow the live stream: the last items in memory, each with its position in the log.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use chipwire_events::Alert;
use chipwire_index::Document;
use tokio::sync::watch;

/// The most items that can be asked for again.
const ITEMS: usize = 1_000;

/// Something that goes to the live stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamItem {
    /// Its position in the log, in any form without line breaks: what a browser sends back as `Last-Event-ID`.
    pub id: String,
    /// What happened.
    pub news: News,
}

/// What can happen on the live stream.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// An article can be searched, as it was given to the index.
    Article(Box<Document>),
    /// An alert was raised.
    Alert(Box<Alert>),
}

/// The last items and a bell that rings for each new one.
#[derive(Debug)]
pub(crate) struct Live {
    items: Mutex<Items>,
    bell: watch::Sender<Bell>,
}

#[derive(Debug, Default)]
struct Items {
    kept: VecDeque<Arc<StreamItem>>,
    /// The number of the item that comes next; counts from 0 since the server started.
    next: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bell {
    next: u64,
    closed: bool,
}

impl Default for Live {
    fn default() -> Self {
        Self { items: Mutex::default(), bell: watch::Sender::new(Bell::default()) }
    }
}

impl Live {
    pub(crate) fn publish(&self, item: StreamItem) {
        let next = {
            let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
            if items.kept.len() >= ITEMS {
                items.kept.pop_front();
            }
            items.kept.push_back(Arc::new(item));
            items.next += 1;
            items.next
        };
        self.bell.send_modify(|bell| bell.next = bell.next.max(next));
    }

    pub(crate) fn close(&self) {
        self.bell.send_modify(|bell| bell.closed = true);
    }

    /// A follower that goes on behind the item `last_id`, or that starts with what comes next.
    pub(crate) fn follow(&self, last_id: Option<&str>) -> Follower {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, gap) = match last_id {
            None => (items.next, false),
            Some(id) => match items.kept.iter().rposition(|item| item.id == id) {
                Some(position) => (items.first() + position as u64 + 1, false),
                // Older than all that is kept, or from before a restart: what is kept is the best there is.
                None => (items.first(), true),
            },
        };
        Follower { next, gap, bell: self.bell.subscribe() }
    }
}

impl Items {
    /// The number of the oldest item kept.
    fn first(&self) -> u64 {
        self.next - self.kept.len() as u64
    }
}

/// Where one follower stands.
#[derive(Debug)]
pub(crate) struct Follower {
    next: u64,
    gap: bool,
    bell: watch::Receiver<Bell>,
}

/// What a follower gets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Some items were missed and cannot be had again.
    Gap,
    /// The next item.
    Item(Arc<StreamItem>),
}

impl Follower {
    /// Waits for the next step; `None` when the server stops.
    pub(crate) async fn next(&mut self, live: &Live) -> Option<Step> {
        loop {
            if let Some(step) = self.ready(live) {
                return Some(step);
            }
            if self.bell.borrow().closed {
                return None;
            }
            self.bell.changed().await.ok()?;
        }
    }

    fn ready(&mut self, live: &Live) -> Option<Step> {
        let items = live.items.lock().unwrap_or_else(PoisonError::into_inner);
        // A follower that reads too slowly falls behind what is kept.
        if self.next < items.first() {
            self.next = items.first();
            self.gap = true;
        }
        if std::mem::take(&mut self.gap) {
            return Some(Step::Gap);
        }
        let item = items.kept.get(usize::try_from(self.next - items.first()).ok()?)?;
        self.next += 1;
        Some(Step::Item(item.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::alert;

    fn item(n: usize) -> StreamItem {
        StreamItem { id: format!("p{n}"), news: News::Alert(Box::new(alert(n as i64))) }
    }

    async fn steps(live: &Live, last_id: Option<&str>, publish: usize) -> Vec<String> {
        let mut follower = live.follow(last_id);
        (0..publish).for_each(|n| live.publish(item(1_000_000 + n)));
        live.close();
        let mut steps = Vec::new();
        while let Some(step) = follower.next(live).await {
            steps.push(match step {
                Step::Gap => "gap".to_owned(),
                Step::Item(item) => item.id.clone(),
            });
        }
        steps
    }

    #[tokio::test]
    async fn a_new_follower_gets_what_comes_next() {
        let live = Live::default();
        live.publish(item(0));
        assert_eq!(steps(&live, None, 2).await, ["p1000000", "p1000001"]);
    }

    #[tokio::test]
    async fn a_returning_follower_goes_on_where_it_was() {
        let live = Live::default();
        (0..4).for_each(|n| live.publish(item(n)));
        assert_eq!(steps(&live, Some("p1"), 1).await, ["p2", "p3", "p1000000"]);
    }

    #[tokio::test]
    async fn a_position_that_is_not_kept_is_told_as_a_gap() {
        let live = Live::default();
        (0..ITEMS + 2).for_each(|n| live.publish(item(n)));
        let got = steps(&live, Some("p1"), 0).await;
        assert_eq!((got.len(), got[0].as_str(), got[1].as_str()), (ITEMS + 1, "gap", "p2"));
    }

    #[tokio::test]
    async fn a_slow_follower_is_told_what_it_missed() {
        let live = Live::default();
        let got = steps(&live, None, ITEMS + 7).await;
        assert_eq!((got.len(), got[0].as_str(), got[1].as_str()), (ITEMS + 1, "gap", "p1000007"));
    }
}
