//! The commands, with and without a daemon.

use std::{fs, io::Write, process::Stdio};

use serde_json::Value;

use crate::support::{Backend, Site, chipwire, get_json};

const LINES: &str = r#"{"title":"Nvidia and the H20","text":"Nvidia's H20 GPU under U.S. export controls.","url":"https://example.org/1","published":"2026-01-02T03:04:05Z","source":"Archive"}
{"title":"No news","html":"<p>TSMC &amp; Co.</p>","url":"https://example.org/2","published":"2026-01-03T03:04:05Z"}
{"title":"broken"
{"title":"Third","text":"Alibaba Cloud","url":"https://example.org/3"}
"#;

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// An import with one bad line: its exit code says so, the rest is in.
fn import(site: &Site) -> (String, String) {
    let file = site.folder.path().join("in.jsonl");
    fs::write(&file, LINES).unwrap();
    let output = chipwire(&site.config(), &["import", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn check(backend: Backend, name: &str, with_daemon: bool) {
    let site = Site::new(backend, name);
    let daemon = with_daemon.then(|| site.spawn(&["run"]));

    let (said, complained) = import(&site);
    assert!(said.starts_with("3 added, 0 changed, 0 already there, 1 bad lines\n"), "{said}");
    assert!(complained.contains("in.jsonl, line 3: "), "{complained}");
    let (said, _) = import(&site);
    assert!(said.starts_with("0 added, 0 changed, 3 already there, 1 bad lines\n"), "{said}");

    let answer: Value = serde_json::from_str(&site.run(&["search", "chip:nvidia-h20", "--json"])).unwrap();
    assert_eq!(answer["total"], 1, "{answer}");
    assert!(answer["took_ms"].is_number());
    let hit = &answer["hits"][0];
    assert_eq!(hit["title"], "Nvidia and the H20");
    assert_eq!(hit["url"], "https://example.org/1");
    assert_eq!(hit["source"], "Archive");
    assert_eq!(hit["published"], "2026-01-02T03:04:05Z");
    assert!(hit["snippet"].as_str().unwrap().contains("H20"));
    let h20 = hit["mentions"].as_array().unwrap().iter().find(|mention| mention["entity"] == "nvidia-h20").unwrap();
    assert_eq!((&h20["kind"], &h20["name"], &h20["count"]), (&"chip".into(), &"NVIDIA H20".into(), &2.into()));
    assert!(site.run(&["search", "*"]).starts_with("3 articles in "));
    let error = site.fail(&["search", "nvidia AND (h20"]);
    assert!(error.contains('^'), "{error}");

    let feeds = site.folder.path().join("more.opml");
    fs::write(
        &feeds,
        "<opml version=\"2.0\"><head/><body><outline text=\"Press\"><outline type=\"rss\" text=\"One\" \
        xmlUrl=\"https://one.example.org/feed\"/></outline></body></opml>",
    )
    .unwrap();
    assert!(site.run(&["feeds", "import", feeds.to_str().unwrap()]).contains("1 added"));
    assert!(
        site.run(&["feeds", "add", "--no-check", "https://two.example.org/feed", "--folder", "A/B"])
            .contains("1 added")
    );
    assert!(site.run(&["feeds", "add", "https://two.example.org/feed"]).contains("0 added, 1 already followed"));
    let list = json_lines(&site.run(&["feeds", "list", "--json"]));
    let urls: Vec<&str> = list.iter().map(|feed| feed["feed"]["url"].as_str().unwrap()).collect();
    assert!(
        urls.contains(&"https://one.example.org/feed") && urls.contains(&"https://two.example.org/feed"),
        "{urls:?}"
    );
    let exported = site.run(&["feeds", "export"]);
    assert!(exported.contains("https://two.example.org/feed") && exported.contains("text=\"B\""), "{exported}");
    site.run(&["feeds", "remove", "https://two.example.org/feed"]);
    assert!(!site.run(&["feeds", "list"]).contains("two.example.org"));
    assert!(site.fail(&["feeds", "add", "file:///etc/passwd"]).contains("begins with https:// or http://"));

    assert!(
        site.run(&["rules", "add", "company:tsmc", "--name", "TSMC news"]).contains("added rule tsmc-news, version 1")
    );
    assert!(site.run(&["rules", "add", "company:tsmc AND fab", "--id", "tsmc-news"]).contains("version 2"));
    assert!(site.run(&["rules", "list"]).contains("company:tsmc AND fab"));
    if let Some(daemon) = &daemon {
        assert_eq!(get_json(&daemon.address, "/v1/articles?q=*")["total"], 3);
    }
    assert!(site.run(&["rules", "remove", "tsmc-news"]).contains("1 removed"));
    assert!(site.fail(&["rules", "remove", "tsmc-news"]).contains("no rule `tsmc-news`"));
    assert!(site.fail(&["rules", "add", "a AND", "--sink", "terminal"]).contains('^'));

    let tail = json_lines(&site.run(&["log", "tail", "articles.tagged"]));
    assert_eq!(tail.len(), 3);
    assert!(tail.iter().all(|event| event["specversion"] == "1.0" && event["type"] == "chipwire.article.tagged.v1"));
    assert!(site.run(&["log", "stats"]).contains("articles.raw"));
    assert!(site.run(&["index", "rebuild"]).starts_with("3 articles"));
    assert!(site.run(&["search", "*"]).starts_with("3 articles in "));
    if let Some(daemon) = daemon {
        daemon.terminate();
    }
}

#[test]
fn embedded_without_a_daemon() {
    check(Backend::Sqlite, "cli-alone", false);
}

#[test]
fn embedded_beside_a_daemon() {
    check(Backend::Sqlite, "cli-beside", true);
}

#[test]
fn kafka_without_a_daemon() {
    check(Backend::Kafka, "cli-alone", false);
}

#[test]
fn kafka_beside_a_daemon() {
    check(Backend::Kafka, "cli-beside", true);
}

#[test]
fn tag_answers_with_byte_offsets() {
    let site = Site::new(Backend::Sqlite, "tag");
    let mut child = chipwire(&site.config(), &["tag"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text = "“TSMC” ships Nvidia’s H20";
    let line = serde_json::json!({ "id": "a", "text": text }).to_string();
    child.stdin.take().unwrap().write_all(format!("{line}\n{{\"id\":2,\"text\":\"\"}}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers = json_lines(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(answers[1], serde_json::json!({ "id": 2, "mentions": [] }));
    let mentions = answers[0]["mentions"].as_array().unwrap();
    let found: Vec<(&str, &str)> = mentions
        .iter()
        .map(|mention| {
            let range = mention["start"].as_u64().unwrap() as usize..mention["end"].as_u64().unwrap() as usize;
            assert_eq!(mention["surface"], text[range]);
            assert!(mention["confidence"].as_f64().unwrap() > 0.5);
            (mention["kind"].as_str().unwrap(), mention["entity"].as_str().unwrap())
        })
        .collect();
    assert_eq!(found, [("company", "tsmc"), ("company", "nvidia"), ("chip", "nvidia-h20")]);
    assert!(site.run(&["tag", "--text", "Nvidia ships"]).starts_with("[Nvidia] ships"));
    let explained = site.run(&["tag", "--explain", "--text", "The Oracle of Delphi speaks"]);
    assert!(explained.contains("not tagged:") && explained.contains("which is told apart"), "{explained}");
}

#[test]
fn feeds_parse_says_what_is_in_a_file_and_what_is_wrong() {
    let site = Site::new(Backend::Sqlite, "parse");
    let good = site.folder.path().join("good.xml");
    fs::write(
        &good,
        "<rss version=\"2.0\"><channel><title>T</title><item><title>A & B</title><link>/x</link><guid>g1</guid>\
        <pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate><description>S</description></item></channel></rss>",
    )
    .unwrap();
    let bad = site.folder.path().join("bad.xml");
    fs::write(&bad, "<!doctype html><html><head><title>Login</title></head></html>").unwrap();
    let paths = [good.to_str().unwrap(), bad.to_str().unwrap()];
    let answers =
        json_lines(&site.run(&["feeds", "parse", paths[0], paths[1], "--url", "https://example.org/feed.xml"]));
    let entry = &answers[0]["entries"][0];
    assert_eq!(answers[0]["title"], "T");
    assert_eq!(
        (&entry["title"], &entry["link"], &entry["published"]),
        (&"A & B".into(), &"https://example.org/x".into(), &"2026-11-20T08:00:00Z".into())
    );
    assert!(answers[1]["error"].as_str().unwrap().contains("a web page"), "{}", answers[1]);
}

#[test]
fn every_command_has_help_with_an_example() {
    let site = Site::new(Backend::Sqlite, "help");
    let commands: [&[&str]; 42] = [
        &[],
        &["demo"],
        &["run"],
        &["fetch"],
        &["enrich"],
        &["index"],
        &["index", "rebuild"],
        &["alert"],
        &["serve"],
        &["import"],
        &["search"],
        &["tag"],
        &["extract"],
        &["feeds"],
        &["feeds", "add"],
        &["feeds", "edit"],
        &["feeds", "pause"],
        &["feeds", "resume"],
        &["feeds", "list"],
        &["feeds", "remove"],
        &["feeds", "import"],
        &["feeds", "export"],
        &["feeds", "parse"],
        &["rules"],
        &["rules", "add"],
        &["rules", "list"],
        &["rules", "remove"],
        &["log"],
        &["log", "stats"],
        &["log", "tail"],
        &["log", "repair"],
        &["gazetteer"],
        &["gazetteer", "lint"],
        &["gazetteer", "lookup"],
        &["gazetteer", "diff"],
        &["gazetteer", "import"],
        &["check-config"],
        &["completions"],
        &["search", "x"],
        &["tag", "x"],
        &["import", "x"],
        &["completions", "bash"],
    ];
    for command in commands {
        let help = site.run(&[command, &["--help"]].concat());
        assert!(help.contains("Example:\n  "), "{command:?}: {help}");
    }
    assert!(site.run(&["--version"]).starts_with("chipwire "));
    assert!(site.run(&["completions", "bash"]).contains("chipwire"));
}

#[test]
fn log_tail_looks_for_what_is_asked_for_before_it_counts() {
    let site = Site::new(Backend::Sqlite, "tail");
    let lines: String = (0..400)
        .map(|number| {
            format!("{{\"title\":\"Article {number}\",\"text\":\"TSMC\",\"url\":\"https://example.org/{number}\"}}\n")
        })
        .collect();
    let file = site.folder.path().join("many.jsonl");
    fs::write(&file, lines).unwrap();
    site.run(&["import", file.to_str().unwrap()]);
    let tail = |arguments: &[&str]| json_lines(&site.run(&[&["log", "tail", "articles.raw"], arguments].concat()));

    let all = tail(&["-n", "1000"]);
    assert_eq!(
        (all.len(), tail(&["--since", "1h"]).len(), tail(&["--since", "2999-01-01T00:00:00Z"]).len()),
        (400, 400, 0)
    );
    // The oldest of a partition, far behind the newest ten.
    let oldest = all.iter().find(|event| event["partition"] == 3).unwrap();
    let key = oldest["partitionkey"].as_str().unwrap();
    assert_eq!(tail(&["--key", key]), std::slice::from_ref(oldest));
    assert_eq!(tail(&["--key", key, "--partition", "2"]), [] as [Value; 0]);
    let of_two = tail(&["--partition", "2", "-n", "3"]);
    let expected: Vec<Value> = all.iter().filter(|event| event["partition"] == 2).cloned().collect();
    assert_eq!(of_two, expected[expected.len() - 3..]);
    assert!(site.fail(&["log", "tail", "rules", "--partition", "7"]).contains("no partition 7"));
    assert!(site.fail(&["log", "tail", "--since", "long ago"]).contains("2026-11-20T09:00:00Z"));

    let stats: Value = serde_json::from_str(&site.run(&["log", "stats", "--json"])).unwrap();
    let raw = stats["topics"]["articles.raw"].as_array().unwrap();
    assert!(raw.iter().all(|partition| {
        let bytes = partition["stored_bytes"].as_u64().unwrap();
        bytes > 0 && partition["frames"].as_u64().unwrap() > 0 && partition["oldest"].is_string()
    }));
    assert!(site.run(&["log", "stats"]).contains("MiB"));
}

#[test]
fn log_repair_makes_a_copy_and_what_it_gives_up_is_made_again() {
    let site = Site::new(Backend::Sqlite, "repair");
    for part in 0..2 {
        let lines: String = (0..100)
            .map(|number| format!("{{\"title\":\"Article {part} {number}\",\"text\":\"TSMC\",\"url\":\"https://example.org/{part}/{number}\"}}\n"))
            .collect();
        let file = site.folder.path().join("part.jsonl");
        fs::write(&file, lines).unwrap();
        site.run(&["import", file.to_str().unwrap()]);
    }
    let said = site.run(&["log", "repair", "--dry-run"]);
    assert!(said.ends_with(" records kept, 0 lost\n") && said.lines().count() == 1, "{said}");
    let (log, repaired) = (site.data_dir().join("log.db"), site.data_dir().join("log.db.repaired"));
    assert!(!repaired.exists());

    // A bit of the first outcomes of a partition.
    let good = fs::read(&log).unwrap();
    let planned = || -> Value { serde_json::from_str(&site.run(&["log", "repair", "--dry-run", "--json"])).unwrap() };
    let is_wanted = |answer: &Value| {
        let given_up = answer["given_up"].as_array().unwrap();
        given_up.len() == 1 && {
            let place = given_up[0]["place"].as_str().unwrap();
            place.contains("articles.tagged/") && place.contains(" offsets 0..=")
        }
    };
    let mut page = good.len() / 8192;
    let plan = loop {
        page = page.checked_sub(1).expect("no page holds the beginning of tagged articles");
        let mut bytes = good.clone();
        bytes[page * 8192 + 6000] ^= 1;
        fs::write(&log, bytes).unwrap();
        if !chipwire(&site.config(), &["log", "check"]).output().unwrap().status.success() {
            let output = chipwire(&site.config(), &["log", "repair", "--dry-run"]).output().unwrap();
            if output.status.success() && is_wanted(&planned()) {
                break planned();
            }
        }
    };
    let done: Value = serde_json::from_str(&site.run(&["log", "repair", "--json"])).unwrap();
    assert_eq!((&done["lost"], &done["given_up"]), (&plan["lost"], &plan["given_up"]));
    assert!(done["lost"].as_u64().unwrap() > 0, "{done}");
    assert!(site.fail(&["log", "repair"]).contains("exists already"));
    assert!(!chipwire(&site.config(), &["log", "check"]).output().unwrap().status.success(), "it stays as it is");

    for name in ["log.db-wal", "log.db-shm"] {
        drop(fs::remove_file(site.data_dir().join(name)));
    }
    fs::rename(&repaired, &log).unwrap();
    assert!(site.run(&["log", "check"]).contains("are as they were written"));
    // The outcomes are a gap now, and made again from the raw articles.
    assert!(site.run(&["index", "rebuild"]).starts_with("200 articles"));
    let report: Value = serde_json::from_str(&site.run(&["verify", "--json"])).unwrap();
    assert_eq!((&report["tagged"], &report["rejected_by_index"]), (&200.into(), &done["lost"]), "{report}");
}

#[test]
fn what_is_too_much_is_removed_from_the_log_unless_somebody_has_still_to_read_it() {
    let site = Site::new(Backend::Sqlite, "expire");
    assert!(site.fail(&["log", "expire"]).contains("kept for ever"));
    let config = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), config.replacen("[log]\n", "[log]\nmax_size_mib = 1\n", 1)).unwrap();
    // Text that cannot be made much smaller: about 4 MiB of it.
    let noise =
        |number: usize| (0..400).map(|part| chipwire_events::hash_hex(16, &[&format!("{number} {part}")])).collect();
    let lines: String = (0..300)
        .map(|number| {
            let text: Vec<String> = noise(number);
            let text = text.join(" ");
            format!("{{\"title\":\"Article {number}\",\"text\":\"{text}\",\"url\":\"https://example.org/{number}\"}}\n")
        })
        .collect();
    let file = site.folder.path().join("noise.jsonl");
    fs::write(&file, lines).unwrap();
    site.run(&["import", file.to_str().unwrap()]);
    let count = |what: &str| {
        let report: Value = serde_json::from_str(&site.run(&["verify", "--json"])).unwrap();
        report[what].as_u64().unwrap()
    };

    // No alert stage has run: what it would read stays, and what is tagged goes.
    site.run(&["log", "expire"]);
    assert_eq!((count("raw"), count("tagged")), (0, 300));
    site.run(&["log", "expire", "--force"]);
    assert!((1..200).contains(&count("tagged")), "{}", count("tagged"));
    assert!(site.run(&["log", "check"]).contains("are as they were written"));
    assert!(site.run(&["search", "*"]).starts_with("300 articles in "));
}
