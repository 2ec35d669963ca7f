//! What a number counts or measures, and whether it is not the number of a name.

use std::borrow::Cow;

use chipwire_events::AmountKind;
use rust_decimal::Decimal;

use super::{
    noun,
    number::Number,
    part::{Counted, Reader, end_token},
    text::Text,
    unit::{self, Unit},
};
use crate::{
    article::{Scene, lexis::is},
    matcher::{Gap, shape},
    view::BREAK,
};

/// Words between a number and what it counts: `100,000 advanced AI chips`.
const BETWEEN_MAX: usize = 3;

/// What may be counted by five behind tens of percent.
const COUNTERS: &str = "年月日天个個家台倍名种種次成十百千万萬亿億";

/// A unit of area behind a number that ends at `end`, with a raised two: `118 mm²`.
fn area(reader: Reader<'_>, end: usize) -> Option<(&'static str, usize)> {
    let text = reader.text;
    let (symbol, to) = text.written(text.skip_space(end));
    let name = match &*symbol {
        "mm" => "mm²",
        "cm" => "cm²",
        "m" => "m²",
        "km" => "km²",
        _ => return None,
    };
    let raised = text.ch(to) == BREAK && reader.scene.surface(to, to + 1).is_some_and(|(.., sign)| sign == "²");
    raised.then_some((name, to + 1))
}

/// What the number counts or measures, one past its last unit of text, and one past its last token where that is known.
pub(super) fn counted(reader: Reader<'_>, at: usize, number: &mut Number) -> (Option<Counted>, usize, Option<usize>) {
    let Reader { scene, text, .. } = reader;
    let none = (None, number.to, None);
    let few = is_few(text, number);
    let few_people = |unit: &Unit| few && unit.kind == AmountKind::Count && PEOPLE.contains(&unit.name);
    if let Some(unit) = unit::behind(text, number) {
        let count = matches!(unit.kind, AmountKind::Count | AmountKind::Duration);
        if few_people(&unit) {
            return none;
        }
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
        let mut to = unit.to;
        if unit.tens {
            number.value *= Decimal::TEN;
            // "六成五"
            if text.ch(to) == '五' && !COUNTERS.contains(text.ch(to + 1)) {
                (number.value, to) = (number.value + Decimal::from(5), to + 1);
            }
        }
        if unit.kind == AmountKind::Duration && matches!(text.ch(to), '半' | '반') {
            (number.value, to) = (number.value + Decimal::new(5, 1), to + 1);
        }
        return (Some(Counted::new(unit.kind, unit.name)), to, None);
    }
    if let Some((name, to)) = area(reader, number.to) {
        return (Some(Counted::new(AmountKind::Measure, name)), to, None);
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
            if few_people(&unit) {
                return none;
            }
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
                noun::Answer::Noun(name) if few && !OF_THE_TRADE.contains(&name.as_str()) => return none,
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

/// Whether the number is at most ten and written as a word: "three people" are no quantity, but for what the trade counts.
fn is_few(text: Text<'_>, number: &Number) -> bool {
    number.bare && number.value <= Decimal::TEN && text.ch(number.from).is_ascii_alphabetic()
}

/// Of whom a few are told as often as not to say who told it.
const PEOPLE: &[&str] = &["person", "company", "analyst", "customer", "partner", "official", "investor", "executive"];

/// What counts though there are a few of it: what the trade builds, buys and is allowed.
const OF_THE_TRADE: &[&str] = &[
    "accelerator",
    "array",
    "batch",
    "bonder",
    "building",
    "campus",
    "center",
    "centre",
    "chamber",
    "chiplet",
    "cleanroom",
    "cluster",
    "contract",
    "datacenter",
    "deal",
    "drone",
    "engine",
    "fab",
    "facility",
    "factory",
    "foundry",
    "furnace",
    "generator",
    "gigafab",
    "hall",
    "laser",
    "licence",
    "license",
    "line",
    "lot",
    "machine",
    "megafab",
    "mine",
    "model",
    "motor",
    "node",
    "order",
    "panel",
    "permit",
    "plant",
    "pod",
    "product",
    "project",
    "reactor",
    "refinery",
    "sample",
    "satellite",
    "scanner",
    "sensor",
    "site",
    "smelter",
    "stack",
    "station",
    "substation",
    "supercomputer",
    "system",
    "tool",
    "train",
    "transformer",
    "turbine",
    "vehicle",
];

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
