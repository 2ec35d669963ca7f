//! The stage step by step, on a log in memory, with polls that end when the test says so. Its feeds are at private addresses:
//! a poll of one fails at once, which is written down like any other.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use chipwire_events::{Article, HubNews};
use chipwire_feeds::FetchConfig;
use chipwire_log::{Bounds, EventLog, Reader, State, TopicSpec, Writer, memory::MemoryLog};
use tokio::{runtime::Runtime, sync::oneshot};

use super::*;
use crate::{fixture::article, wire::Log};

/// `<rss version='2.0'><channel><item><guid>1</guid><title>One</title></item></channel></rss>`
const DOCUMENT_BASE64: &str = "PHJzcyB2ZXJzaW9uPScyLjAnPjxjaGFubmVsPjxpdGVtPjxndWlkPjE8L2d1aWQ+PHRpdGxlPk9uZTwvdGl0bGU+PC9pdGVtPjwvY2hhbm5lbD48L3Jzcz4gICAg";

const URL: &str = "http://127.0.0.1/feed";

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn later(seconds: u32) -> Timestamp {
    now().checked_add(Duration::from_secs(seconds.into())).unwrap()
}

type Commits = Arc<Mutex<Vec<(usize, Positions)>>>;

/// A worker of the log that writes down what is committed, and takes steps that the test asks for first.
struct Watched {
    inner: Box<dyn Worker>,
    steps: Arc<Mutex<VecDeque<Step>>>,
    commits: Commits,
}

impl Worker for Watched {
    fn next(&mut self, limit: Limit, wait: Duration) -> chipwire_log::Result<Step> {
        match self.steps.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
            Some(step) => Ok(step),
            None => self.inner.next(limit, wait),
        }
    }

    fn commit(&mut self, outputs: &[Record], upto: &Positions) -> chipwire_log::Result<()> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner).push((outputs.len(), upto.clone()));
        self.inner.commit(outputs, upto)
    }
}

/// A log with one feed, and what the stage needs to run on it.
struct Bench {
    runtime: Runtime,
    context: Context,
    settings: Settings,
    feed: Feed,
    steps: Arc<Mutex<VecDeque<Step>>>,
    commits: Commits,
}

/// A log that takes no record above a size.
struct Narrow {
    inner: MemoryLog,
    max_bytes: usize,
}

impl EventLog for Narrow {
    fn genesis(&self) -> chipwire_log::Result<String> {
        self.inner.genesis()
    }

    fn ensure(&self, topics: &[TopicSpec]) -> chipwire_log::Result<()> {
        self.inner.ensure(topics)
    }

    fn bounds(&self, topic: &str) -> chipwire_log::Result<Vec<Bounds>> {
        self.inner.bounds(topic)
    }

    fn reader(&self, topics: &[&str], from: &Positions) -> chipwire_log::Result<Box<dyn Reader>> {
        self.inner.reader(topics, from)
    }

    fn worker(&self, group: &str, member: &str, topics: &[&str]) -> chipwire_log::Result<Box<dyn Worker>> {
        self.inner.worker(group, member, topics)
    }

    fn writer(&self, name: &str) -> chipwire_log::Result<Box<dyn Writer>> {
        self.inner.writer(name)
    }

    fn state(&self, topic: &str, partitions: Option<&[u32]>) -> chipwire_log::Result<State> {
        self.inner.state(topic, partitions)
    }

    fn max_record_bytes(&self) -> Option<usize> {
        Some(self.max_bytes)
    }

    fn committed(&self, group: &str, topics: &[&str]) -> chipwire_log::Result<Positions> {
        self.inner.committed(group, topics)
    }
}

impl Bench {
    fn new() -> Self {
        Self::on(Arc::new(MemoryLog::default()))
    }

