//! JSON Feed 1.0 and 1.1 (jsonfeed.org), read leniently: a field of the wrong type is a missing field.

use serde_json::Value;
use url::Url;

use crate::{
    error::ParseError,
    identity, json_salvage,
    parse::{Entry, ParsedFeed},
    repair::{
        Repairs, Stage,
        dates::{Dates, Problems},
        names::When,
    },
    text,
};

/// Reads a JSON Feed.
pub(crate) fn parse(
    document: &str,
    url: Option<&Url>,
    max_items: usize,
    repairs: &mut Repairs,
) -> Result<ParsedFeed, ParseError> {
    let feed = value(document, repairs)?;
    let version = string(&feed, "version");
    let Some(items) = feed.get("items").and_then(Value::as_array) else {
        let keys: Vec<&str> = feed.as_object().into_iter().flatten().take(5).map(|(key, _)| key.as_str()).collect();
        let found = if keys.is_empty() { String::new() } else { format!(" (it has: {})", keys.join(", ")) };
        return Err(ParseError::Json(format!("it has no list `items`{found}")));
    };
    match version {
        Some(version) if version.contains("jsonfeed.org/version/") => {}
        Some(version) => return Err(ParseError::Json(format!("its version is `{}`", text::cap_chars(&version, 60)))),
        None if items.iter().any(|item| string(item, "id").is_some() || string(item, "url").is_some()) => {
            repairs.note(Stage::Root, "no `version`");
        }
        None => return Err(ParseError::Json("it has no `version`".to_owned())),
    }
    if items.len() > max_items {
        repairs.note(Stage::Limits, format!("more than {max_items} items: the rest is left out"));
    }
    let link = string(&feed, "home_page_url").and_then(|link| text::web_url(&link, url));
    let base = link.as_ref().or(url);
    let feed_authors = authors(&feed);
    let language = string(&feed, "language").and_then(|language| text::language_tag(&language));
    let (mut dates, mut problems) = (Vec::new(), Problems::default());
    for (index, item) in items.iter().take(max_items).enumerate() {
        repairs.about(Some(index + 1));
        dates.push(dates_of(item, &mut problems, repairs));
        if !item.is_object() {
            repairs.note(Stage::Structure, "an item that is no object");
        }
    }
    repairs.about(None);
    problems.settle(&mut Dates::default(), dates.iter_mut(), language.as_deref(), repairs);
    let objects = items.iter().zip(dates).filter(|(item, _)| item.is_object());
    let entries = objects.map(|(item, dates)| entry(item, dates, base, &feed_authors)).collect();
    Ok(ParsedFeed {
        title: string(&feed, "title").map(|title| text::collapse(&title)).filter(|title| !title.is_empty()),
        link: link.map(String::from),
        language,
        entries,
        ..ParsedFeed::default()
    })
}

/// The document as a JSON value, or as much of it as can be saved.
fn value(document: &str, repairs: &mut Repairs) -> Result<Value, ParseError> {
    let mut values = serde_json::Deserializer::from_str(document).into_iter::<Value>();
    match values.next() {
        Some(Ok(mut feed)) => {
            let moved = json_salvage::put_back(&mut feed);
            if moved > 0 {
                repairs.note(Stage::Structure, format!("{moved} items outside of the list `items`"));
            }
            if values.byte_offset() == document.trim_end().len() {
                return Ok(feed);
            }
            repairs.note(Stage::Structure, "text after the end of the JSON value");
            // A bracket too much in one item ends the list, and the others come after the end.
            let known = json_salvage::count(&feed);
            match json_salvage::salvage(document) {
                Some((saved, lost)) if json_salvage::count(&saved) > known => {
                    repairs.note(Stage::Salvage, format!("parsed item by item; {lost} could not be saved"));
                    Ok(saved)
                }
                _ => Ok(feed),
            }
        }
        Some(Err(error)) => {
            let what = format!("invalid JSON: {error}");
            let Some((feed, lost)) = json_salvage::salvage(document) else {
                return Err(ParseError::Damaged { line: error.line(), what });
            };
            repairs.note(Stage::Structure, what);
            repairs.note(Stage::Salvage, format!("parsed item by item; {lost} could not be saved"));
            Ok(feed)
        }
        None => Err(ParseError::Empty),
    }
}

fn dates_of(item: &Value, problems: &mut Problems, repairs: &mut Repairs) -> Dates {
    let mut dates = Dates::default();
    for (key, when) in [("date_published", When::Published), ("date_modified", When::Updated)] {
        if let Some(text) = string(item, key) {
            dates.take(when, 1, &text, problems, repairs);
        }
    }
    dates
}

