//! Articles with known ids go in while processes and brokers are killed and paused at random moments; at the end all of them are
//! there, once. `tests/faults` runs this by hand, for as long as one likes.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, thread,
    time::{Duration, Instant},
};

use chipwire_events::{Event, Topic};
use serde_json::Value;

use crate::{
    broker::Broker,
    support::{Backend, Item, Process, Site, Tail, get_json, not_once, tagged, until},
};

/// Items that come with every fault.
const ITEMS: usize = 2;

/// After so many faults everything may come to rest, and is looked at.
const ROUND: usize = 25;

/// Items that the feed keeps: more than come in a round.
const IN_FEED: usize = 4 * ROUND * ITEMS;

/// What happens.
#[derive(Debug, Clone, Copy)]
struct Plan {
    backend: Backend,
    /// kill -9 of the process that does everything.
    kills: usize,
    /// Times that it stands still and goes on.
    pauses: usize,
    /// How long it stands still.
    pause: Duration,
    /// kill -9 of the broker.
    broker_kills: usize,
    /// The latest moment of a kill after the start of the process.
    latest: Duration,
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Kill,
    Pause,
    BrokerKill,
}

/// What was found after all of it.
#[derive(Debug)]
struct Report {
    plan: Plan,
    faults: BTreeMap<Fault, usize>,
    articles: usize,
    alerts: usize,
    /// Deliveries that came more than once: allowed, since a delivery is at least once.
    delivered_again: usize,
    /// Looks with `chipwire verify` while it ran, and at the end.
    verified: usize,
    took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |fault| self.faults.get(&fault).copied().unwrap_or(0);
        let Self { plan: Plan { backend, seed, .. }, articles, alerts, delivered_again, verified, took, .. } = self;
        writeln!(f, "log                      {backend:?}, seed {seed}")?;
        writeln!(f, "kill -9                  {}", of(Fault::Kill))?;
        writeln!(f, "kill -9 of the broker    {}", of(Fault::BrokerKill))?;
        writeln!(f, "stood still              {}", of(Fault::Pause))?;
        writeln!(f, "articles, each once      {articles}")?;
        writeln!(f, "alerts, each once        {alerts}, {delivered_again} delivered more than once")?;
        writeln!(f, "verified without fault   {verified} times")?;
        write!(f, "took                     {:.0} s", took.as_secs_f64())
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn item(number: usize) -> Item {
    let text = if number.is_multiple_of(5) { "The Nvidia H20 GPU is on its way." } else { "TSMC said nothing." };
    Item::new(number, format!("Article {number}"), text)
}

/// The faults of a plan in the order of their turns, those that are rare among the others.
fn turns(plan: &Plan, numbers: &mut Numbers) -> Vec<Fault> {
    let mut turns = vec![Fault::Kill; plan.kills];
    turns.extend(vec![Fault::Pause; plan.pauses]);
    turns.extend(vec![Fault::BrokerKill; plan.broker_kills]);
    for at in (1..turns.len()).rev() {
        let other = usize::try_from(numbers.below(at as u64 + 1)).unwrap();
        turns.swap(at, other);
    }
    turns
}

fn drive(plan: Plan, name: &str) -> Report {
    let started = Instant::now();
    let mut numbers = Numbers(plan.seed);
    // A broker that is killed is nobody else's.
    let own = (plan.broker_kills > 0).then(Broker::start);
    let mut site = match &own {
        Some(broker) => Site::on_kafka(broker, name),
        None => Site::new(plan.backend, name),
    };
    site.run(&["rules", "add", "chip:nvidia-h20", "--name", "H20", "--sink", "hook"]);
    let (mut published, mut verified) = (0, 0);
    let mut faults = BTreeMap::new();
    let mut process = site.spawn(&["run"]);
    let turns = turns(&plan, &mut numbers);
    for (number, fault) in turns.iter().enumerate() {
        site.origin.publish((published..published + ITEMS).map(item));
        published += ITEMS;
        // Not a wait for anything: the moment of the fault is what varies.
        thread::sleep(Duration::from_millis(numbers.below(plan.latest.as_millis() as u64 + 1)));
        *faults.entry(*fault).or_insert(0) += 1;
        match fault {
            Fault::Kill => {
                process.kill();
                process = site.spawn(&["run"]);
            }
            Fault::Pause => {
                process.signal("STOP");
                thread::sleep(plan.pause);
                process.signal("CONT");
            }
            Fault::BrokerKill => {
                let broker = own.as_ref().unwrap();
                broker.kill9();
                broker.restart();
            }
        }
        if number % ROUND == ROUND - 1 {
            verified += rest(&site, &process, published);
            site.origin.keep(IN_FEED);
        }
    }
    verified += rest(&site, &process, published);
    process.terminate();
    let report: Value = serde_json::from_str(&site.run(&["verify", "--json"])).unwrap();
    assert_eq!((&report["ok"], &report["raw"]), (&true.into(), &published.into()), "{report}");
    assert_eq!((&report["tagged_on_their_way"], &report["documents"]), (&0.into(), &published.into()), "{report}");

    // The same by other means.
    let (titles, about_h20): (BTreeSet<String>, BTreeSet<String>) = (
        (0..published).map(|number| item(number).title).collect(),
        (0..published).step_by(5).map(|number| item(number).title).collect(),
    );
    let log = site.log();
    let events = Tail::new(&log, Topic::ArticlesTagged).all();
    let tagged: Vec<String> = tagged(&events).map(|tagged| tagged.article.title.clone()).collect();
    assert!(not_once(tagged.clone()).is_empty(), "tagged more than once: {:?}", not_once(tagged));
    assert_eq!(tagged.into_iter().collect::<BTreeSet<_>>(), titles);
    let alerts = Tail::new(&log, Topic::Alerts).all();
    let alert = |event: &Event| if let Event::AlertRaised(alert) = event { Some(alert.title.clone()) } else { None };
    let raised: Vec<String> = alerts.iter().filter_map(alert).collect();
    assert!(not_once(raised.clone()).is_empty(), "raised more than once: {:?}", not_once(raised));
    assert_eq!(raised.into_iter().collect::<BTreeSet<_>>(), about_h20);
    site.receiver.until(&about_h20);
    let delivered_again = not_once(site.receiver.seen.iter().map(|hook| hook.id.clone())).len();
    Report {
        plan,
        faults,
        articles: titles.len(),
        alerts: about_h20.len(),
        delivered_again,
        verified: verified + 1,
        took: started.elapsed(),
    }
}

/// Lets everything come to rest and looks at it while it runs.
fn rest(site: &Site, process: &Process, published: usize) -> usize {
    until("everything is searchable", || {
        let answer = get_json(&process.address, "/v1/articles?q=*&limit=1");
        if answer["total"] == published { Ok(()) } else { Err(answer.to_string()) }
    });
    site.run(&["verify"]);
    1
}

#[test]
fn embedded() {
    let (pause, latest) = (Duration::from_millis(300), Duration::from_millis(350));
    let (kills, pauses) = (250, 10);
    let plan = Plan { backend: Backend::Sqlite, kills, pauses, pause, broker_kills: 0, latest, seed: 1 };
    println!("{}", drive(plan, "faults"));
}

#[test]
fn kafka() {
    // Longer than the session of a group's member: another takes over, or the same one anew.
    let pause = Duration::from_secs(8);
    let (kills, pauses, broker_kills, latest) = (8, 1, 3, Duration::from_secs(4));
    let plan = Plan { backend: Backend::Kafka, kills, pauses, pause, broker_kills, latest, seed: 1 };
    println!("{}", drive(plan, "faults"));
}

/// What `tests/faults` runs.
#[test]
#[ignore = "for as long as one likes: `tests/faults --help`"]
fn by_hand() {
    let number =
        |name: &str| env::var(format!("FAULTS_{name}")).ok().and_then(|text| text.parse::<u64>().ok()).unwrap();
    let backend = if env::var("FAULTS_LOG").unwrap() == "kafka" { Backend::Kafka } else { Backend::Sqlite };
    let plan = Plan {
        backend,
        kills: usize::try_from(number("KILLS")).unwrap(),
        pauses: usize::try_from(number("PAUSES")).unwrap(),
        pause: Duration::from_millis(number("PAUSE_MS")),
        broker_kills: usize::try_from(number("BROKER_KILLS")).unwrap(),
        latest: Duration::from_millis(number("LATEST_MS")),
        seed: number("SEED"),
    };
    println!("\n{}", drive(plan, "faults-by-hand"));
}
