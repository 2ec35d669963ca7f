//! The part of a sentence that a phrase belongs to, and what is named in it.

use super::{Place, cues::Kind, pattern::Hit};
use crate::{
    article::{Named, Scene, lexis::is},
    matcher::{Gap, shape},
};

/// Tokens on either side of a phrase that are looked at.
const REACH: usize = 40;

/// Commas of an East Asian sentence that a clause may go back over.
const COMMAS_MAX: usize = 5;

/// Words between a name and the clause about it.
const ANTECEDENT_REACH: usize = 3;

/// Characters between "对" and a noun, as in "对Y的收购".
const TOWARDS_REACH: usize = 14;

/// Something that can have a part in a happening.
#[derive(Debug, Clone, Copy)]
pub(super) enum Party<'a> {
    Named(&'a Named<'a>),
    Place(Place),
}

/// What a party is, as far as its part depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Company,
    Product,
    /// An office that can act.
    Actor,
    /// A rule or a list.
    Rule,
    State,
}

/// Classes of policies that can act.
const ACTORS: &[&str] = &["agency", "executive", "legislature", "court", "alliance"];

impl Party<'_> {
    pub(super) fn sort(&self) -> Sort {
        match self {
            Party::Place(_) => Sort::State,
            Party::Named(named) if named.company => Sort::Company,
            Party::Named(named) if named.product => Sort::Product,
            Party::Named(named) if ACTORS.contains(&named.entity.class.split('/').next().unwrap_or_default()) => {
                Sort::Actor
            }
            Party::Named(_) => Sort::Rule,
        }
    }

    pub(super) fn start(&self) -> usize {
        match self {
            Party::Named(named) => named.start,
            Party::Place(place) => place.start,
        }
    }

    pub(super) fn end(&self) -> usize {
        match self {
            Party::Named(named) => named.end,
            Party::Place(place) => place.end,
        }
    }
}

/// The clause around a phrase, as tokens, with the parties in it by position.
#[derive(Debug)]
pub(super) struct Clause<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Those before the phrase.
    pub(super) left: Vec<Party<'a>>,
    /// Those that the phrase has in it, or a part of.
    pub(super) inside: Vec<Party<'a>>,
    /// Those behind it.
    pub(super) right: Vec<Party<'a>>,
    /// What a clause that begins with `which` or `whom` and has a subject of its own is about: `Megaspeed, which Customs fined`.
    pub(super) antecedent: Option<Party<'a>>,
    /// A word at which clauses begin or end is at its edge: the sentence may tell more.
    pub(super) cut: bool,
}

