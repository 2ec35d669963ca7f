//! From the page of an article to its text.
//!
//! [`extract()`] cuts the page down (`slim`), reads what it says of itself (`meta`: JSON-LD, `<meta>`, `<time>`), and has the
//! main text picked out by two libraries: dom_smoothie first, which is quick, and trafilatura where `choose` does not trust
//! the first. What neither should have kept is taken off at the end (`trim`).
//!
//! Pure: no clock, no network. Any text in gives an answer: sizes, tags and depth are bounded before a parser sees them, and
//! the libraries run on a thread of their own, whose panic is an error like any other.

mod choose;
mod libraries;
mod meta;
mod slim;
mod trim;

#[cfg(test)]
mod tests;

use std::thread;

use chipwire_events::Timestamp;
use url::Url;

use crate::{
    error::ExtractError,
    repair::{Repairs, decode},
    text,
};

/// The largest page that is looked at, in bytes: the rest is cut off.
const MAX_PAGE_BYTES: usize = 4 << 20;

/// What the libraries run on: they go down the tree of a page by recursion.
const STACK_BYTES: usize = 16 << 20;

/// The article of a page.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Page {
    /// The headline.
    pub title: String,
    /// The main text: paragraphs, each on a line of its own, apart by an empty line.
    pub text: String,
    /// When it was published, as the page says.
    pub published: Option<Timestamp>,
    /// The authors' names.
    pub authors: Vec<String>,
    /// The language as a BCP 47 tag.
    pub language: Option<String>,
}

/// Reads the bytes of a page. `content_type` is the header's value, `url` where the page came from.
pub fn extract_bytes(bytes: &[u8], content_type: Option<&str>, url: Option<&Url>) -> Result<Page, ExtractError> {
    let bytes = bytes.get(..MAX_PAGE_BYTES).unwrap_or(bytes);
    let declared = declared_charset(bytes).map(|charset| format!("text/html; charset={charset}"));
    let says = content_type.filter(|kind| kind.to_ascii_lowercase().contains("charset=")).or(declared.as_deref());
    extract(&decode::decode(bytes, says, &mut Repairs::default()), url)
}

/// Reads a page.
pub fn extract(page: &str, url: Option<&Url>) -> Result<Page, ExtractError> {
    let page = text::cap_bytes(page, MAX_PAGE_BYTES);
    if page.trim().is_empty() {
        return Err(ExtractError::Empty);
    }
    let work = || read(page, url);
    // A page that makes a library panic is a page without an article.
    let result = thread::scope(|scope| {
        let thread = thread::Builder::new().name("extract".to_owned()).stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, work).map_err(|_| ExtractError::Thread)?.join().map_err(|_| ExtractError::Failed)
    })?;
    let page = result?;
    if page.text.is_empty() { Err(ExtractError::NoArticle) } else { Ok(page) }
}

fn read(page: &str, url: Option<&Url>) -> Result<Page, ExtractError> {
    let slim = slim::slim(page);
    let document = libraries::document(&slim.html);
    let meta = meta::read(&document, &slim.json_ld, url);
    let html = libraries::prepared(&document);
    let text = choose::main_text(&html, &meta).ok_or(ExtractError::NoArticle)?;
    let text = trim::trim(&text, &meta.title, &meta.authors);
    let language = meta.language_of(&text);
    Ok(Page { title: meta.title, text, published: meta.published, authors: meta.authors, language })
}

/// The encoding that a page names in its first bytes: `<meta charset>` or the older form with `http-equiv`.
fn declared_charset(bytes: &[u8]) -> Option<String> {
    let start: String = bytes.iter().take(4_096).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let value = start.split("charset=").nth(1)?.trim_start_matches(['"', '\'', ' ']);
    let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(value.len());
    value.get(..end).filter(|label| !label.is_empty()).map(str::to_owned)
}
