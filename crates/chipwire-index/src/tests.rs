//! The index against the definition of the query language, and against what can happen to it.

mod agreement;
mod corpus;
mod crashes;
mod opening;
mod searching;
mod snippets;
mod writing;
