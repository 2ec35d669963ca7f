//! What the writer of [`super::canonical`] does about tags that were forgotten.

use super::{
    canonical::Family,
    head::Captured,
    names::Ns,
    scan::{Tag, line_of},
    writer::{Kind, Writer},
};

impl<'a> Writer<'a, '_> {
    pub(super) fn fail(&mut self, at: usize, what: String) {
        if self.fault.is_none() {
            self.fault = Some((line_of(self.text, at), what));
            self.fault_item = self.in_item().then_some(self.items.len());
        }
    }

    /// Closes what must have been forgotten if this element begins here.
    pub(super) fn close_before(&mut self, tag: Tag<'a>, ns: Ns, local: &str, at: usize) {
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

    pub(super) fn close_to(&mut self, depth: usize, at: usize) {
        if let Some(open) = self.stack.get(depth) {
            self.fail(at, format!("<{}> is not closed", open.name));
        }
        while self.stack.len() > depth {
            self.pop(false);
        }
    }

    /// Whether another item begins after the byte at `at`.
    pub(super) fn item_follows(&mut self, at: usize) -> bool {
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
}
