//! The linter: what can be read and used, and is probably not what was meant.

use std::{collections::BTreeSet, sync::LazyLock};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Alias, Finding, Mode, Severity, VENDOR_KIND, check,
    draft::{Draft, Entity, Wrong, wrong},
};
use crate::matcher::Form;

/// Words of English, one per line.
const COMMON_WORDS: &str = include_str!("../../gazetteer/common-words.txt");

/// The words that English texts write in small letters, the frequent ones.
pub(crate) fn frequent_words() -> impl Iterator<Item = &'static str> {
    COMMON_WORDS.lines().filter(|line| !line.starts_with('#'))
}

/// Whether `word`, in small letters, is one of them.
pub(crate) fn is_frequent(word: &str) -> bool {
    static WORDS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| frequent_words().collect());
    WORDS.contains(word)
}

/// The checks that `allow` may name: what else is wrong cannot be right.
const ALLOWED: &[&str] =
    &["common-word", "duplicate-alias", "fact-source", "hidden-name", "no-cues", "shared-name", "duplicate-ticker"];

/// A name in the form in which names are compared, with whose it is.
struct Name<'a> {
    entity: usize,
    alias: &'a Alias,
    at: usize,
    form: Form,
}

impl Name<'_> {
    fn is_certain(&self) -> bool {
        matches!(self.alias.mode, Mode::Free | Mode::Cased)
    }

    /// Only exactly this case counts.
    fn is_cased(&self) -> bool {
        self.alias.case || matches!(self.alias.mode, Mode::Cased | Mode::After)
    }
}

/// Adds what is doubtful about `draft` to what was `found` before, and takes away what its entities allow.
pub(super) fn lint(draft: &Draft, found: &mut Vec<Finding>) {
    let names: Vec<Name<'_>> = draft.entities.iter().enumerate().flat_map(|(at, entity)| names(at, entity)).collect();
    let mut doubts = Vec::new();
    empty_aliases(draft, &names, &mut doubts);
    common_words(draft, &names, &mut doubts);
    let mut by_words: FxHashMap<&[String], Vec<&Name<'_>>> = FxHashMap::default();
    for name in names.iter().filter(|name| name.alias.mode != Mode::Never && !name.form.words.is_empty()) {
        by_words.entry(&name.form.words).or_default().push(name);
    }
    for group in by_words.values() {
        duplicates(draft, group, &mut doubts);
        shared(draft, group, &mut doubts);
    }
    hidden(draft, &names, &by_words, &mut doubts);
    for entity in &draft.entities {
        alone(draft, entity, &mut doubts);
    }
    allow(draft, &mut doubts);
    found.append(&mut doubts);
}

fn names(entity: usize, of: &Entity) -> impl Iterator<Item = Name<'_>> {
    of.def.aliases.iter().enumerate().map(move |(at, alias)| Name { entity, alias, at, form: Form::new(&alias.text) })
}

fn about(draft: &Draft, name: &Name<'_>, severity: Severity, wrong: Wrong, found: &mut Vec<Finding>) {
    if let Some(entity) = draft.entities.get(name.entity) {
        found.push(draft.about_alias(entity, name.at, severity, wrong));
    }
}

