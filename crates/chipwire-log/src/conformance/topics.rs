//! Topics, partitions, bounds, the log's identity.

use std::sync::Arc;

use super::{
    Fixture,
    script::{read_all, record, topic},
};
use crate::{Cleanup, Error, PartitionId, Positions, Record, TopicSpec};

pub(super) fn genesis(fixture: &dyn Fixture) {
    let genesis = fixture.open().genesis().unwrap();
    assert!(!genesis.is_empty());
    assert_eq!(genesis, fixture.open().genesis().unwrap());
}

pub(super) fn ensure(fixture: &dyn Fixture) {
    let log = fixture.open();
    let spec = |name: &Arc<str>, partitions| TopicSpec {
        name: Arc::clone(name),
        partitions,
        cleanup: Cleanup::Delete { retention: None },
    };
    let old = topic(fixture, log.as_ref(), "old", 2);
    let writer = fixture.unique("writer");
    log.writer(&writer).unwrap().append(&[record(&old, 1, "k", "kept")]).unwrap();

    let new: Arc<str> = fixture.unique("new").into();
    for _ in 0..2 {
        log.ensure(&[spec(&old, 2), spec(&new, 3)]).unwrap();
    }
    assert_eq!(log.bounds(&new).unwrap().len(), 3);
    assert_eq!(read_all(fixture, log.as_ref(), &[&old]).len(), 1, "ensure must not touch what a topic holds");

    match log.ensure(&[spec(&old, 4)]) {
        Err(Error::TopicMismatch { topic, found: 2, expected: 4 }) => assert_eq!(topic, &*old),
        other => panic!("expected a mismatch, got {other:?}"),
    }
    assert_eq!(log.bounds(&old).unwrap().len(), 2);
    match log.ensure(&[TopicSpec { cleanup: Cleanup::Compact, ..spec(&new, 3) }]) {
        Err(Error::TopicSetting { topic, setting: "cleanup.policy", .. }) => assert_eq!(topic, &*new),
        other => panic!("a topic that is no state topic was taken for one: {other:?}"),
    }
}

pub(super) fn unknown_topic(fixture: &dyn Fixture) {
    let log = fixture.open();
    let known = topic(fixture, log.as_ref(), "known", 1);
    let unknown: Arc<str> = fixture.unique("unknown").into();
    let group = fixture.unique("group");
    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    let failures = [
        ("bounds", log.bounds(&unknown).err()),
        ("reader", log.reader(&[&known, &unknown], &Positions::new()).err()),
        ("worker", log.worker(&group, "member", &[&unknown]).err()),
        ("state", log.state(&unknown, None).err()),
        ("append", writer.append(&[record(&known, 0, "k", "v"), record(&unknown, 0, "k", "v")]).err()),
    ];
    for (call, error) in failures {
        assert!(
            matches!(&error, Some(Error::UnknownTopic(name)) if **name == *unknown),
            "{call} of an unknown topic answered {error:?}"
        );
    }
    writer.append(&[record(&known, 0, "k", "a refused append does not end the writer")]).unwrap();
    assert_eq!(read_all(fixture, log.as_ref(), &[&known]).len(), 1);
}

pub(super) fn unknown_partition(fixture: &dyn Fixture) {
    let log = fixture.open();
    let known = topic(fixture, log.as_ref(), "known", 2);
    let wrong = PartitionId::new(Arc::clone(&known), 2);
    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    let beyond: Record = record(&known, 2, "k", "v");
    let failures = [
        ("append", writer.append(&[record(&known, 0, "k", "v"), beyond]).err()),
        ("reader", log.reader(&[&known], &Positions::from([(wrong.clone(), 0)])).err()),
        ("state", log.state(&known, Some(&[0, 2])).err()),
    ];
    for (call, error) in failures {
        assert!(
            matches!(&error, Some(Error::UnknownPartition(partition)) if *partition == wrong),
            "{call} of an unknown partition answered {error:?}"
        );
    }
    writer.append(&[record(&known, 1, "k", "a refused append does not end the writer")]).unwrap();
    assert_eq!(read_all(fixture, log.as_ref(), &[&known]).len(), 1);
}

pub(super) fn bounds(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "bounded", 2);
    for bounds in log.bounds(&topic).unwrap() {
        assert_eq!(bounds.low, bounds.high, "nothing was written");
    }
    let records: Vec<_> = (0..10).map(|n| record(&topic, 1, "k", &n.to_string())).collect();
    log.writer(&fixture.unique("writer")).unwrap().append(&records).unwrap();
    let bounds = fixture.open().bounds(&topic).unwrap();
    assert_eq!(bounds.len(), 2);
    assert_eq!(bounds[0].low, bounds[0].high, "nothing was written to partition 0");
    let stored = read_all(fixture, log.as_ref(), &[&topic]);
    assert_eq!(stored.len(), 10);
    assert!(bounds[1].low <= stored[0].offset, "{:?}, first offset {}", bounds[1], stored[0].offset);
    assert!(bounds[1].high > stored[9].offset, "{:?}, last offset {}", bounds[1], stored[9].offset);
}
