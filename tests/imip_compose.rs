//! What we write: readable by ourselves and by others, the same bytes for the same letter, and nothing injected.

use chrono::TimeZone;
use imipd::imip::{
    Answer, AutoSubmitted, ComposeError, Earlier, Facts, Letter, Mailbox, Occasion, When, compose, extract,
};
use imipd::itip::{Address, Method};
use proptest::prelude::*;

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nPRODID:-//Example//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
    UID:1@example.com\r\nDTSTAMP:20260601T080000Z\r\nDTSTART:20260610T080000Z\r\nSUMMARY:Review\r\nEND:VEVENT\r\n\
    END:VCALENDAR\r\n";

fn mailbox(address: &str, name: Option<&str>) -> Mailbox {
    Mailbox { address: Address::parse(address), name: name.map(str::to_owned) }
}

fn berlin(day: u32, hour: u32) -> Option<When> {
    Some(When::At(chrono_tz::Europe::Berlin.with_ymd_and_hms(2026, 6, day, hour, 0, 0).unwrap()))
}

fn letter(calendar: &str) -> Letter<'_> {
    Letter {
        from: mailbox("ada@example.com", Some("Ada Lovelace")),
        to: vec![mailbox("bob@example.org", None)],
        method: Method::Request,
        calendar,
        component: "VEVENT",
        occasion: Occasion::Invitation,
        facts: Facts {
            summary: Some("Review".to_owned()),
            location: Some("Room 1".to_owned()),
            organizer: Some("Ada Lovelace".to_owned()),
            start: berlin(10, 10),
            end: berlin(10, 11),
            ..Facts::default()
        },
        uid: "1@example.com",
        instance: None,
        sequence: 0,
        in_reply_to: None,
        references: Vec::new(),
        date: 1_780_300_800,
        automatic: true,
    }
}

fn composed(letter: &Letter<'_>) -> (String, String) {
    let mail = compose(letter).unwrap();
    (String::from_utf8(mail.raw).unwrap(), mail.message_id)
}

fn header(raw: &str) -> &str {
    raw.split_once("\r\n\r\n").unwrap().0
}

/// The names of the header fields, folded lines left out.
fn field_names(raw: &str) -> Vec<&str> {
    header(raw)
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap())
        .collect()
}

fn assert_well_formed(raw: &str) {
    assert!(raw.is_ascii(), "{raw}");
    assert!(!raw.replace("\r\n", "").contains(['\r', '\n', '\0']));
    for line in raw.split("\r\n") {
        assert!(line.len() <= 998, "{line}");
    }
    for line in header(raw).split("\r\n") {
        assert!(line.len() <= 78, "{line}");
    }
}

