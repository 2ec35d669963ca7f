//! What a word, prefix or phrase of a query asks of the tokens of one field.

use std::ops::ControlFlow;

use crate::{
    analyze::{self, TokenKind},
    eval::TermPositions,
};

/// A term and where it stands in the pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PatternTerm {
    /// The position after that of the pattern's first term.
    pub offset: u32,
    /// The folded text.
    pub text: String,
}

/// Terms that must stand in a field in this order, with at most `slop` words more between the first and the last than
/// the pattern has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The terms by ascending offset. Without any, the pattern matches nothing.
    pub terms: Vec<PatternTerm>,
    /// True when the last term may go on.
    pub is_prefix: bool,
    /// Extra positions allowed in all.
    pub slop: u32,
}

impl Pattern {
    /// The pattern of a word, which may become several terms (`HBM3E-12Hi`, `华为芯片`): they must then stand together.
    pub fn term(text: &str) -> Self {
        Self::phrase(text, 0)
    }

    /// The pattern of a text whose last term may go on.
    pub fn prefix(text: &str) -> Self {
        Self { is_prefix: true, ..Self::phrase(text, 0) }
    }

    /// The pattern of a phrase.
    pub fn phrase(text: &str, slop: u32) -> Self {
        let tokens = analyze::tokenize(text);
        let mut terms: Vec<PatternTerm> = Vec::with_capacity(tokens.len());
        let mut first = None;
        for (i, token) in tokens.iter().enumerate() {
            // A single character is only asked for where no pair covers it.
            if token.kind == TokenKind::Single {
                let starts_pair = tokens.get(i + 1).is_some_and(|next| next.kind == TokenKind::Pair);
                let ends_pair = i
                    .checked_sub(1)
                    .and_then(|before| tokens.get(before))
                    .is_some_and(|before| before.kind == TokenKind::Pair && before.end == token.end);
                if starts_pair || ends_pair {
                    continue;
                }
            }
            let base = *first.get_or_insert(token.position);
            terms.push(PatternTerm { offset: token.position - base, text: token.text.clone() });
        }
        Self { terms, is_prefix: false, slop }
    }

    /// True when the pattern has no term: the text has no letter and no digit.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True when `field` matches.
    pub fn matches(&self, field: &TermPositions) -> bool {
        let mut found = false;
        self.occurrences(field, |_| {
            found = true;
            ControlFlow::Break(())
        });
        found
    }

    /// Calls `visit` with the positions of the terms of every occurrence in `field`.
    pub fn occurrences(&self, field: &TermPositions, visit: impl FnMut(&[u32]) -> ControlFlow<()>) {
        let Some((last, before)) = self.terms.split_last() else { return };
        let continued = if self.is_prefix { field.with_prefix(&last.text) } else { Vec::new() };
        let mut lists: Vec<(u32, &[u32])> =
            before.iter().map(|term| (term.offset, field.positions(&term.text))).collect();
        lists.push((last.offset, if self.is_prefix { &continued } else { field.positions(&last.text) }));
        each_occurrence(&lists, self.slop, visit);
    }
}

/// Finds terms that stand in order. `lists` has for each term its offset in the pattern and its ascending positions in
/// the text. Every term must come at least as far after the one before as in the pattern, and from the first to the
/// last at most `slop` further. `visit` gets the positions, for every position of the first term the nearest ones.
pub fn each_occurrence(lists: &[(u32, &[u32])], slop: u32, mut visit: impl FnMut(&[u32]) -> ControlFlow<()>) {
    let Some(((first_offset, starts), rest)) = lists.split_first() else { return };
    let mut chosen = Vec::with_capacity(lists.len());
    for &start in *starts {
        chosen.clear();
        chosen.push(start);
        let (mut position, mut offset) = (start, *first_offset);
        for (next_offset, positions) in rest {
            let least = position.saturating_add(next_offset.saturating_sub(offset));
            let Some(&next) = positions.get(positions.partition_point(|p| *p < least)) else {
                // No later start can do better.
                return;
            };
            chosen.push(next);
            (position, offset) = (next, *next_offset);
        }
        let extra = (position - start).saturating_sub(offset.saturating_sub(*first_offset));
        if extra <= slop && visit(&chosen).is_break() {
            return;
        }
    }
}
