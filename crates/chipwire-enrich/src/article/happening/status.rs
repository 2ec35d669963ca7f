//! How far along it is with a happening: by the words right before its phrase, and for what can be eased those behind it.

use chipwire_events::Status;

use super::{Kind, clause::Clause, cues::Form, pattern::Hit};
use crate::{
    article::{Scene, lexis::is},
    matcher::{Gap, Token, shape},
};

/// Words before a phrase that are looked at.
const BEFORE: usize = 6;
/// Words behind one.
const BEHIND: usize = 8;

/// Of a restriction that is not new.
const KEEPS: &[&str] = &[
    "keep",
    "keeps",
    "kept",
    "keeping",
    "maintain",
    "maintains",
    "maintained",
    "retain",
    "retains",
    "retained",
    "subject",
    "waiting",
    "stay",
    "stays",
    "stayed",
    "remain",
    "remains",
    "remained",
    "still",
];
/// Of what is not settled, where a phrase begins with it.
const OPEN: &[&str] = &["talks", "negotiating", "negotiations", "negotiates", "considers", "considering", "offering"];
/// Of what is on its way.
const UNDER_WAY: &[&str] = &["raising", "finalising", "finalizing", "closing"];
const AHEAD_UNITS: &[&str] =
    &["week", "month", "quarter", "year", "spring", "summer", "autumn", "fall", "winter", "january", "march", "june"];
/// Of what comes later than it should.
const LATER: &[&str] = &["slip", "slips", "slipped", "pushed"];
/// Said around an East Asian phrase.
const PLANNED: &[&str] = &[
    "将", "將", "拟", "擬", "计划", "計劃", "計畫", "計画", "预计", "預計", "明年", "予定", "来年", "예정", "계획",
    "내년", "方針",
];
const CONSIDERED: &[&str] = &["考虑", "考慮", "検討", "協議", "评估", "評估", "검토", "논의", "저울질", "拟议"];
const DENIED: &[&str] = &["否认", "否認", "拒绝", "拒絕", "不会", "不會", "부인", "거절"];

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
        } else if scene.lexis.is(token, is::PLAN) || is_told_of(scene, at) {
            words.planned = Some(at);
        } else if scene.lexis.is(token, is::DOUBT) && !is_month(scene, at) {
            words.considered = Some(at);
        }
        if scene.lexis.is(token, is::END) {
            words.ended = Some(at);
        }
    }
    if hit.weighed {
        let ends = |at: &usize| document.token(*at).is_some_and(|token| scene.lexis.is(token, is::END));
        words.ended = words.ended.or((hit.start..hit.end).find(ends));
    }
    // "Plans a second plant", "rejects the offer": the phrase begins with the word itself.
    let own =
        |bits: u16| document.token(hit.start).is_some_and(|token| scene.lexis.is(token, bits)).then_some(hit.start);
    let planned = matches!(
        hit.kind,
        Kind::CapacityExpansion | Kind::Investment | Kind::Acquisition | Kind::Tariff | Kind::Subsidy | Kind::Lawsuit
    );
    if hit.weighed || planned && hit.form == Form::Verb {
        words.planned = words.planned.or(own(is::PLAN));
        words.denied = words.denied.or(own(is::DENIAL));
    }
    if hit.kind == Kind::ProductLaunch && hit.form == Form::Turned {
        let later = |token: &&Token| LATER.contains(&&*document.folded(token));
        words.planned = words.planned.or(own(is::PLAN)).or(document.token(hit.start).filter(later).map(|_| hit.start));
    }
    // "Has put back the introduction".
    let is_back = |at: usize| document.token(at).is_some_and(|token| document.folded(token) == "back");
    if hit.kind == Kind::ProductLaunch && hit.form == Form::Verb {
        words.planned = words.planned.or(own(is::PLAN)).or((hit.start..hit.end).find(|at| is_back(*at)));
    }
    // "Will grant it no subsidy".
    let none = (hit.start..hit.end).find(|at| document.token(*at).is_some_and(|token| document.folded(token) == "no"));
    words.denied = words.denied.or(none);
    let before = hit.start.checked_sub(1).filter(|at| *at >= clause.start);
    if before.and_then(|at| document.token(at)).is_some_and(|token| document.folded(token) == "to") {
        words.planned = words.planned.or(before);
    }
    // "Its fab is set to start production".
    if hit.kind == Kind::CapacityExpansion && hit.form == Form::Noun {
        let ahead = |at: &usize| {
            let token = document.token(*at);
            token.is_some_and(|token| scene.lexis.is(token, is::PLAN) || document.folded(token) == "to")
        };
        words.planned = words.planned.or((hit.start + 1..hit.end).find(ahead));
    }
    // "Raising a round", "finalising a fund": not there yet.
    if hit.kind == Kind::Investment
        && words.ended.is_none()
        && document.token(hit.start).is_some_and(|token| UNDER_WAY.contains(&&*document.folded(token)))
    {
        words.planned = words.planned.or(Some(hit.start));
    }
    if matches!(
        hit.kind,
        Kind::CapacityExpansion | Kind::ProductLaunch | Kind::SupplyDeal | Kind::Investment | Kind::Tariff
    ) {
        words.planned = words.planned.or_else(|| ahead_behind(scene, hit, clause));
    }
    // "Seeks a grant", "wants to buy".
    if hit.weighed || matches!(hit.kind, Kind::Acquisition | Kind::Investment | Kind::Subsidy | Kind::Tariff) {
        words.considered = words.considered.or(own(is::DOUBT));
    }
    if document.token(hit.start).is_some_and(|token| OPEN.contains(&&*document.folded(token))) {
        words.considered = words.considered.or(Some(hit.start));
    }
    if hit.form == Form::Bill {
        words.considered = words.considered.or(Some(hit.start));
    }
    if document.token(hit.start).is_some_and(|token| token.is(shape::EAST_ASIAN)) {
        tell_east_asian(scene, hit, clause, &mut words);
    }
    let first = document.token(hit.start);
    if hit.kind.restricts() && first.is_some_and(|token| KEEPS.contains(&&*document.folded(token))) {
        return (Status::Kept, Some(hit.start));
    }
    let ends = first.is_some_and(|token| scene.lexis.is(token, is::END));
    if hit.form == Form::Easing
        || hit.form == Form::Turned && matches!(hit.kind, Kind::ExportRestriction | Kind::Sanction)
        || ends && matches!(hit.kind, Kind::Acquisition | Kind::Lawsuit | Kind::SupplyDeal | Kind::Subsidy)
    {
        words.ended = Some(hit.start);
    } else if hit.form == Form::Noun && hit.kind.restricts() && words.ended.is_none() {
        words.ended = ended_behind(scene, hit, clause, &mut words);
    }
    words.status(hit.kind)
}

