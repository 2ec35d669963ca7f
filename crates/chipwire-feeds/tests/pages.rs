//! Pages of articles with what is to be found in each: `tests/pages/NAME.html` and `NAME.txt`.
//!
//! A new case is two new files. The second begins with lines `title:`, `published:`, `authors:` and `language:`, then, after an
//! empty line, the main text.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use chipwire_feeds::extract::extract_bytes;

/// The words of a text, in order.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The share of the runs of three words of `a` that are in `b`.
fn share(a: &[String], b: &[String]) -> f64 {
    let runs = |words: &[String]| words.windows(3.min(words.len().max(1))).map(|run| run.join(" ")).collect::<Vec<_>>();
    let (a, b) = (runs(a), runs(b));
    if a.is_empty() { 1.0 } else { a.iter().filter(|run| b.contains(run)).count() as f64 / a.len() as f64 }
}

#[test]
fn the_article_is_found_in_every_page() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    let mut pages: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|end| end == "html"));
    pages.sort();
    assert!(pages.len() >= 12, "{pages:?}");
    let mut wrong = Vec::new();
    for path in pages {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap();
        let (head, text) = expected.split_once("\n\n").unwrap();
        let head: BTreeMap<&str, &str> =
            head.lines().map(|line| line.split_once(':').unwrap()).map(|(key, value)| (key, value.trim())).collect();
        let page = extract_bytes(&fs::read(&path).unwrap(), Some("text/html"), None).unwrap();
        let published = page.published.map(|time| time.to_string()).unwrap_or_default();
        let language = page.language.clone().unwrap_or_default();
        for (key, found) in [
            ("title", page.title.clone()),
            ("published", published),
            ("authors", page.authors.join("; ")),
            ("language", language),
        ] {
            if head[key] != found {
                wrong.push(format!("{name}: {key} is `{found}`, not `{}`", head[key]));
            }
        }
        let (found, expected) = (words(&page.text), words(text));
        let (precision, recall) = (share(&found, &expected), share(&expected, &found));
        if precision < 0.97 || recall < 0.97 {
            wrong.push(format!("{name}: precision {precision:.3}, recall {recall:.3}:\n{}", page.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
