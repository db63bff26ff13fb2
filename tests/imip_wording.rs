//! The words of mails: complete in every language, whole mails as they were reviewed, and readable by a second parser.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use imipd::config::{AddedInstances, Imip};
use imipd::gateway::letter::{Author, Occasioned, Pen, WrittenLetter, letters};
use imipd::imip::language::{MESSAGES, inspect, variables};
use imipd::imip::{Answer, Bodies, Earlier, Facts, Language, Links, Occasion, Recurrence, Scope, When, Wording};
use imipd::itip::component::ComponentExt;
use imipd::itip::summary::{self, Participants, Summary};
use imipd::itip::{CalendarObject, Method, Outgoing};
use imipd::ledger::Thread;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn object(name: &str) -> CalendarObject {
    let text = std::fs::read_to_string(root("examples/preview").join(name)).unwrap();
    CalendarObject::parse(&text).unwrap()
}

const IMIP: Imip = Imip {
    added_instances: AddedInstances::Request,
    bodies: Bodies::Both,
    templates: None,
    language: Language::English,
};

/// The message of an organizer to all attendees but themself.
fn outgoing(object: CalendarObject, method: Method, summary: Summary) -> Outgoing {
    let component = object.principal().unwrap();
    let from = component.organizer().unwrap().address();
    let to = component.attendees().map(|party| party.address()).filter(|address| *address != from).collect();
    Outgoing { from, to, method, summary, object }
}

fn invitation(object: CalendarObject) -> Outgoing {
    let summary =
        Summary::new(summary::Occasion::Invite, object.principal().unwrap(), object.zones(), Participants::Shown);
    outgoing(object, Method::Request, summary)
}

fn written(outgoing: &Outgoing, language: Language, thread: &Thread) -> Vec<WrittenLetter> {
    let wording = Wording::built_in(Bodies::Both);
    let author = Author { name: None, timezone: chrono_tz::UTC, language, via: None };
    let pen = Pen { wording: &wording, imip: &IMIP, links: None };
    let letters = letters(outgoing, author, pen, thread, (Occasioned::ByUser, 1_780_300_800)).unwrap();
    for letter in &letters {
        imipd_lab::read_mail(&letter.mail.raw);
    }
    letters
}

fn one(outgoing: &Outgoing, language: Language) -> Vec<u8> {
    let mut letters = written(outgoing, language, &Thread::default());
    assert_eq!(letters.len(), 1);
    letters.remove(0).mail.raw
}

fn update() -> Outgoing {
    let (before, after) = (object("update-before.ics"), object("update.ics"));
    let summary = Summary::of_update(
        summary::Occasion::Update(Method::Request),
        (after.principal().unwrap(), after.zones()),
        (before.principal().unwrap(), before.zones()),
    );
    outgoing(after, Method::Request, summary)
}

#[test]
fn a_description_that_was_added_is_marked_and_one_that_stayed_is_not() {
    let after = object("update.ics");
    let text = std::fs::read_to_string(root("examples/preview/update-before.ics")).unwrap();
    let without: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("DESCRIPTION") && !line.starts_with(' ')).collect();
    for (before, is_marked) in [(without.join("\r\n") + "\r\n", true), (text.clone(), false)] {
        let before = CalendarObject::parse(&before).unwrap();
        let summary = Summary::of_update(
            summary::Occasion::Update(Method::Request),
            (after.principal().unwrap(), after.zones()),
            (before.principal().unwrap(), before.zones()),
        );
        let raw = one(&outgoing(after.clone(), Method::Request, summary), Language::English);
        let mail = mail_parser::MessageParser::default().parse(&raw).unwrap();
        assert_eq!(mail.body_text(0).unwrap().contains("The description has changed"), is_marked);
    }
}

fn cancellation() -> Outgoing {
    let object = object("cancellation.ics");
    let component = object.principal().unwrap();
    let summary = Summary::new(summary::Occasion::Cancel, component, object.zones(), Participants::Shown);
    outgoing(object, Method::Cancel, summary)
}

