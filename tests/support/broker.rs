//! A real Kafka broker on this machine, for tests.
//!
//! One node, in memory of half a gigabyte, on free ports, with its data in a temporary folder. The jars come from
//! `tests/kafka/fetch`. A test binary includes this file by its path:
//!
//! ```ignore
//! #[path = "../../../tests/support/broker.rs"]
//! mod broker;
//! ```
//!
//! Starting takes three to five seconds, so tests share [`Broker::shared`] and use names of their own; a test that kills the
//! broker starts one for itself. The broker never outlives the test process, however that one ends: a small shell between
//! the two holds a pipe, and ends the broker when the pipe closes.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses what it needs")]
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    collections::hash_map::RandomState,
    fs::{self, File},
    hash::{BuildHasher, Hasher},
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// The line that says that requests are served; the port is open long before.
const READY: &str = "Kafka Server started";
/// Generous, for a machine that does other things too. Three seconds are usual.
const START: Duration = Duration::from_secs(120);

/// Runs Java, waits for a word on the pipe and ends Java: `stop` politely, `kill` at once, and at once as well when the
/// pipe closes, in which case nobody needs the folder any more.
const KEEPER: &str = r#"
folder=$1; shift
"$@" </dev/null 2>&1 &
broker=$!
exec >/dev/null 2>&1
if read -r word && [ "$word" = stop ]; then kill -TERM $broker; else kill -KILL $broker; fi
wait $broker
if [ -z "$word" ]; then rm -rf "$folder"; fi
"#;

/// A running broker, or one that was stopped and can be started again.
pub struct Broker {
    folder: TempDir,
    ports: Ports,
    /// The shell that keeps it.
    running: Mutex<Option<Child>>,
}

/// What a broker with TLS and passwords is given, certificates and keys in PEM.
pub struct Secured<'a> {
    /// Its key and its certificate.
    pub keys: &'a str,
    /// The certificate of whoever signed those of the clients.
    pub authority: &'a str,
    /// The name of the one user, the same for all mechanisms.
    pub user: &'a str,
    /// The password of that user.
    pub password: &'a str,
}

/// Where a broker listens.
struct Ports {
    plain: u16,
    controller: u16,
    sasl: u16,
    tls: u16,
}

impl Broker {
    /// One broker for all tests of this binary.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts a new broker with an empty log and waits until it is ready.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// The same, with listeners of its own for clients with a password and for clients with a certificate.
    pub fn start_secured(secured: &Secured<'_>) -> Self {
        Self::start_with(Some(secured))
    }

    fn start_with(secured: Option<&Secured<'_>>) -> Self {
        let folder = tempfile::Builder::new().prefix("kafka-").tempdir().unwrap();
        let [plain, controller, sasl, tls] = free_ports();
        let broker = Self { folder, ports: Ports { plain, controller, sasl, tls }, running: Mutex::new(None) };
        let config = broker.folder.path().join("server.properties");
        fs::write(&config, broker.properties(secured)).unwrap();

        let mut format = java();
        format.args(["kafka.tools.StorageTool", "format", "-t", &cluster_id(), "-c"]).arg(&config);
        if let Some(Secured { user, password, .. }) = secured {
            for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
                format.args(["--add-scram", &format!("{mechanism}=[name={user},password={password}]")]);
            }
        }
        let formatted = format
            .output()
            .unwrap_or_else(|error| panic!("failed to run java, which the Kafka broker of the tests needs: {error}"));
        assert!(
            formatted.status.success(),
            "failed to format the broker's storage: {}{}",
            String::from_utf8_lossy(&formatted.stdout),
            String::from_utf8_lossy(&formatted.stderr)
        );
        broker.restart();
        broker
    }

    /// Its settings. Writes the files that they name.
    fn properties(&self, secured: Option<&Secured<'_>>) -> String {
        let mut text = include_str!("../kafka/server.properties").to_owned();
        if let Some(secured) = secured {
            let (keys, authority) = (self.keys(), self.folder.path().join("authority.pem"));
            fs::write(&keys, secured.keys).unwrap();
            fs::write(&authority, secured.authority).unwrap();
            // Of two lines for one key the later one counts.
            text += &include_str!("../kafka/secure.properties")
                .replace("@SASL_PORT@", &self.ports.sasl.to_string())
                .replace("@TLS_PORT@", &self.ports.tls.to_string())
                .replace("@KEYS@", &keys.display().to_string())
                .replace("@AUTHORITY@", &authority.display().to_string())
                .replace("@USER@", secured.user)
                .replace("@PASSWORD@", secured.password);
        }
        text.replace("@PORT@", &self.ports.plain.to_string())
            .replace("@CONTROLLER_PORT@", &self.ports.controller.to_string())
            .replace("@DATA@", &self.data().display().to_string())
    }

    /// The address for clients.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.ports.plain)
    }

    /// The port for clients with TLS and a password, of a secured broker.
    pub fn sasl_port(&self) -> u16 {
        self.ports.sasl
    }

    /// The port for clients with TLS and a certificate, of a secured broker.
    pub fn tls_port(&self) -> u16 {
        self.ports.tls
    }

    /// Ends the broker as a power cut would, and waits until it is gone.
    pub fn kill9(&self) {
        self.end("kill\n");
    }

    /// Ends the broker in good order, and waits until it is gone.
    pub fn stop(&self) {
        self.end("stop\n");
    }

    /// Starts the broker again with what it had, on the same port, and waits until it is ready.
    pub fn restart(&self) {
        let mut running = self.running.lock().unwrap();
        assert!(running.is_none(), "the broker is running");
        let mut java = java();
        java.arg("kafka.Kafka").arg(self.folder.path().join("server.properties"));
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(self.folder.path())
            .arg(java.get_program())
            .args(java.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        wait_until_ready(&lines(keeper.stdout.take().unwrap(), log));
        *running = Some(keeper);
    }

    /// Where its topics are.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The file with the key and the certificate of a secured broker.
    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys.pem")
    }

    /// The file that has all that the broker said so far.
    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("broker.log")
    }

    fn end(&self, word: &str) {
        let Some(mut keeper) = self.running.lock().unwrap().take() else {
            return;
        };
        keeper.stdin.take().unwrap().write_all(word.as_bytes()).unwrap();
        keeper.wait().unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Nothing is checked: the test may be panicking already.
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut keeper) = running.take() {
            drop(keeper.stdin.take());
            drop(keeper.wait());
        }
    }
}

