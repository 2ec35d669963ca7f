use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use expect_test::{Expect, expect};

use super::*;
use crate::{
    SinkConfig, Sinks,
    testing::{alert, now},
};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A receiver on a real socket: answers as told and keeps what it was sent.
struct Receiver {
    url: String,
    requests: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Receiver {
    async fn start(status: u16, headers: &'static [(&'static str, &'static str)]) -> Self {
        type Requests = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;
        let requests = Requests::default();
        let answer = move |State(requests): State<Requests>, sent: HeaderMap, body: Bytes| async move {
            requests.lock().unwrap().push((sent, body));
            let mut answer: Response = StatusCode::from_u16(status).unwrap().into_response();
            for (name, value) in headers {
                answer.headers_mut().insert(*name, value.parse().unwrap());
            }
            answer
        };
        let app = Router::new().fallback(answer).with_state(requests.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?token=hush", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, requests }
    }
}

fn config(url: &str) -> WebhookConfig {
    WebhookConfig {
        url: url.to_owned(),
        secret_env: Some("HOOK_SECRET".to_owned()),
        allow_private: true,
        ..WebhookConfig::default()
    }
}

fn sinks(config: WebhookConfig, secrets: &str) -> Result<Sinks> {
    let config = BTreeMap::from([("ops".to_owned(), SinkConfig::Webhook(config))]);
    Sinks::from_config(&config, Vec::new(), |name| (name == "HOOK_SECRET").then(|| secrets.to_owned()))
}

async fn deliver(status: u16, headers: &'static [(&'static str, &'static str)]) -> Result<(), DeliverError> {
    let receiver = Receiver::start(status, headers).await;
    let outcome = sinks(config(&receiver.url), OLD).unwrap().deliver("ops", &alert(), now()).await;
    assert_eq!(receiver.requests.lock().unwrap().len(), 1, "exactly one request, redirects are not followed");
    outcome
}

#[tokio::test]
async fn the_request_is_signed_by_every_secret() {
    let receiver = Receiver::start(204, &[]).await;
    let sinks = sinks(config(&receiver.url), &format!("{NEW} {OLD}")).unwrap();
    sinks.deliver("ops", &alert(), now()).await.unwrap();

    let requests = receiver.requests.lock().unwrap();
    let (headers, body) = &requests[0];
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["webhook-id"], alert().id.as_str());
    assert_eq!(headers["webhook-timestamp"], now().as_second().to_string());
    // What a receiver does: computes the signature by its own secret, and looks whether it is in the list.
    let signatures: Vec<&str> = headers["webhook-signature"].to_str().unwrap().split(' ').collect();
    assert_eq!(signatures.len(), 2);
    for secret in [OLD, NEW] {
        let own = sign(&[Secret::parse(secret).unwrap()], alert().id.as_str(), now().as_second(), body);
        assert!(signatures.contains(&own.as_str()));
    }
    expect![[r#"{"type":"chipwire.alert.raised.v1","timestamp":"2026-11-20T14:00:05Z","data":{"id":"e2a3","rule":"h20","rule_version":1,"rule_name":"h20","sinks":["terminal"],"article":"a1","revision":1,"title":"Nvidia ships","url":"https://example.org/1","source":"Example News","published":"2026-11-20T14:00:00Z","entities":["company:nvidia"],"raised":"2026-11-20T14:00:05Z"}}"#]]
        .assert_eq(std::str::from_utf8(body).unwrap());
}

#[tokio::test]
async fn what_the_answer_means() {
    let later = |seconds: u64| Retry::Later(Some(Duration::from_secs(seconds)));
    assert_eq!(deliver(200, &[]).await, Ok(()));
    assert_eq!(deliver(202, &[]).await, Ok(()));
    for (status, headers, retry) in [
        (410, &[][..], Retry::Never),
        (400, &[][..], Retry::Later(None)),
        (404, &[][..], Retry::Later(None)),
        (500, &[][..], Retry::Later(None)),
        // Only where it has a meaning.
        (500, &[("retry-after", "7")][..], Retry::Later(None)),
        (429, &[("retry-after", "7")][..], later(7)),
        (503, &[("retry-after", "120")][..], later(120)),
        (503, &[("retry-after", "Fri, 20 Nov 2026 15:00:00 GMT")][..], later(1800)),
        (503, &[("retry-after", "Fri, 20 Nov 2020 15:00:00 GMT")][..], later(0)),
        (503, &[("retry-after", "99999999999")][..], later(24 * 3600)),
        (503, &[("retry-after", "soon")][..], Retry::Later(None)),
        (503, &[][..], Retry::Later(None)),
        (301, &[("location", "http://127.0.0.1:9/")][..], Retry::Later(None)),
    ] {
        assert_eq!(deliver(status, headers).await.unwrap_err().retry, retry, "{status} {headers:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_refused_even_to_the_receiver_itself() {
    let error = deliver(307, &[("location", "/elsewhere")]).await.unwrap_err();
    assert_eq!(error.message, "the receiver answered 307 Temporary Redirect: redirects are not followed");
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_tried_again_and_its_address_not_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?token=hush", listener.local_addr().unwrap());
    drop(listener);
    let error = sinks(config(&url), OLD).unwrap().deliver("ops", &alert(), now()).await.unwrap_err();
    assert_eq!(error.retry, Retry::Later(None));
    assert!(!error.message.contains("hush"), "{error}");
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_receiver_that_says_nothing_times_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = WebhookConfig { timeout_s: 1, ..config(&format!("http://{}/", listener.local_addr().unwrap())) };
    let error = sinks(config, OLD).unwrap().deliver("ops", &alert(), now()).await.unwrap_err();
    assert!(error.message.starts_with("no answer in time"), "{error}");
    assert_eq!(error.retry, Retry::Later(None));
}

#[tokio::test]
async fn a_private_address_behind_a_name_is_refused_when_it_is_used() {
    let receiver = Receiver::start(200, &[]).await;
    let url = receiver.url.replace("127.0.0.1", "localhost");
    let guarded = WebhookConfig { allow_private: false, ..config(&url) };
    let error = sinks(guarded, OLD).unwrap().deliver("ops", &alert(), now()).await.unwrap_err();
    assert!(error.message.contains("`localhost` has no public address"), "{error}");
    assert!(receiver.requests.lock().unwrap().is_empty());
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut WebhookConfig), secrets: &str, expected: Expect) {
    let mut config = config("https://hooks.example.org/?token=hush");
    change(&mut config);
    let shown = format!("{config:?}");
    let error = sinks(config, secrets).unwrap_err();
    expected.assert_eq(&error.to_string());
    for text in [shown, format!("{error:?}")] {
        assert!(!text.contains("hush") && !text.contains("MfKQ9"), "{text}");
    }
}

#[test]
fn bad_configuration_is_named_and_no_secret_shown() {
    for url in ["", "hooks.example.org", "ftp://example.org/", "https://me:hush@example.org/"] {
        check_refused(
            |config| config.url = url.to_owned(),
            OLD,
            expect!["sink `ops`: `url` must be an absolute http or https address without user name and password"],
        );
    }
    check_refused(
        |config| (config.url, config.allow_private) = ("http://169.254.169.254/".to_owned(), false),
        OLD,
        expect![
            "sink `ops`: `169.254.169.254` is not a public address; set `allow_private = true` to send there all the same"
        ],
    );
    check_refused(
        |config| (config.url, config.allow_private) = ("http://[::ffff:127.0.0.1]/".to_owned(), false),
        OLD,
        expect![
            "sink `ops`: `::ffff:127.0.0.1` is not a public address; set `allow_private = true` to send there all the same"
        ],
    );
    check_refused(
        |config| config.secret_env = None,
        OLD,
        expect!["sink `ops`: exactly one of `secret_env` and `secret_file` must be set"],
    );
    check_refused(
        |config| config.secret_env = Some("OTHER".to_owned()),
        OLD,
        expect!["sink `ops`: environment variable `OTHER` is not set"],
    );
    check_refused(
        |config| (config.secret_env, config.secret_file) = (None, Some("/nonexistent/secret".into())),
        OLD,
        expect!["sink `ops`: failed to read `/nonexistent/secret`"],
    );
    check_refused(
        |_| (),
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        expect![
            "sink `ops`: a secret is `whsec_` and the base64 of 24 to 64 bytes; make one with `openssl rand -base64 32`"
        ],
    );
    check_refused(|config| config.timeout_s = 0, OLD, expect!["sink `ops`: `timeout_s` must be from 1 to 60"]);
}

#[test]
fn the_configuration_is_strict() {
    let parse = |json: &str| serde_json::from_str::<SinkConfig>(json);
    let good = parse(r#"{"type":"webhook","url":"https://example.org/","secret_file":"hook.key"}"#).unwrap();
    let SinkConfig::Webhook(config) = good;
    assert_eq!((config.timeout_s, config.allow_private), (20, false));
    let error = parse(r#"{"type":"webhook","uri":"https://example.org/"}"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `uri`, expected one of `url`"), "{error}");
    let error = parse(r#"{"type":"pager"}"#).unwrap_err().to_string();
    assert!(error.contains("unknown variant `pager`, expected `webhook`"), "{error}");
}
