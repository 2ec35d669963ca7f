//! The words before a number that say how exact it is, and words that are numbers.

use std::{borrow::Cow, sync::LazyLock};

use chipwire_events::AmountKind;

use super::text::{Table, Text};
use crate::matcher::{Document, Gap, shape};

/// What is said of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Exact,
    About,
    AtMost,
    AtLeast,
}

use Bound::{About, AtLeast, AtMost, Exact};

type Phrases = Table<&'static [(&'static str, Bound)]>;

/// Phrases right before a number by their last word, with what is before it from the last word back; the longest first.
const BEFORE: &[(&str, &[(&str, Bound)])] = &[
    (
        "than",
        &[
            ("more no", AtMost),
            ("more not", AtMost),
            ("less no", AtLeast),
            ("less not", AtLeast),
            ("fewer no", AtLeast),
            ("more", AtLeast),
            ("greater", AtLeast),
            ("higher", AtLeast),
            ("larger", AtLeast),
            ("bigger", AtLeast),
            ("longer", AtLeast),
            ("better", AtLeast),
            ("less", AtMost),
            ("fewer", AtMost),
            ("lower", AtMost),
            ("smaller", AtMost),
            ("shorter", AtMost),
        ],
    ),
    (
        "as",
        &[
            ("much as", AtMost),
            ("many as", AtMost),
            ("high as", AtMost),
            ("long as", AtMost),
            ("little as", AtLeast),
            ("few as", AtLeast),
            ("low as", AtLeast),
        ],
    ),
    (
        "of",
        &[
            ("excess in", AtLeast),
            ("upwards", AtLeast),
            ("upward", AtLeast),
            ("minimum", AtLeast),
            ("maximum", AtMost),
            ("cap", AtMost),
            ("ceiling", AtMost),
        ],
    ),
    ("to", &[("up", AtMost), ("close", About), ("closer", About)]),
    ("most", &[("at", AtMost)]),
    ("least", &[("at", AtLeast)]),
    ("at", &[("capped", AtMost)]),
    ("estimated", &[("", About)]),
    ("about", &[("", About)]),
    ("around", &[("", About)]),
    ("roughly", &[("", About)]),
    ("approximately", &[("", About)]),
    ("nearly", &[("", About)]),
    ("almost", &[("", About)]),
    ("some", &[("", About)]),
    ("circa", &[("", About)]),
    ("ca", &[("", About)]),
    ("approx", &[("", About)]),
    ("under", &[("", AtMost)]),
    ("below", &[("", AtMost)]),
    ("maximum", &[("", AtMost)]),
    ("exceed", &[("not", AtMost), ("never", AtMost), ("", AtLeast)]),
    ("exceeding", &[("not", AtMost), ("never", AtMost), ("", AtLeast)]),
    ("exceeds", &[("", AtLeast)]),
    ("exceeded", &[("", AtLeast)]),
    ("surpass", &[("", AtLeast)]),
    ("surpasses", &[("", AtLeast)]),
    ("surpassed", &[("", AtLeast)]),
    ("surpassing", &[("", AtLeast)]),
    ("minimum", &[("", AtLeast)]),
    // What is fought over is the amount itself.
    (
        "over",
        &[
            ("spat", Exact),
            ("dispute", Exact),
            ("row", Exact),
            ("fight", Exact),
            ("battle", Exact),
            ("clash", Exact),
            ("talks", Exact),
            ("sued", Exact),
            ("sues", Exact),
            ("", AtLeast),
        ],
    ),
    ("above", &[("", AtLeast)]),
    ("topping", &[("", AtLeast)]),
    ("topped", &[("", AtLeast)]),
    ("tops", &[("", AtLeast)]),
    ("passed", &[("", AtLeast)]),
];

static BEFORE_BY_LAST: LazyLock<Phrases> = LazyLock::new(|| Table::new(BEFORE.iter().copied()));

