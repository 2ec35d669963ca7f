//! What the server shows besides articles: a projection of feeds, rules, alerts and deliveries, kept in memory.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{PoisonError, RwLock},
};

use chipwire_events::{
    Alert, AlertId, Delivery, DeliveryStatus, Event, Feed, FeedId, FeedState, Rule, RuleId, Timestamp, Topic,
};

use crate::live::{Live, StreamItem};

/// The most alerts that are kept, the latest.
const ALERTS: usize = 10_000;

/// The server's projection, shared by the stage that fills it and the handlers that read it.
///
/// Events may come in any order between topics and more than once: the outcome is the same.
#[derive(Debug, Default)]
pub struct Board {
    state: RwLock<State>,
    live: Live,
}

#[derive(Debug, Default)]
struct State {
    feeds: BTreeMap<FeedId, Feed>,
    feed_states: HashMap<FeedId, FeedState>,
    rules: BTreeMap<RuleId, Rule>,
    alerts: BTreeMap<(Timestamp, AlertId), AlertEntry>,
    caught_up: bool,
}

/// An alert and how far its deliveries have come, by sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AlertEntry {
    pub(crate) alert: Alert,
    pub(crate) deliveries: BTreeMap<String, DeliveryEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryEntry {
    pub(crate) status: DeliveryStatus,
    pub(crate) attempts: u32,
    pub(crate) next_attempt: Option<Timestamp>,
    pub(crate) error: Option<String>,
}

impl Board {
    /// An empty board.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an event in. Articles are no concern of the board: they are in the index.
    pub fn apply(&self, event: &Event) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::FeedSubscribed(feed) => {
                state.feeds.insert(feed.id.clone(), feed.clone());
            }
            Event::FeedPolled(feed_state) => {
                // The items that were seen matter to the fetcher only.
                let feed_state = FeedState { items: Vec::new(), ..feed_state.clone() };
                state.feed_states.insert(feed_state.feed.clone(), feed_state);
            }
            Event::RuleSaved(rule) => {
                state.rules.insert(rule.id.clone(), rule.clone());
            }
            Event::AlertRaised(alert) => {
                state.alert(alert);
            }
            Event::DeliveryChanged(delivery) => state.delivery(delivery),
            Event::FeedRead(_)
            | Event::FeedPushed(_)
            | Event::ListImported(_)
            | Event::ArticleFetched(_)
            | Event::ArticleTagged(_)
            | Event::ArticleRejected(_)
            | Event::EventRejected(_)
            | Event::EventReplayed(_) => {}
        }
    }

    /// Takes a tombstone in: `key` is gone from the state topic.
    pub fn remove(&self, topic: Topic, key: &str) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match topic {
            Topic::Feeds => drop(state.feeds.remove(&FeedId::from_string(key))),
            Topic::FeedStates => drop(state.feed_states.remove(&FeedId::from_string(key))),
            Topic::Rules => drop(state.rules.remove(&RuleId::from_string(key))),
            Topic::Deliveries => state.remove_delivery(key),
            Topic::ArticlesRaw | Topic::ArticlesTagged | Topic::Alerts | Topic::DeadLetters => {}
        }
    }

    /// Shows `item` to everyone who follows the live stream.
    pub fn publish(&self, item: StreamItem) {
        self.live.publish(item);
    }

    /// From now on it knows all that there was when the process started.
    pub fn caught_up(&self) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).caught_up = true;
    }

    /// Whether a feed is followed; `None` as long as nobody knows.
    pub fn follows(&self, feed: &FeedId) -> Option<bool> {
        self.read(|state| state.caught_up.then(|| state.feeds.contains_key(feed)))
    }

    /// Ends all live streams, so that the server can stop.
    pub fn close(&self) {
        self.live.close();
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The feeds with what is known about each, by address.
    pub(crate) fn feeds(&self) -> Vec<(Feed, Option<FeedState>)> {
        let mut feeds: Vec<_> = self.read(|state| {
            state.feeds.values().map(|feed| (feed.clone(), state.feed_states.get(&feed.id).cloned())).collect()
        });
        feeds.sort_by(|(a, _), (b, _)| a.url.cmp(&b.url));
        feeds
    }

    pub(crate) fn feed(&self, id: &FeedId) -> Option<Feed> {
        self.read(|state| state.feeds.get(id).cloned())
    }

    /// How many feeds are followed, and how many of them cannot be read just now.
    pub(crate) fn feed_counts(&self) -> (usize, usize) {
        self.read(|state| {
            let failing = |id: &&FeedId| state.feed_states.get(*id).is_some_and(|feed| feed.error.is_some());
            (state.feeds.len(), state.feeds.keys().filter(failing).count())
        })
    }

    pub(crate) fn rules(&self) -> Vec<Rule> {
        self.read(|state| state.rules.values().cloned().collect())
    }

    pub(crate) fn rule(&self, id: &RuleId) -> Option<Rule> {
        self.read(|state| state.rules.get(id).cloned())
    }

    /// The latest alerts, the newest first.
    pub(crate) fn alerts(&self, limit: usize) -> Vec<AlertEntry> {
        self.read(|state| state.alerts.values().rev().take(limit).cloned().collect())
    }
}

