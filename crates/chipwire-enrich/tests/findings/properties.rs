//! What must hold for the findings of any text, however hostile.

use chipwire_events::{Field, Findings, Markup};
use proptest::prelude::*;

use crate::{TAGGER, support};

/// Every place in `findings`, with its raw text where that is told.
fn places(findings: &Findings) -> Vec<(Field, usize, usize, Option<&str>)> {
    let mut places = Vec::new();
    for amount in &findings.amounts {
        places.push((amount.field, amount.start, amount.end, Some(amount.surface.as_str())));
    }
    for happening in &findings.happenings {
        places.push((happening.field, happening.start, happening.end, Some(happening.surface.as_str())));
        for slot in &happening.slots {
            places.push((slot.field.unwrap_or(happening.field), slot.start, slot.end, Some(slot.surface.as_str())));
        }
    }
    for pair in &findings.together {
        places.push((pair.field, pair.start, pair.end, None));
    }
    places
}

fn texts() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "Nvidia",
        "TSMC",
        "英伟达",
        "삼성전자",
        "the H20",
        "H100s",
        "Huawei",
        "Commerce Department",
        "the Entity List",
        "U.S.",
        "China",
        "$",
        "US$",
        "€ ",
        "¥",
        "NT$",
        "RMB ",
        "12",
        "1,000",
        "5.5",
        "20,00",
        "1,26,000",
        "½",
        "００",
        "12-14",
        "8x",
        "3nm",
        " billion",
        "bn",
        " million",
        "m",
        "万亿",
        "億",
        "조",
        " 2000억",
        "多",
        "元",
        "円",
        "원",
        " dollars",
        "%",
        " per cent",
        " percentage points",
        "GB",
        "/s",
        " units",
        " chips",
        " a month",
        " to ",
        "-",
        "–",
        "~",
        "about ",
        "up to ",
        "half a ",
        "two ",
        "from ",
        "between ",
        " and ",
        ",",
        ", ",
        ". ",
        "。",
        "；",
        " ",
        "\n\n",
        "<b>",
        "</b>",
        "<p>",
        "&amp;",
        "&nbsp;",
        "&#8217;",
        " sues ",
        " will not ",
        " bans exports of ",
        " to invest ",
        " in ",
        " launches ",
        " adds ",
        " to ",
        " acquires ",
        "\u{301}",
        "İ",
        "\u{feff}",
        "₩",
    ]);
    prop::collection::vec(prop_oneof![8 => parts.prop_map(str::to_owned), 1 => any::<String>()], 0..40)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_place_is_a_part_of_the_raw_text(title in texts(), body in texts(), html in any::<bool>()) {
        let mut article = support::article(&title, &body);
        article.markup = if html { Markup::Html } else { Markup::Plain };
        let findings = TAGGER.enrich(article).findings;
        for (field, start, end, surface) in places(&findings) {
            let text = if field == Field::Title { &title } else { &body };
            let written = text.get(start..end);
            prop_assert!(written.is_some_and(|written| !written.is_empty()), "{start}..{end} of {text:?}");
            prop_assert!(surface.is_none() || surface == written);
        }
        for amount in &findings.amounts {
            prop_assert!(amount.low.is_some() || amount.high.is_some());
        }
        for happening in &findings.happenings {
            prop_assert!(!happening.slots.is_empty() && (0.0..=1.0).contains(&happening.confidence));
        }
    }
}

/// A part that is as long again takes about as long again: no text of half a megabyte takes minutes.
#[test]
fn hostile_texts_take_no_longer_than_others() {
    let parts = [
        "1",
        "1,",
        "1.",
        "1 000 ",
        "$1-",
        "$1 to ",
        "9 ",
        "two ",
        "1万",
        "1억",
        "Nvidia ",
        "Nvidia 1% ",
        "Nvidia sues TSMC ",
        "12-",
        "¥1 ",
        "5 new new new ",
        "H20 ",
        "from 1% to ",
        "U.S. bans ",
        "Nvidia and ",
        "- ",
        "H20 revenue soared. ",
        "foreign direct product (FDP) ",
        "证券代码:",
        "und Nvidias ",
        "𠀀",
    ];
    for part in parts {
        let text = part.repeat(500_000 / part.len());
        let start = std::time::Instant::now();
        let findings = TAGGER.enrich(support::article("", &text)).findings;
        assert!(start.elapsed().as_secs() < 10, "{part:?} takes {:?}", start.elapsed());
        assert!(findings.amounts.len() <= 256 && findings.happenings.len() <= 64 && findings.together.len() <= 128);
    }
}
