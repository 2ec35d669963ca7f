//! Raw events that nobody can read, put in among the articles.

use std::{collections::BTreeSet, slice, time::Duration};

use chipwire::wire::Log;
use chipwire_events::{DeadLetter, ErrorClass, Event, Topic};
use chipwire_log::{Limit, Positions, Record};

use super::once;
use crate::support::until;

/// No headers, a type that nobody knows, a payload that is none, one that is none of this type, and one that is as large as can
/// be written: its dead letter has no room for it.
const KINDS: [(Option<&str>, &[u8]); 4] = [
    (None, b""),
    (Some("chipwire.article.fetched.v9"), b"{}"),
    (Some("chipwire.article.fetched.v1"), b"\xff\xfe{"),
    (Some("chipwire.article.fetched.v1"), b"{\"id\":7}"),
];
const HUGE: usize = KINDS.len();
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

    /// Looks whether each became a dead letter, once.
    pub(super) fn check(&self, events: &[Event]) {
        let letter = |event: &Event| if let Event::EventRejected(letter) = event { Some(letter.clone()) } else { None };
        let letters: Vec<DeadLetter> = events.iter().filter_map(letter).collect();
        let keys: BTreeSet<String> = (0..self.count).map(key).collect();
        once("rejected", letters.iter().map(|letter| letter.key.clone()), &keys);
        for letter in &letters {
            assert_eq!((letter.class, letter.stage.as_str()), (ErrorClass::Decode, "enrich"), "{}", letter.key);
            assert_eq!(letter.left_out, letter.key.ends_with("huge"), "{}", letter.key);
        }
    }
}

fn key(number: usize) -> String {
    let huge = if number % (HUGE + 1) == HUGE { " huge" } else { "" };
    format!("poison {number}{huge}")
}

fn record(log: &Log, number: usize) -> Record {
    let huge = vec![b'x'; HUGE_BYTES];
    let (kind, value) = KINDS.get(number % (HUGE + 1)).copied().unwrap_or((KINDS[HUGE - 1].0, &huge));
    let headers = kind.map_or_else(Vec::new, |kind| {
        let attributes = [
            ("ce_specversion", "1.0"),
            ("ce_id", "1"),
            ("ce_type", kind),
            ("ce_source", "/x"),
            ("ce_time", "2026-01-01T00:00:00Z"),
        ];
        attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    });
    Record {
        topic: log.name(Topic::ArticlesRaw).clone(),
        partition: u32::try_from(number).unwrap() % Topic::ArticlesRaw.partitions(),
        key: key(number).into_bytes(),
        headers,
        value: Some(value.to_vec()),
    }
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
