//! References to characters, as HTML has them.

use std::borrow::Cow;

use super::is_legal;

/// Decodes every entity of a text once, as a browser would.
pub fn decode_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match entity(from) {
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
