//! Histories of feeds, poll by poll: which articles come out.

use chipwire_events::{Feed, FeedOrigin, FeedState, Timestamp};
use expect_test::{Expect, expect};
use url::Url;

use crate::{
    parse::parse_feed,
    poll::{Outcome, fresh_state, take_in},
};

/// Items of one document, one a line: `guid | link | title | date`, `-` for none.
fn document(items: &str) -> String {
    let mut xml = "<rss version='2.0'><channel><title>T</title>".to_owned();
    for line in items.lines().filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        xml.push_str("<item>");
        for (name, field) in ["guid isPermaLink='false'", "link", "title", "pubDate"].iter().zip(fields) {
            if field != "-" && !field.is_empty() {
                let end = name.split(' ').next().unwrap();
                xml.push_str(&format!("<{name}>{}</{end}>", field.replace('&', "&amp;")));
            }
        }
        xml.push_str("</item>");
    }
    xml + "</channel></rss>"
}

/// Polls a feed once for each document and prints what came out: `name:revision title`, names by the order of appearance.
#[expect(clippy::needless_pass_by_value, reason = "as expect-test is used")]
fn check(documents: &[&str], expected: Expect) {
    let feed = Feed::new("https://example.org/feed", FeedOrigin::User);
    let url = Url::parse(&feed.url).unwrap();
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut state: FeedState = fresh_state(&feed, start);
    let mut ids: Vec<String> = Vec::new();
    let mut out = String::new();
    for (round, items) in documents.iter().enumerate() {
        let now = start + jiff::SignedDuration::from_hours(i64::try_from(round).unwrap());
        let parsed = parse_feed(document(items).as_bytes(), None, Some(&url)).unwrap();
        let poll = take_in(&feed, state, parsed, &url, now);
        let Outcome::Read { new, revised, unchanged } = poll.outcome else { panic!("not read") };
        let overrun = if poll.overrun { " overrun" } else { "" };
        out += &format!("poll {round}: {new} new, {revised} revised, {unchanged} unchanged{overrun}\n");
        for article in &poll.articles {
            let known = ids.iter().position(|id| id == article.id.as_str());
            let name = known.unwrap_or_else(|| {
                ids.push(article.id.to_string());
                ids.len() - 1
            });
            out += &format!("  #{name} r{} {}\n", article.revision, article.title);
        }
        state = poll.state;
    }
    out += &format!("{:?}, {} articles, {} remembered\n", state.identity, state.articles, state.items.len());
    expected.assert_eq(&out);
}

