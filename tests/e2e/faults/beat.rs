//! Workers that come and go on a beat, whatever else happens meanwhile.

use std::{
    path::PathBuf,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::support::{Environment, Process};

/// What a worker is started with.
pub(super) struct Workers {
    pub(super) config: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) environment: Environment,
}

/// One worker for enriching or fetching comes at every beat, and the one before goes.
pub(super) struct Beat {
    stop: Sender<()>,
    thread: Option<JoinHandle<Duration>>,
}

impl Beat {
    pub(super) fn start(workers: Workers, count: usize, every: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let started = Instant::now();
            let (mut last, mut longest) = (started, Duration::ZERO);
            let mut worker: Option<Process> = None;
            let mut leaving: Vec<JoinHandle<()>> = Vec::new();
            for number in 1..=u32::try_from(count).unwrap() {
                let left = (started + every * number).saturating_duration_since(Instant::now());
                if stopped.recv_timeout(left) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                let stage = ["enrich", "fetch"][number as usize % 2];
                let Workers { config, folder, environment } = &workers;
                longest = longest.max(last.elapsed());
                last = Instant::now();
                let gone = worker.replace(Process::spawn(config, &[stage], folder, environment));
                // Leaving takes a while, and the beat goes on.
                leaving.extend(gone.map(|gone| thread::spawn(move || gone.leave())));
            }
            leaving.extend(worker.map(|last| thread::spawn(move || last.leave())));
            leaving.into_iter().for_each(|leaving| leaving.join().unwrap());
            longest
        });
        Self { stop, thread: Some(thread) }
    }

    pub(super) fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until the last worker has gone; the longest time between two that came.
    pub(super) fn end(mut self) -> Duration {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
