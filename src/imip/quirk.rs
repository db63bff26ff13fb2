//! What peers get wrong, by name, and the mending of what the engine must not see.
//!
//! A tolerance is a [`Quirk`] and lives here, at the boundary; no rule of the engine has an `if` for a peer. Each
//! one has a mail under `tests/mail/`, and a row in `tests/imip_oddities.rs` that says what must come out of it. Where
//! the reports of an oddity name no product, none is named here.

use std::borrow::Cow;

use super::lines;
use super::structure::{self, Balance};

/// A deviation that was mended or lived with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quirk {
    /// Two From fields, or two addresses in one: forgers, and joint authors (RFC 5322 §3.6.2 allows them).
    SeveralAuthors,
    /// `method=` of the part and METHOD of the body differ: senders and gateways that set only one of them.
    MethodMismatch,
    /// A text/calendar part without `method=`: gateways and lists that strip parameters, files shared by hand.
    MethodParameterMissing,
    /// A body without METHOD under a part with `method=`: home-made senders.
    MethodOnlyInParameter,
    /// An empty text/calendar part: seen beside a whole calendar in an attachment, and alone.
    EmptyPart,
    /// A part labelled as calendar whose text is none: filters that replace the content by a notice.
    NotCalendarText,
    /// The calendar came only as a file of another type, such as application/octet-stream: files attached by hand.
    CalendarAsFile,
    /// Calendar part and attached file say different things of one object: senders that render the two apart.
    DifferentCopies,
    /// The transfer encoding is broken; what could be read was read: mails that were cut off or re-coded.
    BrokenTransferEncoding,
    /// A charset label that does not fit the bytes: `us-ascii` before UTF-8, `utf-8` before Latin-1.
    MislabelledCharset,
    /// No charset at all, and Windows-1252 in fact: home-made senders.
    UndeclaredLatin1,
    /// A charset label that names nothing known.
    UnknownCharset,
    /// UTF-16: files exported on Windows and attached by hand.
    Utf16,
    /// A byte order mark before BEGIN: senders that write the calendar as a Windows text file.
    ByteOrderMark,
    /// NUL bytes in the text: senders that pad their buffers.
    NulBytes,
    /// Lines that end in CR alone: the classic Macintosh convention.
    CarriageReturnsOnly,
    /// Blank lines before BEGIN or between the lines: calendars made by a template.
    BlankLines,
    /// A long line broken without the blank, or a raw line break in a text: calendars made by a template.
    FoldWithoutBlank,
    /// `Maito:` and the like for `mailto:`: typed by hand.
    MisspelledMailto,
    /// `ORGANIZER ada@example.net`, without the colon: home-made senders.
    MissingColon,
    /// A TZID parameter with a colon or comma and no quotes, `TZID=(UTC+01:00) Amsterdam, Berlin`: senders that take the
    /// display name of a Windows zone for its name.
    UnquotedTimeZone,
    /// A component that is never closed, or closed out of order: templates, truncated mails.
    MissingEnd,
    /// An END that closes nothing: templates, truncated mails.
    StrayEnd,
    /// Text before the first BEGIN:VCALENDAR or after the last END: list footers, debug output.
    TextAroundCalendar,
    /// Several VCALENDARs in one part: exports joined with `cat`.
    SeveralCalendars,
    /// A component without VCALENDAR around it: home-made senders.
    BareComponent,
    /// More parts, calendars or nesting than is looked at; the rest was left out.
    OverLimit,
}

