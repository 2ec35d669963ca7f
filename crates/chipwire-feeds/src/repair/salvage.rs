//! Item by item, when the whole cannot be parsed.

use feed_rs::model;

use super::canonical::Canonical;

/// What could be saved: the feed's own fields, and for every item the entry or nothing.
pub(crate) struct Salvaged {
    pub(crate) feed: model::Feed,
    pub(crate) entries: Vec<Option<model::Entry>>,
}

/// Parses every item alone, with the given parser. None if not one could be saved and the feed's own fields neither.
pub(crate) fn salvage(document: &Canonical, parse: impl Fn(&str) -> Option<model::Feed>) -> Option<Salvaged> {
    let head = parse(&document.part(None));
    let entries: Vec<Option<model::Entry>> = document
        .items
        .iter()
        .map(|item| parse(&document.part(Some(item))).and_then(|feed| feed.entries.into_iter().next()))
        .collect();
    let any = entries.iter().find_map(Option::as_ref).is_some();
    match head {
        Some(feed) => Some(Salvaged { feed, entries }),
        // A feed that cannot be parsed even without items has no title, but its items are what counts.
        None if any => {
            let feed = document.items.iter().find_map(|item| parse(&document.part(Some(item))))?;
            Some(Salvaged { feed: model::Feed { entries: Vec::new(), ..feed }, entries })
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::{
        Repairs,
        canonical::{Family, write},
        entities::Declared,
    };

    fn parse(xml: &str) -> Option<model::Feed> {
        if xml.contains("bad") { None } else { feed_rs::parser::parse(xml.as_bytes()).ok() }
    }

    fn check(text: &str, family: Family, expected: Option<(&str, &[&str])>) {
        let document = write(text, family, None, 10, &Declared::default(), &mut Repairs::default());
        let saved = salvage(&document, parse).map(|saved| {
            let title = saved.feed.title.map(|title| title.content).unwrap_or_default();
            let entries = saved.entries.into_iter().map(|entry| entry.map_or("-".to_owned(), |entry| entry.id));
            (title, entries.collect::<Vec<_>>())
        });
        let expected = expected.map(|(title, ids)| (title.to_owned(), ids.iter().map(|&id| id.to_owned()).collect()));
        assert_eq!(saved, expected, "{text}");
    }

    #[test]
    fn one_bad_item_takes_no_other_with_it() {
        check(
            "<rss><channel><title>T</title><item><guid>1</guid></item><item><guid>bad</guid></item><item><guid>3</guid></item>",
            Family::Rss,
            Some(("T", &["1", "-", "3"])),
        );
        check(
            "<feed><title>T</title><entry><id>1</id></entry><entry><id>bad</id></entry></feed>",
            Family::Atom,
            Some(("T", &["1", "-"])),
        );
        check("<rss><title>bad</title><item><guid>1</guid></item></rss>", Family::Rss, Some(("", &["1"])));
        check("<rss><title>bad</title><item><guid>bad</guid></item></rss>", Family::Rss, None);
    }
}
