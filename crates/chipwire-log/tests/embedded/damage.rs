//! Law 6: corruption is loud.

use std::{collections::BTreeSet, fs, path::Path};

use chipwire_log::{
    Error, EventLog, Limit, Positions, Result, State, Step, StoredRecord,
    sqlite::{Access, LOST_HEADER, Repair, SqliteLog},
};
use rusqlite::Connection;

use crate::script::{Numbers, folder, noise, open, read_all, record, spec, state_spec};

const TOPICS: [&str; 2] = ["articles", "feeds"];

/// All that a log says.
#[derive(Debug, PartialEq)]
struct Content {
    genesis: String,
    records: Vec<StoredRecord>,
    state: State,
    positions: Positions,
}

fn content(path: &Path) -> Result<Content> {
    let log = SqliteLog::open(path, Access::Write)?;
    Ok(Content {
        genesis: log.genesis()?,
        records: read_all(&log, &TOPICS)?,
        state: log.state("feeds", None)?,
        positions: log.committed("group", &TOPICS)?,
    })
}

/// A log with everything in it; `appends` of them.
fn fill(log: &SqliteLog, appends: u32) {
    log.ensure(&[spec("articles", 2), state_spec("feeds", 2)]).unwrap();
    let mut writer = log.writer("writer").unwrap();
    for n in 0..appends {
        let mut records: Vec<_> =
            (0..5).map(|m| record("articles", n % 2, "k", &noise(u64::from(n * 5 + m), 600))).collect();
        records.push(record("feeds", n % 2, &format!("{}", n % 7), &format!("state {n}")));
        writer.append(&records).unwrap();
    }
    let mut worker = log.worker("group", "member", &TOPICS).unwrap();
    let mut upto = Positions::new();
    for _ in 0..3 {
        if let Step::Batch(batch) =
            worker.next(Limit { records: 30, ..Limit::default() }, std::time::Duration::ZERO).unwrap()
        {
            upto.extend(batch.positions);
        }
    }
    worker.commit(&[], &upto).unwrap();
}

/// Whether it says what is damaged: a topic with its partition, a table, or another part of the file.
fn is_loud(error: &Error) -> bool {
    match error {
        Error::Corrupt { place, .. } => names_a_place(place),
        // Of the header: what it is, and of which version.
        Error::Open { .. } | Error::SchemaVersion { .. } => true,
        _ => false,
    }
}

fn names_a_place(place: &str) -> bool {
    // Of records also the offsets.
    let of_partition = TOPICS.iter().flat_map(|topic| [format!("{topic}/0"), format!("{topic}/1")]).any(|partition| {
        let offsets = format!("{partition} offset");
        place.contains(&offsets) || place.ends_with(&partition)
    });
    const PARTS: [&str; 9] = [
        "table topics",
        "table positions",
        "the heads of topic `",
        "the owner of ",
        "a position of group `group`",
        "the log's identity",
        "the schema of ",
        "the file's header",
        "the whole file",
    ];
    of_partition || PARTS.iter().any(|part| place.contains(part))
}

/// Damages the bytes of copies of a good file in many ways: each is an error or makes no difference.
fn check_damaged(trials: usize, seed: u64, damage: impl Fn(&mut Vec<u8>, &mut Numbers) -> String) {
    check_damaged_files(trials, seed, |copy, numbers| {
        let mut bytes = fs::read(copy).unwrap();
        let what = damage(&mut bytes, numbers);
        fs::write(copy, bytes).unwrap();
        what
    });
}

