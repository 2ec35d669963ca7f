//! Places that may be mentions, before anything is decided; and those that need no decision.

use std::{borrow::Cow, collections::BTreeSet};

use super::Tagger;
use crate::{
    gazetteer::Mode,
    lexicon,
    matcher::{Alias, Document, Gap, Hits, Match, Token, shape},
};

/// So many of the most frequent words of German make a text one in it.
const GERMAN_WORDS: usize = 3;

/// What is known of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// To be weighed.
    Open,
    /// A code that counts only after its company's name.
    NeedsName,
    Accepted,
    Rejected(Why),
}

/// Why a place is no mention, whatever else speaks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// A longer phrase means something else: its number.
    Phrase(usize),
    /// It lies inside the name of another entity: its number.
    Inside(usize),
    /// The text says what the name stands for, and that is something else.
    Defined,
    /// The country that is meant has nothing of that name.
    Country,
}

/// A place that may be a mention.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) entity: usize,
    /// The number of its alias; a ticker has none.
    pub(super) alias: Option<usize>,
    /// Its first token.
    pub(super) start: usize,
    /// One past the last token of the name.
    pub(super) name_end: usize,
    /// One past its last token, a legal form included.
    pub(super) end: usize,
    /// Its first unit.
    pub(super) from: usize,
    /// One past its last unit.
    pub(super) to: usize,
    /// A legal form that only firms have follows the name.
    pub(super) firm: bool,
    /// The case is that of the alias.
    pub(super) exact: bool,
    /// The code of a ticker.
    pub(super) code: String,
    pub(super) state: State,
    pub(super) confidence: f64,
    pub(super) reasons: Vec<String>,
}

impl Candidate {
    /// The code of a listed share at tokens `start..end` and units `from..to`.
    pub(super) fn of_code(entity: usize, start: usize, end: usize, from: usize, to: usize, code: String) -> Self {
        Self {
            entity,
            alias: None,
            start,
            name_end: end,
            end,
            from,
            to,
            firm: false,
            exact: true,
            code,
            state: State::NeedsName,
            confidence: 0.0,
            reasons: Vec::new(),
        }
    }

    pub(super) fn accept(&mut self, confidence: f64, reasons: Vec<String>) {
        self.state = State::Accepted;
        self.confidence = confidence;
        if self.reasons.is_empty() {
            self.reasons = reasons;
        } else {
            self.reasons.extend(reasons);
        }
    }

    pub(super) fn place(&self) -> Place {
        Place { entity: self.entity, from: self.from, to: self.to }
    }
}

/// What stands where: all that is needed to compare two candidates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) entity: usize,
    /// The first unit.
    pub(super) from: usize,
    /// One past the last unit.
    pub(super) to: usize,
}

impl Place {
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    pub(super) fn length(&self) -> usize {
        self.to - self.from
    }
}

impl Tagger {
    /// Every name and code in `document`.
    pub(super) fn candidates(&self, document: &Document) -> Vec<Candidate> {
        let matches = self.trie.find(document);
        let mut candidates: Vec<Candidate> = matches
            .iter()
            .filter(|found| !self.is_vendor_joined(document, found, &matches))
            .filter_map(|found| self.named(document, found))
            .collect();
        if self.is_german(document) {
            self.genitives(document, &mut candidates);
        }
        for found in self.tickers.find(document) {
            let to = found.end.checked_sub(1).and_then(|at| document.token(at)).map_or(found.from, |token| token.end);
            let mut candidate = Candidate::of_code(found.entity, found.start, found.end, found.from, to, found.code);
            if !found.needs_name {
                let reasons = vec![format!("ticker:{}", candidate.code)];
                candidate.accept(0.98, reasons);
            }
            candidates.push(candidate);
        }
        candidates
    }

    /// Whether the text has some of the most frequent words of German.
    fn is_german(&self, document: &Document) -> bool {
        let found = document.tokens.iter().filter(|token| self.german.contains(&token.word));
        found.take(GERMAN_WORDS).count() == GERMAN_WORDS
    }

    /// Names with the `s` of a German genitive, which has no apostrophe: `TSMCs`, `Infineons`. "Arms" are those of a body.
    fn genitives(&self, document: &Document, candidates: &mut Vec<Candidate>) {
        for (at, token) in document.tokens.iter().enumerate() {
            let last = token.end.saturating_sub(1);
            let fits = token.word == 0 && token.is(shape::CAPITAL) && token.end - token.start > 3;
            if !fits || document.ch(last) != Some('s') {
                continue;
            }
            let capitals = document.chars(token.start, last).all(|ch| !ch.is_lowercase());
            let folded = document.folded(token);
            let Some(stem) = folded.strip_suffix('s').filter(|stem| capitals || stem.chars().count() > 3) else {
                continue;
            };
            let name = Token { end: last, word: self.words.number(stem.as_bytes()), ..*token };
            let found = self.trie.of_one(document, name, at).filter_map(|found| self.named(document, &found));
            candidates.extend(found.map(|candidate| Candidate { to: last, ..candidate }));
        }
    }

