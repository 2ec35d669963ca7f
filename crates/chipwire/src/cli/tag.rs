//! `chipwire tag`

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use chipwire_enrich::{Suppressed, Tagger};
use chipwire_events::{Findings, Mention};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Global;
use crate::{overlay, terminal};

pub(super) const EXAMPLE: &str = "Reads JSON Lines {\"id\",\"text\"} and prints for each \
     {\"id\",\"mentions\":[{\"start\",\"end\",\"kind\",\"entity\",\"name\",\"surface\",\"confidence\"}],\"findings\"};\nstart and end are byte \
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
            let (mentions, findings) = tagger.read_text(text);
            show(text, &mentions, &findings)?;
            if self.explain {
                show_suppressed(&tagger.explain_text(text).suppressed)?;
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

    fn answer(&self, tagger: &Tagger, Line { id, text }: &Line) -> Result<Value> {
        let (mentions, findings) = tagger.read_text(text);
        let shown = |mention: &Mention| {
            let mut shown = mention_json(mention);
            if self.explain
                && let Value::Object(fields) = &mut shown
            {
                fields.insert("reasons".to_owned(), json!(mention.reasons));
            }
            shown
        };
        let mut answer = json!({ "id": id, "mentions": mentions.iter().map(shown).collect::<Vec<_>>() });
        if let Value::Object(fields) = &mut answer {
            if !findings.is_empty() {
                fields.insert("findings".to_owned(), serde_json::to_value(findings)?);
            }
            if self.explain {
                let suppressed: Vec<Value> = tagger.explain_text(text).suppressed.iter().map(suppressed_json).collect();
                fields.insert("suppressed".to_owned(), suppressed.into());
            }
        }
        Ok(answer)
    }

    fn tag_lines(&self, tagger: &Tagger, name: &str, input: impl BufRead, out: &mut impl Write) -> Result<u64> {
        let mut bad = 0;
        for (number, line) in (1u64..).zip(input.split(b'\n')) {
            let line = line.with_context(|| format!("failed to read {name}"))?;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match serde_json::from_slice::<Line>(&line) {
                Ok(line) => writeln!(out, "{}", self.answer(tagger, &line)?)?,
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

fn show(text: &str, mentions: &[Mention], findings: &Findings) -> io::Result<()> {
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
    show_findings(&mut out, findings, &style)
}

fn show_findings(out: &mut impl Write, findings: &Findings, style: &terminal::Style) -> io::Result<()> {
    for amount in &findings.amounts {
        let value = match (&amount.low, &amount.high) {
            (Some(low), Some(high)) if low == high => low.clone(),
            (Some(low), Some(high)) => format!("{low} to {high}"),
            (Some(low), None) => format!("at least {low}"),
            (None, Some(high)) => format!("at most {high}"),
            (None, None) => String::new(),
        };
        let about = if amount.about { "about " } else { "" };
        let per = amount.per.as_ref().map(|per| format!(" per {per}")).unwrap_or_default();
        let assumed = if amount.assumed { " (assumed)" } else { "" };
        writeln!(
            out,
            "{:>5}..{:<5} {:<8} {:<28} {:<24}       {}",
            amount.start,
            amount.end,
            "amount",
            format!("{about}{value} {}{per}{assumed}", amount.unit),
            terminal::clean(&amount.surface),
            style.dim(amount.of.as_deref().unwrap_or_default())
        )?;
    }
    for happening in &findings.happenings {
        writeln!(
            out,
            "{:>5}..{:<5} {:<8} {:<28} {:<24} {:.2}  {}",
            happening.start,
            happening.end,
            "happens",
            happening.kind,
            format!("{:?}", happening.status).to_lowercase(),
            happening.confidence,
            style.dim(&terminal::clean(&happening.reason))
        )?;
        for slot in &happening.slots {
            writeln!(
                out,
                "{:>5}..{:<5} {:<8} {:<28} {:<24}",
                slot.start,
                slot.end,
                format!("- {:?}", slot.role).to_lowercase(),
                slot.value,
                terminal::clean(&slot.surface)
            )?;
        }
    }
    if let Some(language) = &findings.language {
        writeln!(out, "{:14} {:<8} {:<53} {:.2}", "", "language", language.tag, language.confidence)?;
    }
    if let Some(text) = &findings.fingerprint.text {
        writeln!(out, "{:14} {:<8} {text}", "", "simhash")?;
    }
    for pair in &findings.together {
        writeln!(
            out,
            "{:>5}..{:<5} {:<8} {:<28} {:<24} {}×",
            pair.start, pair.end, "together", pair.a, pair.b, pair.count
        )?;
    }
    Ok(())
}
