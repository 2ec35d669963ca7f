//! Weighing: whether an ambiguous name means the entity here.
//!
//! Evidence in the same sentence decides where there is any; the rest of the text only where the sentence is silent, and the
//! sentences beside it more than others: one word there is enough if nothing in the text speaks against the name. So one
//! sense holds for a whole text unless a place says otherwise. Weights were chosen by hand on cases; they order evidence
//! and are not probabilities.

use std::collections::BTreeSet;

use super::{
    Relation, Tagger,
    candidates::{Candidate, follows_person},
    definitions::{Definitions, Meaning},
};
use crate::{
    gazetteer::Mode,
    lexicon,
    matcher::{Alias, Document, Gap, Hits, Token, part, shape},
};

/// A mention that is certain enough to be evidence for others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sure {
    pub(super) entity: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// By a name that needs no longer one before it.
    pub(super) full: bool,
}

/// What is certain so far, in the orders in which it is asked for.
#[derive(Debug, Default)]
pub(super) struct Sures {
    /// By entity, and of each by position.
    all: Vec<Sure>,
    /// Where the mentions of each entity end among them.
    ends_of_entities: Vec<usize>,
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Sures {
    pub(super) fn new(mentions: impl Iterator<Item = Sure>) -> Self {
        let mut all: Vec<Sure> = mentions.collect();
        all.sort_by_key(|sure| (sure.entity, sure.start, sure.end));
        let lengths = all.chunk_by(|a, b| a.entity == b.entity).map(<[Sure]>::len);
        let ends_of_entities = lengths.scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        let ends_of_entities = ends_of_entities.collect();
        let sorted = |part: fn(&Sure) -> usize| {
            let mut places: Vec<usize> = all.iter().map(part).collect();
            places.sort_unstable();
            places
        };
        let (starts, ends) = (sorted(|sure| sure.start), sorted(|sure| sure.end));
        Self { all, ends_of_entities, starts, ends }
    }

    /// The mentions of each entity, by position.
    fn by_entity(&self) -> impl Iterator<Item = &[Sure]> {
        let starts = [0].into_iter().chain(self.ends_of_entities.iter().copied());
        starts.zip(&self.ends_of_entities).filter_map(|(start, end)| self.all.get(start..*end))
    }

    /// The last mention by a full name that ends before `start`, of each entity.
    fn last_before(&self, start: usize) -> impl Iterator<Item = &Sure> {
        self.by_entity().filter_map(move |places| {
            let until = places.partition_point(|sure| sure.start < start);
            places.get(..until)?.iter().rev().find(|sure| sure.full && sure.end <= start)
        })
    }

    /// Whether the entity is mentioned by a full name at all.
    fn has_full(&self, entity: usize) -> bool {
        let from = self.all.partition_point(|sure| sure.entity < entity);
        let places = self.all.get(from..).unwrap_or_default();
        places.iter().take_while(|sure| sure.entity == entity).any(|sure| sure.full)
    }

    /// The mentions of each entity that can be its nearest to the candidate.
    fn around(&self, candidate: &Candidate) -> impl Iterator<Item = &Sure> {
        self.by_entity().flat_map(|places| {
            let from = places.partition_point(|sure| sure.start < candidate.start).saturating_sub(2);
            let until = (places.partition_point(|sure| sure.start < candidate.end) + 1).min(places.len());
            places.get(from..until).unwrap_or_default()
        })
    }
}

/// All that a decision looks at.
pub(super) struct Scene<'a> {
    pub(super) tagger: &'a Tagger,
    pub(super) document: &'a Document,
    pub(super) hits: &'a Hits,
    pub(super) definitions: &'a Definitions,
    pub(super) sure: Sures,
}

