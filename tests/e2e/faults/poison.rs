//! Raw events that nobody can read, and articles on which a stage panics, put in among the others.

use std::{collections::BTreeMap, slice, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use chipwire::wire::Log;
use chipwire_events::{Article, ArticleId, DeadLetter, ErrorClass, Event, FeedId, Topic};
use chipwire_log::{Limit, Positions, Record};

use super::once;
use crate::{fixture, support::until};

/// What is wrong with one.
#[derive(Clone, Copy)]
enum Kind {
    /// This type, or no headers at all, and this payload: nobody can read it.
    Unreadable(Option<&'static str>, &'static [u8]),
    /// As large as can be written: its dead letter has no room for it.
    Huge,
    /// An article on which this stage panics.
    Panics(&'static str),
}

const KINDS: [Kind; 8] = [
    Kind::Panics("enrich"),
    Kind::Unreadable(None, b""),
    Kind::Panics("index"),
    Kind::Unreadable(Some("chipwire.article.fetched.v9"), b"{}"),
    Kind::Panics("alert"),
    Kind::Unreadable(Some("chipwire.article.fetched.v1"), b"\xff\xfe{"),
    Kind::Unreadable(Some("chipwire.article.fetched.v1"), b"{\"id\":7}"),
    Kind::Huge,
];
const HUGE_BYTES: usize = 15 << 20;

/// What was put in so far.
#[derive(Default)]
pub(super) struct Poison {
    count: usize,
}

impl Poison {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Puts one more in, once, whatever happens to the brokers meanwhile.
    pub(super) fn add(&mut self, log: &Log) {
        let record = record(log, self.count);
        let mut attempts = 0;
        until("a raw event is written", || {
            attempts += 1;
            // Opening a writer fences the one before: what that has written is there by now or never will be.
            let tried = log.backend().writer("poison").and_then(|mut writer| {
                if attempts > 1 && is_there(log, &record)? {
                    return Ok(());
                }
                writer.append(slice::from_ref(&record))
            });
            tried.map_err(|error| error.to_string())
        });
        self.count += 1;
    }

    /// The titles of those that are tagged all the same.
    pub(super) fn tagged(&self) -> impl Iterator<Item = String> {
        (0..self.count).filter(|number| matches!(kind(*number), Kind::Panics("index" | "alert"))).map(title)
    }

    /// How many can be searched.
    pub(super) fn searchable(&self) -> usize {
        (0..self.count).filter(|number| matches!(kind(*number), Kind::Panics("alert"))).count()
    }

    /// Looks whether each became a dead letter, once, with all that it is to say.
    pub(super) fn check(&self, log: &Log, events: &[Event]) {
        let letter = |event: &Event| if let Event::EventRejected(letter) = event { Some(letter.clone()) } else { None };
        let letters: Vec<DeadLetter> = events.iter().filter_map(letter).collect();
        let keys = (0..self.count).map(|number| (String::from_utf8(record(log, number).key).unwrap(), kind(number)));
        let kinds: BTreeMap<String, Kind> = keys.collect();
        once("rejected", letters.iter().map(|letter| letter.key.clone()), &kinds.keys().cloned().collect());
        let values = values(log);
        for letter in &letters {
            let (class, stage, is_huge) = match kinds[&letter.key] {
                Kind::Unreadable(..) => (ErrorClass::Decode, "enrich", false),
                Kind::Huge => (ErrorClass::Decode, "enrich", true),
                Kind::Panics(stage) => (ErrorClass::Panic, stage, false),
            };
            assert_eq!((letter.class, letter.stage.as_str()), (class, stage), "{}", letter.key);
            assert_eq!((letter.attempts, letter.version.as_str()), (1, env!("CARGO_PKG_VERSION")), "{}", letter.key);
            assert_eq!(letter.left_out, is_huge, "{}", letter.key);
            let at = (letter.topic.clone(), letter.partition, letter.offset);
            let read = values.get(&at).unwrap_or_else(|| panic!("nothing at {at:?}, which {} names", letter.key));
            assert!(is_huge || STANDARD.decode(&letter.value_base64).unwrap() == *read, "{}", letter.key);
        }
    }
}

fn kind(number: usize) -> Kind {
    KINDS[number % KINDS.len()]
}

fn title(number: usize) -> String {
    match kind(number) {
        // The name of the point at which it panics.
        Kind::Panics(stage) => format!("Poison {number}: panic-in-{stage}"),
        _ => format!("poison {number}"),
    }
}

fn record(log: &Log, number: usize) -> Record {
    let huge = vec![b'x'; HUGE_BYTES];
    let (event_type, value) = match kind(number) {
        Kind::Unreadable(event_type, value) => (event_type, value),
        Kind::Huge => (Some("chipwire.article.fetched.v1"), huge.as_slice()),
        Kind::Panics(_) => {
            let article = article(number);
            let time = article.first_seen;
            return log.encode(&Event::ArticleFetched(article), time, None).unwrap();
        }
    };
    let headers = event_type.map_or_else(Vec::new, |event_type| {
        let attributes = [
            ("ce_specversion", "1.0"),
            ("ce_id", "1"),
            ("ce_type", event_type),
            ("ce_source", "/x"),
            ("ce_time", "2026-01-01T00:00:00Z"),
        ];
        attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    });
    Record {
        topic: log.name(Topic::ArticlesRaw).clone(),
        partition: u32::try_from(number).unwrap() % Topic::ArticlesRaw.partitions(),
        key: title(number).into_bytes(),
        headers,
        value: Some(value.to_vec()),
    }
}

fn article(number: usize) -> Article {
    let feed = FeedId::of("https://poison.example.org/feed.xml");
    Article {
        id: ArticleId::of(&feed, &number.to_string()),
        feed,
        source: "Poison".to_owned(),
        title: title(number),
        body: "TSMC said nothing.".to_owned(),
        ..fixture::article(number)
    }
}

/// The values of raw and tagged events, by their places.
fn values(log: &Log) -> BTreeMap<(String, u32, i64), Vec<u8>> {
    let mut values = BTreeMap::new();
    for topic in [Topic::ArticlesRaw, Topic::ArticlesTagged] {
        let mut reader = log.backend().reader(&[log.name(topic)], &Positions::new()).unwrap();
        loop {
            let batch = reader.next(Limit::default(), Duration::from_secs(5)).unwrap();
            values.extend(batch.records.into_iter().map(|stored| {
                let at = (topic.name().to_owned(), stored.record.partition, stored.offset);
                (at, stored.record.value.unwrap_or_default())
            }));
            if batch.at_end {
                break;
            }
        }
    }
    values
}

fn is_there(log: &Log, record: &Record) -> chipwire_log::Result<bool> {
    let mut reader = log.backend().reader(&[&record.topic], &Positions::new())?;
    loop {
        let batch = reader.next(Limit::default(), Duration::from_secs(1))?;
        if batch.records.iter().any(|stored| stored.record.key == record.key) {
            return Ok(true);
        }
        if batch.at_end {
            return Ok(false);
        }
    }
}
