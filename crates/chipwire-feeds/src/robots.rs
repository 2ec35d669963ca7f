//! `robots.txt` (RFC 9309): may this page be fetched?

use chipwire_events::Timestamp;

/// The name by which rules address chipwire unless its `User-Agent` gives it another.
const PRODUCT: &str = "chipwire";

/// Bytes of a `robots.txt` that are read (RFC 9309 section 2.5 asks for at least 500 KiB).
pub(crate) const MAX_BYTES: usize = 512 * 1024;

/// Rules and the lack of them are kept for a day (RFC 9309 section 2.4).
const KEPT_S: i64 = 86_400;

/// A site whose rules cannot be read is asked again after this, in seconds.
const RETRY_S: i64 = 1_800;

/// The longest pause between two pages that is waited for, in seconds.
const MAX_DELAY_S: f32 = 60.0;

/// What a site allows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Robots {
    /// Its rules.
    Rules(Rules),
    /// There are no rules: everything is allowed (RFC 9309 section 2.3.1.3).
    Absent,
    /// The rules cannot be read: nothing is allowed (RFC 9309 section 2.3.1.4).
    Unreachable,
}

impl Robots {
    /// What an answer means to `product`; `body` counts for a status of 2xx.
    pub(crate) fn of(status: u16, body: &[u8], product: &str) -> Self {
        match status {
            200..=299 => Self::Rules(Rules::read(body, product)),
            // Too many requests is no "there is none".
            429 => Self::Unreachable,
            300..=499 => Self::Absent,
            _ => Self::Unreachable,
        }
    }

    /// Until when this answer is used.
    pub(crate) fn kept_until(&self, now: Timestamp) -> Timestamp {
        let kept_s = if *self == Self::Unreachable { RETRY_S } else { KEPT_S };
        now.checked_add(jiff::SignedDuration::from_secs(kept_s)).unwrap_or(Timestamp::MAX)
    }
}

/// The rules of one `robots.txt` that hold for one product.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rules {
    /// Patterns in normal form, and whether they allow; the longest first.
    rules: Vec<(String, bool)>,
    /// The pause between two requests that is wished, in seconds: no part of the standard, and common.
    pub(crate) delay_s: Option<f32>,
}

impl Rules {
    /// Reads the groups that name `own_product`, or else those that name everybody.
    pub(crate) fn read(text: &[u8], own_product: &str) -> Self {
        let text = String::from_utf8_lossy(text.get(..MAX_BYTES).unwrap_or(text));
        let (mut own, mut everybodys) = (None::<Rules>, Rules::default());
        // Who the group is for: lines of agents that follow one another begin one group.
        let (mut for_us, mut for_all, mut in_agents) = (false, false, false);
        for line in text.trim_start_matches('\u{feff}').split(['\r', '\n', '\0']) {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            if matches!(key.as_str(), "user-agent" | "useragent" | "user agent") {
                if !in_agents {
                    (for_us, for_all, in_agents) = (false, false, true);
                }
                for_all |= value == "*";
                for_us |= product(value).eq_ignore_ascii_case(own_product);
                if for_us {
                    own.get_or_insert_default();
                }
                continue;
            }
            let mut groups = [own.as_mut().filter(|_| for_us), Some(&mut everybodys).filter(|_| for_all)];
            match key.as_str() {
                "allow" | "disallow" => {
                    in_agents = false;
                    for group in groups.iter_mut().flatten() {
                        // An empty rule says nothing.
                        if !value.is_empty() {
                            group.rules.push((normal(value), key == "allow"));
                        }
                    }
                }
                "crawl-delay" => {
                    in_agents = false;
                    for group in groups.iter_mut().flatten() {
                        group.delay_s = value.parse().ok().filter(|delay: &f32| *delay > 0.0);
                    }
                }
                // Lines for all, such as `Sitemap`, belong to no group and end none.
                _ => {}
            }
        }
        let mut rules = own.unwrap_or(everybodys);
        // Of equally long ones the one that allows counts (RFC 9309 section 2.2.2).
        rules.rules.sort_by_key(|(pattern, allows)| (std::cmp::Reverse(pattern.len()), !allows));
        rules.rules.dedup();
        rules.delay_s = rules.delay_s.map(|delay| delay.min(MAX_DELAY_S));
        rules
    }

