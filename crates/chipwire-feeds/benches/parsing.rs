//! How fast feeds are read, on one core, beside the strict parser alone: `cargo bench -p chipwire-feeds --bench parsing`.
//!
//! The feeds are generated: 40 items each with a body of ordinary English HTML, in the forms that are most of the web. All
//! are clean, so that feed-rs reads them as well. For each form the table says, in MB of feed a second:
//!
//! - feed-rs alone, without its own sanitising;
//! - all that chipwire does: repair, feed-rs, dates, texts, identity of each item;
//! - what repair costs a clean feed: the time of repair and of feed-rs on the repaired document over that of feed-rs alone.
//!
//! Both sides are measured in turns, and the best of several rounds is printed, as it is the one least disturbed by other
//! work on the machine.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program that prints what it measured"
)]

use std::{
    fmt::Write,
    hint::black_box,
    time::{Duration, Instant},
};

use chipwire_events::{Article, IdentityPolicy};
use chipwire_feeds::{identity, parse_feed, probe};
use url::Url;

const ITEMS: usize = 40;
const ROUNDS: usize = 41;
const WORDS: &[&str] = &[
    "the",
    "company",
    "said",
    "on",
    "Tuesday",
    "that",
    "it",
    "would",
    "expand",
    "production",
    "of",
    "advanced",
    "chips",
    "for",
    "customers",
    "in",
    "several",
    "countries",
    "while",
    "officials",
    "were",
    "reviewing",
    "export",
    "rules",
    "and",
    "analysts",
    "expected",
    "demand",
    "to",
    "grow",
];

fn words(seed: usize, count: usize) -> String {
    let mut state = seed as u64 * 2_654_435_761 + 1;
    let mut text = String::new();
    for _ in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[(state >> 33) as usize % WORDS.len()]);
        text.push(' ');
    }
    text
}

