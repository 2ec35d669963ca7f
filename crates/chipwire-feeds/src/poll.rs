//! The whole story of one poll.

use std::{
    collections::{HashMap, HashSet},
    error::Error as StdError,
    fmt,
};

use chipwire_events::{Article, ArticleId, Feed, FeedError, FeedMove, FeedState, IdentityPolicy, ItemState, Timestamp};
use jiff::SignedDuration;
use url::Url;

use crate::{
    error::FetchError,
    fetch::{Fetched, Fetcher, Request},
    identity::{link_hash, policy_for, stable_id},
    parse::{Entry, ParsedFeed, parse_at_most},
    schedule::{self, Failure, Wishes},
    text,
};

/// Items that are remembered at least, whether they are still in the feed or not.
const REMEMBERED_ITEMS: usize = 500;

/// Warnings that are kept.
const MAX_WARNINGS: usize = 20;

/// A permanent move is believed after this many polls in a row ...
const MOVE_POLLS: u32 = 3;

/// ... over at least this time, in hours.
const MOVE_HOURS: i64 = 48;

/// A date further ahead than this, in hours, is no date.
const MAX_AHEAD_HOURS: i64 = 24;

/// No feed is older (1 January 1995, in Unix time).
const OLDEST_S: i64 = 788_918_400;

/// What came of a poll.
#[derive(Debug, Clone)]
pub struct Poll {
    /// What is known about the feed now: to be stored together with the articles.
    pub state: FeedState,
    /// New articles and new revisions, the oldest first.
    pub articles: Vec<Article>,
    /// What came of it, in short.
    pub outcome: Outcome,
    /// Bytes of the body on the wire.
    pub bytes: u64,
    /// Not one item of the last poll was in the answer: items were probably missed between the two.
    pub overrun: bool,
}

/// What came of a poll, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 304: nothing is new.
    NotModified,
    /// The feed was read.
    Read {
        /// Articles not seen before.
        new: usize,
        /// Articles that were edited.
        revised: usize,
        /// Items that are as they were.
        unchanged: usize,
    },
    /// The feed could not be read, by the class of the error.
    Failed(&'static str),
}

/// A short stable name for counting.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::NotModified => "not_modified",
            Outcome::Read { .. } => "read",
            Outcome::Failed(class) => class,
        })
    }
}

/// Polls a feed once. `state` is what the last poll left, `now` the time of this one. Never fails: what is wrong with the
/// feed stands in the state.
pub async fn poll(fetcher: &Fetcher, feed: &Feed, state: Option<&FeedState>, now: Timestamp) -> Poll {
    let mut state = state.cloned().unwrap_or_else(|| fresh_state(feed, now));
    state.last_polled = Some(now);
    let url = match Url::parse(&state.url) {
        Ok(url) => url,
        Err(error) => {
            let error = FetchError::Url { url: state.url.clone(), reason: error.to_string() };
            return failed(fetcher, state, error.class(), &error.to_string(), None, now);
        }
    };
    let request = Request { url: &url, etag: state.etag.as_deref(), last_modified: state.last_modified.as_deref() };
    let conditional = request.etag.is_some() || request.last_modified.is_some();
    let fetched = match fetcher.get(request, now).await {
        Ok(fetched) => fetched,
        Err(error) => {
            state.http_status = None;
            return failed(fetcher, state, error.class(), &with_cause(&error), None, now);
        }
    };
    state.http_status = Some(fetched.status);
    match fetched.status {
        304 if conditional => not_modified(fetcher, feed, state, &fetched, now),
        200..=299 => read(fetcher, feed, state, fetched, now).await,
        _ => {
            let (class, message) = refusal(&fetched);
            failed(fetcher, state, class, &message, Some(&fetched), now)
        }
    }
}

/// The state of a feed that was never polled.
pub(crate) fn fresh_state(feed: &Feed, now: Timestamp) -> FeedState {
    FeedState {
        feed: feed.id.clone(),
        url: feed.url.clone(),
        title: None,
        etag: None,
        last_modified: None,
        last_polled: None,
        last_ok: None,
        next_poll: now,
        interval_s: None,
        moving: None,
        http_status: None,
        error: None,
        warnings: Vec::new(),
        identity: IdentityPolicy::default(),
        articles: 0,
        items: Vec::new(),
    }
}

