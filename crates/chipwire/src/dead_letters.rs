//! What no stage could process: listing it, and putting it back to be tried once more.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use chipwire_events::{
    ATTEMPT_HEADER, COVERS_HEADER, DeadLetter, ErrorClass, Event, EventId, Message, Replayed, STAGE_HEADER, Timestamp,
    Topic, partition_of,
};
use chipwire_log::{Error, Limit, Positions};

use crate::wire::{self, Log};

/// The name of the writer that puts records back: there is one at a time.
const WRITER: &str = "dead-letters-replay";

/// A dead letter in the log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The id of its event.
    pub id: EventId,
    /// The time of the event that could not be processed.
    pub time: Timestamp,
    /// The letter.
    pub letter: DeadLetter,
    /// It was put back.
    pub replayed: bool,
}

/// Why a dead letter cannot be put back.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its record was read from a topic that only a stage writes, and is none that can be read.
    #[error(
        "{id} is an event of `{topic}` that nobody can read, which is not put back: after an update, `chipwire index rebuild` reads \
         it again"
    )]
    Derived {
        /// Which.
        id: EventId,
        /// The topic it was read from.
        topic: String,
    },
    /// It was put back before.
    #[error("{id} was put back before: if it could not be processed again, there is a newer dead letter of it")]
    Again {
        /// Which.
        id: EventId,
    },
    /// It does not hold its record.
    #[error("{id} is too large to hold its record, which is in {topic}/{partition} at offset {offset}")]
    TooLarge {
        /// Which.
        id: EventId,
        /// The topic it was read from.
        topic: String,
        /// The partition.
        partition: u32,
        /// The offset.
        offset: i64,
    },
    /// It does not say its record in base64.
    #[error("the record in {id} cannot be read")]
    Base64 {
        /// Which.
        id: EventId,
        /// Why not.
        source: base64::DecodeError,
    },
    /// An event could not be written.
    #[error("failed to encode an event")]
    Encode(#[from] chipwire_events::Error),
    /// Another process is putting records back.
    #[error("another replay is under way")]
    Fenced,
    /// The log said no.
    #[error(transparent)]
    Log(Error),
}

impl From<Error> for ReplayError {
    fn from(error: Error) -> Self {
        if matches!(error, Error::Fenced { .. }) { Self::Fenced } else { Self::Log(error) }
    }
}

/// Every dead letter that is in the log now, the oldest of each partition first. One that a stage has written twice, since it
/// was ended in between, is there once.
pub fn all(log: &Log) -> Result<Vec<Entry>, Error> {
    let end = log.end_of(Topic::DeadLetters)?;
    let mut reader = log.backend().reader(&[log.name(Topic::DeadLetters)], &Positions::new())?;
    let mut positions = Positions::new();
    let mut entries: Vec<Entry> = Vec::new();
    let mut places: BTreeMap<EventId, usize> = BTreeMap::new();
    let mut replayed = Vec::new();
    while end.iter().any(|(id, end)| positions.get(id).copied().unwrap_or(0) < *end) {
        let batch = reader.next(Limit::default(), Duration::from_millis(200))?;
        for stored in &batch.records {
            match wire::decode(stored) {
                Ok((envelope, Event::EventRejected(letter))) => {
                    places.entry(envelope.id.clone()).or_insert_with(|| {
                        let (id, time) = (envelope.id, envelope.time);
                        entries.push(Entry { id, time, letter, replayed: false });
                        entries.len() - 1
                    });
                }
                Ok((_, Event::EventReplayed(event))) => replayed.push(event.dead_letter),
                _ => tracing::warn!(
                    partition = stored.record.partition,
                    offset = stored.offset,
                    "passed over a dead letter that cannot be read"
                ),
            }
        }
        positions.extend(batch.positions);
        if batch.at_end {
            break;
        }
    }
    for id in replayed {
        if let Some(entry) = places.get(&id).and_then(|at| entries.get_mut(*at)) {
            entry.replayed = true;
        }
    }
    Ok(entries)
}

