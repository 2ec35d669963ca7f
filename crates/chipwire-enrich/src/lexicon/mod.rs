//! Words of the language, as opposed to names: what the tagger knows of English, Korean and how companies are called.

pub(crate) mod han;
mod persons;

pub(crate) use self::persons::{is_given_name, is_title};

/// Words of a legal form after a company's name, in lower case. They count only with a capital or in capitals, `plc` apart.
const LEGAL_FORMS: &[&str] = &[
    "ab",
    "ag",
    "asa",
    "bhd",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "gmbh",
    "group",
    "holding",
    "holdings",
    "inc",
    "incorporated",
    "kg",
    "kgaa",
    "kk",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "nv",
    "oy",
    "oyj",
    "plc",
    "pte",
    "pty",
    "sa",
    "se",
    "spa",
];

/// Those of them that are company evidence by themselves: nothing else is called so.
const FIRM_FORMS: &[&str] = &["co", "corp", "corporation", "inc", "incorporated", "llc", "ltd", "plc"];

/// Abbreviations after which a full stop does not end a sentence, in lower case.
const ABBREVIATIONS: &[&str] = &[
    "adm", "apr", "aug", "capt", "co", "col", "corp", "cos", "dec", "dept", "dr", "est", "feb", "fig", "gen", "gov",
    "inc", "jan", "jr", "jul", "jun", "lt", "ltd", "maj", "mar", "messrs", "mr", "mrs", "ms", "mt", "no", "nos", "nov",
    "oct", "prof", "rep", "rev", "sen", "sep", "sept", "sgt", "sr", "st", "u.s", "vs",
];

/// What may follow a name after a hyphen without changing what is named: `Arm-based`.
const SUFFIXES: &[&str] = &[
    "affiliated",
    "approved",
    "backed",
    "based",
    "branded",
    "built",
    "centric",
    "class",
    "compatible",
    "controlled",
    "designed",
    "developed",
    "driven",
    "equipped",
    "exclusive",
    "focused",
    "friendly",
    "funded",
    "inspired",
    "invested",
    "led",
    "level",
    "like",
    "linked",
    "made",
    "managed",
    "manufactured",
    "only",
    "optimised",
    "optimized",
    "origin",
    "owned",
    "powered",
    "produced",
    "ready",
    "related",
    "run",
    "specific",
    "style",
    "supplied",
    "supported",
    "targeted",
    "type",
];

/// What Korean writes behind a noun without a space.
const PARTICLES: &[&str] = &[
    "가",
    "계",
    "과",
    "과는",
    "과의",
    "까지",
    "까지는",
    "는",
    "도",
    "라고",
    "라는",
    "라며",
    "란",
    "로",
    "로는",
    "로부터",
    "로서",
    "로서는",
    "로선",
    "를",
    "마저",
    "만",
    "만큼",
    "만큼의",
    "발",
    "보다",
    "보다는",
    "부터",
    "부터는",
    "뿐",
    "산",
    "에",
    "에게",
    "에게서",
    "에는",
    "에도",
    "에서",
    "에서는",
    "에서도",
    "에선",
    "와",
    "와는",
    "와의",
    "용",
    "으로",
    "으로는",
    "으로부터",
    "으로서",
    "으로서는",
    "으로선",
    "은",
    "을",
    "의",
    "이",
    "이고",
    "이나",
    "이라고",
    "이라는",
    "이란",
    "이며",
    "제",
    "조차",
    "처럼",
    "측",
    "측은",
    "측이",
    "향",
];

/// Ends of host names that are not also ends of sentences or of company names in running text.
const TOP_LEVEL_DOMAINS: &[&str] = &[
    "ai", "biz", "ch", "cn", "co", "com", "de", "edu", "eu", "fr", "gov", "hk", "info", "int", "io", "jp", "kr", "mil",
    "net", "nl", "org", "ru", "sg", "tv", "tw", "uk", "us",
];