fn failed(
    fetcher: &Fetcher,
    mut state: FeedState,
    class: &'static str,
    message: &str,
    fetched: Option<&Fetched>,
    now: Timestamp,
) -> Poll {
    let (since, count) = state.error.as_ref().map_or((now, 0), |error| (error.since, error.count));
    let count = count.saturating_add(1);
    let failure = Failure {
        status: fetched.map(|fetched| if class == "challenge" { 403 } else { fetched.status }),
        count,
        since,
        retry_after_s: fetched.and_then(|fetched| fetched.retry_after_s),
    };
    tracing::debug!(feed = %state.feed, url = %state.url, class, count, "poll failed: {message}");
    state.next_poll = schedule::after_failure(fetcher.config(), &state.feed, failure, now);
    state.error = Some(FeedError { class: class.to_owned(), message: message.to_owned(), since, count });
    let bytes = fetched.map_or(0, |fetched| fetched.wire_bytes);
    Poll { state, articles: Vec::new(), outcome: Outcome::Failed(class), bytes, overrun: false }
}

/// What an answer that is neither a feed nor a 304 means for its reader.
fn refusal(fetched: &Fetched) -> (&'static str, String) {
    let status = fetched.status;
    let message = match status {
        _ if fetched.challenge => {
            return ("challenge", crate::ParseError::Challenge.to_string());
        }
        304 => "the server answers \"not modified\" (304) although it was asked for everything".to_owned(),
        401 => {
            "the feed wants a login (401): put name and password into its address, https://name:password@...".to_owned()
        }
        403 => "the server refuses this client (403): set `fetch.contact`, or ask the feed's owner".to_owned(),
        404 => "there is no feed at this address (404): look on the site for its new one".to_owned(),
        410 => "the feed is gone for good (410): remove it, or look on the site for another".to_owned(),
        429 => "the server was asked too often (429): it is left in peace for a while".to_owned(),
        451 => "the server may not show the feed here, for legal reasons (451)".to_owned(),
        500..=599 => format!("the server has trouble of its own ({status}): it is asked again later"),
        _ => format!("the server answers with status {status}, which is not expected of a feed"),
    };
    ("http", message)
}

fn with_cause(error: &FetchError) -> String {
    let mut cause = error.source();
    let mut deepest = None;
    while let Some(inner) = cause {
        deepest = Some(inner.to_string());
        cause = inner.source();
    }
    match deepest {
        Some(deepest) => format!("{error}: {deepest}"),
        None => error.to_string(),
    }
}

fn not_modified(fetcher: &Fetcher, feed: &Feed, mut state: FeedState, fetched: &Fetched, now: Timestamp) -> Poll {
    // A server that never says anything but 304 is a silent feed: asked less and less.
    let last_full = state.items.iter().map(|item| item.last_seen).max();
    let silence_s = last_full.map(|time| (now.as_second() - time.as_second()) / 10);
    let silence_s = silence_s.and_then(|seconds| u32::try_from(seconds).ok());
    let wishes = Wishes {
        adaptive_s: state.interval_s.max(silence_s),
        fresh_s: fetched.fresh_s,
        ttl_s: None,
        reader_s: feed.interval_s,
    };
    let interval_s = schedule::interval_s(fetcher.config(), wishes);
    state.next_poll = schedule::after_success(&feed.id, interval_s, &[], &[], now);
    succeeded(&mut state, fetched, now);
    Poll { state, articles: Vec::new(), outcome: Outcome::NotModified, bytes: fetched.wire_bytes, overrun: false }
}

/// What every poll that brought an answer does.
fn succeeded(state: &mut FeedState, fetched: &Fetched, now: Timestamp) {
    state.error = None;
    state.last_ok = Some(now);
    let Some(to) = &fetched.moved else {
        state.moving = None;
        return;
    };
    let moving = match state.moving.take() {
        Some(moving) if moving.to == to.as_str() => FeedMove { polls: moving.polls.saturating_add(1), ..moving },
        _ => FeedMove { to: to.to_string(), polls: 1, since: now },
    };
    if moving.polls >= MOVE_POLLS && now.duration_since(moving.since) >= SignedDuration::from_hours(MOVE_HOURS) {
        state.url = moving.to;
    } else {
        state.moving = Some(moving);
    }
}

