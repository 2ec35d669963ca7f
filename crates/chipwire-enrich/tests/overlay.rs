//! Overlays: what they add, change and silence, what is refused with what words, and that the digest covers them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use chipwire_enrich::{Draft, Gazetteer, Mode, Tagger};
use expect_test::{Expect, expect};

const BASE: &str = r#"
kind = "company"
legal_tail = true

[[entity]]
id = "arm"
name = "Arm"
aliases = [
    { text = "Arm Holdings", mode = "free" },
    { text = "Arm", mode = "cue", case = true },
]
tickers = ["NASDAQ:ARM"]
cues = ["cpu*"]

[[entity.fact]]
text = "listed"
valid_from = "2023-09-14"
source = "https://example.com/"

[[entity]]
id = "micron"
name = "Micron"
aliases = [{ text = "Micron", mode = "free" }]
"#;

fn mix(overlay: &[(&str, &str)]) -> chipwire_enrich::Result<Gazetteer> {
    Gazetteer::try_from(Draft::from_files(&[("companies.toml", BASE)]).with_overlay(overlay))
}

fn found(gazetteer: Gazetteer, text: &str) -> Vec<String> {
    let mentions = Tagger::new(gazetteer).tag_text(text);
    mentions.iter().map(|m| format!("{} {}", m.entity, m.surface)).collect()
}

fn refused(overlay: &str, expected: Expect) {
    expected.assert_eq(&mix(&[("mine.toml", overlay)]).unwrap_err().to_string());
}

#[test]
fn an_entity_is_added_as_in_our_own_files() {
    let overlay = "kind = \"company\"\n[[entity]]\nid = \"acme-photonics\"\nname = \"Acme Photonics\"\n\
                   parent = \"arm\"\naliases = [{ text = \"Acme Photonics\", mode = \"free\" }]\n";
    let gazetteer = mix(&[("mine.toml", overlay)]).unwrap();
    // The legal form belongs to the mention as with every company of ours.
    assert_eq!(found(gazetteer, "Acme Photonics, Inc. rose."), ["acme-photonics Acme Photonics, Inc."]);
    // A kind of its own is one more file.
    let overlay = "kind = \"person\"\n[[entity]]\nid = \"haas\"\nname = \"Rene Haas\"\n\
                   aliases = [{ text = \"Rene Haas\", mode = \"free\" }]\n";
    assert_eq!(found(mix(&[("mine.toml", overlay)]).unwrap(), "Rene Haas spoke."), ["haas Rene Haas"]);
}

#[test]
fn an_entity_is_changed_key_by_key() {
    let overlay = r#"
kind = "company"
[[change]]
id = "arm"
name = "Arm Holdings plc"
parent = "micron"
aliases = [{ text = "Arm", mode = "cased" }, { text = "Advanced RISC Machines", mode = "free" }]
without_aliases = ["Arm Holdings"]
cues = ["neoverse"]
without_cues = ["cpu*"]
against = ["arm's length"]
tickers = ["LSE:ARM"]
without_tickers = ["NASDAQ:ARM"]
without_facts = ["listed"]
[[change.fact]]
text = "owned"
valid_from = "2016"
"#;
    let gazetteer = mix(&[("mine.toml", overlay)]).unwrap();
    let arm = gazetteer.get("company", "arm").unwrap();
    assert_eq!((arm.name.as_str(), arm.parent.as_deref()), ("Arm Holdings plc", Some("micron")));
    let aliases: Vec<(&str, Mode)> = arm.aliases.iter().map(|alias| (alias.text.as_str(), alias.mode)).collect();
    assert_eq!(aliases, [("Arm", Mode::Cased), ("Advanced RISC Machines", Mode::Free)]);
    assert_eq!((&*arm.cues, &*arm.against), (&["neoverse".to_owned()][..], &["arm's length".to_owned()][..]));
    assert_eq!((arm.tickers.as_slice(), arm.facts[0].text.as_str()), (&["LSE:ARM".to_owned()][..], "owned"));
    // A later file has the last word; an empty text takes a value away.
    let later = "kind = \"company\"\n[[change]]\nid = \"arm\"\nparent = \"\"\nname = \"ARM\"\n";
    let gazetteer = mix(&[("1.toml", overlay), ("2.toml", later)]).unwrap();
    let arm = gazetteer.get("company", "arm").unwrap();
    assert_eq!((arm.name.as_str(), arm.parent.as_deref()), ("ARM", None));
}

