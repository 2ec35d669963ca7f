//! The one table of topics.

/// What happens to old records of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Kept for ever.
    Keep,
    /// Kept for ever, or as long as the installation wants.
    Expire,
    /// The latest per key is kept: a state topic.
    Compact,
}

/// A topic of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// The feeds that are followed, by feed id (state), what their hubs have pushed until it was taken in, and
    /// what lists say besides their feeds.
    Feeds,
    /// What is known about each feed, by feed id (state). Partitioned like `Feeds`.
    FeedStates,
    /// Articles as fetched, by article id.
    ArticlesRaw,
    /// Articles as tagged, by article id. Partitioned like `ArticlesRaw`: one event per raw event, in its order.
    ArticlesTagged,
    /// Saved queries, by rule id (state).
    Rules,
    /// Alerts, by rule id.
    Alerts,
    /// How far each delivery has come, by alert id and sink (state).
    Deliveries,
    /// Records that could not be processed.
    DeadLetters,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Topic; 8] = [
        Topic::Feeds,
        Topic::FeedStates,
        Topic::ArticlesRaw,
        Topic::ArticlesTagged,
        Topic::Rules,
        Topic::Alerts,
        Topic::Deliveries,
        Topic::DeadLetters,
    ];

    /// Its name without the configured prefix.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Feeds => "feeds",
            Topic::FeedStates => "feed-states",
            Topic::ArticlesRaw => "articles.raw",
            Topic::ArticlesTagged => "articles.tagged",
            Topic::Rules => "rules",
            Topic::Alerts => "alerts",
            Topic::Deliveries => "deliveries",
            Topic::DeadLetters => "dead-letters",
        }
    }

    /// The number of partitions it is created with. It never changes: the partition of a key is part of its history.
    pub fn partitions(self) -> u32 {
        match self {
            Topic::Feeds | Topic::FeedStates | Topic::ArticlesRaw | Topic::ArticlesTagged => 8,
            Topic::Alerts | Topic::Deliveries => 4,
            Topic::Rules | Topic::DeadLetters => 1,
        }
    }

    /// What happens to its old records.
    pub fn cleanup(self) -> Cleanup {
        match self {
            Topic::Feeds | Topic::FeedStates | Topic::Rules | Topic::Deliveries => Cleanup::Compact,
            Topic::ArticlesRaw | Topic::ArticlesTagged | Topic::DeadLetters => Cleanup::Expire,
            // They say what was raised before, and take little room.
            Topic::Alerts => Cleanup::Keep,
        }
    }

    /// The topic of that name.
    pub fn from_name(name: &str) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// The partition of `key` among `partitions`, as Kafka's own default partitioner for Java computes it (murmur2), so that
/// any producer puts the same key in the same place.
pub fn partition_of(key: &str, partitions: u32) -> u32 {
    (murmur2(key.as_bytes()) & 0x7fff_ffff) % partitions.max(1)
}

/// MurmurHash2 (Austin Appleby, public domain) with the seed that Kafka uses.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let mut hash = SEED ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut word = chunk.iter().rev().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        word = word.wrapping_mul(M);
        word ^= word >> 24;
        hash = hash.wrapping_mul(M) ^ word.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that Kafka's Java client computes for these keys.
    #[test]
    fn murmur2_agrees_with_java() {
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn names_are_unique_and_found_again() {
        for topic in Topic::ALL {
            assert_eq!(Topic::from_name(topic.name()), Some(topic));
        }
    }

    #[test]
    fn co_partitioned_topics_have_as_many_partitions() {
        assert_eq!(Topic::Feeds.partitions(), Topic::FeedStates.partitions());
        assert_eq!(Topic::ArticlesRaw.partitions(), Topic::ArticlesTagged.partitions());
    }
}
