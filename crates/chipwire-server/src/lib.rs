//! The HTTP API and the web page.
//!
//! Holds the [`router`] with its API under `/v1/`, described by `/openapi.json`; the page `/`, made on the server and
//! complete without JavaScript; the [`Board`], a projection in memory of what is not in the index; and the guards that
//! every request passes: `Host`, token, origin, sizes and times.
//!
//! Refuses: the log. What it shows comes from the index and the [`Board`], and what users change leaves as a [`Command`].
//!
//! Start reading at [`App`] for what the server is given, then at [`router`] for what it does with it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic"))]

mod api;
mod app;
mod board;
mod config;
mod cursor;
mod error;
mod guard;
mod hub;
mod live;
mod page;
mod problem;
mod search;
mod serve;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use app::{
    App, Command, CommandError, Commands, Health, HubAnswer, HubAsk, HubDesk, HubRequest, SearchHandle, router,
};
pub use board::Board;
pub use config::{Access, ServerConfig};
pub use error::{Error, Result};
pub use live::{News, StreamItem};
pub use serve::serve;
