//! How much an article is about what it mentions.

use std::collections::BTreeMap;

use chipwire_events::{Entity, Field, Mention, Salience};

/// Bytes of the body that count as its lead: what a wire service puts in two sentences, markup included.
const LEAD_BYTES: usize = 400;
/// More mentions than this add nothing.
const COUNT_FULL: u32 = 6;

#[derive(Debug, Default)]
struct Sum {
    name: String,
    count: u32,
    in_title: bool,
    first_in_body: Option<usize>,
    confidence: f64,
}

/// The entities of `mentions`, the most salient first.
///
/// The score is 0.4 for a place in the title, 0.2 for one in the lead, up to 0.25 for the number of mentions and up to 0.15
/// for an early first one, times the best confidence. From 0.5 on an entity is primary, from 0.25 on secondary.
pub(super) fn entities(mentions: &[Mention], body_bytes: usize) -> Vec<Entity> {
    let mut sums: BTreeMap<(&str, &str), Sum> = BTreeMap::new();
    for mention in mentions {
        let sum = sums.entry((&mention.kind, &mention.entity)).or_default();
        sum.name.clone_from(&mention.name);
        sum.count += 1;
        sum.confidence = sum.confidence.max(mention.confidence);
        match mention.field {
            Field::Title => sum.in_title = true,
            Field::Body => {
                sum.first_in_body = Some(sum.first_in_body.map_or(mention.start, |first| first.min(mention.start)));
            }
        }
    }
    let mut entities: Vec<Entity> = sums
        .into_iter()
        .map(|((kind, id), sum)| {
            let score = (score(&sum, body_bytes) * 100.0).round() / 100.0;
            let salience = match score {
                _ if score >= 0.5 => Salience::Primary,
                _ if score >= 0.25 => Salience::Secondary,
                _ => Salience::Passing,
            };
            Entity { kind: kind.to_owned(), entity: id.to_owned(), name: sum.name, count: sum.count, salience, score }
        })
        .collect();
    entities.sort_by(|a, b| {
        (b.score.total_cmp(&a.score))
            .then_with(|| b.count.cmp(&a.count))
            .then_with(|| a.reference().cmp(&b.reference()))
    });
    entities
}

fn score(sum: &Sum, body_bytes: usize) -> f64 {
    let title = if sum.in_title { 0.4 } else { 0.0 };
    let lead = if sum.first_in_body.is_some_and(|first| first < LEAD_BYTES) { 0.2 } else { 0.0 };
    let count = 0.25 * f64::from(sum.count.min(COUNT_FULL)) / f64::from(COUNT_FULL);
    let early = match sum.first_in_body {
        _ if sum.in_title => 0.15,
        #[expect(clippy::cast_precision_loss, reason = "a share of a length needs no precision")]
        Some(first) => 0.15 * (1.0 - first as f64 / body_bytes.max(1) as f64),
        None => 0.0,
    };
    (title + lead + count + early) * sum.confidence
}
