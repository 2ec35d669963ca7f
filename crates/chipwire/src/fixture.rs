//! What several tests begin with.

use std::fmt::Display;

use chipwire_events::{Article, ArticleId, FeedId, Markup, Timestamp};

/// The first revision of an article that has a title and little else.
pub(crate) fn article(number: impl Display) -> Article {
    let feed = FeedId::of("https://example.org/feed");
    Article {
        id: ArticleId::of(&feed, &number.to_string()),
        revision: 1,
        content_hash: String::new(),
        feed,
        source: "Wire".to_owned(),
        url: None,
        title: format!("Article {number}"),
        body: String::new(),
        markup: Markup::Plain,
        authors: Vec::new(),
        categories: Vec::new(),
        language: None,
        published: None,
        published_raw: None,
        updated: None,
        first_seen: Timestamp::UNIX_EPOCH,
    }
}
