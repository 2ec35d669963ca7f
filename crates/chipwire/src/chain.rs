//! The chain of outcomes, as a consumer follows it: what was seen is dropped, and a partition in which an interval is missing
//! halts until the interval is enriched again. Both stages that read `articles.tagged` use it, the index and the alerts.
//!
//! The missing outcomes are appended at the end of the partition, behind the event that shows the gap, with the same ids and
//! the raw interval that they cover. So whoever finds a gap looks ahead for what fills it, takes that first, and goes on at the
//! event before which it halted; when it comes to the filling for the second time, that is dropped as seen.
//!
//! Only one may fill a gap. The writer `mend-PARTITION` is the lock: opening it fences every other, a transaction of the older
//! one has happened by then or never will, and what is still missing after a look at the end of the partition may be written.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chipwire_events::{Covers, Topic};
use chipwire_log::{Bounds, Error, Limit, Positions, StoredRecord};

use crate::{
    health::StageLabel,
    overlay::Taggers,
    runner::{self, Context, StageError},
    stages::enrich,
    wire::Log,
};

/// How long a partition rests before it is tried again to fill its gap: at first, and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A gap is filled in pieces of so many events, so that a large one needs no more memory than a small one.
const PIECE: usize = 2_000;

/// How long one read may wait, and how long nothing may come.
const WAIT: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(30);

/// Outcomes that are written in one transaction, and about how many bytes of raw articles they may be of.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 << 20;

/// What an event of `articles.tagged` is to a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// It comes next.
    New,
    /// Its raw interval was covered before.
    Seen,
    /// Its partition has halted: it is to be read again later, and the position stays before it.
    Held,
}

/// A raw interval that no event covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    /// Of `articles.raw`, and of `articles.tagged`, which has the same.
    partition: u32,
    /// The last raw offset that is covered.
    after: i64,
    /// The last that is missing.
    upto: i64,
    /// Where in `articles.tagged` the event stands that shows it.
    at: i64,
}

/// A partition that has halted.
struct Halted {
    gap: Gap,
    try_at: Instant,
    /// How long it rests when that fails.
    pause: Duration,
    why: String,
}

/// How far a consumer has followed the chain.
pub(crate) struct Chain {
    stage: &'static str,
    /// The last raw offset that was covered, by partition. A partition that is not there takes its first event as it comes.
    covered: BTreeMap<u32, i64>,
    halted: BTreeMap<u32, Halted>,
    piece: usize,
}

/// A gap of which a piece from its beginning, or all, was filled.
pub(crate) struct Mended {
    /// The partition of `articles.tagged`.
    pub(crate) partition: u32,
    /// Where reading goes on, after `records`.
    pub(crate) position: i64,
    /// What fills it, in order.
    pub(crate) records: Vec<StoredRecord>,
    /// The last raw offset that is covered then.
    upto: i64,
}

impl Chain {
    /// A chain that was followed up to `covered`.
    pub(crate) fn new(stage: &'static str, covered: BTreeMap<u32, i64>) -> Self {
        Self { stage, covered, halted: BTreeMap::new(), piece: PIECE }
    }

    /// The last raw offset that was covered, by partition.
    pub(crate) fn covered(&self) -> &BTreeMap<u32, i64> {
        &self.covered
    }

    /// Takes the next event, which `covers` a raw interval or none.
    pub(crate) fn take(&mut self, context: &Context, stored: &StoredRecord, covers: Option<Covers>) -> Link {
        if self.is_halted(stored.record.partition) {
            return Link::Held;
        }
        // What was tagged anew is no link of the chain.
        let Some(covers) = covers else { return Link::New };
        let last = self.covered.entry(covers.partition).or_insert(covers.from);
        if covers.to <= *last {
            context.health.metrics.duplicates.get_or_create(&StageLabel { stage: self.stage }).inc();
            return Link::Seen;
        }
        if covers.from > *last {
            let gap = Gap { partition: covers.partition, after: *last, upto: covers.from, at: stored.offset };
            self.halt(context, stored.record.partition, gap);
            return Link::Held;
        }
        *last = covers.to;
        Link::New
    }

    /// Whether events of this partition are held back.
    pub(crate) fn is_halted(&self, partition: u32) -> bool {
        self.halted.contains_key(&partition)
    }

    /// The offset before which this partition has halted.
    pub(crate) fn halted_at(&self, partition: u32) -> Option<i64> {
        self.halted.get(&partition).map(|halted| halted.gap.at)
    }

