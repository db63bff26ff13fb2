//! What a hostile calendar object makes of the mails about it: nothing but texts that look odd.

use std::time::Instant;

use imipd::config::{AddedInstances, Imip};
use imipd::gateway::letter::{Author, Occasioned, Pen, WrittenLetter, letters};
use imipd::imip::{Bodies, Language, Links, Wording};
use imipd::itip::component::ComponentExt;
use imipd::itip::summary::{self, Participants, Summary};
use imipd::itip::{Address, CalendarObject, Method, Outgoing};
use imipd::ledger::Thread;
use imipd_lab::read_mail;

const IMIP: Imip = Imip {
    added_instances: AddedInstances::Request,
    bodies: Bodies::Both,
    templates: None,
    language: Language::English,
};

/// What somebody may put into a property, as iCalendar writes it.
const EVIL: [&str; 14] = [
    "x\\nBcc: eve@example.com\\n\\nbody",
    "x\rBcc: eve@example.com",
    "x\0y\u{1}\u{7f}\u{85}\u{9f}",
    "\u{202e}moc.elpmaxe@ada\u{202c}\u{2066}\u{2069}\u{2069}",
    "=?utf-8?q?x=0d=0aBcc:_eve=40example.com?=",
    "=?utf-7?b?WA==?= =?us-ascii?q?x?=",
    ".\\n.\\nQUIT\\n",
    "From eve@example.com Mon Jan  1 00:00:00 2026\\n--=_a_0123--\\n",
    "</style><script>alert(1)</script><img src=https://evil.example/x.png>",
    "{{ opening }} {% for a in range(99999) %} { $title } \u{2068}",
    "\u{feff}\u{200b}\u{2028}\u{2029}\u{fffe}\u{10ffff}",
    "\\\\\\,\\;\\N^n^'^^",
    "%0d%0aBcc:%20eve@example.com",
    "👩\u{200d}👩\u{200d}👧\u{200d}👦 e\u{301}\u{301}\u{301}",
];

fn object(summary: &str, name: &str, more: &str) -> CalendarObject {
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1@example.com\r\n\
         DTSTAMP:20260601T080000Z\r\nDTSTART:20260610T080000Z\r\nDTEND:20260610T090000Z\r\nSUMMARY:{summary}\r\n\
         LOCATION:{summary}\r\nDESCRIPTION:{summary}\r\nCOMMENT:{summary}\r\nORGANIZER;CN=\"{name}\":mailto:ada@example.com\r\n\
         ATTENDEE;CN=\"{name}\":mailto:bob@example.org\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    CalendarObject::parse(&text).unwrap_or_else(|refusal| panic!("{refusal}: {text}"))
}

fn invitation(object: CalendarObject) -> Outgoing {
    let component = object.principal().unwrap();
    let summary = Summary::new(summary::Occasion::Invite, component, object.zones(), Participants::Shown);
    let to = component.attendees().map(|party| party.address()).collect();
    Outgoing { from: Address::parse("ada@example.com"), to, method: Method::Request, summary, object }
}

fn written(object: CalendarObject, language: Language) -> Vec<WrittenLetter> {
    let wording = Wording::built_in(Bodies::Both);
    let author = Author { name: None, timezone: chrono_tz::UTC, language, via: None };
    let pen = Pen { wording: &wording, imip: &IMIP, links: None };
    letters(&invitation(object), author, pen, &Thread::default(), (Occasioned::ByMail, 1_780_300_800)).unwrap()
}

/// The names of the header fields, and the types of the parts.
fn shape(raw: &[u8]) -> Vec<String> {
    let mail = mail_parser::MessageParser::default().parse(raw).unwrap();
    let fields = mail.headers().iter().map(|header| header.name.as_str().to_owned());
    let types = mail.parts.iter().map(|part| {
        let kind = mail_parser::MimeHeaders::content_type(part).unwrap();
        format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
    });
    fields.chain(types).collect()
}

#[test]
fn no_value_of_a_property_changes_the_shape_of_a_mail() {
    let usual = shape(&written(object("Review", "Ada", ""), Language::English)[0].mail.raw);
    for (nth, evil) in EVIL.iter().enumerate() {
        // A quotation mark cannot stand in a parameter (RFC 5545 §3.2).
        let object = object(evil, &evil.replace('"', ""), "");
        let language = Language::ALL[nth % Language::ALL.len()];
        let letters = written(object, language);
        let [letter] = letters.as_slice() else { panic!("{} letters for {evil:?}", letters.len()) };
        let raw = &letter.mail.raw;
        assert_eq!(shape(raw), usual, "{evil:?}: {}", String::from_utf8_lossy(raw));
        let Some(reading) = read_mail(raw) else { return };
        assert_eq!(
            (&*reading.from, &*reading.to),
            (&["ada@example.com".to_owned()][..], &["bob@example.org".to_owned()][..])
        );
        let deceiving =
            |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{feff}';
        assert!(!reading.subject.contains(deceiving) && !reading.subject.contains("=?"), "{:?}", reading.subject);
        assert!(!reading.text.contains(deceiving), "{:?}", reading.text);
        // Whatever the values are, it has the lines of any other: nobody was added to it.
        let calendar = reading.calendar.unwrap().replace("\r\n ", "");
        assert_eq!(calendar.matches("\r\nATTENDEE").count(), 1, "{calendar}");
        assert_eq!(calendar.matches("\r\nORGANIZER").count(), 1, "{calendar}");
    }
}

