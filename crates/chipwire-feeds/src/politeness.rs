//! One request at a time, and a pause between two: to a host, to a registrable domain and to an address.
//!
//! Many hosts of one owner, or many names of one machine, are one to whoever pays for it. Turns are taken in the order host,
//! domain, address, so that two requests can never wait for each other.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turn, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use url::{Host, Url};

use crate::config::FetchConfig;

/// The pause after a host said that it was asked too often (429).
const PAUSE_AFTER_429: Duration = Duration::from_secs(5);

/// The longest that a feed waits for its turn, by the number of those before it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Turns that are remembered before those that nobody waits for are forgotten.
const REMEMBERED_TURNS: usize = 4_096;

/// What is asked one request at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Host(String),
    Domain(String),
    Address(IpAddr),
}

/// The turns of all hosts.
pub(crate) struct Turns {
    // A std mutex: held only to look up a turn, never across an await.
    turns: Mutex<HashMap<Key, Arc<Turn<Instant>>>>,
    all: Arc<Semaphore>,
    host_spacing: Duration,
    domain_spacing: Duration,
    address_spacing: Duration,
}

/// The right to ask one host; given back when it is dropped.
pub(crate) struct Permit {
    /// Each with the pause that follows.
    held: Vec<(OwnedMutexGuard<Instant>, Duration)>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub(crate) fn new(config: &FetchConfig) -> Self {
        Self {
            turns: Mutex::default(),
            all: Arc::new(Semaphore::new(config.max_concurrent.clamp(1, Semaphore::MAX_PERMITS))),
            host_spacing: Duration::from_millis(config.host_spacing_ms),
            domain_spacing: Duration::from_millis(config.domain_spacing_ms),
            address_spacing: Duration::from_millis(config.address_spacing_ms),
        }
    }

    /// Waits for the turn of the host in `url`, which has `address`, then for a free slot: who waits for a busy host takes no
    /// slot from the others. The host is left in peace for at least `spacing` afterwards.
    pub(crate) async fn permit(&self, url: &Url, address: Option<IpAddr>, spacing: Duration) -> Permit {
        let mut held = Vec::with_capacity(3);
        for (key, pause) in self.keys(url, address) {
            let not_before = self.turn(key).lock_owned().await;
            held.push((not_before, pause.max(spacing)));
        }
        // A timer that has run out already would still take a millisecond.
        if let Some(latest) = held.iter().map(|(not_before, _)| **not_before).max()
            && latest > Instant::now()
        {
            tokio::time::sleep_until(latest).await;
        }
        // The semaphore is never closed.
        let slot = Arc::clone(&self.all).acquire_owned().await.ok();
        Permit { held, _slot: slot }
    }

    /// How long the turn of a request would take to come at least, if that is so long that it should be asked for again later:
    /// who waits keeps others from being polled at all.
    pub(crate) fn too_long(&self, url: &Url, address: Option<IpAddr>) -> Option<Duration> {
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = |(key, pause): (Key, Duration)| {
            // The map holds one; everyone else has the turn or waits for it.
            let before = turns.get(&key).map_or(0, |turn| Arc::strong_count(turn) - 1);
            pause.saturating_mul(u32::try_from(before).unwrap_or(u32::MAX))
        };
        self.keys(url, address).into_iter().map(wait).max().filter(|wait| *wait > LONGEST_WAIT)
    }

    fn keys(&self, url: &Url, address: Option<IpAddr>) -> Vec<(Key, Duration)> {
        let mut keys = Vec::with_capacity(3);
        if let Some(Host::Domain(name)) = url.host() {
            let name = name.trim_end_matches('.');
            keys.push((Key::Host(name.to_owned()), self.host_spacing));
            if let Some(domain) = psl::domain_str(name) {
                keys.push((Key::Domain(domain.to_owned()), self.domain_spacing));
            }
            keys.extend(address.map(|address| (Key::Address(address), self.address_spacing)));
        } else if let Some(address) = address {
            // An address in the URL is host and address in one.
            keys.push((Key::Address(address), self.host_spacing));
        }
        keys
    }

    fn turn(&self, key: Key) -> Arc<Turn<Instant>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= REMEMBERED_TURNS && !turns.contains_key(&key) {
            let now = Instant::now();
            turns.retain(|_, turn| Arc::strong_count(turn) > 1 || turn.try_lock().is_ok_and(|until| *until > now));
        }
        Arc::clone(turns.entry(key).or_insert_with(|| Arc::new(Turn::new(Instant::now()))))
    }
}

