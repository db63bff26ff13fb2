//! Calendar text goes in and comes out with its meaning unchanged.
//!
//! What a text means is read here by a reader of its own, which knows content lines and nothing else.

use imipd::itip::receive::{Context, Held, ItipMessage, Policy, receive};
use imipd::itip::{Address, Author, CalendarObject, Revisions, text};
use proptest::collection::vec;
use proptest::prelude::*;
use std::borrow::Cow;

/// A content line as this reader understands it: name, parameters, value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    name: String,
    params: Vec<(String, String)>,
    value: String,
}

/// The names whose value is TEXT: escapes in them are undone before comparing.
const TEXTS: [&str; 12] = [
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "COMMENT",
    "CATEGORIES",
    "CONTACT",
    "RESOURCES",
    "UID",
    "TZNAME",
    "X-NOTE",
    "X-MOZ-NOTE",
    "X-WR-CALNAME",
];

fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Splits at a character outside of double quotes.
fn split_unquoted(text: &str, at: char) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (index, c) in text.char_indices() {
        quoted ^= c == '"';
        if c == at && !quoted {
            parts.push(&text[start..index]);
            start = index + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

fn read(line: &str) -> Line {
    let head = split_unquoted(line, ':')[0];
    let value = line.get(head.len() + 1..).unwrap_or("").to_owned();
    let mut parts = split_unquoted(head, ';').into_iter();
    let name = parts.next().unwrap_or("").to_ascii_uppercase();
    let mut params: Vec<(String, String)> = parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.to_ascii_uppercase(), decoded(&value.replace('"', "")))
        })
        .collect();
    params.sort();
    let value = match name.as_str() {
        known if TEXTS.contains(&known) => unescaped(&value),
        "RRULE" => sorted_parts(&value),
        _ => value,
    };
    Line { name, params, value }
}

/// RFC 6868.
fn decoded(value: &str) -> String {
    let mut out = String::new();
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let replaced = match (c, chars.peek()) {
            ('^', Some('n')) => Some('\n'),
            ('^', Some('^')) => Some('^'),
            ('^', Some('\'')) => Some('"'),
            _ => None,
        };
        if replaced.is_some() {
            chars.next();
        }
        out.push(replaced.unwrap_or(c));
    }
    out
}

/// RFC 5545 §3.3.11; what separates the values of a list is told apart from a comma in one of them.
fn unescaped(value: &str) -> String {
    let mut out = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            ',' => out.push('\u{1}'),
            other => out.push(other),
        }
    }
    out
}

fn sorted_parts(rule: &str) -> String {
    let mut parts: Vec<&str> = rule.split(';').collect();
    parts.sort_unstable();
    parts.join(";")
}

/// A text as a tree in one line list: each line below the path of its components, properties of one component sorted.
fn meaning(text: &str) -> Vec<(String, Vec<Line>)> {
    let mut open: Vec<(String, Vec<Line>)> = Vec::new();
    let mut closed: Vec<(String, Vec<Line>)> = Vec::new();
    for line in unfold(text) {
        if let Some(name) = line.strip_prefix("BEGIN:") {
            let path = open.last().map_or_else(String::new, |(path, _)| format!("{path}/"));
            open.push((format!("{path}{name}"), Vec::new()));
        } else if line.starts_with("END:") {
            if let Some((path, mut lines)) = open.pop() {
                lines.sort();
                closed.push((path, lines));
            }
        } else if let Some((_, lines)) = open.last_mut() {
            lines.push(read(&line));
        }
    }
    closed.sort();
    closed
}

/// Folds at odd places, as real mail does: at any character, with a blank or a tab.
fn folded(lines: &[String], widths: &[u8]) -> String {
    let mut out = String::new();
    let mut widths = widths.iter().cycle();
    for line in lines {
        let mut room = 20 + usize::from(*widths.next().unwrap_or(&50)) % 55;
        let mut used = 0;
        for c in line.chars() {
            if used + c.len_utf8() > room {
                out.push_str(if room % 2 == 0 { "\r\n " } else { "\r\n\t" });
                used = 1;
                room = 20 + usize::from(*widths.next().unwrap_or(&50)) % 55;
            }
            out.push(c);
            used += c.len_utf8();
        }
        out.push_str("\r\n");
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// Any text that a person could write, with what is special to iCalendar more often than persons do.
fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9 ]{1,12}",
        2 => "[;,:\\\\\"'^=<>&%]{1,3}",
        1 => Just("\n".to_owned()),
        1 => "[äöüßéñ漢字🎉ا]{1,4}",
        1 => Just("BEGIN:VEVENT".to_owned()),
        1 => Just("^n^^^'".to_owned()),
    ];
    vec(piece, 1..8).prop_map(|pieces| format!("a{}z", pieces.concat()))
}

