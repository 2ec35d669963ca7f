//! What a document must have for a query to be worth evaluating.

use std::collections::{BTreeSet, HashMap};

use chipwire_query::{Fields, Node, Query, TextField};

/// Something that a document has or has not, and that can be looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    /// It mentions this entity.
    Entity { kind: String, id: String },
    /// It mentions some entity of this kind.
    Kind(String),
    /// This term stands in its title or body.
    Term(String),
    /// This term stands in the name of its source.
    Source(String),
    /// It is from this feed.
    Feed(String),
    /// It is in this language.
    Lang(String),
}

impl Key {
    /// A rough guess of how many documents of a thousand have it.
    fn cost(&self) -> usize {
        match self {
            Key::Feed(_) => 5,
            Key::Entity { .. } => 10,
            Key::Source(_) => 20,
            // Long words are rare words.
            Key::Term(term) => 200 / term.chars().count().clamp(1, 10),
            Key::Kind(_) | Key::Lang(_) => 500,
        }
    }
}

/// Every document that matches the query has at least one of these; `None` if nothing of the sort can be said. Without
/// any key, no document matches.
fn required(node: &Node) -> Option<BTreeSet<Key>> {
    let one = |key| Some(BTreeSet::from([key]));
    match node {
        Node::And(parts) => {
            parts.iter().filter_map(required).min_by_key(|keys| keys.iter().map(Key::cost).sum::<usize>())
        }
        Node::Or(parts) => parts.iter().map(required).try_fold(BTreeSet::new(), |mut all, keys| {
            all.extend(keys?);
            Some(all)
        }),
        Node::Not(inner) => matches!(**inner, Node::All).then(BTreeSet::new),
        Node::All | Node::Published(_) => None,
        Node::Entity { kind, id } => one(Key::Entity { kind: kind.clone(), id: id.clone() }),
        Node::AnyEntity { kind } => one(Key::Kind(kind.clone())),
        Node::Feed { id } => one(Key::Feed(id.clone())),
        Node::Lang { range } => one(Key::Lang(range.clone())),
        Node::Source { .. } => one(Key::Source(rarest_term(node)?)),
        Node::Term { .. } | Node::Prefix { .. } | Node::Phrase { .. } => one(Key::Term(rarest_term(node)?)),
    }
}

/// The longest term that must stand there as it is.
fn rarest_term(node: &Node) -> Option<String> {
    let mut pattern = node.pattern()?;
    if pattern.is_prefix {
        pattern.terms.pop();
    }
    pattern.terms.into_iter().map(|term| term.text).max_by_key(|text| text.chars().count())
}

/// Numbers by the keys that lead to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Anchors {
    entities: HashMap<(String, String), Vec<usize>>,
    kinds: HashMap<String, Vec<usize>>,
    terms: HashMap<String, Vec<usize>>,
    sources: HashMap<String, Vec<usize>>,
    feeds: HashMap<String, Vec<usize>>,
    langs: HashMap<String, Vec<usize>>,
    /// Those that no key leads to.
    always: Vec<usize>,
}

impl Anchors {
    /// Files `number` under what `query` requires.
    pub(crate) fn insert(&mut self, query: &Query, number: usize) {
        let Some(keys) = required(query.root()) else {
            self.always.push(number);
            return;
        };
        for key in keys {
            let list = match key {
                Key::Entity { kind, id } => self.entities.entry((kind, id)).or_default(),
                Key::Kind(kind) => self.kinds.entry(kind).or_default(),
                Key::Term(term) => self.terms.entry(term).or_default(),
                Key::Source(term) => self.sources.entry(term).or_default(),
                Key::Feed(id) => self.feeds.entry(id).or_default(),
                Key::Lang(range) => self.langs.entry(range).or_default(),
            };
            list.push(number);
        }
    }

    /// The numbers whose query a document with these fields may match, ascending. The others it does not match.
    pub(crate) fn candidates(&self, fields: &Fields) -> BTreeSet<usize> {
        let mut found: BTreeSet<usize> = self.always.iter().copied().collect();
        let mut add = |list: Option<&Vec<usize>>| found.extend(list.into_iter().flatten());
        for (kind, id) in fields.entities() {
            add(self.kinds.get(kind));
            add(self.entities.get(&(kind.to_owned(), id.to_owned())));
        }
        if !self.terms.is_empty() {
            for field in [TextField::Title, TextField::Body] {
                fields.text(field).terms().for_each(|(term, _)| add(self.terms.get(term)));
            }
        }
        fields.source().terms().for_each(|(term, _)| add(self.sources.get(term)));
        add(self.feeds.get(fields.feed()));
        fields.languages().for_each(|language| add(self.langs.get(language)));
        found
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(query: &str, expected: Expect) {
        let keys = required(query.parse::<Query>().unwrap().root());
        let shown = keys.map(|keys| keys.iter().map(|key| format!("{key:?}")).collect::<Vec<_>>().join(" | "));
        expected.assert_eq(&shown.unwrap_or_else(|| "always".to_owned()));
    }

    #[test]
    fn the_most_selective_part_is_the_anchor() {
        check("chip:nvidia-h20 china", expect![[r#"Entity { kind: "chip", id: "nvidia-h20" }"#]]);
        check("export controls", expect![[r#"Term("controls")"#]]);
        check(r#""export controls""#, expect![[r#"Term("controls")"#]]);
        check("nvidia OR company:amd", expect![[r#"Entity { kind: "company", id: "amd" } | Term("nvidia")"#]]);
        check("lang:zh 华为", expect![[r#"Term("华为")"#]]);
        check("company:* -company:nvidia", expect![[r#"Kind("company")"#]]);
        check(r#""export contr"*"#, expect![[r#"Term("export")"#]]);
    }

    #[test]
    fn what_has_no_anchor_is_always_evaluated() {
        for query in ["*", "-nvidia", "published:>now-1d", "semi*", "nvidia OR -amd"] {
            check(query, expect!["always"]);
        }
    }
}
