//! Law 5: state topics.

use std::{collections::BTreeMap, thread};

use super::{
    Fixture,
    script::{read_from, record, state_topic, text, tombstone},
};
use crate::{EventLog, PartitionId, Positions, State, StoredRecord};

fn map(state: &State) -> BTreeMap<String, String> {
    state
        .records
        .iter()
        .map(|(key, stored)| {
            assert_eq!(*key, stored.record.key, "a record stands under its own key");
            (String::from_utf8(key.clone()).unwrap(), text(stored))
        })
        .collect()
}

/// What a projection makes of records that came after a state.
fn apply(map: &mut BTreeMap<String, String>, records: &[StoredRecord]) {
    for stored in records {
        let key = String::from_utf8(stored.record.key.clone()).unwrap();
        match &stored.record.value {
            Some(_) => map.insert(key, text(stored)),
            None => map.remove(&key),
        };
    }
}

fn expect(log: &dyn EventLog, topic: &str, partitions: Option<&[u32]>, expected: &[(&str, &str)]) {
    let expected = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let state = log.state(topic, partitions).unwrap();
    assert_eq!(map(&state), expected);
    let mut shown = Vec::new();
    let positions = log.each_latest(topic, partitions, &mut |stored| shown.push(stored)).unwrap();
    assert_eq!((shown.len(), &positions), (state.records.len(), &state.positions));
    assert!(shown.iter().all(|stored| state.records.get(&stored.record.key) == Some(stored)), "{shown:?}");
    for (key, stored) in &state.records {
        assert_eq!(log.latest(topic, stored.record.partition, key).unwrap().as_ref(), Some(stored));
    }
    assert_eq!(log.latest(topic, 0, b"never there").unwrap(), None);
}

pub(super) fn latest_per_key(fixture: &dyn Fixture) {
    let log = fixture.open();
    let log = log.as_ref();
    let topic = state_topic(fixture, log, "settings", 2);
    expect(log, &topic, None, &[]);
    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    writer
        .append(&[
            record(&topic, 0, "a", "1"),
            record(&topic, 1, "b", "1"),
            record(&topic, 0, "a", "2"),
            record(&topic, 0, "c", "1"),
            tombstone(&topic, 0, "never there"),
        ])
        .unwrap();
    expect(log, &topic, None, &[("a", "2"), ("b", "1"), ("c", "1")]);

    writer.append(&[tombstone(&topic, 0, "a"), record(&topic, 1, "b", "2"), record(&topic, 0, "c", "")]).unwrap();
    expect(fixture.open().as_ref(), &topic, None, &[("b", "2"), ("c", "")]);
    assert_eq!(log.latest(&topic, 0, b"a").unwrap(), None, "after a tombstone");
    assert_eq!(log.latest(&topic, 0, b"b").unwrap(), None, "in another partition");

    writer.append(&[record(&topic, 0, "a", "3"), record(&topic, 1, "b", "3"), tombstone(&topic, 1, "b")]).unwrap();
    expect(log, &topic, None, &[("a", "3"), ("c", "")]);

    let state = log.state(&topic, None).unwrap();
    let stored = &state.records[b"a".as_slice()];
    let (partition, position) = (stored.partition_id(), state.positions[&stored.partition_id()]);
    assert!(stored.offset < position, "{partition} offset {} at position {position}", stored.offset);
}

pub(super) fn partition_filter(fixture: &dyn Fixture) {
    let log = fixture.open();
    let log = log.as_ref();
    let topic = state_topic(fixture, log, "sharded", 3);
    let records: Vec<_> = (0..3).map(|n| record(&topic, n, &format!("k{n}"), "v")).collect();
    log.writer(&fixture.unique("writer")).unwrap().append(&records).unwrap();
    expect(log, &topic, Some(&[0, 2]), &[("k0", "v"), ("k2", "v")]);
    expect(log, &topic, Some(&[1]), &[("k1", "v")]);
    expect(log, &topic, Some(&[]), &[]);
    let positions = log.state(&topic, Some(&[1])).unwrap().positions;
    assert!(positions.keys().all(|partition| partition.partition == 1), "{positions:?}");
}

pub(super) fn positions(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = state_topic(fixture, log.as_ref(), "followed", 2);
    let empty = log.state(&topic, None).unwrap();
    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    let first = [record(&topic, 0, "a", "1"), record(&topic, 1, "b", "1"), record(&topic, 0, "a", "2")];
    writer.append(&first).unwrap();
    let filled = log.state(&topic, None).unwrap();
    let second = [tombstone(&topic, 1, "b"), record(&topic, 0, "c", "1")];
    writer.append(&second).unwrap();

    let after = |positions: &Positions| read_from(fixture, log.as_ref(), &[&topic], positions);
    let mut from_empty = map(&empty);
    apply(&mut from_empty, &after(&empty.positions));
    let mut from_filled = map(&filled);
    let seen = after(&filled.positions);
    assert_eq!(seen.len(), second.len(), "exactly what came after: {seen:?}");
    apply(&mut from_filled, &seen);
    let now = map(&log.state(&topic, None).unwrap());
    assert_eq!(from_empty, now);
    assert_eq!(from_filled, now);
    assert!(after(&log.state(&topic, None).unwrap().positions).is_empty());
}

/// States taken at any moment, brought forward by a reader, must all come to the same end.
pub(super) fn while_written(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = state_topic(fixture, log.as_ref(), "moving", 2);
    let mut writer = fixture.open().writer(&fixture.unique("writer")).unwrap();
    let states: Vec<State> = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for n in 0..30_u32 {
                let partition = n % 2;
                let key = format!("{partition}.{}", n % 5);
                let change = if n % 7 == 6 {
                    tombstone(&topic, partition, &key)
                } else {
                    record(&topic, partition, &key, &n.to_string())
                };
                writer.append(&[change, record(&topic, 0, "0.last", &n.to_string())]).unwrap();
            }
        });
        let mut states = Vec::new();
        while !writing.is_finished() && states.len() < 50 {
            states.push(log.state(&topic, None).unwrap());
        }
        states
    });
    let end = map(&log.state(&topic, None).unwrap());
    assert_eq!(end["0.last"], "29");
    for state in states {
        let mut brought_forward = map(&state);
        let records = read_from(fixture, log.as_ref(), &[&topic], &state.positions);
        for stored in &records {
            let from = state.positions.get(&PartitionId::new(std::sync::Arc::clone(&topic), stored.record.partition));
            assert!(Some(&stored.offset) >= from);
        }
        apply(&mut brought_forward, &records);
        assert_eq!(brought_forward, end);
    }
}
