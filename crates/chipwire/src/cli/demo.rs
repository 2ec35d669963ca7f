//! `chipwire demo`

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use chipwire_events::{Event, FeedId, FeedState, Timestamp, Topic};
use chipwire_index::{SearchRequest, Sort};
use chipwire_log::{Limit, Positions};
use clap::Args;
use tokio::runtime::Runtime;

use super::{
    Global,
    daemon::{self, Daemon, stop_on_signal},
    search,
};
use crate::{
    config::Config,
    demo::{self, Origin},
    feed_list,
    health::Health,
    pipeline::{Opened, Stage},
    runner::{Shutdown, system_clock},
    terminal,
    wire::{self, Log},
};

/// How often a sample feed is polled.
const POLL_INTERVAL_S: u32 = 2;

/// How long the whole round may take before something must be wrong.
const PATIENCE: Duration = Duration::from_secs(120);

/// The example search.
const QUERY: &str = "company:nvidia \"export controls\"";

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Exit after the account
    #[arg(long)]
    once: bool,
    /// The port of page and API; 0 for any that is free [default: 8080, or any if that is taken]
    #[arg(long)]
    port: Option<u16>,
}

impl Demo {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let runtime = Runtime::new().context("failed to start the runtime")?;
        let temporary = match &global.data_dir {
            Some(_) => None,
            None => Some(tempfile::tempdir().context("failed to make a temporary data directory")?),
        };
        let data_dir = match (&global.data_dir, &temporary) {
            (Some(data_dir), _) => data_dir.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => bail!("no data directory"),
        };
        let mut opened = Opened::open(Config { data_dir, ..Config::default() })?;
        opened.log.ensure()?;
        let port_before = port_before(&opened.log)?;
        let origin = runtime.block_on(Origin::start(port_before))?;
        if port_before.is_some() {
            // What was edited in an earlier run stays edited.
            origin.edit();
        }
        configure(&mut opened.config, &origin);
        let alerts = Lines::default();
        let lines = alerts.clone();
        opened.terminal = Arc::new(move || Box::new(lines.clone()));
        let locks = Stage::ALL.iter().map(|stage| opened.lock(*stage, "demo")).collect::<Result<Vec<_>, _>>()?;

        let shutdown = Shutdown::default();
        stop_on_signal(shutdown.clone(), Some(daemon::deadline(&opened)))?;
        let mut daemon = Daemon::new(opened, locks, Health::default(), shutdown.clone(), runtime);
        let address = match self.port {
            Some(port) => daemon.serve(Some(port))?,
            None => daemon.serve(None).or_else(|_| daemon.serve(Some(0)))?,
        };
        let started = Instant::now();
        follow(&daemon.opened.log, &origin)?;
        daemon.start(&Stage::ALL)?;
        round(&daemon.opened, &origin, &shutdown)?;
        let elapsed = started.elapsed();
        if !shutdown.requested() {
            account(&daemon.opened, &origin, elapsed, &alerts)?;
            let mut out = io::stdout().lock();
            if self.once {
                drop(out);
                return daemon.stop();
            }
            writeln!(out, "\npage  http://{address}/")?;
            writeln!(out, "API   http://{address}/v1/articles?q=company:nvidia   (described in /openapi.json)")?;
            writeln!(out, "Ctrl-C stops the demo.")?;
        }
        daemon.wait()
    }
}

/// The port that the sample feeds had in an earlier run on the same data, so that they are the same feeds again.
fn port_before(log: &Log) -> Result<Option<u16>> {
    let followed = feed_list::followed(log)?;
    Ok(followed.iter().find_map(|(feed, _)| url::Url::parse(&feed.url).ok()?.port()))
}

/// Allows the local origin, and has it polled often enough to be watched.
fn configure(config: &mut Config, origin: &Origin) {
    config.fetch.allow_private_hosts = vec![origin.address().to_string()];
    config.fetch = std::mem::take(&mut config.fetch).with_spacing_ms(0);
    config.fetch.min_interval_s = POLL_INTERVAL_S;
    config.fetch.max_interval_s = POLL_INTERVAL_S;
}

/// Follows the sample feeds and saves the sample rules.
fn follow(log: &Log, origin: &Origin) -> Result<()> {
    let now = system_clock();
    let mut records = Vec::new();
    for rule in demo::rules(now)? {
        records.push(log.encode(&Event::RuleSaved(rule), now, None)?);
    }
    for feed in origin.feeds() {
        records.push(feed_list::follow(log, &feed, now)?);
    }
    log.backend().writer("demo")?.append(&records)?;
    Ok(())
}

/// Waits until every feed was polled, edits the origin, and waits until all that came of it is searchable and delivered.
fn round(opened: &Opened, origin: &Origin, shutdown: &Shutdown) -> Result<()> {
    let feeds: Vec<FeedId> = origin.feeds().into_iter().map(|feed| feed.id).collect();
    let started = system_clock();
    until("every sample feed is polled", shutdown, || polled_since(&opened.log, &feeds, started))?;
    origin.edit();
    let edited = system_clock();
    until("the edited feeds are polled again", shutdown, || polled_since(&opened.log, &origin.changing(), edited))?;
    until("everything is searchable and delivered", shutdown, || {
        let stages = [Stage::Enrich, Stage::Index, Stage::Alert, Stage::Deliver];
        let mut behind = 0;
        for stage in stages {
            behind += opened.lag(stage)?;
        }
        Ok(behind == 0 && all_delivered(&opened.log)?)
    })
}