impl Permit {
    /// Makes the pause before the next request longer: the host said that it was asked too often.
    pub(crate) fn asked_too_often(&mut self) {
        for (_, pause) in &mut self.held {
            *pause = (*pause).max(PAUSE_AFTER_429);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = Instant::now();
        for (not_before, pause) in &mut self.held {
            **not_before = now + *pause;
        }
    }
}

/// The address that stands for a set of them: the same whatever their order, which name servers change from answer to answer.
pub(crate) fn stands_for(addresses: &[IpAddr]) -> Option<IpAddr> {
    addresses.iter().map(IpAddr::to_canonical).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moments at which requests to these URLs and addresses begin, in milliseconds, when each takes 100.
    async fn begins(asked: &[(&str, &str)]) -> Vec<u128> {
        let turns = Arc::new(Turns::new(&FetchConfig { address_spacing_ms: 1_000, ..FetchConfig::default() }));
        let start = Instant::now();
        let mut begun = Vec::new();
        for (url, address) in asked {
            let (turns, url, address) = (Arc::clone(&turns), Url::parse(url).unwrap(), address.parse().ok());
            begun.push(tokio::spawn(async move {
                let _permit = turns.permit(&url, address, Duration::ZERO).await;
                let begun = start.elapsed().as_millis();
                tokio::time::sleep(Duration::from_millis(100)).await;
                begun
            }));
            // In this order, although nothing takes time.
            tokio::task::yield_now().await;
        }
        let mut moments = Vec::new();
        for task in begun {
            moments.push(task.await.unwrap());
        }
        moments
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_domains_and_addresses_take_turns() {
        let unrelated = [("http://a.example.org/", "10.0.0.1"), ("http://b.example.com/", "10.0.0.2")];
        assert_eq!(begins(&unrelated).await, [0, 0]);
        let host = [("http://a.example.org/1", "10.0.0.1"), ("https://a.example.org:8443/2", "10.0.0.2")];
        assert_eq!(begins(&host).await, [0, 2_100]);
        let domain = [("http://a.example.org/", "10.0.0.1"), ("http://www.b.example.org./", "10.0.0.2")];
        assert_eq!(begins(&domain).await, [0, 2_100]);
        let suffix = [("http://a.github.io/", "10.0.0.1"), ("http://b.github.io/", "10.0.0.2")];
        assert_eq!(begins(&suffix).await, [0, 0], "below a public suffix everybody has a domain of his own");
        let address = [("http://example.org/", "10.0.0.1"), ("http://example.com/", "10.0.0.1")];
        assert_eq!(begins(&address).await, [0, 1_100]);
        let literal = [("http://10.0.0.1/", "10.0.0.1"), ("http://10.0.0.1:81/", "10.0.0.1")];
        assert_eq!(begins(&literal).await, [0, 2_100]);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_cross_without_waiting_for_each_other_for_ever() {
        let mut asked = Vec::new();
        let urls = ["http://a.x.org/", "http://b.x.org/", "http://a.y.org/", "http://x.org/", "http://10.0.0.1/"];
        for url in urls {
            asked.extend(["10.0.0.1", "10.0.0.2"].map(|address| (url, address)));
        }
        assert_eq!(begins(&asked).await.len(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_429_the_pause_is_longer() {
        let turns = Turns::new(&FetchConfig::default());
        let url = Url::parse("http://example.org/").unwrap();
        let start = Instant::now();
        turns.permit(&url, None, Duration::ZERO).await.asked_too_often();
        drop(turns.permit(&url, None, Duration::from_secs(9)).await);
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        drop(turns.permit(&url, None, Duration::ZERO).await);
        assert_eq!(start.elapsed(), Duration::from_secs(14), "a longer pause may be asked for");
    }

    #[tokio::test]
    async fn hosts_at_rest_are_forgotten() {
        let turns = Turns::new(&FetchConfig::default().with_spacing_ms(0));
        for number in 0..3 * REMEMBERED_TURNS {
            let url = Url::parse(&format!("http://{number}.example/")).unwrap();
            drop(turns.permit(&url, None, Duration::ZERO).await);
        }
        assert!(turns.turns.lock().unwrap().len() <= REMEMBERED_TURNS);
    }

    #[test]
    fn a_set_of_addresses_has_one_name() {
        let set = |addresses: &[&str]| {
            stands_for(&addresses.iter().map(|address| address.parse().unwrap()).collect::<Vec<_>>())
        };
        assert_eq!(set(&["10.0.0.2", "10.0.0.1"]), set(&["::ffff:10.0.0.1", "10.0.0.2"]));
        assert_eq!(set(&[]), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_queue_is_told() {
        let turns = Arc::new(Turns::new(&FetchConfig::default().with_spacing_ms(4_000)));
        let [url, other] = ["http://x.org/", "http://y.com/"].map(|url| Url::parse(url).unwrap());
        let held = turns.permit(&url, None, Duration::ZERO).await;
        assert_eq!(turns.too_long(&url, None), None);
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..2 {
            let (turns, url) = (Arc::clone(&turns), url.clone());
            waiting.spawn(async move { drop(turns.permit(&url, None, Duration::ZERO).await) });
        }
        tokio::task::yield_now().await;
        assert_eq!(turns.too_long(&url, None), Some(Duration::from_secs(12)));
        assert_eq!(turns.too_long(&other, None), None);
        drop(held);
        waiting.join_all().await;
        assert_eq!(turns.too_long(&url, None), None);
    }
}
