//! The whole story of one poll.

use std::{
    collections::{HashMap, HashSet},
    error::Error as StdError,
    fmt,
};

use chipwire_events::{
    Article, ArticleId, Feed, FeedError, FeedMove, FeedState, IdentityPolicy, ItemPage, ItemState, Timestamp, Timing,
};
use jiff::SignedDuration;
use url::Url;

use crate::{
    error::FetchError,
    fetch::{Fetched, Fetcher, Request},
    identity::{Marks, policy_for},
    own_headers::for_origin,
    parse::{Entry, ParsedFeed, parse_at_most},
    recognise::{Drift, Judged, Known, Sight, judge},
    rooms::Room,
    schedule::{self, Answer, Document, Failure, Plan},
    text, websub,
};

/// Items that are remembered at least, whether they are still in the feed or not ...
const REMEMBERED_ITEMS: usize = 300;

/// ... and those that were seen within this many days, as a push or a broken answer may hold a few of many ...
const REMEMBERED_DAYS: i64 = 30;

/// ... up to this many.
const MAX_REMEMBERED_ITEMS: usize = 4_000;

/// Warnings that are kept.
const MAX_WARNINGS: usize = 20;

/// A permanent move is believed after this many polls in a row ...
const MOVE_POLLS: u32 = 3;

/// ... over at least this time, in hours.
const MOVE_HOURS: i64 = 48;

/// What is said of a feed that is not polled any more.
const GONE: &str = "the feed is gone for good (410, and again when it was asked once more): it is not polled any more; \
    `chipwire feeds resume FEED` polls it again, `chipwire feeds remove FEED` forgets it";

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
    /// The next revisions of articles whose pages are asked for again: published if these can be had.
    pub(crate) again: Vec<Article>,
    /// What was known of the items that were edited and whose last revision has the text of their page.
    pub(crate) before: HashMap<ArticleId, ItemState>,
    /// The steps of the repair that the document needed.
    pub repairs: Vec<&'static str>,
    /// What came of it, in short.
    pub outcome: Outcome,
    /// Bytes of the body on the wire.
    pub bytes: u64,
    /// What came of it was not asked for: a hub has pushed it.
    pub pushed: bool,
    /// Not one item of the last poll was in the answer: items were probably missed between the two.
    pub overrun: bool,
    /// The feed was read for the first time: its articles are as old as they are.
    pub first_read: bool,
    /// Items that were there twice, or under a new identity, and that were not published again.
    pub duplicates: usize,
    /// The place in memory of a large document: to be kept until the articles are published.
    pub room: Option<Room>,
}

impl Poll {
    /// Whether the feed's server was asked.
    pub fn asked(&self) -> bool {
        !self.pushed && !matches!(self.outcome, Outcome::Deferred | Outcome::Pushed)
    }

    pub(crate) fn new(state: FeedState, outcome: Outcome, bytes: u64) -> Self {
        Self {
            state,
            articles: Vec::new(),
            again: Vec::new(),
            before: HashMap::new(),
            repairs: Vec::new(),
            outcome,
            bytes,
            pushed: false,
            overrun: false,
            first_read: false,
            duplicates: 0,
            room: None,
        }
    }
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
    /// The feed was not asked: its host wants to be left in peace.
    Deferred,
    /// The feed was not asked: its hub had something to say that brought no article.
    Pushed,
    /// The feed could not be read, by the class of the error.
    Failed(&'static str),
}

/// A short stable name for counting.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::NotModified => "not_modified",
            Outcome::Read { .. } => "read",
            Outcome::Deferred => "deferred",
            Outcome::Pushed => "pushed",
            Outcome::Failed(class) => class,
        })
    }
}

/// Polls a feed once. `state` is what the last poll left, with the items that were seen in it, `now` the time of this poll.
/// Never fails: what is wrong with the feed stands in the state.
pub async fn poll(fetcher: &Fetcher, feed: &Feed, state: Option<FeedState>, now: Timestamp) -> Poll {
    poll_recalling(fetcher, feed, state, || Ok(Vec::new()), now).await
}

