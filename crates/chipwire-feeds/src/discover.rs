//! The feeds behind an address: the address itself, what its page links to, and where sites commonly keep them.

use std::collections::HashSet;

use chipwire_events::{FeedHeader, Timestamp};
use url::Url;

use crate::{
    error::{DiscoverError, FetchError, ParseError},
    fetch::{Fetched, Fetcher, Request},
    own_headers::is_same_origin,
    parse::{ParsedFeed, parse_feed},
    repair::{
        Repairs, decode,
        scan::{Scanner, Token, attributes},
    },
    text,
};

/// Candidates that are fetched for one address, the page itself not counted.
const MAX_CANDIDATES: usize = 10;

/// Media types of feeds.
const FEED_TYPES: &[&str] = &[
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "application/x-rss+xml",
    "text/rss+xml",
    "text/atom+xml",
];

/// Media types that feeds are served with and other things too.
const VAGUE_TYPES: &[&str] = &["text/xml", "application/xml", "application/json", ""];

/// Where sites keep their feed, the commonest first: from the root of the host, or from the folder of the page.
const COMMON_PLACES: &[&str] = &["feed", "rss.xml", "feed.xml", "atom.xml", "rss", "index.xml", "feed.json"];

/// A feed that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub url: Url,
    /// Its own title.
    pub title: Option<String>,
    /// How many entries it has now.
    pub entries: usize,
    /// The time of the newest entry that has one.
    pub newest: Option<Timestamp>,
}

impl Found {
    fn new(url: Url, feed: &ParsedFeed) -> Self {
        let newest = feed.entries.iter().filter_map(|entry| entry.published.or(entry.updated)).max();
        Self { url, title: feed.title.clone(), entries: feed.entries.len(), newest }
    }
}

/// What is behind an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovered {
    /// It is a feed.
    Feed(Found),
    /// It is the page of a site that has these feeds, at least one, the likeliest first.
    Behind(Vec<Found>),
}

/// Looks what feeds are behind `url`. `headers` are sent to its origin, `looking` is told each address before it is asked for.
///
/// Asks for the address, then for what its page names as feeds, and only when that gives nothing for the common places, one
/// after the other and no more of them once one is found.
pub async fn discover(
    fetcher: &Fetcher,
    url: &Url,
    headers: &[FeedHeader],
    now: Timestamp,
    mut looking: impl FnMut(&Url),
) -> Result<Discovered, DiscoverError> {
    looking(url);
    let fetched = fetch(fetcher, url, headers, now).await?;
    if fetched.challenge {
        return Err(DiscoverError::NoFeed { url: url.to_string(), source: ParseError::Challenge });
    }
    if !(200..=299).contains(&fetched.status) {
        return Err(DiscoverError::Status { url: url.to_string(), status: fetched.status });
    }
    let error = match parse(&fetched) {
        Ok(feed) => {
            // Where every redirect was permanent, the new address is the feed's; else the old one stays valid.
            let address = fetched.moved.clone().unwrap_or_else(|| url.clone());
            return Ok(Discovered::Feed(Found::new(address, &feed)));
        }
        Err(error) => error,
    };
    if !matches!(error, ParseError::Html { .. }) {
        return Err(DiscoverError::NoFeed { url: url.to_string(), source: error });
    }
    let page = decode::decode(&fetched.body, fetched.content_type.as_deref(), &mut Repairs::default());
    let asked = HashSet::from([url.to_string(), fetched.url.to_string()]);
    let mut look = Look { fetcher, own: url, headers, now, asked };
    let mut found = Vec::new();
    let linked = links(&page, &fetched.url);
    for named in [linked.named, linked.guessed] {
        for candidate in named {
            found.extend(look.at(candidate, &mut looking).await);
        }
        if !found.is_empty() {
            return Ok(Discovered::Behind(distinct(found)));
        }
    }
    for candidate in common_places(&fetched.url) {
        if let Some(feed) = look.at(candidate, &mut looking).await {
            return Ok(Discovered::Behind(vec![feed]));
        }
    }
    Err(DiscoverError::NoFeed { url: url.to_string(), source: error })
}

async fn fetch(fetcher: &Fetcher, url: &Url, headers: &[FeedHeader], now: Timestamp) -> Result<Fetched, FetchError> {
    fetcher.get(Request { url, etag: None, last_modified: None, headers }, now).await
}