fn reply() -> Outgoing {
    let object = object("reply.ics");
    let component = object.principal().unwrap();
    let partstat = component.attendees().next().unwrap().partstat().unwrap().clone();
    let summary = Summary::new(summary::Occasion::Rsvp(partstat), component, object.zones(), Participants::Shown);
    let (from, to) = (component.attendees().next().unwrap().address(), component.organizer().unwrap().address());
    Outgoing { from, to: vec![to], method: Method::Reply, summary, object }
}

/// Every mail of this file, by the name of its golden copy.
fn mails() -> Vec<(String, Vec<u8>)> {
    let mut mails = vec![
        ("invitation.en".to_owned(), one(&invitation(object("invitation.ics")), Language::English)),
        ("update.de".to_owned(), one(&update(), Language::German)),
        ("cancellation.ja".to_owned(), one(&cancellation(), Language::Japanese)),
        ("reply.fr".to_owned(), one(&reply(), Language::French)),
    ];
    let golden = mails.len();
    for language in Language::ALL {
        for message in [invitation(object("invitation.ics")), update(), cancellation(), reply()] {
            mails.push((format!("{golden}-{}-{}", language.tag(), mails.len()), one(&message, language)));
        }
    }
    mails
}

#[test]
fn mails_are_as_they_were_reviewed() {
    let mut different = Vec::new();
    for (name, raw) in mails().into_iter().take(4) {
        let path = root("tests/mail/golden").join(format!("{name}.eml"));
        let golden = std::fs::read(&path).unwrap_or_default();
        if golden != raw {
            // Beside the tests' other output, so that a person can compare; nothing is recorded by itself.
            let got = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.eml"));
            std::fs::write(&got, &raw).unwrap();
            different.push(format!("diff {} {}", path.display(), got.display()));
        }
    }
    assert!(different.is_empty(), "see tests/mail/golden/README.md, and then:\n{}", different.join("\n"));
}

#[test]
fn a_second_parser_finds_no_defect_and_the_same_calendar() {
    let folder = tempfile::tempdir().unwrap();
    for (name, raw) in mails() {
        std::fs::write(folder.path().join(format!("{name}.eml")), raw).unwrap();
    }
    let script = root("tests/mail/check_mails.py");
    let output = match Command::new("python3").arg(&script).arg(folder.path()).output() {
        Ok(output) => output,
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("*** python3 is MISSING ({error}): what we write is not read by a second parser");
            return;
        }
        Err(error) => panic!("python3 is missing: {error}; scripts/install-servers installs it"),
    };
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("48 mails"), "{told}");
}

#[test]
fn every_catalogue_is_complete_and_asks_for_nothing_that_it_is_not_given() {
    let english = inspect(Language::English.built_in(), Language::English);
    let ids: BTreeSet<&str> = MESSAGES.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), MESSAGES.len());
    assert_eq!(english.faults, []);
    for language in Language::ALL {
        let text = language.built_in();
        let inspected = inspect(text, language);
        assert_eq!(inspected.faults, [], "{}", language.tag());
        let defined: BTreeSet<&str> = text
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
            .filter_map(|line| line.split_once(" =").map(|(id, _)| id))
            .collect();
        let missing: Vec<_> = ids.difference(&defined).collect();
        assert!(missing.is_empty() || language.parent().is_some(), "{}: {missing:?}", language.tag());
    }
}

/// The variables of a name or a text: whoever leaves one of these out leaves out a fact.
const TOLD: [&str; 12] = [
    "title",
    "organizer",
    "attendee",
    "deputy",
    "person",
    "value",
    "zone",
    "period",
    "rule",
    "subject",
    "first",
    "second",
];

#[test]
fn no_language_leaves_out_a_fact() {
    let wording = Wording::built_in(Bodies::Both);
    for language in Language::ALL {
        for (id, given) in MESSAGES {
            let values: Vec<(&str, String)> = given.iter().map(|name| (*name, format!("<{name}>"))).collect();
            let said = wording.say(language, id, &values);
            for name in TOLD.iter().filter(|name| given.contains(name)) {
                assert!(said.contains(&format!("<{name}>")), "{} {id}: {said}", language.tag());
            }
            assert!(!said.contains('{') && !said.contains('$'), "{} {id}: {said}", language.tag());
        }
        assert!(variables("nobody").is_none());
    }
}

