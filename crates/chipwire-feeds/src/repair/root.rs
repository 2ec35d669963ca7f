//! What a text is, and where the feed in it begins.

use super::{
    Repairs, Stage,
    entities::Declared,
    scan::{Scanner, Token, attributes},
};
use crate::{
    error::ParseError,
    text::{collapse, decode_entities, plain_of_html, web_url},
};

/// A text that is, or may be, a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document<'a> {
    /// A JSON value.
    Json(&'a str),
    /// RSS of any version, from its root tag on.
    Rss(&'a str),
    /// Atom of any version, from its root tag on.
    Atom(&'a str),
}

/// Media types under which a page links to its feeds.
const FEED_TYPES: &[&str] =
    &["application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"];

/// Texts that only pages have that test for a human reader.
const CHALLENGES: &[&str] = &[
    "<title>just a moment...</title>",
    "<title>attention required! | cloudflare</title>",
    "cf-challenge",
    "cf_chl_opt",
    "challenge-platform",
    "_incapsula_resource",
    "ddos-guard",
    "px-captcha",
    "captcha-delivery.com",
    "awswafintegration",
    "<title>access denied</title>",
];

/// Cuts off what stands before the feed, or says what the text is instead. With the entities that its document type declares.
pub(crate) fn find<'a>(
    text: &'a str,
    url: Option<&url::Url>,
    repairs: &mut Repairs,
) -> Result<(Document<'a>, Declared<'a>), ParseError> {
    let trimmed = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\0'));
    if trimmed.is_empty() {
        return Err(ParseError::Empty);
    }
    if trimmed.starts_with(['{', '[']) {
        return Ok((Document::Json(trimmed), Declared::default()));
    }
    if trimmed.len() < text.trim_start_matches('\u{feff}').len() && trimmed.starts_with("<?xml") {
        repairs.note(Stage::Root, "white space before the XML declaration");
    }
    let mut scanner = Scanner::new(trimmed);
    let mut first_root: Option<String> = None;
    let mut junk = false;
    let mut html_doctype = false;
    let mut declared = Declared::default();
    loop {
        let at = scanner.position();
        let Some(token) = scanner.next() else { break };
        match token {
            Token::Doctype(text) => {
                let kind = text.get(2..).unwrap_or_default().to_ascii_lowercase();
                if kind.starts_with("doctype")
                    && kind.split_whitespace().nth(1).is_some_and(|name| name.starts_with("html"))
                {
                    // Some feeds say so as well.
                    html_doctype = true;
                }
                if kind.contains("<!entity") {
                    declared.take(text);
                    repairs.note(Stage::Root, "a document type with entities of its own");
                }
            }
            Token::Start(tag) => {
                let local = tag.name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
                let feed = trimmed.get(at..).unwrap_or_default();
                let document = match local.as_str() {
                    "rss" | "rdf" => Some(Document::Rss(feed)),
                    "channel" if first_root.is_none() => Some(Document::Rss(feed)),
                    "feed" => Some(Document::Atom(feed)),
                    "entry" if first_root.is_none() => Some(Document::Atom(feed)),
                    "html" | "head" | "body" => return Err(html(trimmed, url)),
                    _ => None,
                };
                if document.is_none() && html_doctype {
                    return Err(html(trimmed, url));
                }
                if let Some(document) = document {
                    if junk {
                        repairs.note(Stage::Root, "text before the feed");
                    }
                    return Ok((document, declared));
                }
                junk = true;
                first_root.get_or_insert(local);
            }
            Token::Text(text) => junk |= !text.trim().is_empty(),
            _ => {}
        }
    }
    if html_doctype {
        return Err(html(trimmed, url));
    }
    let start: String = collapse(trimmed).chars().take(60).collect();
    Err(match first_root.as_deref() {
        Some("opml") => ParseError::NotAFeed("it is an OPML list of feeds: import it as a list".to_owned()),
        Some("urlset" | "sitemapindex") => ParseError::NotAFeed("it is a sitemap".to_owned()),
        Some("meta" | "title" | "div" | "p" | "script" | "center" | "h1") => html(trimmed, url),
        Some(name) => ParseError::NotAFeed(format!("its root element is <{name}>, not <rss>, <feed> or <rdf:RDF>")),
        None => ParseError::NotAFeed(format!("it is neither XML nor JSON and begins with \"{start}\"")),
    })
}

/// What kind of page it is.
fn html(text: &str, url: Option<&url::Url>) -> ParseError {
    let start: String = text.chars().take(100_000).collect();
    let lower = start.to_ascii_lowercase();
    let feeds = linked_feeds(&start, url);
    // A page that names its feeds is the page of a site, whatever scripts it loads.
    if feeds.is_empty() && CHALLENGES.iter().any(|mark| lower.contains(mark)) {
        return ParseError::Challenge;
    }
    let title = lower.find("<title").and_then(|at| {
        let from = start.get(at..)?;
        let inside = from.get(from.find('>')? + 1..)?;
        let title = plain_of_html(inside.split("</").next()?);
        (!title.is_empty()).then(|| title.chars().take(120).collect())
    });
    ParseError::Html { title, feeds }
}

/// The feeds that a page names with `<link rel="alternate">`.
fn linked_feeds(html: &str, url: Option<&url::Url>) -> Vec<String> {
    let mut feeds = Vec::new();
    for token in Scanner::new(html) {
        let Token::Start(tag) = token else { continue };
        if !tag.name.eq_ignore_ascii_case("link") {
            continue;
        }
        let get = |wanted: &str| {
            attributes(tag.attributes)
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| decode_entities(value).trim().to_owned())
        };
        let rel = get("rel").unwrap_or_default().to_ascii_lowercase();
        let kind = get("type").unwrap_or_default().to_ascii_lowercase();
        if rel.split_whitespace().any(|rel| rel == "alternate" || rel == "feed")
            && FEED_TYPES.contains(&kind.as_str())
            && let Some(href) = get("href").filter(|href| !href.is_empty())
        {
            feeds.push(web_url(&href, url).map_or(href, String::from));
        }
    }
    feeds.truncate(10);
    feeds
}

