//! What can be wrong with the configuration of sinks.

use std::path::PathBuf;

use thiserror::Error;

/// A sink that cannot be set up. No variant ever holds a secret.
#[derive(Debug, Error)]
pub enum Error {
    /// `terminal` is built in and cannot be defined anew.
    #[error("sink `{0}` is built in: choose another name")]
    BuiltIn(String),
    /// Not an address that a webhook can be sent to.
    #[error("sink `{sink}`: `url` must be an absolute http or https address without user name and password")]
    Url {
        /// The sink's name.
        sink: String,
    },
    /// The address is a private one and that is not allowed.
    #[error("sink `{sink}`: `{host}` is not a public address; set `allow_private = true` to send there all the same")]
    Private {
        /// The sink's name.
        sink: String,
        /// The host part of its address.
        host: String,
    },
    /// Neither or both of `secret_env` and `secret_file`.
    #[error("sink `{sink}`: exactly one of `secret_env` and `secret_file` must be set")]
    SecretSource {
        /// The sink's name.
        sink: String,
    },
    /// The environment variable that should hold the secret is not there.
    #[error("sink `{sink}`: environment variable `{variable}` is not set")]
    SecretEnv {
        /// The sink's name.
        sink: String,
        /// The variable.
        variable: String,
    },
    /// The file that should hold the secret cannot be read.
    #[error("sink `{sink}`: failed to read `{path}`")]
    SecretFile {
        /// The sink's name.
        sink: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The secret is there but is none.
    #[error(
        "sink `{sink}`: a secret is `whsec_` and the base64 of 24 to 64 bytes; make one with `openssl rand -base64 32`"
    )]
    Secret {
        /// The sink's name.
        sink: String,
    },
    /// `timeout_s` is out of its range.
    #[error("sink `{sink}`: `timeout_s` must be from 1 to 60")]
    Timeout {
        /// The sink's name.
        sink: String,
    },
    /// The HTTP client cannot be built.
    #[error("sink `{sink}`: failed to set up the http client")]
    Client {
        /// The sink's name.
        sink: String,
        /// Why.
        source: reqwest::Error,
    },
}

/// The result of setting up sinks.
pub type Result<T, E = Error> = std::result::Result<T, E>;
