//! Words and phrases that speak for or against a sense, and where a text has them.

use rustc_hash::FxHashMap;

use super::{
    document::Document,
    gap::Gap,
    token::Token,
    words::{Words, part},
};

/// Places of phrases that there is room for from the first.
const HITS: usize = 64;

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
    /// The phrases by their first word, until [`Cues::prepare`] puts them into `begun`.
    by_word: Vec<Vec<u32>>,
    /// The phrases that are a beginning only.
    beginnings: Beginnings,
    /// What is known of each word beforehand, by its number: see [`Cues::prepare`].
    prepared: Vec<Prepared>,
    /// The same of the words that came later, if a phrase is the beginning of them.
    prepared_later: FxHashMap<u32, Prepared>,
    /// For each prepared word the phrases that begin with it, and those that it begins with.
    begun: Vec<u32>,
    /// For each phrase, where the words with which it begins start in `head_words`; one more than there are phrases.
    heads: Vec<u32>,
    head_words: Vec<u32>,
}

/// A part of [`Cues::begun`].
#[derive(Debug, Clone, Copy, Default)]
struct Prepared {
    start: u32,
    /// From here on are the phrases that are the beginning of a word only.
    beginnings: u32,
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
        if let Some(folded) = document.folded_ascii(token) {
            if let Some([first, second]) = letters(folded.chars())
                && self.pairs.get(first).is_none_or(|bits| bits & (1 << second) == 0)
            {
                return;
            }
            return self.walk(folded.chars(), found);
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

/// Numbers of phrases or words: one bit for each.
#[derive(Debug, Clone, Default)]
struct Numbers(Vec<u64>);

impl Numbers {
    fn none(below: usize) -> Self {
        Self(vec![0; below / 64 + 1])
    }

    fn add(&mut self, number: usize) {
        self.0.get_mut(number / 64).into_iter().for_each(|bits| *bits |= 1 << (number % 64));
    }

    fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|bits| bits & (1 << (number % 64)) != 0)
    }
}

/// The phrases that are looked for in a text.
#[derive(Debug, Clone)]
pub(crate) struct Phrases {
    phrases: Numbers,
    /// The words with which they begin.
    words: Numbers,
}

/// Where the phrases of a text stand: (phrase, first token, one past the last), sorted.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    hits: Vec<(u32, u32, u32)>,
    /// The phrases that stand anywhere. Most do not, and are asked for often.
    present: Numbers,
    /// How many of these have a smaller number than the first of each 64.
    before: Vec<u32>,
    /// Where the places of each of them end.
    ends: Vec<u32>,
}

