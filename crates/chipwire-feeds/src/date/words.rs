//! The words of dates: [`MONTHS`], zones, halves of the day.
//!
//! All tables are in the form that [`fold`] makes: small letters without accents.

use std::{collections::HashMap, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

use super::months::{self, MONTHS};

/// Short names of days that are names of months too: `mar` is Tuesday in French, Italian and Spanish, `sub`
/// Saturday in Croatian.
const DAYS_LIKE_MONTHS: &[&str] = &["mar", "sub"];

/// Names of days where they stand inside a date or after it. In front of it any word may stand.
const WEEKDAYS: &[&str] = &[
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "月",
    "火",
    "水",
    "木",
    "金",
    "土",
    "日",
    "월",
    "화",
    "수",
    "목",
    "금",
    "토",
    "일",
    "周一",
    "周二",
    "周三",
    "周四",
    "周五",
    "周六",
    "周日",
    "星期一",
    "星期二",
    "星期三",
    "星期四",
    "星期五",
    "星期六",
    "星期日",
    "星期天",
];

/// Names of zones, as minutes east of Greenwich. Of names with two meanings the one that feeds use.
const ZONES: &[(&str, i32)] = &[
    ("z", 0),
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("uct", 0),
    ("zulu", 0),
    ("universal", 0),
    ("wet", 0),
    ("est", -300),
    ("edt", -240),
    ("et", -300),
    ("cst", -360),
    ("cdt", -300),
    ("ct", -360),
    ("mst", -420),
    ("mdt", -360),
    ("mt", -420),
    ("pst", -480),
    ("pdt", -420),
    ("pt", -480),
    ("akst", -540),
    ("akdt", -480),
    ("hst", -600),
    ("ast", -240),
    ("adt", -180),
    ("at", -240),
    ("nst", -210),
    ("ndt", -150),
    ("brt", -180),
    ("art", -180),
    ("clt", -240),
    ("bst", 60),
    ("west", 60),
    ("cet", 60),
    ("met", 60),
    ("mewt", 60),
    ("mez", 60),
    ("wat", 60),
    ("cest", 120),
    ("mest", 120),
    ("mesz", 120),
    ("cat", 120),
    ("eet", 120),
    ("sast", 120),
    ("idt", 180),
    ("eest", 180),
    ("eat", 180),
    ("msk", 180),
    ("msd", 240),
    ("gst", 240),
    ("pkt", 300),
    ("ist", 330),
    ("npt", 345),
    ("ict", 420),
    ("wib", 420),
    ("hkt", 480),
    ("sgt", 480),
    ("awst", 480),
    ("pht", 480),
    ("jst", 540),
    ("kst", 540),
    ("acst", 570),
    ("acdt", 630),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
];

/// Zones with several meanings, with those by language.
const ZONES_BY_LANGUAGE: &[(&str, &[(&str, i32)])] = &[
    (
        "ist",
        &[
            ("en-in", 330),
            ("hi", 330),
            ("bn", 330),
            ("ta", 330),
            ("te", 330),
            ("mr", 330),
            ("gu", 330),
            ("kn", 330),
            ("ml", 330),
            ("pa", 330),
            ("en-ie", 60),
            ("ga", 60),
            ("he", 120),
            ("iw", 120),
        ],
    ),
    ("cst", &[("en-us", -360), ("en-ca", -360), ("es-mx", -360), ("zh", 480)]),
    ("bst", &[("en-gb", 60), ("cy", 60), ("gd", 60), ("bn", 360)]),
];

/// Words for the half of the day before and after noon.
const HALVES: &[(&str, bool)] = &[
    ("am", false),
    ("a.m", false),
    ("pm", true),
    ("p.m", true),
    ("上午", false),
    ("下午", true),
    ("午前", false),
    ("午後", true),
    ("오전", false),
    ("오후", true),
];

/// Words that say nothing.
const FILLERS: &[&str] = &[
    "", "-", "|", "@", "at", "um", "uhr", "de", "del", "a", "as", "the", "of", "on", "den", "der", "le", "il", "el",
    "kl", "klo", "klokken", "г", "года", "в", "р", "o'clock", "h",
];

/// Small letters without accents, digits as ASCII.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            _ if c.is_ascii() => out.push(c),
            'ı' => out.push('i'),
            'ł' => out.push('l'),
            'ø' => out.push('o'),
            'đ' => out.push('d'),
            'ё' => out.push('е'),
            'ς' => out.push('σ'),
            // Arabic, Persian, Devanagari and wide digits.
            '\u{660}'..='\u{669}' => push_digit(&mut out, c, '\u{660}'),
            '\u{6f0}'..='\u{6f9}' => push_digit(&mut out, c, '\u{6f0}'),
            '\u{966}'..='\u{96f}' => push_digit(&mut out, c, '\u{966}'),
            '０'..='９' => push_digit(&mut out, c, '０'),
            // Latin, Greek, Cyrillic, Hebrew and Arabic letters lose their marks.
            '\u{80}'..='\u{6ff}' | '\u{1e00}'..='\u{1fff}' => {
                out.extend(
                    std::iter::once(c).nfd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}' | '\u{653}'..='\u{655}')),
                );
            }
            _ => out.push(c),
        }
    }
    out
}