/// As [`poll()`], for who keeps the items that were seen apart from the state: where `state` has none, `recall` gives them, on a
/// thread that may wait, and only if the feed's document was read. The state in the [`Poll`] has items if they have to be
/// written. A poll whose `recall` fails has failed, and loses nothing.
pub async fn poll_recalling(
    fetcher: &Fetcher,
    feed: &Feed,
    state: Option<FeedState>,
    recall: impl FnOnce() -> Result<Vec<ItemState>, String> + Send + 'static,
    now: Timestamp,
) -> Poll {
    let mut state = state.unwrap_or_else(|| fresh_state(feed, now));
    let url = match Url::parse(&state.url) {
        Ok(url) => url,
        Err(error) => {
            state.last_polled = Some(now);
            let error = FetchError::Url { url: state.url.clone(), reason: error.to_string() };
            return failed(fetcher, feed, state, error.class(), &error.to_string(), None, now);
        }
    };
    let validators = state.etag.is_some() || state.last_modified.is_some();
    // A page that is asked for again belongs to an item of the document, which may not have changed for long.
    let wants_pages = state.pages_at.is_some_and(|at| at < now) && schedule::may_probe(&state.timing, now);
    let probe = validators && (wants_pages || schedule::wants_probe(&state.timing, now));
    let conditional = validators && !probe;
    let given_by = given_by(&state, &url);
    let request = Request {
        url: &url,
        etag: state.etag.as_deref().filter(|_| conditional),
        last_modified: state.last_modified.as_deref().filter(|_| conditional),
        headers: for_origin(feed, &url),
    };
    let fetched = match fetcher.get_again(request, &given_by, now).await {
        Ok(fetched) => fetched,
        // It was not asked, and nothing is known of it that was not known before.
        Err(FetchError::Resting { wait_s, .. }) => return deferred(state, wait_s, now),
        Err(error) => {
            state.last_polled = Some(now);
            state.http_status = None;
            return failed(fetcher, feed, state, error.class(), &with_cause(&error), None, now);
        }
    };
    state.last_polled = Some(now);
    state.http_status = Some(fetched.status);
    if probe {
        state.timing.probed = Some(now);
    }
    match fetched.status {
        304 if conditional && fetched.url == given_by => {
            let mut poll = not_modified(fetcher, feed, state, &fetched, now);
            Box::pin(websub::follow_up(fetcher, feed, &mut poll, None, now)).await;
            poll
        }
        // Boxed: most answers are a 304, and need not carry the room for this about.
        200..=299 => Box::pin(read(fetcher, feed, state, recall, fetched, now)).await,
        _ => {
            let (class, message) = refusal(&fetched);
            failed(fetcher, feed, state, class, &message, Some(&fetched), now)
        }
    }
}

/// Who gave the validators in `state`, of a feed that is fetched from `url`.
fn given_by(state: &FeedState, url: &Url) -> Url {
    state.validators_url.as_deref().and_then(|given_by| Url::parse(given_by).ok()).unwrap_or_else(|| url.clone())
}

