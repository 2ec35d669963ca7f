//! Which addresses may be fetched from: the guard against being sent into a private network.
//!
//! A name is judged by the addresses it resolves to at the moment of connecting, so that a name server cannot answer once
//! with a public and then with a private address. An address that stands in the URL itself never meets the resolver and is
//! judged before the request. Both happen on every hop of a redirect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use url::{Host, Url};

use crate::error::{ConfigError, Refused};

/// Ports behind which something else than a web server listens, which must not be made to read what a feed's address says
/// (Fetch standard, "port blocking"). Sorted.
const NOT_WEB_PORTS: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// IPv4 ranges that are not public (IANA IPv4 Special-Purpose Address Registry), as address and prefix length.
const NOT_PUBLIC_V4: &[([u8; 4], u8)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Whether an address is reachable from everywhere, so that fetching from it gives no view into a private network.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !NOT_PUBLIC_V4.iter().any(|(base, length)| {
        let shift = 32 - u32::from(*length);
        bits >> shift == Ipv4Addr::from(*base).to_bits() >> shift
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let low_v4 = Ipv4Addr::from_bits(u32::from(g) << 16 | u32::from(h));
    match (a, b, c, d, e, f) {
        // IPv4-mapped, and NAT64 (RFC 6052): what counts is the IPv4 address inside.
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => is_public_v4(low_v4),
        // 6to4 (RFC 3056) carries it in front.
        (0x2002, ..) => is_public_v4(Ipv4Addr::from_bits(u32::from(b) << 16 | u32::from(c))),
        // Teredo, benchmarking, ORCHID, documentation.
        (0x2001, 0..=0x1ff, ..) | (0x2001, 0xdb8, ..) | (0x3fff, 0..=0xfff, ..) => false,
        // Global unicast (RFC 4291 section 2.4); everything else is local, multicast, reserved or unassigned.
        _ => a >> 13 == 0b001,
    }
}

/// How a request may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// To public addresses only.
    Public,
    /// To whatever address the host has: the configuration names it.
    Allowed,
}

/// The rules, with the exceptions from the configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    hosts: Vec<(String, Option<u16>)>,
    nets: Vec<(IpNet, Option<u16>)>,
}

impl Guard {
    /// Reads the exceptions.
    pub(crate) fn new(entries: &[String]) -> Result<Self, ConfigError> {
        let mut guard = Self::default();
        for entry in entries {
            let text = entry.trim();
            if let Ok(net) = text.parse::<IpNet>() {
                guard.nets.push((net, None));
            } else if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
                guard.nets.push((IpNet::from(address), None));
            } else if let Ok(address) = text.parse::<SocketAddr>() {
                guard.nets.push((IpNet::from(address.ip()), Some(address.port())));
            } else {
                guard.hosts.push(host_and_port(text).ok_or_else(|| ConfigError::PrivateHost(entry.clone()))?);
            }
        }
        Ok(guard)
    }

    /// Judges a URL before a request: by its address where it holds one, else by its name.
    pub(crate) fn check(&self, url: &Url) -> Result<Passage, Refused> {
        let port = url.port_or_known_default();
        let not_web = port.is_some_and(|port| NOT_WEB_PORTS.binary_search(&port).is_ok());
        match self.passage(url, port)? {
            Passage::Public if not_web => Err(Refused {
                host: format!("{}:{}", url.host_str().unwrap_or_default(), port.unwrap_or(0)),
                address: None,
            }),
            passage => Ok(passage),
        }
    }

    fn passage(&self, url: &Url, port: Option<u16>) -> Result<Passage, Refused> {
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(name)) => return self.check_name(name, port),
            None => return Err(Refused { host: url.to_string(), address: None }),
        };
        let canonical = literal.to_canonical();
        if self.nets.iter().any(|(net, only)| net.contains(&canonical) && only.is_none_or(|only| Some(only) == port)) {
            Ok(Passage::Allowed)
        } else if is_public(literal) {
            Ok(Passage::Public)
        } else {
            Err(Refused { host: url.host_str().unwrap_or_default().to_owned(), address: None })
        }
    }

    fn check_name(&self, name: &str, port: Option<u16>) -> Result<Passage, Refused> {
        let bare = name.trim_end_matches('.').to_ascii_lowercase();
        if self.hosts.iter().any(|(host, only)| *host == bare && only.is_none_or(|only| Some(only) == port)) {
            Ok(Passage::Allowed)
        } else if bare.is_empty() || bare == "localhost" || bare.ends_with(".localhost") {
            Err(Refused { host: name.to_owned(), address: None })
        } else {
            Ok(Passage::Public)
        }
    }

    /// Whether a name may resolve to this address.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        is_public(address)
            || self.nets.iter().any(|(net, only)| only.is_none() && net.contains(&address.to_canonical()))
    }
}

fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (text, None),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!host.is_empty() && host.chars().all(legal)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(guard: &Guard, url: &str) -> &'static str {
        let Ok(url) = Url::parse(url) else { return "no url" };
        match guard.check(&url) {
            Ok(Passage::Public) => "public",
            Ok(Passage::Allowed) => "allowed",
            Err(_) => "refused",
        }
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        let guard = Guard::default();
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "127.255.255.254",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "0x7f.0x0.0x0.0x1",
            "127。0。0。1",
            "１２７.0.0.1",
            "%31%32%37.0.0.1",
            "0.0.0.0",
            "0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "0xa9fea9fe",
            "2852039166",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.7",
            "192.168.1.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "127.0.0.1.",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "feeds.localhost",
            "feeds.localhost.",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:10.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b:1::1]",
            "[100::1]",
            "[2001::1]",
            "[2001:10::1]",
            "[2001:20::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[2002:a00:1::]",
            "[3fff::1]",
            "[5f00::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
        ] {
            for scheme in ["http", "https"] {
                assert_eq!(verdict(&guard, &format!("{scheme}://{host}/feed")), "refused", "{host}");
            }
        }
    }

    #[test]
    fn public_addresses_and_names_pass() {
        let guard = Guard::default();
        for host in [
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.255.255",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[2001:200::1]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::808:808]",
            "[2002:808:808::1]",
            "example.org",
            "localhost.example.org",
            "notlocalhost",
        ] {
            assert_eq!(verdict(&guard, &format!("http://{host}/feed")), "public", "{host}");
        }
    }

    #[test]
    fn ports_of_other_services_are_refused() {
        let guard = Guard::new(&["mail.corp:25".to_owned()]).unwrap();
        assert!(NOT_WEB_PORTS.is_sorted());
        for (url, expected) in [
            ("http://example.org:22/", "refused"),
            ("https://example.org:6667/", "refused"),
            ("http://8.8.8.8:53/", "refused"),
            ("http://example.org:8080/", "public"),
            ("https://example.org:443/", "public"),
            ("http://mail.corp:25/", "allowed"),
        ] {
            assert_eq!(verdict(&guard, url), expected, "{url}");
        }
    }

    #[test]
    fn exceptions_hold_for_what_they_name_and_no_more() {
        let entries =
            ["127.0.0.1:8080", "10.1.0.0/16", "intranet", "feeds.corp.:8443", "[::1]:90", "::2", "localhost:1"];
        let guard = Guard::new(&entries.map(str::to_owned)).unwrap();
        for (url, expected) in [
            ("http://127.0.0.1:8080/", "allowed"),
            ("http://127.0.0.1:8081/", "refused"),
            ("http://127.0.0.1/", "refused"),
            ("http://[::ffff:127.0.0.1]:8080/", "allowed"),
            ("http://10.1.2.3/", "allowed"),
            ("http://10.2.2.3/", "refused"),
            ("http://intranet:99/", "allowed"),
            ("http://intranet./", "allowed"),
            ("https://feeds.corp:8443/", "allowed"),
            ("https://feeds.corp/", "public"),
            ("http://[::1]:90/", "allowed"),
            ("http://[::1]/", "refused"),
            ("http://[::2]/", "allowed"),
            ("http://localhost:1/", "allowed"),
            ("http://localhost:2/", "refused"),
        ] {
            assert_eq!(verdict(&guard, url), expected, "{url}");
        }
        assert!(guard.permits("10.1.9.9".parse().unwrap()), "a range holds for names too");
        assert!(!guard.permits("127.0.0.1".parse().unwrap()), "an address with a port holds for no name");
        for bad in ["", "http://x/", "host:port", "a b", "10.0.0.0/99"] {
            assert!(Guard::new(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
