//! Units other than money: what stands behind a number.

use std::sync::LazyLock;

use chipwire_events::AmountKind;
use rust_decimal::Decimal;

use super::{
    number::Number,
    text::{Literals, Table, Text},
};

/// A unit where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) kind: AmountKind,
    pub(super) name: &'static str,
    /// It counts tens of it: 三成 are 30 percent.
    pub(super) tens: bool,
    /// One past its last unit of text.
    pub(super) to: usize,
}

use AmountKind::{Count, Duration, Measure, Share};

/// Symbols, which have one way to be written.
static SYMBOLS: LazyLock<Table<(AmountKind, &str)>> = LazyLock::new(|| {
    let same = [
        "TFLOPS", "PFLOPS", "EFLOPS", "TOPS", "TWh", "GWh", "MWh", "kWh", "Wh", "mAh", "TW", "GW", "MW", "kW", "W",
        "mW", "EB", "PB", "TB", "GB", "MB", "KB", "Pb", "Tb", "Gb", "Mb", "THz", "GHz", "MHz", "kHz", "Hz", "nm", "mm",
        "cm", "km", "kg", "mg", "ml", "mA", "µA", "V", "kV", "mV", "ns", "µs", "IOPS", "fps", "bhp", "mpg", "dB", "eV",
        "Pa", "TEU", "ha",
    ];
    let named = [
        ("Tbps", (Measure, "Tb/s")),
        ("Gbps", (Measure, "Gb/s")),
        ("Mbps", (Measure, "Mb/s")),
        ("KW", (Measure, "kW")),
        ("Nm", (Measure, "nm")),
        ("NM", (Measure, "nm")),
        ("MPH", (Measure, "mph")),
        ("mph", (Measure, "mph")),
        ("FPS", (Measure, "fps")),
        ("μm", (Measure, "µm")),
        ("µm", (Measure, "µm")),
        ("um", (Measure, "µm")),
        ("μA", (Measure, "µA")),
        ("μs", (Measure, "µs")),
        ("ms", (Duration, "millisecond")),
        ("ft", (Measure, "foot")),
        ("lb", (Measure, "pound")),
        ("lbs", (Measure, "pound")),
        ("oz", (Measure, "ounce")),
        ("gig", (Measure, "GB")),
        ("gigs", (Measure, "GB")),
        ("hrs", (Duration, "hour")),
        ("hr", (Duration, "hour")),
        ("yrs", (Duration, "year")),
        ("yr", (Duration, "year")),
        ("mins", (Duration, "minute")),
        ("min", (Duration, "minute")),
        ("secs", (Duration, "second")),
        ("sec", (Duration, "second")),
        ("bps", (Share, "basis point")),
        ("bp", (Share, "basis point")),
        ("pct", (Share, "percent")),
        ("pc", (Count, "PC")),
        ("pp", (Share, "percentage point")),
        ("ppt", (Share, "percentage point")),
        ("ppts", (Share, "percentage point")),
        ("pts", (Count, "point")),
        ("wpm", (Count, "wafer")),
    ];
    Table::new(same.into_iter().map(|name| (name, (Measure, name))).chain(named))
});

/// Symbols that go on behind `/s`.
static RATES: LazyLock<Table<&str>> = LazyLock::new(|| {
    Table::new([
        ("PB", "PB/s"),
        ("TB", "TB/s"),
        ("GB", "GB/s"),
        ("MB", "MB/s"),
        ("Pb", "Pb/s"),
        ("Tb", "Tb/s"),
        ("Gb", "Gb/s"),
        ("Mb", "Mb/s"),
        ("GT", "GT/s"),
        ("MT", "MT/s"),
        ("m", "m/s"),
    ])
});

