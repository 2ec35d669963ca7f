//! Two readings of one raw text, both with a way back to its bytes.
//!
//! - [`plain`]: what a person would read. For search and display.
//! - the matching view: what the tagger reads, with more folded away. It is not public, as it makes sense only with the
//!   tagger's tokens.
//!
//! Both start from the same decoded units (`html`: tags and entities; `mojibake`: letters that were decoded with the
//! wrong table), so that what is shown and what is tagged are the same text.

mod folded;
mod html;
mod matching;
mod mojibake;
mod plain;

pub(crate) use self::folded::{EDGE, Folded, WIDE};
pub(crate) use self::html::Reading;
use self::html::{Sink, Stop};
pub(crate) use self::matching::append_matching;
pub use self::plain::{Plain, plain};

/// One character of a view, and the bytes of the raw text that it stands for. A text is thousands of these, read many
/// times over: they are kept small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) ch: char,
    start: u32,
    end: u32,
}

impl Unit {
    /// The bytes `start..end`, which lie before [`RAW_BYTES_MAX`].
    pub(crate) fn new(ch: char, start: usize, end: usize) -> Self {
        // Never cut, as no more is read: see `read`.
        Self { ch, start: start as u32, end: end as u32 }
    }

    pub(crate) fn start(&self) -> usize {
        self.start as usize
    }

    pub(crate) fn end(&self) -> usize {
        self.end as usize
    }

    /// Widens it to end with `other`.
    fn reach(&mut self, other: Unit) {
        self.end = other.end;
    }
}

/// What is further behind in a text is not read. No article comes near it.
const RAW_BYTES_MAX: usize = u32::MAX as usize;

/// Stands for the edge of a block of text; nothing reaches over it.
pub(crate) const PARAGRAPH: char = '\u{2029}';
/// Stands for a line break that was asked for.
pub(crate) const LINE: char = '\u{2028}';
/// Stands for something that parts words and is not text: a masked address, the edge of a subscript.
pub(crate) const BREAK: char = '\u{FFFC}';

/// Gives the raw text to `sink` with tags, entities and mojibake undone, in one go. Where that is not possible, as mojibake
/// and combining marks need a look at what is before and after, `slow` gives it the units.
fn read<S: Sink>(raw: &str, reading: Reading, sink: &mut S, slow: impl FnOnce(&mut S, &[Unit])) {
    let raw = raw.get(..raw.floor_char_boundary(RAW_BYTES_MAX)).unwrap_or_default();
    let mut done = html::read(raw, reading, false, sink);
    let blocks = done == Err(Stop::Blocks);
    if blocks {
        sink.restart();
        done = html::read(raw, reading, true, sink);
    }
    if done.is_err() {
        sink.restart();
        slow(sink, &decode(raw, reading, blocks));
    }
}

fn decode(raw: &str, reading: Reading, mut blocks: bool) -> Vec<Unit> {
    let mut units = Vec::with_capacity(raw.len());
    while html::read(raw, reading, blocks, &mut units).is_err() && !blocks {
        units.clear();
        blocks = true;
    }
    mojibake::repair(units)
}
