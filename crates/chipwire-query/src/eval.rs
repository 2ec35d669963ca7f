//! What a query means: an evaluator over the analysed fields of one document.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::{
    Node, Query, TextField,
    analyze::{Token, Tokens},
    ast::language_ranges,
};

/// The terms of one field, with their ascending positions.
#[derive(Debug, Clone, Default)]
pub struct TermPositions {
    by_term: HashMap<String, Vec<u32>>,
}

impl TermPositions {
    /// Analyses `text`.
    pub fn of(text: &str) -> Self {
        let mut by_term: HashMap<String, Vec<u32>> = HashMap::new();
        let mut tokens = Tokens::new(text);
        let mut token = Token::default();
        while tokens.advance(&mut token) {
            if let Some(positions) = by_term.get_mut(&token.text) {
                positions.push(token.position);
            } else {
                by_term.insert(std::mem::take(&mut token.text), vec![token.position]);
            }
        }
        Self { by_term }
    }

    /// The positions of a term.
    pub fn positions(&self, term: &str) -> &[u32] {
        self.by_term.get(term).map_or(&[], Vec::as_slice)
    }

    /// The positions of all terms that start with `prefix`, ascending and without repetition.
    pub fn with_prefix(&self, prefix: &str) -> Vec<u32> {
        let matching = self.by_term.iter().filter(|(term, _)| term.starts_with(prefix));
        let mut positions: Vec<u32> = matching.flat_map(|(_, positions)| positions.iter().copied()).collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    /// The distinct terms, in no particular order.
    pub fn terms(&self) -> impl Iterator<Item = (&str, &[u32])> {
        self.by_term.iter().map(|(term, positions)| (term.as_str(), positions.as_slice()))
    }
}

/// What queries can ask about one document, analysed once.
#[derive(Debug, Clone)]
pub struct Fields {
    title: TermPositions,
    body: TermPositions,
    source: TermPositions,
    feed: String,
    languages: Vec<String>,
    published: Timestamp,
    entities: BTreeSet<(String, String)>,
}

impl Fields {
    /// The fields of a document that was published at `published` and has nothing else yet.
    pub fn new(published: Timestamp) -> Self {
        Self {
            title: TermPositions::default(),
            body: TermPositions::default(),
            source: TermPositions::default(),
            feed: String::new(),
            languages: Vec::new(),
            published,
            entities: BTreeSet::new(),
        }
    }

    /// Sets the title and the body, as plain text.
    #[must_use]
    pub fn with_text(mut self, title: &str, body: &str) -> Self {
        self.title = TermPositions::of(title);
        self.body = TermPositions::of(body);
        self
    }

    /// Sets the name of the source and the id of the feed.
    #[must_use]
    pub fn with_origin(mut self, source: &str, feed: &str) -> Self {
        self.source = TermPositions::of(source);
        self.feed = feed.to_lowercase();
        self
    }

    /// Sets the language, a BCP 47 tag.
    #[must_use]
    pub fn with_language(mut self, language: Option<&str>) -> Self {
        self.languages = language.map(language_ranges).unwrap_or_default();
        self
    }

    /// Adds an entity that the document mentions.
    #[must_use]
    pub fn with_entity(mut self, kind: &str, id: &str) -> Self {
        self.entities.insert((kind.to_owned(), id.to_lowercase()));
        self
    }

    /// The terms of a text field.
    pub fn text(&self, field: TextField) -> &TermPositions {
        match field {
            TextField::Title => &self.title,
            TextField::Body => &self.body,
        }
    }

    /// The terms of the source's name.
    pub fn source(&self) -> &TermPositions {
        &self.source
    }

    /// The feed's id, lower-case.
    pub fn feed(&self) -> &str {
        &self.feed
    }

    /// The language and the wider ones that it belongs to, the most exact first: `zh-hant-tw`, `zh-hant`, `zh`.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().map(String::as_str)
    }

    /// The entities, as kind and id.
    pub fn entities(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entities.iter().map(|(kind, id)| (kind.as_str(), id.as_str()))
    }

    /// When the document was published.
    pub fn published(&self) -> Timestamp {
        self.published
    }
}

/// True when the document with these `fields` matches `query` at the time `now`. Search and alerts must agree with it.
pub fn matches(query: &Query, fields: &Fields, now: Timestamp) -> bool {
    holds(query.root(), fields, now)
}

fn holds(node: &Node, fields: &Fields, now: Timestamp) -> bool {
    match node {
        Node::All => true,
        Node::And(parts) => parts.iter().all(|part| holds(part, fields, now)),
        Node::Or(parts) => parts.iter().any(|part| holds(part, fields, now)),
        Node::Not(inner) => !holds(inner, fields, now),
        Node::Term { field, .. } | Node::Prefix { field, .. } | Node::Phrase { field, .. } => {
            let Some(pattern) = node.pattern() else { return false };
            match field {
                Some(field) => pattern.matches(fields.text(*field)),
                None => pattern.matches(&fields.title) || pattern.matches(&fields.body),
            }
        }
        Node::Source { .. } => node.pattern().is_some_and(|pattern| pattern.matches(&fields.source)),
        Node::Entity { kind, id } => fields.entities().any(|entity| entity == (kind.as_str(), id.as_str())),
        Node::AnyEntity { kind } => fields.entities().any(|(of, _)| of == kind),
        Node::Feed { id } => fields.feed == *id,
        Node::Lang { range } => fields.languages().any(|tag| tag == range),
        Node::Published(range) => range.contains(fields.published, now),
    }
}
