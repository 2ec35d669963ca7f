//! The settings, and what they mean to librdkafka.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use rdkafka::{ClientConfig, config::RDKafkaLogLevel, error::KafkaError};
use serde::Deserialize;

use super::{
    context::TARGET,
    security::{self, SaslConfig, Security, TlsConfig},
};
use crate::{Error, Result};

/// How to reach and use a Kafka cluster.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaConfig {
    /// Addresses to start from, `host:port`, separated by commas. Default `127.0.0.1:9092`.
    pub brokers: String,
    /// Copies of every partition of a topic that is created here. Default 1; use 3 where there are three brokers: such
    /// topics are written to at least two of them before a write counts.
    pub replication_factor: u16,
    /// The name that brokers show in their logs and metrics. Default `chipwire`.
    pub client_id: String,
    /// Put before the names of groups, writers and workers, so that several installations can share a cluster. Default
    /// `chipwire.`. Not a key of its own: whoever opens the log sets it, to the prefix that the topics have.
    #[serde(skip)]
    pub id_prefix: String,
    /// How long the broker lets a transaction be open, and how long a write waits before it is given up. Default 30000.
    pub transaction_timeout_ms: u32,
    /// How long to wait for an answer to any other question. Default 10000.
    pub request_timeout_ms: u32,
    /// The largest record, in bytes of key, headers and value together. Topics that are created here take as much. Default
    /// 16 MiB.
    pub max_record_bytes: u32,
    /// TLS. Off unless there is such a table.
    pub tls: Option<TlsConfig>,
    /// SASL. Off unless there is such a table.
    pub sasl: Option<SaslConfig>,
    /// Further settings of librdkafka, for example `ssl.cipher.suites`, for every client. What `tls` and `sasl` set cannot be
    /// set here too.
    pub properties: BTreeMap<String, String>,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".to_owned(),
            replication_factor: 1,
            client_id: "chipwire".to_owned(),
            id_prefix: "chipwire.".to_owned(),
            transaction_timeout_ms: 30_000,
            request_timeout_ms: 10_000,
            max_record_bytes: 16 << 20,
            tls: None,
            sasl: None,
            properties: BTreeMap::new(),
        }
    }
}

