//! A site for the live tests: private mail servers, a configuration, and a running `imipd run`.

// Every test program compiles this module for itself and uses a part of it.
#![allow(dead_code)]

pub mod daemon;
pub mod faulty_imap;
pub mod host;
pub mod site;
pub mod slow_smtp;

pub use site::{Plan, Site};

use std::io::Write as _;
use std::time::{Duration, Instant};

/// How long anything may take that the tests wait for. Far more than it takes: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at. Every look may start a process, so not too often.
const PAUSE: Duration = Duration::from_millis(40);

/// Polls until the condition gives a value; nothing when `patience` is over.
pub fn poll<T>(patience: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Polls until the condition gives a value.
///
/// # Panics
///
/// When that takes longer than [`PATIENCE`].
#[track_caller]
pub fn wait_for<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    match poll(PATIENCE, condition) {
        Some(value) => value,
        None => panic!("waited {PATIENCE:?} in vain until {what}"),
    }
}

/// Polls until the condition holds; panics when that takes longer than [`PATIENCE`].
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// A meeting as a calendar app writes it: one day of 2031, `organizer` and `attendees` by address.
pub fn meeting(uid: &str, organizer: &str, attendees: &[&str]) -> String {
    let invited: String = attendees
        .iter()
        .map(|address| format!("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{address}\r\n"))
        .collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//imipd//tests//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n\
         DTSTAMP:20310101T080000Z\r\nSEQUENCE:0\r\nDTSTART:20310203T090000Z\r\nDTEND:20310203T100000Z\r\n\
         SUMMARY:Meeting {uid}\r\nORGANIZER:mailto:{organizer}\r\n\
         ATTENDEE;PARTSTAT=ACCEPTED:mailto:{organizer}\r\n{invited}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// The same object with a METHOD, as it travels.
pub fn with_method(calendar: &str, method: &str) -> String {
    calendar.replacen("VERSION:2.0\r\n", &format!("VERSION:2.0\r\nMETHOD:{method}\r\n"), 1)
}

/// A mail with one text/calendar part.
pub fn mail(from: &str, to: &str, message_id: &str, method: &str, calendar: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {method}\r\nMessage-ID: {message_id}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/calendar; charset=utf-8; method={method}\r\n\r\n{calendar}"
    )
}

/// What an attendee's ATTENDEE line says in a calendar text; nothing when there is no such line.
pub fn partstat(calendar: &str, attendee: &str) -> Option<String> {
    let unfolded = calendar.replace("\r\n ", "");
    let line = unfolded.lines().find(|line| line.starts_with("ATTENDEE") && line.ends_with(&format!(":{attendee}")));
    let line = line.or_else(|| {
        unfolded.lines().find(|line| line.starts_with("ATTENDEE") && line.ends_with(&format!(":mailto:{attendee}")))
    })?;
    let said = line.split([';', ':']).find_map(|part| part.strip_prefix("PARTSTAT="));
    Some(said.unwrap_or("NEEDS-ACTION").to_owned())
}

/// Prints a figure, past the test harness, which would keep what a passing test prints to itself.
pub fn measured(what: &str, value: &str) {
    let line = format!("measured: {what}: {value}\n");
    let _ = std::io::stdout().write_all(line.as_bytes());
}

/// Says loudly that a test has shown nothing, and why.
pub fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("\n*** SKIPPED: {test}: {why}\n\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// The median and the greatest of some durations.
pub fn spread(mut durations: Vec<Duration>) -> String {
    durations.sort();
    match (durations.get(durations.len() / 2), durations.last()) {
        (Some(median), Some(most)) => {
            format!("median {} ms, at most {} ms, of {}", median.as_millis(), most.as_millis(), durations.len())
        }
        _ => "nothing to measure".to_owned(),
    }
}
