//! The tables, how a file is made, and how it is opened.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::{
    Access,
    failure::{Failure, Outcome},
    seal::{Seal, Tally},
};
use crate::{Error, Result};

/// `chlg`, in the header of every file of ours.
const APPLICATION_ID: i64 = 0x6368_6c67;

/// The version of the tables and of what the blobs in them hold.
const VERSION: i64 = 1;

/// What leads from one version to the next. The tables below are those of the newest; whoever changes them adds a step here,
/// and a file of every version that was ever released to the tests.
struct Step {
    /// The version that it leads from; it leads to the next.
    from: i64,
    statements: &'static [&'static str],
}

const STEPS: &[Step] = &[];

/// How long a write waits for another process that is writing.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Names and statements, exactly as SQLite keeps them in the file: they are compared when it is opened.
///
/// - `frames`: records of one partition, packed, compressed and sealed; the frames of a partition follow each other
///   without a gap from `heads.low_offset` to `heads.next_offset`.
/// - `state`: the latest record of every key of a state topic.
/// - `positions`: how far each group has come.
/// - `owners`: who may write under a name; a newer one takes it by writing another token.
/// - `tallies`: how many rows `topics` and `positions` have; `heads` says it for `state`.
const TABLES: [(&str, &str); 9] = [
    (
        "meta",
        "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER NOT NULL) \
         STRICT, WITHOUT ROWID",
    ),
    (
        "topics",
        "CREATE TABLE topics (topic_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL, \
         cleanup TEXT NOT NULL, retention_ms INTEGER, checksum INTEGER NOT NULL) STRICT",
    ),
    (
        "heads",
        "CREATE TABLE heads (topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, low_offset INTEGER NOT NULL, \
         next_offset INTEGER NOT NULL, state_rows INTEGER NOT NULL, state_sum INTEGER NOT NULL, \
         checksum INTEGER NOT NULL, PRIMARY KEY (topic_id, partition)) STRICT, WITHOUT ROWID",
    ),
    (
        "frames",
        "CREATE TABLE frames (frame_id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, \
         first_offset INTEGER NOT NULL, last_offset INTEGER NOT NULL, written_ms INTEGER NOT NULL, \
         checksum INTEGER NOT NULL, data BLOB NOT NULL) STRICT",
    ),
    ("frames_by_offset", "CREATE UNIQUE INDEX frames_by_offset ON frames (topic_id, partition, first_offset)"),
    (
        "state",
        "CREATE TABLE state (topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, key BLOB NOT NULL, \
         record_offset INTEGER NOT NULL, written_ms INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL, \
         PRIMARY KEY (topic_id, partition, key)) STRICT, WITHOUT ROWID",
    ),
    (
        "positions",
        "CREATE TABLE positions (group_name TEXT NOT NULL, topic_id INTEGER NOT NULL, partition INTEGER NOT NULL, \
         next_offset INTEGER NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (group_name, topic_id, partition)) \
         STRICT, WITHOUT ROWID",
    ),
    (
        "owners",
        "CREATE TABLE owners (kind TEXT NOT NULL, name TEXT NOT NULL, token INTEGER NOT NULL, \
         PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID",
    ),
    (
        "tallies",
        "CREATE TABLE tallies (table_name TEXT NOT NULL PRIMARY KEY, row_count INTEGER NOT NULL, \
         row_sum INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    ),
];

/// Makes a log at `path` unless something is there.
///
/// It is made under another name and then linked to its own, so that a log never exists half made, two processes can do
/// this at once, and an empty file is never taken for a new log: it is one that lost its content.
pub(super) fn create(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Open { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let unfinished = Unfinished::beside(path);
    build(&unfinished.0).map_err(|error| failed(Box::new(error)))?;
    fs::File::open(&unfinished.0).and_then(|file| file.sync_all()).map_err(|error| failed(Box::new(error)))?;
    match fs::hard_link(&unfinished.0, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if path.exists() => return Err(failed(Box::new(error))),
        // A file system without hard links.
        Err(_) => fs::rename(&unfinished.0, path).map_err(|error| failed(Box::new(error)))?,
        Ok(()) => {}
    }
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(Box::new(error)))
}

/// A file that is removed unless it was moved away.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(path: &Path) -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".new-{}-{count}", std::process::id()));
        Self(PathBuf::from(name))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is gone where it was renamed; elsewhere a leftover does no harm.
        drop(fs::remove_file(&self.0));
    }
}

