//! `chipwire run`, and each of its stages as a process of its own.

use std::{
    io::{self, Write},
    process,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use chipwire_events::Timestamp;
use chipwire_server::Board;
use clap::Args;
use tokio::runtime::{self, Runtime};

use super::Global;
use crate::{
    config::Backend,
    data_dir::Lock,
    feed_list,
    health::Health,
    pipeline::{self, Opened, Stage},
    retention_clock::RetentionClock,
    runner::{Context, Running, Shutdown, chain, system_clock},
    serve,
};

/// So long after the deadline of a stop a process ends that is not even able to see that it has passed.
const LAST_RESORT: Duration = Duration::from_secs(3);

/// How often the lag of the stages is looked at.
const LAG_INTERVAL: Duration = Duration::from_secs(2);

/// How often the log is rid of what it need not keep.
const TIDY_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// What every command that serves takes.
#[derive(Debug, Clone, Args)]
pub(super) struct Serving {
    /// The port to listen on; 0 for any that is free
    #[arg(long)]
    port: Option<u16>,
}

/// Runs `stages`, and the server if `serving` is given, until the process is told to stop.
pub(super) fn run(global: &Global, command: &str, stages: &[Stage], serving: Option<&Serving>) -> Result<()> {
    let opened = Opened::open(global.config()?)?;
    let locks = stages.iter().map(|stage| opened.lock(*stage, command)).collect::<Result<Vec<_>, _>>()?;
    let runtime = Runtime::new().context("failed to start the runtime")?;
    let shutdown = Shutdown::default();
    stop_on_signal(shutdown.clone(), Some(deadline(&opened)))?;
    let health = Health::default();
    let mut daemon = Daemon::new(opened, locks, health, shutdown, runtime);
    if let Some(serving) = serving {
        let address = daemon.serve(serving.port)?;
        writeln!(io::stdout(), "chipwire listens on http://{address}/")?;
    }
    daemon.start(stages)?;
    daemon.wait()
}

/// Stages and server of this process.
pub(super) struct Daemon {
    pub(super) opened: Arc<Opened>,
    pub(super) context: Context,
    running: Running,
    runtime: Runtime,
    /// Hears of its end.
    server: Option<mpsc::Receiver<()>>,
    board: Arc<Board>,
    _locks: Vec<Option<Lock>>,
}

impl Daemon {
    pub(super) fn new(
        opened: Opened,
        locks: Vec<Option<Lock>>,
        health: Health,
        shutdown: Shutdown,
        runtime: Runtime,
    ) -> Self {
        let context = opened.context(&health, &shutdown, runtime.handle());
        Self {
            opened: Arc::new(opened),
            context,
            running: Running::new(shutdown),
            runtime,
            server: None,
            board: Arc::default(),
            _locks: locks,
        }
    }

    /// Starts to answer requests; what there is to say comes with the stages.
    pub(super) fn serve(&mut self, port: Option<u16>) -> Result<std::net::SocketAddr> {
        let app = serve::app(&self.opened, &self.context, Arc::clone(&self.board))?;
        let listener = self.runtime.block_on(serve::bind(self.opened.config.server.listen, port))?;
        let address = listener.local_addr()?;
        self.context.health.starting(serve::STAGE);
        let shutdown = self.context.shutdown.clone();
        let (ended, server) = mpsc::channel();
        self.server = Some(server);
        self.runtime.spawn(async move {
            chipwire_server::serve(listener, app, shutdown.resolved()).await;
            // Nobody waits for it after the deadline.
            let _ = ended.send(());
        });
        Ok(address)
    }

    /// Waits for the log, follows the feeds of the configuration, and starts `stages`.
    pub(super) fn start(&mut self, stages: &[Stage]) -> Result<()> {
        if stages.contains(&Stage::Enrich) {
            self.opened.taggers.get()?;
        }
        pipeline::ensure_topics(&self.opened, &self.context.health, &self.context.shutdown)?;
        if stages.contains(&Stage::Fetch) {
            // A process that was killed on Kafka may have left a transaction open, behind which nobody can read for a while.
            pipeline::once_reachable(&self.context.health, &self.context.shutdown, || {
                feed_list::sync(&self.opened.log, &self.opened.config.feeds, system_clock())
            })?;
        }
        for stage in stages {
            self.opened.start(*stage, &self.context, &mut self.running)?;
        }
        if self.server.is_some() {
            let (board, opened) = (Arc::clone(&self.board), Arc::clone(&self.opened));
            self.running.spawn(serve::STAGE, &self.context, move |context| {
                serve::follow(context, &board, &opened.generations)
            })?;
        }
        self.watch_lag(stages.to_vec())
    }

    fn watch_lag(&mut self, stages: Vec<Stage>) -> Result<()> {
        // Kafka is asked over the network, SQLite reads a row.
        let interval = if self.opened.config.log.backend == Backend::Kafka { LAG_INTERVAL * 5 } else { LAG_INTERVAL };
        let opened = Arc::clone(&self.opened);
        let mut tidy_at = Instant::now();
        let mut clock = RetentionClock::open(opened.data_dir.retention_clock());
        self.running.spawn("lag", &self.context, move |context| {
            while !context.shutdown.wait(interval) {
                if Instant::now() >= tidy_at {
                    tidy_at = Instant::now() + TIDY_INTERVAL;
                    tidy(&opened, &mut clock, (context.now)());
                }
                for stage in &stages {
                    match opened.lag(*stage) {
                        Ok(lag) => context.health.lag(stage.name(), lag),
                        Err(error) => tracing::debug!(stage = stage.name(), "lag is not known: {error:#}"),
                    }
                }
                context.health.well("lag");
            }
            Ok(())
        })?;
        self.context.health.well("lag");
        Ok(())
    }

    /// Waits until everything has stopped.
    pub(super) fn wait(self) -> Result<()> {
        let (shutdown, deadline) = (self.context.shutdown.clone(), deadline(&self.opened));
        let (done, finished) = mpsc::channel();
        let running = self.running;
        thread::spawn(move || {
            let _ = done.send(running.join());
        });
        let mut ends_at: Option<Instant> = None;
        let result = loop {
            match finished.recv_timeout(Duration::from_millis(200)) {
                Ok(result) => break result,
                Err(RecvTimeoutError::Disconnected) => break Ok(()),
                Err(RecvTimeoutError::Timeout) if !shutdown.requested() => {}
                Err(RecvTimeoutError::Timeout) => {
                    if *ends_at.get_or_insert_with(|| Instant::now() + deadline) <= Instant::now() {
                        tracing::warn!("{LATE}");
                        break Ok(());
                    }
                }
            }
        };
        if let Some(server) = self.server {
            let ends_at = ends_at.unwrap_or_else(|| Instant::now() + deadline);
            // It stops beside the stages, and has a limit of its own.
            let _ = server.recv_timeout(ends_at.saturating_duration_since(Instant::now()));
        }
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        result
    }

    /// Asks everything to stop and waits for it.
    pub(super) fn stop(self) -> Result<()> {
        self.context.shutdown.request();
        self.wait()
    }
}

/// How long the stages may take to stop in good order; everything is safe without it.
pub(super) fn deadline(opened: &Opened) -> Duration {
    Duration::from_secs(u64::from(opened.config.shutdown_deadline_s))
}

/// What is said when they take longer.
const LATE: &str = "stopped before every stage had finished; nothing is lost";

/// Rids the log of what it need not keep.
fn tidy(opened: &Opened, clock: &mut RetentionClock, now: Timestamp) {
    // Kafka does so by itself, by the clock of its brokers.
    if opened.config.log.backend != Backend::Sqlite {
        return;
    }
    let Some(now) = clock.look(now) else { return };
    match opened.expire(now, false) {
        Ok(removed) => tracing::debug!(removed, "removed what retention and compaction no longer keep"),
        // Whatever it is, the stages meet it too if it is of matter to them.
        Err(error) => tracing::warn!("nothing was removed from the log: {}", chain(&error)),
    }
}

/// The first signal asks for a stop in good order, the second ends the process. A thread of its own sees to that, and to the
/// deadline, if there is one, where nobody else can any more, whatever hangs elsewhere.
pub(super) fn stop_on_signal(shutdown: Shutdown, deadline: Option<Duration>) -> Result<()> {
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().context("failed to listen for signals")?;
    let mut signals = runtime.block_on(async { Signals::listen() }).context("failed to listen for signals")?;
    let stop = async move {
        signals.next().await;
        tracing::info!("stops when it has finished what is under way, or at once at a second signal");
        shutdown.request();
        let last_resort = async {
            match deadline {
                Some(deadline) => tokio::time::sleep(deadline.saturating_add(LAST_RESORT)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = signals.next() => {}
            () = last_resort => {
                tracing::warn!("{LATE}");
                process::exit(0);
            }
        }
        let _ = writeln!(io::stderr(), "chipwire: stopped at once by a second signal; nothing is lost");
        process::exit(130);
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(stop))
        .context("failed to listen for signals")?;
    Ok(())
}

/// SIGTERM and Ctrl-C. None is missed from when they are listened for.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
