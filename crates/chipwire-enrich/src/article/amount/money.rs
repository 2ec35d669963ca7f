//! Currencies: signs and words to codes of ISO 4217.

use std::sync::LazyLock;

use super::text::{Literals, Text};

/// A currency where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Currency {
    pub(super) code: &'static str,
    /// How sure its name is.
    pub(super) sign: Sign,
    /// Its first unit.
    pub(super) from: usize,
    /// One past its last unit.
    pub(super) to: usize,
}

/// What a sign or word leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing: `US$`, `euros`.
    Sure,
    /// Which dollar: `$`, `dollars`.
    Dollar,
    /// Yen or yuan: `¥`.
    Yen,
    /// The yuan of China, or the dollar of Taiwan or Hong Kong: `億元`.
    Yuan,
    /// Which rupee, pound or franc.
    Kind,
}

use Sign::{Dollar, Kind, Sure, Yen, Yuan};

/// What stands before a number, the longest first. Those that end with a letter may have no letter before them.
const BEFORE: &[(&str, &str, Sign)] = &[
    ("新台币", "TWD", Sure),
    ("新台幣", "TWD", Sure),
    ("新臺幣", "TWD", Sure),
    ("人民币", "CNY", Sure),
    ("人民幣", "CNY", Sure),
    ("U.S. $", "USD", Sure),
    ("U.S.$", "USD", Sure),
    ("NT$", "TWD", Sure),
    ("T$", "TWD", Sure),
    ("RM", "MYR", Sure),
    ("Rp", "IDR", Sure),
    ("zł", "PLN", Sure),
    ("MX$", "MXN", Sure),
    ("NTD", "TWD", Sure),
    ("US$", "USD", Sure),
    ("HK$", "HKD", Sure),
    ("AU$", "AUD", Sure),
    ("CA$", "CAD", Sure),
    ("NZ$", "NZD", Sure),
    ("SG$", "SGD", Sure),
    ("A$", "AUD", Sure),
    ("C$", "CAD", Sure),
    ("S$", "SGD", Sure),
    ("R$", "BRL", Sure),
    ("CN¥", "CNY", Sure),
    ("JP¥", "JPY", Sure),
    ("RMB", "CNY", Sure),
    ("Rmb", "CNY", Sure),
    ("CNY", "CNY", Sure),
    ("USD", "USD", Sure),
    ("EUR", "EUR", Sure),
    ("GBP", "GBP", Sure),
    ("JPY", "JPY", Sure),
    ("KRW", "KRW", Sure),
    ("TWD", "TWD", Sure),
    ("INR", "INR", Sure),
    ("CHF", "CHF", Sure),
    ("HKD", "HKD", Sure),
    ("SGD", "SGD", Sure),
    ("AUD", "AUD", Sure),
    ("CAD", "CAD", Sure),
    ("SEK", "SEK", Sure),
    ("ILS", "ILS", Sure),
    ("NIS", "ILS", Sure),
    ("MYR", "MYR", Sure),
    ("VND", "VND", Sure),
    ("THB", "THB", Sure),
    ("AED", "AED", Sure),
    ("Dhs", "AED", Sure),
    ("Dh", "AED", Sure),
    ("SAR", "SAR", Sure),
    ("QAR", "QAR", Sure),
    ("DKK", "DKK", Sure),
    ("NOK", "NOK", Sure),
    ("PLN", "PLN", Sure),
    ("EU", "EUR", Sure),
    ("W", "KRW", Sure),
    ("Rs.", "INR", Kind),
    ("Rs", "INR", Kind),
    ("€", "EUR", Sure),
    ("£", "GBP", Sure),
    ("₩", "KRW", Sure),
    ("₹", "INR", Sure),
    ("₪", "ILS", Sure),
    ("₫", "VND", Sure),
    ("¥", "JPY", Yen),
    ("$", "USD", Dollar),
];

/// What stands behind a number in East Asian text, the longest first.
const EAST_ASIAN: &[(&str, &str, Sign)] = &[
    ("新台币", "TWD", Sure),
    ("新台幣", "TWD", Sure),
    ("新臺幣", "TWD", Sure),
    ("人民币", "CNY", Sure),
    ("人民幣", "CNY", Sure),
    ("人民元", "CNY", Sure),
    ("台湾ドル", "TWD", Sure),
    ("香港ドル", "HKD", Sure),
    ("米ドル", "USD", Sure),
    ("ドル", "USD", Dollar),
    ("ユーロ", "EUR", Sure),
    ("ウォン", "KRW", Sure),
    ("美元", "USD", Sure),
    ("美金", "USD", Sure),
    ("日元", "JPY", Sure),
    ("日圆", "JPY", Sure),
    ("日圓", "JPY", Sure),
    ("欧元", "EUR", Sure),
    ("歐元", "EUR", Sure),
    ("港元", "HKD", Sure),
    ("港币", "HKD", Sure),
    ("港幣", "HKD", Sure),
    ("台币", "TWD", Sure),
    ("台幣", "TWD", Sure),
    ("韩元", "KRW", Sure),
    ("韓元", "KRW", Sure),
    ("韩圆", "KRW", Sure),
    ("韓圜", "KRW", Sure),
    ("英镑", "GBP", Sure),
    ("英鎊", "GBP", Sure),
    ("卢比", "INR", Kind),
    ("달러", "USD", Dollar),
    ("유로", "EUR", Sure),
    ("위안", "CNY", Sure),
    ("엔", "JPY", Sure),
    ("원", "KRW", Sure),
    ("円", "JPY", Sure),
    ("元", "CNY", Yuan),
];

