//! Identifiers: BLAKE3 hashes of what they name, as lower-case hexadecimal.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The first `bytes` bytes of the BLAKE3 hash of `parts`, as `2 * bytes` lower-case hexadecimal digits.
///
/// Every part is preceded by its length, so that `["ab", "c"]` and `["a", "bc"]` differ.
pub fn hash_hex(bytes: usize, parts: &[&str]) -> String {
    hash_hex_of_bytes(bytes, parts.iter().map(|part| part.as_bytes()))
}

/// As [`hash_hex`], of bytes that need not be text.
pub(crate) fn hash_hex_of_bytes<'a>(bytes: usize, parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut hex = hasher.finalize().to_hex().to_string();
    hex.truncate(2 * bytes);
    hex
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes an id as it was written before, without checking it.
            pub fn from_string(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// The id of an event (CloudEvents `id`): 32 hexadecimal digits.
    EventId
);
id!(
    /// The id of a feed: 16 hexadecimal digits, a hash of the address under which it was first added. It survives a move.
    FeedId
);
id!(
    /// The id of an article: 32 hexadecimal digits, a hash of the feed's id and the item's stable identity in that feed.
    /// Every revision of an article has the same id.
    ArticleId
);
id!(
    /// The id of a rule: lower-case letters, digits and hyphens, chosen by its author or derived from its name.
    RuleId
);
id!(
    /// The id of an alert: 32 hexadecimal digits, a hash of the rule, its version and the article.
    AlertId
);

impl EventId {
    /// The id of an event of `event_type` that is fully named by `parts`.
    pub fn of(event_type: &str, parts: &[&str]) -> Self {
        let mut all = vec![event_type];
        all.extend_from_slice(parts);
        Self(hash_hex(16, &all))
    }
}

impl RuleId {
    /// The most characters.
    pub const MAX_CHARS: usize = 64;

    /// Takes an id that somebody chose; `None` if it is none.
    pub fn checked(id: &str) -> Option<Self> {
        let good = (1..=Self::MAX_CHARS).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        good.then(|| Self(id.to_owned()))
    }

    /// Makes an id from a name: `China & H20` becomes `china-h20`, a name without Latin letters and digits a hash.
    pub fn from_name(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let mut id = words.collect::<Vec<_>>().join("-");
        id.truncate(Self::MAX_CHARS);
        match id.trim_matches('-') {
            "" => Self(format!("rule-{}", hash_hex(4, &["rule", name]))),
            id => Self(id.to_owned()),
        }
    }
}

impl FeedId {
    /// The id of the feed that was first added under `url`.
    pub fn of(url: &str) -> Self {
        Self(hash_hex(8, &["feed", url]))
    }
}

impl ArticleId {
    /// The id of the item that has the identity `stable_id` in `feed`.
    pub fn of(feed: &FeedId, stable_id: &str) -> Self {
        Self(hash_hex(16, &["article", feed.as_str(), stable_id]))
    }
}

impl AlertId {
    /// The id of the alert that `version` of `rule` raises for `article`.
    pub fn of(rule: &RuleId, version: u32, article: &ArticleId) -> Self {
        Self(hash_hex(16, &["alert", rule.as_str(), &version.to_string(), article.as_str()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hash_hex(16, &["ab", "c"]), hash_hex(16, &["a", "bc"]));
        assert_ne!(hash_hex(16, &["ab"]), hash_hex(16, &["ab", ""]));
    }

    #[test]
    fn ids_of_rules_are_made_from_names() {
        for (name, id) in [
            ("H20 in China!", "h20-in-china"),
            ("chip:nvidia-h20 AND china", "chip-nvidia-h20-and-china"),
            ("出口管制", "rule-970865ba"),
        ] {
            assert_eq!(RuleId::from_name(name).as_str(), id);
        }
        assert!(RuleId::checked(RuleId::from_name(&"long name ".repeat(30)).as_str()).is_some());
        for bad in ["", "A", "a b", "a/b", &"x".repeat(65)] {
            assert!(RuleId::checked(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn ids_do_not_change_between_versions() {
        let feed = FeedId::of("https://example.org/feed.xml");
        expect_test::expect!["04ebada5993deb03"].assert_eq(feed.as_str());
        expect_test::expect!["d667c5b6d56514649d56fa8965709b91"].assert_eq(ArticleId::of(&feed, "guid:1").as_str());
    }
}