    fn on(log: Arc<dyn EventLog>) -> Self {
        let runtime = Runtime::new().unwrap();
        let log = Log::new(log, "");
        log.ensure().unwrap();
        let context = Context::of_test(log, now, &runtime);
        let fetcher = Arc::new(Fetcher::new(FetchConfig::default()).unwrap());
        let settings = Settings { fetcher, max_concurrent: 4 };
        let feed = Feed::new(URL, FeedOrigin::User);
        let bench = Self { runtime, context, settings, feed, steps: Arc::default(), commits: Arc::default() };
        bench.append(&[Event::FeedSubscribed(bench.feed.clone())]);
        bench
    }

    fn append(&self, events: &[Event]) {
        let log = &self.context.log;
        let records: Vec<Record> = events.iter().map(|event| log.encode(event, now(), None).unwrap()).collect();
        log.backend().writer("test").unwrap().append(&records).unwrap();
    }

    fn polling(&self) -> Polling<'_> {
        let log = &self.context.log;
        let inner = log.backend().worker(STAGE, "test", &[log.name(Topic::Feeds)]).unwrap();
        let worker = Watched { inner, steps: Arc::clone(&self.steps), commits: Arc::clone(&self.commits) };
        Polling::new(&self.context, &self.settings, Box::new(worker))
    }

    /// As [`polling`](Self::polling), with the feed's first poll under way, which ends when the test says so: with what was
    /// sent, or with a panic when the sender is dropped.
    fn under_way(&self) -> (Polling<'_>, oneshot::Sender<Poll>) {
        let mut polling = self.polling();
        polling.worker_steps_until_followed();
        polling.schedule.remove(&self.feed.id);
        let (sender, receiver) = oneshot::channel();
        polling.launch(self.feed.clone(), None, now(), async move { (receiver.await.unwrap(), Pages::default()) });
        (polling, sender)
    }

    fn failed_poll(&self, title: &str) -> Poll {
        let mut poll = self.runtime.block_on(chipwire_feeds::poll(&self.settings.fetcher, &self.feed, None, now()));
        poll.state.title = Some(title.to_owned());
        poll
    }

    fn title_in_log(&self) -> Option<String> {
        state_in_log(&self.context.log, &self.feed.id).unwrap().and_then(|state| state.title)
    }

    fn partition(&self) -> chipwire_log::PartitionId {
        let partition = partition_of(self.feed.id.as_str(), Topic::Feeds.partitions());
        self.context.log.partition(Topic::Feeds, partition)
    }

    fn step(&self, step: Step) {
        self.steps.lock().unwrap().push_back(step);
    }
}

impl Polling<'_> {
    /// Takes the log's steps without polling anything.
    fn worker_steps_until_followed(&mut self) {
        while self.feeds.is_empty() {
            match self.worker.next(Limit::default(), WAIT).unwrap() {
                Step::Assigned(positions) => self.take_over(&positions).unwrap(),
                Step::Batch(batch) => self.take_in(&batch).unwrap(),
                Step::Revoked(_) => {}
            }
        }
    }

    fn land(&mut self) {
        while !self.in_flight.is_empty() {
            self.step().unwrap();
        }
    }
}

#[test]
fn what_is_published_names_its_partition_so_that_a_worker_that_has_lost_it_is_refused() {
    let bench = Bench::new();
    let mut polling = bench.polling();
    while bench.commits.lock().unwrap().iter().all(|(outputs, _)| *outputs == 0) {
        polling.step().unwrap();
    }
    let commits = bench.commits.lock().unwrap();
    let (_, upto) = commits.iter().find(|(outputs, _)| *outputs > 0).unwrap();
    assert_eq!(upto.iter().collect::<Vec<_>>(), [(&bench.partition(), &1)]);
}

#[test]
fn what_comes_back_to_a_worker_that_has_lost_the_feed_meanwhile_is_not_published() {
    let bench = Bench::new();
    let (mut polling, sender) = bench.under_way();
    bench.step(Step::Revoked(vec![bench.partition()]));
    polling.step().unwrap();
    assert!(polling.in_flight.is_empty() && polling.feeds.is_empty());
    // It comes back at once: the feed is polled anew, and only that counts.
    bench.step(Step::Assigned(Positions::from([(bench.partition(), 1)])));
    polling.step().unwrap();
    sender.send(bench.failed_poll("Stale")).unwrap();
    polling.land();
    while !polling.receiver.is_empty() {
        polling.step().unwrap();
    }
    assert!(state_in_log(&bench.context.log, &bench.feed.id).unwrap().is_some());
    assert_eq!(bench.title_in_log(), None);
}

