//! Everything over real sockets, against a scripted server that sends whatever bytes a test wants.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

/// Which addresses are never connected to.
mod addresses;
/// Servers that are broken or mean harm, and the limits that hold against them.
mod hostile;
/// Article pages, and the rules of their sites.
mod pages;
/// How often and in which order a server is asked.
mod politeness;
/// Polls: what is asked, what is kept, what is said about a failure.
mod polls;
/// What a server's answers do to the time of the next poll.
mod schedule;
/// The scripted server.
mod support;
/// Feeds that a hub pushes.
mod websub;
