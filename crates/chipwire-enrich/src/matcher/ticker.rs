//! Codes of listed shares, where it is written that they are codes: never a bare number or word.
//!
//! `NASDAQ:NVDA`, `HK: 0700`, `Euronext Paris: SOI`, `9988.HK`, `IFXGn.DE`, `$NVDA`, `NVDA US Equity`, `(700 HK)`, `(2330 TT/TSM US, Buy)`, `(2330-TW)`, `NVDA:US`;
//! `KLAC — Market Perform`; `股票代码:688041`; and, where the company is named right before, `(NVDA)`, `( NVDA )`, `(NVDA 1.2%)`, `<TXN>` and `#NVDA`.

use rustc_hash::FxHashMap;

use super::{document::Document, gap::Gap, token::shape};
use crate::{
    gazetteer::{EntityDef, Exchange, normal_code},
    lexicon::han,
};

/// Chinese names of exchanges before a colon, in simplified characters.
const CHINESE: &[(&str, Exchange)] = &[
    ("纳斯达克", Exchange::UnitedStates),
    ("纽交所", Exchange::UnitedStates),
    ("港交所", Exchange::HongKong),
    ("港股", Exchange::HongKong),
    ("上交所", Exchange::Shanghai),
    ("深交所", Exchange::Shenzhen),
];

/// What is called so, in simplified characters, is the code of a share, with the exchanges that call theirs so.
const CHINESE_CODES: &[(&[&str], &[Exchange])] = &[
    (&["股份代号"], &[Exchange::HongKong]),
    (
        &["股票代码", "股票代号", "证券代码", "证券代号", "A股代码"],
        &[Exchange::Shanghai, Exchange::Shenzhen, Exchange::Taiwan, Exchange::HongKong],
    ),
];

/// Where Euronext trades.
const EURONEXT: &[(&str, Exchange)] = &[("Paris", Exchange::Paris), ("Amsterdam", Exchange::Amsterdam)];

/// Letters of a code that counts by a change of price: shorter ones are too many other things.
const CHANGED_MIN: usize = 3;

/// What Reuters writes behind the code of a registered share in Germany.
const GERMAN: &str = "Gn";

/// What brokers think of a share.
const RATINGS: &[&str] = &[
    "buy",
    "sell",
    "hold",
    "neutral",
    "outperform",
    "underperform",
    "perform",
    "overweight",
    "underweight",
    "weight",
    "pt",
    "downgrade",
    "downgraded",
    "upgrade",
    "upgraded",
    "initiate",
    "reiterate",
];

/// A code in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) entity: usize,
    /// Its first token.
    pub(crate) start: usize,
    /// One past its last token.
    pub(crate) end: usize,
    /// Its first unit, which may be a sign before the first token.
    pub(crate) from: usize,
    /// The code, as it was looked up.
    pub(crate) code: String,
    /// It counts only where the company is named right before it.
    pub(crate) needs_name: bool,
}

/// The codes of all companies.
#[derive(Debug, Default)]
pub(crate) struct Tickers {
    codes: FxHashMap<Exchange, FxHashMap<String, usize>>,
}

impl Tickers {
    pub(crate) fn add(&mut self, entity: usize, definition: &EntityDef) {
        for ticker in &definition.tickers {
            if let Some((name, code)) = ticker.split_once(':')
                && let Some(exchange) = Exchange::by_name(name)
            {
                self.codes.entry(exchange).or_default().insert(normal_code(exchange, code).into_owned(), entity);
            }
        }
    }

    fn entity(&self, exchange: Exchange, code: &str) -> Option<usize> {
        self.codes.get(&exchange)?.get(&*normal_code(exchange, code)).copied()
    }

    /// The company that has `code` on a stock market of the United States.
    pub(crate) fn american(&self, code: &str) -> Option<usize> {
        self.entity(Exchange::UnitedStates, code)
    }

