//! A text in the matching view: its characters, and the way back to the raw bytes that they stand for.

use super::{BREAK, PARAGRAPH};

/// Stands in [`Folded::narrow`] for a character that has no byte of its own.
pub(crate) const WIDE: u8 = 0x80;

/// Stands there for [`PARAGRAPH`].
pub(crate) const EDGE: u8 = 1;

/// The first visible byte; those below stand for [`SIGNS`].
const VISIBLE: u8 = b' ';

/// Signs that are no part of a word, and the control character by whose byte each is kept: nothing else has it, as white space
/// and control characters are all one space here. So most texts have no character that a byte would not do for.
const SIGNS: [(u8, char); 8] =
    [(EDGE, PARAGRAPH), (2, BREAK), (3, '—'), (4, '–'), (5, '·'), (6, '€'), (7, '£'), (8, '¥')];

/// The characters of a text, one behind the other, and where each came from.
///
/// A character is one byte, and only a text with others than ASCII and a few signs has them as such too. Nearly all of a text are
/// stretches in which every character took as many bytes as the one before it: only where each of these begins is kept.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    narrow: Vec<u8>,
    /// All characters; none as long as there is no [`WIDE`] one.
    chars: Vec<char>,
    runs: Vec<Run>,
}

/// Characters that stand for as many bytes each, one behind the other.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Its first character.
    first: u32,
    /// The first raw byte of that.
    raw: u32,
    /// The bytes of each character.
    width: u32,
}

impl Run {
    /// Where the bytes of the character at `at` begin.
    fn start(&self, at: usize) -> usize {
        self.raw as usize + (at - self.first as usize) * self.width as usize
    }
}

/// The byte that `ch` is kept by.
fn narrow(ch: char) -> u8 {
    if ch.is_ascii() {
        return ch as u8;
    }
    SIGNS.iter().find(|(_, sign)| *sign == ch).map_or(WIDE, |(byte, _)| *byte)
}

/// The character that is kept by `byte`, which is not [`WIDE`].
fn sign(byte: u8) -> char {
    SIGNS.get(usize::from(byte).wrapping_sub(1)).map_or(' ', |(_, sign)| *sign)
}

impl Folded {
    /// Makes room for so many characters more.
    pub(crate) fn reserve(&mut self, chars: usize) {
        self.narrow.reserve(chars);
        self.runs.reserve(chars / 32);
    }

