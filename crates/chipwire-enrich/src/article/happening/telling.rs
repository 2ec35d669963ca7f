//! What a sentence tells of by all of its words, each with a weight: what phrases miss, since nobody tells it in the same words twice.
//!
//! A sentence is read as units: a mention is the sort of what it names, an amount its kind, another number a number, and a word its stem. Units and
//! neighbours have weights for each kind of happening: their sum is how likely the sentence tells of one (logistic regression), and the words with the
//! largest are where. Further weights say which way round it is told and how far along it is. `telling/train` makes the file of weights from the
//! sentences beside it.

use std::{cmp::Reverse, ops::Range};

use chipwire_events::{AmountKind, Status};
use rustc_hash::FxHashMap;

use super::{
    clause::{Party, Sort},
    cues::Kind,
};
use crate::{
    article::{Scene, amount::Found},
    matcher::{Token, Words, shape},
};

const WEIGHTS: &str = include_str!("../../../telling/weights.txt");

/// In what weights are counted: parts of one.
const ONE: f64 = 100.0;
/// How much one word of a place has at least to speak for standing where something is told, in hundredths: "fab" and
/// "chip" do not.
const MARKED: i32 = 50;
/// What a word beside the place adds to the status that it tells, in hundredths.
const TOLD: i32 = 150;
/// How much a word speaks for a happening that it explains, in hundredths, and how many explain one.
const SPEAKS: i32 = 50;
const REASONS_MAX: usize = 3;
/// Units that a place has at most.
const PLACE_MAX: usize = 6;

/// Units that are no words, as they are written in the file of weights.
const SORTS: [&str; 11] = [
    "@company",
    "@product",
    "@actor",
    "@rule",
    "#money",
    "#share",
    "#duration",
    "#measure",
    "#count",
    "#year",
    "#number",
];
const YEAR: u16 = 10;
const NUMBER: u16 = 11;

/// The statuses in the order of their columns.
const STATUSES: [Status; 7] = [
    Status::Announced,
    Status::Planned,
    Status::Considered,
    Status::Denied,
    Status::Eased,
    Status::Kept,
    Status::Ended,
];

/// A column of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// The sentence tells of such a happening.
    Tells(Kind),
    /// Whom it is done to stands before what tells it, or who does it behind.
    Turned(Kind),
    /// How far along it is.
    Is(Status),
    /// The unit is among the words that tell it.
    Place,
}

impl Column {
    fn number(self) -> usize {
        match self {
            Self::Tells(kind) => kind as usize,
            Self::Turned(kind) => KINDS + kind as usize,
            Self::Is(status) => {
                2 * KINDS + STATUSES.iter().position(|other| *other == status).unwrap_or(STATUSES.len())
            }
            Self::Place => COLUMNS - 1,
        }
    }

    /// That of a name in the file.
    fn named(name: &str) -> Option<Self> {
        let (sort, of) = name.split_once(':').unwrap_or((name, ""));
        let kind = || Kind::ALL.into_iter().find(|kind| kind.name() == of);
        match sort {
            "tells" => kind().map(Self::Tells),
            "turned" => kind().map(Self::Turned),
            "place" => Some(Self::Place),
            "is" => serde_json::from_value(of.into()).ok().map(Self::Is),
            _ => None,
        }
    }
}

const KINDS: usize = Kind::ALL.len();
const COLUMNS: usize = 2 * KINDS + STATUSES.len() + 1;

/// The weights.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    /// The unit of each word, by its number; 0 for those that have no weight.
    units: Vec<u16>,
    /// Those of each unit.
    ones: Vec<Weights>,
    /// Those of neighbours, by [`pair`].
    pairs: FxHashMap<u32, Weights>,
    /// Columns with weights.
    cells: Vec<(u8, i16)>,
    bias: [i32; COLUMNS],
}

/// Where the weights of a unit or of two are in [`Telling::cells`].
#[derive(Debug, Clone, Copy, Default)]
struct Weights {
    start: u32,
    /// One past the last that says that a kind is told.
    tells: u32,
    end: u32,
}

/// A unit of a sentence, with its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    number: u16,
    /// It is a word, and not what is named or counted.
    is_word: bool,
    start: usize,
    end: usize,
}

/// How much speaks for each column, in hundredths of a logit.
#[derive(Debug, Clone)]
pub(super) struct Scores([i32; COLUMNS]);

impl Scores {
    /// The probability that the sentence tells of such a happening.
    pub(super) fn tells(&self, kind: Kind) -> f64 {
        self.probability(Column::Tells(kind))
    }

