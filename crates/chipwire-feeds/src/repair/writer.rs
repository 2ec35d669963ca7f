//! The writer behind [`super::canonical`]: keeps the stack of open elements, and decides for every token what of it goes out.

use std::collections::HashMap;

use url::Url;

use super::{
    Repairs,
    canonical::{ATOM_EPILOG, ATOM_PROLOG, Canonical, Family, Head, Item, RSS_EPILOG, RSS_PROLOG},
    entities::{push_escaped, push_mended},
    names::{Ns, Role, atom_role, rss_role},
    scan::{Scanner, Tag, Token, attributes, line_of},
    tags::{attribute, construct, is_alternate, parted},
};
use crate::text::language_tag;

/// Elements within elements that are followed.
const MAX_DEPTH: usize = 200;

/// Attributes that are kept, besides `xml:base`.
const KEPT_ATTRIBUTES: &[&str] = &["href", "rel", "type", "term", "label", "hreflang", "title"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Root,
    Item,
    Transparent,
    Structure,
    Text,
    Markup,
    /// The `<div>` that Atom wants around XHTML.
    Wrapper,
    Ignored,
}

/// An element whose end tag is still to come.
#[derive(Debug, Clone, Copy)]
struct Open<'a> {
    name: &'a str,
    written: &'static str,
    kind: Kind,
}

/// The element whose text is being written.
#[derive(Debug, Clone, Copy)]
struct OpenText {
    depth: usize,
    written: &'static str,
    /// Its markup is XML, to be written as the text of HTML: what is text in it is escaped once more.
    inline: bool,
    wrapper_may_follow: bool,
}

#[derive(Debug, Clone, Copy)]
enum Captured {
    Ttl,
    Hour,
    Day,
    Period,
    Frequency,
}

/// Writes one feed anew, token by token.
pub(super) struct Writer<'a, 'r> {
    text: &'a str,
    family: Family,
    out: String,
    stack: Vec<Open<'a>>,
    namespaces: HashMap<&'a str, Ns>,
    bases: Vec<(usize, Url)>,
    url: Option<&'a Url>,
    items: Vec<Item>,
    max_items: usize,
    /// The elements that the open item, or else the feed, has by now.
    written: Vec<&'static str>,
    open_text: Option<OpenText>,
    capture: Option<(Captured, usize, String)>,
    head: Head,
    fault: Option<(usize, String)>,
    ended: bool,
    repairs: &'r mut Repairs,
}

impl<'a, 'r> Writer<'a, 'r> {
    pub(super) fn new(
        text: &'a str,
        family: Family,
        url: Option<&'a Url>,
        max_items: usize,
        repairs: &'r mut Repairs,
    ) -> Self {
        let mut out = String::with_capacity(text.len() + text.len() / 8 + RSS_PROLOG.len());
        out.push_str(if family == Family::Rss { RSS_PROLOG } else { ATOM_PROLOG });
        Self {
            text,
            family,
            out,
            stack: Vec::new(),
            namespaces: HashMap::new(),
            bases: Vec::new(),
            url,
            items: Vec::new(),
            max_items,
            written: Vec::new(),
            open_text: None,
            capture: None,
            head: Head::default(),
            fault: None,
            ended: false,
            repairs,
        }
    }

    pub(super) fn run(&mut self) {
        let mut scanner = Scanner::new(self.text);
        while !self.ended {
            let at = scanner.position();
            let Some(token) = scanner.next() else { break };
            self.token(token, at);
        }
    }

    fn token(&mut self, token: Token<'a>, at: usize) {
        match token {
            Token::Text(text) => self.push_text(text, false),
            Token::Cdata(text) => self.push_text(text, true),
            Token::Start(tag) => self.start(tag, at),
            Token::End { name, .. } => self.end(name, at),
            Token::Fault(what) => self.fail(at, what.to_owned()),
            Token::Doctype(_) | Token::Other => {}
        }
    }

