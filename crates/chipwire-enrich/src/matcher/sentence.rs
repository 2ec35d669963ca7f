//! Sentences: where they end, and how they are written.

use super::{
    gap::Gap,
    token::{Token, shape},
};
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

/// How the words of a sentence are written, so far: four sums of 32 bits in one number, which are of its words, of those that are in
/// capitals, of those that have more than three letters, and of the last those that begin with a capital.
#[derive(Debug, Clone, Copy, Default)]
struct Counts(u128);

impl Counts {
    /// What a token adds, by its shape and its length: looked up, as every token is counted.
    const SUMS: [u128; 64] = sums();

    fn add(&mut self, token: &Token) {
        self.0 += Self::SUMS.get(place(token.shape, token.end - token.start)).copied().unwrap_or(0);
    }

    fn sentence(self, first: usize) -> Sentence {
        let [words, upper, long, capital] = [0, 32, 64, 96].map(|by| (self.0 >> by) as u32);
        Sentence {
            first,
            capitals: words >= 4 && upper * 10 >= words * 8,
            headline: long >= 4 && capital * 10 >= long * 7,
        }
    }
}

/// Where it is said what a token adds. The bits of its shape that matter stand side by side.
const fn place(shape: u16, length: usize) -> usize {
    let shape = shape & (shape::LETTER | shape::CAPITAL | shape::UPPER | shape::EAST_ASIAN);
    (shape >> 1) as usize | ((length > 1) as usize) << 4 | ((length > 3) as usize) << 5
}

const fn sums() -> [u128; 64] {
    let mut sums = [0; 64];
    let mut rest: &mut [u128] = &mut sums;
    let mut at: u16 = 0;
    while let [sum, others @ ..] = rest {
        let shape = at << 1;
        if shape & shape::LETTER != 0 && shape & shape::EAST_ASIAN == 0 && at & 1 << 4 != 0 {
            let upper = (shape & shape::UPPER != 0) as u128;
            let long = (at & 1 << 5 != 0) as u128;
            let capital = (shape & shape::CAPITAL != 0) as u128;
            *sum = 1 | upper << 32 | long << 64 | (long & capital) << 96;
        }
        rest = others;
        at += 1;
    }
    sums
}

/// Numbers the sentences of `tokens` and adds how each is written to `sentences`.
pub(super) fn find_sentences(tokens: &mut [Token], view: &Folded, sentences: &mut Vec<Sentence>) {
    sentences.reserve(tokens.len() / 16 + 1);
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
}

/// Whether a sentence ends between a token of `shape` that ends at `end`, and `token`.
fn parts_sentences(end: usize, shape: u16, token: &Token, view: &Folded) -> bool {
    match token.gap {
        Gap::Hard => return true,
        // The end of most.
        Gap::DotSpace => return shape & shape::ABBREVIATION == 0,
        Gap::Other => {}
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
