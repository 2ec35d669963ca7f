//! The regression suite: hard strings with the mentions expected in them, in `cases/`: `tagging.tsv` of all kinds, the others
//! one for each file of the gazetteer.
//!
//! Columns: case, category, text (a JSON string), expected mentions (`KIND:id:start-end`, UTF-8 byte offsets, all of them),
//! ids that must not be tagged, and, but for `tagging.tsv`, why. A case that is known to fail is listed in
//! [`KNOWN_FAILURES`]; it fails the suite when it starts to pass, so that the list stays true.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::collections::BTreeSet;

use chipwire_enrich::{Gazetteer, Tagger};

/// Cases that fail, each with the reason.
const KNOWN_FAILURES: &[(&str, &str)] = &[];

struct Case<'a> {
    id: &'a str,
    text: String,
    expected: BTreeSet<String>,
    must_not: BTreeSet<&'a str>,
}

fn cases(tsv: &str) -> Vec<Case<'_>> {
    let words = |field| str::split_whitespace(field).filter(|word| *word != "-");
    tsv.lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            Case {
                id: fields[0],
                text: serde_json::from_str(fields[2]).unwrap(),
                expected: words(fields[3]).map(str::to_owned).collect(),
                must_not: words(fields[4]).collect(),
            }
        })
        .collect()
}

/// What is wrong with the tags of one case, or nothing.
fn failure(tagger: &Tagger, case: &Case<'_>) -> Option<String> {
    let mentions = tagger.tag_text(&case.text);
    let found: BTreeSet<String> =
        mentions.iter().map(|m| format!("{}:{}:{}-{}", m.kind.to_uppercase(), m.entity, m.start, m.end)).collect();
    let forbidden: Vec<&str> =
        mentions.iter().map(|m| m.entity.as_str()).filter(|id| case.must_not.contains(id)).collect();
    if found == case.expected && forbidden.is_empty() {
        return None;
    }
    let missing: Vec<&String> = case.expected.difference(&found).collect();
    let reasons: Vec<String> = mentions
        .iter()
        .map(|m| format!("{}:{}-{} {}", m.entity, m.start, m.end, m.reasons.join(",")))
        .filter(|line| !case.expected.iter().any(|e| line.starts_with(e.split_once(':').unwrap().1)))
        .collect();
    Some(format!("{} {:?}\n    missing {missing:?}\n    extra {reasons:?}", case.id, case.text))
}

#[test]
fn every_case_but_the_known_failures_passes() {
    let tagger = Tagger::new(Gazetteer::builtin().unwrap());
    let files = [
        (include_str!("cases/tagging.tsv"), 105),
        (include_str!("cases/companies.tsv"), 108),
        (include_str!("cases/chips.tsv"), 73),
        (include_str!("cases/policies.tsv"), 90),
    ];
    let mut all = Vec::new();
    for (tsv, count) in files {
        let cases = cases(tsv);
        assert_eq!(cases.len(), count, "{:?}", tsv.lines().next_back());
        all.extend(cases);
    }
    let cases = all;
    let mut problems = Vec::new();
    for case in &cases {
        let known = KNOWN_FAILURES.iter().any(|(id, _)| *id == case.id);
        match failure(&tagger, case) {
            Some(text) if !known => problems.push(text),
            None if known => problems.push(format!("{} passes now: take it off the list of known failures", case.id)),
            _ => {}
        }
    }
    assert!(problems.is_empty(), "{} of {} cases:\n{}", problems.len(), cases.len(), problems.join("\n"));
}
