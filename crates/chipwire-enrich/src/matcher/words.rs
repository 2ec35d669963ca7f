//! The words that names and cues are made of, by number.

use hashbrown::HashTable;

use crate::{
    article::{short_word_hash, word_hash},
    lexicon::han,
};

/// The words that any name or cue has, numbered from 1; 0 is every other word.
///
/// They stand one behind the other, so that a word of a large gazetteer takes about twenty bytes besides its letters.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// The words of at most sixteen bytes, each as two numbers: nearly all of a text is compared at once.
    short: HashTable<([u64; 2], Known)>,
    /// The longer ones, by the hashes of the words.
    long: HashTable<Known>,
    letters: Vec<u8>,
    /// Where each word ends in `letters`; it begins where the one before ends.
    ends: Vec<u32>,
    /// Bits of [`part`] for each word.
    parts: Vec<u8>,
}

/// What a word is part of, as bits.
pub(crate) mod part {
    /// It is a name or a cue alone, and not only together with others.
    pub(crate) const ALONE: u8 = 1;
    /// A name begins with it.
    pub(crate) const NAME: u8 = 2;
    /// It is a name alone.
    pub(crate) const WHOLE: u8 = 4;
    /// A cue may begin with it.
    pub(crate) const BEGINNING: u8 = 8;
    /// Which cues begin with it is not found by its number alone. So it is of every word that is not known.
    pub(crate) const WRITTEN: u8 = 16;
    /// A row of offices may begin with it.
    pub(crate) const ROW: u8 = 32;
}

/// A word that is known, and what it is part of: together, as both are asked for each word of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) number: u32,
    pub(crate) parts: u8,
}

impl Known {
    /// Of a word that no name has, and no cue as it is: a cue may be the beginning of it.
    const NOTHING: Self = Self { number: 0, parts: part::BEGINNING | part::WRITTEN };
}

/// A folded word, ready to be looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spelled<'a> {
    pub(crate) bytes: &'a [u8],
    /// Its bytes as two numbers, if they are at most sixteen.
    pub(crate) packed: Option<[u64; 2]>,
}

impl<'a> Spelled<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, packed: packed(bytes) }
    }

    /// Its hash by [`word_hash`].
    pub(crate) fn hash(&self) -> u64 {
        self.packed.map_or_else(|| word_hash(self.bytes), short_word_hash)
    }
}

impl Words {
    /// What is known of `word`, whose hash is `hash`.
    pub(crate) fn get(&self, word: &Spelled<'_>, hash: u64) -> Known {
        match word.packed {
            Some(key) => self.get_short(key, hash),
            None => {
                self.long.find(hash, |known| self.text(known.number) == word.bytes).copied().unwrap_or(Known::NOTHING)
            }
        }
    }

    /// The same of a word of at most sixteen bytes.
    pub(super) fn get_short(&self, packed: [u64; 2], hash: u64) -> Known {
        self.short.find(hash, |(key, _)| *key == packed).map_or(Known::NOTHING, |(_, known)| *known)
    }

    /// The number of `word`, which is folded already; 0 if it has none.
    pub(crate) fn number(&self, word: &[u8]) -> u32 {
        let word = Spelled::new(word);
        self.get(&word, word.hash()).number
    }

    /// The number of `word`, which is folded already, a new one if it has none.
    pub(crate) fn intern(&mut self, word: &[u8]) -> u32 {
        let word = Spelled::new(word);
        let hash = word.hash();
        let known = self.get(&word, hash).number;
        if known != 0 {
            return known;
        }
        let end = u32::try_from(self.letters.len() + word.bytes.len());
        let (Ok(end), Ok(number)) = (end, u32::try_from(self.ends.len() + 1)) else {
            // Beyond four gigabytes of words there are no new ones.
            return 0;
        };
        self.letters.extend_from_slice(word.bytes);
        self.ends.push(end);
        let Self { short, long, letters, ends, .. } = self;
        let known = Known { number, parts: 0 };
        match word.packed {
            Some(key) => {
                short.insert_unique(hash, (key, known), |(key, _)| short_word_hash(*key));
            }
            None => {
                long.insert_unique(hash, known, |known| word_hash(text(letters, ends, known.number)));
            }
        }
        self.add_forms(word.bytes, known);
        number
    }

    /// A Chinese character has the same number in traditional, simplified and Japanese writing.
    fn add_forms(&mut self, word: &[u8], known: Known) {
        let mut chars = str::from_utf8(word).unwrap_or_default().chars();
        let ch = chars.next().filter(|_| chars.next().is_none());
        let forms = ch.map(han::forms).into_iter().flatten();
        for form in forms.filter(|form| Some(*form) != ch) {
            let mut bytes = [0; 4];
            let spelled = Spelled::new(form.encode_utf8(&mut bytes).as_bytes());
            if let Some(key) = spelled.packed {
                self.short.insert_unique(spelled.hash(), (key, known), |(key, _)| short_word_hash(*key));
            }
        }
    }

    /// The folded word of a number; empty for 0.
    pub(crate) fn text(&self, number: u32) -> &[u8] {
        text(&self.letters, &self.ends, number)
    }

    /// The highest number.
    pub(crate) fn last(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Gives back what was kept for more words.
    fn shrink(&mut self) {
        self.letters.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.parts.shrink_to_fit();
        let Self { short, long, letters, ends, .. } = self;
        short.shrink_to_fit(|(key, _)| short_word_hash(*key));
        long.shrink_to_fit(|known| word_hash(text(letters, ends, known.number)));
    }

    /// Notes that `word` is `part`, which is told with it once [`Self::finish`] was called.
    pub(crate) fn add_part(&mut self, word: u32, part: u8) {
        let at = word as usize;
        if self.parts.len() <= at {
            self.parts.resize(at + 1, 0);
        }
        self.parts.get_mut(at).into_iter().for_each(|parts| *parts |= part);
    }

    /// Puts what each word is part of beside it.
    pub(crate) fn finish(&mut self) {
        self.shrink();
        let parts = &self.parts;
        let all = self.short.iter_mut().map(|(_, known)| known).chain(self.long.iter_mut());
        for known in all {
            known.parts = parts.get(known.number as usize).copied().unwrap_or(0);
        }
    }
}

/// A word of at most sixteen bytes as two numbers. No word has a zero in it, so none is another with zeros behind it.
pub(crate) fn packed(word: &[u8]) -> Option<[u64; 2]> {
    let (first, rest) = word.split_at(word.len().min(8));
    (rest.len() <= 8).then(|| [first, rest].map(crate::lexicon::packed))
}

fn text<'a>(letters: &'a [u8], ends: &[u32], number: u32) -> &'a [u8] {
    let Some(at) = (number as usize).checked_sub(1) else { return &[] };
    let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(at).and_then(|end| letters.get(start as usize..*end as usize)).unwrap_or_default()
}
