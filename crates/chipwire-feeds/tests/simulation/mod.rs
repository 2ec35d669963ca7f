//! The schedule on a virtual clock: made-up feeds and servers, restarts, and an umpire who knows what the servers allowed.
//!
//! The client under test is [`plan`], [`wants_probe`] and [`Schedule`], put together as the fetch stage does it; what a
//! restart loses (the queue, and the answers under way) is lost here too. The umpire sees only requests and answers.

pub(crate) mod world;

use std::{cmp::Reverse, collections::BinaryHeap, sync::Mutex, thread};

use chipwire_events::{FeedId, Timestamp, Timing};
use chipwire_feeds::{
    FetchConfig,
    schedule::{Answer, Document, Failure, Rest, Schedule, Standing, plan, wants_probe},
};
use rustc_hash::FxHashMap;

use self::world::{DOCUMENT, START_S, SimFeed};

const DAY_S: i64 = 86_400;

/// What to simulate.
pub(crate) struct Setup {
    pub(crate) feeds: usize,
    pub(crate) days: u32,
    pub(crate) seed: u64,
    /// A restart after every so many seconds.
    pub(crate) restart_s: i64,
    /// Queues that the hosts are shared out to, as among processes; hosts have nothing to do with each other, so that the
    /// report is the same with any number, and a small queue stays in the caches.
    pub(crate) queues: usize,
}

/// What is stored about a feed, as [`chipwire_events::FeedState`] stores it.
#[derive(Default, Clone)]
struct Stored {
    timing: Timing,
    next_poll: Option<Timestamp>,
    interval_s: u32,
    failing: Option<(Timestamp, u32)>,
    /// Whether validators are held, and of how many articles.
    validators: Option<usize>,
    /// Articles that were found.
    found: usize,
}

/// What the umpire knows of a feed.
#[derive(Default, Clone)]
struct Allowed {
    /// No request before that, by the last answer that the client kept.
    from_s: i64,
    /// `ttl` of the last document, which a 304 leaves as it was.
    ttl_s: i64,
    last_probe_s: Option<i64>,
    holds_validators: bool,
}

/// A request under way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    done_ms: i64,
    feed: usize,
    conditional: bool,
    started_ms: i64,
}

/// What came of a simulation.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) requests: u64,
    pub(crate) not_modified: u64,
    pub(crate) probes: u64,
    pub(crate) restarts: u64,
    /// From publication to discovery, in seconds, of all articles.
    pub(crate) delays_s: Vec<u32>,
    /// Articles that left the document before they were seen.
    pub(crate) missed: u64,
    /// What the umpire found fault with.
    pub(crate) faults: Vec<String>,
    /// When requests were made, in seconds, of the first of them all.
    pub(crate) times_s: Vec<i64>,
}

/// Requests whose times are kept.
const KEPT_TIMES: usize = 200_000;

impl Report {
    /// What came of two simulations of the same time.
    fn with(mut self, mut other: Self) -> Self {
        self.requests += other.requests;
        self.not_modified += other.not_modified;
        self.probes += other.probes;
        self.restarts = self.restarts.max(other.restarts);
        self.missed += other.missed;
        self.delays_s.append(&mut other.delays_s);
        self.faults.append(&mut other.faults);
        self
    }

    /// The delay of the article at `share` of all, sorted by delay.
    pub(crate) fn delay_s(&mut self, share: f64) -> u32 {
        quantile(&mut self.delays_s, share)
    }
}

/// The value at `share` of all.
pub(crate) fn quantile(values: &mut [u32], share: f64) -> u32 {
    if values.is_empty() {
        return 0;
    }
    let at = ((values.len() - 1) as f64 * share) as usize;
    *values.select_nth_unstable(at).1
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

/// The simulation.
pub(crate) struct Simulation<'a> {
    feeds: &'a [SimFeed],
    config: FetchConfig,
    stored: Vec<Stored>,
    allowed: Vec<Allowed>,
    /// When each host was last asked, and until when one request was under way, in milliseconds.
    hosts: Vec<(i64, i64)>,
    schedule: Schedule,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    by_id: FxHashMap<&'a FeedId, usize>,
    report: Report,
}

impl<'a> Simulation<'a> {
    pub(crate) fn new(feeds: &'a [SimFeed], config: FetchConfig) -> Self {
        let hosts = feeds.iter().map(|feed| feed.host as usize + 1).max().unwrap_or(0);
        Self {
            feeds,
            stored: vec![Stored::default(); feeds.len()],
            allowed: vec![Allowed::default(); feeds.len()],
            hosts: vec![(i64::MIN / 2, i64::MIN / 2); hosts],
            schedule: Schedule::new(config.host_spacing_ms),
            under_way: BinaryHeap::new(),
            by_id: feeds.iter().enumerate().map(|(number, feed)| (&feed.id, number)).collect(),
            report: Report::default(),
            config,
        }
    }

