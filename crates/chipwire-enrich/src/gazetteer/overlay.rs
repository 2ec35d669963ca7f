//! Overlays: files that a user lays over the gazetteer. They add entities, change some, and silence others.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    EntityDef, Finding, Mode, Severity, check,
    draft::{Draft, Entity, Spot, Spots, Wrong, definition, wrong},
    file::{Alias, Allow, Entry, Fact},
    lines::{Lines, lines},
};

/// One file of an overlay.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The kind that all its tables are about.
    kind: String,
    /// As that of the kind, where it is left out.
    legal_tail: Option<bool>,
    /// Cues that every entity that the file adds has.
    #[serde(default)]
    cues: Vec<String>,
    /// Counter-cues that every entity that the file adds has.
    #[serde(default)]
    against: Vec<String>,
    /// What it adds.
    #[serde(default)]
    entity: Vec<Entry>,
    /// What it changes.
    #[serde(default)]
    change: Vec<Change>,
    /// What is not to be tagged.
    #[serde(default)]
    silence: Vec<Silence>,
}

/// What is to be different about an entity. An empty text takes a value away.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    id: String,
    name: Option<String>,
    #[serde(rename = "type")]
    class: Option<String>,
    vendor: Option<String>,
    parent: Option<String>,
    jurisdiction: Option<String>,
    wikidata: Option<String>,
    lei: Option<String>,
    note: Option<String>,
    source: Option<String>,
    negative: Option<bool>,
    by_country: Option<BTreeMap<String, String>>,
    /// Added, or put in the place of those with the same text.
    #[serde(default)]
    aliases: Vec<Alias>,
    #[serde(default)]
    tickers: Vec<String>,
    #[serde(default)]
    cues: Vec<String>,
    #[serde(default)]
    against: Vec<String>,
    #[serde(default)]
    fact: Vec<Fact>,
    #[serde(default)]
    without_aliases: Vec<String>,
    #[serde(default)]
    without_tickers: Vec<String>,
    #[serde(default)]
    without_cues: Vec<String>,
    #[serde(default)]
    without_against: Vec<String>,
    #[serde(default)]
    without_facts: Vec<String>,
    #[serde(default)]
    allow: Vec<Allow>,
}

/// What is not to be tagged: some names of an entity, or all of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Silence {
    id: String,
    /// Left out: the entity as a whole.
    aliases: Option<Vec<String>>,
    /// Why; for those who read the file.
    #[serde(rename = "because")]
    _because: Option<String>,
}

/// A file with the places of its tables.
pub(super) struct Parsed {
    name: String,
    file: File,
    entities: Vec<Lines>,
    changes: Vec<Lines>,
    silences: Vec<Lines>,
}

impl Parsed {
    pub(super) fn new(name: &str, text: &str, file: File) -> Self {
        let [entities, changes, silences] = lines(text, ["entity", "change", "silence"]);
        Self { name: name.to_owned(), file, entities, changes, silences }
    }
}

/// Lays `files` over `draft`. What cannot be done is among the draft's problems afterwards.
pub(super) fn lay(draft: &mut Draft, files: Vec<Parsed>) {
    let none = Lines::default();
    let mut rest = Vec::new();
    for parsed in files {
        draft.files.push(parsed.name);
        let at = draft.files.len() - 1;
        let File { kind, legal_tail, cues, against, entity, change, silence } = parsed.file;
        if let Some(wrong) = check::kind(&kind) {
            let finding = draft.finding(Spot { file: at, line: 0 }, Severity::Error, wrong);
            draft.problems.push(finding);
            continue;
        }
        let of_kind = draft.entities.iter().find(|entity| entity.def.kind == kind);
        let legal_tail = legal_tail.unwrap_or_else(|| of_kind.is_some_and(|entity| entity.def.legal_tail));
        for (number, entry) in entity.into_iter().enumerate() {
            let def = definition(entry, &kind, legal_tail, &cues, &against);
            let spots = Spots::new(at, parsed.entities.get(number).unwrap_or(&none), &def);
            draft.entities.push(Entity { def, spots });
        }
        rest.push((at, kind, change, parsed.changes, silence, parsed.silences));
    }
    // Stable: what was there comes before what is added under its id.
    draft.sort();
    for (at, kind, changes, lines, ..) in &rest {
        for (number, change) in changes.iter().enumerate() {
            let lines = lines.get(number).unwrap_or(&none);
            with_entity(draft, *at, kind, &change.id, lines, |entity, refuse| change.apply(entity, *at, lines, refuse));
        }
    }
    for (at, kind, .., silences, lines) in &rest {
        for (number, silence) in silences.iter().enumerate() {
            let lines = lines.get(number).unwrap_or(&none);
            with_entity(draft, *at, kind, &silence.id, lines, |entity, refuse| silence.apply(&mut entity.def, refuse));
        }
    }
}

