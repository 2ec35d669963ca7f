//! What the headers of an answer say.

use std::fmt::Write as _;

use chipwire_events::Timestamp;
use hyper::header::{self, HeaderMap, HeaderName};
use url::Url;

use crate::error::FetchError;

/// The longest wait that a server may ask for, in seconds.
pub(crate) const MAX_RETRY_AFTER_S: i64 = 86_400;

/// The longest value of a header that is kept, in bytes.
const MAX_VALUE_BYTES: usize = 1_024;

/// `Link` values that are looked at, in bytes: announcements of many preloads are common.
const MAX_LINK_BYTES: usize = 8_192;

/// The first value of a header, if it is text.
pub(crate) fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = std::str::from_utf8(headers.get(name)?.as_bytes()).ok()?.trim();
    (!value.is_empty() && value.len() <= MAX_VALUE_BYTES).then(|| value.to_owned())
}

/// All values of a list header as one list (RFC 9110 section 5.3).
pub(crate) fn list_of(headers: &HeaderMap, name: &HeaderName) -> String {
    let mut list = String::new();
    for value in headers.get_all(name) {
        if let Ok(value) = std::str::from_utf8(value.as_bytes())
            && list.len() + value.len() <= MAX_LINK_BYTES
        {
            // Writing to a string cannot fail.
            let _ = write!(list, "{}{}", if list.is_empty() { "" } else { ", " }, value.trim());
        }
    }
    list
}

/// The size of a head as it was sent: names, values, and four bytes between and after each.
pub(crate) fn size_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

/// RFC 9111 section 4.2.1, without the heuristics.
pub(crate) fn freshness(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    let control = list_of(headers, &header::CACHE_CONTROL).to_ascii_lowercase();
    let max_age = control.split(',').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        (name.trim() == "max-age").then_some(())?;
        let digits = value.trim_matches(['"', ' ']);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // A number that is too large counts as the largest there is (RFC 9111 section 1.2.2).
        is_number.then(|| digits.parse().unwrap_or(u32::MAX))
    });
    if let Some(max_age) = max_age {
        let age = text_of(headers, &header::AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
        return Some(max_age.saturating_sub(age));
    }
    if control.contains("no-cache") || control.contains("no-store") {
        return Some(0);
    }
    // One that is no date has expired (RFC 9111 section 5.3).
    let Some(expires) = http_date(&text_of(headers, &header::EXPIRES)?) else { return Some(0) };
    let date = text_of(headers, &header::DATE).and_then(|date| http_date(&date)).unwrap_or_else(|| now.as_second());
    Some(u32::try_from((expires - date).max(0)).unwrap_or(u32::MAX))
}

/// RFC 9110 section 10.2.3: seconds or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    let value = text_of(headers, &header::RETRY_AFTER)?;
    let digits = value.strip_prefix('-').unwrap_or(&value);
    let seconds = match value.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => MAX_RETRY_AFTER_S,
        Err(_) => http_date(&value)? - now.as_second(),
    };
    u32::try_from(seconds.clamp(0, MAX_RETRY_AFTER_S)).ok()
}

fn http_date(text: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(text).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// Where a redirect leads.
pub(crate) fn redirect_target(from: &Url, headers: &HeaderMap) -> Result<Url, FetchError> {
    let refuse = |to: &str, reason| FetchError::Redirect { to: shortened(to), reason };
    let location = headers.get(header::LOCATION).ok_or_else(|| refuse("", "the server names no target"))?;
    // Servers send UTF-8 here although only ASCII is legal.
    let location = String::from_utf8_lossy(location.as_bytes());
    let mut target = from.join(location.trim()).map_err(|_| refuse(&location, "the target is no web address"))?;
    target.set_fragment(None);
    Ok(target)
}

/// The start of an address, for a message.
pub(crate) fn shortened(url: &str) -> String {
    url.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn freshness_follows_the_cache_headers() {
        for (pairs, expected) in [
            (&[("cache-control", "public, max-age=600")][..], Some(600)),
            (&[("cache-control", "max-age=600"), ("age", "200")], Some(400)),
            (&[("cache-control", "max-age=60"), ("age", "200")], Some(0)),
            (&[("cache-control", "Max-Age=\"60\"")], Some(60)),
            (&[("cache-control", "max-age=99999999999999999999")], Some(u32::MAX)),
            (&[("cache-control", "max-age=-1")], None),
            (&[("cache-control", "stale-if-error=60, x-max-age=5")], None),
            (&[("expires", "Sun, 01 Mar 2026 13:00:00 GMT")], Some(3_600)),
            (&[("expires", "Sun, 01 Mar 2026 13:00:00 GMT"), ("date", "Sun, 01 Mar 2026 12:30:00 GMT")], Some(1_800)),
            (&[("expires", "Sun, 01 Mar 2020 13:00:00 GMT")], Some(0)),
            (&[("expires", "0")], Some(0)),
            (&[("cache-control", "no-cache"), ("expires", "Sun, 01 Mar 2026 13:00:00 GMT")], Some(0)),
            (&[], None),
        ] {
            assert_eq!(freshness(&headers(pairs), now()), expected, "{pairs:?}");
        }
        let mut two = HeaderMap::new();
        two.append(header::CACHE_CONTROL, HeaderValue::from_static("public"));
        two.append(header::CACHE_CONTROL, HeaderValue::from_static("max-age=7"));
        assert_eq!(freshness(&two, now()), Some(7), "a list may come in two lines");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (value, expected) in [
            ("120", Some(120)),
            ("-5", Some(0)),
            ("99999999", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            ("Sun, 01 Mar 2026 12:10:00 GMT", Some(600)),
            ("Sunday, 01-Mar-26 12:10:00 GMT", Some(600)),
            ("Sun Mar  1 12:10:00 2026", Some(600)),
            ("Sun, 01 Mar 2020 12:10:00 GMT", Some(0)),
            ("soon", None),
            ("-", None),
        ] {
            assert_eq!(retry_after(&headers(&[("retry-after", value)]), now()), expected, "{value}");
        }
    }
}
