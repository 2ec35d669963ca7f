//! Amounts: money, and quantities with a unit.
//!
//! A number counts where it has a currency or a unit; what is a name, a date, a version, a score or a section has none, and
//! what could be read in two ways is left out rather than guessed at. A unit that is likely but not certain is marked
//! ([`chipwire_events::Amount::assumed`]).
//!
//! Values are exact: digits are read as a decimal number, and a scale moves its point.

mod combine;
mod counted;
mod han;
mod line;
mod money;
mod noun;
mod number;
mod owner;
mod part;
mod text;
mod unit;
mod words;

use chipwire_events::{Amount, AmountKind};
use rust_decimal::Decimal;

pub(crate) use self::words::{COUNTED_BY_ONE, numbers};
use self::{
    part::{Part, Reader},
    text::Text,
};
use super::Scene;
use crate::matcher::{Token, shape};

/// What is counted further behind in an article is not looked at.
pub(crate) const AMOUNTS_MAX: usize = 256;

/// Languages that part decimals by commas and thousands by stops, and whose billion has twelve noughts.
const CONTINENTAL: &[&str] =
    &["de", "fr", "es", "it", "nl", "sv", "da", "nb", "pl", "fi", "cs", "sk", "hu", "sl", "hr"];

/// An amount in a document.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Its first unit of text.
    pub(crate) from: usize,
    /// One past its last unit of text.
    pub(crate) to: usize,
    /// Its first token.
    pub(crate) start: usize,
    /// One past its last token.
    pub(crate) end: usize,
    pub(crate) kind: AmountKind,
    pub(crate) unit: String,
    pub(crate) low: Option<Decimal>,
    pub(crate) high: Option<Decimal>,
    pub(crate) about: bool,
    pub(crate) per: Option<&'static str>,
    /// The number of the mention that it belongs to, in [`Scene::named`].
    pub(crate) of: Option<usize>,
    pub(crate) assumed: bool,
}

/// Those who are counted, and what they have: nobody supplies them.
const NOT_SUPPLIED: &[&str] = &[
    "analyst",
    "buyer",
    "company",
    "country",
    "customer",
    "employee",
    "engineer",
    "entity",
    "executive",
    "investor",
    "job",
    "lawyer",
    "official",
    "organisation",
    "partner",
    "patent",
    "person",
    "shareholder",
    "startup",
    "supplier",
    "user",
    "vendor",
    "worker",
];

impl Found {
    /// Whether something is counted that nobody supplies: people, companies and the like.
    pub(super) fn is_of_people(&self) -> bool {
        self.kind == AmountKind::Count && NOT_SUPPLIED.contains(&&*self.unit)
    }

    /// Value and unit in short: `12000000000 USD`, `12-14 month`, `≤5 percent`.
    pub(crate) fn short(&self) -> String {
        let unit = &self.unit;
        match (self.low, self.high) {
            (Some(low), Some(high)) if low == high => format!("{low} {unit}"),
            (Some(low), Some(high)) => format!("{low}-{high} {unit}"),
            (Some(low), None) => format!("≥{low} {unit}"),
            (None, Some(high)) => format!("≤{high} {unit}"),
            (None, None) => unit.clone(),
        }
    }
}

/// The amounts of a document, by position. In some languages a billion is a thousand times what it is in English.
pub(crate) fn amounts(scene: &Scene<'_>, language: Option<&str>) -> Vec<Found> {
    let continental = language.is_some_and(|tag| CONTINENTAL.contains(&tag));
    let reader = Reader { scene, text: Text(scene.document), continental, traditional: language == Some("zh-Hant") };
    let mut parts: Vec<Part> = Vec::new();
    let mut until = 0;
    for (at, token) in scene.document.tokens.iter().enumerate() {
        if token.start < until || !may_begin(reader, at, token) {
            continue;
        }
        let part = part::part(reader, at);
        if let Some(part) = part.filter(|part| !continental || !part.has_billions()) {
            until = part.to;
            parts.push(part);
            if parts.len() == AMOUNTS_MAX {
                break;
            }
        }
    }
    combine::amounts(reader, parts)
}

/// Whether a number may begin with the token.
fn may_begin(reader: Reader<'_>, at: usize, token: &Token) -> bool {
    if token.is(shape::EAST_ASIAN) {
        return token.end == token.start + 1 && han::begins(reader.text.ch(token.start));
    }
    if token.is(shape::DIGIT) {
        return true;
    }
    let Scene { document, lexis, .. } = reader.scene;
    match lexis.number(token) {
        None => false,
        // The article is as frequent as few other words.
        Some(words::ONE | words::ONE_ELSEWHERE) => {
            document.token(at + 1).is_some_and(|next| lexis.is(next, super::lexis::is::COUNTED_BY_ONE))
        }
        Some(number) => number < words::FOREIGN || reader.continental,
    }
}

/// The amount as an event has it.
pub(super) fn amount(scene: &Scene<'_>, found: &Found) -> Option<Amount> {
    let (field, start, end, surface) = scene.surface(found.from, found.to)?;
    Some(Amount {
        field,
        start,
        end,
        surface,
        kind: found.kind,
        unit: found.unit.clone(),
        low: found.low.map(|value| value.to_string()),
        high: found.high.map(|value| value.to_string()),
        about: found.about,
        per: found.per.map(str::to_owned),
        of: found.of.and_then(|of| scene.named.get(of)).map(super::Named::reference),
        assumed: found.assumed,
    })
}
