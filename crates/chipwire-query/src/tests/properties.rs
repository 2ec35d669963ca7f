//! What holds for all texts and queries.

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::generators::node;
use crate::{Pattern, Query, TermPositions, analyze::tokenize, each_occurrence, parse};

proptest! {
    #[test]
    fn a_printed_query_parses_to_the_same_tree(node in node()) {
        let query = Query::new(node);
        let printed = query.to_string();
        match parse(&printed) {
            Ok(parsed) => prop_assert_eq!(parsed, query),
            Err(error) => prop_assert!(false, "{}", error.render(&printed)),
        }
    }

    #[test]
    fn any_text_is_a_query_or_an_error_with_a_place(text in "\\PC{0,40}|[ab:\"()*~^\\[\\]<>=!+\\\\ANDORT 0-9-]{0,40}|(published:|title:|x:)?\\PC{0,12}") {
        match parse(&text) {
            Ok(query) => prop_assert_eq!(parse(&query.to_string()), Ok(query)),
            Err(error) => {
                prop_assert!(text.get(error.offset..error.offset + error.len).is_some(), "{:?}", error);
                prop_assert!(!error.render(&text).is_empty());
                if let Some(suggestion) = &error.suggestion {
                    prop_assert!(parse(suggestion).is_ok(), "{}", suggestion);
                }
            }
        }
    }

    #[test]
    fn tokens_lie_in_the_text_and_go_forward(text in "\\PC{0,60}|[U.S' a-zé华为中\u{301}\u{AD}\u{200D}-]{0,30}") {
        let mut position = 0;
        for token in tokenize(&text) {
            prop_assert!(text.get(token.start..token.end).is_some_and(|raw| !raw.is_empty()));
            prop_assert!(token.position >= position && token.position <= position + 1);
            prop_assert!(!token.text.is_empty());
            position = token.position;
        }
    }

    #[test]
    fn a_text_of_an_unspaced_script_is_found_by_every_piece(text in "[华为中芯国际片]{1,12}", from in 0usize..12, len in 1usize..12) {
        let piece: String = text.chars().skip(from % text.chars().count()).take(len).collect();
        prop_assert!(Pattern::term(&piece).matches(&TermPositions::of(&text)));
    }

    #[test]
    fn sloppy_phrases_are_what_trying_all_positions_finds(
        words in proptest::collection::vec("[abc]", 1..10),
        phrase in proptest::collection::vec("[abc]", 1..4),
        slop in 0u32..4,
    ) {
        let field = TermPositions::of(&words.join(" "));
        let found = Pattern::phrase(&phrase.join(" "), slop).matches(&field);
        prop_assert_eq!(found, tried(&words, &phrase, slop as usize));
    }
}

/// Tries every choice of ascending positions.
fn tried(words: &[String], phrase: &[String], slop: usize) -> bool {
    fn go(words: &[String], rest: &[String], from: usize, slop: usize) -> bool {
        let Some((first, rest)) = rest.split_first() else { return true };
        (0..=slop).any(|gap| words.get(from + gap) == Some(first) && go(words, rest, from + gap + 1, slop - gap))
    }
    let Some((first, rest)) = phrase.split_first() else { return false };
    (0..words.len()).any(|start| words[start] == *first && go(words, rest, start + 1, slop))
}

#[test]
fn every_start_is_visited_once() {
    let mut seen = Vec::new();
    each_occurrence(&[(0, &[1, 4, 9]), (1, &[2, 6])], 1, |positions| {
        seen.push(positions.to_vec());
        ControlFlow::Continue(())
    });
    assert_eq!(seen, [vec![1, 2], vec![4, 6]]);
}
