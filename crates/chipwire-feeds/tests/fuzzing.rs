//! What the fuzz targets do for hours, for a few seconds: every stage that remote bytes reach, over mutated seeds.
//!
//! `CHIPWIRE_FUZZ_CASES` asks for a longer run; `fuzz/README.md` says how to run the real ones.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use chipwire_feeds::probe;
use proptest::{prelude::*, test_runner::RngSeed};

const DEFAULT_CASES: u32 = 2_000;

const SEEDS: &[&str] = &[
    "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>T</title><item><title>a &amp; b</title><link>http://x/1</link><author>a@b.cd (Ü)</author><description><![CDATA[<p>x</p>]]></description><pubDate>Thu, 05 Mar 2026 10:20:30 GMT</pubDate></item><item><guid>2</guid></item></channel></rss>",
    "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://x/'><title>T</title><entry><id>1</id><title type='xhtml'><div>x</div></title><link href='y'/><updated>2026-03-05T10:20:30Z</updated><content type='html'>&lt;p&gt;</content></entry></feed>",
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><channel><title>T</title></channel><item rdf:about='http://x/1'><title>a</title></item></rdf:RDF>",
    "{\"version\":\"https://jsonfeed.org/version/1\",\"title\":\"T\",\"items\":[{\"id\":\"1\",\"content_html\":\"<p>\",\"date_published\":\"2026-03-05\"}]}",
    "<?xml version='1.0' encoding='koi8-r'?><!DOCTYPE rss [<!ENTITY id 'tag:x,'>]><CHANNEL HREF='http://x/'><ITEM LASTMOD='2026-03-05T10:20+01:00'><TITLE>&id;&nbsp;</TITLE></ITEM></CHANNEL>",
    "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title mode='base64'>PGI+eDwvYj4=</title><issued>5 \u{43c}\u{430}\u{440} 2026 10:20 EST</issued></entry></feed>",
    "<opml version='2.0'><body><outline text='F'><outline text='a' xmlUrl='https://example.org/feed?a=1&amp;utm_source=x'/></outline></body></opml>",
    "<a href='b'>x</a><img src=\"/i.png\"><p style='x' onclick=y>z &amp; \u{e9}</p><math><mi>x</mi></math>",
    "Thu, 05 Mar 2026 10:20:30 +0100 (CET)",
    "2026-W10-4T10:20:30.123Z",
    "2026\u{b144} 3\u{c6d4} 5\u{c77c} \u{c624}\u{d6c4} 1:20",
    "jueves, 5 de marzo de 2026, 3:09pm",
    "https://www.example.org/a/../b?utm_source=x&id=1#c",
];

const PIECES: &[&str] = &[
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<!DOCTYPE",
    "[",
    "]",
    "&",
    "&#",
    ";",
    "\"",
    "'",
    "=",
    "<item>",
    "</item>",
    "<entry>",
    "</channel>",
    "</rss>",
    "<title>",
    "</title>",
    "xml:base='http://['",
    "xmlns='y'",
    "type='a/b'",
    "\u{0}",
    "é",
    "中",
    "\u{fffd}",
    "<a:b:c>",
    "<author>x@y.zz…",
    "99999999999999999999",
    "+99:99",
];

type Edit = (prop::sample::Index, usize, usize, u8);

fn mutated(seed: usize, edits: Vec<Edit>) -> Vec<u8> {
    let mut bytes = SEEDS.get(seed).unwrap().as_bytes().to_vec();
    for (at, length, piece, byte) in edits {
        let at = at.index(bytes.len() + 1);
        let end = (at + length).min(bytes.len());
        let piece = PIECES.get(piece).unwrap().as_bytes();
        let new = if byte < 40 { vec![byte | 0x80] } else { piece.to_vec() };
        bytes.splice(at..end, new);
    }
    bytes
}

fn every_stage(bytes: &[u8]) {
    probe::decode(bytes);
    probe::repair(bytes);
    probe::parse(bytes);
    probe::dates(bytes);
    probe::links(bytes);
    probe::opml(bytes);
}

fn cases() -> u32 {
    std::env::var("CHIPWIRE_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(DEFAULT_CASES)
}

/// A short run has to end as it ended the last time; a longer one looks elsewhere each time.
fn seed() -> RngSeed {
    if cases() > DEFAULT_CASES { RngSeed::Random } else { RngSeed::Fixed(4_126) }
}

/// What the fuzz targets found.
#[test]
fn what_was_found_stays_mended() {
    // The name of a tag ends the section that it is written into.
    every_stage(b"<feed><entry><content type='xhtml'><b]]>x</b]]></content></entry></feed>");
    // An entry is a document of its own, and may be empty.
    every_stage(b"2<entry/>>10");
    // Words that are harmless as a text.
    every_stage(b"javascript:");
    // Characters that are left out keep the end of a section apart, and the beginning of another.
    every_stage(b"<rss><item><title><![CDATA[a]]\x01><b>]]></title></item></rss>");
    every_stage(b"<feed><entry><title><![CDATA[a<![\x00CDATA[b]]]></title></entry></feed>");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: seed(), ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn mutated_seeds(
        seed in 0..SEEDS.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, 0..PIECES.len(), any::<u8>()), 0..8),
        choice in any::<u8>(),
    ) {
        let bytes = mutated(seed, edits);
        every_stage(&bytes);
        probe::decode(&[&[choice], &bytes[..]].concat());
        probe::parse(&[&[choice], &bytes[..]].concat());
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        every_stage(&bytes);
    }

    /// The parser looks for an e-mail address in them, and takes off a byte on either side: see `repair::tags`.
    #[test]
    fn names_reach_the_parser_in_a_form_that_it_survives(name in "[a@.…“é张<>()\\[\\];&: -]{0,4}(mailto:)?a@b[.]cc[@.…”é张<>()\\[\\];&: _-]{0,4}") {
        let name = name.replace('&', "&amp;").replace('<', "&lt;");
        let feed = format!("<rss version='2.0'><channel><item><guid>1</guid><author>{name}</author></item></channel></rss>");
        let feed = chipwire_feeds::parse_feed(feed.as_bytes(), None, None).unwrap();
        prop_assert!(feed.repairs.is_empty(), "{name}: {:?}", feed.repairs);
    }

    #[test]
    fn texts_like_dates(text in "[0-9TZWz:+./ ,a-z\u{e9}\u{5e74}\u{6708}\u{65e5}\u{c624}\u{d6c4}()-]{0,40}") {
        probe::dates(text.as_bytes());
    }
}
