//! The embedded backends, `memory` and `sqlite`.
//!
//! - `laws`: the conformance suite that every backend runs.
//! - `model`: sqlite against memory, with random operations.
//! - `file`: opening, what `open` refuses, retention, `check` and `stats`.
//! - `damage`: law 6, corruption is loud.
//! - `crash`: a process that writes is killed again and again.
//! - `processes`: several processes on one file.
//! - `disk`: a full disk, a disk that fails.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests may panic and print")]

mod crash;
mod damage;
mod disk;
mod file;
mod laws;
mod model;
mod processes;
mod script;
