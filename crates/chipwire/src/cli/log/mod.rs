//! `chipwire log`

mod check;
mod portable;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, Result};
use chipwire_events::Topic;
use chipwire_log::{Limit, Positions, StoredRecord};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::Global;
use crate::{
    pipeline::Opened,
    portable::{Secrets, cloud_event},
    wire,
};

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// Show every topic with its partitions, and how far each group has come
    #[command(after_help = "Example:\n  chipwire log stats")]
    Stats(Stats),
    /// Print the newest events, one CloudEvent as JSON a line
    #[command(after_help = "Example:\n  chipwire log tail articles.tagged --follow | jq .data.article.title")]
    Tail(Tail),
    /// Read all of the embedded log and say what is damaged; exits with 1 if anything is
    #[command(after_help = "Example:\n  chipwire log check")]
    Check(check::Check),
    /// Copy the embedded log to a file, as of now, also while a daemon writes
    #[command(
        after_help = "To go back to it, stop the daemon and put the file in the place of `log.db` in the data directory, \
                      without `log.db-wal` and `log.db-shm` beside it.\n\nExample:\n  chipwire log backup /backup/chipwire.db"
    )]
    Backup(check::Backup),
    /// Remove what `log.retention_days` and `log.max_size_mib` no longer keep; a daemon does so by itself, every hour
    #[command(after_help = "Example:\n  chipwire log expire")]
    Expire(check::Expire),
    /// Print every event, one CloudEvent as JSON a line
    #[command(after_help = "Example:\n  chipwire log export > chipwire.jsonl")]
    Export(portable::Export),
    /// Fill an empty log from what `chipwire log export` printed, on this log or another
    #[command(
        after_help = "Tagged articles and dead letters are left out: they are made again from the others.\n\nExample:\n  \
                      chipwire log import chipwire.jsonl --data-dir new"
    )]
    Import(portable::Import),
}

#[derive(Debug, Args)]
pub(super) struct Stats {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Tail {
    /// The topics [default: all]
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,
    /// Go on with what comes
    #[arg(long, short)]
    follow: bool,
    /// How many of the newest events of every partition to begin with
    #[arg(long, short = 'n', default_value_t = 10)]
    lines: u32,
    /// Only events of this type, such as `article.tagged`
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only events with this key, such as the id of an article
    #[arg(long)]
    key: Option<String>,
}

impl LogCommand {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode> {
        match self {
            // Of a log that may be damaged.
            LogCommand::Check(check) => return check.run(&global.config()?),
            LogCommand::Backup(backup) => backup.run(&global.config()?)?,
            LogCommand::Stats(stats) => stats.run(&global.open()?)?,
            LogCommand::Tail(tail) => tail.run(&global.open()?)?,
            LogCommand::Expire(expire) => expire.run(&global.open()?)?,
            LogCommand::Export(export) => export.run(&global.open()?)?,
            LogCommand::Import(import) => import.run(&global.open()?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The groups of the stages with the topic that each reads.
const GROUPS: [(&str, Topic); 4] = [
    ("fetch", Topic::Feeds),
    ("enrich", Topic::ArticlesRaw),
    ("alert", Topic::ArticlesTagged),
    ("deliver", Topic::Alerts),
];

impl Stats {
    fn run(&self, opened: &Opened) -> Result<()> {
        let log = &opened.log;
        let mut topics = Map::new();
        for topic in Topic::ALL {
            let partitions: Vec<Value> = log
                .backend()
                .bounds(log.name(topic))?
                .iter()
                .map(|bounds| json!({ "low": bounds.low, "high": bounds.high }))
                .collect();
            topics.insert(topic.name().to_owned(), Value::Array(partitions));
        }
        let mut groups = Map::new();
        for (group, topic) in GROUPS {
            let committed = log.backend().committed(group, &[log.name(topic)])?;
            let positions: Map<String, Value> =
                committed.iter().map(|(id, position)| (id.partition.to_string(), json!(position))).collect();
            groups.insert(group.to_owned(), json!({ "topic": topic.name(), "positions": positions }));
        }
        let genesis = log.backend().genesis()?;
        let mut out = io::stdout().lock();
        if self.json {
            let answer = json!({ "genesis": genesis, "topics": topics, "groups": groups });
            writeln!(out, "{answer}")?;
            return Ok(());
        }
        writeln!(out, "log {genesis}")?;
        writeln!(out, "{:<18} {:>10} {:>14}", "topic", "partitions", "events")?;
        for topic in Topic::ALL {
            let bounds = log.backend().bounds(log.name(topic))?;
            let events: i64 = bounds.iter().map(|bounds| bounds.high - bounds.low).sum();
            writeln!(out, "{:<18} {:>10} {:>14}", topic.name(), bounds.len(), events)?;
        }
        writeln!(out, "{:<18} {:>25}", "group", "behind")?;
        for stage in crate::pipeline::Stage::ALL {
            if stage == crate::pipeline::Stage::Index {
                opened.generations.open_read_only()?;
            }
            writeln!(out, "{:<18} {:>25}", stage.name(), opened.lag(stage)?)?;
        }
        Ok(())
    }
}

impl Tail {
    fn run(&self, opened: &Opened) -> Result<()> {
        let log = &opened.log;
        let topics = topics(&self.topics)?;
        let mut from = Positions::new();
        for topic in &topics {
            for (partition, bounds) in (0..).zip(log.backend().bounds(log.name(*topic))?) {
                let position = bounds.low.max(bounds.high - i64::from(self.lines));
                from.insert(log.partition(*topic, partition), position);
            }
        }
        let names: Vec<&str> = topics.iter().map(|topic| &**log.name(*topic)).collect();
        let mut reader = log.backend().reader(&names, &from)?;
        let mut out = io::stdout().lock();
        loop {
            let batch = reader.next(Limit::default(), Duration::from_millis(500))?;
            for stored in batch.records.iter().filter(|stored| self.wants(stored)) {
                writeln!(out, "{}", cloud_event(log, stored, Secrets::Hidden))?;
            }
            out.flush()?;
            if batch.at_end && !self.follow {
                return Ok(());
            }
        }
    }
}

impl Tail {
    fn wants(&self, stored: &StoredRecord) -> bool {
        let kind = stored.record.headers.iter().find(|(name, _)| name == "ce_type").map_or("", |(_, kind)| kind);
        // `chipwire.article.tagged.v1`: as it is, or without what is before and behind.
        let is_kind = |wanted: &str| {
            let short = kind.strip_prefix("chipwire.").unwrap_or(kind);
            kind == wanted || short == wanted || short.rsplit_once(".v").is_some_and(|(short, _)| short == wanted)
        };
        self.kind.as_deref().is_none_or(is_kind) && self.key.as_ref().is_none_or(|key| wire::key(stored) == *key)
    }
}

/// The topics of these names, or all.
fn topics(names: &[String]) -> Result<Vec<Topic>> {
    if names.is_empty() {
        return Ok(Topic::ALL.into());
    }
    let topic = |name: &String| {
        let known = || Topic::ALL.map(Topic::name).join(", ");
        Topic::from_name(name).with_context(|| format!("there is no topic `{name}`; there are: {}", known()))
    };
    names.iter().map(topic).collect()
}
