//! What is found to be wrong, and where.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does not do what was meant.
    Error,
    /// It may do something that was not meant.
    Warning,
}

/// Something that is wrong with a gazetteer, with its place and with what is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the check that found it, which `allow` takes.
    pub check: &'static str,
    /// The file's name.
    pub file: String,
    /// The line, counted from 1; 0 if it is about the file as a whole.
    pub line: u32,
    /// The entity as `kind:id`, if it is about one.
    pub entity: Option<String>,
    /// The key of the table, if it is about one.
    pub key: Option<String>,
    /// The alias, if it is about one.
    pub alias: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What is to be done.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gazetteer file `{}`", self.file)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        if let Some(entity) = &self.entity {
            write!(f, ", entity `{entity}`")?;
        }
        if let Some(key) = &self.key {
            write!(f, ", key `{key}`")?;
        }
        write!(f, ": {}", self.problem)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, "; {}", self.advice) }
    }
}
