//! Addresses in HTML: relative ones are made absolute.

use std::borrow::Cow;

use memchr::memchr_iter;
use url::Url;

use super::{cap_bytes, decode_entities};
use crate::repair::scan::{Scanner, Token, attributes};

/// Attributes that hold an address. `srcset` holds several.
const ADDRESSES: &[&str] = &["href", "src", "poster", "cite"];

/// What most addresses begin with; nothing of it is relative.
const ABSOLUTE: &[&str] = &["#", "https://", "http://", "mailto:"];

/// A list of images that is longer gets a closer look: without an end, it would be searched once for each that begins.
const MAX_LIST_BYTES: usize = 4_096;

/// HTML with its relative addresses made absolute.
pub fn absolute_links<'a>(html: &'a str, base: Option<&Url>) -> Cow<'a, str> {
    let Some(base) = base.filter(|_| may_have_relative_links(html)) else {
        return Cow::Borrowed(html);
    };
    let mut edited = Edited::new(html);
    for token in Scanner::new(html) {
        if let Token::Start(tag) = token {
            edited.take(tag.attributes, base);
        }
    }
    edited.finish()
}

/// The attributes of a tag with their relative addresses made absolute.
pub(crate) fn absolute_attributes<'a>(text: &'a str, base: &Url) -> Cow<'a, str> {
    let mut edited = Edited::new(text);
    edited.take(text, base);
    edited.finish()
}

/// A text in which values of attributes are replaced, from the first to the last.
struct Edited<'a> {
    text: &'a str,
    out: String,
    /// Everything before it is in `out`.
    done: usize,
}

impl<'a> Edited<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, out: String::new(), done: 0 }
    }

    /// Replaces what is relative in the attributes of a tag, which are a slice of the text.
    fn take(&mut self, of_tag: &'a str, base: &Url) {
        for (name, value) in attributes(of_tag) {
            let absolute = if name.eq_ignore_ascii_case("srcset") {
                candidates(&decode_entities(value), base)
            } else if ADDRESSES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                absolute(&decode_entities(value.trim()), base)
            } else {
                None
            };
            let Some(absolute) = absolute else { continue };
            let start = value.as_ptr().addr() - self.text.as_ptr().addr();
            self.out.push_str(self.text.get(self.done..start).unwrap_or_default());
            self.out.push_str(&absolute.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;"));
            self.done = start + value.len();
        }
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.done == 0 {
            return Cow::Borrowed(self.text);
        }
        self.out.push_str(self.text.get(self.done..).unwrap_or_default());
        Cow::Owned(self.out)
    }
}

/// A quick look: most bodies have absolute links only, and need no closer one.
fn may_have_relative_links(html: &str) -> bool {
    let is_relative = |value: &str| !ABSOLUTE.iter().any(|start| value.starts_with(start));
    memchr_iter(b'=', html.as_bytes()).any(|at| {
        let name = html.get(..at).unwrap_or_default().trim_end().as_bytes();
        let ends_with = |end: &str| {
            name.len()
                .checked_sub(end.len())
                .and_then(|start| name.get(start..))
                .is_some_and(|name| name.eq_ignore_ascii_case(end.as_bytes()))
        };
        let value = html.get(at + 1..).unwrap_or_default().trim_start();
        let inside = value.trim_start_matches(['"', '\'']);
        if ends_with("srcset") {
            let start = cap_bytes(inside, MAX_LIST_BYTES);
            let end = if value.len() > inside.len() { start.find(['"', '\'']) } else { start.find(['>', ' ']) };
            let list = start.get(..end.unwrap_or(start.len())).unwrap_or_default();
            return (end.is_none() && start.len() < inside.len())
                || list.split(',').any(|candidate| is_relative(candidate.trim_start()));
        }
        ADDRESSES.iter().any(|known| ends_with(known)) && is_relative(inside)
    })
}

