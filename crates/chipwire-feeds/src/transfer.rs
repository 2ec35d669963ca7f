//! One request and its answer on the wire, each step within its time and size.

use std::{
    error::Error as StdError,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Uri,
    body::Incoming,
    header::{self, HeaderValue},
    http::uri::InvalidUri,
};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::Instant;
use tower::Service;
use url::Url;

use crate::{
    coding,
    config::FetchConfig,
    error::{ConfigError, FetchError, Refused, WireError},
    headers::{self, shortened},
    resolve::AtConnect,
};

/// The largest head of an answer, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// A connection is kept open for the next request for so long.
const KEPT_OPEN: Duration = Duration::from_secs(30);

type BoxError = Box<dyn StdError + Send + Sync>;

/// A request that can be sent again on another connection.
pub(crate) type Request = hyper::Request<Full<Bytes>>;

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

/// The head of an answer, and its body to come.
pub(crate) type Response = hyper::Response<Incoming>;

/// An HTTP client that does nothing by itself: no redirects, cookies, referer, proxies or decompression.
///
/// On the parts that `reqwest` is made of: with all that switched off, its layers still take a third of the time of a request.
pub(crate) struct HttpClient {
    wire: Client<Connector<HttpsConnector<HttpConnector<AtConnect>>>, Full<Bytes>>,
    user_agent: HeaderValue,
    connect_timeout: Duration,
    first_byte_timeout_ms: u64,
}

impl HttpClient {
    pub(crate) fn new(config: &FetchConfig, resolver: AtConnect) -> Result<Self, ConfigError> {
        let user_agent = config.user_agent_value();
        let user_agent = HeaderValue::from_str(&user_agent).map_err(|_| ConfigError::UserAgent(user_agent))?;
        let connect_timeout = Duration::from_millis(config.connect_timeout_ms);
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Shared by the addresses of a host, so that the next is tried before the time for all of them is over.
        tcp.set_connect_timeout(Some(connect_timeout));
        let tls = rustls::ClientConfig::builder().try_with_platform_verifier()?.with_no_client_auth();
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let inner = https.enable_http1().enable_http2().wrap_connector(tcp);
        let wire = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT_OPEN)
            .pool_max_idle_per_host(1)
            // What browsers read as well.
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_ignore_invalid_headers_in_responses(true)
            .http2_max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
            .build(Connector { inner, timeout_ms: config.connect_timeout_ms });
        Ok(Self { wire, user_agent, connect_timeout, first_byte_timeout_ms: config.first_byte_timeout_ms })
    }

    /// A request with the headers that all have. Name and password in `url` are not sent: no feed has them.
    pub(crate) fn request(&self, method: Method, url: &Url, body: Bytes) -> Result<Request, FetchError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri(url)?;
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(coding::ACCEPTED));
        Ok(request)
    }

    /// Sends a request and waits for the head of the answer, as long as `budget` allows: for the first byte only from the
    /// moment on at which there is a connection.
    pub(crate) async fn send(&self, request: Request, host: &str, budget: &mut Budget) -> Result<Response, FetchError> {
        let start = Instant::now();
        let response = self.answer(request, host, start, budget).await;
        budget.left = budget.left.saturating_sub(start.elapsed());
        let response = response?;
        if headers::size_bytes(response.headers()) > MAX_HEAD_BYTES {
            return Err(FetchError::HeadTooLarge { host: host.to_owned(), limit_bytes: MAX_HEAD_BYTES });
        }
        Ok(response)
    }

    async fn answer(
        &self,
        request: Request,
        host: &str,
        start: Instant,
        budget: &Budget,
    ) -> Result<Response, FetchError> {
        let first_byte = Duration::from_millis(self.first_byte_timeout_ms);
        let end = start + budget.left;
        let phase = Arc::new(Mutex::new(Phase::Waiting(start)));
        let mut sending = std::pin::pin!(PHASE.scope(Arc::clone(&phase), self.wire.request(request)));
        loop {
            let deadline = match *phase.lock().unwrap_or_else(PoisonError::into_inner) {
                // The connector has a time-out of its own; a connection that it forgot is not waited for for ever.
                Phase::Connecting(since) => since + self.connect_timeout + Duration::from_secs(1),
                Phase::Waiting(since) => since + first_byte,
            };
            if deadline.min(end) <= Instant::now() {
                let limit_ms = if end < deadline { budget.limit_ms } else { self.first_byte_timeout_ms };
                return Err(FetchError::Timeout { host: host.to_owned(), step: "begin its answer", limit_ms });
            }
            // When the time is over, the phase may have changed meanwhile, and with it the time.
            if let Ok(result) = tokio::time::timeout_at(deadline.min(end), &mut sending).await {
                return result.map_err(|error| explain(error.into(), host));
            }
        }
    }
}

/// An address as it is sent.
fn uri(url: &Url) -> Result<Uri, FetchError> {
    let uri = match url.username().is_empty() && url.password().is_none() {
        true => url.as_str().parse(),
        false => {
            let mut bare = url.clone();
            // Both fail only where there is no host.
            let _ = (bare.set_username(""), bare.set_password(None));
            bare.as_str().parse()
        }
    };
    uri.map_err(|error: InvalidUri| FetchError::Url { url: shortened(url.as_str()), reason: error.to_string() })
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

/// What a failure of the client means.
pub(crate) fn explain(error: WireError, host: &str) -> FetchError {
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
        tls |= inner.is::<rustls::Error>() || holds_tls(inner);
        cause = inner.source();
    }
    match error {
        WireError::Client(source) if tls => FetchError::Tls { host, source },
        WireError::Client(source) if source.is_connect() => FetchError::Connect { host, source },
        source => FetchError::Protocol { host, source },
    }
}

/// Whether a connection did not come about in time.
fn is_late(error: &(dyn StdError + 'static)) -> bool {
    let late = error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
    late || error.source().is_some_and(is_late)
}

/// Whether an I/O error holds one of TLS, however deep: such an error hides what is inside it from `source`.
fn holds_tls(error: &(dyn StdError + 'static)) -> bool {
    let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inside.is_some_and(|inside| inside.is::<rustls::Error>() || holds_tls(inside))
}

/// Opens connections within a time, and notes when a request begins to open one and when it has one.
#[derive(Debug, Clone)]
struct Connector<S> {
    inner: S,
    timeout_ms: u64,
}

impl<S> Service<Uri> for Connector<S>
where
    S: Service<Uri, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // The connection belongs to the request in whose task it is begun.
        let phase = PHASE.try_with(Arc::clone).ok();
        let note = move |now| {
            if let Some(phase) = &phase {
                *phase.lock().unwrap_or_else(PoisonError::into_inner) = now;
            }
        };
        note(Phase::Connecting(Instant::now()));
        let host = uri.host().unwrap_or_default().to_owned();
        let (limit_ms, step) = (self.timeout_ms, "open a connection");
        let connecting = tokio::time::timeout(Duration::from_millis(limit_ms), self.inner.call(uri));
        Box::pin(async move {
            let connection = connecting.await;
            note(Phase::Waiting(Instant::now()));
            match connection {
                Ok(Err(error)) if !is_late(error.as_ref()) => Err(error),
                Ok(Ok(connection)) => Ok(connection),
                // The share of the last address is over when the time for all of them is.
                Ok(Err(_)) | Err(_) => Err(FetchError::Timeout { host, step, limit_ms }.into()),
            }
        })
    }
}
