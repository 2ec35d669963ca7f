//! The tagger: what a text mentions, how sure that is, and how much the text is about it.
//!
//! First every name and code is found ([`crate::matcher`]). Names that are certain are accepted; then the others are weighed
//! in rounds, as what was accepted in one round is evidence in the next. At the end overlaps are settled, and names that
//! several countries use are given to the country that is meant.

mod candidates;
mod country;
mod definitions;
mod evidence;
mod explain;
mod overlap;
mod rows;
mod salience;
mod sense;

use std::{borrow::Cow, cell::LazyCell, collections::BTreeSet, iter, ops::Range};

use chipwire_events::{Article, Field, Findings, Markup, Mention, TaggedArticle};
use rustc_hash::{FxHashMap, FxHashSet};

use self::candidates::{Candidate, State};
pub use self::explain::{Explained, Suppressed};
use self::sense::{Kind, Sense, Senses, owners, size};
use crate::{
    article::{self, Lexis, Named, Scene},
    gazetteer::{self, EntityDef, Gazetteer, Mode, VENDOR_KIND},
    lexicon,
    matcher::{Cues, Document, Gap, Hits, Names, Phrases, Tickers, Token, Trie, Words, part, shape},
    view::Reading,
};

/// Rounds in which accepted names may make other names certain. More change nothing in real texts.
const ROUNDS: usize = 3;
/// No name that holds another begins further before it.
const NAME_TOKENS: usize = 8;
/// Tokens between two codes of a row.
const CODES_APART: usize = 3;
/// The jurisdiction of what has none.
const NOWHERE: &str = "XX";
/// From this confidence on a mention is evidence for others.
const SURE: f64 = 0.6;

/// The first parts of the classes of companies that are quoted about, or have a share in, everything.
const BYSTANDERS: &[&str] = &["bank", "broker", "media", "research-house"];

/// What one entity is to another, as far as that is evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Itself,
    /// The company behind it.
    Vendor,
    /// What it makes.
    Product,
    /// Another product of its maker.
    Sibling,
    /// Of its group or its country, or named by its cues.
    Related,
    /// Of its trade: both make accelerators, or both run laboratories.
    SameTrade,
    /// Of its kind, and no more.
    SameKind,
    /// Of another kind that goes with it.
    Unrelated,
    /// Nothing that would tell anything.
    None,
}

/// How the names of an entity are weighed in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weighed {
    /// By all that is said about it.
    Full,
    /// Not at all, as each is enough; but it may be a part of a longer phrase.
    Certain,
    /// All are short forms, which count only where others are named in full.
    Short,
}

