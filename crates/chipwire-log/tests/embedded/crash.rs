//! A process that writes and one that works are killed again and again; what they were told is durable must be there.

use std::{path::Path, thread, time::Duration};

use chipwire_log::{EventLog, Limit, PartitionId, Step, sqlite::SqliteLog};

use crate::script::{
    Numbers, OtherProcess, child_arguments, counts, folder, noise, open, read_all, record, say, spec, text,
};

const KILLS: u32 = 20;
const PARTITIONS: u32 = 2;

fn set_up(path: &Path) -> SqliteLog {
    let log = open(path);
    log.ensure(&[spec("input", PARTITIONS), spec("copy", 3), spec("output", PARTITIONS)]).unwrap();
    log
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_torn() {
    let (_folder, path) = folder();
    drop(set_up(&path));
    let mut numbers = Numbers(7);
    let mut acknowledged = Vec::new();
    for run in 0..KILLS {
        let mut child =
            OtherProcess::start(&[], "crash::child_writes_and_works", &[path.to_str().unwrap(), &run.to_string()]);
        // Killed at some moment after some acknowledgements: it goes on writing until it dies.
        let patience = 1 + numbers.below(60);
        for _ in 0..patience {
            acknowledged.push(child.hear("appended").expect("the child ended by itself"));
        }
        child.kill();
        while let Some(late) = child.hear("appended") {
            acknowledged.push(late);
        }
        verify(&path, &acknowledged);
    }
    println!("{} appends acknowledged in {KILLS} runs", acknowledged.len());
}

fn verify(path: &Path, acknowledged: &[String]) {
    let log = open(path);
    let report = log.check().unwrap();
    assert!(report.damage.is_empty(), "{report:?}");

    // Each append wrote its name four times: to both partitions of the input and to two of the copy.
    let input = read_all(&log, &["input"]).unwrap();
    let written = counts(&input);
    assert_eq!(written, counts(&read_all(&log, &["copy"]).unwrap()), "torn between topics");
    assert!(written.values().all(|count| *count == 2), "torn between partitions, or double");
    for name in acknowledged {
        assert!(written.contains_key(name), "{name} was acknowledged and is gone");
    }

    // The worker answered exactly what its positions say.
    let positions = log.committed("group", &["input"]).unwrap();
    let output = read_all(&log, &["output"]).unwrap();
    for partition in 0..PARTITIONS {
        let upto = positions.get(&PartitionId::new("input", partition)).copied().unwrap_or(0);
        let of_partition = |stored: &&chipwire_log::StoredRecord| stored.record.partition == partition;
        let expected: Vec<_> =
            input.iter().filter(of_partition).filter(|stored| stored.offset < upto).map(text).collect();
        let found: Vec<_> = output.iter().filter(of_partition).map(text).collect();
        assert_eq!(found, expected, "outputs and positions disagree in partition {partition}");
    }
}

#[test]
fn child_writes_and_works() {
    let Some(arguments) = child_arguments() else { return };
    let log = set_up(Path::new(&arguments[0]));
    let run = &arguments[1];
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut worker = log.worker("group", "member", &["input"]).unwrap();
            loop {
                if let Step::Batch(batch) =
                    worker.next(Limit { records: 7, ..Limit::default() }, Duration::from_secs(1)).unwrap()
                {
                    let answer = |stored: &chipwire_log::StoredRecord| {
                        record("output", stored.record.partition, "k", &text(stored))
                    };
                    worker.commit(&batch.records.iter().map(answer).collect::<Vec<_>>(), &batch.positions).unwrap();
                }
            }
        });
        let mut writer = log.writer("writer").unwrap();
        for n in 0_u32.. {
            // Some are large, so that they are many frames and pages.
            let name = format!("{run}.{n}");
            let padding = noise(n.into(), if n % 10 == 9 { 300_000 } else { 10 });
            let records =
                [(0, "input"), (1, "input"), (n % 3, "copy"), ((n + 1) % 3, "copy")].map(|(partition, topic)| {
                    let mut record = record(topic, partition, "k", &name);
                    record.headers.push(("padding".into(), padding.clone()));
                    record
                });
            writer.append(&records).unwrap();
            say("appended", name);
        }
    });
}
