use std::sync::{Arc, atomic::Ordering};

use chipwire_feeds::{FetchError, Fetcher};

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
