//! INDEX: keeps the full-text index up to date with the tagged articles.
//!
//! - reads `articles.tagged`
//! - writes the index in the data directory, and `dead-letters`
//! - position: the payload of the index's own commits, written with the documents they cover
//! - on failure: an event that cannot be read, or that makes the index panic, becomes a dead letter; an event seen before is dropped; before a raw
//!   interval that no event covers the partition halts until it is enriched again (`chain.rs`); anything else ends the stage, and it goes on at the index's last commit

pub mod same_log;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chipwire_enrich::view;
use chipwire_events::{Envelope, ErrorClass, Event, EventId, Field, Markup, TaggedArticle, Timestamp, Topic};
use chipwire_index::{Checkpoint, Document, DocumentEntity, DocumentMention, Index, IndexWriter};
use chipwire_log::{Bounds, Error, Limit, Positions, Reader, StoredRecord};

use super::{WAIT, dead_letter, max_event_bytes, unless_it_panics};
use crate::{
    chain::{Chain, Link},
    dead_letters,
    fail_points::poison,
    generations::{Generation, Generations},
    health::StageLabel,
    runner::{self, Context, StageError},
    wire::{self, Log},
};

/// The stage's name.
pub const STAGE: &str = "index";

const LIMIT: Limit = Limit { records: 2_000, size_bytes: 8 << 20 };

/// How often it is looked, while reading on, whether the log is still the same.
const SAME_LOG_INTERVAL: Duration = Duration::from_secs(60);

/// What the stage is told.
#[derive(Clone)]
pub struct Settings {
    /// Where the index lies.
    pub generations: Arc<Generations>,
    /// Memory for documents that are not in a segment yet, in bytes, over all threads.
    pub memory_bytes: usize,
    /// Threads that build segments.
    pub threads: usize,
    /// The longest that a document waits for a commit while others keep coming, in milliseconds. At the end of the log the
    /// commit is at once, as far as `Pace` allows.
    pub commit_interval_ms: u64,
}

/// Runs until it is asked to stop.
pub fn run(context: &Context, settings: &Settings) -> Result<(), StageError> {
    let genesis = context.log.backend().genesis()?;
    while !context.shutdown.requested() {
        let generation = settings.generations.open(&genesis)?;
        let projection = Projection::open(context, settings, &generation.index)?;
        projection.follow(|| settings.generations.is_live(&generation))?;
    }
    Ok(())
}

/// Brings `new`, which nobody reads yet, up to the end of the log, and returns when it can take the place of the live index: it is
/// at the end, or has all that the live one has. Both move on meanwhile; what comes in the moment between this and the swap is
/// searchable when the index stage has found the new one.
pub fn rebuild(
    context: &Context,
    settings: &Settings,
    new: &Generation,
    mut progress: impl FnMut(u64),
) -> Result<(), StageError> {
    let mut applied = 0;
    while !context.shutdown.requested() {
        let end = context.log.end_of(Topic::ArticlesTagged)?;
        applied += catch_up(context, settings, &new.index, &end, |more| progress(applied + more))?;
        let checkpoint = new.index.checkpoint()?;
        let end: BTreeMap<u32, i64> =
            context.log.positions_of(Topic::ArticlesTagged, &context.log.end_of(Topic::ArticlesTagged)?).collect();
        // Of an index that cannot be read nothing can vanish, and of one of another log nothing is to stay.
        let live = settings.generations.live_checkpoint().ok().flatten();
        let live = live.filter(|live| live.genesis == checkpoint.genesis && live.prefix == checkpoint.prefix);
        if reaches(&checkpoint, &end) || live.is_none_or(|live| reaches(&checkpoint, &live.positions)) {
            break;
        }
    }
    Ok(())
}

/// Brings `index` up to `end`; answers how many events it took.
fn catch_up(
    context: &Context,
    settings: &Settings,
    index: &Index,
    end: &Positions,
    mut progress: impl FnMut(u64),
) -> Result<u64, StageError> {
    let end = context.log.positions_of(Topic::ArticlesTagged, end).collect();
    let mut projection = Projection::open(context, settings, index)?;
    while !reaches(&projection.checkpoint, &end) && !context.shutdown.requested() {
        projection.step(WAIT)?;
        if let Some(why) = projection.chain.failure() {
            return Err(StageError::Gap(why));
        }
        progress(projection.applied);
    }
    projection.finish()
}

