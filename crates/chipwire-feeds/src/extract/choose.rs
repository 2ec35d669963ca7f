//! Which library's text to trust.

use std::collections::HashSet;

use dom_query::Document;

use super::{libraries, meta::Meta};

/// A text shorter than this is no article on its own, in letters; an ideograph counts for two.
const SHORT: usize = 500;

/// A `<p>` of this many letters is a paragraph of some text, and no caption or button.
const PARAGRAPH: usize = 80;

/// An `articleBody` of this many letters is worth comparing with.
const BODY: usize = 400;

/// From here on two texts are readings of the same article.
const SAME: f64 = 0.4;

/// The main text of a page.
///
/// dom_smoothie's is taken as it is where nothing speaks against it. Else trafilatura reads the page as well, and where both
/// mean the same article each corrects the other ([`merged`]); where they do not, the better one is taken.
pub(super) fn main_text(html: &str, meta: &Meta) -> Option<String> {
    let first = libraries::dom_smoothie(html);
    let said = meta.body.as_deref().filter(|body| letters(body) >= BODY);
    let paragraphs = paragraphs(html);
    if let Some(first) = &first
        && is_trusted(first, &paragraphs, said)
    {
        return Some(first.clone());
    }
    let second = libraries::trafilatura(html);
    if let (Some(first), Some(second)) = (&first, &second)
        && agreement(first, second) >= SAME
    {
        let merged = merged(first, second);
        return better([Some(merged), None], &paragraphs, said);
    }
    better([first, second], &paragraphs, said)
}

/// Whether a text can be taken without asking the other library: it has what the page has, and nothing else.
fn is_trusted(text: &str, paragraphs: &[String], said: Option<&str>) -> bool {
    if said.is_some_and(|said| agreement(text, said) >= 0.97) {
        return true;
    }
    letters(text) >= SHORT
        && coverage(text, paragraphs) >= 0.97
        && text.lines().all(|line| line.trim().is_empty() || is_prose(line))
}

/// Takes the better of two texts, or what the page's JSON-LD has if neither has it.
fn better(texts: [Option<String>; 2], paragraphs: &[String], said: Option<&str>) -> Option<String> {
    let texts: Vec<String> = texts.into_iter().flatten().collect();
    let best = match said {
        Some(said) => texts.into_iter().max_by(|a, b| agreement(a, said).total_cmp(&agreement(b, said))),
        None => texts.into_iter().rev().max_by(|a, b| worth(a, paragraphs).total_cmp(&worth(b, paragraphs))),
    };
    match (best, said) {
        // The page is put together by a script, or ends at a wall, and only its JSON-LD has the text.
        (Some(best), Some(said)) if letters(&best) * 2 < letters(said) => Some(said.to_owned()),
        (Some(best), Some(said)) if agreement(&best, said) < 0.3 && letters(&best) < letters(said) => {
            Some(said.to_owned())
        }
        (None, Some(said)) => Some(said.to_owned()),
        (best, _) => best,
    }
}

/// Two readings of one article as one.
///
/// The first is the ground. A line of it that is no sentence (a button, a caption, a date) needs the second's vote, as does all
/// that comes after the last line that both have. A sentence that only the second has is put in where it stands between lines
/// that both have, or before the first of them: that is how a lead outside of the main block is won back.
fn merged(first: &str, second: &str) -> String {
    let split = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let (ours, theirs) = (split(first), split(second));
    let (all_ours, all_theirs) = (compared(first), compared(second));
    let in_theirs = |line: &str| all_theirs.contains(&compared(line));
    let last = ours.iter().rposition(|line| is_prose(line) && in_theirs(line)).unwrap_or(ours.len());
    let mut out: Vec<&str> = Vec::new();
    // What of the second has been passed.
    let mut passed = 0;
    for (number, line) in ours.iter().enumerate() {
        let same = compared(line);
        let shared = all_theirs.contains(&same);
        if !shared && (number > last || !is_prose(line)) {
            continue;
        }
        if shared && is_prose(line) {
            let at = theirs.iter().skip(passed).position(|their| compared(their).contains(&same));
            if let Some(at) = at {
                let between = theirs.iter().skip(passed).take(at);
                let only_theirs = between.filter(|their| is_prose(their) && letters(their) >= PARAGRAPH);
                out.extend(only_theirs.filter(|their| !all_ours.contains(&compared(their))).map(String::as_str));
                passed += at + 1;
            }
        }
        out.push(line);
    }
    out.join("\n\n")
}

/// How good a text looks: as much of the page's paragraphs as can be had, with little else.
fn worth(text: &str, paragraphs: &[String]) -> f64 {
    let long = (letters(text) as f64 / SHORT as f64).min(1.0);
    let covered = coverage(text, paragraphs);
    let prose = share_of_prose(text);
    long * 0.5 + 2.0 * covered * prose / (covered + prose).max(0.01)
}

