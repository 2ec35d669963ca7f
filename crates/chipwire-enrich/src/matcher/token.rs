//! Tokens: what names are compared by.
//!
//! A token is a run of letters and digits of one script; each Han character and each Hangul syllable is one of its own, a
//! code of letters and digits stays whole, and `U.S.` is one. Nothing is lower-cased as a whole: every token is folded on
//! its own into a buffer and looked up, so positions never move and nothing is allocated per token.

use std::{borrow::Cow, cell::Cell, mem};

use chipwire_events::Field;
use wide::u8x16;

use super::{
    narrow::{Narrow, Plain},
    sentence::{Sentence, find_sentences},
    words::{Spelled, Words, packed, part},
};
use crate::{
    article::short_word_hash,
    lanes::{BYTES as BLOCK, Lanes, of_next},
    view::{BREAK, EDGE, Folded, PARAGRAPH, Reading, append_matching},
};

/// What is between two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Gap {
    /// Nothing: the script changes.
    Empty,
    /// White space or a middle dot.
    Space,
    /// A hyphen alone.
    Hyphen,
    /// A long dash alone.
    Dash,
    /// An apostrophe alone.
    Apostrophe,
    /// A full stop alone, as in `JD.com`.
    Dot,
    /// A full stop and white space.
    DotSpace,
    /// A comma.
    Comma,
    /// A slash alone.
    Slash,
    /// An ampersand.
    Ampersand,
    /// A colon.
    Colon,
    /// A percent sign.
    Percent,
    /// An opening bracket.
    Open,
    /// A closing bracket.
    Close,
    /// Quotes and space.
    Quote,
    /// Anything else.
    Other,
    /// The edge of a paragraph, a field or a masked address.
    Hard,
}

/// Properties of a token, as bits.
pub(crate) mod shape {
    /// It has a digit.
    pub(crate) const DIGIT: u16 = 1;
    /// It has a letter.
    pub(crate) const LETTER: u16 = 2;
    /// Its first character is a capital.
    pub(crate) const CAPITAL: u16 = 4;
    /// It has capitals and no small letters.
    pub(crate) const UPPER: u16 = 8;
    /// It is Han, Kana or Hangul.
    pub(crate) const EAST_ASIAN: u16 = 16;
    /// It is a Hangul syllable.
    pub(crate) const HANGUL: u16 = 32;
    /// It is an abbreviation, or one letter, after which a full stop does not end a sentence.
    pub(crate) const ABBREVIATION: u16 = 64;
    /// It is an acronym with a stop after every letter.
    pub(crate) const DOTTED: u16 = 128;
    /// It is ASCII, and its folded form differs in case only. Not all of which this holds have the bit.
    pub(crate) const ASCII: u16 = 256;
}

/// A token of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    /// Its first character.
    pub(crate) start: usize,
    /// One past its last character.
    pub(crate) end: usize,
    /// Its word, or 0.
    pub(crate) word: u32,
    /// What that is part of, as bits of [`part`].
    pub(crate) parts: u8,
    /// The number of its sentence.
    pub(crate) sentence: usize,
    /// What is before it.
    pub(crate) gap: Gap,
    /// Bits of [`shape`].
    pub(crate) shape: u16,
}

impl Token {
    /// What is behind the last token.
    const EDGE: Self =
        Self { start: usize::MAX, end: usize::MAX, word: 0, parts: 0, sentence: usize::MAX, gap: Gap::Hard, shape: 0 };

    pub(crate) fn is(&self, bits: u16) -> bool {
        self.shape & bits != 0
    }

    /// Whether it is written as a code may be: in capitals, or without letters.
    pub(crate) fn is_code(&self) -> bool {
        !self.is(shape::EAST_ASIAN) & (self.is(shape::UPPER) | !self.is(shape::LETTER))
    }

