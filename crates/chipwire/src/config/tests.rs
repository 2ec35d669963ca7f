use expect_test::{Expect, expect};

use super::*;

fn check(text: &str, expected: Expect) {
    let message = match Config::parse(Path::new("chipwire.toml"), text) {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&message);
}

#[test]
fn the_example_has_every_key_at_its_default() {
    let example =
        Config::parse(Path::new("deploy/chipwire.toml"), include_str!("../../../../deploy/chipwire.toml")).unwrap();
    assert_eq!(format!("{example:#?}"), format!("{:#?}", Config::default()));
    Config::parse(Path::new("deploy/compose.toml"), include_str!("../../../../deploy/compose.toml")).unwrap();
}

#[test]
fn nothing_is_needed() {
    check("", expect!["ok"]);
}

#[test]
fn errors_name_file_line_and_key() {
    check(
        "data_dir = \"x\"\n\n[log]\nbackend = \"kafak\"\n",
        expect![[r#"
        chipwire.toml:4: unknown variant `kafak`, expected `sqlite` or `kafka`
          | backend = "kafak""#]],
    );
    check(
        "[index]\nthread = 2\n",
        expect![[r#"
        chipwire.toml:2: unknown field `thread`, expected one of `memory_mib`, `threads`, `commit_interval_ms`, `lag_limit_events`
          | thread = 2"#]],
    );
    check(
        "[index]\n# how many\nthreads = 99\n",
        expect![[r#"
        chipwire.toml:3: `index.threads` must be from 1 to 8
          | threads = 99"#]],
    );
    check(
        "[index]\nthreads = \"two\"\n",
        expect![[r#"
        chipwire.toml:2: invalid type: string "two", expected usize
          | threads = "two""#]],
    );
    check(
        "[log\n",
        expect![[r#"
        chipwire.toml:1: unclosed table, expected `]`
          | [log"#]],
    );
    check(
        "[server]\nlisten = \"127.0.0.1:1\"\nmax_requests = 0\n",
        expect![[r#"
            chipwire.toml:3: `server`: `max_requests` must be from 1 to 4294967295
              | max_requests = 0"#]],
    );
    check(
        "[fetch]\ntotal_timeout_ms = 0\n",
        expect![[r#"
        chipwire.toml:2: `fetch.total_timeout_ms` must be at least 1
          | total_timeout_ms = 0"#]],
    );
    check(
        "[log]\nbackend = \"kafka\"\n[log.kafka]\nreplication_factor = 0\n",
        expect![[r#"
        chipwire.toml:4: setting `replication_factor` cannot be used: expected 1 or more
          | replication_factor = 0"#]],
    );
    check(
        "[log]\nbackend = \"kafka\"\n[log.kafka.properties]\n\"security.protocol\" = \"tsl\"\n",
        expect![[r#"
            chipwire.toml:4: setting `properties.security.protocol` cannot be used: Invalid value "tsl" for configuration property "security.protocol"
              | "security.protocol" = "tsl""#]],
    );
    check(
        "[log]\nbackend = \"kafka\"\nkafka.sasl = { mechanism = \"PLAIN\", username = \"u\" }\n",
        expect![[r#"
            chipwire.toml:3: setting `sasl` cannot be used: set `sasl.password_env` or `sasl.password_file`
              | kafka.sasl = { mechanism = "PLAIN", username = "u" }"#]],
    );
    check(
        "[log]\nbackend = \"kafka\"\n[log.kafka.tls]\ncert_file = \"client.pem\"\n",
        expect![[r#"
        chipwire.toml:3: setting `tls.key_file` cannot be used: `tls.cert_file` needs the file of its key
          | [log.kafka.tls]"#]],
    );
    check(
        "[log]\nbackend = \"kafka\"\n[log.kafka]\nbrokers = \"kafka:9092\"\n[log.kafka.sasl]\nmechanism = \"PLAIN\"\n\
         username = \"u\"\npassword_env = \"P\"\n",
        expect![[r#"
            chipwire.toml:5: setting `sasl` cannot be used: without TLS anyone on the way to `kafka:9092` could take the password: add a `tls` table (an empty one will do where the machine trusts the brokers' certificates)
              | [log.kafka.sasl]"#]],
    );
    check(
        "[log]\nbackend = \"kafka\"\n[log.kafka.sasl]\nmechanism = \"SCRAM\"\nusername = \"u\"\n",
        expect![[r#"
            chipwire.toml:4: unknown variant `SCRAM`, expected one of `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`
              | mechanism = "SCRAM""#]],
    );
    check(
        "[feeds]\nurls = [\"ftp://example.org/feed\"]\n",
        expect![[r#"
        chipwire.toml:2: `feeds.urls`: `ftp://example.org/feed`: a feed's address begins with https:// or http://
          | urls = ["ftp://example.org/feed"]"#]],
    );
}

#[test]
fn errors_show_no_secret() {
    check(
        "[log]\nbackend = \"kafka\"\n[log.kafka.sasl]\nmechanism = \"PLAIN\"\nusername = \"u\"\npassword = \"hunter2\"\n",
        expect![[r#"
            chipwire.toml:6: unknown field `password`, expected one of `mechanism`, `username`, `password_env`, `password_file`
              | password = ..."#]],
    );
    check(
        "[log]\nbackend = \"kafka\"\n[log.kafka]\nsasl = { mechanism = \"PLAIN\", username = \"u\", password = \"hunter2\" }\n",
        expect![[r#"
            chipwire.toml:4: unknown field `password`, expected one of `mechanism`, `username`, `password_env`, `password_file`
              | sasl = { mechanism = "PLAIN", username = "u", password = ..."#]],
    );
    check(
        "[log]\nbackend = \"kafka\"\n[log.kafka.sasl]\nmechanism = \"PLAIN\"\nusername = \"u\"\npassword_env = \"P\"\n\
         [log.kafka.properties]\n\"sasl.password\" = \"hunter2\"\n",
        expect![[r#"
            chipwire.toml:8: setting `properties.sasl.password` cannot be used: `sasl` is set: set `sasl.password_env` or `sasl.password_file`
              | "sasl.password" = ..."#]],
    );
}

#[cfg(feature = "kafka")]
#[test]
fn certificates_and_passwords_of_kafka_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chipwire.toml");
    let check = |text: &str, expected: Expect| {
        fs::write(&path, format!("[log]\nbackend = \"kafka\"\n{text}")).unwrap();
        let config = Config::load(Some(&path)).unwrap();
        let checked = config.check_kafka_secrets(Some(&path), |name| (name == "P").then(|| "hunter2".to_owned()));
        let message = checked.map_or_else(|error| error.to_string(), |()| "ok".to_owned());
        expected.assert_eq(&message.replace(&folder.path().display().to_string(), "FOLDER"));
    };
    let sasl = "[log.kafka.sasl]\nmechanism = \"PLAIN\"\nusername = \"u\"\n";
    check(&format!("{sasl}password_env = \"P\"\n"), expect!["ok"]);
    check(
        &format!("{sasl}password_env = \"Q\"\n"),
        expect![[r#"
        FOLDER/chipwire.toml:6: setting `sasl.password_env` cannot be used: environment variable `Q` is not set
          | password_env = "Q""#]],
    );
    check(
        &format!("{sasl}password_file = \"password\"\n"),
        expect![[r#"
        FOLDER/chipwire.toml:6: setting `sasl.password_file` cannot be used: failed to read `FOLDER/password`: No such file or directory (os error 2)
          | password_file = "password""#]],
    );
    check(
        "[log.kafka]\ntls.ca_file = \"ca.pem\"\n",
        expect![[r#"
        FOLDER/chipwire.toml:4: setting `tls.ca_file` cannot be used: failed to read `FOLDER/ca.pem`: No such file or directory (os error 2)
          | tls.ca_file = "ca.pem""#]],
    );
    check(
        "[log.kafka]\ntls = { ca_file = \"chipwire.toml\" }\n",
        expect![[r#"
            FOLDER/chipwire.toml:4: setting `tls.ca_file` cannot be used: expected certificates in `FOLDER/chipwire.toml`, in PEM: ssl.ca.location failed: error:05800088:x509 certificate routines::no certificate or crl found
              | tls = { ca_file = "chipwire.toml" }"#]],
    );
}
