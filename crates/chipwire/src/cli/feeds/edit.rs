//! `chipwire feeds edit`, `pause`, `resume` and `remove`

use std::io::{self, Write};

use anyhow::{Result, bail};
use chipwire_events::{Feed, FeedOrigin, FeedState};
use clap::Args;

use super::attributes::Attributes;
use crate::{feed_list, pipeline::Opened, runner::system_clock, terminal};

#[derive(Debug, Args)]
pub(in crate::cli) struct Edit {
    /// The feeds' ids or addresses
    #[arg(required = true, value_name = "FEED")]
    feeds: Vec<String>,
    #[command(flatten)]
    attributes: Attributes,
}

/// Which feeds are meant.
#[derive(Debug, Args)]
pub(in crate::cli) struct Which {
    /// The feeds' ids or addresses
    #[arg(required = true, value_name = "FEED")]
    feeds: Vec<String>,
}

impl Edit {
    pub(super) fn run(&self, opened: &Opened) -> Result<()> {
        if self.attributes.is_empty() {
            bail!("nothing to change was given; `chipwire feeds edit --help` shows what can be");
        }
        for warning in self.attributes.warnings()? {
            writeln!(io::stderr(), "chipwire: {warning}")?;
        }
        change(opened, &self.feeds, "changed", |feed| self.attributes.apply(feed))
    }
}

impl Which {
    pub(super) fn pause(&self, opened: &Opened, paused: bool) -> Result<()> {
        change(opened, &self.feeds, if paused { "paused" } else { "resumed" }, |feed| {
            feed.paused = paused;
            Ok(())
        })
    }

    pub(super) fn remove(&self, opened: &Opened) -> Result<()> {
        let feeds = find(opened, &self.feeds)?;
        let records: Vec<_> = feeds.iter().flat_map(|(feed, _)| feed_list::unfollow(&opened.log, &feed.id)).collect();
        opened.log.append_among_others("feeds-user", &records)?;
        writeln!(io::stdout(), "{} removed", feeds.len())?;
        Ok(())
    }
}

/// Changes feeds, all of them or none, and says how many. One that is gone for good is followed anew even if nothing about it
/// changes: so it is polled again.
fn change(opened: &Opened, wanted: &[String], done: &str, how: impl Fn(&mut Feed) -> Result<()>) -> Result<()> {
    let now = system_clock();
    let mut records = Vec::new();
    for (before, state) in find(opened, wanted)? {
        let mut feed = before.clone();
        how(&mut feed)?;
        let is_gone = state.is_some_and(|state| state.is_gone());
        if feed != before || (is_gone && !feed.paused) {
            records.push(feed_list::follow(&opened.log, &feed, now)?);
        }
    }
    if !records.is_empty() {
        opened.log.append_among_others("feeds-user", &records)?;
    }
    writeln!(io::stdout(), "{} {done}", records.len())?;
    Ok(())
}

/// The feeds that are meant, none of them twice.
fn find(opened: &Opened, wanted: &[String]) -> Result<Vec<(Feed, Option<FeedState>)>> {
    let followed = feed_list::followed(&opened.log)?;
    let mut found: Vec<(Feed, Option<FeedState>)> = Vec::new();
    for wanted in wanted {
        let address = feed_list::check_url(wanted).map(String::from).unwrap_or_default();
        let is_it = |feed: &Feed| feed.id.as_str() == wanted || feed.url == *wanted || feed.url == address;
        let Some((feed, state)) = followed.iter().find(|(feed, _)| is_it(feed)) else {
            bail!("no feed has the id or address `{}`; `chipwire feeds list` shows all", terminal::clean(wanted));
        };
        match feed.origin {
            FeedOrigin::Config => bail!("`{}` is named by the configuration: change it there", feed.url),
            FeedOrigin::Import => bail!("`{}` is the name of imported articles and no feed", feed.url),
            FeedOrigin::User => {}
        }
        if !found.iter().any(|(known, _)| known.id == feed.id) {
            found.push((feed.clone(), state.clone()));
        }
    }
    Ok(found)
}