#[test]
fn a_deferred_poll_is_not_written_down() {
    let bench = Bench::new();
    let (mut polling, sender) = bench.under_way();
    let mut poll = bench.failed_poll("Deferred");
    poll.outcome = Outcome::Deferred;
    poll.state.next_poll = later(7_000);
    sender.send(poll).unwrap();
    polling.land();
    assert_eq!(bench.title_in_log(), None);
    assert!(bench.commits.lock().unwrap().iter().all(|(outputs, _)| *outputs == 0));
    assert_eq!(polling.schedule.next_due(), Some(later(7_000)));
    assert!(matches!(polling.feeds[&bench.feed.id].state, Kept::Nowhere));
}

/// A poll whose server has said, and confirmed, that the feed is gone.
fn gone(bench: &Bench, polled: Timestamp) -> FeedState {
    let mut state = bench.failed_poll("Gone").state;
    state.last_polled = Some(polled);
    state.next_poll = Timestamp::MAX;
    state.error.as_mut().unwrap().gone = 2;
    state
}

#[test]
fn a_feed_that_is_gone_waits_until_somebody_says_that_it_is_to_be_polled() {
    let bench = Bench::new();
    let (mut polling, sender) = bench.under_way();
    let mut poll = bench.failed_poll("Gone");
    poll.state = gone(&bench, later(60));
    sender.send(poll).unwrap();
    polling.land();
    assert_eq!((bench.title_in_log().as_deref(), polling.schedule.next_due()), (Some("Gone"), None));
    // Nor after a start.
    drop(polling);
    bench.context.health.metrics.feeds_failing.set(0);
    let mut polling = bench.polling();
    polling.worker_steps_until_followed();
    assert_eq!(polling.schedule.next_due(), None);
    assert_eq!(bench.context.health.metrics.feeds_failing.get(), 1);
    // The same definition once more, later than the last poll: while the stage runs, and while it does not.
    let log = &bench.context.log;
    let anew = log.encode(&Event::FeedSubscribed(bench.feed.clone()), later(120), None).unwrap();
    log.backend().writer("test").unwrap().append(&[anew]).unwrap();
    while polling.schedule.is_empty() {
        let Step::Batch(batch) = polling.worker.next(Limit::default(), WAIT).unwrap() else { continue };
        polling.take_in(&batch).unwrap();
    }
    assert_eq!(polling.schedule.next_due(), Some(now()));
    drop(polling);
    let mut polling = bench.polling();
    polling.worker_steps_until_followed();
    assert_eq!(polling.schedule.next_due(), Some(now()));
}

fn article_of(feed: &Feed) -> chipwire_events::Article {
    serde_json::from_value(serde_json::json!({
        "id": "a1", "revision": 1, "content_hash": "x", "feed": feed.id, "source": "S", "title": "A title",
        "body": "", "markup": "plain", "first_seen": now(),
    }))
    .unwrap()
}

#[test]
fn an_article_that_is_too_large_for_the_log_does_not_hold_up_the_stage() {
    const MAX_BYTES: usize = 20_000;
    let bench = Bench::on(Arc::new(Narrow { inner: MemoryLog::default(), max_bytes: MAX_BYTES }));
    let (mut polling, sender) = bench.under_way();
    let mut poll = bench.failed_poll("Large");
    poll.articles = vec![chipwire_events::Article { body: "word ".repeat(200_000), ..article_of(&bench.feed) }];
    sender.send(poll).unwrap();
    polling.land();
    let log = &bench.context.log;
    let mut reader = log.backend().reader(&[log.name(Topic::ArticlesRaw)], &Positions::new()).unwrap();
    let batch = reader.next(Limit::default(), WAIT).unwrap();
    let [stored] = batch.records.as_slice() else { panic!("{} records", batch.records.len()) };
    assert!(stored.record.size_bytes() <= MAX_BYTES, "{} bytes", stored.record.size_bytes());
    let Ok((_, Event::ArticleFetched(article))) = wire::decode(stored) else { panic!("{stored:?}") };
    assert!(article.body.starts_with("word word ") && article.body.len() > MAX_BYTES / 2);
    assert_eq!(bench.title_in_log().as_deref(), Some("Large"));
}

