//! Nouns that are counted: the plural behind a number, where it can be told from a verb.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::text::Text;
use crate::matcher::{Gap, Token, shape};

/// What a word behind a number is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// What is counted, in the singular.
    Noun(String),
    /// A word that may stand before what is counted.
    Describes,
    Neither,
}

/// Words that end as a plural does and are none, or count nothing: verbs, and what belongs to another amount.
const NO_NOUNS: &[&str] = &[
    "adds",
    "allows",
    "always",
    "appears",
    "arrives",
    "asks",
    "beats",
    "becomes",
    "begins",
    "besides",
    "brings",
    "buys",
    "cents",
    "comes",
    "costs",
    "crosses",
    "delivers",
    "does",
    "ends",
    "exceeds",
    "falls",
    "features",
    "fills",
    "follows",
    "gets",
    "gives",
    "goes",
    "has",
    "helps",
    "hits",
    "holds",
    "includes",
    "is",
    "its",
    "keeps",
    "launches",
    "leads",
    "leaves",
    "lets",
    "lies",
    "looks",
    "makes",
    "means",
    "needs",
    "news",
    "offers",
    "others",
    "outperforms",
    "outsells",
    "perhaps",
    "pence",
    "pounds",
    "plus",
    "points",
    "puts",
    "reaches",
    "remains",
    "requires",
    "rises",
    "runs",
    "says",
    "seems",
    "sells",
    "shows",
    "sits",
    "starts",
    "supports",
    "takes",
    "tells",
    "thanks",
    "this",
    "times",
    "towards",
    "uses",
    "wants",
    "was",
    "wins",
    "works",
    "yes",
    "things",
    "ways",
    "reasons",
    "lessons",
    "names",
    "sides",
    "takeaways",
    "hands",
    "words",
    "bis",
    "dans",
    "dos",
    "las",
    "los",
    "les",
    "des",
    "pas",
    "plus",
    "mas",
    "tras",
    "sales",
];

/// Of these, such as are nouns behind a number that is no name.
const BOTH: &[&str] = &["points"];

/// Plurals without an `s`.
const IRREGULAR: &[(&str, &str)] = &[
    ("men", "man"),
    ("women", "woman"),
    ("children", "child"),
    ("teeth", "tooth"),
    ("mice", "mouse"),
    ("police", "police"),
    ("personnel", "employee"),
    ("series", "series"),
    ("species", "species"),
    ("aircraft", "aircraft"),
    ("criteria", "criterion"),
    ("startups", "startup"),
    ("anchovies", "anchovy"),
];

/// Words between which and a number nothing is counted.
const ENDS: &[&str] = &[
    "am", "pm", "percent", "p", "no", "not", "also", "then", "now", "there", "here", "if", "so", "can", "may", "could",
    "should", "must", "might", "did", "do", "had", "he", "she", "we", "you", "they", "i", "who", "what", "where",
    "how", "why", "whose", "because", "although", "though", "against", "versus", "vs", "without", "within", "across",
    "per", "each", "ago", "later", "earlier", "times", "above", "below", "out", "up", "down", "off", "back", "went",
    "came", "got", "made", "took", "gave", "rose", "fell", "still", "again", "too", "both", "any", "every", "these",
    "those", "such", "my", "your", "our", "her", "his", "your", "half", "or", "won",
];

/// Months, which are written with a capital and follow the number of a day.
const GERMAN_CAPITALS_NO_NOUNS: &[&str] = &[
    "januar",
    "februar",
    "märz",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "dezember",
    "uhr",
    "prozent",
    "euro",
    "dollar",
    "millionen",
    "milliarden",
];

/// Whether the word is one of [`NO_NOUNS`].
fn is_no_noun(word: &str) -> bool {
    static SET: LazyLock<FxHashSet<&str>> = LazyLock::new(|| NO_NOUNS.iter().copied().collect());
    SET.contains(word)
}

/// What the word `token` is; `small` says that its capital, if it has one, means nothing, and `first` that it is right behind the
/// number.
pub(super) fn counted(text: Text<'_>, token: &Token, small: bool, first: bool, continental: bool) -> Answer {
    let (word, end) = text.word(token.start);
    if end != token.end || word.len() < 2 {
        return if token.is(shape::UPPER) { Answer::Describes } else { Answer::Neither };
    }
    if continental {
        return foreign(text, token, &word, first);
    }
    let acronyms = text.ch(token.start + 1).is_ascii_uppercase();
    if acronyms && !small {
        let plural = word.ends_with('s') && !text.ch(end - 1).is_ascii_uppercase();
        return if plural {
            Answer::Noun(text.written(token.start).0.trim_end_matches('s').to_owned())
        } else {
            Answer::Describes
        };
    }
    if !small || ENDS.contains(&&*word) {
        return Answer::Neither;
    }
    if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| **plural == *word) {
        return Answer::Noun((*singular).to_owned());
    }
    if !word.ends_with('s')
        || ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending))
        || word.len() < if token.gap == Gap::Hyphen { 3 } else { 4 }
    {
        return Answer::Describes;
    }
    if is_no_noun(&word) && !BOTH.contains(&&*word) {
        return Answer::Neither;
    }
    Answer::Noun(singular(&word))
}

/// The same in languages other than English, where only the word right behind the number is looked at.
fn foreign(text: Text<'_>, token: &Token, word: &str, first: bool) -> Answer {
    let noun = word.chars().count() >= 4
        && if token.is(shape::CAPITAL) {
            !GERMAN_CAPITALS_NO_NOUNS.contains(&word) && !token.is(shape::UPPER)
        } else {
            first
                && ["es", "s", "en", "ni", "nti", "ti", "ri", "li"].iter().any(|ending| word.ends_with(ending))
                && !word.ends_with("schen")
                && !is_no_noun(word)
        };
    let month = matches!(
        word,
        "mars"
            | "maart"
            | "augustus"
            | "gennaio"
            | "febbraio"
            | "settembre"
            | "meses"
            | "fois"
            | "veces"
            | "keer"
            | "anderen"
            | "seulement"
    );
    if noun && !month { Answer::Noun((*text.written(token.start).0).to_owned()) } else { Answer::Neither }
}

/// The singular of a regular plural.
fn singular(word: &str) -> String {
    let stem = |ending: &str| word.strip_suffix(ending);
    if let Some(stem) = stem("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for ending in ["ches", "shes", "sses", "xes", "zzes"] {
        if word.ends_with(ending) {
            return word.strip_suffix("es").unwrap_or(word).to_owned();
        }
    }
    stem("s").unwrap_or(word).to_owned()
}
