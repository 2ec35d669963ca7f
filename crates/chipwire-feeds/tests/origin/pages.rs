use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use chipwire_events::{FeedState, Timestamp};
use chipwire_feeds::{FetchError, Fetcher, Outcome, pages, poll};
use expect_test::expect;

use crate::support::{Origin, Reply, answer, later, now, redirect};

const RULES: &[u8] = b"User-agent: chipwire\nDisallow: /private\nAllow: /private/but\n\nUser-agent: *\nDisallow: /";

async fn ask(fetcher: &Fetcher, origin: &Origin, path: &str, hours: i64) -> String {
    match fetcher.page(&origin.url(path), later(hours)).await {
        Ok(fetched) => format!("{} {}", fetched.status, String::from_utf8(fetched.body).unwrap()),
        Err(error) => error.class().to_owned() + ": " + &error.to_string(),
    }
}

#[tokio::test]
async fn the_rules_of_a_site_are_read_once_a_day_and_followed() {
    let origin = Origin::start(|path, _, _| match path {
        "/robots.txt" => answer("200 OK", "content-type: text/plain\r\n", RULES),
        "/moved" => redirect("302 Found", "/private/x"),
        _ => answer("200 OK", "content-type: text/html\r\n", path.as_bytes()),
    })
    .await;
    let fetcher = origin.fetcher(|_| {});
    assert_eq!(ask(&fetcher, &origin, "/open", 0).await, "200 /open");
    let request = origin.last_request();
    assert!(request.contains("accept: text/html, application/xhtml+xml;q=0.9, */*;q=0.1\r\n"), "{request}");
    assert!(request.contains("user-agent: chipwire/"), "{request}");
    let refused = "robots: the robots.txt of `127.0.0.1` does not allow to fetch this page";
    assert_eq!(ask(&fetcher, &origin, "/private/x", 1).await, refused);
    assert_eq!(ask(&fetcher, &origin, "/private/but?not", 1).await, "200 /private/but?not");
    assert_eq!(ask(&fetcher, &origin, "/moved", 23).await, refused, "rules hold on every hop");
    assert_eq!(origin.paths(), ["/robots.txt", "/open", "/private/but?not", "/moved"]);
    assert_eq!(ask(&fetcher, &origin, "/open", 25).await, "200 /open");
    assert_eq!(origin.paths()[4..], ["/robots.txt", "/open"]);
}

#[tokio::test]
async fn many_pages_ask_for_the_rules_once() {
    let origin = Origin::start(|path, _, _| match path {
        "/robots.txt" => answer("200 OK", "", RULES),
        _ => answer("200 OK", "", b"page"),
    })
    .await;
    let fetcher = Arc::new(origin.fetcher(|_| {}));
    let pages: Vec<_> = (0..10)
        .map(|number| {
            let (fetcher, url) = (Arc::clone(&fetcher), origin.url(&format!("/{number}")));
            tokio::spawn(async move { fetcher.page(&url, now()).await.map(|fetched| fetched.status) })
        })
        .collect();
    for page in pages {
        assert_eq!(page.await.unwrap().unwrap(), 200);
    }
    assert_eq!(origin.paths().iter().filter(|path| *path == "/robots.txt").count(), 1);
    assert_eq!(origin.most_at_once.load(Ordering::SeqCst), 1, "pages are asked for as politely as feeds");
}

#[tokio::test]
async fn rules_that_cannot_be_read_forbid_and_those_that_are_not_there_allow() {
    for (reply, expected) in [
        ("404", "200 page"),
        ("403", "200 page"),
        ("loop", "200 page"),
        ("redirect", "robots: the robots.txt of `127.0.0.1` does not allow to fetch this page"),
        ("500", "robots: the robots.txt of `127.0.0.1` cannot be read just now, and without it no page is fetched"),
        ("503", "robots: the robots.txt of `127.0.0.1` cannot be read just now, and without it no page is fetched"),
        ("429", "robots: the robots.txt of `127.0.0.1` cannot be read just now, and without it no page is fetched"),
        ("gone", "robots: the robots.txt of `127.0.0.1` cannot be read just now, and without it no page is fetched"),
        ("long", "200 page"),
    ] {
        let origin = Origin::start(move |path, _, _| match (path, reply) {
            ("/robots.txt", "loop") => redirect("301 Moved", "/robots.txt"),
            ("/robots.txt", "redirect") => redirect("301 Moved", "/other.txt"),
            ("/other.txt", _) => answer("200 OK", "", b"User-agent: *\nDisallow: /"),
            ("/robots.txt", "gone") => Reply::Bytes(Vec::new()),
            // What follows the first 512 KiB is not read.
            ("/robots.txt", "long") => {
                let comment = format!("#{}\n", "x".repeat(99)).repeat(6_000);
                answer("200 OK", "", (comment + "User-agent: *\nDisallow: /").as_bytes())
            }
            ("/robots.txt", status) => answer(&format!("{status} Status"), "", b"User-agent: *\nDisallow: /"),
            _ => answer("200 OK", "", b"page"),
        })
        .await;
        let fetcher = origin.fetcher(|_| {});
        assert_eq!(ask(&fetcher, &origin, "/a", 0).await, expected, "{reply}");
    }
}

