//! `chipwire search`

use std::io::{self, IsTerminal, Write};

use anyhow::{Result, bail};
use chipwire_index::{Hit, SearchRequest, Sort};
use clap::Args;
use serde_json::json;

use super::Global;
use crate::{runner::system_clock, terminal};

pub(super) const EXAMPLE: &str = "Query language:\n  nvidia \"export controls\"      all of these (AND, OR, NOT, parentheses)\n  \
     chip:nvidia-h20 -baidu       entities: company:, chip:, policy:; without: - or NOT\n  \
     \"chip export\"~3              words at most three apart\n  \
     title:blackwell              in the title; also body:, lang:zh, feed:ID\n  source:\"Chip Ledger\"         from a source\n  \
     published:>now-24h           by time; also published:[2026-01-01 TO 2026-02-01]\n  \
     semicon*                     words that begin so\n  *                            everything\n\n\
     Example:\n  chipwire search 'company:nvidia \"export controls\"' --sort newest";

#[derive(Debug, Args)]
pub(super) struct Search {
    /// What to look for
    query: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The order of hits: best or newest first
    #[arg(long, value_parser = parse_sort, default_value = "best", value_name = "ORDER")]
    sort: Sort,
    /// The most hits to print
    #[arg(long, short = 'n', default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000))]
    limit: u16,
}

fn parse_sort(text: &str) -> Result<Sort, String> {
    match text {
        "best" => Ok(Sort::Best),
        "newest" => Ok(Sort::Newest),
        _ => Err("expected `best` or `newest`".to_owned()),
    }
}

impl Search {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let config = global.config()?;
        let query = match chipwire_query::parse(&self.query) {
            Ok(query) => query,
            Err(error) => bail!("the query cannot be read\n{}", error.render(&self.query)),
        };
        let generations = crate::generations::Generations::new(config.data_dir.join("index"));
        let Some(generation) = generations.open_read_only()? else {
            bail!(
                "there is no index in `{}` yet: start `chipwire run`, or name another --data-dir",
                config.data_dir.display()
            );
        };
        let request = SearchRequest { query, sort: self.sort, limit: usize::from(self.limit), offset: 0, facets: 0 };
        let response = generation.index.searcher().search(&request, system_clock())?;
        let mut out = io::stdout().lock();
        if self.json {
            let hits: Vec<_> = response.hits.iter().map(hit_json).collect();
            let answer = json!({ "total": response.total, "took_ms": response.took_ms, "hits": hits });
            writeln!(out, "{answer}")?;
        } else {
            print_hits(&mut out, response.total, response.took_ms, &response.hits)?;
        }
        Ok(())
    }
}

fn hit_json(hit: &Hit) -> serde_json::Value {
    let document = &hit.document;
    let mentions: Vec<_> = document
        .entities
        .iter()
        .map(|entity| json!({ "kind": entity.kind, "entity": entity.entity, "name": entity.name, "count": entity.count }))
        .collect();
    json!({
        "id": document.id,
        "title": document.title,
        "url": document.url,
        "source": document.source,
        "published": document.published,
        "score": hit.score,
        "snippet": hit.snippet.text,
        "mentions": mentions,
    })
}

/// Prints hits for people.
pub(super) fn print_hits(out: &mut impl Write, total: u64, took_ms: f64, hits: &[Hit]) -> io::Result<()> {
    let style = terminal::Style { colour: io::stdout().is_terminal() };
    let noun = if total == 1 { "article" } else { "articles" };
    writeln!(out, "{total} {noun} in {took_ms:.1} ms")?;
    for hit in hits {
        let document = &hit.document;
        let published = document.published.strftime("%Y-%m-%d %H:%M");
        writeln!(out)?;
        writeln!(out, "{}", style.bold(&terminal::clean(&document.title)))?;
        writeln!(out, "  {published}  {}", style.dim(&terminal::clean(&document.source)))?;
        if let Some(url) = &document.url {
            writeln!(out, "  {}", style.dim(&terminal::clean(url)))?;
        }
        if !hit.snippet.text.is_empty() {
            let text = style.highlight(&hit.snippet.text, &hit.snippet.highlights);
            writeln!(out, "  {}", text.replace('\n', " "))?;
        }
        let entities: Vec<String> =
            document.entities.iter().take(8).map(|entity| format!("{}:{}", entity.kind, entity.entity)).collect();
        if !entities.is_empty() {
            writeln!(out, "  {}", style.entity(&entities.join("  ")))?;
        }
    }
    Ok(())
}
