//! The section `[fetch]` of the configuration.

use chipwire_events::ArticlePages;
use serde::Deserialize;

/// The section `[fetch]`: how feeds are fetched. Every key is optional.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FetchConfig {
    /// The whole `User-Agent`, in place of `chipwire/<version> (+<contact>)`.
    pub user_agent: Option<String>,
    /// An address under which the owner of a feed can reach whoever runs this chipwire: part of the `User-Agent`.
    pub contact: Option<String>,
    /// Hosts that may be fetched from although their addresses are private: `"host"`, `"host:port"`, `"127.0.0.1:8080"`,
    /// `"[::1]:8080"` or a range such as `"10.1.0.0/16"`.
    pub allow_private_hosts: Vec<String>,
    /// Time to find the addresses of a host. Default 3,000.
    pub dns_timeout_ms: u64,
    /// Time to open a connection, TLS included. Default 5,000.
    pub connect_timeout_ms: u64,
    /// Time from the open connection to the answer's headers. Default 10,000.
    pub first_byte_timeout_ms: u64,
    /// Time for one answer, all redirects and the body included, waiting for a turn excluded. Default 30,000.
    pub total_timeout_ms: u64,
    /// An answer that is slower than this on average is given up, in bytes per second. Default 1,024; 0 for no such limit.
    pub min_bytes_per_s: u64,
    /// How long an answer may be that slow, from its first byte on. Default 10,000.
    pub slow_after_ms: u64,
    /// The largest body, after decompression. Default 10 MiB.
    pub max_body_bytes: usize,
    /// What bodies of more than 256 KiB may take in memory together, from the wire until their articles are published: further
    /// ones are read when there is room again. As much again for article pages. At least one such body is read at a time, which
    /// counts as `max_body_bytes`. Default 128 MiB.
    pub max_large_bytes: usize,
    /// How many times larger than the bytes on the wire a body may become. Default 100.
    pub max_ratio: usize,
    /// The address below which hubs reach this chipwire's server from outside, such as `https://public.host/chipwire`:
    /// what is asked for below `<address>/websub/` must get to `/websub/` of the server. With it, feeds that name a hub are
    /// pushed (WebSub); without it, they are polled only.
    pub websub_callback: Option<String>,
    /// The environment variable that holds the key of all subscriptions, at least 32 characters. Needed where the feeds are
    /// fetched and the server runs in processes that share no data directory; else a key is made and kept there.
    pub websub_key_env: Option<String>,
    /// Items of one feed that are read; the rest is left out. Default 2,000.
    pub max_items: usize,
    /// The shortest time between two polls of a feed, whatever the feed says. Default 300.
    pub min_interval_s: u32,
    /// The longest time between two polls of a feed that can be read. Default 86,400.
    pub max_interval_s: u32,
    /// The pause between two requests to one host. Default 2,000.
    pub host_spacing_ms: u64,
    /// The pause between two requests to hosts of one registrable domain, such as `a.example.org` and `b.example.org`.
    /// Default 2,000.
    pub domain_spacing_ms: u64,
    /// The pause between two requests to one network address, whatever the names it is asked under. Default 2,000.
    pub address_spacing_ms: u64,
    /// Requests at one time over all hosts: enough that the few that wait for a server in trouble take little from the others. Default 256.
    pub max_concurrent: usize,
    /// Whether the pages of new articles are fetched, where a feed has no setting of its own: `"never"`, `"auto"` (where the
    /// feed gives only the first words) or `"always"`. Default `"auto"`.
    pub article_pages: ArticlePages,
    /// Article pages that are fetched for one poll of a feed, those of the newest articles; the others have their turn after the
    /// next polls. Default 10.
    pub max_pages_per_poll: usize,
    /// How long the articles of one poll may wait for their pages. Default 60,000.
    pub pages_timeout_ms: u64,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            user_agent: None,
            contact: None,
            allow_private_hosts: Vec::new(),
            dns_timeout_ms: 3_000,
            connect_timeout_ms: 5_000,
            first_byte_timeout_ms: 10_000,
            total_timeout_ms: 30_000,
            min_bytes_per_s: 1_024,
            slow_after_ms: 10_000,
            max_body_bytes: 10 * 1024 * 1024,
            max_large_bytes: 128 * 1024 * 1024,
            max_ratio: 100,
            websub_callback: None,
            websub_key_env: None,
            max_items: 2_000,
            min_interval_s: 300,
            max_interval_s: 86_400,
            host_spacing_ms: 2_000,
            domain_spacing_ms: 2_000,
            address_spacing_ms: 2_000,
            max_concurrent: 256,
            article_pages: ArticlePages::Auto,
            max_pages_per_poll: 10,
            pages_timeout_ms: 60_000,
        }
    }
}

impl FetchConfig {
    /// The three pauses set to the same value, in milliseconds.
    #[must_use]
    pub fn with_spacing_ms(self, spacing_ms: u64) -> Self {
        Self { host_spacing_ms: spacing_ms, domain_spacing_ms: spacing_ms, address_spacing_ms: spacing_ms, ..self }
    }

    /// A limit that is 0 where that lets nothing through.
    pub(crate) fn zero(&self) -> Option<&'static str> {
        let limits = [
            ("dns_timeout_ms", self.dns_timeout_ms),
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("first_byte_timeout_ms", self.first_byte_timeout_ms),
            ("total_timeout_ms", self.total_timeout_ms),
            ("slow_after_ms", self.slow_after_ms),
            ("max_body_bytes", self.max_body_bytes as u64),
            ("max_ratio", self.max_ratio as u64),
            ("max_items", self.max_items as u64),
            ("max_concurrent", self.max_concurrent as u64),
            ("max_interval_s", u64::from(self.max_interval_s)),
        ];
        limits.into_iter().find(|(_, limit)| *limit == 0).map(|(key, _)| key)
    }

    /// What owners of feeds will miss in the `User-Agent`, if they will: a way to reach whoever runs this chipwire.
    pub fn anonymous(&self) -> Option<&'static str> {
        (self.user_agent.is_none() && self.contact.is_none()).then_some(
            "feeds are asked without saying by whom: set `fetch.contact` to an address under which their owners can reach \
             you; some servers refuse who has none",
        )
    }

    /// The value of the `User-Agent` header.
    pub fn user_agent_value(&self) -> String {
        match (&self.user_agent, &self.contact) {
            (Some(user_agent), _) => user_agent.clone(),
            (None, Some(contact)) => format!("chipwire/{} (+{contact})", env!("CARGO_PKG_VERSION")),
            (None, None) => format!("chipwire/{}", env!("CARGO_PKG_VERSION")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_contact_is_told() {
        let anonymous = FetchConfig::default();
        assert!(anonymous.anonymous().is_some_and(|hint| hint.contains("`fetch.contact`")));
        assert!(!anonymous.user_agent_value().contains("(+"));
        let contact = FetchConfig { contact: Some("https://x.org/".to_owned()), ..FetchConfig::default() };
        assert_eq!(contact.anonymous(), None);
        assert!(contact.user_agent_value().ends_with(" (+https://x.org/)"));
        let own = FetchConfig { user_agent: Some("acme/1".to_owned()), ..FetchConfig::default() };
        assert_eq!((own.anonymous(), own.user_agent_value().as_str()), (None, "acme/1"));
    }
}