#[cfg(test)]
mod tests {
    use super::{super::noted::in_words, *};

    fn check(text: &str, expected: &str) {
        let mut repairs = Repairs::default();
        let url = url::Url::parse("https://example.org/news/").unwrap();
        let found = match find(text, Some(&url), &mut repairs) {
            Ok((document, _)) => format!("{document:?}"),
            Err(error) => error.to_string(),
        };
        let notes = in_words(repairs).join("; ");
        assert_eq!(if notes.is_empty() { found } else { format!("{found} [{notes}]") }, expected, "{text}");
    }

    #[test]
    fn documents_are_told_apart() {
        check(" \n\u{feff} ", "the document is empty");
        check("\u{feff}{\"a\":1}", "Json(\"{\\\"a\\\":1}\")");
        check("<?xml version='1.0'?><rss>", "Rss(\"<rss>\")");
        check("\n\n<?xml version='1.0'?><feed>", "Atom(\"<feed>\") [white space before the XML declaration]");
        check("<rdf:RDF>", "Rss(\"<rdf:RDF>\")");
        check("<!-- a --><entry>", "Atom(\"<entry>\")");
        check("<br /><b>Warning</b>: x in y\n<rss>", "Rss(\"<rss>\") [text before the feed]");
        check("<!DOCTYPE rss [<!ENTITY a 'b'>]><rss>", "Rss(\"<rss>\") [a document type with entities of its own]");
        check("<!doctype html><title>News &amp; more</title>", "this is a web page (\"News & more\"), not a feed");
        check(
            "<html><link rel='alternate' type='application/rss+xml' href='feed?a&amp;b'>",
            "this is a web page, not a feed; it links to the feed https://example.org/news/feed?a&b: follow that one",
        );
        check(
            "<html><title>Just a moment...</title>",
            "the site asks for proof of a human reader in place of the feed: ask its owner to let feed readers pass",
        );
        check("<urlset>", "this is no feed: it is a sitemap");
        check("<error>x</error>", "this is no feed: its root element is <error>, not <rss>, <feed> or <rdf:RDF>");
        check("Not  found", "this is no feed: it is neither XML nor JSON and begins with \"Not found\"");
    }
}
