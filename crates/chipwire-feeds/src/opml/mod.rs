//! Lists of feeds in OPML 1.0, 1.1 and 2.0 (opml.org/spec2.opml), read and written with head, folders, titles and attributes.
//! Comments are not kept, and of two folders of one name in the same place one is made.
//!
//! What a list says of a feed is kept: name, folders with what is said of them, of which it may lie in several, tags
//! (`category`), the address of the site (`htmlUrl`), the place in the list, and every attribute that means nothing to
//! chipwire. What only chipwire knows (interval, pause, article pages) is
//! written as attributes of a name space of its own. Request headers are neither written nor read: they are secrets of whoever
//! runs this chipwire, and a list from a stranger must not make it send any.

mod read;
mod write;

#[cfg(test)]
mod tests;

use chipwire_events::{Feed, FeedList};

pub use read::{read, read_bytes};
pub use write::write;

use crate::error::OpmlError;

/// What was read of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The feeds, in the order of the list, none of them twice.
    pub feeds: Vec<Feed>,
    /// What it says besides: its head and its folders.
    pub frame: FeedList,
    /// The outlines that are left out, since their addresses are none.
    pub left_out: Vec<OpmlError>,
}

/// The name space of chipwire's own attributes.
const NAMESPACE: &str = "urn:x-chipwire:opml";

/// The prefix that it is written with.
const PREFIX: &str = "chipwire";

/// The longest list of folders of one feed.
const MAX_PLACES: usize = 64;

/// Folders within folders that are followed.
const MAX_DEPTH: usize = 32;

/// Folders, and elements of the head, that are kept.
const MAX_FOLDERS: usize = 10_000;
const MAX_HEAD: usize = 64;

/// Attributes of one outline that are kept although they mean nothing to chipwire.
const MAX_EXTRAS: usize = 32;

/// The longest of them, in bytes.
const MAX_EXTRA_BYTES: usize = 4_096;
