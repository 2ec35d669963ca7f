//! Names and texts for the benchmarks of large dictionaries.
//!
//! The text is Reuters-21578, which `tests/reuters/fetch` gets; the names are those of the built-in gazetteer and, up to the
//! number wanted, invented ones: three to a company, of one to four words of the corpus. One in twenty of them is a name that
//! the corpus writes, so that there is something to be found.

use std::{
    collections::HashSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use chipwire_enrich::Gazetteer;

pub(crate) const SIZES: [usize; 3] = [5_000, 100_000, 1_000_000];
const NAMES_EACH: usize = 3;
/// One of so many invented names is one that the corpus writes.
const REAL_EVERY: usize = 20;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// The texts of the articles.
pub(crate) fn corpus() -> Vec<String> {
    let output = Command::new(root().join("tests/reuters/fetch")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let path = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    let lines = fs::read_to_string(path).unwrap();
    let article =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].as_str().map(str::to_owned);
    lines.lines().filter_map(article).collect()
}

/// The folder of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// An overlay that brings the built-in gazetteer to `size` names; and all names.
pub(crate) fn dictionary(size: usize, texts: &[String]) -> (String, Vec<String>) {
    let builtin = Gazetteer::builtin().unwrap();
    let mut names = Vec::new();
    // Names that differ in case only are one in the gazetteer, and those that it has may not be given again.
    let mut taken = HashSet::new();
    for alias in builtin.entities().iter().flat_map(|entity| &entity.aliases) {
        taken.insert(alias.text.to_lowercase());
        if names.len() < size {
            names.push(alias.text.clone());
        }
    }
    names.sort();
    names.dedup();
    let (words, written) = material(texts);
    let (words, written): (Vec<&str>, Vec<&str>) =
        (words.iter().map(String::as_str).collect(), written.iter().map(String::as_str).collect());
    let mut dice = Dice(1);
    let mut toml = "kind = \"company\"\nlegal_tail = true\n".to_owned();
    let mut company = Vec::new();
    let mut written = written.into_iter();
    let mut tries = 0;
    while names.len() < size {
        tries += 1;
        let real = if tries % REAL_EVERY == 0 { written.next() } else { None };
        let name = real.map_or_else(|| invented(&mut dice, &words), str::to_owned);
        if taken.insert(name.to_lowercase()) {
            names.push(name.clone());
            company.push(name);
        }
        if company.len() == NAMES_EACH || names.len() == size {
            write!(toml, "\n[[entity]]\nid = \"bench-{}\"\nname = \"{}\"\naliases = [\n", names.len(), company[0])
                .unwrap();
            for name in company.drain(..) {
                writeln!(toml, "    {{ text = \"{name}\", mode = \"free\" }},").unwrap();
            }
            toml.push_str("]\ntype = \"bench\"\n");
        }
    }
    (toml, names)
}

fn invented(dice: &mut Dice, words: &[&str]) -> String {
    let (first, second) = (dice.pick(words), dice.pick(words));
    match dice.below(20) {
        0..3 => {
            let (head, tail) = (&first[..first.len().min(4)], second[second.len().saturating_sub(4)..].to_lowercase());
            format!("{head}{tail}x")
        }
        3..14 => format!("{first} {second}"),
        14..18 => format!("{first} {second} {}", dice.pick(words)),
        _ => format!("{first} {second} {} {}", dice.pick(words), dice.pick(words)),
    }
}

/// The words of the corpus, with a capital, and the names of two and three words that it writes.
fn material(texts: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut words, mut names) = (HashSet::new(), HashSet::new());
    for text in texts {
        let tokens: Vec<&str> = text.split(' ').collect();
        let plain = |word: &str| word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
        for word in tokens.iter().filter(|word| plain(word)) {
            words.insert(word[..1].to_uppercase() + &word[1..].to_lowercase());
        }
        for pair in tokens.windows(2) {
            let capital = |word: &str| {
                plain(word) && word.as_bytes()[0].is_ascii_uppercase() && word.as_bytes()[1].is_ascii_lowercase()
            };
            if pair.iter().all(|word| capital(word)) {
                names.insert(pair.join(" "));
            }
        }
    }
    let sorted = |set: HashSet<String>| {
        let mut list: Vec<String> = set.into_iter().collect();
        list.sort();
        list
    };
    let mut names = sorted(names);
    // Not by the alphabet, so that a small dictionary has names of all kinds.
    let mut dice = Dice(2);
    for at in (1..names.len()).rev() {
        names.swap(at, dice.below(at + 1));
    }
    (sorted(words), names)
}