fn entry(item: &Value, dates: Dates, base: Option<&Url>, feed_authors: &[String]) -> Entry {
    let link = ["url", "external_url", "id"]
        .iter()
        .find_map(|key| text::web_url(&string(item, key)?, if *key == "id" { None } else { base }))
        .or_else(|| attachment(item, base))
        .map(|link| identity::without_tracking(&link).into());
    let html = string(item, "content_html").map(|html| text::absolute_links(&html, base).into_owned());
    let mut authors = authors(item);
    if authors.is_empty() {
        authors = feed_authors.to_vec();
    }
    Entry {
        id: String::new(),
        guid: string(item, "id"),
        link,
        title: text::collapse(&string(item, "title").unwrap_or_default()),
        published: dates.published.as_ref().and_then(|date| date.time),
        published_raw: dates.published.map(|date| date.raw),
        updated: dates.updated.and_then(|date| date.time),
        authors,
        categories: item.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(text_of).collect(),
        language: string(item, "language").and_then(|language| text::language_tag(&language)),
        summary: string(item, "summary"),
        summary_is_text: false,
        content_is_text: html.is_none(),
        content: html.or_else(|| string(item, "content_text")),
    }
    .finished()
}

/// The address of the first file that comes with an item.
fn attachment(item: &Value, base: Option<&Url>) -> Option<Url> {
    let attachments = item.get("attachments").and_then(Value::as_array).into_iter().flatten();
    attachments.filter_map(|attachment| text::web_url(attachment.get("url")?.as_str()?, base)).next()
}

fn authors(value: &Value) -> Vec<String> {
    let many = value.get("authors").and_then(Value::as_array).into_iter().flatten();
    many.chain(value.get("author")).filter_map(|author| string(author, "name").or_else(|| text_of(author))).collect()
}

fn string(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(text_of)
}

/// Texts, and numbers as texts: numeric ids are common.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.chars().filter(|c| text::is_legal(*c)).collect()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The items of a feed, each as a JSON object, and the fields of theirs that are asked for.
    fn check(item: &str, field: impl Fn(&Entry) -> String, expected: &str) {
        let document = format!(
            "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"home_page_url\":\"https://example.org/\",\"authors\":[{{\"name\":\"Feed\"}}],\"items\":[{item}]}}"
        );
        let feed = parse(&document, None, 10, &mut Repairs::default()).unwrap();
        assert_eq!(feed.entries.first().map(field).unwrap_or_default(), expected, "{item}");
    }

    #[test]
    fn fields_of_the_wrong_type_are_missing() {
        let title = |entry: &Entry| entry.title.clone();
        check("{\"title\":\" a\\n b\\u0000 \"}", title, "a b");
        check("{\"title\":7}", title, "7");
        check("{\"title\":[\"a\"]}", title, "");
        check("{\"title\":null,\"tags\":{}}", title, "");
        check("7", title, "");
        check("{\"id\":7.5}", |entry| entry.id.clone(), "7.5");
        check("{\"tags\":[\"a\",3,null,\" \"]}", |entry| entry.categories.join("; "), "a; 3");
    }

    #[test]
    fn links_are_found_in_their_order() {
        let link = |entry: &Entry| entry.link.clone().unwrap_or_default();
        let attached = "\"attachments\":[{\"url\":7},{\"url\":\"/a.mp3\"},{\"url\":\"/b.mp3\"}]";
        check(
            "{\"url\":\"a?utm_source=x\",\"external_url\":\"b\",\"id\":\"https://c.org/\"}",
            link,
            "https://example.org/a",
        );
        check("{\"external_url\":\"b\",\"id\":\"https://c.org/\"}", link, "https://example.org/b");
        check(&format!("{{\"id\":\"https://c.org/\",{attached}}}"), link, "https://c.org/");
        check(&format!("{{\"id\":\"c\",{attached}}}"), link, "https://example.org/a.mp3");
        check("{\"id\":\"c\",\"attachments\":[{\"url\":\"mailto:x\"}]}", link, "");
    }

    #[test]
    fn authors_are_those_of_the_item_or_else_of_the_feed() {
        let authors = |entry: &Entry| entry.authors.join("; ");
        check("{\"authors\":[{\"name\":\"A\"},{\"url\":\"x\"},\"B\"],\"author\":{\"name\":\"C\"}}", authors, "A; B; C");
        check("{\"author\":\"D\"}", authors, "D");
        check("{\"authors\":[]}", authors, "Feed");
    }

    #[test]
    fn texts_are_what_they_say_they_are() {
        let body = |entry: &Entry| format!("{:?}", entry.body());
        check("{\"content_text\":\"a <b>b</b>\"}", body, "(\"a <b>b</b>\", Plain)");
        check("{\"content_html\":\"a <b>b</b>\",\"content_text\":\"c\"}", body, "(\"a <b>b</b>\", Html)");
        check("{\"content_html\":\"<a href='x'>\"}", body, "(\"<a href='https://example.org/x'>\", Html)");
        check("{\"summary\":\"s <i>t</i>\"}", body, "(\"s <i>t</i>\", Html)");
        check("{\"language\":\"de_AT\"}", |entry| entry.language.clone().unwrap_or_default(), "de-at");
    }
}
