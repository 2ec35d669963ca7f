//! Opens what a command needs and puts stages together.

use std::{
    env, fs,
    io::{self, Write},
    process,
    sync::{Arc, OnceLock},
    thread,
};

use anyhow::{Context as _, Result};
use chipwire_alerts::Sinks;
use chipwire_events::Topic;
use chipwire_feeds::Fetcher;
use chipwire_index::Checkpoint;
use chipwire_log::{
    EventLog, Expiry, Positions,
    sqlite::{Access, SqliteLog},
};
use rayon::ThreadPoolBuilder;

use crate::{
    config::{Backend, Config},
    data_dir::{DataDir, Lock, LockError},
    generations::Generations,
    health::Health,
    hubs,
    overlay::Taggers,
    runner::{Clock, Context, Running, Shutdown, StageError, system_clock},
    stages::{alert, deliver, enrich, fetch, index},
    wire::Log,
};

/// The lock of whoever builds the index anew.
pub const REBUILD_LOCK: &str = "index-rebuild";

/// Processes that share a data directory, at most, under names that their successors take.
const MAX_SLOTS: u32 = 1_000;

/// A stage, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// [`fetch`]
    Fetch,
    /// [`enrich`]
    Enrich,
    /// [`index`]
    Index,
    /// [`alert`]
    Alert,
    /// [`deliver`]
    Deliver,
}

impl Stage {
    /// Every stage, in the order in which an article passes them.
    pub const ALL: [Stage; 5] = [Stage::Fetch, Stage::Enrich, Stage::Index, Stage::Alert, Stage::Deliver];

    /// The stage's name: its thread, its group, its lock.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Fetch => fetch::STAGE,
            Stage::Enrich => enrich::STAGE,
            Stage::Index => index::STAGE,
            Stage::Alert => alert::STAGE,
            Stage::Deliver => deliver::STAGE,
        }
    }
}

/// A data directory with its configuration and its log.
pub struct Opened {
    /// The configuration.
    pub config: Config,
    /// The data directory.
    pub data_dir: DataDir,
    /// The log.
    pub log: Log,
    /// The index.
    pub generations: Arc<Generations>,
    /// What tags.
    pub taggers: Taggers,
    /// Sets this process apart from others that run the same stages, once one is asked for; with the lock of its slot.
    member: OnceLock<(Arc<str>, Option<Lock>)>,
    /// Where the sink `terminal` writes.
    pub terminal: Arc<dyn Fn() -> Box<dyn Write + Send> + Send + Sync>,
}

impl Opened {
    /// Opens the data directory of `config` and its log, and makes what is missing.
    pub fn open(config: Config) -> Result<Self> {
        let data_dir = DataDir::create(&config.data_dir)?;
        let backend: Arc<dyn EventLog> = match config.log.backend {
            Backend::Sqlite => Arc::new(SqliteLog::open(&data_dir.log(), Access::Create)?),
            #[cfg(feature = "kafka")]
            Backend::Kafka => {
                // One prefix for topics, groups and transactional ids: one installation.
                let id_prefix = config.log.prefix.clone();
                let kafka = chipwire_log::kafka::KafkaConfig { id_prefix, ..config.log.kafka.clone() };
                Arc::new(chipwire_log::kafka::KafkaLog::connect(kafka)?)
            }
            #[cfg(not(feature = "kafka"))]
            Backend::Kafka => anyhow::bail!("this build has no Kafka"),
        };
        let log = Log::new(backend, &config.log.prefix).with_retention(config.log.retention());
        let generations = Arc::new(Generations::new(data_dir.index()));
        let taggers = Taggers::new(config.enrich.overlays.clone());
        Ok(Self {
            config,
            taggers,
            data_dir,
            log,
            generations,
            member: OnceLock::new(),
            terminal: Arc::new(|| Box::new(io::stdout())),
        })
    }

    /// Takes the right to run `stage`. On Kafka, where any number of workers may share a stage, only the index needs one.
    pub fn lock(&self, stage: Stage, command: &str) -> Result<Option<Lock>, LockError> {
        if self.config.log.backend == Backend::Kafka && stage != Stage::Index {
            return Ok(None);
        }
        self.data_dir.lock(stage.name(), command, system_clock()).map(Some)
    }

    /// What a stage needs. Makes the log's topics where they are missing.
    pub fn context(&self, health: &Health, shutdown: &Shutdown, runtime: &tokio::runtime::Handle) -> Context {
        Context {
            log: self.log.clone(),
            health: health.clone(),
            shutdown: shutdown.clone(),
            now: system_clock as Clock,
            runtime: runtime.clone(),
            taggers: self.taggers.clone(),
            member: Arc::clone(&self.member.get_or_init(|| self.take_member()).0),
        }
    }

