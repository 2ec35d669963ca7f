//! What can go wrong on the way to a feed's items, in words for the feed's owner and its reader.

use std::net::IpAddr;

/// Why a `[fetch]` section cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// An entry of `allow_private_hosts` has the wrong form.
    #[error(
        "`{0}` in `fetch.allow_private_hosts` is neither a host, nor host:port, nor an address, nor a range such as 10.1.0.0/16"
    )]
    PrivateHost(String),
    /// The user agent holds characters that a header cannot carry.
    #[error("`{0}` in `fetch.user_agent` or `fetch.contact` cannot be sent as a header: use printable ASCII only")]
    UserAgent(String),
    /// `min_interval_s` is above `max_interval_s`.
    #[error("`fetch.min_interval_s` is {min}, above `fetch.max_interval_s`, which is {max}")]
    Intervals {
        /// The lower bound.
        min: u32,
        /// The upper bound.
        max: u32,
    },
    /// No address that hubs could call.
    #[error("`{0}` in `fetch.websub_callback` is no address such as https://public.host/base")]
    Callback(String),
    /// A limit that would let nothing through.
    #[error("`fetch.{0}` must be at least 1")]
    Zero(&'static str),
    /// The HTTP client could not be set up.
    #[error("failed to set up the HTTP client")]
    Client(#[from] rustls::Error),
}

/// What the HTTP client says.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum WireError {
    /// Up to the head of the answer.
    Client(#[from] hyper_util::client::legacy::Error),
    /// In the body.
    Body(#[from] hyper::Error),
}

/// Why no answer came from a feed's address. Messages name the cause and, where there is one, the remedy.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not a web address.
    #[error("`{url}` is no web address: {reason}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address leads into a private network.
    #[error(transparent)]
    Private(#[from] Refused),
    /// The host's name could not be resolved.
    #[error("host `{host}` has no address: check the spelling, or the name server")]
    Dns {
        /// The name.
        host: String,
        /// What the resolver said.
        source: std::io::Error,
    },
    /// No connection.
    #[error("no connection to `{host}`")]
    Connect {
        /// The host.
        host: String,
        /// Why not.
        source: hyper_util::client::legacy::Error,
    },
    /// The TLS handshake failed.
    #[error("no secure connection to `{host}`: its certificate or protocol is not acceptable")]
    Tls {
        /// The host.
        host: String,
        /// Why not.
        source: hyper_util::client::legacy::Error,
    },
    /// Too slow.
    #[error("`{host}` took longer than {limit_ms} ms to {step}")]
    Timeout {
        /// The host.
        host: String,
        /// What it was to do.
        step: &'static str,
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// It drips.
    #[error("`{host}` sent less than {min_bytes_per_s} bytes per second for {after_ms} ms (`fetch.min_bytes_per_s`)")]
    TooSlow {
        /// The host.
        host: String,
        /// The limit, in bytes per second.
        min_bytes_per_s: u64,
        /// How long it may be slower than that, in milliseconds.
        after_ms: u64,
    },
    /// The head of the answer is over the limit.
    #[error("the head of the answer from `{host}` is larger than {limit_bytes} bytes")]
    HeadTooLarge {
        /// The host.
        host: String,
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// The server asked for a pause that is not over.
    #[error("`{host}` asked for a pause (Retry-After), of which {wait_s} s are left")]
    Resting {
        /// The host.
        host: String,
        /// What is left of the pause, in seconds.
        wait_s: u32,
    },
    /// `robots.txt` says no.
    #[error("the robots.txt of `{host}` does not allow to fetch this page")]
    Robots {
        /// The host.
        host: String,
    },
    /// `robots.txt` cannot be read, which counts as a no (RFC 9309 section 2.3.1.4).
    #[error("the robots.txt of `{host}` cannot be read just now, and without it no page is fetched")]
    NoRobots {
        /// The host.
        host: String,
    },
    /// The body is over the limit.
    #[error("the answer is larger than {limit_bytes} bytes (`fetch.max_body_bytes`)")]
    TooLarge {
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// The body unpacks to many times its size.
    #[error("the answer unpacks to more than {limit} times its size (`fetch.max_ratio`)")]
    Ratio {
        /// The limit.
        limit: usize,
    },
    /// The body cannot be decompressed.
    #[error("the answer claims the coding `{coding}` and cannot be unpacked")]
    Coding {
        /// The value of `Content-Encoding`.
        coding: String,
    },
    /// A redirect that is not followed.
    #[error("redirect to `{to}` is not followed: {reason}")]
    Redirect {
        /// The target, as it was sent.
        to: String,
        /// Why not.
        reason: &'static str,
    },
    /// A header of the feed's own that cannot be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The server broke off or does not speak HTTP.
    #[error("`{host}` broke off the answer or sent no valid HTTP")]
    Protocol {
        /// The host.
        host: String,
        /// What was wrong.
        source: WireError,
    },
}

impl FetchError {
    /// A short stable name for counting.
    pub fn class(&self) -> &'static str {
        match self {
            FetchError::Url { .. } => "url",
            FetchError::Private(_) => "private_address",
            FetchError::Dns { .. } => "dns",
            FetchError::Connect { .. } => "connect",
            FetchError::Tls { .. } => "tls",
            FetchError::Timeout { .. } | FetchError::TooSlow { .. } => "timeout",
            FetchError::TooLarge { .. } | FetchError::Ratio { .. } | FetchError::HeadTooLarge { .. } => "too_large",
            FetchError::Resting { .. } => "resting",
            FetchError::Robots { .. } | FetchError::NoRobots { .. } => "robots",
            FetchError::Coding { .. } => "coding",
            FetchError::Redirect { .. } => "redirect",
            FetchError::Header(_) => "header",
            FetchError::Protocol { .. } => "protocol",
        }
    }
}

/// An address that is not fetched from because it is not public.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{host}` {}is a private address: add it to `fetch.allow_private_hosts` if it may be fetched from",
    address.map(|address| format!("({address}) ")).unwrap_or_default()
)]
pub struct Refused {
    /// The host as the URL names it.
    pub host: String,
    /// The address that it stands for, where it was resolved.
    pub address: Option<IpAddr>,
}

/// Why a document is not read as a feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing but white space.
    #[error("the document is empty")]
    Empty,
    /// A page for people.
    #[error(
        "this is a web page{}, not a feed{}",
        title.as_ref().map(|title| format!(" (\"{title}\")")).unwrap_or_default(),
        feeds.first().map(|feed| format!("; it links to the feed {feed}: follow that one")).unwrap_or_default()
    )]
    Html {
        /// The page's title.
        title: Option<String>,
        /// The feeds that the page names with `rel="alternate"`.
        feeds: Vec<String>,
    },
    /// A page that asks the client to prove that it is human.
    #[error("the site asks for proof of a human reader in place of the feed: ask its owner to let feed readers pass")]
    Challenge,
    /// JSON, but no JSON Feed.
    #[error("this is JSON, but no JSON Feed: {0}")]
    Json(String),
    /// XML or text of another kind.
    #[error("this is no feed: {0}")]
    NotAFeed(String),
    /// A feed with nothing in it that could be saved.
    #[error("the feed is damaged at line {line} ({what}), and no item could be saved")]
    Damaged {
        /// The line in the document, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
}

