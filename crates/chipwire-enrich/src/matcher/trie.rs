//! Every name of every entity in one trie over words, and what a text has of them.

use rustc_hash::FxHashMap;

use super::token::{Document, Gap, Token, Words, shape, tokens};
use crate::{
    gazetteer::Mode,
    lexicon,
    view::{Reading, Unit, matching},
};

/// A name, ready to be compared.
#[derive(Debug)]
pub(crate) struct Alias {
    /// The entity's position in the gazetteer.
    pub(crate) entity: usize,
    pub(crate) mode: Mode,
    /// Only exactly this case counts.
    pub(crate) case: bool,
    /// The name has a digit, so that it is a code rather than a word.
    pub(crate) code: bool,
    /// The number of its tokens.
    pub(crate) length: usize,
    /// The name as it is in the gazetteer.
    pub(crate) text: String,
    /// The name in the form in which words are compared, joined by spaces.
    pub(crate) folded: String,
    /// Its tokens as written, joined, without the stops of acronyms.
    written: String,
    /// What is between them.
    gaps: Vec<Gap>,
    capital: bool,
}

/// A place where the words of a name stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    /// The alias's number.
    pub(crate) alias: usize,
    /// Its first token.
    pub(crate) start: usize,
    /// One past its last token.
    pub(crate) end: usize,
    /// The case is exactly that of the name.
    pub(crate) exact: bool,
    /// A hyphen stands where the name has a space: after that many tokens.
    pub(crate) hyphen: Option<usize>,
}

/// All names.
#[derive(Debug, Default)]
pub(crate) struct Trie {
    aliases: Vec<Alias>,
    /// The node after a first word, by the word's number.
    roots: Vec<u32>,
    edges: FxHashMap<(u32, u32), u32>,
    /// The names that end at each node.
    ends: Vec<Vec<usize>>,
}

/// A name in the form in which names are compared.
#[derive(Debug)]
pub(crate) struct Form {
    /// Its words; none if it is no name.
    pub(crate) words: Vec<String>,
    gaps: Vec<Gap>,
}

impl Form {
    pub(crate) fn new(text: &str) -> Self {
        let mut words = Vec::new();
        let tokens = tokens(&matching(text, Reading::Plain), |word| {
            words.push(String::from_utf8_lossy(word).into_owned());
            0
        });
        Self { words, gaps: tokens.iter().skip(1).map(|token| token.gap).collect() }
    }

    /// Whether this name, but for case, is found wherever `other` is written.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.words == other.words && self.is_within(other, 0)
    }

    /// The same of `other` from its word `at` on, whose words are known to be these.
    pub(crate) fn is_within(&self, other: &Self, at: usize) -> bool {
        self.gaps.iter().zip(other.gaps.get(at..).unwrap_or_default()).all(|(name, text)| same_gap(*name, *text))
    }
}

impl Trie {
    /// Adds the name `text`; one without a single token is left out.
    pub(crate) fn add(&mut self, entity: usize, text: &str, mode: Mode, case: bool, words: &mut Words) {
        let units = matching(text, Reading::Plain);
        let mut folded = String::with_capacity(text.len());
        let mut numbers = Vec::new();
        let tokens = tokens(&units, |word| {
            let number = words.intern(word);
            folded.push_str(if numbers.is_empty() { "" } else { " " });
            numbers.push(number);
            folded.push_str(&String::from_utf8_lossy(word));
            number
        });
        let written: String = tokens.iter().flat_map(|token| written(&units, token)).collect();
        if tokens.is_empty() {
            return;
        }
        let alias = Alias {
            entity,
            mode,
            case: case || matches!(mode, Mode::Cased | Mode::After),
            code: tokens.iter().any(|token| token.is(shape::DIGIT)),
            length: tokens.len(),
            text: text.to_owned(),
            folded,
            capital: text.chars().any(char::is_uppercase),
            gaps: tokens.iter().skip(1).map(|token| token.gap).collect(),
            written,
        };
        if let [word] = *numbers {
            words.set_alone(word);
        }
        let node = self.node(&numbers);
        let number = self.aliases.len();
        self.aliases.push(alias);
        if let Some(ends) = self.ends.get_mut(node as usize) {
            ends.push(number);
        }
    }

    fn node(&mut self, numbers: &[u32]) -> u32 {
        if self.ends.is_empty() {
            self.ends.push(Vec::new());
        }
        let mut node = 0;
        for (at, number) in numbers.iter().enumerate() {
            let next = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
            let slot = if at == 0 {
                let index = *number as usize;
                if self.roots.len() <= index {
                    self.roots.resize(index + 1, 0);
                }
                self.roots.get_mut(index)
            } else {
                Some(self.edges.entry((node, *number)).or_insert(0))
            };
            let Some(slot) = slot else { return node };
            if *slot == 0 {
                *slot = next;
                self.ends.push(Vec::new());
            }
            node = *slot;
        }
        node
    }

    pub(crate) fn alias(&self, number: usize) -> Option<&Alias> {
        self.aliases.get(number)
    }

    /// The entities by their names in the form in which words are compared.
    pub(crate) fn names(&self) -> FxHashMap<&str, Vec<usize>> {
        let mut names: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for alias in self.aliases.iter().filter(|alias| alias.mode != Mode::After) {
            names.entry(&alias.folded).or_default().push(alias.entity);
        }
        names
    }

