//! `chipwire import`

use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use chipwire_events::{Covers, Timestamp, Topic};
use chipwire_log::{Limit, Positions, Reader};
use clap::Args;
use tokio::runtime::Runtime;

use super::{
    Global,
    daemon::{Daemon, stop_on_signal},
};
use crate::{
    data_dir::LockError,
    feed_list,
    health::Health,
    import::{self, Summary},
    pipeline::{Opened, Stage},
    progress,
    runner::{Shutdown, system_clock},
    wire,
};

pub(super) const EXAMPLE: &str = "Each line is an object with `title` and `text` or `html`; optional are `url`,\n\
     `published` (RFC 3339), `id`, `source`, `authors` and `language`. What is there already is not added again.\n\nExample:\n  \
     chipwire import articles.jsonl --source 'Archive 2025'";

/// How long nothing may move before we say that nobody seems to do the work.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(super) struct Import {
    /// JSON Lines, one article each
    file: PathBuf,
    /// The source of articles that name none [default: the file's name]
    #[arg(long)]
    source: Option<String>,
}

impl Import {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode> {
        let opened = global.open()?;
        // What the enrich stage would end at later is said before anything is added.
        opened.taggers.get()?;
        let started = Instant::now();
        let (summary, end) = self.append(&opened)?;
        let appended = started.elapsed();
        finish(opened, end)?;
        let mut out = io::stdout().lock();
        let Summary { added, changed, unchanged, bad } = summary;
        writeln!(out, "{added} added, {changed} changed, {unchanged} already there, {bad} bad lines")?;
        let total = started.elapsed().as_secs_f64();
        let rate = (added + changed) as f64 / total;
        writeln!(out, "read in {:.1} s, searchable after {total:.1} s, {rate:.0} articles/s", appended.as_secs_f64())?;
        Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Appends the file's articles; returns how far the raw articles then reached.
    fn append(&self, opened: &Opened) -> Result<(Summary, Positions)> {
        let file = File::open(&self.file).with_context(|| format!("failed to open `{}`", self.file.display()))?;
        let bar = progress::bar(file.metadata()?.len(), "bytes");
        let source = match &self.source {
            Some(source) => source.clone(),
            None => self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let now: Timestamp = system_clock();
        let record = feed_list::follow(&opened.log, &import::feed(), now)?;
        opened.log.backend().writer("import")?.append(&[record])?;
        let bad_line = |number: u64, message: &str| {
            bar.suspend(|| {
                let _ = writeln!(io::stderr(), "chipwire: {}, line {number}: {message}", self.file.display());
            });
        };
        let input = BufReader::with_capacity(1 << 20, file);
        let imported = import::import(&opened.log, input, &source, now, bad_line, |read| bar.set_position(read))?;
        bar.finish_and_clear();
        Ok(imported)
    }
}

/// Returns when everything before `end` of the raw articles is searchable: runs the stages that nobody else runs, and waits
/// for the others.
fn finish(opened: Opened, end: Positions) -> Result<()> {
    let mut stages = Vec::new();
    let mut locks = Vec::new();
    for stage in [Stage::Enrich, Stage::Index] {
        match opened.lock(stage, "import") {
            Ok(lock) => {
                stages.push(stage);
                locks.push(lock);
            }
            Err(LockError::Taken { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let runtime = Runtime::new().context("failed to start the runtime")?;
    let shutdown = Shutdown::default();
    stop_on_signal(shutdown.clone(), None)?;
    let index_elsewhere = !stages.contains(&Stage::Index);
    let mut daemon = Daemon::new(opened, locks, Health::default(), shutdown.clone(), runtime);
    daemon.start(&stages)?;
    let waited = wait_until_searchable(&daemon.opened, end, index_elsewhere, &shutdown);
    daemon.stop()?;
    waited
}

fn wait_until_searchable(opened: &Arc<Opened>, end: Positions, elsewhere: bool, shutdown: &Shutdown) -> Result<()> {
    let log = &opened.log;
    let total: i64 = end.values().sum();
    let bar = progress::bar(total.unsigned_abs(), "articles");
    let mut tagged = log.backend().reader(&[log.name(Topic::ArticlesTagged)], &Positions::new())?;
    let mut covered = Positions::new();
    let mut needed = std::collections::BTreeMap::new();
    let mut last_move = Instant::now();
    loop {
        if shutdown.requested() {
            bail!("stopped before everything was searchable; the articles are in the log and will be indexed later");
        }
        if read_outcomes(log, &mut *tagged, &mut covered, &mut needed)? {
            last_move = Instant::now();
            bar.set_position(covered.values().sum::<i64>().unsigned_abs());
        }
        let all_tagged = end.iter().all(|(id, end)| *end == 0 || covered.get(id).is_some_and(|to| to >= end));
        if all_tagged && indexed(opened, &needed, elsewhere)? {
            bar.finish_and_clear();
            return Ok(());
        }
        if last_move.elapsed() > PATIENCE {
            bar.suspend(|| {
                let what = if all_tagged { "index" } else { "enrich" };
                let _ = writeln!(
                    io::stderr(),
                    "chipwire: nothing has moved for {} s: is `chipwire {what}` running?",
                    PATIENCE.as_secs()
                );
            });
            last_move = Instant::now();
        }
    }
}

/// Reads the outcomes that have come, and notes how far the raw articles are covered by them and where they end.
fn read_outcomes(
    log: &wire::Log,
    tagged: &mut dyn Reader,
    covered: &mut Positions,
    needed: &mut std::collections::BTreeMap<u32, i64>,
) -> Result<bool> {
    let batch = tagged.next(Limit { records: 5_000, size_bytes: 16 << 20 }, Duration::from_millis(50))?;
    for stored in &batch.records {
        let covers: Option<Covers> = stored
            .record
            .headers
            .iter()
            .find(|(name, _)| name == "ce_covers")
            .and_then(|(_, value)| value.parse().ok());
        if let Some(covers) = covers {
            // What fills a gap of the chain comes after what is behind it.
            let end = covered.entry(log.partition(Topic::ArticlesRaw, covers.partition)).or_insert(0);
            *end = (covers.to + 1).max(*end);
        }
        needed.insert(stored.record.partition, stored.offset + 1);
    }
    Ok(!batch.records.is_empty())
}

/// Whether the index has come as far as `needed`.
fn indexed(opened: &Opened, needed: &std::collections::BTreeMap<u32, i64>, elsewhere: bool) -> Result<bool> {
    let generation = match opened.generations.get() {
        Some(generation) if opened.generations.is_live(&generation) => Some(generation),
        _ if elsewhere => opened.generations.open_read_only()?,
        other => other,
    };
    let Some(generation) = generation else { return Ok(false) };
    let checkpoint = generation.index.checkpoint()?;
    Ok(needed
        .iter()
        .all(|(partition, needed)| checkpoint.positions.get(partition).is_some_and(|position| position >= needed)))
}
