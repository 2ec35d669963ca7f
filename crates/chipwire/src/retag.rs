//! Tags history anew, with the gazetteer that chipwire has now.
//!
//! An article that another gazetteer has tagged gets one more tagged event, behind all that it has and with the tags of today. It
//! covers no raw interval, since it is no outcome of one: by that consumers know it, and raise no alert for it. So nothing
//! that is in the log changes, searching goes on, and every projection comes to the new tags in its own time.
//!
//! Articles that come meanwhile are tagged by the enrich stage, whose events stand where they stand: each article's last event is
//! looked for first, and that the index takes no older revision for a later one settles the rest.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chipwire_enrich::Tagger;
use chipwire_events::{ArticleId, Event, TaggedArticle, Topic};
use chipwire_log::{Limit, Positions, Record};
use rayon::prelude::*;

use crate::{
    runner::{Shutdown, StageError},
    stages::{max_event_bytes, unless_it_panics},
    wire::{self, Log},
};

const LIMIT: Limit = Limit { records: 1_000, size_bytes: 8 << 20 };

/// The name of the writer: there is one retagging at a time.
const WRITER: &str = "retag";

/// What was done.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Articles that have new tags.
    pub retagged: u64,
    /// Articles that this gazetteer had tagged before.
    pub unchanged: u64,
    /// Articles that could not be tagged anew: they keep the tags that they have.
    pub failed: u64,
}

/// Where the last event of an article stands, and whether this gazetteer has tagged it.
struct Last {
    partition: u32,
    offset: i64,
    revision: u32,
    is_current: bool,
}

/// Tags everything anew that is in `log` now and has tags of another gazetteer than `tagger`'s. `progress` is told how many
/// events were read, of twice as many as there are.
pub fn retag(
    log: &Log,
    tagger: &Tagger,
    shutdown: &Shutdown,
    mut progress: impl FnMut(u64),
) -> Result<Summary, StageError> {
    let gazetteer = tagger.gazetteer().digest();
    let end = log.end_of(Topic::ArticlesTagged)?;
    let mut last: HashMap<ArticleId, Last> = HashMap::new();
    let mut read = 0;
    each_batch(log, &end, shutdown, |found| {
        read += found.len() as u64;
        progress(read);
        for Found { partition, offset, tagged, .. } in found {
            let revision = tagged.article.revision;
            if last.get(&tagged.article.id).is_none_or(|last| last.revision <= revision) {
                let is_current = tagged.gazetteer == gazetteer;
                last.insert(tagged.article.id, Last { partition, offset, revision, is_current });
            }
        }
        Ok(())
    })?;
    let mut summary =
        Summary { unchanged: last.values().filter(|last| last.is_current).count() as u64, ..Summary::default() };
    let mut writer = log.backend().writer(WRITER)?;
    let max_bytes = max_event_bytes(log);
    each_batch(log, &end, shutdown, |found| {
        read += found.len() as u64;
        progress(read);
        let outdated = found.into_par_iter().filter(|found| {
            let last = last.get(&found.tagged.article.id);
            last.is_some_and(|last| {
                !last.is_current && (last.partition, last.offset) == (found.partition, found.offset)
            })
        });
        let records: Vec<Option<Record>> = outdated
            .map(|Found { partition, time, tagged, .. }| {
                let article = tagged.article;
                let id = article.id.clone();
                let tagged = match unless_it_panics(|| tagger.enrich(article)) {
                    Ok(tagged) => tagged,
                    Err(message) => {
                        tracing::warn!(article = %id, "the tagger panicked: {message}");
                        return Ok(None);
                    }
                };
                let record = Record { partition, ..log.encode(&Event::ArticleTagged(tagged), time, None)? };
                let fits = record.size_bytes() <= max_bytes;
                if !fits {
                    tracing::warn!(article = %id, "tagged anew, it is larger than an event may be");
                }
                Ok(fits.then_some(record))
            })
            .collect::<Result<_, StageError>>()?;
        summary.failed += records.iter().filter(|record| record.is_none()).count() as u64;
        let records: Vec<Record> = records.into_iter().flatten().collect();
        summary.retagged += records.len() as u64;
        if !records.is_empty() {
            writer.append(&records)?;
        }
        Ok(())
    })?;
    Ok(summary)
}

