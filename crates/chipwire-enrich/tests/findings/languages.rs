//! The language of texts: the cases of `cases/languages.tsv`, with the tag that is expected, `-` for none.

use crate::{TAGGER, support};

#[test]
fn every_case_has_its_language() {
    support::check_cases("languages", 40, |text| {
        let language = TAGGER.enrich(support::article("", text)).findings.language;
        language
            .map(|language| {
                assert!(language.confidence > 0.0 && language.confidence < 1.0);
                language.tag
            })
            .unwrap_or_default()
    });
}

#[test]
fn what_the_feed_says_is_kept_apart() {
    let mut article = support::article("", "Der Konzern baut in Dresden eine Fabrik und stellt dort auch Leute ein.");
    article.language = Some("en".to_owned());
    let tagged = TAGGER.enrich(article);
    assert_eq!(tagged.article.language.as_deref(), Some("en"));
    assert_eq!(tagged.findings.language.unwrap().tag, "de");
}
