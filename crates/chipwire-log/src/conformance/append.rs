//! Law 1 for writers: all or nothing, and durable.

use std::{sync::Arc, time::Duration};

use super::{
    Fixture,
    script::{drain, read_all, record, text, tombstone, topic, values},
};
use crate::{Error, Limit, PartitionId, Positions, Record};

pub(super) fn over_several_topics(fixture: &dyn Fixture) {
    let log = fixture.open();
    let (a, b) = (topic(fixture, log.as_ref(), "a", 3), topic(fixture, log.as_ref(), "b", 2));
    let mut reader = fixture.open().reader(&[&a, &b], &Positions::new()).unwrap();
    assert!(drain(fixture, reader.as_mut()).0.is_empty());

    let records = [
        record(&a, 0, "k", "1"),
        record(&b, 1, "k", "2"),
        record(&a, 2, "k", "3"),
        record(&a, 0, "k", "4"),
        record(&b, 0, "k", "5"),
    ];
    log.writer(&fixture.unique("writer")).unwrap().append(&records).unwrap();
    // No waiting here: what was acknowledged must be seen by a reader that then says it is at the end.
    let (seen, _) = drain(fixture, reader.as_mut());
    assert_eq!(values(&seen), ["1", "2", "3", "4", "5"]);
    let first: Vec<_> =
        seen.iter().filter(|stored| stored.partition_id() == PartitionId::new(Arc::clone(&a), 0)).map(text).collect();
    assert_eq!(first, ["1", "4"]);
}

pub(super) fn failed_leaves_nothing(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "whole", 2);
    let name = fixture.unique("writer");
    let mut writer = log.writer(&name).unwrap();
    let mut records: Vec<_> = (0..50).map(|n| record(&topic, n % 2, "k", "must not be seen")).collect();
    records.push(record(&topic, 7, "k", "no such partition"));
    assert!(matches!(writer.append(&records), Err(Error::UnknownPartition(_))));
    writer.append(&[record(&topic, 0, "k", "good")]).unwrap();

    let _newer = log.writer(&name).unwrap();
    records.pop();
    assert!(matches!(writer.append(&records), Err(Error::Fenced { .. })));
    assert_eq!(values(&read_all(fixture, log.as_ref(), &[&topic])), ["good"]);
}

pub(super) fn survives_reopening(fixture: &dyn Fixture) {
    let (topic, written) = {
        let log = fixture.open();
        let topic = topic(fixture, log.as_ref(), "durable", 2);
        let records: Vec<_> = (0..20).map(|n| record(&topic, n % 2, "k", &n.to_string())).collect();
        log.writer(&fixture.unique("writer")).unwrap().append(&records).unwrap();
        (topic, records)
    };
    let stored = read_all(fixture, fixture.open().as_ref(), &[&topic]);
    for partition in 0..2 {
        let stored: Vec<_> = stored.iter().map(|stored| &stored.record).filter(|r| r.partition == partition).collect();
        let written: Vec<_> = written.iter().filter(|r| r.partition == partition).collect();
        assert_eq!(stored, written);
    }
}

pub(super) fn of_nothing(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "empty", 1);
    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    writer.append(&[]).unwrap();
    assert!(read_all(fixture, log.as_ref(), &[&topic]).is_empty());
    writer.append(&[record(&topic, 0, "k", "v")]).unwrap();
    writer.append(&[]).unwrap();
    assert_eq!(values(&read_all(fixture, log.as_ref(), &[&topic])), ["v"]);
}

pub(super) fn round_trip(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "bytes", 1);
    let every_byte: Vec<u8> = (0..=255).collect();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let records = vec![
        Record { key: every_byte.clone(), value: Some(every_byte), ..record(&topic, 0, "", "") },
        Record { key: Vec::new(), value: Some(Vec::new()), ..record(&topic, 0, "", "") },
        tombstone(&topic, 0, "gone"),
        Record { headers: vec![header("only", "a tombstone's header")], ..tombstone(&topic, 0, "gone") },
        Record {
            headers: vec![
                header("ce_id", "1"),
                header("twice", "first"),
                header("twice", "second"),
                header("empty", ""),
                header("芯片", "台积电 \u{1F50D} \"quoted\"\n"),
            ],
            ..record(&topic, 0, "键", "值")
        },
    ];
    log.writer(&fixture.unique("writer")).unwrap().append(&records).unwrap();
    let stored: Vec<_> = read_all(fixture, log.as_ref(), &[&topic]).into_iter().map(|stored| stored.record).collect();
    assert_eq!(stored, records);
}

pub(super) fn large_record(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "large", 1);
    // Bytes that no compression makes smaller (splitmix64), so that it is large everywhere.
    let mut seed = 42_u64;
    let value: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb).to_le_bytes()
    })
    .flatten()
    .take(1_000_000)
    .collect();
    let large = Record { value: Some(value), ..record(&topic, 0, "large", "") };
    let small = record(&topic, 0, "small", "v");
    let written = [small.clone(), large.clone(), small, large];
    log.writer(&fixture.unique("writer")).unwrap().append(&written).unwrap();

    let stored = read_all(fixture, log.as_ref(), &[&topic]);
    assert!(
        stored.iter().map(|stored| &stored.record).eq(&written),
        "large records were not read as they were written"
    );

    let mut reader = log.reader(&[&topic], &Positions::new()).unwrap();
    let mut one_by_one = Vec::new();
    let deadline = super::script::Deadline::new(fixture, "four records read one by one");
    while one_by_one.len() < 4 {
        let batch = reader.next(Limit { records: 100, size_bytes: 1 }, Duration::from_millis(100)).unwrap();
        assert!(batch.records.len() <= 1);
        one_by_one.extend(batch.records.into_iter().map(|stored| stored.record));
        deadline.check();
    }
    assert!(one_by_one.iter().eq(&written), "a record larger than the limit must be returned alone");
}
