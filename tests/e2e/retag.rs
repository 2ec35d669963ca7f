//! History tagged anew while everything runs: searches find the new tags, and nothing is alerted or announced.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use chipwire_events::{Event, TaggedArticle, Topic};
use chipwire_log::Record;

use crate::support::{Backend, Item, Site, Tail, get_json, index_digest, tagged, until, wait_searchable};

const ARTICLES: usize = 60;

/// The title of an article that was edited.
const EDITED: &str = "Article 0, edited";

/// Searches all the time while `work` is done: every article is always found, in its latest revision, and one that was found by
/// its new tags is found by them from then on.
fn while_searching<T>(address: &str, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    let search = || {
        let (mut with_tag, mut rounds) = (BTreeSet::new(), 0);
        while !done.load(Ordering::Acquire) || rounds == 0 {
            let found = |query: &str| -> BTreeSet<String> {
                let answer = get_json(address, &format!("/v1/articles?limit=100{query}"));
                let hits = answer["hits"].as_array().unwrap_or_else(|| panic!("{answer}"));
                hits.iter().map(|hit| hit["title"].as_str().map(str::to_owned).unwrap_or_default()).collect()
            };
            let all = found("");
            assert!(all.len() >= ARTICLES && all.contains(EDITED), "{all:?}");
            let now = found("&q=company:tsmc");
            assert!(now.is_superset(&with_tag), "{:?} have lost their tag", with_tag.difference(&now));
            (with_tag, rounds) = (now, rounds + 1);
        }
        rounds
    };
    thread::scope(|scope| {
        let searching = scope.spawn(search);
        let result = catch_unwind(AssertUnwindSafe(work));
        done.store(true, Ordering::Release);
        assert!(searching.join().unwrap() > 0);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

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
    site.origin.edit(0, |item| item.title = EDITED.to_owned());
    wait_searchable(&process.address, &BTreeSet::from([EDITED.to_owned()]));
    count(ARTICLES);
    let before = index_digest(&site.data_dir());
    let log = site.log();
    let alerts = || Tail::new(&log, Topic::Alerts).all().len();
    Tail::new(&log, Topic::Alerts).until("alerts", |events| events.len() == ARTICLES);

    // As a gazetteer that knew no TSMC would have tagged them.
    let records: Vec<Record> = tagged(&Tail::new(&log, Topic::ArticlesTagged).all())
        .map(|tagged| {
            let (mentions, entities, findings) = Default::default();
            let gazetteer = "older".to_owned();
            let older = TaggedArticle { article: tagged.article.clone(), mentions, entities, findings, gazetteer };
            log.encode(&Event::ArticleTagged(older), tagged.article.first_seen, None).unwrap()
        })
        .collect();
    log.backend().writer("older").unwrap().append(&records).unwrap();
    count(0);

    while_searching(&process.address, || {
        assert!(site.run(&["retag"]).starts_with("60 articles tagged anew, 0 were up to date"));
        count(ARTICLES);
    });
    assert!(site.run(&["retag"]).starts_with("0 articles tagged anew, 60 were up to date"));
    // Nor does a new generation of the index take anything away while it is built and takes over.
    while_searching(&process.address, || {
        site.run(&["index", "rebuild"]);
        // What comes after it is an article as ever, and is in the new one only.
        site.origin.publish([Item::new(1_000, "News", "SMIC")]);
        wait_searchable(&process.address, &BTreeSet::from(["News".to_owned()]));
    });
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
