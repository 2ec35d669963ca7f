//! `chipwire feeds add`

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context as _, Result, bail};
use chipwire_events::{Feed, FeedId, FeedOrigin};
use chipwire_feeds::{Discovered, Fetcher, Found, discover};
use clap::Args;
use tokio::runtime::Runtime;
use url::Url;

use super::{attributes::Attributes, follow};
use crate::{
    feed_list,
    pipeline::Opened,
    runner::{chain, system_clock},
    terminal,
};

pub(super) const EXAMPLE: &str = "An address of a page leads to the feeds of its site: the page is asked for them, and where it names none, the common\n\
     places are looked at. Where there are several, you are asked which; in a script, name one, or say --first or --all.\n\n\
     Example:\n  chipwire feeds add https://example.org/\n  \
     chipwire feeds add https://example.org/feed.xml --folder 'Trade press/Chips' --tag memory --interval 3600\n  \
     chipwire feeds add https://example.org/feed.xml --header 'Authorization: Bearer ${FEED_TOKEN}'";

#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// The addresses of feeds, or of sites that have feeds
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,
    #[command(flatten)]
    attributes: Attributes,
    /// Follow it, but do not poll it before `chipwire feeds resume`
    #[arg(long)]
    paused: bool,
    /// Follow the addresses as they are, without looking what is there
    #[arg(long)]
    no_check: bool,
    /// Where a site has several feeds, follow the one that it names first
    #[arg(long, conflicts_with = "all")]
    first: bool,
    /// Where a site has several feeds, follow them all
    #[arg(long)]
    all: bool,
}

impl Add {
    pub(super) fn run(&self, opened: &Opened) -> Result<()> {
        for warning in self.attributes.warnings()? {
            writeln!(io::stderr(), "chipwire: {warning}")?;
        }
        let mut feeds = Vec::new();
        let mut look = None;
        for url in &self.urls {
            let url = feed_list::check_url(url).with_context(|| format!("`{url}`"))?;
            let known = feed_list::one(&opened.log, &FeedId::of(url.as_str()))?.is_some();
            let addresses = if self.no_check || known {
                vec![url.to_string()]
            } else {
                let look = match &mut look {
                    Some(look) => look,
                    None => look.insert(Look::new(opened, self)?),
                };
                look.feeds_behind(&url)?
            };
            for address in addresses {
                let mut feed = Feed::new(address, FeedOrigin::User);
                feed.paused = self.paused;
                self.attributes.apply(&mut feed)?;
                feeds.push(feed);
            }
        }
        follow(opened, &feeds, None)
    }
}

/// Looks what is behind addresses.
struct Look<'a> {
    add: &'a Add,
    fetcher: Fetcher,
    runtime: Runtime,
}

impl<'a> Look<'a> {
    fn new(opened: &Opened, add: &'a Add) -> Result<Self> {
        let fetcher = Fetcher::new(opened.config.fetch.clone())?;
        Ok(Self { add, fetcher, runtime: Runtime::new().context("failed to start the runtime")? })
    }

    /// The addresses to follow for `url`.
    fn feeds_behind(&self, url: &Url) -> Result<Vec<String>> {
        let talkative = io::stderr().is_terminal();
        let looking = |url: &Url| {
            if talkative {
                let _ = writeln!(io::stderr(), "looking at {}", terminal::clean(url.as_str()));
            }
        };
        let headers = self.add.attributes.headers()?;
        let work = discover(&self.fetcher, url, &headers, system_clock(), looking);
        match self.runtime.block_on(work) {
            Ok(Discovered::Feed(found)) => {
                writeln!(io::stdout(), "{}", described(&found))?;
                Ok(vec![found.url.into()])
            }
            Ok(Discovered::Behind(found)) => self.choose(url, found),
            Err(error) if error.may_pass() => {
                let why = chain(&error);
                writeln!(io::stderr(), "chipwire: `{url}` is followed unseen: {}", terminal::clean(&why))?;
                Ok(vec![url.to_string()])
            }
            Err(error) => bail!("{}; --no-check follows the address all the same", terminal::clean(&chain(&error))),
        }
    }

    fn choose(&self, url: &Url, mut found: Vec<Found>) -> Result<Vec<String>> {
        let mut out = io::stdout();
        writeln!(out, "behind {}:", terminal::clean(url.as_str()))?;
        for (number, feed) in (1..).zip(&found) {
            writeln!(out, "  {number}  {}", described(feed))?;
        }
        if self.add.first {
            found.truncate(1);
        }
        if found.len() > 1 && !self.add.all {
            if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
                bail!(
                    "`{url}` has {} feeds: add the address of the one that you mean, or say --first or --all",
                    found.len()
                );
            }
            let chosen = ask(found.len(), &mut io::stdin().lock(), &mut io::stderr())?;
            let mut number = 0;
            found.retain(|_| {
                number += 1;
                chosen.contains(&number)
            });
        }
        Ok(found.into_iter().map(|feed| feed.url.into()).collect())
    }
}

/// Asks which of `count` feeds to follow, until the answer makes sense.
fn ask(count: usize, answers: &mut impl BufRead, questions: &mut impl Write) -> Result<Vec<usize>> {
    loop {
        write!(questions, "Which of them? Numbers from 1 to {count}, `all` or `none` [1]: ")?;
        questions.flush()?;
        let mut answer = String::new();
        if answers.read_line(&mut answer)? == 0 {
            bail!("no answer: no feed was added");
        }
        let answer = answer.trim().to_lowercase();
        match answer.as_str() {
            "" => return Ok(vec![1]),
            "all" | "a" => return Ok((1..=count).collect()),
            "none" | "n" => return Ok(Vec::new()),
            _ => {}
        }
        let numbers: Option<Vec<usize>> = answer
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().ok().filter(|number| (1..=count).contains(number)))
            .collect();
        if let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) {
            return Ok(numbers);
        }
    }
}

/// A feed in one line.
fn described(found: &Found) -> String {
    let title = found.title.as_deref().unwrap_or("a feed without a title");
    let newest = found.newest.map(|time| format!(", the newest of {time:.0}")).unwrap_or_default();
    terminal::clean(&format!("{}  {title} ({} entries{newest})", found.url, found.entries)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_asked_for_until_it_makes_sense() {
        for (answers, expected, questions) in [
            ("\n", Some(vec![1]), 1),
            ("2\n", Some(vec![2]), 1),
            (" 1, 3\n", Some(vec![1, 3]), 1),
            ("4\nx\n0\nall\n", Some(vec![1, 2, 3]), 4),
            ("none\n", Some(vec![]), 1),
            ("9\n", None, 2),
        ] {
            let mut asked = Vec::new();
            let chosen = ask(3, &mut answers.as_bytes(), &mut asked).ok();
            assert_eq!(chosen, expected, "{answers:?}");
            assert_eq!(String::from_utf8(asked).unwrap().matches("Which").count(), questions, "{answers:?}");
        }
    }
}
