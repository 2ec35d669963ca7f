//! Creating topics, and checking those that are there.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    error::RDKafkaErrorCode as Code,
};

use super::{
    cluster::Cluster,
    config::unusable,
    context::Context,
    failure::{Meaning, meaning},
};
use crate::{Cleanup, Error, Result, TopicSpec};

/// Creates what is missing of `topics` and checks the rest: what would lose records is an error, what is only other than it
/// would be made here is said in the log.
pub(super) fn ensure(cluster: &Cluster, topics: &[TopicSpec]) -> Result<()> {
    let mut missing = Vec::new();
    let mut there = Vec::new();
    for spec in topics {
        match cluster.describe(&spec.name)? {
            Some(found) => {
                take(cluster, spec, found.partitions)?;
                there.push((spec, found.replicas));
            }
            None => missing.push(spec),
        }
    }
    for difference in differences(cluster, &there)? {
        let Difference { topic, setting, found, expected } = difference;
        tracing::warn!(topic, setting, found, expected, "an existing topic has another setting than it would get here");
    }
    if missing.is_empty() {
        return Ok(());
    }
    create(cluster, &missing)?;
    let deadline = Instant::now() + cluster.config.request_timeout();
    missing.into_iter().try_for_each(|spec| wait_until_usable(cluster, spec, deadline))
}

/// Checks how many partitions a topic has, and keeps it in mind.
fn take(cluster: &Cluster, spec: &TopicSpec, partitions: u32) -> Result<()> {
    spec.check(partitions, spec.cleanup)?;
    cluster.remember(&spec.name, partitions);
    Ok(())
}

/// A setting of a topic that is other than it would be made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The topic.
    pub topic: String,
    /// The setting, in Kafka's words.
    pub setting: &'static str,
    /// What it is.
    pub found: String,
    /// What it would be.
    pub expected: String,
}

/// What is different with topics that exist with these numbers of copies.
///
/// # Errors
/// [`Error::TopicSetting`] for one whose records would be removed though they must stay, or pile up though they must not.
pub(super) fn differences(cluster: &Cluster, topics: &[(&TopicSpec, usize)]) -> Result<Vec<Difference>> {
    if topics.is_empty() {
        return Ok(Vec::new());
    }
    let context = Context::default();
    let admin = admin(cluster, &context)?;
    let resources: Vec<_> = topics.iter().map(|(spec, _)| ResourceSpecifier::Topic(&spec.name)).collect();
    let options = AdminOptions::new().request_timeout(Some(cluster.config.request_timeout()));
    let results = block_on(admin.describe_configs(&resources, &options))
        .map_err(|error| cluster.error("ask for the settings of topics".to_owned(), error))?;
    let mut differences = Vec::new();
    for ((spec, replicas), result) in topics.iter().zip(results) {
        let found = match result {
            Ok(found) => found,
            Err(code) if meaning(code) == Meaning::Away => {
                return Err(cluster.unavailable_to(
                    &context,
                    &format!("ask for the settings of `{}`", spec.name),
                    code,
                ));
            }
            // As one who may use a topic and not ask how it is set.
            Err(code) => {
                tracing::warn!(topic = &*spec.name, %code, "the settings of a topic cannot be looked at");
                continue;
            }
        };
        let found: BTreeMap<String, String> =
            found.entries.into_iter().filter_map(|entry| entry.value.map(|value| (entry.name, value))).collect();
        differences.extend(compare(
            spec,
            &settings(cluster, spec),
            cluster.config.replication_factor,
            &found,
            *replicas,
        )?);
    }
    Ok(differences)
}

