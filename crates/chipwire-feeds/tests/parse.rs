//! Feeds of every format and with every kind of damage, and what is read from them.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use chipwire_feeds::{ParsedFeed, parse_feed};
use expect_test::{Expect, expect};
use url::Url;

fn render(feed: &ParsedFeed) -> String {
    let mut out = format!("{} <{}>", feed.title.as_deref().unwrap_or("-"), feed.link.as_deref().unwrap_or("-"));
    if let Some(language) = &feed.language {
        out += &format!(" {language}");
    }
    if let Some(ttl_s) = feed.ttl_s {
        out += &format!(" ttl {ttl_s}");
    }
    if !feed.skip_hours.is_empty() || !feed.skip_days.is_empty() {
        out += &format!(" skip {:?} {:?}", feed.skip_hours, feed.skip_days);
    }
    for entry in &feed.entries {
        out += &format!("\n{} | {} | {}", entry.id, entry.link.as_deref().unwrap_or("-"), entry.title);
        if let Some(language) = &entry.language {
            out += &format!(" | {language}");
        }
        for time in [entry.published, entry.updated].into_iter().flatten() {
            out += &format!(" | {time}");
        }
        for list in [&entry.authors, &entry.categories] {
            if !list.is_empty() {
                out += &format!(" | {}", list.join("; "));
            }
        }
        let (body, markup) = entry.body();
        if !body.is_empty() {
            out += &format!("\n    {markup:?} {body}");
        }
    }
    for repair in &feed.repairs {
        out += &format!("\n! {repair}");
    }
    out
}

fn check_bytes(bytes: &[u8], content_type: Option<&str>, expected: &Expect) {
    let url = Url::parse("https://example.org/news/feed.xml").unwrap();
    let found = match parse_feed(bytes, content_type, Some(&url)) {
        Ok(feed) => render(&feed),
        Err(error) => format!("error: {error}"),
    };
    expected.assert_eq(&found);
}

fn check(text: &str, expected: &Expect) {
    check_bytes(text.as_bytes(), None, expected);
}

