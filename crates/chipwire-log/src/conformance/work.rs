//! Laws 1 and 4 for workers: outputs and positions are one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use super::{
    Fixture,
    script::{Deadline, POLL, Work, drain, read_all, record, text, topic, values},
};
use crate::{Error, EventLog, Limit, PartitionId, Positions, Record, Step, StoredRecord};

/// A log with `records` records spread over two partitions of an input topic, and an output topic with two.
struct Setting {
    log: Box<dyn EventLog>,
    input: Arc<str>,
    output: Arc<str>,
    group: String,
    member: String,
}

impl Setting {
    fn new(fixture: &dyn Fixture, records: u32) -> Self {
        let log = fixture.open();
        let (input, output) = (topic(fixture, log.as_ref(), "input", 2), topic(fixture, log.as_ref(), "output", 2));
        let records: Vec<_> = (0..records).map(|n| record(&input, n % 2, "k", &n.to_string())).collect();
        log.writer(&fixture.unique("writer")).unwrap().append(&records).unwrap();
        Self { log, input, output, group: fixture.unique("group"), member: fixture.unique("member") }
    }

    fn worker(&self) -> Box<dyn crate::Worker> {
        self.log.worker(&self.group, &self.member, &[&self.input]).unwrap()
    }

    fn committed(&self) -> Positions {
        self.log.committed(&self.group, &[&self.input]).unwrap()
    }

    fn answer(&self, stored: &StoredRecord) -> Record {
        record(&self.output, stored.record.partition, "k", &text(stored))
    }

    fn outputs(&self, fixture: &dyn Fixture) -> Vec<String> {
        values(&read_all(fixture, self.log.as_ref(), &[&self.output]))
    }
}

pub(super) fn commit_stores_both(fixture: &dyn Fixture) {
    let setting = Setting::new(fixture, 6);
    assert_eq!(setting.committed(), Positions::new(), "nothing is stored for a new group");
    let mut worker = setting.worker();
    let work = Work::until(fixture, worker.as_mut(), 2, 6);
    for (partition, position) in &work.assigned {
        let first = work.records.iter().find(|stored| stored.partition_id() == *partition).unwrap();
        assert!(*position <= first.offset, "{partition} assigned at {position}, first record at {}", first.offset);
    }
    assert_eq!(setting.committed(), Positions::new(), "reading stores nothing");

    let answers: Vec<_> = work.records.iter().map(|stored| setting.answer(stored)).collect();
    worker.commit(&answers, &work.positions).unwrap();
    assert_eq!(setting.committed(), work.positions);
    assert_eq!(fixture.open().committed(&setting.group, &[&setting.input]).unwrap(), work.positions);
    assert_eq!(setting.outputs(fixture), ["0", "1", "2", "3", "4", "5"]);
}

pub(super) fn partial_commits(fixture: &dyn Fixture) {
    let setting = Setting::new(fixture, 4);
    let mut worker = setting.worker();
    let work = Work::until(fixture, worker.as_mut(), 2, 4);
    worker.commit(&[], &Positions::new()).unwrap();
    assert_eq!((setting.committed(), setting.outputs(fixture)), (Positions::new(), Vec::new()));

    worker.commit(&[record(&setting.output, 1, "k", "only an output")], &Positions::new()).unwrap();
    assert_eq!(setting.committed(), Positions::new());
    assert_eq!(setting.outputs(fixture), ["only an output"]);

    // One partition after the other: what is not named stays as it is.
    let mut expected = Positions::new();
    for (partition, position) in &work.positions {
        worker.commit(&[], &Positions::from([(partition.clone(), *position)])).unwrap();
        expected.insert(partition.clone(), *position);
        assert_eq!(setting.committed(), expected);
    }
    assert_eq!(setting.outputs(fixture), ["only an output"]);
}

pub(super) fn failed_commit(fixture: &dyn Fixture) {
    let setting = Setting::new(fixture, 4);
    let mut worker = setting.worker();
    let work = Work::until(fixture, worker.as_mut(), 2, 4);
    let outputs = [record(&setting.output, 0, "k", "must not be seen"), record(&setting.output, 9, "k", "nowhere")];
    let failed = worker.commit(&outputs, &work.positions);
    assert!(matches!(failed, Err(Error::UnknownPartition(_))), "{failed:?}");
    assert_eq!((setting.committed(), setting.outputs(fixture)), (Positions::new(), Vec::new()));

    drop(worker);
    let mut worker = setting.worker();
    let work = Work::until(fixture, worker.as_mut(), 2, 4);
    worker.commit(&[record(&setting.output, 0, "k", "good")], &work.positions).unwrap();
    assert_eq!((setting.committed(), setting.outputs(fixture)), (work.positions, vec!["good".to_owned()]));
}

pub(super) fn limit(fixture: &dyn Fixture) {
    let setting = Setting::new(fixture, 20);
    for limit in [Limit { records: 3, size_bytes: 1 << 20 }, Limit { records: 100, size_bytes: 0 }] {
        // The steps themselves check that the limit is kept. A group of its own each, so that both read everything.
        let group = fixture.unique("group");
        let mut worker = setting.log.worker(&group, &setting.member, &[&setting.input]).unwrap();
        let deadline = Deadline::new(fixture, format!("20 records read by a worker with {limit:?}"));
        let mut work = Work::default();
        while work.records.len() < 20 {
            work.step(worker.as_mut(), limit);
            deadline.check();
        }
        assert_eq!(work.records.len(), 20);
    }
}

