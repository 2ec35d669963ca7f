//! Happenings in texts: the cases of `cases/happenings.tsv`.
//!
//! Columns: case, text (a JSON string), expected happenings in the order of the text with `; ` between, `-` for none. A happening
//! is `KIND/STATUS` and its slots as `ROLE=VALUE`, with `_` for a space in a value.

use chipwire_events::{Happening, Role};
use expect_test::expect;

use crate::{TAGGER, support};

fn short(happening: &Happening) -> String {
    let mut text = format!("{}/{:?}", happening.kind, happening.status).to_lowercase();
    for slot in &happening.slots {
        text.push_str(&format!(" {}={}", format!("{:?}", slot.role).to_lowercase(), slot.value.replace(' ', "_")));
    }
    text
}

#[test]
fn every_case_has_its_happenings() {
    support::check_cases("happenings", 150, |text| {
        let findings = TAGGER.enrich(support::article("", text)).findings;
        for happening in &findings.happenings {
            assert_eq!(text[happening.start..happening.end], happening.surface);
            for slot in &happening.slots {
                assert_eq!(text[slot.start..slot.end], slot.surface);
            }
        }
        findings.happenings.iter().map(short).collect::<Vec<_>>().join("; ")
    });
}

#[test]
fn what_no_phrase_tells_says_by_which_words() {
    let text = "A jury made Samsung pay Netlist $118 million over its memory patents.";
    let findings = TAGGER.enrich(support::article("", text)).findings;
    let happening = &findings.happenings[0];
    expect!["'pay' about samsung, by the weight of 'jury', 'over', 'patents'"].assert_eq(&happening.reason);
    assert_eq!(&text[happening.start..happening.end], happening.surface);
    assert!((0.5..=1.0).contains(&happening.confidence), "{}", happening.confidence);
}

#[test]
fn a_state_at_the_edge_of_the_words_is_none_of_them() {
    let text = "The Hague turned the screw on ASML: servicing older immersion machines in China now needs a permit.";
    let findings = TAGGER.enrich(support::article("", text)).findings;
    let surfaces: Vec<&str> = findings.happenings.iter().map(|happening| happening.surface.as_str()).collect();
    expect!["now needs a permit"].assert_eq(&surfaces.join("; "));
}

#[test]
fn a_sentence_without_end_tells_no_more_than_an_article_may() {
    let text = "Intel sued Nvidia and Micron sued YMTC and Arm snapped up a rival and ".repeat(2_000);
    let findings = TAGGER.enrich(support::article("", &text)).findings;
    assert!((1..=64).contains(&findings.happenings.len()), "{}", findings.happenings.len());
}

#[test]
fn a_happening_says_where_and_why() {
    let text = "The Commerce Department may restrict exports of Nvidia’s H20 to China.";
    let findings = TAGGER.enrich(support::article("", text)).findings;
    let happening = &findings.happenings[0];
    assert_eq!(happening.surface, "restrict exports of");
    let of = |role| happening.slots.iter().find(|slot| slot.role == role).unwrap();
    assert_eq!(&text[of(Role::What).start..of(Role::What).end], "H20");
    assert_eq!(&text[of(Role::Place).start..of(Role::Place).end], "China");
    expect!["'restrict exports of' between us-commerce and nvidia, nvidia-h20, with 'may'"]
        .assert_eq(&happening.reason);
    assert!(happening.confidence > 0.8, "{}", happening.confidence);
}
