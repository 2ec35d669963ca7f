//! What single tags of a feed say.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    names::relation,
    scan::{Tag, attributes},
};
use crate::text::{decode_entities, is_legal};

/// The value of an attribute, references decoded.
pub(super) fn attribute(tag: Tag<'_>, wanted: &str) -> Option<String> {
    attributes(tag.attributes)
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| decode_entities(value).trim().to_owned())
}

/// Whether a link leads to the page that the item is about.
pub(super) fn is_alternate(tag: Tag<'_>) -> bool {
    attribute(tag, "rel").is_none_or(|rel| matches!(relation(&rel), "" | "alternate"))
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

/// The text of people, as it is written in XML, with a space between an e-mail address and a character beside it that is
/// not ASCII: the parser takes one byte off the name on either side of the address. None if there is no such place.
pub(super) fn with_apart_addresses(text: &str) -> Option<String> {
    // With all that the parser may take for a part of the address, and what it becomes in XML.
    let before = |c: char| c.is_ascii_alphanumeric() || "._%+-:<[(&;".contains(c);
    let after = |c: char| c.is_ascii_alphanumeric() || ".->])&;".contains(c);
    if text.is_ascii() || !text.contains('@') {
        return None;
    }
    let mut out = String::with_capacity(text.len() + 2);
    let mut done = 0;
    for (at, _) in text.match_indices('@') {
        let (name, rest) = (text.get(done..at)?, text.get(at + 1..)?);
        let start = name.trim_end_matches(before);
        out.push_str(start);
        if start.ends_with(|c: char| !c.is_ascii()) {
            out.push(' ');
        }
        let domain = rest.len() - rest.trim_start_matches(after).len();
        done = at + 1 + domain;
        out.push_str(text.get(start.len() + at - name.len()..done)?);
        if text.get(done..)?.starts_with(|c: char| !c.is_ascii()) {
            out.push(' ');
        }
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{
        super::scan::{Scanner, Token},
        *,
    };

    fn tag(text: &str) -> Tag<'_> {
        match Scanner::new(text).next() {
            Some(Token::Start(tag)) => tag,
            other => panic!("{text} is {other:?}"),
        }
    }

    #[test]
    fn attributes_are_decoded() {
        for (text, expected) in [
            ("<a href='x?a=1&amp;b'>", Some("x?a=1&b")),
            ("<a href=\" x \">", Some("x")),
            ("<a rel=b href>", Some("")),
            ("<a HREF='x'>", None),
            ("<a>", None),
        ] {
            assert_eq!(attribute(tag(text), "href").as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn texts_have_a_type_and_a_form() {
        for (text, name, expected) in [
            ("<a>", "content", Some(("text", Form::Escaped))),
            ("<a type='text'>", "title", Some(("text", Form::Escaped))),
            ("<a type='html'>", "title", Some(("html", Form::Escaped))),
            ("<a type='TEXT/HTML; charset=utf-8' mode='xml'>", "content", Some(("html", Form::Inline))),
            ("<a type='xhtml'>", "content", Some(("html", Form::Inline))),
            ("<a type='xhtml' mode='escaped'>", "content", Some(("html", Form::Escaped))),
            ("<a type='image/svg+xml'>", "content", Some(("html", Form::Inline))),
            ("<a type='text/markdown'>", "content", Some(("text", Form::Escaped))),
            ("<a mode='base64'>", "title", Some(("html", Form::Base64))),
            ("<a type='text/plain' mode='base64'>", "title", Some(("text", Form::Base64))),
            ("<a type='image/png'>", "content", None),
            ("<a type='image/png'>", "title", Some(("html", Form::Escaped))),
            ("<a type='html' src='x'>", "content", None),
            ("<a type='html' src='x'>", "title", Some(("html", Form::Escaped))),
        ] {
            assert_eq!(construct(tag(text), name), expected, "{text}");
        }
    }

    #[test]
    fn base64_is_text_or_nothing() {
        for (text, expected) in [
            ("PGI+eDwvYj4=", Some("<b>x</b>")),
            (" PGI+\n eDwvYj4 ", Some("<b>x</b>")),
            ("", Some("")),
            ("AAAA", None),
            ("/w==", None),
            ("<b>", None),
        ] {
            assert_eq!(from_base64(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn addresses_stand_apart_from_what_is_not_ascii() {
        for (text, expected) in [
            ("Tim O’Reilly", None),
            ("ed@example.org (Ed)", None),
            ("Tim O’Reilly &lt;tim@example.org&gt;", Some("Tim O’Reilly &lt;tim@example.org&gt;")),
            ("ed@example.org（张三）", Some("ed@example.org （张三）")),
            ("“x”ed@example.org…", Some("“x” ed@example.org …")),
            ("“mailto:ed@example.org”", Some("“ mailto:ed@example.org ”")),
            ("…a@b.cc…d@e.ff…", Some("… a@b.cc … d@e.ff …")),
            ("…@…@", Some("… @ … @")),
            ("é&lt;[(a@b.cc&gt;])é", Some("é &lt;[(a@b.cc&gt;]) é")),
        ] {
            assert_eq!(with_apart_addresses(text).as_deref(), expected, "{text}");
        }
    }
}
