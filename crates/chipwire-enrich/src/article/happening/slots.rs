//! Which entity has which part in a happening.
//!
//! Before a verb stands who does it, behind it to whom and what; in a passive it is the other way round, and who does it
//! follows behind "by". The nearest party of the right sort gets the role; before a verb one that has no preposition goes first,
//! as "shares of Nvidia" are not Nvidia, and after an insertion in commas the name before that. Names in a row
//! share a role. "And sues" has the subject of the verb before it.

use std::borrow::Cow;

use chipwire_events::{AmountKind, Role};

use super::{
    Place,
    clause::{Clause, Party, Sort},
    cues::{Form, Kind},
    meant::COMPANY,
    pattern::Hit,
};
use crate::{
    article::{Named, Scene, amount::Found, lexis::is},
    lexicon,
    matcher::{Gap, shape},
};

/// Names in a row that share a role.
const ROW_MAX: usize = 8;
/// Words from a phrase to who gets what it tells of.
const HANDED_REACH: usize = 4;
/// What may stand between names in a row.
const AND: &[&str] = &["and", "or", "the", "s", "its", "und", "et", "e", "y", "en", "和", "及", "以", "暨", "や", "및"];
/// What stands for "and" between names, and for "with" before a verb.
const WITH: &[&str] = &["与", "與", "와", "과", "と"];
/// What leads to the state that something is done to.
const AIMED: &[&str] = &["对", "對", "向", "于", "於"];
/// What a name in a row is to the one before it.
const BESIDE: &[&str] = &["rival", "giant", "partner", "peer", "unit", "subsidiary", "affiliate", "parent", "fellow"];
/// What fills a role.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Named(&'a Named<'a>),
    Place(Place),
    Amount(&'a Found),
}

impl Value<'_> {
    /// The value as an event has it.
    pub(super) fn text(&self) -> String {
        match self {
            Value::Named(named) => named.reference(),
            Value::Place(place) => place.code.to_owned(),
            Value::Amount(amount) => amount.short(),
        }
    }
}

/// A role with what fills it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled<'a> {
    pub(super) role: Role,
    pub(super) value: Value<'a>,
}

impl PartialEq for Filled<'_> {
    /// Whether both say the same, wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.role == other.role
            && match (self.value, other.value) {
                (Value::Named(a), Value::Named(b)) => (&a.entity.kind, &a.entity.id) == (&b.entity.kind, &b.entity.id),
                (Value::Place(a), Value::Place(b)) => a.code == b.code,
                (Value::Amount(a), Value::Amount(b)) => a.from == b.from,
                _ => false,
            }
    }
}

/// Whether the mention is a rule, in whose name a phrase can stand: `export controls`.
pub(super) fn is_rule(named: &Named<'_>) -> bool {
    Party::Named(named).sort() == Sort::Rule
}