#[test]
fn what_is_too_large_for_the_log_is_cut_to_fit() {
    let bench = Bench::new();
    let log = &bench.context.log;
    let mut article = article_of(&bench.feed);
    for body in ["word ".repeat(200_000), "\u{1}".repeat(100_000), "\u{534a}\"".repeat(50_000), "short".to_owned()] {
        article.body = body;
        for max_bytes in [2_000, 50_000, 10 << 20] {
            let record = fitting::article(log, &article, max_bytes).unwrap().unwrap();
            assert!(record.size_bytes() <= max_bytes);
            let Ok((_, Event::ArticleFetched(cut))) = wire::decode_record(&record) else { panic!("{record:?}") };
            assert!(article.body.starts_with(&cut.body));
            let whole = log.encode(&Event::ArticleFetched(article.clone()), now(), None).unwrap().size_bytes();
            match whole <= max_bytes {
                true => assert_eq!(cut.body, article.body),
                false => assert!(record.size_bytes() > max_bytes / 2, "{} of {max_bytes}", record.size_bytes()),
            }
        }
    }
    article.authors = vec!["x".repeat(200); 100];
    let record = fitting::article(log, &article, 2_000).unwrap().unwrap();
    let Ok((_, Event::ArticleFetched(cut))) = wire::decode_record(&record) else { panic!("{record:?}") };
    assert_eq!((cut.title.as_str(), cut.authors.len()), ("A title", 0));
    article.title = "x".repeat(3_000);
    assert_eq!(fitting::article(log, &article, 2_000).unwrap(), None);

    let item: chipwire_events::ItemState = serde_json::from_value(
        serde_json::json!({ "id": "i", "revision": 1, "content_hash": "h", "last_seen": now() }),
    )
    .unwrap();
    let items = FeedItems { feed: bench.feed.id.clone(), items: vec![item; 1_000] };
    let record = fitting::items(log, items, now(), 5_000).unwrap().unwrap();
    let Ok((_, Event::FeedRead(read))) = wire::decode_record(&record) else { panic!("{record:?}") };
    assert!(record.size_bytes() <= 5_000 && read.items.len() > 20, "{}", read.items.len());

    let mut state = bench.failed_poll("x").state;
    state.warnings = vec!["w".repeat(1_000); 20];
    let record = fitting::state(log, state, now(), 5_000).unwrap().unwrap();
    let Ok((_, Event::FeedPolled(state))) = wire::decode_record(&record) else { panic!("{record:?}") };
    assert!(record.size_bytes() <= 5_000 && state.error.is_some() && state.warnings.is_empty());
}

