//! One request and its answer on the wire, each step within its time and size.

use std::{
    error::Error as StdError,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use reqwest::{
    Client, RequestBuilder, Response, Version,
    header::{self, HeaderMap, HeaderValue},
};
use serde::de::IgnoredAny;
use tokio::time::Instant;
use tower::{Layer, Service};

use crate::{
    coding::{self, Limits},
    config::FetchConfig,
    error::{ConfigError, FetchError, Refused},
    headers,
    resolve::AtConnect,
};

/// The largest head of an answer, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// A connection is kept open for the next request for so long.
const KEPT_OPEN: Duration = Duration::from_secs(30);

/// What is read of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// All of it; more than this many bytes is an error.
    AtMost(usize),
    /// The first so many bytes.
    First(usize),
}

/// What is left of the time for one request; waiting for a turn is not counted.
pub(crate) struct Budget {
    left: Duration,
    limit_ms: u64,
}

impl Budget {
    pub(crate) fn new(limit_ms: u64) -> Self {
        Self { left: Duration::from_millis(limit_ms), limit_ms }
    }

    /// Does `work` as long as there is time.
    pub(crate) async fn spend<T>(
        &mut self,
        host: &str,
        step: &'static str,
        work: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let start = Instant::now();
        let result = tokio::time::timeout(self.left, work).await;
        self.left = self.left.saturating_sub(start.elapsed());
        result.unwrap_or_else(|_| Err(FetchError::Timeout { host: host.to_owned(), step, limit_ms: self.limit_ms }))
    }
}

/// An HTTP client that does nothing by itself: no redirects, cookies, referer, proxies or decompression.
pub(crate) fn client(config: &FetchConfig, resolver: AtConnect) -> Result<Client, ConfigError> {
    let user_agent = config.user_agent_value();
    let agent = HeaderValue::from_str(&user_agent).map_err(|_| ConfigError::UserAgent(user_agent))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, agent);
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
        .connector_layer(NoteConnects)
        .http2_max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(KEPT_OPEN)
        .dns_resolver(resolver)
        .build()?)
}

/// How far a request is.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// A connection is being opened, since then.
    Connecting(Instant),
    /// The server has been waited for, since then.
    Waiting(Instant),
}

tokio::task_local! {
    static PHASE: Arc<Mutex<Phase>>;
}

/// Sends a request and waits for the head of the answer: for the first byte only from the moment on at which there is a
/// connection.
pub(crate) async fn send(config: &FetchConfig, request: RequestBuilder, host: &str) -> Result<Response, FetchError> {
    let first_byte = Duration::from_millis(config.first_byte_timeout_ms);
    // The client has a time-out of its own for this; a connection that it forgot should not be waited for for ever.
    let connect = Duration::from_millis(config.connect_timeout_ms) + Duration::from_secs(1);
    let phase = Arc::new(Mutex::new(Phase::Waiting(Instant::now())));
    let mut sending = std::pin::pin!(PHASE.scope(Arc::clone(&phase), request.send()));
    let response = loop {
        let deadline = match *phase.lock().unwrap_or_else(PoisonError::into_inner) {
            Phase::Connecting(since) => since + connect,
            Phase::Waiting(since) => since + first_byte,
        };
        if deadline <= Instant::now() {
            let (step, limit_ms) = ("begin its answer", config.first_byte_timeout_ms);
            return Err(FetchError::Timeout { host: host.to_owned(), step, limit_ms });
        }
        // When the time is over, the phase may have changed meanwhile, and with it the time.
        if let Ok(result) = tokio::time::timeout_at(deadline, &mut sending).await {
            break result.map_err(|error| explain(config, error, host))?;
        }
    };
    if headers::size_bytes(response.headers()) > MAX_HEAD_BYTES {
        return Err(FetchError::HeadTooLarge { host: host.to_owned(), limit_bytes: MAX_HEAD_BYTES });
    }
    Ok(response)
}

