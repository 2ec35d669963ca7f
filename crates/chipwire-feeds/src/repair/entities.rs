//! Mending the text between tags and in attributes: references, bare ampersands, illegal characters.

use memchr::{memchr, memchr2, memmem};

use super::{
    Repairs, Stage,
    scan::{Scanner, Token},
};
use crate::text::{code_point, entity, is_legal};

/// Entities that a document type declares at most.
const MAX_DECLARED: usize = 200;

/// The longest value of a declared entity, in bytes.
const MAX_VALUE_BYTES: usize = 1_000;

/// The entities of a document type that stand for plain text. One whose value holds another reference is not taken: such
/// entities can grow without end.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Declared<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Declared<'a> {
    /// Takes the internal entities of a `<!DOCTYPE ...>`.
    pub(crate) fn take(&mut self, doctype: &'a str) {
        let inside = doctype.split_once('[').map_or(doctype, |(_, inside)| inside);
        for token in Scanner::new(inside) {
            let Token::Doctype(text) = token else { continue };
            let Some(declaration) = text.strip_prefix("<!ENTITY") else { continue };
            let declaration = declaration.trim_start();
            let Some((name, rest)) = declaration.split_once(char::is_whitespace) else { continue };
            let rest = rest.trim_start();
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
            let Some((value, _)) = rest.get(1..).and_then(|value| value.split_once(quote)) else { continue };
            let plain = !value.contains(['&', '%', '<']) && value.len() <= MAX_VALUE_BYTES;
            if plain && name != "%" && self.0.len() < MAX_DECLARED && self.value(name).is_none() {
                self.0.push((name, value));
            }
        }
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// What the reference at the start of `text` stands for, and its length in bytes.
    fn expand(&self, text: &str) -> Option<(&'a str, usize)> {
        if self.0.is_empty() {
            return None;
        }
        let inside = text.get(1..)?;
        let end = inside.find(';')?;
        Some((self.value(inside.get(..end)?)?, end + 2))
    }
}

/// Whether a document has a character that XML does not allow, or that stands for another one. Looked for once, and fast,
/// so that clean documents need no second look at their texts.
pub(crate) fn has_odd_characters(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.chunks(64).enumerate().any(|(index, chunk)| {
        chunk.iter().fold(false, |odd, byte| odd | may_be_odd(*byte))
            && chunk.iter().enumerate().any(|(at, byte)| match byte {
                // What begins so is mostly harmless: a no-break space, a full-width sign.
                0xc2 => bytes.get(index * 64 + at + 1).is_some_and(|next| *next < 0xa0),
                0xef => bytes.get(index * 64 + at + 1) == Some(&0xbf),
                byte => may_be_odd(*byte),
            })
    })
}

/// Appends `text`, which may hold references, as legal XML text. A reference that nothing is known of stays as it was
/// written.
pub(crate) fn push_mended(out: &mut String, text: &str, declared: &Declared<'_>, repairs: &mut Repairs) {
    if repairs.sound && is_xml_text(text) {
        return out.push_str(text);
    }
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        push_escaped(out, before, repairs);
        let length = if let Some(length) = xml_reference(from) {
            out.push_str(from.get(..length).unwrap_or_default());
            length
        } else if let Some((value, length)) = declared.expand(from) {
            push_escaped(out, value, repairs);
            length
        } else if let Some((value, length)) = entity(from) {
            repairs.note(Stage::Text, "references that XML does not know, such as &nbsp;");
            push_escaped(out, &value, repairs);
            length
        } else {
            repairs.note(Stage::Text, "an ampersand that was not escaped");
            out.push_str("&amp;");
            1
        };
        rest = from.get(length..).unwrap_or_default();
    }
    push_escaped(out, rest, repairs);
}

/// Appends text between tags, which may hold references, as legal XML text. A text with references becomes a CDATA section
/// where that can be, which the parser reads much faster than one with a reference for every tag of HTML.
pub(crate) fn push_text(out: &mut String, text: &str, declared: &Declared<'_>, repairs: &mut Repairs) {
    let bytes = text.as_bytes();
    if !repairs.sound || memchr(b'<', bytes).is_some() {
        return push_mended(out, text, declared, repairs);
    }
    if memchr(b'&', bytes).is_none() {
        return push_escaped_end(out, text, repairs);
    }
    let start = out.len();
    out.push_str("<![CDATA[");
    let inside = out.len();
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some((value, length)) = entity(from).filter(|_| xml_reference(from).is_some()) else {
            out.truncate(start);
            return push_mended(out, text, declared, repairs);
        };
        out.push_str(&value);
        rest = from.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    if ends_section(out.get(inside..).unwrap_or_default()) {
        out.truncate(start);
        return push_mended(out, text, declared, repairs);
    }
    out.push_str("]]>");
}

