//! Imports of open data: what becomes an overlay, what is a conflict, what is passed over.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use chipwire_enrich::{
    Draft, Gazetteer, Severity, Tagger,
    import::{Format, Imported, Importer, Row, read},
};
use expect_test::expect;

/// Ours in small, so that what is imported does not change with ours.
const OURS: &str = r#"
kind = "company"
legal_tail = true

[[entity]]
id = "smic"
name = "SMIC"
wikidata = "Q1062129"
tickers = ["HKEX:0981"]
aliases = [{ text = "SMIC", mode = "free" }, { text = "中芯国际", mode = "free", lang = "zh" }]

[[entity]]
id = "acme"
name = "Acme Photonics"
lei = "213800ACMEACMEACME01"
tickers = ["NASDAQ:ACME"]
aliases = [{ text = "Acme Photonics", mode = "free" }, { text = "Acme", mode = "cue", case = true }]
cues = ["laser*"]
"#;

struct Outcome {
    imported: Imported,
    other: usize,
    bad: Vec<String>,
}

fn import(format: Format, input: &str) -> Outcome {
    let ours = Gazetteer::from_files(&[("ours.toml", OURS)]).unwrap();
    let mut importer = Importer::new(&ours);
    let (mut other, mut bad) = (0, Vec::new());
    read(format, input.as_bytes(), &mut |row| match row {
        Row::Company(record) => importer.add(*record),
        Row::Other => other += 1,
        Row::Bad { place, problem } => bad.push(format!("{place}: {problem}")),
    })
    .unwrap();
    Outcome { imported: importer.finish(format, "file", "2026-11-27"), other, bad }
}

/// The file can be laid over ours, and nothing about it is wrong.
fn mix(imported: &Imported) -> Gazetteer {
    let draft = Draft::from_files(&[("ours.toml", OURS)]).with_overlay(&[("import.toml", &imported.toml)]);
    let found = draft.lint();
    assert!(found.is_empty(), "{found:#?}\n{}", imported.toml);
    Gazetteer::try_from(draft).unwrap()
}

fn conflicts(imported: &Imported) -> Vec<String> {
    imported.conflicts.iter().map(|conflict| format!("{}: {}", conflict.name, conflict.problem)).collect()
}

const SPARQL: &str = r#"{"head":{"vars":["item","itemLabel","alias","lei","ticker","exchangeLabel"]},"results":{"bindings":[
{"item":{"type":"uri","value":"http://www.wikidata.org/entity/Q1062129"},"itemLabel":{"xml:lang":"en","type":"literal","value":"SMIC"},
 "alias":{"xml:lang":"en","type":"literal","value":"Semiconductor Manufacturing International Corp."},
 "ticker":{"type":"literal","value":"688981"},"exchangeLabel":{"xml:lang":"en","type":"literal","value":"Shanghai Stock Exchange"}},
{"item":{"type":"uri","value":"http://www.wikidata.org/entity/Q1062129"},"itemLabel":{"xml:lang":"en","type":"literal","value":"SMIC"},
 "alias":{"xml:lang":"zh","type":"literal","value":"中芯國際"},"lei":{"type":"literal","value":"5493005MEOZ1OJB0SN68"},
 "ticker":{"type":"literal","value":"0981"},"exchangeLabel":{"xml:lang":"en","type":"literal","value":"Hong Kong Stock Exchange"}},
{"item":{"type":"uri","value":"http://www.wikidata.org/entity/Q42"},"itemLabel":{"xml:lang":"en","type":"literal","value":"Zeta \"Chips\" Co., Ltd."},
 "alias":{"xml:lang":"en","type":"literal","value":"Acme"},
 "ticker":{"type":"literal","value":"ACME"},"exchangeLabel":{"xml:lang":"en","type":"literal","value":"Nasdaq"}},
{"item":{"type":"uri","value":"http://www.wikidata.org/entity/Q43"},"itemLabel":{"type":"literal","value":"Q43"}},
{"item":{"type":"uri","value":"http://example.org/"}},
7
]}}"#;

