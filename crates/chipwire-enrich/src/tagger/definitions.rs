//! Acronyms that the text itself explains: `Bureau of Industry and Security (BIS)`, `AMD (age-related macular degeneration)`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Tagger,
    candidates::{Candidate, State, Why},
};
use crate::{
    lexicon,
    matcher::{Alias, Document, Gap, Hits, shape},
};

/// What an acronym means in one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This entity.
    Entity(usize),
    /// Something that the gazetteer does not know.
    Other,
}

/// The acronyms that were explained, by the numbers of their words.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    meanings: BTreeMap<u32, Meaning>,
}

impl Definitions {
    /// What the name of a candidate was explained to mean; only names of one word are explained.
    pub(super) fn get(&self, document: &Document, candidate: &Candidate, alias: &Alias) -> Option<Meaning> {
        let word = document.token(candidate.start)?.word;
        self.meanings.get(&word).copied().filter(|_| alias.length() == 1)
    }
}

/// Letters of the longest acronym that is read.
const ACRONYM_MAX: usize = 6;
/// Words of a name behind which an acronym need not have their initials.
const LONG_NAME: usize = 4;

/// Words that acronyms skip.
const SMALL: &[&str] = &["a", "an", "and", "at", "by", "de", "des", "du", "for", "in", "of", "on", "or", "the", "to"];

impl Tagger {
    /// Finds what is explained and decides the candidates inside the brackets.
    pub(super) fn definitions(&self, document: &Document, hits: &Hits, candidates: &mut [Candidate]) -> Definitions {
        let may_be_explained = |candidate: &Candidate| {
            let open = candidate.state == State::Open;
            let rejected = matches!(candidate.state, State::Rejected(_));
            candidate.alias.is_some() && !rejected && (open || is_by_bracket(document, candidate.start))
        };
        if !candidates.iter().any(may_be_explained) {
            return Definitions::default();
        }
        let accepted = candidates
            .iter()
            .filter(|candidate| candidate.state == State::Accepted && candidate.alias.is_some())
            .map(|candidate| (candidate.entity, candidate.start, candidate.end));
        let accepted: Vec<(usize, usize, usize)> = sorted(accepted);
        let starts = candidates
            .iter()
            .filter(|candidate| !matches!(candidate.state, State::Rejected(_)))
            .map(|candidate| candidate.start);
        let starts: Vec<usize> = sorted(starts);
        let firms = candidates
            .iter()
            .filter(|candidate| candidate.state == State::Accepted || candidate.firm)
            .map(|candidate| candidate.entity);
        let firms: Vec<usize> = sorted(firms);
        let mut definitions = Definitions::default();
        for candidate in candidates.iter_mut() {
            let Some(alias) = candidate.alias.and_then(|alias| self.trie.alias(alias)) else { continue };
            if matches!(candidate.state, State::Rejected(_)) || alias.length() != 1 {
                continue;
            }
            let Some(word) = document.token(candidate.start).map(|token| token.word) else { continue };
            let named_in = |start: usize, end: usize| {
                let first = (candidate.entity, start.saturating_sub(super::NAME_TOKENS), 0);
                let from = accepted.partition_point(|place| *place < first);
                let near = accepted.get(from..).unwrap_or_default().iter();
                near.take_while(|place| **place < (candidate.entity, end, 0)).any(|(_, _, to)| start < *to)
            };
            if candidate.state == State::Open
                && firms.binary_search(&candidate.entity).is_err()
                && self.names_other_firm(document, hits, candidate, &starts)
            {
                definitions.meanings.entry(word).or_insert(Meaning::Other);
                candidate.state = State::Rejected(Why::Defined);
                continue;
            }
            let known = match explanation(document, candidate.start) {
                None => continue,
                Some(Explanation::Words(start, end)) => named_in(start, end),
                Some(Explanation::Brackets(open)) if named_in(open.saturating_sub(1), open) => true,
                Some(Explanation::Brackets(_)) => continue,
            };
            let open = candidate.state == State::Open;
            if known {
                definitions.meanings.insert(word, Meaning::Entity(candidate.entity));
                if open {
                    candidate.accept(0.97, vec!["definition".to_owned()]);
                }
            } else {
                definitions.meanings.entry(word).or_insert(Meaning::Other);
                if open {
                    candidate.state = State::Rejected(Why::Defined);
                }
            }
        }
        definitions
    }

