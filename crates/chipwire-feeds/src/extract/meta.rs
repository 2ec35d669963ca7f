//! What a page says of itself: headline, authors, time, language.
//!
//! The order of trust is the same for all: JSON-LD of an article (schema.org), then `<meta>`, then the elements that readers
//! see, then guesses.

use chipwire_events::Timestamp;
use dom_query::Document;
use serde_json::Value;
use url::Url;

use crate::{date, text};

/// Types of schema.org whose objects are articles end so.
const ARTICLE_TYPES: &[&str] = &["Article", "Posting", "Report", "PressRelease", "Review"];

/// Names of `<meta>` that hold the time of publication, the most trusted first.
const TIME_NAMES: &[&str] = &[
    "article:published_time",
    "article:published",
    "og:published_time",
    "og:article:published_time",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "publish-date",
    "publish_date",
    "publishdate",
    "publication_date",
    "publication-date",
    "published",
    "pubdate",
    "pub_date",
    "article_date_original",
    "originalpublicationdate",
    "rnews:datepublished",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date.created",
    "dcterms.date",
    "dc.date",
    "citation_publication_date",
    "citation_date",
    "weibo:article:create_at",
    "bt:pubdate",
    "article.published",
    "displaydate",
    "ptime",
    "date",
    "created",
    "timestamp",
];

/// Names of `<meta>` that hold an author.
const AUTHOR_NAMES: &[&str] = &[
    "author",
    "article:author",
    "article:author_name",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dcterms.creator",
    "byl",
    "byline",
    "citation_author",
    "cxenseparse:author",
];

/// Names of `<meta>` that hold the headline.
const TITLE_NAMES: &[&str] =
    &["og:title", "twitter:title", "parsely-title", "dc.title", "dcterms.title", "sailthru.title"];

/// Authors of one page.
const MAX_AUTHORS: usize = 10;

/// What a page says of itself.
#[derive(Debug, Default)]
pub(super) struct Meta {
    pub(super) title: String,
    pub(super) published: Option<Timestamp>,
    pub(super) authors: Vec<String>,
    language: Option<String>,
    /// The main text as JSON-LD has it: often without paragraphs, and sometimes only its beginning.
    pub(super) body: Option<String>,
}

impl Meta {
    /// The language that is declared, unless the letters say another: templates in English are filled with all languages.
    pub(super) fn language_of(&self, article: &str) -> Option<String> {
        let mut letters = 0_usize;
        let (mut han, mut kana, mut hangul) = (0_usize, 0_usize, 0_usize);
        for c in article.chars().take(4_000).filter(|c| c.is_alphabetic()) {
            letters += 1;
            match c {
                '\u{4e00}'..='\u{9fff}' => han += 1,
                '\u{3040}'..='\u{30ff}' => kana += 1,
                '\u{ac00}'..='\u{d7af}' => hangul += 1,
                _ => {}
            }
        }
        let seen = if hangul * 3 > letters {
            "ko"
        } else if kana * 10 > letters {
            "ja"
        } else if han * 2 > letters {
            "zh"
        } else {
            return self.language.clone();
        };
        let fits = self.language.as_deref().filter(|tag| tag.split('-').next() == Some(seen));
        Some(fits.unwrap_or(seen).to_owned()).filter(|_| letters > 0)
    }
}

/// Reads the metadata of a page.
pub(super) fn read(document: &Document, json_ld: &[String], url: Option<&Url>) -> Meta {
    let articles = articles(json_ld);
    let metas = metas(document);
    let site = metas.iter().find(|(name, _)| name == "og:site_name").map(|(_, value)| value.clone());
    Meta {
        title: title(document, &articles, &metas, site.as_deref()),
        published: published(document, &articles, &metas, url),
        authors: authors(document, &articles, &metas),
        language: language(document, &articles, &metas),
        body: articles
            .iter()
            .filter_map(|article| article.get("articleBody").and_then(Value::as_str))
            .map(|body| text::plain_of_html(text::cap_bytes(body, text::MAX_BODY_BYTES)))
            .max_by_key(String::len),
    }
}

