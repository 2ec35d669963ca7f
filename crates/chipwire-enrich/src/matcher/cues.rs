//! Words and phrases that speak for or against a sense, and where a text has them.

use rustc_hash::FxHashMap;

use super::token::{Document, Gap, Token, Words, tokens};
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
    numbers: FxHashMap<String, usize>,
    /// The phrases by their first word.
    by_word: Vec<Vec<usize>>,
    /// The phrases that are a beginning only.
    beginnings: Beginnings,
    /// What is known of each word beforehand, by its number: see [`Cues::prepare`].
    prepared: Vec<Prepared>,
    /// The phrases of all prepared words that are a beginning only.
    begun: Vec<u32>,
}

/// Which phrases a word begins with that are a beginning only: a part of [`Cues::begun`].
#[derive(Debug, Clone, Copy, Default)]
struct Prepared {
    start: u32,
    end: u32,
    /// It has to be looked up as it is written.
    unknown: bool,
}

/// Beginnings of words as a tree over their characters. Node 0 is its root, and stands for no node where one is asked for.
#[derive(Debug, Default)]
struct Beginnings {
    nodes: Vec<Node>,
    /// The edges of all characters but the small ASCII letters.
    others: FxHashMap<(u32, char), u32>,
    /// For each small ASCII letter, one bit for each that comes after it in the beginning of any phrase: what most words fail.
    pairs: [u32; 26],
}

#[derive(Debug, Default)]
struct Node {
    /// The nodes after `a` to `z`.
    letters: [u32; 26],
    /// The phrases that end here.
    ends: Vec<usize>,
}

/// The position of a small ASCII letter in [`Node::letters`].
fn letter(ch: char) -> Option<usize> {
    ch.is_ascii_lowercase().then(|| ch as usize - 'a' as usize)
}

/// The positions of the first two characters, where both are small ASCII letters.
fn letters(mut chars: impl Iterator<Item = char>) -> Option<[usize; 2]> {
    Some([letter(chars.next()?)?, letter(chars.next()?)?])
}

impl Beginnings {
    /// Adds the phrase `number`; one of less than two characters is never found.
    fn add(&mut self, prefix: &str, number: usize) {
        if prefix.chars().nth(1).is_none() {
            return;
        }
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        if let Some([first, second]) = letters(prefix.chars())
            && let Some(bits) = self.pairs.get_mut(first)
        {
            *bits |= 1 << second;
        }
        let mut node = 0;
        for ch in prefix.chars() {
            let mut next = self.step(node, ch);
            if next == 0 {
                next = u32::try_from(self.nodes.len()).unwrap_or(0);
                self.nodes.push(Node::default());
                match (letter(ch), self.nodes.get_mut(node as usize)) {
                    (Some(letter), Some(from)) => {
                        from.letters.get_mut(letter).into_iter().for_each(|slot| *slot = next);
                    }
                    _ => drop(self.others.insert((node, ch), next)),
                }
            }
            node = next;
        }
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.ends.push(number);
        }
    }

    fn step(&self, node: u32, ch: char) -> u32 {
        match letter(ch) {
            Some(letter) => self.nodes.get(node as usize).and_then(|node| node.letters.get(letter)).copied(),
            None => self.others.get(&(node, ch)).copied(),
        }
        .unwrap_or(0)
    }

    /// Gives every phrase that `token` begins with to `found`.
    fn find(&self, document: &Document, token: &Token, found: impl FnMut(usize)) {
        if let Some(chars) = document.folded_ascii(token) {
            if let Some(units) = document.units.get(token.start..token.start + 2)
                && let Some([first, second]) = letters(units.iter().map(|unit| unit.ch.to_ascii_lowercase()))
                && self.pairs.get(first).is_none_or(|bits| bits & (1 << second) == 0)
            {
                return;
            }
            return self.walk(chars, found);
        }
        // The first two characters have to be the same as written too: `U.S.` does not begin with `us`.
        let (Some(first), Some(second)) = (document.ch(token.start), document.ch(token.start + 1)) else { return };
        let (first, second) = (small(first), small(second));
        let node = self.step(0, first);
        if node != 0 && self.step(node, second) != 0 {
            let folded = document.folded(token);
            if folded.chars().take(2).eq([first, second]) {
                self.walk(folded.chars(), found);
            }
        }
    }

    fn walk(&self, chars: impl Iterator<Item = char>, mut found: impl FnMut(usize)) {
        let mut at = 0;
        for ch in chars {
            at = self.step(at, ch);
            if at == 0 {
                return;
            }
            let ends = self.nodes.get(at as usize).map(|node| &node.ends);
            ends.into_iter().flatten().for_each(|number| found(*number));
        }
    }
}