/// Property values may be passwords: only their names are shown.
impl fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConfig")
            .field("brokers", &self.brokers)
            .field("replication_factor", &self.replication_factor)
            .field("client_id", &self.client_id)
            .field("id_prefix", &self.id_prefix)
            .field("transaction_timeout_ms", &self.transaction_timeout_ms)
            .field("request_timeout_ms", &self.request_timeout_ms)
            .field("max_record_bytes", &self.max_record_bytes)
            .field("tls", &self.tls)
            .field("sasl", &self.sasl)
            .field("properties", &self.properties.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// What the laws of the log rest on: not to be set from outside.
const RESERVED: &[&str] = &[
    "acks",
    "allow.auto.create.topics",
    "auto.offset.reset",
    "bootstrap.servers",
    "check.crcs",
    "client.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "isolation.level",
    "message.max.bytes",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "request.required.acks",
    "transaction.timeout.ms",
    "transactional.id",
];

impl KafkaConfig {
    /// Takes the files that it names to be relative to `folder`.
    pub fn files_below(&mut self, folder: &Path) {
        let below = |file: &mut Option<PathBuf>| *file = file.take().map(|file| folder.join(file));
        if let Some(tls) = &mut self.tls {
            [&mut tls.ca_file, &mut tls.cert_file, &mut tls.key_file, &mut tls.key_password_file]
                .into_iter()
                .for_each(below);
        }
        if let Some(sasl) = &mut self.sasl {
            below(&mut sasl.password_file);
        }
    }

    /// Checks every setting, without asking a broker and without looking at files and variables.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that cannot work.
    pub fn check(&self) -> Result<()> {
        let refuse = |key: &str, reason: &str| Err(Error::Setting { key: key.to_owned(), reason: reason.to_owned() });
        if self.brokers.split(',').any(|broker| broker.trim().is_empty()) {
            return refuse("brokers", "expected addresses such as `kafka-1:9092,kafka-2:9092`");
        }
        if self.replication_factor == 0 {
            return refuse("replication_factor", "expected 1 or more");
        }
        // librdkafka's own limits.
        if !(1_000..=900_000).contains(&self.transaction_timeout_ms) {
            return refuse("transaction_timeout_ms", "expected 1000 to 900000");
        }
        if !(1..=900_000).contains(&self.request_timeout_ms) {
            return refuse("request_timeout_ms", "expected 1 to 900000");
        }
        if !(1_000..=1_000_000_000).contains(&self.max_record_bytes) {
            return refuse("max_record_bytes", "expected 1000 to 1000000000");
        }
        if let Some(key) = self.properties.keys().find(|key| RESERVED.contains(&key.as_str())) {
            return refuse(&format!("properties.{key}"), "chipwire sets it by itself");
        }
        security::check(self)?;
        // Lets librdkafka say what it thinks of the rest.
        let open = Security::default();
        self.worker("check", &open).create_native_config().map_err(setting)?;
        self.producer("check", &open).create_native_config().map_err(setting)?;
        Ok(())
    }

    /// Reads the certificates and passwords that the settings name, as whoever opens the log does. `env` looks up environment
    /// variables.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that cannot be read or used. No error ever holds a secret.
    pub fn check_secrets(&self, env: impl Fn(&str) -> Option<String>) -> Result<()> {
        Security::read(self, &env).map(drop)
    }

    pub(super) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms.into())
    }

    pub(super) fn transaction_timeout(&self) -> Duration {
        Duration::from_millis(self.transaction_timeout_ms.into())
    }

    /// In-sync copies that a write needs: one may be missing where there are at least three.
    pub(super) fn min_insync_replicas(&self) -> u16 {
        if self.replication_factor >= 3 { self.replication_factor - 1 } else { 1 }
    }

    /// For clients that create topics.
    pub(super) fn admin(&self, security: &Security) -> ClientConfig {
        self.client(security, &[], &[])
    }

    /// For questions. It reads nothing, and is told the ends of partitions with what is not decided yet.
    pub(super) fn questions(&self, security: &Security) -> ClientConfig {
        let mut config = self.client(security, CONSUMER_DEFAULTS, CONSUMER_LAWS);
        config.set("isolation.level", "read_uncommitted");
        config
    }

    /// The same, and told the ends of what is decided.
    pub(super) fn decided_questions(&self, security: &Security) -> ClientConfig {
        self.client(security, CONSUMER_DEFAULTS, CONSUMER_LAWS)
    }

    /// For clients that use a group's name without joining it: to ask for its offsets, or, because librdkafka reads only in
    /// the name of some group, to read by themselves.
    pub(super) fn group_consumer(&self, group: &str, security: &Security) -> ClientConfig {
        let mut config = self.client(security, CONSUMER_DEFAULTS, CONSUMER_LAWS);
        config.set("group.id", self.id(group));
        config
    }

    /// For members of a group.
    pub(super) fn worker(&self, group: &str, security: &Security) -> ClientConfig {
        // Only a trace shows them, and drawing them up costs every time.
        let is_traced = tracing::enabled!(target: TARGET, tracing::Level::TRACE);
        let statistics = if is_traced { STATISTICS } else { &[] };
        let mut config =
            self.client(security, &[CONSUMER_DEFAULTS, WORKER_DEFAULTS, statistics].concat(), CONSUMER_LAWS);
        config.set("group.id", self.id(group));
        // Only what has to move moves, and nobody stops for the others.
        config.set("partition.assignment.strategy", "cooperative-sticky");
        config
    }

    /// For whoever writes: one transactional producer.
    pub(super) fn producer(&self, name: &str, security: &Security) -> ClientConfig {
        let mut config = self.client(security, PRODUCER_DEFAULTS, &[("acks", "all"), ("enable.idempotence", "true")]);
        config.set("transactional.id", self.id(name));
        config.set("transaction.timeout.ms", self.transaction_timeout_ms.to_string());
        config.set("message.max.bytes", self.max_record_bytes.to_string());
        config
    }

    /// A name of a group or a transactional producer, as the brokers know it.
    pub(super) fn id(&self, name: &str) -> String {
        format!("{}{name}", self.id_prefix)
    }

    /// `defaults` give way to the user's properties, and these to `laws`.
    fn client(&self, security: &Security, defaults: &[(&str, &str)], laws: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        let log_level = if tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
            RDKafkaLogLevel::Debug
        } else {
            RDKafkaLogLevel::Info
        };
        config.set_log_level(log_level);
        // A broker that comes back is found within a second, not ten.
        config.set("reconnect.backoff.max.ms", "1000");
        config.set("socket.keepalive.enable", "true");
        // Small requests must not wait 40 ms for the acknowledgement of the one before.
        config.set("socket.nagle.disable", "true");
        for (key, value) in defaults {
            config.set(*key, *value);
        }
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        security.put_on(&mut config);
        for (key, value) in laws {
            config.set(*key, *value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config.set("client.id", &self.client_id);
        config
    }
}

