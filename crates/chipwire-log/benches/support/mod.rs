//! What the benchmarks share: events, and tables of times and ratios.

#![allow(dead_code, reason = "each benchmark uses what it needs")]

use std::{sync::Arc, time::Duration};

use chipwire_log::Record;

/// An event of 2 KB: words in an order that a compressor finds as hard as news.
pub(crate) fn event(topic: &Arc<str>, partition: u32, seed: usize) -> Record {
    const WORDS: [&str; 32] = [
        "export",
        "controls",
        "wafer",
        "foundry",
        "memory",
        "said",
        "on",
        "Tuesday",
        "the",
        "company",
        "shipments",
        "of",
        "advanced",
        "chips",
        "to",
        "China",
        "rose",
        "percent",
        "quarter",
        "licence",
        "rule",
        "packaging",
        "capacity",
        "billion",
        "dollars",
        "by",
        "year",
        "end",
        "plant",
        "in",
        "Arizona",
        "analysts",
    ];
    let mut state = seed as u64 + 1;
    let mut text = format!("{{\"id\":\"{seed:032x}\",\"text\":\"");
    while text.len() < 2_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = usize::try_from(state >> 59).unwrap();
        text.push_str(WORDS.get(word).unwrap());
        text.push_str(if (state >> 32) & 15 == 0 { " 4,7" } else { " " });
        if (state >> 40) & 7 == 0 {
            text.push_str(&format!("{:x} ", state >> 36));
        }
    }
    text.push_str("\"}");
    let header = |name: &str, value: String| (name.to_owned(), value);
    Record {
        topic: Arc::clone(topic),
        partition,
        key: format!("{seed:032x}").into_bytes(),
        headers: vec![
            header("ce_id", format!("{seed:032x}")),
            header("ce_type", "chipwire.article.fetched.v1".into()),
            header("ce_specversion", "1.0".into()),
        ],
        value: Some(text.into_bytes()),
    }
}

/// How long something took, again and again.
#[derive(Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Without the first ones, which meet something cold.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    pub(crate) fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    pub(crate) fn median(&self) -> Duration {
        self.at(50)
    }

    fn at(&self, percent: usize) -> Duration {
        let mut times = self.0.clone();
        times.sort();
        times[(times.len() * percent / 100).min(times.len() - 1)]
    }

    pub(crate) fn print(&self, name: &str) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!("{name:<52} median {:>9.3} ms   p99 {:>9.3} ms", ms(self.median()), ms(self.at(99)));
    }
}

/// A line with megabytes per second.
pub(crate) fn print_rate(name: &str, bytes: usize, time: Duration) {
    println!("{name:<52} {:>9.1} MB/s", bytes as f64 / 1e6 / time.as_secs_f64());
}

/// A line with a ratio that should be at least `limit`.
pub(crate) fn print_at_least(name: &str, ratio: f64, limit: f64) {
    println!("{name:<52} {ratio:>9.2}        at least {limit}: {}", said(ratio >= limit));
}

/// A line with a value that should be at most `limit`.
pub(crate) fn print_at_most(name: &str, value: f64, limit: f64) {
    println!("{name:<52} {value:>9.2}        at most {limit}: {}", said(value <= limit));
}

fn said(is_kept: bool) -> &'static str {
    if is_kept { "kept" } else { "NOT KEPT" }
}
