//! The text as a person would read it.

use std::ops::Range;

use chipwire_events::Markup;

use super::{BREAK, LINE, PARAGRAPH, Reading, Unit, html::Sink, mojibake, read};

/// A stretch of the plain text, and the raw bytes that it came from.
#[derive(Debug, Clone)]
struct Segment {
    plain: Range<usize>,
    raw: Range<usize>,
    /// The bytes are the same, so that positions inside correspond; otherwise only its edges do.
    same: bool,
}

/// The readable text of a raw one, with the way back to its bytes.
///
/// Tags are gone, block elements and blank lines are `"\n\n"`, `<br>` is `"\n"`, entities and mojibake are decoded, other
/// white space is one space, and none is at either end.
#[derive(Debug, Clone)]
pub struct Plain {
    text: String,
    segments: Vec<Segment>,
}

/// The readable text of `raw`.
pub fn plain(raw: &str, markup: Markup) -> Plain {
    let reading = match markup {
        Markup::Html => Reading::Html,
        Markup::Plain => Reading::Plain,
    };
    let plain = Plain { text: String::with_capacity(raw.len()), segments: Vec::new() };
    let mut writer = Writer { raw, plain, space: None };
    read(raw, reading, &mut writer, |writer, units| units.iter().for_each(|unit| writer.unit(*unit)));
    writer.plain
}

impl Plain {
    /// The text itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The raw bytes, at character boundaries, from which the bytes `range` of the text came. A range that reaches beyond
    /// the text is cut, and one that parts a character is widened to it.
    pub fn to_raw(&self, range: Range<usize>) -> Range<usize> {
        let end = ceil(&self.text, range.end);
        let start = floor(&self.text, range.start).min(end);
        let from = self.segments.partition_point(|segment| segment.plain.end <= start);
        let raw_start = match self.segments.get(from) {
            Some(segment) if segment.same => segment.raw.start + (start - segment.plain.start),
            Some(segment) => segment.raw.start,
            None => self.segments.last().map_or(0, |segment| segment.raw.end),
        };
        if start == end {
            return raw_start..raw_start;
        }
        let last = self.segments.partition_point(|segment| segment.plain.end < end);
        let raw_end = match self.segments.get(last) {
            Some(segment) if segment.same => segment.raw.start + (end - segment.plain.start),
            Some(segment) => segment.raw.end,
            None => raw_start,
        };
        raw_start..raw_end.max(raw_start)
    }

    /// The bytes of the text, at character boundaries, that came from the raw bytes `range`; nothing if none did.
    pub fn from_raw(&self, range: Range<usize>) -> Option<Range<usize>> {
        let from = self.segments.partition_point(|segment| segment.raw.end <= range.start);
        let until = self.segments.partition_point(|segment| segment.raw.start < range.end);
        let segments = self.segments.get(from..until)?;
        let (first, last) = (segments.first()?, segments.last()?);
        let start = if first.same && range.start > first.raw.start {
            first.plain.start + (range.start - first.raw.start)
        } else {
            first.plain.start
        };
        let end = if last.same && range.end < last.raw.end {
            last.plain.start + (range.end - last.raw.start)
        } else {
            last.plain.end
        };
        (start < end).then(|| floor(&self.text, start)..ceil(&self.text, end))
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// White space that waits for the next letter, as the last of it may turn out to be the end of the text.
#[derive(Debug, Clone)]
struct Space {
    written: &'static str,
    line_breaks: u32,
    raw: Range<usize>,
}

struct Writer<'a> {
    raw: &'a str,
    plain: Plain,
    space: Option<Space>,
}

impl Sink for Writer<'_> {
    fn text(&mut self, text: &str, start: usize, _: bool) {
        self.flush();
        let mut at = start;
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.write(" ", at..at + 1);
                at += 1;
            }
            self.write(line, at..at + line.len());
            at += line.len();
        }
    }

    fn takes(&self, ch: char) -> bool {
        !mojibake::suspicious(ch)
    }

    fn restart(&mut self) {
        self.plain.text.clear();
        self.plain.segments.clear();
        self.space = None;
    }

    fn unit(&mut self, unit: Unit) {
        match unit.ch {
            // Neither is text, and a reader sees no gap.
            BREAK | '\u{AD}' | '\u{200B}' | '\u{FEFF}' => {}
            PARAGRAPH => self.wait("\n\n", 0, unit),
            LINE => self.wait("\n", 1, unit),
            '\n' => self.wait(" ", 1, unit),
            ch if ch.is_whitespace() || ch.is_control() => self.wait(" ", 0, unit),
            ch => {
                self.flush();
                let mut buffer = [0; 4];
                self.write(ch.encode_utf8(&mut buffer), unit.start()..unit.end());
            }
        }
    }
}

impl Writer<'_> {
    fn wait(&mut self, written: &'static str, line_breaks: u32, unit: Unit) {
        let space = self.space.get_or_insert(Space { written: " ", line_breaks: 0, raw: unit.start()..unit.end() });
        space.line_breaks += line_breaks;
        space.raw.end = unit.end();
        let longer = if space.line_breaks > 1 { "\n\n" } else { written };
        if longer.len() > space.written.len() || (longer == "\n" && space.written == " ") {
            space.written = longer;
        }
    }

    fn flush(&mut self) {
        if let Some(space) = self.space.take()
            && !self.plain.text.is_empty()
        {
            self.write(space.written, space.raw);
        }
    }

    fn write(&mut self, text: &str, raw: Range<usize>) {
        let start = self.plain.text.len();
        self.plain.text.push_str(text);
        let plain = start..self.plain.text.len();
        let same = self.raw.get(raw.clone()) == Some(text);
        if let Some(last) = self.plain.segments.last_mut()
            && same
            && last.same
            && last.raw.end == raw.start
        {
            last.plain.end = plain.end;
            last.raw.end = raw.end;
            return;
        }
        // Several characters of one entity: the first took its bytes, the others widen it.
        if let Some(last) = self.plain.segments.last_mut()
            && last.raw == raw
        {
            last.plain.end = plain.end;
            return;
        }
        self.plain.segments.push(Segment { plain, raw, same });
    }
}
