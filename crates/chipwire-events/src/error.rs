//! What can be wrong with the bytes of an event.

/// The result of reading an event.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can be wrong with the bytes of an event. None of these passes by waiting: such a record is dead-lettered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A CloudEvents attribute that must be there is not.
    #[error("record has no header `{0}`: it is no CloudEvent in binary content mode")]
    MissingHeader(&'static str),
    /// A header's value has the wrong form.
    #[error("header `{name}` is `{value}`, expected {expected}")]
    Header {
        /// The header's name.
        name: &'static str,
        /// Its value.
        value: String,
        /// The form it should have.
        expected: &'static str,
    },
    /// A type of event that this version does not know.
    #[error("event type `{0}` is not known to this version of chipwire")]
    UnknownType(String),
    /// A tombstone where an event was expected.
    #[error("record of type `{0}` has no value")]
    NoValue(String),
    /// The payload does not fit the type.
    #[error("payload of `{event_type}` does not fit its schema")]
    Payload {
        /// The event's type.
        event_type: String,
        /// What does not fit, and where.
        source: serde_json::Error,
    },
    /// Not of the form `kind:id`.
    #[error("`{0}` is no entity reference, expected kind:id such as company:nvidia")]
    EntityRef(String),
}
