//! Records held against a gazetteer.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{super::Fact, Format, Record, write};
use crate::{
    gazetteer::{EntityDef, Exchange, Gazetteer, Mode, VENDOR_KIND, check, normal_code},
    lexicon,
    matcher::Form,
};

/// Exchanges by the names that open data has for them, in lower case.
const EXCHANGES: &[(&str, &str)] = &[
    ("nasdaq stock market", "NASDAQ"),
    ("new york stock exchange", "NYSE"),
    ("nyse american", "AMEX"),
    ("hong kong stock exchange", "HKEX"),
    ("hong kong exchanges and clearing", "HKEX"),
    ("shanghai stock exchange", "SSE"),
    ("shenzhen stock exchange", "SZSE"),
    ("tokyo stock exchange", "TSE"),
    ("taiwan stock exchange", "TWSE"),
    ("taipei exchange", "TPEX"),
    ("korea exchange", "KRX"),
    ("korea stock exchange", "KRX"),
    ("euronext amsterdam", "AMS"),
    ("amsterdam stock exchange", "AMS"),
    ("euronext paris", "EPA"),
    ("frankfurt stock exchange", "FRA"),
    ("london stock exchange", "LSE"),
    ("six swiss exchange", "SIX"),
    ("toronto stock exchange", "TSX"),
    ("australian securities exchange", "ASX"),
    ("national stock exchange of india", "NSE"),
    ("bombay stock exchange", "BSE"),
];

/// Something in which a file contradicts the gazetteer, or itself. The gazetteer stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The name in the file.
    pub name: String,
    /// What contradicts what.
    pub problem: String,
}

/// What came of an import.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The file of an overlay.
    pub toml: String,
    /// Entities that it adds.
    pub added: usize,
    /// Entities that it changes.
    pub changed: usize,
    /// Companies that are there with all that the file says.
    pub unchanged: usize,
    /// What was left out.
    pub conflicts: Vec<Conflict>,
}

/// What an overlay is to say about one company.
pub(super) struct Draft<'a> {
    /// None: it is new.
    pub(super) there: Option<&'a EntityDef>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) aliases: Vec<(String, Option<String>)>,
    pub(super) wikidata: Option<String>,
    pub(super) lei: Option<String>,
    pub(super) tickers: Vec<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) source: String,
}

impl Draft<'_> {
    fn is_empty(&self) -> bool {
        let has_id = self.wikidata.is_some() || self.lei.is_some();
        self.aliases.is_empty() && !has_id && self.tickers.is_empty() && self.facts.is_empty()
    }
}

/// Gathers records, and then holds them against a gazetteer.
pub struct Importer<'a> {
    gazetteer: &'a Gazetteer,
    records: BTreeMap<String, Record>,
}

impl<'a> Importer<'a> {
    /// Nothing yet.
    pub fn new(gazetteer: &'a Gazetteer) -> Self {
        Self { gazetteer, records: BTreeMap::new() }
    }

    /// Takes in what a record says.
    pub fn add(&mut self, record: Record) {
        let Some(there) = self.records.get_mut(&record.key) else {
            self.records.insert(record.key.clone(), record);
            return;
        };
        let known = |list: &[(String, Option<String>)], text: &str| list.iter().any(|(there, _)| there == text);
        if record.name != there.name && !known(&there.aliases, &record.name) {
            there.aliases.push((record.name, None));
        }
        for alias in record.aliases {
            if !known(&there.aliases, &alias.0) {
                there.aliases.push(alias);
            }
        }
        there.tickers.extend(record.tickers);
        there.facts.extend(record.facts);
        there.wikidata = there.wikidata.take().or(record.wikidata);
        there.lei = there.lei.take().or(record.lei);
    }

    /// The overlay that says what is new. `date` is that of the import, `from` the name of the file.
    pub fn finish(self, format: Format, from: &str, date: &str) -> Imported {
        let mut merge = Merge::new(self.gazetteer);
        let mut drafts = Vec::new();
        let mut unchanged = 0;
        for record in self.records.into_values() {
            let draft = merge.draft(record);
            if draft.there.is_some() && draft.is_empty() {
                unchanged += 1;
            } else {
                drafts.push(draft);
            }
        }
        let added = drafts.iter().filter(|draft| draft.there.is_none()).count();
        let changed = drafts.len() - added;
        let toml = write::overlay(&drafts, format.cues(), from, date);
        Imported { toml, added, changed, unchanged, conflicts: merge.conflicts }
    }
}

/// What the gazetteer has, by what it is found by.
struct Merge<'a> {
    gazetteer: &'a Gazetteer,
    items: FxHashMap<&'a str, &'a EntityDef>,
    leis: FxHashMap<&'a str, &'a EntityDef>,
    /// By exchange and code: the id. What is imported is added.
    tickers: FxHashMap<(Exchange, String), String>,
    /// By its words: the ids of those that have the name for sure.
    sure: FxHashMap<Vec<String>, BTreeSet<&'a str>>,
    /// By its words: who has the name, whatever its mode. What is imported is added.
    names: FxHashMap<Vec<String>, String>,
    ids: FxHashSet<String>,
    conflicts: Vec<Conflict>,
}