/// States and unions by what tells that they are meant, for names that several of them use.
pub(crate) const COUNTRIES: &[(&str, &[&str])] = &[
    (
        "US",
        &[
            "u.s.",
            "usa",
            "united states",
            "america",
            "american",
            "washington",
            "white house",
            "biden",
            "trump",
            "obama",
            "reagan",
            "commerce department",
            "department of commerce",
            "bureau of industry and security",
            "congress",
            "senate",
            "pentagon",
            "美国",
            "美國",
            "美方",
            "白宫",
        ],
    ),
    (
        "CN",
        &[
            "china",
            "chinese",
            "beijing",
            "mofcom",
            "prc",
            "xi jinping",
            "中国",
            "中國",
            "中方",
            "我国",
            "北京",
            "商务部",
            "商務部",
        ],
    ),
    ("JP", &["japan", "japanese", "tokyo", "meti", "日本", "経産省"]),
    ("KR", &["south korea", "korea", "korean", "seoul", "south korean", "韩国", "韓國", "한국", "정부"]),
    ("NL", &["netherlands", "dutch", "the hague", "荷兰", "荷蘭"]),
    ("EU", &["eu", "e.u.", "european", "europe", "european union", "brussels", "欧盟", "歐盟"]),
    ("TW", &["taiwan", "taiwanese", "taipei", "台湾", "台灣"]),
    ("UK", &["uk", "britain", "british", "london", "whitehall", "foreign secretary", "downing street", "ofsi"]),
    ("DE", &["germany", "german", "berlin"]),
    ("IN", &["india", "indian", "new delhi"]),
    ("RU", &["russia", "russian", "moscow"]),
    ("MY", &["malaysia", "malaysian", "kuala lumpur"]),
    ("SG", &["singapore"]),
    ("BR", &["brazil", "brazilian"]),
    ("AR", &["argentina", "argentine"]),
    ("ID", &["indonesia", "indonesian"]),
    ("AU", &["australia", "australian"]),
    ("CA", &["canada", "canadian"]),
    ("FR", &["france", "french", "paris"]),
    ("IT", &["italy", "italian"]),
    ("ES", &["spain", "spanish"]),
    ("MX", &["mexico", "mexican"]),
    ("TH", &["thailand", "thai", "bangkok"]),
    ("VN", &["vietnam", "vietnamese", "hanoi"]),
    ("PH", &["philippines", "philippine", "manila"]),
    ("PK", &["pakistan", "pakistani"]),
    ("BD", &["bangladesh"]),
    ("TR", &["turkey", "turkish", "ankara"]),
    ("SA", &["saudi", "saudi arabia", "riyadh"]),
    ("AE", &["uae", "emirates", "abu dhabi", "dubai"]),
    ("IR", &["iran", "iranian", "tehran"]),
    ("IQ", &["iraq", "iraqi", "baghdad"]),
    ("EG", &["egypt", "egyptian", "cairo"]),
    ("NG", &["nigeria", "nigerian"]),
    ("ZA", &["south africa", "south african"]),
    ("NZ", &["new zealand"]),
    ("UA", &["ukraine", "ukrainian", "kyiv"]),
    ("IL", &["israel", "israeli"]),
];

/// Words after which a country is what a rule is aimed at, not whose rule it is.
const AIMED_AT: &[&str] = &["on", "to", "against", "toward", "towards", "into", "for", "in", "对", "對", "向"];

/// Words between the last two things of a list.
const AND: &[&str] = &["and", "or", "plus", "和", "与", "與", "及", "と", "や", "와", "과", "및"];

/// Words before a noun that say no more of it than which.
const DETERMINERS: &[&str] = &["a", "an", "that", "the", "this"];

/// Words that begin a sentence, and what they have a capital for.
const OPENERS: &[&str] = &[
    "although",
    "and",
    "as",
    "because",
    "but",
    "earlier",
    "if",
    "last",
    "later",
    "meanwhile",
    "since",
    "so",
    "today",
    "when",
    "while",
    "yesterday",
];

