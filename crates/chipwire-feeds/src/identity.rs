//! What makes an item the same item at the next poll.
//!
//! An item is named by its guid, else by its link, else by title and date. Some feeds give every item the same guid, or a new
//! guid at every build: such a feed is switched to another policy for good, which looks at no guid any more, and the items
//! that are known by then keep their ids. Nothing that an editor changes after publication, the title above all, takes part
//! as long as there is anything else.

use std::collections::{HashMap, HashSet};

use chipwire_events::{IdentityPolicy, ItemState, hash_hex};
use url::Url;

use crate::parse::Entry;

/// The addresses of entries, without what tracks readers: see [`chipwire_events::canonical_link`].
pub use chipwire_events::{canonical_link, without_tracking};

/// The stable identity of an entry under a policy: the first of guid, link, and title with date that the policy trusts and
/// the entry has. A guid that is a web address counts in its canonical form: it changes with the site's scheme, host name and
/// tracking as links do.
pub fn stable_id(policy: IdentityPolicy, entry: &Entry) -> String {
    let guid = || entry.guid.as_deref().map(guid_form);
    let link = || entry.link.as_deref().map(|link| format!("link:{}", canonical_link(link)));
    match policy {
        IdentityPolicy::Guid => guid().or_else(link),
        IdentityPolicy::Link => link(),
        IdentityPolicy::Hash => None,
    }
    .unwrap_or_else(|| hash_form(entry))
}

fn guid_form(guid: &str) -> String {
    match guid.starts_with("http://") || guid.starts_with("https://") {
        true => format!("guid:{}", canonical_link(guid)),
        false => format!("guid:{guid}"),
    }
}

fn hash_form(entry: &Entry) -> String {
    let date = entry.published.map(|time| time.to_string()).unwrap_or_default();
    // Without title and date there is only the text.
    let text = if entry.title.is_empty() && date.is_empty() { entry.body().0 } else { "" };
    format!("hash:{}", hash_hex(16, &["item", &entry.title, &date, text]))
}

/// What may identify an entry, worked out once.
#[derive(Debug, Clone)]
pub struct Marks<'a> {
    entry: &'a Entry,
    guid: Option<String>,
    link: Option<String>,
    link_hash: Option<String>,
    number: Option<String>,
}

impl<'a> Marks<'a> {
    /// Those of `entry`.
    pub fn of(entry: &'a Entry) -> Self {
        let url = entry.link.as_deref().and_then(|link| Url::parse(link).ok());
        let link = match &url {
            Some(url) => Some(canonical_link(url.as_str())),
            None => entry.link.as_deref().map(|link| link.trim().to_owned()),
        };
        let guid = entry.guid.as_deref().map(|guid| match &link {
            // Most guids that are addresses are the link.
            Some(link) if entry.link.as_deref() == Some(guid) => format!("guid:{link}"),
            _ => guid_form(guid),
        });
        Self {
            entry,
            guid,
            link_hash: link.as_deref().map(|link| hash_hex(8, &["link", link])),
            number: url.as_ref().and_then(article_number).map(|number| hash_hex(8, &["number", &number])),
            link: link.map(|link| format!("link:{link}")),
        }
    }

    /// The entry.
    pub fn entry(&self) -> &'a Entry {
        self.entry
    }

    /// See [`stable_id`].
    pub fn stable_id(&self, policy: IdentityPolicy) -> String {
        let (guid, link) = (self.guid.as_ref(), self.link.as_ref());
        match policy {
            IdentityPolicy::Guid => guid.or(link).cloned(),
            IdentityPolicy::Link => link.cloned(),
            IdentityPolicy::Hash => None,
        }
        .unwrap_or_else(|| hash_form(self.entry))
    }

    /// The hash of the canonical link, by which the entry is remembered.
    pub fn link_hash(&self) -> Option<&str> {
        self.link_hash.as_deref()
    }

    /// The hash of the host and the number that a news site gives an article: it stays when the words around it follow an
    /// edited title.
    pub fn number(&self) -> Option<&str> {
        self.number.as_deref()
    }

    fn differs(&self, other: &Self) -> bool {
        let (one, other) = (self.entry, other.entry);
        one.title != other.title || (one.title.is_empty() && one.body() != other.body())
    }

    /// Whether two items under one guid are two, and not one in two versions: their links say so, or else what they say.
    fn is_another(&self, other: &Self) -> bool {
        let (one, two) = (self.entry, other.entry);
        match (&self.link_hash, &other.link_hash) {
            (None, None) => {
                let dated = one.published.is_some() && two.published.is_some() && one.published != two.published;
                self.differs(other) || (dated && one.body() != two.body())
            }
            (one, two) => one != two && self.differs(other),
        }
    }
}

