//! Articles with known ids go in while processes are killed, at random moments and at named points of the code
//! (`chipwire::fail_points`), and brokers as well, both stand still, the clock is set, disks are full, and what nobody can read or
//! a stage panics on is put among them; at the end all of them are there, once, and the rest is dead letters. `tests/faults`
//! runs this by hand, for as long as one likes.

mod beat;
mod brokers;
mod clock;
mod plan;
mod poison;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs, thread,
    time::{Duration, Instant},
};

use chipwire::{
    fail_points::{KILL_AT, POINTS},
    wire::Log,
};
use chipwire_events::{Event, Topic};
use chipwire_log::{Cleanup, Error, Limit, Positions, Reader, Record, TopicSpec};
use serde_json::Value;

use self::{
    beat::{Beat, Workers},
    brokers::Brokers,
    clock::Clock,
    plan::{FAULTS, Fault, Numbers, POINTS_IN_A_ROW, Plan, Report},
    poison::Poison,
};
use crate::support::{
    Backend, Disk, Environment, Item, PATIENCE, Process, Site, Tail, get, get_json, not_once, tagged, until,
};

/// Items that come with every fault.
const ITEMS: usize = 2;

/// Items that come when a process is to be killed at a point: one of them raises an alert.
const ITEMS_FOR_A_POINT: usize = 5;

/// Items that come while the index stands still.
const ITEMS_FOR_THE_SLOW: usize = 50;

/// Feeds that have them: each is polled about once a second, and a fault comes every fraction of one.
const FEEDS: usize = 8;

/// After so many faults everything may come to rest, and is looked at.
const ROUND: usize = 25;

/// Items that the feeds keep once they were taken in: they go on saying what was there before.
const IN_FEEDS: usize = 400;

/// Articles are kept for so long where the clock is set: for less than it is set ahead.
const RETENTION_DAYS: usize = 30;

/// The size of a disk that gets full, and how much what is on it grows with every time, and with every fault of another kind.
const DISK_MIB: usize = 64;
const DISK_MIB_PER_TIME: usize = 8;
const DISK_KIB_PER_FAULT: usize = 128;

fn item(number: usize) -> Item {
    let text = if number.is_multiple_of(5) { "The Nvidia H20 GPU is on its way." } else { "TSMC said nothing." };
    Item::new(number, format!("Article {number}"), text)
}

/// What the faults happen to. Dropped in this order: what runs before what it runs on.
struct Driver {
    process: Process,
    /// Workers that join.
    beat: Option<Beat>,
    clock: Option<Clock>,
    poison: Poison,
    /// Reads whatever is written to the embedded log.
    follower: Option<Box<dyn Reader>>,
    log: Log,
    disk: Option<Disk>,
    site: Site,
    brokers: Brokers,
    plan: Plan,
    numbers: Numbers,
    published: usize,
    verified: usize,
    amid_work: usize,
    points: [usize; POINTS.len()],
    /// The point at which the next process is killed.
    point: usize,
    open_commits: usize,
    /// Whether anything was written since the last kill.
    written: bool,
}

