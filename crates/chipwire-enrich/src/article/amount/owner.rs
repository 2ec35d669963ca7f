//! To which entity an amount belongs.
//!
//! An amount is of the one that does what is told: the subject of its clause, that is the first company there that no
//! preposition stands before, or else the nearest. A clause begins behind a word such as "while", and behind the amount before
//! if a company is named since; if none is, both amounts are of the same. What is counted or stands inside ("20,000 Nvidia
//! GPUs") and what follows behind it are looked at where nothing is before it in its clause, and last the company that the text
//! is about. In East Asian text the nearest company before wins, as there what is before an amount has it.

use std::{borrow::Cow, cmp::Reverse};

use chipwire_events::AmountKind;

use super::{Found, line::Line, text::Text};
use crate::{
    article::{Named, Scene, lexis::is},
    matcher::{Document, Gap, Token, shape},
};

/// Words between an amount and an entity behind it.
const REACH: usize = 24;
/// Words between an amount and an entity before it.
pub(super) const REACH_BEFORE: usize = 40;
/// What a comma, a dash or a bracket on the way adds.
const COMMA: usize = 4;
/// Mentions that are looked at on either side.
const LOOKED_AT: usize = 8;
/// Sentences that are looked back at for what an amount of a sentence without a mention belongs to.
const SENTENCES_BACK: usize = 3;

/// What chips and systems have, and companies do not.
const PARTS: &[&str] =
    &["core", "layer", "qubit", "channel", "transistor", "pin", "chiplet", "die", "lane", "thread", "stack", "port"];
/// Tokens from a measure to what it describes.
const DESCRIBED_MAX: usize = 5;

/// A mention before an amount.
struct Before<'a> {
    index: usize,
    named: &'a Named<'a>,
    /// It has no preposition before it and does not describe the name behind it.
    subject: bool,
}

pub(super) struct Search<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) document: &'a Document,
    text: Text<'a>,
    pub(super) amount: &'a Found,
    sentence: usize,
    topic: Option<usize>,
    pub(super) line: Option<Line<'a>>,
}

/// The company that is named most often, or first of those that are, and its first mention; none that is named once.
pub(super) fn topic(scene: &Scene<'_>) -> Option<usize> {
    let mut companies: Vec<(usize, usize)> = Vec::new();
    for (index, named) in scene.named.iter().enumerate().filter(|(_, named)| named.company && !named.is_observer()) {
        companies.push((named.number, index));
    }
    companies.sort_unstable();
    let groups = companies.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1);
    groups.filter_map(|group| Some((Reverse(group.len()), group.first()?.1))).min().map(|(_, index)| index)
}

/// The number of the mention that `amount` belongs to, in [`Scene::named`]; `counted` is what is counted, and `previous` the
/// amount before. `rows` says that the text has tables of HTML.
pub(super) fn of(
    scene: &Scene<'_>,
    topic: Option<usize>,
    rows: bool,
    amount: &Found,
    counted: Option<usize>,
    previous: Option<&Found>,
) -> Option<usize> {
    if scene.named.is_empty() {
        return None;
    }
    let document = scene.document;
    let sentence = document.token(amount.start)?.sentence;
    let line = Line::of(scene, amount, rows);
    let search = Search { scene, document, text: Text(document), amount, sentence, topic, line };
    search.owner(counted, previous)
}

