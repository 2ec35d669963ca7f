//! The pipeline against raw tantivy: 100,000 articles of about 2 KB, from the log to searchable.
//!
//! `cargo bench -p chipwire --bench pipeline` writes the raw articles to an embedded log (not timed), then measures, each in a
//! process of its own so that memory can be told apart:
//!
//! - *pipeline*: the enrich and index stages as `chipwire run` runs them, from the first raw event to the commit after which
//!   the last article is searchable;
//! - *raw tantivy*: the same documents, built beforehand, with the same schema and the same writer settings, added and
//!   committed once.
//!
//! `-- --articles N` takes another number of articles, `-- --rounds N` repeats the pair (3 by default).
//!
//! `-- backlog` measures the memory of a process that goes on while nothing is indexed: it fetches, enriches, raises alerts and
//! delivers until 1,000,000 articles, or `--articles N`, wait for the index. With one rule, whose alerts go to a sink that is not there.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark prints its table and may panic"
)]

use std::{
    env, fs,
    path::Path,
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use chipwire::{
    config::Config,
    health::Health,
    pipeline::{Opened, Stage},
    runner::{Running, Shutdown},
    stages::index::document,
    wire,
};
use chipwire_events::{Article, ArticleId, Event, FeedId, Markup, Rule, RuleId, Timestamp, Topic};
use chipwire_log::{Limit, Positions};

const ARTICLES: usize = 100_000;
const SIZE_BYTES: usize = 2_000;

fn main() {
    chipwire::memory::keep_small();
    let arguments: Vec<String> = env::args().collect();
    let value = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| arguments[at + 1].clone());
    if let Some(folder) = value("--child-pipeline") {
        return pipeline(Path::new(&folder));
    }
    if let Some(folder) = value("--child-tantivy") {
        return tantivy(Path::new(&folder));
    }
    if let Some(folder) = value("--child-backlog") {
        return backlog(Path::new(&folder));
    }
    let is_backlog = arguments.iter().any(|argument| argument == "backlog");
    let usual = if is_backlog { 10 * ARTICLES } else { ARTICLES };
    let articles = value("--articles").map_or(usual, |text| text.parse().unwrap());
    if is_backlog {
        println!("{articles} articles of about {SIZE_BYTES} bytes, of which none is indexed");
        println!("{:<14} {:>10} {:>10} {:>14} {:>12}", "", "seconds", "CPU s", "articles/s", "peak MiB");
        let folder = tempfile::tempdir().unwrap();
        write_log(folder.path(), articles);
        child("--child-backlog", folder.path(), "no index", articles);
        return;
    }
    let rounds: usize = value("--rounds").map_or(3, |text| text.parse().unwrap());

    println!("{articles} articles of about {SIZE_BYTES} bytes, {rounds} rounds");
    println!("{:<14} {:>10} {:>10} {:>14} {:>12}", "", "seconds", "CPU s", "articles/s", "peak MiB");
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let folder = tempfile::tempdir().unwrap();
        write_log(folder.path(), articles);
        let pipeline = child("--child-pipeline", folder.path(), "pipeline", articles);
        let raw = child("--child-tantivy", folder.path(), "raw tantivy", articles);
        ratios.push(raw / pipeline);
    }
    ratios.sort_by(f64::total_cmp);
    println!("pipeline / raw tantivy, median of rounds: {:.2}", ratios[ratios.len() / 2]);
}

/// Runs one side in a process of its own, prints its line and returns its seconds.
fn child(flag: &str, folder: &Path, name: &str, articles: usize) -> f64 {
    let output = Command::new(env::current_exe().unwrap()).arg(flag).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let fields: Vec<f64> = text.split_whitespace().map(|field| field.parse().unwrap()).collect();
    let [seconds, cpu_seconds, peak_mib, count] = fields[..] else { panic!("{text}") };
    assert_eq!(count as usize, articles, "{name} indexed another number of articles");
    println!("{name:<14} {seconds:>10.2} {cpu_seconds:>10.2} {:>14.0} {peak_mib:>12.0}", articles as f64 / seconds);
    seconds
}

/// Wall and processor time since the measurement began.
struct Clock {
    started: Instant,
    cpu_before: f64,
}

impl Clock {
    fn start() -> Self {
        Self { started: Instant::now(), cpu_before: cpu_seconds() }
    }

    fn stop(&self) -> (f64, f64) {
        (self.started.elapsed().as_secs_f64(), cpu_seconds() - self.cpu_before)
    }
}

/// Processor time of all threads so far, from `utime` and `stime` in `/proc/self/stat`, in steps of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn report((seconds, cpu_seconds): (f64, f64), count: u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak_kib: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0);
    println!("{seconds} {cpu_seconds} {} {count}", peak_kib / 1024);
}

fn open(folder: &Path) -> Opened {
    let opened = Opened::open(Config { data_dir: folder.to_owned(), ..Config::default() }).unwrap();
    opened.log.ensure().unwrap();
    opened
}

fn pipeline(folder: &Path) {
    let opened = open(folder);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let shutdown = Shutdown::default();
    let context = opened.context(&Health::default(), &shutdown, runtime.handle());
    let mut running = Running::new(shutdown);
    let clock = Clock::start();
    for stage in [Stage::Enrich, Stage::Index] {
        opened.start(stage, &context, &mut running).unwrap();
    }
    // Reading along would cost what is measured: the positions of the stages are looked at now and then.
    let behind = |stage| opened.lag(stage).unwrap();
    while behind(Stage::Enrich) > 0 || behind(Stage::Index) > 0 {
        thread::sleep(Duration::from_millis(25));
    }
    let taken = clock.stop();
    running.stop().unwrap();
    report(taken, opened.generations.get().unwrap().index.searcher().len());
}