fn drive(mut plan: Plan, name: &str) -> Report {
    let started = Instant::now();
    let mut numbers = Numbers(plan.seed);
    let brokers = Brokers::start(&plan);
    let site = match brokers.config(&plan) {
        Some(kafka) => Site::on_kafka(kafka, name),
        None => Site::new(plan.backend, name),
    };
    site.spread(FEEDS);
    fs::create_dir(site.data_dir()).unwrap();
    let disk = match plan.count(Fault::FullDisk) {
        0 => None,
        times => {
            let faults: usize = plan.faults.iter().map(|(_, count)| count).sum();
            let size_mib = DISK_MIB + times * DISK_MIB_PER_TIME + faults * DISK_KIB_PER_FAULT / 1024;
            Disk::make(&site.data_dir(), size_mib)
        }
    };
    if disk.is_none() && plan.count(Fault::FullDisk) > 0 {
        println!("no full disks: this machine does not let us mount a file system of our own");
        plan.faults.retain(|(fault, _)| *fault != Fault::FullDisk);
    }
    let clock = match plan.count(Fault::Clock) {
        0 => None,
        _ => Clock::make(site.folder.path()),
    };
    if clock.is_none() && plan.count(Fault::Clock) > 0 {
        println!("the clock is not set: libfaketime is not installed");
        plan.faults.retain(|(fault, _)| *fault != Fault::Clock);
    }
    if clock.is_some() {
        site.keep_for(RETENTION_DAYS);
    }
    site.run(&["rules", "add", "chip:nvidia-h20", "--name", "H20", "--sink", "hook"]);
    let log = site.log();
    let follower = (plan.backend == Backend::Sqlite).then(|| {
        let topics = Topic::ALL.map(|topic| &**log.name(topic));
        log.backend().reader(&topics, &Positions::new()).unwrap()
    });
    let turns = plan.turns(&mut numbers);
    let environment = environment(clock.as_ref());
    let process = site.spawn_with(&["run"], &environment);
    let joining = plan.count(Fault::Rebalance);
    let beat = (joining > 0).then(|| {
        let workers = Workers { config: site.config(), folder: site.folder.path().to_owned(), environment };
        Beat::start(workers, joining, plan.beat)
    });
    let point = numbers.below(POINTS.len());
    let mut driver = Driver {
        process,
        beat,
        clock,
        disk,
        poison: Poison::default(),
        log,
        site,
        brokers,
        plan,
        numbers,
        published: 0,
        verified: 0,
        amid_work: 0,
        points: [0; POINTS.len()],
        point,
        open_commits: 0,
        follower,
        written: false,
    };
    for (number, fault) in turns.into_iter().enumerate() {
        driver.publish(ITEMS);
        if matches!(fault, Fault::Kill | Fault::KillAt) && driver.numbers.below(2) > 0 {
            // The others hit a process that starts.
            driver.until_it_writes();
        }
        // Not a wait for anything: the moment of the fault is what varies.
        thread::sleep(driver.numbers.upto(driver.plan.latest));
        driver.happen(fault);
        if number % ROUND == ROUND - 1 {
            driver.end_round();
        }
    }
    for number in 0.. {
        if driver.beat.as_ref().is_none_or(Beat::is_over) {
            break;
        }
        driver.publish(ITEMS);
        thread::sleep(driver.numbers.upto(driver.plan.latest));
        if number % ROUND == ROUND - 1 {
            driver.end_round();
        }
    }
    driver.rest();
    driver.end(started)
}

impl Driver {
    fn publish(&mut self, count: usize) {
        self.site.origin.publish((self.published..self.published + count).map(item));
        self.published += count;
        while self.poison.count() * 100 < self.published * self.plan.poison_percent {
            self.poison.add(&self.log);
        }
    }

    fn happen(&mut self, fault: Fault) {
        match fault {
            Fault::Kill => {
                self.kill();
                self.process = self.spawn(&["run"]);
            }
            Fault::KillAt => self.kill_at_points(),
            Fault::Clock => self.set_the_clock(),
            Fault::Pause => {
                self.process.signal("STOP");
                thread::sleep(self.plan.pause);
                self.process.signal("CONT");
            }
            Fault::FullDisk => self.fill_the_disk(),
            Fault::SlowIndex => self.slow_down_the_index(),
            Fault::BrokerKill => {
                let broker = self.brokers.any(&mut self.numbers);
                broker.kill9();
                broker.restart();
            }
            Fault::BrokerPause => {
                let broker = self.brokers.any(&mut self.numbers);
                broker.pause();
                thread::sleep(self.plan.pause);
                broker.resume();
            }
            Fault::LeaderKill => self.kill_a_leader(),
            Fault::Rebalance => unreachable!("workers join on a beat of their own"),
            Fault::LateEnd => self.hold_back_an_end(),
        }
    }

    /// Starts a process that goes by the site's clock, and panics on what is to make it panic.
    fn spawn(&self, arguments: &[&str]) -> Process {
        self.site.spawn_with(arguments, &environment(self.clock.as_ref()))
    }

    fn kill(&mut self) {
        self.process.kill();
        self.amid_work += usize::from(self.has_written());
        self.written = false;
    }

    fn kill_at_points(&mut self) {
        self.kill();
        for _ in 0..POINTS_IN_A_ROW {
            if self.points.iter().sum::<usize>() < self.plan.count(Fault::KillAt) {
                self.kill_at_a_point();
            }
        }
        // What these have written counts for no other.
        self.has_written();
        self.written = false;
        self.process = self.spawn(&["run"]);
    }

    /// Starts a process that is killed at the next point, when it comes by for the first time or a later one.
    fn kill_at_a_point(&mut self) {
        let point = self.point % POINTS.len();
        self.point += 1;
        let passes = match POINTS[point] {
            // Every poll of a feed comes by, and there are some in every second.
            "before-fetch" | "after-fetch" | "before-commit" | "after-commit" => FEEDS / 2,
            "before-append" | "after-append" | "before-fsync" | "after-fsync" => FEEDS,
            _ => 1,
        };
        let pass = 1 + self.numbers.below(passes);
        let mut environment = environment(self.clock.as_ref());
        environment.push((KILL_AT.to_owned(), format!("{}={pass}", POINTS[point]).into()));
        self.process = self.site.spawn_with(&["run"], &environment);
        self.publish(ITEMS_FOR_A_POINT);
        self.process.killed();
        self.points[point] += 1;
    }

