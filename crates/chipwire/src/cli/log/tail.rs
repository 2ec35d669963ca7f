//! `chipwire log tail`

use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Write},
    time::Duration,
};

use anyhow::{Result, bail};
use chipwire_events::{Timestamp, Topic};
use chipwire_log::{Bounds, Limit, PartitionId, Positions, StoredRecord};
use clap::Args;

use super::topics;
use crate::{
    pipeline::Opened,
    portable::{Secrets, cloud_event},
    runner::system_clock,
    wire::{self, Log},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Tail {
    /// The topics [default: all]
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,
    /// Go on with what comes
    #[arg(long, short)]
    follow: bool,
    /// How many of the newest events of every partition to begin with, of those that are asked for [default: 10, with --since
    /// all]
    #[arg(long, short = 'n')]
    lines: Option<usize>,
    /// Only events of this type, such as `article.tagged`
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only events with this key, such as the id of an article
    #[arg(long)]
    key: Option<String>,
    /// Only this partition of every topic
    #[arg(long)]
    partition: Option<u32>,
    /// Only what was written since then: `30m`, `2h`, `7d` ago, or a time such as `2026-11-20T09:00:00Z`
    #[arg(long, value_parser = parse_since)]
    since: Option<Since>,
}

/// The beginning of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Ago(Duration),
    At(Timestamp),
}

fn parse_since(text: &str) -> Result<Since, String> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let unit = UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, seconds)));
    let ago = unit.and_then(|(number, seconds)| number.parse::<u64>().ok()?.checked_mul(*seconds));
    match (ago, text.parse()) {
        (Some(seconds), _) => Ok(Since::Ago(Duration::from_secs(seconds))),
        (None, Ok(time)) => Ok(Since::At(time)),
        (None, Err(_)) => Err("expected a number with s, m, h or d, or a time such as 2026-11-20T09:00:00Z".to_owned()),
    }
}

impl Since {
    fn ms(self) -> i64 {
        let time = match self {
            Since::At(time) => time,
            Since::Ago(ago) => system_clock().checked_sub(ago).unwrap_or(Timestamp::MIN),
        };
        time.as_millisecond()
    }
}

/// How many offsets of a partition are looked at first for what is asked for.
const WINDOW: i64 = 64;

impl Tail {
    pub(super) fn run(&self, opened: &Opened) -> Result<()> {
        let log = &opened.log;
        let topics = topics(&self.topics)?;
        if let Some(partition) = self.partition
            && topics.iter().all(|topic| partition >= topic.partitions())
        {
            bail!("there is no partition {partition} in any of these topics");
        }
        let mut bounds = BTreeMap::new();
        for topic in &topics {
            for (partition, found) in (0..).zip(log.backend().bounds(log.name(*topic))?) {
                bounds.insert(log.partition(*topic, partition), found);
            }
        }
        let mut out = io::stdout().lock();
        let (newest, mut positions) = self.newest(log, &topics, &bounds)?;
        for stored in newest.values().flatten() {
            writeln!(out, "{}", cloud_event(log, stored, Secrets::Hidden))?;
        }
        out.flush()?;
        if !self.follow {
            return Ok(());
        }
        // What is asked for, from where the first part ended.
        for (id, bounds) in &bounds {
            positions.entry(id.clone()).or_insert(bounds.high);
        }
        let names: Vec<&str> = topics.iter().map(|topic| &**log.name(*topic)).collect();
        let mut reader = log.backend().reader(&names, &positions)?;
        let since = self.since.map(Since::ms);
        loop {
            let batch = reader.next(Limit::default(), Duration::from_millis(500))?;
            for stored in batch.records.iter().filter(|stored| self.wants(stored, since)) {
                writeln!(out, "{}", cloud_event(log, stored, Secrets::Hidden))?;
            }
            out.flush()?;
        }
    }

