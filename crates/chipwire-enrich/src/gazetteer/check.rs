//! What a gazetteer must fulfil beyond its form.

use rustc_hash::FxHashMap;

use super::{EntityDef, Exchange, Mode, VENDOR_KIND, normal_code};
use crate::{Error, error::Result};

pub(super) fn kind(file: &str, kind: &str) -> Result<()> {
    if !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(Error::File {
        file: file.to_owned(),
        problem: format!("kind `{kind}` cannot be used"),
        expected: "a kind is a word in lower-case letters".to_owned(),
    })
}

fn wrong(file: &str, entity: &EntityDef, problem: String, expected: &str) -> Error {
    Error::Entity { file: file.to_owned(), entity: entity.id.clone(), problem, expected: expected.to_owned() }
}

/// What can be said of one entity alone.
pub(super) fn entity(file: &str, entity: &EntityDef) -> Result<()> {
    let id_ok = |id: &str| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if !id_ok(&entity.id) {
        let expected = "an id has lower-case letters, digits and hyphens";
        return Err(wrong(file, entity, format!("id `{}` cannot be used", entity.id), expected));
    }
    if entity.name.trim().is_empty() {
        return Err(wrong(file, entity, "name is empty".to_owned(), "give the canonical name"));
    }
    for alias in &entity.aliases {
        if !alias.text.chars().any(char::is_alphanumeric) {
            let problem = format!("alias `{}` has no letter and no digit", alias.text);
            return Err(wrong(file, entity, problem, "give a name as it is written in texts"));
        }
    }
    let short = entity.aliases.iter().find(|alias| alias.mode == Mode::After);
    if let Some(short) = short
        && entity.aliases.iter().all(|alias| matches!(alias.mode, Mode::After | Mode::Never))
    {
        let problem = format!("alias `{}` has no longer name that it could come after", short.text);
        return Err(wrong(file, entity, problem, "add a name with another mode"));
    }
    for ticker in &entity.tickers {
        let known = ticker.split_once(':').is_some_and(|(exchange, code)| {
            Exchange::by_name(exchange).is_some() && !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if !known {
            let problem = format!("ticker `{ticker}` cannot be read");
            return Err(wrong(file, entity, problem, "write `EXCHANGE:CODE`, as in `NASDAQ:NVDA` or `HKEX:0700`"));
        }
    }
    for phrase in entity.cues.iter().chain(&entity.against) {
        let letters = phrase.strip_suffix('*').unwrap_or(phrase);
        if letters.contains('*') || !letters.chars().any(char::is_alphanumeric) {
            let problem = format!("cue `{phrase}` cannot be used");
            return Err(wrong(file, entity, problem, "a cue is a word or a phrase, with `*` only at its end"));
        }
    }
    Ok(())
}

/// What can only be seen with all entities at hand, sorted by kind and id.
pub(super) fn together(entities: &[(String, EntityDef)]) -> Result<()> {
    let mut seen: FxHashMap<(&str, &str), &str> = FxHashMap::default();
    for (file, entity) in entities {
        if let Some(first) = seen.insert((&entity.kind, &entity.id), file) {
            let problem = format!("the id is also in `{first}`");
            return Err(wrong(file, entity, problem, "an id is unique within its kind"));
        }
    }
    for (file, entity) in entities {
        for (field, company) in [("vendor", &entity.vendor), ("parent", &entity.parent)] {
            if let Some(id) = company
                && !seen.contains_key(&(VENDOR_KIND, id.as_str()))
            {
                let problem = format!("{field} `{id}` is not a {VENDOR_KIND}");
                return Err(wrong(file, entity, problem, "name the id of an entity of that kind, or add it"));
            }
        }
        for (country, id) in &entity.by_country {
            if !id.is_empty() && !seen.contains_key(&(entity.kind.as_str(), id.as_str())) {
                let problem = format!("by_country.{country} names `{id}`, which is not a {}", entity.kind);
                return Err(wrong(file, entity, problem, "name the id of an entity of the same kind, or nothing"));
            }
        }
    }
    names_are_claimed_once(entities)?;
    tickers_are_claimed_once(entities)
}

/// Two entities may share a name only where cues decide between them.
fn names_are_claimed_once(entities: &[(String, EntityDef)]) -> Result<()> {
    let mut claimed: FxHashMap<String, (&EntityDef, Mode)> = FxHashMap::default();
    for (file, entity) in entities {
        for alias in entity.aliases.iter().filter(|alias| alias.mode != Mode::Never) {
            let certain = |mode| matches!(mode, Mode::Free | Mode::Cased);
            let key = if alias.mode == Mode::Cased { alias.text.clone() } else { alias.text.to_lowercase() };
            if let Some((other, mode)) = claimed.get(&key)
                && other.id != entity.id
                && certain(*mode)
                && certain(alias.mode)
            {
                let problem = format!("alias `{}` is also one of `{}:{}`", alias.text, other.kind, other.id);
                return Err(wrong(file, entity, problem, "give both the mode `cue` and cues that tell them apart"));
            }
            claimed.insert(key, (entity, alias.mode));
        }
    }
    Ok(())
}

fn tickers_are_claimed_once(entities: &[(String, EntityDef)]) -> Result<()> {
    let mut claimed: FxHashMap<(Exchange, String), &str> = FxHashMap::default();
    for (file, entity) in entities {
        for ticker in &entity.tickers {
            let Some((exchange, code)) = ticker.split_once(':') else { continue };
            let Some(exchange) = Exchange::by_name(exchange) else { continue };
            if let Some(other) = claimed.insert((exchange, normal_code(exchange, code)), &entity.id)
                && other != entity.id
            {
                let problem = format!("ticker `{ticker}` is also one of `{other}`");
                return Err(wrong(file, entity, problem, "a code stands for one company on its exchange"));
            }
        }
    }
    Ok(())
}
