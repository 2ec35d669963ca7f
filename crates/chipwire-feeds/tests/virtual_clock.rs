//! The schedule on a virtual clock. The full size, 100,000 feeds for 30 days, and the report:
//! `cargo bench -p chipwire-feeds --bench schedule -- clock`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod simulation;

use simulation::{Setup, compare};

#[test]
fn servers_are_obeyed_and_articles_found_soon_with_few_requests() {
    let (report, met) = compare(&Setup { feeds: 600, days: 10, seed: 1, restart_s: 3_600 });
    assert!(met, "{report}");
}
