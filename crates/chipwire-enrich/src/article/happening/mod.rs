//! Happenings: what is told to have happened between the entities of a sentence.
//!
//! A phrase of the table in [`cues`] opens one. Its clause is cut out of the sentence ([`clause`]), and the entities, states
//! and amounts in it fill the roles that the kind of happening has ([`slots`]); where a role that it cannot do without stays empty,
//! there is none. What is said around the phrase (`may`, `will not`, `lifted`) is its status ([`status`]).
//!
//! What no phrase tells is found by all words of a sentence, each of which has a weight ([`telling`]): they say what is told, where, which way round and
//! how far along it is, and roles are filled from there. They also speak against a phrase.

mod abroad;
mod clause;
mod cues;
mod meant;
mod needs;
mod pattern;
mod slots;
mod status;
mod supply;
mod telling;
mod words;

use std::{cell::LazyCell, ops::Range};

use chipwire_events::{Happening, Role, Slot, Status};

use self::{
    clause::Clause,
    cues::{Form, Kind},
    pattern::{Hit, Present},
    slots::{Filled, Value},
    telling::{Scores, Unit},
    words::{BE, BREAKS, CONTRACTED, DENIALS, DOUBTS, ENDS, PLANS},
};
pub(crate) use self::{pattern::Patterns, telling::Telling};
use super::{Scene, amount::Found, lexis::is};
use crate::matcher::{Gap, shape};

/// What is told further behind in an article is not looked at.
const HAPPENINGS_MAX: usize = 64;

/// How likely a sentence has to tell of a happening by its words, where no phrase tells it.
const LIKELY: f64 = 0.5;
/// The same where one word stands for it.
const LIKELY_BY_ONE: f64 = 0.7;
/// The same where it tells of another.
const LIKELY_BESIDE: f64 = 0.85;
/// How unlikely a sentence of English that has a phrase may be to tell of what this says.
const UNLIKELY: f64 = 0.02;
/// The same of a phrase of one word.
const UNLIKELY_BY_ONE: f64 = 0.05;

/// Words that happenings are told by, with what they are.
pub(super) const WORDS: [(&[&str], u16); 8] = [
    (BREAKS, is::BREAK),
    (BE, is::BE),
    (DENIALS, is::DENIAL),
    (CONTRACTED, is::CONTRACTED),
    (DOUBTS, is::DOUBT),
    (PLANS, is::PLAN),
    (ENDS, is::END),
    (&["which", "who", "whose"], is::RELATIVE),
];

/// A state where it is named.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Two capitals.
    pub(crate) code: &'static str,
    /// Its first token.
    pub(crate) start: usize,
    /// One past its last token.
    pub(crate) end: usize,
}

/// The happenings of a document, by position, and what they say about whose amounts are. `places` is asked for the states that it names, by
/// position, once there is a phrase that tells of anything.
pub(super) fn happenings(
    scene: &Scene<'_>,
    amounts: &[Found],
    places: impl FnOnce() -> Vec<Place>,
) -> (Vec<Happening>, Vec<Owned>) {
    let places = Places::Unasked(Some(places));
    let mut search = Search { scene, amounts, places, found: Vec::new(), owned: Vec::new() };
    for sentence in sentences(scene) {
        let units = scene.lexis.telling.units(scene, amounts, sentence.0, sentence.1);
        let scores = scene.lexis.telling.scores(&units);
        let before = search.found.len();
        let told = search.by_phrases(sentence, &scores);
        search.by_weights(sentence, &units, &scores, &told);
        if let Some(new) = search.found.get_mut(before..) {
            new.sort_by_key(|happening| (happening.field, happening.start));
        }
        if search.found.len() >= HAPPENINGS_MAX {
            search.found.truncate(HAPPENINGS_MAX);
            break;
        }
    }
    (search.found, search.owned)
}

/// An amount that is somebody's by what is told of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owned {
    /// Its first unit of text.
    pub(super) from: usize,
    /// The number of the mention whose it is, in [`Scene::named`].
    pub(super) of: usize,
}

/// What is found so far, and what it is found with.
struct Search<'a, 'b, F> {
    scene: &'b Scene<'a>,
    amounts: &'a [Found],
    places: Places<F>,
    found: Vec<Happening>,
    owned: Vec<Owned>,
}

