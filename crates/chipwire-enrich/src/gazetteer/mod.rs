//! The gazetteer: the entities that can be tagged, their names, and what tells one sense of a name from another.
//!
//! It is data: one TOML file per kind under `gazetteer/`, reviewed like code and read when the program is built (`build.rs`),
//! and the files of an overlay that its users lay over it (`overlay.rs`). A new kind is a new file. Reading is strict: an unknown key, a name that two entities claim, or a vendor that does not
//! exist is an error that names the file, the line, the entity and what would be right (`draft.rs`, `check.rs`).

mod check;
mod date;
mod diff;
mod draft;
mod exchange;
mod file;
mod finding;
pub mod import;
mod lines;
mod lint;
mod lookup;
mod overlay;

use std::collections::BTreeMap;

use serde::Serialize;

pub(crate) use self::exchange::{Exchange, normal_code};
pub(crate) use self::lint::{frequent_words, is_frequent};
pub use self::{
    diff::{Changed, Diff, FieldChange},
    draft::Draft,
    file::{Alias, Allow, Fact, Mode},
    finding::{Finding, Severity},
    lookup::{By, Hit},
};
use crate::error::Result;

/// Counts up whenever the tagger finds something else in the same text with the same gazetteer.
pub const TAGGER_VERSION: u32 = 10;

/// The files that are part of the program, each with its name.
const BUILTIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/gazetteer.postcard"));

/// The kind whose entities are named by `vendor` and `parent`.
pub(crate) const VENDOR_KIND: &str = "company";

/// An entity that can be tagged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntityDef {
    /// `company`, `chip`, `policy`, or what else there is a file for.
    pub kind: String,
    /// Unique within its kind: lower-case letters, digits and hyphens.
    pub id: String,
    /// The canonical name.
    pub name: String,
    /// A class in free text: `gpu/datacenter`, `agency`.
    pub class: String,
    /// The company that makes it, by id.
    pub vendor: Option<String>,
    /// The company that owns it, by id.
    pub parent: Option<String>,
    /// The state or union whose rule or agency it is: `US`, `CN`, `EU`.
    pub jurisdiction: Option<String>,
    /// Its item in Wikidata: `Q182477`.
    pub wikidata: Option<String>,
    /// Its legal entity identifier (ISO 17442).
    pub lei: Option<String>,
    /// `EXCHANGE:CODE`, the main listing first.
    pub tickers: Vec<String>,
    /// Its names.
    pub aliases: Vec<Alias>,
    /// Words and phrases that speak for it, in lower case; a trailing `*` stands for any ending.
    pub cues: Vec<String>,
    /// Words and phrases that speak against it.
    pub against: Vec<String>,
    /// A sense to be told apart and never tagged.
    pub negative: bool,
    /// Which entity of the same kind is meant when a country is named with it; an empty id means none of ours. `*` stands
    /// for every other country and for none at all.
    pub by_country: BTreeMap<String, String>,
    /// Whether a legal form after a name belongs to the mention.
    pub legal_tail: bool,
    /// For reviewers: what its names can be confused with.
    pub note: Option<String>,
    /// Where the entry comes from.
    pub source: Option<String>,
    /// What was true of it, and when.
    pub facts: Vec<Fact>,
    /// Findings of the linter that are as they should be.
    #[serde(skip)]
    pub allow: Vec<Allow>,
}

/// A set of entities that was checked, with a digest that stands for all of it.
#[derive(Debug, Clone)]
pub struct Gazetteer {
    entities: Vec<EntityDef>,
    digest: String,
}

impl Gazetteer {
    /// The gazetteer that is part of the program.
    pub fn builtin() -> Result<Self> {
        Self::try_from(Draft::builtin()?)
    }

    /// Reads a whole gazetteer from files given as (name, text); the name is used in errors only.
    pub fn from_files(files: &[(&str, &str)]) -> Result<Self> {
        Self::try_from(Draft::from_files(files))
    }

    /// The gazetteer that is part of the program under the files of an overlay, given as (name, text).
    pub fn with_overlay(files: &[(&str, &str)]) -> Result<Self> {
        Self::try_from(Draft::builtin()?.with_overlay(files))
    }

    /// `entities` are checked, and sorted by kind and id.
    fn of(entities: Vec<EntityDef>) -> Self {
        let digest = digest(&entities);
        Self { entities, digest }
    }

    /// 32 hexadecimal digits that change whenever an entity or the tagger does: the first 16 bytes of a BLAKE3 hash.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Every entity, by kind and then by id; those that are only told apart ([`EntityDef::negative`]) too.
    pub fn entities(&self) -> &[EntityDef] {
        &self.entities
    }

    /// The entity `id` of `kind`.
    pub fn get(&self, kind: &str, id: &str) -> Option<&EntityDef> {
        self.position(kind, id).and_then(|at| self.entities.get(at))
    }

    pub(crate) fn position(&self, kind: &str, id: &str) -> Option<usize> {
        self.entities.binary_search_by(|entity| (entity.kind.as_str(), entity.id.as_str()).cmp(&(kind, id))).ok()
    }
}

/// Over the canonical form (sorted, every field, as JSON) and the version of the tagger.
fn digest(entities: &[EntityDef]) -> String {
    let canonical = serde_json::to_string(entities).unwrap_or_default();
    chipwire_events::hash_hex(16, &["gazetteer", &TAGGER_VERSION.to_string(), &canonical])
}
