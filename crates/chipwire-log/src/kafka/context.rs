//! What librdkafka tells while it works: log lines, errors, what became of a message.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::{
    ClientContext, Statistics,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
};

/// The target of librdkafka's own lines.
pub(super) const TARGET: &str = "librdkafka";

/// Collects what a client says. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    /// The last error that concerns the whole client, such as a refused connection.
    error: Option<String>,
    /// Why the first message that was not delivered was not delivered.
    undelivered: Option<RDKafkaErrorCode>,
}

impl Context {
    /// The last error that the client told on its own.
    pub(super) fn last_error(&self) -> Option<String> {
        self.with(|heard| heard.error.clone())
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

    fn stats(&self, statistics: Statistics) {
        tracing::trace!(target: TARGET, ?statistics, "statistics");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: TARGET, %error, "{reason}");
        // "All brokers are down" follows the line that says why, and says less.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.with(|heard| heard.error = Some(reason.to_owned()));
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
