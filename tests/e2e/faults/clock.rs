//! A clock of its own for the processes of a site, which can be set: libfaketime, before the C library.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::Environment;

/// How far it is ahead of the machine's, one after the other.
const SET: [&str; 6] = ["+2h", "-3h", "+5d", "-9d", "+100d", "+0"];

pub(super) struct Clock {
    library: PathBuf,
    file: PathBuf,
    turn: usize,
}

impl Clock {
    /// `None` where the library is not installed.
    pub(super) fn make(folder: &Path) -> Option<Self> {
        let library = fs::read_dir("/usr/lib").ok()?.find_map(|entry| {
            let library = entry.ok()?.path().join("faketime/libfaketimeMT.so.1");
            library.exists().then_some(library)
        })?;
        let clock = Self { library, file: folder.join("clock"), turn: 0 };
        clock.write("+0");
        Some(clock)
    }

    /// What a process is started with that goes by this clock. How long something takes it knows by the machine's own.
    pub(super) fn environment(&self) -> Environment {
        let pairs = [
            ("LD_PRELOAD", self.library.as_os_str()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.as_os_str()),
            ("FAKETIME_NO_CACHE", "1".as_ref()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".as_ref()),
            ("NO_FAKE_STAT", "1".as_ref()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Sets it; true if that was months ahead.
    pub(super) fn set(&mut self) -> bool {
        let to = SET[self.turn % SET.len()];
        self.turn += 1;
        self.write(to);
        to == "+100d"
    }

    fn write(&self, to: &str) {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{to}\n")).unwrap();
        fs::rename(new, &self.file).unwrap();
    }
}
