//! What we write: readable by ourselves and by others, the same bytes for the same letter, and nothing injected.

use std::sync::LazyLock;

use chrono::TimeZone;
use imipd::imip::{
    Answer, AutoSubmitted, Bodies, ComposeError, ComposedMail, Earlier, Facts, Language, Letter, Links, Mailbox,
    Occasion, Origin, Scope, When, Wording, extract,
};
use imipd::itip::{Address, Method};
use proptest::prelude::*;

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nPRODID:-//Example//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
    UID:1@example.com\r\nDTSTAMP:20260601T080000Z\r\nDTSTART:20260610T080000Z\r\nSUMMARY:Review\r\nEND:VEVENT\r\n\
    END:VCALENDAR\r\n";

static WORDING: LazyLock<Wording> = LazyLock::new(|| Wording::built_in(Bodies::Both));

/// Composes, and has the mail read by parsers that are not ours.
fn compose(letter: &Letter<'_>) -> Result<ComposedMail, ComposeError> {
    let mail = imipd::imip::compose(letter, &WORDING)?;
    if let Some(reading) = imipd_lab::read_mail(&mail.raw) {
        assert_eq!((&reading.subject, &reading.message_id), (&mail.subject, &mail.message_id));
        assert_eq!(reading.from, [letter.from.address.as_str()]);
        assert_eq!(reading.to, letter.to.iter().map(|to| to.address.as_str()).collect::<Vec<_>>());
        if letter.calendar.ends_with("\r\n")
            && !letter.calendar.contains(|c: char| c.is_control() && !"\r\n\t".contains(c))
        {
            let flat = |text: &str| text.replace("\r\n ", "");
            assert_eq!(reading.calendar.as_deref().map(flat), Some(flat(letter.calendar)));
        }
    }
    Ok(mail)
}

fn mailbox(address: &str, name: Option<&str>) -> Mailbox {
    Mailbox { address: Address::parse(address), name: name.map(str::to_owned) }
}

fn berlin(day: u32, hour: u32) -> Option<When> {
    Some(When::At(chrono_tz::Europe::Berlin.with_ymd_and_hms(2026, 6, day, hour, 0, 0).unwrap()))
}

fn letter(calendar: &str) -> Letter<'_> {
    Letter {
        from: mailbox("ada@example.com", Some("Ada Lovelace")),
        reply_to: None,
        sender: None,
        to: vec![mailbox("bob@example.org", None)],
        language: Language::English,
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
        origin: Origin::Generated,
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
    let later = Letter { date: 1_780_400_000, origin: Origin::Human, ..base.clone() };
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
            sent_by: some(),
            links: Some(Links { yes: text.to_owned(), no: text.to_owned(), maybe: text.to_owned() }),
            comment: some(),
            attendee: some(),
            organizer: some(),
            start: Some(When::Local { time: chrono::NaiveDateTime::default(), zone: some() }),
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
        assert!(
            mail.subject.chars().count() <= 160 && mail.subject.ends_with("... (10 June 2026)"),
            "{}",
            mail.subject
        );
        assert_well_formed(std::str::from_utf8(&mail.raw).unwrap());
        assert_eq!(extract(&mail.raw).subject, Some(mail.subject));
    }
}

