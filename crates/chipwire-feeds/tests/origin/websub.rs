use std::collections::HashMap;

use chipwire_events::{Feed, FeedOrigin, FeedState, HubNews, Timestamp};
use chipwire_feeds::{
    Fetcher, Outcome, poll,
    websub::{callback::Key, take_push},
};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use url::{Url, form_urlencoded};

use crate::support::{FEED, Origin, answer, later, now, redirect};

fn key() -> Key {
    Key::new([7; 32])
}

fn fetcher(hub: &Origin, site: &Origin) -> Fetcher {
    let fetcher = site.fetcher(|config| {
        config.allow_private_hosts.push(hub.address.to_string());
        config.websub_callback = Some("https://public.host/base".to_owned());
    });
    fetcher.with_websub(key()).unwrap()
}

/// What the last request asked the hub for.
fn asked(hub: &Origin) -> HashMap<String, String> {
    let request = hub.last_request();
    assert!(request.starts_with("POST /"), "{request}");
    assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"), "{request}");
    form_urlencoded::parse(request.split_once("\r\n\r\n").unwrap().1.as_bytes()).into_owned().collect()
}

/// Feed and token of a callback address.
fn callback(form: &HashMap<String, String>) -> (String, String) {
    let path = Url::parse(&form["hub.callback"]).unwrap().path().to_owned();
    let rest = path.strip_prefix("/base/websub/").unwrap();
    let (feed, token) = rest.split_once('/').unwrap();
    (feed.to_owned(), token.to_owned())
}

fn verify(feed: &Feed, form: &HashMap<String, String>, lease_s: u32, at: Timestamp) -> chipwire_events::FeedPush {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let query = [
        pair("hub.mode", "subscribe"),
        pair("hub.topic", &form["hub.topic"]),
        pair("hub.challenge", "abc"),
        pair("hub.lease_seconds", &lease_s.to_string()),
    ];
    let (of, token) = callback(form);
    assert_eq!(of, feed.id.as_str());
    let answer = key().asked(&feed.id, &token, &query, at);
    assert_eq!((answer.status, answer.body.as_str()), (200, "abc"));
    answer.push.unwrap()
}

