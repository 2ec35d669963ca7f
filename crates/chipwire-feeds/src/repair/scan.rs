//! A tokenizer for XML and HTML that accepts any text.
//!
//! What is no markup is text. Every byte is looked at a bounded number of times: a search that finds nothing is remembered
//! and not repeated.

use memchr::{memchr, memmem};

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Text between tags, references not decoded.
    Text(&'a str),
    /// The inside of a CDATA section.
    Cdata(&'a str),
    /// What is taken for the inside of a CDATA section that has no end.
    CutCdata(&'a str),
    /// A start tag.
    Start(Tag<'a>),
    /// An end tag.
    End {
        /// The name, with its prefix.
        name: &'a str,
        /// The whole tag.
        raw: &'a str,
    },
    /// A document type declaration, from `<!` to `>`.
    Doctype(&'a str),
    /// A comment or processing instruction.
    Other,
    /// A CDATA section or comment without an end, a tag without its `>`: the tokens after it are a guess.
    Fault(&'static str),
}

/// A start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// The name, with its prefix.
    pub(crate) name: &'a str,
    /// Everything between the name and the end of the tag.
    pub(crate) attributes: &'a str,
    /// Whether it ends with `/>`.
    pub(crate) empty: bool,
    /// The whole tag.
    pub(crate) raw: &'a str,
}

/// Iterates over the tokens of a text.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    cdata_end: End,
    comment_end: End,
    instruction_end: End,
    /// The one document type was seen.
    subset_seen: bool,
    pending: Option<Token<'a>>,
}

/// A mark that ends something, and where it stands next: what was found is remembered, so that a text in which much begins
/// and little ends is searched once. None if it does not come any more.
#[derive(Debug, Clone)]
struct End(&'static str, Option<usize>);

impl End {
    /// Where the mark stands next in `text`, at or after `from`, relative to `from`.
    fn after(&mut self, text: &str, from: usize) -> Option<usize> {
        let known = self.1?;
        if known < from || known == 0 {
            self.1 = text
                .get(from..)
                .and_then(|rest| memmem::find(rest.as_bytes(), self.0.as_bytes()))
                .map(|found| from + found);
        }
        self.1.map(|found| found - from)
    }
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            cdata_end: End("]]>", Some(0)),
            comment_end: End("-->", Some(0)),
            instruction_end: End("?>", Some(0)),
            subset_seen: false,
            pending: None,
        }
    }

    /// The byte at which the next token begins.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Goes on at a later byte, which must be at a character boundary.
    pub(crate) fn skip_to(&mut self, at: usize) {
        self.pending = None;
        self.at = self.at.max(at);
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes `length` bytes, which must end at a character boundary.
    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.rest().get(..length).unwrap_or_else(|| self.rest());
        self.at += taken.len();
        taken
    }

    /// Text up to the next `<` after the first character.
    fn text_from(&mut self) -> Token<'a> {
        let rest = self.rest();
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let length =
            rest.get(first..).and_then(|more| memchr(b'<', more.as_bytes())).map_or(rest.len(), |next| first + next);
        Token::Text(self.take(length))
    }

    fn cdata(&mut self) -> Token<'a> {
        const OPEN: usize = "<![CDATA[".len();
        let inside = self.rest().get(OPEN..).unwrap_or_default();
        let end = self.cdata_end.after(self.text, self.at + OPEN);
        // One that begins before the last has ended: the last has no end, and this is the end of another.
        let end = end
            .filter(|end| inside.get(..*end).is_none_or(|text| memmem::find(text.as_bytes(), b"<![CDATA[").is_none()));
        match end {
            Some(end) => {
                let text = inside.get(..end).unwrap_or_default();
                self.take(OPEN + end + 3);
                Token::Cdata(text)
            }
            None => {
                self.take(OPEN);
                // Up to the tag that closes the element around it, or begins the next item, as far as that can be guessed.
                let end = inside.find("</").unwrap_or(inside.len());
                let before = inside.get(..end).unwrap_or_default();
                let item = ["<item>", "<item ", "<entry>", "<entry "].iter().filter_map(|tag| before.find(tag)).min();
                let end = item.unwrap_or(end);
                let text = self.take(end);
                self.pending = Some(Token::CutCdata(text));
                Token::Fault("a CDATA section without an end")
            }
        }
    }

    fn comment(&mut self) -> Token<'a> {
        let inside = self.rest().get(4..).unwrap_or_default();
        let end = self.comment_end.after(self.text, self.at + 4);
        // As with CDATA sections: no comment holds another.
        let end =
            end.filter(|end| inside.get(..*end).is_none_or(|text| memmem::find(text.as_bytes(), b"<!--").is_none()));
        match end {
            Some(end) => {
                self.take(4 + end + 3);
                Token::Other
            }
            None => {
                self.take(4);
                Token::Fault("a comment without an end")
            }
        }
    }

    fn instruction(&mut self) -> Token<'a> {
        let rest = self.rest();
        let inside = rest.get(2..).unwrap_or_default();
        // Up to the next `?>` only if no tag stands before it, else up to whatever ends a tag.
        let end = self.instruction_end.after(self.text, self.at + 2);
        let end = end.filter(|end| !inside.get(..*end).is_some_and(|text| text.contains('<')));
        match end {
            Some(end) => self.take(2 + end + 2),
            None => self.take(end_of_tag(rest)),
        };
        Token::Other
    }

    fn declaration(&mut self) -> Token<'a> {
        let rest = self.rest();
        let close = end_of_tag(rest);
        // A document has one type.
        let subset = if self.subset_seen { None } else { rest.get(..close).and_then(|start| start.find('[')) };
        self.subset_seen |= subset.is_some();
        let end = match subset {
            // An internal subset ends with `]` and `>`; entity values may hold a `>`. No end tag stands in it.
            Some(open) => rest
                .get(open..)
                .map(|inside| inside.get(..inside.find("</").unwrap_or(inside.len())).unwrap_or_default())
                .and_then(|inside| inside.match_indices(']').find(|(at, _)| closes_subset(inside, *at)))
                .and_then(|(at, _)| Some(open + at + rest.get(open + at..)?.find('>')? + 1))
                .unwrap_or(close),
            None => close,
        };
        Token::Doctype(self.take(end))
    }

    fn end_tag(&mut self) -> Token<'a> {
        let rest = self.rest();
        let inside = rest.get(2..).unwrap_or_default();
        let stop = inside.find(['<', '>']).unwrap_or(inside.len());
        let closed = inside.get(stop..).is_some_and(|after| after.starts_with('>'));
        let name = inside.get(..stop).unwrap_or_default().split_whitespace().next().unwrap_or_default();
        let raw = self.take(2 + stop + usize::from(closed));
        if name.is_empty() {
            return if raw == "</>" { Token::Other } else { Token::Text(raw) };
        }
        if closed {
            Token::End { name, raw }
        } else {
            self.pending = Some(Token::End { name, raw });
            Token::Fault("a tag without its `>`")
        }
    }

    fn start_tag(&mut self) -> Token<'a> {
        let rest = self.rest();
        let Some((length, closed)) = tag_length(rest) else { return self.text_from() };
        let raw = self.take(length);
        let inside = raw.strip_prefix('<').unwrap_or(raw);
        let inside = if closed { inside.strip_suffix('>').unwrap_or(inside) } else { inside };
        let (inside, empty) = match inside.strip_suffix('/') {
            Some(shorter) => (shorter, true),
            None => (inside, false),
        };
        let end = inside.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inside.len());
        let (name, attributes) = inside.split_at(end);
        Token::Start(Tag { name, attributes, empty, raw })
    }
}

