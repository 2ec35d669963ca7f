//! What chipwire answers a hub that asks or sends at its callback address. Pure: bytes in, an answer and an event out.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chipwire_events::{FeedId, FeedPush, HubNews, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The largest document that a hub may push, in bytes; of larger ones it may send a part.
pub const MAX_PUSH_BYTES: usize = 1024 * 1024;

/// Leases that hubs grant are taken for at least and at most this long, in seconds.
const LEASE_S: std::ops::RangeInclusive<u32> = 300..=90 * 86_400;

/// What a hub that names no lease grants, in seconds.
const UNNAMED_LEASE_S: u32 = 86_400;

/// The longest challenge that is given back, in bytes.
const MAX_CHALLENGE_BYTES: usize = 4_096;

/// The key that callback addresses and secrets are made from. Never printed.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What to answer, and what was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body: the challenge of a hub that asks whether it is meant, or nothing.
    pub body: String,
    /// To be written to the log before the answer is sent.
    pub push: Option<FeedPush>,
}

impl Answer {
    fn bare(status: u16) -> Self {
        Self { status, body: String::new(), push: None }
    }
}

impl Key {
    /// A key of random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key from a text that is hard to guess.
    pub fn from_text(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    fn mac(&self, parts: &[&str]) -> String {
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0) else { return String::new() };
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What makes the callback address of a subscription one that nobody can guess.
    pub(crate) fn token(&self, feed: &FeedId, topic: &str) -> String {
        let mut token = self.mac(&["callback", feed.as_str(), topic]);
        token.truncate(32);
        token
    }

    /// What a hub signs its pushes with.
    pub(crate) fn secret(&self, feed: &FeedId, token: &str) -> String {
        self.mac(&["secret", feed.as_str(), token])
    }

    /// Answers a hub that asks at the callback address whether the subscription is wanted, or says that it is denied
    /// (section 5.3). `query` are the parameters of the request.
    pub fn asked(&self, feed: &FeedId, token: &str, query: &[(String, String)], now: Timestamp) -> Answer {
        let parameter = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let topic = parameter("hub.topic").unwrap_or_default();
        if !same(self.token(feed, topic).as_bytes(), token.as_bytes()) {
            return Answer::bare(404);
        }
        let push = |news| Some(FeedPush { feed: feed.clone(), received: now, news });
        match (parameter("hub.mode"), parameter("hub.challenge")) {
            (Some("subscribe"), Some(challenge)) if challenge.len() <= MAX_CHALLENGE_BYTES => {
                let lease_s = parameter("hub.lease_seconds").and_then(|lease| lease.trim().parse::<u64>().ok());
                let lease_s = lease_s.map_or(UNNAMED_LEASE_S, |lease| u32::try_from(lease).unwrap_or(u32::MAX));
                let lease_s = lease_s.clamp(*LEASE_S.start(), *LEASE_S.end());
                let news = HubNews::Verified { topic: topic.to_owned(), lease_s };
                Answer { status: 200, body: challenge.to_owned(), push: push(news) }
            }
            (Some("denied"), _) => {
                let reason = parameter("hub.reason").unwrap_or("it gives no reason");
                let reason = reason.chars().filter(|c| !c.is_control()).take(200).collect();
                Answer { push: push(HubNews::Denied { reason }), ..Answer::bare(200) }
            }
            // A subscription is never ended by chipwire, but runs out: somebody else asked for this.
            _ => Answer::bare(404),
        }
    }

    /// Answers a hub that sends what is new (section 7). `signature` is the value of `X-Hub-Signature`.
    ///
    /// Content without the right signature is acknowledged, as the standard asks, and forgotten.
    pub fn sent(
        &self,
        feed: &FeedId,
        token: &str,
        signature: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Answer {
        let signed = signature.is_some_and(|signature| is_signed(&self.secret(feed, token), signature, body));
        if !signed {
            return Answer::bare(202);
        }
        let content_type = content_type.map(|value| value.chars().take(200).collect());
        let news = HubNews::Content { content_type, body_base64: STANDARD.encode(body) };
        Answer { push: Some(FeedPush { feed: feed.clone(), received: now, news }), ..Answer::bare(202) }
    }
}

/// Whether `signature`, `method=hexadecimal`, is that of `body` (section 7.1).
fn is_signed(secret: &str, signature: &str, body: &[u8]) -> bool {
    let Some((method, hex)) = signature.trim().split_once('=') else { return false };
    let Some(given) = from_hex(hex) else { return false };
    match method.trim().to_ascii_lowercase().as_str() {
        "sha1" => verify(<Hmac<Sha1> as KeyInit>::new_from_slice(secret.as_bytes()), body, &given),
        "sha256" => verify(<Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()), body, &given),
        "sha384" => verify(<Hmac<Sha384> as KeyInit>::new_from_slice(secret.as_bytes()), body, &given),
        "sha512" => verify(<Hmac<Sha512> as KeyInit>::new_from_slice(secret.as_bytes()), body, &given),
        _ => false,
    }
}

/// In a time that does not tell where the first difference is.
fn verify<M: Mac, E>(mac: Result<M, E>, body: &[u8], given: &[u8]) -> bool {
    let Ok(mut mac) = mac else { return false };
    mac.update(body);
    mac.verify_slice(given).is_ok()
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|c| c.to_digit(16)).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect()
}

