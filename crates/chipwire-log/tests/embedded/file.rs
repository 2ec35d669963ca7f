//! Opening, what `open` refuses, retention, `check` and `stats`.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::Duration,
};

use chipwire_log::{
    Bounds, Cleanup, Error, EventLog, Expiry, Limit, PartitionId, Positions, TopicSpec,
    sqlite::{Access, CheckReport, Options, SqliteLog},
};
use rusqlite::Connection;

use crate::script::{counts, folder, noise, open, read_all, record, spec, state_spec};

#[test]
fn what_is_not_a_log_is_refused() {
    let (folder, path) = folder();
    let missing = SqliteLog::open(&path, Access::Write);
    assert!(matches!(missing, Err(Error::Open { .. })), "{missing:?}");
    assert!(!path.exists());
    let nowhere = SqliteLog::open(&folder.path().join("no/such/folder/log.db"), Access::Create);
    assert!(matches!(nowhere, Err(Error::Open { .. })), "{nowhere:?}");

    std::fs::write(&path, "").unwrap();
    let empty = SqliteLog::open(&path, Access::Create);
    assert!(matches!(empty, Err(Error::Corrupt { .. })), "an empty file is a log that lost its content: {empty:?}");

    std::fs::write(&path, "not a database, but long enough to have a header of that size. ".repeat(100)).unwrap();
    let text = SqliteLog::open(&path, Access::Create);
    assert!(matches!(text, Err(Error::Corrupt { .. })), "{text:?}");

    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    let foreign = SqliteLog::open(&path, Access::Create);
    assert!(matches!(foreign, Err(Error::Open { .. })), "{foreign:?}");
}

#[test]
fn a_log_of_another_version_is_refused() {
    let (_folder, path) = folder();
    drop(open(&path));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let newer = SqliteLog::open(&path, Access::Write);
    assert!(matches!(newer, Err(Error::SchemaVersion { found: 7, expected: 1, .. })), "{newer:?}");
    let text = newer.unwrap_err().to_string();
    assert!(
        text.ends_with("a newer chipwire has written it; use that one, or put back a backup from before"),
        "{text}"
    );
}

#[test]
fn only_the_log_is_left_in_the_folder() {
    let (folder, path) = folder();
    let log = open(&path);
    log.ensure(&[spec("t", 1)]).unwrap();
    log.writer("w").unwrap().append(&[record("t", 0, "k", "v")]).unwrap();
    drop(log);
    let names: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["log.db"], "the last handle moves everything into the file");
}

#[test]
fn made_by_many_at_once_it_is_one_log() {
    let (_folder, path) = folder();
    let together = Barrier::new(8);
    let genesis: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    open(&path).genesis().unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(genesis.iter().all(|found| *found == genesis[0]), "{genesis:?}");
}

#[test]
fn opened_for_reading_it_reads_and_refuses_to_write() {
    let (_folder, path) = folder();
    let writing = open(&path);
    writing.ensure(&[spec("t", 1)]).unwrap();
    writing.writer("w").unwrap().append(&[record("t", 0, "k", "while it is open")]).unwrap();
    let reading = SqliteLog::open(&path, Access::Read).unwrap();
    assert_eq!(read_all(&reading, &["t"]).unwrap().len(), 1);
    writing.ensure(&[spec("made later", 1)]).unwrap();
    assert_eq!(reading.bounds("made later").unwrap(), [Bounds { low: 0, high: 0 }]);
    assert!(reading.writer("w").is_err());
    assert!(reading.worker("g", "m", &["t"]).is_err());
    assert!(reading.ensure(&[spec("u", 1)]).is_err());
    drop((writing, reading));
    let alone = SqliteLog::open(&path, Access::Read).unwrap();
    assert_eq!(read_all(&alone, &["t"]).unwrap().len(), 1);
}

#[test]
fn one_that_is_refused_takes_nothing_from_those_committed_with_it() {
    let (_folder, path) = folder();
    let log = open(&path);
    log.ensure(&[spec("t", 1)]).unwrap();
    thread::scope(|scope| {
        for number in 0..6 {
            let log = &log;
            scope.spawn(move || {
                let mut writer = log.writer(&number.to_string()).unwrap();
                let fenced = number % 3 == 0;
                let _newer = fenced.then(|| log.writer(&number.to_string()).unwrap());
                for n in 0..30 {
                    let answer = writer.append(&[record("t", 0, "k", &format!("{number}.{n}"))]);
                    assert_eq!(matches!(answer, Err(Error::Fenced { .. })), fenced, "{answer:?}");
                    assert_eq!(answer.is_ok(), !fenced, "{answer:?}");
                }
            });
        }
    });
    let found = counts(&read_all(&log, &["t"]).unwrap());
    assert_eq!(found.len(), 4 * 30);
    assert!(found.iter().all(|(text, count)| *count == 1 && !text.starts_with('0') && !text.starts_with('3')));
}

