//! The list of feeds that the configuration names, and how it gets into the log.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail};
use chipwire_events::{
    Event, Feed, FeedId, FeedItems, FeedList, FeedOrigin, FeedState, Message, Timestamp, Topic, partition_of,
};
use chipwire_feeds::own_headers;
use chipwire_log::Record;
use serde_json::Value;
use url::Url;

use crate::{
    config::FeedsConfig,
    wire::{self, Log},
};

/// The longest name of a feed, folder or tag, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Folders within folders.
const MAX_FOLDERS: usize = 32;

/// Tags of one feed.
const MAX_TAGS: usize = 50;

/// Checks the address of a feed, and brings it into its normal form.
pub fn check_url(url: &str) -> Result<Url> {
    let mut parsed =
        Url::parse(url.trim()).context("not an address; a feed's address begins with https:// or http://")?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        bail!("a feed's address begins with https:// or http://");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        bail!(
            "an address must not carry a user name or a password: give them as a header, \
             `Authorization: Basic ${{VARIABLE}}`, with name:password in base64 in that environment variable"
        );
    }
    parsed.set_fragment(None);
    Ok(parsed)
}

/// Checks what a user said of a feed.
pub fn check(feed: &Feed) -> Result<()> {
    check_url(&feed.url)?;
    let names = feed.title.iter().chain(&feed.folder).chain(feed.also_in.iter().flatten()).chain(&feed.tags);
    for name in names {
        if name.chars().count() > MAX_NAME_CHARS {
            let start: String = name.chars().take(30).collect();
            bail!("the name `{start}...` is longer than {MAX_NAME_CHARS} characters");
        }
    }
    if feed.folder.len().max(feed.also_in.iter().map(Vec::len).max().unwrap_or(0)) > MAX_FOLDERS {
        bail!("folders are nested at most {MAX_FOLDERS} deep");
    }
    if feed.tags.len() > MAX_TAGS {
        bail!("a feed takes at most {MAX_TAGS} tags");
    }
    for header in &feed.headers {
        own_headers::check(header)?;
    }
    Ok(())
}

/// A name on one line, without space around it.
pub fn one_line(name: &str) -> String {
    chipwire_feeds::text::collapse(name)
}

