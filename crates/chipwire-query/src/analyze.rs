//! What a word is: the one analyzer for documents and queries.
//!
//! - A word is a run of letters and digits, so `H20` and `A100` stay whole and `HBM3E-12Hi` is two words. It is folded:
//!   compatibility forms, case and diacritics do not count. Words are not stemmed.
//! - A possessive `'s` is dropped (`Nvidia's` is `nvidia`); any other apostrophe separates.
//! - Single letters with dots between are one word: `U.S.` is `us`, `A.I.` is `ai`.
//! - Scripts without spaces between words (Chinese, Japanese, Korean, Thai, …) give for every character a token of its
//!   own and, at the same position, one with its successor. So a text can be found by any piece of it, even of one
//!   character, and two characters cost one look-up.
//!
//! A query's text goes through the same analyzer and then through [`Pattern`](crate::Pattern), which keeps only the
//! tokens that are needed to find it.

use crate::fold::{fold_into, is_apostrophe, is_extender, is_unspaced, is_word};

/// The version of the analyzer: it changes when the same text gives other tokens, and an index must then be rebuilt.
pub const ANALYZER_VERSION: u32 = 1;

/// What a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenKind {
    /// A word of a script that is written with spaces.
    #[default]
    Word,
    /// One character of a script that is written without spaces.
    Single,
    /// The same character with the one after it; follows the [`Single`](TokenKind::Single) of the same position.
    Pair,
}

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Token {
    /// The folded text, at most 128 bytes.
    pub text: String,
    /// Its first byte in the text as it was given.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The number of words, or unspaced characters, before it.
    pub position: u32,
    /// What it stands for.
    pub kind: TokenKind,
}

/// Walks over the tokens of a text.
#[derive(Debug, Clone)]
pub struct Tokens<'t> {
    text: &'t str,
    at: usize,
    position: u32,
    /// The bytes of a pair whose first character was the token before.
    pair: Option<(usize, usize, usize)>,
}

/// The tokens of `text`, in order of position.
pub fn tokenize(text: &str) -> Vec<Token> {
    let mut all = Vec::new();
    let mut tokens = Tokens::new(text);
    let mut token = Token::default();
    while tokens.advance(&mut token) {
        all.push(token.clone());
    }
    all
}

impl<'t> Tokens<'t> {
    /// Starts at the beginning of `text`.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0, position: 0, pair: None }
    }

    /// Overwrites `token` with the next one; false at the end, and `token` is then of no use.
    pub fn advance(&mut self, token: &mut Token) -> bool {
        token.text.clear();
        if let Some((start, middle, end)) = self.pair.take() {
            self.fold(start, middle, &mut token.text);
            self.fold(middle, end, &mut token.text);
            self.place(token, start, end, TokenKind::Pair);
            self.position = self.position.saturating_add(1);
            return true;
        }
        while let Some((start, c)) = self.skip_to_word() {
            if is_unspaced(c) {
                let end = self.unit_end(start);
                self.at = end;
                self.fold(start, end, &mut token.text);
                if token.text.is_empty() {
                    continue;
                }
                self.place(token, start, end, TokenKind::Single);
                match self.char_at(end) {
                    Some(next) if is_unspaced(next) && is_word(next) => {
                        self.pair = Some((start, end, self.unit_end(end)));
                    }
                    _ => self.position = self.position.saturating_add(1),
                }
                return true;
            }
            let end = self.word(start, &mut token.text);
            if token.text.is_empty() {
                continue;
            }
            self.place(token, start, end, TokenKind::Word);
            self.position = self.position.saturating_add(1);
            return true;
        }
        false
    }

    fn place(&self, token: &mut Token, start: usize, end: usize, kind: TokenKind) {
        token.start = start;
        token.end = end;
        token.position = self.position;
        token.kind = kind;
    }

    fn fold(&self, start: usize, end: usize, out: &mut String) {
        fold_into(self.text.get(start..end).unwrap_or_default(), out);
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// The next character that a word can begin with.
    fn skip_to_word(&mut self) -> Option<(usize, char)> {
        let rest = self.text.get(self.at..)?;
        for (offset, c) in rest.char_indices() {
            if is_word(c) {
                return Some((self.at + offset, c));
            }
        }
        self.at = self.text.len();
        None
    }

    /// The end of the character at `start` with all that belongs to it.
    fn unit_end(&self, start: usize) -> usize {
        let mut chars = self.text.get(start..).unwrap_or_default().char_indices();
        chars.next();
        chars.find(|(_, c)| !is_extender(*c)).map_or(self.text.len(), |(offset, _)| start + offset)
    }

    /// Reads a word of a spaced script: its folded text goes to `out`, its end is returned, and `self.at` moves past it
    /// and what is dropped with it.
    fn word(&mut self, start: usize, out: &mut String) -> usize {
        let mut end = self.word_end(start);
        self.fold(start, end, out);
        self.at = end;
        if self.is_single_letter(start, end) {
            let mut dotted = false;
            while let Some(next) = self.dotted_letter(end) {
                self.fold(end + 1, next, out);
                end = next;
                dotted = true;
            }
            self.at = end;
            if dotted && self.char_at(end) == Some('.') {
                self.at += 1;
            }
        }
        if let Some(after) = self.possessive(self.at) {
            self.at = after;
        }
        end
    }

    fn word_end(&self, start: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        let ascii = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if rest.as_bytes().get(ascii).is_none_or(u8::is_ascii) {
            return start + ascii;
        }
        let belongs = |c: char| (is_word(c) && !is_unspaced(c)) || is_extender(c) || c == '\u{AD}';
        rest.char_indices().find(|(_, c)| !belongs(*c)).map_or(self.text.len(), |(offset, _)| start + offset)
    }

    fn is_single_letter(&self, start: usize, end: usize) -> bool {
        let mut chars = self.text.get(start..end).unwrap_or_default().chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
    }

    /// The end of the letter after the dot at `at`, if one letter alone follows it.
    fn dotted_letter(&self, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?.strip_prefix('.')?;
        let letter = rest.chars().next().filter(|c| c.is_alphabetic() && is_word(*c) && !is_unspaced(*c))?;
        let end = at + 1 + letter.len_utf8();
        (self.word_end(at + 1) == end).then_some(end)
    }

    /// The end of the possessive `'s` at `at`, if one stands there.
    fn possessive(&self, at: usize) -> Option<usize> {
        let apostrophe = self.char_at(at).filter(|c| is_apostrophe(*c))?;
        let s = at + apostrophe.len_utf8();
        matches!(self.char_at(s), Some('s' | 'S')).then_some(())?;
        let end = s + 1;
        let goes_on = self.char_at(end).is_some_and(|c| (is_word(c) && !is_unspaced(c)) || is_extender(c));
        (!goes_on).then_some(end)
    }
}
