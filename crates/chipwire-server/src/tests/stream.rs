use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use super::{HOSTILE, Server};
use crate::{
    News, StreamItem,
    testing::{alert, document},
};

/// The server on a real socket.
struct Running {
    server: Server,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    stopped: tokio::task::JoinHandle<()>,
}

async fn start(server: Server) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = oneshot::channel::<()>();
    let stopped = tokio::spawn(crate::serve(listener, server.app.clone(), async {
        let _ = stopping.await;
    }));
    Running { server, address, stop, stopped }
}

/// A client that has read the head of the answer.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn open(address: SocketAddr, path: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut client = Self(BufReader::new(stream));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(client.0.read_line(&mut head).await.unwrap(), 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        client
    }

    /// The next event as `name id data`; `None` at the end of the stream.
    async fn event(&mut self) -> Option<(String, String, String)> {
        let mut event = (String::new(), String::new(), String::new());
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            match line.split_once(": ") {
                Some(("event", name)) => event.0 = name.to_owned(),
                Some(("id", id)) => event.1 = id.to_owned(),
                Some(("data", data)) => event.2 = data.to_owned(),
                // An empty line ends the event; the others are lengths of chunks.
                _ if line.is_empty() && !event.0.is_empty() => return Some(event),
                _ => {}
            }
        }
    }
}

fn article(id: &str, title: &str) -> StreamItem {
    let document = document(id, title, "", "2026-11-20T12:30:00Z", &["company:nvidia"]);
    StreamItem { id: format!("pos-{id}"), news: News::Article(Box::new(document)) }
}

#[tokio::test]
async fn what_happens_is_told_at_once_and_again_on_request() {
    let running = start(Server::new()).await;
    let board = running.server.app.board.clone();
    let mut client = Client::open(running.address, "/v1/stream", "").await;
    board.publish(article("n1", HOSTILE));
    board.publish(StreamItem { id: "pos-2".to_owned(), news: News::Alert(Box::new(alert(2))) });

    let (name, id, data) = client.event().await.unwrap();
    assert_eq!((name.as_str(), id.as_str()), ("article", "pos-n1"));
    let data: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(data["title"], HOSTILE);
    assert_eq!(data["mentions"][0]["entity"], "nvidia");
    let (name, id, data) = client.event().await.unwrap();
    assert_eq!((name.as_str(), id.as_str()), ("alert", "pos-2"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&data).unwrap()["title"], "Alert 2");

    // A client that comes back gets what it missed; one from long ago is told that it missed more.
    let mut again = Client::open(running.address, "/v1/stream", "Last-Event-ID: pos-n1\r\n").await;
    assert_eq!(again.event().await.unwrap().1, "pos-2");
    let mut late = Client::open(running.address, "/v1/stream", "Last-Event-ID: pos-0\r\n").await;
    assert_eq!(late.event().await.unwrap().0, "gap");
    assert_eq!(late.event().await.unwrap().1, "pos-n1");
}

#[tokio::test]
async fn a_query_picks_articles() {
    let running = start(Server::new()).await;
    let board = running.server.app.board.clone();
    let mut client = Client::open(running.address, "/v1/stream?query=company%3Anvidia+h20", "").await;
    board.publish(article("n1", "Nvidia earnings"));
    board.publish(StreamItem { id: "pos-2".to_owned(), news: News::Alert(Box::new(alert(2))) });
    board.publish(article("n3", "Nvidia's H20"));
    assert_eq!(client.event().await.unwrap().1, "pos-n3");
}

#[tokio::test]
async fn stopping_ends_the_streams() {
    let running = start(Server::new()).await;
    let mut client = Client::open(running.address, "/v1/stream", "").await;
    running.stop.send(()).unwrap();
    assert_eq!(client.event().await, None);
    tokio::time::timeout(Duration::from_secs(4), running.stopped).await.expect("no wait for the time-out").unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn streams_are_counted() {
    let mut server = Server::new();
    server.app.config.max_streams = 1;
    let running = start(server).await;
    let first = Client::open(running.address, "/v1/stream", "").await;
    let mut second = TcpStream::connect(running.address).await.unwrap();
    let request = format!("GET /v1/stream HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", running.address);
    second.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    second.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("too many live streams are open"), "{answer}");
    drop(first);
}