    fn fail(&mut self, at: usize, what: String) {
        if self.fault.is_none() {
            self.fault = Some((line_of(self.text, at), what));
        }
    }

    fn in_item(&self) -> bool {
        self.stack.iter().any(|open| open.kind == Kind::Item)
    }

    fn push_text(&mut self, text: &str, literal: bool) {
        if let Some((_, _, captured)) = &mut self.capture {
            captured.push_str(text);
        }
        let Some(open) = &mut self.open_text else { return };
        if !text.trim().is_empty() {
            open.wrapper_may_follow = false;
        }
        let is_person = matches!(open.written, "author" | "dc:creator");
        let inline = open.inline;
        let mut mended = String::new();
        let out = if inline || is_person { &mut mended } else { &mut self.out };
        match literal {
            true => push_escaped(out, text, self.repairs),
            false => push_mended(out, text, self.repairs),
        }
        if is_person {
            self.out.push_str(&parted(&mended));
        } else if inline {
            push_escaped(&mut self.out, &mended, self.repairs);
        }
    }

    fn start(&mut self, tag: Tag<'a>, at: usize) {
        if self.stack.is_empty() {
            return self.root(tag);
        }
        self.declare(tag);
        let (ns, local) = self.resolve(tag);
        self.close_before(ns, &local, at);
        if self.stack.len() >= MAX_DEPTH {
            self.repairs.note("elements nested too deep");
            return;
        }
        if self.open_text.is_some() {
            return self.markup(tag);
        }
        let ignored = self.stack.last().is_some_and(|open| open.kind == Kind::Ignored);
        self.capture_from(ns, &local);
        let in_item = self.in_item();
        let role = match self.family {
            _ if ignored => Role::Ignored,
            Family::Rss => rss_role(ns, &local, in_item),
            Family::Atom => atom_role(ns, &local),
        };
        let (written, kind) = match role {
            Role::Item if in_item => ("", Kind::Ignored),
            Role::Item => self.start_item(tag),
            Role::Transparent => ("", Kind::Transparent),
            Role::Structure(name) => (name, Kind::Structure),
            Role::Fallback(name) if self.written.contains(&name) => ("", Kind::Ignored),
            Role::Fallback("link") if !is_alternate(tag) => ("", Kind::Ignored),
            Role::Fallback(name) | Role::Text(name) => (name, Kind::Text),
            Role::Construct(name) => match construct(tag, name) {
                Some(construct) => return self.start_construct(tag, name, construct),
                None => ("", Kind::Ignored),
            },
            Role::Empty(name) => {
                self.write_empty(tag, name);
                ("", Kind::Ignored)
            }
            Role::Ignored => ("", Kind::Ignored),
        };
        let base = self.push_base(tag);
        if matches!(kind, Kind::Structure | Kind::Text) {
            self.write_start(written, base.as_ref(), None);
        }
        self.push(tag, written, kind, false);
        if kind == Kind::Text && tag.empty {
            self.href_as_text(tag, written);
        }
        if tag.empty {
            self.pop(true);
        }
    }

    /// The root tag decides nothing but namespaces, base and language: the rest is known.
    fn root(&mut self, tag: Tag<'a>) {
        self.declare(tag);
        self.push_base(tag);
        self.head.base = self.base().cloned();
        self.head.language =
            attribute(tag, "xml:lang").or_else(|| attribute(tag, "lang")).and_then(|lang| language_tag(&lang));
        let local = tag.name.rsplit(':').next().unwrap_or_default();
        if local.eq_ignore_ascii_case("rss") && attribute(tag, "version").is_none() {
            self.repairs.note("<rss> without a version");
        }
        if attribute(tag, "xmlns").is_some_and(|uri| uri.starts_with("http://purl.org/atom/ns")) {
            self.repairs.note("Atom 0.3, which was given up for Atom 1.0 in 2005");
        }
        self.push(tag, "", Kind::Root, false);
        if local.eq_ignore_ascii_case("entry") {
            let (written, kind) = self.start_item(tag);
            self.push(tag, written, kind, false);
        }
        if tag.empty {
            self.ended = true;
        }
    }

