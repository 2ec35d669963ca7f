//! Runs stages: each on a thread of its own, started anew after an error that may pass, stopped in good order.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use chipwire_events::Timestamp;

use crate::{
    health::{Health, StageLabel},
    overlay::{self, Taggers},
    stages::panic_message,
    wire::Log,
};

/// Where a stage gets the time from.
pub type Clock = fn() -> Timestamp;

/// The time by the machine's clock, in whole milliseconds.
pub fn system_clock() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Everything that a stage needs besides its own settings.
#[derive(Clone)]
pub struct Context {
    /// The log.
    pub log: Log,
    /// Where it says how it is doing.
    pub health: Health,
    /// Set when it has to stop.
    pub shutdown: Shutdown,
    /// The time.
    pub now: Clock,
    /// For what waits on the network.
    pub runtime: tokio::runtime::Handle,
    /// Sets this process apart from others that run the same stage.
    pub member: Arc<str>,
    /// What tags.
    pub taggers: Taggers,
}

#[cfg(test)]
impl Context {
    /// What a stage is given that works on `log` by itself.
    pub(crate) fn of_test(log: Log, now: Clock, runtime: &tokio::runtime::Runtime) -> Self {
        Self {
            log,
            health: Health::default(),
            shutdown: Shutdown::default(),
            now,
            runtime: runtime.handle().clone(),
            member: "test".into(),
            taggers: Taggers::default(),
        }
    }
}

/// A request to stop, seen by all clones.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<ShutdownState>);

#[derive(Debug, Default)]
struct ShutdownState {
    requested: AtomicBool,
    mutex: Mutex<()>,
    condvar: Condvar,
    notify: tokio::sync::Notify,
}

impl Shutdown {
    /// Asks everybody to stop.
    pub fn request(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
        drop(self.0.mutex.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.condvar.notify_all();
        self.0.notify.notify_waiters();
    }

    /// Whether somebody asked.
    pub fn requested(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    /// Waits for `duration`, or until somebody asks; true if somebody did.
    pub fn wait(&self, duration: Duration) -> bool {
        let deadline = Instant::now() + duration;
        let mut guard = self.0.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.requested() {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
            guard = self.0.condvar.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Resolves when somebody asks.
    pub async fn resolved(self) {
        loop {
            let mut notified = std::pin::pin!(self.0.notify.notified());
            // Registered before the flag is read, so that a request in between is not missed.
            notified.as_mut().enable();
            if self.requested() {
                return;
            }
            notified.await;
        }
    }
}

/// Why a stage gave up.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The log said no.
    #[error(transparent)]
    Log(#[from] chipwire_log::Error),
    /// The index said no.
    #[error(transparent)]
    Index(#[from] chipwire_index::Error),
    /// The index was made from another log than this, or from this one as it was before it went back.
    #[error("the index in `{}` is not of this log: {what} `chipwire index rebuild` makes a new one", path.display())]
    OtherLog {
        /// The index.
        path: std::path::PathBuf,
        /// What differs.
        what: String,
    },
    /// The stage panicked.
    #[error("the stage panicked: {0}")]
    Panic(String),
    /// An event could not be written.
    #[error("failed to encode an event")]
    Encode(#[from] chipwire_events::Error),
    /// The gazetteer cannot be read.
    #[error("failed to read the gazetteer")]
    Gazetteer(#[from] overlay::Error),
    /// A gap in the chain could not be filled.
    #[error("{0}")]
    Gap(String),
    /// The operating system said no.
    #[error("{action}")]
    Io {
        /// What was being done.
        action: String,
        /// Why not.
        source: std::io::Error,
    },
}

impl StageError {
    /// Whether starting the stage anew can help. Nothing is lost either way: a stage goes on at its stored positions.
    fn passes(&self) -> bool {
        use chipwire_log::Error as Log;
        match self {
            StageError::Log(error) => !matches!(
                error,
                Log::Corrupt { .. }
                    | Log::SchemaVersion { .. }
                    | Log::TopicMismatch { .. }
                    | Log::TopicSetting { .. }
                    | Log::OutOfRange { .. }
                    // Certificates and passwords are read once, when the process starts.
                    | Log::Denied { .. }
                    | Log::Stopped { .. }
            ),
            StageError::Index(error) => !error.needs_rebuild(),
            // Somebody may be at work on the overlay.
            StageError::Io { .. } | StageError::Panic(_) | StageError::Gap(_) | StageError::Gazetteer(_) => true,
            StageError::OtherLog { .. } | StageError::Encode(_) => false,
        }
    }
}

/// The error with all its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Stages that run in this process.
pub struct Running {
    shutdown: Shutdown,
    fatal: Arc<Mutex<Option<String>>>,
    threads: Vec<(&'static str, JoinHandle<()>)>,
}

impl Running {
    /// Nothing yet; stops when `shutdown` is requested.
    pub fn new(shutdown: Shutdown) -> Self {
        Self { shutdown, fatal: Arc::default(), threads: Vec::new() }
    }

    /// Starts `stage` on a thread of its own. `run` returns `Ok` when it was asked to stop.
    pub fn spawn(
        &mut self,
        stage: &'static str,
        context: &Context,
        mut run: impl FnMut(&Context) -> Result<(), StageError> + Send + 'static,
    ) -> std::io::Result<()> {
        let context = context.clone();
        let fatal = Arc::clone(&self.fatal);
        context.health.starting(stage);
        let thread = thread::Builder::new().name(stage.to_owned()).spawn(move || {
            if let Err(error) = keep_running(stage, &context, &mut run) {
                tracing::error!(stage, "{error}");
                context.health.trouble(stage, &error);
                fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(format!("{stage}: {error}"));
                context.shutdown.request();
            }
        })?;
        self.threads.push((stage, thread));
        Ok(())
    }

    /// Waits until all stages have stopped.
    ///
    /// # Errors
    /// What made the first of them give up for good.
    pub fn join(self) -> anyhow::Result<()> {
        for (stage, thread) in self.threads {
            if thread.join().is_err() {
                anyhow::bail!("stage {stage} panicked");
            }
        }
        match self.fatal.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(anyhow::anyhow!(error)),
            None => Ok(()),
        }
    }

    /// Asks all stages to stop and waits for them.
    pub fn stop(self) -> anyhow::Result<()> {
        self.shutdown.request();
        self.join()
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

fn keep_running(
    stage: &'static str,
    context: &Context,
    run: &mut dyn FnMut(&Context) -> Result<(), StageError>,
) -> Result<(), String> {
    let mut pause = FIRST_PAUSE;
    while !context.shutdown.requested() {
        let started = Instant::now();
        tracing::info!(stage, "started");
        let ended = catch_unwind(AssertUnwindSafe(|| run(context)))
            .unwrap_or_else(|panic| Err(StageError::Panic(panic_message(&*panic))));
        match ended {
            Ok(()) => {
                tracing::info!(stage, "stopped");
                return Ok(());
            }
            Err(error) if error.passes() => {
                let error = chain(&error);
                if started.elapsed() > LONGEST_PAUSE {
                    pause = FIRST_PAUSE;
                }
                tracing::warn!(stage, retry_in_ms = pause.as_millis() as u64, "{error}");
                context.health.trouble(stage, error);
                context.health.metrics.restarts.get_or_create(&StageLabel { stage }).inc();
            }
            Err(error) => return Err(chain(&error)),
        }
        context.shutdown.wait(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}
