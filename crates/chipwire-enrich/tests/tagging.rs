//! The rules of the tagger, one by one, on a small gazetteer of their own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use chipwire_enrich::{Gazetteer, Tagger};
use expect_test::{Expect, expect};
use proptest::prelude::*;

const COMPANIES: &str = r#"
kind = "company"
legal_tail = true

[[entity]]
id = "nvidia"
name = "NVIDIA"
tickers = ["NASDAQ:NVDA"]
aliases = [{ text = "Nvidia", mode = "free" }, { text = "英伟达", mode = "free" }, { text = "엔비디아", mode = "free" }]

[[entity]]
id = "tencent"
name = "Tencent"
tickers = ["HKEX:0700"]
aliases = [{ text = "Tencent", mode = "free" }]

[[entity]]
id = "intel"
name = "Intel"
tickers = ["NASDAQ:INTC", "EPA:INT"]
aliases = [{ text = "Intel", mode = "cased" }]
cues = ["chip*", "shares"]

[[entity]]
id = "oracle"
name = "Oracle"
tickers = ["NYSE:ORCL", "TWSE:0700"]
aliases = [{ text = "Oracle", mode = "cue" }]
cues = ["cloud", "database*"]
against = ["omaha", "delphi"]

[[entity]]
id = "arm"
name = "Arm Holdings"
aliases = [{ text = "Arm Holdings", mode = "free" }, { text = "Arm", mode = "cue", case = true }]
cues = ["chip*", "licen*"]
against = ["investment"]

[[entity]]
id = "reuters"
name = "Reuters"
type = "media"
aliases = [{ text = "Reuters", mode = "free" }]

[[entity]]
id = "air-products"
name = "Air Products"
aliases = [{ text = "Air Products", mode = "free" }, { text = "Silver Lake", mode = "free" }]

[[entity]]
id = "acm"
name = "ACM Research (Shanghai)"
aliases = [{ text = "ACM Research (Shanghai)", mode = "free" }]
"#;

const CHIPS: &str = r#"
kind = "chip"

[[entity]]
id = "h20"
name = "NVIDIA H20"
vendor = "nvidia"
aliases = [{ text = "Nvidia H20", mode = "free" }, { text = "H20", mode = "cue", plural = true }]
cues = ["gpu*", "chip*"]
against = ["hotel", "room", "water"]

[[entity]]
id = "hopper"
name = "NVIDIA Hopper"
vendor = "nvidia"
aliases = [{ text = "Hopper", mode = "cue" }]
cues = ["gpu*"]

[[entity]]
id = "tomahawk"
name = "Tomahawk"
vendor = "arm"
aliases = [{ text = "Tomahawk", mode = "cue" }]
cues = ["switch*", "emib"]

[[entity]]
id = "emib"
name = "EMIB"
vendor = "intel"
aliases = [{ text = "EMIB", mode = "free" }, { text = "嵌入式多芯片", mode = "free" }]
"#;

const POLICIES: &str = r#"
kind = "policy"

[[entity]]
id = "us-bis"
name = "Bureau of Industry and Security"
jurisdiction = "US"
aliases = [{ text = "Bureau of Industry and Security", mode = "free" }, { text = "BIS", mode = "cue", case = true }]
cues = ["entity list", "export*"]
against = ["basel", "central bank*"]

[[entity]]
id = "basel"
name = "Bank for International Settlements"
negative = true
aliases = [{ text = "Bank for International Settlements", mode = "free" }]

[[entity]]
id = "us-list"
name = "Entity List"
jurisdiction = "US"
aliases = [{ text = "Entity List", mode = "free" }]

[[entity]]
id = "cn-list"
name = "Unreliable Entity List"
aliases = [{ text = "Unreliable Entity List", mode = "free" }]

[[entity]]
id = "us-controls"
name = "U.S. export controls"
aliases = [{ text = "U.S. export controls", mode = "free" }]

[[entity]]
id = "cn-controls"
name = "Chinese export controls"

[[entity]]
id = "xx-controls"
name = "export controls"
aliases = [{ text = "export controls", mode = "free" }, { text = "出口管制", mode = "free" }]
by_country = { US = "us-controls", CN = "cn-controls", BR = "" }