/// The state of a feed that was never polled.
pub(crate) fn fresh_state(feed: &Feed, now: Timestamp) -> FeedState {
    FeedState {
        feed: feed.id.clone(),
        url: feed.url.clone(),
        title: None,
        etag: None,
        last_modified: None,
        validators_url: None,
        cut_at: None,
        pages_at: None,
        last_polled: None,
        last_ok: None,
        next_poll: now,
        interval_s: None,
        timing: Timing::default(),
        websub: None,
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
    feed: &Feed,
    mut state: FeedState,
    class: &'static str,
    message: &str,
    fetched: Option<&Fetched>,
    now: Timestamp,
) -> Poll {
    let (since, count, gone) = state.error.as_ref().map_or((now, 0, 0), |error| (error.since, error.count, error.gone));
    let count = count.saturating_add(1);
    let status = fetched.map(|fetched| if class == "challenge" { 403 } else { fetched.status });
    let gone = match status {
        Some(410) => gone.saturating_add(1),
        Some(_) => 0,
        None => gone,
    };
    let failure =
        Failure { status, count, gone, since, retry_after_s: fetched.and_then(|fetched| fetched.retry_after_s) };
    let message = match status {
        Some(410) if gone >= FeedError::GONE_CONFIRMED => GONE,
        _ => message,
    };
    tracing::debug!(feed = %state.feed, url = %state.url, class, count, "poll failed: {message}");
    let plan = schedule::plan(fetcher.config(), &feed.id, feed.interval_s, state.timing, Answer::Failed(failure), now);
    (state.timing, state.next_poll) = (plan.timing, plan.next_poll);
    // A move is believed after polls in a row.
    state.moving = None;
    state.error = Some(FeedError { class: class.to_owned(), message: message.to_owned(), since, count, gone });
    Poll::new(state, Outcome::Failed(class), fetched.map_or(0, |fetched| fetched.wire_bytes))
}

/// The host asked for a pause when another of its feeds was polled: this one was not asked and has not failed.
fn deferred(mut state: FeedState, wait_s: u32, now: Timestamp) -> Poll {
    let wait = SignedDuration::from_secs(i64::from(wait_s.max(1)));
    state.next_poll = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    Poll::new(state, Outcome::Deferred, 0)
}

/// What an answer that is neither a feed nor a 304 means for its reader.
fn refusal(fetched: &Fetched) -> (&'static str, String) {
    let status = fetched.status;
    let message = match status {
        _ if fetched.challenge => {
            return ("challenge", crate::ParseError::Challenge.to_string());
        }
        304 => "the server answers \"not modified\" (304) although it was asked for everything".to_owned(),
        300..=399 if fetched.retry_after_s.is_some() => {
            format!("the feed has moved for a while ({status}), and the server asks to wait before following it")
        }
        401 => "the feed wants a login (401): give it with `chipwire feeds edit FEED --header 'Authorization: ...'`"
            .to_owned(),
        403 => "the server refuses this client (403): set `fetch.contact`, or ask the feed's owner".to_owned(),
        404 => "there is no feed at this address (404): look on the site for its new one".to_owned(),
        410 => "the feed is gone for good (410), the server says: it is asked once more, and then no more".to_owned(),
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
    let from = fetched.url.as_str();
    plan_next(fetcher, feed, &mut state, Answer::NotModified { fresh_s: fetched.fresh_s }, now);
    succeeded(&mut state, fetched, now);
    state.validators_url = (from != state.url).then(|| from.to_owned());
    Poll::new(state, Outcome::NotModified, fetched.wire_bytes)
}

fn plan_next(fetcher: &Fetcher, feed: &Feed, state: &mut FeedState, answer: Answer<'_>, now: Timestamp) {
    let timing = std::mem::take(&mut state.timing);
    let plan = schedule::plan(fetcher.config(), &feed.id, feed.interval_s, timing, answer, now);
    Plan { timing: state.timing, next_poll: state.next_poll, interval_s: state.interval_s } = plan;
}

/// What every poll does whose answer was read as a feed, or a 304 of the address whose answer was: so that a move leads to no
/// address at which no feed was read.
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

async fn read(
    fetcher: &Fetcher,
    feed: &Feed,
    mut state: FeedState,
    recall: impl FnOnce() -> Result<Vec<ItemState>, String> + Send + 'static,
    fetched: Fetched,
    now: Timestamp,
) -> Poll {
    if fetched.challenge {
        let (class, message) = refusal(&fetched);
        return failed(fetcher, feed, state, class, &message, Some(&fetched), now);
    }
    let max_items = fetcher.config().max_items;
    let length = fetched.body.len() as u64;
    // A large feed takes long enough to parse to hold up other polls of this thread.
    let wants_hub = fetcher.subscriber().is_some();
    let recall = state.items.is_empty().then_some(recall);
    let parsing = tokio::task::spawn_blocking(move || {
        let announced = if wants_hub { websub::announced(&fetched.links, &fetched.body, &fetched.url) } else { None };
        let parsed = parse_at_most(&fetched.body, fetched.content_type.as_deref(), Some(&fetched.url), max_items);
        let items = recall.map(|recall| recall()).transpose();
        (parsed, announced, items, Fetched { body: Vec::new(), ..fetched })
    });
    let (parsed, announced, fetched) = match parsing.await {
        Ok((parsed, announced, Ok(items), fetched)) => {
            state.items = items.unwrap_or(state.items);
            (parsed, announced, fetched)
        }
        Ok((_, _, Err(reason), fetched)) => {
            let message = format!("what was seen of the feed before cannot be read: {reason}");
            return failed(fetcher, feed, state, "internal", &message, Some(&fetched), now);
        }
        Err(_) => {
            return failed(fetcher, feed, state, "internal", "reading the feed failed inside chipwire", None, now);
        }
    };
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let status = Fetched { status: 200, retry_after_s: None, ..fetched };
            return failed(fetcher, feed, state, error.class(), &error.to_string(), Some(&status), now);
        }
    };
    // Both are updated even when only one is there: an old one beside a new one would be a lie.
    state.etag.clone_from(&fetched.etag);
    state.last_modified.clone_from(&fetched.last_modified);
    succeeded(&mut state, &fetched, now);
    let from = fetched.url.as_str();
    state.validators_url = (from != state.url).then(|| from.to_owned());
    // What was left out is not asked for with a validator of all: the answer would be that nothing is new. A document that the
    // server sends in full and that ends where the last one ended is not cut off, but never had an end.
    let cut_at = parsed.cut_off.then_some(length);
    if parsed.cut_off && !(fetched.complete && state.cut_at == cut_at) {
        (state.etag, state.last_modified, state.validators_url) = (None, None, None);
    }
    state.cut_at = cut_at;
    let (ttl_s, skip_hours, skip_days) = (parsed.ttl_s, parsed.skip_hours.clone(), parsed.skip_days.clone());
    let mut read = take_in(feed, state, parsed, &fetched.url, now);
    let in_document = read.state.items.iter().filter(|item| item.last_seen == now);
    let entries: Vec<Timestamp> = in_document.filter_map(|item| item.published).collect();
    let new: Vec<Timestamp> = read.articles.iter().filter(|article| article.revision == 1).map(Article::time).collect();
    let document = Document {
        fresh_s: fetched.fresh_s,
        ttl_s,
        skip_hours: &skip_hours,
        skip_days: &skip_days,
        entries: &entries,
        new: &new,
    };
    plan_next(fetcher, feed, &mut read.state, Answer::Read(document), now);
    websub::follow_up(fetcher, feed, &mut read, Some(announced), now).await;
    Poll { bytes: fetched.wire_bytes, room: fetched.room, ..read }
}

