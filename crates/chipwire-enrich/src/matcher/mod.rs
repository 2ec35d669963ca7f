//! From a gazetteer to something that finds names: tokens, a trie over them, tickers and cue phrases.

mod cues;
mod sentence;
mod ticker;
mod token;
mod trie;

pub(crate) use self::cues::{Cues, Hits};
pub(crate) use self::ticker::Tickers;
pub(crate) use self::token::{Document, Gap, Token, Words, shape};
pub(crate) use self::trie::{Alias, Form, Match, Names, Trie};
