//! Reading a gazetteer: what is refused, with what words, and what the digest stands for.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use chipwire_enrich::{Gazetteer, Mode, Tagger};
use expect_test::{Expect, expect};

const SMALL: &str = r#"
kind = "company"
legal_tail = true
cues = ["shares"]

[[entity]]
id = "nvidia"
name = "NVIDIA"
type = "designer/gpu"
tickers = ["NASDAQ:NVDA"]
aliases = [{ text = "Nvidia", mode = "free" }]
[[entity.fact]]
text = "listed"
valid_from = "1999-01-22"
source = "https://example.com/"
"#;

fn refused(text: &str, expected: Expect) {
    let error = Gazetteer::from_files(&[("companies.toml", text)]).unwrap_err();
    expected.assert_eq(&error.to_string());
}

fn with(entity: &str) -> String {
    format!("kind = \"company\"\n[[entity]]\nid = \"x\"\nname = \"X\"\n{entity}")
}

#[test]
fn what_cannot_be_read_names_the_line() {
    refused(
        "kind = \"company\"\n[[entity]]\nid = 5\n",
        expect![
            "gazetteer file `companies.toml`, line 3, key `id`: in `[[entity]]`: invalid type: integer `5`, expected a string"
        ],
    );
    refused(
        &with("alias = []"),
        expect![
            "gazetteer file `companies.toml`, line 5, entity `company:x`, key `alias`: in `[[entity]]`: unknown field `alias`, expected one of `id`, `name`, `type`, `vendor`, `parent`, `jurisdiction`, `wikidata`, `lei`, `tickers`, `aliases`, `cues`, `against`, `negative`, `by_country`, `note`, `source`, `fact`, `allow`"
        ],
    );
    refused(
        &with("aliases = [{ text = \"X\", mode = \"always\" }]"),
        expect![
            "gazetteer file `companies.toml`, line 5, entity `company:x`, key `aliases`: in `[[entity]]`: unknown variant `always`, expected one of `free`, `cased`, `cue`, `after`, `never`"
        ],
    );
}

#[test]
fn what_makes_no_sense_names_the_entity_and_what_would_be_right() {
    refused(
        "kind = \"Company\"",
        expect![
            "gazetteer file `companies.toml`: kind `Company` cannot be used; a kind is a word in lower-case letters"
        ],
    );
    refused(
        &with("tickers = [\"NVDA\"]"),
        expect![
            "gazetteer file `companies.toml`, line 5, entity `company:x`, key `tickers`: ticker `NVDA` cannot be read; write `EXCHANGE:CODE`, as in `NASDAQ:NVDA` or `HKEX:0700`"
        ],
    );
    refused(
        &with("vendor = \"y\""),
        expect![
            "gazetteer file `companies.toml`, line 5, entity `company:x`, key `vendor`: vendor `y` is not a company; name the id of an entity of that kind, or add it"
        ],
    );
    refused(
        &with("aliases = [{ text = \"...\", mode = \"free\" }]"),
        expect![
            "gazetteer file `companies.toml`, line 5, entity `company:x`, key `aliases`: alias `...` has no letter and no digit; give a name as it is written in texts"
        ],
    );
    refused(
        &with("cues = [\"a*b\"]"),
        expect![
            "gazetteer file `companies.toml`, line 5, entity `company:x`, key `cues`: cue `a*b` cannot be used; a cue is a word or a phrase, with `*` only at its end"
        ],
    );
    refused(
        &with("by_country = { EU = \"y\" }"),
        expect![
            "gazetteer file `companies.toml`, line 5, entity `company:x`, key `by_country`: by_country.EU names `y`, which is not a company; name the id of an entity of the same kind, or nothing"
        ],
    );
    refused(
        &with("aliases = [{ text = \"x\", mode = \"after\" }]"),
        expect![
            "gazetteer file `companies.toml`, line 5, entity `company:x`, key `aliases`: alias `x` has no longer name that it could come after; add a name with another mode"
        ],
    );
    let two = "[[entity]]\nid = \"y\"\nname = \"Y\"\n";
    refused(
        &format!(
            "{}\n{two}aliases = [{{ text = \"same\", mode = \"cased\" }}]",
            with("aliases = [{ text = \"same\", mode = \"free\" }]")
        ),
        expect![
            "gazetteer file `companies.toml`, line 9, entity `company:y`, key `aliases`: alias `same` is also one of `company:x`; give both the mode `cue` and cues that tell them apart"
        ],
    );
    refused(
        &format!("{}\n{two}tickers = [\"HKG:700\"]", with("tickers = [\"HKEX:0700\"]")),
        expect![
            "gazetteer file `companies.toml`, line 9, entity `company:y`, key `tickers`: ticker `HKG:700` is also one of `x`; a code stands for one company on its exchange"
        ],
    );
    refused(
        &format!("{}\n[[entity]]\nid = \"x\"\nname = \"Y\"", with("")),
        expect![
            "gazetteer file `companies.toml`, line 7, entity `company:x`, key `id`: the id is also in `companies.toml`, line 2; an id is unique within its kind; what is there is changed by a table `[[change]]` of an overlay"
        ],
    );
}

