//! What the tests share: a site with its configuration, the processes that run on it, and what they talk to.

mod disk;
mod origin;
mod process;
mod receiver;

pub(crate) use disk::Disk;
pub(crate) use origin::{Item, Origin};
pub(crate) use process::{Environment, Process, chipwire};
pub(crate) use receiver::Receiver;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use chipwire::wire::{self, Log};
use chipwire_events::{Event, TaggedArticle, Topic};
use chipwire_log::{
    EventLog, Limit, Positions, Reader,
    kafka::{KafkaConfig, KafkaLog},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::broker::Broker;

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The secret of the webhook sink.
pub(crate) const SECRET: &str = "whsec_dGhpcnR5LXR3byBieXRlcyBvZiB0ZXN0IHNlY3JldCE=";

/// A runtime for what the tests do over HTTP.
pub(crate) fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
        tokio::runtime::Runtime::new().unwrap()
    })
}

/// The broker that the tests of this process share.
fn broker() -> &'static Broker {
    Broker::shared()
}

/// Looks until `look` has an answer, a moment apart: what a process says of itself over HTTP can only be asked for.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(answer) => return answer,
            Err(instead) => assert!(Instant::now() < deadline, "{what}: not after {PATIENCE:?}: {instead}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Which log a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Kafka,
}

/// A data directory with a configuration, a feed origin and a webhook receiver.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) origin: Origin,
    pub(crate) receiver: Receiver,
    backend: Backend,
    /// How it reaches the brokers, on Kafka.
    kafka: Option<KafkaConfig>,
    prefix: String,
}

impl Site {
    pub(crate) fn new(backend: Backend, name: &str) -> Self {
        let kafka = || KafkaConfig { brokers: broker().bootstrap(), ..KafkaConfig::default() };
        Self::on(backend, (backend == Backend::Kafka).then(kafka), name)
    }

    /// On brokers of its own. Of the settings those count that are written below.
    pub(crate) fn on_kafka(kafka: KafkaConfig, name: &str) -> Self {
        Self::on(Backend::Kafka, Some(kafka), name)
    }

    fn on(backend: Backend, kafka: Option<KafkaConfig>, name: &str) -> Self {
        let origin = Origin::start();
        let receiver = Receiver::start();
        let folder = tempfile::tempdir().unwrap();
        let prefix = format!("{name}-{}.", std::process::id());
        let log = match &kafka {
            None => format!("[log]\nprefix = \"{prefix}\"\n"),
            Some(KafkaConfig { brokers, replication_factor, transaction_timeout_ms, .. }) => format!(
                "[log]\nbackend = \"kafka\"\nprefix = \"{prefix}\"\n[log.kafka]\nbrokers = \"{brokers}\"\n\
                 replication_factor = {replication_factor}\ntransaction_timeout_ms = {transaction_timeout_ms}\n\
                 [log.kafka.properties]\n\"session.timeout.ms\" = \"6000\"\n\"heartbeat.interval.ms\" = \"500\"\n",
            ),
        };
        let config = format!(
            "data_dir = \"data\"\n{log}\n\
             [feeds]\nurls = [\"{}\"]\n\
             [fetch]\nallow_private_hosts = [\"127.0.0.1\"]\nhost_spacing_ms = 0\nmin_interval_s = 1\nmax_interval_s = 1\n\
             article_pages = \"never\"\n\
             [server]\nlisten = \"127.0.0.1:0\"\n\
             [sinks.hook]\ntype = \"webhook\"\nurl = \"{}\"\nsecret_env = \"HOOK_SECRET\"\nallow_private = true\n",
            origin.url("/feed.xml"),
            receiver.url(),
        );
        fs::write(folder.path().join("chipwire.toml"), config).unwrap();
        Self { folder, origin, receiver, backend, kafka, prefix }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("chipwire.toml")
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Spreads the items over `count` feeds, so that there is one to poll at almost any moment.
    pub(crate) fn spread(&self, count: usize) {
        let text = fs::read_to_string(self.config()).unwrap();
        let urls: Vec<String> =
            (0..count).map(|number| self.origin.url(&format!("/{number}-of-{count}.xml"))).collect();
        fs::write(self.config(), text.replace(&self.origin.url("/feed.xml"), &urls.join("\", \""))).unwrap();
    }

    /// A process may take so long to stop.
    pub(crate) fn shutdown_deadline(&self, seconds: u32) {
        let text = fs::read_to_string(self.config()).unwrap();
        fs::write(self.config(), format!("shutdown_deadline_s = {seconds}\n{text}")).unwrap();
    }

    /// Keeps articles for so many days.
    pub(crate) fn keep_for(&self, days: usize) {
        let text = fs::read_to_string(self.config()).unwrap();
        fs::write(self.config(), text.replace("[log]\n", &format!("[log]\nretention_days = {days}\n"))).unwrap();
    }

    /// Adds lines to the configuration.
    pub(crate) fn configure(&self, more: &str) {
        let text = fs::read_to_string(self.config()).unwrap();
        fs::write(self.config(), format!("{text}\n{more}\n")).unwrap();
    }

    /// Starts `chipwire COMMAND`.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Process {
        self.spawn_with(arguments, &Environment::new())
    }

    /// The same, with more variables.
    pub(crate) fn spawn_with(&self, arguments: &[&str], environment: &Environment) -> Process {
        Process::spawn(&self.config(), arguments, self.folder.path(), environment)
    }

