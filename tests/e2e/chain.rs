//! Outcomes that got lost, as a broker's fault may lose them: the interval is enriched again by itself.

use std::{collections::BTreeMap, time::Duration};

use chipwire_events::{Article, Covers, Event, Findings, TaggedArticle, Timestamp, Topic};
use chipwire_log::{Limit, Positions, Record, Step, StoredRecord};
use serde_json::Value;

use crate::{
    fixture,
    support::{Backend, Site, get, get_json, until},
};

fn article(number: u32) -> Article {
    Article { content_hash: number.to_string(), title: format!("Article {number} of TSMC"), ..fixture::article(number) }
}

fn check(backend: Backend, name: &str) {
    let site = Site::new(backend, name);
    site.run(&["rules", "add", "company:tsmc", "--name", "TSMC", "--sink", "hook"]);
    let log = site.log();
    let raw = log.name(Topic::ArticlesRaw);
    let records: Vec<Record> = (0..5)
        .map(|number| {
            let fetched = Event::ArticleFetched(article(number));
            Record { partition: 3, ..log.encode(&fetched, Timestamp::UNIX_EPOCH, None).unwrap() }
        })
        .collect();
    log.backend().writer("test").unwrap().append(&records).unwrap();

    // An enrich stage of whose five outcomes only the first and the last are there.
    let mut worker = log.backend().worker("enrich", "test", &[raw]).unwrap();
    let (mut owned, mut read) = (Positions::new(), Vec::<StoredRecord>::new());
    until("the raw articles are read", || {
        match worker.next(Limit::default(), Duration::from_secs(1)).unwrap() {
            Step::Assigned(positions) => owned.extend(positions),
            Step::Revoked(_) => {}
            Step::Batch(batch) => read.extend(batch.records),
        }
        if read.len() == records.len() { Ok(()) } else { Err(format!("{} of {owned:?}", read.len())) }
    });
    let mut last = -1;
    let mut outcomes = BTreeMap::new();
    for (number, stored) in (0..).zip(&read) {
        let covers = Covers { partition: 3, from: last, to: stored.offset };
        last = stored.offset;
        let tagged = TaggedArticle {
            article: article(number),
            mentions: Vec::new(),
            entities: Vec::new(),
            findings: Findings::default(),
            gazetteer: "test".to_owned(),
        };
        let outcome = log.encode(&Event::ArticleTagged(tagged), Timestamp::UNIX_EPOCH, Some(covers)).unwrap();
        outcomes.insert(number, outcome);
    }
    let upto = Positions::from([(read[0].partition_id(), last + 1)]);
    worker.commit(&[outcomes[&0].clone(), outcomes[&4].clone()], &upto).unwrap();
    drop(worker);
    let report = |arguments: &[&str]| {
        let output = crate::support::chipwire(&site.config(), arguments).output().unwrap();
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap())
    };
    let (code, found) = report(&["verify", "--json"]);
    assert_eq!(
        (code, &found["counts"]["gap"], &found["counts"]["raw_without_outcome"]),
        (Some(1), &1.into(), &3.into())
    );

    let daemon = site.spawn(&["run"]);
    until("all are searchable", || {
        let answer = get_json(&daemon.address, "/v1/articles?q=tsmc");
        if answer["total"] == 5 { Ok(()) } else { Err(answer.to_string()) }
    });
    // Those that were tagged anew name the company.
    until("alerts of all that name it", || {
        let alerts = get_json(&daemon.address, "/v1/alerts");
        let count = alerts["alerts"].as_array().unwrap().len();
        if count == 3 { Ok(()) } else { Err(alerts.to_string()) }
    });
    until("it is well again", || match get(&daemon.address, "/readyz") {
        (200, _) => Ok(()),
        (_, reasons) => Err(reasons),
    });
    let metrics = get(&daemon.address, "/metrics").1;
    for stage in ["index", "alert"] {
        assert!(metrics.contains(&format!("chipwire_chain_gaps_total{{stage=\"{stage}\"}} 1\n")), "{metrics}");
        assert!(metrics.contains(&format!("chipwire_chain_halted{{stage=\"{stage}\"}} 0\n")), "{metrics}");
    }
    daemon.terminate();
    let (code, found) = report(&["verify", "--json"]);
    assert_eq!((code, &found["tagged"], &found["documents"]), (Some(0), &5.into(), &5.into()), "{found}");
}

#[test]
fn embedded() {
    check(Backend::Sqlite, "chain");
}

#[test]
fn kafka() {
    check(Backend::Kafka, "chain");
}
