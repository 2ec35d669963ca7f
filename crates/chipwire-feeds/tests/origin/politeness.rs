use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use chipwire_events::{Feed, FeedOrigin, FeedState};
use chipwire_feeds::{FetchError, Fetcher, Outcome, Request, poll};

use crate::support::{FEED, Origin, answer, later, names, now, redirect, summary};

#[tokio::test]
async fn one_request_at_a_time_and_a_pause_between() {
    let origin = Origin::start(|_, _, _| answer("200 OK", "", FEED.as_bytes())).await;
    let fetcher = Arc::new(origin.fetcher(|config| config.host_spacing_ms = 50));
    let start = Instant::now();
    let polls: Vec<_> = (0..5)
        .map(|number| {
            let (fetcher, feed) = (Arc::clone(&fetcher), origin.feed(&format!("/{number}")));
            tokio::spawn(async move { poll(&fetcher, &feed, None, now()).await })
        })
        .collect();
    for polled in polls {
        assert!(polled.await.unwrap().state.error.is_none());
    }
    assert_eq!(origin.most_at_once.load(Ordering::SeqCst), 1);
    assert!(start.elapsed() >= Duration::from_millis(200), "four pauses of 50 ms, not {:?}", start.elapsed());
}

#[tokio::test]
async fn hosts_of_one_domain_and_names_of_one_address_are_asked_in_turn() {
    let origin = Origin::start_on("0.0.0.0:0", |_, _, _| answer("200 OK", "", FEED.as_bytes())).await;
    let port = origin.address.port();
    for (what, hosts, pause_ms) in [
        ("domain", ["a.example.org", "b.example.org", "example.org"], [0, 50, 0]),
        ("address", ["one.example", "two.example", "three.example"], [0, 0, 50]),
    ] {
        origin.most_at_once.store(0, Ordering::SeqCst);
        let mut config = origin.config();
        config.allow_private_hosts = vec!["127.0.0.0/8".to_owned()];
        [config.host_spacing_ms, config.domain_spacing_ms, config.address_spacing_ms] = pause_ms;
        let lookup = names(&[
            ("a.example.org", &["127.0.0.1"]),
            ("b.example.org", &["127.0.0.2"]),
            ("example.org", &["127.0.0.3"]),
            ("one.example", &["127.0.0.9"]),
            ("two.example", &["127.0.0.9"]),
            ("three.example", &["127.0.0.9"]),
        ]);
        let fetcher = Arc::new(Fetcher::with_lookup(config, lookup).unwrap());
        let start = Instant::now();
        let polls: Vec<_> = hosts
            .iter()
            .map(|host| {
                let feed = Feed::new(format!("http://{host}:{port}/"), FeedOrigin::User);
                let fetcher = Arc::clone(&fetcher);
                tokio::spawn(async move { poll(&fetcher, &feed, None, now()).await })
            })
            .collect();
        for polled in polls {
            assert_eq!(summary(&polled.await.unwrap(), &origin), "1 new from Chips: One", "{what}");
        }
        assert_eq!(origin.most_at_once.load(Ordering::SeqCst), 1, "{what}");
        assert!(start.elapsed() >= Duration::from_millis(100), "{what}: two pauses, not {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_pause_holds_for_the_url_then_for_the_host() {
    let origin = Origin::start(|path, number, _| match (path, number) {
        ("/a", 0) => answer("503 Service Unavailable", "retry-after: 7200\r\n", b""),
        ("/b", _) => answer("429 Too Many Requests", "retry-after: Sun, 01 Mar 2026 15:00:00 GMT\r\n", b""),
        _ => answer("200 OK", "", FEED.as_bytes()),
    })
    .await;
    let fetcher = origin.fetcher(|_| {});
    let ask = async |path: &str, hours: i64| {
        let polled = poll(&fetcher, &origin.feed(path), None, later(hours)).await;
        let pause_min = (polled.state.next_poll.as_second() - later(hours).as_second()) / 60;
        (polled.outcome, pause_min, polled.state.error.map_or(0, |error| error.count))
    };
    assert_eq!(ask("/a", 0).await, (Outcome::Failed("http"), 120, 1));
    // Another feed of this URL waits too, one of another URL does not.
    assert_eq!(ask("/a", 1).await, (Outcome::Deferred, 60, 0));
    // It was not asked: nothing is known of it that was not known before.
    let read = poll(&origin.fetcher(|_| {}), &origin.feed("/a"), None, now()).await.state;
    let deferred = poll(&fetcher, &origin.feed("/a"), Some(read.clone()), later(1)).await.state;
    assert_eq!(deferred.last_polled, Some(now()));
    assert_eq!(FeedState { next_poll: read.next_poll, ..deferred }, read);
    assert!(matches!(ask("/c", 1).await.0, Outcome::Read { .. }));
    // The second URL that asks for a pause: it is the host's, until the later of both is over.
    assert_eq!(ask("/b", 1).await, (Outcome::Failed("http"), 120, 1));
    for path in ["/a", "/b", "/c", "/never/seen"] {
        assert_eq!(ask(path, 1).await.0, Outcome::Deferred, "{path}");
    }
    assert_eq!(origin.paths(), ["/a", "/a", "/c", "/b"]);
    assert!(matches!(ask("/c", 2).await.0, Outcome::Read { .. }), "that of /a is over");
    assert_eq!(ask("/b", 2).await.0, Outcome::Deferred);
    assert!(matches!(ask("/a", 3).await.0, Outcome::Read { .. }));
}

#[tokio::test]
async fn a_redirect_that_asks_for_a_pause_is_followed_after_it() {
    let origin = Origin::start(|path, _, _| match path {
        "/later" => answer("302 Found", "location: /ok\r\nretry-after: 3600\r\n", b""),
        "/now" => answer("302 Found", "location: /ok\r\nretry-after: 0\r\n", b""),
        _ => answer("200 OK", "", FEED.as_bytes()),
    })
    .await;
    let fetcher = origin.fetcher(|_| {});
    let first = poll(&fetcher, &origin.feed("/later"), None, now()).await;
    assert_eq!(
        summary(&first, &origin),
        "http: the feed has moved for a while (302), and the server asks to wait before following it"
    );
    assert_eq!(first.state.next_poll, later(1));
    assert_eq!(origin.paths(), ["/later"]);
    let second = poll(&fetcher, &origin.feed("/later"), Some(first.state.clone()), later(1)).await;
    assert_eq!(summary(&second, &origin), "1 new from Chips: One");
    let at_once = poll(&fetcher, &origin.feed("/now"), None, now()).await;
    assert_eq!(summary(&at_once, &origin), "1 new from Chips: One");
}

#[tokio::test]
async fn hosts_that_redirect_to_each_other_do_not_wait_for_each_other() {
    let origin = Origin::start_on("0.0.0.0:0", |path, _, request| {
        let port = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().rsplit(':').next().unwrap();
        match path {
            "/a" => redirect("302 Found", &format!("http://127.0.0.2:{port}/ok")),
            "/b" => redirect("302 Found", &format!("http://127.0.0.1:{port}/ok")),
            _ => answer("200 OK", "", FEED.as_bytes()),
        }
    })
    .await;
    let port = origin.address.port();
    let fetcher = Arc::new(origin.fetcher(|config| {
        config.allow_private_hosts = vec!["127.0.0.0/8".to_owned()];
        config.host_spacing_ms = 5;
    }));
    let polls: Vec<_> = ["127.0.0.1", "127.0.0.2"]
        .iter()
        .cycle()
        .take(10)
        .map(|host| {
            let path = if host.ends_with('1') { "/a" } else { "/b" };
            let feed = Feed::new(format!("http://{host}:{port}{path}"), FeedOrigin::User);
            let fetcher = Arc::clone(&fetcher);
            tokio::spawn(async move { poll(&fetcher, &feed, None, now()).await })
        })
        .collect();
    for polled in polls {
        assert_eq!(polled.await.unwrap().articles.len(), 1);
    }
}

#[tokio::test]
async fn a_resting_host_is_named() {
    let origin = Origin::start(|_, _, _| answer("429 Slow Down", "retry-after: 60\r\n", b"")).await;
    let fetcher = origin.fetcher(|_| {});
    let url = origin.url("/");
    let request = Request { url: &url, etag: None, last_modified: None, headers: &[] };
    assert_eq!(fetcher.get(request, now()).await.unwrap().retry_after_s, Some(60));
    let error = fetcher.get(request, now()).await.unwrap_err();
    assert!(matches!(error, FetchError::Resting { wait_s: 60, .. }));
    assert_eq!(error.to_string(), "`127.0.0.1` asked for a pause (Retry-After), of which 60 s are left");
}
