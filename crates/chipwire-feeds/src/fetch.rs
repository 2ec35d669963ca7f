//! From a URL to an answer, redirects followed by hand.
//!
//! Every hop passes the guard of [`crate::address`], waits for its turn and shares one time budget. No cookies, no referer,
//! no proxy from the environment.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chipwire_events::{FeedHeader, Timestamp};
use hyper::{
    Method, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use jiff::SignedDuration;
use tokio::time::Instant;
use url::{Host, Origin, Url};

use crate::{
    address::{Guard, Passage},
    body::{Reading, Size},
    coding::{self, Limits},
    config::FetchConfig,
    error::{ConfigError, FetchError},
    headers::{freshness, list_of, redirect_target, retry_after, shortened, text_of},
    own_headers,
    politeness::{Permit, Turns, stands_for},
    resolve::{AtConnect, Lookup, Resolver, system_lookup},
    rest::Rests,
    robots::{self, Robots},
    rooms::{Room, Rooms, SMALL_BYTES},
    transfer::{Budget, HttpClient, Response},
    websub::{Subscriber, callback::Key},
};

/// Redirects followed for one request.
const MAX_REDIRECTS: usize = 5;

/// The longest URL that is fetched, in bytes.
const MAX_URL_BYTES: usize = 2_048;

/// Sites whose `robots.txt` is remembered before those that are out of date are forgotten.
const REMEMBERED_ROBOTS: usize = 4_096;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The address.
    pub url: &'a Url,
    /// Sent as `If-None-Match`, exactly as the server gave it.
    pub etag: Option<&'a str>,
    /// Sent as `If-Modified-Since`, exactly as the server gave it.
    pub last_modified: Option<&'a str>,
    /// The feed's own headers: sent to the origin of `url`, and nowhere else on the way.
    pub headers: &'a [FeedHeader],
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The status of the last hop.
    pub status: u16,
    /// The address of the last hop.
    pub url: Url,
    /// The address of the last hop, where every redirect on the way was permanent (301, 308) and there was one.
    pub moved: Option<Url>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
    /// How long the answer stays fresh: `max-age` less `Age`, or else `Expires` less `Date`, in seconds. 0 where the server
    /// says that it is never fresh (`no-cache`, `no-store`), None where it says nothing.
    pub fresh_s: Option<u32>,
    /// `Retry-After`, in seconds from now, at most a day.
    pub retry_after_s: Option<u32>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Link`, all of them as one list (RFC 8288); empty if there is none.
    pub links: String,
    /// The answer says of itself that it is a test for humans (`cf-mitigated: challenge`).
    pub challenge: bool,
    /// The body, decompressed; empty unless the status is 2xx.
    pub body: Vec<u8>,
    /// The size of the body before decompression.
    pub wire_bytes: u64,
    /// The body came to the end that its server had announced: what it lacks, the server lacks too.
    pub complete: bool,
    /// The place in memory that a large body takes.
    pub room: Option<Room>,
}

/// What an answer is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Feed,
    Page,
    Robots,
}

impl Purpose {
    fn accept(self) -> &'static str {
        match self {
            Purpose::Feed => {
                "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, \
                 application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
            }
            Purpose::Page => "text/html, application/xhtml+xml;q=0.9, */*;q=0.1",
            Purpose::Robots => "text/plain, */*;q=0.1",
        }
    }
}

/// Rules of one site, or none yet; locked while they are fetched, so that they are fetched once.
type RobotsSlot = Arc<tokio::sync::Mutex<Option<(Arc<Robots>, Timestamp)>>>;

/// The pause after a page that may be fetched, or why it may not.
type Allowed<'a> = Pin<Box<dyn Future<Output = Result<Duration, FetchError>> + Send + 'a>>;

/// Fetches feeds and pages: one for all of them, since it remembers whose turn it is.
pub struct Fetcher {
    config: FetchConfig,
    guard: Guard,
    resolver: Arc<Resolver>,
    public: HttpClient,
    allowed: HttpClient,
    turns: Turns,
    rests: Rests,
    rooms: Rooms,
    robots: Mutex<HashMap<Origin, RobotsSlot>>,
    subscriber: Option<Subscriber>,
}

impl Fetcher {
    /// Checks the configuration and sets up the clients.
    pub fn new(config: FetchConfig) -> Result<Self, ConfigError> {
        Self::with_lookup(config, system_lookup())
    }

    /// As [`Fetcher::new`], with names resolved by `lookup`.
    pub fn with_lookup(config: FetchConfig, lookup: Lookup) -> Result<Self, ConfigError> {
        if config.min_interval_s > config.max_interval_s {
            return Err(ConfigError::Intervals { min: config.min_interval_s, max: config.max_interval_s });
        }
        if let Some(key) = config.zero() {
            return Err(ConfigError::Zero(key));
        }
        // The first provider that a process installs stays; any will do here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Guard::new(&config.allow_private_hosts)?;
        let dns_timeout = Duration::from_millis(config.dns_timeout_ms);
        let resolver = Arc::new(Resolver::new(lookup, guard.clone(), dns_timeout));
        let at_connect = |passage| AtConnect { resolver: Arc::clone(&resolver), passage };
        // Two clients, so that a connection that was opened to a private address on purpose is never used for a name
        // that must be public.
        let public = HttpClient::new(&config, at_connect(Passage::Public))?;
        let allowed = HttpClient::new(&config, at_connect(Passage::Allowed))?;
        let turns = Turns::new(&config);
        let (rests, rooms, robots) = (Rests::default(), Rooms::new(&config), Mutex::default());
        if let Some(callback) = &config.websub_callback {
            Subscriber::new(callback, Key::new([0; 32]))?;
        }
        Ok(Self { config, guard, resolver, public, allowed, turns, rests, rooms, robots, subscriber: None })
    }

    /// Subscribes to feeds that can be pushed, if the configuration says where hubs reach this chipwire; the server must have
    /// the same key.
    pub fn with_websub(mut self, key: Key) -> Result<Self, ConfigError> {
        self.subscriber = self.config.websub_callback.as_deref().map(|base| Subscriber::new(base, key)).transpose()?;
        Ok(self)
    }

    pub(crate) fn subscriber(&self) -> Option<&Subscriber> {
        self.subscriber.as_ref()
    }

    /// The configuration.
    pub fn config(&self) -> &FetchConfig {
        &self.config
    }

    /// Asks for a feed and follows redirects. `now` serves to turn dates in headers into seconds, and to know whether a pause
    /// that a server asked for is over. Validators go to the address of the request, and to no redirect's target.
    pub async fn get(&self, request: Request<'_>, now: Timestamp) -> Result<Fetched, FetchError> {
        self.follow(request, request.url, Purpose::Feed, now).await
    }

    /// As [`Fetcher::get`], with validators that `given_by` gave: they are sent there, and nowhere else on the way. What they
    /// mean to another address is anybody's guess.
    pub(crate) async fn get_again(
        &self,
        request: Request<'_>,
        given_by: &Url,
        now: Timestamp,
    ) -> Result<Fetched, FetchError> {
        self.follow(request, given_by, Purpose::Feed, now).await
    }

    /// Asks for a page, as far as the `robots.txt` of its site, and of every site that it is redirected to, allows it
    /// (RFC 9309).
    pub async fn page(&self, url: &Url, now: Timestamp) -> Result<Fetched, FetchError> {
        let request = Request { url, etag: None, last_modified: None, headers: &[] };
        self.follow(request, url, Purpose::Page, now).await
    }

    /// Sends a form to a hub and gives the status of its answer. A hub may move its users on with 307 and 308.
    pub(crate) async fn post_form(&self, url: &Url, form: String, now: Timestamp) -> Result<u16, FetchError> {
        let (mut url, form) = (url.clone(), Bytes::from(form));
        let mut seen = Vec::new();
        let mut budget = Budget::new(self.config.total_timeout_ms);
        for hop in 0..=MAX_REDIRECTS {
            let passage = self.check(&url)?;
            let host = url.host_str().unwrap_or_default().to_owned();
            if let Some(wait_s) = self.rests.wait_s(&url, now) {
                return Err(FetchError::Resting { host, wait_s });
            }
            let address = self.address(&url, passage, &mut budget).await?;
            let mut permit = self.turns.permit(&url, address, Duration::ZERO).await;
            let client = self.client(passage);
            let mut request = client.request(Method::POST, &url, form.clone())?;
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
            let response = client.send(request, &host, &mut budget).await?;
            let status = response.status().as_u16();
            self.take_note(&url, &response, Some(&mut permit), now);
            if !matches!(status, 307 | 308) {
                return Ok(status);
            }
            let next = next_hop(&url, response.headers(), hop, &seen)?;
            seen.push(std::mem::replace(&mut url, next));
        }
        Err(FetchError::Redirect { to: url.to_string(), reason: "too many redirects in a row" })
    }

    fn client(&self, passage: Passage) -> &HttpClient {
        match passage {
            Passage::Public => &self.public,
            Passage::Allowed => &self.allowed,
        }
    }

    /// Follows redirects up to an answer. The validators of the request are for `given_by` only.
    async fn follow(
        &self,
        request: Request<'_>,
        given_by: &Url,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Fetched, FetchError> {
        let mut url = request.url.clone();
        let mut seen = Vec::new();
        let mut all_permanent = true;
        let mut budget = Budget::new(self.config.total_timeout_ms);
        let mut turn: Option<(String, Permit)> = None;
        let begun = Instant::now();
        for hop in 0..=MAX_REDIRECTS {
            let passage = self.check(&url)?;
            let host = url.host_str().unwrap_or_default().to_owned();
            if let Some(wait_s) = self.rests.wait_s(&url, now) {
                return Err(FetchError::Resting { host, wait_s });
            }
            // The old turn is given back before a new one is awaited: two requests that redirect to each other's host would
            // wait for ever. On the same host the redirect belongs to the request.
            if purpose == Purpose::Page || turn.as_ref().is_none_or(|(held, _)| *held != host) {
                drop(turn.take());
                let spacing = match purpose {
                    Purpose::Page => self.robots_allow(&url, now).await?,
                    Purpose::Feed | Purpose::Robots => Duration::ZERO,
                };
                let address = self.address(&url, passage, &mut budget).await?;
                if purpose == Purpose::Feed
                    && let Some(wait) = self.turns.too_long(&url, address)
                {
                    let wait_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(spread_s(&url));
                    return Err(FetchError::Resting { host, wait_s });
                }
                turn = Some((host.clone(), self.turns.permit(&url, address, spacing).await));
                // Another feed of the host may have been told meanwhile.
                if let Some(wait_s) = self.rests.wait_s(&url, since(now, begun)) {
                    return Err(FetchError::Resting { host, wait_s });
                }
            }
            let rested = self.rests.knows(&url);
            let here = if url == *given_by { request } else { Request { etag: None, last_modified: None, ..request } };
            let response = self.send(&url, passage, here, purpose, &host, &mut budget).await?;
            let status = response.status();
            let pause_s = self.take_note(&url, &response, turn.as_mut().map(|(_, permit)| permit), since(now, begun));
            let is_redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
            // A server may ask to wait before a redirect is followed; once it was waited for, it is followed.
            if is_redirect && (rested || pause_s.is_none_or(|pause_s| pause_s == 0)) {
                let next = next_hop(&url, response.headers(), hop, &seen)?;
                seen.push(std::mem::replace(&mut url, next));
                all_permanent &= matches!(status.as_u16(), 301 | 308);
                continue;
            }
            let moved = (hop > 0 && all_permanent).then(|| url.clone());
            return self.finish(response, url, moved, purpose, &host, &mut budget, now).await;
        }
        Err(FetchError::Redirect { to: url.to_string(), reason: "too many redirects in a row" })
    }

    fn check(&self, url: &Url) -> Result<Passage, FetchError> {
        let refuse = |reason: &str| Err(FetchError::Url { url: shortened(url.as_str()), reason: reason.to_owned() });
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("only http and https are fetched");
        }
        if url.as_str().len() > MAX_URL_BYTES {
            return refuse("it is longer than 2,048 bytes");
        }
        Ok(self.guard.check(url)?)
    }

    /// The address that a request will go to, or one that stands for all of them.
    async fn address(&self, url: &Url, passage: Passage, budget: &mut Budget) -> Result<Option<IpAddr>, FetchError> {
        match url.host() {
            Some(Host::Ipv4(address)) => Ok(Some(address.into())),
            Some(Host::Ipv6(address)) => Ok(Some(IpAddr::from(address).to_canonical())),
            Some(Host::Domain(name)) => {
                let lookup = self.resolver.addresses(name, passage);
                Ok(stands_for(&budget.spend(name, "be found by its name", lookup).await?))
            }
            None => Ok(None),
        }
    }

    /// Remembers what an answer says about asking again; gives the pause, in seconds, before the same is asked again.
    fn take_note(&self, url: &Url, response: &Response, permit: Option<&mut Permit>, now: Timestamp) -> Option<u32> {
        let status = response.status();
        if let Some(permit) = permit
            && status == StatusCode::TOO_MANY_REQUESTS
        {
            permit.asked_too_often();
        }
        if !(status.is_redirection() || matches!(status.as_u16(), 429 | 503)) || status == StatusCode::NOT_MODIFIED {
            return None;
        }
        let wait_s = retry_after(response.headers(), now)?;
        if wait_s > 0 {
            self.rests.ask(url, wait_s, now);
        }
        Some(wait_s)
    }

    async fn send(
        &self,
        url: &Url,
        passage: Passage,
        request: Request<'_>,
        purpose: Purpose,
        host: &str,
        budget: &mut Budget,
    ) -> Result<Response, FetchError> {
        let client = self.client(passage);
        let mut asking = client.request(Method::GET, url, Bytes::new())?;
        let headers = asking.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static(purpose.accept()));
        if !request.headers.is_empty() && own_headers::is_same_origin(request.url, url) {
            // They take the place of what is set above.
            headers.extend(own_headers::resolve(request.headers, |name| std::env::var(name).ok())?);
        }
        for (name, value) in [(header::IF_NONE_MATCH, request.etag), (header::IF_MODIFIED_SINCE, request.last_modified)]
        {
            // Opaque bytes: what cannot be sent back is not sent.
            if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
                headers.append(name, value);
            }
        }
        client.send(asking, host, budget).await
    }

    #[expect(clippy::too_many_arguments, reason = "what one answer is about; they have nothing else in common")]
    async fn finish(
        &self,
        response: Response,
        url: Url,
        moved: Option<Url>,
        purpose: Purpose,
        host: &str,
        budget: &mut Budget,
        now: Timestamp,
    ) -> Result<Fetched, FetchError> {
        let (headers, status) = (response.headers(), response.status());
        let mut fetched = Fetched {
            status: status.as_u16(),
            url,
            moved,
            etag: text_of(headers, &header::ETAG),
            last_modified: text_of(headers, &header::LAST_MODIFIED),
            fresh_s: freshness(headers, now),
            retry_after_s: retry_after(headers, now),
            content_type: text_of(headers, &header::CONTENT_TYPE),
            links: list_of(headers, &header::LINK),
            challenge: headers.get("cf-mitigated").is_some_and(|value| value.as_bytes() == b"challenge"),
            body: Vec::new(),
            wire_bytes: 0,
            complete: false,
            room: None,
        };
        if !status.is_success() {
            return Ok(fetched);
        }
        let coding = text_of(headers, &header::CONTENT_ENCODING);
        let size = match purpose {
            Purpose::Robots => Size::First(robots::MAX_BYTES),
            Purpose::Feed | Purpose::Page => Size::AtMost(self.config.max_body_bytes),
        };
        let mut reading = Reading::new(&self.config, response, size, host)?;
        let step = "send its answer";
        if !budget.spend(host, step, reading.upto(SMALL_BYTES)).await? {
            let waited = Instant::now();
            fetched.room = self.room(purpose).await;
            reading.rested(waited.elapsed());
            budget.spend(host, step, reading.upto(usize::MAX)).await?;
        }
        let (body, complete) = reading.into_body();
        fetched.complete = complete;
        fetched.wire_bytes = body.len() as u64;
        fetched.body = match coding {
            Some(coding) => self.unpack(body, coding, purpose, &mut fetched.room).await?,
            None => body,
        };
        Ok(fetched)
    }

    /// The place for a large answer; rules of sites are never large.
    async fn room(&self, purpose: Purpose) -> Option<Room> {
        match purpose {
            Purpose::Feed => self.rooms.for_feed().await,
            Purpose::Page => self.rooms.for_page().await,
            Purpose::Robots => None,
        }
    }

    /// Unpacks a body, with a place of its own if it becomes large by that.
    async fn unpack(
        &self,
        body: Vec<u8>,
        coding: String,
        purpose: Purpose,
        room: &mut Option<Room>,
    ) -> Result<Vec<u8>, FetchError> {
        let limits = Limits { max_bytes: self.config.max_body_bytes, max_ratio: self.config.max_ratio };
        if room.is_none() {
            let small = Limits { max_bytes: SMALL_BYTES.min(limits.max_bytes), ..limits };
            match coding::decode(body.clone(), Some(&coding), small) {
                Err(FetchError::TooLarge { limit_bytes }) if limit_bytes < limits.max_bytes => {
                    *room = self.room(purpose).await;
                }
                done => return done,
            }
        }
        let unpacking = tokio::task::spawn_blocking(move || coding::decode(body, Some(&coding), limits));
        unpacking.await.unwrap_or_else(|_| Err(FetchError::Coding { coding: "broken".to_owned() }))
    }

    /// Whether the site's rules allow the page; gives the pause that they wish for. Boxed, since the rules are fetched as
    /// pages are.
    fn robots_allow<'a>(&'a self, url: &'a Url, now: Timestamp) -> Allowed<'a> {
        Box::pin(async move {
            // What the guard refuses is refused before its rules are asked for.
            self.check(url)?;
            let host = url.host_str().unwrap_or_default().to_owned();
            match &*self.robots_of(url, now).await? {
                Robots::Absent => Ok(Duration::ZERO),
                Robots::Unreachable => Err(FetchError::NoRobots { host }),
                Robots::Rules(rules) => {
                    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
                    match rules.allow(&format!("{}{query}", url.path())) {
                        true => Ok(Duration::try_from_secs_f32(rules.delay_s.unwrap_or(0.0)).unwrap_or_default()),
                        false => Err(FetchError::Robots { host }),
                    }
                }
            }
        })
    }

    async fn robots_of(&self, url: &Url, now: Timestamp) -> Result<Arc<Robots>, FetchError> {
        let slot = self.robots_slot(url.origin());
        let mut kept = slot.lock().await;
        if let Some((robots, until)) = &*kept
            && *until > now
            // A clock that was ahead when they were read does not keep them longer.
            && *until <= robots.kept_until(now)
        {
            return Ok(Arc::clone(robots));
        }
        let robots = Arc::new(self.fetch_robots(url, now).await?);
        *kept = Some((Arc::clone(&robots), robots.kept_until(now)));
        Ok(robots)
    }

    fn robots_slot(&self, origin: Origin) -> RobotsSlot {
        let mut slots = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= REMEMBERED_ROBOTS && !slots.contains_key(&origin) {
            // Those in use stay; of the others any will do, since each comes back with one request.
            let mut room = REMEMBERED_ROBOTS / 4;
            slots.retain(|_, slot| {
                let stays = Arc::strong_count(slot) > 1 || room == 0;
                room -= usize::from(!stays);
                stays
            });
        }
        Arc::clone(slots.entry(origin).or_default())
    }

    async fn fetch_robots(&self, url: &Url, now: Timestamp) -> Result<Robots, FetchError> {
        let Ok(mut robots_url) = url.join("/robots.txt") else { return Ok(Robots::Unreachable) };
        // Not for the eyes of whoever only keeps the rules.
        let _ = (robots_url.set_username(""), robots_url.set_password(None));
        let request = Request { url: &robots_url, etag: None, last_modified: None, headers: &[] };
        match self.follow(request, &robots_url, Purpose::Robots, now).await {
            Ok(fetched) => {
                let agent = self.config.user_agent_value();
                Ok(Robots::of(fetched.status, &fetched.body, robots::product_of(&agent)))
            }
            // Redirects that lead nowhere count as absent (RFC 9309 section 2.3.1.2).
            Err(FetchError::Redirect { .. }) => Ok(Robots::Absent),
            // What holds for the page as well, and is not to be remembered as a matter of its rules.
            Err(error @ (FetchError::Private(_) | FetchError::Dns { .. } | FetchError::Resting { .. })) => Err(error),
            Err(error) => {
                tracing::debug!(url = %robots_url, "robots.txt cannot be read: {error}");
                Ok(Robots::Unreachable)
            }
        }
    }
}

/// The time that it is, in whole seconds since a request began with `now` at `begun`: it may have waited long for its turn.
fn since(now: Timestamp, begun: Instant) -> Timestamp {
    let past_s = i64::try_from(begun.elapsed().as_secs()).unwrap_or(0);
    now.checked_add(SignedDuration::from_secs(past_s)).unwrap_or(now)
}

/// Up to a minute, another for each URL: so that those who came in vain do not come back together.
fn spread_s(url: &Url) -> u32 {
    let mut hasher = DefaultHasher::new();
    url.as_str().hash(&mut hasher);
    u32::try_from(hasher.finish() % 60).unwrap_or(0)
}

/// Where a redirect from `url` leads, if it is followed; `seen` is where it came from.
fn next_hop(url: &Url, headers: &HeaderMap, hop: usize, seen: &[Url]) -> Result<Url, FetchError> {
    let next = redirect_target(url, headers)?;
    let refuse = |reason| Err(FetchError::Redirect { to: shortened(next.as_str()), reason });
    if hop == MAX_REDIRECTS {
        refuse("too many redirects in a row")
    } else if next == *url || seen.contains(&next) {
        refuse("it goes round in a circle")
    } else if url.scheme() == "https" && next.scheme() == "http" {
        refuse("it leads from https to http")
    } else {
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_redirect_leads_from_https_to_http() {
        let to = |from: &str, location: &str| {
            let headers = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_str(location).unwrap())]);
            let next = next_hop(&Url::parse(from).unwrap(), &headers, 0, &[]);
            next.map(String::from).map_err(|error| error.to_string())
        };
        let secure = "https://x.org/feed";
        assert_eq!(
            to(secure, "http://x.org/feed").unwrap_err(),
            "redirect to `http://x.org/feed` is not followed: it leads from https to http"
        );
        assert_eq!(to(secure, "HTTP://y.org/").unwrap_err(), to(secure, "http://y.org/").unwrap_err());
        assert_eq!(to(secure, "//y.org/feed").as_deref(), Ok("https://y.org/feed"));
        assert_eq!(to(secure, "/other").as_deref(), Ok("https://x.org/other"));
        assert_eq!(to("http://x.org/feed", "https://x.org/feed").as_deref(), Ok("https://x.org/feed"));
    }
}
