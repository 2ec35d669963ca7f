//! The section `[index]` of the configuration.

use serde::Deserialize;

/// How the index is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexConfig {
    /// Memory for documents that are not yet written to a segment, over all threads, in MiB. At least 16 per thread.
    /// Default: 96.
    pub memory_mb: usize,
    /// Indexing threads. Default: 2.
    pub threads: usize,
}

impl Default for IndexConfig {
    fn default() -> Self {
        Self { memory_mb: 96, threads: 2 }
    }
}