/// A tagged article where it stands.
struct Found {
    partition: u32,
    offset: i64,
    time: chipwire_events::Timestamp,
    tagged: TaggedArticle,
}

/// Calls `visit` with the tagged articles before `end`, in order within each partition.
fn each_batch(
    log: &Log,
    end: &Positions,
    shutdown: &Shutdown,
    mut visit: impl FnMut(Vec<Found>) -> Result<(), StageError>,
) -> Result<(), StageError> {
    let mut positions: BTreeMap<_, _> = Positions::new();
    for (partition, bounds) in (0..).zip(log.backend().bounds(log.name(Topic::ArticlesTagged))?) {
        positions.insert(log.partition(Topic::ArticlesTagged, partition), bounds.low);
    }
    let mut reader = log.backend().reader(&[log.name(Topic::ArticlesTagged)], &positions)?;
    while end.iter().any(|(id, end)| positions.get(id).is_some_and(|position| position < end)) {
        if shutdown.requested() {
            return Ok(());
        }
        let batch = reader.next(LIMIT, Duration::from_millis(200))?;
        let records = batch.records.par_iter();
        let found = records.filter_map(|stored| {
            let is_before = end.get(&stored.partition_id()).is_some_and(|end| stored.offset < *end);
            match wire::decode(stored) {
                Ok((envelope, Event::ArticleTagged(tagged))) if is_before => Some(Found {
                    partition: stored.record.partition,
                    offset: stored.offset,
                    time: envelope.time,
                    tagged,
                }),
                _ => None,
            }
        });
        visit(found.collect())?;
        positions.extend(batch.positions);
        if batch.at_end {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chipwire_enrich::Gazetteer;
    use chipwire_events::Timestamp;
    use chipwire_log::memory::MemoryLog;

    use super::*;
    use crate::import;

    /// A log with tagged articles of a gazetteer that is no longer there, the first of them edited.
    fn log() -> Log {
        let log = Log::new(Arc::new(MemoryLog::default()), "");
        log.ensure().unwrap();
        let line = |text: &str, number: u32| {
            format!(r#"{{"title":"{number}","text":"{text}","url":"https://example.org/{number}"}}"#)
        };
        for text in [[line("TSMC", 1), line("Nvidia", 2)].join("\n"), line("TSMC and SMIC", 1)] {
            import::import(&log, text.as_bytes(), "test", Timestamp::UNIX_EPOCH, |_, _| {}, |_| {}).unwrap();
        }
        let mut reader = log.backend().reader(&[log.name(Topic::ArticlesRaw)], &Positions::new()).unwrap();
        let raw = reader.next(LIMIT, Duration::ZERO).unwrap().records;
        assert_eq!(raw.len(), 3);
        for stored in raw {
            let Ok((envelope, Event::ArticleFetched(article))) = wire::decode(&stored) else { panic!("{stored:?}") };
            let (mentions, entities, findings) = Default::default();
            let tagged = TaggedArticle { article, mentions, entities, findings, gazetteer: "old".to_owned() };
            let record = log.encode(&Event::ArticleTagged(tagged), envelope.time, None).unwrap();
            log.backend().writer("test").unwrap().append(&[record]).unwrap();
        }
        log
    }

    fn tagged(log: &Log) -> Vec<TaggedArticle> {
        let mut all = Vec::new();
        let end = log.end_of(Topic::ArticlesTagged).unwrap();
        each_batch(log, &end, &Shutdown::default(), |found| {
            all.extend(found.into_iter().map(|found| found.tagged));
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn the_latest_revision_of_every_article_gets_the_tags_of_today_once() {
        let log = log();
        let tagger = Tagger::new(Gazetteer::builtin().unwrap());
        let run = || retag(&log, &tagger, &Shutdown::default(), |_| {}).unwrap();
        assert_eq!(run(), Summary { retagged: 2, ..Summary::default() });
        let mut new: Vec<TaggedArticle> = tagged(&log).into_iter().filter(|tagged| tagged.gazetteer != "old").collect();
        new.sort_by(|a, b| a.article.title.cmp(&b.article.title));
        assert_eq!(new.len(), 2);
        assert_eq!((new[0].article.revision, new[0].entities.len(), new[1].entities.len()), (2, 2, 1));
        assert_eq!(run(), Summary { unchanged: 2, ..Summary::default() });
        assert_eq!(tagged(&log).len(), 5);
    }
}