#[test]
fn guids_hold_through_edits_and_moves() {
    check(
        &[
            "2 | http://example.org/2 | Second | Sun, 01 Mar 2026 11:00:00 GMT\n1 | http://example.org/1 | First | Sun, 01 Mar 2026 10:00:00 GMT",
            "2 | http://example.org/2 | Second | Sun, 01 Mar 2026 11:00:00 GMT\n1 | http://example.org/1 | First | Sun, 01 Mar 2026 10:00:00 GMT",
            "3 | http://example.org/3 | Third | -\n2 | http://example.org/2 | Second, edited | Sun, 01 Mar 2026 11:00:00 GMT",
            "3 | http://example.org/3 | Third | -\n2 | https://example.org/new/2 | Second, edited | Sun, 01 Mar 2026 11:00:00 GMT\n1 | http://example.org/1 | First | Sun, 01 Mar 2026 10:00:00 GMT",
        ],
        expect![[r#"
            poll 0: 2 new, 0 revised, 0 unchanged
              #0 r1 First
              #1 r1 Second
            poll 1: 0 new, 0 revised, 2 unchanged
            poll 2: 1 new, 1 revised, 0 unchanged
              #1 r2 Second, edited
              #2 r1 Third
            poll 3: 0 new, 1 revised, 2 unchanged
              #1 r3 Second, edited
            Guid, 3 articles, 3 remembered
        "#]],
    );
}

#[test]
fn without_guids_the_link_counts_and_not_its_tracking() {
    check(
        &[
            "- | http://example.org/1?utm_source=rss | First | -\n- | http://example.org/2?id=2 | Second | -",
            "- | https://www.example.org/1?utm_source=feed&utm_medium=x | First, edited | -\n- | http://example.org/2?id=3 | Third | -",
        ],
        expect![[r#"
            poll 0: 2 new, 0 revised, 0 unchanged
              #0 r1 Second
              #1 r1 First
            poll 1: 1 new, 1 revised, 0 unchanged
              #2 r1 Third
              #1 r2 First, edited
            Guid, 3 articles, 3 remembered
        "#]],
    );
}

#[test]
fn one_guid_for_all_items_is_no_guid() {
    check(
        &[
            "x | http://example.org/1 | First | -\nx | http://example.org/2 | Second | -",
            "x | http://example.org/1 | First, edited | -",
            "x | http://example.org/3 | Third | -\nx | http://example.org/1 | First, edited | -",
        ],
        expect![[r#"
            poll 0: 2 new, 0 revised, 0 unchanged
              #0 r1 Second
              #1 r1 First
            poll 1: 0 new, 1 revised, 0 unchanged
              #1 r2 First, edited
            poll 2: 1 new, 0 revised, 1 unchanged
              #2 r1 Third
            Link, 3 articles, 3 remembered
        "#]],
    );
}

#[test]
fn guids_that_change_at_every_build_are_found_out_without_a_flood() {
    check(
        &[
            "a1 | http://example.org/1 | First | -\na2 | http://example.org/2 | Second | -\na3 | http://example.org/3 | Third | -",
            "b1 | http://example.org/1 | First | -\nb2 | http://example.org/2 | Second, edited | -\nb3 | http://example.org/3 | Third | -",
            "c1 | http://example.org/1 | First | -\nc4 | http://example.org/4 | Fourth | -",
            "d1 | http://example.org/1 | First | -\nd4 | http://example.org/4 | Fourth | -",
        ],
        expect![[r#"
            poll 0: 3 new, 0 revised, 0 unchanged
              #0 r1 Third
              #1 r1 Second
              #2 r1 First
            poll 1: 0 new, 1 revised, 2 unchanged
              #1 r2 Second, edited
            poll 2: 1 new, 0 revised, 1 unchanged
              #3 r1 Fourth
            poll 3: 0 new, 0 revised, 2 unchanged
            Link, 4 articles, 4 remembered
        "#]],
    );
}

#[test]
fn one_link_for_all_items_leaves_title_and_date() {
    check(
        &[
            "- | http://example.org/ | First | Sun, 01 Mar 2026 10:00:00 GMT\n- | http://example.org/ | Second | Sun, 01 Mar 2026 11:00:00 GMT",
            "- | http://example.org/ | Third | -\n- | http://example.org/ | First | Sun, 01 Mar 2026 10:00:00 GMT",
            "- | http://example.org/ | Third | -",
        ],
        expect![[r#"
            poll 0: 2 new, 0 revised, 0 unchanged
              #0 r1 First
              #1 r1 Second
            poll 1: 1 new, 0 revised, 1 unchanged
              #2 r1 Third
            poll 2: 0 new, 0 revised, 1 unchanged
            Hash, 3 articles, 3 remembered
        "#]],
    );
}

#[test]
fn the_same_item_twice_is_one_and_a_gap_is_seen() {
    check(
        &[
            "1 | http://example.org/1 | First | -\n1 | http://example.org/1 | First | -",
            "1 | http://example.org/1 | First, edited | -\n1 | http://example.org/1 | First | -",
            "7 | http://example.org/7 | Seventh | -\n8 | http://example.org/8 | Eighth | -",
            "1 | http://example.org/1 | First, edited | -",
        ],
        expect![[r#"
            poll 0: 1 new, 0 revised, 0 unchanged
              #0 r1 First
            poll 1: 0 new, 1 revised, 0 unchanged
              #0 r2 First, edited
            poll 2: 2 new, 0 revised, 0 unchanged overrun
              #1 r1 Eighth
              #2 r1 Seventh
            poll 3: 0 new, 0 revised, 1 unchanged
            Guid, 3 articles, 3 remembered
        "#]],
    );
}

#[test]
fn one_changed_guid_is_a_new_article_and_no_reason_to_switch() {
    check(
        &[
            "1 | http://example.org/1 | First | -\n2 | http://example.org/2 | Second | -\n3 | http://example.org/3 | Third | -",
            "9 | http://example.org/1 | First, again | -\n2 | http://example.org/2 | Second | -\n3 | http://example.org/3 | Third | -",
        ],
        expect![[r#"
            poll 0: 3 new, 0 revised, 0 unchanged
              #0 r1 Third
              #1 r1 Second
              #2 r1 First
            poll 1: 1 new, 0 revised, 2 unchanged
              #3 r1 First, again
            Guid, 4 articles, 4 remembered
        "#]],
    );
}

#[test]
fn dates_that_cannot_be_are_no_dates() {
    let feed = Feed::new("https://example.org/feed", FeedOrigin::User);
    let url = Url::parse(&feed.url).unwrap();
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let items = "1 | - | soon | Mon, 02 Mar 2026 11:00:00 GMT\n2 | - | later | Mon, 02 Mar 2026 13:00:00 GMT\n\
                 3 | - | old | Thu, 01 Jan 1970 00:00:00 GMT\n4 | - | none | yesterday";
    let parsed = parse_feed(document(items).as_bytes(), None, Some(&url)).unwrap();
    let poll = take_in(&feed, fresh_state(&feed, now), parsed, &url, now);
    let dates: Vec<_> =
        poll.articles.iter().map(|article| (article.title.as_str(), article.published.is_some())).collect();
    assert_eq!(dates, [("none", false), ("old", false), ("later", false), ("soon", true)]);
    // What the feed says is kept, whether it is believed or not.
    let raw: Vec<_> = poll.articles.iter().filter_map(|article| article.published_raw.as_deref()).collect();
    let said = [
        "Mon, 02 Mar 2026 11:00:00 GMT",
        "Mon, 02 Mar 2026 13:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "yesterday",
    ];
    assert_eq!(raw, said.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(
        poll.state.warnings,
        [
            "a date that cannot be read, such as `yesterday` (item 4)",
            "2 dates lie in the future or before 1995 and are not used"
        ]
    );
}
