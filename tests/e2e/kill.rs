//! Every stage killed in the middle of its work, ten times each: nothing lost, nothing double.

use std::{collections::BTreeSet, thread, time::Duration};

use chipwire_events::{Event, Topic};

use crate::support::{Backend, Item, Process, Site, Tail, get_json, not_once, tagged, wait_searchable};

const KILLS: usize = 10;
const BATCH: usize = 20;

/// Moments of the kills, in milliseconds after new items are there: from before the poll to long after the commit.
const MOMENTS_MS: [u64; KILLS] = [0, 40, 90, 150, 230, 330, 480, 700, 1000, 1400];

fn items(round: usize) -> Vec<Item> {
    (round * BATCH..(round + 1) * BATCH)
        .map(|number| {
            let text =
                if number % 4 == 0 { "The Nvidia H20 GPU is on its way." } else { "TSMC and SMIC said nothing." };
            Item::new(number, format!("Article {number}"), text)
        })
        .collect()
}

fn check(backend: Backend, name: &str) {
    let mut site = Site::new(backend, name);
    site.run(&["rules", "add", "chip:nvidia-h20", "--name", "H20", "--sink", "hook"]);
    let serve = site.spawn(&["serve"]);
    let stages = ["fetch", "enrich", "index", "alert"];
    let mut running: Vec<Process> = stages.iter().map(|stage| site.spawn(&[stage])).collect();

    let mut rounds = 0;
    for (stage, name) in stages.iter().enumerate() {
        for moment_ms in MOMENTS_MS {
            site.origin.publish(items(rounds));
            rounds += 1;
            // Not a wait for anything: the moment of the kill is what varies.
            thread::sleep(Duration::from_millis(moment_ms));
            running[stage].kill();
            running[stage] = site.spawn(&[name]);
        }
        // While everything runs, and again at the end.
        site.run(&["verify"]);
    }

    let all: Vec<Item> = (0..rounds).flat_map(items).collect();
    let titles: BTreeSet<String> = all.iter().map(|item| item.title.clone()).collect();
    let reported: BTreeSet<String> =
        all.iter().filter(|item| item.text.contains("H20")).map(|item| item.title.clone()).collect();
    wait_searchable(&serve.address, &titles);
    site.receiver.until(&reported);

    let answer = get_json(&serve.address, "/v1/articles?q=*&limit=1");
    assert_eq!(answer["total"], titles.len(), "articles in the index");
    for process in running {
        process.terminate();
    }
    serve.terminate();
    let report: serde_json::Value = serde_json::from_str(&site.run(&["verify", "--json"])).unwrap();
    assert_eq!(report["ok"], true, "{report}");
    for count in ["raw", "tagged", "articles", "documents"] {
        assert_eq!(report[count], titles.len(), "{count}: {report}");
    }
    assert_eq!((&report["alerts"], &report["tagged_on_their_way"]), (&reported.len().into(), &0.into()));

    let log = site.log();
    let raw = Tail::new(&log, Topic::ArticlesRaw).all();
    assert_eq!(raw.len(), titles.len(), "raw events");
    let events = Tail::new(&log, Topic::ArticlesTagged).all();
    assert_eq!(tagged(&events).map(|tagged| tagged.article.title.clone()).collect::<BTreeSet<_>>(), titles);
    let twice = not_once(tagged(&events).map(|tagged| tagged.article.title.clone()));
    assert!(twice.is_empty(), "tagged more than once: {twice:?}");
    let alerts = Tail::new(&log, Topic::Alerts).all();
    let raised: Vec<String> = alerts
        .iter()
        .filter_map(|event| match event {
            Event::AlertRaised(alert) => Some(alert.title.clone()),
            _ => None,
        })
        .collect();
    assert!(not_once(raised.clone()).is_empty(), "raised more than once: {:?}", not_once(raised));
    assert_eq!(raised.into_iter().collect::<BTreeSet<_>>(), reported);
}

#[test]
fn embedded() {
    check(Backend::Sqlite, "kill");
}

#[test]
fn kafka() {
    check(Backend::Kafka, "kill");
}
