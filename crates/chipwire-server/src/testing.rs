//! What several tests start from.

use std::sync::Arc;

use chipwire_events::{Alert, AlertId, ArticleId, Feed, FeedOrigin, FeedState, Rule, RuleId, Timestamp};
use chipwire_index::{Checkpoint, Document, DocumentEntity, DocumentMention, Index};

pub(crate) fn now() -> Timestamp {
    "2026-11-20T14:30:00Z".parse().unwrap()
}

pub(crate) fn rule(id: &str, query: &str) -> Rule {
    Rule {
        id: RuleId::from_string(id),
        version: 1,
        name: id.to_owned(),
        query: query.to_owned(),
        sinks: vec!["terminal".to_owned()],
        saved: now(),
    }
}

pub(crate) fn alert(n: i64) -> Alert {
    let rule = rule("h20", "chip:nvidia-h20");
    let article = ArticleId::from_string(format!("a{n}"));
    let raised = Timestamp::from_second(1_790_000_000 + n).unwrap();
    Alert {
        id: AlertId::of(&rule.id, rule.version, &article),
        rule: rule.id,
        rule_version: rule.version,
        rule_name: rule.name,
        sinks: rule.sinks,
        article,
        revision: 1,
        title: format!("Alert {n}"),
        url: Some(format!("https://example.org/{n}")),
        source: "Example News".to_owned(),
        published: raised,
        entities: vec!["chip:nvidia-h20".to_owned()],
        raised,
    }
}

pub(crate) fn feed(url: &str) -> Feed {
    Feed::new(url, FeedOrigin::User)
}

/// The state of a feed that cannot be read.
pub(crate) fn feed_state(url: &str) -> FeedState {
    let state = serde_json::json!({
        "feed": feed(url).id,
        "url": url,
        "title": "Example",
        "last_polled": now(),
        "next_poll": now(),
        "http_status": 200,
        "error": {"class": "not_a_feed", "message": "this is a web page and no feed", "since": now(), "count": 3},
        "warnings": ["a bare `&` was escaped"],
        "articles": 7,
    });
    serde_json::from_value(state).unwrap()
}

/// A document that mentions the entities `kind:id`; the first place of each id in the body is marked.
pub(crate) fn document(id: &str, title: &str, body: &str, published: &str, entities: &[&str]) -> Document {
    let split = |entity: &&str| {
        let (kind, id) = entity.split_once(':').unwrap();
        (kind.to_owned(), id.to_owned())
    };
    let entities: Vec<(String, String)> = entities.iter().map(split).collect();
    let mut mentions: Vec<DocumentMention> = entities
        .iter()
        .filter_map(|(kind, entity)| {
            let start = body.to_lowercase().find(entity.as_str())?;
            let (kind, entity) = (kind.clone(), entity.clone());
            Some(DocumentMention { in_title: false, start, end: start + entity.len(), kind, entity })
        })
        .collect();
    mentions.sort_by_key(|mention| mention.start);
    Document {
        id: id.to_owned(),
        revision: 1,
        title: title.to_owned(),
        body: body.to_owned(),
        url: Some(format!("https://example.org/{id}")),
        source: "Example News".to_owned(),
        feed: "feed1".to_owned(),
        authors: vec!["A. Writer".to_owned()],
        language: Some("en".to_owned()),
        published: published.parse().unwrap(),
        first_seen: published.parse().unwrap(),
        entities: entities
            .into_iter()
            .map(|(kind, entity)| DocumentEntity { kind, name: entity.to_uppercase(), entity, count: 1, score: 0.5 })
            .collect(),
        mentions,
    }
}

/// An index of these documents.
pub(crate) fn index(documents: &[Document]) -> crate::SearchHandle {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::open_or_create(dir.path(), "genesis").unwrap();
    let mut writer = index.writer(16 << 20, 1).unwrap();
    for document in documents {
        writer.upsert(document).unwrap();
    }
    writer.commit(&Checkpoint { genesis: "genesis".to_owned(), ..Checkpoint::default() }).unwrap();
    writer.close().unwrap();
    Arc::new(move || {
        let _kept_with_the_index = &dir;
        Some(index.searcher())
    })
}
