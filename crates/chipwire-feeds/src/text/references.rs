//! References to characters, as HTML has them.

use std::borrow::Cow;

use super::is_legal;

/// References that HTML knows without their semicolon as well (HTML, section 13.5).
#[rustfmt::skip]
const WITHOUT_SEMICOLON: &[&str] = &[
    "AElig", "AMP", "Aacute", "Acirc", "Agrave", "Aring", "Atilde", "Auml", "COPY", "Ccedil", "ETH", "Eacute", "Ecirc",
    "Egrave", "Euml", "GT", "Iacute", "Icirc", "Igrave", "Iuml", "LT", "Ntilde", "Oacute", "Ocirc", "Ograve", "Oslash",
    "Otilde", "Ouml", "QUOT", "REG", "THORN", "Uacute", "Ucirc", "Ugrave", "Uuml", "Yacute", "aacute", "acirc", "acute",
    "aelig", "agrave", "amp", "aring", "atilde", "auml", "brvbar", "ccedil", "cedil", "cent", "copy", "curren", "deg",
    "divide", "eacute", "ecirc", "egrave", "eth", "euml", "frac12", "frac14", "frac34", "gt", "iacute", "icirc",
    "iexcl", "igrave", "iquest", "iuml", "laquo", "lt", "macr", "micro", "middot", "nbsp", "not", "ntilde", "oacute",
    "ocirc", "ograve", "ordf", "ordm", "oslash", "otilde", "ouml", "para", "plusmn", "pound", "quot", "raquo", "reg",
    "sect", "shy", "sup1", "sup2", "sup3", "szlig", "thorn", "times", "uacute", "ucirc", "ugrave", "uml", "uuml",
    "yacute", "yen", "yuml",
];

/// Decodes every entity of a text once. Those without a semicolon stay: in an address they are the names of parameters.
pub fn decode_entities(text: &str) -> Cow<'_, str> {
    decode(text, entity)
}

/// As [`decode_entities`], with the references that HTML knows without a semicolon: for text that is read.
pub(crate) fn decode_text(text: &str) -> Cow<'_, str> {
    decode(text, |from| entity(from).or_else(|| unfinished(from)))
}

fn decode(text: &str, reference: impl Fn(&str) -> Option<(Cow<'static, str>, usize)>) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match reference(from) {
            Some((value, length)) => {
                out.push_str(&value);
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The characters that the reference at the start of `text` stands for, and its length in bytes.
pub(crate) fn entity(text: &str) -> Option<(Cow<'static, str>, usize)> {
    let inside = text.strip_prefix('&')?;
    // The longest name of HTML has 31 letters.
    let end = inside.bytes().take(40).position(|byte| byte == b';')?;
    let name = inside.get(..end)?;
    let length = end + 2;
    if name.starts_with('#') {
        return Some((character(code_point(name)?), length));
    }
    match name {
        "amp" | "AMP" => Some((Cow::Borrowed("&"), length)),
        "lt" | "LT" => Some((Cow::Borrowed("<"), length)),
        "gt" | "GT" => Some((Cow::Borrowed(">"), length)),
        "quot" | "QUOT" => Some((Cow::Borrowed("\""), length)),
        "apos" => Some((Cow::Borrowed("'"), length)),
        "nbsp" => Some((Cow::Borrowed("\u{a0}"), length)),
        _ => {
            let table = &html_escape::NAMED_ENTITIES;
            let found = table.binary_search_by(|(entry, _)| (*entry).cmp(name.as_bytes())).ok()?;
            table.get(found).map(|(_, value)| (Cow::Borrowed(*value), length))
        }
    }
}

/// As [`entity`], of a reference without its semicolon. More careful than a browser: `&notes` is a word.
fn unfinished(text: &str) -> Option<(Cow<'static, str>, usize)> {
    let inside = text.strip_prefix('&')?;
    if let Some(number) = inside.strip_prefix('#') {
        let hex = number.starts_with(['x', 'X']);
        let digits = number.get(usize::from(hex)..)?;
        let is_digit = |c: char| if hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
        let length = digits.find(|c: char| !is_digit(c)).unwrap_or(digits.len());
        let value = u32::from_str_radix(digits.get(..length)?, if hex { 16 } else { 10 }).ok()?;
        return Some((character(value), "&#".len() + usize::from(hex) + length));
    }
    let name = WITHOUT_SEMICOLON.iter().filter(|name| inside.starts_with(**name)).max_by_key(|name| name.len())?;
    let after = inside.get(name.len()..)?.chars().next();
    if after.is_some_and(|c| c.is_ascii_alphabetic() || c == '=') {
        return None;
    }
    let (value, _) = entity(&format!("&{name};"))?;
    Some((value, name.len() + 1))
}

/// The number in `#8217` or `#x2019`.
pub(crate) fn code_point(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('#')?;
    match digits.strip_prefix(['x', 'X']) {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok(),
        None if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

/// A numeric reference as browsers read it: 0x80 to 0x9F are windows-1252, what cannot be a character is nothing.
fn character(code: u32) -> Cow<'static, str> {
    if let Ok(byte @ 0x80..=0x9f) = u8::try_from(code) {
        let bytes = [byte];
        return Cow::Owned(encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes).0.into_owned());
    }
    match char::from_u32(code) {
        Some(c) if is_legal(c) => Cow::Owned(c.to_string()),
        _ => Cow::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_text_and_of_addresses() {
        for name in WITHOUT_SEMICOLON {
            let with = entity(&format!("&{name};")).map(|(value, _)| value);
            assert!(with.is_some(), "{name}");
            assert_eq!(unfinished(&format!("&{name} x")), with.map(|value| (value, name.len() + 1)), "{name}");
        }
        for (text, of_address, of_text) in [
            ("a&amp;b &eacute; &AMP;", "a&b é &", "a&b é &"),
            ("?a&copy=1", "?a&copy=1", "?a&copy=1"),
            ("&copy 1", "&copy 1", "© 1"),
            ("&notit; &notes", "&notit; &notes", "&notit; &notes"),
            ("&sup2 &frac12.", "&sup2 &frac12.", "² ½."),
            ("&#150 &#x41,", "&#150 &#x41,", "– A,"),
            ("&#99999999999 &", "&#99999999999 &", "&#99999999999 &"),
        ] {
            assert_eq!(decode_entities(text), of_address, "{text}");
            assert_eq!(decode_text(text), of_text, "{text}");
        }
    }
}
