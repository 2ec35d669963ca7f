//! End-to-end tests: the binary as a user runs it, real sockets, a real broker, a real browser, real kill -9.
//!
//! | module | holds |
//! | --- | --- |
//! | `pipeline` | a feed with new items becomes a search hit and a webhook: both logs, one process and five |
//! | `kill` | every stage killed in the middle of its work: nothing lost, nothing double |
//! | `faults` | processes killed at random moments and at named points, brokers killed and paused, full disks, a clock that is set, poison, hundreds of times |
//! | `stop` | a stop by the deadline while something hangs, and at once |
//! | `chain` | outcomes that got lost are made again |
//! | `poison` | raw events that nobody can read, among good ones |
//! | `retag` | history tagged anew while everything runs |
//! | `overlay` | a gazetteer whose overlay changes while everything runs |
//! | `copies` | backups while the daemon writes, a log filled from lines of text |
//! | `trace` | the same trace on both logs, and a deleted index, end in the same result |
//! | `cli` | the commands, with and without a daemon |
//! | `gazetteer` | the commands about the entities that are tagged |
//! | `feeds` | what a feed is told, discovery, article pages |
//! | `bad_input` | bad feeds, configurations, logs and disks |
//! | `page` | the page in a real browser |
//! | `tls` | feeds over HTTPS, by HTTP/1.1 and HTTP/2 |
//! | `hub` | a feed that a hub pushes, through a restart |
//! | `demo` | the demo's account |
//! | `fixture` | the article that tests begin with, as those of `chipwire` do |
//! | `support` | an origin, a webhook receiver, the processes |

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests may panic and say why"
)]

mod bad_input;
mod chain;
mod cli;
mod copies;
mod demo;
mod faults;
mod feeds;
#[path = "../../crates/chipwire/src/fixture.rs"]
mod fixture;
mod gazetteer;
mod hub;
mod kill;
mod overlay;
mod page;
mod pipeline;
mod poison;
mod retag;
mod stop;
mod support;
mod tls;
mod trace;

#[path = "../support/broker.rs"]
mod broker;
#[path = "../support/proxy.rs"]
mod proxy;