/// Takes the entries of a document in: which are new, which were edited, what is remembered. Pure.
pub(crate) fn take_in(feed: &Feed, state: FeedState, parsed: ParsedFeed, url: &Url, now: Timestamp) -> Poll {
    take_in_part(feed, state, parsed, url, false, now)
}

/// As [`take_in`], of a document that may hold a part of the feed only: what it lacks is not gone.
pub(crate) fn take_in_part(
    feed: &Feed,
    mut state: FeedState,
    parsed: ParsedFeed,
    url: &Url,
    is_part: bool,
    now: Timestamp,
) -> Poll {
    let first_read = state.items.is_empty() && state.articles == 0;
    let remembered = std::mem::take(&mut state.items);
    let known = Known::new(&remembered);
    let entries: Vec<Marks<'_>> = parsed.entries.iter().map(Marks::of).collect();
    let is_known = |stable: &str| known.has(&ArticleId::of(&feed.id, stable));
    let policy = policy_for(state.identity, &entries, &remembered, is_known);
    let source = source_of(feed, &parsed, url);
    let mut repairs: Vec<&'static str> = parsed.repairs.iter().map(|repair| repair.stage.name()).collect();
    repairs.dedup();
    let mut warnings: Vec<String> = parsed.repairs.iter().map(ToString::to_string).collect();
    let sights: Vec<Sight<'_>> = entries
        .iter()
        .map(|marks| {
            let entry = marks.entry();
            let published = believable(entry.published.or(entry.updated), now);
            Sight::new(&feed.id, policy, marks, title_of(entry), published)
        })
        .collect();
    let (found, mut duplicates) = known.recognise(&feed.id, policy, &sights);
    let (old_copy, drift) = (known.is_old_copy(&sights, &found, now), Drift::of(&sights, &found));
    let (mut new, mut revised, mut unchanged, mut unbelievable) = (0, 0, 0, 0);
    let (mut articles, mut again, mut before) = (Vec::new(), Vec::new(), HashMap::new());
    let mut items: Vec<ItemState> = Vec::with_capacity(entries.len());
    let mut seen = HashSet::new();
    for (sight, item) in sights.iter().zip(&found) {
        let entry = sight.entry;
        unbelievable += usize::from(sight.published.is_none() && entry.published.or(entry.updated).is_some());
        let id = item.map_or_else(|| sight.id.clone(), |item| ArticleId::from_string(&item.id));
        // The first of two is kept: most feeds put the newest first.
        if !seen.insert(id.clone()) {
            duplicates += 1;
            continue;
        }
        let mut judged = match item {
            None => Judged { state: sight.first_state(now), edited: false },
            Some(item) => judge(sight, item, old_copy, drift, now),
        };
        if let Some(item) = item {
            judged.state.page = item.page;
            if item.page.read && !judged.edited {
                // An edit that waited was taken back.
                judged.state.page = ItemPage { read: true, ..ItemPage::default() };
            }
        }
        let (mut revision, published) = (judged.state.revision, judged.state.published);
        let wants_page = judged.state.page.again.is_some_and(|again| again < now);
        items.push(judged.state);
        let articles = match item {
            None => {
                new += 1;
                &mut articles
            }
            Some(item) if judged.edited => {
                revised += 1;
                if item.page.read {
                    before.insert(id.clone(), ItemState::clone(item));
                }
                &mut articles
            }
            Some(_) => {
                unchanged += 1;
                if !wants_page {
                    continue;
                }
                // Published only if its page can be had now.
                revision = revision.saturating_add(1);
                &mut again
            }
        };
        let (body, markup) = entry.body();
        articles.push(Article {
            id,
            revision,
            content_hash: sight.article_hash(published),
            feed: feed.id.clone(),
            source: source.clone(),
            url: entry.link.clone(),
            title: sight.title.clone(),
            body: body.to_owned(),
            markup,
            authors: entry.authors.clone(),
            categories: entry.categories.clone(),
            language: entry.language.clone().or_else(|| parsed.language.clone()),
            published,
            published_raw: entry.published_raw.clone(),
            updated: believable(entry.updated, now),
            first_seen: now,
        });
    }
    // Feeds put the newest first; where there are no dates, that order is all there is.
    for articles in [&mut articles, &mut again] {
        articles.reverse();
        articles.sort_by_key(Article::time);
    }
    if unbelievable > 0 {
        warnings.push(format!("{unbelievable} dates lie in the future or before 1995 and are not used"));
    }
    if policy != IdentityPolicy::Guid {
        let by = if policy == IdentityPolicy::Link { "link" } else { "title and date" };
        warnings.push(format!("guids repeat or change: items are told apart by {by}"));
    }
    warnings.truncate(MAX_WARNINGS);
    let overrun = !remembered.is_empty() && !items.is_empty() && new == items.len();
    if is_part {
        items.extend(still_there(&items, &remembered, now));
    }
    state.items = remember(items, remembered, now);
    state.identity = policy;
    state.articles = state.articles.saturating_add(new as u64);
    state.title = parsed.title.or(state.title);
    state.warnings = warnings;
    let outcome = Outcome::Read { new, revised, unchanged };
    Poll { articles, again, before, repairs, overrun, first_read, duplicates, ..Poll::new(state, outcome, 0) }
}

