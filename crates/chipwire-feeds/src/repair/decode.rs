//! From bytes to text: which encoding is it really?

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use super::{Repairs, Stage, codepages::Decoder};
use crate::text::cap_chars;

/// How far into the document a declaration is looked for, in bytes.
const DECLARATION_BYTES: usize = 1_024;

/// Valid sequences of several bytes from which on it tells that there are more of them than bad ones.
const VALID_MIN: usize = 8;

/// Decodes a document: byte order mark, then the pattern of UTF-16 and UTF-32, then UTF-8 if it is valid (unless it is said
/// to be ISO-2022-JP, which is valid UTF-8 as well), then what the HTTP header says, then what the document says, then a guess
/// by its letters. Text that is UTF-8 is not copied.
pub(crate) fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>, repairs: &mut Repairs) -> Cow<'a, str> {
    if let Some((big_endian, skip)) = utf32(bytes) {
        repairs.note(Stage::Encoding, "encoded as UTF-32, which feeds must not be");
        return decode_utf32(bytes.get(skip..).unwrap_or_default(), big_endian).into();
    }
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let text = bytes.get(length..).unwrap_or_default();
        return with(Decoder::Web(encoding), text, "its byte order mark", repairs).into();
    }
    if let Some(encoding) = utf16(bytes) {
        return with(Decoder::Web(encoding), bytes, "its pattern", repairs).into();
    }
    if let Some(decoder) = Decoder::for_ebcdic(bytes) {
        repairs.note(Stage::Encoding, "encoded in EBCDIC, which feeds must not be");
        return with(decoder, bytes, "its pattern", repairs).into();
    }
    let valid_to = match std::str::from_utf8(bytes) {
        Ok(text) if !is_iso_2022_jp(bytes, content_type) => return text.into(),
        Ok(_) => return with(Decoder::Web(ISO_2022_JP), bytes, "the feed or its header", repairs).into(),
        Err(error) => error.valid_up_to(),
    };
    // Some bad bytes in a text of valid UTF-8 are damage, not another encoding, whatever is declared. Sequences of several bytes
    // are hardly ever valid by chance: in Chinese, Japanese and Korean encodings, where they are most often, there are at least
    // two bad ones for each where a text has some dozen characters, and in those of one byte a letter next to none.
    let (mut valid, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if valid > bad * 2 || (valid > bad && valid >= VALID_MIN) {
        let line = bytes.iter().take(valid_to).filter(|byte| **byte == b'\n').count() + 1;
        repairs.note(Stage::Encoding, format!("some bytes are not valid UTF-8, the first in line {line}"));
        return String::from_utf8_lossy(bytes);
    }
    let header = content_type.and_then(charset).map(|label| (label, "the HTTP header"));
    let declared = declared(bytes).map(|label| (label, "the XML declaration"));
    for (label, said_by) in [header, declared].into_iter().flatten() {
        match Decoder::for_label(label) {
            // Both often say UTF-8 out of habit; that it is not valid is known by now.
            Some(Decoder::Web(encoding)) if encoding == UTF_8 => {}
            // UTF-16 and EBCDIC would have shown their pattern.
            Some(decoder) if decoder.is_ascii_compatible() => return with(decoder, bytes, said_by, repairs).into(),
            Some(_) => {}
            None => {
                let label = cap_chars(label, 40);
                repairs.note(Stage::Encoding, format!("{said_by} names the encoding `{label}`, which is not known"));
            }
        }
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    repairs.note(Stage::Encoding, format!("not valid UTF-8: read as {}, by its letters", encoding.name()));
    encoding.decode_without_bom_handling(bytes).0
}

/// Whether a text of ASCII is one of ISO-2022-JP: it is said to be, and its escapes are there.
fn is_iso_2022_jp(bytes: &[u8], content_type: Option<&str>) -> bool {
    memchr::memchr(0x1b, bytes).is_some()
        && [content_type.and_then(charset), declared(bytes)]
            .into_iter()
            .flatten()
            .any(|label| matches!(Decoder::for_label(label), Some(Decoder::Web(encoding)) if encoding == ISO_2022_JP))
}

fn with(decoder: Decoder, bytes: &[u8], said_by: &str, repairs: &mut Repairs) -> String {
    let (text, damaged) = decoder.decode(bytes);
    if damaged {
        repairs.note(Stage::Encoding, format!("some bytes are not valid {}, which {said_by} names", decoder.name()));
    }
    text
}

/// The `charset` of a content type.
fn charset(content_type: &str) -> Option<&str> {
    let lower = content_type.to_ascii_lowercase();
    let at = lower.find("charset=")? + "charset=".len();
    let value = content_type.get(at..)?.trim_start_matches(['"', '\'', ' ']);
    value.split(['"', '\'', ';', ' ', ',']).next().filter(|label| !label.is_empty())
}

/// The `encoding` of the XML declaration.
pub(super) fn declared(bytes: &[u8]) -> Option<&str> {
    let start = bytes.get(..bytes.len().min(DECLARATION_BYTES))?;
    let ascii = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(start.get(..error.valid_up_to())?).ok()?,
    };
    let declaration = ascii.get(ascii.find("<?xml")?..)?;
    let declaration = declaration.get(..declaration.find("?>")?)?;
    let value = declaration.get(declaration.find("encoding")? + "encoding".len()..)?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

/// UTF-32 by its mark or by the zeros around an ASCII `<`: whether it is big-endian, and the length of the mark.
fn utf32(bytes: &[u8]) -> Option<(bool, usize)> {
    match bytes {
        [0, 0, 0xfe, 0xff, ..] => Some((true, 4)),
        [0xff, 0xfe, 0, 0, ..] => Some((false, 4)),
        [0, 0, 0, b'<', ..] => Some((true, 0)),
        [b'<', 0, 0, 0, ..] => Some((false, 0)),
        _ => None,
    }
}

fn decode_utf32(bytes: &[u8], big_endian: bool) -> String {
    let (units, _) = bytes.as_chunks::<4>();
    units
        .iter()
        .map(|unit| if big_endian { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) })
        .map(|code| char::from_u32(code).unwrap_or('\u{fffd}'))
        .collect()
}

fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0, b'<', 0, ..] => Some(UTF_16BE),
        [b'<', 0, second, 0, ..] if *second != 0 => Some(UTF_16LE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::noted::in_words, *};

    fn check(bytes: &[u8], content_type: Option<&str>, expected: &str, noted: &str) {
        let mut repairs = Repairs::default();
        assert_eq!(decode(bytes, content_type, &mut repairs), expected);
        assert_eq!(in_words(repairs).join("; "), noted);
    }

    #[test]
    fn the_encoding_is_found() {
        let utf16: Vec<u8> = "<a>é</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16_be: Vec<u8> = "<a>é</a>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let utf32: Vec<u8> = "<é>".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        check("<é>".as_bytes(), None, "<é>", "");
        check("\u{feff}<é>".as_bytes(), Some("text/xml; charset=latin1"), "<é>", "");
        check("<é>".as_bytes(), Some("text/xml; charset=latin1"), "<é>", "");
        check(&utf16, None, "<a>é</a>", "");
        check(&utf16_be, None, "<a>é</a>", "");
        check(&[b"\xff\xfe".as_slice(), &utf16].concat(), None, "<a>é</a>", "");
        check(&utf32, None, "<é>", "encoded as UTF-32, which feeds must not be");
        check(b"<\xe9>", Some("text/xml; charset=\"ISO-8859-1\""), "<é>", "");
        check(b"<?xml encoding='windows-1252'?><\x93>", None, "<?xml encoding='windows-1252'?><“>", "");
        check(b"<?xml encoding='utf-8'?><\xe9>", Some("text/xml;charset=koi8-r"), "<?xml encoding='utf-8'?><И>", "");
        check("<\u{4e2d}".as_bytes(), Some("text/xml; charset=gbk"), "<\u{4e2d}", "");
        let japanese = b"<?xml encoding='iso-2022-jp'?>\x1b$B$K$[$s\x1b(B";
        check(japanese, None, "<?xml encoding='iso-2022-jp'?>にほん", "");
        check(&japanese[30..], Some("text/xml; charset=ISO-2022-JP"), "にほん", "");
        check(&japanese[30..], Some("text/xml; charset=utf-8"), "\u{1b}$B$K$[$s\u{1b}(B", "");
        check("<?xml encoding='iso-2022-jp'?>に".as_bytes(), None, "<?xml encoding='iso-2022-jp'?>に", "");
        check(
            b"<?xml encoding='iso-2022-jp'?>\x1b$B\x01\x1b(B",
            None,
            "<?xml encoding='iso-2022-jp'?>\u{fffd}",
            "some bytes are not valid ISO-2022-JP, which the feed or its header names",
        );
        let damaged = [("é".repeat(20)).as_bytes(), b"\xff"].concat();
        check(
            &damaged,
            None,
            &format!("{}\u{fffd}", "é".repeat(20)),
            "some bytes are not valid UTF-8, the first in line 1",
        );
        let damaged = ["é".repeat(8).as_bytes(), &b"\xff<".repeat(7)].concat();
        let text = format!("{}{}", "é".repeat(8), "\u{fffd}<".repeat(7));
        check(&damaged, None, &text, "some bytes are not valid UTF-8, the first in line 1");
        check(
            b"<?xml encoding='utf-8'?>the chip\x92s price rose, and the caf\xe9 said",
            None,
            "<?xml encoding='utf-8'?>the chip’s price rose, and the café said",
            "not valid UTF-8: read as windows-1252, by its letters",
        );
        check(b"", None, "", "");
        check(b"\xff", None, "ÿ", "not valid UTF-8: read as windows-1252, by its letters");
    }
}
