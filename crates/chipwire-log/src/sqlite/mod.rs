//! The embedded log: one SQLite file, which several processes may read and write at the same time.
//!
//! A write-ahead log with `synchronous=FULL`: what an append has returned `Ok` for survives a loss of power, as far as the
//! disk keeps its promises. Records stand in compressed frames of up to about 1 MiB, one or more for each partition that an
//! append touches, and every row carries a checksum over its content *and* its place. See `schema.rs` for the tables.
//!
//! One thread in each [`SqliteLog`] writes and commits what several callers ask for together. Readers have connections of
//! their own; one that reads for long makes no writer wait. A waiting reader sees a commit of its own `SqliteLog` at once and
//! any other within about 20 milliseconds.
//!
//! A group has one worker here: the newest owns all partitions and fences the others.
//!
//! What cannot be found: that the very last transactions before a crash of the machine were damaged in the write-ahead log
//! afterwards. They look as if they had never been finished. A projection that has seen them will notice, as its positions
//! are out of range then.

mod append;
mod check;
mod checkpoint;
mod committer;
mod expire;
mod failure;
mod frame;
mod handles;
mod reader;
mod repair;
mod schema;
mod seal;
mod state;
mod tables;
mod wal;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use rusqlite::Connection;

pub use self::{
    check::{CheckReport, Damage, PartitionStats},
    repair::{LOST_HEADER, Repair},
};
use self::{
    committer::{Committer, Signal},
    failure::{Failure, Outcome},
    handles::{SqliteWorker, SqliteWriter},
    reader::SqliteReader,
    tables::{Head, Topic, Topics},
};
use crate::{
    Bounds, Error, EventLog, Expiry, PartitionId, Positions, Reader, Result, State, StoredRecord, TopicSpec, Worker,
    Writer, clock,
};

/// What a log is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing; made when nothing is there. The folder must exist.
    Create,
    /// Reading and writing.
    Write,
    /// Reading only. Writers, workers and `ensure` are refused.
    Read,
}

/// Where the stamps of records come from: milliseconds since 1970-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What hardly anyone sets otherwise.
#[derive(Clone)]
pub struct Options {
    /// The clock. Default: the machine's.
    pub clock: Clock,
    /// How often a waiting reader looks whether another process has written. Writes of its own `SqliteLog` wake it at once.
    /// Default: 20 milliseconds.
    pub look_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Arc::new(clock::now_ms), look_every: Duration::from_millis(20) }
    }
}

/// The log in a file. Clones are handles on the same open log.
#[derive(Clone)]
pub struct SqliteLog {
    shared: Arc<Shared>,
}

impl fmt::Debug for SqliteLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteLog").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

struct Shared {
    path: PathBuf,
    genesis: String,
    signal: Arc<Signal>,
    options: Options,
    topics: RwLock<Topics>,
    /// Read-only connections that nobody uses at the moment. Declared before the committer, so that the connection that
    /// writes is closed last: that one tidies up.
    idle: Mutex<Vec<Connection>>,
    /// `None` for reading only.
    committer: Option<Committer>,
}

impl SqliteLog {
    /// A topic, and those of its partitions that are asked for: all, where nothing is said.
    fn wanted(&self, topic: &str, partitions: Option<&[u32]>) -> Result<(Arc<Topic>, Vec<PartitionId>)> {
        let topic = self.shared.topic(topic)?;
        let mut wanted: Vec<PartitionId> = match partitions {
            None => topic.partitions().collect(),
            Some(numbers) => numbers.iter().map(|number| topic.partition(*number)).collect(),
        };
        wanted.sort();
        wanted.dedup();
        match wanted.iter().find(|id| id.partition >= topic.spec.partitions) {
            Some(unknown) => Err(Error::UnknownPartition(unknown.clone())),
            None => Ok((topic, wanted)),
        }
    }

    /// Opens the log at `path`, after a check that takes milliseconds: header, schema, small tables, the first and the last
    /// frame of every partition, and the write-ahead log that a crash may have left. [`check`](Self::check) reads all.
    ///
    /// # Errors
    /// [`Error::Open`] when it is not there or not a log, [`Error::Corrupt`] when it is damaged, [`Error::SchemaVersion`]
    /// when another version wrote it.
    pub fn open(path: &Path, access: Access) -> Result<Self> {
        Self::open_with(path, access, Options::default())
    }

