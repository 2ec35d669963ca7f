//! A text as the matcher reads it: its tokens, its sentences, and the way back to its bytes.

use std::{borrow::Cow, cell::Cell, mem};

use chipwire_events::Field;
use wide::u8x16;

use super::{
    narrow::Narrow,
    sentence::{Sentence, find_sentences},
    token::{Token, find_tokens, folded, folded_ascii, mark},
    words::{Spelled, Words},
};
use crate::{
    article::short_word_hash,
    lanes::{BYTES as BLOCK, Lanes, of_next},
    view::{Folded, PARAGRAPH, Reading, append_matching},
};

/// Title and body of an article as one sequence of tokens.
#[derive(Debug)]
pub(crate) struct Document {
    view: Folded,
    /// The first character of the body.
    pub(crate) body: usize,
    pub(crate) tokens: Vec<Token>,
    pub(crate) sentences: Vec<Sentence>,
    /// The folded form of each token as two numbers; zeros where it is too long for that.
    keys: Vec<[u64; 2]>,
    /// Bits of [`mark`] for each token.
    marks: Vec<u8>,
    narrow: Narrow,
}

/// Room for a document, which the next one on the same thread is read into: taking it anew costs a fortieth of finding names.
#[derive(Debug, Default)]
struct Room {
    view: Folded,
    tokens: Vec<Token>,
    sentences: Vec<Sentence>,
    keys: Vec<[u64; 2]>,
    marks: Vec<u8>,
    narrow: Narrow,
}

/// Room for more characters than this is given back.
const ROOM_MAX: usize = 1 << 16;

thread_local! {
    static ROOM: Cell<Option<Room>> = const { Cell::new(None) };
}

impl Room {
    /// An empty one.
    fn new() -> Self {
        let mut room = ROOM.take().unwrap_or_default();
        room.view.clear();
        room.tokens.clear();
        room.sentences.clear();
        room.keys.clear();
        room.marks.clear();
        room
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        let Self { view, tokens, sentences, keys, marks, narrow, .. } = self;
        if view.capacity() <= ROOM_MAX {
            let room = Room {
                view: mem::take(view),
                tokens: mem::take(tokens),
                sentences: mem::take(sentences),
                keys: mem::take(keys),
                marks: mem::take(marks),
                narrow: mem::take(narrow),
            };
            // Fails only while the thread ends.
            ROOM.try_with(|spare| spare.set(Some(room))).unwrap_or_default();
        }
    }
}

impl Document {
    /// Reads a title, which may contain HTML, and a body.
    pub(crate) fn new(title: &str, body: &str, reading: Reading, words: &Words) -> Self {
        let mut room = Room::new();
        room.view.reserve(title.len() + 1 + body.len());
        append_matching(&mut room.view, title, Reading::Mixed);
        room.view.push(PARAGRAPH, 0, 0);
        let start = room.view.len();
        append_matching(&mut room.view, body, reading);
        let mut document = Self::read(room, start);
        document.look_up(words);
        let Self { view, tokens, sentences, .. } = &mut document;
        find_sentences(tokens, view, sentences);
        document
    }

    /// Reads a name or a phrase: its words are not looked up, and its sentences are not told apart.
    pub(crate) fn of_name(name: &str) -> Self {
        let mut room = Room::new();
        append_matching(&mut room.view, name, Reading::Plain);
        Self::read(room, 0)
    }

    /// The tokens of the text that is in the view.
    fn read(room: Room, body: usize) -> Self {
        let Room { view, mut tokens, sentences, mut keys, marks, mut narrow } = room;
        narrow.read(view.narrow());
        find_tokens(&view, &narrow, &mut tokens, &mut keys);
        Self { view, body, tokens, sentences, keys, marks, narrow }
    }

    /// Finds what is known of each word: of one after the other without much between them, so that the processor need not
    /// wait for each.
    fn look_up(&mut self, words: &Words) {
        let Self { view, narrow, tokens, keys, .. } = self;
        for (token, key) in tokens.iter_mut().zip(keys) {
            let known = if *key == [0, 0] {
                let word = folded(view, narrow, token);
                let word = Spelled::new(word.as_bytes());
                words.get(&word, word.hash())
            } else {
                words.get_short(*key, short_word_hash(*key))
            };
            (token.word, token.parts) = (known.number, known.parts);
        }
        self.marks.extend(self.tokens.iter().map(Token::marks));
    }

