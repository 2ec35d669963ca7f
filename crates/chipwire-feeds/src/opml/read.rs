//! From the text of a list to its feeds.

use std::collections::{BTreeMap, HashMap};

use chipwire_events::{ArticlePages, Feed, FeedId, FeedList, FeedOrigin, HeadElement, ListFolder};
use url::Url;

use super::{List, MAX_DEPTH, MAX_EXTRA_BYTES, MAX_EXTRAS, MAX_FOLDERS, MAX_HEAD, MAX_PLACES, NAMESPACE};
use crate::{
    error::OpmlError,
    repair::{
        Repairs, decode,
        scan::{Scanner, Tag, Token, attributes, line_of},
    },
    text,
};

/// Reads a list from the bytes of a file, in whatever encoding it is. As [`read`] otherwise.
pub fn read_bytes(bytes: &[u8], origin: FeedOrigin) -> Result<List, OpmlError> {
    read(&decode::decode(bytes, None, &mut Repairs::default()), origin)
}

/// Reads a list. Outlines with an `xmlUrl` are feeds, the others folders; an address that is named twice is one feed, as its
/// first outline says, in all the folders in which it is named. Outlines whose address is none are left out.
///
/// # Errors
///
/// A list without a feed that can be followed; and a list that is cut off or whose tags do not match is refused with the line:
/// half of it could not be told from all of it. What is wrong and can only mean one thing (a bare `&`, attributes in other cases, `feed:` addresses) is read.
pub fn read(text: &str, origin: FeedOrigin) -> Result<List, OpmlError> {
    let mut list = Reading {
        text,
        origin,
        open: Vec::new(),
        folder: Vec::new(),
        frame: FeedList::new(origin),
        folders: HashMap::new(),
        in_head: None,
        prefixes: Vec::new(),
        feeds: Vec::new(),
        left_out: Vec::new(),
    };
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
            Token::Text(raw) => list.head_text(&value_of(raw)),
            Token::Cdata(raw) => list.head_text(raw),
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
    let (places, mut feeds): (Vec<usize>, Vec<Feed>) = each_once(list.feeds).into_iter().unzip();
    for (position, feed) in (0..).zip(&mut feeds) {
        feed.position = Some(position);
        // Where they stand in the list says nothing that the place of the folders does not say.
        feed.also_in.sort_unstable();
    }
    let (mut frame, mut left_out) = (list.frame, list.left_out);
    for folder in &mut frame.folders {
        // Until now the outlines of feeds before it were counted, and not the feeds.
        let before = places.partition_point(|place| *place < folder.position as usize);
        folder.position = u32::try_from(before).unwrap_or(u32::MAX);
    }
    match feeds.is_empty() {
        true if left_out.is_empty() => Err(OpmlError::NoFeeds),
        true => Err(left_out.swap_remove(0)),
        false => Ok(List { feeds, frame, left_out }),
    }
}

/// Makes one feed of outlines of the same address, and says which outline it is: the first that is not only said to be another
/// place of it.
fn each_once(outlines: Vec<(Feed, bool)>) -> Vec<(usize, Feed)> {
    let mut feeds: Vec<Option<(Feed, bool)>> = Vec::with_capacity(outlines.len());
    let mut places: HashMap<FeedId, usize> = HashMap::new();
    for (at, (mut feed, only_also)) in outlines.into_iter().enumerate() {
        feeds.push(None);
        let Some(known) = places.get_mut(&feed.id) else {
            places.insert(feed.id.clone(), at);
            put(&mut feeds, at, (feed, only_also));
            continue;
        };
        let Some(slot) = feeds.get_mut(*known) else { continue };
        let Some((first, first_is_also)) = slot else { continue };
        if *first_is_also && !only_also {
            let others = [std::mem::take(&mut first.folder)].into_iter().chain(std::mem::take(&mut first.also_in));
            others.for_each(|place| add_place(&mut feed, place));
            *slot = None;
            *known = at;
            put(&mut feeds, at, (feed, only_also));
        } else {
            add_place(first, feed.folder);
        }
    }
    feeds.into_iter().enumerate().filter_map(|(at, feed)| Some((at, feed?.0))).collect()
}

fn put<T>(slots: &mut [Option<T>], at: usize, value: T) {
    if let Some(slot) = slots.get_mut(at) {
        *slot = Some(value);
    }
}