/// What was in the last document and is not among `items`: as if it had been seen with them, so that the next whole document is
/// compared with all of it.
fn still_there(items: &[ItemState], remembered: &[ItemState], now: Timestamp) -> Vec<ItemState> {
    let here: HashSet<&str> = items.iter().map(|item| item.id.as_str()).collect();
    let last = remembered.iter().map(|item| item.last_seen).max();
    let there = remembered.iter().filter(|item| Some(item.last_seen) == last && !here.contains(item.id.as_str()));
    there.map(|item| ItemState { last_seen: now, ..item.clone() }).collect()
}

/// The items of this poll and as many older ones as there is room for, the latest first. Of older ones only what is needed
/// to know them again.
fn remember(items: Vec<ItemState>, older: Vec<ItemState>, now: Timestamp) -> Vec<ItemState> {
    let room = (items.len() * 2).max(REMEMBERED_ITEMS);
    let current: HashSet<String> = items.iter().map(|item| item.id.clone()).collect();
    let mut kept = items;
    let older = older.into_iter().filter(|item| !current.contains(&item.id));
    // There is nothing to complete them from.
    let page = |item: &ItemState| ItemPage { read: item.page.read, ..ItemPage::default() };
    kept.extend(older.map(|item| ItemState { raw: None, title: None, number: None, page: page(&item), ..item }));
    let recent = |item: &ItemState| now.duration_since(item.last_seen).as_hours() < 24 * REMEMBERED_DAYS;
    let mut at = 0;
    kept.retain(|item| {
        at += 1;
        at <= room || recent(item)
    });
    kept.truncate(room.max(MAX_REMEMBERED_ITEMS));
    kept
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
    let (body, markup) = entry.body();
    let text = text::plain(text::cap_bytes(body, 4_096), markup);
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

#[cfg(test)]
mod tests {
    use chipwire_events::FeedOrigin;

    use super::*;

    fn day(day: i64) -> Timestamp {
        let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        start.checked_add(SignedDuration::from_hours(24 * day)).unwrap()
    }

    /// Polls a feed whose document holds the items of these numbers, a title and a guid each.
    fn seen(state: FeedState, numbers: std::ops::Range<usize>, now: Timestamp) -> (FeedState, usize) {
        let url = Url::parse(&state.url).unwrap();
        let items: String =
            numbers.map(|n| format!("<item><guid>urn:item:{n}</guid><title>Item {n}</title></item>")).collect();
        let document = format!("<rss version='2.0'><channel>{items}</channel></rss>");
        let parsed = parse_at_most(document.as_bytes(), None, Some(&url), 10_000).unwrap();
        let poll =
            take_in(&Feed::new(url, FeedOrigin::User), state, parsed, &Url::parse("http://x.org/").unwrap(), now);
        (poll.state, poll.articles.len())
    }

    fn new_state() -> FeedState {
        fresh_state(&Feed::new("http://x.org/feed", FeedOrigin::User), day(0))
    }

    #[test]
    fn items_of_a_large_feed_outlive_answers_with_a_few_of_them() {
        let (state, articles) = seen(new_state(), 0..1_000, day(0));
        assert_eq!((articles, state.items.len()), (1_000, 1_000));
        let (state, articles) = seen(state, 0..1, day(10));
        assert_eq!((articles, state.items.len()), (0, 1_000));
        let (state, articles) = seen(state, 0..1_000, day(29));
        assert_eq!((articles, state.items.len()), (0, 1_000));
        // A month later the latest 300 are left of those that were not seen.
        let (state, articles) = seen(state, 0..1, day(60));
        assert_eq!((articles, state.items.len()), (0, 300));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut state = new_state();
        for poll in 0..6 {
            state = seen(state, poll * 1_000..(poll + 1) * 1_000, day(0)).0;
        }
        assert_eq!(state.items.len(), 4_000);
        // What is in the feed now is remembered whatever its number, and as many again.
        let (state, articles) = seen(state, 1_000..6_000, day(1));
        assert_eq!((articles, state.items.len()), (1_000, 5_000));
    }
}
