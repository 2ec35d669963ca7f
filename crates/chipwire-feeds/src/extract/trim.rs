//! The last look at a text: lines that belong to the page and not to the article.

use super::choose::{is_prose, letters};
use crate::{date, text::collapse};

/// What short lines begin with that are no part of an article, in lower case.
const STARTS: &[&str] = &[
    "advertisement",
    "article continues below",
    "click here to",
    "continue reading",
    "download the app",
    "follow us on",
    "get the latest",
    "image credit:",
    "image:",
    "editor:",
    "listen to this article",
    "load more",
    "more from ",
    "more on this story",
    "more stories",
    "most popular",
    "most read",
    "photo by ",
    "photo credit",
    "photo:",
    "please enable javascript",
    "read also",
    "read or share",
    "read more",
    "read next",
    "recommended",
    "related articles",
    "related content",
    "related coverage",
    "related stories",
    "related topics",
    "related:",
    "scroll to continue",
    "see also:",
    "lesen sie auch",
    "lire aussi",
    "lea también",
    "share on ",
    "share this",
    "sign in to",
    "sign up for",
    "sign up to",
    "skip to ",
    "story continues",
    "subscribe to",
    "subscribe now",
    "support our journalism",
    "to read the full story",
    "you may also like",
    "you might also like",
    "相关阅读",
    "延伸阅读",
    "推荐阅读",
    "责任编辑",
    "点击进入",
    "分享到",
];

/// Whole lines that are no part of an article, in lower case.
const LINES: &[&str] = &[
    "ad",
    "ads",
    "comment",
    "comments",
    "close",
    "copy link",
    "copied",
    "email",
    "facebook",
    "linkedin",
    "loading...",
    "menu",
    "next",
    "pinterest",
    "previous",
    "print",
    "related",
    "save",
    "share",
    "sponsored",
    "subscribe",
    "tags",
    "topics",
    "tweet",
    "twitter",
    "whatsapp",
];

/// Lines longer than this are sentences, whatever they begin with, in letters.
const MAX_JUNK: usize = 90;

/// Lines at either end that may be no sentences and are taken off.
const MAX_EDGE_LINES: usize = 6;

/// Lines at the head among which headline and byline are looked for.
const HEAD_LINES: usize = 5;

/// Takes off what is no part of the article, and puts the paragraphs in order.
pub(super) fn trim(text: &str, title: &str, authors: &[String]) -> String {
    let lines: Vec<String> = text.lines().map(collapse).filter(|line| !line.is_empty()).collect();
    let lines = without_edges(&lines);
    let mut out = String::with_capacity(text.len());
    let mut last = "";
    for (number, line) in lines.iter().enumerate() {
        let above = number < HEAD_LINES && (is_title(line, title) || is_byline(line, authors));
        if above || is_junk(line) || line == last {
            continue;
        }
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.push_str(line);
        last = line;
    }
    // A text that is only such lines was no article to begin with, but it is all there is.
    if out.is_empty() { lines.join("\n\n") } else { out }
}

/// The lines without those before the first sentence and after the last: bylines, buttons, tags, links. Where they are many,
/// they are what the text is made of: a poem, a list.
fn without_edges(lines: &[String]) -> &[String] {
    let first = lines.iter().position(|line| is_prose(line)).filter(|first| *first <= MAX_EDGE_LINES).unwrap_or(0);
    let end = lines.iter().rposition(|line| is_prose(line)).map_or(0, |last| last + 1);
    let end = if lines.len() - end <= MAX_EDGE_LINES && end > first { end } else { lines.len() };
    lines.get(first..end).unwrap_or(lines)
}

fn is_title(line: &str, title: &str) -> bool {
    !title.is_empty() && line.to_lowercase() == title.to_lowercase()
}

/// Whether a line at the head says who wrote the article, and when.
fn is_byline(line: &str, authors: &[String]) -> bool {
    if is_prose(line) || letters(line) > MAX_JUNK {
        return false;
    }
    let lower = line.to_lowercase();
    let digits = line.chars().filter(char::is_ascii_digit).count();
    let labels = ["by ", "by:", "written by", "published", "posted", "submitted", "updated", "last updated", "von "];
    digits >= 6
        || (digits >= 4 && date::parse(line).is_some())
        || labels.iter().any(|label| lower.starts_with(label))
        || authors.iter().any(|author| lower.contains(&author.to_lowercase()) && letters(line) < letters(author) + 30)
}

fn is_junk(line: &str) -> bool {
    if letters(line) > MAX_JUNK {
        return false;
    }
    let lower = line.to_lowercase();
    let bare = lower.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
    bare.is_empty() || LINES.contains(&bare) || STARTS.iter().any(|start| bare.starts_with(start))
}