fn parse(fetched: &Fetched) -> Result<ParsedFeed, ParseError> {
    parse_feed(&fetched.body, fetched.content_type.as_deref(), Some(&fetched.url))
}

/// Looks at candidates, at none of them twice.
struct Look<'a> {
    fetcher: &'a Fetcher,
    /// The address whose origin the headers are for.
    own: &'a Url,
    headers: &'a [FeedHeader],
    now: Timestamp,
    asked: HashSet<String>,
}

impl Look<'_> {
    /// Asks for a candidate. What is wrong with it is no error: it is only a guess.
    async fn at(&mut self, candidate: Url, looking: &mut impl FnMut(&Url)) -> Option<Found> {
        if !self.asked.insert(candidate.to_string()) {
            return None;
        }
        looking(&candidate);
        let headers = if is_same_origin(self.own, &candidate) { self.headers } else { &[] };
        let fetched = fetch(self.fetcher, &candidate, headers, self.now).await.ok()?;
        if !(200..=299).contains(&fetched.status) {
            return None;
        }
        let feed = parse(&fetched).ok()?;
        // Two addresses may lead to the same feed.
        if candidate != fetched.url && !self.asked.insert(fetched.url.to_string()) {
            return None;
        }
        Some(Found::new(fetched.moved.unwrap_or(candidate), &feed))
    }
}

/// Many sites offer the same feed as RSS and as Atom: those of one title with equally many entries come once.
fn distinct(found: Vec<Found>) -> Vec<Found> {
    let mut seen = HashSet::new();
    let same = |feed: &Found| (feed.title.clone().unwrap_or_default(), feed.entries, feed.newest);
    found.into_iter().filter(|feed| feed.title.is_none() || feed.newest.is_none() || seen.insert(same(feed))).collect()
}

/// The addresses in a page that may be feeds.
#[derive(Debug, Default)]
struct Links {
    /// Named as feeds by the page: `<link rel="alternate">` and `rel="feed"`.
    named: Vec<Url>,
    /// Ordinary links that look like feeds.
    guessed: Vec<Url>,
}

fn links(page: &str, url: &Url) -> Links {
    let mut base = url.clone();
    let mut links = Links::default();
    for token in Scanner::new(page) {
        let Token::Start(tag) = token else { continue };
        let get = |wanted: &str| {
            let found = attributes(tag.attributes).find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| text::decode_entities(value).trim().to_owned()).unwrap_or_default()
        };
        let href = get("href");
        if href.is_empty() {
            continue;
        }
        // Addresses of the kind `feed://host/path`.
        let href = href.strip_prefix("feed://").map(|rest| format!("https://{rest}")).unwrap_or(href);
        let name = tag.name.to_ascii_lowercase();
        if name == "base" {
            base = text::web_url(&href, Some(url)).unwrap_or(base);
            continue;
        }
        let Some(target) = text::web_url(&href, Some(&base)) else { continue };
        let list = match name.as_str() {
            "link" if is_named(&get("rel"), &get("type")) => &mut links.named,
            "a" if is_feed_type(&get("type")) || looks_like_feed(&target) => &mut links.guessed,
            _ => continue,
        };
        if list.len() < MAX_CANDIDATES && !list.contains(&target) {
            list.push(target);
        }
    }
    // Feeds of comments, which WordPress names beside the articles, are rarely what is meant.
    for list in [&mut links.named, &mut links.guessed] {
        list.sort_by_key(|url| url.path().contains("comments"));
        if list.first().is_some_and(|first| !first.path().contains("comments")) {
            list.retain(|url| !url.path().contains("comments"));
        }
    }
    links
}

fn is_feed_type(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    FEED_TYPES.contains(&essence.as_str())
}

fn is_named(rel: &str, kind: &str) -> bool {
    let rel = rel.to_ascii_lowercase();
    let has = |wanted: &str| rel.split_whitespace().any(|rel| rel == wanted);
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // A `rel="alternate"` of another type is a page in another language, or for telephones.
    (has("feed") && (is_feed_type(kind) || VAGUE_TYPES.contains(&essence.as_str())))
        || (has("alternate") && (is_feed_type(kind) || matches!(essence.as_str(), "text/xml" | "application/xml")))
}

