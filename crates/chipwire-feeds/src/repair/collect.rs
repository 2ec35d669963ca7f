//! What the writer of [`super::canonical`] takes from the document on the way and the parser does not keep: bases, dates and
//! more.

use std::borrow::Cow;

use url::Url;

use super::{
    Stage,
    canonical::Family,
    entities::push_mended,
    head::Captured,
    names::{Ns, Role, When, relation},
    scan::{Tag, attributes},
    tags::{Form, attribute},
    writer::{Capture, Kind, Writer},
};
use crate::text::language_tag;

impl<'a> Writer<'a, '_> {
    /// The root tag decides nothing but namespaces, base and language: the rest is known.
    pub(super) fn root(&mut self, tag: Tag<'a>) {
        self.declare(tag);
        self.push_base(tag);
        self.head.base = self.base().cloned();
        self.head.language =
            attribute(tag, "xml:lang").or_else(|| attribute(tag, "lang")).and_then(|lang| language_tag(&lang));
        let local = tag.name.rsplit(':').next().unwrap_or_default();
        if local.eq_ignore_ascii_case("rss") && attribute(tag, "version").is_none() {
            self.repairs.note(Stage::Root, "<rss> without a version");
        }
        if attribute(tag, "xmlns").is_some_and(|uri| uri.starts_with("http://purl.org/atom/ns")) {
            self.repairs.note(Stage::Root, "Atom 0.3, which was given up for Atom 1.0 in 2005");
        }
        if local.eq_ignore_ascii_case("channel") {
            self.attributes_of_cdf(tag);
        }
        self.push(tag, "", Kind::Root, Form::Escaped);
        if local.eq_ignore_ascii_case("entry") {
            let (written, kind) = self.start_item(tag);
            self.push(tag, written, kind, Form::Escaped);
        }
        if tag.empty {
            self.ended = true;
            while !self.stack.is_empty() {
                self.pop(false);
            }
        }
    }

    pub(super) fn declare(&mut self, tag: Tag<'a>) {
        if tag.attributes.contains("xmlns:") {
            for (name, value) in attributes(tag.attributes) {
                if let Some(prefix) = name.strip_prefix("xmlns:") {
                    self.namespaces.insert(prefix, Ns::of_uri(value));
                }
            }
        }
    }

    /// The namespace and the name in lower case.
    pub(super) fn resolve(&self, tag: Tag<'a>) -> (Ns, Cow<'a, str>) {
        let own = match self.family {
            Family::Rss => Ns::Rss,
            Family::Atom => Ns::Atom,
        };
        match split_prefix(tag.name) {
            Some((prefix, local)) => {
                let ns = self.namespaces.get(prefix).copied().unwrap_or_else(|| Ns::of_prefix(prefix));
                (ns, in_lower_case(local))
            }
            None => {
                // The default namespace of the root says nothing that is not known, and is often wrong.
                let declared = if tag.attributes.contains("xmlns=") { attribute(tag, "xmlns") } else { None };
                let ns = declared.filter(|uri| !uri.is_empty()).map_or(own, |uri| Ns::of_uri(&uri));
                (ns, in_lower_case(tag.name))
            }
        }
    }

    /// What the document says that relative links are relative to.
    pub(super) fn base(&self) -> Option<&Url> {
        self.bases.last().map(|(_, base)| base)
    }

    pub(super) fn joined(&self, base: &str) -> Option<Url> {
        match self.base().or(self.url) {
            Some(outer) => outer.join(base.trim()).ok(),
            None => Url::parse(base.trim()).ok(),
        }
        .filter(|base| !base.cannot_be_a_base())
    }

    /// Notes the element's own `xml:base` for as long as it is open, and answers it.
    pub(super) fn push_base(&mut self, tag: Tag<'a>) -> Option<Url> {
        if !self.has_bases || !tag.attributes.contains("xml:base") {
            return None;
        }
        let base = attribute(tag, "xml:base").and_then(|base| self.joined(&base))?;
        self.bases.push((self.stack.len(), base.clone()));
        Some(base)
    }

    pub(super) fn capture_from(&mut self, ns: Ns, local: &str, role: Role) {
        let what = match role {
            Role::Date(when, rank) => Some(Captured::Date(when, rank)),
            _ if self.capture.is_some() => None,
            Role::Text("language") => Some(Captured::Language),
            Role::Fallback("language") if !self.written.contains(&"language") => Some(Captured::Language),
            _ if self.in_item() => Captured::of_item(ns, local, ns == Ns::Atom && self.in_source()),
            _ => Captured::of_feed(ns, local),
        };
        if let Some(what) = what {
            self.capture = Some(Capture { what, depth: self.stack.len(), text: String::new() });
        }
    }

    /// Whether an item says here where it was taken from.
    fn in_source(&self) -> bool {
        let is_source = |name: &str| split_prefix(name).map_or(name, |(_, local)| local) == "source";
        self.stack.iter().any(|open| open.kind == Kind::Ignored && is_source(open.name))
    }

    /// Keeps what was taken of the element that ends here.
    pub(super) fn store(&mut self, what: Captured, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let in_item = self.in_item();
        match (what, self.items.last_mut()) {
            (Captured::Date(when, rank), _) => self.date(when, rank, text),
            (Captured::Summary(rank), Some(item)) => item.spare_summary.take(rank, text.to_owned()),
            (Captured::SourceAuthor, Some(item)) => item.source_authors.push(text.to_owned()),
            (Captured::Language, Some(item)) if in_item => item.language = language_tag(text),
            _ => self.head.store(what, text),
        }
    }

    /// The address of what comes with the open item, or of its content: its link, if it has no other.
    pub(super) fn spare_link(&mut self, tag: Tag<'a>, ns: Ns, local: &str) {
        let (name, rank) = match (ns, local) {
            (Ns::Atom, "content") => ("src", 3),
            (Ns::Rss, "enclosure") => ("url", 2),
            (Ns::Atom, "link") if attribute(tag, "rel").is_some_and(|rel| relation(&rel) == "enclosure") => ("href", 2),
            (Ns::Media, "content") => ("url", 1),
            _ => return,
        };
        let link = attribute(tag, name).filter(|link| !link.is_empty()).and_then(|link| self.joined(&link));
        if let (Some(link), Some(item)) =
            (link.filter(|link| matches!(link.scheme(), "http" | "https")), self.items.last_mut())
        {
            item.spare_link.take(rank, link);
        }
    }

    /// A date of the open item, or else of the feed.
    pub(super) fn date(&mut self, when: When, rank: u8, text: &str) {
        // An item whose tag is being read is not on the stack yet, and its span is empty.
        let in_item = self.in_item() || self.items.last().is_some_and(|item| item.span.is_empty());
        let dates = match self.items.last_mut() {
            Some(item) if in_item => &mut item.dates,
            _ => &mut self.head.dates,
        };
        dates.take(when, rank, text, &mut self.problems, self.repairs);
    }

    /// CDF has address and date of a channel or item in attributes.
    pub(super) fn attributes_of_cdf(&mut self, tag: Tag<'a>) {
        if self.family != Family::Rss {
            return;
        }
        for (name, value) in attributes(tag.attributes) {
            if name.eq_ignore_ascii_case("href") {
                self.out.push_str("<link>");
                push_mended(&mut self.out, value, self.declared, self.repairs);
                self.out.push_str("</link>");
            } else if name.eq_ignore_ascii_case("lastmod") {
                self.date(When::Updated, 0, value);
            }
        }
    }
}

fn in_lower_case(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => name.to_ascii_lowercase().into(),
        false => name.into(),
    }
}

/// Prefix and local name. None if there is no prefix.
fn split_prefix(name: &str) -> Option<(&str, &str)> {
    let colon = memchr::memrchr(b':', name.as_bytes())?;
    Some((name.get(..colon)?, name.get(colon + 1..)?))
}