#[test]
fn values_of_200_kb_make_mails_that_can_be_read() {
    for unit in ["word ", "x", "ü", "\\n", "<b>", "😀", "https://example.com/", "\\,"] {
        let long = unit.repeat(200_000 / unit.len());
        let name = if unit.contains('\\') { "Ada".to_owned() } else { long.clone() };
        let begun = Instant::now();
        let letters = written(object(&long, &name, ""), Language::German);
        let raw = &letters[0].mail.raw;
        let Some(reading) = read_mail(raw) else { return };
        assert!(reading.subject.chars().count() < 200 && reading.text.len() < 60_000, "{}", reading.text.len());
        // The calendar has it all, twice: about 1 MB each, in base64 at most, and folded.
        assert!(raw.len() < 5_000_000, "{unit:?}: {}", raw.len());
        println!("{unit:?}: {} octets, {:?}", raw.len(), begun.elapsed());
    }
}

#[test]
fn two_thousand_with_links_of_their_own_cost_no_more_than_their_mails() {
    let guests: String = (0..2_000)
        .map(|nth| format!("ATTENDEE;CN=\"Guest {nth}\";RSVP=TRUE:mailto:guest{nth}@example.org\r\n"))
        .collect();
    let object = object("Assembly", "Ada", &guests);
    let wording = Wording::built_in(Bodies::Text);
    let author = Author { name: None, timezone: chrono_tz::UTC, language: Language::English, via: None };
    let links = |to: &Address, _: Language| {
        // As many as the gateway gives links to.
        let nth: usize = to.as_str().strip_prefix("guest")?.split('@').next()?.parse().ok()?;
        let link = |answer: &str| format!("https://rsvp.example.com/{answer}/{nth}");
        (nth < 50).then(|| Links { yes: link("y"), no: link("n"), maybe: link("m") })
    };
    let pen = Pen { wording: &wording, imip: &IMIP, links: Some(&links) };
    let letters = letters(&invitation(object), author, pen, &Thread::default(), (Occasioned::ByUser, 0)).unwrap();
    assert_eq!(letters.len(), 51);
    assert_eq!(letters.iter().map(|letter| letter.recipients.len()).sum::<usize>(), 2_001);
    let shared = letters.iter().find(|letter| letter.recipients.len() > 1).unwrap();
    let Some(reading) = read_mail(&shared.mail.raw) else { return };
    assert_eq!(reading.to.len(), 1_951);
    assert_eq!(reading.calendar.unwrap().replace("\r\n ", "").matches("\r\nATTENDEE").count(), 2_001);
}

#[test]
fn a_header_stays_shorter_than_mail_servers_cut_it() {
    let domain = "a-rather-long-name-of-a-department.example.org";
    let guests: String = (0..2_000).map(|nth| format!("ATTENDEE:mailto:guest-number-{nth}@{domain}\r\n")).collect();
    let letters = written(object("Assembly", "Ada", &guests), Language::English);
    let [letter] = letters.as_slice() else { panic!("{} letters", letters.len()) };
    assert_eq!(letter.recipients.len(), 2_001);
    let end = letter.mail.raw.windows(4).position(|octets| octets == b"\r\n\r\n").unwrap();
    // Postfix: header_size_limit.
    assert!(end < 102_400, "{end} octets");
    let Some(reading) = read_mail(&letter.mail.raw) else { return };
    assert!((800..2_001).contains(&reading.to.len()), "{}", reading.to.len());
}

#[test]
fn who_cannot_be_written_to_costs_nobody_else_their_mail() {
    let odd = [
        "\"john doe\"@example.org",
        "-oQ/tmp@example.org",
        "a%25b@example.org",
        "user%40other@example.org",
        "b@example.org%0d%0aRCPT%20TO:<eve@example.com>",
        "@example.org",
        "x@",
        "<bob@example.org>",
        "a,b@example.org",
    ];
    let long = format!("{}@example.org", "x".repeat(500));
    let attendees: String =
        odd.iter().chain([&long.as_str()]).map(|one| format!("ATTENDEE:mailto:{one}\r\n")).collect();
    let letters = written(object("Review", "Ada", &attendees), Language::English);
    let [letter] = letters.as_slice() else { panic!("{} letters", letters.len()) };
    let to: Vec<&str> = letter.recipients.iter().map(Address::as_str).collect();
    assert_eq!(to, ["bob@example.org", "-oq/tmp@example.org", "a%b@example.org"]);
    read_mail(&letter.mail.raw);
}
