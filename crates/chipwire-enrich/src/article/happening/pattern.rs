//! Finding the phrases of a table in a sentence.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::{
    abroad::ABROAD,
    cues::{Form, Kind, SETS, cues},
};
use crate::{
    article::lexis::{Lexis, is},
    matcher::{Document, Gap, Token, Words, shape},
};

/// Words that a `~` and a `~~` stand for at most.
const FREE_MAX: usize = 6;
const FAR_MAX: usize = 14;
/// Words on either side of a phrase among which one has to be that a `&` asks for.
const NEAR: usize = 12;

/// One step of a pattern.
#[derive(Debug, Clone)]
enum Step {
    /// One of these words.
    Word { numbers: Vec<u32>, optional: bool, sum: bool },
    /// Up to so many words, or none if it is optional.
    Free { most: usize, optional: bool },
    /// None of these words follows.
    Not { numbers: Vec<u32> },
}

#[derive(Debug)]
struct Pattern {
    kind: Kind,
    form: Form,
    steps: Vec<Step>,
    /// Of each of these one has to stand near.
    near: Vec<Vec<u32>>,
    abroad: bool,
    /// The words of that step behind the first that has the fewest: a sentence without any of them is not looked at further.
    /// None if there is no such step.
    key: Vec<u32>,
}

/// The words of a sentence, a bit for each hash: what is not there is certainly not in it.
#[derive(Debug, Default)]
pub(super) struct Present([u64; 16]);

impl Present {
    pub(super) fn new(tokens: &[Token]) -> Self {
        let mut present = Self::default();
        for token in tokens {
            let (at, bit) = Self::place(token.word);
            present.0.get_mut(at).into_iter().for_each(|bits| *bits |= bit);
        }
        present
    }

    fn place(word: u32) -> (usize, u64) {
        ((word / 64 % 16) as usize, 1 << (word % 64))
    }

    fn may_have(&self, word: u32) -> bool {
        let (at, bit) = Self::place(word);
        self.0.get(at).is_some_and(|bits| bits & bit != 0)
    }
}

/// Every phrase, by its first words.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    patterns: Vec<Pattern>,
    by_first: FxHashMap<u32, Vec<usize>>,
}

/// A phrase where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) kind: Kind,
    pub(super) form: Form,
    /// Its first token.
    pub(super) start: usize,
    /// One past its last token.
    pub(super) end: usize,
    /// It is of another language than English.
    pub(super) abroad: bool,
    /// It stands near a word that it asks for.
    near: bool,
    /// It is no phrase: all words of its sentence speak for it, and these the most.
    pub(super) weighed: bool,
}

impl Hit {
    /// What the words of a sentence speak for, most of all tokens `start..end`.
    pub(super) fn weighed(kind: Kind, form: Form, start: usize, end: usize) -> Self {
        Self { kind, form, start, end, abroad: false, near: false, weighed: true }
    }

    /// Whether it is one word, and nothing else was asked for.
    pub(super) fn is_one_word(&self) -> bool {
        self.end == self.start + 1 && !self.near && !self.weighed
    }
}

impl Patterns {
    /// Compiles the table; `words` gets the words that it does not have yet.
    pub(crate) fn new(words: &mut Words) -> Self {
        let mut patterns = Self::default();
        let all = cues().map(|cue| (cue, false)).chain(ABROAD.iter().map(|cue| (cue, true)));
        for ((kind, form, text), abroad) in all {
            let (near, steps): (Vec<&str>, Vec<&str>) = text.split(' ').partition(|step| step.starts_with('&'));
            let near: Vec<Vec<u32>> = near.iter().map(|step| numbers(step.trim_start_matches('&'), words)).collect();
            let steps: Vec<Step> = steps.into_iter().flat_map(|step| read_step(step, words)).collect();
            if let Some(Step::Word { numbers, .. }) = steps.first() {
                for number in numbers {
                    patterns.by_first.entry(*number).or_default().push(patterns.patterns.len());
                }
            }
            let required = steps.iter().skip(1).filter_map(|step| match step {
                Step::Word { numbers, optional: false, sum: false } => Some(numbers),
                _ => None,
            });
            let required = required.chain(&near);
            let key = required.min_by_key(|numbers| numbers.len()).cloned().unwrap_or_default();
            patterns.patterns.push(Pattern { kind: *kind, form: *form, steps, near, abroad, key });
        }
        patterns
    }

    /// The words that a phrase may begin with.
    pub(crate) fn first_words(&self) -> impl Iterator<Item = u32> {
        self.by_first.keys().copied()
    }

    /// The phrases that begin at token `at` and end before `limit`, the longest first; of several as long the first of the table.
    /// `present` has the words up to `limit`.
    pub(super) fn all(
        &self,
        document: &Document,
        lexis: &Lexis,
        at: usize,
        limit: usize,
        present: &Present,
    ) -> Vec<Hit> {
        let numbers = document.token(at).and_then(|first| self.by_first.get(&first.word));
        let mut hits: Vec<Hit> = Vec::new();
        for pattern in numbers.into_iter().flatten().filter_map(|number| self.patterns.get(*number)) {
            let possible = pattern.key.is_empty() || pattern.key.iter().any(|word| present.may_have(*word));
            if !possible {
                continue;
            }
            let end = matches(document, lexis, &pattern.steps, at, limit, true);
            if let Some(end) = end.filter(|end| pattern.near.iter().all(|near| is_near(document, near, at, *end))) {
                let near = !pattern.near.is_empty();
                let Pattern { kind, form, abroad, .. } = *pattern;
                hits.push(Hit { kind, form, start: at, end, abroad, near, weighed: false });
            }
        }
        hits.sort_by_key(|hit| Reverse(hit.end));
        hits
    }
}