    /// Says how the stage is doing: not well while a partition halts.
    pub(crate) fn report(&self, context: &Context) {
        match self.trouble() {
            Some(why) => context.health.trouble(self.stage, why),
            None => context.health.well(self.stage),
        }
    }

    /// Why partitions halt; `None` if none does.
    pub(crate) fn trouble(&self) -> Option<String> {
        let one = |halted: &Halted| {
            let Gap { partition, after, upto, .. } = halted.gap;
            format!(
                "partition {partition} halts, as no event covers the raw events after offset {after} up to {upto}{}",
                halted.why
            )
        };
        let all: Vec<String> = self.halted.values().map(one).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Why a partition halts whose gap could not be filled.
    pub(crate) fn failure(&self) -> Option<String> {
        self.halted.values().any(|halted| !halted.why.is_empty()).then(|| self.trouble()).flatten()
    }

    fn halt(&mut self, context: &Context, partition: u32, gap: Gap) {
        tracing::error!(
            stage = self.stage,
            partition,
            after = gap.after,
            upto = gap.upto,
            at = gap.at,
            "gap in the chain: no event covers these raw events; the partition halts until they are enriched again"
        );
        context.health.metrics.gaps.get_or_create(&StageLabel { stage: self.stage }).inc();
        self.halted.insert(partition, Halted { gap, try_at: Instant::now(), pause: PAUSE, why: String::new() });
        self.count(context);
        self.report(context);
    }

    fn count(&self, context: &Context) {
        let label = StageLabel { stage: self.stage };
        let halted = i64::try_from(self.halted.len()).unwrap_or(i64::MAX);
        context.health.metrics.halted.get_or_create(&label).set(halted);
    }

    /// Fills the next gap whose turn it is, or a piece of it. The partition goes on when the caller has dealt with what is answered
    /// and says so with [`resume`](Self::resume).
    pub(crate) fn mend(&mut self, context: &Context) -> Option<Mended> {
        let now = Instant::now();
        let (&partition, halted) = self.halted.iter_mut().find(|(_, halted)| halted.try_at <= now)?;
        let gap = halted.gap;
        match fill(&context.log, &context.taggers, gap, self.piece) {
            Ok((records, upto)) => Some(Mended { partition, position: gap.at, records, upto }),
            Err(error) => {
                let error = runner::chain(&error);
                let retry_in_ms = halted.pause.as_millis() as u64;
                tracing::warn!(stage = self.stage, partition, retry_in_ms, "{error}");
                halted.try_at = now + halted.pause;
                halted.pause = (halted.pause * 2).min(LONGEST_PAUSE);
                halted.why = format!("; they could not be enriched again: {error}");
                None
            }
        }
    }

    /// What filled a piece of a gap was dealt with. True when that was all of it: then the partition is read again from where it
    /// halted.
    pub(crate) fn resume(&mut self, context: &Context, mended: &Mended) -> bool {
        let Some(halted) = self.halted.get_mut(&mended.partition) else { return false };
        let gap = halted.gap;
        self.covered.insert(gap.partition, mended.upto);
        if mended.upto < gap.upto {
            halted.gap.after = mended.upto;
            halted.pause = PAUSE;
            halted.why.clear();
            return false;
        }
        self.halted.remove(&mended.partition);
        tracing::warn!(stage = self.stage, partition = mended.partition, upto = gap.upto, "the gap was filled");
        self.count(context);
        self.report(context);
        true
    }

    /// These partitions are read from these positions now, which may have been somebody else's meanwhile.
    pub(crate) fn assign(&mut self, context: &Context, positions: &Positions) -> Result<(), StageError> {
        let log = &context.log;
        let bounds = log.backend().bounds(log.name(Topic::ArticlesTagged))?;
        let positions: BTreeMap<u32, i64> = log.positions_of(Topic::ArticlesTagged, positions).collect();
        for (partition, last) in covered_before(log, &positions, &bounds)? {
            // Whoever has filled a gap has come further than the events before the position say.
            let covered = self.covered.entry(partition).or_insert(last);
            *covered = last.max(*covered);
        }
        self.revoke(context, positions.into_keys());
        Ok(())
    }

    /// These partitions are not read any more, or from elsewhere.
    pub(crate) fn revoke(&mut self, context: &Context, partitions: impl IntoIterator<Item = u32>) {
        for partition in partitions {
            self.halted.remove(&partition);
        }
        self.count(context);
    }
}

/// The last raw offset that the events before `positions` cover, by partition. Not in it is what cannot be known, as the events
/// were removed.
fn covered_before(
    log: &Log,
    positions: &BTreeMap<u32, i64>,
    bounds: &[Bounds],
) -> Result<BTreeMap<u32, i64>, StageError> {
    let mut found = BTreeMap::new();
    let mut window = 64;
    let mut open = positions.clone();
    while !open.is_empty() {
        // Those that are not asked about have nothing to read.
        let mut from: Positions = (0..)
            .zip(bounds)
            .map(|(partition, bounds)| (log.partition(Topic::ArticlesTagged, partition), bounds.high))
            .collect();
        let low = |partition: u32| bounds.get(partition as usize).map_or(0, |bounds| bounds.low);
        let begins = |partition: u32, position: i64| low(partition).max(position.saturating_sub(window));
        for (&partition, &position) in &open {
            from.insert(log.partition(Topic::ArticlesTagged, partition), begins(partition, position));
        }
        read(log, Topic::ArticlesTagged, &from, &open, |stored| {
            if let Some(covers) = covers_of(stored) {
                let last = found.entry(stored.record.partition).or_insert(covers.to);
                *last = covers.to.max(*last);
            }
            true
        })?;
        open.retain(|partition, position| {
            let is_begin = begins(*partition, *position) == low(*partition);
            // Nothing was ever removed, and nothing is covered yet.
            if is_begin && low(*partition) == 0 {
                found.entry(*partition).or_insert(-1);
            }
            !is_begin && !found.contains_key(partition)
        });
        // Articles that were tagged anew may stand between.
        window *= 16;
    }
    Ok(found)
}

fn covers_of(stored: &StoredRecord) -> Option<Covers> {
    let header = stored.record.headers.iter().find(|(name, _)| name == "ce_covers");
    header.and_then(|(_, covers)| covers.parse().ok())
}

/// What fills `gap` from its beginning, in order, at most `piece` events, and the raw offset up to which that covers it; writes
/// what is missing.
fn fill(log: &Log, taggers: &Taggers, gap: Gap, piece: usize) -> Result<(Vec<StoredRecord>, i64), StageError> {
    let there = beginning(found(log, gap, gap.at, piece)?, gap);
    if let Some(upto) = end_of(&there) {
        return Ok((there, upto));
    }
    // From here on nobody else writes; what an earlier one has written is there.
    let mut writer = log.backend().writer(&format!("mend-{}", gap.partition))?;
    let there = found(log, gap, gap.at, piece)?;
    let behind = there.iter().filter_map(covers_of).map(|covers| covers.from).min();
    let there = beginning(there, gap);
    if let Some(upto) = end_of(&there) {
        return Ok((there, upto));
    }
    // Up to the first event that is there.
    let hole = Gap { upto: behind.unwrap_or(gap.upto), ..gap };
    let raw = raw(log, hole, piece)?;
    let bounds = log.backend().bounds(log.name(Topic::ArticlesRaw))?;
    let low = bounds.get(hole.partition as usize).map_or(0, |bounds| bounds.low);
    if low > hole.after + 1 {
        // Nobody can bring them back: to halt for ever would lose all that comes, too.
        tracing::error!(
            partition = hole.partition,
            after = hole.after,
            upto = hole.upto.min(low - 1),
            "raw events were removed from the log before they were enriched: they are lost"
        );
    }
    let mut last = hole.after;
    let links: Vec<(&StoredRecord, Covers)> = raw
        .iter()
        .map(|stored| {
            let covers = Covers { partition: hole.partition, from: last, to: stored.offset };
            last = stored.offset;
            (stored, covers)
        })
        .collect();
    if links.is_empty() {
        // `verify` goes on to report the gap.
        return Ok((Vec::new(), hole.upto));
    }
    let tagged = log.backend().bounds(log.name(Topic::ArticlesTagged))?;
    let end = tagged.get(gap.partition as usize).map_or(gap.at, |bounds| bounds.high);
    let tagger = taggers.latest()?;
    for links in batches(&links) {
        writer.append(&enrich::outcomes(log, &tagger, None, links)?)?;
    }
    let written = beginning(found(log, gap, end, piece)?, gap);
    match end_of(&written) {
        Some(upto) => Ok((written, upto)),
        None => Err(StageError::Gap(format!("what fills the gap after offset {} was not found again", gap.after))),
    }
}

/// Those of `records` that cover `gap` from its beginning without a hole.
fn beginning(records: Vec<StoredRecord>, gap: Gap) -> Vec<StoredRecord> {
    let mut last = gap.after;
    let follows = |stored: &StoredRecord| {
        let covers = covers_of(stored).filter(|covers| covers.from <= last);
        last = covers.map_or(last, |covers| covers.to);
        covers.is_some()
    };
    records.into_iter().take_while(follows).collect()
}

/// The raw offset up to which `records` cover; none if there are none.
fn end_of(records: &[StoredRecord]) -> Option<i64> {
    records.iter().filter_map(covers_of).map(|covers| covers.to).max()
}

/// `links` in pieces that fit a transaction.
fn batches<'a, 'b>(links: &'a [(&'b StoredRecord, Covers)]) -> Vec<&'a [(&'b StoredRecord, Covers)]> {
    let mut batches = Vec::new();
    let mut rest = links;
    while !rest.is_empty() {
        let mut size_bytes = 0;
        let fits = |(stored, _): &&(&StoredRecord, Covers)| {
            size_bytes += stored.record.size_bytes();
            size_bytes <= BATCH_BYTES
        };
        let count = rest.iter().take(BATCH).take_while(fits).count().max(1);
        let (batch, left) = rest.split_at(count.min(rest.len()));
        batches.push(batch);
        rest = left;
    }
    batches
}

