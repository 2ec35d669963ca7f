//! The embedded log against the disk it stands on: `cargo bench -p chipwire-log --no-default-features`.
//!
//! Batches of 500 events of 2 KB each, made durable one after the other, as a single stage does it; then all of them read
//! back. `TMPDIR` chooses the disk.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::{fs::File, hint::black_box, io::Write, sync::Arc, time::Duration};

use chipwire_log::{
    Cleanup, EventLog, Limit, Positions, Record, TopicSpec,
    sqlite::{Access, SqliteLog},
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const EVENTS: usize = 500;
const TOPIC: &str = "articles";
const PARTITIONS: u32 = 8;

/// Words in an order that a compressor finds as hard as news.
fn event(seed: usize) -> Record {
    const WORDS: [&str; 32] = [
        "export",
        "controls",
        "wafer",
        "foundry",
        "memory",
        "said",
        "on",
        "Tuesday",
        "the",
        "company",
        "shipments",
        "of",
        "advanced",
        "chips",
        "to",
        "China",
        "rose",
        "percent",
        "quarter",
        "licence",
        "rule",
        "packaging",
        "capacity",
        "billion",
        "dollars",
        "by",
        "year",
        "end",
        "plant",
        "in",
        "Arizona",
        "analysts",
    ];
    let mut state = seed as u64 + 1;
    let mut text = format!("{{\"id\":\"{seed:032x}\",\"text\":\"");
    while text.len() < 2_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = usize::try_from(state >> 59).unwrap();
        text.push_str(WORDS.get(word).unwrap());
        text.push_str(if (state >> 32) & 15 == 0 { " 4,7" } else { " " });
        if (state >> 40) & 7 == 0 {
            text.push_str(&format!("{:x} ", state >> 36));
        }
    }
    text.push_str("\"}");
    let header = |name: &str, value: String| (name.to_owned(), value);
    Record {
        topic: Arc::from(TOPIC),
        partition: u32::try_from(seed).unwrap() % PARTITIONS,
        key: format!("{seed:032x}").into_bytes(),
        headers: vec![
            header("ce_id", format!("{seed:032x}")),
            header("ce_type", "chipwire.article.fetched.v1".into()),
            header("ce_specversion", "1.0".into()),
        ],
        value: Some(text.into_bytes()),
    }
}

fn size_bytes(events: &[Record]) -> u64 {
    events.iter().map(|event| (event.key.len() + event.value.as_ref().unwrap().len()) as u64).sum()
}

fn open(folder: &tempfile::TempDir) -> SqliteLog {
    let log = SqliteLog::open(&folder.path().join("log.db"), Access::Create).unwrap();
    let cleanup = Cleanup::Delete { retention: None };
    log.ensure(&[TopicSpec { name: TOPIC.into(), partitions: PARTITIONS, cleanup }]).unwrap();
    log
}

fn append(criterion: &mut Criterion) {
    let events: Vec<_> = (0..EVENTS).map(event).collect();
    let mut group = criterion.benchmark_group("append 500 events of 2 KB");
    group.throughput(Throughput::Bytes(size_bytes(&events)));

    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("bare")).unwrap();
    group.bench_function("bare write and fdatasync", |bencher| {
        bencher.iter_batched(
            || events.iter().flat_map(|event| event.value.clone().unwrap()).collect::<Vec<u8>>(),
            |bytes| {
                file.write_all(&bytes).unwrap();
                file.sync_data().unwrap();
            },
            BatchSize::SmallInput,
        );
    });

    let log = open(&folder);
    let mut writer = log.writer("bench").unwrap();
    group.bench_function("sqlite", |bencher| bencher.iter(|| writer.append(black_box(&events)).unwrap()));
    group.finish();

    let mut group = criterion.benchmark_group("append 1 event of 2 KB");
    group.bench_function("sqlite", |bencher| {
        bencher.iter(|| writer.append(std::slice::from_ref(events.first().unwrap())).unwrap());
    });
    group.finish();
}

fn scan(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder);
    let mut writer = log.writer("bench").unwrap();
    let mut total = 0;
    for batch in 0..100 {
        let events: Vec<_> = (0..EVENTS).map(|n| event(batch * EVENTS + n)).collect();
        total += size_bytes(&events);
        writer.append(&events).unwrap();
    }
    let stored: u64 = log.stats().unwrap().iter().map(|stats| stats.stored_bytes).sum();
    let mut group = criterion
        .benchmark_group(format!("scan 50,000 events, stored at {:.2} of their size", stored as f64 / total as f64));
    group.throughput(Throughput::Bytes(total)).sample_size(10);
    group.bench_function("sqlite", |bencher| {
        bencher.iter(|| {
            let mut reader = log.reader(&[TOPIC], &Positions::new()).unwrap();
            let mut seen = 0;
            loop {
                let batch = reader.next(Limit::default(), Duration::ZERO).unwrap();
                seen += batch.records.len();
                if batch.at_end {
                    break;
                }
            }
            assert_eq!(seen, 100 * EVENTS);
        });
    });
    group.finish();

    let mut reader = log.reader(&[TOPIC], &Positions::new()).unwrap();
    while !reader.next(Limit::default(), Duration::ZERO).unwrap().at_end {}
    criterion.bench_function("poll with nothing new", |bencher| {
        bencher.iter(|| reader.next(Limit::default(), Duration::ZERO).unwrap());
    });
}

criterion_group!(benches, append, scan);
criterion_main!(benches);
