//! From numbers with their currencies and units to amounts: ranges, bounds, lists.

use std::borrow::Cow;

use chipwire_events::AmountKind;
use rust_decimal::Decimal;

use super::{
    Found,
    money::{self, Named},
    number, owner,
    part::{Counted, Part, Reader},
    text::Text,
    unit,
    words::{self, Bound},
};
use crate::{article::lexis::is, matcher::shape};

/// Signs and words between the ends of a range.
const BETWEEN: &[&str] = &["-", " - ", "—", " — ", "~", " to ", " TO ", "至", "到", "から"];

/// The same between "between" and the higher end.
const AND: &[&str] = &[" and ", " und ", " et ", " y ", " e ", " en "];
/// The same in other languages.
const CONTINENTAL: &[&str] = &[" bis ", " à ", " a ", " tot "];

fn separator(reader: Reader<'_>, at: usize, between: bool) -> Option<usize> {
    let text = reader.text;
    text.any(at, BETWEEN)
        .or_else(|| text.any(at, AND).filter(|_| between))
        .or_else(|| text.any(at, CONTINENTAL).filter(|_| reader.continental))
        .or_else(|| {
            let low = text.literal(at, "以上")?;
            text.ch(low).is_ascii_digit().then_some(low)
        })
}

/// The amounts that `parts` are, by position: two of them with a dash between are a range.
pub(super) fn amounts(reader: Reader<'_>, mut parts: Vec<Part>) -> Vec<Found> {
    let Reader { scene, text, .. } = reader;
    share_units(text, &mut parts);
    let mut named = Named::default();
    let (mut yen, mut yuan) = (false, false);
    for currency in parts.iter().filter_map(Part::currency) {
        named.note(currency);
        yen |= currency.sign == money::Sign::Yen;
        yuan |= currency.sign == money::Sign::Yuan;
    }
    if yen || yuan {
        for token in &scene.document.tokens {
            named.yen |= scene.lexis.is(token, is::YEN);
            named.yuan |= scene.lexis.is(token, is::YUAN);
            named.hong_kong |= text.ch(token.start) == '港' && matches!(text.ch(token.start + 1), '股' | '元' | '交');
            // "中芯國際（00981）"
            named.hong_kong |= token.end - token.start == HONG_KONG_CODE
                && text.ch(token.start) == '0'
                && text.before(token.start) == '('
                && text.ch(token.end) == ')';
        }
    }
    let topic = if parts.is_empty() { None } else { owner::topic(scene) };
    let rows = !scene.named.is_empty() && !parts.is_empty() && scene.body.contains("<tr");
    let make = Maker { reader, named, topic, rows };
    let mut found: Vec<Found> = Vec::new();
    let mut rest = parts.as_slice();
    while let Some((part, tail)) = rest.split_first() {
        rest = tail;
        let starts = words_before(reader, part);
        let next = tail.first().filter(|next| next.from >= part.to && next.from - part.to <= 6);
        // "adds NT$12 to 2027 EPS" is of that year.
        let year = |next: &&Part| part.currency().is_some() && next.number.is_year() && !next.has_unit();
        let next = next.filter(|next| !year(next));
        let ranged = next.filter(|next| separator(reader, part.to, starts == Starts::Between) == Some(next.from));
        let hyphen = ranged.is_some() && !matches!(text.ch(part.to), ' ' | '至' | '到' | '以');
        match ranged {
            // "555-0100", "3-1 units": digits joined to others that are no range.
            Some(next) if hyphen && !part.fits(next) => {
                if part.has_unit() {
                    found.extend(make.single(part, part, found.last()));
                }
            }
            Some(next) if part.fits(next) && joined_on(text, next) => rest = tail.get(1..).unwrap_or_default(),
            Some(next) if part.fits(next) => {
                let range = if starts == Starts::From { None } else { make.range(part, next, found.last()) };
                match range {
                    Some(amount) => found.push(amount),
                    None if hyphen => {}
                    None => {
                        found.extend(make.single(part, next, found.last()));
                        found.extend(make.single(next, next, found.last()));
                    }
                }
                rest = tail.get(1..).unwrap_or_default();
            }
            _ => {
                let joined = joined_on(text, part)
                    || text.before(part.number.from) == '-' && {
                        let before = part.number.from.checked_sub(1).map_or('\0', |at| text.before(at));
                        before.is_ascii_digit()
                    };
                if joined {
                    continue;
                }
                if part.has_unit() {
                    found.extend(make.single(part, part, found.last()));
                }
            }
        }
        // "to 15 years from 12"
        if let Some((next, after)) = rest.split_first()
            && !next.has_unit()
            && !next.number.is_year()
            && next.from == part.to + " from ".len()
            && part.unit.is_some()
            && text.literal(part.to, " from ").is_some()
        {
            let with = part;
            found.extend(make.single(next, with, found.last()));
            rest = after;
        }
    }
    found
}

/// Gives numbers without a unit that of the next in a list: "40, 28 and 16 nanometres".
fn share_units(text: Text<'_>, parts: &mut [Part]) {
    let mut next: Option<(usize, Option<Counted>)> = None;
    for part in parts.iter_mut().rev() {
        if !part.has_unit()
            && part.number.bare
            && !part.number.is_year()
            && let Some((from, unit)) = &next
            && text.any(part.to, &[" and ", " or ", ", "]) == Some(*from)
        {
            part.unit.clone_from(unit);
        }
        let measured = |unit: &&Counted| matches!(unit.kind, AmountKind::Measure | AmountKind::Share);
        next = Some((part.from, part.unit.as_ref().filter(measured).cloned()));
    }
}

