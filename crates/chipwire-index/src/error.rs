//! What can go wrong with an index.

use std::{io, path::PathBuf};

use tantivy::TantivyError;

/// The result of an operation on the index.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the index.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no index in the directory.
    #[error("there is no index in `{}`", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// The index was made from another log.
    #[error("the index in `{}` belongs to the log `{found}`, not to `{expected}`; `chipwire index rebuild` makes a new one from the log", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// The log that it should belong to.
        expected: String,
        /// The log that it belongs to.
        found: String,
    },
    /// The index was made by another version of chipwire.
    #[error("the index in `{}` is of another version ({what}); `chipwire index rebuild` makes a new one from the log", path.display())]
    OtherVersion {
        /// The directory.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// The files of the index are damaged.
    #[error("the index in `{}` is damaged: {what}; `chipwire index rebuild` makes a new one from the log", path.display())]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Another writer has the index open.
    #[error("the index in `{}` is open for writing elsewhere", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A checkpoint of another log was given to a commit.
    #[error("a checkpoint of the log `{found}` cannot be stored in the index of `{expected}`")]
    Checkpoint {
        /// The log of the index.
        expected: String,
        /// The log of the checkpoint.
        found: String,
    },
    /// The index was opened only for reading.
    #[error("the index in `{}` is open for reading only", path.display())]
    ReadOnly {
        /// The directory.
        path: PathBuf,
    },
    /// A search asked for hits too far down.
    #[error("at most {limit} hits at once and none beyond the first {window} can be asked for")]
    TooDeep {
        /// The most hits at once.
        limit: usize,
        /// The most hits that can be reached.
        window: usize,
    },
    /// A file could not be read or written.
    #[error("failed to access the index in `{}`", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A document or the checkpoint could not be written or read as JSON.
    #[error("failed to convert a stored value of the index")]
    Json(#[from] serde_json::Error),
    /// The search engine failed.
    #[error("the search engine failed")]
    Engine(#[from] TantivyError),
}

impl Error {
    /// True when only a rebuild from the log helps: the directory can be removed ([`Index::remove`](crate::Index::remove)).
    pub fn needs_rebuild(&self) -> bool {
        matches!(self, Self::Foreign { .. } | Self::OtherVersion { .. } | Self::Damaged { .. })
    }
}
