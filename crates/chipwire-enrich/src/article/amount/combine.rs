//! From numbers with what stands around them to amounts: counted things, ranges, bounds.

use chipwire_events::AmountKind;
use rust_decimal::Decimal;

use super::{
    Found,
    money::{self, Currency, Named},
    number::{self, Number},
    owner,
    text::Text,
    unit,
    words::{self, Bound},
};
use crate::{
    article::{Scene, lexis::is},
    matcher::{Gap, Token, shape},
};

/// Words between a number and what it counts: `100,000 advanced AI chips`.
const BETWEEN_MAX: usize = 3;

/// A number with its currency or its unit, where it has one: a number without may be the lower end of a range.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) from: usize,
    pub(super) to: usize,
    start: usize,
    end: usize,
    number: Number,
    before: Option<Currency>,
    behind: Option<Currency>,
    unit: Option<Counted>,
    traditional: bool,
}

/// What is measured or counted.
#[derive(Debug, Clone, PartialEq)]
struct Counted {
    kind: AmountKind,
    name: &'static str,
    /// The mention that is counted, in [`Scene::named`].
    of: Option<usize>,
}

/// The number at token `at` with its currency or unit. Nothing where the digits are no number of their own.
pub(super) fn part(scene: &Scene<'_>, text: Text<'_>, at: usize) -> Option<Part> {
    let token = scene.document.token(at)?;
    let number = if token.is(shape::DIGIT) { digits(scene, text, at)? } else { word(scene, text, at)? };
    let before = money::before(text, number.from);
    let mut behind = money::behind(text, number.to, number.scale.is_some());
    // "US$5 to US$7": what comes before the second is not behind the first.
    behind = behind
        .filter(|behind| before.is_none_or(|before| before.code == behind.code || before.sign == money::Sign::Dollar));
    let mut to = behind.map_or(number.to, |behind| behind.to);
    let mut unit = None;
    let mut counted_end = None;
    if before.is_none() && behind.is_none() {
        (unit, to, counted_end) = counted(scene, text, at, &number);
        // "200m" is as likely a length, "5b" anything.
        if unit.is_none() && is_bare_money(scene, text, at, &number) {
            behind = Some(Currency { code: NO_CURRENCY, sign: money::Sign::Kind, from: to, to });
        } else if number.letter && unit.as_ref().is_none_or(|unit| unit.kind != AmountKind::Count) {
            return None;
        }
    }
    // "1.200 Euro" may be a thousand of them.
    if number.value.scale() == 3
        && number.scale.is_none()
        && !number.comma
        && before.or(behind).is_some_and(|currency| currency.code == "EUR")
    {
        return None;
    }
    let from = before.map_or(number.from, |before| before.from);
    let traditional = text.slice(number.from, number.to).chars().any(|ch| matches!(ch, '億' | '萬' | '兆'));
    let start = first_token(scene, at, from);
    let end = counted_end.unwrap_or_else(|| end_token(scene, at, to));
    Some(Part { from, to, start, end, number, before, behind, unit, traditional })
}

/// The code for "no currency" in ISO 4217.
const NO_CURRENCY: &str = "XXX";

/// Whether a number is money though no currency is named, as `5.5bn` is in financial news where no thing is counted.
fn is_bare_money(scene: &Scene<'_>, text: Text<'_>, at: usize, number: &Number) -> bool {
    let short = ["bn", "tn", "mn", "bln", "trn", "mln"]
        .iter()
        .any(|scale| text.literal_before(number.to, scale).is_some_and(|start| text.before(start).is_ascii_digit()));
    let next = scene.document.token(end_token(scene, at, number.to));
    let links = |next: &Token| {
        let counted = matches!(scene.document.folded(next).as_str(), "of" | "to" | "and" | "or");
        next.gap != Gap::Space || (scene.lexis.is(next, is::LINK) && !counted)
    };
    short && text.ch(number.to) != '-' && next.is_none_or(links)
}

fn first_token(scene: &Scene<'_>, at: usize, from: usize) -> usize {
    (at.saturating_sub(4)..at)
        .find(|at| scene.document.token(*at).is_some_and(|token| token.start >= from))
        .unwrap_or(at)
}

fn end_token(scene: &Scene<'_>, at: usize, to: usize) -> usize {
    let tokens = scene.document.tokens.get(at..).unwrap_or_default();
    at + tokens.iter().take(64).take_while(|token| token.start < to).count().max(1)
}

