//! Which hub a feed names: `Link` headers first, then the document (section 4 of the standard).

use url::Url;

use super::Announced;
use crate::{
    repair::scan::{Scanner, Token, attributes},
    text::decode_entities,
};

/// The largest part of a document that is looked at, in bytes: it names its hub before its items.
const HEAD_BYTES: usize = 64 * 1024;

/// The hub and the topic, from the `Link` headers of the answer that came from `url`, or else from the document.
pub(crate) fn announced(links: &str, document: &[u8], url: &Url) -> Option<Announced> {
    let of_rel = |rel: &str| {
        let href = link_values(links).find(|(_, rels)| rels.split_ascii_whitespace().any(|one| one == rel))?.0;
        web(href, url)
    };
    let head = document.get(..HEAD_BYTES).unwrap_or(document);
    let (document_hub, document_topic) = in_document(&String::from_utf8_lossy(head));
    let hub = of_rel("hub").or_else(|| web(&document_hub?, url))?;
    // A feed that names a hub and not itself is known there by its address.
    let topic = of_rel("self").or_else(|| web(&document_topic?, url)).unwrap_or_else(|| url.clone());
    Some(Announced { hub, topic })
}

/// The hub and the topic that a document names, as it writes them: links of Atom, in any kind of feed, or `hubs` of JSON Feed.
fn in_document(head: &str) -> (Option<String>, Option<String>) {
    if head.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('{') {
        return in_json(head);
    }
    let (mut hub, mut topic) = (None, None);
    for token in Scanner::new(head) {
        let Token::Start(tag) = token else { continue };
        let name = tag.name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
        if matches!(name.as_str(), "item" | "entry") {
            break;
        }
        if name != "link" {
            continue;
        }
        let get = |wanted: &str| {
            attributes(tag.attributes)
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| decode_entities(value).trim().to_owned())
        };
        let rels = get("rel").unwrap_or_default().to_ascii_lowercase();
        for rel in rels.split_ascii_whitespace() {
            match rel {
                "hub" if hub.is_none() => hub = get("href"),
                "self" if topic.is_none() => topic = get("href"),
                _ => {}
            }
        }
    }
    (hub, topic)
}

/// The `url` of the first of `hubs` with the type WebSub, and `feed_url` (jsonfeed.org, version 1.1), without reading all of
/// the document.
fn in_json(head: &str) -> (Option<String>, Option<String>) {
    let value = |key: &str| {
        let after = head.get(head.find(key)? + key.len()..)?.trim_start().strip_prefix(':')?;
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<serde_json::Value>();
        values.next()?.ok()
    };
    let is_websub = |hub: &&serde_json::Value| {
        hub.get("type").and_then(serde_json::Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("websub"))
    };
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let hub = value("\"hubs\"").and_then(|hubs| text(hubs.as_array()?.iter().find(is_websub)?.get("url")?));
    (hub, value("\"feed_url\"").and_then(|url| text(&url)))
}

fn web(href: &str, base: &Url) -> Option<Url> {
    let mut url = base.join(href.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_fragment(None);
    Some(url)
}

/// The targets of a `Link` list with their `rel` in lower case (RFC 8288 section 3).
fn link_values(links: &str) -> impl Iterator<Item = (&str, String)> {
    let mut rest = links;
    std::iter::from_fn(move || {
        let start = rest.find('<')?;
        let (href, after) = rest.get(start + 1..)?.split_once('>')?;
        // The parameters go up to the next comma outside of quotes.
        let mut quoted = false;
        let end = after.find(|c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        });
        let parameters = after.get(..end.unwrap_or(after.len())).unwrap_or_default();
        rest = after.get(end.unwrap_or(after.len())..).unwrap_or_default();
        let rel = parameters.split(';').find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        Some((href, rel.unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hubs_are_found() {
        let url = Url::parse("https://x.org/a/feed?b").unwrap();
        let check = |links: &str, document: &str, expected: Option<(&str, &str)>| {
            let found = announced(links, document.as_bytes(), &url);
            let found = found.map(|found| (found.hub.to_string(), found.topic.to_string()));
            assert_eq!(found, expected.map(|(hub, topic)| (hub.to_owned(), topic.to_owned())), "{links} {document}");
        };
        let (none, own) = ("<rss><channel/></rss>", "https://x.org/a/feed?b");
        check("", none, None);
        check("<https://x.org/a/feed?b>; rel=\"self\"", none, None);
        check("<https://hub.org/>; rel=hub", none, Some(("https://hub.org/", own)));
        check(
            "</style.css>; rel=preload; title=\"a, <b>; rel=hub\", <https://hub.org/>; REL=\"Hub alternate\", </self>;rel=self",
            none,
            Some(("https://hub.org/", "https://x.org/self")),
        );
        check("<ftp://hub.org/>; rel=hub", none, None);
        let rss =
            "<rss><channel><atom:link rel='self' href='feed?a&amp;b'/><atom10:link rel=\"hub\" href=\"//hub.org/p\"/>";
        check("", rss, Some(("https://hub.org/p", "https://x.org/a/feed?a&b")));
        check("<https://one.org/>; rel=hub", rss, Some(("https://one.org/", "https://x.org/a/feed?a&b")));
        let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><link rel='hub self' href='https://hub.org/'>";
        check("", atom, Some(("https://hub.org/", "https://hub.org/")));
        check("", "<feed><entry><link rel='hub' href='https://hub.org/'/></entry></feed>", None);
        let json = "{\"version\":\"1.1\",\"hubs\" : [{\"type\":\"rssCloud\",\"url\":\"https://a/\"},\
                    {\"type\":\"WebSub\",\"url\":\"https://hub.org/\"}],\"items\":[";
        check("", json, Some(("https://hub.org/", own)));
        let json = json.replacen("\"hubs\"", "\"feed_url\": \"/feed.json\", \"hubs\"", 1);
        check("", &json, Some(("https://hub.org/", "https://x.org/feed.json")));
        check("</self>; rel=self", &json, Some(("https://hub.org/", "https://x.org/self")));
        check("", "{\"hubs\":\"x\"}", None);
        for odd in
            ["<", "<a", ";rel=hub", "<>;rel=hub;", "<a>;rel", "<a>;\"", "<é>;rel=\"é", "{\"hubs\"", "{\"hubs\":[{}]}"]
        {
            let _ = (announced(odd, b"", &url), announced("", odd.as_bytes(), &url));
        }
    }
}
