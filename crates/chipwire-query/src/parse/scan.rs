//! Characters to words and quoted texts.

use super::{Fault, Parsed};

/// A word outside quotes.
#[derive(Debug, Clone, Default)]
pub(super) struct Word {
    /// Its first byte in the query.
    pub(super) start: usize,
    /// One past its last byte.
    pub(super) end: usize,
    /// Its characters: the place, the character, and whether it was escaped.
    pub(super) chars: Vec<(usize, char, bool)>,
}

impl Word {
    /// The word without the backslashes.
    pub(super) fn text(&self) -> String {
        self.chars.iter().map(|(_, c, _)| c).collect()
    }

    /// The place of the first `wanted` that is not escaped, in bytes of the query.
    pub(super) fn find(&self, wanted: char) -> Option<usize> {
        self.chars.iter().find(|(_, c, escaped)| *c == wanted && !escaped).map(|(at, ..)| *at)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    pub(super) fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    pub(super) fn skip_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Takes a `-`, `!` or `+` that stands directly before something.
    pub(super) fn sign(&mut self) -> Option<char> {
        let mut chars = self.rest().chars();
        let sign = chars.next().filter(|c| matches!(c, '-' | '!' | '+'))?;
        let goes_on = chars.next().is_some_and(|c| !c.is_whitespace() && c != ')');
        goes_on.then(|| {
            self.at += 1;
            sign
        })
    }

    /// Takes a word, which may be empty: everything up to a space, a quotation mark or a parenthesis.
    pub(super) fn word(&mut self) -> Word {
        self.word_until(|_| false)
    }

    /// The same, ending also before a character that `stops`.
    pub(super) fn word_until(&mut self, stops: impl Fn(char) -> bool) -> Word {
        let mut word = Word { start: self.at, end: self.at, chars: Vec::new() };
        while let Some(c) = self.peek() {
            let at = self.at;
            if c == '\\' {
                self.at += 1;
                // A backslash at the very end stands for itself.
                let taken = self.next().unwrap_or(c);
                word.chars.push((at, taken, true));
            } else if c.is_whitespace() || matches!(c, '(' | ')') || closing_quote(c).is_some() || c == '”' || stops(c)
            {
                break;
            } else {
                self.at += c.len_utf8();
                word.chars.push((at, c, false));
            }
        }
        word.end = self.at;
        word
    }

    /// Takes the quoted text that begins here.
    pub(super) fn quoted(&mut self) -> Parsed<String> {
        let start = self.at;
        let close = self.next().and_then(closing_quote).unwrap_or('"');
        let mut text = String::new();
        while let Some(c) = self.next() {
            if c == close || (close == '”' && c == '"') {
                return Ok(text);
            }
            if c == '\\' { text.extend(self.next()) } else { text.push(c) }
        }
        let open = self.slice(start, self.at).trim_end();
        let closed = if text.trim().is_empty() { String::new() } else { format!("{open}{close}") };
        Err(Fault::new(start, self.at, "this quotation mark is not closed").instead(closed))
    }
}

/// The mark that ends what `open` begins; curly quotation marks are as good as straight ones.
pub(super) fn closing_quote(open: char) -> Option<char> {
    match open {
        '"' => Some('"'),
        '“' => Some('”'),
        _ => None,
    }
}