/// Words behind a number, in small letters, the longest first.
const WORDS: &[(&str, &str, Sign)] = &[
    ("new taiwan dollars", "TWD", Sure),
    ("taiwan dollars", "TWD", Sure),
    ("taiwanese dollars", "TWD", Sure),
    ("hong kong dollars", "HKD", Sure),
    ("singapore dollars", "SGD", Sure),
    ("australian dollars", "AUD", Sure),
    ("canadian dollars", "CAD", Sure),
    ("u.s. dollars", "USD", Sure),
    ("us dollars", "USD", Sure),
    ("us-dollar", "USD", Sure),
    ("pounds sterling", "GBP", Sure),
    ("swiss francs", "CHF", Sure),
    ("indian rupees", "INR", Sure),
    ("israeli shekels", "ILS", Sure),
    ("japanese yen", "JPY", Sure),
    ("chinese yuan", "CNY", Sure),
    ("south korean won", "KRW", Sure),
    ("korean won", "KRW", Sure),
    ("de dólares", "USD", Dollar),
    ("de dollars", "USD", Dollar),
    ("di dollari", "USD", Dollar),
    ("d'euros", "EUR", Sure),
    ("di euro", "EUR", Sure),
    ("de euros", "EUR", Sure),
    ("dollars", "USD", Dollar),
    ("dollar", "USD", Dollar),
    ("dólares", "USD", Dollar),
    ("de yens", "JPY", Sure),
    ("de yuans", "CNY", Sure),
    ("de wons", "KRW", Sure),
    ("us-dollars", "USD", Sure),
    ("baht", "THB", Sure),
    ("złoty", "PLN", Sure),
    ("euros", "EUR", Sure),
    ("euro", "EUR", Sure),
    ("yen", "JPY", Sure),
    ("yuan", "CNY", Sure),
    ("renminbi", "CNY", Sure),
    ("won", "KRW", Sure),
    ("rupees", "INR", Kind),
    ("rupee", "INR", Kind),
    ("shekels", "ILS", Sure),
    ("dirhams", "AED", Sure),
    ("riyals", "SAR", Kind),
    ("roubles", "RUB", Sure),
    ("rubles", "RUB", Sure),
    ("rupiah", "IDR", Sure),
    ("ringgit", "MYR", Sure),
    ("pounds", "GBP", Kind),
];