/// Letters and digits, ideographs and syllables counted twice: they say as much as half a word.
pub(super) fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

/// The paragraphs of a page, where it has any, as they are compared.
fn paragraphs(html: &str) -> Vec<String> {
    let document = Document::from(html);
    let mut paragraphs = Vec::new();
    for node in document.select("p").nodes().iter().take(2_000) {
        let outside = node.ancestors_it(Some(12)).any(|above| {
            ["aside", "footer", "form", "figure", "table"].iter().any(|name| above.has_name(name))
                || above.class().is_some_and(|class| class.to_ascii_lowercase().contains("comment"))
                || above.id_attr().is_some_and(|id| id.to_ascii_lowercase().contains("comment"))
        });
        let text = node.text();
        if outside || letters(&text) < PARAGRAPH {
            continue;
        }
        let linked: usize = node.find(&["a"]).iter().map(|link| letters(&link.text())).sum();
        if linked * 2 < letters(&text) {
            paragraphs.push(compared(&text));
        }
    }
    paragraphs
}

/// A text as letters only, in which white space and signs cannot differ.
fn compared(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How much of the paragraphs is in a text: 1 where there are none.
fn coverage(text: &str, paragraphs: &[String]) -> f64 {
    let text = compared(text);
    let all: usize = paragraphs.iter().map(String::len).sum();
    let covered: usize = paragraphs.iter().filter(|paragraph| text.contains(paragraph.as_str())).map(String::len).sum();
    if all == 0 { 1.0 } else { covered as f64 / all as f64 }
}

/// How much of a text stands in lines that are sentences.
fn share_of_prose(text: &str) -> f64 {
    let (mut all, mut prose) = (0_usize, 0_usize);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let count = letters(line);
        all += count;
        prose += if is_prose(line) { count } else { 0 };
    }
    if all == 0 { 0.0 } else { prose as f64 / all as f64 }
}

/// Whether a line is a sentence or more.
pub(super) fn is_prose(line: &str) -> bool {
    let line = line.trim();
    let count = letters(line);
    let ends =
        line.ends_with(['.', '!', '?', '"', ':', ';', ')', '…', '”', '’', '»', '。', '！', '？', '：', '」', '』']);
    count >= PARAGRAPH || (count >= 30 && ends)
}

/// How far two texts are the same: F1 of their runs of four words, or of four characters where words are not apart.
pub(super) fn agreement(a: &str, b: &str) -> f64 {
    let (a, b) = (runs(a), runs(b));
    let common = a.intersection(&b).count() as f64;
    let all = (a.len() + b.len()) as f64;
    if all == 0.0 { 1.0 } else { 2.0 * common / all }
}

fn runs(text: &str) -> HashSet<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let lower = text.to_lowercase();
    let mut words: Vec<&str> = Vec::new();
    for part in lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()) {
        if part.chars().any(|c| c >= '\u{2e80}') {
            words.extend(part.char_indices().filter_map(|(at, c)| part.get(at..at + c.len_utf8())));
        } else {
            words.push(part);
        }
    }
    words
        .windows(4)
        .map(|run| {
            let mut hasher = DefaultHasher::new();
            run.hash(&mut hasher);
            hasher.finish()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sentence that is long enough to be a paragraph.
    fn sentence(start: &str) -> String {
        format!(
            "{start} is the beginning of a sentence that goes on for a while, says nothing new, and comes to its end here."
        )
    }

    #[test]
    fn two_readings_correct_each_other() {
        let (lead, a, b, c, tail) =
            (sentence("Lead"), sentence("Alpha"), sentence("Beta"), sentence("Gamma"), sentence("Advice"));
        let first = format!("{a}\n\nShare this\n\nA heading\n\n{c}\n\n{tail}\n\nMore stories");
        let second = format!("{lead}\n\n{a}\n\nA heading\n\n{b}\n\n{c}\n\nAnother box");
        let merged = merged(&first, &second);
        assert_eq!(merged.split("\n\n").collect::<Vec<_>>(), [&lead, &a, "A heading", &b, &c]);
    }

    #[test]
    fn what_the_page_says_of_its_text_decides() {
        let (a, b) = (sentence("Alpha").repeat(6), sentence("Beta").repeat(6));
        let pick = |said: Option<&str>| better([Some(a.clone()), Some(b.clone())], &[], said);
        assert_eq!(pick(None), Some(a.clone()));
        assert_eq!(pick(Some(&b)), Some(b.clone()));
        // A page that ends at a wall has its text in JSON-LD only.
        let whole = format!("{a} {}", sentence("Delta").repeat(20));
        assert_eq!(better([Some(a.clone()), None], &[], Some(&whole)), Some(whole.clone()));
        assert_eq!(better([None, None], &[], None), None);
    }
}
