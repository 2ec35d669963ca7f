//! The demo's account.

use crate::support::{Backend, Site, chipwire};

#[test]
fn once_prints_the_account_and_ends() {
    let site = Site::new(Backend::Sqlite, "demo");
    let data_dir = site.folder.path().join("demo");
    let arguments = ["demo", "--once", "--port", "0", "--data-dir", data_dir.to_str().unwrap()];
    let output = chipwire(&site.config(), &arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let number = |label: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(label)).unwrap_or_else(|| panic!("{label}: {text}"));
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    assert!(number("articles") >= 150, "{text}");
    assert!(number("mentions") > number("articles"), "{text}");
    assert!(number("alerts") >= 3, "{text}");
    for expected in ["company ", "chip ", "policy ", "later edits", "chipwire search 'company:nvidia", "events"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }

    // A second round on the same data finds nothing new.
    let again = String::from_utf8(chipwire(&site.config(), &arguments).output().unwrap().stdout).unwrap();
    let articles = |text: &str| text.lines().find(|line| line.starts_with("articles")).unwrap().to_owned();
    assert_eq!(articles(&text), articles(&again), "{again}");
    let feeds = site.run(&["feeds", "list", "--failing", "--data-dir", data_dir.to_str().unwrap()]);
    assert_eq!(feeds, "0 feeds\n");
}
