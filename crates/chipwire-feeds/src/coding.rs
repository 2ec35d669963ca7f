//! Undoing `Content-Encoding` (RFC 9110 section 8.4) with a limit on what comes out.

use std::io::Read;

use brotli_decompressor::Decompressor;
use flate2::{
    Decompress, FlushDecompress, Status,
    read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder},
};

use crate::error::FetchError;

/// What a request accepts.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// Below this size a high ratio is harmless, and common: a template that repeats.
const RATIO_FREE_BYTES: usize = 1024 * 1024;

/// zstd for the web needs no window above 8 MiB (RFC 9659); a larger one is a way to take memory.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The limits on a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes after decompression.
    pub(crate) max_bytes: usize,
    /// Bytes after decompression for each byte before it.
    pub(crate) max_ratio: usize,
}

/// Undoes the codings that `Content-Encoding` names, the last one first.
///
/// A body that claims a coding and does not begin like one is taken as it is: servers that send plain text under a gzip
/// header are common, and a parser can tell what it got.
pub(crate) fn decode(body: Vec<u8>, header: Option<&str>, limits: Limits) -> Result<Vec<u8>, FetchError> {
    let mut body = body;
    let codings: Vec<String> = header
        .unwrap_or_default()
        .split(',')
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !coding.is_empty() && coding != "identity" && coding != "utf-8")
        .collect();
    if codings.len() > 3 {
        return Err(FetchError::Coding { coding: header.unwrap_or_default().to_owned() });
    }
    for coding in codings.iter().rev() {
        body = undo(body, coding, limits)?;
    }
    // Some servers compress twice and say so once.
    if codings.len() == 1 && body.starts_with(&[0x1f, 0x8b]) {
        body = undo(body, "gzip", limits)?;
    }
    Ok(body)
}

fn undo(body: Vec<u8>, coding: &str, limits: Limits) -> Result<Vec<u8>, FetchError> {
    let failed = || FetchError::Coding { coding: coding.to_owned() };
    let plain = looks_like_text(&body);
    match coding {
        _ if body.is_empty() => Ok(body),
        "gzip" | "x-gzip" if plain => Ok(body),
        "gzip" | "x-gzip" => limited(MultiGzDecoder::new(body.as_slice()), body.len(), limits, failed),
        "zstd" if plain => Ok(body),
        "zstd" => {
            let mut decoder = zstd::stream::read::Decoder::new(body.as_slice()).map_err(|_| failed())?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|_| failed())?;
            limited(decoder, body.len(), limits, failed)
        }
        "br" => match limited(Decompressor::new(body.as_slice(), 4096), body.len(), limits, failed) {
            Err(FetchError::Coding { .. }) if plain => Ok(body),
            result => result,
        },
        // The standard means zlib by `deflate`; some servers send it bare.
        "deflate" => match limited(ZlibDecoder::new(body.as_slice()), body.len(), limits, failed) {
            Err(FetchError::Coding { .. }) if plain => Ok(body),
            Err(FetchError::Coding { .. }) => limited(DeflateDecoder::new(body.as_slice()), body.len(), limits, failed),
            result => result,
        },
        _ => Err(failed()),
    }
}

/// Whether a body of one coding comes to the end of its compressed stream: none of it is missing, whatever was announced.
pub(crate) fn is_complete(body: &[u8], header: &str, limits: Limits) -> bool {
    let ends = |reader: &mut dyn Read| std::io::copy(&mut reader.take(most(body.len(), limits)), &mut std::io::sink());
    match header.trim().to_ascii_lowercase().as_str() {
        _ if body.is_empty() => false,
        "gzip" | "x-gzip" => ends(&mut MultiGzDecoder::new(body)).is_ok(),
        "zstd" => match zstd::stream::read::Decoder::new(body) {
            Ok(mut decoder) => decoder.window_log_max(ZSTD_WINDOW_LOG).is_ok() && ends(&mut decoder).is_ok(),
            Err(_) => false,
        },
        "br" => ends(&mut Decompressor::new(body, 4096)).is_ok(),
        // Its readers take the end of the body for the end of the stream.
        "deflate" => [true, false].into_iter().any(|zlib| inflates(body, zlib, most(body.len(), limits))),
        _ => false,
    }
}

/// Whether a deflated stream ends within `body`.
fn inflates(body: &[u8], zlib: bool, most: u64) -> bool {
    let mut inflating = Decompress::new(zlib);
    let mut out = vec![0; 64 * 1024];
    while inflating.total_out() <= most {
        let before = (inflating.total_in(), inflating.total_out());
        let rest = usize::try_from(before.0).ok().and_then(|read| body.get(read..)).unwrap_or_default();
        match inflating.decompress(rest, &mut out, FlushDecompress::None) {
            Ok(Status::StreamEnd) => return true,
            Ok(_) if (inflating.total_in(), inflating.total_out()) != before => {}
            _ => return false,
        }
    }
    false
}

