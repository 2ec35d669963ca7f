//! A text in the matching view: its characters, and the way back to the raw bytes that they stand for.

/// The characters of a text, one behind the other, and where each came from.
///
/// Nearly all of a text are stretches in which every character took as many bytes as the one before it: only where each of
/// these begins is kept, so that a character takes the four bytes that it is.
#[derive(Debug, Default)]
pub(crate) struct Folded {
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

impl Folded {
    pub(crate) fn with_capacity(chars: usize) -> Self {
        Self { chars: Vec::with_capacity(chars), runs: Vec::new() }
    }

    pub(crate) fn chars(&self) -> &[char] {
        &self.chars
    }

    /// The characters from `from` on, to be changed one by one.
    pub(super) fn chars_mut(&mut self, from: usize) -> &mut [char] {
        self.chars.get_mut(from..).unwrap_or_default()
    }

    pub(crate) fn into_chars(self) -> Vec<char> {
        self.chars
    }

    pub(crate) fn len(&self) -> usize {
        self.chars.len()
    }

    /// Adds a character that stands for the raw bytes `start..end`, which lie before 4 GiB.
    pub(crate) fn push(&mut self, ch: char, start: usize, end: usize) {
        self.run(start, end - start);
        self.chars.push(ch);
    }

    /// Adds ASCII that stands for itself at `start`.
    pub(super) fn push_ascii(&mut self, text: &[u8], start: usize) {
        self.run(start, 1);
        self.chars.extend(text.iter().map(|byte| char::from(*byte)));
    }

    /// Goes on with characters of `width` bytes at `raw`.
    fn run(&mut self, raw: usize, width: usize) {
        let at = self.chars.len();
        let goes_on = self.runs.last().is_some_and(|run| run.width as usize == width && run.start(at) == raw);
        if !goes_on {
            // Never cut, as no more is read: see `read`.
            self.runs.push(Run { first: at as u32, raw: raw as u32, width: width as u32 });
        }
    }

    /// Forgets all but the first `length` characters.
    pub(super) fn truncate(&mut self, length: usize) {
        self.chars.truncate(length);
        self.runs.truncate(self.runs.partition_point(|run| (run.first as usize) < length));
    }

    /// The raw bytes of the character at `at`: where they begin, and where they end.
    pub(crate) fn raw(&self, at: usize) -> Option<(usize, usize)> {
        let next = self.runs.partition_point(|run| run.first as usize <= at);
        let run = self.runs.get(next.checked_sub(1)?).filter(|_| at < self.chars.len())?;
        let start = run.start(at);
        Some((start, start + run.width as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_know_their_bytes() {
        let mut folded = Folded::with_capacity(8);
        folded.push_ascii(b"ab", 0);
        folded.push(' ', 2, 5);
        folded.push('c', 5, 6);
        folded.push('d', 6, 7);
        folded.push('中', 7, 10);
        folded.push('国', 10, 13);
        // Two of one.
        folded.push('k', 13, 16);
        folded.push('g', 13, 16);
        // Another text.
        folded.push('\u{2029}', 0, 0);
        folded.push_ascii(b"x", 0);
        assert_eq!(folded.chars().iter().collect::<String>(), "ab cd中国kg\u{2029}x");
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
}
