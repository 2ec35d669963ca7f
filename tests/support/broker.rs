//! A real Kafka broker on this machine, for tests.
//!
//! One node, in memory of half a gigabyte, on free ports, with its data in a temporary folder; or three of them, in [`Cluster`].
//! The jars come from `tests/kafka/fetch`. A test binary includes this file by its path:
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
    net::{TcpListener, TcpStream},
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

/// Runs Java and does what the words on the pipe say: `pause` and `resume` it, `stop` it politely, `kill` it at once, and at
/// once as well when the pipe closes, in which case nobody needs the folder any more.
const KEEPER: &str = r#"
folder=$1; shift
"$@" </dev/null 2>&1 &
broker=$!
exec >/dev/null 2>&1
while read -r word; do
    case $word in
        pause) kill -STOP $broker ;;
        resume) kill -CONT $broker ;;
        stop) kill -TERM $broker; break ;;
        *) kill -KILL $broker; break ;;
    esac
done
if [ -z "$word" ]; then kill -KILL $broker; fi
wait $broker
if [ -z "$word" ]; then rm -rf "$folder"; fi
"#;

/// A running broker, or one that was stopped and can be started again.
pub struct Broker {
    folder: TempDir,
    ports: Ports,
    /// The option that bounds its memory.
    heap: &'static str,
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
    /// The port that it tells clients, which something may listen on that stands before it.
    advertised: u16,
    controller: u16,
    sasl: u16,
    tls: u16,
}

impl Ports {
    fn free() -> Self {
        let [plain, controller, sasl, tls] = free_ports();
        Self { plain, advertised: plain, controller, sasl, tls }
    }
}

/// What sets a broker apart from one that is alone and open to all.
#[derive(Default)]
struct Special<'a> {
    secured: Option<&'a Secured<'a>>,
    /// Its number among the nodes of a cluster, and the controllers of all of them.
    node: Option<(usize, &'a str)>,
}

impl Broker {
    /// One broker for all tests of this binary.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts a new broker with an empty log and waits until it is ready.
    pub fn start() -> Self {
        Self::start_with(Ports::free(), &Special::default())
    }

    /// The same, where `before` starts what stands between it and its clients: it is given the broker's port and answers with
    /// its own.
    pub fn start_behind(before: impl FnOnce(u16) -> u16) -> Self {
        let mut ports = Ports::free();
        ports.advertised = before(ports.plain);
        Self::start_with(ports, &Special::default())
    }

    /// The same, with listeners of its own for clients with a password and for clients with a certificate.
    pub fn start_secured(secured: &Secured<'_>) -> Self {
        Self::start_with(Ports::free(), &Special { secured: Some(secured), ..Special::default() })
    }

    fn start_with(ports: Ports, special: &Special<'_>) -> Self {
        let broker = Self::format(ports, &cluster_id(), special);
        broker.restart();
        broker
    }

