//! The schedule: `cargo bench -p chipwire-feeds --bench schedule`.
//!
//! - `-- million`: a million feeds in the queue: memory of the process, decisions per second against a bare binary heap, and
//!   the lag at 278 polls per second, each feed once an hour, on one thread and the real clock
//! - `-- clock`: 100,000 feeds on 10,000 hosts for 30 days on a virtual clock with restarts every hour, against a fixed poll;
//!   `-- clock FEEDS DAYS QUEUES` for another size, and for queues of which each has a part of the hosts
//!
//! Without a word, both. Among the tests it runs with few feeds, which only says that it runs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may panic and prints"
)]

#[path = "../tests/simulation/mod.rs"]
mod simulation;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    hint::black_box,
    time::{Duration, Instant},
};

use chipwire_events::{FeedId, Timestamp, Timing};
use chipwire_feeds::{
    FetchConfig, Schedule,
    schedule::{Answer, Document, Rest, plan},
};
use simulation::{Setup, compare, quantile, world::Dice};

const FEEDS: usize = 1_000_000;
const HOSTS: u64 = 100_000;
const POLLS_PER_S: u64 = 278;
const INTERVAL_S: u32 = 3_600;
/// The wish that with its jitter comes to this interval.
const TTL_S: u32 = 3_430;

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    if !is_bench {
        return million(FEEDS / 50, Duration::from_millis(200));
    }
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let number = |at: usize, default: usize| words.get(at).map_or(default, |word| word.parse().unwrap());
    let what = words.first().map_or("", String::as_str);
    if matches!(what, "" | "million") {
        million(FEEDS, Duration::from_secs(number(1, 60) as u64));
    }
    if matches!(what, "" | "clock") {
        let (feeds, days, queues) = (number(1, 100_000), number(2, 30) as u32, number(3, 1).max(1));
        let start = Instant::now();
        let (report, met) = compare(&Setup { feeds, days, seed: 1, restart_s: 3_600, queues });
        println!("{report}{} after {:.0} s", if met { "met" } else { "NOT met" }, start.elapsed().as_secs_f64());
        assert!(met);
    }
}

/// What the fetch stage holds: when feeds are polled, their definitions, and where their states are.
struct Queue {
    schedule: Schedule,
    definitions: BTreeMap<FeedId, (Box<[u8]>, State)>,
}

/// As large as what the stage keeps.
#[expect(dead_code, reason = "a million feeds have their states in the log")]
enum State {
    InLog,
    Here(Box<chipwire_events::FeedState>),
}

fn host_of(number: u64) -> String {
    format!("www.host{}.example", number % HOSTS)
}

fn fill(feeds: usize, start: Timestamp) -> Queue {
    let mut queue = Queue { schedule: Schedule::new(2_000), definitions: BTreeMap::new() };
    for number in 0..feeds as u64 {
        let url = format!("https://{}/feeds/{number}/news.xml", host_of(number));
        let id = FeedId::of(&url);
        // Spread over the hour, as they are after the first one.
        let at_ms = start.as_millisecond() + i64::from(INTERVAL_S) * 1_000 * number as i64 / feeds as i64;
        let at = Timestamp::from_millisecond(at_ms).unwrap();
        queue.schedule.upsert(&id, &host_of(number), at, INTERVAL_S, Rest::default());
        let definition = format!("{{\"id\":\"{id}\",\"url\":\"{url}\",\"number\":{number},\"origin\":\"user\"}}");
        queue.definitions.insert(id, (definition.into_bytes().into_boxed_slice(), State::InLog));
    }
    queue
}

/// What a poll costs besides the network: the queue gives the feed, the answer is planned, the queue takes it back.
struct Decider {
    config: FetchConfig,
    timing: Timing,
}

impl Decider {
    fn new(start: Timestamp) -> Self {
        let config = FetchConfig::default();
        let entries: Vec<Timestamp> =
            (0..20).map(|i| Timestamp::from_second(start.as_second() - i * 9_000).unwrap()).collect();
        let document = Document { ttl_s: Some(TTL_S), entries: &entries, ..Document::default() };
        let feed = FeedId::of("https://example.org/");
        let timing = plan(&config, &feed, None, Timing::default(), Answer::Read(document), start).timing;
        Self { config, timing }
    }

