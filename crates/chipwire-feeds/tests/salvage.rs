//! One damaged item takes no other item with it, whatever the format and whatever the damage.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::ops::Range;

use chipwire_feeds::parse_feed;
use proptest::prelude::*;

const ITEMS: usize = 6;

/// A feed, and where each of its items stands in it.
struct Good {
    text: String,
    items: Vec<Range<usize>>,
}

fn feed(head: &str, between: &str, tail: &str, item: impl Fn(usize) -> String) -> Good {
    let mut text = head.to_owned();
    let mut items = Vec::new();
    for number in 0..ITEMS {
        if number > 0 {
            text.push_str(between);
        }
        let start = text.len();
        text.push_str(&item(number));
        items.push(start..text.len());
    }
    text.push_str(tail);
    Good { text, items }
}

fn formats() -> Vec<Good> {
    vec![
        feed(
            "<?xml version=\"1.0\"?>\n<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>Té</title>\n",
            "\n",
            "</channel></rss>",
            |n| {
                format!(
                    "<item><title>Title {n} é &amp; more</title><link>https://example.org/{n}</link><guid isPermaLink=\"false\">id-{n}</guid><pubDate>Thu, 05 Mar 2026 10:20:3{n} GMT</pubDate><!-- {n} --><description><![CDATA[<p>Text <b>{n}</b> ü]]></description><content:encoded><![CDATA[<div>More</div>]]></content:encoded></item>"
                )
            },
        ),
        feed(
            "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns=\"http://purl.org/rss/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel rdf:about=\"https://example.org/\"><title>T</title></channel>\n",
            "\n",
            "</rdf:RDF>",
            |n| {
                format!(
                    "<item rdf:about=\"id-{n}\"><title>Title {n} é</title><link>https://example.org/{n}</link><dc:date>2026-03-05</dc:date><description>Text &lt;b&gt;ö&lt;/b&gt;</description></item>"
                )
            },
        ),
        feed("<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>T</title><id>f</id>\n", "\n", "</feed>", |n| {
            format!(
                "<entry><id>id-{n}</id><title type=\"html\">Title {n} é</title><link href=\"https://example.org/{n}\"/><updated>2026-03-05T10:20:30Z</updated><summary>Short</summary><content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Text <i>ä</i></p></div></content></entry>"
            )
        }),
        feed("{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"T\",\"items\":[\n", ",\n", "]}", |n| {
            format!(
                "{{\"id\":\"id-{n}\",\"url\":\"https://example.org/{n}\",\"title\":\"Title {n} é\",\"content_html\":\"<p>Text ß</p>\",\"authors\":[{{\"name\":\"N\"}}],\"tags\":[\"a\",\"b\"]}}"
            )
        }),
    ]
}

const JUNK: &[&str] = &[
    "<",
    ">",
    "&",
    "\"",
    "'",
    "</",
    "/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?php",
    "?>",
    "<!DOCTYPE x [",
    "]>",
    "<b>",
    "</b>",
    "<p",
    "<a href=\"",
    "<title>",
    "</title>",
    "<description>",
    "</description>",
    "<content>",
    "</content>",
    "<link>",
    "<guid>",
    "</channel>",
    "</rss>",
    "</rdf:RDF>",
    "</feed>",
    "<script>",
    "</script>",
    "<div>",
    "</div>",
    "&nbsp;",
    "&#0;",
    "\u{0}",
    "\u{b}",
    "\u{fffe}",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "null",
];

#[derive(Debug, Clone)]
enum Damage {
    Cut {
        at: prop::sample::Index,
        length: usize,
    },
    Flip {
        at: prop::sample::Index,
        bit: u8,
    },
    Insert {
        at: prop::sample::Index,
        junk: usize,
    },
    Byte {
        at: prop::sample::Index,
        byte: u8,
    },
    /// Everything from here to the end of the item is gone.
    Truncate {
        at: prop::sample::Index,
    },
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 1_usize..60).prop_map(|(at, length)| Damage::Cut { at, length }),
        (at(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip { at, bit }),
        (at(), 0..JUNK.len()).prop_map(|(at, junk)| Damage::Insert { at, junk }),
        (at(), 0x80_u8..=0xff).prop_map(|(at, byte)| Damage::Byte { at, byte }),
        at().prop_map(|at| Damage::Truncate { at }),
    ]
}

fn apply(item: &mut Vec<u8>, damage: &Damage) {
    if item.is_empty() {
        return;
    }
    match damage {
        Damage::Cut { at, length } => {
            let start = at.index(item.len());
            item.drain(start..(start + length).min(item.len()));
        }
        Damage::Flip { at, bit } => {
            let at = at.index(item.len());
            item[at] ^= 1 << bit;
        }
        Damage::Insert { at, junk } => {
            let at = at.index(item.len() + 1);
            item.splice(at..at, JUNK[*junk].bytes());
        }
        Damage::Byte { at, byte } => {
            let at = at.index(item.len());
            item[at] = *byte;
        }
        Damage::Truncate { at } => item.truncate(at.index(item.len())),
    }
}

/// `CHIPWIRE_SALVAGE_CASES` asks for a longer run.
fn cases() -> u32 {
    std::env::var("CHIPWIRE_SALVAGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_500)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn one_damaged_item_takes_no_other_with_it(
        format in 0_usize..4,
        victim in 0..ITEMS,
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let good = formats().swap_remove(format);
        let span = good.items[victim].clone();
        let mut item = good.text.as_bytes()[span.clone()].to_vec();
        for damage in &damages {
            apply(&mut item, damage);
        }
        let mut bytes = good.text.clone().into_bytes();
        bytes.splice(span, item.iter().copied());
        let document = String::from_utf8_lossy(&bytes).into_owned();
        let feed = parse_feed(&bytes, None, None);
        prop_assert!(feed.is_ok(), "{:?}\n{document}", feed);
        let feed = feed.unwrap();
        for number in (0..ITEMS).filter(|number| *number != victim) {
            let id = format!("id-{number}");
            let title = format!("Title {number} é");
            let found = feed.entries.iter().any(|entry| entry.id == id && entry.title.starts_with(&title));
            prop_assert!(found, "{id} is lost: {:?}\n{document}", feed.entries.iter().map(|e| (&e.id, &e.title)).collect::<Vec<_>>());
        }
    }
}