impl<'a> Clause<'a> {
    /// The clause of `hit` in the sentence of tokens `sentence`; `wide` takes what else the sentence tells with it.
    pub(super) fn around(scene: &Scene<'a>, places: &[Place], hit: &Hit, sentence: (usize, usize), wide: bool) -> Self {
        let document = scene.document;
        let parts = |at: usize| {
            let (token, before) = (document.token(at), document.before(at));
            token.zip(before).is_some_and(|(token, before)| {
                token.gap == Gap::Comma && (token.is(shape::EAST_ASIAN) || before.is(shape::EAST_ASIAN))
            })
        };
        // Names are counted up with commas too.
        let parts = |at: usize| {
            let before = at.checked_sub(1);
            parts(at)
                && !(scene.mention_from(at).is_some() && before.is_some_and(|at| scene.mention_over(at).is_some()))
        };
        // "..., and SoftBank invested": another clause, unless names are counted up.
        let parts = |at: usize| {
            let and =
                document.token(at).is_some_and(|token| token.gap == Gap::Comma && document.folded(token) == "and");
            let counted = at.checked_sub(1).is_some_and(|before| scene.mention_over(before).is_some());
            parts(at) || and && !counted && scene.mention_from(at + 1).is_some()
        };
        let is = |at: usize, bits: u16| document.token(at).is_some_and(|token| scene.lexis.is(token, bits));
        // Japanese and Korean have both who does it and to whom before the verb.
        let verb_last = (hit.start.saturating_sub(4)..hit.end + 2).filter_map(|at| document.token(at)).any(|token| {
            token.is(shape::HANGUL)
                || document.folded(token).starts_with(|ch: char| matches!(ch, '\u{3040}'..='\u{30FF}'))
        });
        let towards = || {
            let mut before = (hit.start.saturating_sub(TOWARDS_REACH)..hit.start).filter_map(|at| document.token(at));
            before.any(|token| matches!(&*document.folded(token), "对" | "對"))
        };
        let east = document.token(hit.start).is_some_and(|token| token.is(shape::EAST_ASIAN));
        let doers_wanted = if verb_last || east && towards() { 2 } else { 1 };
        let least = sentence.0.max(hit.start.saturating_sub(REACH));
        let mut start = hit.start;
        // What is told of a name in between does not count: `TSMC, which makes chips for Nvidia, will ...`.
        let mut left_until = hit.start;
        let (mut antecedent, mut cut) = (None, false);
        // In Chinese, Japanese and Korean who does it may stand some commas before.
        let mut commas = 0;
        while start > least {
            if parts(start) {
                let first = scene.named.partition_point(|named| named.start < start);
                let doers = scene.named.iter().skip(first).take_while(|named| named.start < hit.start);
                if !east || commas == COMMAS_MAX || doers.filter(|named| !named.product).count() >= doers_wanted {
                    break;
                }
                commas += 1;
            }
            let before = start - 1;
            let relative = is(before, is::RELATIVE);
            if relative && has_subject(scene, start, hit.start) {
                (antecedent, cut) = (last_before(scene, before), true);
                break;
            }
            if relative && document.token(before).is_some_and(|token| token.gap == Gap::Comma) {
                left_until = before;
            } else if is(before, is::BREAK) && !wide {
                cut = true;
                break;
            }
            start = before;
        }
        let most = sentence.1.min(hit.end + REACH);
        let mut end = hit.end;
        while end < most && (wide || !is(end, is::BREAK)) && !parts(end) {
            end += 1;
        }
        cut |= end < most && is(end, is::BREAK);
        let mut all = parties(scene, places, start, end);
        all.retain(|party| !is_source(scene, party, hit));
        let within = |from: usize, to: usize| {
            let inside = |party: &&Party<'a>| party.start() >= from && party.end() <= to;
            all.iter().filter(inside).copied().collect::<Vec<_>>()
        };
        let over = |party: &&Party<'a>| party.start() < hit.end && party.end() > hit.start;
        Self {
            start,
            end,
            left: within(start, left_until),
            inside: all.iter().filter(over).copied().collect(),
            right: within(hit.end, end),
            antecedent,
            cut,
        }
    }
}

/// Whether someone who can act is named in tokens `from..to`, with no comma on the way.
fn has_subject(scene: &Scene<'_>, from: usize, to: usize) -> bool {
    let first = scene.named.partition_point(|named| named.start < from);
    let named = scene.named.iter().skip(first).take_while(|named| named.end <= to);
    let comma = |at: usize| scene.document.token(at).is_some_and(|token| token.gap == Gap::Comma);
    named.into_iter().any(|named| matches!(Party::Named(named).sort(), Sort::Company | Sort::Actor))
        && !(from + 1..=to).any(comma)
}

/// The last mention before token `at`, if it is close by.
fn last_before<'a>(scene: &Scene<'a>, at: usize) -> Option<Party<'a>> {
    let until = scene.named.partition_point(|named| named.start < at);
    let last = scene.named.get(until.checked_sub(1)?)?;
    (last.end <= at && at - last.end <= ANTECEDENT_REACH).then_some(Party::Named(last))
}

/// Whether a paper, a research house or a broker is named as the one that tells it, and has no part in it.
fn is_source(scene: &Scene<'_>, party: &Party<'_>, hit: &Hit) -> bool {
    let Party::Named(named) = party else { return false };
    let takes_part = matches!(hit.kind, Kind::Lawsuit | Kind::Acquisition | Kind::SupplyDeal)
        || hit.start <= named.start && named.end <= hit.end;
    named.is_observer() && !takes_part || scene.is_told_by(named)
}

/// The parties that lie in tokens `from..to`, by position.
fn parties<'a>(scene: &Scene<'a>, places: &[Place], from: usize, to: usize) -> Vec<Party<'a>> {
    let first = scene.named.partition_point(|named| named.start < from);
    let named = scene.named.iter().skip(first).take_while(|named| named.start < to).filter(|named| named.end <= to);
    let first = places.partition_point(|place| place.start < from);
    let states = places.iter().skip(first).take_while(|place| place.start < to).filter(|place| place.end <= to);
    let mut parties: Vec<Party<'a>> = named.map(Party::Named).chain(states.map(|place| Party::Place(*place))).collect();
    parties.sort_by_key(Party::start);
    parties
}
