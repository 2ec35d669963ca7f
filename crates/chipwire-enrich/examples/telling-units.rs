//! Writes each text of a file of sentences as the units that the weights of happenings are trained with: `telling/train` calls it.
//!
//! `telling-units SENTENCES UNITS`; both are JSON lines, and what a line of sentences has besides its text is kept.

use std::{
    env,
    error::Error,
    fs,
    io::{BufWriter, Write},
};

use chipwire_enrich::{Gazetteer, Tagger};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let [from, to] = env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "telling-units SENTENCES UNITS")?;
    let tagger = Tagger::new(Gazetteer::builtin()?);
    let mut units = BufWriter::new(fs::File::create(to)?);
    for (number, line) in (1..).zip(fs::read_to_string(&from)?.lines()) {
        let mut entry: Value = serde_json::from_str(line).map_err(|error| format!("{from}, line {number}: {error}"))?;
        let text = entry.get("t").and_then(Value::as_str);
        let text = text.ok_or_else(|| format!("{from}, line {number}: no text `t`"))?;
        let row = |sentence: Vec<(String, std::ops::Range<usize>)>| -> Vec<Value> {
            sentence.into_iter().map(|(unit, bytes)| json!([unit, bytes.start, bytes.end])).collect()
        };
        let rows: Value = tagger.telling_units(text).into_iter().map(row).collect();
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("u".to_owned(), rows);
        }
        writeln!(units, "{entry}")?;
    }
    units.flush()?;
    Ok(())
}
