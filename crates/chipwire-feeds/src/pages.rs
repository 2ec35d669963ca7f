//! The pages of new articles, where the feed gives too little of them.

use std::{collections::HashSet, time::Duration};

use chipwire_events::{Article, ArticlePages, Feed, Markup, Timestamp};
use url::Url;

use crate::{
    error::FetchError,
    extract::{Page, extract_bytes},
    fetch::{Fetched, Fetcher},
    text,
};

/// A text of fewer letters is the beginning of an article and not the whole, ideographs counted twice.
const SHORT_LETTERS: usize = 800;

/// A page's text that is not longer than the feed's by this factor is no gain.
const GAIN: f64 = 1.2;

/// The share of the title's words that the page of an article has at least.
const SAME_TITLE: f64 = 0.5;

/// With this share of its words in the page, the feed's summary has nothing to add.
const SAME_SUMMARY: f64 = 0.8;

/// What came of the pages of one poll.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// Pages whose text is now that of their article.
    pub read: usize,
    /// Pages that were asked for in vain: refused, broken, without an article, or not longer than what the feed gave.
    pub failed: usize,
    /// Articles that would have needed their page and were beyond the limit on pages or time.
    pub skipped: usize,
}

/// Fetches the pages of the articles that a poll found new or edited, and puts their text in the place of the feed's, where the
/// feed's setting or a short text asks for it.
///
/// An article is told from its edit by what the feed says: neither its content hash nor its revision changes here, so that a
/// page that reads differently the next time makes no event. A page that cannot be had leaves the article as it was. Asks for at
/// most `fetch.max_pages_per_poll` pages, the newest articles first, and for at most `fetch.pages_timeout_ms`.
pub async fn complete(fetcher: &Fetcher, feed: &Feed, articles: &mut [Article], now: Timestamp) -> Pages {
    let config = fetcher.config();
    let when = feed.article_pages.unwrap_or(config.article_pages);
    let mut pages = Pages::default();
    let deadline = tokio::time::Instant::now() + Duration::from_millis(config.pages_timeout_ms);
    // A host that cannot be reached is not asked again for each article.
    let mut down: HashSet<String> = HashSet::new();
    // The articles of a poll come the oldest first.
    for article in articles.iter_mut().rev() {
        let Some(url) = wanted(article, when) else { continue };
        let host = url.host_str().unwrap_or_default().to_owned();
        if pages.read + pages.failed >= config.max_pages_per_poll || down.contains(&host) {
            pages.skipped += 1;
            continue;
        }
        let fetched = match tokio::time::timeout_at(deadline, fetcher.page(&url, now)).await {
            // The time is up: what is left keeps what the feed gave.
            Err(_) => {
                pages.skipped += 1;
                down.insert(host);
                continue;
            }
            Ok(Err(error)) => {
                tracing::debug!(feed = %feed.id, %url, "article page not fetched: {error}");
                if is_down(&error) {
                    down.insert(host);
                }
                pages.failed += 1;
                continue;
            }
            Ok(Ok(fetched)) => fetched,
        };
        match read(fetched, url).await {
            Some(page) if is_gain(&page, article) => {
                put(page, article);
                pages.read += 1;
            }
            _ => pages.failed += 1,
        }
    }
    pages
}

/// The address of the page that an article needs.
fn wanted(article: &Article, when: ArticlePages) -> Option<Url> {
    let url = text::web_url(article.url.as_deref()?, None)?;
    let wanted = match when {
        ArticlePages::Never => false,
        ArticlePages::Always => true,
        ArticlePages::Auto => letters(&plain(article)) < SHORT_LETTERS,
    };
    wanted.then_some(url)
}

fn plain(article: &Article) -> String {
    match article.markup {
        Markup::Html => text::plain_of_html(&article.body),
        Markup::Plain => article.body.clone(),
    }
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

/// Whether the failure is one of the host and not of the page.
fn is_down(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Dns { .. }
            | FetchError::Connect { .. }
            | FetchError::Tls { .. }
            | FetchError::Timeout { .. }
            | FetchError::Private(_)
            | FetchError::Resting { .. }
            | FetchError::NoRobots { .. }
    )
}

/// The article in an answer, if it is a page that has one.
async fn read(fetched: Fetched, url: Url) -> Option<Page> {
    let kind = fetched.content_type.as_deref().unwrap_or("text/html").to_ascii_lowercase();
    let is_page = ["text/html", "application/xhtml"].iter().any(|known| kind.contains(known));
    if !(200..=299).contains(&fetched.status) || fetched.challenge || !is_page {
        tracing::debug!(%url, status = fetched.status, "article page not read");
        return None;
    }
    // A large page takes long enough to hold up other polls of this thread.
    let work = tokio::task::spawn_blocking(move || {
        extract_bytes(&fetched.body, fetched.content_type.as_deref(), Some(&fetched.url)).ok()
    });
    work.await.ok().flatten()
}

/// Whether a page says more than the feed, and of the same article: a wall or a consent form is long, too.
fn is_gain(page: &Page, article: &Article) -> bool {
    let before = letters(&plain(article));
    let said = format!("{} {}", page.title, page.text);
    letters(&page.text) as f64 > before as f64 * GAIN && share(&article.title, &said) >= SAME_TITLE
}

/// The share of the words of `a` that are in `b`; where words are not apart, of the characters.
fn share(a: &str, b: &str) -> f64 {
    let b = b.to_lowercase();
    let a = a.to_lowercase();
    let mut parts: Vec<&str> = Vec::new();
    for word in a.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if word.chars().any(|c| c >= '\u{2e80}') {
            parts.extend(word.char_indices().filter_map(|(at, c)| word.get(at..at + c.len_utf8())));
        } else if word.len() >= 3 {
            parts.push(word);
        }
    }
    let found = parts.iter().filter(|part| b.contains(**part)).count();
    if parts.is_empty() { 1.0 } else { found as f64 / parts.len() as f64 }
}

/// Puts what a page says into its article; what the feed said wins where both say it, and none of it is lost.
fn put(page: Page, article: &mut Article) {
    let summary = plain(article);
    let body = match share(&summary, &page.text) >= SAME_SUMMARY {
        true => page.text,
        false => format!("{}\n\n{}", summary.trim(), page.text),
    };
    article.body = text::cap_bytes(&body, text::MAX_BODY_BYTES).to_owned();
    article.markup = Markup::Plain;
    if article.authors.is_empty() {
        article.authors = page.authors;
    }
    if article.language.is_none() {
        article.language = page.language;
    }
    if article.published.is_none() {
        article.published = page.published.filter(|time| *time <= article.first_seen);
    }
}
