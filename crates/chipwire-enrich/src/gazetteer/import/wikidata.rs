//! Answers of Wikidata's query service. Of their columns these are read: `item`, `itemLabel`, `itemAltLabel` (several, with commas),
//! `alias`, `lei`, `ticker`, `exchange` or `exchangeLabel`. An item may have several rows.

use std::io;

use serde_json::Value;

use super::{Record, Row, elements, filled, table};

pub(super) fn read_json(input: impl io::Read, visit: &mut dyn FnMut(Row)) -> io::Result<()> {
    let mut number = 0u64;
    elements::each(input, &["results", "bindings"], &mut |element| {
        number += 1;
        let cell = |name: &str| element.get(name)?.get("value").and_then(Value::as_str);
        let lang = |name: &str| element.get(name)?.get("xml:lang").and_then(Value::as_str).map(str::to_owned);
        let row = row(&cell, &lang);
        visit(row.unwrap_or_else(|problem| Row::Bad { place: format!("record {number}"), problem }));
    })
}

pub(super) fn read_csv(input: impl io::Read, visit: &mut dyn FnMut(Row)) -> io::Result<()> {
    table::each(input, &["item"], visit, |cells| row(&|name| cells.get(&[&name.to_lowercase()]), &|_| None))
}

fn row<'a>(cell: &dyn Fn(&str) -> Option<&'a str>, lang: &dyn Fn(&str) -> Option<String>) -> Result<Row, String> {
    let item = cell("item").ok_or("it has no `item`")?;
    let id = item.rsplit('/').next().unwrap_or_default();
    let digits = id.strip_prefix('Q').unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{item}` is no item of Wikidata, as in `http://www.wikidata.org/entity/Q1`"));
    }
    // Where there is no label in the languages that were asked for, the service gives the id.
    let name = cell("itemLabel").and_then(filled).filter(|name| name != id);
    let name = name.ok_or_else(|| format!("`{id}` has no `itemLabel`"))?;
    let foreign = |lang: Option<String>| lang.filter(|lang| !matches!(lang.split('-').next(), Some("en" | "mul")));
    let mut aliases: Vec<(String, Option<String>)> = Vec::new();
    aliases.extend(cell("alias").and_then(filled).map(|alias| (alias, foreign(lang("alias")))));
    let several = cell("itemAltLabel").unwrap_or_default();
    aliases.extend(several.split(", ").filter_map(filled).map(|alias| (alias, foreign(lang("itemAltLabel")))));
    let ticker = cell("ticker").and_then(filled);
    let exchange = cell("exchangeLabel").or_else(|| cell("exchange")).and_then(filled);
    Ok(Row::Company(Box::new(Record {
        key: id.to_owned(),
        name,
        aliases,
        wikidata: Some(id.to_owned()),
        lei: cell("lei").and_then(filled),
        tickers: ticker.map(|code| (exchange, code)).into_iter().collect(),
        facts: Vec::new(),
        source: format!("https://www.wikidata.org/wiki/{id}"),
    })))
}
