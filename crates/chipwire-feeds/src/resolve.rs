//! From the name of a host to its addresses, of which only those are given out that the guard permits.
//!
//! The addresses are kept for a moment, so that what politeness was told and what is connected to are the same, and asked
//! for anew after it; every time they are given out, to whomever, the guard looks at them again.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use hyper_util::client::legacy::connect::dns::Name;
use tokio::time::Instant;
use tower::Service;

use crate::{
    address::{Guard, Passage},
    error::{FetchError, Refused},
};

/// How long the addresses of a name are kept.
const KEPT: Duration = Duration::from_secs(30);

/// Names that are kept before the old ones are forgotten.
const REMEMBERED_NAMES: usize = 4_096;

/// Finds the addresses of a name: the machine's resolver, or what takes its place.
pub type Lookup = Arc<dyn Fn(String) -> LookupAnswer + Send + Sync>;

/// The answer of a [`Lookup`].
pub type LookupAnswer = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// The machine's resolver.
pub fn system_lookup() -> Lookup {
    Arc::new(|host| {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) })
    })
}

/// The addresses of names, each until when they may be used.
type Kept = HashMap<String, (Instant, Arc<[IpAddr]>)>;

/// Finds addresses, within a time, and only those that are permitted.
pub(crate) struct Resolver {
    lookup: Lookup,
    guard: Guard,
    timeout: Duration,
    // A std mutex: never held across an await.
    kept: Mutex<Kept>,
}

impl Resolver {
    pub(crate) fn new(lookup: Lookup, guard: Guard, timeout: Duration) -> Self {
        Self { lookup, guard, timeout, kept: Mutex::default() }
    }

    /// The permitted addresses of a name, at least one.
    pub(crate) async fn addresses(&self, host: &str, passage: Passage) -> Result<Vec<IpAddr>, FetchError> {
        let found = match self.kept(host) {
            Some(found) => found,
            None => self.look_up(host).await?,
        };
        let permits = |address: &IpAddr| passage == Passage::Allowed || self.guard.permits(*address);
        let permitted: Vec<IpAddr> = found.iter().copied().filter(permits).collect();
        match (permitted.is_empty(), found.first()) {
            (true, Some(refused)) => Err(Refused { host: host.to_owned(), address: Some(*refused) }.into()),
            (true, None) => {
                let source = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                Err(FetchError::Dns { host: host.to_owned(), source })
            }
            (false, _) => Ok(permitted),
        }
    }

    async fn look_up(&self, host: &str) -> Result<Arc<[IpAddr]>, FetchError> {
        let found = match tokio::time::timeout(self.timeout, (self.lookup)(host.to_owned())).await {
            Ok(Ok(found)) => Arc::<[IpAddr]>::from(found),
            Ok(Err(source)) => return Err(FetchError::Dns { host: host.to_owned(), source }),
            Err(_) => {
                let limit_ms = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
                return Err(FetchError::Timeout { host: host.to_owned(), step: "be found by its name", limit_ms });
            }
        };
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= REMEMBERED_NAMES {
            kept.retain(|_, (until, _)| *until > now);
        }
        if kept.len() < REMEMBERED_NAMES {
            kept.insert(host.to_owned(), (now + KEPT, Arc::clone(&found)));
        }
        Ok(found)
    }

    fn kept(&self, host: &str) -> Option<Arc<[IpAddr]>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(host).filter(|(until, _)| *until > Instant::now()).map(|(_, found)| Arc::clone(found))
    }
}

/// What an HTTP client asks when it opens a connection.
#[derive(Clone)]
pub(crate) struct AtConnect {
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) passage: Passage,
}

impl Service<Name> for AtConnect {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, FetchError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { resolver, passage } = self.clone();
        Box::pin(async move {
            let found = resolver.addresses(name.as_str(), passage).await?;
            // The port is that of the request.
            Ok(found.into_iter().map(|address| SocketAddr::new(address, 0)).collect::<Vec<_>>().into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn resolver(answers: &'static [&'static [&'static str]]) -> (Resolver, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let lookup: Lookup = Arc::new(move |_| {
            let number = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            Box::pin(async move { Ok(answers[number].iter().map(|address| address.parse().unwrap()).collect()) })
        });
        (Resolver::new(lookup, Guard::default(), Duration::from_secs(3)), asked)
    }

    async fn class(resolver: &Resolver, passage: Passage) -> String {
        match resolver.addresses("feeds.example", passage).await {
            Ok(found) => found.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" "),
            Err(error) => error.class().to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_turns_private_is_refused_from_then_on() {
        let (resolver, asked) = resolver(&[&["93.184.215.14"], &["127.0.0.1"]]);
        for _ in 0..3 {
            assert_eq!(class(&resolver, Passage::Public).await, "93.184.215.14");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tokio::time::advance(KEPT).await;
        for _ in 0..3 {
            assert_eq!(class(&resolver, Passage::Public).await, "private_address");
        }
        assert_eq!(class(&resolver, Passage::Allowed).await, "127.0.0.1");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn of_several_addresses_only_the_public_ones_are_given_out() {
        let (resolver, _) = resolver(&[&["127.0.0.1", "93.184.215.14", "::1", "fd00::1", "2606:2800::1", "0.0.0.0"]]);
        assert_eq!(class(&resolver, Passage::Public).await, "93.184.215.14 2606:2800::1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_server_that_does_not_answer_is_given_up() {
        let lookup: Lookup = Arc::new(|_| Box::pin(std::future::pending()));
        let resolver = Resolver::new(lookup, Guard::default(), Duration::from_secs(3));
        let before = Instant::now();
        let error = resolver.addresses("feeds.example", Passage::Public).await.unwrap_err();
        assert_eq!(error.to_string(), "`feeds.example` took longer than 3000 ms to be found by its name");
        assert_eq!(before.elapsed(), Duration::from_secs(3));
        let (empty, _) = self::resolver(&[&[]]);
        assert_eq!(class(&empty, Passage::Public).await, "dns");
    }
}