    /// Whether whom it is done to stands before the words, or who does it behind.
    pub(super) fn is_turned(&self, kind: Kind) -> bool {
        self.probability(Column::Turned(kind)) > 0.5
    }

    /// How far along it is: of what can be said of such a kind that which has most weight, where `told` is what the words beside it say.
    pub(super) fn status(&self, kind: Kind, told: Status) -> Status {
        let possible = STATUSES.into_iter().filter(|status| match status {
            Status::Eased | Status::Kept => kind.restricts(),
            Status::Ended => !kind.restricts(),
            _ => true,
        });
        let weight = |status: &Status| {
            let more = if *status == told { TOLD } else { 0 };
            self.0.get(Column::Is(*status).number()).map(|weight| weight + more)
        };
        // Of several as likely the first.
        possible.rev().max_by_key(weight).unwrap_or(Status::Announced)
    }

    fn probability(&self, column: Column) -> f64 {
        let score = self.0.get(column.number()).copied().unwrap_or(i32::MIN);
        // The exponential of the standard library may differ from machine to machine in its last digit.
        1.0 / (1.0 + libm::exp(-f64::from(score) / ONE))
    }
}

impl Telling {
    /// Reads the file of weights; `words` gets the words that it does not have yet.
    pub(crate) fn new(words: &mut Words) -> Self {
        let mut telling = Self::default();
        let mut numbers: FxHashMap<&str, u16> =
            SORTS.iter().zip(1..).map(|(sort, number): (&&str, u16)| (*sort, number)).collect();
        telling.ones = vec![Weights::default(); SORTS.len() + 1];
        let mut columns = Vec::new();
        for line in WEIGHTS.lines() {
            let mut fields = line.split('\t');
            match fields.next() {
                Some("columns") => columns = fields.map(Column::named).collect(),
                Some("bias") => {
                    for (column, bias) in columns.iter().zip(fields) {
                        telling.set_bias(*column, bias);
                    }
                }
                // A stem, and the words that have it.
                Some("stem") => {
                    let (Some(stem), Ok(number)) = (fields.next(), u16::try_from(telling.ones.len())) else { continue };
                    numbers.insert(stem, number);
                    telling.ones.push(Weights::default());
                    for word in fields {
                        telling.set_unit(words.intern(word.as_bytes()), number);
                    }
                }
                Some("one") => {
                    let Some(unit) = fields.next().and_then(|unit| numbers.get(unit)) else { continue };
                    let cells = telling.read_cells(fields, &columns);
                    telling.ones.get_mut(usize::from(*unit)).into_iter().for_each(|place| *place = cells);
                }
                Some("two") => {
                    let mut unit = || fields.next().and_then(|unit| numbers.get(unit)).copied();
                    let (Some(first), Some(second)) = (unit(), unit()) else { continue };
                    let cells = telling.read_cells(fields, &columns);
                    telling.pairs.insert(pair(first, second), cells);
                }
                _ => {}
            }
        }
        telling
    }

    fn set_bias(&mut self, column: Option<Column>, bias: &str) {
        let place = column.and_then(|column| self.bias.get_mut(column.number()));
        if let (Some(place), Ok(bias)) = (place, bias.parse()) {
            *place = bias;
        }
    }

    fn set_unit(&mut self, word: u32, unit: u16) {
        let at = word as usize;
        if self.units.len() <= at {
            self.units.resize(at + 1, 0);
        }
        self.units.get_mut(at).into_iter().for_each(|place| *place = unit);
    }