/// The address, references decoded, against the base. None if it is absolute already.
fn absolute(address: &str, base: &Url) -> Option<String> {
    if address.is_empty() || ABSOLUTE.iter().any(|start| address.starts_with(start)) {
        return None;
    }
    match Url::parse(address) {
        Err(url::ParseError::RelativeUrlWithoutBase) => base.join(address).ok().map(String::from),
        _ => None,
    }
}

/// A list of images to choose from, each an address with what it is for (HTML, section 4.8.4.2.1). None if all are absolute.
fn candidates(list: &str, base: &Url) -> Option<String> {
    let between = |c: char| c.is_whitespace() || c == ',';
    let (mut out, mut changed) = (String::new(), false);
    let mut rest = list.trim_start_matches(between);
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        // A comma at its end ends the candidate; one inside is part of the address.
        let address = word.trim_end_matches(',');
        let (purpose, next) = match word.len() > address.len() {
            true => ("", after),
            false => after.split_once(',').unwrap_or((after, "")),
        };
        if !out.is_empty() {
            out.push_str(", ");
        }
        let absolute = absolute(address, base);
        changed |= absolute.is_some();
        out.push_str(absolute.as_deref().unwrap_or(address));
        if !purpose.trim().is_empty() {
            out.push(' ');
            out.push_str(purpose.trim());
        }
        rest = next.trim_start_matches(between);
    }
    changed.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_links_become_absolute() {
        let base = Url::parse("https://example.org/news/feed.xml").unwrap();
        for (html, expected) in [
            ("<a href=\"a.html\">x</a>", "<a href=\"https://example.org/news/a.html\">x</a>"),
            ("<A HREF='a.html'>x</A>", "<A HREF='https://example.org/news/a.html'>x</A>"),
            ("<img src='/i.png?a=1&amp;b=2'>", "<img src='https://example.org/i.png?a=1&amp;b=2'>"),
            ("<a class=x href=b>", "<a class=x href=https://example.org/news/b>"),
            ("<a href=\"http://other.org/\">", "<a href=\"http://other.org/\">"),
            ("<a href=\"#top\"><a href=\"mailto:x@y.z\">", "<a href=\"#top\"><a href=\"mailto:x@y.z\">"),
            ("<a href=\"//cdn.org/x\"> href=\"y\"", "<a href=\"https://cdn.org/x\"> href=\"y\""),
            ("<video poster=p.jpg>", "<video poster=https://example.org/news/p.jpg>"),
            ("<q cite=\"/a\">excited = exciting</q>", "<q cite=\"https://example.org/a\">excited = exciting</q>"),
            (
                "<img srcset=\"a.png, /b,c.png 2x,  https://x.org/d.png 640w\">",
                "<img srcset=\"https://example.org/news/a.png, https://example.org/b,c.png 2x, https://x.org/d.png 640w\">",
            ),
            (
                "<img srcset=\"https://x.org/a.png 1x, b.png?c&amp;d 2x\">",
                "<img srcset=\"https://x.org/a.png 1x, https://example.org/news/b.png?c&amp;d 2x\">",
            ),
            ("<img srcset=\"https://x.org/a.png,\">", "<img srcset=\"https://x.org/a.png,\">"),
            ("<img data-src='a' srcset>", "<img data-src='a' srcset>"),
        ] {
            let absolute = absolute_links(html, Some(&base));
            assert_eq!(absolute, expected, "{html}");
            assert_eq!(absolute_links(&absolute, Some(&base)), expected);
        }
    }

    #[test]
    fn absolute_links_need_no_closer_look() {
        for (html, closer) in [
            ("<a href=\"https://example.org/\"><img src='http://example.org/i'> a src and a cite", false),
            ("<img srcset=\"https://x.org/a 1x, https://x.org/b 2x\" src=\"https://x.org/a\">", false),
            ("<img srcset=\"https://x.org/a 1x, b 2x\">", true),
            ("<img srcset='/a'>", true),
            ("<a href = '/a'>", true),
            ("<IMG SrcSet=/a>", true),
            ("<p class=x title='src'>1 = 1, a==b, =", false),
        ] {
            assert_eq!(may_have_relative_links(html), closer, "{html}");
        }
    }
}