/// `<meta>` as name and content, the names in lower case.
fn metas(document: &Document) -> Vec<(String, String)> {
    let mut metas = Vec::new();
    for node in document.select("meta[content]").nodes().iter().take(500) {
        let content = text::collapse(&node.attr_or("content", ""));
        for attribute in ["property", "name", "itemprop", "http-equiv"] {
            if let Some(name) = node.attr(attribute)
                && !content.is_empty()
            {
                metas.push((name.trim().to_ascii_lowercase(), content.clone()));
            }
        }
    }
    metas
}

fn named<'a>(metas: &'a [(String, String)], names: &[&str]) -> impl Iterator<Item = &'a str> {
    let of_name =
        |wanted: &str| metas.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).collect();
    names.iter().flat_map(|wanted| -> Vec<&str> { of_name(wanted) }).collect::<Vec<_>>().into_iter()
}

/// The objects of JSON-LD that are articles, those that say most first.
fn articles(json_ld: &[String]) -> Vec<serde_json::Map<String, Value>> {
    let mut found = Vec::new();
    for script in json_ld.iter().take(50) {
        if let Some(value) = json(script) {
            collect(value, 0, &mut found);
        }
    }
    found.sort_by_key(|article| {
        let has = |key: &str| usize::from(article.contains_key(key));
        std::cmp::Reverse(has("headline") + has("datePublished") + has("author") + has("articleBody"))
    });
    found
}

/// Reads JSON-LD as it is found: in comments or CDATA, with line breaks in strings.
fn json(script: &str) -> Option<Value> {
    let script = script.trim().trim_start_matches("<!--").trim_end_matches("-->");
    let script = script.trim().trim_start_matches("//<![CDATA[").trim_end_matches("//]]>");
    let script = script.trim().trim_start_matches("<![CDATA[").trim_end_matches("]]>").trim().trim_end_matches(';');
    serde_json::from_str(script).ok().or_else(|| {
        let mended: String = script.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        serde_json::from_str(&mended).ok()
    })
}

fn collect(value: Value, depth: usize, found: &mut Vec<serde_json::Map<String, Value>>) {
    if depth > 6 || found.len() >= 20 {
        return;
    }
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, depth + 1, found)),
        Value::Object(mut object) => {
            for key in ["@graph", "mainEntity", "mainEntityOfPage"] {
                if let Some(inner @ (Value::Array(_) | Value::Object(_))) = object.remove(key) {
                    collect(inner, depth + 1, found);
                }
            }
            let is_article =
                |kind: &Value| kind.as_str().is_some_and(|kind| ARTICLE_TYPES.iter().any(|end| kind.ends_with(end)));
            let is_article = match object.get("@type") {
                Some(Value::Array(kinds)) => kinds.iter().any(is_article),
                Some(kind) => is_article(kind),
                None => false,
            };
            if is_article {
                found.push(object);
            }
        }
        _ => {}
    }
}

fn string_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.as_str(),
        Value::Object(object) => object.get("@value").or_else(|| object.get("name"))?.as_str()?,
        Value::Array(values) => return values.iter().find_map(string_of),
        _ => return None,
    };
    Some(text::plain_of_html(text)).filter(|text| !text.is_empty())
}

fn title(
    document: &Document,
    articles: &[serde_json::Map<String, Value>],
    metas: &[(String, String)],
    site: Option<&str>,
) -> String {
    let headings: Vec<String> = document
        .select("h1")
        .nodes()
        .iter()
        .take(20)
        .map(|node| text::collapse(&node.text()))
        .filter(|heading| !heading.is_empty())
        .collect();
    let headline = articles.iter().find_map(|article| article.get("headline").and_then(string_of));
    let named = named(metas, TITLE_NAMES).next().map(text::plain_of_html);
    let whole = document.select("head title").nodes().first().map(|node| text::collapse(&node.text()));
    let whole = whole.filter(|title| !title.is_empty());
    let candidates: Vec<String> = [headline, named, whole].into_iter().flatten().collect();
    // What readers see wins where what machines see agrees with it but for the name of the site.
    let agrees = |heading: &&String| {
        let heading = heading.to_lowercase();
        heading.chars().count() >= 8 && candidates.iter().any(|candidate| candidate.to_lowercase().contains(&heading))
    };
    let title = match headings.iter().find(agrees) {
        Some(heading) => heading.clone(),
        None => match candidates.into_iter().next() {
            Some(candidate) => without_site(&candidate, site),
            None => headings.into_iter().next().unwrap_or_default(),
        },
    };
    text::cap_chars(&title, text::MAX_TITLE_CHARS).trim_end().to_owned()
}

