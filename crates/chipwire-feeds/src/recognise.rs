//! Which of the items that are known is the one in front of us, and whether it was edited.
//!
//! An entry is known by its identity. Where a feed was switched to another policy, older items keep the ids of the policy
//! before and are known by link or content. And where an item has gone from a feed in the same moment in which an unknown
//! one came that shares at least two of link, title and date with it, the one succeeds the other: its guid was changed, not
//! the article. The number in its address is enough while other items stay, and one of the others when most of a document
//! changes in this way at once.
//!
//! Dates and addresses that are others with every poll say nothing: they are a [`Drift`] of the feed, and no edit.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
    hash::Hash,
};

use chipwire_events::{Article, ArticleId, FeedId, IdentityPolicy, ItemPage, ItemState, Timestamp, hash_hex};
use jiff::SignedDuration;

use crate::{
    identity::{Marks, canonical_link},
    parse::Entry,
    text,
};

/// A document that lacks something newer that was seen this short a time ago, in hours, is an old copy.
const OLD_COPY_HOURS: i64 = 6;

/// What a succession needs; see [`Sight::likeness`].
const ENOUGH: u32 = 2;

/// An entry as it is compared.
pub(crate) struct Sight<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) id: ArticleId,
    pub(crate) title: String,
    /// The date, where it can be true.
    pub(crate) published: Option<Timestamp>,
    raw: String,
    link: Option<String>,
    title_hash: Option<String>,
    number: Option<String>,
    /// The body as plain text, once it was asked for.
    plain: OnceCell<String>,
}

impl<'a> Sight<'a> {
    pub(crate) fn new(
        feed: &FeedId,
        policy: IdentityPolicy,
        marks: &Marks<'a>,
        title: String,
        published: Option<Timestamp>,
    ) -> Self {
        let entry = marks.entry();
        let said = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        let link = entry.link.as_deref().unwrap_or_default();
        let raw = hash_hex(8, &["raw", &title, entry.body().0, link, &said(entry.published.or(entry.updated))]);
        Self {
            id: ArticleId::of(feed, &marks.stable_id(policy)),
            raw,
            link: marks.link_hash().map(str::to_owned),
            title_hash: (!title.is_empty()).then(|| hash_hex(8, &["title", &title])),
            number: marks.number().map(str::to_owned),
            plain: OnceCell::new(),
            entry,
            title,
            published,
        }
    }

    /// The hash of what a reader sees: an edit of the markup alone is none. The address is compared by itself, as it may
    /// drift.
    fn content_hash(&self, published: Option<Timestamp>) -> String {
        Article::content_hash_of(&self.title, self.plain(), None, published)
    }

    /// The hash that an article of this entry carries: with the address, of which another spelling is no edit. What is known
    /// of an item had this hash before the address was compared by itself.
    pub(crate) fn article_hash(&self, published: Option<Timestamp>) -> String {
        let url = self.entry.link.as_deref().map(canonical_link);
        Article::content_hash_of(&self.title, self.plain(), url.as_deref(), published)
    }

    fn plain(&self) -> &str {
        self.plain.get_or_init(|| {
            let (body, markup) = self.entry.body();
            text::plain(body, markup)
        })
    }

    /// Whether another address may say nothing: it has a query, and the item is known by its own identity. Of one that is
    /// known by what it has in common with another, the address is what has changed for good.
    fn link_may_drift(&self, item: &ItemState) -> bool {
        let is_known = item.id == self.id.as_str() || item.alias.as_deref() == Some(self.id.as_str());
        is_known && self.entry.link.as_deref().is_some_and(|link| link.contains('?'))
    }

    /// What an item that was never seen is remembered by.
    pub(crate) fn first_state(&self, now: Timestamp) -> ItemState {
        self.state(self.id.to_string(), 1, self.content_hash(self.published), self.published, now)
    }

    fn state(
        &self,
        id: String,
        revision: u32,
        content_hash: String,
        published: Option<Timestamp>,
        now: Timestamp,
    ) -> ItemState {
        ItemState {
            alias: (id != self.id.as_str()).then(|| self.id.to_string()),
            id,
            revision,
            content_hash,
            link: self.link.clone(),
            last_seen: now,
            previous: None,
            raw: Some(self.raw.clone()),
            title: self.title_hash.clone(),
            number: self.number.clone(),
            published,
            page: ItemPage::default(),
        }
    }

