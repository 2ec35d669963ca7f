//! What can be wrong with the configuration of the server.

use std::{net::SocketAddr, path::PathBuf};

use thiserror::Error;

/// A server that cannot be set up. No variant ever holds the token.
#[derive(Debug, Error)]
pub enum Error {
    /// Both `token_env` and `token_file`.
    #[error("only one of `token_env` and `token_file` can be set")]
    TwoTokens,
    /// Open to other machines, and to everybody on them.
    #[error("`listen = \"{0}\"` is open to other machines: set `token_env` or `token_file`, or listen on 127.0.0.1")]
    TokenNeeded(SocketAddr),
    /// The environment variable that should hold the token is not there.
    #[error("environment variable `{0}` is not set")]
    TokenEnv(String),
    /// The file that should hold the token cannot be read.
    #[error("failed to read `{path}`")]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A token that can be guessed.
    #[error("the token must have at least {chars} characters; make one with `openssl rand -hex 32`")]
    TokenShort {
        /// The least number of characters.
        chars: usize,
    },
    /// A limit that is zero or absurd.
    #[error("`{key}` must be from 1 to 4294967295")]
    OutOfRange {
        /// The key.
        key: &'static str,
    },
}

impl Error {
    /// The key of `[server]` that it is about.
    pub fn key(&self) -> &'static str {
        match self {
            Self::TwoTokens | Self::TokenFile { .. } => "token_file",
            Self::TokenNeeded(_) => "listen",
            Self::TokenEnv(_) | Self::TokenShort { .. } => "token_env",
            Self::OutOfRange { key } => key,
        }
    }
}

/// The result of setting up the server.
pub type Result<T, E = Error> = std::result::Result<T, E>;
