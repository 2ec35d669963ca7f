//! Law 3: the newer of a name fences the older.

use std::sync::Arc;

use super::{
    Fixture,
    script::{Work, read_all, record, topic, values},
};
use crate::{Error, PartitionId, Positions};

pub(super) fn writer(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "owned", 1);
    let name = fixture.unique("writer");
    let mut older = log.writer(&name).unwrap();
    older.append(&[record(&topic, 0, "k", "older")]).unwrap();

    let other = fixture.open();
    let mut newer = other.writer(&name).unwrap();
    for _ in 0..2 {
        let fenced = older.append(&[record(&topic, 0, "k", "zombie")]);
        assert!(matches!(fenced, Err(Error::Fenced { .. })), "{fenced:?}");
    }
    newer.append(&[record(&topic, 0, "k", "newer")]).unwrap();
    drop(older);
    newer.append(&[record(&topic, 0, "k", "still newer")]).unwrap();
    assert_eq!(values(&read_all(fixture, log.as_ref(), &[&topic])), ["newer", "older", "still newer"]);
}

pub(super) fn other_names(fixture: &dyn Fixture) {
    let log = fixture.open();
    let topic = topic(fixture, log.as_ref(), "shared", 1);
    let mut writers = [
        log.writer(&fixture.unique("a")).unwrap(),
        fixture.open().writer(&fixture.unique("b")).unwrap(),
        log.writer(&fixture.unique("c")).unwrap(),
    ];
    for round in 0..2 {
        for (number, writer) in writers.iter_mut().enumerate() {
            writer.append(&[record(&topic, 0, "k", &format!("{round}.{number}"))]).unwrap();
        }
    }
    assert_eq!(values(&read_all(fixture, log.as_ref(), &[&topic])), ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"]);
}

pub(super) fn worker(fixture: &dyn Fixture) {
    let log = fixture.open();
    let (input, output) = (topic(fixture, log.as_ref(), "input", 2), topic(fixture, log.as_ref(), "output", 1));
    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    writer.append(&[record(&input, 0, "k", "1"), record(&input, 1, "k", "2")]).unwrap();

    let (group, member) = (fixture.unique("group"), fixture.unique("member"));
    let mut older = log.worker(&group, &member, &[&input]).unwrap();
    let read = Work::until(fixture, older.as_mut(), 2, 2);

    let other = fixture.open();
    let mut newer = other.worker(&group, &member, &[&input]).unwrap();
    let fenced = older.commit(&[record(&output, 0, "k", "zombie")], &read.positions);
    assert!(matches!(fenced, Err(Error::Fenced { .. })), "{fenced:?}");
    assert_eq!(log.committed(&group, &[&input]).unwrap(), Positions::new());
    drop(older);

    let read = Work::until(fixture, newer.as_mut(), 2, 2);
    assert_eq!(values(&read.records), ["1", "2"]);
    newer.commit(&[record(&output, 0, "k", "newer")], &read.positions).unwrap();
    assert_eq!(log.committed(&group, &[&input]).unwrap(), read.positions);
    assert_eq!(values(&read_all(fixture, log.as_ref(), &[&output])), ["newer"]);
}

pub(super) fn kinds(fixture: &dyn Fixture) {
    let log = fixture.open();
    let (input, output) = (topic(fixture, log.as_ref(), "input", 1), topic(fixture, log.as_ref(), "output", 1));
    let name = fixture.unique("same");
    let mut writer = log.writer(&name).unwrap();
    writer.append(&[record(&input, 0, "k", "1")]).unwrap();
    let mut worker = log.worker(&name, &name, &[&input]).unwrap();
    let read = Work::until(fixture, worker.as_mut(), 1, 1);
    writer.append(&[record(&input, 0, "k", "2")]).unwrap();
    worker.commit(&[record(&output, 0, "k", "out")], &read.positions).unwrap();
    let _second = log.writer(&name).unwrap();
    worker.commit(&[record(&output, 0, "k", "out again")], &Positions::new()).unwrap();
    assert_eq!(values(&read_all(fixture, log.as_ref(), &[&output])), ["out", "out again"]);
}

pub(super) fn groups(fixture: &dyn Fixture) {
    let log = fixture.open();
    let input = topic(fixture, log.as_ref(), "input", 1);
    log.writer(&fixture.unique("writer")).unwrap().append(&[record(&input, 0, "k", "1")]).unwrap();
    let member = fixture.unique("member");
    let names = [fixture.unique("group"), fixture.unique("group")];
    let mut workers = names.each_ref().map(|group| log.worker(group, &member, &[&input]).unwrap());
    let positions = workers.each_mut().map(|worker| Work::until(fixture, worker.as_mut(), 1, 1).positions);
    workers[0].commit(&[], &positions[0]).unwrap();
    assert_eq!(log.committed(&names[0], &[&input]).unwrap(), positions[0]);
    assert_eq!(log.committed(&names[1], &[&input]).unwrap(), Positions::new());
    workers[1].commit(&[], &positions[1]).unwrap();
    let partition = PartitionId::new(Arc::clone(&input), 0);
    assert!(log.committed(&names[1], &[&input]).unwrap().contains_key(&partition));
}
