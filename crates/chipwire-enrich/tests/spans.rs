//! Every place that is found in a text slices back to what stands there, whatever HTML, entities, mojibake and Unicode are around it
//! and inside it: random texts, the same in every run.
//!
//! `CHIPWIRE_SPAN_TEXTS` takes another number of texts than 10,000; more of them begin elsewhere.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

#[path = "support/article.rs"]
mod article;

use std::{env, ops::Range, thread};

use chipwire_enrich::{Gazetteer, Tagger};
use chipwire_events::{Field, Markup, Slot, TaggedArticle};

use article::article;

const TEXTS: u64 = 10_000;

/// Names that count without a cue, with the letters of each as they are written in the text.
const NAMES: [&str; 8] = ["Nvidia", "TSMC", "英伟达", "SK hynix", "엔비디아", "Huawei", "MI300X", "Entity List"];

const PIECES: [&str; 78] = [
    " ",
    " ",
    " ",
    ", ",
    ". ",
    "\n",
    "\n\n",
    "\t",
    "-",
    "–",
    "/",
    "(",
    ")",
    "“",
    "”",
    "'s",
    "’s",
    "โs",
    "â€™s",
    "Ã©",
    "ï»¿",
    "&",
    "&amp;",
    "&nbsp;",
    "&#8217;",
    "&#x2019;",
    "&#0;",
    "&bogus;",
    "&amp;amp;",
    "<b>",
    "</b>",
    "<p>",
    "</p>",
    "<br/>",
    "<a href='x'>",
    "</a>",
    "<",
    ">",
    "<!--",
    "-->",
    "<script>x</script>",
    "<style>",
    "</style>",
    "https://example.org/nvidia?a=b",
    "a@tsmc.example",
    "@",
    "#",
    "$NVDA",
    "NASDAQ:NVDA",
    "（2330.TW）",
    "H20",
    "H20/H800",
    "Ascend 910C",
    "Bank for International Settlements (BIS)",
    "BIS",
    "Micron",
    "Inc.",
    "Co., Ltd.",
    "$5bn",
    "100,000 units",
    "export controls",
    "China",
    "\u{200b}",
    "\u{ad}",
    "\u{feff}",
    "\u{301}",
    "\u{202e}",
    "İ",
    "ß",
    "ﬁ",
    "Ⅷ",
    "𝓝",
    "👩‍💻",
    "中国",
    "、",
    "。",
    "\u{fffd}",
    "\u{0}",
];

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }

    /// A name as careless hands write it: with what nobody sees in it, as references, in full width.
    fn written(&mut self, name: &str) -> String {
        let style = self.below(6);
        let mut written = String::new();
        for c in name.chars() {
            match style {
                0 if c.is_ascii_graphic() => written.push(char::from_u32(u32::from(c) + 0xfee0).unwrap()),
                1 if self.below(3) == 0 => written.push_str(&format!("&#{};", u32::from(c))),
                2 if self.below(3) == 0 => written.push_str(&format!("&#x{:x};", u32::from(c))),
                3 if self.below(3) == 0 && !written.is_empty() => {
                    written.push_str(["\u{200b}", "\u{ad}", "&shy;", "\u{2060}"][self.below(4)]);
                    written.push(c);
                }
                4 if c == ' ' => written.push_str(["\u{a0}", "&nbsp;", "  ", "\n", "\u{2009}"][self.below(5)]),
                _ => written.push(c),
            }
        }
        written
    }

    /// A text, and where names stand in it.
    fn text(&mut self) -> (String, Vec<Range<usize>>) {
        let (mut text, mut names) = (String::new(), Vec::new());
        for _ in 0..self.below(24) {
            match self.below(8) {
                0 => {
                    let name = NAMES[self.below(NAMES.len())];
                    let written = self.written(name);
                    names.push(text.len()..text.len() + written.len());
                    text.push_str(&written);
                }
                1 => text.extend(char::from_u32(self.below(0x11_0000) as u32)),
                _ => text.push_str(PIECES[self.below(PIECES.len())]),
            }
        }
        (text, names)
    }
}