    /// The newest of what is asked for, by partition, and where reading came to. Looks further and further back until there
    /// are enough.
    fn newest(
        &self,
        log: &Log,
        topics: &[Topic],
        bounds: &BTreeMap<PartitionId, Bounds>,
    ) -> Result<(BTreeMap<PartitionId, VecDeque<StoredRecord>>, Positions)> {
        let since = self.since.map(Since::ms);
        let lines = self.lines.unwrap_or(if since.is_some() { usize::MAX } else { 10 });
        let names: Vec<&str> = topics.iter().map(|topic| &**log.name(*topic)).collect();
        let (mut newest, mut ends) = (BTreeMap::new(), Positions::new());
        let mut open: Vec<&PartitionId> = bounds
            .keys()
            .filter(|id| lines > 0 && self.partition.is_none_or(|partition| id.partition == partition))
            .collect();
        let mut window = WINDOW.max(i64::try_from(lines).unwrap_or(i64::MAX));
        while !open.is_empty() {
            let begin = |bounds: &Bounds| bounds.low.max(bounds.high.saturating_sub(window));
            let from: Positions = bounds
                .iter()
                .map(|(id, bounds)| (id.clone(), if open.contains(&id) { begin(bounds) } else { bounds.high }))
                .collect();
            let mut found = BTreeMap::<PartitionId, VecDeque<StoredRecord>>::new();
            // Partitions of which something was read that is older than what is asked for.
            let mut is_past = Vec::new();
            let mut reader = log.backend().reader(&names, &from)?;
            loop {
                let batch = reader.next(Limit::default(), Duration::from_millis(500))?;
                for stored in batch.records {
                    let id = stored.partition_id();
                    let is_new = bounds.get(&id).is_none_or(|bounds| stored.offset >= bounds.high);
                    // What comes meanwhile is for those who follow.
                    if is_new || !open.contains(&&id) {
                        continue;
                    }
                    if since.is_some_and(|since| stored.timestamp_ms < since) {
                        is_past.push(id);
                    } else if self.wants(&stored, since) {
                        let records = found.entry(id).or_default();
                        records.push_back(stored);
                        if records.len() > lines {
                            records.pop_front();
                        }
                    }
                }
                let is_done = |id: &PartitionId| {
                    let (at, bounds) = (batch.positions.get(id), bounds.get(id));
                    at.is_some_and(|at| bounds.is_none_or(|bounds| *at >= bounds.high))
                };
                if batch.at_end || open.iter().all(|id| is_done(id)) {
                    break;
                }
            }
            ends.extend(open.iter().filter_map(|id| bounds.get(*id).map(|bounds| ((*id).clone(), bounds.high))));
            open.retain(|id| {
                let is_enough = found.get(*id).is_some_and(|records| records.len() >= lines);
                let is_all = bounds.get(*id).is_none_or(|bounds| begin(bounds) == bounds.low);
                !is_enough && !is_all && !is_past.contains(id)
            });
            newest.extend(found);
            window = window.saturating_mul(8);
        }
        Ok((newest, ends))
    }

    fn wants(&self, stored: &StoredRecord, since: Option<i64>) -> bool {
        let kind = stored.record.headers.iter().find(|(name, _)| name == "ce_type").map_or("", |(_, kind)| kind);
        // `chipwire.article.tagged.v1`: as it is, or without what is before and behind.
        let is_kind = |wanted: &str| {
            let short = kind.strip_prefix("chipwire.").unwrap_or(kind);
            kind == wanted || short == wanted || short.rsplit_once(".v").is_some_and(|(short, _)| short == wanted)
        };
        self.kind.as_deref().is_none_or(is_kind)
            && self.key.as_ref().is_none_or(|key| wire::key(stored) == *key)
            && self.partition.is_none_or(|partition| stored.record.partition == partition)
            && since.is_none_or(|since| stored.timestamp_ms >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_age_or_a_moment() {
        let seconds = |seconds| Ok(Since::Ago(Duration::from_secs(seconds)));
        assert_eq!(["90s", "30m", "2h", "7d"].map(parse_since), [90, 1_800, 7_200, 604_800].map(seconds));
        let time = "2026-11-20T09:00:00Z";
        assert_eq!(parse_since(time), Ok(Since::At(time.parse().unwrap())));
        for wrong in ["", "h", "2", "2w", "-1h", "yesterday", "99999999999999999999d"] {
            assert!(parse_since(wrong).is_err(), "{wrong}");
        }
    }
}
