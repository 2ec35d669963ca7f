//! `chipwire gazetteer lookup`

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::{Result, bail};
use chipwire_enrich::{Alias, By, Fact, Gazetteer, Hit};
use clap::Args;
use serde_json::{Value, json};

use super::{super::Global, Overlay};
use crate::{
    overlay,
    terminal::{Style, clean},
};

pub(super) const EXAMPLE: &str = "Exits with 1 if there is none.\n\nExample:\n  chipwire gazetteer lookup BIS\n  \
     chipwire gazetteer lookup HKEX:0981\n  chipwire gazetteer lookup us-affiliates-rule --at 2026-01-15";

/// Names that are suggested when nothing is found.
const SUGGESTIONS: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct Lookup {
    /// A name as in texts, an id (`arm`, `company:arm`, `Q...`, an LEI) or a ticker (`NVDA`, `HKEX:0981`, `0981.HK`)
    #[arg(value_name = "NAME|ID|TICKER")]
    query: String,
    /// Show the facts that held then: `YYYY-MM-DD`, `YYYY-MM` or `YYYY`
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    overlay: Overlay,
}

impl Lookup {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode> {
        let undated = Fact { text: String::new(), valid_from: None, valid_to: None, source: None };
        if let Some(at) = &self.at
            && undated.holds_at(at).is_none()
        {
            bail!("--at `{at}` is no date; write YYYY-MM-DD, YYYY-MM or YYYY");
        }
        let gazetteer = overlay::gazetteer(self.overlay.path(global)?.as_deref())?;
        let hits = gazetteer.lookup(&self.query);
        let mut out = io::stdout().lock();
        if self.json {
            let hits: Vec<Value> = hits.iter().map(|hit| self.value(hit)).collect();
            writeln!(out, "{}", json!(hits))?;
        } else {
            let style = Style { colour: io::stdout().is_terminal() };
            for (number, hit) in hits.iter().enumerate() {
                let gap = if number == 0 { "" } else { "\n" };
                write!(out, "{gap}{}", self.show(&gazetteer, hit, style))?;
            }
        }
        if !hits.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let alike = gazetteer.suggest(&self.query, SUGGESTIONS);
        let hint = if alike.is_empty() { String::new() } else { format!("; did you mean {}?", alike.join(", ")) };
        writeln!(io::stderr(), "chipwire: nothing is called `{}`{hint}", clean(&self.query))?;
        Ok(ExitCode::FAILURE)
    }

    fn facts<'a>(&'a self, facts: &'a [Fact]) -> impl Iterator<Item = &'a Fact> {
        facts.iter().filter(|fact| self.at.as_deref().is_none_or(|at| fact.holds_at(at) == Some(true)))
    }

    fn value(&self, hit: &Hit<'_>) -> Value {
        let mut value = json!(hit.entity);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("facts".to_owned(), self.facts(&hit.entity.facts).map(|fact| json!(fact)).collect());
            fields.insert("found_by".to_owned(), hit.by.iter().map(|by| Value::String(found_by(by))).collect());
        }
        value
    }

    fn show(&self, gazetteer: &Gazetteer, hit: &Hit<'_>, style: Style) -> String {
        let entity = hit.entity;
        let by: Vec<String> = hit.by.iter().map(found_by).collect();
        let id = format!("{}:{}", entity.kind, entity.id);
        let mut out = format!("{}  {}\n", style.entity(&id), style.bold(&clean(&entity.name)));
        let mut row = |key: &str, value: &str| {
            if !value.is_empty() {
                out.push_str(&format!("  {key:<13} {}\n", clean(value)));
            }
        };
        let company = |id: &Option<String>| {
            let Some(id) = id else { return String::new() };
            gazetteer.get("company", id).map_or_else(|| id.clone(), |company| format!("{id} ({})", company.name))
        };
        row("found by", &by.join(", "));
        row("type", &entity.class);
        row("tagged", if entity.negative { "no: it is only told apart from others of its name" } else { "" });
        row("vendor", &company(&entity.vendor));
        row("parent", &company(&entity.parent));
        row("jurisdiction", entity.jurisdiction.as_deref().unwrap_or_default());
        row("tickers", &entity.tickers.join(", "));
        row("wikidata", entity.wikidata.as_deref().unwrap_or_default());
        row("lei", entity.lei.as_deref().unwrap_or_default());
        for (number, alias) in entity.aliases.iter().enumerate() {
            row(if number == 0 { "aliases" } else { "" }, &shown(alias));
        }
        row("cues", &entity.cues.join(", "));
        row("against", &entity.against.join(", "));
        for (country, id) in &entity.by_country {
            row("by country", &format!("{country}: {}", if id.is_empty() { "none of ours" } else { id }));
        }
        for fact in self.facts(&entity.facts) {
            let from = fact.valid_from.as_deref().map(|from| format!("from {from} "));
            let to = fact.valid_to.as_deref().map(|to| format!("to {to} "));
            row("fact", &format!("{}{}{}", from.unwrap_or_default(), to.unwrap_or_default(), fact.text));
            row("", fact.source.as_deref().unwrap_or_default());
        }
        row("note", entity.note.as_deref().unwrap_or_default());
        row("source", entity.source.as_deref().unwrap_or_default());
        out
    }
}

fn shown(alias: &Alias) -> String {
    let mut text = format!("{:<6} {}", alias.mode.to_string(), alias.text);
    let lang = alias.lang.as_ref().map(|lang| format!("lang {lang}"));
    let more = [alias.case.then_some("case"), alias.plural.then_some("plural"), lang.as_deref()];
    let more: Vec<&str> = more.into_iter().flatten().collect();
    if !more.is_empty() {
        text.push_str(&format!(" ({})", more.join(", ")));
    }
    text
}

fn found_by(by: &By<'_>) -> String {
    match by {
        By::Id => "id".to_owned(),
        By::Name => "canonical name".to_owned(),
        By::Alias(alias) => format!("alias {} ({})", alias.text, alias.mode),
        By::Ticker(ticker) => format!("ticker {ticker}"),
    }
}
