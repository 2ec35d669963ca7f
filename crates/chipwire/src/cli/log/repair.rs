//! `chipwire log repair`

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Result;
use chipwire_log::sqlite::SqliteLog;
use clap::Args;
use serde_json::json;

use super::check::file_of;
use crate::config::Config;

#[derive(Debug, Args)]
pub(in crate::cli) struct Repair {
    /// The copy: a file that does not exist yet [default: `log.db.repaired` beside the log]
    file: Option<PathBuf>,
    /// Only say what would be given up
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Repair {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let path = file_of(config)?;
        let to = self.file.clone().unwrap_or_else(|| path.with_extension("db.repaired"));
        let repair = SqliteLog::repair(&path, (!self.dry_run).then_some(&*to))?;
        let mut out = io::stdout().lock();
        if self.json {
            let given_up: Vec<_> =
                repair.given_up.iter().map(|found| json!({ "place": found.place, "reason": found.reason })).collect();
            let answer = json!({
                "kept": repair.kept,
                "lost": repair.lost,
                "given_up": given_up,
                "file": (!self.dry_run).then(|| to.display().to_string()),
            });
            writeln!(out, "{answer}")?;
            return Ok(());
        }
        for found in &repair.given_up {
            writeln!(out, "given up: {}: {}", found.place, found.reason)?;
        }
        writeln!(out, "{} records kept, {} lost", repair.kept, repair.lost)?;
        if !self.dry_run {
            writeln!(out, "the repaired copy is `{}`; `{}` is as it was", to.display(), path.display())?;
        }
        Ok(())
    }
}