type Meant = (&'static str, Sign);

static SIGNS_BY_LAST: LazyLock<Literals<Meant>> = LazyLock::new(|| Literals::by_last(of_table(BEFORE)));
static SIGNS: LazyLock<Literals<Meant>> = LazyLock::new(|| Literals::by_first(of_table(BEFORE)));
static FOREIGN: LazyLock<Literals<Meant>> = LazyLock::new(|| Literals::by_first(of_table(EAST_ASIAN)));
static SPELT: LazyLock<Literals<Meant>> = LazyLock::new(|| Literals::by_first(of_table(WORDS)));

fn of_table(table: &'static [(&'static str, &'static str, Sign)]) -> impl Iterator<Item = (&'static str, Meant)> {
    table.iter().map(|(name, code, sign)| (*name, (*code, *sign)))
}

/// The currency right before a number that begins at `number`, with at most a space between.
pub(super) fn before(text: Text<'_>, number: usize) -> Option<Currency> {
    let to = if text.before(number) == ' ' { number - 1 } else { number };
    let last = text.before(to);
    // What nearly all numbers have before them.
    if matches!(last, 'a' | 'c'..='g' | 'i'..='k' | 'm'..='o' | 'q' | 'r' | 't'..='z' | ',' | '\0') {
        return None;
    }
    SIGNS_BY_LAST.of(last).find_map(|(sign, (code, kind))| {
        let from = text.literal_before(to, sign)?;
        let letters = sign.starts_with(|ch: char| ch.is_ascii_alphabetic() || ch == '$');
        let free = !letters || !text.before(from).is_ascii_alphanumeric();
        free.then_some(Currency { code, sign: kind, from, to })
    })
}

impl Currency {
    /// Whether it is an abbreviation that is mostly something else, so that it needs a large number right behind it: `EU5.4B`,
    /// `W38tn`.
    pub(super) fn is_doubtful(&self, text: Text<'_>) -> bool {
        ["EU", "W"].iter().any(|sign| text.literal(self.from, sign) == Some(self.to))
    }
}

/// The currency behind a number that ends at `end`: a word, a code or a sign. `scaled` says that a scale such as million
/// stands between, without which some words are something else: 200 pounds may be a weight.
pub(super) fn behind(text: Text<'_>, end: usize, scaled: bool) -> Option<Currency> {
    let at = text.skip_space(end);
    let first = text.ch(at);
    if first >= '\u{2E80}' {
        return FOREIGN.of(first).find_map(|(word, (code, sign))| {
            let to = text.literal(at, word)?;
            // One syllable may begin another word.
            let whole = word.chars().nth(1).is_some() || scaled || !is_hangul(text.ch(to)) || is_particle(text.ch(to));
            whole.then_some(Currency { code, sign, from: at, to })
        });
    }
    if !first.is_ascii_lowercase() {
        let sign = SIGNS.of(first).find_map(|(sign, (code, kind))| {
            let to = text.literal(at, sign)?;
            let letters = sign.ends_with(|ch: char| ch.is_ascii_alphabetic());
            // A sign right behind a number belongs to the next one: `$5-$7` has a hyphen at least, `5 $7` nothing.
            let alone = !text.ch(to).is_ascii_alphanumeric() && !text.ch(text.skip_space(to)).is_ascii_digit();
            let may = letters || matches!(sign, "€" | "$" | "£" | "zł");
            (alone && may && !matches!(sign, "Rs" | "Rs." | "NIS" | "RM" | "Rp" | "EU" | "W" | "Dh" | "Dhs"))
                .then_some(Currency { code, sign: kind, from: at, to })
        });
        if sign.is_some() {
            return sign;
        }
    }
    let at = if text.ch(end) == '-' { end + 1 } else { at };
    SPELT.of(text.ch(at).to_ascii_lowercase()).find_map(|(words, (code, sign))| {
        let to = literal_small(text, at, words)?;
        let whole = !text.ch(to).is_alphanumeric();
        // "5 won the prize": of numbers without a scale, the verb is as likely.
        let clear = scaled || !matches!(words, "pounds" | "won" | "dollar");
        (whole && clear).then_some(Currency { code, sign, from: at, to })
    })
}

fn literal_small(text: Text<'_>, at: usize, words: &str) -> Option<usize> {
    let mut end = at;
    for ch in words.chars() {
        if text.ch(end).to_lowercase().next() != Some(ch) {
            return None;
        }
        end += 1;
    }
    Some(end)
}

fn is_hangul(ch: char) -> bool {
    matches!(ch, '\u{AC00}'..='\u{D7A3}')
}

fn is_particle(ch: char) -> bool {
    matches!(ch, '을' | '를' | '이' | '가' | '은' | '는' | '의' | '에' | '으' | '로' | '과' | '와' | '대' | '씩' | '규')
}

/// Which currencies the text names outright, by which the open signs are settled.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Named {
    pub(super) yen: bool,
    pub(super) yuan: bool,
    /// A dollar other than that of the United States.
    pub(super) other_dollar: bool,
    pub(super) taiwan: bool,
    pub(super) hong_kong: bool,
}

impl Named {
    /// Notes a currency that leaves nothing open.
    pub(super) fn note(&mut self, currency: Currency) {
        if currency.sign != Sure {
            return;
        }
        match currency.code {
            "JPY" => self.yen = true,
            "CNY" => self.yuan = true,
            "TWD" | "HKD" | "AUD" | "CAD" | "SGD" | "NZD" => {
                self.other_dollar = true;
                self.taiwan |= currency.code == "TWD";
                self.hong_kong |= currency.code == "HKD";
            }
            _ => {}
        }
    }

    /// The code of `currency` in this text, and whether another one is possible. `traditional` says that the scale before
    /// it is written with the characters of Taiwan, Hong Kong and Japan.
    pub(super) fn settle(self, currency: Currency, traditional: bool) -> (&'static str, bool) {
        match currency.sign {
            Sure => (currency.code, false),
            Dollar => ("USD", self.other_dollar),
            Yen => match (self.yen, self.yuan) {
                (true, false) => ("JPY", false),
                (false, true) => ("CNY", false),
                _ => ("JPY", true),
            },
            Yuan if traditional => (if self.hong_kong && !self.taiwan { "HKD" } else { "TWD" }, true),
            Yuan => ("CNY", self.other_dollar),
            Kind => (currency.code, true),
        }
    }
}
