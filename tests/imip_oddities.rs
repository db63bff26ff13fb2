//! One mail for each oddity that was seen in the field, and what must come out of it.

use imipd::imip::{AutoSubmitted, Email, FetchedPart, NoCalendar, Quirk, extract, extract_fetched};
use imipd::itip::{Address, Method};

/// What must be found in one calendar.
struct Found {
    method: Option<Method>,
    /// Lines that must be in the unfolded text, in this order.
    lines: &'static [&'static str],
}

struct Odd {
    file: &'static str,
    quirks: &'static [Quirk],
    nothing: Option<NoCalendar>,
    found: &'static [Found],
}

const REVIEW: &[&str] = &["METHOD:REQUEST", "UID:odd-1@example.net", "SUMMARY:Review", "END:VEVENT"];
const REQUEST: Found = Found { method: Some(Method::Request), lines: REVIEW };

const fn sound(file: &'static str, found: &'static [Found]) -> Odd {
    Odd { file, quirks: &[], nothing: None, found }
}

const fn odd(file: &'static str, quirks: &'static [Quirk], found: &'static [Found]) -> Odd {
    Odd { file, quirks, nothing: None, found }
}

const fn nothing(file: &'static str, quirks: &'static [Quirk], because: NoCalendar) -> Odd {
    Odd { file, quirks, nothing: Some(because), found: &[] }
}

const fn found(method: Method, lines: &'static [&'static str]) -> Found {
    Found { method: Some(method), lines }
}

const fn show(lines: &'static [&'static str]) -> Found {
    found(Method::Publish, lines)
}

