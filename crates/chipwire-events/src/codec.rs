//! Between an [`Event`] and the bytes of a log record.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Alert, Article, Covers, DeadLetter, Delivery, Envelope, Error, EventId, Feed, FeedItems, FeedList, FeedPush,
    FeedState, Rejected, Replayed, Result, Rule, TaggedArticle, Topic, ids::hash_hex_of_bytes, partition_of,
};

/// Every fact that chipwire writes. The type's name carries the version of its payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// `chipwire.feed.subscribed.v1` in `feeds`.
    FeedSubscribed(Feed),
    /// `chipwire.feed.polled.v1` in `feed-states`.
    FeedPolled(FeedState),
    /// `chipwire.feed.read.v1` in `feed-states`, under a key of its own next to that of the feed's state.
    FeedRead(FeedItems),
    /// `chipwire.feed.pushed.v1` in `feeds`, under a key of its own until it was taken in.
    FeedPushed(FeedPush),
    /// `chipwire.list.imported.v1` in `feeds`, under a key of its own.
    ListImported(FeedList),
    /// `chipwire.article.fetched.v1` in `articles.raw`.
    ArticleFetched(Article),
    /// `chipwire.article.tagged.v1` in `articles.tagged`.
    ArticleTagged(TaggedArticle),
    /// `chipwire.article.rejected.v1` in `articles.tagged`.
    ArticleRejected(Rejected),
    /// `chipwire.rule.saved.v1` in `rules`.
    RuleSaved(Rule),
    /// `chipwire.alert.raised.v1` in `alerts`.
    AlertRaised(Alert),
    /// `chipwire.delivery.changed.v1` in `deliveries`.
    DeliveryChanged(Delivery),
    /// `chipwire.event.rejected.v1` in `dead-letters`.
    EventRejected(DeadLetter),
    /// `chipwire.event.replayed.v1` in `dead-letters`.
    EventReplayed(Replayed),
}

/// An event as it lies in the log, independent of the log's backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The topic it belongs to.
    pub topic: Topic,
    /// The partition it belongs to.
    pub partition: u32,
    /// The key that orders and compacts it.
    pub key: String,
    /// The envelope as headers.
    pub headers: Vec<(String, String)>,
    /// JSON, or `None` for a tombstone that removes the key from a state topic.
    pub value: Option<Vec<u8>>,
}

impl Message {
    /// The tombstone of `key` in a state topic.
    pub fn tombstone(topic: Topic, key: &str) -> Self {
        Self {
            topic,
            partition: partition_of(key, topic.partitions()),
            key: key.to_owned(),
            headers: Vec::new(),
            value: None,
        }
    }
}

