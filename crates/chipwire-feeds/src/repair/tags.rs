//! What single tags of a feed say.

use super::scan::{Tag, attributes};
use crate::text::decode_entities;

/// The value of an attribute, references decoded.
pub(super) fn attribute(tag: Tag<'_>, wanted: &str) -> Option<String> {
    attributes(tag.attributes)
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| decode_entities(value).trim().to_owned())
}

/// Whether a link leads to the page that the item is about.
pub(super) fn is_alternate(tag: Tag<'_>) -> bool {
    attribute(tag, "rel").is_none_or(|rel| matches!(rel.as_str(), "" | "alternate"))
}

/// How a text of Atom is written: its type, and whether its markup is XML. None if it is no text.
pub(super) fn construct(tag: Tag<'_>, name: &str) -> Option<(&'static str, bool)> {
    let kind = attribute(tag, "type").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let mode = attribute(tag, "mode").unwrap_or_default().to_ascii_lowercase();
    let content = name == "content";
    if mode == "base64" || (content && attribute(tag, "src").is_some()) {
        return None;
    }
    match kind {
        "" | "text" | "text/plain" => Some(("text", false)),
        "html" | "text/html" | "application/html" => Some(("html", mode == "xml")),
        "xhtml" | "application/xhtml+xml" => Some(("html", mode != "escaped")),
        _ if kind.ends_with("+xml") || kind.ends_with("/xml") => Some(("html", mode != "escaped")),
        _ if kind.starts_with("text/") => Some(("text", false)),
        _ if content => None,
        _ => Some(("html", false)),
    }
}

/// Names of people with a space on both sides of every character that is neither ASCII nor a letter: the parser splits
/// them one byte beside an e-mail address.
pub(super) fn parted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '（' => out.push_str(" ("),
            '）' => out.push_str(") "),
            c if c.is_ascii() || c.is_alphanumeric() => out.push(c),
            c => {
                out.push(' ');
                out.push(c);
                out.push(' ');
            }
        }
    }
    out
}
