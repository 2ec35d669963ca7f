//! Histories of feeds, poll by poll, and the articles that have to come out: one file each in `tests/histories`.
//!
//! A file tells its story in lines:
//!
//! - `# text`: what it is about
//! - `feed NAME FORMAT`: the polls that follow are of this feed; `rss`, `atom`, `json`, or `rss/ADDRESS` for one elsewhere
//! - `poll` or `poll +3h` or `poll +20m`: a poll that much later, an hour if nothing is said
//! - `guid | link | title | date | body`: an item of that poll's document, `-` for what it lacks; a link that begins with `/`
//!   is on `http://example.org`; a date is `10:00`, `2 10:00` for the second of the month, `now`, or else taken as it is
//! - `> text`: what comes out. `#0 r1` is the first article that ever came out, in its first revision; of later ones it says
//!   when date or address are others than in the revision before
//!
//! `UPDATE_EXPECT=1 cargo test -p chipwire-feeds histories` writes the last kind: look at what changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use chipwire_events::{Feed, FeedOrigin, FeedState, IdentityPolicy, ItemState, Timestamp};
use jiff::SignedDuration;
use proptest::prelude::*;
use url::Url;

use crate::{
    identity::{Marks, stable_id},
    parse::{Entry, ParsedFeed, parse_feed},
    poll::{Outcome, fresh_state, take_in},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/histories");

fn start() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

struct Item<'a> {
    fields: Vec<&'a str>,
}

impl<'a> Item<'a> {
    fn new(line: &'a str) -> Self {
        Self { fields: line.split('|').map(str::trim).collect() }
    }

