//! The part of a body that shows best why a document matches.

use std::{collections::HashMap, ops::ControlFlow};

use chipwire_query::{
    Pattern, Query, TextField,
    analyze::{Token, Tokens},
    each_occurrence,
};

use crate::{Document, Snippet};

/// The length of a snippet in bytes, more or less.
const WINDOW_BYTES: usize = 260;
/// How much of a body is looked at.
const MAX_BODY_BYTES: usize = 128 * 1024;
/// How far a snippet's ends move to fall between words.
const SNAP_BYTES: usize = 24;
const ELLIPSIS: &str = "…";

/// What to mark in the bodies of a search's hits.
pub(crate) struct Highlighter {
    patterns: Vec<Pattern>,
    entities: Vec<(String, String)>,
}

/// A place to mark, and which part of the query it is for.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    part: usize,
}

/// By pattern and term: the positions of the term, with their bytes.
type Places = HashMap<(usize, usize), Vec<(u32, usize, usize)>>;

impl Highlighter {
    pub(crate) fn new(query: &Query) -> Self {
        let in_body = query.wanted_patterns().into_iter().filter(|(field, _)| *field != Some(TextField::Title));
        let entities = query.wanted_entities().into_iter();
        Self {
            patterns: in_body.map(|(_, pattern)| pattern).collect(),
            entities: entities.map(|(kind, id)| (kind.to_owned(), id.to_owned())).collect(),
        }
    }

    pub(crate) fn snippet(&self, document: &Document) -> Snippet {
        let end = document.body.floor_char_boundary(MAX_BODY_BYTES);
        let body = document.body.get(..end).unwrap_or_default();
        let mut spans = self.spans_of_patterns(body);
        spans.extend(self.spans_of_entities(document, body));
        spans.sort_by_key(|span| (span.start, span.end));
        let (start, end) = window(body, &spans);
        cut(body, start, end, &spans)
    }

    fn spans_of_entities<'s>(&'s self, document: &'s Document, body: &'s str) -> impl Iterator<Item = Span> + 's {
        let wanted = |kind: &str, entity: &str| self.entities.iter().position(|(k, id)| k == kind && id == entity);
        let in_body = document.mentions.iter().filter(|mention| !mention.in_title);
        let inside =
            in_body.filter(|mention| mention.start < mention.end && body.get(mention.start..mention.end).is_some());
        inside.filter_map(move |mention| {
            let part = self.patterns.len() + wanted(&mention.kind, &mention.entity)?;
            Some(Span { start: mention.start, end: mention.end, part })
        })
    }

    fn spans_of_patterns(&self, body: &str) -> Vec<Span> {
        let places = self.places(body);
        let mut spans = Vec::new();
        for (part, pattern) in self.patterns.iter().enumerate() {
            let mut slots: Vec<(u32, Vec<u32>)> = Vec::new();
            for (i, term) in pattern.terms.iter().enumerate() {
                let found = places.get(&(part, i)).map(|found| found.iter().map(|place| place.0).collect::<Vec<u32>>());
                let mut positions = found.unwrap_or_default();
                positions.dedup();
                slots.push((term.offset, positions));
            }
            let lists: Vec<(u32, &[u32])> = slots.iter().map(|(offset, at)| (*offset, at.as_slice())).collect();
            each_occurrence(&lists, pattern.slop, |positions| {
                for (i, position) in positions.iter().enumerate() {
                    let found = places.get(&(part, i)).into_iter().flatten();
                    spans.extend(found.filter(|place| place.0 == *position).map(|(_, start, end)| Span {
                        start: *start,
                        end: *end,
                        part,
                    }));
                }
                ControlFlow::Continue(())
            });
        }
        spans
    }

    /// Where the terms of the patterns stand in `body`.
    fn places(&self, body: &str) -> Places {
        let mut whole: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
        let mut prefixes = Vec::new();
        for (part, pattern) in self.patterns.iter().enumerate() {
            for (i, term) in pattern.terms.iter().enumerate() {
                if pattern.is_prefix && i + 1 == pattern.terms.len() {
                    prefixes.push((term.text.as_str(), (part, i)));
                } else {
                    whole.entry(term.text.as_str()).or_default().push((part, i));
                }
            }
        }
        let mut places = Places::new();
        if whole.is_empty() && prefixes.is_empty() {
            return places;
        }
        let mut tokens = Tokens::new(body);
        let mut token = Token::default();
        while tokens.advance(&mut token) {
            let place = (token.position, token.start, token.end);
            for wanted in whole.get(token.text.as_str()).into_iter().flatten() {
                places.entry(*wanted).or_default().push(place);
            }
            for (_, wanted) in prefixes.iter().filter(|(prefix, _)| token.text.starts_with(prefix)) {
                places.entry(*wanted).or_default().push(place);
            }
        }
        places
    }
}

