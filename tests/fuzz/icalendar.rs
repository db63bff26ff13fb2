//! Any text as a calendar: it is read without a panic, and what is written means what was read.

use imipd::itip::component::ComponentExt;
use imipd::itip::recurrence::RecurrenceSet;
use imipd::itip::time::Moment;
use imipd::itip::{Address, CalendarObject, InstanceKey, text};

/// Reads, writes, reads again.
pub fn icalendar(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let Ok(calendar) = text::parse(&input) else { return };
    let once = text::write(&calendar);
    let again = text::parse(&once).unwrap_or_else(|refusal| panic!("{refusal}: we cannot read what we write: {once}"));
    let twice = text::write(&again);
    assert_eq!(without_blanks(&once), without_blanks(&twice), "writing is not idempotent");
    assert!(once.split("\r\n").all(|line| line.len() <= 75), "a line is too long: {once}");
    assert!(!once.replace("\r\n", "").contains(['\r', '\n']), "a bare line end: {once:?}");
    let (Ok(object), again) = (CalendarObject::new(calendar), CalendarObject::new(again)) else { return };
    let again = again.unwrap_or_else(|refusal| panic!("{refusal}: what we write is no object: {once}"));
    assert_eq!(scheduling(&object), scheduling(&again), "another meaning: {once}");
    recurs(&object);
}

/// calcard drops blanks in lists, one each time (see `itip::text`).
fn without_blanks(text: &str) -> String {
    text.replace("\r\n ", "").replace([' ', '\t'], "")
}

/// Who decides, who takes part, what is spoken of, and when: what authority and order hang on.
type Scheduling = (String, Option<Address>, Vec<(InstanceKey, i64, Vec<Address>, Option<Moment>)>);

fn scheduling(object: &CalendarObject) -> Scheduling {
    let components = object.components().map(|(key, component)| {
        let attendees = component.attendees().map(|party| party.address()).collect();
        let start = component.moment(&calcard::icalendar::ICalendarProperty::Dtstart, object.zones());
        (key, component.sequence().0, attendees, start)
    });
    (object.uid().0.clone(), object.organizer().ok().flatten(), components.collect())
}

/// The instances of a series agree with each other, whatever its rules are.
fn recurs(object: &CalendarObject) {
    let Some(set) = object.master().and_then(|master| RecurrenceSet::of(master, object.zones())) else { return };
    let far = (Moment::Instant(i64::MIN / 4), Moment::Instant(i64::MAX / 4));
    let found = set.within(far.0, far.1, 5);
    assert!(found.moments.len() <= 5);
    assert!(found.moments.windows(2).all(|pair| pair[0] < pair[1]), "instances out of order");
    for moment in &found.moments {
        let answer = set.contains(*moment);
        assert_ne!(answer, imipd::itip::recurrence::Membership::NoInstance, "{moment:?} is found, but no instance");
    }
    let _ = set.last();
}
