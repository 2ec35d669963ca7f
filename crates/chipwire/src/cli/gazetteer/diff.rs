//! `chipwire gazetteer diff`

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use chipwire_enrich::{Draft, FieldChange, Gazetteer};
use clap::Args;
use serde_json::json;

use crate::{overlay, terminal};

pub(super) const EXAMPLE: &str = "Each of the two is `ours`, which is part of the program, or a file or folder of an overlay, which is laid over it;\n\
     with --alone, of a whole gazetteer. Exits with 0 whether or not they differ.\n\nExample:\n  \
     chipwire gazetteer diff ours overlay/\n  chipwire gazetteer diff --alone ours crates/chipwire-enrich/gazetteer";

/// What stands for the gazetteer that is part of the program.
const OURS: &str = "ours";

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The one before: `ours`, a folder of files, or one
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The one after
    #[arg(value_name = "B")]
    after: PathBuf,
    /// The files are whole gazetteers, and not laid over the one that is part of the program
    #[arg(long)]
    alone: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Diff {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let (before, after) = (self.read(&self.before)?, self.read(&self.after)?);
        let diff = chipwire_enrich::Diff::between(&before, &after);
        let mut out = io::stdout().lock();
        if self.json {
            let digests = json!({ "before": before.digest(), "after": after.digest() });
            writeln!(out, "{}", json!({ "gazetteer": digests, "diff": diff }))?;
            return Ok(ExitCode::SUCCESS);
        }
        for entity in &diff.removed {
            writeln!(out, "- {entity}")?;
        }
        for entity in &diff.added {
            writeln!(out, "+ {entity}")?;
        }
        for changed in &diff.changed {
            writeln!(out, "~ {}", changed.entity)?;
            for change in &changed.changes {
                writeln!(out, "    {}", terminal::clean(&line(change)))?;
            }
        }
        let (added, removed, changed) = (diff.added.len(), diff.removed.len(), diff.changed.len());
        writeln!(out, "{added} added, {removed} removed, {changed} changed")?;
        Ok(ExitCode::SUCCESS)
    }

    fn read(&self, path: &Path) -> Result<Gazetteer> {
        if path == Path::new(OURS) {
            return Ok(Gazetteer::builtin()?);
        }
        if !self.alone {
            let hint = "if it is a whole gazetteer and no overlay, say --alone";
            return overlay::gazetteer(Some(path))
                .with_context(|| format!("failed to lay `{}` over ours ({hint})", path.display()));
        }
        let files = overlay::read(path)?;
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Ok(Gazetteer::try_from(Draft::from_files(&files))?)
    }
}

fn line(change: &FieldChange) -> String {
    let field = match &change.item {
        Some(item) => format!("{} `{item}`", change.field),
        None => change.field.to_owned(),
    };
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("~ {field}: {before} -> {after}"),
        (None, Some(after)) => format!("+ {field}: {after}"),
        (before, None) => format!("- {field}: {}", before.as_deref().unwrap_or_default()),
    }
}
