//! `chipwire log`

mod check;
mod portable;
mod repair;
mod stats;
mod tail;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use chipwire_events::Topic;
use clap::Subcommand;

use super::Global;

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// Show every topic with its partitions, and how far each group has come
    #[command(after_help = "Example:\n  chipwire log stats")]
    Stats(stats::Stats),
    /// Print the newest events, one CloudEvent as JSON a line
    #[command(after_help = "Example:\n  chipwire log tail articles.tagged --follow | jq .data.article.title\n  \
                      chipwire log tail dead-letters --since 2h")]
    Tail(tail::Tail),
    /// Read all of the embedded log and say what is damaged; exits with 1 if anything is
    #[command(after_help = "Example:\n  chipwire log check")]
    Check(check::Check),
    /// Make a copy of a damaged embedded log with all that can still be read, and say what it gives up
    #[command(
        after_help = "The log itself stays as it is. To go on with the copy, stop the daemon and put it in the place of \
                      `log.db` in the data directory, without `log.db-wal` and `log.db-shm` beside it.\n\nExample:\n  \
                      chipwire log repair --dry-run"
    )]
    Repair(repair::Repair),
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

impl LogCommand {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode> {
        match self {
            // Of a log that may be damaged.
            LogCommand::Check(check) => return check.run(&global.config()?),
            LogCommand::Repair(repair) => repair.run(&global.config()?)?,
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
