//! Sentences: where they end, and how they are written.

use super::token::{Gap, Token, shape};

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

/// Numbers the sentences of `tokens` and says how each is written.
pub(super) fn sentences(tokens: &mut [Token], chars: &[char]) -> Vec<Sentence> {
    let mut starts = vec![0];
    let mut previous: Option<(usize, u16)> = None;
    for (at, token) in tokens.iter_mut().enumerate() {
        if let Some((end, shape)) = previous
            && parts_sentences(end, shape, token, chars)
        {
            starts.push(at);
        }
        token.sentence = starts.len() - 1;
        previous = Some((token.end, token.shape));
    }
    let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
    starts.iter().zip(ends).map(|(first, end)| describe(tokens, *first, end)).collect()
}

/// Whether a sentence ends between a token of `shape` that ends at `end`, and `token`.
fn parts_sentences(end: usize, shape: u16, token: &Token, chars: &[char]) -> bool {
    match token.gap {
        Gap::Hard => return true,
        Gap::DotSpace | Gap::Other => {}
        // No other gap has a sign that ends a sentence.
        _ => return false,
    }
    let between = chars.get(end..token.start).unwrap_or_default();
    let mut signs = between.iter().peekable();
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

fn describe(tokens: &[Token], first: usize, end: usize) -> Sentence {
    let (mut words, mut upper, mut long, mut capital) = (0, 0, 0, 0);
    // Sums without a branch, as there is no telling what comes next.
    for token in tokens.get(first..end).unwrap_or_default() {
        let length = token.end - token.start;
        let is = |bits: u16| usize::from(token.is(bits));
        let word = is(shape::LETTER) & (is(shape::EAST_ASIAN) ^ 1) & usize::from(length > 1);
        words += word;
        upper += word & is(shape::UPPER);
        let longer = word & usize::from(length > 3);
        long += longer;
        capital += longer & is(shape::CAPITAL);
    }
    Sentence { first, capitals: words >= 4 && upper * 10 >= words * 8, headline: long >= 4 && capital * 10 >= long * 7 }
}
