//! Texts that are tagged by two gazetteers.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use chipwire_enrich::Difference;
use chipwire_events::Mention;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    demo,
    terminal::{Style, clean},
};

/// Bytes of a text that are shown before and behind a mention.
const AROUND: usize = 40;

/// A text that two gazetteers tag otherwise.
pub(super) struct Changed {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) difference: Difference,
}

impl Changed {
    pub(super) fn json(&self) -> Value {
        json!({ "text": self.name, "removed": self.difference.removed, "added": self.difference.added })
    }

    pub(super) fn show(&self, style: Style) -> String {
        let mut out = format!("{}\n", style.bold(&clean(&self.name)));
        let removed = self.difference.removed.iter().map(|mention| ('-', mention));
        let added = self.difference.added.iter().map(|mention| ('+', mention));
        for (sign, mention) in removed.chain(added) {
            let around = around(&self.text, mention, style);
            out.push_str(&format!("  {sign} {}:{}  {around}\n", mention.kind, mention.entity));
        }
        out
    }
}

/// The mention within some of the words around it.
fn around(text: &str, mention: &Mention, style: Style) -> String {
    let first = text.floor_char_boundary(mention.start.saturating_sub(AROUND));
    let last = text.ceil_char_boundary(mention.end.saturating_add(AROUND).min(text.len()));
    let part = |from: usize, to: usize| clean(text.get(from..to).unwrap_or_default()).into_owned();
    let inside = part(mention.start, mention.end);
    let inside = if style.colour { style.mention(&mention.kind, &inside) } else { format!("[{inside}]") };
    format!("{}{inside}{}", part(first, mention.start), part(mention.end, last))
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
}

/// Calls `visit` with the name and the text of everything at `path`, or else of the sample feeds and the cases of the test suite.
pub(super) fn each(path: Option<&Path>, visit: &mut dyn FnMut(String, String)) -> Result<()> {
    match path {
        Some(path) => walk(path, visit),
        None => {
            for (name, text) in chipwire_enrich::cases() {
                visit(format!("case {name}"), text);
            }
            for (name, text) in demo::texts()? {
                visit(name, text);
            }
            Ok(())
        }
    }
}

fn walk(path: &Path, visit: &mut dyn FnMut(String, String)) -> Result<()> {
    let failed = || format!("failed to read `{}`", path.display());
    if fs::metadata(path).with_context(failed)?.is_dir() {
        let mut paths: Vec<PathBuf> = fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .with_context(failed)?;
        paths.sort();
        return paths.iter().try_for_each(|path| walk(path, visit));
    }
    let name = path.display().to_string();
    if path.extension().is_none_or(|extension| extension != "jsonl") {
        let text = fs::read(path).with_context(failed)?;
        visit(name, String::from_utf8_lossy(&text).into_owned());
        return Ok(());
    }
    let input = BufReader::new(File::open(path).with_context(failed)?);
    for (number, line) in (1u64..).zip(input.split(b'\n')) {
        let line = line.with_context(failed)?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice::<Line>(&line) {
            Ok(line) => {
                let id = match &line.id {
                    Value::Null => String::new(),
                    Value::String(id) => format!(" {id}"),
                    id => format!(" {id}"),
                };
                visit(
                    format!("{name}, line {number}{id}"),
                    format!("{}\n\n{}", line.title, line.text).trim().to_owned(),
                );
            }
            Err(error) => writeln!(std::io::stderr(), "chipwire: {name}, line {number}: passed over: {error}")?,
        }
    }
    Ok(())
}