/// The number whose digits begin at or in the token: `EUR5bn` has a currency before them.
fn digits(scene: &Scene<'_>, text: Text<'_>, at: usize) -> Option<Number> {
    let token = scene.document.token(at)?;
    let inside = (token.start..token.end).find(|unit| text.ch(*unit).is_ascii_digit())?;
    if inside != token.start {
        money::before(text, inside).filter(|currency| currency.from == token.start)?;
    }
    if scene.mention_over(at).is_some() || !stands_alone(text, token.start) {
        return None;
    }
    let number = number::number(text, inside)?;
    let after = text.ch(number.to);
    let glued = matches!(after, '/' | ':' | '.' | ',') && text.ch(number.to + 1).is_ascii_digit();
    // "5G", "910B", "3D": letters that are no unit make it a name. Behind a scale, they are asked for below.
    let code = number.scale.is_none()
        && after.is_ascii_alphabetic()
        && unit::behind(text, number.to).is_none()
        && money::behind(text, number.to, false).is_none()
        && (after != 'x' || text.ch(number.to + 1).is_ascii_lowercase());
    (!glued && !code).then_some(number)
}

/// Whether what is before a number lets it be one: no sign that joins it to another or to a word.
fn stands_alone(text: Text<'_>, from: usize) -> bool {
    let before = text.before(from);
    let further = from.checked_sub(1).map_or('\0', |at| text.before(at));
    match before {
        '.' | ',' | '/' | ':' | '\'' => !further.is_alphanumeric(),
        '-' => !further.is_alphabetic() || matches!(further, '\u{2E80}'..),
        '#' | '_' | '@' | '⁄' => false,
        '+' => !further.is_alphanumeric(),
        _ => true,
    }
}

/// A word that is a number, before a scale or a unit.
fn word(scene: &Scene<'_>, text: Text<'_>, at: usize) -> Option<Number> {
    let token = scene.document.token(at)?;
    let value = Decimal::from(scene.lexis.number(token)?);
    if scene.mention_over(at).is_some() || text.before(token.start) == '-' {
        return None;
    }
    let mut number = Number {
        from: token.start,
        to: token.end,
        value,
        scale: None,
        bare: true,
        letter: false,
        more: false,
        comma: false,
    };
    number::word_scale(text, &mut number);
    // "half a billion"
    if number.scale.is_some()
        && let Some(half) = text.literal_before(number.from, "half ")
        && !text.before(half).is_alphanumeric()
        && value == words::ONE
    {
        (number.value, number.from) = (Decimal::new(5, 1), half);
    }
    let few = value == words::ONE && number.scale.is_none();
    let measured = || {
        unit::behind(text, number.to).is_some_and(|unit| {
            let quarters = unit.name == "second" || text.ch(number.to) == '-' && unit.kind == AmountKind::Share;
            unit.kind != AmountKind::Count && !quarters
        })
    };
    (!few && (number.scale.is_some() || measured())).then_some(number)
}

/// What the number counts or measures, one past its last unit of text, and one past its last token where that is known.
fn counted(scene: &Scene<'_>, text: Text<'_>, at: usize, number: &Number) -> (Option<Counted>, usize, Option<usize>) {
    let none = (None, number.to, None);
    if let Some(unit) = unit::behind(text, number.to) {
        let count = matches!(unit.kind, AmountKind::Count | AmountKind::Duration);
        if count && (number.is_year() || unit.kind == AmountKind::Count && is_named_number(scene, text, at, number)) {
            return none;
        }
        return (Some(Counted { kind: unit.kind, name: unit.name, of: None }), unit.to, None);
    }
    if is_named_number(scene, text, at, number) || number.is_year() {
        return none;
    }
    let document = scene.document;
    // "8x H100", "8xH100"
    let times = text.literal(text.skip_space(number.to), "x").filter(|end| !text.ch(*end).is_ascii_lowercase());
    let mut next = end_token(scene, at, times.unwrap_or(number.to));
    let mut product = None;
    for words in 0..=BETWEEN_MAX {
        let Some(token) = document.token(next) else { return none };
        let joined = matches!(token.gap, Gap::Space | Gap::Empty)
            || (times.is_some() && product.is_none())
            || (token.gap == Gap::Hyphen && words > 0);
        if !joined || document.token(at).is_none_or(|first| first.sentence != token.sentence) {
            break;
        }
        if let Some((index, named)) = scene.mention_from(next) {
            if named.product {
                product = Some((index, named.end, named.to));
            }
            next = named.end;
            continue;
        }
        if let Some(unit) =
            unit::word(text, token.start).filter(|unit| unit.kind == AmountKind::Count && unit.to == token.end)
        {
            let of = product.map(|(index, ..)| index);
            return (Some(Counted { kind: AmountKind::Count, name: unit.name, of }), unit.to, Some(next + 1));
        }
        let describes = token.is(shape::LETTER) && !token.is(shape::DIGIT) && !scene.lexis.is(token, is::LINK);
        if !describes {
            break;
        }
        next += 1;
    }
    match product {
        Some((index, end, to)) if times.is_some() || follows_closely(scene, at, index) => {
            (Some(Counted { kind: AmountKind::Count, name: "unit", of: Some(index) }), to, Some(end))
        }
        _ => none,
    }
}