/// `wanted` are the settings of a topic that is made here, `found` those of the one that is there.
fn compare(
    spec: &TopicSpec,
    wanted: &[(&'static str, String)],
    wanted_replicas: u16,
    found: &BTreeMap<String, String>,
    replicas: usize,
) -> Result<Vec<Difference>> {
    let difference = |setting, found: &str, expected: &str| Difference {
        topic: spec.name.to_string(),
        setting,
        found: found.to_owned(),
        expected: expected.to_owned(),
    };
    let mut differences = Vec::new();
    if replicas < usize::from(wanted_replicas) {
        differences.push(difference("replication factor", &replicas.to_string(), &wanted_replicas.to_string()));
    }
    for (setting, expected) in wanted {
        let Some(value) = found.get(*setting).filter(|value| *value != expected) else { continue };
        let is_more = || value.parse::<i64>().ok() > expected.parse().ok();
        match *setting {
            "cleanup.policy" => {
                return Err(Error::TopicSetting {
                    topic: spec.name.to_string(),
                    setting,
                    found: value.clone(),
                    expected: expected.clone(),
                    advice: "set it with `kafka-configs.sh --alter`, or use another prefix",
                });
            }
            // More of these does no harm.
            "min.insync.replicas" | "max.message.bytes" if is_more() => {}
            _ => differences.push(difference(setting, value, expected)),
        }
    }
    Ok(differences)
}

fn admin(cluster: &Cluster, context: &Context) -> Result<AdminClient<Context>> {
    cluster.config.admin(&cluster.security).create_with_context(context.clone()).map_err(unusable)
}

fn create(cluster: &Cluster, missing: &[&TopicSpec]) -> Result<()> {
    let config = &cluster.config;
    let settings: Vec<Vec<(&str, String)>> = missing.iter().map(|spec| settings(cluster, spec)).collect();
    let topics: Vec<NewTopic<'_>> = missing
        .iter()
        .zip(&settings)
        .map(|(spec, settings)| {
            let partitions = i32::try_from(spec.partitions).unwrap_or(i32::MAX);
            let topic =
                NewTopic::new(&spec.name, partitions, TopicReplication::Fixed(config.replication_factor.into()));
            settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
        })
        .collect();

    let context = Context::default();
    let admin = admin(cluster, &context)?;
    let timeout = Some(config.request_timeout());
    let options = AdminOptions::new().request_timeout(timeout).operation_timeout(timeout);
    let results = block_on(admin.create_topics(&topics, &options))
        .map_err(|error| cluster.error("create topics".to_owned(), error))?;
    for result in results {
        match result {
            // Somebody else was quicker; the count is checked below.
            Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(refused(cluster, &context, &topic, code)),
        }
    }
    Ok(())
}

fn refused(cluster: &Cluster, context: &Context, topic: &str, code: Code) -> Error {
    let action = format!("create topic `{topic}` with replication factor {}", cluster.config.replication_factor);
    match meaning(code) {
        Meaning::Away => cluster.unavailable_to(context, &action, code),
        _ => Error::Backend { action, source: Box::new(code) },
    }
}

/// The settings of a new topic.
fn settings(cluster: &Cluster, spec: &TopicSpec) -> Vec<(&'static str, String)> {
    let config = &cluster.config;
    let mut settings = vec![
        ("min.insync.replicas", config.min_insync_replicas().to_string()),
        ("max.message.bytes", config.max_record_bytes.to_string()),
        // The broker's clock, which does not differ between those who write.
        ("message.timestamp.type", "LogAppendTime".to_owned()),
    ];
    match spec.cleanup {
        Cleanup::Delete { retention } => {
            let retention_ms = retention.map_or(-1, |time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
            settings.push(("cleanup.policy", "delete".to_owned()));
            settings.push(("retention.ms", retention_ms.to_string()));
        }
        Cleanup::Compact => settings.push(("cleanup.policy", "compact".to_owned())),
    }
    settings
}

/// A topic is created when the controller says so, but each broker hears of it a little later.
fn wait_until_usable(cluster: &Cluster, spec: &TopicSpec, deadline: Instant) -> Result<()> {
    loop {
        match cluster.describe(&spec.name) {
            Ok(Some(found)) if found.led => return take(cluster, spec, found.partitions),
            Ok(_) | Err(Error::Unavailable { .. }) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            Ok(_) => {
                return Err(cluster
                    .unavailable(&format!("wait for a leader of topic `{}`", spec.name), Code::LeaderNotAvailable));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits for a future on this thread. The admin client completes it from a thread of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::kafka::KafkaConfig;

    #[test]
    fn what_loses_records_is_an_error_and_the_rest_is_said() {
        let config = KafkaConfig { replication_factor: 3, ..KafkaConfig::default() };
        let cluster = Cluster::new(config).unwrap();
        let month = Cleanup::Delete { retention: Some(Duration::from_secs(30 * 86_400)) };
        let spec = TopicSpec { name: "t".into(), partitions: 8, cleanup: month };
        let wanted = settings(&cluster, &spec);
        let with = |changes: &[(&str, &str)]| {
            let mut found: BTreeMap<String, String> =
                wanted.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
            found.extend(changes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
            found
        };
        let said = |changes: &[(&str, &str)], replicas| {
            let found = compare(&spec, &wanted, 3, &with(changes), replicas).unwrap();
            found.into_iter().map(|d| format!("{} {} {}", d.setting, d.found, d.expected)).collect::<Vec<_>>()
        };
        assert!(said(&[], 3).is_empty());
        assert!(said(&[("min.insync.replicas", "3"), ("max.message.bytes", "99999999"), ("other", "1")], 5).is_empty());
        let changes = [
            ("min.insync.replicas", "1"),
            ("max.message.bytes", "1048588"),
            ("message.timestamp.type", "CreateTime"),
            ("retention.ms", "604800000"),
        ];
        assert_eq!(
            said(&changes, 1),
            [
                "replication factor 1 3",
                "min.insync.replicas 1 2",
                "max.message.bytes 1048588 16777216",
                "message.timestamp.type CreateTime LogAppendTime",
                "retention.ms 604800000 2592000000",
            ]
        );
        for policy in ["compact", "compact,delete"] {
            let refused = compare(&spec, &wanted, 3, &with(&[("cleanup.policy", policy)]), 3).unwrap_err();
            let text = refused.to_string();
            assert!(
                text.contains(&format!("topic `t` has `cleanup.policy` {policy}, expected delete; set it")),
                "{text}"
            );
            assert!(!refused.is_transient());
        }
    }
}
