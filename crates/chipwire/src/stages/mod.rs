//! The five stages, one file each.
//!
//! | stage | reads | writes | position |
//! | --- | --- | --- | --- |
//! | [`fetch`] | `feeds` | `articles.raw`, `feed-states`; removes pushes from `feeds` | group `fetch` |
//! | [`enrich`] | `articles.raw` | `articles.tagged`, `dead-letters` | group `enrich` |
//! | [`index`] | `articles.tagged` | the index, `dead-letters` | payload of the index's commits |
//! | [`alert`] | `articles.tagged`, `rules` | `alerts`, `dead-letters` | group `alert` |
//! | [`deliver`] | `alerts` | `deliveries`, `dead-letters`, the sinks | group `deliver` |

pub mod alert;
pub mod deliver;
pub mod enrich;
pub mod fetch;
pub mod index;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chipwire_events::{ATTEMPT_HEADER, DeadLetter, ErrorClass};
use chipwire_log::StoredRecord;

use crate::wire;

/// How long a stage waits for records before it looks whether it has to stop.
const WAIT: Duration = Duration::from_millis(200);

/// The largest event that is written, where the log sets no narrower limit: 16 MiB, as with the brokers of Kafka as chipwire
/// sets them up.
const MAX_EVENT_BYTES: usize = 16 << 20;

/// The largest event that can be written to `log`.
pub(crate) fn max_event_bytes(log: &wire::Log) -> usize {
    log.backend().max_record_bytes().unwrap_or(MAX_EVENT_BYTES).min(MAX_EVENT_BYTES)
}

/// What `work` gives, or what it said when it panicked: of one event, so that the stage goes on with the next.
pub(crate) fn unless_it_panics<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_message(&*panic))
}

/// What was said with a panic.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

/// The dead letter of a record that `stage` could not process. The record's value is in it unless that makes it larger than
/// an event may be: then it is where it was read.
fn dead_letter(
    stage: &str,
    topic: chipwire_events::Topic,
    stored: &StoredRecord,
    class: ErrorClass,
    message: String,
    max_bytes: usize,
) -> DeadLetter {
    let record = &stored.record;
    let attempt = record.headers.iter().find(|(name, _)| name == ATTEMPT_HEADER);
    let value = record.value.as_deref().unwrap_or_default();
    let fits = record.size_bytes() / 3 * 4 + message.len() + 4_096 <= max_bytes;
    DeadLetter {
        stage: stage.to_owned(),
        topic: topic.name().to_owned(),
        partition: stored.record.partition,
        offset: stored.offset,
        class,
        message,
        key: wire::key(stored).into_owned(),
        headers: if fits { record.headers.clone() } else { Vec::new() },
        value_base64: if fits { STANDARD.encode(value) } else { String::new() },
        left_out: !fits,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        attempts: attempt.and_then(|(_, number)| number.parse().ok()).unwrap_or(1),
    }
}
