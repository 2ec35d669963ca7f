//! Small pure functions over the texts of a feed: titles as plain text, entities, links in bodies, caps.

mod links;
mod names;
mod references;

use std::collections::HashSet;

use chipwire_events::Markup;
use memchr::memmem;
use url::Url;

pub(crate) use self::{
    links::absolute_attributes,
    names::bare_name,
    references::{code_point, decode_text, entity},
};
pub use self::{links::absolute_links, references::decode_entities};
use crate::repair::scan::{Scanner, Tag, Token, attributes};

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

/// Attributes that may stand without a value. A tag with any other such attribute is a text with angle brackets in it:
/// `if a<b and c>d`.
#[rustfmt::skip]
const BOOLEAN: &[&str] = &[
    "allowfullscreen", "async", "autofocus", "autoplay", "checked", "compact", "controls", "default", "defer",
    "disabled", "download", "formnovalidate", "hidden", "inert", "ismap", "itemscope", "loop", "multiple", "muted",
    "nomodule", "noresize", "noshade", "novalidate", "nowrap", "open", "playsinline", "readonly", "required",
    "reversed", "selected",
];

/// HTML as plain text: tags go, entities are decoded once, white space collapses. Angle brackets that are no HTML stay, as
/// does the start tag of an element that nobody reads when it has no end: it is spoken of.
pub fn plain_of_html(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return collapse(html);
    }
    let mut out = String::with_capacity(html.len());
    // Hidden elements that do not end from here on.
    let mut endless: Vec<String> = Vec::new();
    let mut scanner = Scanner::new(html);
    while let Some(token) = scanner.next() {
        match token {
            Token::Text(text) => out.push_str(&decode_text(text)),
            Token::Cdata(text) | Token::CutCdata(text) => out.push_str(text),
            Token::Start(tag) => {
                let name = tag.name.to_ascii_lowercase();
                if !is_tag(tag, &name) || endless.contains(&name) {
                    out.push_str(&decode_text(tag.raw));
                } else if HIDDEN.contains(&name.as_str()) && !tag.empty {
                    match after_end_tag(html, scanner.position(), &name) {
                        Some(end) => scanner.skip_to(end),
                        None => {
                            out.push_str(&decode_text(tag.raw));
                            endless.push(name);
                        }
                    }
                } else if !INLINE.contains(&name.as_str()) {
                    out.push(' ');
                }
            }
            Token::End { name, raw, .. } => {
                let name = name.to_ascii_lowercase();
                if !is_html(&name) {
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

/// Whether a tag is one of HTML. `name` is its name in lower case.
fn is_tag(tag: Tag<'_>, name: &str) -> bool {
    let may_stand = |name: &str| BOOLEAN.iter().any(|known| name.eq_ignore_ascii_case(known)) || name.contains('-');
    is_html(name) && (tag.attributes.contains('=') || attributes(tag.attributes).all(|(name, _)| may_stand(name)))
}

/// The byte after the next end tag of an element, at or after `from`. `name` is in lower case.
fn after_end_tag(html: &str, from: usize, name: &str) -> Option<usize> {
    let rest = html.get(from..)?;
    memmem::find_iter(rest.as_bytes(), b"</").find_map(|at| {
        let inside = rest.get(at + 2..)?;
        let after = inside.get(name.len()..)?;
        let ends = inside.get(..name.len())?.eq_ignore_ascii_case(name)
            && !after.starts_with(|c: char| !c.is_whitespace() && !matches!(c, '>' | '/'));
        ends.then(|| html.len() - after.len() + after.find('>').map_or(after.len(), |close| close + 1))
    })
}

/// A body as plain text.
pub fn plain(body: &str, markup: Markup) -> String {
    match markup {
        Markup::Html => plain_of_html(body),
        Markup::Plain => collapse(body),
    }
}

/// Whether a text is to be read as HTML: it has a tag of HTML or an entity.
pub fn markup_of(text: &str) -> Markup {
    let tagged = text.contains('<')
        && Scanner::new(text).any(|token| match token {
            Token::Start(tag) => is_tag(tag, &tag.name.to_ascii_lowercase()),
            Token::End { name, .. } => is_html(&name.to_ascii_lowercase()),
            _ => false,
        });
    if tagged || has_entity(text) { Markup::Html } else { Markup::Plain }
}

fn has_entity(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| text.get(at..).and_then(entity).is_some())
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
            ("How the <head> element works", "How the <head> element works"),
            ("<script> or <style>: which <SCRIPT> is first?", "<script> or <style>: which <SCRIPT> is first?"),
            ("a<script>if (x</y) {}</SCRIPT >b<script src=x></script>c <script>d", "abc <script>d"),
            ("a<style><!-- </style>b", "ab"),
            ("a<svg><g/>x</svg", "a"),
            ("x</scripting><script>y</scripting>z", "x</scripting><script>y</scripting>z"),
            ("if a<b and c>d", "if a<b and c>d"),
            ("x<p and y>q", "x<p and y>q"),
            ("<td nowrap>a</td><video controls data-x muted>b", "a b"),
            ("a<br clear=all>b<br / >c", "a b c"),
            ("&copy 2026, &copy2026 and &copying", "© 2026, ©2026 and &copying"),
            ("AT&amp T &lt 3 ?a=1&copy=2&not", "AT& T < 3 ?a=1&copy=2¬"),
            ("&#8217s &#x2014- &#; &#x;", "’s —- &#; &#x;"),
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
            ("if a<b and c>d", Markup::Plain),
            ("<input disabled>", Markup::Html),
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
}
