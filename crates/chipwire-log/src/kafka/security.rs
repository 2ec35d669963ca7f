//! TLS and SASL: how the brokers are known to be the right ones, and how they know this client.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use rdkafka::{ClientConfig, consumer::BaseConsumer, error::KafkaError};
use serde::Deserialize;

use super::{
    config::{KafkaConfig, unusable},
    context::Context,
};
use crate::{Error, Result};

/// TLS. An empty table turns it on. The brokers' certificates and names are always checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// The file (PEM) with the certificates of whoever signed those of the brokers. Default: what the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// The file (PEM) with the certificate that this client shows, where the brokers ask for one. Needs `key_file`. Default:
    /// none.
    pub cert_file: Option<PathBuf>,
    /// The file (PEM) with the key of that certificate. Default: none.
    pub key_file: Option<PathBuf>,
    /// The environment variable with the password of the key, if it has one. Default: none.
    pub key_password_env: Option<String>,
    /// The file with the password of the key; a line break at its end does not count. Default: none.
    pub key_password_file: Option<PathBuf>,
}

/// SASL. Needs TLS, unless all brokers are on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaslConfig {
    /// How the password is shown to the brokers. No default.
    pub mechanism: Mechanism,
    /// The name of this client. No default.
    pub username: String,
    /// The environment variable with the password. This or `password_file`. Default: none.
    pub password_env: Option<String>,
    /// The file with the password; a line break at its end does not count. Default: none.
    pub password_file: Option<PathBuf>,
}

