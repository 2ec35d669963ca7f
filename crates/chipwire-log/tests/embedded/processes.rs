//! Several processes on one file.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use chipwire_log::{
    Error, EventLog, Limit, Positions,
    sqlite::{Access, SqliteLog},
};

use crate::script::{OtherProcess, child_arguments, counts, folder, open, read_all, record, say, spec, text};

const APPENDS: u32 = 150;

#[test]
fn two_processes_append_while_a_third_reads() {
    let (_folder, path) = folder();
    open(&path).ensure(&[spec("t", 2)]).unwrap();
    let log = SqliteLog::open(&path, Access::Read).unwrap();
    let mut reader = log.reader(&["t"], &Positions::new()).unwrap();
    let children: Vec<_> = ["a", "b"]
        .map(|name| OtherProcess::start(&[], "processes::child_appends", &[path.to_str().unwrap(), name]))
        .into();
    let mut seen = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(120);
    while seen.len() < (APPENDS * 2 * 2) as usize {
        seen.extend(reader.next(Limit::default(), Duration::from_secs(5)).unwrap().records);
        assert!(Instant::now() < deadline, "{} records seen", seen.len());
    }
    children.into_iter().for_each(OtherProcess::finish);
    // Each writer's records in order, in each partition, each once.
    for (name, partition) in [("a", 0), ("a", 1), ("b", 0), ("b", 1)] {
        let found: Vec<_> = seen
            .iter()
            .filter(|stored| stored.record.partition == partition && stored.record.key == name.as_bytes())
            .map(text)
            .collect();
        let written: Vec<_> = (0..APPENDS).map(|n| n.to_string()).collect();
        assert_eq!(found, written, "writer {name}, partition {partition}");
    }
    assert!(log.check().unwrap().damage.is_empty());
}

#[test]
fn child_appends() {
    let Some(arguments) = child_arguments() else { return };
    let log = SqliteLog::open(Path::new(&arguments[0]), Access::Write).unwrap();
    let name = &arguments[1];
    let mut writer = log.writer(name).unwrap();
    for n in 0..APPENDS {
        let records = [0, 1].map(|partition| record("t", partition, name, &n.to_string()));
        writer.append(&records).unwrap();
    }
}

#[test]
fn a_writer_in_another_process_fences_this_one() {
    let (_folder, path) = folder();
    let log = open(&path);
    log.ensure(&[spec("t", 1)]).unwrap();
    let mut writer = log.writer("same").unwrap();
    writer.append(&[record("t", 0, "k", "before")]).unwrap();
    let mut child = OtherProcess::start(&[], "processes::child_takes_over", &[path.to_str().unwrap()]);
    child.hear("took over").unwrap();
    let answer = writer.append(&[record("t", 0, "k", "zombie")]);
    assert!(matches!(answer, Err(Error::Fenced { .. })), "{answer:?}");
    child.finish();
    let found: Vec<_> = counts(&read_all(&log, &["t"]).unwrap()).into_keys().collect();
    assert_eq!(found, ["after", "before"]);
}

#[test]
fn child_takes_over() {
    let Some(arguments) = child_arguments() else { return };
    let log = SqliteLog::open(Path::new(&arguments[0]), Access::Write).unwrap();
    let mut writer = log.writer("same").unwrap();
    writer.append(&[record("t", 0, "k", "after")]).unwrap();
    say("took over", "");
}

/// Handles that share nothing but the file are what two processes have. The machine may be busy, so of many wake-ups the
/// quickest counts.
#[test]
fn a_commit_of_another_process_is_seen_within_50_ms() {
    let (_folder, path) = folder();
    let (writing, reading) = (open(&path), open(&path));
    writing.ensure(&[spec("t", 1)]).unwrap();
    let mut writer = writing.writer("w").unwrap();
    let mut reader = reading.reader(&["t"], &Positions::new()).unwrap();
    let quickest = thread::scope(|scope| {
        let (asleep, is_asleep) = std::sync::mpsc::channel();
        let waiting = scope.spawn(move || {
            (0..20)
                .map(|_| {
                    asleep.send(()).unwrap();
                    let batch = reader.next(Limit::default(), Duration::from_secs(30)).unwrap();
                    assert_eq!(batch.records.len(), 1);
                    Instant::now()
                })
                .collect::<Vec<_>>()
        });
        let mut written = Vec::new();
        for n in 0..20 {
            is_asleep.recv().unwrap();
            writer.append(&[record("t", 0, "k", &n.to_string())]).unwrap();
            written.push(Instant::now());
        }
        let seen = waiting.join().unwrap();
        written.iter().zip(seen).map(|(written, seen)| seen.saturating_duration_since(*written)).min()
    });
    assert!(quickest.unwrap() < Duration::from_millis(50), "{quickest:?}");
}
