//! From feeds to the text of a list.

use std::{collections::BTreeMap, fmt::Write};

use chipwire_events::{Feed, FeedList, HeadElement, ListFolder};

use super::{NAMESPACE, PREFIX};
use crate::text;

/// What is said of a folder of which nothing is said.
static NOTHING: BTreeMap<String, String> = BTreeMap::new();

/// What else is said of a folder.
type Said<'a> = Option<&'a BTreeMap<String, String>>;

/// An outline of the list to be.
enum Outline<'a> {
    Feed(&'a Feed),
    /// A feed in a folder that is not its first.
    Also(&'a Feed),
    /// With its name and what else is said of it.
    Folder(&'a str, Said<'a>, Vec<Outline<'a>>),
}

/// Writes a list as OPML 2.0: the feeds in their folders, in the order in which their own lists had them, those that were
/// added one by one after them by folder and address. A feed in several folders is written into each of them. `frames` are
/// what their lists said besides; where two say the same of the head, the first is right.
pub fn write(feeds: &[Feed], frames: &[FeedList]) -> String {
    let mut sorted: Vec<&Feed> = feeds.iter().collect();
    sorted.sort_by_key(|feed| (feed.position.is_none(), feed.position));
    let own = sorted.iter().any(|feed| {
        feed.interval_s.is_some() || feed.paused || feed.article_pages.is_some() || !feed.also_in.is_empty()
    });
    let mut top = Vec::new();
    let mut folders: Vec<&ListFolder> = frames.iter().flat_map(|frame| &frame.folders).collect();
    folders.sort_by_key(|folder| folder.position);
    let mut folders = folders.into_iter().peekable();
    for feed in &sorted {
        while let Some(folder) = folders.next_if(|folder| feed.position.is_none_or(|at| folder.position <= at)) {
            insert_folder(&mut top, &folder.path, &folder.outline);
        }
        insert(&mut top, &feed.folder, &feed.folder_outlines, Outline::Feed(feed));
    }
    folders.for_each(|folder| insert_folder(&mut top, &folder.path, &folder.outline));
    // In the order in which they stand in the list now, and so in which they will be read.
    let mut in_order = Vec::with_capacity(sorted.len());
    feeds_of(&top, &mut in_order);
    let others = in_order.into_iter().flat_map(|feed| {
        feed.also_in.iter().filter(|folder| **folder != feed.folder).map(move |folder| (feed, folder))
    });
    // All folders come before what lies in them, so that they are read in this order again.
    others.clone().for_each(|(_, folder)| insert_folder(&mut top, folder, &NOTHING));
    others.for_each(|(feed, folder)| insert(&mut top, folder, &[], Outline::Also(feed)));
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\"".to_owned();
    if own {
        attribute(&mut out, &format!("xmlns:{PREFIX}"), NAMESPACE);
    }
    out.push_str(">\n  <head>\n");
    let mut head: Vec<&HeadElement> = Vec::new();
    for element in frames.iter().flat_map(|frame| &frame.head) {
        if !head.iter().any(|known| known.name == element.name) {
            head.push(element);
        }
    }
    if !head.iter().any(|element| element.name == "title") {
        out.push_str("    <title>Feeds followed by chipwire</title>\n");
    }
    for HeadElement { name, text, attributes } in head {
        out.push_str("    <");
        out.push_str(name);
        attributes.iter().for_each(|(name, value)| attribute(&mut out, name, value));
        out.push('>');
        escaped(&mut out, text);
        out.push_str("</");
        out.push_str(name);
        out.push_str(">\n");
    }
    out.push_str("  </head>\n  <body>\n");
    outlines(&mut out, &top, 2);
    out.push_str("  </body>\n</opml>\n");
    out
}

/// Puts a feed into the folder at `path`, which is made where it is not there.
fn insert<'a>(
    level: &mut Vec<Outline<'a>>,
    path: &'a [String],
    said: &'a [BTreeMap<String, String>],
    feed: Outline<'a>,
) {
    let Some((name, rest)) = path.split_first() else {
        level.push(feed);
        return;
    };
    if let Some((known, inside)) = folder(level, name) {
        *known = known.or_else(|| said.first().filter(|said| !said.is_empty()));
        insert(inside, rest, said.get(1..).unwrap_or_default(), feed);
    }
}

/// Makes the folder at `path` where it is not there.
fn insert_folder<'a>(level: &mut Vec<Outline<'a>>, path: &'a [String], said: &'a BTreeMap<String, String>) {
    let Some((name, rest)) = path.split_first() else { return };
    let Some((known, inside)) = folder(level, name) else { return };
    match rest {
        [] => *known = known.or_else(|| Some(said).filter(|said| !said.is_empty())),
        _ => insert_folder(inside, rest, said),
    }
}

