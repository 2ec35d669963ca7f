//! A signed POST for every alert, by Standard Webhooks 1.0.0.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use chipwire_events::Alert;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{DeliverError, Retry, Secret, Sink, address, sign};
use crate::{Error, Result};

/// The longest wait that a receiver can ask for with `Retry-After`.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// `[sinks.NAME]` with `type = "webhook"`.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where to POST to, `http` or `https`. Redirects are not followed. Kept out of messages, as it may hold a token.
    pub url: String,
    /// The environment variable that holds the secret: `whsec_` and base64. Several, with white space between them, all sign.
    pub secret_env: Option<String>,
    /// The file that holds the secret or secrets, relative to the working directory.
    pub secret_file: Option<PathBuf>,
    /// Whether the address may be a private or local one. Default false.
    pub allow_private: bool,
    /// Time for one attempt, from 1 to 60 s. Default 20.
    pub timeout_s: u64,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self { url: String::new(), secret_env: None, secret_file: None, allow_private: false, timeout_s: 20 }
    }
}

impl std::fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("secret_env", &self.secret_env)
            .field("secret_file", &self.secret_file)
            .field("allow_private", &self.allow_private)
            .field("timeout_s", &self.timeout_s)
            .finish_non_exhaustive()
    }
}

pub(super) struct Webhook {
    url: Url,
    secrets: Vec<Secret>,
    client: reqwest::Client,
}

/// The body of the request: a Standard Webhooks payload. The same at every attempt.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    event_type: &'static str,
    timestamp: Timestamp,
    data: &'a Alert,
}

impl Webhook {
    pub(super) fn new(name: &str, config: &WebhookConfig, env: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let sink = || name.to_owned();
        let url = Url::parse(&config.url)
            .ok()
            .filter(|url| {
                matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
            })
            .ok_or_else(|| Error::Url { sink: sink() })?;
        if !config.allow_private {
            // The client does not ask the resolver about an address that is written out.
            let literal = match url.host() {
                Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
                Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
                _ => None,
            };
            if let Some(address) = literal.filter(|address| !address::is_public(*address)) {
                return Err(Error::Private { sink: sink(), host: address.to_string() });
            }
        }
        if !(1..=60).contains(&config.timeout_s) {
            return Err(Error::Timeout { sink: sink() });
        }
        let secrets =
            Secret::parse_all(&read_secret(name, config, env)?).ok_or_else(|| Error::Secret { sink: sink() })?;
        let client = client(config).map_err(|source| Error::Client { sink: sink(), source: source.without_url() })?;
        Ok(Self { url, secrets, client })
    }

    async fn post(&self, alert: &Alert, now: Timestamp) -> Result<(), DeliverError> {
        let payload = Payload { event_type: "chipwire.alert.raised.v1", timestamp: alert.raised, data: alert };
        let body = serde_json::to_vec(&payload).map_err(|error| DeliverError {
            message: format!("failed to write the alert as json: {error}"),
            retry: Retry::Never,
        })?;
        let timestamp_s = now.as_second();
        let answer = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", alert.id.as_str())
            .header("webhook-timestamp", timestamp_s)
            .header("webhook-signature", sign(&self.secrets, alert.id.as_str(), timestamp_s, &body))
            .body(body)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                judge(answer.status(), retry_after, now)
            }
            Err(error) => Err(DeliverError { message: describe(&error.without_url()), retry: Retry::Later(None) }),
        }
    }
}

impl Sink for Webhook {
    fn deliver<'a>(&'a self, alert: &'a Alert, now: Timestamp) -> BoxFuture<'a, Result<(), DeliverError>> {
        Box::pin(self.post(alert, now))
    }
}

fn read_secret(name: &str, config: &WebhookConfig, env: &dyn Fn(&str) -> Option<String>) -> Result<String> {
    match (&config.secret_env, &config.secret_file) {
        (Some(variable), None) => {
            env(variable).ok_or_else(|| Error::SecretEnv { sink: name.to_owned(), variable: variable.clone() })
        }
        (None, Some(path)) => std::fs::read_to_string(path).map_err(|source| Error::SecretFile {
            sink: name.to_owned(),
            path: path.clone(),
            source,
        }),
        _ => Err(Error::SecretSource { sink: name.to_owned() }),
    }
}

fn client(config: &WebhookConfig) -> reqwest::Result<reqwest::Client> {
    // The process has one TLS provider; whoever comes first chooses it, and all of chipwire chooses the same.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let timeout = Duration::from_secs(config.timeout_s);
    let builder = reqwest::Client::builder()
        .user_agent(concat!("chipwire/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Through a proxy, the proxy would resolve the name, and private addresses could not be told.
        .no_proxy()
        .connect_timeout(timeout)
        .timeout(timeout);
    match config.allow_private {
        true => builder.build(),
        false => builder.dns_resolver(Arc::new(address::PublicOnly)).build(),
    }
}

/// What the receiver's answer means.
fn judge(status: StatusCode, retry_after: Option<&str>, now: Timestamp) -> Result<(), DeliverError> {
    let retry = match status {
        _ if status.is_success() => return Ok(()),
        // "Gone": the receiver wants no more of it.
        StatusCode::GONE => Retry::Never,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            Retry::Later(retry_after.and_then(|value| parse_retry_after(value, now)))
        }
        _ => Retry::Later(None),
    };
    let note = if status.is_redirection() { ": redirects are not followed" } else { "" };
    Err(DeliverError { message: format!("the receiver answered {status}{note}"), retry })
}

/// `Retry-After` as seconds or as a date (RFC 9110 section 10.2.3).
fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
            let wait: SignedDuration = date.duration_since(now);
            wait.try_into().unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// The error with its causes, as one line.
fn describe(error: &reqwest::Error) -> String {
    let mut message = if error.is_timeout() { "no answer in time".to_owned() } else { error.to_string() };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}

#[cfg(test)]
mod tests;
