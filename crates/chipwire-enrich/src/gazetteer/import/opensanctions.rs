//! Entities of OpenSanctions in the form of FollowTheMoney, one in each line.

use std::{
    collections::HashMap,
    io::{self, BufRead},
};

use serde::Deserialize;

use super::{Fact, Record, Row, day, filled};

#[derive(Deserialize)]
struct Line {
    id: String,
    schema: String,
    #[serde(default)]
    caption: String,
    #[serde(default)]
    datasets: Vec<String>,
    first_seen: Option<String>,
    #[serde(default)]
    properties: HashMap<String, Vec<serde_json::Value>>,
}

/// The schemata of what can be a company to us.
const COMPANIES: &[&str] = &["Company", "LegalEntity", "Organization", "PublicBody"];

pub(super) fn read(mut input: impl BufRead, visit: &mut dyn FnMut(Row)) -> io::Result<()> {
    let mut line = Vec::new();
    let mut number = 0u64;
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        number += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let row = serde_json::from_slice::<Line>(&line).map_err(|error| without_line(&error)).and_then(row);
        visit(row.unwrap_or_else(|problem| Row::Bad { place: format!("line {number}"), problem }));
    }
}

/// What is wrong with a line, without the number of the line, which is always 1 to the reader of one.
fn without_line(error: &serde_json::Error) -> String {
    let said = error.to_string();
    format!("{}, column {}", said.split(" at line ").next().unwrap_or_default(), error.column())
}

fn row(line: Line) -> Result<Row, String> {
    if !COMPANIES.contains(&line.schema.as_str()) {
        return Ok(Row::Other);
    }
    let values = |property: &str| {
        let values = line.properties.get(property).map(Vec::as_slice).unwrap_or_default();
        values.iter().filter_map(|value| value.as_str().and_then(filled))
    };
    let name = filled(&line.caption).or_else(|| values("name").next());
    let name = name.ok_or_else(|| format!("`{}` has no name", line.id))?;
    let names = ["name", "alias", "abbreviation", "weakAlias", "previousName"].into_iter().flat_map(values);
    let aliases = names.filter(|alias| *alias != name).map(|alias| (alias, None)).collect();
    let is_item = |id: &String| id.strip_prefix('Q').is_some_and(|digits| digits.parse::<u64>().is_ok());
    let source = format!("https://www.opensanctions.org/entities/{}/", line.id);
    let lists = line.datasets.join(", ");
    let fact = Fact {
        text: format!("Listed in {lists}, by OpenSanctions."),
        valid_from: line.first_seen.as_deref().and_then(day),
        valid_to: None,
        source: Some(source.clone()),
    };
    let tickers = values("ticker").chain(values("ricCode")).map(|code| (None, code)).collect();
    Ok(Row::Company(Box::new(Record {
        wikidata: values("wikidataId").chain([line.id.clone()]).find(is_item),
        lei: values("leiCode").next(),
        facts: if lists.is_empty() { Vec::new() } else { vec![fact] },
        key: line.id.clone(),
        name,
        aliases,
        tickers,
        source,
    })))
}
