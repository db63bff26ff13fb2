//! Bytes to text, whatever the label says.

use mail_parser::decoders::charsets::map::charset_decoder;

use super::Quirk;

/// Decodes the body of a calendar part, and says what was wrong with its label.
///
/// RFC 5545 §3.1.4 and RFC 6047 §2.4 have UTF-8 unless a charset parameter says otherwise. In practice a label of
/// `us-ascii`, a missing one and one that names nothing known stand before UTF-8 and before Latin-1 alike; so bytes
/// that are valid UTF-8 are UTF-8 there, and others are Windows-1252. UTF-16 is known by its byte order mark, or by
/// the NUL beside the B of BEGIN.
pub fn decode(bytes: &[u8], label: Option<&str>) -> (String, Vec<Quirk>) {
    let mut quirks = Vec::new();
    let text = decode_labelled(bytes, label.map(str::trim).filter(|label| !label.is_empty()), &mut quirks);
    match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            note(&mut quirks, Quirk::ByteOrderMark);
            (rest.to_owned(), quirks)
        }
        None => (text, quirks),
    }
}

fn decode_labelled(bytes: &[u8], label: Option<&str>, quirks: &mut Vec<Quirk>) -> String {
    if let Some(order) = utf16_order(bytes) {
        note(quirks, Quirk::Utf16);
        return decode_utf16(bytes, order);
    }
    match Label::read(label) {
        Label::Utf8 => decode_utf8(bytes, Quirk::MislabelledCharset, quirks),
        Label::None => decode_utf8(bytes, Quirk::UndeclaredLatin1, quirks),
        Label::Ascii => {
            if !bytes.is_ascii() {
                note(quirks, Quirk::MislabelledCharset);
            }
            decode_utf8(bytes, Quirk::MislabelledCharset, quirks)
        }
        Label::Unknown => {
            note(quirks, Quirk::UnknownCharset);
            decode_utf8(bytes, Quirk::UndeclaredLatin1, quirks)
        }
        // A label of UTF-16 on bytes without any NUL is a lie: a program re-coded the body and left the label.
        Label::Utf16 => decode_utf8(bytes, Quirk::MislabelledCharset, quirks),
        Label::Other(decoder) => decoder(bytes),
    }
}

enum Label {
    None,
    Utf8,
    Ascii,
    Utf16,
    Other(fn(&[u8]) -> String),
    Unknown,
}

impl Label {
    fn read(label: Option<&str>) -> Self {
        let Some(label) = label else { return Self::None };
        let lower = label.to_ascii_lowercase();
        match lower.as_str() {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" => Self::Utf8,
            "us-ascii" | "ascii" | "ansi_x3.4-1968" => Self::Ascii,
            utf16 if utf16.starts_with("utf-16") || utf16.starts_with("utf16") => Self::Utf16,
            other => charset_decoder(other.as_bytes()).map_or(Self::Unknown, Self::Other),
        }
    }
}

fn decode_utf8(bytes: &[u8], otherwise: Quirk, quirks: &mut Vec<Quirk>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            note(quirks, otherwise);
            match charset_decoder(b"windows-1252") {
                Some(decoder) => decoder(bytes),
                None => String::from_utf8_lossy(bytes).into_owned(),
            }
        }
    }
}

#[derive(Clone, Copy)]
enum ByteOrder {
    Big,
    Little,
}

fn utf16_order(bytes: &[u8]) -> Option<ByteOrder> {
    match bytes {
        [0xfe, 0xff, ..] => Some(ByteOrder::Big),
        [0xff, 0xfe, ..] => Some(ByteOrder::Little),
        [0, first, 0, second, ..] if first.is_ascii() && second.is_ascii() && *first != 0 => Some(ByteOrder::Big),
        [first, 0, second, 0, ..] if first.is_ascii() && second.is_ascii() && *first != 0 => Some(ByteOrder::Little),
        _ => None,
    }
}

fn decode_utf16(bytes: &[u8], order: ByteOrder) -> String {
    let units = bytes.chunks_exact(2).map(|pair| match (pair, order) {
        ([high, low], ByteOrder::Big) | ([low, high], ByteOrder::Little) => u16::from_be_bytes([*high, *low]),
        _ => u16::from(b'?'),
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn note(quirks: &mut Vec<Quirk>, quirk: Quirk) {
    if !quirks.contains(&quirk) {
        quirks.push(quirk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_bytes_disagree_in_every_known_way() {
        let utf16le: Vec<u8> = "BEGIN:Ü".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut marked = vec![0xfe, 0xff];
        marked.extend("BEGIN:Ü".encode_utf16().flat_map(u16::to_be_bytes));
        type Case<'a> = (&'a [u8], Option<&'a str>, &'a str, &'a [Quirk]);
        let cases: [Case<'_>; 11] = [
            ("Büro".as_bytes(), Some("UTF-8"), "Büro", &[]),
            ("Büro".as_bytes(), None, "Büro", &[]),
            ("Büro".as_bytes(), Some("us-ascii"), "Büro", &[Quirk::MislabelledCharset]),
            (b"B\xfcro", Some("us-ascii"), "Büro", &[Quirk::MislabelledCharset]),
            (b"B\xfcro", None, "Büro", &[Quirk::UndeclaredLatin1]),
            (b"B\xfcro", Some("utf-8"), "Büro", &[Quirk::MislabelledCharset]),
            (b"B\xfcro", Some("ISO-8859-1"), "Büro", &[]),
            (b"B\xfcro", Some("x-klingon"), "Büro", &[Quirk::UnknownCharset, Quirk::UndeclaredLatin1]),
            (b"\xef\xbb\xbfBEGIN", Some("utf-8"), "BEGIN", &[Quirk::ByteOrderMark]),
            (&utf16le, Some("utf-8"), "BEGIN:Ü", &[Quirk::Utf16]),
            (&marked, Some("utf-16"), "BEGIN:Ü", &[Quirk::Utf16, Quirk::ByteOrderMark]),
        ];
        for (bytes, label, text, quirks) in cases {
            assert_eq!(decode(bytes, label), (text.to_owned(), quirks.to_vec()), "{bytes:?} as {label:?}");
        }
    }
}