    /// The weights of a line, each a column and a number.
    fn read_cells<'a>(&mut self, fields: impl Iterator<Item = &'a str>, columns: &[Option<Column>]) -> Weights {
        let cell = |field: &str| {
            let (column, weight) = field.split_once(' ')?;
            let column = columns.get(column.parse::<usize>().ok()?).copied().flatten()?;
            Some((u8::try_from(column.number()).ok()?, weight.parse().ok()?))
        };
        let end = |cells: &Vec<(u8, i16)>| u32::try_from(cells.len()).unwrap_or(u32::MAX);
        let start = end(&self.cells);
        self.cells.extend(fields.filter_map(cell));
        let new = self.cells.get_mut(start as usize..).unwrap_or_default();
        new.sort_unstable();
        let tells = new.iter().take_while(|(column, _)| usize::from(*column) < KINDS).count();
        Weights { start, tells: start + u32::try_from(tells).unwrap_or(0), end: end(&self.cells) }
    }

    /// The units of tokens `from..to`.
    pub(super) fn units(&self, scene: &Scene<'_>, amounts: &[Found], from: usize, to: usize) -> Vec<Unit> {
        parts(scene, amounts, from, to)
            .map(|part| {
                let word = || {
                    let token = scene.document.token(part.start).filter(|token| token.word != 0);
                    token.and_then(|token| self.units.get(token.word as usize)).copied().unwrap_or(0)
                };
                let number = part.sort.unwrap_or_else(word);
                Unit { number, is_word: part.sort.is_none(), start: part.start, end: part.end }
            })
            .collect()
    }

    /// How much the units and their neighbours speak for each kind.
    pub(super) fn scores(&self, units: &[Unit]) -> Scores {
        self.sum(units, |weights| weights.start..weights.tells)
    }

    /// How much they speak for how it is told.
    pub(super) fn manner(&self, units: &[Unit]) -> Scores {
        self.sum(units, |weights| weights.tells..weights.end)
    }

    /// The sums of some of the weights of units and of neighbours. What a sentence says twice counts once.
    fn sum(&self, units: &[Unit], part: impl Fn(&Weights) -> Range<u32>) -> Scores {
        let mut found: Vec<&Weights> = Vec::with_capacity(units.len());
        let mut before = 0;
        for unit in units.iter().map(|unit| unit.number) {
            if unit != 0 {
                found.extend(self.one(unit));
                found.extend(self.two(before, unit));
            }
            before = unit;
        }
        found.sort_unstable_by_key(|weights| weights.start);
        found.dedup_by_key(|weights| weights.start);
        let mut scores = self.bias;
        for (column, weight) in found.into_iter().flat_map(|weights| self.cells(part(weights))) {
            scores.get_mut(usize::from(*column)).into_iter().for_each(|score| *score += i32::from(*weight));
        }
        Scores(scores)
    }

    /// The weights of a unit.
    fn one(&self, unit: u16) -> Option<&Weights> {
        self.ones.get(usize::from(unit)).filter(|weights| weights.start < weights.end)
    }

    /// Those of two neighbours, of which the first may be 0.
    fn two(&self, first: u16, second: u16) -> Option<&Weights> {
        if first == 0 { None } else { self.pairs.get(&pair(first, second)) }
    }

    fn cells(&self, range: Range<u32>) -> &[(u8, i16)] {
        self.cells.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// The words that most speak for such a happening, by position: what it is explained by.
    pub(super) fn reasons(&self, units: &[Unit], kind: Kind) -> Vec<usize> {
        let own = |unit: &Unit| self.weight(Column::Tells(kind), self.one(unit.number));
        let mut words: Vec<(i32, Unit)> =
            units.iter().filter(|unit| unit.is_word).map(|unit| (own(unit), *unit)).collect();
        words.retain(|(weight, _)| *weight >= SPEAKS);
        words.sort_by_key(|(weight, unit)| (Reverse(*weight), unit.number, unit.start));
        words.dedup_by_key(|(_, unit)| unit.number);
        words.truncate(REASONS_MAX);
        let mut words: Vec<usize> = words.into_iter().map(|(_, unit)| unit.start).collect();
        words.sort_unstable();
        words
    }

    /// One of some weights.
    fn weight(&self, column: Column, weights: Option<&Weights>) -> i32 {
        let cells = weights.map(|weights| self.cells(weights.start..weights.end)).unwrap_or_default();
        let cell = cells.iter().find(|(other, _)| usize::from(*other) == column.number());
        cell.map_or(0, |(_, weight)| i32::from(*weight))
    }

    /// The tokens that most speak for such a happening: a run of words that begins and ends with some that do.
    pub(super) fn place(&self, units: &[Unit], kind: Kind) -> Option<(usize, usize)> {
        let marks = |unit: &Unit| self.weight(Column::Place, self.one(unit.number));
        let own = |unit: &Unit| self.weight(Column::Tells(kind), self.one(unit.number)) + marks(unit);
        let mut best: Option<(i32, Unit, Unit)> = None;
        for (at, first) in units.iter().enumerate().filter(|(_, unit)| own(unit) > 0) {
            let (mut sum, mut before, mut marked) = (0, 0, false);
            for unit in units.iter().skip(at).take(PLACE_MAX).take_while(|unit| unit.is_word) {
                sum += own(unit) + self.weight(Column::Tells(kind), self.two(before, unit.number));
                before = unit.number;
                marked |= marks(unit) >= MARKED;
                if marked && own(unit) > 0 && best.is_none_or(|(most, ..)| sum > most) {
                    best = Some((sum, *first, *unit));
                }
            }
        }
        best.map(|(_, first, last)| (first.start, last.end))
    }
}

