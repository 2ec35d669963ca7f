//! Raw events that nobody can read, and articles on which a stage panics, among good ones, while everything runs: each becomes a
//! dead letter, and the rest goes on.

use std::collections::BTreeSet;

use chipwire_events::Topic;
use chipwire_log::Record;
use serde_json::Value;

use crate::support::{Backend, Item, Site, Tail, wait_searchable};

/// Of these every hundredth has one that cannot be read behind it.
const GOOD: usize = 400;

fn check(backend: Backend, name: &str) {
    let site = Site::new(backend, name);
    let log = site.log();
    let process = site.spawn(&["run"]);
    let mut writer = log.backend().writer("poison").unwrap();
    let mut titles = BTreeSet::new();
    for round in 0..GOOD / 100 {
        let items: Vec<Item> = (round * 100..(round + 1) * 100)
            .map(|number| Item::new(number, format!("Article {number}"), "TSMC said nothing."))
            .collect();
        titles.extend(items.iter().map(|item| item.title.clone()));
        site.origin.publish(items);
        // No headers, a type that nobody knows, a payload that is none, and one that is none of this type.
        let value: &[u8] = [b"".as_slice(), b"{}", b"\xff\xfe{", b"{\"id\":7}"][round];
        let types = [None, Some("chipwire.article.fetched.v9"), Some("chipwire.article.fetched.v1")];
        let headers = types[round.min(2)].map_or_else(Vec::new, |kind| {
            let attributes = [
                ("ce_specversion", "1.0"),
                ("ce_id", "1"),
                ("ce_type", kind),
                ("ce_source", "/x"),
                ("ce_time", "2026-01-01T00:00:00Z"),
            ];
            attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
        });
        let partition = u32::try_from(round).unwrap();
        let key = format!("poison {round}").into_bytes();
        let topic = log.name(Topic::ArticlesRaw).clone();
        writer.append(&[Record { topic, partition, key, headers, value: Some(value.to_vec()) }]).unwrap();
        wait_searchable(&process.address, &titles);
    }
    Tail::new(&log, Topic::DeadLetters).until("dead letters", |events| events.len() == GOOD / 100);
    let report: Value = serde_json::from_str(&site.run(&["verify", "--json"])).unwrap();
    assert_eq!((&report["rejected"], &report["dead_letters"]["decode"]), (&4.into(), &4.into()), "{report}");

    let list = site.run(&["dead-letters", "list"]);
    assert_eq!(list.lines().count(), 4, "{list}");
    assert!(list.contains("articles.raw/2 offset") && list.contains("chipwire.article.fetched.v9"), "{list}");
    let lines = site.run(&["dead-letters", "list", "--json", "--class", "decode", "--stage", "enrich"]);
    let letters: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = letters.iter().find(|letter| letter["key"] == "poison 3").unwrap();
    let id = last["id"].as_str().unwrap();
    let shown: Value = serde_json::from_str(&site.run(&["dead-letters", "show", &id[..10]])).unwrap();
    assert_eq!((&shown["value"], &shown["attempts"]), (&"{\"id\":7}".into(), &1.into()), "{shown}");
    assert!(site.fail(&["dead-letters", "show", "zzz"]).contains("there is no dead letter `zzz`"));
    assert!(
        site.fail(&["dead-letters", "list", "--class", "odd"]).contains("expected one of decode, too_large, panic")
    );

    // They are as poisonous as before.
    assert_eq!(site.run(&["dead-letters", "replay", id]), "1 put back\n");
    assert!(site.fail(&["dead-letters", "replay", id]).contains("was put back before"));
    Tail::new(&log, Topic::DeadLetters).until("its second letter, and the note", |events| events.len() == 6);
    assert_eq!(site.run(&["dead-letters", "replay", "--all"]), "4 put back\n");
    Tail::new(&log, Topic::DeadLetters).until("letters and notes of all", |events| events.len() == 14);
    let lines = site.run(&["dead-letters", "list", "--json"]);
    let count = |what: &str, value: Value| {
        let letters = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        letters.filter(|letter| letter[what] == value).count()
    };
    let attempts = [1, 2, 3].map(|attempts| count("attempts", attempts.into()));
    assert_eq!((attempts, count("replayed", true.into())), ([4, 4, 1], 5), "{lines}");
    process.terminate();
    site.run(&["verify"]);
}

/// Articles on which a stage panics at a point that has its name, as the title says.
fn check_panics(backend: Backend, name: &str) {
    let stages = ["alert", "enrich", "index"];
    let title = |stage: &str| format!("Nvidia panic-in-{stage}");
    let titles = |stages: &[&str]| stages.iter().map(|stage| title(stage)).collect::<BTreeSet<_>>();
    let mut site = Site::new(backend, name);
    site.run(&["rules", "add", "nvidia", "--name", "Nvidia", "--sink", "hook"]);
    let points: Vec<String> = stages.iter().map(|stage| format!("panic-in-{stage}=panic")).collect();
    let process = site.spawn_with(&["run"], &vec![("FAILPOINTS".to_owned(), points.join(";").into())]);
    site.origin.publish((0..).zip(stages).map(|(number, stage)| Item::new(number, title(stage), "TSMC")));
    site.origin.publish([Item::new(9, "Nvidia goes on", "TSMC")]);
    let mut good = BTreeSet::from(["Nvidia goes on".to_owned()]);
    wait_searchable(&process.address, &(&good | &titles(&["alert"])));
    let log = site.log();
    Tail::new(&log, Topic::DeadLetters).until("dead letters", |events| events.len() == 3);
    site.receiver.until(&(&good | &titles(&["index"])));

    let list = || -> Vec<Value> {
        let lines = site.run(&["dead-letters", "list", "--json", "--class", "panic"]);
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let letters = list();
    let mut found: Vec<&str> = letters.iter().map(|letter| letter["stage"].as_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, stages, "{letters:?}");
    for letter in &letters {
        let stage = letter["stage"].as_str().unwrap();
        let shown: Value =
            serde_json::from_str(&site.run(&["dead-letters", "show", letter["id"].as_str().unwrap()])).unwrap();
        assert!(shown["value"].as_str().unwrap().contains(&title(stage)), "{shown}");
        assert!(shown["message"].as_str().unwrap().contains(&format!("panic-in-{stage}")), "{shown}");
        assert_eq!((&shown["attempts"], &shown["version"]), (&1.into(), &env!("CARGO_PKG_VERSION").into()), "{shown}");
    }
    process.terminate();
    site.run(&["verify"]);

    // As after an update that panics no more.
    let process = site.spawn(&["run"]);
    assert_eq!(site.run(&["dead-letters", "replay", "--all"]), "3 put back\n");
    good.extend(titles(&stages));
    wait_searchable(&process.address, &good);
    assert_eq!(list().len(), 3);
    site.receiver.until(&good);
    process.terminate();
    let report: Value = serde_json::from_str(&site.run(&["verify", "--json"])).unwrap();
    assert_eq!(
        (&report["ok"], &report["documents"], &report["alerts"]),
        (&true.into(), &4.into(), &4.into()),
        "{report}"
    );
}

#[test]
fn panics_on_sqlite() {
    check_panics(Backend::Sqlite, "panics");
}

#[test]
fn panics_on_kafka() {
    check_panics(Backend::Kafka, "panics");
}

#[test]
fn on_sqlite() {
    check(Backend::Sqlite, "poison");
}

#[test]
fn on_kafka() {
    check(Backend::Kafka, "poison");
}
