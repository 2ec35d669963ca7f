//! Numbers as they are written, exactly: `1,200.5`, `5.5bn`, `1조 2000억`.

use std::sync::LazyLock;

use rust_decimal::Decimal;

use super::text::{Literals, Table, Text};

/// A number with its scale.
#[derive(Debug, Clone)]
pub(super) struct Number {
    /// Its first unit.
    pub(super) from: usize,
    /// One past its last unit, the scale included.
    pub(super) to: usize,
    /// What is written, without the scale.
    pub(super) value: Decimal,
    /// The power of ten that the scale stands for; nothing where none is written.
    pub(super) scale: Option<u32>,
    /// It is a run of digits and nothing else.
    pub(super) bare: bool,
    /// Its scale is one letter, which may be a unit as well: `200m`.
    pub(super) letter: bool,
    /// More than that: `100多亿`.
    pub(super) more: bool,
    /// It was written with a decimal comma.
    pub(super) comma: bool,
    /// Its scale is a billion or trillion of English, written out.
    pub(super) billions: bool,
}

impl Number {
    /// A number without a scale at `from..to`.
    pub(super) fn plain(from: usize, to: usize, value: Decimal) -> Self {
        Self { from, to, value, scale: None, bare: true, letter: false, more: false, comma: false, billions: false }
    }

    /// The number with its scale worked in; nothing if that is too large to be exact.
    pub(super) fn scaled(&self) -> Option<Decimal> {
        scale(self.value, self.scale.unwrap_or(0))
    }

    /// Whether it looks like a year.
    pub(super) fn is_year(&self) -> bool {
        let years = Decimal::from(1900)..Decimal::from(2100);
        self.bare && self.scale.is_none() && self.to - self.from == 4 && years.contains(&self.value)
    }
}

/// `value` times a power of ten.
pub(super) fn scale(value: Decimal, power: u32) -> Option<Decimal> {
    value.checked_mul(Decimal::from(10_u64.checked_pow(power)?)).map(|value| value.normalize())
}

/// More digits are no amount of anything.
const DIGITS_MAX: usize = 20;

/// The number whose first digit is at `from`, with its scale. Nothing where the digits are a part of something else: a
/// version, a date, a fraction, an ordinal, digits in groups that could mean two things. `continental` says that the text is
/// in a language that parts thousands by stops.
pub(super) fn number(text: Text<'_>, from: usize, continental: bool) -> Option<Number> {
    let mut number = digits(text, from, continental)?;
    east_asian_scale(text, &mut number, continental)?;
    if number.scale.is_none() {
        latin_scale(text, &mut number);
    }
    Some(number)
}

/// Digits read so far.
#[derive(Default)]
struct Read {
    value: i128,
    digits: usize,
    decimals: u32,
}

impl Read {
    fn push(&mut self, text: Text<'_>, from: usize, to: usize, decimal: bool) {
        for at in from..to {
            self.value = self.value * 10 + i128::from(text.ch(at).to_digit(10).unwrap_or(0));
            self.digits += 1;
            self.decimals += u32::from(decimal);
        }
    }
}