#[tokio::test]
async fn unreadable_rules_are_asked_for_again_soon() {
    let origin = Origin::start(|path, number, _| match (path, number) {
        ("/robots.txt", 0) => answer("500 Internal Server Error", "", b""),
        ("/robots.txt", _) => answer("404 Not Found", "", b""),
        _ => answer("200 OK", "", b"page"),
    })
    .await;
    let fetcher = origin.fetcher(|_| {});
    let error = fetcher.page(&origin.url("/a"), now()).await.unwrap_err();
    assert!(matches!(error, FetchError::NoRobots { .. }));
    assert!(fetcher.page(&origin.url("/a"), now()).await.is_err());
    assert_eq!(origin.paths(), ["/robots.txt"], "not at once");
    assert_eq!(ask(&fetcher, &origin, "/a", 1).await, "200 page");
}

#[tokio::test]
async fn a_private_page_is_refused_before_its_rules_are_asked_for() {
    let origin = Origin::start(|_, _, _| answer("200 OK", "", b"secret")).await;
    let fetcher = origin.fetcher(|config| config.allow_private_hosts.clear());
    let error = fetcher.page(&origin.url("/"), now()).await.unwrap_err();
    assert_eq!(error.class(), "private_address");
    assert_eq!(origin.connections.load(Ordering::SeqCst), 0);
}

/// Titles of items and their summaries, the newest first.
type Items = Arc<Mutex<Vec<(String, String)>>>;

/// A site with a feed of short summaries and a page for each item.
struct Press {
    origin: Origin,
    items: Items,
    /// The status that pages are answered with.
    status: Arc<AtomicUsize>,
    state: Option<FeedState>,
}

impl Press {
    async fn start(items: &[(&str, &str)]) -> Self {
        let items = items.iter().map(|(title, summary)| (title.to_string(), summary.to_string())).collect();
        let (items, status) = (Arc::new(Mutex::new(items)), Arc::new(AtomicUsize::new(200)));
        let (listed, answers): (Items, _) = (Arc::clone(&items), Arc::clone(&status));
        let origin = Origin::start(move |path, _, request| match path {
            "/robots.txt" => answer("404 Not Found", "", b""),
            "/feed" => {
                let mut out = "<rss version='2.0'><channel><title>Press</title>".to_owned();
                for (title, summary) in &*listed.lock().unwrap() {
                    let id = title.split(' ').next().unwrap();
                    write!(out, "<item><guid>{id}</guid><title>{title}</title><link>/{id}</link>").unwrap();
                    write!(out, "<description>{summary}</description></item>").unwrap();
                }
                let etag = format!("etag: \"{}\"\r\n", out.len());
                match request.contains(&format!("if-none-match: \"{}\"", out.len())) {
                    true => answer("304 Not Modified", "", b""),
                    false => answer("200 OK", &etag, (out + "</channel></rss>").as_bytes()),
                }
            }
            _ => {
                let sentence = format!(
                    "<p>Another sentence of the article about {} is here, longer than the feed's, with a comma.</p>",
                    path.trim_start_matches('/')
                );
                let page = format!("<html><body><article>{}</article></body></html>", sentence.repeat(9));
                let status = answers.load(Ordering::SeqCst);
                answer(&format!("{status} Status"), "content-type: text/html\r\n", page.as_bytes())
            }
        })
        .await;
        Self { origin, items, status, state: None }
    }

    fn answers(&self, status: usize) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn says(&self, item: usize, title: &str, summary: &str) {
        self.items.lock().unwrap()[item] = (title.to_owned(), summary.to_owned());
    }

