//! Names that several countries use, given to the country that is meant: `export controls`, `Chips Act`.

use super::{
    Kind, NOWHERE, Tagger,
    candidates::{Candidate, State, Why},
};
use crate::{
    article::Place,
    lexicon,
    matcher::{Document, Gap, Hits, shape},
};

/// Words that may stand between a country and its rule: `China's new rare-earth export controls`.
const BESIDE_TOKENS: usize = 4;

/// In a gazetteer, every country that is not named there, and none at all.
const ANY: &str = "*";

/// A country in the text, and where.
struct Named {
    code: &'static str,
    start: usize,
    end: usize,
    /// A rule is aimed at it: `curbs on China`.
    aimed_at: bool,
    /// The token of a `from` before it: goods come from there, `tariffs on chips from Taiwan`.
    from: Option<usize>,
}

impl Named {
    /// Whether it cannot be the country whose rule the candidate is. What comes `from` it right behind the rule is the rule:
    /// `export controls from Washington`.
    fn is_aimed_at(&self, candidate: &Candidate) -> bool {
        self.aimed_at || self.from.is_some_and(|from| from != candidate.end)
    }
}

impl Tagger {
    /// Replaces the entity of each accepted name that depends on the country.
    pub(super) fn resolve_countries(&self, document: &Document, candidates: &mut Vec<Candidate>) {
        let depends = |candidate: &Candidate| {
            candidate.state == State::Accepted
                && self.definition(candidate.entity).is_some_and(|entity| !entity.by_country.is_empty())
        };
        if !candidates.iter().any(depends) {
            return;
        }
        let named = self.countries_in(document);
        let market = candidates
            .iter()
            .any(|candidate| self.sense(candidate.entity).is_some_and(|sense| sense.kind != Kind::Other));
        let offices: Vec<(usize, String)> = candidates
            .iter()
            .filter(|candidate| candidate.state == State::Accepted)
            .filter_map(|candidate| {
                let office = self.definition(candidate.entity).filter(|entity| acts(&entity.class))?;
                Some((candidate.end, office.jurisdiction.clone()?))
            })
            .collect();
        let jurisdictions: Vec<String> = candidates
            .iter()
            .filter(|candidate| !depends(candidate))
            .filter_map(|candidate| self.definition(candidate.entity)?.jurisdiction.clone())
            .collect();
        for candidate in candidates.iter_mut().filter(|candidate| depends(candidate)) {
            let Some(entity) = self.definition(candidate.entity) else { continue };
            let has = |code: &str| entity.by_country.contains_key(code);
            let home = entity.jurisdiction.as_deref().filter(|code| *code != NOWHERE);
            let at_home = home.is_some_and(|home| named.iter().any(|named| named.code == home));
            let country = right_before(document, &named, candidate)
                .map(str::to_owned)
                .or_else(|| {
                    let code = office_before(document, &offices, candidate)?;
                    (has(code) || home == Some(code)).then(|| code.to_owned())
                })
                .or_else(|| home.filter(|_| at_home).map(str::to_owned))
                .or_else(|| nearest(document, &named, candidate).map(str::to_owned))
                .or_else(|| jurisdictions.iter().find(|code| has(code) || Some(code.as_str()) == home).cloned())
                .or_else(|| elsewhere(&named, candidate))
                .or_else(|| (market && has("US")).then(|| "US".to_owned()));
            let country = country.as_deref().unwrap_or(NOWHERE);
            let any = || if home == Some(country) { None } else { entity.by_country.get(ANY) };
            let Some(id) = entity.by_country.get(country).or_else(any) else { continue };
            match self.gazetteer.position(&entity.kind, id) {
                Some(at) => {
                    candidate.entity = at;
                    candidate.reasons.push(format!("country:{country}"));
                }
                None => candidate.state = State::Rejected(Why::Country),
            }
        }
        candidates.retain(|candidate| candidate.state == State::Accepted);
    }

    /// The states that are named, by position.
    pub(super) fn places(&self, document: &Document) -> Vec<Place> {
        let hits = self.countries_told(document);
        let mut places: Vec<Place> = Vec::new();
        for (code, phrases) in &self.countries {
            let code = if *code == "UK" { "GB" } else { *code };
            let places_of = phrases.iter().flat_map(|phrase| hits.of(*phrase));
            places.extend(places_of.map(|(start, end)| Place { code, start, end }));
        }
        // Of phrases that begin together the longest: `south korea` has `korea` behind its beginning, which is dropped.
        places.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
        let mut end = 0;
        places.retain(|place| {
            let free = place.start >= end;
            end = end.max(place.end);
            free
        });
        places
    }

    /// Where there are phrases of countries, which few texts are asked for.
    fn countries_told(&self, document: &Document) -> Hits {
        self.cues.find(document, &self.of_countries)
    }

