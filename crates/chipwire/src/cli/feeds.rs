//! `chipwire feeds`

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use chipwire_events::{Feed, FeedId, FeedOrigin, FeedState};
use chipwire_feeds::opml;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Global, feeds_parse::Parse};
use crate::{feed_list, pipeline::Opened, runner::system_clock, terminal};

#[derive(Debug, Subcommand)]
pub(super) enum Feeds {
    /// Follow feeds
    #[command(after_help = "Example:\n  chipwire feeds add https://example.org/feed.xml --folder 'Trade press'")]
    Add(Add),
    /// Show the feeds with their state
    #[command(after_help = "Example:\n  chipwire feeds list --failing")]
    List(List),
    /// Stop following feeds
    #[command(after_help = "Example:\n  chipwire feeds remove https://example.org/feed.xml")]
    Remove(Remove),
    /// Follow the feeds of an OPML list
    #[command(after_help = "Example:\n  chipwire feeds import deploy/feeds.opml")]
    Import(Import),
    /// Print the feeds as an OPML list
    #[command(after_help = "Example:\n  chipwire feeds export > feeds.opml")]
    Export,
    /// Read feed files and print what is in them, one JSON object a file
    #[command(after_help = "Example:\n  chipwire feeds parse feed.xml --url https://example.org/feed.xml")]
    Parse(Parse),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The feeds' addresses
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,
    /// The name to show instead of the feed's own
    #[arg(long)]
    title: Option<String>,
    /// The folder to put it into; `/` separates folders
    #[arg(long)]
    folder: Option<String>,
    /// The shortest time between two polls, in seconds
    #[arg(long, value_name = "SECONDS")]
    interval: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Print one JSON object a feed
    #[arg(long)]
    json: bool,
    /// Only feeds that cannot be read just now
    #[arg(long)]
    failing: bool,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// The feeds' ids or addresses
    #[arg(required = true, value_name = "FEED")]
    feeds: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The OPML list
    file: PathBuf,
}

impl Feeds {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        match self {
            Feeds::Add(add) => add.run(&global.open()?)?,
            Feeds::List(list) => list.run(&global.open()?)?,
            Feeds::Remove(remove) => remove.run(&global.open()?)?,
            Feeds::Import(import) => {
                let feeds = feed_list::read_opml(&import.file, FeedOrigin::User)?;
                follow(&global.open()?, &feeds)?;
            }
            Feeds::Export => {
                let feeds: Vec<Feed> = feed_list::followed(&global.open()?.log)?
                    .into_iter()
                    .map(|(feed, _)| feed)
                    .filter(|feed| feed.origin != FeedOrigin::Import)
                    .collect();
                write!(io::stdout(), "{}", opml::write(&feeds))?;
            }
            Feeds::Parse(parse) => parse.run()?,
        }
        Ok(())
    }
}

/// Follows what is not followed yet, and says what it did.
fn follow(opened: &Opened, feeds: &[Feed]) -> Result<()> {
    let followed: BTreeSet<FeedId> = feed_list::followed(&opened.log)?.into_iter().map(|(feed, _)| feed.id).collect();
    let new: Vec<&Feed> = feeds.iter().filter(|feed| !followed.contains(&feed.id)).collect();
    let now = system_clock();
    let records = new.iter().map(|feed| feed_list::follow(&opened.log, feed, now)).collect::<Result<Vec<_>, _>>()?;
    if !records.is_empty() {
        opened.log.backend().writer("feeds-user")?.append(&records)?;
    }
    let mut out = io::stdout().lock();
    for feed in &new {
        writeln!(out, "{}  {}", feed.id, terminal::clean(&feed.url))?;
    }
    let known = feeds.len() - new.len();
    writeln!(out, "{} added, {known} already followed", new.len())?;
    Ok(())
}

impl Add {
    fn run(&self, opened: &Opened) -> Result<()> {
        let mut feeds = Vec::new();
        for url in &self.urls {
            feed_list::check_url(url).with_context(|| format!("`{url}`"))?;
            let mut feed = Feed::new(url, FeedOrigin::User);
            feed.title.clone_from(&self.title);
            feed.interval_s = self.interval;
            if let Some(folder) = &self.folder {
                feed.folder =
                    folder.split('/').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
            }
            feeds.push(feed);
        }
        follow(opened, &feeds)
    }
}

impl Remove {
    fn run(&self, opened: &Opened) -> Result<()> {
        let followed = feed_list::followed(&opened.log)?;
        let mut records = Vec::new();
        let mut out = io::stdout().lock();
        for wanted in &self.feeds {
            let Some((feed, _)) = followed.iter().find(|(feed, _)| feed.id.as_str() == wanted || feed.url == *wanted)
            else {
                bail!("no feed has the id or address `{wanted}`; `chipwire feeds list` shows all");
            };
            if feed.origin == FeedOrigin::Config {
                bail!("`{}` is named by the configuration: remove it there", feed.url);
            }
            records.extend(feed_list::unfollow(&opened.log, &feed.id));
        }
        opened.log.backend().writer("feeds-user")?.append(&records)?;
        writeln!(out, "{} removed", self.feeds.len())?;
        Ok(())
    }
}

impl List {
    fn run(&self, opened: &Opened) -> Result<()> {
        let mut feeds = feed_list::followed(&opened.log)?;
        feeds.retain(|(feed, _)| feed.origin != FeedOrigin::Import);
        if self.failing {
            feeds.retain(|(_, state)| state.as_ref().is_some_and(|state| state.error.is_some()));
        }
        feeds.sort_by(|(a, _), (b, _)| (&a.folder, &a.url).cmp(&(&b.folder, &b.url)));
        let mut out = io::stdout().lock();
        for (feed, state) in &feeds {
            if self.json {
                let mut state = serde_json::to_value(state)?;
                if let Some(state) = state.as_object_mut() {
                    state.remove("items");
                }
                writeln!(out, "{}", json!({ "feed": feed, "state": state }))?;
            } else {
                print_feed(&mut out, feed, state.as_ref())?;
            }
        }
        if !self.json {
            writeln!(out, "{} feeds", feeds.len())?;
        }
        Ok(())
    }
}

fn print_feed(out: &mut impl Write, feed: &Feed, state: Option<&FeedState>) -> io::Result<()> {
    let own_title = state.and_then(|state| state.title.as_deref());
    let title = feed.title.as_deref().or(own_title).unwrap_or(&feed.url);
    let health = match state {
        _ if feed.paused => "paused",
        None => "new",
        Some(state) if state.error.is_some() => "failing",
        Some(_) => "ok",
    };
    writeln!(out, "{health:<8} {}  {}", feed.id, terminal::clean(title))?;
    writeln!(out, "         {}", terminal::clean(&feed.url))?;
    let Some(state) = state else { return Ok(()) };
    let polled = state.last_polled.map_or_else(|| "never".to_owned(), |time| format!("{time:.0}"));
    writeln!(out, "         {} articles, polled {polled}, next {:.0}", state.articles, state.next_poll)?;
    if let Some(error) = &state.error {
        let since = format!("{} times since {:.0}", error.count, error.since);
        writeln!(out, "         {}: {} ({since})", error.class, terminal::clean(&error.message))?;
    }
    for warning in &state.warnings {
        writeln!(out, "         repaired: {}", terminal::clean(warning))?;
    }
    Ok(())
}
