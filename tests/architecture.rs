//! The shape of the project: which crate may know which, and that the documents name what is there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Every arrow between crates. Arrows point down only: a crate may know those below it that stand in its line.
const ARROWS: [(&str, &[&str]); 9] = [
    (
        "chipwire",
        &[
            "chipwire-alerts",
            "chipwire-enrich",
            "chipwire-events",
            "chipwire-feeds",
            "chipwire-index",
            "chipwire-log",
            "chipwire-query",
            "chipwire-server",
        ],
    ),
    ("chipwire-server", &["chipwire-alerts", "chipwire-events", "chipwire-index", "chipwire-query"]),
    ("chipwire-alerts", &["chipwire-events", "chipwire-query"]),
    ("chipwire-index", &["chipwire-events", "chipwire-query"]),
    ("chipwire-query", &[]),
    ("chipwire-enrich", &["chipwire-events"]),
    ("chipwire-feeds", &["chipwire-events"]),
    ("chipwire-log", &[]),
    ("chipwire-events", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn dependencies(manifest: &Path, table: &str) -> BTreeSet<String> {
    let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    let dependencies = manifest.get(table).and_then(toml::Value::as_table);
    dependencies.into_iter().flat_map(|table| table.keys().cloned()).collect()
}

#[test]
fn crates_know_only_what_lies_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let manifest = path.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(text.contains(&format!("name = \"{name}\"")), "the crate in {name}/ has another name");
        let known = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the table of arrows"));
        for dependency in dependencies(&manifest, "dependencies") {
            if dependency.starts_with("chipwire") {
                assert!(known.contains(&dependency.as_str()), "{name} must not know {dependency}");
            }
        }
        found.insert(name);
    }
    assert_eq!(found, allowed.keys().map(|name| (*name).to_owned()).collect(), "crates and table differ");
}

#[test]
fn only_the_log_knows_its_backends() {
    for (name, _) in ARROWS {
        let dependencies = dependencies(&root().join("crates").join(name).join("Cargo.toml"), "dependencies");
        for backend in ["rdkafka", "rusqlite"] {
            assert!(name == "chipwire-log" || !dependencies.contains(backend), "{name} knows {backend}");
        }
        let knows_tantivy = dependencies.contains("tantivy");
        assert!(name == "chipwire-index" || !knows_tantivy, "{name} knows tantivy");
    }
}

/// The points at which tests kill the process come with a feature that no release is to have.
#[test]
fn only_tests_have_fail_points() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(
        workspace.contains("\nfail = \"") && !workspace.contains("failpoints"),
        "the workspace's `fail` has features"
    );
    for (name, _) in ARROWS {
        let manifest: toml::Table =
            fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap().parse().unwrap();
        for (table, _) in manifest.iter().filter(|(table, _)| *table != "dev-dependencies") {
            assert!(!manifest[table].to_string().contains("failpoints"), "{name} has them in `{table}`");
        }
    }
}

/// What stands between backticks in a document and looks like a path of this repository.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|code| {
        let top = ["crates/", "tests/", "deploy/", "docs/", ".ci/"];
        top.iter().any(|folder| code.starts_with(folder)) && !code.contains([' ', '*', '<', '{'])
    })
}

#[test]
fn documents_name_what_is_there() {
    for document in ["ARCHITECTURE.md", "README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for path in paths(&text) {
            assert!(root().join(path).exists(), "{document} names `{path}`, which is not there");
        }
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')) {
            if word.starts_with("chipwire-") && word != "chipwire-data" {
                assert!(root().join("crates").join(word).exists(), "{document} names the crate {word}");
            }
        }
    }
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap().lines().count();
    assert!(lines < 250, "ARCHITECTURE.md has {lines} lines");
}
