//! Rules, their matcher and the sinks that alerts go to.
//!
//! Holds the [`Matcher`], which finds the rules that an article matches without asking each of them; [`alert()`], which
//! turns a match into an alert with an id that depends on nothing else; and the [`Sinks`] (terminal, webhook) with the
//! [`backoff()`] of their retries.
//!
//! Refuses: the log, which the stages read and write, and any clock: `now` is passed in. The matcher does no I/O.
//!
//! Start reading at [`Matcher`] for what raises an alert and at [`Sinks`] for what happens to it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic"))]

mod anchor;
mod backoff;
mod error;
mod matcher;
mod raise;
mod sinks;
#[cfg(test)]
mod testing;

pub use backoff::backoff;
pub use error::{Error, Result};
pub use matcher::{Matcher, fields};
pub use raise::{Raised, alert};
pub use sinks::{DeliverError, Retry, Secret, SinkConfig, Sinks, TERMINAL, WebhookConfig, sign};
