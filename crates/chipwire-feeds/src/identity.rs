//! What makes an item the same item at the next poll.
//!
//! An item is named by its guid, else by its link, else by title and date. Some feeds give every item the same guid, or a new
//! guid at every build: such a feed is switched to another policy for good, and the items that are known by then keep their
//! ids. Nothing that an editor changes after publication, the title above all, takes part as long as there is anything else.

use std::collections::{HashMap, HashSet};

use chipwire_events::{IdentityPolicy, ItemState, hash_hex};
use url::Url;

use crate::parse::Entry;

/// Query parameters that say where a reader came from and not what is read, besides those that begin with `utm_`.
const TRACKING: &[&str] = &[
    "_hsenc",
    "_hsmi",
    "at_campaign",
    "at_medium",
    "cmpid",
    "dclid",
    "fbclid",
    "ftag",
    "gbraid",
    "gclid",
    "guccounter",
    "igshid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "ncid",
    "rss",
    "wbraid",
    "wt.mc_id",
    "xtor",
    "yclid",
];

/// The address without the parameters that only track its readers.
pub fn without_tracking(url: &Url) -> Url {
    let mut url = url.clone();
    if url.fragment().is_some_and(|fragment| {
        let name = fragment.split('=').next().unwrap_or_default();
        fragment.is_empty() || is_tracking(name)
    }) {
        url.set_fragment(None);
    }
    let Some(query) = url.query() else { return url };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let says_rss = matches!(name, "ref" | "source") && value.eq_ignore_ascii_case("rss");
            !(pair.is_empty() || is_tracking(name) || says_rss)
        })
        .collect();
    let kept = kept.join("&");
    if kept.len() != query.len() {
        url.set_query(Some(kept.as_str()).filter(|query| !query.is_empty()));
    }
    url
}

fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("utm_") || TRACKING.contains(&name.as_str())
}

/// The form of an address in which two spellings of it are equal: without scheme, `www.`, tracking and a slash at the end.
pub fn canonical_link(link: &str) -> String {
    let Ok(url) = Url::parse(link) else { return link.trim().to_owned() };
    let url = without_tracking(&url);
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut canonical = format!("{}{port}{}", host.trim_start_matches("www."), url.path().trim_end_matches('/'));
    for (mark, part) in [('?', url.query()), ('#', url.fragment())] {
        if let Some(part) = part {
            canonical.push(mark);
            canonical.push_str(part);
        }
    }
    canonical
}

/// The stable identity of an entry under a policy: the first of guid, link, and title with date that the policy trusts and
/// the entry has.
pub fn stable_id(policy: IdentityPolicy, entry: &Entry) -> String {
    let guid = entry.guid.as_deref().map(|guid| format!("guid:{guid}"));
    let link = || entry.link.as_deref().map(|link| format!("link:{}", canonical_link(link)));
    let hash = || {
        let date = entry.published.map(|time| time.to_string()).unwrap_or_default();
        // Without title and date there is only the text.
        let text = if entry.title.is_empty() && date.is_empty() { entry.body().0 } else { "" };
        format!("hash:{}", hash_hex(16, &["item", &entry.title, &date, text]))
    };
    match policy {
        IdentityPolicy::Guid => guid.or_else(link).unwrap_or_else(hash),
        IdentityPolicy::Link => link().or(guid).unwrap_or_else(hash),
        IdentityPolicy::Hash => hash(),
    }
}

/// The hash of an entry's canonical link, by which its state remembers it.
pub fn link_hash(entry: &Entry) -> Option<String> {
    entry.link.as_deref().map(|link| hash_hex(8, &["link", &canonical_link(link)]))
}

/// Decides whether the feed's policy still holds, from one document and the items known before. `known` answers whether
/// the item of a stable identity was seen before.
pub fn policy_for(
    current: IdentityPolicy,
    entries: &[Entry],
    items: &[ItemState],
    known: impl Fn(&str) -> bool,
) -> IdentityPolicy {
    let mut policy = current;
    if policy == IdentityPolicy::Guid && (guids_repeat(entries) || guids_changed(entries, items, known)) {
        policy = IdentityPolicy::Link;
    }
    if policy == IdentityPolicy::Guid && links_repeat(entries.iter().filter(|entry| entry.guid.is_none())) {
        policy = IdentityPolicy::Hash;
    }
    if policy == IdentityPolicy::Link && links_repeat(entries.iter()) {
        policy = IdentityPolicy::Hash;
    }
    policy
}

/// One guid on different items. The same item twice is only untidy.
fn guids_repeat(entries: &[Entry]) -> bool {
    let mut seen: HashMap<&str, &Entry> = HashMap::new();
    entries.iter().any(|entry| {
        let Some(guid) = entry.guid.as_deref() else { return false };
        match seen.insert(guid, entry) {
            Some(other) => differ(other, entry) && link_hash(other) != link_hash(entry),
            None => false,
        }
    })
}

/// One link on different items.
fn links_repeat<'a>(entries: impl Iterator<Item = &'a Entry>) -> bool {
    let mut seen: HashMap<String, &Entry> = HashMap::new();
    for entry in entries {
        let Some(hash) = link_hash(entry) else { continue };
        if let Some(other) = seen.insert(hash, entry)
            && differ(other, entry)
        {
            return true;
        }
    }
    false
}

fn differ(one: &Entry, other: &Entry) -> bool {
    one.title != other.title || (one.title.is_empty() && one.body() != other.body())
}

/// Most items that are known by their links have guids that were never seen.
fn guids_changed(entries: &[Entry], items: &[ItemState], known: impl Fn(&str) -> bool) -> bool {
    let links: HashSet<&str> = items.iter().filter_map(|item| item.link.as_deref()).collect();
    // A link that several known items share says nothing about one of them.
    if links.len() * 2 < items.len() {
        return false;
    }
    let (mut changed, mut same) = (0, 0);
    for entry in entries.iter().filter(|entry| entry.guid.is_some()) {
        if known(&stable_id(IdentityPolicy::Guid, entry)) {
            same += 1;
        } else if link_hash(entry).is_some_and(|hash| links.contains(hash.as_str())) {
            changed += 1;
        }
    }
    changed >= 2 && changed > same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lose_what_tracks_and_nothing_else() {
        for (link, cleaned, canonical) in [
            ("https://example.org/a", "https://example.org/a", "example.org/a"),
            ("http://www.Example.org:80/a/", "http://www.example.org/a/", "example.org/a"),
            (
                "https://example.org/a?utm_source=rss&id=7&UTM_medium=x",
                "https://example.org/a?id=7",
                "example.org/a?id=7",
            ),
            ("https://example.org/a?fbclid=1", "https://example.org/a", "example.org/a"),
            ("https://example.org/?p=12&ref=rss", "https://example.org/?p=12", "example.org?p=12"),
            ("https://example.org/?p=12&ref=home", "https://example.org/?p=12&ref=home", "example.org?p=12&ref=home"),
            ("https://example.org/a#xtor=RSS-1", "https://example.org/a", "example.org/a"),
            ("https://example.org/log#v2", "https://example.org/log#v2", "example.org/log#v2"),
            ("https://example.org:8443/a", "https://example.org:8443/a", "example.org:8443/a"),
        ] {
            let url = Url::parse(link).unwrap();
            assert_eq!(without_tracking(&url).as_str(), cleaned);
            assert_eq!(canonical_link(link), canonical);
        }
    }
}
