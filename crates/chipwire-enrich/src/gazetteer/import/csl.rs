//! The Consolidated Screening List of the departments of Commerce, State and the Treasury. An entity that is on several of its lists
//! has several records, which are joined by its name.

use std::io;

use serde_json::Value;

use super::{Fact, Record, Row, day, elements, filled, table};

/// What its `type` says of those that are no companies.
const OTHERS: &[&str] = &["individual", "vessel", "aircraft"];

/// What a record says, in either form.
struct Listed {
    name: Option<String>,
    aliases: Vec<String>,
    sort: String,
    list: String,
    start: Option<String>,
    end: Option<String>,
    source: Option<String>,
}

pub(super) fn read_json(input: impl io::Read, visit: &mut dyn FnMut(Row)) -> io::Result<()> {
    let mut number = 0u64;
    elements::each(input, &["results"], &mut |element| {
        number += 1;
        let text = |key: &str| element.get(key).and_then(Value::as_str).and_then(filled);
        let aliases = match element.get("alt_names") {
            Some(Value::Array(names)) => names.iter().filter_map(|name| name.as_str().and_then(filled)).collect(),
            Some(Value::String(names)) => several(names),
            _ => Vec::new(),
        };
        let row = row(Listed {
            name: text("name"),
            aliases,
            sort: text("type").unwrap_or_default(),
            list: text("source").unwrap_or_default(),
            start: text("start_date"),
            end: text("end_date"),
            source: text("source_information_url").or_else(|| text("source_list_url")),
        });
        visit(row.unwrap_or_else(|problem| Row::Bad { place: format!("record {number}"), problem }));
    })
}

pub(super) fn read_csv(input: impl io::Read, visit: &mut dyn FnMut(Row)) -> io::Result<()> {
    table::each(input, &["name"], visit, |cells| {
        let text = |columns: &[&str]| cells.get(columns).and_then(filled);
        row(Listed {
            name: text(&["name"]),
            aliases: several(cells.get(&["alt_names"]).unwrap_or_default()),
            sort: text(&["type"]).unwrap_or_default(),
            list: text(&["source"]).unwrap_or_default(),
            start: text(&["start_date"]),
            end: text(&["end_date"]),
            source: text(&["source_information_url", "source_list_url"]),
        })
    })
}

fn several(names: &str) -> Vec<String> {
    names.split(';').filter_map(filled).collect()
}

fn row(listed: Listed) -> Result<Row, String> {
    if OTHERS.contains(&listed.sort.to_lowercase().as_str()) {
        return Ok(Row::Other);
    }
    let name = listed.name.ok_or("it has no `name`")?;
    let dated = |text: &Option<String>| text.as_deref().and_then(day);
    let source = listed.source.unwrap_or_else(|| "https://www.trade.gov/consolidated-screening-list".to_owned());
    let fact = Fact {
        text: format!("On the {}.", listed.list),
        valid_from: dated(&listed.start),
        valid_to: dated(&listed.end),
        source: Some(source.clone()),
    };
    Ok(Row::Company(Box::new(Record {
        key: name.to_lowercase(),
        aliases: listed.aliases.into_iter().map(|alias| (alias, None)).collect(),
        facts: if listed.list.is_empty() { Vec::new() } else { vec![fact] },
        source,
        name,
        ..Record::default()
    })))
}