impl Quirk {
    /// The stable kebab-case name, for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::SeveralAuthors => "several-authors",
            Self::MethodMismatch => "method-mismatch",
            Self::MethodParameterMissing => "method-parameter-missing",
            Self::MethodOnlyInParameter => "method-only-in-parameter",
            Self::EmptyPart => "empty-part",
            Self::NotCalendarText => "not-calendar-text",
            Self::CalendarAsFile => "calendar-as-file",
            Self::DifferentCopies => "different-copies",
            Self::BrokenTransferEncoding => "broken-transfer-encoding",
            Self::MislabelledCharset => "mislabelled-charset",
            Self::UndeclaredLatin1 => "undeclared-latin1",
            Self::UnknownCharset => "unknown-charset",
            Self::Utf16 => "utf-16",
            Self::ByteOrderMark => "byte-order-mark",
            Self::NulBytes => "nul-bytes",
            Self::CarriageReturnsOnly => "carriage-returns-only",
            Self::BlankLines => "blank-lines",
            Self::FoldWithoutBlank => "fold-without-blank",
            Self::MisspelledMailto => "misspelled-mailto",
            Self::MissingColon => "missing-colon",
            Self::UnquotedTimeZone => "unquoted-time-zone",
            Self::MissingEnd => "missing-end",
            Self::StrayEnd => "stray-end",
            Self::TextAroundCalendar => "text-around-calendar",
            Self::SeveralCalendars => "several-calendars",
            Self::BareComponent => "bare-component",
            Self::OverLimit => "over-limit",
        }
    }

    /// The sentence for the operator.
    pub fn describe(self) -> &'static str {
        match self {
            Self::SeveralAuthors => "the mail names several authors in From, so none of them was believed",
            Self::MethodMismatch => {
                "the method parameter and the METHOD of the calendar differ; METHOD of the calendar was taken"
            }
            Self::MethodParameterMissing => "the calendar part has no method parameter",
            Self::MethodOnlyInParameter => "the calendar has no METHOD; the method parameter was taken",
            Self::EmptyPart => "a calendar part is empty and was passed over",
            Self::NotCalendarText => "a calendar part holds no iCalendar text and was passed over",
            Self::CalendarAsFile => "the calendar came only as an attached file of another media type",
            Self::DifferentCopies => "the calendar part and the attached copy differ; the calendar part comes first",
            Self::BrokenTransferEncoding => "the transfer encoding of a calendar part is broken",
            Self::MislabelledCharset => "the charset label of a calendar part is wrong; the text was read as it is",
            Self::UndeclaredLatin1 => "a calendar part without charset is no UTF-8; it was read as Windows-1252",
            Self::UnknownCharset => "the charset label of a calendar part names no known charset",
            Self::Utf16 => "a calendar part is UTF-16",
            Self::ByteOrderMark => "a calendar part starts with a byte order mark",
            Self::NulBytes => "a calendar part has NUL bytes; they were removed",
            Self::CarriageReturnsOnly => "the lines of a calendar part end in CR alone",
            Self::BlankLines => "a calendar part has blank lines",
            Self::FoldWithoutBlank => "a calendar part has broken lines that do not start with a blank",
            Self::MisspelledMailto => "an address of the calendar misspells mailto",
            Self::MissingColon => "a property of the calendar has no colon before its address",
            Self::UnquotedTimeZone => "a TZID with a colon or comma lacks its quotes",
            Self::MissingEnd => "a component of the calendar is not closed",
            Self::StrayEnd => "the calendar has an END that closes nothing",
            Self::TextAroundCalendar => "there is other text around the calendar",
            Self::SeveralCalendars => "one part holds several calendars; each was read on its own",
            Self::BareComponent => "a component of the calendar has no VCALENDAR around it",
            Self::OverLimit => "the mail has more parts or calendars than are looked at; the rest was left out",
        }
    }
}

/// Mends an iCalendar text so that a parser sees what its maker meant, and says what was wrong.
///
/// Shape: the result has CRLF line ends, no NUL and no blank line, every component is closed where its sibling
/// starts, VCALENDARs stand one after the other, and nothing stands around them. A text in which nothing is wrong
/// comes back as it was, folding included. A text without any component comes back empty.
pub fn mend(text: &str) -> (String, Vec<Quirk>) {
    if is_sound(text) {
        return (text.to_owned(), Vec::new());
    }
    let mut quirks = Vec::new();
    let clean = without_nul(text, &mut quirks);
    note_line_ends(&clean, &mut quirks);
    let mut balance = Balance::default();
    for line in rejoined(&clean, &mut quirks) {
        balance.take(&mended_line(&line, &mut quirks));
    }
    let (out, structural) = balance.finish();
    quirks.extend(structural);
    quirks.sort_unstable();
    quirks.dedup();
    (out, quirks)
}

/// Whether there is nothing to mend: one pass over the bytes, one over the lines.
fn is_sound(text: &str) -> bool {
    has_clean_line_ends(text)
        && structure::is_balanced(text)
        && lines::unfolded(text).all(|line| is_content_line(&line) && mended_property(&line).is_none())
}

fn has_clean_line_ends(text: &str) -> bool {
    let mut before = b'\n';
    for byte in text.bytes() {
        let is_fine = match byte {
            b'\r' => before != b'\n' && before != b'\r',
            b'\n' => before == b'\r',
            0 => false,
            _ => before != b'\r',
        };
        if !is_fine {
            return false;
        }
        before = byte;
    }
    before == b'\n'
}

fn without_nul<'a>(text: &'a str, quirks: &mut Vec<Quirk>) -> Cow<'a, str> {
    if !text.contains('\0') {
        return Cow::Borrowed(text);
    }
    quirks.push(Quirk::NulBytes);
    Cow::Owned(text.replace('\0', ""))
}

fn note_line_ends(text: &str, quirks: &mut Vec<Quirk>) {
    if text.contains('\r') && !text.contains('\n') {
        quirks.push(Quirk::CarriageReturnsOnly);
    }
    let body = text.trim_end();
    if body.starts_with(['\r', '\n']) || ["\n\n", "\n\r\n", "\r\r"].iter().any(|blank| body.contains(blank)) {
        quirks.push(Quirk::BlankLines);
    }
}

