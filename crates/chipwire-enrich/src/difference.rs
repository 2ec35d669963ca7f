//! What another gazetteer makes of the same text.

use chipwire_events::Mention;

use crate::Tagger;

/// What one tagger finds in a text and another does not.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// What only the first finds, by position.
    pub removed: Vec<Mention>,
    /// What only the second finds, by position.
    pub added: Vec<Mention>,
}

impl Difference {
    /// Whether both find the same.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

/// What `before` and `after` find in `text`, as far as they differ in entities and places.
pub fn difference(before: &Tagger, after: &Tagger, text: &str) -> Difference {
    let only = |mentions: &[Mention], others: &[Mention]| {
        let place = |mention: &Mention| (mention.start, mention.end);
        let is_same = |a: &Mention, b: &Mention| place(a) == place(b) && a.kind == b.kind && a.entity == b.entity;
        mentions.iter().filter(|mention| !others.iter().any(|other| is_same(mention, other))).cloned().collect()
    };
    let (old, new) = (before.tag_text(text), after.tag_text(text));
    Difference { removed: only(&old, &new), added: only(&new, &old) }
}
