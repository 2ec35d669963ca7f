//! `chipwire dead-letters`

use std::io::{self, Write};

use anyhow::{Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use chipwire_events::ErrorClass;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Global;
use crate::{
    dead_letters::{CLASSES, Entry, all, goes_back_to, replay},
    runner::system_clock,
    terminal::clean,
};

#[derive(Debug, Subcommand)]
pub(super) enum DeadLetters {
    /// List what no stage could process, the newest last
    #[command(after_help = "Example:\n  chipwire dead-letters list --class decode --json")]
    List(List),
    /// Show one with its original bytes
    #[command(after_help = "Example:\n  chipwire dead-letters show 0f3a")]
    Show(Show),
    /// Put events back to be tried once more, after an update that can read them
    #[command(after_help = "Example:\n  chipwire dead-letters replay --all --class panic")]
    Replay(Replay),
}

#[derive(Debug, Args)]
struct Wanted {
    /// Only those of this class: decode, too_large or panic
    #[arg(long, value_parser = class)]
    class: Option<ErrorClass>,
    /// Only those of this stage: enrich, index or alert
    #[arg(long)]
    stage: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    wanted: Wanted,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The id, or the beginning of it
    id: String,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The ids, or the beginnings of them
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// All that were not put back before
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    wanted: Wanted,
}

fn class(text: &str) -> Result<ErrorClass, String> {
    let known = || CLASSES.map(ErrorClass::as_str).join(", ");
    CLASSES.into_iter().find(|class| class.as_str() == text).ok_or_else(|| format!("expected one of {}", known()))
}

impl Wanted {
    fn has(&self, entry: &Entry) -> bool {
        self.class.is_none_or(|class| entry.letter.class == class)
            && self.stage.as_ref().is_none_or(|stage| entry.letter.stage == *stage)
    }
}

impl DeadLetters {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let opened = global.open()?;
        let entries = all(&opened.log)?;
        let mut out = io::stdout().lock();
        match self {
            DeadLetters::List(list) => list.run(&entries, &mut out),
            DeadLetters::Show(show) => {
                let entry = find(&entries, &show.id)?;
                Ok(writeln!(out, "{:#}", json_of(entry))?)
            }
            DeadLetters::Replay(wanted) => {
                let entries: Vec<&Entry> = if wanted.all {
                    let waiting = |entry: &&Entry| !entry.replayed && goes_back_to(&entry.letter).is_some();
                    entries.iter().filter(waiting).filter(|entry| wanted.wanted.has(entry)).collect()
                } else {
                    wanted.ids.iter().map(|id| find(&entries, id)).collect::<Result<_>>()?
                };
                for entry in &entries {
                    replay(&opened.log, entry, system_clock())?;
                }
                Ok(writeln!(out, "{} put back", entries.len())?)
            }
        }
    }
}

/// The one whose id begins with `id`.
fn find<'e>(entries: &'e [Entry], id: &str) -> Result<&'e Entry> {
    let mut found = entries.iter().filter(|entry| entry.id.as_str().starts_with(id));
    match (found.next(), found.next()) {
        (Some(entry), None) => Ok(entry),
        (None, _) => bail!("there is no dead letter `{id}`: `chipwire dead-letters list` lists them"),
        (Some(_), Some(_)) => bail!("several dead letters begin with `{id}`: give more of the id"),
    }
}

impl List {
    fn run(&self, entries: &[Entry], out: &mut impl Write) -> Result<()> {
        for entry in entries.iter().filter(|entry| self.wanted.has(entry)) {
            if self.json {
                writeln!(out, "{}", json_of(entry))?;
                continue;
            }
            let letter = &entry.letter;
            let id: String = entry.id.as_str().chars().take(12).collect();
            let place = format!("{}/{} offset {}", letter.topic, letter.partition, letter.offset);
            let replayed = if entry.replayed { "  (put back)" } else { "" };
            let (stage, class, message) = (clean(&letter.stage), letter.class.as_str(), clean(&letter.message));
            writeln!(out, "{id}  {stage:<7} {class:<9} {place:<34} {message}{replayed}")?;
        }
        Ok(())
    }
}

/// The letter with its value as text, where it is text.
fn json_of(entry: &Entry) -> Value {
    let mut value = serde_json::to_value(&entry.letter).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("id".to_owned(), json!(entry.id));
        fields.insert("time".to_owned(), json!(entry.time));
        fields.insert("attempts".to_owned(), json!(entry.letter.attempts));
        fields.insert("replayed".to_owned(), json!(entry.replayed));
        let bytes = STANDARD.decode(&entry.letter.value_base64).unwrap_or_default();
        if let Ok(text) = String::from_utf8(bytes) {
            fields.insert("value".to_owned(), json!(text));
        }
    }
    value
}
