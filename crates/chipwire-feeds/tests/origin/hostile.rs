use std::{io::Write as _, sync::Arc, time::Duration};

use chipwire_feeds::{Outcome, poll};
use expect_test::expect;
use tokio::time::Instant;

use crate::support::{FEED, Origin, Reply, answer, check, check_with, gzip, later, now, redirect, summary};

const CLOSE: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n";

fn brotli(text: &[u8]) -> Vec<u8> {
    // The coder is not needed for anything else: stored, in blocks of at most 64 KiB (RFC 7932 section 9.2).
    let mut out = vec![0x0c];
    for block in text.chunks(1 << 16) {
        // ISLAST 0, MNIBBLES 0 (four), MLEN - 1 in 16 bits, ISUNCOMPRESSED 1, padding.
        let bits = u32::try_from(block.len() - 1).unwrap() << 3 | 1 << 19;
        out.extend_from_slice(&bits.to_le_bytes()[..3]);
        out.extend_from_slice(block);
    }
    out.push(0x03);
    out
}

/// 50 MiB of blanks as brotli packs them at its best: one byte, and its repetition for 16 MiB a block (RFC 7932).
const BROTLI_BOMB: &str =
    "cfffff7ff82540e2b14020f7fe9ffffffff04b00c4610180eefd3fffffffe1970088c32200ddfbfffcffffc02f0110870500baf71f";

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn coded(coding: &str, body: &[u8]) -> Reply {
    answer("200 OK", &format!("content-encoding: {coding}\r\n"), body)
}