/// The events from offset `from` on that cover a part of the gap, in order of what they cover, each once: the first `piece`.
fn found(log: &Log, gap: Gap, from: i64, piece: usize) -> Result<Vec<StoredRecord>, StageError> {
    let mut found = BTreeMap::new();
    each(log, Topic::ArticlesTagged, gap.partition, from..i64::MAX, |stored| {
        let inside =
            |covers: &Covers| covers.partition == gap.partition && covers.from >= gap.after && covers.to <= gap.upto;
        if let Some(covers) = covers_of(stored).filter(inside) {
            found.entry(covers.to).or_insert_with(|| stored.clone());
            if found.len() > piece {
                found.pop_last();
            }
        }
        true
    })?;
    Ok(found.into_values().collect())
}

/// The raw records of the gap that are still there: the first `piece`.
fn raw(log: &Log, gap: Gap, piece: usize) -> Result<Vec<StoredRecord>, StageError> {
    let mut records = Vec::new();
    each(log, Topic::ArticlesRaw, gap.partition, gap.after + 1..gap.upto + 1, |stored| {
        records.push(stored.clone());
        records.len() < piece
    })?;
    Ok(records)
}

/// Calls `visit` with the records of one partition within `offsets`, as far as they are there now, until it answers false.
fn each(
    log: &Log,
    topic: Topic,
    partition: u32,
    offsets: std::ops::Range<i64>,
    visit: impl FnMut(&StoredRecord) -> bool,
) -> Result<(), StageError> {
    let mut from = Positions::new();
    let mut ends = BTreeMap::new();
    for (number, bounds) in (0..).zip(log.backend().bounds(log.name(topic))?) {
        let begin = if number == partition { bounds.low.max(offsets.start) } else { bounds.high };
        if number == partition {
            ends.insert(number, offsets.end.min(bounds.high));
        }
        from.insert(log.partition(topic, number), begin.min(bounds.high));
    }
    read(log, topic, &from, &ends, visit)
}

