//! Chinese characters of which one is another way to write the other: traditional, simplified and Japanese ones.
//!
//! A name that is known in one of them is found in all: 昇腾 as 昇騰, 經濟部 as 经济部. The groups are made by `build.rs` from OpenCC's
//! tables. A group holds more than one language would call the same character: 干, 乾 and 幹 are one. Names, cues and the phrases
//! of happenings are compared by them; what is found is the text as it is written.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// A group of characters on each line, the one that stands for all of them first.
static GROUPS: LazyLock<FxHashMap<char, &'static str>> = LazyLock::new(|| {
    let lines = include_str!(concat!(env!("OUT_DIR"), "/han.txt")).lines();
    lines.flat_map(|group| group.chars().map(move |ch| (ch, group))).collect()
});

/// Every way to write `ch`, itself among them; nothing if there is but one.
pub(crate) fn forms(ch: char) -> impl Iterator<Item = char> {
    GROUPS.get(&ch).copied().unwrap_or_default().chars()
}

/// The character that stands for all ways to write `ch`.
pub(crate) fn plain(ch: char) -> char {
    forms(ch).next().unwrap_or(ch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_stands_for_all_ways_to_write_it() {
        let plain = |text: &str| text.chars().map(plain).collect::<String>();
        for ways in [
            ["昇腾", "昇騰"],
            ["经济产业省", "經濟產業省"],
            ["经济产业省", "経済産業省"],
            ["关税", "關稅"],
            ["发后", "髮後"],
        ] {
            assert_eq!(plain(ways[0]), plain(ways[1]));
        }
        assert_ne!(plain("三星"), plain("三菱"));
        assert_eq!(plain("Nvidia 가"), "Nvidia 가");
    }

    #[test]
    fn each_character_is_in_one_group() {
        for (ch, group) in &*GROUPS {
            assert!(group.contains(*ch) && group.chars().nth(1).is_some());
            assert!(group.chars().all(|other| GROUPS.get(&other) == Some(group)), "{group}");
        }
    }
}