    /// A broker that was not started yet.
    fn format(ports: Ports, cluster: &str, special: &Special<'_>) -> Self {
        let folder = tempfile::Builder::new().prefix("kafka-").tempdir().unwrap();
        let heap = if special.node.is_some() { "-Xmx384m" } else { "-Xmx512m" };
        let broker = Self { folder, ports, heap, running: Mutex::new(None) };
        let config = broker.folder.path().join("server.properties");
        fs::write(&config, broker.properties(special)).unwrap();

        let mut format = java(heap);
        format.args(["kafka.tools.StorageTool", "format", "-t", cluster, "-c"]).arg(&config);
        if let Some(Secured { user, password, .. }) = special.secured {
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
        broker
    }

    /// Its settings. Writes the files that they name.
    fn properties(&self, special: &Special<'_>) -> String {
        let mut text = include_str!("../kafka/server.properties").to_owned();
        if let Some((node, controllers)) = special.node {
            text += &include_str!("../kafka/cluster.properties")
                .replace("@NODE@", &node.to_string())
                .replace("@CONTROLLERS@", controllers);
        }
        if let Some(secured) = special.secured {
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
        let advertised = format!("advertised.listeners=PLAINTEXT://127.0.0.1:{}", self.ports.advertised);
        text.replace("advertised.listeners=PLAINTEXT://127.0.0.1:@PORT@", &advertised)
            .replace("@PORT@", &self.ports.plain.to_string())
            .replace("@CONTROLLER_PORT@", &self.ports.controller.to_string())
            .replace("@DATA@", &self.data().display().to_string())
    }

    /// The address for clients.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.ports.advertised)
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

    /// Stops the broker where it stands: its connections stay open and nothing answers.
    pub fn pause(&self) {
        self.say("pause\n");
    }

    /// Lets a broker that stands still go on.
    pub fn resume(&self) {
        self.say("resume\n");
    }

    /// Starts the broker again with what it had, on the same port, and waits until it is ready.
    pub fn restart(&self) {
        let mut running = self.running.lock().unwrap();
        assert!(running.is_none(), "the broker is running");
        let mut java = java(self.heap);
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

    fn say(&self, word: &str) {
        let mut running = self.running.lock().unwrap();
        let keeper = running.as_mut().expect("the broker is not running");
        keeper.stdin.as_mut().unwrap().write_all(word.as_bytes()).unwrap();
    }

    fn end(&self, word: &str) {
        let Some(mut keeper) = self.running.lock().unwrap().take() else {
            return;
        };
        keeper.stdin.take().unwrap().write_all(word.as_bytes()).unwrap();
        keeper.wait().unwrap();
    }
}

/// How many brokers a cluster has.
pub const NODES: usize = 3;

/// Three brokers that keep every partition three times, and write to at least two of them.
pub struct Cluster {
    brokers: [Broker; NODES],
}

/// Who has a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replicas {
    /// The number of the broker that leads, beginning with 0; `None` while none does.
    pub leader: Option<usize>,
    /// How many brokers have all of it.
    pub in_sync: usize,
}

impl Cluster {
    /// Starts three brokers with empty logs and waits until all are ready.
    pub fn start() -> Self {
        let ports = [(); NODES].map(|()| Ports::free());
        let controllers = |(node, ports): (usize, &Ports)| format!("{node}@127.0.0.1:{}", ports.controller);
        let controllers: Vec<String> = (1..).zip(&ports).map(controllers).collect();
        let (controllers, cluster) = (controllers.join(","), cluster_id());
        let mut node = 0;
        let brokers = ports.map(|ports| {
            node += 1;
            Broker::format(ports, &cluster, &Special { node: Some((node, &controllers)), ..Special::default() })
        });
        // None is ready before two are there.
        thread::scope(|scope| brokers.iter().for_each(|broker| drop(scope.spawn(|| broker.restart()))));
        Self { brokers }
    }

    /// The addresses for clients.
    pub fn bootstrap(&self) -> String {
        self.brokers.each_ref().map(Broker::bootstrap).join(",")
    }

    /// One of them, beginning with 0.
    pub fn broker(&self, number: usize) -> &Broker {
        &self.brokers[number]
    }

    /// What a broker that runs says of a partition; `None` if it does not know or none answers.
    pub fn replicas(&self, topic: &str, partition: u32) -> Option<Replicas> {
        let running = self.brokers.iter().filter(|broker| broker.running.lock().unwrap().is_some());
        running.filter_map(|broker| broker.replicas(topic, partition)).next()
    }
}

impl Broker {
    /// Asks for the metadata of a topic, in version 1 of that request.
    fn replicas(&self, topic: &str, partition: u32) -> Option<Replicas> {
        let mut request = vec![0, 3, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 1];
        request.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
        request.extend(topic.as_bytes());
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports.plain)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(&u32::try_from(request.len()).unwrap().to_be_bytes()).ok()?;
        stream.write_all(&request).ok()?;
        let mut size = [0; 4];
        stream.read_exact(&mut size).ok()?;
        let mut answer = vec![0; u32::from_be_bytes(size) as usize];
        stream.read_exact(&mut answer).ok()?;

        let mut fields = Fields(&answer);
        fields.int();
        for _ in 0..fields.int() {
            // Number, host, port, rack.
            fields.int();
            fields.text();
            fields.int();
            fields.text();
        }
        // The controller, and of one topic its error, its name and whether it is internal.
        fields.take(4 + 4 + 2);
        fields.text();
        fields.take(1);
        (0..fields.int())
            .map(|_| {
                let (_error, number, leader) = (fields.short(), fields.int(), fields.int());
                let [_, in_sync] = [(); 2].map(|()| {
                    let count = fields.int();
                    fields.take(4 * usize::try_from(count).unwrap());
                    count
                });
                // Nodes are numbered from 1, and nobody is -1.
                let leader = usize::try_from(leader - 1).ok();
                (number, Replicas { leader, in_sync: usize::try_from(in_sync).unwrap() })
            })
            .find_map(|(number, replicas)| (u32::try_from(number) == Ok(partition)).then_some(replicas))
    }
}

/// Reads an answer of Kafka's protocol.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn short(&mut self) -> i16 {
        i16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    fn int(&mut self) -> i32 {
        i32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    /// Of length -1 is what is not there.
    fn text(&mut self) -> &'a [u8] {
        let length = self.short();
        self.take(usize::try_from(length).unwrap_or(0))
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

fn java(heap: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let jars = root.join(".cache/kafka/lib");
    assert!(jars.is_dir(), "the jars of the Kafka broker are missing: run `tests/run`, or `tests/kafka/fetch` alone");
    let mut java = Command::new("java");
    // Quick to start rather than quick in the long run.
    java.args([heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"])
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