/// The key of two units that stand side by side.
fn pair(first: u16, second: u16) -> u32 {
    u32::from(first) << 16 | u32::from(second)
}

/// What a unit is made of.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// The number of what it is if it is no word.
    sort: Option<u16>,
    start: usize,
    end: usize,
}

/// The mentions, amounts, numbers and words of tokens `from..to`, each of which is a unit.
fn parts<'a>(scene: &'a Scene<'_>, amounts: &'a [Found], from: usize, to: usize) -> impl Iterator<Item = Part> + 'a {
    let mut at = from;
    let mut mention = scene.named.partition_point(|named| named.start < from);
    let mut amount = amounts.partition_point(|amount| amount.start < from);
    std::iter::from_fn(move || {
        let token = scene.document.token(at).filter(|_| at < to)?;
        let start = at;
        while scene.named.get(mention).is_some_and(|named| named.start < at) {
            mention += 1;
        }
        while amounts.get(amount).is_some_and(|amount| amount.start < at) {
            amount += 1;
        }
        let sort = if let Some(named) = scene.named.get(mention).filter(|named| named.start == at) {
            at = named.end.max(at + 1);
            Some(match Party::Named(named).sort() {
                Sort::Company | Sort::State => 1,
                Sort::Product => 2,
                Sort::Actor => 3,
                Sort::Rule => 4,
            })
        } else if let Some(amount) = amounts.get(amount).filter(|amount| amount.start == at) {
            let until = scene.named.get(mention).map_or(amount.end, |named| named.start.min(amount.end));
            at = until.max(at + 1);
            Some(match amount.kind {
                AmountKind::Money => 5,
                AmountKind::Share => 6,
                AmountKind::Duration => 7,
                AmountKind::Measure => 8,
                AmountKind::Count => 9,
            })
        } else {
            at += 1;
            number(scene, token)
        };
        Some(Part { sort, start, end: at })
    })
}

/// What a token is that begins with a digit.
fn number(scene: &Scene<'_>, token: &Token) -> Option<u16> {
    if !token.is(shape::DIGIT) || token.is(shape::LETTER) {
        return None;
    }
    let digits = scene.document.written(token);
    let year = digits.len() == 4 && matches!(digits.get(..2), Some("19" | "20"));
    Some(if year { YEAR } else { NUMBER })
}