fn looks_like_text(body: &[u8]) -> bool {
    let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    matches!(start.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'<' | b'{' | b'['))
}

/// What so many bytes may unpack to, in bytes.
fn most(wire_bytes: usize, limits: Limits) -> u64 {
    let by_ratio = wire_bytes.saturating_mul(limits.max_ratio).max(RATIO_FREE_BYTES);
    limits.max_bytes.min(by_ratio) as u64
}

fn limited(
    reader: impl Read,
    wire_bytes: usize,
    limits: Limits,
    failed: impl Fn() -> FetchError,
) -> Result<Vec<u8>, FetchError> {
    let most = usize::try_from(most(wire_bytes, limits)).unwrap_or(usize::MAX);
    let mut decoded = Vec::new();
    let result = reader.take(most as u64 + 1).read_to_end(&mut decoded);
    if decoded.len() > most {
        return Err(if most == limits.max_bytes {
            FetchError::TooLarge { limit_bytes: most }
        } else {
            FetchError::Ratio { limit: limits.max_ratio }
        });
    }
    match result {
        Ok(_) => Ok(decoded),
        // What was unpacked before the damage is as good as a document that was cut off.
        Err(_) if !decoded.is_empty() => Ok(decoded),
        Err(_) => Err(failed()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const LIMITS: Limits = Limits { max_bytes: 4 << 20, max_ratio: 100 };

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_accepted_coding_is_undone() {
        let text = b"<rss>".repeat(100);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(&text).unwrap();
        let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        bare.write_all(&text).unwrap();
        let cases = [
            ("gzip", gzip(&text)),
            ("x-gzip", gzip(&text)),
            ("gzip, gzip", gzip(&gzip(&text))),
            ("gzip", gzip(&gzip(&text))),
            ("gzip", [gzip(&text[..250]), gzip(&text[250..])].concat()),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", bare.finish().unwrap()),
            ("zstd", zstd::encode_all(text.as_slice(), 3).unwrap()),
            ("gzip", text.clone()),
            ("br", text.clone()),
            ("identity", text.clone()),
            ("", text.clone()),
        ];
        for (coding, body) in cases {
            assert_eq!(decode(body, Some(coding), LIMITS).unwrap(), text, "{coding}");
        }
        // `<rss>` in brotli, uncompressed metablock.
        let brotli = b"\x0b\x02\x80<rss>\x03".to_vec();
        assert_eq!(decode(brotli, Some("br"), LIMITS).unwrap(), b"<rss>");
    }

    #[test]
    fn a_stream_is_complete_when_it_has_come_to_its_end() {
        let text: Vec<u8> = (0..30_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(&text).unwrap();
        let mut bare = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        bare.write_all(&text).unwrap();
        for (coding, body) in [
            ("gzip", gzip(&text)),
            ("X-GZIP ", gzip(&text)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", bare.finish().unwrap()),
            ("zstd", zstd::encode_all(text.as_slice(), 3).unwrap()),
            ("br", b"\x0b\x02\x80<rss>\x03".to_vec()),
        ] {
            assert!(is_complete(&body, coding, LIMITS), "{coding}");
            for cut in [0, 1, body.len() / 2, body.len() - 1] {
                assert!(!is_complete(&body[..cut], coding, LIMITS), "{coding} cut at {cut} of {}", body.len());
            }
        }
        for (coding, body) in [("identity", b"x".as_slice()), ("compress", b"x"), ("gzip", b"<rss></rss>")] {
            assert!(!is_complete(body, coding, LIMITS), "{coding}");
        }
    }

    #[test]
    fn bombs_stop_at_the_limits() {
        let bomb = gzip(&vec![b' '; 3 << 20]);
        assert!(matches!(decode(bomb, Some("gzip"), LIMITS), Err(FetchError::Ratio { limit: 100 })));
        let huge = gzip(&vec![b' '; 64 << 20]);
        let wide = Limits { max_ratio: 100_000, ..LIMITS };
        assert!(matches!(decode(huge, Some("gzip"), wide), Err(FetchError::TooLarge { .. })));
        assert!(matches!(decode(vec![1, 2, 3], Some("zip"), LIMITS), Err(FetchError::Coding { .. })));
        assert!(matches!(decode(vec![1, 2, 3], Some("gzip"), LIMITS), Err(FetchError::Coding { .. })));
    }
}
