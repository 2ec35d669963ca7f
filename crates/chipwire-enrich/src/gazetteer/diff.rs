//! What two gazetteers have different.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Alias, EntityDef, Fact, Gazetteer};

/// What two gazetteers have different, each list by kind and id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Entities that only the second has, as `kind:id`.
    pub added: Vec<String>,
    /// Entities that only the first has.
    pub removed: Vec<String>,
    /// Entities that both have, and not alike.
    pub changed: Vec<Changed>,
}

/// An entity that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// `kind:id`
    pub entity: String,
    /// What is different.
    pub changes: Vec<FieldChange>,
}

/// One value that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The key, as in files.
    pub field: &'static str,
    /// Which element of a list: the text of an alias, a ticker, a cue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// What the first says; none if it says nothing.
    pub before: Option<String>,
    /// What the second says.
    pub after: Option<String>,
}

impl Diff {
    /// What `after` has different from `before`.
    pub fn between(before: &Gazetteer, after: &Gazetteer) -> Self {
        let name = |entity: &EntityDef| format!("{}:{}", entity.kind, entity.id);
        let without = |a: &Gazetteer, b: &Gazetteer| {
            a.entities().iter().filter(|entity| b.get(&entity.kind, &entity.id).is_none()).map(name).collect()
        };
        let changed = before.entities().iter().filter_map(|old| {
            let new = after.get(&old.kind, &old.id)?;
            let changes = changes(old, new);
            (!changes.is_empty()).then(|| Changed { entity: name(old), changes })
        });
        Self { added: without(after, before), removed: without(before, after), changed: changed.collect() }
    }

    /// Whether both are the same.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

fn changes(old: &EntityDef, new: &EntityDef) -> Vec<FieldChange> {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let flag = |flag: bool| flag.then(|| "true".to_owned());
    let values = |entity: &EntityDef| {
        [
            ("name", some(&entity.name)),
            ("type", some(&entity.class)),
            ("vendor", entity.vendor.clone()),
            ("parent", entity.parent.clone()),
            ("jurisdiction", entity.jurisdiction.clone()),
            ("wikidata", entity.wikidata.clone()),
            ("lei", entity.lei.clone()),
            ("negative", flag(entity.negative)),
            ("legal_tail", flag(entity.legal_tail)),
            ("note", entity.note.clone()),
            ("source", entity.source.clone()),
        ]
    };
    let mut found = Vec::new();
    for ((field, before), (_, after)) in values(old).into_iter().zip(values(new)) {
        if before != after {
            found.push(FieldChange { field, item: None, before, after });
        }
    }
    let set = |list: &[String]| list.iter().map(|item| (item.clone(), "listed".to_owned())).collect();
    let aliases = |entity: &EntityDef| joined(entity.aliases.iter().map(|alias| (alias.text.clone(), describe(alias))));
    let facts = |entity: &EntityDef| joined(entity.facts.iter().map(|fact| (fact.text.clone(), dates(fact))));
    for (field, before, after) in [
        ("aliases", aliases(old), aliases(new)),
        ("tickers", set(&old.tickers), set(&new.tickers)),
        ("cues", set(&old.cues), set(&new.cues)),
        ("against", set(&old.against), set(&new.against)),
        ("by_country", old.by_country.clone(), new.by_country.clone()),
        ("fact", facts(old), facts(new)),
    ] {
        let items: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for item in items {
            let (before, after) = (before.get(item).cloned(), after.get(item).cloned());
            if before != after {
                found.push(FieldChange { field, item: Some(item.clone()), before, after });
            }
        }
    }
    found
}

/// What is said of each item; of one that is there several times, all of it.
fn joined(items: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (item, said) in items {
        let there = all.entry(item).or_default();
        there.push_str(if there.is_empty() { "" } else { " + " });
        there.push_str(&said);
    }
    all
}

fn describe(alias: &Alias) -> String {
    let lang = alias.lang.as_ref().map(|lang| format!(", lang {lang}"));
    let parts = [alias.plural.then_some(", plural"), alias.case.then_some(", case"), lang.as_deref()];
    format!("{}{}", alias.mode, parts.into_iter().flatten().collect::<String>())
}

fn dates(fact: &Fact) -> String {
    let part = |word: &str, value: &Option<String>| value.as_ref().map(|value| format!("{word} {value}"));
    let parts = [part("from", &fact.valid_from), part("to", &fact.valid_to), part("after", &fact.source)];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if text.is_empty() { "undated".to_owned() } else { text }
}
