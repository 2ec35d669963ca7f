//! The full-text index of chipwire: a projection of the tagged articles that can be thrown away and rebuilt.
//!
//! [`Index`] opens a directory, [`IndexWriter`] puts articles in, [`Searcher`] finds them. Every commit carries the
//! [`Checkpoint`] up to which it covers the log, in the same atomic step as the documents, so after a crash the log is
//! read on from exactly there. An index of another log or of another version is refused with an error that says so
//! ([`Error::needs_rebuild`]).
//!
//! What a query finds is defined by `chipwire_query::matches`; the compiler in `compile.rs` must agree with it, and a
//! property test holds the two together.
//!
//! The crate knows nothing of feeds, tagging or the log's backend, and makes no HTML.
//!
//! Start reading at [`Index::open_or_create`], then `schema.rs`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic"))]

mod compile;
mod error;
mod facets;
mod index;
mod ordered;
mod payload;
mod schema;
mod search;
mod snippet;
mod steady;
#[cfg(test)]
mod tests;
mod tokenizer;
mod types;
mod writer;

pub use error::{Error, Result};
pub use index::Index;
pub use search::{MAX_HITS, MAX_WINDOW, Searcher};
pub use types::*;
pub use writer::IndexWriter;