async fn read(fetcher: &Fetcher, feed: &Feed, mut state: FeedState, fetched: Fetched, now: Timestamp) -> Poll {
    if fetched.challenge {
        let (class, message) = refusal(&fetched);
        return failed(fetcher, state, class, &message, Some(&fetched), now);
    }
    let max_items = fetcher.config().max_items;
    // A large feed takes long enough to parse to hold up other polls of this thread.
    let parsing = tokio::task::spawn_blocking(move || {
        let parsed = parse_at_most(&fetched.body, fetched.content_type.as_deref(), Some(&fetched.url), max_items);
        (parsed, Fetched { body: Vec::new(), ..fetched })
    });
    let (parsed, fetched) = match parsing.await {
        Ok((Ok(parsed), fetched)) => (parsed, fetched),
        Ok((Err(error), fetched)) => {
            let status = Fetched { status: 200, retry_after_s: None, ..fetched };
            return failed(fetcher, state, error.class(), &error.to_string(), Some(&status), now);
        }
        Err(_) => return failed(fetcher, state, "internal", "reading the feed failed inside chipwire", None, now),
    };
    let dates: Vec<Timestamp> = parsed.entries.iter().filter_map(|entry| entry.published.or(entry.updated)).collect();
    let wishes = Wishes {
        adaptive_s: schedule::adaptive_s(&dates, now),
        fresh_s: None,
        ttl_s: parsed.ttl_s,
        reader_s: feed.interval_s,
    };
    state.interval_s = Some(schedule::interval_s(fetcher.config(), wishes));
    let interval_s = schedule::interval_s(fetcher.config(), Wishes { fresh_s: fetched.fresh_s, ..wishes });
    state.next_poll = schedule::after_success(&feed.id, interval_s, &parsed.skip_hours, &parsed.skip_days, now);
    // Both are updated even when only one is there: an old one beside a new one would be a lie.
    state.etag.clone_from(&fetched.etag);
    state.last_modified.clone_from(&fetched.last_modified);
    succeeded(&mut state, &fetched, now);
    let read = take_in(feed, state, parsed, &fetched.url, now);
    Poll { bytes: fetched.wire_bytes, ..read }
}

/// Takes the entries of a document in: which are new, which were edited, what is remembered. Pure.
pub(crate) fn take_in(feed: &Feed, mut state: FeedState, parsed: ParsedFeed, url: &Url, now: Timestamp) -> Poll {
    let known = Known::new(&state.items);
    let entries = &parsed.entries;
    let policy = policy_for(state.identity, entries, &state.items, |stable| {
        known.by_id.contains_key(ArticleId::of(&feed.id, stable).as_str())
    });
    let source = source_of(feed, &parsed, url);
    let mut warnings: Vec<String> = parsed.repairs.iter().map(ToString::to_string).collect();
    let (mut new, mut revised, mut unchanged, mut unbelievable) = (0, 0, 0, 0);
    let mut articles = Vec::new();
    let mut items: Vec<ItemState> = Vec::with_capacity(entries.len());
    let mut seen = HashSet::new();
    for entry in entries {
        let published = believable(entry.published.or(entry.updated), now);
        unbelievable += usize::from(published.is_none() && entry.published.or(entry.updated).is_some());
        let (body, markup) = entry.body();
        let title = title_of(entry);
        let content_hash = Article::content_hash_of(&title, body, entry.link.as_deref(), published);
        let link = link_hash(entry);
        let mut id = ArticleId::of(&feed.id, &stable_id(policy, entry));
        let item = known.find(&id, link.as_deref(), &content_hash, policy);
        if let Some(item) = item {
            id = ArticleId::from_string(&item.id);
        }
        // The first of two is kept: most feeds put the newest first.
        if !seen.insert(id.clone()) {
            continue;
        }
        let revision = match item {
            None => 1,
            Some(item) if item.content_hash != content_hash => item.revision.saturating_add(1),
            Some(item) => item.revision,
        };
        items.push(ItemState {
            id: id.to_string(),
            revision,
            content_hash: content_hash.clone(),
            link,
            last_seen: now,
        });
        match item {
            None => new += 1,
            Some(item) if item.revision != revision => revised += 1,
            Some(_) => {
                unchanged += 1;
                continue;
            }
        }
        articles.push(Article {
            id,
            revision,
            content_hash,
            feed: feed.id.clone(),
            source: source.clone(),
            url: entry.link.clone(),
            title,
            body: body.to_owned(),
            markup,
            authors: entry.authors.clone(),
            categories: entry.categories.clone(),
            language: parsed.language.clone(),
            published,
            published_raw: entry.published_raw.clone(),
            updated: believable(entry.updated, now),
            first_seen: now,
        });
    }
    // Feeds put the newest first; where there are no dates, that order is all there is.
    articles.reverse();
    articles.sort_by_key(Article::time);
    if unbelievable > 0 {
        warnings.push(format!("{unbelievable} dates lie in the future or before 1995 and are not used"));
    }
    if policy != IdentityPolicy::Guid {
        let by = if policy == IdentityPolicy::Link { "link" } else { "title and date" };
        warnings.push(format!("guids repeat or change: items are told apart by {by}"));
    }
    warnings.truncate(MAX_WARNINGS);
    let overrun = !state.items.is_empty() && !items.is_empty() && new == items.len();
    remember(&mut state, items);
    state.identity = policy;
    state.articles = state.articles.saturating_add(new as u64);
    state.title = parsed.title.or(state.title);
    state.warnings = warnings;
    Poll { state, articles, outcome: Outcome::Read { new, revised, unchanged }, bytes: 0, overrun }
}