    /// A hash of each token in the form in which words are compared.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = u64> {
        self.tokens.iter().zip(&self.keys).map(|(token, key)| match key {
            [0, 0] => Spelled::new(self.folded(token).as_bytes()).hash(),
            key => short_word_hash(*key),
        })
    }

    /// Title, the edge of a paragraph, and body.
    pub(crate) fn view(&self) -> &Folded {
        &self.view
    }

    /// The characters `start..end`.
    pub(crate) fn chars(&self, start: usize, end: usize) -> impl DoubleEndedIterator<Item = char> + Clone + use<'_> {
        self.view.chars(start, end)
    }

    pub(crate) fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at)
    }

    /// The tokens with which a name may begin, and of these those for which `is_one` holds: see [`Self::narrowed`].
    pub(crate) fn names(&self, is_one: impl Fn(&Token, &Token) -> bool) -> impl Iterator<Item = (usize, &Token)> {
        self.narrowed(mark::NAME, is_one)
    }

    /// The same for cues.
    pub(crate) fn cues(&self, is_one: impl Fn(&Token) -> bool) -> impl Iterator<Item = (usize, &Token)> {
        self.narrowed(mark::CUE, move |token, _| is_one(token))
    }

    /// The tokens that have the mark and for which `is_one` holds, which is asked of each and the one behind it. What it answers cannot
    /// be foreseen, so that it should not branch: nothing does that here.
    fn narrowed(&self, mark: u8, is_one: impl Fn(&Token, &Token) -> bool) -> impl Iterator<Item = (usize, &Token)> {
        self.tokens.chunks(BLOCK).enumerate().flat_map(move |(block, tokens)| {
            let may = set(block, tokens, self.marked(block, mark));
            let found = may.fold(0, |found, (at, token)| {
                let next = self.tokens.get(at + 1).unwrap_or(&Token::EDGE);
                found | u64::from(is_one(token, next)) << (at % BLOCK)
            });
            set(block, tokens, found)
        })
    }

    /// The tokens that are written as a code may be.
    pub(crate) fn codes(&self) -> impl Iterator<Item = (usize, &Token)> {
        self.found(|block| self.marked(block, mark::CODE))
    }

    /// Those, and the ones with a colon or a full stop behind them.
    pub(crate) fn codes_and_exchanges(&self) -> impl Iterator<Item = (usize, &Token)> {
        self.found(|block| {
            let next = self.marks.get((block + 1) * BLOCK).is_some_and(|marks| marks & mark::PARTED != 0);
            self.marked(block, mark::CODE) | of_next(self.marked(block, mark::PARTED), next)
        })
    }

    /// The tokens with which a row of offices may begin.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (usize, &Token)> {
        self.found(|block| self.marked(block, mark::ROW))
    }

    /// The tokens of a block that have the mark: a bit for each.
    fn marked(&self, block: usize, mark: u8) -> u64 {
        let mark = u8x16::splat(mark);
        Lanes::read(&self.marks, block * BLOCK).bits(|marks| (marks & mark).simd_eq(mark))
    }

    /// The tokens that have a bit among those of their block.
    fn found(&self, bits: impl Fn(usize) -> u64) -> impl Iterator<Item = (usize, &Token)> {
        self.tokens.chunks(BLOCK).enumerate().flat_map(move |(block, tokens)| set(block, tokens, bits(block)))
    }

    /// The token before the one at `at`.
    pub(crate) fn before(&self, at: usize) -> Option<&Token> {
        at.checked_sub(1).and_then(|at| self.tokens.get(at))
    }

    pub(crate) fn sentence_of(&self, token: usize) -> Option<&Sentence> {
        self.token(token).and_then(|token| self.sentences.get(token.sentence))
    }

    pub(crate) fn ch(&self, at: usize) -> Option<char> {
        self.view.ch(at)
    }

    /// The characters `start..end`.
    pub(crate) fn text(&self, start: usize, end: usize) -> String {
        self.chars(start, end).collect()
    }

    /// Whether the characters `start..end` are `text`.
    pub(crate) fn is_text(&self, start: usize, end: usize, text: &str) -> bool {
        self.chars(start, end).eq(text.chars())
    }

    /// The token as it is written.
    pub(crate) fn written(&self, token: &Token) -> Cow<'_, str> {
        // One with a wide character is no UTF-8, and no sign is part of a token.
        let narrow = self.view.narrow().get(token.start..token.end).unwrap_or_default();
        std::str::from_utf8(narrow).map_or_else(|_| self.text(token.start, token.end).into(), Cow::Borrowed)
    }

    /// The token in the form in which words are compared.
    pub(crate) fn folded(&self, token: &Token) -> Cow<'_, str> {
        folded(&self.view, &self.narrow, token)
    }

    /// The letters of ASCII from the character `at` on, 64 at most, in their `small` form or as they are written.
    pub(crate) fn letters(&self, at: usize, small: bool) -> &str {
        let end = at + self.narrow.letters(at);
        let written = || std::str::from_utf8(self.view.narrow().get(at..end)?).ok();
        if small { self.narrow.text(at, end) } else { written() }.unwrap_or_default()
    }

    /// Whether the folded form of `token` starts with `prefix`.
    pub(crate) fn begins(&self, token: &Token, prefix: &str) -> bool {
        self.folded(token).starts_with(prefix)
    }

    /// The folded form, where that is found without folding.
    pub(crate) fn folded_ascii(&self, token: &Token) -> Option<&str> {
        folded_ascii(&self.narrow, token)
    }

    /// The field and the raw bytes of the characters `start..end`.
    pub(crate) fn raw(&self, start: usize, end: usize) -> Option<(Field, usize, usize)> {
        let field = if start >= self.body { Field::Body } else { Field::Title };
        Some((field, self.view.raw(start)?.0, self.view.raw(end.checked_sub(1)?)?.1))
    }
}