/// Those of them that are something else before what is counted or lasts: a bill is passed, and "over 12 months" is during
/// them.
const OF_MONEY: &[&str] = &["passed", "topped", "tops"];
const OF_THINGS: &[&str] = &["over", "above", "maximum", "minimum"];

/// The same in languages that part decimals by commas.
const CONTINENTAL: &[(&str, &[(&str, Bound)])] = &[
    ("als", &[("mehr", AtLeast), ("weniger", AtMost)]),
    ("dan", &[("meer", AtLeast), ("minder", AtMost)]),
    (
        "de",
        &[
            ("plus", AtLeast),
            ("moins", AtMost),
            ("près", About),
            ("más", AtLeast),
            ("menos", AtMost),
            ("cerca", About),
            ("alrededor", About),
        ],
    ),
    ("di", &[("più", AtLeast), ("meno", AtMost)]),
    ("zu", &[("bis", AtMost)]),
    ("moins", &[("au", AtLeast)]),
    ("menos", &[("al", AtLeast), ("lo", AtLeast)]),
    ("a", &[("fino", AtMost)]),
    ("à", &[("jusqu", AtMost)]),
    ("über", &[("", AtLeast)]),
    ("mindestens", &[("", AtLeast)]),
    ("höchstens", &[("", AtMost)]),
    ("maximal", &[("", AtMost)]),
    ("unter", &[("", AtMost)]),
    ("rund", &[("", About)]),
    ("etwa", &[("", About)]),
    ("ungefähr", &[("", About)]),
    ("knapp", &[("", About)]),
    ("fast", &[("", About)]),
    ("gut", &[("", About)]),
    ("environ", &[("", About)]),
    ("quelque", &[("", About)]),
    ("unos", &[("", About)]),
    ("unas", &[("", About)]),
    ("casi", &[("", About)]),
    ("hasta", &[("", AtMost)]),
    ("oltre", &[("", AtLeast)]),
    ("almeno", &[("", AtLeast)]),
    ("circa", &[("", About)]),
    ("quasi", &[("", About)]),
    ("ruim", &[("", AtLeast)]),
    ("minstens", &[("", AtLeast)]),
    ("maximaal", &[("", AtMost)]),
    ("bijna", &[("", About)]),
    ("ongeveer", &[("", About)]),
];

static CONTINENTAL_BY_LAST: LazyLock<Phrases> = LazyLock::new(|| Table::new(CONTINENTAL.iter().copied()));