/// The digits at `from`, with their signs of thousands and of the decimal part.
fn digits(text: Text<'_>, from: usize, continental: bool) -> Option<Number> {
    let run = |at: usize| {
        let mut end = at;
        while text.ch(end).is_ascii_digit() && end - at <= DIGITS_MAX {
            end += 1;
        }
        end
    };
    let mut end = run(from);
    let first = end - from;
    if first == 0 || first > DIGITS_MAX {
        return None;
    }
    let mut read = Read::default();
    read.push(text, from, end, false);
    let (mut groups, mut decimal, mut comma, mut indian, mut stops) = (0, false, false, false, false);
    loop {
        let sign = text.ch(end);
        if !matches!(sign, ',' | ' ' | '.' | '/' | ':' | '⁄') {
            break;
        }
        let next = run(end + 1);
        let length = next - (end + 1);
        match (sign, length) {
            (_, 0) => break,
            (',', _) if stops && !decimal => (decimal, comma) = (true, true),
            (',', 3) if first <= 3 && !decimal => groups += 1,
            // "1,26,000": the digits of a lakh go by two.
            (',', 2) if first <= 2 && !decimal && text.ch(next) == ',' => {
                (groups, indian) = (groups + 1, true);
            }
            (',', 1 | 2) if groups == 0 && !decimal => (decimal, comma) = (true, true),
            ('.', 3) if continental && first <= 3 && !decimal && (stops || groups == 0) => {
                (groups, stops) = (groups + 1, true);
            }
            // Thousands parted by a space: only where nothing else can be meant.
            (' ', 3)
                if (first <= 3 && !decimal)
                    && (groups > 0 || continental || text.literal(end + 1, "000").is_some()) =>
            {
                groups += 1;
            }
            (' ', 3) if first <= 3 && !decimal => return None,
            ('.', _) if !decimal => decimal = true,
            ('.' | ',' | '/' | ':' | '⁄', _) => return None,
            _ => break,
        }
        if read.digits + length > DIGITS_MAX {
            return None;
        }
        read.push(text, end + 1, next, decimal);
        end = next;
    }
    // "1,5" is no group of thousands, and "1,26" no lakh.
    if (indian && read.value % 1000 != 0 && groups < 2) || text.ch(end) == '⁄' {
        return None;
    }
    if first > 1 && text.ch(from) == '0' {
        return None;
    }
    let value = Decimal::try_from_i128_with_scale(read.value, read.decimals).ok()?;
    Some(Number { bare: groups == 0 && !decimal, comma, ..Number::plain(from, end, value) })
}

/// Scales of Chinese, Japanese and Korean.
static EAST_ASIAN: LazyLock<Literals<u32>> = LazyLock::new(|| {
    Literals::by_first([
        ("万亿", 12),
        ("萬億", 12),
        ("천억", 11),
        ("백억", 10),
        ("십억", 9),
        ("千亿", 11),
        ("千億", 11),
        ("百亿", 10),
        ("百億", 10),
        ("十亿", 9),
        ("十億", 9),
        ("千万", 7),
        ("千萬", 7),
        ("百万", 6),
        ("百萬", 6),
        ("천만", 7),
        ("백만", 6),
        ("亿", 8),
        ("億", 8),
        ("兆", 12),
        ("조", 12),
        ("억", 8),
        ("万", 4),
        ("萬", 4),
        ("만", 4),
    ])
});

/// Takes the scale of an East Asian number, and the smaller parts after it: `1兆2000億`, `1万8000`. Nothing if that cannot be
/// exact.
fn east_asian_scale(text: Text<'_>, number: &mut Number, continental: bool) -> Option<()> {
    if text.ch(text.skip_space(number.to)) < '\u{2E80}' {
        return Some(());
    }
    let more = |at: usize| text.any(at, &["多", "余", "餘"]);
    // "兆瓦" are megawatts.
    let found = |at: usize| {
        EAST_ASIAN.at(text, at).filter(|_| text.literal(at, "兆瓦").is_none()).map(|(power, end)| (end, power))
    };
    let start = more(number.to).unwrap_or(number.to);
    let Some((mut end, mut power)) = found(start) else {
        number.more = start > number.to;
        number.to = start;
        return Some(());
    };
    number.more = start > number.to;
    let whole = number.value.scale() == 0;
    let mut sum = scale(number.value, power)?;
    while let Some(next) = digits(text, text.skip_space(end), continental).filter(|next| next.bare) {
        match found(next.to) {
            Some((next_end, next_power)) if next_power < power => {
                sum = sum.checked_add(scale(next.value, next_power)?)?;
                (end, power) = (next_end, next_power);
            }
            None if whole && next.from == end && Some(next.value) < scale(Decimal::ONE, power) => {
                sum = sum.checked_add(next.value)?;
                end = next.to;
                break;
            }
            _ => break,
        }
    }
    if let Some(after) = more(end) {
        (number.more, end) = (true, after);
    }
    (number.value, number.scale, number.to, number.bare) = (sum, Some(0), end, false);
    Some(())
}

/// Where a scale is at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    /// In English; true for what is a thousand times more elsewhere, written out.
    English(bool),
    Elsewhere,
    /// One letter.
    Letter,
}

use Home::{Elsewhere, English, Letter};

