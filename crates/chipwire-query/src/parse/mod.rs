//! The parser: from what was typed to a tree, or an error with a place and, where possible, a query that would do.
//!
//! ```text
//! query    = and *( ( "OR" / "||" ) and )
//! and      = not *( [ "AND" / "&&" ] not )
//! not      = *( "NOT" / "-" / "!" / "+" ) atom
//! atom     = "(" query ")" / "*" / text / field ":" ( value / "(" query of values ")" )
//! text     = word / word "*" / quoted [ "~" number / "*" ]
//! field    = "title" / "body" / "source" / "feed" / "lang" / "published" / kind of entity
//! ```
//!
//! Words without a letter or digit (a lone dash, `&`) are passed over. `\` takes the next character literally.

mod atom;
mod scan;

use crate::{
    Node, ParseError, Query,
    parse::scan::{Scanner, Word},
};

/// The longest query, in bytes.
pub const MAX_LENGTH_BYTES: usize = 64 * 1024;
/// The deepest nesting of parentheses.
pub const MAX_DEPTH: usize = 64;
/// The most words, phrases, entities and ranges in one query.
pub const MAX_CLAUSES: usize = 4096;

/// How often an error is corrected in search of a query to suggest.
const MAX_CORRECTIONS: usize = 4;
/// The longest query that corrections are tried on, in bytes.
const MAX_CORRECTED_BYTES: usize = 4096;

/// Parses a query.
///
/// # Errors
/// The first thing that is wrong, reading from the left.
pub fn parse(text: &str) -> Result<Query, ParseError> {
    parse_once(text).map_err(|fault| {
        let suggestion = corrected(text, &fault);
        ParseError { offset: fault.offset, len: fault.len, message: fault.message, suggestion }
    })
}

/// Something wrong, and what could be written instead of it.
#[derive(Debug)]
struct Fault {
    offset: usize,
    len: usize,
    message: String,
    instead: Option<String>,
}

type Parsed<T> = Result<T, Fault>;

impl Fault {
    fn new(start: usize, end: usize, message: impl Into<String>) -> Self {
        Self { offset: start, len: end.saturating_sub(start), message: message.into(), instead: None }
    }

    fn instead(mut self, text: impl Into<String>) -> Self {
        self.instead = Some(text.into());
        self
    }
}

/// `text` with the fault and any that show up after it put right, if that leads to a query.
fn corrected(text: &str, fault: &Fault) -> Option<String> {
    let put_right = |text: &str, fault: &Fault| {
        let instead = fault.instead.as_deref()?;
        let mut before = text.get(..fault.offset)?;
        let after = text.get(fault.offset + fault.len..)?;
        if instead.is_empty() && after.starts_with([' ', ')']) {
            before = before.trim_end_matches(' ');
        }
        let next = format!("{before}{instead}{after}").trim().to_owned();
        // Nothing is left of what was meant.
        (!next.is_empty()).then_some(next)
    };
    if text.len() > MAX_CORRECTED_BYTES {
        return None;
    }
    let mut text = put_right(text, fault)?;
    for _ in 0..MAX_CORRECTIONS {
        match parse_once(&text) {
            Ok(_) => return Some(text),
            Err(fault) => text = put_right(&text, &fault)?,
        }
    }
    None
}

fn parse_once(text: &str) -> Parsed<Query> {
    if text.len() > MAX_LENGTH_BYTES {
        return Err(Fault::new(0, 0, format!("the query is longer than {MAX_LENGTH_BYTES} bytes")));
    }
    let mut parser = Parser { scan: Scanner::new(text), clauses: 0, depth: 0 };
    let root = parser.or(Scope::Anything)?;
    parser.scan.skip_spaces();
    if parser.scan.peek() == Some(')') {
        let at = parser.scan.at();
        return Err(Fault::new(at, at + 1, "this parenthesis is not opened anywhere").instead(""));
    }
    match root {
        Some(root) => Ok(Query::new(root)),
        None if text.trim().is_empty() => {
            Err(Fault::new(0, text.len(), "the query is empty; `*` finds everything").instead("*"))
        }
        None => Err(Fault::new(0, text.len(), "there is no letter and no digit to search for")),
    }
}

/// What a bare word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope<'t> {
    Anything,
    Text(crate::TextField),
    Source,
    Feed,
    Lang,
    Published,
    Entity(&'t str),
}

struct Parser<'t> {
    scan: Scanner<'t>,
    clauses: usize,
    depth: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    Not,
}