    /// Runs for `days`, with a restart every `restart_s`.
    pub(crate) fn run(mut self, days: u32, restart_s: i64) -> Report {
        let start_ms = START_S * 1_000;
        let end_ms = start_ms + i64::from(days) * DAY_S * 1_000;
        let mut restart_ms = start_ms;
        loop {
            let due_ms = self.schedule.next_due().map_or(i64::MAX, Timestamp::as_millisecond);
            let done_ms = self.under_way.peek().map_or(i64::MAX, |Reverse(poll)| poll.done_ms);
            if restart_ms <= due_ms.min(done_ms) {
                if restart_ms >= end_ms {
                    return self.report;
                }
                self.restart(restart_ms);
                restart_ms += restart_s * 1_000;
            } else if done_ms <= due_ms {
                let Some(Reverse(poll)) = self.under_way.pop() else { return self.report };
                self.take_in(&poll);
            } else if let Some(due) = self.schedule.pop_due(time(due_ms)) {
                let feed = self.by_id[&due.feed];
                self.start(feed, due_ms);
            }
        }
    }

    /// The process dies and comes back: nothing is left but what is stored.
    fn restart(&mut self, now_ms: i64) {
        self.report.restarts += 1;
        self.schedule = Schedule::new(self.config.host_spacing_ms);
        self.under_way.clear();
        self.hosts.iter_mut().for_each(|host| host.1 = i64::MIN / 2);
        for (feed, stored) in self.feeds.iter().zip(&self.stored) {
            let standing = stored.next_poll.map(|next_poll| Standing {
                next_poll,
                interval_s: stored.interval_s,
                rest: Rest::new(&stored.timing.skip_hours, &stored.timing.skip_days),
                retry_at: stored.timing.retry_at,
                longest_s: 40 * DAY_S,
            });
            self.schedule.resume(&feed.id, &feed.host_name, standing, time(now_ms));
        }
    }

    fn start(&mut self, number: usize, now_ms: i64) {
        let (feed, stored) = (&self.feeds[number], &mut self.stored[number]);
        let now = time(now_ms);
        let probe = stored.validators.is_some() && wants_probe(&stored.timing, now);
        if probe {
            stored.timing.probed = Some(now);
            self.report.probes += 1;
        }
        let conditional = stored.validators.is_some() && !probe;
        self.report.requests += 1;
        if self.report.times_s.len() < KEPT_TIMES {
            self.report.times_s.push(now_ms.div_euclid(1_000));
        }
        self.judge(number, conditional, now_ms);
        let latency_ms = feed.latency_ms;
        self.hosts[feed.host as usize] = (now_ms, now_ms + latency_ms);
        self.under_way.push(Reverse(UnderWay {
            done_ms: now_ms + latency_ms,
            feed: number,
            conditional,
            started_ms: now_ms,
        }));
    }

    /// The umpire: whether this request may be made.
    fn judge(&mut self, number: usize, conditional: bool, now_ms: i64) {
        let (feed, allowed) = (&self.feeds[number], &mut self.allowed[number]);
        let now_s = now_ms.div_euclid(1_000);
        let mut fault = |what: &str| {
            if self.report.faults.len() < 100 {
                self.report.faults.push(format!("{} at {}: {what}", feed.id, time(now_ms)));
            }
        };
        if now_s < allowed.from_s {
            fault(&format!("{} s earlier than its server allows", allowed.from_s - now_s));
        }
        let hour = (now_s.rem_euclid(DAY_S) / 3_600) as u8;
        let day = ((now_s.div_euclid(DAY_S) + 3).rem_euclid(7) + 1) as u8;
        // The first request cannot know.
        let known = allowed.from_s > 0;
        if known && (feed.skip_hours.contains(&hour) || feed.skip_days.contains(&day)) {
            fault("at a time at which it rests");
        }
        let (started_ms, done_ms) = self.hosts[feed.host as usize];
        let spacing_ms = self.config.host_spacing_ms as i64;
        if now_ms - started_ms < spacing_ms || now_ms - done_ms < spacing_ms {
            let (since_start, since_end) = (now_ms - started_ms, now_ms - done_ms);
            fault(&format!("{since_start} ms after the last request to its host, {since_end} ms after its end"));
        }
        if allowed.holds_validators && !conditional {
            if allowed.last_probe_s.is_some_and(|last| now_s - last < DAY_S) {
                fault("a second probe within a day");
            }
            let seen = &feed.articles[..self.stored[number].found];
            let mut gaps: Vec<u32> =
                seen[seen.len().saturating_sub(DOCUMENT)..].windows(2).map(|pair| pair[1] - pair[0]).collect();
            gaps.sort_unstable();
            let usual_s = gaps.get(gaps.len() / 2).map_or(0, |gap| i64::from(*gap));
            let silence_s = now_s - seen.last().map_or(0, |last| i64::from(*last));
            if silence_s <= 3 * usual_s {
                fault(&format!("a probe after a silence of {silence_s} s, with gaps of {usual_s} s"));
            }
            allowed.last_probe_s = Some(now_s);
        }
    }

