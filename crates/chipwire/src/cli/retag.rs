//! `chipwire retag`

use std::{
    io::{self, Write},
    time::Instant,
};

use anyhow::{Result, bail};
use chipwire_events::Topic;
use clap::Args;

use super::{Global, daemon};
use crate::{progress, retag::retag, runner::Shutdown};

pub(super) const EXAMPLE: &str = "After an update: restart the daemon first, so that what comes meanwhile is tagged by the new \
                                  version too.\nAfter a change of the gazetteer's overlay there is no need to.\nSearching goes \
                                  on, no alert is raised, and a retagging that was stopped goes on where it was.\n\n\
                                  Example:\n  chipwire retag";

#[derive(Debug, Args)]
pub(super) struct Retag {}

impl Retag {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let opened = global.open()?;
        let _lock = opened.data_dir.lock("retag", "retag", crate::runner::system_clock())?;
        let shutdown = Shutdown::default();
        daemon::stop_on_signal(shutdown.clone(), None)?;
        let started = Instant::now();
        let events: i64 = opened.log.end_of(Topic::ArticlesTagged)?.values().sum();
        let bar = progress::bar(2 * events.unsigned_abs(), "events");
        let summary = retag(&opened.log, &*opened.taggers.get()?, &shutdown, |read| bar.set_position(read))?;
        bar.finish_and_clear();
        let seconds = started.elapsed().as_secs_f64();
        writeln!(
            io::stdout(),
            "{} articles tagged anew, {} were up to date, {seconds:.1} s",
            summary.retagged,
            summary.unchanged
        )?;
        if summary.failed > 0 {
            writeln!(io::stdout(), "{} could not be tagged anew and keep their tags", summary.failed)?;
        }
        if shutdown.requested() {
            bail!("stopped before the end; run it again to go on");
        }
        Ok(())
    }
}