/// The same in East Asian text.
const EAST_ASIAN: &[(&str, Bound)] = &[
    ("不超过", AtMost),
    ("不超過", AtMost),
    ("不低于", AtLeast),
    ("不低於", AtLeast),
    ("不少于", AtLeast),
    ("不少於", AtLeast),
    ("不到", AtMost),
    ("不足", AtMost),
    ("未满", AtMost),
    ("未滿", AtMost),
    ("少于", AtMost),
    ("少於", AtMost),
    ("上看", AtMost),
    ("最高可达", AtMost),
    ("最高可達", AtMost),
    ("最高可", AtMost),
    ("最高达", AtMost),
    ("最高達", AtMost),
    ("最长", AtMost),
    ("最長", AtMost),
    ("최장", AtMost),
    ("低於", AtMost),
    ("高於", AtLeast),
    ("多于", AtLeast),
    ("多達", AtMost),
    ("多达", AtMost),
    ("大于", AtLeast),
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

/// What follows an amount in East Asian text and English to the same effect; the longest first.
const BEHIND: &[(&str, Bound)] = &[
    (" or more", AtLeast),
    (" or higher", AtLeast),
    (" or above", AtLeast),
    (" or greater", AtLeast),
    (" or less", AtMost),
    (" or fewer", AtMost),
    (" or lower", AtMost),
    (" or below", AtMost),
    ("以上", AtLeast),
    ("以下", AtMost),
    ("以内", AtMost),
    ("以內", AtMost),
    ("を超", AtLeast),
    ("超え", AtLeast),
    ("超の", AtLeast),
    ("超と", AtLeast),
    ("超、", AtLeast),
    ("を上回", AtLeast),
    ("を下回", AtMost),
    ("未満", AtMost),
    ("未满", AtMost),
    ("未滿", AtMost),
    ("이상", AtLeast),
    (" 이상", AtLeast),
    ("이하", AtMost),
    (" 이하", AtMost),
    (" 이내", AtMost),
    ("이내", AtMost),
    (" 미만", AtMost),
    ("미만", AtMost),
    ("를 넘", AtLeast),
    ("을 넘", AtLeast),
    ("가 넘", AtLeast),
    ("이 넘", AtLeast),
    ("를 웃돌", AtLeast),
    ("을 웃돌", AtLeast),
    ("를 밑돌", AtMost),
    ("을 밑돌", AtMost),
];

/// What the text says of an amount behind it, which ends at `to`.
pub(super) fn bound_behind(text: Text<'_>, to: usize) -> Bound {
    if text.ch(to) == ' ' && text.ch(to + 1) != 'o' && text.ch(to + 1) < '\u{AC00}' {
        return Exact;
    }
    let found = BEHIND.iter().find(|(words, _)| text.literal(to, words).is_some());
    found.map_or(Exact, |(_, bound)| *bound)
}

/// What the text says of the number or the currency whose first unit is `from` and whose first token is `token`.
/// `continental` says that the text is in a language that parts decimals by commas.
pub(super) fn bound(
    document: &Document,
    text: Text<'_>,
    token: usize,
    from: usize,
    kind: AmountKind,
    continental: bool,
) -> Bound {
    match text.before(from) {
        '~' | '≈' | '∼' => return About,
        '<' | '≤' => return AtMost,
        '>' | '≥' => return AtLeast,
        _ => {}
    }
    let space_before = if text.before(from) == ' ' { from - 1 } else { from };
    if text.before(space_before) >= '\u{2E80}' {
        let found = EAST_ASIAN.iter().find(|(word, _)| text.literal_before(space_before, word).is_some());
        return found.map_or(Exact, |(_, bound)| *bound);
    }
    let Some(last) = word_before(document, text, token) else { return Exact };
    let known = |table: &Phrases| table.get(&last).is_some();
    if !(known(&BEFORE_BY_LAST) || continental && known(&CONTINENTAL_BY_LAST)) {
        return Exact;
    }
    let further = [1, 2].map(|back| token.checked_sub(back).and_then(|at| word_before(document, text, at)));
    let fits = |phrase: &str| {
        let mut words = phrase.split(' ').filter(|word| !word.is_empty()).zip(&further);
        words.all(|(word, found)| found.as_ref().is_some_and(|found| **found == *word))
    };
    let find =
        |table: &Phrases| table.get(&last).and_then(|phrases| phrases.iter().find(|(phrase, _)| fits(phrase)).copied());
    let continental = if continental { find(&CONTINENTAL_BY_LAST) } else { None };
    let Some((phrase, bound)) = continental.or_else(|| find(&BEFORE_BY_LAST)) else { return Exact };
    let alone = phrase.is_empty();
    let money = matches!(kind, AmountKind::Money | AmountKind::Share);
    // "spread over two dies"
    let few = !money && !text.ch(from).is_ascii_digit() && matches!(&*last, "over" | "under");
    if alone && few {
        return Exact;
    }
    if alone && (!money && OF_MONEY.contains(&&*last) || kind == AmountKind::Duration && OF_THINGS.contains(&&*last)) {
        return Exact;
    }
    bound
}

/// The word before the token at `at`, in small letters, where nothing but a space or a sign of money is between.
fn word_before<'a>(document: &Document, text: Text<'a>, at: usize) -> Option<Cow<'a, str>> {
    let token = document.token(at)?;
    let before = document.before(at).filter(|before| before.is(shape::LETTER))?;
    let joined = token.gap == Gap::Space
        || matches!(token.gap, Gap::Other | Gap::Apostrophe)
            && !text.has(before.end, token.start, |ch| !matches!(ch, ' ' | '$' | '€' | '£' | '¥' | '₩' | '₹' | '\''));
    joined.then(|| text.word(before.start).0)
}