/// Reads the body of an answer, and tells whether it came to the end that was announced: one that ends with its connection
/// may be of any length.
///
/// A body that breaks off is an error, unless what came is whole in itself: servers that announce more bytes than they have
/// are common, such as those that give the length before compression.
pub(crate) async fn body(
    config: &FetchConfig,
    mut response: Response,
    size: Size,
    host: &str,
) -> Result<(Vec<u8>, bool), FetchError> {
    let too_large = |limit_bytes| FetchError::TooLarge { limit_bytes };
    if let (Size::AtMost(limit), Some(length)) = (size, response.content_length())
        && length > limit as u64
    {
        return Err(too_large(limit));
    }
    let framed = response.content_length().is_some()
        || response.headers().contains_key(header::TRANSFER_ENCODING)
        || response.version() >= Version::HTTP_2;
    let start = Instant::now();
    let mut body = Vec::new();
    loop {
        let next = tokio::time::timeout_at(too_slow_at(config, start, body.len()), response.chunk());
        let chunk = match next.await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok((body, framed)),
            Ok(Err(_)) if is_whole(config, response.headers(), &body) => return Ok((body, false)),
            Ok(Err(error)) => return Err(explain(config, error, host)),
            Err(_) => {
                let (min_bytes_per_s, after_ms) = (config.min_bytes_per_s, config.slow_after_ms);
                return Err(FetchError::TooSlow { host: host.to_owned(), min_bytes_per_s, after_ms });
            }
        };
        match size {
            Size::AtMost(limit) if body.len() + chunk.len() > limit => return Err(too_large(limit)),
            Size::First(limit) if body.len() + chunk.len() >= limit => {
                body.extend_from_slice(chunk.get(..limit.saturating_sub(body.len())).unwrap_or(&chunk));
                return Ok((body, false));
            }
            Size::AtMost(_) | Size::First(_) => body.extend_from_slice(&chunk),
        }
    }
}

/// When an answer of which so many bytes have come is too slow, should no more come: as soon as the average is below the
/// limit, and not before the time that it may be.
fn too_slow_at(config: &FetchConfig, start: Instant, bytes: usize) -> Instant {
    let far = Duration::from_secs(24 * 60 * 60);
    let earned_ms = match config.min_bytes_per_s {
        0 => return start + far,
        rate => (bytes as u64).saturating_mul(1_000) / rate,
    };
    start + Duration::from_millis(earned_ms.max(config.slow_after_ms)).min(far)
}

/// Whether all of a body has come although more was announced: its compressed stream has come to its end, or its document
/// has.
fn is_whole(config: &FetchConfig, headers: &HeaderMap, body: &[u8]) -> bool {
    let coding = headers::text_of(headers, &header::CONTENT_ENCODING);
    let limits = Limits { max_bytes: config.max_body_bytes, max_ratio: config.max_ratio };
    match coding {
        Some(coding) => {
            coding::is_complete(body, &coding, limits)
                || coding::decode(body.to_vec(), Some(&coding), limits).is_ok_and(|document| ends_whole(&document))
        }
        None => ends_whole(body),
    }
}

/// Whether a document that is not compressed ends with the end of a feed, whatever white space and comments follow it.
fn ends_whole(document: &[u8]) -> bool {
    let mut rest = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document).trim_ascii();
    if rest.starts_with(b"{") {
        return serde_json::from_slice::<IgnoredAny>(rest).is_ok();
    }
    while let Some(comment) = rest.strip_suffix(b"-->") {
        let Some(start) = memchr::memmem::rfind(comment, b"<!--") else { return false };
        rest = comment.get(..start).unwrap_or_default().trim_ascii_end();
    }
    let name = rest.strip_suffix(b">").and_then(|rest| {
        let start = memchr::memmem::rfind(rest, b"</")?;
        rest.get(start + 2..)
    });
    let local = name.and_then(|name| name.trim_ascii_end().rsplit(|byte| *byte == b':').next());
    local.is_some_and(|local| [b"rss".as_slice(), b"feed", b"rdf"].iter().any(|root| local.eq_ignore_ascii_case(root)))
}