    /// Whether the page at `target`, path and query, may be fetched.
    pub(crate) fn allow(&self, target: &str) -> bool {
        let target = normal(target);
        if target == "/robots.txt" {
            return true;
        }
        self.rules.iter().find(|(pattern, _)| matches(pattern, &target)).is_none_or(|(_, allows)| *allows)
    }
}

/// The name by which rules address the sender of this `User-Agent`: its product token (RFC 9309 section 2.2.1), which is the
/// one after `compatible;` with those that pass for a browser.
pub(crate) fn product_of(user_agent: &str) -> &str {
    let named = user_agent.split_once("(compatible;").map_or(user_agent, |(_, rest)| rest);
    match product(named.trim_start()) {
        "" => PRODUCT,
        product => product,
    }
}

/// The name in an agent line, without what follows it, such as a version.
fn product(agent: &str) -> &str {
    let end = agent.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '-' | '_'))).unwrap_or(agent.len());
    agent.get(..end).unwrap_or(agent)
}

/// The same address always in the same letters: what need not be encoded is not, the rest is (RFC 9309 section 2.2.2).
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        let hex = text.get(at + 1..at + 3).filter(|hex| byte == b'%' && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let encoded = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let value = match encoded {
            Some(value) => {
                bytes.nth(1);
                value
            }
            None => byte,
        };
        let plain = value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~');
        if plain || (encoded.is_none() && value.is_ascii_graphic()) {
            out.push(char::from(value));
        } else {
            out.push_str(&format!("%{value:02X}"));
        }
    }
    out
}