#[tokio::test]
async fn every_coding_is_read() {
    let origin = Origin::start(|path, _, _| {
        let feed = FEED.as_bytes();
        match path {
            "/gzip" => coded("gzip", &gzip(feed)),
            "/x-gzip" => coded("X-GZIP", &gzip(feed)),
            "/twice" => coded("gzip", &gzip(&gzip(feed))),
            "/deflate" => coded("deflate", &deflate(feed)),
            "/brotli" => coded("br", &brotli(feed)),
            "/zstd" => coded("zstd", &zstd::encode_all(feed, 3).unwrap()),
            "/both" => coded("deflate, gzip", &gzip(&deflate(feed))),
            "/lie" => coded("gzip", feed),
            "/chunked" => {
                let zipped = gzip(feed);
                let mut body =
                    format!("{CLOSE}content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
                for piece in zipped.chunks(7) {
                    body.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                    body.extend_from_slice(piece);
                    body.extend_from_slice(b"\r\n");
                }
                body.extend_from_slice(b"0\r\n\r\n");
                Reply::Bytes(body)
            }
            _ => coded("compress", feed),
        }
    })
    .await;
    for path in ["/gzip", "/x-gzip", "/twice", "/deflate", "/brotli", "/zstd", "/both", "/lie", "/chunked"] {
        check(&origin, path, &expect!["1 new from Chips: One"]).await;
    }
    let zipped = check(&origin, "/gzip", &expect!["1 new from Chips: One"]).await;
    assert_eq!(zipped.bytes, gzip(FEED.as_bytes()).len() as u64, "bytes are counted on the wire");
    check(&origin, "/unknown", &expect!["coding: the answer claims the coding `compress` and cannot be unpacked"])
        .await;
}

#[tokio::test]
async fn bombs_stop_at_the_limits() {
    let spaces = vec![b' '; 50 << 20];
    let bombs = [
        ("/gzip", "gzip", gzip(&spaces)),
        ("/deflate", "deflate", deflate(&spaces)),
        ("/zstd", "zstd", zstd::encode_all(spaces.as_slice(), 3).unwrap()),
        ("/twice", "gzip, gzip", gzip(&gzip(&spaces))),
        ("/brotli", "br", unhex(BROTLI_BOMB)),
    ];
    let dense = gzip(&[b' '; 3 << 19]);
    let origin = Origin::start(move |path, _, _| match bombs.iter().find(|(known, ..)| *known == path) {
        Some((_, coding, bomb)) => coded(coding, bomb),
        None => coded("gzip", &dense),
    })
    .await;
    for path in ["/gzip", "/deflate", "/zstd", "/twice", "/brotli"] {
        check_with(
            &origin,
            path,
            |config| config.max_ratio = 1_000_000,
            &expect!["too_large: the answer is larger than 1048576 bytes (`fetch.max_body_bytes`)"],
        )
        .await;
    }
    for path in ["/dense", "/zstd", "/brotli"] {
        check_with(
            &origin,
            path,
            |config| config.max_body_bytes = 100 << 20,
            &expect!["too_large: the answer unpacks to more than 100 times its size (`fetch.max_ratio`)"],
        )
        .await;
    }
}

#[tokio::test]
async fn sizes_are_bounded() {
    let origin = Origin::start(move |path, _, _| match path {
        "/huge" => answer("200 OK", "", &vec![b' '; 2 << 20]),
        "/endless" => Reply::Endless(format!("{CLOSE}\r\n<rss>").into_bytes(), vec![b'x'; 65_536]),
        "/announced" => Reply::Stuck(b"HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n".to_vec()),
        "/chunks" => Reply::Endless(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
            [b"8000\r\n".as_slice(), &[b'x'; 0x8000], b"\r\n"].concat(),
        ),
        "/headers" => {
            Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-more: and more and more and more\r\n".repeat(100))
        }
        "/header" => Reply::Endless(b"HTTP/1.1 200 OK\r\nx-long: ".to_vec(), vec![b'x'; 65_536]),
        "/65k" => answer("200 OK", &format!("x-long: {}\r\n", "x".repeat(65_536)), FEED.as_bytes()),
        "/60k" => answer("200 OK", &format!("x-long: {}\r\n", "x".repeat(60_000)), FEED.as_bytes()),
        _ => redirect("302 Found", &format!("/{}", "x".repeat(2_100))),
    })
    .await;
    let large = expect!["too_large: the answer is larger than 1048576 bytes (`fetch.max_body_bytes`)"];
    for path in ["/huge", "/endless", "/announced", "/chunks"] {
        check(&origin, path, &large).await;
    }
    let head = expect!["too_large: the head of the answer from `IP` is larger than 65536 bytes"];
    for path in ["/headers", "/header", "/65k"] {
        check(&origin, path, &head).await;
    }
    check(&origin, "/60k", &expect!["1 new from Chips: One"]).await;
    let polled = poll(&origin.fetcher(|_| {}), &origin.feed("/longurl"), None, now()).await;
    assert!(summary(&polled, &origin).ends_with("is no web address: it is longer than 2,048 bytes"));
}

#[tokio::test]
async fn large_answers_wait_for_room_in_memory_and_hold_up_no_others() {
    let large = FEED.replace("One", &"One ".repeat(100_000));
    let packed = gzip(large.as_bytes());
    let script = move |path: &str, _: usize, _: &str| match path {
        "/large" => answer("200 OK", "", large.as_bytes()),
        "/packed" => coded("gzip", &packed),
        _ => answer("200 OK", "", FEED.as_bytes()),
    };
    // Each at an address of its own, so that none waits for the turn of another.
    let mut origins = Vec::new();
    for (number, path) in (1..).zip(["/large", "/large", "/packed", "/small"]) {
        origins.push((Origin::start_on(&format!("127.0.0.{number}:0"), script.clone()).await, path));
    }
    let fetcher = Arc::new(origins[0].0.fetcher(|config| {
        config.allow_private_hosts = vec!["127.0.0.0/8".to_owned()];
        config.max_large_bytes = config.max_body_bytes;
    }));
    let polled = |at: usize| {
        let (fetcher, feed) = (Arc::clone(&fetcher), origins[at].0.feed(origins[at].1));
        tokio::spawn(async move { poll(&fetcher, &feed, None, now()).await })
    };
    let first = polled(0).await.unwrap();
    assert_eq!(first.articles.len(), 1);
    // Whichever has the room first gives it back when it is counted.
    let counted = |at: usize| {
        let polled = polled(at);
        tokio::spawn(async move { polled.await.unwrap().articles.len() })
    };
    let waiting = [counted(1), counted(2)];
    for _ in 0..20 {
        assert_eq!(polled(3).await.unwrap().articles.len(), 1);
    }
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    drop(first);
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), 1);
    }
}