pub(crate) fn explain(config: &FetchConfig, error: reqwest::Error, host: &str) -> FetchError {
    let error = error.without_url();
    let host = host.to_owned();
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    let mut tls = false;
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return FetchError::Private(refused.clone());
        }
        match inner.downcast_ref::<FetchError>() {
            Some(FetchError::Private(refused)) => return FetchError::Private(refused.clone()),
            Some(FetchError::Dns { source, .. }) => {
                return FetchError::Dns { host, source: io::Error::new(source.kind(), source.to_string()) };
            }
            Some(FetchError::Timeout { step, limit_ms, .. }) => {
                return FetchError::Timeout { host, step, limit_ms: *limit_ms };
            }
            _ => {}
        }
        if inner.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large) {
            return FetchError::HeadTooLarge { host, limit_bytes: MAX_HEAD_BYTES };
        }
        // An I/O error hides the error inside it from `source` and shows it only here.
        if let Some(inside) = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            tls |= inside.is::<rustls::Error>();
        }
        tls |= inner.is::<rustls::Error>();
        cause = inner.source();
    }
    match error {
        _ if tls => FetchError::Tls { host, source: error },
        error if error.is_connect() && error.is_timeout() => {
            FetchError::Timeout { host, step: "open a connection", limit_ms: config.connect_timeout_ms }
        }
        error if error.is_connect() => FetchError::Connect { host, source: error },
        error => FetchError::Protocol { host, source: error },
    }
}

/// Notes when a request begins to open a connection and when it has one.
#[derive(Debug, Clone, Copy)]
struct NoteConnects;

impl<S> Layer<S> for NoteConnects {
    type Service = NotedConnects<S>;

    fn layer(&self, inner: S) -> NotedConnects<S> {
        NotedConnects(inner)
    }
}

#[derive(Debug, Clone)]
struct NotedConnects<S>(S);

impl<S, R> Service<R> for NotedConnects<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // The connection belongs to the request in whose task it is begun.
        let phase = PHASE.try_with(Arc::clone).ok();
        let note = move |now| {
            if let Some(phase) = &phase {
                *phase.lock().unwrap_or_else(PoisonError::into_inner) = now;
            }
        };
        note(Phase::Connecting(Instant::now()));
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connection = connecting.await;
            note(Phase::Waiting(Instant::now()));
            connection
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowness_is_an_average_with_a_time_of_grace() {
        let config = FetchConfig::default();
        let start = Instant::now();
        let seconds = |bytes: usize| (too_slow_at(&config, start, bytes) - start).as_secs_f64();
        assert_eq!([0, 1_024, 10_240, 20_480].map(seconds), [10.0, 10.0, 10.0, 20.0]);
        assert!(seconds(usize::MAX) > 3_600.0);
        let without = FetchConfig { min_bytes_per_s: 0, ..FetchConfig::default() };
        assert!(too_slow_at(&without, start, 0) > start + Duration::from_secs(3_600));
    }

    #[test]
    fn a_document_that_ends_as_a_feed_ends_is_whole() {
        for whole in [
            "<rss></rss>",
            "<feed/></feed>\r\n ",
            "</rdf:RDF>",
            "</RDF>",
            "</a:feed >",
            "</RSS>\n<!-- made in 3 ms -->\n<!-- -- -->",
            "\u{feff}{\"items\": []}\n",
            "{}",
        ] {
            assert!(ends_whole(whole.as_bytes()), "{whole}");
        }
        for cut in [
            "",
            "<rss>",
            "<rss></rss",
            "</rss><x>",
            "</item>",
            "</x:item>",
            "-->",
            "</rss> -->",
            "{\"items\": [{\"title\": \"</rss>",
            "{\"items\": []",
            ">",
            "</>",
        ] {
            assert!(!ends_whole(cut.as_bytes()), "{cut}");
        }
    }
}