impl<'a, F: FnOnce() -> Vec<Place>> Search<'a, '_, F> {
    /// Those of a sentence that a phrase tells; the kinds of all.
    fn by_phrases(&mut self, (first, end): (usize, usize), scores: &Scores) -> Vec<Kind> {
        let scene = self.scene;
        let mut last: Option<(Kind, Vec<Filled<'_>>)> = None;
        let mut kinds = Vec::new();
        let present = Present::new(scene.document.tokens.get(first..end).unwrap_or_default());
        let mut at = first;
        while at < end && self.found.len() < HAPPENINGS_MAX {
            let starts = scene.document.token(at).is_some_and(|token| scene.lexis.is(token, is::CUE));
            let mut hits = if starts {
                scene.lexis.patterns.all(scene.document, scene.lexis, at, end, &present)
            } else {
                Vec::new()
            };
            hits.retain(|hit| !is_name(scene, hit) && !is_unlikely(scene, hit, scores));
            let mut next = at + 1;
            let subject = last.as_ref().map(|(_, filled)| filled.as_slice());
            let mut tell = |hit: &Hit, wide: bool| {
                let clause = Clause::around(scene, self.places.get(scene), hit, (first, end), wide);
                let filled = slots::fill(scene, hit, &clause, self.amounts, subject);
                (clause, filled)
            };
            // Of the phrases that begin here the longest that has what it needs: in its clause, or else in its sentence.
            let mut cut = Vec::new();
            let mut told = hits.iter().find_map(|hit| {
                let (clause, filled) = tell(hit, false);
                // One word says too little to look further for who is meant.
                if filled.is_none() && clause.cut && !hit.is_one_word() {
                    cut.push(hit);
                }
                Some((hit, clause, filled?))
            });
            for hit in cut {
                if told.is_none() {
                    let (clause, filled) = tell(hit, true);
                    told = filled.map(|filled| (hit, clause, filled));
                }
            }
            if let Some((hit, clause, filled)) = told {
                // Several phrases for one thing, as `export curbs` and `ban on sales`: the first says it.
                let again = last
                    .as_ref()
                    .is_some_and(|(kind, before)| *kind == hit.kind && filled.iter().all(|slot| before.contains(slot)));
                next = next.max(hit.end);
                let (status, word) = status::status(scene, hit, &clause);
                let sure = confidence(hit, &filled);
                let parts = supply::oriented(scene, hit, filled.clone());
                if let Some(happening) = happening(scene, hit, (status, word), sure, &parts).filter(|_| !again) {
                    self.found.push(happening);
                    self.owned.extend(owned(scene, hit, &filled));
                    kinds.push(hit.kind);
                    last = Some((hit.kind, filled));
                }
            }
            at = next;
        }
        kinds
    }

    /// Those of a sentence that its words speak for, of kinds that no phrase told.
    fn by_weights(&mut self, sentence: (usize, usize), units: &[Unit], scores: &Scores, told: &[Kind]) {
        let scene = self.scene;
        let manner = LazyCell::new(|| scene.lexis.telling.manner(units));
        let likely = Kind::ALL.into_iter().map(|kind| (kind, scores.tells(kind)));
        let mut likely: Vec<(Kind, f64)> = likely.filter(|(_, probability)| *probability > LIKELY).collect();
        // Who tells of a duty uses the words of an export ban.
        let restricts = told.iter().any(|kind| kind.restricts());
        likely.retain(|(kind, _)| !(told.contains(kind) || restricts && kind.restricts()));
        likely.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let mut alone = told.is_empty();
        for (kind, probability) in likely {
            if !alone && probability <= LIKELY_BESIDE {
                break;
            }
            let Some((start, end)) = scene.lexis.telling.place(units, kind) else { continue };
            let (start, end) = without_parties(scene, self.places.get(scene), start, end);
            if end <= start + 1 && probability <= LIKELY_BY_ONE {
                continue;
            }
            let form = if manner.is_turned(kind) { Form::Turned } else { Form::Verb };
            let hit = Hit::weighed(kind, form, start, end);
            if describes(scene, &hit) {
                continue;
            }
            let clause = Clause::around(scene, self.places.get(scene), &hit, sentence, true);
            let Some(filled) = slots::fill(scene, &hit, &clause, self.amounts, None) else { continue };
            let (beside, word) = status::status(scene, &hit, &clause);
            let status = manner.status(kind, beside);
            let word = word.filter(|_| status == beside);
            let sure = probability * least_sure(&filled);
            let parts = supply::oriented(scene, &hit, filled.clone());
            if let Some(mut happening) = happening(scene, &hit, (status, word), sure, &parts) {
                happening.reason.push_str(&weighed_by(scene, units, kind));
                self.found.push(happening);
                self.owned.extend(owned(scene, &hit, &filled));
                alone = false;
            }
        }
    }
}

