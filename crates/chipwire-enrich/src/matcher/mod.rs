//! From a gazetteer to something that finds names: tokens, a trie over them, tickers and cue phrases.

mod cues;
mod document;
mod gap;
mod narrow;
mod sentence;
mod ticker;
mod token;
mod trie;
mod words;

pub(crate) use self::cues::{Cues, Hits, Phrases, small};
pub(crate) use self::document::Document;
pub(crate) use self::gap::Gap;
pub(crate) use self::ticker::Tickers;
pub(crate) use self::token::{Token, shape};
pub(crate) use self::trie::{Alias, Form, Match, Names, Trie};
pub(crate) use self::words::{Words, part};