/// Scales in Latin letters, with how they are shortened. Of the languages other than English, `billion` is not among them: in
/// French and German it is a thousand times what it is in English.
static SCALES: LazyLock<Table<(u32, Home)>> = LazyLock::new(|| {
    Table::new([
        ("hundred", (2, English(false))),
        ("thousand", (3, English(false))),
        ("million", (6, English(false))),
        ("millions", (6, English(false))),
        ("mn", (6, English(false))),
        ("mln", (6, English(false))),
        ("billion", (9, English(true))),
        ("billions", (9, English(true))),
        ("bn", (9, English(false))),
        ("bln", (9, English(false))),
        ("bil", (9, English(false))),
        ("trillion", (12, English(true))),
        ("trillions", (12, English(true))),
        ("tn", (12, English(false))),
        ("trn", (12, English(false))),
        ("trln", (12, English(false))),
        ("tril", (12, English(false))),
        ("lakh", (5, English(false))),
        ("crore", (7, English(false))),
        ("crores", (7, English(false))),
        ("cr", (7, Letter)),
        ("millionen", (6, Elsewhere)),
        ("mio", (6, Elsewhere)),
        ("millones", (6, Elsewhere)),
        ("milioni", (6, Elsewhere)),
        ("milhões", (6, Elsewhere)),
        ("miljoen", (6, Elsewhere)),
        ("miljoner", (6, Elsewhere)),
        ("milliarde", (9, Elsewhere)),
        ("milliarden", (9, Elsewhere)),
        ("milliard", (9, Elsewhere)),
        ("milliards", (9, Elsewhere)),
        ("mrd", (9, Elsewhere)),
        ("mds", (9, Elsewhere)),
        ("md", (9, Elsewhere)),
        ("miliardi", (9, Elsewhere)),
        ("miliardo", (9, Elsewhere)),
        ("miljard", (9, Elsewhere)),
        ("miljarder", (9, Elsewhere)),
        ("bilhões", (9, Elsewhere)),
        ("billionen", (12, Elsewhere)),
        ("billones", (12, Elsewhere)),
        ("k", (3, Letter)),
        ("m", (6, Letter)),
        ("b", (9, Letter)),
        ("t", (12, Letter)),
    ])
});

/// Takes the scale behind a number that is a word.
pub(super) fn word_scale(text: Text<'_>, number: &mut Number) {
    if !matches!(text.ch(number.to), ' ' | '-') {
        return;
    }
    let (word, end) = text.word(number.to + 1);
    if word.len() < 4 || word.starts_with("md") {
        return;
    }
    if let Some((power, home)) = SCALES.get(&word).filter(|(_, home)| *home != Letter) {
        (number.scale, number.to, number.bare) = (Some(power), end, false);
        number.billions = home == English(true);
    }
}

fn latin_scale(text: Text<'_>, number: &mut Number) {
    let attached = number.to;
    let start = if text.ch(attached) == '-' { attached + 1 } else { text.skip_space(attached) };
    let (word, end) = text.word(start);
    if word.is_empty() {
        return;
    }
    // "1.200 Millionen" may be either.
    let thousands = number.value.scale() == 3 && !number.comma;
    match SCALES.get(&word) {
        // Where commas part decimals, a billion is a thousand times what it is in English.
        Some((power, English(billions))) if !number.comma || power <= 6 => {
            (number.scale, number.to, number.billions) = (Some(power), end, billions);
            if &*word == "lakh"
                && let (after, crore) = text.word(text.skip_space(end))
                && &*after == "crore"
            {
                (number.scale, number.to) = (Some(12), crore);
            }
        }
        Some((power, Elsewhere)) if !thousands => {
            let stop = usize::from(matches!(&*word, "mio" | "mrd" | "mds" | "md") && text.ch(end) == '.');
            (number.scale, number.to) = (Some(power), end + stop);
        }
        Some((power, Letter)) if (start == attached || matches!(power, 6 | 7 | 9)) && text.ch(attached) != '-' => {
            (number.scale, number.to, number.letter) = (Some(power), end, true);
        }
        None if &*word == "mil"
            && let (after, millones) = text.word(text.skip_space(end))
            && &*after == "millones" =>
        {
            (number.scale, number.to) = (Some(9), millones);
        }
        // "RM5mil" is a million in Malaysia, "5 mil" a thousand in Spain.
        None if &*word == "mil" => (number.scale, number.to) = (Some(if start == attached { 6 } else { 3 }), end),
        _ => {}
    }
    number.bare &= number.scale.is_none();
}
