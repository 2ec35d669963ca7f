//! To which entity an amount belongs.
//!
//! In this order: what is counted, or stands inside ("100,000 H100s", "20,000 Nvidia GPUs"); what follows behind `of` ("80 GB of HBM3"); and else the nearest mention
//! of the sentence, within [`REACH`] words. A comma on the way counts like [`COMMA`] words more; in
//! East Asian text nothing beyond it is looked at. Money belongs to a company if one is
//! near enough, as the nearest chip is mostly what is paid for. Of two that are as near the one before the amount wins.

use chipwire_events::AmountKind;

use super::Found;
use crate::{
    article::Scene,
    matcher::{Gap, Token, shape},
};

/// Words between an amount and its entity.
const REACH: usize = 24;
/// What a comma, a dash or a bracket on the way adds.
const COMMA: usize = 4;
/// Mentions that are looked at on either side.
const LOOKED_AT: usize = 6;

/// The number of the mention that `amount` belongs to, in [`Scene::named`].
pub(super) fn of(scene: &Scene<'_>, amount: &Found) -> Option<usize> {
    let document = scene.document;
    let sentence = document.token(amount.start)?.sentence;
    if let Some(next) = document.token(amount.end)
        && document.folded(next) == "of"
        && next.gap == Gap::Space
        && let Some((index, _)) = scene.mention_from(amount.end + 1)
    {
        return Some(index);
    }
    let first_behind = scene.named.partition_point(|named| named.start < amount.end);
    let near = first_behind.saturating_sub(LOOKED_AT)..(first_behind + LOOKED_AT).min(scene.named.len());
    near.filter_map(|index| {
        let named = scene.named.get(index)?;
        if document.token(named.start)?.sentence != sentence {
            return None;
        }
        if named.start >= amount.start && named.end <= amount.end {
            return Some(((false, 0, false, std::cmp::Reverse(0)), index));
        }
        let before = named.end <= amount.start;
        let (from, to) = if before { (named.end, amount.start) } else { (amount.end, named.start) };
        let between = document
            .tokens
            .get(from.saturating_sub(1)..(to + 1).min(document.tokens.len()))
            .filter(|_| to < from + REACH)?;
        if between.iter().zip(between.iter().skip(1)).any(|(before, token)| parts_clauses(before, token)) {
            return None;
        }
        let parted = between.iter().skip(1).filter(|token| parts(token.gap)).count();
        // One that the amount cuts through is about something else.
        let distance = to.checked_sub(from)? + COMMA * parted;
        let second_choice = amount.kind == AmountKind::Money && !named.company;
        (distance < REACH)
            .then_some(((second_choice, distance, !before, std::cmp::Reverse(named.end - named.start)), index))
    })
    .min_by_key(|(key, _)| *key)
    .map(|(_, index)| index)
}

/// Whether a comma of East Asian text parts the two: there a sentence goes on for long.
fn parts_clauses(before: &Token, token: &Token) -> bool {
    token.gap == Gap::Comma && (token.is(shape::EAST_ASIAN) || before.is(shape::EAST_ASIAN))
}

fn parts(gap: Gap) -> bool {
    matches!(gap, Gap::Comma | Gap::Dash | Gap::Open | Gap::Close | Gap::Colon)
}