    /// Everything goes on under the new time, at once and after a start.
    fn set_the_clock(&mut self) {
        // Feeds that are days overdue at a start are spread over minutes: not what is looked at here.
        self.rest();
        let path = self.site.data_dir().join("retention.json");
        let retention = || fs::read_to_string(&path).unwrap_or_default();
        let before = retention();
        let is_far_ahead = self.clock.as_mut().unwrap().set();
        self.publish(ITEMS);
        self.rest();
        if !is_far_ahead && self.numbers.below(2) == 0 {
            return;
        }
        self.process.kill();
        self.process = self.spawn(&["run"]);
        self.publish(ITEMS);
        self.rest();
        if is_far_ahead && self.plan.backend == Backend::Sqlite {
            // By the new time everything is older than it has to be kept.
            until("retention is looked after", || match retention() {
                same if same == before => Err(same),
                _ => Ok(()),
            });
        }
    }

    fn end_round(&mut self) {
        self.rest();
        self.site.origin.keep(IN_FEEDS);
    }

    /// Whether anything was written since the last kill. Nobody knows on Kafka, where the brokers may not be there to be asked.
    fn has_written(&mut self) -> bool {
        while let Some(follower) = &mut self.follower {
            let batch = follower.next(Limit::default(), Duration::ZERO).unwrap();
            self.written |= !batch.records.is_empty();
            if batch.at_end {
                break;
            }
        }
        self.written
    }

    /// Waits until the process has begun to work, where that can be seen.
    fn until_it_writes(&mut self) {
        if self.follower.is_some() {
            until("the process writes", || if self.has_written() { Ok(()) } else { Err("nothing".to_owned()) });
        }
    }

    fn fill_the_disk(&mut self) {
        let disk = self.disk.as_ref().unwrap();
        disk.fill();
        fill(&self.log);
        until("the disk is full", || match get(&self.process.address, "/readyz") {
            (503, reasons) if reasons.contains("no space left for log") => Ok(()),
            (_, reasons) => Err(reasons),
        });
        assert_eq!(get(&self.process.address, "/livez").0, 200);
        let is_killed = self.numbers.below(2) == 0;
        if is_killed {
            self.process.kill();
        }
        disk.free();
        if is_killed {
            self.process = self.spawn(&["run"]);
        }
        // From here on all goes on by itself.
        self.end_round();
    }

    fn slow_down_the_index(&mut self) {
        self.rest();
        let serve = self.spawn(&["serve"]);
        let everything = std::mem::replace(&mut self.process, serve);
        everything.terminate();
        let others = ["fetch", "enrich", "alert"].map(|stage| self.spawn(&[stage]));
        let index = self.spawn(&["index"]);
        self.rest();
        index.signal("STOP");
        self.publish(ITEMS_FOR_THE_SLOW);
        Tail::new(&self.site.log(), Topic::ArticlesTagged).until("the others go on", |events| {
            tagged(events).count() == self.published + self.poison.tagged().count()
        });
        let report: Value = serde_json::from_str(&self.site.run(&["verify", "--json"])).unwrap();
        assert_eq!((&report["ok"], &report["raw_on_their_way"]), (&true.into(), &0.into()), "{report}");
        assert!(report["tagged_on_their_way"].as_u64().unwrap() >= ITEMS_FOR_THE_SLOW as u64, "{report}");
        index.signal("CONT");
        self.rest();
        [index].into_iter().chain(others).for_each(Process::terminate);
        let everything = self.spawn(&["run"]);
        let serve = std::mem::replace(&mut self.process, everything);
        serve.terminate();
    }

    fn kill_a_leader(&mut self) {
        let cluster = self.brokers.cluster();
        let topic = self.log.name(Topic::ArticlesRaw);
        let partition = u32::try_from(self.numbers.below(Topic::ArticlesRaw.partitions() as usize)).unwrap();
        let replicas = || cluster.replicas(topic, partition);
        // Otherwise there might be no other that can lead.
        let leader = until("all brokers have all of the partition", || {
            let found = replicas();
            let whole = found.as_ref().filter(|found| found.in_sync == crate::broker::NODES);
            whole.and_then(|found| found.leader).ok_or_else(|| format!("{found:?}"))
        });
        cluster.broker(leader).kill9();
        until("another broker leads", || match replicas().map(|found| found.leader) {
            Some(Some(other)) if other != leader => Ok(()),
            found => Err(format!("{found:?}")),
        });
        cluster.broker(leader).restart();
    }

