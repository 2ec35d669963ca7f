//! `chipwire feeds`

mod add;
mod attributes;
mod edit;
mod list;

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Result;
use chipwire_events::{Event, Feed, FeedId, FeedList, FeedOrigin};
use chipwire_feeds::opml;
use clap::{Args, Subcommand};

use super::{Global, feeds_parse::Parse};
use crate::{feed_list, pipeline::Opened, runner::system_clock, terminal};

#[derive(Debug, Subcommand)]
pub(super) enum Feeds {
    /// Follow feeds, or the feeds of sites
    #[command(after_help = add::EXAMPLE)]
    Add(add::Add),
    /// Change what was said of feeds
    #[command(
        after_help = "Example:\n  chipwire feeds edit https://example.org/feed.xml --tag memory --article-pages always"
    )]
    Edit(edit::Edit),
    /// Do not poll feeds for a while
    #[command(after_help = "Example:\n  chipwire feeds pause https://example.org/feed.xml")]
    Pause(edit::Which),
    /// Poll feeds again that were paused, or that were given up since they were gone for good
    #[command(after_help = "Example:\n  chipwire feeds resume https://example.org/feed.xml")]
    Resume(edit::Which),
    /// Stop following feeds
    #[command(after_help = "Example:\n  chipwire feeds remove https://example.org/feed.xml")]
    Remove(edit::Which),
    /// Show the feeds with their state
    #[command(after_help = "Example:\n  chipwire feeds list --failing")]
    List(list::List),
    /// Follow the feeds of an OPML list
    #[command(after_help = "Example:\n  chipwire feeds import deploy/feeds.opml")]
    Import(Import),
    /// Print the feeds as an OPML list; their headers are left out
    #[command(after_help = "Example:\n  chipwire feeds export > feeds.opml")]
    Export,
    /// Read feed files and print what is in them, one JSON object a file
    #[command(after_help = "Example:\n  chipwire feeds parse feed.xml --url https://example.org/feed.xml")]
    Parse(Parse),
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
            Feeds::Edit(edit) => edit.run(&global.open()?)?,
            Feeds::Pause(which) => which.pause(&global.open()?, true)?,
            Feeds::Resume(which) => which.pause(&global.open()?, false)?,
            Feeds::Remove(which) => which.remove(&global.open()?)?,
            Feeds::List(list) => list.run(&global.open()?)?,
            Feeds::Import(import) => {
                let mut list = feed_list::read_opml(&import.file, FeedOrigin::User)?;
                let opened = global.open()?;
                feed_list::place_after_all(&mut list, &feed_list::followed(&opened.log)?);
                let mut frame =
                    feed_list::frame(&opened.log, FeedOrigin::User)?.unwrap_or_else(|| FeedList::new(FeedOrigin::User));
                frame.add(list.frame);
                follow(&opened, &list.feeds, Some(frame))?;
                for reason in &list.left_out {
                    writeln!(io::stderr(), "chipwire: left out: {}", terminal::clean(reason))?;
                }
            }
            Feeds::Export => {
                let log = global.open()?.log;
                let mut feeds: Vec<Feed> = feed_list::followed(&log)?
                    .into_iter()
                    .map(|(feed, _)| feed)
                    .filter(|feed| feed.origin != FeedOrigin::Import)
                    .collect();
                feeds.sort_by(|a, b| (&a.folder, &a.url).cmp(&(&b.folder, &b.url)));
                let frames = [feed_list::frame(&log, FeedOrigin::User)?, feed_list::frame(&log, FeedOrigin::Config)?];
                let frames: Vec<FeedList> = frames.into_iter().flatten().collect();
                write!(io::stdout(), "{}", opml::write(&feeds, &frames))?;
            }
            Feeds::Parse(parse) => parse.run()?,
        }
        Ok(())
    }
}

/// Follows what is not followed yet, keeps what their list says besides, and says what it did.
fn follow(opened: &Opened, feeds: &[Feed], frame: Option<FeedList>) -> Result<()> {
    let mut followed: BTreeSet<FeedId> =
        feed_list::followed(&opened.log)?.into_iter().map(|(feed, _)| feed.id).collect();
    let new: Vec<&Feed> = feeds.iter().filter(|feed| followed.insert(feed.id.clone())).collect();
    let now = system_clock();
    let mut records =
        new.iter().map(|feed| feed_list::follow(&opened.log, feed, now)).collect::<Result<Vec<_>, _>>()?;
    if let Some(frame) = frame {
        records.push(opened.log.encode(&Event::ListImported(frame), now, None)?);
    }
    if !records.is_empty() {
        opened.log.append_among_others("feeds-user", &records)?;
    }
    let mut out = io::stdout().lock();
    for feed in &new {
        writeln!(out, "{}  {}", feed.id, terminal::clean(&feed.url))?;
    }
    let known = feeds.len() - new.len();
    let hint = if known > 0 { ": `chipwire feeds edit` changes what is followed" } else { "" };
    writeln!(out, "{} added, {known} already followed{hint}", new.len())?;
    Ok(())
}