    /// The name under which this process works, which its successor takes after a crash: on Kafka that ends at once what a
    /// process that was killed has left open, for which others would wait half a minute. So it is made of the machine, the
    /// data directory and the lowest number that no process there has.
    fn take_member(&self) -> (Arc<str>, Option<Lock>) {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() { "host" } else { host.trim() };
        let by_process = || Arc::from(format!("{host}-{}", process::id()));
        // The embedded log's locks see to it that there is one.
        if self.config.log.backend != Backend::Kafka {
            return (by_process(), None);
        }
        let path = fs::canonicalize(self.data_dir.path()).unwrap_or_else(|_| self.data_dir.path().to_owned());
        let folder = chipwire_events::hash_hex(4, &[&path.to_string_lossy()]);
        for slot in 0..MAX_SLOTS {
            match self.data_dir.lock(&format!("member-{slot}"), "worker", system_clock()) {
                Ok(lock) => return (format!("{host}-{folder}-{slot}").into(), Some(lock)),
                Err(LockError::Taken { .. }) => {}
                Err(error) => {
                    tracing::warn!("this process works under a name of its own: {}", crate::runner::chain(&error));
                    break;
                }
            }
        }
        (by_process(), None)
    }

    /// What the index stage is told.
    pub fn index_settings(&self) -> index::Settings {
        let config = &self.config.index;
        index::Settings {
            generations: Arc::clone(&self.generations),
            memory_bytes: config.memory_mib << 20,
            threads: config.threads,
            commit_interval_ms: config.commit_interval_ms,
        }
    }

