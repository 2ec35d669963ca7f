//! The binary as a process.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use super::{SECRET, until};

/// Variables that a process is given besides the usual.
pub(crate) type Environment = Vec<(String, OsString)>;

/// `chipwire --config CONFIG ARGUMENTS`.
pub(crate) fn chipwire(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chipwire"));
    command.arg("--config").arg(config).args(arguments).env("HOOK_SECRET", SECRET).env_remove("CHIPWIRE_DATA_DIR");
    command
}

/// A process that runs until it is stopped. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    stderr: PathBuf,
    name: String,
    /// Where it listens, if it does.
    pub(crate) address: String,
}

impl Process {
    pub(crate) fn spawn(config: &Path, arguments: &[&str], folder: &Path, environment: &Environment) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("{}-{}", arguments[0], NUMBER.fetch_add(1, Ordering::Relaxed));
        let stderr = folder.join(format!("{name}.log"));
        let mut command = chipwire(config, arguments);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdout(Stdio::piped()).stderr(File::create(&stderr).unwrap()).spawn().unwrap();
        let mut address = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        if matches!(arguments[0], "run" | "serve" | "demo") {
            let mut line = String::new();
            while address.is_empty() && stdout.read_line(&mut line).unwrap() > 0 {
                if let Some((_, rest)) = line.split_once("http://") {
                    address = rest.split('/').next().unwrap().to_owned();
                }
                line.clear();
            }
            assert!(!address.is_empty(), "{name} did not start: {}", fs::read_to_string(&stderr).unwrap());
        }
        // Nobody reads on: a full pipe must not stop the process.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self { child, stderr, name, address }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has come to its end by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        until("the process ends", || self.child.try_wait().unwrap().ok_or_else(|| "it goes on".to_owned()))
    }

    /// Waits until it has killed itself.
    pub(crate) fn killed(&mut self) {
        let status = self.ended();
        assert_eq!(status.signal(), Some(9), "{}: {status}: {}", self.name, self.stderr());
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn terminate(mut self) {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{}: {status}: {}", self.name, self.stderr());
    }

    /// SIGTERM, and waits for the end, whether or not it has come so far that it knows how to end in good order.
    pub(crate) fn leave(mut self) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        let is_early = status.signal() == Some(15);
        assert!(status.success() || is_early, "{}: {status}: {}", self.name, self.stderr());
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it logged.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} ---\n{}", self.name, self.stderr());
        }
    }
}
