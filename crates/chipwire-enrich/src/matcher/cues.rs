//! Words and phrases that speak for or against a sense, and where a text has them.

use std::collections::HashMap;

use super::token::{Document, Gap, Words, tokens};
use crate::view::{Reading, matching};

/// A phrase, ready to be found.
#[derive(Debug)]
struct Phrase {
    text: String,
    /// The numbers of its words; the last is 0 where it is a beginning only.
    words: Vec<u32>,
    /// The beginning of its last word.
    prefix: Option<String>,
}

/// All phrases, numbered.
#[derive(Debug, Default)]
pub(crate) struct Cues {
    phrases: Vec<Phrase>,
    numbers: HashMap<String, usize>,
    /// The phrases by their first word.
    by_word: HashMap<u32, Vec<usize>>,
    /// The phrases of which the first word is a beginning only, by its first two characters.
    by_prefix: HashMap<(char, char), Vec<usize>>,
}

/// Where the phrases of a text stand: (phrase, first token, one past the last), sorted.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    hits: Vec<(usize, usize, usize)>,
}

impl Cues {
    /// The number of `text`, a phrase in which a trailing `*` stands for any ending.
    pub(crate) fn add(&mut self, text: &str, words: &mut Words) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.phrases.len();
        let (letters, open) = text.strip_suffix('*').map_or((text, false), |letters| (letters, true));
        let mut folded = Vec::new();
        tokens(&matching(letters, Reading::Plain), |word| {
            folded.push(word.to_owned());
            0
        });
        let prefix = if open { folded.pop() } else { None };
        let mut numbers: Vec<u32> = folded.iter().map(|word| words.intern(word)).collect();
        match (numbers.first(), &prefix) {
            (Some(first), _) => self.by_word.entry(*first).or_default().push(number),
            (None, Some(prefix)) => {
                if let Some(key) = first_two(prefix) {
                    self.by_prefix.entry(key).or_default().push(number);
                }
            }
            (None, None) => {}
        }
        if prefix.is_some() {
            numbers.push(0);
        }
        self.phrases.push(Phrase { text: text.to_owned(), words: numbers, prefix });
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// The phrase as it was added.
    pub(crate) fn text(&self, number: usize) -> &str {
        self.phrases.get(number).map_or("", |phrase| phrase.text.as_str())
    }

    /// Every place of every phrase in `document`.
    pub(crate) fn find(&self, document: &Document) -> Hits {
        let mut hits = Vec::new();
        for (at, token) in document.tokens.iter().enumerate() {
            if token.word != 0
                && let Some(numbers) = self.by_word.get(&token.word)
            {
                hits.extend(numbers.iter().filter_map(|number| self.stands_at(document, *number, at)));
            }
            if let (Some(first), Some(second)) = (document.ch(token.start), document.ch(token.start + 1))
                && let Some(numbers) = self.by_prefix.get(&(small(first), small(second)))
            {
                hits.extend(numbers.iter().filter_map(|number| self.stands_at(document, *number, at)));
            }
        }
        hits.sort_unstable();
        Hits { hits }
    }

    fn stands_at(&self, document: &Document, number: usize, at: usize) -> Option<(usize, usize, usize)> {
        let phrase = self.phrases.get(number)?;
        let end = at + phrase.words.len();
        let tokens = document.tokens.get(at..end)?;
        for (offset, (token, word)) in tokens.iter().zip(&phrase.words).enumerate() {
            if offset > 0 && token.gap == Gap::Hard {
                return None;
            }
            if *word == 0 {
                let prefix = phrase.prefix.as_deref()?;
                if !document.folded(token).starts_with(prefix) {
                    return None;
                }
            } else if token.word != *word {
                return None;
            }
        }
        Some((number, at, end))
    }
}

impl Hits {
    /// The places of one phrase, as (first token, one past the last), by position.
    pub(crate) fn of(&self, phrase: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.slice(phrase).iter().map(|(_, start, end)| (*start, *end))
    }

    /// Those of them that can be the nearest to tokens `start..end` or stand inside them.
    pub(crate) fn around(&self, phrase: usize, start: usize, end: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let places = self.slice(phrase);
        let from = places.partition_point(|(_, at, _)| *at < start).saturating_sub(2);
        let until = (places.partition_point(|(_, at, _)| *at < end) + 1).min(places.len());
        places.get(from..until).unwrap_or_default().iter().map(|(_, start, end)| (*start, *end))
    }

    fn slice(&self, phrase: usize) -> &[(usize, usize, usize)] {
        let from = self.hits.partition_point(|hit| hit.0 < phrase);
        let until = self.hits.partition_point(|hit| hit.0 <= phrase);
        self.hits.get(from..until).unwrap_or_default()
    }
}

fn small(ch: char) -> char {
    ch.to_lowercase().next().unwrap_or(ch)
}

fn first_two(text: &str) -> Option<(char, char)> {
    let mut chars = text.chars();
    Some((chars.next()?, chars.next()?))
}
