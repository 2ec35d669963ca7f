//! Numbers as they are written, exactly: `1,200.5`, `5.5bn`, `1조 2000억`.

use rust_decimal::Decimal;

use super::text::Text;

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
}

impl Number {
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
/// version, a date, a fraction, an ordinal, digits in groups that could mean two things.
pub(super) fn number(text: Text<'_>, from: usize) -> Option<Number> {
    let mut number = digits(text, from)?;
    east_asian_scale(text, &mut number)?;
    if number.scale.is_none() {
        latin_scale(text, &mut number);
    }
    Some(number)
}

/// The digits at `from`, with their signs of thousands and of the decimal part.
fn digits(text: Text<'_>, from: usize) -> Option<Number> {
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
    let mut written: String = text.slice(from, end);
    let (mut groups, mut decimal, mut comma, mut indian) = (0, false, false, false);
    loop {
        let next = run(end + 1);
        let length = next - (end + 1);
        match (text.ch(end), length) {
            (_, 0) => break,
            (',', 3) if first <= 3 && !decimal => groups += 1,
            // "1,26,000": the digits of a lakh go by two.
            (',', 2) if first <= 2 && !decimal && text.ch(next) == ',' => {
                (groups, indian) = (groups + 1, true);
            }
            (',', 1 | 2) if groups == 0 && !decimal => {
                (decimal, comma) = (true, true);
                written.push('.');
            }
            // Thousands parted by a space: only where nothing else can be meant.
            (' ', 3) if (first <= 3 && !decimal) && (groups > 0 || text.slice(end + 1, next) == "000") => groups += 1,
            (' ', 3) if first <= 3 && !decimal && text.ch(end) == ' ' => return None,
            ('.', _) if !decimal => {
                decimal = true;
                written.push('.');
            }
            ('.' | ',' | '/' | ':' | '⁄', _) => return None,
            _ => break,
        }
        if written.len() + length > DIGITS_MAX {
            return None;
        }
        written.push_str(&text.slice(end + 1, next));
        end = next;
    }
    // "1,5" is no group of thousands, and "1,26" no lakh.
    if (indian && !written.ends_with("000") && groups < 2) || text.ch(end) == '⁄' {
        return None;
    }
    let leading_zero = first > 1 && written.starts_with('0');
    if leading_zero {
        return None;
    }
    Some(Number {
        from,
        to: end,
        value: Decimal::from_str_exact(&written).ok()?,
        scale: None,
        bare: groups == 0 && !decimal,
        letter: false,
        more: false,
        comma,
    })
}

/// Scales of Chinese, Japanese and Korean, the longest first.
const EAST_ASIAN: &[(&str, u32)] = &[
    ("万亿", 12),
    ("萬億", 12),
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
];

/// Takes the scale of an East Asian number, and the smaller parts after it: `1兆2000億`. Nothing if that cannot be exact.
fn east_asian_scale(text: Text<'_>, number: &mut Number) -> Option<()> {
    let more = |at: usize| text.any(at, &["多", "余", "餘"]);
    // "兆瓦" are megawatts.
    let found = |at: usize| {
        let megawatts = text.literal(at, "兆瓦").is_some();
        EAST_ASIAN.iter().filter(|_| !megawatts).find_map(|(word, power)| Some((text.literal(at, word)?, *power)))
    };
    let start = more(number.to).unwrap_or(number.to);
    let Some((mut end, mut power)) = found(start) else { return Some(()) };
    number.more = start > number.to;
    let mut sum = scale(number.value, power)?;
    while let Some(next) = digits(text, text.skip_space(end)).filter(|next| next.bare)
        && let Some((next_end, next_power)) = found(next.to)
        && next_power < power
    {
        sum = sum.checked_add(scale(next.value, next_power)?)?;
        (end, power) = (next_end, next_power);
    }
    if let Some(after) = more(end) {
        (number.more, end) = (true, after);
    }
    (number.value, number.scale, number.to, number.bare) = (sum, Some(0), end, false);
    Some(())
}

/// Scales of English, with how they are shortened.
const ENGLISH: &[(&str, u32)] = &[
    ("thousand", 3),
    ("million", 6),
    ("millions", 6),
    ("mn", 6),
    ("mln", 6),
    ("billion", 9),
    ("billions", 9),
    ("bn", 9),
    ("bln", 9),
    ("trillion", 12),
    ("trillions", 12),
    ("tn", 12),
    ("trn", 12),
    ("trln", 12),
    ("lakh", 5),
    ("crore", 7),
    ("crores", 7),
];

/// Scales of other languages in Latin letters. `billion` is not among them: in French and German it is a thousand times
/// what it is in English.
const OTHERS: &[(&str, u32)] = &[
    ("millionen", 6),
    ("mio", 6),
    ("millones", 6),
    ("milioni", 6),
    ("milhões", 6),
    ("miljoen", 6),
    ("milliarde", 9),
    ("milliarden", 9),
    ("milliard", 9),
    ("milliards", 9),
    ("mrd", 9),
    ("mds", 9),
    ("md", 9),
    ("miliardi", 9),
    ("miljard", 9),
    ("bilhões", 9),
    ("billionen", 12),
    ("billones", 12),
];

const LETTERS: &[(&str, u32)] = &[("k", 3), ("m", 6), ("b", 9), ("t", 12)];

/// Takes the scale behind a number that is a word.
pub(super) fn word_scale(text: Text<'_>, number: &mut Number) {
    let (word, end) = text.word(text.skip_space(number.to));
    let singular = |name: &str| !name.ends_with('s') && name.len() > 3;
    if let Some((_, power)) = ENGLISH.iter().find(|(name, _)| *name == word && singular(name)) {
        (number.scale, number.to, number.bare) = (Some(*power), end, false);
    }
}

fn latin_scale(text: Text<'_>, number: &mut Number) {
    let attached = number.to;
    let start = if text.ch(attached) == '-' { attached + 1 } else { text.skip_space(attached) };
    let (word, end) = text.word(start);
    let find = |table: &[(&str, u32)]| table.iter().find(|(name, _)| *name == word).map(|(_, power)| *power);
    let exact = number.value.scale();
    // "1.200 Millionen" may be either.
    let thousands = exact == 3 && !number.comma;
    // Where commas part decimals, a billion is a thousand times what it is in English.
    if let Some(power) = find(ENGLISH).filter(|power| !number.comma || *power <= 6) {
        (number.scale, number.to) = (Some(power), end);
        if word == "lakh"
            && let (after, crore) = text.word(text.skip_space(end))
            && after == "crore"
        {
            (number.scale, number.to) = (Some(12), crore);
        }
    } else if let Some(power) = find(OTHERS)
        && !thousands
    {
        let stop = usize::from(matches!(word.as_str(), "mio" | "mrd" | "mds" | "md") && text.ch(end) == '.');
        (number.scale, number.to) = (Some(power), end + stop);
    } else if word == "mil"
        && let (after, millones) = text.word(text.skip_space(end))
        && after == "millones"
    {
        (number.scale, number.to) = (Some(9), millones);
    } else if let Some(power) = find(LETTERS)
        && (start == attached || power == 9 || power == 6)
        && text.ch(start) != '-'
    {
        (number.scale, number.to, number.letter) = (Some(power), end, true);
    }
    number.bare &= number.scale.is_none();
}