    /// In `Nvidia-H20` and `英伟达H20` the two are named side by side: the name of a chip with its vendor needs Latin letters
    /// and a space, where the chip has a name of its own.
    fn is_vendor_joined(&self, document: &Document, found: &Match, matches: &[Match]) -> bool {
        let Some(alias) = self.trie.alias(found.alias) else { return false };
        let east_asian = document.token(found.start).is_some_and(|token| token.is(shape::EAST_ASIAN));
        let code = found
            .end
            .checked_sub(1)
            .and_then(|at| document.token(at))
            .is_some_and(|token| !token.is(shape::EAST_ASIAN));
        if found.hyphen.is_none() && !(east_asian && code) {
            return false;
        }
        let named = |start: usize| {
            let from = matches.partition_point(|other| other.start < start);
            matches.iter().skip(from).take_while(move |other| other.start == start)
        };
        let entity = |other: &Match| self.trie.alias(other.alias).map(Alias::entity);
        named(found.start).any(|vendor| {
            let joint = found.hyphen.map_or(vendor.end < found.end, |hyphen| vendor.end == found.start + hyphen);
            joint
                && entity(vendor).is_some_and(|vendor| self.is_owner(vendor, alias.entity()))
                && named(vendor.end).any(|rest| rest.end == found.end && entity(rest) == Some(alias.entity()))
        })
    }

    fn named(&self, document: &Document, found: &Match) -> Option<Candidate> {
        let alias = self.trie.alias(found.alias)?;
        let mut candidate = Candidate {
            entity: alias.entity(),
            alias: Some(found.alias),
            start: found.start,
            name_end: found.end,
            end: found.end,
            from: document.token(found.start)?.start,
            to: document.token(found.end.checked_sub(1)?)?.end,
            firm: false,
            exact: found.exact,
            code: String::new(),
            state: State::Open,
            confidence: 0.0,
            reasons: Vec::new(),
        };
        let definition = self.definition(alias.entity())?;
        if alias.ends_with_bracket() && document.ch(candidate.to) == Some(')') {
            candidate.to += 1;
        }
        if definition.legal_tail {
            take_legal_tail(document, &mut candidate);
        }
        if !alias.is_title() {
            leave_owner(document, &mut candidate);
        }
        let sign = candidate.from.checked_sub(1).filter(|sign| matches!(document.ch(*sign), Some('@' | '#')));
        if let Some(sign) = sign
            && sign.checked_sub(1).and_then(|before| document.ch(before)).is_none_or(|before| !before.is_alphanumeric())
        {
            candidate.from = sign;
        }
        Some(candidate)
    }

    /// Accepts what needs no evidence, and rejects what a longer phrase shows to be something else.
    pub(super) fn accept_certain(&self, document: &Document, hits: &Hits, candidates: &mut [Candidate]) {
        for candidate in candidates.iter_mut() {
            let Some(alias) = candidate.alias.and_then(|alias| self.trie.alias(alias)) else { continue };
            if let Some(phrase) = self.other_phrase(candidate, hits) {
                candidate.state = State::Rejected(Why::Phrase(phrase));
                continue;
            }
            let handle = document.ch(candidate.from).is_some_and(|ch| ch == '@');
            if handle && alias.length() == 1 && self.definition(alias.entity()).is_some_and(|entity| entity.legal_tail)
            {
                candidate.accept(0.85, vec!["handle".to_owned()]);
            } else if alias.mode == Mode::Free {
                let long = if alias.length() > 1 || candidate.firm { 0.98 } else { 0.95 };
                candidate.accept(long, vec!["alias:free".to_owned()]);
            } else if self.is_certain(document, candidate, alias) {
                candidate.accept(0.9, vec!["alias:cased".to_owned()]);
            }
        }
        self.accept_beside_tickers(candidates);
        super::overlap::drop_covered(self, candidates);
    }

    /// Whether the name is accepted without evidence, as it is written.
    pub(super) fn is_certain(&self, document: &Document, candidate: &Candidate, alias: &Alias) -> bool {
        match alias.mode {
            Mode::Free => true,
            Mode::Cased => candidate.exact && !self.needs_cue(document, candidate),
            _ => false,
        }
    }

    /// A name with its own code in brackets behind it: each shows what the other is.
    fn accept_beside_tickers(&self, candidates: &mut [Candidate]) {
        let codes: BTreeSet<(usize, usize)> = candidates
            .iter()
            .filter(|candidate| candidate.alias.is_none())
            .map(|candidate| (candidate.entity, candidate.start))
            .collect();
        if codes.is_empty() {
            return;
        }
        for candidate in
            candidates.iter_mut().filter(|candidate| candidate.state == State::Open && candidate.alias.is_some())
        {
            if codes.contains(&(candidate.entity, candidate.end)) {
                candidate.accept(0.95, vec!["ticker-beside".to_owned()]);
            }
        }
    }

    /// A cased name gives no certainty where everything is in capitals, nor after a first name or a title.
    fn needs_cue(&self, document: &Document, candidate: &Candidate) -> bool {
        let capitals = document.sentence_of(candidate.start).is_some_and(|sentence| sentence.capitals)
            && document.token(candidate.start).is_some_and(|token| token.is(shape::UPPER));
        capitals || (candidate.name_end - candidate.start == 1 && follows_person(document, candidate.start))
    }

