//! A scripted site on a real socket: discovery of its feeds, a feed's own headers, the pages of its articles.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use chipwire_events::{ArticlePages, Feed, FeedHeader, FeedOrigin, Timestamp};
use chipwire_feeds::{Discovered, FetchConfig, Fetcher, discover, pages, pages::Pages, poll};
use expect_test::{Expect, expect};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use url::Url;

/// What the site answers, by path; what is not there is a 404.
type Script = BTreeMap<&'static str, String>;

struct Site {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Site {
    async fn start(script: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let script: Arc<Script> = Arc::new(script.into_iter().collect());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = socket.read_u8().await else { return };
                        head.push(byte);
                    }
                    let head = String::from_utf8(head).unwrap();
                    let path = head.split(' ').nth(1).unwrap().to_owned();
                    seen.lock().unwrap().push(head);
                    let missing = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned();
                    let reply = script.get(path.as_str()).unwrap_or(&missing);
                    // A client that hangs up is no fault of this side.
                    let _ = socket.write_all(reply.as_bytes()).await;
                    let _ = socket.shutdown().await;
                });
            }
        });
        Self { address, heads }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// The paths that were asked for, in order.
    fn paths(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap();
        heads.iter().map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect()
    }

    fn head_of(&self, path: &str) -> String {
        let heads = self.heads.lock().unwrap();
        heads.iter().find(|head| head.split(' ').nth(1) == Some(path)).unwrap().to_lowercase()
    }
}

