//! The commands about the gazetteer.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::support::{Backend, Site};

/// A site, and a folder with these files.
fn site(name: &str, files: &[(&str, &str)]) -> (Site, PathBuf) {
    let site = Site::new(Backend::Sqlite, name);
    let folder = site.config().with_file_name("overlay");
    fs::create_dir(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    (site, folder)
}

const DOUBTFUL: &str = "kind = \"company\"\n[[entity]]\nid = \"target\"\nname = \"Target\"\n\
                        aliases = [{ text = \"Target\", mode = \"free\" }]\n[[silence]]\nid = \"tsmc\"\n";

#[test]
fn lint_names_what_is_wrong_and_which_texts_change() {
    let (site, folder) = site("lint", &[("a.toml", DOUBTFUL)]);
    assert_eq!(site.run(&["gazetteer", "lint"]), "0 errors, 0 warnings\n");
    let (dir, texts) = (folder.display().to_string(), folder.with_file_name("texts"));
    let run = |arguments: &[&str]| {
        let output =
            crate::support::chipwire(&site.config(), &[&["gazetteer", "lint"], arguments].concat()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said, _) = run(&[&dir]);
    assert_eq!(code, Some(1));
    assert!(said.contains("a.toml:5  company:target  common-word: alias `Target` is a word of English"), "{said}");
    assert!(said.ends_with("1 error, 0 warnings\n"), "{said}");

    fs::create_dir_all(texts.join("more")).unwrap();
    fs::write(texts.join("a.txt"), "TSMC meets its target.").unwrap();
    fs::write(
        texts.join("more/b.jsonl"),
        "{\"id\":7,\"title\":\"TSMC\",\"text\":\"Nothing.\"}\nx\n{\"text\":\"None\"}\n",
    )
    .unwrap();
    let (_, said, errors) = run(&[&dir, "--texts", &texts.display().to_string()]);
    assert!(
        said.contains(
            "a.txt\n  - company:tsmc  [TSMC] meets its target.\n  + company:target  TSMC meets its [target].\n"
        ),
        "{said}"
    );
    assert!(said.contains("b.jsonl, line 1 7\n  - company:tsmc  [TSMC]"), "{said}");
    assert!(said.ends_with("tagged otherwise: 2 texts\n"), "{said}");
    assert!(errors.contains("b.jsonl, line 2: passed over"), "{errors}");

    let (_, said, _) = run(&[&dir, "--json", "--texts"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let finding = &said["findings"][0];
    assert_eq!(
        (&finding["severity"], &finding["check"], &finding["line"]),
        (&"error".into(), &"common-word".into(), &5.into())
    );
    let changed: Vec<&str> =
        said["texts"].as_array().unwrap().iter().map(|text| text["text"].as_str().unwrap()).collect();
    assert!(changed.iter().any(|name| name.starts_with("case ")), "{changed:?}");
    assert!(changed.iter().any(|name| name.starts_with("feeds/")), "{changed:?}");

    // What cannot be used at all is said in the same way, and all of it.
    fs::write(folder.join("b.toml"), "kind = \"company\"\n[[change]]\nid = \"nobody\"\n[[change]]\nid = \"none\"\n")
        .unwrap();
    let (code, said, errors) = run(&[&dir, "--texts"]);
    assert_eq!((code, said.matches("unknown-entity").count()), (Some(1), 2), "{said}");
    assert!(errors.contains("texts are compared once the errors are mended"), "{errors}");
}

/// Whoever changes our own files sees what becomes of texts before the program is built anew.
#[test]
fn a_whole_gazetteer_is_linted_and_compared() {
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/../chipwire-enrich/gazetteer");
    let (site, folder) = site("whole", &[]);
    for file in ["chips.toml", "companies.toml", "policies.toml"] {
        fs::copy(format!("{ours}/{file}"), folder.join(file)).unwrap();
    }
    let dir = folder.display().to_string();
    assert!(site.run(&["gazetteer", "lint", "--alone", &dir, "--texts"]).ends_with("\ntagged otherwise: 0 texts\n"));
    assert_eq!(site.run(&["gazetteer", "diff", "--alone", "ours", &dir]), "0 added, 0 removed, 0 changed\n");
    let path = folder.join("companies.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("name = \"TSMC\"", "name = \"Taiwan Semiconductor\"", 1)).unwrap();
    let said = site.run(&["gazetteer", "diff", "--alone", "ours", &dir]);
    assert_eq!(said, "~ company:tsmc\n    ~ name: TSMC -> Taiwan Semiconductor\n0 added, 0 removed, 1 changed\n");
    let error = site.fail(&["gazetteer", "diff", "ours", &dir]);
    assert!(error.contains("say --alone"), "{error}");
}

#[test]
fn a_name_is_looked_up() {
    let (site, folder) =
        site("lookup", &[("a.toml", "kind = \"policy\"\n[[silence]]\nid = \"us-bis\"\naliases = [\"BIS\"]\n")]);
    let said = site.run(&["gazetteer", "lookup", "BIS"]);
    assert!(said.contains("policy:intl-basel-bis  ") && said.contains("policy:us-bis  "), "{said}");
    assert!(said.contains("found by      alias BIS (cue)"), "{said}");
    let said = site.run(&["gazetteer", "lookup", "BIS", "--overlay", &folder.display().to_string()]);
    assert!(said.contains("found by      alias BIS (never)"), "{said}");
    let said: Value = serde_json::from_str(&site.run(&["gazetteer", "lookup", "NASDAQ:NVDA", "--json"])).unwrap();
    assert_eq!((&said[0]["id"], &said[0]["found_by"][0]), (&"nvidia".into(), &"ticker NASDAQ:NVDA".into()));
    let facts = |at: &str| {
        let said = site.run(&["gazetteer", "lookup", "policy:us-affiliates-rule", "--at", at, "--json"]);
        serde_json::from_str::<Value>(&said).unwrap()[0]["facts"].as_array().unwrap().len()
    };
    assert!(facts("2026-01") > facts("2020"), "{} {}", facts("2026-01"), facts("2020"));
    assert!(site.fail(&["gazetteer", "lookup", "Nvidai"]).contains("did you mean NVIDIA"));
    assert!(site.fail(&["gazetteer", "lookup", "BIS", "--at", "soon"]).contains("`soon` is no date"));
}

#[test]
fn an_overlay_is_compared_with_ours() {
    let (site, folder) = site("diff", &[("a.toml", DOUBTFUL)]);
    let dir = folder.display().to_string();
    assert_eq!(
        site.run(&["gazetteer", "diff", "ours", &dir]),
        "+ company:target\n~ company:tsmc\n    + negative: true\n1 added, 0 removed, 1 changed\n"
    );
    let said: Value = serde_json::from_str(&site.run(&["gazetteer", "diff", &dir, "ours", "--json"])).unwrap();
    assert_eq!(said["diff"]["removed"][0], "company:target");
    assert_ne!(said["gazetteer"]["before"], said["gazetteer"]["after"]);
}

#[test]
fn open_data_becomes_an_overlay() {
    let (site, folder) = site("gazetteer-import", &[]);
    site.configure("[enrich]\noverlays = \"overlay\"");
    let file = site.config().with_file_name("entities.ftm.json");
    let lines = "{\"id\":\"NK-1\",\"caption\":\"Iota Microelectronics\",\"schema\":\"Company\",\"datasets\":[\"us_trade_csl\"],\
                 \"properties\":{\"ticker\":[\"NASDAQ:NVDA\"]}}\n";
    fs::write(&file, lines).unwrap();
    let out = folder.join("sanctions.toml");
    let (file, out_path) = (file.display().to_string(), out.display().to_string());
    let import = |more: &[&str]| {
        let arguments =
            [&["gazetteer", "import", "--format", "opensanctions", &file, "--date", "2026-11-27"], more].concat();
        let output = crate::support::chipwire(&site.config(), &arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said, errors) = import(&[]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("id = \"iota-microelectronics\""), "{said}");
    assert!(
        errors.contains("conflict: Iota Microelectronics: ticker `NASDAQ:NVDA` is one of `company:nvidia`; left out"),
        "{errors}"
    );
    // Written twice, it is the same: what an earlier import wrote there is not taken for what is there already.
    for _ in 0..2 {
        let (code, printed, _) = import(&["--out", &out_path]);
        assert_eq!((code, printed.as_str(), fs::read_to_string(&out).unwrap()), (Some(0), "", said.clone()));
    }
    assert!(site.run(&["tag", "--text", "Sanctions hit Iota Microelectronics"]).contains("iota-microelectronics"));
    assert_eq!(site.run(&["gazetteer", "lint"]), "0 errors, 0 warnings\n");
    fs::write(&file, format!("{lines}x\n")).unwrap();
    let (code, _, errors) = import(&[]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("entities.ftm.json, line 2: passed over: expected value"), "{errors}");
    assert!(
        errors.contains("1 records of companies, 0 of others, 1 bad; 0 entities added, 0 changed, 1 already there"),
        "{errors}"
    );
}
