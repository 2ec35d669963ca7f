//! The embedded log against the disk it stands on: `cargo bench -p chipwire-log --bench embedded`.
//!
//! - *append*: batches of 500 events of 2 KB, made durable one after the other as a single stage does it, against a bare loop of
//!   write and fdatasync of the same bytes: keys, headers and values as they are given, uncompressed. In turns of many batches,
//!   as in a process that runs on; a turn of the log ends when it is closed, so that what it does in the background counts too;
//! - *scan*: all of it read back;
//! - *one event*: from the beginning of its append to the reader that waited for it, on the same handle and on another one, as
//!   another process has it;
//! - *start*: a log that is there is opened, its ends are asked for and its last events are read.
//!
//! `-- --gb N` takes another size of the log that is opened (1 by default), `-- --rounds N` another number of batches (600).
//! `TMPDIR` chooses the disk.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark prints its table and may panic"
)]

mod support;

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use chipwire_log::{
    Cleanup, EventLog, Limit, PartitionId, Positions, Record, TopicSpec,
    sqlite::{Access, SqliteLog},
};

use support::{Times, event, print_at_least, print_at_most, print_rate};

const EVENTS: usize = 500;
const TOPIC: &str = "articles";
const PARTITIONS: u32 = 8;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let value = |name: &str, usual: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.map_or(usual, |at| arguments[at + 1].parse().unwrap())
    };
    let folder = tempfile::tempdir().unwrap();
    append_and_scan(folder.path(), value("--rounds", 600));
    one_event(folder.path());
    drop(folder);
    let folder = tempfile::tempdir().unwrap();
    start(folder.path(), value("--gb", 1));
}

fn path(folder: &Path) -> PathBuf {
    folder.join("log.db")
}

fn open(folder: &Path) -> SqliteLog {
    let log = SqliteLog::open(&path(folder), Access::Create).unwrap();
    let cleanup = Cleanup::Delete { retention: None };
    log.ensure(&[TopicSpec { name: TOPIC.into(), partitions: PARTITIONS, cleanup }]).unwrap();
    log
}

fn events(from: usize) -> Vec<Record> {
    let topic = Arc::from(TOPIC);
    (from..from + EVENTS).map(|seed| event(&topic, u32::try_from(seed).unwrap() % PARTITIONS, seed)).collect()
}

/// All that is given to the log, one after the other.
fn plain(events: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_all(events));
    for event in events {
        bytes.extend(&event.key);
        for (name, value) in &event.headers {
            bytes.extend(name.as_bytes());
            bytes.extend(value.as_bytes());
        }
        bytes.extend(event.value.as_ref().unwrap());
    }
    bytes
}

fn size_of_all(events: &[Record]) -> usize {
    events.iter().map(Record::size_bytes).sum()
}

fn append_and_scan(folder: &Path, rounds: usize) {
    const TURNS: usize = 4;
    println!("{rounds} batches of {EVENTS} events of 2 KB, in {TURNS} turns");
    drop(open(folder));
    let mut file = File::create(folder.join("bare")).unwrap();
    let (mut bare, mut appended, mut bytes) = (Times::default(), Times::default(), 0);
    let (mut bare_total, mut appended_total) = (Duration::ZERO, Duration::ZERO);
    for turn in 0..TURNS {
        let batches: Vec<Vec<Record>> =
            (turn * rounds / TURNS..(turn + 1) * rounds / TURNS).map(|round| events(round * EVENTS)).collect();
        let same: Vec<Vec<u8>> = batches.iter().map(|events| plain(events)).collect();
        bytes += same.iter().map(Vec::len).sum::<usize>();
        let started = Instant::now();
        for same in &same {
            let started = Instant::now();
            file.write_all(same).unwrap();
            file.sync_data().unwrap();
            bare.add(started.elapsed());
        }
        bare_total += started.elapsed();
        drop(same);
        let log = SqliteLog::open(&path(folder), Access::Write).unwrap();
        let mut writer = log.writer("bench").unwrap();
        let started = Instant::now();
        for events in &batches {
            let started = Instant::now();
            writer.append(events).unwrap();
            appended.add(started.elapsed());
        }
        drop((writer, log));
        appended_total += started.elapsed();
    }
    bare.print("write and fdatasync");
    appended.print("append");
    print_rate("write and fdatasync", bytes, bare_total);
    print_rate("append, with checkpoints", bytes, appended_total);
    // Of all of it and not of the medians: now and then an append pays for the checkpoint of many.
    let ratio = bare_total.as_secs_f64() / appended_total.as_secs_f64();
    print_at_least("append : write and fdatasync", ratio, 0.6);

    let log = open(folder);
    let stored: u64 = log.stats().unwrap().iter().map(|stats| stats.stored_bytes).sum();
    println!("{:<52} {:>9.2} of its size", "stored", stored as f64 / bytes as f64);
    let started = Instant::now();
    let mut reader = log.reader(&[TOPIC], &Positions::new()).unwrap();
    let mut seen = 0;
    loop {
        let batch = reader.next(Limit::default(), Duration::ZERO).unwrap();
        seen += batch.records.iter().map(|stored| stored.record.size_bytes()).sum::<usize>();
        if batch.at_end {
            break;
        }
    }
    print_rate("scan", seen, started.elapsed());
    assert_eq!(seen, bytes);
}

