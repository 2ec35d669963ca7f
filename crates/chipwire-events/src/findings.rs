//! What else an article says, besides which entities it mentions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Field;

/// What was found in an article around its mentions. Each part is left out where there is nothing, and an event that was
/// written before there was such a part is read as one in which nothing was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Findings {
    /// Money and quantities, by field and then by position; the first 256 of an article.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amounts: Vec<Amount>,
    /// What is told to have happened, by field and then by position; the first 64 of an article.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub happenings: Vec<Happening>,
    /// Entities that are named in the same sentence: the 128 pairs that are so most often, these first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub together: Vec<Pair>,
    /// The language of title and body, where they are long enough to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<DetectedLanguage>,
    /// What near-duplicates have in common.
    #[serde(default, skip_serializing_if = "Fingerprint::is_empty")]
    pub fingerprint: Fingerprint,
}

impl Findings {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// What an amount counts or measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AmountKind {
    /// Money.
    Money,
    /// A share of a whole, or a change of one: percent, percentage points, basis points.
    Share,
    /// Things that are counted: chips, wafers, people.
    Count,
    /// A length of time.
    Duration,
    /// A physical quantity: power, storage, length, area, mass, speed.
    Measure,
}

/// An amount of money or of something else, with its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// Where it stands.
    pub field: Field,
    /// The first byte in the field as it was fetched (UTF-8, at a character boundary): of the sign of the currency or of the
    /// number; words such as "about" are outside.
    pub start: usize,
    /// One past the last byte of number and unit.
    pub end: usize,
    /// The bytes `start..end` of the field.
    pub surface: String,
    /// What it counts or measures.
    pub kind: AmountKind,
    /// Of money the code of the currency (ISO 4217), as `USD`, or `XXX` where none is named ("5.5bn"); else the unit in English and the singular: `percent`,
    /// `percentage point`, `basis point`, `month`, `wafer`, or its symbol: `GW`, `GB`, `nm`, `TB/s`.
    pub unit: String,
    /// The least that it can be, as an exact decimal number with the scale worked in (`12000000000`, `5.5`); nothing for "up
    /// to 5".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<String>,
    /// The most that it can be; nothing for "more than 5". The same as `low` where the text names one number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<String>,
    /// It is said to be rough: "about", "some", "nearly".
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub about: bool,
    /// What it is counted by: `month` of "10,000 wafers a month", `unit` of "$30,000 each".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// The entity that it belongs to, as `kind:id`: of those in the same sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The unit could be another one, and is the likeliest: `$` in a text that has other dollars too, `¥` in one that says
    /// neither yen nor yuan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

/// How far along it is with a happening, as the text tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It happened or was made known.
    Announced,
    /// It is to happen: "will", "plans to".
    Planned,
    /// It may happen: "may", "weighs", "in talks".
    Considered,
    /// It is said not to happen: "will not", "denies".
    Denied,
    /// A restriction was lifted or made lighter.
    Eased,
    /// A restriction stays: that it was eased is denied.
    Kept,
    /// A lawsuit, a deal or a plan was given up or settled.
    Ended,
}

/// The part that something has in a happening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Who does it: an entity or a state.
    Who,
    /// Whom it is done to: a company.
    Whom,
    /// What it is about: a chip or a rule.
    What,
    /// How much.
    Amount,
    /// Where, or against which state.
    Place,
}

/// What fills one role of a happening, and where that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slot {
    /// Which part it has.
    pub role: Role,
    /// Where it stands, if that is not the field of the happening: "the company" of a body may be named in the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Field>,
    /// The first byte in the field as it was fetched.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The bytes `start..end` of the field.
    pub surface: String,
    /// An entity as `kind:id`, a state as two capitals (ISO 3166-1, and `EU`), an amount as number and unit: `25 percent`,
    /// `8-10 GW`, `≥12000000000 USD`.
    pub value: String,
}

/// Something that is told to have happened, to be about to, or not to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Happening {
    /// What: `export_restriction`, `sanction`, `tariff`, `subsidy`, `earnings`, `product_launch`, `supply_deal`, `investment`,
    /// `acquisition`, `capacity_expansion`, `lawsuit`. There may be more in later versions.
    pub kind: String,
    /// How far along it is with it.
    pub status: Status,
    /// Where the words stand that tell it.
    pub field: Field,
    /// The first byte of those words in the field as it was fetched.
    pub start: usize,
    /// One past their last byte.
    pub end: usize,
    /// The bytes `start..end` of the field.
    pub surface: String,
    /// Who has which part in it, by role and then by position.
    pub slots: Vec<Slot>,
    /// How sure it is, from 0 to 1 in steps of 0.01.
    pub confidence: f64,
    /// Why, for people: `'restricts exports of' between us-bis and nvidia-h20`.
    pub reason: String,
}

/// Two entities that are named in the same sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// The one that comes first by kind and id, as `kind:id`.
    pub a: String,
    /// The other one.
    pub b: String,
    /// The number of sentences that name both.
    pub count: u32,
    /// Where the first of these sentences stands.
    pub field: Field,
    /// The first byte of its first word in the field as it was fetched.
    pub start: usize,
    /// One past the last byte of its last word.
    pub end: usize,
}

/// The language that a text is found to be written in. What the feed says stays in [`Article::language`](crate::Article::language).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DetectedLanguage {
    /// A tag of BCP 47: `en`, `zh-Hans`.
    pub tag: String,
    /// How sure that is, from 0 to 1 in steps of 0.01.
    pub confidence: f64,
}

/// What near-duplicates of an article have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// A SimHash of title and body, as 16 hexadecimal digits: texts that differ in a few words differ in a few bits. Nothing for
    /// fewer than eight words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The address without scheme, `www.` and what tracks readers: see [`canonical_link`](crate::canonical_link).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Fingerprint {
    /// Whether there is nothing to compare.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// The number of bits, of 64, in which the texts differ; nothing where one of them has no fingerprint or it is none.
    pub fn distance(&self, other: &Self) -> Option<u32> {
        let bits = |fingerprint: &Self| u64::from_str_radix(fingerprint.text.as_deref()?, 16).ok();
        Some((bits(self)? ^ bits(other)?).count_ones())
    }
}
