//! What can be wrong with a gazetteer.

/// A gazetteer that cannot be used, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not TOML, or not in the gazetteer's format.
    #[error("failed to read gazetteer file `{file}`, line {line}: {message}")]
    Parse {
        /// The file's name.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What the TOML reader says.
        message: String,
    },
    /// What is built in is not in the form that this program reads.
    #[error("failed to read the gazetteer that is built in")]
    Builtin(#[from] postcard::Error),
    /// The file can be read, but an entity in it makes no sense.
    #[error("gazetteer file `{file}`, entity `{entity}`: {problem}; {expected}")]
    Entity {
        /// The file's name.
        file: String,
        /// The entity's id.
        entity: String,
        /// What is wrong.
        problem: String,
        /// What would be right.
        expected: String,
    },
    /// The file as a whole makes no sense.
    #[error("gazetteer file `{file}`: {problem}; {expected}")]
    File {
        /// The file's name.
        file: String,
        /// What is wrong.
        problem: String,
        /// What would be right.
        expected: String,
    },
}

/// The result of reading a gazetteer.
pub type Result<T, E = Error> = std::result::Result<T, E>;