/// Units of several words, and with signs; the first word is looked up alone before.
static PHRASES: LazyLock<Literals<(AmountKind, &str)>> = LazyLock::new(|| {
    Literals::by_first([
        ("percentage points", (Share, "percentage point")),
        ("percentage point", (Share, "percentage point")),
        ("percentage-point", (Share, "percentage point")),
        ("basis points", (Share, "basis point")),
        ("basis point", (Share, "basis point")),
        ("basis-point", (Share, "basis point")),
        ("per cent", (Share, "percent")),
        ("per cento", (Share, "percent")),
        ("pour cent", (Share, "percent")),
        ("por ciento", (Share, "percent")),
        ("square feet", (Measure, "square foot")),
        ("square foot", (Measure, "square foot")),
        ("square metres", (Measure, "m²")),
        ("square meters", (Measure, "m²")),
        ("square-foot", (Measure, "square foot")),
        ("square-metre", (Measure, "m²")),
        ("square-meter", (Measure, "m²")),
        ("square kilometres", (Measure, "km²")),
        ("square kilometers", (Measure, "km²")),
        ("square miles", (Measure, "square mile")),
        ("square millimetres", (Measure, "mm²")),
        ("square millimeters", (Measure, "mm²")),
        ("cubic metres", (Measure, "m³")),
        ("cubic meters", (Measure, "m³")),
        ("cubic feet", (Measure, "cubic foot")),
        ("sq ft", (Measure, "square foot")),
        ("sq m", (Measure, "m²")),
        ("metric tons", (Measure, "t")),
        ("metric tonnes", (Measure, "t")),
        ("frames per second", (Measure, "fps")),
        ("miles per hour", (Measure, "mph")),
        ("kilometres per hour", (Measure, "km/h")),
        ("kilometers per hour", (Measure, "km/h")),
        ("km/h", (Measure, "km/h")),
        ("mm2", (Measure, "mm²")),
        ("cm2", (Measure, "cm²")),
        ("km2", (Measure, "km²")),
        ("m2", (Measure, "m²")),
        ("°C", (Measure, "°C")),
        ("°F", (Measure, "°F")),
        ("degrees Celsius", (Measure, "°C")),
        ("degrees Fahrenheit", (Measure, "°F")),
        ("degrees C", (Measure, "°C")),
        ("degrees", (Measure, "degree")),
    ])
});

