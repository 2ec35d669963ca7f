//! The writer behind [`super::canonical`]: keeps the stack of open elements, and decides for every token what of it goes out.

use std::collections::HashMap;

use memchr::memmem;
use url::Url;

use super::{
    Repairs, Stage,
    canonical::{ATOM_EPILOG, ATOM_PROLOG, Canonical, Family, Item, RSS_EPILOG, RSS_PROLOG, Told},
    dates::Problems,
    entities::{Declared, push_mended},
    head::{Captured, Head},
    names::{Ns, Role, atom_role, rss_role},
    scan::{Scanner, Tag, Token, attributes},
    tags::{Form, attribute, construct, is_alternate},
};
use crate::text::{decode_entities, language_tag};

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

/// How a text stands in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Between tags: it may hold references.
    Text,
    /// As the inside of a CDATA section, which it can be again.
    Section,
    /// As the inside of one that has no end.
    CutSection,
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
    pub(super) start: usize,
}

/// An element whose text is taken and not written.
pub(super) struct Capture {
    pub(super) what: Captured,
    pub(super) depth: usize,
    pub(super) text: String,
}

/// Writes one feed anew, token by token.
pub(super) struct Writer<'a, 'r> {
    pub(super) text: &'a str,
    pub(super) family: Family,
    pub(super) declared: &'r Declared<'a>,
    pub(super) out: String,
    pub(super) stack: Vec<Open<'a>>,
    pub(super) namespaces: HashMap<&'a str, Ns>,
    pub(super) bases: Vec<(usize, Url)>,
    /// The document has an `xml:base` at all.
    pub(super) has_bases: bool,
    pub(super) url: Option<&'a Url>,
    pub(super) items: Vec<Item>,
    pub(super) max_items: usize,
    /// The elements that the open item, or else the feed, has by now.
    pub(super) written: Vec<&'static str>,
    pub(super) open_text: Option<OpenText>,
    /// The text of an element in base64, as far as it has come.
    pub(super) encoded: String,
    pub(super) capture: Option<Capture>,
    pub(super) problems: Problems,
    pub(super) head: Head,
    pub(super) fault: Option<(usize, String)>,
    pub(super) fault_item: Option<usize>,
    /// Where the last start tag of an item stands, once it has been looked for.
    pub(super) last_item_at: Option<usize>,
    pub(super) ended: bool,
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
            has_bases: memmem::find(text.as_bytes(), b"xml:base").is_some(),
            url,
            items: Vec::new(),
            max_items,
            written: Vec::new(),
            open_text: None,
            encoded: String::new(),
            capture: None,
            problems: Problems::default(),
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
            Token::Text(text) => self.push_text(text, Written::Text),
            Token::Cdata(text) => self.push_text(text, Written::Section),
            Token::CutCdata(text) => self.push_text(text, Written::CutSection),
            Token::Start(tag) => self.start(tag, at),
            Token::End { name, .. } => self.end(name, at),
            Token::Fault(what) => self.fail(at, what.to_owned()),
            Token::Doctype(_) | Token::Other => {}
        }
    }

    pub(super) fn in_item(&self) -> bool {
        self.stack.iter().any(|open| open.kind == Kind::Item)
    }

    fn push_text(&mut self, text: &'a str, written: Written) {
        if let Some(capture) = &mut self.capture {
            match written {
                Written::Text => capture.text.push_str(&decode_entities(text)),
                Written::Section | Written::CutSection => capture.text.push_str(text),
            }
        }
        if self.open_text.is_some() {
            self.write_text(text, written);
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
        if in_item {
            self.spare_link(tag, ns, &local);
        }
        // Elements of Atom and XHTML are written as they are there, in RSS as well.
        let (kind_of_text, form) = match (self.family, ns, &*local) {
            (Family::Rss, Ns::Xhtml, _) => ("html", Form::Inline),
            (Family::Rss, Ns::Atom, "content" | "summary" | "title") => match construct(tag, &local) {
                Some(construct) => construct,
                None => ("", Form::Escaped),
            },
            _ => ("html", Form::Escaped),
        };
        let (written, kind) = match role {
            Role::Item if in_item => ("", Kind::Ignored),
            Role::Item => self.start_item(tag),
            Role::Transparent => ("", Kind::Transparent),
            Role::Structure(name) => (name, Kind::Structure),
            Role::Fallback(_) if kind_of_text.is_empty() => ("", Kind::Ignored),
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
        self.push(tag, written, kind, form);
        self.says_text(tag, written, kind_of_text);
        if kind == Kind::Text && tag.empty {
            self.href_as_text(tag, written);
        }
        if tag.empty {
            self.pop(true);
        }
    }

    pub(super) fn start_item(&mut self, tag: Tag<'a>) -> (&'static str, Kind) {
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
        let language = attribute(tag, "xml:lang").and_then(|language| language_tag(&language));
        self.items.push(Item { language, ..Item::new(start, base) });
        self.attributes_of_cdf(tag);
        (written, Kind::Item)
    }

    fn start_construct(&mut self, tag: Tag<'a>, name: &'static str, (kind, form): (&'static str, Form)) {
        let base = self.push_base(tag);
        self.write_start(name, base.as_ref(), Some(kind));
        self.push(tag, name, Kind::Text, form);
        self.says_text(tag, name, kind);
        if tag.empty {
            self.pop(true);
        }
    }

    pub(super) fn push(&mut self, tag: Tag<'a>, written: &'static str, kind: Kind, form: Form) {
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
        let told = || Told { base: self.bases.last().map(|(_, base)| base.clone()), is_text: false };
        if self.in_item()
            && let Some(item) = self.items.last_mut()
        {
            match written {
                // The parser takes the last of several.
                "summary" | "description" => item.summary = told(),
                "content" | "content:encoded" => item.content = told(),
                "guid" => {
                    let says = attributes(tag.attributes).find(|(name, _)| name.eq_ignore_ascii_case("isPermaLink"));
                    item.guid_is_link = says.is_none_or(|(_, value)| !value.trim().eq_ignore_ascii_case("false"));
                }
                _ => {}
            }
        }
    }

    /// Notes of the text that begins here whether it says that it is plain text.
    fn says_text(&mut self, tag: Tag<'a>, written: &'static str, kind: &str) {
        if kind != "text" || !self.in_item() {
            return;
        }
        let is_text = attribute(tag, "type").is_some_and(|kind| !kind.is_empty());
        match (written, self.items.last_mut()) {
            ("summary" | "description", Some(item)) => item.summary.is_text = is_text,
            ("content" | "content:encoded", Some(item)) => item.content.is_text = is_text,
            _ => {}
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

    /// Takes the last element off the stack and writes its end, as far as it has one.
    pub(super) fn pop(&mut self, has_end: bool) {
        let Some(open) = self.stack.pop() else { return };
        let depth = self.stack.len();
        self.write_end(open, has_end);
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
            self.store(capture.what, &capture.text);
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
        let dates = self.items.iter_mut().map(|item| &mut item.dates);
        self.problems.settle(&mut self.head.dates, dates, self.head.language.as_deref(), self.repairs);
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

#[cfg(test)]
mod tests;