impl ParseError {
    /// A short stable name for counting.
    pub fn class(&self) -> &'static str {
        match self {
            ParseError::Empty => "empty",
            ParseError::Html { .. } => "html",
            ParseError::Challenge => "challenge",
            ParseError::Json(_) | ParseError::NotAFeed(_) => "not_a_feed",
            ParseError::Damaged { .. } => "parse",
        }
    }
}

/// Why a header cannot be sent with the requests for a feed. No message tells its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not of the form `Name: value`.
    #[error("a header is written as `Name: value`")]
    NoColon,
    /// Not a name.
    #[error("`{0}` is no name of a header")]
    Name(String),
    /// A header of the exchange itself.
    #[error("`{0}` cannot be a header of a feed: chipwire sets it itself, or it belongs to the connection")]
    Reserved(String),
    /// A value that cannot be sent.
    #[error("the value of the header `{0}` cannot be sent: it takes printable ASCII of at most 4,096 bytes")]
    Value(String),
    /// `${` without a name and `}`.
    #[error("in the header `{0}` of the feed, `${{` must be followed by the name of an environment variable and `}}`")]
    Reference(String),
    /// A variable that is not there.
    #[error(
        "the environment variable `{variable}`, which the header `{header}` of the feed names, is not set where feeds are fetched"
    )]
    Variable {
        /// The header's name.
        header: String,
        /// The variable's name.
        variable: String,
    },
}

/// Why a page has no article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// Nothing but white space.
    #[error("the page is empty")]
    Empty,
    /// There is no main text in it.
    #[error("the page has no article: no text in it stands out as the main one")]
    NoArticle,
    /// It made a library give up.
    #[error("the page cannot be read: its markup defeats the reader")]
    Failed,
    /// The system has no thread left.
    #[error("no thread could be started to read the page")]
    Thread,
}

/// Why no feed was found behind an address.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An answer that is no page.
    #[error("`{url}` answers with status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// A page without feeds, or something else.
    #[error("there is no feed at `{url}` and none was found behind it")]
    NoFeed {
        /// What was asked for.
        url: String,
        /// What is there.
        source: ParseError,
    },
}

impl DiscoverError {
    /// Whether the same address may well lead to a feed at another time: the site could not be asked, or had trouble.
    pub fn may_pass(&self) -> bool {
        match self {
            DiscoverError::Fetch(error) => matches!(
                error,
                FetchError::Dns { .. }
                    | FetchError::Connect { .. }
                    | FetchError::Tls { .. }
                    | FetchError::Timeout { .. }
                    | FetchError::Protocol { .. }
            ),
            DiscoverError::Status { status, .. } => *status >= 500 || matches!(status, 401 | 403 | 408 | 429),
            DiscoverError::NoFeed { source, .. } => matches!(source, ParseError::Challenge | ParseError::Empty),
        }
    }
}

/// Why a list of feeds cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpmlError {
    /// There is no element in it.
    #[error("this is no OPML list of feeds")]
    NotOpml,
    /// Another kind of XML.
    #[error("this is no OPML list of feeds: its root element is <{0}>")]
    Root(String),
    /// Cut off or damaged.
    #[error("line {line}: {what}")]
    Xml {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// An outline's address is none.
    #[error("line {line}: `{url}` in the outline \"{text}\" is no web address: {reason}")]
    Url {
        /// As it stands in the list.
        url: String,
        /// The outline's text.
        text: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// No outline has an address.
    #[error("the list has no outline with an `xmlUrl`")]
    NoFeeds,
    /// Folders in folders in folders.
    #[error("the folders are nested more than {0} deep")]
    TooDeep(usize),
}
