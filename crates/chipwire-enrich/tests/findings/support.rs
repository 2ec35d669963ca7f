//! Files of cases, and articles to find something in.

use std::{env, fmt::Write as _, fs, path::Path};

use chipwire_events::{Article, Markup};

/// An article of plain text.
pub(crate) fn article(title: &str, body: &str) -> Article {
    crate::article::article(title, body, Markup::Plain)
}

/// Compares what `answer` says of each text in `cases/NAME.tsv` with what is expected there (`-` for nothing), and the
/// number of cases with `at_least`. `UPDATE_EXPECT=1` writes the answers into the file: look at each that changed.
pub(crate) fn check_cases(name: &str, at_least: usize, answer: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases/{name}.tsv"));
    let file = fs::read_to_string(&path).unwrap();
    let mut lines = file.lines();
    let mut written = format!("{}\n", lines.next().unwrap_or_default());
    let (mut problems, mut count) = (Vec::new(), 0);
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let [id, json, expected] = fields[..] else { panic!("{name}.tsv: {line:?} has not three columns") };
        let text: String = serde_json::from_str(json).unwrap_or_else(|error| panic!("{name}.tsv, case {id}: {error}"));
        let found = Some(answer(&text)).filter(|found| !found.is_empty()).unwrap_or_else(|| "-".to_owned());
        writeln!(written, "{id}\t{json}\t{found}").unwrap();
        if found != expected {
            problems.push(format!("{id} {text:?}\n    expected {expected}\n    found    {found}"));
        }
        count += 1;
    }
    assert!(count >= at_least, "{name}.tsv has {count} cases");
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, written).unwrap();
    }
    assert!(problems.is_empty(), "{} of {count} cases:\n{}", problems.len(), problems.join("\n"));
}
