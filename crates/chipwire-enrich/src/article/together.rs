//! Entities that are named in the same sentence.
//!
//! Of a sentence the first [`SENTENCE_MAX`] entities count, so that a mention makes at most that many pairs less one, however many there
//! are; of an article the [`PAIRS_MAX`] pairs that stand together most often are told.

use chipwire_events::Pair;

use super::{Named, Scene};

/// Entities of a sentence that are looked at.
const SENTENCE_MAX: usize = 16;
/// Pairs of an article that are told.
const PAIRS_MAX: usize = 128;

/// The pairs of entities in the same sentence: those that stand together most often first, and of these the first in the text.
pub(super) fn pairs(scene: &Scene<'_>) -> Vec<Pair> {
    let sentence = |named: &Named<'_>| scene.document.token(named.start).map(|token| token.sentence);
    // By entities, and then by sentence.
    let mut together: Vec<(usize, usize, usize)> = Vec::new();
    for mentions in scene.named.chunk_by(|a, b| sentence(a) == sentence(b)) {
        let Some(sentence) = mentions.first().and_then(sentence) else { continue };
        let mut seen: Vec<&Named<'_>> = Vec::new();
        for named in mentions {
            if seen.len() == SENTENCE_MAX {
                break;
            }
            // Who tells it is beside nobody.
            if seen.iter().any(|other| other.number == named.number) || scene.is_told_by(named) {
                continue;
            }
            // A vendor inside the name of what it makes does not stand beside it.
            let beside = seen.iter().filter(|other| other.end <= named.start);
            together
                .extend(beside.map(|other| (other.number.min(named.number), other.number.max(named.number), sentence)));
            seen.push(named);
        }
    }
    together.sort_unstable();
    let mut counted: Vec<(usize, (usize, usize, usize))> = together
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .filter_map(|pair| Some((pair.len(), *pair.first()?)))
        .collect();
    counted.sort_by_key(|(count, (a, b, sentence))| (std::cmp::Reverse(*count), *sentence, *a, *b));
    counted.iter().take(PAIRS_MAX).filter_map(|(count, pair)| told(scene, *count, *pair)).collect()
}

fn told(scene: &Scene<'_>, count: usize, (a, b, sentence): (usize, usize, usize)) -> Option<Pair> {
    let document = scene.document;
    let first = document.sentences.get(sentence)?.first;
    let end = document.sentences.get(sentence + 1).map_or(document.tokens.len(), |next| next.first);
    let (from, to) = (document.token(first)?.start, document.token(end.checked_sub(1)?)?.end);
    let (field, start, end) = document.raw(from, to)?;
    let reference = |number| scene.named.iter().find(|named| named.number == number).map(Named::reference);
    Some(Pair {
        a: reference(a)?,
        b: reference(b)?,
        count: u32::try_from(count).unwrap_or(u32::MAX),
        field,
        start,
        end,
    })
}