fn fetcher(sites: &[&Site], change: impl FnOnce(&mut FetchConfig)) -> Fetcher {
    let mut config = FetchConfig {
        allow_private_hosts: sites.iter().map(|site| site.address.to_string()).collect(),
        host_spacing_ms: 0,
        ..FetchConfig::default()
    };
    change(&mut config);
    Fetcher::new(config).unwrap()
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn answer(kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn page(body: &str) -> String {
    answer("text/html; charset=utf-8", &format!("<!doctype html><html><head><title>A site</title></head>{body}</html>"))
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// A feed with items of the given number, title, link and summary.
fn rss(title: &str, items: &[(&str, &str, &str)]) -> String {
    let mut out = format!("<rss version='2.0'><channel><title>{title}</title>");
    for (title, link, summary) in items {
        write!(
            out,
            "<item><title>{title}</title><link>{link}</link><guid>{title}</guid><description>{summary}</description>\
             <pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate></item>"
        )
        .unwrap();
    }
    answer("application/rss+xml", &(out + "</channel></rss>"))
}

async fn check(script: Vec<(&'static str, String)>, path: &str, expected: Expect) {
    let site = Site::start(script).await;
    let mut looked = 0;
    let found = discover(&fetcher(&[&site], |_| {}), &site.url(path), &[], now(), |_| looked += 1).await;
    let shown = match found {
        Ok(Discovered::Feed(feed)) => format!("a feed: {} {:?} {}", feed.url.path(), feed.title, feed.entries),
        Ok(Discovered::Behind(feeds)) => {
            feeds.iter().map(|feed| format!("{} {:?} {}\n", feed.url.path(), feed.title, feed.entries)).collect()
        }
        Err(error) => format!("{error} (may pass: {})", error.may_pass()).replace(&site.address.to_string(), "site"),
    };
    assert_eq!(looked, site.paths().len());
    expected.assert_eq(&format!("{shown}\nasked: {}", site.paths().join(" ")));
}

const ITEM: (&str, &str, &str) = ("One", "https://example.org/1", "x");

#[tokio::test]
async fn a_feed_is_found_at_its_own_address() {
    check(
        vec![("/feed", rss("F", &[ITEM]))],
        "/feed",
        expect![[r#"
        a feed: /feed Some("F") 1
        asked: /feed"#]],
    )
    .await;
}

#[tokio::test]
async fn the_feeds_that_a_page_names_are_found() {
    let links = "<link rel=alternate type=application/rss+xml href=/a.xml><link rel=alternate type='application/atom+xml' \
        href='/gone.xml'><link rel=alternate type=application/rss+xml href=/b.xml><a href=/c/feed>more</a>";
    let two = ("Two", "https://example.org/2", "y");
    check(
        vec![
            ("/", page(links)),
            ("/a.xml", rss("A", &[ITEM])),
            ("/b.xml", rss("B", &[ITEM, two])),
            ("/c/feed", rss("C", &[])),
        ],
        "/",
        expect![[r#"
            /a.xml Some("A") 1
            /b.xml Some("B") 2

            asked: / /a.xml /gone.xml /b.xml"#]],
    )
    .await;
}

#[tokio::test]
async fn the_same_feed_in_two_formats_counts_once() {
    let links = "<link rel=alternate type=application/rss+xml href=/a.xml><link rel=alternate type='application/atom+xml' \
        href='/b.xml'>";
    check(
        vec![("/", page(links)), ("/a.xml", rss("A", &[ITEM])), ("/b.xml", rss("A", &[ITEM]))],
        "/",
        expect![[r#"
            /a.xml Some("A") 1

            asked: / /a.xml /b.xml"#]],
    )
    .await;
}

#[tokio::test]
async fn links_that_look_like_feeds_are_tried_next() {
    check(
        vec![
            ("/blog", page("<a href='/about'>x</a><a href='/blog/index.xml'>RSS</a>")),
            ("/blog/index.xml", rss("A", &[ITEM])),
        ],
        "/blog",
        expect![[r#"
            /blog/index.xml Some("A") 1

            asked: /blog /blog/index.xml"#]],
    )
    .await;
}

#[tokio::test]
async fn the_common_places_are_tried_last() {
    check(
        vec![("/", page("<p>x")), ("/feed.xml", rss("A", &[ITEM]))],
        "/",
        expect![[r#"
        /feed.xml Some("A") 1

        asked: / /feed /rss.xml /feed.xml"#]],
    )
    .await;
}

#[tokio::test]
async fn what_has_no_feed_says_so() {
    check(
        vec![("/", page("<p>x"))],
        "/",
        expect![[r#"
        there is no feed at `http://site/` and none was found behind it (may pass: false)
        asked: / /feed /rss.xml /feed.xml /atom.xml /rss /index.xml /feed.json"#]],
    )
    .await;
    check(
        vec![],
        "/gone",
        expect![[r#"
        `http://site/gone` answers with status 404 (may pass: false)
        asked: /gone"#]],
    )
    .await;
    check(
        vec![("/", answer("text/plain", "hello"))],
        "/",
        expect![[r#"
        there is no feed at `http://site/` and none was found behind it (may pass: false)
        asked: /"#]],
    )
    .await;
    let busy = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned();
    check(
        vec![("/", busy)],
        "/",
        expect![[r#"
        `http://site/` answers with status 503 (may pass: true)
        asked: /"#]],
    )
    .await;
}

#[tokio::test]
async fn headers_go_to_the_feeds_own_origin_only() {
    let other = Site::start([("/there", rss("F", &[ITEM]))]).await;
    let own = Site::start([("/feed", redirect(other.url("/there").as_str())), ("/near", redirect("/feed"))]).await;
    let fetcher = fetcher(&[&own, &other], |_| {});
    let feed = Feed {
        headers: vec![FeedHeader { name: "X-Key".to_owned(), value: "hush".to_owned() }],
        ..Feed::new(own.url("/near"), FeedOrigin::User)
    };
    let polled = poll(&fetcher, &feed, None, now()).await;
    assert_eq!(polled.articles.len(), 1, "{:?}", polled.state.error);
    assert!(own.head_of("/near").contains("x-key: hush"), "{}", own.head_of("/near"));
    assert!(own.head_of("/feed").contains("x-key: hush"), "{}", own.head_of("/feed"));
    assert!(!other.head_of("/there").contains("hush"), "{}", other.head_of("/there"));
    assert!(!format!("{polled:?}").contains("hush"), "{polled:?}");

    // A feed whose state has moved to another origin takes its headers along nowhere.
    let mut state = polled.state.clone();
    state.url = other.url("/there").into();
    let polled = poll(&fetcher, &feed, Some(state.clone()), now()).await;
    assert_eq!(polled.state.error, None);
    assert!(other.heads.lock().unwrap().iter().all(|head| !head.contains("hush")));
}

#[tokio::test]
async fn a_header_whose_variable_is_missing_is_an_error_without_its_value() {
    let site = Site::start([("/feed", rss("F", &[ITEM]))]).await;
    let feed = Feed {
        headers: vec![FeedHeader { name: "X-Key".to_owned(), value: "hush ${CHIPWIRE_TEST_NOT_SET}".to_owned() }],
        ..Feed::new(site.url("/feed"), FeedOrigin::User)
    };
    let polled = poll(&fetcher(&[&site], |_| {}), &feed, None, now()).await;
    let error = polled.state.error.unwrap();
    assert_eq!(error.class, "header");
    assert!(error.message.contains("CHIPWIRE_TEST_NOT_SET") && !error.message.contains("hush"), "{}", error.message);
    assert_eq!(site.paths(), [""; 0]);
}

/// A page with an article about `what`.
fn article(what: &str) -> String {
    let paragraphs: String = (1..=6)
        .map(|number| {
            format!(
                "<p>Paragraph {number} of the article about {what} has a sentence of its own, with a comma in it, and says \
                 more than the feed does, as articles do when they are read as a whole and not in parts.</p>"
            )
        })
        .collect();
    page(&format!("<body><nav><a href='/'>Home</a></nav><article><h1>{what}</h1>{paragraphs}</article></body>"))
}

async fn site_with_articles() -> (Site, String) {
    let site = Site::start([
        ("/1", article("Lathes")),
        ("/2", article("Mills")),
        ("/wall", page("<body><h1>Consent</h1><p>Before you go on to this site, please accept our terms. We and our partners use \
            what you do here to show you more of it, and you can change your mind at any time in the settings.</p></body>")),
        ("/private/3", article("Drills")),
        ("/robots.txt", answer("text/plain", "User-agent: *\nDisallow: /private/\n")),
    ])
    .await;
    let base = format!("http://{}", site.address);
    (site, base)
}

/// Polls a feed whose items point to the site's articles, completes them, and says what became of each.
async fn completed(
    feed: Feed,
    items: &[(&str, &str, &str)],
    change: impl FnOnce(&mut FetchConfig),
) -> (Pages, String, Vec<String>) {
    let (site, base) = site_with_articles().await;
    let items: Vec<(String, String, String)> = items
        .iter()
        .map(|(title, path, text)| (title.to_string(), format!("{base}{path}"), text.to_string()))
        .collect();
    let items: Vec<(&str, &str, &str)> =
        items.iter().map(|(title, link, text)| (title.as_str(), link.as_str(), text.as_str())).collect();
    let origin = Site::start([("/feed", rss("F", &items))]).await;
    let fetcher = fetcher(&[&site, &origin], change);
    let feed = Feed { article_pages: feed.article_pages, ..Feed::new(origin.url("/feed"), FeedOrigin::User) };
    let mut polled = poll(&fetcher, &feed, None, now()).await;
    let before: Vec<String> = polled.articles.iter().map(|article| article.content_hash.clone()).collect();
    let pages = pages::complete(&fetcher, &feed, &mut polled, now()).await;
    let after: Vec<String> = polled.articles.iter().map(|article| article.content_hash.clone()).collect();
    assert_eq!(before, after);
    let mut lines: Vec<String> = polled
        .articles
        .iter()
        .map(|article| {
            let body: String = article.body.chars().take(30).collect();
            format!("{}: {:?} {body} ({})", article.title, article.markup, article.body.matches("Paragraph").count())
        })
        .collect();
    lines.sort();
    // The same poll again: nothing is new, and so no page is asked for.
    let asked = site.paths();
    let mut again = poll(&fetcher, &feed, Some(polled.state.clone()), now()).await;
    assert_eq!(again.articles.len(), 0);
    pages::complete(&fetcher, &feed, &mut again, now()).await;
    assert_eq!(site.paths(), asked);
    (pages, lines.join("\n"), asked)
}

fn feed(pages: Option<ArticlePages>) -> Feed {
    Feed { article_pages: pages, ..Feed::new("https://example.org/", FeedOrigin::User) }
}

#[tokio::test]
async fn short_summaries_are_completed_from_their_pages() {
    let long = "A summary that says all. ".repeat(60);
    let items = [
        ("Lathes", "/1", "What is new about lathes."),
        ("Mills", "/2", long.as_str()),
        ("Drills", "/private/3", "Short."),
        ("Presses", "/wall", "Short, too."),
        ("Saws", "/404", "Short as well."),
    ];
    let (pages, lines, asked) = completed(feed(None), &items, |_| {}).await;
    expect![[r#"
        Drills: Plain Short. (0)
        Lathes: Plain What is new about lathes.

        Par (6)
        Mills: Plain A summary that says all. A sum (0)
        Presses: Plain Short, too. (0)
        Saws: Plain Short as well. (0)"#]]
    .assert_eq(&lines);
    assert_eq!(pages, Pages { read: 1, failed: 3, skipped: 0 });
    // What robots.txt keeps to itself is not asked for.
    assert!(!asked.iter().any(|path| path == "/private/3"), "{asked:?}");
}

#[tokio::test]
async fn the_setting_of_the_feed_wins() {
    let items = [("Lathes", "/1", "Short.")];
    let never =
        completed(feed(Some(ArticlePages::Never)), &items, |config| config.article_pages = ArticlePages::Always).await;
    assert_eq!((never.0, never.2), (Pages::default(), vec![]));
    let long = "A summary that says all. ".repeat(30);
    let items = [("Lathes", "/1", long.as_str())];
    let always =
        completed(feed(Some(ArticlePages::Always)), &items, |config| config.article_pages = ArticlePages::Never).await;
    assert_eq!(always.0, Pages { read: 1, failed: 0, skipped: 0 });
}

#[tokio::test]
async fn pages_are_limited_in_number() {
    let items = [("Lathes", "/1", "Short."), ("Mills", "/2", "Short.")];
    let (pages, lines, _) = completed(feed(None), &items, |config| config.max_pages_per_poll = 1).await;
    assert_eq!(pages, Pages { read: 1, failed: 0, skipped: 1 }, "{lines}");
}

#[tokio::test]
async fn a_site_that_is_down_is_asked_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = listener.local_addr().unwrap();
    drop(listener);
    let links = [format!("http://{gone}/1"), format!("http://{gone}/2")];
    let origin = Site::start([("/feed", rss("F", &[("A", &links[0], "x"), ("B", &links[1], "y")]))]).await;
    let fetcher = fetcher(&[&origin], |config| config.allow_private_hosts.push(gone.to_string()));
    let feed = Feed::new(origin.url("/feed"), FeedOrigin::User);
    let mut polled = poll(&fetcher, &feed, None, now()).await;
    let pages = pages::complete(&fetcher, &feed, &mut polled, now()).await;
    assert_eq!(pages, Pages { read: 0, failed: 1, skipped: 1 });
    assert!(polled.articles.iter().all(|article| ["x", "y"].contains(&article.body.as_str())));
}
