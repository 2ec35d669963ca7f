//! A fingerprint of the text that is nearly the same for texts that are nearly the same (Charikar, "Similarity estimation
//! techniques from rounding algorithms", 2002).
//!
//! Every three words in a row, folded as words are compared and without what is between them, are hashed to 64 bits; a bit of the
//! fingerprint is that of most of these hashes. The hash is FNV-1a over the bytes of UTF-8 with the last steps of MurmurHash3, so
//! that it is the same on every machine; it never changes, as fingerprints in the log are compared for ever.

use super::Scene;
use crate::{
    matcher::{Document, Token, shape},
    view::Unit,
};

/// Words in a row that are hashed together.
const SHINGLE: usize = 3;
/// Fewer words have no fingerprint: one word more or less would change all of it.
const WORDS_MIN: usize = 8;
/// What is further behind in a text has no part in it.
const WORDS_MAX: usize = 20_000;

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// The fingerprint of the document, or nothing where it has too few words.
pub(super) fn simhash(scene: &Scene<'_>) -> Option<u64> {
    let document = scene.document;
    if document.tokens.len() < WORDS_MIN {
        return None;
    }
    let mut votes = Votes::default();
    let (mut before, mut last) = (0_u64, 0_u64);
    for (at, token) in document.tokens.iter().take(WORDS_MAX).enumerate() {
        let word = hash(document, token);
        if at + 1 >= SHINGLE {
            votes.add(mix(before.rotate_left(42) ^ last.rotate_left(21) ^ word));
        }
        (before, last) = (last, word);
    }
    Some(votes.most())
}

/// The hash of a word in its folded form.
fn hash(document: &Document, token: &Token) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
    if token.is(shape::ASCII) {
        let units: &[Unit] = document.units.get(token.start..token.end).unwrap_or_default();
        // All of them are ASCII: nothing is cut.
        return mix(units.iter().fold(FNV_BASIS, |hash, unit| step(hash, (unit.ch as u8).to_ascii_lowercase())));
    }
    mix(document.folded(token).bytes().fold(FNV_BASIS, step))
}

/// Spreads what differs in a few bits over all of them.
fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// For each of 64 bits, how many hashes had it, as 16 planes of one bit each: adding is a few operations on whole planes.
#[derive(Debug, Default)]
struct Votes {
    planes: [u64; 16],
    all: u32,
}

impl Votes {
    fn add(&mut self, hash: u64) {
        let mut carry = hash;
        for plane in &mut self.planes {
            if carry == 0 {
                break;
            }
            (*plane, carry) = (*plane ^ carry, *plane & carry);
        }
        self.all += 1;
    }

    /// The bits that more than half of the hashes had.
    fn most(&self) -> u64 {
        (0..64).fold(0, |most, bit| {
            let count =
                self.planes.iter().rev().fold(0_u32, |count, plane| count << 1 | u32::from(plane >> bit & 1 == 1));
            if count * 2 > self.all { most | 1 << bit } else { most }
        })
    }
}
