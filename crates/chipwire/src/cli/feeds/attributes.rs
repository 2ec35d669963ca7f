//! What a user can say of a feed.

use std::{convert::Infallible, fmt};

use anyhow::{Context as _, Result, bail};
use chipwire_events::{ArticlePages, Feed, FeedHeader};
use chipwire_feeds::own_headers;
use clap::{Args, ValueEnum};

use crate::{feed_list, terminal};

/// What `add` and `edit` take. What is not given stays as it is.
#[derive(Debug, Args)]
pub(super) struct Attributes {
    /// The name to show instead of the feed's own; '' for its own
    #[arg(long, alias = "title")]
    name: Option<String>,
    /// The folder to put it into; `/` separates folders, '' is none
    #[arg(long)]
    folder: Option<String>,
    /// A tag; may be given several times, '' takes all away
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// The shortest time between two polls, in seconds; 0 leaves it to the feed
    #[arg(long, value_name = "SECONDS")]
    interval: Option<u32>,
    /// A header to send to the feed's own origin, `Name: value`; may be given several times, '' takes all away. `${NAME}`
    /// stands for an environment variable of the process that fetches, so that no secret gets into the log
    #[arg(long = "header", value_name = "HEADER", value_parser = given)]
    headers: Vec<Given>,
    /// Whether to fetch the articles' pages [default: what `fetch.article_pages` says]
    #[arg(long, value_enum, value_name = "WHEN")]
    article_pages: Option<Pages>,
}

/// A header as it was given; '' is none. Its value is never printed, nor is it when it is wrong: it is read only after the
/// arguments, whose reader would repeat it.
#[derive(Clone)]
struct Given(String);

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

fn given(text: &str) -> Result<Given, Infallible> {
    Ok(Given(text.to_owned()))
}

/// When the pages of articles are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pages {
    /// Never
    Never,
    /// Where the feed gives only the first words of an article
    Auto,
    /// For every article
    Always,
    /// As the configuration says
    Default,
}

impl Attributes {
    /// Whether anything was given.
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.folder.is_none()
            && self.tags.is_empty()
            && self.interval.is_none()
            && self.headers.is_empty()
            && self.article_pages.is_none()
    }

    /// The headers that were given.
    pub(super) fn headers(&self) -> Result<Vec<FeedHeader>> {
        let given = self.headers.iter().filter(|given| !given.0.is_empty());
        given.map(|given| own_headers::parse(&given.0).context("--header")).collect()
    }

    /// Says of headers that look like written-out secrets that there is a better place for them.
    pub(super) fn warnings(&self) -> Result<Vec<String>> {
        let headers = self.headers()?;
        let warnings = headers
            .iter()
            .filter(|header| own_headers::is_open_secret(header))
            .map(|header| {
                let name = terminal::clean(&header.name);
                format!(
                    "the value of `{name}` is kept in the log as it is, though never shown; \
                     `{name}: ${{VARIABLE}}` would keep it in the environment of the process that fetches"
                )
            })
            .collect();
        Ok(warnings)
    }

    /// Puts what was given into `feed`.
    pub(super) fn apply(&self, feed: &mut Feed) -> Result<()> {
        if let Some(name) = &self.name {
            feed.title = Some(feed_list::one_line(name)).filter(|name| !name.is_empty());
        }
        if let Some(folder) = &self.folder {
            feed.folder = folder.split('/').map(feed_list::one_line).filter(|part| !part.is_empty()).collect();
            feed.also_in.clear();
            feed.folder_outlines.clear();
        }
        if !self.tags.is_empty() {
            feed.tags = feed_list::tags(&self.tags);
        }
        if let Some(interval_s) = self.interval {
            feed.interval_s = Some(interval_s).filter(|seconds| *seconds > 0);
        }
        if !self.headers.is_empty() {
            feed.headers = self.headers()?;
        }
        if let Some(pages) = self.article_pages {
            feed.article_pages = match pages {
                Pages::Never => Some(ArticlePages::Never),
                Pages::Auto => Some(ArticlePages::Auto),
                Pages::Always => Some(ArticlePages::Always),
                Pages::Default => None,
            };
        }
        if feed.headers.len() > own_headers::MAX_HEADERS {
            bail!("a feed takes at most {} headers", own_headers::MAX_HEADERS);
        }
        feed_list::check(feed).context("this cannot be said of a feed")
    }
}