    fn declare(&mut self, tag: Tag<'a>) {
        if tag.attributes.contains("xmlns:") {
            for (name, value) in attributes(tag.attributes) {
                if let Some(prefix) = name.strip_prefix("xmlns:") {
                    self.namespaces.insert(prefix, Ns::of_uri(value));
                }
            }
        }
    }

    /// The namespace and the name in lower case.
    fn resolve(&self, tag: Tag<'a>) -> (Ns, String) {
        let own = match self.family {
            Family::Rss => Ns::Rss,
            Family::Atom => Ns::Atom,
        };
        match tag.name.rsplit_once(':') {
            Some((prefix, local)) => {
                let ns = self.namespaces.get(prefix).copied().unwrap_or_else(|| Ns::of_prefix(prefix));
                (ns, local.to_ascii_lowercase())
            }
            None => {
                // The default namespace of the root says nothing that is not known, and is often wrong.
                let declared = if tag.attributes.contains("xmlns=") { attribute(tag, "xmlns") } else { None };
                let ns = declared.filter(|uri| !uri.is_empty()).map_or(own, |uri| Ns::of_uri(&uri));
                (ns, tag.name.to_ascii_lowercase())
            }
        }
    }

    /// Closes what must have been forgotten if this element begins here.
    fn close_before(&mut self, ns: Ns, local: &str, at: usize) {
        let item = match self.family {
            Family::Rss => ns == Ns::Rss && local == "item",
            Family::Atom => ns == Ns::Atom && local == "entry",
        };
        let text = self.open_text.map(|open| (open.depth, open.written));
        let ends_text = text.is_some_and(|(_, written)| match self.family {
            Family::Rss if ns != Ns::Rss && ns != Ns::Content => false,
            Family::Rss => match local {
                "item" | "guid" | "pubdate" | "encoded" => true,
                "link" | "description" => written == "title",
                "title" => matches!(written, "link" | "guid" | "pubDate"),
                _ => false,
            },
            Family::Atom => item && written != "content",
        });
        if let Some((depth, _)) = text.filter(|_| ends_text) {
            self.close_to(depth, at);
        }
        if item && self.open_text.is_none() {
            let open =
                self.stack.iter().position(|open| matches!(open.kind, Kind::Item | Kind::Ignored | Kind::Structure));
            if let Some(depth) = open {
                self.close_to(depth, at);
            }
        }
    }

    fn close_to(&mut self, depth: usize, at: usize) {
        if let Some(open) = self.stack.get(depth) {
            self.fail(at, format!("<{}> is not closed", open.name));
        }
        while self.stack.len() > depth {
            self.pop(false);
        }
    }

    fn start_item(&mut self, tag: Tag<'a>) -> (&'static str, Kind) {
        if self.items.len() >= self.max_items {
            self.repairs.note(format!("more than {} items: the rest is left out", self.max_items));
            return ("", Kind::Ignored);
        }
        let start = self.out.len();
        let base = attribute(tag, "xml:base").and_then(|base| self.joined(&base)).or_else(|| self.base().cloned());
        let written = if self.family == Family::Rss { "item" } else { "entry" };
        self.written.clear();
        self.write_start(written, base.as_ref(), None);
        if self.family == Family::Rss
            && let Some((_, about)) =
                attributes(tag.attributes).find(|(name, _)| *name == "rdf:about" || *name == "about")
            && !about.trim().is_empty()
        {
            self.out.push_str("<guid>");
            push_mended(&mut self.out, about, self.repairs);
            self.out.push_str("</guid>");
        }
        self.items.push(Item { span: start..start, base, guid_is_link: true });
        (written, Kind::Item)
    }