fn build(path: &Path) -> Result<(), rusqlite::Error> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let transaction = connection.transaction()?;
    for (_, statement) in TABLES {
        transaction.execute_batch(statement)?;
    }
    let genesis: String = transaction.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0))?;
    transaction.execute(
        "INSERT INTO meta (name, value, checksum) VALUES ('genesis', ?1, ?2)",
        (&genesis, seal_meta("genesis", &genesis).sum()),
    )?;
    for table in ["topics", "positions"] {
        // Nothing but SQLite's own errors can come of it.
        if let Err(Failure::Sqlite(error)) = Tally::default().store(&transaction, table) {
            return Err(error);
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    // The last connection to be closed moves everything into the file itself.
    connection.close().map_err(|(_, error)| error)
}

/// Makes another log at `to`, filled by `fill`, which appears there once it is whole.
pub(super) fn create_filled(to: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Open { path: to.to_owned(), source };
    if to.exists() {
        return Err(failed("the file exists already".into()));
    }
    let unfinished = Unfinished::beside(to);
    build(&unfinished.0).map_err(|error| failed(Box::new(error)))?;
    fill(&unfinished.0)?;
    let publish = || -> io::Result<()> {
        fs::File::open(&unfinished.0)?.sync_all()?;
        fs::hard_link(&unfinished.0, to).or_else(|_| fs::rename(&unfinished.0, to))?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(folder)?.sync_all()
    };
    publish().map_err(|error| failed(Box::new(error)))
}

/// Gives a log the identity of another, of which it is a copy.
pub(super) fn set_genesis(connection: &Connection, genesis: &str) -> Outcome<()> {
    let checksum = seal_meta("genesis", genesis).sum();
    connection.execute("UPDATE meta SET value = ?1, checksum = ?2 WHERE name = 'genesis'", (genesis, checksum))?;
    Ok(())
}

/// Copies the log behind `connection`, as of now, to a new file, which appears once it is whole.
pub(super) fn copy(connection: &Connection, to: &Path) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    if to.exists() {
        return Err("the file exists already".into());
    }
    let unfinished = Unfinished::beside(to);
    let path = unfinished.0.to_str().ok_or("the file's name is not UTF-8")?;
    connection.execute("VACUUM INTO ?1", [path])?;
    // As every log: copies come without it.
    let copied = Connection::open(&unfinished.0)?;
    copied.pragma_update(None, "journal_mode", "wal")?;
    copied.close().map_err(|(_, error)| error)?;
    let file = fs::File::open(&unfinished.0)?;
    file.sync_all()?;
    let size_bytes = file.metadata()?.len();
    fs::hard_link(&unfinished.0, to).or_else(|_| fs::rename(&unfinished.0, to))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()?;
    Ok(size_bytes)
}

/// Opens a connection for `access`.
pub(super) fn connect(path: &Path, access: Access) -> Outcome<Connection> {
    let how = match access {
        Access::Create | Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connection = Connection::open_with_flags(path, how | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "cell_size_check", true)?;
    if access != Access::Read {
        connection.pragma_update(None, "synchronous", "full")?;
        // Checkpoints are made after the callers were answered.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        // In KiB, when negative.
        connection.pragma_update(None, "cache_size", -16_384)?;
    }
    Ok(connection)
}

/// Brings the log at `path` to the present version, if it is an older one: all steps or none.
pub(super) fn migrate(path: &Path) -> Outcome<()> {
    migrate_to(path, VERSION, STEPS)
}

fn migrate_to(path: &Path, wanted: i64, steps: &[Step]) -> Outcome<()> {
    let number = |connection: &Connection, pragma: &str| {
        connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).map_err(Failure::Sqlite)
    };
    let is_older = |look: Connection| {
        Ok(number(&look, "application_id")? == APPLICATION_ID && number(&look, "user_version")? < wanted)
    };
    // Whatever else it is, `verify` says.
    if !connect(path, Access::Read).and_then(is_older).unwrap_or(false) {
        return Ok(());
    }
    let mut connection = connect(path, Access::Write)?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have been quicker.
    let found = number(&transaction, "user_version")?;
    let mut version = found;
    while version < wanted {
        let step = steps.iter().find(|step| step.from == version);
        let step = step.ok_or_else(|| Error::SchemaVersion { path: path.to_owned(), found, expected: wanted })?;
        for statement in step.statements {
            transaction.execute_batch(statement)?;
        }
        version += 1;
    }
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()?;
    tracing::info!(path = %path.display(), from = found, to = version, "the log was brought to a newer schema version");
    Ok(())
}

