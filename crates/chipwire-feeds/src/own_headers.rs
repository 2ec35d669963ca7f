//! A feed's own request headers: checked, filled in from the environment, and kept from other origins.

use chipwire_events::{Feed, FeedHeader};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::error::HeaderError;

/// Headers of one feed.
pub const MAX_HEADERS: usize = 20;

/// The longest value, in bytes.
const MAX_VALUE_BYTES: usize = 4_096;

/// Headers that belong to the exchange and not to the feed.
const RESERVED: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Reads a header as people write it: `Name: value`.
pub fn parse(text: &str) -> Result<FeedHeader, HeaderError> {
    let (name, value) = text.split_once(':').ok_or(HeaderError::NoColon)?;
    let header = FeedHeader { name: name.trim().to_owned(), value: value.trim().to_owned() };
    check(&header)?;
    Ok(header)
}

/// Checks that a header may be sent for a feed. No error tells its value.
pub fn check(header: &FeedHeader) -> Result<(), HeaderError> {
    let name = name_of(header)?;
    if RESERVED.contains(&name.as_str()) {
        return Err(HeaderError::Reserved(header.name.clone()));
    }
    // A variable may hold any text; what stands around it must be fit to be sent.
    value_of(header, |_| Some("x".to_owned())).map(drop)
}

/// Whether the value of a header is most likely a secret that is written out: it belongs into the environment.
pub fn is_open_secret(header: &FeedHeader) -> bool {
    let name = header.name.to_ascii_lowercase();
    let secret = ["authorization", "cookie", "token", "key", "secret", "auth", "password"];
    secret.iter().any(|part| name.contains(part)) && !header.value.contains("${")
}

/// The headers to send, with `${NAME}` replaced by what `variable` says.
pub(crate) fn resolve(
    headers: &[FeedHeader],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<HeaderMap, HeaderError> {
    let mut map = HeaderMap::new();
    for header in headers.iter().take(MAX_HEADERS) {
        let name = name_of(header)?;
        if RESERVED.contains(&name.as_str()) {
            return Err(HeaderError::Reserved(header.name.clone()));
        }
        map.append(name, value_of(header, &variable)?);
    }
    Ok(map)
}

/// The headers of a feed that may go to `url`: all or none.
///
/// They are for the origin under which the user added the feed. A feed that has moved to another one, by whatever redirect,
/// gets none of them; http of the same host may become https.
pub fn for_origin<'a>(feed: &'a Feed, url: &Url) -> &'a [FeedHeader] {
    if feed.headers.is_empty() {
        return &[];
    }
    match Url::parse(&feed.url) {
        Ok(own) if is_same_origin(&own, url) => &feed.headers,
        _ => &[],
    }
}

/// Whether what may be sent to `own` may be sent to `to` as well.
pub(crate) fn is_same_origin(own: &Url, to: &Url) -> bool {
    let upgraded = own.scheme() == "http"
        && to.scheme() == "https"
        && own.port_or_known_default() == Some(80)
        && to.port_or_known_default() == Some(443);
    own.host() == to.host() && (own.origin() == to.origin() || upgraded)
}

fn name_of(header: &FeedHeader) -> Result<HeaderName, HeaderError> {
    HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| HeaderError::Name(header.name.clone()))
}

fn value_of(header: &FeedHeader, variable: impl Fn(&str) -> Option<String>) -> Result<HeaderValue, HeaderError> {
    let wrong = || HeaderError::Value(header.name.clone());
    let mut value = String::with_capacity(header.value.len());
    let mut rest = header.value.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        let (name, later) = after.split_once('}').ok_or_else(|| HeaderError::Reference(header.name.clone()))?;
        let legal = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !legal {
            return Err(HeaderError::Reference(header.name.clone()));
        }
        value.push_str(before);
        let missing = || HeaderError::Variable { header: header.name.clone(), variable: name.to_owned() };
        // A variable that was read from a file often ends with its line break.
        value.push_str(variable(name).ok_or_else(missing)?.trim_end_matches(['\r', '\n']));
        rest = later;
    }
    value.push_str(rest);
    if value.len() > MAX_VALUE_BYTES || !value.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return Err(wrong());
    }
    let mut value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use chipwire_events::FeedOrigin;

    use super::*;

    fn resolved(text: &str) -> String {
        let variable = |name: &str| (name == "TOKEN").then(|| "s3cret\n".to_owned());
        match parse(text).and_then(|header| resolve(&[header], variable)) {
            Ok(map) => {
                assert!(!format!("{map:?}").contains("s3cret"), "{map:?}");
                map.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn headers_are_checked_and_filled_in() {
        for (text, expected) in [
            ("X-Key:  abc ", "x-key=abc"),
            ("Authorization: Bearer ${TOKEN}", "authorization=Bearer s3cret"),
            ("X: a${TOKEN}b${TOKEN}", "x=as3cretbs3cret"),
            ("Cookie: a=$5; b={}", "cookie=a=$5; b={}"),
            (
                "X: ${OTHER}",
                "the environment variable `OTHER`, which the header `X` of the feed names, is not set where feeds are fetched",
            ),
            (
                "X: ${no",
                "in the header `X` of the feed, `${` must be followed by the name of an environment variable and `}`",
            ),
            (
                "X: ${a b}",
                "in the header `X` of the feed, `${` must be followed by the name of an environment variable and `}`",
            ),
            ("no colon", "a header is written as `Name: value`"),
            ("a b: c", "`a b` is no name of a header"),
            (
                "Host: example.org",
                "`Host` cannot be a header of a feed: chipwire sets it itself, or it belongs to the connection",
            ),
            (
                "X: a\u{7}b",
                "the value of the header `X` cannot be sent: it takes printable ASCII of at most 4,096 bytes",
            ),
            (
                "X: caf\u{e9}",
                "the value of the header `X` cannot be sent: it takes printable ASCII of at most 4,096 bytes",
            ),
        ] {
            assert_eq!(resolved(text), expected, "{text}");
        }
    }

    #[test]
    fn headers_stay_at_their_origin() {
        let feed = |url: &str| Feed {
            headers: vec![FeedHeader { name: "X".to_owned(), value: "y".to_owned() }],
            ..Feed::new(url, FeedOrigin::User)
        };
        for (own, to, expected) in [
            ("https://a.example/feed", "https://a.example/other", true),
            ("http://a.example/feed", "https://a.example/feed", true),
            ("https://a.example/feed", "http://a.example/feed", false),
            ("https://a.example/feed", "https://b.example/feed", false),
            ("https://a.example/feed", "https://www.a.example/feed", false),
            ("https://a.example/feed", "https://a.example:8443/feed", false),
            ("http://a.example:8080/feed", "https://a.example/feed", false),
            ("http://127.0.0.1:8080/feed", "http://127.0.0.1:8080/x", true),
            ("http://127.0.0.1:8080/feed", "http://127.0.0.1:8081/x", false),
        ] {
            assert_eq!(for_origin(&feed(own), &Url::parse(to).unwrap()).len() == 1, expected, "{own} to {to}");
        }
    }
}
