//! Stands between a Kafka broker and its clients and passes everything on as it is. On demand it holds back the request that
//! ends a transaction, as a network may: then the client does not learn what became of it, and the request comes to the broker
//! when nobody expects it any more.
//!
//! It rewrites nothing. Clients come to it because the broker names it as its own address
//! ([`Broker::start_behind`](crate::broker::Broker::start_behind)).

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

/// The number of the request `EndTxn` in Kafka's protocol.
const END_TXN: [u8; 2] = [0, 26];

/// A proxy before one broker. It goes on for as long as the test runs.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    passed_on: Receiver<()>,
}

struct Shared {
    broker: u16,
    /// How many `EndTxn` are still passed on at once, and how long the one after them is held back.
    hold: Mutex<Option<(usize, Duration)>>,
    /// Is told when one that was held back was passed on.
    tell: Mutex<Sender<()>>,
}

impl Proxy {
    /// Before the broker that listens, or will listen, on this port.
    pub(crate) fn start(broker: u16) -> Self {
        let (tell, passed_on) = mpsc::channel();
        let shared = Arc::new(Shared { broker, hold: Mutex::default(), tell: Mutex::new(tell) });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // No broker: the client sees a connection that closes.
                let Ok(broker) = TcpStream::connect(("127.0.0.1", accepting.broker)) else { continue };
                client.set_nodelay(true).unwrap();
                broker.set_nodelay(true).unwrap();
                let (answers, to) = (broker.try_clone().unwrap(), client.try_clone().unwrap());
                let shared = Arc::clone(&accepting);
                thread::spawn(move || shared.requests(client, broker));
                thread::spawn(move || copy(answers, to));
            }
        });
        Self { port, shared, passed_on }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Holds back a request that ends a transaction, the next one after `others`.
    pub(crate) fn hold_end_txn(&self, others: usize, duration: Duration) {
        *self.shared.hold.lock().unwrap() = Some((others, duration));
    }

    /// Waits until a request that was to be held back was passed on to the broker, for at most `patience`.
    pub(crate) fn until_passed_on(&self, patience: Duration) {
        self.passed_on.recv_timeout(patience).expect("no transaction ended");
    }
}

impl Shared {
    /// Passes requests on, one after the other: size, then as many bytes, of which the first two say which request it is.
    fn requests(&self, mut client: TcpStream, mut broker: TcpStream) {
        let mut next = || -> std::io::Result<()> {
            let mut size = [0; 4];
            client.read_exact(&mut size)?;
            let mut request = vec![0; u32::from_be_bytes(size) as usize];
            client.read_exact(&mut request)?;
            let hold = if request.starts_with(&END_TXN) { self.turn() } else { None };
            if let Some(duration) = hold {
                // Not a wait for anything: how late it comes is the fault.
                thread::sleep(duration);
            }
            broker.write_all(&size)?;
            broker.write_all(&request)?;
            if hold.is_some() {
                // The test may be over.
                let _ = self.tell.lock().unwrap().send(());
            }
            Ok(())
        };
        while next().is_ok() {}
        drop(broker.shutdown(Shutdown::Write));
    }

    /// How long the request that is there now is held back, if it is its turn.
    fn turn(&self) -> Option<Duration> {
        let mut hold = self.hold.lock().unwrap();
        match hold.as_mut() {
            Some((0, _)) => hold.take().map(|(_, duration)| duration),
            Some((others, _)) => {
                *others -= 1;
                None
            }
            None => None,
        }
    }
}

/// Passes answers on until there are no more.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    drop(std::io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Both));
}