[[entity]]
id = "us-fcc"
name = "FCC"
jurisdiction = "US"
aliases = [{ text = "FCC", mode = "cue" }]
cues = ["telecom*"]

[[entity]]
id = "uk-aria"
name = "ARIA"
jurisdiction = "UK"
aliases = [{ text = "ARIA", mode = "cue" }]
cues = ["research*"]

[[entity]]
id = "us-commerce"
name = "Department of Commerce"
jurisdiction = "US"
aliases = [{ text = "Department of Commerce", mode = "free" }, { text = "Commerce", mode = "after" }]
against = ["licences"]

[[entity]]
id = "cn-mofcom"
name = "Ministry of Commerce of China"
aliases = [{ text = "China's Ministry of Commerce", mode = "free" }, { text = "ministry", mode = "after" }]

[[entity]]
id = "kr-motie"
name = "Ministry of Trade of South Korea"
aliases = [
    { text = "South Korea's Ministry of Trade", mode = "free" },
    { text = "Hong Kong's Ministry of Trade", mode = "free" },
    { text = "ministry", mode = "after" },
]

[[entity]]
id = "us-exim"
name = "Export-Import Bank"
aliases = [{ text = "Export-Import Bank", mode = "free" }]
"#;

fn tagger() -> Tagger {
    let files = [("companies.toml", COMPANIES), ("chips.toml", CHIPS), ("policies.toml", POLICIES)];
    Tagger::new(Gazetteer::from_files(&files).unwrap())
}

/// Each mention as `entity=surface`.
fn check(text: &str, expected: Expect) {
    let mentions = tagger().tag_text(text);
    let lines: Vec<String> = mentions.iter().map(|m| format!("{}={}", m.entity, m.surface)).collect();
    expected.assert_eq(&lines.join(" | "));
}

#[test]
fn tickers_are_found_in_every_form_and_never_bare() {
    check(
        "(NASDAQ: NVDA), Nasdaq:NVDA, NVDA.O, $NVDA, #NVDA, NVDA US Equity, (NVDA US), NVDA:US",
        expect![
            "nvidia=NASDAQ: NVDA | nvidia=Nasdaq:NVDA | nvidia=NVDA.O | nvidia=$NVDA | nvidia=#NVDA | nvidia=NVDA US Equity | nvidia=NVDA US | nvidia=NVDA:US"
        ],
    );
    check(
        "HK:0700, HKG: 700, 00700.HK, 0700.HK, (700 HK), 港交所：00700",
        expect![
            "tencent=HK:0700 | tencent=HKG: 700 | tencent=00700.HK | tencent=0700.HK | tencent=700 HK | tencent=港交所：00700"
        ],
    );
    // Behind it is how its price changed.
    check("NVDA +4%, GDP +2%, ORCL –2.9%", expect!["nvidia=NVDA | oracle=ORCL"]);
    check("ORCL -2.9%", expect!["oracle=ORCL"]);
    check("ORCL - 2%, ORCL 2%", expect![[""]]);
    // Of two exchanges, one code.
    check(
        "Tencent (0700), Oracle <ORCL>, and its cloud database: Oracle (0700)",
        expect!["tencent=Tencent | tencent=0700 | oracle=Oracle | oracle=ORCL | oracle=Oracle | oracle=0700"],
    );
    check(
        "Intel (Euronext Paris: INT) and INT, but Paris: INT, Euronext Amsterdam: INT and Photonics-INT",
        expect!["intel=Intel | intel=Euronext Paris: INT | intel=INT | intel=INT | intel=INT"],
    );
    check("(700-HK), (NVDA-US, Buy)", expect!["tencent=700-HK | nvidia=NVDA-US"]);
    check("NVDA, 0700, 700 HK dollars, A$NVDA, NVDA.XX, hk:0700, NVDA.O2, NVDA-US", expect![[""]]);
    check(
        "Nvidia Corp <NVDA> and Nvidia (NVDA) but Tencent (NVDA)",
        expect!["nvidia=Nvidia Corp | nvidia=NVDA | nvidia=Nvidia | nvidia=NVDA | tencent=Tencent"],
    );
}