/// The roles of `hit`; nothing where one that it cannot do without stays empty. `before` are those of the phrase before it in
/// the sentence.
pub(super) fn fill<'a>(
    scene: &Scene<'a>,
    hit: &Hit,
    clause: &Clause<'a>,
    amounts: &'a [Found],
    before: Option<&[Filled<'a>]>,
) -> Option<Vec<Filled<'a>>> {
    let filling = Filling { scene, hit, clause };
    let turned = hit.form == Form::Turned || filling.is_passive();
    let mut filled = Vec::new();
    let mut put = |role: Role, parties: Vec<Party<'a>>| push(&mut filled, role, parties);
    let handed = filling.handed();
    let who = if hit.form == Form::Handed {
        handed
    } else if turned {
        filling.doer()
    } else {
        filling.subject(actors(hit.kind))
    };
    let who = who.or_else(|| filling.meant());
    let shared = if who.is_none() || filling.follows_and() { before.and_then(doer_of) } else { None };
    match shared.filter(|_| !turned && filling.follows_and()) {
        Some(party) => put(Role::Who, vec![party]),
        None => {
            put(Role::Who, who.map(|who| filling.with_those_before(who)).unwrap_or_default());
            if who.is_some_and(|who| turned && who.start() >= hit.end) {
                put(Role::Who, who.map(|who| filling.with_those_behind(who)).unwrap_or_default());
            }
        }
    }
    let objects = |sorts: &[Sort]| {
        if hit.form == Form::Handed {
            filling.handed_objects(handed, sorts)
        } else if turned {
            filling.turned_objects(sorts)
        } else {
            filling.objects(sorts)
        }
    };
    if wants_whom(hit.kind) {
        let mut whom = objects(&[Sort::Company]);
        // "The Commerce Department was sued by Nvidia": offices are sued as well.
        let only_who = whom.iter().all(|party| who.is_some_and(|who| who.start() == party.start()));
        if only_who && hit.kind == Kind::Lawsuit && turned {
            whom = objects(&[Sort::Actor]);
        }
        // "The merger of Axcelis and Veeco".
        let whom = match whom.as_slice() {
            [first, second] if who.is_none() && hit.kind == Kind::Acquisition && hit.form == Form::Noun => {
                put(Role::Who, vec![*first]);
                vec![*second]
            }
            _ => whom,
        };
        let seller = if hit.form == Form::Handed { before.and_then(doer_of) } else { None };
        put(
            Role::Whom,
            if whom.is_empty() { seller.or_else(|| filling.meant_whom()).into_iter().collect() } else { whom },
        );
    } else if hit.kind == Kind::Tariff {
        let taxed = if hit.form == Form::Turned { filling.turned_objects(&[Sort::Company]) } else { filling.taxed() };
        put(Role::Whom, taxed);
    }
    if wants_what(hit.kind) {
        let mut what = objects(&[Sort::Product]);
        if what.is_empty() && filling.is_written_east_asian() {
            what = filling.turned_objects(&[Sort::Product]);
        }
        if hit.kind != Kind::ProductLaunch {
            what.extend(objects(&[Sort::Rule]));
        }
        // "The launch customer for Trainium4" is that of its maker.
        let supplied = hit.kind == Kind::SupplyDeal && hit.form == Form::Turned;
        if (hit.kind == Kind::ProductLaunch || supplied) && who.is_none() {
            put(Role::Who, what.iter().find_map(|party| filling.maker(party)).into_iter().collect());
        }
        put(Role::What, what);
    }
    // "Samsung infringes a patent of Netlist": who has the patent sues.
    if hit.kind == Kind::Lawsuit && filling.word(hit.start).starts_with("infring") {
        change_sides(&mut filled);
    }
    push(&mut filled, Role::Place, filling.places());
    // Nobody does something to himself, and the state that acts is not where.
    let who: Vec<Filled<'a>> = filled.iter().filter(|slot| slot.role == Role::Who).copied().collect();
    filled.retain(|slot| slot.role == Role::Who || !who.iter().any(|who| same_value(who, slot)));
    if let Some(amount) = filling.amount(amounts) {
        filled.push(Filled { role: Role::Amount, value: Value::Amount(amount) });
    }
    filling.is_enough(&filled, amounts).then_some(filled)
}

/// Makes who does it whom it is done to, and the other way round.
pub(super) fn change_sides(filled: &mut [Filled<'_>]) {
    for slot in filled {
        slot.role = match slot.role {
            Role::Who => Role::Whom,
            Role::Whom => Role::Who,
            other => other,
        };
    }
}

/// Gives `role` to those of `parties` that do not have it.
fn push<'a>(filled: &mut Vec<Filled<'a>>, role: Role, parties: Vec<Party<'a>>) {
    for slot in parties.into_iter().map(|party| Filled { role, value: value(party) }) {
        if !filled.contains(&slot) {
            filled.push(slot);
        }
    }
}

