use std::collections::BTreeMap;

use super::*;

const CERTIFICATE: &str = include_str!("../../../tests/tls/client.pem");
/// Its password is "sesame".
const KEY: &str = include_str!("../../../tests/tls/client.key");

fn sasl() -> SaslConfig {
    let (username, password_env) = ("chipwire".to_owned(), Some("PASSWORD".to_owned()));
    SaslConfig { mechanism: Mechanism::ScramSha512, username, password_env, password_file: None }
}

fn both() -> KafkaConfig {
    KafkaConfig { tls: Some(TlsConfig::default()), sasl: Some(sasl()), ..KafkaConfig::default() }
}

fn setting(error: Error) -> (String, String) {
    match error {
        Error::Setting { key, reason } => (key, reason),
        other => panic!("expected a setting, got {other}"),
    }
}

/// The key and the reason that the settings are refused for.
fn refused(config: &KafkaConfig) -> (String, String) {
    setting(config.check().unwrap_err())
}

fn check_tls(key: &str, reason: &str, change: impl FnOnce(&mut TlsConfig)) {
    let mut config = KafkaConfig { sasl: None, ..both() };
    change(config.tls.as_mut().unwrap());
    assert_eq!(refused(&config), (key.to_owned(), reason.to_owned()));
}

fn check_sasl(key: &str, reason: &str, change: impl FnOnce(&mut SaslConfig)) {
    let mut config = both();
    change(config.sasl.as_mut().unwrap());
    assert_eq!(refused(&config), (key.to_owned(), reason.to_owned()));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let file = || Some(PathBuf::from("file"));
    let name = || Some("NAME".to_owned());
    check_tls("tls.key_file", "`tls.cert_file` needs the file of its key", |tls| tls.cert_file = file());
    check_tls("tls.cert_file", "`tls.key_file` needs the file of its certificate", |tls| tls.key_file = file());
    let alone = "there is no `tls.key_file` that it could open";
    check_tls("tls.key_password_env", alone, |tls| tls.key_password_env = name());
    check_tls("tls.key_password_file", alone, |tls| tls.key_password_file = file());
    check_tls("tls.key_password_file", "`tls.key_password_env` is set too, one is enough", |tls| {
        (tls.key_password_env, tls.key_password_file) = (name(), file());
    });
    check_sasl("sasl.username", "expected a name", |sasl| sasl.username = String::new());
    let missing = "set `sasl.password_env` or `sasl.password_file`";
    check_sasl("sasl", missing, |sasl| sasl.password_env = None);
    let twice = "`sasl.password_env` is set too, one is enough";
    check_sasl("sasl.password_file", twice, |sasl| sasl.password_file = file());
    both().check().unwrap();
}

#[test]
fn a_password_needs_tls_or_this_machine() {
    for brokers in
        ["127.0.0.1:9092", "localhost:9092, [::1]:9093", "sasl_plaintext://127.1.2.3:1", "127.0.0.1", "[::1]"]
    {
        KafkaConfig { brokers: brokers.to_owned(), tls: None, ..both() }.check().unwrap();
    }
    for brokers in
        ["kafka:9092", "127.0.0.1:9092,10.0.0.1:9092", "localhost.example.org:9092", "[fe80::1]:9092", "::1x"]
    {
        let config = KafkaConfig { brokers: brokers.to_owned(), ..both() };
        config.check().unwrap();
        let (key, reason) = refused(&KafkaConfig { tls: None, ..config });
        assert!(key == "sasl" && reason.contains("add a `tls` table"), "{key}: {reason}");
    }
}

#[test]
fn nothing_is_said_twice_or_in_vain() {
    let refused = |property: &str, tls: bool, sasl: bool| {
        let mut config = both();
        config.tls = config.tls.filter(|_| tls);
        config.sasl = config.sasl.filter(|_| sasl);
        config.properties = BTreeMap::from([(property.to_owned(), "hunter2".to_owned())]);
        let (key, reason) = refused(&config);
        assert_eq!(key, format!("properties.{property}"));
        assert!(!reason.contains("hunter2"));
        reason
    };
    for (property, _) in TLS_PROPERTIES {
        assert!(refused(property, true, false).starts_with("`tls` is set: "));
    }
    for (property, _) in SASL_PROPERTIES {
        assert!(refused(property, false, true).starts_with("`sasl` is set: "));
    }
    assert!(refused("ssl.ca.pem", true, true).ends_with("set `tls.ca_file`"));
    assert!(refused("sasl.password", true, false).contains("no effect"));
    assert!(refused("ssl.cipher.suites", false, true).contains("no effect"));
    let mut config = both();
    config.properties.insert("ssl.cipher.suites".to_owned(), "HIGH".to_owned());
    config.check().unwrap();
}

