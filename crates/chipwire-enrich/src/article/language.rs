//! The language that a text is written in.
//!
//! The script decides for Chinese, Japanese and Korean. In Latin letters the small words that every sentence has are counted,
//! which costs nothing, as they are numbered with all other words; where they leave it open, and for other scripts, trigrams
//! decide (whatlang). Of what is too short for either no language is told.

use chipwire_events::DetectedLanguage;
use whatlang::{Lang, Script};

use super::Scene;
use crate::{
    matcher::{Document, shape},
    view::BREAK,
};

/// Tokens that are looked at.
const TOKENS: usize = 120;
/// Characters that trigrams are counted in.
const SAMPLE: usize = 480;
/// Letters below which trigrams are chance.
const LETTERS_MIN: usize = 48;
/// Han characters, kana or Hangul syllables below which a text is a name at most.
const EAST_ASIAN_MIN: usize = 5;
/// Small words of a language below which they are chance.
const SMALL_WORDS_MIN: usize = 4;
/// The same in a table, where there are few.
const IN_TABLE_MIN: usize = 3;

/// The same where no other language has any.
const ALONE_MIN: usize = 3;

/// Small words by language; what two languages have speaks for both. The Scandinavian ones have too many in common to be here.
pub(super) const SMALL_WORDS: [(&str, &[&str]); 11] = [
    (
        "en",
        &[
            "the", "of", "and", "to", "in", "for", "is", "on", "that", "with", "from", "by", "was", "will", "said",
            "its", "has", "are", "have", "be", "an", "this", "at", "as", "it", "which", "were", "after",
        ],
    ),
    (
        "de",
        &[
            "der", "die", "das", "und", "den", "von", "zu", "mit", "für", "auf", "ist", "im", "nicht", "ein", "eine",
            "dem", "sich", "des", "auch", "bei", "nach", "in", "hat", "einen", "wird",
        ],
    ),
    (
        "fr",
        &[
            "le", "la", "les", "des", "et", "du", "en", "est", "dans", "une", "un", "pour", "que", "qui", "sur", "au",
            "par", "avec", "pas", "plus", "de", "ses", "aux", "ce",
        ],
    ),
    (
        "es",
        &[
            "el", "la", "los", "las", "de", "y", "en", "que", "del", "un", "una", "por", "con", "para", "se", "su",
            "al", "es", "más", "sus", "como",
        ],
    ),
    (
        "it",
        &[
            "il", "di", "che", "e", "la", "per", "del", "della", "un", "una", "con", "in", "è", "gli", "le", "si",
            "dei", "nel", "alla", "ha", "sono",
        ],
    ),
    (
        "pt",
        &[
            "o", "a", "de", "que", "e", "do", "da", "em", "um", "uma", "para", "com", "não", "os", "no", "na", "dos",
            "por", "ao", "se", "mais",
        ],
    ),
    (
        "nl",
        &[
            "de", "het", "een", "van", "en", "in", "is", "op", "te", "dat", "voor", "met", "zijn", "aan", "niet",
            "die", "ook", "door", "naar", "wordt",
        ],
    ),
    ("pl", &["i", "w", "z", "na", "do", "się", "nie", "że", "jest", "to", "od", "za", "po", "przez", "oraz", "dla"]),
    ("tr", &["ve", "bir", "bu", "için", "ile", "olarak", "daha", "en", "çok", "olan", "göre"]),
    ("id", &["yang", "dan", "di", "untuk", "dengan", "dari", "ini", "pada", "tidak", "akan", "dalam", "oleh"]),
    ("vi", &["của", "và", "là", "các", "trong", "cho", "được", "có", "với", "một", "những", "này"]),
];

/// Characters of one of the two ways to write Chinese alone.
const SIMPLIFIED: &str =
    "国这来时说对会发经产业电亿万与为从关们个东车长门问间马见开学将动务后应对实现总统报进过还让认设计标";
const TRADITIONAL: &str =
    "國這來時說對會發經產業電億萬與為從關們個東車長門問間馬見開學將動務後應對實現總統報進過還讓認設計標";

/// What a text is made of, in letters.
#[derive(Debug, Default)]
struct Letters {
    latin: usize,
    han: usize,
    kana: usize,
    hangul: usize,
    other: usize,
    /// Words of letters, and numbers.
    words: usize,
    numbers: usize,
    simplified: usize,
    traditional: usize,
    /// Small words, by language.
    small: [usize; SMALL_WORDS.len()],
}

/// The language of the document, where it is clear.
pub(super) fn language(scene: &Scene<'_>) -> Option<DetectedLanguage> {
    let letters = count(scene);
    // A Han character says as much as half a word.
    let east_asian = letters.han + letters.kana + letters.hangul;
    if east_asian * 3 > letters.latin + letters.other {
        return of_east_asia(&letters, east_asian);
    }
    // What stands between the numbers of a table are abbreviations, which have the trigrams of no language.
    let table = letters.numbers * 3 > letters.words;
    if letters.latin > letters.other
        && let Some(found) = by_small_words(&letters, if table { IN_TABLE_MIN } else { SMALL_WORDS_MIN })
    {
        return Some(found);
    }
    if table || letters.latin.max(letters.other) < LETTERS_MIN {
        return None;
    }
    by_trigrams(scene.document).filter(|found| {
        // A text that is long enough for trigrams has one of the small words of its language.
        let mut known = SMALL_WORDS.iter().zip(&letters.small).filter(|((tag, _), _)| *tag == found.tag);
        known.all(|(_, count)| *count > 0)
    })
}