    fn countries_in(&self, document: &Document) -> Vec<Named> {
        let hits = self.countries_told(document);
        let mut named = Vec::new();
        for (code, phrases) in &self.countries {
            for (start, end) in phrases.iter().flat_map(|phrase| hits.of(*phrase)) {
                let word = |at: usize| document.token(at).map(|token| document.folded(token));
                let article = start.checked_sub(1).filter(|at| word(*at).as_deref() == Some("the")).unwrap_or(start);
                let before = article.checked_sub(1);
                let aimed_at = before.and_then(word).is_some_and(|before| lexicon::aims_at(&before));
                let from = before.filter(|at| word(*at).as_deref() == Some("from"));
                named.push(Named { code, start, end, aimed_at, from });
            }
        }
        named.sort_by_key(|named| (named.start, named.end));
        named
    }
}

/// The countries in the sentence; in East Asian text, where a sentence goes on for long, those in the clause.
fn here<'a>(
    document: &'a Document,
    named: &'a [Named],
    candidate: &Candidate,
) -> impl Iterator<Item = &'a Named> + use<'a> {
    let sentence = document.token(candidate.start).map(|token| token.sentence);
    let (start, end) = (candidate.start, candidate.end);
    named.iter().filter(move |named| {
        let between = if named.end <= start { named.end..start + 1 } else { end..named.start + 1 };
        let clause = || !between.clone().any(|at| parts_clauses(document, at));
        document.token(named.start).map(|token| token.sentence) == sentence && clause()
    })
}

/// Whether a comma of East Asian text is before the token.
fn parts_clauses(document: &Document, at: usize) -> bool {
    let (Some(token), Some(before)) = (document.token(at), document.before(at)) else { return false };
    token.gap == Gap::Comma && (token.is(shape::EAST_ASIAN) || before.is(shape::EAST_ASIAN))
}

/// The country inside the name or shortly before it, unless the rule is aimed at that.
fn right_before(document: &Document, named: &[Named], candidate: &Candidate) -> Option<&'static str> {
    let inside =
        here(document, named, candidate).find(|named| named.start >= candidate.start && named.end <= candidate.end);
    let before = || {
        here(document, named, candidate)
            .filter(|named| named.end <= candidate.start && named.end + BESIDE_TOKENS >= candidate.start)
            .max_by_key(|named| named.end)
            .filter(|named| !named.is_aimed_at(candidate) || named.end == candidate.start)
            .filter(|named| !is_target(document, named, candidate))
    };
    inside.or_else(before).map(|named| named.code)
}

/// "China export curbs" are curbs on exports to China, unlike China's or Chinese ones.
fn is_target(document: &Document, named: &Named, candidate: &Candidate) -> bool {
    named.end == candidate.start
        && document.token(named.start).is_some_and(|token| matches!(&*document.folded(token), "china" | "russia"))
}

/// Whether entities of the class are those that make rules, by their first part.
fn acts(class: &str) -> bool {
    matches!(class.split('/').next(), Some("agency" | "legislature" | "court" | "executive"))
}

/// The country of the last office that the sentence names before: its ministry speaks of its own rules. `offices` have the end and the
/// country of each.
fn office_before<'a>(document: &Document, offices: &'a [(usize, String)], candidate: &Candidate) -> Option<&'a str> {
    let sentence = document.token(candidate.start).map(|token| token.sentence);
    let same_sentence = |end: usize| document.before(end).map(|token| token.sentence) == sentence;
    let before = offices.iter().filter(|(end, _)| *end <= candidate.start && same_sentence(*end));
    before.max_by_key(|(end, _)| *end).map(|(_, code)| code.as_str())
}

/// The nearest country in the sentence at which nothing is aimed.
fn nearest(document: &Document, named: &[Named], candidate: &Candidate) -> Option<&'static str> {
    let distance = |named: &Named| {
        if named.end <= candidate.start {
            candidate.start - named.end
        } else {
            named.start.saturating_sub(candidate.end)
        }
    };
    here(document, named, candidate)
        .filter(|named| !named.is_aimed_at(candidate) && !is_target(document, named, candidate))
        .min_by_key(|named| distance(named))
        .map(|named| named.code)
}

/// Countries that a text is rarely about the controls of, though they have some: they must be named closer by.
const RARELY: &[&str] = &["TW", "KR", "UK"];

/// The country of the text: America where it is named at all, as its rules are most written about; or else the first.
fn elsewhere(named: &[Named], candidate: &Candidate) -> Option<String> {
    let mut acting = named.iter().filter(|named| !named.is_aimed_at(candidate)).map(|named| named.code);
    let first = acting.next()?;
    Some(match first {
        _ if first == "US" || acting.any(|code| code == "US") => "US".to_owned(),
        _ if RARELY.contains(&first) => NOWHERE.to_owned(),
        _ => first.to_owned(),
    })
}
