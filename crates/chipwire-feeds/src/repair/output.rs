//! What the writer of [`super::canonical`] puts out: tags, texts, and markup as text.

use url::Url;

use super::{
    Stage,
    entities::{ends_section, push_escaped, push_literal, push_mended, push_section, push_text},
    scan::{Tag, attributes},
    tags::{Form, attribute, from_base64, is_alternate, with_apart_addresses},
    writer::{Kind, Open, Writer, Written},
};
use crate::text::{absolute_attributes, decode_entities};

/// Attributes that are kept, besides `xml:base`.
const KEPT_ATTRIBUTES: &[&str] = &["href", "rel", "type", "term", "label", "hreflang", "title"];

/// Whether it is an element of RSS in which the parser looks for an e-mail address.
fn is_person(written: &str) -> bool {
    matches!(written, "author" | "dc:creator" | "managingEditor")
}

impl<'a> Writer<'a, '_> {
    /// Text inside an element whose text is kept.
    pub(super) fn write_text(&mut self, text: &'a str, written: Written) {
        let Some(open) = &mut self.open_text else { return };
        let literal = written != Written::Text;
        open.wrapper_may_follow &= text.trim_start().is_empty();
        match open.form {
            Form::Base64 => self.encoded.push_str(text),
            // In no section, so that what is written can be looked at once more.
            Form::Escaped if is_person(open.written) => {
                let name = if literal { text.into() } else { decode_entities(text) };
                push_escaped(&mut self.out, &name, self.repairs);
            }
            Form::Escaped if written == Written::Section => push_section(&mut self.out, text, self.repairs),
            Form::Escaped if literal => push_literal(&mut self.out, text, self.repairs),
            Form::Escaped => push_text(&mut self.out, text, self.declared, self.repairs),
            // In a section, what is text of XML is text of HTML.
            Form::Inline if open.section => match literal {
                true => push_escaped(&mut self.out, text, self.repairs),
                false => push_mended(&mut self.out, text, self.declared, self.repairs),
            },
            Form::Inline => {
                let mut mended = String::new();
                match literal {
                    true => push_escaped(&mut mended, text, self.repairs),
                    false => push_mended(&mut mended, text, self.declared, self.repairs),
                }
                push_escaped(&mut self.out, &mended, self.repairs);
            }
        }
    }

    /// `<link href="..."/>` in RSS: the address is what its text should have been.
    pub(super) fn href_as_text(&mut self, tag: Tag<'a>, written: &str) {
        if written == "link"
            && is_alternate(tag)
            && let Some(href) = attribute(tag, "href")
        {
            push_escaped(&mut self.out, &href, self.repairs);
        }
    }

    pub(super) fn write_start(&mut self, name: &str, base: Option<&Url>, kind: Option<&str>) {
        self.out.push('<');
        self.out.push_str(name);
        if let Some(kind) = kind {
            self.out.push_str(" type=\"");
            self.out.push_str(kind);
            self.out.push('"');
        }
        if let Some(base) = base {
            self.out.push_str(" xml:base=\"");
            push_escaped(&mut self.out, base.as_str(), self.repairs);
            self.out.push('"');
        }
        self.out.push('>');
    }

    pub(super) fn write_empty(&mut self, tag: Tag<'a>, name: &'static str) {
        self.out.push('<');
        self.out.push_str(name);
        let own = attribute(tag, "xml:base").and_then(|base| self.joined(&base));
        for (name, value) in attributes(tag.attributes) {
            if KEPT_ATTRIBUTES.contains(&name) {
                self.out.push(' ');
                self.out.push_str(name);
                self.out.push_str("=\"");
                push_mended(&mut self.out, value, self.declared, self.repairs);
                self.out.push('"');
            }
        }
        if let Some(base) = own {
            self.out.push_str(" xml:base=\"");
            push_escaped(&mut self.out, base.as_str(), self.repairs);
            self.out.push('"');
        }
        self.out.push_str("/>");
    }

    /// A tag inside a text: written as text.
    pub(super) fn markup(&mut self, tag: Tag<'a>) {
        let Some(open) = &mut self.open_text else { return };
        let local = tag.name.rsplit(':').next().unwrap_or_default();
        let wrapper = std::mem::take(&mut open.wrapper_may_follow) && local.eq_ignore_ascii_case("div");
        if open.form != Form::Inline {
            self.repairs.note(Stage::Structure, format!("markup in <{}> that was not escaped", open.written));
        }
        let (depth, form, section) = (open.depth, open.form, open.section);
        let base = if self.has_bases && form == Form::Inline { self.base_inside(tag, depth) } else { None };
        let attributes = match &base {
            Some(base) => absolute_attributes(tag.attributes, base),
            None => tag.attributes.into(),
        };
        if !wrapper && section {
            self.out.push('<');
            self.out.push_str(local);
            match ends_section(&attributes) {
                true => self.out.push_str(&attributes.replace("]]>", "]]&gt;")),
                false => self.out.push_str(&attributes),
            }
            self.out.push_str(if tag.empty { "/>" } else { ">" });
        } else if !wrapper {
            push_escaped(&mut self.out, "<", self.repairs);
            self.out.push_str(local);
            push_escaped(&mut self.out, &attributes, self.repairs);
            push_escaped(&mut self.out, if tag.empty { "/>" } else { ">" }, self.repairs);
        }
        if !tag.empty {
            let kind = if wrapper { Kind::Wrapper } else { Kind::Markup };
            self.stack.push(Open { name: tag.name, written: "", kind });
        }
    }

    /// What the links of a tag inside markup are relative to, where an element of the markup says so.
    fn base_inside(&mut self, tag: Tag<'a>, depth: usize) -> Option<Url> {
        let own = self.push_base(tag);
        if tag.empty && own.is_some() {
            self.bases.pop();
        }
        own.or_else(|| self.bases.last().filter(|(at, _)| *at > depth).map(|(_, base)| base.clone()))
    }

    /// The end of an element, as far as it has one. `has_end` if it has one in the document.
    pub(super) fn write_end(&mut self, open: Open<'a>, has_end: bool) {
        if open.kind == Kind::Text && self.open_text.is_some_and(|text| text.form == Form::Base64) {
            match from_base64(&self.encoded) {
                Some(text) => push_escaped(&mut self.out, &text, self.repairs),
                None => self.repairs.note(Stage::Text, "a text in base64 that cannot be decoded"),
            }
        }
        if open.kind == Kind::Text
            && is_person(open.written)
            && let Some(start) = self.open_text.map(|text| text.start)
            && let Some(apart) = self.out.get(start..).and_then(with_apart_addresses)
        {
            self.out.truncate(start);
            self.out.push_str(&apart);
        }
        let in_section = self.open_text.is_some_and(|text| text.section);
        if open.kind == Kind::Text && in_section {
            let start = self.open_text.map_or(self.out.len(), |text| text.start);
            // Names of tags may hold anything, such as the end of a section.
            if self.out.get(start..).is_some_and(ends_section) {
                let markup = self.out.split_off(start);
                self.out.truncate(start - "<![CDATA[".len());
                push_escaped(&mut self.out, &markup, self.repairs);
            } else {
                self.out.push_str("]]>");
            }
        }
        match open.kind {
            Kind::Text | Kind::Structure | Kind::Item => {
                self.out.push_str("</");
                self.out.push_str(open.written);
                self.out.push('>');
            }
            Kind::Markup if has_end => {
                let local = open.name.rsplit(':').next().unwrap_or_default();
                if in_section {
                    self.out.push_str("</");
                    self.out.push_str(local);
                    self.out.push('>');
                } else {
                    push_escaped(&mut self.out, &format!("</{local}>"), self.repairs);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::canonical::told;

    #[expect(clippy::needless_pass_by_value, reason = "as expect-test is used")]
    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&told(text));
    }

    #[test]
    fn texts_of_rss() {
        check(
            "<rss version='2.0'><item><title>a &amp; b</title><title>plain</title><description><![CDATA[<p>c</p>]]></description></item></rss>",
            expect![
                "<item><title><![CDATA[a & b]]></title><title>plain</title><description><![CDATA[<p>c</p>]]></description></item>"
            ],
        );
        check(
            "<rss version='2.0'><item><title>a & b\u{1}</title></item></rss>",
            expect![[r#"
            <item><title>a &amp; b</title></item>
            ! an ampersand that was not escaped (item 1)
            ! characters that XML does not allow (item 1)"#]],
        );
        check(
            "<rss version='2.0'><item><description>a <b class='x'>b</b><br/></description></item></rss>",
            expect![[r#"
                <item><description>a &lt;b class='x'&gt;b&lt;/b&gt;&lt;br/&gt;</description></item>
                ! markup in <description> that was not escaped (item 1)"#]],
        );
        check(
            "<rss version='2.0'><item><link/><title/></item></rss>",
            expect!["<item><link></link><title></title></item>"],
        );
        check(
            "<rss version='2.0'><item><link href='/a?b&amp;c'/></item></rss>",
            expect!["<item><link>/a?b&amp;c</link></item>"],
        );
        check(
            "<rss version='2.0'><item><author>a &amp; <![CDATA[b@x.org]]>…</author><category>…a@b.cc…</category></item></rss>",
            expect!["<item><author>a &amp; b@x.org …</author><category>…a@b.cc…</category></item>"],
        );
    }

    #[test]
    fn texts_of_atom() {
        check(
            "<feed><entry><title type='text'>a &lt;b></title><content type='xhtml'><div><p title='x'>a &lt; b</p><br/></div></content></entry></feed>",
            expect![[
                r#"<entry><title type="text"><![CDATA[a <b>]]></title><content type="html"><![CDATA[<p title='x'>a &lt; b</p><br/>]]></content></entry>"#
            ]],
        );
        // A character that XML does not allow takes another way to the same.
        check(
            "<feed><entry><id>\u{1}</id><content type='xhtml'><div><p title='x'>a &lt; b</p><br/></div></content></entry></feed>",
            expect![[r#"
                <entry><id></id><content type="html">&lt;p title='x'&gt;a &amp;lt; b&lt;/p&gt;&lt;br/&gt;</content></entry>
                ! characters that XML does not allow (item 1)"#]],
        );
        check(
            "<feed><entry><content type='xhtml'><div>a</div><div>b</div></content></entry></feed>",
            expect![[r#"<entry><content type="html"><![CDATA[a<div>b</div>]]></content></entry>"#]],
        );
        check(
            "<feed><entry><content type='xhtml'><x:p a=']]>'>b</x:p></content></entry></feed>",
            expect![[r#"<entry><content type="html"><![CDATA[<p a=']]&gt;'>b</p>]]></content></entry>"#]],
        );
        check(
            "<feed><entry><content mode='base64'>PGI+YTwv\nYj4=</content><title mode='base64'>/w==</title></entry></feed>",
            expect![[r#"
                <entry><content type="html">&lt;b&gt;a&lt;/b&gt;</content><title type="html"></title></entry>
                ! a text in base64 that cannot be decoded (item 1)"#]],
        );
    }

    #[test]
    fn tags_keep_what_is_read() {
        check(
            "<feed xml:base='/in/'><link rel='self' href='s?a&b' foo='x'/><entry xml:base='e/'><link href='l' xml:base='/own/'/><category term='t' scheme='s' label='\"l\"'/><title xml:base='/t/'>x</title></entry></feed>",
            expect![[r#"
                <link rel="self" href="s?a&amp;b"/>
                <entry xml:base="http://example.org/in/e/"><link href="l" xml:base="http://example.org/own/"/><category term="t" label="&quot;l&quot;"/><title type="text" xml:base="http://example.org/t/">x</title></entry>
                ! an ampersand that was not escaped"#]],
        );
    }

    #[test]
    fn links_inside_markup_follow_the_bases_there() {
        check(
            "<feed><entry><content type='xhtml' xml:base='/c/'><a href='x'/><p xml:base='/in/'><a href='x'/><img xml:base='/own/' src='y'/><a href='x'/></p><a href='x'/></content></entry></feed>",
            expect![[
                r#"<entry><content type="html" xml:base="http://example.org/c/"><![CDATA[<a href='x'/><p xml:base='/in/'><a href='http://example.org/in/x'/><img xml:base='/own/' src='http://example.org/own/y'/><a href='http://example.org/in/x'/></p><a href='x'/>]]></content></entry>"#
            ]],
        );
    }
}
