//! The linter: what it finds and where, and that our own gazetteer is clean.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use chipwire_enrich::{Draft, Severity};
use expect_test::{Expect, expect};

/// What is found in a file of companies that has these entities, a line each.
fn check(entities: &str, expected: Expect) {
    let text = format!("kind = \"company\"\n{entities}");
    let found = Draft::from_files(&[("x.toml", &text)]).lint();
    let line = |f: &chipwire_enrich::Finding| {
        let severity = if f.severity == Severity::Error { "error" } else { "warning" };
        format!("{}:{} {severity} {} {}: {}\n", f.file, f.line, f.check, f.entity.as_deref().unwrap_or("-"), f.problem)
    };
    expected.assert_eq(&found.iter().map(line).collect::<String>());
}

fn entity(id: &str, rest: &str) -> String {
    format!("[[entity]]\nid = \"{id}\"\nname = \"X\"\n{rest}\n")
}

fn alias(text: &str, more: &str) -> String {
    format!("aliases = [{{ text = \"{text}\", {more} }}]")
}

#[test]
fn ours_is_clean() {
    let found = Draft::builtin().unwrap().lint();
    let lines: Vec<String> = found.iter().map(|finding| format!("{} {finding}", finding.check)).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn a_word_of_english_needs_a_mode() {
    check(
        &entity("a", &alias("Target", "mode = \"free\"")),
        expect![[r#"
        x.toml:5 error common-word company:a: alias `Target` is a word of English and counts always
    "#]],
    );
    check(&entity("a", &alias("Target", "mode = \"cased\"")), expect![[""]]);
    check(&entity("a", &alias("Target Corp", "mode = \"free\"")), expect![[""]]);
}

#[test]
fn names_that_make_no_difference_are_doubtful() {
    let aliases = |list: &[&str]| {
        let items: Vec<String> = list.iter().map(|alias| format!("{{ {alias} }}")).collect();
        entity("a", &format!("aliases = [\n{}\n]\ncues = [\"x\"]", items.join(",\n")))
    };
    check(
        &aliases(&["text = \"Zeta One\", mode = \"free\"", "text = \"zeta-one\", mode = \"free\""]),
        expect![[r#"
        x.toml:7 warning duplicate-alias company:a: alias `zeta-one` is found as `Zeta One` already
    "#]],
    );
    check(
        &aliases(&["text = \"zeta-one\", mode = \"free\"", "text = \"Zeta One\", mode = \"cased\""]),
        expect![[r#"
        x.toml:7 warning duplicate-alias company:a: alias `Zeta One` is found as `zeta-one` already
    "#]],
    );
    check(
        &aliases(&["text = \"Zeta\", mode = \"cue\"", "text = \"Zeta\", mode = \"cue\""]),
        expect![[r#"
        x.toml:7 warning duplicate-alias company:a: alias `Zeta` is there twice
    "#]],
    );
    check(
        &aliases(&["text = \"Zeta One\", mode = \"cue\"", "text = \"zeta one\", mode = \"cue\""]),
        expect![[r#"
        x.toml:6 warning duplicate-alias company:a: alias `Zeta One` is found as `zeta one` already
    "#]],
    );
    // A sign for a word, and the same characters in other writing.
    check(
        &aliases(&["text = \"Zeta and One\", mode = \"free\"", "text = \"Zeta & One\", mode = \"free\""]),
        expect![[r#"
            x.toml:7 warning duplicate-alias company:a: alias `Zeta & One` is found as `Zeta and One` already
        "#]],
    );
    check(
        &aliases(&["text = \"华为海思\", mode = \"free\"", "text = \"華為海思\", mode = \"free\""]),
        expect![[r#"
            x.toml:7 warning duplicate-alias company:a: alias `華為海思` is found as `华为海思` already
        "#]],
    );
    // Each of these finds what the other does not.
    check(&aliases(&["text = \"Zeta One\", mode = \"cased\"", "text = \"ZETA ONE\", mode = \"cased\""]), expect![[""]]);
    check(&aliases(&["text = \"Zeta:One\", mode = \"free\"", "text = \"Zeta One\", mode = \"free\""]), expect![[""]]);
}

#[test]
fn names_of_two_are_told_apart() {
    let two = |a: &str, b: &str| entity("a", a) + &entity("b", b);
    check(
        &two(&alias("Zeta", "mode = \"free\""), &alias("ZETA", "mode = \"cased\"")),
        expect![[r#"
        x.toml:9 error collision company:b: alias `ZETA` is also `Zeta` of `company:a`
    "#]],
    );
    check(
        &two(&alias("Zeta", "mode = \"free\""), &alias("zeta", "mode = \"free\"")),
        expect![[r#"
        x.toml:9 error collision company:b: alias `zeta` is also one of `company:a`
    "#]],
    );
    check(
        &two(&alias("Zeta", "mode = \"free\""), &(alias("Zeta", "mode = \"cue\"") + "\ncues = [\"x\"]")),
        expect![[r#"
            x.toml:9 warning shared-name company:b: alias `Zeta` counts always for `company:a`
        "#]],
    );
    let cue = |cue: &str| format!("{}\ncues = [\"{cue}\"]", alias("Zeta", "mode = \"cue\""));
    check(
        &two(&cue("x"), &cue("x")),
        expect![[r#"
        x.toml:10 warning shared-name company:b: alias `Zeta` is also one of `company:a`, which has the same cues
    "#]],
    );
    check(&two(&cue("x"), &cue("y")), expect![[""]]);
    check(&two(&alias("Zeta", "mode = \"cased\""), &alias("ZETA", "mode = \"cased\"")), expect![[""]]);
}

#[test]
fn a_longer_name_hides_a_shorter() {
    let two = |rest: &str| {
        entity("a", &alias("Zeta", "mode = \"free\""))
            + &entity("b", &format!("{}\n{rest}", alias("Zeta Bank", "mode = \"free\"")))
    };
    check(
        &two(""),
        expect![[r#"
        x.toml:9 warning hidden-name company:b: alias `Zeta Bank` hides `Zeta` of `company:a`, which is not tagged inside it
    "#]],
    );
    check(&two("parent = \"a\""), expect![[""]]);
    check(&two("negative = true"), expect![[""]]);
    check(&two("allow = [{ check = \"hidden-name\", because = \"Another firm.\" }]"), expect![[""]]);
    check(
        &two("allow = [{ check = \"hidden-name\", alias = \"Zeta\", because = \"Another firm.\" }]"),
        expect![[r#"
        x.toml:9 warning hidden-name company:b: alias `Zeta Bank` hides `Zeta` of `company:a`, which is not tagged inside it
        x.toml:10 warning allow company:b: `hidden-name` of `Zeta` is allowed and not found
    "#]],
    );
    check(
        &two("allow = [{ check = \"dangling\", because = \"x\" }]\nparent = \"c\""),
        expect![[r#"
        x.toml:9 warning hidden-name company:b: alias `Zeta Bank` hides `Zeta` of `company:a`, which is not tagged inside it
        x.toml:10 error allow company:b: `dangling` is no check that can be allowed
        x.toml:11 error dangling company:b: parent `c` is not a company
    "#]],
    );
    check(
        &two("allow = [{ check = \"hidden-name\", because = \" \" }]"),
        expect![[r#"
        x.toml:10 error allow company:b: `hidden-name` is allowed for no reason
    "#]],
    );
}

#[test]
fn the_rest() {
    check(
        &entity("a", &alias("Zeta", "mode = \"cue\"")),
        expect![[r#"
        x.toml:5 warning no-cues company:a: names ask for cues, and there are none
    "#]],
    );
    check(
        &entity("a", "tickers = [\"NYSE:ZT\", \"NASDAQ:ZT\"]"),
        expect![[r#"
        x.toml:5 warning duplicate-ticker company:a: ticker `NASDAQ:ZT` is there twice
    "#]],
    );
    check(
        &entity("a", &alias("info@example.com", "mode = \"free\"")),
        expect![[r#"
        x.toml:5 error empty-alias company:a: alias `info@example.com` has no word that texts could be compared with
    "#]],
    );
    check(
        &entity("a", "[[entity.fact]]\ntext = \"listed\""),
        expect![[r#"
        x.toml:5 warning fact-source company:a: the fact `listed` has no source
    "#]],
    );
    check(
        &entity(
            "a",
            "[[entity.fact]]\ntext = \"listed\"\nsource = \"x\"\nvalid_from = \"2025\"\nvalid_to = \"2024-12-31\"",
        ),
        expect![[r#"
            x.toml:5 error fact-order company:a: valid_to `2024-12-31` is before valid_from `2025`
        "#]],
    );
    check(
        "[[entity]]\nid = \"a\"\n",
        expect![[r#"
        x.toml:2 error form company:a: in `[[entity]]`: missing field `name`
    "#]],
    );
}
