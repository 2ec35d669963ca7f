//! Queries on a few articles.

use chipwire_query::{matches, parse};
use expect_test::{Expect, expect};

use super::corpus::{articles, document, entity, ids, index_of, now, request};
use crate::{Document, Error, MAX_HITS, MAX_WINDOW, SearchRequest, Sort};

#[test]
fn queries_find_what_they_mean() {
    let articles = articles();
    let (_dir, index) = index_of(&articles);
    let searcher = index.searcher();
    let check = |query: &str, expected: &str| {
        let response = searcher.search(&request(query), now()).unwrap();
        let mut found = ids(&response);
        found.sort_unstable();
        assert_eq!(found.join(" "), expected, "{query}");
        assert_eq!(response.total, found.len() as u64, "{query}");
        assert_eq!(searcher.count(&parse(query).unwrap(), now()).unwrap(), response.total);
        let query = parse(query).unwrap();
        let meant = articles.iter().filter(|document| matches(&query, &document.fields(), now()));
        assert_eq!(meant.map(|document| document.id.as_str()).collect::<Vec<_>>(), found, "{query}");
    };
    check("*", "a1 a2 a3 a4 a5 a6");
    check("-*", "");
    check("nvidia", "a1 a2 a5");
    check("NVIDIA -h20", "a2");
    check("-nvidia", "a3 a4 a6");
    check("-nvidia -华为", "a4 a6");
    check("nvidia AND (h20 OR rally)", "a1 a2 a5");
    check("title:nvidia", "a1");
    check("title:(nvidia OR amd)", "a1 a5");
    check("\"export controls\"", "a4");
    check("\"export chips\"~3", "a1 a4");
    check("\"export chips\"~2", "a4");
    check("\"export chips\"~1", "");
    check("\"controls export\"~5", "a4");
    check("chi*", "a1 a2 a4");
    check("\"export of adv\"*", "a4");
    check("\"of advanced ch\"*", "a4");
    check("us", "a1");
    check("芯片", "a3");
    check("芯", "a3");
    check("新芯片", "a3");
    check("\"智能 芯片\"", "a3");
    check("华为*", "a3");
    check("华为表*", "a3");
    check("company:nvidia", "a1 a2 a5");
    check("company:* -company:nvidia", "a3");
    check("chip:NVIDIA-H20 OR company:amd", "a1 a5");
    check("policy:us-export-controls lang:zh", "a3");
    check("lang:en", "a1 a2 a5 a6");
    check("-lang:en", "a3 a4");
    check("source:chip", "a1 a3 a4 a5 a6");
    check("source:\"daily chip\"", "");
    check("source:REUTERS feed:Feed1", "a2");
    check("feed:feed2", "a3");
    check("published:>now-24h", "a1");
    check("published:2026-11-19", "a2 a5");
    check("published:<2026", "a4");
    check("published:<=2025-12", "a4");
    check("published:[2026-11-18 TO 2026-11-20}", "a2 a3 a5");
    check("published:{2025-12-31T23:59:59.998Z TO 2026}", "a4");
    check("published:>2026-12 OR published:[2027 TO 2026]", "");
    check("nobody OR nowhere", "");
}

#[test]
fn best_is_by_words_and_newest_by_time() {
    let (_dir, index) = index_of(&articles());
    let order = |query: &str, sort: Sort| {
        let response = index.searcher().search(&SearchRequest { sort, ..request(query) }, now()).unwrap();
        ids(&response).join(" ")
    };
    // The title counts more than two words in the body.
    assert_eq!(order("nvidia", Sort::Best), "a1 a2 a5");
    assert_eq!(order("export chips", Sort::Best), "a4 a1");
    assert_eq!(order("*", Sort::Newest), "a1 a6 a2 a5 a3 a4");
    // What only filters gives no score: then it is newest first, and ids break ties.
    assert_eq!(order("company:nvidia", Sort::Best), "a1 a2 a5");
    assert_eq!(order("*", Sort::Best), "a1 a6 a2 a5 a3 a4");
}

#[test]
fn pages_do_not_overlap() {
    let (_dir, index) = index_of(&articles());
    let all = ids(&index.searcher().search(&request("*"), now()).unwrap()).join(" ");
    let mut paged = Vec::new();
    for offset in (0..8).step_by(2) {
        let page = SearchRequest { limit: 2, offset, ..request("*") };
        let response = index.searcher().search(&page, now()).unwrap();
        assert_eq!(response.total, 6);
        paged.extend(ids(&response).into_iter().map(str::to_owned));
    }
    assert_eq!(paged.join(" "), all);
}

