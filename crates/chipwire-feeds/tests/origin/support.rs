//! A server on a real socket that does what a test's script says, down to the byte.

use std::{
    io::Write as _,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chipwire_events::{Feed, FeedOrigin, Timestamp};
use chipwire_feeds::{FetchConfig, Fetcher, Lookup, Outcome, Poll, poll};
use expect_test::Expect;
use jiff::SignedDuration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// What the server does with a request.
pub(crate) enum Reply {
    /// Sends this and closes the connection.
    Bytes(Vec<u8>),
    /// Sends this, then the other again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// Sends this, then a byte after each pause.
    Drip(Vec<u8>, Duration),
    /// Sends this, then no more, and leaves the connection open.
    Stuck(Vec<u8>),
    /// Sends this and closes its half of the connection only.
    HalfClosed(Vec<u8>),
    /// Sends this and breaks the connection off (RST).
    Reset(Vec<u8>),
}

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
    pub(crate) most_at_once: Arc<AtomicUsize>,
    /// Connections that were opened, whether anything was asked or not.
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Origin {
    /// Starts a server on 127.0.0.1.
    pub(crate) async fn start(script: impl Fn(&str, usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_on("127.0.0.1:0", script).await
    }

    /// Starts a server; `script` gets the path, the number of the request from 0 and the whole request.
    pub(crate) async fn start_on(
        listen: &str,
        script: impl Fn(&str, usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(listen).await.unwrap();
        let origin = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            most_at_once: Arc::default(),
            connections: Arc::default(),
        };
        let (seen, most) = (Arc::clone(&origin.requests), Arc::clone(&origin.most_at_once));
        let (script, at_once) = (Arc::new(script), Arc::new(AtomicUsize::new(0)));
        let connections = Arc::clone(&origin.connections);
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (script, seen, at_once, most) =
                    (Arc::clone(&script), Arc::clone(&seen), Arc::clone(&at_once), Arc::clone(&most));
                tokio::spawn(async move {
                    let Some(request) = read_request(&mut socket).await else { return };
                    most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let path = request.split(' ').nth(1).unwrap().to_owned();
                    let number = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    // A client that hangs up in the middle is what some of the tests want.
                    let _ = send(socket, script(&path, number, &request)).await;
                    at_once.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        origin
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub(crate) fn feed(&self, path: &str) -> Feed {
        Feed::new(self.url(path), FeedOrigin::User)
    }

    /// A configuration that lets this server be asked, with no pauses.
    pub(crate) fn config(&self) -> FetchConfig {
        FetchConfig {
            allow_private_hosts: vec![self.address.to_string()],
            max_body_bytes: 1 << 20,
            total_timeout_ms: 20_000,
            ..FetchConfig::default()
        }
        .with_spacing_ms(0)
    }

    pub(crate) fn fetcher(&self, change: impl FnOnce(&mut FetchConfig)) -> Fetcher {
        let mut config = self.config();
        change(&mut config);
        Fetcher::new(config).unwrap()
    }

    pub(crate) fn last_request(&self) -> String {
        self.requests.lock().unwrap().last().unwrap().clone()
    }

    /// The paths that were asked for, in order.
    pub(crate) fn paths(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|request| request.split(' ').nth(1).unwrap().to_owned()).collect()
    }
}

/// A request with its body.
async fn read_request(socket: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let mut request = String::from_utf8(head).unwrap();
    let length = request.to_ascii_lowercase();
    let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    socket.read_exact(&mut body).await.ok()?;
    request.push_str(&String::from_utf8(body).unwrap());
    Some(request)
}

async fn send(mut socket: TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Bytes(bytes) => {
            socket.write_all(&bytes).await?;
            socket.shutdown().await
        }
        Reply::Endless(head, piece) => {
            socket.write_all(&head).await?;
            loop {
                socket.write_all(&piece).await?;
            }
        }
        Reply::Drip(head, pause) => {
            socket.write_all(&head).await?;
            loop {
                socket.write_all(b" ").await?;
                tokio::time::sleep(pause).await;
            }
        }
        Reply::Stuck(bytes) => {
            socket.write_all(&bytes).await?;
            until_gone(&mut socket).await
        }
        Reply::HalfClosed(bytes) => {
            socket.write_all(&bytes).await?;
            socket.shutdown().await?;
            until_gone(&mut socket).await
        }
        Reply::Reset(bytes) => {
            socket.write_all(&bytes).await?;
            socket.set_zero_linger()
        }
    }
}

async fn until_gone(socket: &mut TcpStream) -> std::io::Result<()> {
    while socket.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}

pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    Reply::Bytes([head.as_bytes(), body].concat())
}

pub(crate) fn redirect(status: &str, to: &str) -> Reply {
    answer(status, &format!("location: {to}\r\n"), b"")
}

pub(crate) const FEED: &str =
    "<rss version='2.0'><channel><title>Chips</title><item><guid>1</guid><title>One</title></item></channel></rss>";

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn later(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

/// A name server with these names; every other is unknown.
pub(crate) fn names(names: &[(&'static str, &'static [&'static str])]) -> Lookup {
    let names = names.to_vec();
    Arc::new(move |host| {
        let found = names.iter().find(|(name, _)| *name == host).map(|(_, addresses)| *addresses);
        Box::pin(async move {
            let found = found.ok_or_else(|| std::io::Error::other(format!("there is no {host}")))?;
            Ok(found.iter().map(|address| address.parse::<IpAddr>().unwrap()).collect())
        })
    })
}

/// What came of a poll, in one line; addresses of this machine as `HOST`.
pub(crate) fn summary(poll: &Poll, origin: &Origin) -> String {
    let text = match (&poll.outcome, &poll.state.error) {
        (Outcome::Failed(class), Some(error)) => format!("{class}: {}", error.message),
        (Outcome::NotModified, None) => "not modified".to_owned(),
        (Outcome::Deferred, None) => "deferred".to_owned(),
        (Outcome::Read { new, .. }, None) => {
            let titles: Vec<&str> = poll.articles.iter().map(|article| article.title.as_str()).collect();
            format!("{new} new from {}: {}", poll.state.title.as_deref().unwrap_or("-"), titles.join(", "))
        }
        (outcome, error) => format!("{outcome:?} and {error:?} do not fit"),
    };
    text.replace(&origin.address.to_string(), "HOST").replace(&origin.address.ip().to_string(), "IP")
}

pub(crate) async fn check(origin: &Origin, path: &str, expected: &Expect) -> Poll {
    check_with(origin, path, |_| {}, expected).await
}

pub(crate) async fn check_with(
    origin: &Origin,
    path: &str,
    change: impl FnOnce(&mut FetchConfig),
    expected: &Expect,
) -> Poll {
    let poll = poll(&origin.fetcher(change), &origin.feed(path), None, now()).await;
    expected.assert_eq(&summary(&poll, origin));
    assert!(poll.state.next_poll > now());
    poll
}
