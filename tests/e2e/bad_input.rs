//! Bad feeds, configurations, logs and disks: a clear error that names the place, and everything else goes on.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Seek, SeekFrom, Write},
    time::Duration,
};

use chipwire_events::Topic;
use chipwire_log::{Limit, Positions, Step};

use crate::support::{Backend, Disk, Item, Site, chipwire, get, get_json, until, wait_searchable};

#[test]
fn a_bad_feed_shows_its_error_and_the_others_go_on() {
    let site = Site::new(Backend::Sqlite, "bad-feeds");
    site.origin.serve(
        "/html.xml",
        "text/html",
        "<!doctype html><html><head><title>Please log in</title></head></html>",
    );
    site.origin.serve("/endless.xml", "endless", "");
    site.origin.serve("/torn.xml", "application/xml", "<rss version=\"2.0\"><channel><title>x</titl");
    site.origin.serve("/empty.xml", "application/rss+xml", "");
    site.origin.serve("/type.xml", "image/png", "\u{89}PNG\r\n\u{1a}\n");
    // A slice inside a character in the parser.
    site.origin.serve(
        "/panic.xml",
        "application/rss+xml",
        "<rss version=\"2.0\"><channel><title>t</title><item><title>Survivor</title><guid>1</guid>\
         <author>editor@example.com（张三）</author></item></channel></rss>",
    );
    for path in ["html", "endless", "torn", "empty", "type", "panic", "missing"] {
        site.run(&["feeds", "add", "--no-check", &site.origin.url(&format!("/{path}.xml"))]);
    }
    site.origin.publish([Item::new(1, "All is well here", "TSMC")]);
    let daemon = site.spawn(&["run"]);
    wait_searchable(&daemon.address, &BTreeSet::from(["All is well here".to_owned(), "Survivor".to_owned()]));

    let expected =
        [("html", "html"), ("endless", "too_large"), ("empty", "empty"), ("type", "not_a_feed"), ("missing", "http")];
    let feeds = until("the bad feeds have failed", || {
        let feeds = get_json(&daemon.address, "/v1/feeds");
        let failing = feeds["feeds"].as_array().unwrap().iter().filter(|feed| !feed["error"].is_null()).count();
        if failing >= expected.len() { Ok(feeds) } else { Err(feeds.to_string()) }
    });
    for (path, class) in expected {
        let url = site.origin.url(&format!("/{path}.xml"));
        let feed = feeds["feeds"].as_array().unwrap().iter().find(|feed| feed["url"] == *url).unwrap();
        assert_eq!(feed["error"]["class"], class, "{feed}");
    }
    let list = site.run(&["feeds", "list", "--failing"]);
    assert!(list.contains("/html.xml") && list.contains("a web page"), "{list}");
    assert!(!list.contains("/panic.xml"), "{list}");
    daemon.terminate();
}

#[test]
fn a_private_address_is_refused_unless_it_is_allowed() {
    let site = Site::new(Backend::Sqlite, "private");
    let text = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), text.replace("allow_private_hosts = [\"127.0.0.1\"]\n", "")).unwrap();
    let daemon = site.spawn(&["run"]);
    let error = until("the feed is refused", || {
        let feeds = get_json(&daemon.address, "/v1/feeds");
        feeds["feeds"][0]["error"]["message"].as_str().map(str::to_owned).ok_or(feeds.to_string())
    });
    assert!(error.contains("127.0.0.1") && error.contains("allow_private_hosts"), "{error}");
    assert_eq!(site.origin.requests(), 0);
    daemon.terminate();
}

#[test]
fn a_bad_configuration_names_file_line_and_key() {
    let site = Site::new(Backend::Sqlite, "bad-config");
    site.configure("[index]\nthread = 2\n");
    let line = fs::read_to_string(site.config()).unwrap().lines().position(|line| line == "thread = 2").unwrap() + 1;
    let error = site.fail(&["check-config"]);
    assert!(error.contains(&format!("chipwire.toml:{line}: unknown field `thread`")), "{error}");
    assert!(error.contains("`threads`"), "{error}");
    let error = site.fail(&["run"]);
    assert!(error.contains("unknown field `thread`"), "{error}");
}

#[test]
fn nobody_listens_to_the_network_without_a_token() {
    let site = Site::new(Backend::Sqlite, "token");
    let text = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), text.replace("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\"")).unwrap();
    let error = site.fail(&["check-config"]);
    assert!(error.contains("token_env"), "{error}");
}

#[test]
fn the_second_daemon_is_told_who_has_the_data_directory() {
    let site = Site::new(Backend::Sqlite, "second");
    let first = site.spawn(&["run"]);
    let error = site.fail(&["run"]);
    assert!(error.contains("is taken by `chipwire run`, process "), "{error}");
    first.terminate();
    site.spawn(&["run"]).terminate();
}

