//! What is still to be sent: the most urgent of it in memory, all of it in the log.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use chipwire_events::{Alert, Delivery, Timestamp};

/// No attempt is put off for longer: one that stands further ahead was planned by a clock that was wrong.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(48 * 60 * 60);

/// A clock that goes back by no more is being adjusted.
const CLOCK_SLACK: Duration = Duration::from_secs(5);

/// What a delivery takes beside its texts, in bytes: the parts of it, and the places where it stands.
const OWN_BYTES: usize = 800;

/// Deliveries that wait, by sink and in the order of their next attempts. Beyond a number of bytes those that are due last are left
/// out: they are read from the log when their time has come.
pub(super) struct Pending {
    waiting: HashMap<String, Waiting>,
    /// By sink: when, and the key.
    queues: BTreeMap<String, BTreeSet<(Timestamp, String)>>,
    size_bytes: usize,
    max_bytes: usize,
    /// When the first of those that were left out is due.
    left_out: Option<Timestamp>,
}

struct Waiting {
    delivery: Delivery,
    /// Under which time it stands in the queue of its sink; in none while it is on its way.
    queued: Option<Timestamp>,
}

impl Pending {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { waiting: HashMap::new(), queues: BTreeMap::new(), size_bytes: 0, max_bytes, left_out: None }
    }

    /// Takes a delivery in, in the place of an older state of it.
    pub(super) fn insert(&mut self, delivery: Delivery, now: Timestamp) {
        let key = delivery.key();
        self.remove(&key);
        let due = due(delivery.next_attempt, now);
        self.size_bytes += size_bytes(&delivery);
        self.queues.entry(delivery.sink.clone()).or_default().insert((due, key.clone()));
        self.waiting.insert(key, Waiting { delivery, queued: Some(due) });
        while self.size_bytes > self.max_bytes && self.waiting.len() > 1 && self.leave_out_last() {}
    }

    /// Leaves out what is due last; false when all are on their way.
    fn leave_out_last(&mut self) -> bool {
        let Some((due, key)) = self.queues.values().filter_map(BTreeSet::last).max().cloned() else { return false };
        self.remove(&key);
        self.left_out = Some(self.left_out.map_or(due, |first| first.min(due)));
        true
    }

    pub(super) fn get(&self, key: &str) -> Option<&Delivery> {
        self.waiting.get(key).map(|waiting| &waiting.delivery)
    }

    pub(super) fn remove(&mut self, key: &str) {
        let Some(Waiting { delivery, queued }) = self.waiting.remove(key) else { return };
        self.size_bytes = self.size_bytes.saturating_sub(size_bytes(&delivery));
        if let Some(due) = queued {
            self.take_from_queue(&delivery.sink, due, key);
        }
    }

    fn take_from_queue(&mut self, sink: &str, due: Timestamp, key: &str) {
        let Some(queue) = self.queues.get_mut(sink) else { return };
        queue.remove(&(due, key.to_owned()));
        if queue.is_empty() {
            self.queues.remove(sink);
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Alert) -> bool) {
        let is_gone = |(key, waiting): (&String, &Waiting)| (!keep(&waiting.delivery.alert)).then(|| key.clone());
        let gone: Vec<String> = self.waiting.iter().filter_map(is_gone).collect();
        for key in gone {
            self.remove(&key);
        }
    }

    /// The delivery that has waited longest of those that are due and whose sink `may_have` another: it is on its way from now on,
    /// until it is [inserted](Self::insert) again or [removed](Self::remove).
    pub(super) fn take_due(&mut self, now: Timestamp, may_have: impl Fn(&str) -> bool) -> Option<(String, &Delivery)> {
        let firsts = self.queues.iter().filter(|(sink, _)| may_have(sink)).filter_map(|(sink, queue)| {
            let (due, key) = queue.first()?;
            Some((due, sink, key))
        });
        let (.., key) = firsts.min().filter(|(due, ..)| **due <= now)?;
        let key = key.clone();
        self.hold(&key);
        self.waiting.get(&key).map(|waiting| (key, &waiting.delivery))
    }

    /// A delivery is on its way, and nothing to be taken.
    pub(super) fn hold(&mut self, key: &str) {
        let Some(waiting) = self.waiting.get_mut(key) else { return };
        if let Some(due) = waiting.queued.take() {
            let sink = waiting.delivery.sink.clone();
            self.take_from_queue(&sink, due, key);
        }
    }

    /// Whether it is time to read from the log what was left out: some of it is due, and nothing of what is here.
    pub(super) fn is_to_be_read_again(&self, now: Timestamp) -> bool {
        let is_due = |queue: &BTreeSet<(Timestamp, String)>| queue.first().is_some_and(|(due, _)| *due <= now);
        self.left_out.is_some_and(|first| first <= now) && !self.queues.values().any(is_due)
    }

    /// All that is pending in the log is about to be [inserted](Self::insert).
    pub(super) fn begin_reading(&mut self) {
        self.left_out = None;
    }

    /// When a clock that was ahead is put right, what was planned by it is moved back with it: it would else wait until the clock
    /// has come to that time again.
    pub(super) fn set_clock(&mut self, before: Timestamp, now: Timestamp) {
        // Negative when it has gone on.
        let Ok(back) = Duration::try_from(before.duration_since(now)) else { return };
        if back <= CLOCK_SLACK {
            return;
        }
        let earlier = |at: Timestamp| at.checked_sub(back).unwrap_or(now);
        self.left_out = self.left_out.map(earlier);
        self.queues.clear();
        for (key, Waiting { delivery, queued }) in &mut self.waiting {
            delivery.next_attempt = delivery.next_attempt.map(earlier);
            if queued.is_some() {
                let due = due(delivery.next_attempt, now);
                *queued = Some(due);
                self.queues.entry(delivery.sink.clone()).or_default().insert((due, key.clone()));
            }
        }
    }
}