/// The stretch of `body` with the most parts of the query, then the most places, then the earliest.
fn window(body: &str, spans: &[Span]) -> (usize, usize) {
    let mut best = (0, 0, 0..0);
    for (i, first) in spans.iter().enumerate() {
        let inside = spans.iter().skip(i).take_while(|span| span.end <= first.start + WINDOW_BYTES);
        let (mut parts, mut count) = (Vec::new(), 0);
        for span in inside {
            count += 1;
            if !parts.contains(&span.part) {
                parts.push(span.part);
            }
        }
        if (parts.len(), count) > (best.0, best.1) {
            let last = spans.get(i + count - 1).map_or(first.end, |span| span.end);
            best = (parts.len(), count, first.start..last);
        }
    }
    let covered = best.2;
    let spare = WINDOW_BYTES.saturating_sub(covered.len());
    // A little more after the places than before them, and no gap at the end of the body.
    let start = covered.start.saturating_sub(spare * 2 / 5);
    let end = (start + WINDOW_BYTES).max(covered.end).min(body.len());
    let start = start.min(end.saturating_sub(WINDOW_BYTES)).min(covered.start);
    (snap(body, start, covered.start, true), snap(body, end, covered.end, false))
}

/// Moves an end of the snippet inwards to the next space that is near and does not pass `limit`.
fn snap(body: &str, at: usize, limit: usize, forward: bool) -> usize {
    if at == 0 || at >= body.len() {
        return at.min(body.len());
    }
    let at = body.floor_char_boundary(at);
    if forward {
        let near = body.get(at..body.floor_char_boundary((at + SNAP_BYTES).min(limit).max(at))).unwrap_or_default();
        near.char_indices().find(|(_, c)| c.is_whitespace()).map_or(at, |(i, c)| at + i + c.len_utf8())
    } else {
        let from = body.floor_char_boundary(at.saturating_sub(SNAP_BYTES).max(limit).min(at));
        let near = body.get(from..at).unwrap_or_default();
        near.char_indices().rev().find(|(_, c)| c.is_whitespace()).map_or(at, |(i, _)| from + i)
    }
}

fn cut(body: &str, start: usize, end: usize, spans: &[Span]) -> Snippet {
    let mut text = String::new();
    if start > 0 {
        text.push_str(ELLIPSIS);
    }
    let shift = text.len();
    // Line breaks become spaces one by one, so that places stay where they are.
    text.extend(body.get(start..end).unwrap_or_default().chars().map(|c| if c.is_ascii_control() { ' ' } else { c }));
    text.truncate(text.trim_end().len());
    let length = text.len();
    if end < body.trim_end().len() {
        text.push_str(ELLIPSIS);
    }
    let mut highlights: Vec<(usize, usize)> = Vec::new();
    for span in spans.iter().filter(|span| span.start >= start && span.end <= end) {
        let (from, to) = (span.start - start + shift, (span.end - start + shift).min(length));
        match highlights.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ if from < to => highlights.push((from, to)),
            _ => {}
        }
    }
    Snippet { text, highlights }
}
