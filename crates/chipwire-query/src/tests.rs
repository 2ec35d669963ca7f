//! Tables of what texts and queries become, and properties of all of them.

mod analyzer;
mod errors;
mod evaluator;
mod generators;
mod properties;
mod syntax;
