//! Mending the text between tags and in attributes: references, bare ampersands, illegal characters.

use super::Repairs;
use crate::text::{code_point, entity, is_legal};

/// Appends `text`, which may hold references, as legal XML text. A reference that nothing is known of stays as it was
/// written.
pub(crate) fn push_mended(out: &mut String, text: &str, repairs: &mut Repairs) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        push_escaped(out, before, repairs);
        let (value, length) = match entity(from) {
            Some((value, length)) => {
                if !is_xml(from) {
                    repairs.note("references that XML does not know, such as &nbsp;");
                }
                (value, length)
            }
            None => {
                repairs.note("an ampersand that was not escaped");
                ("&".into(), 1)
            }
        };
        push_escaped(out, &value, repairs);
        rest = from.get(length..).unwrap_or_default();
    }
    push_escaped(out, rest, repairs);
}

/// Appends `text`, which means just what it says, as legal XML text.
pub(crate) fn push_escaped(out: &mut String, text: &str, repairs: &mut Repairs) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if is_legal(c) => out.push(c),
            _ => repairs.note("characters that XML does not allow"),
        }
    }
}

/// Whether the reference at the start of `text` is one that every XML parser reads as it was meant.
fn is_xml(text: &str) -> bool {
    let name = text.get(1..).and_then(|inside| inside.split(';').next()).unwrap_or_default();
    match code_point(name) {
        Some(0x80..=0x9f) => false,
        Some(code) => char::from_u32(code).is_some_and(is_legal),
        None => matches!(name, "amp" | "lt" | "gt" | "quot" | "apos"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, noted: &[&str]) {
        let (mut out, mut repairs) = (String::new(), Repairs::default());
        push_mended(&mut out, text, &mut repairs);
        assert_eq!(out, expected, "{text}");
        assert_eq!(repairs.into_vec(), noted, "{text}");
    }

    #[test]
    fn texts_are_mended() {
        const BARE: &str = "an ampersand that was not escaped";
        const UNKNOWN: &str = "references that XML does not know, such as &nbsp;";
        const ILLEGAL: &str = "characters that XML does not allow";
        check("a &amp; b &lt;p&gt; &#8217; &#x41;", "a &amp; b &lt;p&gt; ’ A", &[]);
        check("R&D, Q&A; x & y", "R&amp;D, Q&amp;A; x &amp; y", &[BARE]);
        check("a&nbsp;b&eacute;&rsquo;", "a\u{a0}bé’", &[UNKNOWN]);
        check("&#0;&#11;x&#xFFFF;", "x", &[UNKNOWN]);
        check("&#150;", "–", &[UNKNOWN]);
        check("a\u{0}b\u{b}c\u{fffe}", "abc", &[ILLEGAL]);
        check("&#99999999999999;&#x;&;", "&amp;#99999999999999;&amp;#x;&amp;;", &[BARE]);
        check("1 < 2", "1 &lt; 2", &[]);
    }
}
