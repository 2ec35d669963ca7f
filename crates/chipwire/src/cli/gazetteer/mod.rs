//! `chipwire gazetteer`

mod diff;
mod import;
mod lint;
mod lookup;
mod texts;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Subcommand};

use super::Global;

#[derive(Debug, Subcommand)]
pub(super) enum GazetteerCommand {
    /// Say what is wrong or doubtful about a gazetteer or an overlay, and which texts it changes
    #[command(after_help = lint::EXAMPLE)]
    Lint(lint::Lint),
    /// Show the entities that a name, an id or a ticker may mean
    #[command(after_help = lookup::EXAMPLE)]
    Lookup(lookup::Lookup),
    /// Say what two gazetteers have different
    #[command(after_help = diff::EXAMPLE)]
    Diff(diff::Diff),
    /// Make an overlay from open data: Wikidata, OpenSanctions, the Consolidated Screening List
    #[command(after_help = import::EXAMPLE)]
    Import(import::Import),
}

/// Which overlay.
#[derive(Debug, Args)]
struct Overlay {
    /// A folder of files, or one, to lay over the gazetteer [default: `overlays` of the configuration, if any]
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
}

impl Overlay {
    fn path(&self, global: &Global) -> Result<Option<PathBuf>> {
        global.overlay(self.overlay.as_deref())
    }
}

impl GazetteerCommand {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode> {
        match self {
            Self::Lint(lint) => lint.run(global),
            Self::Lookup(lookup) => lookup.run(global),
            Self::Diff(diff) => diff.run(),
            Self::Import(import) => import.run(global),
        }
    }
}
