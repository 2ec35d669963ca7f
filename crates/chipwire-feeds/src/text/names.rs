//! Names of people.

use super::cap_chars;

/// Longer names, in characters, are cut.
const MAX_CHARS: usize = 1_000;

/// Marks around marks that are taken off: nobody writes as many.
const MAX_LAYERS: usize = 8;

/// A name without the marks around it, and without those that are left of an e-mail address that was taken out of it.
/// Brackets that belong to it stay: `John Smith (Reuters)`.
pub(crate) fn bare_name(name: &str) -> &str {
    const PAIRS: &[(char, char)] = &[('(', ')'), ('<', '>'), ('[', ']'), ('（', '）')];
    let mut name = cap_chars(name, MAX_CHARS);
    for _ in 0..MAX_LAYERS {
        let before = name.len();
        name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        for &(open, close) in PAIRS {
            name = match name.strip_prefix(open) {
                Some(inside) => match end_of_bracket(inside, open, close) {
                    Some(end) if end + close.len_utf8() == inside.len() => inside.get(..end).unwrap_or(inside),
                    Some(_) => name,
                    None => inside,
                },
                None => name.strip_prefix(close).unwrap_or(name),
            };
            name = name.strip_suffix(open).unwrap_or(name);
            name = match name.strip_suffix(close) {
                Some(inside) if !inside.contains(open) => inside,
                Some(inside) => inside.strip_suffix(open).unwrap_or(name),
                None => name,
            };
        }
        if name.matches('"').count() % 2 == 1 {
            name = name.trim_matches('"');
        } else if let Some(inside) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'))
            && !inside.contains('"')
        {
            name = inside;
        }
        if name.len() == before {
            break;
        }
    }
    name
}

/// Where the bracket that is open at the start of `inside` is closed.
fn end_of_bracket(inside: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 1_usize;
    inside.char_indices().find_map(|(at, c)| {
        depth += usize::from(c == open);
        depth -= usize::from(c == close);
        (depth == 0).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_only_the_marks_around_them() {
        for (name, expected) in [
            ("John Smith (Reuters)", "John Smith (Reuters)"),
            ("(Ed)", "Ed"),
            (" ((Ed (Reuters))), ", "Ed (Reuters)"),
            ("(a) and (b)", "(a) and (b)"),
            ("（张三）", "张三"),
            ("Ed <", "Ed"),
            ("Ed ()", "Ed"),
            ("Ed <>;", "Ed"),
            (") Ed", "Ed"),
            ("(Ed", "Ed"),
            ("Ed]", "Ed"),
            ("\"Ed\"", "Ed"),
            ("\"Ed", "Ed"),
            ("Dwayne \"The Rock\" Johnson", "Dwayne \"The Rock\" Johnson"),
            ("\"A\" and \"B\"", "\"A\" and \"B\""),
            ("Tim O’Reilly", "Tim O’Reilly"),
            ("()", ""),
            ("", ""),
        ] {
            assert_eq!(bare_name(name), expected, "{name}");
        }
    }
}
