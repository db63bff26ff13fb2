//! Reads raw mail into an [`Email`]: who, what, and the calendars in it.

use std::borrow::Cow;

use mail_parser::{Header, HeaderName};

use super::email::{AutoSubmitted, CalendarPart, Email, NoCalendar};
use super::fields::{self, Field};
use super::mime::Entity;
use super::sender::{self, Finding, Sender};
use super::{Quirk, Trace, charset, limits, lines, quirk, structure};
use crate::itip::Method;
use crate::itip::text::is_too_large;

/// Reads a mail; never fails, and never looks at more than the limits allow.
///
/// Calendars are found at any depth and under any label: text/calendar, application/ics, a file that is named `.ics`
/// (RFC 6047 §2.4: "MUST be able to handle text/calendar inside any multipart"). Texts that say the same count
/// once. In a multipart/report none is looked for, since that is a mail that came back.
pub fn extract(raw: &[u8]) -> Email {
    if raw.len() > limits::MAIL_BYTES_MAX {
        let header = raw.get(..limits::CALENDAR_BYTES_MAX).unwrap_or(raw);
        return Email { nothing_because: Some(NoCalendar::TooLarge), ..read_header(&Entity::parse(header)) };
    }
    let entity = Entity::parse(raw);
    let mut email = read_header(&entity);
    let mut finder = Finder::new(email.is_return_path_null || is_from_mail_system(&email));
    finder.walk(&entity, Place::default());
    finder.finish(&mut email);
    email
}

/// A part as IMAP hands it out: `BODY[n.MIME]` and `BODY[n]`.
#[derive(Clone, Copy, Debug)]
pub struct FetchedPart<'a> {
    pub header: &'a [u8],
    pub body: &'a [u8],
}

/// Reads a mail of which only the header and some parts were fetched; gives what [`extract`] gives for the whole.
///
/// `parts` are the calendar parts in the order of the mail. Those inside a message/rfc822 or a multipart/report
/// must not be among them: their place is not known here.
pub fn extract_fetched<'a>(header: &[u8], parts: impl IntoIterator<Item = FetchedPart<'a>>) -> Email {
    let mut email = read_header(&Entity::parse(header));
    let mut finder = Finder::new(false);
    for part in parts {
        finder.leaf(&Entity::fetched(part.header, part.body), Place::default());
    }
    finder.finish(&mut email);
    email
}

fn read_header(entity: &Entity<'_>) -> Email {
    let headers = &entity.headers;
    let fields = fields::fields(entity.raw_header());
    let sender = Sender::read(&fields);
    let quirks = if sender.findings.contains(&Finding::SeveralFromFields) || sender.from.len() > 1 {
        vec![Quirk::SeveralAuthors]
    } else {
        Vec::new()
    };
    Email {
        message_id: first_id(headers, &HeaderName::MessageId),
        in_reply_to: first_id(headers, &HeaderName::InReplyTo),
        subject: text(headers, &HeaderName::Subject).map(str::to_owned),
        date: headers.iter().find(|header| header.name == HeaderName::Date).and_then(date),
        to: sender::addresses(headers, &[HeaderName::To, HeaderName::Cc]),
        auto_submitted: raw_text(headers, "Auto-Submitted").map_or(AutoSubmitted::No, AutoSubmitted::parse),
        is_marked_automatic: is_marked_automatic(headers),
        is_list: is_list(headers),
        is_report: entity.media_type() == "multipart/report",
        is_return_path_null: headers.iter().any(is_null_return_path),
        trace: Trace::read(&fields),
        is_marked_as_spam: fields.iter().any(is_spam_mark),
        sender,
        quirks,
        ..Email::default()
    }
}

fn text<'h>(headers: &'h [Header<'_>], name: &HeaderName<'_>) -> Option<&'h str> {
    headers.iter().find(|header| header.name == *name).and_then(|header| header.value.as_text())
}