    /// What it may be the beginning of: without a branch, as there is no telling what comes next.
    fn marks(&self) -> u8 {
        let bit = |is: bool, mark: u8| u8::from(is) * mark;
        self.parts & (mark::NAME | mark::CUE | mark::ROW)
            | bit(self.is_code(), mark::CODE)
            | bit(matches!(self.gap, Gap::Colon | Gap::Dot), mark::PARTED)
    }

    /// Whether its word is one of `parts`.
    pub(crate) fn is_part(&self, parts: u8) -> bool {
        self.parts & parts != 0
    }
}

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

/// What a token may be the beginning of, as bits, so that those few are found that are worth a look.
mod mark {
    use super::part;

    /// A name.
    pub(super) const NAME: u8 = part::NAME;
    /// A cue, or that is not known.
    pub(super) const CUE: u8 = part::BEGINNING;
    /// A row of offices.
    pub(super) const ROW: u8 = part::ROW;
    /// It is written as a code may be.
    pub(super) const CODE: u8 = 64;
    /// A colon or a full stop stands before it.
    pub(super) const PARTED: u8 = 128;
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Digit,
    Latin,
    Greek,
    Cyrillic,
    Hiragana,
    Katakana,
    Hangul,
    Han,
    Letter,
}

fn class(ch: char) -> Option<Class> {
    Some(match ch {
        '0'..='9' => Class::Digit,
        'a'..='z' | 'A'..='Z' => Class::Latin,
        '\0'..='\u{7F}' => return None,
        'ー' => Class::Katakana,
        _ if !ch.is_alphanumeric() => return None,
        '\u{80}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => Class::Latin,
        '\u{370}'..='\u{3FF}' => Class::Greek,
        '\u{400}'..='\u{52F}' => Class::Cyrillic,
        '\u{3040}'..='\u{309F}' => Class::Hiragana,
        '\u{30A0}'..='\u{30FF}' => Class::Katakana,
        '\u{AC00}'..='\u{D7AF}' => Class::Hangul,
        '々'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}' => Class::Han,
        _ if ch.is_numeric() => Class::Digit,
        _ => Class::Letter,
    })
}

/// Writes the folded form of a token: lower case; the stops of an acronym left out; and `US`, which is not the pronoun, as
/// `u.s.`.
fn fold(chars: impl Iterator<Item = char>, dotted: bool, word: &mut String) {
    word.clear();
    let mut capitals = true;
    for ch in chars {
        match ch {
            '.' if dotted => {}
            ch if ch.is_ascii() => {
                capitals &= ch.is_ascii_uppercase();
                word.push(ch.to_ascii_lowercase());
            }
            ch => word.extend(ch.to_lowercase()),
        }
    }
    if word == "us" && (capitals || dotted) {
        word.clear();
        word.push_str("u.s.");
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

fn folded_ascii<'a>(narrow: &'a Narrow, token: &Token) -> Option<&'a str> {
    narrow.text(token.start, token.end).filter(|_| token.is(shape::ASCII))
}

fn folded<'a>(view: &Folded, narrow: &'a Narrow, token: &Token) -> Cow<'a, str> {
    if let Some(folded) = folded_ascii(narrow, token) {
        return folded.into();
    }
    let mut word = String::new();
    fold(view.chars(token.start, token.end), token.is(shape::DOTTED), &mut word);
    word.into()
}

/// Adds the tokens of a text, and the folded form of each as two numbers; zeros where it is too long for that. Neither words nor
/// sentences are known yet.
fn find_tokens(view: &Folded, narrow: &Narrow, tokens: &mut Vec<Token>, keys: &mut Vec<[u64; 2]>) {
    tokens.reserve(narrow.some_words());
    keys.reserve(narrow.some_words());
    let mut previous = 0;
    for (start, end) in narrow.words() {
        let next = byte(view, end);
        let short = start >= previous && !(view.has_wide() && view.is_wide(start, end));
        match if short { plain(view, narrow, (start, end), next) } else { None } {
            Some(Plain { shape, key, .. }) => {
                let shape = shape | abbreviation(next, end - start, false, key);
                let gap = gap(view, previous, start);
                tokens.push(Token { start, end, word: 0, parts: 0, sentence: 0, gap, shape });
                keys.push(key);
                previous = end;
            }
            None => previous = other_tokens(view, previous, (start, end), tokens, keys),
        }
    }
    tokens.first_mut().into_iter().for_each(|first| first.gap = Gap::Hard);
}

