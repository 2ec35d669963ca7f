//! Making of what a server sent one well-formed document that a strict parser reads, and saying what had to be done.
//!
//! In this order: [`decode`] to text; [`root`] finds out what the text is and where it begins; [`canonical`] writes the feed
//! anew in one plain form of RSS 2.0 or Atom, with [`entities`] mending every text and attribute on the way; [`salvage`]
//! parses item by item when the whole cannot be parsed even so. [`scan`] is the tolerant tokenizer under all of them: it
//! accepts any text and never looks at a byte more than a few times.

pub(crate) mod canonical;
mod codepages;
mod collect;
pub(crate) mod dates;
pub(crate) mod decode;
pub(crate) mod entities;
mod forgotten;
pub(crate) mod head;
pub(crate) mod names;
mod noted;
mod output;
pub(crate) mod root;
pub(crate) mod salvage;
pub(crate) mod scan;
mod tags;
mod writer;

pub(crate) use noted::Repairs;
pub use noted::{Repair, Stage};
