//! How the stages are doing: what `/livez`, `/readyz` and `/metrics` answer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// A stage whose loop has not come round for this long is taken for hung.
const HUNG_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
struct StageHealth {
    ticked: Instant,
    trouble: Option<String>,
    lag_events: u64,
}

/// How the stages of this process are doing. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Health {
    stages: Arc<Mutex<BTreeMap<&'static str, StageHealth>>>,
    registry: Arc<Registry>,
    /// What is counted.
    pub metrics: Metrics,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StageLabel {
    pub(crate) stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OutcomeLabel {
    pub(crate) outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct DigestLabel {
    pub(crate) digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StatusLabel {
    pub(crate) status: &'static str,
}

impl StatusLabel {
    /// The class of an HTTP status, with 304 as one of its own; `none` where no answer came.
    pub(crate) fn of(status: Option<u16>) -> Self {
        let status = match status {
            None => "none",
            Some(304) => "304",
            Some(200..=299) => "2xx",
            Some(300..=399) => "3xx",
            Some(400..=499) => "4xx",
            Some(500..=599) => "5xx",
            Some(_) => "other",
        };
        Self { status }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct SinkLabel {
    pub(crate) sink: String,
    pub(crate) outcome: &'static str,
}

/// What is counted.
#[derive(Clone)]
pub struct Metrics {
    pub(crate) polls: Family<OutcomeLabel, Counter>,
    pub(crate) responses: Family<StatusLabel, Counter>,
    pub(crate) pushes: Counter,
    pub(crate) article_pages: Family<OutcomeLabel, Counter>,
    pub(crate) poll_bytes: Counter,
    pub(crate) articles: Counter,
    pub(crate) events: Family<StageLabel, Counter>,
    pub(crate) dead_letters: Family<StageLabel, Counter>,
    pub(crate) duplicates: Family<StageLabel, Counter>,
    pub(crate) gaps: Family<StageLabel, Counter>,
    pub(crate) halted: Family<StageLabel, Gauge>,
    pub(crate) restarts: Family<StageLabel, Counter>,
    pub(crate) lag: Family<StageLabel, Gauge>,
    pub(crate) commit_seconds: Family<StageLabel, Histogram>,
    pub(crate) searchable_seconds: Histogram,
    pub(crate) alerts: Counter,
    pub(crate) deliveries: Family<SinkLabel, Counter>,
    pub(crate) feeds_failing: Gauge<i64>,
    pub(crate) feed_duplicates: Counter,
    pub(crate) feed_repairs: Family<StageLabel, Counter>,
    pub(crate) window_overruns: Counter,
    pub(crate) schedule_lag_seconds: Histogram,
    pub(crate) discovery_delay_seconds: Histogram,
    pub(crate) index_documents: Gauge<u64, AtomicU64>,
    pub(crate) gazetteers: Family<DigestLabel, Gauge>,
    pub(crate) overlay_reloads: Family<OutcomeLabel, Counter>,
    pub(crate) overlay_broken: Gauge,
}

impl Metrics {
    /// Events are tagged by the gazetteer with this digest from now on.
    pub(crate) fn gazetteer(&self, digest: &str) {
        self.gazetteers.clear();
        self.gazetteers.get_or_create(&DigestLabel { digest: digest.to_owned() }).set(1);
    }

    /// A changed overlay was `taken` or `refused`.
    pub(crate) fn overlay(&self, outcome: &str, is_broken: bool) {
        self.overlay_reloads.get_or_create(&OutcomeLabel { outcome: outcome.to_owned() }).inc();
        self.overlay_broken.set(i64::from(is_broken));
    }
}

fn latency() -> Histogram {
    Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
}

fn delay() -> Histogram {
    Histogram::new([10.0, 30.0, 60.0, 180.0, 600.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0])
}

impl Default for Health {
    fn default() -> Self {
        let metrics = Metrics {
            polls: Family::default(),
            responses: Family::default(),
            pushes: Counter::default(),
            article_pages: Family::default(),
            poll_bytes: Counter::default(),
            articles: Counter::default(),
            events: Family::default(),
            dead_letters: Family::default(),
            duplicates: Family::default(),
            gaps: Family::default(),
            halted: Family::default(),
            restarts: Family::default(),
            lag: Family::default(),
            commit_seconds: Family::new_with_constructor(latency as fn() -> Histogram),
            searchable_seconds: latency(),
            alerts: Counter::default(),
            deliveries: Family::default(),
            feeds_failing: Gauge::default(),
            feed_duplicates: Counter::default(),
            feed_repairs: Family::default(),
            window_overruns: Counter::default(),
            schedule_lag_seconds: latency(),
            discovery_delay_seconds: delay(),
            index_documents: Gauge::default(),
            gazetteers: Family::default(),
            overlay_reloads: Family::default(),
            overlay_broken: Gauge::default(),
        };
        let mut registry = Registry::with_prefix("chipwire");
        let m = &metrics;
        registry.register("feed_polls", "Polls of feeds by what came of them", m.polls.clone());
        registry.register("feed_responses", "Answers of feeds' servers by class of status", m.responses.clone());
        registry.register("feed_pushes", "What hubs have said about feeds", m.pushes.clone());
        let name = "Pages of articles that were wanted for their text, by what came of them";
        registry.register("article_pages", name, m.article_pages.clone());
        registry.register_with_unit("feed_received", "Bytes of feeds on the wire", Unit::Bytes, m.poll_bytes.clone());
        registry.register("articles_fetched", "New articles and revisions", m.articles.clone());
        registry.register("stage_events", "Events that a stage has dealt with", m.events.clone());
        registry.register("dead_letters", "Events that a stage could not process", m.dead_letters.clone());
        registry.register("chain_duplicates", "Events dropped because they were seen", m.duplicates.clone());
        registry.register("chain_gaps", "Raw intervals that no event covers", m.gaps.clone());
        registry.register("chain_halted", "Partitions that wait for such an interval", m.halted.clone());
        registry.register("stage_restarts", "Times a stage was started anew after an error", m.restarts.clone());
        registry.register("stage_lag_events", "Events that a stage has still to read", m.lag.clone());
        registry.register_with_unit(
            "stage_commit",
            "How long a stage's commit takes",
            Unit::Seconds,
            m.commit_seconds.clone(),
        );
        registry.register_with_unit(
            "fetched_to_searchable",
            "From an article's first sight to its being searchable",
            Unit::Seconds,
            m.searchable_seconds.clone(),
        );
        registry.register("alerts_raised", "Alerts", m.alerts.clone());
        registry.register("deliveries", "Attempts to deliver an alert", m.deliveries.clone());
        registry.register("feeds_failing", "Feeds that cannot be read just now", m.feeds_failing.clone());
        let name = "Items that came twice or under a new identity and were not published again";
        registry.register("feed_duplicates", name, m.feed_duplicates.clone());
        let name = "Documents that had to be repaired, by the stage of the repair";
        registry.register("feed_repairs", name, m.feed_repairs.clone());
        let name = "Polls without any item of the poll before: articles were probably missed";
        registry.register("feed_window_overruns", name, m.window_overruns.clone());
        let name = "How long a poll waited after its feed and its host were due";
        registry.register_with_unit("feed_schedule_lag", name, Unit::Seconds, m.schedule_lag_seconds.clone());
        let name = "From an article's publication to its first sight, by its date";
        registry.register_with_unit("feed_discovery_delay", name, Unit::Seconds, m.discovery_delay_seconds.clone());
        registry.register("index_documents", "Documents in the index", m.index_documents.clone());
        registry.register("gazetteer", "The gazetteer that tags, by its digest", m.gazetteers.clone());
        let name = "Changes of the gazetteer's overlay by what came of them";
        registry.register("overlay_reloads", name, m.overlay_reloads.clone());
        let name = "Whether the overlay as it is now cannot be used, so that an older one stays in use";
        registry.register("overlay_broken", name, m.overlay_broken.clone());
        Self { stages: Arc::default(), registry: Arc::new(registry), metrics }
    }
}

impl Health {
    fn with<T>(&self, f: impl FnOnce(&mut BTreeMap<&'static str, StageHealth>) -> T) -> T {
        f(&mut self.stages.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn entry(&self, stage: &'static str, change: impl FnOnce(&mut StageHealth)) {
        self.with(|stages| {
            let health = stages.entry(stage).or_insert_with(|| StageHealth {
                ticked: Instant::now(),
                trouble: Some("starting".to_owned()),
                lag_events: 0,
            });
            change(health);
        });
    }

    /// `stage` exists and is not ready yet.
    pub fn starting(&self, stage: &'static str) {
        self.entry(stage, |_| {});
    }

    /// The loop of `stage` came round.
    pub fn tick(&self, stage: &'static str) {
        self.entry(stage, |health| health.ticked = Instant::now());
    }

    /// `stage` works.
    pub fn well(&self, stage: &'static str) {
        self.entry(stage, |health| {
            health.ticked = Instant::now();
            health.trouble = None;
        });
    }

    /// `stage` has done what it was for: nobody waits for a sign of it any more.
    pub fn done(&self, stage: &'static str) {
        self.with(|stages| stages.remove(stage));
    }

    /// `stage` cannot do its work, and why.
    pub fn trouble(&self, stage: &'static str, why: impl Into<String>) {
        let why = why.into();
        self.entry(stage, |health| {
            health.ticked = Instant::now();
            health.trouble = Some(why);
        });
    }

    /// `stage` has still to read this many events.
    pub fn lag(&self, stage: &'static str, events: u64) {
        self.metrics.lag.get_or_create(&StageLabel { stage }).set(i64::try_from(events).unwrap_or(i64::MAX));
        self.entry(stage, |health| health.lag_events = events);
    }

    /// Stages that hang, with what is wrong; empty when the process is alive.
    pub fn hung(&self) -> Vec<String> {
        self.with(|stages| {
            stages
                .iter()
                .filter(|(_, health)| health.ticked.elapsed() > HUNG_AFTER)
                .map(|(stage, health)| format!("{stage}: no sign of life for {} s", health.ticked.elapsed().as_secs()))
                .collect()
        })
    }

    /// Stages that cannot do their work, with what is wrong; empty when the process is ready.
    pub fn not_ready(&self, lag_limit: u64) -> Vec<String> {
        let mut reasons = self.hung();
        self.with(|stages| {
            for (stage, health) in stages {
                if let Some(trouble) = &health.trouble {
                    reasons.push(format!("{stage}: {trouble}"));
                }
                if health.lag_events > lag_limit {
                    reasons.push(format!("{stage}: {} events behind", health.lag_events));
                }
            }
        });
        reasons
    }

    /// The metrics in the OpenMetrics text format.
    pub fn encode_metrics(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pipeline::once_reachable, runner::Shutdown};

    #[test]
    fn what_is_done_once_is_not_missed_later() {
        let health = Health::default();
        once_reachable(&health, &Shutdown::default(), || Ok(())).unwrap();
        assert!(health.with(|stages| stages.is_empty()));
    }

    #[test]
    fn answers_are_counted_by_class() {
        let statuses = [Some(200), Some(304), Some(301), Some(410), Some(503), Some(99), None];
        let classes = statuses.map(|status| StatusLabel::of(status).status);
        assert_eq!(classes, ["2xx", "304", "3xx", "4xx", "5xx", "other", "none"]);
    }
}
