//! What is wrong with a query, and where.

/// A query that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// The first byte of what is wrong, in the text of the query.
    pub offset: usize,
    /// Its length in bytes; 0 where something is missing.
    pub len: usize,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// The whole query as it was probably meant. It always parses.
    pub suggestion: Option<String>,
}

impl ParseError {
    /// The query with a caret under what is wrong, the message, and the suggestion: two or three lines without a line
    /// break at the end. `query` is the text that was parsed.
    pub fn render(&self, query: &str) -> String {
        let (before, rest) = query.split_at_checked(self.offset).unwrap_or((query, ""));
        let marked = rest.get(..self.len).unwrap_or(rest);
        let line: String = query.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let indent = " ".repeat(columns(before));
        let carets = "^".repeat(columns(marked).max(1));
        let mut text = format!("{}\n{indent}{carets} {}", line.trim_end(), self.message);
        if let Some(suggestion) = &self.suggestion {
            text.push_str("\ntry: ");
            text.push_str(suggestion);
        }
        text
    }
}

/// The columns that a terminal needs for `text`, near enough: East Asian characters take two, combining marks none.
fn columns(text: &str) -> usize {
    let width = |c: char| match c {
        c if unicode_normalization::char::is_combining_mark(c) => 0,
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' => 2,
        '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{1F300}'..='\u{3FFFF}' => 2,
        _ => 1,
    };
    text.chars().map(width).sum()
}
