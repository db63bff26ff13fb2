//! The parts of a mail, walked with bounds (RFC 2045, RFC 2046).
//!
//! mail-parser reads the header fields; the bodies are split here. That way the large parts of a mail are never
//! decoded, and depth and number of the parts are bounded: a parsed tree of message/rfc822 within message/rfc822 is
//! dropped recursively, which a mail of one megabyte can turn into a stack overflow.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Header, HeaderName, MessageParser};

use super::limits;

/// A header and what stands below it.
#[derive(Debug)]
pub(super) struct Entity<'a> {
    pub headers: Vec<Header<'a>>,
    raw_header: &'a [u8],
    body: &'a [u8],
}

impl<'a> Entity<'a> {
    /// Splits header fields from body at the first empty line; never fails, at worst one of the two is empty.
    pub fn parse(raw: &'a [u8]) -> Self {
        let (header, body) = split_header(raw);
        // A part without any header field starts with the empty line (RFC 2046 §5.1).
        let parsed = MessageParser::default().parse_headers(header).and_then(|mail| mail.parts.into_iter().next());
        Self { headers: parsed.map(|part| part.headers).unwrap_or_default(), raw_header: header, body }
    }

    /// An entity whose header and body came apart, as IMAP hands them out.
    pub fn fetched(header: &'a [u8], body: &'a [u8]) -> Self {
        Self { headers: Self::parse(header).headers, raw_header: header, body }
    }

    /// The media type, lower case; `text/plain` when there is none that can be read (RFC 2045 §5.2).
    pub fn media_type(&self) -> String {
        match self.content_type() {
            Some(found) => {
                let subtype = found.subtype().unwrap_or_default();
                format!("{}/{}", found.ctype(), subtype).to_ascii_lowercase()
            }
            None => "text/plain".to_owned(),
        }
    }

    /// A parameter of Content-Type.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.content_type().and_then(|found| found.attribute(name))
    }

    /// The file name that Content-Disposition, or else Content-Type, gives the part.
    pub fn file_name(&self) -> Option<&str> {
        let disposition = self.last(&HeaderName::ContentDisposition).and_then(|header| header.value.as_content_type());
        disposition.and_then(|found| found.attribute("filename")).or_else(|| self.parameter("name"))
    }

    /// The body without its transfer encoding, or nothing when that encoding is broken beyond reading.
    pub fn decoded(&self) -> Option<Cow<'a, [u8]>> {
        match self.transfer_encoding().as_str() {
            "base64" => decode_base64(self.body).map(Cow::Owned),
            "quoted-printable" => quoted_printable_decode(self.body).map(Cow::Owned),
            _ => Some(Cow::Borrowed(self.body)),
        }
    }

    /// The header fields as they stand, with the empty line that ends them.
    pub fn raw_header(&self) -> &'a [u8] {
        self.raw_header
    }

    /// The body as it stands.
    pub fn raw_body(&self) -> &'a [u8] {
        self.body
    }

    /// The parts of a multipart body; what stands before the first and after the last is left out (RFC 2046 §5.1.1).
    pub fn parts(&self) -> Vec<&'a [u8]> {
        match self.parameter("boundary") {
            Some(boundary) if !boundary.is_empty() => split(self.body, boundary.trim_end().as_bytes()),
            Some(_) | None => Vec::new(),
        }
    }

    fn content_type(&self) -> Option<&mail_parser::ContentType<'a>> {
        self.last(&HeaderName::ContentType).and_then(|header| header.value.as_content_type())
    }

    fn transfer_encoding(&self) -> String {
        let value = self.last(&HeaderName::ContentTransferEncoding).and_then(|header| header.value.as_text());
        value.unwrap_or_default().trim().to_ascii_lowercase()
    }

    fn last(&self, name: &HeaderName<'_>) -> Option<&Header<'a>> {
        self.headers.iter().rev().find(|header| header.name == *name)
    }
}

/// The header with its empty line, and the body. RFC 5322 §2.1.
pub(super) fn split_header(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if line == b"\n" || line == b"\r\n" {
            break;
        }
    }
    raw.split_at_checked(end).unwrap_or((raw, b""))
}

/// Decodes base64; what is no letter of it is passed over, as RFC 2045 §6.8 asks for, and a missing tail is left out.
fn decode_base64(body: &[u8]) -> Option<Vec<u8>> {
    if let Some(decoded) = base64_decode(body).filter(|decoded| !decoded.is_empty()) {
        return Some(decoded);
    }
    let letters: Vec<u8> =
        body.iter().copied().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')).collect();
    let whole = letters.get(..letters.len() - letters.len() % 4)?;
    base64_decode(whole)
}

fn split<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let line_start = at;
        at += line.len();
        let Some(rest) = line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary)) else { continue };
        let is_close = match rest.trim_ascii_end() {
            b"" => false,
            b"--" => true,
            _ => continue,
        };
        if let Some(from) = start.take() {
            parts.push(without_line_end(body.get(from..line_start).unwrap_or_default()));
        }
        if is_close || parts.len() >= limits::PARTS_MAX {
            return parts;
        }
        start = Some(at);
    }
    // The end is missing: the mail was cut off.
    parts.extend(start.and_then(|from| body.get(from..)));
    parts
}

/// The line end before a boundary belongs to the boundary (RFC 2046 §5.1.1).
fn without_line_end(part: &[u8]) -> &[u8] {
    part.strip_suffix(b"\r\n").or_else(|| part.strip_suffix(b"\n")).unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_whole_boundaries_only() {
        let body =
            b"preamble\r\n--b\r\n\r\none\r\n--bb\r\nstill one\r\n--b  \r\n\r\ntwo\r\n--b--\r\nepilogue\r\n--b\r\n";
        assert_eq!(split(body, b"b"), [&b"\r\none\r\n--bb\r\nstill one"[..], b"\r\ntwo"]);
        assert_eq!(split(b"--b\n\none\n--b\n\ncut o", b"b"), [&b"\none"[..], b"\ncut o"]);
        assert!(split(b"nothing", b"b").is_empty());
    }

    #[test]
    fn base64_survives_garbage_and_a_missing_tail() {
        assert_eq!(decode_base64(b"QkVH\r\nSU4=\r\n").as_deref(), Some(&b"BEGIN"[..]));
        assert_eq!(decode_base64(b"QkVH!\r\nSU4").as_deref(), Some(&b"BEG"[..]));
    }
}