/// Where the record of `letter` goes when it is put back: whence it came, unless that is a tagged event that cannot be read, which a
/// rebuild of the index reads again.
pub fn goes_back_to(letter: &DeadLetter) -> Option<Topic> {
    let can_be_read = letter.class == ErrorClass::Panic;
    let topics = [Topic::ArticlesRaw, Topic::ArticlesTagged, Topic::Alerts];
    let back = topics.into_iter().find(|topic| letter.topic == topic.name())?;
    (back != Topic::ArticlesTagged || can_be_read).then_some(back)
}

/// Puts the record of a dead letter back into the topic that it was read from, and notes it, in one transaction. The stage
/// then tries it once more, as a new event; whatever comes of it, the letter stays what it is. A tagged article that is put back
/// covers no raw event any more, as one that is tagged anew, and names the stage that it is put back for.
pub fn replay(log: &Log, entry: &Entry, now: Timestamp) -> Result<(), ReplayError> {
    let letter = &entry.letter;
    let id = || entry.id.clone();
    let Some(topic) = goes_back_to(letter) else {
        return Err(ReplayError::Derived { id: id(), topic: letter.topic.clone() });
    };
    if entry.replayed {
        return Err(ReplayError::Again { id: id() });
    }
    if letter.left_out {
        let (topic, partition, offset) = (letter.topic.clone(), letter.partition, letter.offset);
        return Err(ReplayError::TooLarge { id: id(), topic, partition, offset });
    }
    let value = STANDARD.decode(&letter.value_base64).map_err(|source| ReplayError::Base64 { id: id(), source })?;
    let attempt = letter.attempts.saturating_add(1);
    let mut headers = letter.headers.clone();
    headers.retain(|(name, _)| ![ATTEMPT_HEADER, STAGE_HEADER, COVERS_HEADER].contains(&name.as_str()));
    headers.push((ATTEMPT_HEADER.to_owned(), attempt.to_string()));
    let partition = match topic {
        Topic::ArticlesTagged => {
            headers.push((STAGE_HEADER.to_owned(), letter.stage.clone()));
            letter.partition
        }
        _ => partition_of(&letter.key, topic.partitions()),
    };
    let message = Message { topic, partition, key: letter.key.clone(), headers, value: Some(value) };
    let replayed = Replayed { dead_letter: id(), topic: letter.topic.clone(), partition, attempt };
    let note = log.encode(&Event::EventReplayed(replayed), now, None)?;
    log.backend().writer(WRITER)?.append(&[log.record(message), note])?;
    Ok(())
}

