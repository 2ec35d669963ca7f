//! The plain view: what is shown, and the way between it and the raw bytes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use chipwire_enrich::view::plain;
use chipwire_events::Markup;
use expect_test::{Expect, expect};
use proptest::prelude::*;

fn check(markup: Markup, raw: &str, expected: Expect) {
    expected.assert_eq(plain(raw, markup).text());
}

#[test]
fn blocks_become_paragraphs_and_inline_tags_nothing() {
    check(
        Markup::Html,
        "<p>Nvidia <b>H2</b>0</p>\n<p>second<br>line</p><ul><li>one</li><li>two</li></ul>",
        expect!["Nvidia H20\n\nsecond\nline\n\none\n\ntwo"],
    );
}

#[test]
fn scripts_styles_and_comments_are_not_text() {
    check(
        Markup::Html,
        "a<script>if (a < b) { tag('</p>') }</script>b<style>p > a {}</style><!-- <p>c</p> -->d<svg><title>x</title></svg>e",
        expect!["abde"],
    );
    check(Markup::Html, "before <!-- never closed <p>after</p>", expect![["before never closed\n\nafter"]]);
    check(Markup::Html, "before<script>never closed", expect!["before"]);
}

#[test]
fn entities_are_decoded_once_or_twice() {
    check(
        Markup::Html,
        "AT&amp;T, Nvidia&#8217;s, &amp;#8217;, &#x2019;, &#146;, &nosuch; & &lt;b&gt;",
        expect!["AT&T, Nvidia’s, ’, ’, ’, &nosuch; & <b>"],
    );
}

#[test]
fn broken_tags_stay_text() {
    check(Markup::Html, "1 < 2 and 3 > 2, <3 and a <b", expect!["1 < 2 and 3 > 2, <3 and a <b"]);
    check(Markup::Html, "<a href=\"x>y\">link</a> <a href=\"never closed>text</a>", expect!["link text"]);
}

#[test]
fn plain_text_has_no_markup() {
    check(Markup::Plain, "  <b>x</b> &amp;\r\n y\n\n\n z\t ", expect![["<b>x</b> &amp; y\n\nz"]]);
}

#[test]
fn mojibake_is_undone_only_where_one_reading_is_possible() {
    check(
        Markup::Plain,
        "China\u{e42}s, Nvidia\u{e42}\u{20ac}\u{2122}s, GaudÃ\u{ad}, itâ€™s, 10â‚¬",
        expect!["China’s, Nvidia’s, Gaudí, it’s, 10€"],
    );
    check(Markup::Plain, "SÃO PAULO, «CAFÉ», โรงงาน ของ โตโยต้า", expect!["SÃO PAULO, «CAFÉ», โรงงาน ของ โตโยต้า"]);
}

#[test]
fn ranges_go_to_the_raw_text_and_back() {
    let raw = "<p>Nvidia&#8217;s <b>H2</b>0</p>\n\n<p>more</p>";
    let view = plain(raw, Markup::Html);
    let at = view.text().find("H20").unwrap();
    let range = view.to_raw(at..at + 3);
    assert_eq!(&raw[range.clone()], "H2</b>0");
    assert_eq!(view.from_raw(range), Some(at..at + 3));
    assert_eq!(&raw[view.to_raw(0..9)], "Nvidia&#8217;");
    assert_eq!(view.from_raw(0..3), None, "a tag is no text");
    assert_eq!(view.from_raw(10..12), Some(6..9), "a part of an entity is all of it");
    assert_eq!(view.to_raw(100..200), raw.len() - 4..raw.len() - 4);
}

fn texts() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<b>",
        "<br/>",
        "<sub>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<a href=\"",
        "\">",
        "&amp;",
        "&#8217;",
        "&",
        ";",
        " ",
        "\n",
        "\n\n",
        "H20",
        "Nvidia",
        "’",
        "英伟达",
        "â€™",
        "โ",
        "s",
        "\u{301}",
        "é",
        "https://a.b/c ",
        "@x",
        "$NVDA",
        "(",
        ")",
        ":",
        ".",
        "-",
        "\u{feff}",
        "\u{a0}",
        "İ",
        "삼성전자와",
        "U.S.",
    ]);
    prop::collection::vec(prop_oneof![4 => parts.prop_map(str::to_owned), 1 => any::<String>()], 0..30)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn every_range_is_valid_and_the_trip_back_covers_it(
        raw in texts(), html in any::<bool>(), a in 0usize..200, b in 0usize..200
    ) {
        let view = plain(&raw, if html { Markup::Html } else { Markup::Plain });
        let (a, b) = (a.min(b), a.max(b));
        let there = view.to_raw(a..b);
        prop_assert!(raw.get(there.clone()).is_some());
        if let Some(back) = view.from_raw(there) {
            prop_assert!(view.text().get(back.clone()).is_some());
            prop_assert!(back.start <= a);
            prop_assert!(back.end >= b.min(view.text().len()) || a == b);
        }
        if let Some(range) = view.from_raw(a..b) {
            prop_assert!(view.text().get(range).is_some());
        }
    }

    #[test]
    fn text_without_oddities_stays_as_it_is(text in "[a-zA-Z0-9,.:;!?'-]{1,12}( [a-zA-Z0-9,.:;!?'-]{1,12}){0,10}") {
        let view = plain(&text, Markup::Plain);
        prop_assert_eq!(view.text(), &text);
        prop_assert_eq!(view.to_raw(0..text.len()), 0..text.len());
    }
}
