//! What a commit carries besides documents.

use serde::{Deserialize, Serialize};

use crate::Checkpoint;

/// The version of the schema and of what the fields hold: an index of another version is rebuilt.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// The payload of a commit, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) schema_version: u32,
    pub(crate) analyzer_version: u32,
    pub(crate) checkpoint: Checkpoint,
}

impl Payload {
    pub(crate) fn new(checkpoint: Checkpoint) -> Self {
        let analyzer_version = chipwire_query::analyze::ANALYZER_VERSION;
        Self { schema_version: SCHEMA_VERSION, analyzer_version, checkpoint }
    }

    /// What differs from the versions of this program.
    pub(crate) fn difference(&self) -> Option<String> {
        let (schema, analyzer) = (SCHEMA_VERSION, chipwire_query::analyze::ANALYZER_VERSION);
        if self.schema_version != schema {
            Some(format!("schema {}, this is {schema}", self.schema_version))
        } else if self.analyzer_version != analyzer {
            Some(format!("analyzer {}, this is {analyzer}", self.analyzer_version))
        } else {
            None
        }
    }
}
