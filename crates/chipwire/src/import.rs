//! Backfill: articles from a file of JSON Lines into the log.

use std::{
    collections::HashMap,
    io::{self, BufRead},
};

use anyhow::{Context as _, Result, bail};
use chipwire_events::{Article, ArticleId, Event, Feed, FeedId, FeedOrigin, Markup, Timestamp, Topic};
use chipwire_log::{Limit, Positions, Reader, Record, StoredRecord};
use serde::Deserialize;
use std::time::Duration;

use crate::wire::{self, Log};

/// The feed that imported articles belong to.
pub fn feed_id() -> FeedId {
    feed().id
}

/// Its definition: a feed that is never polled.
pub fn feed() -> Feed {
    Feed::new("chipwire:import", FeedOrigin::Import)
}

/// Records that are appended in one go.
const BATCH: usize = 500;

/// The longest line that is read, in bytes.
const MAX_LINE_BYTES: usize = 16 << 20;

/// One object of the file.
#[derive(Debug, Deserialize)]
struct Line {
    title: String,
    text: Option<String>,
    html: Option<String>,
    url: Option<String>,
    published: Option<Timestamp>,
    id: Option<String>,
    source: Option<String>,
    #[serde(default)]
    authors: Vec<String>,
    language: Option<String>,
}

/// What came of an import.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Articles that were not there.
    pub added: u64,
    /// Articles that were there with another text.
    pub changed: u64,
    /// Articles that were there as they are.
    pub unchanged: u64,
    /// Lines that could not be read.
    pub bad: u64,
}

/// What is known of an imported article.
struct Known {
    revision: u32,
    content_hash: String,
}

/// Reads `input` and appends what is new. `bad_line` is told the number and fault of every line that cannot be read,
/// `progress` the bytes read so far. Returns also how far the raw articles then reached.
pub fn import(
    log: &Log,
    mut input: impl BufRead,
    default_source: &str,
    now: Timestamp,
    mut bad_line: impl FnMut(u64, &str),
    mut progress: impl FnMut(u64),
) -> Result<(Summary, Positions)> {
    let mut raw = RawArticles::open(log)?;
    let mut known = raw.imported_before()?;
    let mut writer = log.backend().writer("import")?;
    let mut summary = Summary::default();
    let mut records = Vec::with_capacity(BATCH);
    let mut read_bytes = 0;
    let mut buffer = Vec::new();
    for number in 1.. {
        buffer.clear();
        let length = read_line(&mut input, &mut buffer).with_context(|| format!("failed to read line {number}"))?;
        if length == 0 {
            break;
        }
        read_bytes += length as u64;
        match article(&buffer, default_source, now) {
            Ok(None) => {}
            Ok(Some(article)) => {
                if let Some(article) = revise(article, &mut known, &mut summary) {
                    records.push(log.encode(&Event::ArticleFetched(article), now, None)?);
                }
            }
            Err(error) => {
                summary.bad += 1;
                bad_line(number, &format!("{error:#}"));
            }
        }
        if records.len() >= BATCH {
            append(&mut *writer, &mut records)?;
            progress(read_bytes);
        }
    }
    append(&mut *writer, &mut records)?;
    progress(read_bytes);
    raw.read_on(|_| ())?;
    Ok((summary, raw.end))
}

fn append(writer: &mut dyn chipwire_log::Writer, records: &mut Vec<Record>) -> Result<()> {
    if !records.is_empty() {
        writer.append(records)?;
        records.clear();
    }
    Ok(())
}

/// Reads one line without its end, but not more of it than [`MAX_LINE_BYTES`] and one byte; returns the bytes passed.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let mut passed = 0;
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            return Ok(passed);
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(available.len(), |end| end + 1);
        let room = (MAX_LINE_BYTES + 1).saturating_sub(line.len());
        line.extend(available.iter().take(end.unwrap_or(taken).min(room)));
        input.consume(taken);
        passed += taken;
        if end.is_some() {
            return Ok(passed);
        }
    }
}

/// The article of one line; `None` for an empty one.
fn article(line: &[u8], default_source: &str, now: Timestamp) -> Result<Option<Article>> {
    if line.len() > MAX_LINE_BYTES {
        bail!("longer than {} MiB", MAX_LINE_BYTES >> 20);
    }
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let line: Line = serde_json::from_slice(line)
        .context("expected a JSON object with `title`, `text` or `html`, `url` and `published`")?;
    let (body, markup) = match (line.text, line.html) {
        (Some(text), None) => (text, Markup::Plain),
        (None, Some(html)) => (html, Markup::Html),
        _ => bail!("expected exactly one of `text` and `html`"),
    };
    if line.title.trim().is_empty() && body.trim().is_empty() {
        bail!("`title` and text are both empty");
    }
    let feed = feed_id();
    let published = line.published.map(|time| time.to_string()).unwrap_or_default();
    let source = line.source.unwrap_or_else(|| default_source.to_owned());
    let stable_id = match (&line.id, &line.url) {
        (Some(id), _) => format!("id:{id}"),
        (None, Some(url)) => format!("url:{url}"),
        (None, None) => format!("hash:{}", chipwire_events::hash_hex(16, &[&source, &line.title, &published])),
    };
    let title = line.title.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Some(Article {
        id: ArticleId::of(&feed, &stable_id),
        revision: 1,
        content_hash: Article::content_hash_of(&title, &body, line.url.as_deref(), line.published),
        feed,
        source,
        url: line.url,
        title,
        body,
        markup,
        authors: line.authors,
        categories: Vec::new(),
        language: line.language,
        published: line.published,
        published_raw: None,
        updated: None,
        first_seen: now,
    }))
}