    /// As [`open`](Self::open).
    pub fn open_with(path: &Path, access: Access, options: Options) -> Result<Self> {
        if access == Access::Create {
            schema::create(path)?;
        }
        let open = |source: Box<dyn std::error::Error + Send + Sync>| Error::Open { path: path.to_owned(), source };
        let file = std::fs::metadata(path).map_err(|error| open(Box::new(error)))?;
        let damaged = |failure: Failure| failure.into_error(path, || format!("open log `{}`", path.display()));
        if file.len() == 0 {
            return Err(damaged(Failure::damaged("the whole file", "it is empty")));
        }
        // Before SQLite sees it: when the last connection closes, SQLite tidies away what it could not read.
        wal::check(path).map_err(damaged)?;
        if access != Access::Read {
            schema::migrate(path).map_err(damaged)?;
        }
        let connection = schema::connect(path, Access::Read).map_err(|failure| match failure {
            Failure::Sqlite(error) => open(Box::new(error)),
            other => damaged(other),
        })?;
        // What has no place of its own here is what SQLite itself reads first.
        let (genesis, topics) =
            load(&connection, path).map_err(|failure| damaged(failure.at(|| "the schema of the file".to_owned())))?;
        let signal = Arc::new(Signal::default());
        let committer = match access {
            Access::Read => None,
            Access::Create | Access::Write => {
                let writing = schema::connect(path, Access::Write).map_err(damaged)?;
                Some(Committer::start(path.to_owned(), writing, Arc::clone(&signal))?)
            }
        };
        let shared = Shared {
            path: path.to_owned(),
            genesis,
            signal,
            options,
            topics: RwLock::new(topics),
            idle: Mutex::new(vec![connection]),
            committer,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Reads and checks everything, as of now. Takes about as long as reading the file.
    pub fn check(&self) -> Result<CheckReport> {
        self.shared.read("check the log", check::all)
    }

    /// As [`check`](Self::check), of a file that need not open: everything that can still be read is looked at.
    ///
    /// # Errors
    /// [`Error::Open`] when it is no log, [`Error::SchemaVersion`] when another version wrote it.
    pub fn check_file(path: &Path) -> Result<CheckReport> {
        let read = || {
            let journal = match wal::check(path) {
                Err(Failure::Damaged { place, reason }) => Some(Damage { place, reason }),
                other => other.map(|()| None)?,
            };
            let connection = schema::connect(path, Access::Read)?;
            let mut report = match schema::verify(&connection, path) {
                Err(Failure::Damaged { place, reason }) => {
                    CheckReport { damage: vec![Damage { place, reason }], ..CheckReport::default() }
                }
                other => other.and_then(|()| check::all(&*connection.unchecked_transaction()?))?,
            };
            report.damage.extend(journal);
            Ok(report)
        };
        read().map_err(|failure: Failure| failure.into_error(path, || format!("check log `{}`", path.display())))
    }

    /// Says what a repair of the log at `path` keeps and gives up, and makes a repaired copy at `to`, if that is given. The log
    /// itself stays as it is. Offsets stay what they were: in the place of what is lost stand records that say so, with the
    /// header [`LOST_HEADER`].
    ///
    /// # Errors
    /// [`Error::Open`] when `path` is no log or `to` exists already, [`Error::SchemaVersion`] when another version wrote it,
    /// [`Error::Corrupt`] when so much is damaged that nothing can be read.
    pub fn repair(path: &Path, to: Option<&Path>) -> Result<Repair> {
        let error = |failure: Failure| failure.into_error(path, || format!("repair log `{}`", path.display()));
        let salvage = |target: Option<&Connection>| -> Outcome<Repair> {
            // SQLite passes over what is damaged there, as if it had never been finished.
            let journal = match wal::check(path) {
                Err(Failure::Damaged { place, reason }) => Some(Damage { place, reason }),
                other => other.map(|()| None)?,
            };
            let source = schema::connect(path, Access::Read)?;
            schema::verify(&source, path).map_err(|failure| failure.at(|| "the schema of the file".to_owned()))?;
            let snapshot = source.unchecked_transaction()?;
            let mut repair = repair::salvage(&snapshot, target)?;
            repair.given_up.extend(journal);
            Ok(repair)
        };
        let Some(to) = to else { return salvage(None).map_err(error) };
        let mut repair = Repair::default();
        schema::create_filled(to, |unfinished| {
            let write = || -> Outcome<Repair> {
                let mut target = Connection::open(unfinished)?;
                let transaction = target.transaction()?;
                let repair = salvage(Some(&transaction))?;
                transaction.commit()?;
                target.close().map_err(|(_, error)| error)?;
                Ok(repair)
            };
            repair = write().map_err(error)?;
            // What was taken for good must be so where it stands now.
            match Self::check_file(unfinished)?.damage.into_iter().next() {
                None => Ok(()),
                Some(Damage { place, reason }) => Err(Error::Corrupt { path: unfinished.to_owned(), place, reason }),
            }
        })?;
        Ok(repair)
    }

    /// Copies the log as it is now to `to`, while others write. Answers the size of the copy in bytes.
    ///
    /// # Errors
    /// [`Error::Backend`] when `to` exists or cannot be written: then nothing is left there.
    pub fn backup(&self, to: &Path) -> Result<u64> {
        let action = || format!("copy log `{}` to `{}`", self.shared.path.display(), to.display());
        let connection =
            schema::connect(&self.shared.path, Access::Read).map_err(|failure| self.shared.error(failure))?;
        schema::copy(&connection, to).map_err(|source| Error::Backend { action: action(), source })
    }

    /// What every partition holds, by topic and partition.
    pub fn stats(&self) -> Result<Vec<PartitionStats>> {
        self.shared.read("count what the log holds", check::stats)
    }

    /// Removes, from the beginning of each partition, what is older than its topic's retention, of state topics what newer
    /// records replaced more than a week ago, and beyond a size the oldest of topics that have a retention; never what is
    /// still needed. The age of a record is counted from the newest of its partition at the latest: a clock that is ahead of
    /// the records does not make all of them old. Answers how many records went. The file does not shrink; their space is used again.
    pub fn expire(&self, expiry: &Expiry) -> Result<u64> {
        let expiry = expiry.clone();
        let work = Box::new(move |connection: &_| expire::expire(connection, &expiry));
        let records = self.shared.committer()?.run("retention", 0, work)?;
        Ok(u64::try_from(records).unwrap_or(0))
    }
}

fn load(connection: &Connection, path: &Path) -> Outcome<(String, Topics)> {
    schema::verify(connection, path)?;
    let snapshot = connection.unchecked_transaction()?;
    check::ends(&snapshot)?;
    Ok((schema::genesis(&snapshot)?, tables::topics(&snapshot)?))
}

impl Shared {
    fn error(&self, failure: Failure) -> Error {
        failure.into_error(&self.path, || format!("use log `{}`", self.path.display()))
    }

    fn committer(&self) -> Result<&Committer> {
        self.committer.as_ref().ok_or_else(|| Error::Backend {
            action: format!("write to log `{}`", self.path.display()),
            source: "it was opened for reading only".into(),
        })
    }

    /// Reads in one snapshot.
    fn read<T>(&self, action: &str, read: impl FnOnce(&Connection) -> Outcome<T>) -> Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let run = || {
            let connection = idle.map_or_else(|| schema::connect(&self.path, Access::Read), Ok)?;
            let found =
                connection.unchecked_transaction().map_err(Failure::from).and_then(|snapshot| read(&snapshot))?;
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(found)
        };
        run().map_err(|failure: Failure| failure.into_error(&self.path, || action.to_owned()))
    }

    /// The topic `name`, which another process may just have created.
    fn topic(&self, name: &str) -> Result<Arc<Topic>> {
        let known = self.topics.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(topic) = known {
            return Ok(topic);
        }
        let topics = self.read("read the topics", tables::topics)?;
        let topic = topics.get(name).cloned();
        *self.topics.write().unwrap_or_else(PoisonError::into_inner) = topics;
        topic.ok_or_else(|| Error::UnknownTopic(name.to_owned()))
    }

    fn positions(&self, group: &str, topics: &[Arc<Topic>]) -> Result<Positions> {
        self.read("read the positions", |snapshot| tables::positions(snapshot, group, topics))
    }

    fn reader(&self, topics: &[&str], from: &Positions) -> Result<SqliteReader> {
        let mut names = topics.to_vec();
        names.sort_unstable();
        names.dedup();
        let topics = names.into_iter().map(|name| self.topic(name)).collect::<Result<Vec<_>>>()?;
        let connection = schema::connect(&self.path, Access::Read).map_err(|failure| self.error(failure))?;
        let (signal, look_every) = (Arc::clone(&self.signal), self.options.look_every);
        SqliteReader::new(self.path.clone(), connection, signal, look_every, topics, from)
            .map_err(|failure| self.error(failure))
    }
}

impl EventLog for SqliteLog {
    fn genesis(&self) -> Result<String> {
        Ok(self.shared.genesis.clone())
    }