/// Compares in a time that does not tell where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "https://x.org/feed";

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn key() -> (Key, FeedId, String) {
        let (key, feed) = (Key::new([7; 32]), FeedId::of(TOPIC));
        let token = key.token(&feed, TOPIC);
        (key, feed, token)
    }

    fn ask(token: &str, query: &[(&str, &str)]) -> Answer {
        let (key, feed, _) = key();
        let query: Vec<_> = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        key.asked(&feed, token, &query, now())
    }

    #[test]
    fn a_hub_that_was_asked_is_told_so() {
        let (_, _, token) = key();
        let subscribe = [("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.challenge", "c<h>")];
        let leased = |lease| [&subscribe[..], &[("hub.lease_seconds", lease)]].concat();
        for (lease, lease_s) in
            [("86400", 86_400), ("1", 300), ("99999999999999", 90 * 86_400), ("soon", 86_400), ("-5", 86_400)]
        {
            let answer = ask(&token, &leased(lease));
            assert_eq!((answer.status, answer.body.as_str()), (200, "c<h>"));
            assert_eq!(answer.push.unwrap().news, HubNews::Verified { topic: TOPIC.to_owned(), lease_s }, "{lease}");
        }
        let denied = ask(&token, &[("hub.mode", "denied"), ("hub.topic", TOPIC), ("hub.reason", "no\u{7}")]);
        assert_eq!(denied.push.unwrap().news, HubNews::Denied { reason: "no".to_owned() });
    }

    #[test]
    fn nobody_else_is_answered() {
        let (_, _, token) = key();
        let good = [("hub.mode", "subscribe"), ("hub.topic", TOPIC), ("hub.challenge", "c")];
        assert_eq!(ask(&token, &good).status, 200);
        assert_eq!(ask(&"0".repeat(32), &good), Answer::bare(404));
        assert_eq!(ask("", &good), Answer::bare(404));
        for (at, value) in [(0, "unsubscribe"), (0, "other"), (1, "https://x.org/other"), (1, "")] {
            let mut bad = good;
            bad[at].1 = value;
            assert_eq!(ask(&token, &bad), Answer::bare(404), "{value}");
        }
        assert_eq!(ask(&token, &good[..2]), Answer::bare(404), "no challenge");
        assert_eq!(ask(&token, &[]), Answer::bare(404));
    }

    fn sign(method: &str, secret: &str, body: &[u8]) -> String {
        fn hex<M: Mac + KeyInit>(secret: &str, body: &[u8]) -> String {
            let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(body);
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
        }
        let hex = match method {
            "sha1" => hex::<Hmac<Sha1>>(secret, body),
            "sha256" => hex::<Hmac<Sha256>>(secret, body),
            "sha384" => hex::<Hmac<Sha384>>(secret, body),
            _ => hex::<Hmac<Sha512>>(secret, body),
        };
        format!("{method}={hex}")
    }

    #[test]
    fn only_what_is_signed_is_taken() {
        let (key, feed, token) = key();
        let (secret, body) = (key.secret(&feed, &token), b"<rss/>".as_slice());
        let send = |token: &str, signature: Option<&str>, body: &[u8]| {
            let answer = key.sent(&feed, token, signature, Some("text/xml"), body, now());
            assert_eq!((answer.status, answer.body.as_str()), (202, ""), "whoever sends cannot tell");
            answer.push.is_some()
        };
        for method in ["sha1", "sha256", "sha384", "sha512"] {
            let signature = sign(method, &secret, body);
            assert!(send(&token, Some(&signature), body), "{method}");
            assert!(send(&token, Some(&signature.to_ascii_uppercase()), body), "{method}");
            assert!(!send(&token, Some(&signature), b"<rss />"), "{method}");
            assert!(!send("other", Some(&signature), body), "{method}");
            assert!(!send(&token, Some(&signature[..signature.len() - 2]), body), "{method}");
            assert!(!send(&token, Some(&sign(method, "guessed", body)), body), "{method}");
        }
        for odd in ["", "=", "sha256=", "sha256", "md5=00", "sha256=zz", "sha256=0", "sha1=é"] {
            assert!(!send(&token, Some(odd), body), "{odd}");
        }
        assert!(!send(&token, None, body));
    }

    /// RFC 4231 test case 2, and the same for SHA-1 (RFC 2202).
    #[test]
    fn the_signature_is_the_standard_one() {
        let body = b"what do ya want for nothing?";
        assert!(is_signed("Jefe", "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", body));
        let sha256 = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(is_signed("Jefe", sha256, body));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let (key, feed, token) = key();
        assert_eq!(format!("{key:?}"), "Key(..)");
        assert_ne!(key.secret(&feed, &token), Key::new([8; 32]).secret(&feed, &token));
        assert_ne!(key.token(&feed, TOPIC), key.token(&FeedId::of("x"), TOPIC));
        assert!(key.secret(&feed, &token).len() < 200, "section 5.1");
    }
}