/// Where `<!...` or `<?...` ends: after its `>`, or before the next `<`.
fn end_of_tag(text: &str) -> usize {
    let inside = text.get(2..).unwrap_or_default();
    match inside.find(['<', '>']) {
        Some(at) if inside.get(at..).is_some_and(|after| after.starts_with('>')) => at + 3,
        Some(at) => at + 2,
        None => text.len(),
    }
}

fn closes_subset(inside: &str, at: usize) -> bool {
    inside.get(at + 1..).is_some_and(|after| after.trim_start().starts_with('>'))
}

/// The length of the start tag at the start of `text`, and whether it has its `>`. None if it is no tag.
fn tag_length(text: &str) -> Option<(usize, bool)> {
    let mut quote: Option<u8> = None;
    let mut first_close = None;
    let mut before = b'<';
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match (byte, quote) {
            // No attribute holds a `<`: a quote was left open, and the tag ends at its first `>`; or it is no tag.
            (b'<', _) => return first_close.map(|close: usize| (close + 1, true)),
            (b'>', None) => return Some((at + 1, true)),
            (b'>', Some(_)) => first_close = first_close.or(Some(at)),
            // A quote opens a value only after `=`.
            (b'"' | b'\'', None) if before == b'=' => quote = Some(byte),
            (_, Some(open)) if open == byte => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    first_close.map(|close| (close + 1, true))
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(token) = self.pending.take() {
            return Some(token);
        }
        let rest = self.rest();
        let mut bytes = rest.bytes();
        let token = match (bytes.next()?, bytes.next()) {
            (b'<', Some(b'!')) if rest.starts_with("<!--") => self.comment(),
            (b'<', Some(b'!')) if rest.starts_with("<![CDATA[") => self.cdata(),
            (b'<', Some(b'!')) => self.declaration(),
            (b'<', Some(b'?')) => self.instruction(),
            (b'<', Some(b'/')) => self.end_tag(),
            (b'<', Some(byte)) if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => self.start_tag(),
            _ => self.text_from(),
        };
        Some(token)
    }
}

