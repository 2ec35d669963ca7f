//! What several tests start from.

use chipwire_events::{
    Alert, AlertId, Article, ArticleId, Entity, FeedId, Findings, Markup, Rule, RuleId, Salience, TaggedArticle,
    Timestamp,
};

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

pub(crate) fn tagged(title: &str, body: &str, entities: &[(&str, &str)]) -> TaggedArticle {
    let feed = FeedId::of("https://example.org/feed.xml");
    let entity = |(kind, id): &(&str, &str)| Entity {
        kind: (*kind).to_owned(),
        entity: (*id).to_owned(),
        name: (*id).to_owned(),
        count: 1,
        salience: Salience::Secondary,
        score: 0.5,
    };
    TaggedArticle {
        article: Article {
            id: ArticleId::of(&feed, "guid:1"),
            revision: 1,
            content_hash: Article::content_hash_of(title, body, None, None),
            feed,
            source: "Example News".to_owned(),
            url: Some("https://example.org/1".to_owned()),
            title: title.to_owned(),
            body: body.to_owned(),
            markup: Markup::Plain,
            authors: Vec::new(),
            categories: Vec::new(),
            language: None,
            published: "2026-11-20T14:00:00Z".parse().ok(),
            published_raw: None,
            updated: None,
            first_seen: "2026-11-20T14:00:05Z".parse().unwrap(),
        },
        mentions: Vec::new(),
        entities: entities.iter().map(entity).collect(),
        findings: Findings::default(),
        gazetteer: "test".to_owned(),
    }
}

pub(crate) fn alert() -> Alert {
    Alert {
        id: AlertId::from_string("e2a3"),
        article: ArticleId::from_string("a1"),
        ..crate::alert(&rule("h20", "chip:nvidia-h20"), &tagged("Nvidia ships", "", &[("company", "nvidia")]))
    }
}
