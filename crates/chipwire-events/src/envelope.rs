//! The CloudEvents 1.0 envelope, in the Kafka protocol binding's binary content mode.

use jiff::Timestamp;

use crate::{Covers, Error, EventId, Result};

/// The header with the raw records that a tagged or rejected event answers. An extension attribute of CloudEvents.
pub const COVERS_HEADER: &str = "ce_covers";

/// The context attributes of an event (CloudEvents 1.0 section 3.1), written as record headers `ce_...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// `id`: unique and deterministic.
    pub id: EventId,
    /// `type`: with its version, for example `chipwire.article.fetched.v1`.
    pub event_type: String,
    /// `source`: what the event is about or who says it, a URI reference.
    pub source: String,
    /// `time`: when the fact was first known. Never the time of a replay.
    pub time: Timestamp,
    /// `covers`, an extension: the raw records that a tagged or rejected event answers.
    pub covers: Option<Covers>,
}

impl Envelope {
    pub(crate) fn to_headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("ce_specversion".to_owned(), "1.0".to_owned()),
            ("ce_id".to_owned(), self.id.to_string()),
            ("ce_type".to_owned(), self.event_type.clone()),
            ("ce_source".to_owned(), self.source.clone()),
            ("ce_time".to_owned(), self.time.to_string()),
        ];
        if let Some(covers) = self.covers {
            headers.push((COVERS_HEADER.to_owned(), covers.to_string()));
        }
        headers
    }

    /// Reads the envelope of a record.
    pub fn from_headers(headers: &[(String, String)]) -> Result<Self> {
        let find = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let need = |name: &'static str| find(name).ok_or(Error::MissingHeader(name));
        let time = need("ce_time")?;
        let version = need("ce_specversion")?;
        if version != "1.0" {
            return Err(Error::Header { name: "ce_specversion", value: version.to_owned(), expected: "1.0" });
        }
        Ok(Self {
            id: EventId::from_string(need("ce_id")?),
            event_type: need("ce_type")?.to_owned(),
            source: need("ce_source")?.to_owned(),
            time: time.parse().map_err(|_| Error::Header {
                name: "ce_time",
                value: time.to_owned(),
                expected: "a time in RFC 3339",
            })?,
            covers: find(COVERS_HEADER).map(str::parse).transpose()?,
        })
    }
}