#[test]
fn possessives_and_legal_forms() {
    check(
        "Nvidia's and Nvidia’s, Nvidia Corp.'s, Tencent Holdings Ltd., Nvidia Co., Ltd. said",
        expect![
            "nvidia=Nvidia | nvidia=Nvidia | nvidia=Nvidia Corp. | tencent=Tencent Holdings Ltd. | nvidia=Nvidia Co., Ltd."
        ],
    );
    check(
        "the Nvidia Company Rating, Nvidia group sales, Nvidia se vende",
        expect!["nvidia=Nvidia | nvidia=Nvidia | nvidia=Nvidia"],
    );
    check("Oracle Corp reported.", expect!["oracle=Oracle Corp"]);
}

#[test]
fn cased_names_need_a_cue_in_capitals() {
    check("Intel said", expect!["intel=Intel"]);
    check("intel said so", expect![""]);
    check("OFFICIALS SAY INTEL WAS THIN ON RAIDS", expect![""]);
    check("INTEL SHARES JUMP AFTER NEW GUIDANCE", expect!["intel=INTEL"]);
    check("Mr. Intel and John Intel met", expect![""]);
}

#[test]
fn cues_decide_near_before_far() {
    check("Oracle rents cloud servers. Later, Oracle rose.", expect!["oracle=Oracle | oracle=Oracle"]);
    check("Oracle rents cloud servers. The Oracle of Omaha sold.", expect!["oracle=Oracle"]);
    check("The Oracle spoke at Delphi.", expect![""]);
    check("an oracle for the cloud", expect![""]);
    check("Its investment Arm bought chips.", expect![""]);
    check("Arm sells chip licences. My Arm-based laptop.", expect!["arm=Arm | arm=Arm"]);
    check("Room H20 has water.", expect![""]);
}

#[test]
fn a_sure_vendor_unlocks_its_codes() {
    check("Nvidia will resume. The H20 comes first, then Hopper.", expect!["nvidia=Nvidia | h20=H20 | hopper=Hopper"]);
    check("Nvidia hired Edward Hopper; Grace Hopper was an admiral.", expect!["nvidia=Nvidia"]);
    check("The H20 comes first.", expect![""]);
}

#[test]
fn codes_are_whole() {
    check(
        "H20 chips: H20-20, H2020, H20.5, H2O, H20s, H20-based, 8×H20, 8xH20, H20-96GB, Nvidia-H20, Nvidia H20",
        expect![
            "h20=H20 | h20=H20s | h20=H20 | h20=H20 | h20=H20 | h20=H20 | nvidia=Nvidia | h20=H20 | nvidia=Nvidia | h20=Nvidia H20"
        ],
    );
}

#[test]
fn definitions_hold_for_the_whole_text() {
    check(
        "The Bureau of Industry and Security (BIS) met. BIS rose.",
        expect!["us-bis=Bureau of Industry and Security | us-bis=BIS | us-bis=BIS"],
    );
    check(
        "The Bank for International Settlements (BIS) met. BIS rose. Later the BIS spoke of weak exports.",
        expect![""],
    );
    check("The Bureau of Indian Standards (BIS) met on exports.", expect![""]);
    check("BIS (Bureau of Indian Standards) met on exports.", expect![""]);
    // As lawyers write it.
    check(
        "The Bureau of Industry and Security (“BIS”) met. BIS rose.",
        expect!["us-bis=Bureau of Industry and Security | us-bis=BIS | us-bis=BIS"],
    );
    check(
        "The Bureau of Industry and Security (the \"BIS\") met. BIS rose.",
        expect!["us-bis=Bureau of Industry and Security | us-bis=BIS | us-bis=BIS"],
    );
    check("The Bureau of Indian Standards (“BIS”) met on exports.", expect![[""]]);
    // An acronym that the gazetteer does not have.
    check(
        "The Bureau of Industry and Security (the “BOIS”) met. BOIS rose.",
        expect!["us-bis=Bureau of Industry and Security | us-bis=BOIS | us-bis=BOIS"],
    );
    check(
        "The Bureau of Industry and Security (“BOIS met”) met. BOIS rose.",
        expect!["us-bis=Bureau of Industry and Security"],
    );
}