impl Operator {
    fn of(word: &str) -> Option<Self> {
        match word {
            "AND" | "&&" => Some(Self::And),
            "OR" | "||" | "|" => Some(Self::Or),
            "NOT" => Some(Self::Not),
            _ => None,
        }
    }
}

impl<'t> Parser<'t> {
    /// `None` when there is nothing to search for up to the end or the closing parenthesis.
    fn or(&mut self, scope: Scope<'t>) -> Parsed<Option<Node>> {
        let mut parts = Vec::new();
        parts.extend(self.and(scope)?);
        while let Some((operator, start, end)) = self.operator() {
            debug_assert!(operator == Operator::Or);
            self.need_operand(start, end)?;
            parts.extend(self.and(scope)?);
        }
        Ok(if parts.len() < 2 { parts.pop() } else { Some(Node::Or(parts)) })
    }

    fn and(&mut self, scope: Scope<'t>) -> Parsed<Option<Node>> {
        let mut parts = Vec::new();
        let mut is_first = true;
        loop {
            self.scan.skip_spaces();
            match self.scan.peek() {
                None | Some(')') => break,
                _ => {}
            }
            let before = self.scan.clone();
            match self.operator() {
                Some((Operator::Or | Operator::And, start, end)) if is_first => {
                    let word = self.scan.slice(start, end);
                    return Err(Fault::new(start, end, format!("`{word}` needs something before it")).instead(""));
                }
                Some((Operator::Or, ..)) => {
                    self.scan = before;
                    break;
                }
                Some((Operator::And, start, end)) => self.need_operand(start, end)?,
                Some((Operator::Not, ..)) => self.scan = before,
                None => {}
            }
            parts.extend(self.not(scope)?);
            is_first = false;
        }
        Ok(if parts.len() < 2 { parts.pop() } else { Some(Node::And(parts)) })
    }

    fn not(&mut self, scope: Scope<'t>) -> Parsed<Option<Node>> {
        let mut negated = false;
        loop {
            self.scan.skip_spaces();
            if let Some(sign) = self.scan.sign() {
                negated ^= sign != '+';
                continue;
            }
            let before = self.scan.clone();
            match self.operator() {
                Some((Operator::Not, start, end)) => {
                    self.need_operand(start, end)?;
                    negated = !negated;
                }
                Some((_, start, end)) => {
                    let word = self.scan.slice(start, end);
                    return Err(Fault::new(start, end, format!("`{word}` needs something before it")).instead(""));
                }
                None => {
                    self.scan = before;
                    break;
                }
            }
        }
        let node = self.atom(scope)?;
        Ok(if negated { node.map(|node| Node::Not(Box::new(node))) } else { node })
    }

    /// Takes an operator and gives its place, or takes nothing.
    fn operator(&mut self) -> Option<(Operator, usize, usize)> {
        self.scan.skip_spaces();
        let before = self.scan.clone();
        let word: Word = self.scan.word();
        match Operator::of(self.scan.slice(word.start, word.end)) {
            Some(operator) => Some((operator, word.start, word.end)),
            None => {
                self.scan = before;
                None
            }
        }
    }

    /// An operator at `start..end` must be followed by something.
    fn need_operand(&mut self, start: usize, end: usize) -> Parsed<()> {
        self.scan.skip_spaces();
        if matches!(self.scan.peek(), None | Some(')')) {
            let word = self.scan.slice(start, end);
            return Err(Fault::new(start, end, format!("`{word}` needs something after it")).instead(""));
        }
        Ok(())
    }

    fn group(&mut self, scope: Scope<'t>) -> Parsed<Option<Node>> {
        let start = self.scan.at();
        self.scan.next();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(start, start + 1, format!("parentheses are nested deeper than {MAX_DEPTH}")));
        }
        self.scan.skip_spaces();
        if self.scan.peek() == Some(')') {
            return Err(Fault::new(start, self.scan.at() + 1, "there is nothing between the parentheses").instead(""));
        }
        let node = self.or(scope)?;
        self.scan.skip_spaces();
        if self.scan.next() != Some(')') {
            let rest = self.scan.slice(start, self.scan.at()).trim_end();
            let closed = format!("{rest})");
            return Err(Fault::new(start, self.scan.at(), "this parenthesis is not closed").instead(closed));
        }
        self.depth -= 1;
        Ok(node)
    }

    fn leaf(&mut self, start: usize, end: usize, node: Node) -> Parsed<Option<Node>> {
        self.clauses += 1;
        if self.clauses > MAX_CLAUSES {
            return Err(Fault::new(start, end, format!("the query has more than {MAX_CLAUSES} clauses")));
        }
        Ok(Some(node))
    }
}