/// Adds the tokens of a word of any script, which may be many, and the last of which may go on behind it. `previous` is the end of the token
/// before; the answer is the end of the last.
#[inline(never)]
fn other_tokens(
    view: &Folded,
    mut previous: usize,
    (start, end): (usize, usize),
    tokens: &mut Vec<Token>,
    keys: &mut Vec<[u64; 2]>,
) -> usize {
    let mut word = String::new();
    let mut start = start.max(previous);
    while start < end {
        let Some(class) = view.ch(start).and_then(class) else {
            start += 1;
            continue;
        };
        let (end, dotted) = token_end(view, start, class);
        fold(view.chars(start, end), dotted, &mut word);
        let key = packed(word.as_bytes()).unwrap_or_default();
        let shape =
            shape_of(view.chars(start, end), class, dotted) | abbreviation(byte(view, end), end - start, dotted, key);
        let gap = gap(view, previous, start);
        tokens.push(Token { start, end, word: 0, parts: 0, sentence: 0, gap, shape });
        keys.push(key);
        (start, previous) = (end, end);
    }
    previous
}

/// The letters and digits of ASCII at `start..end`, where these are one token and are folded letter by letter: `8xH100` is two,
/// `U.S.` goes on, and `US` is compared as `U.S.` is.
fn plain(view: &Folded, narrow: &Narrow, (start, end): (usize, usize), next: u8) -> Option<Plain> {
    const US: [u64; 2] = [u16::from_le_bytes(*b"us") as u64, 0];
    let plain = narrow.word(start, end)?;
    let letters = plain.shape & shape::LETTER != 0;
    let code = letters & !plain.initial;
    let initial = letters & (end - start == 1) & (next == b'.');
    let doubtful = code | initial | (plain.key == US);
    (!doubtful || code && times_end(view, start, end) == end).then_some(plain)
}

fn byte(view: &Folded, at: usize) -> u8 {
    view.narrow().get(at).copied().unwrap_or(0)
}

fn token_end(view: &Folded, start: usize, first: Class) -> (usize, bool) {
    if matches!(first, Class::Han | Class::Hangul) {
        return (start + 1, false);
    }
    let class_at = |at: usize| view.ch(at).and_then(class);
    let mut script = (first != Class::Digit).then_some(first);
    let mut end = start + 1;
    while let Some(next) = class_at(end) {
        let joins = match (script, next) {
            (Some(Class::Hiragana), Class::Katakana) => view.ch(end) == Some('ー'),
            (Some(Class::Hiragana | Class::Katakana), Class::Digit) => false,
            (_, Class::Digit) => true,
            (None, Class::Latin | Class::Greek | Class::Cyrillic | Class::Letter) => true,
            (Some(script), next) => script == next,
            (None, _) => false,
        };
        if !joins {
            break;
        }
        if next != Class::Digit {
            script = Some(next);
        }
        end += 1;
    }
    if first == Class::Latin && end == start + 1 {
        let dotted = dotted_end(view, start);
        if dotted > end {
            return (dotted, true);
        }
    }
    (times_end(view, start, end), false)
}

/// The end of `U.S.` or `I.B.M`, or `start` where there is none.
fn dotted_end(view: &Folded, start: usize) -> usize {
    let is = |at: usize, test: fn(char) -> bool| view.ch(at).is_some_and(test);
    let mut at = start;
    let mut letters = 1;
    while is(at + 1, |ch| ch == '.') && is(at + 2, char::is_alphabetic) && !is(at + 3, char::is_alphanumeric) {
        at += 2;
        letters += 1;
    }
    if letters == 1 {
        return start;
    }
    if is(at + 1, |ch| ch == '.') { at + 2 } else { at + 1 }
}