    /// Every place of every name, by position; nothing is chosen between them yet.
    pub(crate) fn find(&self, document: &Document) -> Vec<Match> {
        let mut matches = Vec::new();
        for start in 0..document.tokens.len() {
            let mut node = 0;
            for (length, token) in document.tokens.get(start..).unwrap_or_default().iter().enumerate() {
                if token.word == 0 || (length > 0 && token.gap == Gap::Hard) {
                    break;
                }
                node = if length == 0 {
                    self.roots.get(token.word as usize).copied().unwrap_or(0)
                } else {
                    self.edges.get(&(node, token.word)).copied().unwrap_or(0)
                };
                if node == 0 {
                    break;
                }
                for alias in self.ends.get(node as usize).into_iter().flatten() {
                    matches.extend(self.check(document, *alias, start));
                }
            }
        }
        matches
    }

    /// Whether the name whose words stand at `start` is written there.
    fn check(&self, document: &Document, number: usize, start: usize) -> Option<Match> {
        let alias = self.aliases.get(number)?;
        let end = start + alias.length;
        let tokens = document.tokens.get(start..end)?;
        let mut hyphen = None;
        for (at, (token, gap)) in tokens.iter().skip(1).zip(&alias.gaps).enumerate() {
            if !same_gap(*gap, token.gap) {
                return None;
            }
            if token.gap == Gap::Hyphen && *gap != Gap::Hyphen {
                hyphen = Some(at + 1);
            }
        }
        let exact = tokens.iter().flat_map(|token| written(&document.units, token)).eq(alias.written.chars());
        let case = exact || self.case_allows(document, alias, tokens);
        (case && edges_allow(document, alias, start, end)).then_some(Match { alias: number, start, end, exact, hyphen })
    }

    fn case_allows(&self, document: &Document, alias: &Alias, tokens: &[Token]) -> bool {
        let upper = tokens.iter().all(|token| token.is(shape::UPPER) || !token.is(shape::LETTER));
        let first = tokens.first().and_then(|token| document.sentences.get(token.sentence));
        let in_capitals = upper && alias.capital && first.is_some_and(|sentence| sentence.capitals);
        match alias.mode {
            Mode::Free => true,
            // Whether a name in capitals needs a cue is weighed later. Short ones are acronyms of something else.
            Mode::Cased => in_capitals || (upper && alias.capital && alias.folded.len() > 3),
            Mode::Cue if alias.case => in_capitals,
            // A name that is written small is the word that it looks like, unless it is a code.
            Mode::Cue => !alias.capital || alias.code || tokens.iter().any(|token| token.is(shape::CAPITAL)),
            // What a short form of a name is worth is in its case.
            Mode::After | Mode::Never => false,
        }
    }
}

fn written(units: &[Unit], token: &Token) -> impl Iterator<Item = char> {
    let dotted = token.is(shape::DOTTED);
    let units = units.get(token.start..token.end).unwrap_or_default();
    units.iter().map(|unit| unit.ch).filter(move |ch| !(dotted && *ch == '.'))
}

/// Whether what is between two words in the text will do for what is between them in the name.
fn same_gap(name: Gap, text: Gap) -> bool {
    let soft = |gap| matches!(gap, Gap::Empty | Gap::Space | Gap::Hyphen);
    name == text
        || (soft(name) && soft(text))
        || (name == Gap::Hyphen && text == Gap::Dash)
        || (name == Gap::Comma && text == Gap::Space)
        || (name == Gap::DotSpace && matches!(text, Gap::Space | Gap::Comma))
        || (name == Gap::Quote && soft(text))
}

/// Whether the name ends and begins where it should: a code is not the beginning of a longer code, a host name is not a
/// company, and Korean words are whole but for their particles.
fn edges_allow(document: &Document, alias: &Alias, start: usize, end: usize) -> bool {
    let (Some(first), Some(last)) = (document.token(start), end.checked_sub(1).and_then(|at| document.token(at)))
    else {
        return false;
    };
    let digits_first = |token: &Token| document.ch(token.start).is_some_and(|ch| ch.is_ascii_digit());
    if let Some(next) = document.token(end) {
        if last.is(shape::DIGIT) && next.gap == Gap::Hyphen && digits_first(next) && !is_size(&document.folded(next)) {
            return false;
        }
        if next.gap == Gap::Dot && last.is(shape::DIGIT) && digits_first(next) {
            return false;
        }
        if next.gap == Gap::Dot && lexicon::is_top_level_domain(&document.folded(next)) {
            return false;
        }
    }
    if first.is(shape::HANGUL) && first.gap == Gap::Empty && document.before(start).is_some_and(|t| t.is(shape::HANGUL))
    {
        return false;
    }
    if last.is(shape::HANGUL) {
        let mut tail = String::new();
        for token in document.tokens.get(end..).unwrap_or_default() {
            if !token.is(shape::HANGUL) || token.gap != Gap::Empty || tail.chars().count() > 4 {
                break;
            }
            tail.push_str(&document.written(token));
        }
        return tail.is_empty() || lexicon::is_particle(&tail);
    }
    !(alias.code && first.gap == Gap::Dot && document.before(start).is_some_and(|before| before.is(shape::DIGIT)))
}

/// `80GB` after `A100-` is its memory.
fn is_size(word: &str) -> bool {
    word.trim_start_matches(|ch: char| ch.is_ascii_digit()).trim_start_matches('g').trim_start_matches('t') == "b"
}
