//! Tells the mails that hold no calendar, by the octets of their FETCH responses. Pure.
//!
//! Of a thousand mails most are ordinary, and to learn that of one must cost next to nothing. What is understood here is told as the
//! parser would tell it; whatever is in the least unusual (a literal, an escape, an encoded name, a mail within the mail, an attribute
//! that was not asked for) is left to the parser.

use chrono::{DateTime, FixedOffset, NaiveDate};

use super::argument::ImapUid;
use super::limits::{NESTING_MAX, PEOPLE_FIELDS_BYTES_MAX};
use super::structure::{MailStructure, Outline};

/// What the octets are that a server has sent.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    /// The FETCH response of an ordinary mail, and how many octets it has.
    Ordinary(MailStructure, usize),
    /// Something else.
    Other,
    /// The beginning of what may be one.
    Unfinished,
}

/// What the octets from the beginning of a line on are. RFC 3501 §7.4.2.
pub(super) fn told(octets: &[u8]) -> Told {
    let mut cursor = Cursor { rest: octets, is_unfinished: false };
    match cursor.mail() {
        Some(mail) => Told::Ordinary(mail, octets.len() - cursor.rest.len()),
        None if cursor.is_unfinished => Told::Unfinished,
        None => Told::Other,
    }
}

/// An INTERNALDATE, `17-Jul-1996 02:44:25 -0700`. RFC 3501 §9 `date-time`.
pub(super) fn date_time(text: &[u8]) -> Option<DateTime<FixedOffset>> {
    let text: &[u8; 26] = text.try_into().ok()?;
    let number = |at: usize, digits: usize| {
        let mut digits = text.get(at..at + digits)?.iter().skip_while(|octet| **octet == b' ');
        digits.try_fold(0_u32, |sum, octet| octet.is_ascii_digit().then(|| sum * 10 + u32::from(octet - b'0')))
    };
    let is_separated = [(2, b'-'), (6, b'-'), (11, b' '), (14, b':'), (17, b':'), (20, b' ')];
    if !is_separated.iter().all(|(at, octet)| text.get(*at) == Some(octet)) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(7, 4)?).ok()?, month(text.get(3..6)?)?, number(0, 2)?)?;
    let time = date.and_hms_opt(number(12, 2)?, number(15, 2)?, number(18, 2)?)?;
    let minutes = number(24, 2).filter(|minutes| *minutes < 60)?;
    let east = i32::try_from(number(22, 2)? * 3600 + minutes * 60).ok()?;
    let zone = match text.get(21)? {
        b'+' => FixedOffset::east_opt(east)?,
        b'-' => FixedOffset::west_opt(east)?,
        _ => return None,
    };
    time.and_local_timezone(zone).single()
}

fn month(name: &[u8]) -> Option<u32> {
    let names = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    names.iter().zip(1..).find_map(|(known, number)| known.eq_ignore_ascii_case(name).then_some(number))
}

/// What of the octets has not been read; each step is nothing where they are not as they should be.
struct Cursor<'a> {
    rest: &'a [u8],
    /// Whether they ended before that was certain.
    is_unfinished: bool,
}

impl<'a> Cursor<'a> {
    fn mail(&mut self) -> Option<MailStructure> {
        self.eat(b"* ")?;
        self.number()?;
        self.eat(b" FETCH (")?;
        let (mut uid, mut octets, mut internal_date, mut outline) = (None, None, None, None);
        let mut fields = Vec::new();
        loop {
            if self.eat(b"UID ").is_some() {
                uid = Some(ImapUid(self.number()?));
            } else if self.eat(b"RFC822.SIZE ").is_some() {
                octets = Some(self.number()?);
            } else if self.eat(b"INTERNALDATE ").is_some() {
                internal_date = Some(date_time(self.string()?)?);
            } else if self.eat(b"BODYSTRUCTURE ").is_some() {
                let is_multipart = self.rest.starts_with(b"((");
                self.body(1)?;
                outline = Some(Outline::ordinary(is_multipart));
            } else {
                fields = self.fields()?;
            }
            if self.eat(b")\r\n").is_some() {
                break;
            }
            self.eat(b" ")?;
        }
        let internal_date = Some(internal_date?);
        Some(MailStructure { uid: uid?, octets: octets?, internal_date, outline: outline?, fields })
    }