/// Right beside the name.
const BESIDE: f64 = 4.0;
/// A few words away.
const NEAR: f64 = 3.0;
/// In the same sentence.
const SENTENCE: f64 = 2.0;
/// In the same sentence, of an entity that has nothing to do with it: not enough without a word elsewhere.
const UNRELATED: f64 = 1.5;
/// Words to something in the sentence before or behind that counts as if it were in the same.
const BESIDE_REACH: usize = 25;
/// Elsewhere in the text.
const FAR: f64 = 1.0;
/// What part of their weight more pieces of evidence count with, beside the best: near by, and elsewhere in the text, where one
/// word says little and three of the same trade say a lot.
const OTHERS: f64 = 0.15;
const OTHERS_FAR: f64 = 0.5;
/// So many entities that have nothing to do with a name are together worth a word that has.
const MANY: usize = 4;
/// Reasons that a mention keeps, beside how it is named.
const MOST_REASONS: usize = 4;
/// Less than this convinces nobody.
const ENOUGH: f64 = 2.0;

/// Why something was put on a scale; it becomes text only where a candidate is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// A word without more.
    Word(&'static str),
    /// The number of a phrase that speaks for it.
    Cue(usize),
    /// The number of a phrase that speaks against it.
    Against(usize),
    /// What another entity is to this one, and its number.
    Beside(&'static str, usize),
}

/// Evidence of one direction: the best piece counts in full, others a little.
#[derive(Debug)]
struct Scale {
    /// What part of their weight the others count with.
    share: f64,
    best: f64,
    more: f64,
    /// What was put on it, the weight first.
    reasons: Vec<(f64, Reason)>,
}

impl Scale {
    fn new(share: f64) -> Self {
        Self { share, best: 0.0, more: 0.0, reasons: Vec::new() }
    }

    fn put(&mut self, weight: f64, reason: Reason) {
        self.more += weight.min(self.best) * self.share;
        self.best = self.best.max(weight);
        self.reasons.push((weight, reason));
    }

    fn weight(&self) -> f64 {
        self.best + self.more.min(1.5)
    }
}

/// Evidence for and against, near by and elsewhere.
#[derive(Debug)]
struct Evidence {
    here: Scale,
    here_against: Scale,
    far: Scale,
    far_against: Scale,
    /// Whether something in the sentence before, or in the one behind, speaks for it as loudly as it would in the same.
    beside: [bool; 2],
}

impl Evidence {
    fn new() -> Self {
        let [here, here_against, far_against] = [(); 3].map(|()| Scale::new(OTHERS));
        Self { here, here_against, far: Scale::new(OTHERS_FAR), far_against, beside: [false; 2] }
    }

    /// What is left of the weight if it is enough, and whether what is elsewhere in the text was needed for that.
    fn weight(&self) -> Option<(f64, bool)> {
        let (here, against) = (self.here.weight(), self.here_against.weight());
        if here >= ENOUGH && here > against {
            return Some((here - against, false));
        }
        let all = here / UNRELATED + self.far.weight();
        let all_against = against + self.far_against.weight();
        let enough = against < ENOUGH && all >= ENOUGH && all > all_against;
        let beside = self.beside.contains(&true) && all_against == 0.0;
        (enough || beside).then_some(((all - all_against) * 0.5, true))
    }
}

impl Scene<'_> {
    /// What there is for and against a candidate; none where it could not be a mention whatever there is.
    fn evidence(&self, candidate: &Candidate) -> Option<(&Alias, Evidence)> {
        let alias = candidate.alias.and_then(|alias| self.tagger.trie.alias(alias))?;
        let mut evidence = Evidence::new();
        if alias.mode == Mode::After {
            let longer = self.is_longer(candidate.start, candidate.name_end);
            if longer || self.may_be_word(candidate) || self.is_any(candidate) {
                return None;
            }
            if self.named_before(candidate) {
                evidence.here.put(BESIDE, Reason::Word("full-name"));
            } else {
                let beside = self.office_beside(candidate)?;
                evidence.here.put(NEAR, Reason::Beside("near", beside));
            }
        }
        match self.definitions.get(self.document, candidate, alias) {
            Some(Meaning::Entity(entity)) if entity == candidate.entity => {
                evidence.here.put(BESIDE, Reason::Word("definition"));
            }
            Some(_) => evidence.here_against.put(NEAR, Reason::Word("defined-otherwise")),
            None => {}
        }
        self.cues(candidate, &mut evidence);
        if alias.mode != Mode::After {
            self.mentions(candidate, &mut evidence);
        }
        self.writing(candidate, alias.is_code(), &mut evidence);
        for (at, beside) in evidence.beside.iter_mut().enumerate() {
            *beside = *beside && !self.is_named_beside(candidate, at == 0);
        }
        Some((alias, evidence))
    }

    /// Confidence and reasons if the candidate is to be accepted.
    pub(super) fn verdict(&self, candidate: &Candidate) -> Option<(f64, Vec<String>)> {
        let (alias, evidence) = self.evidence(candidate)?;
        let (weight, with_far) = evidence.weight()?;
        let scales = if with_far { vec![&evidence.here, &evidence.far] } else { vec![&evidence.here] };
        let named = match alias.mode {
            Mode::Cased => "alias:cased",
            Mode::After => "alias:after",
            _ => "alias:cue",
        };
        let reasons =
            [named.to_owned()].into_iter().chain(self.texts(&scales).into_iter().take(MOST_REASONS)).collect();
        Some(((0.55 + 0.08 * weight).clamp(0.5, 0.94), reasons))
    }

    /// Why an open candidate is not accepted, in words; what speaks for it, and what against it.
    pub(super) fn doubts(&self, candidate: &Candidate) -> (String, Vec<String>, Vec<String>) {
        let Some((_, evidence)) = self.evidence(candidate) else {
            return (
                "it counts only where the entity is named in full, or beside another office of its country".to_owned(),
                Vec::new(),
                Vec::new(),
            );
        };
        let Evidence { here, here_against, far, far_against, .. } = &evidence;
        let empty = |scales: [&Scale; 2]| scales.iter().all(|scale| scale.reasons.is_empty());
        let why = match (empty([here, far]), empty([here_against, far_against])) {
            (true, true) => "nothing speaks for it",
            (false, true) => "too little speaks for it",
            (_, false) => "more speaks against it than for it",
        };
        let why = why.to_owned();
        (why, self.texts(&[here, far]), self.texts(&[here_against, far_against]))
    }

    /// What was put on these scales, the weightiest first.
    fn texts(&self, scales: &[&Scale]) -> Vec<String> {
        let reasons = scales.iter().flat_map(|scale| &scale.reasons);
        let mut reasons: Vec<(f64, String)> = reasons.map(|(weight, why)| (*weight, self.text(*why))).collect();
        reasons.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        reasons.dedup_by(|a, b| a.1 == b.1);
        reasons.into_iter().map(|(_, reason)| reason).collect()
    }

    /// Those of the phrases that the text has.
    fn told(&self, phrases: &[u32]) -> impl Iterator<Item = usize> {
        phrases.iter().map(|phrase| *phrase as usize).filter(|phrase| self.hits.has(*phrase))
    }

    /// Words for and against it.
    fn cues(&self, candidate: &Candidate, evidence: &mut Evidence) {
        let Some(sense) = self.tagger.sense(candidate.entity) else { return };
        for phrase in self.told(sense.cues) {
            let (here, far) = (&mut evidence.here, &mut evidence.far);
            self.phrase(candidate, phrase, here, far, &mut evidence.beside, Reason::Cue(phrase));
        }
        for phrase in self.told(sense.against) {
            let (here, far) = (&mut evidence.here_against, &mut evidence.far_against);
            self.phrase(candidate, phrase, here, far, &mut [false; 2], Reason::Against(phrase));
        }
    }

    fn text(&self, reason: Reason) -> String {
        match reason {
            Reason::Word(word) => word.to_owned(),
            Reason::Cue(phrase) => format!("cue:{}", self.tagger.cues.text(phrase)),
            Reason::Against(phrase) => format!("against:{}", self.tagger.cues.text(phrase)),
            Reason::Beside(what, entity) => format!("{what}:{}", self.tagger.id(entity)),
        }
    }

    /// Whether the text of both is the same; an id is unique only within its kind.
    fn is_same(&self, a: Reason, b: Reason) -> bool {
        match (a, b) {
            (Reason::Beside(a, one), Reason::Beside(b, other)) => {
                a == b && (one == other || self.tagger.id(one) == self.tagger.id(other))
            }
            _ => a == b,
        }
    }

    /// The nearest place of one phrase.
    fn phrase(
        &self,
        candidate: &Candidate,
        phrase: usize,
        here: &mut Scale,
        far: &mut Scale,
        beside: &mut [bool; 2],
        reason: Reason,
    ) {
        let mut best: f64 = 0.0;
        for (start, end) in self.hits.around(phrase, candidate.start, candidate.end) {
            let inside = start >= candidate.start && end <= candidate.end;
            if !inside {
                best = best.max(self.nearness(candidate, start, end));
                self.note_beside(candidate, start, end, beside);
            }
        }
        if best >= SENTENCE {
            here.put(best, reason);
        } else if best > 0.0 {
            far.put(best, reason);
        }
    }

    /// The weight of something at tokens `start..end`, by how far it is.
    fn nearness(&self, candidate: &Candidate, start: usize, end: usize) -> f64 {
        let sentence = |token: usize| self.document.token(token).map(|token| token.sentence);
        if sentence(start) != sentence(candidate.start) {
            return FAR;
        }
        let distance = self.distance(candidate, start, end);
        // A Chinese or Korean word is about two tokens.
        let east_asian = self.document.token(candidate.start).is_some_and(|token| token.is(shape::EAST_ASIAN));
        match if east_asian { distance / 2 } else { distance } {
            0..=1 => BESIDE,
            2..=8 => NEAR,
            _ => SENTENCE,
        }
    }

    /// Notes whether something at tokens `start..end` is in the sentence before or behind, and not far.
    fn note_beside(&self, candidate: &Candidate, start: usize, end: usize, beside: &mut [bool; 2]) -> bool {
        let sentence = |token: usize| self.document.token(token).map(|token| token.sentence);
        let (Some(there), Some(here)) = (sentence(start), sentence(candidate.start)) else { return false };
        let [before, behind] = beside;
        let noted = match (there + 1 == here, there == here + 1) {
            (true, _) => before,
            (_, true) => behind,
            _ => return false,
        };
        let is_close = self.distance(candidate, start, end) <= BESIDE_REACH;
        *noted |= is_close;
        is_close
    }

    /// Whether the sentence before, or the one behind, has the name too: what is there speaks for that one.
    fn is_named_beside(&self, candidate: &Candidate, before: bool) -> bool {
        let document = self.document;
        let word = |at: usize| document.token(at).map(|token| token.word);
        let (Some(here), Some(last)) =
            (document.token(candidate.start).map(|token| token.sentence), candidate.name_end.checked_sub(1))
        else {
            return false;
        };
        let Some(there) = (if before { here.checked_sub(1) } else { Some(here + 1) }) else { return false };
        let first = |sentence: usize| document.sentences.get(sentence).map_or(document.tokens.len(), |of| of.first);
        (first(there)..first(there + 1)).any(|at| word(at) == word(last))
    }

    /// Words between the name and `start..end`; a possessive is none.
    fn distance(&self, candidate: &Candidate, start: usize, end: usize) -> usize {
        if start < candidate.end {
            return candidate.start.saturating_sub(end);
        }
        let possessive = self.document.token(candidate.end).is_some_and(|token| token.gap == Gap::Apostrophe);
        (start - candidate.end).saturating_sub(usize::from(possessive))
    }

    /// What else is mentioned.
    fn mentions(&self, candidate: &Candidate, evidence: &mut Evidence) {
        let tagger = self.tagger;
        // The best of what is unrelated is enough: more of it does not make it related.
        let mut unrelated: [Option<Reason>; 2] = [None, None];
        let mut entities = BTreeSet::new();
        for sure in self.sure.around(candidate) {
            let overlaps = sure.start < candidate.end && candidate.start < sure.end;
            let Some(other) = tagger.sense(sure.entity) else { continue };
            if overlaps {
                continue;
            }
            let nearness = self.nearness(candidate, sure.start, sure.end);
            let here = nearness >= SENTENCE;
            if other.negative && sure.entity != candidate.entity {
                // Another sense of the same name is spoken of; other senses of other names say nothing.
                if tagger.shares_name(self.document, sure.entity, candidate) {
                    let scale = if here { &mut evidence.here_against } else { &mut evidence.far_against };
                    scale.put(NEAR, Reason::Beside("against", sure.entity));
                }
                continue;
            }
            let close = nearness.max(NEAR);
            let (weight, far, reason) = match tagger.relation(candidate.entity, sure.entity) {
                Relation::Itself => (close, 3.0, Reason::Word("entity")),
                Relation::Vendor => (close, 2.5, Reason::Beside("vendor", sure.entity)),
                Relation::Product => (close, 2.5, Reason::Beside("product", sure.entity)),
                Relation::Sibling => (NEAR, 2.5, Reason::Beside("sibling", sure.entity)),
                Relation::Related => {
                    self.note_beside(candidate, sure.start, sure.end, &mut evidence.beside);
                    (SENTENCE, FAR, Reason::Beside("near", sure.entity))
                }
                Relation::SameTrade if here => (SENTENCE, FAR, Reason::Beside("near", sure.entity)),
                Relation::SameTrade if self.note_beside(candidate, sure.start, sure.end, &mut evidence.beside) => {
                    (SENTENCE, FAR / 2.0, Reason::Beside("near", sure.entity))
                }
                Relation::SameTrade | Relation::SameKind if here && self.are_listed(candidate, sure) => {
                    (SENTENCE, FAR, Reason::Beside("listed", sure.entity))
                }
                Relation::SameTrade | Relation::SameKind | Relation::Unrelated => {
                    let [in_sentence, elsewhere] = &mut unrelated;
                    let best = if here { in_sentence } else { elsewhere };
                    entities.insert(sure.entity);
                    best.get_or_insert(Reason::Beside("near", sure.entity));
                    continue;
                }
                Relation::None => continue,
            };
            let (scale, weight) = if here { (&mut evidence.here, weight) } else { (&mut evidence.far, far) };
            if !scale.reasons.iter().any(|(known, other)| *known >= weight && self.is_same(*other, reason)) {
                scale.put(weight, reason);
            }
        }
        let [here, far] = unrelated;
        here.into_iter().for_each(|reason| evidence.here.put(UNRELATED, reason));
        // A text that names many others is one of the trade.
        let weight = if entities.len() >= MANY { FAR } else { FAR / 2.0 };
        far.into_iter().for_each(|reason| evidence.far.put(weight, reason));
    }

    /// Whether only a comma or an `and` is between the two, so that they are things of one kind.
    fn are_listed(&self, candidate: &Candidate, sure: &Sure) -> bool {
        let (from, to) =
            if sure.end <= candidate.start { (sure.end, candidate.start) } else { (candidate.end, sure.start) };
        let Some(last) = self.document.token(to) else { return false };
        let joins = |gap| matches!(gap, Gap::Comma | Gap::Slash | Gap::Ampersand);
        match self.document.tokens.get(from..to) {
            Some([]) => joins(last.gap),
            Some([word]) => {
                matches!(last.gap, Gap::Space | Gap::Empty)
                    && matches!(word.gap, Gap::Space | Gap::Comma | Gap::Empty)
                    && lexicon::is_and(&self.document.folded(word))
            }
            _ => false,
        }
    }

    /// Whether a full name of the entity is before it and nothing else that was written with that name since: the Commission is
    /// not the European one where another was spoken of last. What a title is short for is said in the body.
    fn named_before(&self, candidate: &Candidate) -> bool {
        let document = self.document;
        let Some(last) = candidate.name_end.checked_sub(1) else { return false };
        let word = |at: usize| document.token(at).map(|token| token.word);
        let (mut named, mut other) = (None, 0);
        for sure in self.sure.last_before(candidate.start) {
            if sure.entity == candidate.entity {
                named = Some(sure.end);
            } else if (sure.start..sure.end).any(|at| word(at) == word(last)) {
                other = other.max(sure.end);
            }
        }
        let Some(named) = named.filter(|named| *named >= other) else {
            return other == 0 && candidate.from < document.body && self.sure.has_full(candidate.entity);
        };
        !(named..candidate.start).filter(|at| word(*at) == word(last)).any(|at| self.is_longer(at, at + 1))
    }

    /// Another office or rule of the same country in the same sentence, where the name has its capital and nothing else of that
    /// name was spoken of: the Commerce that BIS is part of, the Commission that writes the EU's act.
    fn office_beside(&self, candidate: &Candidate) -> Option<usize> {
        let document = self.document;
        let last = document.token(candidate.name_end.checked_sub(1)?)?;
        let word = |at: usize| document.token(at).map(|token| token.word);
        let other = |sure: &Sure| {
            sure.entity != candidate.entity && (sure.start..sure.end).any(|at| word(at) == Some(last.word))
        };
        if !last.is(shape::CAPITAL) || self.sure.last_before(usize::MAX).any(other) {
            return None;
        }
        // Who acts under the name is an office also where its country's are named elsewhere in the text.
        let acts = document.token(candidate.end).is_some_and(|next| lexicon::is_act(&document.folded(next)));
        let close = |sure: &&Sure| {
            acts || self.nearness(candidate, sure.start, sure.end) >= SENTENCE
                || self.note_beside(candidate, sure.start, sure.end, &mut [false; 2])
        };
        let related = |sure: &&Sure| self.tagger.relation(candidate.entity, sure.entity) == Relation::Related;
        self.sure.around(candidate).filter(close).find(related).map(|sure| sure.entity)
    }

    /// Whether the words at `start..end` are part of a longer name: `foreign ministry`, `Chamber of Commerce`, `Treasury
    /// Wine`, `Commission on Human Rights`.
    fn is_longer(&self, start: usize, end: usize) -> bool {
        let document = self.document;
        let word = |at: usize| document.token(at).map(|token| document.folded(token)).unwrap_or_default();
        let Some(first) = document.token(start) else { return false };
        let plain = document.sentence_of(start).is_some_and(|s| !s.headline && !s.capitals);
        let capital = |at: usize| {
            document.token(at).is_some_and(|token| token.is(shape::CAPITAL)) && !lexicon::is_calendar(&word(at))
        };
        let before = start.checked_sub(1).filter(|_| first.gap == Gap::Space);
        let led = before.map(word).unwrap_or_default();
        let longer_before = if first.is(shape::CAPITAL) {
            let free = lexicon::is_determiner(&led) || lexicon::is_opener(&led);
            led == "of" || (plain && before.is_some_and(capital) && !free)
        } else {
            !first.is(shape::EAST_ASIAN) && !lexicon::is_determiner(&led)
        };
        let behind = document.token(end).filter(|next| next.gap == Gap::Space).map(|_| word(end)).unwrap_or_default();
        let longer_behind = match &*behind {
            "of" => true,
            "and" | "for" | "on" => capital(end + 1) && !self.is_name(end + 1),
            "" => false,
            word => plain && capital(end) && !lexicon::is_office(word) && !self.is_name(end),
        };
        longer_before || longer_behind
    }

    /// Whether a name may be the mere word, as where every word has its capital or it begins a sentence: there somebody has
    /// to act under it.
    fn may_be_word(&self, candidate: &Candidate) -> bool {
        let document = self.document;
        let Some(sentence) = document.sentence_of(candidate.start) else { return true };
        let free = !sentence.headline && !sentence.capitals && sentence.first != candidate.start;
        let acts = || document.token(candidate.end).is_some_and(|next| lexicon::is_act(&document.folded(next)));
        let latin = document.token(candidate.start).is_some_and(|token| !token.is(shape::EAST_ASIAN));
        latin && !free && !acts()
    }

    /// Whether no certain one is meant: "a court, not a ministry".
    fn is_any(&self, candidate: &Candidate) -> bool {
        let space = self.document.token(candidate.start).is_some_and(|token| token.gap == Gap::Space);
        let before = self.document.before(candidate.start).filter(|_| space);
        before.is_some_and(|before| {
            matches!(&*self.document.folded(before), "a" | "an" | "any" | "no" | "another" | "each" | "every")
        })
    }

    /// How it is written, and what words of no meaning stand beside it.
    fn writing(&self, candidate: &Candidate, code: bool, evidence: &mut Evidence) {
        let document = self.document;
        let (Some(token), Some(last)) = (document.token(candidate.start), document.before(candidate.name_end)) else {
            return;
        };
        let company = self.tagger.is_company(candidate.entity);
        if candidate.name_end - candidate.start == 1 && !code && follows_person(document, candidate.start) {
            evidence.here_against.put(6.0, Reason::Word("against:person"));
        }
        if let Some(next) = document.token(candidate.end)
            && next.gap == Gap::Hyphen
            && !last.is(shape::DIGIT)
            && next.is(shape::LETTER)
            && !next.is(shape::DIGIT)
            && !self.is_name(candidate.end)
            && !lexicon::is_suffix(&document.folded(next))
        {
            evidence.here_against.put(BESIDE, Reason::Word("against:compound"));
        }
        let plain = document.sentence_of(candidate.start).is_some_and(|s| !s.headline && !s.capitals);
        let starts = document.sentence_of(candidate.start).is_some_and(|s| s.first + 1 == candidate.start);
        let before = document.before(candidate.start).filter(|before| {
            before.is(shape::CAPITAL)
                && !before.is(shape::DIGIT)
                && !self.is_name_end(candidate.start)
                && !lexicon::is_determiner(&document.folded(before))
        });
        let joined = before.is_some() && token.gap == Gap::Hyphen;
        let unknown = |token: &Token| !token.is_part(part::ALONE);
        let named = before.is_some_and(unknown) && token.gap == Gap::Space && plain && !starts;
        if joined {
            evidence.here_against.put(BESIDE, Reason::Word("against:compound"));
        } else if named && !code {
            evidence.here_against.put(2.5, Reason::Word("against:name"));
        }
        // "Vanguard Micron Inc" is a firm, but another one.
        if candidate.firm && !joined && !named {
            evidence.here.put(BESIDE, Reason::Word("legal-form"));
        }
        if let Some(next) = document.token(candidate.end)
            && plain
            && !code
            && !company
            && unknown(next)
            && next.gap == Gap::Space
            && next.is(shape::CAPITAL)
            && !next.is(shape::DIGIT)
            && !self.is_name(candidate.end)
            && !self.has_committee(candidate.end)
        {
            evidence.here_against.put(2.5, Reason::Word("against:name"));
        }
    }

    /// Whether the words from `start` on call a part of a body: `Senate Agriculture and Forestry Committee`.
    fn has_committee(&self, start: usize) -> bool {
        let words = self
            .document
            .tokens
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take(5)
            .take_while(|token| matches!(token.gap, Gap::Space | Gap::Comma));
        let words = words.map(|token| (token, self.document.folded(token)));
        words
            .take_while(|(token, word)| {
                token.is(shape::CAPITAL) || lexicon::is_and(word) || lexicon::is_committee(word)
            })
            .any(|(_, word)| lexicon::is_committee(&word))
    }

    fn is_name(&self, start: usize) -> bool {
        self.sure.starts.binary_search(&start).is_ok()
    }

    fn is_name_end(&self, end: usize) -> bool {
        self.sure.ends.binary_search(&end).is_ok()
    }
}
