//! Lists of feeds in OPML 1.0, 1.1 and 2.0 (opml.org/spec2.opml), read and written without loss.
//!
//! What a list says of a feed is kept: name, folders, tags (`category`), the address of the site (`htmlUrl`), the place in the
//! list, and every attribute that means nothing to chipwire. What only chipwire knows (interval, pause, article pages) is
//! written as attributes of a name space of its own. Request headers are neither written nor read: they are secrets of whoever
//! runs this chipwire, and a list from a stranger must not make it send any.

mod read;
mod write;

#[cfg(test)]
mod tests;

pub use read::{read, read_bytes};
pub use write::write;

/// The name space of chipwire's own attributes.
const NAMESPACE: &str = "urn:x-chipwire:opml";

/// The prefix that it is written with.
const PREFIX: &str = "chipwire";

/// Folders within folders that are followed.
const MAX_DEPTH: usize = 32;

/// Attributes of one outline that are kept although they mean nothing to chipwire.
const MAX_EXTRAS: usize = 32;

/// The longest of them, in bytes.
const MAX_EXTRA_BYTES: usize = 4_096;