/// Calls `visit` with every record from `from` up to `ends`, by partition, until it answers false.
fn read(
    log: &Log,
    topic: Topic,
    from: &Positions,
    ends: &BTreeMap<u32, i64>,
    mut visit: impl FnMut(&StoredRecord) -> bool,
) -> Result<(), StageError> {
    let mut positions: BTreeMap<u32, i64> = log.positions_of(topic, from).collect();
    let mut reader = log.backend().reader(&[log.name(topic)], from)?;
    let mut moved = Instant::now();
    let is_done = |positions: &BTreeMap<u32, i64>| {
        ends.iter().all(|(partition, end)| positions.get(partition).is_none_or(|position| position >= end))
    };
    while !is_done(&positions) {
        let batch = reader.next(Limit::default(), WAIT)?;
        for stored in &batch.records {
            let is_wanted = ends.get(&stored.record.partition).is_some_and(|end| stored.offset < *end);
            if is_wanted && !visit(stored) {
                return Ok(());
            }
        }
        // What is behind the last record, such as the mark of a transaction, is never read.
        if batch.at_end {
            return Ok(());
        }
        if !batch.positions.is_empty() {
            moved = Instant::now();
        }
        if moved.elapsed() > PATIENCE {
            let reason = format!("nothing came for {} s", PATIENCE.as_secs());
            return Err(Error::Unavailable { target: log.name(topic).to_string(), reason }.into());
        }
        positions.extend(log.positions_of(topic, &batch.positions));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
