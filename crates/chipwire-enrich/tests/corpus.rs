//! What must not be tagged: 17 MB of news that has nothing to do with chips, which `tests/reuters/fetch` gets (Reuters-21578, of
//! 1987). There must be next to no chip in it; the table that is printed with `--nocapture` says which names were taken for one.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "tests may panic and print")]

use std::{collections::BTreeMap, fs, path::Path, process::Command, thread};

use chipwire_enrich::{Gazetteer, Tagger};
use serde::Deserialize;

/// Mentions of chips in a megabyte.
const MOST: f64 = 0.2;
/// An article with one of these words may well speak of chips.
const OF_CHIPS: [&str; 6] = ["semiconductor", "microchip", "chips", "memory", "d-ram", "dram"];

#[derive(Deserialize)]
struct Line {
    title: String,
    text: String,
}

/// The articles that have nothing to do with chips.
fn texts() -> Vec<String> {
    let output =
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reuters/fetch")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = fs::read_to_string(String::from_utf8(output.stdout).unwrap().trim()).unwrap();
    let texts = lines.lines().map(|line| {
        let line: Line = serde_json::from_str(line).unwrap();
        format!("{}\n\n{}", line.title, line.text)
    });
    texts
        .filter(|text| {
            let small = text.to_lowercase();
            !OF_CHIPS.iter().any(|word| small.contains(word))
        })
        .collect()
}

#[test]
fn there_is_next_to_no_chip_in_news_about_other_things() {
    let (texts, tagger) = (texts(), Tagger::new(Gazetteer::builtin().unwrap()));
    let megabytes = texts.iter().map(String::len).sum::<usize>() as f64 / 1e6;
    let mut taken: BTreeMap<(String, String, String), (u32, String)> = BTreeMap::new();
    let (left, right) = texts.split_at(texts.len() / 2);
    let tag = |texts: &[String]| -> Vec<_> { texts.iter().map(|text| tagger.tag_text(text)).collect() };
    let found = thread::scope(|scope| {
        let other = scope.spawn(|| tag(right));
        let mut all = tag(left);
        all.extend(other.join().unwrap());
        all
    });
    for (text, mentions) in texts.iter().zip(found) {
        for mention in mentions {
            let around = text.get(
                text.floor_char_boundary(mention.start.saturating_sub(50))..text.ceil_char_boundary(mention.end + 50),
            );
            let entry = taken.entry((mention.kind, mention.surface, mention.entity));
            entry.or_insert_with(|| (0, around.unwrap_or_default().replace('\n', " "))).0 += 1;
        }
    }
    println!("{megabytes:.1} MB in {} articles", texts.len());
    for kind in ["chip", "company", "policy"] {
        let of_kind = taken.iter().filter(|((of, ..), _)| of == kind);
        println!(
            "{kind}: {:.2} mentions per MB",
            f64::from(of_kind.map(|(_, (count, _))| count).sum::<u32>()) / megabytes
        );
    }
    let chips: Vec<_> = taken.iter().filter(|((kind, ..), _)| kind == "chip").collect();
    for ((_, surface, entity), (count, around)) in &chips {
        println!("{count:>4}  {surface:?}  {entity}  in {around:?}");
    }
    let mentions: u32 = chips.iter().map(|(_, (count, _))| count).sum();
    assert!(
        f64::from(mentions) / megabytes <= MOST,
        "{mentions} mentions of chips in {megabytes:.1} MB of text: {chips:#?}"
    );
}
