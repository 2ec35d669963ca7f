//! Sinks: where alerts are delivered. One file per sink; a new one is a variant of [`SinkConfig`] and its line in
//! [`SinkConfig::build`].

mod address;
mod signature;
mod terminal;
mod webhook;

use std::{collections::BTreeMap, io::Write, path::Path, time::Duration};

use chipwire_events::Alert;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;
use thiserror::Error;

pub use signature::{Secret, sign};
pub use webhook::WebhookConfig;

use crate::{Error, Result};
use terminal::Terminal;

/// The name of the sink that is always there.
pub const TERMINAL: &str = "terminal";

/// A sink as it stands in the configuration, under `[sinks.NAME]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum SinkConfig {
    /// `type = "webhook"`: a signed POST for every alert.
    Webhook(WebhookConfig),
}

impl SinkConfig {
    /// Takes the file of its secret, if it has one, to be relative to `folder`.
    pub fn secret_file_below(&mut self, folder: &Path) {
        match self {
            SinkConfig::Webhook(config) => config.secret_file = config.secret_file.take().map(|file| folder.join(file)),
        }
    }

    /// The table of sinks.
    fn build(&self, name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Box<dyn Sink>> {
        Ok(match self {
            SinkConfig::Webhook(config) => Box::new(webhook::Webhook::new(name, config, env)?),
        })
    }
}

/// What every sink can do.
trait Sink: Send + Sync {
    /// Hands the alert over; `Ok` once the other side has taken it. May be called again with the same alert, whose id the
    /// other side can tell it by.
    fn deliver<'a>(&'a self, alert: &'a Alert, now: Timestamp) -> BoxFuture<'a, Result<(), DeliverError>>;
}

/// Whether a failed delivery is worth another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Yes, after this time if the other side named one, or else after [`backoff`](crate::backoff()).
    Later(Option<Duration>),
    /// No: it would fail again.
    Never,
}

/// A delivery that failed. Holds neither addresses nor secrets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct DeliverError {
    /// What happened, for people.
    pub message: String,
    /// What to do about it.
    pub retry: Retry,
}

/// All sinks, by name.
pub struct Sinks(BTreeMap<String, Box<dyn Sink>>);

impl std::fmt::Debug for Sinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Sinks {
    /// The sinks of the configuration and `terminal`, which writes to `out`. `env` looks up environment variables.
    pub fn from_config(
        config: &BTreeMap<String, SinkConfig>,
        out: impl Write + Send + 'static,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut sinks: BTreeMap<String, Box<dyn Sink>> = BTreeMap::new();
        for (name, config) in config {
            if name == TERMINAL {
                return Err(Error::BuiltIn(name.clone()));
            }
            sinks.insert(name.clone(), config.build(name, &env)?);
        }
        sinks.insert(TERMINAL.to_owned(), Box::new(Terminal::new(out)));
        Ok(Self(sinks))
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Delivers `alert` to the sink of that name. A sink that is not configured may be so again after a restart: the
    /// delivery is worth another attempt.
    pub async fn deliver(&self, sink: &str, alert: &Alert, now: Timestamp) -> Result<(), DeliverError> {
        match self.0.get(sink) {
            Some(sink) => sink.deliver(alert, now).await,
            None => Err(DeliverError {
                message: format!("no sink named `{sink}` is configured"),
                retry: Retry::Later(None),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_terminal_is_always_there_and_cannot_be_replaced() {
        let sinks = Sinks::from_config(&BTreeMap::new(), Vec::new(), |_| None).unwrap();
        assert_eq!(sinks.names().collect::<Vec<_>>(), ["terminal"]);

        let config = SinkConfig::Webhook(WebhookConfig::default());
        let error =
            Sinks::from_config(&BTreeMap::from([(TERMINAL.to_owned(), config)]), Vec::new(), |_| None).unwrap_err();
        assert_eq!(error.to_string(), "sink `terminal` is built in: choose another name");
    }

    #[tokio::test]
    async fn an_unknown_sink_is_tried_again() {
        let sinks = Sinks::from_config(&BTreeMap::new(), Vec::new(), |_| None).unwrap();
        let error = sinks.deliver("ops", &testing::alert(), testing::now()).await.unwrap_err();
        assert_eq!(error.to_string(), "no sink named `ops` is configured");
        assert_eq!(error.retry, Retry::Later(None));
    }
}
