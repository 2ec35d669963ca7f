//! What words texts are made of.

use expect_test::{Expect, expect};

use crate::{Pattern, analyze::tokenize};

fn check(text: &str, expected: Expect) {
    let tokens = tokenize(text);
    for token in &tokens {
        assert!(text.is_char_boundary(token.start) && text.is_char_boundary(token.end) && token.start < token.end);
    }
    let shown: Vec<String> = tokens.iter().map(|t| format!("{}@{}", t.text, t.position)).collect();
    expected.assert_eq(&shown.join(" "));
}

#[test]
fn words_are_folded_and_codes_stay_whole() {
    check("Nvidia H20 and A100-SXM4", expect!["nvidia@0 h20@1 and@2 a100@3 sxm4@4"]);
    check("Würth, Łódź, Ærø, Straße, CAFÉ, Cafe\u{301}", expect!["wurth@0 lodz@1 aero@2 strasse@3 cafe@4 cafe@5"]);
    check("ＡＭＤ ﬁnal ² ½", expect!["amd@0 final@1 2@2 1⁄2@3"]);
    check("semi\u{AD}conductor zero\u{200B}width", expect!["semiconductor@0 zero@1 width@2"]);
    check("3.5nm, 1,000; C++ foo_bar", expect!["3@0 5nm@1 1@2 000@3 c@4 foo@5 bar@6"]);
    check("ΣΊΣΥΦΟΣ Москва हिन्दी עִבְרִית", expect!["σισυφοσ@0 москва@1 हिन्दी@2 עִבְרִית@3"]);
    check("— … ™ !", expect![""]);
}

#[test]
fn possessives_go_and_other_apostrophes_separate() {
    check(
        "Nvidia's Nvidia’s NVIDIA'S companies' O'Brien don't it's's",
        expect!["nvidia@0 nvidia@1 nvidia@2 companies@3 o@4 brien@5 don@6 t@7 it@8 s@9"],
    );
    check("China's芯片 H20's", expect!["china@0 芯@1 芯片@1 片@2 h20@3"]);
}

#[test]
fn dotted_letters_are_one_word() {
    check(
        "U.S. U.S U.S.-China U.S.'s A.I. e.g. J.P. Morgan",
        expect!["us@0 us@1 us@2 china@3 us@4 ai@5 eg@6 jp@7 morgan@8"],
    );
    check("v1.2.A.b x.com I. Am No.A.", expect!["v1@0 2@1 ab@2 x@3 com@4 i@5 am@6 no@7 a@8"]);
}

#[test]
fn unspaced_scripts_give_singles_and_pairs() {
    check("华为芯片", expect!["华@0 华为@0 为@1 为芯@1 芯@2 芯片@2 片@3"]);
    check("华为 H20芯片，出口。中", expect!["华@0 华为@0 为@1 h20@2 芯@3 芯片@3 片@4 出@5 出口@5 口@6 中@7"]);
    check(
        "サーバー市場 ｻｰﾊﾞｰ",
        expect![
            "サ@0 サー@0 ー@1 ーバ@1 バ@2 バー@2 ー@3 ー市@3 市@4 市場@4 場@5 サ@6 サー@6 ー@7 ーバ@7 バ@8 バー@8 ー@9"
        ],
    );
    check("삼성전자 \u{1112}\u{1161}\u{11AB}국", expect!["삼@0 삼성@0 성@1 성전@1 전@2 전자@2 자@3 한@4 한국@4 국@5"]);
    check("ที่ดี", expect!["ที่@0 ที่ดี@0 ดี@1"]);
}

#[test]
fn patterns_keep_what_is_needed() {
    fn pattern(text: &str, expected: Expect) {
        let terms: Vec<String> = Pattern::term(text).terms.iter().map(|t| format!("{}@{}", t.text, t.offset)).collect();
        expected.assert_eq(&terms.join(" "));
    }
    pattern("HBM3E-12Hi", expect!["hbm3e@0 12hi@1"]);
    pattern("华", expect!["华@0"]);
    pattern("华为", expect!["华为@0"]);
    pattern("华为芯片", expect!["华为@0 为芯@1 芯片@2"]);
    pattern("华为 芯 H20芯片", expect!["华为@0 芯@2 h20@3 芯片@4"]);
}

#[test]
fn offsets_are_those_of_the_raw_text() {
    let text = "The “Würth’s” ＣＰＵ 芯片";
    let shown: Vec<String> = tokenize(text).iter().map(|t| format!("{}={}", t.text, &text[t.start..t.end])).collect();
    expect!["the=The wurth=Würth cpu=ＣＰＵ 芯=芯 芯片=芯片 片=片"].assert_eq(&shown.join(" "));
}

#[test]
fn endless_words_are_cut_alike_everywhere() {
    let long = "é".repeat(5000);
    let longer = format!("{long}{}", "x".repeat(100));
    assert_eq!(tokenize(&long)[0].text, tokenize(&longer)[0].text);
    assert_eq!(tokenize(&long)[0].text.len(), 128);
    assert_eq!(tokenize(&long)[0].end, long.len());
}