#[test]
fn the_longest_name_wins() {
    check(
        "the Unreliable Entity List and the Entity List",
        expect!["cn-list=Unreliable Entity List | us-list=Entity List"],
    );
}

#[test]
fn the_country_decides_whose_rule_it_is() {
    check(
        "U.S. export controls and US export controls",
        expect!["us-controls=U.S. export controls | us-controls=US export controls"],
    );
    check("China's new export controls hit Japan.", expect!["cn-controls=export controls"]);
    check("Washington tightened export controls on China.", expect!["us-controls=export controls"]);
    check("Export controls on China hurt Nvidia.", expect!["us-controls=Export controls | nvidia=Nvidia"]);
    check("Micron fears more China export controls from Washington.", expect!["us-controls=export controls"]);
    check("Brazil's export controls on coffee", expect![""]);
    check("export controls in general", expect!["xx-controls=export controls"]);
}

#[test]
fn goods_come_from_a_country_and_rules_too() {
    check("Export controls on chips from China hurt Nvidia.", expect!["us-controls=Export controls | nvidia=Nvidia"]);
    check("Export controls from China hurt Nvidia.", expect!["cn-controls=Export controls | nvidia=Nvidia"]);
}

#[test]
fn a_comma_bounds_the_country_in_chinese() {
    check("美国宣布将进一步扩大出口管制，中国抗议。", expect!["us-controls=出口管制"]);
    check("美国抗议，中国宣布将进一步扩大出口管制。", expect!["cn-controls=出口管制"]);
}

#[test]
fn whose_it_is_is_not_in_the_name() {
    check(
        "China's Ministry of Commerce, South Korea’s Ministry of Trade and Hong Kong's Ministry of Trade",
        expect!["cn-mofcom=Ministry of Commerce | kr-motie=Ministry of Trade | kr-motie=Ministry of Trade"],
    );
}

#[test]
fn only_what_is_related_vouches_alone() {
    check("Oracle told Reuters so. It rained. The cloud grew.", expect!["reuters=Reuters"]);
    check("Oracle told Reuters so. The cloud grew.", expect!["oracle=Oracle | reuters=Reuters"]);
    check("Oracle told Intel so.", expect!["intel=Intel"]);
    check(
        "Oracle told Intel, which told Tencent and Nvidia.",
        expect!["intel=Intel | tencent=Tencent | nvidia=Nvidia"],
    );
    check("Oracle told Intel so. The cloud grew.", expect!["oracle=Oracle | intel=Intel"]);
    check("A Tomahawk flew beside the H20 of Nvidia.", expect!["h20=H20 | nvidia=Nvidia"]);
    check("A Tomahawk lies on 嵌入式多芯片 parts.", expect!["tomahawk=Tomahawk | emib=嵌入式多芯片"]);
    check("The Entity List is not for FCC staff.", expect!["us-list=Entity List | us-fcc=FCC"]);
    check("The Entity List is not for ARIA the singer.", expect!["us-list=Entity List"]);
}

#[test]
fn what_is_listed_together_is_of_one_kind() {
    check("Oracle, Intel and others rose.", expect!["oracle=Oracle | intel=Intel"]);
    check("Intel and Oracle rose.", expect!["intel=Intel | oracle=Oracle"]);
    check("Reuters and Oracle met.", expect!["reuters=Reuters"]);
    check("The Entity List and Oracle met.", expect!["us-list=Entity List"]);
}

#[test]
fn a_legal_form_behind_another_word_is_of_another_firm() {
    check("Oracle Products Inc rents cloud servers. Oracle grew.", expect![""]);
    check("Oracle Silver Inc rents cloud servers.", expect![""]);
    check("Some GPU talk was heard that day on the shore of Hopper Lake.", expect![""]);
    check("Oracle Intel Corp cloud talks went on.", expect!["oracle=Oracle | intel=Intel Corp"]);
    check("Cloud Maker Oracle Sues Intel Corp Over Servers", expect!["oracle=Oracle | intel=Intel Corp"]);
}