/// A title without the name of the site behind a bar or dash.
fn without_site(title: &str, site: Option<&str>) -> String {
    for separator in [" | ", " - ", " – ", " — ", " · ", " :: ", " » ", "_"] {
        if let Some((headline, last)) = title.rsplit_once(separator) {
            let is_site = site.is_some_and(|site| {
                last.trim().eq_ignore_ascii_case(site.trim()) || last.to_lowercase().contains(&site.to_lowercase())
            });
            let short = last.split_whitespace().count() <= 4 && last.chars().count() <= 40;
            let enough = headline.split_whitespace().count() >= 4 || headline.chars().count() >= 24;
            if is_site || (separator == " | " && short && enough) {
                return without_site(headline.trim(), site);
            }
        }
    }
    title.trim().to_owned()
}

fn published(
    document: &Document,
    articles: &[serde_json::Map<String, Value>],
    metas: &[(String, String)],
    url: Option<&Url>,
) -> Option<Timestamp> {
    let dated = |key: &str| {
        articles.iter().filter_map(|article| article.get(key).and_then(string_of)).find_map(|text| time_of(&text))
    };
    dated("datePublished")
        .or_else(|| named(metas, TIME_NAMES).find_map(time_of))
        .or_else(|| seen_time(document))
        .or_else(|| dated("dateCreated"))
        .or_else(|| url.and_then(date_in_path))
        .or_else(|| written_time(document))
}

/// A time that a page can have been published at.
fn time_of(text: &str) -> Option<Timestamp> {
    let time = date::parse(text.trim())?;
    // Before the web there were no pages.
    (time.as_second() >= 631_152_000).then_some(time)
}

/// The time in an element made for it.
fn seen_time(document: &Document) -> Option<Timestamp> {
    const PLACES: &[&str] = &[
        "[itemprop='datePublished']",
        "time[pubdate]",
        "article time[datetime]",
        "main time[datetime]",
        "header time[datetime]",
        "time[datetime]",
        "abbr.published",
    ];
    for place in PLACES {
        for node in document.select(place).nodes().iter().take(5) {
            let said = ["datetime", "content", "title"].into_iter().find_map(|name| node.attr(name));
            let time = said.as_deref().and_then(time_of).or_else(|| time_of(&text::collapse(&node.text())));
            if time.is_some() {
                return time;
            }
        }
    }
    None
}

/// `/2026/03/01/` in an address.
fn date_in_path(url: &Url) -> Option<Timestamp> {
    let parts: Vec<&str> = url.path_segments()?.collect();
    let number =
        |text: &str, from: u16, to: u16| text.parse::<u16>().ok().filter(|number| (from..=to).contains(number));
    for (year, rest) in parts.iter().zip(parts.windows(2).skip(1)) {
        let [month, day] = rest else { continue };
        let (Some(year), Some(month)) = (number(year, 1990, 2100), number(month, 1, 12)) else { continue };
        if let Some(day) = number(day.get(..2).unwrap_or(day), 1, 31) {
            return time_of(&format!("{year:04}-{month:02}-{day:02}"));
        }
    }
    // `20260301` and `2026-03-01`, as names of folders.
    parts.iter().find_map(|part| {
        let digits: String = part.chars().filter(|c| *c != '-').collect();
        let all = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.starts_with("20");
        let split = |from: usize, to: usize| digits.get(from..to);
        all.then(|| time_of(&format!("{}-{}-{}", split(0, 4)?, split(4, 6)?, split(6, 8)?))).flatten()
    })
}