fn check_damaged_files(trials: usize, seed: u64, damage: impl Fn(&Path, &mut Numbers) -> String) {
    let (folder, path) = folder();
    let log = open(&path);
    fill(&log, 60);
    drop(log);
    let good = content(&path).unwrap();
    assert!(good.records.len() == 360 && good.positions.len() > 1 && good.state.records.len() == 7);
    let bytes = fs::read(&path).unwrap();
    let mut numbers = Numbers(seed);
    let (mut loud, mut harmless) = (0, 0);
    let copy = folder.path().join("copy.db");
    for _ in 0..trials {
        fs::write(&copy, &bytes).unwrap();
        let what = damage(&copy, &mut numbers);
        match content(&copy) {
            Ok(found) => {
                assert!(found == good, "{what} went unnoticed");
                harmless += 1;
            }
            Err(error) => {
                assert!(is_loud(&error), "{what}: {error:?}");
                // Whatever a reader finds, the full check finds too, also in a log that does not open.
                let report = SqliteLog::check_file(&copy);
                assert!(!report.as_ref().is_ok_and(|report| report.damage.is_empty()), "{what}: {error}: {report:?}");
                loud += 1;
            }
        }
        for name in ["copy.db-wal", "copy.db-shm"] {
            drop(fs::remove_file(folder.path().join(name)));
        }
    }
    println!("{loud} loud, {harmless} harmless");
    assert!(loud > trials / 4, "{loud} of {trials} were found");
}

#[test]
fn a_flipped_bit_is_found_or_does_no_harm() {
    check_damaged(500, 1, |bytes, numbers| {
        let (at, bit) = (numbers.below(bytes.len()), numbers.below(8));
        bytes[at] ^= 1 << bit;
        format!("bit {bit} of byte {at}")
    });
}

/// The first bytes of a page say what it is and how much is on it.
#[test]
fn a_flipped_bit_in_the_head_of_a_page_is_found_or_does_no_harm() {
    check_damaged(300, 2, |bytes, numbers| {
        let (page, byte, bit) = (numbers.below(bytes.len() / 8192), numbers.below(32), numbers.below(8));
        bytes[page * 8192 + byte] ^= 1 << bit;
        format!("bit {bit} of byte {byte} of page {page}")
    });
}

#[test]
fn a_zeroed_page_is_found_or_does_no_harm() {
    check_damaged(60, 3, |bytes, numbers| {
        let page = numbers.below(bytes.len() / 4096);
        bytes[page * 4096..(page + 1) * 4096].fill(0);
        format!("page {page} zeroed")
    });
}

#[test]
fn a_page_in_the_place_of_another_is_found_or_does_no_harm() {
    check_damaged(120, 4, |bytes, numbers| {
        let pages = bytes.len() / 8192;
        let (from, to) = (numbers.below(pages), numbers.below(pages));
        bytes.copy_within(from * 8192..(from + 1) * 8192, to * 8192);
        format!("page {from} over page {to}")
    });
}

#[test]
fn a_truncated_file_is_found() {
    check_damaged(60, 5, |bytes, numbers| {
        let length = numbers.below(bytes.len());
        bytes.truncate(length);
        format!("truncated to {length} bytes")
    });
}

/// Tables, what names a row there, and what of two rows changes places.
const SWAPS: [(&str, &[&str], &[&str]); 8] = [
    ("frames", &["frame_id"], &["data"]),
    ("frames", &["frame_id"], &["data", "checksum"]),
    ("frames", &["frame_id"], &["data", "checksum", "written_ms"]),
    ("frames", &["frame_id"], &["written_ms"]),
    ("heads", &["topic_id", "partition"], &["low_offset", "next_offset", "state_rows", "state_sum", "checksum"]),
    ("state", &["topic_id", "partition", "key"], &["data", "checksum"]),
    ("state", &["topic_id", "partition", "key"], &["data", "checksum", "record_offset", "written_ms"]),
    ("positions", &["group_name", "topic_id", "partition"], &["next_offset", "checksum"]),
];

#[test]
fn rows_in_each_other_s_place_are_found_or_do_no_harm() {
    check_damaged_files(300, 7, |copy, numbers| {
        let (table, names, columns) = SWAPS[numbers.below(SWAPS.len())];
        let connection = Connection::open(copy).unwrap();
        let count: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        let mut one = || 1 + numbers.below(usize::try_from(count).unwrap()) as i64;
        let (a, b) = (one(), one());
        let is_it: Vec<String> = names.iter().map(|name| format!("me.{name} = {table}.{name}")).collect();
        let number = format!("(SELECT me.n FROM old AS me WHERE {})", is_it.join(" AND "));
        let sets: Vec<String> = columns
            .iter()
            .map(|column| {
                format!("{column} = (SELECT other.{column} FROM old AS other WHERE other.n = {a} + {b} - {number})")
            })
            .collect();
        let order = names.join(", ");
        connection
            .execute_batch(&format!(
                "CREATE TEMP TABLE old AS SELECT *, row_number() OVER (ORDER BY {order}) AS n FROM {table}; \
                 UPDATE {table} SET {} WHERE {number} IN ({a}, {b})",
                sets.join(", ")
            ))
            .unwrap();
        format!("{columns:?} of rows {a} and {b} of {table} swapped")
    });
}

