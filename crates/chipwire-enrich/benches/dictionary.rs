//! How fast real news is tagged with dictionaries of 5,000, 100,000 and 1,000,000 names, on one core, against daachorse's
//! overlapping search of the same names in the same run: `cargo bench -p chipwire-enrich --bench dictionary`.
//!
//! `support/names.rs` says what the texts and the names are.
//!
//! `-- --names N` measures one size, `-- --texts N` fewer articles. `-- --python` runs FlashText and spaCy's PhraseMatcher on the
//! same names and text beside it (`python/run`), which takes Python and minutes.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a benchmark prints its table and may panic"
)]

#[path = "../tests/support/article.rs"]
mod fixture;
#[path = "support/names.rs"]
mod names;

use std::{
    env, fs,
    hint::black_box,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use chipwire_enrich::{Gazetteer, Tagger};
use chipwire_events::{Article, Markup};
use daachorse::DoubleArrayAhoCorasick;
use mimalloc::MiMalloc;

use self::names::{SIZES, corpus, dictionary, root};

/// What the program uses.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const TEXTS: usize = 4_000;
/// The matchers take turns, so that whatever else the machine does falls upon all of them.
const ROUNDS: usize = 15;
/// How often each article is read, of which the least time counts.
const LEAST_OF: usize = 5;
const ARTICLE_BYTES: usize = 5 * 1024;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let value = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| arguments[at + 1].clone());
    let sizes = value("--names").map_or(SIZES.to_vec(), |text| vec![text.parse().unwrap()]);
    let texts = value("--texts").map_or(TEXTS, |text| text.parse().unwrap());
    let python = arguments.iter().any(|argument| argument == "--python");

    let all = corpus();
    let texts: Vec<&str> = all.iter().map(String::as_str).step_by((all.len() / texts).max(1)).take(texts).collect();
    println!(
        "{} articles of Reuters-21578, {:.1} MB; the best of {ROUNDS} rounds",
        texts.len(),
        bytes(&texts) as f64 / 1e6
    );
    println!("{:>9} {:<34} {:>8} {:>7} {:>14} {:>8}", "names", "", "MB/s", "ratio", "hits/article", "build s");
    for size in sizes {
        measure(size, &all, &texts, python);
    }
}

fn measure(size: usize, all: &[String], texts: &[&str], python: bool) {
    let (toml, names) = dictionary(size, all);
    let gazetteer = Gazetteer::with_overlay(&[("bench.toml", &toml)]).unwrap();
    drop(toml);
    let started = Instant::now();
    let engine: DoubleArrayAhoCorasick<u32> = DoubleArrayAhoCorasick::new(&names).unwrap();
    let engine_build = started.elapsed();
    let started = Instant::now();
    let tagger = Tagger::new(gazetteer);
    let build = started.elapsed();
    let articles: Vec<Article> = texts.iter().map(|text| fixture::article("", text, Markup::Plain)).collect();
    let (mut base, mut mentions, mut whole) = (Taken::default(), Taken::default(), Taken::default());
    for _ in 0..ROUNDS {
        base.round(texts.to_vec(), |text| engine.find_overlapping_iter(text).count());
        mentions.round(texts.to_vec(), |text| tagger.tag_text(text).len());
        whole.round(articles.clone(), |article| tagger.enrich(article).mentions.len());
    }
    drop(engine);
    row(size, "daachorse, overlapping", &base, &base, texts, engine_build);
    row(size, "mentions, with reasons", &mentions, &base, texts, build);
    row(size, "the whole tagged event", &whole, &base, texts, build);
    percentiles(size, &tagger, all);
    if python {
        drop(tagger);
        run_python(size, &names, texts, &mentions, &whole);
    }
}

/// The least time of several rounds over all texts, and what was found in all of them.
struct Taken {
    time: Duration,
    found: usize,
}

impl Default for Taken {
    fn default() -> Self {
        Self { time: Duration::MAX, found: 0 }
    }
}

impl Taken {
    fn round<T>(&mut self, texts: Vec<T>, work: impl Fn(T) -> usize) {
        let started = Instant::now();
        self.found = texts.into_iter().map(|text| black_box(work(text))).sum();
        self.time = self.time.min(started.elapsed());
    }
}

fn bytes(texts: &[&str]) -> usize {
    texts.iter().map(|text| text.len()).sum()
}

fn row(size: usize, name: &str, taken: &Taken, base: &Taken, texts: &[&str], build: Duration) {
    let mb_s = bytes(texts) as f64 / 1e6 / taken.time.as_secs_f64();
    let ratio = base.time.as_secs_f64() / taken.time.as_secs_f64();
    let hits = taken.found as f64 / texts.len() as f64;
    println!("{size:>9} {name:<34} {mb_s:>8.1} {ratio:>7.2} {hits:>14.2} {:>8.2}", build.as_secs_f64());
}

/// How long an article of 5 KB takes, its mentions alone and the whole event. Of each article the least of several times counts,
/// so that what else runs on the machine has no part in it.
fn percentiles(size: usize, tagger: &Tagger, all: &[String]) {
    let mut articles = Vec::new();
    let mut body = String::new();
    for text in all {
        body.push_str(text);
        body.push_str("\n\n");
        if body.len() >= ARTICLE_BYTES {
            let end = body.floor_char_boundary(ARTICLE_BYTES);
            body.truncate(end);
            articles.push(fixture::article("", &body, Markup::Plain));
            body.clear();
        }
    }
    articles.truncate(2_000);
    let (mentions, whole) = ("mentions, with reasons", "the whole tagged event");
    for (name, times) in [
        (mentions, least_times(&articles, |article| tagger.tag_text(&article.body).len())),
        (whole, least_times(&articles, |article| tagger.enrich(article).mentions.len())),
    ] {
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e6;
        println!("{size:>9} articles of 5 KB, {name}: p50 {:.0} µs, p99 {:.0} µs", at(50), at(99));
    }
}

/// The least time that `work` took with each article, sorted.
fn least_times(articles: &[Article], work: impl Fn(Article) -> usize) -> Vec<Duration> {
    let mut times = vec![Duration::MAX; articles.len()];
    for _ in 0..LEAST_OF {
        for (article, least) in articles.iter().zip(&mut times) {
            let article = article.clone();
            let started = Instant::now();
            black_box(work(article));
            *least = (*least).min(started.elapsed());
        }
    }
    times.sort();
    times
}

/// Runs the matchers of Python on the same names and texts, and prints how much faster ours is.
fn run_python(size: usize, names: &[String], texts: &[&str], mentions: &Taken, whole: &Taken) {
    let folder = root().join(".cache/bench-python");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("names.json"), serde_json::to_vec(names).unwrap()).unwrap();
    fs::write(folder.join("texts.json"), serde_json::to_vec(texts).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/python/run");
    let output = Command::new(script).arg(&folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (name, seconds) = line.split_once('\t').unwrap();
        let seconds: f64 = seconds.parse().unwrap();
        println!(
            "{size:>9} {name:<34} {:>8.2} MB/s; mentions are found {:.1} times as fast, the whole event is made {:.1} times as fast",
            bytes(texts) as f64 / 1e6 / seconds,
            seconds / mentions.time.as_secs_f64(),
            seconds / whole.time.as_secs_f64(),
        );
    }
}
