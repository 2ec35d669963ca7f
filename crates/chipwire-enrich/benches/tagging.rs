//! How fast articles are tagged, with findings and without, and turned into plain text, on one core:
//! `cargo bench -p chipwire-enrich`.
//!
//! The articles are generated: ordinary English of about 2 KB with a name every 40 words, as plain text and as HTML; and
//! the same without any name, as most of the news is. The best of several rounds is printed, as it is the one least
//! disturbed by other work on the machine.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints what it measured")]

#[path = "../tests/support/article.rs"]
mod fixture;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use chipwire_enrich::{Gazetteer, Tagger, view};
use chipwire_events::{Article, Markup};

const ARTICLES: usize = 200;
const ARTICLE_BYTES: usize = 2048;
const ROUNDS: usize = 15;
/// A name stands after so many words.
const NAME_EVERY: usize = 40;

const NAMES: &[&str] = &[
    "Nvidia",
    "TSMC",
    "the H20",
    "Intel",
    "the Commerce Department",
    "Arm",
    "export controls",
    "Micron",
    "MI300X",
    "the Entity List",
    "Samsung",
    "Oracle",
];

const WORDS: &[&str] = &[
    "the",
    "company",
    "said",
    "on",
    "Tuesday",
    "that",
    "it",
    "would",
    "expand",
    "production",
    "of",
    "advanced",
    "parts",
    "for",
    "customers",
    "in",
    "several",
    "countries",
    "while",
    "officials",
    "were",
    "reviewing",
    "rules",
    "about",
    "trade",
    "and",
    "investors",
    "expected",
    "a",
    "slower",
    "quarter",
    "than",
    "last",
    "year",
    "because",
    "demand",
    "from",
    "phone",
    "makers",
    "had",
    "weakened",
    "analysts",
    "wrote",
    "to",
    "clients",
    "after",
    "meeting",
    "managers",
    "near",
    "its",
    "new",
    "plant",
    "which",
    "employs",
    "3,000",
    "people",
    "price",
    "talks",
    "continue",
    "market",
];

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from.get(usize::try_from(self.0 >> 33).unwrap() % from.len()).unwrap()
    }
}

fn article(dice: &mut Dice, markup: Markup, names: bool) -> Article {
    let mut body = String::new();
    let mut words = 0;
    while body.len() < ARTICLE_BYTES {
        let sentence = words % 16 == 0;
        let name = names && words % NAME_EVERY == NAME_EVERY / 2;
        let word = if name { dice.pick(NAMES) } else { dice.pick(WORDS) };
        if sentence {
            let paragraph = words % 64 == 0;
            body.push_str(match (words, paragraph, markup) {
                (0, _, Markup::Html) => "<p>",
                (0, ..) => "",
                (_, true, Markup::Html) => ".</p>\n<p>",
                (_, true, Markup::Plain) => ".\n\n",
                _ => ". ",
            });
            body.push_str(word.get(..1).unwrap_or_default().to_ascii_uppercase().as_str());
            body.push_str(word.get(1..).unwrap_or_default());
        } else {
            body.push_str(if words % 12 == 0 { ", " } else { " " });
            body.push_str(word);
        }
        words += 1;
    }
    body.push('.');
    fixture::article("Makers of parts expect a slower quarter", &body, markup)
}

fn report(name: &str, articles: &[Article], mut work: impl FnMut(Vec<Article>)) {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let batch = articles.to_vec();
        let start = Instant::now();
        work(batch);
        best = best.min(start.elapsed());
    }
    let bytes: usize = articles.iter().map(|article| article.body.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a measurement")]
    let (micros, mb_s) =
        (best.as_secs_f64() * 1e6 / articles.len() as f64, bytes as f64 / 1e6 / best.as_secs_f64().max(1e-9));
    println!("{name:<30} {micros:>8.1} µs per article {mb_s:>8.1} MB/s");
}

fn main() {
    let tagger = Tagger::new(Gazetteer::builtin().unwrap());
    for (kind, markup, names) in
        [("plain", Markup::Plain, true), ("plain, no name", Markup::Plain, false), ("html", Markup::Html, true)]
    {
        let mut dice = Dice(1);
        let articles: Vec<Article> = (0..ARTICLES).map(|_| article(&mut dice, markup, names)).collect();
        report(&format!("enrich, {kind}"), &articles, |batch| {
            for article in batch {
                black_box(tagger.enrich(article));
            }
        });
        report(&format!("mentions alone, {kind}"), &articles, |batch| {
            for article in &batch {
                black_box(tagger.tag_text(&article.body));
            }
        });
        report(&format!("view::plain, {kind}"), &articles, |batch| {
            for article in &batch {
                black_box(view::plain(&article.body, article.markup));
            }
        });
    }
}
