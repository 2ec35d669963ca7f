//! Counts what is right, wrong and missed.

use std::collections::BTreeMap;

#[derive(Default)]
struct Score {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Score {
    fn precision(&self) -> f64 {
        share(self.right, self.wrong)
    }

    fn recall(&self) -> f64 {
        share(self.right, self.missed)
    }
}

fn share(right: u32, other: u32) -> f64 {
    if right + other == 0 { 1.0 } else { f64::from(right) / f64::from(right + other) }
}

/// The scores of each kind, and of all.
pub(crate) struct Scores {
    name: String,
    kinds: BTreeMap<String, Score>,
    notes: Vec<(String, String, String)>,
}

impl Scores {
    pub(crate) fn new(set: &str, name: &str) -> Self {
        Self { name: format!("{name}, {set}"), kinds: BTreeMap::new(), notes: Vec::new() }
    }

    fn each(&mut self, kind: &str, count: impl Fn(&mut Score)) {
        for kind in [kind, "all"] {
            count(self.kinds.entry(kind.to_owned()).or_default());
        }
    }

    pub(crate) fn right(&mut self, kind: &str) {
        self.each(kind, |score| score.right += 1);
    }

    pub(crate) fn wrong(&mut self, kind: &str) {
        self.each(kind, |score| score.wrong += 1);
    }

    pub(crate) fn missed(&mut self, kind: &str) {
        self.each(kind, |score| score.missed += 1);
    }

    /// A difference in the text `id`, to be looked at.
    pub(crate) fn note(&mut self, id: &str, what: &str, text: &str) {
        self.notes.push((what.to_owned(), id.to_owned(), text.to_owned()));
    }

    pub(crate) fn report(&mut self, with_errors: bool) {
        println!("{:<48} {:>6} {:>6} {:>7} {:>10} {:>7}", self.name, "right", "wrong", "missed", "precision", "recall");
        for (kind, score) in &self.kinds {
            let Score { right, wrong, missed } = score;
            println!(
                "{kind:<48} {right:>6} {wrong:>6} {missed:>7} {:>10.3} {:>7.3}",
                score.precision(),
                score.recall()
            );
        }
        if with_errors {
            self.notes.sort();
            for (what, id, text) in &self.notes {
                println!("  {what}  {id}  {text}");
            }
        }
    }

    /// Fails where precision or recall of a kind is below what has been reached; not where differences are only looked at.
    pub(crate) fn hold(&self, reached: &[(&str, f64, f64)], only_looking: bool) {
        if only_looking {
            return;
        }
        for (kind, precision, recall) in reached {
            let score = &self.kinds[*kind];
            assert!(
                score.precision() >= *precision,
                "{}: precision of {kind} is {:.3}, was {precision}",
                self.name,
                score.precision()
            );
            assert!(
                score.recall() >= *recall,
                "{}: recall of {kind} is {:.3}, was {recall}",
                self.name,
                score.recall()
            );
        }
    }
}