/// Each limit on time is hit where it stands: not before, and not so much later that another one must have been it.
#[tokio::test]
async fn times_are_bounded() {
    let origin = Origin::start(move |path, _, _| match path {
        "/drip" => Reply::Drip(format!("{CLOSE}\r\n<rss>").into_bytes(), Duration::from_millis(5)),
        "/head" => Reply::Drip(b"HTTP/1.1 200 OK\r\nx-drip: ".to_vec(), Duration::from_millis(5)),
        "/stuck" => Reply::Stuck(format!("{CLOSE}\r\n{}", " ".repeat(5_000)).into_bytes()),
        _ => Reply::Stuck(Vec::new()),
    })
    .await;
    for (path, connect_ms, first_byte_ms, slow_ms, total_ms, expected, hit_ms) in [
        ("/silence", 5_000, 200, 9_000, 9_000, "`IP` took longer than 200 ms to begin its answer", 200),
        ("/head", 5_000, 200, 9_000, 9_000, "`IP` took longer than 200 ms to begin its answer", 200),
        ("/silence", 5_000, 9_000, 9_000, 200, "`IP` took longer than 200 ms to begin its answer", 200),
        ("/drip", 5_000, 9_000, 9_000, 200, "`IP` took longer than 200 ms to send its answer", 200),
        ("/drip", 5_000, 9_000, 200, 9_000, "`IP` sent less than 1024 bytes per second for 200 ms", 200),
        // 5,000 bytes and then nothing: slower than 10,000 a second from the moment on at which half a second has gone.
        ("/stuck", 5_000, 9_000, 100, 9_000, "`IP` sent less than 10000 bytes per second for 100 ms", 500),
    ] {
        let fetcher = origin.fetcher(|config| {
            config.connect_timeout_ms = connect_ms;
            config.first_byte_timeout_ms = first_byte_ms;
            config.slow_after_ms = slow_ms;
            config.total_timeout_ms = total_ms;
            config.min_bytes_per_s = if path == "/stuck" { 10_000 } else { 1_024 };
        });
        let start = Instant::now();
        let polled = poll(&fetcher, &origin.feed(path), None, now()).await;
        let taken = start.elapsed();
        let expected = format!("timeout: {expected}");
        assert!(summary(&polled, &origin).starts_with(&expected), "{path}: {}", summary(&polled, &origin));
        assert!(taken >= Duration::from_millis(hit_ms), "{path} after {taken:?}");
        assert!(taken < Duration::from_millis(5_000), "{path} after {taken:?}");
    }
}

/// A listener whose queue is full drops what wants to connect: nobody refuses, and nobody answers.
#[tokio::test]
async fn a_connection_that_does_not_come_about_is_given_up() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connected) =
        tokio::time::timeout(Duration::from_millis(500), tokio::net::TcpStream::connect(address)).await
    {
        waiting.push(connected.unwrap());
        assert!(waiting.len() < 100, "the queue is never full");
    }
    let origin = Origin::start(|_, _, _| answer("200 OK", "", FEED.as_bytes())).await;
    let fetcher = origin.fetcher(|config| {
        config.allow_private_hosts.push(address.to_string());
        config.connect_timeout_ms = 200;
    });
    let feed = chipwire_events::Feed::new(format!("http://{address}/"), chipwire_events::FeedOrigin::User);
    let start = Instant::now();
    let polled = poll(&fetcher, &feed, None, now()).await;
    let taken = start.elapsed();
    assert_eq!(summary(&polled, &origin), "timeout: `IP` took longer than 200 ms to open a connection");
    assert!(taken >= Duration::from_millis(200) && taken < Duration::from_millis(5_000), "after {taken:?}");
    assert_eq!(chipwire_feeds::FetchConfig::default().connect_timeout_ms, 5_000);
}