/// A number that is not one of English, in [`numbers`].
pub(super) const FOREIGN: u8 = 0x80;

/// The words `a` and `one`, and those of other languages, in [`numbers`].
pub(super) const ONE: u8 = 1;
pub(super) const ONE_ELSEWHERE: u8 = 1 | FOREIGN;

/// The word `half`, in [`numbers`].
pub(super) const HALF: u8 = 0x7F;

/// Words that `a` and `one` count before; before others they are no numbers.
pub(crate) const COUNTED_BY_ONE: &[&str] = &[
    "hundred",
    "thousand",
    "million",
    "billion",
    "trillion",
    "lakh",
    "crore",
    "dozen",
    "quarter",
    "fifth",
    "tenth",
    "year",
    "month",
    "week",
    "decade",
    "day",
    "hour",
    "minute",
    "mile",
    "ampere",
    "milliard",
    "milliarde",
    "miljard",
    "miliardo",
    "millón",
    "milione",
    "miljoen",
    "an",
    "jahr",
    "jaar",
    "año",
    "anno",
    "mois",
    "mes",
    "monat",
    "maand",
    "woche",
    "semaine",
    "semana",
];

/// Words that are numbers. `one` and `a` count before some words only: "a billion dollars".
const NUMBERS: &[(&str, u8)] = &[
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
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("half", HALF),
];

/// The same in German, French, Spanish, Italian and Dutch, but for those that English has as well.
const OTHERS: &[(&str, u8)] = &[
    ("ein", 1),
    ("eine", 1),
    ("einem", 1),
    ("einen", 1),
    ("un", 1),
    ("une", 1),
    ("una", 1),
    ("een", 1),
    ("zwei", 2),
    ("drei", 3),
    ("vier", 4),
    ("fünf", 5),
    ("sechs", 6),
    ("sieben", 7),
    ("acht", 8),
    ("neun", 9),
    ("zehn", 10),
    ("elf", 11),
    ("zwölf", 12),
    ("fünfzehn", 15),
    ("zwanzig", 20),
    ("dreißig", 30),
    ("fünfzig", 50),
    ("hundert", 100),
    ("deux", 2),
    ("trois", 3),
    ("quatre", 4),
    ("cinq", 5),
    ("sept", 7),
    ("huit", 8),
    ("neuf", 9),
    ("dix", 10),
    ("onze", 11),
    ("douze", 12),
    ("quinze", 15),
    ("vingt", 20),
    ("trente", 30),
    ("cent", 100),
    ("dos", 2),
    ("tres", 3),
    ("cuatro", 4),
    ("cinco", 5),
    ("seis", 6),
    ("siete", 7),
    ("ocho", 8),
    ("nueve", 9),
    ("diez", 10),
    ("doce", 12),
    ("quince", 15),
    ("veinte", 20),
    ("due", 2),
    ("tre", 3),
    ("quattro", 4),
    ("cinque", 5),
    ("sei", 6),
    ("sette", 7),
    ("otto", 8),
    ("nove", 9),
    ("dieci", 10),
    ("dodici", 12),
    ("venti", 20),
    ("cento", 100),
    ("twee", 2),
    ("drie", 3),
    ("vijf", 5),
    ("zes", 6),
    ("zeven", 7),
    ("negen", 9),
    ("tien", 10),
    ("twaalf", 12),
    ("vijftien", 15),
    ("zestien", 16),
    ("twintig", 20),
    ("dertig", 30),
    ("vijftig", 50),
    ("honderd", 100),
];

/// All words that are numbers, with their values.
pub(crate) fn numbers() -> impl Iterator<Item = (&'static str, u32)> {
    let others = OTHERS.iter().map(|(word, value)| (*word, u32::from(*value | FOREIGN)));
    NUMBERS.iter().map(|(word, value)| (*word, u32::from(*value))).chain(others)
}
