//! `chipwire tag`

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use chipwire_enrich::{Explained, Suppressed, Tagger};
use chipwire_events::Mention;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Global;
use crate::{overlay, terminal};

pub(super) const EXAMPLE: &str = "Reads JSON Lines {\"id\",\"text\"} and prints for each \
     {\"id\",\"mentions\":[{\"start\",\"end\",\"kind\",\"entity\",\"name\",\"surface\",\"confidence\"}]};\nstart and end are byte \
     offsets (UTF-8) into the text as given. With --explain, each has its reasons, and what was found and not tagged \
     stands in \"suppressed\".\n\nExample:\n  chipwire tag --text 'Nvidia may sell the H20 to China again'\n  \
     echo '{\"id\":1,\"text\":\"TSMC shares rose\"}' | chipwire tag";

#[derive(Debug, Args)]
pub(super) struct Tag {
    /// Files of JSON Lines [default: standard input]
    #[arg(value_name = "FILE", conflicts_with = "text")]
    files: Vec<PathBuf>,
    /// Tag this text and show it with its mentions set off
    #[arg(long)]
    text: Option<String>,
    /// Show also what was found and not tagged, and why; in JSON the reasons of mentions and `suppressed`
    #[arg(long)]
    explain: bool,
    /// A folder of files, or one, to lay over the gazetteer [default: `overlays` of the configuration, if any]
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    text: String,
}

impl Tag {
    pub(super) fn run(&self, global: &Global) -> Result<ExitCode> {
        let tagger = Tagger::new(overlay::gazetteer(global.overlay(self.overlay.as_deref())?.as_deref())?);
        if let Some(text) = &self.text {
            let Explained { mentions, suppressed } = self.tag(&tagger, text);
            show(text, &mentions)?;
            if self.explain {
                show_suppressed(&suppressed)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let mut out = BufWriter::new(io::stdout().lock());
        let mut bad = 0;
        if self.files.is_empty() {
            bad += self.tag_lines(&tagger, "standard input", io::stdin().lock(), &mut out)?;
        }
        for path in &self.files {
            let file = File::open(path).with_context(|| format!("failed to open `{}`", path.display()))?;
            bad += self.tag_lines(&tagger, &path.display().to_string(), BufReader::new(file), &mut out)?;
        }
        out.flush()?;
        Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn tag(&self, tagger: &Tagger, text: &str) -> Explained {
        match self.explain {
            true => tagger.explain_text(text),
            false => Explained { mentions: tagger.tag_text(text), suppressed: Vec::new() },
        }
    }

    fn answer(&self, id: &Value, Explained { mentions, suppressed }: &Explained) -> Value {
        if !self.explain {
            return json!({ "id": id, "mentions": mentions.iter().map(mention_json).collect::<Vec<_>>() });
        }
        let with_reasons = |mention: &Mention| {
            let mut answer = mention_json(mention);
            if let Value::Object(fields) = &mut answer {
                fields.insert("reasons".to_owned(), json!(mention.reasons));
            }
            answer
        };
        json!({
            "id": id,
            "mentions": mentions.iter().map(with_reasons).collect::<Vec<_>>(),
            "suppressed": suppressed.iter().map(suppressed_json).collect::<Vec<_>>(),
        })
    }

    fn tag_lines(&self, tagger: &Tagger, name: &str, input: impl BufRead, out: &mut impl Write) -> Result<u64> {
        let mut bad = 0;
        for (number, line) in (1u64..).zip(input.split(b'\n')) {
            let line = line.with_context(|| format!("failed to read {name}"))?;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match serde_json::from_slice::<Line>(&line) {
                Ok(Line { id, text }) => {
                    writeln!(out, "{}", self.answer(&id, &self.tag(tagger, &text)))?;
                }
                Err(error) => {
                    bad += 1;
                    writeln!(io::stderr(), "chipwire: {name}, line {number}: expected {{\"id\",\"text\"}}: {error}")?;
                }
            }
        }
        Ok(bad)
    }
}

fn mention_json(mention: &Mention) -> Value {
    json!({
        "start": mention.start,
        "end": mention.end,
        "kind": mention.kind,
        "entity": mention.entity,
        "name": mention.name,
        "surface": mention.surface,
        "confidence": mention.confidence,
    })
}

fn suppressed_json(suppressed: &Suppressed) -> Value {
    json!({
        "start": suppressed.start,
        "end": suppressed.end,
        "kind": suppressed.kind,
        "entity": suppressed.entity,
        "name": suppressed.name,
        "surface": suppressed.surface,
        "why": suppressed.why,
        "reasons": suppressed.reasons,
        "against": suppressed.against,
    })
}

fn show_suppressed(suppressed: &[Suppressed]) -> io::Result<()> {
    let style = terminal::Style { colour: io::stdout().is_terminal() };
    let mut out = io::stdout().lock();
    writeln!(out, "{}", if suppressed.is_empty() { "\nnothing else was found" } else { "\nnot tagged:" })?;
    for place in suppressed {
        let Suppressed { start, end, kind, entity, why, reasons, against, .. } = place;
        let surface = terminal::clean(&place.surface);
        writeln!(out, "{start:>5}..{end:<5} {kind:<8} {entity:<28} {surface:<24} {why}")?;
        for (what, list) in [("for", reasons), ("against", against)] {
            if !list.is_empty() {
                writeln!(out, "{:13}{}", "", style.dim(&format!("{what}: {}", list.join(", "))))?;
            }
        }
    }
    Ok(())
}

fn show(text: &str, mentions: &[Mention]) -> io::Result<()> {
    let style = terminal::Style { colour: io::stdout().is_terminal() };
    let mut out = io::stdout().lock();
    let mut line = String::new();
    let mut done = 0;
    for mention in mentions {
        // A mention inside another is listed below, not set off twice.
        let (Some(before), Some(inside)) = (text.get(done..mention.start), text.get(mention.start..mention.end)) else {
            continue;
        };
        line.push_str(&terminal::clean(before));
        let inside = terminal::clean(inside);
        if style.colour {
            line.push_str(&style.mention(&mention.kind, &inside));
        } else {
            line.push_str(&format!("[{inside}]"));
        }
        done = mention.end;
    }
    line.push_str(&terminal::clean(text.get(done..).unwrap_or_default()));
    writeln!(out, "{line}\n")?;
    for mention in mentions {
        writeln!(
            out,
            "{:>5}..{:<5} {:<8} {:<28} {:<24} {:.2}  {}",
            mention.start,
            mention.end,
            mention.kind,
            mention.entity,
            terminal::clean(&mention.surface),
            mention.confidence,
            style.dim(&mention.reasons.join(", "))
        )?;
    }
    if mentions.is_empty() {
        writeln!(out, "no mentions")?;
    }
    Ok(())
}