/// A field that mail-parser has no name for; such fields are read as text.
fn raw_text<'h>(headers: &'h [Header<'_>], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|header| header.name.as_str().eq_ignore_ascii_case(name));
    found.and_then(|header| header.value.as_text())
}

fn first_id(headers: &[Header<'_>], name: &HeaderName<'_>) -> Option<String> {
    let value = &headers.iter().find(|header| header.name == *name)?.value;
    let id = value.as_text_list().and_then(|ids| ids.first()).map(|id| id.as_ref()).or_else(|| value.as_text())?;
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    (!id.is_empty()).then(|| format!("<{id}>"))
}

fn date(header: &Header<'_>) -> Option<i64> {
    header.value.as_datetime().filter(|date| date.is_valid()).map(|date| date.to_timestamp())
}

/// RFC 2919 §3, RFC 2369 §3.4; Precedence is in no RFC, but RFC 3834 §2 names it.
fn is_list(headers: &[Header<'_>]) -> bool {
    let is_marked = headers.iter().any(|header| matches!(header.name, HeaderName::ListId | HeaderName::ListPost));
    is_marked || raw_text(headers, "Precedence").is_some_and(|value| value.trim().eq_ignore_ascii_case("list"))
}

/// RFC 3834 §2 names Precedence; the others are what programs wrote before there was Auto-Submitted, and some still do.
fn is_marked_automatic(headers: &[Header<'_>]) -> bool {
    let by_precedence = raw_text(headers, "Precedence").is_some_and(|value| {
        ["bulk", "junk", "auto_reply"].iter().any(|known| value.trim().eq_ignore_ascii_case(known))
    });
    by_precedence || ["X-Autoreply", "X-Autorespond"].iter().any(|name| raw_text(headers, name).is_some())
}

fn is_null_return_path(header: &Header<'_>) -> bool {
    let is_empty = header.value.as_text().is_none_or(|path| path.trim_matches(['<', '>', ' ']).is_empty());
    header.name == HeaderName::ReturnPath && header.value.as_text_list().is_none_or(|all| all.len() < 2) && is_empty
}

/// Whether a field says that the mail is spam: SpamAssassin's `X-Spam-Status: Yes` and `X-Spam-Flag: YES`, rspamd's `X-Spam: Yes`,
/// `X-Spamd-Result: default: True` and `X-Rspamd-Action`.
///
/// A mark is believed whoever set it: nobody calls their own mail spam. The absence of one says nothing.
fn is_spam_mark(field: &Field) -> bool {
    let value = field.value.trim().to_ascii_lowercase();
    match field.name.as_str() {
        "x-spam" | "x-spam-flag" | "x-spam-status" => value.starts_with("yes") || value.starts_with("true"),
        "x-spamd-result" => value.split(['[', ';']).next().is_some_and(|verdict| verdict.contains("true")),
        "x-rspamd-action" | "x-spam-action" => {
            matches!(value.as_str(), "reject" | "add header" | "rewrite subject" | "quarantine")
        }
        _ => false,
    }
}

/// Some mail systems bounce without multipart/report; their name tells (RFC 3834 §2).
fn is_from_mail_system(email: &Email) -> bool {
    let local = email.sender.author().and_then(|author| author.as_str().split('@').next());
    matches!(local, Some("mailer-daemon" | "postmaster"))
}

/// Where in the mail a part lies.
#[derive(Clone, Copy, Default)]
struct Place {
    depth: usize,
    is_forwarded: bool,
    is_returned: bool,
}

/// Collects what the walk over the parts finds.
struct Finder {
    /// Whether a mail within this mail is one that came back.
    is_bounce: bool,
    parts_seen: usize,
    found: Vec<CalendarPart>,
    quirks: Vec<Quirk>,
    reasons: Vec<NoCalendar>,
}

impl Finder {
    fn new(is_bounce: bool) -> Self {
        Self { is_bounce, parts_seen: 0, found: Vec::new(), quirks: Vec::new(), reasons: Vec::new() }
    }

    fn walk(&mut self, entity: &Entity<'_>, place: Place) {
        self.parts_seen += 1;
        if place.depth > limits::NESTING_MAX || self.parts_seen > limits::PARTS_MAX {
            self.note(Quirk::OverLimit);
            return;
        }
        let media_type = entity.media_type();
        let inner = Place { depth: place.depth + 1, ..place };
        if media_type.starts_with("multipart/") {
            let is_returned = place.is_returned || media_type == "multipart/report";
            for part in entity.parts() {
                self.walk(&Entity::parse(part), Place { is_returned, ..inner });
            }
        } else if matches!(media_type.as_str(), "message/rfc822" | "message/global") {
            let is_returned = place.is_returned || self.is_bounce;
            let raw = entity.decoded().unwrap_or(Cow::Borrowed(entity.raw_body()));
            self.walk(&Entity::parse(&raw), Place { is_forwarded: true, is_returned, ..inner });
        } else {
            self.leaf(entity, place);
        }
    }

    fn leaf(&mut self, entity: &Entity<'_>, place: Place) {
        match Kind::of(entity) {
            Kind::Other => {}
            Kind::Tnef => self.reasons.push(NoCalendar::OnlyTnef),
            Kind::Calendar if place.is_returned => self.reasons.push(NoCalendar::InsideBounce),
            Kind::Calendar if entity.raw_body().len() > limits::CALENDAR_BYTES_MAX => {
                self.note(Quirk::OverLimit);
                self.reasons.push(NoCalendar::TooLarge);
            }
            Kind::Calendar => self.calendar(entity, place),
        }
    }

    fn calendar(&mut self, entity: &Entity<'_>, place: Place) {
        let (text, decoding) = decode(entity);
        if text.trim_matches(|c: char| c.is_whitespace() || c == '\0').is_empty() {
            self.note(Quirk::EmptyPart);
            self.reasons.push(NoCalendar::EmptyPart);
            return;
        }
        if text.len() > limits::CALENDAR_TEXT_BYTES_MAX || is_too_large(&text) {
            self.note(Quirk::OverLimit);
            self.reasons.push(NoCalendar::TooLarge);
            return;
        }
        let (mended, mending) = quirk::mend(&text);
        if mended.is_empty() {
            self.note(Quirk::NotCalendarText);
            self.reasons.push(NoCalendar::NotCalendarText);
            return;
        }
        decoding.into_iter().chain(mending.iter().copied()).for_each(|quirk| self.note(quirk));
        let is_split = mending.contains(&Quirk::SeveralCalendars);
        let texts = if is_split { structure::calendars(&mended) } else { vec![mended.as_str()] };
        for text in texts {
            self.keep(entity, place, text);
        }
    }

    fn keep(&mut self, entity: &Entity<'_>, place: Place, text: &str) {
        if self.found.len() >= limits::CALENDARS_MAX {
            self.note(Quirk::OverLimit);
            return;
        }
        if entity.parameter("method").is_none() && entity.media_type() == TEXT_CALENDAR {
            self.note(Quirk::MethodParameterMissing);
        }
        self.found.push(CalendarPart {
            text: text.to_owned(),
            method_parameter: entity.parameter("method").and_then(Method::parse),
            content_type: entity.media_type(),
            file_name: entity.file_name().map(str::to_owned),
            is_forwarded: place.is_forwarded,
        });
    }

    fn note(&mut self, quirk: Quirk) {
        if !self.quirks.contains(&quirk) {
            self.quirks.push(quirk);
        }
    }

    fn finish(mut self, email: &mut Email) {
        // Stable: the order of the mail stays within each kind.
        self.found.sort_by_key(|part| part.content_type != TEXT_CALENDAR);
        let calendars = self.without_copies();
        for part in &calendars {
            self.note_method(part);
        }
        if !calendars.is_empty() && calendars.iter().all(|part| !is_calendar_type(&part.content_type)) {
            self.note(Quirk::CalendarAsFile);
        }
        email.nothing_because = calendars.is_empty().then(|| self.reason());
        email.calendars = calendars;
        email.quirks.extend(self.quirks);
    }

    /// The calendars, each text once; the first of its kind stays.
    fn without_copies(&mut self) -> Vec<CalendarPart> {
        let mut kept: Vec<(CalendarPart, String, Option<String>)> = Vec::new();
        for part in std::mem::take(&mut self.found) {
            let essence = essence(&part.text);
            if kept.iter().any(|(_, other, _)| *other == essence) {
                continue;
            }
            let object = object_of(&part);
            let is_another_copy = kept
                .iter()
                .any(|(other, _, of)| object.is_some() && *of == object && other.content_type != part.content_type);
            if is_another_copy {
                self.note(Quirk::DifferentCopies);
            }
            kept.push((part, essence, object));
        }
        kept.into_iter().map(|(part, _, _)| part).collect()
    }

    fn note_method(&mut self, part: &CalendarPart) {
        match (part.method_in_body(), part.method_parameter) {
            (Some(body), Some(parameter)) if Method::parse(&body) != Some(parameter) => {
                self.note(Quirk::MethodMismatch);
            }
            (None, Some(_)) => self.note(Quirk::MethodOnlyInParameter),
            (Some(_) | None, _) => {}
        }
    }

    /// The reason that tells the operator most.
    fn reason(&self) -> NoCalendar {
        [
            NoCalendar::TooLarge,
            NoCalendar::InsideBounce,
            NoCalendar::NotCalendarText,
            NoCalendar::EmptyPart,
            NoCalendar::OnlyTnef,
        ]
        .into_iter()
        .find(|reason| self.reasons.contains(reason))
        .unwrap_or(NoCalendar::NoCalendarPart)
    }
}

const TEXT_CALENDAR: &str = "text/calendar";

fn is_calendar_type(media_type: &str) -> bool {
    matches!(media_type, TEXT_CALENDAR | "application/ics" | "application/x-ics" | "text/x-vcalendar" | "text/ics")
}

/// What a leaf of the mail is to us.
enum Kind {
    Calendar,
    Tnef,
    Other,
}

impl Kind {
    /// The media type decides (RFC 6047 §2.6); the file name only where the type says nothing of a calendar.
    fn of(entity: &Entity<'_>) -> Self {
        let media_type = entity.media_type();
        let name = entity.file_name().unwrap_or_default().trim().to_ascii_lowercase();
        if is_calendar_type(&media_type) || name.ends_with(".ics") {
            Self::Calendar
        } else if matches!(media_type.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef")
            || name == "winmail.dat"
        {
            Self::Tnef
        } else {
            Self::Other
        }
    }
}

fn decode(entity: &Entity<'_>) -> (String, Vec<Quirk>) {
    let label = entity.parameter("charset");
    match entity.decoded() {
        Some(bytes) => charset::decode(&bytes, label),
        None => {
            let (text, mut quirks) = charset::decode(entity.raw_body(), label);
            quirks.push(Quirk::BrokenTransferEncoding);
            (text, quirks)
        }
    }
}

/// The text without what a transport may change: folding, line ends, blanks at the ends of lines.
fn essence(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in lines::unfolded(text) {
        out.push_str(line.trim());
        out.push('\n');
    }
    out
}

/// METHOD and the first UID, which together say what a calendar is about; UID is case-sensitive (RFC 5545 §3.8.4.7).
fn object_of(part: &CalendarPart) -> Option<String> {
    let uid = lines::unfolded(&part.text).find_map(|line| {
        let is_uid = lines::property_name(&line)?.eq_ignore_ascii_case("UID");
        let value = lines::property_value(&line)?;
        is_uid.then(|| value.trim().to_owned())
    })?;
    let method = part.method_in_body().unwrap_or_default().to_ascii_uppercase();
    Some(format!("{method} {uid}"))
}