/// Appends text without references and odd characters.
fn push_escaped_end(out: &mut String, text: &str, repairs: &mut Repairs) {
    match memmem::find(text.as_bytes(), b"]]>") {
        Some(_) => push_escaped(out, text, repairs),
        None => out.push_str(text),
    }
}

/// Whether a text cannot be the inside of a CDATA section.
pub(crate) fn ends_section(text: &str) -> bool {
    memmem::find(text.as_bytes(), b"]]>").is_some() || memmem::find(text.as_bytes(), b"<![CDATA[").is_some()
}

/// Whether a text without odd characters can stand between tags as it is.
fn is_xml_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    if memchr2(b'<', b'"', bytes).is_some() || memmem::find(bytes, b"]]>").is_some() {
        return false;
    }
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        let from = rest.get(at..).unwrap_or_default();
        let Some(length) = xml_reference(from) else { return false };
        rest = from.get(length..).unwrap_or_default();
    }
    true
}

/// Appends `text`, which means just what it says, as legal XML text.
pub(crate) fn push_escaped(out: &mut String, text: &str, repairs: &mut Repairs) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(needs_care) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some(c) = from.chars().next() else { return };
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => push_odd(out, c, repairs),
        }
        rest = from.get(c.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Appends the inside of a CDATA section: as one where that can be, which is most of the text of most feeds.
pub(crate) fn push_literal(out: &mut String, text: &str, repairs: &mut Repairs) {
    if ends_section(text) {
        return push_escaped(out, text, repairs);
    }
    push_section(out, text, repairs);
}

/// Appends the inside of a CDATA section, which holds neither its end nor the beginning of another.
pub(crate) fn push_section(out: &mut String, text: &str, repairs: &mut Repairs) {
    let start = out.len();
    out.push_str("<![CDATA[");
    let inside = out.len();
    let mut rest = text;
    while let Some(at) = if repairs.sound { None } else { rest.bytes().position(may_be_odd) } {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let Some(c) = from.chars().next() else { return };
        push_odd(out, c, repairs);
        rest = from.get(c.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
    // What is left out between two characters may have kept them apart.
    if !repairs.sound && ends_section(out.get(inside..).unwrap_or_default()) {
        let literal = out.split_off(inside);
        out.truncate(start);
        return push_escaped(out, &literal, repairs);
    }
    out.push_str("]]>");
}

/// Bytes that are not copied as they are.
const NEEDS_CARE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "the loop ends at 255")]
        {
            table[byte] = matches!(byte as u8, b'&' | b'<' | b'>' | b'"') || may_be_odd(byte as u8);
        }
        byte += 1;
    }
    table
};

fn needs_care(byte: u8) -> bool {
    NEEDS_CARE.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Control characters, and what U+0080 to U+009F, U+FFFE and U+FFFF begin with.
const fn may_be_odd(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\n' && byte != b'\r' && byte != b'\t') || byte == 0xc2 || byte == 0xef
}

fn push_odd(out: &mut String, c: char, repairs: &mut Repairs) {
    match c {
        '\u{80}'..='\u{9f}' => {
            repairs.note(Stage::Text, "control characters where windows-1252 has quotes and dashes");
            let byte = [u8::try_from(u32::from(c)).unwrap_or_default()];
            out.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0);
        }
        c if is_legal(c) => out.push(c),
        _ => repairs.note(Stage::Text, "characters that XML does not allow"),
    }
}

