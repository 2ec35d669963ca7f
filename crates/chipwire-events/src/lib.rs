//! The vocabulary of chipwire: what is written to the log, and nothing that does I/O.
//!
//! Holds the payload types ([`Article`], [`TaggedArticle`] with its [`Findings`], [`Feed`], [`FeedState`], [`Rule`],
//! [`Alert`], [`Delivery`], [`DeadLetter`]), their CloudEvents 1.0 envelope ([`Envelope`]), the codec between an [`Event`] and
//! the bytes of a log record ([`Message`]), the one table of topics ([`Topic`]), and the form of an address in which two
//! spellings are equal ([`canonical_link`]).
//!
//! Refuses: any I/O, any clock, any randomness. Ids are hashes of what they name, so that the same input gives the same id
//! on every machine and in every replay.
//!
//! Start reading at [`Event`]: one variant for every type of event that chipwire writes.

mod address;
mod alert;
mod article;
mod codec;
mod dead_letter;
mod envelope;
mod error;
mod feed;
mod findings;
mod ids;
mod mention;
mod rule;
pub mod schema;
mod topic;

pub use address::{canonical_link, without_tracking};
pub use alert::{Alert, Delivery, DeliveryStatus};
pub use article::{Article, Covers, Markup, Rejected, TaggedArticle};
pub use codec::{Event, Message};
pub use dead_letter::{ATTEMPT_HEADER, DeadLetter, ErrorClass, Replayed, STAGE_HEADER};
pub use envelope::{COVERS_HEADER, Envelope};
pub use error::{Error, Result};
pub use feed::{
    ArticlePages, Feed, FeedError, FeedHeader, FeedItems, FeedList, FeedMove, FeedOrigin, FeedPush, FeedState,
    HeadElement, HubNews, IdentityPolicy, ItemPage, ItemState, ListFolder, Pace, Subscription, Timing,
};
pub use findings::{Amount, AmountKind, DetectedLanguage, Findings, Fingerprint, Happening, Pair, Role, Slot, Status};
pub use ids::{AlertId, ArticleId, EventId, FeedId, RuleId, hash_hex};
pub use jiff::Timestamp;
pub use mention::{Entity, EntityRef, Field, Mention, Salience};
pub use rule::Rule;
pub use topic::{Cleanup, Topic, partition_of};
