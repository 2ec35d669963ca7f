//! Logging: to standard error, so that standard output belongs to what a command answers.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. `filter` is a level, or directives such as `info,chipwire_feeds=debug`.
pub fn init(filter: &str, format: LogFormat) -> Result<()> {
    // Of a certificate that it does not trust, the feed's error tells.
    let filter = EnvFilter::try_new(format!("rustls_platform_verifier=off,{filter}"))
        .with_context(|| format!("`--log {filter}` is no level (error, warn, info, debug, trace) and no filter"))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    match format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

/// Panics of a parser or of the tagger are caught and reported where they happen, as the fault of one feed or one event: the
/// default hook would print a backtrace for each.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let message = info
            .payload()
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| info.payload().downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::debug!(place, "panic: {message}");
    }));
}
