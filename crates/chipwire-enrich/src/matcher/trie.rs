//! Every name of every entity in one trie over words, and what a text has of them.

use std::{collections::VecDeque, hash::Hasher, ops::Range};

use rustc_hash::{FxHashMap, FxHasher};

use super::{
    document::Document,
    gap::Gap,
    token::{Token, shape},
    words::{Words, part},
};
use crate::{
    gazetteer::{self, EntityDef, Mode},
    lexicon,
    view::Folded,
};

/// A name, ready to be compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alias {
    entity: u32,
    /// A hash of its tokens as written, joined, without the stops of acronyms.
    written: u32,
    /// The number of what is between them, in [`Trie::gaps`].
    gaps: u32,
    /// The number of its tokens.
    length: u16,
    /// Bits of [`has`].
    bits: u8,
    pub(crate) mode: Mode,
}

/// Properties of a name, as bits.
mod has {
    /// Only exactly its case counts.
    pub(super) const CASE: u8 = 1;
    /// It has a digit, so that it is a code rather than a word.
    pub(super) const DIGIT: u8 = 2;
    pub(super) const CAPITAL: u8 = 4;
    /// More than three bytes, folded.
    pub(super) const LETTERS: u8 = 8;
    /// It ends with a closing bracket.
    pub(super) const BRACKET: u8 = 16;
    /// It is the name that its entity is shown by.
    pub(super) const TITLE: u8 = 32;
}

impl Alias {
    /// The entity's position in the gazetteer.
    pub(crate) fn entity(&self) -> usize {
        self.entity as usize
    }

    /// The number of its tokens.
    pub(crate) fn length(&self) -> usize {
        self.length.into()
    }

    /// The name has a digit, so that it is a code rather than a word.
    pub(crate) fn is_code(&self) -> bool {
        self.has(has::DIGIT)
    }

    /// A closing bracket is its last character.
    pub(crate) fn ends_with_bracket(&self) -> bool {
        self.has(has::BRACKET)
    }

    /// It is the name that its entity is shown by.
    pub(crate) fn is_title(&self) -> bool {
        self.has(has::TITLE)
    }

    fn has(&self, bits: u8) -> bool {
        self.bits & bits != 0
    }
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

/// All names: a tree over their words, in which a node takes twelve bytes and a name sixteen.
///
/// Nodes are numbered level by level, so that those behind one node stand side by side, by their words; and so do the names
/// that end at it.
#[derive(Debug, Default)]
pub(crate) struct Trie {
    /// The last word on the way to each node. Node 0 is the root.
    words: Vec<u32>,
    /// The first node behind each, and its first name; one more than there are nodes.
    firsts: Vec<First>,
    /// The node after a first word, by the word's number.
    roots: Vec<u32>,
    aliases: Vec<Alias>,
    /// What is between the tokens of names; most have the same.
    gaps: Vec<Box<[Gap]>>,
    pairs: Pairs,
}

/// Which words are the first two of a name: two bits in one of as many numbers as there are eighths of them, so that a text is
/// hardly ever looked up in vain in the tree, which is large and far apart.
#[derive(Debug, Default)]
struct Pairs {
    bits: Vec<u64>,
    /// By so many bits a hash is too long.
    shift: u32,
}

impl Pairs {
    fn new(pairs: &[(u32, u32)]) -> Self {
        let numbers = pairs.len().div_ceil(8).next_power_of_two().max(2);
        let mut new = Self { bits: vec![0; numbers], shift: u64::BITS - numbers.trailing_zeros() };
        for (first, second) in pairs {
            let (at, both) = new.place(*first, *second);
            new.bits.get_mut(at).into_iter().for_each(|bits| *bits |= both);
        }
        new
    }

    fn place(&self, first: u32, second: u32) -> (usize, u64) {
        let pair = u64::from(first) << 32 | u64::from(second);
        // Of a product the upper half depends on all of both.
        let hash = pair.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((hash >> self.shift) as usize, 1 << ((hash >> 32) % 64) | 1 << ((hash >> 38) % 64))
    }

