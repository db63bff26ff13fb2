//! Where in a mail the calendar parts are, told from its BODYSTRUCTURE. Pure.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset};
use imap_proto::{BodyContentCommon, BodyStructure};

use super::argument::ImapUid;
use super::limits::{HEADER_BYTES_MAX, PARTS_MAX};

/// What is known of a mail before any of its text is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailStructure {
    pub uid: ImapUid,
    /// Octets of the whole mail, as the server counts them.
    pub octets: u32,
    /// When the server received the mail; nothing where it does not say, or says what is no date.
    pub internal_date: Option<DateTime<FixedOffset>>,
    pub outline: Outline,
    /// The header fields that were asked for beside it, as they stand in the mail, cut at a limit; empty where none were.
    pub fields: Vec<u8>,
}

/// The shape of a mail, and the parts in it that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    pub shape: Shape,
    /// In the order of the mail, at most [`PARTS_MAX`]. Those in a report's returned mail do not count: they are ours.
    pub calendar_parts: Vec<MailPart>,
    /// What of a report says which mail failed, and why.
    pub(super) report_parts: Vec<MailPart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One part, which is the mail's body.
    Single,
    Multipart,
    /// A delivery report or its like, RFC 6522, with its report-type.
    Report {
        report_type: String,
    },
    /// The structure is not known; the mail has to be looked at as a whole.
    Unknown,
}

/// A part of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailPart {
    /// The section specifier, such as `2` or `1.3`. RFC 3501 §6.4.5.
    pub section: String,
    /// Octets as it is encoded in the mail.
    pub octets: u32,
    /// Whether it lies in a mail within the mail: a forwarded invitation.
    pub inside_message: bool,
    pub(super) header: PartHeader,
}

/// Where the Content-* fields of a part are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PartHeader {
    /// In the header of the mail.
    OfMail,
    /// In this section.
    Section(String),
    /// Nowhere; the part gets this type.
    Fixed(&'static str),
}

impl MailStructure {
    /// Whether the mail is worth fetching: it has a calendar part, is a report, or could be either.
    pub fn is_of_interest(&self) -> bool {
        !self.outline.calendar_parts.is_empty() || matches!(self.outline.shape, Shape::Report { .. } | Shape::Unknown)
    }
}

impl Outline {
    /// The outline of a mail of which the server does not tell the structure.
    pub fn unknown() -> Self {
        Self { shape: Shape::Unknown, calendar_parts: Vec::new(), report_parts: Vec::new() }
    }

    /// The outline of a mail that is known to hold neither a calendar nor a report.
    pub(super) fn ordinary(is_multipart: bool) -> Self {
        Self { shape: if is_multipart { Shape::Multipart } else { Shape::Single }, ..Self::unknown() }
    }

    pub(super) fn of(structure: &BodyStructure<'_>) -> Self {
        let mut outline = Self::unknown();
        outline.shape = shape_of(structure);
        match structure {
            BodyStructure::Multipart { .. } => outline.walk(structure, &Place::default()),
            _ => outline.walk(structure, &Place { section: "1".to_owned(), ..Place::default() }),
        }
        if let BodyStructure::Multipart { bodies, .. } = structure
            && matches!(outline.shape, Shape::Report { .. })
        {
            outline.report_parts = bodies.iter().zip(1_u32..).take(PARTS_MAX).filter_map(report_part).collect();
        }
        outline
    }

    /// Recursion is bounded by the nesting that the guard lets pass.
    fn walk(&mut self, structure: &BodyStructure<'_>, place: &Place) {
        match structure {
            BodyStructure::Multipart { bodies, .. } => {
                for (body, number) in bodies.iter().zip(1_u32..) {
                    self.walk(body, &place.child(number));
                }
            }
            // What a report returns is a mail that somebody sent, not one that was sent to us. RFC 6522 §3.
            BodyStructure::Message { .. } if matches!(self.shape, Shape::Report { .. }) => {}
            BodyStructure::Message { body, .. } => match body.as_ref() {
                BodyStructure::Multipart { .. } => self.walk(body, &place.inside(None)),
                // RFC 3501 §6.4.5: a body without parts has part 1, whose fields are those of the mail around it.
                _ => self.walk(body, &place.child(1).inside(Some(format!("{}.HEADER", place.section)))),
            },
            BodyStructure::Text { common, other, .. } | BodyStructure::Basic { common, other, .. } => {
                if is_calendar(common) && self.calendar_parts.len() < PARTS_MAX {
                    self.calendar_parts.push(place.part(other.octets));
                }
            }
        }
    }
}