/// What was changed behind the log's back, and the place that the error must name.
#[test]
fn the_error_names_the_place() {
    let cases = [
        ("UPDATE frames SET data = zeroblob(length(data)) WHERE frame_id = 11", "articles/1 offsets 10..=14"),
        ("UPDATE frames SET data = x'' WHERE frame_id = 9", "articles/0 offsets 10..=14"),
        ("UPDATE frames SET written_ms = written_ms + 1 WHERE frame_id = 9", "articles/0 offsets 10..=14"),
        ("DELETE FROM frames WHERE frame_id = 9", "articles/0 offsets 10..=149"),
        // The tail, which `open` looks at.
        ("DELETE FROM frames WHERE frame_id = 119", "articles/1 offsets 0..150"),
        ("UPDATE frames SET checksum = 0 WHERE frame_id = 119", "articles/1 offsets 145..=149"),
        // Two frames change places.
        (
            "CREATE TEMP TABLE old AS SELECT * FROM frames WHERE frame_id IN (5, 9);
             UPDATE frames SET data = (SELECT data FROM old WHERE frame_id = 14 - frames.frame_id),
               checksum = (SELECT checksum FROM old WHERE frame_id = 14 - frames.frame_id) WHERE frame_id IN (5, 9)",
            "articles/0 offsets 5..=9",
        ),
        // A frame moves to another partition, and a hole is covered up.
        ("UPDATE frames SET partition = 1, first_offset = 150, last_offset = 154 WHERE frame_id = 117", "articles/"),
        ("UPDATE heads SET next_offset = 140 WHERE topic_id = 1 AND partition = 1", "the head of articles/1"),
        ("DELETE FROM heads WHERE topic_id = 1 AND partition = 1", "the head of articles/1"),
        ("DELETE FROM state WHERE partition = 0 AND key = x'33'", "the state of feeds/0"),
        (
            "UPDATE state SET record_offset = record_offset + 1 WHERE partition = 1 AND key = x'33'",
            "the state of feeds/1 offsets",
        ),
        ("UPDATE positions SET next_offset = next_offset - 1", "a position of group `group`"),
        ("DELETE FROM positions WHERE topic_id = 1 AND partition = 0", "table positions"),
        ("DELETE FROM tallies WHERE table_name = 'positions'", "the tally of table positions"),
        ("DELETE FROM topics WHERE name = 'articles'", "table topics"),
        ("UPDATE topics SET partitions = 1 WHERE name = 'articles'", "topic `articles` in table topics"),
        ("UPDATE meta SET value = 'another'", "the log's identity"),
        ("DROP INDEX frames_by_offset", "the schema of `frames_by_offset`"),
        ("PRAGMA journal_mode = DELETE", "the file's header"),
    ];
    let (folder, path) = folder();
    let log = open(&path);
    fill(&log, 60);
    drop(log);
    let copy = folder.path().join("copy.db");
    for (change, expected) in cases {
        fs::copy(&path, &copy).unwrap();
        Connection::open(&copy).unwrap().execute_batch(change).unwrap();
        match content(&copy) {
            Err(Error::Corrupt { place, reason, .. }) => {
                assert!(place.contains(expected), "{change}: {place}: {reason}");
            }
            other => panic!("{change}: {other:?}"),
        }
    }
}

#[test]
fn a_full_check_goes_on_after_damage() {
    let (_folder, path) = folder();
    let log = open(&path);
    fill(&log, 60);
    let changes = "UPDATE frames SET data = x'00' WHERE frame_id IN (5, 11); \
                   DELETE FROM frames WHERE frame_id = 21; DELETE FROM state WHERE partition = 0 AND key = x'33'";
    Connection::open(&path).unwrap().execute_batch(changes).unwrap();
    let report = log.check().unwrap();
    let places: Vec<_> = report.damage.iter().map(|damage| damage.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "articles/0 offsets 5..=9",
            "articles/0 offsets 25..150",
            "articles/1 offsets 10..=14",
            "the state of feeds/0"
        ]
    );
    assert_eq!(report.frames, 120 - 3);
}

