//! `chipwire index`

use std::{
    io::{self, Write},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use chipwire_events::Topic;
use clap::{Args, Subcommand};
use tokio::runtime::Runtime;

use super::{Global, daemon};
use crate::{
    health::Health,
    pipeline::{REBUILD_LOCK, Stage},
    progress,
    runner::Shutdown,
    stages::index,
};

#[derive(Debug, Args)]
pub(super) struct Index {
    #[command(subcommand)]
    command: Option<IndexCommand>,
}

#[derive(Debug, Subcommand)]
enum IndexCommand {
    /// Build the index anew from the log beside the live one, then swap the two; searching goes on meanwhile
    #[command(after_help = "Example:\n  chipwire index rebuild --data-dir /var/lib/chipwire")]
    Rebuild,
}

impl Index {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        match self.command {
            None => daemon::run(global, "index", &[Stage::Index], None),
            Some(IndexCommand::Rebuild) => rebuild(global),
        }
    }
}

fn rebuild(global: &Global) -> Result<()> {
    let opened = global.open()?;
    // Only one rebuild at a time; the index stage of a daemon keeps its own lock and goes on until the swap.
    let _lock = opened.data_dir.lock(REBUILD_LOCK, "index rebuild", crate::runner::system_clock())?;
    let runtime = Runtime::new().context("failed to start the runtime")?;
    let shutdown = Shutdown::default();
    daemon::stop_on_signal(shutdown.clone(), None)?;
    let context = opened.context(&Health::default(), &shutdown, runtime.handle());

    let started = Instant::now();
    let genesis = opened.log.backend().genesis()?;
    let bounds = opened.log.backend().bounds(opened.log.name(Topic::ArticlesTagged))?;
    let total: i64 = bounds.iter().map(|bounds| bounds.high - bounds.low).sum();
    let bar = progress::bar(total.unsigned_abs(), "events");
    let new = opened.generations.begin(&genesis)?;
    index::rebuild(&context, &opened.index_settings(), &new, |applied| bar.set_position(applied))?;
    bar.finish_and_clear();
    if shutdown.requested() {
        bail!("stopped before the new index was complete; the live one is as it was");
    }
    opened.generations.swap(&new)?;
    let count = new.index.searcher().len();
    writeln!(io::stdout(), "{count} articles in the new index, {:.1} s", started.elapsed().as_secs_f64())?;
    Ok(())
}
