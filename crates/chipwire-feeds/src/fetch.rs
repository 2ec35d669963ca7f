//! One HTTP exchange, redirects followed by hand.
//!
//! Every hop passes the guard of [`crate::address`], waits for the host's turn and shares one time budget. No cookies, no
//! referer, no proxy from the environment.

use std::{
    collections::HashSet,
    error::Error as StdError,
    time::{Duration, Instant},
};

use chipwire_events::Timestamp;
use reqwest::{
    Client, Response, StatusCode,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use url::Url;

use crate::{
    address::{Guard, GuardedResolver, Passage},
    coding::{self, Limits},
    config::FetchConfig,
    error::{ConfigError, FetchError, Refused},
    politeness::{Hosts, Permit},
};

/// Redirects followed for one request.
const MAX_REDIRECTS: usize = 5;

/// The longest URL that is fetched, in bytes.
const MAX_URL_BYTES: usize = 2_048;

/// The longest wait that a server may ask for, in seconds.
const MAX_RETRY_AFTER_S: i64 = 86_400;

const ACCEPT: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, \
                      application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1";

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The address.
    pub url: &'a Url,
    /// Sent as `If-None-Match`, exactly as the server gave it.
    pub etag: Option<&'a str>,
    /// Sent as `If-Modified-Since`, exactly as the server gave it.
    pub last_modified: Option<&'a str>,
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
    /// The answer says of itself that it is a test for humans (`cf-mitigated: challenge`).
    pub challenge: bool,
    /// The body, decompressed; empty unless the status is 2xx.
    pub body: Vec<u8>,
    /// The size of the body before decompression.
    pub wire_bytes: u64,
}

/// Fetches feeds: one for all of them, since it remembers whose turn it is.
pub struct Fetcher {
    config: FetchConfig,
    guard: Guard,
    public: Client,
    allowed: Client,
    hosts: Hosts,
}

/// What is left of the time for one request; waiting for a turn is not counted.
struct Budget {
    left: Duration,
    limit_ms: u64,
}

impl Budget {
    async fn spend<T>(
        &mut self,
        host: &str,
        step: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, FetchError> {
        let start = Instant::now();
        let result = tokio::time::timeout(self.left, work).await;
        self.left = self.left.saturating_sub(start.elapsed());
        result.map_err(|_| FetchError::Timeout { host: host.to_owned(), step, limit_ms: self.limit_ms })
    }
}

impl Fetcher {
    /// Checks the configuration and sets up the clients.
    pub fn new(config: FetchConfig) -> Result<Self, ConfigError> {
        if config.min_interval_s > config.max_interval_s {
            return Err(ConfigError::Intervals { min: config.min_interval_s, max: config.max_interval_s });
        }
        // The first provider that a process installs stays; any will do here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Guard::new(&config.allow_private_hosts)?;
        // Two clients, so that a connection that was opened to a private address on purpose is never used for a name
        // that must be public.
        let public = client(&config, GuardedResolver { guard: guard.clone(), passage: Passage::Public })?;
        let allowed = client(&config, GuardedResolver { guard: guard.clone(), passage: Passage::Allowed })?;
        let hosts = Hosts::new(Duration::from_millis(config.host_spacing_ms), config.max_concurrent);
        Ok(Self { config, guard, public, allowed, hosts })
    }

    /// The configuration.
    pub fn config(&self) -> &FetchConfig {
        &self.config
    }

