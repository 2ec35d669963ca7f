//! From the text of a list to its feeds.

use std::collections::{BTreeMap, HashSet};

use chipwire_events::{ArticlePages, Feed, FeedOrigin};
use url::Url;

use super::{MAX_DEPTH, MAX_EXTRA_BYTES, MAX_EXTRAS, NAMESPACE};
use crate::{
    error::OpmlError,
    repair::{
        Repairs, decode,
        scan::{Scanner, Tag, Token, attributes, line_of},
    },
    text,
};

/// Reads a list from the bytes of a file, in whatever encoding it is. As [`read`] otherwise.
pub fn read_bytes(bytes: &[u8], origin: FeedOrigin) -> Result<Vec<Feed>, OpmlError> {
    read(&decode::decode(bytes, None, &mut Repairs::default()), origin)
}

/// Reads a list. Outlines with an `xmlUrl` are feeds, the others folders; an address that is named twice counts once, where
/// it is named first.
///
/// # Errors
///
/// A list that is cut off or whose tags do not match is refused with the line: half of it could not be told from all of it.
/// What is wrong and can only mean one thing (a bare `&`, attributes in other cases, `feed:` addresses) is read.
pub fn read(text: &str, origin: FeedOrigin) -> Result<Vec<Feed>, OpmlError> {
    let mut list = List { text, origin, open: Vec::new(), folder: Vec::new(), prefixes: Vec::new(), feeds: Vec::new() };
    let mut scanner = Scanner::new(text);
    let mut root = false;
    loop {
        let at = scanner.position();
        let Some(token) = scanner.next() else { break };
        match token {
            Token::Start(tag) if !root => {
                if !local_name(tag.name).eq_ignore_ascii_case("opml") {
                    return Err(OpmlError::Root(shown(tag.name)));
                }
                root = true;
                list.start(tag, at)?;
            }
            Token::Start(tag) => list.start(tag, at)?,
            Token::End { name, .. } if root => list.end(name, at)?,
            Token::Fault(what) if root => {
                return Err(OpmlError::Xml { line: line_of(text, at), what: what.to_owned() });
            }
            _ => {}
        }
    }
    if !root {
        return Err(OpmlError::NotOpml);
    }
    if let Some(open) = list.open.last() {
        let what = format!("<{}> is never closed: the list is cut off", shown(open.name));
        return Err(OpmlError::Xml { line: line_of(text, open.at), what });
    }
    let mut seen = HashSet::new();
    list.feeds.retain(|feed| seen.insert(feed.id.clone()));
    for (position, feed) in (0..).zip(&mut list.feeds) {
        feed.position = Some(position);
    }
    if list.feeds.is_empty() { Err(OpmlError::NoFeeds) } else { Ok(list.feeds) }
}

/// An element that is open.
struct Open<'a> {
    name: &'a str,
    at: usize,
    /// It is an outline, and so has put its name on the path of folders.
    is_folder: bool,
    /// Prefixes that were declared before it.
    prefixes: usize,
}

struct List<'a> {
    text: &'a str,
    origin: FeedOrigin,
    open: Vec<Open<'a>>,
    folder: Vec<String>,
    /// Declared prefixes with their name spaces, the innermost last.
    prefixes: Vec<(&'a str, String)>,
    feeds: Vec<Feed>,
}

impl<'a> List<'a> {
    fn start(&mut self, tag: Tag<'a>, at: usize) -> Result<(), OpmlError> {
        let declared = self.prefixes.len();
        for (name, value) in attributes(tag.attributes) {
            if let Some(prefix) = name.strip_prefix("xmlns:") {
                self.prefixes.push((prefix, value_of(value)));
            }
        }
        let is_outline = local_name(tag.name).eq_ignore_ascii_case("outline");
        let mut name = String::new();
        if is_outline {
            name = self.outline(tag, at)?;
        }
        if tag.empty {
            self.prefixes.truncate(declared);
            return Ok(());
        }
        if self.open.len() > MAX_DEPTH + 2 {
            return Err(OpmlError::TooDeep(MAX_DEPTH));
        }
        if is_outline {
            self.folder.push(name);
        }
        self.open.push(Open { name: tag.name, at, is_folder: is_outline, prefixes: declared });
        Ok(())
    }

    fn end(&mut self, name: &str, at: usize) -> Result<(), OpmlError> {
        match self.open.pop() {
            Some(open) if open.name == name => {
                if open.is_folder {
                    self.folder.pop();
                }
                self.prefixes.truncate(open.prefixes);
                Ok(())
            }
            Some(open) => {
                let opened = line_of(self.text, open.at);
                let what = format!("</{}> closes <{}> of line {opened}", shown(name), shown(open.name));
                Err(OpmlError::Xml { line: line_of(self.text, at), what })
            }
            None => {
                let what = format!("</{}> closes nothing", shown(name));
                Err(OpmlError::Xml { line: line_of(self.text, at), what })
            }
        }
    }

