//! The one thread that writes. What several callers ask for at the same time is committed together: one transaction, one
//! fsync, and a savepoint for each, so that one that is refused takes nothing from the others.

use std::{
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;

use super::{
    checkpoint::Checkpoints,
    failure::{Failure, Kind, Outcome, is_out_of_quota, kind},
};
use crate::{Error, Result};

/// So much may wait in the queue; then callers wait.
const QUEUED_JOBS: usize = 64;

/// No more is taken into one transaction.
const TRANSACTION_BYTES: usize = 32 << 20;

/// What a job does inside of the transaction. It may be rolled back after it returned `Ok`.
pub(super) type Work = Box<dyn FnOnce(&Connection) -> Outcome<i64> + Send>;

struct Job {
    work: Work,
    size_bytes: usize,
    /// Who asked, for errors.
    label: String,
    reply: Sender<Result<i64>>,
}

/// Tells readers of this process that something was committed.
#[derive(Debug, Default)]
pub(super) struct Signal {
    generation: Mutex<u64>,
    changed: Condvar,
}

impl Signal {
    pub(super) fn generation(&self) -> u64 {
        *self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn raise(&self) {
        *self.generation.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// Waits at most `wait` for a generation other than `seen`.
    pub(super) fn wait(&self, seen: u64, wait: Duration) {
        let generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(generation, wait, |generation| *generation == seen));
    }
}

/// The queue to the thread, and the thread.
#[derive(Debug)]
pub(super) struct Committer {
    path: PathBuf,
    /// `None` only while it is being dropped.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(path: PathBuf, connection: Connection, signal: Arc<Signal>) -> Result<Self> {
        let (jobs, queue) = bounded(QUEUED_JOBS);
        let checkpoints = Checkpoints::new(&path);
        let writing = Writing { path: path.clone(), checkpoints, connection, signal, stopped: None };
        let thread = thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writing.run(&queue))
            .map_err(|error| Error::Open { path: path.clone(), source: Box::new(error) })?;
        Ok(Self { path, jobs: Some(jobs), thread: Some(thread) })
    }

    /// Does `work` in a transaction; it is durable when this returns `Ok`.
    pub(super) fn run(&self, label: &str, size_bytes: usize, work: Work) -> Result<i64> {
        let (reply, answer) = bounded(1);
        let job = Job { work, size_bytes, label: label.to_owned(), reply };
        let queued = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !queued {
            return Err(Error::Stopped { path: self.path.clone(), reason: "its thread has ended".into() });
        }
        answer.recv().unwrap_or_else(|_| {
            Err(Error::Indeterminate { name: label.to_owned(), reason: "the thread that writes has ended".into() })
        })
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was told to its callers as a lost answer.
            drop(thread.join());
        }
    }
}

struct Writing {
    path: PathBuf,
    /// Declared before the connection, which is to be closed last.
    checkpoints: Checkpoints,
    connection: Connection,
    signal: Arc<Signal>,
    /// Why nothing is written any more.
    stopped: Option<String>,
}

/// Why a whole transaction did not happen.
struct Undone {
    error: rusqlite::Error,
    /// Whether it may have happened all the same.
    committing: bool,
}

