//! `chipwire extract`

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::Result;
use chipwire_feeds::extract::{Page, extract_bytes};
use clap::Args;
use serde_json::{Value, json};
use url::Url;

pub(super) const EXAMPLE: &str = "Prints for each file one line {\"file\",\"title\",\"text\",\"published\",\"authors\",\"language\"}: `published` is in\n\
     RFC 3339 or null, `authors` an array of names, the paragraphs of `text` are apart by an empty line. A file that cannot\n\
     be read, or has no article in it, gives {\"file\",\"error\"}.\n\n\
     Example:\n  chipwire extract article.html --url https://example.org/2026/03/article\n  chipwire extract pages/*.html | jq -r .text";

#[derive(Debug, Args)]
pub(super) struct Extract {
    /// The pages; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The address that the pages were fetched from
    #[arg(long)]
    url: Option<Url>,
    /// The `Content-Type` that they were served with
    #[arg(long)]
    content_type: Option<String>,
}

impl Extract {
    /// A file without an article is an answer like any other: it stands in its line, and the others follow.
    pub(super) fn run(&self) -> Result<()> {
        let mut out = io::stdout().lock();
        for path in &self.files {
            let page = read(path).map_err(|error| format!("failed to read the file: {error}")).and_then(|bytes| {
                extract_bytes(&bytes, self.content_type.as_deref(), self.url.as_ref())
                    .map_err(|error| crate::runner::chain(&error))
            });
            writeln!(out, "{}", line(&path.display().to_string(), page))?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(path)
}

fn line(file: &str, page: Result<Page, String>) -> Value {
    match page {
        Ok(page) => json!({
            "file": file,
            "title": page.title,
            "text": page.text,
            "published": page.published,
            "authors": page.authors,
            "language": page.language,
        }),
        Err(error) => json!({ "file": file, "error": error }),
    }
}
