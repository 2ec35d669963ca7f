//! The log on a real Kafka broker that wants TLS, and a password or a certificate.

#![cfg(feature = "kafka")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

#[path = "../../../tests/support/broker.rs"]
mod broker;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use broker::{Broker, Secured};
use chipwire_log::{
    Cleanup, Error, EventLog, Limit, Positions, Record, Step, TopicSpec,
    kafka::{KafkaConfig, KafkaLog, Mechanism, SaslConfig, TlsConfig},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

const WAIT: Duration = Duration::from_millis(100);
const DEADLINE: Duration = Duration::from_secs(60);
/// What the clients are told to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
const USER: &str = "chipwire";
const PASSWORD: &str = "correct horse battery staple";
const WRONG_PASSWORD: &str = "Tr0ub4dor and 3";
const MECHANISMS: [Mechanism; 3] = [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512];

/// Whoever signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// A key, and a certificate for it.
    fn sign(&self, names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        (key.serialize_pem(), certificate.pem())
    }
}

/// A broker, and the files of its clients.
struct Kafka {
    broker: Broker,
    folder: TempDir,
}

impl Kafka {
    /// One for all tests that do not change it.
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Kafka> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A new one. Its certificate is for 127.0.0.1, not for localhost.
    fn start() -> Self {
        let (ours, other) = (Authority::new("ours"), Authority::new("other"));
        let (key, certificate) = ours.sign(&["127.0.0.1"]);
        let broker = Broker::start_secured(&Secured {
            keys: &(key + &certificate),
            authority: &ours.certificate,
            user: USER,
            password: PASSWORD,
        });
        let (client_key, client_certificate) = ours.sign(&[]);
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("ca.pem", ours.certificate.as_str()),
            ("other-ca.pem", &other.certificate),
            ("client.pem", &client_certificate),
            ("client.key", &client_key),
            // As an editor leaves it.
            ("password", &format!("{PASSWORD}\n")),
            ("wrong-password", WRONG_PASSWORD),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self { broker, folder }
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.path().join(name))
    }

    /// Settings that are right for the listener with passwords.
    fn with_password(&self, mechanism: Mechanism) -> KafkaConfig {
        KafkaConfig {
            brokers: format!("127.0.0.1:{}", self.broker.sasl_port()),
            request_timeout_ms: u32::try_from(PATIENCE.as_millis()).unwrap(),
            tls: Some(TlsConfig { ca_file: self.file("ca.pem"), ..TlsConfig::default() }),
            sasl: Some(SaslConfig {
                mechanism,
                username: USER.to_owned(),
                password_env: None,
                password_file: self.file("password"),
            }),
            ..KafkaConfig::default()
        }
    }

    /// Settings that are right for the listener with certificates.
    fn with_certificate(&self) -> KafkaConfig {
        let tls = TlsConfig {
            ca_file: self.file("ca.pem"),
            cert_file: self.file("client.pem"),
            key_file: self.file("client.key"),
            ..TlsConfig::default()
        };
        let brokers = format!("127.0.0.1:{}", self.broker.tls_port());
        KafkaConfig { brokers, tls: Some(tls), sasl: None, ..self.with_password(Mechanism::Plain) }
    }
}

fn record(topic: &Arc<str>, value: &str) -> Record {
    Record {
        topic: Arc::clone(topic),
        partition: 0,
        key: b"key".to_vec(),
        headers: Vec::new(),
        value: Some(value.as_bytes().to_vec()),
    }
}

