use super::{extract, extract_bytes};

#[test]
fn nothing_is_an_answer_too() {
    for (page, expected) in [
        ("", "the page is empty"),
        (" \n ", "the page is empty"),
        ("<html><body></body></html>", "the page has no article: no text in it stands out as the main one"),
    ] {
        assert_eq!(extract(page, None).unwrap_err().to_string(), expected, "{page}");
    }
}

#[test]
fn the_encoding_is_that_of_the_page() {
    let body = "Die Prüfung der Übernahme dauert länger als gedacht, sagte die Behörde. ".repeat(12);
    let page = format!(
        "<html><head><meta charset=\"iso-8859-1\"><title>Prüfung</title></head><body><p>{body}</p></body></html>"
    );
    let latin: Vec<u8> = page.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let read = extract_bytes(&latin, Some("text/html"), None).unwrap();
    assert_eq!(read.title, "Prüfung");
    assert!(read.text.contains("länger als gedacht"), "{}", read.text);
}

/// What would make a tree of gigabytes, a stack of a million frames or a loop of hours.
#[test]
fn hostile_pages_come_to_an_end() {
    let formatting: String = (0..3_000).map(|number| format!("<b a={number}><p>x")).collect();
    let links: String = (0..3_000).map(|number| format!("<a href=/{number}>link {number}<div>")).collect();
    let nested = "{\"@graph\":[".repeat(5_000);
    let repeated = |piece: &str, times: usize| piece.repeat(times);
    for (what, page) in [
        ("formatting", formatting),
        ("links", links),
        ("depth", repeated("<div>", 30_000) + "text"),
        ("quotes", repeated("<blockquote><p>x", 5_000)),
        ("tables", repeated("<table><tr><td>", 5_000) + "text"),
        ("lists", repeated("<ul><li>x", 5_000)),
        ("breaks", repeated("a<br>", 3_000)),
        ("attributes", format!("<p {}>text", repeated("a=b ", 100_000))),
        ("text", repeated("word, ", 100_000)),
        ("line", repeated("x", 1_000_000)),
        ("classes", repeated("<div class='comment related cookie'><p>text, text</p></div>", 1_000)),
        ("json", format!("<script type='application/ld+json'>{nested}</script>")),
        ("control", repeated("\u{0}<p>\u{1b}[2J", 2_000)),
    ] {
        if let Ok(read) = extract(&page, None) {
            assert!(read.text.len() <= page.len(), "{what}: {} bytes", read.text.len());
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    #[test]
    fn no_page_makes_it_panic(
        page in "([<>&;'\"=/a-z é半\\n]|<p>|</p>|<div class=\"|<a href=|<table>|<td>|<script>|<title>|<h1>|<time datetime='|\
                 <meta property=\"article:published_time\" content=\"|2026-02-30|<li>|<ul>|</div>|<br>|<form>|<select>|<svg>){0,120}"
    ) {
        let _ = extract(&page, None);
        let _ = extract_bytes(page.as_bytes(), Some("text/html; charset=utf-16"), None);
    }
}
