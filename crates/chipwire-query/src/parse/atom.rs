//! Single conditions: words, phrases, fields and their values.

use super::{
    Fault, Parsed, Parser, Scope,
    scan::{Word, closing_quote},
};
use crate::{Node, Pattern, TextField, TimeBound, TimePoint, TimeRange};

/// Names that people try for a built-in field, and the field.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("author", "source"),
    ("content", "body"),
    ("date", "published"),
    ("headline", "title"),
    ("language", "lang"),
    ("publisher", "source"),
    ("site", "source"),
    ("text", "body"),
    ("time", "published"),
];

const HOW_TO_WRITE_A_TIME: &str = "a time is written as 2026-01-31, 2026-01-31T08:00:00Z or now-24h";

/// The most words that a phrase may leave between its own.
const MAX_SLOP: u32 = 1000;

impl<'t> Parser<'t> {
    pub(super) fn atom(&mut self, scope: Scope<'t>) -> Parsed<Option<Node>> {
        let start = self.scan.at();
        match self.scan.peek() {
            Some('(') => return self.group(scope),
            Some(c) if closing_quote(c).is_some() => return self.phrase(scope, start),
            Some('”') => {
                let end = start + '”'.len_utf8();
                return Err(Fault::new(start, end, "this quotation mark is not opened anywhere").instead(""));
            }
            _ => {}
        }
        if scope == Scope::Published {
            return self.time(start);
        }
        let before = self.scan.clone();
        let word = self.scan.word();
        if scope == Scope::Anything
            && let Some(colon) = word.find(':')
        {
            let name = self.scan.slice(word.start, colon);
            if let Some(scope) = self.field(name, &word, colon)? {
                self.scan = before;
                self.scan.skip_to(colon + 1);
                return self.value(scope, &word, colon);
            }
        }
        self.word_leaf(scope, &word)
    }