    /// Asks for `request` and follows redirects. `now` serves only to turn dates in headers into seconds.
    pub async fn get(&self, request: Request<'_>, now: Timestamp) -> Result<Fetched, FetchError> {
        let mut url = request.url.clone();
        let mut seen = HashSet::new();
        let mut all_permanent = true;
        let limit_ms = self.config.total_timeout_ms;
        let mut budget = Budget { left: Duration::from_millis(limit_ms), limit_ms };
        let mut turn: Option<(String, Permit)> = None;
        for hop in 0..=MAX_REDIRECTS {
            let passage = self.check(&url)?;
            let host = url.host_str().unwrap_or_default().to_owned();
            if turn.as_ref().is_none_or(|(held, _)| *held != host) {
                // The old turn is given back before the new one is awaited: two requests that redirect to each other's
                // host would wait for ever.
                drop(turn.take());
                turn = Some((host.clone(), self.hosts.permit(&host).await));
            }
            seen.insert(url.to_string());
            let response = self.send(&url, passage, request, &host, &mut budget).await?;
            let status = response.status();
            if let Some((_, permit)) = &mut turn
                && status == StatusCode::TOO_MANY_REQUESTS
            {
                permit.asked_too_often();
            }
            if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                let next = redirect_target(&url, response.headers())?;
                let refuse = |reason| Err(FetchError::Redirect { to: next.to_string(), reason });
                if hop == MAX_REDIRECTS {
                    return refuse("too many redirects in a row");
                } else if seen.contains(next.as_str()) {
                    return refuse("it goes round in a circle");
                } else if url.scheme() == "https" && next.scheme() == "http" {
                    return refuse("it leads from https to http");
                }
                all_permanent &= matches!(status.as_u16(), 301 | 308);
                url = next;
                continue;
            }
            let moved = (hop > 0 && all_permanent).then(|| url.clone());
            return self.finish(response, url, moved, &host, &mut budget, now).await;
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

    async fn send(
        &self,
        url: &Url,
        passage: Passage,
        request: Request<'_>,
        host: &str,
        budget: &mut Budget,
    ) -> Result<Response, FetchError> {
        let client = match passage {
            Passage::Public => &self.public,
            Passage::Allowed => &self.allowed,
        };
        let mut builder = client.get(url.clone());
        for (name, value) in [(header::IF_NONE_MATCH, request.etag), (header::IF_MODIFIED_SINCE, request.last_modified)]
        {
            // Opaque bytes: what cannot be sent back is not sent.
            if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
                builder = builder.header(name, value);
            }
        }
        let limit_ms = self.config.connect_timeout_ms.saturating_add(self.config.first_byte_timeout_ms);
        let first_byte = tokio::time::timeout(Duration::from_millis(limit_ms), builder.send());
        let step = "begin its answer";
        match budget.spend(host, step, first_byte).await? {
            Err(_) => Err(FetchError::Timeout { host: host.to_owned(), step, limit_ms }),
            Ok(result) => result.map_err(|error| self.explain(error, host)),
        }
    }

    async fn finish(
        &self,
        mut response: Response,
        url: Url,
        moved: Option<Url>,
        host: &str,
        budget: &mut Budget,
        now: Timestamp,
    ) -> Result<Fetched, FetchError> {
        let headers = response.headers().clone();
        let status = response.status();
        let limits = Limits { max_bytes: self.config.max_body_bytes, max_ratio: self.config.max_ratio };
        let mut body = Vec::new();
        if status.is_success() {
            if response.content_length().is_some_and(|length| length > limits.max_bytes as u64) {
                return Err(FetchError::TooLarge { limit_bytes: limits.max_bytes });
            }
            while let Some(chunk) = budget
                .spend(host, "send its answer", response.chunk())
                .await?
                .map_err(|error| self.explain(error, host))?
            {
                if body.len() + chunk.len() > limits.max_bytes {
                    return Err(FetchError::TooLarge { limit_bytes: limits.max_bytes });
                }
                body.extend_from_slice(&chunk);
            }
        }
        let wire_bytes = body.len() as u64;
        let body = coding::decode(body, text_of(&headers, &header::CONTENT_ENCODING).as_deref(), limits)?;
        Ok(Fetched {
            status: status.as_u16(),
            url,
            moved,
            etag: text_of(&headers, &header::ETAG),
            last_modified: text_of(&headers, &header::LAST_MODIFIED),
            fresh_s: freshness(&headers, now),
            retry_after_s: retry_after(&headers, now),
            content_type: text_of(&headers, &header::CONTENT_TYPE),
            challenge: headers.get("cf-mitigated").is_some_and(|value| value.as_bytes() == b"challenge"),
            body,
            wire_bytes,
        })
    }

    fn explain(&self, error: reqwest::Error, host: &str) -> FetchError {
        let error = error.without_url();
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
        let mut tls = false;
        while let Some(inner) = cause {
            if let Some(refused) = inner.downcast_ref::<Refused>() {
                return FetchError::Private(refused.clone());
            }
            // An I/O error hides the error inside it from `source` and shows it only here.
            if let Some(inside) = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
                tls |= inside.is::<rustls::Error>();
            }
            tls |= inner.is::<rustls::Error>();
            cause = inner.source();
        }
        let host = host.to_owned();
        match error {
            error if error.is_dns() => FetchError::Dns { host, source: error },
            _ if tls => FetchError::Tls { host, source: error },
            error if error.is_connect() && error.is_timeout() => {
                FetchError::Timeout { host, step: "open a connection", limit_ms: self.config.connect_timeout_ms }
            }
            error if error.is_connect() => FetchError::Connect { host, source: error },
            error => FetchError::Protocol { host, source: error },
        }
    }
}