/// Units and counters of East Asian text, where nothing that goes on a word follows them.
static EAST_ASIAN: LazyLock<Literals<(AmountKind, &str)>> = LazyLock::new(|| {
    let mut all = Vec::new();
    let lists: &[(AmountKind, &'static str, &[&'static str])] = &[
        (Share, "percent", &["パーセント", "ポイント増", "퍼센트", "프로", "巴仙"]),
        (Share, "percentage point", &["个百分点", "個百分點", "百分点", "百分點", "%포인트", "포인트", "ポイント"]),
        (Share, "basis point", &["个基点", "個基點", "基点", "基點"]),
        (Duration, "month", &["个月", "個月", "か月", "カ月", "ヶ月", "ヵ月", "ケ月", "箇月", "개월"]),
        (Duration, "quarter", &["个季度", "個季度", "個季", "季"]),
        (Duration, "week", &["周间", "週間", "周", "週", "주간", "個星期", "个星期"]),
        (
            Duration,
            "day",
            &[
                "天",
                "日间",
                "日間",
                "日内",
                "日內",
                "日以内",
                "日以內",
                "일간",
                "個工作天",
                "个工作日",
                "営業日",
                "영업일",
            ],
        ),
        (Duration, "hour", &["小时", "小時", "个小时", "個小時", "時間", "시간"]),
        (Duration, "minute", &["分钟", "分鐘", "分間", "분간"]),
        (Duration, "second", &["秒", "秒間"]),
        (Duration, "year", &["年间", "年間", "年期", "年徒刑", "年以上", "年以下", "年", "년간", "년"]),
        (Measure, "nm", &["纳米", "納米", "奈米", "ナノメートル", "ナノ", "나노미터", "나노"]),
        (Measure, "µm", &["微米", "マイクロメートル", "마이크로미터"]),
        (Measure, "mm", &["毫米", "公釐", "ミリメートル", "ミリ", "밀리미터", "밀리"]),
        (Measure, "cm", &["厘米", "公分", "センチメートル", "センチ", "센티미터"]),
        (Measure, "km", &["公里", "千米", "キロメートル", "킬로미터"]),
        (Measure, "m", &["メートル", "미터", "公尺"]),
        (Measure, "kg", &["公斤", "千克", "キログラム", "킬로그램"]),
        (Measure, "g", &["グラム", "그램"]),
        (Measure, "t", &["吨", "噸", "公吨", "公噸", "トン", "톤"]),
        (Measure, "inch", &["英寸", "英吋", "吋", "インチ", "인치"]),
        (Measure, "m²", &["平方米", "平米", "平方公尺", "平方メートル", "제곱미터", "㎡"]),
        (Measure, "km²", &["平方公里", "平方キロメートル"]),
        (Measure, "ha", &["公顷", "公頃", "ヘクタール", "헥타르"]),
        (Measure, "mu", &["亩", "畝"]),
        (Measure, "ping", &["坪", "평"]),
        (Measure, "acre", &["英亩", "英畝", "エーカー", "에이커"]),
        (Measure, "GW", &["吉瓦", "百万千瓦", "ギガワット", "기가와트"]),
        (Measure, "MW", &["兆瓦", "メガワット", "메가와트"]),
        (Measure, "kW", &["千瓦", "キロワット", "킬로와트"]),
        (Measure, "W", &["瓦", "ワット", "와트"]),
        (Measure, "kWh", &["千瓦时", "千瓦時", "度电", "度電", "キロワット時", "킬로와트시"]),
        (Measure, "V", &["伏", "ボルト", "볼트"]),
        (Measure, "GB", &["ギガバイト", "기가바이트", "기가"]),
        (Measure, "TB", &["テラバイト", "테라바이트", "테라"]),
        (Measure, "EFLOPS", &["エクサフロップス"]),
        (Measure, "PFLOPS", &["ペタフロップス", "페타플롭스"]),
        (Measure, "TFLOPS", &["テラフロップス", "테라플롭스"]),
        (Measure, "GHz", &["ギガヘルツ", "기가헤르츠", "吉赫"]),
        (Measure, "°C", &["℃", "摄氏度", "攝氏度"]),
        (Count, "wafer", &["片晶圆", "片晶圓", "万片晶圆"]),
        (Count, "piece", &["片", "枚", "张", "張", "장", "件", "個入り"]),
        (Count, "chip", &["颗芯片", "枚芯片", "顆晶片", "颗", "顆"]),
        (Count, "unit", &["台", "臺", "部", "辆", "輛", "基", "套", "组", "組", "대", "个", "個", "개", "ユニット"]),
        (Count, "person", &["人", "名", "명", "인"]),
        (Count, "company", &["家公司", "家企业", "家企業", "家", "社", "개사", "개 회사", "개 기업", "개 업체"]),
        (Count, "organisation", &["团体", "団体", "機関", "机构"]),
        (Count, "place", &["カ所", "か所", "ヶ所", "箇所", "곳", "처"]),
        (Count, "country", &["カ国", "か国", "ヶ国", "개국", "个国家", "個國家"]),
        (Count, "share", &["股", "株"]),
        (
            Count,
            "item",
            &["項目", "品目", "项", "項", "品种", "種類", "种", "種", "款", "종", "건", "條", "条", "品種"],
        ),
        (Count, "time", &["次", "回", "회", "번"]),
        (Count, "layer", &["层", "層", "층", "단"]),
        (Count, "rack", &["櫃", "机柜", "機櫃", "ラック"]),
        (Count, "vote", &["票", "표"]),
        (Count, "point", &["点", "點"]),
        (Count, "case", &["宗", "起案件"]),
        (Count, "ship", &["艘", "隻", "척"]),
        (Count, "box", &["箱"]),
        (Count, "order", &["单", "單"]),
        (Count, "animal", &["匹", "마리", "头牛"]),
        (Count, "slice", &["切れ"]),
        (Count, "step", &["단계", "工程分"]),
        (Count, "building", &["棟", "座", "栋"]),
    ];
    for (kind, name, words) in lists {
        all.extend(words.iter().map(|word| (*word, (*kind, *name))));
    }
    Literals::by_first(all)
});