pub(super) fn goes_on(fixture: &dyn Fixture) {
    let setting = Setting::new(fixture, 10);
    let mut outputs = Vec::new();
    for round in 1..=3 {
        let mut worker = setting.worker();
        let before = setting.committed();
        let deadline = Deadline::new(fixture, "a few records read by a reopened worker");
        let mut work = Work::default();
        while work.records.is_empty() {
            work.step(worker.as_mut(), Limit { records: 3, ..Limit::default() });
            deadline.check();
        }
        for (partition, position) in &before {
            if let Some(assigned) = work.assigned.get(partition) {
                assert_eq!(assigned, position, "{partition} in round {round}");
            }
        }
        let answers: Vec<_> = work.records.iter().map(|stored| setting.answer(stored)).collect();
        let upto = work.positions.into_iter().filter(|(partition, _)| work.assigned.contains_key(partition)).collect();
        worker.commit(&answers, &upto).unwrap();
        outputs.extend(work.records.iter().map(text));
        // Read and not committed: it must come again. It may take a while where it has to be fetched, so it is not waited for.
        drop(worker.next(Limit { records: 3, ..Limit::default() }, POLL).unwrap());
    }
    let mut worker = setting.worker();
    let work = Work::until(fixture, worker.as_mut(), 2, 10 - outputs.len());
    worker
        .commit(&work.records.iter().map(|stored| setting.answer(stored)).collect::<Vec<_>>(), &work.positions)
        .unwrap();
    outputs.extend(work.records.iter().map(text));
    outputs.sort();
    assert_eq!(outputs, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "each record once");
    assert_eq!(setting.outputs(fixture), outputs);
}

/// A member of the group: answers every record with an output, until it is told to stop or is fenced. `opened` is told when it
/// is one.
fn run_member(fixture: &dyn Fixture, setting: &Setting, member: &str, stop: &AtomicBool, opened: &mpsc::Sender<()>) {
    let log = fixture.open();
    let mut worker = match log.worker(&setting.group, member, &[&setting.input]) {
        Ok(worker) => worker,
        Err(Error::Fenced { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    opened.send(()).unwrap();
    while !stop.load(Ordering::SeqCst) {
        let batch = match worker.next(Limit { records: 10, ..Limit::default() }, POLL) {
            Ok(Step::Batch(batch)) => batch,
            Ok(Step::Assigned(_) | Step::Revoked(_)) => continue,
            Err(Error::Fenced { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        let answers: Vec<_> = batch.records.iter().map(|stored| setting.answer(stored)).collect();
        match worker.commit(&answers, &batch.positions) {
            Ok(()) => {}
            Err(Error::Fenced { .. }) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

pub(super) fn members_come_and_go(fixture: &dyn Fixture) {
    const PHASES: u32 = 4;
    const EACH: u32 = 40;
    let setting = Setting::new(fixture, 0);
    let (setting, log) = (&setting, setting.log.as_ref());
    let mut writer = log.writer(&fixture.unique("writer")).unwrap();
    let mut reader = log.reader(&[&setting.output], &Positions::new()).unwrap();
    let mut outputs = Vec::new();
    let stops: Vec<_> = (0..PHASES).map(|_| AtomicBool::new(false)).collect();
    let stops = &stops;
    thread::scope(|scope| {
        // Whatever fails below, the members must end, or the scope would wait for them for ever.
        let _stop_all = StopAll(stops);
        for phase in 0..PHASES {
            let member = fixture.unique("member");
            let (opened, is_open) = mpsc::channel();
            scope.spawn(move || run_member(fixture, setting, &member, &stops[phase as usize], &opened));
            // A member that came late, when the next is there already, would fence that and then stop. One that was fenced or
            // failed says nothing.
            is_open.recv().ok();
            if phase == 2 {
                stops[1].store(true, Ordering::SeqCst);
            }
            let records =
                (phase * EACH..(phase + 1) * EACH).map(|n| record(&setting.input, n % 2, "k", &format!("{n:03}")));
            writer.append(&records.collect::<Vec<_>>()).unwrap();
            let deadline = Deadline::new(fixture, format!("all records answered in phase {phase}"));
            while outputs.len() < ((phase + 1) * EACH) as usize {
                outputs.extend(reader.next(Limit::default(), POLL).unwrap().records);
                deadline.check();
            }
        }
    });
    outputs.extend(drain(fixture, reader.as_mut()).0);
    let expected: Vec<_> = (0..PHASES * EACH).map(|n| format!("{n:03}")).collect();
    assert_eq!(values(&outputs), expected, "each record answered once");
    // An output stands in the partition of its input, so the order must have been kept as well.
    let mut last = BTreeMap::<PartitionId, String>::new();
    for stored in &outputs {
        let before = last.insert(stored.partition_id(), text(stored));
        assert!(before < Some(text(stored)), "{before:?} before {}", text(stored));
    }
}

struct StopAll<'a>(&'a [AtomicBool]);

impl Drop for StopAll<'_> {
    fn drop(&mut self) {
        for stop in self.0 {
            stop.store(true, Ordering::SeqCst);
        }
    }
}
