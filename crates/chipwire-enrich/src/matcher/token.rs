//! Tokens: what names are compared by.
//!
//! A token is a run of letters and digits of one script; each Han character and each Hangul syllable is one of its own, a
//! code of letters and digits stays whole, and `U.S.` is one. Nothing is lower-cased as a whole: every token is folded on
//! its own into a buffer and looked up, so positions never move and nothing is allocated per token.

use std::borrow::Cow;

use super::{
    gap::{Gap, gap},
    narrow::{Narrow, Plain},
    words::{packed, part},
};
use crate::view::Folded;

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
    pub(super) const EDGE: Self =
        Self { start: usize::MAX, end: usize::MAX, word: 0, parts: 0, sentence: usize::MAX, gap: Gap::Hard, shape: 0 };

    pub(crate) fn is(&self, bits: u16) -> bool {
        self.shape & bits != 0
    }

    /// Whether it is written as a code may be: in capitals, or without letters.
    pub(crate) fn is_code(&self) -> bool {
        !self.is(shape::EAST_ASIAN) & (self.is(shape::UPPER) | !self.is(shape::LETTER))
    }

    /// What it may be the beginning of: without a branch, as there is no telling what comes next.
    pub(super) fn marks(&self) -> u8 {
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

/// What a token may be the beginning of, as bits, so that those few are found that are worth a look.
pub(super) mod mark {
    use super::part;

    /// A name.
    pub(crate) const NAME: u8 = part::NAME;
    /// A cue, or that is not known.
    pub(crate) const CUE: u8 = part::BEGINNING;
    /// A row of offices.
    pub(crate) const ROW: u8 = part::ROW;
    /// It is written as a code may be.
    pub(crate) const CODE: u8 = 64;
    /// A colon or a full stop stands before it.
    pub(crate) const PARTED: u8 = 128;
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

pub(super) fn folded_ascii<'a>(narrow: &'a Narrow, token: &Token) -> Option<&'a str> {
    narrow.text(token.start, token.end).filter(|_| token.is(shape::ASCII))
}

pub(super) fn folded<'a>(view: &Folded, narrow: &'a Narrow, token: &Token) -> Cow<'a, str> {
    if let Some(folded) = folded_ascii(narrow, token) {
        return folded.into();
    }
    let mut word = String::new();
    fold(view.chars(token.start, token.end), token.is(shape::DOTTED), &mut word);
    word.into()
}

/// Adds the tokens of a text, and the folded form of each as two numbers; zeros where it is too long for that. Neither words nor
/// sentences are known yet.
pub(super) fn find_tokens(view: &Folded, narrow: &Narrow, tokens: &mut Vec<Token>, keys: &mut Vec<[u64; 2]>) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::article::{short_word_hash, word_hash};

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_one_does(text in "([aAzZuUsS09xX .'é中ß\\-]{1,3}|[a-z]{6,10}|[A-Z]{14,18}|[a-zA-Z0-9]{30,34}){0,12}") {
            let (mut view, mut narrow) = (Folded::default(), Narrow::default());
            text.chars().for_each(|ch| view.push(ch, 0, 0));
            narrow.read(view.narrow());
            let (mut tokens, mut keys) = (Vec::new(), Vec::new());
            find_tokens(&view, &narrow, &mut tokens, &mut keys);
            let view = &view;
            let mut at = 0;
            for (token, key) in tokens.iter().zip(&keys) {
                prop_assert!(view.chars(at, token.start).all(|ch| class(ch).is_none()), "{text:?}");
                let class = class(view.ch(token.start).unwrap()).unwrap();
                let (end, dotted) = token_end(view, token.start, class);
                let mut folded = String::new();
                fold(view.chars(token.start, end), dotted, &mut folded);
                prop_assert_eq!((token.end, &*super::folded(view, &narrow, token)), (end, &*folded), "{:?}", text);
                check_key(*key, folded.as_bytes());
                let shape = shape_of(view.chars(token.start, end), class, dotted);
                let of_both = !(shape::ASCII | shape::ABBREVIATION);
                prop_assert_eq!(token.shape & of_both, shape & of_both, "{:?}", text);
                at = end;
            }
            prop_assert!(view.chars(at, view.len()).all(|ch| class(ch).is_none()), "{text:?}");
        }
    }

    /// The numbers of a word are those of its bytes, so that it is found either way.
    fn check_key(key: [u64; 2], word: &[u8]) {
        assert_eq!(key, packed(word).unwrap_or_default());
        assert!(word.len() > 16 || short_word_hash(key) == word_hash(word));
    }
}
