//! RAISE ALERTS: holds every new article against the stored rules.
//!
//! - reads `articles.tagged` and, beside it, `rules` and `alerts`
//! - writes `alerts`: one per rule version and article, with a deterministic id; and `dead-letters`
//! - group `alert`; any number of workers share the partitions
//! - position: stored with the alerts, in one transaction
//! - on failure: an event seen before is dropped; before a raw interval that no event covers the partition halts until it is
//!   enriched again (`chain.rs`); a rule whose query does not parse is passed over and reported; an event that cannot be read is passed over
//!   (the index has made a dead letter of it), one on which the matcher panics becomes a dead letter; anything else ends the worker, and a new one goes on at the stored position
//!
//! Imported articles raise nothing: a backfill is history, not news. Nor does what was tagged anew, which covers no raw event, unless
//! it was put back for the sake of this stage.

use std::{collections::BTreeMap, time::Duration};

use chipwire_alerts::{Matcher, Raised, alert};
use chipwire_events::{Envelope, ErrorClass, Event, FeedId, Rule, STAGE_HEADER, Timestamp, Topic};
use chipwire_log::{Limit, Positions, Reader, Record, Step, StoredRecord, Worker};

use super::{WAIT, dead_letter, max_event_bytes, unless_it_panics};
use crate::{
    chain::{Chain, Link},
    fail_points::poison,
    health::StageLabel,
    import,
    runner::{Context, StageError},
    stages::index::document,
    wire::{self, Log},
};

/// The stage's name and group.
pub const STAGE: &str = "alert";

const LIMIT: Limit = Limit { records: 1_000, size_bytes: 4 << 20 };

/// Runs until it is asked to stop.
pub fn run(context: &Context) -> Result<(), StageError> {
    let log = &context.log;
    let open = || log.backend().worker(STAGE, &context.member, &[log.name(Topic::ArticlesTagged)]);
    let mut worker = open()?;
    let mut stage = Stage {
        context,
        rules: Rules::open(log)?,
        raised: RaisedBefore::open(log)?,
        imports: import::feed_id(),
        chain: Chain::new(STAGE, BTreeMap::new()),
    };
    loop {
        stage.work(&mut *worker)?;
        if context.shutdown.requested() {
            return Ok(());
        }
        // Left before it is joined anew.
        drop(worker);
        worker = open()?;
    }
}

/// What every worker of the stage goes on with.
struct Stage<'a> {
    context: &'a Context,
    rules: Rules,
    raised: RaisedBefore,
    imports: FeedId,
    chain: Chain,
}