#[test]
fn the_whole_mail_is_as_written_here() {
    let (raw, message_id) = composed(&letter(CALENDAR));
    let hash = message_id.trim_matches(['<', '>']).split('@').next().unwrap().to_owned();
    assert_eq!(hash.len(), 40);
    let mark = &hash[..32];
    let expected_start = format!(
        "From: \"Ada Lovelace\" <ada@example.com>\r\nTo: <bob@example.org>\r\nReply-To: \"Ada Lovelace\" <ada@example.com>\r\n\
        Subject: Invitation: Review\r\nDate: Mon, 1 Jun 2026 08:00:00 +0000\r\nMessage-ID: <{hash}@example.com>\r\n\
        MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n\
        Content-Type: multipart/mixed; boundary=\"=_m_{mark}\"\r\n\r\n\
        --=_m_{mark}\r\nContent-Type: multipart/alternative; boundary=\"=_a_{mark}\"\r\n\r\n\
        --=_a_{mark}\r\nContent-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
        Ada Lovelace invites you to this event.\r\n\r\n\
        What     Review\r\nWhen     Wednesday 10 June 2026, 10:00 to 11:00 (Europe/Berlin)\r\nWhere    Room 1\r\n\r\n\
        To answer, accept or decline this invitation in your mail or calendar\r\nprogram.\r\n\r\n\
        --=_a_{mark}\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST; component=VEVENT\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\n{CALENDAR}\r\n\
        --=_a_{mark}--\r\n\r\n--=_m_{mark}\r\nContent-Type: application/ics; name=\"invite.ics\"\r\n\
        Content-Disposition: attachment; filename=\"invite.ics\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    );
    let flat = |text: &str| text.replace("\r\n ", " ").replace("\r\n\t", " ");
    let common = flat(&raw).chars().take(flat(&expected_start).len()).collect::<String>();
    assert_eq!(common, flat(&expected_start));
    assert_well_formed(&raw);
}

#[test]
fn what_we_compose_we_extract() {
    let long = CALENDAR.replace("SUMMARY:Review", &format!("SUMMARY:Prüfung 😀\r\nDESCRIPTION:{}", "ü, ".repeat(400)));
    for text in [CALENDAR, &long, &CALENDAR.replace("\r\n", "\n")] {
        let mail = compose(&letter(text)).unwrap();
        let email = extract(&mail.raw);
        let [part] = email.calendars.as_slice() else { panic!("{}", email.calendars.len()) };
        let unfold = |text: &str| text.replace("\r\n", "\n").replace("\n ", "");
        assert_eq!(unfold(&part.text), unfold(text));
        assert_eq!((part.method(), part.method_parameter), (Some(Method::Request), Some(Method::Request)));
        assert_eq!((email.quirks.as_slice(), email.nothing_because), (&[][..], None));
        assert_eq!(email.message_id, Some(mail.message_id));
        assert_eq!(email.subject, Some(mail.subject));
        assert_eq!(email.date, Some(1_780_300_800));
        assert_eq!(email.sender.author(), Some(&Address::parse("ada@example.com")));
        assert_eq!(email.to, [Address::parse("bob@example.org")]);
        assert_eq!(email.auto_submitted, AutoSubmitted::Generated);
        assert_well_formed(std::str::from_utf8(&mail.raw).unwrap());
    }
}

#[test]
fn a_well_formed_calendar_is_passed_on_octet_for_octet() {
    let folded = CALENDAR.replace("SUMMARY:Review", "SUMMARY:Rev\r\n iew");
    assert_eq!(extract(&compose(&letter(&folded)).unwrap().raw).calendars[0].text, folded);
}

#[test]
fn the_same_letter_is_the_same_mail() {
    let base = letter(CALENDAR);
    assert_eq!(compose(&base).unwrap(), compose(&base).unwrap());
    let id = |letter: &Letter<'_>| compose(letter).unwrap().message_id;
    let later = Letter { date: 1_780_400_000, automatic: false, ..base.clone() };
    assert_eq!(id(&later), id(&base), "the time of sending is nothing the mail says");
    let stamped = CALENDAR.replace("080000Z", "080001Z");
    for other in [
        Letter { to: vec![mailbox("eve@example.org", None)], ..base.clone() },
        Letter { to: vec![mailbox("bob@example.org", None), mailbox("eve@example.org", None)], ..base.clone() },
        Letter { from: mailbox("adam@example.com", None), ..base.clone() },
        Letter { uid: "2@example.com", ..base.clone() },
        Letter { instance: Some("20260610T080000Z"), ..base.clone() },
        Letter { sequence: 1, ..base.clone() },
        Letter { calendar: &stamped, ..base.clone() },
    ] {
        assert_ne!(id(&other), id(&base));
    }
}

#[test]
fn nothing_is_injected_through_any_text() {
    let evil = [
        "x\r\nBcc: eve@example.com",
        "x\nBcc: eve@example.com\n\nbody",
        "x\rBcc: eve@example.com",
        "x\0y",
        "\u{202e}moc.elpmaxe@bob\u{202c}",
        "\"Bob, the \\\" <eve@example.com>\" <eve@example.com>",
        "=?utf-8?q?x=0d=0aBcc:_eve=40example.com?=",
        "😀👩\u{200d}👩\u{200d}👧 é",
    ];
    let plain_fields = field_names(&composed(&letter(CALENDAR)).0).len();
    for text in evil {
        let calendar = CALENDAR.replace("SUMMARY:Review", &format!("SUMMARY:{}", text.replace(['\r', '\n'], "\\n")));
        let some = || Some(text.to_owned());
        let facts = Facts {
            summary: some(),
            description: some(),
            location: some(),
            recurrence: some(),
            comment: some(),
            attendee: some(),
            organizer: some(),
            before: Some(Box::new(Earlier { summary: some(), ..Earlier::default() })),
            ..Facts::default()
        };
        let letter = Letter {
            from: mailbox("ada@example.com", Some(text)),
            to: vec![mailbox("bob@example.org", Some(text)), mailbox("cy@example.org", Some(text))],
            facts,
            uid: text,
            instance: Some(text),
            in_reply_to: Some(text.to_owned()),
            references: vec![text.to_owned(), format!("<{text}@x>")],
            ..letter(&calendar)
        };
        let (raw, _) = composed(&letter);
        assert_well_formed(&raw);
        assert_eq!(field_names(&raw).len(), plain_fields, "{text:?}\n{}", header(&raw));
        let email = extract(raw.as_bytes());
        assert_eq!(email.sender.from, [Address::parse("ada@example.com")], "{text:?}");
        assert_eq!(email.to, [Address::parse("bob@example.org"), Address::parse("cy@example.org")], "{text:?}");
        assert_eq!(email.calendars.len(), 1, "{text:?}");
        let subject = email.subject.unwrap();
        assert!(!subject.contains(['\r', '\n', '\0', '\u{202e}']), "{subject:?}");
    }
}

#[test]
fn a_lone_cr_in_the_calendar_starts_no_property() {
    let calendar = CALENDAR.replace("SUMMARY:Review", "SUMMARY:Re\rATTENDEE:mailto:eve@example.com\0");
    let mail = compose(&letter(&calendar)).unwrap();
    let text = &extract(&mail.raw).calendars[0].text;
    assert!(text.contains("\r\nSUMMARY:ReATTENDEE:mailto:eve@example.com\r\n"), "{text}");
}

#[test]
fn a_long_summary_gives_a_short_subject() {
    for unit in ["word ", "x", "😀", "ü"] {
        let mut letter = letter(CALENDAR);
        letter.facts.summary = Some(unit.repeat(5_000));
        let mail = compose(&letter).unwrap();
        assert!(mail.subject.chars().count() <= 140 && mail.subject.ends_with("..."), "{}", mail.subject);
        assert_well_formed(std::str::from_utf8(&mail.raw).unwrap());
        assert_eq!(extract(&mail.raw).subject, Some(mail.subject));
    }
}

#[test]
fn subjects_say_what_it_is_about() {
    for (occasion, answer, expected) in [
        (Occasion::Invitation, None, "Invitation: Review"),
        (Occasion::Update, None, "Updated: Review"),
        (Occasion::NewDates, None, "New dates: Review"),
        (Occasion::Cancellation, None, "Cancelled: Review"),
        (Occasion::Reply, Some(Answer::Accepted), "Accepted: Review"),
        (Occasion::Reply, Some(Answer::Declined), "Declined: Review"),
        (Occasion::Reply, Some(Answer::Tentative), "Tentative: Review"),
        (Occasion::Counter, None, "New time proposed: Review"),
        (Occasion::CounterDeclined, None, "Proposal declined: Review"),
    ] {
        let mut letter = Letter { occasion, ..letter(CALENDAR) };
        letter.facts.answer = answer;
        assert_eq!(compose(&letter).unwrap().subject, expected);
    }
    let untitled = Letter { facts: Facts::default(), ..letter(CALENDAR) };
    assert_eq!(compose(&untitled).unwrap().subject, "Invitation: (no title)");
}

#[test]
fn an_answer_joins_the_thread() {
    let letter = Letter {
        in_reply_to: Some("<invite@example.org>".to_owned()),
        references: vec!["<first@example.org>".to_owned(), "no id".to_owned(), "invite@example.org".to_owned()],
        automatic: false,
        ..letter(CALENDAR)
    };
    let (raw, _) = composed(&letter);
    let flat = header(&raw).replace("\r\n ", " ");
    assert!(flat.contains("\r\nIn-Reply-To: <invite@example.org>"), "{flat}");
    assert!(flat.contains("\r\nReferences: <first@example.org> <invite@example.org>"), "{flat}");
    assert!(!flat.contains("Auto-Submitted"));
    let many = Letter { references: (0..500).map(|n| format!("<{n}@example.org>")).collect(), ..letter };
    assert!(composed(&many).0.matches("@example.org>").count() < 30);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let base = letter(CALENDAR);
    let refused = |letter: Letter<'_>| compose(&letter).unwrap_err();
    for bad in ["", "invalid:nomail", "bob", "b@example.org\r\nBcc: e@example.com", "/etc/passwd", "a b@example.org"] {
        let to = Letter { to: vec![mailbox("bob@example.org", None), mailbox(bad, None)], ..base.clone() };
        assert!(matches!(refused(to), ComposeError::NotMailable(_)), "{bad}");
        let from = Letter { from: mailbox(bad, None), ..base.clone() };
        assert!(matches!(refused(from), ComposeError::NotMailable(_)), "{bad}");
    }
    assert_eq!(refused(Letter { to: Vec::new(), ..base.clone() }), ComposeError::NoRecipient);
    assert!(matches!(refused(Letter { method: Method::Cancel, ..base.clone() }), ComposeError::MethodDiffers { .. }));
    assert!(matches!(refused(Letter { calendar: "", ..base.clone() }), ComposeError::MethodDiffers { .. }));
    for component in ["", "VEVENT; x=y", "VEVENT\r\nBcc: x", "vevent"] {
        let letter = Letter { component, ..base.clone() };
        assert!(matches!(refused(letter), ComposeError::BadComponent(_)), "{component}");
    }
}

#[test]
fn an_address_outside_of_ascii_stays_readable() {
    let letter = Letter {
        from: mailbox("jörg@bücher.example", Some("Jörg")),
        to: vec![mailbox("bob@example.org", None)],
        ..letter(CALENDAR)
    };
    let mail = compose(&letter).unwrap();
    assert!(mail.message_id.is_ascii());
    assert_eq!(extract(&mail.raw).sender.author(), Some(&Address::parse("jörg@bücher.example")));
}

proptest! {
    #[test]
    fn any_text_makes_a_well_formed_mail(
        summary in "\\PC{0,200}|[\\x00-\\x7f]{0,80}",
        name in "\\PC{0,60}|[\\x00-\\x7f]{0,40}",
        description in "(\\PC|[\\r\\n\\t]){0,400}",
    ) {
        let mut letter = Letter { from: mailbox("ada@example.com", Some(&name)), ..letter(CALENDAR) };
        letter.facts.summary = Some(summary);
        letter.facts.description = Some(description);
        let mail = compose(&letter).unwrap();
        let raw = std::str::from_utf8(&mail.raw).unwrap();
        assert_well_formed(raw);
        let email = extract(&mail.raw);
        prop_assert_eq!(email.calendars[0].text.as_str(), CALENDAR);
        prop_assert_eq!(email.sender.from, vec![Address::parse("ada@example.com")]);
        prop_assert_eq!(email.quirks, vec![]);
    }

    #[test]
    fn any_bytes_are_extracted_without_panic(raw in proptest::collection::vec(any::<u8>(), 0..400)) {
        extract(&raw);
        let mut mail = b"Content-Type: text/calendar; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\n".to_vec();
        mail.extend(raw);
        for part in extract(&mail).calendars {
            let (again, quirks) = imipd::imip::mend(&part.text);
            prop_assert_eq!(again, part.text);
            prop_assert_eq!(quirks, vec![]);
        }
    }

    #[test]
    fn mending_is_idempotent(lines in proptest::collection::vec(
        prop_oneof![
            Just("BEGIN:VCALENDAR"), Just("END:VCALENDAR"), Just("BEGIN:VEVENT"), Just("END:VEVENT"), Just("BEGIN:VALARM"),
            Just("END:VALARM"), Just("BEGIN:VTIMEZONE"), Just("BEGIN:STANDARD"), Just("END:STANDARD"), Just("END:VTIMEZONE"),
            Just("BEGIN:X-A"), Just("END:X-A"), Just("SUMMARY:x"), Just(" folded"), Just(""), Just("garbage"),
            Just("ORGANIZER a@b"), Just("ATTENDEE:maito:a@b"), Just("DTSTART;TZID=a, b:20260101T000000"), Just("x\0y:z"),
        ], 0..40), end in prop_oneof![Just("\r\n"), Just("\n"), Just("\r")]) {
        let (once, _) = imipd::imip::mend(&lines.join(end));
        let (twice, quirks) = imipd::imip::mend(&once);
        prop_assert_eq!(&twice, &once);
        let quirks: Vec<_> = quirks.into_iter().filter(|quirk| *quirk != imipd::imip::Quirk::SeveralCalendars).collect();
        prop_assert_eq!(quirks, vec![]);
    }
}
