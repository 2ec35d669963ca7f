//! The writer behind [`super::canonical`]: keeps the stack of open elements, and decides for every token what of it goes out.

use std::{borrow::Cow, collections::HashMap};

use url::Url;

use super::{
    Repairs, Stage,
    canonical::{ATOM_EPILOG, ATOM_PROLOG, Canonical, Family, Item, RSS_EPILOG, RSS_PROLOG},
    entities::{Declared, ends_section, push_escaped, push_mended},
    head::{Captured, Dates, Head},
    names::{Ns, Role, When, atom_role, rss_role},
    scan::{Scanner, Tag, Token, attributes, line_of},
    tags::{Form, attribute, construct, from_base64, is_alternate},
};
use crate::text::{cap_chars, collapse, decode_entities, language_tag};

/// Elements within elements that are followed.
const MAX_DEPTH: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
pub(super) struct Open<'a> {
    pub(super) name: &'a str,
    pub(super) written: &'static str,
    pub(super) kind: Kind,
}

/// The element whose text is being written.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenText {
    pub(super) depth: usize,
    pub(super) written: &'static str,
    /// Inline markup is written as the text of HTML: what is text in it is escaped once more.
    pub(super) form: Form,
    pub(super) wrapper_may_follow: bool,
    /// The whole of it is one CDATA section, as the markup of a clean document can be.
    pub(super) section: bool,
    /// Where its text begins in what is written.
    start: usize,
}

/// An element whose text is taken and not written.
struct Capture {
    what: Captured,
    depth: usize,
    text: String,
}

/// Writes one feed anew, token by token.
pub(super) struct Writer<'a, 'r> {
    text: &'a str,
    family: Family,
    pub(super) declared: &'r Declared<'a>,
    pub(super) out: String,
    pub(super) stack: Vec<Open<'a>>,
    namespaces: HashMap<&'a str, Ns>,
    bases: Vec<(usize, Url)>,
    url: Option<&'a Url>,
    items: Vec<Item>,
    max_items: usize,
    /// The elements that the open item, or else the feed, has by now.
    written: Vec<&'static str>,
    pub(super) open_text: Option<OpenText>,
    /// The text of an element in base64, as far as it has come.
    pub(super) encoded: String,
    capture: Option<Capture>,
    /// What is said of the dates that are not clear, with the first of each kind.
    doubted: Vec<(&'static str, String)>,
    head: Head,
    fault: Option<(usize, String)>,
    fault_item: Option<usize>,
    /// Where the last start tag of an item stands, once it has been looked for.
    last_item_at: Option<usize>,
    ended: bool,
    pub(super) repairs: &'r mut Repairs,
}

impl<'a, 'r> Writer<'a, 'r> {
    pub(super) fn new(
        text: &'a str,
        family: Family,
        url: Option<&'a Url>,
        max_items: usize,
        declared: &'r Declared<'a>,
        repairs: &'r mut Repairs,
    ) -> Self {
        let mut out = String::with_capacity(text.len() + text.len() / 8 + RSS_PROLOG.len());
        out.push_str(if family == Family::Rss { RSS_PROLOG } else { ATOM_PROLOG });
        Self {
            text,
            family,
            declared,
            out,
            stack: Vec::new(),
            namespaces: HashMap::new(),
            bases: Vec::new(),
            url,
            items: Vec::new(),
            max_items,
            written: Vec::new(),
            open_text: None,
            encoded: String::new(),
            capture: None,
            doubted: Vec::new(),
            head: Head::default(),
            fault: None,
            fault_item: None,
            last_item_at: None,
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
            self.fault_item = self.in_item().then_some(self.items.len());
        }
    }

    pub(super) fn in_item(&self) -> bool {
        self.stack.iter().any(|open| open.kind == Kind::Item)
    }

    fn push_text(&mut self, text: &'a str, literal: bool) {
        if let Some(capture) = &mut self.capture {
            match literal {
                true => capture.text.push_str(text),
                false => capture.text.push_str(&decode_entities(text)),
            }
        }
        if self.open_text.is_some() {
            self.write_text(text, literal);
        }
    }

