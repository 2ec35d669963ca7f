use chipwire_events::{ArticleId, Feed, FeedOrigin, FeedState, Timestamp};
use chipwire_feeds::{Outcome, poll, poll_recalling};
use expect_test::expect;

use crate::support::{FEED, Origin, Reply, answer, check, later, now, redirect, summary};

#[tokio::test]
async fn validators_are_kept_and_sent_back() {
    let origin = Origin::start(|_, number, _| match number {
        0 => answer(
            "200 OK",
            "etag: W/\"a\\b\"\r\nlast-modified: yesterday, or so\r\ncache-control: max-age=7200\r\n",
            FEED.as_bytes(),
        ),
        1 => answer("304 Not Modified", "", b""),
        2 => answer("200 OK", "etag: \"new\"\r\n", FEED.as_bytes()),
        _ => answer("304 Not Modified", "", b""),
    })
    .await;
    let (fetcher, feed) = (origin.fetcher(|_| {}), origin.feed("/"));
    let first = poll(&fetcher, &feed, None, now()).await;
    assert_eq!(summary(&first, &origin), "1 new from Chips: One");
    assert_eq!((first.bytes, first.state.articles), (FEED.len() as u64, 1));
    assert!(first.state.next_poll >= later(2), "max-age counts");
    let request = origin.last_request().to_lowercase();
    for absent in ["if-none-match", "if-modified-since", "cookie", "referer"] {
        assert!(!request.contains(absent), "{request}");
    }
    assert!(request.contains(&format!("user-agent: chipwire/{}\r\n", env!("CARGO_PKG_VERSION"))), "{request}");
    assert!(request.contains("accept-encoding: gzip, deflate, br, zstd\r\n"), "{request}");

    let second = poll(&fetcher, &feed, Some(first.state.clone()), later(3)).await;
    assert_eq!(summary(&second, &origin), "not modified");
    let request = origin.last_request();
    assert!(request.contains("if-none-match: W/\"a\\b\"\r\n"), "{request}");
    assert!(request.contains("if-modified-since: yesterday, or so\r\n"), "{request}");
    assert_eq!(second.state.last_ok, Some(later(3)));
    assert_eq!(second.state.items, first.state.items);

    let third = poll(&fetcher, &feed, Some(second.state.clone()), later(6)).await;
    assert_eq!(summary(&third, &origin), "0 new from Chips: ");
    assert_eq!((third.state.etag.as_deref(), third.state.last_modified.as_deref()), (Some("\"new\""), None));

    let mut unconditional = third.state.clone();
    unconditional.etag = None;
    let fourth = poll(&fetcher, &feed, Some(unconditional.clone()), later(9)).await;
    assert!(summary(&fourth, &origin).starts_with("http: the server answers \"not modified\" (304) although"));
}

#[tokio::test]
async fn a_document_that_breaks_off_is_asked_for_again_without_validators() {
    let origin = Origin::start(|_, number, _| {
        let whole = number > 0;
        let document = &FEED[..if whole { FEED.len() } else { FEED.find("</item>").unwrap() }];
        answer("200 OK", "etag: \"1\"\r\nlast-modified: yesterday\r\n", document.as_bytes())
    })
    .await;
    let (fetcher, feed) = (origin.fetcher(|_| {}), origin.feed("/"));
    let cut = poll(&fetcher, &feed, None, now()).await;
    assert_eq!(summary(&cut, &origin), "1 new from Chips: One");
    assert_eq!((cut.state.etag.as_deref(), cut.state.last_modified.as_deref()), (None, None));
    let whole = poll(&fetcher, &feed, Some(cut.state), later(3)).await;
    assert_eq!(whole.state.etag.as_deref(), Some("\"1\""));
    assert_eq!(whole.state.last_modified.as_deref(), Some("yesterday"));
}

