//! Feeds and servers that are made up: everything follows from the seed.

use chipwire_events::{FeedId, Timestamp};

/// When the simulation begins: a Monday.
pub(crate) const START_S: i64 = 1_772_409_600;

const DAY_S: f64 = 86_400.0;

/// Entries of a document.
pub(crate) const DOCUMENT: usize = 20;

/// A small generator of numbers that look random: splitmix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.unit() * end as f64) as u64
    }

    /// Normally distributed, by the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// One of `choices` with its weight.
    fn pick<T: Copy>(&mut self, choices: &[(f64, T)]) -> T {
        let mut left = self.unit() * choices.iter().map(|(weight, _)| weight).sum::<f64>();
        for (weight, choice) in choices {
            left -= weight;
            if left < 0.0 {
                return *choice;
            }
        }
        choices.last().unwrap().1
    }
}

/// A time in which a server answers with something else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    pub(crate) from_s: i64,
    pub(crate) to_s: i64,
    pub(crate) status: u16,
    pub(crate) retry_after_s: Option<u32>,
}

/// A feed, its articles and its server.
#[derive(Debug)]
pub(crate) struct SimFeed {
    pub(crate) id: FeedId,
    pub(crate) host: u32,
    pub(crate) host_name: String,
    /// When its articles are published, in seconds of Unix time, sorted; the first ones before the start.
    pub(crate) articles: Vec<u32>,
    /// Whether the server sends validators.
    pub(crate) validators: bool,
    /// The server says 304 to every conditional request.
    pub(crate) lies: bool,
    pub(crate) fresh_s: Option<u32>,
    pub(crate) ttl_s: Option<u32>,
    pub(crate) skip_hours: Vec<u8>,
    pub(crate) skip_days: Vec<u8>,
    pub(crate) outage: Option<Outage>,
    pub(crate) latency_ms: i64,
}

impl SimFeed {
    /// Articles that are published at `second`, of which `known` are known to be.
    pub(crate) fn published_by(&self, second: i64, known: usize) -> usize {
        let more = self.articles[known..].iter().take_while(|article| i64::from(**article) <= second);
        known + more.count()
    }

    /// The times of the entries of the document that holds the first `count` articles.
    pub(crate) fn document(&self, count: usize) -> Vec<Timestamp> {
        let times = self.articles[count.saturating_sub(DOCUMENT)..count].iter();
        times.map(|second| Timestamp::from_second(i64::from(*second)).unwrap()).collect()
    }
}

/// How often a feed publishes by the hour of its day, in the share of its busiest hour.
const OFFICE: [f64; 24] = [
    0.05, 0.03, 0.03, 0.03, 0.05, 0.10, 0.25, 0.50, 0.80, 1.00, 1.00, 0.95, 0.85, 0.90, 1.00, 0.95, 0.85, 0.70, 0.50,
    0.40, 0.30, 0.20, 0.15, 0.08,
];

/// The articles of 30 days before the start, as far as a document shows them, and of `days` after it.
fn articles(dice: &mut Dice, days: u32) -> (f64, Vec<u32>) {
    let from = START_S as f64 - 30.0 * DAY_S;
    let to = START_S as f64 + f64::from(days) * DAY_S;
    let mut times = Vec::new();
    let zone_h = dice.pick(&[(3.0, 0), (3.0, 1), (2.0, -5), (1.0, -8), (1.5, 8), (0.5, 5)]);
    // One in twelve is made by a machine once a day, a few minutes after the same time.
    if dice.unit() < 0.08 {
        let hour = dice.unit() * 24.0;
        let mut day = from;
        while day < to {
            times.push((day + hour * 3_600.0 + dice.unit() * 600.0) as u32);
            day += DAY_S;
        }
        return (1.0, times);
    }
    // Half of the others publish less than once in two days, and few of them most of all articles.
    let per_day = (0.5_f64.ln() + 2.0 * dice.normal()).exp().min(400.0);
    let weekend = 0.15 + 0.85 * dice.unit() * dice.unit();
    let mean = OFFICE.iter().sum::<f64>() / 24.0 * (5.0 + 2.0 * weekend) / 7.0;
    let busiest_s = per_day / DAY_S / mean;
    let mut at = from;
    loop {
        at += -(1.0 - dice.unit()).ln() / busiest_s;
        if at >= to {
            return (per_day, times);
        }
        let local = at as i64 + zone_h * 3_600;
        let hour = local.rem_euclid(86_400) / 3_600;
        let day = (local.div_euclid(86_400) + 3).rem_euclid(7);
        let share = OFFICE[hour as usize] * if day >= 5 { weekend } else { 1.0 };
        if dice.unit() < share {
            times.push(at as u32);
        }
    }
}

/// `count` feeds on a tenth as many hosts, most hosts with few and some with many.
pub(crate) fn feeds(count: usize, days: u32, seed: u64) -> Vec<SimFeed> {
    let mut dice = Dice(seed);
    let hosts = (count / 10).max(1) as f64;
    (0..count)
        .map(|number| {
            // A square makes some hosts large.
            let host = (dice.unit() * dice.unit() * hosts) as u32;
            feed(&mut dice, number, host, days)
        })
        .collect()
}

fn feed(dice: &mut Dice, number: usize, host: u32, days: u32) -> SimFeed {
    let (per_day, articles) = articles(dice, days);
    let mut fresh_s = dice.pick(&[
        (45.0, None),
        (20.0, Some(300)),
        (10.0, Some(900)),
        (8.0, Some(1_800)),
        (10.0, Some(3_600)),
        (3.0, Some(14_400)),
        (2.0, Some(172_800)),
        (2.0, Some(0)),
    ]);
    let mut ttl_s =
        dice.pick(&[(60.0, None), (18.0, Some(3_600)), (10.0, Some(900)), (8.0, Some(1_800)), (4.0, Some(43_200))]);
    // Who publishes all day wants to be read soon, all but one in ten.
    if per_day > 20.0 && dice.unit() < 0.9 {
        (fresh_s, ttl_s) = (fresh_s.map(|s| s.min(300)), ttl_s.map(|s| s.min(900)));
    }
    let skip_hours = match dice.below(40) {
        0 => (0..6).collect(),
        1 => vec![22, 23, 0, 1, 2, 3],
        _ => Vec::new(),
    };
    let outage = (dice.unit() < 0.1).then(|| {
        let from_s = START_S + dice.below(u64::from(days) * 86_400) as i64;
        let (status, retry_after_s) = dice.pick(&[
            (4.0, (503, None)),
            (3.0, (503, Some(1_800))),
            (3.0, (429, Some(3_600))),
            (2.0, (500, None)),
            (1.0, (404, None)),
            (1.0, (403, None)),
        ]);
        Outage { from_s, to_s: from_s + 600 + dice.below(12 * 3_600) as i64, status, retry_after_s }
    });
    SimFeed {
        id: FeedId::of(&format!("https://host{host}.example/{number}")),
        host,
        host_name: format!("host{host}.example"),
        articles,
        validators: dice.unit() < 0.85,
        lies: dice.unit() < 0.002,
        fresh_s,
        ttl_s,
        skip_hours,
        skip_days: if dice.below(100) == 0 { vec![6, 7] } else { Vec::new() },
        outage,
        latency_ms: 50 + dice.below(1_500) as i64,
    }
}