    /// Polls as the stage does; gives what came of it, and of each article revision, title and kind of text.
    async fn poll(&mut self, time: Timestamp) -> String {
        // No host is down for longer than a poll.
        let fetcher = self.origin.fetcher(|config| config.max_pages_per_poll = 3);
        let feed = self.origin.feed("/feed");
        // As it comes back after a restart.
        let state = self.state.take().map(|state| {
            let items = serde_json::from_str(&serde_json::to_string(&state.items).unwrap()).unwrap();
            FeedState { items, ..serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap() }
        });
        let mut polled = poll(&fetcher, &feed, state, time).await;
        pages::complete(&fetcher, &feed, &mut polled, time).await;
        let mut line = match polled.outcome {
            Outcome::Read { new, revised, unchanged } => format!("{new} new {revised} revised {unchanged} unchanged:"),
            other => other.to_string(),
        };
        for article in &polled.articles {
            let text = if article.body.contains("Another sentence") { "page" } else { "summary" };
            write!(line, " {} {} ({text})", article.revision, article.title).unwrap();
        }
        self.state = Some(polled.state);
        line
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_had_is_asked_for_again_and_makes_a_revision() {
    let mut press = Press::start(&[("Lathes", "Short.")]).await;
    press.answers(503);
    let mut lines = vec![press.poll(now()).await];
    // Not before its time; and the feed, as long as it does not change, is not asked for as a whole more than once a day.
    lines.push(press.poll(now() + jiff_minutes(20)).await);
    lines.push(press.poll(later(1)).await);
    lines.push(press.poll(later(24)).await);
    press.answers(200);
    lines.push(press.poll(later(26)).await);
    lines.push(press.poll(later(48)).await);
    lines.push(press.poll(later(49)).await);
    press.says(0, "Lathes of today", "Short, too.");
    lines.push(press.poll(later(50)).await);
    expect![[r#"
        1 new 0 revised 0 unchanged: 1 Lathes (summary)
        not_modified
        not_modified
        0 new 0 revised 1 unchanged:
        not_modified
        0 new 0 revised 1 unchanged: 2 Lathes (page)
        not_modified
        0 new 1 revised 0 unchanged: 3 Lathes of today (page)"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn a_page_is_not_asked_for_for_ever() {
    let mut press = Press::start(&[("Lathes", "Short."), ("Mills", "Short.")]).await;
    press.answers(503);
    for hours in 0..100 {
        press.poll(later(hours)).await;
    }
    let asked = |path: &str| press.origin.paths().iter().filter(|asked| *asked == path).count();
    assert_eq!((asked("/Lathes"), asked("/Mills")), (4, 4));
    // One that is not there is not asked for again at all.
    let mut press = Press::start(&[("Lathes", "Short.")]).await;
    press.answers(404);
    for hours in 0..10 {
        press.poll(later(hours)).await;
    }
    assert_eq!(press.origin.paths().iter().filter(|asked| *asked == "/Lathes").count(), 1);
}

#[tokio::test]
async fn pages_beyond_the_limit_have_their_turn_after_the_next_polls() {
    let titles: Vec<String> = (0..8).map(|number| format!("Item{number}")).collect();
    let items: Vec<(&str, &str)> = titles.iter().map(|title| (title.as_str(), "Short.")).collect();
    let mut press = Press::start(&items).await;
    let mut lines = Vec::new();
    for days in 0..4 {
        lines.push(press.poll(later(24 * days)).await);
    }
    expect![[r#"
        8 new 0 revised 0 unchanged: 1 Item7 (summary) 1 Item6 (summary) 1 Item5 (summary) 1 Item4 (summary) 1 Item3 (summary) 1 Item2 (page) 1 Item1 (page) 1 Item0 (page)
        0 new 0 revised 8 unchanged: 2 Item5 (page) 2 Item4 (page) 2 Item3 (page)
        0 new 0 revised 8 unchanged: 2 Item7 (page) 2 Item6 (page)
        not_modified"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn an_edit_does_not_lose_the_text_of_the_page() {
    let mut press = Press::start(&[("Lathes", "Short.")]).await;
    let mut lines = vec![press.poll(now()).await];
    press.says(0, "Lathes", "Short, and corrected.");
    press.answers(503);
    lines.push(press.poll(later(1)).await);
    lines.push(press.poll(later(2)).await);
    press.answers(200);
    lines.push(press.poll(later(25)).await);
    lines.push(press.poll(later(26)).await);
    // One whose page cannot be had at all is published after the last try; one that is taken back never was.
    press.answers(503);
    press.says(0, "Lathes", "Short again, and wrong.");
    lines.push(press.poll(later(27)).await);
    press.says(0, "Lathes", "Short, and corrected.");
    lines.push(press.poll(later(28)).await);
    press.says(0, "Lathes", "Short, and corrected once more.");
    for hours in [30, 54, 78, 102] {
        lines.push(press.poll(later(hours)).await);
    }
    expect![[r#"
        1 new 0 revised 0 unchanged: 1 Lathes (page)
        0 new 0 revised 1 unchanged:
        not_modified
        0 new 1 revised 0 unchanged: 2 Lathes (page)
        not_modified
        0 new 0 revised 1 unchanged:
        0 new 0 revised 1 unchanged:
        0 new 0 revised 1 unchanged:
        0 new 0 revised 1 unchanged:
        0 new 0 revised 1 unchanged:
        0 new 1 revised 0 unchanged: 3 Lathes (summary)"#]]
    .assert_eq(&lines.join("\n"));
}

fn jiff_minutes(minutes: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_mins(minutes)
}

#[tokio::test]
async fn rules_are_those_of_the_name_that_is_sent() {
    let rules = b"User-agent: acmebot\nDisallow: /acme\n\nUser-agent: chipwire\nDisallow: /chip";
    let origin = Origin::start(move |path, _, _| match path {
        "/robots.txt" => answer("200 OK", "", rules),
        _ => answer("200 OK", "", b"page"),
    })
    .await;
    let refused = "robots: the robots.txt of `127.0.0.1` does not allow to fetch this page";
    for (agent, closed, open) in [(None, "/chip", "/acme"), (Some("AcmeBot/2.0 (news)"), "/acme", "/chip")] {
        let fetcher = origin.fetcher(|config| config.user_agent = agent.map(str::to_owned));
        assert_eq!(ask(&fetcher, &origin, closed, 0).await, refused, "{agent:?}");
        assert_eq!(ask(&fetcher, &origin, open, 0).await, "200 page", "{agent:?}");
    }
}
