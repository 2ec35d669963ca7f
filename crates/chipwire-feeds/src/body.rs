//! The body of an answer, read within its size and its pace.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::{
    Version,
    body::{Body, Incoming},
    header::{self, HeaderMap},
};
use serde::de::IgnoredAny;
use tokio::time::Instant;

use crate::{
    coding::{self, Limits},
    config::FetchConfig,
    error::FetchError,
    headers,
    transfer::{Response, explain},
};

/// What is read of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// All of it; more than this many bytes is an error.
    AtMost(usize),
    /// The first so many bytes.
    First(usize),
}

/// A body on its way.
///
/// One that breaks off is an error, unless what came is whole in itself: servers that announce more bytes than they have are
/// common, such as those that give the length before compression.
pub(crate) struct Reading<'a> {
    config: &'a FetchConfig,
    host: &'a str,
    size: Size,
    headers: HeaderMap,
    coming: Incoming,
    /// Its end is announced: one that ends with its connection may be of any length.
    framed: bool,
    start: Instant,
    body: Vec<u8>,
    /// It came to the end that was announced.
    complete: bool,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        config: &'a FetchConfig,
        response: Response,
        size: Size,
        host: &'a str,
    ) -> Result<Self, FetchError> {
        let (head, coming) = response.into_parts();
        if let (Size::AtMost(limit_bytes), Some(length)) = (size, coming.size_hint().exact())
            && length > limit_bytes as u64
        {
            return Err(FetchError::TooLarge { limit_bytes });
        }
        let framed = coming.size_hint().exact().is_some()
            || head.headers.contains_key(header::TRANSFER_ENCODING)
            || head.version >= Version::HTTP_2;
        let (headers, start) = (head.headers, Instant::now());
        Ok(Self { config, host, size, headers, coming, framed, start, body: Vec::new(), complete: false })
    }

    /// Reads on, to the end or until there are more than `bytes`; false when there is more to come. Can be called again.
    pub(crate) async fn upto(&mut self, bytes: usize) -> Result<bool, FetchError> {
        while self.body.len() <= bytes {
            let slow_at = too_slow_at(self.config, self.start, self.body.len());
            let chunk = match tokio::time::timeout_at(slow_at, self.coming.frame()).await {
                // Anything else are trailers.
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                Ok(None) => {
                    self.complete = self.framed;
                    return Ok(true);
                }
                Ok(Some(Err(_))) if is_whole(self.config, &self.headers, &self.body) => return Ok(true),
                Ok(Some(Err(error))) => return Err(explain(error.into(), self.host)),
                Err(_) => {
                    let FetchConfig { min_bytes_per_s, slow_after_ms: after_ms, .. } = *self.config;
                    return Err(FetchError::TooSlow { host: self.host.to_owned(), min_bytes_per_s, after_ms });
                }
            };
            match self.size {
                Size::AtMost(limit_bytes) if self.body.len() + chunk.len() > limit_bytes => {
                    return Err(FetchError::TooLarge { limit_bytes });
                }
                Size::First(limit) if self.body.len() + chunk.len() >= limit => {
                    let rest = chunk.get(..limit.saturating_sub(self.body.len())).unwrap_or(&chunk);
                    self.body.extend_from_slice(rest);
                    return Ok(true);
                }
                Size::AtMost(_) | Size::First(_) => self.body.extend_from_slice(&chunk),
            }
        }
        Ok(false)
    }

    /// The server is not to blame for so much of the time.
    pub(crate) fn rested(&mut self, time: Duration) {
        self.start += time;
    }

    /// What came, and whether it came to the end that was announced.
    pub(crate) fn into_body(self) -> (Vec<u8>, bool) {
        (self.body, self.complete)
    }
}

/// When an answer of which so many bytes have come is too slow, should no more come: as soon as the average is below the
/// limit, and not before the time that it may be.
fn too_slow_at(config: &FetchConfig, start: Instant, bytes: usize) -> Instant {
    let far = Duration::from_secs(24 * 60 * 60);
    let earned_ms = match config.min_bytes_per_s {
        0 => return start + far,
        rate => (bytes as u64).saturating_mul(1_000) / rate,
    };
    start + Duration::from_millis(earned_ms.max(config.slow_after_ms)).min(far)
}

/// Whether all of a body has come although more was announced: its compressed stream has come to its end, or its document
/// has.
fn is_whole(config: &FetchConfig, headers: &HeaderMap, body: &[u8]) -> bool {
    let coding = headers::text_of(headers, &header::CONTENT_ENCODING);
    let limits = Limits { max_bytes: config.max_body_bytes, max_ratio: config.max_ratio };
    match coding {
        Some(coding) => {
            coding::is_complete(body, &coding, limits)
                || coding::decode(body.to_vec(), Some(&coding), limits).is_ok_and(|document| ends_whole(&document))
        }
        None => ends_whole(body),
    }
}

/// Whether a document that is not compressed ends with the end of a feed, whatever white space and comments follow it.
fn ends_whole(document: &[u8]) -> bool {
    let mut rest = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document).trim_ascii();
    if rest.starts_with(b"{") {
        return serde_json::from_slice::<IgnoredAny>(rest).is_ok();
    }
    while let Some(comment) = rest.strip_suffix(b"-->") {
        let Some(start) = memchr::memmem::rfind(comment, b"<!--") else { return false };
        rest = comment.get(..start).unwrap_or_default().trim_ascii_end();
    }
    let name = rest.strip_suffix(b">").and_then(|rest| {
        let start = memchr::memmem::rfind(rest, b"</")?;
        rest.get(start + 2..)
    });
    let local = name.and_then(|name| name.trim_ascii_end().rsplit(|byte| *byte == b':').next());
    local.is_some_and(|local| [b"rss".as_slice(), b"feed", b"rdf"].iter().any(|root| local.eq_ignore_ascii_case(root)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowness_is_an_average_with_a_time_of_grace() {
        let config = FetchConfig::default();
        let start = Instant::now();
        let seconds = |bytes: usize| (too_slow_at(&config, start, bytes) - start).as_secs_f64();
        assert_eq!([0, 1_024, 10_240, 20_480].map(seconds), [10.0, 10.0, 10.0, 20.0]);
        assert!(seconds(usize::MAX) > 3_600.0);
        let without = FetchConfig { min_bytes_per_s: 0, ..FetchConfig::default() };
        assert!(too_slow_at(&without, start, 0) > start + Duration::from_secs(3_600));
    }

    #[test]
    fn a_document_that_ends_as_a_feed_ends_is_whole() {
        for whole in [
            "<rss></rss>",
            "<feed/></feed>\r\n ",
            "</rdf:RDF>",
            "</RDF>",
            "</a:feed >",
            "</RSS>\n<!-- made in 3 ms -->\n<!-- -- -->",
            "\u{feff}{\"items\": []}\n",
            "{}",
        ] {
            assert!(ends_whole(whole.as_bytes()), "{whole}");
        }
        for cut in [
            "",
            "<rss>",
            "<rss></rss",
            "</rss><x>",
            "</item>",
            "</x:item>",
            "-->",
            "</rss> -->",
            "{\"items\": [{\"title\": \"</rss>",
            "{\"items\": []",
            ">",
            "</>",
        ] {
            assert!(!ends_whole(cut.as_bytes()), "{cut}");
        }
    }
}