/// Where the phrases of a text stand: (phrase, first token, one past the last), sorted.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    hits: Vec<(usize, usize, usize)>,
    /// One bit for each phrase: whether it stands anywhere. Most do not, and are asked for often.
    present: Vec<u64>,
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
            folded.push(String::from_utf8_lossy(word).into_owned());
            0
        });
        let prefix = if open { folded.pop() } else { None };
        let mut numbers: Vec<u32> = folded.iter().map(|word| words.intern(word.as_bytes())).collect();
        if let ([word], None) = (&*numbers, &prefix) {
            words.set_alone(*word);
        }
        match (numbers.first(), &prefix) {
            (Some(first), _) => {
                let first = *first as usize;
                if self.by_word.len() <= first {
                    self.by_word.resize_with(first + 1, Vec::new);
                }
                self.by_word.get_mut(first).into_iter().for_each(|phrases| phrases.push(number));
            }
            (None, Some(prefix)) => self.beginnings.add(prefix, number),
            (None, None) => {}
        }
        if prefix.is_some() {
            numbers.push(0);
        }
        self.phrases.push(Phrase { text: text.to_owned(), words: numbers, prefix });
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// Finds out beforehand what the words that have a number by now begin with. Nearly every word of a text is one of them if
    /// the frequent words of the language are. To be called when all phrases were added.
    pub(crate) fn prepare(&mut self, words: &Words) {
        self.prepared.clear();
        self.begun.clear();
        for number in 0..=words.last() {
            let text = words.text(number);
            let start = self.begun.len();
            // What is written otherwise than it is compared, such as `U.S.`, is not known by its number.
            let unknown = text.is_empty() || !text.iter().all(u8::is_ascii_alphanumeric);
            if !unknown {
                let Self { beginnings, begun, .. } = self;
                beginnings
                    .walk(text.iter().map(|byte| char::from(*byte)), |phrase| begun.extend(u32::try_from(phrase)));
            }
            let [start, end] = [start, self.begun.len()].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
            self.prepared.push(Prepared { start, end, unknown });
        }
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
                && let Some(numbers) = self.by_word.get(token.word as usize)
            {
                hits.extend(numbers.iter().filter_map(|number| self.stands_at(document, *number, at)));
            }
            match self.prepared.get(token.word as usize).filter(|prepared| !prepared.unknown) {
                Some(Prepared { start, end, .. }) => {
                    let begun = self.begun.get(*start as usize..*end as usize).unwrap_or_default();
                    hits.extend(begun.iter().map(|number| (*number as usize, at, at + 1)));
                }
                None => self.beginnings.find(document, token, |number| hits.push((number, at, at + 1))),
            }
        }
        hits.sort_unstable();
        let mut present = vec![0; self.phrases.len() / 64 + 1];
        for (number, ..) in &hits {
            if let Some(bits) = present.get_mut(number / 64) {
                *bits |= 1 << (number % 64);
            }
        }
        Hits { hits, present }
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
                if !document.begins(token, prefix) {
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
        if self.present.get(phrase / 64).is_none_or(|bits| bits & (1 << (phrase % 64)) == 0) {
            return &[];
        }
        let from = self.hits.partition_point(|hit| hit.0 < phrase);
        let until = self.hits.partition_point(|hit| hit.0 <= phrase);
        self.hits.get(from..until).unwrap_or_default()
    }
}

fn small(ch: char) -> char {
    if ch.is_ascii() { ch.to_ascii_lowercase() } else { ch.to_lowercase().next().unwrap_or(ch) }
}
