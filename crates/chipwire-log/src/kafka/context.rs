//! What librdkafka tells while it works: log lines, errors, what became of a message.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
};

/// The target of librdkafka's own lines.
pub(super) const TARGET: &str = "librdkafka";

/// How long what was heard counts: librdkafka goes on trying, and tells the same again after 30 seconds, not earlier.
const HEARD_LASTS: Duration = Duration::from_secs(35);

/// Collects what a client says. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    /// The last error that concerns the whole client, such as a refused connection.
    error: Option<String>,
    /// When and how the client was turned away the last time, or did not trust a broker.
    denial: Option<(Instant, Denial)>,
    /// When a broker closed a connection the last time.
    closed: Option<Instant>,
    /// Why the first message that was not delivered was not delivered.
    undelivered: Option<RDKafkaErrorCode>,
}

/// Why a client and a broker do not come together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denial {
    /// In librdkafka's words, which begin with the broker.
    pub(super) reason: String,
    /// The settings that may be wrong.
    pub(super) check: &'static str,
}

impl Denial {
    /// `None` where waiting can help.
    fn from_error(code: Option<RDKafkaErrorCode>, reason: &str) -> Option<Self> {
        let check = match code? {
            RDKafkaErrorCode::Authentication => {
                "user name, password and mechanism in `sasl`, and whether the broker asks for them at that port"
            }
            RDKafkaErrorCode::SSL => {
                "`tls.ca_file`, whether the broker's certificate is for the name that it has in `brokers`, and whether it \
                 expects TLS at that port"
            }
            // In TLS 1.3 a broker refuses the client's certificate when the client takes the handshake for done.
            _ if reason.contains("SSL alert number") => "`tls.cert_file` and `tls.key_file`",
            _ => return None,
        };
        Some(Self { reason: reason.to_owned(), check })
    }
}

/// Whether a broker closed a connection. One that expects TLS or a password and gets none says nothing else; neither does one
/// that is just starting or ending.
fn is_closed(reason: &str) -> bool {
    reason.contains("Disconnected:")
}

impl Context {
    /// The last error that the client told on its own.
    pub(super) fn last_error(&self) -> Option<String> {
        self.with(|heard| heard.error.clone())
    }

    /// Whether a broker has closed a connection lately.
    pub(super) fn was_closed(&self) -> bool {
        self.with(|heard| heard.closed).is_some_and(|heard_at| heard_at.elapsed() < HEARD_LASTS)
    }

    fn hear(&self, reason: &str) {
        self.with(|heard| {
            heard.error = Some(reason.to_owned());
            if is_closed(reason) {
                heard.closed = Some(Instant::now());
            }
        });
    }

    /// How the client is turned away just now, as far as is known.
    pub(super) fn denial(&self) -> Option<Denial> {
        let (heard_at, denial) = self.with(|heard| heard.denial.clone())?;
        (heard_at.elapsed() < HEARD_LASTS).then_some(denial)
    }

    /// Why a message was not delivered, if there was one since this was asked last.
    pub(super) fn take_undelivered(&self) -> Option<RDKafkaErrorCode> {
        self.with(|heard| heard.undelivered.take())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Heard) -> T) -> T {
        f(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Not told as an error, since most connections are closed for good reasons.
        if facility == "FAIL" && is_closed(message) {
            let reason = message.split_once("]: ").map_or(message, |(_thread, reason)| reason);
            self.hear(reason);
        }
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(target: TARGET, facility, "{message}");
            }
            // Every refused connection is an "error" to librdkafka, which goes on trying.
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
                tracing::warn!(target: TARGET, facility, "{message}");
            }
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(target: TARGET, facility, "{message}");
            }
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        tracing::trace!(target: TARGET, "statistics: {}", String::from_utf8_lossy(statistics));
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: TARGET, %error, "{reason}");
        if let Some(denial) = Denial::from_error(error.rdkafka_error_code(), reason) {
            self.with(|heard| heard.denial = Some((Instant::now(), denial)));
        }
        // "All brokers are down" follows the line that says why, and says less.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.hear(reason);
        }
    }
}

impl ConsumerContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
            self.with(|heard| heard.undelivered.get_or_insert(code).to_owned());
        }
    }
}
