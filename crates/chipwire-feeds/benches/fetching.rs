//! Polls of an origin on this machine against a bare loop of the same HTTP client, and what healthy feeds lose while others are
//! hostile: `cargo bench -p chipwire-feeds --bench fetching`.
//!
//! Every figure is a rate and its ratio to a reference that ran right before and after it. The state of each feed is made
//! durable in an embedded log, as the pipeline does it: what has come together is one transaction. Among the tests it runs
//! once and briefly, which only says that it runs.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may panic, and prints its result")]

use std::{
    io::Write as _,
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use chipwire_events::{Event, Feed, FeedItems, FeedOrigin, FeedState, ItemState, Timestamp, Topic};
use chipwire_feeds::{FetchConfig, Fetcher, Outcome, Request, poll, poll_recalling};
use chipwire_log::{Cleanup, EventLog, Record, TopicSpec, sqlite::Access, sqlite::SqliteLog};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Barrier,
    task::JoinSet,
};
use url::Url;

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Requests at one time, in the bare loop as in ours.
const AT_ONCE: usize = 32;

/// What comes within so long of the first is written together.
const GATHERED: Duration = Duration::from_millis(10);

/// How long each measurement lasts.
const MEASURED: Duration = Duration::from_secs(2);

/// Measurements, each between two of the reference.
const ROUNDS: usize = 7;

/// How long each is measured among the tests.
const MEASURED_BRIEFLY: Duration = Duration::from_millis(100);

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (rounds_wanted, measured) = if is_bench { (ROUNDS, MEASURED) } else { (1, MEASURED_BRIEFLY) };
    let server = serve();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!(
        "loopback, {AT_ONCE} at a time, on the runtime that the program has; rates per second, the median of {rounds_wanted}\n"
    );
    println!("{:<58} {:>9} {:>9} {:>6}", "", "bare", "chipwire", "ratio");
    let rows = [
        ("304, polled, state durable", "/304", Mode::Poll, true),
        ("304, polled, state not kept", "/304", Mode::Poll, false),
        ("200 of 80 KB gzipped, fetched, state durable", "/full", Mode::Fetch, true),
        ("200 of 80 KB gzipped, parsed (bare: feed-rs), state durable", "/full", Mode::Poll, true),
    ];
    // Rows can be chosen: `cargo bench -p chipwire-feeds --bench fetching -- 304`.
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_chosen = |what: &str| chosen.is_empty() || chosen.iter().any(|part| what.contains(part.as_str()));
    for (what, path, mode, durable) in rows.into_iter().filter(|(what, ..)| is_chosen(what)) {
        let mut rounds: Vec<(f64, f64)> = (0..rounds_wanted)
            .map(|_| {
                let before = runtime.block_on(bare(server, path, mode, measured));
                let ours = runtime.block_on(chipwire(server, path, mode, durable, measured));
                let after = runtime.block_on(bare(server, path, mode, measured));
                ((before + after) / 2.0, ours)
            })
            .collect();
        rounds.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
        let (bare, ours) = *rounds.get(rounds_wanted / 2).unwrap();
        println!("{what:<58} {bare:>9.0} {ours:>9.0} {:>6.2}", ours / bare);
    }
    if !is_bench || !is_chosen("healthy") {
        return;
    }
    println!(
        "\nhealthy feeds on hosts that take 20 ms to answer, polled in rounds; a feed that failed rests as scheduled\n"
    );
    let multi = tokio::runtime::Runtime::new().unwrap();
    let alone = multi.block_on(mixed(server, 0));
    let among = multi.block_on(mixed(server, 10));
    let again = multi.block_on(mixed(server, 0));
    let alone = (alone + again) / 2.0;
    println!("healthy polls per second, 0 of 1,000 feeds hostile        {alone:>9.0}");
    println!(
        "healthy polls per second, 10 of 1,000 feeds hostile       {among:>9.0}   loss {:.1} %",
        100.0 * (1.0 - among / alone)
    );
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Fetch,
    Poll,
}

/// A feed of about 80 KB.
fn document() -> Vec<u8> {
    let mut text = "<?xml version='1.0'?><rss version='2.0'><channel><title>Chips</title>".to_owned();
    for item in 0..40 {
        text.push_str(&format!(
            "<item><guid>https://example.org/{item}</guid><link>https://example.org/{item}</link>\
             <title>Wafer news {item}</title><pubDate>Sun, 01 Mar 2026 {:02}:30:00 GMT</pubDate><description><![CDATA[",
            item % 24
        ));
        for word in 0..70 {
            text.push_str(&format!("<p>foundry {} ships</p>", (item * 7_919 + word * 104_729) % 9_973));
        }
        text.push_str("]]></description></item>");
    }
    (text + "</channel></rss>").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Starts the origin on a thread of its own, on every address of this machine.
fn serve() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let body = gzip(&document());
            let head = format!(
                "HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let full: Arc<[u8]> = [head.as_bytes(), &body].concat().into();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(socket, Arc::clone(&full)));
            }
        });
    });
    told.recv().unwrap()
}