#[tokio::test]
async fn a_document_that_never_has_an_end_keeps_its_validators_once_it_is_known() {
    let origin = Origin::start(|path, _, request| {
        let document = &FEED[..FEED.find("</item>").unwrap()];
        match (path, request.contains("if-none-match: \"1\"\r\n")) {
            (_, true) => answer("304 Not Modified", "", b""),
            ("/framed", _) => answer("200 OK", "etag: \"1\"\r\n", document.as_bytes()),
            // How long it is nobody has said: it may have been cut off on the way.
            _ => Reply::Bytes(format!("HTTP/1.1 200 OK\r\netag: \"1\"\r\n\r\n{document}").into_bytes()),
        }
    })
    .await;
    let fetcher = origin.fetcher(|_| {});
    for (path, outcomes) in [
        ("/framed", ["1 new from Chips: One", "0 new from Chips: ", "not modified", "not modified"]),
        ("/unframed", ["1 new from Chips: One", "0 new from Chips: ", "0 new from Chips: ", "0 new from Chips: "]),
    ] {
        let (feed, mut state) = (origin.feed(path), None);
        for (hours, expected) in (0..).map(|poll| 3 * poll).zip(outcomes) {
            let polled = poll(&fetcher, &feed, state, later(hours)).await;
            assert_eq!(summary(&polled, &origin), expected, "{path} after {hours} hours");
            state = Some(polled.state);
        }
    }
}

#[tokio::test]
async fn validators_go_only_to_who_gave_them() {
    let document = |guid: &str| FEED.replace(">1<", &format!(">{guid}<"));
    let origin = Origin::start(move |path, number, request| {
        let asked_again = request.contains("if-none-match") || request.contains("if-modified-since");
        match path {
            // First to one place, later to another.
            "/feed" => redirect("302 Found", if number < 4 { "/a" } else { "/b" }),
            "/a" if request.contains("if-none-match: \"a\"\r\n") => answer("304 Not Modified", "", b""),
            "/a" => answer("200 OK", "etag: \"a\"\r\nlast-modified: today\r\n", document("a").as_bytes()),
            "/b" if asked_again => answer("304 Not Modified", "", b""),
            "/b" => answer("200 OK", "etag: \"b\"\r\n", document("b").as_bytes()),
            // Moved away, and says of whatever it is asked that it is as it was.
            "/c" if number < 7 => answer("200 OK", "etag: \"c\"\r\n", document("c").as_bytes()),
            "/c" => redirect("302 Found", "/d"),
            _ => answer("304 Not Modified", "", b""),
        }
    })
    .await;
    let (fetcher, feed) = (origin.fetcher(|_| {}), origin.feed("/feed"));
    let asked_again = |from: usize| {
        let requests = origin.requests.lock().unwrap();
        let asked_again = |request: &String| request.contains("if-none-match") || request.contains("if-modified-since");
        requests[from..].iter().map(asked_again).collect::<Vec<_>>()
    };
    let first = poll(&fetcher, &feed, None, now()).await;
    assert_eq!(summary(&first, &origin), "1 new from Chips: One");
    // As it comes back after a restart.
    let restarted = |state: &FeedState| {
        let text = serde_json::to_string(state).unwrap();
        FeedState { items: state.items.clone(), ..serde_json::from_str(&text).unwrap() }
    };
    let second = poll(&fetcher, &feed, Some(restarted(&first.state)), later(3)).await;
    assert_eq!(summary(&second, &origin), "not modified");
    assert_eq!(asked_again(2), [false, true], "{:?}", origin.paths());
    let third = poll(&fetcher, &feed, Some(restarted(&second.state)), later(6)).await;
    assert_eq!(summary(&third, &origin), "1 new from Chips: One", "a document that was never read");
    assert_eq!(asked_again(4), [false, false], "{:?}", origin.paths());
    assert_eq!(third.state.etag.as_deref(), Some("\"b\""));

    let feed = origin.feed("/c");
    let first = poll(&fetcher, &feed, None, now()).await;
    assert_eq!(first.state.validators_url, None);
    let moved = poll(&fetcher, &feed, Some(first.state), later(3)).await;
    assert!(summary(&moved, &origin).starts_with("http: the server answers \"not modified\" (304) although"));
    assert_eq!(asked_again(7), [true, false], "{:?}", origin.paths());
}

