//! `chipwire gazetteer lint`

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use chipwire_enrich::{Draft, Finding, Gazetteer, Severity, Tagger};
use clap::Args;
use serde_json::{Value, json};

use super::{super::Global, texts};
use crate::{
    overlay,
    terminal::{Style, clean},
};

pub(super) const EXAMPLE: &str = "The files are those of an overlay, or of a whole gazetteer with --alone. Exits with 1 if there is an error.\n\
     docs/gazetteer.md says what each check means.\n\nExample:\n  chipwire gazetteer lint overlay/\n  \
     chipwire gazetteer lint overlay/ --texts archive/\n  \
     chipwire gazetteer lint --alone crates/chipwire-enrich/gazetteer --texts";

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Files, or folders of them [default: `overlays` of the configuration, or what is part of the program]
    #[arg(value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    /// The files are a whole gazetteer, and not laid over the one that is part of the program
    #[arg(long, requires = "paths")]
    alone: bool,
    /// Say also which of these texts are tagged otherwise than without the files: every file below a folder as one text, or each
    /// line of a `.jsonl` file by its `text` [default: the sample feeds and the cases of the test suite]
    #[arg(long, value_name = "DIR|FILE", num_args = 0..=1)]
    texts: Option<Option<PathBuf>>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Lint {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode> {
        let draft = self.draft(global)?;
        let found = draft.lint();
        let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
        let mut out = io::stdout().lock();
        let changes = match &self.texts {
            None => None,
            Some(path) => match Gazetteer::try_from(draft) {
                Ok(gazetteer) => Some(changes(path.as_deref(), gazetteer)?),
                Err(_) => {
                    writeln!(io::stderr(), "chipwire: texts are compared once the errors are mended")?;
                    None
                }
            },
        };
        if self.json {
            let changes = changes.map(|changes| changes.iter().map(texts::Changed::json).collect::<Vec<Value>>());
            writeln!(out, "{}", json!({ "findings": found, "texts": changes }))?;
        } else {
            let style = Style { colour: io::stdout().is_terminal() };
            for finding in &found {
                writeln!(out, "{}", line(finding, style))?;
            }
            writeln!(out, "{}, {}", count(errors, "error"), count(found.len() - errors, "warning"))?;
            if let Some(changes) = changes {
                for changed in &changes {
                    write!(out, "\n{}", changed.show(style))?;
                }
                writeln!(out, "\ntagged otherwise: {}", count(changes.len(), "text"))?;
            }
        }
        Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn draft(&self, global: &Global) -> Result<Draft> {
        if self.paths.is_empty() {
            return Ok(overlay::draft(global.overlay(None)?.as_deref())?);
        }
        let mut files = Vec::new();
        for path in &self.paths {
            files.extend(overlay::read(path)?);
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Ok(if self.alone { Draft::from_files(&files) } else { Draft::builtin()?.with_overlay(&files) })
    }
}

/// The texts in which `gazetteer` finds something else than what is part of the program.
fn changes(path: Option<&Path>, gazetteer: Gazetteer) -> Result<Vec<texts::Changed>> {
    let (before, after) = (Tagger::new(Gazetteer::builtin()?), Tagger::new(gazetteer));
    let mut changed = Vec::new();
    texts::each(path, &mut |name, text| {
        let difference = chipwire_enrich::difference(&before, &after, &text);
        if !difference.is_empty() {
            changed.push(texts::Changed { name, text, difference });
        }
    })?;
    Ok(changed)
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn line(finding: &Finding, style: Style) -> String {
    let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
    let place = if finding.line == 0 { finding.file.clone() } else { format!("{}:{}", finding.file, finding.line) };
    let [place, entity] = [&place, finding.entity.as_deref().unwrap_or("-")].map(|text| clean(text).into_owned());
    let problem = clean(&finding.problem);
    let mut line = format!("{severity:<8} {place}  {entity}  {}: {problem}", style.bold(finding.check));
    if !finding.advice.is_empty() {
        line.push_str(&format!("\n         {}", style.dim(&clean(&finding.advice))));
    }
    line
}