/// What may not follow a counter: it begins another word then.
const OTHERWISE: &[(&str, &str)] = &[
    ("季", "度节"),
    ("周", "年刊边邊報报"),
    ("週", "年刊邊報"),
    ("天", "津河"),
    ("年", "月度第上下前后後初末底代春夏秋冬Q0123456789级級产產産生款来來"),
    ("년", "0123456789 대도"),
    ("台", "积積湾灣北币幣南中州"),
    ("臺", "積灣北幣南中"),
    ("家", "族电電用庭"),
    ("名", "单單义義牌为為古屋"),
    ("人", "民工类類均气氣"),
    ("股", "份东東价價市"),
    ("株", "式価洲"),
    ("点", "钟鐘半整分前后後左右多到至"),
    ("點", "鐘半整分前後左右多到至"),
    ("次", "世长長级級元"),
    ("回", "升落调調答路报報到"),
    ("个", "股人"),
    ("個", "股人"),
    ("개", "월발"),
    ("대", "비"),
    ("인", "치공당"),
    ("部", "门門分长長屋"),
    ("单", "位"),
    ("單", "位季月日晶"),
    ("基", "于於地金本点點"),
    ("社", "会會长長区"),
    ("座", "谈談"),
    ("組", "織合み"),
    ("组", "织合"),
    ("條", "件例"),
    ("条", "件例"),
    ("項", "目"),
    ("张", "江"),
    ("장", "기"),
    ("單", "位"),
    ("款", "项項"),
    ("种", "子"),
    ("瓦", "斯时時"),
    ("度", ""),
];

