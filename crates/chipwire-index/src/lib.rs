//! chipwire-index
mod types;
pub use types::*;
