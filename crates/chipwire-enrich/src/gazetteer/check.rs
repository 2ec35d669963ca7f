//! What a gazetteer must fulfil beyond its form.

use rustc_hash::FxHashMap;

use super::{
    EntityDef, Exchange, Finding, Mode, Severity, VENDOR_KIND, date,
    draft::{Draft, Entity, Wrong, wrong},
    normal_code,
};

pub(super) fn kind(kind: &str) -> Option<Wrong> {
    if !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    Some(wrong("form", format!("kind `{kind}` cannot be used"), "a kind is a word in lower-case letters"))
}

/// What can be said of one entity alone.
pub(super) fn entity(draft: &Draft, entity: &Entity, found: &mut Vec<Finding>) {
    let def = &entity.def;
    let mut key = |key: &str, wrong: Wrong| found.push(draft.about(entity, key, Severity::Error, wrong));
    let id_ok = |id: &str| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if !id_ok(&def.id) {
        let advice = "an id has lower-case letters, digits and hyphens";
        key("id", wrong("id", format!("id `{}` cannot be used", def.id), advice));
    }
    if def.name.trim().is_empty() {
        key("name", wrong("name", "name is empty", "give the canonical name"));
    }
    for ticker in &def.tickers {
        if read_ticker(ticker).is_none() {
            let advice = "write `EXCHANGE:CODE`, as in `NASDAQ:NVDA` or `HKEX:0700`";
            key("tickers", wrong("ticker-form", format!("ticker `{ticker}` cannot be read"), advice));
        }
    }
    for (list, phrases) in [("cues", &def.cues), ("against", &def.against)] {
        for phrase in phrases {
            let letters = phrase.strip_suffix('*').unwrap_or(phrase);
            if letters.contains('*') || !letters.chars().any(char::is_alphanumeric) {
                let advice = "a cue is a word or a phrase, with `*` only at its end";
                key(list, wrong("cue-form", format!("cue `{phrase}` cannot be used"), advice));
            }
        }
    }
    for (at, alias) in def.aliases.iter().enumerate() {
        let mut about = |wrong| found.push(draft.about_alias(entity, at, Severity::Error, wrong));
        if !alias.text.chars().any(char::is_alphanumeric) {
            let problem = format!("alias `{}` has no letter and no digit", alias.text);
            about(wrong("empty-alias", problem, "give a name as it is written in texts"));
        }
        let is_last = def.aliases.iter().all(|alias| matches!(alias.mode, Mode::After | Mode::Never));
        if alias.mode == Mode::After && is_last {
            let problem = format!("alias `{}` has no longer name that it could come after", alias.text);
            about(wrong("after", problem, "add a name with another mode"));
        }
    }
    facts(draft, entity, found);
}

fn facts(draft: &Draft, entity: &Entity, found: &mut Vec<Finding>) {
    for (fact, spot) in entity.def.facts.iter().zip(&entity.spots.facts) {
        let mut about = |check, problem: String, advice: &str| {
            let finding = draft.finding(*spot, Severity::Error, wrong(check, problem, advice));
            found.push(Finding { entity: Some(entity.name()), key: Some("fact".to_owned()), ..finding });
        };
        let days = [("valid_from", &fact.valid_from), ("valid_to", &fact.valid_to)];
        for (key, day) in days {
            if let Some(day) = day
                && date::span(day).is_none()
            {
                let advice = "write a day, month or year as `YYYY-MM-DD`, `YYYY-MM` or `YYYY`";
                about("fact-date", format!("{key} `{day}` is no date"), advice);
            }
        }
        if let (Some(from), Some(to)) = (&fact.valid_from, &fact.valid_to)
            && let (Some((first, _)), Some((_, last))) = (date::span(from), date::span(to))
            && last < first
        {
            about(
                "fact-order",
                format!("valid_to `{to}` is before valid_from `{from}`"),
                "see which of the two is right",
            );
        }
    }
}

