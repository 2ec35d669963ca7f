//! What a name, an id or a code may stand for.

use super::{Alias, EntityDef, Exchange, Fact, Gazetteer, check, date, normal_code};
use crate::matcher::Form;

/// Names that are this much alike (Jaro-Winkler, 0 to 1) are worth a question.
const ALIKE: f64 = 0.86;

/// An entity that was found, and by what.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    /// The entity.
    pub entity: &'a EntityDef,
    /// By what it was found.
    pub by: Vec<By<'a>>,
}

/// By what an entity was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By<'a> {
    /// Its id, its item in Wikidata or its LEI.
    Id,
    /// Its canonical name.
    Name,
    /// A name in texts.
    Alias(&'a Alias),
    /// A code of an exchange.
    Ticker(&'a str),
}

impl Gazetteer {
    /// The entities that `query` may mean, by kind and id: an id (`arm`, `company:arm`, `Q296635`), a name as the tagger compares
    /// names, or a ticker (`NVDA`, `NASDAQ:NVDA`, `0700.HK`).
    pub fn lookup(&self, query: &str) -> Vec<Hit<'_>> {
        let query = query.trim();
        let form = Form::new(query);
        let hits = self.entities().iter().filter_map(|entity| {
            let mut by = Vec::new();
            let full = query.split_once(':').is_some_and(|(kind, id)| kind == entity.kind && id == entity.id);
            let is = |id: &Option<String>| id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(query));
            if full || entity.id.eq_ignore_ascii_case(query) || is(&entity.wikidata) || is(&entity.lei) {
                by.push(By::Id);
            }
            if !form.words.is_empty() {
                if Form::new(&entity.name).covers(&form) {
                    by.push(By::Name);
                }
                by.extend(entity.aliases.iter().filter(|alias| Form::new(&alias.text).covers(&form)).map(By::Alias));
            }
            by.extend(entity.tickers.iter().filter(|ticker| is_ticker(ticker, query)).map(|ticker| By::Ticker(ticker)));
            (!by.is_empty()).then_some(Hit { entity, by })
        });
        hits.collect()
    }

    /// Names and ids that look like `query`, the most alike first, at most `limit`.
    pub fn suggest(&self, query: &str, limit: usize) -> Vec<&str> {
        let query = query.trim().to_lowercase();
        let names = self.entities().iter().flat_map(|entity| {
            let aliases = entity.aliases.iter().map(|alias| alias.text.as_str());
            [entity.id.as_str(), entity.name.as_str()].into_iter().chain(aliases)
        });
        let alike = |name: &str| strsim::jaro_winkler(&query, &name.to_lowercase());
        let mut found: Vec<(f64, &str)> =
            names.map(|name| (alike(name), name)).filter(|(alike, _)| *alike >= ALIKE).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let mut said: Vec<&str> = Vec::new();
        for (_, name) in found {
            if said.len() < limit && !said.iter().any(|there| there.to_lowercase() == name.to_lowercase()) {
                said.push(name);
            }
        }
        said
    }
}

impl Fact {
    /// Whether it holds at some time of `day`, which is `YYYY-MM-DD`, `YYYY-MM` or `YYYY`; none if that is no date.
    pub fn holds_at(&self, day: &str) -> Option<bool> {
        let (first, last) = date::span(day)?;
        let from = self.valid_from.as_deref().and_then(date::span).is_none_or(|(from, _)| from <= last);
        let to = self.valid_to.as_deref().and_then(date::span).is_none_or(|(_, to)| to >= first);
        Some(from && to)
    }
}

fn is_ticker(ticker: &str, query: &str) -> bool {
    let Some((exchange, code)) = check::read_ticker(ticker) else { return false };
    if let Some((left, right)) = query.split_once(':') {
        return Exchange::by_name(left) == Some(exchange) && normal_code(exchange, right) == code;
    }
    if let Some((left, suffix)) = query.rsplit_once('.')
        && Exchange::by_suffix(&suffix.to_ascii_uppercase()) == Some(exchange)
    {
        return normal_code(exchange, left) == code;
    }
    normal_code(exchange, query.trim_start_matches('$')) == code
}