impl Search<'_> {
    fn owner(&self, counted: Option<usize>, previous: Option<&Found>) -> Option<usize> {
        let first_behind = self.scene.named.partition_point(|named| named.start < self.amount.end);
        if let Some(certain) =
            self.head(previous).or_else(|| self.column()).or_else(|| self.of_the_company()).or_else(|| self.meant_for())
        {
            return Some(certain);
        }
        // "WASHINGTON (Reuters) - ": who tells it has it only where nobody else is named.
        let (observers, before): (Vec<_>, Vec<_>) =
            self.before(first_behind).into_iter().partition(|mention| tells(mention.named));
        let of = self.behind_of();
        let inside = counted.or_else(|| self.inside(first_behind));
        if inside.is_some() && self.amount.kind == AmountKind::Measure {
            return inside;
        }
        let carries = || before.iter().any(|mention| self.fits(mention.named));
        let part = of.and_then(|of| self.scene.named.get(of)).is_some_and(is_part);
        let bought = self.amount.kind == AmountKind::Money || self.is_power() || self.amount.unit == "wafer";
        if of.is_some() && self.amount.kind != AmountKind::Share && !((part || bought) && carries()) {
            return of;
        }
        if let Some((index, named)) = self.described()
            && !(is_part(named) && carries())
        {
            return Some(index);
        }
        let east_asian = self.is_east_asian();
        let clause = self.clause(&before, previous);
        let same = self.same_as(&before, previous);
        let near = match self.beside(&before).or_else(|| self.meant(clause, &before)) {
            Some(beside) => Some(beside),
            None if east_asian => self.nearest(&before),
            None => same.or_else(|| self.subject(clause)),
        };
        // What is paid is not of a chip or a rule where the company has been named before.
        let stranger = |index: &usize| {
            let paid = self.amount.kind == AmountKind::Money && !self.is_price() || self.amount.unit == "wafer";
            let named = self.scene.named.get(*index);
            paid && named
                .is_some_and(|named| !named.company && (named.product || !east_asian && !self.is_subject(named)))
        };
        if near.as_ref().is_some_and(stranger)
            && of.or(inside).is_none()
            && let Some(topic) = self.earlier()
        {
            return Some(topic);
        }
        near.or(of)
            .or(inside)
            .or_else(|| self.behind(first_behind, before.is_empty()))
            .or_else(|| if east_asian { None } else { self.subject(&before) })
            .or_else(|| self.behind(first_behind, true))
            .or_else(|| self.same_item(previous))
            .or_else(|| self.product_before())
            .or_else(|| self.earlier())
            .or_else(|| self.subject(&observers))
    }

    /// The company that "the company's" right before the amount stands for.
    fn of_the_company(&self) -> Option<usize> {
        let word = |back: usize| {
            let at = self.amount.start.checked_sub(back)?;
            self.document.token(at).map(|token| self.document.folded(token))
        };
        let own = word(1)? == "s" && matches!(&*word(2)?, "company" | "firm" | "group") && word(3)? == "the";
        let first = self.document.sentences.get(self.sentence)?.first;
        if own { self.subject_before(first) } else { None }
    }

    /// Who gets what a plant makes: `500MW for Oracle`.
    fn meant_for(&self) -> Option<usize> {
        let next = self.document.token(self.amount.end).filter(|next| self.is_power() && next.gap == Gap::Space)?;
        let (index, named) = self.scene.mention_from(self.amount.end + 1)?;
        (&*self.word(next) == "for" && named.company).then_some(index)
    }

    /// What stands right behind a measure, or a share that a rule has: `36GB, 12-layer HBM4`, `a 35% investment tax credit`.
    fn described(&self) -> Option<(usize, &Named<'_>)> {
        for at in self.amount.end..self.amount.end + DESCRIBED_MAX {
            let token = self.document.token(at)?;
            let digits = token.is(shape::DIGIT);
            let joined = matches!(token.gap, Gap::Space | Gap::Hyphen | Gap::Empty)
                || token.gap == Gap::Percent && at == self.amount.end;
            let listed = digits && token.gap == Gap::Comma;
            if !joined && !listed {
                return None;
            }
            if let Some((index, named)) = self.scene.mention_from(at) {
                let rule = !named.company && !named.product;
                let fits = match self.amount.kind {
                    AmountKind::Measure => named.product || rule,
                    AmountKind::Count if PARTS.contains(&&*self.amount.unit) => named.product,
                    AmountKind::Share => rule,
                    _ => false,
                };
                return (fits && token.gap != Gap::Comma).then_some((index, named));
            }
            if !digits && token.gap != Gap::Hyphen {
                return None;
            }
        }
        None
    }

    /// The mentions of the sentence before the amount, in their order.
    fn before(&self, first_behind: usize) -> Vec<Before<'_>> {
        let mut found = Vec::new();
        for index in (first_behind.saturating_sub(LOOKED_AT)..first_behind).rev() {
            let Some(named) = self.scene.named.get(index) else { break };
            if named.end > self.amount.start {
                continue;
            }
            let there = self.document.token(named.start).is_some_and(|token| token.sentence == self.sentence);
            if !there || self.amount.start - named.end > REACH_BEFORE {
                break;
            }
            found.push(Before { index, named, subject: self.is_subject(named) });
        }
        found.reverse();
        // Items of a list do not go on from one to the next.
        if let Some(item) = self.item()
            && found.last().is_some_and(|last| last.named.start >= item)
        {
            found.retain(|mention| mention.named.start >= item);
        }
        self.leave_insertion(&mut found);
        found
    }

    /// Leaves out what is only named in a clause about the name before it that is over: in "Kingsemi, which competes with
    /// Tokyo Electron, fell 9%" Kingsemi fell.
    fn leave_insertion(&self, before: &mut Vec<Before<'_>>) {
        let Some(last) = before.last().map(|last| last.named.end) else { return };
        let comma = |at: &usize| self.document.token(*at).is_some_and(|token| token.gap == Gap::Comma);
        let Some(end) = (last..self.amount.start).rev().find(comma) else { return };
        let relative = |mention: &Before<'_>| comma(&mention.named.end) && self.is_relative(mention.named.end);
        if let Some(at) = before.iter().rposition(relative)
            && before.get(at).is_some_and(|mention| mention.named.end < end)
        {
            before.truncate(at + 1);
        }
    }

    fn is_relative(&self, at: usize) -> bool {
        self.document.token(at).is_some_and(|token| self.scene.lexis.is(token, is::RELATIVE))
    }

    /// Those of the clause that the amount is in; all of them where it has none.
    fn clause<'b>(&self, before: &'b [Before<'b>], previous: Option<&Found>) -> &'b [Before<'b>] {
        let tokens = self.document.tokens.get(..self.amount.start).unwrap_or_default();
        let from = before.first().map_or(self.amount.start, |first| first.named.start);
        let mut cut = from;
        for (at, token) in tokens.iter().enumerate().skip(from) {
            if self.scene.lexis.is(token, is::BREAK) {
                // A clause about a name has it for its subject.
                let about = || before.iter().find(|mention| mention.named.end == at && self.is_relative(at));
                cut = about().map_or(at, |mention| mention.named.start);
            }
        }
        let since = |place: usize| {
            before.get(before.partition_point(|mention| mention.named.start < place)..).unwrap_or_default()
        };
        let clause = since(cut);
        // Behind the amount before, another one is spoken of.
        let after = since(previous.map_or(0, |previous| previous.end).max(cut));
        if after.iter().any(|mention| mention.subject && self.fits(mention.named)) { after } else { clause }
    }

    /// The company right before a share: `with Samsung at 27%`, `TSMC (70 per cent)`.
    fn beside(&self, before: &[Before<'_>]) -> Option<usize> {
        let last = before.last().filter(|last| last.named.company && self.amount.kind == AmountKind::Share)?;
        let between = self.document.tokens.get(last.named.end..self.amount.start)?;
        let first = self.document.token(last.named.end)?;
        let at = match between {
            [] => first.gap == Gap::Open,
            [word] => first.gap == Gap::Space && matches!(&*self.word(word), "at"),
            _ => false,
        };
        at.then_some(last.index)
    }

    /// The company that "it", "its" or "the company" before the amount stands for, where none is named between them: the subject
    /// of the sentences before.
    fn meant(&self, clause: &[Before<'_>], before: &[Before<'_>]) -> Option<usize> {
        if !matches!(self.amount.kind, AmountKind::Money | AmountKind::Share | AmountKind::Count) && !self.is_power() {
            return None;
        }
        let first = self.document.sentences.get(self.sentence)?.first;
        let company = clause.iter().rev().find(|mention| mention.named.company);
        let from =
            company.map_or(first, |mention| mention.named.end).max(self.amount.start.saturating_sub(REACH_BEFORE));
        if company.is_some() {
            return None;
        }
        let refers = |at: usize| {
            let token = self.document.token(at)?;
            let word = self.word(token);
            Some(match &*word {
                "it" => true,
                "its" => at == first,
                "company" | "firm" | "group" => {
                    self.document.before(at).is_some_and(|before| &*self.word(before) == "the")
                }
                _ => false,
            })
        };
        if !(from..self.amount.start).any(|at| refers(at) == Some(true)) {
            return None;
        }
        let here = before.iter().find(|mention| mention.named.company && mention.subject);
        here.map(|mention| mention.index).or_else(|| self.subject_before(first))
    }

    /// The owner of the amount before, where nothing is named since then: "rose 3% to $5bn".
    fn same_as(&self, before: &[Before<'_>], previous: Option<&Found>) -> Option<usize> {
        let previous = previous?;
        let of = previous.of?;
        let mention = before.iter().find(|mention| mention.index == of).filter(|mention| self.fits(mention.named))?;
        let since = self.document.tokens.get(previous.end..self.amount.start)?;
        let parted = since.len() > REACH || since.iter().any(|token| self.scene.lexis.is(token, is::BREAK));
        let others = before.last().is_some_and(|last| last.named.start >= previous.end);
        (!parted && !others).then_some(mention.index)
    }

    /// Whether the amount may belong to `named` before others: money and shares are of companies.
    pub(super) fn fits(&self, named: &Named<'_>) -> bool {
        match self.amount.kind {
            AmountKind::Count if PARTS.contains(&&*self.amount.unit) => named.product,
            AmountKind::Money | AmountKind::Share | AmountKind::Count => named.company,
            AmountKind::Measure if self.is_power() => named.company,
            AmountKind::Measure => named.product,
            AmountKind::Duration => true,
        }
    }

    /// Whether it is what a plant or a site takes.
    fn is_power(&self) -> bool {
        matches!(&*self.amount.unit, "GW" | "MW" | "TW")
    }

    /// The subject among `before`, or else the nearest.
    fn subject(&self, before: &[Before<'_>]) -> Option<usize> {
        if self.is_price()
            && let Some(last) = before.last().filter(|last| last.named.product)
        {
            return Some(last.index);
        }
        let of = |mention: &Before<'_>| mention.index;
        let said = before.iter().rposition(|mention| mention.subject && self.says(mention.named));
        let told = said.and_then(|at| before.get(at + 1..)).unwrap_or_default();
        let first = |mentions: &[Before<'_>]| {
            mentions.iter().find(|mention| mention.subject && self.fits(mention.named)).map(of)
        };
        first(told)
            .or_else(|| first(before))
            .or_else(|| before.iter().rev().find(|mention| self.fits(mention.named)).map(of))
            .or_else(|| before.iter().rev().find(|mention| mention.subject).map(of))
            .or_else(|| before.last().map(of))
    }

    /// In East Asian text, the nearest of `before` that is no companion.
    fn nearest(&self, before: &[Before<'_>]) -> Option<usize> {
        let alone = |mention: &&Before<'_>| {
            !matches!(self.text.ch(mention.named.to), '와' | '과' | '與' | '与' | '和' | 'と' | '、' | '·')
        };
        // "엔비디아 블랙웰", "NVIDIAのB300": who makes what another has.
        let makes = |mention: &Before<'_>| {
            let beside = mention.named.start..=mention.named.end + 1;
            before.iter().any(|other| other.named.product && beside.contains(&other.named.start))
        };
        let mut fitting = before.iter().rev().filter(|mention| self.fits(mention.named));
        let found = fitting.clone().find(|mention| alone(mention) && !makes(mention));
        let found = found.or_else(|| fitting.clone().find(alone)).or_else(|| fitting.next());
        if self.is_price()
            && let Some(last) = before.last().filter(|last| last.named.product)
        {
            return Some(last.index);
        }
        found.or_else(|| before.last()).map(|mention| mention.index)
    }

    /// Whether a few hundred dollars or so are meant, which are rather paid for a thing.
    fn is_price(&self) -> bool {
        let value = self.amount.low.or(self.amount.high).unwrap_or_default();
        self.amount.kind == AmountKind::Money && value < 100_000.into()
    }

    /// Whether no preposition is before `named`, and it describes no other: "Nvidia supplier Foxconn", "Nvidia-backed".
    fn is_subject(&self, named: &Named<'_>) -> bool {
        let preposition = self.document.before(named.start).is_some_and(|before| {
            let joined =
                self.document.token(named.start).is_some_and(|token| matches!(token.gap, Gap::Space | Gap::Hyphen));
            joined && before.sentence == self.sentence && self.scene.lexis.is(before, is::PREPOSITION)
        });
        let describes = self.document.token(named.end).is_some_and(|next| {
            next.gap == Gap::Hyphen
                || next.gap == Gap::Space
                    && matches!(
                        &*self.word(next),
                        "supplier"
                            | "suppliers"
                            | "rival"
                            | "rivals"
                            | "partner"
                            | "customer"
                            | "backer"
                            | "contractor"
                            | "vendor"
                            | "reseller"
                            | "spinoff"
                            | "puts"
                            | "called"
                    )
        });
        let closed = |gap| matches!(gap, Gap::Close);
        let bracket = self.document.token(named.start).is_some_and(|token| token.gap == Gap::Open)
            && self.document.token(named.end).is_none_or(|next| closed(next.gap) || next.gap == Gap::Other);
        !preposition && !describes && !bracket
    }

    /// Whether `named` says what follows.
    fn says(&self, named: &Named<'_>) -> bool {
        self.document.token(named.end).is_some_and(|next| {
            matches!(
                &*self.word(next),
                "said"
                    | "says"
                    | "expects"
                    | "estimates"
                    | "reported"
                    | "thinks"
                    | "believes"
                    | "forecasts"
                    | "analysts"
                    | "sees"
            )
        })
    }

    fn word(&self, token: &Token) -> Cow<'_, str> {
        self.text.word(token.start).0
    }

    /// A mention inside the amount.
    fn inside(&self, first_behind: usize) -> Option<usize> {
        let index = first_behind.checked_sub(1)?;
        let named = self.scene.named.get(index)?;
        (named.start >= self.amount.start && named.end <= self.amount.end).then_some(index)
    }

    /// What follows behind "of": "80 GB of HBM3".
    fn behind_of(&self) -> Option<usize> {
        let next = self.document.token(self.amount.end)?;
        if next.gap != Gap::Space || &*self.word(next) != "of" {
            return None;
        }
        self.scene.mention_from(self.amount.end + 1).map(|(index, _)| index)
    }

    /// The nearest mention behind the amount in its sentence; only one close by, if not `far`.
    fn behind(&self, first_behind: usize, far: bool) -> Option<usize> {
        let near = first_behind..(first_behind + LOOKED_AT).min(self.scene.named.len());
        let reach = if far { REACH } else { 6 };
        near.filter_map(|index| {
            let named = self.scene.named.get(index)?;
            if self.document.token(named.start)?.sentence != self.sentence {
                return None;
            }
            if named.start >= self.amount.end + reach {
                return None;
            }
            let between = self.document.tokens.get(self.amount.end.saturating_sub(1)..named.start + 1)?;
            if between.iter().zip(between.iter().skip(1)).any(|(before, token)| parts_clauses(before, token)) {
                return None;
            }
            let parted = between.iter().skip(1).filter(|token| parts(token.gap)).count();
            let distance = named.start.checked_sub(self.amount.end)? + COMMA * parted;
            let second_choice = !self.fits(named) || tells(named);
            (distance < reach).then_some(((second_choice, distance, Reverse(named.end - named.start)), index))
        })
        .min_by_key(|(key, _)| *key)
        .map(|(_, index)| index)
    }

    /// The last product of the sentence before, for a measure that goes on about it: "It takes 600 kW."
    fn product_before(&self) -> Option<usize> {
        let unit = &*self.amount.unit;
        let of_device = ["B", "B/s", "b", "b/s", "OPS", "W", "Hz", "nm"].iter().any(|end| unit.ends_with(end));
        let measured = self.amount.kind == AmountKind::Measure && of_device && !self.is_power();
        let parts = self.amount.kind == AmountKind::Count && PARTS.contains(&unit);
        if !measured && !parts {
            return None;
        }
        let first = self.document.sentences.get(self.sentence)?.first;
        let until = self.scene.named.partition_point(|named| named.start < first);
        let before = self.scene.named.get(..until)?;
        let near = |named: &Named<'_>| {
            let sentence = self.document.token(named.start).map(|token| token.sentence);
            sentence.is_some_and(|sentence| sentence + 1 == self.sentence)
        };
        let back =
            before.iter().rev().take(LOOKED_AT).position(|named| near(named) && named.product && !is_part(named))?;
        Some(until - 1 - back)
    }

    /// The subject of the last sentence before that has one, for what goes on about it: "Sales rose 5%."
    fn earlier(&self) -> Option<usize> {
        if !matches!(self.amount.kind, AmountKind::Money | AmountKind::Share)
            && !matches!(&*self.amount.unit, "wafer" | "piece")
        {
            return None;
        }
        let first = self.document.sentences.get(self.sentence)?.first;
        let topic = self.topic.filter(|topic| self.scene.named.get(*topic).is_some_and(|named| named.start < first));
        if topic.is_some() {
            return topic;
        }
        self.subject_before(first)
    }

    /// The subject of the last sentence before token `first` that names a company.
    fn subject_before(&self, first: usize) -> Option<usize> {
        let until = self.scene.named.partition_point(|named| named.start < first);
        let before = self.scene.named.get(..until)?;
        let last =
            before.len().checked_sub(1)? - before.iter().rev().take(LOOKED_AT * 4).position(|named| named.company)?;
        let sentence_of = |named: &Named<'_>| self.document.token(named.start).map(|token| token.sentence);
        let sentence = before.get(last).and_then(sentence_of)?;
        if sentence + SENTENCES_BACK < self.sentence {
            return None;
        }
        let from = before.partition_point(|named| sentence_of(named) < Some(sentence));
        let companies = || (from..=last).filter(|index| before.get(*index).is_some_and(|named| named.company));
        let here = |named: &Named<'_>| {
            let of_it = Self { sentence, ..*self };
            of_it.is_subject(named)
        };
        companies().find(|index| before.get(*index).is_some_and(here)).or_else(|| companies().next())
    }

    /// Whether the text around the amount is East Asian.
    fn is_east_asian(&self) -> bool {
        let at = |at: Option<usize>| {
            let token = at.and_then(|at| self.document.token(at));
            token.is_some_and(|token| token.sentence == self.sentence && token.is(shape::EAST_ASIAN))
        };
        at(self.amount.start.checked_sub(1)) || at(Some(self.amount.end)) || at(self.amount.end.checked_sub(1))
    }
}

/// Whether it mostly has to do with the amounts of others: it tells of them, expects them or lends them.
fn tells(named: &Named<'_>) -> bool {
    named.is_observer() || named.entity.class == "bank"
}

/// Whether it is what others are made of, as memory is.
fn is_part(named: &Named<'_>) -> bool {
    named.entity.class.starts_with("memory")
}

/// Whether a comma of East Asian text parts the two: there a sentence goes on for long.
fn parts_clauses(before: &Token, token: &Token) -> bool {
    token.gap == Gap::Comma && (token.is(shape::EAST_ASIAN) || before.is(shape::EAST_ASIAN))
}

fn parts(gap: Gap) -> bool {
    matches!(gap, Gap::Comma | Gap::Dash | Gap::Open | Gap::Close | Gap::Colon)
}
