//! A number with what stands around it: its currency, or what it counts or measures.

use std::borrow::Cow;

use chipwire_events::AmountKind;
use rust_decimal::Decimal;

use super::{
    counted::counted,
    han,
    money::{self, Currency},
    number::{self, Number},
    text::Text,
    unit, words,
};
use crate::{
    article::{Scene, lexis::is},
    matcher::{Gap, Token, shape},
};

/// A number with its currency or its unit, where it has one: a number without may be the lower end of a range.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) number: Number,
    pub(super) before: Option<Currency>,
    pub(super) behind: Option<Currency>,
    pub(super) unit: Option<Counted>,
    pub(super) traditional: bool,
}

/// What is measured or counted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counted {
    pub(super) kind: AmountKind,
    pub(super) name: Cow<'static, str>,
    /// The mention that is counted, in [`Scene::named`].
    pub(super) of: Option<usize>,
}

impl Counted {
    pub(super) fn new(kind: AmountKind, name: &'static str) -> Self {
        Self { kind, name: Cow::Borrowed(name), of: None }
    }
}

impl Part {
    pub(super) fn currency(&self) -> Option<Currency> {
        match (self.before, self.behind) {
            // "$5 billion Canadian dollars": the surer one.
            (Some(before), Some(behind)) if before.sign != money::Sign::Sure => Some(behind),
            (before, behind) => before.or(behind),
        }
    }

    /// Whether its scale is a billion or trillion of English, written out.
    pub(super) fn has_billions(&self) -> bool {
        self.number.billions
    }

    pub(super) fn has_unit(&self) -> bool {
        self.currency().is_some() || self.unit.is_some()
    }

    /// Whether both are of the same money or the same thing, or the first has nothing of its own.
    pub(super) fn fits(&self, higher: &Self) -> bool {
        match (self.currency(), higher.currency()) {
            (Some(a), Some(b)) => a.code == b.code || b.code == NO_CURRENCY,
            (Some(_), None) => higher.unit.is_none(),
            (None, _) if !self.has_unit() => higher.has_unit(),
            _ => match (&self.unit, &higher.unit) {
                (Some(a), Some(b)) => a.kind == b.kind && a.name == b.name,
                _ => false,
            },
        }
    }
}

/// What the numbers of a text are read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) scene: &'a Scene<'a>,
    pub(super) text: Text<'a>,
    /// The text is in a language that parts decimals by commas.
    pub(super) continental: bool,
    /// The text is in Chinese of Taiwan or Hong Kong.
    pub(super) traditional: bool,
}

/// The number at token `at` with its currency or unit. Nothing where the digits are no number of their own.
pub(super) fn part(reader: Reader<'_>, at: usize) -> Option<Part> {
    let Reader { scene, text, .. } = reader;
    let token = scene.document.token(at)?;
    if scene.mention_over(at).is_some() {
        return None;
    }
    let mut number = if token.is(shape::DIGIT) {
        digits(reader, token)?
    } else if token.is(shape::EAST_ASIAN) {
        han::number(text, token.start)?
    } else {
        match scene.lexis.number(token)? {
            words::HALF => return half(scene, text, at),
            value @ 1..=9 if let Some(fraction) = fraction(scene, text, at, value) => return Some(fraction),
            value => word(reader, at, value)?,
        }
    };
    let large = number.scale.is_some() || !number.bare && number.value >= Decimal::ONE_THOUSAND;
    let before =
        money::before(text, number.from).filter(|sign| !sign.is_doubtful(text) || large && sign.to == number.from);
    if before.is_none() && number.from > token.start {
        return None;
    }
    let mut behind = money::behind(text, number.to, number.scale.is_some());
    // "US$5 to US$7": what comes before the second is not behind the first.
    behind = behind.filter(|behind| {
        before.is_none_or(|before| {
            before.code == behind.code || before.sign == money::Sign::Dollar || behind.sign == money::Sign::Yuan
        })
    });
    let mut to = behind.map_or(number.to, |behind| behind.to);
    let mut unit = None;
    let mut counted_end = None;
    if before.is_none() && behind.is_none() {
        (unit, to, counted_end) = counted(reader, at, &mut number);
        // "200m" is as likely a length, "5b" anything.
        if unit.is_none() && is_bare_money(reader, at, &number) {
            behind = Some(Currency { code: NO_CURRENCY, sign: money::Sign::Kind, from: to, to });
        } else if number.letter
            && (number.scale == Some(12) || unit.as_ref().is_none_or(|unit| unit.kind != AmountKind::Count))
        {
            // "1.6T optical modules" are as fast as that, and nobody counts so many.
            return None;
        }
    }
    if token.is(shape::EAST_ASIAN) && !is_sure_numeral(text, &number, behind, unit.as_ref()) {
        return None;
    }
    // "1.200 Euro" may be a thousand of them.
    if number.value.scale() == 3
        && number.scale.is_none()
        && !number.comma
        && before.or(behind).is_some_and(|currency| currency.code == "EUR")
    {
        return None;
    }
    let mut from = before.map_or(number.from, |before| before.from);
    // A fall that is written with a sign: "-1.7%", "minus 17%"; and a temperature.
    if unit.as_ref().is_some_and(|unit| unit.kind == AmountKind::Share || unit.name == "°C")
        && let Some(minus) = minus(text, number.from)
    {
        (number.value, from) = (-number.value, minus);
    }
    let traditional = reader.traditional || text.has(number.from, number.to, |ch| matches!(ch, '億' | '萬' | '兆'));
    let start = first_token(scene, at, from);
    let end = counted_end.unwrap_or_else(|| end_token(scene, at, to));
    Some(Part { from, to, start, end, number, before, behind, unit, traditional })
}