    /// Runs `chipwire COMMAND` to its end and returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = chipwire(&self.config(), arguments).output().unwrap();
        let [stdout, stderr] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
        assert!(output.status.success(), "chipwire {arguments:?} failed: {stderr}{stdout}");
        stdout.into_owned()
    }

    /// Runs `chipwire COMMAND` that has to fail, and returns what it said.
    pub(crate) fn fail(&self, arguments: &[&str]) -> String {
        let output = chipwire(&self.config(), arguments).output().unwrap();
        assert!(!output.status.success(), "chipwire {arguments:?} went well");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// The log, beside the processes that use it.
    pub(crate) fn log(&self) -> Log {
        let backend: Arc<dyn EventLog> = match self.backend {
            Backend::Sqlite => {
                let path = self.data_dir();
                fs::create_dir_all(&path).unwrap();
                Arc::new(
                    chipwire_log::sqlite::SqliteLog::open(&path.join("log.db"), chipwire_log::sqlite::Access::Create)
                        .unwrap(),
                )
            }
            Backend::Kafka => {
                // As the processes with this prefix name their groups and writers.
                let config = KafkaConfig { id_prefix: self.prefix.clone(), ..self.kafka.clone().unwrap() };
                Arc::new(KafkaLog::connect(config).unwrap())
            }
        };
        let log = Log::new(backend, &self.prefix);
        log.ensure().unwrap();
        log
    }
}

/// Reads a topic and waits for what comes.
pub(crate) struct Tail {
    reader: Box<dyn Reader>,
    pub(crate) events: Vec<Event>,
}

impl Tail {
    pub(crate) fn new(log: &Log, topic: Topic) -> Self {
        let reader = log.backend().reader(&[log.name(topic)], &Positions::new()).unwrap();
        Self { reader, events: Vec::new() }
    }

    /// Reads until `done` says so of all that was read.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&[Event]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(&self.events) {
            assert!(Instant::now() < deadline, "{what}: not after {PATIENCE:?}, {} events", self.events.len());
            let batch = self.reader.next(Limit::default(), Duration::from_secs(1)).unwrap();
            self.events.extend(batch.records.iter().filter_map(|stored| Some(wire::decode(stored).ok()?.1)));
        }
    }

    /// Reads all there is.
    pub(crate) fn all(mut self) -> Vec<Event> {
        loop {
            let batch = self.reader.next(Limit::default(), Duration::from_secs(5)).unwrap();
            self.events.extend(batch.records.iter().filter_map(|stored| Some(wire::decode(stored).ok()?.1)));
            if batch.at_end {
                return self.events;
            }
        }
    }
}

/// The tagged articles among `events`.
pub(crate) fn tagged(events: &[Event]) -> impl Iterator<Item = &TaggedArticle> {
    events.iter().filter_map(|event| match event {
        Event::ArticleTagged(tagged) => Some(tagged),
        _ => None,
    })
}

/// Follows the live stream of a server and waits until it has shown `titles`.
pub(crate) fn wait_searchable(address: &str, titles: &BTreeSet<String>) {
    use futures::StreamExt;
    // From when it is ready, the stream shows all that becomes searchable; what was so before, a search finds.
    until("the server is ready", || match get(address, "/readyz") {
        (200, _) => Ok(()),
        (_, reasons) => Err(reasons),
    });
    let read = async {
        let response = reqwest::get(format!("http://{address}/v1/stream")).await.unwrap();
        let mut stream = response.bytes_stream();
        let mut missing: BTreeSet<String> = titles.clone();
        for title in found(address, "*").await {
            missing.remove(&title);
        }
        let mut text = String::new();
        while !missing.is_empty() {
            text.push_str(&String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()));
            while let Some(end) = text.find("\n\n") {
                let event: String = text.drain(..end + 2).collect();
                for data in event.lines().filter_map(|line| line.strip_prefix("data:")) {
                    let data: Value = serde_json::from_str(data.trim()).unwrap_or_default();
                    if let Some(title) = data["title"].as_str() {
                        missing.remove(title);
                    }
                }
            }
        }
    };
    runtime().block_on(async {
        assert!(tokio::time::timeout(PATIENCE, read).await.is_ok(), "not searchable in {PATIENCE:?}");
    });
}

/// The titles that a search finds.
async fn found(address: &str, query: &str) -> Vec<String> {
    let mut titles = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = get_json_async(address, &format!("/v1/articles?limit=100&q={query}{cursor}")).await;
        // The index is not open yet: nothing can have been searchable before.
        if answer["status"] == 503 {
            return titles;
        }
        let hits = answer["hits"].as_array().unwrap_or_else(|| panic!("{answer}"));
        titles.extend(hits.iter().map(|hit| hit["title"].as_str().unwrap().to_owned()));
        match answer["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return titles,
        }
    }
}

async fn get_json_async(address: &str, path: &str) -> Value {
    let text = reqwest::get(format!("http://{address}{path}")).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
}

/// What the API answers.
pub(crate) fn get_json(address: &str, path: &str) -> Value {
    runtime().block_on(get_json_async(address, path))
}

/// The status of an answer and its text.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    runtime().block_on(async {
        let response = reqwest::get(format!("http://{address}{path}")).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    })
}

/// How often each of `items` occurs, where that is not once.
pub(crate) fn not_once<T: Ord + Clone>(items: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_insert(0) += 1;
    }
    counts.retain(|_, count| *count != 1);
    counts
}

/// The digest of the live index in a data directory.
pub(crate) fn index_digest(data_dir: &Path) -> String {
    let generations = chipwire::generations::Generations::new(data_dir.join("index"));
    generations.open_read_only().unwrap().unwrap().index.searcher().digest().unwrap()
}