#[tokio::test]
async fn connections_that_break_off() {
    // More bytes are announced than there are, such as those before compression.
    let short = |headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n{headers}\r\n");
        Reply::Bytes([head.as_bytes(), body].concat())
    };
    // Texts that do not get shorter than the streams' heads and ends.
    let long = FEED.replace("One</title>", &format!("One</title><description>{}</description>", "word ".repeat(400)));
    let packed = [
        ("gzip", gzip(long.as_bytes())),
        ("deflate", deflate(long.as_bytes())),
        ("br", brotli(long.as_bytes())),
        ("zstd", zstd::encode_all(long.as_bytes(), 3).unwrap()),
    ];
    let coding = |coding: &str| format!("content-encoding: {coding}\r\n");
    let origin = Origin::start(move |path, _, _| match path {
        "/json" => short(
            "",
            br#"{"version":"https://jsonfeed.org/version/1.1","title":"Chips","items":[{"id":"1","title":"One"}]}"#,
        ),
        "/json-cut" => short(
            "",
            br#"{"version":"https://jsonfeed.org/version/1.1","title":"Chips","items":[{"id":"1","title":"One"}"#,
        ),
        "/prefix" => short(
            "",
            b"<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>Chips</a:title><a:entry><a:id>1</a:id>\
            <a:title>One</a:title></a:entry></a:feed>",
        ),
        "/comment" => short("", format!("{FEED}\n<!-- from the cache -->\n<!-- 3 ms -->\n").as_bytes()),
        "/packed/chunked" => {
            let body = &packed[0].1;
            let head =
                format!("{CLOSE}content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len());
            Reply::Bytes([head.as_bytes(), body, b"\r\n"].concat())
        }
        _ if path.starts_with("/packed/") => {
            let (name, body) = packed.iter().find(|(name, _)| path.ends_with(name)).unwrap();
            short(&coding(name), body)
        }
        _ if path.starts_with("/cut/") => {
            let (name, body) = packed.iter().find(|(name, _)| path.ends_with(name)).unwrap();
            short(&coding(name), &body[..body.len() * 3 / 4])
        }
        "/short" => Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n<rss>".to_vec()),
        "/short-whole" => Reply::Bytes(format!("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{FEED}\n").into_bytes()),
        "/chunked-whole" => Reply::Bytes(
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{FEED}\r\n", FEED.len()).into_bytes(),
        ),
        "/long" => Reply::Bytes(
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{FEED}<and>more", FEED.len()).into_bytes(),
        ),
        "/two-lengths" => Reply::Bytes(
            format!("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{FEED}").into_bytes(),
        ),
        "/half" => Reply::HalfClosed(format!("HTTP/1.1 200 OK\r\n\r\n{FEED}").into_bytes()),
        "/half-empty" => Reply::HalfClosed(Vec::new()),
        "/half-head" => Reply::HalfClosed(b"HTTP/1.1 200 OK\r\nx-y".to_vec()),
        "/reset" => Reply::Reset(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n<rss>".to_vec()),
        "/noise" => Reply::Bytes(b"\x16\x03\x01 this is no http\r\n\r\n".to_vec()),
        "/old" => Reply::Bytes(format!("HTTP/1.0 200 OK\r\n\r\n{FEED}").into_bytes()),
        "/100" => Reply::Bytes(
            format!(
                "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{FEED}",
                FEED.len()
            )
            .into_bytes(),
        ),
        _ => Reply::Bytes(Vec::new()),
    })
    .await;
    // One fetcher for all: what a broken connection leaves behind must not hurt the next.
    let fetcher = origin.fetcher(|_| {});
    for path in [
        "/short-whole",
        "/chunked-whole",
        "/long",
        "/half",
        "/old",
        "/100",
        "/long",
        "/json",
        "/prefix",
        "/comment",
        "/packed/gzip",
        "/packed/deflate",
        "/packed/br",
        "/packed/zstd",
        "/packed/chunked",
    ] {
        let polled = poll(&fetcher, &origin.feed(path), None, now()).await;
        assert_eq!(summary(&polled, &origin), "1 new from Chips: One", "{path}");
    }
    for path in [
        "/short",
        "/two-lengths",
        "/half-empty",
        "/half-head",
        "/reset",
        "/noise",
        "/nothing",
        "/json-cut",
        "/cut/gzip",
        "/cut/deflate",
        "/cut/br",
        "/cut/zstd",
    ] {
        let polled = poll(&fetcher, &origin.feed(path), None, now()).await;
        let error = polled.state.error.unwrap();
        assert_eq!(error.class, "protocol", "{path}: {}", error.message);
        assert!(
            error.message.starts_with("`127.0.0.1` broke off the answer or sent no valid HTTP: "),
            "{}",
            error.message
        );
    }
}

#[tokio::test]
async fn broken_etags_are_sent_back_as_they_came() {
    let etags = [
        "W/\"weak\"",
        "w/\"weaker\"",
        "bare",
        "\"a\" \"b\"",
        "\"with \\\"quotes\\\"\"",
        "\"ünïcode\"",
        "W/bare",
        "\"\"",
        "*",
    ];
    let origin = Origin::start(move |path, _, request| {
        let number: usize = path.trim_start_matches('/').parse().unwrap();
        match request.contains("if-none-match: ") {
            true => answer("304 Not Modified", "", b""),
            false => answer("200 OK", &format!("etag: {}\r\n", etags[number]), FEED.as_bytes()),
        }
    })
    .await;
    let fetcher = origin.fetcher(|_| {});
    for (number, etag) in etags.iter().enumerate() {
        let feed = origin.feed(&format!("/{number}"));
        let first = poll(&fetcher, &feed, None, now()).await;
        let second = poll(&fetcher, &feed, Some(first.state.clone()), later(30)).await;
        assert_eq!(second.outcome, Outcome::NotModified, "{etag}");
        assert!(origin.last_request().contains(&format!("if-none-match: {etag}\r\n")), "{}", origin.last_request());
    }
}

/// What healthy feeds lose while others are hostile is measured by `cargo bench -p chipwire-feeds --bench fetching`; here only
/// that nothing gets lost, and that nobody waits for a hostile one.
#[tokio::test]
async fn hostile_servers_do_not_hold_up_the_others() {
    let hostile = Origin::start(|path, _, _| match path {
        "/0" => Reply::Stuck(Vec::new()),
        "/1" => Reply::Drip(format!("{CLOSE}\r\n").into_bytes(), Duration::from_millis(5)),
        "/2" => Reply::Endless(b"HTTP/1.1 200 OK\r\nx-long: ".to_vec(), vec![b'x'; 4_096]),
        _ => Reply::Reset(Vec::new()),
    })
    .await;
    let healthy = Origin::start_on("0.0.0.0:0", |_, _, _| answer("200 OK", "", FEED.as_bytes())).await;
    let fetcher = std::sync::Arc::new(hostile.fetcher(|config| {
        config.allow_private_hosts = vec!["127.0.0.0/8".to_owned()];
        // Nothing hostile ends by itself.
        (config.first_byte_timeout_ms, config.total_timeout_ms, config.slow_after_ms) = (600_000, 600_000, 600_000);
    }));
    let mut stuck = Vec::new();
    for number in 0..3 {
        let (fetcher, feed) = (std::sync::Arc::clone(&fetcher), hostile.feed(&format!("/{number}")));
        stuck.push(tokio::spawn(async move { poll(&fetcher, &feed, None, now()).await }));
    }
    let polls: Vec<_> = (1..=100)
        .map(|host| {
            let url = format!("http://127.0.1.{host}:{}/", healthy.address.port());
            let feed = chipwire_events::Feed::new(url, chipwire_events::FeedOrigin::User);
            let fetcher = std::sync::Arc::clone(&fetcher);
            tokio::spawn(async move { poll(&fetcher, &feed, None, now()).await })
        })
        .collect();
    for polled in polls {
        assert_eq!(polled.await.unwrap().articles.len(), 1);
    }
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
}