/// Lets `apply` work on the entity; what it refuses, by key, is noted at the place of that key.
fn with_entity(
    draft: &mut Draft,
    file: usize,
    kind: &str,
    id: &str,
    lines: &Lines,
    apply: impl FnOnce(&mut Entity, &mut dyn FnMut(&'static str, Wrong)),
) {
    let mut refused = Vec::new();
    let position = draft.position(kind, id);
    match position.and_then(|at| draft.entities.get_mut(at)) {
        Some(entity) => apply(entity, &mut |key, wrong| refused.push((key, wrong))),
        None => {
            let problem = format!("there is no {kind} `{id}` that could be changed");
            let advice = match draft.entities.iter().find(|entity| entity.def.id == id) {
                Some(other) => format!("`{}` is one: put the table into a file of that kind", other.name()),
                None => "`chipwire gazetteer lookup NAME` finds ids; what is new is a table `[[entity]]`".to_owned(),
            };
            refused.push(("id", wrong("unknown-entity", problem, advice)));
        }
    }
    for (key, wrong) in refused {
        let finding = draft.finding(Spot { file, line: lines.key(key) }, Severity::Error, wrong);
        let finding = Finding { entity: Some(format!("{kind}:{id}")), key: Some(key.to_owned()), ..finding };
        draft.problems.push(finding);
    }
}

impl Change {
    fn apply(&self, entity: &mut Entity, file: usize, lines: &Lines, refuse: &mut dyn FnMut(&'static str, Wrong)) {
        let Entity { def, spots } = entity;
        let spot = |key: &str| Spot { file, line: lines.key(key) };
        for (key, to, from) in [("name", &mut def.name, &self.name), ("type", &mut def.class, &self.class)] {
            if let Some(value) = from {
                to.clone_from(value);
                spots.set_key(key, spot(key));
            }
        }
        for (key, to, from) in [
            ("vendor", &mut def.vendor, &self.vendor),
            ("parent", &mut def.parent, &self.parent),
            ("jurisdiction", &mut def.jurisdiction, &self.jurisdiction),
            ("wikidata", &mut def.wikidata, &self.wikidata),
            ("lei", &mut def.lei, &self.lei),
            ("note", &mut def.note, &self.note),
            ("source", &mut def.source, &self.source),
        ] {
            if let Some(value) = from {
                *to = Some(value.clone()).filter(|value| !value.is_empty());
                spots.set_key(key, spot(key));
            }
        }
        if let Some(negative) = self.negative {
            def.negative = negative;
        }
        if let Some(by_country) = &self.by_country {
            def.by_country.clone_from(by_country);
            spots.set_key("by_country", spot("by_country"));
        }
        def.allow.extend(self.allow.iter().cloned());
        for (key, without, list, values) in [
            ("tickers", ("without_tickers", &self.without_tickers), &mut def.tickers, &self.tickers),
            ("cues", ("without_cues", &self.without_cues), &mut def.cues, &self.cues),
            ("against", ("without_against", &self.without_against), &mut def.against, &self.against),
        ] {
            for value in without.1 {
                let before = list.len();
                list.retain(|there| there != value);
                if list.len() == before {
                    refuse(without.0, not_there(key, value, list.iter().map(String::as_str)));
                }
            }
            let new: Vec<String> = values.iter().filter(|value| !list.contains(value)).cloned().collect();
            list.extend(new);
            if !values.is_empty() {
                spots.set_key(key, spot(key));
            }
        }
        self.aliases(entity, file, lines, refuse);
        self.facts(entity, file, lines, refuse);
    }

    fn aliases(&self, entity: &mut Entity, file: usize, lines: &Lines, refuse: &mut dyn FnMut(&'static str, Wrong)) {
        for text in &self.without_aliases {
            let before = entity.def.aliases.len();
            retain(&mut entity.def.aliases, &mut entity.spots.aliases, |alias| alias.text != *text);
            if entity.def.aliases.len() == before {
                refuse("without_aliases", not_there("aliases", text, texts(&entity.def.aliases)));
            }
        }
        for (number, alias) in self.aliases.iter().enumerate() {
            retain(&mut entity.def.aliases, &mut entity.spots.aliases, |there| there.text != alias.text);
            entity.def.aliases.push(alias.clone());
            entity.spots.aliases.push(Spot { file, line: lines.aliases.get(number).copied().unwrap_or(lines.table) });
        }
    }

    fn facts(&self, entity: &mut Entity, file: usize, lines: &Lines, refuse: &mut dyn FnMut(&'static str, Wrong)) {
        for text in &self.without_facts {
            let before = entity.def.facts.len();
            retain(&mut entity.def.facts, &mut entity.spots.facts, |fact| fact.text != *text);
            if entity.def.facts.len() == before {
                let there = entity.def.facts.iter().map(|fact| fact.text.as_str());
                refuse("without_facts", not_there("facts", text, there));
            }
        }
        for (number, fact) in self.fact.iter().enumerate() {
            entity.def.facts.push(fact.clone());
            entity.spots.facts.push(Spot { file, line: lines.facts.get(number).copied().unwrap_or(lines.table) });
        }
    }
}

impl Silence {
    fn apply(&self, def: &mut EntityDef, refuse: &mut dyn FnMut(&'static str, Wrong)) {
        let Some(aliases) = &self.aliases else {
            // It goes on to be told apart from others of its name.
            def.negative = true;
            return;
        };
        for text in aliases {
            let mut found = false;
            for alias in def.aliases.iter_mut().filter(|alias| alias.text == *text) {
                alias.mode = Mode::Never;
                found = true;
            }
            if !found {
                refuse("aliases", not_there("aliases", text, texts(&def.aliases)));
            }
        }
    }
}

/// `value` is not in a list that has these values.
fn not_there<'a>(list: &str, value: &str, mut there: impl Iterator<Item = &'a str>) -> Wrong {
    let alike = there.find(|other| other.to_lowercase() == value.to_lowercase());
    let advice = match alike {
        Some(alike) => format!("write `{alike}`"),
        None => "write it exactly as `chipwire gazetteer lookup` shows it, or leave it out".to_owned(),
    };
    wrong("not-there", format!("`{value}` is not among its {list}"), advice)
}

fn texts(aliases: &[Alias]) -> impl Iterator<Item = &str> {
    aliases.iter().map(|alias| alias.text.as_str())
}

/// Keeps of both lists, which are of the same length, what `keep` says of the first.
fn retain<T>(list: &mut Vec<T>, spots: &mut Vec<Spot>, keep: impl Fn(&T) -> bool) {
    let kept: Vec<bool> = list.iter().map(keep).collect();
    let mut flags = kept.iter();
    list.retain(|_| flags.next().copied().unwrap_or(true));
    let mut flags = kept.iter();
    spots.retain(|_| flags.next().copied().unwrap_or(true));
}
