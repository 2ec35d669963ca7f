use std::{
    net::{IpAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use chipwire_events::{Feed, FeedOrigin};
use chipwire_feeds::{FetchConfig, Fetcher, Lookup, Request, poll};
use url::Url;

use crate::support::{FEED, Origin, Reply, answer, names, now, redirect};

/// Spellings of addresses that lead to this machine or into a private network; `PORT` is the listener's.
const VECTORS: &[&str] = &[
    // IPv4, in all the forms that the URL standard reads.
    "http://127.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://127.255.255.254:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7F.0x0.0x0.0x1:PORT/",
    "http://0x7f.1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0177.0.0.01:PORT/",
    "http://017700000001:PORT/",
    "http://0000177.0000.0000.0001:PORT/",
    "http://127。0。0。1:PORT/",
    "http://１２７．０．０．１:PORT/",
    "http://①②⑦.⓪.⓪.①:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://127%2e0%2e0%2e1:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0:PORT/",
    "http://0x0:PORT/",
    "http://0.0:PORT/",
    "http://0.1.2.3:PORT/",
    // IPv6, and IPv4 inside it.
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[0000::0001]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[::FFFF:0:0]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[::ffff:0:127.0.0.1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b:1::127.0.0.1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2001:0:7f00:1::]:PORT/",
    // Names.
    "http://localhost:PORT/",
    "http://LocalHost:PORT/",
    "http://localhost.:PORT/",
    "http://feeds.localhost:PORT/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/",
    "http://loc%61lhost:PORT/",
    "http://loopback.example:PORT/",
    "http://loopback6.example:PORT/",
    "http://mapped.example:PORT/",
    "http://unspecified.example:PORT/",
    "http://intranet.example:PORT/",
    "http://metadata.example/latest/meta-data/",
    // What looks like another host.
    "http://example.org@127.0.0.1:PORT/",
    "http://example.org:80@127.0.0.1:PORT/",
    "http://example.org%40@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT#@example.org/",
    "http://127.0.0.1:PORT?@example.org/",
    "http://127.0.0.1:PORT\\@example.org/",
    "http:\\\\127.0.0.1:PORT\\",
    "http:127.0.0.1:PORT/",
    "http:/127.0.0.1:PORT/",
    "http:////127.0.0.1:PORT/",
    " \thttp://127.0.0.1:PORT/\n",
    "ht\ntp://127.0.\t0.1:PORT/",
    "HTTP://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "https://[::1]:PORT/",
    // Other networks.
    "http://10.0.0.1:PORT/",
    "http://100.64.0.1:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://2852039166/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://172.16.0.1:PORT/",
    "http://192.168.0.1:PORT/",
    "http://224.0.0.1:PORT/",
    "http://255.255.255.255:PORT/",
    "http://[fe80::1]:PORT/",
    "http://[fc00::1]:PORT/",
    "http://[ff02::1]:PORT/",
    // No web at all.
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_GET",
    "file:///etc/passwd",
    "unix:/run/docker.sock",
    "data:text/xml,<rss/>",
];

/// Names that a hostile name server answers with addresses of ours.
fn hostile_names() -> Lookup {
    names(&[
        ("loopback.example", &["127.0.0.1"]),
        ("loopback6.example", &["::1"]),
        ("mapped.example", &["::ffff:127.0.0.1"]),
        ("unspecified.example", &["0.0.0.0", "::"]),
        ("intranet.example", &["10.0.0.1", "192.168.0.1"]),
        ("metadata.example", &["169.254.169.254"]),
        ("origin.example", &["127.0.0.1"]),
    ])
}

/// Addresses of this machine's network cards, which a private network may reach it under: connecting a datagram socket sends
/// nothing and shows the address that it would be sent from.
fn own_addresses() -> Vec<IpAddr> {
    let towards = |target: &str, from: &str| {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(target).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    [towards("192.0.2.1:9", "0.0.0.0:0"), towards("[2001:db8::1]:9", "[::]:0")].into_iter().flatten().collect()
}

#[tokio::test]
async fn no_spelling_of_a_private_address_is_connected_to() {
    assert!(VECTORS.len() >= 60);
    // Both families, all addresses of the machine: whatever gets through is counted.
    let any = if std::net::TcpListener::bind("[::]:0").is_ok() { "[::]:0" } else { "0.0.0.0:0" };
    let listener = Origin::start_on(any, |_, _, _| answer("200 OK", "", FEED.as_bytes())).await;
    let port = listener.address.port();
    let targets: Vec<String> = VECTORS.iter().map(|vector| vector.replace("PORT", &port.to_string())).collect();
    let redirects = targets.clone();
    let redirecting = Origin::start(move |path, _, _| {
        let number: usize = path.trim_start_matches('/').parse().unwrap();
        // As bytes: not all of them are what a header may hold.
        redirect(
            if number.is_multiple_of(2) { "302 Found" } else { "308 Permanent Redirect" },
            redirects[number].trim(),
        )
    })
    .await;
    // Only the redirecting server is allowed, by its port; nothing else of this machine is.
    let config = FetchConfig { allow_private_hosts: vec![redirecting.address.to_string()], ..FetchConfig::default() };
    let fetcher = Fetcher::with_lookup(config.with_spacing_ms(0), hostile_names()).unwrap();
    for (number, target) in targets.iter().enumerate() {
        let direct = poll(&fetcher, &Feed::new(target.as_str(), FeedOrigin::User), None, now()).await;
        let class = direct.state.error.map(|error| error.class).unwrap_or_default();
        assert!(matches!(class.as_str(), "private_address" | "url"), "{target}: {class}");
        // No control character, nor bytes beyond ASCII, go through every server; those that do must not get further.
        let hop = redirecting.feed(&format!("/{number}"));
        let redirected = poll(&fetcher, &hop, None, now()).await;
        let class = redirected.state.error.map(|error| error.class).unwrap_or_default();
        assert!(matches!(class.as_str(), "private_address" | "url" | "redirect" | "protocol"), "{target}: {class}");
        // A page too, and its `robots.txt` before it.
        if let Ok(url) = Url::parse(target) {
            let class = fetcher.page(&url, now()).await.map_or_else(|error| error.class(), |_| "fetched");
            assert!(matches!(class, "private_address" | "url"), "{target}: {class}");
        }
    }
    for own in own_addresses().into_iter().filter(|own| !chipwire_feeds::address::is_public(*own)) {
        let host = if own.is_ipv6() { format!("[{own}]") } else { own.to_string() };
        let feed = Feed::new(format!("http://{host}:{port}/"), FeedOrigin::User);
        let error = poll(&fetcher, &feed, None, now()).await.state.error.unwrap();
        assert_eq!(error.class, "private_address", "{own}");
    }
    assert_eq!(listener.connections.load(Ordering::SeqCst), 0, "connections that should not have been");

    // The listener is there: it counts those who may.
    let config = FetchConfig { allow_private_hosts: vec!["127.0.0.0/8".to_owned()], ..FetchConfig::default() }
        .with_spacing_ms(0);
    let fetcher = Fetcher::with_lookup(config, hostile_names()).unwrap();
    for host in ["127.0.0.1", "origin.example"] {
        let feed = Feed::new(format!("http://{host}:{port}/"), FeedOrigin::User);
        assert_eq!(poll(&fetcher, &feed, None, now()).await.articles.len(), 1, "{host}");
    }
    assert_eq!(listener.connections.load(Ordering::SeqCst), 2);
}

/// A name server that says something else each time it is asked.
#[tokio::test]
async fn a_name_that_changes_its_mind_is_judged_at_each_connection() {
    let listener = Origin::start(|_, _, _| Reply::Bytes(Vec::new())).await;
    let port = listener.address.port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // Public at first: an address that nothing answers under, since it was given back (RFC 3701).
    let lookup: Lookup = Arc::new(move |_| {
        let private = count.fetch_add(1, Ordering::SeqCst) > 0;
        let answers: &[&str] = if private { &["127.0.0.1"] } else { &["3ffe::1"] };
        Box::pin(async move { Ok(answers.iter().map(|address| address.parse().unwrap()).collect()) })
    });
    let config = FetchConfig { connect_timeout_ms: 50, ..FetchConfig::default() }.with_spacing_ms(0);
    let fetcher = Fetcher::with_lookup(config.clone(), Arc::clone(&lookup)).unwrap();
    let url = Url::parse(&format!("http://rebinding.example:{port}/")).unwrap();
    let request = Request { url: &url, etag: None, last_modified: None, headers: &[] };
    let first = fetcher.get(request, now()).await.unwrap_err();
    assert!(matches!(first.class(), "connect" | "timeout"), "{first}");
    // A fetcher that remembers nothing asks anew.
    let second = Fetcher::with_lookup(config, lookup).unwrap().get(request, now()).await.unwrap_err();
    assert_eq!(second.class(), "private_address", "{second}");
    assert!(second.to_string().contains("(127.0.0.1)"), "{second}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(listener.connections.load(Ordering::SeqCst), 0);
}
