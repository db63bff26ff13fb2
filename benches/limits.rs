//! What hostile mail costs: from the raw mail to the refusal, in time and in memory at the peak.
//!
//! Each row is to stay below 50 ms and 50 MB, the mail itself not counted. `cargo bench --bench limits`.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Instant;

use imipd::imip::extract;
use imipd::itip::announce::Author;
use imipd::itip::{Address, CalendarObject, Context, Held, ItipMessage, Policy, Revisions, receive};

#[path = "common/memory.rs"]
mod memory;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

const ROUNDS: usize = 7;

fn event(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:bomb@example.org\r\n\
         DTSTAMP:20260101T100000Z\r\nDTSTART:20400301T080000Z\r\nORGANIZER:mailto:boss@example.org\r\n\
         ATTENDEE:mailto:ada@example.com\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn mail(text: &str) -> Vec<u8> {
    format!("From: boss@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n{text}")
        .into_bytes()
}

/// From raw mail to what is said about it.
fn decide(raw: &[u8], held: Option<&CalendarObject>) -> String {
    let email = extract(raw);
    let Some(part) = email.calendars.first() else {
        return email.nothing_because.map_or("nothing", |nothing| nothing.name()).to_owned();
    };
    let message = match ItipMessage::parse(&part.text, part.method_parameter) {
        Ok(message) => message,
        Err(refusal) => return refusal.log_name().to_owned(),
    };
    let (ada, boss) = ([Address::parse("ada@example.com")], Address::parse("boss@example.org"));
    let author = Author { addresses: &ada, now: 1_780_000_000, prodid: imipd::PRODID };
    let revisions = Revisions::default();
    let question = Held { object: held.map(Cow::Borrowed), revisions: &revisions };
    let context = Context { author, sender: &boss, policy: Policy::default() };
    receive(question, message, context).reason.name().to_owned()
}

fn measure(name: &str, raw: &[u8], held: Option<&CalendarObject>) {
    let (mut times, mut peak, mut said) = (Vec::new(), 0, String::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let (reason, used) = memory::peak_of(|| black_box(decide(black_box(raw), held)));
        times.push(began.elapsed());
        (said, peak) = (reason, peak.max(used));
    }
    times.sort();
    let (median, megabytes) = (times[ROUNDS / 2].as_secs_f64() * 1e3, peak as f64 / 1e6);
    println!("{name:<34} {:>9} kB {median:>9.2} ms {megabytes:>9.1} MB   {said}", raw.len() / 1_000);
}

fn main() {
    println!("{:<34} {:>12} {:>12} {:>12}   said", "hostile mail", "size", "median", "peak");
    measure("calendar text of 10 MB", &mail(&event(&format!("DESCRIPTION:{}\r\n", "x".repeat(10 << 20)))), None);
    let attendees = |most: usize| (0..most).map(|n| format!("ATTENDEE:mailto:a{n}@x.example\r\n")).collect::<String>();
    measure("200,000 attendees", &mail(&event(&attendees(200_000))), None);
    measure("100,000 nested BEGINs", &mail(&event(&"BEGIN:X\r\n".repeat(100_000))), None);
    measure("30,000 alarms", &mail(&event(&"BEGIN:VALARM\r\nEND:VALARM\r\n".repeat(30_000))), None);
    measure("500,000 short lines", &mail(&event(&"X:\r\n".repeat(500_000))), None);
    let sixty: String = (0..60).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let rule = format!(
        "RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=1,2,3,4,5,6;BYMINUTE={sixty};BYSECOND={sixty}\r\n"
    );
    let bomb = event(&rule);
    let held = CalendarObject::parse(&bomb).expect("the bomb is an object");
    let instances: String = (0..200)
        .map(|n| {
            format!(
                "BEGIN:VEVENT\r\nUID:bomb@example.org\r\nDTSTAMP:20260201T100000Z\r\nSEQUENCE:1\r\nSTATUS:CANCELLED\r\n\
                 RECURRENCE-ID:2090{:02}{:02}T080000Z\r\nORGANIZER:mailto:boss@example.org\r\nEND:VEVENT\r\n",
                n / 28 + 1,
                n % 28 + 1
            )
        })
        .collect();
    let cancel = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\nMETHOD:CANCEL\r\n{instances}END:VCALENDAR\r\n"
    );
    measure("recurrence bomb", &mail(&bomb), None);
    measure("200 instances of a recurrence bomb", &mail(&cancel), Some(&held));
    let deep = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(100_000);
    measure("100,000 nested multiparts", deep.as_bytes(), None);
    let wide = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\nContent-Type: text/calendar\r\n\r\nx\r\n".repeat(100_000)
    );
    measure("100,000 parts", wide.as_bytes(), None);
    let comments = format!("Authentication-Results: {}\r\nFrom: {}\r\n\r\n", "(".repeat(1 << 20), "(".repeat(1 << 20));
    measure("comments without end", comments.as_bytes(), None);
    println!("\nfor scale, honest:");
    measure("2,000 attendees", &mail(&event(&attendees(2_000))), None);
}