fn parameter() -> impl Strategy<Value = String> {
    let encoded = |text: String| text.replace('^', "^^").replace('\n', "^n").replace('"', "^'");
    prop_oneof![
        words().prop_map(move |text| format!(";CN=\"{}\"", encoded(text))),
        words().prop_map(move |text| format!(";X-ORIGIN=\"{}\"", encoded(text))),
        "[a-z]{1,8}".prop_map(|text| format!(";X-PLAIN={text}")),
        Just(";LANGUAGE=de-CH".to_owned()),
        Just(";ALTREP=\"cid:part1.0001@x.example,y;z\"".to_owned()),
        Just(String::new()),
    ]
}

fn uri() -> impl Strategy<Value = String> {
    "https://[a-z]{1,8}\\.example/[a-z;,?&=%:@+~]{0,60}"
}

fn base64() -> impl Strategy<Value = String> {
    "([A-Za-z0-9+/]{4}){0,40}"
}

/// A property that scheduling does not look at.
fn property() -> impl Strategy<Value = String> {
    prop_oneof![
        (Just("SUMMARY"), parameter(), words()).prop_map(|(name, params, value)| text_line(name, &params, &value)),
        (prop::sample::select(vec!["DESCRIPTION", "LOCATION", "COMMENT", "CONTACT"]), parameter(), words())
            .prop_map(|(name, params, value)| text_line(name, &params, &value)),
        (prop::sample::select(vec!["X-NOTE", "X-MOZ-NOTE"]), parameter(), words())
            .prop_map(|(name, params, value)| text_line(name, &params, &value)),
        // Of several blanks behind an escape in a list, calcard drops one each time; see the module of `text`.
        (vec("[a-z;\\\\]{1,6}[a-z]( [a-z]{1,5})?", 1..4)).prop_map(|values| {
            let values: Vec<String> = values.iter().map(|value| escaped(value)).collect();
            format!("CATEGORIES:{}", values.join(","))
        }),
        uri().prop_map(|uri| format!("URL:{uri}")),
        (parameter(), uri()).prop_map(|(params, uri)| format!("ATTACH{params}:{uri}")),
        base64().prop_map(|data| format!("ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:{data}")),
        uri().prop_map(|uri| format!("X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=\"a;b\":{uri}")),
        uri().prop_map(|uri| format!("CONFERENCE;VALUE=URI;FEATURE=PHONE:{uri}")),
        (0..10u8).prop_map(|number| format!("PRIORITY:{number}")),
        Just("GEO:37.386013;-122.082932".to_owned()),
        Just("CLASS:PRIVATE".to_owned()),
        Just("RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=-1SU,2MO;UNTIL=20310101T000000Z".to_owned()),
        Just("EXDATE;TZID=Odd/Zone:20300202T100000,20300203T100000".to_owned()),
        Just("RELATED-TO;RELTYPE=PARENT:other@x.example".to_owned()),
        (parameter(), "[a-z]{1,8}").prop_map(|(params, user)| format!(
            "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED{params}:mailto:{user}@x.example"
        )),
    ]
}

fn text_line(name: &str, params: &str, value: &str) -> String {
    // CN belongs to calendar users alone, but a parameter is a parameter.
    format!("{name}{params}:{}", escaped(value))
}

fn alarm() -> impl Strategy<Value = Vec<String>> {
    (words(), 1..90u8).prop_map(|(text, minutes)| {
        vec![
            "BEGIN:VALARM".to_owned(),
            "ACTION:DISPLAY".to_owned(),
            format!("TRIGGER:-PT{minutes}M"),
            format!("DESCRIPTION:{}", escaped(&text)),
            "END:VALARM".to_owned(),
        ]
    })
}

const ZONE: &str = "BEGIN:VTIMEZONE
TZID:Odd/Zone
X-LIC-LOCATION:Europe/Zurich
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
END:VTIMEZONE";

/// The lines of an object with odd contents, unfolded.
fn object() -> impl Strategy<Value = Vec<String>> {
    let kind = prop::sample::select(vec!["VEVENT", "VTODO"]);
    (kind, vec(property(), 0..12), vec(alarm(), 0..3)).prop_map(|(kind, properties, alarms)| {
        let mut lines: Vec<String> =
            ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Odd//Calendar//EN", "X-WR-CALNAME:a\\, b"]
                .map(str::to_owned)
                .to_vec();
        lines.extend(ZONE.lines().map(str::to_owned));
        lines.push(format!("BEGIN:{kind}"));
        lines.extend(
            ["UID:odd-1@x.example", "DTSTAMP:20300101T000000Z", "DTSTART;TZID=Odd/Zone:20300201T100000", "SEQUENCE:1"]
                .map(str::to_owned),
        );
        lines.extend(properties);
        lines.extend(alarms.into_iter().flatten());
        lines.extend([format!("END:{kind}"), "END:VCALENDAR".to_owned()]);
        lines
    })
}

