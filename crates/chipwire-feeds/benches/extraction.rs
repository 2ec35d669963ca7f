//! How well and how fast the text of an article is picked out of its page, against each of the two libraries alone.
//!
//! `cargo bench -p chipwire-feeds --bench extraction [-- DIR [--each] [--write DIR]]`
//!
//! DIR holds pages as `NAME.html` and their main text as `NAME.txt`, by default `tests/pages`. A text is compared by its runs
//! of four words (in languages that write words together, of four characters), as bags; the figures are means over the pages.
//! `--each` prints the F1 of every page, `--write` keeps the texts that were found as `NAME.EXTRACTOR.txt`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this prints a report, and has nobody to hand an error to"
)]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// A page and its main text.
struct Case {
    name: String,
    html: String,
    text: String,
}

/// What picks the text out of a page.
type Extractor = (&'static str, fn(&str) -> String);

const EXTRACTORS: [Extractor; 3] =
    [("chipwire", chipwire), ("dom_smoothie", dom_smoothie), ("trafilatura", trafilatura)];

fn chipwire(html: &str) -> String {
    chipwire_feeds::extract::extract(html, None).map(|page| page.text).unwrap_or_default()
}

fn dom_smoothie(html: &str) -> String {
    let config = dom_smoothie::Config { text_mode: dom_smoothie::TextMode::Formatted, ..Default::default() };
    let article = dom_smoothie::Readability::new(html, None, Some(config)).and_then(|mut page| page.parse());
    article.map(|article| article.text_content.to_string()).unwrap_or_default()
}

fn trafilatura(html: &str) -> String {
    let options = trafilatura::Options::default().with_fallback(true).with_exclude_comments(true);
    trafilatura::extract(html, &options).map(|page| page.content_text).unwrap_or_default()
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut words = Vec::new();
    for part in lower.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|part| !part.is_empty()) {
        if part.chars().any(|c| c >= '\u{2e80}' || ('\u{0e00}'..='\u{0eff}').contains(&c)) {
            words.extend(part.chars().map(String::from));
        } else {
            words.push(part.to_owned());
        }
    }
    words
}

fn runs(text: &str) -> HashMap<Vec<String>, i64> {
    let words = words(text);
    let mut runs = HashMap::new();
    if words.len() < 4 && !words.is_empty() {
        runs.insert(words, 1);
        return runs;
    }
    for run in words.windows(4) {
        *runs.entry(run.to_vec()).or_insert(0) += 1;
    }
    runs
}

/// Precision and recall.
fn score(found: &str, expected: &str) -> (f64, f64) {
    let (found, expected) = (runs(found), runs(expected));
    let common: i64 = found.iter().map(|(run, count)| *count.min(expected.get(run).unwrap_or(&0))).sum();
    let ratio = |all: &HashMap<_, i64>| match all.values().sum::<i64>() {
        0 => 1.0,
        all => common as f64 / all as f64,
    };
    (ratio(&found), ratio(&expected))
}

fn f1((precision, recall): (f64, f64)) -> f64 {
    if precision + recall == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
}

fn cases(dir: &Path) -> Vec<Case> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "html") && path.with_extension("txt").exists());
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(path.with_extension("txt")).unwrap();
            // What stands before the first empty line of a page of this project is its metadata.
            let text = match text.split_once("\n\n") {
                Some((head, text)) if head.starts_with("title: ") => text.to_owned(),
                _ => text,
            };
            Case {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                html: String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
                text,
            }
        })
        .collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let each = arguments.iter().any(|argument| argument == "--each");
    let written = arguments.iter().position(|argument| argument == "--write").and_then(|at| arguments.get(at + 1));
    let dir = arguments.iter().find(|argument| !argument.starts_with('-') && Some(*argument) != written);
    let dir = dir.map(PathBuf::from);
    let cases = cases(&dir.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages")));
    // A page that makes a library panic counts as one without text.
    std::panic::set_hook(Box::new(|_| {}));
    let mut scores: Vec<Vec<(f64, f64)>> = Vec::new();
    println!("{:<14} {:>6} {:>10} {:>7} {:>8}", "", "F1", "precision", "recall", "pages/s");
    for (name, extractor) in EXTRACTORS {
        let mut took = Duration::ZERO;
        let mut all = Vec::new();
        for case in &cases {
            let start = Instant::now();
            let found = std::panic::catch_unwind(|| extractor(&case.html)).unwrap_or_default();
            took += start.elapsed();
            if let Some(written) = written {
                fs::write(Path::new(written).join(format!("{}.{name}.txt", case.name)), &found).unwrap();
            }
            all.push(score(&found, &case.text));
        }
        let count = all.len() as f64;
        let mean = |value: fn(&(f64, f64)) -> f64| all.iter().map(value).sum::<f64>() / count;
        println!(
            "{name:<14} {:>6.3} {:>10.3} {:>7.3} {:>8.0}",
            mean(|score| f1(*score)),
            mean(|score| score.0),
            mean(|score| score.1),
            count / took.as_secs_f64()
        );
        scores.push(all);
    }
    if each {
        for (number, case) in cases.iter().enumerate() {
            let of_page = scores.iter().filter_map(|all| all.get(number));
            let each: Vec<String> = of_page.map(|score| format!("{:>6.3}", f1(*score))).collect();
            println!("{:<40} {}", case.name, each.join(" "));
        }
    }
}