#[test]
fn what_is_silenced_is_not_tagged() {
    let silence = |more: &str| format!("kind = \"company\"\n[[silence]]\nid = \"arm\"\n{more}");
    let text = "Arm Holdings said an Arm CPU sells.";
    assert_eq!(found(mix(&[]).unwrap(), text), ["arm Arm Holdings", "arm Arm"]);
    let aliases = silence("aliases = [\"Arm\"]\nbecause = \"too many limbs\"\n");
    assert_eq!(found(mix(&[("mine.toml", &aliases)]).unwrap(), text), ["arm Arm Holdings"]);
    assert_eq!(found(mix(&[("mine.toml", &silence(""))]).unwrap(), text), Vec::<String>::new());
}

#[test]
fn the_digest_covers_the_overlay() {
    let digest = |files: &[(&str, &str)]| mix(files).unwrap().digest().to_owned();
    let change = "kind = \"company\"\n[[change]]\nid = \"arm\"\ncues = [\"risc\"]\n";
    assert_eq!(digest(&[]), digest(&[("empty.toml", "kind = \"company\"\n")]));
    assert_ne!(digest(&[]), digest(&[("mine.toml", change)]));
    assert_eq!(digest(&[("mine.toml", change)]), digest(&[("other.toml", &format!("# the same\n{change}"))]));
    let ours = Gazetteer::builtin().unwrap();
    let mixed = Gazetteer::with_overlay(&[("mine.toml", change)]).unwrap();
    assert_eq!(mixed.entities().len(), ours.entities().len());
    assert_ne!(mixed.digest(), ours.digest());
}

#[test]
fn what_is_wrong_names_file_line_table_and_key() {
    refused(
        "kind = \"company\"\n[[change]]\nid = \"arm\"\nalias = []\n",
        expect![
            "gazetteer file `mine.toml`, line 4, entity `company:arm`, key `alias`: in `[[change]]`: unknown field `alias`, expected one of `id`, `name`, `type`, `vendor`, `parent`, `jurisdiction`, `wikidata`, `lei`, `note`, `source`, `negative`, `by_country`, `aliases`, `tickers`, `cues`, `against`, `fact`, `without_aliases`, `without_tickers`, `without_cues`, `without_against`, `without_facts`, `allow`"
        ],
    );
    refused(
        "kind = \"company\"\n\n[[entity]]\nname = \"X\"\n",
        expect!["gazetteer file `mine.toml`, line 3: in `[[entity]]`: missing field `id`"],
    );
    refused(
        "kind = \"company\"\n[[silence]]\nid = \"arn\"\n",
        expect![
            "gazetteer file `mine.toml`, line 3, entity `company:arn`, key `id`: there is no company `arn` that could be changed; `chipwire gazetteer lookup NAME` finds ids; what is new is a table `[[entity]]`"
        ],
    );
    refused(
        "kind = \"chip\"\n[[change]]\nid = \"arm\"\n",
        expect![
            "gazetteer file `mine.toml`, line 3, entity `chip:arm`, key `id`: there is no chip `arm` that could be changed; `company:arm` is one: put the table into a file of that kind"
        ],
    );
    refused(
        "kind = \"company\"\n[[change]]\nid = \"arm\"\nwithout_aliases = [\n\"arm\"]\n",
        expect![
            "gazetteer file `mine.toml`, line 4, entity `company:arm`, key `without_aliases`: `arm` is not among its aliases; write `Arm`"
        ],
    );
    refused(
        "kind = \"company\"\n[[entity]]\nid = \"arm\"\nname = \"Arm\"\n",
        expect![
            "gazetteer file `mine.toml`, line 3, entity `company:arm`, key `id`: the id is also in `companies.toml`, line 5; an id is unique within its kind; what is there is changed by a table `[[change]]` of an overlay"
        ],
    );
    refused(
        "kind = \"company\"\n[[change]]\nid = \"micron\"\n\ntickers = [\"NASDAQ:ARM\"]\n",
        expect![
            "gazetteer file `mine.toml`, line 5, entity `company:micron`, key `tickers`: ticker `NASDAQ:ARM` is also one of `arm`; a code stands for one company on its exchange"
        ],
    );
    refused(
        "kind = \"company\"\n[[change]]\nid = \"micron\"\nparent = \"intel\"\n",
        expect![
            "gazetteer file `mine.toml`, line 4, entity `company:micron`, key `parent`: parent `intel` is not a company; name the id of an entity of that kind, or add it"
        ],
    );
    refused(
        "kind = \"company\"\n[[change]]\nid = \"micron\"\naliases = [\n{ text = \"MU\", mode = \"cased\" },\n{ text = \"Arm Holdings\", mode = \"free\" }]\n",
        expect![
            "gazetteer file `mine.toml`, line 6, entity `company:micron`, key `aliases`: alias `Arm Holdings` is also one of `company:arm`; give both the mode `cue` and cues that tell them apart"
        ],
    );
    refused(
        "kind = \"company\"\n[[change]]\nid = \"arm\"\n[[change.fact]]\ntext = \"x\"\nvalid_from = \"2025-02\"\nvalid_to = \"2025-01-31\"\n",
        expect![
            "gazetteer file `mine.toml`, line 4, entity `company:arm`, key `fact`: valid_to `2025-01-31` is before valid_from `2025-02`; see which of the two is right"
        ],
    );
    refused(
        "kind = \"company\"\n[[change]]\nid = \"arm\"\n[[change.fact]]\ntext = \"x\"\nsince = 1\n",
        expect![
            "gazetteer file `mine.toml`, line 6, entity `company:arm`, key `since`: in `[[change.fact]]`: unknown field `since`, expected one of `text`, `valid_from`, `valid_to`, `source`"
        ],
    );
    refused(
        "kind = \"Company\"\n",
        expect!["gazetteer file `mine.toml`: kind `Company` cannot be used; a kind is a word in lower-case letters"],
    );
    refused("[[entity]]\n", expect!["gazetteer file `mine.toml`, line 1: in `[[entity]]`: missing field `id`"]);
    refused(
        "kind = \"company\"\n[[entity]\n",
        expect!["gazetteer file `mine.toml`, line 2: in `[[entity]`: unclosed array table, expected `]`"],
    );
}

