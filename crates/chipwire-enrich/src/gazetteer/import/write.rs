//! An overlay as TOML.

use toml::Value;

use super::merge::Draft;
use crate::{gazetteer::Fact, matcher::Form};

pub(super) fn overlay(drafts: &[Draft<'_>], cues: &[&str], from: &str, date: &str) -> String {
    let cues = list(cues.iter().copied());
    let mut out = format!(
        "# Imported from {} on {date}. Every name asks for cues until somebody has looked at it: then give it the mode that\n\
         # it needs, and the entity cues of its own. `chipwire gazetteer lint` says what is doubtful.\n\n\
         kind = \"company\"\n# Of all entities below that are new.\ncues = {cues}\n",
        one_line(from)
    );
    for draft in drafts {
        let there = draft.there;
        let table = if there.is_some() { "change" } else { "entity" };
        out.push_str(&format!("\n[[{table}]]\n"));
        let mut key = |key: &str, value: String| out.push_str(&format!("{key} = {value}\n"));
        key("id", quoted(&draft.id));
        if there.is_none() {
            key("name", quoted(&draft.name));
        }
        for (name, value) in [("wikidata", &draft.wikidata), ("lei", &draft.lei)] {
            if let Some(value) = value {
                key(name, quoted(value));
            }
        }
        if !draft.tickers.is_empty() {
            key("tickers", list(draft.tickers.iter().map(String::as_str)));
        }
        if !draft.aliases.is_empty() {
            let aliases: String = draft.aliases.iter().map(|(text, lang)| alias(text, lang.as_deref())).collect();
            key("aliases", format!("[\n{aliases}]"));
        }
        if there.is_some_and(|entity| entity.cues.is_empty()) && !draft.aliases.is_empty() {
            key("cues", cues.clone());
        }
        if there.is_none() {
            key("source", quoted(&format!("{}, imported {date}", draft.source)));
        } else {
            out.push_str(&format!("# From {}, imported {date}.\n", one_line(&draft.source)));
        }
        for said in &draft.facts {
            out.push_str(&fact(table, said));
        }
    }
    out
}

fn alias(text: &str, lang: Option<&str>) -> String {
    let lang = lang.map_or_else(String::new, |lang| format!(", lang = {}", quoted(lang)));
    // One word may be a word of the language as well, which is written small.
    let is_word = Form::new(text).words.len() == 1 && text.is_ascii() && text.chars().any(char::is_uppercase);
    let case = if is_word { ", case = true" } else { "" };
    format!("    {{ text = {}, mode = \"cue\"{case}{lang} }},\n", quoted(text))
}

fn fact(table: &str, fact: &Fact) -> String {
    let mut out = format!("\n[[{table}.fact]]\ntext = {}\n", quoted(&fact.text));
    for (key, value) in [("valid_from", &fact.valid_from), ("valid_to", &fact.valid_to), ("source", &fact.source)] {
        if let Some(value) = value {
            out.push_str(&format!("{key} = {}\n", quoted(value)));
        }
    }
    out
}

fn list<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let values: Vec<String> = values.map(quoted).collect();
    format!("[{}]", values.join(", "))
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// For a remark, which ends with its line.
fn one_line(text: &str) -> String {
    text.chars().map(|ch| if ch.is_control() { ' ' } else { ch }).collect()
}
