//! What can be wrong with a gazetteer.

use crate::gazetteer::Finding;

/// A gazetteer that cannot be used, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is built in is not in the form that this program reads.
    #[error("failed to read the gazetteer that is built in")]
    Builtin(#[from] postcard::Error),
    /// A file cannot be read, or says what makes no sense.
    #[error("{0}")]
    Wrong(Box<Finding>),
}

/// The result of reading a gazetteer.
pub type Result<T, E = Error> = std::result::Result<T, E>;
