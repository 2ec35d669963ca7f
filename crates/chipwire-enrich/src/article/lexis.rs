//! Words of the language that findings are made from, by their numbers.

use super::{
    amount,
    happening::{self, Patterns, Telling},
    language::SMALL_WORDS,
};
use crate::matcher::{Token, Words};

/// Words that link others, and describe nothing.
const LINKS: &[&str] = &[
    "a", "after", "all", "and", "are", "as", "at", "be", "been", "before", "but", "by", "for", "from", "has", "have",
    "he", "in", "into", "is", "it", "its", "of", "on", "or", "than", "that", "the", "their", "this", "through", "to",
    "was", "were", "when", "which", "while", "will", "with", "would", "said", "says", "about", "around", "over",
    "under", "nearly", "some", "only", "just", "almost", "roughly", "least", "most", "more", "between", "another",
    "per", "since", "until", "during",
];

/// Words that settle what `¥` is.
const YEN: &[&str] = &["yen", "jpy", "tokyo", "japan", "japanese"];
const YUAN: &[&str] = &["yuan", "renminbi", "rmb", "cny"];

/// Words before something that is not the subject of a sentence.
const PREPOSITIONS: &[&str] = &[
    "of", "for", "from", "to", "with", "by", "against", "in", "on", "at", "into", "over", "under", "than", "like",
    "between", "about", "selon", "laut", "según", "secondo", "segundo", "volgens", "zufolge",
];

/// What a word is, as bits.
pub(super) mod is {
    pub(crate) const LINK: u16 = 1;
    pub(crate) const YEN: u16 = 2;
    pub(crate) const YUAN: u16 = 4;
    pub(crate) const PREPOSITION: u16 = 8;
    /// A clause ends before it.
    pub(crate) const BREAK: u16 = 16;
    pub(crate) const BE: u16 = 32;
    pub(crate) const DENIAL: u16 = 64;
    pub(crate) const CONTRACTED: u16 = 128;
    pub(crate) const DOUBT: u16 = 256;
    pub(crate) const PLAN: u16 = 512;
    pub(crate) const END: u16 = 1024;
    /// It begins or ends a clause about what was named right before.
    pub(crate) const RELATIVE: u16 = 2048;
    /// It may begin a phrase that tells of a happening.
    pub(crate) const CUE: u16 = 4096;
    /// `a` and `one` are numbers before it.
    pub(crate) const COUNTED_BY_ONE: u16 = 8192;
}

/// What is known of the words that findings are made from.
#[derive(Debug, Default)]
pub(crate) struct Lexis {
    words: Vec<Word>,
    pub(super) patterns: Patterns,
    pub(super) telling: Telling,
}

#[derive(Debug, Clone, Copy, Default)]
struct Word {
    number: u8,
    bits: u16,
    /// One bit for each language that has it as a small word.
    languages: u16,
}

impl Lexis {
    /// Compiles the word lists; `words` gets those that it does not have yet.
    pub(crate) fn new(words: &mut Words) -> Self {
        let mut lexis = Self { words: Vec::new(), patterns: Patterns::new(words), telling: Telling::new(words) };
        for (word, value) in amount::numbers() {
            lexis.note(words.intern(word.as_bytes()), 0, value);
        }
        let own = [
            (LINKS, is::LINK),
            (YEN, is::YEN),
            (YUAN, is::YUAN),
            (PREPOSITIONS, is::PREPOSITION),
            (amount::COUNTED_BY_ONE, is::COUNTED_BY_ONE),
        ];
        for (list, bit) in own.into_iter().chain(happening::WORDS) {
            for word in list {
                lexis.note(words.intern(word.as_bytes()), bit, 0);
            }
        }
        for (at, (_, list)) in SMALL_WORDS.iter().enumerate() {
            for word in *list {
                let word = words.intern(word.as_bytes());
                lexis.note(word, 0, 0);
                if let Some(entry) = lexis.words.get_mut(word as usize) {
                    entry.languages |= 1 << at;
                }
            }
        }
        let first: Vec<u32> = lexis.patterns.first_words().collect();
        for number in first {
            lexis.note(number, is::CUE, 0);
        }
        lexis
    }

    fn note(&mut self, word: u32, bits: u16, number: u32) {
        let at = word as usize;
        if self.words.len() <= at {
            self.words.resize(at + 1, Word::default());
        }
        if let Some(entry) = self.words.get_mut(at) {
            entry.bits |= bits;
            entry.number = entry.number.max(u8::try_from(number).unwrap_or(0));
        }
    }

    fn get(&self, token: &Token) -> Word {
        self.words.get(token.word as usize).copied().filter(|_| token.word != 0).unwrap_or_default()
    }

    /// The number that the word is.
    pub(crate) fn number(&self, token: &Token) -> Option<u8> {
        Some(self.get(token).number).filter(|number| *number != 0)
    }

    /// One bit for each of the languages of [`SMALL_WORDS`] that has the word.
    pub(crate) fn languages(&self, token: &Token) -> u16 {
        self.get(token).languages
    }

    /// Whether the word is one of `bits` of [`is`].
    pub(crate) fn is(&self, token: &Token, bits: u16) -> bool {
        self.get(token).bits & bits != 0
    }
}