impl Cues {
    /// The number of `text`, a phrase in which a trailing `*` stands for any ending.
    pub(crate) fn add(&mut self, text: &str, words: &mut Words) -> usize {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.phrases.len();
        let (letters, open) = text.strip_suffix('*').map_or((text, false), |letters| (letters, true));
        let name = Document::of_name(letters);
        let mut folded: Vec<String> = name.tokens.iter().map(|token| name.folded(token).into_owned()).collect();
        let prefix = if open { folded.pop() } else { None };
        let mut numbers: Vec<u32> = folded.iter().map(|word| words.intern(word.as_bytes())).collect();
        if let ([word], None) = (&*numbers, &prefix) {
            words.add_part(*word, part::ALONE);
        }
        match (numbers.first(), &prefix) {
            (Some(first), _) => {
                let first = *first as usize;
                if self.by_word.len() <= first {
                    self.by_word.resize_with(first + 1, Vec::new);
                }
                self.by_word.get_mut(first).into_iter().for_each(|phrases| phrases.extend(u32::try_from(number)));
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

    /// Finds out beforehand what phrases begin with the words that have a number by now, or are the beginning of one. Nearly
    /// every word of a text is one of them if the frequent words of the language are. To be called when all phrases were added.
    pub(crate) fn prepare(&mut self, words: &mut Words) {
        let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        for number in 0..=words.last() {
            let text = words.text(number);
            let start = self.begun.len();
            self.begun.extend(self.by_word.get(number as usize).into_iter().flatten());
            let beginnings = self.begun.len();
            // What is written otherwise than it is compared, such as `U.S.`, is not known by its number.
            let unknown = text.is_empty() || !text.iter().all(u8::is_ascii_alphanumeric);
            if !unknown {
                let Self { beginnings, begun, .. } = self;
                beginnings
                    .walk(text.iter().map(|byte| char::from(*byte)), |phrase| begun.extend(u32::try_from(phrase)));
            }
            let [start, beginnings, end] = [start, beginnings, self.begun.len()].map(size);
            if number > 0 && (unknown || end > start) {
                words.add_part(number, part::BEGINNING | if unknown { part::WRITTEN } else { 0 });
            }
            self.prepared.push(Prepared { start, beginnings, end, unknown });
        }
        self.by_word = Vec::new();
        let mut heads: Vec<(u32, u32)> = Vec::new();
        for (word, Prepared { start, end, .. }) in (0..).zip(&self.prepared) {
            let phrases = self.begun.get(*start as usize..*end as usize).unwrap_or_default();
            heads.extend(phrases.iter().map(|phrase| (*phrase, word)));
        }
        heads.sort_unstable();
        let starts = 0..=self.phrases.len();
        self.heads = starts.map(|phrase| size(heads.partition_point(|head| (head.0 as usize) < phrase))).collect();
        self.head_words = heads.into_iter().map(|(_, word)| word).collect();
    }

    /// Does the same for those of the words that came since [`Cues::prepare`] which begin as a phrase does, and marks them.
    pub(crate) fn prepare_others(&mut self, words: &mut Words) {
        let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        for number in (self.prepared.len()..).map_while(|number| u32::try_from(number).ok()) {
            if number > words.last() {
                break;
            }
            let text = words.text(number);
            let start = size(self.begun.len());
            let unknown = !text.iter().all(u8::is_ascii_alphanumeric);
            if !unknown {
                let Self { beginnings, begun, .. } = self;
                beginnings
                    .walk(text.iter().map(|byte| char::from(*byte)), |phrase| begun.extend(u32::try_from(phrase)));
            }
            let end = size(self.begun.len());
            if unknown || end > start {
                self.prepared_later.insert(number, Prepared { start, beginnings: start, end, unknown });
                words.add_part(number, part::BEGINNING | part::WRITTEN);
            }
        }
    }

    /// No phrase.
    pub(crate) fn none(&self) -> Phrases {
        Phrases { phrases: Numbers::none(self.phrases.len()), words: Numbers::none(self.prepared.len()) }
    }

    /// Adds `phrase` to those that are looked for.
    pub(crate) fn look_for(&self, phrase: u32, wanted: &mut Phrases) {
        if wanted.phrases.has(phrase as usize) {
            return;
        }
        wanted.phrases.add(phrase as usize);
        let start = |at: usize| self.heads.get(at).map_or(0, |start| *start as usize);
        let words = self.head_words.get(start(phrase as usize)..start(phrase as usize + 1));
        words.into_iter().flatten().for_each(|word| wanted.words.add(*word as usize));
    }

    /// The phrase as it was added.
    pub(crate) fn text(&self, number: usize) -> &str {
        self.phrases.get(number).map_or("", |phrase| phrase.text.as_str())
    }

    /// Every place of every phrase of `wanted` in `document`.
    pub(crate) fn find(&self, document: &Document, wanted: &Phrases) -> Hits {
        let mut hits = Vec::with_capacity(HITS);
        // Words that are not known by their numbers have to be looked up.
        let begins = |token: &Token| wanted.words.has(token.word as usize) | token.is_part(part::WRITTEN);
        for (at, token) in document.cues(begins) {
            let early = self.prepared.get(token.word as usize);
            let here = at as u32;
            let is_wanted = |phrase: &&u32| wanted.phrases.has(**phrase as usize);
            let prepared = early.or_else(|| self.prepared_later.get(&token.word));
            if let Some(Prepared { start, beginnings, end, .. }) = prepared {
                let whole = self.begun.get(*start as usize..*beginnings as usize).unwrap_or_default();
                hits.extend(
                    whole.iter().filter(is_wanted).filter_map(|phrase| self.stands_at(document, *phrase, here)),
                );
                let begun = self.begun.get(*beginnings as usize..*end as usize).unwrap_or_default();
                hits.extend(begun.iter().filter(is_wanted).map(|phrase| (*phrase, here, here + 1)));
            }
            if prepared.is_none_or(|prepared| prepared.unknown) {
                self.beginnings.find(document, token, |phrase| {
                    if wanted.phrases.has(phrase) {
                        hits.push((phrase as u32, here, here + 1));
                    }
                });
            }
        }
        hits.sort_unstable();
        Hits::new(hits, self.phrases.len())
    }

    fn stands_at(&self, document: &Document, number: u32, at: u32) -> Option<(u32, u32, u32)> {
        let phrase = self.phrases.get(number as usize)?;
        let end = at + phrase.words.len() as u32;
        let tokens = document.tokens.get(at as usize..end as usize)?;
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
    /// Sorted places of phrases whose numbers are below `phrases`.
    fn new(hits: Vec<(u32, u32, u32)>, phrases: usize) -> Self {
        let mut present = Numbers::none(phrases);
        let mut ends = Vec::new();
        let mut end = 0;
        for places in hits.chunk_by(|one, next| one.0 == next.0) {
            end += places.len() as u32;
            ends.push(end);
            places.first().into_iter().for_each(|(phrase, ..)| present.add(*phrase as usize));
        }
        let counts = present.0.iter().scan(0, |count, bits| {
            let before = *count;
            *count += bits.count_ones();
            Some(before)
        });
        let before = counts.collect();
        Self { hits, present, before, ends }
    }

    /// The places of one phrase, as (first token, one past the last), by position.
    pub(crate) fn of(&self, phrase: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.slice(phrase).iter().map(|(_, start, end)| (*start as usize, *end as usize))
    }

    /// Those of them that can be the nearest to tokens `start..end` or stand inside them.
    pub(crate) fn around(&self, phrase: usize, start: usize, end: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let places = self.slice(phrase);
        let from = places.partition_point(|(_, at, _)| (*at as usize) < start).saturating_sub(2);
        let until = (places.partition_point(|(_, at, _)| (*at as usize) < end) + 1).min(places.len());
        places.get(from..until).unwrap_or_default().iter().map(|(_, start, end)| (*start as usize, *end as usize))
    }

    /// Whether the phrase stands anywhere.
    pub(crate) fn has(&self, phrase: usize) -> bool {
        self.present.has(phrase)
    }

    fn slice(&self, phrase: usize) -> &[(u32, u32, u32)] {
        if !self.has(phrase) {
            return &[];
        }
        let bits = self.present.0.get(phrase / 64).copied().unwrap_or(0) & ((1 << (phrase % 64)) - 1);
        let at = self.before.get(phrase / 64).map_or(0, |before| before + bits.count_ones()) as usize;
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        self.hits.get(at.checked_sub(1).map_or(0, end)..end(at)).unwrap_or_default()
    }
}

/// The small form of a letter; its first character, where it is several.
pub(crate) fn small(ch: char) -> char {
    if ch.is_ascii() { ch.to_ascii_lowercase() } else { ch.to_lowercase().next().unwrap_or(ch) }
}
