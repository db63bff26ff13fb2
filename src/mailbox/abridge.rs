//! An abridged mail: its header and a few of its parts, so put together that it reads as a mail. Pure.

use super::structure::Shape;

/// A part as it was fetched.
pub(super) struct Piece {
    /// Header fields, of which those named Content-* are taken.
    pub(super) fields: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) inside_message: bool,
}

/// The mail with `header` and, in place of its body, `pieces`.
///
/// The header's own Content-* and MIME-Version fields give way to those of a new multipart. A piece from a mail
/// within the mail is wrapped into message/rfc822 again, so that it cannot pass for a part of the outer mail.
pub(super) fn abridged(header: &[u8], shape: &Shape, pieces: &[Piece]) -> Vec<u8> {
    let boundary = fresh_boundary(pieces);
    let mut mail = fields(header, |name| !is_content(name) && !name.eq_ignore_ascii_case(b"mime-version"));
    let kind = match shape {
        Shape::Report { report_type } => format!("multipart/report; report-type={report_type}"),
        Shape::Single | Shape::Multipart | Shape::Unknown => "multipart/mixed".to_owned(),
    };
    mail.extend(format!("MIME-Version: 1.0\r\nContent-Type: {kind}; boundary=\"{boundary}\"\r\n\r\n").bytes());
    for piece in pieces {
        mail.extend(format!("--{boundary}\r\n").bytes());
        if piece.inside_message {
            mail.extend(b"Content-Type: message/rfc822\r\n\r\nMIME-Version: 1.0\r\n");
        }
        mail.extend(fields(&piece.fields, is_content));
        mail.extend(b"\r\n");
        mail.extend(&piece.body);
        mail.extend(b"\r\n");
    }
    mail.extend(format!("--{boundary}--\r\n").bytes());
    mail
}

/// The mail of one part: `header` as it is, and `body`.
pub(super) fn rejoined(header: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mail = fields(header, |_| true);
    mail.extend(b"\r\n");
    mail.extend(body);
    mail
}

fn is_content(name: &[u8]) -> bool {
    name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-"))
}

/// The header fields whose names are `wanted`, each with its folded lines and CRLF. RFC 5322 §2.2.
///
/// The header ends at the first empty line; a line that is no field is left out with what is folded to it.
fn fields(header: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len());
    let mut keep = false;
    for line in header.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let colon = line.iter().position(|octet| *octet == b':');
            let name = colon.and_then(|at| line.get(..at)).map(<[u8]>::trim_ascii_end);
            keep = name.is_some_and(|name| is_field_name(name) && wanted(name));
        }
        if keep {
            out.extend(line);
            out.extend(b"\r\n");
        }
    }
    out
}

fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// A boundary that none of the pieces contains. RFC 2046 §5.1.1.
fn fresh_boundary(pieces: &[Piece]) -> String {
    let mut number = 0_u32;
    loop {
        let boundary = format!("=_imipd-abridged-{number}");
        let taken = |octets: &[u8]| octets.windows(boundary.len()).any(|window| window == boundary.as_bytes());
        if !pieces.iter().any(|piece| taken(&piece.body) || taken(&piece.fields)) {
            return boundary;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, MimeHeaders};

    const HEADER: &str = "From: a@example.com\r\nMime-version: 1.0\r\nSubject: a\r\n long one\r\n\
                          Content-Type: multipart/mixed;\r\n boundary=x\r\nno field\r\n folded\r\nTo: b@example.com\r\n\r\n";

    fn piece(body: &str) -> Piece {
        let fields = b"Content-Type: text/calendar; method=REQUEST\r\nX-Other: y\r\n\r\n".to_vec();
        Piece { fields, body: body.as_bytes().to_vec(), inside_message: false }
    }

    #[test]
    fn the_header_keeps_what_is_not_about_content() {
        let raw = abridged(HEADER.as_bytes(), &Shape::Multipart, &[piece("BEGIN:VCALENDAR\r\n")]);
        let text = String::from_utf8(raw).unwrap();
        assert!(text.starts_with(
            "From: a@example.com\r\nSubject: a\r\n long one\r\nTo: b@example.com\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=\"=_imipd-abridged-0\"\r\n\r\n--=_imipd-abridged-0\r\n\
             Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n\r\n--"
        ));
    }

    #[test]
    fn a_parser_finds_the_parts_again() {
        let mut forwarded = piece("BEGIN:VCALENDAR\r\nUID:2\r\nEND:VCALENDAR\r\n");
        forwarded.inside_message = true;
        let pieces = [piece("BEGIN:VCALENDAR\r\nUID:1\r\nEND:VCALENDAR\r\n"), forwarded];
        let raw = abridged(HEADER.as_bytes(), &Shape::Multipart, &pieces);
        let mail = MessageParser::new().parse(&raw).unwrap();
        assert_eq!(mail.subject(), Some("a long one"));
        let first = mail.part(1).unwrap();
        assert_eq!(first.content_type().unwrap().attribute("method"), Some("REQUEST"));
        assert_eq!(first.text_contents().unwrap().trim_end(), "BEGIN:VCALENDAR\r\nUID:1\r\nEND:VCALENDAR");
        let inner = mail.part(2).unwrap().message().expect("still a mail within the mail");
        assert!(inner.part(0).unwrap().text_contents().unwrap().contains("UID:2"));
    }

    #[test]
    fn the_boundary_is_in_no_part() {
        let raw = abridged(b"", &Shape::Multipart, &[piece("--=_imipd-abridged-0--\r\n=_imipd-abridged-1")]);
        assert!(String::from_utf8(raw).unwrap().contains("boundary=\"=_imipd-abridged-2\""));
    }

    #[test]
    fn a_report_stays_a_report() {
        let shape = Shape::Report { report_type: "delivery-status".to_owned() };
        let raw = abridged(HEADER.as_bytes(), &shape, &[]);
        assert!(String::from_utf8(raw).unwrap().contains("multipart/report; report-type=delivery-status; boundary="));
    }

    #[test]
    fn a_mail_of_one_part_keeps_its_header() {
        let raw = rejoined(b"From: a\r\nContent-Type: text/calendar\r\n\r\n", b"BEGIN:VCALENDAR");
        assert_eq!(raw, b"From: a\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR");
    }
}
