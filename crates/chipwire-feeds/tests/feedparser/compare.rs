//! What feedparser expects against what was read.
//!
//! Titles are plain text here and HTML there: they agree when their plain text is the same. Bodies are kept here and cleaned
//! there: they agree when they are equal, or when they say the same, which is the same plain text with the same addresses
//! in it. Addresses are compared in their normal form. Authors are names here: feedparser's `Name (address)` agrees with the
//! name.

use chipwire_events::Timestamp;
use chipwire_feeds::{
    Entry, ParsedFeed, date,
    text::{collapse, decode_entities, plain_of_html},
};

use crate::expression::{Key, Operand, Term, terms};

pub(crate) enum Verdict {
    Agrees,
    /// With what was found instead.
    Differs(String),
    /// With the reason.
    Outside(String),
}

/// What stands at a path.
enum Found {
    /// Something of HTML in feedparser and of plain text here, or of HTML in both.
    Text(Option<String>),
    /// Plain text, of what feedparser has as HTML.
    Title(Option<String>),
    /// An id: equal or not.
    Word(Option<String>),
    Link(Option<String>),
    Person(Option<String>),
    Date {
        time: Option<Timestamp>,
        raw: Option<String>,
    },
    Count(usize),
    /// Not one of the fields that are compared.
    Other,
}

pub(crate) fn judge(expected: &str, feed: Option<&ParsedFeed>) -> Verdict {
    let Some(terms) = terms(expected) else {
        if let Some((one, other)) = expected.split_once(" or ") {
            return match judge(one, feed) {
                Verdict::Agrees => Verdict::Agrees,
                _ => judge(other, feed),
            };
        }
        return Verdict::Outside("it expects something of feedparser itself".to_owned());
    };
    let mut reason = "it expects something of feedparser itself".to_owned();
    let mut compared = false;
    for term in terms.iter().filter(|term| !term.path.is_empty()) {
        let root = matches!(term.path.first(), Some(Key::Name(name)) if name == "feed" || name == "entries");
        if !root {
            continue;
        }
        let empty = ParsedFeed::default();
        let found = found(&term.path, feed.unwrap_or(&empty));
        if matches!(found, Found::Other) {
            reason = format!("`{}` is not a field that is compared", pattern(&term.path));
            continue;
        }
        compared = true;
        let Some(feed) = feed else { return Verdict::Differs("no feed".to_owned()) };
        if let Err(found) = agrees(term, &found, feed) {
            return Verdict::Differs(found);
        }
    }
    if compared { Verdict::Agrees } else { Verdict::Outside(reason) }
}

fn pattern(path: &[Key]) -> String {
    let parts: Vec<String> = path
        .iter()
        .map(|key| match key {
            Key::Name(name) => name.clone(),
            Key::Index(_) => "N".to_owned(),
        })
        .collect();
    parts.join(".")
}

fn found(path: &[Key], feed: &ParsedFeed) -> Found {
    let name = |at: usize| match path.get(at) {
        Some(Key::Name(name)) => name.as_str(),
        _ => "",
    };
    match path {
        [Key::Name(root)] if root == "entries" => Found::Count(feed.entries.len()),
        [Key::Name(root), rest @ ..] if root == "feed" => match (name(1), name(2), rest.len()) {
            ("title", _, 1) | ("title_detail", "value", 2) => Found::Title(feed.title.clone()),
            ("link", _, 1) => Found::Link(feed.link.clone()),
            ("id" | "guid", _, 1) => Found::Word(feed.id.clone()),
            ("author", _, 1) | ("author_detail", "name", 2) => Found::Person(feed.authors.first().cloned()),
            ("authors", _, 3) => person(rest, &feed.authors),
            ("updated" | "modified" | "updated_parsed" | "modified_parsed", _, 1) => {
                Found::Date { time: feed.updated.or(feed.published), raw: None }
            }
            ("published" | "published_parsed" | "created" | "created_parsed", _, 1) => {
                Found::Date { time: feed.published, raw: None }
            }
            _ => Found::Other,
        },
        [Key::Name(root), Key::Index(index), rest @ ..] if root == "entries" => {
            let none = Entry::default();
            let entry = feed.entries.get(*index).unwrap_or(&none);
            match (name(2), rest.len()) {
                ("title", 1) => Found::Title(Some(entry.title.clone())),
                ("title_detail", 2) if name(3) == "value" => Found::Title(Some(entry.title.clone())),
                ("link", 1) => Found::Link(entry.link.clone()),
                ("id" | "guid", 1) => Found::Word(entry.guid.clone()),
                ("summary" | "description", 1) => Found::Text(summary(entry)),
                ("summary_detail", 2) if name(3) == "value" => Found::Text(summary(entry)),
                ("content", 3) if name(4) == "value" => Found::Text(entry.content.clone().or(entry.summary.clone())),
                ("author", 1) => Found::Person(entry.authors.first().cloned()),
                ("author_detail", 2) if name(3) == "name" => Found::Person(entry.authors.first().cloned()),
                ("authors", 3) => person(rest, &entry.authors),
                ("published" | "published_parsed" | "created" | "created_parsed", 1) => {
                    Found::Date { time: entry.published, raw: entry.published_raw.clone() }
                }
                ("updated" | "updated_parsed" | "modified" | "modified_parsed", 1) => {
                    Found::Date { time: entry.updated.or(entry.published), raw: entry.published_raw.clone() }
                }
                _ => Found::Other,
            }
        }
        _ => Found::Other,
    }
}

