//! Fingerprints: the same for ever, near for near-duplicates, far for others.

use chipwire_events::{Fingerprint, Markup};
use proptest::prelude::*;

use crate::{TAGGER, support};

fn fingerprint(text: &str) -> Fingerprint {
    TAGGER.enrich(support::article("", text)).findings.fingerprint
}

/// A hash that changes makes the fingerprints in the log worthless: these never change.
#[test]
fn fingerprints_never_change() {
    for (text, expected) in VECTORS {
        assert_eq!(fingerprint(text).text.as_deref(), expected, "{text:?}");
    }
}

const VECTORS: [(&str, Option<&str>); 5] = [
    ("Nvidia may sell the H20 again", None),
    ("one two three four five six seven eight", Some("8020ae0623122b22")),
    ("The chipmaker said on Tuesday that it would build a second plant near Dresden.", Some("c94739b7d497f132")),
    ("中芯国际表示，将在深圳建设新的生产线，并于明年开始生产。", Some("8c8f77b69ff2ce98")),
    ("Der Konzern baut in Dresden eine neue Fabrik für Autochips.", Some("836202017112a082")),
];

#[test]
fn markup_case_and_signs_make_no_difference() {
    let mut article = support::article("", "<p>The <b>chipmaker</b> said, on&nbsp;Tuesday: it will build a plant.</p>");
    article.markup = Markup::Html;
    let html = TAGGER.enrich(article).findings.fingerprint;
    assert_eq!(html, fingerprint("THE CHIPMAKER SAID ON TUESDAY IT WILL BUILD A PLANT"));
    assert!(html.text.is_some());
}

#[test]
fn the_address_loses_what_tracks() {
    let mut article = support::article("", "");
    article.url = Some("https://www.example.org/a/?utm_source=rss&id=7".to_owned());
    assert_eq!(TAGGER.enrich(article).findings.fingerprint.url.as_deref(), Some("example.org/a?id=7"));
}

/// Words that look random and are the same in every run.
fn words(seed: u64, count: usize) -> Vec<String> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut words = Vec::new();
    for _ in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words.push(format!("w{}", (state >> 33) % 5000));
    }
    words
}

#[test]
fn unrelated_texts_are_far_apart() {
    let prints: Vec<Fingerprint> = (0..60).map(|seed| fingerprint(&words(seed, 200).join(" "))).collect();
    let mut distances = Vec::new();
    for (at, one) in prints.iter().enumerate() {
        distances.extend(prints[..at].iter().map(|other| one.distance(other).unwrap()));
    }
    distances.sort_unstable();
    // 64 coins: 32 on average, and hardly ever fewer than 20.
    assert!(distances[distances.len() / 100] >= 20, "{:?}", &distances[..30]);
    assert!(distances[0] >= 14 && (30..=34).contains(&distances[distances.len() / 2]), "{distances:?}");
}

proptest! {
    #[test]
    fn one_changed_word_moves_few_bits(seed in 0u64..1_000_000, at in 0usize..200, word in "[a-z]{3,9}") {
        let mut text = words(seed, 200);
        let before = fingerprint(&text.join(" "));
        text[at] = word;
        let distance = before.distance(&fingerprint(&text.join(" "))).unwrap();
        prop_assert!(distance <= 14, "{distance} bits");
    }
}
