//! Both embedded backends against the laws.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use chipwire_log::{
    EventLog,
    conformance::{self, Fixture},
    memory::MemoryLog,
    sqlite::{Access, SqliteLog},
};

/// A fixture whose log is made by `open`.
struct Opened<F> {
    open: F,
    names: AtomicU32,
}

impl<F: Fn() -> Box<dyn EventLog> + Sync> Fixture for Opened<F> {
    fn open(&self) -> Box<dyn EventLog> {
        (self.open)()
    }

    fn unique(&self, name: &str) -> String {
        format!("{name}.{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(120)
    }
}

fn obey_all(open: impl Fn() -> Box<dyn EventLog> + Sync) {
    let fixture = Opened { open, names: AtomicU32::new(0) };
    for (name, law) in conformance::all() {
        println!("{name}");
        law(&fixture);
    }
}

#[test]
fn memory_obeys_the_laws() {
    let log = MemoryLog::new();
    obey_all(|| Box::new(log.clone()));
}

#[test]
fn sqlite_obeys_the_laws() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(&folder.path().join("log.db"), Access::Create).unwrap();
    obey_all(|| Box::new(log.clone()));
}

/// Every handle is opened anew, as other processes do: nothing is shared but the file.
#[test]
fn sqlite_obeys_the_laws_through_separate_handles() {
    let folder = tempfile::tempdir().unwrap();
    obey_all(|| Box::new(SqliteLog::open(&folder.path().join("log.db"), Access::Create).unwrap()));
}
