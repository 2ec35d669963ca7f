//! `chipwire log export` and `chipwire log import`

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use chipwire_events::Topic;
use chipwire_log::{Limit, Positions, Record};
use clap::Args;

use super::topics;
use crate::{
    pipeline::{Opened, Stage},
    portable::{Secrets, cloud_event, is_source, record},
    progress,
};

/// Records that are written in one transaction.
const BATCH: usize = 500;

/// ... and their size.
const BATCH_BYTES: usize = 4 << 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The topics [default: all]
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,
    /// Write the values of feeds' own headers too, which may be passwords
    #[arg(long)]
    with_secrets: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The file that `chipwire log export` wrote
    file: PathBuf,
}

impl Export {
    pub(super) fn run(&self, opened: &Opened) -> Result<()> {
        let log = &opened.log;
        let topics = topics(&self.topics)?;
        let secrets = if self.with_secrets { Secrets::Shown } else { Secrets::Hidden };
        let mut out = io::BufWriter::new(io::stdout().lock());
        for topic in topics {
            let end = log.end_of(topic)?;
            let mut positions = Positions::new();
            for (partition, bounds) in (0..).zip(log.backend().bounds(log.name(topic))?) {
                positions.insert(log.partition(topic, partition), bounds.low);
            }
            let mut reader = log.backend().reader(&[log.name(topic)], &positions)?;
            while end.iter().any(|(id, end)| positions.get(id).is_some_and(|position| position < end)) {
                let batch = reader.next(Limit::default(), Duration::from_millis(200))?;
                for stored in &batch.records {
                    if end.get(&stored.partition_id()).is_some_and(|end| stored.offset < *end) {
                        writeln!(out, "{}", cloud_event(log, stored, secrets))?;
                    }
                }
                positions.extend(batch.positions);
                if batch.at_end {
                    break;
                }
            }
        }
        Ok(out.flush()?)
    }
}

impl Import {
    pub(super) fn run(&self, opened: &Opened) -> Result<()> {
        let log = &opened.log;
        // No stage may read half of it, or write beside it.
        let mut locks = Vec::new();
        for stage in Stage::ALL {
            locks.extend(opened.lock(stage, "log import")?);
        }
        for topic in Topic::ALL {
            let bounds = log.backend().bounds(log.name(topic))?;
            if bounds.iter().any(|bounds| bounds.high > bounds.low) {
                bail!("the log has events in `{}` already: import into an empty data directory", topic.name());
            }
        }
        let file = File::open(&self.file).with_context(|| format!("failed to open `{}`", self.file.display()))?;
        let bar = progress::bar(file.metadata()?.len(), "bytes");
        let mut writer = log.backend().writer("log-import")?;
        let (mut batch, mut size_bytes, mut read) = (Vec::<Record>::new(), 0, 0);
        let mut counts = BTreeMap::<&str, u64>::new();
        let mut left_out = 0_u64;
        for (number, line) in (1_u64..).zip(BufReader::with_capacity(1 << 20, file).lines()) {
            let place = || format!("`{}`, line {number}", self.file.display());
            let line = line.with_context(place)?;
            read += line.len() as u64 + 1;
            if line.trim().is_empty() {
                continue;
            }
            let (topic, record) = record(log, &line).map_err(anyhow::Error::msg).with_context(place)?;
            if !is_source(topic) {
                left_out += 1;
                continue;
            }
            *counts.entry(topic.name()).or_default() += 1;
            size_bytes += record.size_bytes();
            batch.push(record);
            if batch.len() >= BATCH || size_bytes >= BATCH_BYTES {
                writer.append(&batch).with_context(place)?;
                batch.clear();
                size_bytes = 0;
                bar.set_position(read);
            }
        }
        writer.append(&batch)?;
        // What was delivered once is not delivered again.
        let mut worker = log.backend().worker(Stage::Deliver.name(), "log-import", &[log.name(Topic::Alerts)])?;
        let end = log.end_of(Topic::Alerts)?;
        let mut owned = Positions::new();
        while owned.len() < end.len() {
            if let chipwire_log::Step::Assigned(positions) = worker.next(Limit::default(), Duration::from_secs(1))? {
                owned.extend(positions);
            }
        }
        worker.commit(&[], &end)?;
        bar.finish_and_clear();
        let mut out = io::stdout().lock();
        for (topic, count) in counts {
            writeln!(out, "{count:>12} events in {topic}")?;
        }
        if left_out > 0 {
            writeln!(out, "{left_out:>12} left out: they are made again from the others")?;
        }
        writeln!(out, "`chipwire run` tags and indexes them")?;
        Ok(())
    }
}
