//! Lines of lists and rows of tables, of which each is about what it begins with.

use chipwire_events::Field;

use super::{
    Found,
    owner::{REACH_BEFORE, Search},
};
use crate::{
    article::{Named, Scene},
    matcher::{Gap, Token, shape},
};

/// Tokens of the explanation in brackets behind what a line is about.
const BRACKET_MAX: usize = 8;
/// Rows of a table above the one that an amount is in.
const ROWS_MAX: usize = 40;
/// Bytes of a line before an amount of what it begins with.
const HEAD_BYTES: usize = 600;
/// Bytes of a row, and of its markup.
const ROW_BYTES: usize = 2_000;
/// What the items of a list begin with.
const BULLETS: &[char] = &['*', '•', '-', '–', '▪', '·', '►', '■', '●', '・'];

/// The line that an amount is in, as it was fetched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    field: Field,
    text: &'a str,
    /// Where it begins in the text.
    begin: usize,
    /// Where the amount does.
    start: usize,
    /// It is a row of an HTML table.
    row: bool,
}

impl<'a> Line<'a> {
    /// That of `amount`; none if it is too long to be one. `rows` says that the text has such tables.
    pub(super) fn of(scene: &Scene<'a>, amount: &Found, rows: bool) -> Option<Self> {
        let (field, start, _) = scene.document.raw(amount.from, amount.from + 1)?;
        let text = if field == Field::Title { scene.title } else { scene.body };
        let window = text.floor_char_boundary(start.saturating_sub(ROW_BYTES));
        let before = text.get(window..start)?;
        let open = if rows { before.rfind("<tr>").max(before.rfind("<tr ")) } else { None };
        let open = open.filter(|open| !before.get(*open..).unwrap_or_default().contains("</tr"));
        let begin = match open {
            Some(open) => open,
            None => match before.rfind('\n') {
                Some(end) => end + 1,
                None if window == 0 => 0,
                None => return None,
            },
        };
        Some(Self { field, text, begin: window + begin, start, row: open.is_some() })
    }

    fn before_amount(&self) -> &'a str {
        self.text.get(self.begin..self.start).unwrap_or_default()
    }

    /// Whether it has a sign of those behind what a line is about.
    fn may_have_head(&self) -> bool {
        let before = self.before_amount().as_bytes();
        self.row
            || before.len() < HEAD_BYTES
                && before.iter().any(|byte| matches!(byte, b'|' | b':' | b'&') || *byte >= 0x80)
    }
}

impl Search<'_> {
    /// What a line of a list or a row of a table is about: the `H20` of `H20 | Nvidia | 96 GB HBM3 | 4.0 TB/s`, the `Coherent` of
    /// `Coherent (COHR): +5%`.
    pub(super) fn head(&self, previous: Option<&Found>) -> Option<usize> {
        let line = self.line.filter(Line::may_have_head)?;
        let mut first = self.first_of(&line)?;
        if self.amount.start - first > REACH_BEFORE {
            return None;
        }
        // "4. Aurora", "4 | Aurora"
        if self.document.token(first).is_some_and(|token| token.is(shape::DIGIT) && !token.is(shape::LETTER))
            && (self.sign(first + 1, '|')
                || self.document.token(first + 1).is_some_and(|next| matches!(next.gap, Gap::DotSpace | Gap::Close)))
        {
            first += 1;
        }
        // "Mobile (LPDDR5X)" too.
        let bracketed =
            || (first + 1..=first + 2).filter(|at| self.sign(*at, '(')).find_map(|at| self.scene.mention_from(at));
        let (index, named) = self.scene.mention_from(first).or_else(bracketed)?;
        let mut at = named.end;
        if self.sign(at, '(') {
            at = (at + 1..=at + BRACKET_MAX).find(|at| self.sign(*at, ')'))?;
        }
        if at > self.amount.start || named.is_observer() {
            return None;
        }
        let cell_ends = || self.document.token(at).is_some_and(|token| token.gap == Gap::Hard);
        if self.sign(at, '|') || line.row && cell_ends() {
            return Some(index);
        }
        let since = previous.map_or(0, |previous| previous.end).max(at);
        let from = self.scene.named.partition_point(|other| other.start < since);
        let others = self.scene.named.iter().skip(from).take_while(|other| other.start < self.amount.start);
        let alone = others.filter(|other| self.fits(other)).all(|other| other.number == named.number);
        ([':', '—'].iter().any(|sign| self.sign(at, *sign)) && alone).then_some(index)
    }

    /// What the column of a table is about, by its first row: `| | RX 9060 XT | RTX 5060 Ti |` above `| Board power | 160 W | 180 W |`.
    pub(super) fn column(&self) -> Option<usize> {
        let Line { field, text, begin, .. } = self.line?;
        let number = self.line?.before_amount().bytes().filter(|byte| *byte == b'|').count();
        if number == 0 {
            return None;
        }
        let mut head = begin;
        for _ in 0..ROWS_MAX {
            let Some(end) = head.checked_sub(1) else { break };
            let line = text.get(..end)?.rfind('\n').map_or(0, |at| at + 1);
            if end - line > ROW_BYTES || !text.get(line..end)?.contains('|') {
                break;
            }
            head = line;
        }
        if head == begin {
            return None;
        }
        let row = text.get(head..)?.lines().next()?;
        let from = head + row.split('|').take(number).map(|cell| cell.len() + 1).sum::<usize>();
        let to = from + row.split('|').nth(number)?.len();
        let place = |named: &Named<'_>| self.document.raw(named.from, named.to);
        let first =
            self.scene.named.partition_point(|named| place(named).is_some_and(|(of, at, _)| (of, at) < (field, from)));
        let named = self.scene.named.get(first)?;
        place(named).is_some_and(|(of, _, end)| of == field && end <= to).then_some(first)
    }

    /// Whether `sign` stands right before the token.
    fn sign(&self, at: usize, sign: char) -> bool {
        let (Some(before), Some(token)) = (self.document.before(at), self.document.token(at)) else { return false };
        self.document.chars(before.end, token.start).any(|ch| ch == sign)
    }

    /// The first token of the line, if that is before the amount.
    fn first_of(&self, line: &Line<'_>) -> Option<usize> {
        let before = |token: &Token| {
            let at = self.document.raw(token.start, token.end);
            at.is_some_and(|(of, at, _)| (of, at) < (line.field, line.begin))
        };
        let first = self.document.tokens.partition_point(before);
        (first < self.amount.start).then_some(first)
    }

    /// The first token of the line if that begins with the sign of a list.
    pub(super) fn item(&self) -> Option<usize> {
        let line = self.line?;
        let sign = line.before_amount().trim_start().chars().next()?;
        if BULLETS.contains(&sign) { self.first_of(&line) } else { None }
    }

    /// The company of the amount before in the same item of a list.
    pub(super) fn same_item(&self, previous: Option<&Found>) -> Option<usize> {
        let previous = previous?;
        let of = previous.of?;
        let line = self.item()?;
        let named = self.scene.named.get(of)?;
        (self.fits(named) && previous.start >= line).then_some(of)
    }
}