/// A date that is only written out, in an element whose class or id says that it is one.
fn written_time(document: &Document) -> Option<Timestamp> {
    const PLACES: &str = "[class*='publish'],[class*='date'],[class*='Date'],[id*='date'],[class*='time'],[id*='time'],\
                          [class*='byline'],[class*='meta'],[class*='posted'],[class*='source'],[class*='info']";
    for node in document.select(PLACES).nodes().iter().take(40) {
        let text = text::collapse(&node.text());
        if text.chars().count() > 160 {
            continue;
        }
        let labels = |c: char| matches!(c, '|' | '：' | '\u{2022}' | '·' | '—');
        let label_less = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        for part in std::iter::once(text.as_str()).chain(text.split(labels)).chain([label_less]) {
            let part = part.trim();
            let lower = part.to_lowercase();
            let part = ["published on", "published:", "published", "posted on", "posted", "updated:", "on "]
                .iter()
                .find_map(|label| lower.starts_with(label).then(|| part.get(label.len()..)).flatten())
                .unwrap_or(part)
                .trim();
            if part.bytes().filter(u8::is_ascii_digit).count() >= 5
                && part.len() <= 60
                && let Some(time) = time_of(part)
            {
                return Some(time);
            }
        }
    }
    None
}

fn authors(
    document: &Document,
    articles: &[serde_json::Map<String, Value>],
    metas: &[(String, String)],
) -> Vec<String> {
    let mut found = Vec::new();
    for article in articles {
        match article.get("author") {
            Some(Value::Array(values)) => values.iter().filter_map(string_of).for_each(|name| take(&name, &mut found)),
            Some(value) => string_of(value).iter().for_each(|name| take(name, &mut found)),
            None => {}
        }
        if !found.is_empty() {
            return found;
        }
    }
    for name in AUTHOR_NAMES {
        named(metas, &[name]).for_each(|value| take(value, &mut found));
        if !found.is_empty() {
            return found;
        }
    }
    const PLACES: &[&str] = &[
        "[itemprop='author'] [itemprop='name']",
        "[itemprop='author']",
        "[rel~='author']",
        ".byline a",
        "[class*='author-name']",
        "[class*='author__name']",
        ".byline",
        ".author",
        ".p-author",
        "[class*='post-author']",
        "[class*='author']",
        "[class*='byline']",
    ];
    for place in PLACES {
        for node in document.select(place).nodes().iter().take(MAX_AUTHORS) {
            let name = text::collapse(&node.text());
            if name.chars().count() <= 80 {
                take(&name, &mut found);
            }
        }
        if !found.is_empty() {
            return found;
        }
    }
    found
}

/// Takes the names in a text such as "By Ann Lee and Bo Chen".
fn take(text: &str, found: &mut Vec<String>) {
    let plain = text::plain_of_html(text);
    if plain.contains("://") || plain.contains('@') && !plain.contains(' ') || plain.starts_with("www.") {
        return;
    }
    let lower = plain.to_lowercase();
    let names = ["by ", "by:", "author:", "written by ", "von ", "par ", "作者：", "作者:", "记者"]
        .iter()
        .find_map(|label| lower.starts_with(label).then(|| plain.get(label.len()..)).flatten())
        .unwrap_or(&plain);
    for name in names.split([';', '|', '、']).flat_map(|part| part.split(" and ")).flat_map(|part| part.split(" & ")) {
        // "Lee, Ann" is one name, "Ann Lee, Bo Chen" are two.
        let commas: Vec<&str> = name.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        let each = commas.len() > 1 && commas.iter().all(|part| part.split_whitespace().count() >= 2);
        let parts = if each { commas } else { vec![name.trim()] };
        for name in parts {
            let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | ':' | '-'));
            let known = found.iter().any(|known| known.eq_ignore_ascii_case(name));
            let likely = (2..=80).contains(&name.chars().count()) && name.chars().any(char::is_alphabetic);
            if likely && !known && found.len() < MAX_AUTHORS {
                found.push(name.to_owned());
            }
        }
    }
}

fn language(
    document: &Document,
    articles: &[serde_json::Map<String, Value>],
    metas: &[(String, String)],
) -> Option<String> {
    let root = document.select("html").nodes().first().and_then(|node| node.attr("lang"));
    root.as_deref()
        .and_then(text::language_tag)
        .or_else(|| {
            articles.iter().find_map(|article| text::language_tag(&article.get("inLanguage").and_then(string_of)?))
        })
        .or_else(|| {
            named(metas, &["og:locale", "content-language", "language", "dc.language"]).find_map(text::language_tag)
        })
}
