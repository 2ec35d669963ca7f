//! How far along it is with a happening: by the words right before its phrase, and for what can be eased those behind it.

use chipwire_events::Status;

use super::{Kind, clause::Clause, cues::Form, pattern::Hit};
use crate::{
    article::{Scene, lexis::is},
    matcher::Gap,
};

/// Words before a phrase that are looked at.
const BEFORE: usize = 6;
/// Words behind one.
const BEHIND: usize = 8;

/// The status, and the word that tells it.
pub(super) fn status(scene: &Scene<'_>, hit: &Hit, clause: &Clause) -> (Status, Option<usize>) {
    let document = scene.document;
    let from = clause.start.max(hit.start.saturating_sub(BEFORE));
    let mut words = Told::default();
    // The nearest word is the one that counts of each sort.
    for at in from..hit.start {
        let Some(token) = document.token(at) else { continue };
        let contracted = scene.lexis.is(token, is::CONTRACTED)
            && document.token(at + 1).is_some_and(|next| next.gap == Gap::Apostrophe && document.folded(next) == "t");
        if contracted || scene.lexis.is(token, is::DENIAL) {
            words.denied = Some(at);
        } else if scene.lexis.is(token, is::DOUBT) {
            words.considered = Some(at);
        } else if scene.lexis.is(token, is::PLAN) {
            words.planned = Some(at);
        }
        if scene.lexis.is(token, is::END) {
            words.ended = Some(at);
        }
    }
    // "Plans a second plant", "rejects the offer": the phrase begins with the word itself.
    let own =
        |bits: u16| document.token(hit.start).is_some_and(|token| scene.lexis.is(token, bits)).then_some(hit.start);
    if matches!(hit.kind, Kind::CapacityExpansion | Kind::Investment | Kind::Acquisition) && hit.form == Form::Verb {
        words.planned = words.planned.or(own(is::PLAN));
        words.denied = words.denied.or(own(is::DENIAL));
    }
    // "Will grant it no subsidy".
    let none = (hit.start..hit.end).find(|at| document.token(*at).is_some_and(|token| document.folded(token) == "no"));
    words.denied = words.denied.or(none);
    let before = hit.start.checked_sub(1).filter(|at| *at >= clause.start);
    if before.and_then(|at| document.token(at)).is_some_and(|token| document.folded(token) == "to") {
        words.planned = words.planned.or(before);
    }
    let first = document.token(hit.start);
    let ends = first.is_some_and(|token| scene.lexis.is(token, is::END));
    if hit.form == Form::Easing
        || hit.form == Form::Turned && matches!(hit.kind, Kind::ExportRestriction | Kind::Sanction)
        || ends && !hit.kind.restricts() && hit.kind != Kind::Earnings
    {
        words.ended = Some(hit.start);
    } else if hit.form == Form::Noun && hit.kind.restricts() && words.ended.is_none() {
        words.ended = ended_behind(scene, hit, clause, &mut words);
    }
    words.status(hit.kind)
}

/// `the ban on exports was lifted`: the word behind the phrase that puts an end to it.
fn ended_behind(scene: &Scene<'_>, hit: &Hit, clause: &Clause, words: &mut Told) -> Option<usize> {
    let document = scene.document;
    let mut passive = false;
    for at in hit.end..clause.end.min(hit.end + BEHIND) {
        let token = document.token(at)?;
        passive |= scene.lexis.is(token, is::BE);
        if passive && scene.lexis.is(token, is::END) {
            return Some(at);
        }
        if scene.lexis.is(token, is::DOUBT) {
            words.considered = Some(at);
        } else if scene.lexis.is(token, is::DENIAL) {
            words.denied = Some(at);
        }
    }
    None
}

#[derive(Debug, Default)]
struct Told {
    denied: Option<usize>,
    considered: Option<usize>,
    planned: Option<usize>,
    ended: Option<usize>,
}

impl Told {
    fn status(&self, kind: Kind) -> (Status, Option<usize>) {
        let told = |status, word: Option<usize>| word.map(|at| (status, Some(at)));
        if let Some(end) = self.ended {
            let ended = if kind.restricts() { Status::Eased } else { Status::Ended };
            let kept = if kind.restricts() { Status::Kept } else { Status::Denied };
            return told(kept, self.denied).or(told(Status::Considered, self.considered)).unwrap_or((ended, Some(end)));
        }
        told(Status::Denied, self.denied)
            .or(told(Status::Considered, self.considered))
            .or(told(Status::Planned, self.planned))
            .unwrap_or((Status::Announced, None))
    }
}