fn day(day: u32) -> When {
    When::Day(chrono::NaiveDate::from_ymd_opt(2026, 6, day).unwrap())
}

fn rule(rule: &str) -> Recurrence {
    use calcard::icalendar::{ICalendar, ICalendarValue};
    let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    let calendar = ICalendar::parse(&text).unwrap();
    match &calendar.components[1].entries[0].values[0] {
        // Tuesday 2 June 2026, 23:30 in Berlin.
        ICalendarValue::RecurrenceRule(rule) => Recurrence::of(rule, &berlin(2, 23)),
        other => panic!("no rule: {other:?}"),
    }
}

fn berlin(day: u32, hour: u32) -> When {
    use chrono::TimeZone;
    When::At(chrono_tz::Europe::Berlin.with_ymd_and_hms(2026, 6, day, hour, 30, 0).unwrap())
}

/// The row of a text body that begins with a label.
fn row(language: Language, label: &str, facts: &Facts) -> String {
    let written = Wording::built_in(Bodies::Text).write(language, Occasion::Invitation, "VEVENT", facts);
    // A line that begins with a blank goes on with the row above it.
    let unwrapped = written.text.replace("\n ", " ");
    let row = unwrapped.lines().find_map(|line| line.strip_prefix(label)).unwrap_or_else(|| panic!("{unwrapped}"));
    row.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn rules_are_said_as_people_say_them() {
    for (text, english, german, polish) in [
        ("FREQ=DAILY", "every day", "jeden Tag", "codziennie"),
        (
            "FREQ=WEEKLY;INTERVAL=2;UNTIL=20260831T220000Z",
            "every second Tuesday until 1 September 2026",
            "jeden zweiten Dienstag bis 1. September 2026",
            "co dwa tygodnie we wtorek, do 1 września 2026",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=5;BYDAY=TH,MO;COUNT=10",
            "every 5 weeks on Monday and Thursday, 10 times",
            "alle 5 Wochen am Montag und Donnerstag, 10-mal",
            "co 5 tygodni w poniedziałek i w czwartek, 10 razy",
        ),
        (
            "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
            "every weekday (Monday to Friday)",
            "an jedem Werktag (Montag bis Freitag)",
            "od poniedziałku do piątku",
        ),
        (
            "FREQ=MONTHLY;BYDAY=-1FR",
            "every month on the last Friday",
            "jeden Monat am letzten Freitag",
            "co miesiąc w ostatni piątek",
        ),
        (
            "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2",
            "every month on the second Tuesday",
            "jeden Monat am zweiten Dienstag",
            "co miesiąc w drugi wtorek",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "every month on the last working day",
            "jeden Monat am letzten Werktag",
            "co miesiąc w ostatni dzień roboczy",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=1,15,-1",
            "every month on the 1st, the 15th and the last day",
            "jeden Monat am 1., 15. und letzten Tag",
            "co miesiąc 1. dnia miesiąca, 15. dnia miesiąca i ostatniego dnia miesiąca",
        ),
        (
            "FREQ=MONTHLY;INTERVAL=3",
            "every 3 months on the 2nd",
            "alle 3 Monate am 2.",
            "co 3 miesiące 2. dnia miesiąca",
        ),
        ("FREQ=YEARLY", "every year on 2 June", "jedes Jahr am 2. Juni", "co roku 2 czerwca"),
        (
            "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
            "every year on the second Sunday of March",
            "jedes Jahr am zweiten Sonntag im März",
            "co roku w drugą niedzielę marca",
        ),
    ] {
        let facts = Facts { recurrence: Some(rule(text)), ..Facts::default() };
        assert_eq!(row(Language::English, "Repeats", &facts), english, "{text}");
        assert_eq!(row(Language::German, "Wiederholung", &facts), german, "{text}");
        assert_eq!(row(Language::Polish, "Powtarzanie", &facts), polish, "{text}");
    }
}

#[test]
fn what_has_no_short_wording_is_said_to_repeat_and_no_more() {
    for text in [
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=YEARLY;BYMONTH=1,7",
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=DAILY;BYHOUR=9,15",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=DAILY;BYMONTH=1",
        "FREQ=SECONDLY",
    ] {
        let facts = Facts { recurrence: Some(rule(text)), ..Facts::default() };
        assert_eq!(row(Language::English, "Repeats", &facts), "on a repeating schedule", "{text}");
    }
    let facts = Facts { recurrence: Some(Recurrence { exceptions: 2, ..rule("FREQ=DAILY") }), ..Facts::default() };
    assert_eq!(row(Language::English, "Repeats", &facts), "every day, except on 2 dates");
}

#[test]
fn times_name_weekday_zone_and_nothing_twice() {
    let time = chrono::NaiveDate::from_ymd_opt(2026, 6, 3).unwrap().and_hms_opt(9, 0, 0).unwrap();
    let zone = Some("Chennai, \u{202e}Delhi".to_owned());
    for (start, end, expected) in [
        (berlin(2, 9), Some(berlin(2, 10)), "Tuesday 2 June 2026, 09:30 to 10:30 (Europe/Berlin, UTC+2)"),
        (
            berlin(2, 9),
            Some(berlin(3, 10)),
            "Tuesday 2 June 2026, 09:30 to Wednesday 3 June 2026, 10:30 (Europe/Berlin, UTC+2)",
        ),
        (berlin(2, 9), None, "Tuesday 2 June 2026, 09:30 (Europe/Berlin, UTC+2)"),
        (day(2), Some(day(3)), "Tuesday 2 June 2026 (all day)"),
        (day(2), Some(day(5)), "Tuesday 2 June 2026 to Thursday 4 June 2026 (all day)"),
        (When::Local { time, zone: None }, None, "Wednesday 3 June 2026, 09:00 (local time)"),
        (When::Local { time, zone }, None, "Wednesday 3 June 2026, 09:00 (Chennai, Delhi)"),
    ] {
        let facts = Facts { start: Some(start), end, ..Facts::default() };
        assert_eq!(row(Language::English, "When", &facts), expected);
    }
    let facts = Facts { start: Some(berlin(2, 14)), end: Some(berlin(2, 15)), ..Facts::default() };
    for (language, label, expected) in [
        (Language::AmericanEnglish, "When", "Tuesday, June 2, 2026, 2:30 PM to 3:30 PM (Europe/Berlin, UTC+2)"),
        (Language::German, "Wann", "Dienstag, 2. Juni 2026, 14:30 bis 15:30 Uhr (Europe/Berlin, UTC+2)"),
        (Language::French, "Quand", "mardi 2 juin 2026 de 14:30 à 15:30 (Europe/Berlin, UTC+2)"),
        (Language::Spanish, "Cuándo", "martes, 2 de junio de 2026, de 14:30 a 15:30 (Europe/Berlin, UTC+2)"),
        (Language::Italian, "Quando", "martedì 2 giugno 2026, ore 14:30–15:30 (Europe/Berlin, UTC+2)"),
        (Language::Dutch, "Wanneer", "dinsdag 2 juni 2026, 14:30 tot 15:30 uur (Europe/Berlin, UTC+2)"),
        (Language::Portuguese, "Quando", "terça-feira, 2 de junho de 2026, das 14:30 às 15:30 (Europe/Berlin, UTC+2)"),
        (Language::Polish, "Kiedy", "wtorek, 2 czerwca 2026, 14:30–15:30 (Europe/Berlin, UTC+2)"),
        (Language::Japanese, "日時", "2026年6月2日（火曜日） 14:30～15:30（Europe/Berlin, UTC+2）"),
        (Language::SimplifiedChinese, "时间", "2026年6月2日 星期二 14:30至15:30（Europe/Berlin, UTC+2）"),
    ] {
        assert_eq!(row(language, label, &facts), expected);
    }
}

#[test]
fn every_mail_is_said_in_every_language() {
    let wording = Wording::built_in(Bodies::Both);
    let ids: Vec<&str> = MESSAGES.iter().map(|(id, _)| *id).filter(|id| id.contains('-')).collect();
    for language in Language::ALL {
        for (occasion, component, facts) in occasions() {
            let written = wording.write(language, occasion, component, &facts);
            let all = format!("{}\n{}\n{}", written.subject, written.text, written.html.clone().unwrap());
            assert_eq!(written.broken, Vec::<String>::new());
            let body = all.split("</style>").collect::<Vec<_>>().join("");
            for left in ["{{", "{%", "{ $", "\u{2068}\u{2069}"] {
                assert!(!body.contains(left), "{} {occasion:?}: {left}", language.tag());
            }
            for id in &ids {
                assert!(!written.text.contains(id) && !written.subject.contains(id), "{} says {id}", language.tag());
            }
            assert!(!written.subject.is_empty() && written.text.lines().count() > 2);
        }
    }
}

/// Every occasion and answer, each with every fact that changes the words.
fn occasions() -> Vec<(Occasion, &'static str, Facts)> {
    use Answer::{Accepted, Completed, Declined, Delegated, InProcess, Tentative, Undecided};
    let link = || "https://example.com/x".to_owned();
    let some = |text: &str| Some(text.to_owned());
    let full = Facts {
        summary: some("Review"),
        description: Some("x ".repeat(3_000)),
        location: some("Room 1"),
        start: Some(berlin(2, 9)),
        end: Some(berlin(3, 11)),
        recurrence: Some(rule("FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=3")),
        comment: some("Hello"),
        organizer: some("Ada"),
        sent_by: some("eve@example.com"),
        attendee: some("Bob"),
        before: Some(Box::new(Earlier { has_other_description: true, ..Earlier::default() })),
        links: Some(Links { yes: link(), no: link(), maybe: link() }),
        ..Facts::default()
    };
    let several = Facts { scope: Scope::Instances { dates: vec![day(2), day(3)], unlisted: 5 }, ..full.clone() };
    let one = Facts { scope: Scope::Instances { dates: vec![day(2)], unlisted: 0 }, ..Facts::default() };
    let later = Facts { scope: Scope::FromOn(day(2)), start: Some(day(2)), end: Some(day(5)), ..Facts::default() };
    let answers = [Accepted, Declined, Tentative, Delegated, Completed, InProcess, Undecided];
    let mut all: Vec<_> =
        answers.map(|answer| (Occasion::Reply, "VEVENT", Facts { answer: Some(answer), ..full.clone() })).into();
    for occasion in [
        Occasion::Invitation,
        Occasion::Update,
        Occasion::NewDates,
        Occasion::Cancellation,
        Occasion::Counter,
        Occasion::CounterDeclined,
        Occasion::Refresh,
        Occasion::Publication,
    ] {
        for component in ["VEVENT", "VTODO", "VJOURNAL"] {
            for facts in [&full, &several, &one, &later, &Facts::default()] {
                all.push((occasion, component, facts.clone()));
            }
        }
    }
    all
}

#[test]
fn recipients_with_different_languages_get_different_mails() {
    let text = std::fs::read_to_string(root("examples/preview/invitation.ics")).unwrap();
    let more = "ATTENDEE;LANGUAGE=de-AT;CN=Carl:mailto:carl@example.org\r\nATTENDEE;LANGUAGE=tlh:mailto:dan@example.org\r\n\
        ATTENDEE:invalid:nomail\r\nATTENDEE;LANGUAGE=DE:mailto:eve@example.org\r\nEND:VEVENT";
    let message = invitation(CalendarObject::parse(&text.replace("END:VEVENT", more)).unwrap());
    let letters = written(&message, Language::French, &Thread::default());
    let told: Vec<(Vec<String>, &str)> = letters
        .iter()
        .map(|letter| {
            (
                letter.recipients.iter().map(ToString::to_string).collect(),
                letter.mail.subject.split(' ').next().unwrap(),
            )
        })
        .collect();
    let expected = [
        (vec!["carl@example.org".to_owned(), "eve@example.org".to_owned()], "Einladung:"),
        (vec!["bob@example.org".to_owned(), "dan@example.org".to_owned()], "Invitation"),
    ];
    assert_eq!(told, expected);
    assert_ne!(letters[0].mail.message_id, letters[1].mail.message_id);
}

#[test]
fn an_address_that_few_servers_take_costs_nobody_else_their_mail() {
    let text = std::fs::read_to_string(root("examples/preview/invitation.ics")).unwrap();
    let more = "ATTENDEE:mailto:jörg@bücher.example\r\nATTENDEE:mailto:cy@bücher.example\r\nEND:VEVENT";
    let message = invitation(CalendarObject::parse(&text.replace("END:VEVENT", more)).unwrap());
    let letters = written(&message, Language::English, &Thread::default());
    let told: Vec<(Vec<String>, bool)> = letters
        .iter()
        .map(|letter| (letter.recipients.iter().map(ToString::to_string).collect(), letter.mail.raw.is_ascii()))
        .collect();
    let expected = [
        (vec!["bob@example.org".to_owned(), "cy@xn--bcher-kva.example".to_owned()], true),
        (vec!["jörg@xn--bcher-kva.example".to_owned()], false),
    ];
    assert_eq!(told, expected);
    // The calendar names all of them, as the organizer wrote them.
    let calendar = &imipd::imip::extract(&letters[0].mail.raw).calendars[0].text;
    assert!(calendar.contains("mailto:jörg@bücher.example") && calendar.contains("mailto:cy@bücher.example"));
}

#[test]
fn personal_links_go_to_one_recipient_each() {
    let text = std::fs::read_to_string(root("examples/preview/invitation.ics")).unwrap();
    let message = invitation(
        CalendarObject::parse(&text.replace("END:VEVENT", "ATTENDEE:mailto:carl@example.org\r\nEND:VEVENT")).unwrap(),
    );
    let wording = Wording::built_in(Bodies::Both);
    let author = Author { name: None, timezone: chrono_tz::UTC, language: Language::English, via: None };
    let links = |to: &imipd::itip::Address, _: Language| {
        let link = |answer: &str| format!("https://rsvp.example.com/{answer}/{}", to.as_str().replace('@', "."));
        (to.as_str() != "dan@example.org").then(|| Links { yes: link("y"), no: link("n"), maybe: link("m") })
    };
    let pen = Pen { wording: &wording, imip: &IMIP, links: Some(&links) };
    let letters = letters(&message, author, pen, &Thread::default(), (Occasioned::ByUser, 0)).unwrap();
    assert_eq!(letters.len(), 2);
    for (letter, other) in letters.iter().zip(["carl.example.org", "bob.example.org"]) {
        let raw = String::from_utf8_lossy(&letter.mail.raw).replace("=\r\n", "");
        let own = letter.recipients[0].as_str().replace('@', ".");
        assert_eq!(letter.recipients.len(), 1);
        assert!(raw.contains(&own) && !raw.contains(other), "{raw}");
    }
}

#[test]
fn a_zone_that_is_named_and_not_defined_is_defined_in_what_leaves() {
    let raw = one(&invitation(object("invitation.ics")), Language::English);
    let email = imipd::imip::extract(&raw);
    let text = &email.calendars[0].text;
    assert_eq!(text.matches("\r\nTZID:Europe/London\r\n").count(), 1, "{text}");
    let sent = CalendarObject::parse(text).unwrap();
    assert_eq!(sent.to_text().matches("BEGIN:VTIMEZONE").count(), 1);
    let hostile: String =
        (0..500).map(|n| format!("ATTENDEE;TZID=Europe/Rome{n}:mailto:a{n}@example.com\r\n")).collect();
    let source = std::fs::read_to_string(root("examples/preview/invitation.ics")).unwrap();
    let mut object = CalendarObject::parse(&source.replace("END:VEVENT", &format!("{hostile}END:VEVENT"))).unwrap();
    object.define_used_zones(i64::MAX / 2, 20);
    assert!(object.to_text().matches("BEGIN:VTIMEZONE").count() <= 20);
}

#[test]
fn an_answer_refers_to_the_invitation_as_it_was_received() {
    let thread = Thread {
        message_ids: vec!["<invitation@example.com>".to_owned(), "<own-answer@example.org>".to_owned()],
        last_received: Some("<invitation@example.com>".to_owned()),
    };
    let letters = written(&reply(), Language::English, &thread);
    let raw = String::from_utf8_lossy(&letters[0].mail.raw).replace("\r\n ", " ");
    assert!(raw.contains("\r\nIn-Reply-To: <invitation@example.com>\r\n"), "{raw}");
    assert!(raw.contains("\r\nReferences: <own-answer@example.org> <invitation@example.com>\r\n"), "{raw}");
}
