//! On which line of its file everything stands, so that whoever is told what is wrong finds it.

use serde::{Deserialize, Serialize};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The keys whose lines are kept, each by its number here. The others are said to stand where their table begins.
pub(super) const KEYS: &[&str] = &[
    "id",
    "name",
    "vendor",
    "parent",
    "tickers",
    "cues",
    "against",
    "by_country",
    "aliases",
    "allow",
    "without_aliases",
    "without_tickers",
    "without_cues",
    "without_against",
    "without_facts",
];

/// The lines of one table, each counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lines {
    /// Where the table begins.
    pub(super) table: u32,
    /// Those of its keys, by their number in [`KEYS`].
    pub(super) keys: Vec<(u8, u32)>,
    /// Those of its `aliases`.
    pub(super) aliases: Vec<u32>,
    /// Those of the tables `fact` in it.
    pub(super) facts: Vec<u32>,
}

impl Lines {
    /// The line of `key`, or that of the table.
    pub(super) fn key(&self, key: &str) -> u32 {
        let found = self.keys.iter().find(|(number, _)| KEYS.get(usize::from(*number)) == Some(&key));
        found.map_or(self.table, |(_, line)| *line)
    }
}

/// The lines of every table `[[name]]` of a file, in order, for each of `names`; none if `text` is not TOML.
pub(super) fn lines<const N: usize>(text: &str, names: [&str; N]) -> [Vec<Lines>; N] {
    let Ok(root) = DeTable::parse(text) else { return names.map(|_| Vec::new()) };
    let breaks: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
    let line = |at: usize| u32::try_from(breaks.partition_point(|end| *end < at) + 1).unwrap_or(u32::MAX);
    names.map(|name| elements(root.get_ref(), name).iter().map(|table| of_table(table, &line)).collect())
}

fn of_table(table: &Spanned<DeValue<'_>>, line: &impl Fn(usize) -> u32) -> Lines {
    let mut lines = Lines { table: line(table.span().start), ..Lines::default() };
    let DeValue::Table(keys) = table.get_ref() else { return lines };
    for key in keys.keys() {
        let known = KEYS.iter().position(|known| *known == key.get_ref().as_ref());
        if let Some(number) = known.and_then(|number| u8::try_from(number).ok()) {
            lines.keys.push((number, line(key.span().start)));
        }
    }
    let starts = |name| elements(keys, name).iter().map(|element| line(element.span().start)).collect();
    lines.aliases = starts("aliases");
    lines.facts = starts("fact");
    lines
}

fn elements<'a, 'b>(table: &'a DeTable<'b>, name: &str) -> &'a [Spanned<DeValue<'b>>] {
    match table.get(name).map(Spanned::get_ref) {
        Some(DeValue::Array(elements)) => elements,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_known() {
        let text = "kind = \"x\"\n\n[[entity]]\nid = \"a\"\naliases = [\n  { text = \"é\" },\n\n  { text = \"b\" }, { text = \"c\" },\n]\n\
                    [[entity.fact]]\ntext = \"f\"\n[[entity]]\n# a remark\nid = \"b\"\n";
        let [found, none] = lines(text, ["entity", "change"]);
        assert_eq!(none, []);
        let [first, second] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.table, first.key("id"), first.key("aliases"), first.key("type")), (3, 4, 5, 3));
        assert_eq!((first.aliases.as_slice(), first.facts.as_slice()), ([6, 8, 8].as_slice(), [10].as_slice()));
        assert_eq!((second.table, second.key("id")), (12, 14));
        assert_eq!(lines("kind = ", ["entity"]), [[]]);
    }
}
