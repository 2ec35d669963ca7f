//! From the tree of a query to a query of the engine.

use std::ops::Bound;

use chipwire_query::{Node, Pattern, Query, TextField, TimeRange};
use jiff::Timestamp;
use tantivy::{
    Term,
    query::{
        AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, PhrasePrefixQuery,
        Query as EngineQuery, RangeQuery, TermQuery,
    },
    schema::{Field, IndexRecordOption},
};

use crate::{
    ordered::OrderedQuery,
    schema::{SchemaFields, entity_term},
    steady::SteadyQuery,
};

/// How much more a match in the title counts than one in the body.
const TITLE_BOOST: f32 = 3.0;

/// The engine's form of `query`: it finds the documents that `chipwire_query::matches` accepts at the time `now`. Words
/// and phrases are scored; everything else only filters.
pub(crate) fn compile(query: &Query, fields: &SchemaFields, now: Timestamp) -> Box<dyn EngineQuery> {
    Compiler { fields, now }.node(query.root())
}

struct Compiler<'s> {
    fields: &'s SchemaFields,
    now: Timestamp,
}

impl Compiler<'_> {
    fn node(&self, node: &Node) -> Box<dyn EngineQuery> {
        match node {
            Node::All => filter(AllQuery),
            Node::And(parts) => self.and(parts),
            Node::Or(parts) => any(parts.iter().map(|part| self.node(part)).collect()),
            Node::Not(inner) => self.and(std::slice::from_ref(&Node::Not(inner.clone()))),
            Node::Term { field, .. } | Node::Prefix { field, .. } | Node::Phrase { field, .. } => {
                let Some(pattern) = node.pattern() else { return Box::new(EmptyQuery) };
                let title = || -> Box<dyn EngineQuery> {
                    Box::new(BoostQuery::new(matching(&pattern, self.fields.title), TITLE_BOOST))
                };
                match field {
                    Some(TextField::Title) => title(),
                    Some(TextField::Body) => matching(&pattern, self.fields.body),
                    None => any(vec![title(), matching(&pattern, self.fields.body)]),
                }
            }
            Node::Source { .. } => match node.pattern() {
                Some(pattern) => Box::new(ConstScoreQuery::new(matching(&pattern, self.fields.source), 0.0)),
                None => Box::new(EmptyQuery),
            },
            Node::Entity { kind, id } => exact(self.fields.entity, &entity_term(kind, id)),
            Node::AnyEntity { kind } => exact(self.fields.kind, kind),
            Node::Feed { id } => exact(self.fields.feed, id),
            Node::Lang { range } => exact(self.fields.lang, range),
            Node::Published(range) => self.published(range),
        }
    }

    fn and(&self, parts: &[Node]) -> Box<dyn EngineQuery> {
        let mut clauses: Vec<(Occur, Box<dyn EngineQuery>)> = Vec::with_capacity(parts.len() + 1);
        for part in parts {
            clauses.push(match part {
                Node::Not(inner) => (Occur::MustNot, Box::new(SteadyQuery(self.node(inner)))),
                other => (Occur::Must, self.node(other)),
            });
        }
        if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
            clauses.push((Occur::Must, filter(AllQuery)));
        }
        Box::new(BooleanQuery::new(clauses))
    }

    fn published(&self, range: &TimeRange) -> Box<dyn EngineQuery> {
        let (from, to) = range.resolve(self.now);
        if from >= to {
            return Box::new(EmptyQuery);
        }
        let term = |ms| Term::from_field_i64(self.fields.published, ms);
        let lower = if from == i64::MIN { Bound::Unbounded } else { Bound::Included(term(from)) };
        let upper = if to == i64::MAX { Bound::Unbounded } else { Bound::Excluded(term(to)) };
        match (&lower, &upper) {
            (Bound::Unbounded, Bound::Unbounded) => filter(AllQuery),
            _ => filter(RangeQuery::new(lower, upper)),
        }
    }
}

fn filter(query: impl EngineQuery) -> Box<dyn EngineQuery> {
    Box::new(ConstScoreQuery::new(Box::new(query), 0.0))
}

fn exact(field: Field, value: &str) -> Box<dyn EngineQuery> {
    filter(TermQuery::new(Term::from_field_text(field, value), IndexRecordOption::Basic))
}

fn any(parts: Vec<Box<dyn EngineQuery>>) -> Box<dyn EngineQuery> {
    Box::new(BooleanQuery::new(parts.into_iter().map(|part| (Occur::Should, part)).collect()))
}

/// The documents whose `field` matches `pattern`.
fn matching(pattern: &Pattern, field: Field) -> Box<dyn EngineQuery> {
    let term = |text: &str| Term::from_field_text(field, text);
    match pattern.terms.as_slice() {
        [] => Box::new(EmptyQuery),
        [only] if pattern.is_prefix => {
            let mut prefix = PhrasePrefixQuery::new(vec![term(&only.text)]);
            prefix.set_max_expansions(u32::MAX);
            Box::new(prefix)
        }
        [only] => Box::new(TermQuery::new(term(&only.text), IndexRecordOption::WithFreqs)),
        terms => Box::new(OrderedQuery {
            field,
            terms: terms.iter().map(|at| (at.offset, term(&at.text))).collect(),
            is_prefix: pattern.is_prefix,
            slop: pattern.slop,
        }),
    }
}
