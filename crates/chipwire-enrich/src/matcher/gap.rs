//! What is between two tokens.

use crate::view::{BREAK, EDGE, Folded, PARAGRAPH};

/// What is between two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Gap {
    /// Nothing: the script changes.
    Empty,
    /// White space or a middle dot.
    Space,
    /// A hyphen alone.
    Hyphen,
    /// A long dash alone.
    Dash,
    /// An apostrophe alone.
    Apostrophe,
    /// A full stop alone, as in `JD.com`.
    Dot,
    /// A full stop and white space.
    DotSpace,
    /// A comma.
    Comma,
    /// A slash alone.
    Slash,
    /// An ampersand.
    Ampersand,
    /// A colon.
    Colon,
    /// A percent sign.
    Percent,
    /// An opening bracket.
    Open,
    /// A closing bracket.
    Close,
    /// Quotes and space.
    Quote,
    /// Anything else.
    Other,
    /// The edge of a paragraph, a field or a masked address.
    Hard,
}

/// What is between two tokens, if it is one sign that is kept by a byte.
const fn short_gap(sign: u8) -> Option<Gap> {
    Some(match sign {
        b' ' => Gap::Space,
        b'-' => Gap::Hyphen,
        b'\'' => Gap::Apostrophe,
        b'.' => Gap::Dot,
        b',' => Gap::Comma,
        b'/' => Gap::Slash,
        b'&' => Gap::Ampersand,
        b':' => Gap::Colon,
        b'%' => Gap::Percent,
        b'(' => Gap::Open,
        b')' => Gap::Close,
        b'"' => Gap::Quote,
        b'!'..=b'~' => Gap::Other,
        _ => return None,
    })
}

/// The same of a sign and a space behind it.
const fn spaced_gap(sign: u8) -> Option<Gap> {
    match short_gap(sign) {
        Some(Gap::Dot) => Some(Gap::DotSpace),
        Some(Gap::Apostrophe) => Some(Gap::Quote),
        Some(Gap::Hyphen | Gap::Slash) => Some(Gap::Other),
        gap => gap,
    }
}

/// Signs that a byte may keep.
const BYTES: usize = 256;

/// By a sign that is kept by a byte: what is between two tokens if that is all; and then, if a space is behind it.
const GAPS: [Option<Gap>; 2 * BYTES] = gaps();

const fn gaps() -> [Option<Gap>; 2 * BYTES] {
    let mut gaps = [None; 2 * BYTES];
    let (mut alone, mut spaced) = gaps.split_at_mut(BYTES);
    let mut sign: u8 = 0;
    while let ([first, rest @ ..], [first_spaced, rest_spaced @ ..]) = (alone, spaced) {
        (*first, *first_spaced) = (short_gap(sign), spaced_gap(sign));
        (alone, spaced) = (rest, rest_spaced);
        sign = sign.wrapping_add(1);
    }
    gaps
}

/// What is between two tokens, the characters `start..end`.
pub(super) fn gap(view: &Folded, start: usize, end: usize) -> Gap {
    let Some([sign, next]) = view.narrow().get(start..).and_then(<[u8]>::first_chunk) else {
        return other_gap(view, start, end);
    };
    let spaced = (end - start == 2) & (*next == b' ');
    let short = GAPS.get(usize::from(*sign) + usize::from(spaced) * BYTES).copied().flatten();
    short.filter(|_| spaced | (end - start == 1)).unwrap_or_else(|| other_gap(view, start, end))
}

#[inline(never)]
fn other_gap(view: &Folded, start: usize, end: usize) -> Gap {
    match *view.narrow().get(start..end).unwrap_or_default() {
        [] => Gap::Empty,
        [b' ', b'('] => Gap::Open,
        [.., EDGE] => Gap::Hard,
        _ => long_gap(view.chars(start, end)),
    }
}

fn long_gap(chars: impl Iterator<Item = char> + Clone) -> Gap {
    let all = |such: fn(char) -> bool| chars.clone().all(such);
    let without = |sign: char| chars.clone().filter(|ch| *ch != ' ').eq([sign]);
    match () {
        () if all(|ch| matches!(ch, ' ' | '·')) => Gap::Space,
        () if chars.clone().any(|ch| matches!(ch, PARAGRAPH | BREAK)) => Gap::Hard,
        () if chars.clone().eq(['—']) => Gap::Dash,
        () if chars.clone().next() == Some('.') && chars.clone().skip(1).all(|ch| ch == ' ') => Gap::DotSpace,
        () if without(',') || without('、') => Gap::Comma,
        () if without('&') => Gap::Ampersand,
        () if without(':') => Gap::Colon,
        () if without('%') => Gap::Percent,
        () if without('(') => Gap::Open,
        () if without(')') => Gap::Close,
        () if all(|ch| matches!(ch, ' ' | '"' | '\'')) => Gap::Quote,
        () => Gap::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_and_a_space_are_what_they_are_read_one_by_one() {
        for sign in (b' '..=b'~').filter(|sign| !sign.is_ascii_alphanumeric()) {
            let text = format!("a{} b", char::from(sign));
            let mut view = Folded::default();
            text.chars().for_each(|ch| view.push(ch, 0, 0));
            let read = long_gap(view.chars(1, 3));
            assert_eq!((gap(&view, 1, 3), spaced_gap(sign)), (read, Some(read)), "{text:?}");
        }
    }
}