/// The word behind the phrase that says that it is for later: `from next year`, `by 2028`. Not of what is over: `opened`.
fn ahead_behind(scene: &Scene<'_>, hit: &Hit, clause: &Clause) -> Option<usize> {
    let word = |at: usize| scene.document.token(at).map(|token| scene.document.folded(token)).unwrap_or_default();
    if word(hit.start).ends_with("ed") {
        return None;
    }
    let unit = |at: usize| AHEAD_UNITS.contains(&&*word(at));
    let year = |at: usize| word(at).strip_prefix("20").is_some_and(|rest| rest.len() == 2);
    (hit.end.saturating_sub(1)..clause.end.min(hit.end + BEHIND)).find(|at| match &*word(*at) {
        "next" => unit(at + 1),
        "later" => word(at + 1) == "this",
        "by" | "from" => year(at + 1),
        _ => false,
    })
}

/// What is said around an East Asian phrase, where no spaces part the words.
fn tell_east_asian(scene: &Scene<'_>, hit: &Hit, clause: &Clause, words: &mut Told) {
    let from = clause.start.max(hit.start.saturating_sub(2 * BEFORE));
    let to = clause.end.min(hit.end + BEHIND);
    let said: String =
        (from..to).filter_map(|at| scene.document.token(at)).map(|token| scene.document.folded(token)).collect();
    let says = |list: &[&str]| list.iter().any(|word| said.contains(word)).then_some(hit.start);
    words.denied = words.denied.or(says(DENIED));
    words.considered = words.considered.or(says(CONSIDERED));
    // Before a name "将" only says that it is the object.
    let planned = says(PLANNED).filter(|_| hit.kind != Kind::Sanction);
    words.planned = words.planned.or(planned);
}

/// Whether it is the month: `MUNICH, May 4`, `in May`.
fn is_month(scene: &Scene<'_>, at: usize) -> bool {
    let (before, token, next) = (at.checked_sub(1), scene.document.token(at), scene.document.token(at + 1));
    let before = before.and_then(|at| scene.document.token(at));
    let day = |token: &Token| token.is(shape::DIGIT);
    let of = |token: &Token| {
        scene.lexis.is(token, is::PREPOSITION) || matches!(&*scene.document.folded(token), "since" | "last")
    };
    let dated = next.is_some_and(day) || before.is_some_and(|token| day(token) || of(token));
    dated && token.is_some_and(|token| token.is(shape::CAPITAL) && scene.document.folded(token) == "may")
}

/// `said it would`: what would be is a plan of who says so.
fn is_told_of(scene: &Scene<'_>, at: usize) -> bool {
    let word = |back: usize| {
        let token = at.checked_sub(back).and_then(|at| scene.document.token(at));
        token.map(|token| scene.document.folded(token)).unwrap_or_default()
    };
    word(0) == "would"
        && matches!(&*word(1), "it" | "they" | "he" | "she")
        && matches!(&*word(2), "said" | "that" | "says")
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