/// A damaged log is not written to either: what comes after damage would be lost with it.
#[test]
fn a_damaged_head_refuses_appends() {
    let (_folder, path) = folder();
    let log = open(&path);
    fill(&log, 4);
    let mut writer = log.writer("writer").unwrap();
    Connection::open(&path).unwrap().execute_batch("UPDATE heads SET next_offset = 3 WHERE topic_id = 1").unwrap();
    let answer = writer.append(&[record("feeds", 0, "k", "v"), record("articles", 0, "k", "v")]);
    assert!(matches!(&answer, Err(Error::Corrupt { place, .. }) if place == "the head of articles/0"), "{answer:?}");
    writer.append(&[record("feeds", 0, "k", "other partitions are as they were")]).unwrap();
}

/// After a crash the newest transactions are in the write-ahead log only. Damage there must not look like its end.
#[test]
fn damage_in_the_write_ahead_log_is_found() {
    let (folder, path) = folder();
    let log = open(&path);
    fill(&log, 30);
    let wal = |path: &Path| path.with_extension("db-wal");
    let before_last = fs::metadata(wal(&path)).unwrap().len();
    log.writer("writer").unwrap().append(&[record("articles", 0, "k", "last")]).unwrap();
    // What a crash would leave: the files as they are while the log is open.
    let crashed = folder.path().join("crashed.db");
    let bytes = fs::read(wal(&path)).unwrap();
    assert!(bytes.len() as u64 > before_last);
    let prepare = |bytes: &[u8]| {
        drop(fs::remove_file(crashed.with_extension("db-shm")));
        fs::copy(&path, &crashed).unwrap();
        fs::write(wal(&crashed), bytes).unwrap();
    };
    prepare(&bytes);
    let good = content(&crashed).unwrap();
    assert_eq!(good.records.len(), 30 * 6 + 1);

    let mut numbers = Numbers(6);
    let mut places = BTreeSet::new();
    for trial in 0..120 {
        let mut bytes = bytes.clone();
        // Also the header of 32 bytes.
        let at = if trial < 20 { numbers.below(32) } else { numbers.below(usize::try_from(before_last).unwrap()) };
        bytes[at] ^= 1 << numbers.below(8);
        prepare(&bytes);
        match content(&crashed) {
            Err(Error::Corrupt { place, .. }) => {
                places.insert(place);
            }
            other => panic!("a flipped bit in byte {at} of {before_last}: {other:?}"),
        }
    }
    assert!(places.len() > 30 && places.iter().all(|place| place.contains("write-ahead log")), "{places:?}");

    // A last transaction that was not finished is no damage: nobody was told that it happened.
    prepare(&bytes[..bytes.len() - 100]);
    assert_eq!(content(&crashed).unwrap().records.len(), 30 * 6);
}

/// What a copy by `repair` holds of `good`: the same records, and stand-ins for those that were given up.
fn check_repaired(good: &Content, damaged: &Path, to: &Path) -> Repair {
    let before = fs::read(damaged).unwrap();
    let planned = SqliteLog::repair(damaged, None).unwrap();
    let repair = SqliteLog::repair(damaged, Some(to)).unwrap();
    assert_eq!(repair, planned, "a dry run says what is done");
    assert_eq!(fs::read(damaged).unwrap(), before, "the damaged log stays as it is");
    assert!(SqliteLog::check_file(to).unwrap().damage.is_empty());
    let found = content(to).unwrap();
    let offsets = |records: &[StoredRecord]| -> Vec<_> {
        records.iter().map(|stored| (stored.partition_id(), stored.offset)).collect()
    };
    assert_eq!(offsets(&found.records), offsets(&good.records));
    let is_stand_in = |stored: &&StoredRecord| stored.record.headers.iter().any(|(name, _)| name == LOST_HEADER);
    assert_eq!(found.records.iter().filter(is_stand_in).count() as u64, repair.lost);
    assert_eq!(repair.kept + repair.lost, good.records.len() as u64);
    for (found, good) in found.records.iter().zip(&good.records) {
        assert!(found == good || is_stand_in(&found), "{found:?}");
    }
    repair
}