/// Where a walk through a structure stands.
#[derive(Clone, Default)]
struct Place {
    section: String,
    inside_message: bool,
    /// Whether parts have headers of their own, or where else the header is.
    has_mime: bool,
    header: Option<String>,
}

impl Place {
    fn child(&self, number: u32) -> Self {
        let section = if self.section.is_empty() { number.to_string() } else { format!("{}.{number}", self.section) };
        Self { section, inside_message: self.inside_message, has_mime: true, header: None }
    }

    fn inside(&self, header: Option<String>) -> Self {
        Self { inside_message: true, header, ..self.clone() }
    }

    fn part(&self, octets: u32) -> MailPart {
        let header = match (&self.header, self.has_mime) {
            (Some(section), _) => PartHeader::Section(section.clone()),
            (None, true) => PartHeader::Section(format!("{}.MIME", self.section)),
            (None, false) => PartHeader::OfMail,
        };
        MailPart { section: self.section.clone(), octets, inside_message: self.inside_message, header }
    }
}

fn shape_of(structure: &BodyStructure<'_>) -> Shape {
    match structure {
        BodyStructure::Multipart { common, .. } if common.ty.subtype.eq_ignore_ascii_case("report") => {
            let report_type = parameter(common, "report-type").filter(|value| is_token(value));
            Shape::Report { report_type: report_type.unwrap_or("delivery-status").to_owned() }
        }
        BodyStructure::Multipart { .. } => Shape::Multipart,
        BodyStructure::Text { .. } | BodyStructure::Basic { .. } | BodyStructure::Message { .. } => Shape::Single,
    }
}

/// The parts of a report beside its text: the status, and the header of the mail that it is about. RFC 6522 §3.
fn report_part((structure, number): (&BodyStructure<'_>, u32)) -> Option<MailPart> {
    let place = Place::default().child(number);
    match structure {
        BodyStructure::Message { other, .. } => Some(MailPart {
            section: format!("{number}.HEADER"),
            octets: other.octets.min(HEADER_BYTES_MAX),
            inside_message: false,
            header: PartHeader::Fixed("text/rfc822-headers"),
        }),
        BodyStructure::Basic { common, other, .. } | BodyStructure::Text { common, other, .. } => {
            let tells = common.ty.ty.eq_ignore_ascii_case("message")
                || common.ty.subtype.eq_ignore_ascii_case("rfc822-headers");
            tells.then(|| place.part(other.octets))
        }
        BodyStructure::Multipart { .. } => None,
    }
}

/// Whether a part may hold a calendar: by its type, RFC 5545 §8.1, or as a file that is called one.
fn is_calendar(common: &BodyContentCommon<'_>) -> bool {
    let (kind, subtype) = (common.ty.ty.to_ascii_lowercase(), common.ty.subtype.to_ascii_lowercase());
    match (kind.as_str(), subtype.as_str()) {
        ("text", "calendar" | "x-vcalendar") | ("application", "ics") => true,
        ("application", other) if other.starts_with("calendar") => true,
        _ => names(common).any(|name| is_calendar_file(&name)),
    }
}

fn is_calendar_file(name: &str) -> bool {
    let name = name.trim().trim_end_matches('"').to_ascii_lowercase();
    name.ends_with(".ics") || name.ends_with(".vcs")
}

/// The file names of a part, of Content-Disposition and Content-Type, pieces of RFC 2231 §3 each for itself.
fn names<'a>(common: &'a BodyContentCommon<'_>) -> impl Iterator<Item = Cow<'a, str>> {
    let disposition = common.disposition.as_ref().and_then(|disposition| disposition.params.as_ref());
    [disposition, common.ty.params.as_ref()].into_iter().flatten().flatten().filter_map(|(key, value)| {
        let base = key.split('*').next().unwrap_or_default();
        (base.eq_ignore_ascii_case("filename") || base.eq_ignore_ascii_case("name")).then(|| decoded(value))
    })
}

/// A file name without the encoded words that RFC 2047 §5 forbids there and many senders use.
fn decoded(value: &str) -> Cow<'_, str> {
    if !value.contains("=?") {
        return Cow::Borrowed(value);
    }
    let field = format!("Subject: {}\r\n\r\n", value.replace(['\r', '\n'], " "));
    let parsed = mail_parser::MessageParser::new().parse_headers(field.as_bytes());
    match parsed.as_ref().and_then(mail_parser::Message::subject) {
        Some(name) => Cow::Owned(name.to_owned()),
        None => Cow::Borrowed(value),
    }
}