#[test]
fn the_digest_stands_for_the_content_and_not_for_the_files() {
    let other = "kind = \"chip\"\n[[entity]]\nid = \"h20\"\nname = \"H20\"\nvendor = \"nvidia\"";
    let digest = |files: &[(&str, &str)]| Gazetteer::from_files(files).unwrap().digest().to_owned();
    let one = digest(&[("a.toml", SMALL), ("b.toml", other)]);
    assert_eq!(one, digest(&[("c.toml", other), ("d.toml", SMALL)]));
    assert_ne!(one, digest(&[("a.toml", &SMALL.replace("listed", "unlisted")), ("b.toml", other)]));
    // Changes only together with the version of the tagger or the canonical form.
    expect!["516f8d52a05321fdfefd8308ce07217a"].assert_eq(&digest(&[("a.toml", SMALL)]));
}

/// It is read when the program is built, in another form.
#[test]
fn what_is_built_in_is_what_the_files_say() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/gazetteer");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<(String, String)> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap()))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(Gazetteer::builtin().unwrap().digest(), Gazetteer::from_files(&files).unwrap().digest());
}

#[test]
fn the_builtin_gazetteer_is_sound() {
    let gazetteer = Gazetteer::builtin().unwrap();
    assert_eq!(gazetteer.digest().len(), 32);
    assert_eq!(gazetteer.digest(), Gazetteer::builtin().unwrap().digest());
    for (kind, at_least) in [("company", 1300), ("chip", 560), ("policy", 440)] {
        let count = gazetteer.entities().iter().filter(|entity| entity.kind == kind).count();
        assert!(count >= at_least, "{count} of {kind}");
    }
    for entity in gazetteer.entities() {
        let cue = entity.aliases.iter().any(|alias| alias.mode == Mode::Cue);
        let decidable = !entity.cues.is_empty() || entity.vendor.is_some() || entity.parent.is_some();
        assert!(!cue || decidable, "{}:{} has a name that asks for cues, and none", entity.kind, entity.id);
    }
    assert_eq!(gazetteer.get("chip", "nvidia-h20").unwrap().vendor.as_deref(), Some("nvidia"));
    assert!(gazetteer.get("company", "nvidia-h20").is_none());
}

/// A name without a condition must be found wherever it stands alone.
#[test]
fn every_free_name_is_found() {
    let tagger = Tagger::new(Gazetteer::builtin().unwrap());
    let mut lost = Vec::new();
    for entity in tagger.gazetteer().entities().iter().filter(|entity| !entity.negative && entity.by_country.is_empty())
    {
        for alias in entity.aliases.iter().filter(|alias| alias.mode == Mode::Free) {
            let text = format!("x, {}, x", alias.text);
            let found = tagger.tag_text(&text).iter().any(|mention| mention.entity == entity.id);
            if !found {
                lost.push(format!("{}: {}", entity.id, alias.text));
            }
        }
    }
    assert!(lost.is_empty(), "{} names are never found:\n{}", lost.len(), lost.join("\n"));
}
