//! A page without what no extractor needs, and without what could make one run for ever.
//!
//! Tags are cut out of the text before any parser sees it: scripts, styles, drawings, and the formatting elements, of which
//! an HTML parser reopens all that are open in every paragraph that follows (HTML standard, "reconstruct the active
//! formatting elements"), so that a page of a megabyte can grow to a tree of many gigabytes.

/// Start tags that are kept; what comes after them is dropped.
const MAX_TAGS: usize = 25_000;

/// Elements within elements that are kept: a parser looks through all that are open for almost every tag.
const MAX_OPEN: usize = 250;

/// How far up an element is looked for that a tag closes.
const MAX_CLOSED: usize = 16;

/// The longest value of an attribute that is kept, in bytes.
const MAX_VALUE_BYTES: usize = 2_000;

/// Elements that are dropped with all that is in them, up to their end tag.
const DROPPED: &[&str] =
    &["canvas", "iframe", "noembed", "noframes", "noscript", "script", "style", "svg", "template", "textarea", "xmp"];

/// Elements whose tags are dropped and whose content stays.
const UNWRAPPED: &[&str] =
    &["b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u", "wbr"];

/// Attributes that say something about what an element is for.
const KEPT_ATTRIBUTES: &[&str] = &[
    "alt",
    "aria-hidden",
    "aria-label",
    "charset",
    "class",
    "colspan",
    "content",
    "data-testid",
    "data-component",
    "datetime",
    "dir",
    "hidden",
    "href",
    "http-equiv",
    "id",
    "itemprop",
    "itemscope",
    "itemtype",
    "lang",
    "name",
    "property",
    "pubdate",
    "rel",
    "role",
    "src",
    "style",
    "title",
];

/// What is left of a page.
#[derive(Debug, Default)]
pub(super) struct Slim {
    /// The page.
    pub(super) html: String,
    /// What its scripts of the type `application/ld+json` hold.
    pub(super) json_ld: Vec<String>,
}

/// Cuts a page down.
pub(super) fn slim(page: &str) -> Slim {
    let mut out = Slim { html: String::with_capacity(page.len().min(1 << 20) / 2), json_ld: Vec::new() };
    let mut rest = page;
    let mut tags = 0;
    // What is looked for in vain once is not there later either: each search is done at most once in vain.
    let mut vain = Vain::default();
    let mut open = Open::default();
    while let Some(at) = rest.find('<') {
        let (text, from) = rest.split_at(at);
        out.html.push_str(text);
        rest = match from.as_bytes().get(1) {
            Some(b'!') if from.starts_with("<!--") => after_comment(from, &mut vain),
            Some(b'!' | b'?') => after(from, ">").unwrap_or_default(),
            Some(b'/') => {
                let Some((tag, later)) = split_tag(from) else {
                    rest = as_text(from, &mut out);
                    continue;
                };
                let name = name_of(tag.get(2..).unwrap_or_default());
                if !is_one_of(&name, UNWRAPPED) && !is_one_of(&name, DROPPED) && !name.is_empty() {
                    open.end(&name);
                    out.html.push_str("</");
                    out.html.push_str(&name);
                    out.html.push('>');
                }
                later
            }
            Some(byte) if byte.is_ascii_alphabetic() => {
                tags += 1;
                if tags > MAX_TAGS {
                    return out;
                }
                start_tag(from, &mut out, &mut vain, &mut open)
            }
            _ => {
                out.html.push_str("&lt;");
                from.get(1..).unwrap_or_default()
            }
        };
    }
    out.html.push_str(rest);
    out
}

/// The elements that are open, about as a parser would have them.
#[derive(Default)]
struct Open(Vec<String>);

impl Open {
    /// Takes a start tag; says whether it is to be kept.
    fn start(&mut self, name: &str) -> bool {
        const VOID: &[&str] =
            &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track"];
        // Those that end where the next of them begins.
        const CLOSING: &[&str] = &["a", "dd", "dt", "li", "option", "p", "tbody", "td", "th", "thead", "tr"];
        if VOID.contains(&name) {
            return true;
        }
        if CLOSING.contains(&name) {
            self.end(name);
        }
        if self.0.len() >= MAX_OPEN {
            return false;
        }
        self.0.push(name.to_owned());
        true
    }

    fn end(&mut self, name: &str) {
        let from = self.0.len().saturating_sub(MAX_CLOSED);
        let near = self.0.get(from..).unwrap_or_default();
        if let Some(at) = near.iter().rposition(|open| open == name) {
            self.0.truncate(from + at);
        }
    }
}

#[derive(Default)]
struct Vain {
    comment: bool,
    elements: Vec<String>,
}