fn backlog(folder: &Path) {
    let opened = open(folder);
    let rule = Rule {
        id: RuleId::from_name("backlog"),
        version: 1,
        name: "Backlog".to_owned(),
        query: "company:nvidia".to_owned(),
        // There is none of this name: its deliveries wait.
        sinks: vec!["pager".to_owned()],
        saved: Timestamp::UNIX_EPOCH,
    };
    let record = opened.log.encode(&Event::RuleSaved(rule), Timestamp::UNIX_EPOCH, None).unwrap();
    opened.log.backend().writer("rules").unwrap().append(&[record]).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let shutdown = Shutdown::default();
    let context = opened.context(&Health::default(), &shutdown, runtime.handle());
    let mut running = Running::new(shutdown);
    let clock = Clock::start();
    let stages = [Stage::Fetch, Stage::Enrich, Stage::Alert, Stage::Deliver];
    for stage in stages {
        opened.start(stage, &context, &mut running).unwrap();
    }
    while stages.iter().any(|stage| opened.lag(*stage).unwrap() > 0) {
        thread::sleep(Duration::from_millis(100));
    }
    let taken = clock.stop();
    running.stop().unwrap();
    let waiting = opened.log.end_of(Topic::ArticlesTagged).unwrap().into_values().sum::<i64>();
    report(taken, u64::try_from(waiting).unwrap());
}

fn tantivy(folder: &Path) {
    let opened = open(folder);
    let path = folder.join("raw-tantivy");
    fs::create_dir_all(&path).unwrap();
    let index = chipwire_index::Index::open_or_create(&path, "bench").unwrap();
    let mut reader = opened.log.backend().reader(&[opened.log.name(Topic::ArticlesTagged)], &Positions::new()).unwrap();
    let mut documents = Vec::new();
    loop {
        let batch = reader.next(Limit::default(), Duration::from_secs(1)).unwrap();
        for stored in &batch.records {
            if let Ok((_, Event::ArticleTagged(tagged))) = wire::decode(stored) {
                documents.push(index.engine_document(&document(tagged)).unwrap());
            }
        }
        if batch.at_end {
            break;
        }
    }
    let settings = opened.index_settings();
    let clock = Clock::start();
    let mut writer: tantivy::IndexWriter =
        index.engine().writer_with_num_threads(settings.threads, settings.memory_bytes).unwrap();
    let count = documents.len() as u64;
    for document in documents {
        writer.add_document(document).unwrap();
    }
    writer.commit().unwrap();
    let taken = clock.stop();
    writer.wait_merging_threads().unwrap();
    report(taken, count);
}

/// A small generator, so that every run sees the same articles (SplitMix64, Sebastiano Vigna, public domain).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }
}

const NAMES: [&str; 16] = [
    "Nvidia",
    "TSMC",
    "Huawei",
    "Samsung Electronics",
    "SK hynix",
    "Intel",
    "AMD",
    "ASML",
    "Alibaba",
    "Micron Technology",
    "the Commerce Department",
    "the Entity List",
    "Nvidia’s H20",
    "the Ascend 910C",
    "export controls",
    "SMIC",
];

/// Words with a frequency that falls as in real text: the vocabulary has 30,000 of them.
fn word(numbers: &mut Numbers) -> String {
    let rank = (30_000f64.powf(numbers.next(1 << 20) as f64 / f64::from(1 << 20))) as usize;
    let mut letters = Numbers(rank as u64);
    let length = 2 + letters.next(9);
    (0..length)
        .map(|at| (if at % 2 == 0 { b"tnsrhldcmfpgwbvk" } else { b"eaoiueaoieaoieay" })[letters.next(16)] as char)
        .collect()
}

fn text(numbers: &mut Numbers, size_bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < size_bytes {
        for _ in 0..8 + numbers.next(14) {
            if numbers.next(40) == 0 {
                text.push_str(NAMES[numbers.next(NAMES.len())]);
            } else {
                text.push_str(&word(numbers));
            }
            text.push(' ');
        }
        text.pop();
        text.push_str(". ");
    }
    text
}

fn write_log(folder: &Path, articles: usize) {
    let opened = open(folder);
    let feed = FeedId::of("https://bench.example.org/feed.xml");
    let first: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let (sender, receiver) = mpsc::sync_channel::<Vec<Article>>(4);
    let generator = thread::spawn(move || {
        let mut numbers = Numbers(42);
        for start in (0..articles).step_by(500) {
            let batch = (start..articles.min(start + 500))
                .map(|number| {
                    let (title, body) = (text(&mut numbers, 60), text(&mut numbers, SIZE_BYTES));
                    let published = first.checked_add(Duration::from_secs(number as u64 * 60)).unwrap();
                    Article {
                        id: ArticleId::of(&feed, &number.to_string()),
                        revision: 1,
                        content_hash: Article::content_hash_of(&title, &body, None, Some(published)),
                        feed: feed.clone(),
                        source: "Bench".to_owned(),
                        url: Some(format!("https://bench.example.org/{number}")),
                        title,
                        body,
                        markup: Markup::Plain,
                        authors: Vec::new(),
                        categories: Vec::new(),
                        language: Some("en".to_owned()),
                        published: Some(published),
                        published_raw: None,
                        updated: None,
                        first_seen: published,
                    }
                })
                .collect();
            sender.send(batch).unwrap();
        }
    });
    let mut writer = opened.log.backend().writer("bench").unwrap();
    for batch in receiver {
        let records: Vec<_> = batch
            .into_iter()
            .map(|article| {
                let seen = article.first_seen;
                opened.log.encode(&Event::ArticleFetched(article), seen, None).unwrap()
            })
            .collect();
        writer.append(&records).unwrap();
    }
    generator.join().unwrap();
}