/// Counts the article, gives it its revision, and drops it when it is there as it is.
fn revise(mut article: Article, known: &mut HashMap<ArticleId, Known>, summary: &mut Summary) -> Option<Article> {
    match known.get_mut(&article.id) {
        Some(before) if before.content_hash == article.content_hash => {
            summary.unchanged += 1;
            return None;
        }
        Some(before) => {
            summary.changed += 1;
            before.revision += 1;
            before.content_hash.clone_from(&article.content_hash);
            article.revision = before.revision;
        }
        None => {
            summary.added += 1;
            let first = Known { revision: 1, content_hash: article.content_hash.clone() };
            known.insert(article.id.clone(), first);
        }
    }
    Some(article)
}

/// The raw articles, read to their end.
struct RawArticles {
    reader: Box<dyn Reader>,
    /// One past the last record of every partition. Not the partition's own end: there may be a hole behind the record.
    end: Positions,
}

impl RawArticles {
    fn open(log: &Log) -> Result<Self> {
        let reader = log.backend().reader(&[log.name(Topic::ArticlesRaw)], &Positions::new())?;
        Ok(Self { reader, end: Positions::new() })
    }

    fn read_on(&mut self, mut each: impl FnMut(&StoredRecord)) -> Result<()> {
        loop {
            let batch = self.reader.next(Limit { records: 5_000, size_bytes: 16 << 20 }, Duration::from_secs(1))?;
            for stored in &batch.records {
                self.end.insert(stored.partition_id(), stored.offset + 1);
                each(stored);
            }
            if batch.at_end {
                return Ok(());
            }
        }
    }

    /// What earlier imports brought.
    fn imported_before(&mut self) -> Result<HashMap<ArticleId, Known>> {
        let mut known = HashMap::new();
        let source = format!("/feeds/{}", feed_id());
        self.read_on(|stored| {
            let ours = stored.record.headers.iter().any(|(name, value)| name == "ce_source" && *value == source);
            if ours && let Ok((_, Event::ArticleFetched(article))) = wire::decode(stored) {
                known.insert(article.id, Known { revision: article.revision, content_hash: article.content_hash });
            }
        })?;
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chipwire_log::memory::MemoryLog;

    use super::*;

    fn log() -> Log {
        let log = Log::new(Arc::new(MemoryLog::default()), "test.");
        log.ensure().unwrap();
        log
    }

    fn run(log: &Log, text: &str) -> (Summary, Vec<String>) {
        let mut bad = Vec::new();
        let summary = import(
            log,
            text.as_bytes(),
            "test",
            Timestamp::UNIX_EPOCH,
            |number, message| bad.push(format!("{number}: {message}")),
            |_| {},
        )
        .unwrap()
        .0;
        (summary, bad)
    }

    const FILE: &str = r#"{"title":"One","text":"Nvidia","url":"https://example.org/1","published":"2026-01-02T03:04:05Z"}

{"title":"Two","html":"<p>TSMC","url":"https://example.org/2","authors":["A"],"source":"Wire"}
"#;

    #[test]
    fn a_second_import_adds_nothing_and_an_edit_is_a_revision() {
        let log = log();
        assert_eq!(run(&log, FILE).0, Summary { added: 2, ..Summary::default() });
        assert_eq!(run(&log, FILE).0, Summary { unchanged: 2, ..Summary::default() });
        let edited = FILE.replace("Nvidia", "AMD");
        assert_eq!(run(&log, &edited).0, Summary { changed: 1, unchanged: 1, ..Summary::default() });
        assert_eq!(run(&log, &edited).0, Summary { unchanged: 2, ..Summary::default() });
    }

    #[test]
    fn a_bad_line_is_named_and_the_rest_goes_in() {
        let text = format!("{{\"title\":1}}\n{FILE}not json\n{{\"title\":\"x\"}}\n");
        let (summary, bad) = run(&log(), &text);
        assert_eq!((summary.added, summary.bad), (2, 3));
        assert!(bad[0].starts_with("1: expected a JSON object"), "{bad:?}");
        assert!(bad[1].starts_with("5: "), "{bad:?}");
        assert_eq!(bad[2], "6: expected exactly one of `text` and `html`");
    }
}