    fn field(&self, at: usize) -> Option<&'a str> {
        self.fields.get(at).copied().filter(|field| *field != "-" && !field.is_empty())
    }

    fn link(&self) -> Option<String> {
        self.field(1).map(|link| if link.starts_with('/') { format!("http://example.org{link}") } else { link.into() })
    }

    /// The date in the format of RFC 3339, if it can be said in it.
    fn date(&self, now: Timestamp) -> Option<String> {
        let text = self.field(3)?;
        if text == "now" {
            return Some(now.to_string());
        }
        let (day, time) = text.split_once(' ').unwrap_or(("1", text));
        match (day.parse::<u8>(), time.len()) {
            (Ok(day), 5) => Some(format!("2026-03-{day:02}T{time}:00Z")),
            _ => Some(text.to_owned()),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn document(format: &str, items: &[Item<'_>], now: Timestamp) -> String {
    let mut out = match format {
        "atom" => "<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>".to_owned(),
        "rss" => "<rss version='2.0'><channel><title>T</title>".to_owned(),
        "json" => return json(items, now),
        _ => panic!("unknown format {format}"),
    };
    for item in items {
        let tag = if format == "atom" { "entry" } else { "item" };
        write!(out, "<{tag}>").unwrap();
        if let Some(guid) = item.field(0) {
            let (open, close) = if format == "atom" { ("id", "id") } else { ("guid isPermaLink='false'", "guid") };
            write!(out, "<{open}>{}</{close}>", escaped(guid)).unwrap();
        }
        if let Some(link) = item.link() {
            match format {
                "atom" => write!(out, "<link href='{}'/>", escaped(&link)).unwrap(),
                _ => write!(out, "<link>{}</link>", escaped(&link)).unwrap(),
            }
        }
        if let Some(title) = item.field(2) {
            write!(out, "<title>{}</title>", escaped(title)).unwrap();
        }
        if let Some(date) = item.date(now) {
            let tag = if format == "atom" { "published" } else { "pubDate" };
            write!(out, "<{tag}>{date}</{tag}>").unwrap();
        }
        if let Some(body) = item.field(4) {
            let (open, close) =
                if format == "atom" { ("content type='html'", "content") } else { ("description", "description") };
            write!(out, "<{open}>{}</{close}>", escaped(body)).unwrap();
        }
        write!(out, "</{tag}>").unwrap();
    }
    out + if format == "atom" { "</feed>" } else { "</channel></rss>" }
}

fn json(items: &[Item<'_>], now: Timestamp) -> String {
    let items: Vec<serde_json::Value> = items
        .iter()
        .map(|item| {
            let fields = [
                ("id", item.field(0).map(str::to_owned)),
                ("url", item.link()),
                ("title", item.field(2).map(str::to_owned)),
                ("date_published", item.date(now)),
                ("content_html", item.field(4).map(str::to_owned)),
            ];
            let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
            serde_json::Value::Object(fields.collect())
        })
        .collect();
    serde_json::json!({ "version": "https://jsonfeed.org/version/1.1", "title": "T", "items": items }).to_string()
}

struct Story {
    feed: Feed,
    format: String,
    state: FeedState,
    /// Date and address of each article, as they came out last.
    published: BTreeMap<String, (Option<Timestamp>, Option<String>)>,
}

impl Story {
    fn new(name: &str, kind: &str) -> Self {
        let (format, address) = kind.split_once('/').unwrap_or((kind, "example.org"));
        let feed = Feed::new(format!("https://{address}/{name}.xml"), FeedOrigin::User);
        let state = fresh_state(&feed, start());
        Self { feed, format: format.to_owned(), state, published: BTreeMap::new() }
    }

    fn poll(&mut self, items: &[Item<'_>], now: Timestamp, ids: &mut Vec<String>) -> String {
        let url = Url::parse(&self.feed.url).unwrap();
        let parsed = parse_feed(document(&self.format, items, now).as_bytes(), None, Some(&url)).unwrap();
        // What is kept is what is stored: through the log and back.
        let stored = serde_json::to_vec(&(&self.state, &self.state.items)).unwrap();
        let (state, items): (FeedState, Vec<ItemState>) = serde_json::from_slice(&stored).unwrap();
        assert!(state.items.is_empty(), "they have an event of their own");
        let poll = take_in(&self.feed, FeedState { items, ..state }, parsed, &url, now);
        let Outcome::Read { new, revised, unchanged } = poll.outcome else { panic!("not read") };
        let mut out = format!("> {new} new, {revised} revised, {unchanged} unchanged");
        if poll.duplicates > 0 {
            write!(out, ", {} suppressed", poll.duplicates).unwrap();
        }
        if poll.overrun {
            out.push_str(", overrun");
        }
        if poll.state.identity != self.state.identity {
            write!(out, ", from now on by {:?}", poll.state.identity).unwrap();
        }
        out.push('\n');
        for article in &poll.articles {
            let known = ids.iter().position(|id| id == article.id.as_str());
            let name = known.unwrap_or_else(|| {
                ids.push(article.id.to_string());
                ids.len() - 1
            });
            let title = if article.title.is_empty() { "-" } else { &article.title };
            write!(out, ">   #{name} r{} {title}", article.revision).unwrap();
            let last = (article.published, article.url.clone());
            if let Some((date, url)) = self.published.insert(article.id.to_string(), last.clone()) {
                if date != last.0 {
                    write!(out, ", dated {}", last.0.map_or("no more".to_owned(), |date| date.to_string())).unwrap();
                }
                if url != last.1 {
                    write!(out, ", at {}", last.1.as_deref().unwrap_or("no address")).unwrap();
                }
            }
            out.push('\n');
        }
        self.state = poll.state;
        out
    }
}

fn later(now: Timestamp, words: &str) -> Timestamp {
    let pause = words.strip_prefix('+').unwrap_or("1h");
    let (number, unit) = pause.split_at(pause.len() - 1);
    let number: i64 = number.parse().unwrap();
    now + match unit {
        "h" => SignedDuration::from_hours(number),
        "m" => SignedDuration::from_mins(number),
        _ => panic!("unknown pause {words}"),
    }
}

/// The file as it should be: all but the lines of what comes out taken over.
fn told(text: &str) -> String {
    let mut out = String::new();
    let mut stories: BTreeMap<String, Story> = BTreeMap::new();
    let mut current = "a".to_owned();
    stories.insert(current.clone(), Story::new("a", "rss"));
    let mut ids = Vec::new();
    let mut now = start() - SignedDuration::from_hours(1);
    let mut lines = text.lines().filter(|line| !line.starts_with('>')).peekable();
    while let Some(line) = lines.next() {
        writeln!(out, "{line}").unwrap();
        let mut words = line.split_whitespace();
        match words.next() {
            Some("feed") => {
                current = words.next().unwrap().to_owned();
                let kind = words.next();
                stories.entry(current.clone()).or_insert_with(|| Story::new(&current, kind.unwrap_or("rss")));
            }
            Some("poll") => {
                now = later(now, words.next().unwrap_or_default());
                let mut items = Vec::new();
                while let Some(line) = lines.next_if(|line| line.contains('|')) {
                    writeln!(out, "{line}").unwrap();
                    items.push(Item::new(line));
                }
                out.push_str(&stories.get_mut(&current).unwrap().poll(&items, now, &mut ids));
            }
            None => {}
            Some(word) => assert!(word.starts_with('#'), "no such line: {line}"),
        }
    }
    out
}

#[test]
fn histories_come_out_as_told() {
    let mut paths: Vec<_> = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 40, "only {} histories", paths.len());
    let failed: Vec<String> = paths.iter().filter_map(|path| check(path)).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn check(path: &Path) -> Option<String> {
    let expected = fs::read_to_string(path).unwrap();
    let actual = told(&expected);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, &actual).unwrap();
    }
    (actual != expected).then(|| format!("--- {} tells this now:\n{actual}", path.display()))
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let some = |prefix: &'static str| proptest::option::of((0..5_u8).prop_map(move |n| format!("{prefix}{n}")));
    let date = proptest::option::of(0..5_i64);
    let entry = (some(""), some("http://example.org/"), some("Title "), date, some("Text ")).prop_map(
        |(guid, link, title, hour, content)| Entry {
            guid,
            link,
            title: title.unwrap_or_default(),
            published: hour.map(|hour| start() - SignedDuration::from_hours(hour)),
            content,
            ..Entry::default()
        },
    );
    proptest::collection::vec(entry, 0..8)
}

proptest! {
    /// Whatever a feed says, saying it again is no event, and nothing is published twice.
    #[test]
    fn the_same_document_again_brings_nothing(documents in proptest::collection::vec(entries(), 1..5)) {
        let feed = Feed::new("https://example.org/feed", FeedOrigin::User);
        let url = Url::parse(&feed.url).unwrap();
        let (mut state, mut now) = (fresh_state(&feed, start()), start());
        let mut published = BTreeSet::new();
        for entries in documents {
            for policy in [IdentityPolicy::Guid, IdentityPolicy::Link, IdentityPolicy::Hash] {
                let same = |entry: &Entry| Marks::of(entry).stable_id(policy) == stable_id(policy, entry);
                prop_assert!(entries.iter().all(same), "{entries:?}");
            }
            for again in [false, true] {
                // No multiple of it comes near the hours for which an old copy is taken for one.
                now += SignedDuration::from_mins(if again { 1 } else { 50 });
                let parsed = ParsedFeed { entries: entries.clone(), ..ParsedFeed::default() };
                let poll = take_in(&feed, state, parsed, &url, now);
                prop_assert!(!again || poll.articles.is_empty(), "{:?}", poll.articles);
                for article in &poll.articles {
                    prop_assert!(published.insert((article.id.to_string(), article.revision)), "twice: {:?}", article);
                }
                state = poll.state;
            }
        }
    }
}

/// Before the address was compared by itself, the hash of an item was that of its article.
#[test]
fn items_that_were_remembered_with_their_address_are_known() {
    let feed = Feed::new("https://example.org/feed", FeedOrigin::User);
    let url = Url::parse(&feed.url).unwrap();
    let parsed = |items: &[&str]| {
        let items: Vec<Item<'_>> = items.iter().map(|item| Item::new(item)).collect();
        parse_feed(document("rss", &items, start()).as_bytes(), None, Some(&url)).unwrap()
    };
    let (first, edited) = ("1 | /1 | First | 10:00 | <p>Text</p>", "1 | /1 | First | 10:00 | <p>Text, edited</p>");
    let poll = take_in(&feed, fresh_state(&feed, start()), parsed(&[first]), &url, start());
    let mut state = poll.state;
    for (item, article) in state.items.iter_mut().zip(&poll.articles) {
        assert_ne!(item.content_hash, article.content_hash);
        item.content_hash.clone_from(&article.content_hash);
        item.raw = None;
    }
    let again = take_in(&feed, state, parsed(&[first]), &url, start());
    assert_eq!(again.outcome, Outcome::Read { new: 0, revised: 0, unchanged: 1 });
    let again = take_in(&feed, again.state, parsed(&[edited]), &url, start());
    assert_eq!(again.outcome, Outcome::Read { new: 0, revised: 1, unchanged: 0 });
}

#[test]
fn dates_that_cannot_be_are_no_dates() {
    let feed = Feed::new("https://example.org/feed", FeedOrigin::User);
    let url = Url::parse(&feed.url).unwrap();
    let items =
        ["1 | - | soon | 2 11:00", "2 | - | later | 2 13:00", "3 | - | old | 1970-01-01", "4 | - | none | yesterday"];
    let document = document("rss", &items.map(Item::new), start());
    let parsed = parse_feed(document.as_bytes(), None, Some(&url)).unwrap();
    let poll = take_in(&feed, fresh_state(&feed, start()), parsed, &url, start());
    let dates: Vec<_> =
        poll.articles.iter().map(|article| (article.title.as_str(), article.published.is_some())).collect();
    assert_eq!(dates, [("none", false), ("old", false), ("later", false), ("soon", true)]);
    // What the feed says is kept, whether it is believed or not.
    let raw: Vec<_> = poll.articles.iter().filter_map(|article| article.published_raw.as_deref()).collect();
    let said = ["2026-03-02T11:00:00Z", "2026-03-02T13:00:00Z", "1970-01-01", "yesterday"];
    assert_eq!(raw, said.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(
        poll.state.warnings,
        [
            "a date that cannot be read, such as `yesterday` (item 4)",
            "2 dates lie in the future or before 1995 and are not used"
        ]
    );
}
