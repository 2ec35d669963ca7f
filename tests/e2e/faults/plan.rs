//! What is to happen, and what was found after all of it.

use std::{fmt, time::Duration};

use chipwire::fail_points::POINTS;

use crate::support::Backend;

/// Kills at named points in a row.
pub(super) const POINTS_IN_A_ROW: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// kill -9 of the process that does everything, at a random moment.
    Kill,
    /// The same, and then kill -9 of the next ones at named points, one after the other.
    KillAt,
    /// It stands still and goes on.
    Pause,
    /// The clock is set.
    Clock,
    /// The disk with log and index has no space, and then has some again.
    FullDisk,
    /// The index stands still in a process of its own, and all others go on in theirs.
    SlowIndex,
    /// kill -9 of a broker.
    BrokerKill,
    /// A broker stands still and goes on.
    BrokerPause,
    /// kill -9 of the broker that leads a partition, which comes back when another leads it.
    LeaderKill,
    /// Another worker comes and the one that came before goes: the partitions are shared out anew.
    Rebalance,
    /// The request that ends a transaction comes so late that the client has given up.
    LateEnd,
}

/// All faults: as `tests/faults` has them in the environment, and as the report does.
pub(super) const FAULTS: [(Fault, &str, &str); 11] = [
    (Fault::Kill, "KILLS", "kill -9 at any moment"),
    (Fault::KillAt, "POINTS", "kill -9 at a point"),
    (Fault::Pause, "PAUSES", "stood still"),
    (Fault::Clock, "CLOCK", "clock set"),
    (Fault::FullDisk, "DISK_FULL", "disk full and freed"),
    (Fault::SlowIndex, "SLOW", "index stood still"),
    (Fault::BrokerKill, "BROKER_KILLS", "kill -9 of a broker"),
    (Fault::BrokerPause, "BROKER_PAUSES", "broker stood still"),
    (Fault::LeaderKill, "LEADER_KILLS", "kill -9 of a leader"),
    (Fault::Rebalance, "REBALANCES", "workers that joined"),
    (Fault::LateEnd, "HOLD_ENDTXN", "EndTxn held back"),
];

/// What happens.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) backend: Backend,
    /// One or three, on Kafka.
    pub(super) brokers: usize,
    /// How often each happens.
    pub(super) faults: Vec<(Fault, usize)>,
    /// How long something stands still.
    pub(super) pause: Duration,
    /// How long the end of a transaction is held back.
    pub(super) hold: Duration,
    /// The latest moment of a fault after the last one.
    pub(super) latest: Duration,
    /// The time from one worker that joins to the next.
    pub(super) beat: Duration,
    /// Events that nobody can read, for every hundred articles.
    pub(super) poison_percent: usize,
    pub(super) seed: u64,
}

impl Plan {
    pub(super) fn embedded(faults: &[(Fault, usize)]) -> Self {
        Self {
            backend: Backend::Sqlite,
            brokers: 1,
            faults: faults.to_vec(),
            pause: Duration::from_millis(300),
            hold: Duration::ZERO,
            latest: Duration::from_millis(350),
            beat: Duration::from_secs(5),
            poison_percent: 1,
            seed: 1,
        }
    }

    pub(super) fn kafka(brokers: usize, faults: &[(Fault, usize)]) -> Self {
        Self {
            backend: Backend::Kafka,
            brokers,
            // Longer than the session of a group's member: another takes over, or the same one anew.
            pause: Duration::from_secs(8),
            hold: Duration::from_secs(6),
            latest: Duration::from_secs(4),
            ..Self::embedded(faults)
        }
    }

    pub(super) fn count(&self, fault: Fault) -> usize {
        self.faults.iter().filter(|(of, _)| *of == fault).map(|(_, count)| count).sum()
    }

    /// How often the turn of `fault` comes.
    pub(super) fn turns_of(&self, fault: Fault) -> usize {
        match fault {
            Fault::KillAt => self.count(fault).div_ceil(POINTS_IN_A_ROW),
            // Workers join on a beat of their own.
            Fault::Rebalance => 0,
            _ => self.count(fault),
        }
    }

    /// The kills of a process at random moments: there is one before each row at named points.
    pub(super) fn random_kills(&self) -> usize {
        self.turns_of(Fault::Kill) + self.turns_of(Fault::KillAt)
    }

    /// The faults in the order of their turns, those that are rare among the others.
    pub(super) fn turns(&self, numbers: &mut Numbers) -> Vec<Fault> {
        let turns = FAULTS.iter().flat_map(|(fault, ..)| std::iter::repeat_n(*fault, self.turns_of(*fault)));
        let mut turns: Vec<Fault> = turns.collect();
        for at in (1..turns.len()).rev() {
            turns.swap(at, numbers.below(at + 1));
        }
        turns
    }
}

/// What was found after all of it.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) plan: Plan,
    /// Kills at random moments of a process that had written something.
    pub(super) amid_work: usize,
    /// Kills at each of the named points.
    pub(super) points: [usize; POINTS.len()],
    pub(super) articles: usize,
    pub(super) alerts: usize,
    pub(super) dead_letters: usize,
    /// Deliveries that came more than once: allowed, since a delivery is at least once.
    pub(super) delivered_again: usize,
    /// The longest time from one worker that joined to the next.
    pub(super) beat: Duration,
    /// Times that a group shared out its partitions, by the logs of brokers of its own.
    pub(super) generations: usize,
    /// Commits of which the worker did not learn what became.
    pub(super) open_commits: usize,
    /// Looks with `chipwire verify` while it ran, and at the end.
    pub(super) verified: usize,
    pub(super) took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, articles, alerts, dead_letters, delivered_again, .. } = self;
        let brokers =
            if plan.backend == Backend::Kafka { format!(", {} broker(s)", plan.brokers) } else { String::new() };
        writeln!(f, "log                      {:?}{brokers}, seed {}", plan.backend, plan.seed)?;
        for (fault, _, name) in FAULTS {
            match plan.count(fault) {
                _ if fault == Fault::Kill && plan.random_kills() > 0 => {
                    writeln!(f, "{name:<25}{}{}", plan.random_kills(), self.after_writing())?;
                }
                0 => {}
                count if fault == Fault::Rebalance => {
                    writeln!(f, "{name:<25}{count}, at most {:.1} s apart", self.beat.as_secs_f64())?;
                }
                count => writeln!(f, "{name:<25}{count}")?,
            }
            if fault == Fault::KillAt {
                for (point, count) in POINTS.iter().zip(self.points).filter(|(_, count)| *count > 0) {
                    writeln!(f, "  {point:<23}{count}")?;
                }
            }
        }
        if self.generations > 0 {
            writeln!(f, "partitions shared out    {} times", self.generations)?;
        }
        if self.open_commits > 0 {
            writeln!(f, "commits left open        {}", self.open_commits)?;
        }
        writeln!(f, "articles, each once      {articles}")?;
        writeln!(f, "alerts, each once        {alerts}, {delivered_again} delivered more than once")?;
        writeln!(f, "dead letters, each once  {dead_letters}")?;
        writeln!(f, "verified without fault   {} times", self.verified)?;
        write!(f, "took                     {:.0} s", self.took.as_secs_f64())
    }
}

impl Report {
    fn after_writing(&self) -> String {
        match self.plan.backend {
            Backend::Sqlite => format!(", {} of them after it had written", self.amid_work),
            Backend::Kafka => String::new(),
        }
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    pub(super) fn upto(&mut self, longest: Duration) -> Duration {
        Duration::from_millis(self.below(usize::try_from(longest.as_millis()).unwrap() + 1) as u64)
    }
}