/// Those of the tokens of a block that have their bit in `bits`, each with its number.
fn set(block: usize, tokens: &[Token], mut bits: u64) -> impl Iterator<Item = (usize, &Token)> {
    std::iter::from_fn(move || {
        let at = bits.trailing_zeros() as usize;
        let token = tokens.get(at)?;
        bits &= bits - 1;
        Some((block * BLOCK + at, token))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::Gap;

    #[test]
    fn a_document_is_the_same_in_the_room_of_another() {
        let read = |text: &str| format!("{:?}", Document::new("A", text, Reading::Mixed, &Words::default()));
        let text = "Nvidia’s H20 — 5 chips of &euro;1.";
        let alone = std::thread::spawn(move || read(text)).join().unwrap();
        let long = "中国的芯片。 U.S. chips, 8xH100. ".repeat(50);
        for other in ["", "中国 and <b>한국</b>\n\n* y. Z", &long, "a.b", &"a ".repeat(ROOM_MAX)] {
            let _ = read(other);
            assert_eq!(read(text), alone);
        }
    }

    #[test]
    fn tokens_are_found_by_their_bits_in_every_block() {
        let text: String = (0..200).map(|at| ["in ", "ABC ", "Nasdaq: ", "x", "12."][at % 5]).collect();
        for length in [0, 63, 64, 65, 128, 200, text.len()] {
            let document = Document::new("", &text[..length], Reading::Plain, &Words::default());
            let all = || document.tokens.iter().enumerate();
            let numbers =
                |tokens: &mut dyn Iterator<Item = (usize, &Token)>| tokens.map(|(at, _)| at).collect::<Vec<_>>();
            let gap = |at: usize| document.token(at).map(|token| token.gap);
            let before_sign = |at: usize| matches!(gap(at + 1), Some(Gap::Colon | Gap::Dot));
            let codes = numbers(&mut all().filter(|(_, token)| token.is_code()));
            assert_eq!(numbers(&mut document.codes()), codes);
            let exchanges = numbers(&mut all().filter(|(at, token)| token.is_code() || before_sign(*at)));
            assert_eq!(numbers(&mut document.codes_and_exchanges()), exchanges);
            assert_eq!(document.cues(|_| true).count(), document.tokens.len());
            let spaced = numbers(&mut all().filter(|(at, _)| gap(at + 1) == Some(Gap::Space)));
            let found = document.narrowed(mark::CUE, |_, next| next.gap == Gap::Space);
            assert_eq!(numbers(&mut { found }), spaced);
            assert_eq!(document.names(|_, _| true).count(), 0);
        }
    }
}
