//! The pages of new articles, where the feed gives too little of them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chipwire_events::{Article, ArticleId, ArticlePages, Feed, ItemPage, ItemState, Markup, Timestamp};
use jiff::SignedDuration;
use url::Url;

use crate::{
    error::FetchError,
    extract::{Page, extract_bytes},
    fetch::{Fetched, Fetcher},
    poll::{Outcome, Poll},
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

/// A page that cannot be had for the moment is asked for so often at most ...
const MAX_TRIES: u32 = 4;

/// ... the second time after half an hour at the earliest, and each time after four times as long.
const AGAIN_S: i64 = 1_800;

/// Articles of one poll that are beyond its limit on pages and wait for those after it, the newest.
const MAX_WAITING: usize = 100;

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
/// An article is told from its edit by what the feed says: its content hash does not change here, so that a page that reads
/// differently the next time makes no event. Asks for at most `fetch.max_pages_per_poll` pages, the newest articles first, and
/// for at most `fetch.pages_timeout_ms`.
///
/// A page that will never be had leaves the article as it is. One that cannot be had for the moment, or is beyond the limit, is
/// asked for again when the feed is read again, because it has changed or a day has passed, as long as its item is in it: a new
/// article is published at once as it is, and its page makes a revision of it; an edit of an article that has the text of its
/// page waits, and is published without only after the last try.
pub async fn complete(fetcher: &Fetcher, feed: &Feed, poll: &mut Poll, now: Timestamp) -> Pages {
    let mut articles = std::mem::take(&mut poll.articles);
    let mut again = std::mem::take(&mut poll.again);
    // An edit that waits already keeps waiting until its time has come.
    let before = &poll.before;
    let waits =
        |article: &Article| before.get(&article.id).and_then(|item| item.page.again).is_some_and(|again| again >= now);
    let (pages, came) = ask(fetcher, feed, articles.iter_mut().rev(), again.iter_mut().rev(), waits, now).await;
    let mut settled = Settled::default();
    let mut items: HashMap<String, &mut ItemState> =
        poll.state.items.iter_mut().map(|item| (item.id.clone(), item)).collect();
    for (id, came) in came {
        if let Some(item) = items.get_mut(id.as_str()) {
            settle(item, poll.before.remove(&id), came, &mut settled, now);
        }
    }
    articles.retain(|article| !settled.held.contains(article.id.as_str()));
    again.retain(|article| settled.read.contains(article.id.as_str()));
    for article in &again {
        if let Some(item) = items.get_mut(article.id.as_str()) {
            item.revision = article.revision;
        }
    }
    if let Outcome::Read { revised, unchanged, .. } = &mut poll.outcome {
        *revised = revised.saturating_sub(settled.held.len());
        *unchanged += settled.held.len();
    }
    articles.append(&mut again);
    articles.sort_by_key(Article::time);
    poll.articles = articles;
    if matches!(poll.outcome, Outcome::Read { .. }) {
        poll.state.pages_at = poll.state.items.iter().filter_map(|item| item.page.again).min();
    }
    pages
}

/// What came of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// Its text is that of the article now.
    Read,
    /// None is wanted, or none will be had.
    Nothing,
    /// It may be had later.
    Later,
    /// It was not asked for, and its turn comes after the next poll.
    Skipped,
    /// It was not asked for, since its time has not come.
    Waits,
}

/// Asks for the pages of `articles`, then of those that are asked for again.
async fn ask<'a>(
    fetcher: &Fetcher,
    feed: &Feed,
    articles: impl Iterator<Item = &'a mut Article>,
    again: impl Iterator<Item = &'a mut Article>,
    waits: impl Fn(&Article) -> bool,
    now: Timestamp,
) -> (Pages, Vec<(ArticleId, Came)>) {
    let config = fetcher.config();
    let when = feed.article_pages.unwrap_or(config.article_pages);
    let mut pages = Pages::default();
    let deadline = tokio::time::Instant::now() + Duration::from_millis(config.pages_timeout_ms);
    // A host that cannot be reached is not asked again for each article.
    let mut down: HashSet<String> = HashSet::new();
    let mut all = Vec::new();
    for article in articles.chain(again) {
        let mut came = |came| all.push((article.id.clone(), came));
        let Some(url) = wanted(article, when) else {
            came(Came::Nothing);
            continue;
        };
        if waits(article) {
            came(Came::Waits);
            continue;
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if pages.read + pages.failed >= config.max_pages_per_poll || tokio::time::Instant::now() >= deadline {
            pages.skipped += 1;
            came(if pages.skipped <= MAX_WAITING { Came::Skipped } else { Came::Nothing });
            continue;
        }
        if down.contains(&host) {
            pages.skipped += 1;
            came(Came::Later);
            continue;
        }
        let fetched = match tokio::time::timeout_at(deadline, fetcher.page(&url, now)).await {
            // The time is up.
            Err(_) => {
                pages.skipped += 1;
                down.insert(host);
                came(Came::Later);
                continue;
            }
            Ok(Err(error)) => {
                tracing::debug!(feed = %feed.id, %url, "article page not fetched: {error}");
                if is_down(&error) {
                    down.insert(host);
                }
                pages.failed += 1;
                came(if may_pass(&error) { Came::Later } else { Came::Nothing });
                continue;
            }
            Ok(Ok(fetched)) => fetched,
        };
        if matches!(fetched.status, 408 | 425 | 429 | 500..=599) {
            pages.failed += 1;
            came(Came::Later);
            continue;
        }
        match read(fetched, url).await {
            Some(page) if is_gain(&page, article) => {
                came(Came::Read);
                put(page, article);
                pages.read += 1;
            }
            _ => {
                pages.failed += 1;
                came(Came::Nothing);
            }
        }
    }
    (pages, all)
}

/// Items, by what came of their pages.
#[derive(Default)]
struct Settled {
    /// Their pages were read.
    read: HashSet<String>,
    /// Their edits wait.
    held: HashSet<String>,
}

/// Remembers of an item what came of its page. `before` is what was known of one that was edited and has something to lose.
fn settle(item: &mut ItemState, before: Option<ItemState>, came: Came, settled: &mut Settled, now: Timestamp) {
    let tries = item.page.tries.saturating_add(u32::from(came == Came::Later));
    let later = match came {
        Came::Later if tries < MAX_TRIES => {
            let pause = SignedDuration::from_secs(AGAIN_S << (2 * tries.saturating_sub(1)).min(20));
            Some(now.checked_add(pause).unwrap_or(Timestamp::MAX))
        }
        Came::Skipped => Some(now),
        Came::Waits => item.page.again,
        Came::Read | Came::Nothing | Came::Later => None,
    };
    item.page = match later {
        Some(_) => ItemPage { read: false, again: later, tries },
        None => ItemPage { read: came == Came::Read, again: None, tries: 0 },
    };
    if came == Came::Read {
        settled.read.insert(item.id.clone());
    }
    if let (Some(before), Some(_)) = (before, later) {
        // As if the edit had not been seen yet: the text that is there is worth more than to know of it today.
        let page = ItemPage { read: true, ..item.page };
        *item = ItemState { last_seen: now, page, ..before };
        settled.held.insert(item.id.clone());
    }
}

/// Whether a page that could not be had may be had later.
fn may_pass(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Dns { .. }
            | FetchError::Connect { .. }
            | FetchError::Tls { .. }
            | FetchError::Timeout { .. }
            | FetchError::TooSlow { .. }
            | FetchError::Protocol { .. }
            | FetchError::NoRobots { .. }
            | FetchError::Resting { .. }
    )
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