/// Parts of a body that are called after it.
const COMMITTEES: &[&str] = &["committee", "committees", "panel", "subcommittee", "subcommittees"];

/// Capitalised words before and behind a name that are no part of it.
const CALENDAR: &[&str] = &[
    "april",
    "august",
    "december",
    "february",
    "friday",
    "january",
    "july",
    "june",
    "march",
    "may",
    "monday",
    "november",
    "october",
    "saturday",
    "september",
    "sunday",
    "thursday",
    "tuesday",
    "wednesday",
];

/// Those who speak for an office, behind its name.
const OFFICES: &[&str] = &[
    "assistant",
    "chief",
    "commissioner",
    "deputy",
    "lawyers",
    "minister",
    "officer",
    "official",
    "officials",
    "president",
    "secretary",
    "spokesman",
    "spokesperson",
    "spokeswoman",
    "staff",
    "under",
    "undersecretary",
    "vice",
];

/// What stands behind the name of an office, and not behind the word that it looks like.
const ACTS: &[&str] = &[
    "added",
    "adds",
    "adopted",
    "adopts",
    "allowed",
    "allows",
    "amended",
    "amends",
    "announced",
    "announces",
    "approved",
    "approves",
    "argued",
    "asked",
    "asks",
    "awarded",
    "awards",
    "backed",
    "backs",
    "banned",
    "bans",
    "barred",
    "bars",
    "blacklisted",
    "blacklists",
    "blocked",
    "blocks",
    "cancelled",
    "cancels",
    "charged",
    "charges",
    "cleared",
    "clears",
    "closed",
    "closes",
    "confirmed",
    "considers",
    "curbed",
    "curbs",
    "cut",
    "cuts",
    "declined",
    "deferred",
    "defers",
    "delayed",
    "delays",
    "denied",
    "designated",
    "designates",
    "drafts",
    "dropped",
    "drops",
    "eased",
    "eases",
    "ended",
    "ends",
    "expanded",
    "expands",
    "extended",
    "extends",
    "finalised",
    "finalises",
    "finalized",
    "finalizes",
    "fined",
    "fines",
    "gave",
    "gives",
    "granted",
    "grants",
    "had",
    "halted",
    "halts",
    "has",
    "hikes",
    "hit",
    "hits",
    "imposed",
    "imposes",
    "investigates",
    "issued",
    "issues",
    "keeps",
    "launched",
    "launches",
    "lifted",
    "lifts",
    "limits",
    "loosened",
    "loosens",
    "moved",
    "moves",
    "narrows",
    "officials",
    "opened",
    "opens",
    "ordered",
    "orders",
    "paused",
    "pauses",
    "penalised",
    "penalizes",
    "picks",
    "planned",
    "plans",
    "probed",
    "probes",
    "proposed",
    "proposes",
    "published",
    "publishes",
    "pushes",
    "raised",
    "raises",
    "readies",
    "rejected",
    "rejects",
    "released",
    "releases",
    "removed",
    "removes",
    "required",
    "requires",
    "rescinded",
    "rescinds",
    "restricts",
    "reviews",
    "revised",
    "revises",
    "revoked",
    "revokes",
    "rolls",
    "ruled",
    "rules",
    "said",
    "sanctioned",
    "sanctions",
    "says",
    "scrapped",
    "scraps",
    "seeks",
    "sets",
    "signals",
    "slaps",
    "sought",
    "strips",
    "sued",
    "sues",
    "suspended",
    "suspends",
    "takes",
    "targeted",
    "targets",
    "tells",
    "threatened",
    "threatens",
    "tightened",
    "tightens",
    "told",
    "took",
    "unveiled",
    "unveils",
    "urged",
    "urges",
    "waived",
    "waives",
    "wants",
    "warned",
    "warns",
    "weighed",
    "weighs",
    "widens",
    "will",
    "withdraws",
    "withdrew",
    "would",
    "wrote",
];

pub(crate) fn is_and(word: &str) -> bool {
    AND.contains(&word)
}