impl Event {
    /// The CloudEvents type.
    pub fn event_type(&self) -> &'static str {
        match self {
            Event::FeedSubscribed(_) => "chipwire.feed.subscribed.v1",
            Event::FeedPolled(_) => "chipwire.feed.polled.v1",
            Event::FeedRead(_) => "chipwire.feed.read.v1",
            Event::FeedPushed(_) => "chipwire.feed.pushed.v1",
            Event::ListImported(_) => "chipwire.list.imported.v1",
            Event::ArticleFetched(_) => "chipwire.article.fetched.v1",
            Event::ArticleTagged(_) => "chipwire.article.tagged.v1",
            Event::ArticleRejected(_) => "chipwire.article.rejected.v1",
            Event::RuleSaved(_) => "chipwire.rule.saved.v1",
            Event::AlertRaised(_) => "chipwire.alert.raised.v1",
            Event::DeliveryChanged(_) => "chipwire.delivery.changed.v1",
            Event::EventRejected(_) => "chipwire.event.rejected.v1",
            Event::EventReplayed(_) => "chipwire.event.replayed.v1",
        }
    }

    /// The topic it is written to.
    pub fn topic(&self) -> Topic {
        match self {
            Event::FeedSubscribed(_) | Event::FeedPushed(_) | Event::ListImported(_) => Topic::Feeds,
            Event::FeedPolled(_) | Event::FeedRead(_) => Topic::FeedStates,
            Event::ArticleFetched(_) => Topic::ArticlesRaw,
            Event::ArticleTagged(_) | Event::ArticleRejected(_) => Topic::ArticlesTagged,
            Event::RuleSaved(_) => Topic::Rules,
            Event::AlertRaised(_) => Topic::Alerts,
            Event::DeliveryChanged(_) => Topic::Deliveries,
            Event::EventRejected(_) | Event::EventReplayed(_) => Topic::DeadLetters,
        }
    }

    /// Writes the event. `time` is when the fact was first known; `covers` belongs to the outcomes of enrichment, which
    /// stay in the partition of their raw event.
    pub fn encode(&self, time: Timestamp, covers: Option<Covers>) -> Result<Message> {
        let topic = self.topic();
        let (key, source, value) = match self {
            Event::FeedSubscribed(feed) => (feed.id.to_string(), format!("/feeds/{}", feed.id), self.json(feed)?),
            Event::FeedPolled(state) => (state.feed.to_string(), format!("/feeds/{}", state.feed), self.json(state)?),
            Event::FeedRead(read) => (FeedItems::key_of(&read.feed), format!("/feeds/{}", read.feed), self.json(read)?),
            Event::FeedPushed(push) => (push.key(), format!("/feeds/{}", push.feed), self.json(push)?),
            Event::ListImported(list) => (list.key(), "/lists".to_owned(), self.json(list)?),
            Event::ArticleFetched(article) => {
                (article.id.to_string(), format!("/feeds/{}", article.feed), self.json(article)?)
            }
            Event::ArticleTagged(tagged) => {
                (tagged.article.id.to_string(), format!("/gazetteer/{}", tagged.gazetteer), self.json(tagged)?)
            }
            Event::ArticleRejected(rejected) => {
                (rejected.dead_letter.to_string(), "/stages/enrich".to_owned(), self.json(rejected)?)
            }
            Event::RuleSaved(rule) => (rule.id.to_string(), format!("/rules/{}", rule.id), self.json(rule)?),
            Event::AlertRaised(alert) => (alert.rule.to_string(), format!("/rules/{}", alert.rule), self.json(alert)?),
            Event::DeliveryChanged(delivery) => {
                (delivery.key(), format!("/sinks/{}", delivery.sink), self.json(delivery)?)
            }
            Event::EventRejected(letter) => {
                (letter.key.clone(), format!("/stages/{}", letter.stage), self.json(letter)?)
            }
            Event::EventReplayed(replayed) => {
                (replayed.dead_letter.to_string(), "/dead-letters".to_owned(), self.json(replayed)?)
            }
        };
        let of_bytes = || EventId::of(self.event_type(), &[&key, &hash_hex_of_bytes(16, [value.as_slice()])]);
        let id = self.id().unwrap_or_else(of_bytes);
        let envelope = Envelope { id, event_type: self.event_type().to_owned(), source, time, covers };
        let partition = match (self, covers) {
            (_, Some(covers)) => covers.partition,
            // Co-partitioned with `alerts`, so that whoever delivers a partition's alerts also owns their state.
            (Event::DeliveryChanged(delivery), None) => partition_of(delivery.alert.rule.as_str(), topic.partitions()),
            // With its feed, so that whoever polls the feed takes it in.
            (Event::FeedRead(read), None) => partition_of(read.feed.as_str(), topic.partitions()),
            (Event::FeedPushed(push), None) => partition_of(push.feed.as_str(), topic.partitions()),
            _ => partition_of(&key, topic.partitions()),
        };
        Ok(Message { topic, partition, key, headers: envelope.to_headers(), value: Some(value) })
    }

    /// Its id, where that follows from what it says: of the facts that the chain is made of. Of the others it is a hash of the
    /// bytes that were written.
    pub fn id(&self) -> Option<EventId> {
        match self {
            Event::ArticleFetched(article) => Some(article.event_id()),
            Event::ArticleTagged(tagged) => Some(tagged.event_id()),
            Event::EventRejected(letter) => Some(letter.event_id()),
            Event::ArticleRejected(rejected) => Some(EventId::of(self.event_type(), &[rejected.dead_letter.as_str()])),
            Event::AlertRaised(alert) => Some(EventId::of(self.event_type(), &[alert.id.as_str()])),
            _ => None,
        }
    }

    fn json<T: Serialize>(&self, payload: &T) -> Result<Vec<u8>> {
        let mut json = Vec::with_capacity(self.size_hint());
        serde_json::to_writer(&mut json, payload)
            .map_err(|source| Error::Payload { event_type: self.event_type().to_owned(), source })?;
        Ok(json)
    }

    /// About how large the payload is, in bytes: a buffer that grows as it is written is copied many times over.
    fn size_hint(&self) -> usize {
        let text = |article: &Article| 1_024 + article.title.len() + article.body.len() + article.body.len() / 16;
        match self {
            Event::ArticleFetched(article) => text(article),
            Event::ArticleTagged(tagged) => text(&tagged.article) + 320 * tagged.mentions.len(),
            Event::FeedRead(read) => 128 + 256 * read.items.len(),
            Event::FeedPolled(_) => 1_536,
            _ => 512,
        }
    }

    /// Reads an event of any version ever written; older ones are upcast here.
    pub fn decode(headers: &[(String, String)], value: Option<&[u8]>) -> Result<(Envelope, Event)> {
        let envelope = Envelope::from_headers(headers)?;
        let event_type = envelope.event_type.as_str();
        let value = value.ok_or_else(|| Error::NoValue(event_type.to_owned()))?;
        let event = match event_type {
            "chipwire.feed.subscribed.v1" => Event::FeedSubscribed(payload(event_type, value)?),
            "chipwire.feed.polled.v1" => Event::FeedPolled(payload(event_type, value)?),
            "chipwire.feed.read.v1" => Event::FeedRead(payload(event_type, value)?),
            "chipwire.feed.pushed.v1" => Event::FeedPushed(payload(event_type, value)?),
            "chipwire.list.imported.v1" => Event::ListImported(payload(event_type, value)?),
            "chipwire.article.fetched.v1" => Event::ArticleFetched(payload(event_type, value)?),
            "chipwire.article.tagged.v1" => Event::ArticleTagged(payload(event_type, value)?),
            "chipwire.article.rejected.v1" => Event::ArticleRejected(payload(event_type, value)?),
            "chipwire.rule.saved.v1" => Event::RuleSaved(payload(event_type, value)?),
            "chipwire.alert.raised.v1" => Event::AlertRaised(payload(event_type, value)?),
            "chipwire.delivery.changed.v1" => Event::DeliveryChanged(payload(event_type, value)?),
            "chipwire.event.rejected.v1" => Event::EventRejected(payload(event_type, value)?),
            "chipwire.event.replayed.v1" => Event::EventReplayed(payload(event_type, value)?),
            other => return Err(Error::UnknownType(other.to_owned())),
        };
        Ok((envelope, event))
    }
}

fn payload<T: DeserializeOwned>(event_type: &str, value: &[u8]) -> Result<T> {
    // Checking all of it at once is faster than string by string.
    let read = match std::str::from_utf8(value) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(value),
    };
    read.map_err(|source| Error::Payload { event_type: event_type.to_owned(), source })
}