    /// Every code in `document`, by position.
    pub(crate) fn find(&self, document: &Document) -> Vec<Found> {
        let mut found = Vec::new();
        // Before a colon is the name of an exchange; everything else begins with the code.
        for (at, token) in document.codes_and_exchanges() {
            let next = document.token(at + 1);
            let next_gap = next.map(|next| next.gap);
            let before = token.start.checked_sub(1).and_then(|sign| document.ch(sign));
            // Most of these are numbers with nothing beside them that they could be codes with.
            let parted = matches!(next_gap, Some(Gap::Colon | Gap::Dot | Gap::Hyphen));
            let listed = next.is_some_and(|next| (next.gap == Gap::Space) & next.is(shape::UPPER));
            // A space may be between: "( NVDA )", "代码: 688041".
            let sign =
                if before == Some(' ') { token.start.checked_sub(2).and_then(|at| document.ch(at)) } else { before };
            let behind_sign = matches!(sign, Some('$' | '#' | '(' | '<' | ':' | '码' | '碼' | '号' | '號'));
            if !(token.is(shape::LETTER) | parted | listed | behind_sign) {
                continue;
            }
            let ric = next_gap == Some(Gap::Dot) && is_german(document, at);
            if next_gap != Some(Gap::Colon) && !token.is_code() && !ric {
                continue;
            }
            let hit = match next_gap {
                Some(Gap::Colon) => self.after_colon(document, at),
                Some(Gap::Dot) => self.before_suffix(document, at),
                Some(Gap::Hyphen) => self.before_country(document, at),
                _ => None,
            };
            let hit = hit.or_else(|| match before {
                Some('$' | '#') => self.signed(document, at),
                _ if behind_sign => self.told(document, at),
                _ => None,
            });
            let Some(hit) = hit.or_else(|| self.bloomberg(document, at)) else {
                let others = found.len();
                if opening(document, at).is_some() {
                    self.bracketed(document, at, &mut found);
                }
                if found.len() == others {
                    found.extend(self.rated(document, at));
                }
                continue;
            };
            found.push(hit);
        }
        found
    }

    /// `NASDAQ:NVDA` and, the other way round, `NVDA:US`.
    fn after_colon(&self, document: &Document, at: usize) -> Option<Found> {
        let (token, next) = (document.token(at)?, document.token(at + 1)?);
        if !is_whole(document, at + 1) {
            return None;
        }
        let (word, other) = (document.written(token), document.written(next));
        let small = word.chars().any(char::is_lowercase) && word.len() < 4;
        // Tags of a page are written small throughout: "(nasdaq:intc)".
        let in_brackets = || matches!(surrounding(document, at, at + 2), Some(('(', ')')));
        if !small
            && let Some(exchange) = Exchange::by_name(&word)
            && (next.is_code() || (!word.contains(char::is_uppercase) && in_brackets()))
            && let Some(entity) = self.entity(exchange, &other)
        {
            return Some(hit(entity, at, at + 2, token.start, other.to_uppercase()));
        }
        if token.is(shape::EAST_ASIAN) {
            return self.after_chinese(document, at, &other);
        }
        if let Some((_, exchange)) = EURONEXT.iter().find(|(city, _)| *city == word) {
            let before = at.checked_sub(1).and_then(|before| Some((before, document.token(before)?)));
            let (start, euronext) = before.filter(|(_, token)| document.written(token) == "Euronext")?;
            let entity = self.entity(*exchange, &other).filter(|_| next.is_code())?;
            return Some(hit(entity, start, at + 2, euronext.start, other));
        }
        let tight = next.start == token.end + 1;
        let exchange = Exchange::by_country(&other).filter(|_| tight && token.is_code())?;
        let entity = self.entity(exchange, &word)?;
        Some(hit(entity, at, at + 2, token.start, word))
    }

    fn after_chinese(&self, document: &Document, at: usize, code: &str) -> Option<Found> {
        CHINESE.iter().find_map(|(name, exchange)| {
            let start = (at + 1).checked_sub(name.chars().count())?;
            let first = document.token(start)?;
            let before = document.chars(first.start, document.token(at)?.end).map(han::plain);
            let entity = before.eq(name.chars()).then(|| self.entity(*exchange, code))??;
            Some(hit(entity, start, at + 2, first.start, code.to_owned()))
        })
    }

    /// `9988.HK`, `NVDA.O`.
    fn before_suffix(&self, document: &Document, at: usize) -> Option<Found> {
        let (token, next) = (document.token(at)?, document.token(at + 1)?);
        let exchange = Exchange::by_suffix(&document.written(next))?;
        let german = is_german(document, at);
        if !token.is_code() && !german || !is_whole(document, at + 1) {
            return None;
        }
        let code = document.written(token);
        let code = if german { code.strip_suffix(GERMAN).unwrap_or_default() } else { &*code };
        let entity = self.entity(exchange, code)?;
        let signed = token.start.checked_sub(1).filter(|sign| document.ch(*sign) == Some('$'));
        Some(hit(entity, at, at + 2, signed.unwrap_or(token.start), code))
    }

