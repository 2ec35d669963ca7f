//! From the address of a feed to its articles: fetching, repair, parsing, identity and the schedule.
//!
//! Holds everything that knows HTTP and feed formats. [`poll()`] tells the whole story of one poll in one place: it asks the
//! [`Fetcher`] for the feed (conditional, polite, never from a private address), repairs and parses the answer
//! ([`parse_feed`]), decides which items are new or edited ([`identity`]) and when to ask again ([`schedule`]).
//! [`Schedule`] is the queue of feeds that wait for their next poll, [`discover()`] finds the feeds behind a page, [`extract`]
//! the article in one, and [`opml`] reads and writes lists of feeds.
//!
//! Refuses: the log, the clock and randomness. The time of a poll is given by the caller; jitter is a hash of the feed's id.
//! Whatever a server sends, the answer is a [`Poll`] whose state names what is wrong, never a panic: the third-party parser
//! runs behind `catch_unwind`, so a binary must not be built with `panic = "abort"`, and one that wants a quiet standard
//! error sets a panic hook of its own.
//!
//! Start reading at [`poll()`], then `repair`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic"))]

pub mod address;
mod body;
mod coding;
mod config;
pub mod date;
mod discover;
mod error;
pub mod extract;
mod fetch;
mod headers;
#[cfg(test)]
mod histories;
pub mod identity;
mod json;
mod json_salvage;
pub mod opml;
pub mod own_headers;
pub mod pages;
mod parse;
mod politeness;
mod poll;
#[doc(hidden)]
pub mod probe;
mod recognise;
mod repair;
mod resolve;
mod rest;
mod robots;
mod rooms;
pub mod schedule;
pub mod text;
mod transfer;
pub mod websub;

pub use config::FetchConfig;
pub use discover::{Discovered, Found, discover};
pub use error::{ConfigError, DiscoverError, ExtractError, FetchError, HeaderError, OpmlError, ParseError};
pub use fetch::{Fetched, Fetcher, Request};
pub use parse::{Entry, ParsedFeed, parse_feed};
pub use poll::{Outcome, Poll, poll, poll_recalling};
pub use repair::{Repair, Stage};
pub use resolve::{Lookup, LookupAnswer, system_lookup};
pub use rooms::Room;
pub use schedule::Schedule;
