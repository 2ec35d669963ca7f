//! The text as the tagger reads it: everything that is only typography folded away.

use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

use super::{
    BREAK, Folded, LINE, PARAGRAPH, Reading, Unit,
    html::{Sink, signs},
    mojibake, read,
};
use crate::lanes::{self, Lanes};

/// Writes the matching view of `raw` behind what is in `folded` already: NFKC, one kind of quote, hyphen and space, no invisible
/// characters, addresses masked.
pub(crate) fn append_matching(folded: &mut Folded, raw: &str, reading: Reading) {
    let start = folded.len();
    let mut folder = Folder { folded, start, space: None, signs: Vec::new(), dash: false };
    read(raw, reading, &mut folder, Folder::clusters);
    let (signs, dash) = (folder.signs, folder.dash);
    let mut text = Text { folded, start };
    if dash {
        text.join_by_dashes();
    }
    text.mask_addresses(signs);
}

/// Whether `ch` makes one character with what is before it.
fn extends(ch: char) -> bool {
    canonical_combining_class(ch) != 0 || matches!(ch, '\u{1160}'..='\u{11FF}' | '\u{FF9E}' | '\u{FF9F}')
}

struct Folder<'a> {
    folded: &'a mut Folded,
    /// What is before belongs to another text.
    start: usize,
    /// White space that was read and not yet written: one unit, with the number of line breaks in it.
    space: Option<(Unit, u32)>,
    /// Where the signs are without which there is no address: `:`, `/`, `@`, and the first of two `w`.
    signs: Vec<usize>,
    /// A short dash was read.
    dash: bool,
}

impl Sink for Folder<'_> {
    fn text(&mut self, text: &str, start: usize, signs: bool) {
        let bytes = text.as_bytes();
        self.write_space(bytes.first().map_or(' ', |byte| char::from(*byte)));
        let at = self.folded.len();
        if bytes.first().is_some_and(|byte| is_w(char::from(*byte))) {
            self.after_w();
        }
        self.folded.push_ascii(bytes, start);
        if signs {
            self.note_signs(at, bytes);
        }
    }

    fn takes(&self, ch: char) -> bool {
        ch < '\u{C2}' || !(mojibake::suspicious(ch) || (ch >= '\u{300}' && extends(ch)))
    }

    fn restart(&mut self) {
        self.folded.truncate(self.start);
        self.signs.clear();
        self.space = None;
    }

    fn unit(&mut self, unit: Unit) {
        match unit.ch {
            '\n' => self.wait(' ', 1, unit),
            '`' => self.push('\'', unit.start(), unit.end()),
            '!'..='~' => self.push(unit.ch, unit.start(), unit.end()),
            '\0'..='\u{A0}' => self.wait(' ', 0, unit),
            PARAGRAPH => self.wait(PARAGRAPH, 0, unit),
            LINE => self.wait(' ', 1, unit),
            // Signs of trade marks part nothing: "RTX™ 4090".
            '\u{AD}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{180E}'
            | '™'
            | '®'
            | '©'
            | '℠' => {}
            // A raised or lowered digit is a footnote or chemistry, never part of a name.
            '\u{B2}' | '\u{B3}' | '\u{B9}' | '\u{2070}'..='\u{209F}' | BREAK => {
                self.push(BREAK, unit.start(), unit.end())
            }
            '‘' | '’' | '‚' | '‛' | '′' | 'ʼ' | '＇' | '´' => self.push('\'', unit.start(), unit.end()),
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' | '「' | '」' | '『' | '』' => {
                self.push('"', unit.start(), unit.end())
            }
            '‐' | '‑' | '‒' | '−' | '﹣' | '－' => self.push('-', unit.start(), unit.end()),
            SHORT_DASH => {
                self.dash = true;
                self.push(SHORT_DASH, unit.start(), unit.end());
            }
            '—' | '―' => self.push('—', unit.start(), unit.end()),
            '・' | '·' | '‧' | '•' => self.push('·', unit.start(), unit.end()),
            ch if ch.is_whitespace() => self.wait(' ', 0, unit),
            // Most of East Asian text, all of which is what NFKC makes of it.
            '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' => self.push(unit.ch, unit.start(), unit.end()),
            _ => self.cluster(&[unit]),
        }
    }
}

