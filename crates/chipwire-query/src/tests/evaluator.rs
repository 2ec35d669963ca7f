//! What queries mean, on one document.

use jiff::Timestamp;

use crate::{Fields, matches, parse};

fn check(expected: bool, queries: &[&str]) {
    let published: Timestamp = "2026-11-20T23:59:59.9999Z".parse().unwrap();
    let fields = Fields::new(published)
        .with_text(
            "Nvidia's H20 sales halted",
            "The U.S. told Nvidia to stop export of H20 chips.\n\n华为芯片 出口管制",
        )
        .with_origin("Chip Daily Asia", "04ebada5993deb03")
        .with_language(Some("en-GB-oxendict"))
        .with_entity("company", "nvidia")
        .with_entity("chip", "nvidia-h20");
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    for query in queries {
        let parsed = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
        assert_eq!(matches(&parsed, &fields, now), expected, "{query}");
    }
}

#[test]
fn what_matches() {
    check(
        true,
        &["*", "nvidia h20", "NVIDIA", "us", "U.S.", "\"us told\"", "title:halted", "body:chips", "tit OR sales"],
    );
    check(
        true,
        &[
            "chi*",
            "title:hal*",
            "\"of h\"*",
            "\"nvidia export\"~2",
            "\"h20 sales\"",
            "-intel",
            "华为",
            "华",
            "片",
            "为芯",
            "出口管*",
        ],
    );
    check(true, &["\"芯片 出口\"", "\"华为芯片 出\"*", "h20's"]);
    check(
        true,
        &["company:nvidia", "company:*", "chip:NVIDIA-H20 -chip:nvidia-h100", "source:\"chip daily\"", "source:asia"],
    );
    check(true, &["lang:en", "lang:en-gb", "lang:en_GB", "feed:04EBADA5993DEB03"]);
    check(
        true,
        &["published:2026-11-20", "published:2026-11", "published:2026", "published:>now-24h", "published:<2026-11-21"],
    );
    check(
        true,
        &[
            "published:[2026-11-20 TO 2026-11-20]",
            "published:<=2026-11-20",
            "published:>2026-11-19",
            "published:[* TO *]",
        ],
    );
    check(true, &["published:2026-11-20T23:59:59.999Z", "published:<2026-11-21T01:00:00+01:00"]);
}

#[test]
fn what_does_not() {
    check(
        false,
        &[
            "-*",
            "intel",
            "nvidia -h20",
            "title:chips",
            "body:halted",
            "\"h20 nvidia\"",
            "\"nvidia export\"~1",
            "chi",
            "halt",
        ],
    );
    check(false, &["\"nvidia stop\"", "\"export nvidia\"~5", "\"sales halted the\"", "片华", "\"halted the\"", "为片"]);
    check(
        false,
        &["company:nvidia-h20", "company:nvidi", "policy:*", "source:\"daily chip\"", "source:chips", "source:h20"],
    );
    check(false, &["lang:e", "lang:en-us", "lang:en-gb-oxendict-x", "lang:zh", "feed:04ebada5993deb0"]);
    check(
        false,
        &[
            "published:>2026-11-20",
            "published:<2026-11-20",
            "published:2026-11-21",
            "published:>now",
            "published:{2026-11-20 TO 2027}",
        ],
    );
    check(false, &["published:>2026", "published:<2026-11", "published:<now-1d"]);
}

#[test]
fn a_document_without_a_language_is_in_none() {
    let fields = Fields::new(Timestamp::UNIX_EPOCH);
    for (query, expected) in [("lang:en", false), ("-lang:en", true), ("-company:*", true), ("source:x", false)] {
        assert_eq!(matches(&parse(query).unwrap(), &fields, Timestamp::UNIX_EPOCH), expected, "{query}");
    }
}