/// The classes, as they are written.
pub const CLASSES: [ErrorClass; 3] = [ErrorClass::Decode, ErrorClass::TooLarge, ErrorClass::Panic];

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use chipwire_events::{Article, Feed, FeedOrigin};
    use chipwire_log::{Record, memory::MemoryLog};

    use super::*;
    use crate::{import, runner::Context, stages::enrich, verify::verify};

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn log() -> Log {
        let log = Log::new(Arc::new(MemoryLog::default()), "");
        log.ensure().unwrap();
        let line =
            r#"{"title":"One","text":"Nvidia","url":"https://example.org/1","published":"2026-01-02T03:04:05Z"}"#;
        import::import(&log, line.as_bytes(), "test", now(), |_, _| {}, |_| {}).unwrap();
        log
    }

    /// Runs the enrich stage until it has an outcome of every raw event.
    fn enrich(log: &Log) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let context = Context::of_test(log.clone(), now, &runtime);
        let settings = enrich::Settings { pool: None };
        let count = |topic| log.end_of(topic).unwrap().values().sum::<i64>();
        thread::scope(|scope| {
            scope.spawn(|| enrich::run(&context, &settings).unwrap());
            let mut reader = log.backend().reader(&[log.name(Topic::ArticlesTagged)], &Positions::new()).unwrap();
            while count(Topic::ArticlesTagged) < count(Topic::ArticlesRaw) {
                reader.next(Limit::default(), Duration::from_millis(100)).unwrap();
            }
            context.shutdown.request();
        });
    }

    /// Puts a raw event beside the one that is there: its own with another value.
    fn poison(log: &Log, value: &[u8]) {
        let mut reader = log.backend().reader(&[log.name(Topic::ArticlesRaw)], &Positions::new()).unwrap();
        let batch = reader.next(Limit::default(), Duration::from_millis(100)).unwrap();
        let good = batch.records.first().unwrap().record.clone();
        log.backend().writer("test").unwrap().append(&[Record { value: Some(value.to_vec()), ..good }]).unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_kept_whole_and_can_be_put_back_once() {
        let log = log();
        poison(&log, b"{\xff");
        enrich(&log);
        let [first] = all(&log).unwrap().try_into().unwrap();
        assert_eq!((first.letter.class, first.letter.attempts, first.replayed), (ErrorClass::Decode, 1, false));
        assert_eq!(STANDARD.decode(&first.letter.value_base64).unwrap(), b"{\xff");
        assert!(first.letter.headers.iter().any(|(name, _)| name == "ce_id"));

        replay(&log, &first, now()).unwrap();
        enrich(&log);
        let [first, second] = all(&log).unwrap().try_into().unwrap();
        assert_eq!((first.replayed, second.replayed, second.letter.attempts), (true, false, 2));
        assert!(matches!(replay(&log, &first, now()), Err(ReplayError::Again { .. })));
        let report = verify(&log, None, |_| {}).unwrap();
        assert!(report.ok, "{report:?}");
        assert_eq!((report.raw, report.tagged, report.rejected), (3, 1, 2));
    }

    #[test]
    fn what_was_put_back_and_can_be_read_now_is_no_duplicate() {
        let log = log();
        poison(&log, b"{");
        enrich(&log);
        let [entry] = all(&log).unwrap().try_into().unwrap();
        // As if this version could read what the last one could not.
        let feed = Feed::new("https://example.org/feed", FeedOrigin::User).id;
        let article = Article {
            id: chipwire_events::ArticleId::of(&feed, "1"),
            revision: 1,
            content_hash: String::new(),
            feed,
            source: String::new(),
            url: None,
            title: "Two".to_owned(),
            body: String::new(),
            markup: chipwire_events::Markup::Plain,
            authors: Vec::new(),
            categories: Vec::new(),
            language: None,
            published: None,
            published_raw: None,
            updated: None,
            first_seen: now(),
        };
        let value_base64 = STANDARD.encode(serde_json::to_vec(&article).unwrap());
        let mut letter = DeadLetter { value_base64, ..entry.letter.clone() };
        for (name, value) in &mut letter.headers {
            if name == "ce_id" {
                *value = article.event_id().to_string();
            }
        }
        replay(&log, &Entry { letter, ..entry }, now()).unwrap();
        enrich(&log);
        let report = verify(&log, None, |_| {}).unwrap();
        assert!(report.ok, "{report:?}");
        assert_eq!((report.tagged, report.rejected), (2, 1));
    }

    #[test]
    fn what_only_stages_write_is_not_put_back() {
        let log = log();
        poison(&log, b"{");
        enrich(&log);
        let [entry] = all(&log).unwrap().try_into().unwrap();
        let letter = DeadLetter { topic: "articles.tagged".to_owned(), ..entry.letter.clone() };
        let refused = replay(&log, &Entry { letter, ..entry.clone() }, now());
        assert!(matches!(refused, Err(ReplayError::Derived { .. })), "{refused:?}");
        let letter = DeadLetter { left_out: true, ..entry.letter.clone() };
        let refused = replay(&log, &Entry { letter, ..entry.clone() }, now());
        assert!(matches!(refused, Err(ReplayError::TooLarge { .. })), "{refused:?}");
        let letter = DeadLetter { value_base64: "?".to_owned(), ..entry.letter.clone() };
        let refused = replay(&log, &Entry { letter, ..entry }, now());
        assert!(matches!(refused, Err(ReplayError::Base64 { .. })), "{refused:?}");
        assert_eq!(log.end_of(Topic::ArticlesRaw).unwrap().values().sum::<i64>(), 2);
    }
}