const CONSUMER_DEFAULTS: &[(&str, &str)] = &[
    ("queued.max.messages.kbytes", "16384"),
    // How long fetching rests when the local queue is full; the default of a second starves whoever reads fast.
    ("fetch.queue.backoff.ms", "10"),
];

const CONSUMER_LAWS: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("isolation.level", "read_committed"),
    ("check.crcs", "true"),
    ("auto.offset.reset", "error"),
    ("allow.auto.create.topics", "false"),
];

const WORKER_DEFAULTS: &[(&str, &str)] = &[
    ("max.poll.interval.ms", "300000"),
    // A member that died without a word is replaced after this time.
    ("session.timeout.ms", "15000"),
];

/// Of workers, which are polled all the time: they would pile up in a client that is asked something now and then.
const STATISTICS: &[(&str, &str)] = &[("statistics.interval.ms", "5000")];

const PRODUCER_DEFAULTS: &[(&str, &str)] = &[
    // Not the 5 to 20 of a producer that sends as events come: a transaction's records are all there at once and fill batches
    // by themselves, and whoever waits for its commit waits for every millisecond of this too.
    ("linger.ms", "1"),
    ("compression.type", "zstd"),
    // The default is a gigabyte.
    ("queue.buffering.max.kbytes", "65536"),
];

/// A setting that librdkafka refuses.
fn setting(error: KafkaError) -> Error {
    match error {
        KafkaError::ClientConfig(_, reason, key, _) => {
            Error::Setting { key: format!("properties.{key}"), reason: reason.trim_end_matches('.').to_owned() }
        }
        other => Error::Setting { key: "properties".to_owned(), reason: other.to_string() },
    }
}

/// Creating a client checks how settings fit together, which setting them one by one does not.
pub(super) fn unusable(error: KafkaError) -> Error {
    match error {
        KafkaError::ClientCreation(reason) => Error::Setting { key: "kafka".to_owned(), reason },
        other => setting(other),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut KafkaConfig)) -> String {
        let mut config = KafkaConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    fn property(key: &str, value: &str) -> String {
        refused(|config| {
            config.properties.insert(key.to_owned(), value.to_owned());
        })
    }

    #[test]
    fn defaults_are_usable() {
        KafkaConfig::default().check().unwrap();
    }

    #[test]
    fn bad_settings_are_named() {
        assert!(refused(|config| config.brokers = "a:1,,b:2".into()).contains("`brokers`"));
        assert!(refused(|config| config.replication_factor = 0).contains("`replication_factor`"));
        assert!(refused(|config| config.transaction_timeout_ms = 0).contains("`transaction_timeout_ms`"));
        assert!(refused(|config| config.request_timeout_ms = 0).contains("`request_timeout_ms`"));
        assert!(refused(|config| config.max_record_bytes = 1).contains("`max_record_bytes`"));
        assert!(property("linger.mss", "5").contains("`properties.linger.mss`"));
        assert!(property("linger.ms", "soon").contains("`properties.linger.ms`"));
    }

    #[test]
    fn laws_cannot_be_set() {
        assert!(property("isolation.level", "read_uncommitted").contains("chipwire sets it by itself"));
    }

    #[test]
    fn properties_override_defaults_only() {
        let mut config = KafkaConfig::default();
        config.properties.insert("linger.ms".into(), "1".into());
        let producer = config.producer("w", &Security::default());
        assert_eq!(producer.get("linger.ms"), Some("1"));
        assert_eq!(producer.get("transactional.id"), Some("chipwire.w"));
        assert_eq!(config.group_consumer("g", &Security::default()).get("isolation.level"), Some("read_committed"));
    }

    #[test]
    fn debug_hides_property_values() {
        let mut config = KafkaConfig::default();
        config.properties.insert("sasl.password".into(), "hunter2".into());
        let shown = format!("{config:?}");
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
    }
}
