//! Who is meant where a phrase has nobody beside it: by "it" or "the company", and by a product.

use super::{
    clause::{Party, Sort},
    cues::{Form, Kind},
    slots::{Filling, actors, wants_whom},
};
use crate::{article::lexis::is, matcher::Gap};

/// How far before its clause the company is that "it" or "the company" stands for.
const MEANT_REACH: usize = 80;
/// Words before the name that a title begins with.
const TITLE_REACH: usize = 2;
/// How far into an article what is told without a name is of its title's company.
const REPORT_REACH: usize = 150;
/// What a company is called for short.
pub(super) const COMPANY: &[&str] = &[
    "company",
    "firm",
    "group",
    "chipmaker",
    "manufacturer",
    "maker",
    "foundry",
    "startup",
    "vendor",
    "designer",
    "supplier",
    "giant",
    "house",
    "toolmaker",
    "packager",
    "tester",
    "developer",
    "automaker",
    "carmaker",
    "up",
    "board",
    "konzern",
    "unternehmen",
    "hersteller",
    "groupe",
    "fabricant",
    "société",
    "entreprise",
    "empresa",
    "compañía",
    "fabricante",
    "azienda",
    "gruppo",
    "bedrijf",
];

impl<'a> Filling<'a, '_> {
    /// The company that "it" or "the company" before the phrase stands for: the nearest before the clause. In other languages, where a
    /// verb may stand before who does it, the first behind the phrase.
    pub(super) fn meant(&self) -> Option<Party<'a>> {
        let company = actors(self.hit.kind).contains(&Sort::Company) && self.hit.form != Form::Turned;
        if !company {
            return None;
        }
        let behind = || self.clause.right.iter().find(|party| party.sort() == Sort::Company).copied();
        let turns = self.hit.abroad && !wants_whom(self.hit.kind) && !self.is_written_east_asian();
        self.referred().or_else(|| if turns { behind() } else { None }).or_else(|| self.reported_on())
    }

    /// Of results without a name, the company that the title begins with: "Onto Innovation: estimates up" is about its revenue.
    fn reported_on(&self) -> Option<Party<'a>> {
        let mut parties = self.clause.left.iter().chain(&self.clause.inside).chain(&self.clause.right);
        if self.hit.kind != Kind::Earnings || parties.any(|party| party.sort() == Sort::Company) {
            return None;
        }
        self.of_the_title().filter(|party| party.start() <= TITLE_REACH && self.hit.start < REPORT_REACH)
    }

    /// The same of what something is done to.
    pub(super) fn meant_whom(&self) -> Option<Party<'a>> {
        if self.hit.form == Form::Turned { self.referred() } else { None }
    }

    fn referred(&self) -> Option<Party<'a>> {
        let refers = |at: usize| match &*self.word(at) {
            "it" | "its" => true,
            "公" => self.word(at + 1) == "司",
            "up" => at.checked_sub(1).is_some_and(|before| self.word(before) == "start"),
            word => COMPANY.contains(&word) && !self.is(at + 1, is::PREPOSITION),
        };
        if !(self.clause.start..self.hit.start).any(refers) {
            return None;
        }
        let until = self.scene.named.partition_point(|named| named.start < self.clause.start);
        let before = self.scene.named.get(..until).unwrap_or_default().iter().rev();
        let mut companies = before
            .take_while(|named| named.start + MEANT_REACH >= self.clause.start)
            .filter(|named| named.company && !named.is_observer() && self.gap(named.start) != Some(Gap::Open));
        // "Shares of Marvell fell after the company": one that a preposition leads to, if there is no other.
        let first = companies.next()?;
        let meant = if self.is_led(first.start) {
            companies.find(|named| !self.is_led(named.start)).unwrap_or(first)
        } else {
            first
        };
        if self.is_in_title(meant.start) == self.is_in_title(self.hit.start) {
            return Some(Party::Named(meant));
        }
        self.of_the_title()
    }

    fn is_in_title(&self, at: usize) -> bool {
        self.scene.document.token(at).is_some_and(|token| token.start < self.scene.document.body)
    }

    /// The company that the title begins with, which is what the first sentence of the body means by "the company".
    fn of_the_title(&self) -> Option<Party<'a>> {
        let title = self.scene.named.iter().take_while(|named| self.is_in_title(named.start));
        title
            .filter(|named| named.company && !named.is_observer())
            .find(|named| !self.is_led(named.start))
            .map(Party::Named)
    }

    /// Whether a preposition stands before the token.
    fn is_led(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| self.is(before, is::PREPOSITION))
    }

    /// The company that makes the product, if the text names it: where it is named closest to the phrase.
    pub(super) fn maker(&self, product: &Party<'a>) -> Option<Party<'a>> {
        let Party::Named(product) = product else { return None };
        let vendor = product.entity.vendor.as_deref()?;
        let owner = self.scene.gazetteer.get("company", vendor).and_then(|maker| maker.parent.as_deref());
        let is_maker = |id: &str| id == vendor || Some(id) == owner;
        let of_it = self.scene.named.iter().filter(|named| named.company && is_maker(&named.entity.id));
        of_it.min_by_key(|named| named.start.abs_diff(self.hit.start)).map(Party::Named)
    }
}