    fn eat(&mut self, token: &[u8]) -> Option<()> {
        self.is_unfinished |= self.rest.len() < token.len() && token.starts_with(self.rest);
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn number(&mut self) -> Option<u32> {
        let digits = self.rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        self.is_unfinished |= digits == self.rest.len();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    /// Header fields, as a literal: their names are not looked at, for nothing else was asked for.
    fn fields(&mut self) -> Option<Vec<u8>> {
        self.eat(b"BODY[HEADER.FIELDS (")?;
        let names =
            self.rest.iter().take_while(|octet| matches!(octet, b'A'..=b'Z' | b'a'..=b'z' | b'-' | b' ')).count();
        self.is_unfinished |= names == self.rest.len();
        self.rest = self.rest.get(names..)?;
        self.eat(b")]")?;
        let _ = self.eat(b"<0>");
        self.eat(b" {")?;
        let length = self.number().and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length <= PEOPLE_FIELDS_BYTES_MAX)?;
        self.eat(b"}\r\n")?;
        self.is_unfinished |= self.rest.len() < length;
        let (fields, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(fields.to_vec())
    }

    /// A quoted string without escapes that says nothing of a calendar.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.eat(b"\"")?;
        let end = self.rest.iter().position(|octet| matches!(octet, b'"' | b'\\' | 0..=31 | 127..));
        self.is_unfinished |= end.is_none();
        let end = end?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.strip_prefix(b"\"")?;
        (!is_telling(text)).then_some(text)
    }

    /// A body, with the parenthesis that opens it at `depth`. RFC 3501 §9 `body`.
    fn body(&mut self, depth: u32) -> Option<()> {
        if depth > NESTING_MAX {
            return None;
        }
        self.eat(b"(")?;
        if self.rest.first() == Some(&b'(') {
            while self.rest.first() == Some(&b'(') {
                self.body(depth + 1)?;
            }
            self.eat(b" ")?;
            self.string()?;
        } else {
            self.part(depth)?;
        }
        while self.eat(b" ").is_some() {
            self.value(depth + 1)?;
        }
        self.eat(b")")
    }

    /// What every part of one kind of data begins with: type, subtype, parameters, id, description, encoding, octets.
    fn part(&mut self, depth: u32) -> Option<()> {
        if self.string()?.eq_ignore_ascii_case(b"message") {
            return None;
        }
        self.eat(b" ")?;
        self.string()?;
        for _ in 0..3 {
            self.eat(b" ")?;
            self.value(depth + 1)?;
        }
        self.eat(b" ")?;
        self.string()?;
        self.eat(b" ")?;
        self.number().map(drop)
    }

    /// Anything that may stand in a body beside its parts.
    fn value(&mut self, depth: u32) -> Option<()> {
        self.is_unfinished |= self.rest.is_empty();
        match self.rest.first()? {
            b'"' => self.string().map(drop),
            b'(' => self.list(depth),
            b'N' => self.eat(b"NIL"),
            _ => self.number().map(drop),
        }
    }

    fn list(&mut self, depth: u32) -> Option<()> {
        if depth > NESTING_MAX {
            return None;
        }
        self.eat(b"(")?;
        self.value(depth + 1)?;
        while self.eat(b" ").is_some() {
            self.value(depth + 1)?;
        }
        self.eat(b")")
    }
}

/// Whether a string may say that there is a calendar or a report, or may hide what it says: in encoded words, RFC 2047, or in pieces
/// and percent signs, RFC 2231.
fn is_telling(text: &[u8]) -> bool {
    let ends_with = |end: usize, word: &[u8]| {
        text.get((end + 1).saturating_sub(word.len())..=end).is_some_and(|last| last.eq_ignore_ascii_case(word))
    };
    text.iter().enumerate().any(|(at, octet)| match octet {
        b'*' | b'%' => true,
        b'?' => ends_with(at, b"=?"),
        b's' | b'S' => ends_with(at, b"ics") || ends_with(at, b"vcs"),
        b'r' | b'R' => ends_with(at, b"calendar"),
        b't' | b'T' => ends_with(at, b"report"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use imap_proto::Response;
    use proptest::prelude::*;

    use super::*;
    use crate::mailbox::session;

    fn ordinary(octets: &[u8]) -> Option<MailStructure> {
        match told(octets) {
            Told::Ordinary(mail, length) if length == octets.len() => Some(mail),
            Told::Ordinary(..) | Told::Other | Told::Unfinished => None,
        }
    }

    /// What the parser makes of a line.
    fn parsed(line: &str) -> Option<MailStructure> {
        let (rest, response) = Response::parse(line.as_bytes()).ok()?;
        assert!(rest.is_empty());
        let Response::Fetch(_, attributes) = response else { return None };
        session::told(&attributes)
    }

    fn line(structure: &str) -> String {
        format!(
            "* 7 FETCH (UID 9 RFC822.SIZE 812 INTERNALDATE \" 7-Jul-2026 02:44:25 -0700\" BODYSTRUCTURE {structure})\r\n"
        )
    }

    const PLAIN: &str = r#"("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 10 1 NIL NIL NIL NIL)"#;

    #[test]
    fn an_ordinary_mail_is_told_as_the_parser_tells_it() {
        let attached = r#"("image" "png" ("name" "x.png") "<id>" "a (b)" "base64" 700 NIL ("attachment" ("filename" "x.png")) ("en" "de") NIL)"#;
        for structure in [
            PLAIN.to_owned(),
            r#"("text" "plain" NIL NIL NIL "7bit" 10 1)"#.to_owned(),
            format!(r#"({PLAIN}{attached} "mixed" ("boundary" "=_x(") NIL NIL NIL)"#),
            format!(r#"(({PLAIN}{PLAIN} "alternative"){attached} "mixed")"#),
        ] {
            let line = line(&structure);
            let told = ordinary(line.as_bytes()).expect(&structure);
            assert_eq!(Some(told), parsed(&line), "{structure}");
        }
    }

    #[test]
    fn header_fields_come_along() {
        let fields = "From: a@example.com\r\nSubject: )\r\n\r\n";
        let literal =
            format!(" BODY[HEADER.FIELDS (FROM SUBJECT IN-REPLY-TO)]<0> {{{}}}\r\n{fields})\r\n", fields.len());
        let line = line(PLAIN).replace(")\r\n", &literal);
        let mail = ordinary(line.as_bytes()).expect("an ordinary mail");
        assert_eq!(mail.fields, fields.as_bytes());
        assert_eq!(Some(mail), parsed(&line));
        assert_eq!(told(line.replace("]<0> {", "]<0> {999999").as_bytes()), Told::Other);
        assert_eq!(told(line.replace("HEADER.FIELDS (", "HEADER.FIELDS.NOT (").as_bytes()), Told::Other);
    }

    #[test]
    fn a_beginning_is_told_from_something_else() {
        let whole = line(PLAIN);
        for end in 0..whole.len() {
            assert_eq!(told(&whole.as_bytes()[..end]), Told::Unfinished, "{}", &whole[..end]);
        }
        let (mail, length) = (ordinary(whole.as_bytes()).expect("an ordinary mail"), whole.len());
        assert_eq!(told(format!("{whole}* 8 FETCH").as_bytes()), Told::Ordinary(mail, length));
    }

    #[test]
    fn what_may_be_a_calendar_or_is_unusual_is_left_to_the_parser() {
        let attached = |name: &str| format!(r#"("application" "octet-stream" NIL NIL NIL "base64" 700 NIL {name})"#);
        let structures = [
            r#"("text" "calendar" ("method" "REQUEST") NIL NIL "7bit" 500 9)"#.to_owned(),
            r#"("TEXT" "X-VCalendar" NIL NIL NIL "7bit" 500 9)"#.to_owned(),
            r#"("application" "ICS" NIL NIL NIL "7bit" 500)"#.to_owned(),
            attached(r#"("attachment" ("filename" "Invite.ICS"))"#),
            attached(r#"("attachment" ("filename*" "utf-8''%C3%A4.txt"))"#),
            attached(r#"("attachment" ("filename" "=?utf-8?B?w6QuaWNz?="))"#),
            attached(r#"("attachment" ("filename" "a\"b"))"#),
            attached("{3}\r\nabc"),
            format!(r#"({PLAIN} "report" ("report-type" "delivery-status"))"#),
            r#"("message" "rfc822" NIL NIL NIL "7bit" 900 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("a" "b"))"#
                .to_owned(),
            "()".to_owned(),
            "NIL".to_owned(),
            r#"("mixed")"#.to_owned(),
            format!("({PLAIN})"),
            format!("{}{PLAIN}{}", "(".repeat(40), " \"mixed\")".repeat(40)),
        ];
        for structure in structures {
            assert_eq!(ordinary(line(&structure).as_bytes()), None, "{structure}");
        }
        for whole in [
            "* 7 FETCH (UID 9 RFC822.SIZE 812)\r\n".to_owned(),
            line(PLAIN).replace("UID 9", "UID 9 FLAGS ()"),
            line(PLAIN).replace("UID 9 ", ""),
            line(PLAIN).replace("UID 9", "UID 99999999999"),
            line(PLAIN).replace("7-Jul", "7-Jux"),
            line(PLAIN).replace(")\r\n", "\r\n"),
            "* OK still here\r\n".to_owned(),
            "i3 OK done\r\n".to_owned(),
        ] {
            assert_eq!(ordinary(whole.as_bytes()), None, "{whole}");
        }
    }

    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z.=?*% ]{0,8}",
            proptest::sample::select(vec![
                "x.ics", "calendar", "ics", "a.vcs", "text", "report", "message", "filename", "name"
            ])
            .prop_map(str::to_owned),
        ]
    }

    fn structure() -> impl Strategy<Value = String> {
        let names = (word(), word(), word(), word());
        let leaf = (names, any::<bool>(), 0..999_u32).prop_map(|((kind, sub, key, value), has_names, octets)| {
            let names = if has_names { format!("(\"{key}\" \"{value}\")") } else { "NIL".to_owned() };
            format!(r#"("{kind}" "{sub}" {names} NIL NIL "7bit" {octets} NIL ("attachment" {names}) NIL NIL)"#)
        });
        leaf.prop_recursive(4, 16, 3, |inner| {
            (proptest::collection::vec(inner, 1..3), word())
                .prop_map(|(parts, sub)| format!("({} \"{sub}\")", parts.concat()))
        })
    }

    proptest! {
        #[test]
        fn whoever_is_called_ordinary_is_so_for_the_parser(structure in structure()) {
            let line = line(&structure);
            if let Some(told) = ordinary(line.as_bytes()) {
                prop_assert!(!told.is_of_interest());
                prop_assert_eq!(Some(told), parsed(&line));
            }
        }

        #[test]
        fn a_date_is_what_the_calendar_library_reads(text in "[ 0-3][0-9]-(Jan|Feb|jun|Dec|Xyz)-(19|20)[0-9]{2} [0-2][0-9]:[0-6][0-9]:[0-6][0-9] [+-][0-2][0-9][0-6][0-9]") {
            let library = DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok();
            if let Some(ours) = date_time(text.as_bytes()) {
                prop_assert_eq!(Some(ours), library);
            }
        }
    }
}
