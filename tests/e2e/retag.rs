//! History tagged anew while everything runs: searches find the new tags, and nothing is alerted or announced.

use std::collections::BTreeSet;

use chipwire_events::{Event, TaggedArticle, Topic};
use chipwire_log::Record;

use crate::support::{Backend, Item, Site, Tail, get_json, index_digest, tagged, until, wait_searchable};

const ARTICLES: usize = 60;

fn check(backend: Backend, name: &str) {
    let site = Site::new(backend, name);
    site.run(&["rules", "add", "company:tsmc", "--name", "TSMC", "--sink", "hook"]);
    let process = site.spawn(&["run"]);
    let items: Vec<Item> =
        (0..ARTICLES).map(|number| Item::new(number, format!("Article {number}"), "TSMC said nothing.")).collect();
    let titles: BTreeSet<String> = items.iter().map(|item| item.title.clone()).collect();
    site.origin.publish(items);
    wait_searchable(&process.address, &titles);
    let count = |count: usize| {
        until("the tags", || {
            let answer = get_json(&process.address, "/v1/articles?q=company:tsmc&limit=1");
            if answer["total"] == count { Ok(()) } else { Err(answer["total"].to_string()) }
        });
    };
    count(ARTICLES);
    let before = index_digest(&site.data_dir());
    let log = site.log();
    let alerts = || Tail::new(&log, Topic::Alerts).all().len();
    Tail::new(&log, Topic::Alerts).until("alerts", |events| events.len() == ARTICLES);

    // As a gazetteer that knew no TSMC would have tagged them.
    let records: Vec<Record> = tagged(&Tail::new(&log, Topic::ArticlesTagged).all())
        .map(|tagged| {
            let (mentions, entities, gazetteer) = (Vec::new(), Vec::new(), "older".to_owned());
            let older = TaggedArticle { article: tagged.article.clone(), mentions, entities, gazetteer };
            log.encode(&Event::ArticleTagged(older), tagged.article.first_seen, None).unwrap()
        })
        .collect();
    log.backend().writer("older").unwrap().append(&records).unwrap();
    count(0);

    assert!(site.run(&["retag"]).starts_with("60 articles tagged anew, 0 were up to date"));
    count(ARTICLES);
    assert!(site.run(&["retag"]).starts_with("0 articles tagged anew, 60 were up to date"));
    // What comes after it is an article as ever.
    site.origin.publish([Item::new(1_000, "News", "SMIC")]);
    wait_searchable(&process.address, &BTreeSet::from(["News".to_owned()]));
    site.run(&["verify"]);
    process.terminate();
    assert_eq!(alerts(), ARTICLES);
    let after = index_digest(&site.data_dir());
    assert_ne!(after, before, "there is one more");
    site.run(&["index", "rebuild"]);
    assert_eq!(index_digest(&site.data_dir()), after);
}

#[test]
fn on_sqlite() {
    check(Backend::Sqlite, "retag");
}

#[test]
fn on_kafka() {
    check(Backend::Kafka, "retag");
}
