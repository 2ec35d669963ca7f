//! Making of what a server sent one well-formed document that a strict parser reads, and saying what had to be done.
//!
//! In this order: [`decode`] to text; [`root`] finds out what the text is and where it begins; [`canonical`] writes the feed
//! anew in one plain form of RSS 2.0 or Atom, with [`entities`] mending every text and attribute on the way; [`salvage`]
//! parses item by item when the whole cannot be parsed even so. [`scan`] is the tolerant tokenizer under all of them: it
//! accepts any text and never looks at a byte more than a few times.

pub(crate) mod canonical;
pub(crate) mod decode;
pub(crate) mod entities;
pub(crate) mod names;
pub(crate) mod root;
pub(crate) mod salvage;
pub(crate) mod scan;
mod tags;
mod writer;

/// What had to be repaired, in words for the feed's owner; each thing once.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Repairs(Vec<String>);

impl Repairs {
    pub(crate) fn note(&mut self, what: impl AsRef<str>) {
        let what = what.as_ref();
        if !self.0.iter().any(|known| known == what) {
            self.0.push(what.to_owned());
        }
    }

    pub(crate) fn into_vec(self) -> Vec<String> {
        self.0
    }
}
