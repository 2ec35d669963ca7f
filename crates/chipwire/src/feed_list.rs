//! The list of feeds that the configuration names, and how it gets into the log.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail};
use chipwire_events::{Event, Feed, FeedId, FeedOrigin, FeedState, Message, Timestamp, Topic};
use chipwire_log::Record;
use url::Url;

use crate::{
    config::FeedsConfig,
    wire::{self, Log},
};

/// Checks the address of a feed.
pub fn check_url(url: &str) -> Result<()> {
    let parsed = Url::parse(url).context("not an address; a feed's address begins with https:// or http://")?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        bail!("a feed's address begins with https:// or http://");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        bail!("an address must not carry a user name or a password");
    }
    Ok(())
}

/// The feeds of an OPML file.
pub fn read_opml(path: &Path, origin: FeedOrigin) -> Result<Vec<Feed>> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    chipwire_feeds::opml::read(&text, origin).with_context(|| format!("`{}` is no list of feeds", path.display()))
}

/// The feeds that the configuration names.
pub fn configured(config: &FeedsConfig) -> Result<Vec<Feed>> {
    let mut feeds = match &config.opml {
        Some(path) => read_opml(path, FeedOrigin::Config)?,
        None => Vec::new(),
    };
    feeds.extend(config.urls.iter().map(|url| Feed::new(url, FeedOrigin::Config)));
    Ok(feeds)
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

/// The records that stop following a feed: its definition and its state.
pub fn unfollow(log: &Log, id: &FeedId) -> [Record; 2] {
    [Topic::Feeds, Topic::FeedStates].map(|topic| log.record(Message::tombstone(topic, id.as_str())))
}

/// Brings the log in line with the configuration: follows what is new or changed, and stops following what the
/// configuration no longer names. Feeds that a user added are left alone.
pub fn sync(log: &Log, config: &FeedsConfig, now: Timestamp) -> Result<()> {
    let wanted: BTreeMap<FeedId, Feed> = configured(config)?.into_iter().map(|feed| (feed.id.clone(), feed)).collect();
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
    if !records.is_empty() {
        log.backend().writer("feeds-config")?.append(&records)?;
    }
    Ok(())
}