#[test]
fn subjects_say_what_it_is_about() {
    for (occasion, answer, expected) in [
        (Occasion::Invitation, None, "Invitation: Review (10 June 2026)"),
        (Occasion::Update, None, "Updated: Review (10 June 2026)"),
        (Occasion::NewDates, None, "New dates: Review (10 June 2026)"),
        (Occasion::Cancellation, None, "Cancelled: Review (10 June 2026)"),
        (Occasion::Reply, Some(Answer::Accepted), "Accepted: Review (10 June 2026)"),
        (Occasion::Reply, Some(Answer::Declined), "Declined: Review (10 June 2026)"),
        (Occasion::Reply, Some(Answer::Tentative), "Tentative: Review (10 June 2026)"),
        (Occasion::Counter, None, "New time proposed: Review (10 June 2026)"),
        (Occasion::CounterDeclined, None, "Proposal declined: Review (10 June 2026)"),
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
        origin: Origin::Human,
        ..letter(CALENDAR)
    };
    let (raw, _) = composed(&letter);
    let flat = header(&raw).replace("\r\n ", " ");
    assert!(flat.contains("\r\nIn-Reply-To: <invite@example.org>"), "{flat}");
    let references = flat.split("\r\n").find_map(|line| line.strip_prefix("References: ")).unwrap();
    let root = references.strip_suffix(" <first@example.org> <invite@example.org>").expect(references);
    assert!(root.ends_with(".thread@example.com>"), "{root}");
    assert!(!flat.contains("Auto-Submitted"));
    let many = Letter { references: (0..500).map(|n| format!("<{n}@example.org>")).collect(), ..letter };
    let (raw, _) = composed(&many);
    assert!(raw.matches("@example.org>").count() < 30);
    assert!(raw.contains(root), "the root of the thread stays when others go");
}

#[test]
fn mails_in_two_languages_make_one_thread() {
    let root = |letter: &Letter<'_>| {
        let flat = header(&composed(letter).0).replace("\r\n ", " ");
        flat.split("References: ").nth(1).map(|ids| ids.split(['\r', ' ']).next().unwrap().to_owned())
    };
    let english = letter(CALENDAR);
    let german = Letter {
        language: Language::German,
        to: vec![mailbox("eve@example.org", None)],
        in_reply_to: Some("<update@example.com>".to_owned()),
        ..english.clone()
    };
    assert_ne!(composed(&english).1, composed(&german).1);
    assert!(root(&english).is_some());
    assert_eq!(root(&english), root(&german));
    let answer = Letter { method: Method::Reply, calendar: &CALENDAR.replace("REQUEST", "REPLY"), ..english };
    assert_eq!(root(&answer), None, "the thread is its organizer's");
}

#[test]
fn no_program_is_asked_to_answer() {
    for (origin, expected) in [
        (Origin::Human, None),
        (Origin::Generated, Some("\r\nAuto-Submitted: auto-generated\r\n")),
        (Origin::Replied, Some("\r\nAuto-Submitted: auto-replied\r\n")),
    ] {
        let (raw, _) = composed(&Letter { origin, ..letter(CALENDAR) });
        match expected {
            Some(line) => assert!(raw.contains(line), "{raw}"),
            None => assert!(!raw.contains("Auto-Submitted"), "{raw}"),
        }
        assert!(raw.contains("\r\nX-Auto-Response-Suppress: OOF, AutoReply\r\n"));
        assert!(!field_names(&raw).iter().any(|name| name.starts_with("List-") || *name == "Precedence"));
    }
}

#[test]
fn whoever_acts_for_somebody_is_the_sender() {
    let mut letter = Letter { sender: Some(Address::parse("eve@example.com")), ..letter(CALENDAR) };
    letter.facts.sent_by = Some("eve@example.com".to_owned());
    let (raw, _) = composed(&letter);
    assert!(raw.contains("\r\nSender: <eve@example.com>\r\n"), "{raw}");
    assert!(raw.contains("eve@example.com (on behalf of Ada Lovelace) invites you"), "{raw}");
    letter.sender = Some(letter.from.address.clone());
    assert!(!composed(&letter).0.contains("\r\nSender: "), "RFC 5322 3.6.2: not when it is the author");
    letter.sender = Some(Address::parse("x@y\r\nBcc: z@example.com"));
    assert!(matches!(compose(&letter), Err(ComposeError::NotMailable(_))));
}

