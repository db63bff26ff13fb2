//! Tells the mails that hold no calendar, by the octets of their FETCH responses. Pure.
//!
//! Of a thousand mails most are ordinary, and to learn that of one must cost next to nothing. What is understood here is told as the
//! parser would tell it; whatever is in the least unusual (a literal, an escape, an encoded name, a mail within the mail, an attribute
//! that was not asked for) is left to the parser.

use chrono::{DateTime, FixedOffset, NaiveDate};

use super::argument::ImapUid;
use super::limits::NESTING_MAX;
use super::structure::{MailStructure, Outline};

/// The mail of `line`, with its CRLF, when it is the FETCH response of an ordinary mail. RFC 3501 §7.4.2.
pub(super) fn ordinary(line: &[u8]) -> Option<MailStructure> {
    let mut cursor = Cursor { rest: line.strip_suffix(b")\r\n")? };
    cursor.eat(b"* ")?;
    cursor.number()?;
    cursor.eat(b" FETCH (")?;
    let (mut uid, mut octets, mut internal_date, mut outline) = (None, None, None, None);
    loop {
        if cursor.eat(b"UID ").is_some() {
            uid = Some(ImapUid(cursor.number()?));
        } else if cursor.eat(b"RFC822.SIZE ").is_some() {
            octets = Some(cursor.number()?);
        } else if cursor.eat(b"INTERNALDATE ").is_some() {
            internal_date = Some(date_time(cursor.string()?)?);
        } else {
            cursor.eat(b"BODYSTRUCTURE ")?;
            let is_multipart = cursor.rest.starts_with(b"((");
            cursor.body(1)?;
            outline = Some(Outline::ordinary(is_multipart));
        }
        if cursor.rest.is_empty() {
            break;
        }
        cursor.eat(b" ")?;
    }
    let (uid, octets, outline) = (uid?, octets?, outline?);
    Some(MailStructure { uid, octets, internal_date: Some(internal_date?), outline, fields: Vec::new() })
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

/// What of a line has not been read; each step is nothing where the line is not as it should be.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn eat(&mut self, token: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn number(&mut self) -> Option<u32> {
        let digits = self.rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    /// A quoted string without escapes that says nothing of a calendar.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.eat(b"\"")?;
        let end = self.rest.iter().position(|octet| matches!(octet, b'"' | b'\\' | 0..=31 | 127..))?;
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
    use crate::mailbox::session::told;

    /// What the parser makes of a line.
    fn parsed(line: &str) -> Option<MailStructure> {
        let (rest, response) = Response::parse(line.as_bytes()).ok()?;
        assert!(rest.is_empty());
        let Response::Fetch(_, attributes) = response else { return None };
        told(&attributes)
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
