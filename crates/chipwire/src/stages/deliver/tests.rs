use std::{collections::BTreeMap, io, sync::Mutex, thread};

use chipwire_events::{AlertId, ArticleId, FeedId, RuleId};
use chipwire_log::{Reader, memory::MemoryLog};

use super::*;
use crate::{
    dead_letters,
    wire::{Log, decode},
};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn alert(number: usize) -> Alert {
    let (rule, feed) = (RuleId::from_name(&format!("rule {}", number % 7)), FeedId::of("https://example.org/feed"));
    let article = ArticleId::of(&feed, &number.to_string());
    Alert {
        id: AlertId::of(&rule, 1, &article),
        rule,
        rule_version: 1,
        rule_name: "Rule".to_owned(),
        sinks: vec!["terminal".to_owned()],
        article,
        revision: 1,
        title: format!("Title {number}."),
        url: None,
        source: "Example".to_owned(),
        published: now(),
        entities: Vec::new(),
        raised: now(),
    }
}

/// What was written to the terminal.
#[derive(Clone, Default)]
struct Terminal(Arc<Mutex<Vec<u8>>>);

impl io::Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log() -> Log {
    let log = Log::new(Arc::new(MemoryLog::default()), "");
    log.ensure().unwrap();
    log
}

fn record(log: &Log, number: usize) -> Record {
    log.encode(&Event::AlertRaised(alert(number)), now(), None).unwrap()
}

/// Runs the stage until `expected` deliveries are done; gives what the terminal shows.
fn deliver(log: &Log, max_pending_bytes: usize, expected: usize) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let terminal = Terminal::default();
    let context = Context::of_test(log.clone(), now, &runtime);
    let sinks = Arc::new(Sinks::from_config(&BTreeMap::new(), terminal.clone(), |_| None).unwrap());
    thread::scope(|scope| {
        scope.spawn(|| run_within(&context, &sinks, max_pending_bytes).unwrap());
        let mut reader = log.backend().reader(&[log.name(Topic::Deliveries)], &Positions::new()).unwrap();
        let mut done = 0;
        while done < expected {
            done += delivered(&mut *reader);
        }
        context.shutdown.request();
    });
    let shown = terminal.0.lock().unwrap().clone();
    String::from_utf8(shown).unwrap()
}

fn delivered(reader: &mut dyn Reader) -> usize {
    let batch = reader.next(Limit::default(), Duration::from_millis(100)).unwrap();
    let is_done = |stored: &StoredRecord| match decode(stored) {
        Ok((_, Event::DeliveryChanged(delivery))) => delivery.status == DeliveryStatus::Delivered,
        _ => false,
    };
    batch.records.iter().filter(|stored| is_done(stored)).count()
}

#[test]
fn what_has_no_room_in_memory_is_delivered_too_and_once() {
    const ALERTS: usize = 200;
    let log = log();
    let records: Vec<Record> = (0..ALERTS).map(|number| record(&log, number)).collect();
    log.backend().writer("test").unwrap().append(&records).unwrap();
    // For a handful of them.
    let shown = deliver(&log, 6_000, ALERTS);
    for number in 0..ALERTS {
        assert_eq!(shown.matches(&format!("Title {number}.")).count(), 1, "{number} in {shown}");
    }
}

#[test]
fn an_alert_that_cannot_be_read_becomes_a_dead_letter_and_can_be_put_back() {
    let log = log();
    let mut writer = log.backend().writer("test").unwrap();
    let broken = Record { value: Some(b"{".to_vec()), ..record(&log, 1) };
    writer.append(&[broken.clone(), record(&log, 2)]).unwrap();
    assert!(deliver(&log, 1 << 20, 1).contains("Title 2."));
    let [entry] = dead_letters::all(&log).unwrap().try_into().unwrap();
    let letter = &entry.letter;
    assert_eq!((letter.stage.as_str(), letter.topic.as_str(), letter.class), (STAGE, "alerts", ErrorClass::Decode));
    assert_eq!((letter.partition, letter.offset), (broken.partition, 0));

    dead_letters::replay(&log, &entry, now()).unwrap();
    // Of the same rule, so behind it in its partition.
    writer.append(&[record(&log, 8)]).unwrap();
    deliver(&log, 1 << 20, 2);
    let [_, again] = dead_letters::all(&log).unwrap().try_into().unwrap();
    assert_eq!((again.letter.attempts, again.letter.partition), (2, broken.partition));
}