#[test]
fn wikidata_as_json() {
    let Outcome { imported, bad, .. } = import(Format::Wikidata, SPARQL);
    expect![[r##"
        # Imported from file on 2026-11-27. Every name asks for cues until somebody has looked at it: then give it the mode that
        # it needs, and the entity cues of its own. `chipwire gazetteer lint` says what is doubtful.

        kind = "company"
        # Of all entities below that are new.
        cues = ["chip*", "semiconductor*", "shares", "stock exchange"]

        [[change]]
        id = "smic"
        lei = "5493005MEOZ1OJB0SN68"
        tickers = ["SSE:688981"]
        aliases = [
            { text = "Semiconductor Manufacturing International", mode = "cue" },
        ]
        cues = ["chip*", "semiconductor*", "shares", "stock exchange"]
        # From https://www.wikidata.org/wiki/Q1062129, imported 2026-11-27.

        [[entity]]
        id = "zeta-chips"
        name = 'Zeta "Chips" Co., Ltd.'
        wikidata = "Q42"
        aliases = [
            { text = 'Zeta "Chips"', mode = "cue" },
        ]
        source = "https://www.wikidata.org/wiki/Q42, imported 2026-11-27"
    "##]].assert_eq(&imported.toml);
    expect![[r#"
        Zeta "Chips" Co., Ltd.: alias `Acme` is one of `company:acme`; left out
        Zeta "Chips" Co., Ltd.: ticker `NASDAQ:ACME` is one of `company:acme`; left out"#]]
    .assert_eq(&conflicts(&imported).join("\n"));
    expect![[r#"
        record 4: `Q43` has no `itemLabel`
        record 5: `http://example.org/` is no item of Wikidata, as in `http://www.wikidata.org/entity/Q1`
        record 6: it has no `item`"#]]
    .assert_eq(&bad.join("\n"));
    assert_eq!((imported.added, imported.changed), (1, 1));
    let mix = mix(&imported);
    assert_eq!(mix.get("company", "smic").unwrap().tickers, ["HKEX:0981", "SSE:688981"]);
    // A name that was imported counts with a cue only.
    let tagger = Tagger::new(mix);
    let found = |text: &str| tagger.tag_text(text).iter().map(|m| m.entity.clone()).collect::<Vec<_>>();
    assert_eq!(found("Zeta \"Chips\" was there."), Vec::<String>::new());
    assert_eq!(found("Shares of semiconductor maker Zeta \"Chips\" rose."), ["zeta-chips"]);
}

#[test]
fn wikidata_as_csv() {
    let csv = "\u{feff}item,itemLabel,itemAltLabel,lei,ticker,exchange\r\n\
               http://www.wikidata.org/entity/Q50,\"Eta, Inc.\",\"Eta Semiconductor, Eta Devices\",,ETA,Tokyo Stock Exchange\r\n\
               http://www.wikidata.org/entity/Q50,\"Eta, Inc.\",,,ETA,Moon Stock Exchange\r\n\
               nothing,Theta,,,,\r\n";
    let Outcome { imported, bad, .. } = import(Format::Wikidata, csv);
    let mix = mix(&imported);
    let eta = mix.get("company", "eta").unwrap();
    let aliases: Vec<&str> = eta.aliases.iter().map(|alias| alias.text.as_str()).collect();
    assert_eq!(
        (aliases.as_slice(), eta.tickers.as_slice()),
        (&["Eta", "Eta Semiconductor", "Eta Devices"][..], &["TSE:ETA".to_owned()][..])
    );
    assert_eq!(bad, ["row 4: `nothing` is no item of Wikidata, as in `http://www.wikidata.org/entity/Q1`"]);
    assert_eq!(
        conflicts(&imported),
        ["Eta, Inc.: ticker `ETA` on `Moon Stock Exchange` is on no exchange that we know; left out"]
    );
}

#[test]
fn opensanctions() {
    let lines = r#"{"id":"NK-1","caption":"Iota Microelectronics Co., Ltd.","schema":"Company","datasets":["us_trade_csl","us_ofac_sdn"],"first_seen":"2024-12-02T10:00:00","properties":{"name":["Iota Microelectronics Co., Ltd.","Йота"],"alias":["Iota Micro"],"leiCode":["5493001KJTIIGC8Y1R12"],"topics":["export.control"],"ticker":["0982.HK"]}}
{"id":"Q1062129","caption":"SMIC","schema":"Company","datasets":["us_trade_csl"],"properties":{"alias":["SMIC"],"wikidataId":["Q1062129"]}}

{"id":"P-1","caption":"A Person","schema":"Person","properties":{}}
{"id":"X-1","schema":"Company","properties":{}}
{"id":
{"id":"NK-2","caption":"Kappa","schema":"LegalEntity","properties":{"ticker":["0981.HK"]}}
"#;
    let Outcome { imported, other, bad } = import(Format::OpenSanctions, lines);
    let mix = mix(&imported);
    let iota = mix.get("company", "iota-microelectronics").unwrap();
    assert_eq!(
        (iota.lei.as_deref(), iota.tickers.as_slice()),
        (Some("5493001KJTIIGC8Y1R12"), &["HKEX:0982".to_owned()][..])
    );
    let fact = &iota.facts[0];
    assert_eq!(
        (fact.text.as_str(), fact.valid_from.as_deref()),
        ("Listed in us_trade_csl, us_ofac_sdn, by OpenSanctions.", Some("2024-12-02"))
    );
    assert_eq!(
        mix.get("company", "smic").unwrap().facts[0].source.as_deref(),
        Some("https://www.opensanctions.org/entities/Q1062129/")
    );
    assert_eq!((other, bad.len(), imported.added, imported.changed), (1, 2, 2, 1));
    assert!(bad[0].starts_with("line 5: `X-1` has no name") && bad[1].starts_with("line 6: EOF"), "{bad:?}");
    assert_eq!(conflicts(&imported), ["Kappa: ticker `HKEX:0981` is one of `company:smic`; left out"]);
}

#[test]
fn the_screening_list_in_both_forms() {
    let json = r#"{"total":3,"results":[
{"id":"1","source":"Entity List (EL) - Bureau of Industry and Security","name":"Lambda Circuits Co., Ltd.","alt_names":["Lambda IC"],"start_date":"2020-12-18","end_date":null,"source_list_url":"https://example.org/el","type":null},
{"id":"2","source":"Military End User (MEU) List - Bureau of Industry and Security","name":"LAMBDA CIRCUITS CO., LTD.","alt_names":[],"start_date":"2020-12-23","type":"Entity"},
{"id":"3","source":"Specially Designated Nationals (SDN) - Treasury Department","name":"Somebody","type":"Individual"},
{"id":"4","type":"Entity"}]}"#;
    let csv = "_id,source,entity_number,type,programs,name,title,start_date,end_date,source_list_url,alt_names\n\
               1,Entity List (EL) - Bureau of Industry and Security,,,,\"Lambda Circuits Co., Ltd.\",,2020-12-18,,https://example.org/el,Lambda IC\n\
               2,Military End User (MEU) List - Bureau of Industry and Security,,Entity,,\"LAMBDA CIRCUITS CO., LTD.\",,2020-12-23,,,\n\
               3,Specially Designated Nationals (SDN) - Treasury Department,,Individual,,Somebody,,,,,\n\
               4,,,Entity,,,,,,,\n";
    let [json, csv] = [json, csv].map(|input| import(Format::Csl, input));
    assert_eq!(json.imported.toml, csv.imported.toml);
    assert_eq!(
        (json.bad.as_slice(), csv.bad.as_slice()),
        (&["record 4: it has no `name`".to_owned()][..], &["row 5: it has no `name`".to_owned()][..])
    );
    assert_eq!((json.other, csv.other), (1, 1));
    let mix = mix(&json.imported);
    let lambda = mix.get("company", "lambda-circuits").unwrap();
    let facts: Vec<(&str, Option<&str>)> =
        lambda.facts.iter().map(|fact| (fact.text.as_str(), fact.valid_from.as_deref())).collect();
    assert_eq!(
        facts,
        [
            ("On the Entity List (EL) - Bureau of Industry and Security.", Some("2020-12-18")),
            ("On the Military End User (MEU) List - Bureau of Industry and Security.", Some("2020-12-23")),
        ]
    );
}

/// Nothing that is there is overwritten, and a second import of the same finds nothing to do.
#[test]
fn what_is_there_stays() {
    let csv = "item,itemLabel,ticker,exchange,lei\n\
               http://www.wikidata.org/entity/Q1062129,SMIC,,,213800ACMEACMEACME01\n\
               http://www.wikidata.org/entity/Q7,Acme Photonics Inc.,ACMF,NASDAQ,\n\
               http://www.wikidata.org/entity/Q8,SMIC,,,\n";
    let Outcome { imported, .. } = import(Format::Wikidata, csv);
    assert_eq!(
        conflicts(&imported),
        [
            "SMIC: its LEI is that of `company:acme`; left out",
            "SMIC: its Wikidata item is `Q1062129` and not `Q8`; left as it is"
        ]
    );
    assert_eq!((imported.added, imported.changed, imported.unchanged), (0, 1, 2));
    let mix = mix(&imported);
    assert_eq!(mix.get("company", "acme").unwrap().wikidata.as_deref(), Some("Q7"));
    let mut again = Importer::new(&mix);
    read(Format::Wikidata, csv.as_bytes(), &mut |row| {
        if let Row::Company(record) = row {
            again.add(*record);
        }
    })
    .unwrap();
    let again = again.finish(Format::Wikidata, "file", "2026-11-28");
    assert_eq!((again.added, again.changed, again.unchanged), (0, 0, 3));
}

#[test]
fn what_is_in_another_form_is_an_error() {
    let error = |format, input: &str| read(format, input.as_bytes(), &mut |_| {}).unwrap_err().to_string();
    expect!["no column `item` in its first line; it is in another form"]
        .assert_eq(&error(Format::Wikidata, "a,b\n1,2\n"));
    expect!["no array `results.bindings` in it; it is in another form"]
        .assert_eq(&error(Format::Wikidata, "{\"x\":1}"));
    expect!["EOF while parsing a value at line 1 column 25"]
        .assert_eq(&error(Format::Csl, "{\"results\":[{\"name\":\"A\"},"));
    expect!["no column `name` in its first line; it is in another form"].assert_eq(&error(Format::Csl, ""));
}

/// With ours as it is: whatever comes, the file can be laid over it.
#[test]
fn what_comes_can_be_laid_over_ours() {
    let ours = Gazetteer::builtin().unwrap();
    let mut importer = Importer::new(&ours);
    let names = [
        "NVIDIA Corporation",
        "Target",
        "BIS",
        "Micron",
        "台積電",
        "\u{202e}x",
        "...",
        "A\"B\\C\nD",
        "Huawei Technologies Co., Ltd.",
    ];
    for (number, name) in names.iter().enumerate() {
        let line = serde_json::json!({ "id": format!("N{number}"), "caption": name, "schema": "Company", "datasets": ["x\ny"],
            "properties": { "alias": names, "ticker": ["NASDAQ:NVDA", "9.HK"] } });
        read(Format::OpenSanctions, line.to_string().as_bytes(), &mut |row| {
            if let Row::Company(record) = row {
                importer.add(*record);
            }
        })
        .unwrap();
    }
    let imported = importer.finish(Format::OpenSanctions, "a\nb", "2026-11-27");
    let found = Draft::builtin().unwrap().with_overlay(&[("import.toml", &imported.toml)]).lint();
    let errors: Vec<_> = found.iter().filter(|finding| finding.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{}", imported.toml);
}

proptest::proptest! {
    /// Bytes of a good file put elsewhere, left out and doubled.
    #[test]
    fn no_file_makes_it_panic(
        cuts in proptest::collection::vec((0usize..2_000, 0usize..60, 0usize..2_000), 0..6),
        format in 0usize..3,
    ) {
        let csv = "item,itemLabel,itemAltLabel,name,alt_names,type\nhttp://www.wikidata.org/entity/Q1,\"É, Inc.\",\"a, 芯\",N Ltd,x; y,Entity\n";
        let line = "{\"id\":\"N\",\"caption\":\"N Co., Ltd.\",\"schema\":\"Company\",\"datasets\":[\"x\"],\"properties\":{\"ticker\":[\"9.HK\",\"NYSE:\"]}}\n";
        for input in [SPARQL, csv, line] {
            let mut bytes = input.as_bytes().to_vec();
            for (from, length, to) in &cuts {
                let from = from % bytes.len().max(1);
                let piece = bytes.get(from..(from + length).min(bytes.len())).unwrap_or_default().to_vec();
                let to = to % (bytes.len() + 1);
                bytes.splice(to..to, piece);
                bytes.remove(from);
            }
            let ours = Gazetteer::from_files(&[("ours.toml", OURS)]).unwrap();
            let mut importer = Importer::new(&ours);
            let format = [Format::Wikidata, Format::OpenSanctions, Format::Csl][format];
            let _ = read(format, bytes.as_slice(), &mut |row| {
                if let Row::Company(record) = row {
                    importer.add(*record);
                }
            });
            let imported = importer.finish(format, "file", "2026-11-27");
            let found = Draft::from_files(&[("ours.toml", OURS)]).with_overlay(&[("import.toml", &imported.toml)]).problems();
            assert!(found.is_empty(), "{found:#?}\n{}", imported.toml);
        }
    }
}
