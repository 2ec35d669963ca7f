//! Small pure functions over the texts of a feed: titles as plain text, entities, links in bodies, caps.

use std::{borrow::Cow, collections::HashSet};

use chipwire_events::Markup;
use memchr::memmem;
use url::Url;

use crate::repair::scan::{Scanner, Token, attributes};

/// The longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 1_000;

/// The longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Elements of HTML and MathML that are found in titles and bodies of feeds. Anything else in angle brackets is text:
/// `Vec<T>`.
#[rustfmt::skip]
const HTML_ELEMENTS: &[&str] = &[
    "a", "abbr", "acronym", "address", "applet", "area", "article", "aside", "audio", "b", "basefont", "bdi", "bdo",
    "big", "blockquote", "body", "br", "button", "canvas", "caption", "center", "cite", "code", "col", "colgroup",
    "datalist", "dd", "del", "details", "dfn", "dialog", "div", "dl", "dt", "em", "embed", "fieldset", "figcaption",
    "figure", "font", "footer", "form", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup",
    "hr", "html", "i", "iframe", "img", "input", "ins", "kbd", "label", "legend", "li", "maction", "main", "mark",
    "marquee", "math", "meter", "mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "mspace",
    "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "nav",
    "nobr", "noframes", "noscript", "object", "ol", "optgroup", "p", "picture", "plaintext", "pre", "progress", "q",
    "rb", "rp", "rt", "rtc", "ruby", "s", "samp", "script", "section", "small", "source", "span", "strike", "strong",
    "style", "sub", "summary", "sup", "svg", "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "time", "tr",
    "track", "tt", "u", "ul", "var", "video", "wbr", "xmp",
];

/// Elements that do not part words.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "mark", "mi", "mn", "mo", "mrow", "msub", "msup", "q", "s", "samp", "small", "span", "strike", "strong", "sub",
    "sup", "time", "tt", "u", "var", "wbr",
];

/// Elements whose content nobody reads.
const HIDDEN: &[&str] = &["script", "style", "head", "svg", "noscript"];

/// HTML as plain text: tags go, entities are decoded once, white space collapses. Angle brackets that are no HTML stay.
pub fn plain_of_html(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return collapse(html);
    }
    let mut out = String::with_capacity(html.len());
    let mut hidden: Option<String> = None;
    for token in Scanner::new(html) {
        match token {
            Token::Text(text) if hidden.is_none() => out.push_str(&decode_entities(text)),
            Token::Cdata(text) if hidden.is_none() => out.push_str(text),
            Token::Start(tag) => {
                let name = tag.name.to_ascii_lowercase();
                if hidden.is_some() {
                    continue;
                } else if HIDDEN.contains(&name.as_str()) && !tag.empty {
                    hidden = Some(name);
                } else if !is_html(&name) {
                    out.push_str(&decode_entities(tag.raw));
                } else if !INLINE.contains(&name.as_str()) {
                    out.push(' ');
                }
            }
            Token::End { name, raw, .. } => {
                let name = name.to_ascii_lowercase();
                if hidden.is_some() {
                    hidden = hidden.filter(|open| *open != name);
                } else if !is_html(&name) {
                    out.push_str(raw);
                } else if !INLINE.contains(&name.as_str()) {
                    out.push(' ');
                }
            }
            _ => {}
        }
    }
    collapse(&out)
}

fn is_html(name: &str) -> bool {
    HTML_ELEMENTS.binary_search(&name).is_ok()
}

/// Whether a text is to be read as HTML: it has a tag of HTML or an entity.
pub fn markup_of(text: &str) -> Markup {
    let tagged = text.contains('<')
        && Scanner::new(text).any(|token| match token {
            Token::Start(tag) => is_html(&tag.name.to_ascii_lowercase()),
            Token::End { name, .. } => is_html(&name.to_ascii_lowercase()),
            _ => false,
        });
    if tagged || has_entity(text) { Markup::Html } else { Markup::Plain }
}

fn has_entity(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| text.get(at..).and_then(entity).is_some())
}

