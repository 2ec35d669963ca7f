//! What an article says besides which entities it mentions: one folder or file for each kind of finding.
//!
//! All are pure functions over the tokens that mentions were found in, so that a place in a finding is a place in the raw
//! text, as that of a mention is.

mod amount;
mod fingerprint;
mod happening;
mod language;
mod lexis;
mod together;

use std::ops::Range;

use chipwire_events::{Field, Findings, Fingerprint, canonical_link};

pub(crate) use self::{
    fingerprint::{short_word_hash, word_hash},
    happening::Place,
    lexis::Lexis,
};
use crate::{
    gazetteer::{EntityDef, Gazetteer},
    matcher::{Document, Gap},
};

/// What those do who tell of others.
const SAYS: &[&str] = &[
    "said",
    "says",
    "reported",
    "reports",
    "reporting",
    "wrote",
    "writes",
    "learned",
    "learnt",
    "estimates",
    "estimated",
    "reckons",
    "understands",
    "quoted",
    "cited",
    "noted",
    "notes",
    "showed",
    "shows",
    "counts",
    "counted",
];

/// A mention, and where it stands in the document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) entity: &'a EntityDef,
    /// The entity's number, in the order of kinds and ids.
    pub(crate) number: usize,
    /// It is a company.
    pub(crate) company: bool,
    /// It is something that companies make.
    pub(crate) product: bool,
    /// Its first token.
    pub(crate) start: usize,
    /// One past its last token.
    pub(crate) end: usize,
    /// Its first unit.
    pub(crate) from: usize,
    /// One past its last unit.
    pub(crate) to: usize,
    pub(crate) confidence: f64,
}

impl Named<'_> {
    /// Whether it is a paper or an agency, which tells of the others.
    fn is_paper(&self) -> bool {
        self.entity.class == "media"
    }

    /// Whether it only tells of others: papers, research houses, brokers.
    fn is_observer(&self) -> bool {
        self.is_paper() || matches!(self.entity.class.as_str(), "research-house" | "broker")
    }

    /// The entity as `kind:id`.
    fn reference(&self) -> String {
        format!("{}:{}", self.entity.kind, self.entity.id)
    }
}

/// All that findings are made from.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) document: &'a Document,
    pub(crate) title: &'a str,
    pub(crate) body: &'a str,
    /// The address of the article's page.
    pub(crate) url: Option<&'a str>,
    /// The mentions by first token; of two that begin together the longer is first.
    pub(crate) named: &'a [Named<'a>],
    pub(crate) lexis: &'a Lexis,
    pub(crate) gazetteer: &'a Gazetteer,
}

impl<'a> Scene<'a> {
    /// The field and raw bytes of units `from..to`, and the raw text there.
    fn surface(&self, from: usize, to: usize) -> Option<(Field, usize, usize, String)> {
        let (field, start, end) = self.document.raw(from, to)?;
        let text = if field == Field::Title { self.title } else { self.body };
        Some((field, start, end, text.get(start..end)?.to_owned()))
    }

    /// The longest mention that begins at token `at`, with its number.
    fn mention_from(&self, at: usize) -> Option<(usize, &'a Named<'a>)> {
        let index = self.named.partition_point(|named| named.start < at);
        self.named.get(index).filter(|named| named.start == at).map(|named| (index, named))
    }

    /// Whether a paper, a research house or a broker is named as the one that tells it: `Yole said`, `told Reuters`, `(Yonhap)`.
    fn is_told_by(&self, named: &Named<'_>) -> bool {
        let word = |at: Option<usize>| {
            at.and_then(|at| self.document.token(at)).map(|token| self.document.folded(token)).unwrap_or_default()
        };
        let bracket = || self.document.token(named.start).is_some_and(|token| token.gap == Gap::Open);
        let led = || matches!(&*word(named.start.checked_sub(1)), "told" | "to" | "in" | "by");
        named.is_observer() && (SAYS.contains(&&*word(Some(named.end))) || named.is_paper() && (bracket() || led()))
    }

    /// A mention that token `at` is a part of, with its number.
    fn mention_over(&self, at: usize) -> Option<(usize, &'a Named<'a>)> {
        let until = self.named.partition_point(|named| named.start <= at);
        // Mentions overlap only where one is inside the other, and then begin close by.
        (until.saturating_sub(2)..until)
            .rev()
            .find_map(|index| self.named.get(index).filter(|named| named.end > at).map(|named| (index, named)))
    }
}

/// The units of each sentence that say what it tells of, and their bytes in the body.
pub(crate) fn telling_units(scene: &Scene<'_>) -> Vec<Vec<(String, Range<usize>)>> {
    let language = language::language(scene);
    let amounts = amount::amounts(scene, language.as_ref().map(|language| language.tag.as_str()));
    happening::telling_units(scene, &amounts)
}

/// What is found in a document; `places` is asked for the states that it names, by position, where they matter.
pub(crate) fn findings(scene: &Scene<'_>, places: impl FnOnce() -> Vec<Place>) -> Findings {
    let language = language::language(scene);
    let mut amounts = amount::amounts(scene, language.as_ref().map(|language| language.tag.as_str()));
    let (happenings, owned) = happening::happenings(scene, &amounts, places);
    for owned in owned {
        let company = |of: Option<usize>| of.and_then(|of| scene.named.get(of)).is_some_and(|named| named.company);
        let those = amounts.iter_mut().filter(|amount| amount.from == owned.from && !company(amount.of));
        those.for_each(|amount| amount.of = Some(owned.of));
    }
    Findings {
        amounts: amounts.iter().filter_map(|found| amount::amount(scene, found)).collect(),
        happenings,
        together: together::pairs(scene),
        language,
        fingerprint: Fingerprint {
            text: fingerprint::simhash(scene).map(|hash| format!("{hash:016x}")),
            url: scene.url.map(canonical_link),
        },
    }
}
