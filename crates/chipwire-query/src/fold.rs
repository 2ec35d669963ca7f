//! How letters are made comparable, and which scripts are written without spaces.

use unicode_normalization::UnicodeNormalization;

/// The most bytes of a token's text; what is longer is cut, in documents and queries alike.
const MAX_TOKEN_BYTES: usize = 128;

/// Appends the folded form of `raw` to `out`: compatibility forms, upper case and diacritics are gone.
///
/// NFKD, without the combining diacritics of Latin, Greek and Cyrillic (U+0300–U+036F), in lower case, a few letters
/// that Unicode does not decompose written out, then NFC. The marks of other scripts carry meaning and stay.
pub(crate) fn fold_into(raw: &str, out: &mut String) {
    if raw.is_ascii() {
        out.extend(raw.chars().map(|c| c.to_ascii_lowercase()));
    } else {
        let lower = raw.nfkd().filter(|c| !matches!(c, '\u{300}'..='\u{36F}') && !is_joiner(*c));
        let written_out = lower.flat_map(char::to_lowercase).flat_map(|c| {
            let (first, second) = spell(c);
            std::iter::once(first).chain(second)
        });
        out.extend(written_out.filter(|c| !matches!(c, '\u{300}'..='\u{36F}')).nfc());
    }
    if out.len() > MAX_TOKEN_BYTES {
        out.truncate(out.floor_char_boundary(MAX_TOKEN_BYTES));
    }
}

/// Letters that have no decomposition but are commonly typed as others.
fn spell(c: char) -> (char, Option<char>) {
    match c {
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' | 'ð' => ('d', None),
        'ħ' => ('h', None),
        'ı' => ('i', None),
        'ς' => ('σ', None),
        other => (other, None),
    }
}

/// Characters that are invisible inside a word: soft hyphen, zero-width (non-)joiner, word joiner, byte order mark.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// The characters that stand for an apostrophe.
pub(crate) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ' | '＇')
}

/// True for the scripts whose words are not, or not reliably, set apart by spaces: Chinese, Japanese and Korean, and
/// Thai, Lao, Burmese and Khmer.
pub(crate) fn is_unspaced(c: char) -> bool {
    if c < '\u{E00}' {
        return false;
    }
    matches!(c,
        '\u{0E00}'..='\u{0EFF}'     // Thai, Lao
        | '\u{1000}'..='\u{109F}'   // Burmese
        | '\u{1100}'..='\u{11FF}'   // Hangul Jamo
        | '\u{1780}'..='\u{17FF}'   // Khmer
        | '\u{3005}'..='\u{3007}'   // ideographic iteration mark, closing mark, zero
        | '\u{3031}'..='\u{3035}'
        | '\u{3041}'..='\u{31FF}'   // Kana, Bopomofo, Hangul compatibility Jamo
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{A960}'..='\u{A97F}'
        | '\u{AC00}'..='\u{D7FF}'   // Hangul
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FF66}'..='\u{FFDC}'   // half-width Kana and Hangul
        | '\u{20000}'..='\u{323AF}')
}

/// True for a character that belongs to the one before it: a combining mark, a half-width voicing mark, or the vowel
/// and the final consonant of a Hangul syllable in decomposed form.
pub(crate) fn is_extender(c: char) -> bool {
    c >= '\u{300}'
        && (unicode_normalization::char::is_combining_mark(c)
            || is_joiner(c)
            || matches!(c, '\u{1160}'..='\u{11FF}' | '\u{D7B0}'..='\u{D7FF}' | '\u{FF9E}' | '\u{FF9F}'))
}

/// True for a character that words are made of. Combining marks are not: they only continue a word.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() && !is_apostrophe(c)
}
