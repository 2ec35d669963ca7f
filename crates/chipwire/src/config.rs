//! The configuration: one `chipwire.toml`, read and checked once. Every key is optional.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use chipwire_alerts::SinkConfig;
use chipwire_events::{ArticlePages, Feed, FeedHeader, FeedOrigin};
use chipwire_feeds::{ConfigError, FetchConfig, Fetcher};
use chipwire_server::ServerConfig;
use serde::Deserialize;

/// Where the configuration is looked for when none is named.
pub const DEFAULT_PATH: &str = "chipwire.toml";

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where log and index lie. Relative to the configuration file's folder.
    pub data_dir: PathBuf,
    /// How long the stages may take to stop in good order, in seconds; then the process ends with what it has.
    pub shutdown_deadline_s: u32,
    /// The log.
    pub log: LogConfig,
    /// Which feeds are followed.
    pub feeds: FeedsConfig,
    /// How feeds are fetched.
    pub fetch: FetchConfig,
    /// Tagging.
    pub enrich: EnrichConfig,
    /// The full-text index.
    pub index: IndexConfig,
    /// Where alerts go, by name. `terminal` is always there.
    pub sinks: BTreeMap<String, SinkConfig>,
    /// HTTP API and page.
    pub server: ServerConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("chipwire-data"),
            shutdown_deadline_s: 20,
            log: LogConfig::default(),
            feeds: FeedsConfig::default(),
            fetch: FetchConfig::default(),
            enrich: EnrichConfig::default(),
            index: IndexConfig::default(),
            sinks: BTreeMap::new(),
            server: ServerConfig::default(),
        }
    }
}

/// Which log is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// A file in the data directory.
    #[default]
    Sqlite,
    /// Apache Kafka.
    Kafka,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `sqlite` or `kafka`.
    pub backend: Backend,
    /// What the names of all topics begin with.
    pub prefix: String,
    /// Articles and dead letters older than this are removed from the log; 0 keeps them for ever.
    pub retention_days: u32,
    /// Beyond this size of the embedded log's records the oldest articles and dead letters go too; 0 sets no limit.
    pub max_size_mib: u64,
    /// Apache Kafka.
    #[cfg(feature = "kafka")]
    pub kafka: chipwire_log::kafka::KafkaConfig,
    /// Not looked at by a build without Kafka, so that one file serves both.
    #[cfg(not(feature = "kafka"))]
    pub kafka: serde::de::IgnoredAny,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            backend: Backend::default(),
            prefix: "chipwire.".to_owned(),
            retention_days: 0,
            max_size_mib: 0,
            #[cfg(feature = "kafka")]
            kafka: chipwire_log::kafka::KafkaConfig::default(),
            #[cfg(not(feature = "kafka"))]
            kafka: serde::de::IgnoredAny,
        }
    }
}

impl LogConfig {
    /// How long articles and dead letters are kept at least; `None` for ever.
    pub fn retention(&self) -> Option<Duration> {
        /// Longer than any log is old: what is removed for the sake of its size has no age.
        const ANY_AGE: Duration = Duration::from_hours(24 * 365 * 100);
        match self.retention_days {
            0 => (self.max_size_mib > 0).then_some(ANY_AGE),
            days => Some(Duration::from_hours(24 * u64::from(days))),
        }
    }
}

/// `[feeds]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeedsConfig {
    /// An OPML list of feeds. Relative to the configuration file's folder.
    pub opml: Option<PathBuf>,
    /// Addresses of further feeds.
    pub urls: Vec<String>,
    /// Feeds of which there is more to say than their address: `[[feeds.feed]]`.
    pub feed: Vec<FeedConfig>,
}

/// `[[feeds.feed]]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeedConfig {
    /// Its address.
    pub url: String,
    /// The name to show instead of its own.
    pub name: Option<String>,
    /// The folders it lies in, outermost first.
    pub folder: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The shortest time between two polls.
    pub interval_s: Option<u32>,
    /// Headers that are sent to its own origin. `${NAME}` stands for an environment variable.
    pub headers: BTreeMap<String, Hidden>,
    /// Whether its articles' pages are fetched, in place of what `fetch.article_pages` says.
    pub article_pages: Option<ArticlePages>,
    /// Not polled while true.
    pub paused: bool,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("...")
    }
}

impl FeedConfig {
    /// The feed that it describes.
    pub fn to_feed(&self) -> anyhow::Result<Feed> {
        let url = crate::feed_list::check_url(&self.url)?;
        let headers = self.headers.iter();
        let feed = Feed {
            title: self.name.as_deref().map(crate::feed_list::one_line).filter(|name| !name.is_empty()),
            folder: self.folder.iter().map(|name| crate::feed_list::one_line(name)).collect(),
            tags: crate::feed_list::tags(&self.tags),
            interval_s: self.interval_s.filter(|seconds| *seconds > 0),
            headers: headers.map(|(name, value)| FeedHeader { name: name.clone(), value: value.0.clone() }).collect(),
            article_pages: self.article_pages,
            paused: self.paused,
            ..Feed::new(url, FeedOrigin::Config)
        };
        crate::feed_list::check(&feed)?;
        Ok(feed)
    }
}