impl<'a> Merge<'a> {
    fn new(gazetteer: &'a Gazetteer) -> Self {
        let mut merge = Self {
            gazetteer,
            items: FxHashMap::default(),
            leis: FxHashMap::default(),
            tickers: FxHashMap::default(),
            sure: FxHashMap::default(),
            names: FxHashMap::default(),
            ids: FxHashSet::default(),
            conflicts: Vec::new(),
        };
        for entity in gazetteer.entities() {
            let name = format!("{}:{}", entity.kind, entity.id);
            for alias in entity.aliases.iter().filter(|alias| alias.mode != Mode::Never) {
                merge.names.entry(Form::new(&alias.text).words).or_insert_with(|| name.clone());
            }
            if entity.kind != VENDOR_KIND {
                continue;
            }
            merge.ids.insert(entity.id.clone());
            merge.items.extend(entity.wikidata.as_deref().map(|item| (item, entity)));
            merge.leis.extend(entity.lei.as_deref().map(|lei| (lei, entity)));
            let tickers = entity.tickers.iter().filter_map(|ticker| check::read_ticker(ticker));
            merge.tickers.extend(tickers.map(|ticker| (ticker, entity.id.clone())));
            if !entity.negative {
                let sure = entity.aliases.iter().filter(|alias| matches!(alias.mode, Mode::Free | Mode::Cased));
                for text in sure.map(|alias| &alias.text).chain([&entity.name]) {
                    merge.sure.entry(Form::new(without_legal_form(text)).words).or_default().insert(&entity.id);
                }
            }
        }
        merge
    }

    fn conflict(&mut self, name: &str, problem: String) {
        self.conflicts.push(Conflict { name: name.to_owned(), problem });
    }

    /// The company that a record is about, if it is there: by item, by LEI, by code, by name.
    fn there(&mut self, record: &Record, tickers: &[(String, (Exchange, String))]) -> Option<&'a EntityDef> {
        let by_item = record.wikidata.as_deref().and_then(|item| self.items.get(item).copied());
        let by_lei = record.lei.as_deref().and_then(|lei| self.leis.get(lei).copied());
        if by_item.or(by_lei).is_some() {
            return by_item.or(by_lei);
        }
        let name = Form::new(without_legal_form(&record.name)).words;
        let by_name = self.sure.get(&name).cloned().unwrap_or_default();
        let by_ticker: BTreeSet<String> =
            tickers.iter().filter_map(|(_, key)| self.tickers.get(key).cloned()).collect();
        let of = |id: &str| self.gazetteer.get(VENDOR_KIND, id);
        let mut named = by_name.iter().copied();
        match (named.next(), named.next()) {
            (Some(id), None) => of(id),
            (Some(_), Some(_)) => {
                let ids: Vec<&str> = by_name.iter().copied().collect();
                self.conflict(
                    &record.name,
                    format!("the name is one of {}; taken for none of them", ids.join(" and ")),
                );
                None
            }
            // A code alone: open data maps some to the wrong firm, so that it counts only if one of the other names fits too.
            (None, _) => by_ticker.iter().find_map(|id| {
                let entity = of(id)?;
                let fits = |text: &String| {
                    let words = Form::new(without_legal_form(text)).words;
                    self.sure.get(&words).is_some_and(|ids| ids.contains(id.as_str()))
                };
                let mut names = record.aliases.iter().map(|(alias, _)| alias).chain([&record.name]);
                names.any(fits).then_some(entity)
            }),
        }
    }

    fn draft(&mut self, record: Record) -> Draft<'a> {
        let tickers = self.tickers_of(&record);
        let there = self.there(&record, &tickers);
        let id = there.map_or_else(|| self.new_id(&record.name), |entity| entity.id.clone());
        let mut draft = Draft {
            there,
            id: id.clone(),
            name: record.name.clone(),
            aliases: self.aliases_of(&record, there, &id),
            wikidata: record.wikidata.clone(),
            lei: record.lei.clone(),
            tickers: Vec::new(),
            facts: Vec::new(),
            source: record.source.clone(),
        };
        let holder = draft.lei.as_deref().and_then(|lei| self.leis.get(lei).copied());
        if let Some(holder) = holder.filter(|holder| holder.id != id) {
            self.conflict(&record.name, format!("its LEI is that of `{VENDOR_KIND}:{}`; left out", holder.id));
            draft.lei = None;
        }
        if let Some(entity) = there {
            draft.wikidata = self.new_value(&record.name, "Wikidata item", &entity.wikidata, draft.wikidata);
            draft.lei = self.new_value(&record.name, "LEI", &entity.lei, draft.lei);
        }
        for (ticker, key) in tickers {
            match self.tickers.get(&key) {
                Some(owner) if *owner != id => {
                    let problem = format!("ticker `{ticker}` is one of `{VENDOR_KIND}:{owner}`; left out");
                    self.conflict(&record.name, problem);
                }
                Some(_) => {}
                None => {
                    self.tickers.insert(key, id.clone());
                    draft.tickers.push(ticker);
                }
            }
        }
        for fact in record.facts {
            let is_there =
                |list: &[Fact]| list.iter().any(|there| there.text == fact.text && there.valid_from == fact.valid_from);
            if !is_there(&draft.facts) && !there.is_some_and(|entity| is_there(&entity.facts)) {
                draft.facts.push(fact);
            }
        }
        draft
    }

    /// `new` where nothing is there; where something else is, that stays.
    fn new_value(&mut self, name: &str, what: &str, old: &Option<String>, new: Option<String>) -> Option<String> {
        let (Some(there), Some(said)) = (old, &new) else { return new.filter(|_| old.is_none()) };
        if there != said {
            self.conflict(name, format!("its {what} is `{there}` and not `{said}`; left as it is"));
        }
        None
    }

    /// Codes as we write them, each with its exchange.
    fn tickers_of(&mut self, record: &Record) -> Vec<(String, (Exchange, String))> {
        let mut found: Vec<(String, (Exchange, String))> = Vec::new();
        for (exchange, code) in &record.tickers {
            match ticker(exchange.as_deref(), code) {
                Some(ticker) if found.iter().any(|(_, key)| *key == ticker.1) => {}
                Some(ticker) => found.push(ticker),
                None => {
                    let on = exchange.as_ref().map_or_else(String::new, |exchange| format!(" on `{exchange}`"));
                    self.conflict(
                        &record.name,
                        format!("ticker `{code}`{on} is on no exchange that we know; left out"),
                    );
                }
            }
        }
        found
    }

    /// Names that are not there yet, without legal forms. One that somebody else has is left out.
    fn aliases_of(&mut self, record: &Record, there: Option<&EntityDef>, id: &str) -> Vec<(String, Option<String>)> {
        let owner = format!("{VENDOR_KIND}:{id}");
        let known: Vec<Form> =
            there.into_iter().flat_map(|entity| &entity.aliases).map(|alias| Form::new(&alias.text)).collect();
        let mut new = Vec::new();
        for (text, lang) in [(record.name.clone(), None)].iter().chain(&record.aliases) {
            let text = without_legal_form(text);
            let form = Form::new(text);
            if form.words.is_empty() || known.iter().any(|known| known.covers(&form)) {
                continue;
            }
            match self.names.get(&form.words) {
                Some(other) if *other == owner => {}
                Some(other) => {
                    let problem = format!("alias `{text}` is one of `{other}`; left out");
                    self.conflict(&record.name, problem);
                }
                None => {
                    self.names.insert(form.words, owner.clone());
                    new.push((text.to_owned(), lang.clone()));
                }
            }
        }
        new
    }

    /// An id that nobody has, from a name.
    fn new_id(&mut self, name: &str) -> String {
        let ascii = |word: &String| word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let words = Form::new(without_legal_form(name)).words;
        let words: Vec<String> = words.into_iter().filter(ascii).take(8).collect();
        let stem =
            if words.is_empty() { format!("x-{}", chipwire_events::hash_hex(4, &[name])) } else { words.join("-") };
        let numbered = (2u32..).map(|number| format!("{stem}-{number}"));
        let id = std::iter::once(stem.clone()).chain(numbered).find(|id| !self.ids.contains(id)).unwrap_or(stem);
        self.ids.insert(id.clone());
        id
    }
}

