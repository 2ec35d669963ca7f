//! `chipwire feeds parse`

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Result;
use chipwire_feeds::{ParseError, ParsedFeed, parse_feed};
use clap::Args;
use serde_json::{Value, json};
use url::Url;

use crate::{runner::chain, terminal};

#[derive(Debug, Args)]
pub(super) struct Parse {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The address that the files were fetched from, for relative links
    #[arg(long)]
    url: Option<Url>,
    /// The `Content-Type` that they were served with
    #[arg(long)]
    content_type: Option<String>,
    /// Say in words what was read and what had to be repaired, instead of JSON
    #[arg(long)]
    explain: bool,
    /// Give each entry's text too, as HTML that is safe to show: without scripts, styles and forms
    #[arg(long, conflicts_with = "explain")]
    content: bool,
}

impl Parse {
    /// A file that is no feed is an answer like any other: it stands in its line, and the others follow.
    pub(super) fn run(&self) -> Result<()> {
        let mut out = io::stdout().lock();
        for path in &self.files {
            let file = path.display().to_string();
            let parsed = fs::read(path).map_err(|error| error.to_string()).and_then(|bytes| {
                parse_feed(&bytes, self.content_type.as_deref(), self.url.as_ref())
                    .map_err(|error: ParseError| chain(&error))
            });
            match parsed {
                Ok(feed) if self.explain => explain(&mut out, &file, &feed)?,
                Err(error) if self.explain => {
                    writeln!(out, "{}\n  {}", terminal::clean(&file), terminal::clean(&error))?;
                }
                Ok(feed) => writeln!(out, "{}", feed_json(&file, &feed, self.content))?,
                Err(error) => writeln!(out, "{}", json!({ "file": file, "error": error }))?,
            }
        }
        Ok(())
    }
}

fn feed_json(file: &str, feed: &ParsedFeed, content: bool) -> Value {
    let entries: Vec<Value> = feed
        .entries
        .iter()
        .map(|entry| {
            let mut fields = json!({
                "id": entry.id,
                "link": entry.link,
                "title": entry.title,
                "published": entry.published,
                "updated": entry.updated,
                "author": entry.authors.first(),
                "summary": entry.summary,
            });
            if content && let Some(fields) = fields.as_object_mut() {
                fields.insert("content".to_owned(), entry.display_html().into());
            }
            fields
        })
        .collect();
    json!({ "file": file, "title": feed.title, "entries": entries, "repairs": feed.repairs })
}

/// What a feed's owner wants to know: how much was read, what is missing from it, and what is wrong with it where.
fn explain(out: &mut impl Write, file: &str, feed: &ParsedFeed) -> io::Result<()> {
    writeln!(out, "{}", terminal::clean(file))?;
    let title = feed.title.as_deref().unwrap_or("no title");
    writeln!(out, "  {}: {} items", terminal::clean(title), feed.entries.len())?;
    let without = |what: &str, count: usize| match count {
        0 => None,
        count => Some(format!("{count} without {what}")),
    };
    let count =
        |lacks: &dyn Fn(&chipwire_feeds::Entry) -> bool| feed.entries.iter().filter(|entry| lacks(entry)).count();
    let lacking: Vec<String> = [
        without("a guid", count(&|entry| entry.guid.is_none())),
        without("a link", count(&|entry| entry.link.is_none())),
        without("a title", count(&|entry| entry.title.is_empty())),
        without("a date", count(&|entry| entry.published.or(entry.updated).is_none())),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !lacking.is_empty() {
        writeln!(out, "  of them {}", lacking.join(", "))?;
    }
    if feed.repairs.is_empty() {
        writeln!(out, "  nothing had to be repaired")?;
    }
    for repair in &feed.repairs {
        writeln!(out, "  repaired ({}): {}", repair.stage.name(), terminal::clean(&repair.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_explained() {
        let text = "<rss version='2.0'><channel><title>T&T</title><item><guid>1</guid><pubDate>soon</pubDate></item>\
                    <item><title>a&nbsp;b</title></item></channel></rss>";
        let feed = parse_feed(text.as_bytes(), None, None).unwrap();
        let mut out = Vec::new();
        explain(&mut out, "feed.xml", &feed).unwrap();
        expect_test::expect![[r#"
            feed.xml
              T&T: 2 items
              of them 1 without a guid, 2 without a link, 1 without a title, 2 without a date
              repaired (text): an ampersand that was not escaped
              repaired (text): references that XML does not know, such as &nbsp; (item 2)
              repaired (dates): a date that cannot be read, such as `soon` (item 1)
        "#]]
        .assert_eq(&String::from_utf8(out).unwrap());
        let json = feed_json("feed.xml", &feed, false);
        assert!(json["entries"][0].get("content").is_none());
        assert_eq!(
            json["repairs"][1],
            json!({"stage": "text", "what": "references that XML does not know, such as &nbsp;", "items": [2]})
        );
    }

    #[test]
    fn content_is_safe_to_show() {
        let text = "<rss version='2.0'><channel><item><guid>1</guid><description><![CDATA[<p onclick=x()>a<script>b</script>\
                    <a href='javascript:c'>d</a></p>]]></description></item><item><guid>2</guid><description>1 &lt; 2\
                    </description></item></channel></rss>";
        let feed = parse_feed(text.as_bytes(), None, None).unwrap();
        let json = feed_json("feed.xml", &feed, true);
        let contents: Vec<_> = json["entries"].as_array().unwrap().iter().map(|entry| &entry["content"]).collect();
        assert_eq!(contents, ["<p>a<a rel=\"noopener noreferrer nofollow\">d</a></p>", "1 &lt; 2"]);
    }
}