impl Writing {
    fn run(mut self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut size_bytes = first.size_bytes;
            let mut jobs = vec![first];
            while size_bytes < TRANSACTION_BYTES
                && let Ok(job) = queue.try_recv()
            {
                size_bytes += job.size_bytes;
                jobs.push(job);
            }
            self.commit(jobs);
            self.checkpoint(size_bytes);
        }
    }

    fn commit(&mut self, jobs: Vec<Job>) {
        if let Some(reason) = &self.stopped {
            for job in jobs {
                let stopped = Error::Stopped { path: self.path.clone(), reason: reason.clone() };
                drop(job.reply.send(Err(stopped)));
            }
            return;
        }
        let mut callers = Vec::new();
        let mut answers = Vec::new();
        let mut works = Vec::new();
        for job in jobs {
            callers.push((job.label, job.reply));
            works.push(job.work);
        }
        match self.transaction(works, &mut answers) {
            Ok(()) => self.signal.raise(),
            Err(undone) => {
                self.roll_back();
                self.tell_undone(&undone, &callers, &mut answers);
            }
        }
        for ((_, reply), answer) in callers.into_iter().zip(answers) {
            // A caller who is gone does not wait for it.
            drop(reply.send(answer));
        }
    }

    fn transaction(&self, works: Vec<Work>, answers: &mut Vec<Result<i64>>) -> Result<(), Undone> {
        let before = |error| Undone { error, committing: false };
        let execute = |sql: &str| self.connection.prepare_cached(sql)?.execute([]);
        execute("BEGIN IMMEDIATE").map_err(before)?;
        for work in works {
            execute("SAVEPOINT job").map_err(before)?;
            let failure = match work(&self.connection) {
                Ok(answer) => {
                    execute("RELEASE job").map_err(before)?;
                    answers.push(Ok(answer));
                    continue;
                }
                Err(Failure::Sqlite(error)) if self.ends_transaction(&error) => return Err(before(error)),
                Err(failure) => failure,
            };
            execute("ROLLBACK TO job").map_err(before)?;
            execute("RELEASE job").map_err(before)?;
            answers.push(Err(failure.into_error(&self.path, || "write to the log".into())));
        }
        fail::fail_point!("before-fsync");
        execute("COMMIT").map_err(|error| Undone { error, committing: true })?;
        fail::fail_point!("after-fsync");
        Ok(())
    }

    fn ends_transaction(&self, error: &rusqlite::Error) -> bool {
        self.connection.is_autocommit() || !matches!(kind(error), Kind::Other | Kind::Damaged)
    }

    fn roll_back(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            self.stop(&error);
        }
    }

    fn stop(&mut self, error: &rusqlite::Error) {
        tracing::error!(path = %self.path.display(), %error, "the log has stopped writing");
        self.stopped.get_or_insert_with(|| error.to_string());
    }

    /// Answers everybody whose part was in order before the transaction failed.
    fn tell_undone(
        &mut self,
        undone: &Undone,
        callers: &[(String, Sender<Result<i64>>)],
        answers: &mut Vec<Result<i64>>,
    ) {
        let what = match kind(&undone.error) {
            Kind::Io if is_out_of_quota(&undone.error, &self.path) => Kind::Full,
            kind => kind,
        };
        if what == Kind::Io {
            self.stop(&undone.error);
        }
        let told = |label: &str| match what {
            // Whether the transaction is found in the file later is open.
            Kind::Io | Kind::SharedMemory if undone.committing => {
                Error::Indeterminate { name: label.to_owned(), reason: undone.error.to_string() }
            }
            Kind::Io => Error::Stopped { path: self.path.clone(), reason: undone.error.to_string() },
            Kind::Full => Error::Full { path: self.path.clone() },
            Kind::Busy => Error::Unavailable {
                target: self.path.display().to_string(),
                reason: "another process has been writing to it for too long".into(),
            },
            Kind::Damaged => Error::Corrupt {
                path: self.path.clone(),
                place: format!("a page that `{label}` writes"),
                reason: undone.error.to_string(),
            },
            Kind::SharedMemory | Kind::Other => {
                Error::Unavailable { target: self.path.display().to_string(), reason: undone.error.to_string() }
            }
        };
        for (index, (label, _)) in callers.iter().enumerate() {
            match answers.get_mut(index) {
                Some(Err(_)) => {}
                Some(answer) => *answer = Err(told(label)),
                None => answers.push(Err(told(label))),
            }
        }
    }

    /// Sees to the write-ahead log after `size_bytes` more were written to it.
    fn checkpoint(&mut self, size_bytes: usize) {
        if self.stopped.is_some() {
            return;
        }
        match self.checkpoints.after_commit(&self.connection, size_bytes) {
            Ok(()) => {}
            Err(error) if kind(&error) == Kind::Io => self.stop(&error),
            // The write-ahead log keeps everything.
            Err(error) => tracing::warn!(path = %self.path.display(), %error, "the log's checkpoint waits"),
        }
    }
}
