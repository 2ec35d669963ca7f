//! Text that was UTF-8 and was decoded as something else, undone where only one reading is possible.

use super::Unit;

/// windows-1252, bytes 0x80 to 0x9F; the five that it leaves open stand for themselves, as the WHATWG table has it.
const HIGH: [char; 32] = [
    '\u{20AC}', '\u{81}', '\u{201A}', '\u{192}', '\u{201E}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2C6}', '\u{2030}',
    '\u{160}', '\u{2039}', '\u{152}', '\u{8D}', '\u{17D}', '\u{8F}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201C}',
    '\u{201D}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2DC}', '\u{2122}', '\u{161}', '\u{203A}', '\u{153}', '\u{9D}',
    '\u{17E}', '\u{178}',
];

/// The Thai letter that TIS-620 has at 0xE2, the byte with which UTF-8 writes curly quotes and dashes.
const SARA_O: char = '\u{E42}';

/// The character of a windows-1252 byte.
pub(super) fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9F => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or(char::from(byte)),
        _ => char::from(byte),
    }
}

/// The byte above 0x7F from which windows-1252 or Latin-1 makes `ch`.
fn byte_of(ch: char) -> Option<u8> {
    match u32::from(ch) {
        0x00..=0x7F => None,
        code @ 0x80..=0xFF => u8::try_from(code).ok(),
        _ => HIGH.iter().position(|high| *high == ch).and_then(|at| u8::try_from(at + 0x80).ok()),
    }
}

/// The byte from which windows-874 or TIS-620 makes `ch`.
fn thai_byte_of(ch: char) -> Option<u8> {
    match u32::from(ch) {
        code @ 0xE01..=0xE5B => u8::try_from(code - 0xE00 + 0xA0).ok(),
        _ => byte_of(ch),
    }
}

/// Whether mojibake may begin with `ch`; without any such character [`repair`] changes nothing.
pub(super) fn suspicious(ch: char) -> bool {
    matches!(ch, '\u{C2}'..='\u{F4}' | SARA_O)
}

/// The same text with mojibake undone: a character that was recovered stands for the bytes of all that it was broken into.
pub(super) fn repair(units: Vec<Unit>) -> Vec<Unit> {
    if !units.iter().any(|unit| suspicious(unit.ch)) {
        return units;
    }
    let thai = units.iter().any(|unit| matches!(unit.ch, '\u{E01}'..='\u{E5B}') && unit.ch != SARA_O);
    let mut repaired = Vec::with_capacity(units.len());
    let mut rest = units.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        let found = if suspicious(first.ch) { utf8(rest).or_else(|| quote(rest, repaired.last(), thai)) } else { None };
        match found {
            Some((ch, length)) => {
                let end = rest.get(length - 1).map_or(first.end(), Unit::end);
                repaired.push(Unit::new(ch, first.start(), end));
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                repaired.push(*first);
                rest = tail;
            }
        }
    }
    repaired
}

/// The character whose UTF-8 bytes, each decoded on its own, the units start with; and how many they are.
fn utf8(units: &[Unit]) -> Option<(char, usize)> {
    let first = units.first()?.ch;
    let (lead, byte_at): (u8, fn(char) -> Option<u8>) =
        if first == SARA_O { (0xE2, thai_byte_of) } else { (byte_of(first)?, byte_of) };
    let length = match lead {
        // Other two-byte characters are too easily two real letters: only those that come out as Latin-1.
        0xC2 | 0xC3 => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let mut bytes = [0_u8; 4];
    for (at, (slot, unit)) in bytes.iter_mut().zip(units.get(..length)?).enumerate() {
        *slot = if at == 0 { lead } else { byte_at(unit.ch)? };
    }
    // In Thai text any letter may follow this one; only general punctuation (E2 80 ..) was ever something else.
    if first == SARA_O && bytes.get(1) != Some(&0x80) {
        return None;
    }
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    let ch = text.chars().next()?;
    (!ch.is_control()).then_some((ch, length))
}

/// The one rule that loses bytes: the Thai letter between two Latin ones, in a text with no other Thai, was a curly
/// apostrophe whose other two bytes were dropped.
fn quote(units: &[Unit], before: Option<&Unit>, thai: bool) -> Option<(char, usize)> {
    let latin = |unit: Option<&Unit>| unit.is_some_and(|unit| unit.ch.is_ascii_alphabetic());
    (!thai && units.first()?.ch == SARA_O && latin(before) && latin(units.get(1))).then_some(('\u{2019}', 1))
}