#[test]
fn check_and_stats_count_what_is_there() {
    let (_folder, path) = folder();
    let log = open(&path);
    log.ensure(&[spec("articles", 2), state_spec("feeds", 1)]).unwrap();
    let mut writer = log.writer("w").unwrap();
    // 3 MB go into several frames.
    let large: Vec<_> = (0..300).map(|n| record("articles", 1, "k", &format!("{n:0>10000}"))).collect();
    writer.append(&large).unwrap();
    writer.append(&[record("feeds", 0, "a", "1"), record("feeds", 0, "a", "2")]).unwrap();
    let stats = log.stats().unwrap();
    let found: Vec<_> = stats.iter().map(|s| (s.partition.to_string(), s.bounds.high, s.records)).collect();
    assert_eq!(
        found,
        [("articles/0".into(), 0, 0), ("articles/1".into(), 300, 300), ("feeds/0".into(), 2, 2)],
        "{stats:?}"
    );
    assert_eq!((stats[0].frames, stats[0].newest_ms), (0, None));
    assert_eq!(stats[1].frames, 3);
    assert!(stats[1].stored_bytes > 0 && stats[1].stored_bytes < 300_000, "{stats:?}");
    assert_eq!(log.check().unwrap(), CheckReport { frames: 4, records: 302, damage: Vec::new() });
}

fn at(now_ms: i64) -> Expiry {
    Expiry { now_ms, ..Expiry::default() }
}

/// A new log whose clock is in the test's hand.
fn open_with_clock(path: &std::path::Path) -> (SqliteLog, Arc<AtomicI64>) {
    let time = Arc::new(AtomicI64::new(1_000_000_000_000));
    let shown = Arc::clone(&time);
    let options = Options { clock: Arc::new(move || shown.load(Ordering::SeqCst)), ..Options::default() };
    (SqliteLog::open_with(path, Access::Create, options).unwrap(), time)
}

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

#[test]
fn retention_removes_what_is_older_and_keeps_the_state() {
    let (_folder, path) = folder();
    let (log, time) = open_with_clock(&path);
    let short = TopicSpec { cleanup: Cleanup::Delete { retention: Some(Duration::from_secs(60)) }, ..spec("short", 1) };
    log.ensure(&[short.clone(), spec("for ever", 1), state_spec("feeds", 1)]).unwrap();
    let mut writer = log.writer("w").unwrap();
    let mut append = |key: &str, value: &str| {
        let topics = [("short", "k"), ("for ever", "k"), ("feeds", key)];
        writer.append(&topics.map(|(topic, key)| record(topic, 0, key, value))).unwrap();
    };
    for n in 0..10 {
        append(if n == 4 { "kept" } else { "replaced" }, &n.to_string());
    }
    let begin_ms = time.load(Ordering::SeqCst);
    assert_eq!(log.expire(&at(begin_ms)).unwrap(), 0, "nothing is old yet");

    // A minute later all of `short` is old but what comes then, and nothing else.
    time.fetch_add(MINUTE_MS + 1, Ordering::SeqCst);
    append("replaced", "a minute later");
    assert_eq!(log.expire(&at(begin_ms + MINUTE_MS)).unwrap(), 0);
    assert_eq!(log.expire(&at(begin_ms + MINUTE_MS + 1)).unwrap(), 10);
    assert_eq!(log.bounds("short").unwrap(), [Bounds { low: 10, high: 11 }]);
    // Weeks later: of the state topic the records before the oldest that is still a key's latest.
    time.fetch_add(30 * DAY_MS, Ordering::SeqCst);
    append("replaced", "weeks later");
    let state = log.state("feeds", None).unwrap();
    assert_eq!(log.expire(&at(time.load(Ordering::SeqCst))).unwrap(), 4 + 1);
    assert_eq!(log.bounds("feeds").unwrap(), [Bounds { low: 4, high: 12 }]);
    assert_eq!(log.bounds("for ever").unwrap(), [Bounds { low: 0, high: 12 }]);
    assert_eq!(log.state("feeds", None).unwrap(), state);

    let from = Positions::from([(PartitionId::new("feeds", 0), 3)]);
    assert!(matches!(log.reader(&["feeds"], &from), Err(Error::OutOfRange { position: 3, low: 4, high: 12, .. })));
    drop((writer, log));
    let log = open(&path);
    let mut reader = log.reader(&["short", "feeds"], &Positions::new()).unwrap();
    let offsets: Vec<_> = reader.next(Limit::default(), Duration::ZERO).unwrap().records;
    let offsets: Vec<_> = offsets.iter().map(|stored| format!("{}@{}", stored.record.topic, stored.offset)).collect();
    let expected: Vec<_> = (4..12).map(|n| format!("feeds@{n}")).chain(["short@11".to_owned()]).collect();
    assert_eq!(offsets, expected);
    assert!(log.check().unwrap().damage.is_empty());

    // Another retention is taken over.
    log.ensure(&[TopicSpec { cleanup: Cleanup::Delete { retention: None }, ..short }]).unwrap();
    assert_eq!(log.expire(&at(i64::MAX)).unwrap(), 0);
}

