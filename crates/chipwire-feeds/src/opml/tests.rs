use std::collections::BTreeMap;

use chipwire_events::{ArticlePages, Feed, FeedHeader, FeedList, FeedOrigin, HeadElement, ListFolder};
use expect_test::expect;
use proptest::prelude::*;

use super::{read, read_bytes, write};

const LIST: &str = r#"<?xml version="1.0"?>
<opml version="1.1" xmlns:frss="https://freshrss.org/opml"><head><title>x</title></head><body>
  <outline text="Chips &amp; fabs">
    <outline text="Asia" title="Asia"><outline type="rss" text="One" xmlUrl="https://one.example/feed?a=1&amp;b=2"
      category="/Trade/Chips,memory, memory" frss:priority="important" description="All of it"/></outline>
    <outline title="Two" xmlUrl=" http://two.example/rss " htmlUrl="http://two.example/" type="atom"/>
  </outline>
  <outline text="feed://three.example/x" xmlUrl="feed://three.example/x"/>
  <outline text="again" xmlUrl="https://one.example/feed?a=1&amp;b=2"/>
  <outline TEXT="R&D" title="Research & development" XMLURL="https://four.example/?a=1&b=2"/>
  <outline text="a note"/>
</body></opml>"#;

/// What is written of a list that was read.
fn rewritten(list: &str) -> String {
    let list = read(list, FeedOrigin::User).unwrap();
    write(&list.feeds, &[list.frame])
}

