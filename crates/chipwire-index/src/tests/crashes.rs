//! A writer that is killed loses nothing that it had committed.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use super::corpus::{GENESIS, checkpoint, document, writer};
use crate::Index;

const DIRECTORY: &str = "CHIPWIRE_INDEX_TEST_DIRECTORY";

/// Not a test of its own: the process that the next test starts and kills. Goes on from the checkpoint, two documents
/// and one position per commit.
#[test]
fn child_process() {
    let Some(dir) = std::env::var_os(DIRECTORY) else { return };
    let index = Index::open_or_create(dir, GENESIS).unwrap();
    let mut writer = writer(&index);
    let from = index.checkpoint().unwrap().positions.get(&0).copied().unwrap_or(0);
    for position in from + 1..100_000 {
        for half in ["a", "b"] {
            // Every other document replaces one of three positions ago.
            let number = if half == "b" { (position - 3).max(0) } else { position };
            writer.upsert(&document(&number.to_string(), "t", &position.to_string())).unwrap();
        }
        writer.commit(&checkpoint(position)).unwrap();
        writeln!(std::io::stdout(), "\ncommitted {position}").unwrap();
    }
}

#[test]
fn a_killed_writer_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut committed = 0;
    for round in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::crashes::child_process", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let commits =
            lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("committed ")?.parse::<i64>().ok());
        committed = commits.take(3 + 2 * round).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let index = Index::open_or_create(dir.path(), GENESIS).unwrap();
        let position = index.checkpoint().unwrap().positions[&0];
        assert!(position >= committed, "{position} after {committed} was committed");
        // One document for every position from 0 on, neither more nor fewer: the checkpoint and the documents agree.
        assert_eq!(index.searcher().len(), position as u64 + 1);
        assert!(index.damaged_files().unwrap().is_empty());
    }
    assert!(committed > 10);
}