    /// Takes in an outline and returns its name.
    fn outline(&mut self, tag: Tag<'a>, at: usize) -> Result<String, OpmlError> {
        let mut known = Known::default();
        let mut extras = BTreeMap::new();
        for (name, value) in attributes(tag.attributes) {
            let value = value_of(value);
            match self.own(name) {
                Some(own) => known.take_own(own, &value),
                None => {
                    if let Some(value) = known.take(name, value) {
                        self.keep(&mut extras, name, value);
                    }
                }
            }
        }
        let title = text::collapse(&known.title);
        let name = match text::collapse(&known.text) {
            name if name.is_empty() => title.clone(),
            name => name,
        };
        let address = known.url.trim();
        if address.is_empty() {
            return Ok(name);
        }
        let url = normal_address(address).map_err(|reason| OpmlError::Url {
            url: address.to_owned(),
            text: name.clone(),
            line: line_of(self.text, at),
            reason,
        })?;
        if !title.is_empty() && title != name {
            extras.insert("title".to_owned(), title);
        }
        let mut feed = Feed::new(url, self.origin);
        // A feed without a name is listed under its address.
        feed.title = Some(name.clone()).filter(|name| !name.is_empty() && name != address && *name != feed.url);
        feed.folder.clone_from(&self.folder);
        feed.tags = known.tags;
        feed.site = Some(known.site.trim().to_owned()).filter(|site| !site.is_empty());
        feed.outline = extras;
        feed.interval_s = known.interval_s;
        feed.paused = known.paused;
        feed.article_pages = known.article_pages;
        self.feeds.push(feed);
        Ok(name)
    }

    /// The name of an attribute of chipwire's own name space.
    fn own<'n>(&self, name: &'n str) -> Option<&'n str> {
        let (prefix, local) = name.split_once(':')?;
        (self.name_space(prefix)? == NAMESPACE).then_some(local)
    }

    fn name_space(&self, prefix: &str) -> Option<&str> {
        self.prefixes.iter().rev().find(|(known, _)| *known == prefix).map(|(_, uri)| uri.as_str())
    }

    /// Keeps an attribute that means nothing here, together with the declaration of its prefix.
    fn keep(&self, extras: &mut BTreeMap<String, String>, name: &str, value: String) {
        if extras.len() >= MAX_EXTRAS || value.len() > MAX_EXTRA_BYTES || !is_name(name) {
            return;
        }
        if let Some((prefix, _)) = name.split_once(':') {
            // An undeclared prefix is no XML.
            let Some(uri) = self.name_space(prefix) else { return };
            extras.insert(format!("xmlns:{prefix}"), uri.to_owned());
        }
        extras.insert(name.to_owned(), value);
    }
}

/// What an outline says that chipwire knows.
#[derive(Default)]
struct Known {
    text: String,
    title: String,
    url: String,
    site: String,
    tags: Vec<String>,
    interval_s: Option<u32>,
    paused: bool,
    article_pages: Option<ArticlePages>,
}

impl Known {
    /// Takes an attribute, or gives its value back. Some writers get the case wrong.
    fn take(&mut self, name: &str, value: String) -> Option<String> {
        match name.to_ascii_lowercase().as_str() {
            "text" => self.text = value,
            "title" => self.title = value,
            "xmlurl" => self.url = value,
            "htmlurl" => self.site = value,
            "category" => {
                let tags = value.split(',').map(text::collapse).filter(|tag| !tag.is_empty());
                for tag in tags {
                    if !self.tags.contains(&tag) {
                        self.tags.push(tag);
                    }
                }
            }
            "type" if value.eq_ignore_ascii_case("rss") => {}
            name if name == "xmlns" || name.starts_with("xmlns:") => {}
            _ => return Some(value),
        }
        None
    }

    fn take_own(&mut self, name: &str, value: &str) {
        match name {
            "interval" => self.interval_s = value.trim().parse().ok(),
            "paused" => self.paused = value.trim() == "true",
            "articlePages" => {
                let all = [ArticlePages::Never, ArticlePages::Auto, ArticlePages::Always];
                self.article_pages = all.into_iter().find(|pages| pages.name() == value.trim());
            }
            _ => {}
        }
    }
}

/// An address as chipwire writes it: `feed:` is an old way to say http, and a missing scheme is https.
fn normal_address(address: &str) -> Result<String, String> {
    let address = match address.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("feed") => match rest.starts_with("//") {
            true => format!("http:{rest}"),
            false => rest.to_owned(),
        },
        _ if !address.contains("://") => format!("https://{address}"),
        _ => address.to_owned(),
    };
    match Url::parse(&address) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => Err("only http and https are fetched".to_owned()),
        Ok(url) => Ok(url.into()),
        Err(error) => Err(error.to_string()),
    }
}

fn value_of(raw: &str) -> String {
    text::decode_entities(raw).chars().filter(|c| text::is_legal(*c)).collect()
}

fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Whether an attribute's name can be written again.
fn is_name(name: &str) -> bool {
    let legal = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    name.len() <= 100 && name.split(':').count() <= 2 && name.split(':').all(legal)
}

fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}