#[test]
fn too_deep_pages_are_refused() {
    let (_dir, index) = index_of(&[]);
    let search = |limit, offset| index.searcher().search(&SearchRequest { limit, offset, ..request("*") }, now());
    assert!(search(MAX_HITS, MAX_WINDOW - MAX_HITS).is_ok());
    assert!(matches!(search(MAX_HITS + 1, 0), Err(Error::TooDeep { .. })));
    assert!(matches!(search(1, MAX_WINDOW), Err(Error::TooDeep { .. })));
    assert!(matches!(search(1, usize::MAX), Err(Error::TooDeep { .. })));
}

#[test]
fn facets_count_the_matching_documents() {
    let (_dir, index) = index_of(&articles());
    let check = |query: &str, expected: Expect| {
        let response =
            index.searcher().search(&SearchRequest { facets: 2, limit: 0, ..request(query) }, now()).unwrap();
        assert!(response.hits.is_empty());
        let mut lines = vec![format!("total {}", response.total)];
        for (kind, counts) in response.facets {
            let counts: Vec<String> = counts.iter().map(|c| format!("{} ({}) {}", c.entity, c.name, c.count)).collect();
            lines.push(format!("{kind}: {}", counts.join(", ")));
        }
        expected.assert_eq(&lines.join("\n"));
    };
    check(
        "*",
        expect![[r#"
        total 6
        chip: nvidia-h20 (Nvidia H20) 1
        company: nvidia (Nvidia) 3, amd (AMD) 1
        policy: us-export-controls (US export controls) 2"#]],
    );
    check(
        "h20",
        expect![[r#"
        total 2
        chip: nvidia-h20 (Nvidia H20) 1
        company: nvidia (Nvidia) 2, amd (AMD) 1
        policy: us-export-controls (US export controls) 1"#]],
    );
    check("weather", expect!["total 1"]);
}

#[test]
fn entities_are_listed_and_found_by_the_start_of_a_word() {
    let (_dir, index) = index_of(&articles());
    let check = |kind: Option<&str>, prefix: &str, limit: usize, expected: &str| {
        let entities = index.searcher().entities(kind, prefix, limit).unwrap();
        let shown: Vec<String> = entities.iter().map(|e| format!("{}:{}={}", e.kind, e.entity, e.count)).collect();
        assert_eq!(shown.join(" "), expected, "{kind:?} {prefix:?}");
    };
    check(None, "", 3, "company:nvidia=3 policy:us-export-controls=2 chip:nvidia-h20=1");
    check(Some("company"), "", 10, "company:nvidia=3 company:amd=1 company:huawei=1");
    check(None, "NVI", 10, "company:nvidia=3 chip:nvidia-h20=1");
    check(None, "h2", 10, "chip:nvidia-h20=1");
    check(None, "export con", 10, "policy:us-export-controls=2");
    check(Some("policy"), "nvidia", 10, "");
}

#[test]
fn a_renamed_entity_is_counted_as_one() {
    let with = |id: &str, name: &str| Document {
        entities: vec![entity("company", "meta", name), entity("company", "meta", name)],
        ..document(id, "t", "b")
    };
    let (_dir, index) = index_of(&[with("1", "Facebook"), with("2", "Meta"), with("3", "Meta")]);
    let entities = index.searcher().entities(None, "", 10).unwrap();
    assert_eq!(entities.len(), 1);
    assert_eq!((entities[0].name.as_str(), entities[0].count), ("Meta", 3));
}

#[test]
fn a_document_comes_back_as_it_was() {
    let articles = articles();
    let (_dir, index) = index_of(&articles);
    let searcher = index.searcher();
    for article in &articles {
        assert_eq!(searcher.get(&article.id).unwrap().as_ref(), Some(article));
    }
    assert_eq!(searcher.get("a").unwrap(), None);
    let mut seen = Vec::new();
    let each = searcher.each_document(|document| {
        seen.push(document.id);
        Ok::<(), Error>(())
    });
    each.unwrap();
    seen.sort();
    assert_eq!(seen.join(" "), "a1 a2 a3 a4 a5 a6");
}

#[test]
fn times_far_away_are_kept() {
    let at = |id: &str, time: &str| Document { published: time.parse().unwrap(), ..document(id, "t", "b") };
    let (_dir, index) = index_of(&[
        at("old", "-009998-01-02T00:00:00Z"),
        at("late", "9999-12-30T22:00:00.0009Z"),
        at("1969", "1969-12-31T23:59:59.9999Z"),
    ]);
    let found = |query: &str| ids(&index.searcher().search(&request(query), now()).unwrap()).join(" ");
    assert_eq!(found("*"), "late 1969 old");
    assert_eq!(found("published:1969"), "1969");
    assert_eq!(found("published:>9998"), "late");
    assert_eq!(found("published:9999-12-30T22:00:00Z"), "late");
    assert_eq!(found("published:<1000"), "old");
}
