//! Moving the write-ahead log into the file, without making writers wait for readers.
//!
//! Most of it is done by a thread with a connection of its own while writing goes on. Now and then the thread that writes moves
//! what was written meanwhile, little, between two transactions: only when everything was moved does the write-ahead log begin
//! anew. A reader that stays at an old snapshot keeps SQLite from that, so the write-ahead log grows until it is gone.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use rusqlite::Connection;

use super::{Access, schema, wal};

/// It is time when so much was written since the last time.
const CHECKPOINT_BYTES: usize = 16 << 20;

/// From this many pages (of 8 KiB) on, the thread that writes moves the rest, and the write-ahead log begins anew.
const FULL_PAGES: i64 = 4_096;

/// From this many on, readers are waited for: where one follows on the other, there is always one at an old
/// snapshot, unless nothing is written for a moment.
const LARGE_PAGES: i64 = 16_384;

/// That moment.
const PATIENCE: Duration = Duration::from_millis(200);

/// When the write-ahead log is to be moved, and by whom.
pub(super) struct Checkpoints {
    path: PathBuf,
    /// `None` until it is needed, and when it cannot be had.
    background: Option<Background>,
    /// Whether the background is at it.
    running: bool,
    /// Bytes written since the last time.
    since: usize,
    limits: Limits,
    /// Pages from which on readers are waited for the next time.
    large: i64,
}

struct Limits {
    checkpoint_bytes: usize,
    full_pages: i64,
    large_pages: i64,
}

impl Checkpoints {
    pub(super) fn new(path: &Path) -> Self {
        let limits = Limits { checkpoint_bytes: CHECKPOINT_BYTES, full_pages: FULL_PAGES, large_pages: LARGE_PAGES };
        Self::with_limits(path, limits)
    }

    fn with_limits(path: &Path, limits: Limits) -> Self {
        // What others have left counts too, or the write-ahead log of one who is killed again and again would grow for ever.
        let since = fs::metadata(wal::path(path)).map_or(0, |found| found.len() as usize);
        let (path, large) = (path.to_owned(), limits.large_pages);
        Self { path, background: None, running: false, since, limits, large }
    }

    /// To be called by the thread that writes, with its connection, after every transaction.
    ///
    /// # Errors
    /// What SQLite says, here or in the background. The write-ahead log keeps everything that could not be moved.
    pub(super) fn after_commit(&mut self, connection: &Connection, size_bytes: usize) -> Result<(), rusqlite::Error> {
        // What a transaction writes apart from the frames is a few pages.
        self.since += size_bytes + (64 << 10);
        if self.running {
            let Some(done) = self.background.as_ref().and_then(Background::done) else { return Ok(()) };
            self.running = false;
            if done?.pages < self.limits.full_pages {
                return Ok(());
            }
        } else if self.since < self.limits.checkpoint_bytes {
            return Ok(());
        } else {
            self.since = 0;
            if self.background.is_none() {
                self.background = Background::start(&self.path);
            }
            self.running = self.background.as_ref().is_some_and(Background::begin);
            if self.running {
                return Ok(());
            }
        }
        self.finish(connection)
    }

    /// Moves what is left.
    fn finish(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let Moved { pages, .. } = checkpoint(connection, "PASSIVE")?;
        let large_pages = self.limits.large_pages;
        if pages <= self.large {
            self.large = self.large.min(pages + large_pages).max(large_pages);
            return Ok(());
        }
        connection.busy_timeout(PATIENCE)?;
        let moved = checkpoint(connection, "RESTART");
        connection.busy_timeout(schema::BUSY_TIMEOUT)?;
        // A reader that has not ended by then stays for long: writers are not made to wait for it again and again.
        self.large = if moved?.complete { large_pages } else { pages + large_pages };
        Ok(())
    }
}

/// What a checkpoint did.
struct Moved {
    /// Whether nothing was in its way.
    complete: bool,
    /// Pages in the write-ahead log.
    pages: i64,
}

fn checkpoint(connection: &Connection, mode: &str) -> Result<Moved, rusqlite::Error> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(Moved { complete: row.get::<_, i64>(0)? == 0, pages: row.get(1)? })
    })
}

/// A thread that moves what it can while others write.
struct Background {
    /// `None` only while it is being dropped.
    due: Option<Sender<()>>,
    done: Receiver<Result<Moved, rusqlite::Error>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// `None` when there is no thread or connection to be had.
    fn start(path: &Path) -> Option<Self> {
        let connection = schema::connect(path, Access::Write).ok()?;
        let ((due, asked), (tell, done)) = (bounded(1), bounded(1));
        let work = move || {
            while asked.recv().is_ok() {
                // Nobody listens any more when the log was closed meanwhile.
                drop(tell.send(checkpoint(&connection, "PASSIVE")));
            }
        };
        let thread = thread::Builder::new().name("log-checkpoint".into()).spawn(work).ok()?;
        Some(Self { due: Some(due), done, thread: Some(thread) })
    }

