//! Creating topics.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    error::RDKafkaErrorCode as Code,
};

use super::{
    cluster::Cluster,
    config::unusable,
    context::Context,
    failure::{Meaning, meaning},
};
use crate::{Cleanup, Error, Result, TopicSpec};

/// Creates what is missing of `topics` and checks the rest.
pub(super) fn ensure(cluster: &Cluster, topics: &[TopicSpec]) -> Result<()> {
    let mut missing = Vec::new();
    for spec in topics {
        match cluster.describe(&spec.name)? {
            Some(found) => check(spec, found.partitions)?,
            None => missing.push(spec),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    create(cluster, &missing)?;
    let deadline = Instant::now() + cluster.config.request_timeout();
    missing.into_iter().try_for_each(|spec| wait_until_usable(cluster, spec, deadline))
}

fn check(spec: &TopicSpec, found: u32) -> Result<()> {
    if found == spec.partitions {
        return Ok(());
    }
    Err(Error::TopicMismatch { topic: spec.name.to_string(), found, expected: spec.partitions })
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
    let admin: AdminClient<Context> =
        config.admin(&cluster.security).create_with_context(context.clone()).map_err(unusable)?;
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
            Ok(Some(found)) if found.led => return check(spec, found.partitions),
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