/// Whether one of `words` stands near tokens `start..end`, in the same sentence and not among them.
fn is_near(document: &Document, words: &[u32], start: usize, end: usize) -> bool {
    let sentence = document.token(start).map(|token| token.sentence);
    let mut around = (start.saturating_sub(NEAR)..start).chain(end..end + NEAR);
    around.any(|at| {
        let token = document.token(at).filter(|token| token.word != 0 && Some(token.sentence) == sentence);
        token.is_some_and(|token| words.contains(&token.word))
    })
}

/// The numbers of the words of a step, and of those of the sets in it.
fn numbers(step: &str, words: &mut Words) -> Vec<u32> {
    let mut alternatives = Vec::new();
    read_words(step, &mut alternatives);
    alternatives.iter().map(|word| words.intern(word.as_bytes())).collect()
}

fn read_step(step: &str, words: &mut Words) -> Vec<Step> {
    let (step, optional) = step.strip_suffix('?').map_or((step, false), |step| (step, true));
    if let Some(most) = [("~", FREE_MAX), ("~~", FAR_MAX)].iter().find(|(sign, _)| *sign == step).map(|(_, most)| *most)
    {
        return vec![Step::Free { most, optional }];
    }
    let (step, not) = step.strip_prefix('!').map_or((step, false), |step| (step, true));
    let mut alternatives = Vec::new();
    read_words(step, &mut alternatives);
    let han = alternatives.iter().all(|word| word.starts_with(is_single));
    if not || !han {
        let numbers = alternatives.iter().map(|word| words.intern(word.as_bytes())).collect();
        if not {
            return vec![Step::Not { numbers }];
        }
        // A set that has "bn" in it is that of sums.
        let sum = alternatives.iter().any(|word| word == "bn");
        return vec![Step::Word { numbers, optional, sum }];
    }
    // Alternatives of several characters go side by side: all have the same length.
    let length = alternatives.iter().map(|word| word.chars().count()).min().unwrap_or(0);
    (0..length)
        .map(|at| {
            let chars = alternatives.iter().filter_map(|word| word.chars().nth(at));
            let numbers = chars.map(|ch| words.intern(ch.encode_utf8(&mut [0; 4]).as_bytes())).collect();
            Step::Word { numbers, optional, sum: false }
        })
        .collect()
}

/// Adds the words of a step, and those of the sets in it.
fn read_words(step: &str, words: &mut Vec<String>) {
    for word in step.split('|') {
        match word.strip_prefix('@').and_then(|name| SETS.iter().find(|(set, _)| *set == name)) {
            Some((_, set)) => read_words(set, words),
            None => words.extend(forms(word)),
        }
    }
}

/// Whether a token has only one such character: Han and Hangul.
fn is_single(ch: char) -> bool {
    matches!(ch, '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}')
}

/// The word, or all forms of a regular verb that ends with a plus.
fn forms(word: &str) -> Vec<String> {
    let Some(verb) = word.strip_suffix('+') else { return vec![word.to_owned()] };
    let hisses = ["ch", "sh", "ss", "x"].iter().any(|end| verb.ends_with(end));
    let stem = verb.strip_suffix('e').unwrap_or(verb);
    vec![
        verb.to_owned(),
        format!("{verb}{}", if hisses { "es" } else { "s" }),
        format!("{stem}ed"),
        format!("{stem}ing"),
    ]
}

/// The end of the longest way to match `steps` from `at`.
fn matches(document: &Document, lexis: &Lexis, steps: &[Step], at: usize, limit: usize, first: bool) -> Option<usize> {
    let Some((step, rest)) = steps.split_first() else { return Some(at) };
    let token = document.token(at).filter(|token| at < limit && (first || joins(token.gap)));
    match step {
        Step::Word { numbers, optional, sum } => {
            let with = token
                .filter(|token| token.word != 0 && numbers.contains(&token.word) || *sum && is_sum(document, token))
                .and_then(|_| matches(document, lexis, rest, at + 1, limit, false));
            with.or_else(|| optional.then(|| matches(document, lexis, rest, at, limit, false)).flatten())
        }
        Step::Not { numbers } => {
            let there = token.is_some_and(|token| token.word != 0 && numbers.contains(&token.word));
            if there { None } else { matches(document, lexis, rest, at, limit, first) }
        }
        Step::Free { most, optional } => {
            let least = at + usize::from(!optional);
            let mut found = None;
            for end in at..=at + *most {
                if end >= least {
                    found = matches(document, lexis, rest, end, limit, false);
                }
                let passes = |token: &&Token| {
                    end < limit && (joins(token.gap) || token.gap == Gap::Comma) && !lexis.is(token, is::BREAK)
                };
                if found.is_some() || document.token(end).filter(passes).is_none() {
                    break;
                }
            }
            found
        }
    }
}

/// Whether a token is a figure with what it is counted in: the `5bn` of `$31.5bn`.
fn is_sum(document: &Document, token: &Token) -> bool {
    let counted = || {
        let word = document.folded(token);
        let digits = word.trim_start_matches(|ch: char| ch.is_ascii_digit());
        digits.len() < word.len() && matches!(digits, "bn" | "mn" | "tn" | "m" | "b")
    };
    token.is(shape::DIGIT) && token.is(shape::LETTER) && counted()
}

/// Whether a phrase may go on over a gap.
fn joins(gap: Gap) -> bool {
    matches!(
        gap,
        Gap::Space | Gap::Hyphen | Gap::Apostrophe | Gap::Empty | Gap::Quote | Gap::Dot | Gap::Percent | Gap::Other
    )
}
