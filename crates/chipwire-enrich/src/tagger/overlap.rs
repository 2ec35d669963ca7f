//! One place is one mention: the longest name wins, and only a vendor may stand inside what it makes.

use std::collections::BTreeMap;

use super::{
    Tagger,
    candidates::{Candidate, Place, State, Why},
};

/// Whether `inner` may be a mention though it lies inside `outer`.
fn may_nest(tagger: &Tagger, inner: &Place, outer: &Place) -> bool {
    let kind = |entity| tagger.definition(entity).map(|entity| &entity.kind);
    outer.covers(inner)
        && outer.length() > inner.length()
        && kind(inner.entity) != kind(outer.entity)
        && tagger.is_owner(inner.entity, outer.entity)
}

/// Rejects what lies inside a longer name that was accepted, so that it is no evidence: the Entity List is not spoken of
/// where the Unreliable Entity List is.
pub(super) fn drop_covered(tagger: &Tagger, candidates: &mut [Candidate]) {
    let mut accepted: Vec<Place> = candidates
        .iter()
        .filter(|candidate| candidate.state == State::Accepted)
        .map(|candidate| candidate.place())
        .collect();
    accepted.sort_by_key(|place| place.from);
    let longest = accepted.iter().map(Place::length).max().unwrap_or(0);
    for candidate in candidates.iter_mut() {
        let place = candidate.place();
        if !matches!(candidate.state, State::Accepted | State::Open) {
            continue;
        }
        let first = accepted.partition_point(|outer| outer.from + longest < candidate.to);
        let outer =
            accepted.iter().skip(first).take_while(|outer| outer.from <= candidate.from).find(|outer| {
                outer.covers(&place) && outer.length() > place.length() && !may_nest(tagger, &place, outer)
            });
        if let Some(outer) = outer {
            candidate.state = State::Rejected(Why::Inside(outer.entity));
        }
    }
}

/// Leaves one accepted candidate for every place.
pub(super) fn settle(tagger: &Tagger, candidates: &mut Vec<Candidate>) {
    candidates.retain(|candidate| candidate.state == State::Accepted);
    candidates.sort_by_key(|candidate| candidate.from);
    // In most texts no two of them overlap.
    if candidates.is_sorted_by(|one, next| one.to <= next.from) {
        return;
    }
    candidates.sort_by(|a, b| {
        (b.place().length().cmp(&a.place().length()))
            .then(b.confidence.total_cmp(&a.confidence))
            .then(a.from.cmp(&b.from))
            .then(b.alias.is_none().cmp(&a.alias.is_none()))
            .then(a.entity.cmp(&b.entity))
    });
    // By first unit: what was chosen never overlaps but for nesting, so only neighbours have to be looked at.
    let mut chosen: BTreeMap<(usize, usize), Candidate> = BTreeMap::new();
    let longest = candidates.first().map_or(0, |candidate| candidate.place().length());
    for candidate in candidates.drain(..) {
        let place = candidate.place();
        let fits = chosen
            .range((place.from.saturating_sub(longest), 0)..(place.to, 0))
            .all(|(_, other)| !other.place().overlaps(&place) || may_nest(tagger, &place, &other.place()));
        if fits {
            chosen.insert((place.from, chosen.len()), candidate);
        }
    }
    candidates.extend(chosen.into_values());
}
