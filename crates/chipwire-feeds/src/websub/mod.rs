//! WebSub (W3C Recommendation of 23 January 2018): feeds that are pushed by a hub in place of being polled again and again.
//!
//! A poll finds out which hub a feed names and asks it to push (`follow_up`). The hub asks back at the callback address, and
//! later sends what is new there, signed; [`callback`] says what to answer. What was heard becomes an event in the log, which
//! whoever polls the feed takes in ([`take_push`]): a pushed document goes the way of a polled one.
//!
//! Nothing secret is kept anywhere but a key: callback addresses and secrets are made from it and from the names of feed and
//! topic. A feed that is pushed is still polled once a day, and as often as any other as soon as a poll finds what the hub has
//! left out.

pub mod callback;
mod discovery;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chipwire_events::{Feed, FeedPush, FeedState, HubNews, Subscription, Timestamp};
use jiff::SignedDuration;
use url::{Url, form_urlencoded};

use self::callback::Key;
pub(crate) use self::discovery::announced;
use crate::{
    error::ConfigError,
    fetch::Fetcher,
    parse::parse_at_most,
    poll::{Outcome, Poll, fresh_state, take_in_part},
    schedule::Rest,
};

/// The time for which a hub is asked to push, in seconds.
const LEASE_S: u32 = 10 * 86_400;

/// A hub that has not asked back after this is asked once more.
const UNVERIFIED_S: i64 = 86_400;

/// The pause after a hub could not be asked; doubled each time.
const FAILED_S: i64 = 3_600;

/// The longest pause between two requests to a hub, and the one after it has refused.
const REFUSED_S: i64 = 7 * 86_400;

/// A feed that is pushed is polled this often, in seconds.
const DAILY_S: i64 = 86_400;

/// A hub and the name of a feed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) hub: Url,
    pub(crate) topic: Url,
}

/// Subscribes under callback addresses below a base.
pub(crate) struct Subscriber {
    base: Url,
    key: Key,
}

impl Subscriber {
    /// Checks the base: `https://public.host/base`.
    pub(crate) fn new(base: &str, key: Key) -> Result<Self, ConfigError> {
        let refuse = || ConfigError::Callback(base.to_owned());
        let mut base = Url::parse(base).map_err(|_| refuse())?;
        let fits = matches!(base.scheme(), "http" | "https") && base.query().is_none() && base.fragment().is_none();
        if !fits || !base.username().is_empty() || base.password().is_some() {
            return Err(refuse());
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { base, key })
    }

    /// The body of a request to a hub (section 5.1).
    fn form(&self, feed: &Feed, topic: &str) -> Option<String> {
        let token = self.key.token(&feed.id, topic);
        let callback = self.base.join(&format!("websub/{}/{token}", feed.id)).ok()?;
        Some(
            form_urlencoded::Serializer::new(String::new())
                .append_pair("hub.callback", callback.as_str())
                .append_pair("hub.mode", "subscribe")
                .append_pair("hub.topic", topic)
                .append_pair("hub.lease_seconds", &LEASE_S.to_string())
                // Over plain http too: without it nobody could tell a push from a forgery.
                .append_pair("hub.secret", &self.key.secret(&feed.id, &token))
                .finish(),
        )
    }
}

