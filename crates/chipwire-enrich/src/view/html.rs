//! From raw text to characters: tags become marks or nothing, entities become what they stand for.
//!
//! This is a scanner, not a parser: it needs no tree, must keep the byte range of every character, and must be linear on
//! any input. Where a tag is broken it prefers to keep text over losing it.

use super::{BREAK, LINE, PARAGRAPH, Unit};
use crate::lanes::{self, Lanes, is_within, of_next, small};

/// How much of HTML to expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Everything that looks like a tag is one.
    Html,
    /// Text that may have been HTML: only tags of known elements, and entities.
    Mixed,
    /// Text: nothing is markup.
    Plain,
}

/// Elements that set their content apart from what is before and after.
const BLOCK: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "select",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
];

/// Elements in the flow of a line.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "audio", "b", "bdi", "bdo", "big", "button", "cite", "code", "data", "del", "dfn", "em",
    "embed", "font", "i", "img", "input", "ins", "kbd", "label", "link", "mark", "meta", "noscript", "object",
    "picture", "q", "s", "samp", "small", "source", "span", "strike", "strong", "time", "tt", "u", "var", "video",
    "wbr",
];

/// Elements whose content is not text of the article.
const DROPPED: &[&str] = &["script", "style", "template", "svg", "iframe", "math"];

enum Effect {
    Nothing,
    Mark(char),
    /// Leave out all up to the end tag of this element.
    Drop(&'static str),
}

struct Tag {
    end: usize,
    effect: Effect,
}

/// The longest entity is `&CounterClockwiseContourIntegral;`.
const ENTITY_BYTES_MAX: usize = 34;

/// Where the characters go, in their order.
pub(super) trait Sink {
    /// Takes one character.
    fn unit(&mut self, unit: Unit);

    /// Takes `text`, which stands at `start`: visible ASCII, with at most one space or line break between two characters and none
    /// at either end. Such a line break is a space. `signs` is false if there is none of `:`, `/`, `@`, a backtick, or a `w` beside
    /// another.
    fn text(&mut self, text: &str, start: usize, signs: bool);

    /// Whether the character may be passed on at all.
    fn takes(&self, ch: char) -> bool;

    /// Forgets all that it was given.
    fn restart(&mut self);
}

impl Sink for Vec<Unit> {
    fn unit(&mut self, unit: Unit) {
        self.push(unit);
    }

    fn text(&mut self, text: &str, start: usize, _: bool) {
        let units = text.as_bytes().iter().enumerate();
        let ch = |byte: u8| if byte == b'\n' { ' ' } else { char::from(byte) };
        self.extend(units.map(|(at, byte)| Unit::new(ch(*byte), start + at, start + at + 1)));
    }

    fn takes(&self, _: char) -> bool {
        true
    }

    fn restart(&mut self) {
        self.clear();
    }
}

/// Why a reading stopped before the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The sink does not take a character.
    Refused,
    /// The text turned out to have blocks after its line breaks were read as such: it must be read again with
    /// `blocks` set.
    Blocks,
}

/// Gives the characters of `raw`, each with its byte range, to `sink`. `blocks` says that it is known to have block elements.
pub(super) fn read(raw: &str, reading: Reading, blocks: bool, sink: &mut impl Sink) -> Result<(), Stop> {
    let scanner = Scanner {
        raw,
        reading,
        sink,
        no_tag_before: 0,
        no_comment_end: false,
        blocks: blocks && reading == Reading::Html,
        lines: false,
        stop: None,
    };
    scanner.run()
}

struct Scanner<'a, S> {
    raw: &'a str,
    reading: Reading,
    sink: &'a mut S,
    /// Up to here a search for the end of a tag has already failed; it is not repeated, to stay linear.
    no_tag_before: usize,
    /// No comment that opens from here on is ever closed.
    no_comment_end: bool,
    /// There are real blocks, so that line breaks in the source mean nothing.
    blocks: bool,
    /// A line break was passed on.
    lines: bool,
    stop: Option<Stop>,
}