/// A clock that is set forward, or a machine that starts with a wrong one: what the newest record says of itself counts.
#[test]
fn a_clock_that_is_ahead_makes_nothing_old() {
    let (_folder, path) = folder();
    let (log, time) = open_with_clock(&path);
    let day = Cleanup::Delete { retention: Some(Duration::from_hours(24)) };
    log.ensure(&[TopicSpec { cleanup: day, ..spec("day", 2) }, state_spec("feeds", 1)]).unwrap();
    let mut writer = log.writer("w").unwrap();
    for hours in [0, 20, 30] {
        time.store(1_000_000_000_000 + hours * 3_600_000, Ordering::SeqCst);
        writer.append(&[record("day", 0, "k", "v"), record("feeds", 0, "k", "v")]).unwrap();
    }
    // Of three records in 30 hours the first is more than a day older than the last.
    for now_ms in [i64::MAX, time.load(Ordering::SeqCst) + 3_650 * DAY_MS] {
        log.expire(&at(now_ms)).unwrap();
        assert_eq!(log.bounds("day").unwrap()[0], Bounds { low: 1, high: 3 });
        assert_eq!(log.bounds("feeds").unwrap()[0], Bounds { low: 0, high: 3 });
    }
}

#[test]
fn what_somebody_has_still_to_read_stays_and_beyond_a_size_the_oldest_go() {
    let (_folder, path) = folder();
    let (log, time) = open_with_clock(&path);
    let day = Cleanup::Delete { retention: Some(Duration::from_hours(24)) };
    let with_retention = |name| TopicSpec { cleanup: day, ..spec(name, 1) };
    log.ensure(&[with_retention("raw"), with_retention("tagged"), spec("for ever", 1)]).unwrap();
    let mut writer = log.writer("w").unwrap();
    for n in 0..10 {
        for topic in ["raw", "tagged", "for ever"] {
            writer.append(&[record(topic, 0, "k", &noise(n, 10_000))]).unwrap();
        }
    }
    // What makes the others old.
    time.fetch_add(30 * DAY_MS, Ordering::SeqCst);
    writer.append(&["raw", "tagged"].map(|topic| record(topic, 0, "k", "new"))).unwrap();
    let now_ms = time.load(Ordering::SeqCst);
    let lows = || ["raw", "tagged"].map(|topic| log.bounds(topic).unwrap()[0].low);
    let partition = |topic: &str| PartitionId::new(topic, 0);

    // All are old; one reader has read three records of one topic.
    let needed = Positions::from([(partition("raw"), 3), (partition("tagged"), 0)]);
    assert_eq!(log.expire(&Expiry { now_ms, needed: needed.clone(), max_bytes: None }).unwrap(), 3);
    assert_eq!(lows(), [3, 0]);
    assert_eq!(log.expire(&Expiry { now_ms: 0, needed, max_bytes: Some(0) }).unwrap(), 0, "whatever the size");

    // None is old: of the 27 records that are left eight are too many, and the oldest that may go are of both in turn.
    let stored: u64 = log.stats().unwrap().iter().map(|stats| stats.stored_bytes).sum();
    let max_bytes = Some(stored - 8 * stored / 27 + 2_000);
    let needed = Positions::from([(partition("raw"), 5)]);
    assert_eq!(log.expire(&Expiry { now_ms: 0, needed, max_bytes }).unwrap(), 8);
    assert_eq!(lows(), [5, 6]);
    assert_eq!(log.bounds("for ever").unwrap(), [Bounds { low: 0, high: 10 }]);
    assert!(log.check().unwrap().damage.is_empty());
}

#[test]
fn the_write_ahead_log_of_many_short_lives_is_moved_into_the_file() {
    const LIVES: u64 = 8;
    const BYTES: usize = 3 << 20;
    let (_folder, path) = folder();
    // As long as anyone has the file open, no other moves the write-ahead log when it goes.
    let _stays = open(&path);
    for life in 0..LIVES {
        let log = open(&path);
        log.ensure(&[spec("t", 1)]).unwrap();
        log.writer("w").unwrap().append(&[record("t", 0, "k", &noise(life, BYTES))]).unwrap();
    }
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size > LIVES / 2 * BYTES as u64, "{size} bytes are in the file, the others wait");
}