    /// `2330-TW`, in brackets.
    fn before_country(&self, document: &Document, at: usize) -> Option<Found> {
        let (token, next) = (document.token(at)?, document.token(at + 1)?);
        let listed = matches!(surrounding(document, at, at + 2)?, ('(', ')' | ',' | ';'));
        if !listed || !token.is_code() || !next.is(shape::UPPER) {
            return None;
        }
        let (code, country) = (document.written(token), document.written(next));
        let exchange = Exchange::behind_hyphen(&code, &country)?;
        let entity = self.entity(exchange, &code)?;
        Some(hit(entity, at, at + 2, token.start, code))
    }

    /// `$NVDA` and `#NVDA`.
    fn signed(&self, document: &Document, at: usize) -> Option<Found> {
        let token = document.token(at)?;
        let sign = token.start.checked_sub(1)?;
        let ch = document.ch(sign).filter(|ch| matches!(ch, '$' | '#'))?;
        let free =
            sign.checked_sub(1).and_then(|before| document.ch(before)).is_none_or(|before| !before.is_alphanumeric());
        let letters = token.is(shape::UPPER) && !token.is(shape::DIGIT);
        if !free || !letters || !is_whole(document, at) {
            return None;
        }
        let code = document.written(token);
        let entity = self.entity(Exchange::UnitedStates, &code)?;
        let needs_name = ch == '#' && code.len() < 4;
        Some(Found { needs_name, ..hit(entity, at, at + 1, sign, code) })
    }

    /// `证券代码:688041`: a number that the text calls a code.
    fn told(&self, document: &Document, at: usize) -> Option<Found> {
        let token = document.token(at).filter(|token| !token.is(shape::LETTER) && is_whole(document, at))?;
        let before =
            (0..token.start).rev().filter_map(|place| document.ch(place)).skip_while(|ch| matches!(ch, ' ' | ':'));
        let named: Vec<char> = before.take(4).map(han::plain).collect();
        let is_named = |name: &&str| name.chars().rev().eq(named.iter().copied());
        let (_, exchanges) = CHINESE_CODES.iter().find(|(names, _)| names.iter().any(is_named))?;
        let code = document.written(token);
        // Codes of four digits are Taiwan's, but for those that begin with 0.
        let fits = |exchange: &&Exchange| match exchange {
            Exchange::Shanghai | Exchange::Shenzhen => code.len() == 6,
            Exchange::Taiwan => code.len() == 4 && !code.starts_with('0'),
            _ => exchanges.len() == 1 || code.len() == 5 || code.starts_with('0'),
        };
        let entity = exchanges.iter().filter(fits).find_map(|exchange| self.entity(*exchange, &code))?;
        Some(hit(entity, at, at + 1, token.start, code))
    }

    /// `NVDA US Equity`, or in brackets without the last word.
    fn bloomberg(&self, document: &Document, at: usize) -> Option<Found> {
        let (token, next) = (document.token(at)?, document.token(at + 1)?);
        if next.gap != Gap::Space || !token.is_code() || !next.is(shape::UPPER) {
            return None;
        }
        let exchange = Exchange::by_country(&document.written(next))?;
        let code = document.written(token);
        let entity = self.entity(exchange, &code)?;
        let equity = document
            .token(at + 2)
            .is_some_and(|word| word.gap == Gap::Space && document.written(word).eq_ignore_ascii_case("equity"));
        // Brokers write more into the brackets: "(6981 JP, Buy)", "(2330 TT/TSM US)".
        let listed = surrounding(document, at, at + 2)
            .is_some_and(|(before, behind)| matches!(before, '(' | '/') && matches!(behind, ')' | ',' | '/' | ';'));
        let stands = equity || listed || is_rated(document, at + 2);
        stands.then(|| hit(entity, at, if equity { at + 3 } else { at + 2 }, token.start, code))
    }

    /// `KLAC — Market Perform, PT $1,420` and `SNDK +4%`: what a broker thinks of it stands behind it, or how its price changed.
    fn rated(&self, document: &Document, at: usize) -> Option<Found> {
        let token = document.token(at)?;
        let letters = token.is(shape::UPPER) && !token.is(shape::DIGIT) && token.end - token.start > 1;
        let changed = || token.end - token.start >= CHANGED_MIN && is_changed(document, at);
        if !letters || !(is_rated(document, at + 1) || changed()) {
            return None;
        }
        let code = document.written(token);
        Some(hit(self.american(&code)?, at, at + 1, token.start, code))
    }

