//! Signatures of Standard Webhooks 1.0.0 (section "Signature scheme", symmetric variant `v1`).

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A signing secret, written as `whsec_` and base64. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// Reads `whsec_...`. `None` unless it is the base64 of 24 to 64 bytes, the sizes that the standard allows.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Reads several secrets with white space between them, the newest first: while a secret is being replaced, messages
    /// carry a signature by each. `None` if there is none, or if one of them is none.
    pub fn parse_all(text: &str) -> Option<Vec<Self>> {
        let secrets: Vec<Self> = text.split_whitespace().map(Self::parse).collect::<Option<_>>()?;
        (!secrets.is_empty()).then_some(secrets)
    }
}

/// The value of `webhook-signature`: one signature per secret, with spaces between them.
pub fn sign(secrets: &[Secret], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let signatures: Vec<String> = secrets
        .iter()
        .filter_map(|secret| {
            // HMAC takes keys of any length, so this never fails.
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&secret.0).ok()?;
            mac.update(id.as_bytes());
            mac.update(b".");
            mac.update(timestamp_s.to_string().as_bytes());
            mac.update(b".");
            mac.update(body);
            Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        })
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that the reference libraries of Standard Webhooks test against.
    #[test]
    fn agrees_with_the_reference_libraries() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_signs() {
        let secrets = Secret::parse_all(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        )
        .unwrap();
        let both = sign(&secrets, "a", 1, b"{}");
        let (first, second) = both.split_once(' ').unwrap();
        assert_eq!(first, sign(&secrets[..1], "a", 1, b"{}"));
        assert_eq!(second, sign(&secrets[1..], "a", 1, b"{}"));
        assert_ne!(first, second);
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for text in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_!!!", "whsec_c2hvcnQ="] {
            assert_eq!(Secret::parse(text), None, "{text}");
        }
        assert_eq!(Secret::parse_all("  "), None);
        assert_eq!(Secret::parse_all("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw other"), None);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