#[test]
fn short_names_count_after_the_full_one() {
    check(
        "The Department of Commerce met. On Monday Commerce said no, and Commerce officials left. Commerce added more.",
        expect![
            "us-commerce=Department of Commerce | us-commerce=Commerce | us-commerce=Commerce | us-commerce=Commerce"
        ],
    );
    check("Commerce said no. The Department of Commerce met.", expect!["us-commerce=Department of Commerce"]);
    for text in [
        "Commerce between nations grew.",
        "It helps commerce.",
        "The Chamber of Commerce met.",
        "It banks with Commerce Bank.",
        "Its rival Texan Commerce met.",
        "It left Commerce of all kinds.",
        "It asked Commerce licences.",
        "China's Ministry of Commerce met, and Commerce rose.",
    ] {
        let text = format!("The Department of Commerce met. {text}");
        let found = tagger().tag_text(&text);
        assert_eq!(found.iter().filter(|mention| mention.entity == "us-commerce").count(), 1, "{text}");
    }
    check(
        "China's Ministry of Commerce met. The ministry said so. A foreign ministry said no. The ministry agreed.",
        expect!["cn-mofcom=Ministry of Commerce | cn-mofcom=ministry"],
    );
    check(
        "China's Ministry of Commerce wrote to South Korea's Ministry of Trade. The ministry wrote back.",
        expect!["cn-mofcom=Ministry of Commerce | kr-motie=Ministry of Trade | kr-motie=ministry"],
    );
}

#[test]
fn a_short_dash_between_words_is_a_hyphen() {
    check(
        "Export–Import Bank, Export‑Import Bank, Export‐Import Bank, Export−Import Bank, Export—Import Bank",
        expect![
            "us-exim=Export–Import Bank | us-exim=Export‑Import Bank | us-exim=Export‐Import Bank | us-exim=Export−Import Bank | us-exim=Export—Import Bank"
        ],
    );
    check("Export – Import Bank, Export — Import Bank, Export− Import Bank", expect![""]);
    check("One firm—Oracle—rents cloud servers.", expect!["oracle=Oracle"]);
    check("The firm Neo–Oracle rents cloud servers.", expect![""]);
    check("Nvidia–H20 pods", expect!["nvidia=Nvidia | h20=H20"]);
}

#[test]
fn a_bracket_that_ends_a_name_is_in_it() {
    check(
        "ACM Research (Shanghai) rose, ACM Research (Shanghai), Inc. fell, and ACM Research（Shanghai）too",
        expect!["acm=ACM Research (Shanghai) | acm=ACM Research (Shanghai), Inc. | acm=ACM Research（Shanghai）"],
    );
}

#[test]
fn nothing_inside_words_addresses_or_over_paragraphs() {
    check(
        "nvidiachips, https://nvidia.com/Nvidia, www.nvidia.com, nvidia.com/h20, nvidia.com, x@nvidia.com",
        expect![""],
    );
    check(
        "Entity\nList and Entity\r\n  List but Entity\n\nList",
        expect!["us-list=Entity\nList | us-list=Entity\r\n  List"],
    );
    check("<p>Entity</p><p>List</p> Entity. List", expect![""]);
    check("@nvidia and @Oracle", expect!["nvidia=@nvidia | oracle=@Oracle"]);
}

#[test]
fn scripts_part_words() {
    check("英伟达H20芯片和엔비디아의 GPU, 엔비디아코인", expect!["nvidia=英伟达 | h20=H20 | nvidia=엔비디아"]);
}

#[test]
fn markup_and_typography_are_no_obstacle() {
    check(
        "<b>Nvi</b>dia&nbsp;H20, Nvidia® H20, Ｎｖｉｄｉａ, Nvi\u{ad}dia",
        expect![
            "nvidia=Nvi</b>dia | h20=Nvi</b>dia&nbsp;H20 | nvidia=Nvidia | h20=Nvidia® H20 | nvidia=Ｎｖｉｄｉａ | nvidia=Nvi\u{ad}dia"
        ],
    );
    check("Nvidia H<sub>2</sub>0 and H₂0", expect!["nvidia=Nvidia"]);
}

