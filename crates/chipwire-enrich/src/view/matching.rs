//! The text as the tagger reads it: everything that is only typography folded away.

use memchr::{memchr2_iter, memchr3};
use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

use super::{BREAK, LINE, PARAGRAPH, Reading, Unit, html::Sink, mojibake, read};

/// The matching view of `raw`: NFKC, one kind of quote, hyphen and space, no invisible characters, addresses masked.
pub(crate) fn matching(raw: &str, reading: Reading) -> Vec<Unit> {
    let mut units = Vec::with_capacity(raw.len());
    append_matching(&mut units, raw, reading);
    units
}

/// Writes the matching view of `raw` behind what is in `units` already.
pub(crate) fn append_matching(units: &mut Vec<Unit>, raw: &str, reading: Reading) {
    let start = units.len();
    let mut folder = Folder { units, start, space: None, address: false, dash: false };
    read(raw, reading, &mut folder, Folder::clusters);
    let (address, dash) = (folder.address, folder.dash);
    if dash {
        join_by_dashes(units.get_mut(start..).unwrap_or_default());
    }
    if address {
        mask_addresses(units.get_mut(start..).unwrap_or_default());
    }
}

/// Whether `ch` makes one character with what is before it.
fn extends(ch: char) -> bool {
    canonical_combining_class(ch) != 0 || matches!(ch, '\u{1160}'..='\u{11FF}' | '\u{FF9E}' | '\u{FF9F}')
}

struct Folder<'a> {
    units: &'a mut Vec<Unit>,
    /// What is before belongs to another text.
    start: usize,
    /// White space that was read and not yet written: one unit, with the number of line breaks in it.
    space: Option<(Unit, u32)>,
    /// A sign without which there is no address was read.
    address: bool,
    /// A short dash was read.
    dash: bool,
}

impl Sink for Folder<'_> {
    fn text(&mut self, text: &str, start: usize) {
        if let Some((space, _)) = self.space.take() {
            self.units.push(space);
        }
        let bytes = text.as_bytes();
        let w = |byte: Option<&u8>| byte.is_some_and(|byte| byte.eq_ignore_ascii_case(&b'w'));
        let sign = || memchr3(b':', b'/', b'@', bytes).is_some();
        let double = || memchr2_iter(b'w', b'W', bytes).any(|at| w(bytes.get(at + 1)));
        let joined = || w(bytes.first()) && self.units.last().is_some_and(|unit| is_w(unit.ch));
        self.address = self.address || sign() || double() || joined();
        self.units.extend(bytes.iter().enumerate().map(|(at, byte)| {
            let byte = if *byte == b'`' { b'\'' } else { *byte };
            Unit::new(char::from(byte), start + at, start + at + 1)
        }));
    }

    fn takes(&self, ch: char) -> bool {
        ch < '\u{C2}' || !(mojibake::suspicious(ch) || (ch >= '\u{300}' && extends(ch)))
    }

    fn restart(&mut self) {
        self.units.truncate(self.start);
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
        if let Some((space, _)) = self.space.take() {
            self.units.push(space);
        }
        self.address |= matches!(ch, ':' | '/' | '@') || is_w(ch);
        self.units.push(Unit::new(ch, start, end));
    }
}

/// A hyphen where it joins two words, or else a dash.
const SHORT_DASH: char = '–';

/// Makes a hyphen of a short dash right between two words: `U.S.–China`. A long one, `—`, is set without spaces around what
/// is put in: it stays.
fn join_by_dashes(units: &mut [Unit]) {
    for at in 0..units.len() {
        if char_at(units, at) != Some(SHORT_DASH) {
            continue;
        }
        let word = |at: Option<usize>| at.and_then(|at| char_at(units, at));
        let before = word(at.checked_sub(1)).is_some_and(|ch| ch.is_alphanumeric() || ch == '.');
        let joins = before && word(at.checked_add(1)).is_some_and(char::is_alphanumeric);
        if let Some(unit) = units.get_mut(at) {
            unit.ch = if joins { '-' } else { '—' };
        }
    }
}

fn is_w(ch: char) -> bool {
    matches!(ch, 'w' | 'W')
}

/// Puts a break in the place of every web and mail address.
fn mask_addresses(units: &mut [Unit]) {
    let mut masks = Vec::new();
    let mut masked_until = 0;
    for (at, unit) in units.iter().enumerate() {
        if at < masked_until {
            continue;
        }
        let mask = match unit.ch {
            ':' => scheme(units, at),
            '@' => mail(units, at),
            'w' | 'W' if char_at(units, at + 1).is_some_and(is_w) => bare_www(units, at),
            '/' => path_of_domain(units, at),
            _ => None,
        };
        if let Some((_, end)) = mask {
            masked_until = end;
            masks.extend(mask);
        }
    }
    for (start, end) in masks {
        for unit in units.get_mut(start..end).unwrap_or_default() {
            unit.ch = BREAK;
        }
    }
}

fn char_at(units: &[Unit], at: usize) -> Option<char> {
    units.get(at).map(|unit| unit.ch)
}

fn starts_with(units: &[Unit], at: usize, text: &str) -> bool {
    text.chars()
        .enumerate()
        .all(|(offset, ch)| char_at(units, at + offset).is_some_and(|unit| unit.eq_ignore_ascii_case(&ch)))
}

/// The end of an address: at white space, a quote or bracket, or anything that is not ASCII.
fn address_end(units: &[Unit], from: usize) -> usize {
    let mut end = from;
    while char_at(units, end)
        .is_some_and(|ch| ch.is_ascii_graphic() && !matches!(ch, '<' | '>' | '"' | '(' | ')' | '[' | ']'))
    {
        end += 1;
    }
    while end > from && char_at(units, end - 1).is_some_and(|ch| matches!(ch, '.' | ',' | ';' | ':' | '!' | '?' | '\''))
    {
        end -= 1;
    }
    end
}

fn scheme(units: &[Unit], colon: usize) -> Option<(usize, usize)> {
    if !starts_with(units, colon, "://") {
        return None;
    }
    let mut start = colon;
    while start > 0 && char_at(units, start - 1).is_some_and(|ch| ch.is_ascii_alphabetic()) {
        start -= 1;
    }
    (start < colon).then(|| (start, address_end(units, colon)))
}

fn bare_www(units: &[Unit], at: usize) -> Option<(usize, usize)> {
    let free = at == 0 || char_at(units, at - 1).is_some_and(|ch| !ch.is_alphanumeric());
    (free && starts_with(units, at, "www.")).then(|| (at, address_end(units, at)))
}

fn mail(units: &[Unit], sign: usize) -> Option<(usize, usize)> {
    let local = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '%' | '+' | '-');
    let mut start = sign;
    while start > 0 && char_at(units, start - 1).is_some_and(local) {
        start -= 1;
    }
    let mut end = sign + 1;
    while char_at(units, end).is_some_and(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-')) {
        end += 1;
    }
    let dotted = units.get(sign + 1..end)?.iter().any(|unit| unit.ch == '.');
    (start < sign && dotted).then_some((start, end))
}

/// `example.com/page` without a scheme.
fn path_of_domain(units: &[Unit], slash: usize) -> Option<(usize, usize)> {
    let mut start = slash;
    while start > 0 && char_at(units, start - 1).is_some_and(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-'))
    {
        start -= 1;
    }
    let host: String = units.get(start..slash)?.iter().map(|unit| unit.ch.to_ascii_lowercase()).collect();
    let (name, top) = host.rsplit_once('.')?;
    (!name.is_empty() && crate::lexicon::is_top_level_domain(top)).then(|| (start, address_end(units, slash)))
}