/// Whether `checkpoint` is at these positions, or past them.
fn reaches(checkpoint: &Checkpoint, positions: &BTreeMap<u32, i64>) -> bool {
    positions.iter().all(|(partition, position)| checkpoint.positions.get(partition).is_some_and(|at| at >= position))
}

/// The index on its way through the log.
struct Projection<'a> {
    context: &'a Context,
    index: &'a Index,
    writer: IndexWriter,
    reader: Box<dyn Reader>,
    checkpoint: Checkpoint,
    chain: Chain,
    dead_letters: Option<DeadLetters>,
    /// First seen of every document that is not committed yet, and the moment of the oldest such event.
    waiting: Vec<Timestamp>,
    oldest: Option<Instant>,
    pace: Pace,
    applied: u64,
}

/// Where its dead letters go, opened at the first: there are hardly ever any.
struct DeadLetters {
    writer: Box<dyn chipwire_log::Writer>,
    /// Those that are there: an event is read again after an end between its letter and its commit, and by a rebuild.
    written: HashSet<EventId>,
}

impl DeadLetters {
    fn open(log: &Log) -> Result<Self, StageError> {
        // Opened first: what an older writer has not written by now it never will.
        let writer = log.backend().writer("index-dead-letters")?;
        let entries = dead_letters::all(log)?.into_iter().filter(|entry| entry.letter.stage == STAGE);
        Ok(Self { writer, written: entries.map(|entry| entry.id).collect() })
    }
}

/// When to commit. A commit costs about as much as hundreds of documents and makes segments of its own: worth it at once for
/// the few that come in now and then, and not for each batch of a long stream.
struct Pace {
    interval: Duration,
    next: Instant,
}

impl Pace {
    /// A stream that stops for this long is taken to have ended.
    const QUIET: Duration = Duration::from_millis(200);
    /// More than this waiting is a stream.
    const STREAM: usize = 200;
    /// Commits of a few documents take at most about this share of the time ...
    const SHARE: u32 = 6;
    /// ... and none waits longer than this for the sake of that.
    const LONGEST: Duration = Duration::from_millis(600);

    fn new(interval: Duration) -> Self {
        Self { interval, next: Instant::now() }
    }

    fn committed(&mut self, took: Duration) {
        self.next = Instant::now() + (took * Self::SHARE).min(Self::LONGEST);
    }

    /// How long to wait for more before looking again.
    fn wait(&self, waiting: usize) -> Duration {
        if waiting >= Self::STREAM { Self::QUIET } else { self.next.saturating_duration_since(Instant::now()) }
    }

    /// Whether `waiting` documents, the oldest of which came at `oldest`, are to be committed after a read that came to the
    /// end of the log or not, and brought something or not.
    fn is_due(&self, waiting: usize, oldest: Instant, at_end: bool, is_empty: bool) -> bool {
        let few = waiting < Self::STREAM && Instant::now() >= self.next;
        oldest.elapsed() >= self.interval || (at_end && (few || is_empty))
    }
}

impl<'a> Projection<'a> {
    fn open(context: &'a Context, settings: &'a Settings, index: &'a Index) -> Result<Self, StageError> {
        let log = &context.log;
        let mut checkpoint = index.checkpoint()?;
        check_log(log, index, &checkpoint)?;
        checkpoint.prefix = Some(log.prefix().to_owned());
        let bounds = log.backend().bounds(log.name(Topic::ArticlesTagged))?;
        begin(&mut checkpoint, &bounds);
        let reader = reader(log, &checkpoint)?;
        let writer = index.writer(settings.memory_bytes, settings.threads)?;
        Ok(Self {
            context,
            index,
            writer,
            reader,
            chain: Chain::new(STAGE, checkpoint.covered.clone()),
            checkpoint,
            dead_letters: None,
            waiting: Vec::new(),
            oldest: None,
            pace: Pace::new(Duration::from_millis(settings.commit_interval_ms)),
            applied: 0,
        })
    }

    fn follow(mut self, is_live: impl Fn() -> bool) -> Result<(), StageError> {
        let mut look_at = Instant::now() + SAME_LOG_INTERVAL;
        while !self.context.shutdown.requested() && is_live() {
            if Instant::now() >= look_at {
                check_log(&self.context.log, self.index, &self.checkpoint)?;
                look_at = Instant::now() + SAME_LOG_INTERVAL;
            }
            self.step(WAIT)?;
            self.chain.report(self.context);
        }
        self.finish().map(|_| ())
    }

