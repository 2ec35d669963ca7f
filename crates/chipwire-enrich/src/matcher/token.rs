//! Tokens: what names are compared by.
//!
//! A token is a run of letters and digits of one script; each Han character and each Hangul syllable is one of its own, a
//! code of letters and digits stays whole, and `U.S.` is one. Nothing is lower-cased as a whole: every token is folded on
//! its own into a buffer and looked up, so positions never move and nothing is allocated per token.

use chipwire_events::Field;

use super::{
    narrow::Narrow,
    sentence::{Sentence, sentences},
    words::{Known, Spelled, Words},
};
use crate::view::{Folded, PARAGRAPH, Reading, append_matching};

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
    pub(crate) fn is(&self, bits: u16) -> bool {
        self.shape & bits != 0
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
    /// A hash of each token in the form in which words are compared.
    pub(crate) hashes: Vec<u64>,
}

impl Document {
    /// Reads a title, which may contain HTML, and a body.
    pub(crate) fn new(title: &str, body: &str, reading: Reading, words: &Words) -> Self {
        let mut view = Folded::with_capacity(title.len() + 1 + body.len());
        append_matching(&mut view, title, Reading::Mixed);
        view.push(PARAGRAPH, 0, 0);
        let start = view.len();
        append_matching(&mut view, body, reading);
        let mut hashes = Vec::with_capacity(view.len() / 4);
        let mut short = Vec::with_capacity(view.len() / 4);
        let mut tokens = tokens(view.chars(), |word| {
            let hash = word.hash();
            hashes.push(hash);
            let Some(packed) = word.packed else { return words.get(word, hash) };
            short.push((hashes.len() - 1, packed));
            Known::default()
        });
        // One after the other without anything between them, so that the processor need not wait for each.
        for (at, packed) in short {
            if let (Some(token), Some(hash)) = (tokens.get_mut(at), hashes.get(at)) {
                let known = words.get_short(packed, *hash);
                (token.word, token.parts) = (known.number, known.parts);
            }
        }
        let sentences = sentences(&mut tokens, view.chars());
        Self { view, body: start, tokens, sentences, hashes }
    }

    /// Title, the edge of a paragraph, and body.
    pub(crate) fn chars(&self) -> &[char] {
        self.view.chars()
    }

