//! What SQLite says, sorted by what has to be done about it.

use std::path::Path;

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