    /// The answer of the server, and what the client makes of it.
    fn take_in(&mut self, poll: &UnderWay) {
        let feed = &self.feeds[poll.feed];
        let now = time(poll.done_ms);
        self.schedule.finished(&feed.id, now);
        let asked_s = poll.started_ms.div_euclid(1_000);
        let stored = &mut self.stored[poll.feed];
        let timing = std::mem::take(&mut stored.timing);
        let allowed = &mut self.allowed[poll.feed];
        let done_s = poll.done_ms.div_euclid(1_000);
        let fresh_s = i64::from(feed.fresh_s.unwrap_or(0)).min(DAY_S);
        let outage = feed.outage.filter(|outage| (outage.from_s..outage.to_s).contains(&asked_s));
        let published = feed.published_by(asked_s, stored.found);
        let planned = if let Some(outage) = outage {
            let (since, count) = stored.failing.map_or((now, 1), |(since, count)| (since, count + 1));
            stored.failing = Some((since, count));
            let failure =
                Failure { status: Some(outage.status), count, gone: 0, since, retry_after_s: outage.retry_after_s };
            allowed.from_s = done_s + i64::from(outage.retry_after_s.unwrap_or(0));
            plan(&self.config, &feed.id, None, timing, Answer::Failed(failure), now)
        } else if poll.conditional && (feed.lies || stored.validators == Some(published)) {
            self.report.not_modified += 1;
            stored.failing = None;
            allowed.from_s = done_s + fresh_s.max(allowed.ttl_s);
            plan(&self.config, &feed.id, None, timing, Answer::NotModified { fresh_s: feed.fresh_s }, now)
        } else {
            stored.failing = None;
            stored.validators = feed.validators.then_some(published);
            allowed.holds_validators = feed.validators;
            allowed.ttl_s = i64::from(feed.ttl_s.unwrap_or(0)).min(DAY_S);
            allowed.from_s = done_s + fresh_s.max(allowed.ttl_s);
            let entries = feed.document(published);
            let new = &feed.articles[stored.found.min(published)..published];
            let first = stored.next_poll.is_none();
            for article in new.iter().filter(|article| i64::from(**article) >= START_S) {
                self.report.delays_s.push(u32::try_from(done_s - i64::from(*article)).unwrap());
            }
            self.report.missed += if first { 0 } else { new.len().saturating_sub(DOCUMENT) as u64 };
            let new: Vec<Timestamp> =
                new.iter().map(|second| Timestamp::from_second(i64::from(*second)).unwrap()).collect();
            stored.found = published;
            let document = Document {
                fresh_s: feed.fresh_s,
                ttl_s: feed.ttl_s,
                skip_hours: &feed.skip_hours,
                skip_days: &feed.skip_days,
                entries: &entries,
                new: &new,
            };
            plan(&self.config, &feed.id, None, timing, Answer::Read(document), now)
        };
        stored.interval_s = planned.interval_s.unwrap_or(stored.interval_s);
        stored.timing = planned.timing;
        stored.next_poll = Some(planned.next_poll);
        let rest = Rest::new(&stored.timing.skip_hours, &stored.timing.skip_days);
        if let Some(until) = stored.timing.retry_at {
            self.schedule.retry_later(&feed.id, &feed.host_name, until, now);
        }
        self.schedule.upsert(&feed.id, &feed.host_name, planned.next_poll, stored.interval_s, rest);
    }
}

