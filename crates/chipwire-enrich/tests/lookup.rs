//! Looking entities up, and what two gazetteers have different.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use chipwire_enrich::{By, Diff, Draft, Gazetteer, Tagger, difference};
use expect_test::expect;

fn found(query: &str) -> Vec<String> {
    let gazetteer = Gazetteer::builtin().unwrap();
    let by = |by: &By<'_>| match by {
        By::Id => "id".to_owned(),
        By::Name => "name".to_owned(),
        By::Alias(alias) => format!("{} {}", alias.mode, alias.text),
        By::Ticker(ticker) => (*ticker).to_owned(),
    };
    let hits = gazetteer.lookup(query);
    hits.iter()
        .map(|hit| {
            format!("{}:{} {}", hit.entity.kind, hit.entity.id, hit.by.iter().map(by).collect::<Vec<_>>().join(", "))
        })
        .collect()
}

#[test]
fn an_entity_is_found_by_all_that_it_is_called() {
    assert_eq!(found("company:tsmc"), ["company:tsmc id"]);
    assert!(found("tsmc")[0].starts_with("company:tsmc id"));
    assert_eq!(
        found("BIS").iter().map(|hit| hit.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["policy:intl-basel-bis", "policy:us-bis"]
    );
    for ticker in ["NASDAQ:NVDA", "nyse:nvda", "NVDA.O", "$NVDA"] {
        assert_eq!(found(ticker), ["company:nvidia NASDAQ:NVDA"], "{ticker}");
    }
    assert_eq!(found("700.HK"), ["company:tencent HKEX:0700"]);
    assert_eq!(found("no such thing"), Vec::<String>::new());
    assert_eq!(found(""), Vec::<String>::new());
}

#[test]
fn what_is_not_found_is_guessed() {
    let gazetteer = Gazetteer::builtin().unwrap();
    assert_eq!(gazetteer.suggest("Nvidai", 1), ["NVIDIA"]);
    assert!(gazetteer.suggest("qqqqqq", 5).is_empty());
}

#[test]
fn a_fact_holds_from_its_first_day_to_its_last() {
    let fact = |from: Option<&str>, to: Option<&str>| chipwire_enrich::Fact {
        text: String::new(),
        valid_from: from.map(str::to_owned),
        valid_to: to.map(str::to_owned),
        source: None,
    };
    let suspended = fact(Some("2025-11-10"), Some("2026-11"));
    for (day, expected) in
        [("2025-11-09", false), ("2025-11-10", true), ("2026-11-30", true), ("2026-12", false), ("2025", true)]
    {
        assert_eq!(suspended.holds_at(day), Some(expected), "{day}");
    }
    assert_eq!((fact(None, None).holds_at("1900"), fact(None, None).holds_at("soon")), (Some(true), None));
}

const OVERLAY: &str = r#"
kind = "company"
[[entity]]
id = "acme-photonics"
name = "Acme Photonics"
aliases = [{ text = "Acme Photonics", mode = "free" }]
[[change]]
id = "arm"
name = "ARM"
aliases = [{ text = "Arm", mode = "cased" }, { text = "Acorn RISC Machine", mode = "free" }]
cues = ["acorn"]
[[silence]]
id = "micron"
"#;

#[test]
fn a_difference_is_told_alias_by_alias() {
    let (ours, mix) = (Gazetteer::builtin().unwrap(), Gazetteer::with_overlay(&[("o.toml", OVERLAY)]).unwrap());
    expect![[r#"
        {
          "added": [
            "company:acme-photonics"
          ],
          "removed": [],
          "changed": [
            {
              "entity": "company:arm",
              "changes": [
                {
                  "field": "name",
                  "before": "Arm Holdings",
                  "after": "ARM"
                },
                {
                  "field": "aliases",
                  "item": "Acorn RISC Machine",
                  "before": null,
                  "after": "free"
                },
                {
                  "field": "aliases",
                  "item": "Arm",
                  "before": "cue, case",
                  "after": "cased"
                },
                {
                  "field": "cues",
                  "item": "acorn",
                  "before": null,
                  "after": "listed"
                }
              ]
            },
            {
              "entity": "company:micron",
              "changes": [
                {
                  "field": "negative",
                  "before": null,
                  "after": "true"
                }
              ]
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&Diff::between(&ours, &mix)).unwrap());
    let back = Diff::between(&mix, &ours);
    assert_eq!((back.added.len(), back.removed.as_slice()), (0, &["company:acme-photonics".to_owned()][..]));
    assert!(Diff::between(&ours, &ours).is_empty());
}

#[test]
fn a_text_is_told_by_what_changes_in_it() {
    let (ours, mix) = (Draft::builtin().unwrap(), Draft::builtin().unwrap().with_overlay(&[("o.toml", OVERLAY)]));
    let [ours, mix] = [ours, mix].map(|draft| Tagger::new(Gazetteer::try_from(draft).unwrap()));
    let found = difference(&ours, &mix, "Micron Technology and TSMC supply Acme Photonics.");
    let ids = |mentions: &[chipwire_events::Mention]| mentions.iter().map(|m| m.entity.clone()).collect::<Vec<_>>();
    assert_eq!(
        (ids(&found.removed), ids(&found.added)),
        (vec!["micron".to_owned()], vec!["acme-photonics".to_owned()])
    );
    assert!(difference(&ours, &mix, "TSMC said nothing.").is_empty());
}
