//! Open data about companies as an overlay: Wikidata, OpenSanctions, the Consolidated Screening List.
//!
//! [`read`] goes through a file record by record, whatever its size. An [`Importer`] holds each against the gazetteer: what is there
//! already gets what is new, the rest is added, and where the two contradict each other the gazetteer stays as it is and a
//! conflict says so. Everything that is imported asks for cues until somebody has looked at it.

mod csl;
mod elements;
mod merge;
mod opensanctions;
mod table;
mod wikidata;
mod write;

use std::io::{self, BufRead};

use super::Fact;

pub use self::merge::{Conflict, Imported, Importer};

/// In which form a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The answer of a SPARQL query to Wikidata, as JSON or CSV.
    Wikidata,
    /// Entities of OpenSanctions, a JSON object of FollowTheMoney in each line.
    OpenSanctions,
    /// The Consolidated Screening List of the United States, as JSON or CSV.
    Csl,
}

impl Format {
    /// Words that speak for what such a file lists, until somebody finds better ones.
    fn cues(self) -> &'static [&'static str] {
        match self {
            Format::Wikidata => &["chip*", "semiconductor*", "shares", "stock exchange"],
            Format::OpenSanctions => &["sanction*", "blacklist*", "export control*", "entity list"],
            Format::Csl => {
                &["entity list", "export control*", "sanction*", "blacklist*", "commerce department", "ofac"]
            }
        }
    }
}

/// What a file says about a company, or a part of it: several rows of a table may be about the same one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// What is the same in all rows about it.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Other names, each with its language if that is said and not English.
    pub aliases: Vec<(String, Option<String>)>,
    /// Its item in Wikidata.
    pub wikidata: Option<String>,
    /// Its legal entity identifier.
    pub lei: Option<String>,
    /// Codes on exchanges, as (exchange or none, code), as they are written in the file.
    pub tickers: Vec<(Option<String>, String)>,
    /// What is said of it, with dates and sources.
    pub facts: Vec<Fact>,
    /// Where it is described.
    pub source: String,
}

/// A record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// One about a company.
    Company(Box<Record>),
    /// One about something else, such as a person or a ship.
    Other,
    /// One that cannot be read: where it is, and what is wrong with it.
    Bad {
        /// `line 7`, `row 7` or `record 7`, counted from 1; the head of a table is its first row.
        place: String,
        /// What is wrong.
        problem: String,
    },
}

/// Goes through `input` and calls `visit` with every record.
///
/// # Errors
/// The file cannot be read, or is not in this form at all.
pub fn read(format: Format, mut input: impl BufRead, visit: &mut dyn FnMut(Row)) -> io::Result<()> {
    // Some tools write a byte order mark.
    if input.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        input.consume(3);
    }
    let is_json = input.fill_buf()?.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|b| b"{[".contains(b));
    match format {
        Format::OpenSanctions => opensanctions::read(input, visit),
        Format::Wikidata if is_json => wikidata::read_json(input, visit),
        Format::Wikidata => wikidata::read_csv(input, visit),
        Format::Csl if is_json => csl::read_json(input, visit),
        Format::Csl => csl::read_csv(input, visit),
    }
}

/// `text` without white space around it; none if nothing is left.
fn filled(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// The day that `text` begins with, if it is `YYYY-MM-DD`, perhaps with a time, or `YYYY`.
fn day(text: &str) -> Option<String> {
    let day = text.trim().split(['T', ' ']).next()?;
    super::date::span(day).map(|_| day.to_owned())
}
