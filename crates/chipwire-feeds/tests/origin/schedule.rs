//! What a server's answers do to the time of the next poll.

use chipwire_events::Timestamp;
use chipwire_feeds::poll;

use crate::support::{Origin, answer, later, now};

/// A feed with an item for every hour until `hours` after the start.
fn hourly(hours: i64, extra: &str) -> String {
    let item = |hour: i64| {
        let date = later(hour);
        format!("<item><guid>{hour}</guid><title>Hour {hour}</title><pubDate>{date}</pubDate></item>")
    };
    let items: String = (hours - 20..=hours).rev().map(item).collect();
    format!("<rss version='2.0'><channel><title>Hours</title>{extra}{items}</channel></rss>")
}

#[tokio::test]
async fn a_server_that_says_not_modified_for_ever_is_found_out_once_a_day() {
    let origin = Origin::start(|_, number, request| match request.to_lowercase().contains("if-none-match") {
        true => answer("304 Not Modified", "", b""),
        false if number == 0 => answer("200 OK", "etag: \"a\"\r\n", hourly(0, "").as_bytes()),
        false => answer("200 OK", "etag: \"a\"\r\n", hourly(20, "").as_bytes()),
    })
    .await;
    let (fetcher, feed) = (origin.fetcher(|_| {}), origin.feed("/"));
    let mut state = poll(&fetcher, &feed, None, now()).await.state;
    let mut found_after_s = None;
    while found_after_s.is_none() {
        let time = state.next_poll;
        assert!(time < later(72), "never found out");
        let polled = poll(&fetcher, &feed, Some(state.clone()), time).await;
        if !polled.articles.is_empty() {
            found_after_s = Some(time.as_second() - now().as_second());
            assert_eq!((polled.articles.len(), polled.state.articles), (20, 41));
        }
        state = polled.state;
    }
    assert!(found_after_s >= Some(86_400), "{found_after_s:?} s after a full answer");
    let unconditional = origin
        .requests
        .lock()
        .unwrap()
        .iter()
        .filter(|request| !request.to_lowercase().contains("if-none-match"))
        .count();
    assert_eq!(unconditional, 2, "the first poll and one probe");
}

#[tokio::test]
async fn what_a_feed_asks_for_outlasts_a_304() {
    let rest = "<ttl>90</ttl><skipHours><hour>14</hour><hour>15</hour><hour>16</hour></skipHours>";
    let origin = Origin::start(move |_, number, _| match number {
        0 => answer("200 OK", "etag: \"a\"\r\ncache-control: max-age=600\r\n", hourly(0, rest).as_bytes()),
        1 => answer("304 Not Modified", "", b""),
        2 => answer("304 Not Modified", "cache-control: max-age=18000\r\n", b""),
        _ => answer("304 Not Modified", "cache-control: no-cache\r\n", b""),
    })
    .await;
    let (fetcher, feed) = (origin.fetcher(|_| {}), origin.feed("/"));
    let mut state = poll(&fetcher, &feed, None, now()).await.state;
    let mut pauses = vec![(state.next_poll, now())];
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for time in ["2026-03-01T13:50:00Z", "2026-03-01T17:10:00Z", "2026-03-01T23:00:00Z"] {
        state = poll(&fetcher, &feed, Some(state.clone()), at(time)).await.state;
        pauses.push((state.next_poll, at(time)));
    }
    let hours: Vec<i64> = pauses.iter().map(|(next, _)| next.as_second().rem_euclid(86_400) / 3_600).collect();
    assert!(hours.iter().all(|hour| !(14..=16).contains(hour)), "{pauses:?}");
    let minutes: Vec<i64> = pauses.iter().map(|(next, time)| (next.as_second() - time.as_second()) / 60).collect();
    assert!((90..100).contains(&minutes[0]), "the ttl: {minutes:?}");
    assert!(minutes[1] >= 190, "the ttl, and then the rest: {minutes:?}");
    assert!((300..=330).contains(&minutes[2]), "the longer freshness: {minutes:?}");
    assert!((90..100).contains(&minutes[3]), "no freshness any more: {minutes:?}");
}