fn client(config: &FetchConfig, resolver: GuardedResolver) -> Result<Client, ConfigError> {
    let user_agent = config.user_agent_value();
    let agent = HeaderValue::from_str(&user_agent).map_err(|_| ConfigError::UserAgent(user_agent))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, agent);
    headers.insert(header::ACCEPT, HeaderValue::from_static(ACCEPT));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(coding::ACCEPTED));
    // Decompression is ours, because only then the ratio of sizes is known.
    Ok(Client::builder()
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(Duration::from_secs(30))
        .dns_resolver(resolver)
        .build()?)
}

fn redirect_target(from: &Url, headers: &HeaderMap) -> Result<Url, FetchError> {
    let refuse = |to: &str, reason| FetchError::Redirect { to: shortened(to), reason };
    let location = headers.get(header::LOCATION).ok_or_else(|| refuse("", "the server names no target"))?;
    // Servers send UTF-8 here although only ASCII is legal.
    let location = String::from_utf8_lossy(location.as_bytes());
    let mut target = from.join(location.trim()).map_err(|_| refuse(&location, "the target is no web address"))?;
    target.set_fragment(None);
    Ok(target)
}

fn shortened(url: &str) -> String {
    url.chars().take(200).collect()
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = std::str::from_utf8(headers.get(name)?.as_bytes()).ok()?.trim();
    (!value.is_empty() && value.len() <= 1_024).then(|| value.to_owned())
}

/// RFC 9111 section 4.2.1, without the heuristics.
fn freshness(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    let control = text_of(headers, &header::CACHE_CONTROL).unwrap_or_default().to_ascii_lowercase();
    let directive = |name: &str| {
        control.split(',').find_map(|part| part.trim().strip_prefix(name)?.trim_matches(['=', '"', ' ']).parse().ok())
    };
    let max_age: Option<u32> = directive("max-age");
    if let Some(max_age) = max_age {
        let age = text_of(headers, &header::AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
        return Some(max_age.saturating_sub(age));
    }
    if control.contains("no-cache") || control.contains("no-store") {
        return Some(0);
    }
    let expires = http_date(&text_of(headers, &header::EXPIRES)?)?;
    let date = text_of(headers, &header::DATE).and_then(|date| http_date(&date)).unwrap_or_else(|| now.as_second());
    u32::try_from(expires - date).ok()
}

/// RFC 9110 section 10.2.3: seconds or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    let value = text_of(headers, &header::RETRY_AFTER)?;
    let seconds = match value.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => http_date(&value)? - now.as_second(),
    };
    u32::try_from(seconds.clamp(0, MAX_RETRY_AFTER_S)).ok()
}

fn http_date(text: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(text).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn freshness_follows_the_cache_headers() {
        for (pairs, expected) in [
            (&[("cache-control", "public, max-age=600")][..], Some(600)),
            (&[("cache-control", "max-age=600"), ("age", "200")], Some(400)),
            (&[("cache-control", "max-age=60"), ("age", "200")], Some(0)),
            (&[("cache-control", "Max-Age=\"60\"")], Some(60)),
            (&[("expires", "Sun, 01 Mar 2026 13:00:00 GMT")], Some(3_600)),
            (&[("expires", "Sun, 01 Mar 2026 13:00:00 GMT"), ("date", "Sun, 01 Mar 2026 12:30:00 GMT")], Some(1_800)),
            (&[("expires", "Sun, 01 Mar 2020 13:00:00 GMT")], None),
            (&[("expires", "0")], None),
            (&[("cache-control", "no-cache"), ("expires", "Sun, 01 Mar 2026 13:00:00 GMT")], Some(0)),
            (&[], None),
        ] {
            assert_eq!(freshness(&headers(pairs), now()), expected, "{pairs:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (value, expected) in [
            ("120", Some(120)),
            ("-5", Some(0)),
            ("99999999", Some(86_400)),
            ("Sun, 01 Mar 2026 12:10:00 GMT", Some(600)),
            ("Sun, 01 Mar 2020 12:10:00 GMT", Some(0)),
            ("soon", None),
        ] {
            assert_eq!(retry_after(&headers(&[("retry-after", value)]), now()), expected, "{value}");
        }
    }
}
