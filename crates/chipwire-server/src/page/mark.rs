//! Text in pieces, some of them marked.

use chipwire_index::DocumentMention;

use super::{search_href, tone};

/// A piece of plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) text: &'a str,
    pub(crate) mark: Option<Mark>,
}

/// What a marked piece stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// `kind:id`.
    pub(crate) title: String,
    pub(crate) href: String,
    pub(crate) tone: u32,
}

/// `text` with the byte `ranges` marked. Ranges that overlap an earlier one, or that are none, are left out.
fn pieces<'a, T>(
    text: &'a str,
    ranges: impl IntoIterator<Item = (usize, usize, T)>,
    mut mark: impl FnMut(T) -> Option<Mark>,
) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for (start, end, what) in ranges {
        if start < at || start >= end {
            continue;
        }
        let (Some(before), Some(marked)) = (text.get(at..start), text.get(start..end)) else { continue };
        if !before.is_empty() {
            pieces.push(Piece { text: before, mark: None });
        }
        pieces.push(Piece { text: marked, mark: mark(what) });
        at = end;
    }
    match text.get(at..) {
        Some(rest) if !rest.is_empty() => pieces.push(Piece { text: rest, mark: None }),
        _ => {}
    }
    pieces
}

/// A snippet in pieces: those that the query matches, and those between them.
pub(crate) fn snippet<'a>(text: &'a str, highlights: &[(usize, usize)]) -> Vec<(&'a str, bool)> {
    let some = |()| Some(Mark { title: String::new(), href: String::new(), tone: 0 });
    let ranges = highlights.iter().map(|(start, end)| (*start, *end, ()));
    pieces(text, ranges, some).into_iter().map(|piece| (piece.text, piece.mark.is_some())).collect()
}

/// The paragraphs of `text`, with what it mentions marked. `mentions` are those of this text, by position.
pub(crate) fn paragraphs<'a>(text: &'a str, mentions: &[&DocumentMention]) -> Vec<Vec<Piece<'a>>> {
    let mut paragraphs = Vec::new();
    let mut start = 0;
    for paragraph in text.split("\n\n") {
        let end = start + paragraph.len();
        let inside = mentions.iter().filter(|mention| mention.start >= start && mention.end <= end);
        let ranges = inside.map(|mention| (mention.start - start, mention.end - start, *mention));
        let pieces = pieces(paragraph, ranges, |mention| {
            let title = format!("{}:{}", mention.kind, mention.entity);
            Some(Mark { href: search_href(&title), tone: tone(&mention.kind), title })
        });
        if !paragraph.trim().is_empty() {
            paragraphs.push(pieces);
        }
        start = end + 2;
    }
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(start: usize, end: usize, entity: &str) -> DocumentMention {
        DocumentMention { in_title: false, start, end, kind: "company".to_owned(), entity: entity.to_owned() }
    }

    #[test]
    fn a_snippet_is_cut_at_its_highlights() {
        assert_eq!(snippet("Nvidia ships", &[(0, 6)]), [("Nvidia", true), (" ships", false)]);
        assert_eq!(snippet("a b c", &[(0, 1), (4, 5)]), [("a", true), (" b ", false), ("c", true)]);
        assert_eq!(snippet("", &[]), []);
    }

    #[test]
    fn ranges_that_cannot_be_are_left_out() {
        // Overlapping, backwards, beyond the end, within a character.
        assert_eq!(snippet("华为", &[(0, 3), (2, 3), (5, 4), (3, 99), (4, 6)]), [("华", true), ("为", false)]);
    }

    #[test]
    fn mentions_are_marked_in_their_paragraph() {
        let text = "Nvidia and\n\nTSMC";
        let mentions = [mention(0, 6, "nvidia"), mention(12, 16, "tsmc")];
        let paragraphs = paragraphs(text, &mentions.iter().collect::<Vec<_>>());
        let shown: Vec<Vec<(&str, Option<&str>)>> = paragraphs
            .iter()
            .map(|pieces| pieces.iter().map(|p| (p.text, p.mark.as_ref().map(|m| m.title.as_str()))).collect())
            .collect();
        assert_eq!(
            shown,
            [vec![("Nvidia", Some("company:nvidia")), (" and", None)], vec![("TSMC", Some("company:tsmc"))]]
        );
    }
}
