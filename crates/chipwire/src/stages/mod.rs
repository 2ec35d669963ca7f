//! The five stages, one file each.
//!
//! | stage | reads | writes | position |
//! | --- | --- | --- | --- |
//! | [`fetch`] | `feeds` | `articles.raw`, `feed-states`; removes pushes from `feeds` | group `fetch` |
//! | [`enrich`] | `articles.raw` | `articles.tagged`, `dead-letters` | group `enrich` |
//! | [`index`] | `articles.tagged` | the index, `dead-letters` | payload of the index's commits |
//! | [`alert`] | `articles.tagged`, `rules` | `alerts` | group `alert` |
//! | [`deliver`] | `alerts` | `deliveries`, the sinks | group `deliver` |

pub mod alert;
pub mod deliver;
pub mod enrich;
pub mod fetch;
pub mod index;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use chipwire_events::{DeadLetter, ErrorClass};
use chipwire_log::StoredRecord;

use crate::wire;

/// How long a stage waits for records before it looks whether it has to stop.
const WAIT: Duration = Duration::from_millis(200);

/// The dead letter of a record that `stage` could not process.
fn dead_letter(
    stage: &str,
    topic: chipwire_events::Topic,
    stored: &StoredRecord,
    class: ErrorClass,
    message: String,
) -> DeadLetter {
    DeadLetter {
        stage: stage.to_owned(),
        topic: topic.name().to_owned(),
        partition: stored.record.partition,
        offset: stored.offset,
        class,
        message,
        key: wire::key(stored).into_owned(),
        headers: stored.record.headers.clone(),
        value_base64: STANDARD.encode(stored.record.value.as_deref().unwrap_or_default()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