fn html(seed: usize) -> String {
    let mut html = String::new();
    for paragraph in 0..4 {
        let text = words(seed * 10 + paragraph, 70);
        writeln!(
            html,
            "<p class=\"text\">{text}<a href=\"https://example.org/{seed}?a=1\">more</a> &amp; <b>so on</b>.</p>"
        )
        .unwrap();
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn feed(head: &str, tail: &str, item: impl Fn(usize) -> String) -> String {
    let items: String = (0..ITEMS).map(item).collect();
    format!("{head}{items}{tail}")
}

fn corpus() -> Vec<(&'static str, String)> {
    let rss = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:media=\"http://search.yahoo.com/mrss/\"><channel><title>Example</title><link>https://example.org/</link><description>News</description><language>en</language>\n";
    let atom = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Example</title><id>tag:example.org,2026:feed</id><link href=\"https://example.org/\"/><updated>2026-03-05T10:20:30Z</updated>\n";
    let title = |n: usize| words(n + 1_000, 9);
    let date = |n: usize| format!("Thu, 05 Mar 2026 10:20:{:02} GMT", n % 60);
    vec![
        (
            "RSS, text in CDATA",
            feed(rss, "</channel></rss>", |n| {
                format!(
                    "<item><title>{}</title><link>https://example.org/{n}?utm_source=rss</link><guid isPermaLink=\"false\">https://example.org/?p={n}</guid><pubDate>{}</pubDate><dc:creator><![CDATA[A. Writer]]></dc:creator><category><![CDATA[chips]]></category><description><![CDATA[{}]]></description><content:encoded><![CDATA[{}]]></content:encoded><media:thumbnail url=\"https://example.org/{n}.jpg\" width=\"100\"/></item>\n",
                    title(n),
                    date(n),
                    words(n, 40),
                    html(n)
                )
            }),
        ),
        (
            "RSS, text escaped",
            feed(rss, "</channel></rss>", |n| {
                format!(
                    "<item><title>{}</title><link>https://example.org/{n}</link><guid>https://example.org/{n}</guid><pubDate>{}</pubDate><description>{}</description></item>\n",
                    title(n),
                    date(n),
                    escaped(&html(n))
                )
            }),
        ),
        (
            "RSS, summaries only",
            feed(rss, "</channel></rss>", |n| {
                format!(
                    "<item><title>{}</title><link>https://example.org/{n}</link><guid>https://example.org/{n}</guid><pubDate>{}</pubDate><description>{}</description></item>\n",
                    title(n),
                    date(n),
                    words(n, 40)
                )
            }),
        ),
        (
            "Atom, HTML escaped",
            feed(atom, "</feed>", |n| {
                format!(
                    "<entry><id>tag:example.org,2026:{n}</id><title>{}</title><link href=\"https://example.org/{n}\"/><published>2026-03-05T10:20:30Z</published><updated>2026-03-05T10:20:30Z</updated><author><name>A. Writer</name></author><content type=\"html\">{}</content></entry>\n",
                    title(n),
                    escaped(&html(n))
                )
            }),
        ),
        (
            "Atom, XHTML",
            feed(atom, "</feed>", |n| {
                format!(
                    "<entry><id>tag:example.org,2026:{n}</id><title>{}</title><link href=\"https://example.org/{n}\"/><updated>2026-03-05T10:20:30Z</updated><content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div></content></entry>\n",
                    title(n),
                    html(n)
                )
            }),
        ),
    ]
}

fn strict(bytes: &[u8]) -> usize {
    feed_rs::parser::Builder::new().sanitize_content(false).build().parse(bytes).unwrap().entries.len()
}

fn everything(bytes: &[u8], url: &Url) -> usize {
    let feed = parse_feed(bytes, None, Some(url)).unwrap();
    assert!(feed.repairs.is_empty(), "{:?}", feed.repairs);
    for entry in &feed.entries {
        let marks = identity::Marks::of(entry);
        black_box(marks.stable_id(IdentityPolicy::Guid));
        black_box(marks.link_hash());
        black_box(Article::content_hash_of(&entry.title, entry.body().0, entry.link.as_deref(), entry.published));
    }
    feed.entries.len()
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = black_box(work());
    (start.elapsed(), result)
}

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let url = Url::parse("https://example.org/feed.xml").unwrap();
    println!("{:<22} {:>7} {:>10} {:>10} {:>7} {:>13}", "feed", "KB", "feed-rs", "chipwire", "ratio", "repair costs");
    let (mut bytes, mut alone, mut whole, mut repair) = (0, Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for (name, text) in corpus() {
        let repaired = probe::repaired(text.as_bytes()).unwrap();
        let mut best = [Duration::MAX; 4];
        for _ in 0..rounds {
            let (strict_time, count) = timed(|| strict(text.as_bytes()));
            assert_eq!(count, ITEMS);
            let (whole_time, count) = timed(|| everything(text.as_bytes(), &url));
            assert_eq!(count, ITEMS);
            let (repair_time, _) = timed(|| probe::repaired(text.as_bytes()));
            let (rest_time, count) = timed(|| strict(repaired.as_bytes()));
            assert_eq!(count, ITEMS);
            for (best, time) in best.iter_mut().zip([strict_time, whole_time, repair_time, rest_time]) {
                *best = time.min(*best);
            }
        }
        let [strict_time, whole_time, repair_time, rest_time] = best;
        print(name, text.len(), strict_time, whole_time, repair_time + rest_time);
        bytes += text.len();
        alone += strict_time;
        whole += whole_time;
        repair += repair_time + rest_time;
    }
    print("all", bytes, alone, whole, repair);
}

fn print(name: &str, bytes: usize, alone: Duration, whole: Duration, repair: Duration) {
    let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{name:<22} {:>7} {:>5.0} MB/s {:>5.0} MB/s {:>7.2} {:>+11.0} %",
        bytes / 1_000,
        rate(alone),
        rate(whole),
        alone.as_secs_f64() / whole.as_secs_f64(),
        (repair.as_secs_f64() / alone.as_secs_f64() - 1.0) * 100.0
    );
}
