//! Several processes on one file.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use chipwire_log::{
    Error, EventLog, Limit, Positions,
    sqlite::{Access, Options, SqliteLog},
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

/// Of many wake-ups three in four come in time: the machine may be busy, but a reader that looks too seldom is late mostly.
#[test]
fn a_commit_of_another_process_is_seen_within_50_ms() {
    const WAKE_UPS: usize = 100;
    let (_folder, path) = folder();
    let log = open(&path);
    log.ensure(&[spec("asked", 1), spec("answered", 1)]).unwrap();
    let mut reader = log.reader(&["answered"], &Positions::new()).unwrap();
    let mut writer = log.writer("asks").unwrap();
    let number = WAKE_UPS.to_string();
    let mut child = OtherProcess::start(&[], "processes::child_answers", &[path.to_str().unwrap(), &number]);
    child.hear("ready").unwrap();
    let mut took = Vec::new();
    for n in 0..WAKE_UPS {
        writer.append(&[record("asked", 0, "k", &n.to_string())]).unwrap();
        let batch = reader.next(Limit::default(), Duration::from_secs(60)).unwrap();
        let seen = SystemTime::now();
        assert_eq!(batch.records.len(), 1);
        // When it was durable, as the other process saw it.
        let written: u64 = child.hear("written").unwrap().parse().unwrap();
        took.push(seen.duration_since(UNIX_EPOCH + Duration::from_nanos(written)).unwrap_or_default());
    }
    child.finish();
    took.sort();
    let late = took[WAKE_UPS * 3 / 4];
    assert!(late < Duration::from_millis(50), "{took:?}");
}

#[test]
fn child_answers() {
    let Some(arguments) = child_arguments() else { return };
    let log = SqliteLog::open(Path::new(&arguments[0]), Access::Write).unwrap();
    let mut reader = log.reader(&["asked"], &Positions::new()).unwrap();
    let mut writer = log.writer("answers").unwrap();
    say("ready", "");
    for n in 0..arguments[1].parse().unwrap() {
        let asked = reader.next(Limit::default(), Duration::from_secs(60)).unwrap();
        assert_eq!(asked.records.len(), 1, "question {n}");
        writer.append(&[record("answered", 0, "k", "v")]).unwrap();
        say("written", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos());
    }
}

/// The reader would look by itself in an hour: every wake-up comes from the writer.
#[test]
fn a_commit_of_the_same_process_is_seen_at_once() {
    const WAKE_UPS: usize = 100;
    let (_folder, path) = folder();
    let options = Options { look_every: Duration::from_secs(3_600), ..Options::default() };
    let log = SqliteLog::open_with(&path, Access::Create, options).unwrap();
    log.ensure(&[spec("t", 1)]).unwrap();
    let mut reader = log.reader(&["t"], &Positions::new()).unwrap();
    let mut writer = log.writer("w").unwrap();
    let mut took = thread::scope(|scope| {
        let (asleep, is_asleep) = std::sync::mpsc::channel();
        let waiting = scope.spawn(move || {
            let one = |_| {
                asleep.send(()).unwrap();
                let asleep_since = Instant::now();
                let batch = reader.next(Limit::default(), Duration::from_secs(60)).unwrap();
                assert_eq!(batch.records.len(), 1);
                // Not woken at all, it finds the record when its own wait is over.
                assert!(asleep_since.elapsed() < Duration::from_secs(60), "nobody woke the reader");
                Instant::now()
            };
            (0..WAKE_UPS).map(one).collect::<Vec<_>>()
        });
        let mut written = Vec::new();
        for n in 0..WAKE_UPS {
            is_asleep.recv().unwrap();
            writer.append(&[record("t", 0, "k", &n.to_string())]).unwrap();
            written.push(Instant::now());
        }
        let seen = waiting.join().unwrap();
        written.iter().zip(seen).map(|(written, seen)| seen.saturating_duration_since(*written)).collect::<Vec<_>>()
    });
    took.sort();
    assert!(took[WAKE_UPS * 3 / 4] < Duration::from_millis(10), "{took:?}");
}
