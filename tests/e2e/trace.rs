//! The same trace on both logs, and an index that was deleted, end in the same result.

use std::{collections::BTreeMap, fs, time::Duration};

use chipwire::wire::Log;
use chipwire_events::Topic;
use chipwire_log::{Limit, Positions, Record, StoredRecord};

use crate::support::{Backend, Site, Tail, index_digest};

const ARTICLES: usize = 300;

fn import_file(site: &Site) -> String {
    let path = site.folder.path().join("articles.jsonl");
    let lines: Vec<String> = (0..ARTICLES)
        .map(|number| {
            let text = match number % 3 {
                0 => "Nvidia’s H20 &amp; Huawei’s Ascend 910C under U.S. export controls",
                1 => "台积电与英伟达 H20：美国商务部",
                _ => "The hotel room H20 was quiet; SMIC and TSMC were not.",
            };
            serde_json::json!({
                "id": number.to_string(),
                "title": format!("Article {number}"),
                "html": format!("<p>{text}</p><p>Number {number}</p>"),
                "url": format!("https://example.org/{number}"),
                "published": "2026-11-01T00:00:00Z",
            })
            .to_string()
        })
        .collect();
    fs::write(&path, lines.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn records(log: &Log, topic: Topic) -> Vec<StoredRecord> {
    let mut reader = log.backend().reader(&[log.name(topic)], &Positions::new()).unwrap();
    let mut records = Vec::new();
    loop {
        let batch = reader.next(Limit::default(), Duration::from_secs(5)).unwrap();
        records.extend(batch.records);
        if batch.at_end {
            return records;
        }
    }
}

type KeyAndValue = (Vec<u8>, Option<Vec<u8>>);

/// Keys and values by partition, in order.
fn values(log: &Log, topic: Topic) -> BTreeMap<u32, Vec<KeyAndValue>> {
    let mut values: BTreeMap<u32, Vec<_>> = BTreeMap::new();
    for stored in records(log, topic) {
        values.entry(stored.record.partition).or_default().push((stored.record.key, stored.record.value));
    }
    values
}

#[test]
fn both_logs_tag_alike_byte_for_byte() {
    let embedded = Site::new(Backend::Sqlite, "trace");
    embedded.run(&["import", &import_file(&embedded)]);
    let log = embedded.log();

    let kafka = Site::new(Backend::Kafka, "trace");
    let other = kafka.log();
    let raw: Vec<Record> = records(&log, Topic::ArticlesRaw)
        .into_iter()
        .map(|stored| Record { topic: other.name(Topic::ArticlesRaw).clone(), ..stored.record })
        .collect();
    assert_eq!(raw.len(), ARTICLES);
    let mut writer = other.backend().writer("trace").unwrap();
    for batch in raw.chunks(50) {
        writer.append(batch).unwrap();
    }
    let enrich = kafka.spawn(&["enrich"]);
    Tail::new(&other, Topic::ArticlesTagged).until("every article is tagged", |events| events.len() >= ARTICLES);
    enrich.terminate();
    assert_eq!(values(&log, Topic::ArticlesTagged), values(&other, Topic::ArticlesTagged));

    // And the index that comes of it is the same, document by document.
    kafka.run(&["index", "rebuild"]);
    assert_eq!(index_digest(&embedded.data_dir()), index_digest(&kafka.data_dir()));
}

#[test]
fn a_deleted_index_is_rebuilt_as_it_was() {
    let site = Site::new(Backend::Sqlite, "rebuild");
    site.run(&["import", &import_file(&site)]);
    let before = index_digest(&site.data_dir());

    fs::remove_dir_all(site.data_dir().join("index")).unwrap();
    site.run(&["index", "rebuild"]);
    assert_eq!(index_digest(&site.data_dir()), before);

    // The same by a daemon that finds none, and beside one that has it open.
    fs::remove_dir_all(site.data_dir().join("index")).unwrap();
    let daemon = site.spawn(&["run"]);
    let titles = (0..ARTICLES).map(|number| format!("Article {number}")).collect();
    crate::support::wait_searchable(&daemon.address, &titles);
    assert_eq!(index_digest(&site.data_dir()), before);
    site.run(&["index", "rebuild"]);
    crate::support::wait_searchable(&daemon.address, &titles);
    daemon.terminate();
    assert_eq!(index_digest(&site.data_dir()), before);
}
