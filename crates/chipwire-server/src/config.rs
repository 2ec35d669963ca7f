//! `[server]`: where chipwire listens and who may ask.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use serde::Deserialize;

use crate::{Error, Result};

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on. Default `127.0.0.1:8080`: this machine only.
    pub listen: SocketAddr,
    /// The environment variable that holds the bearer token. Needed, or `token_file`, unless `listen` is a loopback address.
    pub token_env: Option<String>,
    /// The file that holds the bearer token, relative to the working directory.
    pub token_file: Option<PathBuf>,
    /// Names by which the server may be called, without port, besides its own addresses and `localhost`. A request with
    /// another name in `Host` is refused, so that a hostile page cannot reach a local server through a name of its own.
    pub allowed_hosts: Vec<String>,
    /// Requests that are worked on at the same time; further ones are answered with 503. Default 64.
    pub max_requests: usize,
    /// Live streams that are open at the same time. Default 256.
    pub max_streams: usize,
    /// Open connections; further ones wait. Default 1024.
    pub max_connections: usize,
    /// Time to answer a request, in milliseconds. Default 10,000.
    pub timeout_ms: u64,
    /// Size of a request's body, in bytes. Default 65,536.
    pub max_body_bytes: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            token_env: None,
            token_file: None,
            allowed_hosts: Vec::new(),
            max_requests: 64,
            max_streams: 256,
            max_connections: 1024,
            timeout_ms: 10_000,
            max_body_bytes: 65_536,
        }
    }
}

/// The shortest token that is accepted.
const TOKEN_MIN_CHARS: usize = 16;

impl ServerConfig {
    /// Checks what can be checked without looking at files and variables.
    pub fn validate(&self) -> Result<()> {
        if self.token_env.is_some() && self.token_file.is_some() {
            return Err(Error::TwoTokens);
        }
        if !self.listen.ip().is_loopback() && self.token_env.is_none() && self.token_file.is_none() {
            return Err(Error::TokenNeeded(self.listen));
        }
        for (key, value) in [
            ("max_requests", self.max_requests),
            ("max_streams", self.max_streams),
            ("max_connections", self.max_connections),
            ("max_body_bytes", self.max_body_bytes),
        ] {
            if value == 0 || value > u32::MAX as usize {
                return Err(Error::OutOfRange { key });
            }
        }
        if self.timeout_ms == 0 {
            return Err(Error::OutOfRange { key: "timeout_ms" });
        }
        Ok(())
    }

    /// Validates, and reads the token. `env` looks up environment variables.
    pub fn access(&self, env: impl Fn(&str) -> Option<String>) -> Result<Access> {
        self.validate()?;
        let token = match (&self.token_env, &self.token_file) {
            (Some(variable), _) => Some(env(variable).ok_or_else(|| Error::TokenEnv(variable.clone()))?),
            (None, Some(path)) => {
                Some(std::fs::read_to_string(path).map_err(|source| Error::TokenFile { path: path.clone(), source })?)
            }
            (None, None) => None,
        };
        let token = token.map(|token| token.trim().to_owned());
        if token.as_ref().is_some_and(|token| token.chars().count() < TOKEN_MIN_CHARS) {
            return Err(Error::TokenShort { chars: TOKEN_MIN_CHARS });
        }
        Ok(Access { token, hosts: self.hosts() })
    }

    /// The names that `Host` may hold; `None` is any. A server that is open to the network and guarded by a token only
    /// checks names if it was given some: it cannot know under which it is reached.
    fn hosts(&self) -> Option<Vec<String>> {
        let ip = self.listen.ip();
        if !ip.is_loopback() && self.allowed_hosts.is_empty() {
            return None;
        }
        let mut hosts: Vec<String> = self.allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        hosts.push(match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        });
        Some(hosts)
    }
}

/// Who may ask: the outcome of [`ServerConfig::access`].
#[derive(Clone, Default)]
pub struct Access {
    /// The bearer token; `None` lets everybody in.
    pub(crate) token: Option<String>,
    /// The names that `Host` may hold; `None` is any.
    pub(crate) hosts: Option<Vec<String>>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "..");
        f.debug_struct("Access").field("token", &token).field("hosts", &self.hosts).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(listen: &str) -> ServerConfig {
        ServerConfig { listen: listen.parse().unwrap(), ..ServerConfig::default() }
    }

    #[test]
    fn only_this_machine_may_do_without_a_token() {
        config("127.0.0.1:0").validate().unwrap();
        config("[::1]:0").validate().unwrap();
        for listen in ["0.0.0.0:80", "[::]:80", "192.168.1.2:80"] {
            let error = config(listen).validate().unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "`listen = \"{listen}\"` is open to other machines: set `token_env` or `token_file`, or listen on 127.0.0.1"
                )
            );
        }
    }

    #[test]
    fn the_token_is_read_and_never_shown() {
        let config = ServerConfig { token_env: Some("T".to_owned()), ..config("0.0.0.0:80") };
        let access = config.access(|_| Some(" 0123456789abcdef\n".to_owned())).unwrap();
        assert_eq!(access.token.as_deref(), Some("0123456789abcdef"));
        assert!(!format!("{access:?}").contains("0123"));
        assert_eq!(config.access(|_| None).unwrap_err().to_string(), "environment variable `T` is not set");
        let error = config.access(|_| Some("short".to_owned())).unwrap_err().to_string();
        assert_eq!(error, "the token must have at least 16 characters; make one with `openssl rand -hex 32`");
    }

    #[test]
    fn limits_are_checked() {
        let config = ServerConfig { max_requests: 0, ..ServerConfig::default() };
        assert_eq!(config.validate().unwrap_err().to_string(), "`max_requests` must be from 1 to 4294967295");
    }
}
