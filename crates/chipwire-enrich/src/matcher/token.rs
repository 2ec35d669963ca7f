//! Tokens: what names are compared by.
//!
//! A token is a run of letters and digits of one script; each Han character and each Hangul syllable is one of its own, a
//! code of letters and digits stays whole, and `U.S.` is one. Nothing is lower-cased as a whole: every token is folded on
//! its own into a buffer and looked up, so positions never move and nothing is allocated per token.

use chipwire_events::Field;
use hashbrown::HashTable;

use super::sentence::{Sentence, sentences};
use crate::{
    article::word_hash,
    view::{PARAGRAPH, Reading, Unit, append_matching},
};

/// The words that any name or cue has, numbered from 1; 0 is every other word.
///
/// They stand one behind the other, so that a word of a large gazetteer takes about twenty bytes besides its letters.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// The words of at most eight bytes, each as one number, with their numbers: most of a text is compared at once.
    short: HashTable<(u64, u32)>,
    /// The numbers of the longer ones, by the hashes of the words.
    long: HashTable<u32>,
    letters: Vec<u8>,
    /// Where each word ends in `letters`; it begins where the one before ends.
    ends: Vec<u32>,
    /// Whether each word is a name or a cue alone, and not only together with others.
    alone: Vec<bool>,
}

impl Words {
    /// The number of `word`, which is folded already and has the hash `hash` by [`word_hash`].
    pub(crate) fn get(&self, word: &[u8], hash: u64) -> u32 {
        match packed(word) {
            Some(key) => self.short.find(hash, |(known, _)| *known == key).map_or(0, |(_, number)| *number),
            None => self.long.find(hash, |number| self.text(*number) == word).copied().unwrap_or(0),
        }
    }

    /// The number of `word`, which is folded already; 0 if it has none.
    pub(crate) fn number(&self, word: &[u8]) -> u32 {
        self.get(word, word_hash(word))
    }

    /// The number of `word`, a new one if it has none.
    pub(crate) fn intern(&mut self, word: &[u8]) -> u32 {
        let hash = word_hash(word);
        let known = self.get(word, hash);
        if known != 0 {
            return known;
        }
        let end = u32::try_from(self.letters.len() + word.len());
        let (Ok(end), Ok(number)) = (end, u32::try_from(self.ends.len() + 1)) else {
            // Beyond four gigabytes of words there are no new ones.
            return 0;
        };
        self.letters.extend_from_slice(word);
        self.ends.push(end);
        let Self { short, long, letters, ends, .. } = self;
        match packed(word) {
            Some(key) => {
                short.insert_unique(hash, (key, number), |(_, number)| word_hash(text(letters, ends, *number)));
            }
            None => {
                long.insert_unique(hash, number, |number| word_hash(text(letters, ends, *number)));
            }
        }
        number
    }

    /// The folded word of a number; empty for 0.
    pub(crate) fn text(&self, number: u32) -> &[u8] {
        text(&self.letters, &self.ends, number)
    }

    /// The highest number.
    pub(crate) fn last(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Gives back what was kept for more words.
    pub(crate) fn shrink(&mut self) {
        self.letters.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.alone.shrink_to_fit();
        let Self { short, long, letters, ends, .. } = self;
        short.shrink_to_fit(|(_, number)| word_hash(text(letters, ends, *number)));
        long.shrink_to_fit(|number| word_hash(text(letters, ends, *number)));
    }

    /// Notes that `word` is a name or a cue alone.
    pub(crate) fn set_alone(&mut self, word: u32) {
        let at = word as usize;
        if self.alone.len() <= at {
            self.alone.resize(at + 1, false);
        }
        self.alone.get_mut(at).into_iter().for_each(|alone| *alone = true);
    }

    /// Whether `word` is a name or a cue alone.
    pub(crate) fn is_alone(&self, word: u32) -> bool {
        self.alone.get(word as usize).is_some_and(|alone| *alone)
    }
}

/// A word of at most eight bytes as one number. No word has a zero in it, so none is another with zeros behind it.
fn packed(word: &[u8]) -> Option<u64> {
    let mut bytes = [0; 8];
    bytes.get_mut(..word.len())?.copy_from_slice(word);
    Some(u64::from_le_bytes(bytes))
}

fn text<'a>(letters: &'a [u8], ends: &[u32], number: u32) -> &'a [u8] {
    let Some(at) = (number as usize).checked_sub(1) else { return &[] };
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(at).and_then(|end| letters.get(start as usize..*end as usize)).unwrap_or_default()
}

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
    /// Its first unit.
    pub(crate) start: usize,
    /// One past its last unit.
    pub(crate) end: usize,
    /// Its word, or 0.
    pub(crate) word: u32,
    /// The number of its sentence.
    pub(crate) sentence: usize,
    /// What is before it.
    pub(crate) gap: Gap,
    /// Bits of [`shape`].
    pub(crate) shape: u16,
}

