//! Text for a terminal: colours where there is one, and nothing that a feed could use to command it.

use std::borrow::Cow;

/// `text` with every control character (escape sequences begin with one) and every direction override replaced.
pub fn clean(text: &str) -> Cow<'_, str> {
    let bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(bad) {
        Cow::Owned(text.chars().map(|c| if bad(c) { ' ' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// How text is set off.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether there is colour at all.
    pub colour: bool,
}

impl Style {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Titles.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What matters less.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// Entities.
    pub fn entity(self, text: &str) -> String {
        self.wrap("36", text)
    }

    /// A mention, by the kind of its entity.
    pub fn mention(self, kind: &str, text: &str) -> String {
        let code = match kind {
            "company" => "1;34",
            "chip" => "1;32",
            "policy" => "1;35",
            _ => "1;36",
        };
        self.wrap(code, text)
    }

    /// `text`, cleaned, with the given byte ranges set off. Ranges that are not in order, apart and at character boundaries
    /// are passed over.
    pub fn highlight(self, text: &str, ranges: &[(usize, usize)]) -> String {
        let mut out = String::new();
        let mut done = 0;
        for (start, end) in ranges {
            let (Some(before), Some(inside)) = (text.get(done..*start), text.get(*start..*end)) else { continue };
            out.push_str(&clean(before));
            out.push_str(&self.wrap("1;33", &clean(inside)));
            done = *end;
        }
        out.push_str(&clean(text.get(done..).unwrap_or_default()));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_command_the_terminal() {
        assert_eq!(clean("a\u{1b}]0;owned\u{7}b\u{202e}c"), "a ]0;owned b c");
        assert_eq!(clean("plain 半导体"), "plain 半导体");
    }

    #[test]
    fn highlights_stay_in_bounds() {
        let style = Style { colour: true };
        assert_eq!(style.highlight("über H20", &[(6, 9)]), "über \u{1b}[1;33mH20\u{1b}[0m");
        assert_eq!(style.highlight("über", &[(1, 2), (3, 99)]), "über");
    }
}