#[test]
fn what_is_set_is_what_librdkafka_is_given() {
    let env = |name: &str| (name == "PASSWORD").then(|| "hunter2".to_owned());
    let security = Security::read(&both(), &env).unwrap();
    let client = both().producer("w", &security);
    for (property, value) in [
        ("security.protocol", "sasl_ssl"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.username", "chipwire"),
        ("sasl.password", "hunter2"),
        ("ssl.ca.location", "probe"),
        ("ssl.endpoint.identification.algorithm", "https"),
        ("enable.ssl.certificate.verification", "true"),
    ] {
        assert_eq!(client.get(property), Some(value), "{property}");
    }
    let protocol = |config: &KafkaConfig| {
        let security = Security::read(config, &env).unwrap();
        config.admin(&security).get("security.protocol").map(str::to_owned)
    };
    assert_eq!(protocol(&KafkaConfig { sasl: None, ..both() }).as_deref(), Some("ssl"));
    assert_eq!(protocol(&KafkaConfig { tls: None, ..both() }).as_deref(), Some("sasl_plaintext"));
    assert_eq!(protocol(&KafkaConfig::default()), None);
}

#[test]
fn passwords_are_read_and_what_is_wrong_with_them_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let read = |text: &[u8]| {
        fs::write(&path, text).unwrap();
        password(&|_| None, "sasl.password", None, Some(&path)).map_err(setting)
    };
    for text in ["hunter2", "hunter2\n", "hunter2\r\n"] {
        assert_eq!(read(text.as_bytes()).unwrap().as_deref(), Some("hunter2"));
    }
    assert_eq!(read(b" two words \n\n").unwrap().as_deref(), Some(" two words \n"), "one line break only");
    for (text, problem) in [(&b"\n"[..], "is empty"), (b"hunter2\0", "zero byte"), (b"hunter2\xff", "failed to read")] {
        let (key, reason) = read(text).unwrap_err();
        assert_eq!(key, "sasl.password_file");
        assert!(reason.contains(problem) && reason.contains("password`") && !reason.contains("hunter2"), "{reason}");
    }
    let (key, reason) = setting(both().check_secrets(|_| None).unwrap_err());
    assert_eq!((&*key, &*reason), ("sasl.password_env", "environment variable `PASSWORD` is not set"));
}

#[test]
fn files_are_loaded_before_any_broker_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("client.pem", CERTIFICATE), ("client.key", KEY), ("junk", "junk"), ("pass", "sesame\n")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let check = |change: &dyn Fn(&mut TlsConfig)| {
        let mut tls = TlsConfig {
            ca_file: Some("client.pem".into()),
            cert_file: Some("client.pem".into()),
            key_file: Some("client.key".into()),
            key_password_env: None,
            key_password_file: Some("pass".into()),
        };
        change(&mut tls);
        let mut config = KafkaConfig { tls: Some(tls), ..KafkaConfig::default() };
        config.files_below(folder.path());
        config.check_secrets(|_| Some("wrong".to_owned())).map_err(setting)
    };
    check(&|_| {}).unwrap();
    let refused = |expected: &str, words: &str, change: &dyn Fn(&mut TlsConfig)| {
        let (key, reason) = check(change).unwrap_err();
        assert_eq!(key, expected, "{reason}");
        assert!(reason.contains(words) && !reason.contains("sesame"), "{reason}");
    };
    let missing = folder.path().join("nowhere").display().to_string();
    refused("tls.ca_file", &missing, &|tls| tls.ca_file = Some("nowhere".into()));
    refused("tls.cert_file", &missing, &|tls| tls.cert_file = Some("nowhere".into()));
    refused("tls.key_file", &missing, &|tls| tls.key_file = Some("nowhere".into()));
    refused("tls.key_password_file", &missing, &|tls| tls.key_password_file = Some("nowhere".into()));
    refused("tls.ca_file", "expected certificates in `", &|tls| tls.ca_file = Some("junk".into()));
    refused("tls.cert_file", "expected certificates in `", &|tls| tls.cert_file = Some("junk".into()));
    refused("tls.key_file", "expected the key of `tls.cert_file`", &|tls| tls.key_file = Some("junk".into()));
    refused("tls.key_file", "and its password", &|tls| tls.key_password_file = None);
    refused("tls.key_file", "and its password", &|tls| {
        (tls.key_password_env, tls.key_password_file) = (Some("PASSWORD".to_owned()), None);
    });
    let long = folder.path().join("long");
    fs::write(&long, "x".repeat(KEY_PASSWORD_MAX_BYTES + 1)).unwrap();
    refused("tls.key_password_file", "more than 1000 bytes", &|tls| tls.key_password_file = Some(long.clone()));
}
