//! What a happening cannot do without, by its kind.

use std::borrow::Cow;

use chipwire_events::{AmountKind, Role};

use super::{
    clause::{Party, Sort},
    cues::{Form, Kind, is_in_set},
    slots::{Filled, Filling, Value},
};
use crate::{
    article::{amount::Found, lexis::is},
    gazetteer::EntityDef,
    matcher::{Gap, shape},
};

/// Words that by themselves say that it is a state's money.
const STATE_AID: &[&str] = &[
    "state",
    "federal",
    "government",
    "public",
    "subsidy",
    "subsidies",
    "grant",
    "grants",
    "aid",
    "incentive",
    "incentives",
    "credit",
    "credits",
];
/// What may stand between "raises" and the sum.
const RAISED: &[&str] =
    &["about", "another", "nearly", "almost", "over", "some", "around", "roughly", "a", "to", "than"];
/// Words between a phrase and a figure that it is about.
const FIGURE_REACH: usize = 4;
/// Words before an infinitive.
const TO: &[&str] =
    &["to", "will", "would", "may", "might", "could", "can", "and", "not", "exclusively", "also", "should", "must"];
/// Words from a phrase to what is launched.
const LAUNCH_REACH: usize = 12;

impl<'a> Filling<'a, '_> {
    /// Whether a figure of one of `kinds` is told in the clause, close to the phrase.
    fn has_figure(&self, amounts: &[Found], kinds: &[AmountKind]) -> bool {
        let to = self
            .clause
            .end
            .min(self.hit.end + if self.is_written_east_asian() { 2 * FIGURE_REACH } else { FIGURE_REACH });
        // A rate stands before the duty, a sum behind what it is.
        let from = if self.hit.kind == Kind::Tariff { self.hit.start.saturating_sub(2) } else { self.hit.end };
        let first = amounts.partition_point(|amount| amount.start < from);
        amounts.iter().skip(first).take_while(|amount| amount.start < to).any(|amount| kinds.contains(&amount.kind))
    }

    /// Whether a bill of Congress is named that has to do with exports, as far as its entry says.
    fn has_bill(&self) -> bool {
        let mut parties = self.clause.left.iter().chain(&self.clause.inside).chain(&self.clause.right);
        parties.any(|party| match party {
            Party::Named(named) => {
                let (bill, cues) = (named.entity, &named.entity.cues);
                let exports = cues.is_empty() || cues.iter().any(|cue| cue.starts_with("export"));
                bill.class == "bill" && bill.jurisdiction.as_deref() == Some("US") && exports
            }
            Party::Place(_) => false,
        })
    }

    /// Whether the roles are filled that the kind cannot do without.
    pub(super) fn is_enough(&self, filled: &[Filled<'a>], amounts: &[Found]) -> bool {
        let has = |role: Role| filled.iter().any(|slot| slot.role == role);
        let (who, whom, what) = (has(Role::Who), has(Role::Whom), has(Role::What));
        let (amount, place) = (has(Role::Amount), has(Role::Place));
        let entity = filled.iter().any(|slot| matches!(slot.value, Value::Named(_)));
        let several = || filled.iter().filter(|slot| slot.role == Role::Who).count() > 1;
        let noun = self.hit.form == Form::Noun;
        let one = self.hit.is_one_word();
        match self.hit.kind {
            // What is told is sure: somebody has to take part in it.
            _ if self.hit.weighed => match self.hit.kind {
                Kind::Earnings | Kind::CapacityExpansion => who,
                Kind::ProductLaunch => who || what,
                Kind::Subsidy | Kind::SupplyDeal | Kind::Investment | Kind::Acquisition | Kind::Lawsuit => who || whom,
                Kind::ExportRestriction | Kind::Sanction | Kind::Tariff => entity && (who || whom || what),
            },
            Kind::ExportRestriction if self.hit.form == Form::Bill => self.has_bill(),
            Kind::ExportRestriction => {
                let told = (who || place) && (whom || what) || who && place || what && self.is_passive_or_noun();
                told && !self.is_own_doing(who)
            }
            // "BIS adds 14 firms to the Entity List": the list says what is done, and nobody has to be named on it.
            Kind::Sanction if who && what && !noun && self.hit.end > self.hit.start + 2 => true,
            Kind::Sanction => (who || self.is_passive_or_noun() || what) && (whom || who && place) && entity,
            Kind::Tariff if noun && (one || self.is_written_east_asian() && self.hit.end == self.hit.start + 2) => {
                (who || place || whom) && self.has_figure(amounts, &[AmountKind::Share])
            }
            // Whose duties they are is said by their name.
            Kind::Tariff if what && !noun && !one => true,
            Kind::Tariff => who && (what || whom || amount || place) || (place || whom) && (what || amount),
            Kind::Subsidy if one && self.hit.form == Form::Verb && !self.hit.abroad => {
                who && whom && (amount || self.word(self.hit.start).starts_with("subsid"))
            }
            Kind::Subsidy => {
                let strong = self.is_written_east_asian()
                    || (self.hit.start..self.hit.end).any(|at| STATE_AID.contains(&&*self.word(at)));
                let given = who || what || amount && strong;
                whom && given || who && (what || amount && strong)
            }
            // "We lift our EPS by 4 %": what an analyst expects.
            Kind::Earnings if self.is_expected_by_us() => false,
            Kind::Earnings => {
                let figure = || self.has_figure(amounts, &[AmountKind::Money, AmountKind::Share]);
                who && (!noun || !one && !self.is_written_east_asian() || figure())
            }
            Kind::CapacityExpansion if one && !self.is_written_east_asian() => {
                let deploys =
                    ["add", "deploy", "install"].iter().any(|verb| self.word(self.hit.start).starts_with(verb));
                who && (!deploys || what && amount)
            }
            Kind::ProductLaunch => {
                let before = || {
                    filled.iter().any(|slot| match slot.value {
                        Value::Named(named) => {
                            let made = named.entity.vendor.is_some();
                            slot.role == Role::What && made && named.start < self.hit.start
                        }
                        _ => false,
                    })
                };
                let on_its_own = self.hit.form == Form::Turned || self.is_written_east_asian();
                what && (who && self.launches(filled) || on_its_own && before()) && self.is_its_own(filled)
                    || who && self.is_of_a_device()
            }
            Kind::SupplyDeal if one => {
                let infinitive = matches!(&*self.word(self.hit.start), "supply" | "order")
                    && !self.hit.start.checked_sub(1).is_some_and(|at| TO.contains(&&*self.word(at)));
                who && (what && (amount || whom) || whom && amount) && !infinitive
            }
            Kind::SupplyDeal if ["ship", "deliver"].iter().any(|verb| self.word(self.hit.start).starts_with(verb)) => {
                who && whom && (what || amount)
            }
            Kind::SupplyDeal => who && (whom || what || several() || amount && !noun) || whom && what,
            Kind::Investment if self.hit.form == Form::Easing => who,
            // "Raises $2 billion": what else is raised stands before the sum.
            Kind::Investment if self.is_raised_sum() => whom && self.sum_follows(amounts),
            Kind::Investment => {
                let turned = self.hit.form == Form::Turned;
                who && (whom || amount) || whom && (turned || amount && (noun || self.is_passive()))
            }
            // "Pays $2 billion for Celestial": what it is for comes next.
            Kind::Acquisition
                if self.word(self.hit.start).starts_with("pa") && self.word(self.hit.end - 1) == "for" =>
            {
                let bought = |slot: &Filled<'_>| match slot.value {
                    Value::Named(named) => slot.role == Role::Whom && named.start == self.hit.end,
                    _ => false,
                };
                who && filled.iter().any(bought) && self.is_whole(filled)
            }
            Kind::Acquisition if self.is_of_a_firm() => who && self.is_whole(filled),
            Kind::Acquisition => who && whom && self.is_whole(filled) && !self.is_bought_from(filled),
            Kind::CapacityExpansion => who,
            Kind::Lawsuit if one && self.word(self.hit.start) == "v" => {
                self.clause.left.last().is_some_and(|party| party.end() == self.hit.start)
                    && self.clause.right.first().is_some_and(|party| party.start() <= self.hit.end + 1)
                    && who
                    && whom
            }
            Kind::Lawsuit => who && (whom || what || several() || !noun) || whom,
        }
    }

    /// Whether whom is he who sells something: "bought largely from Samsung", "acquired items in support of SMIC".
    fn is_bought_from(&self, filled: &[Filled<'a>]) -> bool {
        let led = |named: &crate::article::Named<'_>| {
            named.start > self.hit.end
                && named.start.checked_sub(1).is_some_and(|at| matches!(&*self.word(at), "from" | "for"))
        };
        !self.hit.abroad
            && self.hit.is_one_word()
            && self.hit.form == Form::Verb
            && filled.iter().filter(|slot| slot.role == Role::Whom).any(|slot| match slot.value {
                Value::Named(named) => led(named),
                _ => false,
            })
    }

    /// Whether "our" stands before the figure that is spoken of.
    fn is_expected_by_us(&self) -> bool {
        let words = self.hit.start.saturating_sub(3)..self.hit.end;
        !self.hit.abroad && words.into_iter().any(|at| self.word(at) == "our") && self.has_we()
    }

    fn has_we(&self) -> bool {
        (self.clause.start.min(self.hit.start.saturating_sub(16))..self.hit.start).any(|at| self.word(at) == "we")
    }

    /// Whether the phrase itself says that a firm is bought, and none of its shares or goods.
    fn is_of_a_firm(&self) -> bool {
        let firm = |word: &Cow<'_, str>| is_in_set("firm", word) || matches!(&**word, "up" | "ups");
        let other = |word: &Cow<'_, str>| {
            matches!(&**word, "from" | "stake" | "stakes" | "share" | "shares" | "in" | "merger" | "to")
        };
        let words: Vec<Cow<'_, str>> = (self.hit.start..self.hit.end).map(|at| self.word(at)).collect();
        let told = words.last().is_some_and(|last| firm(last) || last == "for" && words.iter().any(firm));
        told && !words.iter().any(other)
    }

    /// Whether a product is launched by who makes it, or by somebody if nobody is known to: shops and makers of systems show those
    /// of others.
    fn is_its_own(&self, filled: &[Filled<'a>]) -> bool {
        let of = |role: Role| {
            filled.iter().filter(move |slot| slot.role == role).filter_map(|slot| match slot.value {
                Value::Named(named) => Some(named.entity),
                _ => None,
            })
        };
        // "Baidu lifts the curtain on Kunlun", which its subsidiary makes.
        let owner =
            |vendor: &str| self.scene.gazetteer.get("company", vendor).and_then(|maker| maker.parent.as_deref());
        let makes = |vendor: &str| {
            let owner = owner(vendor);
            let is_maker =
                |who: &EntityDef| who.id == vendor || who.parent.as_deref() == Some(vendor) || owner == Some(&*who.id);
            of(Role::Who).any(is_maker) || of(Role::Who).next().is_none()
        };
        of(Role::What).any(|what| what.vendor.as_deref().is_none_or(makes))
    }

    /// Whether the phrase ends with what is launched, though it has no name: `unveils its second graphics card`.
    fn is_of_a_device(&self) -> bool {
        let last = self.hit.end - 1;
        let gap = |at: usize| self.scene.document.token(at).map(|token| token.gap);
        // That of "in-house" leads to nothing.
        let leads = |at: usize| self.is(at, is::PREPOSITION) && gap(at + 1) != Some(Gap::Hyphen);
        let led = (self.hit.start + 1..last).any(|at| leads(at) && !matches!(&*self.word(at), "of" | "by"));
        let goes_on = || {
            self.scene.document.token(self.hit.end).is_some_and(|next| {
                matches!(next.gap, Gap::Space | Gap::Hyphen)
                    && next.is(shape::LETTER)
                    && !self.is(self.hit.end, is::LINK | is::BE | is::PLAN | is::DOUBT | is::BREAK | is::PREPOSITION)
                    && self.scene.mention_from(self.hit.end).is_none()
            })
        };
        let told = last > self.hit.start && is_in_set("device", &self.word(last)) && !led;
        // Behind a noun comes what it did: "the unveiling of its card drew a crowd".
        told && (self.hit.form == Form::Noun || !goes_on())
    }

    /// Whether the phrase is no more than that something is raised.
    fn is_raised_sum(&self) -> bool {
        self.hit.form == Form::Turned && !self.hit.abroad && self.hit.end - self.hit.start <= 3 && {
            let last = self.word(self.hit.end - 1);
            RAISED.contains(&&*last) || last.starts_with("rais")
        }
    }

    /// Whether a sum of money stands right behind the phrase, and it is not what something is raised to.
    fn sum_follows(&self, amounts: &[Found]) -> bool {
        let first = amounts.partition_point(|amount| amount.end <= self.hit.end);
        amounts.get(first).is_some_and(|amount| amount.start <= self.hit.end && amount.kind == AmountKind::Money)
    }

    fn is_passive_or_noun(&self) -> bool {
        self.hit.form != Form::Verb || self.is_passive()
    }

    /// Whether a company does it: one that halts its own sales restricts no exports.
    fn is_own_doing(&self, who: bool) -> bool {
        !who && self.hit.form == Form::Verb
            && !self.is_passive()
            && self.clause.left.last().is_some_and(|party| party.sort() == Sort::Company)
    }

    /// Whether what is launched stands close behind the phrase, with no preposition on the way.
    fn launches(&self, filled: &[Filled<'a>]) -> bool {
        filled.iter().any(|slot| match (slot.role, slot.value) {
            (Role::What, Value::Named(named)) if named.start >= self.hit.end => {
                named.start - self.hit.end <= LAUNCH_REACH
                    && !(self.hit.end..named.start).any(|at| self.is(at, is::PREPOSITION) && self.word(at) != "of")
            }
            (Role::What, Value::Named(named)) if named.start >= self.hit.start => true,
            (Role::What, _) => self.is_passive(),
            _ => false,
        })
    }

    /// Whether a company is bought and not something of it: in "buys Intel chips" it is not.
    fn is_whole(&self, filled: &[Filled<'a>]) -> bool {
        filled.iter().filter(|slot| slot.role == Role::Whom).all(|slot| {
            let Value::Named(named) = slot.value else { return true };
            let Some(next) = self.scene.document.token(named.end).filter(|_| named.end != self.hit.start) else {
                return true;
            };
            let beside = matches!(next.gap, Gap::Space)
                && !self.is(named.end, is::LINK | is::BE | is::PLAN | is::DOUBT | is::CUE);
            let describes =
                beside && next.is(shape::LETTER) && !next.is(shape::EAST_ASIAN) && named.start >= self.hit.start;
            next.sentence != self.scene.document.token(named.start).map_or(0, |token| token.sentence)
                || !(describes || next.gap == Gap::Apostrophe && named.start >= self.hit.start)
        })
    }
}