    /// Adds the acronyms that the text makes of a name: `ERC` in and behind `End-User Review Committee (ERC)`. One that is not spelled
    /// by the words before it counts behind a long name, as other languages have the letters: `Central Import and Export Office (CDIU)`;
    /// and behind one that has no letters: `ソフトバンクグループ(SBG)`.
    pub(super) fn repeat_acronyms(&self, document: &Document, candidates: &mut Vec<Candidate>) {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        let mut plural = false;
        for candidate in
            candidates.iter().filter(|candidate| candidate.state == State::Accepted && candidate.alias.is_some())
        {
            if self.definition(candidate.entity).is_none_or(|entity| entity.negative) {
                continue;
            }
            // Nothing else between: "(END)" is a paragraph of its own.
            let last = document.before(candidate.end).map_or(0, |last| last.end);
            let next = document.token(candidate.end).map_or(last, |next| next.start);
            if !document.chars(last, next).all(|ch| matches!(ch, ' ' | '(' | '"')) {
                continue;
            }
            let mut behind = candidate.end..candidate.end + 2;
            let Some(at) = behind.find(|at| bracket_around(document, *at) == Some(candidate.end)) else { continue };
            let Some(token) = document.token(at).filter(|token| !token.is(shape::DIGIT)) else { continue };
            let written = document.written(token).replace('.', "");
            // "Chinese military companies (CMCs)" are one CMC after the other.
            let acronym = written.strip_suffix('s').unwrap_or(&written);
            let capitals = acronym.chars().all(char::is_uppercase);
            if !capitals || !(3..=ACRONYM_MAX).contains(&acronym.chars().count()) {
                continue;
            }
            let letters: Vec<char> = acronym.to_lowercase().chars().collect();
            let spelled =
                spelled_before(document, candidate.end, &letters).is_some_and(|start| start >= candidate.start);
            // What is a word of anything else is not made here: "台積電(ADR)".
            let east_asian = document.before(candidate.name_end).is_some_and(|last| last.is(shape::EAST_ASIAN));
            let made = east_asian && token.word == 0;
            if spelled || made || candidate.name_end - candidate.start >= LONG_NAME {
                plural |= acronym.len() < written.len();
                told.entry(acronym.to_owned()).or_insert(candidate.entity);
            }
        }
        if told.is_empty() {
            return;
        }
        let accepted = candidates.iter().filter(|candidate| candidate.state == State::Accepted);
        let taken: BTreeSet<usize> = accepted.flat_map(|candidate| candidate.start..candidate.end).collect();
        let entity = |acronym: &str| told.get(&*acronym.replace('.', "")).copied();
        let in_capitals = document.codes().filter_map(|(at, token)| {
            let short =
                token.end - token.start <= 2 * ACRONYM_MAX && token.is(shape::UPPER) && token.gap != Gap::Hyphen;
            Some((at, entity(&document.written(token)).filter(|_| short)?))
        });
        // Where the text has one plural, it may have more.
        let all = document.tokens.iter().enumerate().filter(|_| plural);
        let plurals = all.filter_map(|(at, token)| {
            let short =
                token.end - token.start <= ACRONYM_MAX + 1 && token.is(shape::CAPITAL) && token.gap != Gap::Hyphen;
            let written = document.written(token);
            Some((at, entity(written.strip_suffix('s').filter(|_| short)?)?))
        });
        for (at, entity) in in_capitals.chain(plurals).filter(|(at, _)| !taken.contains(at)) {
            let Some(token) = document.token(at) else { continue };
            let acronym = document.written(token).into_owned();
            let mut candidate = Candidate::of_code(entity, at, at + 1, token.start, token.end, acronym);
            candidate.accept(0.9, vec!["definition".to_owned()]);
            candidates.push(candidate);
        }
    }