    fn start_construct(&mut self, tag: Tag<'a>, name: &'static str, (kind, inline): (&'static str, bool)) {
        let base = self.push_base(tag);
        self.write_start(name, base.as_ref(), Some(kind));
        self.push(tag, name, Kind::Text, inline);
        if tag.empty {
            self.pop(true);
        }
    }

    fn push(&mut self, tag: Tag<'a>, written: &'static str, kind: Kind, inline: bool) {
        self.stack.push(Open { name: tag.name, written, kind });
        if kind != Kind::Text {
            return;
        }
        self.written.push(written);
        let depth = self.stack.len() - 1;
        self.open_text = Some(OpenText { depth, written, inline, wrapper_may_follow: inline });
        let base = self.base().cloned();
        if self.in_item()
            && let Some(item) = self.items.last_mut()
        {
            match written {
                "content" | "summary" | "description" | "content:encoded" => item.base = base,
                "guid" => {
                    let says = attributes(tag.attributes).find(|(name, _)| name.eq_ignore_ascii_case("isPermaLink"));
                    item.guid_is_link = says.is_none_or(|(_, value)| !value.trim().eq_ignore_ascii_case("false"));
                }
                _ => {}
            }
        }
    }

    /// `<link href="..."/>` in RSS: the address is what its text should have been.
    fn href_as_text(&mut self, tag: Tag<'a>, written: &str) {
        if written == "link"
            && is_alternate(tag)
            && let Some(href) = attribute(tag, "href")
        {
            push_escaped(&mut self.out, &href, self.repairs);
        }
    }

    fn write_start(&mut self, name: &str, base: Option<&Url>, kind: Option<&str>) {
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

    fn write_empty(&mut self, tag: Tag<'a>, name: &'static str) {
        self.out.push('<');
        self.out.push_str(name);
        let own = attribute(tag, "xml:base").and_then(|base| self.joined(&base));
        for (name, value) in attributes(tag.attributes) {
            if KEPT_ATTRIBUTES.contains(&name) {
                self.out.push(' ');
                self.out.push_str(name);
                self.out.push_str("=\"");
                push_mended(&mut self.out, value, self.repairs);
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
    fn markup(&mut self, tag: Tag<'a>) {
        let Some(open) = &mut self.open_text else { return };
        let local = tag.name.rsplit(':').next().unwrap_or_default();
        let wrapper = std::mem::take(&mut open.wrapper_may_follow) && local.eq_ignore_ascii_case("div");
        if !open.inline {
            self.repairs.note(format!("markup in <{}> that was not escaped", open.written));
        }
        if !wrapper {
            push_escaped(&mut self.out, "<", self.repairs);
            self.out.push_str(local);
            push_escaped(&mut self.out, tag.attributes, self.repairs);
            push_escaped(&mut self.out, if tag.empty { "/>" } else { ">" }, self.repairs);
        }
        if !tag.empty {
            let kind = if wrapper { Kind::Wrapper } else { Kind::Markup };
            self.stack.push(Open { name: tag.name, written: "", kind });
        }
    }

    fn end(&mut self, name: &'a str, at: usize) {
        let Some(depth) = self.stack.iter().rposition(|open| open.name.eq_ignore_ascii_case(name)) else {
            if self.open_text.is_none() {
                self.fail(at, format!("</{name}> closes nothing"));
            }
            return;
        };
        while self.stack.len() > depth + 1 {
            if let Some(open) = self.stack.last()
                && !matches!(open.kind, Kind::Markup | Kind::Wrapper)
            {
                let what = format!("<{}> is not closed", open.name);
                self.fail(at, what);
            }
            self.pop(false);
        }
        self.pop(true);
        // A feed whose root is an entry has the same tag on the stack twice.
        if self.stack.len() == 1 && self.stack.first().is_some_and(|root| root.name.ends_with("entry")) {
            self.pop(true);
        }
        self.ended = self.stack.is_empty();
    }

    /// Takes the last element off the stack and writes its end, as far as it has one.
    fn pop(&mut self, has_end: bool) {
        let Some(open) = self.stack.pop() else { return };
        let depth = self.stack.len();
        match open.kind {
            Kind::Text | Kind::Structure | Kind::Item => {
                self.out.push_str("</");
                self.out.push_str(open.written);
                self.out.push('>');
            }
            Kind::Markup if has_end => {
                let local = open.name.rsplit(':').next().unwrap_or_default();
                push_escaped(&mut self.out, &format!("</{local}>"), self.repairs);
            }
            _ => {}
        }
        match open.kind {
            Kind::Text => self.open_text = None,
            Kind::Item => {
                self.written.clear();
                if let Some(item) = self.items.last_mut() {
                    item.span.end = self.out.len();
                }
            }
            _ => {}
        }
        self.bases.retain(|(at, _)| *at < depth);
        if let Some((what, at, text)) = self.capture.take() {
            if at >= depth {
                self.store(what, &text);
            } else {
                self.capture = Some((what, at, text));
            }
        }
    }

    fn base(&self) -> Option<&Url> {
        self.bases.last().map(|(_, base)| base).or(self.url)
    }

    fn joined(&self, base: &str) -> Option<Url> {
        match self.base() {
            Some(outer) => outer.join(base.trim()).ok(),
            None => Url::parse(base.trim()).ok(),
        }
        .filter(|base| !base.cannot_be_a_base())
    }

    /// Notes the element's own `xml:base` for as long as it is open, and answers it.
    fn push_base(&mut self, tag: Tag<'a>) -> Option<Url> {
        if !tag.attributes.contains("xml:base") {
            return None;
        }
        let base = attribute(tag, "xml:base").and_then(|base| self.joined(&base))?;
        self.bases.push((self.stack.len(), base.clone()));
        Some(base)
    }

    fn capture_from(&mut self, ns: Ns, local: &str) {
        let what = match (ns, local) {
            (Ns::Rss, "ttl") => Captured::Ttl,
            (Ns::Rss, "hour") => Captured::Hour,
            (Ns::Rss, "day") => Captured::Day,
            (Ns::Syndication, "updateperiod") => Captured::Period,
            (Ns::Syndication, "updatefrequency") => Captured::Frequency,
            _ => return,
        };
        if !self.in_item() {
            self.capture = Some((what, self.stack.len(), String::new()));
        }
    }

    fn store(&mut self, what: Captured, text: &str) {
        let text = text.trim();
        match what {
            Captured::Ttl => self.head.ttl_min = text.parse().ok(),
            Captured::Hour => {
                // Both 0 and 24 stand for midnight in feeds.
                self.head.skip_hours.extend(text.parse::<u8>().ok().filter(|hour| *hour <= 24).map(|hour| hour % 24));
            }
            Captured::Day => self.head.skip_days.push(text.to_ascii_lowercase()),
            Captured::Period => self.head.update_period = Some(text.to_ascii_lowercase()),
            Captured::Frequency => self.head.update_frequency = text.parse().ok(),
        }
    }

    pub(super) fn finish(mut self) -> Canonical {
        if !self.ended {
            let inside = self.stack.last().map_or_else(String::new, |open| format!(" inside <{}>", open.name));
            self.fail(self.text.len(), format!("the document ends{inside}"));
            // Half an item would be published now and as another one when the rest has come.
            let half = self.stack.iter().position(|open| open.kind == Kind::Item);
            if let (Some(depth), true) = (half, self.items.len() > 1)
                && let Some(item) = self.items.pop()
            {
                self.out.truncate(item.span.start);
                self.stack.truncate(depth);
                self.repairs.note("the last item is cut off and left out");
            }
            while !self.stack.is_empty() {
                self.pop(false);
            }
        }
        if let Some((line, what)) = &self.fault {
            self.repairs.note(format!("line {line}: {what}"));
        }
        self.out.push_str(if self.family == Family::Rss { RSS_EPILOG } else { ATOM_EPILOG });
        self.head.skip_hours.truncate(24);
        self.head.skip_days.truncate(7);
        Canonical { family: self.family, xml: self.out, items: self.items, head: self.head, fault: self.fault }
    }
}