/// Lines that are no calendar, or not quite.
fn rubble() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => property(),
        1 => "\\PC{0,60}",
        1 => prop::sample::select(vec![
            "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM", "BEGIN:VTODO", "END:VCALENDAR", "UID:1", "DTSTART:20300101",
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20300101T100000Z", "RRULE:FREQ=;COUNT=", "DURATION:P", "X-IMIPD-VERBATIM:0", " folded",
            "ATTACH", "URL;", ";:", ":", "\"", "BEGIN:", "END:",
        ]).prop_map(str::to_owned),
    ];
    vec(line, 0..20).prop_map(|lines| format!("BEGIN:VCALENDAR\r\n{}\r\nEND:VCALENDAR\r\n", lines.join("\r\n")))
}

proptest! {
    #![proptest_config(crate::cases(150))]

    #[test]
    fn text_keeps_its_meaning(lines in object(), widths in vec(any::<u8>(), 1..9)) {
        let text = folded(&lines, &widths);
        let object = CalendarObject::parse(&text).expect("an object");
        let written = object.to_text();
        prop_assert_eq!(meaning(&text), meaning(&written), "{}", written);
        let again = CalendarObject::parse(&written).expect("an object");
        prop_assert_eq!(&written, &again.to_text(), "writing is idempotent");
        prop_assert!(written.split("\r\n").all(|line| line.len() <= 75), "a line is too long: {}", written);
    }

    #[test]
    fn writing_is_idempotent_whatever_was_read(text in rubble()) {
        if let Ok(calendar) = text::parse(&text) {
            let once = text::write(&calendar);
            let twice = text::write(&text::parse(&once).expect("what we write, we can read"));
            prop_assert_eq!(once, twice);
        }
    }

    #[test]
    fn an_update_of_one_property_changes_nothing_else(lines in object(), words in words()) {
        let invitation = invitation(&lines, 1, "Before");
        let update = invitation_of(&invitation, 2, &words);
        let mut slot = (None, Revisions::default());
        deliver(&mut slot, &invitation);
        let before = slot.0.as_ref().map(CalendarObject::to_text).expect("the invitation is stored");
        deliver(&mut slot, &update);
        let after = slot.0.as_ref().map(CalendarObject::to_text).expect("the update is stored");
        let expected = before
            .replace("DTSTAMP:20300101T000001Z", "DTSTAMP:20300101T000002Z")
            .replace("SUMMARY:Before\r\n", &folded(&[format!("SUMMARY:{}", escaped(&words))], &[54]));
        prop_assert_eq!(meaning(&expected), meaning(&after));
    }
}

const GUEST: &str = "bo@oak.example";
const HOST: &str = "ada@elm.example";

/// The object as an invitation with a SUMMARY of its own; other people's SUMMARY, RRULE and ATTENDEEs stay out of the way.
fn invitation(lines: &[String], second: u8, summary: &str) -> String {
    let mut out = String::new();
    let mut nested = false;
    for line in lines {
        nested |= line == "BEGIN:VALARM";
        if !nested && !line.starts_with("SUMMARY") && !line.starts_with("DTSTAMP") {
            out.push_str(line);
            out.push_str("\r\n");
        }
        nested &= line != "END:VALARM";
        if line.starts_with("PRODID") {
            out.push_str("METHOD:REQUEST\r\n");
        }
        if line.starts_with("UID") {
            out.push_str(&format!(
                "DTSTAMP:20300101T00000{second}Z\r\nSUMMARY:{summary}\r\nORGANIZER:mailto:{HOST}\r\nATTENDEE:mailto:{GUEST}\r\n"
            ));
        }
    }
    out
}

fn invitation_of(invitation: &str, second: u8, summary: &str) -> String {
    invitation
        .replace("DTSTAMP:20300101T000001Z", &format!("DTSTAMP:20300101T00000{second}Z"))
        .replace("SUMMARY:Before\r\n", &format!("SUMMARY:{}\r\n", escaped(summary)))
}

fn deliver(slot: &mut (Option<CalendarObject>, Revisions), text: &str) {
    let (sender, addresses) = (Address::parse(HOST), [Address::parse(GUEST)]);
    let author = Author { addresses: &addresses, now: 1_893_456_000, prodid: "-//test//EN" };
    let context = Context { author, sender: &sender, policy: Policy::default() };
    let message = ItipMessage::parse(text, None).expect("a message");
    let decision = receive(Held { object: slot.0.as_ref().map(Cow::Borrowed), revisions: &slot.1 }, message, context);
    slot.0 = decision.store.or(slot.0.take());
    slot.1 = decision.revisions.unwrap_or_else(|| slot.1.clone());
}
