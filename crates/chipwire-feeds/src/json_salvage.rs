//! Item by item, when a JSON Feed is no valid JSON.

use serde_json::{Map, Value};

/// Bytes that are parsed at most, as a multiple of the document: hostile nesting could otherwise be parsed over and over.
const MAX_WORK: usize = 8;

/// The items of `document` that are valid JSON each, as a feed with what can be read of the feed's own fields. With the
/// number of places where an item seems to have been and cannot be read. None if there is no item.
pub(crate) fn salvage(document: &str) -> Option<(Value, usize)> {
    let list = document.find("\"items\"")?;
    let (head, rest) = document.split_at(list);
    let open = rest.find('[')?;
    let rest = rest.get(open + 1..)?;
    let mut items = Vec::new();
    let mut lost = 0;
    let mut damaged = false;
    let mut at = 0;
    let mut work = document.len().saturating_mul(MAX_WORK);
    while let Some(start) = item_start(rest, at) {
        let from = rest.get(start..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(from).into_iter::<Value>();
        let value = values.next();
        match value {
            Some(Ok(value)) => {
                at = start + values.byte_offset().max(1);
                let (before, whole) = (items.len(), is_item(&value));
                take(value, &mut items);
                if items.len() > before {
                    lost += usize::from(std::mem::take(&mut damaged) || !whole);
                }
            }
            Some(Err(error)) => {
                damaged = true;
                at = start + 1;
                work = work.checked_sub(read_until(from, &error))?;
            }
            None => break,
        }
    }
    lost += usize::from(damaged);
    let mut feed = head_of(head);
    if items.is_empty() {
        return None;
    }
    feed.insert("items".to_owned(), Value::Array(items));
    Some((Value::Object(feed), lost))
}

/// How far was read until an error, in bytes.
fn read_until(text: &str, error: &serde_json::Error) -> usize {
    let lines: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    lines + error.column()
}

/// Where the next item may begin: a brace at the start, after a comma, or after another brace.
fn item_start(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let mut before = if from == 0 { ',' } else { text.get(..from)?.trim_end().chars().next_back()? };
    for (at, c) in rest.char_indices() {
        if c == '{' && matches!(before, ',' | '[' | '}' | ']') {
            return Some(from + at);
        }
        if !c.is_whitespace() {
            before = c;
        }
    }
    None
}

/// Authors and attachments are objects as well. An attachment, which may have a title, has to have a type (JSON Feed 1.1,
/// Attachments).
fn is_item(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some();
    ["id", "content_html", "content_text", "date_published"].into_iter().any(has)
        || (has("url") && has("title") && !has("mime_type"))
}

/// The number of what can only be items among the items of `feed`.
pub(crate) fn count(feed: &Value) -> usize {
    let items = feed.get("items").and_then(Value::as_array).into_iter().flatten();
    items.filter(|item| is_item(item)).count()
}

/// Puts items that stand in another list of `feed` into its list `items`, and says how many: where an item has no beginning, its
/// own end closes that list, and a list of its own takes the others.
pub(crate) fn put_back(feed: &mut Value) -> usize {
    let Some(fields) = feed.as_object_mut() else { return 0 };
    let mut items = Vec::new();
    // What begins with an underscore is an extension (JSON Feed 1.1, Extensions), whose objects may be anything.
    for (_, field) in fields.iter_mut().filter(|(key, _)| *key != "items" && !key.starts_with('_')) {
        if let Value::Array(list) = field {
            list.extract_if(.., |value| is_item(value)).for_each(|item| take(item, &mut items));
        }
    }
    let moved = items.len();
    match fields.get_mut("items") {
        Some(Value::Array(list)) => list.extend(items),
        _ => return 0,
    }
    moved
}

/// Takes a value if it is an item, and those that stand in a list of it because that has no end.
fn take(mut item: Value, items: &mut Vec<Value>) {
    let mut swallowed = Vec::new();
    for (_, field) in item.as_object_mut().into_iter().flatten() {
        if let Value::Array(list) = field {
            swallowed.extend(list.extract_if(.., |value| is_item(value)));
        }
    }
    if is_item(&item) {
        items.push(item);
    }
    for item in swallowed {
        take(item, items);
    }
}

/// The fields before the items.
fn head_of(head: &str) -> Map<String, Value> {
    let head = head.trim_end().trim_end_matches(',');
    match serde_json::from_str(&format!("{head}}}")) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str, expected: Option<(&str, &[&str], usize)>) {
        let saved = salvage(document).map(|(feed, lost)| {
            let title = feed["title"].as_str().unwrap_or("-").to_owned();
            let ids: Vec<String> =
                feed["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()).collect();
            (title, ids, lost)
        });
        let expected = expected
            .map(|(title, ids, lost)| (title.to_owned(), ids.iter().map(|id| (*id).to_owned()).collect(), lost));
        assert_eq!(saved, expected, "{document}");
    }

    #[test]
    fn one_bad_item_takes_no_other_with_it() {
        let start = "{\"version\":\"1\",\"title\":\"T\",\"items\":[";
        check(&format!("{start}{{\"id\":1}},{{\"id\":2,}},{{\"id\":3}}]}}"), Some(("T", &["1", "3"], 1)));
        check(&format!("{start}{{\"id\":1}},{{\"id\":2,\"a\":\"x"), Some(("T", &["1"], 1)));
        check(&format!("{start}{{\"id\":1,\"authors\":[{{\"name\":\"x\"}}],}},{{\"id\":2}}]"), Some(("T", &["2"], 1)));
        check(&format!("{start}{{\"id\":1,\"tags\":[\"a\",{{\"id\":2}}]}}"), Some(("T", &["1", "2"], 0)));
        check(&format!("{start}{{\"i\":1,\"tags\":[\"a\",{{\"id\":2}}]}}"), Some(("T", &["2"], 1)));
        check(&format!("{start}{{\"id\":1}} {{\"id\":2}}"), Some(("T", &["1", "2"], 0)));
        check("{\"title\":\"a\"b\",\"items\":[{\"id\":1}", Some(("-", &["1"], 0)));
        check("{\"items\":[}", None);
        check("{\"a\":1", None);
    }

    #[test]
    fn items_of_other_lists_are_put_back() {
        let mut feed = serde_json::json!({"items": [{"id": 1}], "tags": ["a", {"id": 2}], "_more": [{"id": 3}]});
        assert_eq!(put_back(&mut feed), 1);
        assert_eq!(feed, serde_json::json!({"items": [{"id": 1}, {"id": 2}], "tags": ["a"], "_more": [{"id": 3}]}));
        assert_eq!(put_back(&mut serde_json::json!({"tags": [{"id": 2}]})), 0);
        assert_eq!(put_back(&mut serde_json::json!([])), 0);
    }

    #[test]
    fn hostile_nesting_is_given_up() {
        let document = format!("{{\"items\":[{}", "{\"a\":[".repeat(20_000));
        assert_eq!(salvage(&document), None);
        let document = format!("{{\"items\":[{}", "{\"id\":1,\n".repeat(20_000));
        assert_eq!(salvage(&document), None);
    }
}
