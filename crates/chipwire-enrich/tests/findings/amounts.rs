//! Amounts in texts: the cases of `cases/amounts.tsv`.
//!
//! Columns: case, text (a JSON string), expected amounts in the order of the text, `-` for none. An amount is
//! `START-END:VALUE:UNIT`, with byte offsets, and `_` for a space in the unit; the value is `~V` for about V, `LOW..HIGH` with
//! either end left out for a bound; `/PER`, `@kind:id` and `?` (the unit is assumed) follow where there are such.

use chipwire_events::Amount;

use crate::{TAGGER, support};

fn short(amount: &Amount) -> String {
    let about = if amount.about { "~" } else { "" };
    let value = match (&amount.low, &amount.high) {
        (Some(low), Some(high)) if low == high => low.clone(),
        (low, high) => format!("{}..{}", low.as_deref().unwrap_or_default(), high.as_deref().unwrap_or_default()),
    };
    let per = amount.per.as_ref().map(|per| format!("/{per}")).unwrap_or_default();
    let of = amount.of.as_ref().map(|of| format!("@{of}")).unwrap_or_default();
    let assumed = if amount.assumed { "?" } else { "" };
    let unit = amount.unit.replace(' ', "_");
    format!("{}-{}:{about}{value}:{unit}{per}{of}{assumed}", amount.start, amount.end)
}

#[test]
fn every_case_has_its_amounts() {
    support::check_cases("amounts", 70, |text| {
        let findings = TAGGER.enrich(support::article("", text)).findings;
        for amount in &findings.amounts {
            assert_eq!(text[amount.start..amount.end], amount.surface);
        }
        findings.amounts.iter().map(short).collect::<Vec<_>>().join(" ")
    });
}