fn push_digit(out: &mut String, c: char, zero: char) {
    out.extend(char::from_digit(u32::from(c) - u32::from(zero), 10));
}

/// All that a word can mean.
#[derive(Debug, Default, Clone, Copy)]
struct Meanings {
    month: Option<i8>,
    may_be_day: bool,
    zone: Option<i32>,
    afternoon: Option<bool>,
    is_weekday: bool,
    is_filler: bool,
}

/// The tables by word: a date is looked up in them several times, and there are many dates.
static WORDS: LazyLock<HashMap<&'static str, Meanings>> = LazyLock::new(|| {
    let mut words: HashMap<&'static str, Meanings> = HashMap::new();
    for (_, months) in MONTHS {
        for (forms, month) in months.iter().zip(1..) {
            for form in forms.split('|') {
                words.entry(form).or_default().month = Some(month);
            }
        }
    }
    for (name, minutes) in ZONES {
        words.entry(name).or_default().zone = Some(*minutes);
    }
    for (name, afternoon) in HALVES {
        words.entry(name).or_default().afternoon = Some(*afternoon);
    }
    for name in DAYS_LIKE_MONTHS {
        words.entry(name).or_default().may_be_day = true;
    }
    for name in WEEKDAYS {
        words.entry(name).or_default().is_weekday = true;
    }
    for name in FILLERS {
        words.entry(name).or_default().is_filler = true;
    }
    words
});

fn meanings(word: &str) -> Meanings {
    // Most tokens are numbers.
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return Meanings::default();
    }
    WORDS.get(word).copied().unwrap_or_default()
}

/// The month, from 1, that a folded word names.
pub(super) fn month(word: &str) -> Option<i8> {
    meanings(word).month
}

/// The month that a folded word names in a language (a BCP 47 tag in small letters), and whether that is sure.
pub(super) fn month_in(word: &str, language: Option<&str>) -> Option<(i8, bool)> {
    Some(in_language(month(word)?, word, months::BY_LANGUAGE, language))
}

/// As [`month_in`], of the minutes east of Greenwich of a zone's name.
pub(super) fn zone_in(word: &str, language: Option<&str>) -> Option<(i32, bool)> {
    Some(in_language(zone(word)?, word, ZONES_BY_LANGUAGE, language))
}

/// What a word means: `usual`, unless it has several meanings and the language is known. And whether that is sure.
fn in_language<T: Copy>(usual: T, word: &str, table: &[(&str, &[(&str, T)])], language: Option<&str>) -> (T, bool) {
    let Some((_, meanings)) = table.iter().find(|(known, _)| *known == word) else { return (usual, true) };
    let language = language.unwrap_or_default();
    let is_of = |tag: &str| language.strip_prefix(tag).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let settled = meanings.iter().find(|(tag, _)| is_of(tag)).map(|(_, meaning)| *meaning);
    (settled.unwrap_or(usual), settled.is_some())
}

/// Whether a name of a month may be one of a day as well.
pub(super) fn may_be_day(word: &str) -> bool {
    meanings(word).may_be_day
}

/// Minutes east of Greenwich of a zone's name.
pub(super) fn zone(word: &str) -> Option<i32> {
    meanings(word).zone
}

/// Whether a word means the half of the day after noon. None if it is about something else.
pub(super) fn afternoon(word: &str) -> Option<bool> {
    meanings(word).afternoon
}

pub(super) fn is_weekday(word: &str) -> bool {
    meanings(word).is_weekday
}

pub(super) fn is_filler(word: &str) -> bool {
    meanings(word).is_filler
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn no_word_means_two_months() {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for (language, months) in MONTHS {
            for (month, forms) in months.iter().enumerate() {
                for form in forms.split('|') {
                    assert_eq!(fold(form), form, "{language}");
                    let before = known.insert(form, month);
                    assert!(before.is_none_or(|before| before == month), "{form} in {language}");
                }
            }
        }
    }

    #[test]
    fn names_are_folded() {
        for (name, month_number) in [
            ("März", 3),
            ("Août", 8),
            ("Şubat", 2),
            ("Kasım", 11),
            ("Grudzień", 12),
            ("Ιούλ", 7),
            ("Μαΐου", 5),
            ("Май", 5),
            ("ЯНВ", 1),
            ("أبريل", 4),
        ] {
            assert_eq!(month(&fold(name)).unwrap_or_default(), month_number, "{name}");
        }
        assert_eq!(fold("２０２６٣"), "20263");
    }
}