    /// What the enrich stage is told.
    pub fn enrich_settings(&self) -> Result<enrich::Settings> {
        let threads = match self.config.enrich.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|number| format!("enrich-{number}"));
        let pool = if threads > 1 { Some(Arc::new(pool.build()?)) } else { None };
        Ok(enrich::Settings { pool })
    }

    /// The sinks.
    pub fn sinks(&self) -> Result<Arc<Sinks>> {
        let sinks = Sinks::from_config(&self.config.sinks, (self.terminal)(), |name| env::var(name).ok())?;
        Ok(Arc::new(sinks))
    }

    /// Starts `stage` in `running`.
    pub fn start(&self, stage: Stage, context: &Context, running: &mut Running) -> Result<()> {
        let name = stage.name();
        match stage {
            Stage::Fetch => {
                if let Some(hint) = self.config.fetch.anonymous() {
                    tracing::warn!(stage = name, "{hint}");
                }
                let mut fetcher = Fetcher::new(self.config.fetch.clone()).context("failed to set up the fetcher")?;
                if let Some(key) = hubs::key(&self.config.fetch, &self.config.data_dir)? {
                    fetcher = fetcher.with_websub(key).context("failed to set up the fetcher")?;
                }
                // Most polls under way wait for a turn at their host, or for the pages of their articles: how many requests there
                // are at one time is the fetcher's to limit.
                let max_concurrent = self.config.fetch.max_concurrent.saturating_mul(4);
                let settings = fetch::Settings { fetcher: Arc::new(fetcher), max_concurrent };
                running.spawn(name, context, move |context| fetch::run(context, &settings))
            }
            Stage::Enrich => {
                let settings = self.enrich_settings()?;
                running.spawn(name, context, move |context| enrich::run(context, &settings))
            }
            Stage::Index => {
                let settings = self.index_settings();
                running.spawn(name, context, move |context| index::run(context, &settings))
            }
            Stage::Alert => running.spawn(name, context, alert::run),
            Stage::Deliver => {
                let sinks = self.sinks()?;
                running.spawn(name, context, move |context| deliver::run(context, &sinks))
            }
        }
        .with_context(|| format!("failed to start stage {name}"))
    }

    /// Removes from the log what its retention no longer keeps, unless a stage has still to read it; with `force`, also then.
    /// Answers how many events went. Kafka does so by itself.
    pub fn expire(&self, now: chipwire_events::Timestamp, force: bool) -> Result<u64, StageError> {
        if self.config.log.backend == Backend::Kafka {
            return Ok(0);
        }
        let max_bytes = match self.config.log.max_size_mib {
            0 => None,
            mib => Some(mib.saturating_mul(1 << 20)),
        };
        let needed = if force { Positions::new() } else { self.needed()? };
        Ok(self.log.backend().expire(&Expiry { now_ms: now.as_millisecond(), max_bytes, needed })?)
    }

    /// Where the slowest reader of each partition stands. `deliveries` has none: what is to be delivered is read from its state,
    /// which is never removed.
    fn needed(&self) -> Result<Positions, StageError> {
        let mut needed = Positions::new();
        for (stage, topic) in [
            (Stage::Fetch, Topic::Feeds),
            (Stage::Enrich, Topic::ArticlesRaw),
            (Stage::Alert, Topic::ArticlesTagged),
            (Stage::Deliver, Topic::Alerts),
        ] {
            let name = self.log.name(topic);
            let committed = self.log.backend().committed(stage.name(), &[name])?;
            for partition in 0..topic.partitions() {
                let id = self.log.partition(topic, partition);
                let position = committed.get(&id).copied().unwrap_or(0);
                needed.insert(id, position);
            }
        }
        for checkpoint in self.indexes() {
            for partition in 0..Topic::ArticlesTagged.partitions() {
                let position = checkpoint.positions.get(&partition).copied().unwrap_or(0);
                let needed = needed.entry(self.log.partition(Topic::ArticlesTagged, partition)).or_insert(0);
                *needed = (*needed).min(position);
            }
        }
        Ok(needed)
    }

    /// How far the live index has come, and one that is being built.
    fn indexes(&self) -> Vec<Checkpoint> {
        let unreadable = |error: StageError| {
            // Until it is built anew it is taken to have read nothing.
            tracing::warn!("retention waits for an index that cannot be read: {}", crate::runner::chain(&error));
            Checkpoint::default()
        };
        let mut found =
            vec![self.generations.live_checkpoint().map(Option::unwrap_or_default).unwrap_or_else(unreadable)];
        // An index that nobody builds any more, since a rebuild was cut off, waits for nothing.
        let lock = self.data_dir.lock(REBUILD_LOCK, "retention", system_clock());
        if matches!(lock, Err(LockError::Taken { .. })) {
            found.extend(self.generations.coming_checkpoints().unwrap_or_else(|error| vec![unreadable(error)]));
        }
        found
    }

    /// How many events `stage` has still to read, in offsets.
    pub fn lag(&self, stage: Stage) -> Result<u64> {
        let (group, topic) = match stage {
            Stage::Fetch => (fetch::STAGE, Topic::Feeds),
            Stage::Enrich => (enrich::STAGE, Topic::ArticlesRaw),
            Stage::Alert => (alert::STAGE, Topic::ArticlesTagged),
            Stage::Deliver => (deliver::STAGE, Topic::Alerts),
            Stage::Index => {
                let checkpoint = match self.generations.get() {
                    Some(generation) => generation.index.checkpoint()?,
                    None => Checkpoint::default(),
                };
                return Ok(index::lag(&self.log, &checkpoint)?);
            }
        };
        let name = self.log.name(topic);
        let bounds = self.log.backend().bounds(name)?;
        let committed = self.log.backend().committed(group, &[name])?;
        let lag = (0..).zip(bounds).map(|(partition, bounds)| {
            let position = committed.get(&self.log.partition(topic, partition)).copied().unwrap_or(bounds.low);
            bounds.high.saturating_sub(position).max(0).unsigned_abs()
        });
        Ok(lag.sum())
    }
}

/// Waits until `opened`'s log can be reached and has its topics, saying why it waits.
pub fn ensure_topics(opened: &Opened, health: &Health, shutdown: &Shutdown) -> Result<()> {
    once_reachable(health, shutdown, || Ok(opened.log.ensure()?))
}

/// Whether an error of the log goes by itself. All topics are made before anything else is done, and a broker that is just coming back
/// does not know of all of them at once.
fn passes(error: &chipwire_log::Error) -> bool {
    error.is_transient() || matches!(error, chipwire_log::Error::UnknownTopic(_))
}

