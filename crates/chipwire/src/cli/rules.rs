//! `chipwire rules`

use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
};

use anyhow::{Result, bail};
use chipwire_alerts::{Sinks, TERMINAL};
use chipwire_events::{Event, Message, Rule, RuleId, Topic};
use clap::{Args, Subcommand};

use super::Global;
use crate::{
    pipeline::Opened,
    runner::system_clock,
    terminal,
    wire::{self, Log},
};

#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// Add a rule, or change the one of that id
    #[command(
        after_help = "Example:\n  chipwire rules add 'chip:nvidia-h20 AND china' --name 'H20 in China' --sink desk"
    )]
    Add(Add),
    /// Show the rules
    #[command(after_help = "Example:\n  chipwire rules list --json")]
    List(List),
    /// Remove rules
    #[command(after_help = "Example:\n  chipwire rules remove h20-in-china")]
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// What an article must match, in the language of `chipwire search`
    query: String,
    /// The rule's name [default: the query]
    #[arg(long)]
    name: Option<String>,
    /// The rule's id [default: made from the name]
    #[arg(long)]
    id: Option<String>,
    /// Where its alerts go: `terminal`, or a sink of the configuration; may be given several times
    #[arg(long = "sink", value_name = "SINK", default_value = TERMINAL)]
    sinks: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Print one JSON object a rule
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// The rules' ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

impl Rules {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let opened = global.open()?;
        match self {
            Rules::Add(add) => add.run(&opened),
            Rules::List(list) => list.run(&opened),
            Rules::Remove(remove) => remove.run(&opened),
        }
    }
}

/// The stored rules, by id.
pub(crate) fn stored(log: &Log) -> Result<BTreeMap<RuleId, Rule>> {
    let state = log.backend().state(log.name(Topic::Rules), None)?;
    let mut rules = BTreeMap::new();
    for stored in state.records.values() {
        if let (_, Event::RuleSaved(rule)) = wire::decode(stored)? {
            rules.insert(rule.id.clone(), rule);
        }
    }
    Ok(rules)
}

impl Add {
    fn run(&self, opened: &Opened) -> Result<()> {
        if let Err(error) = chipwire_query::parse(&self.query) {
            bail!("the query cannot be read\n{}", error.render(&self.query));
        }
        let configured = Sinks::from_config(&opened.config.sinks, io::sink(), |name| env::var(name).ok())?;
        for sink in &self.sinks {
            if !configured.names().any(|name| name == sink) {
                let known = configured.names().collect::<Vec<_>>().join(", ");
                bail!("no sink named `{sink}` is configured; there are: {known}");
            }
        }
        let name = self.name.clone().unwrap_or_else(|| self.query.clone());
        let id = match &self.id {
            Some(id) if is_id(id) => id.clone(),
            Some(id) => bail!("`{id}` is no id: lower-case letters, digits and hyphens, at most 64"),
            None => slug(&name),
        };
        let id = RuleId::from_string(id);
        let before = stored(&opened.log)?.remove(&id);
        let version = match &before {
            Some(before) if before.query == self.query => before.version,
            Some(before) => before.version + 1,
            None => 1,
        };
        let now = system_clock();
        let rule = Rule { id, version, name, query: self.query.clone(), sinks: self.sinks.clone(), saved: now };
        let record = opened.log.encode(&Event::RuleSaved(rule.clone()), now, None)?;
        opened.log.backend().writer("rules-user")?.append(&[record])?;
        let what = if before.is_some() { "changed" } else { "added" };
        writeln!(io::stdout(), "{what} rule {}, version {version}", rule.id)?;
        Ok(())
    }
}

impl List {
    fn run(&self, opened: &Opened) -> Result<()> {
        let mut out = io::stdout().lock();
        let rules = stored(&opened.log)?;
        for rule in rules.values() {
            if self.json {
                writeln!(out, "{}", serde_json::to_string(rule)?)?;
            } else {
                writeln!(out, "{}  version {}  {}", rule.id, rule.version, terminal::clean(&rule.name))?;
                writeln!(out, "  {}", terminal::clean(&rule.query))?;
                writeln!(out, "  to {}", rule.sinks.join(", "))?;
            }
        }
        if !self.json {
            writeln!(out, "{} rules", rules.len())?;
        }
        Ok(())
    }
}

impl Remove {
    fn run(&self, opened: &Opened) -> Result<()> {
        let rules = stored(&opened.log)?;
        let mut records = Vec::new();
        for id in &self.ids {
            if !rules.contains_key(&RuleId::from_string(id)) {
                bail!("there is no rule `{id}`; `chipwire rules list` shows all");
            }
            records.push(opened.log.record(Message::tombstone(Topic::Rules, id)));
        }
        opened.log.backend().writer("rules-user")?.append(&records)?;
        writeln!(io::stdout(), "{} removed", records.len())?;
        Ok(())
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// An id made from a name: its letters and digits, with hyphens between them; a hash where there are none.
fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut id = words.collect::<Vec<_>>().join("-");
    id.truncate(64);
    if id.is_empty() { chipwire_events::hash_hex(8, &["rule", name]) } else { id.trim_end_matches('-').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_from_names() {
        assert_eq!(slug("H20 in China!"), "h20-in-china");
        assert_eq!(slug("chip:nvidia-h20 AND china"), "chip-nvidia-h20-and-china");
        assert_eq!(slug("出口管制").len(), 16);
        assert!(is_id(&slug(&"long name ".repeat(30))));
    }
}
