//! Search finds exactly what the definition of the query language accepts.

use chipwire_query::{Node, Query, TextField, TimeBound, TimePoint, TimeRange, TimeUnit, matches};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::corpus::{GENESIS, checkpoint, document, entity, now, writer};
use crate::{Document, Index, SearchRequest, Sort};

/// Few words, so that queries find something: ones that share a beginning, codes, possessives, dotted letters, Chinese.
const WORDS: &[&str] = &[
    "chip",
    "chips",
    "China's",
    "H20",
    "h-20",
    "U.S.",
    "export",
    "é",
    "华为",
    "芯片",
    "华",
    "新芯片片",
    "H20芯片",
    "—",
];

fn text(words: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(WORDS), words).prop_map(|words| words.join(" "))
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    let entities = proptest::collection::vec(
        proptest::sample::select(vec![("company", "x"), ("company", "y"), ("chip", "x")]),
        0..3,
    );
    let language = proptest::sample::select(vec![None, Some("en"), Some("en-GB"), Some("zh_Hant")]);
    let fields = (text(0..4), text(0..12), text(1..3), entities, language, 0u8..2, -40i64..40);
    let document = fields.prop_map(|(title, body, source, entities, language, feed, hours)| Document {
        source,
        entities: entities.iter().map(|(kind, id)| entity(kind, id, "name")).collect(),
        language: language.map(str::to_owned),
        feed: format!("Feed{feed}"),
        published: now() + SignedDuration::from_hours(hours),
        ..document("", &title, &body)
    });
    proptest::collection::vec((0u8..30, document), 1..30).prop_map(|documents| {
        documents.into_iter().map(|(id, document)| Document { id: format!("d{id}"), ..document }).collect()
    })
}

fn node() -> impl Strategy<Value = Node> {
    let field = || proptest::sample::select(vec![None, Some(TextField::Title), Some(TextField::Body)]);
    let time = proptest::sample::select(vec![
        TimePoint::parse("2026-11-21").unwrap(),
        TimePoint::parse("2026").unwrap(),
        TimePoint::parse("2026-11-20T12:00:00Z").unwrap(),
        TimePoint::Now { amount: -24, unit: TimeUnit::Hour },
        TimePoint::Now { amount: 3, unit: TimeUnit::Hour },
    ]);
    let bound =
        proptest::option::of((time, any::<bool>()).prop_map(|(point, inclusive)| TimeBound { point, inclusive }));
    let leaf = prop_oneof![
        1 => Just(Node::All),
        6 => (field(), text(1..3)).prop_map(|(field, text)| Node::Term { field, text }),
        3 => (field(), text(1..3)).prop_map(|(field, text)| Node::Prefix { field, text }),
        1 => field().prop_map(|field| Node::Prefix { field, text: "ch".to_owned() }),
        4 => (field(), text(1..4), 0u32..4).prop_map(|(field, text, slop)| Node::Phrase { field, text, slop }),
        2 => proptest::sample::select(vec!["x", "y", "z"]).prop_map(|id| Node::Entity { kind: "company".to_owned(), id: id.to_owned() }),
        1 => proptest::sample::select(vec!["chip", "policy"]).prop_map(|kind| Node::AnyEntity { kind: kind.to_owned() }),
        1 => text(1..3).prop_map(|text| Node::Source { text }),
        1 => Just(Node::Feed { id: "feed1".to_owned() }),
        1 => proptest::sample::select(vec!["en", "EN-gb", "zh", "zh-hant", "fr"]).prop_map(|range| Node::Lang { range: range.to_owned() }),
        2 => (bound.clone(), bound).prop_map(|(from, to)| Node::Published(TimeRange { from, to })),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Node::And),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Node::Or),
            inner.prop_map(|node| Node::Not(Box::new(node))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn search_agrees_with_the_definition(
        documents in documents(),
        queries in proptest::collection::vec(node(), 40),
        commit_every in 1usize..12,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let index = Index::open_or_create(dir.path(), GENESIS).unwrap();
        let mut writer = writer(&index);
        let mut latest = std::collections::BTreeMap::new();
        for (i, document) in documents.iter().enumerate() {
            writer.upsert(document).unwrap();
            latest.insert(document.id.as_str(), document);
            if i % commit_every == 0 {
                writer.commit(&checkpoint(i as i64)).unwrap();
            }
        }
        writer.commit(&checkpoint(100)).unwrap();
        let searcher = index.searcher();
        prop_assert_eq!(searcher.len(), latest.len() as u64);
        for node in queries {
            let query = Query::new(node);
            let mut meant: Vec<(Timestamp, &str)> = Vec::new();
            for document in latest.values() {
                if matches(&query, &document.fields(), now()) {
                    meant.push((document.published, document.id.as_str()));
                }
            }
            meant.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
            let meant: Vec<&str> = meant.into_iter().map(|(_, id)| id).collect();
            let request = SearchRequest { query: query.clone(), sort: Sort::Newest, limit: 100, offset: 0, facets: 3 };
            let response = searcher.search(&request, now()).unwrap();
            let found: Vec<&str> = response.hits.iter().map(|hit| hit.document.id.as_str()).collect();
            prop_assert_eq!(&found, &meant, "{}", &query);
            let best = searcher.search(&SearchRequest { sort: Sort::Best, ..request }, now()).unwrap();
            let mut best: Vec<&str> = best.hits.iter().map(|hit| hit.document.id.as_str()).collect();
            best.sort_unstable();
            let mut meant = meant;
            meant.sort_unstable();
            prop_assert_eq!(&best, &meant, "best: {}", &query);
            for hit in &response.hits {
                for (start, end) in &hit.snippet.highlights {
                    prop_assert!(hit.snippet.text.get(*start..*end).is_some_and(|text| !text.is_empty()), "{:?}", hit);
                }
            }
        }
    }
}
