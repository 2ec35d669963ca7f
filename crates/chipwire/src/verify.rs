//! Looks from outside whether anything was lost or doubled: every raw event has one outcome, every tagged article its document,
//! every alert its article.
//!
//! What is read first bounds what is expected of what is read later: positions and documents before the events that led to
//! them, tagged articles before raw ones. So nothing that a running daemon writes meanwhile looks like a fault, and what it
//! has not come to yet is counted as on its way.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
    time::Duration,
};

use chipwire_events::{ArticleId, Covers, Envelope, Event, EventId, Topic, partition_of};
use chipwire_index::Index;
use chipwire_log::{Limit, Positions, StoredRecord};
use serde::Serialize;

use crate::{
    runner::{StageError, chain},
    stages::{
        deliver, enrich,
        index::{self, same_log},
    },
    wire::{self, Log},
};

/// Problems of one kind that are kept; the others are counted.
const KEPT: usize = 100;

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No event covers a raw interval between two that are covered.
    Gap,
    /// Something is there twice.
    Duplicate,
    /// A raw event that was passed has no outcome.
    RawWithoutOutcome,
    /// An outcome is of no raw event.
    OutcomeWithoutRaw,
    /// A rejected event has no dead letter.
    RejectedWithoutDeadLetter,
    /// An article that the index has passed is not in it, or in an older revision.
    TaggedWithoutDocument,
    /// A document in the index is of no tagged article.
    DocumentWithoutEvent,
    /// An alert is of no tagged article.
    AlertWithoutArticle,
    /// An event has another id than what it says gives.
    WrongId,
    /// An event cannot be read.
    Unreadable,
    /// The index is of another log, or of this one before it went back.
    ForeignIndex,
}

/// In words, to follow a number.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Gap => "gaps: no event covers the raw events between two others",
            Kind::Duplicate => "duplicates",
            Kind::RawWithoutOutcome => "raw events without an outcome",
            Kind::OutcomeWithoutRaw => "outcomes without a raw event",
            Kind::RejectedWithoutDeadLetter => "rejected events without a dead letter",
            Kind::TaggedWithoutDocument => "tagged articles without their document",
            Kind::DocumentWithoutEvent => "documents without an event",
            Kind::AlertWithoutArticle => "alerts without an article",
            Kind::WrongId => "events whose id is not that of what they say",
            Kind::Unreadable => "events that cannot be read",
            Kind::ForeignIndex => "an index of another log",
        })
    }
}

/// A problem, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Of what kind.
    pub kind: Kind,
    /// Topic, partition and offset, or the id of a document.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether everything fits.
    pub ok: bool,
    /// Raw events.
    pub raw: u64,
    /// Raw events that are tagged.
    pub tagged: u64,
    /// Articles that were tagged anew, as events that cover no raw one.
    pub retagged: u64,
    /// Raw events that were rejected.
    pub rejected: u64,
    /// Raw events that wait to be tagged.
    pub raw_on_their_way: u64,
    /// Articles, whatever their revisions.
    pub articles: u64,
    /// Documents in the index; none if there is no index here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documents: Option<u64>,
    /// Tagged and rejected events that the index could not take in, and has made dead letters of.
    pub rejected_by_index: u64,
    /// Tagged and rejected events that wait to be indexed.
    pub tagged_on_their_way: u64,
    /// Alerts.
    pub alerts: u64,
    /// Dead letters by their class.
    pub dead_letters: BTreeMap<&'static str, u64>,
    /// How many problems of each kind there are.
    pub counts: BTreeMap<Kind, u64>,
    /// The first problems of each kind.
    pub problems: Vec<Problem>,
}

impl Report {
    fn add(&mut self, kind: Kind, place: impl fmt::Display, what: impl Into<String>) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= KEPT as u64 {
            self.problems.push(Problem { kind, place: place.to_string(), what: what.into() });
        }
    }
}

/// What is known of one article.
#[derive(Default)]
struct Known {
    raw: Vec<u32>,
    tagged: Vec<u32>,
    /// Revisions that wait to be tagged.
    coming: Vec<u32>,
    /// The revision that its document must have at least, and where that stands.
    due: Option<(u32, Place)>,
}

