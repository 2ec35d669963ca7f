//! The schedule on a virtual clock, against a fixed poll every 15 minutes on the same articles. The report is written to
//! `target/artefacts/schedule-report.txt`; `cargo test -p chipwire-feeds --test virtual_clock -- --nocapture` prints it, as does
//! `cargo bench -p chipwire-feeds --bench schedule -- clock`, there with one queue for all hosts.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests may panic and print")]

mod simulation;

use std::{fs, path::Path};

use chipwire_events::FeedId;
use chipwire_feeds::FetchConfig;
use simulation::{
    Setup, Simulation, compare,
    world::{Outage, START_S, SimFeed},
};

#[test]
fn servers_are_obeyed_and_articles_found_soon_with_few_requests() {
    let (report, met) = compare(&Setup { feeds: 100_000, days: 30, seed: 1, restart_s: 3_600, queues: 200 });
    println!("{report}");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../artefacts");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("schedule-report.txt"), &report).unwrap();
    assert!(met, "{report}");
}

/// Two hundred feeds of one host that are asked once an hour fail together and may all be asked again in the same second.
#[test]
fn a_herd_on_one_host_disperses_within_two_cycles() {
    const FEEDS: i64 = 200;
    const CYCLE_S: i64 = 3_600;
    let outage_s = START_S + 10 * CYCLE_S;
    let feeds: Vec<SimFeed> = (0..FEEDS)
        .map(|number| SimFeed {
            id: FeedId::of(&format!("https://example.org/{number}")),
            host: 0,
            host_name: "host0.example".to_owned(),
            articles: (0..900)
                .map(|hour| u32::try_from(START_S - 30 * 86_400 + hour * 3_700 + number).unwrap())
                .collect(),
            validators: true,
            lies: false,
            fresh_s: None,
            ttl_s: Some(u32::try_from(CYCLE_S).unwrap()),
            skip_hours: Vec::new(),
            skip_days: Vec::new(),
            outage: Some(Outage {
                from_s: outage_s,
                to_s: outage_s + CYCLE_S,
                status: 503,
                retry_after_s: Some(u32::try_from(2 * CYCLE_S).unwrap()),
            }),
            latency_ms: 300,
        })
        .collect();
    let report = Simulation::new(&feeds, FetchConfig::default()).run(1, 86_400);
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    // The last of them may be asked again two hours after the outage; then two cycles, with their jitter.
    let settled_s = outage_s + 3 * CYCLE_S + 2 * CYCLE_S * 11 / 10;
    let in_minute = |minute: i64| report.times_s.iter().filter(|time| **time / 60 == minute).count();
    let minutes = settled_s / 60..START_S / 60 + 24 * 60;
    let busiest = minutes.clone().map(in_minute).max().unwrap();
    let mean = minutes.clone().map(in_minute).sum::<usize>() as f64 / minutes.count() as f64;
    assert!(mean > 2.0, "{mean} requests per minute: nobody is asked");
    assert!(busiest as f64 <= 3.0 * mean, "{busiest} requests in one minute, {mean:.1} on average");
}
