//! What is looked up of an entity while a text is tagged.

use super::BYSTANDERS;
use crate::gazetteer::{EntityDef, Gazetteer, VENDOR_KIND};

/// What kinds of entities are to each other, as far as that is evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Company,
    /// Something that companies make.
    Product,
    Other,
}

/// What is looked up of an entity. Its lists hold positions in the gazetteer and numbers of cues.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sense<'a> {
    pub(super) cues: &'a [u32],
    pub(super) against: &'a [u32],
    /// The companies behind it: its vendor or parent, and theirs.
    pub(super) owners: &'a [u32],
    /// What its cues name, sorted.
    pub(super) named: &'a [u32],
    pub(super) kind: Kind,
    /// It reports, rates or finances all the others: beside it, a name can be anything.
    pub(super) bystander: bool,
    /// It is told apart and never tagged.
    pub(super) negative: bool,
}

/// The senses of all entities, the lists of all in one.
#[derive(Debug, Default)]
pub(super) struct Senses {
    entries: Vec<Entry>,
    lists: Vec<u32>,
}

#[derive(Debug)]
struct Entry {
    /// Where its cues begin in the lists, and where each of its four lists ends.
    bounds: [u32; 5],
    kind: Kind,
    bystander: bool,
    negative: bool,
}

impl Senses {
    pub(super) fn with_capacity(entities: usize) -> Self {
        Self { entries: Vec::with_capacity(entities), lists: Vec::new() }
    }

    /// Adds the next entity of the gazetteer.
    pub(super) fn push(&mut self, entity: &EntityDef, kind: Kind, [cues, against, owners, named]: [&[u32]; 4]) {
        let mut bounds = [size(self.lists.len()); 5];
        for (list, bound) in [cues, against, owners, named].into_iter().zip(bounds.iter_mut().skip(1)) {
            self.lists.extend_from_slice(list);
            *bound = size(self.lists.len());
        }
        let bystander = BYSTANDERS.contains(&entity.class.split('/').next().unwrap_or_default());
        self.entries.push(Entry { bounds, kind, bystander, negative: entity.negative });
    }

    /// Gives back what was kept for more of them.
    pub(super) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
        self.lists.shrink_to_fit();
    }

    pub(super) fn get(&self, entity: usize) -> Option<Sense<'_>> {
        let entry = self.entries.get(entity)?;
        let [cues, against, owners, named, end] = entry.bounds.map(|bound| bound as usize);
        let list = |from, to| self.lists.get(from..to).unwrap_or_default();
        Some(Sense {
            cues: list(cues, against),
            against: list(against, owners),
            owners: list(owners, named),
            named: list(named, end),
            kind: entry.kind,
            bystander: entry.bystander,
            negative: entry.negative,
        })
    }
}

/// A position or a number as it is kept: there are never so many that it would not fit.
pub(super) fn size(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The companies behind an entity, the nearest first.
pub(super) fn owners(gazetteer: &Gazetteer, entity: &EntityDef) -> Vec<u32> {
    let mut owners = Vec::new();
    let mut next: Vec<&str> = entity.vendor.iter().chain(&entity.parent).map(String::as_str).collect();
    while let Some(id) = next.pop() {
        let Some(at) = gazetteer.position(VENDOR_KIND, id) else { continue };
        if !owners.contains(&size(at)) && owners.len() < 4 {
            owners.push(size(at));
            next.extend(gazetteer.entities().get(at).and_then(|owner| owner.parent.as_deref()));
        }
    }
    owners
}