/// The content lines, with those that are none joined to the line before.
fn rejoined(text: &str, quirks: &mut Vec<Quirk>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut last_octets = 0;
    let mut is_inside = false;
    for line in lines::unfolded(text) {
        let octets = line.len();
        is_inside = is_inside || structure::is_begin(&line);
        match out.last_mut() {
            Some(previous) if is_inside && !is_content_line(&line) => {
                quirks.push(Quirk::FoldWithoutBlank);
                // unclear: a short line before it was not broken for its length, so the break belonged to the text.
                previous.push_str(if last_octets < SHORTEST_FOLDED_OCTETS { "\\n" } else { "" });
                previous.push_str(&line);
            }
            _ => {
                is_inside = is_inside && !structure::is_end_of_calendar(&line);
                out.push(line.into_owned());
            }
        }
        last_octets = octets;
    }
    out
}

/// Lines shorter than this were not broken because they were too long.
const SHORTEST_FOLDED_OCTETS: usize = 60;

/// Whether a line can start a property.
///
/// Names are written in capitals everywhere but in X- names and in the few calendars that are in small letters
/// throughout; so `https://...` and `Agenda: ...` at the start of a line are the rest of a broken text.
fn is_content_line(line: &str) -> bool {
    let Some(name) = lines::property_name(line.trim_start()) else { return with_colon(line).is_some() };
    let is_extension = name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-"));
    let is_upper = !name.bytes().any(|b| b.is_ascii_lowercase());
    let is_lower = !name.bytes().any(|b| b.is_ascii_uppercase());
    is_extension || is_upper || is_lower && LOWER_CASE_NAMES.contains(&name)
}

/// What may stand in small letters at the start of a line and still be a property.
const LOWER_CASE_NAMES: [&str; 34] = [
    "attach",
    "attendee",
    "action",
    "begin",
    "calscale",
    "categories",
    "class",
    "comment",
    "contact",
    "created",
    "description",
    "dtend",
    "dtstamp",
    "dtstart",
    "due",
    "duration",
    "end",
    "exdate",
    "freebusy",
    "last-modified",
    "location",
    "method",
    "organizer",
    "priority",
    "prodid",
    "rdate",
    "recurrence-id",
    "rrule",
    "sequence",
    "status",
    "summary",
    "trigger",
    "uid",
    "version",
];

fn mended_line<'a>(line: &'a str, quirks: &mut Vec<Quirk>) -> Cow<'a, str> {
    match mended_property(line) {
        Some((mended, quirk)) => {
            quirks.push(quirk);
            Cow::Owned(mended)
        }
        None => Cow::Borrowed(line),
    }
}

fn mended_property(line: &str) -> Option<(String, Quirk)> {
    let Some(name) = lines::property_name(line) else {
        return with_colon(line).map(|mended| (mended, Quirk::MissingColon));
    };
    if ["ATTENDEE", "ORGANIZER"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
        spelled_mailto(line).map(|mended| (mended, Quirk::MisspelledMailto))
    } else if ZONED_PROPERTIES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        quoted_time_zone(line).map(|mended| (mended, Quirk::UnquotedTimeZone))
    } else {
        None
    }
}

/// The line with its colon, when it is a calendar user that lacks only that.
fn with_colon(line: &str) -> Option<String> {
    ["ATTENDEE", "ORGANIZER"].iter().find_map(|name| {
        let address = line.strip_prefix(name)?.strip_prefix([' ', '\t'])?.trim_start();
        address.contains('@').then(|| format!("{name}:{address}"))
    })
}

/// The misspellings that were seen.
const MISSPELLED_MAILTO: [&str; 5] = ["maito:", "malito:", "mailo:", "mialto:", "mailt:"];

fn spelled_mailto(line: &str) -> Option<String> {
    let value = lines::property_value(line)?;
    let before = line.get(..line.len() - value.len())?;
    let value = value.trim_start();
    MISSPELLED_MAILTO.iter().find_map(|wrong| {
        let start = value.get(..wrong.len())?;
        let address = value.get(wrong.len()..)?;
        start.eq_ignore_ascii_case(wrong).then(|| format!("{before}mailto:{address}"))
    })
}

/// The properties whose value has no colon, so that the last colon of the line starts it (RFC 5545 §3.8.2, §3.8.5).
const ZONED_PROPERTIES: [&str; 6] = ["DTSTART", "DTEND", "DUE", "EXDATE", "RDATE", "RECURRENCE-ID"];

/// The line with its TZID in quotes, when it needs them and lacks them. RFC 5545 §3.2: a parameter value with a
/// colon, semicolon or comma must be quoted.
fn quoted_time_zone(line: &str) -> Option<String> {
    const PARAMETER: &str = ";TZID=";
    // ASCII upper case keeps every offset.
    let start = line.to_ascii_uppercase().find(PARAMETER)? + PARAMETER.len();
    let (before, rest) = line.split_at_checked(start)?;
    if rest.starts_with('"') {
        return None;
    }
    let (parameters, value) = rest.rsplit_once(':')?;
    let (zone, others) = match parameters.find(';') {
        Some(end) => parameters.split_at_checked(end)?,
        None => (parameters, ""),
    };
    if !zone.contains([':', ',', '"']) {
        return None;
    }
    let zone = zone.replace("\\,", ",").replace('"', "");
    Some(format!("{before}\"{zone}\"{others}:{value}"))
}

#[cfg(test)]
#[path = "quirk_tests.rs"]
mod tests;