fn one_event(folder: &Path) {
    const ROUNDS: usize = 500;
    let log = open(folder);
    let other = SqliteLog::open(&path(folder), Access::Read).unwrap();
    let mut writer = log.writer("bench").unwrap();
    let ends: Positions =
        (0..).zip(log.bounds(TOPIC).unwrap()).map(|(n, bounds)| (PartitionId::new(TOPIC, n), bounds.high)).collect();
    println!("\none event of 2 KB, {ROUNDS} times");
    let mut ends_and_times = (ends, Times::default());
    for (log, name) in [(&log, "append to reader, same handle"), (&other, "append to reader, another handle")] {
        let (ends, mut appended) = ends_and_times;
        let mut reader = log.reader(&[TOPIC], &ends).unwrap();
        let (tell, told) = mpsc::channel();
        let mut times = Times::default();
        let positions = thread::scope(|scope| {
            let reading = scope.spawn(move || {
                let mut positions = ends;
                for _ in 0..ROUNDS {
                    loop {
                        let batch = reader.next(Limit::default(), Duration::from_secs(10)).unwrap();
                        positions.extend(batch.positions);
                        if !batch.records.is_empty() {
                            break;
                        }
                    }
                    tell.send(Instant::now()).unwrap();
                }
                positions
            });
            for event in events(0) {
                let started = Instant::now();
                writer.append(std::slice::from_ref(&event)).unwrap();
                appended.add(started.elapsed());
                times.add(told.recv().unwrap() - started);
            }
            reading.join().unwrap()
        });
        times.print(name);
        ends_and_times = (positions, appended);
    }
    ends_and_times.1.print("append alone");
}

fn start(folder: &Path, gb: usize) {
    let log = open(folder);
    let mut writer = log.writer("bench").unwrap();
    let topic = Arc::from(TOPIC);
    let mut count = 0_usize;
    // What cannot be compressed fills a disk sooner.
    let mut noise = 1_u64;
    let mut value = || -> Vec<u8> {
        let words = (0..2_000 / 8).flat_map(|_| {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            noise.to_le_bytes()
        });
        words.collect()
    };
    while fs::metadata(path(folder)).unwrap().len() < gb as u64 * 1_000_000_000 {
        let events: Vec<Record> = (0..8 * EVENTS)
            .map(|n| Record {
                topic: Arc::clone(&topic),
                partition: u32::try_from(n).unwrap() % PARTITIONS,
                key: format!("{:032x}", count + n).into_bytes(),
                headers: Vec::new(),
                value: Some(value()),
            })
            .collect();
        count += events.len();
        writer.append(&events).unwrap();
    }
    drop((writer, log));
    let size = fs::metadata(path(folder)).unwrap().len();
    println!("\n{count} events in a file of {:.1} GB", size as f64 / 1e9);
    let started = Instant::now();
    let log = SqliteLog::open(&path(folder), Access::Write).unwrap();
    let ends = log.bounds(TOPIC).unwrap();
    let last = (0..).zip(&ends).map(|(n, bounds)| (PartitionId::new(TOPIC, n), bounds.high - 1)).collect();
    let mut reader = log.reader(&[TOPIC], &last).unwrap();
    let mut seen = 0;
    while seen < ends.len() {
        seen += reader.next(Limit::default(), Duration::ZERO).unwrap().records.len();
    }
    print_at_most("start, in seconds", started.elapsed().as_secs_f64(), 2.0);
}
