//! A feed that a hub pushes (WebSub): subscribed, verified and pushed over real sockets, through a restart.

use std::{collections::HashMap, fs, sync::mpsc};

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::Html,
    routing::{get, post},
};
use chipwire_events::{Event, Topic};
use hmac::{Hmac, KeyInit, Mac};

use crate::support::{Backend, PATIENCE, Site, Tail, runtime};

/// A site with a feed that names a hub, and the hub. Gives the feed's address and what the hub is asked for.
fn start_hub() -> (String, mpsc::Receiver<HashMap<String, String>>) {
    let (sender, forms) = mpsc::channel();
    let listener = runtime().block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let link = format!("<http://{address}/hub>; rel=\"hub\", <http://{address}/topic>; rel=\"self\"");
    let feed = async move || {
        (
            [(header::CONTENT_TYPE, "application/rss+xml".to_owned()), (header::LINK, link)],
            document(&[1], &format!("http://{address}")),
        )
    };
    let page = async |Path(number): Path<usize>| {
        let text = format!(
            "<p>{}</p>",
            "The page of the article says, at some length and with commas, what the feed leaves out. ".repeat(16)
        );
        Html(format!("<html><body><article><h1>H20 news {number}</h1>{text}</article></body></html>"))
    };
    let subscribe = async move |form: String| {
        sender.send(url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()).unwrap();
        StatusCode::ACCEPTED
    };
    let router =
        Router::new().route("/feed", get(feed)).route("/hub", post(subscribe)).route("/page/{number}", get(page));
    runtime().spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}/feed"), forms)
}

fn document(numbers: &[usize], address: &str) -> String {
    let item = |number: &usize| {
        let link = format!("{address}/page/{number}");
        format!("<item><guid>{number}</guid><title>H20 news {number}</title><link>{link}</link></item>")
    };
    let items: String = numbers.iter().map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>Pushed</title>{items}</channel></rss>")
}

/// The callback address, at the address that the server has.
fn callback(form: &HashMap<String, String>, address: &str) -> String {
    form["hub.callback"].replacen("https://callback.invalid/base", &format!("http://{address}"), 1)
}

fn verify(form: &HashMap<String, String>, address: &str) {
    let mut url = url::Url::parse(&callback(form, address)).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("hub.mode", "subscribe"),
        ("hub.topic", &form["hub.topic"]),
        ("hub.challenge", "do you?"),
        ("hub.lease_seconds", "864000"),
    ]);
    let answer = runtime().block_on(async { reqwest::get(url).await.unwrap().text().await.unwrap() });
    assert_eq!(answer, "do you?");
}

fn push(form: &HashMap<String, String>, address: &str, secret: &str, body: String) -> u16 {
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = reqwest::Client::new()
        .post(callback(form, address))
        .header(header::CONTENT_TYPE, "application/rss+xml")
        .header("x-hub-signature", format!("sha256={hex}"))
        .body(body);
    runtime().block_on(async { request.send().await.unwrap().status().as_u16() })
}

fn check(backend: Backend, name: &str) {
    let site = Site::new(backend, name);
    let (feed, forms) = start_hub();
    let origin = feed.trim_end_matches("/feed");
    // Polled once a day: whatever else comes was pushed.
    let config = fs::read_to_string(site.config()).unwrap();
    let config = config
        .replace(&site.origin.url("/feed.xml"), &feed)
        .replace("min_interval_s = 1\nmax_interval_s = 1\n", "min_interval_s = 86400\nmax_interval_s = 86400\n")
        .replace("article_pages = \"never\"\n", "article_pages = \"auto\"\n")
        .replace("[fetch]\n", "[fetch]\nwebsub_callback = \"https://callback.invalid/base\"\n");
    fs::write(site.config(), config).unwrap();

    let process = site.spawn(&["run"]);
    let form = forms.recv_timeout(PATIENCE).unwrap();
    // The hub asks back while the poll is under way that has asked it.
    verify(&form, &process.address);
    let mut articles = Tail::new(&site.log(), Topic::ArticlesRaw);
    articles.until("the poll", |events| titles(events) == ["H20 news 1"]);
    assert_eq!(push(&form, &process.address, &form["hub.secret"], document(&[2, 1], origin)), 202);
    articles.until("the push", |events| titles(events) == ["H20 news 1", "H20 news 2"]);
    assert_eq!(push(&form, &process.address, "guessed", document(&[666], origin)), 202, "whoever sends cannot tell");
    process.terminate();

    // After a restart the subscription is what it was.
    let process = site.spawn(&["run"]);
    assert_eq!(push(&form, &process.address, &form["hub.secret"], document(&[3, 2], origin)), 202);
    articles.until("the push after the restart", |events| titles(events) == ["H20 news 1", "H20 news 2", "H20 news 3"]);
    process.terminate();
    assert!(forms.try_recv().is_err(), "asked once");
    let known = Tail::new(&site.log(), Topic::FeedStates).all();
    let mut states =
        known.iter().filter_map(|event| if let Event::FeedPolled(state) = event { Some(state) } else { None });
    let state = states.next_back().unwrap();
    let subscription = state.websub.as_ref().unwrap();
    assert!(subscription.relied_on && subscription.until.is_some());
    assert_eq!((state.articles, subscription.error.as_deref()), (3, None));

    // What was pushed has its page, as what was polled would have.
    let is_whole = |event: &Event| match event {
        Event::ArticleFetched(article) => article.body.contains("what the feed leaves out"),
        _ => false,
    };
    let whole: Vec<bool> = Tail::new(&site.log(), Topic::ArticlesRaw).all().iter().map(is_whole).collect();
    assert_eq!(whole, [true; 3]);

    // What was taken in is removed, and nothing secret was ever written.
    let feeds = site.log().backend().state(site.log().name(Topic::Feeds), None).unwrap();
    assert_eq!(feeds.records.len(), 1);
    for topic in Topic::ALL {
        let events = format!("{:?}", Tail::new(&site.log(), topic).all());
        assert!(!events.contains(&form["hub.secret"]), "the secret is in {}", topic.name());
    }
}

fn titles(events: &[Event]) -> Vec<String> {
    let of = |event: &Event| match event {
        Event::ArticleFetched(article) => Some(article.title.clone()),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn a_feed_is_pushed_on_sqlite() {
    check(Backend::Sqlite, "hub-sqlite");
}

#[test]
fn a_feed_is_pushed_on_kafka() {
    check(Backend::Kafka, "hub-kafka");
}
