//! The short way to read words of ASCII, which nearly all words of most texts are: where words are is a bit for each character,
//! and a word of at most sixteen is two numbers.

use super::token::shape;
use crate::view::WIDE;

/// Longer words are so rare that they may take the long way.
pub(super) const LENGTH_MAX: usize = 16;
const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = EACH << 7;
/// The bit by which the cases of a letter differ, which every digit has.
const SMALL: u64 = EACH * 0x20;
/// Characters that one number has a bit for each of.
const BLOCK: usize = 64;

/// For each length of a word, what is part of it in two numbers of eight bytes.
const WITHIN: [[u64; 2]; LENGTH_MAX + 1] = within();

const fn within() -> [[u64; 2]; LENGTH_MAX + 1] {
    let mut all = [[0; 2]; LENGTH_MAX + 1];
    let (mut rest, mut bytes): (&mut [[u64; 2]], u128) = (&mut all, 0);
    while let [first, others @ ..] = rest {
        *first = [bytes as u64, (bytes >> 64) as u64];
        (rest, bytes) = (others, bytes << 8 | 0xFF);
    }
    all
}

/// A text of one byte for each character: where words are, and how they are compared.
#[derive(Debug, Default)]
pub(super) struct Narrow {
    /// A letter in its small form or a digit; 0 for every sign; or [`WIDE`]. Zeros behind the end, so that sixteen can be read
    /// from any character on.
    folded: Vec<u8>,
    /// What the characters are. One that is empty is behind the last.
    blocks: Vec<Bits>,
}

/// What characters are: a bit for each.
#[derive(Debug, Clone, Copy, Default)]
struct Bits {
    /// No sign.
    words: u64,
    letters: u64,
    capitals: u64,
}

/// A word of ASCII.
pub(super) struct Plain {
    pub(super) shape: u16,
    /// It begins with a letter.
    pub(super) initial: bool,
    /// Its folded form as two numbers.
    pub(super) key: [u64; 2],
}

/// Eight characters at once; what they are is the highest bit of each.
struct Eight {
    folded: u64,
    bits: Bits,
}

impl Eight {
    fn new(written: u64) -> Self {
        // Sums that reach the highest bit of a byte, and no further, are comparisons.
        let at_least = |bytes: u64, least: u8| bytes + EACH * u64::from(0x80 - least);
        let wide = written & HIGH;
        let low = written & !HIGH;
        let small = low | SMALL;
        let letters = at_least(small, b'a') & !at_least(small, b'z' + 1) & HIGH & !wide;
        let digits = at_least(low, b'0') & !at_least(low, b'9' + 1) & HIGH & !wide;
        let words = letters | digits | wide;
        let folded = (written | (letters >> 2)) & ((words >> 7) * 0xFF);
        Self { folded, bits: Bits { words, letters, capitals: letters & !(written << 2) } }
    }
}

/// The highest bits of eight bytes side by side, that of the lowest byte first.
fn gathered(bits: u64) -> u64 {
    (bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

impl Narrow {
    /// Reads `written`, a byte for each character: see [`crate::view::Folded::narrow`].
    pub(super) fn new(written: &[u8]) -> Self {
        let mut new = Self {
            folded: Vec::with_capacity(written.len() + BLOCK + LENGTH_MAX),
            blocks: Vec::with_capacity(written.len() / BLOCK + 2),
        };
        let (whole, rest) = written.as_chunks::<BLOCK>();
        whole.iter().for_each(|block| new.read(block));
        let mut last = [0; BLOCK];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        new.read(&last);
        new.folded.extend([0; LENGTH_MAX]);
        new.blocks.push(Bits::default());
        new
    }

    fn read(&mut self, block: &[u8; BLOCK]) {
        let mut bits = Bits::default();
        let mut folded = [0; BLOCK];
        let eights = block.as_chunks::<8>().0.iter().zip(folded.as_chunks_mut::<8>().0);
        for (at, (bytes, folded)) in (0..).step_by(8).zip(eights) {
            let eight = Eight::new(u64::from_le_bytes(*bytes));
            *folded = eight.folded.to_le_bytes();
            bits.words |= gathered(eight.bits.words) << at;
            bits.letters |= gathered(eight.bits.letters) << at;
            bits.capitals |= gathered(eight.bits.capitals) << at;
        }
        self.folded.extend_from_slice(&folded);
        self.blocks.push(bits);
    }

    /// The first place from `at` on that is no sign.
    pub(super) fn word_from(&self, at: usize) -> Option<usize> {
        self.first(at, |bits| bits.words)
    }

    /// The end of the word that `at` is in.
    pub(super) fn end_from(&self, at: usize) -> usize {
        self.first(at, |bits| !bits.words).unwrap_or(self.blocks.len() * BLOCK)
    }

    /// How many letters of ASCII there are from `at` on, 64 at most.
    pub(super) fn letters(&self, at: usize) -> usize {
        let letters = |block: usize| self.blocks.get(block).map_or(0, |bits| bits.letters);
        let (block, by) = (at / BLOCK, at % BLOCK);
        (letters(block) >> by | letters(block + 1) << 1 << (BLOCK - 1 - by)).trailing_ones() as usize
    }

    fn first(&self, at: usize, of: impl Fn(&Bits) -> u64) -> Option<usize> {
        let mut block = at / BLOCK;
        let mut bits = of(self.blocks.get(block)?) & (u64::MAX << (at % BLOCK));
        while bits == 0 {
            block += 1;
            bits = of(self.blocks.get(block)?);
        }
        Some(block * BLOCK + bits.trailing_zeros() as usize)
    }

    /// Whether a character of `start..end` is [`WIDE`].
    pub(super) fn is_wide(&self, start: usize, end: usize) -> bool {
        self.folded.get(start..end).unwrap_or_default().contains(&WIDE)
    }

    /// The word at `start..end`, which are letters and digits of ASCII, if it is no longer than [`LENGTH_MAX`].
    pub(super) fn word(&self, start: usize, end: usize) -> Option<Plain> {
        let length = end - start;
        let [low_within, high_within] = *WITHIN.get(length)?;
        let bytes: &[u8; LENGTH_MAX] = self.folded.get(start..)?.first_chunk()?;
        let number = |from: usize| Some(u64::from_le_bytes(*bytes.get(from..)?.first_chunk()?));
        let key = [number(0)? & low_within, number(8)? & high_within];
        let (block, by) = (start / BLOCK, start % BLOCK);
        let [here, next] = self.blocks.get(block..)?.first_chunk()?;
        let within = u64::MAX >> (BLOCK - length.max(1));
        let from = |here: u64, next: u64| (here >> by | next << 1 << (BLOCK - 1 - by)) & within;
        let letters = from(here.letters, next.letters);
        let capitals = from(here.capitals, next.capitals);
        let bit = |is: bool, bit: u16| u16::from(is) * bit;
        let shape = bit(capitals & 1 != 0, shape::CAPITAL)
            | bit(letters != within, shape::DIGIT)
            | bit(capitals == letters && letters != 0, shape::UPPER)
            | bit(letters != 0, shape::LETTER)
            | shape::ASCII;
        Some(Plain { shape, initial: letters & 1 != 0, key })
    }

    /// The folded characters `start..end`.
    pub(super) fn text(&self, start: usize, end: usize) -> Option<&[u8]> {
        self.folded.get(start..end)
    }
}
