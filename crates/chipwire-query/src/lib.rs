//! The query language of chipwire, and the analyzer that the index and the alerts share.
//!
//! One text, one tree, several compilers: [`parse`] turns what a person typed into a [`Query`]; the index compiles it to
//! a tantivy query and the alerts to a matching program. What both must agree with is written here once, as
//! [`matches()`]: a plain evaluator over the analysed fields of one document.
//!
//! The crate knows nothing of an index or of the log, and it never reads the clock: `now` is passed in, and a relative
//! date such as `now-24h` stays symbolic in the tree.
//!
//! Start reading at [`Node`] for what can be asked, [`parse`] for how it is written, and [`analyze`] for what a word is.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic"))]

pub mod analyze;
mod ast;
mod display;
mod error;
mod eval;
mod fold;
mod parse;
mod pattern;
#[cfg(test)]
mod tests;
mod time;

pub use ast::{Node, Query, TextField, language_ranges};
pub use error::ParseError;
pub use eval::{Fields, TermPositions, matches};
pub use parse::{MAX_CLAUSES, MAX_DEPTH, MAX_LENGTH_BYTES, parse};
pub use pattern::{Pattern, PatternTerm, each_occurrence};
pub use time::{TimeBound, TimePoint, TimeRange, TimeUnit, unix_ms};