/// The items of the last polls, by what they can be known again.
struct Known {
    by_id: HashMap<String, ItemState>,
    /// None where several items share the link.
    by_link: HashMap<String, Option<ItemState>>,
    by_content: HashMap<String, ItemState>,
}

impl Known {
    fn new(items: &[ItemState]) -> Self {
        let mut known = Self { by_id: HashMap::new(), by_link: HashMap::new(), by_content: HashMap::new() };
        for item in items {
            known.by_id.insert(item.id.clone(), item.clone());
            known.by_content.insert(item.content_hash.clone(), item.clone());
            if let Some(link) = &item.link {
                known.by_link.entry(link.clone()).and_modify(|slot| *slot = None).or_insert_with(|| Some(item.clone()));
            }
        }
        known
    }

    /// The item that an entry is: by its id, or, where the feed was switched to another policy and its older items keep
    /// the ids of the policy before, by what they have in common.
    fn find(&self, id: &ArticleId, link: Option<&str>, content: &str, policy: IdentityPolicy) -> Option<&ItemState> {
        let by_id = self.by_id.get(id.as_str());
        match policy {
            IdentityPolicy::Guid => by_id,
            IdentityPolicy::Link => by_id.or_else(|| self.by_link.get(link?)?.as_ref()),
            IdentityPolicy::Hash => by_id.or_else(|| self.by_content.get(content)),
        }
    }
}

/// Keeps the items of this poll and as many older ones as there is room for, the latest first.
fn remember(state: &mut FeedState, items: Vec<ItemState>) {
    let room = (items.len() * 2).max(REMEMBERED_ITEMS);
    let current: HashSet<String> = items.iter().map(|item| item.id.clone()).collect();
    let older = std::mem::replace(&mut state.items, items);
    state.items.extend(older.into_iter().filter(|item| !current.contains(&item.id)));
    state.items.truncate(room);
}

fn believable(time: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    time.filter(|time| {
        time.as_second() >= OLDEST_S && time.duration_since(now) <= SignedDuration::from_hours(MAX_AHEAD_HOURS)
    })
}

/// The title, or the first words of an entry that has none.
fn title_of(entry: &Entry) -> String {
    if !entry.title.is_empty() {
        return entry.title.clone();
    }
    let text = text::plain_of_html(text::cap_bytes(entry.body().0, 4_096));
    let start = text::cap_chars(&text, 100);
    match start.rsplit_once(' ') {
        Some((words, _)) if start.len() < text.len() => format!("{words} …"),
        _ => start.to_owned(),
    }
}

fn source_of(feed: &Feed, parsed: &ParsedFeed, url: &Url) -> String {
    let title = feed.title.as_deref().or(parsed.title.as_deref()).map(text::collapse).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| url.host_str().unwrap_or(&feed.url).trim_start_matches("www.").to_owned());
    text::cap_chars(&title, 200).to_owned()
}