/// What a state gives is that of who gets it, and not the state's.
fn owned(scene: &Scene<'_>, hit: &Hit, filled: &[Filled<'_>]) -> Option<Owned> {
    let mut whom = filled.iter().filter(|slot| slot.role == Role::Whom);
    let (Value::Named(whom), None) = (whom.next()?.value, whom.next()) else { return None };
    let amount = filled.iter().find_map(|slot| match slot.value {
        Value::Amount(amount) => Some(amount),
        _ => None,
    })?;
    let of = scene.named.iter().position(|named| (named.start, named.end) == (whom.start, whom.end))?;
    (hit.kind == Kind::Subsidy).then_some(Owned { from: amount.from, of })
}

/// Tokens `start..end` without the states and companies that they begin or end with, of which none tells anything.
fn without_parties(scene: &Scene<'_>, places: &[Place], mut start: usize, mut end: usize) -> (usize, usize) {
    let party = |at: usize| {
        let place = places.partition_point(|place| place.start <= at).checked_sub(1).and_then(|last| places.get(last));
        let place = place.filter(|place| place.end > at).map(|place| (place.start, place.end));
        let company = || scene.mention_over(at).filter(|(_, named)| named.company);
        place.or_else(|| company().map(|(_, named)| (named.start, named.end)))
    };
    while let Some((_, to)) = party(start).filter(|(_, to)| *to < end) {
        start = to;
    }
    while let Some((from, _)) = party(end - 1).filter(|(from, _)| *from > start) {
        end = from;
    }
    (start, end)
}

/// The words that speak most for what no phrase told, as a reason for people.
fn weighed_by(scene: &Scene<'_>, units: &[Unit], kind: Kind) -> String {
    let reasons = scene.lexis.telling.reasons(units, kind).into_iter().filter_map(|at| scene.document.token(at));
    let words: Vec<String> = reasons.map(|token| format!("'{}'", scene.document.written(token))).collect();
    if words.is_empty() { String::new() } else { format!(", by the weight of {}", words.join(", ")) }
}

/// Whether the other words of the sentence speak against what a phrase tells.
fn is_unlikely(scene: &Scene<'_>, hit: &Hit, scores: &Scores) -> bool {
    let east = || scene.document.token(hit.start).is_some_and(|token| token.is(shape::EAST_ASIAN));
    let bound = if hit.end - hit.start == 1 { UNLIKELY_BY_ONE } else { UNLIKELY };
    !hit.abroad && scores.tells(hit.kind) < bound && !east()
}

/// The units of each sentence, and their bytes in the body.
pub(super) fn telling_units(scene: &Scene<'_>, amounts: &[Found]) -> Vec<Vec<(String, Range<usize>)>> {
    let document = scene.document;
    let starts = document.sentences.iter().map(|sentence| sentence.first);
    let ends = starts.clone().skip(1).chain([document.tokens.len()]);
    let bytes = |tokens: Range<usize>| {
        let (first, last) = document.token(tokens.start).zip(document.token(tokens.end.checked_sub(1)?))?;
        document.raw(first.start, last.end).map(|(_, start, end)| start..end)
    };
    let sentence = |(from, to)| {
        let units = telling::written(scene, amounts, from, to).into_iter();
        units.filter_map(|(unit, tokens)| Some((unit, bytes(tokens)?))).collect()
    };
    starts.zip(ends).map(sentence).collect()
}

/// The states that a text names, which are asked for only where there is a phrase.
enum Places<F> {
    Unasked(Option<F>),
    Known(Vec<Place>),
}

impl<F: FnOnce() -> Vec<Place>> Places<F> {
    fn get(&mut self, scene: &Scene<'_>) -> &[Place] {
        if let Self::Unasked(ask) = self {
            let all = ask.take().map(|ask| ask()).unwrap_or_default();
            *self = Self::Known(all.into_iter().filter(|place| !is_covered(scene, place)).collect());
        }
        match self {
            Self::Known(places) => places,
            Self::Unasked(_) => &[],
        }
    }
}

/// The tokens of every sentence with a mention.
fn sentences(scene: &Scene<'_>) -> Vec<(usize, usize)> {
    let document = scene.document;
    let mut sentences = Vec::new();
    let mut until = 0;
    for named in scene.named {
        let Some(token) = document.token(named.start) else { continue };
        let first = document.sentences.get(token.sentence).map_or(0, |sentence| sentence.first);
        if first < until || named.start < until {
            continue;
        }
        until = document.sentences.get(token.sentence + 1).map_or(document.tokens.len(), |next| next.first);
        sentences.push((first, until));
    }
    sentences
}