/// `[enrich]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnrichConfig {
    /// Threads that tag the articles of one batch; 0 is one per processor.
    pub threads: usize,
    /// A folder of files, or one, that is laid over the gazetteer. Relative to the configuration file's folder.
    pub overlays: Option<PathBuf>,
}

/// `[index]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexConfig {
    /// Memory for documents that are not in a segment yet, in MiB, at least 15 per thread.
    pub memory_mib: usize,
    /// Threads that build segments, from 1 to 8.
    pub threads: usize,
    /// The longest that an article waits for a commit while others keep coming, in milliseconds.
    pub commit_interval_ms: u64,
    /// `/readyz` says no when a stage is further behind than this, in events.
    pub lag_limit_events: u64,
}

impl Default for IndexConfig {
    fn default() -> Self {
        Self { memory_mib: 128, threads: 2, commit_interval_ms: 10_000, lag_limit_events: 100_000 }
    }
}

/// What is wrong with a configuration, and where.
#[derive(Debug)]
pub struct Invalid {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, and the text of that line.
    pub line: Option<(usize, String)>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((number, text)) = &self.line {
            write!(f, ":{number}: {}\n  | {}", self.message, without_secret(text.trim()))
        } else {
            write!(f, ": {}", self.message)
        }
    }
}

impl std::error::Error for Invalid {}

impl Config {
    /// The file that [`load`](Self::load) reads; `None` if there is none.
    pub fn file(path: Option<&Path>) -> Option<PathBuf> {
        path.map(Path::to_owned).or_else(|| Some(PathBuf::from(DEFAULT_PATH)).filter(|path| path.exists()))
    }

    /// Reads `path`, or [`DEFAULT_PATH`] where that is there, or else the defaults; then checks every value.
    pub fn load(path: Option<&Path>) -> Result<Self, Invalid> {
        let (path, text) = match path {
            Some(path) => (path.to_owned(), Some(read(path)?)),
            None if Path::new(DEFAULT_PATH).exists() => {
                let path = PathBuf::from(DEFAULT_PATH);
                let text = read(&path)?;
                (path, Some(text))
            }
            None => (PathBuf::from(DEFAULT_PATH), None),
        };
        let Some(text) = text else {
            let config = Self::default();
            config.validate(&path, "")?;
            return Ok(config);
        };
        let mut config = Self::parse(&path, &text)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.data_dir = folder.join(&config.data_dir);
        config.enrich.overlays = config.enrich.overlays.map(|overlays| folder.join(overlays));
        config.feeds.opml = config.feeds.opml.map(|opml| folder.join(opml));
        config.server.token_file = config.server.token_file.map(|file| folder.join(file));
        for sink in config.sinks.values_mut() {
            sink.secret_file_below(folder);
        }
        #[cfg(feature = "kafka")]
        config.log.kafka.files_below(folder);
        Ok(config)
    }

