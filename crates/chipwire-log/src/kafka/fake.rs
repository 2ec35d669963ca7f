//! A broker that says what a real one says only for a moment: that there are no brokers, as one may that has just started.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

const METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;
/// Of responses and requests; without compact strings.
const METADATA_VERSION: i16 = 4;
const UNSUPPORTED_VERSION: i16 = 35;
const LEADER_NOT_AVAILABLE: i16 = 5;

/// Answers questions about itself and about topic `t` of one partition, until the process ends.
pub(super) struct FakeBroker {
    port: u16,
    forgetful: Arc<AtomicBool>,
}

impl FakeBroker {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let forgetful = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&forgetful);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let told = Arc::clone(&told);
                // A client that closes a connection ends its thread.
                thread::spawn(move || while answer(&connection, port, &told).is_ok() {});
            }
        });
        Self { port, forgetful }
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Whether it says that there are no brokers.
    pub(super) fn forget(&self, forgets: bool) {
        self.forgetful.store(forgets, Ordering::SeqCst);
    }
}

/// Reads a request and answers it.
fn answer(mut connection: &TcpStream, port: u16, forgetful: &AtomicBool) -> std::io::Result<()> {
    let mut size = [0; 4];
    connection.read_exact(&mut size)?;
    let mut request = vec![0; u32::from_be_bytes(size) as usize];
    connection.read_exact(&mut request)?;
    let short = |at: usize| i16::from_be_bytes([request[at], request[at + 1]]);
    let (api, version) = (short(0), short(2));
    let mut response = Response(request[4..8].to_vec());
    match api {
        API_VERSIONS => {
            response.short(if version == 0 { 0 } else { UNSUPPORTED_VERSION });
            response.int(2);
            for (api, highest) in [(METADATA, METADATA_VERSION), (API_VERSIONS, 0)] {
                response.short(api);
                response.short(0);
                response.short(highest);
            }
        }
        METADATA => response.metadata(port, forgetful.load(Ordering::SeqCst)),
        other => panic!("nobody asks for {other} here"),
    }
    connection.write_all(&u32::try_from(response.0.len()).unwrap().to_be_bytes())?;
    connection.write_all(&response.0)
}

struct Response(Vec<u8>);

impl Response {
    fn short(&mut self, value: i16) {
        self.0.extend(value.to_be_bytes());
    }

    fn int(&mut self, value: i32) {
        self.0.extend(value.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.short(i16::try_from(text.len()).unwrap());
        self.0.extend(text.as_bytes());
    }

    fn metadata(&mut self, port: u16, forgetful: bool) {
        let count = i32::from(!forgetful);
        // The throttle.
        self.int(0);
        self.int(count);
        if !forgetful {
            self.int(1);
            self.text("127.0.0.1");
            self.int(port.into());
            // No rack.
            self.short(-1);
        }
        self.text("fake");
        // The controller.
        self.int(1);
        self.int(1);
        self.short(if forgetful { LEADER_NOT_AVAILABLE } else { 0 });
        self.text("t");
        // Not internal.
        self.0.push(0);
        self.int(count);
        if !forgetful {
            // One partition without error, number 0, led by broker 1, which is its only copy.
            self.short(0);
            for value in [0, 1, 1, 1, 1, 1] {
                self.int(value);
            }
        }
    }
}