/// A poll of every feed at a fixed interval on the same articles, which asks no server for its wishes, or which obeys them.
pub(crate) fn fixed(feeds: &[SimFeed], days: u32, interval_s: i64, obeys: bool) -> Report {
    let mut report = Report::default();
    let end_s = START_S + i64::from(days) * DAY_S;
    for (number, feed) in feeds.iter().enumerate() {
        let wish_s = i64::from(feed.fresh_s.unwrap_or(0).max(feed.ttl_s.unwrap_or(0))).min(DAY_S);
        let step_s = if obeys { interval_s.max(wish_s) } else { interval_s };
        let rest = if obeys { Rest::new(&feed.skip_hours, &feed.skip_days) } else { Rest::default() };
        // Spread evenly, as a good scheduler of this kind does it.
        let mut at_s = START_S + (number as i64 * 7_919) % step_s;
        let mut found = feed.published_by(START_S, 0);
        while at_s < end_s {
            report.requests += 1;
            let published = feed.published_by(at_s, found);
            for article in &feed.articles[found..published] {
                report.delays_s.push(u32::try_from(at_s - i64::from(*article)).unwrap());
            }
            report.missed += (published - found).saturating_sub(DOCUMENT) as u64;
            found = published;
            at_s += step_s;
            if rest == Rest::default() {
                // All polls until the next article find nothing.
                let next_s = feed.articles.get(found).map_or(end_s, |article| i64::from(*article).min(end_s));
                let idle = ((next_s - at_s + step_s - 1) / step_s).max(0);
                report.requests += idle as u64;
                at_s += idle * step_s;
            } else {
                at_s = rest.next_allowed(time(at_s * 1_000)).as_second();
            }
        }
    }
    report
}

/// The simulation of all queues, on all cores.
fn adaptive(feeds: Vec<SimFeed>, setup: &Setup) -> Report {
    let mut parts: Vec<Vec<SimFeed>> = (0..setup.queues).map(|_| Vec::new()).collect();
    feeds.into_iter().for_each(|feed| parts[feed.host as usize % setup.queues].push(feed));
    let parts = Mutex::new(parts);
    let work = || {
        let mut report = Report::default();
        while let Some(part) = { parts.lock().unwrap().pop() } {
            report = report.with(Simulation::new(&part, FetchConfig::default()).run(setup.days, setup.restart_s));
        }
        report
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).fold(Report::default(), Report::with)
    })
}

/// The report of a whole comparison, as text, with the umpire's faults and whether the goal is met.
pub(crate) fn compare(setup: &Setup) -> (String, bool) {
    let feeds = world::feeds(setup.feeds, setup.days, setup.seed);
    let (mut all, mut obeying) = (fixed(&feeds, setup.days, 900, false), fixed(&feeds, setup.days, 900, true));
    let mut adaptive = adaptive(feeds, setup);
    let mut text = format!(
        "{} feeds on {} hosts, {} days, {} restarts, {} articles, {} ms between two requests to a host\n\n\
         {:<34} {:>12} {:>8} {:>9} {:>9} {:>9} {:>8}\n",
        setup.feeds,
        (setup.feeds / 10).max(1),
        setup.days,
        adaptive.restarts,
        adaptive.delays_s.len(),
        FetchConfig::default().host_spacing_ms,
        "",
        "requests",
        "of fixed",
        "median s",
        "p90 s",
        "p99 s",
        "missed",
    );
    let base = all.requests as f64;
    let mut line = |name: &str, report: &mut Report| {
        let [median, p90, p99] = [0.5, 0.9, 0.99].map(|share| report.delay_s(share));
        let share = report.requests as f64 / base * 100.0;
        text += &format!(
            "{name:<34} {:>12} {share:>7.1}% {median:>9} {p90:>9} {p99:>9} {:>8}\n",
            report.requests, report.missed,
        );
    };
    line("fixed, 15 min, asks no server", &mut all);
    line("fixed, 15 min, obeys the servers", &mut obeying);
    line("chipwire", &mut adaptive);
    // A fixed poll's median is half its interval: the requests that it would take to find articles as soon.
    let median_s = f64::from(adaptive.delay_s(0.5)).max(1.0);
    let equal = setup.feeds as f64 * f64::from(setup.days) * DAY_S as f64 / (2.0 * median_s);
    let saved = 1.0 - adaptive.requests as f64 / equal;
    let met = adaptive.delay_s(0.5) <= all.delay_s(0.5) && adaptive.requests * 2 <= all.requests && saved >= 0.5;
    text += &format!(
        "\nat the same median delay a fixed poll needs {equal:.0} requests: {:.1} % of them are saved\n\
         304: {:.1} % of all answers; unconditional probes: {} ({:.3} %)\n\
         faults: {}\n",
        saved * 100.0,
        adaptive.not_modified as f64 / adaptive.requests as f64 * 100.0,
        adaptive.probes,
        adaptive.probes as f64 / adaptive.requests as f64 * 100.0,
        adaptive.faults.len(),
    );
    adaptive.faults.iter().take(10).for_each(|fault| text += &format!("  {fault}\n"));
    (text, met && adaptive.faults.is_empty())
}
