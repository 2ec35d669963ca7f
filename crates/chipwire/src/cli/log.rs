//! `chipwire log`

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::{Result, bail};
use chipwire_events::Topic;
use chipwire_log::{Limit, Positions, StoredRecord};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::Global;
use crate::{pipeline::Opened, wire};

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// Show every topic with its partitions, and how far each group has come
    #[command(after_help = "Example:\n  chipwire log stats")]
    Stats(Stats),
    /// Print the newest events, one CloudEvent as JSON a line
    #[command(after_help = "Example:\n  chipwire log tail articles.tagged --follow | jq .data.article.title")]
    Tail(Tail),
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
}

impl LogCommand {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let opened = global.open()?;
        match self {
            LogCommand::Stats(stats) => stats.run(&opened),
            LogCommand::Tail(tail) => tail.run(&opened),
        }
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
        let mut topics = Vec::new();
        for name in &self.topics {
            let Some(topic) = Topic::from_name(name) else {
                let known = Topic::ALL.map(Topic::name).join(", ");
                bail!("there is no topic `{name}`; there are: {known}");
            };
            topics.push(topic);
        }
        if topics.is_empty() {
            topics.extend(Topic::ALL);
        }
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
            for stored in &batch.records {
                writeln!(out, "{}", cloud_event(stored))?;
            }
            out.flush()?;
            if batch.at_end && !self.follow {
                return Ok(());
            }
        }
    }
}

/// The record as a CloudEvent in the JSON format (CloudEvents JSON event format section 3), with its place in the log.
fn cloud_event(stored: &StoredRecord) -> Value {
    let mut event = Map::new();
    for (name, value) in &stored.record.headers {
        match name.strip_prefix("ce_") {
            Some(attribute) => event.insert(attribute.to_owned(), json!(value)),
            None if name == "content-type" => event.insert("datacontenttype".to_owned(), json!(value)),
            None => None,
        };
    }
    event.insert("partitionkey".to_owned(), json!(wire::key(stored)));
    event.insert("topic".to_owned(), json!(&*stored.record.topic));
    event.insert("partition".to_owned(), json!(stored.record.partition));
    event.insert("offset".to_owned(), json!(stored.offset));
    let data = stored
        .record
        .value
        .as_deref()
        .map(|value| serde_json::from_slice(value).unwrap_or_else(|_| json!(String::from_utf8_lossy(value))));
    let mut data = data.unwrap_or(Value::Null);
    if event.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("chipwire.feed.")) {
        crate::feed_list::hide_headers(&mut data);
    }
    event.insert("data".to_owned(), data);
    Value::Object(event)
}