#[rustfmt::skip]
const ODDITIES: &[Odd] = &[
    // METHOD and method= differ: the body decides.
    odd("cancel-labelled-request", &[Quirk::MethodMismatch], &[found(Method::Cancel, &["METHOD:CANCEL"])]),
    odd("request-labelled-cancel", &[Quirk::MethodMismatch], &[REQUEST]),
    odd("method-parameter-stripped", &[Quirk::MethodParameterMissing], &[REQUEST]),
    odd("method-only-in-parameter", &[Quirk::MethodOnlyInParameter], &[found(Method::Reply, &["UID:odd-1@example.net"])]),
    sound("unknown-method", &[Found { method: None, lines: &["METHOD:POLLSTATUS"] }]),
    // Parts.
    nothing("empty-part", &[Quirk::EmptyPart], NoCalendar::EmptyPart),
    odd("empty-part-beside-file", &[Quirk::EmptyPart], &[REQUEST]),
    sound("two-objects", &[REQUEST, found(Method::Request, &["UID:odd-2@example.net"])]),
    sound("eleven-publish", &[
        show(&["UID:show-1@example.net"]), show(&["UID:show-2@example.net"]), show(&["UID:show-3@example.net"]),
        show(&["UID:show-4@example.net"]), show(&["UID:show-5@example.net"]), show(&["UID:show-6@example.net"]),
        show(&["UID:show-7@example.net"]), show(&["UID:show-8@example.net"]), show(&["UID:show-9@example.net"]),
        show(&["UID:show-10@example.net"]), show(&["UID:show-11@example.net"]),
    ]),
    odd("different-copies", &[Quirk::DifferentCopies], &[REQUEST, found(Method::Request, &["SUMMARY:Stale copy"])]),
    sound("copy-with-other-folding", &[found(Method::Request, &["SUMMARY:A summary that is folded"])]),
    odd("octet-stream", &[Quirk::CalendarAsFile], &[REQUEST]),
    sound("calendar-outside-alternative", &[REQUEST]),
    sound("calendar-first-in-alternative", &[REQUEST]),
    sound("calendar-in-related", &[REQUEST]),
    sound("forwarded", &[REQUEST]),
    sound("forwarded-base64", &[REQUEST]),
    sound("list-rewrites-from", &[REQUEST]),
    sound("publish-from-ticket-shop", &[show(&["UID:ticket-77@shop.example"])]),
    sound("bare-line-feeds", &[REQUEST]),
    // Cut within the last line: what is left of it is "END:VC".
    odd("cut-off", &[Quirk::MissingEnd, Quirk::StrayEnd], &[found(Method::Request, &["UID:cut@example.net", "SUMMARY:Review", "SEQUENCE:0"])]),
    nothing("bounce", &[], NoCalendar::InsideBounce),
    nothing("bounce-without-report", &[], NoCalendar::InsideBounce),
    nothing("winmail-only", &[], NoCalendar::OnlyTnef),
    nothing("no-calendar", &[], NoCalendar::NoCalendarPart),
    nothing("not-calendar-text", &[Quirk::NotCalendarText], NoCalendar::NotCalendarText),
    // Authors.
    odd("two-from-fields", &[Quirk::SeveralAuthors], &[REQUEST]),
    odd("two-authors", &[Quirk::SeveralAuthors], &[REQUEST]),
    sound("address-as-display-name", &[REQUEST]),
    sound("unquoted-comma-in-name", &[REQUEST]),
    // The object: all the engine's business, and passed on as it is.
    sound("instance-without-master", &[found(Method::Request, &["UID:odd-1@example.net", "RECURRENCE-ID:20260610T080000Z"])]),
    sound("split-series", &[found(Method::Request, &["UID:4f5g6h_R20260701T080000@google.com"])]),
    sound("cancel-without-status", &[found(Method::Cancel, &["UID:odd-1@example.net"])]),
    sound("sequence-beyond-32-bits", &[found(Method::Request, &["SEQUENCE:20260601080000"])]),
    odd("addresses", &[Quirk::MisspelledMailto], &[found(Method::Request, &[
        "ORGANIZER;CN=Ada", "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:MAILTO:user1@example.com",
        "ATTENDEE;CN=B:mailto:b@example.com", "ATTENDEE;CN=C:c@example.com", "ATTENDEE;CN=D:",
        "ATTENDEE:invalid:nomail", "SUMMARY:Review",
    ])]),
    odd("organizer-without-colon", &[Quirk::MissingColon], &[found(Method::Request, &["ORGANIZER:ada@example.net"])]),
    odd("time-zones", &[Quirk::UnquotedTimeZone], &[found(Method::Request, &[
        "DTSTART;TZID=\"(UTC+01:00) Amsterdam, Berlin, Bern\":20260610T080000",
        "DTEND;TZID=\"Chennai, Kolkata, Mumbai, New Delhi\":20260610T090000",
        "EXDATE;TZID=(GMT-08.00) Pacific Time (US & Canada) / Tijuana:20260617T080000",
        "RDATE;TZID=Customized Time Zone:20260618T080000,20260619T080000",
    ])]),
    // Bytes and lines.
    odd("carriage-returns-only", &[Quirk::CarriageReturnsOnly], &[REQUEST]),
    odd("nul-bytes", &[Quirk::NulBytes], &[REQUEST]),
    sound("tab-folding", &[found(Method::Request, &["SUMMARY:Review of the budget"])]),
    odd("fold-without-blank", &[Quirk::FoldWithoutBlank], &[found(Method::Request, &[
        "DESCRIPTION:This description was broken after seventy-five octets by a template that knows nothing of folding.",
        "COMMENT:see\\nhttps://example.net/agenda",
    ])]),
    odd("blank-lines-before-begin", &[Quirk::BlankLines], &[REQUEST]),
    odd("byte-order-mark", &[Quirk::ByteOrderMark], &[REQUEST]),
    odd("utf-16", &[Quirk::Utf16, Quirk::ByteOrderMark], &[found(Method::Request, &["SUMMARY:Prüfung"])]),
    odd("undeclared-latin1", &[Quirk::UndeclaredLatin1], &[found(Method::Request, &["SUMMARY:Prüfung"])]),
    odd("unknown-charset", &[Quirk::UnknownCharset], &[found(Method::Request, &["SUMMARY:Prüfung"])]),
    odd("ascii-label-on-utf8", &[Quirk::MislabelledCharset], &[found(Method::Request, &["SUMMARY:Prüfung"])]),
    // BEGIN and END.
    odd("missing-end", &[Quirk::MissingEnd], &[found(Method::Request, &[
        "SUMMARY:Review", "END:VEVENT", "BEGIN:VEVENT", "SUMMARY:Second", "END:VEVENT", "END:VCALENDAR",
    ])]),
    odd("alarm-not-closed", &[Quirk::MissingEnd], &[found(Method::Request, &[
        "TRIGGER:-PT5M", "END:VALARM", "END:VEVENT", "BEGIN:VEVENT", "SUMMARY:Second",
    ])]),
    odd("text-after-end", &[Quirk::TextAroundCalendar], &[REQUEST]),
    odd("several-calendars-in-one-part", &[Quirk::SeveralCalendars, Quirk::MethodMismatch], &[
        REQUEST, found(Method::Cancel, &["METHOD:CANCEL", "UID:odd-2@example.net"]),
    ]),
];

fn raw(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/mail/odd-{file}.eml", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn read(file: &str) -> Email {
    extract(&raw(file))
}

#[test]
fn every_oddity_is_survived() {
    for odd in ODDITIES {
        let file = odd.file;
        let email = read(file);
        let mut quirks = email.quirks.clone();
        let mut expected = odd.quirks.to_vec();
        quirks.sort_unstable();
        expected.sort_unstable();
        assert_eq!((quirks, email.nothing_because), (expected, odd.nothing), "{file}");
        assert_eq!(email.calendars.len(), odd.found.len(), "{file}");
        for (part, found) in email.calendars.iter().zip(odd.found) {
            assert_eq!(part.method(), found.method, "{file}");
            assert_in_order(file, &part.text, found.lines);
            assert!(part.text.starts_with("BEGIN:VCALENDAR\r\n") && part.text.ends_with("END:VCALENDAR\r\n"), "{file}");
            assert!(!part.text.contains(['\0', '\u{feff}']), "{file}");
        }
    }
}