#[test]
fn links_are_shown_in_both_bodies_and_only_when_they_lead_to_a_page() {
    let link = |answer: &str| format!("https://rsvp.example.com/{answer}?a=1&b=\u{22}x");
    let mut letter = letter(CALENDAR);
    let links = |answer: fn(&str) -> String| Links { yes: answer("y"), no: answer("n"), maybe: answer("m") };
    letter.facts.links = Some(links(|answer| format!("https://rsvp.example.com/{answer}?a=1&b=2")));
    let written = WORDING.write(Language::German, Occasion::Invitation, "VEVENT", &letter.facts);
    assert!(written.text.contains("Ja          https://rsvp.example.com/y?a=1&b=2\n"), "{}", written.text);
    let html = written.html.unwrap();
    assert!(html.contains("<a href=\"https://rsvp.example.com/n?a=1&amp;b=2\">Nein</a>"), "{html}");
    for bad in [link("y"), "javascript:alert(1)".to_owned(), "https://x/ y".to_owned(), "x".repeat(600)] {
        letter.facts.links = Some(Links { yes: bad.clone(), no: bad.clone(), maybe: bad.clone() });
        let written = WORDING.write(Language::German, Occasion::Invitation, "VEVENT", &letter.facts);
        assert!(!written.html.unwrap().contains("<a "), "{bad}");
    }
}

#[test]
fn plain_text_alone_is_a_choice() {
    let mail = imipd::imip::compose(&letter(CALENDAR), &Wording::built_in(Bodies::Text)).unwrap();
    let raw = String::from_utf8(mail.raw).unwrap();
    assert!(raw.contains("text/plain") && !raw.contains("text/html"), "{raw}");
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

/// The elements of the HTML body.
const ELEMENTS: [&str; 16] = [
    "!DOCTYPE", "html", "head", "meta", "title", "style", "body", "main", "p", "dl", "dt", "dd", "br", "span", "a",
    "bdi",
];

/// The tree of a mail: header fields, and the types of the parts.
fn shape(raw: &[u8]) -> Vec<String> {
    let parsed = mail_parser::MessageParser::default().parse(raw).unwrap();
    let names = parsed.headers().iter().map(|header| header.name.as_str().to_owned());
    let types = parsed.parts.iter().map(|part| {
        let kind = mail_parser::MimeHeaders::content_type(part).unwrap();
        format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
    });
    names.chain(types).collect()
}

proptest! {
    #[test]
    fn any_text_makes_a_well_formed_mail(
        language in proptest::sample::select(Language::ALL.to_vec()),
        summary in "\\PC{0,200}|[\\x00-\\x7f]{0,80}",
        name in "\\PC{0,60}|[\\x00-\\x7f]{0,40}",
        description in "(\\PC|[\\r\\n\\t]){0,400}",
    ) {
        let mut letter = Letter { from: mailbox("ada@example.com", Some(&name)), language, ..letter(CALENDAR) };
        let shape = shape(&compose(&letter).unwrap().raw);
        letter.facts.location = Some(summary.clone());
        letter.facts.organizer = Some(name.clone());
        letter.facts.comment = Some(description.clone());
        letter.facts.scope = Scope::Instances { dates: berlin(10, 10).into_iter().collect(), unlisted: 0 };
        letter.facts.summary = Some(summary);
        letter.facts.description = Some(description);
        let mail = compose(&letter).unwrap();
        let raw = std::str::from_utf8(&mail.raw).unwrap();
        assert_well_formed(raw);
        let email = extract(&mail.raw);
        prop_assert_eq!(email.calendars[0].text.as_str(), CALENDAR);
        prop_assert_eq!(email.sender.from, vec![Address::parse("ada@example.com")]);
        prop_assert_eq!(email.quirks, vec![]);
        prop_assert_eq!(self::shape(&mail.raw), shape);
        let parsed = mail_parser::MessageParser::default().parse(&mail.raw).unwrap();
        let html = parsed.body_html(0).unwrap();
        // Whatever the texts are, the page has the elements that our template writes, and no others.
        for element in html.split('<').skip(1) {
            let name = element.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric() && c != '!').next();
            prop_assert!(ELEMENTS.contains(&name.unwrap_or_default()), "<{element}");
        }
        for line in parsed.body_text(0).unwrap().lines() {
            prop_assert!(unicode_width::UnicodeWidthStr::width(line) <= 78 || line.split_whitespace().any(|word| word.chars().count() > 50), "{line}");
        }
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