/// At least five digits in the last part of the path, and no date; with the host and the query, which may say more.
fn article_number(url: &Url) -> Option<String> {
    // A comment on the article, or a part of it, is not the article.
    if url.fragment().is_some() {
        return None;
    }
    let last = url.path().trim_end_matches('/').rsplit('/').next()?;
    let number = last.split(|c: char| !c.is_ascii_digit()).max_by_key(|digits| digits.len())?;
    let is_date = number.len() == 8 && (number.starts_with("19") || number.starts_with("20"));
    let host = url.host_str().unwrap_or_default().trim_start_matches("www.");
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    (number.len() >= 5 && !is_date).then(|| format!("{host} {number}{query}"))
}

/// Decides whether the feed's policy still holds, from one document and the items known before. `known` answers whether
/// the item of a stable identity was seen before.
pub fn policy_for(
    current: IdentityPolicy,
    entries: &[Marks<'_>],
    items: &[ItemState],
    known: impl Fn(&str) -> bool,
) -> IdentityPolicy {
    let mut policy = current;
    if policy == IdentityPolicy::Guid && (guids_repeat(entries) || guids_changed(entries, items, known)) {
        // Without any link there is only what the items say.
        let linked = entries.iter().any(|marks| marks.link.is_some());
        policy = if linked { IdentityPolicy::Link } else { IdentityPolicy::Hash };
    }
    if policy == IdentityPolicy::Guid && links_repeat(entries.iter().filter(|marks| marks.guid.is_none())) {
        policy = IdentityPolicy::Hash;
    }
    if policy == IdentityPolicy::Link && links_repeat(entries.iter()) {
        policy = IdentityPolicy::Hash;
    }
    policy
}

/// One guid on different items. The same item twice, perhaps edited in between, is only untidy.
fn guids_repeat(entries: &[Marks<'_>]) -> bool {
    let mut seen: HashMap<&str, Vec<&Marks<'_>>> = HashMap::new();
    entries.iter().any(|marks| {
        let Some(guid) = marks.guid.as_deref() else { return false };
        let same = seen.entry(guid).or_default();
        // Under one link there may be two versions of an article, but hardly three.
        let others = same.iter().filter(|other| other.differs(marks)).count();
        let repeats = others >= 2 || same.iter().any(|other| other.is_another(marks));
        if same.len() < 3 {
            same.push(marks);
        }
        repeats
    })
}

/// One link on different items.
fn links_repeat<'a, 'b: 'a>(mut entries: impl Iterator<Item = &'a Marks<'b>>) -> bool {
    let mut seen: HashMap<&str, &Marks<'_>> = HashMap::new();
    entries.any(|marks| {
        let Some(hash) = marks.link_hash() else { return false };
        seen.insert(hash, marks).is_some_and(|other| other.differs(marks))
    })
}

/// Most items that are known by their links have guids that were never seen.
fn guids_changed(entries: &[Marks<'_>], items: &[ItemState], known: impl Fn(&str) -> bool) -> bool {
    let links: HashSet<&str> = items.iter().filter_map(|item| item.link.as_deref()).collect();
    // A link that several known items share says nothing about one of them.
    if links.len() * 2 < items.len() {
        return false;
    }
    let (mut changed, mut same) = (0, 0);
    for marks in entries {
        let Some(guid) = marks.guid.as_deref() else { continue };
        if known(guid) {
            same += 1;
        } else if marks.link_hash().is_some_and(|hash| links.contains(hash)) {
            changed += 1;
        }
    }
    changed >= 2 && changed > same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_have_numbers_and_dates_are_none() {
        for (link, expected) in [
            ("https://www.example.org/en/new-title/a-71466432", Some("example.org 71466432")),
            ("https://example.org/news/71466432-old-title.html", Some("example.org 71466432")),
            ("https://example.org/forecast/90210?d=1", Some("example.org 90210?d=1")),
            ("https://example.org/2026/03/01/title", None),
            ("https://example.org/title-20260301", None),
            ("https://example.org/title-1234", None),
            ("https://example.org/123456/title", None),
            ("https://example.org/", None),
        ] {
            assert_eq!(article_number(&Url::parse(link).unwrap()).as_deref(), expected, "{link}");
        }
    }
}
