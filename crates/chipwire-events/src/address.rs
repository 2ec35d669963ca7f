//! Web addresses in the form in which two spellings of one are equal.

use url::Url;

/// Query parameters that say where a reader came from and not what is read, besides those that begin with `utm_`.
const TRACKING: &[&str] = &[
    "_hsenc",
    "_hsmi",
    "at_campaign",
    "at_medium",
    "cmpid",
    "dclid",
    "fbclid",
    "ftag",
    "gbraid",
    "gclid",
    "guccounter",
    "igshid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "ncid",
    "rss",
    "wbraid",
    "wt.mc_id",
    "xtor",
    "yclid",
];

/// The address without the parameters that only track its readers.
pub fn without_tracking(url: &Url) -> Url {
    let mut url = url.clone();
    if url.fragment().is_some_and(|fragment| {
        let name = fragment.split('=').next().unwrap_or_default();
        fragment.is_empty() || is_tracking(name)
    }) {
        url.set_fragment(None);
    }
    let Some(query) = url.query() else { return url };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.to_ascii_lowercase();
            let says_rss = matches!(name, "ref" | "source") && (value == "rss" || value.starts_with("rss-"));
            !(pair.is_empty() || is_tracking(name) || says_rss)
        })
        .collect();
    let kept = kept.join("&");
    if kept.len() != query.len() {
        url.set_query(Some(kept.as_str()).filter(|query| !query.is_empty()));
    }
    url
}

fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("utm_") || TRACKING.contains(&name.as_str())
}

/// The form of an address in which two spellings of it are equal: without scheme, `www.`, tracking and a slash at the end.
pub fn canonical_link(link: &str) -> String {
    match Url::parse(link) {
        Ok(url) => canonical_form(&url),
        Err(_) => link.trim().to_owned(),
    }
}

fn canonical_form(url: &Url) -> String {
    let url = without_tracking(url);
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut canonical = format!("{}{port}{}", host.trim_start_matches("www."), url.path().trim_end_matches('/'));
    for (mark, part) in [('?', url.query()), ('#', url.fragment())] {
        if let Some(part) = part {
            canonical.push(mark);
            canonical.push_str(part);
        }
    }
    canonical
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may panic")]

    use super::*;

    #[test]
    fn links_lose_what_tracks_and_nothing_else() {
        for (link, cleaned, canonical) in [
            ("https://example.org/a", "https://example.org/a", "example.org/a"),
            ("http://www.Example.org:80/a/", "http://www.example.org/a/", "example.org/a"),
            (
                "https://example.org/a?utm_source=rss&id=7&UTM_medium=x",
                "https://example.org/a?id=7",
                "example.org/a?id=7",
            ),
            ("https://example.org/a?fbclid=1", "https://example.org/a", "example.org/a"),
            ("https://example.org/p/7?source=rss-0ab---2", "https://example.org/p/7", "example.org/p/7"),
            ("https://example.org/?p=12&ref=rss", "https://example.org/?p=12", "example.org?p=12"),
            ("https://example.org/?p=12&ref=home", "https://example.org/?p=12&ref=home", "example.org?p=12&ref=home"),
            ("https://example.org/a#xtor=RSS-1", "https://example.org/a", "example.org/a"),
            ("https://example.org/log#v2", "https://example.org/log#v2", "example.org/log#v2"),
            ("https://example.org:8443/a", "https://example.org:8443/a", "example.org:8443/a"),
        ] {
            let url = Url::parse(link).unwrap();
            assert_eq!(without_tracking(&url).as_str(), cleaned);
            assert_eq!(canonical_link(link), canonical);
        }
    }
}
