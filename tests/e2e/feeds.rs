//! What a feed is told, how it is found, and the pages of its articles.

use std::{fs, net::TcpListener};

use chipwire_events::{Event, FeedState, Topic};
use serde_json::{Value, json};

use crate::support::{Backend, Item, Site, Tail, chipwire, get, get_json, until};

const SECRET: &str = "hush-4711";

fn feed(title: &str, link: &str) -> String {
    format!(
        "<rss version='2.0'><channel><title>{title}</title><item><title>Of {title}</title><guid>1</guid><link>{link}</link>\
         <description>Short.</description></item></channel></rss>"
    )
}

fn listed(site: &Site) -> Vec<Value> {
    let lines = site.run(&["feeds", "list", "--json"]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_feed_that_was_given_up_is_polled_again_when_it_is_resumed() {
    let site = Site::new(Backend::Sqlite, "gone");
    site.origin.serve("/a.xml", "application/rss+xml", feed("A", "https://example.org/a"));
    let url = site.origin.url("/a.xml");
    site.run(&["feeds", "add", "--no-check", &url]);
    let added = one(&site, "/a.xml");
    // Twice it was not there.
    let state: FeedState = serde_json::from_value(json!({
        "feed": added["feed"]["id"],
        "url": url,
        "last_polled": chipwire::runner::system_clock(),
        "next_poll": chipwire_events::Timestamp::MAX,
        "http_status": 410,
        "error": { "class": "http", "message": "gone", "since": "2026-11-20T09:00:00Z", "count": 2, "gone": 2 },
    }))
    .unwrap();
    let log = site.log();
    let record = log.encode(&Event::FeedPolled(state), chipwire::runner::system_clock(), None).unwrap();
    log.append_among_others("test", &[record]).unwrap();
    let said = site.run(&["feeds", "list"]);
    assert!(said.contains("gone     ") && said.contains("next never"), "{said}");
    assert_eq!(site.run(&["feeds", "resume", &url]), "1 resumed\n");
    let daemon = site.spawn(&["run"]);
    until("the feed to be polled", || {
        let state = one(&site, "/a.xml")["state"].clone();
        if state["articles"] == 1 { Ok(()) } else { Err(state.to_string()) }
    });
    daemon.terminate();
    let said = site.run(&["feeds", "list"]);
    assert!(said.contains("ok       ") && said.contains("1 articles"), "{said}");
}

#[test]
fn a_list_is_imported_but_for_what_cannot_be_followed() {
    let site = Site::new(Backend::Sqlite, "list");
    let list = site.data_dir().with_file_name("list.opml");
    let text = "<opml version='2.0'><head><title>Fabs</title></head><body><outline text='none'/><outline text='A'><outline text='x' xmlUrl='https://x.example/'/></outline>\n\
        <outline text='y' xmlUrl='ftp://y.example/'/>\n<outline text='B'><outline text='x' xmlUrl='https://x.example/'/>\
        </outline></body></opml>";
    fs::write(&list, text).unwrap();
    let output = chipwire(&site.config(), &["feeds", "import", list.to_str().unwrap()]).output().unwrap();
    let (said, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && said.contains("1 added"), "{said}{error}");
    assert!(error.contains("left out: line 2: `ftp://y.example/` in the outline \"y\""), "{error}");
    assert!(site.run(&["feeds", "list", "--folder", "B"]).contains("in A and B"));
    let exported = site.run(&["feeds", "export"]);
    assert_eq!(exported.matches("xmlUrl=\"https://x.example/\"").count(), 2);
    for kept in ["<title>Fabs</title>", "<outline text=\"none\" title=\"none\"/>\n    <outline text=\"A\""] {
        assert!(exported.contains(kept), "{kept}: {exported}");
    }
    // A second list is added to it, and a folder stays whatever becomes of its feeds.
    let second = "<opml version='2.0'><head><ownerName>me</ownerName></head><body><outline text='A' x='1'/>\
        <outline text='z' xmlUrl='https://z.example/'/></body></opml>";
    fs::write(&list, second).unwrap();
    site.run(&["feeds", "import", list.to_str().unwrap()]);
    site.run(&["feeds", "remove", "https://x.example/"]);
    let exported = site.run(&["feeds", "export"]);
    let body = exported.split_once("<head>").unwrap().1;
    assert_eq!(
        body.split_whitespace().collect::<Vec<_>>().join(" "),
        "<title>Fabs</title> <ownerName>me</ownerName> </head> <body> <outline text=\"none\" title=\"none\"/> \
         <outline text=\"A\" title=\"A\" x=\"1\"/> <outline text=\"B\" title=\"B\"/> <outline type=\"rss\" text=\"z\" \
         title=\"z\" xmlUrl=\"https://z.example/\"/> </body> </opml>",
    );
}

fn one(site: &Site, path: &str) -> Value {
    found(site, path).unwrap_or_else(|| panic!("no {path}"))
}

fn found(site: &Site, path: &str) -> Option<Value> {
    let url = site.origin.url(path);
    listed(site).into_iter().find(|feed| feed["feed"]["url"] == url.as_str())
}

#[test]
fn the_feed_behind_a_page_is_found() {
    for with_daemon in [false, true] {
        let site = Site::new(Backend::Sqlite, "discovery");
        let daemon = with_daemon.then(|| site.spawn(&["run"]));
        let link = |path: &str| format!("<link rel='alternate' type='application/rss+xml' href='{path}'>");
        let page = |links: String| format!("<!doctype html><html><head><title>A site</title>{links}</head></html>");
        site.origin.serve("/a.xml", "application/rss+xml", feed("A", "https://example.org/a"));
        site.origin.serve("/b.xml", "application/rss+xml", feed("B", "https://example.org/b"));
        site.origin.serve("/one.html", "text/html", page(link("/a.xml")));
        site.origin.serve("/two.html", "text/html", page(format!("{}{}", link("/a.xml"), link("/b.xml"))));
        site.origin.serve("/none.html", "text/html", page(String::new()));
        site.origin.serve("/none.txt", "text/plain", "hello");
        let url = |path: &str| site.origin.url(path);

        let said = site.run(&["feeds", "add", &url("/one.html")]);
        assert!(said.contains(&format!("{}  A (1 entries", url("/a.xml"))) && said.contains("1 added"), "{said}");
        one(&site, "/a.xml");

        // Nobody is there to be asked.
        let output = chipwire(&site.config(), &["feeds", "add", &url("/two.html")]).output().unwrap();
        assert!(!output.status.success());
        let (said, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(said.contains(&url("/a.xml")) && said.contains(&format!("2  {}  B", url("/b.xml"))), "{said}");
        assert!(error.contains("has 2 feeds") && error.contains("--all"), "{error}");
        let said = site.run(&["feeds", "add", &url("/two.html"), "--all"]);
        assert!(said.contains("1 added, 1 already followed"), "{said}");
        one(&site, "/b.xml");

        // The page names none, and one is where feeds commonly are.
        let said = site.run(&["feeds", "add", &url("/none.html")]);
        assert!(said.contains(&url("/feed.xml")), "{said}");
        let error = site.fail(&["feeds", "add", &url("/none.txt")]);
        assert!(error.contains("there is no feed at") && error.contains("--no-check"), "{error}");
        assert!(site.run(&["feeds", "add", &url("/none.txt"), "--no-check"]).contains("1 added"));
        // Nobody listens there just now.
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let output = chipwire(&site.config(), &["feeds", "add", &format!("http://{closed}/feed")]).output().unwrap();
        assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("is followed unseen"));
        if let Some(daemon) = daemon {
            until("the feed is read", || match one(&site, "/b.xml")["state"]["articles"].as_u64() {
                Some(1) => Ok(()),
                other => Err(format!("{other:?}")),
            });
            daemon.terminate();
        }
    }
}

/// A header's value goes to the feed's origin, and is shown nowhere else.
#[test]
fn headers_are_sent_and_never_shown() {
    let site = Site::new(Backend::Sqlite, "headers");
    site.origin.serve("/secret.xml", "application/rss+xml", feed("S", "https://example.org/s"));
    let url = site.origin.url("/secret.xml");
    let daemon = site.spawn(&["run", "--log", "trace"]);
    let header = format!("Authorization: Bearer {SECRET}");
    let output =
        chipwire(&site.config(), &["feeds", "add", &url, "--header", &header, "--tag", "a,b"]).output().unwrap();
    assert!(output.status.success());
    let mut shown = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(shown.contains("kept in the log"), "{shown}");
    until("it is polled", || match one(&site, "/secret.xml")["state"]["articles"].as_u64() {
        Some(1) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let sent = site.origin.header_of("/secret.xml", "authorization");
    assert!(sent.len() >= 2 && sent.iter().all(|value| *value == format!("Bearer {SECRET}")), "{}", sent.len());
    for command in [
        &["feeds", "list"][..],
        &["feeds", "list", "--json"],
        &["feeds", "export"],
        &["feeds", "edit", &url, "--name", "Name"],
        &["log", "tail"],
        &["log", "tail", "feeds"],
        &["log", "stats"],
        &["check-config"],
    ] {
        shown += &site.run(command);
    }
    assert!(shown.contains("sends Authorization"), "{shown}");
    shown += &get_json(&daemon.address, "/v1/feeds").to_string();
    shown += &get(&daemon.address, "/metrics").1;
    shown += &get(&daemon.address, "/").1;
    shown += &daemon.stderr();
    daemon.terminate();
    assert!(!shown.contains(SECRET), "{shown}");
    // It is in the log all the same.
    let stored = Tail::new(&site.log(), Topic::Feeds).all();
    assert!(stored.iter().any(|event| matches!(event, Event::FeedSubscribed(feed) if !feed.headers.is_empty())));
    assert!(!format!("{stored:?}").contains(SECRET));
    for (header, expected) in [
        (format!("Host: {SECRET}"), "cannot be a header of a feed"),
        (format!("X-Key: é{SECRET}"), "cannot be sent"),
        (SECRET.to_owned(), "is written as `Name: value`"),
    ] {
        let error = site.fail(&["feeds", "add", &url, "--header", &header]);
        assert!(error.contains(expected) && !error.contains(SECRET), "{error}");
    }
}

#[test]
fn what_a_feed_is_told_stays_and_goes_through_opml() {
    let site = Site::new(Backend::Sqlite, "attributes");
    let url = "https://one.example.org/feed?a=1&b=2";
    let add = [
        "feeds",
        "add",
        "--no-check",
        url,
        "--name",
        "One & only",
        "--folder",
        "A/B & C",
        "--tag",
        "memory",
        "--tag",
        "x,y",
        "--interval",
        "3600",
        "--article-pages",
        "always",
        "--paused",
    ];
    assert!(site.run(&add).contains("1 added"));
    let feed = |site: &Site| {
        let feeds = listed(site);
        feeds.into_iter().find(|feed| feed["feed"]["url"] == url).map(|mut feed| feed["feed"].take()).unwrap()
    };
    let told = feed(&site);
    assert_eq!(
        (&told["title"], &told["folder"], &told["tags"], &told["interval_s"], &told["article_pages"], &told["paused"]),
        (
            &"One & only".into(),
            &serde_json::json!(["A", "B & C"]),
            &serde_json::json!(["memory", "x", "y"]),
            &3600.into(),
            &"always".into(),
            &true.into()
        )
    );
    assert!(site.run(&["feeds", "list", "--tag", "memory", "--folder", "A"]).contains("One & only"));
    assert!(site.run(&["feeds", "list", "--tag", "other"]).contains("0 feeds"));

    // Out, and into another place.
    let exported = site.run(&["feeds", "export"]);
    let other = Site::new(Backend::Sqlite, "attributes-again");
    let file = other.folder.path().join("list.opml");
    fs::write(&file, &exported).unwrap();
    assert!(other.run(&["feeds", "import", file.to_str().unwrap()]).contains("1 added"));
    let mut imported = feed(&other);
    imported.as_object_mut().unwrap().remove("position");
    assert_eq!(imported, told);
    assert_eq!(other.run(&["feeds", "export"]), exported);
    fs::write(&file, "<opml version='2.0'>\n<body>\n<outline text='x'>").unwrap();
    let error = other.fail(&["feeds", "import", file.to_str().unwrap()]);
    assert!(error.contains("line 3") && error.contains("never closed"), "{error}");

    assert!(site.run(&["feeds", "resume", url]).contains("1 resumed"));
    assert!(site.run(&["feeds", "resume", url]).contains("0 resumed"));
    assert!(site.run(&["feeds", "pause", url]).contains("1 paused"));
    assert!(site.run(&["feeds", "list"]).contains("paused"));
    let edit = ["feeds", "edit", url, "--name", "", "--tag", "", "--interval", "0", "--article-pages", "default"];
    assert!(site.run(&edit).contains("1 changed"));
    let told = feed(&site);
    assert!(["title", "tags", "interval_s", "article_pages"].iter().all(|key| told[key].is_null()), "{told}");
    assert_eq!(told["folder"], serde_json::json!(["A", "B & C"]));
    assert!(site.fail(&["feeds", "edit", url]).contains("nothing to change"));
    assert!(site.fail(&["feeds", "pause", "nothing"]).contains("no feed has the id or address `nothing`"));
    assert!(site.run(&["feeds", "remove", url]).contains("1 removed"));
}

#[test]
fn the_configuration_can_say_it_too() {
    let site = Site::new(Backend::Sqlite, "configured");
    site.origin.serve("/own.xml", "application/rss+xml", feed("O", "https://example.org/o"));
    let url = site.origin.url("/own.xml");
    site.configure(&format!(
        "[[feeds.feed]]\nurl = \"{url}\"\nname = \"Own\"\nfolder = [\"F\"]\ntags = [\"t\"]\nheaders = {{ \"X-Key\" = \"{SECRET}\" }}\n"
    ));
    let daemon = site.spawn(&["run"]);
    // The daemon answers before it has read what it is to follow.
    until("it is polled", || match found(&site, "/own.xml") {
        Some(feed) if feed["state"]["articles"] == 1 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(site.origin.header_of("/own.xml", "x-key")[0], SECRET);
    assert!(site.run(&["feeds", "list"]).contains("in F; tags t; sends X-Key"));
    assert!(site.fail(&["feeds", "pause", &url]).contains("named by the configuration"));
    daemon.terminate();
    site.configure("[[feeds.feed]]\nurl = \"https://u:p@example.org/\"\n");
    assert!(site.fail(&["check-config"]).contains("must not carry a user name"));
}

/// The page is fetched once for a new article, its text is searched, and the feed's own text tells edits.
#[test]
fn a_short_summary_is_completed_from_its_page() {
    let site = Site::new(Backend::Sqlite, "article-pages");
    let text = "<p>The long article speaks of the quokka and of other animals that are in no feed, at some length and \
        with commas, so that it is found to be the main text of its page and no list of links.</p>"
        .repeat(8);
    let page = format!("<!doctype html><html><body><article><h1>Of Long</h1>{text}</article></body></html>");
    site.origin.serve("/long.html", "text/html", page);
    site.origin.serve("/long.xml", "application/rss+xml", feed("Long", &site.origin.url("/long.html")));
    let url = site.origin.url("/long.xml");
    let daemon = site.spawn(&["run"]);
    site.run(&["feeds", "add", &url, "--article-pages", "auto"]);
    let mut raw = Tail::new(&site.log(), Topic::ArticlesRaw);
    raw.until("the article", |events| !events.is_empty());
    until("it is searched", || match site.run(&["search", "quokka", "--json"]) {
        answer if answer.contains("\"total\":1") => Ok(()),
        answer => Err(answer),
    });
    // Polled again and again, it stays the article that it was.
    site.origin.publish([Item::new(1, "Other", "Something else")]);
    raw.until("the other article", |events| events.len() > 1);
    assert_eq!(site.origin.header_of("/long.html", "user-agent").len(), 1);
    let of_long =
        raw.events.iter().filter(|event| matches!(event, Event::ArticleFetched(article) if article.title == "Of Long"));
    assert_eq!(of_long.count(), 1);
    daemon.terminate();
}

#[test]
fn extract_prints_a_line_for_each_page() {
    let site = Site::new(Backend::Sqlite, "extract");
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../chipwire-feeds/tests/pages");
    let out = site.run(&["extract", &format!("{pages}/news.html"), "/nowhere.html", &format!("{pages}/amp.html")]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["title"], "Ligonier starts second fab early");
    assert_eq!(lines[0]["published"], "2026-11-17T08:30:00Z");
    assert_eq!(lines[0]["authors"], serde_json::json!(["Ann Lee", "Bo Chen"]));
    assert!(lines[0]["text"].as_str().unwrap().starts_with("Shares of Ligonier"), "{}", lines[0]["text"]);
    assert_eq!(lines[1]["file"], "/nowhere.html");
    assert!(lines[1]["error"].as_str().unwrap().contains("No such file") && lines[1]["text"].is_null());
    assert_eq!(lines[2]["authors"][0], "Ines Calder");
}
