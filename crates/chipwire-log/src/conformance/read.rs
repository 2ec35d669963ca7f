//! Law 2: readers.

use std::{
    collections::BTreeMap,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use super::{
    Fixture,
    script::{Deadline, POLL, by_partition, drain, read_all, read_from, record, size_bytes, take, text, topic},
};
use crate::{Error, Limit, PartitionId, Positions};

/// Three writers, each appending transactions over two partitions, while a reader reads.
pub(super) fn concurrent_writers(fixture: &dyn Fixture) {
    const WRITERS: usize = 3;
    const APPENDS: usize = 20;
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "busy", 2);
    let expected = WRITERS * APPENDS * 4;
    let mut seen = Vec::new();
    let mut positions = Positions::new();
    thread::scope(|scope| {
        for number in 0..WRITERS {
            let topic = &topic;
            scope.spawn(move || {
                let mut writer = fixture.open().writer(&fixture.unique("writer")).unwrap();
                for n in 0..APPENDS {
                    let records: Vec<_> = (0..4)
                        .map(|part| record(topic, part % 2, &number.to_string(), &format!("{n}.{part}")))
                        .collect();
                    writer.append(&records).unwrap();
                }
            });
        }
        let deadline = Deadline::new(fixture, format!("{expected} records of concurrent writers read"));
        let mut reader = log.reader(&[&topic], &positions).unwrap();
        while seen.len() < expected {
            take(reader.next(Limit::default(), POLL).unwrap(), Limit::default(), &mut seen, &mut positions);
            deadline.check();
        }
    });
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for stored in &seen {
        found.entry((stored.record.key.clone(), stored.record.partition)).or_default().push(text(stored));
    }
    for number in 0..WRITERS {
        for partition in 0..2 {
            let written: Vec<_> =
                (0..APPENDS).flat_map(|n| [format!("{n}.{partition}"), format!("{n}.{}", partition + 2)]).collect();
            assert_eq!(found[&(number.to_string().into_bytes(), partition)], written, "writer {number}");
        }
    }
    let again = read_all(fixture, log.as_ref(), &[&topic]);
    assert_eq!(by_partition(&again), by_partition(&seen), "a second reader must see the same order");
    assert!(read_from(fixture, log.as_ref(), &[&topic], &positions).is_empty());
}

pub(super) fn resumes(fixture: &dyn Fixture) {
    let log = fixture.open();
    let (a, b) = (topic(fixture, log.as_ref(), "a", 2), topic(fixture, log.as_ref(), "b", 1));
    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    for n in 0..10 {
        let partition = n % 2;
        let records = (0..n)
            .flat_map(|m| [record(&a, partition, "k", &format!("{n}.{m}")), record(&b, 0, "k", &format!("{n}.{m}"))]);
        writer.append(&records.collect::<Vec<_>>()).unwrap();
    }
    let topics = [&*a, &*b];
    let whole = read_all(fixture, log.as_ref(), &topics);
    assert_eq!(whole.len(), 90);

    let deadline = Deadline::new(fixture, "all records read in small steps");
    let limit = Limit { records: 20, size_bytes: 1 << 20 };
    let (mut pieces, mut positions) = (Vec::new(), Positions::new());
    while pieces.len() < whole.len() {
        let mut reader = log.reader(&topics, &positions).unwrap();
        let before = pieces.len();
        while pieces.len() == before {
            take(reader.next(limit, POLL).unwrap(), limit, &mut pieces, &mut positions);
            deadline.check();
        }
    }
    assert_eq!(by_partition(&pieces), by_partition(&whole));
    assert!(read_from(fixture, log.as_ref(), &topics, &positions).is_empty());

    // From the position after a record that is not the last of a batch.
    let middle = whole.iter().filter(|stored| *stored.record.topic == *b).nth(21).unwrap();
    let from = Positions::from([(middle.partition_id(), middle.offset + 1)]);
    let rest: Vec<_> = read_from(fixture, log.as_ref(), &[&b], &from).iter().map(|stored| stored.offset).collect();
    let expected: Vec<_> = whole
        .iter()
        .filter(|stored| *stored.record.topic == *b && stored.offset > middle.offset)
        .map(|stored| stored.offset)
        .collect();
    assert_eq!(rest, expected);
}

