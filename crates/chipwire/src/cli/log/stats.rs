//! `chipwire log stats`

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use anyhow::Result;
use chipwire_events::{Timestamp, Topic};
use chipwire_log::{
    PartitionId,
    sqlite::{Access, PartitionStats, SqliteLog},
};
use clap::Args;
use serde_json::{Map, Value, json};

use crate::{
    config::Backend,
    pipeline::{Opened, Stage},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Stats {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The groups of the stages with the topic that each reads.
const GROUPS: [(&str, Topic); 4] = [
    ("fetch", Topic::Feeds),
    ("enrich", Topic::ArticlesRaw),
    ("alert", Topic::ArticlesTagged),
    ("deliver", Topic::Alerts),
];

/// What the embedded log knows of its partitions; Kafka answers nothing of the kind to its clients.
type Stored = BTreeMap<PartitionId, PartitionStats>;

impl Stats {
    pub(super) fn run(&self, opened: &Opened) -> Result<()> {
        let stored = match opened.config.log.backend {
            Backend::Sqlite => SqliteLog::open(&opened.data_dir.log(), Access::Read)?.stats()?,
            Backend::Kafka => Vec::new(),
        };
        let stored = stored.into_iter().map(|stats| (stats.partition.clone(), stats)).collect();
        if self.json { json(opened, &stored) } else { table(opened, &stored) }
    }
}

fn time(ms: Option<i64>) -> Option<Timestamp> {
    ms.and_then(|ms| Timestamp::from_millisecond(ms).ok())
}

fn json(opened: &Opened, stored: &Stored) -> Result<()> {
    let log = &opened.log;
    let mut topics = Map::new();
    for topic in Topic::ALL {
        let mut partitions = Vec::new();
        for (number, bounds) in (0..).zip(log.backend().bounds(log.name(topic))?) {
            let mut partition = json!({ "low": bounds.low, "high": bounds.high });
            if let (Some(stats), Some(partition)) =
                (stored.get(&log.partition(topic, number)), partition.as_object_mut())
            {
                partition.insert("frames".to_owned(), json!(stats.frames));
                partition.insert("stored_bytes".to_owned(), json!(stats.stored_bytes));
                partition.insert("oldest".to_owned(), json!(time(stats.oldest_ms)));
                partition.insert("newest".to_owned(), json!(time(stats.newest_ms)));
            }
            partitions.push(partition);
        }
        topics.insert(topic.name().to_owned(), Value::Array(partitions));
    }
    let mut groups = Map::new();
    for (group, topic) in GROUPS {
        let committed = log.backend().committed(group, &[log.name(topic)])?;
        let positions: Map<String, Value> =
            committed.iter().map(|(id, position)| (id.partition.to_string(), json!(position))).collect();
        groups.insert(group.to_owned(), json!({ "topic": topic.name(), "positions": positions }));
    }
    let answer = json!({ "genesis": log.backend().genesis()?, "topics": topics, "groups": groups });
    writeln!(io::stdout(), "{answer}")?;
    Ok(())
}

fn table(opened: &Opened, stored: &Stored) -> Result<()> {
    let log = &opened.log;
    let mut out = io::stdout().lock();
    writeln!(out, "log {}", log.backend().genesis()?)?;
    let more = if stored.is_empty() {
        String::new()
    } else {
        format!(" {:>10} {:>10}  {:<20}  {:<20}", "frames", "MiB", "oldest", "newest")
    };
    writeln!(out, "{:<18} {:>10} {:>14}{more}", "topic", "partitions", "events")?;
    for topic in Topic::ALL {
        let bounds = log.backend().bounds(log.name(topic))?;
        let events: i64 = bounds.iter().map(|bounds| bounds.high - bounds.low).sum();
        write!(out, "{:<18} {:>10} {:>14}", topic.name(), bounds.len(), events)?;
        let stats: Vec<&PartitionStats> =
            (0..topic.partitions()).filter_map(|number| stored.get(&log.partition(topic, number))).collect();
        if !stats.is_empty() {
            let frames: u64 = stats.iter().map(|stats| stats.frames).sum();
            let mib = stats.iter().map(|stats| stats.stored_bytes).sum::<u64>() as f64 / f64::from(1 << 20);
            let show = |ms| time(ms).map_or_else(|| "-".to_owned(), |time| format!("{time:.0}"));
            let oldest = show(stats.iter().filter_map(|stats| stats.oldest_ms).min());
            let newest = show(stats.iter().filter_map(|stats| stats.newest_ms).max());
            write!(out, " {frames:>10} {mib:>10.2}  {oldest:<20}  {newest:<20}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{:<18} {:>25}", "group", "behind")?;
    for stage in Stage::ALL {
        if stage == Stage::Index {
            opened.generations.open_read_only()?;
        }
        writeln!(out, "{:<18} {:>25}", stage.name(), opened.lag(stage)?)?;
    }
    Ok(())
}
