//! How a query is printed: the shortest plain form that parses to the same tree.

use std::fmt::{self, Write};

use crate::{Node, Query, TextField};

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root())
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::All => f.write_char('*'),
            Node::And(parts) => joined(f, parts, " "),
            Node::Or(parts) => joined(f, parts, " OR "),
            Node::Not(inner) => {
                f.write_char('-')?;
                part(f, inner)
            }
            Node::Term { field, text } => {
                field_name(f, *field)?;
                word(f, text)
            }
            Node::Prefix { field, text } => {
                field_name(f, *field)?;
                // A phrase whose last word goes on reads better in quotes than with escaped spaces.
                if text.contains(char::is_whitespace) {
                    quoted(f, text)?
                } else {
                    word(f, text)?
                }
                f.write_char('*')
            }
            Node::Phrase { field, text, slop } => {
                field_name(f, *field)?;
                quoted(f, text)?;
                if *slop > 0 { write!(f, "~{slop}") } else { Ok(()) }
            }
            Node::Entity { kind, id } => {
                write!(f, "{kind}:")?;
                value(f, id)
            }
            Node::AnyEntity { kind } => write!(f, "{kind}:*"),
            Node::Source { text } => {
                f.write_str("source:")?;
                value(f, text)
            }
            Node::Feed { id } => {
                f.write_str("feed:")?;
                value(f, id)
            }
            Node::Lang { range } => {
                f.write_str("lang:")?;
                value(f, range)
            }
            Node::Published(range) => write!(f, "published:{range}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Node], by: &str) -> fmt::Result {
    for (i, node) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(by)?;
        }
        part(f, node)?;
    }
    Ok(())
}

fn part(f: &mut fmt::Formatter<'_>, node: &Node) -> fmt::Result {
    match node {
        Node::And(_) | Node::Or(_) => write!(f, "({node})"),
        other => write!(f, "{other}"),
    }
}

fn field_name(f: &mut fmt::Formatter<'_>, field: Option<TextField>) -> fmt::Result {
    field.map_or(Ok(()), |field| write!(f, "{}:", field.name()))
}

/// A value that is not analysed: bare where it is plain.
fn value(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) && !text.is_empty();
    if plain { f.write_str(text) } else { quoted(f, text) }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

/// A word outside quotes: what would mean something to the parser is escaped.
fn word(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if matches!(text, "AND" | "OR" | "NOT") {
        f.write_char('\\')?;
        return f.write_str(text);
    }
    for (i, c) in text.chars().enumerate() {
        let always = c.is_whitespace() || matches!(c, '"' | '“' | '”' | '(' | ')' | '*' | '\\' | ':' | '~' | '^' | '|');
        let at_start = i == 0 && matches!(c, '-' | '+' | '!' | '&' | '<' | '>' | '=' | '[' | '{');
        if always || at_start {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    Ok(())
}
