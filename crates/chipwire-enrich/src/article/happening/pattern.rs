//! Finding the phrases of a table in a sentence.

use rustc_hash::FxHashMap;

use super::cues::{CUES, Form, Kind};
use crate::{
    article::lexis::{Lexis, is},
    matcher::{Document, Gap, Token, Words},
};

/// Words that a `~` and a `~~` stand for at most.
const FREE_MAX: usize = 6;
const FAR_MAX: usize = 14;

/// One step of a pattern.
#[derive(Debug, Clone)]
enum Step {
    /// One of these words.
    Word { numbers: Vec<u32>, optional: bool },
    /// Up to so many words, or none if it is optional.
    Free { most: usize, optional: bool },
}

#[derive(Debug)]
struct Pattern {
    kind: Kind,
    form: Form,
    steps: Vec<Step>,
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
}

impl Patterns {
    /// Compiles the table; `words` gets the words that it does not have yet.
    pub(crate) fn new(words: &mut Words) -> Self {
        let mut patterns = Self::default();
        for (kind, form, text) in CUES {
            let steps: Vec<Step> = text.split(' ').flat_map(|step| read_step(step, words)).collect();
            if let Some(Step::Word { numbers, .. }) = steps.first() {
                for number in numbers {
                    patterns.by_first.entry(*number).or_default().push(patterns.patterns.len());
                }
            }
            patterns.patterns.push(Pattern { kind: *kind, form: *form, steps });
        }
        patterns
    }

    /// The words that a phrase may begin with.
    pub(crate) fn first_words(&self) -> impl Iterator<Item = u32> {
        self.by_first.keys().copied()
    }

    /// The longest phrase that begins at token `at` and ends before `limit`; of several as long the first of the table.
    pub(super) fn longest(&self, document: &Document, lexis: &Lexis, at: usize, limit: usize) -> Option<Hit> {
        let first = document.token(at)?;
        let mut best: Option<Hit> = None;
        for number in self.by_first.get(&first.word)? {
            let Some(pattern) = self.patterns.get(*number) else { continue };
            let Some(end) = matches(document, lexis, &pattern.steps, at, limit, true) else { continue };
            if best.is_none_or(|best| end > best.end) {
                best = Some(Hit { kind: pattern.kind, form: pattern.form, start: at, end });
            }
        }
        best
    }
}

fn read_step(step: &str, words: &mut Words) -> Vec<Step> {
    let (step, optional) = step.strip_suffix('?').map_or((step, false), |step| (step, true));
    if let Some(most) = [("~", FREE_MAX), ("~~", FAR_MAX)].iter().find(|(sign, _)| *sign == step).map(|(_, most)| *most)
    {
        return vec![Step::Free { most, optional }];
    }
    let alternatives: Vec<String> = step.split('|').flat_map(forms).collect();
    let han = alternatives.iter().all(|word| word.starts_with(|ch: char| ch >= '\u{2E80}'));
    if !han {
        let numbers = alternatives.iter().map(|word| words.intern(word.as_bytes())).collect();
        return vec![Step::Word { numbers, optional }];
    }
    // Alternatives of several characters go side by side: all have the same length.
    let length = alternatives.iter().map(|word| word.chars().count()).min().unwrap_or(0);
    (0..length)
        .map(|at| {
            let chars = alternatives.iter().filter_map(|word| word.chars().nth(at));
            let numbers = chars.map(|ch| words.intern(ch.encode_utf8(&mut [0; 4]).as_bytes())).collect();
            Step::Word { numbers, optional }
        })
        .collect()
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
        Step::Word { numbers, optional } => {
            let with = token
                .filter(|token| token.word != 0 && numbers.contains(&token.word))
                .and_then(|_| matches(document, lexis, rest, at + 1, limit, false));
            with.or_else(|| optional.then(|| matches(document, lexis, rest, at, limit, false)).flatten())
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

/// Whether a phrase may go on over a gap.
fn joins(gap: Gap) -> bool {
    matches!(
        gap,
        Gap::Space | Gap::Hyphen | Gap::Apostrophe | Gap::Empty | Gap::Quote | Gap::Dot | Gap::Percent | Gap::Other
    )
}