/// The folder of this name, which is made where it is not there: what else is said of it, and what is in it.
fn folder<'a, 'l>(
    level: &'l mut Vec<Outline<'a>>,
    name: &'a str,
) -> Option<(&'l mut Said<'a>, &'l mut Vec<Outline<'a>>)> {
    let found = level.iter().position(|outline| matches!(outline, Outline::Folder(known, ..) if *known == name));
    let at = found.unwrap_or_else(|| {
        level.push(Outline::Folder(name, None, Vec::new()));
        level.len() - 1
    });
    match level.get_mut(at) {
        Some(Outline::Folder(_, known, inside)) => Some((known, inside)),
        _ => None,
    }
}

fn feeds_of<'a>(level: &[Outline<'a>], feeds: &mut Vec<&'a Feed>) {
    for outline in level {
        match outline {
            Outline::Feed(feed) | Outline::Also(feed) => feeds.push(feed),
            Outline::Folder(_, _, inside) => feeds_of(inside, feeds),
        }
    }
}

fn outlines(out: &mut String, level: &[Outline<'_>], depth: usize) {
    for outline in level {
        out.push_str(&"  ".repeat(depth));
        out.push_str("<outline");
        match outline {
            Outline::Feed(feed) => {
                feed_attributes(out, feed);
                out.push_str("/>\n");
            }
            Outline::Also(feed) => {
                feed_attributes(out, feed);
                attribute(out, &format!("{PREFIX}:also"), "true");
                out.push_str("/>\n");
            }
            Outline::Folder(name, said, inside) => {
                attribute(out, "text", name);
                if said.is_none_or(|said| !said.contains_key("title")) {
                    attribute(out, "title", name);
                }
                for (name, value) in said.iter().copied().flatten() {
                    attribute(out, name, value);
                }
                if inside.is_empty() {
                    out.push_str("/>\n");
                    continue;
                }
                out.push_str(">\n");
                outlines(out, inside, depth + 1);
                out.push_str(&"  ".repeat(depth));
                out.push_str("</outline>\n");
            }
        }
    }
}

fn feed_attributes(out: &mut String, feed: &Feed) {
    let name = feed.title.as_deref().unwrap_or(&feed.url);
    if !feed.outline.contains_key("type") {
        attribute(out, "type", "rss");
    }
    attribute(out, "text", name);
    if !feed.outline.contains_key("title") {
        attribute(out, "title", name);
    }
    attribute(out, "xmlUrl", &feed.url);
    if let Some(site) = &feed.site {
        attribute(out, "htmlUrl", site);
    }
    if !feed.tags.is_empty() {
        attribute(out, "category", &feed.tags.join(","));
    }
    for (name, value) in &feed.outline {
        attribute(out, name, value);
    }
    if let Some(interval_s) = feed.interval_s {
        attribute(out, &format!("{PREFIX}:interval"), &interval_s.to_string());
    }
    if feed.paused {
        attribute(out, &format!("{PREFIX}:paused"), "true");
    }
    if let Some(pages) = feed.article_pages {
        attribute(out, &format!("{PREFIX}:articlePages"), pages.name());
    }
}

/// Writes an attribute so that it is read as it is: white space other than the blank would become one (XML 1.0 section 3.3.3).
fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escaped(out, value);
    out.push('"');
}

fn escaped(out: &mut String, value: &str) {
    for c in value.chars().filter(|c| text::is_legal(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => drop(write!(out, "&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
}
