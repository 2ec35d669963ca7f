//! How much memory a compiled tagger takes with 5,000, 100,000 and 1,000,000 names: `cargo bench -p chipwire-enrich --bench memory`.
//!
//! What counts is what the heap holds after compilation and did not before, per million of names. The definitions of the
//! entities, which the tagger keeps to show what it found, are told apart, and so is daachorse's automaton of the same names.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a benchmark prints its table and may panic"
)]

#[path = "support/names.rs"]
mod names;

use chipwire_enrich::{Gazetteer, Tagger};
use daachorse::DoubleArrayAhoCorasick;
use peak_alloc::PeakAlloc;

use self::names::{SIZES, corpus, dictionary};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() {
    let all = corpus();
    println!(
        "{:>9} {:>12} {:>14} {:>12}   MB per million of names",
        "names", "the tagger", "its gazetteer", "daachorse"
    );
    for size in SIZES {
        let (toml, names) = dictionary(size, &all);
        let engine: DoubleArrayAhoCorasick<u32> = DoubleArrayAhoCorasick::new(&names).unwrap();
        let automaton = engine.heap_bytes();
        drop((engine, names));

        let before = HEAP.current_usage();
        let gazetteer = Gazetteer::with_overlay(&[("bench.toml", &toml)]).unwrap();
        let definitions = HEAP.current_usage() - before;
        let aliases: usize = gazetteer.entities().iter().map(|entity| entity.aliases.len()).sum();
        let before = HEAP.current_usage();
        let tagger = Tagger::new(gazetteer);
        let compiled = HEAP.current_usage() - before;
        drop(tagger);
        let per_million = |bytes: usize| bytes as f64 / aliases as f64;
        println!(
            "{size:>9} {:>12.0} {:>14.0} {:>12.0}",
            per_million(compiled),
            per_million(definitions),
            per_million(automaton)
        );
    }
}
