//! `chipwire feeds list`

use std::io::{self, Write};

use anyhow::Result;
use chipwire_events::{Feed, FeedOrigin, FeedState};
use clap::Args;
use serde_json::json;

use crate::{feed_list, pipeline::Opened, terminal};

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Print one JSON object a feed
    #[arg(long)]
    json: bool,
    /// Only feeds that cannot be read just now
    #[arg(long)]
    failing: bool,
    /// Only feeds with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only feeds in this folder or below it; `/` separates folders
    #[arg(long)]
    folder: Option<String>,
}

impl List {
    pub(super) fn run(&self, opened: &Opened) -> Result<()> {
        let mut feeds = feed_list::followed(&opened.log)?;
        feeds.retain(|(feed, _)| feed.origin != FeedOrigin::Import);
        if self.failing {
            feeds.retain(|(_, state)| state.as_ref().is_some_and(|state| state.error.is_some()));
        }
        if let Some(tag) = &self.tag {
            feeds.retain(|(feed, _)| feed.tags.contains(tag));
        }
        if let Some(folder) = &self.folder {
            let path: Vec<String> =
                folder.split('/').map(feed_list::one_line).filter(|part| !part.is_empty()).collect();
            let is_in = |folder: &Vec<String>| folder.starts_with(&path);
            feeds.retain(|(feed, _)| is_in(&feed.folder) || feed.also_in.iter().any(is_in));
        }
        feeds.sort_by(|(a, _), (b, _)| (&a.folder, &a.url).cmp(&(&b.folder, &b.url)));
        let mut out = io::stdout().lock();
        for (feed, state) in &feeds {
            if self.json {
                let mut state = serde_json::to_value(state)?;
                if let Some(state) = state.as_object_mut() {
                    state.remove("items");
                }
                writeln!(out, "{}", json!({ "feed": feed_list::shown(feed)?, "state": state }))?;
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
        Some(state) if state.is_gone() => "gone",
        Some(state) if state.error.is_some() => "failing",
        Some(_) => "ok",
    };
    writeln!(out, "{health:<8} {}  {}", feed.id, terminal::clean(title))?;
    writeln!(out, "         {}", terminal::clean(&feed.url))?;
    let said = said(feed);
    if !said.is_empty() {
        writeln!(out, "         {}", terminal::clean(&said.join("; ")))?;
    }
    let Some(state) = state else { return Ok(()) };
    let polled = state.last_polled.map_or_else(|| "never".to_owned(), |time| format!("{time:.0}"));
    let next = if state.is_gone() { "never".to_owned() } else { format!("{:.0}", state.next_poll) };
    writeln!(out, "         {} articles, polled {polled}, next {next}", state.articles)?;
    if let Some(error) = &state.error {
        let since = format!("{} times since {:.0}", error.count, error.since);
        writeln!(out, "         {}: {} ({since})", error.class, terminal::clean(&error.message))?;
    }
    for warning in &state.warnings {
        writeln!(out, "         repaired: {}", terminal::clean(warning))?;
    }
    Ok(())
}

/// What the user said of a feed; of its headers, the names only.
fn said(feed: &Feed) -> Vec<String> {
    let mut said = Vec::new();
    let folders = [&feed.folder].into_iter().chain(&feed.also_in).filter(|folder| !folder.is_empty());
    let folders: Vec<String> = folders.map(|folder| folder.join("/")).collect();
    if !folders.is_empty() {
        said.push(format!("in {}", folders.join(" and ")));
    }
    if !feed.tags.is_empty() {
        said.push(format!("tags {}", feed.tags.join(", ")));
    }
    if let Some(interval_s) = feed.interval_s {
        said.push(format!("at most every {interval_s} s"));
    }
    if let Some(pages) = feed.article_pages {
        said.push(format!("article pages {}", pages.name()));
    }
    if !feed.headers.is_empty() {
        let names: Vec<&str> = feed.headers.iter().map(|header| header.name.as_str()).collect();
        said.push(format!("sends {}", names.join(", ")));
    }
    said
}