/// Whether nothing but names is between the number and the mention: in "500 new Blackwell plants" nothing counts Blackwells.
fn follows_closely(scene: &Scene<'_>, at: usize, mention: usize) -> bool {
    let (Some(named), Some(number)) = (scene.named.get(mention), scene.document.token(at)) else { return false };
    let next = scene.document.token(named.end);
    // "100,000 H100 chips" has been dealt with; "4 H100 servers" counts servers.
    let ends = next.is_none_or(|next| {
        next.sentence != number.sentence
            || next.gap != Gap::Space
            || scene.lexis.is(next, is::LINK)
            || next.is(shape::DIGIT)
    });
    ends && (named.start.saturating_sub(at) <= 3)
}

/// Whether the number is a part of a name that the gazetteer does not have: `Core Ultra 200 chips`. So is a few of
/// anything, and a number that a word such as `Section` numbers.
fn is_named_number(scene: &Scene<'_>, text: Text<'_>, at: usize, number: &Number) -> bool {
    let document = scene.document;
    let Some(token) = document.token(at) else { return true };
    if !number.bare || !token.is(shape::DIGIT) {
        return false;
    }
    let Some(before) = document.before(at).filter(|before| before.sentence == token.sentence) else { return false };
    if text.before(token.start) != ' ' && token.gap != Gap::Empty {
        return false;
    }
    let word = document.folded(before);
    let numbered = NUMBERED.contains(&word.as_str());
    let starts = document.sentence_of(at).is_some_and(|sentence| sentence.first + 1 == at);
    let name = before.is(shape::CAPITAL) && !starts && !scene.lexis.is(before, is::LINK) && token.gap == Gap::Space;
    let mention = scene.mention_over(at - 1).is_some() && token.gap == Gap::Space;
    numbered || name || mention
}

/// Words that a number behind them belongs to.
const NUMBERED: &[&str] = &[
    "article",
    "bill",
    "chapter",
    "class",
    "day",
    "fab",
    "fortune",
    "gen",
    "generation",
    "level",
    "model",
    "no",
    "nos",
    "number",
    "order",
    "page",
    "part",
    "phase",
    "plant",
    "project",
    "resolution",
    "room",
    "rule",
    "section",
    "series",
    "top",
    "type",
    "version",
    "week",
    "index",
];

/// Signs and words between the ends of a range.
const BETWEEN: &[&str] = &["-", " - ", "—", " — ", "~", " to ", "至", "到", "から"];

fn separator(text: Text<'_>, at: usize, between: bool) -> Option<usize> {
    text.any(at, BETWEEN).or_else(|| text.literal(at, " and ").filter(|_| between))
}

impl Part {
    fn currency(&self) -> Option<Currency> {
        match (self.before, self.behind) {
            // "$5 billion Canadian dollars": the surer one.
            (Some(before), Some(behind)) if before.sign != money::Sign::Sure => Some(behind),
            (before, behind) => before.or(behind),
        }
    }

    /// Whether its scale is a billion or trillion of English, written out.
    pub(super) fn has_billions(&self, text: Text<'_>) -> bool {
        let ends = |word: &str| text.literal_before(self.number.to, word).is_some();
        ["billion", "billions", "trillion", "trillions", "Billion", "Trillion"].iter().any(|word| ends(word))
    }

    fn has_unit(&self) -> bool {
        self.currency().is_some() || self.unit.is_some()
    }

    /// Whether both are of the same money or the same thing, or the first has nothing of its own.
    fn fits(&self, higher: &Self) -> bool {
        match (self.currency(), higher.currency()) {
            (Some(a), Some(b)) => a.code == b.code,
            (Some(_), None) => higher.unit.is_none(),
            (None, _) if !self.has_unit() => higher.has_unit(),
            _ => match (&self.unit, &higher.unit) {
                (Some(a), Some(b)) => (a.kind, a.name) == (b.kind, b.name),
                _ => false,
            },
        }
    }
}