    /// Answers how many events were taken.
    fn finish(mut self) -> Result<u64, StageError> {
        self.commit()?;
        self.writer.close()?;
        Ok(self.applied)
    }

    fn step(&mut self, wait: Duration) -> Result<(), StageError> {
        let label = StageLabel { stage: STAGE };
        let wait = if self.oldest.is_some() { wait.min(self.pace.wait(self.waiting.len())) } else { wait };
        let batch = match self.reader.next(LIMIT, wait) {
            Err(error @ Error::OutOfRange { .. }) => {
                // Says it in words that help, if that is what has happened.
                check_log(&self.context.log, self.index, &self.checkpoint)?;
                return Err(error.into());
            }
            read => read?,
        };
        let mut applied = 0;
        for stored in &batch.records {
            applied += u64::from(self.apply(stored)?);
        }
        self.context.health.metrics.events.get_or_create(&label).inc_by(applied);
        for (partition, position) in self.context.log.positions_of(Topic::ArticlesTagged, &batch.positions) {
            let position = self.chain.halted_at(partition).unwrap_or(position);
            self.checkpoint.positions.insert(partition, position);
        }
        self.mend()?;
        let due = self
            .oldest
            .is_some_and(|oldest| self.pace.is_due(self.waiting.len(), oldest, batch.at_end, batch.records.is_empty()));
        if due {
            self.commit()?;
        }
        Ok(())
    }

    /// False when the event was seen before, became a dead letter, or is held back.
    fn apply(&mut self, stored: &StoredRecord) -> Result<bool, StageError> {
        if self.chain.is_halted(stored.record.partition) {
            return Ok(false);
        }
        let decoded = wire::decode(stored);
        let covers = decoded.as_ref().ok().and_then(|(envelope, _)| envelope.covers);
        let link = self.chain.take(self.context, stored, covers);
        if link == Link::Held {
            return Ok(false);
        }
        self.oldest.get_or_insert_with(Instant::now);
        self.applied += 1;
        self.checkpoint.last.insert(stored.record.partition, same_log::last_event(stored));
        if link == Link::Seen { Ok(false) } else { self.put(stored, decoded) }
    }