fn value(party: Party<'_>) -> Value<'_> {
    match party {
        Party::Named(named) => Value::Named(named),
        Party::Place(place) => Value::Place(place),
    }
}

fn same_value(a: &Filled<'_>, b: &Filled<'_>) -> bool {
    Filled { role: b.role, ..*a } == *b
}

fn doer_of<'a>(filled: &[Filled<'a>]) -> Option<Party<'a>> {
    filled.iter().find(|slot| slot.role == Role::Who).and_then(|slot| match slot.value {
        Value::Named(named) => Some(Party::Named(named)),
        Value::Place(place) => Some(Party::Place(place)),
        Value::Amount(_) => None,
    })
}

/// Who can do it, the likeliest first.
pub(super) fn actors(kind: Kind) -> &'static [Sort] {
    match kind {
        Kind::ExportRestriction | Kind::Sanction | Kind::Tariff | Kind::Subsidy => &[Sort::Actor, Sort::State],
        Kind::Lawsuit | Kind::Investment => &[Sort::Company, Sort::Actor, Sort::State],
        _ => &[Sort::Company],
    }
}

pub(super) fn wants_whom(kind: Kind) -> bool {
    !matches!(kind, Kind::Earnings | Kind::ProductLaunch | Kind::CapacityExpansion | Kind::Tariff)
}

fn wants_what(kind: Kind) -> bool {
    !matches!(kind, Kind::Earnings | Kind::Acquisition | Kind::Investment)
}

/// A phrase whose roles are looked for, in its clause.
pub(super) struct Filling<'a, 'b> {
    pub(super) scene: &'b Scene<'a>,
    pub(super) hit: &'b Hit,
    pub(super) clause: &'b Clause<'a>,
}

