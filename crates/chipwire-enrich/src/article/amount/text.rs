//! Looking at the characters of a document around a place.

use crate::view::Unit;

/// The units of a document; a place outside of it has the character `\0`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a [Unit]);

/// No word that is looked for is longer.
const WORD_MAX: usize = 24;

impl Text<'_> {
    pub(super) fn ch(self, at: usize) -> char {
        self.0.get(at).map_or('\0', |unit| unit.ch)
    }

    pub(super) fn before(self, at: usize) -> char {
        at.checked_sub(1).map_or('\0', |at| self.ch(at))
    }

    pub(super) fn slice(self, from: usize, to: usize) -> String {
        self.0.get(from..to).unwrap_or_default().iter().map(|unit| unit.ch).collect()
    }

    pub(super) fn skip_space(self, at: usize) -> usize {
        at + usize::from(self.ch(at) == ' ')
    }

    /// The end of `literal`, if that stands at `at`.
    pub(super) fn literal(self, at: usize, literal: &str) -> Option<usize> {
        let mut end = at;
        for ch in literal.chars() {
            if self.ch(end) != ch {
                return None;
            }
            end += 1;
        }
        Some(end)
    }

    /// The end of the first of `literals` that stands at `at`.
    pub(super) fn any(self, at: usize, literals: &[&str]) -> Option<usize> {
        literals.iter().find_map(|literal| self.literal(at, literal))
    }

    /// The first unit of `literal`, if that ends right before `end`.
    pub(super) fn literal_before(self, end: usize, literal: &str) -> Option<usize> {
        let start = end.checked_sub(literal.chars().count())?;
        self.literal(start, literal).map(|_| start)
    }

    /// The word of Latin letters at `at` in small letters, and its end. No word if a digit or another script's letter goes
    /// on behind it, or if it is longer than any that is asked for.
    pub(super) fn word(self, at: usize) -> (String, usize) {
        let (word, end) = self.written(at);
        (word.to_lowercase(), end)
    }

    /// The same as it is written.
    pub(super) fn written(self, at: usize) -> (String, usize) {
        let mut end = at;
        let mut word = String::new();
        while is_latin(self.ch(end)) {
            if end - at == WORD_MAX {
                return (String::new(), at);
            }
            word.push(self.ch(end));
            end += 1;
        }
        if self.ch(end).is_ascii_digit() { (String::new(), at) } else { (word, end) }
    }
}

fn is_latin(ch: char) -> bool {
    ch.is_ascii_alphabetic() || matches!(ch, '\u{B5}' | '\u{3BC}' | '\u{C0}'..='\u{24F}')
}
