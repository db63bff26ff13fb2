//! What the header fields of a mail tell before the mail is fetched.

use mail_parser::{Header, HeaderName};

use super::mime::Entity;
use super::{bounce, limits, sender, tag_in};
use crate::itip::Address;

/// Who wrote a mail, to whom, and in answer to what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heading {
    pub from: Vec<Address>,
    /// To and Cc.
    pub to: Vec<Address>,
    /// Message-IDs, with their angle brackets.
    pub in_reply_to: Vec<String>,
    /// Whether a mail system wrote it, so that it may be a report in plain words.
    pub is_from_mail_system: bool,
    /// Whether the subject holds an answer, as a link in an invitation writes it.
    pub is_tagged: bool,
}

impl Heading {
    /// Reads header fields; what is not there, or cannot be read, stays empty.
    pub fn read(fields: &[u8]) -> Self {
        let entity = Entity::parse(fields);
        let headers = &entity.headers;
        let from = sender::addresses(headers, &[HeaderName::From]);
        let is_from_mail_system = bounce::is_from_mail_system(headers) || has_null_sender(fields);
        let to = sender::addresses(headers, &[HeaderName::To, HeaderName::Cc]);
        let subjects = headers.iter().filter(|header| header.name == HeaderName::Subject);
        let is_tagged = subjects.filter_map(|header| header.value.as_text()).any(|subject| tag_in(subject).is_some());
        Self { from, to, in_reply_to: in_reply_to(headers), is_from_mail_system, is_tagged }
    }
}

/// Some mail systems write the envelope's null sender (RFC 5321 §4.5.5) into From as well.
fn has_null_sender(fields: &[u8]) -> bool {
    let text = String::from_utf8_lossy(fields);
    let from = text.lines().find(|line| line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("from:")));
    from.is_some_and(|line| line.trim_end().ends_with("<>"))
}

fn in_reply_to(headers: &[Header<'_>]) -> Vec<String> {
    let fields = headers.iter().filter(|header| header.name == HeaderName::InReplyTo);
    let ids = fields.filter_map(|field| field.value.as_text_list()).flatten();
    ids.take(limits::PARTS_MAX).map(|id| format!("<{}>", id.trim().trim_matches(['<', '>']))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_people_and_the_thread_are_read() {
        let heading = Heading::read(
            b"From: Ada <Ada@example.net>\r\nTo: Bo <bo@example.org>,\r\n cy@example.org\r\nCc: di@example.org\r\n\
              In-Reply-To: <1@example.org>\r\n\r\n",
        );
        let names = |list: &[Address]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&heading.from), ["ada@example.net"]);
        assert_eq!(names(&heading.to), ["bo@example.org", "cy@example.org", "di@example.org"]);
        assert_eq!(heading.in_reply_to, ["<1@example.org>"]);
        assert!(!heading.is_from_mail_system);
    }

    #[test]
    fn an_answer_in_the_subject_is_seen() {
        let tagged = |subject: &str| Heading::read(format!("Subject: {subject}\r\n\r\n").as_bytes()).is_tagged;
        assert!(tagged("Yes: Rehearsal\r\n [imipd:yes:AAAAAAAAAAAAAAAAAAAAAA]"));
        assert!(tagged("=?utf-8?q?Re=3A_S=C3=AD=3A_x_=5Bimipd=3Ayes?= =?utf-8?q?=3AAAAAAAAAAAAAAAAAAAAAAA=5D?="));
        assert!(!tagged("Yes: Rehearsal"));
    }

    #[test]
    fn a_mail_system_is_known_by_its_name() {
        for from in
            ["MAILER-DAEMON@mx.example.org", "Mail Delivery <mailer-daemon@x.example>", "postmaster@x.example", "<>"]
        {
            let heading = Heading::read(format!("From: {from}\r\n\r\n").as_bytes());
            assert!(heading.is_from_mail_system, "{from}");
        }
        for from in ["daemon@example.org", "\"mailer-daemon\" <ada@example.net>"] {
            assert!(!Heading::read(format!("From: {from}\r\n\r\n").as_bytes()).is_from_mail_system, "{from}");
        }
        assert_eq!(Heading::read(b""), Heading::default());
    }
}