#[test]
fn rss_2() {
    check(
        r#"<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel><title>Chips &amp; more</title><link>https://example.org/</link><language>en-US</language><ttl>30</ttl>
<atom:link href="https://example.org/feed" rel="self"/><image><title>Logo</title><link>http://logo/</link></image>
<skipHours><hour>0</hour><hour>24</hour><hour>13</hour></skipHours><skipDays><day>Sunday</day></skipDays>
<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>1</sy:updateFrequency>
<item><title>Nvidia&amp;rsquo;s &lt;b&gt;H20&lt;/b&gt; &amp; AT&amp;amp;T</title><link>/a?utm_source=rss</link><guid isPermaLink="false">g1</guid>
<pubDate>Thu, 05 Mar 2026 10:20:30 +0800</pubDate><dc:creator>Li Na</dc:creator><category>chips</category><category>AI</category>
<description>short</description><content:encoded><![CDATA[<p>Long <a href="b.html">text</a> & more</p>]]></content:encoded>
<media:title>not the title</media:title><media:group><media:title>nor this</media:title></media:group></item>
<item><title>No link</title><guid>https://example.org/permalink</guid><author>ed@example.org (Ed)</author><description>R&amp;D, plain</description></item>
</channel></rss>"#,
        &expect![[r#"
            Chips & more <https://example.org/> en-us ttl 3600 skip [0, 0, 13] [7]
            g1 | https://example.org/a | Nvidia’s H20 & AT&T | 2026-03-05T02:20:30Z | Li Na | chips; AI
                Html <p>Long <a href="https://example.org/b.html">text</a> & more</p>
            https://example.org/permalink | https://example.org/permalink | No link | Ed
                Plain R&D, plain"#]],
    );
}

#[test]
fn rss_1_and_older() {
    check(
        r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="http://x/"><title>One</title><link>http://example.org/</link><dc:language>ja</dc:language>
<items><rdf:Seq><rdf:li resource="http://example.org/1"/></rdf:Seq></items></channel>
<item rdf:about="http://example.org/1"><title>First</title><link>http://example.org/1</link><dc:date>2026-03-05</dc:date><dc:subject>x</dc:subject></item>
<item rdf:about="http://example.org/2"><title>No link</title></item></rdf:RDF>"#,
        &expect![[r#"
            One <http://example.org/> ja
            http://example.org/1 | http://example.org/1 | First | 2026-03-05T00:00:00Z | x
            http://example.org/2 | http://example.org/2 | No link"#]],
    );
    check(
        r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel><title>N</title></channel><item><title>Old</title><link>http://example.org/o</link></item></rdf:RDF>"#,
        &expect![[r#"
            N <->
            link:example.org/o | http://example.org/o | Old"#]],
    );
    for start in [
        "<rss version='0.91'><channel>",
        "<rss version='2.1'><channel>",
        "<rss version='0.94' xmlns='http://backend.userland.com/rss2'><channel>",
        "<rss version=\"2.0\" xmlns=\"http://www.w3.org/2005/Atom\"><channel>",
        "<RSS VERSION='2.0' version='2.0'><CHANNEL>",
        "<rss version='2.0'>",
    ] {
        let feed = parse_feed(format!("{start}<title>T</title><item><title>a</title></item>").as_bytes(), None, None);
        assert_eq!(feed.unwrap().entries.len(), 1, "{start}");
    }
}

#[test]
fn atom() {
    check(
        r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de" xml:base="http://base.example/x/"><title type="html">A &amp;amp; B</title>
<link rel="self" href="self"/><link href="/"/><author><name>Feed Author</name></author>
<entry><id>urn:1</id><title>a &lt;b&gt; &amp;amp; c</title><link rel="alternate" type="text/html" href="one"/><link rel="replies" href="r"/>
<published>2026-03-05T10:20:30Z</published><updated>2026-03-05T10:20:30Z</updated>
<content type="xhtml" xml:base="deep/"><div xmlns="http://www.w3.org/1999/xhtml"><p>x &lt; y &amp; <a href="z" title="&quot;q&quot;">z</a></p></div></content></entry>
<entry><id>urn:2</id><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">H<sub>2</sub>O</div></title><author><name>Own</name></author>
<summary>plain</summary><content type="image/png">AAAA</content><source><title>Other</title><id>o</id></source></entry>
<entry><id>urn:3</id><content type="video/mp4" src="v.mp4"/><title type="nonsense">t</title></entry></feed>"#,
        &expect![[r#"
            A & B <http://base.example/> de
            urn:1 | http://base.example/x/one | a <b> &amp; c | 2026-03-05T10:20:30Z | 2026-03-05T10:20:30Z | Feed Author
                Html <p>x &lt; y &amp; <a href="http://base.example/x/deep/z" title="&quot;q&quot;">z</a></p>
            urn:2 | - | H2O | Own
                Plain plain
            urn:3 | http://base.example/x/v.mp4 | t | Feed Author"#]],
    );
    check(
        r#"<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Old</title><tagline>x</tagline><entry><id>1</id><title mode="escaped" type="text/html">a &lt;b&gt;b&lt;/b&gt;</title>
<issued>2003-12-13T08:29:29-04:00</issued><modified>2003-12-13T18:30:02Z</modified><content type="application/xhtml+xml" mode="xml"><div xmlns="x"><b>c</b></div></content></entry></feed>"#,
        &expect![[r#"
            Old <->
            1 | - | a b | 2003-12-13T12:29:29Z | 2003-12-13T18:30:02Z
                Html <b>c</b>
            ! Atom 0.3, which was given up for Atom 1.0 in 2005"#]],
    );
    check(
        "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>P</a:title><a:entry><a:id>1</a:id><a:title>prefixed</a:title></a:entry></a:feed>",
        &expect![[r#"
            P <->
            1 | - | prefixed"#]],
    );
    check(
        "<entry xmlns='http://www.w3.org/2005/Atom'><id>1</id><title>alone</title></entry>",
        &expect![[r#"
            - <->
            1 | - | alone"#]],
    );
}

/// Links, and the addresses in summary and content, of the one entry of a document.
fn check_links(text: &str, expected: [&str; 3]) {
    let url = Url::parse("https://example.org/news/feed.xml").unwrap();
    let feed = parse_feed(text.as_bytes(), None, Some(&url)).unwrap();
    let entry = feed.entries.first().unwrap();
    let address = |html: &Option<String>| {
        let html = html.as_deref().unwrap_or_default();
        let addresses = html.split("href=\"").skip(1).filter_map(|after| after.split('"').next());
        addresses.collect::<Vec<_>>().join(" ")
    };
    let found = [entry.link.clone().unwrap_or_default(), address(&entry.summary), address(&entry.content)];
    assert_eq!(found, expected, "{text}");
}

#[test]
fn each_text_has_its_own_base() {
    let (content, summary) = (
        "<content type='html' xml:base='http://c.example/deep/'>&lt;a href=\"x\"></content>",
        "<summary type='html' xml:base='http://s.example/'>&lt;a href=\"x\"></summary>",
    );
    let plain = "<summary type='html'>&lt;a href=\"x\"></summary>";
    for texts in [format!("{content}{summary}"), format!("{summary}{content}")] {
        check_links(
            &format!("<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='one'/>{texts}</entry></feed>"),
            ["https://example.org/news/one", "http://s.example/x", "http://c.example/deep/x"],
        );
    }
    check_links(
        &format!(
            "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://f.example/'><entry xml:base='e/'>{content}{plain}<link href='one'/></entry></feed>"
        ),
        ["http://f.example/e/one", "http://f.example/e/x", "http://c.example/deep/x"],
    );
    check_links(
        "<rss version='2.0'><channel><item><link>one</link><content:encoded xml:base='http://c.example/deep/'>&lt;a href=\"x\"></content:encoded><description>&lt;a href=\"x\"></description></item></channel></rss>",
        ["https://example.org/news/one", "https://example.org/news/x", "http://c.example/deep/x"],
    );
}

#[test]
fn bases_inside_xhtml_count() {
    let markup = "<div xmlns='http://www.w3.org/1999/xhtml' xml:base='/in/'><a href=\"x\"/><p xml:base='deep/'><a href=\"x\">y</a></p><a xml:base='own/' href=\"x\"/><a href=\"x\"/></div>";
    let addresses = "http://c.example/in/x http://c.example/in/deep/x http://c.example/in/own/x http://c.example/in/x";
    // A character that XML does not allow takes the writer another way.
    for odd in ["", "\u{1}"] {
        check_links(
            &format!(
                "<feed xmlns='http://www.w3.org/2005/Atom'><entry><content type='xhtml' xml:base='http://c.example/'>{markup}</content><summary type='html'>&lt;a href=\"x\">{odd}</summary></entry></feed>"
            ),
            ["", "https://example.org/news/x", addresses],
        );
    }
}

#[test]
fn json() {
    check(
        r#"{"version":"https://jsonfeed.org/version/1.1","title":"J","home_page_url":"https://example.org/","language":"zh_CN","items":[
{"id":7,"url":"a","title":"Seven &amp; <b>","content_html":"<img src=\"i.png\">","date_published":"2026-03-05T10:20:30+08:00","authors":[{"name":"N"}],"tags":["t",3,null]},
{"id":"https://example.org/8","content_text":"text","author":{"name":"O"},"title":null}, 5]} trailing"#,
        &expect![[r#"
            J <https://example.org/> zh-cn
            7 | https://example.org/a | Seven &amp; <b> | 2026-03-05T02:20:30Z | N | t; 3
                Html <img src="https://example.org/i.png">
            https://example.org/8 | https://example.org/8 |  | O
                Plain text
            ! text after the end of the JSON value
            ! an item that is no object (item 3)"#]],
    );
    check(
        "{\"a\":1,\"b\":2}",
        &expect!["error: this is JSON, but no JSON Feed: it has no list `items` (it has: a, b)"],
    );
    check("[1]", &expect!["error: this is JSON, but no JSON Feed: it has no list `items`"]);
    check("{\"version\":\"2\",\"items\":[]}", &expect!["error: this is JSON, but no JSON Feed: its version is `2`"]);
    check(
        "{\"items\":\n[}",
        &expect![
            "error: the feed is damaged at line 2 (invalid JSON: expected value at line 2 column 2), and no item could be saved"
        ],
    );
}

#[test]
fn what_says_that_it_is_text_is_text() {
    check(
        "<feed xmlns='http://www.w3.org/2005/Atom'>\
         <entry><id>1</id><content type='text'>x&lt;p>y &lt;a href='z'> R&amp;amp;D</content></entry>\
         <entry><id>2</id><summary type='text/plain'>a &lt;b>b&lt;/b></summary></entry>\
         <entry><id>3</id><summary>a &lt;b>b&lt;/b></summary></entry></feed>",
        &expect![[r#"
            - <->
            1 | - | 
                Plain x<p>y <a href='z'> R&amp;D
            2 | - | 
                Plain a <b>b</b>
            3 | - | 
                Html a <b>b</b>"#]],
    );
    check(
        "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[\
         {\"id\":\"1\",\"content_text\":\"x<p and y>q <b>z</b>\",\"language\":\"de_AT\"},\
         {\"id\":\"2\",\"summary\":\"s\",\"attachments\":[{\"url\":7},{\"url\":\"/a.mp3\"}]},\
         {\"id\":\"3\",\"external_url\":\"https://other.example/\",\"attachments\":[{\"url\":\"/a.mp3\"}]}]}",
        &expect![[r#"
            - <->
            1 | - |  | de-at
                Plain x<p and y>q <b>z</b>
            2 | https://example.org/a.mp3 | 
                Plain s
            3 | https://other.example/ | "#]],
    );
}

#[test]
fn markup_of_atom_and_xhtml_in_rss_is_decoded_once() {
    check(
        "<rss version='2.0' xmlns:a='http://www.w3.org/2005/Atom' xmlns:x='http://www.w3.org/1999/xhtml'><channel>\
         <item><guid>1</guid><x:body><x:p>Use &lt;script> with <x:b>care</x:b></x:p></x:body></item>\
         <item><guid>2</guid><body xmlns='http://www.w3.org/1999/xhtml'><p>Use &lt;script></p></body></item>\
         <item><guid>3</guid><a:content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>Use &lt;script></div></a:content></item>\
         <item><guid>4</guid><a:content type='html'>Use &lt;b>&amp;lt;script>&lt;/b></a:content></item>\
         <item><guid>5</guid><a:content type='text'>Use &lt;b></a:content></item>\
         <item><guid>6</guid><a:content type='image/png'>AAAA</a:content><a:summary type='text'>Use &lt;b></a:summary></item>\
         </channel></rss>",
        &expect![[r#"
            - <->
            1 | - | 
                Html <p>Use &lt;script> with <b>care</b></p>
            2 | - | 
                Html <p>Use &lt;script></p>
            3 | - | 
                Html Use &lt;script>
            4 | - | 
                Html Use <b>&lt;script></b>
            5 | - | 
                Plain Use <b>
            6 | - | 
                Plain Use <b>"#]],
    );
}

#[test]
fn what_an_entry_lacks_is_found_elsewhere() {
    check(
        "<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>\
         <item><guid isPermaLink='false'>1</guid><dc:language>fr</dc:language><enclosure url='/a.mp3?x=1&amp;y=2'/><media:content url='http://media.example/b'/><itunes:subtitle>Sub</itunes:subtitle><itunes:summary><![CDATA[A <b>summary</b>]]></itunes:summary></item>\
         <item><guid isPermaLink='false'>2</guid><media:group><media:content url='http://media.example/c'/><media:description>Of the media</media:description></media:group></item>\
         <item><guid>3</guid><link>/3</link><media:content url='http://media.example/c'><media:description>A caption</media:description></media:content><description>Text</description><enclosure url='/b.mp3'/></item>\
         <item><guid isPermaLink='false'>4</guid><media:description>A caption</media:description><content:encoded>Text</content:encoded><enclosure url='ftp://x/'/></item>\
         </channel></rss>",
        &expect![[r#"
            - <->
            1 | https://example.org/a.mp3?x=1&y=2 |  | fr
                Html A <b>summary</b>
            2 | http://media.example/c | 
                Plain Of the media
            3 | https://example.org/3 | 
                Plain Text
            4 | - | 
                Plain Text"#]],
    );
    check(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:media='http://search.yahoo.com/mrss/'><author><name>Feed</name></author>\
         <entry><id>1</id><summary type='text'/><link rel='http://www.iana.org/assignments/relation/alternate' href='/1'/><link rel='enclosure' href='/1.mp3'/><media:group><media:title>T</media:title><media:description>Of the &lt;i>video&lt;/i></media:description></media:group></entry>\
         <entry xml:lang='pt-BR'><id>2</id><link rel='enclosure' href='/2.mp3'/><content type='text/html' src='/2.html'/><source><title>S</title><author><name>Source (dpa)</name></author></source></entry>\
         <entry><id>3</id><link rel='enclosure' href='/3.mp3'/><author><name>Own</name></author><source><author><name>Source</name></author></source><summary/></entry></feed>",
        &expect![[r#"
            - <->
            1 | https://example.org/1 |  | Feed
                Html Of the <i>video</i>
            2 | https://example.org/2.html |  | pt-br | Source (dpa)
            3 | https://example.org/3.mp3 |  | Own"#]],
    );
}

#[test]
fn dates_are_read_as_the_rest_of_the_feed_has_them() {
    check(
        "<rss version='2.0'><channel><item><guid>1</guid><pubDate>3/5/2026</pubDate></item><item><guid>2</guid><pubDate>25/3/2026</pubDate></item></channel></rss>",
        &expect![[r#"
            - <->
            1 | - |  | 2026-05-03T00:00:00Z
            2 | - |  | 2026-03-25T00:00:00Z"#]],
    );
    check(
        "<rss version='2.0'><channel><language>hr</language><item><guid>1</guid><pubDate>5. listopada 2026. 10:20</pubDate></item></channel></rss>",
        &expect![[r#"
            - <-> hr
            1 | - |  | 2026-10-05T10:20:00Z"#]],
    );
    check(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='zh-CN'><entry><id>1</id><updated>Thu, 05 Mar 2026 10:20:30 CST</updated></entry><entry><id>2</id><updated>03-05-2026</updated></entry></feed>",
        &expect![[r#"
            - <-> zh-cn
            1 | - |  | 2026-03-05T02:20:30Z
            2 | - |  | 2026-05-03T00:00:00Z
            ! a date whose day and month, or year, may be the other way round, such as `03-05-2026` (item 2)"#]],
    );
    check(
        "{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[7,{\"id\":1,\"date_published\":\"3/5/2026\"},{\"id\":2,\"date_published\":\"25/3/2026\"},{\"id\":3,\"date_published\":\"soon\"}]}",
        &expect![[r#"
            - <->
            1 | - |  | 2026-05-03T00:00:00Z
            2 | - |  | 2026-03-25T00:00:00Z
            3 | - | 
            ! an item that is no object (item 1)
            ! a date that cannot be read, such as `soon` (item 4)"#]],
    );
}

#[test]
fn damage_is_repaired_and_said() {
    // Bare ampersands, named references, illegal characters, missing guids.
    check(
        "\n<?xml version='1.0'?><rss version='2.0'><channel><title>R&D</title><item><title>a&nbsp;b &#0;\u{1}</title><link>http://example.org/?a=1&b=2</link></item></channel></rss>",
        &expect![[r#"
            R&D <->
            link:example.org?a=1&b=2 | http://example.org/?a=1&b=2 | a b
            ! white space before the XML declaration
            ! an ampersand that was not escaped (item 1)
            ! references that XML does not know, such as &nbsp; (item 1)
            ! characters that XML does not allow (item 1)"#]],
    );
    // Tags that do not match, a title that is not closed, markup that is not escaped.
    check(
        "<rss version='2.0'><channel><title>T</title>\n<item><title>one<link>http://example.org/1</link></item>\n<item><title>two</tilte></title><description><p>x<br>y</description></item><item><guid>3</guid></itm><item><guid>4</guid></item></channel></rss>",
        &expect![[r#"
            T <->
            link:example.org/1 | http://example.org/1 | one
            hash:13fe84d3c5e8516ce459f7d70d42a4d6 | - | two
                Html <p>x<br>y
            3 | - | 
            4 | - | 
            ! markup in <description> that was not escaped (item 2)
            ! line 2: <title> is not closed (item 1)"#]],
    );
    // Cut off in the second item.
    check(
        "<rss version='2.0'><channel><title>T</title>\n<item><guid>1</guid></item>\n<item><guid>2</guid><title>half a ti",
        &expect![[r#"
            T <->
            1 | - | 
            ! the last item is cut off and left out (item 2)
            ! line 3: the document ends inside <title> (item 2)"#]],
    );
    check(
        "<rss version='2.0'><channel><item><guid>1</guid><description><![CDATA[no end</description></item><item><guid>2</guid></item></channel></rss>",
        &expect![[r#"
            - <->
            1 | - | 
                Plain no end
            2 | - | 
            ! line 1: a CDATA section without an end (item 1)"#]],
    );
    // Undeclared prefixes.
    check(
        "<rss version='2.0'><channel><item><guid>1</guid><dc:creator>N</dc:creator><content:encoded>c</content:encoded><foo:title>x</foo:title></item></channel></rss>",
        &expect![[r#"
            - <->
            1 | - |  | N
                Plain c"#]],
    );
    // Entities that grow without end.
    check(
        "<!DOCTYPE rss [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><rss version='2.0'><channel><item><guid>1</guid><title>&b;</title></item></channel></rss>",
        &expect![[r#"
            - <->
            1 | - | &b;
            ! a document type with entities of its own
            ! an ampersand that was not escaped (item 1)"#]],
    );
}

#[test]
fn what_cannot_be_saved_is_an_error() {
    check("", &expect!["error: the document is empty"]);
    check(
        "<rss version='2.0'>\n<channel>\n<title>T",
        &expect!["error: the feed is damaged at line 3 (the document ends inside <title>), and no item could be saved"],
    );
    check("<rss version='2.0'><channel><title>T</title></channel></rss>", &expect!["T <->"]);
    check("<feed/>", &expect!["- <->"]);
}

#[test]
fn encodings() {
    let windows = b"<?xml version='1.0' encoding='windows-1252'?><rss version='2.0'><channel><title>China\x92s \x80</title></channel></rss>";
    check_bytes(windows, None, &expect!["China’s € <->"]);
    let undeclared = b"<rss version='2.0'><channel><title>China\x92s caf\xe9s</title></channel></rss>";
    check_bytes(
        undeclared,
        Some("text/xml"),
        &expect![[r#"
            China’s cafés <->
            ! not valid UTF-8: read as windows-1250, by its letters"#]],
    );
    let text =
        "<?xml version='1.0' encoding='gb2312'?><rss version='2.0'><channel><title>中国芯片</title></channel></rss>";
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    check_bytes(&gbk, None, &expect!["中国芯片 <->"]);
    check_bytes(text.as_bytes(), None, &expect!["中国芯片 <->"]);
}

/// Three documents that make the parser behind this crate panic when they reach it as they are.
#[test]
fn feeds_that_panic_the_parser_are_read() {
    let utf16: Vec<u8> = "<?xml version='1.0' encoding='iso-8859-1'?><rss version='2.0'><channel><item><guid>1</guid></item></channel></rss>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    check_bytes(
        &[b"\xff\xfe".as_slice(), &utf16].concat(),
        None,
        &expect![[r#"
            - <->
            1 | - | "#]],
    );
    check(
        "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel><item><guid>1</guid><itunes:duration>99999999999999999999999999</itunes:duration></item></channel></rss>",
        &expect![[r#"
            - <->
            1 | - | "#]],
    );
    check(
        "<rss version='2.0'><channel><item><guid>1</guid><author>editor@example.com（张三）</author></item><item><guid>2</guid><author>“x”editor@example.com…</author></item></channel></rss>",
        &expect![[r#"
            - <->
            1 | - |  | 张三
            2 | - |  | “x”"#]],
    );
}

#[test]
fn names_are_kept_as_they_are_written() {
    check(
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>\
         <item><guid>1</guid><author>Tim O’Reilly</author><dc:creator><![CDATA[Renée “R.” Müller – dpa]]></dc:creator></item>\
         <item><guid>2</guid><author>tim@example.org (Tim O’Reilly)</author></item>\
         <item><guid>3</guid><author>“Tim <![CDATA[O’Reilly”tim@]]>example.org</author></item>\
         <item><guid>4</guid><author>John Smith (Reuters)</author></item></channel></rss>",
        &expect![[r#"
            - <->
            1 | - |  | Tim O’Reilly; Renée “R.” Müller – dpa
            2 | - |  | Tim O’Reilly
            3 | - |  | “Tim O’Reilly”
            4 | - |  | John Smith (Reuters)"#]],
    );
}

#[test]
fn a_feed_is_read_up_to_a_number_of_items() {
    const MOST: usize = 2_000;
    let list = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>();
    for count in [MOST, MOST + 1] {
        let rss = list(count, &|n| format!("<item><guid>{n}</guid></item>")).concat();
        let atom = list(count, &|n| format!("<entry><id>{n}</id></entry>")).concat();
        let json = list(count, &|n| format!("{{\"id\":{n}}}")).join(",");
        for document in [
            format!("<rss version='2.0'><channel>{rss}</channel></rss>"),
            format!("<feed xmlns='http://www.w3.org/2005/Atom'>{atom}</feed>"),
            format!("{{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{json}]}}"),
        ] {
            let feed = parse_feed(document.as_bytes(), None, None).unwrap();
            assert_eq!(feed.entries.len(), MOST);
            assert_eq!(feed.entries.last().map(|entry| entry.id.as_str()), Some("1999"));
            let notes: Vec<String> = feed.repairs.iter().map(ToString::to_string).collect();
            let noted = if count > MOST { &["more than 2000 items: the rest is left out"][..] } else { &[] };
            assert_eq!(notes, noted);
        }
    }
}

#[test]
fn hostile_documents_take_bounded_time() {
    let start = std::time::Instant::now();
    for piece in
        ["<item>", "<item><title>", "<!--", "<![CDATA[", "<a ", "&#x", "</x>", "<b>", "<p><b>", "<description><p>"]
    {
        let text = format!("<rss version='2.0'><channel>{}", piece.repeat(1_000_000 / piece.len()));
        let _ = parse_feed(text.as_bytes(), None, None);
    }
    let url = Url::parse("https://example.org/news/feed.xml").unwrap();
    for element in ["title", "author", "description", "pubDate"] {
        for piece in [
            "(",
            "((a)",
            "é@",
            "@",
            "\"",
            "&lt;script>",
            "&lt;img srcset=https://",
            "srcset=\"https://x, ",
            "&amp;",
            "&amp;#1",
        ] {
            let text = piece.repeat(200_000 / piece.len());
            let text =
                format!("<rss version='2.0'><channel><item><{element}>{text}</{element}></item></channel></rss>");
            assert_eq!(parse_feed(text.as_bytes(), None, Some(&url)).unwrap().entries.len(), 1);
        }
    }
    // About a second of work even without optimisation; quadratic work would take minutes.
    assert!(start.elapsed().as_secs() < 60);
}