    /// The characters that there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.narrow.capacity()
    }

    pub(crate) fn clear(&mut self) {
        self.narrow.clear();
        self.chars.clear();
        self.runs.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.narrow.len()
    }

    /// A byte for each character: the character itself, if it is ASCII; no letter or digit, if it is a sign; or [`WIDE`].
    pub(crate) fn narrow(&self) -> &[u8] {
        &self.narrow
    }

    /// Whether any character is [`WIDE`].
    pub(crate) fn has_wide(&self) -> bool {
        !self.chars.is_empty()
    }

    /// Whether a character of `start..end` is [`WIDE`].
    pub(crate) fn is_wide(&self, start: usize, end: usize) -> bool {
        self.narrow.get(start..end).unwrap_or_default().contains(&WIDE)
    }

    pub(crate) fn ch(&self, at: usize) -> Option<char> {
        Some(match *self.narrow.get(at)? {
            WIDE => self.chars.get(at).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
            byte @ VISIBLE.. => char::from(byte),
            byte => sign(byte),
        })
    }

    /// The characters `start..end`; none if there are not as many.
    pub(crate) fn chars(&self, start: usize, end: usize) -> impl DoubleEndedIterator<Item = char> + Clone + use<'_> {
        let end = if start <= end && end <= self.len() { end } else { start };
        (start..end).map(|at| self.ch(at).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// Adds a character that stands for the raw bytes `start..end`, which lie before 4 GiB.
    pub(crate) fn push(&mut self, ch: char, start: usize, end: usize) {
        self.run(start, end - start);
        let byte = narrow(ch);
        if byte == WIDE && self.chars.is_empty() {
            self.chars = self.chars(0, self.len()).collect();
        }
        self.narrow.push(byte);
        if byte == WIDE || !self.chars.is_empty() {
            self.chars.push(ch);
        }
    }

    /// Adds visible ASCII that stands for itself at `start`, and spaces or line breaks, each of which is a space.
    pub(super) fn push_ascii(&mut self, text: &[u8], start: usize) {
        self.run(start, 1);
        let at = self.len();
        self.narrow.extend(text.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
        if !self.chars.is_empty() {
            let written = self.narrow.get(at..).unwrap_or_default();
            self.chars.extend(written.iter().map(|byte| char::from(*byte)));
        }
    }

    /// Puts `ch`, which is ASCII or one of the signs, in the place of the character at `at`.
    pub(super) fn set(&mut self, at: usize, ch: char) {
        self.narrow.get_mut(at).into_iter().for_each(|byte| *byte = narrow(ch));
        self.chars.get_mut(at).into_iter().for_each(|old| *old = ch);
    }

    /// Goes on with characters of `width` bytes at `raw`.
    fn run(&mut self, raw: usize, width: usize) {
        let at = self.len();
        let goes_on = self.runs.last().is_some_and(|run| run.width as usize == width && run.start(at) == raw);
        if !goes_on {
            // Never cut, as no more is read: see `read`.
            self.runs.push(Run { first: at as u32, raw: raw as u32, width: width as u32 });
        }
    }

    /// Forgets all but the first `length` characters.
    pub(super) fn truncate(&mut self, length: usize) {
        self.narrow.truncate(length);
        self.chars.truncate(length);
        self.runs.truncate(self.runs.partition_point(|run| (run.first as usize) < length));
    }

    /// The raw bytes of the character at `at`: where they begin, and where they end.
    pub(crate) fn raw(&self, at: usize) -> Option<(usize, usize)> {
        let next = self.runs.partition_point(|run| run.first as usize <= at);
        let run = self.runs.get(next.checked_sub(1)?).filter(|_| at < self.len())?;
        let start = run.start(at);
        Some((start, start + run.width as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_know_their_bytes() {
        let mut folded = Folded::default();
        folded.push_ascii(b"ab", 0);
        folded.push(' ', 2, 5);
        folded.push('c', 5, 6);
        folded.push('d', 6, 7);
        assert!(!folded.has_wide());
        folded.push('中', 7, 10);
        folded.push('国', 10, 13);
        // Two of one.
        folded.push('k', 13, 16);
        folded.push('g', 13, 16);
        // Another text.
        folded.push('\u{2029}', 0, 0);
        folded.push_ascii(b"x", 0);
        assert_eq!(folded.chars(0, 11).collect::<String>(), "ab cd中国kg\u{2029}x");
        assert_eq!(folded.narrow(), b"ab cd\x80\x80kg\x01x");
        let raw: Vec<_> = (0..12).filter_map(|at| folded.raw(at)).collect();
        assert_eq!(
            raw,
            [(0, 1), (1, 2), (2, 5), (5, 6), (6, 7), (7, 10), (10, 13), (13, 16), (13, 16), (0, 0), (0, 1)]
        );
        folded.truncate(3);
        assert_eq!((folded.len(), folded.raw(2), folded.raw(3)), (3, Some((2, 5)), None));
        folded.push('e', 9, 10);
        assert_eq!(folded.raw(3), Some((9, 10)));
    }

    #[test]
    fn signs_are_kept_by_a_byte_and_come_back() {
        let mut folded = Folded::default();
        for (byte, sign) in SIGNS {
            assert!(byte < VISIBLE && !sign.is_alphanumeric() && !sign.is_ascii());
            folded.push(sign, 0, sign.len_utf8());
        }
        assert!(!folded.has_wide());
        assert!(folded.chars(0, SIGNS.len()).eq(SIGNS.map(|(_, sign)| sign)));
        folded.set(0, 'x');
        assert_eq!(folded.ch(0), Some('x'));
        assert_eq!(folded.ch(SIGNS.len()), None);
    }
}