#[test]
fn polls_are_counted() {
    let bench = Bench::new();
    let (mut polling, sender) = bench.under_way();
    let mut poll = bench.failed_poll("x");
    poll.repairs = vec!["encoding", "structure"];
    poll.duplicates = 3;
    poll.overrun = true;
    poll.bytes = 70;
    sender.send(poll).unwrap();
    polling.land();
    let metrics = bench.context.health.encode_metrics();
    for line in [
        "chipwire_feed_polls_total{outcome=\"private_address\"} 1",
        "chipwire_feed_responses_total{status=\"none\"} 1",
        "chipwire_feed_received_bytes_total 70",
        "chipwire_feed_duplicates_total 3",
        "chipwire_feed_window_overruns_total 1",
        "chipwire_feed_repairs_total{stage=\"encoding\"} 1",
        "chipwire_feed_repairs_total{stage=\"structure\"} 1",
        "chipwire_feeds_failing 1",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn a_poll_that_panics_is_put_off() {
    let bench = Bench::new();
    let (mut polling, sender) = bench.under_way();
    drop(sender);
    polling.land();
    let longest_s = bench.settings.fetcher.config().max_interval_s;
    assert_eq!(polling.schedule.next_due(), Some(later(longest_s)));
    assert!(bench.commits.lock().unwrap().iter().all(|(outputs, _)| *outputs == 0));

    // Unless it is paused.
    let paused = Feed { paused: true, ..bench.feed.clone() };
    let (mut polling, sender) = bench.under_way();
    bench.append(&[Event::FeedSubscribed(paused)]);
    polling.step().unwrap();
    drop(sender);
    polling.land();
    assert_eq!(polling.schedule.next_due(), None);
}

#[test]
fn of_a_hub_that_says_much_while_its_feed_is_polled_a_little_is_held() {
    let bench = Bench::new();
    let (mut polling, sender) = bench.under_way();
    let push = |number: u32| {
        // A document with one item, and more and more space after it.
        let body_base64 = format!("{DOCUMENT_BASE64}{}", "ICAg".repeat(number as usize));
        let news = HubNews::Content { content_type: None, body_base64 };
        Event::FeedPushed(FeedPush { feed: bench.feed.id.clone(), received: later(number), news })
    };
    bench.append(&(0..20).map(push).collect::<Vec<_>>());
    let in_log = || {
        let log = &bench.context.log;
        log.backend().state(log.name(Topic::Feeds), None).unwrap().records.len()
    };
    while in_log() > 9 {
        polling.step().unwrap();
    }
    assert_eq!(polling.held.values().map(Vec::len).collect::<Vec<_>>(), [8]);
    let mut poll = bench.failed_poll("Polled");
    poll.state.websub = Some(Box::new(chipwire_events::Subscription {
        hub: "http://127.0.0.1/hub".to_owned(),
        topic: URL.to_owned(),
        ask_at: later(1_000_000),
        failures: 0,
        until: Some(later(1_000_000)),
        error: None,
        relied_on: true,
    }));
    poll.state.error = None;
    poll.state.next_poll = later(80_000);
    sender.send(poll).unwrap();
    polling.land();
    assert_eq!((in_log(), bench.title_in_log().as_deref()), (1, Some("Polled")));
    let least_s = bench.settings.fetcher.config().min_interval_s;
    assert!(polling.schedule.next_due().unwrap() <= later(least_s));
}

#[test]
fn what_has_come_back_is_published_in_transactions_of_a_bounded_size() {
    const POLLS: usize = 12;
    let bench = Bench::new();
    let mut polling = bench.polling();
    polling.worker_steps_until_followed();
    let articles = |feed: usize| {
        let article = |number: usize| Article { body: "x".repeat(1 << 20), ..article(feed * 3 + number) };
        (0..3).map(article).collect::<Vec<_>>()
    };
    for number in 0..POLLS {
        let feed = Feed::new(format!("{URL}/{number}"), FeedOrigin::User);
        polling.follow(&feed, now(), None, Kept::Nowhere);
        let mut poll = bench.failed_poll("Large");
        poll.state.feed = feed.id.clone();
        poll.articles = articles(number);
        polling.launch(feed, None, now(), async move { (poll, Pages::default()) });
    }
    // As they come back while a commit takes its time.
    bench.runtime.block_on(async {
        while polling.receiver.len() < POLLS {
            tokio::task::yield_now().await;
        }
    });
    polling.publish().unwrap();
    let commits: Vec<usize> = bench.commits.lock().unwrap().iter().map(|(outputs, _)| *outputs).collect();
    // Three articles and a state for each, in transactions that end with the poll that fills them.
    assert_eq!(commits, [12, 12, 12, 12]);
}
