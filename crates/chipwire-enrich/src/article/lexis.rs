//! Words of the language that findings are made from, by their numbers.

use super::amount;
use crate::matcher::{Token, Words, shape};

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

/// What is known of the words that findings are made from.
#[derive(Debug, Default)]
pub(crate) struct Lexis {
    words: Vec<Word>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Word {
    number: u8,
    link: bool,
    yen: bool,
    yuan: bool,
}

impl Lexis {
    /// Compiles the word lists; `words` gets those that it does not have yet.
    pub(crate) fn new(words: &mut Words) -> Self {
        let mut lexis = Self::default();
        for (word, value) in amount::numbers() {
            lexis.entry(word, words, |entry| entry.number = u8::try_from(value).unwrap_or(0));
        }
        for word in LINKS {
            lexis.entry(word, words, |entry| entry.link = true);
        }
        for word in YEN {
            lexis.entry(word, words, |entry| entry.yen = true);
        }
        for word in YUAN {
            lexis.entry(word, words, |entry| entry.yuan = true);
        }
        lexis
    }

    fn entry(&mut self, word: &str, words: &mut Words, change: impl FnOnce(&mut Word)) {
        let at = words.intern(word.as_bytes()) as usize;
        if self.words.len() <= at {
            self.words.resize(at + 1, Word::default());
        }
        if let Some(entry) = self.words.get_mut(at) {
            change(entry);
        }
    }

    fn get(&self, token: &Token) -> Word {
        self.words.get(token.word as usize).copied().filter(|_| token.word != 0).unwrap_or_default()
    }

    /// Whether a number may begin with the token.
    pub(crate) fn is_number(&self, token: &Token) -> bool {
        token.is(shape::DIGIT) || self.get(token).number != 0
    }

    /// The number that the word is.
    pub(crate) fn number(&self, token: &Token) -> Option<u8> {
        Some(self.get(token).number).filter(|number| *number != 0)
    }

    /// Whether the word speaks of yen.
    pub(crate) fn is_yen(&self, token: &Token) -> bool {
        self.get(token).yen
    }

    /// Whether the word speaks of yuan.
    pub(crate) fn is_yuan(&self, token: &Token) -> bool {
        self.get(token).yuan
    }

    /// Whether the word links others.
    pub(crate) fn is_link(&self, token: &Token) -> bool {
        self.get(token).link
    }
}