    /// `Nvidia (NVDA)`, `Nvidia ( NVDA )` and `Texas Instruments Inc <TXN>`; and, as sites about shares write, `(NVDA +1.2%)`,
    /// `(NVDA 1.2%)` and `(NVDA – Free Report)`.
    fn bracketed(&self, document: &Document, at: usize, found: &mut Vec<Found>) {
        let Some(token) = document.token(at).filter(|token| token.is_code()) else { return };
        let digits = !token.is(shape::LETTER);
        let behind = |by| document.ch(token.end + by);
        let closed = match (opening(document, at), behind(0)) {
            (Some('('), Some(')')) | (Some('<'), Some('>')) => true,
            (Some('('), Some(' ')) => match behind(1) {
                Some(')') => true,
                Some('+' | '-' | '−' | '–' | '—' | '▲' | '▼') => !digits,
                Some(_) => !digits && is_share(document, at + 1),
                None => false,
            },
            _ => false,
        };
        if !closed {
            return;
        }
        let code = document.written(token);
        let exchanges: &[Exchange] = if digits {
            &[
                Exchange::HongKong,
                Exchange::Shanghai,
                Exchange::Shenzhen,
                Exchange::Tokyo,
                Exchange::Taiwan,
                Exchange::Korea,
            ]
        } else {
            &[Exchange::UnitedStates, Exchange::Amsterdam, Exchange::Frankfurt, Exchange::Paris, Exchange::Tokyo]
        };
        // Two exchanges may have the same code: the name before it says whose it is.
        let entities = exchanges.iter().filter_map(|exchange| self.entity(*exchange, &code));
        found.extend(entities.map(|entity| Found { needs_name: true, ..hit(entity, at, at + 1, token.start, &*code) }));
    }
}

fn hit(entity: usize, start: usize, end: usize, from: usize, code: impl Into<String>) -> Found {
    Found { entity, start, end, from, code: code.into(), needs_name: false }
}

/// Whether the token is the code of a registered share in Germany as Reuters writes it, with `Gn` behind it, before a stop.
fn is_german(document: &Document, at: usize) -> bool {
    document
        .token(at)
        .is_some_and(|token| document.written(token).strip_suffix(GERMAN).is_some_and(|code| code.len() > 1))
        && document.token(at + 1).is_some_and(|next| document.written(next) == "DE")
}

/// Whether nothing that makes a longer code follows the token.
fn is_whole(document: &Document, at: usize) -> bool {
    document.token(at + 1).is_none_or(|next| {
        !matches!(next.gap, Gap::Dot | Gap::Hyphen) || document.ch(next.start).is_some_and(char::is_lowercase)
    })
}

fn surrounding(document: &Document, start: usize, end: usize) -> Option<(char, char)> {
    let first = document.token(start)?;
    let last = document.token(end.checked_sub(1)?)?;
    Some((document.ch(first.start.checked_sub(1)?)?, document.ch(last.end)?))
}

/// The bracket that the token at `at` stands right behind, or with a space between.
fn opening(document: &Document, at: usize) -> Option<char> {
    let before = document.token(at)?.start.checked_sub(1)?;
    let place = if document.ch(before) == Some(' ') { before.checked_sub(1)? } else { before };
    document.ch(place).filter(|ch| matches!(ch, '(' | '<'))
}

/// Whether the tokens from `at` on are a share: `4.61%`.
fn is_share(document: &Document, at: usize) -> bool {
    let is_number = |at: usize| document.token(at).filter(|token| token.is(shape::DIGIT) && !token.is(shape::LETTER));
    let decimals = || is_number(at + 1).filter(|decimals| decimals.gap == Gap::Dot);
    let last = is_number(at).map(|whole| decimals().unwrap_or(whole));
    last.is_some_and(|last| document.ch(last.end) == Some('%'))
}

/// Whether a change of price stands behind token `at`: `+4%`, `–2.9%`.
fn is_changed(document: &Document, at: usize) -> bool {
    let (Some(token), Some(number)) = (document.token(at), document.token(at + 1)) else { return false };
    let signed = number.start == token.end + 2
        && document.ch(token.end) == Some(' ')
        && document.ch(token.end + 1).is_some_and(|sign| matches!(sign, '+' | '-' | '−' | '–' | '—'));
    signed && is_share(document, at + 1)
}

/// Whether a rating stands behind a dash, a comma or a bracket before token `at`.
fn is_rated(document: &Document, at: usize) -> bool {
    let parted = document
        .token(at)
        .is_some_and(|next| matches!(next.gap, Gap::Dash | Gap::Comma | Gap::Colon | Gap::Open | Gap::Other));
    let rating = |at: usize| {
        document.token(at).is_some_and(|token| token.gap != Gap::Hard && RATINGS.contains(&&*document.folded(token)))
    };
    parted && (at..at + 2).any(rating)
}
