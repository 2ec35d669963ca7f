//! Mentions of entities, and what they add up to in one article.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;

/// An entity as `kind:id`, for example `company:nvidia`. Kinds are data: `company`, `chip` and `policy` today.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityRef {
    /// Lower-case letters.
    pub kind: String,
    /// Lower-case letters, digits and hyphens; unique within its kind.
    pub id: String,
}

impl EntityRef {
    /// The reference to entity `id` of `kind`.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

impl FromStr for EntityRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once(':') {
            Some((kind, id)) if !kind.is_empty() && !id.is_empty() => Ok(Self::new(kind, id)),
            _ => Err(Error::EntityRef(text.to_owned())),
        }
    }
}

/// The part of an article that a mention stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// [`Article::title`](crate::Article::title).
    Title,
    /// [`Article::body`](crate::Article::body).
    Body,
}

/// One place in an article that names an entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mention {
    /// Where it stands.
    pub field: Field,
    /// The first byte of the mention in the field as it was fetched (UTF-8, at a character boundary).
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The kind of entity: `company`, `chip`, `policy`.
    pub kind: String,
    /// The entity's id within its kind.
    pub entity: String,
    /// The entity's canonical name.
    pub name: String,
    /// The bytes `start..end` of the field.
    pub surface: String,
    /// How sure the tagger is, from 0 to 1 in steps of 0.01.
    pub confidence: f64,
    /// Why it was tagged, in the order in which the reasons counted: `alias:free`, `cue:gpu`, `vendor:nvidia`, ...
    pub reasons: Vec<String>,
}

/// How much an article is about an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Salience {
    /// It is about it.
    Primary,
    /// It has a part in it.
    Secondary,
    /// It is only named.
    Passing,
}

/// An entity that an article mentions, with what its mentions add up to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entity {
    /// The kind of entity.
    pub kind: String,
    /// The entity's id within its kind.
    pub entity: String,
    /// Its canonical name.
    pub name: String,
    /// The number of mentions.
    pub count: u32,
    /// How much the article is about it, in words.
    pub salience: Salience,
    /// How much the article is about it, from 0 to 1 in steps of 0.01.
    pub score: f64,
}

impl Entity {
    /// The entity as `kind:id`.
    pub fn reference(&self) -> EntityRef {
        EntityRef::new(&self.kind, &self.entity)
    }
}