#[test]
fn a_repair_keeps_what_is_good_where_it_stood() {
    let (folder, path) = folder();
    let log = open(&path);
    fill(&log, 60);
    drop(log);
    let good = content(&path).unwrap();
    let (copy, to) = (folder.path().join("copy.db"), folder.path().join("repaired.db"));
    let repaired = |changes: &str| {
        fs::copy(&path, &copy).unwrap();
        Connection::open(&copy).unwrap().execute_batch(changes).unwrap();
        drop(fs::remove_file(&to));
        let repair = check_repaired(&good, &copy, &to);
        let places: Vec<String> = repair.given_up.iter().map(|damage| damage.place.clone()).collect();
        (repair.lost, places.join(", "), content(&to).unwrap())
    };

    let (lost, places, same) = repaired("");
    assert_eq!((lost, places.as_str()), (0, ""));
    assert_eq!(same, good, "of a good log it is a copy");

    let (lost, places, _) = repaired(
        "UPDATE frames SET data = x'00' WHERE frame_id IN (5, 11); DELETE FROM frames WHERE frame_id IN (21, 119)",
    );
    assert_eq!(
        (lost, places.as_str()),
        (
            20,
            "articles/0 offsets 5..=9, articles/0 offsets 25..=29, articles/1 offsets 10..=14, \
             articles/1 offsets 145..=149"
        )
    );

    // What can be made anew from the rest is not lost: heads, and the state from the records.
    let (lost, places, same) = repaired(
        "UPDATE heads SET low_offset = 7, next_offset = 9; DELETE FROM state WHERE partition = 0; \
         UPDATE state SET data = x'00'",
    );
    assert!(lost == 0 && places.contains("the head of articles/0") && places.contains("feeds/1"), "{lost} {places}");
    assert_eq!(same, good);

    let (_, places, found) =
        repaired("UPDATE meta SET value = 'other'; UPDATE positions SET next_offset = 3 WHERE partition = 0");
    assert!(places.contains("the log's identity") && places.contains("a position of group `group`"), "{places}");
    assert_ne!(found.genesis, good.genesis);
    assert_eq!(found.records, good.records);

    let again = SqliteLog::repair(&copy, Some(&to));
    assert!(matches!(&again, Err(Error::Open { path, .. }) if *path == to), "nothing is overwritten: {again:?}");
}

/// Whatever was damaged: a repair keeps the rest or says that nothing can be read.
#[test]
fn a_repair_of_any_damage_is_a_good_log_or_an_error() {
    let (folder, path) = folder();
    let log = open(&path);
    fill(&log, 60);
    drop(log);
    let good = content(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let (copy, to) = (folder.path().join("copy.db"), folder.path().join("repaired.db"));
    let mut numbers = Numbers(8);
    let (mut kept, mut refused) = (0, 0);
    for trial in 0..60 {
        let mut bytes = bytes.clone();
        let page = numbers.below(bytes.len() / 8192);
        bytes[page * 8192..(page + 1) * 8192].fill(if trial % 2 == 0 { 0 } else { 0xa5 });
        fs::write(&copy, bytes).unwrap();
        drop(fs::remove_file(&to));
        match SqliteLog::repair(&copy, Some(&to)) {
            Ok(repair) => {
                assert!(SqliteLog::check_file(&to).unwrap().damage.is_empty());
                let found = read_all(&SqliteLog::open(&to, Access::Write).unwrap(), &TOPICS);
                // A topic that is lost as a whole is said, and missing.
                if let Ok(found) = found {
                    let same = found.iter().filter(|stored| good.records.contains(stored)).count();
                    assert_eq!(same as u64, repair.kept, "page {page}");
                    kept += 1;
                }
            }
            Err(error) => {
                assert!(is_loud(&error), "page {page}: {error:?}");
                assert!(!to.exists());
                refused += 1;
            }
        }
        for name in ["copy.db-wal", "copy.db-shm"] {
            drop(fs::remove_file(folder.path().join(name)));
        }
    }
    assert!(kept > refused * 4, "{kept} kept, {refused} refused");
}
