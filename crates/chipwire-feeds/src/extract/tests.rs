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
