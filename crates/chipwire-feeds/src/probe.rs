//! The entry points of the fuzz targets in `fuzz/`, and of the test that stands in for them: every stage that remote bytes
//! reach, with what must hold of its result whatever they are. And what the benchmark measures apart.
//!
//! No part of the library's interface.

use chipwire_events::FeedOrigin;
use url::Url;

use crate::{
    date, identity, opml,
    parse::parse_feed,
    repair::{
        Repairs,
        canonical::{self, Family},
        decode,
        entities::Declared,
        root::{self, Document},
    },
    text,
};

/// What the first byte chooses, and the rest.
fn split(bytes: &[u8]) -> (u8, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (*first, rest))
}

/// From bytes to text: never more than four bytes of text for one.
pub fn decode(bytes: &[u8]) {
    const TYPES: [Option<&str>; 4] =
        [None, Some("text/xml; charset=gbk"), Some("text/xml;charset=\"bogus\""), Some("text/xml; charset=ibm850")];
    let (choice, bytes) = split(bytes);
    let content_type = TYPES.get(usize::from(choice) % TYPES.len()).copied().flatten();
    let text = decode::decode(bytes, content_type, &mut Repairs::default());
    assert!(text.len() <= bytes.len() * 4 + 4);
}

/// Writing a feed anew: every item is a piece of the document, in order, and begins and ends as one.
pub fn repair(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut repairs = Repairs::default();
    let Ok((document, declared)) = root::find(&text, None, &mut repairs) else { return };
    let (family, text) = match document {
        Document::Json(_) => return,
        Document::Rss(text) => (Family::Rss, text),
        Document::Atom(text) => (Family::Atom, text),
    };
    let written = canonical::write(text, family, None, 50, &declared, &mut repairs);
    let name = if family == Family::Rss { "item" } else { "entry" };
    let mut before = 0;
    for item in &written.items {
        assert!(item.span.start >= before);
        before = item.span.end;
        let piece = written.xml.get(item.span.clone()).expect("items end between characters");
        assert!(piece.starts_with(&format!("<{name}")) && piece.ends_with(&format!("</{name}>")), "{piece}");
    }
    // Written once, it is written the same way again.
    let (Ok((Document::Rss(text) | Document::Atom(text), _)), fresh) =
        (root::find(&written.xml, None, &mut repairs), &mut Repairs::default())
    else {
        panic!("no feed was written: {}", written.xml)
    };
    let again = canonical::write(text, family, None, 50, &Declared::default(), fresh);
    assert_eq!(again.items.len(), written.items.len(), "{}", written.xml);
    assert_eq!(again.fault, None, "{}", written.xml);
}

/// The whole way: what comes out is within its limits and free of control characters.
pub fn parse(bytes: &[u8]) {
    let url = Url::parse("https://example.org/news/feed.xml").ok();
    let (choice, bytes) = split(bytes);
    let Ok(feed) = parse_feed(bytes, None, url.as_ref().filter(|_| choice % 2 == 0)) else { return };
    for entry in &feed.entries {
        assert!(!entry.id.is_empty());
        assert!(entry.title.chars().count() <= text::MAX_TITLE_CHARS);
        assert!(!entry.title.contains(char::is_control), "{:?}", entry.title);
        assert!(entry.body().0.len() <= text::MAX_BODY_BYTES);
        if let Some(link) = &entry.link {
            assert!(link.starts_with("http"), "{link}");
        }
    }
}

/// Dates: what is read is printed in a form that is read as the same.
pub fn dates(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(time) = date::parse(&text) {
        let printed = time.to_string();
        // A year of more than four digits, or before Christ, is printed with a sign, and nobody writes it in a feed.
        assert!(date::parse(&printed) == Some(time) || printed.starts_with(['-', '+']), "{text} -> {printed}");
    }
}

/// Addresses and bodies: absolute is absolute, and clean is clean.
pub fn links(bytes: &[u8]) {
    let html = String::from_utf8_lossy(bytes);
    let base = Url::parse("https://example.org/a/b?c#d").ok();
    let absolute = text::absolute_links(&html, base.as_ref());
    assert_eq!(text::absolute_links(&absolute, base.as_ref()), absolute, "{html}");
    if let Some(url) = text::web_url(&html, base.as_ref()) {
        let clean = identity::without_tracking(&url);
        assert_eq!(identity::without_tracking(&clean), clean);
        assert_eq!(identity::canonical_link(clean.as_str()), identity::canonical_link(url.as_str()));
    }
    let clean = text::sanitized(&html, base.as_ref());
    // As a text these words are harmless; a `<` of a text is escaped.
    let mut tags = clean.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default());
    assert!(!tags.any(|tag| tag.starts_with("script") || tag.contains("\"javascript:")), "{html} -> {clean}");
    let plain = text::plain_of_html(&html);
    assert_eq!(text::collapse(&plain), plain);
}

/// Lists of feeds: what is read can be written, and read again.
pub fn opml(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(list) = opml::read(&text, FeedOrigin::User) {
        let written = opml::write(&list.feeds, &[list.frame]);
        let again = opml::read(&written, FeedOrigin::User).expect("what was written can be read");
        assert_eq!((again.feeds.len(), again.left_out.len()), (list.feeds.len(), 0));
        assert_eq!(opml::write(&again.feeds, &[again.frame]), written);
    }
}

/// The document that the strict parser gets, for the benchmark. None if it is no XML.
pub fn repaired(bytes: &[u8]) -> Option<String> {
    let mut repairs = Repairs::default();
    let text = decode::decode(bytes, None, &mut repairs);
    let (document, declared) = root::find(&text, None, &mut repairs).ok()?;
    let (family, text) = match document {
        Document::Json(_) => return None,
        Document::Rss(text) => (Family::Rss, text),
        Document::Atom(text) => (Family::Atom, text),
    };
    Some(canonical::write(text, family, None, usize::MAX, &declared, &mut repairs).xml)
}