    fn hold_back_an_end(&mut self) {
        // What is written while a process starts is tried again without a word.
        self.rest();
        let open = || self.process.stderr().matches("it is not known whether the last write").count();
        let before = open();
        let proxy = self.brokers.proxy();
        // Of any stage: feeds are polled, and what comes of it is tagged, raised and delivered.
        proxy.hold_end_txn(self.numbers.below(6), self.plan.hold);
        self.site.origin.publish((self.published..self.published + ITEMS).map(item));
        self.published += ITEMS;
        proxy.until_passed_on(PATIENCE + self.plan.hold);
        self.open_commits += until("a worker that does not know what became of its commit", || match open() - before {
            0 => Err("none".to_owned()),
            more => Ok(more),
        });
    }

    /// Lets everything come to rest and looks at it while it runs.
    fn rest(&mut self) {
        until("everything is searchable", || match get_json(&self.process.address, "/v1/articles?q=*&limit=1") {
            answer if answer["total"] == self.searchable() => Ok(()),
            answer => {
                let [(_, reasons), (_, metrics)] = ["/readyz", "/metrics"].map(|path| get(&self.process.address, path));
                let lags: Vec<&str> = metrics.lines().filter(|line| line.starts_with("chipwire_stage_lag")).collect();
                Err(format!("{} instead of {}; {reasons}; {lags:?}", answer["total"], self.searchable()))
            }
        });
        self.site.run(&["verify"]);
        self.verified += 1;
    }

    /// The articles that a search finds once all is done.
    fn searchable(&self) -> usize {
        self.published + self.poison.searchable()
    }

    /// Stops everything and compares what is there with what was put in.
    fn end(mut self, started: Instant) -> Report {
        let (published, poison) = (self.published, self.poison.count());
        let mut titles: BTreeSet<String> = (0..published).map(|number| item(number).title).collect();
        titles.extend(self.poison.tagged());
        let (tagged_poison, searchable) = (self.poison.tagged().count(), self.searchable());
        let about_h20: BTreeSet<String> = (0..published).step_by(5).map(|number| item(number).title).collect();
        self.site.receiver.until(&about_h20);
        let beat = self.beat.take().map(Beat::end);
        self.process.terminate();
        let report: Value = serde_json::from_str(&self.site.run(&["verify", "--json"])).unwrap();
        assert_eq!((&report["ok"], &report["raw"]), (&true.into(), &(published + poison).into()), "{report}");
        assert_eq!(
            (&report["tagged"], &report["rejected"]),
            (&(published + tagged_poison).into(), &(poison - tagged_poison).into()),
            "{report}"
        );
        assert_eq!((&report["tagged_on_their_way"], &report["documents"]), (&0.into(), &searchable.into()), "{report}");

        // The same by other means. The log's own clients may know the brokers as they were before a fault.
        let log = self.site.log();
        let all = |topic| Tail::new(&log, topic).all();
        let events = all(Topic::ArticlesTagged);
        once("tagged", tagged(&events).map(|tagged| tagged.article.title.clone()), &titles);
        let alerts = all(Topic::Alerts);
        let alert =
            |event: &Event| if let Event::AlertRaised(alert) = event { Some(alert.title.clone()) } else { None };
        once("raised", alerts.iter().filter_map(alert), &about_h20);
        self.poison.check(&log, &all(Topic::DeadLetters));
        let generations = self.brokers.generations();
        assert!(
            generations >= self.plan.count(Fault::Rebalance),
            "partitions were shared out {generations} times only"
        );
        Report {
            amid_work: self.amid_work,
            points: self.points,
            beat: beat.unwrap_or_default(),
            articles: published,
            alerts: about_h20.len(),
            dead_letters: poison,
            delivered_again: not_once(self.site.receiver.seen.iter().map(|hook| hook.id.clone())).len(),
            generations,
            open_commits: self.open_commits,
            verified: self.verified + 1,
            took: started.elapsed(),
            plan: self.plan,
        }
    }
}

/// What the processes are started with: a clock that can be set, and stages that panic on what is to make them panic.
fn environment(clock: Option<&Clock>) -> Environment {
    let panics = ["enrich", "index", "alert"].map(|stage| format!("panic-in-{stage}=panic"));
    let mut environment = clock.map(Clock::environment).unwrap_or_default();
    environment.push(("FAILPOINTS".to_owned(), panics.join(";").into()));
    environment
}