/// Writes a record, has a worker answer it in one transaction with its position, and reads the answer.
fn round_trip(config: KafkaConfig, name: &str) {
    let log = KafkaLog::connect(config).unwrap();
    let [input, output]: [Arc<str>; 2] = [format!("{name}-in").into(), format!("{name}-out").into()];
    let spec = |name: &Arc<str>| TopicSpec {
        name: Arc::clone(name),
        partitions: 1,
        cleanup: Cleanup::Delete { retention: None },
    };
    log.ensure(&[spec(&input), spec(&output)]).unwrap();
    log.writer(name).unwrap().append(&[record(&input, "question")]).unwrap();

    let mut worker = log.worker(name, "member", &[&input]).unwrap();
    let deadline = Instant::now() + DEADLINE;
    let upto = loop {
        assert!(Instant::now() < deadline, "{name}: nothing came");
        if let Step::Batch(batch) = worker.next(Limit::default(), WAIT).unwrap()
            && !batch.records.is_empty()
        {
            break batch.positions;
        }
    };
    worker.commit(&[record(&output, "answer")], &upto).unwrap();
    assert_eq!(log.committed(name, &[&input]).unwrap(), upto);

    let mut reader = log.reader(&[&output], &Positions::new()).unwrap();
    let batch = reader.next(Limit::default(), DEADLINE).unwrap();
    let values: Vec<_> = batch.records.iter().map(|stored| stored.record.value.as_deref().unwrap()).collect();
    assert_eq!(values, [b"answer"]);
}

#[test]
fn every_mechanism_gets_through() {
    for mechanism in MECHANISMS {
        round_trip(Kafka::shared().with_password(mechanism), &format!("{mechanism:?}"));
    }
}

#[test]
fn a_certificate_gets_through() {
    round_trip(Kafka::shared().with_certificate(), "certificate");
}

/// Checks what the error says, and what it does not.
fn check_told(config: &KafkaConfig, error: &Error, expected: &[&str]) {
    let shown = error.to_string();
    for words in [&config.brokers.as_str()].into_iter().chain(expected) {
        assert!(shown.contains(words), "no `{words}` in: {shown}");
    }
    for secret in [PASSWORD, WRONG_PASSWORD] {
        assert!(!format!("{shown} {error:?} {config:?}").contains(secret), "{shown}");
    }
}

/// The first question, a writer, a worker and a reader are told the same, long before their time is over.
fn check_denied(config: &KafkaConfig, expected: &[&str]) {
    let started = Instant::now();
    let log = KafkaLog::connect(config.clone()).unwrap();
    let topic = "denied";
    let told = [
        log.ensure(&[TopicSpec { name: topic.into(), partitions: 1, cleanup: Cleanup::Compact }]).err(),
        log.genesis().err(),
        log.writer("w").err(),
        log.worker("g", "m", &[topic]).err(),
        log.reader(&[topic], &Positions::new()).err(),
        log.committed("g", &[topic]).err(),
    ];
    assert!(started.elapsed() < PATIENCE / 2, "it took {:?}", started.elapsed());
    for error in told.map(Option::unwrap) {
        assert!(matches!(error, Error::Denied { .. }) && !error.is_transient(), "{error:?}");
        check_told(config, &error, expected);
    }
}

/// A closed connection does not say why it was closed, so this may pass; it is told early all the same.
fn check_unclear(config: &KafkaConfig) {
    let started = Instant::now();
    let error = KafkaLog::connect(config.clone()).unwrap().genesis().unwrap_err();
    assert!(started.elapsed() < PATIENCE / 2, "it took {:?}", started.elapsed());
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    check_told(config, &error, &["check whether `tls` and `sasl` are set as the broker expects it at that port"]);
}

#[test]
fn a_wrong_password_is_told() {
    let kafka = Kafka::shared();
    for mechanism in MECHANISMS {
        let mut config = kafka.with_password(mechanism);
        config.sasl.as_mut().unwrap().password_file = kafka.file("wrong-password");
        check_denied(&config, &["Authentication failed", "check user name, password and mechanism in `sasl`"]);
    }
    let mut config = kafka.with_password(Mechanism::ScramSha512);
    config.sasl.as_mut().unwrap().username = "nobody".to_owned();
    check_denied(&config, &["Authentication failed", "`sasl`"]);
}

