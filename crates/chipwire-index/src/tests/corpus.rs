//! Documents to search.

use chipwire_query::parse;
use jiff::Timestamp;

use crate::{Checkpoint, Document, DocumentEntity, Index, IndexWriter, SearchRequest, SearchResponse, Sort};

pub(super) const GENESIS: &str = "log-1";

/// The moment at which all tests search.
pub(super) fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

pub(super) fn document(id: &str, title: &str, body: &str) -> Document {
    let published: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
    Document {
        id: id.to_owned(),
        revision: 1,
        title: title.to_owned(),
        body: body.to_owned(),
        url: None,
        source: "Chip Daily".to_owned(),
        feed: "feed1".to_owned(),
        authors: Vec::new(),
        language: Some("en".to_owned()),
        published,
        first_seen: published,
        entities: Vec::new(),
        mentions: Vec::new(),
    }
}

pub(super) fn entity(kind: &str, id: &str, name: &str) -> DocumentEntity {
    DocumentEntity { kind: kind.to_owned(), entity: id.to_owned(), name: name.to_owned(), count: 1, score: 0.5 }
}

/// Six articles.
pub(super) fn articles() -> Vec<Document> {
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let nvidia = || entity("company", "nvidia", "Nvidia");
    let h20 = || entity("chip", "nvidia-h20", "Nvidia H20");
    let controls = || entity("policy", "us-export-controls", "US export controls");
    vec![
        Document {
            entities: vec![nvidia(), h20(), controls()],
            published: at("2026-11-21T09:00:00Z"),
            ..document(
                "a1",
                "Nvidia halts H20 sales",
                "The U.S. told Nvidia to stop the export of its H20 chips to China.",
            )
        },
        Document {
            entities: vec![nvidia()],
            published: at("2026-11-19T09:00:00Z"),
            source: "Reuters".to_owned(),
            ..document("a2", "Chip makers rally", "Shares of Nvidia rose after export figures. Nvidia's rivals fell.")
        },
        Document {
            entities: vec![entity("company", "huawei", "Huawei"), controls()],
            published: at("2026-11-18T09:00:00Z"),
            language: Some("zh-Hans".to_owned()),
            feed: "feed2".to_owned(),
            ..document("a3", "华为发布新芯片", "华为表示,新的人工智能芯片不受出口管制影响。")
        },
        Document {
            published: at("2025-12-31T23:59:59.999Z"),
            language: None,
            ..document("a4", "Export controls and chips", "New controls on the export of advanced chips are planned.")
        },
        Document {
            entities: vec![entity("company", "amd", "AMD"), nvidia()],
            published: at("2026-11-19T09:00:00Z"),
            ..document("a5", "AMD MI308 licence", "AMD may sell the MI308, as Nvidia may the H20.")
        },
        document("a6", "Weather", "Rain — nothing else."),
    ]
}

pub(super) fn checkpoint(position: i64) -> Checkpoint {
    Checkpoint {
        genesis: GENESIS.to_owned(),
        positions: [(0, position)].into(),
        covered: [(0, position - 1)].into(),
        ..Checkpoint::default()
    }
}

pub(super) fn writer(index: &Index) -> IndexWriter {
    index.writer(32 << 20, 1).unwrap()
}

/// An index of `documents` in a directory that goes when it is dropped.
pub(super) fn index_of(documents: &[Document]) -> (tempfile::TempDir, Index) {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open_or_create(dir.path(), GENESIS).unwrap();
    let mut writer = writer(&index);
    for document in documents {
        writer.upsert(document).unwrap();
    }
    writer.commit(&checkpoint(1)).unwrap();
    writer.close().unwrap();
    (dir, index)
}

pub(super) fn request(query: &str) -> SearchRequest {
    let query = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
    SearchRequest { query, sort: Sort::Newest, limit: 1000, offset: 0, facets: 0 }
}

pub(super) fn ids(response: &SearchResponse) -> Vec<&str> {
    response.hits.iter().map(|hit| hit.document.id.as_str()).collect()
}
