//! What had to be repaired.

use std::fmt;

/// The steps of a repair, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// From bytes to text.
    Encoding,
    /// Where the feed begins, and of which version it is.
    Root,
    /// References, bare ampersands, characters that XML does not allow.
    Text,
    /// Tags that do not match, sections without an end, a document that is cut off.
    Structure,
    /// Dates that say nothing.
    Dates,
    /// Item by item, because the whole could not be parsed.
    Salvage,
    /// More of something than is read.
    Limits,
}

impl Stage {
    /// Its name, as it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Encoding => "encoding",
            Stage::Root => "root",
            Stage::Text => "text",
            Stage::Structure => "structure",
            Stage::Dates => "dates",
            Stage::Salvage => "salvage",
            Stage::Limits => "limits",
        }
    }
}

/// Something that had to be repaired, for the feed's owner.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Repair {
    /// The step that did it.
    pub stage: Stage,
    /// What was wrong, in words.
    pub what: String,
    /// The items it was wrong in, counted from 1 in the order of the document. Empty if it was the feed around them.
    pub items: Vec<usize>,
}

/// In words, with the first few items.
impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        f.write_str(&self.what)?;
        let Some((first, rest)) = self.items.split_first() else { return Ok(()) };
        write!(f, " (item{} {first}", if rest.is_empty() { "" } else { "s" })?;
        for item in rest.iter().take(SHOWN - 1) {
            write!(f, ", {item}")?;
        }
        match self.items.len().saturating_sub(SHOWN) {
            0 => f.write_str(")"),
            more => write!(f, " and {more} more)"),
        }
    }
}

/// Collects repairs, each thing once.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Repairs {
    list: Vec<Repair>,
    /// The item that is being read, from 1.
    item: Option<usize>,
    /// The document is known to hold no character that has to be mended: texts can be copied.
    pub(super) sound: bool,
}

/// Different things that are noted at most: a hostile document could name something new with every tag.
const MAX_NOTES: usize = 100;

impl Repairs {
    /// What is noted from now on is about this item, or about the feed.
    pub(crate) fn about(&mut self, item: Option<usize>) {
        self.item = item;
    }

    pub(crate) fn note(&mut self, stage: Stage, what: impl AsRef<str>) {
        let what = what.as_ref();
        let room = self.list.len() < MAX_NOTES;
        let known = self.list.iter_mut().find(|known| known.stage == stage && known.what == what);
        match (known, self.item) {
            (Some(known), Some(item)) if known.items.last() != Some(&item) => known.items.push(item),
            (Some(_), _) => {}
            (None, item) if room => {
                self.list.push(Repair { stage, what: what.to_owned(), items: item.into_iter().collect() });
            }
            (None, _) => {}
        }
    }

    /// In the order of the stages.
    pub(crate) fn into_vec(mut self) -> Vec<Repair> {
        self.list.sort_by_key(|repair| repair.stage);
        self.list
    }
}

/// For the tests of the single stages.
#[cfg(test)]
pub(crate) fn in_words(repairs: Repairs) -> Vec<String> {
    repairs.into_vec().iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_noted_once_with_its_items() {
        let mut repairs = Repairs::default();
        repairs.note(Stage::Limits, "too much");
        for item in 1..=7 {
            repairs.about(Some(item));
            repairs.note(Stage::Text, "a bare ampersand");
            repairs.note(Stage::Text, "a bare ampersand");
        }
        repairs.note(Stage::Dates, "no date");
        assert_eq!(
            in_words(repairs),
            ["a bare ampersand (items 1, 2, 3, 4, 5 and 2 more)", "no date (item 7)", "too much"]
        );
    }
}
