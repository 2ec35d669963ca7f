//! The words before a number that say how exact it is, and words that are numbers.

use rust_decimal::Decimal;

use super::text::Text;
use crate::matcher::{Document, Gap};

/// What is said of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Exact,
    About,
    AtMost,
    AtLeast,
}

use Bound::{About, AtLeast, AtMost};

/// Phrases right before a number, each from its last word back; the longest first.
const BEFORE: &[(&[&str], Bound)] = &[
    (&["than", "more", "no"], AtMost),
    (&["than", "more", "not"], AtMost),
    (&["than", "less", "no"], AtLeast),
    (&["than", "less", "not"], AtLeast),
    (&["than", "fewer", "no"], AtLeast),
    (&["as", "much", "as"], AtMost),
    (&["as", "many", "as"], AtMost),
    (&["as", "high", "as"], AtMost),
    (&["as", "little", "as"], AtLeast),
    (&["as", "few", "as"], AtLeast),
    (&["as", "low", "as"], AtLeast),
    (&["of", "excess", "in"], AtLeast),
    (&["than", "more"], AtLeast),
    (&["than", "greater"], AtLeast),
    (&["than", "higher"], AtLeast),
    (&["than", "less"], AtMost),
    (&["than", "fewer"], AtMost),
    (&["than", "lower"], AtMost),
    (&["to", "up"], AtMost),
    (&["most", "at"], AtMost),
    (&["least", "at"], AtLeast),
    (&["of", "upwards"], AtLeast),
    (&["of", "minimum"], AtLeast),
    (&["of", "maximum"], AtMost),
    (&["to", "close"], About),
    (&["estimated", "an"], About),
    (&["about"], About),
    (&["around"], About),
    (&["roughly"], About),
    (&["approximately"], About),
    (&["nearly"], About),
    (&["almost"], About),
    (&["some"], About),
    (&["estimated"], About),
    (&["circa"], About),
    (&["approx"], About),
    (&["under"], AtMost),
    (&["below"], AtMost),
    (&["over"], AtLeast),
    (&["above"], AtLeast),
    (&["exceeding"], AtLeast),
    (&["topping"], AtLeast),
];

/// The same in East Asian text.
const EAST_ASIAN: &[(&str, Bound)] = &[
    ("超过", AtLeast),
    ("超過", AtLeast),
    ("至少", AtLeast),
    ("最少", AtLeast),
    ("高于", AtLeast),
    ("逾", AtLeast),
    ("超", AtLeast),
    ("최소", AtLeast),
    ("高达", AtMost),
    ("高達", AtMost),
    ("最多", AtMost),
    ("最大", AtMost),
    ("低于", AtMost),
    ("최대", AtMost),
    ("大约", About),
    ("大約", About),
    ("约", About),
    ("約", About),
    ("将近", About),
    ("近", About),
    ("약", About),
];

/// What the text says of the number or the currency whose first unit is `from` and whose first token is `token`. A
/// duration is not "over" in this sense: "over 12 months" is during them.
pub(super) fn bound(document: &Document, text: Text<'_>, token: usize, from: usize, duration: bool) -> Bound {
    match text.before(from) {
        '~' | '≈' | '∼' => return About,
        '<' | '≤' => return AtMost,
        '>' | '≥' => return AtLeast,
        _ => {}
    }
    let space_before = if text.before(from) == ' ' { from - 1 } else { from };
    let foreign = text.before(space_before) >= '\u{2E80}';
    if let Some((_, bound)) =
        EAST_ASIAN.iter().filter(|_| foreign).find(|(word, _)| text.literal_before(space_before, word).is_some())
    {
        return *bound;
    }
    let mut words: [Option<String>; 3] = [None, None, None];
    let mut at = token;
    for word in &mut words {
        let joined = document.token(at).is_some_and(|token| matches!(token.gap, Gap::Space | Gap::Other))
            && document.token(at).is_some_and(|token| {
                let start = document.before(at).map_or(0, |before| before.end);
                token.gap == Gap::Space
                    || (start..token.start).all(|unit| matches!(text.ch(unit), ' ' | '$' | '€' | '£' | '¥' | '₩' | '₹'))
            });
        let Some(before) = document.before(at).filter(|_| joined) else { break };
        *word = Some(document.folded(before));
        at -= 1;
    }
    let fits = |phrase: &[&str]| phrase.iter().zip(&words).all(|(word, found)| found.as_deref() == Some(*word));
    let found = BEFORE.iter().find(|(phrase, _)| fits(phrase));
    match found {
        Some((phrase, _)) if duration && matches!(**phrase, ["over" | "above"]) => Bound::Exact,
        Some((_, bound)) => *bound,
        None => Bound::Exact,
    }
}

/// Words that are numbers. `one` and `a` count before a scale only: "a billion dollars".
const NUMBERS: &[(&str, u32)] = &[
    ("a", 1),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("fifteen", 15),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("eighty", 80),
    ("ninety", 90),
];

/// All words that are numbers, with their values.
pub(crate) fn numbers() -> impl Iterator<Item = (&'static str, u32)> {
    NUMBERS.iter().copied()
}

/// A number of so few that it counts before a scale only.
pub(super) const ONE: Decimal = Decimal::ONE;