    /// The characters `start..end`.
    pub(crate) fn slice(&self, start: usize, end: usize) -> &[char] {
        self.chars().get(start..end).unwrap_or_default()
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

    pub(crate) fn ch(&self, at: usize) -> Option<char> {
        self.chars().get(at).copied()
    }

    /// The characters `start..end`.
    pub(crate) fn text(&self, start: usize, end: usize) -> String {
        self.slice(start, end).iter().collect()
    }

    /// Whether the characters `start..end` are `text`.
    pub(crate) fn is_text(&self, start: usize, end: usize, text: &str) -> bool {
        self.slice(start, end).iter().copied().eq(text.chars())
    }

    /// The token as it is written.
    pub(crate) fn written(&self, token: &Token) -> String {
        self.text(token.start, token.end)
    }

    /// The token in the form in which words are compared.
    pub(crate) fn folded(&self, token: &Token) -> String {
        let mut word = String::new();
        fold(self.slice(token.start, token.end), token.is(shape::DOTTED), &mut word);
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
        let chars = self.slice(token.start, token.end).iter();
        token.is(shape::ASCII).then(|| chars.map(char::to_ascii_lowercase))
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
fn fold(chars: &[char], dotted: bool, word: &mut String) {
    word.clear();
    let mut capitals = true;
    for ch in chars {
        match *ch {
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

/// The tokens of a text; `known` says what is known of a folded word. Sentences are not told apart yet.
pub(crate) fn tokens(chars: &[char], mut known: impl FnMut(&Spelled<'_>) -> Known) -> Vec<Token> {
    let narrow = Narrow::new(chars);
    let mut tokens: Vec<Token> = Vec::with_capacity(chars.len() / 4);
    let mut word = String::new();
    let (mut at, mut previous) = (0, 0);
    loop {
        let start = narrow.skip_signs(at);
        let Some(first) = chars.get(start) else { break };
        let parts_words = |at: usize| chars.get(at).is_none_or(|ch| class(*ch).is_none());
        let (end, shape, known) = match narrow.word(start, parts_words) {
            Some(plain) => {
                let end = start + plain.length;
                let abbreviation = abbreviation(narrow.ascii(end), plain.length, false, plain.spelled.bytes);
                (end, plain.shape | abbreviation, known(&plain.spelled))
            }
            None => {
                let Some(class) = class(*first) else {
                    at = start + 1;
                    continue;
                };
                let (end, dotted) = token_end(chars, start, class);
                let slice = chars.get(start..end).unwrap_or_default();
                fold(slice, dotted, &mut word);
                let abbreviation = abbreviation(narrow.ascii(end), end - start, dotted, word.as_bytes());
                (end, shape_of(slice, class, dotted) | abbreviation, known(&Spelled::new(word.as_bytes())))
            }
        };
        let gap = match start - previous {
            _ if tokens.is_empty() => Gap::Hard,
            1 if narrow.ascii(previous) == b' ' => Gap::Space,
            _ => gap(chars.get(previous..start).unwrap_or_default()),
        };
        tokens.push(Token { start, end, word: known.number, parts: known.parts, sentence: 0, gap, shape });
        (at, previous) = (end, end);
    }
    tokens
}

fn token_end(chars: &[char], start: usize, first: Class) -> (usize, bool) {
    if matches!(first, Class::Han | Class::Hangul) {
        return (start + 1, false);
    }
    let class_at = |at: usize| chars.get(at).and_then(|ch| class(*ch));
    let mut script = (first != Class::Digit).then_some(first);
    let mut end = start + 1;
    while let Some(next) = class_at(end) {
        let joins = match (script, next) {
            (Some(Class::Hiragana), Class::Katakana) => chars.get(end) == Some(&'ー'),
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
        let dotted = dotted_end(chars, start);
        if dotted > end {
            return (dotted, true);
        }
    }
    (times_end(chars, start, end), false)
}

/// The end of `U.S.` or `I.B.M`, or `start` where there is none.
fn dotted_end(chars: &[char], start: usize) -> usize {
    let is = |at: usize, test: fn(char) -> bool| chars.get(at).is_some_and(|ch| test(*ch));
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
fn times_end(chars: &[char], start: usize, end: usize) -> usize {
    let ch = |at: usize| chars.get(at).copied();
    let mut at = start;
    while at < end && ch(at).is_some_and(|ch| ch.is_ascii_digit()) {
        at += 1;
    }
    let sign = at > start && matches!(ch(at), Some('x' | 'X')) && at + 1 < end;
    if sign && ch(at + 1).is_some_and(|ch| ch.is_ascii_uppercase()) { at + 1 } else { end }
}

fn shape_of(chars: &[char], class: Class, dotted: bool) -> u16 {
    let mut bits = 0;
    let (mut upper, mut lower) = (false, false);
    for ch in chars {
        upper |= ch.is_uppercase();
        lower |= ch.is_lowercase();
        bits |= if ch.is_numeric() { shape::DIGIT } else { 0 };
        bits |= if ch.is_alphabetic() { shape::LETTER } else { 0 };
    }
    if chars.first().is_some_and(|ch| ch.is_uppercase()) {
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
fn abbreviation(next: u8, length: usize, dotted: bool, folded: &[u8]) -> u16 {
    let stop = next == b'.';
    let short = dotted || (stop && (length == 1 || crate::lexicon::is_abbreviation(folded)));
    if short { shape::ABBREVIATION } else { 0 }
}

fn gap(chars: &[char]) -> Gap {
    let without = |ch: char| {
        let mut signs = chars.iter().filter(|ch| **ch != ' ');
        signs.next() == Some(&ch) && signs.next().is_none()
    };
    match chars {
        [] => Gap::Empty,
        [' '] => Gap::Space,
        [',', ' '] => Gap::Comma,
        ['.', ' '] => Gap::DotSpace,
        _ if chars.iter().all(|ch| matches!(ch, ' ' | '·')) => Gap::Space,
        _ if chars.iter().any(|ch| matches!(*ch, PARAGRAPH | crate::view::BREAK)) => Gap::Hard,
        ['-'] => Gap::Hyphen,
        ['—'] => Gap::Dash,
        ['\''] => Gap::Apostrophe,
        ['.'] => Gap::Dot,
        ['.', rest @ ..] if rest.iter().all(|ch| *ch == ' ') => Gap::DotSpace,
        _ if without(',') || without('、') => Gap::Comma,
        ['/'] => Gap::Slash,
        _ if without('&') => Gap::Ampersand,
        _ if without(':') => Gap::Colon,
        _ if without('%') => Gap::Percent,
        _ if without('(') => Gap::Open,
        _ if without(')') => Gap::Close,
        _ if chars.iter().all(|ch| matches!(ch, ' ' | '"' | '\'')) => Gap::Quote,
        _ => Gap::Other,
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
            let chars: Vec<char> = text.chars().collect();
            let mut words = Vec::new();
            let tokens = tokens(&chars, |word| {
                check_packed(word);
                words.push(String::from_utf8(word.bytes.to_vec()).unwrap());
                Known::default()
            });
            let mut at = 0;
            for (token, word) in tokens.iter().zip(&words) {
                prop_assert!(chars[at..token.start].iter().all(|ch| class(*ch).is_none()), "{text:?}");
                let class = class(chars[token.start]).unwrap();
                let (end, dotted) = token_end(&chars, token.start, class);
                let mut folded = String::new();
                fold(&chars[token.start..end], dotted, &mut folded);
                prop_assert_eq!((token.end, word), (end, &folded), "{:?}", text);
                let shape = shape_of(&chars[token.start..end], class, dotted);
                let of_both = !(shape::ASCII | shape::ABBREVIATION);
                prop_assert_eq!(token.shape & of_both, shape & of_both, "{:?}", text);
                at = end;
            }
            prop_assert!(chars[at..].iter().all(|ch| class(*ch).is_none()), "{text:?}");
        }
    }

    /// The number of a short word is that of its bytes, so that both ways find it.
    fn check_packed(word: &Spelled<'_>) {
        assert_eq!(word.packed, Spelled::new(word.bytes).packed);
        assert_eq!(word.hash(), word_hash(word.bytes));
    }
}
