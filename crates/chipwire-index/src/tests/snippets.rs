//! The pieces of bodies that are shown.

use expect_test::{Expect, expect};

use super::corpus::document;
use crate::{Document, DocumentMention, snippet::Highlighter};

fn check(query: &str, body: &str, expected: Expect) {
    check_document(query, &document("x", "The title", body), expected);
}

/// Shows highlights in brackets.
fn check_document(query: &str, document: &Document, expected: Expect) {
    let snippet = Highlighter::new(&chipwire_query::parse(query).unwrap()).snippet(document);
    let mut shown = String::new();
    let mut at = 0;
    for (start, end) in &snippet.highlights {
        assert!(start < end && *start >= at, "highlights are in order and apart: {snippet:?}");
        shown.push_str(&snippet.text[at..*start]);
        shown.push_str(&format!("[{}]", &snippet.text[*start..*end]));
        at = *end;
    }
    shown.push_str(&snippet.text[at..]);
    expected.assert_eq(&shown);
}

const LONG: &str = "Regulators met in Brussels on Monday to discuss the state of the industry, as they do every quarter. \
    Nothing was decided, and most of the participants left early because of the weather, officials said afterwards.\n\n\
    A spokesman for the ministry declined to comment on the talks. Analysts had expected new export controls on advanced \
    chips, but those were put off until the spring. Shares of Nvidia's suppliers rose in early trading, while Nvidia itself \
    was little changed. The next meeting is planned for February, in The Hague, and will again deal with export licences.";

#[test]
fn the_best_stretch_is_shown() {
    check(
        "export nvidia",
        LONG,
        expect![
            "…[export] controls on advanced chips, but those were put off until the spring. Shares of [Nvidia]'s suppliers rose in early trading, while [Nvidia] itself was little changed. The next meeting is planned for February, in The Hague, and will again deal with [export]…"
        ],
    );
    check(
        "brussels",
        LONG,
        expect![
            "Regulators met in [Brussels] on Monday to discuss the state of the industry, as they do every quarter. Nothing was decided, and most of the participants left early because of the weather, officials said afterwards.  A spokesman for the ministry declined to…"
        ],
    );
    check(
        "hague",
        LONG,
        expect![
            "…controls on advanced chips, but those were put off until the spring. Shares of Nvidia's suppliers rose in early trading, while Nvidia itself was little changed. The next meeting is planned for February, in The [Hague], and will again deal with export licences."
        ],
    );
    check(
        "nothing* \"export controls\"",
        LONG,
        expect![
            "…every quarter. [Nothing] was decided, and most of the participants left early because of the weather, officials said afterwards.  A spokesman for the ministry declined to comment on the talks. Analysts had expected new [export] [controls] on advanced chips, but…"
        ],
    );
}

#[test]
fn only_what_matches_is_marked() {
    check("\"controls export\"", "export controls, controls export", expect!["export controls, [controls] [export]"]);
    check("\"a c\"~1", "a b c and c a", expect!["[a] b [c] and c a"]);
    check("title:export -controls nvi*", "export controls Nvidia", expect!["export controls [Nvidia]"]);
    check("芯片管制", "对芯片管制的影响。管制", expect!["对[芯片管制]的影响。管制"]);
    check("出*", "出口与出", expect!["[出口]与[出]"]);
}

#[test]
fn without_a_match_the_body_begins() {
    check(
        "*",
        LONG,
        expect![
            "Regulators met in Brussels on Monday to discuss the state of the industry, as they do every quarter. Nothing was decided, and most of the participants left early because of the weather, officials said afterwards.  A spokesman for the ministry declined to…"
        ],
    );
    check("*", "", expect![""]);
    check("title:the", "Short.\nTwo lines.\n", expect!["Short. Two lines."]);
}

#[test]
fn mentions_of_wanted_entities_are_marked() {
    let mention = |start: usize, end: usize, entity: &str| DocumentMention {
        in_title: false,
        start,
        end,
        kind: "company".to_owned(),
        entity: entity.to_owned(),
    };
    let mentions =
        vec![mention(0, 8, "nvidia"), mention(9, 12, "amd"), mention(20, 400, "nvidia"), mention(3, 3, "nvidia")];
    let document = Document { mentions, ..document("x", "t", "The firm, AMD said.") };
    check_document("company:nvidia", &document, expect!["[The firm], AMD said."]);
    check_document("-company:nvidia", &document, expect!["The firm, AMD said."]);
}
