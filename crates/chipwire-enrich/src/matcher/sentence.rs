//! Sentences: where they end, and how they are written.

use super::token::{Gap, Token, shape};
use crate::view::Folded;

/// A sentence, and how it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sentence {
    /// Its first token.
    pub(crate) first: usize,
    /// All of its words are in capitals.
    pub(crate) capitals: bool,
    /// Most of its words begin with a capital, as in a headline.
    pub(crate) headline: bool,
}

/// How the words of a sentence are written, so far.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    words: u32,
    upper: u32,
    /// Of more than three letters.
    long: u32,
    capital: u32,
}

impl Counts {
    // Sums without a branch, as there is no telling what comes next.
    fn add(&mut self, token: &Token) {
        let length = token.end - token.start;
        let is = |bits: u16| u32::from(token.is(bits));
        let word = is(shape::LETTER) & (is(shape::EAST_ASIAN) ^ 1) & u32::from(length > 1);
        self.words += word;
        self.upper += word & is(shape::UPPER);
        let longer = word & u32::from(length > 3);
        self.long += longer;
        self.capital += longer & is(shape::CAPITAL);
    }

    fn sentence(self, first: usize) -> Sentence {
        let Self { words, upper, long, capital } = self;
        Sentence {
            first,
            capitals: words >= 4 && upper * 10 >= words * 8,
            headline: long >= 4 && capital * 10 >= long * 7,
        }
    }
}

/// Numbers the sentences of `tokens` and says how each is written.
pub(super) fn sentences(tokens: &mut [Token], view: &Folded) -> Vec<Sentence> {
    let mut sentences = Vec::with_capacity(tokens.len() / 16 + 1);
    let (mut first, mut counts) = (0, Counts::default());
    let mut previous = (0, 0);
    for (at, token) in tokens.iter_mut().enumerate() {
        let (end, shape) = previous;
        if at > 0 && parts_sentences(end, shape, token, view) {
            sentences.push(counts.sentence(first));
            (first, counts) = (at, Counts::default());
        }
        token.sentence = sentences.len();
        counts.add(token);
        previous = (token.end, token.shape);
    }
    sentences.push(counts.sentence(first));
    sentences
}

/// Whether a sentence ends between a token of `shape` that ends at `end`, and `token`.
fn parts_sentences(end: usize, shape: u16, token: &Token, view: &Folded) -> bool {
    match token.gap {
        Gap::Hard => return true,
        Gap::DotSpace | Gap::Other => {}
        // No other gap has a sign that ends a sentence.
        _ => return false,
    }
    let mut signs = view.chars(end, token.start).peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '。' | '！' | '？' | '；' | ';' => return true,
            '!' | '?' => return signs.peek().is_some(),
            '.' => {
                let spaced = signs.peek().is_some_and(|next| matches!(next, ' ' | '"' | '\'' | ')' | '.'));
                return spaced && shape & shape::ABBREVIATION == 0;
            }
            _ => {}
        }
    }
    false
}
