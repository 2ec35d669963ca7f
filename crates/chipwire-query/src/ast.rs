//! The tree of a query.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ParseError, Pattern, TimeRange, parse, time::TimeBound};

/// A field that holds text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextField {
    /// The headline.
    Title,
    /// What stands below it.
    Body,
}

impl TextField {
    /// Its name in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
        }
    }
}

/// What a document must be like. A text without `field` is looked for in the title and in the body: one of them must
/// match as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// `*`: every document.
    All,
    /// `a b`, `a AND b`: all of them.
    And(Vec<Node>),
    /// `a OR b`: at least one of them.
    Or(Vec<Node>),
    /// `NOT a`, `-a`.
    Not(Box<Node>),
    /// `word`, `title:word`: a word, or several that stand together when the text is analysed to more than one.
    Term {
        /// Where to look.
        field: Option<TextField>,
        /// As it was written.
        text: String,
    },
    /// `semicond*`, `"export contr"*`: the last word of the text may go on.
    Prefix {
        /// Where to look.
        field: Option<TextField>,
        /// As it was written, without the star.
        text: String,
    },
    /// `"export controls"`, `"export chips"~3`: words in this order, with up to `slop` others between them.
    Phrase {
        /// Where to look.
        field: Option<TextField>,
        /// As it was written.
        text: String,
        /// Words allowed between, in all.
        slop: u32,
    },
    /// `company:alibaba`: the document mentions the entity.
    Entity {
        /// The kind, lower-case. Kinds are data: any name that is not a built-in field is one.
        kind: String,
        /// The id within the kind, lower-case.
        id: String,
    },
    /// `company:*`: the document mentions some entity of the kind.
    AnyEntity {
        /// The kind, lower-case.
        kind: String,
    },
    /// `source:"Chip Daily"`: these words stand together in the name of the source.
    Source {
        /// As it was written.
        text: String,
    },
    /// `feed:0123456789abcdef`: the id of the feed.
    Feed {
        /// The id, lower-case.
        id: String,
    },
    /// `lang:zh`: the language, or a variety of it such as `zh-hant` (basic filtering of RFC 4647).
    Lang {
        /// The start of a BCP 47 tag, lower-case with hyphens.
        range: String,
    },
    /// `published:>2026-01-01`: the time of publication.
    Published(TimeRange),
}

/// A query: a tree in canonical form, so that equal queries print alike and what is printed parses to an equal query.
///
/// In that form no `And` stands directly in an `And` and no `Or` in an `Or`, each has at least two parts, `Not` is never
/// doubled, a text has at least one letter or digit, and what can match nothing is `Not(All)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    root: Node,
}

impl Query {
    /// The query of a tree, brought into canonical form. Kinds of entities must be names that [`parse`] accepts.
    pub fn new(root: Node) -> Self {
        Self { root: canonical(root) }
    }

    /// The query that every document matches.
    pub fn all() -> Self {
        Self { root: Node::All }
    }

    /// The tree, in canonical form.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// What the query looks for in titles and bodies and does not exclude: for highlighting.
    pub fn wanted_patterns(&self) -> Vec<(Option<TextField>, Pattern)> {
        let mut patterns = Vec::new();
        self.root.visit_wanted(&mut |node| {
            if let (Node::Term { field, .. } | Node::Prefix { field, .. } | Node::Phrase { field, .. }, Some(pattern)) =
                (node, node.pattern())
            {
                patterns.push((*field, pattern));
            }
        });
        patterns
    }

    /// The entities that the query looks for and does not exclude, as kind and id.
    pub fn wanted_entities(&self) -> Vec<(&str, &str)> {
        let mut entities = Vec::new();
        self.root.visit_wanted(&mut |node| {
            if let Node::Entity { kind, id } = node {
                entities.push((kind.as_str(), id.as_str()));
            }
        });
        entities
    }
}

impl FromStr for Query {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text)
    }
}

impl Serialize for Query {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Node {
    /// The tree that no document matches.
    pub fn nothing() -> Self {
        Node::Not(Box::new(Node::All))
    }

    /// What a `Term`, `Prefix`, `Phrase` or `Source` asks of its field's tokens; `None` for the others.
    pub fn pattern(&self) -> Option<Pattern> {
        match self {
            Node::Term { text, .. } | Node::Source { text } => Some(Pattern::term(text)),
            Node::Prefix { text, .. } => Some(Pattern::prefix(text)),
            Node::Phrase { text, slop, .. } => Some(Pattern::phrase(text, *slop)),
            _ => None,
        }
    }

    fn visit_wanted<'n>(&'n self, visit: &mut impl FnMut(&'n Node)) {
        match self {
            Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| part.visit_wanted(visit)),
            Node::Not(_) => {}
            leaf => visit(leaf),
        }
    }
}

pub(crate) fn canonical(node: Node) -> Node {
    match node {
        Node::And(parts) => {
            let mut flat = Vec::with_capacity(parts.len());
            for part in parts.into_iter().map(canonical) {
                match part {
                    Node::And(inner) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            if flat.len() < 2 { flat.pop().unwrap_or(Node::All) } else { Node::And(flat) }
        }
        Node::Or(parts) => {
            let mut flat = Vec::with_capacity(parts.len());
            for part in parts.into_iter().map(canonical) {
                match part {
                    Node::Or(inner) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            if flat.len() < 2 { flat.pop().unwrap_or_else(Node::nothing) } else { Node::Or(flat) }
        }
        Node::Not(inner) => match canonical(*inner) {
            Node::Not(twice) => *twice,
            other => Node::Not(Box::new(other)),
        },
        Node::Published(range) => {
            let bound = |bound: TimeBound| TimeBound { point: bound.point.canonical(), ..bound };
            Node::Published(TimeRange { from: range.from.map(bound), to: range.to.map(bound) })
        }
        Node::Entity { kind, id } if !id.trim().is_empty() => Node::Entity { kind, id: id.trim().to_lowercase() },
        Node::Feed { id } if !id.trim().is_empty() => Node::Feed { id: id.trim().to_lowercase() },
        Node::Lang { range } if !range.trim().is_empty() => Node::Lang { range: language_tag(&range) },
        Node::Entity { .. } | Node::Feed { .. } | Node::Lang { .. } => Node::nothing(),
        leaf => match leaf.pattern() {
            Some(pattern) if pattern.is_empty() => Node::nothing(),
            _ => leaf,
        },
    }
}

/// A language tag in lower case with hyphens, as it is compared.
pub(crate) fn language_tag(tag: &str) -> String {
    tag.trim().to_lowercase().replace('_', "-")
}

/// A language tag and the wider ones that it belongs to, in the form in which they are compared, the most exact first:
/// `zh-Hant-TW` gives `zh-hant-tw`, `zh-hant` and `zh`.
pub fn language_ranges(tag: &str) -> Vec<String> {
    let tag = language_tag(tag);
    let wider = |tag: &String| tag.rsplit_once('-').map(|(wider, _)| wider.to_owned());
    std::iter::successors((!tag.is_empty()).then_some(tag), wider).collect()
}
