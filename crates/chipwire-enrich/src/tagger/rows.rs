//! Rows of offices that have one word in common: `the Departments of Commerce, State, Defense and Energy`.

use std::collections::BTreeSet;

use super::{
    Tagger,
    candidates::{Candidate, State},
};
use crate::matcher::{Document, Gap, shape};

/// The word before a row, and what the name of one of them begins with.
pub(super) const HEADS: [(&str, &str); 2] = [("departments", "department of"), ("ministries", "ministry of")];
/// Tokens that a row goes on for.
const ROW_TOKENS: usize = 18;

impl Tagger {
    /// Adds the offices of every row, each at its own word.
    pub(super) fn accept_rows(&self, document: &Document, candidates: &mut Vec<Candidate>) {
        let heads: Vec<(usize, &str)> = document
            .rows()
            .filter_map(|(at, token)| {
                let (_, one) = self.heads.iter().find(|(head, _)| *head == token.word)?;
                let of = document.token(at + 1).filter(|next| next.gap == Gap::Space)?;
                (document.folded(of) == "of").then_some((at + 2, *one))
            })
            .collect();
        if heads.is_empty() {
            return;
        }
        let accepted = candidates.iter().filter(|candidate| candidate.state == State::Accepted);
        let taken: BTreeSet<usize> = accepted.flat_map(|candidate| candidate.start..candidate.end).collect();
        for (first, one) in heads {
            for at in first..first + ROW_TOKENS {
                let Some(token) = document.token(at) else { break };
                if matches!(token.gap, Gap::Hard | Gap::DotSpace) {
                    break;
                }
                if !token.is(shape::CAPITAL) || taken.contains(&at) || goes_on(document, at) {
                    continue;
                }
                let name = format!("{one} {}", document.folded(token));
                let entities: BTreeSet<usize> = self.trie.entities_of(&name, &self.words).collect();
                if let (Some(entity), 1) = (entities.first(), entities.len()) {
                    let word = document.written(token).into_owned();
                    let mut candidate = Candidate::of_code(*entity, at, at + 1, token.start, token.end, word);
                    candidate.accept(0.9, vec![format!("row:{one}")]);
                    candidates.push(candidate);
                }
            }
        }
    }
}

/// Whether the word is the beginning of a longer name: `the State of Texas`, `Energy Transfer`.
fn goes_on(document: &Document, at: usize) -> bool {
    let next = document.token(at + 1).filter(|next| matches!(next.gap, Gap::Space | Gap::Hyphen));
    next.is_some_and(|next| next.is(shape::CAPITAL) || document.folded(next) == "of")
}
