//! Sixty-four bytes at once: which of them are what, as a bit for each, that of the first byte lowest.

use wide::u8x16;

/// Bytes that are looked at together.
pub(crate) const BYTES: usize = 64;
const EACH: usize = 16;

/// Sixty-four bytes of a text.
#[derive(Clone, Copy)]
pub(crate) struct Lanes([u8x16; BYTES / EACH]);

impl Lanes {
    pub(crate) fn new(bytes: &[u8; BYTES]) -> Self {
        let (parts, _) = bytes.as_chunks::<EACH>();
        Self(std::array::from_fn(|at| parts.get(at).map_or(u8x16::ZERO, |part| u8x16::new(*part))))
    }

    /// The bytes from `at` on; zeros behind the last.
    pub(crate) fn read(bytes: &[u8], at: usize) -> Self {
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some(whole) = rest.first_chunk() {
            return Self::new(whole);
        }
        let mut padded = [0; BYTES];
        padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Self::new(&padded)
    }

    /// Each byte as `change` makes it.
    pub(crate) fn map(self, change: impl Fn(u8x16) -> u8x16) -> Self {
        Self(self.0.map(change))
    }

    /// Those bytes of which `is` answers that all of their bits are set, and not that none is.
    pub(crate) fn bits(self, is: impl Fn(u8x16) -> u8x16) -> u64 {
        self.0.iter().rev().fold(0, |bits, part| bits << EACH | u64::from(is(*part).to_bitmask()))
    }

    pub(crate) fn bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes.as_chunks_mut().0.iter_mut().zip(self.0).for_each(|(to, part)| *to = part.to_array());
        bytes
    }
}

/// Of each byte whether it is `byte`: all of its bits, or none.
pub(crate) fn is(part: u8x16, byte: u8) -> u8x16 {
    part.simd_eq(u8x16::splat(byte))
}

/// The same for `first..=last`.
pub(crate) fn is_within(part: u8x16, first: u8, last: u8) -> u8x16 {
    part.max(u8x16::splat(first)).min(u8x16::splat(last)).simd_eq(part)
}

/// Letters of ASCII in their small form. Other bytes become others too, but none becomes a letter.
pub(crate) fn small(part: u8x16) -> u8x16 {
    part | u8x16::splat(0x20)
}

/// Each bit where the one before it was: of what a byte is, what the one behind it is. `last` is that of the byte behind the
/// last.
pub(crate) fn of_next(bits: u64, last: bool) -> u64 {
    bits >> 1 | u64::from(last) << (BYTES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_their_bits() {
        let text: Vec<u8> = (0..100).collect();
        for at in [0, 1, 30, 36, 37, 63, 99, 100, 200] {
            let lanes = Lanes::read(&text, at);
            let bytes = lanes.bytes();
            assert!(bytes.iter().copied().eq((at..at + BYTES).map(|at| text.get(at).copied().unwrap_or(0))));
            let bits = |such: fn(u8) -> bool| (0..BYTES).fold(0, |bits, at| bits | u64::from(such(bytes[at])) << at);
            assert_eq!(lanes.bits(|part| is(part, b'0')), bits(|byte| byte == b'0'));
            assert_eq!(lanes.bits(|part| is_within(part, b'0', b'9')), bits(|byte| byte.is_ascii_digit()));
            assert_eq!(lanes.bits(|part| is(small(part), b'a')), bits(|byte| byte.eq_ignore_ascii_case(&b'a')));
        }
        assert_eq!(of_next(0b110, false), 0b11);
        assert_eq!(of_next(0b110, true), 0b11 | 1 << 63);
    }
}