#[tokio::test]
async fn a_feed_moves_only_to_where_it_was_read_and_its_articles_stay_the_same() {
    let moved = "<rss version='2.0'><channel><title>Chips</title><item><guid>2</guid><title>Two</title></item>\
        <item><guid>1</guid><title>One</title></item></channel></rss>";
    let origin = Origin::start(move |path, number, request| match (path, number) {
        ("/old", 0) => answer("200 OK", "etag: \"1\"\r\n", FEED.as_bytes()),
        ("/old", _) => redirect("301 Moved Permanently", "/new"),
        // Whatever it is asked, nothing is new there; then it has the feed.
        (_, ..12) => answer("304 Not Modified", "", b""),
        _ if request.contains("if-none-match: \"2\"\r\n") => answer("304 Not Modified", "", b""),
        _ => answer("200 OK", "etag: \"2\"\r\n", moved.as_bytes()),
    })
    .await;
    let (fetcher, feed) = (origin.fetcher(|_| {}), origin.feed("/old"));
    let mut state = None;
    let mut lines = Vec::new();
    let mut ids = Vec::new();
    for day in 0..10 {
        let polled = poll(&fetcher, &feed, state, later(24 * day)).await;
        ids.extend(polled.articles.iter().map(|article| article.id.clone()));
        assert!(polled.articles.iter().all(|article| article.feed == feed.id));
        let outcome = match polled.outcome {
            Outcome::Failed(_) => "failed".to_owned(),
            _ => summary(&polled, &origin),
        };
        lines.push(format!("{outcome} | {}", polled.state.url.rsplit('/').next().unwrap()));
        state = Some(polled.state);
    }
    expect![[r#"
        1 new from Chips: One | old
        failed | old
        failed | old
        failed | old
        failed | old
        failed | old
        1 new from Chips: Two | old
        not modified | old
        not modified | new
        not modified | new"#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(ids, [ArticleId::of(&feed.id, "guid:1"), ArticleId::of(&feed.id, "guid:2")]);
}

#[tokio::test]
async fn a_feed_that_is_gone_is_asked_once_more_and_then_left_alone() {
    let origin = Origin::start(|_, number, _| match number {
        0 | 1 => answer("500 Internal Server Error", "", b""),
        2 | 4 | 6 | 7 => answer("410 Gone", "", b""),
        // Another answer says that it is not gone, none at all says nothing.
        3 => answer("404 Not Found", "", b""),
        5 => Reply::Bytes(Vec::new()),
        _ => answer("200 OK", "", FEED.as_bytes()),
    })
    .await;
    let feed = origin.feed("/");
    let mut state: Option<FeedState> = None;
    for (hours, gone) in (0..).zip([false, false, false, false, false, false, true, true, false]) {
        let polled = poll(&origin.fetcher(|_| {}), &feed, state, later(hours)).await;
        assert_eq!(polled.state.is_gone(), gone, "{} after {hours} hours", summary(&polled, &origin));
        assert_eq!(polled.state.next_poll == Timestamp::MAX, gone);
        if gone {
            let message = &polled.state.error.as_ref().unwrap().message;
            assert!(message.contains("not polled any more; `chipwire feeds resume FEED`"), "{message}");
        }
        state = Some(polled.state);
    }
}

#[tokio::test]
async fn text_in_utf_8_is_read_whatever_the_header_says() {
    let document = FEED.replace("One", "Caf\u{e9} \u{2013} \u{534a}\u{5bfc}\u{4f53}");
    let origin = Origin::start(move |path, _, _| {
        let kind = format!("content-type: text/xml; charset={}\r\n", path.trim_start_matches('/'));
        answer("200 OK", &kind, document.as_bytes())
    })
    .await;
    for charset in ["/iso-8859-1", "/windows-1252", "/us-ascii", "/gbk", "/utf-16", "/none-such"] {
        check(&origin, charset, &expect!["1 new from Chips: Café – 半导体"]).await;
    }
}

#[tokio::test]
async fn items_kept_apart_are_asked_for_only_when_the_feed_was_read() {
    let origin = Origin::start(|_, number, _| match number {
        1 => answer("304 Not Modified", "", b""),
        _ => answer("200 OK", "etag: \"1\"\r\n", FEED.as_bytes()),
    })
    .await;
    let (fetcher, feed) = (origin.fetcher(|_| {}), origin.feed("/"));
    let first = poll_recalling(&fetcher, &feed, None, || Ok(Vec::new()), now()).await;
    assert_eq!(summary(&first, &origin), "1 new from Chips: One");
    let seen = first.state.items.clone();
    let without = |state: &FeedState| FeedState { items: Vec::new(), ..state.clone() };

    let unchanged = poll_recalling(&fetcher, &feed, Some(without(&first.state)), || panic!("asked"), later(3)).await;
    assert_eq!((summary(&unchanged, &origin).as_str(), unchanged.state.items), ("not modified", vec![]));

    let state = without(&first.state);
    let failed = poll_recalling(&fetcher, &feed, Some(state.clone()), || Err("torn".to_owned()), later(6)).await;
    assert_eq!(summary(&failed, &origin), "internal: what was seen of the feed before cannot be read: torn");
    assert!(failed.articles.is_empty() && failed.state.etag == state.etag, "it is asked for everything again");

    // What the state has in itself goes before.
    let both = poll_recalling(&fetcher, &feed, Some(first.state.clone()), || panic!("asked"), later(9)).await;
    let third = poll_recalling(&fetcher, &feed, Some(failed.state), move || Ok(seen), later(9)).await;
    for poll in [both, third] {
        assert_eq!(summary(&poll, &origin), "0 new from Chips: ");
        assert_eq!((poll.state.items.len(), poll.state.articles), (1, 1));
    }
}

#[tokio::test]
async fn redirects_are_followed_by_hand() {
    let origin = Origin::start(|path, _, _| match path {
        "/ok" => answer("200 OK", "", FEED.as_bytes()),
        "/moved" => redirect("301 Moved Permanently", "/moved2"),
        "/moved2" => redirect("308 Permanent Redirect", "ok"),
        "/found" => redirect("302 Found", "/moved2"),
        "/loop" => redirect("301 Moved Permanently", "/loop2"),
        "/loop2" => redirect("301 Moved Permanently", "/loop"),
        "/metadata" => redirect("302 Found", "http://169.254.169.254/latest/meta-data/"),
        "/decimal" => redirect("302 Found", "http://2130706433/"),
        "/name" => redirect("302 Found", "http://localhost./"),
        "/file" => redirect("302 Found", "file:///etc/passwd"),
        "/nowhere" => answer("302 Found", "", b""),
        "/broken" => redirect("302 Found", "http://[::"),
        _ => match path.strip_prefix("/n/").and_then(|number| number.parse::<u32>().ok()) {
            Some(number) => redirect("307 Temporary Redirect", &format!("/n/{}", number + 1)),
            None => answer("404 Not Found", "", b""),
        },
    })
    .await;
    check(&origin, "/found", &expect!["1 new from Chips: One"]).await;
    check(
        &origin,
        "/loop",
        &expect!["redirect: redirect to `http://HOST/loop` is not followed: it goes round in a circle"],
    )
    .await;
    check(
        &origin,
        "/n/1",
        &expect!["redirect: redirect to `http://HOST/n/7` is not followed: too many redirects in a row"],
    )
    .await;
    check(
        &origin,
        "/metadata",
        &expect![
            "private_address: `169.254.169.254` is a private address: add it to `fetch.allow_private_hosts` if it may be fetched from"
        ],
    )
    .await;
    check(
        &origin,
        "/decimal",
        &expect!["private_address: `IP` is a private address: add it to `fetch.allow_private_hosts` if it may be fetched from"],
    )
    .await;
    check(
        &origin,
        "/name",
        &expect![
            "private_address: `localhost.` is a private address: add it to `fetch.allow_private_hosts` if it may be fetched from"
        ],
    )
    .await;
    check(&origin, "/file", &expect!["url: `file:///etc/passwd` is no web address: only http and https are fetched"])
        .await;
    check(&origin, "/nowhere", &expect!["redirect: redirect to `` is not followed: the server names no target"]).await;
    check(
        &origin,
        "/broken",
        &expect!["redirect: redirect to `http://[::` is not followed: the target is no web address"],
    )
    .await;

    // A permanent move is believed after three polls over two days, a temporary one never.
    let (fetcher, moved, found) = (origin.fetcher(|_| {}), origin.feed("/moved"), origin.feed("/found"));
    let mut states: [Option<FeedState>; 2] = [None, None];
    for (hours, expected) in [(0, "/moved"), (30, "/moved"), (40, "/moved"), (48, "/ok"), (60, "/ok")] {
        for (feed, state, expected) in [(&moved, 0, expected), (&found, 1, "/found")] {
            let polled = poll(&fetcher, feed, states.get(state).unwrap().clone(), later(hours)).await;
            assert!(polled.state.error.is_none());
            assert!(polled.state.url.ends_with(expected), "after {hours} hours: {}", polled.state.url);
            *states.get_mut(state).unwrap() = Some(polled.state);
        }
    }
}

#[tokio::test]
async fn what_is_no_feed_is_named() {
    let origin = Origin::start(|path, _, _| match path {
        "/page" => answer(
            "200 OK",
            "content-type: text/html\r\n",
            b"<!doctype html><title>Chip news</title><link rel=alternate type=application/rss+xml href=/rss>",
        ),
        "/challenge" => answer("200 OK", "cf-mitigated: challenge\r\n", FEED.as_bytes()),
        "/challenge403" => answer("403 Forbidden", "cf-mitigated: challenge\r\n", b""),
        "/empty" => answer("200 OK", "", b"  "),
        "/json" => answer("200 OK", "content-type: application/rss+xml\r\n", b"{\"error\":\"x\"}"),
        "/cut" => answer("200 OK", "", b"<rss><channel>\n<title>x"),
        "/type" => answer("200 OK", "content-type: text/html; charset=windows-1252\r\n", FEED.as_bytes()),
        "/1252" => answer(
            "200 OK",
            "content-type: text/xml; charset=windows-1252\r\n",
            b"<rss version='2.0'><channel><title>R&D</title><item><title>China\x92s H20 & more</title><link>/a</link></item></channel></rss>",
        ),
        "/panic" => answer(
            "200 OK",
            "",
            "<rss version='2.0'><channel><title>P</title><item><guid>1</guid><title>Saved</title><author>e@example.com（张三）</author></item></channel></rss>".as_bytes(),
        ),
        _ => answer("404 Not Found", "", b"<html>"),
    })
    .await;
    check(
        &origin,
        "/page",
        &expect!["html: this is a web page (\"Chip news\"), not a feed; it links to the feed http://HOST/rss: follow that one"],
    )
    .await;
    let challenge = expect![
        "challenge: the site asks for proof of a human reader in place of the feed: ask its owner to let feed readers pass"
    ];
    check(&origin, "/challenge", &challenge).await;
    check(&origin, "/challenge403", &challenge).await;
    check(&origin, "/empty", &expect!["empty: the document is empty"]).await;
    check(
        &origin,
        "/json",
        &expect!["not_a_feed: this is JSON, but no JSON Feed: it has no list `items` (it has: error)"],
    )
    .await;
    check(
        &origin,
        "/cut",
        &expect!["parse: the feed is damaged at line 2 (the document ends inside <title>), and no item could be saved"],
    )
    .await;
    check(&origin, "/type", &expect!["1 new from Chips: One"]).await;
    check(&origin, "/panic", &expect!["1 new from P: Saved"]).await;
    let repaired = check(&origin, "/1252", &expect!["1 new from R&D: China’s H20 & more"]).await;
    assert_eq!(repaired.state.warnings, ["an ampersand that was not escaped (item 1)"]);
    let url = repaired.articles.first().unwrap().url.clone();
    assert_eq!(url, Some(format!("http://{}/a", origin.address)));
}

#[tokio::test]
async fn failures_are_counted_and_answered_with_patience() {
    let origin = Origin::start(|path, number, _| match (path, number) {
        (_, 0) => answer("429 Too Many Requests", "retry-after: 7200\r\n", b""),
        (_, 1) => answer("503 Service Unavailable", "retry-after: Sun, 01 Mar 2026 16:00:00 GMT\r\n", b""),
        (_, 2) => answer("404 Not Found", "", b""),
        (_, 3) => answer("200 OK", "", FEED.as_bytes()),
        (_, 4 | 5) => answer("410 Gone", "", b""),
        _ => answer("418 I'm a teapot", "", b""),
    })
    .await;
    // 429 makes a pause of five seconds to the host: another fetcher does not know of it.
    let feed = origin.feed("/");
    let mut state: Option<FeedState> = None;
    let mut lines = Vec::new();
    for hours in 0..7 {
        let polled = poll(&origin.fetcher(|_| {}), &feed, state.clone(), later(hours)).await;
        let pause_s = polled.state.next_poll.as_second() - later(hours).as_second();
        let error = polled
            .state
            .error
            .as_ref()
            .map_or("-".to_owned(), |error| format!("{} since {}", error.count, error.since));
        lines.push(format!(
            "{} | {error} | {:?} | {} min",
            summary(&polled, &origin),
            polled.state.http_status,
            pause_s / 60
        ));
        state = Some(polled.state);
    }
    expect![[r#"
        http: the server was asked too often (429): it is left in peace for a while | 1 since 2026-03-01T12:00:00Z | Some(429) | 120 min
        http: the server has trouble of its own (503): it is asked again later | 2 since 2026-03-01T12:00:00Z | Some(503) | 180 min
        http: there is no feed at this address (404): look on the site for its new one | 3 since 2026-03-01T12:00:00Z | Some(404) | X min
        1 new from Chips: One | - | Some(200) | X min
        http: the feed is gone for good (410), the server says: it is asked once more, and then no more | 1 since 2026-03-01T16:00:00Z | Some(410) | X min
        http: the feed is gone for good (410, and again when it was asked once more): it is not polled any more; `chipwire feeds resume FEED` polls it again, `chipwire feeds remove FEED` forgets it | 2 since 2026-03-01T16:00:00Z | Some(410) | X min
        http: the server answers with status 418, which is not expected of a feed | 3 since 2026-03-01T16:00:00Z | Some(418) | X min"#]]
    .assert_eq(&{
        // Ports differ from run to run, and with them the feed's id and its jitter.
        let jittered = |(number, line): (usize, &String)| match number {
            0 | 1 => line.clone(),
            _ => format!("{} | X min", line.rsplit_once(" | ").unwrap().0),
        };
        lines.iter().enumerate().map(jittered).collect::<Vec<_>>().join("\n")
    });
}

#[tokio::test]
async fn no_server_is_named() {
    let origin = Origin::start(|_, _, _| Reply::Stuck(Vec::new())).await;
    // A port on which nobody listens: bound and given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fetcher = origin.fetcher(|config| config.allow_private_hosts = vec!["127.0.0.0/8".to_owned()]);
    let polled = poll(&fetcher, &Feed::new(format!("http://{free}/"), FeedOrigin::User), None, now()).await;
    let error = polled.state.error.unwrap();
    assert_eq!(error.class, "connect");
    assert!(error.message.starts_with("no connection to `127.0.0.1`: "), "{}", error.message);

    let polled = poll(&fetcher, &Feed::new("http://feeds.invalid/", FeedOrigin::User), None, now()).await;
    let error = polled.state.error.unwrap();
    assert_eq!(error.class, "dns", "{}", error.message);

    for (url, class) in [("no url", "url"), ("ftp://example.org/", "url"), ("http://10.0.0.1/", "private_address")] {
        let polled = poll(&fetcher, &Feed::new(url, FeedOrigin::User), None, now()).await;
        assert_eq!(polled.state.error.unwrap().class, class, "{url}");
    }
}