pub(super) fn limit(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "limited", 2);
    let records: Vec<_> = (0..60).map(|n| record(&topic, n % 2, "key", &format!("{n:0>100}"))).collect();
    log.writer(&fixture.unique("writer")).unwrap().append(&records).unwrap();
    let one = size_bytes(&records[0]);
    for limit in [
        Limit { records: 7, size_bytes: 1 << 20 },
        Limit { records: 1, size_bytes: 1 << 20 },
        Limit { records: 1_000, size_bytes: 5 * one + 1 },
        Limit { records: 1_000, size_bytes: 0 },
    ] {
        let deadline = Deadline::new(fixture, format!("60 records read with {limit:?}"));
        let mut reader = log.reader(&[&topic], &Positions::new()).unwrap();
        let (mut seen, mut positions) = (Vec::new(), Positions::new());
        while seen.len() < 60 {
            take(reader.next(limit, POLL).unwrap(), limit, &mut seen, &mut positions);
            deadline.check();
        }
        assert_eq!(seen.len(), 60);
    }
}

pub(super) fn at_end(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "ended", 3);
    let mut reader = log.reader(&[&topic], &Positions::new()).unwrap();
    assert!(drain(fixture, reader.as_mut()).0.is_empty(), "an empty log is at its end");

    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    for round in 1..=3_u32 {
        let records: Vec<_> = (0..round * 10).map(|n| record(&topic, n % 3, "k", "v")).collect();
        writer.append(&records).unwrap();
        let deadline = Deadline::new(fixture, "the end");
        let mut seen = 0;
        loop {
            let batch = reader.next(Limit { records: 8, ..Limit::default() }, Duration::ZERO).unwrap();
            seen += batch.records.len();
            if batch.at_end {
                break;
            }
            deadline.check();
        }
        assert_eq!(seen, records.len(), "the end was claimed early in round {round}");
    }
    // Once at the end, it says so again, and a call with no wait returns at once with nothing.
    let started = Instant::now();
    let (nothing, _) = drain(fixture, reader.as_mut());
    assert!(nothing.is_empty() && started.elapsed() < fixture.deadline());
}

pub(super) fn woken(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "tail", 2);
    let mut reader = log.reader(&[&topic], &Positions::new()).unwrap();
    drain(fixture, reader.as_mut());
    let mut writer = fixture.open().writer(&fixture.unique("writer")).unwrap();
    let wait = fixture.deadline();
    thread::scope(|scope| {
        let (ready, is_ready) = mpsc::channel();
        let waiting = scope.spawn(move || {
            let deadline = Instant::now() + wait;
            ready.send(()).unwrap();
            loop {
                let batch = reader.next(Limit::default(), wait).unwrap();
                if !batch.records.is_empty() {
                    return batch.records;
                }
                assert!(Instant::now() < deadline, "the reader was not woken");
            }
        });
        is_ready.recv().unwrap();
        let started = Instant::now();
        writer.append(&[record(&topic, 1, "k", "wake up")]).unwrap();
        let records = waiting.join().unwrap();
        assert_eq!(text(&records[0]), "wake up");
        assert!(started.elapsed() < wait / 2, "woken after {:?}, the wait was {wait:?}", started.elapsed());
    });
}

pub(super) fn only_its_topics(fixture: &dyn Fixture) {
    let log = fixture.open();
    let (a, b) = (topic(fixture, log.as_ref(), "a", 1), topic(fixture, log.as_ref(), "b", 1));
    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    writer.append(&[record(&a, 0, "k", "1"), record(&b, 0, "k", "2"), record(&a, 0, "k", "3")]).unwrap();
    // Positions of topics that are not read are of no matter.
    let from = Positions::from([(PartitionId::new(std::sync::Arc::clone(&b), 0), 1)]);
    let seen: Vec<_> = read_from(fixture, log.as_ref(), &[&a], &from).iter().map(text).collect();
    assert_eq!(seen, ["1", "3"]);
}

pub(super) fn out_of_range(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "short", 1);
    log.writer(&fixture.unique("writer")).unwrap().append(&[record(&topic, 0, "k", "v")]).unwrap();
    let partition = PartitionId::new(std::sync::Arc::clone(&topic), 0);
    let high = log.bounds(&topic).unwrap()[0].high;
    assert!(
        read_from(fixture, log.as_ref(), &[&topic], &Positions::from([(partition.clone(), high)])).is_empty(),
        "the upper bound itself is a good position"
    );

    let from = Positions::from([(partition.clone(), high + 1_000)]);
    let deadline = Deadline::new(fixture, "an error for a position outside of the bounds");
    let mut reader = log.reader(&[&topic], &from);
    loop {
        let error = match reader.as_mut().map(|reader| reader.next(Limit::default(), POLL)) {
            Ok(Ok(batch)) => {
                assert!(batch.records.is_empty(), "{batch:?}");
                deadline.check();
                continue;
            }
            Ok(Err(error)) => error,
            Err(_) => reader.err().unwrap(),
        };
        match error {
            Error::OutOfRange { partition: named, position, .. } => {
                assert_eq!((named, position), (partition, high + 1_000));
            }
            other => panic!("expected a position out of range, got {other}"),
        }
        return;
    }
}