/// As with ours: whoever looks for what is wrong sees all of it at once.
#[test]
fn every_problem_is_named() {
    let overlay = "kind = \"company\"\n[[silence]]\nid = \"arn\"\n[[change]]\nid = \"arm\"\ntickers = [\"ARM\"]\nvendor = \"x\"\n";
    let draft = Draft::from_files(&[("companies.toml", BASE)]).with_overlay(&[("a.toml", "x"), ("b.toml", overlay)]);
    let found: Vec<_> =
        draft.problems().into_iter().map(|finding| (finding.file, finding.line, finding.check)).collect();
    let expected = [
        ("a.toml", 1, "form"),
        ("b.toml", 3, "unknown-entity"),
        ("b.toml", 6, "ticker-form"),
        ("b.toml", 7, "dangling"),
    ];
    assert_eq!(found, expected.map(|(file, line, check)| (file.to_owned(), line, check)));
}

proptest::proptest! {
    /// Pieces of a good file put elsewhere, left out and doubled: what is wrong with it has a place in it.
    #[test]
    fn no_file_makes_it_panic(cuts in proptest::collection::vec((0usize..2_000, 0usize..60, 0usize..2_000), 0..6)) {
        let good = "kind = \"company\"\ncues = [\"é*\"]\n[[entity]]\nid = \"x\"\nname = \"芯\"\naliases = [\n{ text = \"芯\", mode = \"free\" },\n]\n\
                    [[entity.fact]]\ntext = \"f\"\nvalid_from = \"2025-01\"\n[[change]]\nid = \"arm\"\ntickers = [\"HKEX:0700\"]\n\
                    by_country = { US = \"x\" }\nallow = [{ check = \"no-cues\", because = \"x\" }]\n[[silence]]\nid = \"micron\"\n";
        let mut text: Vec<char> = good.chars().collect();
        for (from, length, to) in cuts {
            let from = from % text.len();
            let piece = text[from..(from + length).min(text.len())].to_vec();
            let to = to % (text.len() + 1);
            text.splice(to..to, piece);
            text.remove(from);
        }
        let text: String = text.into_iter().collect();
        let draft = Draft::from_files(&[("companies.toml", BASE)]).with_overlay(&[("mine.toml", &text)]);
        let last = u32::try_from(text.lines().count() + 1).unwrap();
        for finding in draft.lint() {
            assert!(finding.file != "mine.toml" || finding.line <= last, "{finding:?}\n{text}");
        }
    }
}

/// The example of the documents can be used as it stands.
#[test]
fn the_example_is_sound() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gazetteer.md")).unwrap();
    let mut blocks = page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next());
    let example = blocks.find(|block| block.starts_with("kind = ")).unwrap();
    let found = Draft::builtin().unwrap().with_overlay(&[("example.toml", example)]).lint();
    assert!(found.is_empty(), "{found:#?}");
}