fn count(scene: &Scene<'_>) -> Letters {
    let mut letters = Letters::default();
    for token in scene.document.tokens.iter().take(TOKENS) {
        if !token.is(shape::LETTER) {
            letters.numbers += 1;
            continue;
        }
        letters.words += 1;
        let length = token.end - token.start;
        if token.is(shape::ASCII) {
            letters.latin += length;
        } else if token.is(shape::HANGUL) {
            letters.hangul += length;
        } else {
            match scene.document.ch(token.start).unwrap_or_default() {
                '\u{3040}'..='\u{30FF}' => letters.kana += length,
                ch if token.is(shape::EAST_ASIAN) => {
                    letters.han += length;
                    let (simplified, traditional) = (SIMPLIFIED.contains(ch), TRADITIONAL.contains(ch));
                    letters.simplified += usize::from(simplified && !traditional);
                    letters.traditional += usize::from(traditional && !simplified);
                }
                ch if ch < '\u{370}' || matches!(ch, '\u{1E00}'..='\u{1EFF}') => letters.latin += length,
                _ => letters.other += length,
            }
        }
        let mut languages = scene.lexis.languages(token);
        while languages != 0 {
            if let Some(small) = letters.small.get_mut(languages.trailing_zeros() as usize) {
                *small += 1;
            }
            languages &= languages - 1;
        }
    }
    letters
}

fn of_east_asia(letters: &Letters, all: usize) -> Option<DetectedLanguage> {
    if all < EAST_ASIAN_MIN {
        return None;
    }
    let (tag, most) = if letters.hangul * 2 > all {
        ("ko", letters.hangul)
    } else if letters.kana * 10 > all {
        ("ja", letters.kana + letters.han)
    } else if letters.simplified > letters.traditional {
        ("zh-Hans", letters.han)
    } else if letters.traditional > letters.simplified {
        ("zh-Hant", letters.han)
    } else {
        ("zh", letters.han)
    };
    told(tag, share(most, all))
}

/// By the small words of the text, if one language has far more of them than any other and at least `least`, or alone has some.
fn by_small_words(letters: &Letters, least: usize) -> Option<DetectedLanguage> {
    let mut counts: Vec<(usize, &str)> =
        letters.small.iter().zip(SMALL_WORDS).map(|(count, (tag, _))| (*count, tag)).collect();
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let [(most, tag), (second, _), ..] = counts.as_slice() else { return None };
    let alone = *second == 0 && *most >= ALONE_MIN;
    (alone || *most >= least && *most >= second * 2).then(|| told(tag, share(*most, most + second)))?
}

fn by_trigrams(document: &Document) -> Option<DetectedLanguage> {
    let view = document.view();
    let sample = view.chars(0, view.len().min(SAMPLE));
    let sample: String = sample.map(|ch| if ch == BREAK { ' ' } else { ch }).collect();
    let info = whatlang::detect(&sample)?;
    let alone = !matches!(info.script(), Script::Latin | Script::Cyrillic | Script::Arabic | Script::Devanagari);
    (alone || info.is_reliable()).then(|| told(tag(info.lang()), info.confidence()))?
}

/// How sure it is, never more than 0.99.
fn told(tag: &str, confidence: f64) -> Option<DetectedLanguage> {
    let confidence = (confidence.min(0.99) * 100.0).round() / 100.0;
    Some(DetectedLanguage { tag: tag.to_owned(), confidence })
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few hundred")]
fn share(part: usize, all: usize) -> f64 {
    part as f64 / all.max(1) as f64
}

/// The tag of BCP 47: two letters where there are such.
fn tag(lang: Lang) -> &'static str {
    match lang {
        Lang::Epo => "eo",
        Lang::Eng => "en",
        Lang::Rus => "ru",
        Lang::Cmn => "zh",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Ben => "bn",
        Lang::Fra => "fr",
        Lang::Deu => "de",
        Lang::Ukr => "uk",
        Lang::Kat => "ka",
        Lang::Ara => "ar",
        Lang::Hin => "hi",
        Lang::Jpn => "ja",
        Lang::Heb => "he",
        Lang::Yid => "yi",
        Lang::Pol => "pl",
        Lang::Amh => "am",
        Lang::Jav => "jv",
        Lang::Kor => "ko",
        Lang::Nob => "nb",
        Lang::Dan => "da",
        Lang::Swe => "sv",
        Lang::Fin => "fi",
        Lang::Tur => "tr",
        Lang::Nld => "nl",
        Lang::Hun => "hu",
        Lang::Ces => "cs",
        Lang::Ell => "el",
        Lang::Bul => "bg",
        Lang::Bel => "be",
        Lang::Mar => "mr",
        Lang::Kan => "kn",
        Lang::Ron => "ro",
        Lang::Slv => "sl",
        Lang::Hrv => "hr",
        Lang::Srp => "sr",
        Lang::Mkd => "mk",
        Lang::Lit => "lt",
        Lang::Lav => "lv",
        Lang::Est => "et",
        Lang::Tam => "ta",
        Lang::Vie => "vi",
        Lang::Urd => "ur",
        Lang::Tha => "th",
        Lang::Guj => "gu",
        Lang::Uzb => "uz",
        Lang::Pan => "pa",
        Lang::Aze => "az",
        Lang::Ind => "id",
        Lang::Tel => "te",
        Lang::Pes => "fa",
        Lang::Mal => "ml",
        Lang::Ori => "or",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Sin => "si",
        Lang::Khm => "km",
        Lang::Tuk => "tk",
        Lang::Aka => "ak",
        Lang::Zul => "zu",
        Lang::Sna => "sn",
        Lang::Afr => "af",
        Lang::Lat => "la",
        Lang::Slk => "sk",
        Lang::Cat => "ca",
        Lang::Tgl => "tl",
        Lang::Hye => "hy",
        // Whatever comes later is told by its three letters, which BCP 47 allows where there are no two.
        other => other.code(),
    }
}
