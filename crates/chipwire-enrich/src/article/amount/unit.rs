//! Units other than money: what stands behind a number.

use chipwire_events::AmountKind;

use super::text::Text;

/// A unit where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) kind: AmountKind,
    pub(super) name: &'static str,
    /// One past its last unit of text.
    pub(super) to: usize,
}

use AmountKind::{Count, Duration, Measure, Share};

/// Symbols, which have one way to be written; the longest first.
const SYMBOLS: &[(&str, AmountKind, &str)] = &[
    ("TB/s", Measure, "TB/s"),
    ("GB/s", Measure, "GB/s"),
    ("MB/s", Measure, "MB/s"),
    ("Tb/s", Measure, "Tb/s"),
    ("Gb/s", Measure, "Gb/s"),
    ("Tbps", Measure, "Tb/s"),
    ("Gbps", Measure, "Gb/s"),
    ("Mbps", Measure, "Mb/s"),
    ("TFLOPS", Measure, "TFLOPS"),
    ("PFLOPS", Measure, "PFLOPS"),
    ("EFLOPS", Measure, "EFLOPS"),
    ("TOPS", Measure, "TOPS"),
    ("TWh", Measure, "TWh"),
    ("GWh", Measure, "GWh"),
    ("MWh", Measure, "MWh"),
    ("kWh", Measure, "kWh"),
    ("TW", Measure, "TW"),
    ("GW", Measure, "GW"),
    ("MW", Measure, "MW"),
    ("kW", Measure, "kW"),
    ("KW", Measure, "kW"),
    ("W", Measure, "W"),
    ("EB", Measure, "EB"),
    ("PB", Measure, "PB"),
    ("TB", Measure, "TB"),
    ("GB", Measure, "GB"),
    ("MB", Measure, "MB"),
    ("KB", Measure, "KB"),
    ("Tb", Measure, "Tb"),
    ("Gb", Measure, "Gb"),
    ("GHz", Measure, "GHz"),
    ("MHz", Measure, "MHz"),
    ("nm", Measure, "nm"),
    ("μm", Measure, "µm"),
    ("um", Measure, "µm"),
    ("mm", Measure, "mm"),
    ("cm", Measure, "cm"),
    ("km", Measure, "km"),
    ("bps", Share, "basis point"),
    ("bp", Share, "basis point"),
    ("pct", Share, "percent"),
    ("wpm", Count, "wafer"),
];

/// Words of several words, and of other scripts; the longest first.
const PHRASES: &[(&str, AmountKind, &str)] = &[
    ("percentage points", Share, "percentage point"),
    ("percentage point", Share, "percentage point"),
    ("basis points", Share, "basis point"),
    ("basis point", Share, "basis point"),
    ("per cent", Share, "percent"),
    ("square feet", Measure, "square foot"),
    ("square foot", Measure, "square foot"),
    ("square metres", Measure, "m²"),
    ("square meters", Measure, "m²"),
    ("square-foot", Measure, "square foot"),
    ("square-metre", Measure, "m²"),
    ("square-meter", Measure, "m²"),
    ("metric tons", Measure, "t"),
    ("个百分点", Share, "percentage point"),
    ("個百分點", Share, "percentage point"),
    ("个月", Duration, "month"),
    ("個月", Duration, "month"),
    ("か月", Duration, "month"),
    ("カ月", Duration, "month"),
    ("ヶ月", Duration, "month"),
    ("개월", Duration, "month"),
    ("纳米", Measure, "nm"),
    ("奈米", Measure, "nm"),
    ("ナノメートル", Measure, "nm"),
    ("ナノ", Measure, "nm"),
    ("나노미터", Measure, "nm"),
    ("나노", Measure, "nm"),
    ("吉瓦", Measure, "GW"),
    ("兆瓦", Measure, "MW"),
    ("片晶圆", Count, "wafer"),
    ("片晶圓", Count, "wafer"),
    ("颗芯片", Count, "chip"),
    ("枚芯片", Count, "chip"),
    ("顆晶片", Count, "chip"),
];