    /// The counter-cue that takes the name into a longer phrase: `Mobile World Congress`.
    fn other_phrase(&self, candidate: &Candidate, hits: &Hits) -> Option<usize> {
        let is_longer = |(start, end): (usize, usize)| {
            start < candidate.name_end && candidate.start < end && (start < candidate.start || end > candidate.name_end)
        };
        let around = |phrase: usize| hits.around(phrase, candidate.start, candidate.name_end);
        let against = self.sense(candidate.entity)?.against;
        let mut told = against.iter().map(|phrase| *phrase as usize).filter(|phrase| hits.has(*phrase));
        told.find(|phrase| around(*phrase).any(is_longer))
    }
}

/// Whether a first name or a title stands before the token, so that it is a surname.
pub(super) fn follows_person(document: &Document, at: usize) -> bool {
    let (Some(token), Some(before)) = (document.token(at), document.before(at)) else { return false };
    let word = document.folded(before);
    let title =
        lexicon::is_title(&word) && before.is(shape::CAPITAL) && matches!(token.gap, Gap::Space | Gap::DotSpace);
    let name = lexicon::is_given_name(&word) && before.is(shape::CAPITAL) && token.gap == Gap::Space;
    // "Douglas C. Intel": an initial between the names.
    let initial = before.end - before.start == 1 && before.is(shape::UPPER) && token.gap == Gap::DotSpace;
    let before_initial = at.checked_sub(2).and_then(|at| document.token(at));
    title || name || (initial && before_initial.is_some_and(|first| lexicon::is_given_name(&document.folded(first))))
}

/// Leaves the country out of `China's Ministry of Commerce`: whose it is, is not part of the name.
fn leave_owner(document: &Document, candidate: &mut Candidate) {
    let tokens = document.tokens.get(candidate.start..candidate.name_end).unwrap_or_default();
    let Some(possessive) = tokens.iter().skip(1).position(|token| token.gap == Gap::Apostrophe) else { return };
    let owner = tokens.get(..=possessive).unwrap_or_default();
    let words: Vec<Cow<'_, str>> = owner.iter().map(|token| document.folded(token)).collect();
    if let Some(first) = tokens.get(possessive + 2)
        && lexicon::is_place(&words.join(" "))
    {
        candidate.start += possessive + 2;
        candidate.from = first.start;
    }
}

/// Takes `Inc.`, `Co., Ltd.` or `Holdings N.V.` behind the name into the mention.
fn take_legal_tail(document: &Document, candidate: &mut Candidate) {
    let mut in_tail = document
        .before(candidate.end)
        .is_some_and(|last| candidate.end - candidate.start > 1 && lexicon::is_firm_form(&document.folded(last)));
    candidate.firm = in_tail;
    for _ in 0..4 {
        let (Some(last), Some(next)) = (document.before(candidate.end), document.token(candidate.end)) else { break };
        let between = |text: &str| document.is_text(last.end, next.start, text);
        let joined = [" ", ", ", " & "].into_iter().any(between)
            || (in_tail && [". ", "., "].into_iter().any(between))
            || (candidate.to > last.end && [") ", "), "].into_iter().any(between));
        if !joined {
            break;
        }
        // Only one form is written small.
        if !next.is(shape::CAPITAL) && next.end - next.start != SMALL_FORM.len() {
            break;
        }
        let word = document.folded(next);
        if !lexicon::is_legal_form(&word) || !is_written_as_form(document, candidate.end, &word) {
            break;
        }
        candidate.firm |= lexicon::is_firm_form(&word);
        candidate.end += 1;
        candidate.to = next.end;
        in_tail = true;
    }
    if in_tail && document.ch(candidate.to) == Some('.') {
        let last = document.before(candidate.end).map(|last| document.folded(last)).unwrap_or_default();
        if lexicon::is_abbreviation(last.as_bytes()) || lexicon::is_firm_form(&last) && last.len() <= 4 {
            candidate.to += 1;
        }
    }
}

/// The legal form that may be written small.
const SMALL_FORM: &str = "plc";

fn is_written_as_form(document: &Document, at: usize, word: &str) -> bool {
    let Some(token) = document.token(at) else { return false };
    if word == SMALL_FORM {
        return true;
    }
    // Short forms of other languages are small words too; `Co` is the exception.
    if word.len() <= 2 && word != "co" {
        return token.is(shape::UPPER);
    }
    // "Nvidia Company Rating" is about Nvidia; "Group Chief Executive" is a person.
    let whole_word = matches!(word, "company" | "group" | "holding" | "holdings" | "limited" | "corporation");
    let goes_on = document.token(at + 1).is_some_and(|next| {
        next.gap == Gap::Space && next.is(shape::CAPITAL) && !lexicon::is_legal_form(&document.folded(next))
    });
    let headline = document.sentence_of(at).is_some_and(|sentence| sentence.headline || sentence.capitals);
    let headline = headline && matches!(word, "limited" | "corporation");
    token.is(shape::CAPITAL) && (!whole_word || !goes_on || headline)
}