/// `8xH100` is eight times an H100: the token ends after the sign.
fn times_end(view: &Folded, start: usize, end: usize) -> usize {
    let mut at = start;
    while at < end && byte(view, at).is_ascii_digit() {
        at += 1;
    }
    let sign = at > start && matches!(byte(view, at), b'x' | b'X') && at + 1 < end;
    if sign && byte(view, at + 1).is_ascii_uppercase() { at + 1 } else { end }
}

fn shape_of(chars: impl Iterator<Item = char> + Clone, class: Class, dotted: bool) -> u16 {
    let mut bits = 0;
    let first = chars.clone().next();
    let (mut upper, mut lower) = (false, false);
    for ch in chars {
        upper |= ch.is_uppercase();
        lower |= ch.is_lowercase();
        bits |= if ch.is_numeric() { shape::DIGIT } else { 0 };
        bits |= if ch.is_alphabetic() { shape::LETTER } else { 0 };
    }
    if first.is_some_and(char::is_uppercase) {
        bits |= shape::CAPITAL;
    }
    if upper && !lower {
        bits |= shape::UPPER;
    }
    if matches!(class, Class::Han | Class::Hangul | Class::Hiragana | Class::Katakana) {
        bits |= shape::EAST_ASIAN;
    }
    if class == Class::Hangul {
        bits |= shape::HANGUL;
    }
    if dotted { bits | shape::DOTTED } else { bits }
}

/// The bit of an abbreviation; asked only where a full stop follows, as that is rare.
fn abbreviation(next: u8, length: usize, dotted: bool, folded: [u64; 2]) -> u16 {
    let stop = next == b'.';
    let short = dotted || (stop && (length == 1 || crate::lexicon::is_packed_abbreviation(folded)));
    if short { shape::ABBREVIATION } else { 0 }
}

/// What is between two tokens, if it is one sign that is kept by a byte.
const fn short_gap(sign: u8) -> Option<Gap> {
    Some(match sign {
        b' ' => Gap::Space,
        b'-' => Gap::Hyphen,
        b'\'' => Gap::Apostrophe,
        b'.' => Gap::Dot,
        b',' => Gap::Comma,
        b'/' => Gap::Slash,
        b'&' => Gap::Ampersand,
        b':' => Gap::Colon,
        b'%' => Gap::Percent,
        b'(' => Gap::Open,
        b')' => Gap::Close,
        b'"' => Gap::Quote,
        b'!'..=b'~' => Gap::Other,
        _ => return None,
    })
}

/// The same of a sign and a space behind it.
const fn spaced_gap(sign: u8) -> Option<Gap> {
    match short_gap(sign) {
        Some(Gap::Dot) => Some(Gap::DotSpace),
        Some(Gap::Apostrophe) => Some(Gap::Quote),
        Some(Gap::Hyphen | Gap::Slash) => Some(Gap::Other),
        gap => gap,
    }
}

/// Signs that a byte may keep.
const BYTES: usize = 256;

/// By a sign that is kept by a byte: what is between two tokens if that is all; and then, if a space is behind it.
const GAPS: [Option<Gap>; 2 * BYTES] = gaps();

const fn gaps() -> [Option<Gap>; 2 * BYTES] {
    let mut gaps = [None; 2 * BYTES];
    let (mut alone, mut spaced) = gaps.split_at_mut(BYTES);
    let mut sign: u8 = 0;
    while let ([first, rest @ ..], [first_spaced, rest_spaced @ ..]) = (alone, spaced) {
        (*first, *first_spaced) = (short_gap(sign), spaced_gap(sign));
        (alone, spaced) = (rest, rest_spaced);
        sign = sign.wrapping_add(1);
    }
    gaps
}