/// Answers what is asked for on one connection; a client that goes away ends it.
async fn answer(mut socket: TcpStream, full: Arc<[u8]>) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = vec![0; 4_096];
    let mut length = 0;
    loop {
        let read = socket.read(buffer.get_mut(length..).unwrap()).await?;
        if read == 0 {
            return Ok(());
        }
        length += read;
        let head = buffer.get(..length).unwrap();
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default().to_owned();
        length = 0;
        match path.as_slice() {
            b"/304" => socket.write_all(b"HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n").await?,
            b"/full" => socket.write_all(&full).await?,
            b"/20ms" => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                socket.write_all(b"HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n").await?;
            }
            b"/stuck" => std::future::pending().await,
            b"/drip" => {
                socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                loop {
                    socket.write_all(b" ").await?;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            b"/head" => loop {
                socket.write_all(&[b'x'; 4_096]).await?;
            },
            b"/endless" => {
                socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                loop {
                    socket.write_all(&[b' '; 65_536]).await?;
                }
            }
            b"/bomb" => {
                let bomb = gzip(&vec![b' '; 64 << 20]);
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
                socket.write_all(head.as_bytes()).await?;
                socket.write_all(&bomb).await?;
            }
            _ => return Ok(()),
        }
    }
}

/// The addresses that one of the tasks asks in turn: each host has its own.
fn urls(server: SocketAddr, task: usize, path: &str) -> Vec<Url> {
    (1..=8).map(|host| Url::parse(&format!("http://127.0.{task}.{host}:{}{path}", server.port())).unwrap()).collect()
}

/// Requests per second of the client alone.
async fn bare(server: SocketAddr, path: &'static str, mode: Mode, measured: Duration) -> f64 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..AT_ONCE {
        let (client, urls) = (client.clone(), urls(server, task, path));
        tasks.spawn(async move {
            let mut done = 0_u64;
            for url in urls.iter().cycle() {
                if start.elapsed() > measured {
                    break;
                }
                let response = client.get(url.clone()).header("if-none-match", "\"1\"").send().await.unwrap();
                let body = response.bytes().await.unwrap();
                if mode == Mode::Poll && !body.is_empty() {
                    feed_rs::parser::parse(body.as_ref()).unwrap();
                }
                done += 1;
            }
            done
        });
    }
    tasks.join_all().await.iter().sum::<u64>() as f64 / start.elapsed().as_secs_f64()
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// Writes states to a log, in one transaction those that come within the time in which the pipeline's stage gathers them; ends
/// when the last sender is gone. Gives how many there were, and when the last of them was durable.
fn persist() -> (mpsc::Sender<Event>, thread::JoinHandle<(usize, Instant)>) {
    let (sender, receiver) = mpsc::channel::<Event>();
    let thread = thread::Builder::new().name("persist".to_owned()).spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(&folder.path().join("log.db"), Access::Create).unwrap();
        let name: Arc<str> = Topic::FeedStates.name().into();
        let partitions = Topic::FeedStates.partitions();
        log.ensure(&[TopicSpec { name: Arc::clone(&name), partitions, cleanup: Cleanup::Compact }]).unwrap();
        let mut writer = log.writer("bench").unwrap();
        let (mut written, mut durable) = (0, Instant::now());
        while let Ok(first) = receiver.recv() {
            thread::sleep(GATHERED);
            let records: Vec<Record> = std::iter::once(first)
                .chain(receiver.try_iter())
                .map(|event| {
                    let message = event.encode(now(), None).unwrap();
                    let (key, value) = (message.key.into_bytes(), message.value);
                    let (partition, headers) = (message.partition, message.headers);
                    Record { topic: Arc::clone(&name), partition, key, headers, value }
                })
                .collect();
            writer.append(&records).unwrap();
            written += records.len();
            durable = Instant::now();
        }
        (written, durable)
    });
    (sender, thread.unwrap())
}

/// A feed of the origin, and what is known of it: the items that were seen apart from the state, as the pipeline keeps them.
struct Followed {
    feed: Feed,
    url: Url,
    state: Option<FeedState>,
    items: Arc<[ItemState]>,
}