/// Decodes every entity of a text once, as a browser would.
pub fn decode_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match entity(from) {
            Some((value, length)) => {
                out.push_str(&value);
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The characters that the reference at the start of `text` stands for, and its length in bytes.
pub(crate) fn entity(text: &str) -> Option<(Cow<'static, str>, usize)> {
    let inside = text.strip_prefix('&')?;
    // The longest name of HTML has 31 letters.
    let end = inside.bytes().take(40).position(|byte| byte == b';')?;
    let name = inside.get(..end)?;
    let length = end + 2;
    if name.starts_with('#') {
        return Some((character(code_point(name)?), length));
    }
    match name {
        "amp" | "AMP" => Some((Cow::Borrowed("&"), length)),
        "lt" | "LT" => Some((Cow::Borrowed("<"), length)),
        "gt" | "GT" => Some((Cow::Borrowed(">"), length)),
        "quot" | "QUOT" => Some((Cow::Borrowed("\""), length)),
        "apos" => Some((Cow::Borrowed("'"), length)),
        "nbsp" => Some((Cow::Borrowed("\u{a0}"), length)),
        _ => {
            let table = &html_escape::NAMED_ENTITIES;
            let found = table.binary_search_by(|(entry, _)| (*entry).cmp(name.as_bytes())).ok()?;
            table.get(found).map(|(_, value)| (Cow::Borrowed(*value), length))
        }
    }
}

/// The number in `#8217` or `#x2019`.
pub(crate) fn code_point(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('#')?;
    match digits.strip_prefix(['x', 'X']) {
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok(),
        None if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

/// A numeric reference as browsers read it: 0x80 to 0x9F are windows-1252, what cannot be a character is nothing.
fn character(code: u32) -> Cow<'static, str> {
    if let Ok(byte @ 0x80..=0x9f) = u8::try_from(code) {
        let bytes = [byte];
        return Cow::Owned(encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes).0.into_owned());
    }
    match char::from_u32(code) {
        Some(c) if is_legal(c) => Cow::Owned(c.to_string()),
        _ => Cow::Borrowed(""),
    }
}

/// Whether XML 1.0 allows the character (section 2.2).
pub(crate) fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// White space of every kind as single spaces, none at the ends.
pub fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The first `max` characters.
pub fn cap_chars(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// As much of the start as fits into `max` bytes.
pub fn cap_bytes(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// HTML with the relative addresses in `href` and `src` made absolute.
pub fn absolute_links<'a>(html: &'a str, base: Option<&Url>) -> Cow<'a, str> {
    let Some(base) = base.filter(|_| may_have_relative_links(html)) else {
        return Cow::Borrowed(html);
    };
    let mut out = String::new();
    // Everything before `done` is in `out`.
    let mut done = 0;
    let mut scanner = Scanner::new(html);
    loop {
        let at = scanner.position();
        let Some(token) = scanner.next() else { break };
        let Token::Start(tag) = token else { continue };
        for (name, value) in attributes(tag.attributes) {
            if !name.eq_ignore_ascii_case("href") && !name.eq_ignore_ascii_case("src") {
                continue;
            }
            let Some(absolute) = absolute(value, base) else { continue };
            // Both are slices of `html`.
            let start = value.as_ptr().addr() - html.as_ptr().addr();
            debug_assert!(start >= at);
            out.push_str(html.get(done..start).unwrap_or_default());
            out.push_str(&absolute.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;"));
            done = start + value.len();
        }
    }
    if done == 0 {
        return Cow::Borrowed(html);
    }
    out.push_str(html.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// What most addresses begin with; nothing of it is relative.
const ABSOLUTE: &[&str] = &["#", "https://", "http://", "mailto:"];

/// A quick look: most bodies have absolute links only, and need no closer one.
fn may_have_relative_links(html: &str) -> bool {
    ["href", "src"].iter().any(|name| {
        memmem::find_iter(html.as_bytes(), name).any(|at| {
            let after = html.get(at + name.len()..).unwrap_or_default().trim_start();
            let value = after.strip_prefix('=').map(|value| value.trim_start().trim_start_matches(['"', '\'']));
            // `srcset`, or the word in a text.
            value.is_some_and(|value| !ABSOLUTE.iter().any(|start| value.starts_with(start)))
        })
    })
}

fn absolute(value: &str, base: &Url) -> Option<String> {
    let decoded = decode_entities(value.trim());
    if decoded.is_empty() || ABSOLUTE.iter().any(|start| decoded.starts_with(start)) {
        return None;
    }
    match Url::parse(&decoded) {
        Err(url::ParseError::RelativeUrlWithoutBase) => base.join(&decoded).ok().map(String::from),
        _ => None,
    }
}

/// HTML as a page may show it: nothing that runs, loads a style or leaves the page's design; links absolute where there is a
/// base, gone where there is none, and without a word to their targets about where the reader came from.
pub fn sanitized(html: &str, base: Option<&Url>) -> String {
    let relative = match base {
        Some(base) => ammonia::UrlRelative::RewriteWithBase(base.clone()),
        None => ammonia::UrlRelative::Deny,
    };
    ammonia::Builder::default()
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(relative)
        .link_rel(Some("noopener noreferrer nofollow"))
        .clean(cap_bytes(html, MAX_BODY_BYTES))
        .to_string()
}

/// A web address in its normal form, relative ones against `base`. None if it is no http or https address.
pub fn web_url(text: &str, base: Option<&Url>) -> Option<Url> {
    let text = text.trim();
    let url = match Url::parse(text) {
        Err(url::ParseError::RelativeUrlWithoutBase) if !text.is_empty() => base?.join(text).ok()?,
        other => other.ok()?,
    };
    (matches!(url.scheme(), "http" | "https") && url.as_str().len() <= 4_096).then_some(url)
}

/// A language as a BCP 47 tag, where it looks like one.
pub fn language_tag(text: &str) -> Option<String> {
    let tag = text.trim().replace('_', "-");
    let primary = tag.split('-').next().unwrap_or_default();
    let legal = tag.len() <= 35 && tag.split('-').all(|part| (1..=8).contains(&part.len()));
    (legal && (2..=3).contains(&primary.len()) && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        .then(|| tag.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_elements_is_sorted() {
        assert!(HTML_ELEMENTS.is_sorted());
    }

    #[test]
    fn titles_become_plain_text() {
        for (html, expected) in [
            ("Plain", "Plain"),
            ("  two \n\t words\u{a0}here ", "two words here"),
            ("AT&amp;T &amp;amp; more", "AT&T &amp; more"),
            ("<b>Nvidia</b>&rsquo;s <i>H<sub>2</sub>0</i>", "Nvidia’s H20"),
            ("one<br/>two<p>three</p>four", "one two three four"),
            ("a < b and c > d", "a < b and c > d"),
            ("Vec<T> explained", "Vec<T> explained"),
            ("&lt;script&gt; tags", "<script> tags"),
            ("x<script>alert(1)</script>y", "xy"),
            ("it&#8217;s &#146;80s &#x2014; &#0; &bogus; & &", "it’s ’80s —  &bogus; & &"),
            ("R&D", "R&D"),
            ("&nbsp;", ""),
            ("unclosed <b", "unclosed <b"),
        ] {
            assert_eq!(plain_of_html(html), collapse(expected), "{html}");
        }
    }

    #[test]
    fn markup_is_told_by_tags_and_entities() {
        for (text, expected) in [
            ("plain", Markup::Plain),
            ("a < b > c", Markup::Plain),
            ("Vec<T>", Markup::Plain),
            ("R&D; done", Markup::Plain),
            ("<p>x", Markup::Html),
            ("x<br/>", Markup::Html),
            ("x &amp; y", Markup::Html),
            ("it&#39;s", Markup::Html),
        ] {
            assert_eq!(markup_of(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_page_shows_is_clean() {
        let base = Url::parse("https://example.org/news/").unwrap();
        for (html, expected) in [
            ("<p onclick='x()'>a <b>b</b><script>alert(1)</script></p>", "<p>a <b>b</b></p>"),
            ("<a href='javascript:x()'>a</a>", "<a rel=\"noopener noreferrer nofollow\">a</a>"),
            (
                "<a href='c' style='x'>a</a>",
                "<a href=\"https://example.org/news/c\" rel=\"noopener noreferrer nofollow\">a</a>",
            ),
            ("<img src=/i.png onerror=x()>", "<img src=\"https://example.org/i.png\">"),
            ("<iframe src=x></iframe><style>a</style><svg><a href='data:x'></svg>t", "t"),
            ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ] {
            assert_eq!(sanitized(html, Some(&base)), expected, "{html}");
        }
        assert_eq!(sanitized("<img src='a.png'>", None), "<img>");
    }

    #[test]
    fn relative_links_become_absolute() {
        let base = Url::parse("https://example.org/news/feed.xml").unwrap();
        for (html, expected) in [
            ("<a href=\"a.html\">x</a>", "<a href=\"https://example.org/news/a.html\">x</a>"),
            ("<img src='/i.png?a=1&amp;b=2'>", "<img src='https://example.org/i.png?a=1&amp;b=2'>"),
            ("<a class=x href=b>", "<a class=x href=https://example.org/news/b>"),
            ("<a href=\"http://other.org/\">", "<a href=\"http://other.org/\">"),
            ("<a href=\"#top\"><a href=\"mailto:x@y.z\">", "<a href=\"#top\"><a href=\"mailto:x@y.z\">"),
            ("<a href=\"//cdn.org/x\"> href=\"y\"", "<a href=\"https://cdn.org/x\"> href=\"y\""),
        ] {
            assert_eq!(absolute_links(html, Some(&base)), expected, "{html}");
        }
    }
}