fn add_place(feed: &mut Feed, folder: Vec<String>) {
    if folder != feed.folder && !feed.also_in.contains(&folder) && feed.also_in.len() < MAX_PLACES {
        feed.also_in.push(folder);
    }
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

struct Reading<'a> {
    text: &'a str,
    origin: FeedOrigin,
    open: Vec<Open<'a>>,
    folder: Vec<String>,
    /// What is said besides the feeds.
    frame: FeedList,
    /// The folders of the frame by their paths.
    folders: HashMap<Vec<String>, usize>,
    /// Within the head: how many elements are open in it, itself included.
    in_head: Option<usize>,
    /// Declared prefixes with their name spaces, the innermost last.
    prefixes: Vec<(&'a str, String)>,
    /// Each with whether its outline says that it is only another place of the feed.
    feeds: Vec<(Feed, bool)>,
    left_out: Vec<OpmlError>,
}

impl<'a> Reading<'a> {
    fn start(&mut self, tag: Tag<'a>, at: usize) -> Result<(), OpmlError> {
        let declared = self.prefixes.len();
        for (name, value) in attributes(tag.attributes) {
            if let Some(prefix) = name.strip_prefix("xmlns:") {
                self.prefixes.push((prefix, value_of(value)));
            }
        }
        let is_outline = local_name(tag.name).eq_ignore_ascii_case("outline");
        let name = if is_outline { self.outline(tag, at) } else { String::new() };
        if self.in_head == Some(1) {
            self.head_element(tag);
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
        } else if let Some(open) = &mut self.in_head {
            *open += 1;
        } else if self.open.len() == 1 && local_name(tag.name).eq_ignore_ascii_case("head") {
            self.in_head = Some(1);
        }
        self.open.push(Open { name: tag.name, at, is_folder: is_outline, prefixes: declared });
        Ok(())
    }

    fn end(&mut self, name: &str, at: usize) -> Result<(), OpmlError> {
        match self.open.pop() {
            Some(open) if open.name == name => {
                if open.is_folder {
                    self.folder.pop();
                } else {
                    self.in_head = self.in_head.and_then(|open| open.checked_sub(1)).filter(|open| *open > 0);
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

    /// Takes in an element of the head.
    fn head_element(&mut self, tag: Tag<'a>) {
        let (mut attributes_kept, name) = (BTreeMap::new(), tag.name);
        if self.frame.head.len() >= MAX_HEAD || !is_name(name) {
            return;
        }
        if let Some((prefix, _)) = name.split_once(':') {
            let Some(uri) = self.name_space(prefix) else { return };
            attributes_kept.insert(format!("xmlns:{prefix}"), uri.to_owned());
        }
        for (name, value) in attributes(tag.attributes).filter(|(name, _)| !name.starts_with("xmlns")) {
            self.keep(&mut attributes_kept, name, value_of(value));
        }
        let (name, text) = (name.to_owned(), String::new());
        self.frame.head.push(HeadElement { name, text, attributes: attributes_kept });
    }

    /// Takes in text, which belongs to the last element of the head while that is open.
    fn head_text(&mut self, text: &str) {
        if self.in_head.is_none_or(|open| open < 2) {
            return;
        }
        if let Some(element) = self.frame.head.last_mut()
            && element.text.len() + text.len() <= MAX_EXTRA_BYTES
        {
            element.text.push_str(text);
        }
    }

    /// Takes in a folder below those that are open.
    fn folder(&mut self, name: String, outline: BTreeMap<String, String>) {
        let mut path = self.folder.clone();
        path.push(name);
        if let Some(at) = self.folders.get(&path) {
            let Some(known) = self.frame.folders.get_mut(*at) else { return };
            for (name, value) in outline {
                known.outline.entry(name).or_insert(value);
            }
        } else if self.frame.folders.len() < MAX_FOLDERS {
            self.folders.insert(path.clone(), self.frame.folders.len());
            let position = u32::try_from(self.feeds.len()).unwrap_or(u32::MAX);
            self.frame.folders.push(ListFolder { path, outline, position });
        }
    }

    /// Takes in an outline and returns its name.
    fn outline(&mut self, tag: Tag<'a>, at: usize) -> String {
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
        if !title.is_empty() && title != name {
            extras.insert("title".to_owned(), title);
        }
        let address = known.url.trim();
        if address.is_empty() {
            // Of a folder these mean nothing.
            let others = [("htmlUrl", known.site.trim().to_owned()), ("category", known.tags.join(","))];
            let others = others.into_iter().filter(|(_, value)| !value.is_empty());
            others.for_each(|(name, value)| self.keep(&mut extras, name, value));
            self.folder(name.clone(), extras);
            return name;
        }
        let url = match normal_address(address) {
            Ok(url) => url,
            Err(reason) => {
                let (url, line) = (address.to_owned(), line_of(self.text, at));
                self.left_out.push(OpmlError::Url { url, text: name.clone(), line, reason });
                return name;
            }
        };
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
        self.feeds.push((feed, known.only_also));
        name
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
    only_also: bool,
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
            "also" => self.only_also = value.trim() == "true",
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