fn lines(feeds: &[Feed]) -> String {
    let folders = |feed: &Feed| {
        let others = feed.also_in.iter().map(|folder| format!(" and {}", folder.join("/")));
        feed.folder.join("/") + &others.collect::<String>()
    };
    let line = |feed: &Feed| {
        let title = feed.title.as_deref().unwrap_or("-");
        let site = feed.site.as_deref().unwrap_or("-");
        format!("{} | {title} | {} | {site} | {:?} {:?}", folders(feed), feed.url, feed.tags, feed.outline)
    };
    feeds.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn lists_are_read_with_all_they_say() {
    let list = read(LIST, FeedOrigin::User).unwrap();
    let feeds = list.feeds.clone();
    expect![[r#"
        Chips & fabs/Asia and  | One | https://one.example/feed?a=1&b=2 | - | ["/Trade/Chips", "memory"] {"description": "All of it", "frss:priority": "important", "xmlns:frss": "https://freshrss.org/opml"}
        Chips & fabs | Two | http://two.example/rss | http://two.example/ | [] {"type": "atom"}
         | - | http://three.example/x | - | [] {}
         | R&D | https://four.example/?a=1&b=2 | - | [] {"title": "Research & development"}"#]].assert_eq(&lines(&feeds));
    let again = read(&rewritten(LIST), FeedOrigin::User).unwrap();
    assert_eq!(again, list);
    assert_eq!(rewritten(&rewritten(LIST)), rewritten(LIST));
}

#[test]
fn the_order_of_the_list_is_kept() {
    let list = "<opml version='2.0'><body><outline text='z'><outline text='b' xmlUrl='https://b.example/'/></outline>\
        <outline text='a' xmlUrl='https://a.example/'/><outline text='c'><outline text='d' xmlUrl='https://d.example/'/>\
        </outline></body></opml>";
    let mut feeds = read(list, FeedOrigin::User).unwrap().feeds;
    feeds.reverse();
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <opml version="2.0">
          <head>
            <title>Feeds followed by chipwire</title>
          </head>
          <body>
            <outline text="z" title="z">
              <outline type="rss" text="b" title="b" xmlUrl="https://b.example/"/>
            </outline>
            <outline type="rss" text="a" title="a" xmlUrl="https://a.example/"/>
            <outline text="c" title="c">
              <outline type="rss" text="d" title="d" xmlUrl="https://d.example/"/>
            </outline>
          </body>
        </opml>
    "#]]
    .assert_eq(&write(&feeds, &[]));
}

#[test]
fn a_feed_lies_in_all_the_folders_in_which_it_is_named() {
    let outline = |name: &str| format!("<outline text='{name}' xmlUrl='https://{name}.example/'/>");
    let list = format!(
        "<opml version='2.0'><body><outline text='A'>{}{}</outline><outline text='B'><outline text='C'>{}{}</outline>\
         {}</outline></body></opml>",
        outline("x"),
        outline("y"),
        outline("z"),
        outline("x"),
        outline("x"),
    );
    let feeds = read(&list, FeedOrigin::User).unwrap().feeds;
    expect![[r#"
        A and B and B/C | x | https://x.example/ | - | [] {}
        A | y | https://y.example/ | - | [] {}
        B/C | z | https://z.example/ | - | [] {}"#]]
    .assert_eq(&lines(&feeds));
    let written = write(&feeds, &[]);
    assert_eq!(written.matches("xmlUrl=\"https://x.example/\"").count(), 3, "{written}");
    assert_eq!(read(&written, FeedOrigin::User).unwrap().feeds, feeds);
    // Whatever comes first in the list.
    let mut moved = feeds;
    moved[0].folder = vec!["D".to_owned()];
    moved[0].also_in = vec![Vec::new(), vec!["A".to_owned()]];
    let again = read(&write(&moved, &[]), FeedOrigin::User).unwrap().feeds;
    let x = again.iter().find(|feed| feed.id == moved[0].id).unwrap();
    assert_eq!((&x.folder, &x.also_in), (&moved[0].folder, &moved[0].also_in));
}

#[test]
fn what_a_list_says_of_its_folders_is_kept() {
    let list = "<opml version='2.0' xmlns:x='urn:x'><head a='b'>
      <title>Chips &amp; fabs</title>
      <ownerName><![CDATA[R&D]]></ownerName><x:view x:depth='2' y:z=''/><docs>http://opml.org/spec2.opml</docs>
      </head><body>
      <outline text='to come' isOpen='false'><outline text='later' title='Later'/></outline>
      <outline text='a' title='Chips and fabs' x:icon='chip' category='/c' isOpen='true'>
        <outline text='i'><outline text='one' xmlUrl='https://one.example/'/></outline>
        <outline text='j' htmlUrl='https://j.example/'><outline text='one' xmlUrl='https://one.example/'/>
          <outline text='two' xmlUrl='https://two.example/'/></outline>
        <outline text='k'/>
      </outline><outline text='last'/></body></opml>";
    let written = rewritten(list);
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <opml version="2.0" xmlns:chipwire="urn:x-chipwire:opml">
          <head>
            <title>Chips &amp; fabs</title>
            <ownerName>R&amp;D</ownerName>
            <x:view x:depth="2" xmlns:x="urn:x"></x:view>
            <docs>http://opml.org/spec2.opml</docs>
          </head>
          <body>
            <outline text="to come" title="to come" isOpen="false">
              <outline text="later" title="Later"/>
            </outline>
            <outline text="a" category="/c" isOpen="true" title="Chips and fabs" x:icon="chip" xmlns:x="urn:x">
              <outline text="i" title="i">
                <outline type="rss" text="one" title="one" xmlUrl="https://one.example/"/>
              </outline>
              <outline text="j" title="j" htmlUrl="https://j.example/">
                <outline type="rss" text="two" title="two" xmlUrl="https://two.example/"/>
                <outline type="rss" text="one" title="one" xmlUrl="https://one.example/" chipwire:also="true"/>
              </outline>
              <outline text="k" title="k"/>
            </outline>
            <outline text="last" title="last"/>
          </body>
        </opml>
    "#]]
    .assert_eq(&written);
    assert_eq!(rewritten(&written), written);
    assert_eq!(read(&written, FeedOrigin::User), read(list, FeedOrigin::User));
    // Whatever becomes of the feeds in them.
    let frame = read(list, FeedOrigin::User).unwrap().frame;
    let other = Feed::new("https://other.example/", FeedOrigin::User);
    let alone = write(&[other], std::slice::from_ref(&frame));
    assert!(alone.contains("<outline text=\"j\" title=\"j\" htmlUrl=\"https://j.example/\"/>"), "{alone}");
    assert_eq!(read(&alone, FeedOrigin::User).unwrap().frame.folders.len(), frame.folders.len());
}

#[test]
fn of_two_lists_one_is_made() {
    let of = |text: &str| read(text, FeedOrigin::User).unwrap().frame;
    let mut both = of("<opml><head><title>One</title><docs>d</docs></head><body><outline text='A' x='1' y='1'/>\
        <outline text='a' xmlUrl='https://a.example/'/></body></opml>");
    both.add(of("<opml><head><ownerName>me</ownerName><title>Two</title></head><body><outline text='A' x='2'/>\
        <outline text='a' xmlUrl='https://a.example/'/><outline text='B'/></body></opml>"));
    let head: Vec<_> = both.head.iter().map(|element| (element.name.as_str(), element.text.as_str())).collect();
    assert_eq!(head, [("title", "Two"), ("docs", "d"), ("ownerName", "me")]);
    let folders: Vec<_> = both.folders.iter().map(|folder| (folder.path.concat(), folder.outline.clone())).collect();
    let said = BTreeMap::from([("x".to_owned(), "2".to_owned()), ("y".to_owned(), "1".to_owned())]);
    assert_eq!(folders, [("A".to_owned(), said), ("B".to_owned(), BTreeMap::new())]);
}

#[test]
fn an_address_that_is_none_takes_no_other_with_it() {
    let list = "<opml version='2.0'><body>\n<outline text='a' xmlUrl='https://a.example/'/>\n<outline text='b' \
        xmlUrl='ftp://b.example/'/>\n<outline text='c' xmlUrl='http://'><outline text='d' xmlUrl='https://d.example/'/>\
        </outline></body></opml>";
    let list = read(list, FeedOrigin::User).unwrap();
    assert_eq!(list.feeds.iter().map(|feed| feed.title.as_deref()).collect::<Vec<_>>(), [Some("a"), Some("d")]);
    let left_out: Vec<String> = list.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        left_out,
        [
            "line 3: `ftp://b.example/` in the outline \"b\" is no web address: only http and https are fetched",
            "line 4: `http://` in the outline \"c\" is no web address: empty host",
        ]
    );
}

#[test]
fn headers_are_neither_written_nor_read() {
    let mut feed = Feed::new("https://a.example/feed", FeedOrigin::User);
    feed.headers = vec![FeedHeader { name: "X-Key".to_owned(), value: "hush".to_owned() }];
    let list = write(&[feed.clone()], &[]);
    assert!(!list.contains("hush") && !list.contains("X-Key"), "{list}");
    assert!(!format!("{feed:?}").contains("hush"), "{feed:?}");
    let sly = "<opml version='2.0' xmlns:chipwire='urn:x-chipwire:opml'><body><outline text='x' \
        xmlUrl='https://a.example/feed' chipwire:headers='X-Key: ${HOME}' chipwire:header='a: b'/></body></opml>";
    assert_eq!(read(sly, FeedOrigin::User).unwrap().feeds[0].headers, []);
}

#[test]
fn a_list_in_another_encoding_is_read() {
    let list = "<?xml version='1.0' encoding='windows-1252'?><opml version='1.0'><body><outline text='Caf\u{e9} \
        M\u{fc}nchen' xmlUrl='https://a.example/'/></body></opml>";
    let latin: Vec<u8> = list.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let feeds = read_bytes(&latin, FeedOrigin::User).unwrap().feeds;
    assert_eq!(feeds[0].title.as_deref(), Some("Caf\u{e9} M\u{fc}nchen"));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (text, expected) in [
        ("", "this is no OPML list of feeds"),
        ("<rss/>", "this is no OPML list of feeds: its root element is <rss>"),
        ("<opml version='2.0'><body><outline text='x'/></body></opml>", "the list has no outline with an `xmlUrl`"),
        (
            "<opml version='2.0'><body>\n<outline text='x' xmlUrl='ftp://a/b'/></body></opml>",
            "line 2: `ftp://a/b` in the outline \"x\" is no web address: only http and https are fetched",
        ),
        (
            "<opml version='2.0'><body><outline text='x' xmlUrl='http://'/></body></opml>",
            "line 1: `http://` in the outline \"x\" is no web address: empty host",
        ),
        (
            "<opml version='2.0'>\n<body>\n<outline text='x'>\n<outline text='y' xmlUrl='http://a/'/>\n",
            "line 3: <outline> is never closed: the list is cut off",
        ),
        (
            "<opml version='2.0'>\n<body>\n<outline text='x'>\n</body></opml>",
            "line 4: </body> closes <outline> of line 3",
        ),
        ("<opml version='2.0'>\n<body></body></opml></opml>", "line 2: </opml> closes nothing"),
        ("<opml>\n<body><outline text='x' xmlUrl='http://a/'", "line 2: <body> is never closed: the list is cut off"),
        (&format!("<opml>{}", "<outline text='x'>".repeat(100_000)), "the folders are nested more than 32 deep"),
    ] {
        let shown: String = text.chars().take(200).collect();
        assert_eq!(read(text, FeedOrigin::User).unwrap_err().to_string(), expected, "{shown}");
    }
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9é半&<>\"'/;#.-]{1,12}( [a-z&<>\"']{1,8}){0,2}"
}

/// Attributes; names that begin with `xml` belong to XML itself.
fn said() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("y[a-z]{0,5}(-[a-z]{1,3})?", "[ -~\t\né半]{0,20}", 0..3)
}

fn feed() -> impl Strategy<Value = Feed> {
    let pages = prop::sample::select(vec![
        None,
        Some(ArticlePages::Never),
        Some(ArticlePages::Auto),
        Some(ArticlePages::Always),
    ]);
    let tag = "[a-z0-9&<>\"'/半-]{1,8}";
    let folder = || prop::collection::vec(prop_oneof![name(), Just("F".to_owned())], 0..4);
    (
        0..1_000_u32,
        (prop::option::of(name()), folder(), prop::collection::vec(folder(), 0..3), prop::collection::vec(tag, 0..3)),
        (prop::option::of(any::<u32>()), any::<bool>(), pages),
        prop::option::of("https://[a-z]{1,5}\\.example/[a-z&?=]{0,5}"),
        said(),
    )
        .prop_map(
            |(number, (title, folder, mut also_in, mut tags), (interval_s, paused, article_pages), site, outline)| {
                tags.dedup();
                let mut seen = std::collections::HashSet::new();
                tags.retain(|tag| seen.insert(tag.clone()));
                let mut seen = std::collections::HashSet::from([folder.clone()]);
                also_in.retain(|folder| seen.insert(folder.clone()));
                also_in.sort_unstable();
                Feed {
                    title,
                    folder,
                    also_in,
                    tags,
                    site,
                    outline,
                    interval_s,
                    paused,
                    article_pages,
                    ..Feed::new(format!("https://site{number}.example/feed?a=1&b={number}"), FeedOrigin::User)
                }
            },
        )
}

fn frame() -> impl Strategy<Value = FeedList> {
    let element = ("[a-z][a-zA-Z]{0,8}", "[ -~\t\né半]{0,20}", said())
        .prop_map(|(name, text, attributes)| HeadElement { name, text, attributes });
    let path = prop::collection::vec(prop_oneof![name(), Just("F".to_owned())], 1..4);
    let folder = (path, said(), 0..20_u32).prop_map(|(path, outline, position)| ListFolder { path, outline, position });
    (prop::collection::vec(element, 0..4), prop::collection::vec(folder, 0..8)).prop_map(|(head, folders)| FeedList {
        head,
        folders,
        ..FeedList::new(FeedOrigin::User)
    })
}

proptest! {
    /// Export, then import, gives the same feeds; import, then export, the same list.
    #[test]
    fn both_ways_without_loss(feeds in prop::collection::vec(feed(), 1..12), frame in frame()) {
        let mut seen = std::collections::HashSet::new();
        let mut feeds: Vec<Feed> = feeds.into_iter().filter(|feed| seen.insert(feed.id.clone())).collect();
        let list = write(&feeds, std::slice::from_ref(&frame));
        let again = read(&list, FeedOrigin::User).unwrap();
        prop_assert_eq!(write(&again.feeds, std::slice::from_ref(&again.frame)), list);
        let mut seen = std::collections::BTreeSet::new();
        for element in frame.head.iter().filter(|element| seen.insert(&element.name)) {
            prop_assert!(again.frame.head.contains(element));
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut folders = frame.folders.clone();
        folders.sort_by_key(|folder| folder.position);
        // Of two folders with one path, the first that has anything to say.
        folders.sort_by_key(|folder| folder.outline.is_empty());
        for folder in folders.iter().filter(|folder| seen.insert(&folder.path)) {
            let found = again.frame.folders.iter().find(|known| known.path == folder.path);
            prop_assert_eq!(found.map(|found| &found.outline), Some(&folder.outline));
        }
        let mut read_again = again.feeds;
        // The list has feeds of one folder together, whatever order they were given in.
        for feed in &mut read_again {
            feed.position = None;
        }
        feeds.sort_by(|a, b| a.id.cmp(&b.id));
        read_again.sort_by(|a, b| a.id.cmp(&b.id));
        prop_assert_eq!(read_again, feeds);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(<opml>)?([<>&'\"/=a-z \\n]|<outline|xmlUrl=|text=|</outline>|<!--|<!\\[CDATA\\[){0,60}") {
        let _ = read(&text, FeedOrigin::User);
    }
}