fn later(time: Timestamp, seconds: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Takes a newly read document's word for which hub to use. Pure.
fn heed(subscription: Option<Subscription>, announced: Option<Announced>, now: Timestamp) -> Option<Subscription> {
    let Announced { hub, topic } = announced?;
    match subscription {
        Some(known) if known.hub == hub.as_str() && known.topic == topic.as_str() => Some(known),
        // Another hub, or another name there: what was promised before says nothing about it. A feed that names now this and
        // now that one makes no request at each poll.
        known => Some(Subscription {
            hub: hub.into(),
            topic: topic.into(),
            ask_at: if known.is_some() { later(now, FAILED_S) } else { now },
            failures: 0,
            until: None,
            relied_on: false,
            error: None,
        }),
    }
}

/// After a poll: subscribes, renews, and lets the feed be polled less often while its hub can be relied on. `announced` is
/// what a newly read document says, if one was read.
pub(crate) async fn follow_up(
    fetcher: &Fetcher,
    feed: &Feed,
    poll: &mut Poll,
    announced: Option<Option<Announced>>,
    now: Timestamp,
) {
    let state = &mut poll.state;
    let Some(subscriber) = fetcher.subscriber() else {
        state.websub = None;
        return;
    };
    if let Some(announced) = announced {
        state.websub = heed(state.websub.take().map(|known| *known), announced, now).map(Box::new);
    }
    let Some(subscription) = &mut state.websub else { return };
    if subscription.ask_at <= now {
        ask(fetcher, subscriber, feed, subscription, now).await;
    }
    if matches!(poll.outcome, Outcome::Read { new, .. } if new > 0) {
        subscription.relied_on = false;
    }
    rest(state, now);
}

async fn ask(fetcher: &Fetcher, subscriber: &Subscriber, feed: &Feed, subscription: &mut Subscription, now: Timestamp) {
    let (Ok(hub), Some(form)) = (Url::parse(&subscription.hub), subscriber.form(feed, &subscription.topic)) else {
        return;
    };
    let error = match fetcher.post_form(&hub, form, now).await {
        Ok(200..=299) => {
            subscription.failures = 0;
            subscription.ask_at = later(now, UNVERIFIED_S);
            return;
        }
        Ok(status) => format!("the hub answers with status {status}"),
        Err(error) => error.to_string(),
    };
    tracing::debug!(feed = %feed.id, hub = %subscription.hub, "subscription failed: {error}");
    let pause_s = FAILED_S.saturating_mul(1 << subscription.failures.min(10)).min(REFUSED_S);
    subscription.ask_at = later(now, pause_s);
    subscription.failures = subscription.failures.saturating_add(1);
    subscription.error = Some(error);
}

/// Puts the next poll off to tomorrow, or to the time of the renewal, while the hub can be relied on.
fn rest(state: &mut FeedState, now: Timestamp) {
    let Some(subscription) = &state.websub else { return };
    if subscription.relied_on && subscription.until.is_some_and(|until| until > now) {
        let daily = later(now, DAILY_S).min(subscription.ask_at.max(now));
        state.next_poll = state.next_poll.max(daily);
    }
}

/// When the feed may be polled at the earliest, whatever its hub says.
fn soonest(fetcher: &Fetcher, feed: &Feed, state: &FeedState, now: Timestamp) -> Timestamp {
    if state.error.is_some() {
        return state.next_poll;
    }
    let timing = &state.timing;
    let least_s = fetcher.config().min_interval_s.max(feed.interval_s.unwrap_or(0)).max(timing.fresh_s.unwrap_or(0));
    let polled = state.last_polled.map_or(now, |polled| later(polled, i64::from(least_s)));
    let allowed = polled.max(now).max(timing.retry_at.unwrap_or(now));
    Rest::new(&timing.skip_hours, &timing.skip_days).next_allowed(allowed)
}

/// Of a feed whose push was not taken in: it is polled as often as any other until it is pushed again.
pub fn passed_over(fetcher: &Fetcher, feed: &Feed, mut state: FeedState, now: Timestamp) -> Poll {
    if let Some(subscription) = &mut state.websub {
        subscription.relied_on = false;
        state.next_poll = state.next_poll.min(soonest(fetcher, feed, &state, now));
    }
    Poll::new(state, Outcome::Pushed, 0)
}

/// Takes in what a hub has said about a feed. Pure but for the reading of the document; the state of a feed that is no longer
/// subscribed stays as it is.
pub fn take_push(fetcher: &Fetcher, feed: &Feed, state: Option<&FeedState>, push: &FeedPush) -> Poll {
    let now = push.received;
    let mut state = state.cloned().unwrap_or_else(|| fresh_state(feed, now));
    let Some(subscription) = state.websub.as_mut() else { return Poll::new(state, Outcome::Pushed, 0) };
    match &push.news {
        HubNews::Verified { topic, lease_s } => {
            if subscription.topic == *topic {
                let lease_s = i64::from(*lease_s);
                subscription.until = Some(later(now, lease_s));
                // At 80 % of the lease.
                subscription.ask_at = later(now, lease_s / 5 * 4);
                subscription.error = None;
            }
            Poll::new(state, Outcome::Pushed, 0)
        }
        HubNews::Denied { reason } => {
            (subscription.until, subscription.relied_on) = (None, false);
            subscription.ask_at = later(now, REFUSED_S);
            subscription.error = Some(format!("the hub does not want to push: {reason}"));
            // It may have promised to, and polls may rest: not any more.
            let usual = later(now, i64::from(state.interval_s.unwrap_or(0)));
            state.next_poll = state.next_poll.min(usual.max(soonest(fetcher, feed, &state, now)));
            Poll::new(state, Outcome::Pushed, 0)
        }
        HubNews::Content { content_type, body_base64 } => {
            let body = STANDARD.decode(body_base64).unwrap_or_default();
            content(fetcher, feed, state, content_type.as_deref(), &body, now)
        }
    }
}

fn content(
    fetcher: &Fetcher,
    feed: &Feed,
    mut state: FeedState,
    content_type: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Poll {
    let url = Url::parse(&state.url).ok();
    let parsed = parse_at_most(body, content_type, url.as_ref(), fetcher.config().max_items);
    let (Ok(parsed), Some(url)) = (parsed, url) else {
        // Something is new, whatever it is.
        state.next_poll = state.next_poll.min(soonest(fetcher, feed, &state, now));
        return Poll::new(state, Outcome::Pushed, body.len() as u64);
    };
    if let Some(subscription) = &mut state.websub {
        subscription.relied_on = true;
    }
    let (title, warnings) = (state.title.clone(), state.warnings.clone());
    let mut poll = take_in_part(feed, state, parsed, &url, true, now);
    // A part says nothing about the whole.
    poll.state.title = poll.state.title.or(title);
    poll.state.warnings = warnings;
    (poll.pushed, poll.overrun, poll.bytes) = (true, false, body.len() as u64);
    rest(&mut poll.state, now);
    poll
}

#[cfg(test)]
mod tests {
    use chipwire_events::FeedOrigin;
    use expect_test::expect;

    use super::*;
    use crate::config::FetchConfig;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn announced(hub: &str, topic: &str) -> Option<Announced> {
        Some(Announced { hub: Url::parse(hub).unwrap(), topic: Url::parse(topic).unwrap() })
    }

    #[test]
    fn what_the_feed_says_counts() {
        let now = at("2026-03-01T12:00:00Z");
        let first = heed(None, announced("https://hub.org/", "https://x.org/feed"), now).unwrap();
        assert_eq!((first.ask_at, first.until), (now, None));
        let active = Subscription { until: Some(later(now, 9)), ask_at: later(now, 7), relied_on: true, ..first };
        let same = heed(Some(active.clone()), announced("https://hub.org/", "https://x.org/feed"), later(now, 1));
        assert_eq!(same.as_ref(), Some(&active));
        let other = heed(Some(active.clone()), announced("https://hub2.org/", "https://x.org/feed"), later(now, 1));
        assert_eq!(
            other.map(|other| (other.ask_at, other.until, other.relied_on)),
            Some((later(now, 3_601), None, false))
        );
        assert_eq!(heed(Some(active), None, now), None);
    }

    #[test]
    fn leases_are_renewed_at_four_fifths_and_polls_rest_while_the_hub_pushes() {
        let now = at("2026-03-01T12:00:00Z");
        let fetcher = Fetcher::new(FetchConfig::default()).unwrap();
        let feed = Feed::new("https://x.org/feed", FeedOrigin::User);
        let mut state = fresh_state(&feed, now);
        state.articles = 1;
        state.next_poll = later(now, 1_800);
        state.websub = heed(None, announced("https://hub.org/", "https://x.org/feed"), now).map(Box::new);
        let push = |news| FeedPush { feed: feed.id.clone(), received: now, news };
        let verified = |topic: &str, lease_s| push(HubNews::Verified { topic: topic.to_owned(), lease_s });
        let other = take_push(&fetcher, &feed, Some(&state), &verified("https://x.org/other", 1_000)).state;
        assert_eq!(other.websub, state.websub, "another topic is none of ours");

        let active = take_push(&fetcher, &feed, Some(&state), &verified("https://x.org/feed", 1_000_000)).state;
        let subscription = active.websub.clone().unwrap();
        assert_eq!((subscription.until, subscription.ask_at), (Some(later(now, 1_000_000)), later(now, 800_000)));
        assert_eq!(active.next_poll, later(now, 1_800), "a promise is not enough to poll less");

        let document = "<rss version='2.0'><channel><item><guid>1</guid><title>One</title></item></channel></rss>";
        let content = |body: &str| push(HubNews::Content { content_type: None, body_base64: STANDARD.encode(body) });
        let pushed = take_push(&fetcher, &feed, Some(&active), &content(document));
        assert_eq!(pushed.articles.len(), 1);
        assert!(pushed.state.websub.as_ref().is_some_and(|subscription| subscription.relied_on));
        assert_eq!(pushed.state.next_poll, later(now, 86_400));
        let again = take_push(&fetcher, &feed, Some(&pushed.state), &content(document));
        assert_eq!((again.articles.len(), again.overrun), (0, false));

        let short = take_push(&fetcher, &feed, Some(&pushed.state), &verified("https://x.org/feed", 10_000)).state;
        let mut short = Poll::new(short, Outcome::NotModified, 0).state;
        short.next_poll = later(now, 1_800);
        rest(&mut short, now);
        assert_eq!(short.next_poll, later(now, 8_000), "a short lease is renewed in time");

        let broken = take_push(&fetcher, &feed, Some(&pushed.state), &content("ping"));
        assert_eq!(broken.state.next_poll, now, "whatever it was, something is new");

        let denied = push(HubNews::Denied { reason: "too many".to_owned() });
        let denied = take_push(&fetcher, &feed, Some(&pushed.state), &denied).state;
        let subscription = denied.websub.unwrap();
        assert_eq!((subscription.until, subscription.relied_on), (None, false));
        expect!["the hub does not want to push: too many"].assert_eq(&subscription.error.unwrap());
        assert!(denied.next_poll <= later(now, 86_400));
    }

    #[test]
    fn what_a_push_lacks_is_not_gone() {
        let start = at("2026-03-01T12:00:00Z");
        let fetcher = Fetcher::new(FetchConfig::default()).unwrap();
        let feed = Feed::new("https://x.org/feed", FeedOrigin::User);
        let url = Url::parse(&feed.url).unwrap();
        let item = |guid: &str, title: &str, hour: u32| {
            format!(
                "<item><guid>{guid}</guid><title>{title}</title><pubDate>Sun, 01 Mar 2026 {hour:02}:00:00 GMT</pubDate></item>"
            )
        };
        let document = |items: &[String]| format!("<rss version='2.0'><channel>{}</channel></rss>", items.concat());
        let whole = |state, items: &[String], now| {
            let parsed = parse_at_most(document(items).as_bytes(), None, Some(&url), 100).unwrap();
            crate::poll::take_in(&feed, state, parsed, &url, now)
        };
        let old = [item("a", "Memory prices rise in Taipei", 9), item("b", "A foundry opens in Dresden", 8)];
        let mut state = whole(fresh_state(&feed, start), &old, start).state;
        state.websub = heed(None, announced("https://hub.org/", "https://x.org/feed"), start).map(Box::new);
        let news = HubNews::Content {
            content_type: None,
            body_base64: STANDARD.encode(document(&[item("c", "Export rules change", 10)])),
        };
        let push = FeedPush { feed: feed.id.clone(), received: later(start, 60), news };
        let pushed = take_push(&fetcher, &feed, Some(&state), &push);
        assert_eq!((pushed.articles.len(), pushed.state.items.len()), (1, 3));

        // The feed's maker gives one of them another guid: it is known all the same.
        let items = [item("c", "Export rules change", 10), old[0].clone(), item("x", "A foundry opens in Dresden", 8)];
        let again = whole(pushed.state, &items, later(start, 3_600));
        assert_eq!(again.outcome, Outcome::Read { new: 0, revised: 0, unchanged: 3 });
    }

    #[test]
    fn callbacks_lie_below_the_base() {
        let feed = Feed::new("https://x.org/feed", FeedOrigin::User);
        for (base, start) in [
            ("https://public.host", "https%3A%2F%2Fpublic.host%2Fwebsub%2F"),
            ("https://public.host/base", "https%3A%2F%2Fpublic.host%2Fbase%2Fwebsub%2F"),
            ("http://public.host:8080/base/", "http%3A%2F%2Fpublic.host%3A8080%2Fbase%2Fwebsub%2F"),
        ] {
            let form = Subscriber::new(base, Key::new([7; 32])).unwrap().form(&feed, "https://x.org/feed").unwrap();
            assert!(form.starts_with(&format!("hub.callback={start}{}", feed.id)), "{form}");
        }
        for bad in ["", "public.host", "ftp://public.host", "https://u:p@public.host", "https://public.host/?a=b"] {
            assert!(Subscriber::new(bad, Key::new([7; 32])).is_err(), "{bad}");
        }
    }
}