    /// False when the event became a dead letter.
    fn put(
        &mut self,
        stored: &StoredRecord,
        decoded: Result<(Envelope, Event), chipwire_events::Error>,
    ) -> Result<bool, StageError> {
        let (envelope, event) = match decoded {
            Ok(decoded) => decoded,
            Err(error) => {
                self.reject(stored, ErrorClass::Decode, runner::chain(&error))?;
                return Ok(false);
            }
        };
        match event {
            Event::ArticleTagged(tagged) => {
                let first_seen = tagged.article.first_seen;
                let written = match unless_it_panics(|| {
                    poison("panic-in-index", &tagged.article.title);
                    self.writer.upsert(&document(tagged))
                }) {
                    // False for an older revision than the index has, as that of an event that was put back.
                    Ok(written) => written?,
                    Err(message) => {
                        self.reject(stored, ErrorClass::Panic, format!("the index panicked: {message}"))?;
                        return Ok(false);
                    }
                };
                // What was tagged anew was searchable before.
                self.waiting.extend((written && envelope.covers.is_some()).then_some(first_seen));
            }
            Event::ArticleRejected(_) => {}
            _ => {
                let message = format!("an event of type `{}` does not belong here", envelope.event_type);
                self.reject(stored, ErrorClass::Decode, message)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts in what fills a gap, and reads on before the event that showed it. Both are in the next commit, or neither.
    fn mend(&mut self) -> Result<(), StageError> {
        let Some(mended) = self.chain.mend(self.context) else { return Ok(()) };
        self.oldest.get_or_insert_with(Instant::now);
        for stored in &mended.records {
            self.put(stored, wire::decode(stored))?;
        }
        if self.chain.resume(self.context, &mended) {
            self.reader = reader(&self.context.log, &self.checkpoint)?;
        }
        Ok(())
    }

    fn reject(&mut self, stored: &StoredRecord, class: ErrorClass, message: String) -> Result<(), StageError> {
        tracing::warn!(stage = STAGE, partition = stored.record.partition, offset = stored.offset, "{message}");
        let log = &self.context.log;
        let letter = dead_letter(STAGE, Topic::ArticlesTagged, stored, class, message, max_event_bytes(log));
        let letters = match &mut self.dead_letters {
            Some(letters) => letters,
            none => none.insert(DeadLetters::open(log)?),
        };
        let id = letter.event_id();
        if letters.written.contains(&id) {
            return Ok(());
        }
        let time = Timestamp::from_millisecond(stored.timestamp_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        letters.writer.append(&[log.encode(&Event::EventRejected(letter), time, None)?])?;
        letters.written.insert(id);
        self.context.health.metrics.dead_letters.get_or_create(&StageLabel { stage: STAGE }).inc();
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StageError> {
        if self.oldest.take().is_none() {
            return Ok(());
        }
        let started = Instant::now();
        self.checkpoint.covered.clone_from(self.chain.covered());
        self.writer.commit(&self.checkpoint)?;
        let took = started.elapsed();
        self.pace.committed(took);
        let metrics = &self.context.health.metrics;
        metrics.commit_seconds.get_or_create(&StageLabel { stage: STAGE }).observe(took.as_secs_f64());
        let now = (self.context.now)();
        for first_seen in self.waiting.drain(..) {
            metrics.searchable_seconds.observe(first_seen.duration_until(now).as_secs_f64().max(0.0));
        }
        metrics.index_documents.set(self.index.searcher().len());
        Ok(())
    }
}

/// Fails when `index` has been made from another log.
fn check_log(log: &Log, index: &Index, checkpoint: &Checkpoint) -> Result<(), StageError> {
    match same_log::difference(log, checkpoint)? {
        None => Ok(()),
        Some(what) => Err(StageError::OtherLog { path: index.path().to_owned(), what }),
    }
}

/// Lets `checkpoint` begin where the log does: a partition of which nothing was read yet at the oldest event that is kept, and
/// its chain there too. Only where nothing was removed the first event must cover the first raw one.
fn begin(checkpoint: &mut Checkpoint, bounds: &[Bounds]) {
    for (partition, bounds) in (0..).zip(bounds) {
        checkpoint.positions.entry(partition).or_insert(bounds.low);
        if bounds.low == 0 {
            checkpoint.covered.entry(partition).or_insert(-1);
        }
    }
}

/// Reads on from `checkpoint`.
fn reader(log: &Log, checkpoint: &Checkpoint) -> chipwire_log::Result<Box<dyn Reader>> {
    let position = |(partition, position): (&u32, &i64)| (log.partition(Topic::ArticlesTagged, *partition), *position);
    let positions: Positions = checkpoint.positions.iter().map(position).collect();
    log.backend().reader(&[log.name(Topic::ArticlesTagged)], &positions)
}

/// The document of a tagged article: its plain text, and the mentions where they stand in it.
pub fn document(tagged: TaggedArticle) -> Document {
    let TaggedArticle { article, mentions, entities, .. } = tagged;
    let title = view::plain(&article.title, Markup::Plain);
    let body = view::plain(&article.body, article.markup);
    let mentions = mentions
        .into_iter()
        .filter_map(|mention| {
            let in_title = mention.field == Field::Title;
            let view = if in_title { &title } else { &body };
            let range = view.from_raw(mention.start..mention.end)?;
            Some(DocumentMention {
                in_title,
                start: range.start,
                end: range.end,
                kind: mention.kind,
                entity: mention.entity,
            })
        })
        .collect();
    let entities = entities
        .into_iter()
        .map(|entity| DocumentEntity {
            kind: entity.kind,
            entity: entity.entity,
            name: entity.name,
            count: entity.count,
            score: entity.score,
        })
        .collect();
    Document {
        id: article.id.to_string(),
        revision: article.revision,
        published: article.time(),
        title: title.text().to_owned(),
        body: body.text().to_owned(),
        url: article.url,
        source: article.source,
        feed: article.feed.to_string(),
        authors: article.authors,
        language: article.language,
        first_seen: article.first_seen,
        entities,
        mentions,
    }
}

/// How far the index is behind the end of the log, in offsets.
pub fn lag(log: &Log, checkpoint: &Checkpoint) -> chipwire_log::Result<u64> {
    let bounds = log.backend().bounds(log.name(Topic::ArticlesTagged))?;
    let lag = (0..).zip(bounds).map(|(partition, bounds)| {
        // What retention removed is not waited for.
        let position = checkpoint.positions.get(&partition).copied().unwrap_or(0).max(bounds.low);
        bounds.high.saturating_sub(position).max(0).unsigned_abs()
    });
    Ok(lag.sum())
}

#[cfg(test)]
mod tests;