/// Words of English in small letters: plural and singular.
const WORDS: &[(&str, &str, AmountKind, &str)] = &[
    ("percent", "percent", Share, "percent"),
    ("gigawatts", "gigawatt", Measure, "GW"),
    ("megawatts", "megawatt", Measure, "MW"),
    ("kilowatts", "kilowatt", Measure, "kW"),
    ("terawatts", "terawatt", Measure, "TW"),
    ("watts", "watt", Measure, "W"),
    ("megabytes", "megabyte", Measure, "MB"),
    ("gigabytes", "gigabyte", Measure, "GB"),
    ("terabytes", "terabyte", Measure, "TB"),
    ("petabytes", "petabyte", Measure, "PB"),
    ("exabytes", "exabyte", Measure, "EB"),
    ("gigabits", "gigabit", Measure, "Gb"),
    ("terabits", "terabit", Measure, "Tb"),
    ("gigahertz", "gigahertz", Measure, "GHz"),
    ("megahertz", "megahertz", Measure, "MHz"),
    ("teraflops", "teraflop", Measure, "TFLOPS"),
    ("petaflops", "petaflop", Measure, "PFLOPS"),
    ("exaflops", "exaflop", Measure, "EFLOPS"),
    ("nanometers", "nanometer", Measure, "nm"),
    ("nanometres", "nanometre", Measure, "nm"),
    ("millimeters", "millimeter", Measure, "mm"),
    ("millimetres", "millimetre", Measure, "mm"),
    ("kilometers", "kilometer", Measure, "km"),
    ("kilometres", "kilometre", Measure, "km"),
    ("inches", "inch", Measure, "inch"),
    ("miles", "mile", Measure, "mile"),
    ("acres", "acre", Measure, "acre"),
    ("hectares", "hectare", Measure, "ha"),
    ("tonnes", "tonne", Measure, "t"),
    ("tons", "ton", Measure, "ton"),
    ("sqft", "sqft", Measure, "square foot"),
    ("seconds", "second", Duration, "second"),
    ("minutes", "minute", Duration, "minute"),
    ("hours", "hour", Duration, "hour"),
    ("days", "day", Duration, "day"),
    ("weeks", "week", Duration, "week"),
    ("months", "month", Duration, "month"),
    ("years", "year", Duration, "year"),
    ("decades", "decade", Duration, "decade"),
    ("units", "unit", Count, "unit"),
    ("chips", "chip", Count, "chip"),
    ("semiconductors", "semiconductor", Count, "chip"),
    ("gpus", "gpu", Count, "GPU"),
    ("cpus", "cpu", Count, "CPU"),
    ("tpus", "tpu", Count, "TPU"),
    ("npus", "npu", Count, "NPU"),
    ("accelerators", "accelerator", Count, "accelerator"),
    ("processors", "processor", Count, "processor"),
    ("servers", "server", Count, "server"),
    ("racks", "rack", Count, "rack"),
    ("wafers", "wafer", Count, "wafer"),
    ("dies", "die", Count, "die"),
    ("modules", "module", Count, "module"),
    ("machines", "machine", Count, "machine"),
    ("devices", "device", Count, "device"),
    ("smartphones", "smartphone", Count, "phone"),
    ("phones", "phone", Count, "phone"),
    ("handsets", "handset", Count, "phone"),
    ("laptops", "laptop", Count, "laptop"),
    ("pcs", "pc", Count, "PC"),
    ("vehicles", "vehicle", Count, "vehicle"),
    ("cars", "car", Count, "car"),
    ("robots", "robot", Count, "robot"),
    ("satellites", "satellite", Count, "satellite"),
    ("jobs", "job", Count, "job"),
    ("people", "person", Count, "person"),
    ("employees", "employee", Count, "employee"),
    ("staff", "staff", Count, "employee"),
    ("workers", "worker", Count, "worker"),
    ("engineers", "engineer", Count, "engineer"),
    ("customers", "customer", Count, "customer"),
    ("users", "user", Count, "user"),
    ("companies", "company", Count, "company"),
    ("firms", "firm", Count, "company"),
    ("entities", "entity", Count, "entity"),
    ("shares", "share", Count, "share"),
    ("patents", "patent", Count, "patent"),
    ("transistors", "transistor", Count, "transistor"),
    ("cores", "core", Count, "core"),
    ("qubits", "qubit", Count, "qubit"),
    ("parameters", "parameter", Count, "parameter"),
    ("tokens", "token", Count, "token"),
    ("homes", "home", Count, "home"),
    ("households", "household", Count, "household"),
];

