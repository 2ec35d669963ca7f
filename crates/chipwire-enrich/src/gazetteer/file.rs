//! The form of a gazetteer file, as it is written by people. No field may be left out when it is written: the binary form
//! that is built in has no names of fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One file: all entities of one kind, or some of them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Lower-case letters: `company`, `chip`, `policy`.
    pub(super) kind: String,
    /// Whether a legal form after the name (`Inc.`, `Co., Ltd.`) belongs to the mention.
    #[serde(default)]
    pub(super) legal_tail: bool,
    /// Cues that every entity of the file has.
    #[serde(default)]
    pub(super) cues: Vec<String>,
    /// Counter-cues that every entity of the file has.
    #[serde(default)]
    pub(super) against: Vec<String>,
    #[serde(default)]
    pub(super) entity: Vec<Entry>,
}

/// One entity of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(rename = "type", default)]
    pub(super) class: String,
    pub(super) vendor: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) jurisdiction: Option<String>,
    pub(super) wikidata: Option<String>,
    pub(super) lei: Option<String>,
    #[serde(default)]
    pub(super) tickers: Vec<String>,
    #[serde(default)]
    pub(super) aliases: Vec<Alias>,
    #[serde(default)]
    pub(super) cues: Vec<String>,
    #[serde(default)]
    pub(super) against: Vec<String>,
    #[serde(default)]
    pub(super) negative: bool,
    #[serde(default)]
    pub(super) by_country: BTreeMap<String, String>,
    pub(super) note: Option<String>,
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) fact: Vec<Fact>,
    #[serde(default)]
    pub(super) allow: Vec<Allow>,
}

/// A finding of the linter that is as it should be. It is no part of what the digest stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// The name of the check.
    pub check: String,
    /// The alias that it is about; left out, all of the entity.
    #[serde(default)]
    pub alias: Option<String>,
    /// Why it is right as it is.
    pub because: String,
}

/// When an alias counts as a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Always, in any case.
    Free,
    /// In exactly this case; where everything is in capitals, with a cue.
    Cased,
    /// With a cue near by or in the document, and no stronger evidence against it.
    Cue,
    /// In exactly this case, behind a longer name of the entity in the same text: `Commerce` after `Commerce Department`.
    After,
    /// Never alone: only inside a longer alias, or as a ticker. Written down so that nobody adds it.
    Never,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Mode::Free => "free",
            Mode::Cased => "cased",
            Mode::Cue => "cue",
            Mode::After => "after",
            Mode::Never => "never",
        })
    }
}

/// A name of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// The name as it is written.
    pub text: String,
    /// When it counts.
    pub mode: Mode,
    /// The language as a BCP 47 tag, where it is not English or of no language.
    #[serde(default)]
    pub lang: Option<String>,
    /// Whether the name with an `s` is a name too.
    #[serde(default)]
    pub plural: bool,
    /// Whether only exactly this case counts; for mode `cue`, `cased` implies it.
    #[serde(default)]
    pub case: bool,
}

/// Something that was true of an entity for a time, with where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The fact, in words.
    pub text: String,
    /// The day, month or year from which it holds, as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// The day, month or year until which it holds, in the same form.
    #[serde(default)]
    pub valid_to: Option<String>,
    /// Where it is written.
    #[serde(default)]
    pub source: Option<String>,
}