/// Whether a phrase is no more than a name that reads like one. The last word of a name may be a part of a phrase, but for a
/// verb; and a phrase does not end in a company's name: `approves aid for X-FAB` is about no fab.
fn is_name(scene: &Scene<'_>, hit: &Hit) -> bool {
    let over = scene.mention_over(hit.start).filter(|(_, named)| !slots::is_rule(named));
    let into = scene.mention_over(hit.end - 1).filter(|(_, named)| named.company && named.start > hit.start);
    let name = into.is_some() || over.is_some_and(|(_, named)| hit.end <= named.end || hit.form == Form::Verb);
    name || hit.is_one_word() && describes(scene, hit)
}

/// Whether a single word only describes what stands beside it: "TSMC-licensed", and the rating of "(005930 KS, BUY)".
fn describes(scene: &Scene<'_>, hit: &Hit) -> bool {
    let Some(token) = scene.document.token(hit.start) else { return false };
    let capitals = || scene.document.sentence_of(hit.start).is_some_and(|sentence| sentence.capitals);
    let rating = token.is(shape::UPPER) && token.end - token.start > 1 && !capitals();
    token.gap == Gap::Hyphen && scene.mention_over(hit.start - 1).is_some() || rating
}

/// Whether the state is a part of the name of a company or an office.
fn is_covered(scene: &Scene<'_>, place: &Place) -> bool {
    scene.mention_over(place.start).is_some_and(|(_, named)| !slots::is_rule(named))
}

/// The happening of `hit` as an event has it, with its status and the word that says so.
fn happening(
    scene: &Scene<'_>,
    hit: &Hit,
    (status, word): (Status, Option<usize>),
    confidence: f64,
    filled: &[Filled<'_>],
) -> Option<Happening> {
    let units = |start: usize, end: usize| {
        Some((scene.document.token(start)?.start, scene.document.token(end.checked_sub(1)?)?.end))
    };
    let (from, to) = units(hit.start, hit.end)?;
    let (field, start, end, surface) = scene.surface(from, to)?;
    let mut slots = Vec::new();
    for slot in filled {
        let (from, to) = match &slot.value {
            Value::Amount(amount) => (amount.from, amount.to),
            Value::Named(named) => (named.from, named.to),
            Value::Place(place) => units(place.start, place.end)?,
        };
        let (of, start, end, surface) = scene.surface(from, to)?;
        let other = Some(of).filter(|of| *of != field);
        slots.push(Slot { role: slot.role, field: other, start, end, surface, value: slot.value.text() });
    }
    slots.sort_by_key(|slot| (slot.role, slot.start));
    let word = word.filter(|word| *word < hit.start || *word >= hit.end).and_then(|word| scene.document.token(word));
    let phrase = surface.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut reason = format!("'{phrase}' {}", parties(&slots));
    if let Some(word) = word {
        reason.push_str(&format!(", with '{}'", scene.document.written(word)));
    }
    let confidence = (confidence * 100.0).round() / 100.0;
    Some(Happening { kind: hit.kind.name().to_owned(), status, field, start, end, surface, slots, confidence, reason })
}

/// Who takes part, in words.
fn parties(slots: &[Slot]) -> String {
    let of = |roles: &[Role]| {
        let values = slots.iter().filter(|slot| roles.contains(&slot.role));
        values
            .map(|slot| slot.value.split_once(':').map_or(slot.value.as_str(), |(_, id)| id))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (who, whom, rest) = (of(&[Role::Who]), of(&[Role::Whom, Role::What]), of(&[Role::Amount, Role::Place]));
    match (who.is_empty(), whom.is_empty()) {
        (false, false) => format!("between {who} and {whom}"),
        (false, true) if rest.is_empty() => format!("of {who}"),
        (false, true) => format!("of {who} and {rest}"),
        (true, false) => format!("about {whom}"),
        (true, true) => format!("about {rest}"),
    }
}

/// 0.55 for a verb and 0.5 for a noun; 0.15 more for who does it and for whom or what it is done to, 0.05 for an amount and a
/// place; times the confidence of the least sure mention.
fn confidence(hit: &Hit, filled: &[Filled<'_>]) -> f64 {
    let has = |role: Role| filled.iter().any(|slot| slot.role == role);
    let base = if hit.form == cues::Form::Noun { 0.5 } else { 0.55 };
    let parts = [
        (has(Role::Who), 0.15),
        (has(Role::Whom) || has(Role::What), 0.15),
        (has(Role::Amount), 0.05),
        (has(Role::Place), 0.05),
    ];
    let sum: f64 = base + parts.iter().filter(|(there, _)| *there).map(|(_, more)| more).sum::<f64>();
    sum * least_sure(filled)
}

/// The confidence of the least sure mention.
fn least_sure(filled: &[Filled<'_>]) -> f64 {
    let named = filled.iter().filter_map(|slot| match slot.value {
        Value::Named(named) => Some(named.confidence),
        _ => None,
    });
    named.fold(1.0, f64::min)
}