/// What is between two tokens, the characters `start..end`.
fn gap(view: &Folded, start: usize, end: usize) -> Gap {
    let Some([sign, next]) = view.narrow().get(start..).and_then(<[u8]>::first_chunk) else {
        return other_gap(view, start, end);
    };
    let spaced = (end - start == 2) & (*next == b' ');
    let short = GAPS.get(usize::from(*sign) + usize::from(spaced) * BYTES).copied().flatten();
    short.filter(|_| spaced | (end - start == 1)).unwrap_or_else(|| other_gap(view, start, end))
}

#[inline(never)]
fn other_gap(view: &Folded, start: usize, end: usize) -> Gap {
    match *view.narrow().get(start..end).unwrap_or_default() {
        [] => Gap::Empty,
        [b' ', b'('] => Gap::Open,
        [.., EDGE] => Gap::Hard,
        _ => long_gap(view.chars(start, end)),
    }
}

fn long_gap(chars: impl Iterator<Item = char> + Clone) -> Gap {
    let all = |such: fn(char) -> bool| chars.clone().all(such);
    let without = |sign: char| chars.clone().filter(|ch| *ch != ' ').eq([sign]);
    match () {
        () if all(|ch| matches!(ch, ' ' | '·')) => Gap::Space,
        () if chars.clone().any(|ch| matches!(ch, PARAGRAPH | BREAK)) => Gap::Hard,
        () if chars.clone().eq(['—']) => Gap::Dash,
        () if chars.clone().next() == Some('.') && chars.clone().skip(1).all(|ch| ch == ' ') => Gap::DotSpace,
        () if without(',') || without('、') => Gap::Comma,
        () if without('&') => Gap::Ampersand,
        () if without(':') => Gap::Colon,
        () if without('%') => Gap::Percent,
        () if without('(') => Gap::Open,
        () if without(')') => Gap::Close,
        () if all(|ch| matches!(ch, ' ' | '"' | '\'')) => Gap::Quote,
        () => Gap::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::article::word_hash;

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_one_does(text in "([aAzZuUsS09xX .'é中ß\\-]{1,3}|[a-z]{6,10}|[A-Z]{14,18}|[a-zA-Z0-9]{30,34}){0,12}") {
            let mut room = Room::new();
            text.chars().for_each(|ch| room.view.push(ch, 0, 0));
            let document = Document::read(room, 0);
            let view = &document.view;
            let mut at = 0;
            for (token, key) in document.tokens.iter().zip(&document.keys) {
                prop_assert!(view.chars(at, token.start).all(|ch| class(ch).is_none()), "{text:?}");
                let class = class(view.ch(token.start).unwrap()).unwrap();
                let (end, dotted) = token_end(view, token.start, class);
                let mut folded = String::new();
                fold(view.chars(token.start, end), dotted, &mut folded);
                prop_assert_eq!((token.end, &*document.folded(token)), (end, &*folded), "{:?}", text);
                check_key(*key, folded.as_bytes());
                let shape = shape_of(view.chars(token.start, end), class, dotted);
                let of_both = !(shape::ASCII | shape::ABBREVIATION);
                prop_assert_eq!(token.shape & of_both, shape & of_both, "{:?}", text);
                at = end;
            }
            prop_assert!(view.chars(at, view.len()).all(|ch| class(ch).is_none()), "{text:?}");
        }
    }

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
    fn a_sign_and_a_space_are_what_they_are_read_one_by_one() {
        for sign in (b' '..=b'~').filter(|sign| !sign.is_ascii_alphanumeric()) {
            let text = format!("a{} b", char::from(sign));
            let mut view = Folded::default();
            text.chars().for_each(|ch| view.push(ch, 0, 0));
            let read = long_gap(view.chars(1, 3));
            assert_eq!((gap(&view, 1, 3), spaced_gap(sign)), (read, Some(read)), "{text:?}");
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

    /// The numbers of a word are those of its bytes, so that it is found either way.
    fn check_key(key: [u64; 2], word: &[u8]) {
        assert_eq!(key, packed(word).unwrap_or_default());
        assert!(word.len() > 16 || short_word_hash(key) == word_hash(word));
    }
}