fn push(feed: &Feed, form: &HashMap<String, String>, body: &str, at: Timestamp) -> Option<chipwire_events::FeedPush> {
    let mut mac = <Hmac<sha2::Sha512> as KeyInit>::new_from_slice(form["hub.secret"].as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let signature = format!("sha512={hex}");
    key().sent(&feed.id, &callback(form).1, Some(&signature), Some("text/xml"), body.as_bytes(), at).push
}

/// The state as it comes back from the log.
fn restarted(state: &FeedState) -> FeedState {
    let text = serde_json::to_string(state).unwrap();
    FeedState { items: state.items.clone(), ..serde_json::from_str(&text).unwrap() }
}

fn days(days: i64) -> Timestamp {
    later(24 * days)
}

fn document(guids: &[&str]) -> String {
    let items: String =
        guids.iter().map(|guid| format!("<item><guid>{guid}</guid><title>T {guid}</title></item>")).collect();
    format!("<rss version='2.0'><channel><title>Chips</title>{items}</channel></rss>")
}

#[tokio::test]
async fn a_feed_is_subscribed_pushed_renewed_and_still_polled_once_a_day() {
    let hub = Origin::start(|_, _, _| answer("202 Accepted", "", b"")).await;
    let hub_url = hub.url("/hub");
    let site = Origin::start(move |_, number, _| {
        let guids: &[&str] = if number < 3 { &["1"] } else { &["4", "3", "1"] };
        let links = format!("link: <{hub_url}>; rel=\"hub\"\r\nlink: </topic>; rel=self\r\n");
        answer("200 OK", &links, document(guids).as_bytes())
    })
    .await;
    let feed = site.feed("/feed");
    let first = poll(&fetcher(&hub, &site), &feed, None, now()).await;
    assert!(matches!(first.outcome, Outcome::Read { new: 1, .. }));
    let form = asked(&hub);
    assert_eq!(form["hub.mode"], "subscribe");
    assert_eq!(form["hub.topic"], site.url("/topic").as_str());
    assert_eq!(form["hub.lease_seconds"], "864000");
    let state = restarted(&first.state);
    let told = serde_json::to_string(&state).unwrap() + &format!("{state:?}");
    assert!(!told.contains(&form["hub.secret"]) && !told.contains(&callback(&form).1), "nothing secret is kept");

    // Verified, after a restart; polls go on as before, since nothing was pushed yet.
    let fetcher = fetcher(&hub, &site);
    let verified = take_push(&fetcher, &feed, Some(&state), &verify(&feed, &form, 864_000, now()));
    assert_eq!(verified.outcome, Outcome::Pushed);
    let subscription = verified.state.websub.as_ref().unwrap();
    assert_eq!((subscription.until, subscription.ask_at), (Some(days(10)), days(8)), "renewed at 80 % of the lease");
    assert_eq!(verified.state.next_poll, first.state.next_poll);

    // Pushed: what is new becomes articles, once, and the next poll is tomorrow.
    let content = push(&feed, &form, &document(&["2", "1"]), later(1)).unwrap();
    assert!(matches!(content.news, HubNews::Content { .. }));
    let pushed = take_push(&fetcher, &feed, Some(&restarted(&verified.state)), &content);
    let titles: Vec<&str> = pushed.articles.iter().map(|article| article.title.as_str()).collect();
    assert_eq!((titles, pushed.state.articles), (vec!["T 2"], 2));
    assert_eq!(pushed.state.next_poll, later(25));
    let again = take_push(&fetcher, &feed, Some(&restarted(&pushed.state)), &content);
    assert!(again.articles.is_empty(), "a hub may say everything twice");

    // The daily poll finds nothing that was not pushed: the hub is relied on.
    let daily = poll(&fetcher, &feed, Some(again.state.clone()), later(25)).await;
    assert!(matches!(daily.outcome, Outcome::Read { new: 0, .. }), "{:?}", daily.outcome);
    assert_eq!(daily.state.next_poll, later(49));
    assert_eq!(hub.paths().len(), 1, "asked once");

    // At 80 % of the lease the hub is asked again, with the same secret and address.
    let renewed = poll(&fetcher, &feed, Some(daily.state.clone()), days(8)).await;
    assert_eq!((hub.paths().len(), asked(&hub)), (2, form.clone()));
    let renewed = take_push(&fetcher, &feed, Some(&renewed.state), &verify(&feed, &form, 864_000, days(8)));
    assert_eq!(renewed.state.websub.as_ref().unwrap().until, Some(days(18)));

    // A poll that finds what was never pushed: back to polling at the feed's own pace.
    let missed = poll(&fetcher, &feed, Some(renewed.state.clone()), days(9)).await;
    assert!(matches!(missed.outcome, Outcome::Read { new: 2, .. }), "{:?}", missed.outcome);
    assert!(!missed.state.websub.as_ref().unwrap().relied_on);
    assert!(missed.state.next_poll < days(9) + SignedDuration::from_hours(24));
}

#[tokio::test]
async fn a_push_with_a_wrong_signature_is_forgotten() {
    let hub = Origin::start(|_, _, _| answer("202 Accepted", "", b"")).await;
    let document_hub = format!(
        "<rss version='2.0' xmlns:a='http://www.w3.org/2005/Atom'><channel><a:link rel='hub' href='{}'/></channel></rss>",
        hub.url("/")
    );
    let site = Origin::start(move |_, _, _| answer("200 OK", "", document_hub.as_bytes())).await;
    let feed = site.feed("/feed");
    poll(&fetcher(&hub, &site), &feed, None, now()).await;
    let mut form = asked(&hub);
    assert_eq!(form["hub.topic"], feed.url, "a feed that does not name itself is known by its address");
    assert!(push(&feed, &form, FEED, now()).is_some());
    form.insert("hub.secret".to_owned(), "guessed".to_owned());
    assert_eq!(push(&feed, &form, FEED, now()), None);
}

#[tokio::test]
async fn a_hub_that_fails_is_asked_again_with_patience() {
    let hub = Origin::start(|_, number, _| match number {
        0 => redirect("307 Temporary Redirect", "/moved"),
        1 | 2 => answer("500 Internal Server Error", "", b""),
        _ => answer("204 No Content", "", b""),
    })
    .await;
    let hub_url = hub.url("/hub");
    let site = Origin::start(move |_, number, _| {
        let link = if number < 4 { format!("link: <{hub_url}>; rel=hub\r\n") } else { String::new() };
        answer("200 OK", &link, FEED.as_bytes())
    })
    .await;
    let (fetcher, feed) = (fetcher(&hub, &site), site.feed("/"));
    let first = poll(&fetcher, &feed, None, now()).await.state;
    assert_eq!(hub.paths(), ["/hub", "/moved"]);
    let failed = first.websub.as_ref().unwrap();
    assert_eq!((failed.failures, failed.ask_at), (1, later(1)));
    assert_eq!(failed.error.as_deref(), Some("the hub answers with status 500"));
    assert!(first.error.is_none(), "the feed itself is well");

    let early = poll(&fetcher, &feed, Some(first.clone()), now() + SignedDuration::from_mins(30)).await.state;
    assert_eq!(hub.paths().len(), 2);
    let second = poll(&fetcher, &feed, Some(early.clone()), later(1)).await.state;
    assert_eq!(second.websub.as_ref().map(|hub| (hub.failures, hub.ask_at)), Some((2, later(3))));
    let third = poll(&fetcher, &feed, Some(second.clone()), later(3)).await.state;
    assert_eq!(third.websub.as_ref().map(|hub| (hub.failures, hub.ask_at)), Some((0, later(27))));
    // The feed no longer names a hub.
    let last = poll(&fetcher, &feed, Some(third.clone()), later(5)).await.state;
    assert_eq!((last.websub, hub.paths().len()), (None, 4));
}

#[tokio::test]
async fn no_hub_in_a_private_network_is_asked_and_none_without_a_callback() {
    let hub = Origin::start(|_, _, _| answer("202 Accepted", "", b"")).await;
    let hub_url = hub.url("/hub");
    let site =
        Origin::start(move |_, _, _| answer("200 OK", &format!("link: <{hub_url}>; rel=hub\r\n"), FEED.as_bytes()))
            .await;
    let feed = site.feed("/");
    let off =
        poll(&site.fetcher(|config| config.allow_private_hosts.push("127.0.0.0/8".to_owned())), &feed, None, now())
            .await;
    assert_eq!(off.state.websub, None);
    let guarded = site.fetcher(|config| config.websub_callback = Some("https://public.host".to_owned()));
    let refused = poll(&guarded.with_websub(key()).unwrap(), &feed, None, now()).await;
    assert!(refused.state.websub.unwrap().error.unwrap().contains("is a private address"));
    assert_eq!(hub.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
    let stranger = Feed::new("https://example.org/", FeedOrigin::User);
    let push = push_for_nobody(&stranger);
    assert_eq!(take_push(&site.fetcher(|_| {}), &stranger, None, &push).articles.len(), 0, "nobody asked for this");
}

fn push_for_nobody(feed: &Feed) -> chipwire_events::FeedPush {
    let news = HubNews::Content { content_type: None, body_base64: "PHJzcy8+".to_owned() };
    chipwire_events::FeedPush { feed: feed.id.clone(), received: now(), news }
}
