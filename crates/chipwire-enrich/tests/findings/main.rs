//! What else than mentions is found in an article: cases in `tests/cases`, and what must hold for any text.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

mod amounts;
#[path = "../support/article.rs"]
mod article;
mod fingerprints;
mod happenings;
mod languages;
mod properties;
mod support;
mod together;

use std::sync::LazyLock;

use chipwire_enrich::{Gazetteer, Tagger};

static TAGGER: LazyLock<Tagger> = LazyLock::new(|| Tagger::new(Gazetteer::builtin().unwrap()));