fn assert_in_order(file: &str, text: &str, lines: &[&str]) {
    let unfolded = text.replace("\r\n ", "").replace("\r\n\t", "");
    let mut present = unfolded.split("\r\n");
    for line in lines {
        assert!(present.any(|other| other == *line), "{file} lacks {line:?} or has it elsewhere:\n{unfolded}");
    }
}

#[test]
fn every_odd_mail_has_a_row() {
    let folder = std::fs::read_dir(format!("{}/tests/mail", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for name in folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        if let Some(file) = name.strip_prefix("odd-").and_then(|name| name.strip_suffix(".eml")) {
            assert!(ODDITIES.iter().any(|odd| odd.file == file), "{file}");
        }
    }
}

#[test]
fn authors_are_never_guessed() {
    let author = |file| read(file).sender.author().map(|author| author.as_str().to_owned());
    assert_eq!(author("two-from-fields"), None);
    assert_eq!(author("two-authors"), None);
    assert_eq!(author("address-as-display-name").as_deref(), Some("eve@example.org"));
    assert_eq!(author("unquoted-comma-in-name").as_deref(), Some("ada@example.net"));
}

#[test]
fn a_list_keeps_the_human_in_reply_to() {
    let email = read("list-rewrites-from");
    assert!(email.is_list);
    assert_eq!(email.sender.author().unwrap().as_str(), "team@lists.example.org");
    assert_eq!(email.sender.reply_to, [Address::parse("ada@example.net"), Address::parse("team@lists.example.org")]);
    assert_eq!(email.sender.sender, Some(Address::parse("team-bounces@lists.example.org")));
}

#[test]
fn a_bounce_says_so() {
    let email = read("bounce");
    assert!(email.is_report && email.is_return_path_null);
    assert_eq!(email.auto_submitted, AutoSubmitted::Replied);
    assert_eq!(read("publish-from-ticket-shop").auto_submitted, AutoSubmitted::Generated);
}

#[test]
fn a_forwarded_calendar_is_marked() {
    assert!(read("forwarded").calendars[0].is_forwarded && read("forwarded-base64").calendars[0].is_forwarded);
    assert!(!read("calendar-in-related").calendars[0].is_forwarded);
    assert_eq!(read("calendar-in-related").calendars[0].file_name.as_deref(), Some("meeting.ics"));
}

#[test]
fn an_unknown_method_is_named() {
    assert_eq!(read("unknown-method").calendars[0].unknown_method().as_deref(), Some("POLLSTATUS"));
    assert_eq!(read("two-objects").calendars[0].unknown_method(), None);
}

#[test]
fn fetched_parts_give_what_the_whole_gives() {
    let raw = raw("cancel-labelled-request");
    let text = String::from_utf8(raw.clone()).unwrap();
    let (header, _) = text.split_once("\r\n\r\n").unwrap();
    let start = text.find("Content-Type: text/calendar").unwrap();
    let (part_header, rest) = text[start..].split_once("\r\n\r\n").unwrap();
    let body = &rest[..rest.find("\r\n--").unwrap()];
    let header = format!("{header}\r\n\r\n");
    let part_header = format!("{part_header}\r\n\r\n");
    let part = FetchedPart { header: part_header.as_bytes(), body: body.as_bytes() };
    assert_eq!(extract_fetched(header.as_bytes(), [part]), extract(&raw));
}

#[test]
fn hostile_mails_are_bounded() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    let email = extract(nested.as_bytes());
    assert_eq!((email.calendars.len(), email.quirks), (0, vec![Quirk::OverLimit]));

    let many = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned() + &"--b\r\n\r\nx\r\n".repeat(100_000);
    assert_eq!(extract(many.as_bytes()).quirks, [Quirk::OverLimit]);

    let calendar = "--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";
    let distinct: String = (0..200).map(|n| calendar.replace("END", &format!("X-N:{n}\r\nEND"))).collect();
    let email = extract(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{distinct}").as_bytes());
    assert_eq!(email.calendars.len(), 40);
    assert!(email.quirks.contains(&Quirk::OverLimit));

    let large = vec![b'x'; 51 * 1024 * 1024];
    assert_eq!(extract(&large).nothing_because, Some(NoCalendar::TooLarge));
    assert_eq!(extract(b"").nothing_because, Some(NoCalendar::NoCalendarPart));
}

#[test]
fn no_cut_of_any_mail_panics() {
    for odd in ODDITIES {
        let raw = raw(odd.file);
        for end in (0..raw.len()).step_by(7) {
            extract(&raw[..end]);
            extract(&raw[end..]);
        }
    }
}
