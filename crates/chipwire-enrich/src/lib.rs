//! Tagging: from a raw article and the gazetteer to a tagged article.
//!
//! Holds the [`Gazetteer`] (entities, names and cues, as reviewed data), the [`Tagger`] that is compiled from one, and the
//! readings of a text with a way back to its bytes ([`view`]).
//!
//! Refuses I/O, clocks and randomness: the same text and the same [`Gazetteer::digest`] give the same mentions, byte for
//! byte, on any machine. It never changes a text; offsets point into the text as it was fetched.
//!
//! Start reading at [`Tagger`]: a text becomes units (`view`), units become tokens (`matcher::token`), names and tickers are
//! found in them (`matcher`), what is ambiguous is weighed (`tagger::evidence`), and what overlaps is settled.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic"))]

mod article;
mod cases;
mod difference;
mod error;
mod gazetteer;
mod lanes;
mod lexicon;
mod matcher;
mod tagger;
pub mod view;

pub use cases::cases;
pub use difference::{Difference, difference};
pub use error::{Error, Result};
pub use gazetteer::import;
pub use gazetteer::{
    Alias, Allow, By, Changed, Diff, Draft, EntityDef, Fact, FieldChange, Finding, Gazetteer, Hit, Mode, Severity,
    TAGGER_VERSION,
};
pub use tagger::{Explained, Suppressed, Tagger};