/// Whether the path of an ordinary link is that of a feed.
fn looks_like_feed(url: &Url) -> bool {
    let path = url.path().trim_end_matches('/').to_ascii_lowercase();
    let last = path.rsplit('/').next().unwrap_or_default();
    matches!(last, "feed" | "rss" | "atom" | "rss2" | "feed.json" | "index.rdf" | "index.xml" | "feed.xml")
        || ["rss", "atom", "rdf"].iter().any(|end| last.ends_with(&format!(".{end}")))
        || ((last.contains("rss") || last.contains("atom") || last.contains("feed")) && last.ends_with(".xml"))
        || url.query().is_some_and(|query| query.contains("feed=") || query.contains("format=feed"))
}

/// Where the feed of a page's site may be.
fn common_places(page: &Url) -> Vec<Url> {
    let root = page.join("/").ok();
    let mut folder = page.clone();
    folder.set_query(None);
    folder.set_fragment(None);
    // The folder of the page: `/blog` is meant as one, `/blog/post.html` is not.
    let last = folder.path().rsplit('/').next().unwrap_or_default();
    if !last.is_empty() && !last.contains('.') {
        folder.set_path(&format!("{}/", folder.path()));
    }
    let mut places = Vec::new();
    for base in [Some(folder), root].into_iter().flatten() {
        for place in COMMON_PLACES {
            places.extend(base.join(place).ok());
        }
    }
    let mut seen = HashSet::new();
    places.retain(|url| seen.insert(url.to_string()));
    places.truncate(MAX_CANDIDATES);
    places
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "as expect-test is used")]
    fn check(page: &str, expected: Expect) {
        let links = links(page, &Url::parse("https://example.org/news/today.html").unwrap());
        let list = |urls: &[Url]| urls.iter().map(|url| format!("\n  {url}")).collect::<String>();
        expected.assert_eq(&format!("named:{}\nguessed:{}", list(&links.named), list(&links.guessed)));
    }

    #[test]
    fn a_page_names_its_feeds() {
        check(
            "<!doctype html><HEAD><LINK REL='Alternate' TYPE='application/rss+xml; charset=utf-8' HREF='/feed?a&amp;b'>\
             <link rel=alternate type=application/atom+xml href=atom.xml>\
             <link rel='alternate' type='application/rss+xml' href='/comments/feed/'>\
             <link rel='alternate' hreflang='de' href='/de/'><link rel='alternate' type='text/html' href='/m'>\
             <link rel='feed' href='feed://feeds.example.org/x'><link rel=stylesheet href=rss.xml></head>\
             <a href='/about'>About</a> <a href='https://other.example/index.rdf'>RSS</a> <a href='/blog/feed/'>x</a>\
             <a href='/feedback'>y</a> <a href='mailto:rss@x.example'>z</a> <a href='/?feed=rss2'>w</a>",
            expect![[r#"
                named:
                  https://example.org/feed?a&b
                  https://example.org/news/atom.xml
                  https://feeds.example.org/x
                guessed:
                  https://other.example/index.rdf
                  https://example.org/blog/feed/
                  https://example.org/?feed=rss2"#]],
        );
    }

    #[test]
    fn a_base_moves_what_is_relative() {
        check(
            "<base href='https://cdn.example.org/x/'><link rel='alternate' type='application/feed+json' href='f.json'>",
            expect![[r#"
                named:
                  https://cdn.example.org/x/f.json
                guessed:"#]],
        );
    }

    #[test]
    fn common_places_are_looked_for_in_the_folder_first() {
        let places = |url: &str| {
            let places = common_places(&Url::parse(url).unwrap());
            places.iter().map(Url::as_str).collect::<Vec<_>>().join(" ")
        };
        expect!["https://example.org/feed https://example.org/rss.xml https://example.org/feed.xml https://example.org/atom.xml https://example.org/rss https://example.org/index.xml https://example.org/feed.json"].assert_eq(&places("https://example.org/"));
        expect!["https://example.org/blog/feed https://example.org/blog/rss.xml https://example.org/blog/feed.xml https://example.org/blog/atom.xml https://example.org/blog/rss https://example.org/blog/index.xml https://example.org/blog/feed.json https://example.org/feed https://example.org/rss.xml https://example.org/feed.xml"].assert_eq(&places("https://example.org/blog?x=1"));
    }
}
