//! Encodings that the web has left behind and old feeds still name: the code pages of DOS, and EBCDIC.

use encoding_rs::Encoding;
use oem_cp::code_table::DECODING_TABLE_CP_MAP;

/// How a document is decoded.
#[derive(Clone, Copy)]
pub(super) enum Decoder {
    /// One of the encodings of the web (encoding.spec.whatwg.org).
    Web(&'static Encoding),
    /// A code page of DOS, by its number.
    Dos(u16),
    /// An EBCDIC.
    Ebcdic(Ebcdic),
}

/// The code pages that XML documents name. Others of the family are read as 037: all have letters and digits in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ebcdic {
    Cp037,
    Cp500,
    Cp1140,
}

/// `<?xm` in any EBCDIC: the only document in it that can be told from noise (XML 1.0, appendix F).
const EBCDIC_START: &[u8] = &[0x4c, 0x6f, 0xa7, 0x94];

/// Code page 037 in terms of Latin-1.
#[rustfmt::skip]
const CP037: [u8; 256] = [
    0x00, 0x01, 0x02, 0x03, 0x9c, 0x09, 0x86, 0x7f, 0x97, 0x8d, 0x8e, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x10, 0x11, 0x12, 0x13, 0x9d, 0x85, 0x08, 0x87, 0x18, 0x19, 0x92, 0x8f, 0x1c, 0x1d, 0x1e, 0x1f,
    0x80, 0x81, 0x82, 0x83, 0x84, 0x0a, 0x17, 0x1b, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x05, 0x06, 0x07,
    0x90, 0x91, 0x16, 0x93, 0x94, 0x95, 0x96, 0x04, 0x98, 0x99, 0x9a, 0x9b, 0x14, 0x15, 0x9e, 0x1a,
    0x20, 0xa0, 0xe2, 0xe4, 0xe0, 0xe1, 0xe3, 0xe5, 0xe7, 0xf1, 0xa2, 0x2e, 0x3c, 0x28, 0x2b, 0x7c,
    0x26, 0xe9, 0xea, 0xeb, 0xe8, 0xed, 0xee, 0xef, 0xec, 0xdf, 0x21, 0x24, 0x2a, 0x29, 0x3b, 0xac,
    0x2d, 0x2f, 0xc2, 0xc4, 0xc0, 0xc1, 0xc3, 0xc5, 0xc7, 0xd1, 0xa6, 0x2c, 0x25, 0x5f, 0x3e, 0x3f,
    0xf8, 0xc9, 0xca, 0xcb, 0xc8, 0xcd, 0xce, 0xcf, 0xcc, 0x60, 0x3a, 0x23, 0x40, 0x27, 0x3d, 0x22,
    0xd8, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0xab, 0xbb, 0xf0, 0xfd, 0xfe, 0xb1,
    0xb0, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0xaa, 0xba, 0xe6, 0xb8, 0xc6, 0xa4,
    0xb5, 0x7e, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0xa1, 0xbf, 0xd0, 0xdd, 0xde, 0xae,
    0x5e, 0xa3, 0xa5, 0xb7, 0xa9, 0xa7, 0xb6, 0xbc, 0xbd, 0xbe, 0x5b, 0x5d, 0xaf, 0xa8, 0xb4, 0xd7,
    0x7b, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0xad, 0xf4, 0xf6, 0xf2, 0xf3, 0xf5,
    0x7d, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0xb9, 0xfb, 0xfc, 0xf9, 0xfa, 0xff,
    0x5c, 0xf7, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0xb2, 0xd4, 0xd6, 0xd2, 0xd3, 0xd5,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0xb3, 0xdb, 0xdc, 0xd9, 0xda, 0x9f,
];

impl Decoder {
    /// What a label means, with the spellings that are in use. None for what is not known here.
    pub(super) fn for_label(label: &str) -> Option<Self> {
        let label = label.trim().to_ascii_lowercase().replace('_', "-");
        let web = match label.as_str() {
            "macroman" => "macintosh",
            "mac-cyrillic" | "maccyrillic" => "x-mac-cyrillic",
            "cp874" => "windows-874",
            label => label,
        };
        if let Some(encoding) = Encoding::for_label(web.as_bytes()) {
            return Some(Decoder::Web(encoding));
        }
        match label.as_str() {
            "cp037" | "ibm037" | "csibm037" | "ibm039" => return Some(Decoder::Ebcdic(Ebcdic::Cp037)),
            "cp500" | "ibm500" | "csibm500" | "ebcdic-cp-be" | "ebcdic-cp-ch" => {
                return Some(Decoder::Ebcdic(Ebcdic::Cp500));
            }
            "cp1140" | "ibm1140" => return Some(Decoder::Ebcdic(Ebcdic::Cp1140)),
            label if label.starts_with("ebcdic-cp-") => return Some(Decoder::Ebcdic(Ebcdic::Cp037)),
            _ => {}
        }
        let number = match label.as_str() {
            "cp-is" => "861",
            "cspc8codepage437" => "437",
            "cspc775baltic" => "775",
            "cspc850multilingual" => "850",
            "cspcp852" => "852",
            "cspc862latinhebrew" => "862",
            label => ["csibm", "ibm", "cp", "dos-"]
                .iter()
                .find_map(|prefix| label.strip_prefix(prefix))
                .unwrap_or(label)
                .trim_start_matches('-'),
        };
        let page: u16 = number.parse().ok()?;
        DECODING_TABLE_CP_MAP.contains_key(&page).then_some(Decoder::Dos(page))
    }