/// Requests per second of ours, up to the moment at which the last state is durable.
async fn chipwire(server: SocketAddr, path: &'static str, mode: Mode, durable: bool, measured: Duration) -> f64 {
    let config = FetchConfig { allow_private_hosts: vec!["127.0.0.0/8".to_owned()], ..FetchConfig::default() };
    let fetcher = Arc::new(Fetcher::new(config.with_spacing_ms(0)).unwrap());
    let (sender, persisting) = persist();
    let ready = Arc::new(Barrier::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for task in 0..AT_ONCE {
        let ready = Arc::clone(&ready);
        let (fetcher, sender, urls) = (Arc::clone(&fetcher), sender.clone(), urls(server, task, path));
        tasks.spawn(async move {
            let mut feeds = Vec::new();
            for url in urls {
                // What is known about the feed: its 40 items.
                let feed = Feed::new(url.as_str().replace("/304", "/full"), FeedOrigin::User);
                let mut state = poll(&fetcher, &feed, None, now()).await.state;
                state.url = url.to_string();
                let items = std::mem::take(&mut state.items).into();
                feeds.push(Followed { feed: Feed { url: url.to_string(), ..feed }, url, state: Some(state), items });
            }
            ready.wait().await;
            let (begun, mut done, mut written) = (Instant::now(), 0_u64, 0);
            while begun.elapsed() < measured {
                for Followed { feed, url, state, items } in &mut feeds {
                    let Some(known) = state.take() else { continue };
                    let mut next = match mode {
                        Mode::Poll => {
                            let seen = Arc::clone(items);
                            let polled =
                                poll_recalling(&fetcher, feed, Some(known), move || Ok(seen.to_vec()), now()).await;
                            assert!(polled.state.error.is_none(), "{:?}", polled.state.error);
                            polled.state
                        }
                        Mode::Fetch => {
                            let request =
                                Request { url, etag: known.etag.as_deref(), last_modified: None, headers: &[] };
                            let fetched = fetcher.get(request, now()).await.unwrap();
                            assert!(fetched.body.len() > 70_000);
                            FeedState { etag: fetched.etag, ..known }
                        }
                    };
                    let read = std::mem::take(&mut next.items);
                    if durable {
                        sender.send(Event::FeedPolled(next.clone())).unwrap();
                        written += 1;
                    }
                    if durable && !read.is_empty() {
                        let read = FeedItems { feed: feed.id.clone(), items: read };
                        *items = read.items.clone().into();
                        sender.send(Event::FeedRead(read)).unwrap();
                        written += 1;
                    }
                    *state = Some(next);
                    done += 1;
                }
            }
            (done, begun, written)
        });
    }
    drop(sender);
    let done = tasks.join_all().await;
    let end = Instant::now();
    let (persisted, last) = tokio::task::spawn_blocking(|| persisting.join().unwrap()).await.unwrap();
    let total: u64 = done.iter().map(|(done, ..)| done).sum();
    assert_eq!(done.iter().map(|(.., written)| written).sum::<usize>(), persisted);
    // The first polls of each feed are not counted, nor the time that they took.
    let begun = done.iter().map(|(_, begun, _)| *begun).min().unwrap_or(end);
    total as f64 / end.max(last).duration_since(begun).as_secs_f64()
}

/// Polls per second of the healthy among 1,000 feeds, of which so many are hostile, all polled in rounds for 40 s.
async fn mixed(server: SocketAddr, hostile: usize) -> f64 {
    let config = FetchConfig { allow_private_hosts: vec!["127.0.0.0/8".to_owned()], ..FetchConfig::default() };
    let at_once = config.max_concurrent;
    let fetcher = Arc::new(Fetcher::new(config.with_spacing_ms(0)).unwrap());
    let mut feeds: Vec<(Feed, Option<FeedState>)> = (0..1_000)
        .map(|number| {
            let bad = ["/stuck", "/drip", "/head", "/endless", "/bomb"];
            let path = if number < hostile { bad.iter().cycle().nth(number).unwrap() } else { "/20ms" };
            let url = format!("http://127.1.{}.{}:{}{path}", number / 250, number % 250 + 1, server.port());
            (Feed::new(url, FeedOrigin::User), None)
        })
        .collect();
    for (feed, state) in &mut feeds {
        if feed.url.ends_with("/20ms") {
            let full = Feed::new(feed.url.replace("/20ms", "/full"), FeedOrigin::User);
            let known = poll(&fetcher, &full, None, now()).await.state;
            *state = Some(FeedState { url: feed.url.clone(), feed: feed.id.clone(), ..known });
        }
    }
    let clock = Instant::now();
    let (mut healthy, mut waiting) = (0_u64, std::collections::VecDeque::from(feeds));
    let mut polls = JoinSet::new();
    while clock.elapsed() < Duration::from_secs(40) {
        while polls.len() < at_once
            && let Some((feed, state)) = waiting.pop_front()
        {
            let elapsed = jiff::SignedDuration::try_from(clock.elapsed()).unwrap();
            let rests = state
                .as_ref()
                .is_some_and(|state: &FeedState| state.error.is_some() && state.next_poll > now() + elapsed);
            if rests {
                waiting.push_back((feed, state));
                continue;
            }
            let fetcher = Arc::clone(&fetcher);
            polls.spawn(async move {
                let polled = poll(&fetcher, &feed, state, now() + elapsed).await;
                (feed, polled)
            });
        }
        let Some(Ok((feed, polled))) = polls.join_next().await else { break };
        healthy += u64::from(polled.outcome == Outcome::NotModified);
        waiting.push_back((feed, Some(polled.state)));
    }
    healthy as f64 / clock.elapsed().as_secs_f64()
}