fn parameter<'a>(common: &'a BodyContentCommon<'_>, name: &str) -> Option<&'a str> {
    let params = common.ty.params.as_ref()?;
    params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use imap_proto::{AttributeValue, Response};

    fn outline(structure: &str) -> Outline {
        let line = format!("* 1 FETCH (BODYSTRUCTURE {structure})\r\n");
        let (_, response) = Response::parse(line.as_bytes()).unwrap();
        let Response::Fetch(_, attributes) = response else { panic!("{structure}") };
        let Some(AttributeValue::BodyStructure(structure)) = attributes.first() else { panic!("{structure}") };
        Outline::of(structure)
    }

    fn parts(structure: &str) -> Vec<(String, bool)> {
        outline(structure).calendar_parts.into_iter().map(|part| (part.section, part.inside_message)).collect()
    }

    const PLAIN: &str = r#"("text" "plain" NIL NIL NIL "7bit" 10 1)"#;
    const CALENDAR: &str = r#"("text" "calendar" ("method" "REQUEST") NIL NIL "7bit" 500 9)"#;
    const ENVELOPE: &str = "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";

    #[test]
    fn calendar_parts_are_found_at_any_depth() {
        assert_eq!(parts(CALENDAR), [("1".to_owned(), false)]);
        assert_eq!(parts(PLAIN), []);
        let mixed = format!(r#"(({PLAIN}{CALENDAR} "alternative"){CALENDAR} "mixed")"#);
        assert_eq!(parts(&mixed), [("1.2".to_owned(), false), ("2".to_owned(), false)]);
    }

    #[test]
    fn a_forwarded_invitation_is_told_apart() {
        let forwarded = |body: &str| format!(r#"("message" "rfc822" NIL NIL NIL "7bit" 900 {ENVELOPE} {body} 20)"#);
        let mixed = format!(r#"({PLAIN}{} "mixed")"#, forwarded(CALENDAR));
        let found = outline(&mixed).calendar_parts;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].section.as_str(), found[0].inside_message), ("2.1", true));
        assert_eq!(found[0].header, PartHeader::Section("2.HEADER".to_owned()));
        let nested = format!(r#"({PLAIN}{} "mixed")"#, forwarded(&format!(r#"({PLAIN}{CALENDAR} "mixed")"#)));
        let found = outline(&nested).calendar_parts;
        assert_eq!((found[0].section.as_str(), found[0].inside_message), ("2.2", true));
        assert_eq!(found[0].header, PartHeader::Section("2.2.MIME".to_owned()));
    }

    #[test]
    fn the_mail_that_a_report_returns_has_no_calendar_parts() {
        let returned = format!(r#"("message" "rfc822" NIL NIL NIL "7bit" 900 {ENVELOPE} {CALENDAR} 20)"#);
        let status = r#"("message" "delivery-status" NIL NIL NIL "7bit" 300)"#;
        let report = format!(r#"({PLAIN}{status}{returned} "report" ("report-type" "delivery-status"))"#);
        let outline = outline(&report);
        assert_eq!(outline.shape, Shape::Report { report_type: "delivery-status".to_owned() });
        assert_eq!(outline.calendar_parts, []);
        let sections: Vec<_> = outline.report_parts.iter().map(|part| part.section.as_str()).collect();
        assert_eq!(sections, ["2", "3.HEADER"]);
    }

    #[test]
    fn a_file_name_is_enough() {
        for disposition in [
            r#"("attachment" ("filename" "Invite.ICS"))"#,
            r#"("attachment" ("filename*" "utf-8''%C3%A4.ics"))"#,
            r#"("attachment" ("filename*0" "a very long" "filename*1" " name.ics"))"#,
            r#"("attachment" ("filename" "=?utf-8?B?w6QuaWNz?="))"#,
            r#"("attachment" ("filename" "=?utf-8?Q?=C3=A4.ics?="))"#,
        ] {
            let part = format!(r#"("application" "octet-stream" NIL NIL NIL "base64" 700 NIL {disposition})"#);
            assert_eq!(parts(&part), [("1".to_owned(), false)], "{disposition}");
        }
        let named = r#"("application" "octet-stream" ("name" "x.ics") NIL NIL "base64" 700)"#;
        assert_eq!(parts(named), [("1".to_owned(), false)]);
        let picture = r#"("image" "png" ("name" "topics.png") NIL NIL "base64" 700)"#;
        assert_eq!(parts(picture), []);
    }

    #[test]
    fn parts_are_limited() {
        let many = format!("({} \"mixed\")", CALENDAR.repeat(100));
        assert_eq!(parts(&many).len(), PARTS_MAX);
    }
}