    /// Whether capitalised words between it and a legal form make the candidate a part of another firm's name: `Micron
    /// Products Inc`. Not where a name begins among them, at one of `starts`, which has the legal form for itself (`Micron
    /// Sues Intel Corp`), nor where they say what the firm makes or where it does (`Cummins Engine Co`, `Canon USA Inc`). In
    /// a headline a verb has a capital too, so there it is one word at most.
    fn names_other_firm(&self, document: &Document, hits: &Hits, candidate: &Candidate, starts: &[usize]) -> bool {
        let headline = document.sentence_of(candidate.start).is_some_and(|s| s.headline || s.capitals);
        let cues = self.sense(candidate.entity).map(|sense| sense.cues).unwrap_or_default();
        let mut others = 0;
        for at in candidate.end..candidate.end + if headline { 2 } else { 4 } {
            let Some(token) = document.token(at) else { return false };
            if token.gap != Gap::Space || !token.is(shape::CAPITAL) {
                return false;
            }
            let word = document.folded(token);
            if lexicon::is_firm_form(&word) {
                return others > 0;
            }
            let trade = || {
                cues.iter()
                    .any(|cue| hits.around(*cue as usize, at, at + 1).any(|(start, end)| start <= at && at < end))
            };
            if starts.binary_search(&at).is_ok() || lexicon::is_and(&word) || lexicon::is_place(&word) || trade() {
                return false;
            }
            others += usize::from(!lexicon::is_legal_form(&word));
        }
        false
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items
}

/// What stands beside an acronym.
enum Explanation {
    /// The tokens from the first to before the second, whose initials are its letters.
    Words(usize, usize),
    /// It is in brackets, which open at this token, and what is before them is not spelled by its letters: only a known name right
    /// there can be what it stands for.
    Brackets(usize),
}

/// Whether a bracket opens on either side of the token, without which nothing is explained.
fn is_by_bracket(document: &Document, at: usize) -> bool {
    let opens = |at: usize| document.token(at).is_some_and(|token| token.gap == Gap::Open);
    opens(at + 1) || bracket_around(document, at).is_some()
}

/// The first token in the brackets that the token is alone in: itself, or a `the` before it. It may be in quotes, as lawyers
/// write: `(“BIS”)`, `(the “Bureau”)`.
fn bracket_around(document: &Document, at: usize) -> Option<usize> {
    let token = document.token(at)?;
    let is = |at: Option<usize>, sign: char| at.and_then(|at| document.ch(at)) == Some(sign);
    let quoted = is(Some(token.end), '"');
    let first = if quoted { token.start.checked_sub(1).filter(|first| is(Some(*first), '"'))? } else { token.start };
    if !is(Some(token.end + usize::from(quoted)), ')') {
        return None;
    }
    let opens = |first: usize| is(first.checked_sub(1), '(');
    if opens(first) {
        return Some(at);
    }
    let article = document.before(at).filter(|article| article.end + 1 == first && opens(article.start))?;
    (is(Some(article.end), ' ') && &*document.folded(article) == "the").then(|| at - 1)
}

fn explanation(document: &Document, at: usize) -> Option<Explanation> {
    let token = document.token(at)?;
    let letters = || document.folded(token).chars().collect::<Vec<char>>();
    if let Some(open) = bracket_around(document, at) {
        let start = spelled_before(document, open, &letters());
        return Some(start.map_or(Explanation::Brackets(open), |start| Explanation::Words(start, open)));
    }
    let next = document.token(at + 1)?;
    if next.gap == Gap::Open && token.is(shape::UPPER) {
        let letters = letters();
        let end = if letters.len() > 1 { spelled_after(document, at + 1, &letters) } else { None };
        return end.map(|end| Explanation::Words(at + 1, end));
    }
    None
}

fn initial(document: &Document, at: usize) -> Option<char> {
    document.token(at).and_then(|token| document.ch(token.start)).and_then(|ch| ch.to_lowercase().next())
}

fn is_small(document: &Document, at: usize) -> bool {
    document.token(at).is_some_and(|token| SMALL.contains(&&*document.folded(token)))
}

/// The first of the words before `end` whose initials are `letters`.
fn spelled_before(document: &Document, end: usize, letters: &[char]) -> Option<usize> {
    if letters.len() < 2 {
        return None;
    }
    let mut at = end;
    for letter in letters.iter().rev() {
        loop {
            // The bracket itself is before the first word that is looked at; after that, a sentence's end is the end.
            if at != end && document.token(at).is_some_and(|token| matches!(token.gap, Gap::Hard | Gap::DotSpace)) {
                return None;
            }
            at = at.checked_sub(1)?;
            if initial(document, at) == Some(*letter) {
                break;
            }
            let compound = document.token(at).is_some_and(|token| token.gap == Gap::Hyphen);
            if !is_small(document, at) && !compound {
                return None;
            }
        }
    }
    Some(at)
}

/// One past the last of the words from `start` on whose initials are `letters`.
fn spelled_after(document: &Document, start: usize, letters: &[char]) -> Option<usize> {
    let mut at = start;
    for letter in letters {
        while initial(document, at) != Some(*letter) {
            let compound = document.token(at).is_some_and(|token| token.gap == Gap::Hyphen);
            if !is_small(document, at) && !compound {
                return None;
            }
            at += 1;
        }
        at += 1;
    }
    Some(at)
}
