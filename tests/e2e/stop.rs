//! A signal ends the process by its deadline and a second one at once, whatever hangs; nothing is lost or double.

use std::collections::BTreeSet;

use chipwire::fail_points::HOLD_AT;
use serde_json::Value;

use crate::support::{Backend, Item, Process, Site, until, wait_searchable};

const ITEMS: usize = 20;

/// More than any test waits.
const FOR_EVER_S: u32 = 3_600;

/// A process in which something stands still `at` a point, and that may take so long to stop.
fn held(site: &Site, at: &str, deadline_s: u32) -> Process {
    site.spread(4);
    site.shutdown_deadline(deadline_s);
    site.origin.publish((0..ITEMS).map(|number| Item::new(number, format!("Article {number}"), "TSMC")));
    let process = site.spawn_with(&["run"], &vec![(HOLD_AT.to_owned(), at.into())]);
    until_said(&process, "held at");
    process
}

fn until_said(process: &Process, words: &str) {
    until(words, || match process.stderr() {
        said if said.contains(words) => Ok(()),
        said => Err(said),
    });
}

/// All there is comes to be searchable, and is there once.
fn goes_on(site: &Site) {
    let process = site.spawn(&["run"]);
    wait_searchable(&process.address, &(0..ITEMS).map(|number| format!("Article {number}")).collect::<BTreeSet<_>>());
    process.terminate();
    let report: Value = serde_json::from_str(&site.run(&["verify", "--json"])).unwrap();
    assert_eq!((&report["ok"], &report["raw"]), (&true.into(), &ITEMS.into()), "{report}");
    assert_eq!((&report["documents"], &report["raw_on_their_way"]), (&ITEMS.into(), &0.into()), "{report}");
}

/// What it said.
fn ends_by_its_deadline(at: &str, name: &str) -> String {
    let site = Site::new(Backend::Sqlite, name);
    let mut process = held(&site, at, 1);
    process.signal("TERM");
    let status = process.ended();
    assert!(status.success(), "{status}: {}", process.stderr());
    goes_on(&site);
    process.stderr()
}

const LATE: &str = "stopped before every stage had finished";

#[test]
fn a_stage_that_hangs_holds_up_no_stop() {
    let said = ends_by_its_deadline("before-enrich=1", "stop-enrich");
    assert!(said.contains(LATE), "{said}");
}

#[test]
fn a_poll_that_hangs_holds_up_no_stop() {
    // The stage has not to wait for it, and its outcome is that of no poll.
    ends_by_its_deadline("after-fetch=1", "stop-fetch");
}

#[test]
fn a_log_that_hangs_holds_up_no_stop() {
    let said = ends_by_its_deadline("before-fsync=15", "stop-log");
    assert!(said.contains(LATE), "{said}");
}

#[test]
fn a_start_that_hangs_holds_up_no_stop() {
    let said = ends_by_its_deadline("before-fsync=1", "stop-start");
    assert!(said.contains(LATE), "{said}");
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let site = Site::new(Backend::Sqlite, "stop-at-once");
    let mut process = held(&site, "before-enrich=1", FOR_EVER_S);
    process.signal("TERM");
    until_said(&process, "at once at a second signal");
    assert!(process.is_running());
    process.signal("TERM");
    assert_eq!(process.ended().code(), Some(130), "{}", process.stderr());
    assert!(process.stderr().contains("stopped at once by a second signal"), "{}", process.stderr());
    goes_on(&site);
}