    /// Reads and checks the text of a configuration that lies at `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Invalid> {
        let config: Self = toml::from_str(text).map_err(|error| Invalid {
            path: path.to_owned(),
            line: error.span().map(|span| line_at(text, span.start)),
            message: one_line(error.message()),
        })?;
        config.validate(path, text)?;
        Ok(config)
    }

    fn validate(&self, path: &Path, text: &str) -> Result<(), Invalid> {
        let fail = |section: &str, key: &str, message: String| {
            Err(Invalid { path: path.to_owned(), line: line_of(text, section, key), message })
        };
        if self.log.backend == Backend::Kafka && cfg!(not(feature = "kafka")) {
            return fail("log", "backend", "`log.backend`: this build has no Kafka, only `sqlite`".to_owned());
        }
        let prefix_fits = self.log.prefix.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if !prefix_fits || self.log.prefix.len() > 200 {
            let message = "`log.prefix` takes letters, digits, `.`, `_` and `-`, at most 200 of them";
            return fail("log", "prefix", message.to_owned());
        }
        if !(1..=8).contains(&self.index.threads) {
            return fail("index", "threads", "`index.threads` must be from 1 to 8".to_owned());
        }
        if self.index.memory_mib < 15 * self.index.threads || self.index.memory_mib > 4096 {
            let message =
                format!("`index.memory_mib` must be from {} (15 per thread) to 4096", 15 * self.index.threads);
            return fail("index", "memory_mib", message);
        }
        if self.enrich.threads > 64 {
            return fail("enrich", "threads", "`enrich.threads` must be from 0 to 64".to_owned());
        }
        for url in &self.feeds.urls {
            if let Err(error) = crate::feed_list::check_url(url) {
                return fail("feeds", "urls", format!("`feeds.urls`: `{url}`: {error}"));
            }
        }
        for feed in &self.feeds.feed {
            if let Err(error) = feed.to_feed() {
                let message = format!("`feeds.feed`: `{}`: {}", feed.url, crate::runner::chain(error.as_ref()));
                let numbered =
                    (1..).zip(text.lines()).find(|(_, line)| !feed.url.is_empty() && line.contains(&feed.url));
                let line = numbered.map(|(number, line)| (number, line.to_owned()));
                return Err(Invalid { path: path.to_owned(), line, message });
            }
        }
        if let Err(error) = Fetcher::new(self.fetch.clone()) {
            let key = match &error {
                ConfigError::PrivateHost(_) => "allow_private_hosts",
                ConfigError::UserAgent(_) => "user_agent",
                ConfigError::Intervals { .. } => "min_interval_s",
                ConfigError::Callback(_) => "websub_callback",
                ConfigError::Zero(key) => key,
                ConfigError::Client(_) => "",
            };
            return fail("fetch", key, crate::runner::chain(&error));
        }
        if let Err(error) = self.server.validate() {
            return fail("server", error.key(), format!("`server`: {error}"));
        }
        #[cfg(feature = "kafka")]
        if self.log.backend == Backend::Kafka
            && let Err(error) = self.log.kafka.check()
        {
            return Err(kafka_invalid(path, text, &error));
        }
        Ok(())
    }

    /// Reads the certificates and passwords that `[log.kafka]` names, where that is the log. `file` is what was loaded.
    #[cfg(feature = "kafka")]
    pub fn check_kafka_secrets(
        &self,
        file: Option<&Path>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Invalid> {
        if self.log.backend != Backend::Kafka {
            return Ok(());
        }
        self.log.kafka.check_secrets(env).or_else(|error| {
            let text = file.map(read).transpose()?.unwrap_or_default();
            Err(kafka_invalid(file.unwrap_or(Path::new(DEFAULT_PATH)), &text, &error))
        })
    }
}

/// What is wrong with `[log.kafka]`, at the line of the setting or else at that of its table.
#[cfg(feature = "kafka")]
fn kafka_invalid(path: &Path, text: &str, error: &chipwire_log::Error) -> Invalid {
    let key = if let chipwire_log::Error::Setting { key, .. } = error { key.as_str() } else { "" };
    // Where librdkafka names a property that it was given under another name, or by default, there is no such line.
    let (table, bare) = match key.split_once('.') {
        Some((table @ ("tls" | "sasl" | "properties"), bare)) => (format!("log.kafka.{table}"), bare),
        _ => ("log.kafka".to_owned(), key),
    };
    let line = line_of(text, &table, bare).or_else(|| line_of(text, "log.kafka", table.rsplit('.').next()?));
    Invalid { path: path.to_owned(), line, message: crate::runner::chain(error) }
}

fn read(path: &Path) -> Result<String, Invalid> {
    fs::read_to_string(path).map_err(|error| Invalid {
        path: path.to_owned(),
        line: None,
        message: format!("cannot be read: {error}"),
    })
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(", ")
}

/// The number and text of the line that byte `at` lies in.
fn line_at(text: &str, at: usize) -> (usize, String) {
    let before = text.get(..at).unwrap_or(text);
    let number = before.matches('\n').count() + 1;
    (number, text.lines().nth(number - 1).unwrap_or_default().to_owned())
}

/// The line where `key` of `[section]` is set, if it is; of a key that is a table itself, where that begins.
fn line_of(text: &str, section: &str, key: &str) -> Option<(usize, String)> {
    let wanted = format!("{section}.{key}");
    let mut current = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let full = if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            current = bare(name);
            current.clone()
        } else {
            format!("{current}.{}", bare(line.split('=').next().unwrap_or_default()))
        };
        if full.trim_start_matches('.') == wanted {
            return Some((number, line.to_owned()));
        }
    }
    None
}

/// A key as it is without quotes and spaces.
fn bare(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, ' ' | '\t' | '"' | '\'')).collect()
}

/// A line of the configuration without the values that nobody is to see, and what follows them.
fn without_secret(line: &str) -> String {
    const NAMES: [&str; 5] = ["password", "secret", "token", ".pem", "headers"];
    let value = |name: &str| {
        line.match_indices(name).find_map(|(at, _)| {
            let after = line.get(at + name.len()..)?;
            let rest = after.trim_start_matches(['"', '\'', ' ', '\t']);
            rest.starts_with('=').then_some(line.len() - rest.len() + 1)
        })
    };
    match NAMES.iter().filter_map(|name| value(name)).min() {
        Some(at) => format!("{} ...", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests;
