//! One request at a time to a host, and a pause between two.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turn, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// The pause after a host said that it was asked too often (429).
const PAUSE_AFTER_429: Duration = Duration::from_secs(5);

/// Hosts that are remembered before those at rest are forgotten.
const REMEMBERED_HOSTS: usize = 4_096;

/// The turns of all hosts.
pub(crate) struct Hosts {
    // A std mutex: held only to look up a host, never across an await.
    turns: Mutex<HashMap<String, Arc<Turn<Instant>>>>,
    all: Arc<Semaphore>,
    spacing: Duration,
}

/// The right to ask one host; given back when it is dropped.
pub(crate) struct Permit {
    not_before: OwnedMutexGuard<Instant>,
    spacing: Duration,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Hosts {
    pub(crate) fn new(spacing: Duration, max_concurrent: usize) -> Self {
        let all = Arc::new(Semaphore::new(max_concurrent.clamp(1, Semaphore::MAX_PERMITS)));
        Self { turns: Mutex::new(HashMap::new()), all, spacing }
    }

    /// Waits for the host's turn, then for a free slot: who waits for a busy host takes no slot from the others.
    pub(crate) async fn permit(&self, host: &str) -> Permit {
        let not_before = self.turn(host).lock_owned().await;
        tokio::time::sleep_until(*not_before).await;
        // The semaphore is never closed.
        let slot = Arc::clone(&self.all).acquire_owned().await.ok();
        Permit { not_before, spacing: self.spacing, _slot: slot }
    }

    fn turn(&self, host: &str) -> Arc<Turn<Instant>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= REMEMBERED_HOSTS {
            let now = Instant::now();
            turns.retain(|_, turn| Arc::strong_count(turn) > 1 || turn.try_lock().is_ok_and(|until| *until > now));
        }
        Arc::clone(turns.entry(host.to_owned()).or_insert_with(|| Arc::new(Turn::new(Instant::now()))))
    }
}

impl Permit {
    /// Makes the pause before the next request to this host longer: it said that it was asked too often.
    pub(crate) fn asked_too_often(&mut self) {
        self.spacing = self.spacing.max(PAUSE_AFTER_429);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.not_before = Instant::now() + self.spacing;
    }
}