    fn expire(&self, expiry: &Expiry) -> Result<u64> {
        self.expire(expiry)
    }

    fn ensure(&self, topics: &[TopicSpec]) -> Result<()> {
        let specs = topics.to_vec();
        let work = Box::new(move |connection: &_| tables::ensure(connection, &specs).map(|()| 0));
        self.shared.committer()?.run("ensure", 0, work).map(|_| ())
    }

    fn bounds(&self, topic: &str) -> Result<Vec<Bounds>> {
        let topic = self.shared.topic(topic)?;
        let heads = self.shared.read("read the bounds", |snapshot| Head::load_all(snapshot, &topic))?;
        Ok(heads.into_iter().map(Head::bounds).collect())
    }

    fn reader(&self, topics: &[&str], from: &Positions) -> Result<Box<dyn Reader>> {
        Ok(Box::new(self.shared.reader(topics, from)?))
    }

    fn worker(&self, group: &str, member: &str, topics: &[&str]) -> Result<Box<dyn Worker>> {
        Ok(Box::new(SqliteWorker::new(Arc::clone(&self.shared), group, member, topics)?))
    }

    fn writer(&self, name: &str) -> Result<Box<dyn Writer>> {
        Ok(Box::new(SqliteWriter::new(Arc::clone(&self.shared), name)?))
    }

