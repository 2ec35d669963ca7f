//! What single tags of a feed say.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::scan::{Tag, attributes};
use crate::text::{decode_entities, is_legal};

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

/// How the text of an element is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As text, in which markup is escaped.
    Escaped,
    /// As markup that is part of the document.
    Inline,
    /// In base64.
    Base64,
}

/// How a text of Atom is written: its type, and its form. None if it is no text.
pub(super) fn construct(tag: Tag<'_>, name: &str) -> Option<(&'static str, Form)> {
    let kind = attribute(tag, "type").unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let mode = attribute(tag, "mode").unwrap_or_default().to_ascii_lowercase();
    let content = name == "content";
    if content && attribute(tag, "src").is_some() {
        return None;
    }
    // RFC 4287 section 4.1.3.3: content of a type that is no text is in base64. Some write texts that way.
    if mode == "base64" || kind == "application/octet-stream" {
        return Some((if kind == "text/plain" { "text" } else { "html" }, Form::Base64));
    }
    let form = |inline| if inline { Form::Inline } else { Form::Escaped };
    match kind {
        "" | "text" | "text/plain" => Some(("text", Form::Escaped)),
        "html" | "text/html" | "application/html" => Some(("html", form(mode == "xml"))),
        "xhtml" | "application/xhtml+xml" => Some(("html", form(mode != "escaped"))),
        _ if kind.ends_with("+xml") || kind.ends_with("/xml") => Some(("html", form(mode != "escaped"))),
        _ if kind.starts_with("text/") => Some(("text", Form::Escaped)),
        _ if content => None,
        _ => Some(("html", Form::Escaped)),
    }
}

/// The text in base64. None if it is none, or no text.
pub(super) fn from_base64(text: &str) -> Option<String> {
    let engine = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let dense: String = text.split_whitespace().collect();
    let text = String::from_utf8(engine.decode(dense).ok()?).ok()?;
    text.chars().all(is_legal).then_some(text)
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
