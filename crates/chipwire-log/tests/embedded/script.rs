//! What the tests are written with.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use chipwire_log::{
    Batch, Cleanup, EventLog, Limit, Positions, Reader, Record, Result, StoredRecord, TopicSpec,
    sqlite::{Access, SqliteLog},
};
use tempfile::TempDir;

pub(crate) fn open(path: &Path) -> SqliteLog {
    SqliteLog::open(path, Access::Create).unwrap()
}

/// A folder that is gone at the end, and the path of a log in it.
pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    (folder, path)
}

pub(crate) fn spec(name: &str, partitions: u32) -> TopicSpec {
    TopicSpec { name: name.into(), partitions, cleanup: Cleanup::Delete { retention: None } }
}

pub(crate) fn state_spec(name: &str, partitions: u32) -> TopicSpec {
    TopicSpec { cleanup: Cleanup::Compact, ..spec(name, partitions) }
}

pub(crate) fn record(topic: &str, partition: u32, key: &str, value: &str) -> Record {
    Record {
        topic: Arc::from(topic),
        partition,
        key: key.into(),
        headers: vec![("ce_id".into(), format!("{key}-{}", value.len()))],
        value: Some(value.into()),
    }
}

pub(crate) fn text(stored: &StoredRecord) -> String {
    String::from_utf8(stored.record.value.clone().unwrap_or_default()).unwrap()
}

/// Reads to the end.
pub(crate) fn drain(reader: &mut dyn Reader) -> Result<Vec<StoredRecord>> {
    let mut records = Vec::new();
    loop {
        let Batch { records: more, at_end, .. } = reader.next(Limit::default(), Duration::ZERO)?;
        records.extend(more);
        if at_end {
            return Ok(records);
        }
    }
}

/// Everything in `topics`, partition after partition.
pub(crate) fn read_all(log: &dyn EventLog, topics: &[&str]) -> Result<Vec<StoredRecord>> {
    let mut records = drain(log.reader(topics, &Positions::new())?.as_mut())?;
    records.sort_by_key(|stored| (stored.partition_id(), stored.offset));
    Ok(records)
}

/// How often each value is there.
pub(crate) fn counts(records: &[StoredRecord]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for stored in records {
        *counts.entry(text(stored)).or_default() += 1;
    }
    counts
}

/// Another process that runs one test of this binary, which finds the path of the log in `CHILD`.
pub(crate) struct OtherProcess {
    child: Child,
    lines: BufReader<ChildStdout>,
}

const CHILD: &str = "CHIPWIRE_LOG_TEST_CHILD";

/// The arguments that a child was given; `None` in a run that is no child.
pub(crate) fn child_arguments() -> Option<Vec<String>> {
    std::env::var(CHILD).ok().map(|arguments| arguments.split('\n').map(str::to_owned).collect())
}

impl OtherProcess {
    /// Runs `test` in a process of its own, `arguments` given to it, started through `wrapper`.
    pub(crate) fn start(wrapper: &[&str], test: &str, arguments: &[&str]) -> Self {
        let exe = std::env::current_exe().unwrap();
        let mut words: Vec<&str> = wrapper.to_vec();
        words.extend([exe.to_str().unwrap(), test, "--exact", "--nocapture"]);
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .env(CHILD, arguments.join("\n"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// What the child says with the word `word`, or `None` when it has ended.
    pub(crate) fn hear(&mut self, word: &str) -> Option<String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The test runner prints its own lines, and begins one that it does not end.
            if let Some((_, said)) = line.trim_end_matches('\n').split_once(&format!("<{word}> ")) {
                return Some(said.to_owned());
            }
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; fails when it failed.
    pub(crate) fn finish(mut self) {
        while self.hear("rest").is_some() {}
        assert!(self.child.wait().unwrap().success(), "the other process failed");
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Says something to the parent.
pub(crate) fn say(word: &str, said: impl std::fmt::Display) {
    println!("<{word}> {said}");
}

/// Repeatable numbers (splitmix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }
}

/// Text that no compression makes much smaller.
pub(crate) fn noise(seed: u64, size_bytes: usize) -> String {
    let mut numbers = Numbers(seed);
    (0..size_bytes).map(|_| char::from(b'!' + u8::try_from(numbers.below(90)).unwrap())).collect()
}