    fn state(&self, topic: &str, partitions: Option<&[u32]>) -> Result<State> {
        let (topic, wanted) = self.wanted(topic, partitions)?;
        if !topic.is_compact() {
            return state::replay(&self.shared, &topic, &wanted);
        }
        let mut records = BTreeMap::new();
        let mut keep = |stored: StoredRecord| drop(records.insert(stored.record.key.clone(), stored));
        let read = |snapshot: &Connection| state::each(snapshot, &topic, &wanted, &mut keep);
        let positions = self.shared.read("read the state", read)?;
        Ok(State { records, positions })
    }

    fn each_latest(
        &self,
        topic: &str,
        partitions: Option<&[u32]>,
        visit: &mut dyn FnMut(StoredRecord),
    ) -> Result<Positions> {
        let (topic, wanted) = self.wanted(topic, partitions)?;
        if topic.is_compact() {
            return self.shared.read("read the state", |snapshot| state::each(snapshot, &topic, &wanted, visit));
        }
        let State { records, positions } = state::replay(&self.shared, &topic, &wanted)?;
        records.into_values().for_each(visit);
        Ok(positions)
    }

    fn finds_keys(&self) -> bool {
        true
    }

    fn latest(&self, topic: &str, partition: u32, key: &[u8]) -> Result<Option<StoredRecord>> {
        let topic = self.shared.topic(topic)?;
        let id = topic.partition(partition);
        if partition >= topic.spec.partitions {
            return Err(Error::UnknownPartition(id));
        }
        if !topic.is_compact() {
            return Ok(state::replay(&self.shared, &topic, &[id])?.records.remove(key));
        }
        self.shared.read("read a key of the state", |snapshot| state::find(snapshot, &topic, &id, key))
    }

    fn committed(&self, group: &str, topics: &[&str]) -> Result<Positions> {
        let topics = topics.iter().map(|name| self.shared.topic(name)).collect::<Result<Vec<_>>>()?;
        self.shared.positions(group, &topics)
    }
}