/// Tags as they are kept: apart at commas, in order, none twice.
pub fn tags<T: AsRef<str>>(given: &[T]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in given.iter().flat_map(|given| given.as_ref().split(',')).map(one_line) {
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// A feed as it is shown: as JSON, with the names of its headers and not their values.
pub fn shown(feed: &Feed) -> Result<Value> {
    let mut value = serde_json::to_value(feed)?;
    hide_headers(&mut value);
    Ok(value)
}

/// Takes the values of headers out of the payload of an event that follows a feed.
pub fn hide_headers(payload: &mut Value) {
    let Some(headers) = payload.get_mut("headers").and_then(Value::as_array_mut) else { return };
    for header in headers {
        let name = header.get("name").cloned().unwrap_or_default();
        *header = name;
    }
}

/// What an OPML file names.
#[derive(Debug)]
pub struct ListFile {
    /// The feeds.
    pub feeds: Vec<Feed>,
    /// What it says besides.
    pub frame: FeedList,
    /// Why others of its outlines cannot be followed.
    pub left_out: Vec<String>,
}

/// Reads an OPML file.
pub fn read_opml(path: &Path, origin: FeedOrigin) -> Result<ListFile> {
    let bytes = fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    let list = chipwire_feeds::opml::read_bytes(&bytes, origin)
        .with_context(|| format!("`{}` is no list of feeds", path.display()))?;
    let mut feeds = list.feeds;
    // One line that cannot be followed takes no other with it.
    let mut left_out: Vec<String> = list.left_out.iter().map(ToString::to_string).collect();
    feeds.retain(|feed| match check(feed) {
        Ok(()) => true,
        Err(error) => {
            // The address may hold a password.
            let host = Url::parse(&feed.url).ok().and_then(|url| url.host_str().map(str::to_owned));
            left_out.push(format!("the feed of `{}`: {error}", host.as_deref().unwrap_or("no host")));
            false
        }
    });
    Ok(ListFile { feeds, frame: list.frame, left_out })
}

/// Places a list after those that came before.
pub fn place_after_all(list: &mut ListFile, followed: &[(Feed, Option<FeedState>)]) {
    let next = followed.iter().filter_map(|(feed, _)| feed.position).max().map_or(0, |last| last.saturating_add(1));
    for feed in &mut list.feeds {
        feed.position = feed.position.map(|position| position.saturating_add(next));
    }
    for folder in &mut list.frame.folders {
        folder.position = folder.position.saturating_add(next);
    }
}

/// What the lists of that origin say besides their feeds, if there are any.
pub fn frame(log: &Log, origin: FeedOrigin) -> Result<Option<FeedList>, chipwire_log::Error> {
    let key = FeedList::key_of(origin);
    let partition = partition_of(&key, Topic::Feeds.partitions());
    let feeds = log.backend().state(log.name(Topic::Feeds), Some(&[partition]))?;
    Ok(feeds.records.values().find_map(|stored| match wire::decode(stored) {
        Ok((_, Event::ListImported(list))) if list.origin == origin => Some(list),
        _ => None,
    }))
}

/// The feeds that the configuration names, and what its list says besides. What it says itself wins over its list.
pub fn configured(config: &FeedsConfig) -> Result<(Vec<Feed>, Option<FeedList>)> {
    let (mut feeds, frame) = match &config.opml {
        Some(path) => {
            let ListFile { feeds, frame, left_out } = read_opml(path, FeedOrigin::Config)?;
            for reason in left_out {
                tracing::warn!(file = %path.display(), "a feed of the list is left out: {reason}");
            }
            (feeds, Some(frame))
        }
        None => (Vec::new(), None),
    };
    feeds.extend(config.urls.iter().map(|url| Feed::new(url, FeedOrigin::Config)));
    for entry in &config.feed {
        let own = entry.to_feed()?;
        feeds.retain(|feed| feed.id != own.id);
        feeds.push(own);
    }
    Ok((feeds, frame))
}

/// A feed, if it is followed.
pub fn one(log: &Log, id: &FeedId) -> Result<Option<Feed>, chipwire_log::Error> {
    let partition = partition_of(id.as_str(), Topic::Feeds.partitions());
    let feeds = log.backend().state(log.name(Topic::Feeds), Some(&[partition]))?;
    let found = feeds.records.iter().find_map(|(_, stored)| match wire::decode(stored) {
        Ok((_, Event::FeedSubscribed(feed))) if feed.id == *id => Some(feed),
        _ => None,
    });
    Ok(found)
}

/// Every feed that is followed, with its state.
pub fn followed(log: &Log) -> Result<Vec<(Feed, Option<FeedState>)>, chipwire_log::Error> {
    let feeds = log.backend().state(log.name(Topic::Feeds), None)?;
    let states = log.backend().state(log.name(Topic::FeedStates), None)?;
    Ok(feeds
        .records
        .iter()
        .filter_map(|(key, stored)| {
            let Ok((_, Event::FeedSubscribed(feed))) = wire::decode(stored) else { return None };
            let state = states.records.get(key).and_then(|stored| match wire::decode(stored) {
                Ok((_, Event::FeedPolled(state))) => Some(state),
                _ => None,
            });
            Some((feed, state))
        })
        .collect())
}

/// The record that follows `feed`.
pub fn follow(log: &Log, feed: &Feed, now: Timestamp) -> Result<Record, chipwire_events::Error> {
    log.encode(&Event::FeedSubscribed(feed.clone()), now, None)
}

/// The records that stop following a feed: its definition, its state and the items that were seen.
pub fn unfollow(log: &Log, id: &FeedId) -> [Record; 3] {
    let items = FeedItems::key_of(id);
    let gone = [(Topic::Feeds, id.as_str()), (Topic::FeedStates, id.as_str()), (Topic::FeedStates, &items)];
    gone.map(|(topic, key)| {
        let partition = partition_of(id.as_str(), topic.partitions());
        log.record(Message { partition, ..Message::tombstone(topic, key) })
    })
}

/// Brings the log in line with the configuration: follows what is new or changed, and stops following what the
/// configuration no longer names. Feeds that a user added are left alone.
pub fn sync(log: &Log, config: &FeedsConfig, now: Timestamp) -> Result<()> {
    let (wanted, wanted_frame) = configured(config)?;
    let wanted: BTreeMap<FeedId, Feed> = wanted.into_iter().map(|feed| (feed.id.clone(), feed)).collect();
    let followed: BTreeMap<FeedId, Feed> =
        followed(log)?.into_iter().map(|(feed, _)| (feed.id.clone(), feed)).collect();
    let mut records = Vec::new();
    for feed in wanted.values() {
        let known = followed.get(&feed.id);
        if known.is_none_or(|known| known.origin == FeedOrigin::Config && known != feed) {
            records.push(follow(log, feed, now)?);
        }
    }
    for feed in followed.values() {
        if feed.origin == FeedOrigin::Config && !wanted.contains_key(&feed.id) {
            records.extend(unfollow(log, &feed.id));
        }
    }
    match (frame(log, FeedOrigin::Config)?, wanted_frame) {
        (known, Some(wanted)) if known.as_ref() != Some(&wanted) => {
            records.push(log.encode(&Event::ListImported(wanted), now, None)?);
        }
        (Some(known), None) => records.push(log.record(Message::tombstone(Topic::Feeds, &known.key()))),
        _ => {}
    }
    if !records.is_empty() {
        log.append_among_others("feeds-config", &records)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chipwire_log::memory::MemoryLog;

    use super::*;

    #[test]
    fn the_log_follows_the_list_of_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.opml");
        let log = Log::new(Arc::new(MemoryLog::default()), "");
        log.ensure().unwrap();
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let written = || log.backend().state(log.name(Topic::Feeds), None).unwrap().records.len();
        let mut config = FeedsConfig { opml: Some(path.clone()), ..FeedsConfig::default() };
        let outline = "<outline text='x' xmlUrl='https://x.example/'/>";
        for (folder, title) in [("A", "One"), ("A", "One"), ("B", "Two")] {
            let text = format!(
                "<opml version='2.0'><head><title>{title}</title></head><body><outline text='{folder}'/>{outline}</body>\
                 </opml>"
            );
            fs::write(&path, text).unwrap();
            sync(&log, &config, now).unwrap();
            let frame = frame(&log, FeedOrigin::Config).unwrap().unwrap();
            assert_eq!((frame.head[0].text.as_str(), frame.folders[0].path[0].as_str()), (title, folder));
            assert_eq!(written(), 2);
        }
        config.opml = None;
        sync(&log, &config, now).unwrap();
        assert_eq!((written(), frame(&log, FeedOrigin::Config).unwrap()), (0, None));
    }

    #[test]
    fn a_list_is_read_but_for_what_cannot_be_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.opml");
        let outline = |url: &str| format!("<outline type='rss' text='x' xmlUrl='{url}'/>");
        let outlines =
            [outline("https://u:secret@x.org/a"), outline("ftp://x.org/c"), outline("https://x.org/b")].concat();
        fs::write(&path, format!("<opml version='2.0'><body>{outlines}</body></opml>")).unwrap();
        let ListFile { feeds, left_out, .. } = read_opml(&path, FeedOrigin::User).unwrap();
        let [address, password] = left_out.as_slice() else { panic!("{left_out:?}") };
        assert!(address.starts_with("line 1: `ftp://x.org/c` in the outline"), "{address}");
        assert!(password.starts_with("the feed of `x.org`: ") && !password.contains("secret"), "{password}");
        assert_eq!(feeds.iter().map(|feed| feed.url.as_str()).collect::<Vec<_>>(), ["https://x.org/b"]);
    }
}