pub(crate) fn is_determiner(word: &str) -> bool {
    DETERMINERS.contains(&word)
}

pub(crate) fn is_opener(word: &str) -> bool {
    OPENERS.contains(&word)
}

pub(crate) fn is_committee(word: &str) -> bool {
    COMMITTEES.contains(&word)
}

pub(crate) fn is_calendar(word: &str) -> bool {
    CALENDAR.contains(&word)
}

pub(crate) fn is_office(word: &str) -> bool {
    OFFICES.contains(&word)
}

pub(crate) fn is_act(word: &str) -> bool {
    ACTS.contains(&word)
}

pub(crate) fn is_legal_form(word: &str) -> bool {
    LEGAL_FORMS.contains(&word)
}

pub(crate) fn is_firm_form(word: &str) -> bool {
    FIRM_FORMS.contains(&word)
}

pub(crate) fn is_abbreviation(word: &[u8]) -> bool {
    word.len() <= 8 && is_packed_abbreviation([packed(word), 0])
}

/// The same of a word that is two numbers, the second for the bytes behind the first eight.
pub(crate) fn is_packed_abbreviation([word, more]: [u64; 2]) -> bool {
    const PACKED: [u64; ABBREVIATIONS.len()] = packed_all();
    // A word stands at the end of each sentence, and most are told by one bit to be none of these.
    (MARKS >> mark(word)) & 1 != 0 && more == 0 && PACKED.contains(&word)
}

/// A Bloom filter of one hash: a bit for each abbreviation, at its [`mark`].
const MARKS: u128 = marks();

/// One of 128 places for a word.
const fn mark(word: u64) -> u32 {
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - u128::BITS.ilog2())) as u32
}

const fn marks() -> u128 {
    let packed: [u64; ABBREVIATIONS.len()] = packed_all();
    let mut rest: &[u64] = &packed;
    let mut marks = 0;
    while let [word, others @ ..] = rest {
        marks |= 1 << mark(*word);
        rest = others;
    }
    marks
}

/// A word of at most eight bytes as one number, whose lowest byte comes first.
pub(crate) const fn packed(word: &[u8]) -> u64 {
    let (mut rest, mut number) = (word, 0);
    while let [others @ .., last] = rest {
        number = number << 8 | *last as u64;
        rest = others;
    }
    number
}

const fn packed_all() -> [u64; ABBREVIATIONS.len()] {
    let mut all = [0; ABBREVIATIONS.len()];
    let (mut rest, mut open): (&[&str], &mut [u64]) = (ABBREVIATIONS, &mut all);
    while let ([word, words @ ..], [slot, slots @ ..]) = (rest, open) {
        *slot = packed(word.as_bytes());
        (rest, open) = (words, slots);
    }
    all
}

pub(crate) fn is_suffix(word: &str) -> bool {
    SUFFIXES.contains(&word)
}

pub(crate) fn is_particle(text: &str) -> bool {
    PARTICLES.contains(&text)
}

pub(crate) fn is_top_level_domain(word: &str) -> bool {
    TOP_LEVEL_DOMAINS.contains(&word)
}

/// Whether `words` name a country, its government, or a place that has rules of its own.
pub(crate) fn is_place(words: &str) -> bool {
    COUNTRIES.iter().any(|(_, phrases)| phrases.contains(&words)) || matches!(words, "hong kong" | "macau" | "macao")
}

pub(crate) fn aims_at(word: &str) -> bool {
    AIMED_AT.contains(&word)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_searched_by_halves_is_sorted() {
        assert!(super::ABBREVIATIONS.is_sorted());
    }

    #[test]
    fn abbreviations_are_told_from_other_words() {
        assert!(super::ABBREVIATIONS.iter().all(|word| super::is_abbreviation(word.as_bytes())));
        let others = ["", "said", "year", "1986", "corporate", "in", "companyinc"];
        assert!(!others.iter().any(|word| super::is_abbreviation(word.as_bytes())));
    }
}