/// Who is shown the candidates, and what is evidence for them.
type Look<'l> = &'l mut dyn FnMut(&evidence::Scene<'_>, &[Candidate]);

/// Finds mentions. Compiled once from a gazetteer, then shared by any number of threads.
#[derive(Debug)]
pub struct Tagger {
    gazetteer: Gazetteer,
    words: Words,
    trie: Trie,
    tickers: Tickers,
    cues: Cues,
    senses: Senses,
    /// The phrases that tell which country is meant.
    countries: Vec<(&'static str, Vec<usize>)>,
    /// All of these.
    of_countries: Phrases,
    lexis: Lexis,
    /// The words before a row of offices, and how the name of one of these begins.
    heads: [(u32, &'static str); 2],
    /// Words that a text in German has.
    german: [u32; 3],
}

impl Tagger {
    /// Compiles `gazetteer`.
    pub fn new(gazetteer: Gazetteer) -> Self {
        let (mut words, mut tickers, mut cues) = (Words::default(), Tickers::default(), Cues::default());
        // The few words of cues and lists are numbered before the many of names: tables by their numbers stay small.
        let lexis = Lexis::new(&mut words);
        let heads = rows::HEADS.map(|(word, one)| (words.intern(word.as_bytes()), one));
        heads.iter().for_each(|(word, _)| words.add_part(*word, part::ROW));
        let german = ["und", "der", "das"].map(|word| words.intern(word.as_bytes()));
        let mut number = |phrase: &str| cues.add(phrase, &mut words);
        let countries: Vec<(&str, Vec<usize>)> = lexicon::COUNTRIES
            .iter()
            .map(|(code, phrases)| (*code, phrases.iter().map(|phrase| number(phrase)).collect()))
            .collect();
        let mut numbers = |phrases: &[String]| phrases.iter().map(|phrase| size(number(phrase))).collect();
        let phrases: Vec<[Vec<u32>; 2]> =
            gazetteer.entities().iter().map(|entity| [numbers(&entity.cues), numbers(&entity.against)]).collect();
        // What most of a text is made of: known by its number, it need not be compared with the beginnings of words.
        for word in gazetteer::frequent_words() {
            words.intern(word.as_bytes());
        }
        cues.prepare(&mut words);
        let mut of_countries = cues.none();
        let numbers = countries.iter().flat_map(|(_, phrases)| phrases);
        numbers.for_each(|phrase| cues.look_for(size(*phrase), &mut of_countries));
        let mut names = Names::default();
        for (at, entity) in gazetteer.entities().iter().enumerate() {
            tickers.add(at, entity);
            for alias in entity.aliases.iter().filter(|alias| alias.mode != Mode::Never) {
                for text in with_ampersand(&alias.text) {
                    names.add(at, entity, &text, alias, &mut words);
                    if alias.plural {
                        names.add(at, entity, &format!("{text}s"), alias, &mut words);
                    }
                }
            }
        }
        cues.prepare_others(&mut words);
        words.finish();
        let trie = Trie::new(names);
        let made: BTreeSet<&str> =
            gazetteer.entities().iter().filter(|entity| entity.vendor.is_some()).map(|entity| &*entity.kind).collect();
        let mut senses = Senses::with_capacity(gazetteer.entities().len());
        for (entity, [for_it, against]) in gazetteer.entities().iter().zip(&phrases) {
            let texts = for_it.iter().map(|cue| cues.text(*cue as usize));
            let mut named: Vec<u32> = texts.flat_map(|text| trie.entities_of(text, &words)).map(size).collect();
            named.sort_unstable();
            named.dedup();
            let kind = match entity {
                _ if entity.kind == VENDOR_KIND => Kind::Company,
                _ if made.contains(&*entity.kind) => Kind::Product,
                _ => Kind::Other,
            };
            senses.push(entity, kind, [for_it, against, &owners(&gazetteer, entity), &named]);
        }
        senses.shrink();
        Self { gazetteer, words, trie, tickers, cues, senses, countries, of_countries, lexis, heads, german }
    }

    /// The gazetteer that it was compiled from.
    pub fn gazetteer(&self) -> &Gazetteer {
        &self.gazetteer
    }

    /// The mentions in `text`, which may contain HTML, by position. All are in [`Field::Body`].
    pub fn tag_text(&self, text: &str) -> Vec<Mention> {
        let document = Document::new("", text, Reading::Mixed, &self.words);
        let mut decided = self.decide(&document, None);
        self.mentions(&document, &mut decided, "", text)
    }

    /// The same with what else the text says.
    pub fn read_text(&self, text: &str) -> (Vec<Mention>, Findings) {
        let document = Document::new("", text, Reading::Mixed, &self.words);
        let mut decided = self.decide(&document, None);
        let mentions = self.mentions(&document, &mut decided, "", text);
        let findings = self.findings(&document, ("", text, None), &decided);
        (mentions, findings)
    }

    /// The tagged form of `article`. Title and body are one document: what is clear in one is clear in the other.
    pub fn enrich(&self, article: Article) -> TaggedArticle {
        let reading = match article.markup {
            Markup::Html => Reading::Html,
            Markup::Plain => Reading::Mixed,
        };
        let document = Document::new(&article.title, &article.body, reading, &self.words);
        let mut decided = self.decide(&document, None);
        let mentions = self.mentions(&document, &mut decided, &article.title, &article.body);
        let findings = self.findings(&document, (&article.title, &article.body, article.url.as_deref()), &decided);
        let entities = salience::entities(&mentions, article.body.len());
        TaggedArticle { article, mentions, entities, findings, gazetteer: self.gazetteer.digest().to_owned() }
    }

    /// Each sentence of `text` as the units that the weights of happenings are trained on: what they are, and their bytes in the text.
    pub fn telling_units(&self, text: &str) -> Vec<Vec<(String, Range<usize>)>> {
        let document = Document::new("", text, Reading::Mixed, &self.words);
        let decided = self.decide(&document, None);
        let named = self.decided_on(&decided);
        article::telling_units(&self.article_scene(&document, ("", text, None), &named))
    }

    /// What is found in a document besides its mentions: title and body are as they were fetched, and the address.
    fn findings(&self, document: &Document, article: (&str, &str, Option<&str>), decided: &[Candidate]) -> Findings {
        let named = self.decided_on(decided);
        article::findings(&self.article_scene(document, article, &named), || self.places(document))
    }

    fn article_scene<'a>(
        &'a self,
        document: &'a Document,
        (title, body, url): (&'a str, &'a str, Option<&'a str>),
        named: &'a [Named<'a>],
    ) -> Scene<'a> {
        Scene { document, title, body, url, named, lexis: &self.lexis, gazetteer: &self.gazetteer }
    }

    /// What was decided on, as findings are made from it.
    fn decided_on(&self, decided: &[Candidate]) -> Vec<Named<'_>> {
        let mut named: Vec<Named<'_>> = decided
            .iter()
            .filter_map(|candidate| {
                Some(Named {
                    entity: self.mentioned(candidate)?,
                    number: candidate.entity,
                    company: self.is_company(candidate.entity),
                    product: self.sense(candidate.entity).is_some_and(|sense| sense.kind == Kind::Product),
                    start: candidate.start,
                    end: candidate.end,
                    from: candidate.from,
                    to: candidate.to,
                    confidence: candidate.confidence,
                })
            })
            .collect();
        named.sort_by_key(|named| (named.start, std::cmp::Reverse(named.end), named.from, named.to, named.number));
        named
    }

    /// The mentions of `document`, by position: what was decided on, which leaves its reasons.
    fn mentions(&self, document: &Document, decided: &mut [Candidate], title: &str, body: &str) -> Vec<Mention> {
        let mut mentions: Vec<Mention> =
            decided.iter_mut().filter_map(|candidate| self.mention(document, candidate, title, body)).collect();
        mentions.sort_by(|a, b| {
            (a.field, a.start, a.end, &a.kind, &a.entity).cmp(&(b.field, b.start, b.end, &b.kind, &b.entity))
        });
        mentions
    }

    /// What is accepted, one candidate for every place. `look` is shown all candidates when each was weighed for the last time.
    fn decide(&self, document: &Document, look: Option<Look<'_>>) -> Vec<Candidate> {
        let mut candidates = self.candidates(document);
        if candidates.is_empty() {
            return candidates;
        }
        let hits = self
            .phrases_of(document, &candidates, look.is_some())
            .map(|phrases| self.cues.find(document, &phrases))
            .unwrap_or_default();
        self.accept_certain(document, &hits, &mut candidates);
        let definitions = self.definitions(document, &hits, &mut candidates);
        self.accept_parts(&mut candidates);
        for _ in 0..ROUNDS {
            if !candidates.iter().any(|candidate| candidate.state == State::Open) {
                break;
            }
            let scene = self.scene(document, &hits, &definitions, &candidates);
            if !weigh_open(&scene, &mut candidates) {
                break;
            }
            self.accept_parts(&mut candidates);
            overlap::drop_covered(self, &mut candidates);
        }
        self.accept_named_tickers(&mut candidates);
        self.repeat_tickers(document, &mut candidates);
        self.repeat_acronyms(document, &mut candidates);
        self.accept_rows(document, &mut candidates);
        if let Some(look) = look {
            look(&self.scene(document, &hits, &definitions, &candidates), &candidates);
        }
        overlap::settle(self, &mut candidates);
        self.resolve_countries(document, &mut candidates);
        candidates
    }

    /// The phrases that may say what `candidates` are; nothing if there are none.
    fn phrases_of(&self, document: &Document, candidates: &[Candidate], explained: bool) -> Option<Phrases> {
        let is = |candidate: &Candidate| match candidate.alias.and_then(|alias| self.trie.alias(alias)) {
            Some(alias) if alias.mode == Mode::After => Weighed::Short,
            Some(alias) if !self.is_certain(document, candidate, alias) => Weighed::Full,
            _ => Weighed::Certain,
        };
        let mut entities: Vec<(usize, Weighed)> =
            candidates.iter().map(|candidate| (candidate.entity, is(candidate))).collect();
        entities.sort_unstable();
        entities.dedup_by(|next, first| {
            let same = next.0 == first.0;
            // Short forms of what is named in full are weighed.
            if same && next.1 != first.1 {
                first.1 = Weighed::Full;
            }
            same
        });
        // A short form counts only where the entity itself, or one that is related to it, is named in full.
        let counts = |entity: usize| {
            let mut full = entities.iter().filter(|(_, weighed)| *weighed != Weighed::Short);
            full.any(|(other, _)| self.relation(entity, *other) == Relation::Related)
        };
        let mut phrases = None;
        for (entity, weighed) in &entities {
            let Some(sense) = self.sense(*entity) else { continue };
            let cues = match weighed {
                Weighed::Short if !explained && !counts(*entity) => continue,
                Weighed::Certain => &[],
                _ => sense.cues,
            };
            for phrase in cues.iter().chain(sense.against) {
                self.cues.look_for(*phrase, phrases.get_or_insert_with(|| self.cues.none()));
            }
        }
        phrases
    }

    /// What becomes of the candidate, which leaves its reasons.
    fn mention(&self, document: &Document, candidate: &mut Candidate, title: &str, body: &str) -> Option<Mention> {
        let entity = self.mentioned(candidate)?;
        let (field, start, end) = document.raw(candidate.from, candidate.to)?;
        let text = if field == Field::Title { title } else { body };
        Some(Mention {
            field,
            start,
            end,
            kind: entity.kind.clone(),
            entity: entity.id.clone(),
            name: entity.name.clone(),
            surface: text.get(start..end)?.to_owned(),
            confidence: (candidate.confidence * 100.0).round() / 100.0,
            reasons: std::mem::take(&mut candidate.reasons),
        })
    }

    /// What a candidate mentions; nothing if it is no mention.
    fn mentioned(&self, candidate: &Candidate) -> Option<&EntityDef> {
        self.definition(candidate.entity).filter(|entity| candidate.state == State::Accepted && !entity.negative)
    }

    fn definition(&self, entity: usize) -> Option<&EntityDef> {
        self.gazetteer.entities().get(entity)
    }

    fn sense(&self, entity: usize) -> Option<Sense<'_>> {
        self.senses.get(entity)
    }

    /// Whether `company` is behind `entity`: its vendor, its parent, or the parent of that.
    fn is_owner(&self, company: usize, entity: usize) -> bool {
        self.sense(entity).is_some_and(|sense| sense.owners.contains(&size(company)))
    }

    fn is_company(&self, entity: usize) -> bool {
        self.sense(entity).is_some_and(|sense| sense.kind == Kind::Company)
    }

    /// What `other` is to `entity`.
    fn relation(&self, entity: usize, other: usize) -> Relation {
        let (Some(sense), Some(beside)) = (self.sense(entity), self.sense(other)) else { return Relation::None };
        let same_kind = sense.kind == beside.kind;
        let jurisdiction = |entity| self.definition(entity).and_then(|entity| entity.jurisdiction.as_deref());
        let home = jurisdiction(entity).filter(|code| !matches!(*code, NOWHERE | "INTL"));
        match sense.kind {
            _ if entity == other => Relation::Itself,
            _ if sense.owners.contains(&size(other)) => Relation::Vendor,
            _ if beside.owners.contains(&size(entity)) => Relation::Product,
            Kind::Product if same_kind && !sense.owners.is_empty() && sense.owners.first() == beside.owners.first() => {
                Relation::Sibling
            }
            _ if beside.bystander && !sense.bystander => Relation::None,
            _ if sense.named.binary_search(&size(other)).is_ok() => Relation::Related,
            Kind::Company if sense.owners.iter().any(|owner| beside.owners.contains(owner)) => Relation::Related,
            Kind::Other if home.is_some() && home == jurisdiction(other) => Relation::Related,
            // What any country may have goes with what one has.
            Kind::Other
                if same_kind && jurisdiction(entity) == Some(NOWHERE) && jurisdiction(other) != Some(NOWHERE) =>
            {
                Relation::Related
            }
            Kind::Company | Kind::Product if same_kind && !beside.bystander && self.have_one_trade(entity, other) => {
                Relation::SameTrade
            }
            _ if same_kind => Relation::SameKind,
            Kind::Company if beside.kind == Kind::Product => Relation::Unrelated,
            Kind::Other => Relation::Unrelated,
            _ => Relation::None,
        }
    }

    /// Whether both are of the same class, to its last part.
    fn have_one_trade(&self, entity: usize, other: usize) -> bool {
        let class =
            |entity| self.definition(entity).map(|entity| entity.class.as_str()).filter(|class| !class.is_empty());
        class(entity).is_some_and(|one| class(other) == Some(one))
    }

    /// Whether a name of `entity` has the candidate's name in it: `wet AMD` has `AMD`.
    fn shares_name(&self, document: &Document, entity: usize, candidate: &Candidate) -> bool {
        let one_word =
            candidate.alias.and_then(|alias| self.trie.alias(alias)).is_some_and(|alias| alias.length() == 1);
        let Some(token) = document.token(candidate.start).filter(|_| one_word) else { return false };
        let name = self.words.text(token.word);
        self.definition(entity).is_some_and(|entity| {
            entity.aliases.iter().any(|other| {
                let mut words = other.text.split(|ch: char| !ch.is_alphanumeric());
                words.any(|word| word.to_lowercase().as_bytes() == name)
            })
        })
    }

    fn id(&self, entity: usize) -> &str {
        self.definition(entity).map_or("", |entity| entity.id.as_str())
    }

    /// What is evidence for those that are open.
    fn scene<'a>(
        &'a self,
        document: &'a Document,
        hits: &'a Hits,
        definitions: &'a definitions::Definitions,
        candidates: &[Candidate],
    ) -> evidence::Scene<'a> {
        let is_sure = |candidate: &&Candidate| candidate.state == State::Accepted && candidate.confidence >= SURE;
        let sure = candidates.iter().filter(is_sure).map(|candidate| evidence::Sure {
            entity: candidate.entity,
            start: candidate.start,
            end: candidate.end,
            full: candidate.alias.and_then(|at| self.trie.alias(at)).is_none_or(|a| a.mode != Mode::After),
        });
        evidence::Scene { tagger: self, document, hits, definitions, sure: evidence::Sures::new(sure) }
    }

    /// A company inside the name of what it makes is meant, however common its name is: `Meta` in `Meta MTIA`.
    fn accept_parts(&self, candidates: &mut [Candidate]) {
        if !candidates.iter().any(|candidate| candidate.state == State::Open) {
            return;
        }
        let mut wholes: Vec<(usize, usize, usize)> = candidates
            .iter()
            .filter(|candidate| candidate.state == State::Accepted)
            .map(|candidate| (candidate.start, candidate.end, candidate.entity))
            .collect();
        wholes.sort_unstable();
        for candidate in candidates.iter_mut().filter(|candidate| candidate.state == State::Open) {
            // A name is a few words long: only what starts shortly before can cover it.
            let first = candidate.start.saturating_sub(NAME_TOKENS);
            let near = wholes.iter().skip(wholes.partition_point(|(start, ..)| *start < first));
            let whole = near
                .take_while(|(start, ..)| *start <= candidate.start)
                .find(|(_, end, entity)| candidate.end <= *end && self.is_owner(candidate.entity, *entity));
            if let Some((_, _, entity)) = whole {
                candidate.accept(0.95, vec![format!("part-of:{}", self.id(*entity))]);
            }
        }
    }

    /// A code that proves nothing by itself, right after its company: `Nvidia (NVDA)`.
    fn accept_named_tickers(&self, candidates: &mut [Candidate]) {
        if !candidates.iter().any(|candidate| candidate.state == State::NeedsName) {
            return;
        }
        let named: BTreeSet<(usize, usize)> = candidates
            .iter()
            .filter(|candidate| candidate.state == State::Accepted)
            .map(|candidate| (candidate.entity, candidate.end))
            .collect();
        for candidate in candidates.iter_mut().filter(|candidate| candidate.state == State::NeedsName) {
            let mut before = candidate.start.saturating_sub(1)..=candidate.start;
            if before.any(|end| named.contains(&(candidate.entity, end))) {
                let reasons = vec![format!("ticker:{}", candidate.code)];
                candidate.accept(0.95, reasons);
            }
        }
    }

    /// Adds the codes that stand alone: in a text which says elsewhere what they are the codes of, as `AVGO` behind `Broadcom
    /// (NASDAQ: AVGO)`; those of four letters, where the text names the company, where another such code stands beside
    /// (`LRCX, KLAC`), or where the text says of any code that it is one and these letters are no word; and those of three
    /// that are no word or name of anything else, where the text names the company. Shorter ones are too many other things.
    fn repeat_tickers(&self, document: &Document, candidates: &mut Vec<Candidate>) {
        let is_letters =
            |code: &str, least: usize| code.len() >= least && code.bytes().all(|byte| byte.is_ascii_uppercase());
        let accepted = || candidates.iter().filter(|candidate| candidate.state == State::Accepted);
        if accepted().next().is_none() {
            return;
        }
        let is_told = |candidate: &&Candidate| candidate.alias.is_none() && is_letters(&candidate.code, 2);
        let told: FxHashMap<&str, usize> =
            accepted().filter(is_told).map(|candidate| (&*candidate.code, candidate.entity)).collect();
        // Most texts have no word that these are asked for.
        let named = LazyCell::new(|| accepted().map(|candidate| candidate.entity).collect::<FxHashSet<usize>>());
        let taken = LazyCell::new(|| {
            let decided = candidates.iter().filter(|candidate| candidate.state != State::Open);
            decided.flat_map(|candidate| candidate.start..candidate.end).collect::<FxHashSet<usize>>()
        });
        // What may be a code: its token, the entity, and whether it is one for certain.
        let mut codes: Vec<(usize, usize, bool)> = Vec::new();
        for (at, token) in document.codes() {
            // Behind a hyphen it is a part of another word: "Photonics-SOI".
            let least = if token.word == 0 { 2 } else { 3 };
            let short = (least..=5).contains(&(token.end - token.start))
                && token.is(shape::UPPER)
                && !token.is(shape::DIGIT)
                && token.gap != Gap::Hyphen;
            if !short {
                continue;
            }
            let capitals = document.sentence_of(at).is_some_and(|sentence| sentence.capitals);
            let code = document.written(token);
            if let Some(entity) = told.get(&*code).filter(|_| !capitals) {
                if !taken.contains(&at) {
                    codes.push((at, *entity, true));
                }
            } else if is_letters(&code, if token.word == 0 { 3 } else { 4 })
                && let Some(entity) = self.tickers.american(&code)
                && !taken.contains(&at)
                // "CEVA Logistics" is a name.
                && document.token(at + 1).is_none_or(|next| next.gap != Gap::Space || !next.is(shape::CAPITAL))
            {
                let sure = named.contains(&entity);
                // Where all is in capitals, so are words that look like codes.
                let counts = if code.len() > 3 { sure || !capitals } else { sure && !capitals };
                if counts {
                    codes.push((at, entity, sure));
                }
            }
        }
        // "FORM 8-K" has words in capitals too.
        let writes_codes = !told.is_empty();
        let frequent = |token: &Token| gazetteer::is_frequent(&document.folded(token));
        let sentence = |at: usize| document.token(at).map(|token| token.sentence);
        for (at, entity, sure) in &codes {
            let beside = || {
                let first = codes.partition_point(|(other, ..)| other + CODES_APART < *at);
                let near = codes.iter().skip(first).take_while(|(other, ..)| *other <= at + CODES_APART);
                near.into_iter().any(|(other, of, _)| of != entity && sentence(*at) == sentence(*other))
            };
            let counts = |token: &&Token| *sure || (writes_codes && !frequent(token)) || beside();
            if let Some(token) = document.token(*at).filter(counts) {
                let code = document.written(token).into_owned();
                let mut candidate = Candidate::of_code(*entity, *at, at + 1, token.start, token.end, code);
                let reasons = vec![format!("ticker:{}", candidate.code)];
                candidate.accept(0.9, reasons);
                candidates.push(candidate);
            }
        }
    }
}

/// A name as it is, and with `&` for `and` or the other way round.
fn with_ampersand(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let other = [(" and ", " & "), (" & ", " and ")].into_iter().find(|(from, _)| text.contains(from));
    iter::once(Cow::from(text)).chain(other.map(|(from, to)| text.replace(from, to).into()))
}

/// Accepts the open candidates for which there is enough; true if there was one.
fn weigh_open(scene: &evidence::Scene<'_>, candidates: &mut [Candidate]) -> bool {
    let mut changed = false;
    for candidate in candidates.iter_mut().filter(|candidate| candidate.state == State::Open) {
        if let Some((confidence, reasons)) = scene.verdict(candidate) {
            candidate.accept(confidence, reasons);
            changed = true;
        }
    }
    changed
}