/// Does `work` with the log, and waits and does it again while that fails with what passes, saying why it waits. Does nothing
/// more when a stop is asked for: stages that are started then end at once.
pub fn once_reachable(health: &Health, shutdown: &Shutdown, mut work: impl FnMut() -> Result<()>) -> Result<()> {
    const STAGE: &str = "log";
    let mut pause = std::time::Duration::from_millis(500);
    health.starting(STAGE);
    while !shutdown.requested() {
        match work() {
            Ok(()) => {
                health.done(STAGE);
                return Ok(());
            }
            Err(error) if error.downcast_ref().is_some_and(passes) => {
                let error = crate::runner::chain(error.as_ref());
                tracing::warn!(retry_in_ms = pause.as_millis() as u64, "{error}");
                health.trouble(STAGE, error);
            }
            Err(error) => return Err(error),
        }
        shutdown.wait(pause);
        pause = (pause * 2).min(std::time::Duration::from_secs(30));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chipwire_events::Timestamp;
    use chipwire_log::{Limit, Step};

    use super::*;

    fn opened(folder: &std::path::Path) -> Opened {
        let opened = Opened::open(Config { data_dir: folder.to_owned(), ..Config::default() }).unwrap();
        opened.log.ensure().unwrap();
        opened
    }

    /// An index that has come to `position` in every partition.
    fn commit(opened: &Opened, index: &chipwire_index::Index, position: i64) {
        let mut writer = index.writer(50_000_000, 1).unwrap();
        let positions = (0..8).map(|partition| (partition, position)).collect();
        let genesis = opened.log.backend().genesis().unwrap();
        writer.commit(&Checkpoint { genesis, positions, ..Checkpoint::default() }).unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn retention_waits_for_every_stage_for_a_rebuild_and_for_an_index_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let opened = opened(folder.path());
        let log = &opened.log;
        let at = |topic, partition| opened.needed().unwrap().get(&log.partition(topic, partition)).copied();
        let topics = [Topic::Feeds, Topic::ArticlesRaw, Topic::ArticlesTagged, Topic::Alerts];
        assert_eq!(topics.map(|topic| at(topic, 0)), [Some(0); 4], "nothing was read yet");
        for (stage, topic) in [Stage::Fetch, Stage::Enrich, Stage::Alert, Stage::Deliver].into_iter().zip(topics) {
            let mut worker = log.backend().worker(stage.name(), "test", &[log.name(topic)]).unwrap();
            assert!(matches!(worker.next(Limit::default(), Duration::ZERO).unwrap(), Step::Assigned(_)));
            worker.commit(&[], &Positions::from([(log.partition(topic, 0), 7)])).unwrap();
        }
        assert_eq!(topics.map(|topic| at(topic, 0)), [Some(7), Some(7), Some(0), Some(7)], "there is no index");
        let genesis = log.backend().genesis().unwrap();
        let live = opened.generations.open(&genesis).unwrap();
        commit(&opened, &live.index, 5);
        assert_eq!((at(Topic::ArticlesTagged, 0), at(Topic::ArticlesTagged, 1)), (Some(5), Some(0)));

        // The index that is served stays the one that it is.
        opened.expire(Timestamp::UNIX_EPOCH, false).unwrap();
        assert!(Arc::ptr_eq(&opened.generations.get().unwrap(), &live));

        // A new index that somebody builds, and one that was left behind.
        let new = opened.generations.begin(&genesis).unwrap();
        commit(&opened, &new.index, 3);
        assert_eq!(at(Topic::ArticlesTagged, 0), Some(5));
        let building = opened.data_dir.lock(REBUILD_LOCK, "index rebuild", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(at(Topic::ArticlesTagged, 0), Some(3));
        drop(building);

        // In another process, where nobody has it open.
        drop((live, new));
        let other = Opened { generations: Arc::new(Generations::new(opened.data_dir.index())), ..opened };
        fs::write(folder.path().join("index/0001/meta.json"), "{").unwrap();
        other.expire(Timestamp::UNIX_EPOCH, false).unwrap();
        let needed = other.needed().unwrap();
        assert_eq!(needed[&other.log.partition(Topic::ArticlesTagged, 0)], 0);
        assert!(other.generations.get().is_none());
    }

    #[cfg(feature = "kafka")]
    #[test]
    fn the_successor_of_a_process_takes_its_name() {
        let (folder, other_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let on_kafka = |folder: &std::path::Path| {
            let mut config = Config { data_dir: folder.to_owned(), ..Config::default() };
            config.log.backend = Backend::Kafka;
            Opened::open(config).unwrap()
        };
        let name = |opened: &Opened| {
            opened.context(&Health::default(), &Shutdown::default(), runtime.handle()).member.to_string()
        };
        let [first, second, other] = [folder.path(), folder.path(), other_folder.path()].map(on_kafka);
        let names = [&first, &second, &other].map(name);
        assert_eq!(name(&first), names[0], "it keeps its name");
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2], "{names:?}");
        drop(first);
        assert_eq!([name(&on_kafka(folder.path())), name(&second)], [names[0].clone(), names[1].clone()]);
    }
}