fn empty_aliases(draft: &Draft, names: &[Name<'_>], found: &mut Vec<Finding>) {
    let has_letter = |name: &&Name<'_>| name.alias.text.chars().any(char::is_alphanumeric);
    for name in names.iter().filter(|name| name.form.words.is_empty()).filter(has_letter) {
        let problem = format!("alias `{}` has no word that texts could be compared with", name.alias.text);
        about(draft, name, Severity::Error, wrong("empty-alias", problem, "write the name as texts do"), found);
    }
}

fn common_words(draft: &Draft, names: &[Name<'_>], found: &mut Vec<Finding>) {
    for name in names.iter().filter(|name| name.alias.mode == Mode::Free) {
        if let [word] = name.form.words.as_slice()
            && is_frequent(word)
        {
            let problem = format!("alias `{}` is a word of English and counts always", name.alias.text);
            let advice = "give it the mode `cue` with `case = true` and cues, or `cased`";
            about(draft, name, Severity::Error, wrong("common-word", problem, advice), found);
        }
    }
}

/// Names of one entity that make no difference.
fn duplicates(draft: &Draft, group: &[&Name<'_>], found: &mut Vec<Finding>) {
    for (number, name) in group.iter().enumerate() {
        for other in group.iter().take(number).filter(|other| other.entity == name.entity) {
            let (idle, by) = match (is_idle(name, other), is_idle(other, name)) {
                (true, _) => (name, other),
                (false, true) => (other, name),
                (false, false) => continue,
            };
            let problem = if idle.alias.text == by.alias.text {
                format!("alias `{}` is there twice", idle.alias.text)
            } else {
                format!("alias `{}` is found as `{}` already", idle.alias.text, by.alias.text)
            };
            about(draft, idle, Severity::Warning, wrong("duplicate-alias", problem, "take it away"), found);
            break;
        }
    }
}

/// Whether `name` adds nothing to `other`.
fn is_idle(name: &Name<'_>, other: &Name<'_>) -> bool {
    let is_plural = name.alias.plural && !other.alias.plural;
    if is_plural || !other.form.covers(&name.form) {
        return false;
    }
    match (other.alias.mode, name.alias.mode) {
        (Mode::Free, _) => true,
        (_, Mode::Free) => false,
        _ if other.alias.text == name.alias.text => true,
        // A name that asks for cues and has a capital is not found where it is written small.
        _ => !other.is_cased() && !name.is_cased() && (!has_capital(other) || has_capital(name)),
    }
}

fn has_capital(name: &Name<'_>) -> bool {
    name.alias.text.chars().any(char::is_uppercase)
}

/// Names of two entities between which nothing decides.
fn shared(draft: &Draft, group: &[&Name<'_>], found: &mut Vec<Finding>) {
    for (number, name) in group.iter().enumerate() {
        let others = group.iter().take(number).filter(|other| other.entity != name.entity);
        for other in others {
            // Two that count in one case each are told apart by it.
            if !name.form.covers(&other.form) && !other.form.covers(&name.form) {
                continue;
            }
            let is_same = name.alias.text == other.alias.text || !name.is_cased() || !other.is_cased();
            let (Some(entity), Some(whose)) = (draft.entities.get(name.entity), draft.entities.get(other.entity))
            else {
                continue;
            };
            let text = &name.alias.text;
            if is_same && name.is_certain() && other.is_certain() {
                // What is written alike is found when the gazetteer is read.
                let key = |name: &Name<'_>| match name.alias.mode {
                    Mode::Cased => name.alias.text.clone(),
                    _ => name.alias.text.to_lowercase(),
                };
                if key(name) != key(other) {
                    let problem = format!("alias `{text}` is also `{}` of `{}`", other.alias.text, whose.name());
                    let advice = "give both the mode `cue` and cues that tell them apart";
                    about(draft, name, Severity::Error, wrong("collision", problem, advice), found);
                }
            } else if is_same && name.is_certain() != other.is_certain() {
                let (weak, strong, owner) =
                    if name.is_certain() { (*other, *name, entity) } else { (*name, *other, whose) };
                if strong.alias.mode == Mode::Cased && !weak.is_cased() {
                    continue;
                }
                let problem = format!("alias `{}` counts always for `{}`", weak.alias.text, owner.name());
                let advice = "give both the mode `cue` and cues that tell them apart, or take this one away";
                about(draft, weak, Severity::Warning, wrong("shared-name", problem, advice), found);
            } else if is_same && entity.def.cues == whose.def.cues && entity.def.by_country == whose.def.by_country {
                let problem = format!("alias `{text}` is also one of `{}`, which has the same cues", whose.name());
                about(
                    draft,
                    name,
                    Severity::Warning,
                    wrong("shared-name", problem, "add cues that tell them apart"),
                    found,
                );
            }
        }
    }
}

/// Names that are lost inside longer ones of something else; one finding for each two entities.
fn hidden(
    draft: &Draft,
    names: &[Name<'_>],
    by_words: &FxHashMap<&[String], Vec<&Name<'_>>>,
    found: &mut Vec<Finding>,
) {
    let mut seen = BTreeSet::new();
    for long in names.iter().filter(|name| name.is_certain()) {
        let Some(holder) = draft.entities.get(long.entity).filter(|holder| !holder.def.negative) else { continue };
        for short in parts(long, by_words).filter(|short| short.entity != long.entity) {
            let Some(inner) = draft.entities.get(short.entity) else { continue };
            let is_meant = inner.def.negative || is_related(draft, holder, inner);
            if is_meant || !seen.insert((long.entity, short.entity)) {
                continue;
            }
            let (long_text, short_text, owner) = (&long.alias.text, &short.alias.text, inner.name());
            let problem =
                format!("alias `{long_text}` hides `{short_text}` of `{owner}`, which is not tagged inside it");
            let advice = "where the longer name is not about the shorter's entity, say so in `allow`; where the one belongs to the \
                          other, say so in `vendor` or `parent`";
            about(draft, long, Severity::Warning, wrong("hidden-name", problem, advice), found);
        }
    }
}

/// The names that count always and stand inside `long`.
fn parts<'a>(
    long: &'a Name<'a>,
    by_words: &'a FxHashMap<&[String], Vec<&'a Name<'a>>>,
) -> impl Iterator<Item = &'a Name<'a>> {
    let words = &long.form.words;
    let windows = (1..words.len()).flat_map(|size| words.windows(size).enumerate());
    windows.flat_map(move |(at, part)| {
        let names = by_words.get(part).into_iter().flatten().copied();
        names.filter(move |short| short.alias.mode == Mode::Free && short.form.is_within(&long.form, at))
    })
}

/// Whether the one is behind the other, both are of one maker, the one is a case of the other, as a rule of one state is of
/// rules of its sort, or they are told apart by their states.
fn is_related(draft: &Draft, a: &Entity, b: &Entity) -> bool {
    let is_stately = |entity: &Entity| entity.def.jurisdiction.is_some();
    if a.def.kind == b.def.kind && is_stately(a) && is_stately(b) {
        return true;
    }
    let owners = |entity: &Entity| {
        let mut owners: Vec<String> = Vec::new();
        let mut next: Vec<String> = entity.def.vendor.iter().chain(&entity.def.parent).cloned().collect();
        while let Some(id) = next.pop() {
            if !owners.contains(&id) {
                let owner = draft.position(VENDOR_KIND, &id).and_then(|at| draft.entities.get(at));
                next.extend(owner.and_then(|owner| owner.def.parent.clone()));
                owners.push(id);
            }
        }
        if entity.def.kind == VENDOR_KIND {
            owners.push(entity.def.id.clone());
        }
        owners
    };
    let of_a = owners(a);
    owners(b).iter().any(|owner| of_a.contains(owner))
}

/// What can be said of one entity alone.
fn alone(draft: &Draft, entity: &Entity, found: &mut Vec<Finding>) {
    let def = &entity.def;
    let is_decidable = !def.cues.is_empty() || def.vendor.is_some() || def.parent.is_some();
    let asks = def.aliases.iter().position(|alias| alias.mode == Mode::Cue).filter(|_| !is_decidable);
    if let Some(at) = asks {
        let problem = "names ask for cues, and there are none";
        let advice = "add `cues`: names of products, people and places, and words of its trade";
        found.push(draft.about_alias(entity, at, Severity::Warning, wrong("no-cues", problem, advice)));
    }
    for (fact, spot) in def.facts.iter().zip(&entity.spots.facts).filter(|(fact, _)| fact.source.is_none()) {
        let problem = format!("the fact `{}` has no source", fact.text);
        let finding = draft.finding(
            *spot,
            Severity::Warning,
            wrong("fact-source", problem, "say where it is written, in `source`"),
        );
        found.push(Finding { entity: Some(entity.name()), key: Some("fact".to_owned()), ..finding });
    }
    let mut tickers = FxHashSet::default();
    for ticker in &def.tickers {
        if check::read_ticker(ticker).is_some_and(|ticker| !tickers.insert(ticker)) {
            let problem = format!("ticker `{ticker}` is there twice");
            found.push(draft.about(
                entity,
                "tickers",
                Severity::Warning,
                wrong(
                    "duplicate-ticker",
                    problem,
                    "take one of the two away: exchanges of one country share their codes",
                ),
            ));
        }
    }
}

/// Takes away what is allowed, and adds what is allowed for nothing.
fn allow(draft: &Draft, found: &mut Vec<Finding>) {
    for entity in draft.entities.iter().filter(|entity| !entity.def.allow.is_empty()) {
        let name = entity.name();
        for allow in &entity.def.allow {
            let before = found.len();
            found.retain(|finding| {
                let is_alias = allow.alias.is_none() || allow.alias == finding.alias;
                !(finding.entity.as_deref() == Some(&*name) && finding.check == allow.check && is_alias)
            });
            let of = allow.alias.as_ref().map_or_else(String::new, |alias| format!(" of `{alias}`"));
            if !ALLOWED.contains(&allow.check.as_str()) {
                let problem = format!("`{}` is no check that can be allowed", allow.check);
                let advice = format!("it is one of {}", ALLOWED.join(", "));
                found.push(draft.about(entity, "allow", Severity::Error, wrong("allow", problem, advice)));
            } else if allow.because.trim().is_empty() {
                let problem = format!("`{}`{of} is allowed for no reason", allow.check);
                found.push(draft.about(
                    entity,
                    "allow",
                    Severity::Error,
                    wrong("allow", problem, "say why, in `because`"),
                ));
            } else if found.len() == before {
                let problem = format!("`{}`{of} is allowed and not found", allow.check);
                found.push(draft.about(entity, "allow", Severity::Warning, wrong("allow", problem, "take it away")));
            }
        }
    }
}