/// What can only be seen with all entities at hand.
pub(super) fn together(draft: &Draft, found: &mut Vec<Finding>) {
    let mut seen: FxHashMap<(&str, &str), &Entity> = FxHashMap::default();
    for entity in &draft.entities {
        let key = (entity.def.kind.as_str(), entity.def.id.as_str());
        if let Some(first) = seen.get(&key) {
            let place = draft.finding(first.spots.table, Severity::Error, wrong("", "", ""));
            let problem = format!("the id is also in `{}`, line {}", place.file, place.line);
            let advice =
                "an id is unique within its kind; what is there is changed by a table `[[change]]` of an overlay";
            found.push(draft.about(entity, "id", Severity::Error, wrong("duplicate-id", problem, advice)));
        } else {
            seen.insert(key, entity);
        }
    }
    for entity in &draft.entities {
        let def = &entity.def;
        for (field, company) in [("vendor", &def.vendor), ("parent", &def.parent)] {
            if let Some(id) = company
                && !seen.contains_key(&(VENDOR_KIND, id.as_str()))
            {
                let problem = format!("{field} `{id}` is not a {VENDOR_KIND}");
                let advice = "name the id of an entity of that kind, or add it";
                found.push(draft.about(entity, field, Severity::Error, wrong("dangling", problem, advice)));
            }
        }
        for (country, id) in &def.by_country {
            if !id.is_empty() && !seen.contains_key(&(def.kind.as_str(), id.as_str())) {
                let problem = format!("by_country.{country} names `{id}`, which is not a {}", def.kind);
                let advice = "name the id of an entity of the same kind, or nothing";
                found.push(draft.about(entity, "by_country", Severity::Error, wrong("dangling", problem, advice)));
            }
        }
    }
    names_are_claimed_once(draft, found);
    tickers_are_claimed_once(draft, found);
}

/// Two entities may share a name only where cues decide between them.
fn names_are_claimed_once(draft: &Draft, found: &mut Vec<Finding>) {
    let mut claimed: FxHashMap<String, (&EntityDef, Mode)> = FxHashMap::default();
    for entity in &draft.entities {
        for (at, alias) in entity.def.aliases.iter().enumerate().filter(|(_, alias)| alias.mode != Mode::Never) {
            let certain = |mode| matches!(mode, Mode::Free | Mode::Cased);
            let key = if alias.mode == Mode::Cased { alias.text.clone() } else { alias.text.to_lowercase() };
            if let Some((other, mode)) = claimed.get(&key)
                && (&other.kind, &other.id) != (&entity.def.kind, &entity.def.id)
                && certain(*mode)
                && certain(alias.mode)
            {
                let problem = format!("alias `{}` is also one of `{}:{}`", alias.text, other.kind, other.id);
                let advice = "give both the mode `cue` and cues that tell them apart";
                found.push(draft.about_alias(entity, at, Severity::Error, wrong("collision", problem, advice)));
            }
            claimed.insert(key, (&entity.def, alias.mode));
        }
    }
}

fn tickers_are_claimed_once(draft: &Draft, found: &mut Vec<Finding>) {
    let mut claimed: FxHashMap<(Exchange, String), &str> = FxHashMap::default();
    for entity in &draft.entities {
        for ticker in &entity.def.tickers {
            let Some(key) = read_ticker(ticker) else { continue };
            if let Some(other) = claimed.insert(key, &entity.def.id)
                && other != entity.def.id
            {
                let problem = format!("ticker `{ticker}` is also one of `{other}`");
                let advice = "a code stands for one company on its exchange";
                found.push(draft.about(entity, "tickers", Severity::Error, wrong("ticker-conflict", problem, advice)));
            }
        }
    }
}

/// The exchange and the code of `EXCHANGE:CODE`, in the form in which codes are compared.
pub(super) fn read_ticker(ticker: &str) -> Option<(Exchange, String)> {
    let (exchange, code) = ticker.split_once(':')?;
    let exchange = Exchange::by_name(exchange)?;
    let fits = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| (exchange, normal_code(exchange, code).into_owned()))
}
