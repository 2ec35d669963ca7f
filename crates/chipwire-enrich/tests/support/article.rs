//! An article to find something in.

use chipwire_events::{Article, ArticleId, FeedId, Markup, Timestamp};

/// The first revision of an article that has a title, a body and nothing else.
pub(crate) fn article(title: &str, body: &str, markup: Markup) -> Article {
    Article {
        id: ArticleId::from_string("a"),
        revision: 1,
        content_hash: "h".to_owned(),
        feed: FeedId::from_string("f"),
        source: "test".to_owned(),
        url: None,
        title: title.to_owned(),
        body: body.to_owned(),
        markup,
        authors: Vec::new(),
        categories: Vec::new(),
        language: None,
        published: None,
        published_raw: None,
        updated: None,
        first_seen: Timestamp::UNIX_EPOCH,
    }
}