impl Folder<'_> {
    /// Notes the signs among `bytes`, which were written at `at`.
    fn note_signs(&mut self, at: usize, bytes: &[u8]) {
        for from in (0..bytes.len()).step_by(lanes::BYTES) {
            let next = bytes.get(from + lanes::BYTES).copied().unwrap_or(0);
            let mut signs = signs(Lanes::read(bytes, from), next);
            while signs != 0 {
                let sign = from + signs.trailing_zeros() as usize;
                signs &= signs - 1;
                match bytes.get(sign) {
                    Some(b'`') => self.folded.set(at + sign, '\''),
                    _ => self.signs.push(at + sign),
                }
            }
        }
    }

    /// Folds `units`, each character with its combining marks.
    fn clusters(&mut self, units: &[Unit]) {
        let mut rest = units;
        while let Some((first, tail)) = rest.split_first() {
            let marks = tail.iter().take_while(|unit| unit.ch >= '\u{300}' && extends(unit.ch)).count();
            if marks > 0 {
                self.cluster(rest.get(..=marks).unwrap_or_default());
                rest = tail.get(marks..).unwrap_or_default();
            } else {
                self.unit(*first);
                rest = tail;
            }
        }
    }

    /// Characters that are composed together, all standing for the same bytes.
    fn cluster(&mut self, units: &[Unit]) {
        let (Some(first), Some(last)) = (units.first(), units.last()) else { return };
        for ch in units.iter().map(|unit| unit.ch).nfkc() {
            if ch.is_whitespace() {
                self.wait(' ', 0, Unit::new(ch, first.start(), last.end()));
            } else {
                self.push(ch, first.start(), last.end());
            }
        }
    }

    fn wait(&mut self, ch: char, line_breaks: u32, unit: Unit) {
        let (space, breaks) = self.space.get_or_insert((Unit { ch: ' ', ..unit }, 0));
        *breaks += line_breaks;
        space.reach(unit);
        if ch == PARAGRAPH || *breaks > 1 {
            space.ch = PARAGRAPH;
        }
    }

    fn push(&mut self, ch: char, start: usize, end: usize) {
        self.write_space(ch);
        if is_w(ch) {
            self.after_w();
        } else if matches!(ch, ':' | '/' | '@') {
            self.signs.push(self.folded.len());
        }
        self.folded.push(ch, start, end);
    }

    /// Notes the `w` before one that comes now.
    fn after_w(&mut self) {
        let last = self.folded.len().checked_sub(1).filter(|last| *last >= self.start);
        self.signs.extend(last.filter(|last| self.folded.ch(*last).is_some_and(is_w)));
    }

    /// Writes the white space that waits, before `next`. The items of a list stand apart from each other.
    fn write_space(&mut self, next: char) {
        if let Some((space, breaks)) = self.space.take() {
            let ch = if breaks > 0 && BULLETS.contains(&next) { PARAGRAPH } else { space.ch };
            self.folded.push(ch, space.start(), space.end());
        }
    }
}

/// What the items of a list begin with, as it is folded.
const BULLETS: &[char] = &['*', '·', '▪', '■', '●', '►'];

/// A hyphen where it joins two words, or else a dash.
const SHORT_DASH: char = '–';

fn is_w(ch: char) -> bool {
    matches!(ch, 'w' | 'W')
}

/// A text in a view that may have another before it.
struct Text<'a> {
    folded: &'a mut Folded,
    /// Where it begins.
    start: usize,
}

