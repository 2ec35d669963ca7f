//! chipwire, the binary: command line, configuration, telemetry, the five stages and what runs them.
//!
//! It is the only crate that knows both the log and the domain. Refuses: domain logic. What a feed, a mention, a query or an
//! alert is, other crates say; here they are put together.
//!
//! Start reading at [`stages`], then [`runner`] and [`pipeline`].

#![allow(missing_docs, reason = "a binary's modules: what is public is so for its tests and benchmarks")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic"))]

mod chain;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod dead_letters;
pub mod demo;
pub mod fail_points;
pub mod feed_list;
#[cfg(test)]
mod fixture;
pub mod generations;
pub mod health;
pub mod hubs;
pub mod import;
pub mod memory;
pub mod overlay;
pub mod pipeline;
pub mod portable;
pub mod progress;
pub mod retag;
pub mod retention_clock;
pub mod runner;
pub mod serve;
pub mod stages;
pub mod telemetry;
pub mod terminal;
pub mod verify;
pub mod wire;

/// An article on its way is thousands of small allocations, many of them freed by another thread than the one that made
/// them, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
