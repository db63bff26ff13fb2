//! How fast the engine is, beside the floor: calcard parsing the texts that go in and writing those that come out.
//!
//! Every operation is measured in full, from stored and incoming text to stored and outgoing text. A row shows the
//! median of many rounds; the ratio is floor divided by operation, so 100 % would mean that the rules cost nothing.
//! Words after `--` pick the rows that hold all of them: `cargo bench --bench engine -- 20 REPLY`.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use calcard::icalendar::ICalendar;
use imipd::itip::announce::{self, Author};
use imipd::itip::{Address, CalendarObject, Context, Held, ItipMessage, Outgoing, Policy, Revisions, Verdict, receive};

#[path = "bounds/mod.rs"]
mod bounds;
#[path = "common/memory.rs"]
mod memory;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// How long each operation and its floor are measured.
const MEASURED: Duration = Duration::from_millis(700);

/// How the events are built.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    attendees: usize,
    overrides: usize,
}

const SHAPES: [Shape; 6] = [
    Shape { name: "1 attendee", attendees: 1, overrides: 0 },
    Shape { name: "20 attendees", attendees: 20, overrides: 0 },
    Shape { name: "200 attendees", attendees: 200, overrides: 0 },
    Shape { name: "2,000 attendees", attendees: 2_000, overrides: 0 },
    Shape { name: "40,000 attendees", attendees: 40_000, overrides: 0 },
    Shape { name: "weekly, 50 overrides", attendees: 5, overrides: 50 },
];

/// What one operation reads and writes, and how to do it.
struct Operation<'a> {
    name: &'static str,
    reads: Vec<&'a str>,
    writes: Vec<String>,
    run: Box<dyn Fn() -> usize + 'a>,
}

fn main() {
    println!("Engine, one core, from text to text. Floor: calcard parsing what goes in and writing what comes out.\n");
    println!(
        "{:<22} {:<18} {:>12} {:>12} {:>12} {:>8} {:>14}",
        "event", "operation", "median", "floor", "per second", "ratio", "per attendee"
    );
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    for shape in SHAPES {
        measure_shape(shape, &wanted);
    }
    bounds::measure(&wanted);
}

fn measure_shape(shape: Shape, wanted: &[String]) {
    let is_wanted = |name: &str| wanted.iter().all(|word| format!("{} {name}", shape.name).contains(word.as_str()));
    if !["receive REQUEST", "receive REPLY", "announce"].into_iter().any(is_wanted) {
        return;
    }
    let organizer = vec![Address::parse("organizer@example.com")];
    let attendee = vec![Address::parse("a0@example.com")];
    let (before, after) = (event(shape, "Planning", 9), event(shape, "Planning", 10));
    let invitation = outgoing_text(None, &before, &organizer);
    let update = outgoing_text(Some(&before), &after, &organizer);
    let copy = received(None, &invitation, &organizer[0], &attendee);
    let changed_copy = received(Some(&copy), &update, &organizer[0], &attendee);
    let answered = copy.replacen("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED", 1);
    let reply = outgoing_text(Some(&copy), &answered, &attendee);
    let tallied = received(Some(&before), &reply, &attendee[0], &organizer);
    let stored_after = stored_by_put(&before, &after, &organizer);
    let operations = [
        Operation {
            name: "receive REQUEST",
            reads: vec![&copy, &update],
            writes: vec![changed_copy],
            run: Box::new(|| received(Some(&copy), &update, &organizer[0], &attendee).len()),
        },
        Operation {
            name: "receive REPLY",
            reads: vec![&before, &reply],
            writes: vec![tallied],
            run: Box::new(|| received(Some(&before), &reply, &attendee[0], &organizer).len()),
        },
        Operation {
            name: "announce",
            reads: vec![&before, &after],
            writes: vec![stored_after, update.clone()],
            run: Box::new(|| announced(Some(&before), &after, &organizer)),
        },
    ];
    for operation in operations.iter().filter(|one| is_wanted(one.name)) {
        report(shape, operation);
    }
}

fn report(shape: Shape, operation: &Operation<'_>) {
    let written: Vec<ICalendar> = operation.writes.iter().map(|text| parsed(text)).collect();
    let floor = || {
        let read: usize = operation.reads.iter().map(|text| parsed(text).components.len()).sum();
        read + written.iter().map(|calendar| calendar.to_string().len()).sum::<usize>()
    };
    // In turns, so that whatever else the machine does hits both alike.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let began = Instant::now();
    while began.elapsed() < MEASURED * 2 || ours.len() < 5 {
        theirs.push(timed(&floor));
        ours.push(timed(&operation.run));
    }
    let (median, floor) = (median(ours), median(theirs));
    println!(
        "{:<22} {:<18} {:>12} {:>12} {:>12.0} {:>7.0}% {:>14}",
        shape.name,
        operation.name,
        format!("{median:.1?}"),
        format!("{floor:.1?}"),
        1.0 / median.as_secs_f64(),
        100.0 * floor.as_secs_f64() / median.as_secs_f64(),
        format!("{:.2?}", median / u32::try_from(shape.attendees.max(1)).unwrap_or(u32::MAX)),
    );
}

