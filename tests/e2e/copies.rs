//! Copies of a log: taken while the daemon writes, and filled from lines of text.

use std::{collections::BTreeSet, fs};

use chipwire_events::Topic;

use crate::support::{Backend, Item, Site, Tail, index_digest, wait_searchable};

fn items(round: usize) -> Vec<Item> {
    let text = "The Nvidia H20 GPU and TSMC, again.";
    (round * 50..(round + 1) * 50).map(|number| Item::new(number, format!("Article {number}"), text)).collect()
}

#[test]
fn a_backup_is_whole_while_the_daemon_writes() {
    let site = Site::new(Backend::Sqlite, "backup");
    let process = site.spawn(&["run"]);
    let mut titles = BTreeSet::new();
    for round in 0..4 {
        titles.extend(items(round).into_iter().map(|item| item.title));
        site.origin.publish(items(round));
        let folder = site.folder.path().join(format!("copy-{round}"));
        fs::create_dir(&folder).unwrap();
        let copy = folder.join("log.db");
        site.run(&["log", "backup", copy.to_str().unwrap()]);
        let folder = folder.to_str().unwrap();
        assert!(site.run(&["log", "check", "--data-dir", folder]).contains("are as they were written"));
        site.run(&["verify", "--data-dir", folder]);
        wait_searchable(&process.address, &titles);
    }
    let copy = site.folder.path().join("copy-3/log.db");
    assert!(site.fail(&["log", "backup", copy.to_str().unwrap()]).contains("the file exists already"));

    // A damaged copy is found out, and where.
    let mut bytes = fs::read(&copy).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0xff);
    fs::write(&copy, bytes).unwrap();
    let folder = site.folder.path().join("copy-3");
    let output = crate::support::chipwire(&site.config(), &["log", "check", "--data-dir", folder.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("damaged: "), "{said}");
    process.terminate();
}

fn check_lines(from: Backend, to: Backend, name: &str) {
    let mut site = Site::new(from, name);
    site.run(&["rules", "add", "chip:nvidia-h20", "--name", "H20", "--sink", "hook"]);
    site.origin.publish(items(0));
    let titles: BTreeSet<String> = items(0).into_iter().map(|item| item.title).collect();
    let process = site.spawn(&["run"]);
    wait_searchable(&process.address, &titles);
    site.receiver.until(&titles);
    process.terminate();
    let lines = site.run(&["log", "export"]);
    let file = site.folder.path().join("lines.jsonl");
    // Nothing that was on its way when the daemon was stopped is sent again.
    assert_eq!(lines.matches(r#""status":"delivered""#).count(), 50, "deliveries");
    fs::write(&file, lines).unwrap();

    let mut other = Site::new(to, &format!("{name}-filled"));
    // The feed of the first: it has nothing new.
    let config = fs::read_to_string(other.config()).unwrap();
    fs::write(other.config(), config.replace(&other.origin.url("/feed.xml"), &site.origin.url("/feed.xml"))).unwrap();
    let said = other.run(&["log", "import", file.to_str().unwrap()]);
    assert!(said.contains("50 events in articles.raw") && said.contains("50 left out"), "{said}");
    assert!(other.fail(&["log", "import", file.to_str().unwrap()]).contains("has events in"));
    let process = other.spawn(&["run"]);
    wait_searchable(&process.address, &titles);
    process.terminate();
    assert_eq!(index_digest(&other.data_dir()), index_digest(&site.data_dir()));
    other.run(&["verify"]);

    // What is new is raised and delivered, and it is all that this receiver ever hears of.
    let process = other.spawn(&["run"]);
    site.origin.publish(vec![Item::new(1_000, "News".to_owned(), "Nvidia H20")]);
    other.receiver.until(&BTreeSet::from(["News".to_owned()]));
    process.terminate();
    assert_eq!(other.receiver.seen.iter().map(|hook| hook.title()).collect::<Vec<_>>(), ["News"]);
    assert_eq!(Tail::new(&other.log(), Topic::ArticlesRaw).all().len(), 51);
    other.run(&["verify"]);
}

#[test]
fn lines_of_the_embedded_log_fill_kafka() {
    check_lines(Backend::Sqlite, Backend::Kafka, "lines");
}

#[test]
fn lines_of_kafka_fill_the_embedded_log() {
    check_lines(Backend::Kafka, Backend::Sqlite, "lines-kafka");
}