/// All places in `tagged`, with what is said to stand there.
fn places(tagged: &TaggedArticle) -> Vec<(Field, Range<usize>, Option<&str>)> {
    let mut places: Vec<(Field, Range<usize>, Option<&str>)> = tagged
        .mentions
        .iter()
        .map(|mention| (mention.field, mention.start..mention.end, Some(&*mention.surface)))
        .collect();
    let findings = &tagged.findings;
    places.extend(findings.amounts.iter().map(|found| (found.field, found.start..found.end, Some(&*found.surface))));
    for found in &findings.happenings {
        places.push((found.field, found.start..found.end, Some(&*found.surface)));
        // Who is meant may be named in the other field.
        let of = |slot: &Slot| slot.field.unwrap_or(found.field);
        places.extend(found.slots.iter().map(|slot| (of(slot), slot.start..slot.end, Some(&*slot.surface))));
    }
    places.extend(findings.together.iter().map(|pair| (pair.field, pair.start..pair.end, None)));
    places
}

/// Names that were written into texts, and those of them that were found.
#[derive(Default)]
struct Count {
    written: u64,
    found: u64,
}

fn check(tagger: &Tagger, number: u64, count: &mut Count) {
    let mut dice = Dice(number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let ((title, in_title), (body, in_body)) = (dice.text(), dice.text());
    let markup = if dice.below(2) == 0 { Markup::Html } else { Markup::Plain };
    let tagged = tagger.enrich(article(&title, &body, markup));
    for (field, range, surface) in places(&tagged) {
        let text = if field == Field::Title { &title } else { &body };
        let slice = text.get(range.clone());
        let slice = slice.unwrap_or_else(|| panic!("text {number}: {range:?} is no place in {text:?}"));
        assert!(
            !slice.is_empty() && surface.is_none_or(|surface| surface == slice),
            "text {number}: {range:?} {text:?}"
        );
    }
    for (field, text, names) in [(Field::Title, &title, &in_title), (Field::Body, &body, &in_body)] {
        for name in names {
            let of_it = tagged.mentions.iter().filter(|mention| mention.field == field);
            let mut of_it = of_it.filter(|mention| mention.start < name.end && name.start < mention.end).peekable();
            count.written += 1;
            count.found += u64::from(of_it.peek().is_some());
            // Nothing begins or ends in the middle of a letter that is written as a reference, or of one that nobody sees.
            for mention in of_it {
                let reference = |at: usize| {
                    let before = text[..at].rfind('&').filter(|start| *start >= name.start);
                    before.is_some_and(|start| {
                        let end = text[start + 1..].find(|ch: char| ch != '#' && !ch.is_ascii_alphanumeric());
                        at > start
                            && end.is_some_and(|end| text[start + 1 + end..].starts_with(';') && at <= start + 1 + end)
                    })
                };
                assert!(!reference(mention.start) && !reference(mention.end), "text {number}: {mention:?} {text:?}");
            }
        }
    }
}

#[test]
fn a_part_that_is_named_in_the_title_has_its_place_there() {
    let tagger = Tagger::new(Gazetteer::builtin().unwrap());
    [49_495_203_343_651, 49_495_210_616_218].iter().for_each(|number| check(&tagger, *number, &mut Count::default()));
}

#[test]
fn places_slice_back_to_what_stands_there() {
    let texts = env::var("CHIPWIRE_SPAN_TEXTS").map_or(TEXTS, |texts| texts.parse().unwrap());
    let first = if texts > TEXTS { u64::from(std::process::id()) << 32 } else { 0 };
    let tagger = Tagger::new(Gazetteer::builtin().unwrap());
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let counts: Vec<Count> = thread::scope(|scope| {
        let tagger = &tagger;
        let work = move |thread: u64| {
            let mut count = Count::default();
            (thread..texts).step_by(threads as usize).for_each(|number| check(tagger, first + number, &mut count));
            count
        };
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        running.into_iter().map(|running| running.join().unwrap()).collect()
    });
    let (written, found) = counts.iter().fold((0, 0), |all, count| (all.0 + count.written, all.1 + count.found));
    // Many stand inside of something that hides them, or join their neighbours to another word.
    assert!(found * 2 > written, "{texts} texts: {found} of {written} names were found");
}