    fn decide(&self, queue: &mut Queue, now: Timestamp) -> Option<Timestamp> {
        let due = queue.schedule.pop_due(now)?;
        let (definition, _) = &queue.definitions[&due.feed];
        let text = std::str::from_utf8(definition).unwrap();
        let number: u64 = text.split("\"number\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        let answer = Answer::NotModified { fresh_s: None };
        let planned = plan(&self.config, &due.feed, None, self.timing.clone(), answer, now);
        queue.schedule.finished(&due.feed, now);
        let interval_s = planned.interval_s.unwrap();
        queue.schedule.upsert(&due.feed, &host_of(number), planned.next_poll, interval_s, Rest::default());
        Some(due.since)
    }
}

fn million(feeds: usize, paced: Duration) {
    let start: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    let filling = Instant::now();
    let mut queue = fill(feeds, start);
    println!("{feeds} feeds on {HOSTS} hosts, filled in {:.1} s", filling.elapsed().as_secs_f64());
    let decider = Decider::new(start);

    // As fast as it goes, on a virtual clock.
    let (mut decisions, mut now) = (0, start);
    let fast = Instant::now();
    // Until all have been round once and their jitter has spread them.
    while now.as_second() - start.as_second() < i64::from(INTERVAL_S) * 5 / 4 {
        now = now.max(queue.schedule.next_due().unwrap());
        black_box(decider.decide(&mut queue, now));
        decisions += 1;
    }
    let rate = f64::from(decisions) / fast.elapsed().as_secs_f64();
    let bare = heap_rate(feeds, decisions);
    println!("decisions: {rate:.0} /s; a bare binary heap, pop and push: {bare:.0} /s; ratio {:.3}", rate / bare);

    let mut lags = lags_ms(&decider, &mut queue, now, paced);
    println!(
        "lag at {POLLS_PER_S} polls/s for {} s on one thread: p50 {} ms, p99 {} ms, max {} ms ({} polls)",
        paced.as_secs(),
        quantile(&mut lags, 0.5),
        quantile(&mut lags, 0.99),
        quantile(&mut lags, 1.0),
        lags.len(),
    );
    let peak_mib = peak_kib() / 1_024;
    println!("memory of the process at its peak: {peak_mib} MiB");
    assert!(feeds < FEEDS || peak_mib <= 512 && quantile(&mut lags, 0.99) <= 1_000);
}

/// The least that a schedule can be: times and numbers, without hosts, removal or any thought.
fn heap_rate(feeds: usize, decisions: i32) -> f64 {
    let mut dice = Dice(1);
    let mut heap: BinaryHeap<Reverse<(i64, u64)>> =
        (0..feeds as u64).map(|number| Reverse(((dice.roll() % 3_600_000) as i64, number))).collect();
    let start = Instant::now();
    for _ in 0..decisions {
        let Some(Reverse((at, number))) = heap.pop() else { continue };
        heap.push(Reverse((at + 3_600_000, black_box(number))));
    }
    f64::from(decisions) / start.elapsed().as_secs_f64()
}

/// Polls on the real clock for a while: how long each feed waited after its time. The virtual time goes on where it stood.
fn lags_ms(decider: &Decider, queue: &mut Queue, from: Timestamp, paced: Duration) -> Vec<u32> {
    let clock = Instant::now();
    let now = || Timestamp::from_millisecond(from.as_millisecond() + clock.elapsed().as_millis() as i64).unwrap();
    let mut lags = Vec::new();
    while clock.elapsed() < paced {
        let next = queue.schedule.next_due().unwrap();
        let wait_ms = next.as_millisecond() - now().as_millisecond();
        if wait_ms > 0 {
            std::thread::sleep(Duration::from_millis(wait_ms as u64));
        }
        let at = now();
        if let Some(since) = decider.decide(queue, at) {
            lags.push(u32::try_from(at.as_millisecond() - since.as_millisecond()).unwrap_or(0));
        }
    }
    lags
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