/// Digits of a code of Hong Kong's stock market.
const HONG_KONG_CODE: usize = 5;
/// Words before the "from" of a range, which else is of something that changes.
const RANGES: &[&str] =
    &["range", "ranges", "ranged", "ranging", "run", "runs", "vary", "varies", "anywhere", "anything"];

/// What the word before an amount says of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Starts {
    Plain,
    From,
    Between,
}

/// Whether "from" or "between" stands before `part`, with a word such as "about" between at most.
fn words_before(reader: Reader<'_>, part: &Part) -> Starts {
    let document = reader.scene.document;
    let word = |at: usize| {
        let before = document.before(at).filter(|before| before.is(shape::LETTER));
        before.map(|before| reader.text.word(before.start).0)
    };
    let Some(mut last) = word(part.start) else { return Starts::Plain };
    if matches!(&*last, "about" | "around" | "roughly" | "nearly" | "some")
        && let Some(further) = part.start.checked_sub(1).and_then(word)
    {
        last = further;
    }
    match &*last {
        // "Estimates run from $130 billion to $175 billion."
        "from" if part.start.checked_sub(1).and_then(word).is_some_and(|word| RANGES.contains(&&*word)) => {
            Starts::Plain
        }
        "from" => Starts::From,
        "between" | "zwischen" | "entre" | "tra" | "tussen" => Starts::Between,
        _ => Starts::Plain,
    }
}

/// Whether more digits follow behind a hyphen: a telephone number.
fn joined_on(text: Text<'_>, part: &Part) -> bool {
    text.ch(part.to) == '-' && text.ch(part.to + 1).is_ascii_digit()
}

/// Makes amounts of parts.
#[derive(Debug, Clone, Copy)]
struct Maker<'a> {
    reader: Reader<'a>,
    named: Named,
    /// The company that the text is about, in [`Scene::named`].
    topic: Option<usize>,
    /// The text has tables of HTML.
    rows: bool,
}

impl Maker<'_> {
    /// The range from `low` to `high`; nothing where they are two amounts.
    fn range(self, low: &Part, high: &Part, previous: Option<&Found>) -> Option<Found> {
        let highest = high.number.scaled()?;
        let inherited = low.number.scale.or(high.number.scale).unwrap_or(0);
        let scaled = number::scale(low.number.value, inherited).filter(|lowest| *lowest < highest);
        let lowest =
            scaled.or_else(|| low.number.scaled().filter(|lowest| low.currency().is_some() && *lowest < highest))?;
        // "1~2割"
        let tens = low.unit.is_none() && matches!(self.reader.text.before(high.to), '成' | '割');
        let lowest = if tens { lowest * Decimal::TEN } else { lowest };
        let mut amount = self.bare(low, high)?;
        amount.low = Some(lowest);
        amount.high = Some(highest);
        amount.to = high.to;
        amount.end = high.end;
        amount.per = unit::per(self.reader.text, high.to).or(amount.per);
        amount.of = owner::of(self.reader.scene, self.topic, self.rows, &amount, amount.of, previous);
        Some(amount)
    }

    /// The amount of `part` alone, with the unit of `with` if it has none.
    fn single(self, part: &Part, with: &Part, previous: Option<&Found>) -> Option<Found> {
        let mut amount = self.bare(part, with)?;
        amount.of = owner::of(self.reader.scene, self.topic, self.rows, &amount, amount.of, previous);
        Some(amount)
    }

    /// The same before its owner is looked for: `of` is what is counted.
    fn bare(self, part: &Part, with: &Part) -> Option<Found> {
        let Reader { scene, text, continental, .. } = self.reader;
        let value = part.number.scaled()?;
        let counted = part.unit.as_ref().or(with.unit.as_ref());
        let currency = part.currency().or_else(|| with.currency().filter(|_| part.unit.is_none()));
        let traditional = part.traditional || with.traditional;
        let (kind, unit, assumed) = match (currency, counted) {
            (Some(currency), _) => {
                let (code, assumed) = self.named.settle(currency, traditional);
                (AmountKind::Money, Cow::Borrowed(code), assumed)
            }
            (None, Some(counted)) => (counted.kind, counted.name.clone(), false),
            (None, None) => return None,
        };
        let to = part.to;
        let wafers_a_month = text.literal_before(to, "wpm").map(|_| "month");
        let plus = text.ch(to) == '+' || text.ch(part.number.to) == '+';
        let mut bound = words::bound(scene.document, text, part.start, part.from, kind, continental);
        if matches!(bound, Bound::Exact | Bound::About) {
            bound = match words::bound_behind(text, to) {
                Bound::Exact if plus || part.number.more => Bound::AtLeast,
                Bound::Exact => bound,
                behind => behind,
            };
        }
        Some(Found {
            from: part.from,
            to,
            start: part.start,
            end: part.end,
            kind,
            unit: unit.into_owned(),
            low: (bound != Bound::AtMost).then_some(value),
            high: (bound != Bound::AtLeast).then_some(value),
            about: bound == Bound::About,
            per: unit::per(text, to).or(wafers_a_month),
            of: counted.and_then(|counted| counted.of),
            assumed,
        })
    }
}
