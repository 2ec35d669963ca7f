//! What was not tagged, and why.

use chipwire_events::Mention;

use super::{
    Tagger,
    candidates::{Candidate, State, Why},
    evidence::Scene,
};
use crate::{matcher::Document, view::Reading};

/// What a text mentions, and what it could have meant and does not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explained {
    /// The mentions, by position.
    pub mentions: Vec<Mention>,
    /// What was found and not tagged, by position.
    pub suppressed: Vec<Suppressed>,
}

/// A place with the name or code of an entity that is not meant there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// Its first byte in the text.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The kind of the entity.
    pub kind: String,
    /// The entity's id within its kind.
    pub entity: String,
    /// The entity's canonical name.
    pub name: String,
    /// The bytes `start..end` of the text.
    pub surface: String,
    /// Why it was not tagged, in one line.
    pub why: String,
    /// What speaks for it, the weightiest first, as in [`Mention::reasons`].
    pub reasons: Vec<String>,
    /// What speaks against it, the weightiest first.
    pub against: Vec<String>,
}

/// Why a candidate was not accepted, with what speaks for it and against it.
type Doubts = (String, Vec<String>, Vec<String>);

impl Tagger {
    /// As [`tag_text`](Tagger::tag_text), with what was found and not tagged. Takes longer.
    pub fn explain_text(&self, text: &str) -> Explained {
        let document = Document::new("", text, Reading::Mixed, &self.words);
        let (mut all, mut doubts) = (Vec::new(), Vec::new());
        let mut look = |scene: &Scene<'_>, candidates: &[Candidate]| {
            doubts = candidates.iter().map(|candidate| self.doubts(scene, candidate)).collect();
            all = candidates.to_vec();
        };
        let decided = self.decide(&document, Some(&mut look));
        let mentions = self.tag_text(text);
        let mut suppressed: Vec<Suppressed> = all
            .iter()
            .zip(doubts)
            .filter_map(|(candidate, doubts)| {
                let (_, start, end) = document.raw(candidate.from, candidate.to)?;
                let entity = self.definition(candidate.entity)?;
                let tagged = |mention: &Mention| {
                    (mention.kind == entity.kind && mention.entity == entity.id)
                        && (mention.start <= start && end <= mention.end)
                };
                if mentions.iter().any(tagged) {
                    return None;
                }
                let (why, reasons, against) = doubts.unwrap_or_else(|| {
                    let why = self.lost(candidate, &decided);
                    (why, candidate.reasons.clone(), Vec::new())
                });
                Some(Suppressed {
                    start,
                    end,
                    kind: entity.kind.clone(),
                    entity: entity.id.clone(),
                    name: entity.name.clone(),
                    surface: text.get(start..end)?.to_owned(),
                    why,
                    reasons,
                    against,
                })
            })
            .collect();
        suppressed.sort_by(|a, b| (a.start, a.end, &a.kind, &a.entity).cmp(&(b.start, b.end, &b.kind, &b.entity)));
        // One entity may have several names of the same letters.
        suppressed.dedup_by(|a, b| (a.start, a.end, &a.kind, &a.entity) == (b.start, b.end, &b.kind, &b.entity));
        Explained { mentions, suppressed }
    }

    /// Nothing of what is accepted by itself.
    fn doubts(&self, scene: &Scene<'_>, candidate: &Candidate) -> Option<Doubts> {
        let name = |entity| self.definition(entity).map_or("", |entity| entity.name.as_str());
        let alone = |why: String| Some((why, Vec::new(), Vec::new()));
        match candidate.state {
            State::Open => Some(scene.doubts(candidate)),
            State::NeedsName => alone("a code that counts only right behind the name of its company".to_owned()),
            State::Rejected(Why::Phrase(phrase)) => {
                alone(format!("the longer phrase `{}` means something else", self.cues.text(phrase)))
            }
            State::Rejected(Why::Inside(entity)) => alone(format!("it is part of the name of {}", name(entity))),
            State::Rejected(Why::Defined) => alone("the text says that it stands for something else".to_owned()),
            State::Rejected(Why::Country) => alone("the country that is meant has nothing of that name".to_owned()),
            State::Accepted if self.sense(candidate.entity).is_some_and(|sense| sense.negative) => {
                let why = format!("it means {}, which is told apart and not tagged", name(candidate.entity));
                Some((why, candidate.reasons.clone(), Vec::new()))
            }
            State::Accepted => None,
        }
    }

    /// Why one that was accepted is none of those that were decided on.
    fn lost(&self, candidate: &Candidate, decided: &[Candidate]) -> String {
        let place = candidate.place();
        let winner =
            decided.iter().filter(|other| other.place().overlaps(&place)).max_by_key(|other| other.place().length());
        match winner.and_then(|winner| Some((winner, self.definition(winner.entity)?))) {
            Some((winner, entity)) if winner.place().length() > place.length() => {
                format!("it is part of a longer name, of {}", entity.name)
            }
            Some((_, entity)) => format!("{} is likelier there", entity.name),
            None => "the country that is meant has nothing of that name".to_owned(),
        }
    }
}
