//! `chipwire rules`

use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
};

use anyhow::{Context as _, Result, bail};
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
            None => RuleId::from_name(&name),
            Some(id) => RuleId::checked(id).with_context(|| {
                format!("`{id}` is no id: lower-case letters, digits and hyphens, at most {}", RuleId::MAX_CHARS)
            })?,
        };
        let before = stored(&opened.log)?.remove(&id);
        let version = Rule::version_after(before.as_ref(), &self.query);
        let now = system_clock();
        let rule = Rule { id, version, name, query: self.query.clone(), sinks: self.sinks.clone(), saved: now };
        let record = opened.log.encode(&Event::RuleSaved(rule.clone()), now, None)?;
        opened.log.append_among_others("rules-user", &[record])?;
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
        opened.log.append_among_others("rules-user", &records)?;
        writeln!(io::stdout(), "{} removed", records.len())?;
        Ok(())
    }
}
