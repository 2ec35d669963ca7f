//! Entities of the same sentence.

use chipwire_events::Field;
use expect_test::{Expect, expect};

use crate::{TAGGER, support};

fn check(title: &str, body: &str, expected: Expect) {
    let findings = TAGGER.enrich(support::article(title, body)).findings;
    let told = findings.together.iter().map(|pair| {
        let text = if pair.field == Field::Title { title } else { body };
        format!("{} {} {} {:?}", pair.a, pair.b, pair.count, &text[pair.start..pair.end])
    });
    expected.assert_eq(&told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn pairs_are_counted_by_sentence() {
    check(
        "Nvidia and TSMC",
        "Nvidia met TSMC and Nvidia met Samsung. Qualcomm was absent. TSMC supplies Nvidia, it said.",
        expect![[r#"
            company:nvidia company:tsmc 3 "Nvidia and TSMC"
            company:nvidia company:samsung 1 "Nvidia met TSMC and Nvidia met Samsung"
            company:samsung company:tsmc 1 "Nvidia met TSMC and Nvidia met Samsung""#]],
    );
}

#[test]
fn a_vendor_in_the_name_of_its_chip_is_not_beside_it() {
    check("", "The Huawei Ascend 910C is late.", expect![""]);
    check(
        "",
        "The Huawei Ascend 910C is made by SMIC.",
        expect![[r#"
            chip:huawei-ascend-910c company:smic 1 "The Huawei Ascend 910C is made by SMIC"
            company:huawei company:smic 1 "The Huawei Ascend 910C is made by SMIC""#]],
    );
}

#[test]
fn who_tells_it_is_beside_nobody() {
    check(
        "",
        "SEOUL (Yonhap) - Nvidia met Samsung, TrendForce said, and told Reuters so.",
        expect![[r#"
        company:nvidia company:samsung 1 "SEOUL (Yonhap) - Nvidia met Samsung, TrendForce said, and told Reuters so""#]],
    );
    check("", "Reuters sued OpenAI.", expect![[r#"company:openai company:reuters 1 "Reuters sued OpenAI""#]]);
}

#[test]
fn many_names_make_no_more_pairs_than_are_allowed() {
    let names = [
        "Nvidia",
        "TSMC",
        "Samsung",
        "Qualcomm",
        "Huawei",
        "SMIC",
        "ASML",
        "MediaTek",
        "Broadcom",
        "Kioxia",
        "Foxconn",
        "CXMT",
        "YMTC",
        "SoftBank",
        "SK Hynix",
        "OpenAI",
        "Infineon",
        "Wolfspeed",
        "Renesas",
        "GlobalFoundries",
    ];
    let sentence = format!("{}. ", names.join(", "));
    let one = TAGGER.enrich(support::article("", &sentence)).findings.together;
    assert_eq!(one.len(), 16 * 15 / 2);
    let mut text = sentence.repeat(500);
    text.push_str(&names.iter().rev().map(|name| format!("{name} and Nvidia and Wolfspeed. ")).collect::<String>());
    let many = TAGGER.enrich(support::article("", &text)).findings.together;
    assert_eq!(many.len(), 128);
    assert!(many[0].count >= 500);
}
