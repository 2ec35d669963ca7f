//! `chipwire log check`, `chipwire log backup` and `chipwire log expire`

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use anyhow::{Result, bail};
use chipwire_log::sqlite::SqliteLog;
use clap::Args;
use serde_json::json;

use crate::{
    config::{Backend, Config},
    data_dir::DataDir,
    pipeline::Opened,
    runner::system_clock,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Backup {
    /// The copy: a file that does not exist yet
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Expire {
    /// Remove what a stage has still to read, too
    #[arg(long)]
    force: bool,
}

impl Expire {
    pub(super) fn run(&self, opened: &Opened) -> Result<()> {
        let config = &opened.config.log;
        if config.backend != Backend::Sqlite {
            bail!(
                "this is for the embedded log: Kafka removes by itself what is older than the retention of its topics"
            );
        }
        if config.retention_days == 0 && config.max_size_mib == 0 {
            bail!("the log is kept for ever: set `log.retention_days` or `log.max_size_mib`");
        }
        let removed = opened.expire(system_clock(), self.force)?;
        writeln!(io::stdout(), "{removed} events removed")?;
        Ok(())
    }
}

/// The file of the embedded log, which need not be in order.
pub(super) fn file_of(config: &Config) -> Result<PathBuf> {
    if config.log.backend != Backend::Sqlite {
        bail!("this is for the embedded log: Kafka checks and copies its records with tools of its own");
    }
    let path = DataDir::create(&config.data_dir)?.log();
    if !path.exists() {
        bail!("there is no log at `{}`", path.display());
    }
    Ok(path)
}

impl Check {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode> {
        let path = file_of(config)?;
        let started = Instant::now();
        let report = SqliteLog::check_file(&path)?;
        let mut out = io::stdout().lock();
        if self.json {
            let damage: Vec<_> =
                report.damage.iter().map(|found| json!({ "place": found.place, "reason": found.reason })).collect();
            let is_ok = damage.is_empty();
            let answer = json!({ "ok": is_ok, "frames": report.frames, "records": report.records, "damage": damage });
            writeln!(out, "{answer}")?;
        } else {
            let seconds = started.elapsed().as_secs_f64();
            writeln!(
                out,
                "{} records in {} frames are as they were written, {seconds:.1} s",
                report.records, report.frames
            )?;
            for found in &report.damage {
                writeln!(out, "damaged: {}: {}", found.place, found.reason)?;
            }
        }
        Ok(if report.damage.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Backup {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let path = file_of(config)?;
        let log = SqliteLog::open(&path, chipwire_log::sqlite::Access::Read)?;
        let started = Instant::now();
        let size_bytes = log.backup(&self.file)?;
        let (mib, seconds) = (size_bytes as f64 / f64::from(1 << 20), started.elapsed().as_secs_f64());
        writeln!(io::stdout(), "{mib:.1} MiB in `{}`, {seconds:.1} s", self.file.display())?;
        Ok(())
    }
}