/// Whether a numeral of Chinese stands for an amount: a few characters of a name do as well.
fn is_sure_numeral(text: Text<'_>, number: &Number, behind: Option<Currency>, unit: Option<&Counted>) -> bool {
    match unit {
        Some(unit) if han::is_implied(text, number.from) => unit.kind == AmountKind::Measure,
        // "二次" and "三部" are names, "三季" the third.
        Some(unit) => {
            let season =
                unit.name == "quarter" && text.ch(number.to) == '季' && !matches!(text.ch(number.from), '两' | '兩');
            let vague = matches!(&*unit.name, "time" | "point" | "step" | "building")
                || unit.name == "unit" && matches!(text.ch(number.to), '部' | '组' | '組' | '基' | '台');
            !vague && !season
        }
        None => behind.is_some() && (number.value >= Decimal::ONE_HUNDRED),
    }
}

/// Where the sign or the word of a number below nought begins, if one is right before it.
fn minus(text: Text<'_>, from: usize) -> Option<usize> {
    if let Some(word) = text.literal_before(from, "minus ") {
        let joined = text.literal_before(word, "or ").is_some() || text.before(word).is_alphanumeric();
        return (!joined).then_some(word);
    }
    let sign = from.checked_sub(1).filter(|at| text.ch(*at) == '-')?;
    let space = sign.checked_sub(1)?;
    let free = match text.ch(space) {
        ' ' => !matches!(text.before(space), '%' | '0'..='9'),
        '(' | '|' => true,
        _ => false,
    };
    free.then_some(sign)
}

/// "half of its sales", "about half the wafers": exact shares in words. The first half of a year is none.
fn half(scene: &Scene<'_>, text: Text<'_>, at: usize) -> Option<Part> {
    let token = scene.document.token(at)?;
    if text.ch(token.end) != ' ' || text.before(token.start) == '-' {
        return None;
    }
    let before = scene.document.before(at).filter(|before| before.sentence == token.sentence);
    let before = before.map(|before| text.word(before.start).0);
    let before = before.as_deref().unwrap_or_default();
    let numbered = matches!(
        before,
        "first"
            | "second"
            | "latter"
            | "former"
            | "other"
            | "back"
            | "top"
            | "bottom"
            | "better"
            | "early"
            | "late"
            | "last"
            | "next"
            | "this"
            | "that"
            | "and"
            | "st"
            | "nd"
            | "final"
            | "opening"
    );
    let (next, _) = text.word(token.end + 1);
    let rough =
        matches!(before, "about" | "nearly" | "almost" | "roughly" | "than" | "around" | "some" | "over" | "exceed");
    let shared = match &*next {
        "of" => !text.ch(token.end + 4).is_ascii_digit(),
        "the" | "its" | "their" | "all" | "our" => {
            rough || scene.document.sentence_of(at).is_some_and(|s| s.first == at)
        }
        _ => false,
    };
    (shared && !numbered).then(|| share(scene, at, token.end, Decimal::from(50)))
}