    /// Whether a name may begin with these.
    fn may_have(&self, first: u32, second: u32) -> bool {
        let (at, both) = self.place(first, second);
        self.bits.get(at).is_some_and(|bits| bits & both == both)
    }
}

/// Where what belongs to a node begins. It ends where that of the next begins.
#[derive(Debug, Clone, Copy)]
struct First {
    node: u32,
    alias: u32,
}

/// Names on their way into a [`Trie`].
#[derive(Debug, Default)]
pub(crate) struct Names {
    aliases: Vec<Alias>,
    /// The words of all names, one name behind the other.
    words: Vec<u32>,
    /// Where the words of each begin.
    starts: Vec<u32>,
    gaps: Vec<Box<[Gap]>>,
    numbers: FxHashMap<Box<[Gap]>, u32>,
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
        let name = Document::of_name(&text.replace(" & ", " and "));
        let words =
            name.tokens.iter().map(|token| name.folded(token).chars().map(lexicon::han::plain).collect()).collect();
        Self { words, gaps: name.tokens.iter().skip(1).map(|token| token.gap).collect() }
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

impl Names {
    /// Adds the name `text` of `entity`, which is at `at` in the gazetteer; one without a single token is left out.
    pub(crate) fn add(
        &mut self,
        at: usize,
        entity: &EntityDef,
        text: &str,
        alias: &gazetteer::Alias,
        words: &mut Words,
    ) {
        let name = Document::of_name(text);
        let tokens = &name.tokens;
        let start = self.words.len();
        let mut folded_bytes = 0;
        for token in tokens {
            let word = name.folded(token);
            folded_bytes += word.len() + 1;
            self.words.push(words.intern(word.as_bytes()));
        }
        let numbers = self.words.get(start..).unwrap_or_default();
        let fits = (u32::try_from(at), u32::try_from(start), u16::try_from(tokens.len()));
        // More words than anybody writes have no place in the tree.
        let (Ok(number), Ok(from), Ok(length @ 1..)) = fits else { return self.words.truncate(start) };
        if let [first, rest @ ..] = numbers {
            let whole = if rest.is_empty() { part::ALONE | part::WHOLE } else { 0 };
            words.add_part(*first, part::NAME | whole);
        }
        let gaps: Box<[Gap]> = tokens.iter().skip(1).map(|token| token.gap).collect();
        let next = u32::try_from(self.gaps.len()).unwrap_or(u32::MAX);
        let gaps = *self.numbers.entry(gaps).or_insert_with_key(|gaps| {
            self.gaps.push(gaps.clone());
            next
        });
        let bits = [
            (alias.case || matches!(alias.mode, Mode::Cased | Mode::After), has::CASE),
            (tokens.iter().any(|token| token.is(shape::DIGIT)), has::DIGIT),
            (text.chars().any(char::is_uppercase), has::CAPITAL),
            (folded_bytes > 4, has::LETTERS),
            (text.ends_with([')', '）']), has::BRACKET),
            (entity.name == text, has::TITLE),
        ];
        self.starts.push(from);
        self.aliases.push(Alias {
            entity: number,
            written: written(name.view(), tokens),
            gaps,
            length,
            bits: bits.into_iter().filter(|(is, _)| *is).fold(0, |all, (_, bit)| all | bit),
            mode: alias.mode,
        });
    }

    fn words(&self, alias: u32) -> &[u32] {
        let at = alias as usize;
        let start = self.starts.get(at).map_or(0, |start| *start as usize);
        let length = self.aliases.get(at).map_or(0, Alias::length);
        self.words.get(start..start + length).unwrap_or_default()
    }
}

impl Trie {
    /// A tree of all `names`.
    pub(crate) fn new(names: Names) -> Self {
        let mut order: Vec<u32> = (0_u32..).take(names.aliases.len()).collect();
        // Names of the same words stay in the order in which they came.
        order.sort_by(|a, b| names.words(*a).cmp(names.words(*b)));
        let mut trie = Self { words: vec![0], ..Self::default() };
        trie.aliases.reserve_exact(order.len());
        // The names behind each node that is not done, and the number of words on the way to it.
        let mut open = VecDeque::from([(order.as_slice(), 0)]);
        let size = |length| u32::try_from(length).unwrap_or(u32::MAX);
        let mut behind = size(open.len());
        while let Some((names_here, depth)) = open.pop_front() {
            trie.firsts.push(First { node: behind, alias: size(trie.aliases.len()) });
            let whole = names_here.iter().take_while(|alias| names.words(**alias).len() == depth).count();
            let (here, longer) = names_here.split_at(whole);
            trie.aliases.extend(here.iter().filter_map(|alias| names.aliases.get(*alias as usize)));
            let word = |alias: &u32| names.words(*alias).get(depth).copied().unwrap_or(0);
            for group in longer.chunk_by(|a, b| word(a) == word(b)) {
                trie.words.push(group.first().map_or(0, word));
                open.push_back((group, depth + 1));
                behind += 1;
            }
        }
        trie.firsts.push(First { node: behind, alias: size(trie.aliases.len()) });
        trie.gaps = names.gaps;
        let first_words = trie.nodes_behind(0);
        trie.roots =
            vec![
                0;
                first_words.clone().filter_map(|node| trie.words.get(node)).max().map_or(0, |word| *word as usize + 1)
            ];
        for node in first_words {
            if let Some(word) = trie.words.get(node)
                && let Some(root) = trie.roots.get_mut(*word as usize)
            {
                *root = size(node);
            }
        }
        let mut pairs = Vec::new();
        for root in trie.nodes_behind(0) {
            let word = |node: usize| trie.words.get(node).copied().unwrap_or(0);
            pairs.extend(trie.nodes_behind(root).map(|node| (word(root), word(node))));
        }
        trie.pairs = Pairs::new(&pairs);
        trie.words.shrink_to_fit();
        trie.firsts.shrink_to_fit();
        trie.gaps.shrink_to_fit();
        trie
    }