/// Looks whether `found` is `expected`, each once.
fn once(what: &str, found: impl Iterator<Item = String>, expected: &BTreeSet<String>) {
    let found: Vec<String> = found.collect();
    let twice: BTreeMap<String, usize> = not_once(found.clone());
    assert!(twice.is_empty(), "{what} more than once: {twice:?}");
    assert_eq!(&found.into_iter().collect::<BTreeSet<_>>(), expected, "{what}");
}

/// Writes to a topic that nobody reads until nothing fits any more, not even where the log has room in its own files.
fn fill(log: &Log) {
    let topic = TopicSpec { name: "ballast".into(), partitions: 1, cleanup: Cleanup::Delete { retention: None } };
    match log.backend().ensure(std::slice::from_ref(&topic)) {
        Ok(()) => {}
        // Not even a topic fits.
        Err(Error::Full { .. }) => return,
        Err(other) => panic!("{other}"),
    }
    let Ok(mut writer) = log.backend().writer("ballast") else { return };
    for size in [1 << 18, 1 << 12, 1] {
        // Not to be compressed away.
        let parts = (0..size / 32 + 1).map(|part| chipwire_events::hash_hex(16, &[&format!("{part}/{size}")]));
        let value = Some(parts.collect::<String>().into_bytes());
        let record = Record { topic: topic.name.clone(), partition: 0, key: Vec::new(), headers: Vec::new(), value };
        loop {
            match writer.append(std::slice::from_ref(&record)) {
                Ok(()) => {}
                Err(Error::Full { .. }) => break,
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn embedded() {
    // 250 kills, four of them at each of the points.
    let points = 4 * POINTS.len();
    let rows = points.div_ceil(POINTS_IN_A_ROW);
    let plan = Plan::embedded(&[
        (Fault::Kill, 250 - points - rows),
        (Fault::KillAt, points),
        (Fault::Pause, 10),
        (Fault::SlowIndex, 2),
    ]);
    let kills = plan.random_kills();
    let report = drive(plan, "faults");
    println!("{report}");
    assert_eq!(report.points, [4; POINTS.len()]);
    assert!(report.amid_work * 2 > kills, "most kills hit a process that had not begun to work");
}

#[test]
fn embedded_with_a_clock_that_is_set() {
    let plan = Plan::embedded(&[(Fault::Clock, 6), (Fault::Kill, 4)]);
    println!("{}", drive(plan, "faults-clock"));
}

#[test]
fn embedded_on_a_disk_that_gets_full() {
    let plan = Plan::embedded(&[(Fault::FullDisk, 20), (Fault::Kill, 10)]);
    println!("{}", drive(plan, "faults-disk"));
}

#[test]
fn kafka() {
    let faults = [
        (Fault::Kill, 4),
        (Fault::KillAt, 4),
        (Fault::Pause, 1),
        (Fault::BrokerKill, 3),
        (Fault::BrokerPause, 1),
        (Fault::SlowIndex, 1),
    ];
    println!("{}", drive(Plan::kafka(1, &faults), "faults"));
}

#[test]
fn kafka_with_three_brokers() {
    let faults = [(Fault::LeaderKill, 2), (Fault::Rebalance, 2), (Fault::Kill, 1)];
    println!("{}", drive(Plan::kafka(crate::broker::NODES, &faults), "faults-three"));
}

#[test]
fn kafka_with_transactions_that_end_late() {
    let faults = [(Fault::LateEnd, 2), (Fault::Kill, 2)];
    println!("{}", drive(Plan::kafka(1, &faults), "faults-late"));
}

/// What `tests/faults` runs.
#[test]
#[ignore = "for as long as one likes: `tests/faults --help`"]
fn by_hand() {
    let number = |name: &str| -> usize { env::var(format!("FAULTS_{name}")).unwrap().parse().unwrap() };
    let duration = |name: &str| Duration::from_millis(number(name) as u64);
    let plan = Plan {
        backend: if env::var("FAULTS_LOG").unwrap() == "kafka" { Backend::Kafka } else { Backend::Sqlite },
        brokers: number("BROKERS"),
        faults: FAULTS.iter().map(|(fault, name, _)| (*fault, number(name))).collect(),
        pause: duration("PAUSE_MS"),
        hold: duration("HOLD_MS"),
        latest: duration("LATEST_MS"),
        beat: duration("BEAT_MS"),
        poison_percent: number("POISON"),
        seed: number("SEED") as u64,
    };
    println!("\n{}", drive(plan, "faults-by-hand"));
}
