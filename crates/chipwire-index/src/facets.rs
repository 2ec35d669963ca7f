//! Counting the entities of the documents that match.

use std::collections::HashMap;

use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::StrColumn,
};

use crate::{EntityCount, schema};

/// Collects for every value of the column `facet` how many of the matching documents have it; when it is off, nothing.
pub(crate) struct FacetCollector {
    pub(crate) enabled: bool,
}

pub(crate) struct SegmentFacets {
    column: Option<StrColumn>,
    counts: Vec<u64>,
}

impl Collector for FacetCollector {
    type Fruit = HashMap<String, u64>;
    type Child = SegmentFacets;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentFacets> {
        let column = if self.enabled { segment.fast_fields().str(schema::FACET)? } else { None };
        let counts = column.as_ref().map_or_else(Vec::new, |column| vec![0; column.num_terms()]);
        Ok(SegmentFacets { column, counts })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<Self::Fruit>) -> tantivy::Result<Self::Fruit> {
        let mut all = HashMap::new();
        for (value, count) in segments.into_iter().flatten() {
            *all.entry(value).or_default() += count;
        }
        Ok(all)
    }
}

impl SegmentCollector for SegmentFacets {
    type Fruit = HashMap<String, u64>;

    fn collect(&mut self, doc: DocId, _: Score) {
        let Some(column) = &self.column else { return };
        for value in column.term_ords(doc) {
            if let Some(count) = usize::try_from(value).ok().and_then(|value| self.counts.get_mut(value)) {
                *count += 1;
            }
        }
    }

    fn harvest(self) -> Self::Fruit {
        let Some(column) = self.column else { return HashMap::new() };
        let mut counted = HashMap::new();
        let found = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        for (value, count) in found {
            let mut text = String::new();
            if column.ord_to_str(value as u64, &mut text).unwrap_or(false) {
                counted.insert(text, *count);
            }
        }
        counted
    }
}

/// The entities of counted values, most documents first, then by kind and id. Where an entity has had several names,
/// the one that most documents have is taken.
pub(crate) fn entities(counted: &HashMap<String, u64>) -> Vec<EntityCount> {
    let mut values: Vec<(&str, &str, &str, u64)> = Vec::with_capacity(counted.len());
    for (value, count) in counted {
        if let Some((kind, entity, name)) = schema::split_facet(value) {
            values.push((kind, entity, name, *count));
        }
    }
    values.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(b.3.cmp(&a.3)).then(a.2.cmp(b.2)));
    let mut all: Vec<EntityCount> = Vec::new();
    for (kind, entity, name, count) in values {
        match all.last_mut() {
            Some(last) if last.kind == kind && last.entity == entity => last.count += count,
            _ => {
                all.push(EntityCount { kind: kind.to_owned(), entity: entity.to_owned(), name: name.to_owned(), count })
            }
        }
    }
    all.sort_by_key(|entity| std::cmp::Reverse(entity.count));
    all
}
