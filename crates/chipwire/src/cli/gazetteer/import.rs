//! `chipwire gazetteer import`

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use chipwire_enrich::{
    Draft, Fact, Gazetteer,
    import::{Format, Importer, Row, read},
};
use clap::{Args, ValueEnum};

use super::{super::Global, Overlay};
use crate::{overlay, runner::system_clock, terminal::clean};

pub(super) const EXAMPLE: &str = "Writes a file of an overlay; every name that is imported asks for cues. What contradicts the gazetteer is shown and left\n\
     out, lines that cannot be read are named and passed over; exits with 1 if there were any. docs/gazetteer.md has a query for\n\
     Wikidata.\n\nExample:\n  chipwire gazetteer import --format wikidata query.json --out overlay/wikidata.toml\n  \
     chipwire gazetteer import --format csl consolidated.csv > screening.toml\n  \
     chipwire gazetteer import --format opensanctions entities.ftm.json --out overlay/sanctions.toml";

/// Bad lines that are named one by one.
const NAMED: u64 = 20;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Source {
    /// The answer of a query to query.wikidata.org, as JSON or CSV
    Wikidata,
    /// Entities of OpenSanctions: FollowTheMoney, a JSON object in each line
    Opensanctions,
    /// The Consolidated Screening List of the United States, as JSON or CSV
    Csl,
}

impl Source {
    fn format(self) -> Format {
        match self {
            Source::Wikidata => Format::Wikidata,
            Source::Opensanctions => Format::OpenSanctions,
            Source::Csl => Format::Csl,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What the file is
    #[arg(long, value_enum)]
    format: Source,
    /// The file; `-` is standard input
    file: PathBuf,
    /// Write to this file, in one step, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The day of the import, which the entities name with their source: `YYYY-MM-DD` [default: today]
    #[arg(long)]
    date: Option<String>,
    #[command(flatten)]
    overlay: Overlay,
}

impl Import {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode> {
        let date = self.date.clone().unwrap_or_else(|| system_clock().to_string().chars().take(10).collect());
        if (Fact { text: String::new(), valid_from: None, valid_to: None, source: None }).holds_at(&date).is_none() {
            bail!("--date `{date}` is no date; write YYYY-MM-DD");
        }
        let gazetteer = self.gazetteer(self.overlay.path(global)?.as_deref())?;
        let (name, input): (String, Box<dyn BufRead>) = if self.file == Path::new("-") {
            ("standard input".to_owned(), Box::new(io::stdin().lock()))
        } else {
            let name = self.file.display().to_string();
            let file = File::open(&self.file).with_context(|| format!("failed to open `{name}`"))?;
            (name, Box::new(BufReader::with_capacity(1 << 20, file)))
        };
        let format = self.format.format();
        let mut importer = Importer::new(&gazetteer);
        let (mut companies, mut others, mut bad) = (0u64, 0u64, 0u64);
        let mut errors = io::stderr().lock();
        read(format, input, &mut |row| match row {
            Row::Company(record) => {
                companies += 1;
                importer.add(*record);
            }
            Row::Other => others += 1,
            Row::Bad { place, problem } => {
                bad += 1;
                if bad <= NAMED {
                    let _ = writeln!(errors, "chipwire: {name}, {place}: passed over: {}", clean(&problem));
                }
            }
        })
        .with_context(|| format!("failed to read {name}"))?;
        let imported = importer.finish(format, &name, &date);
        for conflict in &imported.conflicts {
            writeln!(errors, "conflict: {}: {}", clean(&conflict.name), clean(&conflict.problem))?;
        }
        writeln!(
            errors,
            "{companies} records of companies, {others} of others, {bad} bad; {} entities added, {} changed, {} already there, {} \
             conflicts",
            imported.added,
            imported.changed,
            imported.unchanged,
            imported.conflicts.len()
        )?;
        match &self.out {
            Some(path) => write(path, &imported.toml)?,
            None => io::stdout().lock().write_all(imported.toml.as_bytes())?,
        }
        Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// What the file is held against. Not with what an earlier import has written to the same place, which is made anew.
    fn gazetteer(&self, path: Option<&Path>) -> Result<Gazetteer> {
        let out = self.out.as_deref().and_then(|out| fs::canonicalize(out).ok());
        let mut files = path.map(overlay::read).transpose()?.unwrap_or_default();
        files.retain(|(name, _)| out.is_none() || fs::canonicalize(name).ok() != out);
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Ok(Gazetteer::try_from(Draft::builtin()?.with_overlay(&files))?)
    }
}

/// Puts the file into its place as a whole: a daemon may look at its folder.
fn write(path: &Path, text: &str) -> Result<()> {
    let failed = || format!("failed to write `{}`", path.display());
    let name = path.file_name().with_context(failed)?.to_string_lossy();
    let fresh = path.with_file_name(format!(".{name}.new"));
    fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, path)).with_context(failed)
}