/// "a quarter of its staff", "three quarters of the wafers", "nine-tenths of sales".
fn fraction(scene: &Scene<'_>, text: Text<'_>, at: usize, value: u8) -> Option<Part> {
    let next = scene.document.token(at + 1).filter(|next| matches!(next.gap, Gap::Space | Gap::Hyphen))?;
    let (word, _) = text.word(next.start);
    let (name, many) = word.strip_suffix('s').map_or((&*word, false), |name| (name, true));
    let (_, parts) = FRACTIONS.iter().find(|(fraction, _)| *fraction == name)?;
    let end = text.literal(next.end, " of ").filter(|_| many == (value > 1) && value < *parts)?;
    let (of, _) = text.word(end);
    let known = matches!(&*of, "the" | "its" | "their" | "all" | "our" | "his" | "her" | "total" | "global" | "sales");
    // A quarter is of a year as well.
    let whole = known || matches!(&*of, "revenue" | "revenues" | "output" | "capacity" | "demand" | "production");
    whole.then(|| share(scene, at, next.end, Decimal::from(100 * u16::from(value)) / Decimal::from(*parts)))
}

/// A share that words from token `at` on to the unit `to` stand for.
fn share(scene: &Scene<'_>, at: usize, to: usize, value: Decimal) -> Part {
    let from = scene.document.token(at).map_or(to, |token| token.start);
    Part {
        from,
        to,
        start: at,
        end: end_token(scene, at, to),
        number: Number::plain(from, to, value),
        before: None,
        behind: None,
        unit: Some(Counted::new(AmountKind::Share, "percent")),
        traditional: false,
    }
}

/// Parts of a whole that are exact in percent.
const FRACTIONS: &[(&str, u8)] = &[("quarter", 4), ("fifth", 5), ("tenth", 10)];

/// The code for "no currency" in ISO 4217.
const NO_CURRENCY: &str = "XXX";

/// Whether a number is money though no currency is named, as `5.5bn` is in financial news where no thing is counted.
fn is_bare_money(reader: Reader<'_>, at: usize, number: &Number) -> bool {
    let Reader { scene, text, .. } = reader;
    if number.scale.is_none_or(|scale| scale < 6) || number.letter || text.ch(number.to) == '-' {
        return false;
    }
    let short =
        |scale: &str| text.literal_before(number.to, scale).is_some_and(|start| text.before(start).is_ascii_digit());
    // What is counted is not told by the scale alone in English: "5 million" may be people.
    let spelt = reader.continental && !number.billions && text.before(number.to).is_ascii_lowercase();
    if !spelt && !["bn", "tn", "mn", "bln", "trn", "mln"].iter().any(|scale| short(scale)) {
        return false;
    }
    let next = scene.document.token(end_token(scene, at, number.to));
    let links = |next: &Token| {
        let word = text.word(next.start).0;
        let counted = matches!(&*word, "of" | "to" | "and" | "or" | "de" | "di" | "d" | "bis" | "à");
        next.gap != Gap::Space
            || !counted && (scene.lexis.is(next, is::LINK) || spelt && scene.lexis.languages(next) != 0)
    };
    next.is_none_or(links)
}

fn first_token(scene: &Scene<'_>, at: usize, from: usize) -> usize {
    (at.saturating_sub(4)..at)
        .find(|at| scene.document.token(*at).is_some_and(|token| token.start >= from))
        .unwrap_or(at)
}

pub(super) fn end_token(scene: &Scene<'_>, at: usize, to: usize) -> usize {
    let tokens = scene.document.tokens.get(at..).unwrap_or_default();
    at + tokens.iter().take(64).take_while(|token| token.start < to).count().max(1)
}