impl Text<'_> {
    fn ch(&self, at: usize) -> Option<char> {
        self.folded.ch(at)
    }

    /// The character before `at`.
    fn before(&self, at: usize) -> Option<char> {
        (at > self.start).then(|| self.ch(at - 1))?
    }

    /// The first of the characters before `end` that are all `such`.
    fn back(&self, end: usize, such: impl Fn(char) -> bool) -> usize {
        let mut start = end;
        while self.before(start).is_some_and(&such) {
            start -= 1;
        }
        start
    }

    /// Makes a hyphen of a short dash right between two words: `U.S.–China`. A long one, `—`, is set without spaces around
    /// what is put in: it stays.
    fn join_by_dashes(&mut self) {
        for at in self.start..self.folded.len() {
            if self.ch(at) != Some(SHORT_DASH) {
                continue;
            }
            let before = self.before(at).is_some_and(|ch| ch.is_alphanumeric() || ch == '.');
            let joins = before && self.ch(at + 1).is_some_and(char::is_alphanumeric);
            self.folded.set(at, if joins { '-' } else { '—' });
        }
    }

    /// Puts a break in the place of every web and mail address. At `signs` is all that there may be one by.
    fn mask_addresses(&mut self, signs: Vec<usize>) {
        let mut masks = Vec::new();
        let mut masked_until = 0;
        for at in signs {
            if at < masked_until {
                continue;
            }
            let mask = match self.ch(at).unwrap_or_default() {
                ':' => self.scheme(at),
                '@' => self.mail(at),
                'w' | 'W' if self.ch(at + 1).is_some_and(is_w) => self.bare_www(at),
                '/' => self.path_of_domain(at),
                _ => None,
            };
            if let Some((_, end)) = mask {
                masked_until = end;
                masks.extend(mask);
            }
        }
        for (start, end) in masks {
            (start..end).for_each(|at| self.folded.set(at, BREAK));
        }
    }

    fn has(&self, at: usize, text: &str) -> bool {
        let mut here = at..;
        text.chars()
            .all(|ch| here.next().and_then(|at| self.ch(at)).is_some_and(|other| other.eq_ignore_ascii_case(&ch)))
    }

    /// The end of an address: at white space, a quote or bracket, or anything that is not ASCII.
    fn address_end(&self, from: usize) -> usize {
        let mut end = from;
        while self
            .ch(end)
            .is_some_and(|ch| ch.is_ascii_graphic() && !matches!(ch, '<' | '>' | '"' | '(' | ')' | '[' | ']'))
        {
            end += 1;
        }
        while end > from && self.ch(end - 1).is_some_and(|ch| matches!(ch, '.' | ',' | ';' | ':' | '!' | '?' | '\'')) {
            end -= 1;
        }
        end
    }

    fn scheme(&self, colon: usize) -> Option<(usize, usize)> {
        if !self.has(colon, "://") {
            return None;
        }
        let start = self.back(colon, |ch| ch.is_ascii_alphabetic());
        (start < colon).then(|| (start, self.address_end(colon)))
    }

    fn bare_www(&self, at: usize) -> Option<(usize, usize)> {
        let free = self.before(at).is_none_or(|ch| !ch.is_alphanumeric());
        (free && self.has(at, "www.")).then(|| (at, self.address_end(at)))
    }

    fn mail(&self, sign: usize) -> Option<(usize, usize)> {
        let start = self.back(sign, |ch| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '%' | '+' | '-'));
        let mut end = sign + 1;
        while self.ch(end).is_some_and(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-')) {
            end += 1;
        }
        let dotted = self.folded.chars(sign + 1, end).any(|ch| ch == '.');
        (start < sign && dotted).then_some((start, end))
    }

    /// `example.com/page` without a scheme.
    fn path_of_domain(&self, slash: usize) -> Option<(usize, usize)> {
        let start = self.back(slash, |ch| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-'));
        let host: String = self.folded.chars(start, slash).map(|ch| ch.to_ascii_lowercase()).collect();
        let (name, top) = host.rsplit_once('.')?;
        (!name.is_empty() && crate::lexicon::is_top_level_domain(top)).then(|| (start, self.address_end(slash)))
    }
}