    /// False when its thread has ended.
    fn begin(&self) -> bool {
        self.due.as_ref().is_some_and(|due| due.try_send(()).is_ok())
    }

    /// What came of it; `None` as long as it is at it.
    fn done(&self) -> Option<Result<Moved, rusqlite::Error>> {
        match self.done.try_recv() {
            Ok(done) => Some(done),
            Err(TryRecvError::Empty) => None,
            // The thread has ended: the one that writes has everything left to do.
            Err(TryRecvError::Disconnected) => Some(Ok(Moved { complete: false, pages: i64::MAX })),
        }
    }
}

impl Drop for Background {
    /// Waits for the end of what it is at: its connection must be closed before the one that writes.
    fn drop(&mut self) {
        drop(self.due.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has ended nothing but the thread.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use std::time::Instant;

    use super::*;

    const LARGE: i64 = 64;

    /// A log, the connection that writes to it, and its checkpoints, which come soon.
    fn set_up(folder: &Path) -> (PathBuf, Connection, Checkpoints) {
        let path = folder.join("log.db");
        schema::create(&path).unwrap();
        let connection = schema::connect(&path, Access::Write).unwrap();
        let limits = Limits { checkpoint_bytes: 256 << 10, full_pages: LARGE / 2, large_pages: LARGE };
        let checkpoints = Checkpoints::with_limits(&path, limits);
        (path, connection, checkpoints)
    }

    /// Writes about 40 pages and sees to the write-ahead log.
    fn write(connection: &Connection, checkpoints: &mut Checkpoints) {
        connection
            .execute(
                "INSERT INTO frames (topic_id, partition, first_offset, last_offset, written_ms, checksum, data) \
                 SELECT 1, 0, n, n, 0, 0, randomblob(300000) FROM (SELECT count(*) AS n FROM frames)",
                [],
            )
            .unwrap();
        checkpoints.after_commit(connection, 300_000).unwrap();
    }

    fn pages(connection: &Connection) -> i64 {
        checkpoint(connection, "PASSIVE").unwrap().pages
    }

    /// Until the background has done one.
    fn write_until_moved(connection: &Connection, checkpoints: &mut Checkpoints) {
        let mut ran = false;
        while !ran || checkpoints.running {
            ran |= checkpoints.running;
            write(connection, checkpoints);
        }
    }

    #[test]
    fn the_write_ahead_log_begins_anew_while_writing_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (path, connection, mut checkpoints) = set_up(folder.path());
        for _ in 0..20 {
            write_until_moved(&connection, &mut checkpoints);
        }
        let rows: i64 = connection.query_row("SELECT count(*) FROM frames", [], |row| row.get(0)).unwrap();
        let (in_wal, written) = (fs::metadata(wal::path(&path)).unwrap().len(), rows as u64 * 300_000);
        assert!(in_wal < written / 3, "{in_wal} of {written} bytes");
        // The last one to be closed moves the rest and tidies up: the background has let go.
        drop(checkpoints);
        drop(connection);
        assert!(!wal::path(&path).exists());
    }

    /// A checkpoint that waits for readers waits as long as a write waits for another process.
    #[test]
    fn a_reader_that_stays_holds_up_no_writer() {
        let folder = tempfile::tempdir().unwrap();
        let (path, connection, mut checkpoints) = set_up(folder.path());
        let reader = schema::connect(&path, Access::Read).unwrap();
        let snapshot = reader.unchecked_transaction().unwrap();
        let count = |connection: &Connection| -> i64 {
            connection.query_row("SELECT count(*) FROM frames", [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count(&snapshot), 0);
        let started = Instant::now();
        while pages(&connection) < 4 * LARGE {
            write_until_moved(&connection, &mut checkpoints);
        }
        assert!(started.elapsed() < schema::BUSY_TIMEOUT, "{:?}", started.elapsed());
        assert_eq!(count(&snapshot), 0, "the reader has lost its snapshot");
        drop(snapshot);
        let begins_anew = (0..10).any(|_| {
            write_until_moved(&connection, &mut checkpoints);
            pages(&connection) < 2 * LARGE
        });
        assert!(begins_anew, "{} pages", pages(&connection));
    }
}
