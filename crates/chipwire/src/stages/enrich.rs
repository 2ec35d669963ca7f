//! ENRICH: tags every raw article.
//!
//! - reads `articles.raw`
//! - writes `articles.tagged`: exactly one event per raw event, in its partition and order, tagged or rejected, each with
//!   the raw interval it covers; and `dead-letters`, the original of every rejected one
//! - group `enrich`; any number of workers share the partitions
//! - tagger: made anew when the overlay of the gazetteer changes; every event says by its digest which one tagged it
//! - position: stored with the output, in one transaction
//! - on failure: an event that cannot be read, or on which the tagger panics, or that is too large once tagged, is rejected; anything else ends the worker,
//!   and a new one goes on at the stored position

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use chipwire_enrich::Tagger;
use chipwire_events::{Covers, ErrorClass, Event, Rejected, Timestamp, Topic};
use chipwire_log::{Limit, Positions, Record, Step, StoredRecord};
use rayon::{ThreadPool, prelude::*};

use super::{WAIT, dead_letter, max_event_bytes, unless_it_panics};
use crate::{
    fail_points::poison,
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

    let mut tagger = context.taggers.get()?;
    context.health.metrics.gazetteer(tagger.gazetteer().digest());

    // The last raw offset that an outcome covers, by partition: where the next link of the chain begins.
    let mut covered: BTreeMap<u32, i64> = BTreeMap::new();
    while !context.shutdown.requested() {
        // Between batches: all of one are tagged by one tagger.
        if let Some(change) = context.taggers.look(Instant::now()) {
            change.report(STAGE, &context.health);
            tagger = context.taggers.get()?;
        }
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
                    fail::fail_point!("before-enrich");
                    let outputs = outcomes(log, &tagger, settings.pool.as_deref(), &links)?;
                    fail::fail_point!("after-enrich");
                    dead_letters.inc_by((outputs.len() - links.len()) as u64);
                    let started = Instant::now();
                    fail::fail_point!("before-commit");
                    worker.commit(&outputs, &upto)?;
                    fail::fail_point!("after-commit");
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
pub(crate) fn outcomes(
    log: &Log,
    tagger: &Tagger,
    pool: Option<&ThreadPool>,
    links: &[(&StoredRecord, Covers)],
) -> Result<Vec<Record>, StageError> {
    let max_bytes = max_event_bytes(log);
    let outcome = |(stored, covers): &(&StoredRecord, Covers)| outcome(log, tagger, stored, *covers, max_bytes);
    let outcomes: Vec<Vec<Record>> = match pool {
        Some(pool) if links.len() >= WORTH_SHARING => {
            pool.install(|| links.par_iter().map(outcome).collect::<Result<_, _>>())?
        }
        _ => links.iter().map(outcome).collect::<Result<_, _>>()?,
    };
    Ok(outcomes.into_iter().flatten().collect())
}

fn outcome(
    log: &Log,
    tagger: &Tagger,
    stored: &StoredRecord,
    covers: Covers,
    max_bytes: usize,
) -> Result<Vec<Record>, StageError> {
    let tagged = tag(tagger, stored, max_bytes);
    let time = tagged.time;
    let records = tagged.encode(log, covers)?;
    let size_bytes = records.first().map_or(0, Record::size_bytes);
    if size_bytes <= max_bytes {
        return Ok(records);
    }
    // A text may have so many mentions that no event holds them.
    let reason = format!("tagged, it takes {size_bytes} bytes, more than the {max_bytes} that an event may have");
    reject(stored, time, ErrorClass::TooLarge, reason, max_bytes).encode(log, covers)
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

fn tag(tagger: &Tagger, stored: &StoredRecord, max_bytes: usize) -> Outcome {
    match wire::decode(stored) {
        Ok((envelope, Event::ArticleFetched(article))) => match unless_it_panics(|| {
            poison("panic-in-enrich", &article.title);
            tagger.enrich(article)
        }) {
            Ok(tagged) => Outcome { event: Event::ArticleTagged(tagged), time: envelope.time, dead_letter: None },
            Err(message) => {
                let reason = format!("the tagger panicked: {message}");
                reject(stored, envelope.time, ErrorClass::Panic, reason, max_bytes)
            }
        },
        Ok((envelope, _)) => {
            let message = format!("an event of type `{}` does not belong here", envelope.event_type);
            reject(stored, envelope.time, ErrorClass::Decode, message, max_bytes)
        }
        Err(error) => {
            let time = Timestamp::from_millisecond(stored.timestamp_ms).unwrap_or(Timestamp::UNIX_EPOCH);
            reject(stored, time, ErrorClass::Decode, chain(&error), max_bytes)
        }
    }
}

fn reject(stored: &StoredRecord, time: Timestamp, class: ErrorClass, reason: String, max_bytes: usize) -> Outcome {
    let letter = dead_letter(STAGE, Topic::ArticlesRaw, stored, class, reason.clone(), max_bytes);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::Engine;
    use chipwire_log::memory::MemoryLog;

    use super::*;
    use crate::{import, overlay::Taggers};

    #[test]
    fn a_text_with_more_mentions_than_an_event_holds_is_rejected() {
        let log = Log::new(Arc::new(MemoryLog::default()), "");
        log.ensure().unwrap();
        let line = format!(r#"{{"title":"One","text":"{}","url":"https://example.org/1"}}"#, "TSMC ".repeat(1_000));
        import::import(&log, line.as_bytes(), "test", Timestamp::UNIX_EPOCH, |_, _| {}, |_| {}).unwrap();
        let mut reader = log.backend().reader(&[log.name(Topic::ArticlesRaw)], &Positions::new()).unwrap();
        let batch = reader.next(LIMIT, WAIT).unwrap();
        let [stored] = batch.records.as_slice() else { panic!("{batch:?}") };
        let (tagger, covers) =
            (Taggers::default().get().unwrap(), Covers { partition: stored.record.partition, from: -1, to: 0 });
        let tried = |max_bytes| outcome(&log, &tagger, stored, covers, max_bytes).unwrap();

        let tagged = tried(1 << 20);
        assert_eq!(tagged.len(), 1);
        assert!(tagged[0].size_bytes() > 100_000);
        let letter = |records: &[Record]| match records {
            [rejected, letter] => {
                match (wire::decode_record(rejected).unwrap(), wire::decode_record(letter).unwrap().1) {
                    ((envelope, Event::ArticleRejected(_)), Event::EventRejected(letter)) => {
                        assert_eq!(envelope.covers, Some(covers));
                        letter
                    }
                    other => panic!("{other:?}"),
                }
            }
            other => panic!("{other:?}"),
        };
        let rejected = letter(&tried(50_000));
        assert_eq!(rejected.class, ErrorClass::TooLarge);
        let value = base64::engine::general_purpose::STANDARD.decode(&rejected.value_base64).unwrap();
        assert_eq!(Some(value), stored.record.value);
        // The record itself does not fit into an event: its place says where it is.
        let rejected = letter(&tried(6_000));
        assert_eq!((rejected.value_base64.as_str(), rejected.left_out, rejected.offset), ("", true, 0));
    }
}
