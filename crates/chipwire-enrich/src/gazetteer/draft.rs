//! Entities as files say, with their places, before anything is checked.

use serde::de::DeserializeOwned;

use super::{
    BUILTIN, EntityDef, Finding, Gazetteer, Severity, check,
    file::{Entry, File},
    lines::{KEYS, Lines, lines},
    lint, overlay,
};
use crate::{Error, error::Result};

/// A place in one of the draft's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    /// The number of the file.
    pub(super) file: usize,
    pub(super) line: u32,
}

/// Where an entity and its parts stand.
#[derive(Debug, Clone)]
pub(super) struct Spots {
    pub(super) table: Spot,
    keys: Vec<(u8, Spot)>,
    /// As many as the entity has aliases.
    pub(super) aliases: Vec<Spot>,
    /// As many as the entity has facts.
    pub(super) facts: Vec<Spot>,
}

impl Spots {
    pub(super) fn new(file: usize, lines: &Lines, def: &EntityDef) -> Self {
        let spot = |line: &u32| Spot { file, line: *line };
        let table = spot(&lines.table);
        let mut spots = Self {
            table,
            keys: lines.keys.iter().map(|(key, line)| (*key, spot(line))).collect(),
            aliases: lines.aliases.iter().map(spot).collect(),
            facts: lines.facts.iter().map(spot).collect(),
        };
        spots.aliases.resize(def.aliases.len(), table);
        spots.facts.resize(def.facts.len(), table);
        spots
    }

    /// The place of `key`, or that of the table.
    pub(super) fn key(&self, key: &str) -> Spot {
        let found = self.keys.iter().find(|(number, _)| KEYS.get(usize::from(*number)) == Some(&key));
        found.map_or(self.table, |(_, spot)| *spot)
    }

    /// Notes that `key` is now said at `spot`.
    pub(super) fn set_key(&mut self, key: &str, spot: Spot) {
        let Some(number) = KEYS.iter().position(|known| *known == key).and_then(|at| u8::try_from(at).ok()) else {
            return;
        };
        self.keys.retain(|(known, _)| *known != number);
        self.keys.push((number, spot));
    }
}

/// An entity with its places.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    pub(super) def: EntityDef,
    pub(super) spots: Spots,
}

impl Entity {
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.def.kind, self.def.id)
    }
}

/// Entities as files say, before they are checked: what [`Gazetteer`]s are made of, and what the linter looks at.
#[derive(Debug, Clone)]
pub struct Draft {
    pub(super) files: Vec<String>,
    pub(super) entities: Vec<Entity>,
    /// What could not be read or applied.
    pub(super) problems: Vec<Finding>,
}

/// What is wrong at one place: the check, the problem and the advice.
pub(super) struct Wrong {
    pub(super) check: &'static str,
    pub(super) problem: String,
    pub(super) advice: String,
}

pub(super) fn wrong(check: &'static str, problem: impl Into<String>, advice: impl Into<String>) -> Wrong {
    Wrong { check, problem: problem.into(), advice: advice.into() }
}

impl Draft {
    /// Nothing.
    pub fn empty() -> Self {
        Self { files: Vec::new(), entities: Vec::new(), problems: Vec::new() }
    }

    /// What is part of the program.
    pub fn builtin() -> Result<Self> {
        let files: Vec<(String, File, Vec<Lines>)> = postcard::from_bytes(BUILTIN)?;
        let mut draft = Self::empty();
        for (name, file, lines) in files {
            draft.add_file(name, file, &lines);
        }
        draft.sort();
        Ok(draft)
    }

    /// A whole gazetteer from files given as (name, text); the name is used in findings only.
    pub fn from_files(files: &[(&str, &str)]) -> Self {
        let mut draft = Self::empty();
        for (name, text) in files {
            match parse::<File>(name, text) {
                Ok(file) => {
                    let [lines] = lines(text, ["entity"]);
                    draft.add_file((*name).to_owned(), file, &lines);
                }
                Err(finding) => draft.problems.push(*finding),
            }
        }
        draft.sort();
        draft
    }

    /// With the files of an overlay, given as (name, text), laid over it: what they add first, then their changes in the order
    /// of the files and of their lines, then what they silence.
    #[must_use]
    pub fn with_overlay(mut self, files: &[(&str, &str)]) -> Self {
        let mut parsed = Vec::new();
        for (name, text) in files {
            match parse::<overlay::File>(name, text) {
                Ok(file) => parsed.push(overlay::Parsed::new(name, text, file)),
                Err(finding) => self.problems.push(*finding),
            }
        }
        overlay::lay(&mut self, parsed);
        self
    }

    /// Everything for which [`Gazetteer::try_from`] would refuse it, in the order of files and lines.
    pub fn problems(&self) -> Vec<Finding> {
        let mut found = self.problems.clone();
        for entity in &self.entities {
            check::entity(self, entity, &mut found);
        }
        check::together(self, &mut found);
        found.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        found
    }

    /// Everything that is wrong or doubtful, in the order of files and lines: what [`Self::problems`] says, and what the linter
    /// finds. What an entity's `allow` names is left out.
    pub fn lint(&self) -> Vec<Finding> {
        let mut found = self.problems();
        lint::lint(self, &mut found);
        found.sort_by(|a, b| (&a.file, a.line, a.check).cmp(&(&b.file, b.line, b.check)));
        found
    }

