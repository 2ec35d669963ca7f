use expect_test::{Expect, expect};

use super::{
    super::{
        canonical::{told, write},
        noted::in_words,
    },
    *,
};

#[expect(clippy::needless_pass_by_value, reason = "as expect-test is used")]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&told(text));
}

#[test]
fn every_kind_of_feed_becomes_one_of_two() {
    check(
        "<rss><channel><title>T</title><foo:bar>x</foo:bar><item><title>a</title><foo>y</foo></item></channel></rss>",
        expect![[r#"
            <title>T</title>
            <item><title>a</title></item>
            ! <rss> without a version"#]],
    );
    check(
        "<rdf:RDF xmlns='http://purl.org/rss/1.0/' xmlns:d='http://purl.org/dc/elements/1.1/'><channel><title>T</title></channel><item rdf:about='u&amp;1'><d:creator>N</d:creator></item></rdf:RDF>",
        expect![[r#"
            <title>T</title>
            <item><guid>u&amp;1</guid><dc:creator>N</dc:creator></item>"#]],
    );
    check(
        "<CHANNEL HREF='/s'><ITEM HREF='/1'><TITLE>a</TITLE></ITEM></CHANNEL>",
        expect![[r#"
        <link>/s</link>
        <item><link>/1</link><title>a</title></item>"#]],
    );
    check(
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><tagline>t</tagline><entry><title mode='escaped' type='text/html'>a</title></entry></feed>",
        expect![[r#"
            <subtitle type="text">t</subtitle>
            <entry><title type="html">a</title></entry>
            ! Atom 0.3, which was given up for Atom 1.0 in 2005"#]],
    );
    check("<entry><title>alone</title></entry>", expect![[r#"<entry><title type="text">alone</title></entry>"#]]);
    check("<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:id>1</a:id></a:feed>", expect!["<id>1</id>"]);
}

#[test]
fn tags_that_were_forgotten_are_put_in() {
    check(
        "<rss version='2.0'><item><title>a<link>b</link></item></rss>",
        expect![[r#"
        <item><title>a</title><link>b</link></item>
        ! line 1: <title> is not closed (item 1)"#]],
    );
    check(
        "<rss version='2.0'><item><title>a</title><item><title>b</title></item></rss>",
        expect![[r#"
        <item><title>a</title></item>
        <item><title>b</title></item>
        ! line 1: <item> is not closed (item 1)"#]],
    );
    check(
        "<rss version='2.0'><item><title>a</title></item></channel></rss>",
        expect![[r#"
        <item><title>a</title></item>
        ! line 1: </channel> closes nothing"#]],
    );
    check(
        "<rss version='2.0'><item><title>a</title></item></rss><item><title>b</title></item>",
        expect![[r#"
        <item><title>a</title></item>
        <item><title>b</title></item>
        ! line 1: </rss> before the last item"#]],
    );
    check(
        "<feed><entry><title>a</titel></entry><entry><id>2</id></entry></feed>",
        expect![[r#"
        <entry><title type="text">a</title></entry>
        <entry><id>2</id></entry>
        ! line 1: <title> is not closed (item 1)"#]],
    );
    check(
        "<rss version='2.0'><item><guid>1</guid></item><item><title>b",
        expect![[r#"
        <item><guid>1</guid></item>
        ! the last item is cut off and left out (item 2)
        ! line 1: the document ends inside <title> (item 2)"#]],
    );
    check(
        "<rss version='2.0'><item><title>b",
        expect![[r#"
        <item><title>b</title></item>
        ! line 1: the document ends inside <title> (item 1)"#]],
    );
}

#[test]
fn the_first_that_is_meant_for_it_is_taken() {
    check(
        "<rss version='2.0'><item><title>a</title><dc:title>b</dc:title><description>c</description><description>d</description><atom:link rel='self' href='e'/><atom:link href='f'/><atom:link href='g'/></item></rss>",
        expect![
            "<item><title>a</title><description>c</description><content:encoded>d</content:encoded><link>f</link></item>"
        ],
    );
    check(
        "<rss version='2.0'><image><title>not this</title></image><title>T</title></rss>",
        expect!["<title>T</title>"],
    );
}

#[test]
fn what_is_too_much_is_left_out() {
    check(
        &format!("<rss version='2.0'>{}</rss>", "<item><guid>1</guid></item>".repeat(4)),
        expect![[r#"
        <item><guid>1</guid></item>
        <item><guid>1</guid></item>
        ! more than 2 items: the rest is left out"#]],
    );
}

#[test]
fn elements_are_followed_to_a_depth() {
    let text = format!("<rss version='2.0'>{}<title>x</title>", "<item><a>".repeat(MAX_DEPTH));
    let mut repairs = Repairs::default();
    write(&text, Family::Rss, None, usize::MAX, &Declared::default(), &mut repairs);
    let noted = in_words(repairs).iter().any(|note| note.starts_with("elements nested too deep"));
    assert!(!noted, "an item ends where the next begins");
    let text = format!("<rss version='2.0'><item>{}<title>x</title>", "<a>".repeat(MAX_DEPTH));
    let mut repairs = Repairs::default();
    write(&text, Family::Rss, None, usize::MAX, &Declared::default(), &mut repairs);
    assert!(in_words(repairs).contains(&"elements nested too deep (item 1)".to_owned()));
}