#[test]
fn a_broker_that_cannot_be_trusted_is_told() {
    let kafka = Kafka::shared();
    let mut config = kafka.with_password(Mechanism::Plain);
    config.tls = Some(TlsConfig { ca_file: kafka.file("other-ca.pem"), ..TlsConfig::default() });
    check_denied(&config, &["certificate", "check `tls.ca_file`"]);
    // What the machine trusts does not have it either.
    config.tls = Some(TlsConfig::default());
    check_denied(&config, &["certificate", "check `tls.ca_file`"]);

    let mut config = kafka.with_password(Mechanism::Plain);
    config.brokers = format!("localhost:{}", kafka.broker.sasl_port());
    check_denied(&config, &["certificate", "is for the name that it has in `brokers`"]);
}

#[test]
fn a_missing_certificate_is_told() {
    let config = Kafka::shared().with_certificate();
    let tls = TlsConfig { cert_file: None, key_file: None, ..config.tls.clone().unwrap() };
    check_denied(&KafkaConfig { tls: Some(tls), ..config }, &["certificate", "check `tls.cert_file`"]);
}

#[test]
fn with_and_without_tls_do_not_mix() {
    let kafka = Kafka::shared();
    let both = kafka.with_password(Mechanism::Plain);
    check_unclear(&KafkaConfig { tls: None, sasl: None, ..both.clone() });
    check_unclear(&KafkaConfig { tls: None, ..both.clone() });
    check_unclear(&KafkaConfig { sasl: None, ..both.clone() });
    check_unclear(&KafkaConfig { sasl: None, brokers: kafka.broker.bootstrap(), ..both.clone() });
    check_denied(&KafkaConfig { tls: None, brokers: kafka.broker.bootstrap(), ..both }, &["`sasl`"]);
}

#[test]
fn a_broker_that_comes_back_as_another_is_told_to_all() {
    let kafka = Kafka::start();
    // Each call waits for so long, as for a broker that is away.
    let config = KafkaConfig {
        request_timeout_ms: 2_000,
        transaction_timeout_ms: 2_000,
        ..kafka.with_password(Mechanism::ScramSha256)
    };
    let log = KafkaLog::connect(config.clone()).unwrap();
    let topic: Arc<str> = "topic".into();
    let spec = TopicSpec { name: Arc::clone(&topic), partitions: 1, cleanup: Cleanup::Delete { retention: None } };
    // The first use of a new broker makes its inner topics, which takes it more than a second.
    let deadline = Instant::now() + DEADLINE;
    let until_there = |error: Error| assert!(error.is_transient() && Instant::now() < deadline, "{error}");
    while let Err(error) = log.ensure(std::slice::from_ref(&spec)) {
        until_there(error);
    }
    while let Err(error) = log.writer("w").and_then(|mut writer| writer.append(&[record(&topic, "before")])) {
        until_there(error);
    }
    let mut reader = log.reader(&[&topic], &Positions::new()).unwrap();
    assert_eq!(reader.next(Limit::default(), DEADLINE).unwrap().records.len(), 1);
    let mut worker = log.worker("g", "m", &[&topic]).unwrap();

    kafka.broker.stop();
    let (key, certificate) = Authority::new("somebody").sign(&["127.0.0.1"]);
    fs::write(kafka.broker.keys(), key + &certificate).unwrap();
    kafka.broker.restart();

    let deadline = Instant::now() + DEADLINE;
    let denied = |what: &str, attempt: &mut dyn FnMut() -> Option<Error>| loop {
        assert!(Instant::now() < deadline, "{what} was told nothing");
        match attempt() {
            Some(error @ Error::Denied { .. }) => break check_told(&config, &error, &["certificate", "`tls.ca_file`"]),
            Some(error) => assert!(error.is_transient(), "{what}: {error}"),
            None => {}
        }
    };
    denied("a question", &mut || log.bounds(&topic).err());
    denied("a writer", &mut || log.writer("w").err());
    denied("a reader", &mut || reader.next(Limit::default(), WAIT).err());
    denied("a worker", &mut || worker.next(Limit::default(), WAIT).err());
    denied("a new worker", &mut || log.worker("g", "m", &[&topic]).err());
}