fn text() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "Nvidia",
        "H20",
        "H20s",
        "Oracle",
        "cloud",
        "BIS",
        "Bureau of Industry and Security",
        "(",
        ")",
        " ",
        ". ",
        ", ",
        "\n\n",
        "Corp.",
        "Inc",
        "Co., Ltd.",
        "-",
        "'s",
        "’s",
        "<b>",
        "</b>",
        "<p>",
        "&amp;",
        "&#8217;",
        "英伟达",
        "エヌ",
        "엔비디아",
        "와",
        "$NVDA",
        "NASDAQ:",
        "NVDA",
        ".O",
        "@",
        "#",
        "https://",
        "export controls",
        "China",
        "U.S.",
        "\u{301}",
        "\u{feff}",
        "โ",
        "€",
        "™",
        "İ",
        "ß",
    ]);
    prop::collection::vec(prop_oneof![5 => parts.prop_map(str::to_owned), 1 => any::<String>()], 0..40)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn mentions_are_slices_in_order(text in text()) {
        let mentions = tagger().tag_text(&text);
        for mention in &mentions {
            prop_assert_eq!(text.get(mention.start..mention.end), Some(mention.surface.as_str()));
            prop_assert!((0.0..=1.0).contains(&mention.confidence));
            prop_assert!(!mention.reasons.is_empty());
        }
        prop_assert!(mentions.is_sorted_by_key(|mention| (mention.start, mention.end)));
    }
}

#[test]
fn what_is_not_tagged_says_why() {
    let check = |text: &str, expected: &Expect| {
        let explained = tagger().explain_text(text);
        assert_eq!(explained.mentions, tagger().tag_text(text), "an explanation changes nothing");
        let mut shown = String::new();
        for place in &explained.suppressed {
            assert_eq!(text.get(place.start..place.end), Some(place.surface.as_str()));
            let (reasons, against) = (place.reasons.join(", "), place.against.join(", "));
            let (surface, entity, why) = (&place.surface, &place.entity, &place.why);
            shown.push_str(&format!("{surface} = {entity}? {why} [{reasons}] [{against}]\n"));
        }
        expected.assert_eq(&shown);
    };
    check("Nvidia sells chips.", &expect![""]);
    check(
        "The H20 in the corridor leaks.",
        &expect![[r#"
        H20 = h20? nothing speaks for it [] []
    "#]],
    );
    check(
        "Guests of room H20 pay for water; Nvidia is not among them.",
        &expect![[r#"
        H20 = h20? more speaks against it than for it [vendor:nvidia] [against:room, against:water]
    "#]],
    );
    check(
        "The Oracle of Omaha spoke at Delphi.",
        &expect![[r#"
        Oracle = oracle? more speaks against it than for it [] [against:omaha, against:delphi]
    "#]],
    );
    check(
        "The Bank for International Settlements (BIS) met. BIS spoke.",
        &expect![[r#"
        Bank for International Settlements = basel? it means Bank for International Settlements, which is told apart and not tagged [alias:free] []
        BIS = us-bis? the text says that it stands for something else [] []
        BIS = us-bis? more speaks against it than for it [] [defined-otherwise]
    "#]],
    );
    check(
        "China's Unreliable Entity List grew.",
        &expect![[r#"
        Entity List = us-list? it is part of the name of Unreliable Entity List [] []
    "#]],
    );
}

#[test]
fn cues_speak_for_a_short_name_though_the_full_one_needs_none() {
    let tagger = Tagger::new(Gazetteer::builtin().unwrap());
    let text = "The U.S. International Trade Commission opened an inquiry. A complaint was filed with the Commission.";
    let mentions = tagger.tag_text(text);
    let reasons = |surface: &str| mentions.iter().find(|mention| mention.surface == surface).unwrap().reasons.clone();
    assert_eq!(reasons("U.S. International Trade Commission"), ["alias:free"]);
    assert_eq!(reasons("Commission"), ["alias:after", "full-name", "cue:complaint"]);
    // Where nothing is named in full there is nothing that it is short for.
    assert!(tagger.tag_text("A complaint was filed with the Commission.").is_empty());
}