/// When a delivery stands to be tried next, at the time `now`; what was never tried, before all else.
fn due(next_attempt: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let latest = now.checked_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX);
    next_attempt.filter(|next| *next <= latest).unwrap_or(Timestamp::MIN)
}

/// About what a delivery takes in memory.
fn size_bytes(delivery: &Delivery) -> usize {
    let Delivery { alert, sink, error, .. } = delivery;
    let lists = alert.sinks.iter().chain(&alert.entities).map(|text| text.len() + size_of::<String>());
    let optional = [&alert.url, error].into_iter().flatten().map(String::len);
    let key_bytes = alert.id.as_str().len() + 1 + sink.len();
    let texts = [&alert.rule_name, &alert.title, &alert.source].map(String::len).into_iter();
    // The key stands in two places.
    OWN_BYTES + 2 * key_bytes + 2 * sink.len() + lists.chain(optional).chain(texts).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use chipwire_events::{AlertId, ArticleId, DeliveryStatus, FeedId, RuleId};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn delivery(number: usize, sink: &str, next_attempt: Option<Timestamp>) -> Delivery {
        let (rule, feed) = (RuleId::from_string("rule".to_owned()), FeedId::from_string("feed".to_owned()));
        let article = ArticleId::of(&feed, &number.to_string());
        let time = at("2026-03-01T12:00:00Z");
        let alert = Alert {
            id: AlertId::of(&rule, 1, &article),
            rule,
            rule_version: 1,
            rule_name: "Rule".to_owned(),
            sinks: vec![sink.to_owned()],
            article,
            revision: 1,
            title: format!("Title {number}"),
            url: None,
            source: String::new(),
            published: time,
            entities: Vec::new(),
            raised: time,
        };
        let (status, sink) = (DeliveryStatus::Pending, sink.to_owned());
        Delivery { alert, sink, status, attempts: 0, next_attempt, error: None }
    }

    fn take_all(pending: &mut Pending, now: Timestamp) -> Vec<String> {
        std::iter::from_fn(|| pending.take_due(now, |_| true).map(|(_, delivery)| delivery.alert.title.clone()))
            .collect()
    }

    #[test]
    fn a_clock_that_was_ahead_holds_up_no_delivery() {
        let now = at("2026-03-01T12:00:00Z");
        for (next, is_due) in [
            (None, true),
            (Some(now), true),
            (Some(at("2026-03-01T12:00:01Z")), false),
            (Some(at("2026-03-02T14:00:00Z")), false),
            (Some(at("2031-03-01T12:00:00Z")), true),
        ] {
            assert_eq!(due(next, now) <= now, is_due, "{next:?}");
        }
    }

    #[test]
    fn a_clock_that_is_put_right_takes_what_was_planned_with_it() {
        for (before, now, planned) in [
            ("2026-03-01T15:00:00Z", "2026-03-01T15:00:01Z", "2026-03-01T15:00:10Z"),
            ("2026-03-01T15:00:00Z", "2026-03-01T14:59:59Z", "2026-03-01T15:00:10Z"),
            ("2026-03-01T15:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T12:00:10Z"),
        ] {
            let mut pending = Pending::new(1 << 20);
            pending.insert(delivery(1, "ops", Some(at("2026-03-01T15:00:10Z"))), at(before));
            pending.set_clock(at(before), at(now));
            let planned = at(planned);
            assert!(pending.take_due(planned - Duration::from_secs(1), |_| true).is_none(), "{now}");
            assert_eq!(take_all(&mut pending, planned), ["Title 1"], "{now}");
        }
    }

    #[test]
    fn what_has_no_room_is_what_is_due_last_and_comes_back_in_its_time() {
        let (now, hour) = (at("2026-03-01T12:00:00Z"), Duration::from_secs(3_600));
        let all: Vec<Delivery> =
            (0..30).map(|number| delivery(number, "ops", Some(now + hour * number as u32))).collect();
        let mut pending = Pending::new(all.iter().take(10).map(size_bytes).sum::<usize>() + 100);
        for delivery in all.iter().rev() {
            pending.insert(delivery.clone(), now);
        }
        assert_eq!(pending.waiting.len(), 10);
        assert!(pending.size_bytes <= pending.max_bytes);
        assert!(!pending.is_to_be_read_again(now + hour * 10), "there is something to do here");
        let first: Vec<String> = (0..10).map(|number| format!("Title {number}")).collect();
        assert_eq!(take_all(&mut pending, now + hour * 9), first);
        assert!(!pending.is_to_be_read_again(now + hour * 9));
        assert!(pending.is_to_be_read_again(now + hour * 10));
        pending.begin_reading();
        assert!(!pending.is_to_be_read_again(now + hour * 10));
    }

    #[test]
    fn what_is_on_its_way_is_not_left_out_and_not_taken_again() {
        let now = at("2026-03-01T12:00:00Z");
        let first = delivery(1, "ops", None);
        let mut pending = Pending::new(size_bytes(&first) + 10);
        pending.insert(first.clone(), now);
        assert_eq!(take_all(&mut pending, now), ["Title 1"]);
        pending.insert(delivery(2, "ops", None), now);
        assert_eq!(pending.get(&first.key()), Some(&first));
        assert!(take_all(&mut pending, now).is_empty(), "the second has no room");
        assert!(pending.is_to_be_read_again(now));
        pending.remove(&first.key());
        assert_eq!((pending.size_bytes, pending.queues.len()), (0, 0));
    }

    #[test]
    fn a_sink_that_has_enough_holds_up_no_other() {
        let now = at("2026-03-01T12:00:00Z");
        let mut pending = Pending::new(1 << 20);
        for number in 0..5 {
            pending.insert(delivery(number, "slow", None), now);
        }
        pending.insert(delivery(5, "swift", Some(now)), now);
        let (_, taken) = pending.take_due(now, |sink| sink != "slow").unwrap();
        assert_eq!(taken.sink, "swift");
        pending.retain(|alert| alert.title == "Title 3");
        assert_eq!(take_all(&mut pending, now), ["Title 3"]);
    }
}