fn until(what: &str, shutdown: &Shutdown, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !done()? {
        if Instant::now() > deadline {
            bail!("after {} s, not {what}: run again with `--log info` to see why", PATIENCE.as_secs());
        }
        if shutdown.wait(Duration::from_millis(50)) {
            break;
        }
    }
    Ok(())
}

fn polled_since(log: &Log, feeds: &[FeedId], since: Timestamp) -> Result<bool> {
    let states: HashMap<FeedId, FeedState> =
        feed_list::followed(log)?.into_iter().filter_map(|(feed, state)| Some((feed.id, state?))).collect();
    Ok(feeds.iter().all(|feed| {
        states.get(feed).and_then(|state| state.last_polled).is_some_and(|last_polled| last_polled > since)
    }))
}

fn all_delivered(log: &Log) -> Result<bool> {
    let state = log.backend().state(log.name(Topic::Deliveries), None)?;
    Ok(state.records.values().all(|stored| match wire::decode(stored) {
        Ok((_, Event::DeliveryChanged(delivery))) => delivery.status != chipwire_events::DeliveryStatus::Pending,
        _ => true,
    }))
}

/// What went through the log.
#[derive(Default)]
struct Account {
    events: u64,
    articles: u64,
    revisions: u64,
    kinds: BTreeMap<String, u64>,
    entities: BTreeMap<(String, String), u64>,
    alerts: BTreeMap<String, u64>,
}

impl Account {
    fn of(log: &Log) -> Result<Self> {
        let mut account = Self::default();
        let topics: Vec<&str> = Topic::ALL.iter().map(|topic| &**log.name(*topic)).collect();
        let mut reader = log.backend().reader(&topics, &Positions::new())?;
        loop {
            let batch = reader.next(Limit::default(), Duration::from_millis(100))?;
            for stored in &batch.records {
                account.events += 1;
                if let Ok((_, event)) = wire::decode(stored) {
                    account.add(event);
                }
            }
            if batch.at_end {
                return Ok(account);
            }
        }
    }

    fn add(&mut self, event: Event) {
        match event {
            Event::ArticleTagged(tagged) => {
                if tagged.article.revision == 1 {
                    self.articles += 1;
                } else {
                    self.revisions += 1;
                }
                for entity in tagged.entities {
                    *self.kinds.entry(entity.kind.clone()).or_default() += u64::from(entity.count);
                    *self.entities.entry((entity.kind, entity.name)).or_default() += u64::from(entity.count);
                }
            }
            Event::AlertRaised(alert) => *self.alerts.entry(alert.rule_name).or_default() += 1,
            _ => {}
        }
    }
}

fn account(opened: &Opened, origin: &Origin, elapsed: Duration, lines: &Lines) -> Result<()> {
    let account = Account::of(&opened.log)?;
    let mut out = io::stdout().lock();
    let feeds = origin.feeds().len();
    writeln!(out, "chipwire demo: {feeds} sample feeds, served on {} and polled from there", origin.address())?;
    writeln!(out)?;
    writeln!(out, "articles  {:>6}  and {} later edits", account.articles, account.revisions)?;
    let mentions: u64 = account.kinds.values().sum();
    writeln!(out, "mentions  {mentions:>6}  {}", list(account.kinds.iter()))?;
    let mut top: Vec<_> = account.entities.iter().map(|((_, name), count)| (name, count)).collect();
    top.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    writeln!(out, "entities  {:>6}  most often {}", account.entities.len(), list(top.into_iter().take(6)))?;
    let alerts: u64 = account.alerts.values().sum();
    writeln!(out, "alerts    {alerts:>6}  {}", list(account.alerts.iter()))?;
    let rate = account.events as f64 / elapsed.as_secs_f64();
    writeln!(
        out,
        "events    {:>6}  in {:.1} s, {rate:.0}/s; most of the time is the wait for the second poll",
        account.events,
        elapsed.as_secs_f64()
    )?;
    writeln!(out, "\nthe last alerts:")?;
    for line in lines.last(3) {
        writeln!(out, "  {}", terminal::clean(&line))?;
    }

    let Some(generation) = opened.generations.get() else { return Ok(()) };
    let query = chipwire_query::parse(QUERY).map_err(|error| anyhow::anyhow!(error.render(QUERY)))?;
    let request = SearchRequest { query, sort: Sort::Best, limit: 3, offset: 0, facets: 0 };
    let response = generation.index.searcher().search(&request, system_clock())?;
    write!(out, "\nchipwire search '{QUERY}': ")?;
    search::print_hits(&mut out, response.total, response.took_ms, &response.hits)?;
    Ok(())
}

fn list<N: std::fmt::Display, C: std::fmt::Display>(counts: impl Iterator<Item = (N, C)>) -> String {
    let mut text = String::new();
    for (name, count) in counts {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{name} {count}");
    }
    text
}

/// What the sink `terminal` wrote, kept for the account.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn last(&self, count: usize) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(count)).map(|line| (*line).to_owned()).collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