    /// How much the entry has in common with an item, by the signs that tell it from all others.
    fn likeness(&self, item: &ItemState, signs: &Signs) -> u32 {
        fn says<T: Hash + Eq + Clone>(mine: &Option<T>, its: &Option<T>, sign: &Sign<T>) -> u32 {
            match mine {
                Some(value) if mine == its && sign.tells_apart(value) => 1 + u32::from(sign.enough),
                _ => 0,
            }
        }
        // Where nothing of the last document is left, a number may be one that all items share: a postal code, not an article.
        let number = says(&self.number, &item.number, &signs.numbers).min(1) * (1 + u32::from(signs.some_stay));
        // Midnight is a date without a time: it is shared too easily.
        let exact = self.published.is_some_and(|published| published.as_second() % 86_400 != 0);
        let date =
            says(&self.published, &item.published, &signs.dates).min(1) * (1 + u32::from(signs.only_dates && exact));
        let title = match says(&self.title_hash, &item.title, &signs.titles) {
            // Titles that come back every day have another text every day.
            2 if self.content_hash(item.published) != item.content_hash => 1,
            title => title,
        };
        let words = says(&self.link, &item.link, &signs.links) + title;
        // A page that is written anew every week has one address and one title, but not one date.
        let dates_differ = self.published.is_some() && item.published.is_some() && self.published != item.published;
        number + (words + date).saturating_sub(u32::from(dates_differ))
    }
}

/// The items of the last polls, by what they can be known again.
pub(crate) struct Known<'a> {
    items: &'a [ItemState],
    by_id: HashMap<&'a str, &'a ItemState>,
    /// None where several items share the link.
    by_link: HashMap<&'a str, Option<&'a ItemState>>,
    by_content: HashMap<&'a str, &'a ItemState>,
    last_poll: Option<Timestamp>,
}

impl<'a> Known<'a> {
    pub(crate) fn new(items: &'a [ItemState]) -> Self {
        let mut known = Self {
            items,
            by_id: HashMap::new(),
            by_link: HashMap::new(),
            by_content: HashMap::new(),
            last_poll: items.iter().map(|item| item.last_seen).max(),
        };
        for item in items {
            known.by_id.entry(&item.id).or_insert(item);
            if let Some(alias) = &item.alias {
                known.by_id.entry(alias).or_insert(item);
            }
            known.by_content.insert(&item.content_hash, item);
            if let Some(link) = &item.link {
                known.by_link.entry(link).and_modify(|slot| *slot = None).or_insert(Some(item));
            }
        }
        known
    }

    pub(crate) fn has(&self, id: &ArticleId) -> bool {
        self.by_id.contains_key(id.as_str())
    }

