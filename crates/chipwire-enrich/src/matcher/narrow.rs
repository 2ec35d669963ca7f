//! The short way to read words of ASCII, which nearly all words of most texts are: eight characters at a time.

use super::{token::shape, words::Spelled};

/// Longer words are so rare that they may take the long way.
const LENGTH_MAX: usize = 32;
const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = EACH << 7;
/// The bit by which the cases of a letter differ, which every digit has.
const SMALL: u64 = EACH * 0x20;
/// The bit of a letter that no digit has.
const LETTER: u64 = EACH * 0x40;

/// What stands for a character that is not ASCII.
const WIDE: u8 = 0x80;

/// A text with one byte for each character.
#[derive(Debug, Default)]
pub(super) struct Narrow {
    /// The character, or [`WIDE`].
    written: Vec<u8>,
    /// A letter in its small form or a digit; 0 for every other sign, or [`WIDE`].
    folded: Vec<u8>,
}

/// A word of ASCII.
pub(super) struct Plain<'a> {
    pub(super) length: usize,
    pub(super) shape: u16,
    pub(super) spelled: Spelled<'a>,
}

impl Narrow {
    pub(super) fn new(chars: &[char]) -> Self {
        let byte = |ch: char| if ch.is_ascii() { ch as u8 } else { WIDE };
        // Zeros at the end, so that eight can be read anywhere.
        let mut written: Vec<u8> = Vec::with_capacity(chars.len() + 8);
        written.extend(chars.iter().map(|ch| byte(*ch)));
        written.extend([0; 8]);
        let fold = |byte: u8| {
            let small = byte | 0x20;
            let letter = small.wrapping_sub(b'a') < 26;
            let digit = byte.wrapping_sub(b'0') < 10;
            if letter {
                small
            } else if digit {
                byte
            } else {
                byte & WIDE
            }
        };
        let folded = written.iter().map(|byte| fold(*byte)).collect();
        Self { written, folded }
    }

    /// The ASCII at `at`; 0 for any other character and behind the end.
    pub(super) fn ascii(&self, at: usize) -> u8 {
        self.written.get(at).copied().filter(|byte| *byte != WIDE).unwrap_or(0)
    }

    /// The first place from `at` on that is no sign of ASCII.
    pub(super) fn skip_signs(&self, at: usize) -> usize {
        let signs = self.folded.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == 0).count();
        at + signs
    }

    /// The word that begins at `at`, if it is letters of ASCII after a first one, or digits; nothing where it is not so simple.
    /// `ends` says whether the character at a place that is not ASCII belongs to no word.
    pub(super) fn word(&self, at: usize, ends: impl Fn(usize) -> bool) -> Option<Plain<'_>> {
        let (mut length, mut first) = (0, 0);
        let (mut upper, mut lower, mut digits) = (0, 0, 0);
        loop {
            let folded = eight(&self.folded, at + length)?;
            let written = eight(&self.written, at + length)?;
            // The lowest of these bits is that of the first byte which is zero or above ASCII.
            let stops = ((folded.wrapping_sub(EACH) & !folded) | folded) & HIGH;
            let bytes = stops.trailing_zeros() / 8;
            let here = if bytes == 8 { u64::MAX } else { (1 << (bytes * 8)) - 1 };
            let (folded, written) = (folded & here, written & here);
            let letters = (folded & LETTER) >> 1;
            let capitals = (folded ^ written) & SMALL;
            upper |= capitals;
            lower |= letters & !capitals;
            digits |= !(folded | !here) & LETTER;
            if length == 0 {
                first = folded;
            }
            length += bytes as usize;
            if bytes < 8 {
                break;
            }
            if length >= LENGTH_MAX {
                return None;
            }
        }
        let wide = self.folded.get(at + length) == Some(&WIDE);
        let all_digits = (upper | lower) == 0;
        let initial = self.folded.get(at)?;
        // Codes that begin with a digit have rules of their own; so have `U.S.` and `US`.
        let simple = length > 0
            && (all_digits || initial.is_ascii_lowercase())
            && (length > 1 || all_digits || self.ascii(at + 1) != b'.')
            && first != u64::from(u16::from_le_bytes(*b"us"))
            && (!wide || ends(at + length));
        if !simple {
            return None;
        }
        let capital = if self.written.get(at)?.is_ascii_uppercase() { shape::CAPITAL } else { 0 };
        let digit = if digits != 0 { shape::DIGIT } else { 0 };
        let upper = if upper != 0 && lower == 0 { shape::UPPER } else { 0 };
        let letter = if all_digits { 0 } else { shape::LETTER };
        let bytes = self.folded.get(at..at + length)?;
        let spelled = Spelled { bytes, packed: (length <= 8).then_some(first) };
        Some(Plain { length, shape: capital | digit | upper | letter | shape::ASCII, spelled })
    }
}

fn eight(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight))
}