/// Words of English in small letters: plural and singular.
const WORDS: &[(&str, &str, AmountKind, &str)] = &[
    ("percent", "percent", Share, "percent"),
    ("prozent", "prozentige", Share, "percent"),
    ("procent", "procents", Share, "percent"),
    ("prozentpunkte", "prozentpunkten", Share, "percentage point"),
    ("feet", "foot", Measure, "foot"),
    ("metres", "metre", Measure, "m"),
    ("meters", "meter", Measure, "m"),
    ("centimetres", "centimetre", Measure, "cm"),
    ("centimeters", "centimeter", Measure, "cm"),
    ("microns", "micron", Measure, "µm"),
    ("micrometers", "micrometer", Measure, "µm"),
    ("yards", "yard", Measure, "yard"),
    ("volts", "volt", Measure, "V"),
    ("kilovolts", "kilovolt", Measure, "kV"),
    ("amperes", "ampere", Measure, "A"),
    ("amps", "amp", Measure, "A"),
    ("milliamps", "milliamp", Measure, "mA"),
    ("decibels", "decibel", Measure, "dB"),
    ("horsepower", "hp", Measure, "hp"),
    ("grams", "gram", Measure, "g"),
    ("grammes", "gramme", Measure, "g"),
    ("kilograms", "kilogram", Measure, "kg"),
    ("kilos", "kilo", Measure, "kg"),
    ("litres", "litre", Measure, "l"),
    ("liters", "liter", Measure, "l"),
    ("gallons", "gallon", Measure, "gallon"),
    ("ounces", "ounce", Measure, "ounce"),
    ("barrels", "barrel", Measure, "barrel"),
    ("bits", "bit", Measure, "bit"),
    ("bytes", "byte", Measure, "byte"),
    ("megapixels", "megapixel", Measure, "megapixel"),
    ("gigapixels", "gigapixel", Measure, "gigapixel"),
    ("nanosheets", "nanosheet", Count, "nanosheet"),
    ("nanometern", "nanómetros", Measure, "nm"),
    ("nanomètres", "nanometri", Measure, "nm"),
    ("millimetern", "millimetri", Measure, "mm"),
    ("millimètres", "milímetros", Measure, "mm"),
    ("zoll", "pouces", Measure, "inch"),
    ("pulgadas", "pollici", Measure, "inch"),
    ("gigawattstunden", "gigawattstunde", Measure, "GWh"),
    ("mégawatts", "megavatios", Measure, "MW"),
    ("gigavatios", "gigawattů", Measure, "GW"),
    ("sekunden", "secondes", Duration, "second"),
    ("minuten", "minuti", Duration, "minute"),
    ("minutos", "minuut", Duration, "minute"),
    ("stunden", "stunde", Duration, "hour"),
    ("heures", "heure", Duration, "hour"),
    ("horas", "uur", Duration, "hour"),
    ("tage", "tagen", Duration, "day"),
    ("jours", "jour", Duration, "day"),
    ("días", "giorni", Duration, "day"),
    ("dagen", "dag", Duration, "day"),
    ("wochen", "woche", Duration, "week"),
    ("semaines", "semaine", Duration, "week"),
    ("semanas", "settimane", Duration, "week"),
    ("weken", "week", Duration, "week"),
    ("monate", "monaten", Duration, "month"),
    ("meses", "mesi", Duration, "month"),
    ("maanden", "maand", Duration, "month"),
    ("mois", "monat", Duration, "month"),
    ("jahre", "jahren", Duration, "year"),
    ("ans", "années", Duration, "year"),
    ("años", "anni", Duration, "year"),
    ("jaar", "jahr", Duration, "year"),
    ("an", "anno", Duration, "year"),
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
    ("layers", "layer", Count, "layer"),
    ("pages", "page", Count, "page"),
    ("gates", "gate", Count, "gate"),
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

/// What the words of [`WORDS`] stand for, and whether it is the plural.
static SPELT: LazyLock<Table<(AmountKind, &str, bool)>> = LazyLock::new(|| {
    let both = WORDS.iter().flat_map(|(plural, singular, kind, name)| {
        let singular = (plural != singular).then_some((*singular, (*kind, *name, false)));
        [Some((*plural, (*kind, *name, true))), singular].into_iter().flatten()
    });
    Table::new(both)
});

/// The unit right behind `number`, with at most a space or a hyphen between.
pub(super) fn behind(text: Text<'_>, number: &Number) -> Option<Unit> {
    let end = number.to;
    let hyphen = text.ch(end) == '-';
    let at = if hyphen { end + 1 } else { text.skip_space(end) };
    let first = text.ch(at);
    let found = |kind, name, to| Some(Unit { kind, name, tens: false, to });
    if first == '%' && !hyphen {
        return match text.any(at + 1, &["p ", "p,", "p.", "p·", "포인트", "ポイント"]) {
            Some(_) if text.ch(at + 1) == 'p' => found(Share, "percentage point", at + 2),
            Some(to) => found(Share, "percentage point", to),
            None => found(Share, "percent", at + 1),
        };
    }
    if first >= '\u{2E80}' || first == '℃' {
        return east_asian(text, number, at);
    }
    if !(first.is_alphabetic() || first == '°') {
        return None;
    }
    let (symbol, to) = text.written(at);
    if text.ch(to) == '/' && text.ch(to + 1) == 's' && !text.ch(to + 2).is_ascii_alphanumeric() {
        return RATES.get(&symbol).and_then(|name| found(Measure, name, to + 2));
    }
    if !symbol.is_empty() {
        let divided = text.ch(to) == '/' && text.ch(to + 1).is_ascii_alphabetic();
        let grams = &*symbol == "g" && number.value >= Decimal::TEN && at == end;
        // "3.7pc" in British papers; "pcs" are pieces.
        if &*symbol == "pc" && at == end && number.scale.is_none() {
            return found(Share, "percent", to);
        }
        let ethernet = &*symbol == "G" && at == end && matches!(number.value.try_into(), Ok(100_u32 | 200 | 400 | 800));
        if grams {
            return found(Measure, "g", to);
        }
        if ethernet {
            return found(Measure, "Gb/s", to);
        }
        if let Some((kind, name)) = SYMBOLS.get(&symbol).filter(|_| !divided) {
            // A square millimetre is no millimetre.
            return if text.ch(to) == crate::view::BREAK { None } else { found(kind, name, to) };
        }
    }
    let unit = word(text, at, hyphen);
    let phrase = PHRASES.of(first).find_map(|(phrase, meant)| {
        let to = text.literal(at, phrase).filter(|to| !goes_on(text.ch(*to)))?;
        Some((meant, to))
    });
    if let Some(((kind, name), to)) = phrase.filter(|(_, to)| unit.is_none_or(|unit| unit.to < *to)) {
        return found(kind, name, to);
    }
    unit.filter(|unit| unit.kind != Duration || !is_age(text, unit.to) && !is_bond(text, unit.to))
}

/// The word of a unit at `at`; what is counted stands in the plural, or is short, or is joined to the number by a hyphen.
pub(super) fn word(text: Text<'_>, at: usize, hyphen: bool) -> Option<Unit> {
    let (word, to) = text.word(at);
    if word.len() < 2 {
        return None;
    }
    let (kind, name, plural) = SPELT.get(&word)?;
    // "2-Micron" is not so fine.
    if name == "µm" && text.ch(at).is_ascii_uppercase() {
        return None;
    }
    // "12 an hour"
    if &*word == "an" && text.before(at.saturating_sub(1)).is_ascii_digit() {
        return None;
    }
    let short = text.ch(at + 1).is_ascii_uppercase();
    let fits = plural || kind != Count || hyphen || short || matches!(&*word, "staff" | "wafer");
    fits.then_some(Unit { kind, name, tens: false, to })
}

/// The unit or counter of East Asian text at `at`.
fn east_asian(text: Text<'_>, number: &Number, at: usize) -> Option<Unit> {
    // "第3棟" is the third, not three of them.
    let before = text.before(number.from);
    if matches!(before, '第' | '제') || before == '前' && text.before(number.from.saturating_sub(1)) != '提' {
        return None;
    }
    let tens = text.any(at, &["成", "割"]).filter(|_| number.value < Decimal::TEN && number.scale.is_none());
    if let Some(to) = tens {
        let word = text.ch(to);
        let other = "立为為功本员員长長交果都熟份分績绩合り品就效色";
        return (!other.contains(word)).then_some(Unit { kind: Share, name: "percent", tens: true, to });
    }
    let ((kind, name), to) = EAST_ASIAN.at(text, at)?;
    let (last, next) = (text.before(to), text.ch(to));
    let one = to == at + 1;
    let mut forms = OTHERWISE.iter().filter(|_| one);
    if forms.any(|(counter, others)| counter.starts_with(last) && others.contains(next)) {
        return None;
    }
    let small = number.scale.is_none() && number.value < Decimal::from(25);
    let ordinal = match name {
        // A year of this century with two digits.
        "year" => number.is_year() || one && (!small || matches!(text.before(number.from), '和' | '成' | '国' | '國')),
        // A time of the day, or a stage.
        "point" => small,
        "step" => number.value < Decimal::TEN,
        "minute" if one => true,
        _ => false,
    };
    (!ordinal && !goes_on_east_asian(next, kind)).then_some(Unit { kind, name, tens: false, to })
}

/// Whether `ch` goes on a symbol that was found in East Asian text: none does but a digit behind a length of time.
fn goes_on_east_asian(ch: char, kind: AmountKind) -> bool {
    kind == Duration && ch.is_ascii_digit()
}

/// Whether a loan is meant, not how long something takes: "the 10-year yield".
fn is_bond(text: Text<'_>, at: usize) -> bool {
    text.ch(at) == ' '
        && matches!(
            &*text.word(at + 1).0,
            "treasury"
                | "treasuries"
                | "yield"
                | "yields"
                | "bond"
                | "bonds"
                | "note"
                | "notes"
                | "bund"
                | "gilt"
                | "jgb"
        )
}

/// Whether `-old` or ` old` follows: how old someone is, is no length of time that is told of.
fn is_age(text: Text<'_>, at: usize) -> bool {
    matches!(text.ch(at), ' ' | '-') && &*text.word(at + 1).0 == "old"
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
        let (_, name) = PER.iter().find(|(other, _)| **other == *word)?;
        (!matches!(&*next, "ago" | "earlier" | "later" | "before" | "after")).then_some(*name)
    };
    if text.ch(end) == '/' {
        return match text.ch(end + 1) {
            '月' | '월' => Some("month"),
            '年' | '년' => Some("year"),
            '日' | '天' | '일' => Some("day"),
            '周' | '週' => Some("week"),
            _ => by(end + 1),
        };
    }
    if text.ch(end) != ' ' {
        return None;
    }
    let (word, to) = text.word(end + 1);
    match &*word {
        "a" if &*text.word(text.skip_space(to)).0 == "pop" => Some("unit"),
        "a" | "an" | "per" | "every" => by(text.skip_space(to)),
        "each" => by(text.skip_space(to)).or(Some("unit")),
        "apiece" => Some("unit"),
        "par" | "pro" => by(text.skip_space(to)),
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