    /// What `name` before a colon stands for; `None` when it is only a word with a colon in it (`10:30`).
    fn field(&self, name: &'t str, word: &Word, colon: usize) -> Parsed<Option<Scope<'t>>> {
        let known = match name {
            "title" => Some(Scope::Text(TextField::Title)),
            "body" => Some(Scope::Text(TextField::Body)),
            "source" => Some(Scope::Source),
            "feed" => Some(Scope::Feed),
            "lang" => Some(Scope::Lang),
            "published" => Some(Scope::Published),
            _ => None,
        };
        if known.is_some() {
            return Ok(known);
        }
        if let Some((_, meant)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
            let fault = Fault::new(word.start, colon, format!("there is no field `{name}`; it is called `{meant}`"));
            return Err(fault.instead(*meant));
        }
        if is_kind(name) {
            return Ok(Some(Scope::Entity(name)));
        }
        let lower = name.to_lowercase();
        if name.chars().next().is_some_and(char::is_uppercase) && is_kind(&lower) {
            let fault = Fault::new(word.start, colon, "the name of a field is written in lower case");
            return Err(fault.instead(lower));
        }
        Ok(None)
    }

    fn value(&mut self, scope: Scope<'t>, word: &Word, colon: usize) -> Parsed<Option<Node>> {
        let start = self.scan.at();
        match self.scan.peek() {
            None | Some(')') => {
                let name = self.scan.slice(word.start, colon);
                Err(Fault::new(word.start, start, format!("`{name}:` needs a value after it")).instead(name))
            }
            Some(c) if c.is_whitespace() => {
                let name = self.scan.slice(word.start, colon);
                self.scan.skip_spaces();
                let end = self.scan.at();
                let fault =
                    Fault::new(word.start, end, format!("the value of `{name}:` must follow the colon directly"));
                let has_value = !matches!(self.scan.peek(), None | Some(')'));
                Err(fault.instead(if has_value { format!("{name}:") } else { name.to_owned() }))
            }
            Some('/') if matches!(scope, Scope::Entity(_)) && self.scan.slice(start, start + 2) == "//" => {
                let address = self.scan.slice(word.start, word.end);
                let fault = Fault::new(word.start, word.end, "an address must stand in quotation marks");
                Err(fault.instead(format!("\"{address}\"")))
            }
            Some(_) => self.atom(scope),
        }
    }

    fn phrase(&mut self, scope: Scope<'t>, start: usize) -> Parsed<Option<Node>> {
        let text = self.scan.quoted()?;
        let end = self.scan.at();
        let node = match scope {
            Scope::Anything | Scope::Text(_) => {
                let field = if let Scope::Text(field) = scope { Some(field) } else { None };
                let is_prefix = self.scan.take('*');
                let slop = if is_prefix { 0 } else { self.slop()? };
                if Pattern::term(&text).is_empty() {
                    let message = "there is no letter and no digit between the quotation marks";
                    return Err(Fault::new(start, self.scan.at(), message).instead(""));
                }
                if is_prefix { Node::Prefix { field, text } } else { Node::Phrase { field, text, slop } }
            }
            Scope::Published => Node::Published(at_time(start, end, &text)?),
            _ if text.trim().is_empty() => return Err(Fault::new(start, end, "the value is empty")),
            Scope::Entity(kind) => Node::Entity { kind: kind.to_owned(), id: text },
            Scope::Source => source(start, end, text)?,
            Scope::Feed => Node::Feed { id: text },
            Scope::Lang => Node::Lang { range: text },
        };
        self.leaf(start, end, node)
    }

    /// The `~3` after a phrase.
    fn slop(&mut self) -> Parsed<u32> {
        let start = self.scan.at();
        if !self.scan.take('~') {
            return Ok(0);
        }
        let word = self.scan.word();
        let digits = self.scan.slice(word.start, word.end);
        let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten();
        match number {
            Some(slop) if slop <= MAX_SLOP => Ok(slop),
            Some(_) => {
                let message = format!("at most {MAX_SLOP} words can stand between those of a phrase");
                Err(Fault::new(start, word.end, message).instead(format!("~{MAX_SLOP}")))
            }
            None => {
                Err(Fault::new(start, word.end, "`~` needs a number after it, as in `\"export chips\"~3`").instead(""))
            }
        }
    }

    fn word_leaf(&mut self, scope: Scope<'t>, word: &Word) -> Parsed<Option<Node>> {
        let (start, end) = (word.start, word.end);
        let raw = self.scan.slice(start, end);
        let node = match scope {
            Scope::Anything | Scope::Text(_) => {
                let field = if let Scope::Text(field) = scope { Some(field) } else { None };
                match text_word(word, raw, field)? {
                    Some(node) => node,
                    None if field.is_none() => return Ok(None),
                    None => return Err(Fault::new(start, end, "there is no letter and no digit to search for")),
                }
            }
            Scope::Entity(kind) if raw == "*" => Node::AnyEntity { kind: kind.to_owned() },
            Scope::Entity(_) | Scope::Source | Scope::Feed | Scope::Lang if word.find('*').is_some() => {
                let message = "`*` can only end a word of the title or body, or stand alone as in `company:*`";
                return Err(Fault::new(start, end, message));
            }
            Scope::Entity(kind) => Node::Entity { kind: kind.to_owned(), id: word.text() },
            Scope::Source => source(start, end, word.text())?,
            Scope::Feed => Node::Feed { id: word.text() },
            Scope::Lang => Node::Lang { range: word.text() },
            Scope::Published => Node::Published(at_time(start, end, &word.text())?),
        };
        self.leaf(start, end, node)
    }

    /// What follows `published:`, outside quotes.
    fn time(&mut self, start: usize) -> Parsed<Option<Node>> {
        let range = match self.scan.peek() {
            Some(open @ ('[' | '{')) => {
                self.scan.next();
                let (from, _) = self.end_of_range(start, open == '[', false)?;
                self.scan.skip_spaces();
                let to = self.scan.word();
                if self.scan.slice(to.start, to.end) != "TO" {
                    return Err(Fault::new(start, to.end, "a range is written as `[2026-01-01 TO 2026-02-01]`"));
                }
                let (to, close) = self.end_of_range(start, false, true)?;
                let to = to.map(|bound| TimeBound { inclusive: close == ']', ..bound });
                TimeRange { from, to }
            }
            Some('>') => {
                self.scan.next();
                let inclusive = self.scan.take('=');
                TimeRange { from: Some(self.bound(start, inclusive)?), to: None }
            }
            Some('<') => {
                self.scan.next();
                let inclusive = self.scan.take('=');
                TimeRange { from: None, to: Some(self.bound(start, inclusive)?) }
            }
            _ => {
                let word = self.scan.word();
                at_time(word.start, word.end, &word.text())?
            }
        };
        self.leaf(start, self.scan.at(), Node::Published(range))
    }

    /// The time after a comparison sign.
    fn bound(&mut self, start: usize, inclusive: bool) -> Parsed<TimeBound> {
        self.scan.skip_spaces();
        let word = self.scan.word();
        if word.chars.is_empty() {
            let message = format!("`{}` needs a time after it", self.scan.slice(start, word.start).trim_end());
            return Err(Fault::new(start, word.end, message));
        }
        Ok(TimeBound { point: point(word.start, word.end, &word.text())?, inclusive })
    }

    /// A time or `*` in a range; with the bracket after it if `closes`.
    fn end_of_range(&mut self, start: usize, inclusive: bool, closes: bool) -> Parsed<(Option<TimeBound>, char)> {
        self.scan.skip_spaces();
        let word = self.scan.word_until(|c| matches!(c, ']' | '}'));
        if word.chars.is_empty() {
            let message = "a range is written as `[2026-01-01 TO 2026-02-01]`";
            return Err(Fault::new(start, self.scan.at(), message));
        }
        let open = self.scan.slice(word.start, word.end) == "*";
        let bound =
            if open { None } else { Some(TimeBound { point: point(word.start, word.end, &word.text())?, inclusive }) };
        if !closes {
            return Ok((bound, ' '));
        }
        self.scan.skip_spaces();
        match self.scan.peek() {
            Some(close @ (']' | '}')) => {
                self.scan.next();
                Ok((bound, close))
            }
            _ => {
                let open = self.scan.slice(start, word.end);
                Err(Fault::new(start, word.end, "this bracket is not closed").instead(format!("{open}]")))
            }
        }
    }
}

/// A word of the title or body; `None` without a letter or digit.
fn text_word(word: &Word, raw: &str, field: Option<TextField>) -> Parsed<Option<Node>> {
    if raw == "*" && field.is_none() {
        return Ok(Some(Node::All));
    }
    let (start, end) = (word.start, word.end);
    if let Some(star) = word.find('*') {
        let stem = raw.get(..star - start).unwrap_or_default();
        if Pattern::term(stem).is_empty() {
            let fault = Fault::new(start, end, "`*` needs letters or digits before it");
            let rest = raw.replace('*', "");
            return Err(if Pattern::term(&rest).is_empty() { fault } else { fault.instead(rest) });
        }
        if star + 1 != end {
            return Err(Fault::new(star, end, "`*` can only stand at the end of a word").instead("*"));
        }
        let mut text = word.text();
        text.pop();
        return Ok(Some(Node::Prefix { field, text }));
    }
    for sign in ['~', '^'] {
        if let Some(at) = word.find(sign).filter(|at| *at > start) {
            let after = raw.get(at + 1 - start..).unwrap_or_default();
            if after.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
                let message = match sign {
                    '~' => "`~` can only stand after a phrase, as in `\"export chips\"~3`",
                    _ => "weights such as `^2` are not supported",
                };
                return Err(Fault::new(at, end, message).instead(""));
            }
        }
    }
    let text = word.text();
    Ok((!Pattern::term(&text).is_empty()).then_some(Node::Term { field, text }))
}

fn source(start: usize, end: usize, text: String) -> Parsed<Node> {
    if Pattern::term(&text).is_empty() {
        return Err(Fault::new(start, end, "there is no letter and no digit in the name of the source"));
    }
    Ok(Node::Source { text })
}

/// The range of a time alone: all that it covers.
fn at_time(start: usize, end: usize, text: &str) -> Parsed<TimeRange> {
    let bound = TimeBound { point: point(start, end, text)?, inclusive: true };
    Ok(TimeRange { from: Some(bound), to: Some(bound) })
}

fn point(start: usize, end: usize, text: &str) -> Parsed<TimePoint> {
    if let Some(point) = TimePoint::parse(text) {
        return Ok(point);
    }
    let fault = Fault::new(start, end, HOW_TO_WRITE_A_TIME);
    // `24h` and `-24h` are meant as a distance from now.
    let distance = format!("now-{}", text.trim_start_matches('-'));
    Err(if TimePoint::parse(&distance).is_some() { fault.instead(distance) } else { fault })
}

/// Kinds of entities are data, so any plain name is one.
fn is_kind(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
}
