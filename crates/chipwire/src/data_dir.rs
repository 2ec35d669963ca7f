//! The data directory: what lies where, and who may write what.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result};
use chipwire_events::Timestamp;

/// A data directory.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
}

/// The right to be the only one that does something in a data directory; given back when dropped, or when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("`{what}` in data directory `{path}` is taken by {holder}; stop it first, or name another --data-dir")]
    Taken {
        /// What it is the right to.
        what: String,
        /// The data directory.
        path: PathBuf,
        /// Who has it: command, process id and since when.
        holder: String,
    },
    /// The lock's file cannot be opened.
    #[error("failed to lock `{path}`")]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl DataDir {
    /// The data directory at `path`, made if it is not there.
    pub fn create(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("failed to create data directory `{}`", path.display()))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The embedded log.
    pub fn log(&self) -> PathBuf {
        self.path.join("log.db")
    }

    /// What [`RetentionClock`](crate::retention_clock::RetentionClock) remembers.
    pub fn retention_clock(&self) -> PathBuf {
        self.path.join("retention.json")
    }

    /// The folder of index generations.
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// Takes the right to `what`, for `command`.
    pub fn lock(&self, what: &str, command: &str, now: Timestamp) -> Result<Lock, LockError> {
        let folder = self.path.join("locks");
        let path = folder.join(what);
        let io = |source| LockError::Io { path: path.clone(), source };
        fs::create_dir_all(&folder).map_err(io)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(io)?;
                let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
                return Err(LockError::Taken { what: what.to_owned(), path: self.path.clone(), holder });
            }
            Err(fs::TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        write!(file, "`chipwire {command}`, process {}, since {now:.0}", process::id()).map_err(io)?;
        Ok(Lock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::create(folder.path()).unwrap();
        let lock = dir.lock("index", "run", Timestamp::UNIX_EPOCH).unwrap();
        let error = dir.lock("index", "run", Timestamp::UNIX_EPOCH).unwrap_err().to_string();
        assert!(error.contains(&format!("`chipwire run`, process {}", process::id())), "{error}");
        dir.lock("enrich", "run", Timestamp::UNIX_EPOCH).unwrap();
        drop(lock);
        dir.lock("index", "run", Timestamp::UNIX_EPOCH).unwrap();
    }
}
