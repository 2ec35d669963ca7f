//! A query for terms that stand in order: phrases, also with words between or with a last word that goes on.
//!
//! The engine has such queries, but its idea of distance is another than that of the query language (and approximate),
//! and it expands a prefix only so far. Here the positions are judged by the same function that the alerts use.

use std::ops::ControlFlow;

use chipwire_query::each_occurrence;
use tantivy::{
    DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term,
    fieldnorm::FieldNormReader,
    postings::{Postings, SegmentPostings},
    query::{Bm25Weight, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight},
    schema::{Field, IndexRecordOption},
};

/// Terms of one field in order, at least two.
#[derive(Debug, Clone)]
pub(crate) struct OrderedQuery {
    pub(crate) field: Field,
    /// The offset of each term in the phrase, and the term.
    pub(crate) terms: Vec<(u32, Term)>,
    /// True when the last term may go on.
    pub(crate) is_prefix: bool,
    /// How many positions more the phrase may take.
    pub(crate) slop: u32,
}

impl Query for OrderedQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let similarity = match scoring {
            EnableScoring::Enabled { statistics_provider, .. } => {
                let whole = if self.is_prefix { self.terms.len().saturating_sub(1) } else { self.terms.len() };
                let terms: Vec<Term> = self.terms.iter().take(whole).map(|(_, term)| term.clone()).collect();
                Some(Bm25Weight::for_terms(statistics_provider, &terms)?)
            }
            EnableScoring::Disabled { .. } => None,
        };
        Ok(Box::new(OrderedWeight { query: self.clone(), similarity }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.terms.iter().for_each(|(_, term)| visitor(term, true));
    }
}

struct OrderedWeight {
    query: OrderedQuery,
    similarity: Option<Bm25Weight>,
}

impl OrderedWeight {
    /// `None` when a term does not occur in the segment.
    fn slots(&self, reader: &SegmentReader) -> tantivy::Result<Option<Vec<Slot>>> {
        let index = reader.inverted_index(self.query.field)?;
        let option = IndexRecordOption::WithFreqsAndPositions;
        let mut slots = Vec::with_capacity(self.query.terms.len());
        for (i, (offset, term)) in self.query.terms.iter().enumerate() {
            let mut postings = Vec::new();
            if self.query.is_prefix && i + 1 == self.query.terms.len() {
                let prefix = term.serialized_value_bytes();
                let mut words = index.terms().range().ge(prefix).into_stream()?;
                while words.advance() && words.key().starts_with(prefix) {
                    postings.push(index.read_postings_from_terminfo(words.value(), option)?);
                }
            } else {
                postings.extend(index.read_postings(term, option)?);
            }
            if postings.is_empty() {
                return Ok(None);
            }
            slots.push(Slot { offset: *offset, postings, positions: Vec::new() });
        }
        Ok(Some(slots))
    }

    fn open(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Option<OrderedScorer>> {
        let Some(slots) = self.slots(reader)? else { return Ok(None) };
        let norms = match &self.similarity {
            Some(_) => reader.get_fieldnorms_reader(self.query.field)?,
            None => FieldNormReader::constant(reader.max_doc(), 1),
        };
        let similarity = self.similarity.as_ref().map(|similarity| similarity.boost_by(boost));
        let lead = (0..slots.len()).min_by_key(|i| slots.get(*i).map_or(u32::MAX, Slot::size_hint)).unwrap_or(0);
        let mut scorer = OrderedScorer { slots, lead, slop: self.query.slop, count: 0, doc: 0, norms, similarity };
        scorer.settle();
        Ok(Some(scorer))
    }
}

impl Weight for OrderedWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(match self.open(reader, boost)? {
            Some(scorer) => Box::new(scorer),
            None => Box::new(EmptyScorer),
        })
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let missing = || TantivyError::InvalidArgument(format!("document {doc} does not match"));
        let mut scorer = self.open(reader, 1.0)?.ok_or_else(missing)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(missing());
        }
        Ok(Explanation::new("terms in order", scorer.score()))
    }
}

/// One place in the phrase: a term, or all terms that start alike.
struct Slot {
    offset: u32,
    postings: Vec<SegmentPostings>,
    positions: Vec<u32>,
}

impl Slot {
    fn size_hint(&self) -> u32 {
        self.postings.iter().fold(0, |sum, postings| sum.saturating_add(postings.size_hint()))
    }

    /// The first document from `target` on.
    fn seek(&mut self, target: DocId) -> DocId {
        let seek = |postings: &mut SegmentPostings| {
            if postings.doc() < target { postings.seek(target) } else { postings.doc() }
        };
        self.postings.iter_mut().map(seek).min().unwrap_or(TERMINATED)
    }

    /// Reads the positions in `doc`, ascending and without repetition.
    fn load(&mut self, doc: DocId) {
        self.positions.clear();
        let mut here = self.postings.iter_mut().filter(|postings| postings.doc() == doc);
        if let Some(first) = here.next() {
            first.positions(&mut self.positions);
        }
        let mut more = Vec::new();
        for postings in here {
            postings.positions(&mut more);
            self.positions.append(&mut more);
        }
        self.positions.sort_unstable();
        self.positions.dedup();
    }
}

struct OrderedScorer {
    slots: Vec<Slot>,
    /// The slot with the fewest documents.
    lead: usize,
    slop: u32,
    /// The occurrences in `doc`.
    count: u32,
    doc: DocId,
    norms: FieldNormReader,
    similarity: Option<Bm25Weight>,
}

impl OrderedScorer {
    /// Moves from `self.doc` to the first document that matches, which may be the same.
    fn settle(&mut self) {
        'candidates: loop {
            self.doc = self.slots.get_mut(self.lead).map_or(TERMINATED, |slot| slot.seek(self.doc));
            if self.doc == TERMINATED {
                return;
            }
            for slot in &mut self.slots {
                let doc = slot.seek(self.doc);
                if doc != self.doc {
                    self.doc = doc;
                    if doc == TERMINATED {
                        return;
                    }
                    continue 'candidates;
                }
            }
            self.slots.iter_mut().for_each(|slot| slot.load(self.doc));
            let lists: Vec<(u32, &[u32])> =
                self.slots.iter().map(|slot| (slot.offset, slot.positions.as_slice())).collect();
            let mut count = 0;
            each_occurrence(&lists, self.slop, |_| {
                count += 1;
                ControlFlow::Continue(())
            });
            self.count = count;
            if count > 0 {
                return;
            }
            self.doc += 1;
        }
    }
}

impl DocSet for OrderedScorer {
    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.doc += 1;
            self.settle();
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            self.doc = target;
            if target != TERMINATED {
                self.settle();
            }
        }
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.slots.get(self.lead).map_or(0, Slot::size_hint)
    }
}

impl Scorer for OrderedScorer {
    fn score(&mut self) -> Score {
        let norm = self.norms.fieldnorm_id(self.doc);
        self.similarity.as_ref().map_or(1.0, |similarity| similarity.score(norm, self.count))
    }
}