/// Whether a pattern, in which `*` is any text and `$` at the end is the end, fits from the beginning.
fn matches(pattern: &str, target: &str) -> bool {
    let (pattern, to_the_end) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = target.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() && to_the_end {
            return rest.ends_with(part);
        }
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    !to_the_end || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, allowed: &[&str], refused: &[&str]) {
        let rules = Rules::read(text.as_bytes(), PRODUCT);
        for target in allowed {
            assert!(rules.allow(target), "{target} is refused by {rules:?}");
        }
        for target in refused {
            assert!(!rules.allow(target), "{target} is allowed by {rules:?}");
        }
    }

    #[test]
    fn groups_are_found() {
        check("", &["/", "/a"], &[]);
        check("User-agent: *\nDisallow: /", &["/robots.txt"], &["/", "/a"]);
        check("User-agent: *\nDisallow:", &["/a"], &[]);
        check("Disallow: /", &["/a"], &[]);
        check("User-agent: other\nDisallow: /", &["/a"], &[]);
        check("user-agent: CHIPWIRE\ndisallow: /a\n\nuser-agent: *\ndisallow: /", &["/b"], &["/a"]);
        check("User-agent: *\nDisallow: /\n\nUser-agent: chipwire\n", &["/a"], &[]);
        check("User-agent: chipwire/2.0 (news)\nDisallow: /a", &["/b"], &["/a"]);
        check("User-agent: chipwirebot\nDisallow: /", &["/a"], &[]);
        check("User-agent: other\nUser-agent: chipwire\nDisallow: /a\nUser-agent: x\nDisallow: /b", &["/b"], &["/a"]);
        // Several groups for one name are one.
        check("User-agent: chipwire\nDisallow: /a\n\nUser-agent: chipwire\nDisallow: /b", &["/c"], &["/a", "/b"]);
        check("User-agent: other\nSitemap: /s\nUser-agent: chipwire\nDisallow: /a", &[], &["/a"]);
        check("\u{feff}User-agent : * # all\r\nDisallow : /a # not here\rDisallow: /b", &["/c"], &["/a", "/b"]);
        check("<html>\nno such file: /\n</html>", &["/a"], &[]);
    }

    #[test]
    fn rules_are_those_of_the_name_that_is_sent() {
        for (agent, product) in [
            ("chipwire/0.1.0 (+https://example.org/)", "chipwire"),
            ("Acme-News_Bot/2.0 (chipwire)", "Acme-News_Bot"),
            ("Mozilla/5.0 (compatible; acmebot/1.0; +https://acme.example/bot)", "acmebot"),
            ("Mozilla/5.0 (X11; Linux)", "Mozilla"),
            ("acme", "acme"),
            ("1/2", "chipwire"),
            ("", "chipwire"),
        ] {
            assert_eq!(product_of(agent), product, "{agent}");
        }
        let text = b"User-agent: acmebot\nDisallow: /a\n\nUser-agent: chipwire\nDisallow: /c";
        let allows = |product: &str| ["/a", "/c"].map(|target| Rules::read(text, product).allow(target));
        assert_eq!((allows("AcmeBot"), allows("chipwire")), ([false, true], [true, false]));
    }

    #[test]
    fn the_longest_rule_counts() {
        let text = "User-agent: *\nDisallow: /p\nAllow: /p/open\nDisallow: /p/open/not\nAllow: /same\nDisallow: /same";
        check(text, &["/", "/p/open", "/p/open/yes", "/same/x"], &["/p", "/page", "/p/open/not/this"]);
    }

    #[test]
    fn patterns_have_stars_and_ends() {
        let text =
            "User-agent: *\nDisallow: /*.gif$\nDisallow: /a*b*c\nDisallow: /*?print=\nDisallow: /end$\nDisallow: /x*$";
        check(
            text,
            &["/pic.gif?x", "/pic.gifs", "/ab", "/acb", "/end/", "/ending", "/"],
            &["/pic.gif", "/a/b.gif.gif", "/abc", "/a1b2c3", "/news?print=1", "/end", "/x", "/xyz"],
        );
        check("User-agent: *\nDisallow: *", &[], &["/", "/a"]);
        check("User-agent: *\nDisallow: /*/*/*/*/*a$", &["/b/b/b/b/b"], &["/b/b/b/b/ba"]);
    }

    /// The table of RFC 9309 section 2.2.2.
    #[test]
    fn encodings_are_compared_by_what_they_mean() {
        for (rule, target) in [
            ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
            ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https://foo.bar"),
            ("/foo/bar/U+E38384", "/foo/bar/U+E38384"),
            ("/foo/bar/ツ", "/foo/bar/%E3%83%84"),
            ("/foo/bar/%e3%83%84", "/foo/bar/%E3%83%84"),
            ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ] {
            check(&format!("User-agent: *\nDisallow: {rule}"), &["/foo/"], &[target]);
        }
        check("User-agent: *\nDisallow: /a%2Fb\nDisallow: /100%", &["/a/b"], &["/a%2fb", "/100%", "/100%x"]);
    }

    #[test]
    fn statuses_mean_what_the_standard_says() {
        let closed = b"User-agent: *\nDisallow: /".as_slice();
        assert!(matches!(Robots::of(200, closed, PRODUCT), Robots::Rules(rules) if !rules.allow("/a")));
        for status in [301, 400, 401, 403, 404, 410, 451] {
            assert_eq!(Robots::of(status, closed, PRODUCT), Robots::Absent, "{status}");
        }
        for status in [429, 500, 502, 503, 504, 599] {
            assert_eq!(Robots::of(status, closed, PRODUCT), Robots::Unreachable, "{status}");
        }
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(Robots::Absent.kept_until(now).to_string(), "2026-03-02T12:00:00Z");
        assert_eq!(Robots::Unreachable.kept_until(now).to_string(), "2026-03-01T12:30:00Z");
    }

    #[test]
    fn delays_are_read_and_bounded() {
        let delay =
            |value: &str| Rules::read(format!("User-agent: *\nCrawl-delay: {value}").as_bytes(), PRODUCT).delay_s;
        assert_eq!(delay("2.5"), Some(2.5));
        assert_eq!(delay("86400"), Some(60.0));
        for odd in ["", "-1", "0", "NaN", "soon"] {
            assert_eq!(delay(odd), None, "{odd}");
        }
        assert_eq!(delay("inf"), Some(60.0));
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(text in "(?s).{0,200}", lines in "((user-agent|allow|disallow): ?[*$%a-c/é]{0,9}\n){0,9}", target in "/[%a-c*$/é?]{0,20}") {
            for text in [text.as_bytes(), lines.as_bytes()] {
                let _ = Rules::read(text, PRODUCT).allow(&target);
            }
        }

        #[test]
        fn a_pattern_fits_as_the_definition_says(pattern in "/[ab*]{0,6}\\$?", target in "/[ab]{0,7}") {
            fn fits(pattern: &[u8], target: &[u8]) -> bool {
                match pattern.split_first() {
                    None => true,
                    Some((b'$', [])) => target.is_empty(),
                    Some((b'*', rest)) => (0..=target.len()).any(|skip| fits(rest, &target[skip..])),
                    Some((byte, rest)) => target.split_first().is_some_and(|(first, after)| first == byte && fits(rest, after)),
                }
            }
            proptest::prop_assert_eq!(matches(&pattern, &target), fits(pattern.as_bytes(), target.as_bytes()));
        }
    }
}