/// The length of the reference at the start of `text`, if it is one that every XML parser reads as it was meant.
fn xml_reference(text: &str) -> Option<usize> {
    let inside = text.get(1..)?;
    let end = inside.bytes().take(10).position(|byte| byte == b';')?;
    let name = inside.get(..end)?;
    let known = match code_point(name) {
        Some(0x80..=0x9f) => false,
        Some(code) => char::from_u32(code).is_some_and(is_legal),
        None => matches!(name, "amp" | "lt" | "gt" | "quot" | "apos"),
    };
    known.then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::{super::noted::in_words, *};

    fn check_declared(declared: &Declared<'_>, text: &str, expected: &str, noted: &[&str]) {
        let (mut out, mut repairs) = (String::new(), Repairs::default());
        push_mended(&mut out, text, declared, &mut repairs);
        assert_eq!(out, expected, "{text}");
        assert_eq!(in_words(repairs), noted, "{text}");
    }

    fn check(text: &str, expected: &str, noted: &[&str]) {
        check_declared(&Declared::default(), text, expected, noted);
    }

    const BARE: &str = "an ampersand that was not escaped";
    const UNKNOWN: &str = "references that XML does not know, such as &nbsp;";
    const ILLEGAL: &str = "characters that XML does not allow";
    const CONTROLS: &str = "control characters where windows-1252 has quotes and dashes";

    #[test]
    fn texts_are_mended() {
        check("a &amp; b &lt;p&gt; &#8217; &#x41;", "a &amp; b &lt;p&gt; &#8217; &#x41;", &[]);
        check("R&D, Q&A; x & y", "R&amp;D, Q&amp;A; x &amp; y", &[BARE]);
        check("a&nbsp;b&eacute;&rsquo;", "a\u{a0}bé’", &[UNKNOWN]);
        check("&#0;&#11;x&#xFFFF;", "x", &[UNKNOWN]);
        check("&#150;", "–", &[UNKNOWN]);
        check("a\u{0}b\u{b}c\u{fffe}d\u{ffe0}\u{a9}", "abcd\u{ffe0}\u{a9}", &[ILLEGAL]);
        check("don\u{92}t", "don’t", &[CONTROLS]);
        check("&#99999999999999;&#x;&;", "&amp;#99999999999999;&amp;#x;&amp;;", &[BARE]);
        check("1 < 2", "1 &lt; 2", &[]);
    }

    #[test]
    fn odd_characters_are_seen() {
        for (text, odd) in [
            ("plain\r\n\ttext é 中 \u{a0}\u{ff01}", false),
            ("a\u{1}", true),
            ("a\u{85}", true),
            ("a\u{fffe}", true),
            // Harmless, and so rare that a closer look does no harm.
            ("a\u{ffe0}", true),
        ] {
            for before in [0, 62, 63, 64] {
                assert_eq!(has_odd_characters(&format!("{}{text}", "x".repeat(before))), odd, "{before} {text:?}");
            }
        }
    }

    #[test]
    fn sound_texts_are_copied() {
        for (text, expected) in [
            ("a &lt;b&gt; > c", "a &lt;b&gt; > c"),
            ("a & b", "a &amp; b"),
            ("a < b", "a &lt; b"),
            ("a]]>", "a]]&gt;"),
            ("a&nbsp;", "a\u{a0}"),
        ] {
            let (mut out, mut repairs) = (String::new(), Repairs::default());
            repairs.sound = true;
            push_mended(&mut out, text, &Declared::default(), &mut repairs);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn texts_with_references_become_sections() {
        for (text, expected) in [
            ("plain > text", "plain > text"),
            ("&lt;p&gt;a &amp;amp; b&lt;/p&gt;", "<![CDATA[<p>a &amp; b</p>]]>"),
            ("&#8217;&#x41;", "<![CDATA[’A]]>"),
            ("a ]]&gt; b", "a ]]&gt; b"),
            ("a ]]> b", "a ]]&gt; b"),
            ("a &lt;![CDATA[ b", "a &lt;![CDATA[ b"),
            ("&lt;a&nbsp;b & c", "&lt;a\u{a0}b &amp; c"),
            ("a < &amp;", "a &lt; &amp;"),
        ] {
            let (mut out, mut repairs) = (String::new(), Repairs::default());
            repairs.sound = true;
            push_text(&mut out, text, &Declared::default(), &mut repairs);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn sections_stay_sections() {
        for (text, expected) in [
            ("<p>a & b</p>", "<![CDATA[<p>a & b</p>]]>"),
            ("a\u{1}\u{92}b", "<![CDATA[a’b]]>"),
            ("a]]>b<", "a]]&gt;b&lt;"),
            ("a]]\u{1}>b<", "a]]&gt;b&lt;"),
            ("a<![\u{1}CDATA[b]", "a&lt;![CDATA[b]"),
        ] {
            let mut out = String::new();
            push_literal(&mut out, text, &mut Repairs::default());
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn declared_entities_stand_for_plain_text_only() {
        let mut declared = Declared::default();
        declared.take(
            "<!DOCTYPE rss [<!ENTITY id \"tag:x,\"> <!ENTITY big '&id;&id;'><!ENTITY % p 'x'><!ENTITY e SYSTEM 'file:///x'>]>",
        );
        assert_eq!(declared, Declared(vec![("id", "tag:x,")]));
        check_declared(&declared, "&id;1 &big; &e; &id", "tag:x,1 &amp;big; &amp;e; &amp;id", &[BARE]);
    }
}