impl Token {
    pub(crate) fn is(&self, bits: u16) -> bool {
        self.shape & bits != 0
    }
}

/// Title and body of an article as one sequence of tokens.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) units: Vec<Unit>,
    /// The first unit of the body.
    pub(crate) body: usize,
    pub(crate) tokens: Vec<Token>,
    pub(crate) sentences: Vec<Sentence>,
    /// A hash of each token in the form in which words are compared.
    pub(crate) hashes: Vec<u64>,
}

impl Document {
    /// Reads a title, which may contain HTML, and a body.
    pub(crate) fn new(title: &str, body: &str, reading: Reading, words: &Words) -> Self {
        let mut units = Vec::with_capacity(title.len() + 1 + body.len());
        append_matching(&mut units, title, Reading::Mixed);
        units.push(Unit::new(PARAGRAPH, 0, 0));
        let start = units.len();
        append_matching(&mut units, body, reading);
        let mut hashes = Vec::with_capacity(units.len() / 4);
        let mut tokens = tokens(&units, |word| {
            let hash = word_hash(word);
            hashes.push(hash);
            words.get(word, hash)
        });
        let sentences = sentences(&mut tokens, &units);
        Self { units, body: start, tokens, sentences, hashes }
    }

    pub(crate) fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at)
    }

    /// The token before the one at `at`.
    pub(crate) fn before(&self, at: usize) -> Option<&Token> {
        at.checked_sub(1).and_then(|at| self.tokens.get(at))
    }

    pub(crate) fn sentence_of(&self, token: usize) -> Option<&Sentence> {
        self.token(token).and_then(|token| self.sentences.get(token.sentence))
    }

    pub(crate) fn ch(&self, unit: usize) -> Option<char> {
        self.units.get(unit).map(|unit| unit.ch)
    }

    /// The characters of units `start..end`.
    pub(crate) fn text(&self, start: usize, end: usize) -> String {
        self.units.get(start..end).unwrap_or_default().iter().map(|unit| unit.ch).collect()
    }

    /// Whether units `start..end` are `text`.
    pub(crate) fn is_text(&self, start: usize, end: usize, text: &str) -> bool {
        self.units.get(start..end).unwrap_or_default().iter().map(|unit| unit.ch).eq(text.chars())
    }

    /// The token as it is written.
    pub(crate) fn written(&self, token: &Token) -> String {
        self.text(token.start, token.end)
    }

    /// The token in the form in which words are compared.
    pub(crate) fn folded(&self, token: &Token) -> String {
        let mut word = String::new();
        fold(self.units.get(token.start..token.end).unwrap_or_default(), token.is(shape::DOTTED), &mut word);
        word
    }

    /// Whether the folded form of `token` starts with `prefix`.
    pub(crate) fn begins(&self, token: &Token, prefix: &str) -> bool {
        match self.folded_ascii(token) {
            Some(mut chars) => prefix.chars().all(|ch| chars.next() == Some(ch)),
            None => self.folded(token).starts_with(prefix),
        }
    }

    /// The characters of the folded form, where they are found without folding.
    pub(crate) fn folded_ascii(&self, token: &Token) -> Option<impl Iterator<Item = char>> {
        let units = self.units.get(token.start..token.end)?;
        token.is(shape::ASCII).then(|| units.iter().map(|unit| unit.ch.to_ascii_lowercase()))
    }

    /// The field and the raw bytes of units `start..end`.
    pub(crate) fn raw(&self, start: usize, end: usize) -> Option<(Field, usize, usize)> {
        let field = if start >= self.body { Field::Body } else { Field::Title };
        Some((field, self.units.get(start)?.start(), self.units.get(end.checked_sub(1)?)?.end()))
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
fn fold(units: &[Unit], dotted: bool, word: &mut String) {
    word.clear();
    let mut capitals = true;
    for unit in units {
        match unit.ch {
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

/// The tokens of `units`; `number` says which number a folded word has. Sentences are not told apart yet.
pub(crate) fn tokens(units: &[Unit], mut number: impl FnMut(&[u8]) -> u32) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(units.len() / 4);
    let mut word = String::new();
    let mut at = 0;
    while let Some(unit) = units.get(at) {
        let Some(first) = class(unit.ch) else {
            at += 1;
            continue;
        };
        let mut bytes = [0; WORD_BYTES];
        let (end, shape, folded) = match plain_word(units, at, &mut bytes) {
            Some((length, shape)) => (at + length, shape, bytes.get(..length).unwrap_or_default()),
            None => {
                let (end, dotted) = token_end(units, at, first);
                let slice = units.get(at..end).unwrap_or_default();
                fold(slice, dotted, &mut word);
                (end, shape_of(slice, first, dotted), word.as_bytes())
            }
        };
        let previous = tokens.last().map_or(0, |token| token.end);
        tokens.push(Token {
            start: at,
            end,
            word: number(folded),
            sentence: 0,
            gap: if tokens.is_empty() { Gap::Hard } else { gap(units.get(previous..at).unwrap_or_default()) },
            shape: shape | abbreviation(units, at, end, shape & shape::DOTTED != 0, folded),
        });
        at = end;
    }
    tokens
}

/// The short way for what nearly every token is: ASCII that begins with a letter, has more than one character and is not
/// `us`. Reads and folds it at once; the answer is its length and shape, or nothing where it is not so simple.
fn plain_word(units: &[Unit], start: usize, folded: &mut [u8; WORD_BYTES]) -> Option<(usize, u16)> {
    let first = units.get(start)?.ch;
    if !first.is_ascii_alphabetic() {
        return None;
    }
    let mut length = 0;
    let mut kinds = 0_u8;
    for unit in units.get(start..)? {
        kinds |= match unit.ch {
            'a'..='z' => LOWER,
            'A'..='Z' => UPPER,
            '0'..='9' => DIGIT,
            ch if ch.is_ascii() || class(ch).is_none() => break,
            _ => return None,
        };
        // The bit by which the cases of a letter differ, which every digit has.
        *folded.get_mut(length)? = u8::try_from(unit.ch).ok()? | 0x20;
        length += 1;
    }
    if length < 2 || folded.get(..length) == Some(b"us") {
        return None;
    }
    let capital = if first.is_ascii_uppercase() { shape::CAPITAL } else { 0 };
    let digit = if kinds & DIGIT != 0 { shape::DIGIT } else { 0 };
    let upper = if kinds & (UPPER | LOWER) == UPPER { shape::UPPER } else { 0 };
    Some((length, capital | digit | upper | shape::LETTER | shape::ASCII))
}

/// Longer words are so rare that they may take the long way.
const WORD_BYTES: usize = 32;
/// Kinds of ASCII characters, as bits.
const LOWER: u8 = 1;
const UPPER: u8 = 2;
const DIGIT: u8 = 4;

fn token_end(units: &[Unit], start: usize, first: Class) -> (usize, bool) {
    if matches!(first, Class::Han | Class::Hangul) {
        return (start + 1, false);
    }
    let class_at = |at: usize| units.get(at).and_then(|unit| class(unit.ch));
    let mut script = (first != Class::Digit).then_some(first);
    let mut end = start + 1;
    while let Some(next) = class_at(end) {
        let joins = match (script, next) {
            (Some(Class::Hiragana), Class::Katakana) => units.get(end).is_some_and(|unit| unit.ch == 'ー'),
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
        let dotted = dotted_end(units, start);
        if dotted > end {
            return (dotted, true);
        }
    }
    (times_end(units, start, end), false)
}

/// The end of `U.S.` or `I.B.M`, or `start` where there is none.
fn dotted_end(units: &[Unit], start: usize) -> usize {
    let is = |at: usize, test: fn(char) -> bool| units.get(at).is_some_and(|unit| test(unit.ch));
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
fn times_end(units: &[Unit], start: usize, end: usize) -> usize {
    let ch = |at: usize| units.get(at).map(|unit| unit.ch);
    let mut at = start;
    while at < end && ch(at).is_some_and(|ch| ch.is_ascii_digit()) {
        at += 1;
    }
    let sign = at > start && matches!(ch(at), Some('x' | 'X')) && at + 1 < end;
    if sign && ch(at + 1).is_some_and(|ch| ch.is_ascii_uppercase()) { at + 1 } else { end }
}

fn shape_of(units: &[Unit], class: Class, dotted: bool) -> u16 {
    let mut bits = 0;
    let (mut upper, mut lower) = (false, false);
    for unit in units {
        upper |= unit.ch.is_uppercase();
        lower |= unit.ch.is_lowercase();
        bits |= if unit.ch.is_numeric() { shape::DIGIT } else { 0 };
        bits |= if unit.ch.is_alphabetic() { shape::LETTER } else { 0 };
    }
    if units.first().is_some_and(|unit| unit.ch.is_uppercase()) {
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
fn abbreviation(units: &[Unit], start: usize, end: usize, dotted: bool, folded: &[u8]) -> u16 {
    let stop = units.get(end).is_some_and(|unit| unit.ch == '.');
    let short = dotted
        || (stop && (end - start == 1 || std::str::from_utf8(folded).is_ok_and(crate::lexicon::is_abbreviation)));
    if short { shape::ABBREVIATION } else { 0 }
}

fn gap(units: &[Unit]) -> Gap {
    let space = |unit: &Unit| unit.ch == ' ';
    let without = |ch: char| {
        let mut signs = units.iter().filter(|unit| unit.ch != ' ').map(|unit| unit.ch);
        signs.next() == Some(ch) && signs.next().is_none()
    };
    let one = |ch: char| matches!(units, [unit] if unit.ch == ch);
    match units {
        [] => Gap::Empty,
        [unit] if unit.ch == ' ' => Gap::Space,
        [sign, unit] if sign.ch == ',' && unit.ch == ' ' => Gap::Comma,
        [sign, unit] if sign.ch == '.' && unit.ch == ' ' => Gap::DotSpace,
        _ if units.iter().all(|unit| matches!(unit.ch, ' ' | '·')) => Gap::Space,
        _ if units.iter().any(|unit| matches!(unit.ch, PARAGRAPH | crate::view::BREAK)) => Gap::Hard,
        _ if one('-') => Gap::Hyphen,
        _ if one('—') => Gap::Dash,
        _ if one('\'') => Gap::Apostrophe,
        _ if one('.') => Gap::Dot,
        [dot, rest @ ..] if dot.ch == '.' && rest.iter().all(space) => Gap::DotSpace,
        _ if without(',') || without('、') => Gap::Comma,
        _ if one('/') => Gap::Slash,
        _ if without('&') => Gap::Ampersand,
        _ if without(':') => Gap::Colon,
        _ if without('%') => Gap::Percent,
        _ if without('(') => Gap::Open,
        _ if without(')') => Gap::Close,
        _ if units.iter().all(|unit| matches!(unit.ch, ' ' | '"' | '\'')) => Gap::Quote,
        _ => Gap::Other,
    }
}
