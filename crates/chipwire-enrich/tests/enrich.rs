//! Whole articles: title and body as one document, salience, and the same bytes every time.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

#[path = "support/article.rs"]
mod article;

use chipwire_enrich::{Gazetteer, Tagger};
use chipwire_events::{Field, Markup};
use expect_test::{Expect, expect};

use article::article;

fn check(title: &str, body: &str, markup: Markup, expected: Expect) {
    let tagger = Tagger::new(Gazetteer::builtin().unwrap());
    let tagged = tagger.enrich(article(title, body, markup));
    let mut lines = Vec::new();
    for mention in &tagged.mentions {
        let field = if mention.field == Field::Title { title } else { body };
        assert_eq!(&field[mention.start..mention.end], mention.surface);
        lines.push(format!(
            "{:?} {}..{} {} {}",
            mention.field, mention.start, mention.end, mention.entity, mention.surface
        ));
    }
    for entity in &tagged.entities {
        lines.push(format!("{} {:?} {} {}", entity.reference(), entity.salience, entity.score, entity.count));
    }
    expected.assert_eq(&lines.join("\n"));
    assert_eq!(tagged.gazetteer, tagger.gazetteer().digest());
    let again = Tagger::new(Gazetteer::builtin().unwrap()).enrich(article(title, body, markup));
    assert_eq!(serde_json::to_vec(&tagged).unwrap(), serde_json::to_vec(&again).unwrap());
}

#[test]
fn title_and_body_are_one_document() {
    check(
        "Nvidia wins H20 licence",
        "<p>The <b>Commerce&nbsp;Department</b> will grant it.</p><p>Shares rose; the H20 had been halted. Oracle fell.</p>",
        Markup::Html,
        expect![[r#"
            Title 0..6 nvidia Nvidia
            Title 12..15 nvidia-h20 H20
            Body 10..34 us-commerce Commerce&nbsp;Department
            Body 77..80 nvidia-h20 H20
            Body 98..104 oracle Oracle
            chip:nvidia-h20 Primary 0.77 2
            company:nvidia Primary 0.56 1
            policy:us-commerce Secondary 0.34 1
            company:oracle Passing 0.17 1"#]],
    );
}

#[test]
fn a_title_is_short_for_what_the_body_names() {
    check(
        "Commerce announces a rule on servers",
        "The U.S. Department of Commerce will publish it on Friday.",
        Markup::Plain,
        expect![[r#"
            Title 0..8 us-commerce Commerce
            Body 4..31 us-commerce U.S. Department of Commerce
            policy:us-commerce Primary 0.82 2"#]],
    );
    check(
        "Commerce announces a rule on servers",
        "The ministry will publish it on Friday.",
        Markup::Plain,
        expect![""],
    );
}

#[test]
fn an_article_about_something_else_has_nothing() {
    check("Apple growers fear frost", "Orchards in the Hopper valley may lose their crop.", Markup::Plain, expect![""]);
    check("", "", Markup::Html, expect![""]);
}