fn wait_until_ready(output: &Receiver<String>) {
    let deadline = Instant::now() + START;
    let mut seen = Vec::new();
    loop {
        match output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line.contains(READY) => return,
            Ok(line) => seen.push(line),
            Err(RecvTimeoutError::Timeout) => panic!("the broker did not start in {START:?}:\n{}", seen.join("\n")),
            Err(RecvTimeoutError::Disconnected) => panic!("the broker ended while starting:\n{}", seen.join("\n")),
        }
    }
}

/// Reads lines for as long as there are any, so that the broker is never stopped by a full pipe, and keeps them in `log`.
fn lines(pipe: impl Read + Send + 'static, mut log: File) -> Receiver<String> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // The folder may be gone and nobody may listen any more; the pipe is emptied all the same.
            drop(writeln!(log, "{line}"));
            drop(tell.send(line));
        }
    });
    told
}

fn java() -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let jars = root.join(".cache/kafka/lib");
    assert!(jars.is_dir(), "the jars of the Kafka broker are missing: run `tests/run`, or `tests/kafka/fetch` alone");
    let mut java = Command::new("java");
    // Quick to start rather than quick in the long run.
    java.args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"])
        .arg(format!("-Dlog4j.configuration=file:{}", root.join("tests/kafka/log4j.properties").display()))
        .arg("-cp")
        .arg(jars.join("*"));
    java
}

/// Ports that nobody listens on. They lie below those that systems hand out for outgoing connections (32768 and up on Linux), so
/// that none of the many connections of the tests takes one before the broker does.
fn free_ports<const N: usize>() -> [u16; N] {
    let start = 10_000 + (RandomState::new().build_hasher().finish() % 20_000) as u16;
    let mut listeners = (start..32_000).filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    // All are held until the last is found, so that they differ.
    let held: [TcpListener; N] = std::array::from_fn(|_| listeners.next().unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// 16 random bytes in the alphabet that Kafka uses, as every cluster should have its own id.
fn cluster_id() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let random = || u128::from(RandomState::new().build_hasher().finish());
    let bits = (random() << 64) | random();
    // 22 digits of 6 bits hold 128 bits with four to spare, which must be zero; ids must not start with a dash.
    let digits = (0..22).map(|digit| match digit {
        21 => (bits << 4) & 0b11_0000,
        digit => (bits >> (122 - 6 * digit)) & 0b11_1111,
    });
    let id: String = digits.map(|value| char::from(ALPHABET[usize::try_from(value).unwrap()])).collect();
    id.strip_prefix('-').map_or(id.clone(), |rest| format!("A{rest}"))
}