impl<S: Sink> Scanner<'_, S> {
    fn run(mut self) -> Result<(), Stop> {
        let mut at = 0;
        while self.stop.is_none() {
            let rest = self.raw.get(at..).unwrap_or_default();
            let (length, signs) = plain_length(rest.as_bytes());
            if length > 0 {
                self.sink.text(rest.get(..length).unwrap_or_default(), at, signs);
                at += length;
                while let Some(space @ (b' ' | b'\n')) = self.raw.as_bytes().get(at) {
                    at = self.push(char::from(*space), at, at + 1);
                }
                continue;
            }
            let Some(ch) = rest.chars().next() else { break };
            let next = at + ch.len_utf8();
            at = match ch {
                '<' if self.reading != Reading::Plain => self.tag(at).unwrap_or_else(|| self.push(ch, at, next)),
                '&' if self.reading != Reading::Plain => self.entity(at).unwrap_or_else(|| self.push(ch, at, next)),
                _ => self.push(ch, at, next),
            };
        }
        self.stop.map_or(Ok(()), Err)
    }

    fn push(&mut self, mut ch: char, start: usize, end: usize) -> usize {
        if matches!(ch, '\n' | '\r') {
            if self.blocks {
                ch = ' ';
            }
            self.lines = true;
        }
        if self.sink.takes(ch) {
            self.sink.unit(Unit::new(ch, start, end));
        } else {
            self.stop = Some(Stop::Refused);
        }
        end
    }

    /// Reads the tag at `at`; the answer is where text goes on, or nothing where there is no tag.
    fn tag(&mut self, at: usize) -> Option<usize> {
        if at < self.no_tag_before {
            return None;
        }
        let tag = match self.read_tag(at) {
            Some(tag) => tag?,
            None => {
                self.no_tag_before = self.raw.len();
                return None;
            }
        };
        match tag.effect {
            Effect::Nothing => Some(tag.end),
            Effect::Mark(mark) => {
                if mark != BREAK && self.reading == Reading::Html && !self.blocks {
                    self.blocks = true;
                    if self.lines {
                        self.stop = Some(Stop::Blocks);
                    }
                }
                Some(self.push(mark, at, tag.end))
            }
            Effect::Drop(name) => {
                let end = self.end_tag(tag.end, name);
                Some(self.push(BREAK, at, end))
            }
        }
    }

    /// `None`: no tag can end from here on. `Some(None)`: this is not a tag.
    #[expect(clippy::option_option, reason = "the two kinds of no must be told apart to stay linear")]
    fn read_tag(&mut self, at: usize) -> Option<Option<Tag>> {
        let rest = self.raw.get(at..).unwrap_or_default();
        let bytes = rest.as_bytes();
        if let Some(comment) = rest.strip_prefix("<!--") {
            let close = if self.no_comment_end { None } else { comment.find("-->") };
            self.no_comment_end |= close.is_none();
            let end = at + 4 + close.map_or(0, |length| length + 3);
            return Some(Some(Tag { end, effect: Effect::Nothing }));
        }
        if rest.starts_with("<![CDATA[") {
            return Some(Some(Tag { end: at + 9, effect: Effect::Nothing }));
        }
        let closing = bytes.get(1) == Some(&b'/');
        let name_at = if closing { 2 } else { 1 };
        let name_bytes = bytes.get(name_at..).unwrap_or_default();
        let length =
            name_bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-')).count();
        let letter = name_bytes.first().is_some_and(u8::is_ascii_alphabetic);
        let declaration =
            matches!(bytes.get(1), Some(b'!' | b'?')) && bytes.get(2).is_some_and(u8::is_ascii_alphabetic);
        if !letter && !declaration {
            return Some(None);
        }
        let name = rest.get(name_at..name_at + length).unwrap_or_default().to_ascii_lowercase();
        let delimited = matches!(name_bytes.get(length), Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/' | b'>'));
        let known = declaration || (delimited && is_known(&name));
        if !known && (self.reading == Reading::Mixed || !delimited) {
            return Some(None);
        }
        let end = at + tag_end(bytes)?;
        Some(Some(Tag { end, effect: if declaration { Effect::Nothing } else { effect(&name, closing) } }))
    }

    /// Where the content of a dropped element is over; the end of the text if it never is.
    fn end_tag(&self, from: usize, name: &str) -> usize {
        let bytes = self.raw.as_bytes();
        let mut at = from;
        while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'<')) {
            let open = at + found;
            let tail = bytes.get(open + 1..).unwrap_or_default();
            let matches = tail.first() == Some(&b'/')
                && tail.get(1..=name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()));
            if matches {
                let close = tail.iter().position(|byte| *byte == b'>');
                return close.map_or(bytes.len(), |length| open + 1 + length + 1);
            }
            at = open + 1;
        }
        bytes.len()
    }

    /// Reads the entity at `at`. One that was escaped twice (`&amp;#8217;`) is undone twice, as feeds often have it.
    fn entity(&mut self, at: usize) -> Option<usize> {
        let (mut decoded, mut end) = self.decoded(at, "")?;
        if decoded == "&"
            && let Some((again, further)) = self.decoded(end, "&")
        {
            (decoded, end) = (again, further);
        }
        for ch in decoded.chars() {
            self.push(ch, at, end);
        }
        Some(end)
    }

    fn decoded(&self, at: usize, before: &str) -> Option<(String, usize)> {
        let rest = self.raw.as_bytes().get(at..)?;
        let window = rest.get(..rest.len().min(ENTITY_BYTES_MAX))?;
        let length = window.iter().position(|byte| *byte == b';')? + 1;
        let body = window.get(..length)?;
        let shape = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'&' | b'#' | b';');
        if !body.iter().all(shape) {
            return None;
        }
        let entity = format!("{before}{}", self.raw.get(at..at + length)?);
        let decoded = numeric(&entity).or_else(|| {
            let text = html_escape::decode_html_entities(&entity);
            (text != entity && !text.contains(';') || entity == "&semi;").then(|| text.into_owned())
        })?;
        Some((decoded, at + length))
    }
}