/// Whether the file is a log that this version reads; cheap.
pub(super) fn verify(connection: &Connection, path: &Path) -> Outcome<()> {
    let header = || "the file's header".to_owned();
    let number = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(|error| Failure::Sqlite(error).at(header))
    };
    if number("application_id")? != APPLICATION_ID {
        let source = "it is not an event log, or its header is damaged".into();
        return Err(Error::Open { path: path.to_owned(), source }.into());
    }
    let found = number("user_version")?;
    if found != VERSION {
        return Err(Error::SchemaVersion { path: path.to_owned(), found, expected: VERSION }.into());
    }
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Failure::damaged(header(), format!("it says journal mode `{mode}`")));
    }
    let mut statement = connection.prepare("SELECT sql FROM sqlite_schema WHERE name = ?1")?;
    for (name, expected) in TABLES {
        let place = || format!("the schema of `{name}`");
        let found: String =
            statement.query_row([name], |row| row.get(0)).map_err(|error| Failure::Sqlite(error).at(place))?;
        if found != expected {
            return Err(Failure::damaged(place(), "it is not what this version writes"));
        }
    }
    Ok(())
}

pub(super) fn genesis(connection: &Connection) -> Outcome<String> {
    let place = || "the log's identity (table meta)".to_owned();
    let (genesis, checksum): (String, i64) = connection
        .query_row("SELECT value, checksum FROM meta WHERE name = 'genesis'", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(|error| Failure::Sqlite(error).at(place))?;
    seal_meta("genesis", &genesis).check(checksum, place)?;
    Ok(genesis)
}

fn seal_meta(name: &str, value: &str) -> Seal {
    Seal::new("meta").bytes(name.as_bytes()).bytes(value.as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    /// A log as versions before this one may have written it, here without the index and the tallies.
    fn older(path: &Path) {
        create(path).unwrap();
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("DROP INDEX frames_by_offset; DROP TABLE owners").unwrap();
        connection.pragma_update(None, "user_version", -1).unwrap();
    }

    fn statement(name: &str) -> &'static str {
        TABLES.iter().find(|(found, _)| *found == name).map(|(_, statement)| *statement).unwrap()
    }

    fn version(path: &Path) -> i64 {
        Connection::open(path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_older_log_is_brought_up_step_by_step_and_is_what_a_new_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        older(&path);
        let genesis = |path: &Path| genesis(&connect(path, Access::Read).unwrap()).unwrap();
        let before = genesis(&path);
        let steps = [
            Step { from: 0, statements: Box::leak(Box::new([statement("owners")])) },
            Step { from: -1, statements: Box::leak(Box::new([statement("frames_by_offset")])) },
        ];
        migrate_to(&path, VERSION, &steps).unwrap();
        verify(&connect(&path, Access::Read).unwrap(), &path).unwrap();
        assert_eq!((version(&path), genesis(&path)), (VERSION, before));
        // Nothing to do the second time.
        migrate_to(&path, VERSION, &[]).unwrap();
    }

    #[test]
    fn a_step_that_fails_or_is_not_there_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        older(&path);
        let good = Step { from: -1, statements: Box::leak(Box::new([statement("frames_by_offset")])) };
        let bad = Step { from: 0, statements: &["CREATE TABLE heads (again)"] };
        let missing = migrate_to(&path, VERSION, &[]).unwrap_err();
        assert!(
            matches!(missing, Failure::Refused(Error::SchemaVersion { found: -1, expected: VERSION, .. })),
            "{missing:?}"
        );
        migrate_to(&path, VERSION, &[good, bad]).unwrap_err();
        assert_eq!(version(&path), -1);
        let count = |name: &str| {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE name = ?1";
            Connection::open(&path).unwrap().query_row(sql, [name], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!((count("frames_by_offset"), count("owners")), (0, 0));
    }

    #[test]
    fn the_steps_lead_to_the_present_version_without_a_hole() {
        let from: Vec<i64> = STEPS.iter().map(|step| step.from).collect();
        let first = from.iter().copied().min().unwrap_or(VERSION);
        assert!((first..VERSION).all(|version| from.contains(&version)), "{from:?}");
    }
}