impl<'a> Filling<'a, '_> {
    pub(super) fn is(&self, at: usize, bits: u16) -> bool {
        self.scene.document.token(at).is_some_and(|token| self.scene.lexis.is(token, bits))
    }

    pub(super) fn word(&self, at: usize) -> Cow<'_, str> {
        self.scene.document.token(at).map(|token| self.scene.document.folded(token)).unwrap_or_default()
    }

    pub(super) fn gap(&self, at: usize) -> Option<Gap> {
        self.scene.document.token(at).map(|token| token.gap)
    }

    /// Whether the verb of the phrase is passive: `was sued`, `sued by`.
    pub(super) fn is_passive(&self) -> bool {
        let told = matches!(self.hit.form, Form::Verb | Form::Easing) && self.hit.kind != Kind::Earnings;
        if !told || self.word(self.hit.start).ends_with("ing") {
            return false;
        }
        // "Is to sue" is no passive; "is to be sued" is one.
        let infinitive = self.hit.start.checked_sub(1).is_some_and(|at| self.word(at) == "to");
        let be = !infinitive
            && (self.hit.start.saturating_sub(2)..self.hit.start)
                .any(|at| at >= self.clause.start && self.is(at, is::BE));
        let lets = self.word(self.hit.start).ends_with('s');
        be || !lets && self.word(self.hit.end) == "by"
            || self.hit.end == self.hit.start + 2 && self.word(self.hit.end - 1) == "by"
    }

    /// Whether `and` joins the phrase to a verb before it.
    fn follows_and(&self) -> bool {
        self.hit.start.checked_sub(1).is_some_and(|at| at >= self.clause.start && self.word(at) == "and")
    }

    /// Who does it, before the phrase or, if nobody is there, inside or behind it.
    fn subject(&self, sorts: &[Sort]) -> Option<Party<'a>> {
        let noun = self.hit.form == Form::Noun;
        let fits = |party: &Party<'_>| sorts.contains(&party.sort()) && !self.is_aimed_at(party);
        let plain = |party: &Party<'_>| {
            let before = party.start().checked_sub(1);
            let article = before.filter(|at| matches!(&*self.word(*at), "the" | "a")).and_then(|at| at.checked_sub(1));
            !article.or(before).is_some_and(|at| at >= self.clause.start && self.is(at, is::PREPOSITION))
        };
        let left = &self.clause.left;
        let nearest = || left.iter().rev().find(|party| fits(party));
        let best = left
            .iter()
            .rev()
            .find(|party| fits(party) && plain(party))
            .map(|party| self.before_insertion(party, &fits));
        let within = || self.clause.inside.iter().find(|party| fits(party));
        let named_behind = || if noun { self.doer_among(sorts) } else { None };
        let place_or_actor = |party: &Party<'a>| *party;
        if let Some((first, _)) = self.both_before() {
            return Some(first).filter(|party| fits(party));
        }
        best.or_else(|| nearest().map(place_or_actor)).or_else(|| within().map(place_or_actor)).or_else(named_behind)
    }

    /// In `TSMC, a supplier of Nvidia, will`, TSMC and not the `party` next to the verb.
    fn before_insertion(&self, party: &Party<'a>, fits: &impl Fn(&Party<'_>) -> bool) -> Party<'a> {
        let closed = (party.end()..=self.hit.start).any(|at| self.gap(at) == Some(Gap::Comma));
        let opened = |other: &&Party<'a>| {
            fits(other)
                && other.end() < party.start()
                && self.gap(other.end()) == Some(Gap::Comma)
                && self.word(other.end()) != "and"
        };
        let first = || self.clause.left.iter().rev().find(opened);
        *first().filter(|_| closed).unwrap_or(party)
    }

    /// Who does it behind `by` or `from`.
    fn doer(&self) -> Option<Party<'a>> {
        let sorts = actors(self.hit.kind);
        // "Gets U.S. approval for": who gives it is inside the phrase.
        let office = |party: &&Party<'a>| {
            self.hit.form == Form::Turned
                && matches!(party.sort(), Sort::Actor | Sort::State)
                && sorts.contains(&party.sort())
        };
        let inside = |party: &&Party<'a>| {
            let mut before = (self.hit.start..party.start()).rev().map(|at| self.word(at));
            let by = before.find(|word| *word != "the").is_some_and(|word| word == "by");
            office(party) || by && sorts.contains(&party.sort())
        };
        self.doer_among(sorts).or_else(|| self.clause.inside.iter().find(inside).copied())
    }

    /// Who gets what is handed over: the first company behind the "to" that the phrase ends with.
    fn handed(&self) -> Option<Party<'a>> {
        let company = |party: &&Party<'a>| party.sort() == Sort::Company;
        let behind =
            self.clause.right.iter().find(company).filter(|party| party.start() <= self.hit.end + HANDED_REACH);
        let before = || self.clause.left.iter().rev().find(company).filter(|_| self.is_written_east_asian());
        behind.or_else(before).copied()
    }

    /// What is handed over, or who does: inside the phrase, or else before it.
    fn handed_objects(&self, to: Option<Party<'a>>, sorts: &[Sort]) -> Vec<Party<'a>> {
        let inside = self.row(&self.clause.inside, sorts);
        let other =
            |party: &&Party<'a>| sorts.contains(&party.sort()) && to.is_none_or(|to| to.start() != party.start());
        if inside.is_empty() {
            self.clause.left.iter().rev().find(other).copied().into_iter().collect()
        } else {
            inside
        }
    }

    pub(super) fn is_written_east_asian(&self) -> bool {
        self.scene.document.token(self.hit.start).is_some_and(|token| token.is(shape::EAST_ASIAN))
    }

    fn doer_among(&self, sorts: &[Sort]) -> Option<Party<'a>> {
        self.clause
            .right
            .iter()
            .find(|party| sorts.contains(&party.sort()) && self.is_after(party, &["by", "from"]))
            .copied()
    }

    /// Whether one of `words` leads to the party.
    fn is_after(&self, party: &Party<'_>, words: &[&str]) -> bool {
        let from = party.start().saturating_sub(4).max(self.hit.end.saturating_sub(1));
        (from..party.start()).any(|at| words.contains(&&*self.word(at)))
    }

    /// To whom or what it is done, behind the phrase or inside it; behind a noun, also what stands right before it: `Nvidia
    /// export ban`.
    fn objects(&self, sorts: &[Sort]) -> Vec<Party<'a>> {
        let fits = |party: &&Party<'a>| sorts.contains(&party.sort());
        if let Some((_, second)) = self.both_before().filter(|(_, second)| sorts.contains(&second.sort())) {
            return self.with_those_before(second);
        }
        let behind: Vec<Party<'a>> = self.row(&self.clause.right, sorts);
        let inside = || self.row(&self.clause.inside, sorts);
        let before = || {
            let noun =
                matches!(self.hit.form, Form::Noun) || self.hit.kind.restricts() || self.hit.kind == Kind::Subsidy;
            let left = self.clause.left.iter().rev().find(fits).copied().filter(|_| noun);
            left.map(|party| self.with_those_before(party)).unwrap_or_default()
        };
        let mut found = inside();
        for party in behind {
            let known = found.iter().any(|other| other.start() == party.start());
            // What is inside a phrase is meant by it; behind it only more of the same.
            if !known && (found.is_empty() || !self.clause.inside.iter().any(|party| sorts.contains(&party.sort()))) {
                found.push(party);
            }
        }
        if found.is_empty() {
            found = before();
        }
        if found.is_empty() && !self.clause.left.is_empty() {
            found.extend(self.clause.antecedent.filter(|party| sorts.contains(&party.sort())));
        }
        found
    }

    /// Who does it and to whom where both stand before the phrase, as in Japanese and Korean, and in "X对Y的收购".
    fn both_before(&self) -> Option<(Party<'a>, Party<'a>)> {
        let company = |party: &&Party<'a>| party.sort() == Sort::Company;
        let east = self.is_written_east_asian() && wants_whom(self.hit.kind) && self.hit.kind != Kind::Subsidy;
        if !east || self.clause.right.iter().any(|party| company(&party)) {
            return None;
        }
        let mut companies = self.clause.left.iter().rev().filter(company);
        let second = companies.next()?;
        // "X, Y에": what ends with such a word is not who does it.
        let led = matches!(&*self.word(second.end()), "에" | "와" | "과" | "に" | "と" | "から");
        let first = companies.find(|party| led || !self.joins_row(party, second))?;
        Some((*first, *second))
    }

    /// The same of a passive: before the phrase.
    fn turned_objects(&self, sorts: &[Sort]) -> Vec<Party<'a>> {
        let left = self.clause.left.iter().rev().find(|party| sorts.contains(&party.sort())).copied();
        match left {
            Some(party) => self.with_those_before(party),
            None => {
                let inside = self.row(&self.clause.inside, sorts);
                if inside.is_empty() { self.row(&self.clause.right, sorts) } else { inside }
            }
        }
    }

    /// The party with those that stand in a row before it: both of `Microsoft and Nvidia invest`.
    fn with_those_before(&self, last: Party<'a>) -> Vec<Party<'a>> {
        let mut row = vec![last];
        for party in
            self.clause.left.iter().rev().filter(|party| party.sort() == last.sort() && party.end() <= last.start())
        {
            let Some(first) = row.last().filter(|_| row.len() < ROW_MAX) else { break };
            if !self.joins_row(party, first) {
                break;
            }
            row.push(*party);
        }
        row.reverse();
        row
    }

    /// The party behind the phrase with those that stand in a row behind it.
    fn with_those_behind(&self, first: Party<'a>) -> Vec<Party<'a>> {
        let behind = self.clause.right.iter().filter(|party| party.start() >= first.start()).copied();
        self.row(&behind.collect::<Vec<_>>(), &[first.sort()])
    }

    /// The companies whose goods a duty is on.
    fn taxed(&self) -> Vec<Party<'a>> {
        let close =
            self.clause.right.iter().find(|party| party.sort() == Sort::Company && party.start() == self.hit.end);
        let inside = self.row(&self.clause.inside, &[Sort::Company]);
        if inside.is_empty() && close.is_some() { self.row(&self.clause.right, &[Sort::Company]) } else { inside }
    }

    /// Whether nothing but `and`, a comma or other names stands between the two.
    fn joins_row(&self, first: &Party<'_>, second: &Party<'_>) -> bool {
        let between = first.end()..second.start();
        let listed = self.gap(first.end()) == Some(Gap::Comma)
            || !between.is_empty()
            || self.gap(second.start()) == Some(Gap::Ampersand);
        let joins = |at: usize| {
            let word = self.word(at);
            // Before a phrase, "A与B" is who does it with whom.
            let with = first.start() >= self.hit.end && WITH.contains(&&*word);
            let joins = with || [AND, BESIDE, COMPANY].iter().any(|words| words.contains(&&*word));
            joins || lexicon::is_place(&word) || self.scene.mention_over(at).is_some()
        };
        listed && between.len() <= 5 && between.clone().all(joins)
    }

    /// The first of the parties that fits, and those that stand in a row with it.
    fn row(&self, parties: &[Party<'a>], sorts: &[Sort]) -> Vec<Party<'a>> {
        let mut row: Vec<Party<'a>> = Vec::new();
        for party in parties.iter().filter(|party| sorts.contains(&party.sort())) {
            let Some(last) = row.last() else {
                row.push(*party);
                continue;
            };
            // One inside another is not a second.
            if party.start() < last.end() {
                continue;
            }
            if row.len() == ROW_MAX || !self.joins_row(last, party) {
                break;
            }
            row.push(*party);
        }
        row
    }

    /// The states behind the phrase, or of a passive also before it, that a preposition leads to.
    fn places(&self) -> Vec<Party<'a>> {
        let state = |party: &&Party<'a>| party.sort() == Sort::State;
        let led = |party: &&Party<'a>| {
            self.is_after(party, &["to", "in", "into", "for", "from", "on", "against", "of", "at"])
        };
        let behind = self.clause.right.iter().chain(&self.clause.inside).filter(state).find(led);
        let chinese = || {
            let aimed = self.clause.left.iter().rev().find(|party| state(party) && self.is_aimed_at(party));
            aimed.or_else(|| self.clause.right.iter().find(|party| state(party) && self.is_east_asian(party)))
        };
        // "Vietnam faces a tariff".
        let taxed = || {
            let turned = self.hit.kind == Kind::Tariff && self.hit.form == Form::Turned;
            self.clause.left.iter().rev().find(state).filter(|_| turned)
        };
        behind.or_else(chinese).or_else(taxed).copied().into_iter().collect()
    }

    /// Whether a word right before the state makes it the one that something is done to: 对华, 原产于美国.
    fn is_aimed_at(&self, party: &Party<'_>) -> bool {
        let before = party.start().checked_sub(1).filter(|_| party.sort() == Sort::State && self.is_east_asian(party));
        before.is_some_and(|at| AIMED.contains(&&*self.word(at)))
    }

    fn is_east_asian(&self, party: &Party<'_>) -> bool {
        self.scene.document.token(party.start()).is_some_and(|token| token.is(shape::EAST_ASIAN))
    }

    /// The amount that goes with it: the first behind the phrase's beginning in its clause, or else the nearest before it.
    fn amount(&self, amounts: &'a [Found]) -> Option<&'a Found> {
        use AmountKind::{Count, Measure, Money, Share};
        let kinds: &[AmountKind] = match self.hit.kind {
            Kind::Investment | Kind::Acquisition | Kind::Subsidy | Kind::Earnings | Kind::Lawsuit => &[Money],
            Kind::Tariff => &[Share],
            Kind::SupplyDeal | Kind::CapacityExpansion => &[Money, Count, Measure],
            Kind::ExportRestriction | Kind::Sanction | Kind::ProductLaunch => return None,
        };
        // Nobody supplies people and companies.
        let fits = |amount: &&Found| kinds.contains(&amount.kind) && amount.unit != "nm" && !amount.is_of_people();
        let first = amounts.partition_point(|amount| amount.start < self.hit.start);
        let behind = amounts.iter().skip(first).take_while(|amount| amount.start < self.clause.end).find(fits);
        let before = || {
            let before = amounts.get(..first).unwrap_or_default().iter().rev();
            before.take_while(|amount| amount.start >= self.clause.start).find(fits)
        };
        behind.or_else(before)
    }
}
