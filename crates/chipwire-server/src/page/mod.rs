//! The web page: made on the server, complete without JavaScript.

pub(crate) mod article;
pub(crate) mod assets;
mod mark;
pub(crate) mod search;
mod time;

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::problem::Problem;

/// The number of colours that entities can have.
const TONES: u32 = 8;

/// The colour of a kind of entity, as the number of a class of the style sheet. Kinds are data: any name has one.
fn tone(kind: &str) -> u32 {
    kind.bytes().fold(5381u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte)) % TONES
}

/// `policy` as a heading.
fn heading(kind: &str) -> String {
    let mut chars = kind.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The address of the search for `query`.
fn search_href(query: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    format!("/?q={encoded}")
}

/// `url` if it may be linked: a feed can hold any address, also `javascript:`.
fn web_address(url: Option<&str>) -> Option<String> {
    let url = url::Url::parse(url?).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    query: &'a str,
    problem: &'a Problem,
}

/// A problem as a page.
pub(crate) fn error(problem: &Problem) -> Response {
    html(problem.status(), &ErrorPage { query: "", problem })
}

fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_linked() {
        assert_eq!(web_address(Some("https://example.org/a")).as_deref(), Some("https://example.org/a"));
        for url in ["javascript:alert(1)", "data:text/html,x", "/relative", "ftp://example.org/", " javascript:x", ""] {
            assert_eq!(web_address(Some(url)), None, "{url}");
        }
    }

    #[test]
    fn kinds_that_stand_together_differ_in_colour() {
        let tones = ["company", "chip", "policy"].map(tone);
        assert!(tones[0] != tones[1] && tones[1] != tones[2] && tones[0] != tones[2], "{tones:?}");
        assert_eq!(heading("company"), "Company");
        assert_eq!(search_href("company:nvidia & \"x\""), "/?q=company%3Anvidia+%26+%22x%22");
    }
}
