//! What SQLite says, sorted by what has to be done about it.

use std::{io, path::Path};

use rusqlite::{ErrorCode, ffi};

use crate::Error;

/// A failure inside of the backend, before it is known to whom it is told.
#[derive(Debug)]
pub(super) enum Failure {
    /// The caller asked for something that cannot be; the log is in order.
    Refused(Error),
    /// Bytes that are not as they were written.
    Damaged { place: String, reason: String },
    /// SQLite's own words.
    Sqlite(rusqlite::Error),
}

pub(super) type Outcome<T> = Result<T, Failure>;

/// What has to be done about an error of SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No space; nothing was written.
    Full,
    /// Another process holds the lock for longer than we wait.
    Busy,
    /// The file is damaged.
    Damaged,
    /// Reading, writing or syncing failed: stop.
    Io,
    /// The shared-memory file could not grow. It is rebuilt from the log, so there is no need to stop.
    SharedMemory,
    /// Concerns one statement only.
    Other,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Failure::Sqlite(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Refused(error)
    }
}

impl Failure {
    pub(super) fn damaged(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Failure::Damaged { place: place.into(), reason: reason.into() }
    }

    /// Gives damage that SQLite found a place.
    pub(super) fn at(self, place: impl FnOnce() -> String) -> Self {
        match self {
            Failure::Sqlite(error) if kind(&error) == Kind::Damaged => Self::damaged(place(), error.to_string()),
            other => other,
        }
    }

    /// As it is told to a caller who was doing `action`, when nothing was written.
    pub(super) fn into_error(self, path: &Path, action: impl FnOnce() -> String) -> Error {
        match self {
            Failure::Refused(error) => error,
            Failure::Damaged { place, reason } => Error::Corrupt { path: path.to_owned(), place, reason },
            Failure::Sqlite(error) => match kind(&error) {
                Kind::Full => Error::Full { path: path.to_owned() },
                Kind::Damaged => Error::Corrupt {
                    path: path.to_owned(),
                    place: format!("an unknown place, on the attempt to {}", action()),
                    reason: error.to_string(),
                },
                Kind::Busy => Error::Unavailable {
                    target: path.display().to_string(),
                    reason: "another process is writing to it".into(),
                },
                Kind::Io | Kind::SharedMemory | Kind::Other => {
                    Error::Backend { action: action(), source: Box::new(error) }
                }
            },
        }
    }
}

/// Whether SQLite failed to write because a quota is used up: it says so only of a disk that is full, and ends there with an
/// I/O error. A file beside the log is tried then.
pub(super) fn is_out_of_quota(error: &rusqlite::Error, path: &Path) -> bool {
    let rusqlite::Error::SqliteFailure(error, _) = error else { return false };
    if error.extended_code != ffi::SQLITE_IOERR_WRITE {
        return false;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".probe-{}", std::process::id()));
    let probe = Path::new(&name);
    let tried = std::fs::write(probe, vec![1; 64 << 10]);
    drop(std::fs::remove_file(probe));
    tried.is_err_and(|error| has_no_space(&error))
}

fn has_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

pub(super) fn kind(error: &rusqlite::Error) -> Kind {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(error, _) | E::SqlInputError { error, .. } => of_code(*error),
        // The statements are fixed, so a value of the wrong type or a row that is not there can only come from the file.
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::Utf8Error(..)
        | E::InvalidColumnType(..)
        | E::QueryReturnedNoRows => Kind::Damaged,
        _ => Kind::Other,
    }
}

fn of_code(error: ffi::Error) -> Kind {
    match error.code {
        ErrorCode::DiskFull => Kind::Full,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => Kind::Busy,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Kind::Damaged,
        ErrorCode::SystemIoFailure => match error.extended_code {
            ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_SHMMAP | ffi::SQLITE_IOERR_SHMOPEN => Kind::SharedMemory,
            // Fewer bytes than the file's own header promises: it was cut off.
            ffi::SQLITE_IOERR_SHORT_READ => Kind::Damaged,
            _ => Kind::Io,
        },
        // The statements are fixed: when SQLite does not understand one, the schema in the file is not what was written.
        ErrorCode::Unknown if error.extended_code == ffi::SQLITE_ERROR => Kind::Damaged,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_quota_is_no_space_and_a_failing_disk_is_not() {
        // ENOSPC, EDQUOT, EIO, as Linux numbers them.
        let found = [28, 122, 5].map(|number| has_no_space(&io::Error::from_raw_os_error(number)));
        assert_eq!(found, [true, cfg!(target_os = "linux"), false]);
        let failed = |extended_code| {
            rusqlite::Error::SqliteFailure(ffi::Error { code: ErrorCode::SystemIoFailure, extended_code }, None)
        };
        let folder = std::env::temp_dir();
        // There is space: the disk fails.
        assert!(!is_out_of_quota(&failed(ffi::SQLITE_IOERR_WRITE), &folder.join("log.db")));
        assert!(!is_out_of_quota(&failed(ffi::SQLITE_IOERR_FSYNC), &folder.join("log.db")));
    }
}