/// A mechanism of SASL, by the name that Kafka has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Mechanism {
    /// The password itself is sent.
    #[serde(rename = "PLAIN")]
    Plain,
    /// Both sides prove that they know the password (RFC 5802), with SHA-256 (RFC 7677).
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// The same with SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// What the two tables come to for librdkafka. Holds passwords, and so has no `Debug`.
#[derive(Clone, Default)]
pub(super) struct Security {
    properties: Vec<(&'static str, String)>,
}

/// Properties that `tls` sets, and what stands for them there.
const TLS_PROPERTIES: &[(&str, &str)] = &[
    ("security.protocol", "it follows from `tls` and `sasl`"),
    ("enable.ssl.certificate.verification", "with `tls` certificates are always checked"),
    ("ssl.endpoint.identification.algorithm", "with `tls` the names of brokers are always checked"),
    ("ssl.ca.location", "set `tls.ca_file`"),
    ("ssl.ca.pem", "set `tls.ca_file`"),
    ("ssl.certificate.location", "set `tls.cert_file`"),
    ("ssl.certificate.pem", "set `tls.cert_file`"),
    ("ssl.keystore.location", "set `tls.cert_file` and `tls.key_file`"),
    ("ssl.keystore.password", "set `tls.cert_file` and `tls.key_file`"),
    ("ssl.key.location", "set `tls.key_file`"),
    ("ssl.key.pem", "set `tls.key_file`"),
    ("ssl.key.password", "set `tls.key_password_env` or `tls.key_password_file`"),
];

/// Properties that `sasl` sets, and what stands for them there.
const SASL_PROPERTIES: &[(&str, &str)] = &[
    ("security.protocol", "it follows from `tls` and `sasl`"),
    ("sasl.mechanism", "set `sasl.mechanism`"),
    ("sasl.mechanisms", "set `sasl.mechanism`"),
    ("sasl.username", "set `sasl.username`"),
    ("sasl.password", "set `sasl.password_env` or `sasl.password_file`"),
];

/// What OpenSSL reads a key's password into.
const KEY_PASSWORD_MAX_BYTES: usize = 1_000;

/// Checks what can be checked without looking at files and variables.
pub(super) fn check(config: &KafkaConfig) -> Result<()> {
    check_properties(config)?;
    if let Some(tls) = &config.tls {
        match (&tls.cert_file, &tls.key_file) {
            (Some(_), None) => return refuse("tls.key_file", "`tls.cert_file` needs the file of its key"),
            (None, Some(_)) => return refuse("tls.cert_file", "`tls.key_file` needs the file of its certificate"),
            _ => {}
        }
        if tls.key_password_env.is_some() && tls.key_password_file.is_some() {
            return refuse("tls.key_password_file", "`tls.key_password_env` is set too, one is enough");
        }
        if tls.key_file.is_none() && tls.key_password_env.is_some() {
            return refuse("tls.key_password_env", "there is no `tls.key_file` that it could open");
        }
        if tls.key_file.is_none() && tls.key_password_file.is_some() {
            return refuse("tls.key_password_file", "there is no `tls.key_file` that it could open");
        }
    }
    if let Some(sasl) = &config.sasl {
        if sasl.username.is_empty() || sasl.username.contains('\0') {
            return refuse("sasl.username", "expected a name");
        }
        match (&sasl.password_env, &sasl.password_file) {
            (None, None) => return refuse("sasl", "set `sasl.password_env` or `sasl.password_file`"),
            (Some(_), Some(_)) => {
                return refuse("sasl.password_file", "`sasl.password_env` is set too, one is enough");
            }
            _ => {}
        }
        let remote = config.brokers.split(',').map(str::trim).find(|broker| !is_loopback(broker));
        if let (None, Some(broker)) = (&config.tls, remote) {
            let reason = format!(
                "without TLS anyone on the way to `{broker}` could take the password: add a `tls` table (an empty one \
                 will do where the machine trusts the brokers' certificates)"
            );
            return refuse("sasl", &reason);
        }
    }
    Ok(())
}

/// Each thing is said in one place, and nothing is said that has no effect.
fn check_properties(config: &KafkaConfig) -> Result<()> {
    let (tls, sasl) = (config.tls.is_some(), config.sasl.is_some());
    let none: &[(&str, &str)] = &[];
    let set_here = [if tls { TLS_PROPERTIES } else { none }, if sasl { SASL_PROPERTIES } else { none }].concat();
    for key in config.properties.keys() {
        let place = format!("properties.{key}");
        if let Some((_, instead)) = set_here.iter().find(|(property, _)| property == key) {
            let tables = if tls && sasl {
                "`tls` and `sasl` are"
            } else if tls {
                "`tls` is"
            } else {
                "`sasl` is"
            };
            return refuse(&place, &format!("{tables} set: {instead}"));
        }
        if tls && !sasl && key.starts_with("sasl.") {
            return refuse(&place, "it has no effect with `tls` alone: set `sasl`, or give all of TLS and SASL here");
        }
        if sasl && !tls && key.starts_with("ssl.") {
            return refuse(&place, "it has no effect without TLS: set `tls`");
        }
    }
    Ok(())
}

impl Security {
    /// Reads what the settings name, and lets librdkafka load the certificates. `env` looks up environment variables.
    pub(super) fn read(config: &KafkaConfig, env: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let mut security = Self::default();
        let protocol = match (&config.tls, &config.sasl) {
            (None, None) => return Ok(security),
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        security.set("security.protocol", protocol);
        if let Some(sasl) = &config.sasl {
            security.set("sasl.mechanism", sasl.mechanism.name());
            security.set("sasl.username", &sasl.username);
            let password = password(env, "sasl.password", sasl.password_env.as_deref(), sasl.password_file.as_deref())?;
            security.set("sasl.password", password.unwrap_or_default());
        }
        if let Some(tls) = &config.tls {
            security.read_tls(tls, env)?;
            security.try_out(config, tls)?;
        }
        Ok(security)
    }

    fn read_tls(&mut self, tls: &TlsConfig, env: &dyn Fn(&str) -> Option<String>) -> Result<()> {
        self.set("ssl.endpoint.identification.algorithm", "https");
        self.set("enable.ssl.certificate.verification", "true");
        // The places where systems keep certificates are searched.
        self.set("ssl.ca.location", "probe");
        for (property, key, file) in [
            ("ssl.ca.location", "tls.ca_file", &tls.ca_file),
            ("ssl.certificate.location", "tls.cert_file", &tls.cert_file),
            ("ssl.key.location", "tls.key_file", &tls.key_file),
        ] {
            let Some(path) = file else { continue };
            fs::read(path).or_else(|error| refuse(key, &format!("failed to read `{}`: {error}", path.display())))?;
            match path.to_str() {
                Some(path) => self.set(property, path),
                None => return refuse(key, &format!("the path `{}` is not in UTF-8", path.display())),
            }
        }
        let file = tls.key_password_file.as_deref();
        if let Some(password) = password(env, "tls.key_password", tls.key_password_env.as_deref(), file)? {
            if password.len() > KEY_PASSWORD_MAX_BYTES {
                let kind = if file.is_some() { "file" } else { "env" };
                let reason = format!("the password has more than {KEY_PASSWORD_MAX_BYTES} bytes");
                return refuse(&format!("tls.key_password_{kind}"), &reason);
            }
            self.set("ssl.key.password", password);
        }
        Ok(())
    }

    /// Makes a client that knows no broker, to have the files read by who will use them.
    fn try_out(&self, config: &KafkaConfig, tls: &TlsConfig) -> Result<()> {
        let mut client = config.questions(self);
        client.remove("bootstrap.servers");
        match client.create_with_context::<_, BaseConsumer<Context>>(Context::default()) {
            Ok(_) => Ok(()),
            Err(KafkaError::ClientCreation(reason)) => {
                let (key, file) = if reason.contains("ssl.ca.location") {
                    ("tls.ca_file", &tls.ca_file)
                } else if reason.contains("ssl.certificate.location") {
                    ("tls.cert_file", &tls.cert_file)
                } else {
                    ("tls.key_file", &tls.key_file)
                };
                let Some(path) = file.as_deref().map(Path::display) else {
                    return Err(unusable(KafkaError::ClientCreation(reason)));
                };
                let expected = match key {
                    "tls.key_file" => {
                        format!("the key of `tls.cert_file` in `{path}`, in PEM, and its password if it has one")
                    }
                    _ => format!("certificates in `{path}`, in PEM"),
                };
                refuse(key, &format!("expected {expected}: {reason}"))
            }
            Err(other) => Err(unusable(other)),
        }
    }

    fn set(&mut self, property: &'static str, value: impl Into<String>) {
        self.properties.retain(|(set, _)| *set != property);
        self.properties.push((property, value.into()));
    }

    /// Puts itself onto the settings of a client.
    pub(super) fn put_on(&self, client: &mut ClientConfig) {
        for (property, value) in &self.properties {
            client.set(*property, value);
        }
    }
}

/// The password in a variable or in a file, if one of them is named. `key` is what the names of both settings begin with.
fn password(
    env: &dyn Fn(&str) -> Option<String>,
    key: &str,
    variable: Option<&str>,
    file: Option<&Path>,
) -> Result<Option<String>> {
    let (key, found, place) = match (variable, file) {
        (Some(variable), _) => {
            let key = format!("{key}_env");
            let Some(found) = env(variable) else {
                return refuse(&key, &format!("environment variable `{variable}` is not set"));
            };
            (key, found, format!("environment variable `{variable}`"))
        }
        (None, Some(path)) => {
            let key = format!("{key}_file");
            let failed = |error| refuse(&key, &format!("failed to read `{}`: {error}", path.display()));
            let found = fs::read_to_string(path).or_else(failed)?;
            let line = found.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
            (key, line.unwrap_or(&found).to_owned(), format!("`{}`", path.display()))
        }
        (None, None) => return Ok(None),
    };
    match found {
        found if found.is_empty() => refuse(&key, &format!("{place} is empty")),
        found if found.contains('\0') => refuse(&key, &format!("{place} has a zero byte in it")),
        found => Ok(Some(found)),
    }
}

/// Whether an address of `brokers` leads to this machine and nowhere else.
fn is_loopback(broker: &str) -> bool {
    let address = broker.split_once("://").map_or(broker, |(_, address)| address);
    let host = match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => address.rsplit_once(':').map_or(address, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn refuse<T>(key: &str, reason: &str) -> Result<T> {
    Err(Error::Setting { key: key.to_owned(), reason: reason.to_owned() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests;