    fn start(&mut self, tag: Tag<'a>, at: usize) {
        if self.stack.is_empty() {
            return self.root(tag);
        }
        self.declare(tag);
        let (ns, local) = self.resolve(tag);
        self.close_before(tag, ns, &local, at);
        if self.stack.len() >= MAX_DEPTH {
            self.repairs.note(Stage::Limits, "elements nested too deep");
            return;
        }
        if self.open_text.is_some() {
            return self.markup(tag);
        }
        let ignored = self.stack.last().is_some_and(|open| open.kind == Kind::Ignored);
        let in_item = self.in_item();
        let role = match self.family {
            _ if ignored => Role::Ignored,
            Family::Rss => rss_role(ns, &local, in_item),
            Family::Atom => atom_role(ns, &local),
        };
        // The second of two descriptions is the text itself.
        let role = match role {
            Role::Text("description") | Role::Fallback("description") if self.written.contains(&"description") => {
                Role::Fallback("content:encoded")
            }
            role => role,
        };
        self.capture_from(ns, &local, role);
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
            Role::Ignored | Role::Date(..) => ("", Kind::Ignored),
        };
        let base = self.push_base(tag);
        if matches!(kind, Kind::Structure | Kind::Text) {
            self.write_start(written, base.as_ref(), None);
        }
        self.push(tag, written, kind, Form::Escaped);
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
    fn resolve(&self, tag: Tag<'a>) -> (Ns, Cow<'a, str>) {
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

    /// Closes what must have been forgotten if this element begins here.
    fn close_before(&mut self, tag: Tag<'a>, ns: Ns, local: &str, at: usize) {
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
                "title" => matches!(written, "link" | "guid"),
                _ => false,
            },
            // Content may be an entry of its own, which then names its namespace again.
            Family::Atom => item && (written != "content" || !tag.attributes.contains("xmlns")),
        });
        if let Some((depth, _)) = text.filter(|_| ends_text) {
            self.close_to(depth, at);
        }
        // No date has elements in it.
        let date = self.capture.as_ref().filter(|capture| matches!(capture.what, Captured::Date(..)));
        if let Some(depth) = date.map(|capture| capture.depth) {
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
            self.repairs.about(None);
            self.repairs.note(Stage::Limits, format!("more than {} items: the rest is left out", self.max_items));
            return ("", Kind::Ignored);
        }
        let start = self.out.len();
        let base = attribute(tag, "xml:base").and_then(|base| self.joined(&base)).or_else(|| self.base().cloned());
        let written = if self.family == Family::Rss { "item" } else { "entry" };
        self.written.clear();
        self.repairs.about(Some(self.items.len() + 1));
        self.write_start(written, base.as_ref(), None);
        if self.family == Family::Rss
            && let Some((_, about)) =
                attributes(tag.attributes).find(|(name, _)| *name == "rdf:about" || *name == "about")
            && !about.trim().is_empty()
        {
            self.out.push_str("<guid>");
            push_mended(&mut self.out, about, self.declared, self.repairs);
            self.out.push_str("</guid>");
        }
        self.items.push(Item { span: start..start, base, guid_is_link: true, dates: Dates::default() });
        self.attributes_of_cdf(tag);
        (written, Kind::Item)
    }

    /// CDF has address and date of a channel or item in attributes.
    fn attributes_of_cdf(&mut self, tag: Tag<'a>) {
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

    fn start_construct(&mut self, tag: Tag<'a>, name: &'static str, (kind, form): (&'static str, Form)) {
        let base = self.push_base(tag);
        self.write_start(name, base.as_ref(), Some(kind));
        self.push(tag, name, Kind::Text, form);
        if tag.empty {
            self.pop(true);
        }
    }

    fn push(&mut self, tag: Tag<'a>, written: &'static str, kind: Kind, form: Form) {
        self.stack.push(Open { name: tag.name, written, kind });
        if kind != Kind::Text {
            return;
        }
        self.written.push(written);
        let depth = self.stack.len() - 1;
        let section = form == Form::Inline && self.repairs.sound;
        if section {
            self.out.push_str("<![CDATA[");
        }
        self.open_text = Some(OpenText {
            depth,
            written,
            form,
            wrapper_may_follow: form == Form::Inline,
            section,
            start: self.out.len(),
        });
        self.encoded.clear();
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

    fn end(&mut self, name: &'a str, at: usize) {
        let Some(depth) = self.stack.iter().rposition(|open| open.name.eq_ignore_ascii_case(name)) else {
            if self.open_text.is_none() {
                self.fail(at, format!("</{name}> closes nothing"));
            }
            return;
        };
        if depth == 0 && self.item_follows(at) {
            self.close_to(1, at);
            self.fail(at, format!("</{name}> before the last item"));
            return;
        }
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

    /// Whether another item begins after the byte at `at`.
    fn item_follows(&mut self, at: usize) -> bool {
        let last = *self.last_item_at.get_or_insert_with(|| {
            let name = match self.family {
                Family::Rss => "item",
                Family::Atom => "entry",
            };
            let tag = |(found, _): &(usize, &str)| {
                let before = self.text.get(..*found).and_then(|before| before.chars().next_back());
                let after = self.text.get(found + name.len()..).and_then(|after| after.chars().next());
                matches!(before, Some('<' | ':')) && after.is_some_and(|c| c.is_whitespace() || matches!(c, '>' | '/'))
            };
            // An end tag has a `/` before its name, unless it has a prefix: then the root's end stands after it all the same.
            self.text.rmatch_indices(name).find(tag).map_or(0, |(found, _)| found)
        });
        last > at && self.items.len() < self.max_items
    }

    /// Takes the last element off the stack and writes its end, as far as it has one.
    fn pop(&mut self, has_end: bool) {
        let Some(open) = self.stack.pop() else { return };
        let depth = self.stack.len();
        if open.kind == Kind::Text && self.open_text.is_some_and(|text| text.form == Form::Base64) {
            match from_base64(&self.encoded) {
                Some(text) => push_escaped(&mut self.out, &text, self.repairs),
                None => self.repairs.note(Stage::Text, "a text in base64 that cannot be decoded"),
            }
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
        match open.kind {
            Kind::Text => self.open_text = None,
            Kind::Item => {
                self.written.clear();
                self.repairs.about(None);
                if let Some(item) = self.items.last_mut() {
                    item.span.end = self.out.len();
                }
            }
            _ => {}
        }
        if !self.bases.is_empty() {
            self.bases.retain(|(at, _)| *at < depth);
        }
        if let Some(capture) = self.capture.take_if(|capture| capture.depth >= depth) {
            match capture.what {
                Captured::Date(when, rank) => self.date(when, rank, &capture.text),
                what => self.head.store(what, &capture.text),
            }
        }
    }

    /// What the document says that relative links are relative to.
    fn base(&self) -> Option<&Url> {
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
    fn push_base(&mut self, tag: Tag<'a>) -> Option<Url> {
        if !tag.attributes.contains("xml:base") {
            return None;
        }
        let base = attribute(tag, "xml:base").and_then(|base| self.joined(&base))?;
        self.bases.push((self.stack.len(), base.clone()));
        Some(base)
    }

    fn capture_from(&mut self, ns: Ns, local: &str, role: Role) {
        let what = match role {
            Role::Date(when, rank) => Some(Captured::Date(when, rank)),
            _ if self.capture.is_none() && !self.in_item() => Captured::of_feed(ns, local),
            _ => None,
        };
        if let Some(what) = what {
            self.capture = Some(Capture { what, depth: self.stack.len(), text: String::new() });
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
        let Some(problem) = dates.take(when, rank, text) else { return };
        let known = self.doubted.iter().find(|(known, _)| *known == problem);
        let what = match known {
            Some((_, what)) => what.clone(),
            None => {
                let example = collapse(cap_chars(text.trim(), 40));
                let what = format!("a date {problem}, such as `{example}`");
                self.doubted.push((problem, what.clone()));
                what
            }
        };
        self.repairs.note(Stage::Dates, what);
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
                self.repairs.note(Stage::Structure, "the last item is cut off and left out");
            }
            while !self.stack.is_empty() {
                self.pop(false);
            }
        }
        if let Some((line, what)) = &self.fault {
            self.repairs.about(self.fault_item);
            self.repairs.note(Stage::Structure, format!("line {line}: {what}"));
            self.repairs.about(None);
        }
        self.out.push_str(if self.family == Family::Rss { RSS_EPILOG } else { ATOM_EPILOG });
        self.head.skip_hours.truncate(24);
        self.head.skip_days.truncate(7);
        Canonical {
            family: self.family,
            xml: self.out,
            items: self.items,
            head: self.head,
            cut_off: !self.ended,
            fault: self.fault,
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