impl Stage<'_> {
    /// Returns when it is asked to stop, and when `worker` has to be opened anew to go on at the stored positions.
    fn work(&mut self, worker: &mut dyn Worker) -> Result<(), StageError> {
        while !self.context.shutdown.requested() {
            match worker.next(LIMIT, WAIT)? {
                Step::Assigned(positions) => {
                    // Whoever had these partitions before may have raised alerts since this worker looked last.
                    self.raised.catch_up()?;
                    self.chain.assign(self.context, &positions)?;
                }
                Step::Revoked(partitions) => {
                    self.chain.revoke(self.context, partitions.iter().map(|id| id.partition));
                }
                Step::Batch(batch) => {
                    self.rules.catch_up()?;
                    self.take(worker, &batch.records)?;
                }
            }
            self.chain.report(self.context);
            if self.mend(worker)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn take(&mut self, worker: &mut dyn Worker, records: &[StoredRecord]) -> Result<(), StageError> {
        let (mut outputs, mut upto) = (Vec::new(), Positions::new());
        let mut taken = 0;
        for stored in records {
            if self.chain.is_halted(stored.record.partition) {
                continue;
            }
            let decoded = wire::decode(stored);
            let covers = decoded.as_ref().ok().and_then(|(envelope, _)| envelope.covers);
            let link = self.chain.take(self.context, stored, covers);
            if link == Link::Held {
                continue;
            }
            taken += 1;
            upto.insert(stored.partition_id(), stored.offset + 1);
            if link == Link::New
                && let Ok((envelope, event)) = decoded
            {
                self.hold_against_rules(stored, &envelope, event, &mut outputs)?;
            }
        }
        if !upto.is_empty() {
            self.commit(worker, &outputs, &upto)?;
        }
        let label = StageLabel { stage: STAGE };
        self.context.health.metrics.events.get_or_create(&label).inc_by(taken);
        Ok(())
    }

    /// Raises alerts for what fills a gap; true when there was one and it is filled.
    fn mend(&mut self, worker: &mut dyn Worker) -> Result<bool, StageError> {
        let Some(mended) = self.chain.mend(self.context) else { return Ok(false) };
        let mut outputs = Vec::new();
        for stored in &mended.records {
            if let Ok((envelope, event)) = wire::decode(stored) {
                self.hold_against_rules(stored, &envelope, event, &mut outputs)?;
            }
        }
        // The position stays, and its being committed shows that the partition is still this worker's.
        let id = self.context.log.partition(Topic::ArticlesTagged, mended.partition);
        self.commit(worker, &outputs, &Positions::from([(id, mended.position)]))?;
        Ok(self.chain.resume(self.context, &mended))
    }

    fn hold_against_rules(
        &mut self,
        stored: &StoredRecord,
        envelope: &Envelope,
        event: Event,
        outputs: &mut Vec<Record>,
    ) -> Result<(), StageError> {
        let Event::ArticleTagged(tagged) = event else { return Ok(()) };
        let is_put_back = || stored.record.headers.iter().any(|(name, stage)| name == STAGE_HEADER && stage == STAGE);
        if envelope.covers.is_none() && !is_put_back() {
            return Ok(());
        }
        let Self { context, rules, raised, imports, .. } = self;
        let raising = || raise(context, &rules.matcher, raised, imports, tagged, outputs);
        match unless_it_panics(raising) {
            Ok(done) => done,
            Err(message) => {
                outputs.push(panicked(&context.log, stored, &message)?);
                Ok(())
            }
        }
    }

    fn commit(&self, worker: &mut dyn Worker, outputs: &[Record], upto: &Positions) -> Result<(), StageError> {
        fail::fail_point!("before-commit");
        worker.commit(outputs, upto)?;
        fail::fail_point!("after-commit");
        let alerts = outputs.iter().filter(|record| record.topic == *self.context.log.name(Topic::Alerts)).count();
        if alerts > 0 {
            fail::fail_point!("after-raise");
        }
        self.context.health.metrics.alerts.inc_by(alerts as u64);
        Ok(())
    }
}

fn raise(
    context: &Context,
    matcher: &Matcher,
    raised: &mut RaisedBefore,
    imports: &FeedId,
    tagged: chipwire_events::TaggedArticle,
    outputs: &mut Vec<Record>,
) -> Result<(), StageError> {
    if tagged.article.feed == *imports || matcher.is_empty() {
        return Ok(());
    }
    poison("panic-in-alert", &tagged.article.title);
    // `now` in a rule's query is the moment the article was seen, so that a replay raises the same alerts.
    let seen = tagged.article.first_seen;
    let fields = document(tagged.clone()).fields();
    for rule in matcher.matches(&fields, seen) {
        fail::fail_point!("before-raise");
        let alert = alert(rule, &tagged);
        if raised.set.insert(&alert.id) {
            let time = alert.raised;
            outputs.push(context.log.encode(&Event::AlertRaised(alert), time, None)?);
        }
    }
    Ok(())
}

/// The dead letter of an event on which the matcher panicked.
fn panicked(log: &Log, stored: &StoredRecord, message: &str) -> Result<Record, StageError> {
    let message = format!("the matcher panicked: {message}");
    tracing::warn!(stage = STAGE, partition = stored.record.partition, offset = stored.offset, "{message}");
    let letter = dead_letter(STAGE, Topic::ArticlesTagged, stored, ErrorClass::Panic, message, max_event_bytes(log));
    let time = Timestamp::from_millisecond(stored.timestamp_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(log.encode(&Event::EventRejected(letter), time, None)?)
}

/// The stored rules, kept up to date.
struct Rules {
    reader: Box<dyn Reader>,
    rules: BTreeMap<String, Rule>,
    matcher: Matcher,
}

impl Rules {
    fn open(log: &Log) -> Result<Self, StageError> {
        let state = log.backend().state(log.name(Topic::Rules), None)?;
        let reader = log.backend().reader(&[log.name(Topic::Rules)], &state.positions)?;
        let mut rules = BTreeMap::new();
        for stored in state.records.values() {
            if let Ok((_, Event::RuleSaved(rule))) = wire::decode(stored) {
                rules.insert(rule.id.to_string(), rule);
            }
        }
        let mut this = Self { reader, rules, matcher: Matcher::new([]).0 };
        this.compile();
        Ok(this)
    }

    fn catch_up(&mut self) -> Result<(), StageError> {
        let batch = self.reader.next(Limit::default(), Duration::ZERO)?;
        if batch.records.is_empty() {
            return Ok(());
        }
        for stored in &batch.records {
            match wire::decode(stored) {
                Ok((_, Event::RuleSaved(rule))) => {
                    self.rules.insert(rule.id.to_string(), rule);
                }
                _ if stored.record.value.is_none() => {
                    self.rules.remove(&*wire::key(stored));
                }
                _ => tracing::warn!(stage = STAGE, offset = stored.offset, "passed over a rule that cannot be read"),
            }
        }
        self.compile();
        Ok(())
    }

    fn compile(&mut self) {
        let (matcher, errors) = Matcher::new(self.rules.values().cloned());
        for (rule, error) in errors {
            tracing::warn!(stage = STAGE, %rule, "passed over a rule whose query does not parse: {error}");
        }
        self.matcher = matcher;
    }
}

/// The alerts that were raised before, by any worker.
struct RaisedBefore {
    reader: Box<dyn Reader>,
    set: Raised,
}

impl RaisedBefore {
    fn open(log: &Log) -> Result<Self, StageError> {
        let reader = log.backend().reader(&[log.name(Topic::Alerts)], &Positions::new())?;
        Ok(Self { reader, set: Raised::new() })
    }

    fn catch_up(&mut self) -> Result<(), StageError> {
        loop {
            let batch = self.reader.next(Limit::default(), WAIT)?;
            for stored in &batch.records {
                if let Ok((_, Event::AlertRaised(alert))) = wire::decode(stored) {
                    self.set.insert(&alert.id);
                }
            }
            if batch.at_end {
                return Ok(());
            }
        }
    }
}