/// The attributes of a tag, as name and value with references not decoded.
pub(crate) fn attributes(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '='));
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            rest = after;
            return Some((name, ""));
        };
        let value = value.trim_start();
        let (value, after) = match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => {
                let inside = value.get(1..).unwrap_or_default();
                inside.split_once(quote).unwrap_or((inside, ""))
            }
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        rest = after;
        Some((name, value))
    })
}

/// The line of the byte at `at`, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "as expect-test is used")]
    fn check(text: &str, expected: Expect) {
        let tokens: Vec<String> = Scanner::new(text)
            .map(|token| match token {
                Token::Text(text) => format!("text {text:?}"),
                Token::Cdata(text) | Token::CutCdata(text) => format!("cdata {text:?}"),
                Token::Start(tag) => {
                    let attributes: Vec<_> = attributes(tag.attributes).collect();
                    format!("start {} {attributes:?}{}", tag.name, if tag.empty { " /" } else { "" })
                }
                Token::End { name, .. } => format!("end {name}"),
                Token::Doctype(text) => format!("doctype {text:?}"),
                Token::Other => "other".to_owned(),
                Token::Fault(what) => format!("fault: {what}"),
            })
            .collect();
        expected.assert_eq(&tokens.join("\n"));
    }

    #[test]
    fn markup_is_told_from_text() {
        check(
            "<?xml version='1.0'?><a b=\"c>d\" e='f' g=h i>1 < 2 & <b/>3</a ><!-- <x> --><![CDATA[<y>]]>",
            expect![[r#"
                other
                start a [("b", "c>d"), ("e", "f"), ("g", "h"), ("i", "")]
                text "1 "
                text "< 2 & "
                start b [] /
                text "3"
                end a
                other
                cdata "<y>""#]],
        );
    }

    #[test]
    fn damage_is_survived() {
        check(
            "<a b=\"c><d>x</d\n<e f='1>y</e><![CDATA[no end</g></><",
            expect![[r#"
                start a [("b", "c")]
                start d []
                text "x"
                fault: a tag without its `>`
                end d
                start e [("f", "1")]
                text "y"
                end e
                fault: a CDATA section without an end
                cdata "no end"
                end g
                other
                text "<""#]],
        );
    }

    #[test]
    fn a_document_type_with_entities_is_one_token() {
        check(
            "<!DOCTYPE rss [<!ENTITY a \"]>\"><!ENTITY b '&a;&a;'>\n] ><rss>",
            expect![[r#"
                doctype "<!DOCTYPE rss [<!ENTITY a \"]>"
                text "\">"
                doctype "<!ENTITY b '&a;&a;'>"
                text "\n] >"
                start rss []"#]],
        );
    }

    #[test]
    fn hostile_repetition_takes_linear_time() {
        for piece in ["<!--", "<![CDATA[", "<a b=\"", "<?", "</", "<!x[", "<a ", "&", "<![CDATA[]]"] {
            for end in ["", "-->]]>?>]>"] {
                let text = piece.repeat(50_000) + end;
                assert!(Scanner::new(&text).count() > 0, "{piece}");
            }
        }
    }
}