/// The amounts that `parts` are, by position: two of them with a dash between are a range.
pub(super) fn amounts(scene: &Scene<'_>, text: Text<'_>, parts: Vec<Part>) -> Vec<Found> {
    let mut named = Named::default();
    parts.iter().filter_map(Part::currency).for_each(|currency| named.note(currency));
    if parts.iter().filter_map(Part::currency).any(|currency| currency.sign == money::Sign::Yen) {
        for token in &scene.document.tokens {
            named.yen |= scene.lexis.is(token, is::YEN);
            named.yuan |= scene.lexis.is(token, is::YUAN);
        }
    }
    let mut found = Vec::new();
    let mut rest = parts.as_slice();
    while let Some((part, tail)) = rest.split_first() {
        let word_before = scene.document.before(part.start).map(|before| scene.document.folded(before));
        let between = word_before.as_deref() == Some("between");
        let next = tail.first().filter(|next| separator(text, part.to, between) == Some(next.from));
        let hyphen = next.is_some() && !matches!(text.ch(part.to), ' ' | '至' | '到');
        match next {
            // "555-0100", "3-1 units": digits joined to others that are no range.
            Some(next) if hyphen && !part.fits(next) => {
                if part.has_unit() {
                    found.extend(single(scene, text, named, part, part));
                }
                rest = tail;
            }
            Some(next) if part.fits(next) && joined_on(text, next) => rest = tail.get(1..).unwrap_or_default(),
            Some(next) if part.fits(next) => {
                match range(scene, text, named, part, next, word_before.as_deref() == Some("from")) {
                    Some(amount) => found.push(amount),
                    None if hyphen => {}
                    None => {
                        found.extend(single(scene, text, named, part, next));
                        found.extend(single(scene, text, named, next, next));
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
                if part.has_unit() && !joined {
                    found.extend(single(scene, text, named, part, part));
                }
                rest = tail;
            }
        }
    }
    found
}

/// Whether more digits follow behind a hyphen: a telephone number.
fn joined_on(text: Text<'_>, part: &Part) -> bool {
    text.ch(part.to) == '-' && text.ch(part.to + 1).is_ascii_digit()
}

/// The range from `low` to `high`; nothing where they are two amounts, as after "from".
fn range(scene: &Scene<'_>, text: Text<'_>, named: Named, low: &Part, high: &Part, from: bool) -> Option<Found> {
    if from {
        return None;
    }
    let highest = high.number.scaled()?;
    let inherited = low.number.scale.or(high.number.scale).unwrap_or(0);
    let scaled = number::scale(low.number.value, inherited).filter(|lowest| *lowest < highest);
    let lowest =
        scaled.or_else(|| low.number.scaled().filter(|lowest| low.currency().is_some() && *lowest < highest))?;
    let mut amount = single(scene, text, named, low, high)?;
    amount.low = Some(lowest);
    amount.high = Some(highest);
    amount.to = high.to;
    amount.end = high.end;
    amount.per = unit::per(text, high.to).or(amount.per);
    if amount.of.is_none() {
        amount.of = owner::of(scene, &amount);
    }
    Some(amount)
}

/// The amount of `part` alone, with the unit of `with` if it has none.
fn single(scene: &Scene<'_>, text: Text<'_>, named: Named, part: &Part, with: &Part) -> Option<Found> {
    let value = part.number.scaled()?;
    let counted = part.unit.as_ref().or(with.unit.as_ref());
    let currency = part.currency().or_else(|| with.currency().filter(|_| part.unit.is_none()));
    let traditional = part.traditional || with.traditional;
    let (kind, unit, assumed) = match (currency, counted) {
        (Some(currency), _) => {
            let (code, assumed) = named.settle(currency, traditional);
            (AmountKind::Money, code, assumed)
        }
        (None, Some(counted)) => (counted.kind, counted.name, false),
        (None, None) => return None,
    };
    let to = part.to;
    let wafers_a_month = text.literal_before(to, "wpm").map(|_| "month");
    let plus = text.ch(to) == '+' || text.ch(part.number.to) == '+';
    let bound = words::bound(scene.document, text, part.start, part.from, kind == AmountKind::Duration);
    let bound = if bound == Bound::Exact && (plus || part.number.more) { Bound::AtLeast } else { bound };
    let mut amount = Found {
        from: part.from,
        to,
        start: part.start,
        end: part.end,
        kind,
        unit: unit.to_owned(),
        low: (bound != Bound::AtMost).then_some(value),
        high: (bound != Bound::AtLeast).then_some(value),
        about: bound == Bound::About,
        per: unit::per(text, to).or(wafers_a_month),
        of: counted.and_then(|counted| counted.of),
        assumed,
    };
    if amount.of.is_none() {
        amount.of = owner::of(scene, &amount);
    }
    Some(amount)
}
