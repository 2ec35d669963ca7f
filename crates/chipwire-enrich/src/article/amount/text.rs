//! Looking at the characters of a document around a place, and words up in tables.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::matcher::{self, Document};

/// The characters of a document; a place outside of it has the character `\0`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a Document);

/// No word that is looked for is longer.
const WORD_MAX: usize = 24;

impl<'a> Text<'a> {
    pub(super) fn ch(self, at: usize) -> char {
        self.0.ch(at).unwrap_or('\0')
    }

    pub(super) fn before(self, at: usize) -> char {
        at.checked_sub(1).map_or('\0', |at| self.ch(at))
    }

    pub(super) fn has(self, from: usize, to: usize, test: impl Fn(char) -> bool) -> bool {
        self.0.chars(from, to).any(test)
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
        let mut start = end;
        for ch in literal.chars().rev() {
            if start == 0 || self.before(start) != ch {
                return None;
            }
            start -= 1;
        }
        Some(start)
    }

    /// The word of Latin letters at `at` in small letters, and its end. No word if a digit or another script's letter goes
    /// on behind it, or if it is longer than any that is asked for.
    pub(super) fn word(self, at: usize) -> (Cow<'a, str>, usize) {
        self.letters(at, true)
    }

    /// The same as it is written.
    pub(super) fn written(self, at: usize) -> (Cow<'a, str>, usize) {
        self.letters(at, false)
    }

    fn letters(self, at: usize, small: bool) -> (Cow<'a, str>, usize) {
        let ascii = self.0.letters(at, small);
        let mut end = at + ascii.len();
        let wide = is_latin(self.ch(end));
        while end - at <= WORD_MAX && is_latin(self.ch(end)) {
            end += 1;
        }
        match () {
            () if end - at > WORD_MAX || self.ch(end).is_ascii_digit() => (Cow::default(), at),
            () if wide => (self.0.chars(at, end).map(|ch| if small { matcher::small(ch) } else { ch }).collect(), end),
            () => (ascii.into(), end),
        }
    }
}

fn is_latin(ch: char) -> bool {
    ch.is_ascii_alphabetic() || matches!(ch, '\u{B5}' | '\u{3BC}' | '\u{C0}'..='\u{24F}')
}

/// Whole words with what they stand for.
#[derive(Debug)]
pub(super) struct Table<T>(FxHashMap<&'static str, T>);

impl<T: Copy> Table<T> {
    /// Of a word that is there twice the first counts.
    pub(super) fn new(entries: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        let mut table = FxHashMap::default();
        for (word, meant) in entries {
            table.entry(word).or_insert(meant);
        }
        Self(table)
    }

    pub(super) fn get(&self, word: &str) -> Option<T> {
        self.0.get(word).copied()
    }
}

/// Literals with what they stand for, by their first or last character, the longest first: of all only the few that can
/// stand at a place are compared.
#[derive(Debug)]
pub(super) struct Literals<T>(Vec<(char, &'static str, T)>);

impl<T: Copy> Literals<T> {
    fn new(entries: impl IntoIterator<Item = (&'static str, T)>, key: impl Fn(&str) -> Option<char>) -> Self {
        let keyed = entries.into_iter().filter_map(|(literal, meant)| Some((key(literal)?, literal, meant)));
        let mut entries: Vec<_> = keyed.collect();
        entries.sort_by_key(|(ch, literal, _)| (*ch, std::cmp::Reverse(literal.len())));
        Self(entries)
    }

    pub(super) fn by_first(entries: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        Self::new(entries, |literal| literal.chars().next())
    }

    pub(super) fn by_last(entries: impl IntoIterator<Item = (&'static str, T)>) -> Self {
        Self::new(entries, |literal| literal.chars().next_back())
    }

    /// Those that begin or end with `ch`.
    pub(super) fn of(&self, ch: char) -> impl Iterator<Item = (&'static str, T)> {
        let from = self.0.partition_point(|(other, ..)| *other < ch);
        let entries = self.0.get(from..).unwrap_or_default().iter();
        entries.take_while(move |(other, ..)| *other == ch).map(|(_, literal, meant)| (*literal, *meant))
    }

    /// The longest that stands at `at`, by first character: what it stands for, and its end.
    pub(super) fn at(&self, text: Text<'_>, at: usize) -> Option<(T, usize)> {
        self.of(text.ch(at)).find_map(|(literal, meant)| Some((meant, text.literal(at, literal)?)))
    }
}