impl State {
    fn alert(&mut self, alert: &Alert) -> &mut AlertEntry {
        let key = (alert.raised, alert.id.clone());
        if self.alerts.len() >= ALERTS && !self.alerts.contains_key(&key) {
            self.alerts.pop_first();
        }
        self.alerts.entry(key).or_insert_with(|| AlertEntry { alert: alert.clone(), deliveries: BTreeMap::new() })
    }

    /// A delivery holds its alert: should it come first, both are known.
    fn delivery(&mut self, delivery: &Delivery) {
        let entry = DeliveryEntry {
            status: delivery.status,
            attempts: delivery.attempts,
            next_attempt: delivery.next_attempt,
            error: delivery.error.clone(),
        };
        self.alert(&delivery.alert).deliveries.insert(delivery.sink.clone(), entry);
    }

    fn remove_delivery(&mut self, key: &str) {
        let Some((id, sink)) = key.split_once('/') else { return };
        if let Some(entry) = self.alerts.values_mut().find(|entry| entry.alert.id.as_str() == id) {
            entry.deliveries.remove(sink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alert, feed, feed_state, rule};

    #[test]
    fn the_order_between_topics_does_not_matter() {
        let delivery = Delivery {
            alert: alert(1),
            sink: "ops".to_owned(),
            status: DeliveryStatus::Pending,
            attempts: 1,
            next_attempt: None,
            error: Some("the receiver answered 500 Internal Server Error".to_owned()),
        };
        let events = [Event::AlertRaised(alert(1)), Event::DeliveryChanged(delivery)];
        let (one, other) = (Board::new(), Board::new());
        events.iter().for_each(|event| one.apply(event));
        events.iter().rev().for_each(|event| other.apply(event));
        assert_eq!(one.alerts(10), other.alerts(10));
        assert_eq!(one.alerts(10)[0].deliveries["ops"].attempts, 1);

        one.remove(Topic::Deliveries, &format!("{}/ops", alert(1).id));
        assert!(one.alerts(10)[0].deliveries.is_empty());
    }

    #[test]
    fn only_the_latest_alerts_are_kept() {
        let board = Board::new();
        for n in 0..(ALERTS as i64 + 5) {
            board.apply(&Event::AlertRaised(alert(n)));
            board.apply(&Event::AlertRaised(alert(n)));
        }
        let alerts = board.alerts(usize::MAX);
        assert_eq!(alerts.len(), ALERTS);
        assert_eq!(alerts[0].alert, alert(ALERTS as i64 + 4));
    }

    #[test]
    fn tombstones_remove() {
        let board = Board::new();
        let (feed, state) = (feed("https://example.org/a"), feed_state("https://example.org/a"));
        for event in [
            Event::FeedSubscribed(feed.clone()),
            Event::FeedPolled(state.clone()),
            Event::RuleSaved(rule("r", "nvidia")),
        ] {
            board.apply(&event);
        }
        assert_eq!(board.feeds().len(), 1);
        assert_eq!(board.follows(&feed.id), None);
        board.caught_up();
        assert_eq!(board.follows(&feed.id), Some(true));
        assert_eq!(board.feed_counts(), (1, 1));
        board.remove(Topic::FeedStates, state.feed.as_str());
        assert_eq!(board.feeds(), [(feed.clone(), None)]);
        board.remove(Topic::Feeds, feed.id.as_str());
        board.remove(Topic::Rules, "r");
        board.remove(Topic::Rules, "r");
        assert!(board.feeds().is_empty() && board.rules().is_empty());
        assert_eq!(board.follows(&feed.id), Some(false));
    }
}
