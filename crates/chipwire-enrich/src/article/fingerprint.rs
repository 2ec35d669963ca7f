//! A fingerprint of the text that is nearly the same for texts that are nearly the same (Charikar, "Similarity estimation
//! techniques from rounding algorithms", 2002).
//!
//! Every three words in a row, folded as words are compared and without what is between them, are hashed to 64 bits; a bit of the
//! fingerprint is that of most of these hashes. The hash multiplies the bytes of UTF-8, eight at a time, and ends with the last steps of
//! MurmurHash3, so that it is the same on every machine; it never changes, as fingerprints in the log are compared for ever.

use super::Scene;

/// Words in a row that are hashed together.
const SHINGLE: usize = 3;
/// Fewer words have no fingerprint: one word more or less would change all of it.
const WORDS_MIN: usize = 8;
/// What is further behind in a text has no part in it.
const WORDS_MAX: usize = 20_000;

/// What the hash of a word begins with, and the odd number (of the golden ratio) by which it goes on.
const SEED: u64 = 0x243f_6a88_85a3_08d3;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The fingerprint of the document, or nothing where it has too few words.
pub(super) fn simhash(scene: &Scene<'_>) -> Option<u64> {
    let hashes: Vec<u64> = scene.document.hashes().take(WORDS_MAX).collect();
    if hashes.len() < WORDS_MIN {
        return None;
    }
    let mut votes = Votes::default();
    for words in hashes.windows(SHINGLE) {
        if let [first, second, third] = words {
            votes.add(mix(first.rotate_left(42) ^ second.rotate_left(21) ^ third));
        }
    }
    Some(votes.most())
}

/// The hash of a word in its folded form: its bytes, eight at a time as a number whose lowest byte comes first.
pub(crate) fn word_hash(word: &[u8]) -> u64 {
    let (eights, rest) = word.as_chunks::<8>();
    let hash = eights.iter().fold(SEED, |hash, bytes| step(hash, u64::from_le_bytes(*bytes)));
    if rest.is_empty() && !eights.is_empty() {
        return hash;
    }
    step(hash, rest.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The hash of a word of at most sixteen bytes, which are given as these numbers.
pub(crate) fn short_word_hash([first, second]: [u64; 2]) -> u64 {
    let hash = step(SEED, first);
    // Both, as there is no telling how long the next word is.
    let longer = step(hash, second);
    std::hint::select_unpredictable(second == 0, hash, longer)
}

fn step(hash: u64, number: u64) -> u64 {
    let hash = (hash ^ number).wrapping_mul(FACTOR);
    hash ^ (hash >> 32)
}

/// Spreads what differs in a few bits over all of them.
fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// For each of 64 bits, how many hashes had it, as 16 planes of one bit each. Hashes are added eight at a time, by a few
/// operations on whole planes.
#[derive(Debug, Default)]
struct Votes {
    planes: [u64; 16],
    waiting: [u64; 8],
    all: u32,
}

impl Votes {
    fn add(&mut self, hash: u64) {
        let at = self.all as usize % 8;
        if let Some(slot) = self.waiting.get_mut(at) {
            *slot = hash;
        }
        self.all += 1;
        if at == 7 {
            let [a, b, c, d, e, f, g, h] = self.waiting;
            let [ones, twos, fours, ..] = self.planes;
            let (ones, ab) = sum(ones, a, b);
            let (ones, cd) = sum(ones, c, d);
            let (ones, ef) = sum(ones, e, f);
            let (ones, gh) = sum(ones, g, h);
            let (twos, abcd) = sum(twos, ab, cd);
            let (twos, efgh) = sum(twos, ef, gh);
            let (fours, eights) = sum(fours, abcd, efgh);
            for (plane, value) in self.planes.iter_mut().zip([ones, twos, fours]) {
                *plane = value;
            }
            self.carry(3, eights);
        }
    }

    /// Adds `carry` to the planes from `first` on.
    fn carry(&mut self, first: usize, mut carry: u64) {
        for plane in self.planes.iter_mut().skip(first) {
            if carry == 0 {
                break;
            }
            (*plane, carry) = (*plane ^ carry, *plane & carry);
        }
    }

    /// The bits that more than half of the hashes had.
    fn most(mut self) -> u64 {
        let waiting = self.waiting;
        waiting.iter().take(self.all as usize % 8).for_each(|hash| self.carry(0, *hash));
        (0..64).fold(0, |most, bit| {
            let count =
                self.planes.iter().rev().fold(0_u32, |count, plane| count << 1 | u32::from(plane >> bit & 1 == 1));
            if count * 2 > self.all { most | 1 << bit } else { most }
        })
    }
}

/// The sum of three bits for each place, as the lower and the higher bit.
fn sum(a: u64, b: u64, c: u64) -> (u64, u64) {
    (a ^ b ^ c, (a & b) | (c & (a ^ b)))
}