    /// The EBCDIC that a document is in, if it is in one.
    pub(super) fn for_ebcdic(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(EBCDIC_START) {
            return None;
        }
        let start: Vec<u8> = bytes.iter().take(200).map(|byte| latin_1(*byte)).collect();
        let declared = super::decode::declared(&start).and_then(Decoder::for_label);
        Some(declared.filter(|decoder| matches!(decoder, Decoder::Ebcdic(_))).unwrap_or(Decoder::Ebcdic(Ebcdic::Cp037)))
    }

    /// Whether what is ASCII means itself, as in all but UTF-16 and EBCDIC: a declaration that can be read tells the truth
    /// about such an encoding only.
    pub(super) fn is_ascii_compatible(self) -> bool {
        match self {
            Decoder::Web(encoding) => encoding.is_ascii_compatible(),
            Decoder::Dos(_) => true,
            Decoder::Ebcdic(_) => false,
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Decoder::Web(encoding) => encoding.name().to_owned(),
            Decoder::Dos(page) => format!("code page {page}"),
            Decoder::Ebcdic(page) => format!("EBCDIC ({page:?})").to_owned(),
        }
    }

    /// The text, and whether some bytes could not be decoded.
    pub(super) fn decode(self, bytes: &[u8]) -> (String, bool) {
        match self {
            Decoder::Web(encoding) => {
                let (text, damaged) = encoding.decode_without_bom_handling(bytes);
                (text.into_owned(), damaged)
            }
            Decoder::Dos(page) => match DECODING_TABLE_CP_MAP.get(&page) {
                Some(table) => {
                    let text = table.decode_string_lossy(bytes);
                    let damaged = text.contains('\u{fffd}');
                    (text, damaged)
                }
                None => (String::from_utf8_lossy(bytes).into_owned(), true),
            },
            Decoder::Ebcdic(page) => (bytes.iter().map(|byte| page.character(*byte)).collect(), false),
        }
    }
}

fn latin_1(byte: u8) -> u8 {
    CP037.get(usize::from(byte)).copied().unwrap_or_default()
}

impl Ebcdic {
    fn character(self, byte: u8) -> char {
        match (self, byte) {
            (Ebcdic::Cp500, 0x4a) => '[',
            (Ebcdic::Cp500, 0x4f) => '!',
            (Ebcdic::Cp500, 0x5a) => ']',
            (Ebcdic::Cp500, 0x5f) => '^',
            (Ebcdic::Cp500, 0xb0) => '¢',
            (Ebcdic::Cp500, 0xba) => '¬',
            (Ebcdic::Cp500, 0xbb) => '|',
            (Ebcdic::Cp1140, 0x9f) => '€',
            // Its own line end, which XML 1.0 does not know.
            (_, 0x15) => '\n',
            _ => char::from(latin_1(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_by_their_aliases() {
        for (label, name) in [
            ("utf-8", "UTF-8"),
            ("Windows_1252", "windows-1252"),
            ("macroman", "macintosh"),
            ("437", "code page 437"),
            ("IBM850", "code page 850"),
            ("cspc862latinhebrew", "code page 862"),
            ("cp037", "EBCDIC (Cp037)"),
            ("ebcdic-cp-be", "EBCDIC (Cp500)"),
        ] {
            assert_eq!(Decoder::for_label(label).map(Decoder::name).as_deref(), Some(name), "{label}");
        }
        assert!(Decoder::for_label("bogus").is_none());
        assert!(Decoder::for_label("").is_none());
        assert!(Decoder::for_label("cp12345").is_none());
    }

    #[test]
    fn code_pages_are_decoded() {
        assert_eq!(Decoder::Dos(437).decode(b"\x80a\x9c").0, "Ça£");
        let xml = b"\x4c\x6f\xa7\x94\x93\x6f\x6e\x4c\x81\x6e\x80\x4c\x61\x81\x6e";
        assert_eq!(Decoder::for_ebcdic(xml).unwrap().decode(xml).0, "<?xml?><a>Ø</a>");
        assert!(Decoder::for_ebcdic(b"<?xml?>").is_none());
    }
}