#[derive(Clone, Copy)]
struct Place {
    topic: Topic,
    partition: u32,
    offset: i64,
}

impl Place {
    fn of(topic: Topic, stored: &StoredRecord) -> Self {
        Self { topic, partition: stored.record.partition, offset: stored.offset }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} offset {}", self.topic.name(), self.partition, self.offset)
    }
}

/// Walks through `log` and `index`. `progress` is told how many events were read so far.
pub fn verify(log: &Log, index: Option<&Index>, progress: impl FnMut(u64)) -> Result<Report, StageError> {
    let mut walk = Walk {
        log,
        report: Report::default(),
        articles: HashMap::new(),
        outcomes: HashMap::new(),
        rejected: HashSet::new(),
        unindexed: HashSet::new(),
        undelivered: HashSet::new(),
        chains: HashMap::new(),
        begins: HashMap::new(),
        progress,
        read: 0,
    };
    // Where retention has removed older events, what is left of others names what is no longer there.
    let from_start = |topic: Topic| -> Result<Vec<bool>, StageError> {
        Ok(log.backend().bounds(log.name(topic))?.iter().map(|bounds| bounds.low == 0).collect())
    };
    let (tagged_whole, letters_whole) =
        (from_start(Topic::ArticlesTagged)?, from_start(Topic::DeadLetters)?.into_iter().all(|whole| whole));
    let is_whole = |article: &ArticleId| {
        let partition = partition_of(article.as_str(), Topic::ArticlesTagged.partitions());
        tagged_whole.get(partition as usize).copied().unwrap_or(true)
    };
    let passed = log.backend().committed(enrich::STAGE, &[log.name(Topic::ArticlesRaw)])?;
    let checkpoint = walk.documents(index)?;
    // A stage writes a dead letter before it passes the event, or with it.
    walk.accounted_for()?;
    let alerts = walk.alerts()?;
    let letters_wanted = walk.tagged(checkpoint.as_ref())?;
    walk.dead_letters(if letters_whole { letters_wanted } else { HashMap::new() })?;
    walk.raw(&passed)?;
    let mut report = walk.report;
    for (place, article, revision) in alerts {
        // In a log that was filled from another, alerts may be there before their articles are tagged again.
        let has = |known: &Known| known.tagged.contains(&revision) || known.coming.contains(&revision);
        if is_whole(&article) && !walk.articles.get(&article).is_some_and(has) {
            report.add(Kind::AlertWithoutArticle, place, format!("article {article} revision {revision} is not there"));
        }
    }
    report.articles = walk.articles.values().filter(|known| !known.tagged.is_empty()).count() as u64;
    if let Some(Indexed { documents, .. }) = &checkpoint {
        for (id, revision) in documents {
            if is_whole(id) && !walk.articles.get(id).is_some_and(|known| known.tagged.contains(revision)) {
                report.add(Kind::DocumentWithoutEvent, id, format!("no event has its revision {revision}"));
            }
        }
        for (id, known) in &walk.articles {
            let Some((due, place)) = known.due else { continue };
            match documents.get(id) {
                Some(revision) if *revision >= due => {}
                Some(revision) => {
                    let what = format!("the document of article {id} has revision {revision}, not {due}");
                    report.add(Kind::TaggedWithoutDocument, place, what);
                }
                None => report.add(Kind::TaggedWithoutDocument, place, format!("article {id} is not in the index")),
            }
        }
    }
    report.problems.sort_by(|a, b| (a.kind, &a.place).cmp(&(b.kind, &b.place)));
    report.ok = report.counts.is_empty();
    Ok(report)
}

/// What the index holds.
struct Indexed {
    /// Where it has come to, by partition of `articles.tagged`.
    positions: BTreeMap<u32, i64>,
    documents: HashMap<ArticleId, u32>,
}

/// How far the outcomes of a partition cover its raw events.
struct Chain {
    last: i64,
    /// What lies before that and was not covered, with the places of the events that show it.
    gaps: Vec<(i64, i64, Place)>,
}

