//! The test feeds of feedparser, the feed reader library of Python, as a conformance suite.
//!
//! Every file is a feed with a comment that says what feedparser reads from it. All of them are parsed. What is expected of
//! title, link, id, summary, content, author, dates and the number of entries is compared, outside of what is another
//! library's business here (sanitising) or nobody's (iTunes, GeoRSS, chapters). The report in
//! `target/artefacts/feedparser-report.txt` names every case that differs or is not compared, with the reason.
//!
//! The feeds come from `tests/feedparser/fetch`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests may panic, and the summary is for whoever runs them"
)]

mod compare;
mod expression;

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use chipwire_feeds::{ParseError, ParsedFeed, parse_feed};
use compare::Verdict;
use url::Url;

/// The groups whose expectations are compared.
const GROUPS: &[&str] = &["encoding", "entities", "illformed", "wellformed"];

/// Folders of the groups that test what is not read here, with the reason.
const OUTSIDE: &[(&str, &str)] = &[
    ("wellformed/sanitize", "sanitising: the body is kept as the feed gave it, and cleaned where it is shown"),
    ("wellformed/itunes", "iTunes"),
    ("wellformed/geo", "GeoRSS"),
    ("illformed/geo", "GeoRSS"),
    ("wellformed/psc", "Podlove chapters"),
];

/// Encodings that Python has no codec for: feedparser leaves its own cases of them out.
const UNKNOWN_TO_PYTHON: &[&str] = &[
    "csmacintosh",
    "csucs4",
    "csunicode",
    "dbcs",
    "iso-10646-ucs-2",
    "iso-10646-ucs-4",
    "mac",
    "ms-ansi",
    "ms-arab",
    "ms-cyrl",
    "ms-ee",
    "ms-greek",
    "ms-hebr",
    "ms-turk",
    "tcvn",
    "tcvn-5712",
    "tcvn5712-1",
    "ucs-2",
    "ucs-4",
    "viscii",
    "winbaltrim",
];

struct Case {
    /// From the folder of the tests on, with `/`.
    name: String,
    bytes: Vec<u8>,
    content_type: Option<String>,
    /// The address that feedparser's own server has for it, or that its header names.
    url: Option<Url>,
    expected: String,
    /// Why feedparser itself leaves it out.
    skipped: Option<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cases() -> Vec<Case> {
    let folder = root().join(".cache/feedparser/tests");
    assert!(folder.is_dir(), "feedparser's test feeds are missing: run `tests/run`, or `tests/feedparser/fetch` alone");
    let mut files = Vec::new();
    for group in GROUPS {
        walk(&folder.join(group), &mut files);
    }
    files.sort();
    files.iter().map(|file| case(&folder, file)).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            files.push(path);
        }
    }
}

fn case(folder: &Path, file: &Path) -> Case {
    let name = file.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
    let bytes = fs::read(file).unwrap();
    let comment = readable(&bytes);
    let header = |wanted: &str| {
        let mut lines = comment.lines().filter_map(|line| line.trim().strip_prefix("Header:")?.split_once(':'));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim().to_owned())
    };
    let line = |label: &str| {
        let at = comment.find(label)? + label.len();
        let line = comment[at..].lines().next().unwrap_or_default();
        Some(line.split("-->").next().unwrap_or_default().trim().to_owned())
    };
    // The server sends these cases, and only these have an address.
    let served = name.contains("http");
    let address = Url::parse(&format!("http://127.0.0.1:8097/tests/{name}")).unwrap();
    let location = header("Content-Location").and_then(|location| address.join(&location).ok());
    let skipped = line("SkipUnless:").and_then(|condition| {
        let codec = condition.split("lookup('").nth(1).and_then(|rest| rest.split('\'').next());
        match codec {
            Some(codec) if UNKNOWN_TO_PYTHON.contains(&codec) => {
                Some("feedparser skips it: Python has no such codec".into())
            }
            None if condition.contains("ACCEPTABLE_URI_SCHEMES") => Some("feedparser skips it".into()),
            _ => None,
        }
    });
    Case {
        content_type: header("Content-type").or_else(|| served.then(|| "application/xml".to_owned())),
        url: location.or(served.then_some(address)),
        expected: line("Expect:").unwrap_or_else(|| panic!("{name} expects nothing")),
        skipped,
        name,
        bytes,
    }
}