/// The length of the longest beginning of `bytes` that [`Sink::text`] takes and that has no markup in it, and whether it may have
/// one of the signs that are told there.
fn plain_length(bytes: &[u8]) -> (usize, bool) {
    if !bytes.first().is_some_and(|byte| is_visible(*byte)) {
        return (0, false);
    }
    let (mut length, mut has_signs) = (0, false);
    loop {
        let here = Lanes::read(bytes, length);
        let next = bytes.get(length + lanes::BYTES).copied().unwrap_or(0);
        let visible = here.bits(|part| is_within(part, b'!', b'~') & !(lanes::is(part, b'<') | lanes::is(part, b'&')));
        let of = |byte: u8| here.bits(|part| lanes::is(part, byte));
        let before_visible = of_next(visible, is_visible(next));
        let mut fits = visible | of(b' ') & before_visible;
        if fits != u64::MAX {
            // A line break before what may be the sign of a list is more than a space.
            fits |= of(b'\n') & !of_next(of(b'*'), next == b'*') & before_visible;
        }
        let here_length = fits.trailing_ones();
        let within = u64::MAX.checked_shr(u64::BITS - here_length).unwrap_or(0);
        has_signs |= signs(here, next) & within != 0;
        length += here_length as usize;
        if fits != u64::MAX {
            return (length, has_signs);
        }
    }
}

fn is_visible(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'<' | b'&')
}

/// The bytes by which there may be an address, and backticks; `next` is the byte behind the last.
pub(super) fn signs(bytes: Lanes, next: u8) -> u64 {
    let w = bytes.bits(|part| lanes::is(small(part), b'w'));
    // A backtick is the small form of `@`, as it were.
    let others = |part| lanes::is(part, b':') | lanes::is(part, b'/') | lanes::is(small(part), b'`');
    bytes.bits(others) | w & of_next(w, next.eq_ignore_ascii_case(&b'w'))
}

/// A numeric reference, with the C1 range read as windows-1252, as the HTML standard has it.
fn numeric(entity: &str) -> Option<String> {
    let digits = entity.strip_prefix("&#")?.strip_suffix(';')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    let ch = match code {
        0x80..=0x9F => super::mojibake::windows_1252(u8::try_from(code).ok()?),
        _ => char::from_u32(code).filter(|ch| *ch != '\0').unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some(ch.to_string())
}

/// The length of the tag that `bytes` start with. A `>` inside quotes does not end it, unless the quote is never closed.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let mut quote = None;
    let mut first = None;
    let mut before = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') if before == b'=' => quote = Some(*byte),
            (Some(open), byte) if *byte == open => quote = None,
            (Some(_), b'>') if first.is_none() => first = Some(at + 1),
            // Nobody writes an attribute this long; the quote was never closed.
            (Some(_), _) if first.is_some_and(|end| at > end + 2048) => return first,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = *byte;
        }
    }
    first
}

fn is_known(name: &str) -> bool {
    BLOCK.contains(&name) || INLINE.contains(&name) || DROPPED.contains(&name) || matches!(name, "br" | "sub" | "sup")
}

fn effect(name: &str, closing: bool) -> Effect {
    if let Some(dropped) = DROPPED.iter().find(|dropped| **dropped == name) {
        return if closing { Effect::Nothing } else { Effect::Drop(dropped) };
    }
    match name {
        "br" => Effect::Mark(LINE),
        "sub" | "sup" => Effect::Mark(BREAK),
        _ if BLOCK.contains(&name) => Effect::Mark(PARAGRAPH),
        _ => Effect::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, a byte at a time.
    fn plain_length_of(text: &str) -> usize {
        let visible = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'&');
        let bytes = text.as_bytes();
        let fits = |at: usize| {
            let next = bytes.get(at + 1).copied().unwrap_or(0);
            match bytes[at] {
                b' ' => at > 0 && visible(next),
                b'\n' => at > 0 && visible(next) && next != b'*',
                byte => visible(byte),
            }
        };
        (0..bytes.len()).find(|at| !fits(*at)).unwrap_or(bytes.len())
    }

    proptest! {
        #[test]
        fn plain_text_ends_where_a_byte_does_not_fit(text in "([a-v]{1,40}|[ \n*&<é\tWw:/@`]{1,2}){0,10}") {
            let (length, signs) = plain_length(text.as_bytes());
            prop_assert_eq!(length, plain_length_of(&text), "{:?}", &text);
            let plain = &text[..length];
            let has_sign = plain.contains([':', '/', '@', '`']) || plain.to_lowercase().contains("ww");
            prop_assert!(signs || !has_sign, "{plain:?}");
        }
    }
}
