//! Happenings: what is told to have happened between the entities of a sentence.
//!
//! A phrase of the table in [`cues`] opens one. Its clause is cut out of the sentence ([`clause`]), and the entities, states
//! and amounts in it fill the roles that the kind of happening has ([`slots`]); where a role that it cannot do without stays empty,
//! there is none. What is said around the phrase (`may`, `will not`, `lifted`) is its status ([`status`]).

mod abroad;
mod clause;
mod cues;
mod meant;
mod needs;
mod pattern;
mod slots;
mod status;
mod words;

use chipwire_events::{Happening, Role, Slot};

pub(crate) use self::pattern::Patterns;
use self::{
    clause::Clause,
    cues::{Form, Kind},
    pattern::{Hit, Present},
    slots::{Filled, Value},
    words::{BE, BREAKS, CONTRACTED, DENIALS, DOUBTS, ENDS, PLANS},
};
use super::{Scene, amount::Found, lexis::is};
use crate::matcher::{Gap, shape};

/// What is told further behind in an article is not looked at.
const HAPPENINGS_MAX: usize = 64;

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

/// The happenings of a document, by position. `places` is asked for the states that it names, by position, once there is a
/// phrase that tells of anything.
pub(super) fn happenings(scene: &Scene<'_>, amounts: &[Found], places: impl FnOnce() -> Vec<Place>) -> Vec<Happening> {
    let mut found: Vec<Happening> = Vec::new();
    let mut places = Places::Unasked(Some(places));
    let mut last: Option<(usize, Kind, Vec<Filled<'_>>)> = None;
    for (first, end) in sentences(scene) {
        let present = Present::new(scene.document.tokens.get(first..end).unwrap_or_default());
        let mut at = first;
        while at < end {
            let starts = scene.document.token(at).is_some_and(|token| scene.lexis.is(token, is::CUE));
            let mut hits = if starts {
                scene.lexis.patterns.all(scene.document, scene.lexis, at, end, &present)
            } else {
                Vec::new()
            };
            hits.retain(|hit| !is_name(scene, hit));
            let mut next = at + 1;
            let before = last.as_ref().filter(|(end, ..)| first < *end);
            let subject = before.map(|(_, _, filled)| filled.as_slice());
            let mut tell = |hit: &Hit, wide: bool| {
                let clause = Clause::around(scene, places.get(scene), hit, (first, end), wide);
                let filled = slots::fill(scene, hit, &clause, amounts, subject);
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
                let again = before.is_some_and(|(_, kind, before)| {
                    *kind == hit.kind && filled.iter().all(|slot| before.contains(slot))
                });
                next = next.max(hit.end);
                if let Some(happening) = happening(scene, hit, &clause, &filled).filter(|_| !again) {
                    found.push(happening);
                    last = Some((hit.end, hit.kind, filled));
                }
            }
            if found.len() == HAPPENINGS_MAX {
                return found;
            }
            at = next;
        }
    }
    found
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

/// The happening of `hit` as an event has it.
fn happening(scene: &Scene<'_>, hit: &Hit, clause: &Clause<'_>, filled: &[Filled<'_>]) -> Option<Happening> {
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
    let (status, word) = status::status(scene, hit, clause);
    let word = word.filter(|word| *word < hit.start || *word >= hit.end).and_then(|word| scene.document.token(word));
    let phrase = surface.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut reason = format!("'{phrase}' {}", parties(&slots));
    if let Some(word) = word {
        reason.push_str(&format!(", with '{}'", scene.document.written(word)));
    }
    let confidence = (confidence(hit, filled) * 100.0).round() / 100.0;
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
    let least = filled.iter().filter_map(|slot| match slot.value {
        Value::Named(named) => Some(named.confidence),
        _ => None,
    });
    sum * least.fold(1.0, f64::min)
}
