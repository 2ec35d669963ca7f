//! From numbers with what stands around them to amounts: counted things, ranges, bounds.

use std::borrow::Cow;

use chipwire_events::AmountKind;
use rust_decimal::Decimal;

use super::{
    Found, han,
    money::{self, Currency, Named},
    noun,
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
    name: Cow<'static, str>,
    /// The mention that is counted, in [`Scene::named`].
    of: Option<usize>,
}

impl Counted {
    fn new(kind: AmountKind, name: &'static str) -> Self {
        Self { kind, name: Cow::Borrowed(name), of: None }
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
            value @ (1 | 3) if let Some(quarters) = quarters(scene, text, at, value) => return Some(quarters),
            value => word(reader, at, value)?,
        }
    };
    let before = money::before(text, number.from);
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
    // A fall that is written with a sign: "-1.7%", "minus 17%".
    if unit.as_ref().is_some_and(|unit| unit.kind == AmountKind::Share)
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

/// "a quarter of its staff", "three quarters of the wafers".
fn quarters(scene: &Scene<'_>, text: Text<'_>, at: usize, value: u8) -> Option<Part> {
    let next = scene.document.token(at + 1).filter(|next| matches!(next.gap, Gap::Space | Gap::Hyphen))?;
    let end = text.literal(next.start, if value == 1 { "quarter of " } else { "quarters of " })?;
    let (of, _) = text.word(end);
    let whole = matches!(&*of, "the" | "its" | "their" | "all" | "our" | "his" | "her" | "total" | "global");
    whole.then(|| share(scene, at, next.end, Decimal::from(25 * value)))
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

fn end_token(scene: &Scene<'_>, at: usize, to: usize) -> usize {
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

/// What the number counts or measures, one past its last unit of text, and one past its last token where that is known.
fn counted(reader: Reader<'_>, at: usize, number: &mut Number) -> (Option<Counted>, usize, Option<usize>) {
    let Reader { scene, text, .. } = reader;
    let none = (None, number.to, None);
    if let Some(unit) = unit::behind(text, number) {
        let count = matches!(unit.kind, AmountKind::Count | AmountKind::Duration);
        if count && (number.is_year() || unit.kind == AmountKind::Count && is_named_number(scene, text, at, number)) {
            return none;
        }
        // "three-chip" describes something.
        if unit.kind == AmountKind::Count
            && text.ch(number.to) == '-'
            && text.has(number.from, number.to, char::is_alphabetic)
        {
            return none;
        }
        // "two-second" may be a place in a row; so may "two chip".
        if unit.name == "second"
            && !text.ch(number.from).is_ascii_digit()
            && text.before(unit.to) != 's'
            && text.ch(unit.to) < '\u{80}'
        {
            return none;
        }
        if unit.tens {
            number.value *= Decimal::TEN;
        }
        let mut to = unit.to;
        if unit.kind == AmountKind::Duration && matches!(text.ch(to), '半' | '반') {
            (number.value, to) = (number.value + Decimal::new(5, 1), to + 1);
        }
        return (Some(Counted::new(unit.kind, unit.name)), to, None);
    }
    let document = scene.document;
    let Some(first) = document.token(at) else { return none };
    if is_named_number(scene, text, at, number) || number.is_year() {
        return none;
    }
    // "8x H100", "8xH100"
    let times = text.literal(text.skip_space(number.to), "x").filter(|end| !text.ch(*end).is_ascii_lowercase());
    let mut next = end_token(scene, at, times.unwrap_or(number.to));
    let mut product = None;
    let whole = number.scale.is_some() || number.value.scale() == 0;
    let letter = number.letter && number.scale.is_some_and(|scale| scale >= 9);
    let mut only_list = !whole || number.value == Decimal::ONE || times.is_some() || letter;
    for words in 0..=BETWEEN_MAX {
        let Some(token) = document.token(next).filter(|token| token.sentence == first.sentence) else { break };
        let joined = match token.gap {
            Gap::Space => true,
            Gap::Empty => !token.is(shape::EAST_ASIAN) || scene.mention_from(next).is_some(),
            Gap::Hyphen => true,
            _ => false,
        };
        if !(joined || times.is_some() && product.is_none()) {
            break;
        }
        if let Some((index, named)) = scene.mention_from(next) {
            if token.gap == Gap::Hyphen && words == 0 && !named.product {
                break;
            }
            if named.product {
                product = Some((index, named.end, named.to));
            }
            next = named.end;
            continue;
        }
        let model = token.is(shape::CAPITAL) && token.is(shape::DIGIT);
        if !token.is(shape::LETTER) || token.is(shape::EAST_ASIAN) || token.is(shape::DIGIT) && !model {
            break;
        }
        let of = product.map(|(index, ..)| index);
        // "eight-speed" counts no more than that.
        if token.gap == Gap::Hyphen && words == 0 {
            break;
        }
        if let Some(unit) = unit::word(text, token.start, false)
            && unit.to == token.end
            && (unit.kind == AmountKind::Count
                || unit.kind == AmountKind::Duration && text.before(unit.to) == 's' && words > 0)
        {
            let counted = Counted { of, ..Counted::new(unit.kind, unit.name) };
            return (Some(counted), unit.to, Some(next + 1));
        }
        let link = scene.lexis.is(token, is::LINK);
        let more = words == 0 && link && matches!(&*text.word(token.start).0, "more");
        if model {
            next += 1;
            continue;
        }
        if !only_list && (!link || more) {
            let small = !token.is(shape::CAPITAL)
                || document.sentence_of(at).is_some_and(|sentence| sentence.headline || sentence.capitals);
            if words == 0 && unit::word(text, token.start, true).is_some_and(|unit| unit.kind != AmountKind::Count) {
                return none;
            }
            match noun::counted(text, token, small, words == 0, reader.continental) {
                noun::Answer::Noun(name) => {
                    let counted = Counted { kind: AmountKind::Count, name: Cow::Owned(name), of };
                    return (Some(counted), token.end, Some(next + 1));
                }
                noun::Answer::Describes => {}
                noun::Answer::Neither => only_list = true,
            }
        }
        if link && !more {
            break;
        }
        next += 1;
    }
    match product {
        Some((index, end, to)) if times.is_some() || follows_closely(scene, text, at, index) => {
            (Some(Counted { of: Some(index), ..Counted::new(AmountKind::Count, "unit") }), to, Some(end))
        }
        _ => none,
    }
}

/// Whether nothing but names is between the number and the mention: in "500 new Blackwell plants" nothing counts Blackwells.
fn follows_closely(scene: &Scene<'_>, text: Text<'_>, at: usize, mention: usize) -> bool {
    let (Some(named), Some(number)) = (scene.named.get(mention), scene.document.token(at)) else { return false };
    let next = scene.document.token(named.end);
    // "100,000 H100 chips" has been dealt with; "4 H100 servers" counts servers.
    let ends = next.is_none_or(|next| {
        next.sentence != number.sentence
            || next.gap != Gap::Space
            || scene.lexis.is(next, is::LINK)
            || next.is(shape::DIGIT)
            || text.before(named.to) == 's'
            || next.is(shape::EAST_ASIAN)
    });
    ends && (named.start.saturating_sub(at) <= 3)
}

/// Whether the number is a part of a name that the gazetteer does not have: `Core Ultra 200 chips`. So is a few of
/// anything, and a number that a word such as `Section` numbers.
fn is_named_number(scene: &Scene<'_>, text: Text<'_>, at: usize, number: &Number) -> bool {
    let document = scene.document;
    let Some(token) = document.token(at) else { return true };
    if !number.bare {
        return false;
    }
    // "301 tariffs" are those of a section.
    if matches!(number.value.try_into(), Ok(201_u32 | 232 | 301 | 337 | 338)) {
        return true;
    }
    let Some(before) = document.before(at).filter(|before| before.sentence == token.sentence) else { return false };
    if text.before(token.start) != ' ' && token.gap != Gap::Empty {
        return false;
    }
    let numbers = if token.is(shape::DIGIT) { NUMBERED } else { NUMBERED_IN_WORDS };
    if before.is(shape::LETTER) && numbers.contains(&&*text.word(before.start).0) {
        return true;
    }
    if !token.is(shape::DIGIT) || token.gap != Gap::Space {
        return false;
    }
    let sentence = document.sentence_of(at);
    let starts = sentence.is_some_and(|sentence| sentence.first + 1 == at);
    let headline = sentence.is_some_and(|sentence| sentence.headline || sentence.capitals);
    let capital = text.has(before.start, before.end, |ch| ch.is_ascii_uppercase());
    let name = capital && !starts && !headline && !scene.lexis.is(before, is::LINK);
    name || scene.mention_over(at - 1).is_some_and(|(_, named)| named.product)
}

/// Words that a number in words behind them belongs to.
const NUMBERED_IN_WORDS: &[&str] = &[
    "article", "chapter", "day", "level", "number", "part", "phase", "season", "section", "stage", "step", "tier",
    "type", "version",
];

/// Words that a number behind them belongs to.
const NUMBERED: &[&str] = &[
    "annex",
    "appendix",
    "area",
    "article",
    "bill",
    "chapter",
    "class",
    "day",
    "episode",
    "fab",
    "figure",
    "footnote",
    "fortune",
    "gen",
    "generation",
    "grade",
    "iphone",
    "item",
    "layer",
    "level",
    "line",
    "model",
    "no",
    "nos",
    "number",
    "order",
    "page",
    "part",
    "phase",
    "pcie",
    "plant",
    "project",
    "resolution",
    "room",
    "rule",
    "season",
    "section",
    "series",
    "stage",
    "step",
    "table",
    "tier",
    "top",
    "type",
    "version",
    "week",
    "windows",
    "zone",
    "index",
];

/// Signs and words between the ends of a range.
const BETWEEN: &[&str] = &["-", " - ", "—", " — ", "~", " to ", "至", "到", "から"];

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

impl Part {
    fn currency(&self) -> Option<Currency> {
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
                (Some(a), Some(b)) => a.kind == b.kind && a.name == b.name,
                _ => false,
            },
        }
    }
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
        }
    }
    let topic = if parts.is_empty() { None } else { owner::topic(scene) };
    let make = Maker { reader, named, topic };
    let mut found: Vec<Found> = Vec::new();
    let mut rest = parts.as_slice();
    while let Some((part, tail)) = rest.split_first() {
        rest = tail;
        let starts = words_before(reader, part);
        let next = tail.first().filter(|next| next.from >= part.to && next.from - part.to <= 6);
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
}

impl Maker<'_> {
    /// The range from `low` to `high`; nothing where they are two amounts.
    fn range(self, low: &Part, high: &Part, previous: Option<&Found>) -> Option<Found> {
        let highest = high.number.scaled()?;
        let inherited = low.number.scale.or(high.number.scale).unwrap_or(0);
        let scaled = number::scale(low.number.value, inherited).filter(|lowest| *lowest < highest);
        let lowest =
            scaled.or_else(|| low.number.scaled().filter(|lowest| low.currency().is_some() && *lowest < highest))?;
        let mut amount = self.bare(low, high)?;
        amount.low = Some(lowest);
        amount.high = Some(highest);
        amount.to = high.to;
        amount.end = high.end;
        amount.per = unit::per(self.reader.text, high.to).or(amount.per);
        amount.of = owner::of(self.reader.scene, self.topic, &amount, amount.of, previous);
        Some(amount)
    }

    /// The amount of `part` alone, with the unit of `with` if it has none.
    fn single(self, part: &Part, with: &Part, previous: Option<&Found>) -> Option<Found> {
        let mut amount = self.bare(part, with)?;
        amount.of = owner::of(self.reader.scene, self.topic, &amount, amount.of, previous);
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