impl Chain {
    /// False when `covers` is of no gap.
    fn fill(&mut self, covers: Covers) -> bool {
        let is_of = |(from, to, _): &(i64, i64, Place)| *from <= covers.from && covers.to <= *to;
        let Some(at) = self.gaps.iter().position(is_of) else { return false };
        let (from, to, place) = self.gaps.swap_remove(at);
        let rest = [(from, covers.from, place), (covers.to, to, place)];
        self.gaps.extend(rest.into_iter().filter(|(from, to, _)| from < to));
        true
    }
}

struct Walk<'a, P> {
    log: &'a Log,
    report: Report,
    articles: HashMap<ArticleId, Known>,
    /// The raw offsets of all outcomes, by partition.
    outcomes: HashMap<u32, BTreeSet<i64>>,
    /// Those of them that are rejections: what was put back is there once more.
    rejected: HashSet<(u32, i64)>,
    /// Partitions and offsets of tagged events that the index has made dead letters of.
    unindexed: HashSet<(u32, i64)>,
    /// Those of alerts that nobody could deliver, and that have dead letters.
    undelivered: HashSet<(u32, i64)>,
    /// By partition.
    chains: HashMap<u32, Chain>,
    /// Where the chain begins, by partition: before that, retention has removed the outcomes.
    begins: HashMap<u32, i64>,
    progress: P,
    read: u64,
}