/// The number whose digits begin at or in the token: `EUR5bn` has a currency before them.
fn digits(reader: Reader<'_>, token: &Token) -> Option<Number> {
    let text = reader.text;
    let inside = (token.start..token.end).find(|unit| text.ch(*unit).is_ascii_digit())?;
    if inside != token.start {
        money::before(text, inside).filter(|currency| currency.from == token.start)?;
    }
    if !stands_alone(text, token.start) {
        return None;
    }
    let number = number::number(text, inside, reader.continental)?;
    let after = text.ch(number.to);
    let glued = matches!(after, '/' | ':' | '.' | ',') && text.ch(number.to + 1).is_ascii_digit();
    // "5G", "910B", "3D": letters that are no unit make it a name. Behind a scale, they are asked for below.
    let code = number.scale.is_none()
        && after.is_ascii_alphabetic()
        && unit::behind(text, &number).is_none()
        && money::behind(text, number.to, false).is_none()
        && (after != 'x' || text.ch(number.to + 1).is_ascii_lowercase());
    (!glued && !code).then_some(number)
}

/// Whether what is before a number lets it be one: no sign that joins it to another or to a word.
fn stands_alone(text: Text<'_>, from: usize) -> bool {
    let before = text.before(from);
    let further = from.checked_sub(1).map_or('\0', |at| text.before(at));
    match before {
        '.' | ',' | '/' | ':' | '\'' => !further.is_alphanumeric() || further >= '\u{2E80}',
        '-' => !further.is_alphabetic() || matches!(further, '\u{2E80}'..),
        '#' | '_' | '@' | '⁄' | '^' | '×' => false,
        '+' => !further.is_alphanumeric(),
        _ => true,
    }
}

/// A word that is a number, of which `one` counts before some words only.
fn word(reader: Reader<'_>, at: usize, value: u8) -> Option<Number> {
    let Reader { scene, text, continental, .. } = reader;
    let token = scene.document.token(at)?;
    if !matches!(text.ch(token.end), ' ' | '-') || text.before(token.start) == '-' {
        return None;
    }
    let foreign = value >= words::FOREIGN;
    let value = value & !words::FOREIGN;
    let next = scene.document.token(at + 1)?;
    if foreign && !continental {
        return None;
    }
    let mut number = Number::plain(token.start, token.end, Decimal::from(value));
    // "thirty-six"
    if value >= 20
        && next.gap == Gap::Hyphen
        && let Some(ones) = scene.lexis.number(next).filter(|ones| *ones < 10)
    {
        (number.value, number.to) = (Decimal::from(value + ones), next.end);
    }
    let (after, end) = text.word(text.skip_space(number.to));
    if &*after == "dozen" {
        (number.value, number.to) = (number.value * Decimal::from(12), end);
        return Some(number);
    }
    number::word_scale(text, &mut number);
    // "two hundred million"
    if number.scale == Some(2) {
        let mut further = Number::plain(number.from, number.to, number.value);
        number::word_scale(text, &mut further);
        let scale = further.scale.filter(|scale| *scale > 2).map_or(2, |scale| scale + 2);
        (number.scale, number.to, number.billions) = (Some(scale), further.to, further.billions);
    }
    if number.scale.is_some() {
        // "half a billion"
        if value == 1
            && let Some(half) = text.literal_before(number.from, "half ")
            && !text.before(half).is_alphanumeric()
        {
            (number.value, number.from) = (Decimal::new(5, 1), half);
        }
        return Some(number);
    }
    if value > 1 {
        return Some(number);
    }
    let one = text.ch(token.end) == '-' || matches!(&*text.word(token.start).0, "one");
    let (word, end) = text.word(next.start);
    let (after, _) = text.word(text.skip_space(end));
    let ago = matches!(&*after, "ago" | "earlier" | "later" | "before" | "after" | "old");
    let lasting = foreign || one && &*word != "day" || {
        let before = scene.document.before(at).filter(|before| before.sentence == token.sentence);
        before.is_some_and(|before| {
            matches!(
                &*text.word(before.start).0,
                "for"
                    | "lasting"
                    | "lasts"
                    | "lasted"
                    | "last"
                    | "within"
                    | "about"
                    | "nearly"
                    | "almost"
                    | "than"
                    | "takes"
                    | "took"
                    | "take"
                    | "under"
                    | "least"
                    | "is"
                    | "of"
            )
        })
    };
    (lasting && !ago && &*word != "quarter").then_some(number)
}