/// feedparser gives the content as summary where there is no other.
fn summary(entry: &Entry) -> Option<String> {
    entry.summary.clone().or_else(|| entry.content.clone())
}

fn person(path: &[Key], names: &[String]) -> Found {
    match path {
        [_, Key::Index(index), Key::Name(field)] if field == "name" => Found::Person(names.get(*index).cloned()),
        _ => Found::Other,
    }
}

fn agrees(term: &Term, value: &Found, feed: &ParsedFeed) -> Result<(), String> {
    let described = describe(value);
    let holds = match (&term.function, value) {
        (Some(function), Found::Count(count)) if function == "len" => {
            term.against.iter().all(|operand| *operand == Operand::Number(i64::try_from(*count).unwrap()))
        }
        (Some(function), Found::Text(Some(text))) if function == "ord" => {
            let code = text.chars().next().map_or(0, u32::from);
            text.chars().count() == 1 && term.against.iter().all(|operand| *operand == Operand::Number(i64::from(code)))
        }
        (Some(_), _) => false,
        (None, _) if term.against.is_empty() => !is_nothing(value),
        (None, _) => term.against.iter().all(|operand| equal(operand, value, feed)),
    };
    if holds != (term.negated || term.unequal) { Ok(()) } else { Err(described) }
}

fn is_nothing(value: &Found) -> bool {
    match value {
        Found::Text(text) | Found::Title(text) | Found::Word(text) | Found::Link(text) | Found::Person(text) => {
            text.as_deref().unwrap_or_default().is_empty()
        }
        Found::Date { time, raw } => time.is_none() && raw.is_none(),
        Found::Count(count) => *count == 0,
        Found::Other => true,
    }
}

fn describe(value: &Found) -> String {
    match value {
        Found::Text(text) | Found::Title(text) | Found::Word(text) | Found::Link(text) | Found::Person(text) => {
            format!("{text:?}")
        }
        Found::Date { time, raw } => format!("{} {raw:?}", time.map(|time| time.to_string()).unwrap_or_default()),
        Found::Count(count) => count.to_string(),
        Found::Other => String::new(),
    }
}

fn equal(operand: &Operand, value: &Found, feed: &ParsedFeed) -> bool {
    match (operand, value) {
        (Operand::None, _) | (Operand::Truth(false), _) => is_nothing(value),
        (Operand::Path(path), Found::Title(text)) => match found(path, feed) {
            Found::Title(other) => other == *text,
            _ => false,
        },
        (Operand::Path(path), Found::Word(word)) => match found(path, feed) {
            Found::Word(other) => other == *word,
            _ => false,
        },
        (Operand::Text(wanted), Found::Text(text)) => {
            let text = text.as_deref().unwrap_or_default();
            text == wanted || collapse(wanted) == collapse(text) || meaning(wanted) == meaning(text)
        }
        (Operand::Text(wanted), Found::Title(text)) => {
            let text = text.as_deref().unwrap_or_default();
            collapse(wanted) == collapse(text) || plain_of_html(wanted) == text
        }
        (Operand::Text(wanted), Found::Link(link)) => {
            let normal = |address: &str| url::Url::parse(address).map_or(address.to_owned(), String::from);
            normal(wanted) == normal(link.as_deref().unwrap_or_default())
        }
        (Operand::Text(wanted), Found::Word(word)) => word.as_deref().unwrap_or_default() == wanted,
        (Operand::Text(wanted), Found::Person(name)) => {
            let (before, inside) = wanted.split_once('(').unwrap_or((wanted, ""));
            let name = name.as_deref().unwrap_or_default();
            !name.is_empty() && [wanted, before.trim(), inside.trim_end_matches(')')].contains(&name)
        }
        (Operand::Text(wanted), Found::Date { time, raw }) => {
            raw.as_deref() == Some(wanted) || (time.is_some() && date::parse(wanted) == *time)
        }
        (Operand::Numbers(numbers), Found::Date { time: Some(time), .. }) => {
            let civil = jiff::tz::TimeZone::UTC.to_datetime(*time);
            let parts = [
                i64::from(civil.year()),
                i64::from(civil.month()),
                i64::from(civil.day()),
                i64::from(civil.hour()),
                i64::from(civil.minute()),
                i64::from(civil.second()),
            ];
            numbers.get(..6) == Some(&parts[..])
        }
        _ => false,
    }
}

/// What a text says: its words, and the addresses in it.
fn meaning(html: &str) -> (String, Vec<String>) {
    let mut addresses = Vec::new();
    for mark in ["href=", "src="] {
        for (at, _) in html.match_indices(mark) {
            let rest = &html[at + mark.len()..];
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
            let value = match quote {
                Some(quote) => rest[1..].split(quote).next(),
                None => rest.split([' ', '>']).next(),
            };
            let address = decode_entities(value.unwrap_or_default());
            addresses.push(url::Url::parse(&address).map_or(address.into_owned(), String::from));
        }
    }
    let plain = plain_of_html(html).replace(' ', "");
    (plain, if html.contains('<') { addresses } else { vec![] })
}
