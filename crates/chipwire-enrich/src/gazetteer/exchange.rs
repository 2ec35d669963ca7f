//! Stock exchanges, by the many ways in which they are written.

use std::borrow::Cow;

/// An exchange, or several that share their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Exchange {
    UnitedStates,
    HongKong,
    Shanghai,
    Shenzhen,
    Tokyo,
    Taiwan,
    Korea,
    Amsterdam,
    Paris,
    Frankfurt,
    London,
    Zurich,
    Toronto,
    Sydney,
    India,
}

/// Names before a colon, in lower case. Taiwan's two markets share one space of codes; so do the American ones in practice,
/// where writers often name the wrong one.
const NAMES: &[(&str, Exchange)] = &[
    ("nasdaq", Exchange::UnitedStates),
    ("nasdaqgs", Exchange::UnitedStates),
    ("nasdaqgm", Exchange::UnitedStates),
    ("nyse", Exchange::UnitedStates),
    ("amex", Exchange::UnitedStates),
    ("otc", Exchange::UnitedStates),
    ("otcmkts", Exchange::UnitedStates),
    ("us", Exchange::UnitedStates),
    ("hk", Exchange::HongKong),
    ("hkg", Exchange::HongKong),
    ("hkex", Exchange::HongKong),
    ("sehk", Exchange::HongKong),
    ("hkse", Exchange::HongKong),
    ("sse", Exchange::Shanghai),
    ("sha", Exchange::Shanghai),
    ("sh", Exchange::Shanghai),
    ("shanghai", Exchange::Shanghai),
    ("szse", Exchange::Shenzhen),
    ("shenzhen", Exchange::Shenzhen),
    ("she", Exchange::Shenzhen),
    ("sz", Exchange::Shenzhen),
    ("tse", Exchange::Tokyo),
    ("tokyo", Exchange::Tokyo),
    ("tyo", Exchange::Tokyo),
    ("jpx", Exchange::Tokyo),
    ("twse", Exchange::Taiwan),
    ("tpe", Exchange::Taiwan),
    ("tpex", Exchange::Taiwan),
    ("tw", Exchange::Taiwan),
    ("two", Exchange::Taiwan),
    ("krx", Exchange::Korea),
    ("kospi", Exchange::Korea),
    ("kosdaq", Exchange::Korea),
    ("ks", Exchange::Korea),
    ("ams", Exchange::Amsterdam),
    ("aex", Exchange::Amsterdam),
    ("epa", Exchange::Paris),
    ("xetra", Exchange::Frankfurt),
    ("etr", Exchange::Frankfurt),
    ("fra", Exchange::Frankfurt),
    ("fwb", Exchange::Frankfurt),
    ("lon", Exchange::London),
    ("lse", Exchange::London),
    ("swx", Exchange::Zurich),
    ("six", Exchange::Zurich),
    ("tsx", Exchange::Toronto),
    ("asx", Exchange::Sydney),
    ("nse", Exchange::India),
    ("bse", Exchange::India),
];

/// Suffixes of Reuters instrument codes and of what others derived from them, after a full stop.
const SUFFIXES: &[(&str, Exchange)] = &[
    ("O", Exchange::UnitedStates),
    ("OQ", Exchange::UnitedStates),
    ("N", Exchange::UnitedStates),
    ("PK", Exchange::UnitedStates),
    ("US", Exchange::UnitedStates),
    ("HK", Exchange::HongKong),
    ("SS", Exchange::Shanghai),
    ("SH", Exchange::Shanghai),
    ("SZ", Exchange::Shenzhen),
    ("T", Exchange::Tokyo),
    ("TW", Exchange::Taiwan),
    ("TWO", Exchange::Taiwan),
    ("KS", Exchange::Korea),
    ("KQ", Exchange::Korea),
    ("AS", Exchange::Amsterdam),
    ("PA", Exchange::Paris),
    ("DE", Exchange::Frankfurt),
    ("L", Exchange::London),
    ("SW", Exchange::Zurich),
    ("TO", Exchange::Toronto),
    ("AX", Exchange::Sydney),
    ("NS", Exchange::India),
    ("BO", Exchange::India),
];

/// Bloomberg's codes of countries and exchanges, after a space or a colon.
const COUNTRIES: &[(&str, Exchange)] = &[
    ("US", Exchange::UnitedStates),
    ("UW", Exchange::UnitedStates),
    ("UN", Exchange::UnitedStates),
    ("HK", Exchange::HongKong),
    ("CH", Exchange::Shanghai),
    ("JP", Exchange::Tokyo),
    ("JT", Exchange::Tokyo),
    ("TT", Exchange::Taiwan),
    ("KS", Exchange::Korea),
    ("NA", Exchange::Amsterdam),
    ("FP", Exchange::Paris),
    ("GR", Exchange::Frankfurt),
    ("GY", Exchange::Frankfurt),
    ("LN", Exchange::London),
    ("SW", Exchange::Zurich),
];

fn find(table: &[(&str, Exchange)], name: &str) -> Option<Exchange> {
    table.iter().find(|(key, _)| *key == name).map(|(_, exchange)| *exchange)
}

impl Exchange {
    /// By a name before a colon, in any case.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        find(NAMES, &name.to_ascii_lowercase())
    }

    /// By the suffix after a full stop, in capitals.
    pub(crate) fn by_suffix(suffix: &str) -> Option<Self> {
        find(SUFFIXES, suffix)
    }

    /// Its name before a colon, as our own files have it; of several the one that most of their companies are on.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Exchange::UnitedStates => "NASDAQ",
            Exchange::HongKong => "HKEX",
            Exchange::Shanghai => "SSE",
            Exchange::Shenzhen => "SZSE",
            Exchange::Tokyo => "TSE",
            Exchange::Taiwan => "TWSE",
            Exchange::Korea => "KRX",
            Exchange::Amsterdam => "AMS",
            Exchange::Paris => "EPA",
            Exchange::Frankfurt => "FRA",
            Exchange::London => "LSE",
            Exchange::Zurich => "SIX",
            Exchange::Toronto => "TSX",
            Exchange::Sydney => "ASX",
            Exchange::India => "NSE",
        }
    }

    /// By the country behind a hyphen, in capitals, as FactSet writes it: `688041-CN`.
    pub(crate) fn behind_hyphen(code: &str, country: &str) -> Option<Self> {
        match country {
            // Shanghai's shares begin with 6, and those for foreigners with 9.
            "CN" if code.starts_with(['6', '9']) => Some(Exchange::Shanghai),
            "CN" => Some(Exchange::Shenzhen),
            "KR" => Some(Exchange::Korea),
            _ => Self::by_name(country).or_else(|| Self::by_country(country)),
        }
    }

    /// By Bloomberg's code, in capitals.
    pub(crate) fn by_country(code: &str) -> Option<Self> {
        find(COUNTRIES, code)
    }
}

/// The form in which codes are compared: capitals, and in Hong Kong no leading zeros.
pub(crate) fn normal_code(exchange: Exchange, code: &str) -> Cow<'_, str> {
    let code = if exchange == Exchange::HongKong { code.trim_start_matches('0') } else { code };
    if code.bytes().any(|byte| byte.is_ascii_lowercase()) { code.to_ascii_uppercase().into() } else { code.into() }
}