fn timed(work: &dyn Fn() -> usize) -> Duration {
    let began = Instant::now();
    black_box(work());
    began.elapsed()
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}

fn parsed(text: &str) -> ICalendar {
    ICalendar::parse(text).expect("a calendar")
}

/// An object as its organizer has it, at the given hour.
fn event(shape: Shape, summary: &str, hour: u32) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nPRODID:-//bench//EN\r\nVERSION:2.0\r\n".to_owned();
    component(&mut text, shape.attendees, summary, hour, None);
    for week in 0..shape.overrides {
        component(&mut text, shape.attendees, summary, hour + 1, Some(week));
    }
    text + "END:VCALENDAR\r\n"
}

fn component(text: &mut String, attendees: usize, summary: &str, hour: u32, week: Option<usize>) {
    let start = chrono::NaiveDate::from_ymd_opt(2026, 1, 5).expect("a day");
    let day = (start + chrono::Duration::weeks(week.unwrap_or(0) as i64)).format("%Y%m%d");
    text.push_str("BEGIN:VEVENT\r\nUID:bench-1@example.com\r\nDTSTAMP:20260101T000000Z\r\nSEQUENCE:1\r\n");
    match week {
        None => text.push_str("RRULE:FREQ=WEEKLY\r\n"),
        Some(_) => text.push_str(&format!("RECURRENCE-ID:{day}T090000Z\r\n")),
    }
    text.push_str(&format!("DTSTART:{day}T{hour:02}0000Z\r\nDTEND:{day}T{hour:02}3000Z\r\nSUMMARY:{summary}\r\n"));
    text.push_str("LOCATION:Room 12\\, second floor\r\nDESCRIPTION:Bring the figures of the last quarter.\r\n");
    text.push_str("STATUS:CONFIRMED\r\nORGANIZER;CN=The Organizer:mailto:organizer@example.com\r\n");
    for number in 0..attendees {
        let line = format!("ATTENDEE;CN=Person {number};PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:a{number}@example.com");
        // Folded as a writer folds it.
        match line.len() > 75 {
            true => text.push_str(&format!("{}\r\n {}\r\n", &line[..75], &line[75..])),
            false => text.push_str(&format!("{line}\r\n")),
        }
    }
    text.push_str("END:VEVENT\r\n");
}

fn author(addresses: &[Address]) -> Author<'_> {
    Author { addresses, now: 1_800_000_000, prodid: imipd::PRODID }
}

fn put(before: Option<&str>, after: &str, user: &[Address]) -> imipd::itip::Announcement {
    let before = before.map(|text| CalendarObject::parse(text).expect("an object"));
    let after = CalendarObject::parse(after).expect("an object");
    announce::put(before.as_ref(), after, &Revisions::default(), author(user))
}

fn outgoing_text(before: Option<&str>, after: &str, user: &[Address]) -> String {
    let messages: Vec<Outgoing> = put(before, after, user).outgoing.expect("messages");
    messages.first().expect("a message").object.to_text()
}

fn stored_by_put(before: &str, after: &str, user: &[Address]) -> String {
    put(Some(before), after, user).store.expect("an object").to_text()
}

fn announced(before: Option<&str>, after: &str, user: &[Address]) -> usize {
    let announcement = put(before, after, user);
    let stored = announcement.store.map_or(0, |object| object.to_text().len());
    stored + announcement.outgoing.iter().flatten().map(|message| message.object.to_text().len()).sum::<usize>()
}

/// What is stored after a message; it has to be taken.
fn received(held: Option<&str>, message: &str, sender: &Address, user: &[Address]) -> String {
    let held = held.map(|text| CalendarObject::parse(text).expect("an object"));
    let message = ItipMessage::parse(message, None).expect("a message");
    let context = Context { author: author(user), sender, policy: Policy::default() };
    let revisions = Revisions::default();
    let decision = receive(Held { object: held.map(Cow::Owned), revisions: &revisions }, message, context);
    assert_eq!(decision.verdict, Verdict::Applied, "{:?}", decision.reason);
    decision.store.expect("an object").to_text()
}
