//! ENRICH: tags every raw article.
//!
//! - reads `articles.raw`
//! - writes `articles.tagged`: exactly one event per raw event, in its partition and order, tagged or rejected, each with
//!   the raw interval it covers; and `dead-letters`, the original of every rejected one
//! - group `enrich`; any number of workers share the partitions
//! - position: stored with the output, in one transaction
//! - on failure: an event that cannot be read, or on which the tagger panics, is rejected; anything else ends the worker,
//!   and a new one goes on at the stored position

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use chipwire_enrich::Tagger;
use chipwire_events::{Covers, ErrorClass, Event, Rejected, Timestamp, Topic};
use chipwire_log::{Limit, Positions, Record, Step, StoredRecord};
use rayon::{ThreadPool, prelude::*};

use super::{WAIT, dead_letter};
use crate::{
    health::StageLabel,
    runner::{Context, StageError, chain},
    wire::{self, Log},
};

/// The stage's name and group.
pub const STAGE: &str = "enrich";

const LIMIT: Limit = Limit { records: 2_000, size_bytes: 8 << 20 };

/// Fewer records are tagged sooner than other threads are woken.
const WORTH_SHARING: usize = 16;

/// What the stage is told.
#[derive(Clone)]
pub struct Settings {
    /// The tagger.
    pub tagger: Arc<Tagger>,
    /// Threads that tag the articles of one batch; none: the stage's own.
    pub pool: Option<Arc<ThreadPool>>,
}

/// Runs until it is asked to stop.
pub fn run(context: &Context, settings: &Settings) -> Result<(), StageError> {
    let log = &context.log;
    let raw = log.name(Topic::ArticlesRaw);
    let mut worker = log.backend().worker(STAGE, &context.member, &[raw])?;
    let label = StageLabel { stage: STAGE };
    let commit_seconds = context.health.metrics.commit_seconds.get_or_create_owned(&label);
    let events = context.health.metrics.events.get_or_create_owned(&label);
    let dead_letters = context.health.metrics.dead_letters.get_or_create_owned(&label);

    // The last raw offset that an outcome covers, by partition: where the next link of the chain begins.
    let mut covered: BTreeMap<u32, i64> = BTreeMap::new();
    while !context.shutdown.requested() {
        match worker.next(LIMIT, WAIT)? {
            Step::Assigned(positions) => {
                covered.extend(positions.iter().map(|(id, position)| (id.partition, position - 1)));
            }
            Step::Revoked(partitions) => {
                for id in partitions {
                    covered.remove(&id.partition);
                }
            }
            Step::Batch(batch) => {
                if !batch.records.is_empty() {
                    let mut upto = Positions::new();
                    let links: Vec<(&StoredRecord, Covers)> = batch
                        .records
                        .iter()
                        .map(|stored| {
                            let partition = stored.record.partition;
                            let last = covered.entry(partition).or_insert(-1);
                            let covers = Covers { partition, from: *last, to: stored.offset };
                            *last = stored.offset;
                            // One past the last record and not past a hole behind it, so that the beginning of the next
                            // link can be told from the stored position.
                            upto.insert(stored.partition_id(), stored.offset + 1);
                            (stored, covers)
                        })
                        .collect();
                    let outputs = outcomes(log, settings, &links)?;
                    dead_letters.inc_by((outputs.len() - links.len()) as u64);
                    let started = Instant::now();
                    worker.commit(&outputs, &upto)?;
                    commit_seconds.observe(started.elapsed().as_secs_f64());
                    events.inc_by(links.len() as u64);
                }
            }
        }
        context.health.well(STAGE);
    }
    Ok(())
}

/// The outcome of every record, in their order: one record each, and one more for every dead letter.
fn outcomes(log: &Log, settings: &Settings, links: &[(&StoredRecord, Covers)]) -> Result<Vec<Record>, StageError> {
    let outcome = |(stored, covers): &(&StoredRecord, Covers)| tag(&settings.tagger, stored).encode(log, *covers);
    let outcomes: Vec<Vec<Record>> = match &settings.pool {
        Some(pool) if links.len() >= WORTH_SHARING => {
            pool.install(|| links.par_iter().map(outcome).collect::<Result<_, _>>())?
        }
        _ => links.iter().map(outcome).collect::<Result<_, _>>()?,
    };
    Ok(outcomes.into_iter().flatten().collect())
}

/// What came of one raw record.
struct Outcome {
    event: Event,
    time: Timestamp,
    dead_letter: Option<Event>,
}

impl Outcome {
    fn encode(self, log: &Log, covers: Covers) -> Result<Vec<Record>, StageError> {
        let mut records = vec![log.encode(&self.event, self.time, Some(covers))?];
        if let Some(letter) = self.dead_letter {
            records.push(log.encode(&letter, self.time, None)?);
        }
        Ok(records)
    }
}

fn tag(tagger: &Tagger, stored: &StoredRecord) -> Outcome {
    match wire::decode(stored) {
        Ok((envelope, Event::ArticleFetched(article))) => {
            match catch_unwind(AssertUnwindSafe(|| tagger.enrich(article))) {
                Ok(tagged) => Outcome { event: Event::ArticleTagged(tagged), time: envelope.time, dead_letter: None },
                Err(panic) => reject(stored, envelope.time, ErrorClass::Panic, panic_message(&*panic)),
            }
        }
        Ok((envelope, _)) => {
            let message = format!("an event of type `{}` does not belong here", envelope.event_type);
            reject(stored, envelope.time, ErrorClass::Decode, message)
        }
        Err(error) => {
            let time = Timestamp::from_millisecond(stored.timestamp_ms).unwrap_or(Timestamp::UNIX_EPOCH);
            reject(stored, time, ErrorClass::Decode, chain(&error))
        }
    }
}

fn reject(stored: &StoredRecord, time: Timestamp, class: ErrorClass, reason: String) -> Outcome {
    let letter = dead_letter(STAGE, Topic::ArticlesRaw, stored, class, reason.clone());
    tracing::warn!(
        stage = STAGE,
        partition = stored.record.partition,
        offset = stored.offset,
        class = class.as_str(),
        "{reason}"
    );
    Outcome {
        event: Event::ArticleRejected(Rejected { dead_letter: letter.event_id(), reason }),
        time,
        dead_letter: Some(Event::EventRejected(letter)),
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the tagger panicked: {}", text.unwrap_or("no message"))
}