/// The unit right behind a number that ends at `end`, with at most a space or a hyphen between.
pub(super) fn behind(text: Text<'_>, end: usize) -> Option<Unit> {
    let hyphen = text.ch(end) == '-';
    let at = if hyphen { end + 1 } else { text.skip_space(end) };
    let found = |kind, name, to| Some(Unit { kind, name, to });
    if text.ch(at) == '%' && !hyphen {
        return found(Share, "percent", at + 1);
    }
    for (symbol, kind, name) in SYMBOLS {
        if let Some(to) = text.literal(at, symbol)
            && !goes_on(text.ch(to))
            && !(text.ch(to) == '/' && text.ch(to + 1).is_ascii_alphabetic() && !symbol.ends_with("/s"))
        {
            // A square millimetre is no millimetre.
            return if text.ch(to) == crate::view::BREAK { None } else { found(*kind, name, to) };
        }
    }
    let first = text.ch(at);
    for (phrase, kind, name) in PHRASES.iter().filter(|(phrase, ..)| phrase.starts_with(first)) {
        if let Some(to) = text.literal(at, phrase)
            && !goes_on(text.ch(to))
        {
            return found(*kind, name, to);
        }
    }
    let unit = word(text, at)?;
    let is_age = matches!(unit.kind, Duration) && is_age(text, unit.to);
    (!is_age).then_some(unit)
}

/// The word of a unit at `at`.
pub(super) fn word(text: Text<'_>, at: usize) -> Option<Unit> {
    let (word, to) = text.word(at);
    if word.len() < 3 && word != "pc" {
        return None;
    }
    let (_, _, kind, name) = {
        let first = word.as_bytes().first();
        let mut likely = WORDS.iter().filter(|(plural, ..)| plural.as_bytes().first() == first);
        likely.find(|(plural, singular, ..)| *plural == word || *singular == word)?
    };
    Some(Unit { kind: *kind, name, to })
}

/// Whether `-old` or ` old` follows: how old someone is, is no length of time that is told of.
fn is_age(text: Text<'_>, at: usize) -> bool {
    matches!(text.ch(at), ' ' | '-') && text.word(at + 1).0 == "old"
}

/// What an amount is counted by.
const PER: &[(&str, &str)] = &[
    ("month", "month"),
    ("year", "year"),
    ("annum", "year"),
    ("week", "week"),
    ("day", "day"),
    ("hour", "hour"),
    ("quarter", "quarter"),
    ("second", "second"),
    ("share", "share"),
    ("unit", "unit"),
    ("chip", "chip"),
    ("gpu", "GPU"),
    ("wafer", "wafer"),
    ("server", "server"),
    ("rack", "rack"),
    ("person", "person"),
];

/// What the amount that ends at `end` is counted by: `a month`, `per share`, `each`, `/month`. Not "a year ago".
pub(super) fn per(text: Text<'_>, end: usize) -> Option<&'static str> {
    let by = |at: usize| {
        let (word, to) = text.word(at);
        let (next, _) = text.word(text.skip_space(to));
        let (_, name) = PER.iter().find(|(other, _)| *other == word)?;
        (!matches!(next.as_str(), "ago" | "earlier" | "later" | "before" | "after")).then_some(*name)
    };
    if text.ch(end) == '/' {
        return by(end + 1);
    }
    if text.ch(end) != ' ' {
        return None;
    }
    let (word, to) = text.word(end + 1);
    match word.as_str() {
        "a" | "an" | "per" | "every" => by(text.skip_space(to)),
        "each" => by(text.skip_space(to)).or(Some("unit")),
        "apiece" => Some("unit"),
        "monthly" => Some("month"),
        "annually" | "yearly" => Some("year"),
        "daily" => Some("day"),
        "weekly" => Some("week"),
        _ => None,
    }
}

/// Whether `ch` goes on a unit of Latin letters; a letter of another script may follow one without a space.
fn goes_on(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || matches!(ch, '\u{C0}'..='\u{24F}')
}