    /// A part of the range between what belongs to `node` and what belongs to the next.
    fn range(&self, node: usize, part: impl Fn(&First) -> u32) -> Range<usize> {
        let at = |node: usize| self.firsts.get(node).map_or(0, |first| part(first) as usize);
        at(node)..at(node + 1)
    }

    fn nodes_behind(&self, node: usize) -> Range<usize> {
        self.range(node, |first| first.node)
    }

    /// The node behind `node` with the word `word`, or 0.
    fn step(&self, node: usize, word: u32) -> usize {
        if node == 0 {
            return self.roots.get(word as usize).map_or(0, |node| *node as usize);
        }
        let behind = self.nodes_behind(node);
        let words = self.words.get(behind.clone()).unwrap_or_default();
        words.binary_search(&word).map_or(0, |at| behind.start + at)
    }

    pub(crate) fn alias(&self, number: usize) -> Option<&Alias> {
        self.aliases.get(number)
    }

    /// The entities that have the name `folded`, which is in the form in which words are compared, its words joined by spaces.
    pub(crate) fn entities_of(&self, folded: &str, words: &Words) -> impl Iterator<Item = usize> {
        let node = folded.split(' ').try_fold(0, |node, word| {
            let number = words.number(word.as_bytes());
            Some(self.step(node, number)).filter(|node| number != 0 && *node != 0)
        });
        let ends = node.map_or(0..0, |node| self.range(node, |first| first.alias));
        let aliases = self.aliases.get(ends).unwrap_or_default();
        aliases.iter().filter(|alias| alias.mode != Mode::After).map(Alias::entity)
    }

    /// Every place of every name, by position; nothing is chosen between them yet.
    pub(crate) fn find(&self, document: &Document) -> Vec<Match> {
        let mut matches = Vec::new();
        let begins_longer =
            |token: &Token, next: &Token| (next.gap != Gap::Hard) & self.pairs.may_have(token.word, next.word);
        let starts = document.names(|token, next| token.is_part(part::WHOLE) | begins_longer(token, next));
        for (start, token) in starts {
            let longer = document.token(start + 1).is_some_and(|next| begins_longer(token, next));
            let mut node = 0;
            for (length, token) in document.tokens.get(start..).unwrap_or_default().iter().enumerate() {
                if length > 0 && token.gap == Gap::Open {
                    self.find_around(document, start, start + length, node, &mut matches);
                }
                if token.word == 0 || (length > 0 && (token.gap == Gap::Hard || !longer)) {
                    break;
                }
                node = self.step(node, token.word);
                if node == 0 {
                    break;
                }
                matches.extend(
                    self.range(node, |first| first.alias).filter_map(|alias| self.check(document, alias, start)),
                );
            }
        }
        matches
    }

    /// The names of one word that `token`, at `at`, is.
    pub(crate) fn of_one(&self, document: &Document, token: Token, at: usize) -> impl Iterator<Item = Match> {
        let node = self.step(0, token.word);
        let names = if token.word == 0 || node == 0 { 0..0 } else { self.range(node, |first| first.alias) };
        names.filter_map(move |alias| self.check_tokens(document, alias, &[token], at..at + 1))
    }

    /// Names into which their own acronym is written, alone in brackets at the token `at`: `foreign direct product (FDP) rule`. The
    /// words from `start` to there lead to the node `behind`.
    #[cold]
    fn find_around(&self, document: &Document, start: usize, at: usize, behind: usize, matches: &mut Vec<Match>) {
        let closed = document.token(at + 1).is_some_and(|next| next.gap == Gap::Close);
        let acronym = document.token(at).is_some_and(|token| token.is(shape::UPPER) && token.is(shape::LETTER));
        // "Intel (INTC) Xeon" has the code of a share.
        if !closed || !acronym || at < start + 2 || !is_made_of(document, at, start) {
            return;
        }
        // The words before the bracket may be a name of the entity, and the acronym another: `extreme ultraviolet (EUV) lithography`.
        // Then one word more behind it adds nothing, unless it makes the name that the entity is shown by.
        let names_at = |node| self.aliases.get(self.range(node, |first| first.alias)).unwrap_or_default();
        let known = document.token(at).map_or(0, |acronym| self.step(0, acronym.word));
        let both = |entity| {
            [behind, known]
                .iter()
                .all(|node| *node != 0 && names_at(*node).iter().any(|alias| alias.entity() == entity))
        };
        let mut node = behind;
        let mut tokens = document.tokens.get(start..at).unwrap_or_default().to_vec();
        for (end, token) in (at + 2..).zip(document.tokens.get(at + 1..).unwrap_or_default()) {
            let gap = if end == at + 2 { Gap::Space } else { token.gap };
            node = self.step(node, token.word);
            if node == 0 || token.word == 0 || gap == Gap::Hard {
                break;
            }
            tokens.push(Token { gap, ..*token });
            let adds = |number: &usize| {
                end > at + 2 || self.alias(*number).is_some_and(|alias| alias.is_title() || !both(alias.entity()))
            };
            let names = self.range(node, |first| first.alias).filter(adds);
            matches.extend(names.filter_map(|alias| self.check_tokens(document, alias, &tokens, start..end)));
        }
    }