    /// The item that each entry is, if it is known. The number of entries that are known only because they succeed another.
    pub(crate) fn recognise(
        &self,
        feed: &FeedId,
        policy: IdentityPolicy,
        sights: &[Sight<'_>],
    ) -> (Vec<Option<&'a ItemState>>, usize) {
        let mut found: Vec<Option<&'a ItemState>> =
            sights.iter().map(|sight| self.by_identity(feed, policy, sight)).collect();
        let mut taken: HashMap<&str, &ArticleId> = HashMap::new();
        for (sight, item) in sights.iter().zip(&found) {
            if let Some(item) = item {
                taken.insert(&item.id, &sight.id);
            }
        }
        // An item that is there under its own identity is no other entry as well.
        for (sight, slot) in sights.iter().zip(&mut found) {
            if let (None, Some(item)) = (*slot, self.by_common(policy, sight))
                && **taken.entry(&item.id).or_insert(&sight.id) == sight.id
            {
                *slot = Some(item);
            }
        }
        let succeeded = self.succeed(policy, sights, &mut found);
        (found, succeeded)
    }

    fn by_identity(&self, feed: &FeedId, policy: IdentityPolicy, sight: &Sight<'_>) -> Option<&'a ItemState> {
        if let Some(item) = self.by_id.get(sight.id.as_str()) {
            return Some(item);
        }
        // Before web addresses among guids were compared in their canonical form, this was the id.
        let guid = sight.entry.guid.as_deref().filter(|guid| guid.starts_with("http"))?;
        let before = ArticleId::of(feed, &format!("guid:{guid}"));
        self.by_id.get(before.as_str()).copied().filter(|_| policy == IdentityPolicy::Guid)
    }

    /// What an item of a time before the policy was switched has in common with an entry.
    fn by_common(&self, policy: IdentityPolicy, sight: &Sight<'_>) -> Option<&'a ItemState> {
        match policy {
            IdentityPolicy::Guid => None,
            IdentityPolicy::Link if sight.link.is_some() => *self.by_link.get(sight.link.as_deref()?)?,
            IdentityPolicy::Link | IdentityPolicy::Hash => {
                let hashes = [sight.content_hash(sight.published), sight.article_hash(sight.published)];
                hashes.iter().find_map(|hash| self.by_content.get(hash.as_str()).copied())
            }
        }
    }

    /// Finds the items that are gone and those that came in their place.
    fn succeed(&self, policy: IdentityPolicy, sights: &[Sight<'_>], found: &mut [Option<&'a ItemState>]) -> usize {
        let here: HashSet<&str> = found.iter().flatten().map(|item| item.id.as_str()).collect();
        let gone: Vec<&'a ItemState> = self
            .items
            .iter()
            .filter(|item| Some(item.last_seen) == self.last_poll && !here.contains(item.id.as_str()))
            .collect();
        let came: Vec<usize> = (0..sights.len()).filter(|at| found.get(*at).is_some_and(Option::is_none)).collect();
        if gone.is_empty() || came.is_empty() {
            return 0;
        }
        let before: Vec<(&ItemState, bool)> = self
            .items
            .iter()
            .filter(|item| Some(item.last_seen) == self.last_poll)
            .map(|item| (item, !here.contains(item.id.as_str())))
            .collect();
        let now: Vec<(&Sight<'_>, bool)> =
            sights.iter().zip(found.iter()).map(|(sight, item)| (sight, item.is_none())).collect();
        let signs = Signs::new(&before, &now, policy == IdentityPolicy::Hash);
        let mut taken: HashSet<&str> = HashSet::new();
        let mut succeeded = 0;
        for at in came {
            let (Some(sight), Some(slot)) = (sights.get(at), found.get_mut(at)) else { continue };
            let mut best = gone
                .iter()
                .map(|item| (sight.likeness(item, &signs), *item))
                .filter(|(likeness, item)| *likeness >= ENOUGH && !taken.contains(item.id.as_str()));
            // By the signs that count no two can be alike, unless one is like the first by one sign and like the second by
            // another: then neither is taken.
            if let (Some((_, item)), None) = (best.next(), best.next()) {
                taken.insert(&item.id);
                *slot = Some(item);
                succeeded += 1;
            }
        }
        succeeded
    }

    /// Whether the document may be older than the last one, as caches that do not agree with each other serve it: nothing in
    /// it is new, and something newer than all of it was there a short time ago. What it takes back is no edit then.
    pub(crate) fn is_old_copy(&self, sights: &[Sight<'_>], found: &[Option<&'a ItemState>], now: Timestamp) -> bool {
        let newest = sights.iter().filter_map(|sight| sight.published).max();
        let recent =
            |item: &&ItemState| now.duration_since(item.last_seen) < SignedDuration::from_hours(OLD_COPY_HOURS);
        let known = self.items.iter().filter(recent).filter_map(|item| item.published).max();
        found.iter().all(Option::is_some) && newest.is_some() && newest < known
    }
}

/// What changes with every poll in a feed, and so says nothing of its items.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Drift {
    /// Most items have another date than at the last poll, as in feeds that date everything with the time of their making.
    dates: bool,
    /// Most items have another address than at the last poll, and a query in it, as in feeds that number their visitors. A
    /// site that moved has others without one: that is news.
    links: bool,
}

impl Drift {
    pub(crate) fn of(sights: &[Sight<'_>], found: &[Option<&ItemState>]) -> Self {
        let (mut dates, mut links) = (Count::default(), Count::default());
        for (sight, item) in sights.iter().zip(found) {
            let Some(item) = item else { continue };
            dates.take(&item.published, &sight.published);
            if sight.link_may_drift(item) {
                links.take(&item.link, &sight.link);
            } else {
                links.same += 1;
            }
        }
        Self { dates: dates.moved >= 2 && dates.moved > dates.same, links: links.moved > links.same }
    }
}

#[derive(Default)]
struct Count {
    moved: usize,
    same: usize,
}

impl Count {
    fn take<T: PartialEq>(&mut self, before: &Option<T>, now: &Option<T>) {
        match (before, now) {
            (Some(before), Some(now)) if before == now => self.same += 1,
            (Some(_), Some(_)) => self.moved += 1,
            _ => {}
        }
    }
}

/// What is known of an item after this poll.
pub(crate) struct Judged {
    pub(crate) state: ItemState,
    pub(crate) edited: bool,
}

/// Compares an entry with the item that it is.
pub(crate) fn judge(sight: &Sight<'_>, item: &ItemState, old_copy: bool, drift: Drift, now: Timestamp) -> Judged {
    let alias = |state: &ItemState| state.alias.clone().or_else(|| item.alias.clone());
    let unchanged = |content_hash: String| {
        let state = sight.state(item.id.clone(), item.revision, content_hash, item.published, now);
        let alias = alias(&state);
        Judged { state: ItemState { previous: item.previous.clone(), alias, ..state }, edited: false }
    };
    let kept = || Judged { state: ItemState { last_seen: now, ..item.clone() }, edited: false };
    if item.raw.as_ref() == Some(&sight.raw) {
        return unchanged(item.content_hash.clone());
    }
    let hashes = |published| [sight.content_hash(published), sight.article_hash(published)];
    let (with_date, with_old_date) = (hashes(sight.published), hashes(item.published));
    let is_before = |hash: &String| with_date.contains(hash) || with_old_date.contains(hash);
    if old_copy && item.previous.as_ref().is_some_and(is_before) {
        return kept();
    }
    // One after the item was there already is no date of publication, and one that is lost is no news.
    let untrue = drift.dates || sight.published.is_none_or(|published| published > item.last_seen);
    let [content_hash, _] = with_date;
    let [old_content_hash, old_article_hash] = with_old_date;
    let same_text = if item.content_hash == content_hash
        || item.content_hash == sight.article_hash(sight.published)
        || is_first_form(sight, item)
    {
        Some(content_hash)
    } else {
        // Nothing but the date is another.
        let only_date = item.content_hash == old_content_hash || item.content_hash == old_article_hash;
        (only_date && untrue).then_some(old_content_hash)
    };
    let same_link = item.link == sight.link || (drift.links && sight.link_may_drift(item));
    match same_text {
        Some(content_hash) if same_link => return unchanged(content_hash),
        Some(_) if old_copy => return kept(),
        _ => {}
    }
    let revision = item.revision.saturating_add(1);
    let published = if untrue { item.published.or(sight.published) } else { sight.published };
    let state = sight.state(item.id.clone(), revision, sight.content_hash(published), published, now);
    // Seen under its own identity again, it is still known by the other one.
    let alias = alias(&state);
    Judged { state: ItemState { previous: Some(item.content_hash.clone()), alias, ..state }, edited: true }
}

/// Whether the item's hash is the one that an entry like this had when the markup and the spelling of the address counted.
fn is_first_form(sight: &Sight<'_>, item: &ItemState) -> bool {
    let entry = sight.entry;
    item.raw.is_none()
        && item.content_hash
            == Article::content_hash_of(&sight.title, entry.body().0, entry.link.as_deref(), sight.published)
}

/// A sign by which items may be known, and how often it stands in the last document and in this one.
struct Sign<T> {
    before: HashMap<T, u32>,
    now: HashMap<T, u32>,
    /// Whether most of the document changed with this sign left, one with one, so that it says enough by itself.
    enough: bool,
}

impl<T: Hash + Eq + Clone> Sign<T> {
    /// From the values in both documents, and whether each stands at an item that is gone or came.
    fn new(before: impl Iterator<Item = (Option<T>, bool)>, now: impl Iterator<Item = (Option<T>, bool)>) -> Self {
        let mut sign = Self { before: HashMap::new(), now: HashMap::new(), enough: false };
        let (mut gone, mut came, mut stayed) = (HashSet::new(), HashSet::new(), 0_usize);
        for (value, is_gone) in before {
            let Some(value) = value else { continue };
            if is_gone {
                gone.insert(value.clone());
            }
            *sign.before.entry(value).or_default() += 1;
        }
        for (value, is_new) in now {
            stayed += usize::from(!is_new);
            let Some(value) = value else { continue };
            if is_new {
                came.insert(value.clone());
            }
            *sign.now.entry(value).or_default() += 1;
        }
        let pairs = gone.intersection(&came).filter(|value| sign.tells_apart(value)).count();
        sign.enough = pairs >= 2 && pairs > stayed;
        sign
    }

    fn tells_apart(&self, value: &T) -> bool {
        self.before.get(value) == Some(&1) && self.now.get(value) == Some(&1)
    }
}

/// What items that are gone and items that came may have in common.
struct Signs {
    links: Sign<String>,
    titles: Sign<String>,
    numbers: Sign<String>,
    dates: Sign<Timestamp>,
    /// Whether the feed has nothing but titles and dates, so that an edited title leaves only the date.
    only_dates: bool,
    /// Whether some items are there as before.
    some_stay: bool,
}

impl Signs {
    fn new(before: &[(&ItemState, bool)], now: &[(&Sight<'_>, bool)], only_dates: bool) -> Self {
        fn sign<T: Hash + Eq + Clone>(
            before: &[(&ItemState, bool)],
            now: &[(&Sight<'_>, bool)],
            of_item: impl Fn(&ItemState) -> Option<T>,
            of_sight: impl Fn(&Sight<'_>) -> Option<T>,
        ) -> Sign<T> {
            Sign::new(
                before.iter().map(|(item, gone)| (of_item(item), *gone)),
                now.iter().map(|(sight, new)| (of_sight(sight), *new)),
            )
        }
        Self {
            links: sign(before, now, |item| item.link.clone(), |sight| sight.link.clone()),
            titles: sign(before, now, |item| item.title.clone(), |sight| sight.title_hash.clone()),
            numbers: sign(before, now, |item| item.number.clone(), |sight| sight.number.clone()),
            dates: sign(before, now, |item| item.published, |sight| sight.published),
            only_dates,
            some_stay: now.iter().any(|(_, new)| !new),
        }
    }
}