#[test]
fn an_unknown_broker_is_named_and_tried_again() {
    let site = Site::new(Backend::Sqlite, "no-broker");
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = fs::read_to_string(site.config()).unwrap();
    let log =
        format!("[log]\nbackend = \"kafka\"\nkafka.brokers = \"127.0.0.1:{port}\"\nkafka.request_timeout_ms = 1000\n");
    fs::write(site.config(), text.replace("[log]\n", &log)).unwrap();
    let mut daemon = site.spawn(&["run"]);
    until("the broker is named", || match get(&daemon.address, "/readyz") {
        (503, reasons) if reasons.contains(&format!("127.0.0.1:{port}")) => Ok(()),
        (_, reasons) => Err(reasons),
    });
    assert_eq!(get(&daemon.address, "/livez").0, 200);
    assert!(daemon.is_running());
    assert!(daemon.stderr().contains("retry_in_ms"), "{}", daemon.stderr());
    // Nothing is wrong with being stopped meanwhile.
    daemon.terminate();
}

#[test]
fn a_damaged_log_is_named_and_does_not_start() {
    let site = Site::new(Backend::Sqlite, "damaged");
    site.origin.publish((0..40).map(|number| Item::new(number, format!("Article {number}"), "TSMC ".repeat(200))));
    let daemon = site.spawn(&["run"]);
    wait_searchable(&daemon.address, &(0..40).map(|number| format!("Article {number}")).collect());
    daemon.terminate();

    // Every page but the first loses its middle.
    let path = site.data_dir().join("log.db");
    let mut file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    for page in (4096..bytes.len()).step_by(4096) {
        file.seek(SeekFrom::Start(page as u64 + 100)).unwrap();
        file.write_all(&[0xa5; 1000]).unwrap();
    }
    file.sync_all().unwrap();
    let error = site.fail(&["run"]);
    assert!(error.contains("log.db") && error.contains("damaged"), "{error}");
}

#[test]
fn a_full_disk_pauses_fetching_and_nothing_else() {
    let site = Site::new(Backend::Sqlite, "full");
    fs::create_dir(site.data_dir()).unwrap();
    let Some(disk) = Disk::make(&site.data_dir(), 40) else {
        eprintln!("not run: this machine does not let us mount a file system of our own");
        return;
    };
    site.origin.publish([Item::new(1, "Before", "Nvidia")]);
    let daemon = site.spawn(&["run"]);
    wait_searchable(&daemon.address, &BTreeSet::from(["Before".to_owned()]));

    disk.fill();
    site.origin.publish((2..60).map(|number| {
        // Random enough not to be compressed away.
        let text: String =
            (0..300).map(|part| chipwire_events::hash_hex(16, &[&format!("{number}/{part}")]) + " ").collect();
        Item::new(number, format!("Article {number}"), text)
    }));
    until("polling pauses", || match get(&daemon.address, "/readyz") {
        (503, reasons) if reasons.contains("no space left") => Ok(()),
        (_, reasons) => Err(reasons),
    });
    assert_eq!(get_json(&daemon.address, "/v1/articles?q=nvidia")["total"], 1);
    assert_eq!(get(&daemon.address, "/livez").0, 200);

    disk.free();
    wait_searchable(&daemon.address, &(2..60).map(|number| format!("Article {number}")).collect());
    until("all is well again", || match get(&daemon.address, "/readyz") {
        (200, _) => Ok(()),
        (_, reasons) => Err(reasons),
    });
    daemon.terminate();
}

/// What no stage would ever write: an article that was passed without an outcome.
#[test]
fn verify_exits_with_1_on_a_log_that_lacks_something() {
    let site = Site::new(Backend::Sqlite, "verify");
    let file = site.folder.path().join("in.jsonl");
    fs::write(&file, "{\"title\":\"One\",\"text\":\"TSMC\",\"url\":\"https://example.org/1\"}\n").unwrap();
    site.run(&["import", file.to_str().unwrap()]);
    let verify = |arguments: &[&str]| {
        let output = chipwire(&site.config(), &[&["verify"], arguments].concat()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert!(matches!(verify(&[]), (Some(0), said) if said.ends_with("nothing lost, nothing double\n")));

    let log = site.log();
    let raw = log.name(Topic::ArticlesRaw);
    let mut reader = log.backend().reader(&[raw], &Positions::new()).unwrap();
    let stored = reader.next(Limit::default(), Duration::ZERO).unwrap().records.remove(0);
    log.backend().writer("test").unwrap().append(std::slice::from_ref(&stored.record)).unwrap();
    let mut worker = log.backend().worker("enrich", "test", &[raw]).unwrap();
    assert!(matches!(worker.next(Limit::default(), Duration::ZERO).unwrap(), Step::Assigned(_)));
    worker.commit(&[], &Positions::from([(stored.partition_id(), stored.offset + 2)])).unwrap();

    let (code, said) = verify(&[]);
    assert_eq!(code, Some(1), "{said}");
    let place = format!("articles.raw/{} offset {}", stored.record.partition, stored.offset + 1);
    assert!(said.contains("1 raw events without an outcome") && said.contains(&place), "{said}");
    let (code, said) = verify(&["--json"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &report["ok"], &report["counts"]["raw_without_outcome"]), (Some(1), &false.into(), &1.into()));
}