/// The document as far as its comment must be read, which is ASCII in one of the widths of Unicode, or EBCDIC.
fn readable(bytes: &[u8]) -> String {
    if bytes.starts_with(b"Lo\xa7\x94") {
        return ebcdic(bytes);
    }
    if bytes.iter().take(64).filter(|byte| **byte == 0).count() > 8 {
        return bytes.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Letters, digits and the marks that the comments use.
fn ebcdic(bytes: &[u8]) -> String {
    let marks: BTreeMap<u8, char> = [
        (0x25, '\n'),
        (0x40, ' '),
        (0x4b, '.'),
        (0x4c, '<'),
        (0x4d, '('),
        (0x5a, '!'),
        (0x5d, ')'),
        (0x60, '-'),
        (0x61, '/'),
        (0x6d, '_'),
        (0x6e, '>'),
        (0x6f, '?'),
        (0x7a, ':'),
        (0x7b, '#'),
        (0x7d, '\''),
        (0x7e, '='),
        (0x7f, '"'),
        (0xe0, '\\'),
        (0x4a, '['),
        (0xba, '['),
        (0xbb, ']'),
    ]
    .into();
    bytes
        .iter()
        .map(|byte| match byte {
            0xc1..=0xc9 => char::from(byte - 0xc1 + b'A'),
            0xd1..=0xd9 => char::from(byte - 0xd1 + b'J'),
            0xe2..=0xe9 => char::from(byte - 0xe2 + b'S'),
            0x81..=0x89 => char::from(byte - 0x81 + b'a'),
            0x91..=0x99 => char::from(byte - 0x91 + b'j'),
            0xa2..=0xa9 => char::from(byte - 0xa2 + b's'),
            0xf0..=0xf9 => char::from(byte - 0xf0 + b'0'),
            _ => marks.get(byte).copied().unwrap_or('~'),
        })
        .collect()
}

#[derive(Default)]
struct Report {
    cases: usize,
    parsed: usize,
    compared: usize,
    agreed: usize,
    errors: Vec<String>,
    differing: Vec<String>,
    outside: BTreeMap<String, Vec<String>>,
}

impl Report {
    fn take(&mut self, case: &Case, parsed: &Result<ParsedFeed, ParseError>) {
        self.cases += 1;
        match parsed {
            Ok(_) => self.parsed += 1,
            Err(error) => self.errors.push(format!("{}: {error}", case.name)),
        }
        let folder = OUTSIDE.iter().find(|(folder, _)| case.name.starts_with(folder));
        let reason = folder.map(|(_, reason)| (*reason).to_owned()).or_else(|| case.skipped.clone());
        if let Some(reason) = reason {
            self.outside.entry(reason).or_default().push(case.name.clone());
            return;
        }
        match compare::judge(&case.expected, parsed.as_ref().ok()) {
            Verdict::Agrees => {
                self.compared += 1;
                self.agreed += 1;
            }
            Verdict::Differs(found) => {
                self.compared += 1;
                self.differing.push(format!("{}\n    expected {}\n    found    {found}", case.name, case.expected));
            }
            Verdict::Outside(reason) => self.outside.entry(reason).or_default().push(case.name.clone()),
        }
    }

    fn summary(&self) -> String {
        let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        format!(
            "{} XML cases: {} parse ({:.2} %); {} are compared, {} agree ({:.2} %)",
            self.cases,
            self.parsed,
            percent(self.parsed, self.cases),
            self.compared,
            self.agreed,
            percent(self.agreed, self.compared)
        )
    }

    fn write(&self) -> String {
        let mut out = format!("{}\n\n# Not parsed ({})\n", self.summary(), self.errors.len());
        for line in &self.errors {
            writeln!(out, "{line}").unwrap();
        }
        writeln!(out, "\n# Differing ({})", self.differing.len()).unwrap();
        for line in &self.differing {
            writeln!(out, "{line}").unwrap();
        }
        for (reason, names) in &self.outside {
            writeln!(out, "\n# Not compared ({}): {reason}", names.len()).unwrap();
            for name in names {
                writeln!(out, "{name}").unwrap();
            }
        }
        out
    }
}

#[test]
fn the_feeds_of_feedparser_are_read_as_it_reads_them() {
    let mut report = Report::default();
    for case in cases() {
        let parsed = parse_feed(&case.bytes, case.content_type.as_deref(), case.url.as_ref());
        report.take(&case, &parsed);
    }
    let folder = root().join("target/artefacts");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("feedparser-report.txt"), report.write()).unwrap();
    println!("{}; see target/artefacts/feedparser-report.txt", report.summary());
    assert!(report.cases > 2_000, "only {} cases were found", report.cases);
    assert!(report.parsed * 1_000 >= report.cases * 995, "{}", report.summary());
    assert!(report.compared > 750, "too little is compared: {}", report.summary());
    assert!(report.agreed * 100 >= report.compared * 95, "{}", report.summary());
}