/// The units of tokens `from..to` as they are written in the file of weights, but for words, which are written with all of their
/// letters; each with its tokens.
pub(super) fn written(scene: &Scene<'_>, amounts: &[Found], from: usize, to: usize) -> Vec<(String, Range<usize>)> {
    parts(scene, amounts, from, to)
        .map(|part| {
            let sort = part.sort.and_then(|number| SORTS.get(usize::from(number).checked_sub(1)?));
            let word =
                || scene.document.token(part.start).map(|token| scene.document.folded(token)).unwrap_or_default();
            (sort.map_or_else(|| word().into_owned(), |sort| (*sort).to_owned()), part.start..part.end)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn telling() -> (Telling, Words) {
        let mut words = Words::default();
        let telling = Telling::new(&mut words);
        (telling, words)
    }

    /// Words one behind the other, and sorts of what is no word.
    fn units(telling: &Telling, words: &Words, text: &str) -> Vec<Unit> {
        let unit = |(at, unit): (usize, &str)| {
            let sort = SORTS.iter().position(|sort| *sort == unit);
            let word = || telling.units.get(words.number(unit.as_bytes()) as usize).copied().unwrap_or(0);
            let number = sort.map_or_else(word, |sort| u16::try_from(sort + 1).unwrap());
            Unit { number, is_word: sort.is_none(), start: at, end: at + 1 }
        };
        text.split(' ').enumerate().map(unit).collect()
    }

    #[test]
    fn every_line_of_the_file_is_read() {
        let (telling, words) = telling();
        let lines = |name: &str| WEIGHTS.lines().filter(|line| line.split('\t').next() == Some(name)).count();
        assert_eq!(telling.ones.len(), 1 + SORTS.len() + lines("stem"));
        assert_eq!(telling.ones.iter().filter(|weights| weights.start < weights.end).count(), lines("one"));
        assert_eq!(telling.pairs.len(), lines("two"));
        let cells = |line: &str| line.split('\t').filter(|field| field.contains(' ')).count();
        assert_eq!(
            telling.cells.len(),
            WEIGHTS.lines().filter(|line| !line.starts_with('#')).map(cells).sum::<usize>()
        );
        assert!(telling.bias[..COLUMNS - 1].iter().all(|bias| *bias != 0), "{:?}", telling.bias);
        assert_eq!(telling.units.iter().filter(|unit| **unit != 0).count(), telling.units.len() - 1);
        assert_eq!(words.last() as usize, telling.units.len() - 1);
    }

    #[test]
    fn the_file_is_made_from_the_sentences_beside_it() {
        let sentences = include_bytes!("../../../telling/sentences.jsonl");
        let digest: String = Sha256::digest(sentences).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(WEIGHTS.lines().next().unwrap().contains(&digest), "run telling/train");
    }

    #[test]
    fn sentences_are_marked_as_they_have_to_be() {
        for (line, number) in include_str!("../../../telling/sentences.jsonl").lines().zip(1..) {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = entry["t"].as_str().unwrap();
            for happening in entry["h"].as_array().unwrap() {
                let field = |name: &str| happening[name].as_str().unwrap_or_default();
                assert!(Kind::ALL.iter().any(|kind| kind.name() == field("k")), "line {number}: kind {:?}", field("k"));
                let status: Result<Status, _> = serde_json::from_value(field("s").into());
                assert!(status.is_ok(), "line {number}: status {:?}", field("s"));
                assert!(!field("w").is_empty() && text.contains(field("w")), "line {number}: {:?}", field("w"));
            }
        }
    }

    #[test]
    fn words_in_any_form_speak_for_a_kind() {
        let (telling, words) = telling();
        let tells = |text: &str, kind: Kind| telling.scores(&units(&telling, &words, text)).tells(kind);
        assert!(tells("@company walks away from its takeover of @company", Kind::Acquisition) > 0.9);
        assert!(tells("@company walked away from the takeover of @company", Kind::Acquisition) > 0.9);
        assert!(tells("@company walks away from its takeover of @company", Kind::Tariff) < 0.05);
        assert!(tells("@company makes what others draw", Kind::Acquisition) < 0.1);
        // What is said twice counts once.
        assert_eq!(tells("@company sues @company", Kind::Lawsuit), tells("@company sues @company sues", Kind::Lawsuit));
        assert!(
            tells("@company sues @company", Kind::Lawsuit) < tells("@company sues @company lawsuit", Kind::Lawsuit)
        );
    }

    #[test]
    fn the_place_is_where_words_speak_for_it_most() {
        let (telling, words) = telling();
        let place = |text: &str, kind: Kind| {
            let (start, end) = telling.place(&units(&telling, &words, text), kind)?;
            Some(text.split(' ').skip(start).take(end - start).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(place("in a twist @company sues @company in the @actor", Kind::Lawsuit).as_deref(), Some("sues"));
        assert_eq!(place("@company the fab @company", Kind::CapacityExpansion), None);
        assert_eq!(place("", Kind::Lawsuit), None);
    }

    #[test]
    fn the_words_that_speak_most_explain_it() {
        let (telling, words) = telling();
        let reasons = |text: &str, kind: Kind| {
            let reasons = telling.reasons(&units(&telling, &words, text), kind).into_iter();
            reasons.map(|at| text.split(' ').nth(at).unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            reasons("the judge said @company sued over patents in a lawsuit", Kind::Lawsuit),
            "judge sued patents"
        );
        assert_eq!(reasons("the lawsuit is a lawsuit", Kind::Lawsuit), "lawsuit", "what is said twice is one reason");
        assert_eq!(reasons("@company is there", Kind::Lawsuit), "");
    }

    #[test]
    fn a_status_is_one_that_the_kind_can_have() {
        let (telling, words) = telling();
        let status =
            |text: &str, kind: Kind, told: Status| telling.manner(&units(&telling, &words, text)).status(kind, told);
        assert_eq!(status("@actor lifts curbs", Kind::ExportRestriction, Status::Eased), Status::Eased);
        assert_eq!(status("@company drops the suit", Kind::Lawsuit, Status::Announced), Status::Ended);
        assert_eq!(status("@company may sue", Kind::Lawsuit, Status::Considered), Status::Considered);
        // No suit is eased, and no duty ended.
        assert_eq!(status("@actor lifts curbs", Kind::Lawsuit, Status::Eased), Status::Announced);
        assert_eq!(status("unheard", Kind::Lawsuit, Status::Announced), Status::Announced);
    }
}