impl<P: FnMut(u64)> Walk<'_, P> {
    /// Calls `visit` with every record of `topic` that is there now, in the order of its partition.
    fn each(&mut self, topic: Topic, mut visit: impl FnMut(&mut Self, Place, &StoredRecord)) -> Result<(), StageError> {
        let end = self.log.end_of(topic)?;
        let from: Positions = (0..)
            .zip(self.log.backend().bounds(self.log.name(topic))?)
            .map(|(partition, bounds)| (self.log.partition(topic, partition), bounds.low))
            .collect();
        let mut positions = from.clone();
        let mut reader = self.log.backend().reader(&[self.log.name(topic)], &from)?;
        while end.iter().any(|(id, end)| positions.get(id).is_some_and(|position| position < end)) {
            let batch = reader.next(Limit::default(), Duration::from_millis(200))?;
            for stored in &batch.records {
                if end.get(&stored.partition_id()).is_some_and(|end| stored.offset < *end) {
                    self.read += 1;
                    visit(self, Place::of(topic, stored), stored);
                }
            }
            (self.progress)(self.read);
            positions.extend(batch.positions);
            // What is behind the last record, such as the mark of a transaction, is never read.
            if batch.at_end {
                break;
            }
        }
        Ok(())
    }

    fn documents(&mut self, index: Option<&Index>) -> Result<Option<Indexed>, StageError> {
        let Some(index) = index else { return Ok(None) };
        let checkpoint = index.checkpoint()?;
        let genesis = self.log.backend().genesis()?;
        if checkpoint.genesis != genesis && !checkpoint.positions.is_empty() {
            let what = format!("it belongs to log {}, this is log {genesis}: rebuild it", checkpoint.genesis);
            self.report.add(Kind::ForeignIndex, index.path().display(), what);
            return Ok(None);
        }
        if let Some(what) = same_log::difference(self.log, &checkpoint)? {
            self.report.add(Kind::ForeignIndex, index.path().display(), format!("{what} rebuild it"));
            return Ok(None);
        }
        // What was committed since is in the log before it is in the index.
        index.reload()?;
        let mut documents = HashMap::new();
        index.searcher().each_document(|document| {
            if documents.insert(ArticleId::from_string(document.id.clone()), document.revision).is_some() {
                self.report.add(Kind::Duplicate, &document.id, "the index has two documents of this article");
            }
            Ok::<(), StageError>(())
        })?;
        self.report.documents = Some(documents.len() as u64);
        Ok(Some(Indexed { positions: checkpoint.positions, documents }))
    }

    /// Notes what stages that write no outcome of their own have made dead letters of.
    fn accounted_for(&mut self) -> Result<(), StageError> {
        self.each(Topic::DeadLetters, |walk, _, stored| {
            let Ok((_, Event::EventRejected(letter))) = wire::decode(stored) else { return };
            let place = (letter.partition, letter.offset);
            match letter.stage.as_str() {
                index::STAGE if letter.topic == Topic::ArticlesTagged.name() => walk.unindexed.insert(place),
                deliver::STAGE if letter.topic == Topic::Alerts.name() => walk.undelivered.insert(place),
                _ => false,
            };
        })
    }

    /// The event of a record, with its id compared.
    fn decode(&mut self, place: Place, stored: &StoredRecord) -> Result<(Envelope, Event), chipwire_events::Error> {
        let (envelope, event) = wire::decode(stored)?;
        if let Some(id) = event.id().filter(|id| *id != envelope.id) {
            self.report.add(
                Kind::WrongId,
                place,
                format!("it has the id {}, and what it says gives {id}", envelope.id),
            );
        }
        Ok((envelope, event))
    }

    /// Articles and revisions that alerts are of.
    fn alerts(&mut self) -> Result<Vec<(Place, ArticleId, u32)>, StageError> {
        let mut alerts = Vec::new();
        let mut seen = BTreeSet::new();
        self.each(Topic::Alerts, |walk, place, stored| match walk.decode(place, stored) {
            Ok((_, Event::AlertRaised(alert))) => {
                walk.report.alerts += 1;
                if !seen.insert(alert.id.clone()) {
                    walk.report.add(Kind::Duplicate, place, format!("alert {} was raised before", alert.id));
                }
                alerts.push((place, alert.article, alert.revision));
            }
            _ if walk.undelivered.contains(&(place.partition, place.offset)) => {}
            other => walk.unreadable(place, other.err()),
        })?;
        Ok(alerts)
    }

    /// The dead letters that rejected events name.
    fn tagged(&mut self, indexed: Option<&Indexed>) -> Result<HashMap<EventId, Place>, StageError> {
        let mut letters = HashMap::new();
        let bounds = self.log.backend().bounds(self.log.name(Topic::ArticlesTagged))?;
        let from_start = |partition: u32| bounds.get(partition as usize).is_none_or(|bounds| bounds.low == 0);
        self.each(Topic::ArticlesTagged, |walk, place, stored| {
            let waits = indexed
                .is_some_and(|indexed| place.offset >= indexed.positions.get(&place.partition).copied().unwrap_or(0));
            walk.report.tagged_on_their_way += u64::from(waits);
            let is_unindexed = walk.unindexed.contains(&(place.partition, place.offset));
            walk.report.rejected_by_index += u64::from(is_unindexed);
            let (envelope, event) = match walk.decode(place, stored) {
                Ok(decoded) => decoded,
                // It is accounted for.
                Err(_) if is_unindexed => return,
                Err(error) => return walk.unreadable(place, Some(error)),
            };
            if let Some(covers) = envelope.covers {
                walk.extend_chain(place, covers, from_start(place.partition));
            }
            match event {
                Event::ArticleTagged(tagged) => {
                    let is_outcome = envelope.covers.is_some();
                    *(if is_outcome { &mut walk.report.tagged } else { &mut walk.report.retagged }) += 1;
                    let (id, revision) = (tagged.article.id, tagged.article.revision);
                    let known = walk.articles.entry(id.clone()).or_default();
                    let is_double = is_outcome && known.tagged.contains(&revision);
                    known.tagged.push(revision);
                    if indexed.is_some() && !waits && !is_unindexed && known.due.is_none_or(|(due, _)| due <= revision)
                    {
                        known.due = Some((revision, place));
                    }
                    if is_double {
                        walk.report.add(Kind::Duplicate, place, format!("article {id} revision {revision} again"));
                    }
                }
                Event::ArticleRejected(rejected) => {
                    walk.report.rejected += 1;
                    walk.rejected.extend(envelope.covers.map(|covers| (covers.partition, covers.to)));
                    letters.insert(rejected.dead_letter, place);
                }
                _ if is_unindexed => {}
                _ => walk.unreadable(place, None),
            }
        })?;
        self.gaps();
        Ok(letters)
    }

    fn extend_chain(&mut self, place: Place, covers: Covers, from_start: bool) {
        let is_new = self.outcomes.entry(covers.partition).or_default().insert(covers.to);
        // Where older events were removed, the chain begins with the first that is left.
        let begin = if from_start { -1 } else { covers.from };
        self.begins.entry(covers.partition).or_insert(begin);
        let chain = self.chains.entry(covers.partition).or_insert(Chain { last: begin, gaps: Vec::new() });
        if !is_new || (covers.to <= chain.last && !chain.fill(covers)) {
            let what = format!("the raw events up to offset {} were covered before", covers.to);
            self.report.add(Kind::Duplicate, place, what);
            return;
        }
        if covers.to <= chain.last {
            return;
        }
        if covers.from > chain.last {
            // It may be filled by what comes later.
            chain.gaps.push((chain.last, covers.from, place));
        } else if covers.from < chain.last {
            let what = format!(
                "it covers what is behind raw offset {}, the one before it ends at {}",
                covers.from, chain.last
            );
            self.report.add(Kind::Gap, place, what);
        }
        chain.last = covers.to;
    }

    /// Reports the gaps that nothing has filled.
    fn gaps(&mut self) {
        for (_, chain) in std::mem::take(&mut self.chains) {
            for (from, to, place) in chain.gaps {
                let what = format!("it covers what is behind raw offset {to}, the one before it ends at {from}");
                self.report.add(Kind::Gap, place, what);
            }
        }
    }

    fn dead_letters(&mut self, mut wanted: HashMap<EventId, Place>) -> Result<(), StageError> {
        self.each(Topic::DeadLetters, |walk, place, stored| match walk.decode(place, stored) {
            Ok((envelope, Event::EventRejected(letter))) => {
                *walk.report.dead_letters.entry(letter.class.as_str()).or_default() += 1;
                wanted.remove(&envelope.id);
            }
            Ok((_, Event::EventReplayed(_))) => {}
            other => walk.unreadable(place, other.err()),
        })?;
        for (id, place) in wanted {
            self.report.add(Kind::RejectedWithoutDeadLetter, place, format!("dead letter {id} is not there"));
        }
        Ok(())
    }

    /// `passed` is how far the enrich stage had come when all this began.
    fn raw(&mut self, passed: &Positions) -> Result<(), StageError> {
        self.each(Topic::ArticlesRaw, |walk, place, stored| {
            walk.report.raw += 1;
            let has_outcome =
                walk.outcomes.get_mut(&place.partition).is_some_and(|offsets| offsets.remove(&place.offset));
            let position = passed.get(&stored.partition_id()).copied().unwrap_or(0);
            let is_before = walk.begins.get(&place.partition).is_some_and(|begin| place.offset <= *begin);
            if !has_outcome && is_before {
                return;
            }
            if !has_outcome && place.offset < position {
                walk.report.add(Kind::RawWithoutOutcome, place, "the enrich stage has passed it");
            } else if !has_outcome {
                walk.report.raw_on_their_way += 1;
            }
            if walk.rejected.contains(&(place.partition, place.offset)) {
                return;
            }
            if let Ok((_, Event::ArticleFetched(article))) = walk.decode(place, stored) {
                let known = walk.articles.entry(article.id.clone()).or_default();
                if known.raw.contains(&article.revision) {
                    let what = format!("article {} revision {} again", article.id, article.revision);
                    walk.report.add(Kind::Duplicate, place, what);
                }
                known.raw.push(article.revision);
                if !has_outcome {
                    known.coming.push(article.revision);
                }
            }
        })?;
        let low = self.log.backend().bounds(self.log.name(Topic::ArticlesRaw))?;
        for (partition, offsets) in std::mem::take(&mut self.outcomes) {
            let low = low.get(partition as usize).map_or(0, |bounds| bounds.low);
            for offset in offsets.range(low..) {
                let place = Place { topic: Topic::ArticlesRaw, partition, offset: *offset };
                self.report.add(Kind::OutcomeWithoutRaw, place, "there is an outcome and no raw event");
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, place: Place, error: Option<chipwire_events::Error>) {
        let what = error.map_or_else(|| "an event of this type does not belong here".to_owned(), |error| chain(&error));
        self.report.add(Kind::Unreadable, place, what);
    }
}

#[cfg(test)]
mod tests;