    /// Whether the name whose words stand at `start` is written there.
    fn check(&self, document: &Document, number: usize, start: usize) -> Option<Match> {
        let end = start + self.aliases.get(number)?.length();
        self.check_tokens(document, number, document.tokens.get(start..end)?, start..end)
    }

    /// The same of its words, `tokens`, which are all that counts of those in `place`.
    #[inline]
    fn check_tokens(&self, document: &Document, number: usize, tokens: &[Token], place: Range<usize>) -> Option<Match> {
        let alias = self.aliases.get(number)?;
        let Range { start, end } = place;
        let mut hyphen = None;
        let gaps = self.gaps.get(alias.gaps as usize)?;
        for (at, (token, gap)) in tokens.iter().skip(1).zip(gaps).enumerate() {
            if !same_gap(*gap, token.gap) {
                return None;
            }
            if token.gap == Gap::Hyphen && *gap != Gap::Hyphen {
                hyphen = Some(at + 1);
            }
        }
        let exact = written(document.view(), tokens) == alias.written;
        let case = exact || case_allows(document, alias, tokens);
        (case && edges_allow(document, alias, start, end)).then_some(Match { alias: number, start, end, exact, hyphen })
    }
}

fn case_allows(document: &Document, alias: &Alias, tokens: &[Token]) -> bool {
    let upper = tokens.iter().all(|token| token.is(shape::UPPER) || !token.is(shape::LETTER));
    let first = tokens.first().and_then(|token| document.sentences.get(token.sentence));
    let capital = alias.has(has::CAPITAL);
    let in_capitals = upper && capital && first.is_some_and(|sentence| sentence.capitals);
    match alias.mode {
        Mode::Free => true,
        // Whether a name in capitals needs a cue is weighed later. Short ones are acronyms of something else.
        Mode::Cased => in_capitals || (upper && capital && alias.has(has::LETTERS)),
        Mode::Cue if alias.has(has::CASE) => in_capitals,
        // A name that is written small is the word that it looks like, unless it is a code.
        Mode::Cue => !capital || alias.is_code() || tokens.iter().any(|token| token.is(shape::CAPITAL)),
        // What a short form of a name is worth is in its case.
        Mode::After | Mode::Never => false,
    }
}

/// A hash of the tokens as they are written, without what is between them and without the stops of acronyms. It is asked of
/// tokens whose folded words are known to be the same.
fn written(view: &Folded, tokens: &[Token]) -> u32 {
    let mut hasher = FxHasher::default();
    for token in tokens {
        let dotted = token.is(shape::DOTTED);
        for ch in view.chars(token.start, token.end) {
            if !(dotted && ch == '.') {
                hasher.write_u32(ch.into());
            }
        }
    }
    // The upper half is the better one.
    (hasher.finish() >> 32) as u32
}

/// Whether the letters of the acronym at `at` are, in their order, among those of the words from `start` to there, and the first begins
/// them.
fn is_made_of(document: &Document, at: usize, start: usize) -> bool {
    let text = |at: usize| document.token(at).map(|token| document.folded(token)).unwrap_or_default();
    let words = (start..at).map(text).collect::<String>();
    let (acronym, mut rest) = (text(at), words.chars());
    acronym.chars().next() == words.chars().next() && acronym.chars().all(|letter| rest.any(|ch| ch == letter))
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
        // Part of a name is quoted: `"is informed" letter`.
        || (soft(name) && text == Gap::Quote)
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
    !(alias.is_code() && first.gap == Gap::Dot && document.before(start).is_some_and(|before| before.is(shape::DIGIT)))
}

/// `80GB` after `A100-` is its memory.
fn is_size(word: &str) -> bool {
    word.trim_start_matches(|ch: char| ch.is_ascii_digit()).trim_start_matches('g').trim_start_matches('t') == "b"
}