/// A code as we write it: from an exchange and a code, or from `0981.HK` or `NASDAQ:NVDA`.
fn ticker(exchange: Option<&str>, code: &str) -> Option<(String, (Exchange, String))> {
    let code = code.trim();
    let written = match exchange {
        Some(exchange) => {
            let lower = exchange.to_lowercase();
            let name = EXCHANGES.iter().find(|(known, _)| *known == lower).map_or(exchange, |(_, name)| *name);
            format!("{}:{}", name.to_ascii_uppercase(), code.rsplit(':').next().unwrap_or(code).trim())
        }
        None if code.contains(':') => code.to_ascii_uppercase(),
        None => {
            let (code, suffix) = code.rsplit_once('.')?;
            let exchange = Exchange::by_suffix(&suffix.to_ascii_uppercase())?;
            let key = (exchange, normal_code(exchange, code).into_owned());
            let ticker = format!("{}:{code}", exchange.name());
            return check::read_ticker(&ticker).map(|_| (ticker, key));
        }
    };
    check::read_ticker(&written).map(|key| (written, key))
}

/// A name without `Inc.`, `Co., Ltd.` and the like at its end, which the tagger takes with it by itself.
fn without_legal_form(name: &str) -> &str {
    let is_edge = |ch: char| !ch.is_alphanumeric();
    let mut rest = name.trim();
    loop {
        let trimmed = rest.trim_end_matches(|ch: char| ch.is_whitespace() || matches!(ch, ',' | '.'));
        let begin = trimmed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let word = trimmed.get(begin..).unwrap_or_default().trim_matches(is_edge).replace('.', "").to_lowercase();
        if begin == 0 || !(lexicon::is_firm_form(&word) || word == "limited") {
            return if rest.len() == name.trim().len() { rest } else { trimmed };
        }
        rest = trimmed.get(..begin).unwrap_or_default().trim_end();
    }
}