    pub(super) fn add_file(&mut self, name: String, file: File, lines: &[Lines]) {
        self.files.push(name);
        let at = self.files.len() - 1;
        if let Some(wrong) = check::kind(&file.kind) {
            let spot = Spot { file: at, line: 0 };
            let finding = self.finding(spot, Severity::Error, wrong);
            self.problems.push(finding);
            return;
        }
        let fallback = Lines::default();
        for (number, entry) in file.entity.into_iter().enumerate() {
            let def = definition(entry, &file.kind, file.legal_tail, &file.cues, &file.against);
            let spots = Spots::new(at, lines.get(number).unwrap_or(&fallback), &def);
            self.entities.push(Entity { def, spots });
        }
    }

    pub(super) fn sort(&mut self) {
        self.entities.sort_by(|a, b| (&a.def.kind, &a.def.id).cmp(&(&b.def.kind, &b.def.id)));
    }

    /// The first entity `id` of `kind`, where the draft is sorted.
    pub(super) fn position(&self, kind: &str, id: &str) -> Option<usize> {
        let at =
            self.entities.partition_point(|entity| (entity.def.kind.as_str(), entity.def.id.as_str()) < (kind, id));
        self.entities.get(at).filter(|entity| entity.def.kind == kind && entity.def.id == id).map(|_| at)
    }

    pub(super) fn finding(&self, spot: Spot, severity: Severity, wrong: Wrong) -> Finding {
        let Wrong { check, problem, advice } = wrong;
        let file = self.files.get(spot.file).cloned().unwrap_or_default();
        Finding { severity, check, file, line: spot.line, entity: None, key: None, alias: None, problem, advice }
    }

    /// Something about `key` of `entity`.
    pub(super) fn about(&self, entity: &Entity, key: &str, severity: Severity, wrong: Wrong) -> Finding {
        let finding = self.finding(entity.spots.key(key), severity, wrong);
        Finding { entity: Some(entity.name()), key: Some(key.to_owned()), ..finding }
    }

    /// Something about the alias `at` of `entity`.
    pub(super) fn about_alias(&self, entity: &Entity, at: usize, severity: Severity, wrong: Wrong) -> Finding {
        let spot = entity.spots.aliases.get(at).copied().unwrap_or(entity.spots.table);
        let alias = entity.def.aliases.get(at).map(|alias| alias.text.clone());
        let finding = self.finding(spot, severity, wrong);
        Finding { entity: Some(entity.name()), key: Some("aliases".to_owned()), alias, ..finding }
    }
}

impl TryFrom<Draft> for Gazetteer {
    type Error = Error;

    /// Checks it.
    ///
    /// # Errors
    /// The first of [`Draft::problems`].
    fn try_from(draft: Draft) -> Result<Self> {
        if let Some(first) = draft.problems().into_iter().next() {
            return Err(Error::Wrong(Box::new(first)));
        }
        Ok(Self::of(draft.entities.into_iter().map(|entity| entity.def).collect()))
    }
}

pub(super) fn definition(entry: Entry, kind: &str, legal_tail: bool, cues: &[String], against: &[String]) -> EntityDef {
    EntityDef {
        kind: kind.to_owned(),
        id: entry.id,
        name: entry.name,
        class: entry.class,
        vendor: entry.vendor,
        parent: entry.parent,
        jurisdiction: entry.jurisdiction,
        wikidata: entry.wikidata,
        lei: entry.lei,
        tickers: entry.tickers,
        aliases: entry.aliases,
        cues: entry.cues.into_iter().chain(cues.iter().cloned()).collect(),
        against: entry.against.into_iter().chain(against.iter().cloned()).collect(),
        negative: entry.negative,
        by_country: entry.by_country,
        legal_tail,
        note: entry.note,
        source: entry.source,
        facts: entry.fact,
        allow: entry.allow,
    }
}

/// Reads a file. What is wrong with its form is found by its line, the table that the line is in, and its key.
fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Box<Finding>> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let (table, entity) = table_of(text, line);
        let key = text.lines().nth(line).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim().to_owned());
        let is_key = |key: &String| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let message = error.message().lines().map(str::trim).collect::<Vec<_>>().join(", ");
        Box::new(Finding {
            severity: Severity::Error,
            check: "form",
            file: name.to_owned(),
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            entity,
            key: key.filter(is_key),
            alias: None,
            problem: table.map_or(message.clone(), |table| format!("in `{table}`: {message}")),
            advice: String::new(),
        })
    })
}

/// The header of the table that line `at` (from 0) is in, and which entity it is about.
fn table_of(text: &str, at: usize) -> (Option<String>, Option<String>) {
    let quoted = |line: &str, key: &str| {
        let value = line.trim().strip_prefix(key)?.trim_start().strip_prefix('=')?.trim();
        value.strip_prefix('"')?.split('"').next().map(str::to_owned)
    };
    let headers = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with('['));
    let is_part = |line: &str| line.trim_start().trim_start_matches('[').contains('.');
    let kind = text.lines().find_map(|line| quoted(line, "kind"));
    let (mut header, mut whole) = (None, None);
    for (number, line) in headers.take_while(|(number, _)| *number <= at) {
        header = Some(line.trim().to_owned());
        // A table `[[entity.fact]]` belongs to the entity before it.
        if !is_part(line) {
            whole = Some(number);
        }
    }
    let id = whole.and_then(|begin| {
        let mut inside = text.lines().skip(begin + 1).take_while(|line| !line.trim_start().starts_with('['));
        inside.find_map(|line| quoted(line, "id"))
    });
    (header, kind.zip(id).map(|(kind, id)| format!("{kind}:{id}")))
}
