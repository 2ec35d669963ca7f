//! The short way to read words of ASCII, which nearly all words of most texts are: where words are is a bit for each character,
//! and a word of at most sixteen is two numbers.

use super::token::shape;
use crate::{
    lanes::{self, Lanes, is_within, small},
    view::WIDE,
};

/// Longer words are so rare that they may take the long way.
const LENGTH_MAX: usize = 16;
/// Characters that one number has a bit for each of.
const BLOCK: usize = lanes::BYTES;

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
    /// A letter in its small form or a digit; 0 for every other character. Zeros behind the end, so that sixteen can be read
    /// from any character on.
    folded: String,
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

/// Where words begin and end, in turn.
struct Edges<'a> {
    /// The blocks that come next.
    blocks: std::slice::Iter<'a, Bits>,
    /// The first character behind the one that is looked at.
    first: usize,
    /// What is left of the edges in that one.
    edges: u64,
    /// 1 if its last character is in a word.
    inside: u64,
}

impl Edges<'_> {
    fn next(&mut self) -> Option<usize> {
        while self.edges == 0 {
            let words = self.blocks.next()?.words;
            self.edges = words ^ (words << 1 | self.inside);
            self.inside = words >> (BLOCK - 1);
            self.first += BLOCK;
        }
        let at = self.first - BLOCK + self.edges.trailing_zeros() as usize;
        self.edges &= self.edges - 1;
        Some(at)
    }
}

impl Narrow {
    /// Reads `written` in place of what was read before, a byte for each character: see [`crate::view::Folded::narrow`].
    pub(super) fn read(&mut self, written: &[u8]) {
        let mut folded = std::mem::take(&mut self.folded).into_bytes();
        folded.clear();
        folded.reserve(written.len() + BLOCK + LENGTH_MAX);
        self.blocks.clear();
        self.blocks.reserve(written.len() / BLOCK + 2);
        // One block more than there are whole ones: the last has signs at its end.
        for at in (0..=written.len()).step_by(BLOCK) {
            let (bytes, bits) = Self::read_block(Lanes::read(written, at));
            folded.extend_from_slice(&bytes);
            self.blocks.push(bits);
        }
        folded.extend([0; LENGTH_MAX]);
        self.blocks.push(Bits::default());
        self.folded = String::from_utf8(folded).unwrap_or_default();
    }

    /// The folded form of a block, and its bits.
    fn read_block(block: Lanes) -> ([u8; BLOCK], Bits) {
        let letters = |part| is_within(small(part), b'a', b'z');
        let wide = |part| lanes::is(part, WIDE);
        let plain = |part| letters(part) | is_within(part, b'0', b'9');
        // The bit by which the cases of a letter differ is set in all digits.
        let folded = block.map(|part| small(part) & plain(part));
        let bits = Bits {
            words: block.bits(|part| plain(part) | wide(part)),
            letters: block.bits(letters),
            capitals: block.bits(|part| is_within(part, b'A', b'Z')),
        };
        (folded.bytes(), bits)
    }

    /// Where something begins that is no sign, and where that ends.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut edges = Edges { blocks: self.blocks.iter(), first: 0, edges: 0, inside: 0 };
        std::iter::from_fn(move || Some((edges.next()?, edges.next()?)))
    }

    /// About how many there are.
    pub(super) fn some_words(&self) -> usize {
        self.folded.len() / 5
    }

    /// How many letters of ASCII there are from `at` on, 64 at most.
    pub(super) fn letters(&self, at: usize) -> usize {
        let letters = |block: usize| self.blocks.get(block).map_or(0, |bits| bits.letters);
        let (block, by) = (at / BLOCK, at % BLOCK);
        (letters(block) >> by | letters(block + 1) << 1 << (BLOCK - 1 - by)).trailing_ones() as usize
    }

    /// The word at `start..end`, which are letters and digits of ASCII, if it is no longer than [`LENGTH_MAX`].
    pub(super) fn word(&self, start: usize, end: usize) -> Option<Plain> {
        let length = end - start;
        let [low_within, high_within] = *WITHIN.get(length)?;
        let bytes: &[u8; LENGTH_MAX] = self.folded.as_bytes().get(start..)?.first_chunk()?;
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
    pub(super) fn text(&self, start: usize, end: usize) -> Option<&str> {
        self.folded.get(start..end)
    }
}
