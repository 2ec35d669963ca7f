//! The text as the tagger reads it: everything that is only typography folded away.

use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

use super::{BREAK, Folded, LINE, PARAGRAPH, Reading, Unit, html::Sink, mojibake, read};

/// The matching view of `raw`: NFKC, one kind of quote, hyphen and space, no invisible characters, addresses masked.
pub(crate) fn matching(raw: &str, reading: Reading) -> Vec<char> {
    let mut folded = Folded::with_capacity(raw.len());
    append_matching(&mut folded, raw, reading);
    folded.into_chars()
}

/// Writes the matching view of `raw` behind what is in `folded` already.
pub(crate) fn append_matching(folded: &mut Folded, raw: &str, reading: Reading) {
    let start = folded.len();
    let mut folder = Folder { folded, start, space: None, signs: Vec::new(), dash: false };
    read(raw, reading, &mut folder, Folder::clusters);
    let (signs, dash) = (folder.signs, folder.dash);
    let chars = folded.chars_mut(start);
    if dash {
        join_by_dashes(chars);
    }
    mask_addresses(chars, signs.into_iter().map(|at| at - start));
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
    fn text(&mut self, text: &str, start: usize) {
        let bytes = text.as_bytes();
        self.write_space(bytes.first().map_or(' ', |byte| char::from(*byte)));
        let at = self.folded.len();
        if bytes.first().is_some_and(|byte| is_w(char::from(*byte))) {
            self.after_w();
        }
        // All at once, for which the compiler finds wide instructions; hardly any line has one of these.
        let w = |byte: u8| byte | 0x20 == b'w';
        let special = |byte: u8| matches!(byte, b':' | b'/' | b'@' | b'`');
        let pairs = || bytes.iter().copied().zip(bytes.iter().skip(1).copied().chain([0]));
        let any = bytes.iter().fold(false, |any, byte| any | special(*byte));
        let doubles = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
        let any = doubles.fold(any, |any, (one, next)| any | (w(*one) & w(*next)));
        self.folded.push_ascii(bytes, start);
        if any {
            let is_sign = |(one, next): (u8, u8)| matches!(one, b':' | b'/' | b'@') || (w(one) && w(next));
            self.signs.extend(pairs().enumerate().filter(|(_, pair)| is_sign(*pair)).map(|(sign, _)| at + sign));
            self.folded.chars_mut(at).iter_mut().filter(|ch| **ch == '`').for_each(|ch| *ch = '\'');
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
        self.signs.extend(last.filter(|last| self.folded.chars().get(*last).is_some_and(|ch| is_w(*ch))));
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

/// Makes a hyphen of a short dash right between two words: `U.S.–China`. A long one, `—`, is set without spaces around what
/// is put in: it stays.
fn join_by_dashes(chars: &mut [char]) {
    for at in 0..chars.len() {
        if char_at(chars, at) != Some(SHORT_DASH) {
            continue;
        }
        let word = |at: Option<usize>| at.and_then(|at| char_at(chars, at));
        let before = word(at.checked_sub(1)).is_some_and(|ch| ch.is_alphanumeric() || ch == '.');
        let joins = before && word(at.checked_add(1)).is_some_and(char::is_alphanumeric);
        if let Some(dash) = chars.get_mut(at) {
            *dash = if joins { '-' } else { '—' };
        }
    }
}

fn is_w(ch: char) -> bool {
    matches!(ch, 'w' | 'W')
}

/// Puts a break in the place of every web and mail address. At `signs` is all that there may be one by.
fn mask_addresses(chars: &mut [char], signs: impl Iterator<Item = usize>) {
    let mut masks = Vec::new();
    let mut masked_until = 0;
    for at in signs {
        if at < masked_until {
            continue;
        }
        let mask = match char_at(chars, at).unwrap_or_default() {
            ':' => scheme(chars, at),
            '@' => mail(chars, at),
            'w' | 'W' if char_at(chars, at + 1).is_some_and(is_w) => bare_www(chars, at),
            '/' => path_of_domain(chars, at),
            _ => None,
        };
        if let Some((_, end)) = mask {
            masked_until = end;
            masks.extend(mask);
        }
    }
    for (start, end) in masks {
        chars.get_mut(start..end).unwrap_or_default().fill(BREAK);
    }
}

fn char_at(chars: &[char], at: usize) -> Option<char> {
    chars.get(at).copied()
}

fn starts_with(chars: &[char], at: usize, text: &str) -> bool {
    text.chars()
        .enumerate()
        .all(|(offset, ch)| char_at(chars, at + offset).is_some_and(|other| other.eq_ignore_ascii_case(&ch)))
}

/// The end of an address: at white space, a quote or bracket, or anything that is not ASCII.
fn address_end(chars: &[char], from: usize) -> usize {
    let mut end = from;
    while char_at(chars, end)
        .is_some_and(|ch| ch.is_ascii_graphic() && !matches!(ch, '<' | '>' | '"' | '(' | ')' | '[' | ']'))
    {
        end += 1;
    }
    while end > from && char_at(chars, end - 1).is_some_and(|ch| matches!(ch, '.' | ',' | ';' | ':' | '!' | '?' | '\''))
    {
        end -= 1;
    }
    end
}

fn scheme(chars: &[char], colon: usize) -> Option<(usize, usize)> {
    if !starts_with(chars, colon, "://") {
        return None;
    }
    let mut start = colon;
    while start > 0 && char_at(chars, start - 1).is_some_and(|ch| ch.is_ascii_alphabetic()) {
        start -= 1;
    }
    (start < colon).then(|| (start, address_end(chars, colon)))
}

fn bare_www(chars: &[char], at: usize) -> Option<(usize, usize)> {
    let free = at == 0 || char_at(chars, at - 1).is_some_and(|ch| !ch.is_alphanumeric());
    (free && starts_with(chars, at, "www.")).then(|| (at, address_end(chars, at)))
}

fn mail(chars: &[char], sign: usize) -> Option<(usize, usize)> {
    let local = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '%' | '+' | '-');
    let mut start = sign;
    while start > 0 && char_at(chars, start - 1).is_some_and(local) {
        start -= 1;
    }
    let mut end = sign + 1;
    while char_at(chars, end).is_some_and(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-')) {
        end += 1;
    }
    let dotted = chars.get(sign + 1..end)?.contains(&'.');
    (start < sign && dotted).then_some((start, end))
}

/// `example.com/page` without a scheme.
fn path_of_domain(chars: &[char], slash: usize) -> Option<(usize, usize)> {
    let mut start = slash;
    while start > 0 && char_at(chars, start - 1).is_some_and(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-'))
    {
        start -= 1;
    }
    let host: String = chars.get(start..slash)?.iter().map(char::to_ascii_lowercase).collect();
    let (name, top) = host.rsplit_once('.')?;
    (!name.is_empty() && crate::lexicon::is_top_level_domain(top)).then(|| (start, address_end(chars, slash)))
}