/// Copies a start tag, and passes over an element that is dropped.
fn start_tag<'a>(from: &'a str, out: &mut Slim, vain: &mut Vain, open: &mut Open) -> &'a str {
    let Some((tag, later)) = split_tag(from) else { return as_text(from, out) };
    let inside = tag.get(1..).unwrap_or_default().trim_end_matches('>');
    let name = name_of(inside);
    if is_one_of(&name, UNWRAPPED) {
        return later;
    }
    let attributes = inside.get(name.len()..).unwrap_or_default();
    if is_one_of(&name, DROPPED) {
        if inside.ends_with('/') && name == "svg" || vain.elements.contains(&name) {
            return later;
        }
        let Some((content, after)) = until_end_tag(later, &name) else {
            // Its end is missing: browsers would take all the rest for its content. The rest is more likely the page.
            vain.elements.push(name);
            return later;
        };
        let kind = attribute_values(attributes).find(|(name, _)| name.eq_ignore_ascii_case("type"));
        if name == "script" && kind.is_some_and(|(_, kind)| kind.trim().eq_ignore_ascii_case("application/ld+json")) {
            out.json_ld.push(content.to_owned());
        }
        // Words on both sides stay apart.
        out.html.push(' ');
        return after;
    }
    if !open.start(&name) {
        out.html.push(' ');
        return later;
    }
    out.html.push('<');
    out.html.push_str(&name);
    for (name, value) in attribute_values(attributes) {
        let name = name.to_ascii_lowercase();
        if !is_one_of(&name, KEPT_ATTRIBUTES) {
            continue;
        }
        let value = if value.len() > MAX_VALUE_BYTES && name != "content" { "x" } else { value };
        let value = if name == "src" && value.starts_with("data:") { "x" } else { value };
        out.html.push(' ');
        out.html.push_str(&name);
        out.html.push_str("=\"");
        out.html.push_str(&value.replace('"', "&quot;"));
        out.html.push('"');
    }
    out.html.push('>');
    later
}

fn is_one_of(name: &str, list: &[&str]) -> bool {
    list.contains(&name)
}

fn name_of(text: &str) -> String {
    let end =
        text.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '<' | '"' | '\'' | '=')).unwrap_or(text.len());
    let name = text.get(..end.min(64)).unwrap_or_default();
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'_')) {
        name.to_ascii_lowercase()
    } else {
        String::new()
    }
}

/// The longest tag, in bytes.
const MAX_TAG_BYTES: usize = 64 * 1_024;

/// The tag at the start of `text`, to its `>`, and what comes after it. None if it does not end.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let mut first_close = None;
    let mut before = b'<';
    for (at, byte) in text.bytes().enumerate().skip(1).take(MAX_TAG_BYTES) {
        match (byte, quote) {
            (b'>', None) => return text.split_at_checked(at + 1),
            (b'>', Some(_)) if first_close.is_none() => first_close = Some(at + 1),
            (b'"' | b'\'', None) if before == b'=' => quote = Some(byte),
            (_, Some(open)) if byte == open => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    // A quote was left open: the tag ends where it would without.
    text.split_at_checked(first_close?)
}

/// Takes what begins like a tag and is none for text, as far as was looked for its end.
fn as_text<'a>(from: &'a str, out: &mut Slim) -> &'a str {
    let (text, rest) = from.split_at(from.floor_char_boundary(MAX_TAG_BYTES));
    out.html.push_str(&text.replace('<', "&lt;"));
    rest
}

/// The names and values of attributes, references not decoded.
fn attribute_values(text: &str) -> impl Iterator<Item = (&str, &str)> {
    crate::repair::scan::attributes(text)
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.find(mark).and_then(|at| text.get(at + mark.len()..))
}

fn after_comment<'a>(from: &'a str, vain: &mut Vain) -> &'a str {
    let inside = from.get(4..).unwrap_or_default();
    if let Some(later) = inside.strip_prefix('>').or_else(|| inside.strip_prefix("->")) {
        return later;
    }
    if !vain.comment
        && let Some(later) = after(inside, "-->")
    {
        return later;
    }
    vain.comment = true;
    inside
}

/// The content up to the end tag of `name`, and what comes after that tag.
fn until_end_tag<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let mut done = 0;
    while let Some(found) = text.get(done..).and_then(|rest| rest.find("</")) {
        let at = done + found;
        let from = text.get(at + 2..)?;
        let is_it = from.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && !from.get(name.len()..).is_some_and(|more| more.starts_with(|c: char| c.is_ascii_alphanumeric()));
        if is_it {
            return Some((text.get(..at)?, after(from, ">").unwrap_or_default()));
        }
        done = at + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "as expect-test is used")]
    fn check(page: &str, expected: Expect) {
        let slim = slim(page);
        expected.assert_eq(&format!("{}\n{:?}", slim.html, slim.json_ld));
    }

    #[test]
    fn only_what_matters_is_left() {
        check(
            "<!doctype html><html lang=en><head><script>if (a < b) x('<p>')</script><script type='application/ld+json'>\
             {\"a\":\"<b>\"}</script><style>p {}</style></head><body onload='x()' class=\"a b\"><p data-x='1' id=\"p\">One \
             <b>two</b> <font color=red>three</font><!-- <p>no --><br/><img src='data:image/png;base64,AAAA' alt='x'>\
             <svg><path d='M0'/></svg>1 < 2</p><a href='/x?a=1&amp;b=\"'>l</a></body></html>",
            expect![[r#"
                <html lang="en"><head>   </head><body class="a b"><p id="p">One two three<br><img src="x" alt="x"> 1 &lt; 2</p><a href="/x?a=1&amp;b=&quot;">l</a></body></html>
                ["{\"a\":\"<b>\"}"]"#]],
        );
    }

    #[test]
    fn what_is_never_closed_does_not_swallow_the_page() {
        check(
            "<p>a<!-- b<p>c</p><script>d<p>e</p><p title='f>g</p>",
            expect![[r#"
            <p>a b<p>c</p>d<p>e</p><p title="f">g</p>
            []"#]],
        );
        check(
            "<p>a<!-->b<!--->c<?x y>d</p x>e<",
            expect![[r#"
            <p>abcd</p>e&lt;
            []"#]],
        );
    }

    #[test]
    fn hostile_repetition_takes_linear_time() {
        for piece in ["<!--", "<script>", "<a b=\"", "<?", "</", "<", "<svg>", "<script></style>", "<p a='"] {
            let _ = slim(&piece.repeat(100_000));
        }
    }
}
