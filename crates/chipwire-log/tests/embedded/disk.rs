//! A full disk and a disk that fails. Each test runs in a process of its own, on a disk or under a limit that a shell sets up.

use std::{fs, path::Path, process::Command};

use chipwire_log::{Error, EventLog, sqlite::SqliteLog};

use crate::script::{OtherProcess, child_arguments, folder, noise, open, read_all, record, say, spec, text};

fn set_up(path: &Path) -> SqliteLog {
    let log = open(path);
    log.ensure(&[spec("t", 2)]).unwrap();
    log
}

#[test]
fn a_full_disk_refuses_appends_until_there_is_space() {
    let wrapper =
        ["unshare", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs -o size=6m none \"$0\" && exec \"$@\""];
    let possible = Command::new("unshare").args(["--map-root-user", "--mount", "true"]).status();
    if !possible.is_ok_and(|status| status.success()) {
        println!("skipped: no mount namespaces here");
        return;
    }
    let (folder, _) = folder();
    let mount = folder.path().to_str().unwrap();
    let mut words = wrapper.to_vec();
    words.push(mount);
    let mut child = OtherProcess::start(&words, "disk::child_on_a_small_disk", &[mount]);
    let refused: u32 = child.hear("refused").expect("the child failed").parse().unwrap();
    assert!(refused > 0);
    child.finish();
}

#[test]
fn child_on_a_small_disk() {
    let Some(arguments) = child_arguments() else { return };
    let folder = Path::new(&arguments[0]);
    let (path, ballast) = (folder.join("log.db"), folder.join("ballast"));
    fs::write(&ballast, vec![1; 2 << 20]).unwrap();
    let log = set_up(&path);
    let mut writer = log.writer("writer").unwrap();
    let append = |writer: &mut Box<dyn chipwire_log::Writer>, n: u64| {
        let value = format!("{n} {}", noise(n, 40_000));
        writer.append(&[record("t", 0, "k", &value), record("t", 1, "k", &value)])
    };
    let (mut good, mut refused) = (Vec::new(), 0_u32);
    for n in 0..1_000 {
        match append(&mut writer, n) {
            Ok(()) => good.push(n),
            Err(Error::Full { .. }) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
        if refused == 5 {
            break;
        }
    }
    assert!(refused == 5, "the disk never was full");
    let high = |log: &SqliteLog| log.bounds("t").unwrap().iter().map(|bounds| bounds.high).collect::<Vec<_>>();
    assert_eq!(high(&log), [good.len() as i64; 2], "a refused append must leave nothing");
    assert_eq!(read_all(&log, &["t"]).unwrap().len(), good.len() * 2, "readers go on");

    fs::remove_file(&ballast).unwrap();
    for n in 1_000..1_005 {
        append(&mut writer, n).unwrap();
        good.push(n);
    }
    drop((writer, log));
    let log = open(&path);
    assert!(log.check().unwrap().damage.is_empty());
    for partition in 0..2 {
        let records = read_all(&log, &["t"]).unwrap();
        let found: Vec<u64> = records
            .iter()
            .filter(|stored| stored.record.partition == partition)
            .map(|stored| text(stored).split(' ').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(found, good);
    }
    say("refused", refused);
}

/// A limit on the size of files makes the kernel refuse writes with an error that is not "disk full".
#[test]
fn a_disk_that_fails_ends_writing() {
    let (_folder, path) = folder();
    drop(set_up(&path));
    let wrapper = ["sh", "-c", "trap '' XFSZ; ulimit -f 4000; exec \"$@\"", "sh"];
    let mut child = OtherProcess::start(&wrapper, "disk::child_with_a_failing_disk", &[path.to_str().unwrap()]);
    let good: i64 = child.hear("good").expect("the child failed").parse().unwrap();
    child.finish();
    assert!(good > 0);
    let log = open(&path);
    assert!(log.check().unwrap().damage.is_empty());
    let bounds = log.bounds("t").unwrap();
    assert_eq!(bounds[0], bounds[1], "torn");
    assert!(bounds[0].high == good || bounds[0].high == good + 1, "{good} acknowledged, {bounds:?}");
    log.writer("writer").unwrap().append(&[record("t", 0, "k", "a new process goes on")]).unwrap();
}

#[test]
fn child_with_a_failing_disk() {
    let Some(arguments) = child_arguments() else { return };
    let log = set_up(Path::new(&arguments[0]));
    let mut writer = log.writer("writer").unwrap();
    let mut good = 0;
    let error = loop {
        let value = noise(good, 100_000);
        match writer.append(&[record("t", 0, "k", &value), record("t", 1, "k", &value)]) {
            Ok(()) => good += 1,
            Err(error) => break error,
        }
        assert!(good < 1_000, "the limit was never met");
    };
    assert!(matches!(error, Error::Stopped { .. } | Error::Indeterminate { .. }), "{error:?}");
    for attempt in 0..3 {
        let again = writer.append(&[record("t", 0, "k", "small")]);
        assert!(matches!(again, Err(Error::Stopped { .. })), "attempt {attempt}: {again:?}");
    }
    assert!(matches!(log.writer("another"), Err(Error::Stopped { .. })));
    assert!(log.bounds("t").unwrap()[0].high >= good as i64, "readers go on");
    say("good", good);
}
